
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "stockcert_lanes.h"


static void stockcert_lane_copy(stockcert_grant_t *to,
    const stockcert_grant_t *from);
static stockcert_rc_e stockcert_lanes_recover(stockcert_lanes_t *lanes,
    stockcert_ledger_t *ledger, stockcert_rc_e refuse, stockcert_wake_pt wake,
    void *data, stockcert_error_t *error);
static stockcert_rc_e stockcert_lane_is_committed(stockcert_lane_t *lane,
    stockcert_ledger_t *ledger, uint64_t noted, stockcert_error_t *error);
static stockcert_rc_e stockcert_lanes_issue(stockcert_lanes_t *lanes,
    stockcert_ledger_t *ledger, uint64_t *ends, stockcert_wake_pt wake,
    void *data, stockcert_error_t *error);
static stockcert_rc_e stockcert_lane_issue(stockcert_lane_t *lane,
    stockcert_ledger_t *ledger, uint64_t end, stockcert_error_t *error);
static uint64_t stockcert_lane_refuse(stockcert_lane_t *lane, uint64_t end,
    stockcert_rc_e rc);
static uint64_t stockcert_lane_settle(stockcert_lane_t *lane, uint64_t end);


size_t
stockcert_lanes_size(size_t n)
{
    return sizeof(stockcert_lanes_t) + n * sizeof(stockcert_lane_t);
}


void
stockcert_lanes_init(stockcert_lanes_t *lanes, size_t n)
{
    lanes->nlanes = n;
}


int
stockcert_lane_fill(stockcert_lanes_t *lanes, stockcert_lane_t *lane,
    uint64_t answered, const stockcert_grant_t *grant)
{
    uint32_t           came;
    uint64_t           filled, used;
    stockcert_slot_t  *slot;

    filled = atomic_load_explicit(&lane->filled, memory_order_relaxed);
    used = atomic_load_explicit(&lane->settled, memory_order_acquire);

    if (answered < used) {
        used = answered;
    }

    if (filled - used == STOCKCERT_LANE_SLOTS) {
        return -1;
    }

    slot = stockcert_lane_slot(lane, filled);

    stockcert_lane_copy(&slot->grant, grant);
    slot->outcome.status = STOCKCERT_WAITING;

    /* before it looks for a leader: see "Who leads" */

    atomic_store(&lane->filled, filled + 1);

    came = atomic_fetch_add(&lanes->came, 1) + 1;

    if (came == atomic_load(&lanes->wanted)) {
        (void) syscall(SYS_futex, &lanes->came, FUTEX_WAKE, 1, NULL, NULL, 0);
    }

    return 0;
}


/* what is behind a name or a key need not go through the processors' caches */

static void
stockcert_lane_copy(stockcert_grant_t *to, const stockcert_grant_t *from)
{
    memcpy(to, from, offsetof(stockcert_grant_t, name) + from->name_len);
    memcpy(to->key, from->key, from->key_len);
}


stockcert_slot_t *
stockcert_lane_slot(stockcert_lane_t *lane, uint64_t position)
{
    return &lane->slots[position % STOCKCERT_LANE_SLOTS];
}


uint64_t
stockcert_lane_filled(const stockcert_lane_t *lane)
{
    return atomic_load(&lane->filled);
}


uint64_t
stockcert_lane_settled(const stockcert_lane_t *lane)
{
    return atomic_load_explicit(&lane->settled, memory_order_acquire);
}


int
stockcert_lane_waiting(const stockcert_lane_t *lane)
{
    return atomic_load(&lane->settled) != atomic_load(&lane->filled);
}


int
stockcert_lanes_lead(stockcert_lanes_t *lanes)
{
    int64_t  nobody;

    nobody = 0;

    if (atomic_load(&lanes->leader) != nobody) {
        return 0;
    }

    return atomic_compare_exchange_strong(&lanes->leader, &nobody, getpid());
}


int
stockcert_lanes_take_over(stockcert_lanes_t *lanes, int force)
{
    int64_t  leader;

    leader = atomic_load(&lanes->leader);

    if (leader != 0 && !force
        && !(kill((pid_t) leader, 0) == -1 && errno == ESRCH))
    {
        return 0;
    }

    return atomic_compare_exchange_strong(&lanes->leader, &leader, getpid());
}


void
stockcert_lanes_resign(stockcert_lanes_t *lanes)
{
    int64_t  me;

    /* somebody may have taken over */

    me = getpid();

    (void) atomic_compare_exchange_strong(&lanes->leader, &me, 0);
}


int
stockcert_lanes_waiting(stockcert_lanes_t *lanes)
{
    size_t  i;

    for (i = 0; i < lanes->nlanes; i++) {
        if (stockcert_lane_waiting(&lanes->lanes[i])) {
            return 1;
        }
    }

    return 0;
}


