
/*
 * The commit of a batch by the leader.  docs/ARCHITECTURE.md has its eight
 * steps, and why each is safe.
 *
 * It runs on the leader's thread.  It touches slots, "noted" and "settled"
 * only while it holds the ledger's lock.
 */


#include <assert.h>

#include "stockcert_turn.h"


static void stockcert_lanes_begin(stockcert_leader_t *leader);
static stockcert_rc_e stockcert_lanes_batch(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static int stockcert_lane_is_noted(const stockcert_lane_t *lane);
static void stockcert_lane_note(stockcert_lane_t *lane);
static void stockcert_lane_unnote(stockcert_lane_t *lane);
static stockcert_rc_e stockcert_lanes_issue_all(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static stockcert_rc_e stockcert_lanes_recover(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static stockcert_rc_e stockcert_lane_is_committed(stockcert_lane_t *lane,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static stockcert_rc_e stockcert_lanes_issue(stockcert_lanes_t *lanes,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static void stockcert_lanes_refuse(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_rc_e rc);
static void stockcert_lanes_refuse_new(stockcert_leader_t *leader,
    stockcert_rc_e rc);
static void stockcert_lane_refuse(stockcert_lane_t *lane,
    stockcert_ledger_t *ledger, stockcert_rc_e rc);
static size_t stockcert_lane_run(const stockcert_lane_t *lane,
    uint64_t position, stockcert_slot_t **slots);
static uint64_t stockcert_lanes_settle(stockcert_leader_t *leader);
static uint64_t stockcert_lane_settle(stockcert_leader_t *leader, size_t i);


stockcert_rc_e
stockcert_lanes_commit(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    uint64_t            start;
    stockcert_rc_e      rc;
    stockcert_lanes_t  *lanes;

    lanes = leader->lanes;

    start = stockcert_pace_clock();
    leader->pace.grants = 0;
    leader->given_up = 0;

    stockcert_turn_give(lanes);

    rc = stockcert_ledger_lock(ledger, error);

    if (rc == STOCKCERT_OK) {
        stockcert_lanes_begin(leader);

        rc = stockcert_lanes_batch(leader, ledger, error);

        lanes->deaths = 0;
        atomic_store(&lanes->busy, 0);

        stockcert_ledger_unlock(ledger);
    }

    leader->rc = rc;
    leader->pace.duration = stockcert_pace_clock() - start;

    return rc;
}


/*
 * If leaders died before they noted anything, the cause is the end of the
 * ledger, or a grant that waits.  So all that waits is given up.
 */

static void
stockcert_lanes_begin(stockcert_leader_t *leader)
{
    int                 noted;
    size_t              i;
    uint64_t            position;
    stockcert_lane_t   *lane;
    stockcert_lanes_t  *lanes;

    lanes = leader->lanes;

    if (!atomic_exchange(&lanes->busy, 1)
        || ++lanes->deaths < STOCKCERT_DEATHS)
    {
        return;
    }

    noted = 0;

    for (i = 0; i < lanes->nlanes; i++) {
        noted |= stockcert_lane_is_noted(&lanes->lanes[i]);
    }

    for (i = 0; i < lanes->nlanes; i++) {
        lane = &lanes->lanes[i];

        if (!noted) {
            stockcert_lane_note(lane);
        }

        for (position = atomic_load(&lane->settled);
             position < atomic_load(&lane->noted);
             position++)
        {
            stockcert_lane_slot(lane, position)->outcome.status =
                STOCKCERT_GIVEN_UP;
        }
    }

    leader->given_up = stockcert_lanes_settle(leader);
    lanes->given_up += leader->given_up;
    lanes->deaths = 0;
}


/* if the ledger is full, pages of dead readers may be freed */

static stockcert_rc_e
stockcert_lanes_batch(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    int                dead;
    size_t             i;
    stockcert_rc_e     rc;
    stockcert_tail_t   tail;
    stockcert_error_t  ignored;

    rc = stockcert_lanes_issue_all(leader, ledger, error);

    if (rc == STOCKCERT_FULL
        && stockcert_ledger_check_readers(ledger, &dead, &ignored)
           == STOCKCERT_OK
        && dead)
    {
        for (i = 0; i < leader->lanes->nlanes; i++) {
            stockcert_lane_unnote(&leader->lanes->lanes[i]);
        }

        rc = stockcert_lanes_issue_all(leader, ledger, error);
    }

    if (rc == STOCKCERT_FULL) {
        stockcert_lanes_refuse(leader, ledger, rc);

    } else if (rc == STOCKCERT_REPLACED) {
        stockcert_lanes_refuse_new(leader, rc);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_ledger_tail(ledger, &tail);
    stockcert_lanes_know(leader->lanes, &tail);

    leader->pace.grants = stockcert_lanes_settle(leader);

    return STOCKCERT_OK;
}


/* whether it is in this batch, or in one whose end nobody saw */

static int
stockcert_lane_is_noted(const stockcert_lane_t *lane)
{
    return atomic_load(&lane->noted) != atomic_load(&lane->settled);
}


static void
stockcert_lane_note(stockcert_lane_t *lane)
{
    atomic_store(&lane->noted,
                 atomic_load_explicit(&lane->filled, memory_order_acquire));
}


/* it waits again */

static void
stockcert_lane_unnote(stockcert_lane_t *lane)
{
    atomic_store(&lane->noted, atomic_load(&lane->settled));
}


/* after an error, what is noted may or may not be in the ledger */

static stockcert_rc_e
stockcert_lanes_issue_all(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_turn_begin(leader->lanes, ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_lanes_recover(leader, ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_lanes_issue(leader->lanes, ledger, error);
    }

    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    return stockcert_ledger_commit(ledger, error);
}


static stockcert_rc_e
stockcert_lanes_recover(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    int                flushed;
    size_t             i;
    stockcert_rc_e     rc;
    stockcert_lane_t  *lane;

    flushed = 0;

    for (i = 0; i < leader->lanes->nlanes; i++) {
        lane = &leader->lanes->lanes[i];

        if (!stockcert_lane_is_noted(lane)) {
            continue;
        }

        /* a power cut must not undo what is read below */

        if (!flushed) {
            rc = stockcert_ledger_flush(ledger, error);
            if (rc != STOCKCERT_OK) {
                return rc;
            }

            flushed = 1;
        }

        rc = stockcert_lane_is_committed(lane, ledger, error);

        switch (rc) {

        case STOCKCERT_OK:
            break;

        case STOCKCERT_NOT_FOUND:

            if (leader->rc != STOCKCERT_OK) {
                stockcert_lane_refuse(lane, ledger, leader->rc);
                break;
            }

            /* the outcomes are not valid; they will be written again */

            stockcert_lane_unnote(lane);
            break;

        default:
            return rc;
        }
    }

    (void) stockcert_lanes_settle(leader);

    return STOCKCERT_OK;
}


/*
 * A transaction is there whole or not at all, so one new certificate of it
 * tells.  If there is none, all were refused or replayed, and may be asked
 * again.
 */

static stockcert_rc_e
stockcert_lane_is_committed(stockcert_lane_t *lane, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    uint64_t              position;
    stockcert_outcome_t  *outcome;

    for (position = atomic_load(&lane->settled);
         position < atomic_load(&lane->noted);
         position++)
    {
        outcome = &stockcert_lane_slot(lane, position)->outcome;

        if (outcome->status == STOCKCERT_ISSUED && !outcome->replayed) {
            return stockcert_ledger_has(ledger, outcome->position,
                                        outcome->seal, error);
        }
    }

    return STOCKCERT_NOT_FOUND;
}


static stockcert_rc_e
stockcert_lanes_issue(stockcert_lanes_t *lanes, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    size_t             i, n;
    uint64_t           position;
    stockcert_rc_e     rc;
    stockcert_lane_t  *lane;
    stockcert_slot_t  *slots;

    for (i = 0; i < lanes->nlanes; i++) {
        lane = &lanes->lanes[i];

        stockcert_lane_note(lane);

        for (position = atomic_load(&lane->settled);
             (n = stockcert_lane_run(lane, position, &slots));
             position += n)
        {
            rc = stockcert_ledger_issue(ledger, slots, n, error);
            if (rc != STOCKCERT_OK) {
                return rc;
            }
        }
    }

    return STOCKCERT_OK;
}


/* the slots from a position to "noted", but at most to the end of the ring */

static size_t
stockcert_lane_run(const stockcert_lane_t *lane, uint64_t position,
    stockcert_slot_t **slots)
{
    size_t    n;
    uint64_t  start, left;

    start = position % STOCKCERT_LANE_SLOTS;
    left = atomic_load(&lane->noted) - position;
    n = STOCKCERT_LANE_SLOTS - start;

    *slots = (stockcert_slot_t *) &lane->slots[start];

    return n < left ? n : (size_t) left;
}


/* refuses what is noted, in a transaction of its own that changes nothing */

static void
stockcert_lanes_refuse(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_rc_e rc)
{
    size_t              i;
    stockcert_rc_e      begun;
    stockcert_error_t   ignored;
    stockcert_lanes_t  *lanes;

    lanes = leader->lanes;
    begun = stockcert_ledger_begin(ledger, &ignored);

    for (i = 0; i < lanes->nlanes; i++) {
        stockcert_lane_refuse(&lanes->lanes[i],
                              begun == STOCKCERT_OK ? ledger : NULL, rc);
    }

    if (begun == STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
    }

    (void) stockcert_lanes_settle(leader);
}


/* refuses what waits, when nothing may be written to the ledger */

static void
stockcert_lanes_refuse_new(stockcert_leader_t *leader, stockcert_rc_e rc)
{
    size_t             i;
    stockcert_lane_t  *lane;

    for (i = 0; i < leader->lanes->nlanes; i++) {
        lane = &leader->lanes->lanes[i];

        if (stockcert_lane_is_noted(lane)) {
            continue;
        }

        stockcert_lane_note(lane);
        stockcert_lane_refuse(lane, NULL, rc);
        stockcert_lane_settle(leader, i);
    }
}


/* ledger is NULL if it cannot be asked for a key */

static void
stockcert_lane_refuse(stockcert_lane_t *lane, stockcert_ledger_t *ledger,
    stockcert_rc_e rc)
{
    size_t               i, n;
    uint64_t             position;
    stockcert_slot_t    *slots;
    stockcert_error_t    ignored;
    stockcert_status_e   status;

    status = rc == STOCKCERT_FULL ? STOCKCERT_NO_ROOM : STOCKCERT_UNAVAILABLE;

    for (position = atomic_load(&lane->settled);
         (n = stockcert_lane_run(lane, position, &slots));
         position += n)
    {
        if (ledger
            && stockcert_ledger_replay(ledger, slots, n, status, &ignored)
               == STOCKCERT_OK)
        {
            continue;
        }

        for (i = 0; i < n; i++) {
            slots[i].outcome.status = status;
        }
    }
}


/* settles all that is noted; returns the number of grants */

static uint64_t
stockcert_lanes_settle(stockcert_leader_t *leader)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < leader->lanes->nlanes; i++) {
        n += stockcert_lane_settle(leader, i);
    }

    return n;
}


static uint64_t
stockcert_lane_settle(stockcert_leader_t *leader, size_t i)
{
    uint64_t           noted, n;
    stockcert_lane_t  *lane;

    lane = &leader->lanes->lanes[i];

    noted = atomic_load(&lane->noted);

    assert(atomic_load(&lane->settled) <= noted);
    assert(noted <= atomic_load(&lane->filled));

    n = noted - atomic_load(&lane->settled);

    if (n) {
        atomic_store_explicit(&lane->settled, noted, memory_order_release);
        leader->wake(leader->data, i);
    }

    return n;
}
