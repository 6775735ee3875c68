
/*
 * What a worker has of a ledger, for the two rooms that deal with it:
 * ngx_http_stockcert_lane.c makes it, opens and closes the ledger;
 * ngx_http_stockcert_commit.c fills the lane, leads and answers.
 *
 * All of it belongs to the event loop, but "task" while a task is active, and
 * what is of a type of stockcert_lanes.h.
 */


#ifndef NGX_HTTP_STOCKCERT_LANE_H
#define NGX_HTTP_STOCKCERT_LANE_H


#include <ngx_http_stockcert.h>


/* what a task is told, and what it tells */

typedef struct {
    stockcert_ledger_t            *ledger;     /* NULL: it opens one */
    stockcert_rc_e                 rc;
    stockcert_error_t              error;
    time_t                         logged;     /* when a commit had failed */
    stockcert_pace_t               pace;       /* of all the tasks */
} ngx_http_stockcert_task_t;


/* what a worker has of a ledger */

struct ngx_http_stockcert_lane_s {
    ngx_http_stockcert_ledger_t   *conf;
    ngx_log_t                     *log;

    stockcert_lanes_t             *lanes;
    stockcert_lane_t              *lane;       /* the worker's own */

    stockcert_ledger_t            *ledger;     /* NULL while it is not open */
    ngx_msec_t                     retry;      /* not to be opened before */
    stockcert_rc_e                 refuse;     /* of the last commit here */
    _Atomic ngx_uint_t             failed;     /* the task must end */

    ngx_thread_task_t             *thread_task;
    ngx_http_stockcert_task_t      task;

    uint64_t                       answered;
    ngx_msec_t                     progress;   /* when "settled" last moved */
    ngx_http_request_t            *requests[STOCKCERT_LANE_SLOTS];

    ngx_event_t                    look;
    ngx_connection_t               dummy;
};


/*
 * Opens the ledger; also called on the task's thread.  _opened() says where the
 * configuration differs from a ledger that was opened.
 */

stockcert_rc_e ngx_http_stockcert_lane_open(ngx_http_stockcert_ledger_t *conf,
    stockcert_ledger_t **ledger, stockcert_error_t *error);
void ngx_http_stockcert_lane_opened(ngx_http_stockcert_lane_t *lane);

/* Closes the ledger; no task may be active. */

void ngx_http_stockcert_lane_close(ngx_http_stockcert_lane_t *lane);

/* Has a task open the ledger, unless one is active or has just failed to. */

void ngx_http_stockcert_lane_reopen(ngx_http_stockcert_lane_t *lane);

/* Any thread, with a log of its own. */

void ngx_http_stockcert_log(ngx_log_t *log,
    ngx_http_stockcert_ledger_t *conf, const stockcert_error_t *error);


/* Answers what is settled, and sees to it that the rest will be. */

void ngx_http_stockcert_settled(ngx_http_stockcert_lane_t *lane);

/* Posts the task: it opens the ledger if there is none, or else leads. */

ngx_int_t ngx_http_stockcert_post(ngx_http_stockcert_lane_t *lane);

void ngx_http_stockcert_thread(void *data, ngx_log_t *log);
void ngx_http_stockcert_thread_handler(ngx_event_t *ev);
void ngx_http_stockcert_wake_handler(ngx_event_t *ev);
void ngx_http_stockcert_look_handler(ngx_event_t *ev);


#endif /* NGX_HTTP_STOCKCERT_LANE_H */
