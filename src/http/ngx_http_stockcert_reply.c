
/*
 * Answers in JSON: certificates, listings, the inventory, outcomes of grants.
 *
 * It runs on the event loop, and reads no ledger.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_format.h>


#define NGX_HTTP_STOCKCERT_JSON  "application/json"


static ngx_int_t ngx_http_stockcert_reply_issued(ngx_http_request_t *r,
    const stockcert_slot_t *slot);
static ngx_buf_t *ngx_http_stockcert_certificate(ngx_http_request_t *r,
    const stockcert_certificate_t *certificate);
static size_t ngx_http_stockcert_certificate_len(
    const ngx_http_stockcert_loc_conf_t *slcf,
    const stockcert_certificate_t *certificate);
static u_char *ngx_http_stockcert_put_certificate(u_char *p,
    const ngx_http_stockcert_loc_conf_t *slcf,
    const stockcert_certificate_t *certificate);
static u_char *ngx_http_stockcert_put_time(u_char *p, uint64_t time);
static ngx_int_t ngx_http_stockcert_set_next(ngx_http_request_t *r,
    const ngx_str_t *code, uint64_t after, ngx_uint_t limit, ngx_str_t *next);


ngx_int_t
ngx_http_stockcert_reply(ngx_http_request_t *r,
    const stockcert_slot_t *slot)
{
    int                         code_len;
    u_char                      text[512], json[256];
    ngx_str_t                   detail, members;
    const char                 *code;
    const stockcert_outcome_t  *outcome;

    code = slot->grant.code;
    code_len = slot->grant.code_len;
    outcome = &slot->outcome;

    detail.data = text;
    members.data = json;

    switch (outcome->status) {

    case STOCKCERT_ISSUED:
        return ngx_http_stockcert_reply_issued(r, slot);

    case STOCKCERT_INSUFFICIENT:
        detail.len = ngx_snprintf(text, sizeof(text),
                                  "class \"%*s\" has %uL shares left, %uL are "
                                  "requested", (size_t) code_len, code,
                                  outcome->remaining, slot->grant.amount)
                     - text;
        members.len = ngx_snprintf(json, sizeof(json),
                                   ",\"class\":\"%*s\",\"requested\":%uL,"
                                   "\"remaining\":%uL", (size_t) code_len,
                                   code, slot->grant.amount,
                                   outcome->remaining)
                      - json;

        return ngx_http_stockcert_problem(r,
                                        NGX_HTTP_STOCKCERT_INSUFFICIENT_SHARES,
                                        &detail, &members);

    case STOCKCERT_KEY_REUSED:
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_KEY_IS_REUSED,
                                          NULL, NULL);

    case STOCKCERT_NO_ROOM:
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_LEDGER_FULL,
                                          NULL, NULL);

    case STOCKCERT_GIVEN_UP:
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN,
                                          NULL, NULL);

    case STOCKCERT_UNAVAILABLE:
        return ngx_http_stockcert_problem(r,
                                         NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                         NULL, NULL);

    default: /* STOCKCERT_NO_CLASS */
        detail.len = ngx_snprintf(text, sizeof(text),
                                  "\"class\" must be one of the ledger's, "
                                  "\"%*s\" is not", (size_t) code_len, code)
                     - text;
        ngx_str_set(&members, ",\"member\":\"class\"");

        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_INVALID_GRANT,
                                          &detail, &members);
    }
}


