
/*
 * What the files of stockcert_verify.h share. stockcert_verify.c checks the
 * file as a whole, stockcert_verify_replay.c replays the entries,
 * stockcert_verify_group.c those of transactions, stockcert_verify_holder.c
 * tells who has a certificate, stockcert_verify_run.c and
 * stockcert_verify_request.c check the idempotency keys.  All read entries with stockcert_verify_entry.c.
 */


#ifndef STOCKCERT_VERIFY_INT_H
#define STOCKCERT_VERIFY_INT_H


#include <openssl/evp.h>

#include "stockcert_verify.h"


#define STOCKCERT_VERIFY_CLASSES  64
#define STOCKCERT_VERIFY_LOT      256
#define STOCKCERT_VERIFY_ITEM     16       /* bytes: of a hash 8, a position */
#define STOCKCERT_VERIFY_PARTS    1024     /* of "request" */
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
    uint64_t           surrendered;   /* by no entry yet */
    stockcert_tree_t   certificates;
} stockcert_verify_class_t;


/* who has a certificate; the strings are in the map */

typedef struct {
    stockcert_str_t    name;
    stockcert_str_t    id;
    stockcert_str_t    address;
    stockcert_str_t    capacity;
} stockcert_verify_holder_t;


/* the entries of a transaction so far; first.position is 0 if none is open */

typedef struct {
    stockcert_entry_t                first;
    uint64_t                         member;       /* of the last one */
    uint64_t                         surrendered;  /* shares */
    uint64_t                         issued;
    uint64_t                         balance;      /* 1: there is one */
    const stockcert_verify_class_t  *class;
    stockcert_verify_holder_t        holder;       /* of the last surrendered */
} stockcert_verify_group_t;


/* a run of "request": what is left of its items */

typedef struct {
    size_t             part;               /* from 1 on, or 0: of none */
    uint64_t           oldest;
    const uint8_t     *filter;             /* of a part's; until item */
    const uint8_t     *item;
    const uint8_t     *end;
} stockcert_verify_run_t;


/* a set of items: stockcert_verify_gather() */

typedef struct {
    uint64_t           n;
    uint64_t           product;
} stockcert_verify_set_t;


typedef struct {
    stockcert_mdb_t           *mdb;
    stockcert_verified_t      *verified;

    stockcert_tree_t           meta;
    stockcert_tree_t           journal;
    stockcert_tree_t           class;
    stockcert_tree_t           request;
    stockcert_tree_t           holder;
    stockcert_tree_t           transaction;
    stockcert_tree_t           amendment;
    uint64_t                   amendments;

    size_t                     nclasses;
    stockcert_verify_class_t   classes[STOCKCERT_VERIFY_CLASSES];

    size_t                     nruns;
    size_t                     nwhole;     /* of no part: they are the first */
    stockcert_verify_run_t    *runs;
    uint64_t                   drawn[5];   /* at random */
    stockcert_verify_set_t     items;      /* of "request" */
    stockcert_verify_set_t     keys;       /* of the posted entries */

    stockcert_verify_group_t   group;

    EVP_MD                    *md;
    EVP_MD_CTX                *ctx;

    uint64_t                   position;
    uint64_t                   posted;     /* that all else is as of */
    uint64_t                   time;
    uint64_t                   holders;    /* entries that changed one */
    uint8_t                    seal[STOCKCERT_SEAL_LEN];

    size_t                     nlate;      /* keys behind "posted" */
    uint8_t                    late[STOCKCERT_VERIFY_LOT]
                                   [STOCKCERT_VERIFY_ITEM];
} stockcert_verify_t;


/*
 * Reads the entry at a position, and its bytes up to the seal, unless sealed is
 * NULL; returns -1 with a fault if there is none.
 */

int stockcert_verify_entry(stockcert_verify_t *v, uint64_t position,
    stockcert_entry_t *entry, stockcert_bytes_t *sealed);

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

/*
 * Groups.  stockcert_verify_group_member() checks whether an entry may have
 * its place in a group, or in none, and begins one.
 * stockcert_verify_group_surrendered() and stockcert_verify_group_issued()
 * check a member, with the entry that issued what is surrendered, and
 * stockcert_verify_group_end() what the members are together, after the last
 * one.  stockcert_verify_group_whole() checks that no group is open, after all
 * entries.
 */

int stockcert_verify_group_member(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry);
int stockcert_verify_group_surrendered(stockcert_verify_t *v,
    const stockcert_entry_t *entry, const stockcert_entry_t *issued);
int stockcert_verify_group_issued(stockcert_verify_t *v,
    const stockcert_entry_t *entry);
int stockcert_verify_group_end(stockcert_verify_t *v);
int stockcert_verify_group_whole(stockcert_verify_t *v);

/*
 * Holders.  stockcert_verify_holder() tells who has the certificate of an
 * entry that issued it, before the one that is replayed.
 * stockcert_verify_holder_changed() checks that one, which changes who that
 * is.  stockcert_verify_holder_same() is 1 if two are the same holder.
 */

int stockcert_verify_holder(stockcert_verify_t *v,
    const stockcert_entry_t *issued, stockcert_verify_holder_t *holder);
int stockcert_verify_holder_changed(stockcert_verify_t *v,
    const stockcert_entry_t *entry, const stockcert_entry_t *issued);
int stockcert_verify_holder_same(const stockcert_verify_holder_t *one,
    const stockcert_verify_holder_t *two);

/*
 * Runs of "request".  stockcert_verify_visit_request() notes them as it is
 * walked, those of no part first, with stockcert_verify_add_run().
 * stockcert_verify_runs() checks them by themselves, before the first entry, and
 * begins the sets.  stockcert_verify_gather() adds an item to one.
 * stockcert_verify_part() tells to which part a hash belongs, from 0 on.
 */

int stockcert_verify_visit_request(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree);
int stockcert_verify_add_run(stockcert_verify_t *v,
    const stockcert_verify_run_t *run);
int stockcert_verify_runs(stockcert_verify_t *v);
void stockcert_verify_gather(const stockcert_verify_t *v,
    stockcert_verify_set_t *set, const uint8_t *item);
size_t stockcert_verify_part(const uint8_t *hash);

/*
 * Idempotency keys.  stockcert_verify_request() notes the key of the replayed
 * entry.  After the last posted entry, stockcert_verify_posted_keys() checks
 * that each has its item, and that there is no other.  After all entries,
 * stockcert_verify_requests() checks that no key is there twice.
 */

int stockcert_verify_request(stockcert_verify_t *v, const stockcert_str_t *key);
int stockcert_verify_posted_keys(stockcert_verify_t *v);
int stockcert_verify_requests(stockcert_verify_t *v);

/*
 * After the last posted entry: checks that the databases have just what is
 * posted.
 */

int stockcert_verify_classes(stockcert_verify_t *v);

int stockcert_verify_fault(stockcert_verify_t *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* STOCKCERT_VERIFY_INT_H */
