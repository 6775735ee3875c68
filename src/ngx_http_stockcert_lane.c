
#include <ngx_http_stockcert_lane.h>

#include <sys/eventfd.h>

#include <stockcert_text.h>


static void ngx_http_stockcert_unshare(void *data);


/*
 * In the master.  The memory is the cycle's own: the workers of before a reload
 * keep theirs until they have gone.
 */

void
ngx_http_stockcert_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf)
{
    size_t                         n;
    ngx_uint_t                     i;
    ngx_core_conf_t               *ccf;
    ngx_pool_cleanup_t            *cln;
    ngx_http_stockcert_ledger_t  **ledgers;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    n = ngx_min((size_t) ccf->worker_processes, STOCKCERT_LANES_MAX);

    smcf->wakes = ngx_palloc(cycle->pool, n * sizeof(ngx_fd_t));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);

    if (smcf->wakes == NULL || cln == NULL) {
        return;
    }

    cln->handler = ngx_http_stockcert_unshare;
    cln->data = smcf;

    for (smcf->nwakes = 0; smcf->nwakes < n; smcf->nwakes++) {

        smcf->wakes[smcf->nwakes] = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (smcf->wakes[smcf->nwakes] == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          "eventfd() failed");
            return;
        }
    }

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        ledgers[i]->wakes = smcf->wakes;

        ledgers[i]->shm.size = stockcert_lanes_size(n);
        ledgers[i]->shm.name = ledgers[i]->name;
        ledgers[i]->shm.log = cycle->log;

        if (ngx_shm_alloc(&ledgers[i]->shm) != NGX_OK) {
            ledgers[i]->shm.addr = NULL;
            return;
        }

        stockcert_lanes_init((stockcert_lanes_t *) ledgers[i]->shm.addr, n);
    }

    smcf->shared = 1;
}


static void
ngx_http_stockcert_unshare(void *data)
{
    ngx_http_stockcert_main_conf_t *smcf = data;

    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t  **ledgers;

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        if (ledgers[i]->shm.addr) {
            ngx_shm_free(&ledgers[i]->shm);
        }
    }

    for (i = 0; i < smcf->nwakes; i++) {
        if (close(smcf->wakes[i]) == -1) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                          "close() of an eventfd failed");
        }
    }
}


ngx_int_t
ngx_http_stockcert_lane_create(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger)
{
    stockcert_error_t           error;
    ngx_http_stockcert_lane_t  *lane;

    lane = ngx_pcalloc(cycle->pool, sizeof(ngx_http_stockcert_lane_t));
    if (lane == NULL) {
        return NGX_ERROR;
    }

    lane->thread_task = ngx_thread_task_alloc(cycle->pool, 0);
    if (lane->thread_task == NULL) {
        return NGX_ERROR;
    }

    lane->conf = ledger;
    lane->log = cycle->log;

    lane->lanes = (stockcert_lanes_t *) ledger->shm.addr;
    lane->lane = &lane->lanes->lanes[ngx_worker];

    lane->thread_task->ctx = lane;
    lane->thread_task->handler = ngx_http_stockcert_thread;
    lane->thread_task->event.handler = ngx_http_stockcert_thread_handler;
    lane->thread_task->event.data = lane;
    lane->thread_task->event.log = cycle->log;

    lane->dummy.fd = (ngx_socket_t) -1;
    lane->dummy.data = lane;
    lane->look.handler = ngx_http_stockcert_look_handler;
    lane->look.data = &lane->dummy;
    lane->look.log = cycle->log;

    ledger->lane = lane;

    /* a worker that was killed may have left grants of its own */

    lane->answered = stockcert_lane_filled(lane->lane);

    if (ngx_http_stockcert_lane_open(ledger, &lane->ledger, &error)
        == STOCKCERT_OK)
    {
        ngx_http_stockcert_lane_opened(lane);
        ngx_http_stockcert_settled(lane);

    } else {
        ngx_http_stockcert_log(lane->log, ledger, &error);
    }

    return NGX_OK;
}


void
ngx_http_stockcert_lane_destroy(ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    if (lane == NULL) {
        return;
    }

    /* the thread pool has gone, but the end of a last task may be unheard */

    if (lane->thread_task->event.active) {
        lane->ledger = lane->task.ledger;
    }

    ngx_http_stockcert_lane_close(lane);
}


/*
 * Once for each worker, whatever its ledgers.  As nginx's ngx_notify() does, it
 * takes each write to the eventfd for an event (EPOLLET) and never reads it.
 */

ngx_int_t
ngx_http_stockcert_listen(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(smcf->wakes[ngx_worker], cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = smcf;
    c->read->log = cycle->log;
    c->read->handler = ngx_http_stockcert_wake_handler;

    /* a channel: nginx leaves it open as the worker quits */

    c->read->channel = 1;
    c->write->channel = 1;

    return ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT);
}


