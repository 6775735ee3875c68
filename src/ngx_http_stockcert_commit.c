
#include <ngx_http_stockcert.h>

#include <stdatomic.h>


/*
 * How grants become certificates.
 *
 * A lane is a ring of slots, one for each ledger in each worker.  Two parties
 * know it: the event loop, and the thread task that commits.  Positions count
 * the slots since the worker started and only grow; the slot of a position is
 * slots[position % NGX_HTTP_STOCKCERT_SLOTS]:
 *
 *     answered  <=  settled  <=  filled  <=  answered + SLOTS
 *
 *     [answered, settled)   committed (or failed) together, being answered
 *     [settled, filled)     waiting, or in the batch that is on its way
 *
 *  - The event loop fills a slot, then moves "filled".  That release and the
 *    task's acquire of it are all that passes a grant to the thread.
 *  - There is at most one task.  It begins the transaction, which is when it
 *    may wait for other workers, and only then looks at "filled": all that came
 *    while it waited is in the batch.  It writes outcomes into the slots from
 *    "settled" to where it looked, commits, and is done.
 *  - The completion, on the event loop again, moves "settled" and starts the
 *    next task if more came, before it answers: the next flush does not wait
 *    for the answers to be written.  Nginx's own completion queue passes the
 *    outcomes back.
 *
 * Why it is safe: a slot from "settled" on is the task's, one below it or from
 * "filled" on the event loop's, and each of the three is written by the event
 * loop only.  A request whose client has gone stays until its batch is done
 * (r->main->blocked), so a slot's request is always there.  A full ring is a
 * 503 for the next request, so memory is bounded.
 *
 * Until its outcome is there, a request hangs on
 * ngx_http_stockcert_wait_handler(), which does nothing; if nginx terminates
 * it meanwhile, it puts a handler of its own there, which is called instead of
 * answering.
 */


#define NGX_HTTP_STOCKCERT_SLOTS  4096     /* a power of 2 */

#define NGX_HTTP_STOCKCERT_RETRY  1000     /* milliseconds between two tries to
                                              open a ledger */
#define NGX_HTTP_STOCKCERT_HOLD   60000    /* milliseconds */


/* what a task is told, and what it tells */

typedef struct {
    stockcert_ledger_t            *ledger;     /* NULL: the task opens it */
    ngx_uint_t                     end;        /* position behind the batch */
    stockcert_rc_e                 rc;
    stockcert_error_t              error;
} ngx_http_stockcert_batch_t;


struct ngx_http_stockcert_lane_s {
    ngx_http_stockcert_ledger_t   *conf;
    ngx_log_t                     *log;

    stockcert_ledger_t            *ledger;     /* NULL while it is not open */
    ngx_msec_t                     retry;      /* not to be opened before */
    unsigned                       failed:1;   /* to be opened again */

    ngx_thread_task_t             *task;
    ngx_http_stockcert_batch_t     batch;

    ngx_uint_t                     answered;
    ngx_uint_t                     settled;
    _Atomic ngx_uint_t             filled;

    ngx_http_request_t           **requests;
    stockcert_slot_t              *slots;

    ngx_event_t                    hold;       /* keeps a worker that quits */
    ngx_connection_t               dummy;
};


static stockcert_rc_e ngx_http_stockcert_open(
    ngx_http_stockcert_ledger_t *conf, stockcert_ledger_t **ledger,
    stockcert_error_t *error);
