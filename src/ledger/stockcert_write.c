
/*
 * A transaction of its own: from its beginning to its end, and again where
 * another machine was faster.
 *
 * It begins and ends the writer's transactions.
 */


#include <string.h>

#include "stockcert_store.h"


typedef struct {
    const stockcert_class_t  *classes;
    size_t                    n;
} stockcert_to_open_t;


static stockcert_rc_e stockcert_write_locked(stockcert_ledger_t *ledger,
    stockcert_write_t *write, stockcert_error_t *error);
static stockcert_rc_e stockcert_write_try(stockcert_ledger_t *ledger,
    stockcert_write_t *write, int looks, stockcert_error_t *error);
static stockcert_rc_e stockcert_write_find(stockcert_ledger_t *ledger,
    stockcert_write_t *write, stockcert_error_t *error);
static stockcert_rc_e stockcert_write_enter(stockcert_ledger_t *ledger,
    stockcert_write_t *write, stockcert_error_t *error);
static stockcert_rc_e stockcert_write_commit(stockcert_ledger_t *ledger,
    stockcert_write_t *write, stockcert_error_t *error);
static stockcert_rc_e stockcert_write_classes(stockcert_ledger_t *ledger,
    void *data, stockcert_error_t *error);


/*
 * The lock is held until it is settled: who lets it go in between comes back
 * with a head that is old.
 */

stockcert_rc_e
stockcert_ledger_write(stockcert_ledger_t *ledger, stockcert_write_t *write,
    stockcert_error_t *error)
{
    int             held;
    stockcert_rc_e  rc;

    write->entered = 0;
    held = ledger->locked;

    if (!held) {
        rc = stockcert_ledger_lock(ledger, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    rc = stockcert_write_locked(ledger, write, error);

    if (!held) {
        stockcert_ledger_unlock(ledger);
    }

    return rc;
}


/* pages that only dead readers have are room */

static stockcert_rc_e
stockcert_write_locked(stockcert_ledger_t *ledger, stockcert_write_t *write,
    stockcert_error_t *error)
{
    int                dead, looks;
    stockcert_rc_e     rc;
    stockcert_error_t  ignored;

    looks = write->noted.position != 0;
    dead = 0;

    for ( ;; ) {
        rc = stockcert_ledger_begin_at_head(ledger, write->known,
                                            write->noted.position ? write->guard
                                                                  : 0, error);

        if (rc == STOCKCERT_OK) {
            rc = stockcert_write_try(ledger, write, looks, error);
        }

        if (rc == STOCKCERT_FULL && !write->entered && !dead
            && stockcert_ledger_check_readers(ledger, &dead, &ignored)
               == STOCKCERT_OK
            && dead)
        {
            continue;
        }

        if (rc != STOCKCERT_CHANGED) {
            return rc;
        }
    }
}


stockcert_rc_e
stockcert_ledger_begin_at_head(stockcert_ledger_t *ledger,
    const stockcert_tail_t *known, uint64_t guard, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_begin(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (known) {
        rc = stockcert_journal_check_known(ledger, known, error);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_reach(ledger, guard, error);
    }

    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
    }

    return rc;
}


/* ends the transaction; "looks": what was entered before is not again */

static stockcert_rc_e
stockcert_write_try(stockcert_ledger_t *ledger, stockcert_write_t *write,
    int looks, stockcert_error_t *error)
{
    stockcert_rc_e  rc, kept;

    rc = STOCKCERT_NOT_FOUND;

    if (write->noted.position) {
        rc = stockcert_write_find(ledger, write, error);
    }

    if (rc == STOCKCERT_NOT_FOUND && !looks) {
        return stockcert_write_enter(ledger, write, error);
    }

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    kept = stockcert_ledger_commit(ledger, error);

    return kept == STOCKCERT_OK ? rc : kept;
}


/* whether a commit that failed is in the journal, and stays there */

static stockcert_rc_e
stockcert_write_find(stockcert_ledger_t *ledger, stockcert_write_t *write,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_flush(ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_has(ledger, write->noted.position,
                                  write->noted.seal, error);
    }

    if (rc == STOCKCERT_OK || rc == STOCKCERT_NOT_FOUND) {
        write->noted.position = 0;
        write->entered = (rc == STOCKCERT_OK);
    }

    return rc;
}


static stockcert_rc_e
stockcert_write_enter(stockcert_ledger_t *ledger, stockcert_write_t *write,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc, confirmed, kept;
    stockcert_error_t  why;

    rc = write->enter(ledger, write->data, error);

    if (rc == STOCKCERT_OK && stockcert_ledger_has_entered(ledger)) {
        return stockcert_write_commit(ledger, write, error);
    }

    /* it refused, or found something: is it so on all machines? */

    if (rc == STOCKCERT_OK || rc == STOCKCERT_REFUSED) {
        confirmed = stockcert_ledger_confirm(ledger, &why);

        if (confirmed != STOCKCERT_OK) {
            rc = confirmed;
            *error = why;
        }
    }

    if ((rc != STOCKCERT_OK && rc != STOCKCERT_REFUSED)
        || stockcert_ledger_has_entered(ledger))
    {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    /* what it found may be what was reached just now, and is read soon */

    kept = stockcert_ledger_keep(ledger, &why);

    if (kept != STOCKCERT_OK) {
        rc = kept;
        *error = why;
    }

    return rc;
}


static stockcert_rc_e
stockcert_write_commit(stockcert_ledger_t *ledger, stockcert_write_t *write,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    stockcert_ledger_tail(ledger, &write->noted);

    write->guard = stockcert_ledger_guard(ledger);

    rc = stockcert_ledger_commit(ledger, error);

    if (rc == STOCKCERT_OK || stockcert_ledger_is_appended(ledger)) {
        write->entered = 1;
        write->noted.position = 0;

    } else if (rc == STOCKCERT_FULL) {
        write->noted.position = 0;
    }

    return rc;
}


stockcert_rc_e
stockcert_ledger_open_classes(stockcert_ledger_t *ledger,
    const stockcert_class_t *classes, size_t n, stockcert_error_t *error)
{
    stockcert_write_t    write;
    stockcert_to_open_t  to_open;

    to_open.classes = classes;
    to_open.n = n;

    memset(&write, 0, sizeof(stockcert_write_t));

    write.enter = stockcert_write_classes;
    write.data = &to_open;

    return stockcert_ledger_write(ledger, &write, error);
}


/* the first machine's title and shares stay */

static stockcert_rc_e
stockcert_write_classes(stockcert_ledger_t *ledger, void *data,
    stockcert_error_t *error)
{
    stockcert_to_open_t *to_open = data;

    size_t          i;
    stockcert_rc_e  rc;

    rc = STOCKCERT_OK;

    for (i = 0; i < to_open->n && rc == STOCKCERT_OK; i++) {
        rc = stockcert_enter_class(ledger, &to_open->classes[i], error);
    }

    return rc;
}


stockcert_rc_e
stockcert_ledger_set_mark(stockcert_ledger_t *ledger, const char *name,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_begin(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_reach_mark(ledger, name, error);

    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
    }

    return rc;
}
