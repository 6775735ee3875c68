
/*
 * Lanes: grants of many processes, committed together by one of them, the
 * leader.  docs/ARCHITECTURE.md, "The commit", says how this works and why it
 * is safe.
 *
 * Lanes are in memory that the processes share.  A worker claims a lane and
 * fills slots there.  A leader issues what waits in all lanes in one
 * transaction of the ledger, commits it, and settles it: then the outcomes are
 * final.
 *
 * A lane is a ring.  Positions count its slots from the beginning.  The slot of
 * a position is slots[position % STOCKCERT_LANE_SLOTS].
 *
 *     filled     moved by the lane's worker, forward (release; leaders read it
 *                with acquire)
 *     noted      moved by the holder of the ledger's lock
 *     settled    moved by the holder of the ledger's lock, forward (release; the
 *                worker reads it with acquire)
 *     given_up   moved by the lane's worker: it cannot wait for grants below it
 *
 *     settled  <=  noted  <=  filled  <=  settled + STOCKCERT_LANE_SLOTS
 *
 * Slots below "settled" are the worker's.  All others belong to the holder of
 * the ledger's lock.
 */


#ifndef STOCKCERT_LANES_H
#define STOCKCERT_LANES_H


#include <stdatomic.h>
#include <stddef.h>

#include "stockcert_count.h"
#include "stockcert_format.h"
#include "stockcert_ledger.h"


#define STOCKCERT_LANE_SLOTS  1024
#define STOCKCERT_LANES_MAX   1024
#define STOCKCERT_DEATHS      2        /* of leaders in the same batch */


typedef struct {
    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            filled;
    _Atomic uint64_t            given_up;      /* see stockcert_lane_give_up() */
    _Atomic uint32_t            opened;        /* "end" is whole, and stays */
    stockcert_tail_t            end;           /* see stockcert_lane_opened() */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint64_t            settled;
    _Atomic uint64_t            noted;
    _Atomic uint64_t            refused_from;  /* see stockcert_lane_is_refused() */
    _Atomic uint64_t            refused_to;
    _Atomic uint32_t            reads;         /* see stockcert_lane_reads() */

    stockcert_slot_t            slots[STOCKCERT_LANE_SLOTS];
} stockcert_lane_t;


/* positions wrap at 2^64, and the ring must continue there */

_Static_assert((STOCKCERT_LANE_SLOTS & (STOCKCERT_LANE_SLOTS - 1)) == 0,
               "a power of 2");

/* what one process writes all the time is not where another one reads */

_Static_assert(offsetof(stockcert_lane_t, settled)
               - offsetof(stockcert_lane_t, filled) >= STOCKCERT_CACHE_LINE,
               "lines of their own");

/* processes share them: a lock of one would be no lock for another */

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2,
               "free of locks");


typedef struct {
    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic int64_t             leader;        /* process id, or 0; a hint */
    _Atomic uint32_t            wanted;        /* of "came" */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint32_t            came;          /* grants that were filled in */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint32_t            turns_wanted;  /* see stockcert_turn.h */
    _Atomic uint32_t            turns_taken;

    /* where other machines have it */

    _Atomic int64_t             watcher;       /* process id, or 0 */
    _Atomic uint64_t            head;          /* where their journal ends, as the
                                                  watcher was told last */
    _Atomic uint64_t            away;          /* since when it has no answer, in
                                                  nanoseconds, or 0 */

    /* of the holder of the ledger's lock; ends[known % 2] is whole */

    _Alignas(STOCKCERT_CACHE_LINE)
    _Atomic uint32_t            busy;          /* a batch is under way */
    uint32_t                    deaths;        /* with "noted" as it is */
    uint64_t                    given_up;      /* grants, in all */
    size_t                      next;          /* lane that a batch begins with */
    _Atomic uint64_t            known;
    stockcert_tail_t            ends[2];
    stockcert_shared_t          shared;        /* if other machines have it */

    size_t                      nlanes;

    stockcert_lane_t            lanes[];
} stockcert_lanes_t;


/* lanes of several ledgers are side by side */

_Static_assert(sizeof(stockcert_lanes_t) % STOCKCERT_CACHE_LINE == 0
               && sizeof(stockcert_lane_t) % STOCKCERT_CACHE_LINE == 0,
               "whole lines");


