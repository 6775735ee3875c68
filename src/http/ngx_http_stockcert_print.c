
/*
 * All certificates of a class as one page, to be printed.  There may be
 * millions, so a few at a time are read, each time in a snapshot of its own,
 * and sent before the next.  Other requests have their turn in between.  The
 * page still shows the moment of its first snapshot: the journal only grows,
 * and later cancellations are not shown.
 *
 * It runs on the event loop.
 */


#include <ngx_http_stockcert.h>


#define NGX_HTTP_STOCKCERT_ROWS  200


typedef struct {
    ngx_str_t                   code;
    uint64_t                    position;  /* the last entry that counts */
    uint64_t                    last;      /* certificate */
    uint64_t                    done;
    stockcert_book_page_t       book;      /* what each row needs of it */
    stockcert_certificate_t    *certificates;

    ngx_http_stockcert_page_t   page;      /* what is being sent */
    ngx_http_stockcert_page_t   end;
    ngx_buf_t                   buf;
} ngx_http_stockcert_print_t;


static ngx_http_stockcert_print_t *ngx_http_stockcert_print_create(
    ngx_http_request_t *r, const ngx_str_t *code, stockcert_book_page_t *book);
static void ngx_http_stockcert_print_cleanup(void *data);
static void ngx_http_stockcert_print_handler(ngx_http_request_t *r);
static ngx_uint_t ngx_http_stockcert_print_waits(ngx_http_request_t *r);
static ngx_int_t ngx_http_stockcert_print_rows(ngx_http_request_t *r,
    ngx_http_stockcert_print_t *print);
static ngx_int_t ngx_http_stockcert_print_send(ngx_http_request_t *r,
    ngx_http_stockcert_print_t *print, ngx_http_stockcert_page_t *page,
    ngx_uint_t last);


ngx_int_t
ngx_http_stockcert_html_print(ngx_http_request_t *r, const ngx_str_t *code,
    stockcert_book_page_t *book)
{
    ngx_int_t                    rc;
    ngx_http_stockcert_print_t  *print;

    print = ngx_http_stockcert_print_create(r, code, book);

    if (print == NULL || ngx_http_stockcert_html_headers(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_stockcert_send_header(r, NGX_HTTP_OK,
                                        NGX_HTTP_STOCKCERT_HTML, -1);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (ngx_http_stockcert_print_send(r, print, &print->page, 0) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_set_ctx(r, print, ngx_http_stockcert_module);

    r->read_event_handler = r->discard_body
                            ? ngx_http_discarded_request_body_handler
                            : ngx_http_test_reading;
    r->write_event_handler = ngx_http_stockcert_print_handler;
    r->main->count++;

    ngx_post_event(r->connection->write, &ngx_posted_next_events);

    return NGX_DONE;
}


/* its beginning and its end are written now, while there is the snapshot */

static ngx_http_stockcert_print_t *
ngx_http_stockcert_print_create(ngx_http_request_t *r, const ngx_str_t *code,
    stockcert_book_page_t *book)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_stockcert_print_t  *print;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_stockcert_print_t));
    if (cln == NULL) {
        return NULL;
    }

    print = cln->data;
    ngx_memzero(print, sizeof(ngx_http_stockcert_print_t));
    cln->handler = ngx_http_stockcert_print_cleanup;

    print->certificates = ngx_palloc(r->pool,
                                     NGX_HTTP_STOCKCERT_ROWS
                                     * sizeof(stockcert_certificate_t));
    if (print->certificates == NULL) {
        return NULL;
    }

    if (ngx_http_stockcert_html_place(r, &book->company, &book->book)
        != NGX_OK)
    {
        return NULL;
    }

    print->code = *code;
    print->position = book->last->position;
    print->last = book->n;
    print->book.book = book->book;

    if (ngx_http_stockcert_open_page(&print->page) != NGX_OK
        || ngx_http_stockcert_open_page(&print->end) != NGX_OK)
    {
        return NULL;
    }

    stockcert_book_begin(print->page.file, book);
    stockcert_book_end(print->end.file, book);

    if (ngx_http_stockcert_close_page(&print->page) != NGX_OK
        || ngx_http_stockcert_close_page(&print->end) != NGX_OK)
    {
        return NULL;
    }

    return print;
}


