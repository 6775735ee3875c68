
/*
 * Answers in JSON: certificates, listings, the inventory, outcomes of grants.
 *
 * It runs on the event loop, and reads no ledger.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_format.h>


static ngx_int_t ngx_http_stockcert_reply_failed(ngx_http_request_t *r,
    stockcert_status_e status);
static ngx_int_t ngx_http_stockcert_reply_issued(ngx_http_request_t *r,
    const stockcert_slot_t *slot);
static ngx_buf_t *ngx_http_stockcert_whole_certificate(ngx_http_request_t *r,
    const ngx_http_stockcert_certificate_t *c);


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

    case STOCKCERT_NOT_YET:
        ngx_str_set(&detail, "\"effective\" must not be later than today");
        ngx_str_set(&members, ",\"member\":\"effective\"");

        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_INVALID_GRANT,
                                          &detail, &members);

    case STOCKCERT_NO_CLASS:
        detail.len = ngx_snprintf(text, sizeof(text),
                                  "\"class\" must be one of the ledger's, "
                                  "\"%*s\" is not", (size_t) code_len, code)
                     - text;
        ngx_str_set(&members, ",\"member\":\"class\"");

        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_INVALID_GRANT,
                                          &detail, &members);

    default:
        return ngx_http_stockcert_reply_failed(r, outcome->status);
    }
}


ngx_int_t
ngx_http_stockcert_reply_transacted(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, const stockcert_order_t *order,
    const stockcert_transacted_t *done)
{
    u_char                        text[512], json[256];
    ngx_str_t                     detail, members;
    const stockcert_id_t         *id;
    ngx_http_stockcert_problem_e  problem;

    detail.data = text;
    members.data = json;
    members.len = 0;

    /* an order that was never read is NULL, and no certificate is at fault */

    id = order ? &order->from[done->at] : NULL;

    switch (done->status) {

    case STOCKCERT_ISSUED:
        ngx_http_stockcert_note_entered(r, done->transaction, done->replayed);

        return ngx_http_stockcert_reply_entered(r, ledger, done->transaction,
                                                done->replayed);

    case STOCKCERT_NEVER_ISSUED:
        detail.len = ngx_snprintf(text, sizeof(text), "%*s-%uL was never "
                                  "issued", (size_t) id->code_len, id->code,
                                  id->number)
                     - text;

        problem = NGX_HTTP_STOCKCERT_NOT_FOUND;
        break;

    case STOCKCERT_NOT_OUTSTANDING:
        detail.len = ngx_snprintf(text, sizeof(text), "%*s-%uL is no longer "
                                  "outstanding, by transaction %uL",
                                  (size_t) id->code_len, id->code, id->number,
                                  done->transaction)
                     - text;
        members.len = ngx_snprintf(json, sizeof(json),
                                   ",\"certificate\":\"%*s-%uL\","
                                   "\"transaction\":%uL",
                                   (size_t) id->code_len, id->code, id->number,
                                   done->transaction)
                      - json;

        problem = NGX_HTTP_STOCKCERT_NOT_OUTSTANDING;
        break;

    case STOCKCERT_INVALID:
        detail.len = ngx_snprintf(text, sizeof(text), "%s%s%s%s",
                                  done->member ? "\"" : "",
                                  done->member ? done->member : "",
                                  done->member ? "\": " : "", done->detail)
                     - text;

        if (done->member) {
            members.len = ngx_snprintf(json, sizeof(json),
                                       ",\"member\":\"%s\"", done->member)
                          - json;
        }

        problem = NGX_HTTP_STOCKCERT_INVALID_TRANSACTION;
        break;

    default:
        return ngx_http_stockcert_reply_failed(r, done->status);
    }

    return ngx_http_stockcert_problem(r, problem, &detail, &members);
}


/* what is said of grants and orders alike */

static ngx_int_t
ngx_http_stockcert_reply_failed(ngx_http_request_t *r,
    stockcert_status_e status)
{
    ngx_http_stockcert_problem_e  problem;

    switch (status) {

    case STOCKCERT_KEY_REUSED:
        problem = NGX_HTTP_STOCKCERT_KEY_IS_REUSED;
        break;

    case STOCKCERT_NO_ROOM:
        problem = NGX_HTTP_STOCKCERT_LEDGER_FULL;
        break;

    case STOCKCERT_UNAVAILABLE:
        problem = NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE;
        break;

    default: /* STOCKCERT_GIVEN_UP */
        problem = NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN;
        break;
    }

    return ngx_http_stockcert_problem(r, problem, NULL, NULL);
}


