
/*
 * One request to one endpoint, by libcurl, and the token that etcd wants.
 *
 * It waits for the network, for as long as a try may take.
 */


#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "stockcert_etcd_int.h"
#include "stockcert_format.h"


/* milliseconds */

#define STOCKCERT_ETCD_TRY_MIN  500
#define STOCKCERT_ETCD_CONNECT  1000

#define STOCKCERT_ETCD_TOKEN_MAX  8192     /* bytes */

#define STOCKCERT_ETCD_AUTHORIZATION  "Authorization: "


static size_t stockcert_etcd_receive(char *data, size_t one, size_t len,
    void *to);
static int stockcert_etcd_progress(void *from, curl_off_t dltotal,
    curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow);
static CURLcode stockcert_etcd_blob(CURL *curl, CURLoption option, char *pem);
static stockcert_rc_e stockcert_etcd_post(stockcert_etcd_t *etcd,
    const char *path, const char *body, size_t len, long *status,
    stockcert_error_t *error);
static const char *stockcert_etcd_message(stockcert_etcd_t *etcd);
static stockcert_rc_e stockcert_etcd_login(stockcert_etcd_t *etcd,
    stockcert_error_t *error);
static int stockcert_etcd_take_token(stockcert_etcd_t *etcd, const char *token);
static int stockcert_etcd_token_is_old(const char *message);
static stockcert_rc_e stockcert_etcd_try(stockcert_etcd_t *etcd,
    const char *path, stockcert_error_t *error);


uint64_t
stockcert_etcd_clock(void)
{
    return stockcert_monotonic() / 1000000;
}


int
stockcert_etcd_stopped(const stockcert_etcd_t *etcd)
{
    return etcd->stop != NULL && etcd->stop();
}


void
stockcert_etcd_begin(stockcert_etcd_t *etcd)
{
    unsigned  wait;

    wait = etcd->timeout / 5;

    if (wait < STOCKCERT_ETCD_TRY_MIN) {
        wait = STOCKCERT_ETCD_TRY_MIN;
    }

    etcd->end = stockcert_etcd_clock() + wait;
}


CURL *
stockcert_etcd_handle(stockcert_etcd_t *etcd)
{
    int    bad;
    CURL  *curl;

    curl = curl_easy_init();
    if (curl == NULL) {
        return NULL;
    }

    bad = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L)
          || curl_easy_setopt(curl, CURLOPT_POST, 1L)
          || curl_easy_setopt(curl, CURLOPT_USERAGENT, "stockcert")
          || curl_easy_setopt(curl, CURLOPT_PROXY, "")
          || curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L)
          || curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                              (long) CURL_HTTP_VERSION_1_1)
          || curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L)
          || curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L)
          || curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                              (long) CURL_SSLVERSION_TLSv1_2);

#if (LIBCURL_VERSION_NUM >= 0x075500)
    bad = bad || curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    bad = bad || curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                                  CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif

    /* what is named replaces what the system trusts */

    if (etcd->trusted != NULL) {
        bad = bad || curl_easy_setopt(curl, CURLOPT_CAPATH, NULL)
              || curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    }

    bad = bad
          || curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION,
                              stockcert_etcd_receive)
          || curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L)
          || curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION,
                              stockcert_etcd_progress)
          || curl_easy_setopt(curl, CURLOPT_XFERINFODATA, etcd)
          || stockcert_etcd_blob(curl, CURLOPT_CAINFO_BLOB, etcd->trusted)
          || stockcert_etcd_blob(curl, CURLOPT_SSLCERT_BLOB, etcd->certificate)
          || stockcert_etcd_blob(curl, CURLOPT_SSLKEY_BLOB,
                                 etcd->certificate_key);

    if (bad) {
        curl_easy_cleanup(curl);
        return NULL;
    }

    return curl;
}


