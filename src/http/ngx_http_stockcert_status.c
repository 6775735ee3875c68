
/*
 * "stockcert_status": what all workers have counted, and how the ledgers are.
 *
 * It runs on the event loop, and waits for no commit: it reads memory that
 * workers share, and a snapshot of each ledger.
 */


#include <ngx_http_stockcert_lane.h>
#include <ngx_http_stockcert_monitor.h>


#define NGX_HTTP_STOCKCERT_PROMETHEUS                                         \
    "text/plain; version=0.0.4; charset=utf-8"


static ngx_int_t ngx_http_stockcert_status_handler(ngx_http_request_t *r);
static void ngx_http_stockcert_view(ngx_http_stockcert_view_t *view,
    ngx_http_stockcert_ledger_t *ledger);
static void ngx_http_stockcert_view_counts(ngx_http_stockcert_view_t *view);
static ngx_int_t ngx_http_stockcert_view_ledger(
    ngx_http_stockcert_view_t *view, stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static void ngx_http_stockcert_view_class(ngx_http_stockcert_view_t *view,
    const stockcert_class_t *class);
static int ngx_http_stockcert_view_reader(const char *line, void *data);


char *
ngx_http_stockcert_set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_stockcert_set_handler(cf, conf,
                                          ngx_http_stockcert_status_handler);
}


static ngx_int_t
ngx_http_stockcert_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                         rc, accepted;
    ngx_uint_t                        i, n, json;
    ngx_http_stockcert_page_t         page;
    ngx_http_stockcert_view_t        *views;
    ngx_http_stockcert_ledger_t     **ledgers;
    ngx_http_stockcert_main_conf_t   *smcf;

    rc = ngx_http_stockcert_check_monitor(r);
    if (rc != NGX_OK) {
        return rc;
    }

    smcf = ngx_http_get_module_main_conf(r, ngx_http_stockcert_module);
    ledgers = smcf->ledgers.elts;
    n = smcf->ledgers.nelts;

    accepted = ngx_http_stockcert_accepts(r, NGX_HTTP_STOCKCERT_JSON);
    json = accepted > 0 && accepted >= ngx_http_stockcert_accepts(r,
                                                                 "text/plain");

    views = ngx_pcalloc(r->pool, (n + 1) * sizeof(ngx_http_stockcert_view_t));

    if (views == NULL
        || ngx_http_stockcert_add_header(r, "Vary", "Accept") == NULL
        || ngx_http_stockcert_open_page(&page) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (i = 0; i < n; i++) {
        ngx_http_stockcert_view(&views[i], ledgers[i]);
    }

    ngx_http_stockcert_put_metrics(page.file, json, views, n);

    return ngx_http_stockcert_send_monitor(r, NGX_HTTP_OK,
                                           json ? NGX_HTTP_STOCKCERT_JSON
                                                : NGX_HTTP_STOCKCERT_PROMETHEUS,
                                           &page);
}


static void
ngx_http_stockcert_view(ngx_http_stockcert_view_t *view,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_int_t            rc;
    stockcert_error_t    error;
    stockcert_ledger_t  *opened;

    view->ledger = ledger;

    ngx_http_stockcert_why(ledger, view->why);
    ngx_http_stockcert_view_counts(view);

    opened = ngx_http_stockcert_lane_ledger(ledger);
    if (opened == NULL) {
        return;
    }

    /* STOCKCERT_NOT_FOUND sets no error, and would mean damage here */

    ngx_cpystrn((u_char *) error.text, (u_char *) NGX_HTTP_STOCKCERT_MISSING,
                sizeof(error.text));

    rc = NGX_ABORT;

    if (stockcert_ledger_snapshot(opened, &error) == STOCKCERT_OK) {
        rc = ngx_http_stockcert_view_ledger(view, opened, &error);

        stockcert_ledger_release(opened);
    }

    if (rc != NGX_OK) {
        ngx_http_stockcert_lane_failed(ledger, &error);
        ngx_http_stockcert_why(ledger, view->why);
        return;
    }

    view->open = 1;
}


/* "lanes" of all workers, or of this one alone */

static void
ngx_http_stockcert_view_counts(ngx_http_stockcert_view_t *view)
{
    size_t                            i;
    stockcert_counts_t               *counts;
    ngx_http_stockcert_ledger_t      *ledger;
    ngx_http_stockcert_view_class_t  *class;

    ledger = view->ledger;
    counts = ledger->counts;

    stockcert_counted_tally(counts, &view->tally);

    if (ledger->lanes) {
        view->waiting = stockcert_lanes_count_waiting(ledger->lanes);
    }

    if (ledger->lane && ledger->lane->lanes != ledger->lanes) {
        view->waiting += stockcert_lanes_count_waiting(ledger->lane->lanes);
    }

    view->nclasses = atomic_load(&counts->nclasses);

    for (i = 0; i < view->nclasses; i++) {
        class = &view->classes[i];

        ngx_memcpy(class->code, counts->classes[i].code,
                   counts->classes[i].len);
        class->issued = view->tally.issued[i];
    }
}


static ngx_int_t
ngx_http_stockcert_view_ledger(ngx_http_stockcert_view_t *view,
    stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    size_t              i, n;
    uint64_t            head;
    stockcert_rc_e      rc;
    stockcert_class_t   classes[STOCKCERT_CLASSES_MAX];
    stockcert_entry_t   last;

    rc = stockcert_ledger_last(ledger, &last, error);

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return NGX_ABORT;
    }

    view->entries = rc == STOCKCERT_OK ? last.position : 0;

    if (stockcert_ledger_classes(ledger, classes, &n, error) != STOCKCERT_OK
        || stockcert_ledger_usage(ledger, &view->usage, error) != STOCKCERT_OK
        || stockcert_ledger_readers(ledger, ngx_http_stockcert_view_reader,
                                    &view->readers, error)
           != STOCKCERT_OK)
    {
        return NGX_ABORT;
    }

    /* there is a heading, or a line that says that there are none */

    view->readers--;

    for (i = 0; i < n; i++) {
        ngx_http_stockcert_view_class(view, &classes[i]);
    }

    head = atomic_load(&view->ledger->lane->lanes->head);
    view->behind = head > view->entries ? head - view->entries : 0;

    return NGX_OK;
}


/* those that were counted are there already */

static void
ngx_http_stockcert_view_class(ngx_http_stockcert_view_t *view,
    const stockcert_class_t *class)
{
    size_t                            i;
    ngx_http_stockcert_view_class_t  *shown;

    for (i = 0; i < view->nclasses; i++) {
        if (stockcert_same(view->classes[i].code,
                           ngx_strlen(view->classes[i].code),
                           class->code.data, class->code.len))
        {
            break;
        }
    }

    if (i == STOCKCERT_CLASSES_MAX) {
        return;
    }

    shown = &view->classes[i];

    if (i == view->nclasses) {
        ngx_memcpy(shown->code, class->code.data, class->code.len);
        view->nclasses++;
    }

    shown->authorized = class->authorized;
    shown->out = class->issued;
}


static int
ngx_http_stockcert_view_reader(const char *line, void *data)
{
    uint64_t *n = data;

    (*n)++;

    return 0;
}
