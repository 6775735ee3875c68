
/*
 * Applying a fixed entry.  It becomes the next one of the journal, and the
 * other databases are changed accordingly.  The effect follows from the entry
 * and the ledger alone.
 *
 * It runs in the writer's transaction.  It reads no clock, checks no rule and
 * makes no choice.
 */


#include <assert.h>
#include <string.h>

#include "stockcert_store.h"


typedef stockcert_rc_e (*stockcert_apply_pt)(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);


static stockcert_rc_e stockcert_apply_opened(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_apply_issued(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_apply_amended(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_apply_surrendered(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_apply_holder(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_apply_find(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_certificate_t *certificate, stockcert_error_t *error);


/* what an entry does, by kind, once it is in the journal */

static const stockcert_apply_pt  stockcert_effects[] = {
    [STOCKCERT_CLASS_OPENED] = stockcert_apply_opened,
    [STOCKCERT_CERTIFICATE_ISSUED] = stockcert_apply_issued,
    [STOCKCERT_CLASS_AMENDED] = stockcert_apply_amended,
    [STOCKCERT_CERTIFICATE_SURRENDERED] = stockcert_apply_surrendered,
    [STOCKCERT_HOLDER_CHANGED] = stockcert_apply_holder
};


_Static_assert(sizeof(stockcert_effects) / sizeof(stockcert_effects[0])
               == STOCKCERT_KIND_END, "each kind has an effect");


/*
 * an entry that issues no certificate is posted at once, after all before it
 */

stockcert_rc_e
stockcert_apply(stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    const stockcert_fixed_t *fixed, stockcert_error_t *error)
{
    unsigned                   waits;
    stockcert_rc_e             rc;
    stockcert_ledger_class_t  *class;

    waits = (entry->kind == STOCKCERT_CERTIFICATE_ISSUED);

    if (!waits) {
        rc = stockcert_post(ledger, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    class = stockcert_class_find(ledger, ledger->nmet, entry->code.data,
                                 entry->code.len);

    assert((class == NULL) == (entry->kind == STOCKCERT_CLASS_OPENED));

    rc = stockcert_journal_put(ledger, entry, fixed, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_effects[entry->kind](ledger, class, entry, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    assert(class == NULL || class->record.issued <= class->record.authorized);

    stockcert_post_note(ledger, waits ? class : NULL, entry);

    return stockcert_journal_posts(entry) ? stockcert_post(ledger, error)
                                          : STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_apply_opened(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    (void) class;

    return stockcert_class_open(ledger, entry, error);
}


static stockcert_rc_e
stockcert_apply_issued(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    (void) ledger;
    (void) error;

    assert(entry->number == class->record.last + 1);

    class->record.last = entry->number;
    class->record.issued += entry->shares;
    class->changed = 1;

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_apply_amended(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    return stockcert_class_amend(ledger, class, entry, error);
}


static stockcert_rc_e
stockcert_apply_surrendered(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int                      rc;
    uint8_t                  position[8];
    MDB_val                  key, value;
    stockcert_rc_e           found;
    stockcert_certificate_t  certificate;

    found = stockcert_apply_find(ledger, class, entry, &certificate, error);
    if (found != STOCKCERT_OK) {
        return found;
    }

    if (certificate.issued.shares > class->record.issued) {
        return stockcert_ledger_damaged(error, "a certificate has more shares "
                                        "than its class has out");
    }

    class->record.issued -= certificate.issued.shares;
    class->changed = 1;

    if (entry->member == 1) {
        stockcert_put64(position, entry->position);

        key.mv_size = sizeof(position);
        key.mv_data = position;
        value.mv_size = 0;
        value.mv_data = position;

        rc = mdb_put(ledger->writer, ledger->transactions, &key, &value,
                     MDB_APPEND);
        if (rc != 0) {
            return stockcert_ledger_error(error, "mdb_put()", rc);
        }
    }

    return stockcert_certificate_put(ledger, class, entry->number,
                                     certificate.issued.position,
                                     entry->position, error);
}


static stockcert_rc_e
stockcert_apply_holder(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e           rc;
    stockcert_holder_t       holder;
    stockcert_certificate_t  certificate;

    rc = stockcert_apply_find(ledger, class, entry, &certificate, error);

    /* who had it before this entry, which is not found yet */

    if (rc == STOCKCERT_OK) {
        rc = stockcert_holder_get(ledger, ledger->writer, &certificate.issued,
                                  &holder, error);
    }

    return rc == STOCKCERT_OK
           ? stockcert_holder_put(ledger, &holder, entry->position, error)
           : rc;
}


/* the certificate that an entry is about */

static stockcert_rc_e
stockcert_apply_find(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_certificate_get(ledger, ledger->writer, class, entry->number,
                                   certificate, error);

    return rc == STOCKCERT_NOT_FOUND
           ? stockcert_ledger_damaged(error, "a certificate is missing") : rc;
}
