
/*
 * Answers the requests of a lane: those that are settled, and those whose end
 * cannot be known.
 *
 * It runs on the event loop, and knows nothing of the ledger.
 */


#include <ngx_http_stockcert_lane.h>


static ngx_int_t ngx_http_stockcert_answer_one(ngx_http_request_t *r,
    const stockcert_slot_t *slot, ngx_uint_t refused);


/* answers with the outcome, or says that it is not known */

void
ngx_http_stockcert_answer(ngx_http_stockcert_lane_t *lane, uint64_t end)
{
    uint64_t             settled, now;
    ngx_int_t            rc;
    stockcert_slot_t    *slot;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    settled = stockcert_lane_settled(lane->lane);

    if (lane->answered < settled) {
        lane->progress = ngx_current_msec;
    }

    if (settled < end) {
        stockcert_lane_give_up(lane->lane, end);
    }

    now = lane->answered < end ? stockcert_monotonic() : 0;

    while (lane->answered < end) {

        r = lane->requests[lane->answered % STOCKCERT_LANE_SLOTS];
        slot = stockcert_lane_slot(lane->lane, lane->answered);
        c = r->connection;

        ngx_http_set_log_request(c->log, r);
        ngx_http_stockcert_note_waited(r, now - slot->time);

        if (lane->answered < settled) {
            rc = ngx_http_stockcert_answer_one(r, slot, 0);

        } else {
            rc = ngx_http_stockcert_answer_one(r, NULL,
                                   stockcert_lane_is_refused(lane->lane,
                                                             lane->answered));
        }

        /* the slot has been read, and the request may be gone after this */

        lane->answered++;

        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }
}


static ngx_int_t
ngx_http_stockcert_answer_one(ngx_http_request_t *r,
    const stockcert_slot_t *slot, ngx_uint_t refused)
{
    ngx_int_t  rc;

    rc = ngx_http_stockcert_waited(r);

    if (rc != NGX_OK) {

        /* nobody is there to be told, but the log is */

        if (rc == NGX_HTTP_CLIENT_CLOSED_REQUEST && slot
            && slot->outcome.status == STOCKCERT_ISSUED)
        {
            ngx_http_stockcert_note_issued(r, slot);
        }

        return rc;
    }

    if (refused) {
        return ngx_http_stockcert_problem(r,
                                         NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                         NULL, NULL);
    }

    rc = slot ? ngx_http_stockcert_reply(r, slot)
              : NGX_HTTP_INTERNAL_SERVER_ERROR;

    return ngx_http_stockcert_or_unknown(r, rc);
}


/*
 * Other code may have finalized the request, too, or replaced its handlers.
 * Its own reference (r->main->count) must be given back in any case.
 */

ngx_int_t
ngx_http_stockcert_waited(ngx_http_request_t *r)
{
    ngx_http_stockcert_count(-1);

    r->main->blocked--;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* nginx ended the request while it waited */

    if (r->connection->error) {
        return NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    return r->header_sent ? NGX_DONE : NGX_OK;
}


ngx_int_t
ngx_http_stockcert_or_unknown(ngx_http_request_t *r, ngx_int_t rc)
{
    if (rc != NGX_HTTP_INTERNAL_SERVER_ERROR || r->header_sent) {
        return rc;
    }

    rc = ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN,
                                    NULL, NULL);

    return rc == NGX_HTTP_INTERNAL_SERVER_ERROR ? NGX_ERROR : rc;
}
