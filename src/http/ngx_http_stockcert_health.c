
/*
 * "stockcert_health": whether each ledger of this nginx is open and takes
 * grants.
 *
 * It runs on the event loop, and waits for nothing: it looks at what leaders
 * and the watch have left in memory that workers share, and asks the kernel who
 * has a lock that seems to be held for long.
 */


#include <ngx_http_stockcert_lane.h>
#include <ngx_http_stockcert_monitor.h>


#define NGX_HTTP_STOCKCERT_STUCK     5000  /* milliseconds that a commit, or a
                                              grant, may take */
#define NGX_HTTP_STOCKCERT_REMEMBER  30000 /* milliseconds that a failure is
                                              told, if nothing is tried */
#define NGX_HTTP_STOCKCERT_AWAY      3000  /* milliseconds without an answer of
                                              etcd */


static ngx_int_t ngx_http_stockcert_health_handler(ngx_http_request_t *r);
static void ngx_http_stockcert_put_health(FILE *file,
    ngx_http_stockcert_main_conf_t *smcf, ngx_uint_t *status);
static ngx_uint_t ngx_http_stockcert_since(uint64_t time);
static void ngx_http_stockcert_why_stuck(ngx_http_stockcert_ledger_t *ledger,
    u_char *why);
static void ngx_http_stockcert_why_failed(ngx_http_stockcert_ledger_t *ledger,
    u_char *why);
static void ngx_http_stockcert_why_away(ngx_http_stockcert_ledger_t *ledger,
    u_char *why);


char *
ngx_http_stockcert_set_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_stockcert_set_handler(cf, conf,
                                          ngx_http_stockcert_health_handler);
}


