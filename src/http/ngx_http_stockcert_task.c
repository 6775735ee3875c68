
/*
 * A task: commits what waits in all lanes, or opens the ledger.
 *
 * It runs on a thread of nginx's pool.  It touches no request, only lane->task
 * and what is shared.
 */


#include <ngx_http_stockcert_lane.h>


#define NGX_HTTP_STOCKCERT_TURN   50000000 /* nanoseconds that a task commits
                                              before it gives way to others */


static void ngx_http_stockcert_commit_all(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);
static void ngx_http_stockcert_leave_turns(ngx_http_stockcert_lane_t *lane);
static ngx_uint_t ngx_http_stockcert_once(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);
static ngx_uint_t ngx_http_stockcert_commit_one(
    ngx_http_stockcert_lane_t *lane, ngx_log_t *log);
static stockcert_rc_e ngx_http_stockcert_open_classes(
    ngx_http_stockcert_lane_t *lane, ngx_log_t *log, stockcert_error_t *error);


void
ngx_http_stockcert_thread(void *data, ngx_log_t *log)
{
    ngx_http_stockcert_lane_t *lane = data;

    if (lane->task.ledger) {
        ngx_http_stockcert_commit_all(lane, log);
        return;
    }

    lane->task.rc = ngx_http_stockcert_lane_open(lane, 0, &lane->task.ledger,
                                                 &lane->task.error);
}


/*
 * Goes on as long as anything waits in any lane.  But this thread may be the
 * only one, and other tasks may wait: then the event loop posts the task
 * again.
 */

static void
ngx_http_stockcert_commit_all(ngx_http_stockcert_lane_t *lane, ngx_log_t *log)
{
    uint64_t            start;
    ngx_uint_t          leave;
    stockcert_lanes_t  *lanes;

    lanes = lane->lanes;
    lane->task.more = 0;

    start = stockcert_monotonic();

    if (!lane->task.leads) {
        (void) ngx_http_stockcert_once(lane, log);
        ngx_http_stockcert_leave_turns(lane);
        return;
    }

    do {
        do {
            leave = ngx_http_stockcert_once(lane, log);

            if (!leave) {
                stockcert_lanes_gather(&lane->task.leader);

                if (stockcert_monotonic() - start > NGX_HTTP_STOCKCERT_TURN) {
                    lane->task.more = 1;
                    return;
                }
            }

        } while (!leave && stockcert_lanes_waiting(lanes));

        stockcert_lanes_resign(lanes);

        /*
         * nobody leads now, but a worker that filled a slot before saw a
         * leader
         */

    } while (!leave && stockcert_lanes_waiting(lanes)
             && stockcert_lanes_lead(lanes));

    if (leave) {
        ngx_http_stockcert_resign(lane);
    }

    ngx_http_stockcert_leave_turns(lane);
}


/* no other machine needs to wait for this one, if nothing waits here */

static void
ngx_http_stockcert_leave_turns(ngx_http_stockcert_lane_t *lane)
{
    if (lane->task.rc == STOCKCERT_OK
        && !stockcert_lanes_waiting(lane->lanes))
    {
        stockcert_ledger_leave(lane->task.ledger);
    }
}


/*
 * Orders come before the next batch.  That comes, too, if only other machines
 * or room are missing: who waits is told.  Returns 1 if the task must end.
 */

static ngx_uint_t
ngx_http_stockcert_once(ngx_http_stockcert_lane_t *lane, ngx_log_t *log)
{
    ngx_uint_t      leave;
    stockcert_rc_e  rc;

    rc = ngx_http_stockcert_take_orders(lane, log);

    lane->task.rc = rc;

    ngx_http_stockcert_tell_failed(lane, log);

    if (!ngx_http_stockcert_is_good(rc)
        || (!lane->task.leads && !ngx_http_stockcert_is_behind(lane)))
    {
        return 1;
    }

    leave = ngx_http_stockcert_commit_one(lane, log);

    if (ngx_http_stockcert_must_pause(lane, rc)) {

        if (lane->task.rc == STOCKCERT_OK) {
            lane->task.rc = rc;
        }

        leave = 1;
    }

    return leave;
}


