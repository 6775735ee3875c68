
/*
 * Orders that wait in a worker: the event loop queues and answers them, and the
 * thread of the lane's task takes them (docs/ARCHITECTURE.md, "Transactions").
 *
 * The thread touches nothing of a request: a body that is in memory or in a
 * file stays until the order is settled, as the request does.
 */


#include <ngx_http_stockcert_lane.h>


static void ngx_http_stockcert_order_cleanup(void *data);
static stockcert_rc_e ngx_http_stockcert_take_one(
    ngx_http_stockcert_lane_t *lane, ngx_http_stockcert_order_t *order,
    ngx_log_t *log);
static ngx_int_t ngx_http_stockcert_order_read(
    ngx_http_stockcert_order_t *order, ngx_log_t *log);
static ngx_int_t ngx_http_stockcert_order_answer(
    ngx_http_stockcert_lane_t *lane, ngx_http_stockcert_order_t *order);


ngx_http_stockcert_order_t *
ngx_http_stockcert_order_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_stockcert_order_t  *order;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_stockcert_order_t));
    if (cln == NULL) {
        return NULL;
    }

    order = cln->data;
    ngx_memzero(order, sizeof(ngx_http_stockcert_order_t));

    order->request = r;
    cln->handler = ngx_http_stockcert_order_cleanup;

    return order;
}


static void
ngx_http_stockcert_order_cleanup(void *data)
{
    ngx_http_stockcert_order_t *order = data;

    stockcert_order_free(order->order);
}


ngx_int_t
ngx_http_stockcert_order_queue(ngx_http_stockcert_lane_t *lane,
    ngx_http_stockcert_order_t *order)
{
    ngx_uint_t  n;

    n = lane->orders.queued;

    if (n - lane->orders.answered == NGX_HTTP_STOCKCERT_ORDERS) {
        return NGX_DECLINED;
    }

    order->start = ngx_current_msec;
    lane->orders.order[n % NGX_HTTP_STOCKCERT_ORDERS] = order;

    lane->orders.queued = n + 1;

    return NGX_OK;
}


/*
 * On the thread: all that wait now, each in a transaction of its own.  Those
 * that come meanwhile are for the next time, or grants would never have theirs.
 */

stockcert_rc_e
ngx_http_stockcert_take_orders(ngx_http_stockcert_lane_t *lane, ngx_log_t *log)
{
    ngx_uint_t                   i, end;
    stockcert_rc_e               rc;
    ngx_http_stockcert_order_t  *order;

    rc = STOCKCERT_OK;
    end = lane->orders.queued;

    while ((rc == STOCKCERT_OK || rc == STOCKCERT_FULL)
           && lane->orders.taken != end)
    {
        i = lane->orders.taken % NGX_HTTP_STOCKCERT_ORDERS;
        order = lane->orders.order[i];

        rc = ngx_http_stockcert_take_one(lane, order, log);

        /* other machines may answer the next time */

        if (rc == STOCKCERT_UNREACHED
            && ngx_current_msec - order->start < lane->conf->etcd.timeout)
        {
            order->turn.done.status = STOCKCERT_WAITING;
        }

        if (order->fault.kind == 0
            && order->turn.done.status == STOCKCERT_WAITING)
        {
            break;
        }

        lane->orders.taken++;
        ngx_http_stockcert_wake(lane, lane->main->number);
    }

    return rc;
}


static stockcert_rc_e
ngx_http_stockcert_take_one(ngx_http_stockcert_lane_t *lane,
    ngx_http_stockcert_order_t *order, ngx_log_t *log)
{
    if (order->order == NULL) {

        if (ngx_http_stockcert_order_read(order, log) != NGX_OK) {
            return STOCKCERT_OK;
        }

        stockcert_order_set_key(order->order, (char *) order->key.data,
                                order->key.len);
        stockcert_order_set_actor(order->order, (char *) order->actor.data,
                                  order->actor.len);

        order->turn.order = order->order;
        order->turn.counts = lane->conf->counts;
    }

    return stockcert_turn_take(&order->turn, lane->lanes, lane->task.ledger,
                               &lane->task.error);
}


