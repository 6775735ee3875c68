
/*
 * What the commands that change a ledger share: an entry, or an order, in a
 * transaction of its own, and what became of it.
 *
 * It writes to the ledger.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stockcert_tool.h"


static stockcert_rc_e stockcert_tool_begin(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_enter_entry(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_amends(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, int *amends, stockcert_error_t *error);
static int stockcert_tool_not_written(stockcert_rc_e rc, const char *path,
    const stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_enter_order(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, stockcert_transacted_t *done,
    stockcert_error_t *error);
static int stockcert_tool_transacted(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, const stockcert_transacted_t *done);
static int stockcert_tool_not_transacted(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, const stockcert_transacted_t *done);


void
stockcert_tool_actor(stockcert_str_t *actor)
{
    static char  text[sizeof("uid:") + 20];

    actor->len = (size_t) snprintf(text, sizeof(text), "uid:%lu",
                                   (unsigned long) getuid());
    actor->data = text;
}


int
stockcert_tool_write(const char *path, stockcert_entry_t *entry)
{
    int                  status;
    stockcert_rc_e       rc;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    stockcert_tool_actor(&entry->actor);

    status = stockcert_tool_open(path, STOCKCERT_WRITE, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(ledger);

    rc = stockcert_tool_enter_entry(ledger, entry, &error);

    stockcert_ledger_close(ledger);

    return rc == STOCKCERT_OK ? STOCKCERT_EXIT_OK
                              : stockcert_tool_not_written(rc, path, &error);
}


static stockcert_rc_e
stockcert_tool_begin(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    stockcert_tool_patience(1);
    rc = stockcert_ledger_begin(ledger, error);
    stockcert_tool_patience(0);

    return rc;
}


static stockcert_rc_e
stockcert_tool_enter_entry(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int             amends;
    stockcert_rc_e  rc;

    rc = stockcert_tool_begin(ledger, error);
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
 * Whether the number was another one. The process that committed it may not
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


static int
stockcert_tool_not_written(stockcert_rc_e rc, const char *path,
    const stockcert_error_t *error)
{
    switch (rc) {

    case STOCKCERT_REFUSED:
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: %s",
                                    error->text);
    case STOCKCERT_FULL:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is changed,"
                                    " make room on the disk, or raise \"size\""
                                    " in nginx's configuration and reload: %s",
                                    error->text);
    case STOCKCERT_UNKNOWN:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "it is not known "
                                    "whether it is done, see \"stockcert log\" "
                                    "of %s: %s", path, error->text);
    default:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "nothing is changed: %s", error->text);
    }
}


int
stockcert_tool_transact(const char *path, const stockcert_order_t *order)
{
    int                     status;
    stockcert_rc_e          rc;
    stockcert_error_t       error;
    stockcert_ledger_t     *ledger;
    stockcert_transacted_t  done;

    status = stockcert_tool_open(path, STOCKCERT_WRITE, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(ledger);

    rc = stockcert_tool_enter_order(ledger, order, &done, &error);

    status = rc != STOCKCERT_OK ? stockcert_tool_not_written(rc, path, &error)
             : done.status == STOCKCERT_ISSUED
               ? stockcert_tool_transacted(ledger, order, &done)
               : stockcert_tool_not_transacted(ledger, order, &done);

    stockcert_ledger_close(ledger);

    return status;
}


static stockcert_rc_e
stockcert_tool_enter_order(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, stockcert_transacted_t *done,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_tool_begin(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_ledger_transact(ledger, order, done, error);

    if (rc == STOCKCERT_OK && done->status == STOCKCERT_ISSUED
        && !done->replayed)
    {
        return stockcert_ledger_commit(ledger, error);
    }

    stockcert_ledger_abort(ledger);

    return rc;
}


/* it is done, whether or not it can be read again */

static int
stockcert_tool_transacted(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, const stockcert_transacted_t *done)
{
    char               *from, *to;
    const char         *name;
    stockcert_rc_e      rc;
    stockcert_entry_t   first;
    stockcert_error_t   error;

    name = stockcert_transaction(order->first.type)->name;
    from = NULL;
    to = NULL;

    rc = stockcert_ledger_snapshot(ledger, &error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_entry(ledger, done->transaction, &first, &error);

        if (rc == STOCKCERT_OK) {
            rc = stockcert_tool_ids(ledger, done->transaction, first.surrenders,
                                    0, &from, &error);
        }

        if (rc == STOCKCERT_OK) {
            rc = stockcert_tool_ids(ledger,
                                    done->transaction + first.surrenders,
                                    first.issues, 0, &to, &error);
        }

        stockcert_ledger_release(ledger);
    }

    if (rc != STOCKCERT_OK) {
        (void) stockcert_tool_done("transaction %" PRIu64 ", %s: see "
                                   "\"stockcert log\"", done->transaction,
                                   name);

    } else {
        (void) stockcert_tool_done("transaction %" PRIu64 ", %s%s: surrendered "
                                   "%s; issued %s", done->transaction, name,
                                   done->replayed ? ", was entered before" : "",
                                   from, first.issues ? to : "none");
        free(to);
    }

    free(from);

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_not_transacted(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, const stockcert_transacted_t *done)
{
    const char            *member;
    stockcert_str_t        code;
    const stockcert_id_t  *id;

    id = &order->from[done->at];
    code.len = id->code_len;
    code.data = id->code;

    switch (done->status) {

    case STOCKCERT_NEVER_ISSUED:

        if (!stockcert_ledger_has_class(ledger, code.data, code.len)) {
            return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the ledger "
                                        "has no class %.*s", (int) code.len,
                                        code.data);
        }

        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: " STOCKCERT_ID
                                    " was never issued",
                                    STOCKCERT_ID_OF(code, id->number));

    case STOCKCERT_NOT_OUTSTANDING:
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: " STOCKCERT_ID
                                    " was surrendered by transaction %" PRIu64
                                    ", \"stockcert show\" says what came of it",
                                    STOCKCERT_ID_OF(code, id->number),
                                    done->transaction);

    case STOCKCERT_KEY_REUSED:
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the key is that "
                                    "of another request, give one of its own");

    default: /* STOCKCERT_INVALID */
        break;
    }

    member = done->member;

    if (member == NULL || strcmp(member, "from") == 0) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: %s",
                                    done->detail);
    }

    return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused, %s: %s",
                                strcmp(member, "amount") == 0 ? "shares"
                                                              : member,
                                done->detail);
}
