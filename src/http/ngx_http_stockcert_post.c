
/*
 * POST /transactions: the request becomes an order, which the lane's thread
 * reads and enters.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert_lane.h>


static void ngx_http_stockcert_order_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_stockcert_order(ngx_http_request_t *r, size_t len);
static ngx_int_t ngx_http_stockcert_order_body(ngx_http_request_t *r,
    ngx_http_stockcert_order_t *order);


ngx_int_t
ngx_http_stockcert_post_transaction(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_stockcert_parameters_t  none;

    if (ngx_http_stockcert_parameters(r, 0, &none) != NGX_OK) {
        return ngx_http_stockcert_refuse(r, NGX_HTTP_STOCKCERT_BAD_PARAMETER,
                                         NULL);
    }

    rc = ngx_http_stockcert_check_post(r, STOCKCERT_ORDER_MAX);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_read_client_request_body(r,
                                           ngx_http_stockcert_order_handler);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_stockcert_order_handler(ngx_http_request_t *r)
{
    size_t     len;
    ngx_int_t  rc;

    rc = ngx_http_stockcert_body_size(r, STOCKCERT_ORDER_MAX, &len);

    rc = rc == NGX_OK ? ngx_http_stockcert_order(r, len)
                      : ngx_http_stockcert_bad_size(r, STOCKCERT_ORDER_MAX,
                                                    len);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/* returns NGX_DONE, or what answering at once returned */

static ngx_int_t
ngx_http_stockcert_order(ngx_http_request_t *r, size_t len)
{
    uint8_t                         key_len;
    ngx_http_stockcert_order_t     *order;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    if (ngx_http_stockcert_lane_ledger(slcf->ledger) == NULL) {
        return ngx_http_stockcert_problem(r,
                                         NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                         NULL, NULL);
    }

    order = ngx_http_stockcert_order_create(r);
    if (order == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    order->body.len = len;

    /* the key is valid, as the headers were checked */

    if (ngx_http_stockcert_key(r, (char *) order->keys, &key_len) != NULL
        || ngx_http_stockcert_actor(r, &order->actor) != NGX_OK
        || ngx_http_stockcert_order_body(r, order) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    order->key.data = order->keys;
    order->key.len = key_len;

    if (ngx_http_stockcert_transact(r, order, slcf->ledger) != NGX_OK) {
        return ngx_http_stockcert_problem(r,
                                          NGX_HTTP_STOCKCERT_TOO_MANY_WAITING,
                                          NULL, NULL);
    }

    return NGX_DONE;
}


/* nginx has one file, or none: that is for the thread, as disks may be slow */

static ngx_int_t
ngx_http_stockcert_order_body(ngx_http_request_t *r,
    ngx_http_stockcert_order_t *order)
{
    ngx_buf_t    *b;
    ngx_chain_t  *bufs;

    bufs = r->request_body->bufs;
    b = bufs->buf;
    order->fd = NGX_INVALID_FILE;

    if (bufs->next || ngx_buf_in_memory(b) || !b->in_file) {
        return ngx_http_stockcert_body(r, &order->body);
    }

    order->fd = b->file->fd;
    order->offset = b->file_pos;
    order->body.data = ngx_pnalloc(r->pool, order->body.len);

    return order->body.data ? NGX_OK : NGX_ERROR;
}
