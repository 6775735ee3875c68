
/*
 * Transactions as JSON: the answer to an order, one by its number, a list.  All
 * is read from the group of entries in the journal, so the bytes are always the
 * same.
 *
 * It runs on the event loop, and reads in a snapshot.
 */


#include <ngx_http_stockcert.h>


#define NGX_HTTP_STOCKCERT_CERTIFICATES  1000  /* in a page of a list; with those
                                                  of the last transaction more */


static ngx_int_t ngx_http_stockcert_page_len(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, const uint64_t *numbers, size_t *n,
    size_t *len, stockcert_error_t *error);
static u_char *ngx_http_stockcert_put_page(ngx_http_request_t *r, u_char *p,
    stockcert_ledger_t *ledger, const uint64_t *numbers, size_t n,
    const ngx_str_t *next, stockcert_error_t *error);
static ngx_int_t ngx_http_stockcert_get_transaction(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error);
static ngx_int_t ngx_http_stockcert_read_transaction(
    stockcert_ledger_t *ledger, uint64_t number, stockcert_entry_t *first,
    stockcert_error_t *error);
static ngx_int_t ngx_http_stockcert_transaction_len(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, const stockcert_entry_t *first, size_t *len,
    stockcert_error_t *error);
static u_char *ngx_http_stockcert_put_transaction(ngx_http_request_t *r,
    u_char *p, stockcert_ledger_t *ledger, const stockcert_entry_t *first,
    stockcert_error_t *error);
static u_char *ngx_http_stockcert_put_issued(ngx_http_request_t *r, u_char *p,
    stockcert_ledger_t *ledger, const stockcert_entry_t *first,
    stockcert_entry_t *last, stockcert_error_t *error);
static ngx_buf_t *ngx_http_stockcert_transaction(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, uint64_t number, stockcert_error_t *error);


