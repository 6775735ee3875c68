
/*
 * The folder src/http gives nginx's side of the module, and its files share
 * this header:
 *
 *     ngx_http_stockcert_conf.c       the configuration, with _place.c and
 *                                     _paper.c
 *     ngx_http_stockcert_directory.c  the master makes directories
 *     ngx_http_stockcert_request.c    reads method, path and body
 *     ngx_http_stockcert_headers.c    decides what the headers decide
 *     ngx_http_stockcert_url.c        reads and writes URLs
 *     ngx_http_stockcert_get.c        answers GET and HEAD
 *     ngx_http_stockcert_read.c       reads several certificates for that
 *     ngx_http_stockcert_share.c      what all workers share
 *     ngx_http_stockcert_lane.c       what a worker has of each ledger
 *     ngx_http_stockcert_commit.c     fills the worker's lane
 *     ngx_http_stockcert_lead.c       has a task commit the lanes of all
 *     ngx_http_stockcert_task.c       workers, and is that task
 *     ngx_http_stockcert_answer.c     answers settled requests
 *     ngx_http_stockcert_open.c       opens the ledger of a lane
 *     ngx_http_stockcert_reply.c      answers in JSON
 *     ngx_http_stockcert_html.c       answers with a page
 *     ngx_http_stockcert_print.c      answers with a long page, in parts
 *     ngx_http_stockcert_problem.c    answers errors
 *     ngx_http_stockcert_send.c       sends answers
 *     ngx_http_stockcert_counts.c     what is counted
 *     ngx_http_stockcert_variables.c  variables
 *
 * Who watches nginx is answered by the files of ngx_http_stockcert_monitor.h.
 *     ngx_http_stockcert_log.c        writes to the log
 *
 * All functions run on the event loop, except for the thread task of
 * ngx_http_stockcert_task.c, and the configuration's, which run in the master.
 */


#ifndef NGX_HTTP_STOCKCERT_H
#define NGX_HTTP_STOCKCERT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>
#include <nginx.h>

#include <stockcert_lanes.h>
#include <stockcert_ledger.h>
#include <stockcert_paper.h>


/* how nginx keeps headers of one name */

#if (nginx_version >= 1023000)
typedef ngx_table_elt_t           *ngx_http_stockcert_list_t;
#else
typedef ngx_array_t                ngx_http_stockcert_list_t;
#endif

typedef struct ngx_http_stockcert_lane_s  ngx_http_stockcert_lane_t;


/* the par value of a class, in words */

typedef struct {
    ngx_str_t                      code;
    stockcert_str_t                value;
} ngx_http_stockcert_par_t;


/* etcd, which has the journal that several machines share */

typedef struct {
    ngx_array_t                    endpoints;  /* of char *; none: one machine */
    ngx_str_t                      prefix;     /* zero-terminated */
    ngx_msec_t                     timeout;
    off_t                          keep;       /* entries */
    uint64_t                       machine;    /* a number of this one's own */
    ngx_str_t                      user;
    ngx_str_t                      password;
    ngx_str_t                      trusted;    /* PEM, or empty, */
    ngx_str_t                      certificate;
    ngx_str_t                      key;        /* as are these */
} ngx_http_stockcert_etcd_t;


/* a "stockcert_ledger" block */

typedef struct {
    ngx_str_t                      name;
    ngx_str_t                      path;       /* full, zero-terminated,
                                                  without links */
    u_char                        *configured; /* the path as written */
    ngx_str_t                      company;
    ngx_str_t                      company_json;    /* escaped */
    ngx_array_t                    classes;    /* of stockcert_class_t */
    ngx_array_t                    pars;       /* of ngx_http_stockcert_par_t */
    stockcert_paper_t              paper;
    size_t                         size;

    ngx_flag_t                     create;     /* if it is not there */
    ngx_http_stockcert_etcd_t      etcd;       /* of several machines, or none */

    ngx_thread_pool_t             *thread_pool;

    stockcert_counts_t            *counts;     /* of all workers, of all cycles */
    stockcert_lanes_t             *lanes;      /* of all workers, or NULL */
    ngx_http_stockcert_lane_t     *lane;       /* the worker's own, or NULL */
} ngx_http_stockcert_ledger_t;


