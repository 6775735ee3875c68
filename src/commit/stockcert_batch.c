
/*
 * The commit of a batch by the leader.  docs/ARCHITECTURE.md has its eight
 * steps, and why each is safe.
 *
 * It runs on the leader's thread.  It touches slots, "noted" and "settled"
 * only while it holds the ledger's lock.
 */


#include "stockcert_settle.h"
#include "stockcert_turn.h"


/* batches in one transaction, at most; nanoseconds until no more begin, and
   that it waits for one; transactions until that is tried again, at most */

#define STOCKCERT_APPENDS  8
#define STOCKCERT_LONG     UINT64_C(50000000)
#define STOCKCERT_SOON     UINT64_C(2000000)
#define STOCKCERT_ALONE    16


static stockcert_rc_e stockcert_lanes_reach(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static void stockcert_lanes_begin(stockcert_leader_t *leader);
static stockcert_rc_e stockcert_lanes_batch(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static void stockcert_lanes_end(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_rc_e rc, int unsent);
static void stockcert_lanes_kept(stockcert_leader_t *leader);
static void stockcert_lanes_told(stockcert_leader_t *leader);
static stockcert_rc_e stockcert_lanes_try(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, int *unsent, stockcert_error_t *error);
static stockcert_rc_e stockcert_lanes_append(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, unsigned n, int *unsent,
    stockcert_error_t *error);
static int stockcert_lanes_go_on(stockcert_leader_t *leader,
    const stockcert_ledger_t *ledger, uint64_t start);
static stockcert_rc_e stockcert_lanes_enter(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, int *unsent, stockcert_error_t *error);
static stockcert_rc_e stockcert_lanes_issue(const stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);
static stockcert_rc_e stockcert_lane_issue(const stockcert_leader_t *leader,
    stockcert_lane_t *lane, stockcert_ledger_t *ledger,
    stockcert_error_t *error);


stockcert_rc_e
stockcert_lanes_commit(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    uint64_t            start;
    stockcert_rc_e      rc;
    stockcert_lanes_t  *lanes;

    lanes = leader->lanes;

    start = stockcert_monotonic();
    leader->batches = 0;
    leader->pace.total = 0;
    leader->pace.grants = 0;
    leader->given_up = 0;

    stockcert_ledger_yield(ledger);
    stockcert_turn_give(lanes);

    rc = stockcert_ledger_lock(ledger, error);

    if (rc == STOCKCERT_OK) {
        stockcert_count_begin(leader->counts);
        stockcert_lanes_begin(leader);

        rc = stockcert_lanes_batch(leader, ledger, error);

        lanes->deaths = 0;
        atomic_store(&lanes->busy, 0);

        leader->wanted = stockcert_ledger_is_wanted(ledger);

        stockcert_count_end(leader->counts, ledger, rc, leader->pace.total);
        stockcert_ledger_unlock(ledger);

    } else {
        stockcert_count_failed(leader->counts, rc);
    }

    leader->rc = rc;
    leader->pace.duration = stockcert_monotonic() - start;

    return rc;
}


/* no grant is issued, and none waits for longer than it may */

stockcert_rc_e
stockcert_lanes_catch_up(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_lock(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    do {
        rc = stockcert_lanes_reach(leader, ledger, error);
        stockcert_lanes_refuse_late(leader);

    } while (rc == STOCKCERT_CHANGED);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_commit(ledger, error);
    }

    stockcert_ledger_unlock(ledger);

    return rc;
}


/* begins a transaction, at the head of the journal that machines share */

static stockcert_rc_e
stockcert_lanes_reach(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    uint64_t            guard;
    stockcert_tail_t    known;
    stockcert_lanes_t  *lanes;

    lanes = leader->lanes;
    stockcert_lanes_known(lanes, &known);

    guard = stockcert_lanes_are_noted(lanes)
            ? atomic_load(&lanes->shared.guard) : 0;

    return stockcert_ledger_begin_at_head(ledger, &known, guard, error);
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

    noted = stockcert_lanes_are_noted(lanes);

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


/*
 * If the ledger is full, pages of dead readers may be freed.  If other machines
 * were faster, what is noted stays so until the journal tells.
 */

static stockcert_rc_e
stockcert_lanes_batch(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    int                dead, unsent;
    stockcert_rc_e     rc;
    stockcert_error_t  ignored;

    dead = 0;

    for ( ;; ) {
        rc = stockcert_lanes_try(leader, ledger, &unsent, error);

        if (rc == STOCKCERT_CHANGED) {
            stockcert_lanes_refuse_late(leader);
            continue;
        }

        if (rc != STOCKCERT_FULL || !unsent || dead
            || stockcert_ledger_check_readers(ledger, &dead, &ignored)
               != STOCKCERT_OK
            || !dead)
        {
            break;
        }

        stockcert_lanes_unnote(leader->lanes);
    }

    stockcert_lanes_end(leader, ledger, rc, unsent);

    return rc;
}


/* who waits is told, or waits on; unsent: no journal can have what is noted */

static void
stockcert_lanes_end(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    stockcert_rc_e rc, int unsent)
{
    stockcert_tail_t  tail;

    if (rc == STOCKCERT_OK) {
        stockcert_ledger_tail(ledger, &tail);
        stockcert_lanes_know(leader->lanes, &tail);

        if (!stockcert_ledger_is_appended(ledger)) {
            stockcert_lanes_told(leader);
        }

        stockcert_lanes_kept(leader);
        return;
    }

    if (stockcert_ledger_is_appended(ledger)) {
        return;
    }

    switch (rc) {

    case STOCKCERT_FULL:

        if (unsent) {
            stockcert_lanes_refuse(leader, ledger, rc);

        } else {
            stockcert_lanes_refuse_new(leader, rc);
            stockcert_lanes_refuse_late(leader);
        }

        break;

    case STOCKCERT_UNREACHED:

        if (unsent) {
            stockcert_lanes_unnote(leader->lanes);
        }

        stockcert_lanes_refuse_late(leader);
        break;

    case STOCKCERT_DIVERGED:

        if (unsent) {
            stockcert_lanes_unnote(leader->lanes);
        }

        stockcert_lanes_refuse_new(leader, rc);
        stockcert_lanes_refuse_late(leader);
        break;

    case STOCKCERT_REPLACED:
        stockcert_lanes_refuse_new(leader, rc);
        break;

    default:
        break;
    }
}


/* who reads what was told waits for it */

static void
stockcert_lanes_kept(stockcert_leader_t *leader)
{
    size_t  i;

    for (i = 0; i < leader->lanes->nlanes; i++) {
        if (atomic_load(&leader->lanes->lanes[i].reads)) {
            atomic_store(&leader->lanes->lanes[i].reads, 0);
            leader->wake(leader->data, i);
        }
    }
}


static void
stockcert_lanes_told(stockcert_leader_t *leader)
{
    leader->pace.came = atomic_load(&leader->lanes->came);
    leader->pace.grants = stockcert_lanes_settle(leader);
    leader->pace.total += leader->pace.grants;
    leader->batches++;

    /* whoever dies now dies in another one */

    leader->lanes->deaths = 0;
}


/* after an error, what is noted may or may not be in the ledger */

static stockcert_rc_e
stockcert_lanes_try(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    int *unsent, stockcert_error_t *error)
{
    uint64_t        start;
    unsigned        n;
    stockcert_rc_e  rc;

    *unsent = 0;

    rc = stockcert_lanes_reach(leader, ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    n = 0;
    start = stockcert_monotonic();

    do {
        rc = stockcert_lanes_append(leader, ledger, n++, unsent, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

    } while (stockcert_ledger_is_appended(ledger) && n < STOCKCERT_APPENDS
             && stockcert_lanes_go_on(leader, ledger, start));

    return stockcert_ledger_commit(ledger, error);
}


/* what is on other machines is so, whatever becomes of it on this one */

static stockcert_rc_e
stockcert_lanes_append(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    unsigned n, int *unsent, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (n) {
        stockcert_ledger_next(ledger);
    }

    rc = stockcert_lanes_enter(leader, ledger, unsent, error);

    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);

        /* what was appended before it is applied once more, and has the room */

        if (rc == STOCKCERT_FULL && n) {
            stockcert_lanes_unnote(leader->lanes);
            return STOCKCERT_CHANGED;
        }

        return rc;
    }

    rc = stockcert_ledger_append(ledger, error);

    if (rc == STOCKCERT_OK && stockcert_ledger_is_appended(ledger)) {
        atomic_store(&leader->lanes->shared.told,
                     atomic_load(&leader->lanes->shared.reached));
        stockcert_lanes_told(leader);
    }

    return rc;
}


/*
 * LMDB's commit takes about as long as a client that comes again.  So where the
 * clients do that, and nobody is known to wait for something else, one commit is
 * for some batches.
 */

static int
stockcert_lanes_go_on(stockcert_leader_t *leader,
    const stockcert_ledger_t *ledger, uint64_t start)
{
    if (leader->alone) {
        leader->alone--;
        return 0;
    }

    if (stockcert_ledger_is_wanted(ledger)
        || stockcert_monotonic() - start > STOCKCERT_LONG)
    {
        return 0;
    }

    if (!stockcert_lanes_gather_for(leader, STOCKCERT_SOON)) {
        leader->late = 2 * leader->late + 1;

        if (leader->late > STOCKCERT_ALONE) {
            leader->late = STOCKCERT_ALONE;
        }

        leader->alone = leader->late;

        return 0;
    }

    leader->late = 0;

    return stockcert_lanes_count_waiting(leader->lanes)
           && !stockcert_turn_is_wanted(leader->lanes)
           && !(leader->stops && leader->stops(leader->data));
}


static stockcert_rc_e
stockcert_lanes_enter(stockcert_leader_t *leader, stockcert_ledger_t *ledger,
    int *unsent, stockcert_error_t *error)
{
    uint64_t             guard;
    stockcert_rc_e       rc;
    stockcert_lanes_t   *lanes;

    lanes = leader->lanes;

    rc = stockcert_lanes_recover(leader, ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    *unsent = 1;

    rc = stockcert_lanes_issue(leader, ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (!stockcert_ledger_has_entered(ledger)) {
        return stockcert_lanes_are_noted(lanes) || leader->confirms
               ? stockcert_ledger_confirm(ledger, error) : STOCKCERT_OK;
    }

    guard = stockcert_ledger_guard(ledger);

    if (guard) {
        atomic_store(&lanes->shared.guard, guard);
        *unsent = 0;
    }

    return STOCKCERT_OK;
}


/* where a batch has no room for all, the next one begins with another lane */

static stockcert_rc_e
stockcert_lanes_issue(const stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    size_t              i, n, first;
    stockcert_rc_e      rc;
    stockcert_lanes_t  *lanes;

    lanes = leader->lanes;
    first = lanes->next;

    for (i = 0; i < lanes->nlanes; i++) {
        n = (first + i) % lanes->nlanes;

        rc = stockcert_lane_issue(leader, &lanes->lanes[n], ledger, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        if (stockcert_ledger_room(ledger) == 0) {
            lanes->next = (n + 1) % lanes->nlanes;
            break;
        }
    }

    return STOCKCERT_OK;
}


/* "noted" moves before outcomes are written */

static stockcert_rc_e
stockcert_lane_issue(const stockcert_leader_t *leader, stockcert_lane_t *lane,
    stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    size_t             n, room;
    uint64_t           position, end;
    stockcert_rc_e     rc;
    stockcert_slot_t  *slots;

    end = atomic_load_explicit(&lane->filled, memory_order_acquire);
    position = stockcert_lane_note_late(leader, lane, end);

    while ((n = stockcert_lane_run(lane, position, end, &slots))) {

        room = stockcert_ledger_room(ledger);

        if (room == 0) {
            break;
        }

        n = n < room ? n : room;
        position += n;

        atomic_store(&lane->noted, position);

        rc = stockcert_ledger_issue(ledger, slots, n, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    return STOCKCERT_OK;
}
