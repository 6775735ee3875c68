
/*
 * Issues certificates for grants, or says why not; finds certificates by their
 * idempotency keys.
 *
 * It runs in the writer's transaction.
 */


#include <string.h>

#include "stockcert_store.h"


static stockcert_rc_e stockcert_ledger_grant(stockcert_ledger_t *ledger,
    stockcert_slot_t *slot, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_find(stockcert_ledger_t *ledger,
    stockcert_slot_t *slot, stockcert_error_t *error);
static void stockcert_ledger_issued(stockcert_outcome_t *outcome,
    const stockcert_entry_t *entry);


stockcert_rc_e
stockcert_ledger_issue(stockcert_ledger_t *ledger, stockcert_slot_t *slots,
    size_t n, stockcert_error_t *error)
{
    size_t          i;
    stockcert_rc_e  rc;

    for (i = 0; i < n; i++) {
        rc = stockcert_ledger_grant(ledger, &slots[i], error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_ledger_replay(stockcert_ledger_t *ledger, stockcert_slot_t *slots,
    size_t n, stockcert_status_e status, stockcert_error_t *error)
{
    size_t          i;
    stockcert_rc_e  rc;

    for (i = 0; i < n; i++) {
        rc = slots[i].grant.key_len
             ? stockcert_ledger_find(ledger, &slots[i], error)
             : STOCKCERT_NOT_FOUND;

        if (rc == STOCKCERT_NOT_FOUND) {
            slots[i].outcome.status = status;

        } else if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ledger_grant(stockcert_ledger_t *ledger, stockcert_slot_t *slot,
    stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    stockcert_entry_t          entry;
    stockcert_fixed_t          fixed;
    stockcert_grant_t         *grant;
    stockcert_outcome_t       *outcome;
    stockcert_ledger_class_t  *class;

    grant = &slot->grant;
    outcome = &slot->outcome;

    outcome->replayed = 0;

    if (grant->key_len) {
        rc = stockcert_ledger_find(ledger, slot, error);
        if (rc != STOCKCERT_NOT_FOUND) {
            return rc;
        }
    }

    class = stockcert_class_find(ledger, ledger->nclasses, grant->code,
                                 grant->code_len);

    if (class == NULL) {
        outcome->status = STOCKCERT_NO_CLASS;
        return STOCKCERT_OK;
    }

    rc = stockcert_class_load(ledger, class, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    outcome->remaining = class->record.authorized - class->record.issued;

    if (grant->amount > outcome->remaining) {
        outcome->status = STOCKCERT_INSUFFICIENT;
        return STOCKCERT_OK;
    }

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
    entry.number = class->record.last + 1;
    entry.shares = grant->amount;
    entry.code = class->record.code;
    entry.text.len = grant->name_len;
    entry.text.data = grant->name;
    entry.key.len = grant->key_len;
    entry.key.data = grant->key;

    rc = stockcert_fix(ledger, &entry, &fixed, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_apply(ledger, &entry, &fixed, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_ledger_issued(outcome, &entry);

    return STOCKCERT_OK;
}


/* returns STOCKCERT_NOT_FOUND if no certificate has the grant's key */

static stockcert_rc_e
stockcert_ledger_find(stockcert_ledger_t *ledger, stockcert_slot_t *slot,
    stockcert_error_t *error)
{
    stockcert_rc_e            rc;
    stockcert_entry_t         entry;
    const stockcert_grant_t  *grant;

    grant = &slot->grant;

    rc = stockcert_keys_find(ledger, grant->key, grant->key_len,
                             &entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (entry.shares != grant->amount
        || !stockcert_same(entry.code.data, entry.code.len, grant->code,
                           grant->code_len)
        || !stockcert_same(entry.text.data, entry.text.len, grant->name,
                           grant->name_len))
    {
        slot->outcome.status = STOCKCERT_KEY_REUSED;
        return STOCKCERT_OK;
    }

    /*
     * A transaction that changes nothing flushes nothing.  Another process may
     * have committed this entry, and died before its flush.
     */

    if (!ledger->flushed) {
        rc = stockcert_ledger_flush(ledger, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        ledger->flushed = 1;
    }

    slot->outcome.replayed = 1;

    stockcert_ledger_issued(&slot->outcome, &entry);

    return STOCKCERT_OK;
}


static void
stockcert_ledger_issued(stockcert_outcome_t *outcome,
    const stockcert_entry_t *entry)
{
    outcome->status = STOCKCERT_ISSUED;
    outcome->position = entry->position;
    outcome->number = entry->number;
    outcome->time = entry->time;
    memcpy(outcome->seal, entry->seal, STOCKCERT_SEAL_LEN);
}
