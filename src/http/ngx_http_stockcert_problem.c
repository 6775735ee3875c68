
/*
 * Answers errors, as application/problem+json or as a page.
 *
 * It runs on the event loop, and reads no ledger.
 */


#include <ngx_http_stockcert.h>

#include <stockcert_syntax.h>
#include <stockcert_text.h>


typedef struct {
    ngx_uint_t    status;
    ngx_str_t     status_line;     /* a status that nginx has no name for */
    ngx_str_t     type;            /* urn:stockcert:... */
    ngx_str_t     error;           /* the name in the original service */
    ngx_str_t     title;
    ngx_str_t     detail;
} ngx_http_stockcert_problem_t;


/* in the order of ngx_http_stockcert_problem_e */

static ngx_http_stockcert_problem_t  ngx_http_stockcert_problems[] = {

#define NGX_HTTP_STOCKCERT_NOTHING  "; nothing was issued"

    { 400, ngx_null_string,
      ngx_string("not-json"), ngx_string("not_json"),
      ngx_string("The body is not JSON"), ngx_null_string },

    { 400, ngx_null_string,
      ngx_string("member-twice"), ngx_string("member_twice"),
      ngx_string("A member is there twice"), ngx_null_string },

    { 400, ngx_null_string,
      ngx_string("body-missing"), ngx_string("body_missing"),
      ngx_string("The request has no body"),
      ngx_string("the request must have a body such as {\"name\":\"Salt Bae\","
                 "\"amount\":10,\"class\":\"CS\"}") },

    { 400, ngx_null_string,
      ngx_string("bad-parameter"), ngx_string("bad_parameter"),
      ngx_string("A parameter is not valid"),
      ngx_string("only lists have parameters: \"after\" must be a number or 0, "
                 "\"limit\" must be 1 to 1000, \"status\" of certificates must be "
                 "\"outstanding\", \"surrendered\" or \"cancelled\", each once") },

    { 400, ngx_null_string,
      ngx_string("bad-idempotency-key"), ngx_string("bad_idempotency_key"),
      ngx_string("The Idempotency-Key is not valid"), ngx_null_string },

    { 403, ngx_null_string,
      ngx_string("insufficient-shares"), ngx_string("insufficient_shares"),
      ngx_string("Not enough shares are left in the class"),
      ngx_null_string },

    { 404, ngx_null_string,
      ngx_string("not-found"), ngx_string("not_found"),
      ngx_string("There is no such certificate or class"),
      ngx_string("a path is the inventory's (/), a class's (/CS) or a "
                 "certificate's (/CS-17) of this ledger") },

    { 405, ngx_null_string,
      ngx_string("method-not-allowed"), ngx_string("method_not_allowed"),
      ngx_string("The method is not allowed here"),
      ngx_string("see the Allow header for the methods that are") },

    { 412, ngx_null_string,
      ngx_string("precondition-failed"), ngx_string("precondition_failed"),
      ngx_string("A precondition of the request is not met"),
      ngx_string("If-Match or If-None-Match is not so of what the path names"
                 NGX_HTTP_STOCKCERT_NOTHING) },

    { 413, ngx_null_string,
      ngx_string("body-too-large"), ngx_string("body_too_large"),
      ngx_string("The body is too large"),
      ngx_null_string },

    { 415, ngx_null_string,
      ngx_string("unsupported-media-type"),
      ngx_string("unsupported_media_type"),
      ngx_string("The body is not declared as JSON"), ngx_null_string },

    { 415, ngx_null_string,
      ngx_string("unsupported-encoding"), ngx_string("unsupported_encoding"),
      ngx_string("The body is encoded"),
      ngx_string("the request must have no Content-Encoding, as the body is "
                 "not decoded") },

    { 409, ngx_null_string,
      ngx_string("not-outstanding"), ngx_string("not_outstanding"),
      ngx_string("A certificate is no longer outstanding"), ngx_null_string },

    { 422, ngx_string("422 Unprocessable Content"),
      ngx_string("invalid-grant"), ngx_string("invalid_grant"),
      ngx_string("The body is not a grant"), ngx_null_string },

    { 422, ngx_string("422 Unprocessable Content"),
      ngx_string("invalid-transaction"), ngx_string("invalid_transaction"),
      ngx_string("The body is not a transaction that can be entered"),
      ngx_null_string },

    { 422, ngx_string("422 Unprocessable Content"),
      ngx_string("idempotency-key-reused"),
      ngx_string("idempotency_key_reused"),
      ngx_string("The Idempotency-Key belongs to another request"),
      ngx_string("a certificate was issued, or a transaction entered, for this "
                 "Idempotency-Key and another body; what is new needs a new "
                 "key") },

    { 500, ngx_null_string,
      ngx_string("outcome-unknown"), ngx_string("outcome_unknown"),
      ngx_string("It is not known whether it was done"),
      ngx_string("the last step of the commit failed or had no answer; look at "
                 "the class's last certificates before you ask again, or ask with "
                 "the Idempotency-Key that this request had") },

    { 503, ngx_null_string,
      ngx_string("too-many-waiting"), ngx_string("too_many_waiting"),
      ngx_string("Too many requests are waiting"),
      ngx_string("more came than can be committed"
                 NGX_HTTP_STOCKCERT_NOTHING ", ask again later") },

    { 503, ngx_null_string,
      ngx_string("ledger-full"), ngx_string("ledger_full"),
      ngx_string("The ledger has no room"),
      ngx_string("the disk is full or the ledger has reached its size"
                 NGX_HTTP_STOCKCERT_NOTHING ", ask again when the operator "
                 "has made room") },

    { 503, ngx_null_string,
      ngx_string("ledger-unavailable"), ngx_string("ledger_unavailable"),
      ngx_string("The ledger cannot be used now"),
      ngx_string("the server's error log says why" NGX_HTTP_STOCKCERT_NOTHING
                 ", ask again later") },
};


