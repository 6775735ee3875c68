
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "stockcert_ledger_int.h"


#define STOCKCERT_DISK_FULL  (1024 * 1024)     /* bytes, fewer are as none */


static void stockcert_ledger_end(stockcert_ledger_t *ledger);
static void stockcert_ledger_look_for_dead(stockcert_ledger_t *ledger);


/*
 * Writers queue here, at the kernel, before they ask for LMDB's lock.  That one
 * is what keeps them apart, also from other programs; but it is a robust mutex,
 * and if a waiter is killed just as it is woken, the others may sleep on until
 * somebody else has to wait.  A lock of the kernel's wakes all that wait.  It is
 * of data.mdb, and so also keeps apart writers who do not have the same lock.mdb.
 */

stockcert_rc_e
stockcert_ledger_lock(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    if (stockcert_lock_take(&ledger->lock, 0, ledger->interrupted) == -1) {
        return stockcert_ledger_busy(error, &ledger->lock);
    }

    ledger->locked = 1;

    return STOCKCERT_OK;
}


void
stockcert_ledger_unlock(stockcert_ledger_t *ledger)
{
    ledger->locked = 0;
    stockcert_lock_drop(&ledger->lock);
}


stockcert_rc_e
stockcert_ledger_begin_write(stockcert_ledger_t *ledger, unsigned wait,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (!ledger->locked
        && stockcert_lock_take(&ledger->lock, wait, ledger->interrupted) == -1)
    {
        return stockcert_ledger_busy(error, &ledger->lock);
    }

    rc = stockcert_ledger_error(error, "mdb_txn_begin()",
                                mdb_txn_begin(ledger->env, NULL, 0,
                                              &ledger->writer));
    if (rc != STOCKCERT_OK) {
        stockcert_ledger_end(ledger);
        return rc;
    }

    rc = stockcert_files_check(ledger, error);
    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
    }

    return rc;
}


/* the transaction has ended, and with it the lock that was taken for it */

static void
stockcert_ledger_end(stockcert_ledger_t *ledger)
{
    ledger->writer = NULL;

    if (!ledger->locked) {
        stockcert_lock_drop(&ledger->lock);
    }
}


stockcert_rc_e
stockcert_ledger_begin(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_begin_write(ledger, 0, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_ledger_look_for_dead(ledger);

    ledger->flushed = 0;

    rc = stockcert_ledger_read_tail(ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_catch_up(ledger, error);
    }

    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
    }

    return rc;
}


static void
stockcert_ledger_look_for_dead(stockcert_ledger_t *ledger)
{
    struct timespec    ts;
    stockcert_error_t  error;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);

    if (ts.tv_sec != ledger->checked) {
        ledger->checked = ts.tv_sec;

        /* where it fails, they are found later */

        (void) stockcert_ledger_check_readers(ledger, NULL, &error);
    }
}


stockcert_rc_e
stockcert_ledger_check_readers(stockcert_ledger_t *ledger, int *dead,
    stockcert_error_t *error)
{
    return stockcert_ledger_error(error, "mdb_reader_check()",
                                  mdb_reader_check(ledger->env, dead));
}


stockcert_rc_e
stockcert_ledger_commit(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int              rc;
    MDB_txn         *probe;
    stockcert_rc_e   failed;
    struct statvfs   fs;

    rc = mdb_txn_commit(ledger->writer);

    stockcert_ledger_end(ledger);

    if (rc == 0) {
        ledger->known = 1;
        return STOCKCERT_OK;
    }

    /* a write that ends short is EIO for LMDB: most likely the disk is full */

    if (rc == EIO && fstatvfs(ledger->fd, &fs) == 0
        && fs.f_bavail * fs.f_frsize < STOCKCERT_DISK_FULL)
    {
        rc = ENOSPC;
    }

    failed = stockcert_ledger_error(error, "mdb_txn_commit()", rc);

    /*
     * LMDB does not tell whether it failed before the meta page, with nothing
     * changed, or in writing it, when only the disk knows.  After the latter
     * it refuses every transaction (MDB_PANIC).
     */

    rc = mdb_txn_begin(ledger->env, NULL, MDB_RDONLY, &probe);
    if (rc != 0) {
        return STOCKCERT_UNKNOWN;
    }

    mdb_txn_abort(probe);

    return failed;
}


void
stockcert_ledger_abort(stockcert_ledger_t *ledger)
{
    mdb_txn_abort(ledger->writer);

    stockcert_ledger_end(ledger);
}


/*
 * What was written and cannot be flushed is no matter of room: who has nothing
 * to refuse must not be told that it is full.
 */

stockcert_rc_e
stockcert_ledger_flush(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_error(error, "mdb_env_sync()",
                                mdb_env_sync(ledger->env, 1));

    return rc == STOCKCERT_FULL ? STOCKCERT_FAILED : rc;
}


stockcert_rc_e
stockcert_ledger_has(stockcert_ledger_t *ledger, uint64_t position,
    const uint8_t *seal, stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    rc = stockcert_ledger_get_entry(ledger, ledger->writer, position, &entry,
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
stockcert_ledger_check_known(stockcert_ledger_t *ledger,
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
stockcert_ledger_read_tail(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  last;

    ledger->behind = 0;

    rc = stockcert_ledger_get_last(ledger, ledger->writer, &last, error);

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
stockcert_ledger_append(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int       rc;
    size_t    len;
    uint8_t   bytes[STOCKCERT_ENTRY_MAX], position[8];
    uint64_t  now;
    MDB_val   key, value;

    now = entry->time ? entry->time : stockcert_now();

    /* a clock that was set back must not take the journal back */

    ledger->behind = ledger->time > now ? ledger->time - now : 0;

    if (ledger->time < now) {
        ledger->time = now;
    }

    entry->position = ++ledger->position;
    entry->time = ledger->time;

    len = stockcert_entry_encode(entry, bytes);

    if (stockcert_seal(ledger->sealer, ledger->seal, bytes, len, ledger->seal)
        != 0)
    {
        return stockcert_ledger_error(error, "EVP_DigestFinal_ex()", ENOMEM);
    }

    memcpy(bytes + len, ledger->seal, STOCKCERT_SEAL_LEN);

    stockcert_put64(position, entry->position);

    key.mv_size = sizeof(position);
    key.mv_data = position;
    value.mv_size = len + STOCKCERT_SEAL_LEN;
    value.mv_data = bytes;

    rc = mdb_put(ledger->writer, ledger->journal, &key, &value, MDB_APPEND);

    return stockcert_ledger_error(error, "mdb_put()", rc);
}


stockcert_rc_e
stockcert_ledger_put_class(stockcert_ledger_t *ledger,
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


uint64_t
stockcert_ledger_behind(const stockcert_ledger_t *ledger)
{
    return ledger->behind;
}


uint64_t
stockcert_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}
