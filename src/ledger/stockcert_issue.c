
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
static stockcert_rc_e stockcert_ledger_enter_grant(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, stockcert_slot_t *slot,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_find(stockcert_ledger_t *ledger,
    stockcert_slot_t *slot, stockcert_error_t *error);
static int stockcert_ledger_asked(const stockcert_grant_t *grant,
    const stockcert_entry_t *entry);
static stockcert_rc_e stockcert_ledger_became(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_outcome_t *outcome,
    stockcert_error_t *error);
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

    class = stockcert_class_find(ledger, ledger->nmet, grant->code,
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

    return stockcert_ledger_enter_grant(ledger, class, slot, error);
}


/* all but the date of a grant, if it has one, was checked */

static stockcert_rc_e
stockcert_ledger_enter_grant(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, stockcert_slot_t *slot,
    stockcert_error_t *error)
{
    const char               *field;
    stockcert_rc_e            rc;
    stockcert_entry_t         entry;
    stockcert_fixed_t         fixed;
    const stockcert_grant_t  *grant;

    grant = &slot->grant;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
    entry.number = class->record.last + 1;
    entry.shares = grant->amount;
    entry.code = class->record.code;
    entry.name.len = grant->name_len;
    entry.name.data = grant->name;
    entry.key.len = grant->key_len;
    entry.key.data = grant->key;

    if (grant->more_len
        && stockcert_entry_read_fields(grant->more, grant->more_len,
                                       STOCKCERT_FIELD_REQUEST, &entry)
           != 0)
    {
        return stockcert_ledger_damaged(error, "a grant is not readable");
    }

    rc = stockcert_fix(ledger, &entry, &fixed, error);

    if (rc == STOCKCERT_OK && entry.effective.len
        && stockcert_entry_fault(&entry, &field) != NULL)
    {
        slot->outcome.status = STOCKCERT_NOT_YET;
        return STOCKCERT_OK;
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_apply(ledger, &entry, &fixed, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_ledger_issued(&slot->outcome, &entry);

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

    if (!stockcert_ledger_asked(grant, &entry)) {
        slot->outcome.status = STOCKCERT_KEY_REUSED;
        return STOCKCERT_OK;
    }

    rc = stockcert_ledger_became(ledger, &entry, &slot->outcome, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_flush_found(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    slot->outcome.replayed = 1;

    stockcert_ledger_issued(&slot->outcome, &entry);

    return STOCKCERT_OK;
}


/* whether an entry is what came of a grant, whoever asked for it */

static int
stockcert_ledger_asked(const stockcert_grant_t *grant,
    const stockcert_entry_t *entry)
{
    size_t             len;
    uint8_t            more[STOCKCERT_ENTRY_MAX];
    stockcert_entry_t  asked;

    if (entry->kind != STOCKCERT_CERTIFICATE_ISSUED
        || entry->shares != grant->amount
        || entry->code.len != grant->code_len
        || memcmp(entry->code.data, grant->code, grant->code_len) != 0
        || entry->name.len != grant->name_len
        || memcmp(entry->name.data, grant->name, grant->name_len) != 0)
    {
        return 0;
    }

    asked = *entry;
    asked.actor.len = 0;

    len = stockcert_entry_put_fields(&asked, STOCKCERT_FIELD_HOLDER_ID, more);

    return len == grant->asked_len && memcmp(more, grant->more, len) == 0;
}


/* what has become of the certificate since */

static stockcert_rc_e
stockcert_ledger_became(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_outcome_t *outcome,
    stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    stockcert_certificate_t    certificate;
    stockcert_ledger_class_t  *class;

    class = stockcert_class_need(ledger, &entry->code, error);
    if (class == NULL) {
        return STOCKCERT_FAILED;
    }

    rc = stockcert_certificate_get(ledger, ledger->writer, class, entry->number,
                                   &certificate, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_ledger_damaged(error, "a certificate is missing");
    }

    outcome->transaction = 0;

    if (rc == STOCKCERT_OK && certificate.surrender.position) {
        outcome->transaction = certificate.surrender.transaction;
        outcome->surrendered = certificate.surrender.time;
        outcome->cancelled = (certificate.surrender.issues == 0);
    }

    return rc;
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
