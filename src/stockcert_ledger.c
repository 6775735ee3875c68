
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_ledger_int.h"


static stockcert_rc_e stockcert_ledger_open_env(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_open_files(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_make_file(const char *path, int dir,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_use(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_check_size(stockcert_ledger_t *ledger,
    stockcert_error_t *error);


stockcert_rc_e
stockcert_ledger_open(const stockcert_ledger_conf_t *conf,
    stockcert_ledger_t **ledger, stockcert_error_t *error)
{
    int                  dead;
    stockcert_rc_e       rc;
    stockcert_ledger_t  *l;

    l = calloc(1, sizeof(stockcert_ledger_t));
    if (l == NULL) {
        return stockcert_ledger_error(error, "calloc()", errno);
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

    /* readers that were killed would keep LMDB from using pages again */

    rc = stockcert_ledger_error(error, "mdb_reader_check()",
                                mdb_reader_check(l->env, &dead));
    if (rc != STOCKCERT_OK) {
        goto failed;
    }

    /* most of the time all is there, and there is no lock to wait for */

    rc = stockcert_ledger_use(l, conf, 0, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        rc = conf->access == STOCKCERT_MAKE
             ? stockcert_ledger_use(l, conf, 1, error)
             : stockcert_ledger_damaged(error, "it is empty");
    }

    if (rc != STOCKCERT_OK) {
        goto failed;
    }

    /* what is read must not be undone: who committed it may not have flushed */

    if (conf->access != STOCKCERT_READ) {
        rc = stockcert_ledger_flush(l, error);
        if (rc != STOCKCERT_OK) {
            goto failed;
        }
    }

    rc = stockcert_ledger_error(error, "mdb_txn_begin()",
                                mdb_txn_begin(l->env, NULL, MDB_RDONLY,
                                              &l->reader));
    if (rc != STOCKCERT_OK) {
        goto failed;
    }

    mdb_txn_reset(l->reader);

    *ledger = l;

    return STOCKCERT_OK;

failed:

    stockcert_ledger_close(l);

    return rc;
}


static stockcert_rc_e
stockcert_ledger_use(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (make) {
        rc = stockcert_ledger_begin_write(ledger, error);

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
    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    rc = stockcert_ledger_commit(ledger, error);

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

    stockcert_sealer_destroy(ledger->sealer);
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
    return stockcert_ledger_find_class(ledger, ledger->nclasses, code, len)
           != NULL;
}


stockcert_ledger_class_t *
stockcert_ledger_find_class(const stockcert_ledger_t *ledger, size_t n,
    const char *code, size_t len)
{
    size_t                           i;
    const stockcert_ledger_class_t  *class;

    for (i = 0; i < n; i++) {
        class = &ledger->classes[i];

        if (class->record.code.len == len
            && memcmp(class->code, code, len) == 0)
        {
            return (stockcert_ledger_class_t *) class;
        }
    }

    return NULL;
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

    rc = mdb_env_set_maxdbs(ledger->env, 4 + STOCKCERT_CLASSES_MAX);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_set_maxdbs()", rc);
    }

    return stockcert_ledger_open_files(ledger, conf, error);
}


/*
 * Under a lock of the directory, as others may be making the file.  One without
 * a byte is all that is left of a ledger: LMDB would take it for a new one and
 * begin at number 1 again.
 */

static stockcert_rc_e
stockcert_ledger_open_files(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error)
{
    int             fd;
    unsigned int    flags;
    struct stat     st;
    stockcert_rc_e  rc;

    fd = open(conf->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return stockcert_ledger_error(error, "open()", errno);
    }

    rc = STOCKCERT_OK;

    if (flock(fd, LOCK_EX) == -1) {
        rc = stockcert_ledger_error(error, "flock()", errno);

    } else if (fstatat(fd, "data.mdb", &st, 0) == -1) {

        /* what else may be wrong, LMDB will tell */

        if (errno == ENOENT) {
            rc = conf->access == STOCKCERT_MAKE
                 ? stockcert_ledger_make_file(conf->path, fd, error)
                 : stockcert_ledger_damaged(error, "it has no data.mdb");
        }

    } else if (st.st_size == 0) {
        rc = stockcert_ledger_damaged(error, "data.mdb is empty; if it never "
                                      "was a ledger, remove it");

    } else {
        rc = stockcert_ledger_make_lock(conf->path, error);
    }

    if (rc == STOCKCERT_OK) {

        /*
         * MDB_NOTLS: the reader's transaction is used by whatever thread
         * reads; all other flags are LMDB's own defaults, the durable ones
         */

        flags = MDB_NOTLS | (conf->access == STOCKCERT_READ ? MDB_RDONLY : 0);

        rc = stockcert_ledger_error(error, "mdb_env_open()",
                                    mdb_env_open(ledger->env, conf->path, flags,
                                                 0600));
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_check_size(ledger, error);
    }

    if (close(fd) == -1 && rc == STOCKCERT_OK) {
        rc = stockcert_ledger_error(error, "close()", errno);
    }

    return rc;
}


/*
 * An environment without data.  It is flushed before it gets its name: what a
 * power cut leaves of one half made is not refused, but made again.
 */

static stockcert_rc_e
stockcert_ledger_make_file(const char *path, int dir, stockcert_error_t *error)
{
    int          rc;
    char         made[PATH_MAX], name[PATH_MAX];
    MDB_env     *env;
    struct stat  st;

    if (fstatat(dir, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) == 0) {

        /* the disk that it leads to may not be mounted */

        return stockcert_ledger_damaged(error, "data.mdb is a link to nothing");
    }

    if (snprintf(made, PATH_MAX, "%s/data.mdb.new", path) >= PATH_MAX) {
        return stockcert_ledger_error(error, "open()", ENAMETOOLONG);
    }

    snprintf(name, PATH_MAX, "%s/data.mdb", path);

    if (unlink(made) == -1 && errno != ENOENT) {
        return stockcert_ledger_error(error, "unlink()", errno);
    }

    rc = mdb_env_create(&env);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_create()", rc);
    }

    rc = mdb_env_open(env, made, MDB_NOSUBDIR|MDB_NOLOCK, 0600);
    if (rc == 0) {
        rc = mdb_env_sync(env, 1);
    }

    mdb_env_close(env);

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_open()", rc);
    }

    return stockcert_ledger_error(error, "rename()",
                                  rename(made, name) == -1 ? errno : 0);
}


/* a page that the file does not have would be a SIGBUS when it is read */

static stockcert_rc_e
stockcert_ledger_check_size(stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    int          rc;
    MDB_stat     stat;
    MDB_envinfo  info;
    struct stat  st;

    rc = mdb_env_get_fd(ledger->env, &ledger->fd);
    if (rc == 0) {
        rc = mdb_env_info(ledger->env, &info);
    }

    if (rc == 0) {
        rc = mdb_env_stat(ledger->env, &stat);
    }

    if (rc == 0 && fstat(ledger->fd, &st) == -1) {
        rc = errno;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_info()", rc);
    }

    if ((uint64_t) st.st_size / stat.ms_psize <= info.me_last_pgno) {
        return stockcert_ledger_damaged(error, "the file is truncated");
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_ledger_error(stockcert_error_t *error, const char *call, int rc)
{
    if (rc == 0) {
        return STOCKCERT_OK;
    }

    snprintf(error->text, sizeof(error->text), "%s failed (%d: %s)", call, rc,
             mdb_strerror(rc));

    switch (rc) {

    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return STOCKCERT_FULL;

    default:
        return STOCKCERT_FAILED;
    }
}


stockcert_rc_e
stockcert_ledger_damaged(stockcert_error_t *error, const char *what)
{
    snprintf(error->text, sizeof(error->text),
             "not a ledger, or a damaged one: %s", what);

    return STOCKCERT_FAILED;
}


stockcert_rc_e
stockcert_ledger_refused(stockcert_error_t *error, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(error->text, sizeof(error->text), fmt, args);
    va_end(args);

    return STOCKCERT_REFUSED;
}