_Static_assert(sizeof(ngx_http_stockcert_problems)
               / sizeof(ngx_http_stockcert_problem_t)
               == NGX_HTTP_STOCKCERT_PROBLEMS, "one for each");


ngx_int_t
ngx_http_stockcert_problem(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const ngx_str_t *detail,
    const ngx_str_t *members)
{
    char                                 text[NGX_MAX_ERROR_STR];
    u_char                              *p;
    size_t                               len;
    ngx_buf_t                           *b;
    const ngx_http_stockcert_problem_t  *pr;

    pr = &ngx_http_stockcert_problems[problem];

    if (detail == NULL) {
        detail = &pr->detail;
    }

    if (r->connection->log->log_level >= NGX_LOG_INFO) {
        (void) stockcert_text_escape((char *) detail->data, detail->len, text,
                                     sizeof(text));

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "stockcert answers %ui %V: %s", pr->status, &pr->error,
                      text);
    }

    ngx_http_stockcert_note_refused(r, problem, &pr->error);

    if (ngx_http_stockcert_add_header(r, "Vary", "Accept") == NULL
        || (pr->status == NGX_HTTP_SERVICE_UNAVAILABLE
            && ngx_http_stockcert_add_header(r, "Retry-After", "1") == NULL))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status_line = pr->status_line;

    if (ngx_http_stockcert_prefers_html(r)) {
        return ngx_http_stockcert_html_problem(r, pr->status, &pr->title,
                                               detail);
    }

    len = sizeof("{\"type\":\"urn:stockcert:\",\"title\":\"\",\"status\":000,"
                 "\"detail\":\"\",\"error\":\"\"}\n")
          + pr->type.len + pr->title.len + pr->error.len
          + detail->len + ngx_escape_json(NULL, detail->data, detail->len)
          + (members ? members->len : 0);

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(b->last, "{\"type\":\"urn:stockcert:%V\",\"title\":\"%V\","
                    "\"status\":%ui,\"detail\":\"", &pr->type, &pr->title,
                    pr->status);
    p = (u_char *) ngx_escape_json(p, detail->data, detail->len);
    p = ngx_sprintf(p, "\",\"error\":\"%V\"", &pr->error);

    if (members && members->len) {
        p = ngx_cpymem(p, members->data, members->len);
    }

    *p++ = '}';
    *p++ = '\n';

    b->last = p;

    return ngx_http_stockcert_send(r, pr->status, "application/problem+json",
                                   b);
}


const ngx_str_t *
ngx_http_stockcert_error(ngx_http_stockcert_problem_e problem)
{
    return &ngx_http_stockcert_problems[problem].error;
}


ngx_int_t
ngx_http_stockcert_body_fault(ngx_http_request_t *r, stockcert_fault_t *fault)
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

    case STOCKCERT_NOT_AN_ORDER:
        problem = NGX_HTTP_STOCKCERT_INVALID_TRANSACTION;
        break;

    default: /* STOCKCERT_NOT_A_GRANT */
        problem = NGX_HTTP_STOCKCERT_INVALID_GRANT;
        break;
    }

    return ngx_http_stockcert_problem(r, problem, &detail, &members);
}
