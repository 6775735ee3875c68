
/*
 * "stockcert verify": holds the ledger's pages, and has src/verify check them.
 *
 * It reads the file without LMDB, except that stockcert_hold.h keeps the
 * pages.
 */


#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stockcert_hold.h"
#include "stockcert_owner.h"
#include "stockcert_tool.h"


#define STOCKCERT_TRIES  10
#define STOCKCERT_PAUSE  1000000       /* nanoseconds */


static int stockcert_tool_verify(int argc, char **argv);
static int stockcert_tool_expect(const char *text, uint64_t *position,
    uint8_t *seal);
static int stockcert_tool_compare(const stockcert_verified_t *verified,
    const uint8_t *expected);
static int stockcert_tool_check_file(const char *path, int fd,
    stockcert_verified_t *verified);
static int stockcert_tool_check_held(const char *path, int fd,
    stockcert_mdb_t *mdb, stockcert_verified_t *verified);
static int stockcert_tool_metas(stockcert_mdb_t *mdb, int fd);
static int stockcert_tool_fault(const char *path,
    const stockcert_mdb_t *mdb);
static void stockcert_tool_check_progress(uint64_t done, uint64_t all);
static void stockcert_tool_sigbus(int signo);


const stockcert_command_t  stockcert_command_verify = {
    "verify", stockcert_tool_verify, "LEDGER [--expect N:SEAL]",
    "Checks the whole ledger by replaying its journal, and with --expect that\n"
    "entry N still has the seal SEAL. Exits with 1 and names the first thing\n"
    "that is wrong.\n"
};


static int
stockcert_tool_verify(int argc, char **argv)
{
    int                         c, status;
    char                        seal[STOCKCERT_HEX_LEN + 1];
    uint8_t                     expected[STOCKCERT_SEAL_LEN];
    stockcert_verified_t        verified;

    static const struct option  options[] = {
        { "expect", required_argument, NULL, 'e' },
        { NULL, 0, NULL, 0 }
    };

    memset(&verified, 0, sizeof(stockcert_verified_t));

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c != 'e') {
            return stockcert_tool_usage(&stockcert_command_verify);
        }

        if (stockcert_tool_expect(optarg, &verified.expected, expected) != 0) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--expect takes "
                                        "the number of an entry, from 1, a colon "
                                        "and its seal, 64 hexadecimal digits, not "
                                        "\"%s\"", optarg);
        }
    }

    if (argc - optind != 1) {
        return stockcert_tool_usage(&stockcert_command_verify);
    }

    status = stockcert_tool_enter(argv[optind]);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_check(argv[optind], &verified);
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_compare(&verified, expected);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_format_seal(verified.seal, seal);

    printf("all is in order: %" PRIu64 " entries, %" PRIu64 " certificates, %"
           PRIu64 " of them outstanding, %" PRIu64 " transactions, the last "
           "seal is %" PRIu64 ":%s\n", verified.entries, verified.certificates,
           verified.outstanding, verified.transactions, verified.entries, seal);

    return stockcert_tool_flush();
}


/* the entry that --expect names, if it was given, with its seal */

static int
stockcert_tool_compare(const stockcert_verified_t *verified,
    const uint8_t *expected)
{
    char  seal[STOCKCERT_HEX_LEN + 1];

    if (verified->expected > verified->entries) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger ends "
                                    "with entry %" PRIu64 ", before entry %"
                                    PRIu64 ": all is in order by itself, but it "
                                    "is another one, or was put back to what it "
                                    "was before", verified->entries,
                                    verified->expected);
    }

    if (verified->expected
        && memcmp(verified->found, expected, STOCKCERT_SEAL_LEN) != 0)
    {
        stockcert_format_seal(verified->found, seal);

        return stockcert_tool_error(STOCKCERT_EXIT_NO, "entry %" PRIu64 ": "
                                    "expected the seal that was given, found "
                                    "%s: all is in order by itself, but is not "
                                    "what it was then", verified->expected,
                                    seal);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_expect(const char *text, uint64_t *position, uint8_t *seal)
{
    const char  *colon;

    colon = strchr(text, ':');
    if (colon == NULL) {
        return -1;
    }

    return stockcert_parse_number(text, (size_t) (colon - text), position) != 0
           || *position == 0
           || stockcert_parse_seal(colon + 1, seal) != 0
           ? -1 : 0;
}


int
stockcert_tool_check(const char *path, stockcert_verified_t *verified)
{
    int                fd, status;
    stockcert_error_t  error;

    if (stockcert_owner_open("data.mdb", &fd, &error) != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot open the ledger in %s: %s", path,
                                    error.text);
    }

    if (fd == -1) {
        return stockcert_tool_no_ledger(path);
    }

    status = stockcert_tool_check_file(path, fd, verified);

    stockcert_tool_progress_end();
    (void) close(fd);

    return status;
}


