
/*
 * The network between machines and engine.
 *
 * A request is in flight as soon as it is sent.  It arrives while its leader
 * waits, or later, or never.  Its answer is told, lost, or that of a second
 * try that nobody knows of.
 */


#include "world.h"


#define REQUESTS  16


typedef struct {
    int                    used;
    worker_t              *sender;     /* who waits for an answer, or NULL */
    int                    arrived;
    stockcert_rc_e         rc;
    stockcert_head_t       guard;
    stockcert_head_t       next;
    int                    batched;
    stockcert_batch_t      batch;
} request_t;


static request_t  requests[REQUESTS];


static stockcert_rc_e network_origin(stockcert_replica_t *replica,
    stockcert_header_t *header, stockcert_error_t *error);
static stockcert_rc_e network_head(stockcert_replica_t *replica,
    uint64_t position, uint64_t least, stockcert_head_t *head,
    stockcert_error_t *error);
static stockcert_rc_e network_append(stockcert_replica_t *replica,
    const stockcert_head_t *guard, const stockcert_batch_t *batch,
    stockcert_head_t *next, stockcert_error_t *error);
static stockcert_rc_e network_read(stockcert_replica_t *replica,
    uint64_t position, stockcert_batch_t *batch, stockcert_error_t *error);
static stockcert_rc_e network_waits(stockcert_replica_t *replica, int last,
    unsigned *waits, stockcert_error_t *error);
static void network_left(stockcert_replica_t *replica);
static void network_start(stockcert_replica_t *replica);
static int network_again(stockcert_replica_t *replica);


static const stockcert_replica_ops_t  network_ops = {
    .origin = network_origin,
    .head = network_head,
    .append = network_append,
    .read = network_read,
    .waits = network_waits,
    .leave = network_left,
    .start = network_start,
    .again = network_again
};


void
network_serve(worker_t *worker)
{
    worker->replica.ops = &network_ops;
    worker->replica.name = "/stockcert/acme/";
}


static worker_t *
network_worker(stockcert_replica_t *replica)
{
    return (worker_t *) ((char *) replica - offsetof(worker_t, replica));
}


static int
network_is_cut(stockcert_replica_t *replica)
{
    return world.step < network_worker(replica)->machine->cut && !world.calm;
}


/* the address of another engine, for a moment: that decides nothing */

