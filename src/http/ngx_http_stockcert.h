
/*
 * What the rooms of the module that know nginx share.  The way of a request:
 *
 *     ngx_http_stockcert_request.c   method, path and body become a grant or
 *                                    something to read
 *     ngx_http_stockcert_headers.c   what its headers decide
 *     ngx_http_stockcert_url.c       what a path names, and what is told
 *     ngx_http_stockcert_get.c       reads the ledger
 *     ngx_http_stockcert_commit.c    grants become certificates, in batches
 *     ngx_http_stockcert_lead.c      of one worker for all
 *     ngx_http_stockcert_lane.c      what a worker needs for that
 *     ngx_http_stockcert_share.c     and what all of them share
 *     ngx_http_stockcert_directory.c the master makes directories
 *     ngx_http_stockcert_reply.c     what was read or issued becomes HTTP
 *     ngx_http_stockcert_html.c      or a page to look at
 *     ngx_http_stockcert_print.c     or a long one
 *     ngx_http_stockcert_problem.c   and so does what went wrong
 *     ngx_http_stockcert_send.c      sends it
 *
 * All functions but the thread task of the commit run on the event loop.
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


/* a "stockcert_ledger" block */

typedef struct {
    ngx_str_t                      name;
    ngx_str_t                      path;       /* full, zero-terminated; has
                                                  no links */
    u_char                        *configured; /* the same as it was written */
    ngx_str_t                      company;
    ngx_str_t                      company_json;    /* escaped */
    ngx_array_t                    classes;    /* of stockcert_class_t */
    ngx_array_t                    pars;       /* of ngx_http_stockcert_par_t */
    stockcert_paper_t              paper;
    size_t                         size;

    ngx_flag_t                     create;     /* if it is not there */

    ngx_thread_pool_t             *thread_pool;

    stockcert_lanes_t             *lanes;      /* of all workers, or NULL */
    ngx_http_stockcert_lane_t     *lane;       /* the worker's own, or NULL */
} ngx_http_stockcert_ledger_t;


typedef struct {
    ngx_array_t                    ledgers;    /* pointers to them */
    ngx_array_t                    locations;  /* and to these */

    /* what the workers share, made in the master; claims is NULL if it failed */

    ngx_shm_t                      shm;        /* claims, lanes of each ledger */
    stockcert_claims_t            *claims;
    ngx_fd_t                      *wakes;      /* an eventfd for each lane */
    ngx_uint_t                     nwakes;

    /* the worker's own */

    ngx_uint_t                     number;     /* of its lanes */
    ngx_fd_t                       wake;       /* of one that is alone, or -1 */
    ngx_connection_t              *listening;  /* NULL: it has no lanes yet */
    time_t                         retry;      /* not to be tried before */

    /* and its tasks in nginx's thread pool */

    ngx_uint_t                     active;     /* so many are there now, */
    ngx_uint_t                     most;       /* and so many had room when it */
    ngx_msec_t                     full;       /* was full, or was tried, last */
    ngx_queue_t                    queue;      /* of lanes that wait for room */
} ngx_http_stockcert_main_conf_t;


typedef struct {
    ngx_http_stockcert_ledger_t   *ledger;

    ngx_str_t                      prefix;     /* of URIs in answers, escaped;
                                                  empty if it is all there is */
    ngx_http_complex_value_t      *url;        /* instead of it, or NULL */

    ngx_str_t                      name;       /* of the ledger, or empty */
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
    NGX_HTTP_STOCKCERT_INVALID_GRANT,
    NGX_HTTP_STOCKCERT_KEY_IS_REUSED,
    NGX_HTTP_STOCKCERT_OUTCOME_UNKNOWN,
    NGX_HTTP_STOCKCERT_TOO_MANY_WAITING,
    NGX_HTTP_STOCKCERT_LEDGER_FULL,
    NGX_HTTP_STOCKCERT_LEDGER_UNAVAILABLE
} ngx_http_stockcert_problem_e;


/*
 * Configuration.  _path(), _size() and _create() are directives in the block of
 * a ledger.  _reserve() refuses ledgers, pointers to them, for which there is not
 * enough address space.
 */

char *ngx_http_stockcert_ledger(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_stockcert_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, const char *fault);

