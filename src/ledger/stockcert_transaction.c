
/*
 * The writer's transaction: the lock, the beginning and the end.
 *
 * Nothing of a ledger is committed anywhere else.
 */


#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "stockcert_store.h"


#define STOCKCERT_DISK_FULL  (1024 * 1024)     /* bytes; fewer are no room */


static void stockcert_ledger_forget(stockcert_ledger_t *ledger);
static void stockcert_ledger_end(stockcert_ledger_t *ledger);
static void stockcert_ledger_look_for_dead(stockcert_ledger_t *ledger);


/*
 * Writers queue here, in the kernel, before they ask for LMDB's lock.  LMDB's
 * lock keeps all writers apart, also those of other programs.  But it is a
 * robust mutex: if a waiter is killed just as it is woken, the others may
 * sleep on until somebody else has to wait.  A lock of the kernel wakes all
 * that wait.  It is a lock of data.mdb, so it also keeps apart writers who have
 * different lock.mdb files.
 */

stockcert_rc_e
stockcert_ledger_lock(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    if (stockcert_lock_take(&ledger->lock, 0, ledger->interrupted) == -1) {
        return stockcert_ledger_busy(error, &ledger->lock);
    }

    ledger->locked = 1;
    stockcert_ledger_forget(ledger);

    return STOCKCERT_OK;
}


/* what was read of the shared journal is of the lock that is held */

static void
stockcert_ledger_forget(stockcert_ledger_t *ledger)
{
    ledger->confirmed = 0;
    ledger->target.revision = 0;
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

    assert(ledger->writer == NULL);

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


/* the transaction has ended, and so has the lock that was taken for it */

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

    ledger->appended = 0;

    rc = stockcert_ledger_begin_write(ledger, 0, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_ledger_look_for_dead(ledger);

    if (!ledger->locked) {
        stockcert_ledger_forget(ledger);
    }

    ledger->flushed = 0;
    ledger->drawn = 0;
    ledger->group.first = 0;

    rc = stockcert_journal_read_tail(ledger, error);

    ledger->begun = ledger->position;
    ledger->entered = 0;

    if (rc == STOCKCERT_OK) {
        rc = stockcert_post_catch_up(ledger, error);
    }

    /* "stockcert replicate" may have come since the ledger was opened */

    if (rc == STOCKCERT_OK && ledger->replica == NULL) {
        rc = stockcert_mark_read(ledger, error);
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

        /* if this fails, a later call finds them */

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
    stockcert_rc_e  rc;

    rc = stockcert_ledger_append(ledger, error);

    return rc == STOCKCERT_OK ? stockcert_ledger_keep(ledger, error) : rc;
}


stockcert_rc_e
stockcert_ledger_append(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    assert(ledger->writer);

    if (stockcert_group_is_open(ledger)) {
        stockcert_ledger_abort(ledger);
        (void) stockcert_ledger_refused(error, "a transaction is not whole");
        return STOCKCERT_FAILED;
    }

    if (ledger->replica == NULL || ledger->appended
        || !stockcert_ledger_has_entered(ledger))
    {
        return STOCKCERT_OK;
    }

    rc = stockcert_append(ledger, error);

    if (rc == STOCKCERT_OK) {
        ledger->appended = 1;

    } else {
        stockcert_ledger_abort(ledger);
    }

    return rc;
}


stockcert_rc_e
stockcert_ledger_keep(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int              rc;
    MDB_txn         *probe;
    stockcert_rc_e   failed;
    struct statvfs   fs;

    rc = mdb_txn_commit(ledger->writer);

    stockcert_ledger_end(ledger);

    if (rc == 0) {
        ledger->known = 1;
        ledger->nkept = ledger->nmet;

        /* without the lock, what others appended may not be in LMDB yet */

        if (ledger->replica && ledger->locked
            && stockcert_append_known(ledger))
        {
            atomic_store(&ledger->shared->kept,
                         atomic_load(&ledger->shared->reached));
        }

        return STOCKCERT_OK;
    }

    /* LMDB reports a short write as EIO: most likely the disk is full */

    if (rc == EIO && fstatvfs(ledger->fd, &fs) == 0
        && fs.f_bavail * fs.f_frsize < STOCKCERT_DISK_FULL)
    {
        rc = ENOSPC;
    }

    failed = stockcert_ledger_error(error, "mdb_txn_commit()", rc);

    /*
     * LMDB does not tell where it failed.  Before the meta page, nothing has
     * changed.  While writing it, only the disk knows the result; then LMDB
     * refuses every later transaction (MDB_PANIC).
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
    /* stockcert_reach() may have ended it, and had no other */

    if (ledger->writer == NULL) {
        return;
    }

    mdb_txn_abort(ledger->writer);

    stockcert_ledger_end(ledger);
}


/*
 * A failed flush is not a lack of room, so it is not told as STOCKCERT_FULL.
 */

stockcert_rc_e
stockcert_ledger_flush(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_error(error, "mdb_env_sync()",
                                mdb_env_sync(ledger->env, 1));

    return rc == STOCKCERT_FULL ? STOCKCERT_FAILED : rc;
}


/* a transaction that changes nothing flushes nothing itself */

stockcert_rc_e
stockcert_flush_found(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (ledger->flushed) {
        return STOCKCERT_OK;
    }

    rc = stockcert_ledger_flush(ledger, error);

    ledger->flushed = (rc == STOCKCERT_OK);

    return rc;
}
