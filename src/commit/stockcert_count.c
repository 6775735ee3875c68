
/*
 * Counts what becomes of grants and transactions, in memory that processes
 * share.
 *
 * It touches that memory, and reads slots.
 */


#include <string.h>
#include <unistd.h>

#include "stockcert_lanes.h"


#define STOCKCERT_MS  UINT64_C(1000000)        /* nanoseconds */


const stockcert_bounds_t  stockcert_bounds_time = {
    16,
    { STOCKCERT_MS / 10, STOCKCERT_MS / 4, STOCKCERT_MS / 2, STOCKCERT_MS,
      5 * STOCKCERT_MS / 2, 5 * STOCKCERT_MS, 10 * STOCKCERT_MS,
      25 * STOCKCERT_MS, 50 * STOCKCERT_MS, 100 * STOCKCERT_MS,
      250 * STOCKCERT_MS, 500 * STOCKCERT_MS, 1000 * STOCKCERT_MS,
      2500 * STOCKCERT_MS, 5000 * STOCKCERT_MS, 10000 * STOCKCERT_MS }
};

const stockcert_bounds_t  stockcert_bounds_grants = {
    11,
    { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024 }
};


static void stockcert_count_add(_Atomic uint64_t *count, uint64_t n);
static void stockcert_count_value(stockcert_histogram_t *histogram,
    const stockcert_bounds_t *bounds, uint64_t value);
static void stockcert_count_issued(stockcert_count_t *count, const char *code,
    size_t len, uint64_t n);
static size_t stockcert_count_class(const stockcert_counts_t *counts,
    size_t first, const char *code, size_t len);


/* by the only one who writes it now */

static void
stockcert_count_add(_Atomic uint64_t *count, uint64_t n)
{
    atomic_store_explicit(count,
                          atomic_load_explicit(count, memory_order_relaxed) + n,
                          memory_order_relaxed);
}


static void
stockcert_count_value(stockcert_histogram_t *histogram,
    const stockcert_bounds_t *bounds, uint64_t value)
{
    size_t  i;

    for (i = 0; i < bounds->n && value > bounds->bounds[i]; i++) {
        /* void */
    }

    stockcert_count_add(&histogram->n[i], 1);
    stockcert_count_add(&histogram->sum, value);
}


void
stockcert_count_begin(stockcert_counts_t *counts)
{
    if (counts == NULL) {
        return;
    }

    counts->before = atomic_load(&counts->tally);

    atomic_store(&counts->holder, getpid());
    atomic_store(&counts->began, stockcert_monotonic());
}


void
stockcert_count_end(stockcert_counts_t *counts, stockcert_ledger_t *ledger,
    stockcert_rc_e rc, uint64_t grants)
{
    unsigned             entered, reason;
    uint64_t             began;
    stockcert_appends_t  appends;

    if (counts == NULL) {
        return;
    }

    began = atomic_load(&counts->began);
    atomic_store(&counts->began, 0);

    stockcert_ledger_take_appends(ledger, &appends);
    stockcert_count_add(&counts->appends, appends.done);
    stockcert_count_add(&counts->conflicts, appends.lost);
    stockcert_count_add(&counts->timeouts, appends.unanswered);

    if (rc != STOCKCERT_OK && rc != STOCKCERT_REFUSED
        && rc != STOCKCERT_NOT_FOUND)
    {
        stockcert_count_failed(counts, rc);
        return;
    }

    entered = atomic_load(&counts->tally) != counts->before;

    if (grants || entered) {
        stockcert_count_add(&counts->commits, 1);
        stockcert_count_value(&counts->commit, &stockcert_bounds_time,
                              stockcert_monotonic() - began);
    }

    if (grants) {
        stockcert_count_value(&counts->batch, &stockcert_bounds_grants, grants);
    }

    /* what only refuses or confirms shows that etcd answers, not the disk */

    reason = atomic_load(&counts->reason);

    if (entered
        || (stockcert_ledger_guard(ledger)
            && (reason == STOCKCERT_UNREACHED
                || reason == STOCKCERT_DIVERGED)))
    {
        atomic_store(&counts->failed, 0);
    }
}


void
stockcert_count_failed(stockcert_counts_t *counts, stockcert_rc_e rc)
{
    if (counts) {
        atomic_fetch_add(&counts->failures, 1);
        atomic_store(&counts->reason, rc);
        atomic_store(&counts->failed, stockcert_monotonic());
    }
}


/* what is beside the classes that are there may be left of a dead process */

void
stockcert_count_open(stockcert_count_t *count, stockcert_counts_t *counts)
{
    uint64_t                  n;
    const stockcert_tally_t  *tally;

    count->counts = counts;

    if (counts == NULL) {
        return;
    }

    n = atomic_load(&counts->tally);
    tally = &counts->tallies[n % 2];

    count->tally = &counts->tallies[(n + 1) % 2];
    count->n = 0;
    count->class = 0;

    memcpy(count->tally, tally,
           offsetof(stockcert_tally_t, issued)
           + atomic_load(&counts->nclasses) * sizeof(tally->issued[0]));
}