char *ngx_http_stockcert_path(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_size(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_create(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
char *ngx_http_stockcert_reserve(ngx_conf_t *cf, ngx_array_t *ledgers);


/* what certificates say besides, in the block of a ledger, and the HTML pages */

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

/* of the class with this code; NULL if there is none */

ngx_http_stockcert_par_t *ngx_http_stockcert_find_par(
    ngx_http_stockcert_ledger_t *ledger, const char *code, size_t len);


/* what a URI names, below the location's prefix; code points into r->uri */

typedef struct {
    ngx_str_t   code;           /* empty: the inventory */
    uint64_t    number;         /* 0: the list of the class */
    ngx_uint_t  html;           /* the page is asked for by name */
    ngx_uint_t  print;          /* and is the whole list */
    ngx_uint_t  negotiated;     /* JSON or HTML was by the header Accept */
} ngx_http_stockcert_target_t;


/*
 * URLs.  _set_url() is the directive "stockcert_url".  _target() reads what the
 * request's URI names: NGX_OK, or NGX_DECLINED if that can be nothing.
 *
 * _base() says what all URLs in answers begin with: a path or a whole URL, with
 * a slash at its end, that needs no escaping anywhere; or nothing, where the
 * location has nothing below it.  What variables gave and cannot be that is
 * logged, and the location's prefix is told instead.
 *
 * _url() is that of a certificate, with a NUL behind it; empty if there is none.
 * With whole, it has a scheme and host, which may be any bytes that a client
 * sent as its Host, or is empty if they are not known.
 *
 * Both live as long as the request, and return NGX_OK, or NGX_ERROR for want of
 * memory.
 */

char *ngx_http_stockcert_set_url(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_stockcert_target(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target);
ngx_int_t ngx_http_stockcert_base(ngx_http_request_t *r, ngx_str_t *base);
ngx_int_t ngx_http_stockcert_url(ngx_http_request_t *r,
    const stockcert_entry_t *issued, ngx_uint_t whole, ngx_str_t *url);


/*
 * Request.  _number() reads decimal digits, up to 2^53 - 1; it returns NGX_OK
 * or NGX_ERROR.  _get() answers a GET or HEAD.  _get_rows() reads n certificates of
 * a class, after a number, in a snapshot; it returns NGX_OK, or NGX_ABORT where the
 * ledger failed.
 */

ngx_int_t ngx_http_stockcert_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_stockcert_get(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target);
ngx_int_t ngx_http_stockcert_get_rows(stockcert_ledger_t *ledger,
    const ngx_str_t *code, uint64_t after, size_t n,
    stockcert_certificate_t *certificates, stockcert_error_t *error);


/*
 * Headers of a request.
 *
 * _discard() has nginx discard the body, which is then not asked for with 100
 * Continue, and returns what nginx does.  _refuse() does so and answers; what is
 * the detail, or NULL.  _check_post() returns NGX_DECLINED where the body is to
 * be read, otherwise what answering returned.
 *
 * _preconditions() returns NGX_OK, or NGX_DECLINED where the answer is 412, for
 * what the URI names and its ETag, or NULL.  It has to be asked before headers of
 * an answer are set.  What it leaves to nginx is If-None-Match of a GET, and its
 * 304.
 *
 * _key() reads the idempotency key, if there is one; it returns NULL, or what
 * the header must be.
 */

ngx_int_t ngx_http_stockcert_discard(ngx_http_request_t *r);
ngx_int_t ngx_http_stockcert_refuse(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const char *what);
ngx_int_t ngx_http_stockcert_check_post(ngx_http_request_t *r);
ngx_int_t ngx_http_stockcert_preconditions(ngx_http_request_t *r,
    const ngx_str_t *etag);
const char *ngx_http_stockcert_key(ngx_http_request_t *r,
    stockcert_grant_t *grant);


/*
 * In the master, as it starts and at a reload: makes the directory of a ledger
 * if it is not there, with its parents, and gives it to the workers' user.  What
 * is there is not changed.  Logs why it could not.
 */

void ngx_http_stockcert_make_directory(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger);

/* Logs if it is on a file system of which that must be known. */

void ngx_http_stockcert_tell_filesystem(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger);


/*
 * Commit.
 *
 * _share(), in the master, makes what the workers share, for as long as the
 * cycle lives.  _join(), in a worker, claims lanes there, or makes some for this
 * worker alone where that is not possible, and opens the ledgers; it returns
 * NGX_ERROR for want of memory or descriptors, and may be called again.
 * _leave() ends it all.
 *
 * _commit() queues a grant: NGX_OK, and the request is finalized once it is
 * settled; otherwise nothing is queued, and *problem is for the caller to
 * answer.
 *
 * _lane_ledger() returns the ledger for reading, or NULL while it is not open.
 * A reader that got STOCKCERT_FAILED says so with _lane_failed(), after which
 * the ledger must not be used: it is opened again.
 */

void ngx_http_stockcert_share(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf);
ngx_int_t ngx_http_stockcert_join(ngx_cycle_t *cycle,
    ngx_http_stockcert_main_conf_t *smcf);
void ngx_http_stockcert_leave(ngx_http_stockcert_main_conf_t *smcf);

ngx_int_t ngx_http_stockcert_commit(ngx_http_request_t *r,
    ngx_http_stockcert_ledger_t *ledger, const stockcert_grant_t *grant,
    ngx_http_stockcert_problem_e *problem);

stockcert_ledger_t *ngx_http_stockcert_lane_ledger(
    ngx_http_stockcert_ledger_t *ledger);
void ngx_http_stockcert_lane_failed(ngx_http_stockcert_ledger_t *ledger,
    const stockcert_error_t *error);


/*
 * Reply: each sends a whole answer, and returns what a content handler returns.
 * What the arguments point to needs to stay for the call only.
 *
 * _issued() answers for a slot whose outcome says ISSUED; _outcome() for
 * whatever it says.
 *
 * _problem() sends an application/problem+json (RFC 9457), or a page that says the
 * same to who prefers HTML.  detail is what is special to this occurrence, as
 * plain text, or NULL for what is always said of this problem; members are
 * further members, JSON, each with a comma before it, or NULL.
 *
 * _send() sends b with a status and a content type.  _send_header() sends what
 * comes before b, where len is -1 if it is not known yet.  _add_header() adds a header to what
 * will be sent; the strings must stay as long as the request.  It returns NULL if
 * there is no memory.  _set_header() does so with one of a list that nginx keeps
 * in r->headers_out, where other modules and variables look for it.
 */

ngx_int_t ngx_http_stockcert_reply_issued(ngx_http_request_t *r,
    const stockcert_slot_t *slot);
ngx_int_t ngx_http_stockcert_reply_certificate(ngx_http_request_t *r,
    const stockcert_certificate_t *certificate);
ngx_int_t ngx_http_stockcert_reply_certificates(ngx_http_request_t *r,
    const ngx_str_t *code,
    const stockcert_certificate_t *certificates, ngx_uint_t n,
    ngx_uint_t limit, ngx_uint_t more);
ngx_int_t ngx_http_stockcert_reply_inventory(ngx_http_request_t *r,
    const stockcert_entry_t *last, const stockcert_class_t *classes,
    ngx_uint_t n);

/*
 * Reply in HTML, of what was read in a snapshot.  _prefers_html() is 1 where the
 * header Accept does.  book has all but the company and its path; _html_latest()
 * finds the latest certificates for it, at most n, and returns NGX_ABORT where the
 * ledger failed.  _html_print() sends all n certificates of a class, and reads them
 * itself, later; code must stay.
 */

ngx_uint_t ngx_http_stockcert_prefers_html(ngx_http_request_t *r);
ngx_int_t ngx_http_stockcert_html_certificate(ngx_http_request_t *r,
    const stockcert_class_t *class,
    const stockcert_certificate_t *certificate);
ngx_int_t ngx_http_stockcert_html_book(ngx_http_request_t *r,
    stockcert_book_page_t *book);
ngx_int_t ngx_http_stockcert_html_print(ngx_http_request_t *r,
    const ngx_str_t *code, stockcert_book_page_t *book);
ngx_int_t ngx_http_stockcert_html_problem(ngx_http_request_t *r,
    ngx_uint_t status, const ngx_str_t *title, const ngx_str_t *detail);
ngx_int_t ngx_http_stockcert_html_latest(stockcert_ledger_t *ledger,
    uint64_t position, stockcert_certificate_t *certificates, size_t *n,
    stockcert_error_t *error);

/*
 * A page as it is written.  _open_page() opens its file; _close_page() closes it,
 * and the text is whole if it returns NGX_OK; _free_page() frees all there is.
 * _html_headers() adds the headers that all pages have.  _html_place() sets what
 * they have of the location: whose it is, and where its stock book is; it returns
 * NGX_ERROR for want of memory, and both live as long as the request.
 */

#define NGX_HTTP_STOCKCERT_HTML  "text/html"

typedef struct {
    char                          *text;
    size_t                         len;
    FILE                          *file;
} ngx_http_stockcert_page_t;

ngx_int_t ngx_http_stockcert_open_page(ngx_http_stockcert_page_t *page);
ngx_int_t ngx_http_stockcert_close_page(ngx_http_stockcert_page_t *page);
void ngx_http_stockcert_free_page(ngx_http_stockcert_page_t *page);
ngx_int_t ngx_http_stockcert_html_headers(ngx_http_request_t *r);
ngx_int_t ngx_http_stockcert_html_place(ngx_http_request_t *r,
    stockcert_str_t *company, stockcert_str_t *book);

ngx_int_t ngx_http_stockcert_outcome(ngx_http_request_t *r,
    const stockcert_slot_t *slot);
ngx_int_t ngx_http_stockcert_problem(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const ngx_str_t *detail,
    const ngx_str_t *members);

ngx_int_t ngx_http_stockcert_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_buf_t *b);
ngx_int_t ngx_http_stockcert_send_header(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, off_t len);
ngx_table_elt_t *ngx_http_stockcert_add_header(ngx_http_request_t *r,
    const char *name, const char *value);
ngx_int_t ngx_http_stockcert_set_header(ngx_http_request_t *r,
    ngx_http_stockcert_list_t *list, const char *name, const char *value);


extern ngx_module_t  ngx_http_stockcert_module;


#endif /* NGX_HTTP_STOCKCERT_H */
