
/*
 * "stockcert backup": copies a ledger while others write, and verifies the
 * copy.
 *
 * It reads the ledger, and writes only the copy.
 */


#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "stockcert_tool.h"


typedef struct {
    const char   *ledger;
    const char   *dest;
    uint64_t      room;            /* bytes; UINT64_MAX if it is not known */
} stockcert_backup_t;


static int stockcert_tool_backup(int argc, char **argv);
static int stockcert_tool_backup_to(stockcert_backup_t *backup,
    stockcert_whole_t *whole, stockcert_verified_t *verified);
static int stockcert_tool_backup_read(stockcert_apart_t *apart, void *data);
static uint64_t stockcert_tool_room(int fd);


const stockcert_command_t  stockcert_command_backup = {
    "backup", stockcert_tool_backup, "LEDGER DEST",
    "Makes a copy of the ledger as it is now, also while nginx issues, and\n"
    "verifies it.\n"
};


static int
stockcert_tool_backup(int argc, char **argv)
{
    int                        status;
    char                       seal[STOCKCERT_HEX_LEN + 1];
    stockcert_whole_t          whole;
    stockcert_backup_t         backup;
    stockcert_verified_t       verified;

    static const char *const   names[] = { "data.mdb", "lock.mdb", NULL };

    if (!stockcert_tool_arguments(argc, argv, 2)) {
        return stockcert_tool_usage(&stockcert_command_backup);
    }

    if (stockcert_whole_directory(&whole, argv[2], names) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot back up to "
                                    "%s, name a directory that is not there or "
                                    "empty: %s", argv[2], whole.fault);
    }

    backup.ledger = argv[1];
    backup.dest = argv[2];

    memset(&verified, 0, sizeof(stockcert_verified_t));

    status = stockcert_tool_backup_to(&backup, &whole, &verified);

    status = stockcert_tool_finish(&whole, status);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_format_seal(verified.seal, seal);

    return stockcert_tool_done("backed up to %s and verified: %" PRIu64 " entries,"
                               " the last seal is %" PRIu64 ":%s", argv[2],
                               verified.entries, verified.entries, seal);
}


static int
stockcert_tool_backup_to(stockcert_backup_t *backup, stockcert_whole_t *whole,
    stockcert_verified_t *verified)
{
    int                fd, status;
    stockcert_apart_t  apart;

    fd = openat(whole->fd, "data.mdb",
                O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (fd == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot make "
                                    "data.mdb in %s: %s", backup->dest,
                                    strerror(errno));
    }

    memset(&apart, 0, sizeof(stockcert_apart_t));

    apart.path = backup->ledger;
    apart.fds = &fd;
    apart.n = 1;
    apart.run = stockcert_tool_backup_read;
    apart.data = backup;
    apart.progress = "backup";

    backup->room = stockcert_tool_room(fd);

    status = stockcert_tool_apart(&apart);

    if (close(fd) == -1 && status == STOCKCERT_EXIT_OK) {
        apart.error = errno;
        status = STOCKCERT_EXIT_FAILED;
    }

    if (apart.error) {
        return stockcert_tool_error(status, "nothing is backed up, %s cannot be "
                                    "written: %s", backup->dest,
                                    strerror(apart.error));
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    /* nobody else can enter it, whatever its name leads to now */

    if (fchdir(whole->fd) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "fchdir() failed: %s", strerror(errno));
    }

    return stockcert_tool_check_made(backup->ledger, verified);
}


/* runs as the ledger's owner */

static int
stockcert_tool_backup_read(stockcert_apart_t *apart, void *data)
{
    int                   status;
    stockcert_rc_e        rc;
    stockcert_error_t     error;
    stockcert_usage_t     usage;
    stockcert_ledger_t   *ledger;
    stockcert_backup_t   *backup;

    backup = data;

    status = stockcert_tool_open_here(apart->path, STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    /* the copy begins its own transaction */

    stockcert_ledger_release(ledger);

    rc = stockcert_ledger_usage(ledger, &usage, &error);

    if (rc != STOCKCERT_OK) {
        status = stockcert_tool_not_read(&error);

    } else if (usage.used > backup->room) {
        status = stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is backed "
                                      "up, there must be room for %" PRIu64
                                      " bytes at %s, and there is for %" PRIu64,
                                      usage.used, backup->dest, backup->room);

    } else {
        apart->poured->size = usage.used;

        stockcert_tool_patience_until(apart->poured);
        rc = stockcert_ledger_copy(ledger, apart->fds[0], &error);
        stockcert_tool_patience(0);

        if (rc != STOCKCERT_OK) {
            status = stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is "
                                          "backed up: %s", error.text);
        }
    }

    stockcert_ledger_close(ledger);

    return status;
}


static uint64_t
stockcert_tool_room(int fd)
{
    struct statvfs  fs;

    if (fstatvfs(fd, &fs) == -1 || fs.f_blocks == 0) {
        return UINT64_MAX;
    }

    return (uint64_t) fs.f_frsize * (geteuid() == 0 ? fs.f_bfree : fs.f_bavail);
}
