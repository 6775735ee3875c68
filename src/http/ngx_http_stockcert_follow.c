
/*
 * Follows what other machines append: one worker of this machine watches the
 * shared journal's head, and has somebody lead when that moves.
 *
 * The watch is a thread of its own, as it waits all the time.  It touches what
 * the workers share, and its own replica; it writes nothing to the ledger.  All
 * the rest runs on the event loop.
 */


#include <ngx_http_stockcert_lane.h>

#include <pthread.h>
#include <signal.h>


#define NGX_HTTP_STOCKCERT_TICK    1000    /* milliseconds between two looks
                                              for who watches */
#define NGX_HTTP_STOCKCERT_EVENT   1000    /* milliseconds without an event until
                                              the head is read */
#define NGX_HTTP_STOCKCERT_AGAIN   200     /* milliseconds until another try */


struct ngx_http_stockcert_follower_s {
    pthread_t                      thread;
    stockcert_replica_t           *replica;
    stockcert_lanes_t             *lanes;
    ngx_http_stockcert_lane_t     *lane;
};


static void ngx_http_stockcert_tick_handler(ngx_event_t *ev);
static void ngx_http_stockcert_follower_start(ngx_http_stockcert_lane_t *lane);
static void *ngx_http_stockcert_follower_thread(void *data);


void
ngx_http_stockcert_follow(ngx_http_stockcert_lane_t *lane)
{
    if (lane->replica == NULL) {
        return;
    }

    lane->tick.handler = ngx_http_stockcert_tick_handler;
    lane->tick.data = &lane->dummy;
    lane->tick.log = lane->log;
    lane->tick.cancelable = 1;

    ngx_http_stockcert_tick_handler(&lane->tick);
}


void
ngx_http_stockcert_unfollow(ngx_http_stockcert_lane_t *lane)
{
    ngx_http_stockcert_follower_t  *follower;

    if (lane->tick.timer_set) {
        ngx_del_timer(&lane->tick);
    }

    follower = lane->follower;

    if (follower == NULL) {
        return;
    }

    ngx_http_stockcert_end_threads();

    (void) pthread_join(follower->thread, NULL);

    stockcert_lanes_unwatch(lane->lanes);

    follower->replica->ops->destroy(follower->replica);
    ngx_free(follower);
    lane->follower = NULL;
}


/* the worker that watched may have died; a worker that quits only ends */

static void
ngx_http_stockcert_tick_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_stockcert_lane_t *lane = c->data;

    if (ngx_exiting) {
        return;
    }

    ngx_add_timer(ev, NGX_HTTP_STOCKCERT_TICK);

    if (lane->follower == NULL && stockcert_lanes_watch(lane->lanes)) {
        ngx_http_stockcert_follower_start(lane);
    }

    if (lane->ledger == NULL) {
        ngx_http_stockcert_lane_reopen(lane);

    } else if (!lane->task.classes || stockcert_lanes_waiting(lane->lanes)) {
        ngx_http_stockcert_lead(lane, 1);
    }
}


/* nginx's signals are for the event loop */

static void
ngx_http_stockcert_follower_start(ngx_http_stockcert_lane_t *lane)
{
    int                             err;
    sigset_t                        all, former;
    ngx_http_stockcert_follower_t  *follower;

    follower = ngx_alloc(sizeof(ngx_http_stockcert_follower_t), lane->log);
    if (follower == NULL) {
        goto failed;
    }

    follower->lane = lane;
    follower->lanes = lane->lanes;
    follower->replica = ngx_http_stockcert_replica(lane->conf, lane->log,
                                                   ngx_http_stockcert_stop);
    if (follower->replica == NULL) {
        goto failed;
    }

    sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &former);

    err = pthread_create(&follower->thread, NULL,
                         ngx_http_stockcert_follower_thread, follower);

    (void) pthread_sigmask(SIG_SETMASK, &former, NULL);

    if (err == 0) {
        lane->follower = follower;
        return;
    }

    ngx_log_error(NGX_LOG_ALERT, lane->log, err, "pthread_create() failed");

    follower->replica->ops->destroy(follower->replica);

failed:

    if (follower) {
        ngx_free(follower);
    }

    stockcert_lanes_unwatch(lane->lanes);
}


/* its errors are not logged: who leads has the same ones, and logs them */

static void *
ngx_http_stockcert_follower_thread(void *data)
{
    ngx_http_stockcert_follower_t *follower = data;

    stockcert_rc_e        rc;
    stockcert_head_t      head;
    stockcert_error_t     error;
    stockcert_lanes_t    *lanes;
    stockcert_replica_t  *replica;

    lanes = follower->lanes;
    replica = follower->replica;
    ngx_memzero(&head, sizeof(stockcert_head_t));

    while (!ngx_http_stockcert_stop()) {

        rc = replica->ops->watch(replica, &head, NGX_HTTP_STOCKCERT_EVENT,
                                 &error);

        if (rc == STOCKCERT_OK || rc == STOCKCERT_NOT_FOUND) {
            atomic_store(&lanes->away, 0);

        } else if (atomic_load(&lanes->away) == 0) {
            atomic_store(&lanes->away, stockcert_monotonic());
        }

        if (rc == STOCKCERT_OK) {
            atomic_store(&lanes->head, head.tail.position);

            if (stockcert_lanes_tell(lanes, head.revision)) {
                ngx_http_stockcert_wake(follower->lane,
                                        follower->lane->main->number);
            }

        } else if (rc != STOCKCERT_NOT_FOUND) {
            ngx_msleep(NGX_HTTP_STOCKCERT_AGAIN);
        }
    }

    /* this worker may live on for its last clients: another one can watch */

    stockcert_lanes_unwatch(lanes);

    return NULL;
}
