
/*
 * What a worker has of a ledger, for the files that use it.  Each calls only
 * those below it:
 *
 *     ngx_http_stockcert_share.c   what all workers share
 *     ngx_http_stockcert_lane.c    makes and ends it
 *     ngx_http_stockcert_commit.c  fills the lane and watches it
 *     ngx_http_stockcert_lead.c    has a task lead
 *     ngx_http_stockcert_task.c    commits, or opens the ledger
 *     ngx_http_stockcert_follow.c  follows what other machines append
 *     ngx_http_stockcert_behind.c  has requests wait for that
 *     ngx_http_stockcert_exit.c    ends what threads wait for
 *     ngx_http_stockcert_tell.c    logs what the thread has seen
 *     ngx_http_stockcert_answer.c  answers
 *     ngx_http_stockcert_open.c    opens and closes the ledger
 *
 * All of it belongs to the event loop, with two exceptions.  "task" belongs to
 * the thread while a task is active.  Types of stockcert_lanes.h have rules of
 * their own.
 */


#ifndef NGX_HTTP_STOCKCERT_LANE_H
#define NGX_HTTP_STOCKCERT_LANE_H


#include <ngx_http_stockcert.h>
#include <stockcert_replica.h>
#include <stockcert_turn.h>


#define NGX_HTTP_STOCKCERT_ORDERS  16      /* that wait in a worker */


/*
 * An order that waits.  The event loop sets what is asked for, which stays, and
 * the thread the rest, until the order is taken.
 */

typedef struct {
    ngx_http_request_t            *request;    /* the event loop's alone */

    ngx_str_t                      body;       /* which is there, or room for it */
    ngx_fd_t                       fd;         /* of a file that has the body, or
                                                  NGX_INVALID_FILE, */
    off_t                          offset;     /* where it begins there */
    ngx_msec_t                     start;      /* since when it waits */
    ngx_str_t                      key;
    ngx_str_t                      actor;
    u_char                         keys[STOCKCERT_KEY_MAX];

    stockcert_fault_t              fault;      /* kind is 0: there is none */
    stockcert_order_t             *order;
    stockcert_turn_t               turn;
} ngx_http_stockcert_order_t;


/* a ring of them; answered <= taken <= queued <= answered + ORDERS */

typedef struct {
    _Atomic ngx_uint_t             queued;     /* moved by the event loop */
    _Atomic ngx_uint_t             taken;      /* by the thread */
    ngx_uint_t                     answered;
    ngx_http_stockcert_order_t    *order[NGX_HTTP_STOCKCERT_ORDERS];
} ngx_http_stockcert_orders_t;


/*
 * Requests for what the ledger does not have, but the journal of all machines
 * may.  asked is counted up by the event loop, and the thread says how far it
 * came: the ledger had all that was there when that was asked, or could not be
 * brought so far.
 */

typedef struct {
    ngx_queue_t                    requests;
    ngx_queue_t                    reads;      /* of ngx_http_stockcert_read() */
    ngx_uint_t                     n;          /* of both */
    _Atomic uint64_t               asked;
    _Atomic uint64_t               reached;
    _Atomic uint64_t               missed;
} ngx_http_stockcert_behind_t;


typedef struct ngx_http_stockcert_follower_s  ngx_http_stockcert_follower_t;


/* what a task is given, and what it returns */

typedef struct {
    stockcert_ledger_t            *ledger;     /* NULL: it opens one */
    stockcert_rc_e                 rc;
    stockcert_error_t              error;
    time_t                         logged;     /* when a failed commit was, */
    stockcert_rc_e                 reason;     /* and its error */
    ngx_uint_t                     behind;     /* the clock was, */
    ngx_msec_t                     told;       /* as was logged then */
    ngx_uint_t                     leads;      /* it does, or only has orders */
    ngx_uint_t                     more;       /* it still leads, and only gave
                                                  way to other tasks */
    _Atomic ngx_uint_t             classes;    /* those of the configuration are
                                                  in the ledger */
    stockcert_leader_t             leader;     /* of all the tasks */
} ngx_http_stockcert_task_t;


/* what a worker has of a ledger */

struct ngx_http_stockcert_lane_s {
    ngx_http_stockcert_ledger_t   *conf;
    ngx_log_t                     *log;

    ngx_http_stockcert_main_conf_t  *main;
    ngx_queue_t                    queue;      /* its place there, */
    ngx_uint_t                     queued;     /* if it has one */

    stockcert_lanes_t             *lanes;
    stockcert_lane_t              *lane;       /* the worker's own */
    ngx_shm_t                      shm;        /* lanes for it alone, or none */
    ngx_fd_t                      *wakes;      /* an eventfd for each lane */

