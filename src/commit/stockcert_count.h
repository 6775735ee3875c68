
/*
 * What is counted of a ledger, for all processes of this machine that share it.
 * It is in memory that they share, zeroed at first, and outlives them all and
 * their lanes.
 *
 * Who writes:
 *
 *     the holder of the ledger's lock    plain stores, all but what follows
 *     any process                        "failures" to "rows", atomically
 *
 * Nobody who reads waits for a lock.
 *
 * A certificate is counted once, and only if it was settled as issued.  The
 * tally, which has these counts, is written anew for each batch, and one store
 * puts it in the place of the one before, ahead of the first lane that is
 * settled.  "counted" in it is the position of the last entry of a lane that it
 * has.  A leader that dies before that store has settled nothing, and who
 * recovers its batch counts it; of one that dies after it, the batch is settled
 * again, and its entries are not above "counted".
 *
 * What may be off by one batch, or one transaction, for each process that was
 * killed in a commit: what is counted besides; a transaction, with its
 * certificates, that was entered just then; and, while there are two sets of
 * lanes, as during a reload, the certificates of that batch.  Grants that were
 * given up are not counted as issued, although some may be.
 */


#ifndef STOCKCERT_COUNT_H
#define STOCKCERT_COUNT_H


#include <stdatomic.h>

#include "stockcert_ledger.h"


#define STOCKCERT_CACHE_LINE    64

#define STOCKCERT_BUCKETS       16     /* of a histogram, at most */
#define STOCKCERT_COUNT_ERRORS  31     /* kinds of answers that refuse */
#define STOCKCERT_COUNT_ROWS    16     /* for processes that answer at once */


/* how many there are up to each bound, above the one before; the last are above
   all */

typedef struct {
    _Atomic uint64_t            n[STOCKCERT_BUCKETS + 1];
    _Atomic uint64_t            sum;
} stockcert_histogram_t;


/* bounds, in ascending order, of nanoseconds or of grants */

typedef struct {
    size_t                      n;
    uint64_t                    bounds[STOCKCERT_BUCKETS];
} stockcert_bounds_t;

extern const stockcert_bounds_t  stockcert_bounds_time;
extern const stockcert_bounds_t  stockcert_bounds_grants;


typedef struct {
    uint64_t                    counted;       /* position of an entry */
    uint64_t                    transactions[STOCKCERT_TRANSACTION_END];
    uint64_t                    issued[STOCKCERT_CLASSES_MAX];
} stockcert_tally_t;


/* a class that has certificates in the tally */

typedef struct {
    char                        code[STOCKCERT_CODE_MAX];
    uint8_t                     len;
} stockcert_counted_class_t;


typedef struct {

    /* of the holder of the ledger's lock; tallies[tally % 2] is whole */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            tally;
    stockcert_tally_t           tallies[2];

    _Atomic size_t              nclasses;
    stockcert_counted_class_t   classes[STOCKCERT_CLASSES_MAX];

    uint64_t                    before;        /* "tally", when the lock was
                                                  taken */
    _Atomic uint64_t            began;         /* a commit is under way since
                                                  then, or 0, */
    _Atomic int64_t             holder;        /* by this process */

    _Atomic uint64_t            commits;
    stockcert_histogram_t       commit;        /* nanoseconds, with the lock */
    stockcert_histogram_t       wait;          /* until a grant was settled */
    stockcert_histogram_t       batch;         /* grants */

    _Atomic uint64_t            appends;       /* as stockcert_appends_t */
    _Atomic uint64_t            conflicts;
    _Atomic uint64_t            timeouts;

    /* of any process */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            failures;
    _Atomic uint64_t            failed;        /* when the last commit did, or 0
                                                  if one was done since, */
    _Atomic uint32_t            reason;        /* and its stockcert_rc_e */

    struct {
        _Alignas(STOCKCERT_CACHE_LINE)
        _Atomic uint64_t        refused[STOCKCERT_COUNT_ERRORS];
        _Atomic uint64_t        replays;
    } rows[STOCKCERT_COUNT_ROWS];
} stockcert_counts_t;


/* the tally that is next, while it is written */

typedef struct {
    stockcert_counts_t         *counts;        /* or NULL: nothing is */
    stockcert_tally_t          *tally;
    uint64_t                    n;             /* certificates that are new */
    size_t                      class;         /* the last one's */
} stockcert_count_t;


/*
 * The holder of the ledger's lock.  counts may be NULL: then nothing is done.
 *
 * stockcert_count_begin() comes as soon as it has the lock, and
 * stockcert_count_end() just before it lets that go: rc is what became of it,
 * and so many grants were settled by it.
 */

void stockcert_count_begin(stockcert_counts_t *counts);
void stockcert_count_end(stockcert_counts_t *counts,
    stockcert_ledger_t *ledger, stockcert_rc_e rc, uint64_t grants);

/*
 * Certificates: stockcert_count_slots() adds those of n slots, which are final,
 * between stockcert_count_open() and stockcert_count_close(), after which they
 * may be settled.
 */

void stockcert_count_open(stockcert_count_t *count, stockcert_counts_t *counts);
void stockcert_count_slots(stockcert_count_t *count,
    const stockcert_slot_t *slots, size_t n);
void stockcert_count_close(stockcert_count_t *count);

/* A transaction that was entered, and issued n certificates of a class. */

void stockcert_count_transaction(stockcert_counts_t *counts, uint64_t type,
    const char *code, size_t len, uint64_t n);

/* How long n slots waited that are settled now. */

void stockcert_count_waits(stockcert_counts_t *counts,
    const stockcert_slot_t *slots, size_t n);


/* Any process. */

/* A commit failed, or the lock was not to be had. */

void stockcert_count_failed(stockcert_counts_t *counts, stockcert_rc_e rc);

/* An answer that refuses, of a kind below COUNT_ERRORS; one that replays. */

void stockcert_count_refused(stockcert_counts_t *counts, size_t row,
    size_t kind);
void stockcert_count_replay(stockcert_counts_t *counts, size_t row);

/* Sums of what processes have counted so. */

uint64_t stockcert_counted_refused(const stockcert_counts_t *counts,
    size_t kind);
uint64_t stockcert_counted_replays(const stockcert_counts_t *counts);

/* The tally, all of one moment. */

void stockcert_counted_tally(const stockcert_counts_t *counts,
    stockcert_tally_t *tally);

/* Certificates of a class in it. */

uint64_t stockcert_counted_issued(const stockcert_counts_t *counts,
    const stockcert_tally_t *tally, const char *code, size_t len);


#endif /* STOCKCERT_COUNT_H */
