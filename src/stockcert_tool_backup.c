
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_tool.h"


#define STOCKCERT_LOOK  200000     /* microseconds between two looks */


/* LMDB copies without a word: another thread looks how far it is */

typedef struct {
    char         file[PATH_MAX + NAME_MAX];
    uint64_t     size;             /* bytes, of the whole */
    atomic_int   done;
} stockcert_watch_t;


static int stockcert_tool_backup_to(stockcert_ledger_t *ledger,
    const char *path, const char *name);
static void *stockcert_tool_watch(void *data);


int
stockcert_tool_backup(int argc, char **argv)
{
    int                        status;
    char                       seal[STOCKCERT_HEX_LEN + 1];
    stockcert_whole_t          whole;
    stockcert_ledger_t        *ledger;
    stockcert_verified_t       verified;

    static const char *const   names[] = { "data.mdb", "lock.mdb", NULL };

    if (!stockcert_tool_arguments(argc, argv, 2)) {
        return stockcert_tool_usage(argv);
    }

    status = stockcert_tool_open(argv[1], STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    /* the copy begins its own transaction */

    stockcert_ledger_release(ledger);

    if (stockcert_whole_directory(&whole, argv[2], names) == -1) {
        stockcert_ledger_close(ledger);
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot back up to "
                                    "%s, name a directory that is not there or "
                                    "empty: %s", argv[2], strerror(errno));
    }

    status = stockcert_tool_backup_to(ledger, whole.made, argv[2]);

    stockcert_ledger_close(ledger);

    if (status == STOCKCERT_EXIT_OK) {
        memset(&verified, 0, sizeof(stockcert_verified_t));
        status = stockcert_tool_check_made(whole.made, &verified);
    }

    status = stockcert_tool_finish(&whole, status);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_format_seal(verified.seal, seal);

    printf("backed up to %s and verified: %" PRIu64 " entries, the last seal is "
           "%" PRIu64 ":%s\n", argv[2], verified.entries, verified.entries,
           seal);

    return stockcert_tool_flush();
}


static int
stockcert_tool_backup_to(stockcert_ledger_t *ledger, const char *path,
    const char *name)
{
    int                rc;
    pthread_t          thread;
    stockcert_rc_e     copied;
    stockcert_error_t  error;
    stockcert_usage_t  usage;
    stockcert_watch_t  watch;

    if (stockcert_ledger_usage(ledger, &usage, &error) != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    snprintf(watch.file, sizeof(watch.file), "%s/data.mdb", path);
    watch.size = usage.used;
    atomic_init(&watch.done, 0);

    rc = pthread_create(&thread, NULL, stockcert_tool_watch, &watch);
    if (rc != 0) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "pthread_create() failed: %s",
                                    strerror(rc));
    }

    copied = stockcert_ledger_copy(ledger, path, &error);

    atomic_store(&watch.done, 1);
    (void) pthread_join(thread, NULL);

    stockcert_tool_progress_end();

    if (copied != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is backed "
                                    "up, there must be room for %" PRIu64
                                    " bytes at %s: %s", usage.used, name,
                                    error.text);
    }

    return STOCKCERT_EXIT_OK;
}


static void *
stockcert_tool_watch(void *data)
{
    struct stat         st;
    stockcert_watch_t  *watch;

    watch = data;

    while (!atomic_load(&watch->done)) {

        if (stat(watch->file, &st) == 0) {
            stockcert_tool_progress("backup", "bytes", (uint64_t) st.st_size,
                                    watch->size);
        }

        usleep(STOCKCERT_LOOK);
    }

    return NULL;
}
