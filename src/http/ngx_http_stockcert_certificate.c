
/*
 * A certificate as JSON: what it says, and what has become of it.
 *
 * It runs on the event loop, and reads no ledger.
 */


#include <ngx_http_stockcert.h>


/* "2026-11-23T18:45:58.123456Z" */

#define NGX_HTTP_STOCKCERT_TIME_LEN                                           \
    (sizeof("2026-11-23T18:45:58.123456Z") - 1)


static size_t ngx_http_stockcert_text_len(const stockcert_str_t *text);
static u_char *ngx_http_stockcert_put_text(u_char *p,
    const stockcert_str_t *text);


size_t
ngx_http_stockcert_certificate_len(const ngx_http_stockcert_loc_conf_t *slcf,
    const ngx_http_stockcert_certificate_t *c)
{
    size_t                    len;
    const stockcert_entry_t  *entry;

    entry = c->issued;

    len = sizeof("{\"cert_id\":\"-\",\"stakeholder\":\"\",\"company\":\"\","
                 "\"amount\":,\"class\":\"\",\"number\":,\"issued_at\":\"\","
                 "\"entry\":,\"seal\":\"\"}")
          + 2 * entry->code.len + 4 * NGX_INT64_LEN
          + ngx_http_stockcert_text_len(&entry->name)
          + slcf->ledger->company_json.len + NGX_HTTP_STOCKCERT_TIME_LEN
          + 2 * STOCKCERT_SEAL_LEN
          + ngx_http_stockcert_more_len(entry) + c->life.len;

    if (c->status) {
        len += sizeof(",\"status\":\"outstanding\",\"surrendered_at\":\"\","
                      "\"transaction\":,\"cancelled_at\":\"\",\"reason\":\"\"")
               + 2 * NGX_HTTP_STOCKCERT_TIME_LEN + NGX_INT64_LEN
               + ngx_http_stockcert_text_len(&c->reason);
    }

    return len;
}


u_char *
ngx_http_stockcert_put_certificate(u_char *p,
    const ngx_http_stockcert_loc_conf_t *slcf,
    const ngx_http_stockcert_certificate_t *c)
{
    const stockcert_entry_t  *entry;

    entry = c->issued;

    p = ngx_sprintf(p, "{\"cert_id\":\"%*s-%uL\",\"stakeholder\":\"",
                    entry->code.len, entry->code.data, entry->number);
    p = ngx_http_stockcert_put_text(p, &entry->name);
    p = ngx_sprintf(p, "\",\"company\":\"%V\",\"amount\":%uL,"
                    "\"class\":\"%*s\",\"number\":%uL,\"issued_at\":\"",
                    &slcf->ledger->company_json, entry->shares,
                    entry->code.len, entry->code.data, entry->number);
    p = ngx_http_stockcert_put_time(p, entry->time);
    p = ngx_sprintf(p, "\",\"entry\":%uL,\"seal\":\"", entry->position);
    p = ngx_hex_dump(p, (u_char *) entry->seal, STOCKCERT_SEAL_LEN);
    *p++ = '"';

    p = ngx_http_stockcert_put_more(p, entry);

    if (c->status) {
        p = ngx_sprintf(p, ",\"status\":\"%s\"", c->status);

        if (c->transaction) {
            p = ngx_sprintf(p, ",\"surrendered_at\":\"");
            p = ngx_http_stockcert_put_time(p, c->surrendered);
            p = ngx_sprintf(p, "\",\"transaction\":%uL", c->transaction);
        }

        if (c->reason.len) {
            p = ngx_sprintf(p, ",\"cancelled_at\":\"");
            p = ngx_http_stockcert_put_time(p, c->surrendered);
            p = ngx_sprintf(p, "\",\"reason\":\"");
            p = ngx_http_stockcert_put_text(p, &c->reason);
            *p++ = '"';
        }
    }

    if (c->life.len) {
        p = ngx_cpymem(p, c->life.data, c->life.len);
    }

    *p++ = '}';

    return p;
}


void
ngx_http_stockcert_set_certificate(ngx_http_stockcert_certificate_t *c,
    const stockcert_certificate_t *certificate)
{
    const stockcert_surrender_t  *surrender;

    surrender = &certificate->surrender;

    ngx_memzero(c, sizeof(ngx_http_stockcert_certificate_t));

    c->issued = &certificate->issued;
    c->status = stockcert_status(surrender);

    if (surrender->position == 0) {
        return;
    }

    c->transaction = surrender->transaction;
    c->surrendered = surrender->time;

    if (surrender->type == STOCKCERT_CANCEL) {
        c->reason = surrender->reference;
    }
}


/* what an issuance says besides, if it does; all of these are strings */

size_t
ngx_http_stockcert_more_len(const stockcert_entry_t *entry)
{
    size_t                    len;
    ngx_uint_t                tag;
    const stockcert_str_t    *value;
    const stockcert_field_t  *field;

    len = 0;

    for (tag = STOCKCERT_FIELD_HOLDER_ID; tag <= STOCKCERT_FIELD_REFERENCE;
         tag++)
    {
        field = stockcert_field(tag);
        value = stockcert_entry_string((stockcert_entry_t *) entry, field);

        if (value->len) {
            len += sizeof(",\"\":\"\"") + ngx_strlen(field->name)
                   + ngx_http_stockcert_text_len(value);
        }
    }

    return len;
}


u_char *
ngx_http_stockcert_put_more(u_char *p, const stockcert_entry_t *entry)
{
    ngx_uint_t                tag;
    const stockcert_str_t    *value;
    const stockcert_field_t  *field;

    for (tag = STOCKCERT_FIELD_HOLDER_ID; tag <= STOCKCERT_FIELD_REFERENCE;
         tag++)
    {
        field = stockcert_field(tag);
        value = stockcert_entry_string((stockcert_entry_t *) entry, field);

        if (value->len) {
            p = ngx_sprintf(p, ",\"%s\":\"", field->name);
            p = ngx_http_stockcert_put_text(p, value);
            *p++ = '"';
        }
    }

    return p;
}


static size_t
ngx_http_stockcert_text_len(const stockcert_str_t *text)
{
    return text->len + ngx_escape_json(NULL, (u_char *) text->data, text->len);
}


static u_char *
ngx_http_stockcert_put_text(u_char *p, const stockcert_str_t *text)
{
    return (u_char *) ngx_escape_json(p, (u_char *) text->data, text->len);
}


/* RFC 3339 */

u_char *
ngx_http_stockcert_put_time(u_char *p, uint64_t time)
{
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (time / 1000000), &tm);

    return ngx_sprintf(p, "%4d-%02d-%02dT%02d:%02d:%02d.%06uLZ",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                       time % 1000000);
}