void
stockcert_count_slots(stockcert_count_t *count, const stockcert_slot_t *slots,
    size_t n)
{
    size_t                      i;
    uint64_t                    last;
    const stockcert_outcome_t  *outcome;

    if (count->counts == NULL) {
        return;
    }

    last = count->counts->tallies[atomic_load(&count->counts->tally) % 2]
               .counted;

    for (i = 0; i < n; i++) {
        outcome = &slots[i].outcome;

        if (outcome->status != STOCKCERT_ISSUED || outcome->replayed
            || outcome->position <= last)
        {
            continue;
        }

        if (count->tally->counted < outcome->position) {
            count->tally->counted = outcome->position;
        }

        stockcert_count_issued(count, slots[i].grant.code,
                               slots[i].grant.code_len, 1);
    }
}


void
stockcert_count_close(stockcert_count_t *count)
{
    if (count->counts && count->n) {
        atomic_store(&count->counts->tally,
                     atomic_load(&count->counts->tally) + 1);
    }
}


static void
stockcert_count_issued(stockcert_count_t *count, const char *code, size_t len,
    uint64_t n)
{
    size_t                      i;
    stockcert_counts_t         *counts;
    stockcert_counted_class_t  *class;

    counts = count->counts;
    i = stockcert_count_class(counts, count->class, code, len);

    /* a ledger has no more classes than there is room for */

    if (i == STOCKCERT_CLASSES_MAX) {
        return;
    }

    if (i == atomic_load_explicit(&counts->nclasses, memory_order_relaxed)) {
        class = &counts->classes[i];

        memcpy(class->code, code, len);
        class->len = (uint8_t) len;

        counts->tallies[0].issued[i] = 0;
        counts->tallies[1].issued[i] = 0;

        atomic_store(&counts->nclasses, i + 1);
    }

    count->class = i;
    count->tally->issued[i] += n;
    count->n += n;
}


/* where a class is, or would be; looks at the first one first */

static size_t
stockcert_count_class(const stockcert_counts_t *counts, size_t first,
    const char *code, size_t len)
{
    size_t                            i, k, n;
    const stockcert_counted_class_t  *class;

    n = atomic_load(&counts->nclasses);

    for (i = 0; i < n; i++) {
        k = first + i < n ? first + i : first + i - n;
        class = &counts->classes[k];

        if (class->len == len && memcmp(class->code, code, len) == 0) {
            return k;
        }
    }

    return n;
}


void
stockcert_count_transaction(stockcert_counts_t *counts, uint64_t type,
    const char *code, size_t len, uint64_t n)
{
    stockcert_count_t  count;

    stockcert_count_open(&count, counts);

    if (counts == NULL) {
        return;
    }

    stockcert_count_issued(&count, code, len, n);

    count.tally->transactions[type]++;
    count.n++;

    stockcert_count_close(&count);
}


void
stockcert_count_waits(stockcert_counts_t *counts,
    const stockcert_slot_t *slots, size_t n)
{
    size_t    i;
    uint64_t  now;

    if (counts == NULL) {
        return;
    }

    now = stockcert_monotonic();

    for (i = 0; i < n; i++) {
        stockcert_count_value(&counts->wait, &stockcert_bounds_time,
                              now - slots[i].time);
    }
}


void
stockcert_count_refused(stockcert_counts_t *counts, size_t row, size_t kind)
{
    atomic_fetch_add_explicit(&counts->rows[row % STOCKCERT_COUNT_ROWS]
                                   .refused[kind],
                              1, memory_order_relaxed);
}


void
stockcert_count_replay(stockcert_counts_t *counts, size_t row)
{
    atomic_fetch_add_explicit(&counts->rows[row % STOCKCERT_COUNT_ROWS].replays,
                              1, memory_order_relaxed);
}


uint64_t
stockcert_counted_refused(const stockcert_counts_t *counts, size_t kind)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < STOCKCERT_COUNT_ROWS; i++) {
        n += atomic_load(&counts->rows[i].refused[kind]);
    }

    return n;
}


uint64_t
stockcert_counted_replays(const stockcert_counts_t *counts)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < STOCKCERT_COUNT_ROWS; i++) {
        n += atomic_load(&counts->rows[i].replays);
    }

    return n;
}


void
stockcert_counted_tally(const stockcert_counts_t *counts,
    stockcert_tally_t *tally)
{
    uint64_t  n;

    /* it only repeats after another commit */

    do {
        n = atomic_load(&counts->tally);
        *tally = counts->tallies[n % 2];
        atomic_thread_fence(memory_order_acquire);
    } while (atomic_load(&counts->tally) != n);
}


uint64_t
stockcert_counted_issued(const stockcert_counts_t *counts,
    const stockcert_tally_t *tally, const char *code, size_t len)
{
    size_t  i;

    i = stockcert_count_class(counts, 0, code, len);

    return i < atomic_load(&counts->nclasses) ? tally->issued[i] : 0;
}
