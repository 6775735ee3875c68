
/*
 * Deciding: whether the ledger's rules let an entry come next, and what it
 * then is, to the last byte.  Any process with the same ledger can apply a
 * fixed entry, with the same effect (stockcert_apply.c).  Grants have their
 * rules in stockcert_issue.c, because their refusals are outcomes; they are
 * fixed here, too.
 *
 * It reads in the writer's transaction, and writes nothing.
 */


#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_store.h"


typedef stockcert_rc_e (*stockcert_rule_pt)(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);


static stockcert_rc_e stockcert_decide_next(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_opened(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_issued(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_amended(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_cancelled(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);


/* what may come next, by kind; the class is NULL if the ledger has none */

static const stockcert_rule_pt  stockcert_rules[] = {
    [STOCKCERT_CLASS_OPENED] = stockcert_decide_opened,
    [STOCKCERT_CERTIFICATE_ISSUED] = stockcert_decide_issued,
    [STOCKCERT_CLASS_AMENDED] = stockcert_decide_amended,
    [STOCKCERT_CERTIFICATE_CANCELLED] = stockcert_decide_cancelled
};


_Static_assert(sizeof(stockcert_rules) / sizeof(stockcert_rules[0])
               == STOCKCERT_KIND_END, "each kind has a rule");


stockcert_rc_e
stockcert_decide(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_fixed_t *fixed, stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    const uint8_t             *seal;
    stockcert_ledger_class_t  *class;

    rc = stockcert_decide_next(ledger, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    class = stockcert_class_find(ledger, ledger->nclasses,
                                 entry->code.data, entry->code.len);

    if (class == NULL && entry->kind != STOCKCERT_CLASS_OPENED) {
        return stockcert_ledger_refused(error, "the ledger has no class %.*s",
                                        (int) entry->code.len,
                                        entry->code.data);
    }

    if (class) {
        rc = stockcert_class_load(ledger, class, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    rc = stockcert_rules[entry->kind](ledger, class, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    seal = entry->seal;

    rc = stockcert_fix(ledger, entry, fixed, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (seal && memcmp(seal, entry->seal, STOCKCERT_SEAL_LEN) != 0) {
        return stockcert_ledger_refused(error, "entry %" PRIu64
                                        " has another seal", entry->position);
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_fix(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_fixed_t *fixed, stockcert_error_t *error)
{
    uint8_t   *seal;
    uint64_t   now;

    now = entry->time ? entry->time : stockcert_now();

    /* the journal's time must not go back, even if the clock was set back */

    ledger->behind = now < ledger->time ? ledger->time - now : 0;

    entry->position = ledger->position + 1;
    entry->time = now + ledger->behind;

    fixed->len = stockcert_entry_encode(entry, fixed->bytes);

    seal = fixed->bytes + fixed->len;

    if (stockcert_seal(ledger->sealer, ledger->seal, fixed->bytes, fixed->len,
                       seal)
        != 0)
    {
        return stockcert_ledger_error(error, "EVP_DigestFinal_ex()", ENOMEM);
    }

    entry->seal = seal;
    fixed->len += STOCKCERT_SEAL_LEN;

    return STOCKCERT_OK;
}


/* what is asked of entries of all kinds */

static stockcert_rc_e
stockcert_decide_next(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    const char  *fault, *field;

    if (entry->position && entry->position != ledger->position + 1) {
        return stockcert_ledger_refused(error, "entry %" PRIu64
                                        " cannot come after entry %" PRIu64,
                                        entry->position, ledger->position);
    }

    if (entry->time && entry->time < ledger->time) {
        return stockcert_ledger_refused(error,
                                  "the time is before that of the last entry");
    }

    fault = stockcert_entry_fault(entry, &field);

    return fault ? stockcert_ledger_refused(error, "the %s %s", field, fault)
                 : STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_decide_opened(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    if (class) {
        return stockcert_ledger_refused(error, "the ledger has class %.*s "
                                        "already", (int) entry->code.len,
                                        entry->code.data);
    }

    if (ledger->nclasses == STOCKCERT_CLASSES_MAX) {
        return stockcert_ledger_refused(error,
                                        "a ledger has at most %d classes",
                                        STOCKCERT_CLASSES_MAX);
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_decide_issued(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  other;

    if (entry->number != class->record.last + 1) {
        return stockcert_ledger_refused(error, "the next certificate is "
                                        STOCKCERT_ID,
                                        STOCKCERT_ID_OF(entry->code,
                                                   class->record.last + 1));
    }

    if (entry->shares > class->record.authorized - class->record.issued) {
        return stockcert_ledger_refused(error, "class %.*s has %" PRIu64
                                        " shares left", (int) entry->code.len,
                                        entry->code.data,
                                        class->record.authorized
                                        - class->record.issued);
    }

    if (entry->key.len) {
        rc = stockcert_keys_find(ledger, entry->key.data,
                                 entry->key.len, &other, error);
        if (rc == STOCKCERT_OK) {
            return stockcert_ledger_refused(error, "entry %" PRIu64
                                            " has the same idempotency key",
                                            other.position);
        }

        if (rc != STOCKCERT_NOT_FOUND) {
            return rc;
        }
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_decide_amended(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    (void) ledger;

    if (entry->shares < class->record.issued) {
        return stockcert_ledger_refused(error, "class %.*s has %" PRIu64
                                        " shares out: no fewer can be "
                                        "authorized", (int) entry->code.len,
                                        entry->code.data,
                                        class->record.issued);
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_decide_cancelled(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  issued, cancelled;

    rc = stockcert_certificate_get(ledger, ledger->writer, class,
                                   entry->number, &issued, &cancelled,
                                   error);
    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_ledger_refused(error, STOCKCERT_ID
                                        " was never issued",
                                        STOCKCERT_ID_OF(entry->code,
                                                        entry->number));
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (cancelled.position) {
        return stockcert_ledger_refused(error, STOCKCERT_ID
                                        " is cancelled already, by entry %"
                                        PRIu64,
                                        STOCKCERT_ID_OF(entry->code,
                                                        entry->number),
                                        cancelled.position);
    }

    return STOCKCERT_OK;
}