/* a body in a file is read here, as the event loop does not wait for disks */

static ngx_int_t
ngx_http_stockcert_order_read(ngx_http_stockcert_order_t *order, ngx_log_t *log)
{
    int          rc;
    size_t       read;
    ssize_t      n;
    const char  *json;

    json = (char *) order->body.data;

    if (order->fd != NGX_INVALID_FILE) {

        for (read = 0; read < order->body.len; read += (size_t) n) {
            n = pread(order->fd, order->body.data + read,
                      order->body.len - read, order->offset + (off_t) read);

            if (n <= 0) {
                ngx_log_error(NGX_LOG_CRIT, log, n < 0 ? ngx_errno : 0,
                              "pread() of the request body failed");

                order->fault.kind = STOCKCERT_NO_MEMORY;
                return NGX_ERROR;
            }
        }
    }

    rc = stockcert_order_parse(json, order->body.len, &order->order,
                               &order->fault);

    if (rc == 0) {
        order->fault.kind = (stockcert_fault_e) 0;
    }

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_http_stockcert_orders_wait(const ngx_http_stockcert_lane_t *lane)
{
    return lane->orders.answered != lane->orders.queued;
}


void
ngx_http_stockcert_answer_orders(ngx_http_stockcert_lane_t *lane)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_http_stockcert_order_t  *order;

    while (lane->orders.answered != lane->orders.taken) {

        i = lane->orders.answered % NGX_HTTP_STOCKCERT_ORDERS;
        order = lane->orders.order[i];
        r = order->request;
        c = r->connection;

        lane->progress = ngx_current_msec;

        ngx_http_set_log_request(c->log, r);
        ngx_http_stockcert_note_waited(r, (uint64_t) 1000000
                                          * (ngx_current_msec - order->start));

        rc = ngx_http_stockcert_order_answer(lane, order);

        lane->orders.answered++;

        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }
}


/* no task is active, and none can be: what is known of each is told */

void
ngx_http_stockcert_give_up_orders(ngx_http_stockcert_lane_t *lane)
{
    ngx_uint_t                   i;
    ngx_http_stockcert_order_t  *order;

    while (lane->orders.taken != lane->orders.queued) {

        i = lane->orders.taken % NGX_HTTP_STOCKCERT_ORDERS;
        order = lane->orders.order[i];

        order->turn.done.status = order->turn.write.noted.position
                                  ? STOCKCERT_GIVEN_UP : STOCKCERT_UNAVAILABLE;
        lane->orders.taken++;
    }

    ngx_http_stockcert_answer_orders(lane);
}


void
ngx_http_stockcert_late_orders(ngx_http_stockcert_lane_t *lane)
{
    ngx_uint_t                   i;
    ngx_http_stockcert_order_t  *order;

    if (lane->orders.taken != lane->orders.queued) {

        i = lane->orders.taken % NGX_HTTP_STOCKCERT_ORDERS;
        order = lane->orders.order[i];

        if (ngx_current_msec - order->start >= lane->conf->etcd.timeout) {
            ngx_http_stockcert_give_up_orders(lane);
        }
    }
}


static ngx_int_t
ngx_http_stockcert_order_answer(ngx_http_stockcert_lane_t *lane,
    ngx_http_stockcert_order_t *order)
{
    ngx_int_t                      rc;
    ngx_http_request_t            *r;
    const stockcert_transacted_t  *done;

    r = order->request;
    done = &order->turn.done;

    rc = ngx_http_stockcert_waited(r);

    if (rc != NGX_OK) {

        if (rc == NGX_HTTP_CLIENT_CLOSED_REQUEST && order->fault.kind == 0
            && done->status == STOCKCERT_ISSUED)
        {
            ngx_http_stockcert_note_entered(r, done->transaction,
                                            done->replayed);
        }

        return rc;
    }

    if (order->fault.kind) {
        return ngx_http_stockcert_body_fault(r, &order->fault);
    }

    rc = ngx_http_stockcert_reply_transacted(r, lane->ledger, order->order,
                                             done);

    return ngx_http_stockcert_or_unknown(r, rc);
}
