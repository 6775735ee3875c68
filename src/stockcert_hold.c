
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_hold.h"
#include "stockcert_ledger_int.h"


struct stockcert_hold_s {
    MDB_env  *env;
    MDB_txn  *txn;
};


stockcert_rc_e
stockcert_hold_open(const char *path, size_t size, stockcert_hold_t **hold,
    stockcert_error_t *error)
{
    int                rc;
    stockcert_hold_t  *h;

    if (stockcert_ledger_make_lock(path, error) != STOCKCERT_OK) {
        return STOCKCERT_FAILED;
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


stockcert_rc_e
stockcert_ledger_make_lock(const char *path, stockcert_error_t *error)
{
    int          fd, rc;
    char         name[PATH_MAX];
    struct stat  st;

    snprintf(name, PATH_MAX, "%s/data.mdb", path);

    if (geteuid() != 0 || stat(name, &st) == -1 || st.st_uid == 0) {
        return STOCKCERT_OK;
    }

    snprintf(name, PATH_MAX, "%s/lock.mdb", path);

    fd = open(name, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd == -1) {

        /* it is there; or it cannot be made, and LMDB will tell */

        return STOCKCERT_OK;
    }

    rc = fchown(fd, st.st_uid, st.st_gid) == -1 ? errno : 0;

    if (close(fd) == -1 && rc == 0) {
        rc = errno;
    }

    return stockcert_ledger_error(error, "fchown()", rc);
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
