
/*
 * What the workers share, made in the master before the fork: memory for the
 * lanes of each ledger, and an eventfd for each lane to wake its worker.  A
 * worker claims a number, which is that of its lane in every ledger.
 *
 * docs/ARCHITECTURE.md, "Lanes", says why there are twice as many lanes as
 * workers.
 */


#include <ngx_http_stockcert_lane.h>

#include <sys/eventfd.h>


#define NGX_HTTP_STOCKCERT_SPARE  2
#define NGX_HTTP_STOCKCERT_FILES  100      /* milliseconds between two checks
                                              of the files */


static void ngx_http_stockcert_unshare(void *data);
static ngx_int_t ngx_http_stockcert_make_wakes(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_uint_t n);
static ngx_int_t ngx_http_stockcert_make_lanes(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_uint_t n);
static void ngx_http_stockcert_inherit(ngx_http_stockcert_main_conf_t *smcf);
static ngx_int_t ngx_http_stockcert_be_alone(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf);
static ngx_int_t ngx_http_stockcert_listen(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf);
static void ngx_http_stockcert_lane_look(ngx_http_stockcert_lane_t *lane);


/* the master's configuration of the cycle before */

static ngx_http_stockcert_main_conf_t  *ngx_http_stockcert_former;


/*
 * The memory belongs to the cycle.  Workers from before a reload keep theirs
 * until they end.
 */

void
ngx_http_stockcert_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_uint_t           n;
    ngx_core_conf_t     *ccf;
    ngx_pool_cleanup_t  *cln;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    n = ngx_min(NGX_HTTP_STOCKCERT_SPARE * (ngx_uint_t) ccf->worker_processes,
                STOCKCERT_LANES_MAX);

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return;
    }

    cln->handler = ngx_http_stockcert_unshare;
    cln->data = smcf;

    if (ngx_http_stockcert_make_wakes(cycle, smcf, n) != NGX_OK
        || ngx_http_stockcert_make_lanes(cycle, smcf, n) != NGX_OK)
    {
        return;
    }

    ngx_http_stockcert_inherit(smcf);
    ngx_http_stockcert_former = smcf;
}


static ngx_int_t
ngx_http_stockcert_make_wakes(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_uint_t n)
{
    smcf->wakes = ngx_palloc(cycle->pool, n * sizeof(ngx_fd_t));
    if (smcf->wakes == NULL) {
        return NGX_ERROR;
    }

    for (smcf->nwakes = 0; smcf->nwakes < n; smcf->nwakes++) {

        smcf->wakes[smcf->nwakes] = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (smcf->wakes[smcf->nwakes] == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          "eventfd() failed");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_stockcert_make_lanes(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_uint_t n)
{
    size_t                         claims, lanes;
    u_char                        *p;
    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t  **ledgers;

    claims = ngx_align(stockcert_claims_size(n), STOCKCERT_CACHE_LINE);
    lanes = stockcert_lanes_size(n);

    smcf->shm.size = claims + smcf->ledgers.nelts * lanes;
    ngx_str_set(&smcf->shm.name, "stockcert");
    smcf->shm.log = cycle->log;

    if (ngx_shm_alloc(&smcf->shm) != NGX_OK) {
        smcf->shm.addr = NULL;
        return NGX_ERROR;
    }

    p = smcf->shm.addr;

    smcf->claims = (stockcert_claims_t *) p;
    stockcert_claims_init(smcf->claims, n);
    p += claims;

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        ledgers[i]->lanes = (stockcert_lanes_t *) p;
        stockcert_lanes_init(ledgers[i]->lanes, n);
        p += lanes;
    }

    return NGX_OK;
}


/*
 * a reload must not forget what was committed: docs/ARCHITECTURE.md, "known"
 */

static void
ngx_http_stockcert_inherit(ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_uint_t                     i, j;
    stockcert_tail_t               known;
    ngx_http_stockcert_ledger_t  **ledgers, **former;

    if (ngx_http_stockcert_former == NULL) {
        return;
    }

    ledgers = smcf->ledgers.elts;
    former = ngx_http_stockcert_former->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        for (j = 0; j < ngx_http_stockcert_former->ledgers.nelts; j++) {

            if (ngx_strcmp(ledgers[i]->path.data, former[j]->path.data) == 0) {
                stockcert_lanes_known(former[j]->lanes, &known);
                stockcert_lanes_know(ledgers[i]->lanes, &known);

                if (former[j]->etcd.machine) {
                    ledgers[i]->etcd.machine = former[j]->etcd.machine;
                }
            }
        }
    }
}


