
/*
 * The files of a ledger, data.mdb and lock.mdb: opens them, makes what is
 * missing, and checks that they still are the ledger's (docs/ARCHITECTURE.md,
 * "Files").
 *
 * It touches the files and the environment, and no entries.
 */


#define _GNU_SOURCE    /* statx() */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stockcert_store.h"
#include "stockcert_within.h"


static stockcert_rc_e stockcert_files_open_data(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int dir, stockcert_error_t *error);
static stockcert_rc_e stockcert_files_open_lock(stockcert_ledger_t *ledger,
    int dir, stockcert_error_t *error);
static stockcert_rc_e stockcert_files_open_env(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
static stockcert_rc_e stockcert_files_make(const stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_files_check_size(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static int stockcert_files_note(stockcert_file_t *file, int fd);
static int stockcert_files_same(const stockcert_file_t *file);
static stockcert_rc_e stockcert_files_newest(const stockcert_ledger_t *ledger,
    uint64_t *txn, stockcert_error_t *error);


/*
 * The directory is locked, because others may be making the files, too.  The
 * directory itself may be named by a link.
 */

stockcert_rc_e
stockcert_files_open(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error)
{
    char              name[PATH_MAX];
    stockcert_rc_e    rc;
    stockcert_lock_t  dir;

    if (snprintf(name, PATH_MAX, "%s/.", conf->path) >= PATH_MAX
        || snprintf(ledger->data_file.name, PATH_MAX, "%s/data.mdb",
                    conf->path)
           >= PATH_MAX
        || snprintf(ledger->lock_file.name, PATH_MAX, "%s/lock.mdb",
                    conf->path)
           >= PATH_MAX)
    {
        return stockcert_ledger_error(error, "open()", ENAMETOOLONG);
    }

    if (stockcert_lock_open(&dir, AT_FDCWD, name, O_DIRECTORY) == -1) {
        return stockcert_ledger_error(error, "open()", errno);
    }

    if (stockcert_lock_take(&dir, conf->wait, NULL) == -1) {
        rc = stockcert_ledger_busy(error, &dir);

    } else {
        rc = stockcert_files_open_data(ledger, conf, dir.fd, error);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_files_open_lock(ledger, dir.fd, error);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_files_open_env(ledger, conf, error);
    }

    stockcert_lock_close(&dir);

    return rc;
}


/*
 * after LMDB has closed its own: closing this one drops LMDB's lock of
 * lock.mdb
 */

void
stockcert_files_close(stockcert_ledger_t *ledger)
{
    if (ledger->lock_fd != -1) {
        (void) close(ledger->lock_fd);
        ledger->lock_fd = -1;
    }

    stockcert_lock_close(&ledger->lock);
}


/*
 * An empty file is all that is left of a ledger.  LMDB would take it for a new
 * one, and begin at number 1 again.
 */

static stockcert_rc_e
stockcert_files_open_data(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int dir, stockcert_error_t *error)
{
    int             rc;
    stockcert_rc_e  made;

    rc = stockcert_lock_open(&ledger->lock, dir, "data.mdb", 0);

    if (rc == -1 && errno == ENOENT) {

        if (conf->access != STOCKCERT_MAKE
            || (conf->known && conf->known->position))
        {
            return stockcert_ledger_damaged(error, "it has no data.mdb");
        }

        if (stockcert_is_within(dir)) {
            snprintf(error->text, sizeof(error->text), "it would be made in "
                     "another ledger's directory, as one above it has a "
                     "data.mdb: choose another path");
            return STOCKCERT_FAILED;
        }

        made = stockcert_files_make(ledger, error);
        if (made != STOCKCERT_OK) {
            return made;
        }

        rc = stockcert_lock_open(&ledger->lock, dir, "data.mdb", 0);
    }

    if (rc == -1 && errno == ELOOP) {

        /* the disk that the link leads to may not be mounted */

        return stockcert_ledger_damaged(error,
                                        faccessat(dir, "data.mdb", F_OK, 0)
                                        == -1
                                        ? "data.mdb is a link to nothing"
                                        : "data.mdb is a symbolic link: the "
                                          "file itself must be there");
    }

    if (rc == -1) {
        return stockcert_ledger_error(error, "open() of data.mdb", errno);
    }

    rc = stockcert_files_note(&ledger->data_file, ledger->lock.fd);

    if (rc == EMLINK) {
        return stockcert_ledger_damaged(error, "data.mdb has another name (hard "
                                        "link), and must have none");
    }

    if (rc == ENODATA) {
        return stockcert_ledger_damaged(error, "data.mdb is empty; if it never "
                                        "was a ledger, remove it");
    }

    return stockcert_ledger_error(error, "open() of data.mdb", rc);
}


/*
 * Opened before LMDB opens it, to know which file LMDB has.  It stays open, so
 * that no other file gets its inode number.  If root makes it, its owner is
 * that of data.mdb; otherwise that user could not open it.
 */

static stockcert_rc_e
stockcert_files_open_lock(stockcert_ledger_t *ledger, int dir,
    stockcert_error_t *error)
{
    int          flags, rc;
    struct stat  st;

    flags = O_RDWR|O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK;

    ledger->lock_fd = openat(dir, "lock.mdb", flags);

    if (ledger->lock_fd == -1 && errno == ENOENT) {
        ledger->lock_fd = openat(dir, "lock.mdb", flags|O_CREAT|O_EXCL, 0600);

        if (ledger->lock_fd != -1 && geteuid() == 0
            && (fstat(ledger->lock.fd, &st) == -1
                || fchown(ledger->lock_fd, st.st_uid, st.st_gid) == -1))
        {
            return stockcert_ledger_error(error, "fchown() of lock.mdb", errno);
        }
    }

    if (ledger->lock_fd == -1) {

        switch (errno) {

        case EROFS:

            /* on a read-only file system, LMDB reads without lock.mdb */

            return STOCKCERT_OK;

        case ELOOP:
            return stockcert_ledger_damaged(error, "lock.mdb is a symbolic "
                                            "link: remove it");
        default:
            return stockcert_ledger_error(error, "open() of lock.mdb", errno);
        }
    }

    rc = stockcert_files_note(&ledger->lock_file, ledger->lock_fd);

    if (rc == EMLINK) {
        return stockcert_ledger_damaged(error, "lock.mdb has another name (hard "
                                        "link), and must have none: remove it");
    }

    /* LMDB fills in an empty lock.mdb */

    if (rc == ENODATA && fstat(ledger->lock_fd, &st) == 0
        && S_ISREG(st.st_mode))
    {
        rc = 0;
    }

    return stockcert_ledger_error(error, "open() of lock.mdb", rc);
}


static stockcert_rc_e
stockcert_files_open_env(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error)
{
    int           rc;
    unsigned int  flags;
    struct stat   st;

    /*
     * MDB_NOTLS: any thread may use the reader's transaction.  All other flags
     * are LMDB's own defaults, which are durable.
     */

    flags = MDB_NOTLS | (conf->access == STOCKCERT_READ ? MDB_RDONLY : 0);

    rc = mdb_env_open(ledger->env, conf->path, flags, 0600);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_open()", rc);
    }

    rc = mdb_env_get_fd(ledger->env, &ledger->fd);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_env_get_fd()", rc);
    }

    /*
     * LMDB opened the file by its name: check that it is the one seen by
     * descriptor
     */

    if (fstat(ledger->fd, &st) == -1) {
        return stockcert_ledger_error(error, "fstat()", errno);
    }

    if (st.st_ino != ledger->data_file.ino || st.st_dev != ledger->data_file.dev
        || !stockcert_files_are_current(ledger))
    {
        return stockcert_ledger_damaged(error, "its files were replaced as it "
                                        "was opened");
    }

    return stockcert_files_check_size(ledger, error);
}


/*
 * Makes an environment without data.  It is flushed before it gets its name.
 * So a power cut leaves no half-made file under that name, and the next open
 * makes it anew.
 */

static stockcert_rc_e
stockcert_files_make(const stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int       rc;
    char      made[PATH_MAX + sizeof(".new")];
    MDB_env  *env;

    snprintf(made, sizeof(made), "%s.new", ledger->data_file.name);

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
                                  rename(made, ledger->data_file.name) == -1
                                  ? errno : 0);
}


