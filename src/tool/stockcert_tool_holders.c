
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
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_holders.h"
#include "stockcert_value.h"


typedef void (*stockcert_holders_write_pt)(FILE *file,
    const stockcert_holders_t *holders);


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
static int stockcert_tool_holders_replay(stockcert_ledger_t *ledger,
    stockcert_holdings_t *holdings, const char *date, uint64_t last,
    stockcert_entry_t *entry);
static int stockcert_tool_holders_check(stockcert_ledger_t *ledger,
    stockcert_holdings_t *holdings);
static int stockcert_tool_holders_choose(const char *code,
    stockcert_holders_t *holders);
static int stockcert_tool_holders_order(const void *one, const void *two);


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
    int                           status;
    uint64_t                      last;
    stockcert_rc_e                rc;
    stockcert_entry_t             entry;
    stockcert_error_t             error;
    static stockcert_holdings_t  *holdings;

    rc = stockcert_ledger_last(ledger, &entry, &error);

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return stockcert_tool_not_read(&error);
    }

    last = rc == STOCKCERT_OK ? entry.position : 0;

    if (options->entry > last) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has %" PRIu64
                                    " entries", last);
    }

    if (options->entry) {
        status = stockcert_tool_holders_whole(ledger, options->entry);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    holdings = stockcert_holdings_create(0);
    if (holdings == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "there is no memory");
    }

    status = stockcert_tool_holders_replay(ledger, holdings, options->date,
                                           options->entry ? options->entry
                                                          : last,
                                           &holders->last);

    if (status == STOCKCERT_EXIT_OK && holders->last.position == last) {
        status = stockcert_tool_holders_check(ledger, holdings);
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    rc = stockcert_holdings_list(holdings, ledger, &holders->list, &holders->n,
                                 &error);
    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    memcpy(holders->seal, holders->last.seal, STOCKCERT_SEAL_LEN);

    holders->company = stockcert_ledger_company(ledger);
    holders->classes = stockcert_holdings_classes(holdings, &holders->nclasses);

    return stockcert_tool_holders_choose(options->code, holders);
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


/* up to an entry, or the last one of a day; sets the last that was replayed */

static int
stockcert_tool_holders_replay(stockcert_ledger_t *ledger,
    stockcert_holdings_t *holdings, const char *date, uint64_t last,
    stockcert_entry_t *entry)
{
    char               day[STOCKCERT_DATE_LEN + 1];
    uint64_t           n;
    stockcert_rc_e     rc;
    stockcert_entry_t  next;
    stockcert_error_t  error;

    entry->position = 0;

    for (n = 1; n <= last; n++) {
        rc = stockcert_ledger_entry(ledger, n, &next, &error);

        if (rc == STOCKCERT_OK && date[0]) {
            stockcert_date(next.time, day);

            if (strcmp(day, date) > 0) {
                break;
            }
        }

        if (rc == STOCKCERT_OK) {
            rc = stockcert_holdings_apply(holdings, &next, &error);
        }

        if (rc != STOCKCERT_OK) {
            return stockcert_tool_not_read(&error);
        }

        *entry = next;
        stockcert_tool_progress("holders", "entries", n, last);
    }

    if (entry->position) {
        return STOCKCERT_EXIT_OK;
    }

    return stockcert_tool_error(STOCKCERT_EXIT_NO, last ? "the ledger had no entry "
                                "by the end of %s, UTC"
                                : "the ledger has no entry%.0s", date);
}


/* what the ledger keeps of its classes is made from the same journal */

static int
stockcert_tool_holders_check(stockcert_ledger_t *ledger,
    stockcert_holdings_t *holdings)
{
    size_t              i, n, nheld;
    stockcert_rc_e      rc;
    stockcert_held_t  **held;
    stockcert_class_t   classes[STOCKCERT_CLASSES_MAX];
    stockcert_error_t   error;

    rc = stockcert_ledger_classes(ledger, classes, &n, &error);
    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    held = stockcert_holdings_classes(holdings, &nheld);

    for (i = 0; i < n; i++) {

        if (n != nheld
            || !stockcert_str_same(&classes[i].code, &held[i]->code)
            || classes[i].issued != held[i]->shares)
        {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "the shares that "
                                        "the ledger says are out are not those "
                                        "of its journal: see \"stockcert "
                                        "verify\"");
        }
    }

    return STOCKCERT_EXIT_OK;
}


/* leaves out other classes, and puts the rest in order */

static int
stockcert_tool_holders_choose(const char *code, stockcert_holders_t *holders)
{
    size_t            i, n;
    stockcert_str_t  *of;

    if (code) {

        for (i = 0; i < holders->nclasses; i++) {
            of = &holders->classes[i]->code;

            if (stockcert_same(of->data, of->len, code, strlen(code))) {
                break;
            }
        }

        if (i == holders->nclasses) {
            return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has no "
                                        "class %s at entry %" PRIu64, code,
                                        holders->last.position);
        }

        holders->classes += i;
        holders->nclasses = 1;

        for (i = 0, n = 0; i < holders->n; i++) {
            if (holders->list[i]->class == holders->classes[0]) {
                holders->list[n++] = holders->list[i];
            }
        }

        holders->n = n;
    }

    qsort(holders->list, holders->n, sizeof(stockcert_holding_t *),
          stockcert_tool_holders_order);

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_holders_order(const void *one, const void *two)
{
    int                   order;
    stockcert_party_t    *p, *q;
    stockcert_holding_t  *a, *b;

    a = *(stockcert_holding_t *const *) one;
    b = *(stockcert_holding_t *const *) two;
    p = stockcert_holdings_party(a);
    q = stockcert_holdings_party(b);

    if (p != q) {
        order = stockcert_str_compare(&p->name, &q->name);

        return order ? order : stockcert_str_compare(&p->id, &q->id);
    }

    order = stockcert_str_compare(&a->class->code, &b->class->code);
    if (order) {
        return order;
    }

    order = stockcert_compare(a->capacity, a->capacity_len, b->capacity,
                              b->capacity_len);

    return order ? order : (a->number > b->number) - (a->number < b->number);
}
