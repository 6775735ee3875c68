
/*
 * Answers GET and HEAD: reads the ledger, in one snapshot for each answer.
 *
 * It runs on the event loop, and never writes to the ledger.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_format.h>


#define NGX_HTTP_STOCKCERT_LIMIT      100      /* certificates in a list */
#define NGX_HTTP_STOCKCERT_LIMIT_MAX  1000
#define NGX_HTTP_STOCKCERT_LATEST     20       /* in the stock book */

_Static_assert(NGX_HTTP_STOCKCERT_LIMIT_MAX == 1000, "as bad-parameter has it");


static ngx_int_t ngx_http_stockcert_get_inventory(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error);
static ngx_int_t ngx_http_stockcert_get_class(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error);
static ngx_int_t ngx_http_stockcert_get_certificates(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error);
static ngx_int_t ngx_http_stockcert_get_certificate(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error);
static ngx_int_t ngx_http_stockcert_found(ngx_http_request_t *r,
    const ngx_http_stockcert_target_t *target, const uint8_t *seal);
static void ngx_http_stockcert_list(stockcert_book_page_t *book,
    const stockcert_class_t *class, const stockcert_entry_t *last);
static ngx_int_t ngx_http_stockcert_parameters(ngx_http_request_t *r,
    uint64_t *after, uint64_t *limit);
static ngx_int_t ngx_http_stockcert_parameter(ngx_http_request_t *r,
    const char *name, uint64_t min, uint64_t max, uint64_t *value);


/*
 * Reads and answers from one snapshot.  A function that reads returns NGX_ABORT
 * if the ledger failed, and NGX_DECLINED if a precondition is not met.
 */

ngx_int_t
ngx_http_stockcert_get(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target)
{
    ngx_int_t                       rc;
    stockcert_error_t               error;
    stockcert_ledger_t             *ledger;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    ledger = ngx_http_stockcert_lane_ledger(slcf->ledger);

    if (ledger == NULL) {
        return ngx_http_stockcert_problem(r,
                                         NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                         NULL, NULL);
    }

    /* STOCKCERT_NOT_FOUND sets no error, and may mean damage here */

    ngx_cpystrn((u_char *) error.text, (u_char *) NGX_HTTP_STOCKCERT_MISSING,
                sizeof(error.text));

    if (!target->html) {
        target->negotiated = 1;
        target->html = ngx_http_stockcert_prefers_html(r);
    }

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK) {
        rc = NGX_ABORT;

    } else {

        if (target->code.len == 0) {
            rc = ngx_http_stockcert_get_inventory(r, ledger, target, &error);

        } else if (target->print) {
            rc = ngx_http_stockcert_get_class(r, ledger, target, &error);

        } else if (target->number == 0) {
            rc = ngx_http_stockcert_get_certificates(r, ledger, target,
                                                     &error);

        } else {
            rc = ngx_http_stockcert_get_certificate(r, ledger, target, &error);
        }

        stockcert_ledger_release(ledger);
    }

    if (rc == NGX_ABORT) {
        ngx_http_stockcert_lane_failed(slcf->ledger, &error);

        return ngx_http_stockcert_problem(r,
                                         NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                         NULL, NULL);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_stockcert_problem(r,
                                       NGX_HTTP_STOCKCERT_PRECONDITION_FAILED,
                                       NULL, NULL);
    }

    return rc;
}


static ngx_int_t
ngx_http_stockcert_get_inventory(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error)
{
    size_t                   n;
    ngx_int_t                rc;
    stockcert_entry_t        last;
    stockcert_class_t        classes[STOCKCERT_CLASSES_MAX];
    stockcert_book_page_t    book;
    stockcert_certificate_t  latest[NGX_HTTP_STOCKCERT_LATEST];

    if (stockcert_ledger_last(ledger, &last, error) != STOCKCERT_OK
        || stockcert_ledger_classes(ledger, classes, &n, error)
           != STOCKCERT_OK)
    {
        return NGX_ABORT;
    }

    ngx_memzero(&book, sizeof(stockcert_book_page_t));

    book.last = &last;
    book.nclasses = n;
    book.classes = classes;
    book.certificates = latest;
    book.n = NGX_HTTP_STOCKCERT_LATEST;

    if (target->html
        && ngx_http_stockcert_read_latest(ledger, last.position, latest,
                                          &book.n, error)
           != NGX_OK)
    {
        return NGX_ABORT;
    }

    rc = ngx_http_stockcert_found(r, target, NULL);
    if (rc != NGX_OK) {
        return rc;
    }

    return target->html
           ? ngx_http_stockcert_html_book(r, &book)
           : ngx_http_stockcert_reply_inventory(r, &last, classes, n);
}


/* the page of all its certificates */

static ngx_int_t
ngx_http_stockcert_get_class(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error)
{
    ngx_int_t              found;
    stockcert_rc_e         rc;
    stockcert_class_t      class;
    stockcert_entry_t      last;
    stockcert_book_page_t  book;

    rc = stockcert_ledger_class(ledger, (char *) target->code.data,
                                target->code.len, &class, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_NOT_FOUND,
                                          NULL, NULL);
    }

    if (rc != STOCKCERT_OK
        || stockcert_ledger_last(ledger, &last, error) != STOCKCERT_OK)
    {
        return NGX_ABORT;
    }

    ngx_http_stockcert_list(&book, &class, &last);

    book.n = (size_t) class.last;

    found = ngx_http_stockcert_found(r, target, NULL);
    if (found != NGX_OK) {
        return found;
    }

    return ngx_http_stockcert_html_print(r, &target->code, &book);
}


