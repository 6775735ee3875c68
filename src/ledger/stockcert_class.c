
/*
 * Classes: the records of the database "class", and the classes in memory.
 * The latter have the counters of the journal's end.
 *
 * It reads in any transaction, and writes in the writer's.
 */


#include <stdio.h>
#include <string.h>

#include "stockcert_store.h"
#include "stockcert_text.h"


static stockcert_rc_e stockcert_class_add(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error);
static stockcert_rc_e stockcert_class_open_certificates(
    stockcert_ledger_t *ledger, const stockcert_str_t *code,
    unsigned int create, MDB_dbi *dbi, stockcert_error_t *error);
static int stockcert_class_decode(const MDB_val *key, const MDB_val *value,
    stockcert_class_t *class);


stockcert_ledger_class_t *
stockcert_class_find(const stockcert_ledger_t *ledger, size_t n,
    const char *code, size_t len)
{
    size_t                           i;
    const stockcert_ledger_class_t  *class;

    for (i = 0; i < n; i++) {
        class = &ledger->classes[i];

        if (stockcert_same(class->code, class->record.code.len, code, len)) {
            return (stockcert_ledger_class_t *) class;
        }
    }

    return NULL;
}


stockcert_rc_e
stockcert_class_get(const stockcert_ledger_t *ledger, MDB_txn *txn,
    const char *code, size_t len, stockcert_class_t *class,
    stockcert_error_t *error)
{
    int      rc;
    MDB_val  key, value;

    key.mv_size = len;
    key.mv_data = (void *) code;

    rc = mdb_get(txn, ledger->class, &key, &value);

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_NOT_FOUND;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    if (stockcert_class_decode(&key, &value, class) != 0) {
        return stockcert_ledger_damaged(error, "a class is not readable");
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_class_put(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error)
{
    int      rc;
    uint8_t  bytes[24 + STOCKCERT_TEXT_MAX];
    MDB_val  key, value;

    stockcert_put64(bytes, class->authorized);
    stockcert_put64(bytes + 8, class->issued);
    stockcert_put64(bytes + 16, class->last);
    memcpy(bytes + 24, class->title.data, class->title.len);

    key.mv_size = class->code.len;
    key.mv_data = (void *) class->code.data;
    value.mv_size = 24 + class->title.len;
    value.mv_data = bytes;

    rc = mdb_put(ledger->writer, ledger->class, &key, &value, 0);

    return stockcert_ledger_error(error, "mdb_put()", rc);
}


stockcert_rc_e
stockcert_class_load(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_class_t  record;

    if (class->loaded) {
        return STOCKCERT_OK;
    }

    rc = stockcert_class_get(ledger, ledger->writer,
                             class->record.code.data,
                             class->record.code.len, &record, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_ledger_damaged(error, "a class is missing");
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    class->record.authorized = record.authorized;
    class->record.issued = record.issued;
    class->record.last = record.last;
    class->loaded = 1;
    class->changed = 0;

    return STOCKCERT_OK;
}


/*
 * A class may have been opened after the ledger was, for example by the new
 * workers of a reload.  Only the writer sees it, until its transaction ends.
 */

stockcert_ledger_class_t *
stockcert_class_meet(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    stockcert_class_t          record;
    stockcert_ledger_class_t  *class;

    class = stockcert_class_find(ledger, ledger->nmet, code->data,
                                 code->len);
    rc = STOCKCERT_OK;

    if (class == NULL) {
        class = &ledger->classes[ledger->nmet];

        rc = stockcert_class_get(ledger, ledger->writer, code->data,
                                 code->len, &record, error);
        if (rc == STOCKCERT_OK) {
            rc = stockcert_class_add(ledger, &record, error);
        }
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_class_load(ledger, class, error);
    }

    if (rc == STOCKCERT_NOT_FOUND) {
        rc = stockcert_ledger_damaged(error, "a class is missing");
    }

    return rc == STOCKCERT_OK ? class : NULL;
}


stockcert_rc_e
stockcert_class_open(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    MDB_dbi            certificates;
    stockcert_rc_e     rc;
    stockcert_class_t  record;

    memset(&record, 0, sizeof(stockcert_class_t));

    record.code = entry->code;
    record.title = entry->title;
    record.authorized = entry->shares;

    rc = stockcert_class_put(ledger, &record, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_class_open_certificates(ledger, &record.code, MDB_CREATE,
                                           &certificates, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    return stockcert_class_read_all(ledger, error);
}


/*
 * The database "amendment": code, position -> the number that was authorized
 * until then.  No code has a byte 0, with which a position begins: so those of
 * one class are side by side.
 */

stockcert_rc_e
stockcert_class_amend(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int      rc;
    uint8_t  name[STOCKCERT_CODE_MAX + 8], was[8];
    MDB_val  key, value;

    memcpy(name, entry->code.data, entry->code.len);
    stockcert_put64(name + entry->code.len, entry->position);
    stockcert_put64(was, class->record.authorized);

    key.mv_size = entry->code.len + 8;
    key.mv_data = name;
    value.mv_size = sizeof(was);
    value.mv_data = was;

    rc = mdb_put(ledger->writer, ledger->amendments, &key, &value,
                 MDB_NOOVERWRITE);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_put()", rc);
    }

    class->record.authorized = entry->shares;
    class->changed = 1;

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_class_read_all(stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    int                rc;
    MDB_val            key, value;
    MDB_cursor        *cursor;
    stockcert_rc_e     failed;
    stockcert_class_t  class;

    ledger->nmet = 0;

    rc = mdb_cursor_open(ledger->writer, ledger->class, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    failed = STOCKCERT_OK;

    while (failed == STOCKCERT_OK) {

        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (rc != 0) {
            break;
        }

        if (stockcert_class_decode(&key, &value, &class) != 0) {
            failed = stockcert_ledger_damaged(error,
                                              "a class is not readable");
            break;
        }

        failed = stockcert_class_add(ledger, &class, error);
    }

    mdb_cursor_close(cursor);

    ledger->nclasses = ledger->nmet;

    if (failed != STOCKCERT_OK || rc == MDB_NOTFOUND) {
        return failed;
    }

    return stockcert_ledger_error(error, "mdb_cursor_get()", rc);
}


static stockcert_rc_e
stockcert_class_add(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    stockcert_ledger_class_t  *c;

    if (ledger->nmet == STOCKCERT_CLASSES_MAX) {
        return stockcert_ledger_damaged(error, "it has too many classes");
    }

    c = &ledger->classes[ledger->nmet];

    memcpy(c->code, class->code.data, class->code.len);
    memcpy(c->title, class->title.data, class->title.len);

    c->record = *class;
    c->record.code.data = c->code;
    c->record.title.data = c->title;
    c->loaded = 0;
    c->changed = 0;

    rc = stockcert_class_open_certificates(ledger, &class->code, 0,
                                           &c->certificates, error);
    if (rc == STOCKCERT_OK) {
        ledger->nmet++;
    }

    return rc;
}


static stockcert_rc_e
stockcert_class_open_certificates(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, unsigned int create, MDB_dbi *dbi,
    stockcert_error_t *error)
{
    char  name[sizeof("certificate:") + STOCKCERT_CODE_MAX];

    snprintf(name, sizeof(name), "certificate:%.*s", (int) code->len,
             code->data);

    return stockcert_files_open_dbi(ledger, name, create, dbi, error);
}


/*
 * Somebody may have made this file by hand.  So all that is read of it is
 * checked here, before anything uses it.
 */

static int
stockcert_class_decode(const MDB_val *key, const MDB_val *value,
    stockcert_class_t *class)
{
    const uint8_t  *p;

    if (value->mv_size < 24) {
        return -1;
    }

    p = value->mv_data;

    class->code.len = key->mv_size;
    class->code.data = key->mv_data;
    class->authorized = stockcert_get64(p);
    class->issued = stockcert_get64(p + 8);
    class->last = stockcert_get64(p + 16);
    class->title.len = value->mv_size - 24;
    class->title.data = (const char *) p + 24;

    return class->authorized && class->authorized <= STOCKCERT_SHARES_MAX
           && class->issued <= class->authorized
           && class->last <= STOCKCERT_SHARES_MAX
           && stockcert_code_fault(class->code.data, class->code.len) == NULL
           && stockcert_text_fault(class->title.data, class->title.len) == NULL
           ? 0 : -1;
}
