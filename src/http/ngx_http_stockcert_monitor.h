
/*
 * Who watches nginx is answered by these files:
 *
 *     ngx_http_stockcert_status.c     reads what "stockcert_status" tells
 *     ngx_http_stockcert_metrics.c    writes it
 *     ngx_http_stockcert_health.c     "stockcert_health"
 *     ngx_http_stockcert_monitor.c    what they have in common
 */


#ifndef NGX_HTTP_STOCKCERT_MONITOR_H
#define NGX_HTTP_STOCKCERT_MONITOR_H


#include <ngx_http_stockcert.h>


/* The directives "stockcert_status" and "stockcert_health". */

char *ngx_http_stockcert_set_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_stockcert_set_health(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * NGX_OK for a GET or HEAD, whose body is discarded; otherwise what to return.
 */

ngx_int_t ngx_http_stockcert_check_monitor(ngx_http_request_t *r);

/*
 * Writes why a ledger is not well, as a text with a NUL; an empty one if it is.
 * It never waits for a lock, a disk or another machine.
 */

#define NGX_HTTP_STOCKCERT_WHY  256        /* bytes */

void ngx_http_stockcert_why(ngx_http_stockcert_ledger_t *ledger, u_char *why);

/*
 * A page is written to the file of ngx_http_stockcert_open_page().
 * ngx_http_stockcert_put_name() writes a string for JSON or Prometheus, with its
 * quotes: bytes of a name that are no printable text are \xNN.
 * ngx_http_stockcert_send_monitor() sends it all, and frees it.
 */

void ngx_http_stockcert_put_name(FILE *file, const ngx_str_t *name);
ngx_int_t ngx_http_stockcert_send_monitor(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, ngx_http_stockcert_page_t *page);


typedef struct {
    char                           code[STOCKCERT_CODE_MAX + 1];
    uint64_t                       authorized;
    uint64_t                       out;        /* shares */
    uint64_t                       issued;     /* certificates, as counted */
} ngx_http_stockcert_view_class_t;


/* a ledger; what follows "open" is there only if that is set */

typedef struct {
    ngx_http_stockcert_ledger_t   *ledger;
    u_char                         why[NGX_HTTP_STOCKCERT_WHY];
    stockcert_tally_t              tally;
    uint64_t                       waiting;    /* grants */

    size_t                         nclasses;
    ngx_http_stockcert_view_class_t
                                   classes[STOCKCERT_CLASSES_MAX];

    ngx_uint_t                     open;
    uint64_t                       entries;
    uint64_t                       behind;     /* entries, of several machines */
    uint64_t                       readers;
    stockcert_usage_t              usage;
} ngx_http_stockcert_view_t;


/* In Prometheus' text format 0.0.4, or as JSON. */

void ngx_http_stockcert_put_metrics(FILE *file, ngx_uint_t json,
    const ngx_http_stockcert_view_t *views, ngx_uint_t n);


#endif /* NGX_HTTP_STOCKCERT_MONITOR_H */
