
/*
 * Locations that answer who watches nginx: what "stockcert_status" and
 * "stockcert_health" have in common.
 *
 * It runs on the event loop, and reads no ledger.
 */


#include <ngx_http_stockcert_monitor.h>
#include <stockcert_text.h>


char *
ngx_http_stockcert_set_handler(ngx_conf_t *cf,
    ngx_http_stockcert_loc_conf_t *slcf, ngx_http_handler_pt handler)
{
    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (slcf->handler == handler) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return NGX_HTTP_STOCKCERT_CONFLICT;
    }

    value = cf->args->elts;

    slcf->handler = handler;
    slcf->directive = value[0];
    slcf->file = cf->conf_file->file.name.data;
    slcf->line = cf->conf_file->line;

    clcf->handler = handler;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_stockcert_check_monitor(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_http_stockcert_add_header(r, "Allow", "GET, HEAD") == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    /* nothing here has a date (RFC 9110, section 13.1.4) */

    r->headers_in.if_unmodified_since = NULL;

    return ngx_http_stockcert_discard(r);
}


ngx_int_t
ngx_http_stockcert_send_monitor(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_http_stockcert_page_t *page)
{
    ngx_buf_t  *b;

    b = ngx_http_stockcert_page_buf(r, page);

    return b ? ngx_http_stockcert_send_now(r, status, type, b)
             : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* a name in quotes, as JSON and Prometheus have it: all is printable by then */

void
ngx_http_stockcert_put_name(FILE *file, const ngx_str_t *name)
{
    char  text[NGX_MAX_ERROR_STR], *p;

    (void) stockcert_text_escape((char *) name->data, name->len, text,
                                 sizeof(text));

    (void) fputc('"', file);

    for (p = text; *p; p++) {

        if (*p == '"' || *p == '\\') {
            (void) fputc('\\', file);
        }

        (void) fputc(*p, file);
    }

    (void) fputc('"', file);
}
