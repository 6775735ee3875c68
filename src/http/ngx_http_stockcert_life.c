
/*
 * The life of a certificate: what it came from, and what came of it, as the
 * groups of the journal tell.
 *
 * It runs on the event loop, and reads in the snapshot of its caller.
 */


#include <ngx_http_stockcert.h>


ngx_int_t
ngx_http_stockcert_life(ngx_http_request_t *r, stockcert_ledger_t *ledger,
    const stockcert_certificate_t *certificate, ngx_str_t *life,
    stockcert_error_t *error)
{
    u_char                       *p;
    uint64_t                      transaction;
    stockcert_entry_t             first;
    const stockcert_entry_t      *issued;
    const stockcert_surrender_t  *surrender;

    issued = &certificate->issued;
    surrender = &certificate->surrender;

    ngx_memzero(&first, sizeof(stockcert_entry_t));
    transaction = 0;

    if (issued->member) {
        transaction = stockcert_entry_first(issued);

        if (stockcert_ledger_entry(ledger, transaction, &first, error)
            != STOCKCERT_OK)
        {
            return NGX_ABORT;
        }
    }

    if (transaction == 0 && surrender->issues == 0) {
        ngx_str_null(life);
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool,
                    sizeof(",\"became\":[],\"came_from\":{\"transaction\":,"
                           "\"certificates\":[]}")
                    + NGX_INT64_LEN
                    + (first.surrenders + surrender->issues)
                      * NGX_HTTP_STOCKCERT_ID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    life->data = p;

    if (surrender->issues) {
        p = ngx_sprintf(p, ",\"became\":");
        p = ngx_http_stockcert_put_ids(p, ledger,
                                       surrender->transaction
                                       + surrender->surrenders,
                                       surrender->issues, error);
    }

    if (p && transaction) {
        p = ngx_sprintf(p, ",\"came_from\":{\"transaction\":%uL,"
                        "\"certificates\":", transaction);
        p = ngx_http_stockcert_put_ids(p, ledger, transaction, first.surrenders,
                                       error);
        if (p) {
            *p++ = '}';
        }
    }

    if (p == NULL) {
        return NGX_ABORT;
    }

    life->len = p - life->data;

    return NGX_OK;
}


u_char *
ngx_http_stockcert_put_ids(u_char *p, stockcert_ledger_t *ledger,
    uint64_t position, uint64_t n, stockcert_error_t *error)
{
    uint64_t           i;
    stockcert_entry_t  entry;

    *p++ = '[';

    for (i = 0; i < n; i++) {

        if (stockcert_ledger_entry(ledger, position + i, &entry, error)
            != STOCKCERT_OK)
        {
            return NULL;
        }

        p = ngx_sprintf(p, "%s\"%*s-%uL\"", i ? "," : "", entry.code.len,
                        entry.code.data, entry.number);
    }

    *p++ = ']';

    return p;
}
