
/*
 * Lanes: grants of many processes, committed together by one of them.
 *
 * Lanes are in memory that the processes share, one for each worker.  A worker
 * fills slots of its own lane.  Some thread of some worker, the leader, issues
 * what waits in all the lanes in one transaction of the ledger, commits, and
 * settles it: the outcomes are there, and the workers are woken to answer.
 *
 * A lane is a ring.  Positions count its slots from the beginning, and are all
 * the state there is; the slot of a position is
 * slots[position % STOCKCERT_LANE_SLOTS]:
 *
 *     position   moved by                      says
 *     filled     the lane's worker, forward    grants below it are there
 *     noted      who holds LMDB's write lock   outcomes below it were written,
 *                                              and may have been committed
 *     settled    any leader, forward           outcomes below it are final
 *
 *     settled, noted  <=  filled  <=  settled + STOCKCERT_LANE_SLOTS
 *
 *     [settled, filled)  waiting; up to "noted", where that is above "settled",
 *                        in the transaction that commits now, or in one that a
 *                        leader did not live to see the end of
 *
 * How a batch goes, and who may read what:
 *
 *  1. A worker writes a grant into the slot at "filled", then moves "filled"
 *     (release).  Slots below "settled" are the worker's, to answer and to fill
 *     again; all others are the lock holder's.
 *  2. A leader begins a transaction, which gives it LMDB's write lock.  Only
 *     its holder touches slots and "noted", so leaders may be many: they take
 *     turns.  The lock is robust: the kernel passes on what a dead holder had,
 *     and LMDB has nothing of its transaction.
 *  3. It recovers (below) what an earlier leader left, reads each "filled"
 *     (acquire), issues the grants from "settled" to there, writes the outcomes
 *     into the slots, and moves "noted" to there (release).
 *  4. It commits, which flushes, and releases the lock.
 *  5. It moves each "settled" to where it noted (release), if it is not beyond
 *     that already, and wakes the lane's worker, which reads "settled"
 *     (acquire) and answers.  From the commit on another leader may be at it,
 *     too, and find in step 3 that the same slots are committed; both say the
 *     same, and as "settled" only grows, late is harmless.
 *
 * Recovery: a lane with settled < noted was in a transaction whose end nobody
 * saw.  The journal itself tells it: an outcome is the position of an entry and
 * its seal, and if the journal has that seal at that position the transaction
 * was committed and all outcomes up to "noted" stand; if not, it was not,
 * "noted" goes back to "settled", and the grants simply wait again.  (A replayed
 * outcome, of a certificate that was there before, tells nothing.)  (LMDB's transaction id would not do: if the
 * leader died before its commit, somebody outside these lanes, such as a worker
 * from before a reload or the command-line tool, may have committed under the
 * same id.)  What the journal shows may
 * not be on disk yet if the leader died while it flushed: it is flushed again
 * before anybody is told.
 *
 * What each crash leaves:
 *
 *     a worker, filling          nothing: "filled" had not moved
 *     a worker, later            its grants are issued, and nobody is told; its
 *                                successor goes on behind them
 *     a leader, in steps 2 and 3 outcomes that the next one writes again
 *     a leader, in step 4        either of the two cases of recovery
 *     a leader, in step 5        committed, not settled: the next one settles
 *
 * Who leads is in one word, the process id, or 0.  It decides nothing: it saves
 * the others from starting a thread that would wait for the lock.  A worker
 * that has filled a slot and sees 0 leads; a leader that finds nothing waiting
 * writes 0 and looks once more.  As both first write their own word and then
 * read the other's (sequentially consistent), one of the two sees the grant.  A
 * leader that died leaves its id there: whoever waits looks at it from time to
 * time, and takes it over (stockcert_lanes_take_over()).
 *
 * How many grants a batch has makes the speed, as a flush takes as long for one
 * as for a hundred.  Those who were just answered often ask again at once, but
 * a little too late for a batch that starts at once: the clients fall into two
 * halves that wait for each other's flush.  So between two batches a leader may
 * gather: it waits until as many came as it has answered, but no longer than the
 * last batch took, or a millisecond.  It sleeps on a futex, "came", and the
 * worker that makes it reach "wanted" wakes it.  Both are hints, like "leader".
 *
 * Where a flush takes longer than clients do, gathering pays; where it does not,
 * two halves keep disk and processors busy at the same time, and it costs.  A
 * leader tries both from time to time, and does what gave more grants a second.
 */


