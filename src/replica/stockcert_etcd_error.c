
/*
 * What to say where etcd gave no answer, or refused, or is not the right one.
 *
 * Neither passwords nor tokens are in what it says.
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_etcd_int.h"
#include "stockcert_text.h"


typedef struct {
    const char  *part;      /* of what etcd or libcurl says */
    const char  *advice;
} stockcert_etcd_advice_t;


static void stockcert_etcd_error(const stockcert_etcd_t *etcd,
    stockcert_error_t *error, const char *fmt, va_list args);
static const char *stockcert_etcd_advice(const char *text);


static const stockcert_etcd_advice_t  stockcert_etcd_advices[] = {

    { "database space exceeded",
      "etcd is out of space (its alarm): compact, defragment and disarm it" },

    { "authentication failed",
      "the user or the password is wrong" },

    { "user name is empty",
      "etcd wants a user and a password; if there are some, the client "
      "certificate must have no CommonName" },

    { "CommonName of client",
      "where etcd has users, the client certificate must have no CommonName" },

    { "permission denied",
      "the user's role needs readwrite on all keys with the prefix" },

    { "connection closed",
      "if etcd runs with --client-cert-auth, its own certificate needs "
      "clientAuth in its extended key usage" },

    { "connection error",
      "if etcd runs with --client-cert-auth, its own certificate needs "
      "clientAuth in its extended key usage" },

    { "TransientFailure",
      "if etcd runs with --client-cert-auth, its own certificate needs "
      "clientAuth in its extended key usage" },

    { "Not Found",
      "etcd has no JSON gateway there: --enable-grpc-gateway, 3.4 or newer" },

    { "alert bad certificate",
      "etcd refuses the client certificate, or wants one" },

    { "alert certificate required",
      "etcd wants a client certificate" },

    { "alert unknown ca",
      "etcd does not trust the client certificate" },

    { "HTTP request to an HTTPS server",
      "etcd speaks TLS there: the endpoint must begin with https://" },

    { NULL, NULL }
};


static void
stockcert_etcd_error(const stockcert_etcd_t *etcd, stockcert_error_t *error,
    const char *fmt, va_list args)
{
    int  len;

    len = snprintf(error->text, sizeof(error->text), "etcd at %s: ",
                   etcd->endpoints[etcd->endpoint]);

    vsnprintf(error->text + len, sizeof(error->text) - (size_t) len, fmt, args);
}


stockcert_rc_e
stockcert_etcd_unreached(const stockcert_etcd_t *etcd, stockcert_error_t *error,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    stockcert_etcd_error(etcd, error, fmt, args);
    va_end(args);

    return STOCKCERT_UNREACHED;
}


/* somebody may mend it: next time, all is read again */

stockcert_rc_e
stockcert_etcd_diverged(stockcert_etcd_t *etcd, stockcert_error_t *error,
    const char *fmt, ...)
{
    va_list  args;

    etcd->known = 0;

    va_start(args, fmt);
    stockcert_etcd_error(etcd, error, fmt, args);
    va_end(args);

    return STOCKCERT_DIVERGED;
}


static const char *
stockcert_etcd_advice(const char *text)
{
    const stockcert_etcd_advice_t  *a;

    for (a = stockcert_etcd_advices; a->part != NULL; a++) {
        if (strstr(text, a->part) != NULL) {
            return a->advice;
        }
    }

    return NULL;
}


stockcert_rc_e
stockcert_etcd_no_answer(const stockcert_etcd_t *etcd, CURLcode code,
    stockcert_error_t *error)
{
    char         shown[200];
    const char  *text, *advice;

    switch (code) {

    case CURLE_ABORTED_BY_CALLBACK:
        return stockcert_etcd_unreached(etcd, error,
                                        "not waited for, as this process is "
                                        "to end");

    case CURLE_WRITE_ERROR:
        return stockcert_etcd_unreached(etcd, error,
                                        "its answer is too long");

    case CURLE_PEER_FAILED_VERIFICATION:
        advice = "its certificate is not trusted, or is of another name";
        break;

    case CURLE_SSL_CERTPROBLEM:
        advice = "the client certificate or its key cannot be used";
        break;

    case CURLE_SSL_CACERT_BADFILE:
        advice = "the trusted certificates cannot be used";
        break;

    default:
        advice = stockcert_etcd_advice(etcd->reason);
    }

    text = etcd->reason[0] ? etcd->reason : curl_easy_strerror(code);
    stockcert_text_escape(text, strlen(text), shown, sizeof(shown));

    return stockcert_etcd_unreached(etcd, error, "no answer: %s%s%s%s", shown,
                                    advice ? " (" : "", advice ? advice : "",
                                    advice ? ")" : "");
}


stockcert_rc_e
stockcert_etcd_odd(const stockcert_etcd_t *etcd, stockcert_error_t *error)
{
    return stockcert_etcd_unreached(etcd, error,
                                    "its answer is not one of etcd, or is cut");
}


stockcert_rc_e
stockcert_etcd_refused(const stockcert_etcd_t *etcd, long status,
    const char *message, int secret, stockcert_error_t *error)
{
    char         shown[200];
    const char  *advice;

    stockcert_text_escape(message, secret ? 0 : strlen(message), shown,
                          sizeof(shown));
    advice = stockcert_etcd_advice(message);

    return stockcert_etcd_unreached(etcd, error,
                                    "refused, status %ld%s%s%s%s%s", status,
                                    shown[0] ? ": " : "", shown,
                                    advice ? " (" : "",
                                    advice ? advice : "", advice ? ")" : "");
}
