
/*
 * Answers GET and HEAD: reads the ledger, in one snapshot for each answer.
 *
 * It runs on the event loop, and never writes to the ledger.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_format.h>


#define NGX_HTTP_STOCKCERT_LATEST     20       /* in the stock book */



static ngx_int_t ngx_http_stockcert_get_missing(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger,
    const ngx_http_stockcert_target_t *target);
static ngx_int_t ngx_http_stockcert_get_unavailable(ngx_http_request_t *r);
static void ngx_http_stockcert_get_again(ngx_http_request_t *r);
static ngx_int_t ngx_http_stockcert_get_target(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error);
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
static void ngx_http_stockcert_list(stockcert_book_page_t *book,
    const stockcert_class_t *class, const stockcert_entry_t *last,
    const ngx_http_stockcert_parameters_t *parameters);
static size_t ngx_http_stockcert_keep(const char *status,
    stockcert_certificate_t *certificates, size_t n);
static ngx_uint_t ngx_http_stockcert_allowed(
    const ngx_http_stockcert_target_t *target);


/*
 * Reads and answers from one snapshot.  A function that reads returns NGX_ABORT
 * if the ledger failed, NGX_DECLINED if a precondition is not met, and
 * NGX_HTTP_NOT_FOUND for what is not there.
 */

ngx_int_t
ngx_http_stockcert_get(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target)
{
    ngx_int_t                       rc;
    stockcert_error_t               error;
    stockcert_ledger_t             *ledger;
    ngx_http_stockcert_loc_conf_t  *slcf;

    static const ngx_str_t  precondition =
        ngx_string("If-Match or If-None-Match is not so of what the path names");

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    ledger = ngx_http_stockcert_lane_ledger(slcf->ledger);

    if (ledger == NULL) {
        return ngx_http_stockcert_get_unavailable(r);
    }

    /* STOCKCERT_NOT_FOUND may set no error, and may mean damage here */

    ngx_cpystrn((u_char *) error.text, (u_char *) NGX_HTTP_STOCKCERT_MISSING,
                sizeof(error.text));

    if (ngx_http_stockcert_parameters(r, ngx_http_stockcert_allowed(target),
                                      &target->parameters)
        != NGX_OK)
    {
        return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_BAD_PARAMETER,
                                          NULL, NULL);
    }

    if (!target->html && !target->transactions) {
        target->negotiated = 1;
        target->html = ngx_http_stockcert_prefers_html(r);
    }

    /* what this machine has told its clients is in its lists */

    if (target->number == 0
        && ngx_http_stockcert_read_told(r, slcf->ledger,
                                        ngx_http_stockcert_get_again)
           == NGX_DONE)
    {
        r->main->count++;
        return NGX_DONE;
    }

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK) {
        rc = NGX_ABORT;

    } else {
        rc = ngx_http_stockcert_get_target(r, ledger, target, &error);

        stockcert_ledger_release(ledger);
    }

    if (rc == NGX_ABORT) {
        ngx_http_stockcert_lane_failed(slcf->ledger, &error);

        return ngx_http_stockcert_get_unavailable(r);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_stockcert_problem(r,
                                       NGX_HTTP_STOCKCERT_PRECONDITION_FAILED,
                                       &precondition, NULL);
    }

    return rc == NGX_HTTP_NOT_FOUND
           ? ngx_http_stockcert_get_missing(r, slcf->ledger, target) : rc;
}


/* what any machine has answered must not be missing on another one */

static ngx_int_t
ngx_http_stockcert_get_missing(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger,
    const ngx_http_stockcert_target_t *target)
{
    ngx_int_t  rc;

    static const ngx_str_t  no_transaction =
                               ngx_string(NGX_HTTP_STOCKCERT_NO_TRANSACTION);

    rc = ngx_http_stockcert_catch_up(r, ledger, ngx_http_stockcert_get_again);

    if (rc == NGX_DONE) {
        r->main->count++;
        return rc;
    }

    if (rc != NGX_DECLINED) {
        return ngx_http_stockcert_get_unavailable(r);
    }

    return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_NOT_FOUND,
                                      target->transactions ? &no_transaction
                                                           : NULL,
                                      NULL);
}


/* what is always said of these problems says that nothing was issued */

static ngx_int_t
ngx_http_stockcert_get_unavailable(ngx_http_request_t *r)
{
    static const ngx_str_t  detail =
                ngx_string("the server's error log says why; ask again later");

    return ngx_http_stockcert_problem(r, NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
                                      &detail, NULL);
}


