
/*
 * Opens and closes a ledger, and says what is known of it without a
 * transaction.
 *
 * It owns the LMDB environment, and calls the other files of this folder.
 */


#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_store.h"
#include "stockcert_version.h"


static stockcert_rc_e stockcert_ledger_try(const stockcert_ledger_conf_t *conf,
    stockcert_ledger_t **ledger, int *again, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_open_env(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_meet_files(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int *again, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_begin_use(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_use(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, stockcert_error_t *error);


void
stockcert_ledger_version(char *text, size_t size)
{
    int  major, minor, patch;

    (void) mdb_version(&major, &minor, &patch);

    snprintf(text, size, "stockcert " STOCKCERT_VERSION ", ledger format %d, "
             "LMDB %d.%d.%d", STOCKCERT_FORMAT, major, minor, patch);
}


/* tries again if the first try removed a lock.mdb of another data.mdb */

stockcert_rc_e
stockcert_ledger_open(const stockcert_ledger_conf_t *conf,
    stockcert_ledger_t **ledger, stockcert_error_t *error)
{
    int             again;
    stockcert_rc_e  rc;

    again = 0;

    rc = stockcert_ledger_try(conf, ledger, &again, error);

    return again ? stockcert_ledger_try(conf, ledger, &again, error) : rc;
}


static stockcert_rc_e
stockcert_ledger_try(const stockcert_ledger_conf_t *conf,
    stockcert_ledger_t **ledger, int *again, stockcert_error_t *error)
{
    stockcert_rc_e       rc;
    stockcert_ledger_t  *l;

    l = calloc(1, sizeof(stockcert_ledger_t));
    if (l == NULL) {
        return stockcert_ledger_error(error, "calloc()", errno);
    }

    l->lock.fd = -1;
    l->lock_fd = -1;
    l->access = conf->access;
    l->interrupted = conf->interrupted;
    l->replica = conf->replica;
    l->shared = conf->shared ? conf->shared : &l->own;

    if (l->replica) {
        l->batch = malloc(STOCKCERT_BATCH_MAX);
        if (l->batch == NULL) {
            rc = stockcert_ledger_error(error, "malloc()", errno);
            goto failed;
        }
    }

    l->sealer = stockcert_sealer_create();
    if (l->sealer == NULL) {
        rc = stockcert_ledger_error(error, "EVP_MD_fetch()", ENOMEM);
        goto failed;
    }

    rc = stockcert_ledger_open_env(l, conf, error);
    if (rc != STOCKCERT_OK) {
        goto failed;
    }

    rc = stockcert_ledger_check_readers(l, NULL, error);
    if (rc != STOCKCERT_OK) {
        goto failed;
    }

    rc = stockcert_ledger_meet_files(l, conf, again, error);
    if (rc != STOCKCERT_OK) {
        goto failed;
    }

    rc = stockcert_ledger_begin_use(l, conf, error);
    if (rc != STOCKCERT_OK) {
        goto failed;
    }

    *ledger = l;

    return STOCKCERT_OK;

failed:

    stockcert_ledger_close(l);

    return rc;
}


/*
 * the files may be of different transactions: a writer finds out why, a
 * reader uses what lock.mdb says
 */

static stockcert_rc_e
stockcert_ledger_meet_files(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int *again, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (conf->access == STOCKCERT_READ || !stockcert_files_differ(ledger)) {
        return STOCKCERT_OK;
    }

    rc = stockcert_ledger_begin_write(ledger, conf->wait, error);

    if (rc != STOCKCERT_OK) {
        *again = rc == STOCKCERT_FAILED && !stockcert_files_are_current(ledger);
        return rc;
    }

    stockcert_ledger_abort(ledger);

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ledger_begin_use(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    /* most of the time nothing is missing, and no lock is needed */

    rc = stockcert_ledger_use(ledger, conf, 0, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        rc = conf->access == STOCKCERT_MAKE || conf->access == STOCKCERT_OPEN
             ? stockcert_ledger_use(ledger, conf, 1, error)
             : stockcert_ledger_damaged(error, "it is empty");
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    /*
     * another process may have committed without a flush: what is read must
     * last
     */

    if (conf->access != STOCKCERT_READ) {
        rc = stockcert_ledger_flush(ledger, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    rc = stockcert_ledger_error(error, "mdb_txn_begin()",
                                mdb_txn_begin(ledger->env, NULL, MDB_RDONLY,
                                              &ledger->reader));
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    mdb_txn_reset(ledger->reader);

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ledger_use(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (make) {
        rc = stockcert_ledger_begin_write(ledger, conf->wait, error);

    } else {
        rc = stockcert_ledger_error(error, "mdb_txn_begin()",
                                    mdb_txn_begin(ledger->env, NULL,
                                                  MDB_RDONLY,
                                                  &ledger->writer));
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_ledger_open_databases(ledger, conf, make, error);

    if (rc == STOCKCERT_OK && conf->known) {
        rc = stockcert_journal_check_known(ledger, conf->known, error);
    }

    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    /* what was there before is nothing to be appended for other machines */

    rc = stockcert_ledger_keep(ledger, error);

    return rc == STOCKCERT_UNKNOWN ? STOCKCERT_FAILED : rc;
}


void
stockcert_ledger_close(stockcert_ledger_t *ledger)
{
    if (ledger->reader) {
        mdb_txn_abort(ledger->reader);
    }

    if (ledger->env) {
        mdb_env_close(ledger->env);
    }

    stockcert_files_close(ledger);
    stockcert_sealer_destroy(ledger->sealer);
    free(ledger->batch);
    free(ledger);
}


stockcert_str_t
stockcert_ledger_company(const stockcert_ledger_t *ledger)
{
    stockcert_str_t  company;

    company.len = ledger->company_len;
    company.data = ledger->company;

    return company;
}


uint64_t
stockcert_ledger_created(const stockcert_ledger_t *ledger)
{
    return ledger->created;
}


int
stockcert_ledger_has_class(const stockcert_ledger_t *ledger, const char *code,
    size_t len)
{
    return stockcert_class_find(ledger, ledger->nclasses, code, len)
           != NULL;
}


void
stockcert_ledger_adopt(stockcert_ledger_t *ledger)
{
    ledger->nclasses = ledger->nkept;
}


stockcert_replica_t *
stockcert_ledger_replica(const stockcert_ledger_t *ledger)
{
    return ledger->replica;
}


stockcert_str_t
stockcert_ledger_mark(const stockcert_ledger_t *ledger)
{
    stockcert_str_t  mark;

    mark.len = ledger->mark_len;
    mark.data = ledger->mark;

    return mark;
}


int
stockcert_ledger_is_made(const stockcert_ledger_t *ledger)
{
    return ledger->made;
}


int
stockcert_ledger_is_current(const stockcert_ledger_t *ledger)
{
    return stockcert_files_are_current(ledger);
}


int
stockcert_ledger_is_replaced(const stockcert_ledger_t *ledger)
{
    return stockcert_files_are_replaced(ledger);
}


uint64_t
stockcert_ledger_behind(const stockcert_ledger_t *ledger)
{
    return ledger->behind;
}


pid_t
stockcert_ledger_holder(const stockcert_ledger_t *ledger)
{
    return stockcert_lock_holder(&ledger->lock);
}


static stockcert_rc_e
stockcert_ledger_open_env(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error)
{
    int  rc;

    rc = mdb_env_create(&ledger->env);
    if (rc != 0) {
        ledger->env = NULL;
        return stockcert_ledger_error(error, "mdb_env_create()", rc);
    }

    rc = mdb_env_set_mapsize(ledger->env, conf->size);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_set_mapsize()", rc);
    }

    rc = mdb_env_set_maxreaders(ledger->env, STOCKCERT_READERS);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_set_maxreaders()", rc);
    }

    rc = mdb_env_set_maxdbs(ledger->env,
                            STOCKCERT_DATABASES + STOCKCERT_CLASSES_MAX);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_set_maxdbs()", rc);
    }

    return stockcert_files_open(ledger, conf, error);
}
