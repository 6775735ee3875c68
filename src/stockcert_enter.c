
#include <inttypes.h>
#include <string.h>

#include "stockcert_ledger_int.h"


static stockcert_rc_e stockcert_ledger_check_next(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_enter_other(
    stockcert_ledger_t *ledger, stockcert_ledger_class_t *class,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_enter_opened(
    stockcert_ledger_t *ledger, stockcert_ledger_class_t *class,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_enter_issued(
    stockcert_ledger_t *ledger, stockcert_ledger_class_t *class,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_enter_amended(
    stockcert_ledger_t *ledger, stockcert_ledger_class_t *class,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_enter_cancelled(
    stockcert_ledger_t *ledger, stockcert_ledger_class_t *class,
    stockcert_entry_t *entry, stockcert_error_t *error);


stockcert_rc_e
stockcert_ledger_enter(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    const uint8_t             *seal;
    stockcert_ledger_class_t  *class;

    rc = stockcert_ledger_check_next(ledger, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    class = stockcert_ledger_find_class(ledger, ledger->nclasses,
                                        entry->code.data, entry->code.len);

    if (class == NULL && entry->kind != STOCKCERT_CLASS_OPENED) {
        return stockcert_ledger_refused(error, "the ledger has no class %.*s",
                                        (int) entry->code.len,
                                        entry->code.data);
    }

    if (class) {
        rc = stockcert_ledger_load(ledger, class, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    rc = entry->kind == STOCKCERT_CERTIFICATE_ISSUED
         ? stockcert_ledger_enter_issued(ledger, class, entry, error)
         : stockcert_ledger_enter_other(ledger, class, entry, error);

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    seal = entry->seal;
    entry->seal = ledger->seal;

    if (seal && memcmp(seal, ledger->seal, STOCKCERT_SEAL_LEN) != 0) {
        return stockcert_ledger_refused(error, "entry %" PRIu64
                                        " has another seal", entry->position);
    }

    return STOCKCERT_OK;
}


/* one that issues nothing is posted at once, and all that comes before it */

static stockcert_rc_e
stockcert_ledger_enter_other(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_post(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    switch (entry->kind) {

    case STOCKCERT_CLASS_OPENED:
        rc = stockcert_ledger_enter_opened(ledger, class, entry, error);
        break;

    case STOCKCERT_CLASS_AMENDED:
        rc = stockcert_ledger_enter_amended(ledger, class, entry, error);
        break;

    default: /* STOCKCERT_CERTIFICATE_CANCELLED */
        rc = stockcert_ledger_enter_cancelled(ledger, class, entry, error);
        break;
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    /* what it does is done but for the class's counters */

    ledger->posted = ledger->position;

    return stockcert_ledger_post(ledger, error);
}


/* what is asked of entries of all kinds */

static stockcert_rc_e
stockcert_ledger_check_next(stockcert_ledger_t *ledger,
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
stockcert_ledger_enter_opened(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_entry_t *entry,
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

    return stockcert_ledger_open_class(ledger, entry, error);
}


static stockcert_rc_e
stockcert_ledger_enter_issued(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  other;

    if (entry->number != class->record.last + 1) {
        return stockcert_ledger_refused(error, "the next certificate is "
                                        "%.*s-%" PRIu64, (int) entry->code.len,
                                        entry->code.data,
                                        class->record.last + 1);
    }

    if (entry->shares > class->record.authorized - class->record.issued) {
        return stockcert_ledger_refused(error, "class %.*s has %" PRIu64
                                        " shares left", (int) entry->code.len,
                                        entry->code.data,
                                        class->record.authorized
                                        - class->record.issued);
    }

    if (entry->key.len) {
        rc = stockcert_ledger_find_request(ledger, entry->key.data,
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

    return stockcert_ledger_put_issued(ledger, class, entry, error);
}


static stockcert_rc_e
stockcert_ledger_enter_amended(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    if (entry->shares < class->record.issued) {
        return stockcert_ledger_refused(error, "class %.*s has %" PRIu64
                                        " shares out: no fewer can be "
                                        "authorized", (int) entry->code.len,
                                        entry->code.data,
                                        class->record.issued);
    }

    class->record.authorized = entry->shares;
    class->changed = 1;

    return stockcert_ledger_append(ledger, entry, error);
}


static stockcert_rc_e
stockcert_ledger_enter_cancelled(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    uint64_t           shares, position;
    stockcert_rc_e     rc;
    stockcert_entry_t  issued, cancelled;

    rc = stockcert_ledger_get_certificate(ledger, ledger->writer, class,
                                          entry->number, &issued, &cancelled,
                                          error);
    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_ledger_refused(error, "%.*s-%" PRIu64
                                        " was never issued",
                                        (int) entry->code.len,
                                        entry->code.data, entry->number);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (cancelled.position) {
        return stockcert_ledger_refused(error, "%.*s-%" PRIu64
                                        " is cancelled already, by entry %"
                                        PRIu64, (int) entry->code.len,
                                        entry->code.data, entry->number,
                                        cancelled.position);
    }

    /* the next write may move what is read */

    shares = issued.shares;
    position = issued.position;

    rc = stockcert_ledger_append(ledger, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    class->record.issued -= shares;
    class->changed = 1;

    return stockcert_ledger_put_certificate(ledger, class, entry->number,
                                            position, entry->position, error);
}
