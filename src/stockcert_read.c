
#include <errno.h>
#include <string.h>

#include "stockcert_ledger_int.h"


static stockcert_rc_e stockcert_ledger_count_unposted(
    stockcert_ledger_t *ledger, stockcert_class_t *classes, size_t n,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_find_unposted(
    const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_about(const stockcert_ledger_t *ledger,
    MDB_txn *txn, uint64_t position, stockcert_kind_e kind,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_error_t *error);
static int stockcert_ledger_same(const stockcert_str_t *one,
    const stockcert_str_t *two);


stockcert_rc_e
stockcert_ledger_snapshot(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int  rc;

    rc = mdb_txn_renew(ledger->reader);

    /* somebody raised its size; with a writer, this could be in its way */

    if (rc == MDB_MAP_RESIZED && ledger->access == STOCKCERT_READ) {

        rc = mdb_env_set_mapsize(ledger->env, 0);

        if (rc == 0) {
            rc = mdb_txn_renew(ledger->reader);
        }
    }

    return stockcert_ledger_error(error, "mdb_txn_renew()", rc);
}


void
stockcert_ledger_release(stockcert_ledger_t *ledger)
{
    mdb_txn_reset(ledger->reader);
}


stockcert_rc_e
stockcert_ledger_last(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    return stockcert_ledger_get_last(ledger, ledger->reader, entry, error);
}


stockcert_rc_e
stockcert_ledger_class(stockcert_ledger_t *ledger, const char *code,
    size_t len, stockcert_class_t *class, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_get_class(ledger, ledger->reader, code, len, class,
                                    error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    return stockcert_ledger_count_unposted(ledger, class, 1, error);
}


stockcert_rc_e
stockcert_ledger_classes(stockcert_ledger_t *ledger,
    stockcert_class_t *classes, size_t *n, stockcert_error_t *error)
{
    size_t           i;
    stockcert_rc_e   rc;
    stockcert_str_t  code;

    for (i = 0; i < ledger->nclasses; i++) {
        code = ledger->classes[i].record.code;

        rc = stockcert_ledger_get_class(ledger, ledger->reader, code.data,
                                        code.len, &classes[i], error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    *n = ledger->nclasses;

    return stockcert_ledger_count_unposted(ledger, classes, *n, error);
}


/* what is not posted yet of n classes, into their counters */

static stockcert_rc_e
stockcert_ledger_count_unposted(stockcert_ledger_t *ledger,
    stockcert_class_t *classes, size_t n, stockcert_error_t *error)
{
    int                 rc;
    size_t              i;
    MDB_cursor         *cursor;
    stockcert_rc_e      found;
    stockcert_entry_t   entry;
    stockcert_class_t  *class;

    rc = mdb_cursor_open(ledger->reader, ledger->journal, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    for ( ;; ) {
        found = stockcert_ledger_get_unposted(cursor, &entry, error);
        if (found != STOCKCERT_OK) {
            break;
        }

        for (i = 0; i < n; i++) {
            class = &classes[i];

            if (!stockcert_ledger_same(&class->code, &entry.code)) {
                continue;
            }

            if (entry.shares > class->authorized - class->issued) {
                found = stockcert_ledger_damaged(error,
                                             "a class has too many shares out");
                goto done;
            }

            class->issued += entry.shares;
            class->last++;
        }
    }

done:

    mdb_cursor_close(cursor);

    return found == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : found;
}


stockcert_rc_e
stockcert_ledger_certificate(stockcert_ledger_t *ledger, const char *code,
    size_t len, uint64_t number, stockcert_entry_t *entry,
    stockcert_entry_t *cancelled, stockcert_error_t *error)
{
    stockcert_ledger_class_t  *class;

    class = stockcert_ledger_find_class(ledger, ledger->nclasses, code, len);
    if (class == NULL) {
        return STOCKCERT_NOT_FOUND;
    }

    return stockcert_ledger_get_certificate(ledger, ledger->reader, class,
                                            number, entry, cancelled, error);
}


stockcert_rc_e
stockcert_ledger_entry(stockcert_ledger_t *ledger, uint64_t position,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    return stockcert_ledger_get_entry(ledger, ledger->reader, position, entry,
                                      error);
}


stockcert_rc_e
stockcert_ledger_usage(stockcert_ledger_t *ledger, stockcert_usage_t *usage,
    stockcert_error_t *error)
{
    int          rc;
    MDB_stat     stat;
    MDB_envinfo  info;

    rc = mdb_env_info(ledger->env, &info);
    if (rc == 0) {
        rc = mdb_env_stat(ledger->env, &stat);
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_info()", rc);
    }

    usage->used = ((uint64_t) info.me_last_pgno + 1) * stat.ms_psize;
    usage->size = info.me_mapsize;
    usage->readers_max = info.me_maxreaders;

    return STOCKCERT_OK;
}


/*
 * Page by page: a copy that leaves out the free pages has to walk all trees in
 * one long read; this one is the file as it is.
 */

stockcert_rc_e
stockcert_ledger_copy(stockcert_ledger_t *ledger, int fd,
    stockcert_error_t *error)
{
    return stockcert_ledger_error(error, "mdb_env_copyfd2()",
                                  mdb_env_copyfd2(ledger->env, fd, 0));
}


stockcert_rc_e
stockcert_ledger_readers(stockcert_ledger_t *ledger,
    int (*write)(const char *line, void *data), void *data,
    stockcert_error_t *error)
{
    int  rc;

    rc = mdb_reader_list(ledger->env, write, data);

    return stockcert_ledger_error(error, "mdb_reader_list()", rc < 0 ? EIO : 0);
}


stockcert_rc_e
stockcert_ledger_get_certificate(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_entry_t *cancelled,
    stockcert_error_t *error)
{
    int             rc;
    uint8_t         bytes[8], *positions;
    MDB_val         key, value;
    stockcert_rc_e  failed;

    stockcert_put64(bytes, number);

    key.mv_size = sizeof(bytes);
    key.mv_data = bytes;

    rc = mdb_get(txn, class->certificates, &key, &value);

    if (rc == MDB_NOTFOUND) {

        /* one that is cancelled is posted */

        if (cancelled) {
            cancelled->position = 0;
        }

        return stockcert_ledger_find_unposted(ledger, txn, class, number, entry,
                                              error);
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    if (value.mv_size != 8 && value.mv_size != 16) {
        return stockcert_ledger_damaged(error, "a certificate is not readable");
    }

    positions = value.mv_data;

    failed = stockcert_ledger_about(ledger, txn, stockcert_get64(positions),
                                    STOCKCERT_CERTIFICATE_ISSUED, class, number,
                                    entry, error);

    if (failed != STOCKCERT_OK || cancelled == NULL) {
        return failed;
    }

    cancelled->position = 0;

    if (value.mv_size == 8) {
        return STOCKCERT_OK;
    }

    return stockcert_ledger_about(ledger, txn, stockcert_get64(positions + 8),
                                  STOCKCERT_CERTIFICATE_CANCELLED, class,
                                  number, cancelled, error);
}


static stockcert_rc_e
stockcert_ledger_find_unposted(const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    int             rc;
    MDB_cursor     *cursor;
    stockcert_rc_e  found;

    rc = mdb_cursor_open(txn, ledger->journal, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    for ( ;; ) {
        found = stockcert_ledger_get_unposted(cursor, entry, error);

        if (found != STOCKCERT_OK) {
            break;
        }

        if (stockcert_ledger_same(&entry->code, &class->record.code)
            && entry->number <= number)
        {
            found = entry->number == number ? STOCKCERT_OK
                                            : STOCKCERT_NOT_FOUND;
            break;
        }
    }

    mdb_cursor_close(cursor);

    return found;
}


stockcert_rc_e
stockcert_ledger_get_unposted(MDB_cursor *cursor, stockcert_entry_t *entry,
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

    failed = stockcert_ledger_decode(&key, &value, entry, error);
    if (failed != STOCKCERT_OK) {
        return failed;
    }

    return stockcert_ledger_posts(entry) ? STOCKCERT_NOT_FOUND : STOCKCERT_OK;
}


/* an entry that must be there, of this kind and about this certificate */

static stockcert_rc_e
stockcert_ledger_about(const stockcert_ledger_t *ledger, MDB_txn *txn,
    uint64_t position, stockcert_kind_e kind,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_get_entry(ledger, txn, position, entry, error);
    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return rc;
    }

    if (rc == STOCKCERT_NOT_FOUND || entry->kind != kind
        || entry->number != number
        || !stockcert_ledger_same(&entry->code, &class->record.code))
    {
        return stockcert_ledger_damaged(error,
                                        "a certificate is not in the journal");
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_ledger_get_entry(const stockcert_ledger_t *ledger, MDB_txn *txn,
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
        return STOCKCERT_NOT_FOUND;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    return stockcert_ledger_decode(&key, &value, entry, error);
}


stockcert_rc_e
stockcert_ledger_get_last(const stockcert_ledger_t *ledger, MDB_txn *txn,
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

    return stockcert_ledger_decode(&key, &value, entry, error);
}


stockcert_rc_e
stockcert_ledger_get_class(const stockcert_ledger_t *ledger, MDB_txn *txn,
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


static int
stockcert_ledger_same(const stockcert_str_t *one, const stockcert_str_t *two)
{
    return one->len == two->len && memcmp(one->data, two->data, one->len) == 0;
}
