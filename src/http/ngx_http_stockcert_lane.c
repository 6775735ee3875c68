
/*
 * What a worker has of each ledger: makes it, with the handlers of its events,
 * and ends it.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert_lane.h>


static ngx_int_t ngx_http_stockcert_lane_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_lane_t *lane);


ngx_int_t
ngx_http_stockcert_lane_create(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ngx_pcalloc(cycle->pool, sizeof(ngx_http_stockcert_lane_t));
    if (lane == NULL) {
        return NGX_ERROR;
    }

    lane->conf = ledger;
    lane->log = cycle->log;
    lane->main = smcf;

    lane->thread_task = ngx_thread_task_alloc(cycle->pool, 0);

    if (lane->thread_task == NULL
        || ngx_http_stockcert_lane_share(cycle, smcf, lane) != NGX_OK)
    {
        return NGX_ERROR;
    }

    lane->task.leader.lanes = lane->lanes;
    lane->task.leader.wake = ngx_http_stockcert_wake;
    lane->task.leader.stops = ngx_http_stockcert_stops;
    lane->task.leader.data = lane;
    lane->task.leader.counts = ledger->counts;

    ngx_queue_init(&lane->behind.requests);
    ngx_queue_init(&lane->behind.reads);

    if (ledger->etcd.endpoints.nelts) {
        lane->patience = (uint64_t) ledger->etcd.timeout * 1000000;
        lane->task.leader.patience = lane->patience;

        lane->replica = ngx_http_stockcert_replica(ledger, cycle->log,
                                                   ngx_http_stockcert_stop);
        if (lane->replica == NULL) {
            return NGX_ERROR;
        }
    }

    lane->thread_task->ctx = lane;
    lane->thread_task->handler = ngx_http_stockcert_thread;
    lane->thread_task->event.handler = ngx_http_stockcert_thread_handler;
    lane->thread_task->event.data = lane;
    lane->thread_task->event.log = cycle->log;

    lane->dummy.fd = (ngx_socket_t) -1;
    lane->dummy.data = lane;
    lane->look.handler = ngx_http_stockcert_look_handler;
    lane->look.data = &lane->dummy;
    lane->look.log = cycle->log;

    ledger->lane = lane;

    /* a killed worker may have left grants of its own */

    lane->answered = stockcert_lane_filled(lane->lane);

    return NGX_OK;
}


void
ngx_http_stockcert_lane_start(ngx_http_stockcert_ledger_t *ledger)
{
    stockcert_rc_e              rc;
    stockcert_error_t           error;
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    rc = ngx_http_stockcert_lane_open(lane, 1, &lane->ledger, &error);

    switch (rc) {

    case STOCKCERT_OK:
        ngx_http_stockcert_lane_opened(lane);
        ngx_http_stockcert_settled(lane);
        break;

    case STOCKCERT_BUSY:

        /* a thread can wait */

        ngx_http_stockcert_lane_reopen(lane);
        break;

    default:

        if (lane->replica == NULL) {
            ngx_http_stockcert_log(lane->log, ledger, &error);
            break;
        }

        /* a thread can ask other machines for it */

        ngx_http_stockcert_lane_reopen(lane);
    }

    ngx_http_stockcert_follow(lane);
}


/* finds the worker's own lane, shared or alone */

static ngx_int_t
ngx_http_stockcert_lane_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_lane_t *lane)
{
    if (smcf->wake == -1) {
        lane->lanes = lane->conf->lanes;
        lane->wakes = smcf->wakes;

    } else {
        lane->wakes = &smcf->wake;

        lane->shm.size = stockcert_lanes_size(1);
        lane->shm.name = lane->conf->name;
        lane->shm.log = cycle->log;

        if (ngx_shm_alloc(&lane->shm) != NGX_OK) {
            return NGX_ERROR;
        }

        lane->lanes = (stockcert_lanes_t *) lane->shm.addr;
        stockcert_lanes_init(lane->lanes, 1);
    }

    lane->lane = &lane->lanes->lanes[smcf->number];

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

    ngx_http_stockcert_unfollow(lane);

    /*
     * the thread pool is gone, but the end of a last task may not be seen yet
     */

    if (lane->thread_task->event.active) {
        lane->ledger = lane->task.ledger;
    }

    ngx_http_stockcert_lane_close(lane);

    if (lane->replica) {
        lane->replica->ops->destroy(lane->replica);
    }

    if (lane->queued) {
        ngx_queue_remove(&lane->queue);
    }

    if (lane->shm.addr) {
        ngx_shm_free(&lane->shm);
    }

    ledger->lane = NULL;
}