stockcert_rc_e
stockcert_lanes_commit(stockcert_lanes_t *lanes, stockcert_ledger_t *ledger,
    stockcert_rc_e refuse, stockcert_wake_pt wake, void *data,
    stockcert_pace_t *pace, stockcert_error_t *error)
{
    size_t          i;
    uint64_t        ends[STOCKCERT_LANES_MAX], start, n;
    stockcert_rc_e  rc;

    start = stockcert_pace_clock();
    pace->grants = 0;

    rc = stockcert_ledger_begin(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_lanes_recover(lanes, ledger, refuse, wake, data, error);
    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    rc = stockcert_lanes_issue(lanes, ledger, ends, wake, data, error);
    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    rc = stockcert_ledger_commit(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    for (i = 0; i < lanes->nlanes; i++) {
        n = stockcert_lane_settle(&lanes->lanes[i], ends[i]);

        if (n) {
            pace->grants += n;
            wake(data, i);
        }
    }

    pace->duration = stockcert_pace_clock() - start;

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_lanes_recover(stockcert_lanes_t *lanes, stockcert_ledger_t *ledger,
    stockcert_rc_e refuse, stockcert_wake_pt wake, void *data,
    stockcert_error_t *error)
{
    int                flushed;
    size_t             i;
    uint64_t           noted, settled;
    stockcert_rc_e     rc;
    stockcert_lane_t  *lane;

    flushed = 0;

    for (i = 0; i < lanes->nlanes; i++) {
        lane = &lanes->lanes[i];

        noted = atomic_load_explicit(&lane->noted, memory_order_acquire);

        if (noted <= atomic_load(&lane->settled)) {
            continue;
        }

        /* what is read below must not be undone by a power cut */

        if (!flushed) {
            rc = stockcert_ledger_flush(ledger, error);
            if (rc != STOCKCERT_OK) {
                return rc;
            }

            flushed = 1;
        }

        rc = stockcert_lane_is_committed(lane, ledger, noted, error);

        switch (rc) {

        case STOCKCERT_OK:
            settled = stockcert_lane_settle(lane, noted);
            break;

        case STOCKCERT_NOT_FOUND:
            settled = refuse ? stockcert_lane_refuse(lane, noted, refuse) : 0;

            /* the outcomes are written again: until they are, none stands */

            atomic_store(&lane->noted, atomic_load(&lane->settled));
            break;

        default:
            return rc;
        }

        if (settled) {
            wake(data, i);
        }
    }

    return STOCKCERT_OK;
}


/*
 * A transaction is all or nothing, so one certificate that is of it tells.  If
 * there is none, all were refused or replayed, and may be asked again.
 */

static stockcert_rc_e
stockcert_lane_is_committed(stockcert_lane_t *lane, stockcert_ledger_t *ledger,
    uint64_t noted, stockcert_error_t *error)
{
    uint64_t              position;
    stockcert_outcome_t  *outcome;

    for (position = atomic_load(&lane->settled); position < noted; position++) {
        outcome = &stockcert_lane_slot(lane, position)->outcome;

        if (outcome->status == STOCKCERT_ISSUED && !outcome->replayed) {
            return stockcert_ledger_has(ledger, outcome, error);
        }
    }

    return STOCKCERT_NOT_FOUND;
}


/* fills in up to where it took each lane */

static stockcert_rc_e
stockcert_lanes_issue(stockcert_lanes_t *lanes, stockcert_ledger_t *ledger,
    uint64_t *ends, stockcert_wake_pt wake, void *data,
    stockcert_error_t *error)
{
    size_t             i, taken;
    stockcert_rc_e     rc;
    stockcert_lane_t  *lane;

    rc = STOCKCERT_OK;

    for (taken = 0; taken < lanes->nlanes && rc == STOCKCERT_OK; taken++) {
        lane = &lanes->lanes[taken];

        ends[taken] = atomic_load_explicit(&lane->filled,
                                           memory_order_acquire);

        rc = stockcert_lane_issue(lane, ledger, ends[taken], error);
    }

    if (rc == STOCKCERT_OK) {
        return STOCKCERT_OK;
    }

    /* nothing of it will be in the ledger */

    for (i = 0; i < taken; i++) {
        if (stockcert_lane_refuse(&lanes->lanes[i], ends[i], rc)) {
            wake(data, i);
        }
    }

    return rc;
}


static stockcert_rc_e
stockcert_lane_issue(stockcert_lane_t *lane, stockcert_ledger_t *ledger,
    uint64_t end, stockcert_error_t *error)
{
    size_t          n;
    uint64_t        position, start;
    stockcert_rc_e  rc;

    position = atomic_load(&lane->settled);

    while (position < end) {

        /* up to the end of the ring at a time */

        start = position % STOCKCERT_LANE_SLOTS;
        n = STOCKCERT_LANE_SLOTS - start;

        if (n > end - position) {
            n = end - position;
        }

        rc = stockcert_ledger_issue(ledger, &lane->slots[start], n, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        position += n;
    }

    atomic_store_explicit(&lane->noted, end, memory_order_release);

    return STOCKCERT_OK;
}


/* under the write lock; returns what _settle() does */

static uint64_t
stockcert_lane_refuse(stockcert_lane_t *lane, uint64_t end, stockcert_rc_e rc)
{
    uint64_t  position;

    for (position = atomic_load(&lane->settled); position < end; position++) {
        stockcert_lane_slot(lane, position)->outcome.status =
            (rc == STOCKCERT_FULL) ? STOCKCERT_NO_ROOM : STOCKCERT_UNAVAILABLE;
    }

    return stockcert_lane_settle(lane, end);
}


/*
 * Forward only: another leader may have been here since.  Returns the number of
 * slots that are settled by this.
 */

static uint64_t
stockcert_lane_settle(stockcert_lane_t *lane, uint64_t end)
{
    uint64_t  settled;

    settled = atomic_load(&lane->settled);

    while (settled < end) {
        if (atomic_compare_exchange_weak(&lane->settled, &settled, end)) {
            return end - settled;
        }
    }

    return 0;
}