typedef struct {
    ngx_array_t                    ledgers;    /* pointers to ledgers */
    ngx_array_t                    locations;  /* pointers to locations */

    /*
     * what the workers share, made in the master; claims is NULL if it failed
     */

    ngx_shm_t                      shm;        /* claims, lanes of each ledger */
    stockcert_claims_t            *claims;
    ngx_fd_t                      *wakes;      /* an eventfd for each lane */
    ngx_uint_t                     nwakes;

    /* the worker's own */

    ngx_uint_t                     number;     /* of its lanes */
    ngx_fd_t                       wake;       /* if it is alone, or -1 */
    ngx_connection_t              *listening;  /* NULL: it has no lanes yet */
    time_t                         retry;      /* no new try before */

    /* and its tasks in nginx's thread pool */

    ngx_uint_t                     active;     /* tasks there now */
    ngx_uint_t                     most;       /* that had room when it was full
                                                  or was tried last, */
    ngx_msec_t                     full;       /* at this time */
    ngx_queue_t                    queue;      /* of lanes that wait for room */
} ngx_http_stockcert_main_conf_t;


typedef struct {
    ngx_http_stockcert_ledger_t   *ledger;

    ngx_str_t                      prefix;     /* of URIs in answers, escaped;
                                                  empty if it is all there is */
    ngx_http_complex_value_t      *url;        /* instead of it, or NULL */
    ngx_http_complex_value_t      *actor;      /* who asks, or NULL */
    ngx_flag_t                     transactions;

    ngx_str_t                      name;       /* of the ledger, or empty */
    ngx_http_handler_pt            handler;    /* ours, or NULL, */
    ngx_str_t                      directive;  /* by this one, there */
    u_char                        *file;
    ngx_uint_t                     line;
} ngx_http_stockcert_loc_conf_t;


typedef enum {
    NGX_HTTP_STOCKCERT_NOT_JSON = 0,
    NGX_HTTP_STOCKCERT_MEMBER_TWICE,
    NGX_HTTP_STOCKCERT_BODY_MISSING,
    NGX_HTTP_STOCKCERT_BAD_PARAMETER,
    NGX_HTTP_STOCKCERT_BAD_KEY,
    NGX_HTTP_STOCKCERT_INSUFFICIENT_SHARES,
    NGX_HTTP_STOCKCERT_NOT_FOUND,
    NGX_HTTP_STOCKCERT_METHOD_NOT_ALLOWED,
    NGX_HTTP_STOCKCERT_PRECONDITION_FAILED,
    NGX_HTTP_STOCKCERT_BODY_TOO_LARGE,
    NGX_HTTP_STOCKCERT_UNSUPPORTED_TYPE,
    NGX_HTTP_STOCKCERT_UNSUPPORTED_ENCODING,
    NGX_HTTP_STOCKCERT_NOT_OUTSTANDING,
    NGX_HTTP_STOCKCERT_INVALID_GRANT,
    NGX_HTTP_STOCKCERT_INVALID_TRANSACTION,
    NGX_HTTP_STOCKCERT_KEY_IS_REUSED,
    NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN,
    NGX_HTTP_STOCKCERT_TOO_MANY_WAITING,
    NGX_HTTP_STOCKCERT_LEDGER_FULL,
    NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE,
    NGX_HTTP_STOCKCERT_PROBLEMS                /* how many there are */
} ngx_http_stockcert_problem_e;

_Static_assert(NGX_HTTP_STOCKCERT_PROBLEMS <= STOCKCERT_COUNT_ERRORS,
               "each is counted");

/* the detail of NGX_HTTP_STOCKCERT_NOT_FOUND where a transaction was meant */

#define NGX_HTTP_STOCKCERT_NO_TRANSACTION                                     \
    "a path is that of all transactions (/transactions) or of one "           \
    "(/transactions/812) of this ledger, by the number of its first entry"


/*
 * What a request is remembered by, for variables, and by who has it wait
 * (ngx_http_stockcert_behind.c).
 */

typedef struct {
    void                          *asked;      /* of that file, or NULL */
    ngx_uint_t                     read;       /* it has waited for what this
                                                  machine told */

    uint64_t                       waited;     /* nanoseconds, */
    ngx_uint_t                     has_waited; /* if it has */

    const ngx_str_t               *error;      /* of a problem, or NULL */

    uint64_t                       entry;      /* 0: none */
    uint64_t                       number;     /* of the certificate, or 0, */
    size_t                         code_len;   /* and its class */
    u_char                         code[STOCKCERT_CODE_MAX];
    ngx_uint_t                     replayed;
} ngx_http_stockcert_ctx_t;


