
/*
 * Makes files and directories that are there as a whole or not at all.
 *
 * It makes, renames and removes files, all by descriptors.
 */


#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_whole.h"


#define STOCKCERT_WHOLE_TRIES  100     /* other names */


static int stockcert_whole_begin(stockcert_whole_t *whole, const char *path);
static int stockcert_whole_handle(void);
static void stockcert_whole_block(sigset_t *before);
static int stockcert_whole_make(stockcert_whole_t *whole);
static int stockcert_whole_make_name(stockcert_whole_t *whole);
static int stockcert_whole_plain(stockcert_whole_t *whole);
static int stockcert_whole_mode(stockcert_whole_t *whole);
static int stockcert_whole_own(stockcert_whole_t *whole);
static void stockcert_whole_close(stockcert_whole_t *whole);
static void stockcert_whole_signal(int signo);


/* what a signal has to remove */

static stockcert_whole_t *volatile  stockcert_whole_made;


/* all signals that end a process from outside */

static const int  stockcert_whole_signals[] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGPROF, SIGXCPU, 0
};


int
stockcert_whole_file(stockcert_whole_t *whole, const char *path)
{
    memset(whole, 0, sizeof(stockcert_whole_t));

    return stockcert_whole_begin(whole, path);
}


int
stockcert_whole_directory(stockcert_whole_t *whole, const char *path,
    const char *const *names)
{
    memset(whole, 0, sizeof(stockcert_whole_t));

    whole->names = names;

    return stockcert_whole_begin(whole, path);
}


static int
stockcert_whole_begin(stockcert_whole_t *whole, const char *path)
{
    int  rc, saved;

    whole->path = path;
    whole->fd = -1;

    rc = stockcert_place_find(&whole->place, path);

    if (rc == 0) {
        rc = stockcert_place_is_apart(&whole->place);
    }

    if (rc == 0) {
        rc = stockcert_whole_handle();
    }

    if (rc == 0) {
        rc = stockcert_whole_make(whole);
    }

    if (rc == -1) {
        saved = errno;
        stockcert_whole_close(whole);
        whole->fault = whole->place.fault ? whole->place.fault
                                          : strerror(saved);
        errno = saved;
    }

    return rc;
}


/* a signal that is ignored stays ignored: "nohup" */

static int
stockcert_whole_handle(void)
{
    const int         *signo;
    struct sigaction   sa, old;

    memset(&sa, 0, sizeof(struct sigaction));

    sa.sa_handler = stockcert_whole_signal;
    sa.sa_flags = (int) SA_RESETHAND;
    (void) sigfillset(&sa.sa_mask);

    for (signo = stockcert_whole_signals; *signo; signo++) {

        if (sigaction(*signo, NULL, &old) == -1
            || (old.sa_handler != SIG_IGN
                && sigaction(*signo, &sa, NULL) == -1))
        {
            return -1;
        }
    }

    return 0;
}


static void
stockcert_whole_block(sigset_t *before)
{
    const int  *signo;
    sigset_t    set;

    (void) sigemptyset(&set);

    for (signo = stockcert_whole_signals; *signo; signo++) {
        (void) sigaddset(&set, *signo);
    }

    (void) sigprocmask(SIG_BLOCK, &set, before);
}


static int
stockcert_whole_make(stockcert_whole_t *whole)
{
    int                 rc;
    sigset_t            before;
    const struct stat  *there;

    there = whole->place.there ? &whole->place.st : NULL;

    if (whole->names && there) {

        if (stockcert_place_is_free(&whole->place) == -1) {
            return -1;
        }

        whole->own = (there->st_uid != geteuid() || there->st_gid != getegid());
        whole->uid = there->st_uid;
        whole->gid = there->st_gid;

        /* who may write it could replace what is in there */

        whole->mode = there->st_mode & ~(mode_t) (S_IFMT|S_IWGRP|S_IWOTH);

    } else if (there && S_ISDIR(there->st_mode)) {
        errno = EISDIR;
        return -1;

    } else if (there && !S_ISREG(there->st_mode)) {
        return stockcert_whole_plain(whole);

    } else if (whole->place.mounted) {
        whole->place.fault = "a file is mounted there and cannot be replaced, "
                             "name another one, or leave -o out and write to "
                             "it by >";
        errno = EBUSY;
        return -1;
    }

    /* a signal comes before the name is made, or after it is noted */

    stockcert_whole_block(&before);

    rc = stockcert_whole_make_name(whole);

    if (rc == 0) {
        stockcert_whole_made = whole;
    }

    (void) sigprocmask(SIG_SETMASK, &before, NULL);

    return rc;
}


/* a device or a FIFO is not replaced, but written to */

static int
stockcert_whole_plain(stockcert_whole_t *whole)
{
    struct stat  st;

    whole->plain = 1;
    whole->fd = openat(whole->place.parent, whole->place.name,
                       O_WRONLY|O_NOCTTY|O_CLOEXEC
                       | (whole->place.own ? 0 : O_NOFOLLOW));

    if (whole->fd == -1 || fstat(whole->fd, &st) == -1) {
        return -1;
    }

    /* another file has this name by now */

    if (S_ISREG(st.st_mode)) {
        errno = EEXIST;
        return -1;
    }

    return 0;
}