ngx_int_t
ngx_http_stockcert_get_transactions(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error)
{
    size_t      n, len, shown;
    uint64_t   *numbers;
    ngx_int_t   rc;
    ngx_str_t   next;
    ngx_buf_t  *b;

    static const ngx_str_t  path = ngx_string("transactions");

    if (target->number) {
        return ngx_http_stockcert_get_transaction(r, ledger, target, error);
    }

    /* one more tells whether there is a next page */

    n = (size_t) target->parameters.limit + 1;

    numbers = ngx_palloc(r->pool, n * sizeof(uint64_t));
    if (numbers == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (stockcert_ledger_transactions(ledger, target->parameters.after, numbers,
                                      &n, error)
        != STOCKCERT_OK)
    {
        return NGX_ABORT;
    }

    shown = ngx_min(n, (size_t) target->parameters.limit);

    if (ngx_http_stockcert_page_len(r, ledger, numbers, &shown, &len, error)
        != NGX_OK)
    {
        return NGX_ABORT;
    }

    rc = ngx_http_stockcert_found(r, target, NULL);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_stockcert_next_page(r, &path,
                                     shown < n ? numbers[shown - 1] : 0,
                                     &target->parameters, &next)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_create_temp_buf(r->pool, len + next.len
                                     + sizeof("{\"transactions\":[],"
                                              "\"next\":\"\"}\n"));
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_http_stockcert_put_page(r, b->last, ledger, numbers, shown,
                                          &next, error);
    if (b->last == NULL) {
        return NGX_ABORT;
    }

    return ngx_http_stockcert_send(r, NGX_HTTP_OK, NGX_HTTP_STOCKCERT_JSON, b);
}


/* of *n transactions, or fewer, and then *n is set: a page has a bound */

static ngx_int_t
ngx_http_stockcert_page_len(ngx_http_request_t *r, stockcert_ledger_t *ledger,
    const uint64_t *numbers, size_t *n, size_t *len, stockcert_error_t *error)
{
    size_t             i;
    uint64_t           certificates;
    stockcert_entry_t  first;

    *len = 0;
    certificates = 0;

    for (i = 0; i < *n && certificates < NGX_HTTP_STOCKCERT_CERTIFICATES; i++) {

        if (ngx_http_stockcert_read_transaction(ledger, numbers[i], &first,
                                                error)
            != NGX_OK
            || ngx_http_stockcert_transaction_len(r, ledger, &first, len, error)
               != NGX_OK)
        {
            return NGX_ABORT;
        }

        *len += sizeof(",\n") - 1;
        certificates += first.surrenders + first.issues;
    }

    *n = i;

    return NGX_OK;
}


static u_char *
ngx_http_stockcert_put_page(ngx_http_request_t *r, u_char *p,
    stockcert_ledger_t *ledger, const uint64_t *numbers, size_t n,
    const ngx_str_t *next, stockcert_error_t *error)
{
    size_t             i;
    stockcert_entry_t  first;

    p = ngx_sprintf(p, "{\"transactions\":[");

    for (i = 0; i < n; i++) {

        if (i) {
            *p++ = ',';
            *p++ = '\n';
        }

        if (ngx_http_stockcert_read_transaction(ledger, numbers[i], &first,
                                                error)
            != NGX_OK)
        {
            return NULL;
        }

        p = ngx_http_stockcert_put_transaction(r, p, ledger, &first, error);
        if (p == NULL) {
            return NULL;
        }
    }

    *p++ = ']';

    if (next->len) {
        p = ngx_sprintf(p, ",\"next\":\"%V\"", next);
    }

    *p++ = '}';
    *p++ = '\n';

    return p;
}


static ngx_int_t
ngx_http_stockcert_get_transaction(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error)
{
    ngx_int_t           rc;
    ngx_buf_t          *b;
    stockcert_entry_t   first;

    rc = ngx_http_stockcert_read_transaction(ledger, target->number, &first,
                                             error);

    if (rc == NGX_DECLINED) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (rc != NGX_OK) {
        return NGX_ABORT;
    }

    b = ngx_http_stockcert_transaction(r, ledger, target->number, error);
    if (b == NULL) {
        return NGX_ABORT;
    }

    rc = ngx_http_stockcert_found(r, target, NULL);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_stockcert_send(r, NGX_HTTP_OK, NGX_HTTP_STOCKCERT_JSON, b);
}


ngx_int_t
ngx_http_stockcert_reply_entered(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, uint64_t number, ngx_uint_t replayed)
{
    u_char             *p;
    ngx_str_t           base;
    ngx_buf_t          *b;
    stockcert_error_t   error;

    if (ledger == NULL
        || stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_http_stockcert_transaction(r, ledger, number, &error);

    stockcert_ledger_release(ledger);

    if (b == NULL || ngx_http_stockcert_base(r, &base) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = NULL;

    if (base.len) {
        p = ngx_pnalloc(r->pool, base.len + sizeof("transactions/")
                                 + NGX_INT64_LEN);
        if (p == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_sprintf(p, "%Vtransactions/%uL%Z", &base, number);
    }

    return ngx_http_stockcert_send_created(r, p, replayed, b);
}


/* as a whole body; NULL also where the ledger failed */

static ngx_buf_t *
ngx_http_stockcert_transaction(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, uint64_t number, stockcert_error_t *error)
{
    size_t              len;
    u_char             *p;
    ngx_buf_t          *b;
    stockcert_entry_t   first;

    len = sizeof("\n");

    if (ngx_http_stockcert_read_transaction(ledger, number, &first, error)
        != NGX_OK
        || ngx_http_stockcert_transaction_len(r, ledger, &first, &len, error)
           != NGX_OK)
    {
        return NULL;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        ngx_cpystrn((u_char *) error->text, (u_char *) "there is no memory",
                    sizeof(error->text));
        return NULL;
    }

    p = ngx_http_stockcert_put_transaction(r, b->last, ledger, &first, error);
    if (p == NULL) {
        return NULL;
    }

    *p++ = '\n';
    b->last = p;

    return b;
}


/* NGX_DECLINED if there is none with this number */

static ngx_int_t
ngx_http_stockcert_read_transaction(stockcert_ledger_t *ledger,
    uint64_t number, stockcert_entry_t *first, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_entry(ledger, number, first, error);

    if (rc == STOCKCERT_NOT_FOUND || (rc == STOCKCERT_OK && first->type == 0)) {
        return NGX_DECLINED;
    }

    return rc == STOCKCERT_OK ? NGX_OK : NGX_ABORT;
}


/* adds to *len what it takes at most */

static ngx_int_t
ngx_http_stockcert_transaction_len(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, const stockcert_entry_t *first, size_t *len,
    stockcert_error_t *error)
{
    uint64_t                           i;
    stockcert_entry_t                  entry;
    ngx_http_stockcert_loc_conf_t     *slcf;
    ngx_http_stockcert_certificate_t   c;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    *len += sizeof("{\"transaction\":,\"type\":\"\",\"reason\":\"\","
                   "\"corrects\":,\"entered_at\":\"\",\"surrendered\":[],"
                   "\"issued\":[],\"balance\":,\"entry\":,\"seal\":\"\"}")
            + 3 * NGX_INT64_LEN + 64 + 2 * STOCKCERT_SEAL_LEN
            + ngx_http_stockcert_more_len(first)
            + (first->surrenders + 1) * NGX_HTTP_STOCKCERT_ID_LEN;

    ngx_memzero(&c, sizeof(ngx_http_stockcert_certificate_t));
    c.issued = &entry;

    for (i = 0; i < first->issues; i++) {

        if (stockcert_ledger_entry(ledger,
                                   first->position + first->surrenders + i,
                                   &entry, error)
            != STOCKCERT_OK)
        {
            return NGX_ABORT;
        }

        *len += ngx_http_stockcert_certificate_len(slcf, &c) + 1;
    }

    return NGX_OK;
}


static u_char *
ngx_http_stockcert_put_transaction(ngx_http_request_t *r, u_char *p,
    stockcert_ledger_t *ledger, const stockcert_entry_t *first,
    stockcert_error_t *error)
{
    stockcert_entry_t  last;

    p = ngx_sprintf(p, "{\"transaction\":%uL,\"type\":\"%s\"", first->position,
                    stockcert_transaction(first->type)->name);

    if (first->reason) {
        p = ngx_sprintf(p, ",\"reason\":\"%s\"",
                        stockcert_reason(first->reason));
    }

    if (first->corrects) {
        p = ngx_sprintf(p, ",\"corrects\":%uL", first->corrects);
    }

    p = ngx_http_stockcert_put_more(p, first);
    p = ngx_sprintf(p, ",\"entered_at\":\"");
    p = ngx_http_stockcert_put_time(p, first->time);
    p = ngx_sprintf(p, "\",\"surrendered\":");

    p = ngx_http_stockcert_put_ids(p, ledger, first->position,
                                   first->surrenders, error);
    if (p == NULL) {
        return NULL;
    }

    p = ngx_http_stockcert_put_issued(r, p, ledger, first, &last, error);
    if (p == NULL) {
        return NULL;
    }

    if (last.balance) {
        p = ngx_sprintf(p, ",\"balance\":\"%*s-%uL\"", last.code.len,
                        last.code.data, last.number);
    }

    p = ngx_sprintf(p, ",\"entry\":%uL,\"seal\":\"", last.position);
    p = ngx_hex_dump(p, (u_char *) last.seal, STOCKCERT_SEAL_LEN);
    *p++ = '"';
    *p++ = '}';

    return p;
}


/* last is the last entry of the group, whatever that does */

static u_char *
ngx_http_stockcert_put_issued(ngx_http_request_t *r, u_char *p,
    stockcert_ledger_t *ledger, const stockcert_entry_t *first,
    stockcert_entry_t *last, stockcert_error_t *error)
{
    uint64_t                           i, n;
    ngx_http_stockcert_loc_conf_t     *slcf;
    ngx_http_stockcert_certificate_t   c;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    ngx_memzero(&c, sizeof(ngx_http_stockcert_certificate_t));
    c.issued = last;

    p = ngx_sprintf(p, ",\"issued\":[");

    n = first->surrenders + first->issues;

    for (i = first->surrenders - 1; i < n; i++) {

        if (stockcert_ledger_entry(ledger, first->position + i, last, error)
            != STOCKCERT_OK)
        {
            return NULL;
        }

        if (i < first->surrenders) {
            continue;
        }

        if (i > first->surrenders) {
            *p++ = ',';
        }

        p = ngx_http_stockcert_put_certificate(p, slcf, &c);
    }

    *p++ = ']';

    return p;
}
