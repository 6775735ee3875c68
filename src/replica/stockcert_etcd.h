
/*
 * A journal that several machines share, kept by etcd: stockcert_replica.h on
 * the JSON gateway of etcd 3.4 and newer.
 *
 * Below a prefix etcd has these keys:
 *
 *     ledger          {"company":"..","created":N,"format":N,"cluster_id":"N"},
 *                     the header, and the identity of etcd
 *     head            {"position":N,"seal":"<hex>","epoch":N}
 *     batch/<first>   the bytes of a batch, by the position of its first entry
 *                     in 16 hexadecimal digits
 *     turn/<machine>  a machine that lost to others waits to append: a hint, see
 *                     stockcert_etcd_turn.c
 *
 * A guard is the revision of "head" and its value: an etcd that was restored
 * repeats revisions.
 */


#ifndef STOCKCERT_ETCD_H
#define STOCKCERT_ETCD_H


#include "stockcert_replica.h"


#define STOCKCERT_ETCD_ENDPOINTS_MAX  16
#define STOCKCERT_ETCD_ENDPOINT_MAX   255     /* bytes */
#define STOCKCERT_ETCD_PREFIX_MAX     255


typedef struct {
    const char *const  *endpoints;     /* "https://10.0.0.1:2379" */
    size_t              nendpoints;    /* 1 or more */
    const char         *prefix;        /* "/stockcert/acme/" */
    unsigned            timeout;       /* milliseconds a caller has */
    uint64_t            keep;          /* entries that stay; 0: all */
    uint64_t            machine;       /* the same number in all processes of a
                                          machine that append, or 0 */
    stockcert_str_t     user;          /* empty: none */
    stockcert_str_t     password;
    stockcert_str_t     trusted;       /* PEM; empty: what the system trusts */
    stockcert_str_t     certificate;   /* PEM; empty: none */
    stockcert_str_t     certificate_key;

    /* NULL, or tells that the process is to end: a call then ends soon, with
       STOCKCERT_UNREACHED; from the thread that calls */

    int               (*stop)(void);
} stockcert_etcd_conf_t;


/*
 * Makes a replica; ops->destroy() ends it.  It copies what it needs of *conf,
 * and uses no network yet.  Endpoints and prefix are such as the functions
 * below want them.  Returns STOCKCERT_OK, or STOCKCERT_FAILED if there is no
 * memory, or if user or password are not UTF-8.
 */

stockcert_rc_e stockcert_etcd_create(const stockcert_etcd_conf_t *conf,
    stockcert_replica_t **replica, stockcert_error_t *error);

/*
 * The size of the database of the etcd that answers, in bytes; the replica is
 * one of stockcert_etcd_create().  Returns STOCKCERT_OK or STOCKCERT_UNREACHED.
 */

stockcert_rc_e stockcert_etcd_size(stockcert_replica_t *replica,
    uint64_t *bytes, stockcert_error_t *error);

/*
 * An endpoint is http:// or https://, a host, and maybe a port.  A prefix is
 * printable ASCII, with "/" first and last.  Both return NULL if the text is
 * one, otherwise what it must be, as the end of a sentence.  Any thread.
 */

const char *stockcert_etcd_endpoint_fault(const char *text, size_t len);
const char *stockcert_etcd_prefix_fault(const char *text, size_t len);


#endif /* STOCKCERT_ETCD_H */