static ngx_int_t
ngx_http_stockcert_health_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_uint_t                       status;
    ngx_http_stockcert_page_t        page;
    ngx_http_stockcert_main_conf_t  *smcf;

    rc = ngx_http_stockcert_check_monitor(r);
    if (rc != NGX_OK) {
        return rc;
    }

    smcf = ngx_http_get_module_main_conf(r, ngx_http_stockcert_module);

    if (ngx_http_stockcert_open_page(&page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_stockcert_put_health(page.file, smcf, &status);

    return ngx_http_stockcert_send_monitor(r, status, "application/health+json",
                                           &page);
}


/* draft-inadarei-api-health-check-06; for want of memory an empty 503 */

static void
ngx_http_stockcert_put_health(FILE *file, ngx_http_stockcert_main_conf_t *smcf,
    ngx_uint_t *status)
{
    u_char                         why[NGX_HTTP_STOCKCERT_WHY];
    ngx_uint_t                     i;
    ngx_http_stockcert_page_t      checks;
    ngx_http_stockcert_ledger_t  **ledgers;

    *status = NGX_HTTP_OK;
    ledgers = smcf->ledgers.elts;

    if (ngx_http_stockcert_open_page(&checks) != NGX_OK) {
        *status = NGX_HTTP_SERVICE_UNAVAILABLE;
        return;
    }

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        ngx_http_stockcert_why(ledgers[i], why);

        (void) fputs(i ? "," : "", checks.file);
        ngx_http_stockcert_put_name(checks.file, &ledgers[i]->name);

        if (why[0]) {
            *status = NGX_HTTP_SERVICE_UNAVAILABLE;
            (void) fprintf(checks.file,
                           ":[{\"status\":\"fail\",\"output\":\"%s\"}]",
                           why);

        } else {
            (void) fputs(":[{\"status\":\"pass\"}]", checks.file);
        }
    }

    if (ngx_http_stockcert_close_page(&checks) == NGX_OK) {
        (void) fprintf(file, "{\"status\":\"%s\",\"checks\":{%s}}\n",
                       *status == NGX_HTTP_OK ? "pass" : "fail", checks.text);

    } else {
        *status = NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_http_stockcert_free_page(&checks);
}


/* at most one reason: the first that explains the others */

void
ngx_http_stockcert_why(ngx_http_stockcert_ledger_t *ledger, u_char *why)
{
    why[0] = '\0';

    if (ngx_http_stockcert_lane_ledger(ledger) == NULL) {
        (void) ngx_snprintf(why, NGX_HTTP_STOCKCERT_WHY,
                            "this worker does not have it open: the error log "
                            "says why%Z");
        return;
    }

    ngx_http_stockcert_why_stuck(ledger, why);

    if (why[0] == '\0') {
        ngx_http_stockcert_why_failed(ledger, why);
    }

    if (why[0] == '\0') {
        ngx_http_stockcert_why_away(ledger, why);
    }
}


/* milliseconds; 0 if it is 0 */

static ngx_uint_t
ngx_http_stockcert_since(uint64_t time)
{
    uint64_t  now;

    now = stockcert_monotonic();

    return time == 0 || now < time ? 0 : (ngx_uint_t) ((now - time) / 1000000);
}


/* other machines may take up to etcd_timeout; then who waits is told */

static void
ngx_http_stockcert_why_stuck(ngx_http_stockcert_ledger_t *ledger, u_char *why)
{
    pid_t                       pid;
    ngx_uint_t                  i, longest, ms;
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;
    longest = NGX_HTTP_STOCKCERT_STUCK
              + (lane->replica ? ledger->etcd.timeout : 0);

    pid = (pid_t) atomic_load(&ledger->counts->holder);
    ms = ngx_http_stockcert_since(atomic_load(&ledger->counts->began));

    /* what a dead process began is over, and its number may be another's now */

    if (ms > longest && stockcert_ledger_holder(lane->ledger) == pid) {
        (void) ngx_snprintf(why, NGX_HTTP_STOCKCERT_WHY,
                            "process %P has been in a commit for %ui s%Z", pid,
                            ms / 1000);
        return;
    }

    ms = (ngx_uint_t) (stockcert_lanes_oldest(lane->lanes) / 1000000);

    if (ms > longest) {
        (void) ngx_snprintf(why, NGX_HTTP_STOCKCERT_WHY,
                            "a grant has waited for %ui s%Z", ms / 1000);
        return;
    }

    /* those of other workers are not in memory that this one sees */

    if (!ngx_http_stockcert_orders_wait(lane)) {
        return;
    }

    i = lane->orders.answered % NGX_HTTP_STOCKCERT_ORDERS;
    ms = ngx_current_msec - lane->orders.order[i]->start;

    if (ms > longest) {
        (void) ngx_snprintf(why, NGX_HTTP_STOCKCERT_WHY,
                            "a transaction has waited for %ui s%Z", ms / 1000);
    }
}


/*
 * A balancer sends no more requests then, so no commit would ever show that all
 * is well again: it is told so for a while.
 */

static void
ngx_http_stockcert_why_failed(ngx_http_stockcert_ledger_t *ledger, u_char *why)
{
    uint64_t     failed;
    ngx_uint_t   ms;
    const char  *what;

    failed = atomic_load(&ledger->counts->failed);
    ms = ngx_http_stockcert_since(failed);

    if (failed == 0 || ms > NGX_HTTP_STOCKCERT_REMEMBER) {
        return;
    }

    switch (atomic_load(&ledger->counts->reason)) {

    case STOCKCERT_FULL:
        what = "the disk or the ledger's size is full";
        break;

    case STOCKCERT_UNREACHED:
        what = "etcd gave no answer";
        break;

    case STOCKCERT_DIVERGED:
        what = "its journal and that of the other machines do not fit";
        break;

    case STOCKCERT_REPLACED:
        what = "its files are not the ledger's any more";
        break;

    default:
        what = "the disk failed";
        break;
    }

    (void) ngx_snprintf(why, NGX_HTTP_STOCKCERT_WHY,
                        "the last commit failed %ui s ago: %s%Z", ms / 1000,
                        what);
}


static void
ngx_http_stockcert_why_away(ngx_http_stockcert_ledger_t *ledger, u_char *why)
{
    ngx_uint_t  ms;

    ms = ngx_http_stockcert_since(atomic_load(&ledger->lane->lanes->away));

    if (ms > NGX_HTTP_STOCKCERT_AWAY) {
        (void) ngx_snprintf(why, NGX_HTTP_STOCKCERT_WHY,
                            "etcd has given no answer for %ui s%Z", ms / 1000);
    }
}