#ifndef STOCKCERT_LANES_H
#define STOCKCERT_LANES_H


#include <stdatomic.h>

#include "stockcert_ledger.h"


#define STOCKCERT_LANE_SLOTS  1024     /* a power of 2 */
#define STOCKCERT_LANES_MAX   1024

#define STOCKCERT_CACHE_LINE  64


typedef struct {
    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            filled;

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            settled;
    _Atomic uint64_t            noted;

    stockcert_slot_t            slots[STOCKCERT_LANE_SLOTS];
} stockcert_lane_t;


typedef struct {
    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic int64_t             leader;        /* process id, or 0 */
    _Atomic uint32_t            wanted;        /* of "came" */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint32_t            came;          /* grants that were filled in */

    size_t                      nlanes;

    stockcert_lane_t            lanes[];
} stockcert_lanes_t;


/*
 * What a process that leads knows of its batches, over all the times it leads;
 * zeroed before the first.  Times are in nanoseconds.
 */

typedef struct {
    uint64_t                    grants;        /* of the last batch */
    uint64_t                    duration;
    uint64_t                    end;

    unsigned                    batches;       /* since the trial began */
    unsigned                    gathers;       /* that is what pays */
    uint64_t                    gathered;      /* grants a second, tried */
    uint64_t                    sum;           /* grants, in this trial */
    uint64_t                    time;
} stockcert_pace_t;


/* wakes the worker of a lane; called by a leader, on its thread */

typedef void (*stockcert_wake_pt)(void *data, size_t lane);


/* bytes that n lanes need, 1 <= n <= STOCKCERT_LANES_MAX */

size_t stockcert_lanes_size(size_t n);

/* Makes n lanes of zeroed memory that all their processes have mapped. */

void stockcert_lanes_init(stockcert_lanes_t *lanes, size_t n);


/* The lane's worker, on one thread. */

/*
 * Puts a grant into the worker's lane: 0, or -1 if that has no room.  answered
 * is the position that the worker has answered up to; it need not be below
 * "settled".
 */

int stockcert_lane_fill(stockcert_lanes_t *lanes, stockcert_lane_t *lane,
    uint64_t answered, const stockcert_grant_t *grant);

/* The slot of a position below "settled", until it is filled again. */

stockcert_slot_t *stockcert_lane_slot(stockcert_lane_t *lane,
    uint64_t position);

/* Positions, as they are now, and whether any grant is not settled. */

uint64_t stockcert_lane_filled(const stockcert_lane_t *lane);
uint64_t stockcert_lane_settled(const stockcert_lane_t *lane);
int stockcert_lane_waiting(const stockcert_lane_t *lane);


/*
 * Leading; from any thread.
 *
 * _lead() returns 1 if the process leads now, as nobody did.  _take_over() does
 * the same if the leader's process is gone or, with force, whoever leads.
 *
 * Who leads calls _commit() and _gather() by turns until nothing waits, then
 * _resign().  Whatever came in between is for the caller to look for, with
 * _waiting(), which tells whether anything waits in any lane.
 */

int stockcert_lanes_lead(stockcert_lanes_t *lanes);
int stockcert_lanes_take_over(stockcert_lanes_t *lanes, int force);
void stockcert_lanes_resign(stockcert_lanes_t *lanes);
void stockcert_lanes_gather(stockcert_lanes_t *lanes, stockcert_pace_t *pace);
int stockcert_lanes_waiting(stockcert_lanes_t *lanes);

/*
 * One batch: all that waits in all lanes, in one transaction.  Wakes each
 * worker that has something to answer.
 *
 * refuse is what the caller's last commit returned, STOCKCERT_OK at first: if
 * it failed, what it had noted and the journal does not have is refused for
 * that reason, instead of issued again.
 *
 * *pace is updated for _gather().  Returns what the ledger's functions return.
 * After STOCKCERT_FULL the ledger is good for another call; after others it
 * must be opened again first.
 */

stockcert_rc_e stockcert_lanes_commit(stockcert_lanes_t *lanes,
    stockcert_ledger_t *ledger, stockcert_rc_e refuse, stockcert_wake_pt wake,
    void *data, stockcert_pace_t *pace, stockcert_error_t *error);

/*
 * What _gather() asks: once after each batch, whether to gather now.  The clock
 * is one that is never set, in nanoseconds.
 */

int stockcert_pace_gathers(stockcert_pace_t *pace, uint64_t now);
uint64_t stockcert_pace_clock(void);


#endif /* STOCKCERT_LANES_H */
