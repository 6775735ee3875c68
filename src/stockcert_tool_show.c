
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"


#define STOCKCERT_FOLLOW  200000000    /* nanoseconds between two looks */


static int stockcert_tool_show_classes(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static int stockcert_tool_show_usage(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static int stockcert_tool_show_reader(const char *line, void *data);
static int stockcert_tool_show_certificate(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t number, stockcert_error_t *error);
static void stockcert_tool_write_entry(FILE *file,
    const stockcert_entry_t *entry);


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

        status = stockcert_tool_show_classes(ledger, &error);

    } else if (rc == STOCKCERT_NOT_FOUND) {
        printf("entries    0\n");

    } else {
        status = stockcert_tool_not_read(&error);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_show_usage(ledger, &error);
    }

    stockcert_ledger_close(ledger);

    return status == STOCKCERT_EXIT_OK ? stockcert_tool_flush() : status;
}


static int
stockcert_tool_show_classes(stockcert_ledger_t *ledger,
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
stockcert_tool_show_usage(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_usage_t  usage;

    if (stockcert_ledger_usage(ledger, &usage, error) != STOCKCERT_OK) {
        return stockcert_tool_not_read(error);
    }

    printf("\nsize       %" PRIu64 " bytes, at most %" PRIu64 "\n", usage.used,
           usage.size);
    printf("readers    of at most %u:\n", usage.readers_max);

    if (stockcert_ledger_readers(ledger, stockcert_tool_show_reader, NULL,
                                 error)
        != STOCKCERT_OK)
    {
        return stockcert_tool_not_read(error);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_show_reader(const char *line, void *data)
{
    (void) data;

    /* it reads just now itself */

    if (strtol(line, NULL, 10) == (long) getpid()) {
        return 0;
    }

    return printf("%s", line);
}


int
stockcert_tool_show(int argc, char **argv)
{
    int                  status;
    uint64_t             number;
    stockcert_str_t      code;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    if (!stockcert_tool_arguments(argc, argv, 2)) {
        return stockcert_tool_usage(argv);
    }

    status = stockcert_tool_certificate(argv[2], &code, &number);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_open(argv[1], STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_show_certificate(ledger, &code, number, &error);

    stockcert_ledger_close(ledger);

    return status == STOCKCERT_EXIT_OK ? stockcert_tool_flush() : status;
}


static int
stockcert_tool_show_certificate(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t number, stockcert_error_t *error)
{
    char               time[STOCKCERT_TIME_LEN + 1];
    char               seal[STOCKCERT_HEX_LEN + 1];
    stockcert_rc_e     rc;
    stockcert_str_t    company;
    stockcert_class_t  class;
    stockcert_entry_t  entry, cancelled;

    rc = stockcert_ledger_class(ledger, code->data, code->len, &class, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has no "
                                    "class %.*s", (int) code->len, code->data);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_certificate(ledger, code->data, code->len, number,
                                          &entry, &cancelled, error);
    }

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "%.*s-%" PRIu64 " was "
                                    "never issued", (int) code->len, code->data,
                                    number);
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(error);
    }

    company = stockcert_ledger_company(ledger);
    stockcert_format_time(entry.time, time);
    stockcert_format_seal(entry.seal, seal);

    printf("certificate  %.*s-%" PRIu64 "\n", (int) code->len, code->data,
           number);
    stockcert_tool_line(stdout, "company      %.*s", (int) company.len,
                        company.data);
    stockcert_tool_line(stdout, "holder       %.*s", (int) entry.text.len,
                        entry.text.data);
    stockcert_tool_line(stdout, "shares       %" PRIu64 " of class %.*s, %.*s",
                        entry.shares, (int) code->len, code->data,
                        (int) class.title.len, class.title.data);
    printf("issued       %s\n", time);
    printf("entry        %" PRIu64 "\n", entry.position);
    printf("seal         %s\n", seal);

    if (cancelled.position) {
        stockcert_format_time(cancelled.time, time);

        stockcert_tool_line(stdout, "cancelled    %s, by entry %" PRIu64
                            ": %.*s", time, cancelled.position,
                            (int) cancelled.text.len, cancelled.text.data);
    }

    return STOCKCERT_EXIT_OK;
}


int
stockcert_tool_log(int argc, char **argv)
{
    int                  c, follow, status;
    uint64_t             since;
    stockcert_write_pt   write;
    stockcert_ledger_t  *ledger;

    static const struct timespec  pause = { 0, STOCKCERT_FOLLOW };

    static const struct option  options[] = {
        { "follow", no_argument, NULL, 'f' },
        { "since", required_argument, NULL, 's' },
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 }
    };

    follow = 0;
    since = 0;
    write = stockcert_tool_write_entry;

    while ((c = getopt_long(argc, argv, "f", options, NULL)) != -1) {

        switch (c) {

        case 'f':
            follow = 1;
            break;

        case 's':
            status = stockcert_tool_since(optarg, &since);
            if (status != STOCKCERT_EXIT_OK) {
                return status;
            }

            break;

        case 'j':
            write = stockcert_json_entry;
            break;

        default:
            return stockcert_tool_usage(argv);
        }
    }

    if (argc - optind != 1) {
        return stockcert_tool_usage(argv);
    }

    status = stockcert_tool_open(argv[optind], STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(ledger);

    do {
        status = stockcert_tool_entries(ledger, &since, UINT64_MAX, write,
                                        stdout, NULL);

        if (status == STOCKCERT_EXIT_OK) {
            status = stockcert_tool_flush();
        }

        if (status == STOCKCERT_EXIT_OK && follow) {
            nanosleep(&pause, NULL);
        }

    } while (status == STOCKCERT_EXIT_OK && follow);

    stockcert_ledger_close(ledger);

    return status;
}


/* columns that can be read by eye; texts come last, as they have any length */

static void
stockcert_tool_write_entry(FILE *file, const stockcert_entry_t *entry)
{
    char  id[STOCKCERT_CODE_MAX + 20], time[STOCKCERT_TIME_LEN + 1];

    stockcert_format_time(entry->time, time);

    if (entry->number) {
        snprintf(id, sizeof(id), "%.*s-%" PRIu64, (int) entry->code.len,
                 entry->code.data, entry->number);

    } else {
        snprintf(id, sizeof(id), "%.*s", (int) entry->code.len,
                 entry->code.data);
    }

    stockcert_tool_line(file, "%8" PRIu64 "  %s  %-9s  %-12s %12" PRIu64
                        "  %.*s", entry->position, time,
                        stockcert_format_kind(entry->kind), id, entry->shares,
                        (int) entry->text.len, entry->text.data);
}
