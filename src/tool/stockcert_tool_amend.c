
/*
 * "stockcert authorize" and "stockcert holder".
 *
 * They write one entry to a ledger.
 */


#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_text.h"
#include "stockcert_tool.h"
#include "stockcert_tool_etcd.h"


static int stockcert_tool_authorize(int argc, char **argv);
static int stockcert_tool_holder(int argc, char **argv);
static int stockcert_tool_amend_options(int argc, char **argv, int holder,
    stockcert_entry_t *entry);
static int stockcert_tool_amend_fault(const char *name,
    const stockcert_str_t *text);


const stockcert_command_t  stockcert_command_authorize = {
    "authorize", stockcert_tool_authorize,
    "LEDGER CLASS SHARES --reference TEXT" STOCKCERT_ETCD_SYNOPSIS,
    "Sets the authorized shares of a class. Also while nginx issues. The number\n"
    "that is there already changes nothing, and makes no entry.\n"
    "\n"
    "  --reference TEXT   what allows it, such as \"Board resolution 2026-11-20\"\n"
    STOCKCERT_ETCD_HELP
};


const stockcert_command_t  stockcert_command_holder = {
    "holder", stockcert_tool_holder,
    "LEDGER CERTIFICATE [--id ID] [--address TEXT] --reference TEXT"
    STOCKCERT_ETCD_SYNOPSIS,
    "Changes the address of the holder of a certificate, such as CS-17, or gives\n"
    "an id to one who has none: of all that this holder has. Also while nginx\n"
    "issues. What is there already makes no entry. A name changes by \"stockcert\n"
    "reissue\".\n"
    "\n"
    "  --id ID            your own, 1 to 64 printable ASCII characters\n"
    "  --address TEXT     its lines parted by \", \"\n"
    "  --reference TEXT   what it is changed by, such as a letter of the holder\n"
    STOCKCERT_ETCD_HELP
};


static int
stockcert_tool_authorize(int argc, char **argv)
{
    int                 status;
    char              **args;
    stockcert_entry_t   entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    if (stockcert_tool_amend_options(argc, argv, 0, &entry) != 3) {
        return stockcert_tool_usage(&stockcert_command_authorize);
    }

    args = argv + optind;

    entry.kind = STOCKCERT_CLASS_AMENDED;
    entry.code.len = strlen(args[1]);
    entry.code.data = args[1];

    if (stockcert_parse_number(args[2], strlen(args[2]), &entry.shares) != 0
        || entry.shares == 0)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "SHARES must be a "
                                    "number from 1 to %" PRIu64 ", such as "
                                    "3000000, not \"%s\"",
                                    (uint64_t) STOCKCERT_SHARES_MAX, args[2]);
    }

    status = stockcert_tool_amend_fault("reference", &entry.reference);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_etcd_read();
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_write(args[0], &entry);
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    if (entry.position == 0) {
        return stockcert_tool_done("%s has %" PRIu64 " authorized shares "
                                   "already, nothing is changed", args[1],
                                   entry.shares);
    }

    return stockcert_tool_done("%s has %" PRIu64 " authorized shares now, by "
                               "entry %" PRIu64, args[1], entry.shares,
                               entry.position);
}


static int
stockcert_tool_holder(int argc, char **argv)
{
    int                 status;
    char              **args;
    stockcert_entry_t   entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    if (stockcert_tool_amend_options(argc, argv, 1, &entry) != 2
        || (entry.holder_id.data == NULL && entry.address.data == NULL))
    {
        return stockcert_tool_usage(&stockcert_command_holder);
    }

    args = argv + optind;

    entry.kind = STOCKCERT_HOLDER_CHANGED;

    status = stockcert_tool_certificate(args[1], &entry.code, &entry.number);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_amend_fault("reference", &entry.reference);
    }

    if (status == STOCKCERT_EXIT_OK && entry.address.data) {
        status = stockcert_tool_amend_fault("address", &entry.address);
    }

    if (status == STOCKCERT_EXIT_OK && entry.holder_id.data
        && entry.holder_id.len == 0)
    {
        status = stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the id must "
                                      "not be empty");
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_etcd_read();
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_write(args[0], &entry);
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    if (entry.position == 0) {
        return stockcert_tool_done("the holder of %s has that already, nothing "
                                   "is changed", args[1]);
    }

    return stockcert_tool_done("the holder of %s is changed, by entry %" PRIu64,
                               args[1], entry.position);
}


/*
 * Sets what the options say.  Returns the number of arguments, with optind at
 * the first, or -1 for wrong usage: the reference is needed.
 */

static int
stockcert_tool_amend_options(int argc, char **argv, int holder,
    stockcert_entry_t *entry)
{
    int                         c;
    stockcert_str_t            *text;

    static const struct option  options[] = {
        { "id", required_argument, NULL, 'i' },
        { "address", required_argument, NULL, 'a' },
        { "reference", required_argument, NULL, 'r' },
        STOCKCERT_ETCD_TABLE,
        { NULL, 0, NULL, 0 }
    };

    while ((c = getopt_long(argc, argv, "", holder ? options : options + 2,
                            NULL))
           != -1)
    {
        switch (c) {

        case 'i':
            text = &entry->holder_id;
            break;

        case 'a':
            text = &entry->address;
            break;

        case 'r':
            text = &entry->reference;
            break;

        default:
            if (!stockcert_tool_etcd_option(c, optarg)) {
                return -1;
            }

            continue;
        }

        text->len = strlen(optarg);
        text->data = optarg;
    }

    return entry->reference.data ? argc - optind : -1;
}


static int
stockcert_tool_amend_fault(const char *name, const stockcert_str_t *text)
{
    const char  *fault;

    fault = stockcert_new_text_fault(text->data, text->len);

    return fault ? stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the %s %s",
                                        name, fault)
                 : STOCKCERT_EXIT_OK;
}
