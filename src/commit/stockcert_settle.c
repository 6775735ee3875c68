
/*
 * What becomes of grants that are noted: they wait again, are refused, or are
 * settled.
 *
 * It runs on the leader's thread, under the ledger's lock.
 */


#include <assert.h>

#include "stockcert_settle.h"


static stockcert_rc_e stockcert_lane_is_committed(stockcert_lane_t *lane,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static int stockcert_lane_is_noted(const stockcert_lane_t *lane);
static void stockcert_lane_unnote(stockcert_lane_t *lane);
static void stockcert_lane_refuse(stockcert_lane_t *lane,
    stockcert_ledger_t *ledger, stockcert_rc_e rc);
static void stockcert_lane_refuse_behind(const stockcert_leader_t *leader,
    stockcert_lane_t *lane);
static void stockcert_lanes_count(stockcert_leader_t *leader);
static uint64_t stockcert_lane_settle(stockcert_leader_t *leader, size_t i);
static void stockcert_lane_count_waits(stockcert_leader_t *leader,
    const stockcert_lane_t *lane, uint64_t end);


/* whether it is in this batch, or in one whose end nobody saw */

static int
stockcert_lane_is_noted(const stockcert_lane_t *lane)
{
    return atomic_load(&lane->noted) != atomic_load(&lane->settled);
}


int
stockcert_lanes_are_noted(const stockcert_lanes_t *lanes)
{
    size_t  i;

    for (i = 0; i < lanes->nlanes; i++) {
        if (stockcert_lane_is_noted(&lanes->lanes[i])) {
            return 1;
        }
    }

    return 0;
}


void
stockcert_lane_note(stockcert_lane_t *lane)
{
    atomic_store(&lane->noted,
                 atomic_load_explicit(&lane->filled, memory_order_acquire));
}


void
stockcert_lanes_unnote(stockcert_lanes_t *lanes)
{
    size_t  i;

    for (i = 0; i < lanes->nlanes; i++) {
        stockcert_lane_unnote(&lanes->lanes[i]);
    }
}


/* it waits again */

static void
stockcert_lane_unnote(stockcert_lane_t *lane)
{
    atomic_store(&lane->noted, atomic_load(&lane->settled));
}


/*
 * Those that came first have waited longest.  Who has given up is not issued
 * anything any more; who has waited too long for other machines is refused.
 */

uint64_t
stockcert_lane_note_late(const stockcert_leader_t *leader,
    stockcert_lane_t *lane, uint64_t end)
{
    uint64_t             position, given_up, now;
    stockcert_slot_t    *slot;
    stockcert_status_e   status;

    position = atomic_load(&lane->noted);
    given_up = atomic_load(&lane->given_up);
    now = leader->patience ? stockcert_monotonic() : 0;

    for ( /* void */ ; position != end; position++) {
        slot = stockcert_lane_slot(lane, position);

        if ((int64_t) (given_up - position) > 0) {
            status = STOCKCERT_GIVEN_UP;

        } else if (stockcert_lane_is_refused(lane, position)) {
            status = STOCKCERT_UNAVAILABLE;

        } else if ((int64_t) (now - slot->time) > (int64_t) leader->patience
                   && leader->patience)
        {
            status = STOCKCERT_UNAVAILABLE;

        } else {
            break;
        }

        atomic_store(&lane->noted, position + 1);

        slot->outcome.status = status;
    }

    return position;
}


stockcert_rc_e
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

            /* where machines share the journal, that is no reason */

            if (leader->rc != STOCKCERT_OK
                && stockcert_ledger_guard(ledger) == 0)
            {
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


/* the slots from a position to another, but at most to the end of the ring */

size_t
stockcert_lane_run(const stockcert_lane_t *lane, uint64_t position,
    uint64_t end, stockcert_slot_t **slots)
{
    size_t    n;
    uint64_t  start, left;

    start = position % STOCKCERT_LANE_SLOTS;
    left = end - position;
    n = STOCKCERT_LANE_SLOTS - start;

    *slots = (stockcert_slot_t *) &lane->slots[start];

    return n < left ? n : (size_t) left;
}


/*
 * Refuses what is noted, in a transaction of its own.  A key may have a
 * certificate in what was appended to the shared journal, but not kept here yet.
 */

void
stockcert_lanes_refuse(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_rc_e rc)
{
    size_t              i;
    stockcert_rc_e      begun;
    stockcert_error_t   ignored;
    stockcert_lanes_t  *lanes;

    lanes = leader->lanes;

    do {
        begun = stockcert_ledger_begin_at_head(ledger, NULL, 0, &ignored);
    } while (begun == STOCKCERT_CHANGED);

    if (begun != STOCKCERT_OK) {
        begun = stockcert_ledger_begin(ledger, &ignored);
    }

    for (i = 0; i < lanes->nlanes; i++) {
        stockcert_lane_refuse(&lanes->lanes[i],
                              begun == STOCKCERT_OK ? ledger : NULL, rc);
    }

    /* what was reached is reached again, if this fails */

    if (begun == STOCKCERT_OK) {
        (void) stockcert_ledger_commit(ledger, &ignored);
    }

    (void) stockcert_lanes_settle(leader);
}


/* refuses what waits, when nothing may be written to the ledger */

void
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


/* those that wait behind what is noted, and have waited too long */

static void
stockcert_lane_refuse_behind(const stockcert_leader_t *leader,
    stockcert_lane_t *lane)
{
    uint64_t  position, end, now;

    /* what is filled from now on has a later time */

    now = stockcert_monotonic();
    position = atomic_load(&lane->noted);
    end = stockcert_lane_filled(lane);

    /* what was refused before is settled: the range is empty until it grows */

    atomic_store(&lane->refused_from, position);

    while (position != end
           && (int64_t) (now - stockcert_lane_slot(lane, position)->time)
              > (int64_t) leader->patience)
    {
        position++;
    }

    if ((int64_t) (position - atomic_load(&lane->refused_to)) > 0) {
        atomic_store(&lane->refused_to, position);
    }
}


void
stockcert_lanes_refuse_late(stockcert_leader_t *leader)
{
    size_t             i;
    stockcert_lane_t  *lane;

    if (leader->patience == 0) {
        return;
    }

    for (i = 0; i < leader->lanes->nlanes; i++) {
        lane = &leader->lanes->lanes[i];

        if (stockcert_lane_is_noted(lane)) {
            stockcert_lane_refuse_behind(leader, lane);
            continue;
        }

        (void) stockcert_lane_note_late(leader, lane,
                                        stockcert_lane_filled(lane));
        stockcert_lane_settle(leader, i);
    }
}


/* ledger is NULL if it cannot be asked for a key */

static void
stockcert_lane_refuse(stockcert_lane_t *lane, stockcert_ledger_t *ledger,
    stockcert_rc_e rc)
{
    size_t               i, n;
    uint64_t             position, end;
    stockcert_slot_t    *slots;
    stockcert_error_t    ignored;
    stockcert_status_e   status;

    status = rc == STOCKCERT_FULL ? STOCKCERT_NO_ROOM : STOCKCERT_UNAVAILABLE;

    end = atomic_load(&lane->noted);

    for (position = atomic_load(&lane->settled);
         (n = stockcert_lane_run(lane, position, end, &slots));
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

uint64_t
stockcert_lanes_settle(stockcert_leader_t *leader)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    stockcert_lanes_count(leader);

    for (i = 0; i < leader->lanes->nlanes; i++) {
        n += stockcert_lane_settle(leader, i);
    }

    return n;
}


/* before any of them is settled (stockcert_count.h) */

static void
stockcert_lanes_count(stockcert_leader_t *leader)
{
    size_t                   i, n;
    uint64_t                 position, end;
    stockcert_slot_t        *slots;
    stockcert_count_t        count;
    const stockcert_lane_t  *lane;

    stockcert_count_open(&count, leader->counts);

    for (i = 0; i < leader->lanes->nlanes; i++) {
        lane = &leader->lanes->lanes[i];
        end = atomic_load(&lane->noted);

        for (position = atomic_load(&lane->settled);
             (n = stockcert_lane_run(lane, position, end, &slots));
             position += n)
        {
            stockcert_count_slots(&count, slots, n);
        }
    }

    stockcert_count_close(&count);
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
        stockcert_lane_count_waits(leader, lane, noted);

        atomic_store_explicit(&lane->settled, noted, memory_order_release);
        leader->wake(leader->data, i);
    }

    return n;
}


static void
stockcert_lane_count_waits(stockcert_leader_t *leader,
    const stockcert_lane_t *lane, uint64_t end)
{
    size_t             n;
    uint64_t           position;
    stockcert_slot_t  *slots;

    for (position = atomic_load(&lane->settled);
         (n = stockcert_lane_run(lane, position, end, &slots));
         position += n)
    {
        stockcert_count_waits(leader->counts, slots, n);
    }
}
