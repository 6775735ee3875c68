
#include <ngx_http_stockcert.h>
#include <stockcert_text.h>


#define NGX_HTTP_STOCKCERT_BODY_MAX   (16 * 1024)


static ngx_int_t ngx_http_stockcert_target(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target);

static ngx_int_t ngx_http_stockcert_post(ngx_http_request_t *r);
static ngx_uint_t ngx_http_stockcert_is_json(ngx_str_t *type);
static void ngx_http_stockcert_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_stockcert_body(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_stockcert_grant(ngx_http_request_t *r,
    ngx_str_t *body);
static const char *ngx_http_stockcert_key(ngx_http_request_t *r,
    stockcert_grant_t *grant);
static ngx_int_t ngx_http_stockcert_bad_key(ngx_http_request_t *r,
    const char *what);
static ngx_int_t ngx_http_stockcert_fault(ngx_http_request_t *r,
    stockcert_fault_t *fault);


ngx_int_t
ngx_http_stockcert_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   root;
    ngx_http_stockcert_target_t  target;

    if (ngx_http_stockcert_target(r, &target) != NGX_OK) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_NOT_FOUND,
                                          NULL, NULL);
    }

    root = target.code.len == 0;

    if (root && r->method == NGX_HTTP_POST) {
        return ngx_http_stockcert_post(r);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return ngx_http_stockcert_get(r, &target);
    }

    if (ngx_http_stockcert_add_header(r, "Allow", root ? "GET, HEAD, POST"
                                                       : "GET, HEAD")
        == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_METHOD_NOT_ALLOWED,
                                      NULL, NULL);
}