static ngx_int_t
ngx_http_stockcert_reply_issued(ngx_http_request_t *r,
    const stockcert_slot_t *slot)
{
    ngx_str_t                          url;
    ngx_buf_t                         *b;
    stockcert_entry_t                  entry;
    ngx_http_stockcert_certificate_t   c;

    ngx_http_stockcert_note_issued(r, slot);

    ngx_memzero(&entry, sizeof(stockcert_entry_t));
    ngx_memzero(&c, sizeof(ngx_http_stockcert_certificate_t));

    entry.position = slot->outcome.position;
    entry.time = slot->outcome.time;
    entry.number = slot->outcome.number;
    entry.seal = slot->outcome.seal;
    entry.shares = slot->grant.amount;
    entry.code.len = slot->grant.code_len;
    entry.code.data = slot->grant.code;
    entry.name.len = slot->grant.name_len;
    entry.name.data = slot->grant.name;

    if (stockcert_entry_read_fields(slot->grant.more, slot->grant.asked_len,
                                    STOCKCERT_FIELD_REQUEST, &entry)
        != 0)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    c.issued = &entry;

    /* the same again, while nothing has become of it */

    if (slot->outcome.replayed && slot->outcome.transaction) {
        c.status = slot->outcome.cancelled ? "cancelled" : "surrendered";
        c.transaction = slot->outcome.transaction;
        c.surrendered = slot->outcome.surrendered;
    }

    b = ngx_http_stockcert_whole_certificate(r, &c);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_stockcert_url(r, &entry, 0, &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_send_created(r, url.len ? url.data : NULL,
                                           slot->outcome.replayed, b);
}


ngx_int_t
ngx_http_stockcert_reply_certificate(ngx_http_request_t *r,
    const stockcert_certificate_t *certificate, const ngx_str_t *life)
{
    ngx_buf_t                         *b;
    ngx_http_stockcert_certificate_t   c;

    ngx_http_stockcert_set_certificate(&c, certificate);
    c.life = *life;

    b = ngx_http_stockcert_whole_certificate(r, &c);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_stockcert_send(r, NGX_HTTP_OK, NGX_HTTP_STOCKCERT_JSON, b);
}


ngx_int_t
ngx_http_stockcert_reply_certificates(ngx_http_request_t *r,
    const ngx_http_stockcert_target_t *target,
    const stockcert_certificate_t *certificates, ngx_uint_t n, uint64_t after)
{
    u_char                           *p;
    size_t                            len;
    ngx_str_t                         next;
    const ngx_str_t                  *code;
    ngx_buf_t                        *b;
    ngx_uint_t                        i;
    ngx_http_stockcert_loc_conf_t    *slcf;
    ngx_http_stockcert_certificate_t  c;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    code = &target->code;

    if (ngx_http_stockcert_next_page(r, code, after, &target->parameters, &next)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = sizeof("{\"class\":\"\",\"certificates\":[],\"next\":\"\"}\n")
          + code->len + next.len;

    for (i = 0; i < n; i++) {
        ngx_http_stockcert_set_certificate(&c, &certificates[i]);

        len += ngx_http_stockcert_certificate_len(slcf, &c)
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

        ngx_http_stockcert_set_certificate(&c, &certificates[i]);

        p = ngx_http_stockcert_put_certificate(p, slcf, &c);
    }

    *p++ = ']';

    if (next.len) {
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
ngx_http_stockcert_whole_certificate(ngx_http_request_t *r,
    const ngx_http_stockcert_certificate_t *c)
{
    size_t                          len;
    ngx_buf_t                      *b;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    len = ngx_http_stockcert_certificate_len(slcf, c);

    b = ngx_create_temp_buf(r->pool, len + 1);
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_http_stockcert_put_certificate(b->last, slcf, c);
    *b->last++ = '\n';

    return b;
}