static ngx_int_t
ngx_http_stockcert_reply_issued(ngx_http_request_t *r,
    const stockcert_slot_t *slot)
{
    ngx_str_t                 url;
    ngx_buf_t                *b;
    stockcert_entry_t        *entry;
    stockcert_certificate_t   certificate;

    /* as it was issued, also if the answer is sent again */

    certificate.cancelled.position = 0;

    entry = &certificate.issued;

    entry->position = slot->outcome.position;
    entry->time = slot->outcome.time;
    entry->number = slot->outcome.number;
    entry->seal = slot->outcome.seal;
    entry->shares = slot->grant.amount;
    entry->code.len = slot->grant.code_len;
    entry->code.data = slot->grant.code;
    entry->text.len = slot->grant.name_len;
    entry->text.data = slot->grant.name;

    b = ngx_http_stockcert_certificate(r, &certificate);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_stockcert_url(r, entry, 0, &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* not r->headers_out.location: nginx would add a scheme and host to it */

    if (url.len
        && ngx_http_stockcert_add_header(r, "Location", (char *) url.data)
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (slot->outcome.replayed
        && ngx_http_stockcert_add_header(r, "Idempotent-Replayed", "true")
           == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_send(r, NGX_HTTP_CREATED,
                                   NGX_HTTP_STOCKCERT_JSON, b);
}


ngx_int_t
ngx_http_stockcert_reply_certificate(ngx_http_request_t *r,
    const stockcert_certificate_t *certificate)
{
    ngx_buf_t  *b;

    b = ngx_http_stockcert_certificate(r, certificate);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_send(r, NGX_HTTP_OK, NGX_HTTP_STOCKCERT_JSON, b);
}


ngx_int_t
ngx_http_stockcert_reply_certificates(ngx_http_request_t *r,
    const ngx_str_t *code,
    const stockcert_certificate_t *certificates, ngx_uint_t n,
    ngx_uint_t limit, ngx_uint_t more)
{
    u_char                         *p;
    size_t                          len;
    ngx_str_t                       next;
    ngx_buf_t                      *b;
    ngx_uint_t                      i;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    ngx_str_null(&next);

    if (more
        && ngx_http_stockcert_set_next(r, code,
                                       certificates[n - 1].issued.number,
                                       limit, &next)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = sizeof("{\"class\":\"\",\"certificates\":[],\"next\":\"\"}\n")
          + code->len + next.len;

    for (i = 0; i < n; i++) {
        len += ngx_http_stockcert_certificate_len(slcf, &certificates[i])
               + sizeof(",\n") - 1;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(b->last, "{\"class\":\"%V\",\"certificates\":[", code);

    for (i = 0; i < n; i++) {

        if (i) {
            *p++ = ',';
            *p++ = '\n';
        }

        p = ngx_http_stockcert_put_certificate(p, slcf, &certificates[i]);
    }

    *p++ = ']';

    if (more) {
        p = ngx_sprintf(p, ",\"next\":\"%V\"", &next);
    }

    *p++ = '}';
    *p++ = '\n';

    b->last = p;

    return ngx_http_stockcert_send(r, NGX_HTTP_OK, NGX_HTTP_STOCKCERT_JSON, b);
}


ngx_int_t
ngx_http_stockcert_reply_inventory(ngx_http_request_t *r,
    const stockcert_entry_t *last, const stockcert_class_t *classes,
    ngx_uint_t n)
{
    u_char                         *p;
    size_t                          len;
    ngx_buf_t                      *b;
    ngx_uint_t                      i;
    const stockcert_class_t        *class;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    len = sizeof("{\"company\":\"\",\"entries\":,\"seal\":\"\","
                 "\"classes\":[]}\n")
          + slcf->ledger->company_json.len + NGX_INT64_LEN
          + STOCKCERT_HEX_LEN;

    for (i = 0; i < n; i++) {
        class = &classes[i];

        len += sizeof(",\n{\"class\":\"\",\"title\":\"\",\"authorized\":,"
                      "\"issued\":,\"remaining\":,\"certificates\":}")
               + class->code.len + 4 * NGX_INT64_LEN
               + class->title.len + ngx_escape_json(NULL,
                                                    (u_char *)
                                                    class->title.data,
                                                    class->title.len);
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(b->last, "{\"company\":\"%V\",\"entries\":%uL,\"seal\":\"",
                    &slcf->ledger->company_json, last->position);
    p = ngx_hex_dump(p, (u_char *) last->seal, STOCKCERT_SEAL_LEN);
    p = ngx_sprintf(p, "\",\"classes\":[");

    for (i = 0; i < n; i++) {
        class = &classes[i];

        if (i) {
            *p++ = ',';
        }

        p = ngx_sprintf(p, "\n{\"class\":\"%*s\",\"title\":\"", class->code.len,
                        class->code.data);
        p = (u_char *) ngx_escape_json(p, (u_char *) class->title.data,
                                       class->title.len);
        p = ngx_sprintf(p, "\",\"authorized\":%uL,\"issued\":%uL,"
                        "\"remaining\":%uL,\"certificates\":%uL}",
                        class->authorized, class->issued,
                        class->authorized - class->issued, class->last);
    }

    *p++ = ']';
    *p++ = '}';
    *p++ = '\n';

    b->last = p;

    return ngx_http_stockcert_send(r, NGX_HTTP_OK, NGX_HTTP_STOCKCERT_JSON, b);
}


/* a certificate as a whole body */

static ngx_buf_t *
ngx_http_stockcert_certificate(ngx_http_request_t *r,
    const stockcert_certificate_t *certificate)
{
    size_t                          len;
    ngx_buf_t                      *b;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    len = ngx_http_stockcert_certificate_len(slcf, certificate);

    b = ngx_create_temp_buf(r->pool, len + 1);
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_http_stockcert_put_certificate(b->last, slcf, certificate);
    *b->last++ = '\n';

    return b;
}


static size_t
ngx_http_stockcert_certificate_len(const ngx_http_stockcert_loc_conf_t *slcf,
    const stockcert_certificate_t *certificate)
{
    size_t                    len;
    const stockcert_entry_t  *entry;

    entry = &certificate->issued;

    len = sizeof("{\"cert_id\":\"-\",\"stakeholder\":\"\",\"company\":\"\","
                 "\"amount\":,\"class\":\"\",\"number\":,\"issued_at\":\"\","
                 "\"entry\":,\"seal\":\"\"}")
          + 2 * entry->code.len + 4 * NGX_INT64_LEN
          + entry->text.len + ngx_escape_json(NULL,
                                              (u_char *) entry->text.data,
                                              entry->text.len)
          + slcf->ledger->company_json.len + STOCKCERT_TIME_LEN
          + STOCKCERT_HEX_LEN;

    entry = &certificate->cancelled;

    if (entry->position) {
        len += sizeof(",\"status\":\"cancelled\",\"cancelled_at\":\"\","
                      "\"reason\":\"\"")
               + STOCKCERT_TIME_LEN
               + entry->text.len + ngx_escape_json(NULL,
                                                   (u_char *) entry->text.data,
                                                   entry->text.len);
    }

    return len;
}


static u_char *
ngx_http_stockcert_put_certificate(u_char *p,
    const ngx_http_stockcert_loc_conf_t *slcf,
    const stockcert_certificate_t *certificate)
{
    const stockcert_entry_t  *entry;

    entry = &certificate->issued;

    p = ngx_sprintf(p, "{\"cert_id\":\"%*s-%uL\",\"stakeholder\":\"",
                    entry->code.len, entry->code.data, entry->number);
    p = (u_char *) ngx_escape_json(p, (u_char *) entry->text.data,
                                   entry->text.len);
    p = ngx_sprintf(p, "\",\"company\":\"%V\",\"amount\":%uL,"
                    "\"class\":\"%*s\",\"number\":%uL,\"issued_at\":\"",
                    &slcf->ledger->company_json, entry->shares,
                    entry->code.len, entry->code.data, entry->number);
    p = ngx_http_stockcert_put_time(p, entry->time);
    p = ngx_sprintf(p, "\",\"entry\":%uL,\"seal\":\"", entry->position);
    p = ngx_hex_dump(p, (u_char *) entry->seal, STOCKCERT_SEAL_LEN);
    *p++ = '"';

    entry = &certificate->cancelled;

    if (entry->position) {
        p = ngx_sprintf(p, ",\"status\":\"cancelled\",\"cancelled_at\":\"");
        p = ngx_http_stockcert_put_time(p, entry->time);
        p = ngx_sprintf(p, "\",\"reason\":\"");
        p = (u_char *) ngx_escape_json(p, (u_char *) entry->text.data,
                                       entry->text.len);
        *p++ = '"';
    }

    *p++ = '}';

    return p;
}


/* RFC 3339 */

static u_char *
ngx_http_stockcert_put_time(u_char *p, uint64_t time)
{
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (time / 1000000), &tm);

    return ngx_sprintf(p, "%4d-%02d-%02dT%02d:%02d:%02d.%06uLZ",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                       time % 1000000);
}


/*
 * the URL of the certificates that follow, which the header Link has (RFC 8288)
 */

static ngx_int_t
ngx_http_stockcert_set_next(ngx_http_request_t *r, const ngx_str_t *code,
    uint64_t after, ngx_uint_t limit, ngx_str_t *next)
{
    u_char     *p;
    ngx_str_t   base;

    if (ngx_http_stockcert_base(r, &base) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, base.len + code->len + sizeof("?after=&limit=")
                             + 2 * NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    next->data = p;
    next->len = ngx_sprintf(p, "%V%V?after=%uL&limit=%ui", &base, code, after,
                            limit)
                - p;

    p = ngx_pnalloc(r->pool, sizeof("<>; rel=\"next\"") + next->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(p, "<%V>; rel=\"next\"%Z", next);

    return ngx_http_stockcert_set_header(r, &r->headers_out.link, "Link",
                                         (char *) p);
}
