
/*
 * "stockcert replicate": puts the journal of this machine into etcd, or what
 * etcd does not have of it.
 *
 * It makes the ledger, if there is none, and locks it.
 */


#define _GNU_SOURCE    /* O_PATH */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_tool_etcd.h"
#include "stockcert_tool_replicate.h"


static int stockcert_tool_replicate(int argc, char **argv);
static int stockcert_tool_replicate_options(int argc, char **argv,
    stockcert_str_t *company);
static int stockcert_tool_replicate_begin(const char *path,
    const stockcert_str_t *company);
static int stockcert_tool_replicate_is_free(void);
static int stockcert_tool_replicate_make(stockcert_whole_t *whole,
    const char *path, const stockcert_str_t *company);
static int stockcert_tool_replicate_locked(stockcert_replicate_t *r);


const stockcert_command_t  stockcert_command_replicate = {
    "replicate", stockcert_tool_replicate,
    "LEDGER --etcd URL[,URL...] --etcd-prefix PREFIX [--company NAME] ...",
    "Puts the ledger into etcd, by which several machines have it then: the way\n"
    "in, and the way back after etcd was lost or restored, from the machine with\n"
    "the longest journal. What etcd has must be the same journal, as far as it\n"
    "goes. The ledger is locked meanwhile; then nginx needs \"etcd\" in its block.\n"
    "\n"
    "  --company NAME            begins an empty ledger, if LEDGER is not there\n"
    "  --etcd URL[,URL...]       such as https://10.0.0.1:2379\n"
    "  --etcd-prefix PREFIX      of the keys, such as /stockcert/acme/; without it,\n"
    "                            the one that the ledger had last\n"
    "  --etcd-user NAME          and --etcd-password-file FILE\n"
    "  --etcd-cacert FILE        certificates that are trusted, PEM; without it,\n"
    "                            what the system trusts\n"
    "  --etcd-cert FILE          the client's certificate, and --etcd-key FILE\n"
    "  --etcd-timeout TIME       that an answer may take, such as 500ms; 10s by\n"
    "                            default\n"
    "\n"
    "Or from the environment: STOCKCERT_ETCD, STOCKCERT_ETCD_PREFIX and so on.\n"
};


static int
stockcert_tool_replicate(int argc, char **argv)
{
    int                     status;
    stockcert_rc_e          rc;
    stockcert_str_t         company;
    stockcert_error_t       error;
    stockcert_replicate_t   r;

    memset(&r, 0, sizeof(stockcert_replicate_t));

    status = stockcert_tool_replicate_options(argc, argv, &company);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    r.path = argv[optind];

    if (company.len) {
        status = stockcert_tool_replicate_begin(r.path, &company);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_open(r.path, STOCKCERT_WRITE, &r.ledger);
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(r.ledger);

    r.replica = stockcert_ledger_replica(r.ledger);
    r.header.format = STOCKCERT_FORMAT;
    r.header.created = stockcert_ledger_created(r.ledger);
    r.header.company = stockcert_ledger_company(r.ledger);

    if (company.len && !stockcert_str_same(&company, &r.header.company)) {
        status = stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the ledger in "
                                      "%s is of %.*s", r.path,
                                      (int) r.header.company.len,
                                      r.header.company.data);

    } else {
        rc = stockcert_tool_lock(r.ledger, &error);

        status = rc == STOCKCERT_OK ? stockcert_tool_replicate_locked(&r)
                                    : stockcert_tool_replicate_failed(rc,
                                                                      &error);
    }

    stockcert_ledger_close(r.ledger);

    return status == STOCKCERT_EXIT_OK
           ? stockcert_tool_done("%s is in etcd below %s: %" PRIu64 " entries, %"
                                 PRIu64 " of them were put there now", r.path,
                                 r.replica->name, r.tail.position, r.put)
           : status;
}


