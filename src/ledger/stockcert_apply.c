
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
static stockcert_rc_e stockcert_apply_cancelled(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);


/* what an entry does, by kind, once it is in the journal */

static const stockcert_apply_pt  stockcert_effects[] = {
    [STOCKCERT_CLASS_OPENED] = stockcert_apply_opened,
    [STOCKCERT_CERTIFICATE_ISSUED] = stockcert_apply_issued,
    [STOCKCERT_CLASS_AMENDED] = stockcert_apply_amended,
    [STOCKCERT_CERTIFICATE_CANCELLED] = stockcert_apply_cancelled
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

    class = stockcert_class_find(ledger, ledger->nclasses, entry->code.data,
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

    if (!waits) {
        ledger->posted = ledger->position;
    }

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
    (void) error;

    assert(entry->number == class->record.last + 1);

    class->record.last = entry->number;
    class->record.issued += entry->shares;

    stockcert_post_note(ledger, class, entry);

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_apply_amended(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    (void) ledger;
    (void) error;

    class->record.authorized = entry->shares;
    class->changed = 1;

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_apply_cancelled(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  issued;

    rc = stockcert_certificate_get(ledger, ledger->writer, class, entry->number,
                                   &issued, NULL, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_ledger_damaged(error, "a certificate is missing");
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    class->record.issued -= issued.shares;
    class->changed = 1;

    return stockcert_certificate_put(ledger, class, entry->number,
                                     issued.position, entry->position, error);
}