static void ngx_http_stockcert_opened(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_close(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_log(ngx_http_stockcert_lane_t *lane,
    const stockcert_error_t *error);

static ngx_uint_t ngx_http_stockcert_may_open(ngx_http_stockcert_lane_t *lane);
static ngx_int_t ngx_http_stockcert_post_task(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_task(void *data, ngx_log_t *log);
static stockcert_rc_e ngx_http_stockcert_issue(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_task_done(ngx_event_t *ev);
static void ngx_http_stockcert_answer(ngx_http_stockcert_lane_t *lane,
    stockcert_rc_e rc);
static void ngx_http_stockcert_wait_handler(ngx_http_request_t *r);
static void ngx_http_stockcert_hold_handler(ngx_event_t *ev);


ngx_int_t
ngx_http_stockcert_lane_create(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ngx_pcalloc(cycle->pool, sizeof(ngx_http_stockcert_lane_t));
    if (lane == NULL) {
        return NGX_ERROR;
    }

    lane->requests = ngx_palloc(cycle->pool, NGX_HTTP_STOCKCERT_SLOTS
                                             * sizeof(ngx_http_request_t *));
    lane->slots = ngx_palloc(cycle->pool, NGX_HTTP_STOCKCERT_SLOTS
                                          * sizeof(stockcert_slot_t));
    lane->task = ngx_thread_task_alloc(cycle->pool, 0);

    if (lane->requests == NULL || lane->slots == NULL || lane->task == NULL) {
        return NGX_ERROR;
    }

    lane->conf = ledger;
    lane->log = cycle->log;

    lane->task->ctx = lane;
    lane->task->handler = ngx_http_stockcert_task;
    lane->task->event.handler = ngx_http_stockcert_task_done;
    lane->task->event.data = lane;
    lane->task->event.log = cycle->log;

    lane->dummy.fd = (ngx_socket_t) -1;
    lane->dummy.data = lane;
    lane->hold.handler = ngx_http_stockcert_hold_handler;
    lane->hold.data = &lane->dummy;
    lane->hold.log = cycle->log;

    ledger->lane = lane;

    if (ngx_http_stockcert_open(ledger, &lane->ledger, &lane->batch.error)
        == STOCKCERT_OK)
    {
        ngx_http_stockcert_opened(lane);

    } else {
        ngx_http_stockcert_log(lane, &lane->batch.error);
    }

    return NGX_OK;
}


void
ngx_http_stockcert_lane_destroy(ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    if (lane == NULL) {
        return;
    }

    /* the thread pool has gone, but the end of a last task may be unheard */

    if (lane->task->event.active) {
        lane->ledger = lane->batch.ledger;
    }

    ngx_http_stockcert_close(lane);
}


ngx_int_t
ngx_http_stockcert_commit(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, const stockcert_grant_t *grant,
    ngx_http_stockcert_problem_e *problem)
{
    ngx_uint_t                  filled;
    stockcert_slot_t           *slot;
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    if (lane->ledger == NULL && !ngx_http_stockcert_may_open(lane)) {
        *problem = NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE;
        return NGX_DECLINED;
    }

    filled = atomic_load_explicit(&lane->filled, memory_order_relaxed);

    if (filled - lane->answered == NGX_HTTP_STOCKCERT_SLOTS) {
        *problem = NGX_HTTP_STOCKCERT_TOO_MANY_WAITING;
        return NGX_DECLINED;
    }

    slot = &lane->slots[filled % NGX_HTTP_STOCKCERT_SLOTS];

    slot->grant = *grant;
    slot->outcome.status = STOCKCERT_WAITING;

    lane->requests[filled % NGX_HTTP_STOCKCERT_SLOTS] = r;

    atomic_store_explicit(&lane->filled, filled + 1, memory_order_release);

    if (!lane->task->event.active
        && ngx_http_stockcert_post_task(lane) != NGX_OK)
    {
        atomic_store_explicit(&lane->filled, filled, memory_order_relaxed);

        *problem = NGX_HTTP_STOCKCERT_TOO_MANY_WAITING;
        return NGX_DECLINED;
    }

    r->main->blocked++;
    r->write_event_handler = ngx_http_stockcert_wait_handler;

    return NGX_OK;
}


stockcert_ledger_t *
ngx_http_stockcert_lane_ledger(ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    if (lane->failed) {
        return NULL;
    }

    if (lane->ledger == NULL && !lane->task->event.active
        && ngx_http_stockcert_may_open(lane))
    {
        (void) ngx_http_stockcert_post_task(lane);
    }

    return lane->ledger;
}


void
ngx_http_stockcert_lane_failed(ngx_http_stockcert_ledger_t *ledger,
    const stockcert_error_t *error)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    ngx_http_stockcert_log(lane, error);

    if (lane->task->event.active) {
        lane->failed = 1;
        return;
    }

    ngx_http_stockcert_close(lane);
}


/* on the event loop as the worker starts, later in the task */

static stockcert_rc_e
ngx_http_stockcert_open(ngx_http_stockcert_ledger_t *conf,
    stockcert_ledger_t **ledger, stockcert_error_t *error)
{
    stockcert_ledger_conf_t  lc;

    lc.path = (char *) conf->path.data;
    lc.size = conf->size;
    lc.company.len = conf->company.len;
    lc.company.data = (char *) conf->company.data;
    lc.nclasses = conf->classes.nelts;
    lc.classes = conf->classes.elts;

    return stockcert_ledger_open(&lc, ledger, error);
}


/* the ledger is the truth; where the configuration differs, say so once */

static void
ngx_http_stockcert_opened(ngx_http_stockcert_lane_t *lane)
{
    ngx_uint_t           i;
    stockcert_class_t   *conf, class;
    stockcert_error_t    error;

    if (ngx_worker != 0
        || stockcert_ledger_snapshot(lane->ledger, &error) != STOCKCERT_OK)
    {
        return;
    }

    conf = lane->conf->classes.elts;

    for (i = 0; i < lane->conf->classes.nelts; i++) {

        if (stockcert_ledger_class(lane->ledger, conf[i].code.data,
                                   conf[i].code.len, &class, &error)
            != STOCKCERT_OK)
        {
            continue;
        }

        if (class.authorized != conf[i].authorized) {
            ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                          "stockcert ledger \"%V\" has %uL authorized shares "
                          "of class %*s, not %uL as configured; to amend it: "
                          "stockcert authorize %V %*s %uL "
                          "--reference \"...\"",
                          &lane->conf->name, class.authorized,
                          conf[i].code.len, conf[i].code.data,
                          conf[i].authorized, &lane->conf->path,
                          conf[i].code.len, conf[i].code.data,
                          conf[i].authorized);
        }

        if (class.title.len != conf[i].title.len
            || ngx_memcmp(class.title.data, conf[i].title.data,
                          class.title.len)
               != 0)
        {
            ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                          "stockcert ledger \"%V\" has the title \"%*s\" for "
                          "class %*s, which stays",
                          &lane->conf->name, class.title.len,
                          class.title.data, conf[i].code.len,
                          conf[i].code.data);
        }
    }

    stockcert_ledger_release(lane->ledger);
}


static void
ngx_http_stockcert_close(ngx_http_stockcert_lane_t *lane)
{
    if (lane->ledger) {
        stockcert_ledger_close(lane->ledger);
        lane->ledger = NULL;
    }

    lane->failed = 0;
}


static void
ngx_http_stockcert_log(ngx_http_stockcert_lane_t *lane,
    const stockcert_error_t *error)
{
    ngx_log_error(NGX_LOG_CRIT, lane->log, 0,
                  "stockcert ledger \"%V\" in \"%V\": %s", &lane->conf->name,
                  &lane->conf->path, error->text);
}


static ngx_uint_t
ngx_http_stockcert_may_open(ngx_http_stockcert_lane_t *lane)
{
    return lane->task->event.active
           || (ngx_msec_int_t) (ngx_current_msec - lane->retry) >= 0;
}


static ngx_int_t
ngx_http_stockcert_post_task(ngx_http_stockcert_lane_t *lane)
{
    lane->batch.ledger = lane->ledger;

    if (ngx_thread_task_post(lane->conf->thread_pool, lane->task) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_add_timer(&lane->hold, NGX_HTTP_STOCKCERT_HOLD);

    return NGX_OK;
}


/* runs in a thread of the pool: touches the batch and its slots, nothing else */

static void
ngx_http_stockcert_task(void *data, ngx_log_t *log)
{
    ngx_http_stockcert_lane_t *lane = data;

    ngx_http_stockcert_batch_t  *batch;

    batch = &lane->batch;

    if (batch->ledger == NULL) {
        batch->rc = ngx_http_stockcert_open(lane->conf, &batch->ledger,
                                            &batch->error);
        if (batch->rc != STOCKCERT_OK) {
            goto failed;
        }
    }

    batch->rc = stockcert_ledger_begin(batch->ledger, &batch->error);
    if (batch->rc != STOCKCERT_OK) {
        goto failed;
    }

    batch->end = atomic_load_explicit(&lane->filled, memory_order_acquire);

    batch->rc = ngx_http_stockcert_issue(lane);

    if (batch->rc != STOCKCERT_OK) {
        stockcert_ledger_abort(batch->ledger);
        return;
    }

    batch->rc = stockcert_ledger_commit(batch->ledger, &batch->error);

    return;

failed:

    /* what waits has failed with it */

    batch->end = atomic_load_explicit(&lane->filled, memory_order_acquire);
}


static stockcert_rc_e
ngx_http_stockcert_issue(ngx_http_stockcert_lane_t *lane)
{
    ngx_uint_t      first, start, n;
    stockcert_rc_e  rc;

    for (first = lane->settled; first != lane->batch.end; first += n) {

        /* up to the end of the ring at a time */

        start = first % NGX_HTTP_STOCKCERT_SLOTS;
        n = ngx_min(lane->batch.end - first, NGX_HTTP_STOCKCERT_SLOTS - start);

        rc = stockcert_ledger_issue(lane->batch.ledger, &lane->slots[start],
                                    n, &lane->batch.error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    return STOCKCERT_OK;
}


static void
ngx_http_stockcert_task_done(ngx_event_t *ev)
{
    ngx_http_stockcert_lane_t *lane = ev->data;

    stockcert_rc_e  rc;

    ngx_del_timer(&lane->hold);

    rc = lane->batch.rc;

    if (rc != STOCKCERT_OK) {
        ngx_http_stockcert_log(lane, &lane->batch.error);
    }

    if (lane->batch.ledger == NULL) {
        lane->retry = ngx_current_msec + NGX_HTTP_STOCKCERT_RETRY;

    } else if (lane->ledger == NULL) {
        lane->ledger = lane->batch.ledger;
        ngx_http_stockcert_opened(lane);
    }

    if (rc == STOCKCERT_FAILED || rc == STOCKCERT_UNKNOWN || lane->failed) {
        ngx_http_stockcert_close(lane);
    }

    lane->settled = lane->batch.end;

    /* the next batch first, then the answers of this one */

    if (lane->settled != atomic_load_explicit(&lane->filled,
                                              memory_order_relaxed))
    {
        (void) ngx_http_stockcert_post_task(lane);
    }

    ngx_http_stockcert_answer(lane, rc);

    /* if there is no task for what waits, it could not be posted */

    if (!lane->task->event.active) {
        lane->settled = atomic_load_explicit(&lane->filled,
                                             memory_order_relaxed);
        ngx_http_stockcert_answer(lane, STOCKCERT_FAILED);
    }
}


/* answers what is settled, with rc or, if that is OK, its outcome */

static void
ngx_http_stockcert_answer(ngx_http_stockcert_lane_t *lane, stockcert_rc_e rc)
{
    ngx_int_t            status;
    stockcert_slot_t    *slot;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    static const ngx_http_stockcert_problem_e  problems[] = {
        [STOCKCERT_FULL] = NGX_HTTP_STOCKCERT_LEDGER_FULL,
        [STOCKCERT_FAILED] = NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
        [STOCKCERT_UNKNOWN] = NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN
    };

    while (lane->answered != lane->settled) {

        r = lane->requests[lane->answered % NGX_HTTP_STOCKCERT_SLOTS];
        slot = &lane->slots[lane->answered % NGX_HTTP_STOCKCERT_SLOTS];
        c = r->connection;

        ngx_http_set_log_request(c->log, r);

        r->main->blocked--;

        if (r->write_event_handler == ngx_http_stockcert_wait_handler) {
            r->write_event_handler = ngx_http_request_empty_handler;

            status = (rc == STOCKCERT_OK)
                     ? ngx_http_stockcert_reply_outcome(r, slot)
                     : ngx_http_stockcert_problem(r, problems[rc], NULL, NULL);

            /* the slot has been read; the request may be gone after this */

            lane->answered++;

            ngx_http_finalize_request(r, status);

        } else {
            lane->answered++;

            r->write_event_handler(r);
        }

        ngx_http_run_posted_requests(c);
    }
}


static void
ngx_http_stockcert_wait_handler(ngx_http_request_t *r)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "stockcert waits for its commit");
}


static void
ngx_http_stockcert_hold_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_stockcert_lane_t *lane = c->data;

    ngx_log_error(NGX_LOG_ALERT, lane->log, 0,
                  "stockcert ledger \"%V\": a commit takes over a minute",
                  &lane->conf->name);

    ngx_add_timer(ev, NGX_HTTP_STOCKCERT_HOLD);
}