    stockcert_ledger_t            *ledger;     /* NULL while it is not open */
    ngx_msec_t                     retry;      /* no try to open it before */
    ngx_msec_t                     looked;     /* when its files were checked */
    ngx_msec_t                     told;       /* when the lock's holder was
                                                  logged, */
    time_t                         logged;     /* and when a failure was */
    ngx_uint_t                     compared;   /* with the configuration */
    ngx_uint_t                     failures;   /* of tasks, one after another */
    _Atomic ngx_uint_t             failed;     /* the task must end */
    ngx_msec_t                     pause;      /* it does not lead before */
    uint64_t                       patience;   /* as the leader's */

    /* if other machines have the ledger, too */

    stockcert_replica_t           *replica;    /* the task's, or NULL */
    ngx_http_stockcert_behind_t    behind;
    ngx_http_stockcert_follower_t *follower;   /* watches, or NULL */
    ngx_event_t                    tick;

    ngx_thread_task_t             *thread_task;
    ngx_http_stockcert_task_t      task;

    ngx_http_stockcert_orders_t    orders;

    uint64_t                       answered;
    ngx_msec_t                     progress;   /* when "settled" last moved */
    ngx_http_request_t            *requests[STOCKCERT_LANE_SLOTS];

    ngx_event_t                    look;
    ngx_connection_t               dummy;
};


/*
 * After the worker has its number: ngx_http_stockcert_lane_create() makes what
 * it has of a ledger, ngx_http_stockcert_lane_start() opens the ledger,
 * ngx_http_stockcert_lane_destroy() undoes both.
 */

ngx_int_t ngx_http_stockcert_lane_create(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_ledger_t *ledger);
void ngx_http_stockcert_lane_start(ngx_http_stockcert_ledger_t *ledger);
void ngx_http_stockcert_lane_destroy(ngx_http_stockcert_ledger_t *ledger);

/*
 * Opens the ledger, on the event loop or on the task's thread.  It waits for
 * other processes, for some time: then it is STOCKCERT_BUSY.
 */

stockcert_rc_e ngx_http_stockcert_lane_open(ngx_http_stockcert_lane_t *lane,
    ngx_uint_t on_loop, stockcert_ledger_t **ledger, stockcert_error_t *error);

/*
 * Logs that the opened ledger is new.  ngx_http_stockcert_lane_compare(), which
 * it calls, logs once where the configuration differs from the ledger.
 */

void ngx_http_stockcert_lane_opened(ngx_http_stockcert_lane_t *lane);
void ngx_http_stockcert_lane_compare(ngx_http_stockcert_lane_t *lane);

/* Closes the ledger; no task may be active. */

void ngx_http_stockcert_lane_close(ngx_http_stockcert_lane_t *lane);

/*
 * Posts a task that opens the ledger, unless one is active or has just failed.
 */

void ngx_http_stockcert_lane_reopen(ngx_http_stockcert_lane_t *lane);

/* Logs an error of a ledger. Any thread, with a log of its own. */

void ngx_http_stockcert_log(ngx_log_t *log,
    ngx_http_stockcert_ledger_t *conf, const stockcert_error_t *error);


#define NGX_HTTP_STOCKCERT_LOOK   50       /* milliseconds between two looks for
                                              a leader */
#define NGX_HTTP_STOCKCERT_LATE   1000     /* milliseconds without a commit until
                                              this worker leads, too */


/*
 * Answers the worker's requests below the position end: with the outcome, or
 * if that is not settled, with "outcome unknown".
 */

void ngx_http_stockcert_answer(ngx_http_stockcert_lane_t *lane, uint64_t end);

/*
 * Ends the wait of a request: NGX_OK if it is still to be answered, or what to
 * finalize it with.
 */

ngx_int_t ngx_http_stockcert_waited(ngx_http_request_t *r);

/*
 * Returns rc, which answering returned; or answers "outcome unknown" if that
 * was a 500: what was asked for may be entered, but there was no memory to say
 * so.
 */

ngx_int_t ngx_http_stockcert_or_unknown(ngx_http_request_t *r, ngx_int_t rc);

/*
 * Makes an order of a request, which has it until it ends; NULL for want of
 * memory.
 */

ngx_http_stockcert_order_t *ngx_http_stockcert_order_create(
    ngx_http_request_t *r);

/* Has it wait; NGX_DECLINED where too many do. */

ngx_int_t ngx_http_stockcert_order_queue(ngx_http_stockcert_lane_t *lane,
    ngx_http_stockcert_order_t *order);

/*
 * For the task's thread: takes those that wait, and returns as
 * stockcert_turn_take() does.
 */

stockcert_rc_e ngx_http_stockcert_take_orders(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);

/* Whether any is not answered. */

ngx_uint_t ngx_http_stockcert_orders_wait(
    const ngx_http_stockcert_lane_t *lane);

/*
 * Answers those that are taken; or all, as the ledger cannot be opened; or those
 * that have waited too long for other machines.  No task may be active for the
 * latter two.
 */

