
/*
 * Who leads (docs/ARCHITECTURE.md, "Threads"): has a task of nginx's thread pool
 * commit what waits in all lanes, or open the ledger.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert_lane.h>


#define NGX_HTTP_STOCKCERT_RETRY  1000     /* milliseconds between two tries to
                                              open a ledger */
#define NGX_HTTP_STOCKCERT_PAUSE  100      /* milliseconds until other machines
                                              are asked again */
#define NGX_HTTP_STOCKCERT_FULL   1000     /* milliseconds until more is put into
                                              a pool that had no room */


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


ngx_uint_t
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
