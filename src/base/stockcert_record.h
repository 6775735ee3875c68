
/*
 * What a ledger knows, and what is asked of it: certificates, classes, grants
 * with their outcomes.  The folder src/base gives these words, and entries,
 * texts, keys and JSON, to all other folders.  It knows neither LMDB nor nginx.
 */


#ifndef STOCKCERT_RECORD_H
#define STOCKCERT_RECORD_H


#include "stockcert_entry.h"
#include "stockcert_grant.h"


/*
 * What a certificate has become: the entry that surrendered it, and what the
 * first entry of that transaction says.  position is 0 if it is outstanding.
 */

typedef struct {
    uint64_t            position;
    uint64_t            time;
    const uint8_t      *seal;
    uint64_t            transaction;   /* position of the first entry */
    uint64_t            type;          /* stockcert_transaction_e */
    uint64_t            surrenders;    /* certificates, */
    uint64_t            issues;        /* and those in their place */
    stockcert_str_t     reference;
} stockcert_surrender_t;


typedef struct {
    stockcert_entry_t      issued;     /* the entry that issued it */
    stockcert_surrender_t  surrender;
} stockcert_certificate_t;


/* its status, "outstanding" or what has become of it */

const char *stockcert_status(const stockcert_surrender_t *surrender);


typedef struct {
    stockcert_str_t     code;
    stockcert_str_t     title;
    uint64_t            authorized;    /* shares */
    uint64_t            issued;        /* shares that are out */
    uint64_t            last;          /* certificate number, 0 for none */
} stockcert_class_t;


/* the one of n classes that has this code, or NULL */

static inline const stockcert_class_t *
stockcert_class_of(const stockcert_class_t *classes, size_t n,
    const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (stockcert_str_same(&classes[i].code, code)) {
            return &classes[i];
        }
    }

    return NULL;
}


typedef enum {
    STOCKCERT_WAITING = 0,
    STOCKCERT_ISSUED,
    STOCKCERT_INSUFFICIENT,            /* not enough shares left: remaining */
    STOCKCERT_NO_CLASS,                /* the ledger has no such class */
    STOCKCERT_KEY_REUSED,              /* its key is another grant's */
    STOCKCERT_NOT_YET,                 /* its effective date is too late */
    STOCKCERT_NEVER_ISSUED,            /* a certificate of an order, */
    STOCKCERT_NOT_OUTSTANDING,         /* which is no longer */
    STOCKCERT_INVALID,                 /* an order breaks a rule: why */
    STOCKCERT_NO_ROOM,                 /* its transaction: STOCKCERT_FULL, */
    STOCKCERT_UNAVAILABLE,             /* another error; neither issued */
    STOCKCERT_GIVEN_UP                 /* issued, or not */
} stockcert_status_e;


typedef struct {
    stockcert_status_e  status;
    uint64_t            remaining;     /* shares, where INSUFFICIENT */
    uint64_t            position;      /* of the entry; this and what follows
                                          are set where ISSUED */
    uint64_t            number;
    uint64_t            time;
    uint8_t             seal[STOCKCERT_SEAL_LEN];
    int                 replayed;      /* it was issued before, by its key, */
    uint64_t            transaction;   /* and surrendered by this one, or 0: */
    uint64_t            surrendered;   /* then, */
    int                 cancelled;     /* and nothing came of it */
} stockcert_outcome_t;


/* what became of an order */

typedef struct {
    stockcert_status_e  status;
    uint64_t            transaction;   /* its number where ISSUED; of the one that
                                          did it where NOT_OUTSTANDING */
    int                 replayed;      /* it was entered before, by its key */
    size_t              at;            /* in "from": where NEVER_ISSUED or
                                          NOT_OUTSTANDING */
    const char         *member;        /* where INVALID: of the order, or NULL, */
    char                detail[256];   /* and what it must be, or what is wrong */
} stockcert_transacted_t;


/* a grant and what became of it */

typedef struct {
    stockcert_grant_t    grant;
    uint64_t             time;         /* when it was filled in: nanoseconds of
                                          the monotonic clock */
    stockcert_outcome_t  outcome;
} stockcert_slot_t;


#endif /* STOCKCERT_RECORD_H */