static CURLcode
stockcert_etcd_blob(CURL *curl, CURLoption option, char *pem)
{
    struct curl_blob  blob;

    if (pem == NULL) {
        return CURLE_OK;
    }

    blob.data = pem;
    blob.len = strlen(pem);
    blob.flags = CURL_BLOB_NOCOPY;

    return curl_easy_setopt(curl, option, &blob);
}


/* with less than all bytes taken, libcurl fails */

static size_t
stockcert_etcd_receive(char *data, size_t one, size_t len, void *to)
{
    stockcert_etcd_buf_t  *buf;

    buf = to;
    len *= one;

    if (len > STOCKCERT_ETCD_ANSWER_MAX - buf->len) {
        return 0;
    }

    stockcert_etcd_add(buf, data, len);

    return buf->failed ? 0 : len;
}


static int
stockcert_etcd_progress(void *from, curl_off_t dltotal, curl_off_t dlnow,
    curl_off_t ultotal, curl_off_t ulnow)
{
    (void) dltotal;
    (void) dlnow;
    (void) ultotal;
    (void) ulnow;

    return stockcert_etcd_stopped(from);
}


struct curl_slist *
stockcert_etcd_headers(const stockcert_etcd_t *etcd)
{
    size_t              i;
    const char         *lines[3];
    struct curl_slist  *headers, *more;

    lines[0] = "Content-Type: application/json";
    lines[1] = "Expect:";
    lines[2] = etcd->token != NULL ? etcd->token : "";

    headers = NULL;

    for (i = 0; i < 3 && lines[i][0]; i++) {

        more = curl_slist_append(headers, lines[i]);
        if (more == NULL) {
            curl_slist_free_all(headers);
            return NULL;
        }

        headers = more;
    }

    return headers;
}


/* sets etcd->doc, which is NULL if the answer is no JSON */

static stockcert_rc_e
stockcert_etcd_post(stockcert_etcd_t *etcd, const char *path, const char *body,
    size_t len, long *status, stockcert_error_t *error)
{
    long      left;
    char      url[STOCKCERT_ETCD_ENDPOINT_MAX + 64];
    CURL     *curl;
    uint64_t  now;
    CURLcode  code;

    curl = etcd->curl;
    now = stockcert_etcd_clock();
    left = now < etcd->end ? (long) (etcd->end - now) : 1;

    snprintf(url, sizeof(url), "%s%s", etcd->endpoints[etcd->endpoint], path);

    json_decref(etcd->doc);
    etcd->doc = NULL;
    etcd->answer.len = 0;
    etcd->answer.failed = 0;
    etcd->reason[0] = '\0';

    code = curl_easy_setopt(curl, CURLOPT_URL, url);

    if (code == CURLE_OK) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, etcd->headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) len);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                         left < STOCKCERT_ETCD_CONNECT
                         ? left : STOCKCERT_ETCD_CONNECT);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &etcd->answer);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, etcd->reason);

        code = stockcert_etcd_stopped(etcd) ? CURLE_ABORTED_BY_CALLBACK
                                            : curl_easy_perform(curl);
    }

    if (code != CURLE_OK) {
        return stockcert_etcd_no_answer(etcd, code, error);
    }

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);

    etcd->doc = json_loadb(etcd->answer.len ? etcd->answer.data : "",
                           etcd->answer.len, JSON_ALLOW_NUL, NULL);

    return STOCKCERT_OK;
}


/* what an answer that is no success says; a text at least */

static const char *
stockcert_etcd_message(stockcert_etcd_t *etcd)
{
    const char  *text;

    text = json_string_value(json_object_get(etcd->doc, "message"));

    if (text == NULL) {
        text = json_string_value(json_object_get(etcd->doc, "error"));
    }

    if (text == NULL) {
        stockcert_etcd_add(&etcd->answer, "", 1);
        text = etcd->answer.failed ? NULL : etcd->answer.data;
    }

    return text != NULL ? text : "";
}


