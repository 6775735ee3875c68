
/*
 * etcd: reads and checks the directives about it, and makes replicas.
 *
 * The former runs in the master, the latter in a worker.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_etcd.h>

#include <openssl/rand.h>


#define NGX_HTTP_STOCKCERT_ETCD_FILE      65536     /* bytes */
#define NGX_HTTP_STOCKCERT_ETCD_TIMEOUT   10000     /* milliseconds, */
#define NGX_HTTP_STOCKCERT_ETCD_SHORTEST  1000
#define NGX_HTTP_STOCKCERT_ETCD_KEEP      1000000   /* entries, */
#define NGX_HTTP_STOCKCERT_ETCD_LEAST     10000


static char *ngx_http_stockcert_etcd_file(ngx_conf_t *cf, ngx_str_t *text);
static char *ngx_http_stockcert_etcd_read(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);
static stockcert_str_t ngx_http_stockcert_str(const ngx_str_t *str);


char *
ngx_http_stockcert_etcd(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    char        **endpoint;
    ngx_str_t    *value;
    ngx_uint_t    i;
    const char   *fault;

    value = cf->args->elts;

    if (ledger->etcd.endpoints.nelts) {
        return "\"etcd\" directive is duplicate";
    }

    if (cf->args->nelts - 1 > STOCKCERT_ETCD_ENDPOINTS_MAX) {
        return "\"etcd\" directive has too many URLs";
    }

    if (ngx_array_init(&ledger->etcd.endpoints, cf->pool, cf->args->nelts,
                       sizeof(char *))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        fault = stockcert_etcd_endpoint_fault((char *) value[i].data,
                                              value[i].len);
        if (fault) {
            return ngx_http_stockcert_invalid(cf, "URL of etcd", &value[i],
                                              fault);
        }

        endpoint = ngx_array_push(&ledger->etcd.endpoints);
        *endpoint = (char *) value[i].data;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_stockcert_etcd_prefix(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ledger->etcd.prefix.data) {
        return "\"etcd_prefix\" directive is duplicate";
    }

    ledger->etcd.prefix = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_stockcert_etcd_timeout(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_int_t   timeout;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ledger->etcd.timeout) {
        return "\"etcd_timeout\" directive is duplicate";
    }

    timeout = ngx_parse_time(&value[1], 0);

    if (timeout == NGX_ERROR || timeout < NGX_HTTP_STOCKCERT_ETCD_SHORTEST
        || timeout > 3600000)
    {
        return ngx_http_stockcert_invalid(cf, "etcd_timeout", &value[1],
                                          "must be a time from 1s to 1h");
    }

    ledger->etcd.timeout = (ngx_msec_t) timeout;

    return NGX_CONF_OK;
}


char *
ngx_http_stockcert_etcd_keep(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    off_t       keep;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ledger->etcd.keep) {
        return "\"etcd_keep\" directive is duplicate";
    }

    keep = ngx_atoof(value[1].data, value[1].len);

    if (keep < NGX_HTTP_STOCKCERT_ETCD_LEAST) {
        return ngx_http_stockcert_invalid(cf, "etcd_keep", &value[1],
                                          "must be a number of entries, at "
                                          "least 10000");
    }

    ledger->etcd.keep = keep;

    return NGX_CONF_OK;
}


/* the password's file: what is in its first line */

char *
ngx_http_stockcert_etcd_user(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    char       *rv;
    u_char     *p;
    ngx_str_t  *value, *password;

    value = cf->args->elts;
    password = &ledger->etcd.password;

    if (ledger->etcd.user.len) {
        return "\"etcd_user\" directive is duplicate";
    }

    ledger->etcd.user = value[1];

    rv = ngx_http_stockcert_etcd_read(cf, &value[2], password);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (p = password->data; p < password->data + password->len; p++) {
        if (*p == '\n' || *p == '\r') {
            break;
        }
    }

    password->len = (size_t) (p - password->data);

    if (value[1].len == 0 || password->len == 0) {
        return "\"etcd_user\" directive needs a name, and a file whose first "
               "line is the password";
    }

    return NGX_CONF_OK;
}


char *
ngx_http_stockcert_etcd_trusted(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    return ngx_http_stockcert_etcd_file(cf, &ledger->etcd.trusted);
}


char *
ngx_http_stockcert_etcd_certificate(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    return ngx_http_stockcert_etcd_file(cf, &ledger->etcd.certificate);
}


char *
ngx_http_stockcert_etcd_key(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    return ngx_http_stockcert_etcd_file(cf, &ledger->etcd.key);
}


