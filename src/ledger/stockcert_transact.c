
/*
 * Orders: a transaction on certificates is decided whole, entered as a group of
 * entries, or not at all.  An order that was entered before, by its key, is
 * found.
 *
 * It is the writer's, and the LMDB transaction is for one order: what was put
 * of an order that is refused goes with it.
 */


#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_store.h"


/* an order as it is entered: shares, and the class of all its certificates */

typedef struct {
    const stockcert_order_t   *order;
    stockcert_transacted_t    *done;
    stockcert_ledger_class_t  *class;
    uint64_t                   shares[STOCKCERT_FROM_MAX];
    uint64_t                   total;      /* of "from" */
    uint64_t                   balance;    /* 0: there is none */
    unsigned                   whole:1;    /* one certificate of all of it */
} stockcert_transact_t;


static stockcert_rc_e stockcert_transact_replay(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, stockcert_transacted_t *done,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_transact_find(stockcert_ledger_t *ledger,
    stockcert_transact_t *t, stockcert_error_t *error);
static int stockcert_transact_sums(stockcert_transact_t *t);
static stockcert_rc_e stockcert_transact_enter(stockcert_ledger_t *ledger,
    stockcert_transact_t *t, stockcert_error_t *error);
static stockcert_rc_e stockcert_transact_surrender(stockcert_ledger_t *ledger,
    stockcert_transact_t *t, size_t i, stockcert_error_t *error);
static stockcert_rc_e stockcert_transact_issue(stockcert_ledger_t *ledger,
    stockcert_transact_t *t, size_t i, stockcert_error_t *error);
static void stockcert_transact_holder(const stockcert_holder_t *holder,
    stockcert_entry_t *entry);
static uint64_t stockcert_transact_issues(const stockcert_transact_t *t);
static int stockcert_transact_invalid(stockcert_transacted_t *done,
    const char *member, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));


stockcert_rc_e
stockcert_ledger_transact(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, stockcert_transacted_t *done,
    stockcert_error_t *error)
{
    stockcert_rc_e        rc;
    stockcert_transact_t  t;

    memset(done, 0, sizeof(stockcert_transacted_t));

    if (order->first.key.len) {
        rc = stockcert_transact_replay(ledger, order, done, error);
        if (rc != STOCKCERT_NOT_FOUND) {
            return rc;
        }
    }

    memset(&t, 0, sizeof(stockcert_transact_t));

    t.order = order;
    t.done = done;

    rc = stockcert_transact_find(ledger, &t, error);

    if (rc != STOCKCERT_OK || done->status != STOCKCERT_WAITING) {
        return rc;
    }

    if (stockcert_transact_sums(&t) != 0) {
        return STOCKCERT_OK;
    }

    done->transaction = ledger->position + 1;

    rc = stockcert_transact_enter(ledger, &t, error);

    if (rc == STOCKCERT_REFUSED) {
        (void) stockcert_transact_invalid(done, ledger->group.blamed, "%s",
                                          error->text);
        return STOCKCERT_OK;
    }

    done->status = STOCKCERT_ISSUED;

    return rc;
}