static stockcert_rc_e
network_lost(stockcert_replica_t *replica, const char *what,
    unsigned thousandths, stockcert_error_t *error)
{
    if (network_is_cut(replica) || happens(thousandths)) {
        seen(SEEN_LOST);
        trace("%s: no answer", what);
        snprintf(error->text, sizeof(error->text), "%s: no answer", what);

        return STOCKCERT_UNREACHED;
    }

    if (world.task && happens(world.profile.foreign)) {
        seen(SEEN_FOREIGN);
        trace("%s: another engine answers", what);
        snprintf(error->text, sizeof(error->text), "another engine");

        return STOCKCERT_DIVERGED;
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
network_origin(stockcert_replica_t *replica, stockcert_header_t *origin,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    task_pause("origin");

    rc = network_lost(replica, "origin", world.profile.deaf, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    *origin = *engine_header();

    return STOCKCERT_OK;
}


/* what is told may be old by the time that it is */

static stockcert_rc_e
network_head(stockcert_replica_t *replica, uint64_t position,
    uint64_t least, stockcert_head_t *head, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    (void) position;

    task_pause("head");

    rc = network_lost(replica, "head", world.profile.deaf, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    *head = *engine_head();

    if (least && chance(2)) {
        *head = *engine_before(least);

        if (head->revision != engine_head()->revision) {
            seen(SEEN_BEFORE);
        }
    }

    trace("head: revision %" PRIu64 ", entry %" PRIu64, head->revision,
          head->tail.position);

    if (happens(200)) {
        task_pause("head, answered");
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
network_read(stockcert_replica_t *replica, uint64_t position,
    stockcert_batch_t *batch, stockcert_error_t *error)
{
    worker_t        *worker;
    stockcert_rc_e   rc;

    worker = network_worker(replica);

    task_pause("read");

    free(worker->bytes);
    worker->bytes = NULL;

    rc = network_lost(replica, "read", world.profile.deaf, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (!engine_find(position, batch)) {
        trace("read: entry %" PRIu64 " is not there", position);
        return STOCKCERT_NOT_FOUND;
    }

    worker->bytes = (uint8_t *) batch->data;

    return STOCKCERT_OK;
}


/* a hint may be wrong */

static stockcert_rc_e
network_waits(stockcert_replica_t *replica, int last, unsigned *waits,
    stockcert_error_t *error)
{
    (void) last;

    task_pause("waits");

    *waits = chance(4) != 0;

    return network_lost(replica, "waits", world.profile.deaf, error);
}


static void
network_left(stockcert_replica_t *replica)
{
    (void) replica;

    task_pause("leave");
}


static void
network_start(stockcert_replica_t *replica)
{
    (void) replica;
}


static int
network_again(stockcert_replica_t *replica)
{
    (void) replica;

    task_pause("again");

    world.clock += chance(500000000);

    if (happens(world.profile.gives_up) || network_is_cut(replica)) {
        seen(SEEN_GIVEN_UP);
        trace("gives up");
        return 0;
    }

    return 1;
}


static void
network_drop(request_t *r)
{
    free((void *) r->batch.data);
    r->used = 0;
}


static request_t *
network_send(worker_t *sender, const stockcert_head_t *guard,
    const stockcert_batch_t *batch, const stockcert_head_t *next)
{
    size_t      i;
    request_t  *r;

    /* where none is free, one that is late is lost */

    for (i = 0; i < REQUESTS && requests[i].used; i++) { /* void */ }

    if (i == REQUESTS) {
        for (i = 0; i < REQUESTS - 1 && requests[i].sender; i++) { /* void */ }
        network_drop(&requests[i]);
    }

    r = &requests[i];

    memset(r, 0, sizeof(request_t));

    r->used = 1;
    r->sender = sender;
    r->guard = *guard;
    r->next = *next;

    if (batch) {
        r->batched = 1;
        r->batch = *batch;
        r->batch.data = malloc(batch->len);
        memcpy((void *) r->batch.data, batch->data, batch->len);
    }

    return r;
}


static void
network_arrive(request_t *r)
{
    r->arrived = 1;
    r->rc = engine_apply(&r->guard, r->batched ? &r->batch : NULL, &r->next);
}


/* what a leader is told of its request, which may go on without it */

static stockcert_rc_e
network_answer(stockcert_replica_t *replica, request_t *r,
    stockcert_head_t *next, stockcert_error_t *error)
{
    stockcert_rc_e  rc, lost;

    lost = network_lost(replica, "append", world.profile.lost, error);

    if (!r->arrived && !(lost != STOCKCERT_OK && chance(3))) {
        network_arrive(r);
    }

    r->sender = NULL;

    if (lost != STOCKCERT_OK) {

        /* on its way still, or gone */

        if (r->arrived || chance(4) == 0) {
            network_drop(r);
        }

        return lost;
    }

    rc = r->rc;
    *next = r->next;
    next->wanted = chance(4) == 0;

    if (rc == STOCKCERT_OK && happens(world.profile.repeated)) {
        seen(SEEN_REPEATED);
        trace("network: repeated");
        rc = STOCKCERT_CHANGED;
    }

    network_drop(r);

    if (rc != STOCKCERT_OK) {
        seen(SEEN_LOST_RACES);

        if (chance(2)) {
            *next = *engine_head();

        } else {
            next->revision = 0;
        }
    }

    return rc;
}


static stockcert_rc_e
network_append(stockcert_replica_t *replica, const stockcert_head_t *guard,
    const stockcert_batch_t *batch, stockcert_head_t *next,
    stockcert_error_t *error)
{
    request_t       *r;
    stockcert_rc_e   rc;

    trace("%s by %" PRIu64, batch ? "appends" : "fences", guard->revision);

    r = network_send(network_worker(replica), guard, batch, next);

    /* a library may send it twice, and tell of the one that comes first */

    if (happens(world.profile.repeated)) {
        (void) network_send(NULL, guard, batch, next);
    }

    next->revision = UINT64_MAX;

    task_pause("append");

    rc = network_answer(replica, r, next, error);

    if (rc == STOCKCERT_OK && batch
        && network_worker(replica)->appends++)
    {
        seen(SEEN_MORE);
    }

    if (happens(300)) {
        task_pause("append, answered");
    }

    trace("append: %s", rc == STOCKCERT_OK ? "done"
                        : rc == STOCKCERT_CHANGED ? "guard failed" : "?");

    if (rc != STOCKCERT_OK) {
        snprintf(error->text, sizeof(error->text), "append");
    }

    return rc;
}


/* nobody waits for its answer any more */

void
network_leave(const worker_t *sender)
{
    request_t  *r;

    for (r = requests; r < requests + REQUESTS; r++) {
        if (r->used && r->sender == sender) {
            r->sender = NULL;

            if (r->arrived) {
                network_drop(r);
            }
        }
    }
}


/* one of those that are in flight comes, or is lost; most come soon, or late */

void
network_deliver(void)
{
    request_t  *r;

    r = &requests[chance(REQUESTS)];

    if (!r->used || r->arrived) {
        return;
    }

    if (r->sender) {
        network_arrive(r);
        return;
    }

    trace("network: a late request by %" PRIu64, r->guard.revision);

    if (chance(8)) {
        network_arrive(r);
        seen(r->rc == STOCKCERT_OK ? SEEN_LATE_APPLIED : SEEN_LATE_REFUSED);
    }

    network_drop(r);
}


/* whoever waited for those that arrived is not there any more */

void
network_settle(void)
{
    size_t      i, n;
    request_t  *r;

    n = chance(REQUESTS);

    for (i = 0; i < REQUESTS; i++) {
        r = &requests[(n + i) % REQUESTS];

        if (!r->used) {
            continue;
        }

        if (!r->arrived && chance(2) && !world.restored) {
            trace("network: a late request by %" PRIu64, r->guard.revision);
            network_arrive(r);
        }

        network_drop(r);
    }
}


void
network_end(void)
{
    size_t  i;

    for (i = 0; i < REQUESTS; i++) {
        if (requests[i].used) {
            network_drop(&requests[i]);
        }
    }
}