/*
 * What a process that leads knows of its batches, over all the times it leads;
 * zeroed before the first.  Times are in nanoseconds.
 */

typedef struct {
    uint64_t                    grants;        /* of the last batch, */
    uint32_t                    came;          /* and "came" before it was told */
    uint64_t                    total;         /* of the last commit's batches */
    uint64_t                    duration;      /* of that commit */
    uint64_t                    end;

    unsigned                    batches;       /* since the trial began */
    unsigned                    gathers;       /* it pays */
    uint64_t                    gathered;      /* grants a second, tried */
    uint64_t                    sum;           /* grants, in this trial */
    uint64_t                    time;
} stockcert_pace_t;


/* wakes the worker of a lane; called by a leader, on its thread */

typedef void (*stockcert_wake_pt)(void *data, size_t lane);

/* whether a leader has more to do than grants; on its thread */

typedef int (*stockcert_stops_pt)(void *data);


/* a process that leads, from time to time; one thread at a time */

typedef struct {
    stockcert_lanes_t          *lanes;
    stockcert_wake_pt           wake;
    stockcert_stops_pt          stops;         /* or NULL */
    void                       *data;          /* for wake() and stops() */
    stockcert_counts_t         *counts;        /* or NULL */

    uint64_t                    patience;      /* nanoseconds that a grant waits
                                                  for other machines; 0: ever */
    unsigned                    confirms;      /* it makes sure that the ledger
                                                  has all of the journal */

    stockcert_rc_e              rc;            /* of its last commit, or OK */
    uint64_t                    given_up;      /* grants, by that */
    unsigned                    batches;       /* of that */
    unsigned                    alone;         /* commits of one batch until more
                                                  are tried; */
    unsigned                    late;          /* so many, as clients were late */
    int                         wanted;        /* other machines wait */
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
 * What was committed last in these lanes; before that, what a worker found as it
 * opened the ledger.  known->position is 0 if that is not known, either.
 * stockcert_lanes_know() sets it before anybody leads, to what was committed in
 * other lanes.  Any process.
 */

void stockcert_lanes_known(const stockcert_lanes_t *lanes,
    stockcert_tail_t *known);
void stockcert_lanes_know(stockcert_lanes_t *lanes,
    const stockcert_tail_t *known);


/*
 * Claims the number of a lane that nobody has, or whose process is gone.  It
 * is this process's until that ends, or gives it back.  Returns claims->n if
 * there is none left.
 */

size_t stockcert_claims_size(size_t n);
void stockcert_claims_init(stockcert_claims_t *claims, size_t n);
size_t stockcert_claim(stockcert_claims_t *claims);
void stockcert_unclaim(stockcert_claims_t *claims, size_t lane);


/* The lane's worker, on one thread. */

/*
 * The worker has opened the ledger, and its journal ends there on the disk, too.
 * The first end that the lane is told of stays, for its next worker as well.
 */

void stockcert_lane_opened(stockcert_lane_t *lane, const stockcert_tail_t *end);

/*
 * Puts a grant into the worker's lane: 0, or -1 if that has no room.  answered
 * is the position that the worker has answered up to; it need not be below
 * "settled".
 */

int stockcert_lane_fill(stockcert_lanes_t *lanes, stockcert_lane_t *lane,
    uint64_t answered, const stockcert_grant_t *grant);

/*
 * The worker cannot wait for its grants below a position any more.  A leader
 * settles them as "given up", and issues none that is not in a batch yet.
 */

void stockcert_lane_give_up(stockcert_lane_t *lane, uint64_t position);

/*
 * Whether a grant that is not settled is in no batch, and never will be, as it
 * has waited too long.  It cannot be settled yet, as those before it are in a
 * batch whose outcome is not known.
 */

int stockcert_lane_is_refused(const stockcert_lane_t *lane, uint64_t position);

/* The slot of a position below "settled", until it is filled again. */

stockcert_slot_t *stockcert_lane_slot(stockcert_lane_t *lane,
    uint64_t position);

/* Positions, as they are now, and whether any grant is not settled. */

uint64_t stockcert_lane_filled(const stockcert_lane_t *lane);
uint64_t stockcert_lane_settled(const stockcert_lane_t *lane);
int stockcert_lane_waiting(const stockcert_lane_t *lane);


/*
 * From any thread, and without the lock, so by the time it is read another may be
 * so: how many grants wait in all lanes, and how long the oldest one has waited,
 * in nanoseconds.
 */

uint64_t stockcert_lanes_count_waiting(const stockcert_lanes_t *lanes);
uint64_t stockcert_lanes_oldest(stockcert_lanes_t *lanes);


/*
 * Leading; from any thread.
 *
 * stockcert_lanes_lead() returns 1 if the process leads now, as nobody did.
 * stockcert_lanes_take_over() does the same if the leader's process is gone or,
 * with force, whoever leads.
 *
 * The leader calls stockcert_lanes_commit() and stockcert_lanes_gather() by
 * turns until nothing waits, then stockcert_lanes_resign().  After that it must
 * ask stockcert_lanes_waiting() once more: this tells whether anything waits in
 * any lane, or on other machines.
 *
 * stockcert_lanes_gather() waits, where that pays, until as many grants came as
 * the last batch had, but not for long; stockcert_lanes_gather_for() does so for
 * some nanoseconds at most, and returns whether they came.
 */

int stockcert_lanes_lead(stockcert_lanes_t *lanes);
int stockcert_lanes_take_over(stockcert_lanes_t *lanes, int force);
void stockcert_lanes_resign(stockcert_lanes_t *lanes);
void stockcert_lanes_gather(stockcert_leader_t *leader);
int stockcert_lanes_gather_for(stockcert_leader_t *leader, uint64_t longest);
int stockcert_lanes_waiting(stockcert_lanes_t *lanes);

/*
 * Where other machines have the ledger, too, clients may be told of what LMDB
 * does not have yet: up to the revision shared.told.  stockcert_lane_reads()
 * returns 1 if LMDB does not have a revision; then the lane's worker is woken
 * after the next commit.
 */

int stockcert_lane_reads(stockcert_lanes_t *lanes, stockcert_lane_t *lane,
    uint64_t revision);

/*
 * Watching a journal that other machines have, too; from any thread.
 * stockcert_lanes_watch() returns 1 if the process is to watch now, as nobody
 * did; stockcert_lanes_unwatch() ends that.  stockcert_lanes_tell() says that
 * the head has this revision, and returns 1 if somebody must be woken to lead.
 */

int stockcert_lanes_watch(stockcert_lanes_t *lanes);
void stockcert_lanes_unwatch(stockcert_lanes_t *lanes);
int stockcert_lanes_tell(stockcert_lanes_t *lanes, uint64_t revision);

/*
 * One batch: all that waits in all lanes, in one transaction.  Wakes each
 * worker that has something to answer.  Where other machines have the ledger,
 * too, it may be some batches, one after the other: what it returns is of the
 * last one, and those before are told.
 *
 * If the leader's last commit failed (leader->rc), grants that it had noted
 * and that are not in the journal are refused for that reason, not issued
 * again.
 *
 * Returns what the ledger's functions return, also in leader->rc.  After
 * STOCKCERT_FULL all that was taken is refused.
 *
 * Where other machines have the ledger, too, a batch also applies what they
 * appended, and may do only that.  After STOCKCERT_UNREACHED what was sent stays
 * noted, grants that have waited for leader->patience and are in no batch are
 * refused, and the caller tries again a little later; after STOCKCERT_DIVERGED,
 * or STOCKCERT_FULL as there is no room for what others appended, all are in
 * those lanes where nothing is noted.
 */

stockcert_rc_e stockcert_lanes_commit(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);

/*
 * Where other machines have the ledger, too: applies what they appended, and
 * issues nothing.  Meanwhile grants that have waited for leader->patience are
 * refused.
 */

stockcert_rc_e stockcert_lanes_catch_up(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);

/*
 * Whether to gather now; stockcert_lanes_gather() asks this once after each
 * batch.  The clock is monotonic, in nanoseconds.
 */

int stockcert_pace_gathers(stockcert_pace_t *pace, uint64_t now);


#endif /* STOCKCERT_LANES_H */