static void
ngx_http_stockcert_unshare(void *data)
{
    ngx_http_stockcert_main_conf_t *smcf = data;

    ngx_uint_t  i;

    if (ngx_http_stockcert_former == smcf) {
        ngx_http_stockcert_former = NULL;
    }

    if (smcf->shm.addr) {
        ngx_shm_free(&smcf->shm);
    }

    for (i = 0; i < smcf->nwakes; i++) {
        if (close(smcf->wakes[i]) == -1) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                          "close() of an eventfd failed");
        }
    }
}


ngx_int_t
ngx_http_stockcert_join(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t  **ledgers;

    if (smcf->listening || ngx_time() < smcf->retry) {
        return smcf->listening ? NGX_OK : NGX_ERROR;
    }

    smcf->retry = ngx_time() + 1;

    smcf->wake = -1;
    smcf->number = smcf->claims ? stockcert_claim(smcf->claims) : 0;

    if ((smcf->claims == NULL || smcf->number == smcf->claims->n)
        && ngx_http_stockcert_be_alone(cycle, smcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_stockcert_listen(cycle, smcf) != NGX_OK) {
        ngx_http_stockcert_leave(smcf);
        return NGX_ERROR;
    }

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        if (ngx_http_stockcert_lane_create(cycle, smcf, ledgers[i]) != NGX_OK) {
            ngx_http_stockcert_leave(smcf);
            return NGX_ERROR;
        }
    }

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        ngx_http_stockcert_lane_start(ledgers[i]);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_stockcert_be_alone(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf)
{
    smcf->number = 0;
    smcf->wake = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (smcf->wake == -1) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "stockcert commits for this worker alone, as there is no "
                  "lane beside those of the others");

    return NGX_OK;
}


/*
 * Called once for each worker, for all its ledgers.  As in nginx's
 * ngx_notify(), each write to the eventfd is an event (EPOLLET), and nobody
 * reads it.
 */

static ngx_int_t
ngx_http_stockcert_listen(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_fd_t           fd;
    ngx_connection_t  *c;

    fd = smcf->wake == -1 ? smcf->wakes[smcf->number] : smcf->wake;

    c = ngx_get_connection(fd, cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = smcf;
    c->read->log = cycle->log;
    c->read->handler = ngx_http_stockcert_wake_handler;

    /* a channel: nginx does not close it as the worker quits */

    c->read->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    smcf->listening = c;

    return NGX_OK;
}


void
ngx_http_stockcert_leave(ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t  **ledgers;

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        ngx_http_stockcert_lane_destroy(ledgers[i]);
    }

    if (smcf->listening) {
        (void) ngx_del_event(smcf->listening->read, NGX_READ_EVENT, 0);
        ngx_free_connection(smcf->listening);
        smcf->listening = NULL;
    }

    if (smcf->wake != -1) {
        (void) close(smcf->wake);
        smcf->wake = -1;

    } else if (smcf->claims && smcf->number < smcf->claims->n) {
        stockcert_unclaim(smcf->claims, smcf->number);
    }
}


stockcert_ledger_t *
ngx_http_stockcert_lane_ledger(ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t       *lane;
    ngx_http_stockcert_main_conf_t  *smcf;

    if (ledger->lane == NULL) {
        smcf = ngx_http_cycle_get_module_main_conf((ngx_cycle_t *) ngx_cycle,
                                                   ngx_http_stockcert_module);

        if (ngx_http_stockcert_join((ngx_cycle_t *) ngx_cycle, smcf) != NGX_OK)
        {
            return NULL;
        }
    }

    lane = ledger->lane;

    if (lane->failed) {
        return NULL;
    }

    if (lane->ledger && ngx_current_msec - lane->looked
                        >= NGX_HTTP_STOCKCERT_FILES)
    {
        ngx_http_stockcert_lane_look(lane);
    }

    if (lane->ledger == NULL) {
        ngx_http_stockcert_lane_reopen(lane);
    }

    return lane->failed ? NULL : lane->ledger;
}


/* a reader's place in a removed lock.mdb protects no page */

static void
ngx_http_stockcert_lane_look(ngx_http_stockcert_lane_t *lane)
{
    stockcert_error_t  error;

    lane->looked = ngx_current_msec;

    if (stockcert_ledger_is_current(lane->ledger)) {
        return;
    }

    ngx_cpystrn((u_char *) error.text,
                (u_char *) "data.mdb or lock.mdb was removed, replaced or "
                           "linked while it was in use: the ledger is opened "
                           "anew",
                sizeof(error.text));

    ngx_http_stockcert_lane_failed(lane->conf, &error);
}
