
/*
 * "stockcert holders": who the stockholders of record are, or were.
 *
 * It reads the ledger, and writes to standard output when it has let the
 * snapshot go: who reads the output slowly keeps no pages of the ledger from
 * being used again.
 */


#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_holders.h"
#include "stockcert_value.h"


typedef void (*stockcert_holders_write_pt)(FILE *file,
    stockcert_holders_t *holders);


typedef struct {
    const char                  *code;     /* of a class, or NULL */
    char                         date[STOCKCERT_DATE_LEN + 1];
    uint64_t                     entry;    /* 0: the last one, or by date */
    stockcert_holders_write_pt   write;
} stockcert_holders_options_t;


static int stockcert_tool_holders(int argc, char **argv);
static int stockcert_tool_holders_options(int argc, char **argv,
    stockcert_holders_options_t *options);
static int stockcert_tool_holders_format(const char *name,
    stockcert_holders_options_t *options);
static int stockcert_tool_holders_as_of(const char *text,
    stockcert_holders_options_t *options);
static int stockcert_tool_holders_read(stockcert_ledger_t *ledger,
    const stockcert_holders_options_t *options, stockcert_holders_t *holders);
static int stockcert_tool_holders_whole(stockcert_ledger_t *ledger,
    uint64_t position);
static int stockcert_tool_holders_until(stockcert_ledger_t *ledger,
    const stockcert_holders_options_t *options, uint64_t *until);
static int stockcert_tool_holders_of_day(stockcert_ledger_t *ledger,
    const char *date, uint64_t last, uint64_t *until);
static int stockcert_tool_holders_replay(stockcert_ledger_t *ledger,
    stockcert_holders_t *holders, uint64_t until, const char *code);
static int stockcert_tool_holders_check(stockcert_ledger_t *ledger,
    const stockcert_holders_t *holders);
static int stockcert_tool_holders_choose(const char *code,
    stockcert_holders_t *holders);


const stockcert_command_t  stockcert_command_holders = {
    "holders", stockcert_tool_holders,
    "LEDGER [--class CS] [--as-of DATE|ENTRY] [--format table|csv|jsonl|html]",
    "Lists the stockholders of record, by name: address, shares and certificates\n"
    "of each class. All certificates with one holder_id have one holder, and all\n"
    "without one that have the same name.\n"
    "\n"
    "  --class CS       only those of this class\n"
    "  --as-of DATE     as it was at the end of a day, UTC, such as 2026-11-23: what\n"
    "                   was recorded by then\n"
    "  --as-of ENTRY    as it was after this entry\n"
    "  --format table   for people; this is the default\n"
    "  --format csv     a line for each holder, class and capacity\n"
    "  --format jsonl   a line of JSON a holder, and one with totals and seal\n"
    "  --format html    a page, to be printed\n"
};


static const struct {
    const char                  *name;
    stockcert_holders_write_pt   write;
} stockcert_holders_formats[] = {
    { "table", stockcert_holders_table },
    { "csv", stockcert_holders_csv },
    { "jsonl", stockcert_holders_jsonl },
    { "html", stockcert_holders_html },
    { NULL, NULL }
};


