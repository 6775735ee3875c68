
/*
 * Options, variables and files that name an etcd, and the replica that is made
 * of them.
 *
 * It touches no ledger, and uses no network.
 */


#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_etcd.h"


#define STOCKCERT_ETCD_FILE_MAX     (1024 * 1024)  /* bytes */

#define STOCKCERT_ETCD_TIMEOUT_MIN  100            /* milliseconds */
#define STOCKCERT_ETCD_TIMEOUT_MAX  600000


static int stockcert_tool_etcd_urls(void);
static int stockcert_tool_etcd_time(const char *text);
static int stockcert_tool_etcd_pairs(void);
static int stockcert_tool_etcd_files(void);
static int stockcert_tool_etcd_file(const char *name, stockcert_str_t *text);
static const char *stockcert_tool_etcd_value(int option);


static const struct {
    const char  *option;
    const char  *variable;
} stockcert_etcd_names[STOCKCERT_ETCD_OPTIONS] = {
    { "--etcd", "STOCKCERT_ETCD" },
    { "--etcd-prefix", "STOCKCERT_ETCD_PREFIX" },
    { "--etcd-user", "STOCKCERT_ETCD_USER" },
    { "--etcd-password-file", "STOCKCERT_ETCD_PASSWORD_FILE" },
    { "--etcd-cacert", "STOCKCERT_ETCD_CACERT" },
    { "--etcd-cert", "STOCKCERT_ETCD_CERT" },
    { "--etcd-key", "STOCKCERT_ETCD_KEY" },
    { "--etcd-timeout", "STOCKCERT_ETCD_TIMEOUT" }
};


static const char             *stockcert_etcd_values[STOCKCERT_ETCD_OPTIONS];
static const char             *stockcert_etcd_urls[
                                   STOCKCERT_ETCD_ENDPOINTS_MAX];
static stockcert_etcd_conf_t   stockcert_etcd_conf;


int
stockcert_tool_etcd_option(int option, const char *value)
{
    if (option < STOCKCERT_ETCD_URLS || option >= STOCKCERT_ETCD_END) {
        return 0;
    }

    stockcert_etcd_values[option - STOCKCERT_ETCD_URLS] = value;

    return 1;
}


int
stockcert_tool_etcd_is_given(void)
{
    return stockcert_etcd_conf.nendpoints != 0;
}


int
stockcert_tool_etcd_has_prefix(void)
{
    return stockcert_tool_etcd_value(STOCKCERT_ETCD_PREFIX) != NULL;
}


static const char *
stockcert_tool_etcd_value(int option)
{
    return stockcert_etcd_values[option - STOCKCERT_ETCD_URLS];
}


int
stockcert_tool_etcd_read(void)
{
    int          i, status;
    const char  *value, *fault;

    for (i = 0; i < STOCKCERT_ETCD_OPTIONS; i++) {
        value = getenv(stockcert_etcd_names[i].variable);

        if (i && stockcert_etcd_values[i] && stockcert_etcd_values[0] == NULL) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "%s needs --etcd "
                                        "URL[,URL...], or the variable "
                                        "STOCKCERT_ETCD",
                                        stockcert_etcd_names[i].option);
        }

        if (stockcert_etcd_values[i] == NULL && value && value[0]) {
            stockcert_etcd_values[i] = value;
        }
    }

    if (stockcert_etcd_values[0] == NULL) {
        return STOCKCERT_EXIT_OK;
    }

    value = stockcert_tool_etcd_value(STOCKCERT_ETCD_PREFIX);

    fault = value ? stockcert_etcd_prefix_fault(value, strlen(value)) : NULL;
    if (fault) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--etcd-prefix %s, "
                                    "not \"%s\"", fault, value);
    }

    status = stockcert_tool_etcd_urls();

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_etcd_time(
                                 stockcert_tool_etcd_value(
                                                    STOCKCERT_ETCD_TIMEOUT));
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_etcd_pairs();
    }

    return status == STOCKCERT_EXIT_OK ? stockcert_tool_etcd_files() : status;
}


static int
stockcert_tool_etcd_urls(void)
{
    char        *urls, *url, *next;
    size_t       n;
    const char  *fault;

    urls = strdup(stockcert_tool_etcd_value(STOCKCERT_ETCD_URLS));

    if (urls == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "there is no memory");
    }

    n = 0;

    for (url = urls; url; url = next) {
        next = strchr(url, ',');

        if (next) {
            *next++ = '\0';
        }

        fault = n == STOCKCERT_ETCD_ENDPOINTS_MAX
                ? "must be one of 16 at most"
                : stockcert_etcd_endpoint_fault(url, strlen(url));
        if (fault) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "each URL of "
                                        "--etcd %s, not \"%s\"", fault, url);
        }

        stockcert_etcd_urls[n++] = url;
    }

    stockcert_etcd_conf.endpoints = stockcert_etcd_urls;
    stockcert_etcd_conf.nendpoints = n;

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_etcd_time(const char *text)
{
    size_t    len;
    uint64_t  n, unit;

    if (text == NULL) {
        text = "10s";
    }

    len = strspn(text, "0123456789");
    unit = strcmp(text + len, "s") == 0 ? 1000
           : strcmp(text + len, "ms") == 0 ? 1 : 0;

    if (unit == 0 || stockcert_parse_number(text, len, &n) != 0
        || n > STOCKCERT_ETCD_TIMEOUT_MAX / unit
        || n * unit < STOCKCERT_ETCD_TIMEOUT_MIN)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--etcd-timeout takes "
                                    "a time from 100ms to 600s, such as 10s, "
                                    "not \"%s\"", text);
    }

    stockcert_etcd_conf.timeout = (unsigned) (n * unit);

    return STOCKCERT_EXIT_OK;
}