static ngx_int_t
ngx_http_stockcert_get_certificates(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error)
{
    ngx_int_t                 found;
    stockcert_rc_e            rc;
    stockcert_class_t         class;
    stockcert_entry_t         last;
    stockcert_book_page_t     book;
    stockcert_certificate_t  *certificates;

    ngx_http_stockcert_list(&book, &class, &last);

    if (ngx_http_stockcert_parameters(r, &book.after, &book.limit) != NGX_OK) {
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_BAD_PARAMETER,
                                          NULL, NULL);
    }

    rc = stockcert_ledger_class(ledger, (char *) target->code.data,
                                target->code.len, &class, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_NOT_FOUND,
                                          NULL, NULL);
    }

    if (rc != STOCKCERT_OK) {
        return NGX_ABORT;
    }

    if (class.last > book.after) {
        book.n = (size_t) ngx_min(class.last - book.after, book.limit);
    }

    book.more = (book.after + book.n < class.last);

    certificates = ngx_palloc(r->pool,
                              (book.n + 1) * sizeof(stockcert_certificate_t));
    if (certificates == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    book.certificates = certificates;

    if (ngx_http_stockcert_read_rows(ledger, &target->code, book.after, book.n,
                                     certificates, error)
        != NGX_OK
        || (target->html
            && stockcert_ledger_last(ledger, &last, error) != STOCKCERT_OK))
    {
        return NGX_ABORT;
    }

    found = ngx_http_stockcert_found(r, target, NULL);
    if (found != NGX_OK) {
        return found;
    }

    return target->html
           ? ngx_http_stockcert_html_book(r, &book)
           : ngx_http_stockcert_reply_certificates(r, &target->code,
                                                   certificates, book.n,
                                                   (ngx_uint_t) book.limit,
                                                   book.more);
}


/* a page of one class; certificates are still to come */

static void
ngx_http_stockcert_list(stockcert_book_page_t *book,
    const stockcert_class_t *class, const stockcert_entry_t *last)
{
    ngx_memzero(book, sizeof(stockcert_book_page_t));

    book->last = last;
    book->nclasses = 1;
    book->classes = class;
    book->list = 1;
}


static ngx_int_t
ngx_http_stockcert_get_certificate(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error)
{
    ngx_int_t                 found;
    stockcert_rc_e            rc;
    stockcert_class_t         class;
    stockcert_certificate_t   certificate;
    const stockcert_entry_t  *last;

    rc = stockcert_ledger_certificate(ledger, (char *) target->code.data,
                                      target->code.len, target->number,
                                      &certificate.issued,
                                      &certificate.cancelled, error);
    if (rc == STOCKCERT_NOT_FOUND) {
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_NOT_FOUND,
                                          NULL, NULL);
    }

    if (rc != STOCKCERT_OK
        || (target->html
            && stockcert_ledger_class(ledger, (char *) target->code.data,
                                      target->code.len, &class, error)
               != STOCKCERT_OK))
    {
        return NGX_ABORT;
    }

    last = certificate.cancelled.position ? &certificate.cancelled
                                          : &certificate.issued;

    found = ngx_http_stockcert_found(r, target,
                                     target->html ? NULL : last->seal);
    if (found != NGX_OK) {
        return found;
    }

    return target->html
           ? ngx_http_stockcert_html_certificate(r, &class, &certificate)
           : ngx_http_stockcert_reply_certificate(r, &certificate);
}


/*
 * What the target names is there, and all of it was read.  Now preconditions
 * count (RFC 9110, section 13.2.1), and the answer's headers may be set.  The
 * seal of its last entry, or NULL, is a strong validator (section 8.8.1).
 */

static ngx_int_t
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


static ngx_int_t
ngx_http_stockcert_parameters(ngx_http_request_t *r, uint64_t *after,
    uint64_t *limit)
{
    *after = 0;
    *limit = NGX_HTTP_STOCKCERT_LIMIT;

    return ngx_http_stockcert_parameter(r, "after", 0, STOCKCERT_SHARES_MAX,
                                        after)
           == NGX_OK
           && ngx_http_stockcert_parameter(r, "limit", 1,
                                           NGX_HTTP_STOCKCERT_LIMIT_MAX, limit)
              == NGX_OK
           ? NGX_OK : NGX_ERROR;
}


/* A missing parameter leaves *value as it is. Twice is an error. */

static ngx_int_t
ngx_http_stockcert_parameter(ngx_http_request_t *r, const char *name,
    uint64_t min, uint64_t max, uint64_t *value)
{
    u_char      *p, *end, *last;
    size_t       len;
    ngx_uint_t   found;

    len = ngx_strlen(name);
    last = r->args.data + r->args.len;
    found = 0;

    for (p = r->args.data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) <= len || p[len] != '='
            || ngx_strncasecmp(p, (u_char *) name, len) != 0)
        {
            continue;
        }

        p += len + 1;

        if (found
            || stockcert_parse_number((char *) p, end - p, value) != 0
            || *value < min || *value > max)
        {
            return NGX_ERROR;
        }

        found = 1;
    }

    return NGX_OK;
}
