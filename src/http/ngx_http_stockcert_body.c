
/*
 * The body of a request that was read, and who asks.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert.h>


ngx_int_t
ngx_http_stockcert_body_size(ngx_http_request_t *r, size_t max, size_t *len)
{
    off_t         size;
    ngx_chain_t  *cl;

    size = 0;

    for (cl = r->request_body ? r->request_body->bufs : NULL; cl;
         cl = cl->next)
    {
        size += ngx_buf_size(cl->buf);
    }

    *len = (size_t) size;

    return size && size <= (off_t) max ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_stockcert_bad_size(ngx_http_request_t *r, size_t max, size_t len)
{
    u_char     text[128];
    ngx_str_t  detail;

    if (len == 0) {
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_BODY_MISSING,
                                          NULL, NULL);
    }

    detail.data = text;
    detail.len = ngx_snprintf(text, sizeof(text), NGX_HTTP_STOCKCERT_TOO_LARGE,
                              (off_t) max)
                 - text;

    return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_BODY_TOO_LARGE,
                                      &detail, NULL);
}


/* a body in one memory buffer is used in place */

ngx_int_t
ngx_http_stockcert_body(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    bufs = r->request_body->bufs;

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


ngx_int_t
ngx_http_stockcert_actor(ngx_http_request_t *r, ngx_str_t *actor)
{
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    if (slcf->actor == NULL) {
        ngx_str_null(actor);
        return NGX_OK;
    }

    return ngx_http_complex_value(r, slcf->actor, actor);
}