int
stockcert_tool_check_made(const char *path, stockcert_verified_t *verified)
{
    int  status;

    status = stockcert_tool_check(path, verified);

    if (status == STOCKCERT_EXIT_OK && unlink("lock.mdb") == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot remove lock.mdb of %s: %s", path,
                                    strerror(errno));
    }

    return status;
}


static int
stockcert_tool_check_file(const char *path, int fd,
    stockcert_verified_t *verified)
{
    int                 status;
    stockcert_rc_e      rc;
    stockcert_hold_t   *hold;
    stockcert_mdb_t     mdb;
    stockcert_error_t   error;

    memset(&mdb, 0, sizeof(stockcert_mdb_t));

    /* LMDB must not see meta pages that are damaged */

    if (stockcert_tool_metas(&mdb, fd) != 0) {
        return stockcert_tool_fault(path, &mdb);
    }

    stockcert_tool_patience(1);
    rc = stockcert_hold_open(".", (size_t) mdb.meta.size, &hold, &error);
    stockcert_tool_patience(0);

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot open the ledger in %s: %s", path,
                                    error.text);
    }

    status = stockcert_tool_check_held(path, fd, &mdb, verified);

    stockcert_mdb_unmap(&mdb);
    stockcert_hold_close(hold);

    return status;
}


static int
stockcert_tool_check_held(const char *path, int fd, stockcert_mdb_t *mdb,
    stockcert_verified_t *verified)
{
    int               rc;
    struct sigaction  sa;

    /*
     * Read again, now that the place is held.  It protects the pages of later
     * transactions, too.
     */

    if (stockcert_tool_metas(mdb, fd) != 0) {
        return stockcert_tool_fault(path, mdb);
    }

    /* reading a page that the disk cannot read is a SIGBUS */

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = stockcert_tool_sigbus;

    if (sigaction(SIGBUS, &sa, NULL) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "sigaction() failed: %s", strerror(errno));
    }

    rc = stockcert_mdb_map(mdb, fd);

    if (rc == 0) {
        rc = stockcert_verify(mdb, verified, stockcert_tool_check_progress);
    }

    return rc == 0 ? STOCKCERT_EXIT_OK : stockcert_tool_fault(path, mdb);
}


/* a transaction may be writing its meta page just now */

static int
stockcert_tool_metas(stockcert_mdb_t *mdb, int fd)
{
    int                           tries;
    static const struct timespec  pause = { 0, STOCKCERT_PAUSE };

    for (tries = 0; tries < STOCKCERT_TRIES; tries++) {

        if (stockcert_mdb_metas(mdb, fd) == 0) {
            return 0;
        }

        nanosleep(&pause, NULL);
    }

    return -1;
}


static int
stockcert_tool_fault(const char *path, const stockcert_mdb_t *mdb)
{
    if (mdb->failed) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot read the ledger in %s: %s", path,
                                    mdb->fault);
    }

    return stockcert_tool_error(STOCKCERT_EXIT_NO, "%s is damaged: %s", path,
                                mdb->fault);
}


static void
stockcert_tool_check_progress(uint64_t done, uint64_t all)
{
    stockcert_tool_progress("verify", "entries", done, all);
}


static void
stockcert_tool_sigbus(int signo)
{
    ssize_t            n;
    static const char  text[] = "stockcert: the disk cannot read the file: "
                                "restore a backup\n";

    (void) signo;

    n = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void) n;

    stockcert_whole_abandon();
    _exit(STOCKCERT_EXIT_FAILED);
}