static stockcert_rc_e
stockcert_transact_replay(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, stockcert_transacted_t *done,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    rc = stockcert_keys_find(ledger, order->first.key.data,
                             order->first.key.len, &entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (entry.kind != STOCKCERT_CERTIFICATE_SURRENDERED
        || !stockcert_str_same(&entry.request, &order->first.request))
    {
        done->status = STOCKCERT_KEY_REUSED;
        return STOCKCERT_OK;
    }

    done->status = STOCKCERT_ISSUED;
    done->transaction = entry.position;
    done->replayed = 1;

    return stockcert_flush_found(ledger, error);
}


/* all that are not there first, then those that are no longer outstanding */

static stockcert_rc_e
stockcert_transact_find(stockcert_ledger_t *ledger, stockcert_transact_t *t,
    stockcert_error_t *error)
{
    size_t                    i;
    stockcert_rc_e            rc;
    stockcert_transacted_t   *done;
    stockcert_certificate_t   certificate;
    const stockcert_id_t     *from;

    done = t->done;
    from = t->order->from;

    t->class = stockcert_class_find(ledger, ledger->nmet, from[0].code,
                                    from[0].code_len);

    if (t->class == NULL) {
        done->status = STOCKCERT_NEVER_ISSUED;
        return STOCKCERT_OK;
    }

    rc = stockcert_class_load(ledger, t->class, error);

    for (i = 0; rc == STOCKCERT_OK && i < t->order->nfrom; i++) {

        rc = stockcert_certificate_get(ledger, ledger->writer, t->class,
                                       from[i].number, &certificate, error);

        if (rc == STOCKCERT_NOT_FOUND) {
            done->status = STOCKCERT_NEVER_ISSUED;
            done->at = i;
            return STOCKCERT_OK;
        }

        if (rc == STOCKCERT_OK && certificate.surrender.position
            && done->status == STOCKCERT_WAITING)
        {
            done->status = STOCKCERT_NOT_OUTSTANDING;
            done->at = i;
            done->transaction = certificate.surrender.transaction;
        }

        t->shares[i] = certificate.issued.shares;
        t->total += certificate.issued.shares;
    }

    return rc;
}


/* what is left of the shares, by type; -1 if they do not add up */

static int
stockcert_transact_sums(stockcert_transact_t *t)
{
    size_t                    i;
    uint64_t                  sum;
    const stockcert_order_t  *order;

    order = t->order;
    sum = 0;

    for (i = 0; i < order->nto; i++) {
        sum += order->to[i].shares;
    }

    if (sum > t->total) {
        return stockcert_transact_invalid(t->done, "to", "adds up to %" PRIu64
                                          " shares, the certificates have %"
                                          PRIu64, sum, t->total);
    }

    switch ((stockcert_transaction_e) order->first.type) {

    case STOCKCERT_TRANSFER:
        t->balance = t->total - sum;
        break;

    case STOCKCERT_REISSUE:
        t->whole = (order->nto == 0);

        if (!t->whole && sum != t->total) {
            return stockcert_transact_invalid(t->done, "to", "adds up to %"
                                              PRIu64 " shares, and must be all %"
                                              PRIu64 " of them", sum, t->total);
        }

        break;

    case STOCKCERT_REPURCHASE:
    case STOCKCERT_CANCEL:

        if (order->amount > t->total) {
            return stockcert_transact_invalid(t->done, "amount", "must be at "
                                              "most %" PRIu64 ", as the "
                                              "certificates have no more",
                                              t->total);
        }

        t->balance = order->amount ? t->total - order->amount : 0;
        break;

    case STOCKCERT_CORRECT:
    case STOCKCERT_TRANSACTION_END:
        break;
    }

    return 0;
}


static stockcert_rc_e
stockcert_transact_enter(stockcert_ledger_t *ledger, stockcert_transact_t *t,
    stockcert_error_t *error)
{
    size_t          i, n;
    stockcert_rc_e  rc;

    rc = STOCKCERT_OK;
    n = (size_t) stockcert_transact_issues(t);

    for (i = 0; rc == STOCKCERT_OK && i < t->order->nfrom; i++) {
        rc = stockcert_transact_surrender(ledger, t, i, error);
    }

    for (i = 0; rc == STOCKCERT_OK && i < n; i++) {
        rc = stockcert_transact_issue(ledger, t, i, error);
    }

    return rc;
}


static stockcert_rc_e
stockcert_transact_surrender(stockcert_ledger_t *ledger,
    stockcert_transact_t *t, size_t i, stockcert_error_t *error)
{
    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    if (i == 0) {
        entry = t->order->first;
        entry.surrenders = t->order->nfrom;
        entry.issues = stockcert_transact_issues(t);
    }

    entry.kind = STOCKCERT_CERTIFICATE_SURRENDERED;
    entry.code = t->class->record.code;
    entry.number = t->order->from[i].number;
    entry.shares = t->shares[i];
    entry.member = i + 1;

    return stockcert_ledger_enter(ledger, &entry, error);
}


/* those of "to", then what the old holder keeps */

static stockcert_rc_e
stockcert_transact_issue(stockcert_ledger_t *ledger, stockcert_transact_t *t,
    size_t i, stockcert_error_t *error)
{
    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    if (i < t->order->nto) {
        entry = t->order->to[i];

    } else {
        stockcert_transact_holder(&ledger->group.holder, &entry);

        entry.shares = t->whole ? t->total : t->balance;
        entry.balance = !t->whole;
    }

    entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
    entry.code = t->class->record.code;
    entry.number = t->class->record.last + 1;
    entry.member = t->order->nfrom + i + 1;

    return stockcert_ledger_enter(ledger, &entry, error);
}


static void
stockcert_transact_holder(const stockcert_holder_t *holder,
    stockcert_entry_t *entry)
{
    entry->name.len = holder->name_len;
    entry->name.data = holder->name;
    entry->holder_id.len = holder->id_len;
    entry->holder_id.data = holder->id;
    entry->address.len = holder->address_len;
    entry->address.data = holder->address;
    entry->capacity.len = holder->capacity_len;
    entry->capacity.data = holder->capacity;
}


static uint64_t
stockcert_transact_issues(const stockcert_transact_t *t)
{
    return t->order->nto + (t->whole || t->balance);
}


static int
stockcert_transact_invalid(stockcert_transacted_t *done, const char *member,
    const char *fmt, ...)
{
    va_list  args;

    done->status = STOCKCERT_INVALID;
    done->member = member;

    va_start(args, fmt);
    (void) vsnprintf(done->detail, sizeof(done->detail), fmt, args);
    va_end(args);

    return -1;
}