void ngx_http_stockcert_answer_orders(ngx_http_stockcert_lane_t *lane);
void ngx_http_stockcert_give_up_orders(ngx_http_stockcert_lane_t *lane);
void ngx_http_stockcert_late_orders(ngx_http_stockcert_lane_t *lane);

/*
 * Queues an order for a ledger that is open: NGX_OK, and the request is
 * finalized once it is answered; or NGX_DECLINED, where too many wait.
 */

ngx_int_t ngx_http_stockcert_transact(ngx_http_request_t *r,
    ngx_http_stockcert_order_t *order, ngx_http_stockcert_ledger_t *ledger);

/* Has the timer look after what waits. */

void ngx_http_stockcert_watch(ngx_http_stockcert_lane_t *lane);

/* Answers what is settled, and leads if grants still wait and nobody leads. */

void ngx_http_stockcert_settled(ngx_http_stockcert_lane_t *lane);

/* Whether a grant, an order or another request of this worker waits. */

ngx_uint_t ngx_http_stockcert_waits(const ngx_http_stockcert_lane_t *lane);

/* Leads if nobody does; with late, also if the leader is gone or stuck. */

void ngx_http_stockcert_lead(ngx_http_stockcert_lane_t *lane, ngx_uint_t late);

/*
 * Follows what other machines append, if there are any: one of this machine's
 * workers watches, on a thread of its own.
 */

void ngx_http_stockcert_follow(ngx_http_stockcert_lane_t *lane);
void ngx_http_stockcert_unfollow(ngx_http_stockcert_lane_t *lane);

/*
 * Whether threads must end what they do on the network; any thread.  They must
 * in a worker that exits when no request waits for its tasks:
 * ngx_http_stockcert_count() adds to their number.
 * ngx_http_stockcert_end_threads() says so for good.
 */

int ngx_http_stockcert_stop(void);
void ngx_http_stockcert_count(ngx_int_t n);
void ngx_http_stockcert_end_threads(void);

/* Queues a request, for ngx_http_stockcert_catch_up(), and returns as that. */

ngx_int_t ngx_http_stockcert_ask(ngx_http_stockcert_lane_t *lane,
    ngx_http_request_t *r, void (*resume)(ngx_http_request_t *r));

/* The same for ngx_http_stockcert_read_told(). */

ngx_int_t ngx_http_stockcert_read(ngx_http_stockcert_lane_t *lane,
    ngx_http_request_t *r, void (*resume)(ngx_http_request_t *r));

/* Whether requests wait for the journal of all machines; any thread. */

ngx_uint_t ngx_http_stockcert_is_behind(const ngx_http_stockcert_lane_t *lane);

/*
 * Whether the lane's task has more to do than grants: orders, or requests that
 * wait for the journal of all machines, or the process is to end.  The task's
 * thread.
 */

int ngx_http_stockcert_stops(void *data);

/*
 * Goes on with those that need not wait any more; or with all, as the ledger
 * cannot be opened, or if one has waited for so many milliseconds.
 */

void ngx_http_stockcert_caught_up(ngx_http_stockcert_lane_t *lane);
void ngx_http_stockcert_miss(ngx_http_stockcert_lane_t *lane);
void ngx_http_stockcert_miss_late(ngx_http_stockcert_lane_t *lane,
    ngx_msec_t longest);

/*
 * On the thread: logs a commit that failed, a clock that is behind, or grants
 * that were given up; each not more often than is of use.
 */

void ngx_http_stockcert_tell_failed(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);
void ngx_http_stockcert_tell_clock(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);
void ngx_http_stockcert_tell_given_up(ngx_http_stockcert_lane_t *lane,
    ngx_log_t *log);

/*
 * Of what a task returns: whether the ledger can be used after this; whether the
 * same would come at once of another try, as other machines do not answer, or
 * there is no room for what they appended.
 */

ngx_uint_t ngx_http_stockcert_is_good(stockcert_rc_e rc);
ngx_uint_t ngx_http_stockcert_must_pause(const ngx_http_stockcert_lane_t *lane,
    stockcert_rc_e rc);

/* Lets others lead, and wakes those who wait. */

void ngx_http_stockcert_resign(ngx_http_stockcert_lane_t *lane);

/* Wakes the worker of a lane; on a leader's thread. */

void ngx_http_stockcert_wake(void *data, size_t number);

/*
 * Handlers: of the task, on its thread, of its end, and of the lane's events.
 */

void ngx_http_stockcert_thread(void *data, ngx_log_t *log);
void ngx_http_stockcert_thread_handler(ngx_event_t *ev);
void ngx_http_stockcert_wake_handler(ngx_event_t *ev);
void ngx_http_stockcert_look_handler(ngx_event_t *ev);


#endif /* NGX_HTTP_STOCKCERT_LANE_H */
