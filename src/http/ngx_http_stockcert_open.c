
/*
 * The ledger of a lane: opens it, closes it, and logs where the configuration
 * differs from it.
 *
 * It runs on the event loop, except for opening the ledger, which also runs on
 * the task's thread.
 */


#include <ngx_http_stockcert_lane.h>
#include <stockcert_owner.h>
#include <stockcert_text.h>


#define NGX_HTTP_STOCKCERT_OPEN  200       /* milliseconds to wait for others */
#define NGX_HTTP_STOCKCERT_WAIT  5000      /* and on a thread: until the log says
                                              who has the lock */


static void ngx_http_stockcert_lane_tell(ngx_http_stockcert_lane_t *lane,
    const stockcert_class_t *conf, const stockcert_class_t *class);


/*
 * Runs on the event loop as the worker starts, later on a thread.  What other
 * machines have can only be asked for on a thread: at the start, a ledger of
 * theirs is opened if it is there.
 */

stockcert_rc_e
ngx_http_stockcert_lane_open(ngx_http_stockcert_lane_t *lane,
    ngx_uint_t on_loop, stockcert_ledger_t **ledger, stockcert_error_t *error)
{
    stockcert_rc_e                rc;
    stockcert_tail_t              known, end;
    stockcert_ledger_conf_t       lc;
    ngx_http_stockcert_ledger_t  *conf;

    conf = lane->conf;

    stockcert_lanes_known(lane->lanes, &known);

    ngx_memzero(&lc, sizeof(stockcert_ledger_conf_t));

    lc.path = (char *) conf->path.data;
    lc.access = conf->create ? STOCKCERT_MAKE : STOCKCERT_OPEN;
    lc.wait = on_loop ? NGX_HTTP_STOCKCERT_OPEN : NGX_HTTP_STOCKCERT_WAIT;
    lc.known = &known;
    lc.size = conf->size;
    lc.replica = lane->replica;
    lc.shared = &lane->lanes->shared;

    if (lane->replica && on_loop) {
        lc.access = STOCKCERT_WRITE;
    }

    lc.company.len = conf->company.len;
    lc.company.data = (char *) conf->company.data;
    lc.nclasses = conf->classes.nelts;
    lc.classes = conf->classes.elts;

    if (stockcert_owner_check(lc.path, geteuid(), error) != STOCKCERT_OK) {
        return STOCKCERT_FAILED;
    }

    rc = stockcert_ledger_open(&lc, ledger, error);

    if (rc == STOCKCERT_OK) {
        stockcert_ledger_tail(*ledger, &end);
        stockcert_lane_opened(lane->lane, &end);
    }

    return rc;
}


void
ngx_http_stockcert_lane_opened(ngx_http_stockcert_lane_t *lane)
{
    if (stockcert_ledger_is_made(lane->ledger)) {
        ngx_log_error(NGX_LOG_NOTICE, lane->log, 0,
                      "stockcert ledger \"%V\" is new, made in \"%V\"",
                      &lane->conf->name, &lane->conf->path);
    }

    ngx_http_stockcert_lane_compare(lane);
}


/*
 * The ledger is the truth; one worker logs where the configuration differs.
 * Where other machines have the ledger, too, only once classes that it did not
 * have are opened: another machine may have opened them with other shares.
 */

void
ngx_http_stockcert_lane_compare(ngx_http_stockcert_lane_t *lane)
{
    char                 title[4 * STOCKCERT_TEXT_MAX + 1];
    ngx_uint_t           i;
    stockcert_class_t   *conf, class;
    stockcert_error_t    error;

    if (lane->compared || (lane->replica && !lane->task.classes)) {
        return;
    }

    lane->compared = 1;

    if (ngx_worker != 0) {
        return;
    }

    stockcert_ledger_adopt(lane->ledger);

    /* STOCKCERT_NOT_FOUND sets no error, and would mean damage here */

    ngx_cpystrn((u_char *) error.text,
                (u_char *) NGX_HTTP_STOCKCERT_MISSING,
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
    char               path[4 * NGX_MAX_PATH];
    stockcert_error_t  error;

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

    if (stockcert_ledger_was_authorized(lane->ledger, &conf->code,
                                        conf->authorized, &error)
        == STOCKCERT_OK)
    {
        ngx_log_error(NGX_LOG_WARN, lane->log, 0,
                      "stockcert ledger \"%V\" has %uL authorized shares of "
                      "class %*s since it was amended, and %uL are configured, "
                      "as were authorized before: the configuration is out of "
                      "date, change it", &lane->conf->name, class->authorized,
                      conf->code.len, conf->code.data, conf->authorized);
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


void
ngx_http_stockcert_lane_close(ngx_http_stockcert_lane_t *lane)
{
    if (lane->ledger) {
        stockcert_ledger_close(lane->ledger);
        lane->ledger = NULL;
    }

    lane->failed = 0;
}
