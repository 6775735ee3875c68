
/*
 * The journal: its entries by position, its end, and what the writer knows of
 * that.  All that is read of the journal is decoded, and so checked, here.
 *
 * It reads in any transaction, and writes in the writer's.
 */


#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_store.h"
#include "stockcert_text.h"


static stockcert_rc_e stockcert_journal_decode(const MDB_val *key,
    const MDB_val *value, stockcert_entry_t *entry, stockcert_error_t *error);


stockcert_rc_e
stockcert_journal_get(const stockcert_ledger_t *ledger, MDB_txn *txn,
    uint64_t position, stockcert_entry_t *entry, stockcert_error_t *error)
{
    int      rc;
    uint8_t  bytes[8];
    MDB_val  key, value;

    stockcert_put64(bytes, position);

    key.mv_size = sizeof(bytes);
    key.mv_data = bytes;

    rc = mdb_get(txn, ledger->journal, &key, &value);

    if (rc == MDB_NOTFOUND) {
        snprintf(error->text, sizeof(error->text),
                 "entry %" PRIu64 " is not in the journal", position);

        return STOCKCERT_NOT_FOUND;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    return stockcert_journal_decode(&key, &value, entry, error);
}


stockcert_rc_e
stockcert_journal_last(const stockcert_ledger_t *ledger, MDB_txn *txn,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    int          rc;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(txn, ledger->journal, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);

    mdb_cursor_close(cursor);

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_NOT_FOUND;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_get()", rc);
    }

    return stockcert_journal_decode(&key, &value, entry, error);
}


stockcert_rc_e
stockcert_journal_first(const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_entry_t *entry, stockcert_entry_t *first,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (entry->member == 1) {
        *first = *entry;
        return STOCKCERT_OK;
    }

    rc = stockcert_journal_get(ledger, txn, stockcert_entry_first(entry), first,
                               error);

    if (rc == STOCKCERT_NOT_FOUND || (rc == STOCKCERT_OK && first->member != 1))
    {
        return stockcert_ledger_damaged(error,
                                        "a transaction has no first entry");
    }

    return rc;
}


stockcert_rc_e
stockcert_journal_read_tail(stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  last;

    ledger->behind = 0;

    rc = stockcert_journal_last(ledger, ledger->writer, &last, error);

    switch (rc) {

    case STOCKCERT_OK:
        ledger->known = ledger->known && ledger->position == last.position
                        && memcmp(ledger->seal, last.seal, STOCKCERT_SEAL_LEN)
                           == 0;

        ledger->position = last.position;
        ledger->time = last.time;
        memcpy(ledger->seal, last.seal, STOCKCERT_SEAL_LEN);
        return STOCKCERT_OK;

    case STOCKCERT_NOT_FOUND:
        ledger->known = 0;
        ledger->position = 0;
        ledger->time = 0;
        memcpy(ledger->seal, ledger->header_seal, STOCKCERT_SEAL_LEN);
        return STOCKCERT_OK;

    default:
        return rc;
    }
}


stockcert_rc_e
stockcert_ledger_has(stockcert_ledger_t *ledger, uint64_t position,
    const uint8_t *seal, stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    rc = stockcert_journal_get(ledger, ledger->writer, position, &entry,
                               error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    return memcmp(entry.seal, seal, STOCKCERT_SEAL_LEN) == 0
           ? STOCKCERT_OK : STOCKCERT_NOT_FOUND;
}


void
stockcert_ledger_tail(const stockcert_ledger_t *ledger, stockcert_tail_t *tail)
{
    tail->position = ledger->position;
    memcpy(tail->seal, ledger->seal, STOCKCERT_SEAL_LEN);
}


stockcert_rc_e
stockcert_journal_check_known(stockcert_ledger_t *ledger,
    const stockcert_tail_t *known, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (known->position == 0
        || (known->position == ledger->position
            && memcmp(known->seal, ledger->seal, STOCKCERT_SEAL_LEN) == 0))
    {
        return STOCKCERT_OK;
    }

    rc = stockcert_ledger_has(ledger, known->position, known->seal, error);

    if (rc != STOCKCERT_NOT_FOUND) {
        return rc;
    }

    snprintf(error->text, sizeof(error->text),
             "entry %" PRIu64 ", which was committed, is not in it: data.mdb is "
             "an older or another one now; put the newest back, or, to go on "
             "with this one, stop nginx and start it again", known->position);

    return STOCKCERT_REPLACED;
}


stockcert_rc_e
stockcert_journal_put(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, const stockcert_fixed_t *fixed,
    stockcert_error_t *error)
{
    int      rc;
    uint8_t  position[8];
    MDB_val  key, value;

    assert(entry->position == ledger->position + 1);
    assert(entry->time >= ledger->time);

    stockcert_put64(position, entry->position);

    key.mv_size = sizeof(position);
    key.mv_data = position;
    value.mv_size = fixed->len;
    value.mv_data = (void *) fixed->bytes;

    rc = mdb_put(ledger->writer, ledger->journal, &key, &value, MDB_APPEND);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_put()", rc);
    }

    ledger->position = entry->position;
    ledger->time = entry->time;
    ledger->entered += 2 + fixed->len;
    ledger->drawn |= (entry->nonce.len != 0);
    memcpy(ledger->seal, entry->seal, STOCKCERT_SEAL_LEN);

    return STOCKCERT_OK;
}


int
stockcert_journal_posts(const stockcert_entry_t *entry)
{
    return entry->kind != STOCKCERT_CERTIFICATE_ISSUED
           || entry->position % STOCKCERT_LOT == 0;
}


stockcert_rc_e
stockcert_journal_unposted(MDB_cursor *cursor, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int             rc;
    MDB_val         key, value;
    stockcert_rc_e  failed;

    rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV);

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_NOT_FOUND;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_get()", rc);
    }

    failed = stockcert_journal_decode(&key, &value, entry, error);
    if (failed != STOCKCERT_OK) {
        return failed;
    }

    return stockcert_journal_posts(entry) ? STOCKCERT_NOT_FOUND : STOCKCERT_OK;
}


/*
 * Somebody may have made this file by hand.  So all that is read of it is
 * checked here, before anything uses it.
 */

static stockcert_rc_e
stockcert_journal_decode(const MDB_val *key, const MDB_val *value,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    char         what[128];
    const char  *field, *fault;

    if (key->mv_size != 8
        || stockcert_entry_decode(value->mv_data, value->mv_size, entry) != 0)
    {
        return stockcert_ledger_damaged(error, "an entry is not readable");
    }

    entry->position = stockcert_get64(key->mv_data);

    fault = stockcert_entry_fault(entry, &field);

    if (fault == NULL && entry->member > entry->position) {
        field = "member";
        fault = "must have others before it";
    }

    if (fault == NULL && entry->position == 0) {
        field = "position";
        fault = "must not be 0";
    }

    if (fault) {
        snprintf(what, sizeof(what), "entry %" PRIu64 ": the %s %s",
                 entry->position, field, fault);

        return stockcert_ledger_damaged(error, what);
    }

    return STOCKCERT_OK;
}
