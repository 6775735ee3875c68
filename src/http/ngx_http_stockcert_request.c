
/*
 * The content handler: method, path and body become a grant, or something to
 * read.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_grant.h>


static ngx_int_t ngx_http_stockcert_post(ngx_http_request_t *r);
static void ngx_http_stockcert_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_stockcert_grant(ngx_http_request_t *r,
    ngx_str_t *body);


ngx_int_t
ngx_http_stockcert_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   posts;
    ngx_http_stockcert_target_t  target;

    if (ngx_http_stockcert_target(r, &target) != NGX_OK) {
        return ngx_http_stockcert_refuse(r, NGX_HTTP_STOCKCERT_NOT_FOUND,
                                         target.transactions
                                         ? NGX_HTTP_STOCKCERT_NO_TRANSACTION
                                         : NULL);
    }

    posts = target.code.len == 0 && target.number == 0;

    if (posts && r->method == NGX_HTTP_POST) {
        return target.transactions ? ngx_http_stockcert_post_transaction(r)
                                   : ngx_http_stockcert_post(r);
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {

        rc = ngx_http_stockcert_discard(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_stockcert_get(r, &target);
    }

    if (ngx_http_stockcert_add_header(r, "Allow", posts ? "GET, HEAD, POST"
                                                        : "GET, HEAD")
        == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_refuse(r, NGX_HTTP_STOCKCERT_METHOD_NOT_ALLOWED,
                                     NULL);
}


static ngx_int_t
ngx_http_stockcert_post(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_stockcert_check_post(r, STOCKCERT_GRANT_MAX);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_stockcert_body_handler);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_stockcert_body_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;
    ngx_str_t  body;

    rc = ngx_http_stockcert_body_size(r, STOCKCERT_GRANT_MAX, &body.len);

    if (rc == NGX_OK) {
        rc = ngx_http_stockcert_body(r, &body);

        rc = rc == NGX_OK ? ngx_http_stockcert_grant(r, &body)
                          : NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (rc == NGX_DECLINED) {
        rc = ngx_http_stockcert_bad_size(r, STOCKCERT_GRANT_MAX, body.len);
    }

    /* NGX_DONE: the grant waits, the commit finalizes the request */

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/* returns NGX_DONE, or what answering at once returned */

static ngx_int_t
ngx_http_stockcert_grant(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t                       rc;
    ngx_str_t                       actor;
    stockcert_slot_t                slot;
    stockcert_fault_t               fault;
    stockcert_ledger_t             *ledger;
    ngx_http_stockcert_loc_conf_t  *slcf;

    if (stockcert_grant_parse((char *) body->data, body->len, &slot.grant,
                              &fault)
        != 0)
    {
        return ngx_http_stockcert_body_fault(r, &fault);
    }

    /* which is valid, as the headers were checked */

    if (ngx_http_stockcert_key(r, slot.grant.key, &slot.grant.key_len) != NULL
        || ngx_http_stockcert_actor(r, &actor) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (actor.len) {
        stockcert_grant_set_actor(&slot.grant, (char *) actor.data, actor.len);
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    ledger = ngx_http_stockcert_lane_ledger(slcf->ledger);

    if (ledger == NULL) {
        return ngx_http_stockcert_problem(r,
                                         NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                         NULL, NULL);
    }

    if (!stockcert_ledger_has_class(ledger, slot.grant.code,
                                    slot.grant.code_len))
    {
        rc = ngx_http_stockcert_catch_up(r, slcf->ledger,
                                         ngx_http_stockcert_body_handler);
        if (rc == NGX_DONE) {
            return rc;
        }

        if (rc != NGX_DECLINED) {
            return ngx_http_stockcert_problem(r,
                                         NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                         NULL, NULL);
        }

        slot.outcome.status = STOCKCERT_NO_CLASS;
        return ngx_http_stockcert_reply(r, &slot);
    }

    if (ngx_http_stockcert_commit(r, slcf->ledger, &slot.grant) != NGX_OK) {
        return ngx_http_stockcert_problem(r,
                                          NGX_HTTP_STOCKCERT_TOO_MANY_WAITING,
                                          NULL, NULL);
    }

    return NGX_DONE;
}
