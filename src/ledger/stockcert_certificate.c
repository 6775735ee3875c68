
/*
 * Certificates by their numbers: "certificate:CODE" has the positions of the
 * entries about each.  A certificate that is not posted yet is looked for in
 * the journal.
 *
 * It reads in any transaction, and writes in the writer's.
 */


#include <string.h>

#include "stockcert_store.h"


static stockcert_rc_e stockcert_certificate_positions(MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number, MDB_val *positions,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_certificate_posted(
    const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_certificate_t *certificate, stockcert_error_t *error);
static stockcert_rc_e stockcert_certificate_unposted(
    const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number, size_t n,
    stockcert_certificate_t *certificates, stockcert_error_t *error);
static stockcert_rc_e stockcert_certificate_surrender(
    const stockcert_ledger_t *ledger, MDB_txn *txn, uint64_t position,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_surrender_t *surrender, stockcert_error_t *error);
static stockcert_rc_e stockcert_certificate_entry(
    const stockcert_ledger_t *ledger, MDB_txn *txn, uint64_t position,
    stockcert_kind_e kind, const stockcert_ledger_class_t *class,
    uint64_t number, stockcert_entry_t *entry, stockcert_error_t *error);


stockcert_rc_e
stockcert_certificate_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    return stockcert_certificate_list(ledger, txn, class, number, 1,
                                      certificate, error);
}


stockcert_rc_e
stockcert_certificate_list(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_ledger_class_t *class, uint64_t number,
    size_t n, stockcert_certificate_t *certificates, stockcert_error_t *error)
{
    size_t          i;
    stockcert_rc_e  rc;

    for (i = 0; i < n; i++) {
        rc = stockcert_certificate_posted(ledger, txn, class, number + i,
                                          &certificates[i], error);

        if (rc == STOCKCERT_NOT_FOUND) {
            return stockcert_certificate_unposted(ledger, txn, class,
                                                  number + i, n - i,
                                                  &certificates[i], error);
        }

        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    return STOCKCERT_OK;
}


/* of the entry that issued it, and of the one that surrendered it, if any */

static stockcert_rc_e
stockcert_certificate_positions(MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number, MDB_val *positions,
    stockcert_error_t *error)
{
    int      rc;
    uint8_t  bytes[8];
    MDB_val  key;

    stockcert_put64(bytes, number);

    key.mv_size = sizeof(bytes);
    key.mv_data = bytes;

    rc = mdb_get(txn, class->certificates, &key, positions);

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_NOT_FOUND;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    if (positions->mv_size != 8 && positions->mv_size != 16) {
        return stockcert_ledger_damaged(error, "a certificate is not readable");
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_certificate_posted(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    uint8_t        *positions;
    MDB_val         value;
    stockcert_rc_e  rc;

    memset(&certificate->surrender, 0, sizeof(stockcert_surrender_t));

    rc = stockcert_certificate_positions(txn, class, number, &value, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    positions = value.mv_data;

    rc = stockcert_certificate_entry(ledger, txn, stockcert_get64(positions),
                                     STOCKCERT_CERTIFICATE_ISSUED, class,
                                     number, &certificate->issued, error);

    if (rc != STOCKCERT_OK || value.mv_size == 8) {
        return rc;
    }

    return stockcert_certificate_surrender(ledger, txn,
                                           stockcert_get64(positions + 8),
                                           class, number,
                                           &certificate->surrender, error);
}


static stockcert_rc_e
stockcert_certificate_surrender(const stockcert_ledger_t *ledger,
    MDB_txn *txn, uint64_t position, const stockcert_ledger_class_t *class,
    uint64_t number, stockcert_surrender_t *surrender,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  entry, first;

    rc = stockcert_certificate_entry(ledger, txn, position,
                                     STOCKCERT_CERTIFICATE_SURRENDERED, class,
                                     number, &entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    surrender->position = position;
    surrender->time = entry.time;
    surrender->seal = entry.seal;
    surrender->transaction = stockcert_entry_first(&entry);

    rc = stockcert_journal_first(ledger, txn, &entry, &first, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    surrender->type = first.type;
    surrender->surrenders = first.surrenders;
    surrender->issues = first.issues;
    surrender->reference = first.reference;

    return STOCKCERT_OK;
}


/* one that is not posted is outstanding */

stockcert_rc_e
stockcert_certificate_surrendered(MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number, uint64_t *position,
    stockcert_error_t *error)
{
    MDB_val         positions;
    stockcert_rc_e  rc;

    *position = 0;

    rc = stockcert_certificate_positions(txn, class, number, &positions, error);

    if (rc == STOCKCERT_OK && positions.mv_size == 16) {
        *position = stockcert_get64((uint8_t *) positions.mv_data + 8);
    }

    return rc == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : rc;
}


/*
 * Goes back from the journal's end, once for all of them.  One that is
 * surrendered is posted.
 */

static stockcert_rc_e
stockcert_certificate_unposted(const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number, size_t n,
    stockcert_certificate_t *certificates, stockcert_error_t *error)
{
    int                 rc;
    MDB_cursor         *cursor;
    stockcert_rc_e      found;
    stockcert_entry_t   entry;

    rc = mdb_cursor_open(txn, ledger->journal, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    do {
        found = stockcert_journal_unposted(cursor, &entry, error);

        if (found != STOCKCERT_OK) {
            break;
        }

        if (!stockcert_str_same(&entry.code, &class->record.code)
            || entry.number > number + n - 1)
        {
            continue;
        }

        if (entry.number < number + n - 1) {
            found = STOCKCERT_NOT_FOUND;
            break;
        }

        n--;

        certificates[n].issued = entry;
        memset(&certificates[n].surrender, 0, sizeof(stockcert_surrender_t));
    } while (n);

    mdb_cursor_close(cursor);

    return found;
}


/*
 * reads an entry that must be there, of this kind and about this certificate
 */

static stockcert_rc_e
stockcert_certificate_entry(const stockcert_ledger_t *ledger, MDB_txn *txn,
    uint64_t position, stockcert_kind_e kind,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_journal_get(ledger, txn, position, entry, error);
    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return rc;
    }

    if (rc == STOCKCERT_NOT_FOUND || entry->kind != kind
        || entry->number != number
        || !stockcert_str_same(&entry->code, &class->record.code))
    {
        return stockcert_ledger_damaged(error,
                                        "a certificate is not in the journal");
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_certificate_put(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, uint64_t number, uint64_t issued,
    uint64_t surrendered, stockcert_error_t *error)
{
    int      rc;
    uint8_t  name[8], positions[16];
    MDB_val  key, value;

    stockcert_put64(name, number);
    stockcert_put64(positions, issued);
    stockcert_put64(positions + 8, surrendered);

    key.mv_size = sizeof(name);
    key.mv_data = name;
    value.mv_size = surrendered ? 16 : 8;
    value.mv_data = positions;

    /* MDB_APPEND also refuses a number that is not the highest */

    rc = mdb_put(ledger->writer, class->certificates, &key, &value,
                 surrendered ? 0 : MDB_APPEND);

    return stockcert_ledger_error(error, "mdb_put()", rc);
}