/* Configuration: the directive "stockcert_ledger", a block. */

char *ngx_http_stockcert_ledger(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Directives in that block, with their arguments in cf->args. */

char *ngx_http_stockcert_path(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_size(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_create(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);

/* Makes the memory that a ledger's counts are in, or finds that of before. */

char *ngx_http_stockcert_share_counts(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);

/*
 * Both take an array of pointers to ledgers.  ngx_http_stockcert_check_path()
 * refuses a ledger whose directory is that of another, is in it, or has it
 * inside.  ngx_http_stockcert_reserve() refuses ledgers if there is not enough
 * address space for all.
 */

char *ngx_http_stockcert_check_path(ngx_conf_t *cf, ngx_array_t *ledgers,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_reserve(ngx_conf_t *cf, ngx_array_t *ledgers);

/* Logs that a value is invalid, and why; returns NGX_CONF_ERROR. */

char *ngx_http_stockcert_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, const char *fault);


/*
 * directives in that block, about other machines; ngx_http_stockcert_init_etcd()
 * sets what they leave out
 */

char *ngx_http_stockcert_etcd(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_etcd_prefix(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_etcd_timeout(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_etcd_keep(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_etcd_user(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_etcd_trusted(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_etcd_certificate(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_etcd_key(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_init_etcd(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);

/*
 * Makes a replica of a ledger that has an etcd, for one thread; stop as in
 * stockcert_etcd.h.  Logs why it cannot, and returns NULL.
 */

stockcert_replica_t *ngx_http_stockcert_replica(
    ngx_http_stockcert_ledger_t *ledger, ngx_log_t *log, int (*stop)(void));


/* directives in that block, about what certificates show */

char *ngx_http_stockcert_incorporated(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_officer(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_par(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_legend(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_check_pars(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);

/* the par value of the class with this code; NULL if there is none */

ngx_http_stockcert_par_t *ngx_http_stockcert_find_par(
    ngx_http_stockcert_ledger_t *ledger, const char *code, size_t len);


/*
 * The parameters of a URI, of which those that are allowed may be there, once
 * each; NGX_DECLINED if another is, or one cannot be that.  status is one of
 * those of stockcert_status(), or NULL.
 */

#define NGX_HTTP_STOCKCERT_AFTER    0x01
#define NGX_HTTP_STOCKCERT_LIMITED  0x02
#define NGX_HTTP_STOCKCERT_STATUS   0x04

typedef struct {
    ngx_uint_t   given;
    uint64_t     after;
    uint64_t     limit;
    const char  *status;
} ngx_http_stockcert_parameters_t;

ngx_int_t ngx_http_stockcert_parameters(ngx_http_request_t *r,
    ngx_uint_t allowed, ngx_http_stockcert_parameters_t *parameters);


/* what a URI names, below the location's prefix; code points into r->uri */

typedef struct {
    ngx_str_t   code;           /* empty: the inventory */
    uint64_t    number;         /* 0: the list of the class */
    ngx_uint_t  html;           /* a page, by its name .html */
    ngx_uint_t  print;          /* the page of the whole list */
    ngx_uint_t  negotiated;     /* JSON or HTML was by the header Accept */
    ngx_uint_t  transactions;   /* that one, or 0: their list */

    ngx_http_stockcert_parameters_t  parameters;    /* once it is answered */
} ngx_http_stockcert_target_t;


/* URLs.  The directive "stockcert_url". */

char *ngx_http_stockcert_set_url(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads what the request's URI names: NGX_OK, or NGX_DECLINED if it names
 * nothing.
 */

ngx_int_t ngx_http_stockcert_target(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target);

/*
 * Says what all URLs in answers begin with: a path or a whole URL, with a
 * slash at its end, that needs no escaping anywhere.  It is empty if the
 * location has nothing below it.  If variables gave something invalid, that is
 * logged, and the location's prefix is used instead.  It lives as long as the
 * request.  Returns NGX_OK, or NGX_ERROR if there is no memory.
 */

ngx_int_t ngx_http_stockcert_base(ngx_http_request_t *r, ngx_str_t *base);

/*
 * The same for the URL of a certificate, with a NUL behind it; empty if there
 * is none.  With whole, it has a scheme and host, or is empty if they are not
 * known.  The host may be any bytes that a client sent as its Host.
 */

ngx_int_t ngx_http_stockcert_url(ngx_http_request_t *r,
    const stockcert_entry_t *issued, ngx_uint_t whole, ngx_str_t *url);


/* The content handler; and what answers a GET or HEAD. */

#define NGX_HTTP_STOCKCERT_TOO_LARGE  "the body must have at most %O bytes"

ngx_int_t ngx_http_stockcert_handler(ngx_http_request_t *r);

/*
 * Answers POST /transactions.  ngx_http_stockcert_actor() says who asks, any
 * bytes that stay as long as the request; empty where that is not configured,
 * NGX_ERROR for want of memory.
 */

ngx_int_t ngx_http_stockcert_post_transaction(ngx_http_request_t *r);
ngx_int_t ngx_http_stockcert_actor(ngx_http_request_t *r, ngx_str_t *actor);
ngx_int_t ngx_http_stockcert_get(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target);
ngx_int_t ngx_http_stockcert_get_transactions(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, ngx_http_stockcert_target_t *target,
    stockcert_error_t *error);

/*
 * What the target names is there, and all of it was read: preconditions count
 * now (RFC 9110, section 13.2.1), and headers may be set.  seal, of its last
 * entry, is its ETag, or NULL.  NGX_DECLINED where a precondition is not met,
 * or a status.
 */

ngx_int_t ngx_http_stockcert_found(ngx_http_request_t *r,
    const ngx_http_stockcert_target_t *target, const uint8_t *seal);


/* the error if something that must be in a ledger is not found */

#define NGX_HTTP_STOCKCERT_MISSING  "a class or an entry is missing"

/*
 * In a snapshot.  ngx_http_stockcert_read_rows() reads the n certificates of a
 * class after a number.  ngx_http_stockcert_read_latest() reads the latest
 * certificates up to the entry at a position, at most *n, and sets *n to their
 * number.  Both return NGX_OK, or NGX_ABORT if the ledger failed.
 */

ngx_int_t ngx_http_stockcert_read_rows(stockcert_ledger_t *ledger,
    const ngx_str_t *code, uint64_t after, size_t n,
    stockcert_certificate_t *certificates, stockcert_error_t *error);
ngx_int_t ngx_http_stockcert_read_latest(stockcert_ledger_t *ledger,
    uint64_t position, stockcert_certificate_t *certificates, size_t *n,
    stockcert_error_t *error);


/*
 * Headers of a request.  Makes nginx discard the body, without asking for it
 * with 100 Continue, and returns what nginx does.
 */

ngx_int_t ngx_http_stockcert_discard(ngx_http_request_t *r);

/* Does the same, and answers; what is the detail, or NULL. */

ngx_int_t ngx_http_stockcert_refuse(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const char *what);

/*
 * Returns NGX_DECLINED if the body is to be read, otherwise what answering
 * returned.
 */

ngx_int_t ngx_http_stockcert_check_post(ngx_http_request_t *r, off_t max);

/*
 * Returns NGX_OK, or NGX_DECLINED if the answer is 412.  It looks at what the
 * URI names and its ETag, or NULL.  It must be called before headers of an
 * answer are set.  It leaves If-None-Match of a GET, and its 304, to nginx.
 */

ngx_int_t ngx_http_stockcert_preconditions(ngx_http_request_t *r,
    const ngx_str_t *etag);

/*
 * Reads the idempotency key, if there is one.  Returns NULL, or what the header
 * must be.
 */

const char *ngx_http_stockcert_key(ngx_http_request_t *r, char *text,
    uint8_t *len);


/*
 * In the master, as it starts and at a reload: makes the directory of a
 * ledger, with its parents, if it is not there, and gives it to the workers'
 * user.  It does not change what is there.  It logs errors.
 */

void ngx_http_stockcert_make_directory(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger);

/* Logs if the ledger is on a file system of other machines, or in memory. */

void ngx_http_stockcert_tell_filesystem(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger);


/*
 * Commit.  In the master: makes what the workers share, for as long as the
 * cycle lives.
 */

void ngx_http_stockcert_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf);

/*
 * In a worker: claims lanes there, or makes some for this worker alone if it
 * gets none, and opens the ledgers.  Returns NGX_ERROR if there is no memory or
 * descriptor, and may be called again. ngx_http_stockcert_leave() undoes all
 * this.
 */

ngx_int_t ngx_http_stockcert_join(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf);
void ngx_http_stockcert_leave(ngx_http_stockcert_main_conf_t *smcf);

/*
 * Returns the ledger for reading, or NULL while it is not open.  A reader that
 * got STOCKCERT_FAILED must call ngx_http_stockcert_lane_failed(), and not use
 * the ledger after that: it is opened again.
 */

stockcert_ledger_t *ngx_http_stockcert_lane_ledger(
    ngx_http_stockcert_ledger_t *ledger);
void ngx_http_stockcert_lane_failed(ngx_http_stockcert_ledger_t *ledger,
    const stockcert_error_t *error);

/*
 * For lists: NGX_DONE if this machine has just told of what its ledger does not
 * have yet: the request waits for that, for a moment, and then resume() is
 * called, to answer it from the beginning.  Otherwise NGX_DECLINED, or NGX_ERROR
 * for want of memory.
 */

ngx_int_t ngx_http_stockcert_read_told(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, void (*resume)(ngx_http_request_t *r));

/*
 * For what the ledger does not have: NGX_DECLINED if no machine has it,
 * NGX_ERROR if this cannot be found out now.  NGX_DONE: the request waits, and
 * resume() is called once this is known, to answer it from the beginning.
 */

ngx_int_t ngx_http_stockcert_catch_up(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger,
    void (*resume)(ngx_http_request_t *r));

/*
 * Queues a grant for an open ledger.  With NGX_OK, the request is finalized
 * once the grant is settled.  Returns NGX_DECLINED if too many wait.
 */

ngx_int_t ngx_http_stockcert_commit(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, const stockcert_grant_t *grant);


/*
 * Replies: each sends a whole answer, and returns what a content handler
 * returns.  What the arguments point to needs to stay for the call only.
 */

/* Answers by the outcome of a slot, whatever it is. */

ngx_int_t ngx_http_stockcert_reply(ngx_http_request_t *r,
    const stockcert_slot_t *slot);


/*
 * Whatever came of an order.  ngx_http_stockcert_reply_entered() answers for
 * one that was: it reads the ledger, which may be NULL, and returns 500 where
 * it cannot.
 */

ngx_int_t ngx_http_stockcert_reply_transacted(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, const stockcert_order_t *order,
    const stockcert_transacted_t *done);
ngx_int_t ngx_http_stockcert_reply_entered(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, uint64_t number, ngx_uint_t replayed);

/*
 * The body of a request that was read: ngx_http_stockcert_body_size() sets
 * *len, and returns NGX_DECLINED if that is 0, or more than max bytes, which
 * ngx_http_stockcert_bad_size() answers.
 */

ngx_int_t ngx_http_stockcert_body_size(ngx_http_request_t *r, size_t max,
    size_t *len);
ngx_int_t ngx_http_stockcert_bad_size(ngx_http_request_t *r, size_t max,
    size_t len);

/*
 * Reads a body whose length was set as above: where it is, or into new memory.
 * NGX_ERROR for want of that, or where a file could not be read.
 */

ngx_int_t ngx_http_stockcert_body(ngx_http_request_t *r, ngx_str_t *body);

/* What is wrong with the body of a request. */

ngx_int_t ngx_http_stockcert_body_fault(ngx_http_request_t *r,
    stockcert_fault_t *fault);

ngx_int_t ngx_http_stockcert_reply_certificate(ngx_http_request_t *r,
    const stockcert_certificate_t *certificate, const ngx_str_t *life);
ngx_int_t ngx_http_stockcert_reply_certificates(ngx_http_request_t *r,
    const ngx_http_stockcert_target_t *target,
    const stockcert_certificate_t *certificates, ngx_uint_t n, uint64_t after);
/*
 * The URL of a list's next page, behind the number after, for the answer and
 * its header Link, which is set; empty if after is 0.  path is below the
 * location's.
 */

ngx_int_t ngx_http_stockcert_next_page(ngx_http_request_t *r, const ngx_str_t *path,
    uint64_t after, const ngx_http_stockcert_parameters_t *parameters,
    ngx_str_t *next);

ngx_int_t ngx_http_stockcert_reply_inventory(ngx_http_request_t *r,
    const stockcert_entry_t *last, const stockcert_class_t *classes,
    ngx_uint_t n);

/*
 * A certificate as JSON.  ngx_http_stockcert_set_certificate() has what a
 * snapshot says of it, which must stay; status is NULL where nothing is told
 * of that, and life are further members, JSON, each with a comma before it.
 * ngx_http_stockcert_put_certificate() and ngx_http_stockcert_put_time()
 * return where they end; the first writes at most
 * ngx_http_stockcert_certificate_len() bytes.
 */

typedef struct {
    const stockcert_entry_t       *issued;
    const char                    *status;
    uint64_t                       transaction;  /* that surrendered it, or 0, */
    uint64_t                       surrendered;  /* and when */
    stockcert_str_t                reason;       /* it was cancelled for */
    ngx_str_t                      life;
} ngx_http_stockcert_certificate_t;

void ngx_http_stockcert_set_certificate(ngx_http_stockcert_certificate_t *c,
    const stockcert_certificate_t *certificate);
size_t ngx_http_stockcert_more_len(const stockcert_entry_t *entry);
u_char *ngx_http_stockcert_put_more(u_char *p, const stockcert_entry_t *entry);
size_t ngx_http_stockcert_certificate_len(
    const ngx_http_stockcert_loc_conf_t *slcf,
    const ngx_http_stockcert_certificate_t *c);
u_char *ngx_http_stockcert_put_certificate(u_char *p,
    const ngx_http_stockcert_loc_conf_t *slcf,
    const ngx_http_stockcert_certificate_t *c);
u_char *ngx_http_stockcert_put_time(u_char *p, uint64_t time);

/*
 * The life of a certificate, in its snapshot: the members "became" and
 * "came_from", where they are, as above; NGX_ABORT where the ledger failed,
 * NGX_ERROR for want of memory.  ngx_http_stockcert_put_ids() writes an array
 * of the IDs of n entries from a position on, at most
 * NGX_HTTP_STOCKCERT_ID_LEN bytes for each, and two more; it returns NULL
 * where the ledger failed.
 */

#define NGX_HTTP_STOCKCERT_ID_LEN                                             \
    (sizeof("\"-\",") - 1 + STOCKCERT_CODE_MAX + NGX_INT64_LEN)

ngx_int_t ngx_http_stockcert_life(ngx_http_request_t *r,
    stockcert_ledger_t *ledger, const stockcert_certificate_t *certificate,
    ngx_str_t *life, stockcert_error_t *error);
u_char *ngx_http_stockcert_put_ids(u_char *p, stockcert_ledger_t *ledger,
    uint64_t position, uint64_t n, stockcert_error_t *error);

/*
 * An application/problem+json (RFC 9457), or a page that says the same to who
 * prefers HTML.  detail is what is special to this occurrence, as plain text,
 * or NULL for what is always said of this problem; members are further members,
 * JSON, each with a comma before it, or NULL.
 */

ngx_int_t ngx_http_stockcert_problem(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const ngx_str_t *detail,
    const ngx_str_t *members);

/* Replies in HTML, from a snapshot. */

/* 1 if the header Accept prefers HTML */

ngx_uint_t ngx_http_stockcert_prefers_html(ngx_http_request_t *r);

ngx_int_t ngx_http_stockcert_html_certificate(ngx_http_request_t *r,
    const stockcert_class_t *class,
    const stockcert_certificate_t *certificate);
ngx_int_t ngx_http_stockcert_html_problem(ngx_http_request_t *r,
    ngx_uint_t status, const ngx_str_t *title, const ngx_str_t *detail);

/* book has all but the company and its path */

ngx_int_t ngx_http_stockcert_html_book(ngx_http_request_t *r,
    stockcert_book_page_t *book);

/*
 * Sends all n certificates of a class.  It reads them later, so code must stay.
 */

ngx_int_t ngx_http_stockcert_html_print(ngx_http_request_t *r,
    const ngx_str_t *code, stockcert_book_page_t *book);


/* A page while it is written. */

typedef struct {
    char                          *text;
    size_t                         len;
    FILE                          *file;
} ngx_http_stockcert_page_t;

/*
 * ngx_http_stockcert_open_page() opens its file.
 * ngx_http_stockcert_close_page() closes it; if it returns NGX_OK, the text is
 * whole.  ngx_http_stockcert_free_page() frees all.
 * ngx_http_stockcert_page_buf() does both, and returns the text in the request's
 * memory, or NULL.
 */

ngx_int_t ngx_http_stockcert_open_page(ngx_http_stockcert_page_t *page);
ngx_int_t ngx_http_stockcert_close_page(ngx_http_stockcert_page_t *page);
void ngx_http_stockcert_free_page(ngx_http_stockcert_page_t *page);
ngx_buf_t *ngx_http_stockcert_page_buf(ngx_http_request_t *r,
    ngx_http_stockcert_page_t *page);

/* Adds the headers that all pages have. */

ngx_int_t ngx_http_stockcert_html_headers(ngx_http_request_t *r);

/*
 * Sets what a page has of its location: the company, and the URL of its stock
 * book.  Both live as long as the request.  Returns NGX_ERROR if there is no
 * memory.
 */

ngx_int_t ngx_http_stockcert_html_place(ngx_http_request_t *r,
    stockcert_str_t *company, stockcert_str_t *book);


/* Sends b with a status and a content type. */

#define NGX_HTTP_STOCKCERT_HTML  "text/html"
#define NGX_HTTP_STOCKCERT_JSON  "application/json"

ngx_int_t ngx_http_stockcert_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_buf_t *b);

/* The same of what no cache may keep. */

ngx_int_t ngx_http_stockcert_send_now(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_buf_t *b);

/*
 * Sends b, JSON of what was created, at a URL that ends with a NUL, or NULL for
 * none; or was created before, by an earlier request with the same key.
 */

ngx_int_t ngx_http_stockcert_send_created(ngx_http_request_t *r,
    const u_char *url, ngx_uint_t replayed, ngx_buf_t *b);

/* Sends the header only; len is -1 if it is not known yet. */

ngx_int_t ngx_http_stockcert_send_header(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, off_t len);

/*
 * Adds a header to the answer; the strings must stay as long as the request.
 * Returns NULL if there is no memory.
 */

ngx_table_elt_t *ngx_http_stockcert_add_header(ngx_http_request_t *r,
    const char *name, const char *value);

/*
 * The same in a list that nginx keeps in r->headers_out, where other modules
 * and variables look for it.  Returns NGX_OK, or NGX_ERROR.
 */

ngx_int_t ngx_http_stockcert_set_header(ngx_http_request_t *r,
    ngx_http_stockcert_list_t *list, const char *name, const char *value);


/*
 * Counts and variables.  ngx_http_stockcert_ctx() makes what there is of a
 * request, if it is not there; NULL for want of memory.
 */

ngx_http_stockcert_ctx_t *ngx_http_stockcert_ctx(ngx_http_request_t *r);

/*
 * A request was refused, for a problem whose "error" stays; waited for so many
 * nanoseconds; has the certificate of a slot, or a transaction.
 */

void ngx_http_stockcert_note_refused(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const ngx_str_t *error);
void ngx_http_stockcert_note_waited(ngx_http_request_t *r, uint64_t waited);
void ngx_http_stockcert_note_issued(ngx_http_request_t *r,
    const stockcert_slot_t *slot);
void ngx_http_stockcert_note_entered(ngx_http_request_t *r, uint64_t number,
    ngx_uint_t replayed);

/* At configuration. */

ngx_int_t ngx_http_stockcert_add_variables(ngx_conf_t *cf);

/* The "error" of a problem. */

const ngx_str_t *ngx_http_stockcert_error(
    ngx_http_stockcert_problem_e problem);


/* A directive in cf->args makes a location answer requests. */

char *ngx_http_stockcert_set_handler(ngx_conf_t *cf,
    ngx_http_stockcert_loc_conf_t *slcf, ngx_http_handler_pt handler);

#define NGX_HTTP_STOCKCERT_CONFLICT                                           \
    "conflicts with another directive in its location that answers requests "  \
    "(\"proxy_pass\" or the like)"

/*
 * The quality that the header Accept gives to a type, in thousandths;
 * NGX_DECLINED if it does not name it.
 */

ngx_int_t ngx_http_stockcert_accepts(ngx_http_request_t *r, const char *type);


extern ngx_module_t  ngx_http_stockcert_module;


#endif /* NGX_HTTP_STOCKCERT_H */