static int
stockcert_tool_replicate_options(int argc, char **argv,
    stockcert_str_t *company)
{
    int                         c, status;

    static const struct option  options[] = {
        { "company", required_argument, NULL, 'c' },
        STOCKCERT_ETCD_TABLE,
        { NULL, 0, NULL, 0 }
    };

    company->len = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == 'c') {
            company->len = strlen(optarg);
            company->data = optarg;

        } else if (!stockcert_tool_etcd_option(c, optarg)) {
            return stockcert_tool_usage(&stockcert_command_replicate);
        }
    }

    if (argc - optind != 1) {
        return stockcert_tool_usage(&stockcert_command_replicate);
    }

    status = stockcert_tool_etcd_read();

    return status == STOCKCERT_EXIT_OK && !stockcert_tool_etcd_is_given()
           ? stockcert_tool_usage(&stockcert_command_replicate) : status;
}


/* an empty ledger, if there is none: of what has no journal, etcd has none */

static int
stockcert_tool_replicate_begin(const char *path, const stockcert_str_t *company)
{
    int                status, here;
    char               data[PATH_MAX];
    struct stat        st;
    stockcert_whole_t  whole;

    static const char *const  names[] = { "data.mdb", "lock.mdb", NULL };

    snprintf(data, sizeof(data), "%s/data.mdb", path);

    if (lstat(data, &st) == 0) {
        return STOCKCERT_EXIT_OK;
    }

    status = stockcert_tool_replicate_is_free();
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    here = open(".", O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (here == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot open the current directory: %s",
                                    strerror(errno));
    }

    if (stockcert_whole_directory(&whole, path, names) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot make a new "
                                    "ledger in %s, name a directory that is not "
                                    "there or empty: %s", path, whole.fault);
    }

    status = stockcert_tool_replicate_make(&whole, path, company);

    if (fchdir(here) == -1 && status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                      "fchdir() failed: %s", strerror(errno));
    }

    (void) close(here);

    return stockcert_tool_finish(&whole, status);
}


static int
stockcert_tool_replicate_is_free(void)
{
    int                    status;
    stockcert_rc_e         rc;
    stockcert_str_t        none;
    stockcert_error_t      error;
    stockcert_replicate_t  r;

    memset(&none, 0, sizeof(stockcert_str_t));
    memset(&r, 0, sizeof(stockcert_replicate_t));

    status = stockcert_tool_etcd_replica(&none, &r.replica);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    rc = stockcert_tool_replicate_try(&r, stockcert_tool_replicate_origin,
                                      &error);

    if (rc == STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: etcd has a "
                                    "ledger below %s, of %.*s; nginx makes it on "
                                    "this machine, of what is there",
                                    r.replica->name, (int) r.origin.company.len,
                                    r.origin.company.data);
    }

    return rc == STOCKCERT_NOT_FOUND
           ? STOCKCERT_EXIT_OK : stockcert_tool_replicate_failed(rc, &error);
}


/* nobody else can enter it yet */

static int
stockcert_tool_replicate_make(stockcert_whole_t *whole, const char *path,
    const stockcert_str_t *company)
{
    stockcert_rc_e           rc;
    stockcert_error_t        error;
    stockcert_ledger_t      *ledger;
    stockcert_verified_t     verified;
    stockcert_ledger_conf_t  conf;

    if (fchdir(whole->fd) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "fchdir() failed: %s", strerror(errno));
    }

    memset(&conf, 0, sizeof(stockcert_ledger_conf_t));

    conf.path = ".";
    conf.size = STOCKCERT_SIZE;
    conf.company = *company;

    rc = stockcert_ledger_open(&conf, &ledger, &error);

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot make a ledger "
                                    "in %s: %s", path, error.text);
    }

    stockcert_ledger_close(ledger);

    memset(&verified, 0, sizeof(stockcert_verified_t));

    return stockcert_tool_check_made(path, &verified);
}


/* the lock ends with the process, or as the ledger is closed */

static int
stockcert_tool_replicate_locked(stockcert_replicate_t *r)
{
    int                status;
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    stockcert_ledger_tail(r->ledger, &r->tail);

    rc = stockcert_ledger_snapshot(r->ledger, &error);
    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    status = stockcert_tool_replicate_look(r);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_replicate_batches(r);
    }

    stockcert_tool_progress_end();
    stockcert_ledger_release(r->ledger);

    return status == STOCKCERT_EXIT_OK ? stockcert_tool_replicate_head(r)
                                       : status;
}
