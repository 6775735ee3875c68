
/*
 * Root becomes the ledger's owner, before it opens anything of the ledger.
 * Whoever has a ledger open maps lock.mdb.  The owner can write that file, and
 * LMDB believes it.
 *
 * It changes the user of the process, and reads who holds a lock.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_lock.h"
#include "stockcert_owner.h"
#include "stockcert_tool.h"
#include "stockcert_tool_etcd.h"


#define STOCKCERT_NOGROUP   65534      /* Linux has it for what has none */


static int stockcert_tool_open_conf(const char *path,
    const stockcert_ledger_conf_t *conf, stockcert_ledger_t **ledger);
static int stockcert_tool_become(const char *path, uid_t uid);
static void stockcert_tool_sigalrm(int signo);


static volatile sig_atomic_t                stockcert_tool_alarms;
static const stockcert_poured_t *volatile   stockcert_tool_poured;


int
stockcert_tool_open(const char *path, stockcert_access_e mode,
    stockcert_ledger_t **ledger)
{
    int  status;

    status = stockcert_tool_enter(path);

    return status == STOCKCERT_EXIT_OK
           ? stockcert_tool_open_here(path, mode, ledger) : status;
}


int
stockcert_tool_open_here(const char *path, stockcert_access_e mode,
    stockcert_ledger_t **ledger)
{
    int                      status;
    stockcert_ledger_conf_t  conf;

    memset(&conf, 0, sizeof(stockcert_ledger_conf_t));

    conf.path = ".";
    conf.access = mode;
    conf.wait = 1000 * STOCKCERT_PATIENCE;
    conf.interrupted = stockcert_tool_interrupted;

    if (mode != STOCKCERT_READ && stockcert_tool_etcd_is_given()) {
        status = stockcert_tool_replica(path, &conf.replica);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    return stockcert_tool_open_conf(path, &conf, ledger);
}


/* without --etcd-prefix, the ledger knows it, if it is replicated */

int
stockcert_tool_replica(const char *path, stockcert_replica_t **replica)
{
    int                      status;
    stockcert_str_t          mark;
    stockcert_ledger_t      *ledger;

    if (stockcert_tool_etcd_has_prefix()) {
        return stockcert_tool_etcd_replica(NULL, replica);
    }

    status = stockcert_tool_open_here(path, STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    mark = stockcert_ledger_mark(ledger);

    status = stockcert_tool_etcd_replica(&mark, replica);

    stockcert_ledger_close(ledger);

    return status;
}


static int
stockcert_tool_open_conf(const char *path, const stockcert_ledger_conf_t *conf,
    stockcert_ledger_t **ledger)
{
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    stockcert_tool_patience(1);

    rc = stockcert_ledger_open(conf, ledger, &error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_snapshot(*ledger, &error);

        if (rc != STOCKCERT_OK) {
            stockcert_ledger_close(*ledger);
        }
    }

    stockcert_tool_patience(0);

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot open the ledger in %s: %s", path,
                                    error.text);
    }

    return STOCKCERT_EXIT_OK;
}


int
stockcert_tool_no_ledger(const char *path)
{
    if (errno != ENOENT) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot open the ledger in %s: %s", path,
                                    strerror(errno));
    }

    return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "there is no ledger in "
                                "%s, name the directory that is its \"path\" "
                                "in nginx's configuration", path);
}


int
stockcert_tool_not_read(const stockcert_error_t *error)
{
    return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                "cannot read the ledger: %s", error->text);
}


int
stockcert_tool_enter(const char *path)
{
    int                fd, rc, status;
    struct stat        st;
    stockcert_error_t  error;

    fd = open(path, O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return stockcert_tool_no_ledger(path);
    }

    rc = fchdir(fd);

    if (rc == 0) {
        rc = fstat(fd, &st);
    }

    if (rc == -1) {
        status = stockcert_tool_no_ledger(path);
        (void) close(fd);
        return status;
    }

    (void) close(fd);

    if (geteuid() != 0) {
        return STOCKCERT_EXIT_OK;
    }

    if (st.st_uid != 0) {
        status = stockcert_tool_become(path, st.st_uid);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    if (stockcert_owner_check(".", st.st_uid, &error) != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot open the ledger in %s: %s", path,
                                    error.text);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_become(const char *path, uid_t uid)
{
    gid_t           gid, gids[3];
    uid_t           uids[3];
    struct passwd  *pw;

    pw = getpwuid(uid);
    gid = pw ? pw->pw_gid : STOCKCERT_NOGROUP;

    if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1
        || setresuid(uid, uid, uid) == -1)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot become user "
                                    "%u, who owns %s, run this as that user: "
                                    "%s", (unsigned) uid, path,
                                    strerror(errno));
    }

    if (getresuid(&uids[0], &uids[1], &uids[2]) == -1
        || getresgid(&gids[0], &gids[1], &gids[2]) == -1
        || uids[0] != uid || uids[1] != uid || uids[2] != uid
        || gids[0] != gid || gids[1] != gid || gids[2] != gid
        || getgroups(0, NULL) != 0 || setuid(0) != -1)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot become user "
                                    "%u, who owns %s, for good: run this as "
                                    "that user", (unsigned) uid, path);
    }

    return STOCKCERT_EXIT_OK;
}


void
stockcert_tool_patience(int on)
{
    struct sigaction  sa;

    if (!on) {
        (void) alarm(0);
        return;
    }

    stockcert_tool_alarms = 0;

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = stockcert_tool_sigalrm;

    /* a wait for flock() ends and names the holder; a copy goes on */

    sa.sa_flags = stockcert_tool_poured ? SA_RESTART : 0;

    if (sigaction(SIGALRM, &sa, NULL) == 0) {
        (void) alarm(STOCKCERT_PATIENCE);
    }
}


void
stockcert_tool_patience_until(const stockcert_poured_t *poured)
{
    stockcert_tool_poured = poured;
    stockcert_tool_patience(1);
}


/* a wait for a mutex in lock.mdb ends only with the process */

static void
stockcert_tool_sigalrm(int signo)
{
    ssize_t            n;
    static const char  text[] = "stockcert: nothing is done, as somebody keeps "
                                "a lock in lock.mdb: end who has it open, or, "
                                "if nobody has, remove it\n";

    (void) signo;

    if (stockcert_tool_poured && stockcert_tool_poured->bytes) {
        return;
    }

    if (stockcert_tool_alarms++ == 0) {
        (void) alarm(STOCKCERT_PATIENCE / 5);
        return;
    }

    n = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void) n;

    _exit(STOCKCERT_EXIT_FAILED);
}


void
stockcert_tool_interrupted(pid_t holder)
{
    char  name[STOCKCERT_LOCK_NAME];

    _exit(stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is done, as "
                               "%s has the ledger locked for %d seconds and more",
                               stockcert_lock_name(holder, name),
                               STOCKCERT_PATIENCE));
}
