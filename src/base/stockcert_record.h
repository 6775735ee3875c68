
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
 * the entry that issued it, and the one that cancelled it: position 0 if none
 */

typedef struct {
    stockcert_entry_t   issued;
    stockcert_entry_t   cancelled;
} stockcert_certificate_t;


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
    STOCKCERT_NO_ROOM,                 /* STOCKCERT_FULL: not issued */
    STOCKCERT_UNAVAILABLE,             /* another error: not issued */
    STOCKCERT_GIVEN_UP                 /* it may or may not be issued */
} stockcert_status_e;


typedef struct {
    stockcert_status_e  status;
    uint64_t            remaining;     /* shares, where INSUFFICIENT */
    uint64_t            position;      /* of the entry; this and what follows
                                          are set where ISSUED */
    uint64_t            number;
    uint64_t            time;
    uint8_t             seal[STOCKCERT_SEAL_LEN];
    int                 replayed;      /* issued before, for the same key */
} stockcert_outcome_t;


/* a grant and what became of it */

typedef struct {
    stockcert_grant_t    grant;
    stockcert_outcome_t  outcome;
} stockcert_slot_t;


#endif /* STOCKCERT_RECORD_H */
