
/*
 * What the headers of a request decide, before its body is asked for.
 *
 * It runs on the event loop, and reads no ledger.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_format.h>
#include <stockcert_grant.h>


static const char *ngx_http_stockcert_type_fault(ngx_http_request_t *r);
static ngx_uint_t ngx_http_stockcert_is_encoded(ngx_http_request_t *r);
static ngx_uint_t ngx_http_stockcert_is_there(ngx_str_t *tags,
    const ngx_str_t *etag);
static ngx_table_elt_t *ngx_http_stockcert_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_uint_t *n);


/* the body is not needed, so it is neither asked for nor waited for */

ngx_int_t
ngx_http_stockcert_discard(ngx_http_request_t *r)
{
    if (r->headers_in.expect && r->http_version < NGX_HTTP_VERSION_20) {
        r->expect_tested = 1;

        if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
            r->keepalive = 0;
        }
    }

    return ngx_http_discard_request_body(r);
}


ngx_int_t
ngx_http_stockcert_refuse(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const char *what)
{
    ngx_int_t  rc;
    ngx_str_t  detail;

    rc = ngx_http_stockcert_discard(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (what == NULL) {
        return ngx_http_stockcert_problem(r, problem, NULL, NULL);
    }

    detail.data = (u_char *) what;
    detail.len = ngx_strlen(what);

    return ngx_http_stockcert_problem(r, problem, &detail, NULL);
}


ngx_int_t
ngx_http_stockcert_check_post(ngx_http_request_t *r, off_t max)
{
    char         key[STOCKCERT_KEY_MAX];
    u_char       text[256];
    uint8_t      key_len;
    const char  *what;

    what = ngx_http_stockcert_type_fault(r);

    if (what) {
        if (ngx_http_stockcert_add_header(r, "Accept-Post", "application/json")
            == NULL)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_stockcert_refuse(r,
                                        NGX_HTTP_STOCKCERT_UNSUPPORTED_TYPE,
                                        what);
    }

    if (ngx_http_stockcert_is_encoded(r)) {
        if (ngx_http_stockcert_add_header(r, "Accept-Encoding", "identity")
            == NULL)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_stockcert_refuse(r,
                                     NGX_HTTP_STOCKCERT_UNSUPPORTED_ENCODING,
                                     NULL);
    }

    if (r->headers_in.content_length_n > max) {

        /* as nginx does: do not wait for it */

        r->keepalive = 0;

        (void) ngx_snprintf(text, sizeof(text), NGX_HTTP_STOCKCERT_TOO_LARGE
                            "%Z", max);

        return ngx_http_stockcert_refuse(r, NGX_HTTP_STOCKCERT_BODY_TOO_LARGE,
                                         (char *) text);
    }

    what = ngx_http_stockcert_key(r, key, &key_len);

    if (what) {
        (void) ngx_snprintf(text, sizeof(text), "Idempotency-Key %s%Z", what);

        return ngx_http_stockcert_refuse(r, NGX_HTTP_STOCKCERT_BAD_KEY,
                                         (char *) text);
    }

    if (ngx_http_stockcert_preconditions(r, NULL) != NGX_OK) {
        return ngx_http_stockcert_refuse(r,
                                       NGX_HTTP_STOCKCERT_PRECONDITION_FAILED,
                                       NULL);
    }

    return NGX_DECLINED;
}


/* RFC 9110, section 8.3.1; NULL if it is JSON, in UTF-8 */

static const char *
ngx_http_stockcert_type_fault(ngx_http_request_t *r)
{
    u_char     *p, *end;
    ngx_str_t  *type, rest;

    static ngx_str_t    json = ngx_string("application/json");
    static ngx_str_t    charset = ngx_string("charset=utf-8");
    static ngx_str_t    quoted = ngx_string("charset=\"utf-8\"");
    static const char  *other = "the request must have \"Content-Type: "
                                "application/json\"";

    if (r->headers_in.content_type == NULL) {
        return other;
    }

    type = &r->headers_in.content_type->value;
    p = type->data;
    end = p + type->len;

    if (type->len < json.len || ngx_strncasecmp(p, json.data, json.len) != 0) {
        return other;
    }

    p += json.len;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p == end) {
        return NULL;
    }

    if (*p++ != ';') {
        return other;
    }

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    rest.data = p;
    rest.len = end - p;

    if (rest.len == 0
        || (rest.len == charset.len
            && ngx_strncasecmp(p, charset.data, charset.len) == 0)
        || (rest.len == quoted.len
            && ngx_strncasecmp(p, quoted.data, quoted.len) == 0))
    {
        return NULL;
    }

    return "\"Content-Type: application/json\" may have no parameter but "
           "charset=utf-8, as JSON is always in UTF-8";
}


