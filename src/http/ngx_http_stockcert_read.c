
/*
 * Reads several certificates, in a snapshot of the caller.
 *
 * It runs on the event loop, and never writes to the ledger.
 */


#include <ngx_http_stockcert.h>


#define NGX_HTTP_STOCKCERT_LOOKS  1000     /* entries, for the latest ones */


ngx_int_t
ngx_http_stockcert_read_rows(stockcert_ledger_t *ledger, const ngx_str_t *code,
    uint64_t after, size_t n, stockcert_certificate_t *certificates,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_certificates(ledger, (char *) code->data, code->len,
                                       after + 1, n, certificates, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        ngx_cpystrn((u_char *) error->text,
                    (u_char *) NGX_HTTP_STOCKCERT_MISSING,
                    sizeof(error->text));
    }

    return rc == STOCKCERT_OK ? NGX_OK : NGX_ABORT;
}


/* goes back from the journal's end, but stops after many other entries */

ngx_int_t
ngx_http_stockcert_read_latest(stockcert_ledger_t *ledger, uint64_t position,
    stockcert_certificate_t *certificates, size_t *n, stockcert_error_t *error)
{
    size_t              found, room;
    ngx_uint_t          looks;
    stockcert_entry_t   entry;

    room = *n;
    found = 0;

    for (looks = 0;
         looks < NGX_HTTP_STOCKCERT_LOOKS && position && found < room;
         looks++, position--)
    {
        if (stockcert_ledger_entry(ledger, position, &entry, error)
            != STOCKCERT_OK)
        {
            return NGX_ABORT;
        }

        /* those of a class that is new come as soon as this worker meets it */

        if (entry.kind != STOCKCERT_CERTIFICATE_ISSUED
            || !stockcert_ledger_has_class(ledger, entry.code.data,
                                           entry.code.len))
        {
            continue;
        }

        if (stockcert_ledger_certificate(ledger, entry.code.data,
                                         entry.code.len, entry.number,
                                         &certificates[found], error)
            != STOCKCERT_OK)
        {
            return NGX_ABORT;
        }

        found++;
    }

    *n = found;

    return NGX_OK;
}