/* options that need each other */

static int
stockcert_tool_etcd_pairs(void)
{
    const char  *user;

    user = stockcert_tool_etcd_value(STOCKCERT_ETCD_USER);

    if (!user != !stockcert_tool_etcd_value(STOCKCERT_ETCD_PASSWORD)) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--etcd-user and "
                                    "--etcd-password-file need each other");
    }

    if (!stockcert_tool_etcd_value(STOCKCERT_ETCD_CERT)
        != !stockcert_tool_etcd_value(STOCKCERT_ETCD_KEY))
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--etcd-cert and "
                                    "--etcd-key need each other");
    }

    if (user) {
        stockcert_etcd_conf.user.len = strlen(user);
        stockcert_etcd_conf.user.data = user;
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_etcd_files(void)
{
    int               i, status;
    size_t            len;
    stockcert_str_t  *password;

    struct {
        int               option;
        stockcert_str_t  *text;
    } files[] = {
        { STOCKCERT_ETCD_PASSWORD, &stockcert_etcd_conf.password },
        { STOCKCERT_ETCD_CACERT, &stockcert_etcd_conf.trusted },
        { STOCKCERT_ETCD_CERT, &stockcert_etcd_conf.certificate },
        { STOCKCERT_ETCD_KEY, &stockcert_etcd_conf.certificate_key }
    };

    status = STOCKCERT_EXIT_OK;

    for (i = 0; i < 4 && status == STOCKCERT_EXIT_OK; i++) {
        if (stockcert_tool_etcd_value(files[i].option)) {
            status = stockcert_tool_etcd_file(
                                  stockcert_tool_etcd_value(files[i].option),
                                  files[i].text);
        }
    }

    /* a password is the first line, as it is to nginx */

    password = &stockcert_etcd_conf.password;

    for (len = 0; len < password->len; len++) {
        if (password->data[len] == '\n' || password->data[len] == '\r') {
            break;
        }
    }

    if (len == 0 && password->len) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "the first line of "
                                    "%s must be the password",
                                    stockcert_tool_etcd_value(
                                                     STOCKCERT_ETCD_PASSWORD));
    }

    password->len = len;

    return status;
}


static int
stockcert_tool_etcd_file(const char *name, stockcert_str_t *text)
{
    int      failed;
    char    *data;
    FILE    *file;
    size_t   len;

    data = malloc(STOCKCERT_ETCD_FILE_MAX);

    if (data == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "there is no memory");
    }

    len = 0;
    file = fopen(name, "re");
    failed = (file == NULL);

    if (file) {
        len = fread(data, 1, STOCKCERT_ETCD_FILE_MAX, file);
        failed = ferror(file);
    }

    if (failed) {
        free(data);
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot read %s: %s",
                                    name, strerror(errno));
    }

    (void) fclose(file);

    if (len == 0 || len == STOCKCERT_ETCD_FILE_MAX || memchr(data, '\0', len)) {
        free(data);
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "%s is empty, too "
                                    "long, or not a text", name);
    }

    text->len = len;
    text->data = data;

    return STOCKCERT_EXIT_OK;
}


int
stockcert_tool_etcd_replica(const stockcert_str_t *prefix,
    stockcert_replica_t **replica)
{
    const char                  *fault;
    stockcert_error_t            error;
    static char                  below[STOCKCERT_ETCD_PREFIX_MAX + 1];
    static stockcert_replica_t  *made;

    if (made == NULL) {
        stockcert_etcd_conf.prefix
            = stockcert_tool_etcd_value(STOCKCERT_ETCD_PREFIX);

        if (stockcert_etcd_conf.prefix == NULL) {
            if (prefix->len == 0) {
                return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "no other "
                                            "machine has this ledger yet: run "
                                            "\"stockcert replicate\", or say "
                                            "where it is in etcd by "
                                            "--etcd-prefix, such as "
                                            "/stockcert/acme/");
            }

            fault = stockcert_etcd_prefix_fault(prefix->data, prefix->len);

            if (fault) {
                return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "the ledger "
                                            "is known by \"%.*s\", which is no "
                                            "prefix in etcd: give "
                                            "--etcd-prefix", (int) prefix->len,
                                            prefix->data);
            }

            snprintf(below, sizeof(below), "%.*s", (int) prefix->len,
                     prefix->data);
            stockcert_etcd_conf.prefix = below;
        }

        /* a connection that is lost must not end the process */

        (void) signal(SIGPIPE, SIG_IGN);

        if (stockcert_etcd_create(&stockcert_etcd_conf, &made, &error)
            != STOCKCERT_OK)
        {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "%s",
                                        error.text);
        }
    }

    *replica = made;

    return STOCKCERT_EXIT_OK;
}
