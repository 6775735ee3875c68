
/*
 * The simulation: the real lanes and ledgers of some machines in one process
 * and on one thread, before an engine that fails in all the ways that etcd and
 * a network can.  A seed decides all of it, the clock and random bytes too, so
 * a seed that fails fails again.
 *
 *     simulation.c   a seed: what happens next, until all is settled
 *     scenario.c     what befalls machines and the engine, and how it ends
 *     engine.c       the journal that the machines share
 *     network.c      what becomes of requests to it
 *     machine.c      machines, what they have and lose
 *     worker.c       their workers: they lead, die, begin again
 *     task.c         a worker's thread, as a coroutine
 *     wrap.c         LMDB, the clock, locks: what the linker puts before them
 *     client.c       who asks for certificates, and what they are told
 *     order.c        who has orders
 *     tool.c         who authorizes shares, by a process of its own
 *     log.c          what is in the journal for good, and whether it may be
 *     check.c        what must be so in the end
 *     chance.c       the seed's choices, and what happened, to be told
 */


#ifndef WORLD_H
#define WORLD_H


#define _GNU_SOURCE

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "stockcert_store.h"
#include "stockcert_turn.h"


#define MACHINES  3
#define WORKERS   3            /* of a machine, each with its lane */
#define TOOL      WORKERS      /* a process that has none */
#define PROCESSES (WORKERS + 1)
#define CLASSES   3
#define ASKS      4000         /* at most, in one seed */
#define TWINS     2            /* asks that are the same, of all machines */


typedef struct machine_s  machine_t;
typedef struct worker_s   worker_t;
typedef struct order_s    order_t;


/* how many of a thousand, but for steps */

typedef struct {
    unsigned              steps;
    unsigned              asks;
    unsigned              orders;
    unsigned              tools;
    unsigned              lost;        /* answers of the engine, to appends, */
    unsigned              deaf;        /* and to reads */
    unsigned              repeated;    /* by the client library, unseen */
    unsigned              gives_up;    /* a leader, at each try */
    unsigned              kills;
    unsigned              crashes;
    unsigned              stalls;
    unsigned              disk;        /* LMDB's commits that fail */
    unsigned              begins;      /* and begins */
    unsigned              late;        /* clients that wait no longer */
    unsigned              foreign;     /* another engine answers */
    unsigned              cuts;        /* machines that are alone for a while */
    unsigned              tells;       /* what watches tell */
    unsigned              twins;
    unsigned              bursts;
    unsigned              focus;       /* asks that are of one machine alone */
    unsigned              small;       /* a machine has little room */
    int                   patience;
} profile_t;


/* what a client wants; it may ask for it again and again */

typedef struct {
    unsigned              id;
    int                   order;
    int                   keyed;
    int                   twin;
    int                   class;
    uint64_t              amount;      /* shares, of an order: 0 is all */
    uint64_t              number;      /* of an order: certificate */
    char                  name[16];    /* of an order: reference */
    char                  key[16];

    unsigned              issued;      /* attempts that were told so, */
    unsigned              replayed;
    unsigned              refused;
    unsigned              unknown;     /* or nothing that helps */
    unsigned              waiting;
    uint64_t              position;    /* where ISSUED was told */
    uint64_t              begins;      /* journal's length at the first try */

    unsigned              found;       /* in the journal */
} ask_t;


typedef struct {
    ask_t                *ask;         /* NULL: nobody waits any more */
    uint64_t              since;       /* the journal's length then */
} attempt_t;


struct order_s {
    attempt_t             attempt;
    stockcert_turn_t      turn;
    stockcert_order_t     order;
    stockcert_entry_t     to;
    uint8_t               request[STOCKCERT_HASH_LEN];
};


typedef struct {
    ucontext_t            context;
    char                 *stack;
    worker_t             *worker;
    int                   runs;        /* has begun, and not ended */
    int                   blocked;     /* by another's lock */
    int                   committed;   /* LMDB's transaction is no more */
    unsigned              until;       /* step, it stalls */
    const char           *point;
} task_t;


