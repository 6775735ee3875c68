
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stockcert_tool.h"


#define STOCKCERT_LOOK     10000000    /* nanoseconds between two looks */
#define STOCKCERT_LOOKS    105         /* at who has the lock */


static int stockcert_tool_status_classes(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static int stockcert_tool_status_usage(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static int stockcert_tool_status_reader(const char *line, void *data);
static int stockcert_tool_status_holder(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static pid_t stockcert_tool_stuck(stockcert_ledger_t *ledger,
    stockcert_rc_e *rc, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_end(stockcert_ledger_t *ledger,
    uint64_t *position, stockcert_error_t *error);


int
stockcert_tool_status(int argc, char **argv)
{
    int                  status;
    char                 time[STOCKCERT_TIME_LEN + 1];
    char                 seal[STOCKCERT_HEX_LEN + 1];
    stockcert_rc_e       rc;
    stockcert_str_t      company;
    stockcert_entry_t    last;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    if (!stockcert_tool_arguments(argc, argv, 1)) {
        return stockcert_tool_usage(argv);
    }

    status = stockcert_tool_open(argv[1], STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    company = stockcert_ledger_company(ledger);
    stockcert_format_time(stockcert_ledger_created(ledger), time);

    stockcert_tool_line(stdout, "company    %.*s", (int) company.len,
                        company.data);
    printf("created    %s\n", time);
    printf("format     %d\n", STOCKCERT_FORMAT);

    rc = stockcert_ledger_last(ledger, &last, &error);

    if (rc == STOCKCERT_OK) {
        stockcert_format_time(last.time, time);
        stockcert_format_seal(last.seal, seal);

        printf("entries    %" PRIu64 ", the last of %s\n", last.position, time);
        printf("seal       %s\n", seal);

        status = stockcert_tool_status_classes(ledger, &error);

    } else if (rc == STOCKCERT_NOT_FOUND) {
        printf("entries    0\n");

    } else {
        status = stockcert_tool_not_read(&error);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_status_usage(ledger, &error);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_status_holder(ledger, &error);
    }

    stockcert_ledger_close(ledger);

    return status == STOCKCERT_EXIT_OK ? stockcert_tool_flush() : status;
}


static int
stockcert_tool_status_classes(stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    size_t             i, n;
    stockcert_class_t  classes[STOCKCERT_CLASSES_MAX], *class;

    if (stockcert_ledger_classes(ledger, classes, &n, error) != STOCKCERT_OK) {
        return stockcert_tool_not_read(error);
    }

    printf("\n%-8s %16s %16s %16s %16s  title\n", "class", "authorized",
           "issued", "remaining", "certificates");

    for (i = 0; i < n; i++) {
        class = &classes[i];

        stockcert_tool_line(stdout, "%-8.*s %16" PRIu64 " %16" PRIu64 " %16"
                            PRIu64 " %16" PRIu64 "  %.*s",
                            (int) class->code.len, class->code.data,
                            class->authorized, class->issued,
                            class->authorized - class->issued, class->last,
                            (int) class->title.len, class->title.data);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_status_usage(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_usage_t  usage;

    if (stockcert_ledger_usage(ledger, &usage, error) != STOCKCERT_OK) {
        return stockcert_tool_not_read(error);
    }

    printf("\nsize       %" PRIu64 " bytes, at most %" PRIu64 "\n", usage.used,
           usage.size);
    printf("readers    of at most %u:\n", usage.readers_max);

    if (stockcert_ledger_readers(ledger, stockcert_tool_status_reader, NULL,
                                 error)
        != STOCKCERT_OK)
    {
        return stockcert_tool_not_read(error);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_status_reader(const char *line, void *data)
{
    (void) data;

    /* it reads just now itself */

    if (strtol(line, NULL, 10) == (long) getpid()) {
        return 0;
    }

    return printf("%s", line);
}


/*
 * Who has the writers' lock, if it seems to keep it: a ledger that issues has it
 * locked most of the time.  The snapshot is another one after that.
 */

static int
stockcert_tool_status_holder(stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    char             path[64], comm[64];
    FILE            *file;
    pid_t            holder;
    stockcert_rc_e   rc;

    holder = stockcert_tool_stuck(ledger, &rc, error);

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(error);
    }

    if (holder == 0) {
        return STOCKCERT_EXIT_OK;
    }

    snprintf(path, sizeof(path), "/proc/%d/comm", (int) holder);

    file = fopen(path, "re");

    if (file == NULL || fgets(comm, sizeof(comm), file) == NULL) {
        comm[0] = '\0';
    }

    if (file) {
        (void) fclose(file);
    }

    comm[strcspn(comm, "\n")] = '\0';

    stockcert_tool_line(stdout, "locked     by process %d%s%s%s for more than a "
                        "second: nothing is issued until it lets go",
                        (int) holder, comm[0] ? " (" : "", comm,
                        comm[0] ? ")" : "");

    return STOCKCERT_EXIT_OK;
}


/* who had it at each look, while the journal's end stayed where it was */

static pid_t
stockcert_tool_stuck(stockcert_ledger_t *ledger, stockcert_rc_e *rc,
    stockcert_error_t *error)
{
    int       n;
    pid_t     holder;
    uint64_t  end, now;

    static const struct timespec  pause = { 0, STOCKCERT_LOOK };

    *rc = STOCKCERT_OK;

    holder = stockcert_ledger_holder(ledger);

    if (holder == 0) {
        return 0;
    }

    *rc = stockcert_tool_end(ledger, &end, error);
    now = end;

    for (n = 0; n < STOCKCERT_LOOKS && *rc == STOCKCERT_OK; n++) {

        nanosleep(&pause, NULL);

        if (stockcert_ledger_holder(ledger) != holder || now != end) {
            return 0;
        }

        *rc = stockcert_tool_end(ledger, &now, error);
    }

    return now == end ? holder : 0;
}


static stockcert_rc_e
stockcert_tool_end(stockcert_ledger_t *ledger, uint64_t *position,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  last;

    stockcert_ledger_release(ledger);

    rc = stockcert_ledger_snapshot(ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_last(ledger, &last, error);
        *position = rc == STOCKCERT_OK ? last.position : 0;
    }

    return rc == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : rc;
}
