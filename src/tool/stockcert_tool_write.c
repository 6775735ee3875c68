
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


typedef struct {
    const stockcert_entry_t  *asked;
    stockcert_entry_t         entry;       /* position 0: none was needed */
} stockcert_tool_entering_t;


typedef struct {
    const stockcert_order_t  *order;
    stockcert_transacted_t    done;
} stockcert_tool_ordering_t;


static stockcert_rc_e stockcert_tool_run(stockcert_ledger_t *ledger,
    stockcert_write_t *write, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_locked(stockcert_ledger_t *ledger,
    stockcert_write_t *write, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_enter_entry(stockcert_ledger_t *ledger,
    void *data, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_enter_order(stockcert_ledger_t *ledger,
    void *data, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_is_there(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static int stockcert_tool_written(const stockcert_write_t *write,
    stockcert_rc_e rc, const stockcert_error_t *error);
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
    int                        status;
    stockcert_rc_e             rc;
    stockcert_error_t          error;
    stockcert_write_t          write;
    stockcert_ledger_t        *ledger;
    stockcert_tool_entering_t  entering;

    stockcert_tool_actor(&entry->actor);

    status = stockcert_tool_open(path, STOCKCERT_WRITE, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(ledger);

    memset(&write, 0, sizeof(stockcert_write_t));

    memset(&entering, 0, sizeof(stockcert_tool_entering_t));
    entering.asked = entry;
    write.enter = stockcert_tool_enter_entry;
    write.data = &entering;

    rc = stockcert_tool_run(ledger, &write, &error);

    stockcert_ledger_close(ledger);

    status = stockcert_tool_written(&write, rc, &error);

    entry->position = entering.entry.position;

    return status;
}


int
stockcert_tool_transact(const char *path, const stockcert_order_t *order)
{
    int                         status;
    stockcert_rc_e              rc;
    stockcert_error_t           error;
    stockcert_write_t           write;
    stockcert_ledger_t         *ledger;
    stockcert_tool_ordering_t   ordering;

    status = stockcert_tool_open(path, STOCKCERT_WRITE, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(ledger);

    memset(&write, 0, sizeof(stockcert_write_t));

    memset(&ordering, 0, sizeof(stockcert_tool_ordering_t));
    ordering.order = order;
    write.enter = stockcert_tool_enter_order;
    write.data = &ordering;

    rc = stockcert_tool_run(ledger, &write, &error);

    status = rc == STOCKCERT_REFUSED
             ? stockcert_tool_not_transacted(ledger, order, &ordering.done)
             : stockcert_tool_written(&write, rc, &error);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_transacted(ledger, order, &ordering.done);
    }

    stockcert_ledger_close(ledger);

    return status;
}


/* what was sent, and has no answer, has had all the time that there was */

static stockcert_rc_e
stockcert_tool_run(stockcert_ledger_t *ledger, stockcert_write_t *write,
    stockcert_error_t *error)
{
    stockcert_rc_e        rc;
    stockcert_replica_t  *replica;

    replica = stockcert_ledger_replica(ledger);

    if (replica) {
        replica->ops->start(replica);
    }

    do {
        rc = stockcert_tool_locked(ledger, write, error);

    } while (rc == STOCKCERT_UNREACHED && write->noted.position == 0
             && replica->ops->again(replica));

    stockcert_ledger_leave(ledger);

    return rc;
}


static stockcert_rc_e
stockcert_tool_locked(stockcert_ledger_t *ledger, stockcert_write_t *write,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_tool_lock(ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_write(ledger, write, error);

        stockcert_ledger_unlock(ledger);
    }

    return rc;
}


/* LMDB's lock, too: who has it now is nobody who has ours */

stockcert_rc_e
stockcert_tool_lock(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    stockcert_tool_patience(1);

    rc = stockcert_ledger_lock(ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_begin(ledger, error);

        if (rc == STOCKCERT_OK) {
            stockcert_ledger_abort(ledger);

        } else {
            stockcert_ledger_unlock(ledger);
        }
    }

    stockcert_tool_patience(0);

    return rc;
}


/*
 * What is there already makes no entry.  The process that committed it may not
 * have flushed.
 */

static stockcert_rc_e
stockcert_tool_enter_entry(stockcert_ledger_t *ledger, void *data,
    stockcert_error_t *error)
{
    stockcert_tool_entering_t *entering = data;

    stockcert_rc_e      rc;
    stockcert_entry_t  *entry;

    entry = &entering->entry;
    *entry = *entering->asked;

    rc = stockcert_tool_is_there(ledger, entry, error);

    if (rc == STOCKCERT_OK) {
        return stockcert_ledger_flush(ledger, error);
    }

    return rc == STOCKCERT_NOT_FOUND
           ? stockcert_ledger_enter(ledger, entry, error) : rc;
}


static stockcert_rc_e
stockcert_tool_is_there(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    uint64_t        shares;
    stockcert_rc_e  rc;

    if (entry->kind != STOCKCERT_CLASS_AMENDED) {
        return stockcert_ledger_holder_has(ledger, entry, error);
    }

    rc = stockcert_ledger_authorized(ledger, &entry->code, &shares, error);

    return rc == STOCKCERT_OK && shares != entry->shares
           ? STOCKCERT_NOT_FOUND : rc;
}


static stockcert_rc_e
stockcert_tool_enter_order(stockcert_ledger_t *ledger, void *data,
    stockcert_error_t *error)
{
    stockcert_tool_ordering_t *ordering = data;

    stockcert_rc_e  rc;

    rc = stockcert_ledger_transact(ledger, ordering->order, &ordering->done,
                                   error);

    return rc == STOCKCERT_OK && ordering->done.status != STOCKCERT_ISSUED
           ? STOCKCERT_REFUSED : rc;
}


static int
stockcert_tool_written(const stockcert_write_t *write, stockcert_rc_e rc,
    const stockcert_error_t *error)
{
    if (rc == STOCKCERT_OK) {
        return STOCKCERT_EXIT_OK;
    }

    if (write->entered) {
        return stockcert_tool_error(STOCKCERT_EXIT_OK, "it is done, and in etcd, "
                                    "but not on this machine yet: %s",
                                    error->text);
    }

    /* what was sent, and was not looked for, may be there, or may come */

    if (rc == STOCKCERT_UNKNOWN || write->noted.position) {
        return stockcert_tool_error(STOCKCERT_EXIT_UNKNOWN, "it is not known "
                                    "whether it is done, run it again: %s",
                                    error->text);
    }

    switch (rc) {

    case STOCKCERT_REFUSED:
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: %s",
                                    error->text);
    case STOCKCERT_FULL:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is changed,"
                                    " make room on the disk, or raise \"size\""
                                    " in nginx's configuration and reload: %s",
                                    error->text);
    default:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "nothing is changed: %s", error->text);
    }
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