struct worker_s {
    machine_t            *machine;
    unsigned              n;
    stockcert_ledger_t   *ledger;      /* NULL: it is not open */
    stockcert_leader_t    leader;
    task_t                task;
    int                   panics;      /* LMDB, until it is opened again */
    int                   failed;      /* so it must be */
    int                   opened;      /* its classes */
    uint64_t              answered;
    attempt_t             attempts[STOCKCERT_LANE_SLOTS];
    order_t              *order;       /* at most one waits */
    ask_t                *authorizes;  /* the tool */

    stockcert_replica_t   replica;
    uint8_t              *bytes;       /* of the batch that was read last */
    unsigned              appends;     /* in LMDB's transaction */
};


struct machine_s {
    unsigned              n;
    char                  path[64];
    MDB_env              *env;         /* of all its workers */
    unsigned              opens;
    stockcert_lanes_t    *lanes;
    worker_t              workers[PROCESSES];
    stockcert_class_t     classes[CLASSES];
    size_t                nclasses;
    size_t                size;
    int64_t               skew;        /* of its clock, microseconds */
    unsigned              down;        /* until this step */
    unsigned              cut;         /* from the engine, until this step */
    uint64_t              watched;     /* a revision that is still to be told */
    uint64_t              position;    /* of its journal */
    uint64_t              locked;      /* the journal's length when its lock was
                                          taken last */
    uint8_t              *copy;        /* an older data.mdb */
    size_t                copy_len;
    uint64_t              copy_position;
};


/* an entry that is in the journal for good, and what was so after it */

typedef struct {
    stockcert_kind_e      kind;
    int                   class;
    uint64_t              number;
    unsigned              ask;         /* 1 more than its id; 0: of nobody */
    uint64_t              surrendered; /* certificate, by this entry */
    uint64_t              gone;        /* when this certificate was, or 0 */
    int64_t               left[CLASSES];   /* shares; -1: there is no class */
    uint64_t              last[CLASSES];
    size_t                len;
    uint8_t              *bytes;
    const uint8_t        *seal;
} record_t;


/* what has happened in all seeds */

typedef enum {
    SEEN_SEEDS, SEEN_STEPS, SEEN_ENTRIES, SEEN_BATCHES, SEEN_FENCES,
    SEEN_LOST_RACES, SEEN_LOST, SEEN_FOREIGN, SEEN_LATE_APPLIED,
    SEEN_LATE_REFUSED, SEEN_REPEATED, SEEN_KILLS, SEEN_KILLS_INSIDE,
    SEEN_CRASHES, SEEN_OLDER, SEEN_STALLS, SEEN_GIVEN_UP, SEEN_DISK_BEFORE,
    SEEN_DISK_AFTER, SEEN_BEGINS, SEEN_LATE, SEEN_ISSUED, SEEN_REPLAYED,
    SEEN_INSUFFICIENT, SEEN_NO_CLASS, SEEN_UNAVAILABLE, SEEN_NO_ROOM,
    SEEN_TOLD_GIVEN_UP, SEEN_ORDERS, SEEN_ORDERS_REFUSED, SEEN_AUTHORIZED,
    SEEN_NOT_AUTHORIZED, SEEN_TRIMMED, SEEN_DIVERGED, SEEN_RESTORED, SEEN_AWAY,
    SEEN_BLOCKED, SEEN_MORE, SEEN_BEFORE, SEEN_END
} seen_e;


typedef enum { PLAIN, RESTORED, AWAY } scenario_e;


typedef struct {
    uint64_t              seed;
    unsigned              step;
    int                   calm;        /* nothing fails */
    profile_t             profile;
    scenario_e            scenario;
    int                   restored;    /* the engine, to an older state */
    machine_t            *away;        /* it was away for too long */
    uint64_t              away_position;   /* it keeps */
    uint64_t              clock;       /* nanoseconds */
    task_t               *task;        /* that runs, or NULL */
    machine_t            *opening;     /* whose ledger is being opened */
    machine_t             machines[MACHINES];
    ask_t                 asks[ASKS];
    unsigned              nasks;
    record_t             *log;
    uint64_t              len;
    uint64_t             *claims;      /* by position: who was told it is his */
    uint64_t              seen[SEEN_END];
} world_t;