int
ngx_http_stockcert_stops(void *data)
{
    ngx_http_stockcert_lane_t *lane = data;

    return lane->orders.taken != lane->orders.queued
           || ngx_http_stockcert_is_behind(lane)
           || ngx_exiting || ngx_quit || ngx_terminate;
}


/* whether the ledger can be used after this */

ngx_uint_t
ngx_http_stockcert_is_good(stockcert_rc_e rc)
{
    return rc == STOCKCERT_OK || rc == STOCKCERT_FULL
           || rc == STOCKCERT_UNREACHED || rc == STOCKCERT_DIVERGED;
}


/*
 * Whether the same would come at once of another try.  Where other machines have
 * the ledger, too, what they appended stays to be applied if there is no room.
 */

ngx_uint_t
ngx_http_stockcert_must_pause(const ngx_http_stockcert_lane_t *lane,
    stockcert_rc_e rc)
{
    return rc == STOCKCERT_UNREACHED || rc == STOCKCERT_DIVERGED
           || (rc == STOCKCERT_FULL && lane->replica);
}


/* returns 1 if the task must end */

static ngx_uint_t
ngx_http_stockcert_commit_one(ngx_http_stockcert_lane_t *lane, ngx_log_t *log)
{
    uint64_t                    asked;
    stockcert_rc_e              opened;
    stockcert_error_t           why;
    ngx_http_stockcert_task_t  *task;

    task = &lane->task;

    asked = atomic_load(&lane->behind.asked);
    task->leader.confirms = ngx_http_stockcert_is_behind(lane);

    /* who waits is told in either case */

    opened = ngx_http_stockcert_open_classes(lane, log, &why);

    task->rc = stockcert_lanes_commit(&task->leader, task->ledger,
                                      &task->error);

    ngx_http_stockcert_tell_given_up(lane, log);

    if (task->rc == STOCKCERT_OK && opened != STOCKCERT_OK) {
        task->rc = opened;
        task->error = why;
    }

    if (task->rc == STOCKCERT_OK) {
        ngx_http_stockcert_tell_clock(lane, log);
    }

    ngx_http_stockcert_tell_failed(lane, log);

    if (task->leader.confirms) {
        atomic_store(task->rc == STOCKCERT_OK ? &lane->behind.reached
                                              : &lane->behind.missed, asked);
        ngx_http_stockcert_wake(lane, lane->main->number);
    }

    /* a worker that ends lets others lead */

    return !ngx_http_stockcert_is_good(task->rc)
           || ngx_http_stockcert_must_pause(lane, task->rc)
           || lane->failed || ngx_exiting || ngx_quit || ngx_terminate;
}


/* those of the configuration, once the journal of all machines is known */

static stockcert_rc_e
ngx_http_stockcert_open_classes(ngx_http_stockcert_lane_t *lane, ngx_log_t *log,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (lane->task.classes || lane->replica == NULL) {
        return STOCKCERT_OK;
    }

    rc = stockcert_lanes_catch_up(&lane->task.leader, lane->task.ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_open_classes(lane->task.ledger,
                                           lane->conf->classes.elts,
                                           lane->conf->classes.nelts,
                                           error);
    }

    /* there are as many as there may be, of other machines */

    if (rc == STOCKCERT_REFUSED) {
        ngx_http_stockcert_log(log, lane->conf, error);
        rc = STOCKCERT_OK;
    }

    lane->task.classes = (rc == STOCKCERT_OK);

    return rc;
}


/* others may lead */

void
ngx_http_stockcert_resign(ngx_http_stockcert_lane_t *lane)
{
    size_t  i;

    stockcert_lanes_resign(lane->lanes);

    for (i = 0; i < lane->lanes->nlanes; i++) {
        if (stockcert_lane_waiting(&lane->lanes->lanes[i])) {
            ngx_http_stockcert_wake(lane, i);
        }
    }
}