static ngx_int_t
ngx_http_stockcert_target(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target)
{
    u_char                    *dash;
    ngx_str_t                  rest, number;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_str_null(&target->code);
    target->number = 0;
    target->html = 0;
    target->print = 0;

    if (r->uri.len < clcf->name.len) {
        return NGX_DECLINED;
    }

    rest.data = r->uri.data + clcf->name.len;
    rest.len = r->uri.len - clcf->name.len;

    if (rest.len == 0) {
        return NGX_OK;
    }

    if (clcf->exact_match) {
        return NGX_DECLINED;
    }

    /* "location /acme" has /acme/CS, but not /acmeCS */

    if (clcf->name.len == 0 || clcf->name.data[clcf->name.len - 1] != '/') {

        if (rest.data[0] != '/') {
            return NGX_DECLINED;
        }

        rest.data++;
        rest.len--;

        if (rest.len == 0) {
            return NGX_OK;
        }
    }

    if (rest.len > sizeof(".html") - 1
        && ngx_strncmp(rest.data + rest.len - (sizeof(".html") - 1), ".html",
                       sizeof(".html") - 1)
           == 0)
    {
        rest.len -= sizeof(".html") - 1;
        target->html = 1;
    }

    target->code = rest;

    dash = ngx_strlchr(rest.data, rest.data + rest.len, '-');

    if (dash) {
        target->code.len = dash - rest.data;

        number.data = dash + 1;
        number.len = rest.data + rest.len - number.data;

        if (number.len == 0 || number.data[0] == '0'
            || ngx_http_stockcert_number(&number, &target->number) != NGX_OK)
        {
            return NGX_DECLINED;
        }

    } else {
        target->print = target->html;
    }

    if (stockcert_code_fault((char *) target->code.data, target->code.len)) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_stockcert_number(ngx_str_t *text, uint64_t *number)
{
    off_t  n;

    n = ngx_atoof(text->data, text->len);
    if (n == NGX_ERROR || n > STOCKCERT_SHARES_MAX) {
        return NGX_ERROR;
    }

    *number = (uint64_t) n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_stockcert_post(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_stockcert_problem_e  problem;

    if (r->headers_in.content_type == NULL
        || !ngx_http_stockcert_is_json(&r->headers_in.content_type->value))
    {
        problem = NGX_HTTP_STOCKCERT_UNSUPPORTED_TYPE;

    } else if (r->headers_in.content_length_n > NGX_HTTP_STOCKCERT_BODY_MAX) {
        problem = NGX_HTTP_STOCKCERT_BODY_TOO_LARGE;

        /* as nginx itself: do not ask for it, and do not stay for it */

        r->expect_tested = 1;
        r->keepalive = 0;

    } else {
        rc = ngx_http_read_client_request_body(r,
                                              ngx_http_stockcert_body_handler);
        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        return NGX_DONE;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_stockcert_problem(r, problem, NULL, NULL);
}


/* RFC 9110, section 8.3.1; the only parameter known is a charset of UTF-8 */

static ngx_uint_t
ngx_http_stockcert_is_json(ngx_str_t *type)
{
    u_char  *p, *end;

    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  charset = ngx_string("charset=utf-8");
    static ngx_str_t  quoted = ngx_string("charset=\"utf-8\"");

    p = type->data;
    end = p + type->len;

    if (type->len < json.len || ngx_strncasecmp(p, json.data, json.len) != 0) {
        return 0;
    }

    p += json.len;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p == end) {
        return 1;
    }

    if (*p++ != ';') {
        return 0;
    }

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    if (p == end) {
        return 1;
    }

    if ((size_t) (end - p) == charset.len) {
        return ngx_strncasecmp(p, charset.data, charset.len) == 0;
    }

    if ((size_t) (end - p) == quoted.len) {
        return ngx_strncasecmp(p, quoted.data, quoted.len) == 0;
    }

    return 0;
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


/* a body of one buffer in memory is used where it is */

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

    if (size > NGX_HTTP_STOCKCERT_BODY_MAX) {
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


/* returns NGX_DONE, or what answering the request at once returned */

static ngx_int_t
ngx_http_stockcert_grant(ngx_http_request_t *r, ngx_str_t *body)
{
    const char                     *what;
    stockcert_slot_t                slot;
    stockcert_fault_t               fault;
    stockcert_ledger_t             *ledger;
    ngx_http_stockcert_problem_e    problem;
    ngx_http_stockcert_loc_conf_t  *slcf;

    if (stockcert_grant_parse((char *) body->data, body->len, &slot.grant,
                              &fault)
        != 0)
    {
        return ngx_http_stockcert_fault(r, &fault);
    }

    what = ngx_http_stockcert_key(r, &slot.grant);
    if (what) {
        return ngx_http_stockcert_bad_key(r, what);
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    ledger = ngx_http_stockcert_lane_ledger(slcf->ledger);

    if (ledger && !stockcert_ledger_has_class(ledger, slot.grant.code,
                                              slot.grant.code_len))
    {
        slot.outcome.status = STOCKCERT_NO_CLASS;
        return ngx_http_stockcert_outcome(r, &slot);
    }

    if (ngx_http_stockcert_commit(r, slcf->ledger, &slot.grant, &problem)
        != NGX_OK)
    {
        return ngx_http_stockcert_problem(r, problem, NULL, NULL);
    }

    return NGX_DONE;
}


/* reads the key, if there is one; returns NULL, or what it must be */

static const char *
ngx_http_stockcert_key(ngx_http_request_t *r, stockcert_grant_t *grant)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *key;

    static ngx_str_t  name = ngx_string("idempotency-key");

    key = NULL;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != name.len
                || ngx_strncmp(h[i].lowcase_key, name.data, name.len) != 0)
            {
                continue;
            }

            if (key) {
                return "must be there once";
            }

            key = &h[i];
        }
    }

    if (key == NULL) {
        return NULL;
    }

    return stockcert_key_parse((char *) key->value.data, key->value.len,
                               grant->key, &grant->key_len);
}


static ngx_int_t
ngx_http_stockcert_bad_key(ngx_http_request_t *r, const char *what)
{
    u_char     text[256];
    ngx_str_t  detail;

    detail.data = text;
    detail.len = ngx_snprintf(text, sizeof(text), "Idempotency-Key %s", what)
                 - text;

    return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_BAD_KEY, &detail,
                                      NULL);
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

    default: /* STOCKCERT_NOT_A_GRANT */
        problem = NGX_HTTP_STOCKCERT_INVALID_GRANT;
        break;
    }

    return ngx_http_stockcert_problem(r, problem, &detail, &members);
}
