
#include <ngx_http_stockcert_lane.h>


/*
 * How a worker takes part in the commit of all workers, which is described in
 * stockcert_lanes.h.  (ngx_http_stockcert_lane.c has what a worker has.)
 *
 *  - The event loop fills slots of the worker's own lane, and remembers the
 *    request of each.  If nobody leads, it posts the task that does.
 *  - The task, on a thread of nginx's pool, commits as long as anything waits
 *    in any lane.  It touches nothing of a request.
 *  - An eventfd for each worker, made in the master before the fork, tells its
 *    event loop that there is something to answer; the loop answers all that
 *    is settled in its lanes.
 *
 * The event loop waits for nobody, and neither does a thread but for LMDB's
 * lock and the disk.  While a request waits, a timer looks for a leader that
 * died, and keeps a worker that quits until its last request is answered.
 *
 * A request whose client has gone stays until its slot is settled
 * (r->main->blocked).  Until then its write_event_handler is one that does
 * nothing; if nginx terminates the request it puts a handler of its own there,
 * which is called instead of answering.
 *
 * A ledger that fails is closed by the event loop, as that reads it, too, once
 * the task has ended, and opened again by another task.
 */


#define NGX_HTTP_STOCKCERT_LOOK   50       /* milliseconds between two looks for
                                              a leader */
#define NGX_HTTP_STOCKCERT_LATE   1000     /* milliseconds without a commit
                                              until one leads as well */
#define NGX_HTTP_STOCKCERT_RETRY  1000     /* milliseconds from a failed try to
                                              open a ledger to the next */


static void ngx_http_stockcert_watch(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_lead(ngx_http_stockcert_lane_t *lane,
    ngx_uint_t late);
static void ngx_http_stockcert_commit_all(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);
static void ngx_http_stockcert_wake(void *data, size_t worker);
static void ngx_http_stockcert_give_up(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_answer(ngx_http_stockcert_lane_t *lane,
    uint64_t end);
static void ngx_http_stockcert_wait_handler(ngx_http_request_t *r);


ngx_int_t
ngx_http_stockcert_commit(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, const stockcert_grant_t *grant,
    ngx_http_stockcert_problem_e *problem)
{
    uint64_t                    filled;
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    if (ngx_http_stockcert_lane_ledger(ledger) == NULL) {
        *problem = NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE;
        return NGX_DECLINED;
    }

    filled = stockcert_lane_filled(lane->lane);

    if (stockcert_lane_fill(lane->lanes, lane->lane, lane->answered, grant)
        != 0)
    {
        *problem = NGX_HTTP_STOCKCERT_TOO_MANY_WAITING;
        return NGX_DECLINED;
    }

    lane->requests[filled % STOCKCERT_LANE_SLOTS] = r;

    r->main->blocked++;
    r->write_event_handler = ngx_http_stockcert_wait_handler;

    ngx_http_stockcert_watch(lane);
    ngx_http_stockcert_lead(lane, 0);

    return NGX_OK;
}


static void
ngx_http_stockcert_watch(ngx_http_stockcert_lane_t *lane)
{
    if (!lane->look.timer_set) {
        lane->progress = ngx_current_msec;
        ngx_add_timer(&lane->look, NGX_HTTP_STOCKCERT_LOOK);
    }
}


/* if nobody leads; if it is late, also if the leader is gone or stuck */

static void
ngx_http_stockcert_lead(ngx_http_stockcert_lane_t *lane, ngx_uint_t late)
{
    ngx_uint_t  stuck;

    /* as a task ends, it is looked whether anything waits */

    if (lane->thread_task->event.active) {
        return;
    }

    if (lane->ledger == NULL) {
        ngx_http_stockcert_lane_reopen(lane);
        return;
    }

    if (late) {
        stuck = ngx_current_msec - lane->progress > NGX_HTTP_STOCKCERT_LATE;

        if (!stockcert_lanes_take_over(lane->lanes, stuck)) {
            return;
        }

    } else if (!stockcert_lanes_lead(lane->lanes)) {
        return;
    }

    if (ngx_http_stockcert_post(lane) != NGX_OK) {

        /* the pool's queue is full; the timer tries again */

        stockcert_lanes_resign(lane->lanes);
    }
}


ngx_int_t
ngx_http_stockcert_post(ngx_http_stockcert_lane_t *lane)
{
    lane->task.ledger = lane->ledger;
    lane->task.rc = lane->refuse;

    return ngx_thread_task_post(lane->conf->thread_pool, lane->thread_task);
}


/* on a thread: touches lane->task, and what is shared */

void
ngx_http_stockcert_thread(void *data, ngx_log_t *log)
{
    ngx_http_stockcert_lane_t *lane = data;

    if (lane->task.ledger) {
        ngx_http_stockcert_commit_all(lane, log);
        return;
    }

    lane->task.rc = ngx_http_stockcert_lane_open(lane->conf,
                                                 &lane->task.ledger,
                                                 &lane->task.error);
}


static void
ngx_http_stockcert_commit_all(ngx_http_stockcert_lane_t *lane, ngx_log_t *log)
{
    size_t                      i;
    ngx_uint_t                  leave;
    stockcert_rc_e              rc;
    ngx_http_stockcert_task_t  *task;

    task = &lane->task;

    rc = task->rc;

    do {
        do {
            rc = stockcert_lanes_commit(lane->lanes, task->ledger, rc,
                                        ngx_http_stockcert_wake, lane,
                                        &task->pace, &task->error);

            /* every one may fail: one line a second will do */

            if (rc != STOCKCERT_OK && task->logged != ngx_time()) {
                task->logged = ngx_time();
                ngx_http_stockcert_log(log, lane->conf, &task->error);
            }

            /* a worker that ends leaves the lead to others */

            leave = (rc != STOCKCERT_OK && rc != STOCKCERT_FULL)
                    || lane->failed || ngx_exiting || ngx_quit || ngx_terminate;

            if (!leave) {
                stockcert_lanes_gather(lane->lanes, &task->pace);
            }

        } while (!leave && stockcert_lanes_waiting(lane->lanes));

        stockcert_lanes_resign(lane->lanes);

        /* nobody leads; whoever filled a slot before saw a leader, though */

    } while (!leave && stockcert_lanes_waiting(lane->lanes)
             && stockcert_lanes_lead(lane->lanes));

    task->rc = rc;

    if (!leave) {
        return;
    }

    for (i = 0; i < lane->lanes->nlanes; i++) {
        if (stockcert_lane_waiting(&lane->lanes->lanes[i])) {
            ngx_http_stockcert_wake(lane, i);
        }
    }
}


static void
ngx_http_stockcert_wake(void *data, size_t worker)
{
    ngx_http_stockcert_lane_t *lane = data;

    uint64_t  one;

    one = 1;

    if (write(lane->conf->wakes[worker], &one, sizeof(one)) == -1) {
        ngx_log_error(NGX_LOG_ALERT, lane->log, ngx_errno,
                      "write() to the eventfd of worker %uz failed", worker);
    }
}


void
ngx_http_stockcert_thread_handler(ngx_event_t *ev)
{
    ngx_http_stockcert_lane_t *lane = ev->data;

    ngx_uint_t                  again;
    ngx_http_stockcert_task_t  *task;

    task = &lane->task;

    if (task->ledger == NULL) {
        ngx_http_stockcert_log(lane->log, lane->conf, &task->error);

        lane->retry = ngx_current_msec + NGX_HTTP_STOCKCERT_RETRY;

        /*
         * without the lock it cannot be told whether another leader is at what
         * still waits here: it is not known
         */

        ngx_http_stockcert_answer(lane, stockcert_lane_filled(lane->lane));
        return;
    }

    if (lane->ledger == NULL) {
        lane->ledger = task->ledger;
        ngx_http_stockcert_lane_opened(lane);

    } else {
        again = (lane->refuse != STOCKCERT_OK
                 && lane->refuse != STOCKCERT_FULL);

        lane->refuse = task->rc;

        if (task->rc == STOCKCERT_FAILED || task->rc == STOCKCERT_UNKNOWN) {
            lane->failed = 1;
        }

        if (lane->failed) {
            ngx_http_stockcert_lane_close(lane);

            if (again) {
                ngx_http_stockcert_give_up(lane);
            }
        }
    }

    ngx_http_stockcert_settled(lane);
}


/*
 * A ledger that can be opened, but fails again and again, as with a disk that
 * does not flush: those who have waited for long are told that it is not known
 */

static void
ngx_http_stockcert_give_up(ngx_http_stockcert_lane_t *lane)
{
    if (stockcert_lane_waiting(lane->lane)
        && ngx_current_msec - lane->progress > NGX_HTTP_STOCKCERT_LATE)
    {
        lane->retry = ngx_current_msec + NGX_HTTP_STOCKCERT_RETRY;

        ngx_http_stockcert_answer(lane, stockcert_lane_filled(lane->lane));
    }
}


void
ngx_http_stockcert_wake_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_stockcert_main_conf_t *smcf = c->data;

    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t  **ledgers;

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        ngx_http_stockcert_settled(ledgers[i]->lane);
    }
}