stockcert_rc_e
stockcert_files_open_dbi(stockcert_ledger_t *ledger, const char *name,
    unsigned int create, MDB_dbi *dbi, stockcert_error_t *error)
{
    int  rc;

    rc = mdb_dbi_open(ledger->writer, name, create, dbi);

    if (rc == MDB_NOTFOUND) {
        return stockcert_ledger_damaged(error, "a database is missing");
    }

    return stockcert_ledger_error(error, "mdb_dbi_open()", rc);
}


/* reading a page that the file does not have would be a SIGBUS */

static stockcert_rc_e
stockcert_files_check_size(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int          rc;
    MDB_stat     stat;
    MDB_envinfo  info;
    struct stat  st;

    rc = mdb_env_info(ledger->env, &info);

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


/* returns 0; EMLINK for a file with other names; ENODATA; or errno */

static int
stockcert_files_note(stockcert_file_t *file, int fd)
{
    struct stat  st;

    if (fstat(fd, &st) == -1) {
        return errno;
    }

    if (S_ISDIR(st.st_mode)) {
        return EISDIR;
    }

    if (S_ISREG(st.st_mode) && st.st_nlink != 1) {
        return EMLINK;
    }

    file->dev = st.st_dev;
    file->ino = st.st_ino;

    return S_ISREG(st.st_mode) && st.st_size ? 0 : ENODATA;
}


/*
 * Does not ask for times.  Linux 6.13 and later keep finer times for a file
 * once somebody has asked: then each commit would have to write them, too.
 */

static int
stockcert_files_same(const stockcert_file_t *file)
{
    struct statx  st;

    return statx(AT_FDCWD, file->name, AT_SYMLINK_NOFOLLOW,
                 STATX_TYPE|STATX_INO|STATX_NLINK, &st)
           == 0
           && st.stx_ino == file->ino && st.stx_nlink == 1
           && makedev(st.stx_dev_major, st.stx_dev_minor) == file->dev;
}


int
stockcert_files_are_current(const stockcert_ledger_t *ledger)
{
    return stockcert_files_same(&ledger->data_file)
           && (ledger->lock_fd == -1
               || stockcert_files_same(&ledger->lock_file));
}


int
stockcert_files_are_replaced(const stockcert_ledger_t *ledger)
{
    return !stockcert_files_same(&ledger->data_file);
}


stockcert_rc_e
stockcert_files_check(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    uint64_t        newest;
    stockcert_rc_e  rc;

    if (stockcert_files_are_replaced(ledger)) {
        snprintf(error->text, sizeof(error->text),
                 "data.mdb was removed, replaced or linked while it was in use: "
                 "nothing is written until the ledger's file is back");
        return STOCKCERT_REPLACED;
    }

    if (!stockcert_files_same(&ledger->lock_file)) {
        snprintf(error->text, sizeof(error->text),
                 "lock.mdb was removed or replaced while it was in use: the "
                 "ledger is opened with the one that is there now");
        return STOCKCERT_FAILED;
    }

    rc = stockcert_files_newest(ledger, &newest, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (mdb_txn_id(ledger->writer) == newest + 1) {
        return STOCKCERT_OK;
    }

    snprintf(error->text, sizeof(error->text),
             "lock.mdb is of another data.mdb: its next transaction is %zu, "
             "that of the file is %" PRIu64 "; it is removed, and the ledger "
             "opened with a new one", mdb_txn_id(ledger->writer), newest + 1);

    if (unlink(ledger->lock_file.name) == -1) {
        return stockcert_ledger_error(error, "unlink() of lock.mdb", errno);
    }

    return STOCKCERT_FAILED;
}


int
stockcert_files_differ(const stockcert_ledger_t *ledger)
{
    size_t             id;
    MDB_txn           *txn;
    uint64_t           newest;
    stockcert_error_t  error;

    if (stockcert_files_newest(ledger, &newest, &error) != STOCKCERT_OK
        || mdb_txn_begin(ledger->env, NULL, MDB_RDONLY, &txn) != 0)
    {
        return 1;
    }

    /* a reader's transaction number is the one in lock.mdb */

    id = mdb_txn_id(txn);
    mdb_txn_abort(txn);

    return id != newest;
}


/* the newer of the two meta pages in the map */

static stockcert_rc_e
stockcert_files_newest(const stockcert_ledger_t *ledger, uint64_t *txn,
    stockcert_error_t *error)
{
    int          rc;
    MDB_envinfo  info;

    rc = mdb_env_info(ledger->env, &info);

    *txn = rc == 0 ? info.me_last_txnid : 0;

    return stockcert_ledger_error(error, "mdb_env_info()", rc);
}
