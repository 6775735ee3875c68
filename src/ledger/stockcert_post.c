
/*
 * Posting: brings the other databases up to date with the journal, in lots
 * (docs/ARCHITECTURE.md, "Posting").
 *
 * It runs in the writer's transaction.
 */


#include <assert.h>
#include <string.h>

#include "stockcert_store.h"


static stockcert_rc_e stockcert_post_read(stockcert_ledger_t *ledger,
    MDB_cursor *cursor, stockcert_error_t *error);


/*
 * Checks quickly whether the databases belong together; "stockcert verify"
 * checks all of it.
 */

stockcert_rc_e
stockcert_post_check(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int                        rc;
    size_t                     i;
    uint64_t                   entries;
    MDB_dbi                    main;
    MDB_stat                   stat;
    stockcert_ledger_class_t  *class;

    rc = mdb_dbi_open(ledger->writer, NULL, 0, &main);
    if (rc == 0) {
        rc = mdb_stat(ledger->writer, main, &stat);
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_stat()", rc);
    }

    /* those of stockcert_schema.c, and each class's own */

    if (stat.ms_entries != STOCKCERT_DATABASES + ledger->nmet) {
        return stockcert_ledger_damaged(error,
                                        "classes and their databases differ");
    }

    entries = 0;

    for (i = 0; i < ledger->nmet; i++) {
        class = &ledger->classes[i];

        rc = mdb_stat(ledger->writer, class->certificates, &stat);
        if (rc != 0) {
            return stockcert_ledger_error(error, "mdb_stat()", rc);
        }

        if (stat.ms_entries != class->record.last) {
            return stockcert_ledger_damaged(error,
                                      "a class and its certificates differ");
        }

        entries += 1 + class->record.last;
    }

    rc = mdb_stat(ledger->writer, ledger->journal, &stat);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_stat()", rc);
    }

    /*
     * each class and certificate has an entry; entries of other kinds come on
     * top
     */

    if (stat.ms_entries != ledger->position || entries > ledger->position) {
        return stockcert_ledger_damaged(error, "the journal has lost entries");
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_post_catch_up(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int                        rc;
    size_t                     i;
    uint64_t                   position;
    MDB_cursor                *cursor;
    stockcert_rc_e             failed;
    stockcert_unposted_t      *unposted;
    stockcert_ledger_class_t  *class;

    if (ledger->known) {

        /* set again when this transaction is committed */

        ledger->known = 0;
        return STOCKCERT_OK;
    }

    /* databases that were opened in a transaction go when that is aborted */

    ledger->nmet = ledger->nkept;

    for (i = 0; i < ledger->nmet; i++) {
        ledger->classes[i].loaded = 0;
    }

    failed = stockcert_class_meet(ledger, error);
    if (failed != STOCKCERT_OK) {
        return failed;
    }

    rc = mdb_cursor_open(ledger->writer, ledger->journal, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    failed = stockcert_post_read(ledger, cursor, error);

    mdb_cursor_close(cursor);

    if (failed != STOCKCERT_OK) {
        return failed;
    }

    /* they were read from the last one back */

    for (position = ledger->posted + 1;
         position <= ledger->position;
         position++)
    {
        unposted = &ledger->unposted[position % STOCKCERT_LOT];
        class = unposted->class;

        class->record.last++;

        if (unposted->number != class->record.last) {
            return stockcert_ledger_damaged(error,
                                         "a class is not as of what is posted");
        }
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_post_read(stockcert_ledger_t *ledger, MDB_cursor *cursor,
    stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    stockcert_entry_t          entry;
    stockcert_ledger_class_t  *class;

    ledger->posted = ledger->position;

    for ( ;; ) {
        rc = stockcert_journal_unposted(cursor, &entry, error);

        if (rc == STOCKCERT_NOT_FOUND) {
            return STOCKCERT_OK;
        }

        if (rc != STOCKCERT_OK) {
            return rc;
        }

        if (entry.position != ledger->posted) {
            return stockcert_ledger_damaged(error, "an entry is missing");
        }

        class = stockcert_class_need(ledger, &entry.code, error);
        if (class == NULL) {
            return STOCKCERT_FAILED;
        }

        if (entry.shares > class->record.authorized - class->record.issued) {
            return stockcert_ledger_damaged(error,
                                            "a class has too many shares out");
        }

        class->record.issued += entry.shares;
        class->changed = 1;

        stockcert_post_note(ledger, class, &entry);

        ledger->posted--;
    }
}


void
stockcert_post_note(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry)
{
    stockcert_unposted_t  *unposted;

    assert(entry->position - ledger->posted <= STOCKCERT_LOT);

    unposted = &ledger->unposted[entry->position % STOCKCERT_LOT];

    unposted->class = class;
    unposted->number = entry->number;
    unposted->key_len = entry->key.len;

    if (entry->key.len) {
        memcpy(unposted->key, entry->key.data, entry->key.len);
    }
}


stockcert_rc_e
stockcert_post(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    size_t                     i;
    stockcert_rc_e             rc;
    stockcert_unposted_t      *unposted;
    stockcert_ledger_class_t  *class;

    rc = stockcert_keys_put(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    while (ledger->posted < ledger->position) {
        ledger->posted++;
        unposted = &ledger->unposted[ledger->posted % STOCKCERT_LOT];

        if (unposted->class == NULL) {
            continue;
        }

        rc = stockcert_certificate_put(ledger, unposted->class,
                                       unposted->number, ledger->posted,
                                       0, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    for (i = 0; i < ledger->nmet; i++) {
        class = &ledger->classes[i];

        if (!class->loaded || !class->changed) {
            continue;
        }

        rc = stockcert_class_put(ledger, &class->record, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        class->changed = 0;
    }

    return STOCKCERT_OK;
}
