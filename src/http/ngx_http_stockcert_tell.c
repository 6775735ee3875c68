
/*
 * Logs what the thread of a task has seen.
 *
 * It runs on that thread, and touches lane->task only.
 */


#include <ngx_http_stockcert_lane.h>


#define NGX_HTTP_STOCKCERT_BEHIND  1000000 /* microseconds that a clock may be
                                              behind without a word, */
#define NGX_HTTP_STOCKCERT_CLOCK   60000   /* and milliseconds between two */
#define NGX_HTTP_STOCKCERT_OTHERS  10      /* seconds between two lines that say
                                              that other machines are away */


void
ngx_http_stockcert_tell_given_up(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log)
{
    if (lane->task.leader.given_up) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "stockcert ledger \"%V\" in \"%V\": processes died again "
                      "and again in the commit of the same %uL grants, whose "
                      "outcome is told as unknown", &lane->conf->name,
                      &lane->conf->path, lane->task.leader.given_up);
    }
}


/*
 * Every commit may fail: one line a second is enough for the same reason, and
 * fewer where other machines are that.
 */

void
ngx_http_stockcert_tell_failed(ngx_http_stockcert_lane_t *lane, ngx_log_t *log)
{
    time_t                      wait;
    ngx_http_stockcert_task_t  *task;

    task = &lane->task;

    wait = task->rc == STOCKCERT_UNREACHED || task->rc == STOCKCERT_DIVERGED
           ? NGX_HTTP_STOCKCERT_OTHERS : 1;

    if (task->rc != STOCKCERT_OK
        && (ngx_time() - task->logged >= wait || task->reason != task->rc))
    {
        task->logged = ngx_time();
        task->reason = task->rc;
        ngx_http_stockcert_log(log, lane->conf, &task->error);
    }
}


/* logged at once, and again from time to time */

void
ngx_http_stockcert_tell_clock(ngx_http_stockcert_lane_t *lane, ngx_log_t *log)
{
    ngx_http_stockcert_task_t  *task;

    task = &lane->task;

    if (stockcert_ledger_behind(task->ledger) <= NGX_HTTP_STOCKCERT_BEHIND) {
        return;
    }

    if (task->behind
        && ngx_current_msec - task->told < NGX_HTTP_STOCKCERT_CLOCK)
    {
        return;
    }

    task->behind = 1;
    task->told = ngx_current_msec;

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "stockcert ledger \"%V\" in \"%V\": the clock is %uL s "
                  "behind the last entry, whose time all new ones have until it has "
                  "caught up; is it right now, or was it then?",
                  &lane->conf->name, &lane->conf->path,
                  stockcert_ledger_behind(task->ledger) / 1000000);
}
