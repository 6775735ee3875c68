
/*
 * The event loop's half of the commit (docs/ARCHITECTURE.md, "Threads"): fills
 * the worker's lane, and answers what is settled.
 *
 * It waits for nothing.  A request whose client has gone stays until its slot
 * is settled (r->main->blocked), and has a reference that ends with its
 * answer.
 */


#include <ngx_http_stockcert_lane.h>


#define NGX_HTTP_STOCKCERT_LOOK   50       /* milliseconds between two looks for
                                              a leader */
#define NGX_HTTP_STOCKCERT_TELL   10000    /* milliseconds between two lines that
                                              say who has the lock */


static void ngx_http_stockcert_watch(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_tell_holder(ngx_http_stockcert_lane_t *lane);
static ngx_int_t ngx_http_stockcert_answer_one(ngx_http_request_t *r,
    const stockcert_slot_t *slot);
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

    if (stockcert_lane_waiting(lane->lane)) {
        ngx_http_stockcert_tell_holder(lane);
        ngx_http_stockcert_lead(lane, 1);
    }
}


/* a stopped process, or one that locks the file, must be named in the log */

static void
ngx_http_stockcert_tell_holder(ngx_http_stockcert_lane_t *lane)
{
    pid_t  pid;

    if (lane->ledger == NULL
        || ngx_current_msec - lane->progress < NGX_HTTP_STOCKCERT_LATE
        || ngx_current_msec - lane->told < NGX_HTTP_STOCKCERT_TELL)
    {
        return;
    }

    pid = stockcert_ledger_holder(lane->ledger);

    if (pid == 0) {
        return;
    }

    lane->told = ngx_current_msec;

    ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                  "stockcert ledger \"%V\" in \"%V\": nothing was committed for "
                  "%M ms, process %P has the lock of data.mdb",
                  &lane->conf->name, &lane->conf->path,
                  ngx_current_msec - lane->progress, pid);
}


void
ngx_http_stockcert_settled(ngx_http_stockcert_lane_t *lane)
{
    ngx_http_stockcert_answer(lane, stockcert_lane_settled(lane->lane));

    /*
     * A worker without a timer may quit, but must answer first. A request
     * whose end it cannot know does not keep it.
     */

    if (lane->answered == stockcert_lane_filled(lane->lane)
        && (ngx_exiting || !stockcert_lane_waiting(lane->lane)))
    {

        if (lane->look.timer_set) {
            ngx_del_timer(&lane->look);
        }

        return;
    }

    ngx_http_stockcert_watch(lane);
    ngx_http_stockcert_lead(lane, 0);
}


/* answers with the outcome, or says that it is not known */

void
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

        rc = ngx_http_stockcert_answer_one(r, lane->answered < settled ? slot
                                                                       : NULL);

        /* the slot has been read, and the request may be gone after this */

        lane->answered++;

        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }
}


/*
 * Other code may have finalized the request, too, or replaced its handlers.
 * Its own reference (r->main->count) must be given back in any case.
 */

static ngx_int_t
ngx_http_stockcert_answer_one(ngx_http_request_t *r,
    const stockcert_slot_t *slot)
{
    ngx_int_t  rc;

    r->main->blocked--;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* nginx ended the request while it waited */

    if (r->connection->error) {
        return NGX_ERROR;
    }

    if (r->header_sent) {
        return NGX_DONE;
    }

    if (slot) {
        rc = ngx_http_stockcert_outcome(r, slot);

        if (rc != NGX_HTTP_INTERNAL_SERVER_ERROR || r->header_sent) {
            return rc;
        }

        /* it may be issued, but there was no memory for the answer */
    }

    rc = ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN,
                                    NULL, NULL);

    return rc == NGX_HTTP_INTERNAL_SERVER_ERROR ? NGX_ERROR : rc;
}


static void
ngx_http_stockcert_wait_handler(ngx_http_request_t *r)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "stockcert waits for its commit");
}
