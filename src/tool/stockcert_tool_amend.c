
/*
 * "stockcert authorize" and "stockcert cancel".
 *
 * They write one entry to a ledger.
 */


#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_text.h"
#include "stockcert_tool.h"


static int stockcert_tool_authorize(int argc, char **argv);
static int stockcert_tool_cancel(int argc, char **argv);
static const char *stockcert_tool_text(int argc, char **argv,
    const char *option, int nargs);
static int stockcert_tool_amend(const char *path, stockcert_entry_t *entry);
static stockcert_rc_e stockcert_tool_enter_entry(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_amends(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, int *amends, stockcert_error_t *error);


const stockcert_command_t  stockcert_command_authorize = {
    "authorize", stockcert_tool_authorize,
    "LEDGER CLASS SHARES --reference TEXT",
    "Sets the authorized shares of a class; TEXT is what allows it, such as\n"
    "\"Board resolution 2026-11-20\". Also while nginx issues. The number that\n"
    "is there already changes nothing, and makes no entry.\n"
};


const stockcert_command_t  stockcert_command_cancel = {
    "cancel", stockcert_tool_cancel, "LEDGER CERTIFICATE --reason TEXT",
    "Cancels a certificate, such as CS-17. Its number stays used, its shares\n"
    "can be issued again. Also while nginx issues.\n"
};


static int
stockcert_tool_authorize(int argc, char **argv)
{
    int                status;
    char             **args;
    const char        *reference;
    stockcert_entry_t  entry;

    reference = stockcert_tool_text(argc, argv, "reference", 3);
    if (reference == NULL) {
        return stockcert_tool_usage(&stockcert_command_authorize);
    }

    args = argv + optind;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CLASS_AMENDED;
    entry.code.len = strlen(args[1]);
    entry.code.data = args[1];
    entry.text.len = strlen(reference);
    entry.text.data = reference;

    if (stockcert_parse_number(args[2], strlen(args[2]), &entry.shares) != 0) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "SHARES must be a "
                                    "number from 1 to %" PRIu64 ", such as "
                                    "3000000, not \"%s\"",
                                    (uint64_t) STOCKCERT_SHARES_MAX, args[2]);
    }

    status = stockcert_tool_amend(args[0], &entry);
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
stockcert_tool_cancel(int argc, char **argv)
{
    int                 status;
    char              **args;
    const char         *reason;
    stockcert_entry_t   entry;

    reason = stockcert_tool_text(argc, argv, "reason", 2);
    if (reason == NULL) {
        return stockcert_tool_usage(&stockcert_command_cancel);
    }

    args = argv + optind;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CERTIFICATE_CANCELLED;
    entry.text.len = strlen(reason);
    entry.text.data = reason;

    status = stockcert_tool_certificate(args[1], &entry.code, &entry.number);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_amend(args[0], &entry);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    return stockcert_tool_done("%s is cancelled, by entry %" PRIu64, args[1],
                               entry.position);
}


/*
 * Returns the one option of a command, which it needs; NULL for wrong usage.
 * optind is then at the arguments.
 */

static const char *
stockcert_tool_text(int argc, char **argv, const char *option, int nargs)
{
    int            c;
    const char    *text;
    struct option  options[] = {
        { option, required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 }
    };

    text = NULL;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c != 't') {
            return NULL;
        }

        text = optarg;
    }

    return argc - optind == nargs ? text : NULL;
}


/* the entry's position is 0 if there was nothing to change */

static int
stockcert_tool_amend(const char *path, stockcert_entry_t *entry)
{
    int                  status;
    const char          *fault;
    stockcert_rc_e       rc;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fault = stockcert_new_text_fault(entry->text.data, entry->text.len);
    if (fault) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the %s %s",
                                    stockcert_kind(entry->kind)->text, fault);
    }

    status = stockcert_tool_open(path, STOCKCERT_WRITE, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(ledger);

    rc = stockcert_tool_enter_entry(ledger, entry, &error);

    stockcert_ledger_close(ledger);

    switch (rc) {

    case STOCKCERT_OK:
        return STOCKCERT_EXIT_OK;

    case STOCKCERT_REFUSED:
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: %s",
                                    error.text);
    case STOCKCERT_FULL:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is changed,"
                                    " make room on the disk, or raise \"size\""
                                    " in nginx's configuration and reload: %s",
                                    error.text);
    case STOCKCERT_UNKNOWN:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "it is not known "
                                    "whether it is done, see \"stockcert log\" "
                                    "of %s: %s", path, error.text);
    default:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "nothing is changed: %s", error.text);
    }
}


static stockcert_rc_e
stockcert_tool_enter_entry(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int             amends;
    stockcert_rc_e  rc;

    stockcert_tool_patience(1);
    rc = stockcert_ledger_begin(ledger, error);
    stockcert_tool_patience(0);

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    amends = 1;

    rc = stockcert_ledger_enter(ledger, entry, error);

    if (rc == STOCKCERT_OK && entry->kind == STOCKCERT_CLASS_AMENDED) {
        rc = stockcert_tool_amends(ledger, entry, &amends, error);
    }

    if (rc == STOCKCERT_OK && amends) {
        return stockcert_ledger_commit(ledger, error);
    }

    stockcert_ledger_abort(ledger);
    entry->position = 0;

    return rc;
}


/*
 * Whether the number was another one.  The process that committed it may not
 * have flushed.
 */

static stockcert_rc_e
stockcert_tool_amends(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, int *amends, stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_class_t  class;

    rc = stockcert_ledger_snapshot(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_ledger_class(ledger, entry->code.data, entry->code.len,
                                &class, error);

    *amends = rc != STOCKCERT_OK || class.authorized != entry->shares;

    stockcert_ledger_release(ledger);

    if (rc == STOCKCERT_OK && !*amends) {
        rc = stockcert_ledger_flush(ledger, error);
    }

    return rc;
}