static void
ngx_http_stockcert_print_cleanup(void *data)
{
    ngx_http_stockcert_print_t  *print = data;

    ngx_http_stockcert_free_page(&print->page);
    ngx_http_stockcert_free_page(&print->end);
}


static void
ngx_http_stockcert_print_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_event_t                 *wev;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_stockcert_print_t  *print;

    wev = r->connection->write;
    print = ngx_http_get_module_ctx(r, ngx_http_stockcert_module);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, wev->log, NGX_ETIMEDOUT,
                      "client timed out");
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = NGX_OK;

    if (!wev->delayed && ngx_http_stockcert_print_waits(r)) {
        rc = ngx_http_output_filter(r, NULL);

    } else if (!wev->delayed && print->done < print->last) {
        rc = ngx_http_stockcert_print_rows(r, print);

    } else if (!wev->delayed) {
        rc = ngx_http_stockcert_print_send(r, print, &print->end, 1);
        ngx_http_finalize_request(r, rc);
        return;
    }

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (!wev->delayed && !ngx_http_stockcert_print_waits(r)) {

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

        ngx_post_event(wev, &ngx_posted_next_events);
        return;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


/* waits until what was written is sent */

static ngx_uint_t
ngx_http_stockcert_print_waits(ngx_http_request_t *r)
{
    return r->buffered || r->postponed
           || (r == r->main && r->connection->buffered);
}


/* the header is sent already: any error here ends the connection */

static ngx_int_t
ngx_http_stockcert_print_rows(ngx_http_request_t *r,
    ngx_http_stockcert_print_t *print)
{
    size_t                          n, i;
    ngx_int_t                       rc;
    stockcert_error_t               error;
    stockcert_ledger_t             *ledger;
    stockcert_certificate_t        *certificates;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    ledger = ngx_http_stockcert_lane_ledger(slcf->ledger);

    if (ledger == NULL) {
        return NGX_ERROR;
    }

    ngx_http_stockcert_free_page(&print->page);

    if (ngx_http_stockcert_open_page(&print->page) != NGX_OK) {
        return NGX_ERROR;
    }

    certificates = print->certificates;
    n = (size_t) ngx_min(print->last - print->done, NGX_HTTP_STOCKCERT_ROWS);

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK) {
        ngx_http_stockcert_lane_failed(slcf->ledger, &error);
        return NGX_ERROR;
    }

    rc = ngx_http_stockcert_read_rows(ledger, &print->code, print->done, n,
                                      certificates, &error);
    if (rc == NGX_OK) {

        for (i = 0; i < n; i++) {
            if (certificates[i].surrender.position > print->position) {
                certificates[i].surrender.position = 0;
            }
        }

        stockcert_book_rows(print->page.file, &print->book, certificates, n);
    }

    stockcert_ledger_release(ledger);

    if (rc != NGX_OK) {
        ngx_http_stockcert_lane_failed(slcf->ledger, &error);
        return NGX_ERROR;
    }

    if (ngx_http_stockcert_close_page(&print->page) != NGX_OK) {
        return NGX_ERROR;
    }

    print->done += n;

    return ngx_http_stockcert_print_send(r, print, &print->page, 0);
}


static ngx_int_t
ngx_http_stockcert_print_send(ngx_http_request_t *r,
    ngx_http_stockcert_print_t *print, ngx_http_stockcert_page_t *page,
    ngx_uint_t last)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = &print->buf;

    ngx_memzero(b, sizeof(ngx_buf_t));

    b->pos = (u_char *) page->text;
    b->last = b->pos + page->len;
    b->start = b->pos;
    b->end = b->last;
    b->memory = 1;
    b->flush = 1;
    b->last_buf = (last && r == r->main) ? 1 : 0;
    b->last_in_chain = last ? 1 : 0;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
