
/*
 * The replica that etcd keeps: how it is made and ended, and the time that its
 * callers have.
 */


#define _GNU_SOURCE

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "stockcert_etcd_int.h"
#include "stockcert_text.h"


/* milliseconds between tries */

#define STOCKCERT_ETCD_PAUSE      10
#define STOCKCERT_ETCD_PAUSE_MAX  200


static void stockcert_etcd_curl(void);
static int stockcert_etcd_is_utf8(const stockcert_str_t *text);
static int stockcert_etcd_copy(char **copy, const stockcert_str_t *text);
static int stockcert_etcd_credentials(stockcert_etcd_t *etcd,
    const stockcert_etcd_conf_t *conf);
static void stockcert_etcd_forget(char *secret);
static void stockcert_etcd_start(stockcert_replica_t *replica);
static int stockcert_etcd_again(stockcert_replica_t *replica);
static void stockcert_etcd_destroy(stockcert_replica_t *replica);


static const stockcert_replica_ops_t  stockcert_etcd_ops = {
    .origin = stockcert_etcd_origin,
    .head = stockcert_etcd_head,
    .append = stockcert_etcd_append,
    .read = stockcert_etcd_read,
    .watch = stockcert_etcd_watch,
    .waits = stockcert_etcd_waits,
    .leave = stockcert_etcd_leave,
    .put = stockcert_etcd_put_batch,
    .clear = stockcert_etcd_clear,
    .create = stockcert_etcd_create_ledger,
    .start = stockcert_etcd_start,
    .again = stockcert_etcd_again,
    .destroy = stockcert_etcd_destroy
};


static pthread_once_t  stockcert_etcd_once = PTHREAD_ONCE_INIT;


static void
stockcert_etcd_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}


stockcert_rc_e
stockcert_etcd_create(const stockcert_etcd_conf_t *conf,
    stockcert_replica_t **replica, stockcert_error_t *error)
{
    int                bad;
    size_t             i;
    const char        *why;
    stockcert_etcd_t  *etcd;

    why = !stockcert_etcd_is_utf8(&conf->user)
          ? "its user is not UTF-8"
          : !stockcert_etcd_is_utf8(&conf->password)
          ? "its password is not UTF-8" : NULL;

    if (why != NULL) {
        goto failed;
    }

    why = "there is no memory";

    pthread_once(&stockcert_etcd_once, stockcert_etcd_curl);

    etcd = calloc(1, sizeof(stockcert_etcd_t));
    if (etcd == NULL) {
        goto failed;
    }

    etcd->limit = STOCKCERT_ETCD_BATCHES;
    bad = 0;

    for (i = 0; i < conf->nendpoints && i < STOCKCERT_ETCD_ENDPOINTS_MAX; i++) {
        etcd->endpoints[i] = strdup(conf->endpoints[i]);
        bad = bad || etcd->endpoints[i] == NULL;
    }

    etcd->nendpoints = i;
    etcd->prefix = strdup(conf->prefix);
    etcd->timeout = conf->timeout;
    etcd->keep = conf->keep;
    etcd->machine = conf->machine;
    etcd->stop = conf->stop;
    etcd->pause = STOCKCERT_ETCD_PAUSE;

    bad = bad || i == 0 || etcd->prefix == NULL
          || stockcert_etcd_copy(&etcd->trusted, &conf->trusted)
          || stockcert_etcd_copy(&etcd->certificate, &conf->certificate)
          || stockcert_etcd_copy(&etcd->certificate_key,
                                 &conf->certificate_key)
          || stockcert_etcd_credentials(etcd, conf);

    if (!bad) {
        etcd->headers = stockcert_etcd_headers(etcd);
        etcd->curl = stockcert_etcd_handle(etcd);
    }

    if (bad || etcd->headers == NULL || etcd->curl == NULL) {
        stockcert_etcd_destroy(&etcd->replica);
        goto failed;
    }

    etcd->replica.ops = &stockcert_etcd_ops;
    etcd->replica.name = etcd->prefix;
    *replica = &etcd->replica;

    return STOCKCERT_OK;

failed:

    snprintf(error->text, sizeof(error->text), "etcd cannot be used: %s", why);

    return STOCKCERT_FAILED;
}


static int
stockcert_etcd_is_utf8(const stockcert_str_t *text)
{
    const uint8_t  *p, *end;

    if (text->len == 0) {
        return 1;
    }

    p = (const uint8_t *) text->data;
    end = p + text->len;

    while (p < end) {
        if (stockcert_utf8(&p, end) == STOCKCERT_NO_CHAR) {
            return 0;
        }
    }

    return 1;
}


static int
stockcert_etcd_copy(char **copy, const stockcert_str_t *text)
{
    if (text->len == 0) {
        return 0;
    }

    *copy = strndup(text->data, text->len);

    return *copy == NULL ? -1 : 0;
}