static int
stockcert_tool_holders(int argc, char **argv)
{
    int                          status;
    stockcert_ledger_t          *ledger;
    stockcert_holders_options_t  options;
    static stockcert_holders_t   holders;

    status = stockcert_tool_holders_options(argc, argv, &options);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_open(argv[optind], STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_holders_read(ledger, &options, &holders);

    stockcert_tool_progress_end();
    stockcert_ledger_release(ledger);

    if (status == STOCKCERT_EXIT_OK) {
        options.write(stdout, &holders);
        status = stockcert_tool_flush();
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = holders.status;
    }

    stockcert_holders_end(&holders);
    stockcert_ledger_close(ledger);

    return status;
}


static int
stockcert_tool_holders_options(int argc, char **argv,
    stockcert_holders_options_t *options)
{
    int                         c, status;

    static const struct option  long_options[] = {
        { "class", required_argument, NULL, 'c' },
        { "as-of", required_argument, NULL, 'a' },
        { "format", required_argument, NULL, 'f' },
        { NULL, 0, NULL, 0 }
    };

    memset(options, 0, sizeof(stockcert_holders_options_t));
    options->write = stockcert_holders_table;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {

        switch (c) {

        case 'c':
            options->code = optarg;
            break;

        case 'a':
            status = stockcert_tool_holders_as_of(optarg, options);
            if (status != STOCKCERT_EXIT_OK) {
                return status;
            }

            break;

        case 'f':
            status = stockcert_tool_holders_format(optarg, options);
            if (status != STOCKCERT_EXIT_OK) {
                return status;
            }

            break;

        default:
            return stockcert_tool_usage(&stockcert_command_holders);
        }
    }

    return argc - optind == 1
           ? STOCKCERT_EXIT_OK
           : stockcert_tool_usage(&stockcert_command_holders);
}


static int
stockcert_tool_holders_format(const char *name,
    stockcert_holders_options_t *options)
{
    size_t  i;

    for (i = 0; stockcert_holders_formats[i].name; i++) {

        if (strcmp(stockcert_holders_formats[i].name, name) == 0) {
            options->write = stockcert_holders_formats[i].write;
            return STOCKCERT_EXIT_OK;
        }
    }

    return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--format takes table, csv, "
                                "jsonl or html, not \"%s\"", name);
}


static int
stockcert_tool_holders_as_of(const char *text,
    stockcert_holders_options_t *options)
{
    options->entry = 0;
    options->date[0] = '\0';

    if (stockcert_date_fault(text, strlen(text)) == NULL) {
        strcpy(options->date, text);
        return STOCKCERT_EXIT_OK;
    }

    if (stockcert_parse_number(text, strlen(text), &options->entry) != 0
        || options->entry == 0)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--as-of takes a date "
                                    "such as 2026-11-23, or the number of an "
                                    "entry, not \"%s\"", text);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_holders_read(stockcert_ledger_t *ledger,
    const stockcert_holders_options_t *options, stockcert_holders_t *holders)
{
    int       status;
    uint64_t  until;

    holders->company = stockcert_ledger_company(ledger);

    status = stockcert_tool_holders_until(ledger, options, &until);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_holders_replay(ledger, holders, until,
                                               options->code);
    }

    return status == STOCKCERT_EXIT_OK ? stockcert_holders_begin(holders)
                                       : status;
}


/* the entry that the list is as of */

static int
stockcert_tool_holders_until(stockcert_ledger_t *ledger,
    const stockcert_holders_options_t *options, uint64_t *until)
{
    uint64_t           last;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    rc = stockcert_ledger_last(ledger, &entry, &error);

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return stockcert_tool_not_read(&error);
    }

    last = rc == STOCKCERT_OK ? entry.position : 0;

    if (options->entry > last) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has %" PRIu64
                                    " entries", last);
    }

    if (last == 0) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has no entry");
    }

    *until = options->entry ? options->entry : last;

    if (options->entry) {
        return stockcert_tool_holders_whole(ledger, options->entry);
    }

    return options->date[0]
           ? stockcert_tool_holders_of_day(ledger, options->date, last, until)
           : STOCKCERT_EXIT_OK;
}


/* the last entry up to the end of a day; times never go backwards */

static int
stockcert_tool_holders_of_day(stockcert_ledger_t *ledger, const char *date,
    uint64_t last, uint64_t *until)
{
    char               day[STOCKCERT_DATE_LEN + 1];
    uint64_t           low, high, middle;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    low = 0;
    high = last;

    while (low < high) {
        middle = high - (high - low) / 2;

        rc = stockcert_ledger_entry(ledger, middle, &entry, &error);
        if (rc != STOCKCERT_OK) {
            return stockcert_tool_not_read(&error);
        }

        stockcert_date(entry.time, day);

        if (strcmp(day, date) > 0) {
            high = middle - 1;

        } else {
            low = middle;
        }
    }

    *until = low;

    return low ? STOCKCERT_EXIT_OK
               : stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger had no "
                                      "entry by the end of %s, UTC", date);
}


