
/*
 * Sends a whole answer: status, headers, body.
 *
 * It runs on the event loop, and reads no ledger.
 */


#include <ngx_http_stockcert.h>


static ngx_int_t ngx_http_stockcert_send_body(ngx_http_request_t *r,
    ngx_int_t rc, ngx_buf_t *b);
static ngx_int_t ngx_http_stockcert_send_headers(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, off_t len, const char *cache);


ngx_int_t
ngx_http_stockcert_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_buf_t *b)
{
    return ngx_http_stockcert_send_body(r,
               ngx_http_stockcert_send_header(r, status, type,
                                              b->last - b->pos),
               b);
}


ngx_int_t
ngx_http_stockcert_send_now(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_buf_t *b)
{
    return ngx_http_stockcert_send_body(r,
               ngx_http_stockcert_send_headers(r, status, type,
                                               b->last - b->pos, "no-store"),
               b);
}


/* rc is what sending the header returned */

static ngx_int_t
ngx_http_stockcert_send_body(ngx_http_request_t *r, ngx_int_t rc, ngx_buf_t *b)
{
    ngx_chain_t  out;

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_stockcert_send_created(ngx_http_request_t *r, const u_char *url,
    ngx_uint_t replayed, ngx_buf_t *b)
{
    /* not r->headers_out.location: nginx would add a scheme and host to it */

    if (url
        && ngx_http_stockcert_add_header(r, "Location", (const char *) url)
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (replayed
        && ngx_http_stockcert_add_header(r, "Idempotent-Replayed", "true")
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_send(r, NGX_HTTP_CREATED, NGX_HTTP_STOCKCERT_JSON,
                                   b);
}


/* caches may keep a 200, but must ask again before they use it */

ngx_int_t
ngx_http_stockcert_send_header(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, off_t len)
{
    return ngx_http_stockcert_send_headers(r, status, type, len,
                                           status == NGX_HTTP_OK ? "no-cache"
                                                                 : "no-store");
}


static ngx_int_t
ngx_http_stockcert_send_headers(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, off_t len, const char *cache)
{
    if (ngx_http_stockcert_set_header(r, &r->headers_out.cache_control,
                                      "Cache-Control", cache)
        != NGX_OK
        || ngx_http_stockcert_add_header(r, "X-Content-Type-Options",
                                         "nosniff")
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    /* JSON is always in UTF-8 */

    if (ngx_strcmp(type, NGX_HTTP_STOCKCERT_HTML) == 0) {
        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    return ngx_http_send_header(r);
}


ngx_table_elt_t *
ngx_http_stockcert_add_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    /* newer versions of nginx set more fields */

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value.len = ngx_strlen(value);
    h->value.data = (u_char *) value;

    return h;
}


ngx_int_t
ngx_http_stockcert_set_header(ngx_http_request_t *r,
    ngx_http_stockcert_list_t *list, const char *name, const char *value)
{
    ngx_table_elt_t  *h;

#if (nginx_version < 1023000)

    ngx_table_elt_t  **element;

    if (list->elts == NULL
        && ngx_array_init(list, r->pool, 1, sizeof(ngx_table_elt_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    element = ngx_array_push(list);
    if (element == NULL) {
        return NGX_ERROR;
    }

    h = ngx_http_stockcert_add_header(r, name, value);
    if (h == NULL) {
        list->nelts--;
        return NGX_ERROR;
    }

    *element = h;

#else

    h = ngx_http_stockcert_add_header(r, name, value);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->next = *list;
    *list = h;

#endif

    return NGX_OK;
}