static stockcert_rc_e
stockcert_etcd_login(stockcert_etcd_t *etcd, stockcert_error_t *error)
{
    long             status;
    const char      *token, *message;
    stockcert_rc_e   rc;

    curl_slist_free_all(etcd->headers);
    etcd->headers = stockcert_etcd_headers(etcd);

    rc = stockcert_etcd_post(etcd, "/v3/auth/authenticate", etcd->login,
                             etcd->login_len, &status, error);

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (status != 200) {

        /* then it asks for no token */

        message = stockcert_etcd_message(etcd);

        if (strstr(message, "authentication is not enabled") == NULL) {
            return stockcert_etcd_refused(etcd, status, message, 1, error);
        }

        token = "";

    } else {
        token = json_string_value(json_object_get(etcd->doc, "token"));

        if (token == NULL || *token == '\0') {
            return stockcert_etcd_odd(etcd, error);
        }
    }

    return stockcert_etcd_take_token(etcd, token) == 0
           ? STOCKCERT_OK : stockcert_etcd_odd(etcd, error);
}


/* a token goes into a header: it may be nothing else */

static int
stockcert_etcd_take_token(stockcert_etcd_t *etcd, const char *token)
{
    size_t  i, len;

    len = strlen(token);

    if (len > STOCKCERT_ETCD_TOKEN_MAX) {
        return -1;
    }

    for (i = 0; i < len; i++) {
        if (token[i] <= ' ' || token[i] > '~') {
            return -1;
        }
    }

    if (asprintf(&etcd->token, "%s%s",
                 len ? STOCKCERT_ETCD_AUTHORIZATION : "", token)
        < 0)
    {
        etcd->token = NULL;
        return -1;
    }

    curl_slist_free_all(etcd->headers);
    etcd->headers = stockcert_etcd_headers(etcd);

    return etcd->headers != NULL ? 0 : -1;
}


static int
stockcert_etcd_token_is_old(const char *message)
{
    return strstr(message, "invalid auth token") != NULL
           || strstr(message, "user name is empty") != NULL
           || strstr(message, "revision of auth store is old") != NULL;
}


static stockcert_rc_e
stockcert_etcd_try(stockcert_etcd_t *etcd, const char *path,
    stockcert_error_t *error)
{
    int              again;
    long             status;
    json_t          *header;
    const char      *message;
    stockcert_rc_e   rc;

    for (again = 0; /* void */; again = 1) {

        if (etcd->login != NULL && etcd->token == NULL) {
            rc = stockcert_etcd_login(etcd, error);
            if (rc != STOCKCERT_OK) {
                return rc;
            }
        }

        rc = stockcert_etcd_post(etcd, path, etcd->request.data,
                                 etcd->request.len, &status, error);

        if (rc != STOCKCERT_OK || status == 200) {
            break;
        }

        message = stockcert_etcd_message(etcd);

        if (again || etcd->login == NULL
            || !stockcert_etcd_token_is_old(message))
        {
            return stockcert_etcd_refused(etcd, status, message, 0, error);
        }

        free(etcd->token);
        etcd->token = NULL;
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    header = json_object_get(etcd->doc, "header");

    if (stockcert_etcd_number(header, "cluster_id", &etcd->cluster) != 0
        || etcd->cluster == 0
        || stockcert_etcd_number(header, "revision", &etcd->revision) != 0)
    {
        return stockcert_etcd_odd(etcd, error);
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_etcd_ask(stockcert_etcd_t *etcd, const char *path,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (etcd->headers == NULL) {
        etcd->headers = stockcert_etcd_headers(etcd);
    }

    if (etcd->request.failed || etcd->headers == NULL) {
        return stockcert_etcd_unreached(etcd, error, "no memory");
    }

    rc = stockcert_etcd_try(etcd, path, error);

    if (rc != STOCKCERT_OK) {
        etcd->endpoint = (etcd->endpoint + 1) % etcd->nendpoints;

        /* or the answer was too large */

        etcd->limit = STOCKCERT_ETCD_BATCHES;
    }

    return rc;
}