stockcert_ledger_t *
ngx_http_stockcert_lane_ledger(ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    if (lane == NULL || lane->failed) {
        return NULL;
    }

    if (lane->ledger == NULL) {
        ngx_http_stockcert_lane_reopen(lane);
    }

    return lane->ledger;
}


void
ngx_http_stockcert_lane_failed(ngx_http_stockcert_ledger_t *ledger,
    const stockcert_error_t *error)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    ngx_http_stockcert_log(lane->log, ledger, error);

    if (lane->thread_task->event.active) {
        lane->failed = 1;
        return;
    }

    ngx_http_stockcert_lane_close(lane);
}


/* on the event loop as the worker starts, later on a thread */

stockcert_rc_e
ngx_http_stockcert_lane_open(ngx_http_stockcert_ledger_t *conf,
    stockcert_ledger_t **ledger, stockcert_error_t *error)
{
    stockcert_ledger_conf_t  lc;

    lc.path = (char *) conf->path.data;
    lc.access = STOCKCERT_MAKE;
    lc.created = 0;
    lc.size = conf->size;
    lc.company.len = conf->company.len;
    lc.company.data = (char *) conf->company.data;
    lc.nclasses = conf->classes.nelts;
    lc.classes = conf->classes.elts;

    return stockcert_ledger_open(&lc, ledger, error);
}


/* the ledger is the truth; one worker says where the configuration differs */

void
ngx_http_stockcert_lane_opened(ngx_http_stockcert_lane_t *lane)
{
    char                 title[4 * STOCKCERT_TEXT_MAX + 1];
    ngx_uint_t           i;
    stockcert_class_t   *conf, class;
    stockcert_error_t    error;

    if (ngx_worker != 0) {
        return;
    }

    /* STOCKCERT_NOT_FOUND sets no error, and would be damage here */

    ngx_cpystrn((u_char *) error.text,
                (u_char *) "a class or an entry is missing",
                sizeof(error.text));

    if (stockcert_ledger_snapshot(lane->ledger, &error) != STOCKCERT_OK) {
        ngx_http_stockcert_log(lane->log, lane->conf, &error);
        return;
    }

    conf = lane->conf->classes.elts;

    for (i = 0; i < lane->conf->classes.nelts; i++) {

        if (stockcert_ledger_class(lane->ledger, conf[i].code.data,
                                   conf[i].code.len, &class, &error)
            != STOCKCERT_OK)
        {
            ngx_http_stockcert_log(lane->log, lane->conf, &error);
            break;
        }

        if (class.authorized != conf[i].authorized) {
            ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                          "stockcert ledger \"%V\" has %uL authorized shares "
                          "of class %*s, not %uL as configured; to amend it: "
                          "stockcert authorize %V %*s %uL "
                          "--reference \"...\"",
                          &lane->conf->name, class.authorized,
                          conf[i].code.len, conf[i].code.data,
                          conf[i].authorized, &lane->conf->path,
                          conf[i].code.len, conf[i].code.data,
                          conf[i].authorized);
        }

        if (class.title.len != conf[i].title.len
            || ngx_memcmp(class.title.data, conf[i].title.data,
                          class.title.len)
               != 0)
        {
            (void) stockcert_text_escape(class.title.data, class.title.len,
                                         title, sizeof(title));

            ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                          "stockcert ledger \"%V\" has the title \"%s\" for "
                          "class %*s, which stays", &lane->conf->name, title,
                          conf[i].code.len, conf[i].code.data);
        }
    }

    stockcert_ledger_release(lane->ledger);
}


void
ngx_http_stockcert_lane_close(ngx_http_stockcert_lane_t *lane)
{
    if (lane->ledger) {
        stockcert_ledger_close(lane->ledger);
        lane->ledger = NULL;
    }

    lane->failed = 0;
}


void
ngx_http_stockcert_log(ngx_log_t *log, ngx_http_stockcert_ledger_t *ledger,
    const stockcert_error_t *error)
{
    char  text[NGX_MAX_ERROR_STR];

    (void) stockcert_text_escape(error->text, ngx_strlen(error->text), text,
                                 sizeof(text));

    ngx_log_error(NGX_LOG_CRIT, log, 0, "stockcert ledger \"%V\" in \"%V\": %s",
                  &ledger->name, &ledger->path, text);
}


void
ngx_http_stockcert_lane_reopen(ngx_http_stockcert_lane_t *lane)
{
    if (!lane->thread_task->event.active
        && (ngx_msec_int_t) (ngx_current_msec - lane->retry) >= 0)
    {
        (void) ngx_http_stockcert_post(lane);
    }
}
