
/*
 * What a worker has of each ledger: makes it, ends it, opens and closes the
 * ledger.
 *
 * It runs on the event loop, except for opening the ledger, which also runs on
 * the task's thread.
 */


#include <ngx_http_stockcert_lane.h>
#include <stockcert_owner.h>
#include <stockcert_text.h>


#define NGX_HTTP_STOCKCERT_OPEN   200      /* milliseconds to wait for others
                                              at most, as the worker starts */
#define NGX_HTTP_STOCKCERT_FILES  100      /* milliseconds between two checks
                                              of the files */


static void ngx_http_stockcert_lane_look(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_lane_tell(ngx_http_stockcert_lane_t *lane,
    const stockcert_class_t *conf, const stockcert_class_t *class);
static ngx_int_t ngx_http_stockcert_lane_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_lane_t *lane);


ngx_int_t
ngx_http_stockcert_lane_create(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_ledger_t *ledger)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ngx_pcalloc(cycle->pool, sizeof(ngx_http_stockcert_lane_t));
    if (lane == NULL) {
        return NGX_ERROR;
    }

    lane->conf = ledger;
    lane->log = cycle->log;
    lane->main = smcf;

    lane->thread_task = ngx_thread_task_alloc(cycle->pool, 0);

    if (lane->thread_task == NULL
        || ngx_http_stockcert_lane_share(cycle, smcf, lane) != NGX_OK)
    {
        return NGX_ERROR;
    }

    lane->task.leader.lanes = lane->lanes;
    lane->task.leader.wake = ngx_http_stockcert_wake;
    lane->task.leader.data = lane;

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

    /* a killed worker may have left grants of its own */

    lane->answered = stockcert_lane_filled(lane->lane);

    return NGX_OK;
}


void
ngx_http_stockcert_lane_start(ngx_http_stockcert_ledger_t *ledger)
{
    stockcert_rc_e              rc;
    stockcert_error_t           error;
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    rc = ngx_http_stockcert_lane_open(lane, NGX_HTTP_STOCKCERT_OPEN,
                                      &lane->ledger, &error);
    switch (rc) {

    case STOCKCERT_OK:
        ngx_http_stockcert_lane_opened(lane);
        ngx_http_stockcert_settled(lane);
        break;

    case STOCKCERT_BUSY:

        /* a thread can wait */

        ngx_http_stockcert_lane_reopen(lane);
        break;

    default:
        ngx_http_stockcert_log(lane->log, ledger, &error);
    }
}


/* finds the worker's own lane, shared or alone */

static ngx_int_t
ngx_http_stockcert_lane_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_lane_t *lane)
{
    if (smcf->wake == -1) {
        lane->lanes = lane->conf->lanes;
        lane->wakes = smcf->wakes;

    } else {
        lane->wakes = &smcf->wake;

        lane->shm.size = stockcert_lanes_size(1);
        lane->shm.name = lane->conf->name;
        lane->shm.log = cycle->log;

        if (ngx_shm_alloc(&lane->shm) != NGX_OK) {
            return NGX_ERROR;
        }

        lane->lanes = (stockcert_lanes_t *) lane->shm.addr;
        stockcert_lanes_init(lane->lanes, 1);
    }

    lane->lane = &lane->lanes->lanes[smcf->number];

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

    /*
     * the thread pool is gone, but the end of a last task may not be seen yet
     */

    if (lane->thread_task->event.active) {
        lane->ledger = lane->task.ledger;
    }

    ngx_http_stockcert_lane_close(lane);

    if (lane->queued) {
        ngx_queue_remove(&lane->queue);
    }

    if (lane->shm.addr) {
        ngx_shm_free(&lane->shm);
    }

    ledger->lane = NULL;
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


void
ngx_http_stockcert_lane_failed(ngx_http_stockcert_ledger_t *ledger,
    const stockcert_error_t *error)
{
    ngx_http_stockcert_lane_t  *lane;

    lane = ledger->lane;

    /* each reader may find the same damage: one line a second is enough */

    if (lane->logged != ngx_time()) {
        lane->logged = ngx_time();
        ngx_http_stockcert_log(lane->log, ledger, error);
    }

    if (lane->thread_task->event.active) {
        lane->failed = 1;
        return;
    }

    ngx_http_stockcert_lane_close(lane);
}


/* runs on the event loop as the worker starts, later on a thread */

stockcert_rc_e
ngx_http_stockcert_lane_open(ngx_http_stockcert_lane_t *lane, unsigned wait,
    stockcert_ledger_t **ledger, stockcert_error_t *error)
{
    stockcert_tail_t              known;
    stockcert_ledger_conf_t       lc;
    ngx_http_stockcert_ledger_t  *conf;

    conf = lane->conf;

    stockcert_lanes_known(lane->lanes, &known);

    lc.path = (char *) conf->path.data;
    lc.access = conf->create ? STOCKCERT_MAKE : STOCKCERT_OPEN;
    lc.created = 0;
    lc.wait = wait;
    lc.known = &known;
    lc.interrupted = NULL;
    lc.size = conf->size;
    lc.company.len = conf->company.len;
    lc.company.data = (char *) conf->company.data;
    lc.nclasses = conf->classes.nelts;
    lc.classes = conf->classes.elts;

    if (stockcert_owner_check(lc.path, geteuid(), error) != STOCKCERT_OK) {
        return STOCKCERT_FAILED;
    }

    return stockcert_ledger_open(&lc, ledger, error);
}


/* the ledger is the truth; one worker logs where the configuration differs */

void
ngx_http_stockcert_lane_opened(ngx_http_stockcert_lane_t *lane)
{
    char                 title[4 * STOCKCERT_TEXT_MAX + 1];
    ngx_uint_t           i;
    stockcert_class_t   *conf, class;
    stockcert_error_t    error;

    if (stockcert_ledger_is_made(lane->ledger)) {
        ngx_log_error(NGX_LOG_NOTICE, lane->log, 0,
                      "stockcert ledger \"%V\" is new, made in \"%V\"",
                      &lane->conf->name, &lane->conf->path);
    }

    if (ngx_worker != 0) {
        return;
    }

    /* STOCKCERT_NOT_FOUND sets no error, and would mean damage here */

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
            ngx_http_stockcert_lane_tell(lane, &conf[i], &class);
        }

        if (!stockcert_str_same(&class.title, &conf[i].title)) {
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


/* logs a command that the shell and the ledger both accept */

static void
ngx_http_stockcert_lane_tell(ngx_http_stockcert_lane_t *lane,
    const stockcert_class_t *conf, const stockcert_class_t *class)
{
    char  path[4 * NGX_MAX_PATH];

    if (conf->authorized < class->issued) {
        ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                      "stockcert ledger \"%V\" has %uL authorized shares of "
                      "class %*s, not %uL as configured, and %uL are out, so "
                      "that no fewer can be authorized: change the "
                      "configuration", &lane->conf->name, class->authorized,
                      conf->code.len, conf->code.data, conf->authorized,
                      class->issued);
        return;
    }

    (void) stockcert_text_quote((char *) lane->conf->path.data,
                                lane->conf->path.len, path, sizeof(path));

    ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                  "stockcert ledger \"%V\" has %uL authorized shares of class "
                  "%*s, not %uL as configured; to amend it: stockcert "
                  "authorize %s %*s %uL --reference \"...\"",
                  &lane->conf->name, class->authorized, conf->code.len,
                  conf->code.data, conf->authorized, path, conf->code.len,
                  conf->code.data, conf->authorized);
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
