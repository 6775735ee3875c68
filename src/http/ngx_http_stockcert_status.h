
/*
 * What "stockcert_status" tells, between the file that reads it and the one that
 * writes it.
 */


#ifndef NGX_HTTP_STOCKCERT_STATUS_H
#define NGX_HTTP_STOCKCERT_STATUS_H


#include <ngx_http_stockcert.h>


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


#endif /* NGX_HTTP_STOCKCERT_STATUS_H */