/* a directive whose value is a file */

static char *
ngx_http_stockcert_etcd_file(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (text->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive is duplicate",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_stockcert_etcd_read(cf, &value[1], text);
}


/* read here, as the workers' user need not be able to read it */

static char *
ngx_http_stockcert_etcd_read(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text)
{
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_err_t   err;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    text->data = ngx_pnalloc(cf->pool, NGX_HTTP_STOCKCERT_ETCD_FILE);
    if (text->data == NULL) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, text->data, NGX_HTTP_STOCKCERT_ETCD_FILE);
    err = ngx_errno;

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    if (n <= 0 || n == NGX_HTTP_STOCKCERT_ETCD_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, n < 0 ? err : 0,
                           "\"%V\" cannot be read, is empty or too large",
                           name);
        return NGX_CONF_ERROR;
    }

    text->len = (size_t) n;

    return NGX_CONF_OK;
}


char *
ngx_http_stockcert_init_etcd(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    u_char                     *p;
    size_t                      len;
    const char                 *fault;
    ngx_http_stockcert_etcd_t  *etcd;

    etcd = &ledger->etcd;

    if (etcd->endpoints.nelts == 0) {

        if (etcd->prefix.data || etcd->timeout || etcd->keep || etcd->user.len
            || etcd->trusted.len || etcd->certificate.len || etcd->key.len)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no \"etcd\" is defined in stockcert ledger "
                               "\"%V\", but other directives about it are",
                               &ledger->name);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if ((etcd->certificate.len == 0) != (etcd->key.len == 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"etcd_certificate\" and \"etcd_certificate_key\" "
                           "need each other in stockcert ledger \"%V\"",
                           &ledger->name);
        return NGX_CONF_ERROR;
    }

    if (etcd->timeout == 0) {
        etcd->timeout = NGX_HTTP_STOCKCERT_ETCD_TIMEOUT;
    }

    if (etcd->keep == 0) {
        etcd->keep = NGX_HTTP_STOCKCERT_ETCD_KEEP;
    }

    if (RAND_bytes((unsigned char *) &etcd->machine, sizeof(uint64_t)) != 1) {
        return NGX_CONF_ERROR;
    }

    if (etcd->prefix.data == NULL) {
        len = sizeof("/stockcert//") - 1 + ledger->name.len;

        p = ngx_pnalloc(cf->pool, len + 1);
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        etcd->prefix.data = p;
        etcd->prefix.len = len;

        ngx_sprintf(p, "/stockcert/%V/%Z", &ledger->name);
    }

    fault = stockcert_etcd_prefix_fault((char *) etcd->prefix.data,
                                        etcd->prefix.len);

    return fault ? ngx_http_stockcert_invalid(cf, "etcd_prefix", &etcd->prefix,
                                              fault)
                 : NGX_CONF_OK;
}


stockcert_replica_t *
ngx_http_stockcert_replica(ngx_http_stockcert_ledger_t *ledger, ngx_log_t *log,
    int (*stop)(void))
{
    stockcert_error_t           error;
    stockcert_replica_t        *replica;
    stockcert_etcd_conf_t       conf;
    ngx_http_stockcert_etcd_t  *etcd;

    etcd = &ledger->etcd;

    ngx_memzero(&conf, sizeof(stockcert_etcd_conf_t));

    conf.endpoints = etcd->endpoints.elts;
    conf.nendpoints = etcd->endpoints.nelts;
    conf.prefix = (char *) etcd->prefix.data;
    conf.timeout = (unsigned) etcd->timeout;
    conf.keep = (uint64_t) etcd->keep;
    conf.machine = etcd->machine;
    conf.user = ngx_http_stockcert_str(&etcd->user);
    conf.password = ngx_http_stockcert_str(&etcd->password);
    conf.trusted = ngx_http_stockcert_str(&etcd->trusted);
    conf.certificate = ngx_http_stockcert_str(&etcd->certificate);
    conf.certificate_key = ngx_http_stockcert_str(&etcd->key);
    conf.stop = stop;

    if (stockcert_etcd_create(&conf, &replica, &error) != STOCKCERT_OK) {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "stockcert ledger \"%V\": %s", &ledger->name, error.text);
        return NULL;
    }

    return replica;
}


static stockcert_str_t
ngx_http_stockcert_str(const ngx_str_t *str)
{
    stockcert_str_t  s;

    s.len = str->len;
    s.data = (char *) str->data;

    return s;
}