void
ngx_http_stockcert_look_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_stockcert_lane_t *lane = c->data;

    ngx_add_timer(ev, NGX_HTTP_STOCKCERT_LOOK);

    ngx_http_stockcert_settled(lane);

    if (stockcert_lane_waiting(lane->lane)) {
        ngx_http_stockcert_lead(lane, 1);
    }
}


void
ngx_http_stockcert_settled(ngx_http_stockcert_lane_t *lane)
{
    ngx_http_stockcert_answer(lane, stockcert_lane_settled(lane->lane));

    /* a worker without a timer may quit: not before it has answered */

    if (lane->answered == stockcert_lane_filled(lane->lane)
        && !stockcert_lane_waiting(lane->lane))
    {

        if (lane->look.timer_set) {
            ngx_del_timer(&lane->look);
        }

        return;
    }

    ngx_http_stockcert_watch(lane);
    ngx_http_stockcert_lead(lane, 0);
}


/* with its outcome, or if it is not settled, that this is not known */

static void
ngx_http_stockcert_answer(ngx_http_stockcert_lane_t *lane, uint64_t end)
{
    uint64_t             settled;
    ngx_int_t            rc;
    stockcert_slot_t    *slot;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    settled = stockcert_lane_settled(lane->lane);

    if (lane->answered < settled) {
        lane->progress = ngx_current_msec;
    }

    while (lane->answered < end) {

        r = lane->requests[lane->answered % STOCKCERT_LANE_SLOTS];
        slot = stockcert_lane_slot(lane->lane, lane->answered);
        c = r->connection;

        ngx_http_set_log_request(c->log, r);

        r->main->blocked--;

        if (r->write_event_handler == ngx_http_stockcert_wait_handler) {
            r->write_event_handler = ngx_http_request_empty_handler;

            rc = (lane->answered < settled)
                 ? ngx_http_stockcert_outcome(r, slot)
                 : ngx_http_stockcert_problem(r,
                                            NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN,
                                            NULL, NULL);

            /* the slot has been read, and the request may be gone after this */

            lane->answered++;

            ngx_http_finalize_request(r, rc);

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