/* RFC 9110, section 8.4 */

static ngx_uint_t
ngx_http_stockcert_is_encoded(ngx_http_request_t *r)
{
    ngx_uint_t        n;
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("content-encoding");
    static ngx_str_t  identity = ngx_string("identity");

    h = ngx_http_stockcert_header(r, &name, &n);

    if (n == 0) {
        return 0;
    }

    return n > 1
           || (h->value.len
               && (h->value.len != identity.len
                   || ngx_strncasecmp(h->value.data, identity.data,
                                      identity.len)
                      != 0));
}


/*
 * RFC 9110, section 13.2.2.  There is no Last-Modified, so conditions about
 * dates are ignored (sections 13.1.3 and 13.1.4). nginx handles If-None-Match
 * of a GET, and answers 304.
 */

ngx_int_t
ngx_http_stockcert_preconditions(ngx_http_request_t *r, const ngx_str_t *etag)
{
    ngx_http_headers_in_t  *in;

    in = &r->headers_in;

    in->if_modified_since = NULL;
    in->if_unmodified_since = NULL;

    if (in->if_match
        && !ngx_http_stockcert_is_there(&in->if_match->value, etag))
    {
        return NGX_DECLINED;
    }

    in->if_match = NULL;

    return r->method == NGX_HTTP_POST && in->if_none_match
           && ngx_http_stockcert_is_there(&in->if_none_match->value, etag)
           ? NGX_DECLINED : NGX_OK;
}


/* "*" matches anything that is there; tags use strong comparison */

static ngx_uint_t
ngx_http_stockcert_is_there(ngx_str_t *tags, const ngx_str_t *etag)
{
    u_char      *p, *end, *tag;
    ngx_uint_t   weak;

    if (tags->len == 1 && tags->data[0] == '*') {
        return 1;
    }

    if (etag == NULL) {
        return 0;
    }

    p = tags->data;
    end = p + tags->len;

    while (p < end) {

        if (*p == ' ' || *p == '\t' || *p == ',') {
            p++;
            continue;
        }

        weak = end - p > 2 && p[0] == 'W' && p[1] == '/';
        tag = weak ? p + 2 : p;

        if (*tag != '"') {
            return 0;
        }

        p = ngx_strlchr(tag + 1, end, '"');
        if (p == NULL) {
            return 0;
        }

        p++;

        if (!weak && stockcert_same(tag, p - tag, etag->data, etag->len)) {
            return 1;
        }
    }

    return 0;
}


/* the seal is a strong validator (RFC 9110, section 8.8.1) */

ngx_int_t
ngx_http_stockcert_found(ngx_http_request_t *r,
    const ngx_http_stockcert_target_t *target, const uint8_t *seal)
{
    u_char           *p;
    ngx_str_t         etag;
    ngx_table_elt_t  *h;

    if (seal) {
        p = ngx_pnalloc(r->pool, STOCKCERT_HEX_LEN + sizeof("\"\""));
        if (p == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        etag.data = p;
        *p++ = '"';
        p = ngx_hex_dump(p, (u_char *) seal, STOCKCERT_SEAL_LEN);
        *p++ = '"';
        *p = '\0';
        etag.len = p - etag.data;
    }

    if (ngx_http_stockcert_preconditions(r, seal ? &etag : NULL) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (target->negotiated
        && ngx_http_stockcert_add_header(r, "Vary", "Accept") == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (seal) {
        h = ngx_http_stockcert_add_header(r, "ETag", (char *) etag.data);
        if (h == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        r->headers_out.etag = h;
    }

    return NGX_OK;
}


const char *
ngx_http_stockcert_key(ngx_http_request_t *r, char *text, uint8_t *len)
{
    ngx_uint_t        n;
    ngx_table_elt_t  *key;

    static ngx_str_t  name = ngx_string("idempotency-key");

    key = ngx_http_stockcert_header(r, &name, &n);

    *len = 0;

    if (n == 0) {
        return NULL;
    }

    if (n > 1) {
        return "must be there once";
    }

    return stockcert_key_parse((char *) key->value.data, key->value.len,
                               text, len);
}


/* the last header of a name in lower case, and how many there are */

static ngx_table_elt_t *
ngx_http_stockcert_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_uint_t *n)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *found;

    found = NULL;
    *n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (stockcert_same(h[i].lowcase_key, h[i].key.len, name->data,
                               name->len))
            {
                found = &h[i];
                (*n)++;
            }
        }
    }

    return found;
}