/* between the entries of a transaction, nobody was ever of record */

static int
stockcert_tool_holders_whole(stockcert_ledger_t *ledger, uint64_t position)
{
    uint64_t           end;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    rc = stockcert_ledger_entry(ledger, position, &entry, &error);

    if (rc == STOCKCERT_OK && entry.member > 1) {
        rc = stockcert_ledger_entry(ledger, stockcert_entry_first(&entry),
                                    &entry, &error);
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    end = entry.position + entry.surrenders + entry.issues - 1;

    if (entry.member == 0 || position == end) {
        return STOCKCERT_EXIT_OK;
    }

    return stockcert_tool_error(STOCKCERT_EXIT_NO, "entry %" PRIu64 " is inside "
                                "transaction %" PRIu64 ", which ends with entry "
                                "%" PRIu64 ": give --as-of %" PRIu64, position,
                                entry.position, end, end);
}


static int
stockcert_tool_holders_replay(stockcert_ledger_t *ledger,
    stockcert_holders_t *holders, uint64_t until, const char *code)
{
    int                status;
    uint64_t           n;
    stockcert_rc_e     rc;
    stockcert_sort_t  *events;
    stockcert_error_t  error;

    events = stockcert_sort_create();
    if (events == NULL) {
        return STOCKCERT_EXIT_FAILED;
    }

    status = STOCKCERT_EXIT_OK;

    for (n = 1; status == STOCKCERT_EXIT_OK && n <= until; n++) {
        rc = stockcert_ledger_entry(ledger, n, &holders->last, &error);

        status = rc == STOCKCERT_OK
                 ? stockcert_holders_enter(holders, events, ledger,
                                           &holders->last, until)
                 : stockcert_tool_not_read(&error);

        stockcert_tool_progress("holders", "entries", n, until);
    }

    if (status == STOCKCERT_EXIT_OK) {
        memcpy(holders->seal, holders->last.seal, STOCKCERT_SEAL_LEN);
        status = stockcert_tool_holders_check(ledger, holders);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_holders_choose(code, holders);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_holders_fold(holders, events, until);
    }

    stockcert_sort_free(events);

    return status;
}


/* what the ledger keeps of its classes is made from the same journal */

static int
stockcert_tool_holders_check(stockcert_ledger_t *ledger,
    const stockcert_holders_t *holders)
{
    size_t              i, n;
    stockcert_rc_e      rc;
    stockcert_class_t   classes[STOCKCERT_CLASSES_MAX];
    stockcert_entry_t   last;
    stockcert_error_t   error;

    rc = stockcert_ledger_last(ledger, &last, &error);
    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_classes(ledger, classes, &n, &error);
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    for (i = 0; last.position == holders->last.position && i < n; i++) {

        if (n != holders->nopened
            || !stockcert_str_same(&classes[i].code, &holders->opened[i]->code)
            || classes[i].issued != holders->opened[i]->shares)
        {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "the shares that "
                                        "the ledger says are out are not those "
                                        "of its journal: see \"stockcert "
                                        "verify\"");
        }
    }

    return STOCKCERT_EXIT_OK;
}


/* which classes are listed */

static int
stockcert_tool_holders_choose(const char *code, stockcert_holders_t *holders)
{
    size_t            i;
    stockcert_str_t  *of;

    holders->classes = holders->opened;
    holders->nclasses = holders->nopened;

    for (i = 0; code && i < holders->nopened; i++) {
        of = &holders->opened[i]->code;

        if (stockcert_same(of->data, of->len, code, strlen(code))) {
            holders->classes = &holders->opened[i];
            holders->nclasses = 1;
            return STOCKCERT_EXIT_OK;
        }
    }

    return code ? stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has no "
                                       "class %s at entry %" PRIu64, code,
                                       holders->last.position)
                : STOCKCERT_EXIT_OK;
}
