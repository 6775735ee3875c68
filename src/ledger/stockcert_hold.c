
/*
 * Holds a place among the readers of a ledger that may be damaged.
 *
 * It opens them with LMDB, read-only, and reads nothing but the meta pages.
 */


#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stockcert_hold.h"
#include "stockcert_store.h"
#include "stockcert_owner.h"


struct stockcert_hold_s {
    MDB_env  *env;
    MDB_txn  *txn;
};


stockcert_rc_e
stockcert_hold_open(const char *path, size_t size, stockcert_hold_t **hold,
    stockcert_error_t *error)
{
    int                rc, fd;
    char               lock[PATH_MAX];
    stockcert_hold_t  *h;

    /* LMDB would follow a link; and it makes lock.mdb if that is missing */

    if (snprintf(lock, sizeof(lock), "%s/lock.mdb", path)
        >= (int) sizeof(lock))
    {
        return stockcert_ledger_error(error, "open()", ENAMETOOLONG);
    }

    if (stockcert_owner_open(lock, &fd, error) != STOCKCERT_OK) {
        return STOCKCERT_FAILED;
    }

    if (fd != -1) {
        (void) close(fd);
    }

    h = calloc(1, sizeof(stockcert_hold_t));
    if (h == NULL) {
        return stockcert_ledger_error(error, "calloc()", errno);
    }

    rc = mdb_env_create(&h->env);
    if (rc != 0) {
        h->env = NULL;
    }

    if (rc == 0) {
        rc = mdb_env_set_mapsize(h->env, size);
    }

    if (rc == 0) {
        rc = mdb_env_set_maxreaders(h->env, STOCKCERT_READERS);
    }

    if (rc == 0) {
        rc = mdb_env_open(h->env, path, MDB_RDONLY|MDB_NOTLS, 0600);
    }

    /* places of the dead are free */

    if (rc == 0) {
        rc = mdb_reader_check(h->env, NULL);
    }

    if (rc == 0) {
        rc = mdb_txn_begin(h->env, NULL, MDB_RDONLY, &h->txn);
    }

    if (rc != 0) {
        h->txn = NULL;
        stockcert_hold_close(h);
        return stockcert_ledger_error(error, "mdb_env_open()", rc);
    }

    *hold = h;

    return STOCKCERT_OK;
}


void
stockcert_hold_close(stockcert_hold_t *hold)
{
    if (hold->txn) {
        mdb_txn_abort(hold->txn);
    }

    if (hold->env) {
        mdb_env_close(hold->env);
    }

    free(hold);
}
