
/*
 * The leader's half of the commit (docs/ARCHITECTURE.md, "Threads"): a task of
 * nginx's thread pool commits what waits in all lanes, or opens the ledger.
 *
 * Its thread touches no request, only lane->task and what is shared.  All the
 * rest runs on the event loop.
 */


#include <ngx_http_stockcert_lane.h>


#define NGX_HTTP_STOCKCERT_RETRY  1000     /* milliseconds between two tries to
                                              open a ledger */
#define NGX_HTTP_STOCKCERT_TURN   50000000 /* nanoseconds that a task commits
                                              before it gives way to others */
#define NGX_HTTP_STOCKCERT_PAUSE  100      /* milliseconds until other machines
                                              are asked again */
#define NGX_HTTP_STOCKCERT_FULL   1000     /* milliseconds until more is put into
                                              a pool that had no room */


static ngx_uint_t ngx_http_stockcert_waits(
    const ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_commit_all(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);
static ngx_uint_t ngx_http_stockcert_commit_one(
    ngx_http_stockcert_lane_t *lane, ngx_log_t *log);
static ngx_uint_t ngx_http_stockcert_once(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);
static ngx_uint_t ngx_http_stockcert_is_good(stockcert_rc_e rc);
static ngx_uint_t ngx_http_stockcert_must_pause(
    const ngx_http_stockcert_lane_t *lane, stockcert_rc_e rc);
static stockcert_rc_e ngx_http_stockcert_open_classes(
    ngx_http_stockcert_lane_t *lane, ngx_log_t *log, stockcert_error_t *error);
static void ngx_http_stockcert_resign(ngx_http_stockcert_lane_t *lane);
static ngx_int_t ngx_http_stockcert_post_task(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_next(ngx_http_stockcert_main_conf_t *smcf);
static void ngx_http_stockcert_opened(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_led(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_give_up(ngx_http_stockcert_lane_t *lane);


/* if nobody leads; if it is late, also if the leader is gone or stuck */

void
ngx_http_stockcert_lead(ngx_http_stockcert_lane_t *lane, ngx_uint_t late)
{
    ngx_uint_t  stuck, leads;

    /* the task's end looks for what waits */

    if (lane->thread_task->event.active) {
        return;
    }

    if (lane->ledger == NULL) {
        ngx_http_stockcert_lane_reopen(lane);
        return;
    }

    if ((ngx_msec_int_t) (ngx_current_msec - lane->pause) < 0) {
        return;
    }

    if (late) {
        stuck = ngx_http_stockcert_waits(lane)
                && ngx_current_msec - lane->progress > NGX_HTTP_STOCKCERT_LATE;
        leads = stockcert_lanes_take_over(lane->lanes, stuck);

    } else {
        leads = stockcert_lanes_lead(lane->lanes);
    }

    if (!leads && !ngx_http_stockcert_orders_wait(lane)
        && !ngx_http_stockcert_is_behind(lane))
    {
        return;
    }

    lane->task.leads = leads;

    if (ngx_http_stockcert_post_task(lane) != NGX_OK && leads) {

        /* the pool's queue is full; the timer tries again */

        stockcert_lanes_resign(lane->lanes);
    }
}


void
ngx_http_stockcert_lane_reopen(ngx_http_stockcert_lane_t *lane)
{
    if (!lane->thread_task->event.active
        && (ngx_msec_int_t) (ngx_current_msec - lane->retry) >= 0)
    {
        (void) ngx_http_stockcert_post_task(lane);
    }
}


void
ngx_http_stockcert_watch(ngx_http_stockcert_lane_t *lane)
{
    if (!lane->look.timer_set) {
        lane->progress = ngx_current_msec;
        ngx_add_timer(&lane->look, NGX_HTTP_STOCKCERT_LOOK);
    }
}


/* whether anything of this worker does */

static ngx_uint_t
ngx_http_stockcert_waits(const ngx_http_stockcert_lane_t *lane)
{
    return stockcert_lane_waiting(lane->lane)
           || ngx_http_stockcert_orders_wait(lane) || lane->behind.n;
}


void
ngx_http_stockcert_settled(ngx_http_stockcert_lane_t *lane)
{
    if (lane->ledger) {
        stockcert_ledger_adopt(lane->ledger);
    }

    ngx_http_stockcert_answer(lane, stockcert_lane_settled(lane->lane));
    ngx_http_stockcert_answer_orders(lane);
    ngx_http_stockcert_caught_up(lane);

    /*
     * A worker without a timer may quit, but must answer first.  A request
     * whose end it cannot know does not keep it.
     */

    if (lane->answered == stockcert_lane_filled(lane->lane)
        && !ngx_http_stockcert_orders_wait(lane) && lane->behind.n == 0
        && (ngx_exiting || !stockcert_lane_waiting(lane->lane)))
    {

        if (lane->look.timer_set) {
            ngx_del_timer(&lane->look);
        }

        /* other machines may have appended something */

        if (lane->replica && !ngx_exiting
            && stockcert_lanes_waiting(lane->lanes)) {
            ngx_http_stockcert_lead(lane, 0);
        }

        return;
    }

    ngx_http_stockcert_watch(lane);
    ngx_http_stockcert_lead(lane, 0);
}


/*
 * Posts the lane's task, which opens the ledger if there is none, or else
 * leads.  If the pool has no room, the lane waits for its turn.
 *
 * Posts as many tasks as the pool had room for, and more only from time to
 * time. nginx logs a line for each task without room, and other modules use
 * the pool, too.
 */

static ngx_int_t
ngx_http_stockcert_post_task(ngx_http_stockcert_lane_t *lane)
{
    ngx_uint_t                       more;
    ngx_http_stockcert_main_conf_t  *smcf;

    smcf = lane->main;
    more = smcf->active >= smcf->most;

    if (!more || ngx_current_msec - smcf->full >= NGX_HTTP_STOCKCERT_FULL) {

        if (more) {
            smcf->full = ngx_current_msec;
        }

        lane->task.ledger = lane->ledger;

        if (ngx_thread_task_post(lane->conf->thread_pool, lane->thread_task)
            == NGX_OK)
        {
            smcf->active++;

            if (more) {
                smcf->most = 2 * smcf->active;
            }

            if (lane->queued) {
                lane->queued = 0;
                ngx_queue_remove(&lane->queue);
            }

            return NGX_OK;
        }

        smcf->full = ngx_current_msec;
        smcf->most = ngx_min(smcf->most, smcf->active);
    }

    if (!lane->queued) {
        lane->queued = 1;
        ngx_queue_insert_tail(&smcf->queue, &lane->queue);
    }

    return NGX_ERROR;
}


/* a task has ended: the first lane that waits is next, if it has work left */

static void
ngx_http_stockcert_next(ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_queue_t                *q;
    ngx_http_stockcert_lane_t  *lane;

    while (!ngx_queue_empty(&smcf->queue)) {

        q = ngx_queue_head(&smcf->queue);
        lane = ngx_queue_data(q, ngx_http_stockcert_lane_t, queue);

        ngx_queue_remove(q);
        lane->queued = 0;

        if (ngx_http_stockcert_waits(lane) || lane->ledger == NULL) {
            ngx_http_stockcert_lead(lane, 0);
        }

        if (lane->thread_task->event.active || lane->queued) {
            return;
        }
    }
}


/* runs on a thread: touches lane->task, and what is shared */

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

    start = stockcert_pace_clock();

    if (!lane->task.leads) {
        (void) ngx_http_stockcert_once(lane, log);
        return;
    }

    do {
        do {
            leave = ngx_http_stockcert_once(lane, log);

            if (!leave) {
                stockcert_lanes_gather(&lane->task.leader);

                if (stockcert_pace_clock() - start > NGX_HTTP_STOCKCERT_TURN) {
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


/* whether the ledger can be used after this */

static ngx_uint_t
ngx_http_stockcert_is_good(stockcert_rc_e rc)
{
    return rc == STOCKCERT_OK || rc == STOCKCERT_FULL
           || rc == STOCKCERT_UNREACHED || rc == STOCKCERT_DIVERGED;
}


/*
 * Whether the same would come at once of another try.  Where other machines have
 * the ledger, too, what they appended stays to be applied if there is no room.
 */

static ngx_uint_t
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

    rc = stockcert_ledger_open_classes(lane->task.ledger,
                                       lane->conf->classes.elts,
                                       lane->conf->classes.nelts,
                                       error);

    /* there are as many as there may be, of other machines */

    if (rc == STOCKCERT_REFUSED) {
        ngx_http_stockcert_log(log, lane->conf, error);
        rc = STOCKCERT_OK;
    }

    lane->task.classes = (rc == STOCKCERT_OK);

    return rc;
}


/* others may lead */

static void
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


void
ngx_http_stockcert_thread_handler(ngx_event_t *ev)
{
    ngx_http_stockcert_lane_t *lane = ev->data;

    lane->main->active--;
    ngx_http_stockcert_next(lane->main);

    if (lane->ledger == NULL) {
        ngx_http_stockcert_opened(lane);

    } else {
        ngx_http_stockcert_led(lane);
    }
}


static void
ngx_http_stockcert_opened(ngx_http_stockcert_lane_t *lane)
{
    if (lane->task.ledger == NULL) {
        ngx_http_stockcert_log(lane->log, lane->conf, &lane->task.error);

        lane->retry = ngx_current_msec + NGX_HTTP_STOCKCERT_RETRY;

        /*
         * Without the lock, another leader may be working on what still waits
         * here.  So its outcome is not known.
         */

        ngx_http_stockcert_answer(lane, stockcert_lane_filled(lane->lane));
        ngx_http_stockcert_give_up_orders(lane);
        ngx_http_stockcert_miss(lane);
        return;
    }

    lane->ledger = lane->task.ledger;
    lane->looked = ngx_current_msec;

    ngx_http_stockcert_lane_opened(lane);
    ngx_http_stockcert_settled(lane);
}


static void
ngx_http_stockcert_led(ngx_http_stockcert_lane_t *lane)
{
    stockcert_rc_e              rc;
    ngx_http_stockcert_task_t  *task;

    task = &lane->task;
    rc = task->rc;

    if (!ngx_http_stockcert_is_good(rc)) {
        lane->failures++;
        lane->failed = 1;

    } else if (ngx_http_stockcert_must_pause(lane, rc)) {

        /* it may be led again a little later */

        lane->failures = 0;
        lane->pause = ngx_current_msec + NGX_HTTP_STOCKCERT_PAUSE;
        ngx_http_stockcert_late_orders(lane);

        /* this ledger has become one of several machines, and not here */

        if (rc == STOCKCERT_DIVERGED && lane->replica == NULL) {
            ngx_http_stockcert_answer(lane, stockcert_lane_filled(lane->lane));
        }

    } else {
        lane->failures = 0;
        ngx_http_stockcert_lane_compare(lane);
    }

    if (task->more) {
        task->more = 0;

        if (!lane->failed && ngx_http_stockcert_post_task(lane) == NGX_OK) {
            ngx_http_stockcert_settled(lane);
            return;
        }

        ngx_http_stockcert_resign(lane);
    }

    if (lane->failed) {

        /* what was entered before is read from the ledger once more */

        ngx_http_stockcert_answer_orders(lane);
        ngx_http_stockcert_lane_close(lane);

        if (lane->failures > 1) {
            ngx_http_stockcert_give_up(lane);
        }
    }

    ngx_http_stockcert_settled(lane);
}


/*
 * The ledger can be opened, but fails again and again, for example because the
 * disk does not flush.  Requests that have waited for long are told that their
 * outcome is not known.
 */

static void
ngx_http_stockcert_give_up(ngx_http_stockcert_lane_t *lane)
{
    if (ngx_http_stockcert_waits(lane)
        && ngx_current_msec - lane->progress > NGX_HTTP_STOCKCERT_LATE)
    {
        lane->retry = ngx_current_msec + NGX_HTTP_STOCKCERT_RETRY;

        ngx_http_stockcert_answer(lane, stockcert_lane_filled(lane->lane));
        ngx_http_stockcert_give_up_orders(lane);
        ngx_http_stockcert_miss(lane);
    }
}
