
/*
 * The content handler: method, path and body become a grant, or something to
 * read.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_syntax.h>
#include <stockcert_text.h>


static ngx_int_t ngx_http_stockcert_post(ngx_http_request_t *r);
static void ngx_http_stockcert_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_stockcert_body(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_stockcert_grant(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_stockcert_fault(ngx_http_request_t *r,
    stockcert_fault_t *fault);


ngx_int_t
ngx_http_stockcert_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   root;
    ngx_http_stockcert_target_t  target;

    if (ngx_http_stockcert_target(r, &target) != NGX_OK) {
        return ngx_http_stockcert_refuse(r, NGX_HTTP_STOCKCERT_NOT_FOUND, NULL);
    }

    root = target.code.len == 0;

    if (root && r->method == NGX_HTTP_POST) {
        return ngx_http_stockcert_post(r);
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {

        rc = ngx_http_stockcert_discard(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_stockcert_get(r, &target);
    }

    if (ngx_http_stockcert_add_header(r, "Allow", root ? "GET, HEAD, POST"
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

    rc = ngx_http_stockcert_check_post(r);
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

    rc = ngx_http_stockcert_body(r, &body);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_BODY_TOO_LARGE,
                                        NULL, NULL);

    } else if (rc == NGX_ERROR) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (body.len == 0) {
        rc = ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_BODY_MISSING,
                                        NULL, NULL);

    } else {
        rc = ngx_http_stockcert_grant(r, &body);
    }

    /* NGX_DONE: the grant waits, the commit finalizes the request */

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/* a body in one memory buffer is used in place */

static ngx_int_t
ngx_http_stockcert_body(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    bufs = r->request_body ? r->request_body->bufs : NULL;
    size = 0;

    for (cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > STOCKCERT_SYNTAX_MAX) {
        return NGX_DECLINED;
    }

    body->len = (size_t) size;

    if (size == 0) {
        return NGX_OK;
    }

    if (bufs->next == NULL && ngx_buf_in_memory(bufs->buf)) {
        body->data = bufs->buf->pos;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, body->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        if (!b->in_file) {
            continue;
        }

        size = b->file_last - b->file_pos;

        n = ngx_read_file(b->file, p, (size_t) size, b->file_pos);

        if (n != (ssize_t) size) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          ngx_read_file_n " of the request body failed");
            return NGX_ERROR;
        }

        p += n;
    }

    return NGX_OK;
}


/* returns NGX_DONE, or what answering at once returned */

static ngx_int_t
ngx_http_stockcert_grant(ngx_http_request_t *r, ngx_str_t *body)
{
    stockcert_slot_t                slot;
    stockcert_fault_t               fault;
    stockcert_ledger_t             *ledger;
    ngx_http_stockcert_loc_conf_t  *slcf;

    if (stockcert_grant_parse((char *) body->data, body->len, &slot.grant,
                              &fault)
        != 0)
    {
        return ngx_http_stockcert_fault(r, &fault);
    }

    /* which is valid, as the headers were checked */

    if (ngx_http_stockcert_key(r, &slot.grant) != NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
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


static ngx_int_t
ngx_http_stockcert_fault(ngx_http_request_t *r, stockcert_fault_t *fault)
{
    u_char                        *p;
    size_t                         len;
    ngx_str_t                      detail, members;
    ngx_http_stockcert_problem_e   problem;

    /* 6: a control character in the name of a member becomes \u0000 */

    u_char  text[sizeof(fault->member) + sizeof(fault->detail) + 8];
    u_char  json[6 * sizeof(fault->member) + sizeof(",\"member\":\"\"")];

    ngx_str_null(&members);

    detail.data = text;

    if (fault->has_member) {
        detail.len = ngx_snprintf(text, sizeof(text), "\"%s\" %s",
                                  fault->member, fault->detail)
                     - text;

        len = ngx_strlen(fault->member);

        p = ngx_cpymem(json, ",\"member\":\"", sizeof(",\"member\":\"") - 1);
        p = (u_char *) ngx_escape_json(p, (u_char *) fault->member, len);
        *p++ = '"';

        members.data = json;
        members.len = p - json;

    } else {
        detail.len = ngx_snprintf(text, sizeof(text), "%s", fault->detail)
                     - text;
    }

    switch (fault->kind) {

    case STOCKCERT_NOT_JSON:
        problem = NGX_HTTP_STOCKCERT_NOT_JSON;
        break;

    case STOCKCERT_MEMBER_TWICE:
        problem = NGX_HTTP_STOCKCERT_MEMBER_TWICE;
        break;

    case STOCKCERT_NO_MEMORY:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    default: /* STOCKCERT_NOT_A_GRANT */
        problem = NGX_HTTP_STOCKCERT_INVALID_GRANT;
        break;
    }

    return ngx_http_stockcert_problem(r, problem, &detail, &members);
}
