
/*
 * Workers, as nginx has them: one opens the ledger, leads, closes it where that
 * is asked for, dies, and begins again.
 */


#include "world.h"


static void worker_commit(worker_t *worker);
static void worker_take(worker_t *worker);


/*
 * LMDB's handles of one environment must not be opened in two transactions at
 * once
 */

void
worker_open(worker_t *worker)
{
    stockcert_rc_e            rc;
    stockcert_tail_t          known;
    stockcert_error_t         error;
    stockcert_ledger_conf_t   conf;

    if (machine_writes(worker->machine)) {
        return;
    }

    stockcert_lanes_known(worker->machine->lanes, &known);

    memset(&conf, 0, sizeof(stockcert_ledger_conf_t));

    conf.path = worker->machine->path;
    conf.access = worker->n == TOOL ? STOCKCERT_WRITE : STOCKCERT_MAKE;
    conf.size = worker->machine->size;
    conf.wait = 1;
    conf.replica = &worker->replica;
    conf.company.data = "Impossible Cuts Inc.";
    conf.company.len = strlen(conf.company.data);
    conf.classes = worker->machine->classes;
    conf.nclasses = worker->machine->nclasses;

    if (worker->n != TOOL) {
        conf.known = &known;
        conf.shared = &worker->machine->lanes->shared;
    }

    world.opening = worker->machine;

    rc = stockcert_ledger_open(&conf, &worker->ledger, &error);

    world.opening = NULL;
    worker->panics = 0;
    worker->failed = 0;

    if (rc == STOCKCERT_OK) {
        trace("%u.%u opens", worker->machine->n, worker->n);
        return;
    }

    trace("%u.%u cannot open: %s", worker->machine->n, worker->n, error.text);

    worker->ledger = NULL;

    if (rc != STOCKCERT_UNREACHED && rc != STOCKCERT_FULL
        && rc != STOCKCERT_BUSY)
    {
        fail("machine %u cannot open its ledger: %s", worker->machine->n,
             error.text);
    }
}


void
worker_close(worker_t *worker)
{
    stockcert_ledger_t  *ledger;

    ledger = worker->ledger;
    worker->ledger = NULL;

    if (ledger == NULL) {
        return;
    }

    if (ledger->writer && !worker->task.committed) {
        mdb_txn_abort(ledger->writer);
    }

    stockcert_ledger_close(ledger);
}


/* another process has its lane then */

void
worker_kill(worker_t *worker)
{
    if (worker->task.runs) {
        trace("%u.%u is killed: %s", worker->machine->n, worker->n,
              worker->task.point);
        task_abandon(&worker->task);
        network_leave(worker);
    }

    machine_look(worker->machine);
    worker_close(worker);
    client_leave(worker);
    tool_leave(worker);

    worker->task.committed = 0;

    if (worker->n == TOOL) {
        return;
    }

    worker->answered = stockcert_lane_filled(
                           &worker->machine->lanes->lanes[worker->n]);

    worker->leader.rc = STOCKCERT_OK;
    memset(&worker->leader.pace, 0, sizeof(stockcert_pace_t));
}


void
worker_wake(void *data, size_t lane)
{
    worker_t *worker = data;

    client_tell(&worker->machine->workers[lane]);

    if (chance(8) == 0) {
        task_pause("wake");
    }
}


/* as the thread of a lane's task */

void
worker_work(worker_t *worker)
{
    stockcert_rc_e      rc;
    stockcert_error_t   error;
    machine_t          *machine;

    machine = worker->machine;

    if (worker->n == TOOL) {
        tool_work(worker);
        return;
    }

    if (!worker->opened) {
        rc = stockcert_lanes_catch_up(&worker->leader, worker->ledger, &error);

        if (rc == STOCKCERT_OK) {
            rc = stockcert_ledger_open_classes(worker->ledger, machine->classes,
                                               machine->nclasses, &error);
        }

        trace("opens classes: %d %s", rc, rc ? error.text : "");

        worker->opened = (rc == STOCKCERT_OK);
        worker->failed = rc == STOCKCERT_FAILED || rc == STOCKCERT_UNKNOWN
                         || rc == STOCKCERT_REPLACED;
    }

    if (!worker->failed && worker->order) {
        worker_take(worker);
    }

    if (!worker->failed) {
        worker_commit(worker);
    }
}


static void
worker_told(worker_t *worker, const char *what, stockcert_rc_e rc,
    const stockcert_error_t *error)
{
    trace("%s: %d %s", what, rc, rc == STOCKCERT_OK ? "" : error->text);

    switch (rc) {

    case STOCKCERT_OK:
    case STOCKCERT_FULL:
    case STOCKCERT_UNREACHED:
        return;

    case STOCKCERT_DIVERGED:
        seen(SEEN_DIVERGED);

        if (!world.restored && worker->machine != world.away
            && world.profile.foreign == 0)
        {
            fail("machine %u diverges: %s", worker->machine->n, error->text);
        }

        return;

    case STOCKCERT_REPLACED:
        fail("machine %u: %s", worker->machine->n, error->text);

    case STOCKCERT_FAILED:
    case STOCKCERT_UNKNOWN:
        worker->failed = 1;
        return;

    default:
        fail("%s returns %d: %s", what, rc, error->text);
    }
}


static void
worker_take(worker_t *worker)
{
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    rc = stockcert_turn_take(&worker->order->turn, worker->machine->lanes,
                             worker->ledger, &error);

    worker_told(worker, "order", rc, &error);

    /* the engine may answer the next time */

    if (rc == STOCKCERT_UNREACHED && chance(2)) {
        worker->order->turn.done.status = STOCKCERT_WAITING;
    }

    order_tell(worker, 0);
}


static void
worker_commit(worker_t *worker)
{
    uint64_t           rounds;
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    rounds = 1 + chance(3);

    do {
        worker->leader.confirms = world.calm || chance(4) == 0
                                  || atomic_load(
                                       &worker->machine->lanes->shared.seen)
                                     > atomic_load(
                                       &worker->machine->lanes->shared.reached);

        rc = stockcert_lanes_commit(&worker->leader, worker->ledger, &error);

        worker_told(worker, "commit", rc, &error);

    } while (rc == STOCKCERT_OK && --rounds
             && stockcert_lanes_waiting(worker->machine->lanes));
}


void
worker_ended(worker_t *worker)
{
    if (worker->failed || worker->n == TOOL) {
        worker_close(worker);
        worker->failed = 0;
    }
}


void
worker_begin(worker_t *worker, int anyway)
{
    machine_t  *machine;

    machine = worker->machine;

    if (world.step < machine->down && !world.calm) {
        return;
    }

    if (worker->ledger == NULL) {
        worker_open(worker);
        return;
    }

    if (!worker->task.runs
        && (anyway || worker->order || !worker->opened
            || stockcert_lanes_waiting(machine->lanes)))
    {
        task_start(worker);
    }
}
