
/*
 * The reader's side: a snapshot, and what is looked up in it.
 *
 * It runs in a read-only transaction, and writes nothing.
 */


#include <errno.h>
#include <string.h>

#include "stockcert_store.h"


static stockcert_rc_e stockcert_ledger_count_unposted(
    stockcert_ledger_t *ledger, stockcert_class_t *classes, size_t n,
    stockcert_error_t *error);


stockcert_rc_e
stockcert_ledger_snapshot(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int  rc;

    rc = mdb_txn_renew(ledger->reader);

    /*
     * somebody raised the size; a writer in this process might be using the
     * map
     */

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
    return stockcert_journal_last(ledger, ledger->reader, entry, error);
}


stockcert_rc_e
stockcert_ledger_class(stockcert_ledger_t *ledger, const char *code,
    size_t len, stockcert_class_t *class, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (!stockcert_ledger_has_class(ledger, code, len)) {
        return STOCKCERT_NOT_FOUND;
    }

    rc = stockcert_class_get(ledger, ledger->reader, code, len, class,
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
    stockcert_rc_e  rc;

    rc = stockcert_class_list(ledger, ledger->reader, classes, n, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    return stockcert_ledger_count_unposted(ledger, classes, *n, error);
}


/* adds the unposted entries to the counters of n classes */

static stockcert_rc_e
stockcert_ledger_count_unposted(stockcert_ledger_t *ledger,
    stockcert_class_t *classes, size_t n, stockcert_error_t *error)
{
    int                 rc;
    MDB_cursor         *cursor;
    stockcert_rc_e      found;
    stockcert_entry_t   entry;
    stockcert_class_t  *class;

    rc = mdb_cursor_open(ledger->reader, ledger->journal, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    for ( ;; ) {
        found = stockcert_journal_unposted(cursor, &entry, error);
        if (found != STOCKCERT_OK) {
            break;
        }

        class = (stockcert_class_t *) stockcert_class_of(classes, n,
                                                         &entry.code);
        if (class == NULL) {
            continue;
        }

        if (entry.shares > class->authorized - class->issued) {
            found = stockcert_ledger_damaged(error,
                                             "a class has too many shares out");
            break;
        }

        class->issued += entry.shares;
        class->last++;
    }

    mdb_cursor_close(cursor);

    return found == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : found;
}


stockcert_rc_e
stockcert_ledger_certificate(stockcert_ledger_t *ledger, const char *code,
    size_t len, uint64_t number, stockcert_certificate_t *certificate,
    stockcert_error_t *error)
{
    return stockcert_ledger_certificates(ledger, code, len, number, 1,
                                         certificate, error);
}


stockcert_rc_e
stockcert_ledger_certificates(stockcert_ledger_t *ledger, const char *code,
    size_t len, uint64_t number, size_t n,
    stockcert_certificate_t *certificates, stockcert_error_t *error)
{
    stockcert_ledger_class_t  *class;

    class = stockcert_class_find(ledger, ledger->nclasses, code, len);
    if (class == NULL) {
        return STOCKCERT_NOT_FOUND;
    }

    return stockcert_certificate_list(ledger, ledger->reader, class, number, n,
                                      certificates, error);
}


stockcert_rc_e
stockcert_ledger_surrendered(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t number, uint64_t *position,
    stockcert_error_t *error)
{
    stockcert_ledger_class_t  *class;

    class = stockcert_class_find(ledger, ledger->nclasses, code->data,
                                 code->len);
    if (class == NULL) {
        return stockcert_ledger_damaged(error, "a class is not there");
    }

    return stockcert_certificate_surrendered(ledger->reader, class, number,
                                             position, error);
}


stockcert_rc_e
stockcert_ledger_entry(stockcert_ledger_t *ledger, uint64_t position,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    return stockcert_journal_get(ledger, ledger->reader, position, entry,
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
 * Copies the file as it is, page by page.  A copy without the free pages would
 * walk all trees in one long read.
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
stockcert_ledger_transactions(stockcert_ledger_t *ledger, uint64_t after,
    uint64_t *numbers, size_t *n, stockcert_error_t *error)
{
    int          rc;
    size_t       room;
    uint8_t      bytes[8];
    MDB_val      key, value;
    MDB_cursor  *cursor;

    room = *n;
    *n = 0;

    if (after == UINT64_MAX) {
        return STOCKCERT_OK;
    }

    rc = mdb_cursor_open(ledger->reader, ledger->transactions, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    stockcert_put64(bytes, after + 1);

    key.mv_size = sizeof(bytes);
    key.mv_data = bytes;

    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
         rc == 0 && *n < room && key.mv_size == sizeof(bytes);
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
    {
        numbers[(*n)++] = stockcert_get64(key.mv_data);
    }

    mdb_cursor_close(cursor);

    return rc == 0 || rc == MDB_NOTFOUND
           ? STOCKCERT_OK : stockcert_ledger_error(error, "mdb_cursor_get()",
                                                   rc);
}


stockcert_rc_e
stockcert_ledger_was_authorized(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t shares, stockcert_error_t *error)
{
    int          rc;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(ledger->reader, ledger->amendments, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    key.mv_size = code->len;
    key.mv_data = (void *) code->data;

    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
         rc == 0 && key.mv_size == code->len + 8
         && memcmp(key.mv_data, code->data, code->len) == 0;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
    {
        if (value.mv_size == 8 && stockcert_get64(value.mv_data) == shares) {
            mdb_cursor_close(cursor);
            return STOCKCERT_OK;
        }
    }

    mdb_cursor_close(cursor);

    return rc == 0 || rc == MDB_NOTFOUND
           ? STOCKCERT_NOT_FOUND
           : stockcert_ledger_error(error, "mdb_cursor_get()", rc);
}