static int
stockcert_whole_make_name(stockcert_whole_t *whole)
{
    int          i, copy;
    uint32_t     random;
    struct stat  st;

    for (i = 0; i < STOCKCERT_WHOLE_TRIES; i++) {

        if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
            return -1;
        }

        snprintf(whole->made, sizeof(whole->made), "%s.%06x", whole->place.name,
                 (unsigned) (random & 0xffffff));

        if (whole->names == NULL) {
            whole->fd = openat(whole->place.parent, whole->made,
                               O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

            if (whole->fd != -1 || errno != EEXIST) {
                return whole->fd == -1 ? -1 : 0;
            }

        } else if (mkdirat(whole->place.parent, whole->made, 0700) == 0) {
            break;

        } else if (errno != EEXIST) {
            return -1;
        }
    }

    if (i == STOCKCERT_WHOLE_TRIES) {
        return -1;
    }

    whole->fd = openat(whole->place.parent, whole->made,
                       O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (whole->fd == -1 || fstat(whole->fd, &st) == -1) {
        return -1;
    }

    /* another file may have this name by now */

    copy = openat(whole->fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (copy == -1 || stockcert_place_is_empty(copy) == -1) {
        return -1;
    }

    if (st.st_uid != geteuid() || (st.st_mode & (S_IRWXG|S_IRWXO))) {
        errno = EPERM;
        return -1;
    }

    return 0;
}


int
stockcert_whole_finish(stockcert_whole_t *whole)
{
    int       rc, saved;
    sigset_t  before;

    if (whole->plain) {
        rc = close(whole->fd);
        whole->fd = -1;
        stockcert_whole_close(whole);
        return rc;
    }

    rc = whole->names ? stockcert_whole_own(whole) : stockcert_whole_mode(whole);

    if (rc == 0) {
        rc = fsync(whole->fd);
    }

    /* a signal removes all of it, or nothing */

    stockcert_whole_block(&before);

    if (rc == 0) {
        rc = renameat(whole->place.parent, whole->made, whole->place.parent,
                      whole->place.name);
    }

    if (rc == -1) {
        saved = errno;
        stockcert_whole_undo(whole);

    } else {
        stockcert_whole_made = NULL;

        /* the name */

        rc = fsync(whole->place.parent) == -1;

        saved = errno;
        stockcert_whole_close(whole);
    }

    (void) sigprocmask(SIG_SETMASK, &before, NULL);
    errno = saved;

    return rc;
}


/*
 * The mode of the file that it replaces.  The group gets rights only if the new
 * file has the same group.
 */

static int
stockcert_whole_mode(stockcert_whole_t *whole)
{
    mode_t              mode;
    const struct stat  *st;

    if (!whole->place.there) {
        return 0;
    }

    st = &whole->place.st;
    mode = st->st_mode & (S_IRWXU|S_IRWXG|S_IRWXO);

    if (fchown(whole->fd, (uid_t) -1, st->st_gid) == -1) {
        mode &= ~(mode_t) S_IRWXG;
    }

    return fchmod(whole->fd, mode);
}


/*
 * The files of a directory are flushed. All get the owner of the directory that
 * they replace, and the directory gets its mode.
 */

static int
stockcert_whole_own(stockcert_whole_t *whole)
{
    int                 fd, rc, saved;
    const char *const  *p;

    for (p = whole->names; p && *p; p++) {

        fd = openat(whole->fd, *p, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

        if (fd == -1) {

            if (errno == ENOENT) {
                continue;
            }

            return -1;
        }

        rc = whole->own ? fchown(fd, whole->uid, whole->gid) : 0;

        if (rc == 0) {
            rc = fsync(fd);
        }

        saved = errno;
        (void) close(fd);
        errno = saved;

        if (rc == -1) {
            return -1;
        }
    }

    if (whole->own && fchown(whole->fd, whole->uid, whole->gid) == -1) {
        return -1;
    }

    return whole->place.there ? fchmod(whole->fd, whole->mode) : 0;
}


/*
 * also called by a signal handler, so it calls only what is safe there (POSIX,
 * 2.4.3)
 */

void
stockcert_whole_undo(stockcert_whole_t *whole)
{
    const char *const  *p;

    stockcert_whole_made = NULL;

    for (p = whole->names; p && *p; p++) {
        (void) unlinkat(whole->fd, *p, 0);
    }

    if (!whole->plain) {
        (void) unlinkat(whole->place.parent, whole->made,
                        whole->names ? AT_REMOVEDIR : 0);
    }

    stockcert_whole_close(whole);
}


void
stockcert_whole_abandon(void)
{
    if (stockcert_whole_made) {
        stockcert_whole_undo(stockcert_whole_made);
    }
}


void
stockcert_whole_forget(void)
{
    const int          *signo;
    struct sigaction    sa;
    stockcert_whole_t  *whole;

    for (signo = stockcert_whole_signals; *signo; signo++) {

        if (sigaction(*signo, NULL, &sa) == 0
            && sa.sa_handler == stockcert_whole_signal)
        {
            (void) signal(*signo, SIG_DFL);
        }
    }

    whole = stockcert_whole_made;
    stockcert_whole_made = NULL;

    if (whole) {
        stockcert_whole_close(whole);
    }
}


static void
stockcert_whole_close(stockcert_whole_t *whole)
{
    if (whole->fd != -1) {
        (void) close(whole->fd);
        whole->fd = -1;
    }

    stockcert_place_close(&whole->place);
}


static void
stockcert_whole_signal(int signo)
{
    stockcert_whole_abandon();

    /* and the process ends as if the signal had not been caught */

    (void) raise(signo);
}