extern world_t  world;

/* ways to break the engine and the random bytes, for the test of the test */

extern int  without_fence, without_guard, same_bytes;

extern const char  *const class_codes[CLASSES];


/* chance.c */

void chance_begin(uint64_t seed);
uint64_t chance(uint64_t n);                   /* 0 to n - 1 */
int happens(unsigned thousandths);             /* not while all is calm */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trace_clear(void);
void fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void fail_by_signals(void);
void seen(seen_e what);
void seen_print(void);

/* engine.c */

void engine_begin(void);
void engine_end(void);
const stockcert_header_t *engine_header(void);
const stockcert_head_t *engine_head(void);
const stockcert_head_t *engine_before(uint64_t least);
int engine_find(uint64_t position, stockcert_batch_t *batch);
stockcert_rc_e engine_apply(const stockcert_head_t *guard,
    const stockcert_batch_t *batch, stockcert_head_t *next);
uint64_t engine_trim(uint64_t position);
void engine_snapshot(void);
int engine_restore(void);
void engine_heal(void);                        /* puts the log there again */

/* network.c */

void network_end(void);
void network_serve(worker_t *worker);          /* worker->replica */
void network_leave(const worker_t *sender);    /* who died */
void network_deliver(void);                    /* something, perhaps */
void network_settle(void);                     /* all that is late */

/* log.c */

void log_begin(void);
void log_end(void);
void log_add(const stockcert_batch_t *batch);
int log_was(uint64_t since, int class, int64_t most);
int log_lacked(uint64_t since, int class, uint64_t number);

/* task.c */

void task_start(worker_t *worker);
void task_run(task_t *task);
void task_pause(const char *point);
void task_abandon(task_t *task);
int task_ready(const task_t *task);
int task_go_on(void);                          /* any; 0 if none can */

/* machine.c */

void machine_begin(machine_t *machine, unsigned n);
void machine_end(machine_t *machine);
void machine_crash(machine_t *machine);
void machine_take(machine_t *machine, const uint8_t *bytes, size_t len);
uint8_t *machine_copy(const machine_t *machine, size_t *len);
void machine_look(machine_t *machine);
void machine_watch(machine_t *machine);
int machine_writes(const machine_t *machine);
machine_t *machine_any(void);

/* worker.c */

void worker_begin(worker_t *worker, int anyway);
void worker_open(worker_t *worker);
void worker_close(worker_t *worker);
void worker_kill(worker_t *worker);
void worker_work(worker_t *worker);            /* on its own stack */
void worker_ended(worker_t *worker);
void worker_wake(void *data, size_t lane);

/* tool.c */

void tool_begin(machine_t *machine);
void tool_work(worker_t *worker);
void tool_leave(worker_t *worker);

/* client.c */

ask_t *client_new(int order);
void client_issued(ask_t *ask, uint64_t position, uint64_t number,
    const uint8_t *seal, int replayed);        /* seal may be NULL */
void client_ask(worker_t *worker);
void client_late(worker_t *worker);
void client_leave(worker_t *worker);           /* nobody waits there any more */
void client_tell(worker_t *worker);

/* order.c */

void order_put(worker_t *worker, ask_t *ask);
void order_tell(worker_t *worker, int gives_up);

/* scenario.c */

void scenario_crash(machine_t *machine);
void scenario_keep_copy(machine_t *machine);
uint64_t scenario_trim(const machine_t *without);
void scenario_make_room(void);
void scenario_settle(void);
void scenario_turn_of_events(void);
void scenario_come_back(void);
void scenario_take_back(machine_t *machine);

/* check.c */

void check_machine(machine_t *machine, int whole);
void check_asks(void);


#endif /* WORLD_H */
