
/*
 * The event loop's half of the commit (docs/ARCHITECTURE.md, "Threads"): fills
 * the worker's lane, and has what is settled answered.
 *
 * It waits for nothing.  A request whose client has gone stays until its slot
 * is settled (r->main->blocked), and has a reference that ends with its
 * answer.
 */


#include <ngx_http_stockcert_lane.h>

#include "stockcert_lock.h"


#define NGX_HTTP_STOCKCERT_TELL   10000    /* milliseconds between two lines that
                                              say who has the lock */
#define NGX_HTTP_STOCKCERT_GRACE  1000000000   /* nanoseconds that who leads has
                                              to refuse a grant itself */


static void ngx_http_stockcert_wait(ngx_http_request_t *r,
    ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_give_up_late(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_tell_holder(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_wait_handler(ngx_http_request_t *r);


ngx_int_t
ngx_http_stockcert_commit(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, const stockcert_grant_t *grant)
{
    uint64_t                    filled;
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;
    filled = stockcert_lane_filled(lane->lane);

    if (stockcert_lane_fill(lane->lanes, lane->lane, lane->answered, grant)
        != 0)
    {
        return NGX_DECLINED;
    }

    lane->requests[filled % STOCKCERT_LANE_SLOTS] = r;

    ngx_http_stockcert_wait(r, lane);

    return NGX_OK;
}


ngx_int_t
ngx_http_stockcert_transact(ngx_http_request_t *r,
    ngx_http_stockcert_order_t *order, ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    if (ngx_http_stockcert_order_queue(lane, order) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_http_stockcert_wait(r, lane);

    return NGX_OK;
}


ngx_int_t
ngx_http_stockcert_catch_up(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, void (*resume)(ngx_http_request_t *r))
{
    ngx_int_t  rc;

    rc = ngx_http_stockcert_ask(ledger->lane, r, resume);

    if (rc == NGX_DONE) {
        ngx_http_stockcert_wait(r, ledger->lane);
    }

    return rc;
}


ngx_int_t
ngx_http_stockcert_read_told(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, void (*resume)(ngx_http_request_t *r))
{
    ngx_int_t  rc;

    rc = ngx_http_stockcert_read(ledger->lane, r, resume);

    if (rc == NGX_DONE) {
        ngx_http_stockcert_wait(r, ledger->lane);
    }

    return rc;
}


/* until ngx_http_stockcert_waited() */

static void
ngx_http_stockcert_wait(ngx_http_request_t *r, ngx_http_stockcert_lane_t *lane)
{
    ngx_http_stockcert_count(1);

    r->main->blocked++;
    r->write_event_handler = ngx_http_stockcert_wait_handler;

    ngx_http_stockcert_watch(lane);
    ngx_http_stockcert_lead(lane, 0);
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
        if (ledgers[i]->lane) {
            ngx_http_stockcert_settled(ledgers[i]->lane);
        }
    }
}


void
ngx_http_stockcert_look_handler(ngx_event_t *ev)
{
    ngx_connection_t *c = ev->data;

    ngx_http_stockcert_lane_t *lane = c->data;

    ngx_add_timer(ev, NGX_HTTP_STOCKCERT_LOOK);

    ngx_http_stockcert_settled(lane);
    ngx_http_stockcert_give_up_late(lane);

    if (ngx_http_stockcert_waits(lane)) {
        ngx_http_stockcert_tell_holder(lane);
        ngx_http_stockcert_lead(lane, 1);
    }
}


/*
 * Where other machines are needed, no grant waits for ever: who leads refuses
 * those that are in no batch; those that still wait a little later may be in
 * one.
 */

static void
ngx_http_stockcert_give_up_late(ngx_http_stockcert_lane_t *lane)
{
    uint64_t           end, filled, now, longest;
    stockcert_slot_t  *slot;

    if (lane->replica == NULL) {
        return;
    }

    now = stockcert_monotonic();
    longest = lane->patience + NGX_HTTP_STOCKCERT_GRACE;
    filled = stockcert_lane_filled(lane->lane);

    for (end = lane->answered; end < filled; end++) {
        slot = stockcert_lane_slot(lane->lane, end);

        if (now - slot->time < longest
            && !stockcert_lane_is_refused(lane->lane, end))
        {
            break;
        }
    }

    ngx_http_stockcert_answer(lane, end);
    ngx_http_stockcert_miss_late(lane, longest / 1000000);
}


/* a stopped process, or one that locks the file, must be named in the log */

static void
ngx_http_stockcert_tell_holder(ngx_http_stockcert_lane_t *lane)
{
    char   name[STOCKCERT_LOCK_NAME];
    pid_t  pid;

    if (lane->ledger == NULL
        || ngx_current_msec - lane->progress < NGX_HTTP_STOCKCERT_LATE
        || ngx_current_msec - lane->told < NGX_HTTP_STOCKCERT_TELL)
    {
        return;
    }

    pid = stockcert_ledger_holder(lane->ledger);

    lane->told = ngx_current_msec;

    ngx_log_error(NGX_LOG_ERR, lane->log, 0,
                  "stockcert ledger \"%V\" in \"%V\": nothing was committed for "
                  "%M ms, %s has the lock of data.mdb",
                  &lane->conf->name, &lane->conf->path,
                  ngx_current_msec - lane->progress,
                  pid == 0 ? "and no process that can be seen from here"
                           : stockcert_lock_name(pid, name));
}


static void
ngx_http_stockcert_wait_handler(ngx_http_request_t *r)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "stockcert waits for its commit");
}
