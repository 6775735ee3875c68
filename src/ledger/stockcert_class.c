
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


stockcert_ledger_class_t *
stockcert_class_need(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, stockcert_error_t *error)
{
    stockcert_ledger_class_t  *class;

    class = stockcert_class_find(ledger, ledger->nmet, code->data,
                                 code->len);

    if (class == NULL) {
        (void) stockcert_ledger_damaged(error, "a class is missing");
        return NULL;
    }

    return stockcert_class_load(ledger, class, error) == STOCKCERT_OK ? class
                                                                      : NULL;
}


stockcert_rc_e
stockcert_ledger_authorized(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t *shares, stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    stockcert_ledger_class_t  *class;

    class = stockcert_class_find(ledger, ledger->nmet, code->data, code->len);

    if (class == NULL) {
        return STOCKCERT_NOT_FOUND;
    }

    rc = stockcert_class_load(ledger, class, error);

    *shares = class->record.authorized;

    return rc;
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

    return stockcert_class_add(ledger, &record, error);
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


/*
 * A class may have been opened after the ledger was, by the new workers of a
 * reload or by another machine.  Only the writer sees it, until
 * stockcert_ledger_adopt().
 */

stockcert_rc_e
stockcert_class_meet(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int                rc;
    size_t             i, n;
    MDB_stat           stat;
    stockcert_rc_e     failed;
    stockcert_class_t  classes[STOCKCERT_CLASSES_MAX];

    rc = mdb_stat(ledger->writer, ledger->class, &stat);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_stat()", rc);
    }

    if (stat.ms_entries == ledger->nmet) {
        return STOCKCERT_OK;
    }

    failed = stockcert_class_list(ledger, ledger->writer, classes, &n, error);

    for (i = 0; failed == STOCKCERT_OK && i < n; i++) {
        if (stockcert_class_find(ledger, ledger->nmet, classes[i].code.data,
                                 classes[i].code.len)
            == NULL)
        {
            failed = stockcert_class_add(ledger, &classes[i], error);
        }
    }

    return failed;
}


stockcert_rc_e
stockcert_class_list(const stockcert_ledger_t *ledger, MDB_txn *txn,
    stockcert_class_t *classes, size_t *n, stockcert_error_t *error)
{
    int          rc;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(txn, ledger->class, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    for (*n = 0; /* void */ ; (*n)++) {

        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);

        if (rc != 0 || *n == STOCKCERT_CLASSES_MAX
            || stockcert_class_decode(&key, &value, &classes[*n]) != 0)
        {
            break;
        }
    }

    mdb_cursor_close(cursor);

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_OK;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_get()", rc);
    }

    return stockcert_ledger_damaged(error, *n == STOCKCERT_CLASSES_MAX
                                           ? "it has too many classes"
                                           : "a class is not readable");
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
