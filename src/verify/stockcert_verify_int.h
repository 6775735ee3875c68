
/*
 * What the files of stockcert_verify.h share. stockcert_verify.c checks the
 * file as a whole, stockcert_verify_replay.c replays the entries,
 * stockcert_verify_request.c checks the idempotency keys.  All three read
 * entries with stockcert_verify_entry.c.
 */


#ifndef STOCKCERT_VERIFY_INT_H
#define STOCKCERT_VERIFY_INT_H


#include <openssl/evp.h>

#include "stockcert_verify.h"


#define STOCKCERT_VERIFY_CLASSES  64
#define STOCKCERT_VERIFY_LOT      256
#define STOCKCERT_VERIFY_ITEM     16       /* bytes: of a hash 8, a position */
#define STOCKCERT_VERIFY_PREFIX   "certificate:"


typedef struct {
    unsigned           opened:1;
    size_t             code_len;
    size_t             title_len;
    char               code[STOCKCERT_CODE_MAX];
    char               title[STOCKCERT_TEXT_MAX];
    uint64_t           authorized;
    uint64_t           issued;
    uint64_t           last;
    uint64_t           cancelled;
    stockcert_tree_t   certificates;
} stockcert_verify_class_t;


/* a run of "request": what is left of its items */

typedef struct {
    uint64_t           oldest;
    const uint8_t     *item;
    const uint8_t     *end;
} stockcert_verify_run_t;


typedef struct {
    stockcert_mdb_t           *mdb;
    stockcert_verified_t      *verified;

    stockcert_tree_t           meta;
    stockcert_tree_t           journal;
    stockcert_tree_t           class;
    stockcert_tree_t           request;

    size_t                     nclasses;
    stockcert_verify_class_t   classes[STOCKCERT_VERIFY_CLASSES];

    size_t                     nruns;
    stockcert_verify_run_t    *runs;
    size_t                     run;        /* of the entry that is replayed */

    EVP_MD                    *md;
    EVP_MD_CTX                *ctx;

    uint64_t                   position;
    uint64_t                   posted;     /* that all else is as of */
    uint64_t                   time;
    uint64_t                   keys;       /* posted certificates that have one */
    uint64_t                   items;      /* of "request" */
    uint8_t                    seal[STOCKCERT_SEAL_LEN];

    size_t                     nlate;      /* keys behind "posted" */
    uint8_t                    late[STOCKCERT_VERIFY_LOT]
                                   [STOCKCERT_VERIFY_ITEM];
} stockcert_verify_t;


typedef struct {
    unsigned            kind;
    uint64_t            time;
    uint64_t            number;
    uint64_t            shares;
    stockcert_bytes_t   code;
    stockcert_bytes_t   text;
    stockcert_bytes_t   key;
    stockcert_bytes_t   sealed;        /* all but the seal */
    const uint8_t      *seal;
} stockcert_verify_entry_t;


/* Reads the entry at a position; returns -1 with a fault if there is none. */

int stockcert_verify_entry(stockcert_verify_t *v, uint64_t position,
    stockcert_verify_entry_t *entry);

/*
 * SHA-256 over one or two pieces of bytes (two may be NULL); returns -1 with a
 * fault if libcrypto failed.
 */

int stockcert_verify_hash(stockcert_verify_t *v, const stockcert_bytes_t *one,
    const stockcert_bytes_t *two, uint8_t *hash);

/* Finds the last posted entry. */

int stockcert_verify_posted(stockcert_verify_t *v);

/* Checks the next entry, and what the databases have of it. */

int stockcert_verify_next(stockcert_verify_t *v);

/* Checks the runs of "request" by themselves, before the first entry. */

int stockcert_verify_runs(stockcert_verify_t *v);

/*
 * Looks for the key of the replayed certificate if it is posted.  Otherwise
 * keeps the key for stockcert_verify_requests().
 */

int stockcert_verify_request(stockcert_verify_t *v,
    const stockcert_bytes_t *key);

/*
 * After the last posted entry: checks that the databases have just what is
 * posted.
 */

int stockcert_verify_classes(stockcert_verify_t *v);

/* After all entries: checks that no key is there twice. */

int stockcert_verify_requests(stockcert_verify_t *v);

/* Notes the runs of "request", as it is walked. */

int stockcert_verify_visit_request(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree);

int stockcert_verify_fault(stockcert_verify_t *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* STOCKCERT_VERIFY_INT_H */
