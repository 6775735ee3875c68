
/*
 * Lanes: grants of many processes, committed together by one of them.
 *
 * Lanes are in memory that the processes share.  A worker claims one, which is
 * its own until it dies, and fills slots there.  Some thread of some worker, the
 * leader, issues what waits in all the lanes in one transaction of the ledger,
 * commits, and settles it: the outcomes are there, and the workers are woken to
 * answer.
 *
 * A lane is a ring.  Positions count its slots from the beginning, and are all
 * the state there is; the slot of a position is
 * slots[position % STOCKCERT_LANE_SLOTS]:
 *
 *     position   moved by                      says
 *     filled     the lane's worker, forward    grants below it are there
 *     noted      who has the ledger's lock     grants below it are in a batch,
 *                                              which may have been committed
 *     settled    who has the ledger's lock,    outcomes below it are final
 *                forward
 *
 *     settled  <=  noted  <=  filled  <=  settled + STOCKCERT_LANE_SLOTS
 *
 * How a batch goes, and who may read what:
 *
 *  1. A worker writes a grant into the slot at "filled", then moves "filled"
 *     (release).  Slots below "settled" are the worker's, to answer and to fill
 *     again; all others are those of who has the ledger's lock.
 *  2. A leader takes the lock.  Only its holder touches slots, "noted" and
 *     "settled", so leaders may be many: they take turns.  The kernel passes on
 *     what a dead holder had; one that is stopped has it until it goes on.
 *  3. It begins a transaction, and recovers (below) what an earlier leader left.
 *  4. It reads each "filled" (acquire), moves "noted" there, issues the grants
 *     from "settled" to there, and writes the outcomes into the slots.
 *  5. It commits, which flushes.
 *  6. It moves each "settled" to "noted" (release), and wakes the lane's worker,
 *     which reads "settled" (acquire) and answers.
 *  7. It lets the lock go.  Who comes late finds nothing left to do.
 *
 * Recovery: a lane with settled < noted was in a batch whose end nobody saw.  The
 * journal itself tells it: an outcome is the position of an entry and its seal,
 * and if the journal has that seal at that position the transaction was
 * committed and all outcomes up to "noted" stand; if not, it was not, "noted"
 * goes back to "settled", and the grants simply wait again.  A replayed outcome,
 * of a certificate that was there before, and a refusal tell nothing: they wait
 * again, too, as nobody was told.  (LMDB's transaction id would not do: if the
 * leader died before its commit, somebody outside these lanes, such as a worker
 * from before a reload or the command-line tool, may have committed under the
 * same id.)  What the journal shows may not be on disk yet if the leader died
 * while it flushed: it is flushed again before anybody is told.
 *
 * What each death leaves:
 *
 *     a worker, filling          nothing: "filled" had not moved
 *     a worker, later            its grants are issued, and nobody is told; who
 *                                claims its lane goes on behind them
 *     a leader, in steps 2 to 4  outcomes that the next one writes again
 *     a leader, in step 5        either of the two cases of recovery
 *     a leader, in step 6        committed, not all settled: the next one does it
 *
 * A leader that stops at any step and goes on later still has the lock, and
 * nobody was there meanwhile.
 *
 * A batch may be what kills its leader, and then the next.  "busy" says that one
 * is under way.  Who takes the lock and finds it set counts a death; after
 * STOCKCERT_DEATHS with the same batch its grants are given up: they may be
 * issued or not, and that is what is told.
 *
 * A grant that has to be refused, as its transaction could not be committed, may
 * have the key of a certificate: then that is told, from the ledger as it is.
 *
 * "known" is where the journal ended after the last commit.  A ledger that does
 * not have this entry is an older one, and is not written to.
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


#define STOCKCERT_LANE_SLOTS  1024
#define STOCKCERT_LANES_MAX   1024
#define STOCKCERT_DEATHS      2        /* of leaders in the same batch */

#define STOCKCERT_CACHE_LINE  64


typedef struct {
    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            filled;

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            settled;
    _Atomic uint64_t            noted;

    stockcert_slot_t            slots[STOCKCERT_LANE_SLOTS];
} stockcert_lane_t;


/* positions grow without end, and wrap: the ring must go on where they do */

_Static_assert((STOCKCERT_LANE_SLOTS & (STOCKCERT_LANE_SLOTS - 1)) == 0,
               "a power of 2");


typedef struct {
    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic int64_t             leader;        /* process id, or 0 */
    _Atomic uint32_t            wanted;        /* of "came" */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint32_t            came;          /* grants that were filled in */

    /* of who has the ledger's lock; ends[known % 2] is whole */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint32_t            busy;          /* a batch is under way */
    uint32_t                    deaths;        /* with "noted" as it is */
    uint64_t                    given_up;      /* grants, in all */
    _Atomic uint64_t            known;
    stockcert_tail_t            ends[2];

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


/* a process that leads, from time to time; one thread at a time */

typedef struct {
    stockcert_lanes_t          *lanes;
    stockcert_wake_pt           wake;
    void                       *data;          /* for wake() */

    stockcert_rc_e              rc;            /* of its last commit, OK at first */
    uint64_t                    given_up;      /* grants, by that */
    stockcert_pace_t            pace;
} stockcert_leader_t;


/*
 * Which lane is whose: process ids, in memory that the processes share, zeroed
 * at first.  A number that is claimed is that of a lane in each ledger.
 */

typedef struct {
    size_t                      n;
    _Atomic int64_t             owners[];
} stockcert_claims_t;


/* bytes that n lanes need, 1 <= n <= STOCKCERT_LANES_MAX */

size_t stockcert_lanes_size(size_t n);

/* Makes n lanes of zeroed memory that all their processes have mapped. */

void stockcert_lanes_init(stockcert_lanes_t *lanes, size_t n);

/*
 * What was committed last; known->position is 0 if that is not known.  _know()
 * sets it, before anybody leads, as what was committed in other lanes.  Any
 * process.
 */

void stockcert_lanes_known(const stockcert_lanes_t *lanes,
    stockcert_tail_t *known);
void stockcert_lanes_know(stockcert_lanes_t *lanes,
    const stockcert_tail_t *known);


/*
 * Claims the number of a lane that nobody has, or whose process is gone: until
 * the process ends, or gives it back.  Returns claims->n if there is none left.
 */

size_t stockcert_claims_size(size_t n);
void stockcert_claims_init(stockcert_claims_t *claims, size_t n);
size_t stockcert_claim(stockcert_claims_t *claims);
void stockcert_unclaim(stockcert_claims_t *claims, size_t lane);


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
void stockcert_lanes_gather(stockcert_leader_t *leader);
int stockcert_lanes_waiting(stockcert_lanes_t *lanes);

/*
 * One batch: all that waits in all lanes, in one transaction.  Wakes each
 * worker that has something to answer.
 *
 * If the leader's last commit failed (leader->rc), what it had noted and the
 * journal does not have is refused for that reason, instead of issued again.
 *
 * Returns what the ledger's functions return, also in leader->rc.  After
 * STOCKCERT_FULL all that was taken is refused, and the ledger is good for
 * another call; after others it must be opened again first.
 */

stockcert_rc_e stockcert_lanes_commit(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);

/*
 * What _gather() asks: once after each batch, whether to gather now.  The clock
 * is one that is never set, in nanoseconds.
 */

int stockcert_pace_gathers(stockcert_pace_t *pace, uint64_t now);
uint64_t stockcert_pace_clock(void);


#endif /* STOCKCERT_LANES_H */