static int
stockcert_etcd_credentials(stockcert_etcd_t *etcd,
    const stockcert_etcd_conf_t *conf)
{
    json_t  *doc;

    if (conf->user.len == 0) {
        return 0;
    }

    doc = json_pack("{s:s%,s:s%}", "name", conf->user.data, conf->user.len,
                    "password", conf->password.len ? conf->password.data : "",
                    conf->password.len);

    etcd->login = doc != NULL ? json_dumps(doc, JSON_COMPACT) : NULL;
    json_decref(doc);

    if (etcd->login == NULL) {
        return -1;
    }

    etcd->login_len = strlen(etcd->login);

    return 0;
}


static void
stockcert_etcd_forget(char *secret)
{
    if (secret != NULL) {
        OPENSSL_cleanse(secret, strlen(secret));
        free(secret);
    }
}


static void
stockcert_etcd_destroy(stockcert_replica_t *replica)
{
    size_t             i;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    stockcert_etcd_watch_end(etcd);
    curl_multi_cleanup(etcd->stream.multi);
    curl_easy_cleanup(etcd->curl);
    curl_slist_free_all(etcd->headers);
    json_decref(etcd->doc);

    for (i = 0; i < STOCKCERT_ETCD_KEPT; i++) {
        free(etcd->batches[i].bytes.data);
    }

    for (i = 0; i < etcd->nendpoints; i++) {
        free(etcd->endpoints[i]);
    }

    free(etcd->stream.request.data);
    free(etcd->stream.lines.data);
    free(etcd->request.data);
    free(etcd->answer.data);
    free(etcd->prefix);
    free(etcd->trusted);
    free(etcd->certificate);
    stockcert_etcd_forget(etcd->certificate_key);
    stockcert_etcd_forget(etcd->login);
    stockcert_etcd_forget(etcd->token);
    free(etcd);
}


static void
stockcert_etcd_start(stockcert_replica_t *replica)
{
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    etcd->deadline = stockcert_etcd_clock() + etcd->timeout;
    etcd->pause = STOCKCERT_ETCD_PAUSE;
}


static int
stockcert_etcd_again(stockcert_replica_t *replica)
{
    uint64_t           now, pause;
    struct timespec    ts;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;
    now = stockcert_etcd_clock();

    if (now >= etcd->deadline || stockcert_etcd_stopped(etcd)) {
        return 0;
    }

    pause = etcd->pause;
    etcd->pause *= 2;

    if (etcd->pause > STOCKCERT_ETCD_PAUSE_MAX) {
        etcd->pause = STOCKCERT_ETCD_PAUSE_MAX;
    }

    if (pause > etcd->deadline - now) {
        pause = etcd->deadline - now;
    }

    ts.tv_sec = 0;
    ts.tv_nsec = (long) pause * 1000000;
    nanosleep(&ts, NULL);

    return !stockcert_etcd_stopped(etcd);
}


stockcert_rc_e
stockcert_etcd_size(stockcert_replica_t *replica, uint64_t *bytes,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    etcd->request.len = 0;
    etcd->request.failed = 0;
    stockcert_etcd_text(&etcd->request, "{}");
    stockcert_etcd_begin(etcd);

    rc = stockcert_etcd_ask(etcd, "/v3/maintenance/status", error);

    if (rc == STOCKCERT_OK
        && stockcert_etcd_number(etcd->doc, "dbSize", bytes) != 0)
    {
        return stockcert_etcd_odd(etcd, error);
    }

    return rc;
}


const char *
stockcert_etcd_endpoint_fault(const char *text, size_t len)
{
    char    url[STOCKCERT_ETCD_ENDPOINT_MAX + 1];
    CURLU  *parts;
    size_t  n;
    int     good;

    if (len > STOCKCERT_ETCD_ENDPOINT_MAX || memchr(text, '\0', len) != NULL) {
        return "must be a URL of at most 255 bytes";
    }

    memcpy(url, text, len);
    url[len] = '\0';

    n = strncmp(url, "https://", 8) == 0 ? 8
        : strncmp(url, "http://", 7) == 0 ? 7 : 0;

    if (n == 0) {
        return "must begin with https:// or http://";
    }

    if (len == n
        || strspn(url + n, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")
           != len - n)
    {
        return "must be a host, and maybe a port, and nothing else";
    }

    parts = curl_url();
    good = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == 0;
    curl_url_cleanup(parts);

    return good ? NULL : "must be a host, and maybe a port, and nothing else";
}


const char *
stockcert_etcd_prefix_fault(const char *text, size_t len)
{
    size_t  i;

    if (len == 0 || text[0] != '/' || text[len - 1] != '/') {
        return "must begin and end with \"/\"";
    }

    if (len > STOCKCERT_ETCD_PREFIX_MAX) {
        return "must have at most 255 bytes";
    }

    for (i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return "must be printable ASCII without spaces";
        }
    }

    return NULL;
}
