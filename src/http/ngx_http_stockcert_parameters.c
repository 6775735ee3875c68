
/*
 * The parameters of a listing, after the "?" of its URI.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_format.h>


#define NGX_HTTP_STOCKCERT_LIMIT      100      /* of a list, if none is asked */
#define NGX_HTTP_STOCKCERT_LIMIT_MAX  1000

_Static_assert(NGX_HTTP_STOCKCERT_LIMIT_MAX == 1000, "as bad-parameter has it");


static ngx_int_t ngx_http_stockcert_parameter(
    ngx_http_stockcert_parameters_t *parameters, ngx_uint_t allowed,
    const ngx_str_t *name, const ngx_str_t *value);


static const ngx_str_t  ngx_http_stockcert_names[] = {
    ngx_string("after"),
    ngx_string("limit"),
    ngx_string("status")
};

static const ngx_str_t  ngx_http_stockcert_statuses[] = {
    ngx_string("outstanding"),
    ngx_string("surrendered"),
    ngx_string("cancelled")
};


/* what a client asks for and is not done must not look as if it were */

ngx_int_t
ngx_http_stockcert_parameters(ngx_http_request_t *r, ngx_uint_t allowed,
    ngx_http_stockcert_parameters_t *parameters)
{
    u_char     *p, *end, *equals, *last;
    ngx_str_t   name, value;

    ngx_memzero(parameters, sizeof(ngx_http_stockcert_parameters_t));

    parameters->limit = NGX_HTTP_STOCKCERT_LIMIT;

    last = r->args.data + r->args.len;

    for (p = r->args.data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        if (end == p) {
            continue;
        }

        equals = ngx_strlchr(p, end, '=');
        if (equals == NULL) {
            return NGX_DECLINED;
        }

        name.data = p;
        name.len = equals - p;
        value.data = equals + 1;
        value.len = end - value.data;

        if (ngx_http_stockcert_parameter(parameters, allowed, &name, &value)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_stockcert_parameter(ngx_http_stockcert_parameters_t *parameters,
    ngx_uint_t allowed, const ngx_str_t *name, const ngx_str_t *value)
{
    ngx_uint_t  i, bit;

    for (i = 0; i < sizeof(ngx_http_stockcert_names) / sizeof(ngx_str_t); i++) {
        if (ngx_http_stockcert_names[i].len == name->len
            && ngx_strncasecmp(ngx_http_stockcert_names[i].data, name->data,
                               name->len)
               == 0)
        {
            break;
        }
    }

    bit = (ngx_uint_t) 1 << i;

    if ((allowed & bit) == 0 || (parameters->given & bit)) {
        return NGX_DECLINED;
    }

    parameters->given |= bit;

    switch (bit) {

    case NGX_HTTP_STOCKCERT_AFTER:
        return stockcert_parse_number((char *) value->data, value->len,
                                      &parameters->after)
               == 0 ? NGX_OK : NGX_DECLINED;

    case NGX_HTTP_STOCKCERT_LIMITED:
        return stockcert_parse_number((char *) value->data, value->len,
                                      &parameters->limit)
               == 0 && parameters->limit >= 1
               && parameters->limit <= NGX_HTTP_STOCKCERT_LIMIT_MAX
               ? NGX_OK : NGX_DECLINED;

    default: /* NGX_HTTP_STOCKCERT_STATUS */
        break;
    }

    for (i = 0; i < sizeof(ngx_http_stockcert_statuses) / sizeof(ngx_str_t);
         i++)
    {
        if (ngx_http_stockcert_statuses[i].len == value->len
            && ngx_memcmp(ngx_http_stockcert_statuses[i].data, value->data,
                          value->len)
               == 0)
        {
            parameters->status = (char *) ngx_http_stockcert_statuses[i].data;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* RFC 8288 */

ngx_int_t
ngx_http_stockcert_next_page(ngx_http_request_t *r, const ngx_str_t *path,
    uint64_t after, const ngx_http_stockcert_parameters_t *parameters,
    ngx_str_t *next)
{
    u_char     *p;
    ngx_str_t   base;

    ngx_str_null(next);

    if (after == 0) {
        return NGX_OK;
    }

    if (ngx_http_stockcert_base(r, &base) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, sizeof("<?after=&limit=&status=outstanding>; "
                                    "rel=\"next\"")
                             + base.len + path->len + 2 * NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    next->data = p + 1;
    next->len = ngx_sprintf(p, "<%V%V?after=%uL&limit=%uL", &base, path, after,
                            parameters->limit)
                - next->data;

    if (parameters->status) {
        next->len = ngx_sprintf(next->data + next->len, "&status=%s",
                                parameters->status)
                    - next->data;
    }

    ngx_sprintf(next->data + next->len, ">; rel=\"next\"%Z");

    return ngx_http_stockcert_set_header(r, &r->headers_out.link, "Link",
                                         (char *) p);
}