static void
ngx_http_stockcert_get_again(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_stockcert_target_t  target;

    rc = ngx_http_stockcert_target(r, &target) == NGX_OK
         ? ngx_http_stockcert_get(r, &target) : NGX_HTTP_INTERNAL_SERVER_ERROR;

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_http_stockcert_get_target(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error)
{
    if (target->transactions) {
        return ngx_http_stockcert_get_transactions(r, ledger, target, error);
    }

    if (target->code.len == 0) {
        return ngx_http_stockcert_get_inventory(r, ledger, target, error);
    }

    if (target->print) {
        return ngx_http_stockcert_get_class(r, ledger, target, error);
    }

    if (target->number == 0) {
        return ngx_http_stockcert_get_certificates(r, ledger, target, error);
    }

    return ngx_http_stockcert_get_certificate(r, ledger, target, error);
}


/* only lists have parameters */

static ngx_uint_t
ngx_http_stockcert_allowed(const ngx_http_stockcert_target_t *target)
{
    if (target->number || target->print) {
        return 0;
    }

    if (target->transactions) {
        return NGX_HTTP_STOCKCERT_AFTER|NGX_HTTP_STOCKCERT_LIMITED;
    }

    return target->code.len
           ? NGX_HTTP_STOCKCERT_AFTER|NGX_HTTP_STOCKCERT_LIMITED
             |NGX_HTTP_STOCKCERT_STATUS
           : 0;
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
        return NGX_HTTP_NOT_FOUND;
    }

    if (rc != STOCKCERT_OK
        || stockcert_ledger_last(ledger, &last, error) != STOCKCERT_OK)
    {
        return NGX_ABORT;
    }

    ngx_http_stockcert_list(&book, &class, &last, &target->parameters);

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
    uint64_t                  looked;
    ngx_int_t                 found;
    stockcert_rc_e            rc;
    stockcert_class_t         class;
    stockcert_entry_t         last;
    stockcert_book_page_t     book;
    stockcert_certificate_t  *certificates;

    ngx_http_stockcert_list(&book, &class, &last, &target->parameters);

    rc = stockcert_ledger_class(ledger, (char *) target->code.data,
                                target->code.len, &class, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (rc != STOCKCERT_OK) {
        return NGX_ABORT;
    }

    if (class.last > book.after) {
        book.n = (size_t) ngx_min(class.last - book.after, book.limit);
    }

    looked = book.after + book.n;
    book.next = looked < class.last ? looked : 0;

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

    if (book.status) {
        book.n = ngx_http_stockcert_keep(book.status, certificates, book.n);
    }

    found = ngx_http_stockcert_found(r, target, NULL);
    if (found != NGX_OK) {
        return found;
    }

    return target->html
           ? ngx_http_stockcert_html_book(r, &book)
           : ngx_http_stockcert_reply_certificates(r, target, certificates,
                                                   book.n, book.next);
}


/* a page of one class; certificates are still to come */

static void
ngx_http_stockcert_list(stockcert_book_page_t *book,
    const stockcert_class_t *class, const stockcert_entry_t *last,
    const ngx_http_stockcert_parameters_t *parameters)
{
    ngx_memzero(book, sizeof(stockcert_book_page_t));

    book->last = last;
    book->nclasses = 1;
    book->classes = class;
    book->list = 1;
    book->after = parameters->after;
    book->limit = parameters->limit;
    book->status = parameters->status;
}


/*
 * Those of a status.  The limit counts what is looked at, so a page reads no
 * more than that, and may be empty.
 */

static size_t
ngx_http_stockcert_keep(const char *status,
    stockcert_certificate_t *certificates, size_t n)
{
    size_t  i, kept;

    kept = 0;

    for (i = 0; i < n; i++) {
        if (ngx_strcmp(stockcert_status(&certificates[i].surrender), status)
            == 0)
        {
            certificates[kept++] = certificates[i];
        }
    }

    return kept;
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
    ngx_str_t                 life;
    const uint8_t            *seal;

    rc = stockcert_ledger_certificate(ledger, (char *) target->code.data,
                                      target->code.len, target->number,
                                      &certificate, error);
    if (rc == STOCKCERT_NOT_FOUND) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (rc != STOCKCERT_OK
        || (target->html
            && stockcert_ledger_class(ledger, (char *) target->code.data,
                                      target->code.len, &class, error)
               != STOCKCERT_OK))
    {
        return NGX_ABORT;
    }

    ngx_str_null(&life);

    if (!target->html) {
        found = ngx_http_stockcert_life(r, ledger, &certificate, &life, error);

        if (found != NGX_OK) {
            return found == NGX_ABORT ? NGX_ABORT
                                      : NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    seal = certificate.surrender.position ? certificate.surrender.seal
                                          : certificate.issued.seal;

    found = ngx_http_stockcert_found(r, target, target->html ? NULL : seal);
    if (found != NGX_OK) {
        return found;
    }

    return target->html
           ? ngx_http_stockcert_html_certificate(r, &class, &certificate)
           : ngx_http_stockcert_reply_certificate(r, &certificate, &life);
}
