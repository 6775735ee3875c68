
#include <dirent.h>
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
static int stockcert_whole_split(stockcert_whole_t *whole, const char *path);
static int stockcert_whole_make(stockcert_whole_t *whole);
static int stockcert_whole_replaces(stockcert_whole_t *whole);
static int stockcert_whole_empty(int fd);
static int stockcert_whole_own(stockcert_whole_t *whole);
static void stockcert_whole_close(stockcert_whole_t *whole);
static void stockcert_whole_signal(int signo);


/* what a signal has to remove */

static stockcert_whole_t *volatile  stockcert_whole_made;


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
    int                saved;
    size_t             i;
    struct sigaction   sa;
    static const int   signals[] = { SIGINT, SIGTERM, SIGHUP };

    whole->path = path;
    whole->fd = -1;
    whole->parent = -1;

    memset(&sa, 0, sizeof(struct sigaction));

    sa.sa_handler = stockcert_whole_signal;
    sa.sa_flags = (int) SA_RESETHAND;

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], &sa, NULL) == -1) {
            return -1;
        }
    }

    if (stockcert_whole_split(whole, path) == -1
        || (whole->names && stockcert_whole_replaces(whole) == -1)
        || stockcert_whole_make(whole) == -1)
    {
        saved = errno;
        stockcert_whole_close(whole);
        errno = saved;
        return -1;
    }

    stockcert_whole_made = whole;

    return 0;
}


/* "dir/" is "dir" */

static int
stockcert_whole_split(stockcert_whole_t *whole, const char *path)
{
    char         parent[PATH_MAX];
    size_t       len, name;

    for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--) {
        /* void */
    }

    for (name = len; name > 0 && path[name - 1] != '/'; name--) {
        /* void */
    }

    if (name >= sizeof(parent)
        || len - name >= sizeof(whole->name))
    {
        errno = ENAMETOOLONG;
        return -1;
    }

    snprintf(parent, sizeof(parent), "%.*s", (int) name, path);
    snprintf(whole->name, sizeof(whole->name), "%.*s", (int) (len - name),
             path + name);

    whole->parent = open(name ? parent : ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    return whole->parent == -1 ? -1 : 0;
}


/* what will be replaced by a directory: nothing, or an empty one */

static int
stockcert_whole_replaces(stockcert_whole_t *whole)
{
    int          fd, rc;
    struct stat  st;

    fd = openat(whole->parent, whole->name,
                O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        return errno == ENOENT ? 0 : -1;
    }

    rc = fstat(fd, &st);

    if (rc == 0) {
        whole->own = (st.st_uid != geteuid() || st.st_gid != getegid());
        whole->uid = st.st_uid;
        whole->gid = st.st_gid;
    }

    return stockcert_whole_empty(fd) == -1 ? -1 : rc;
}


/* closes fd; 0 if it is an empty directory */

static int
stockcert_whole_empty(int fd)
{
    int             saved;
    DIR            *dir;
    struct dirent  *entry;

    dir = fdopendir(fd);

    if (dir == NULL) {
        saved = errno;
        (void) close(fd);
        errno = saved;
        return -1;
    }

    do {
        errno = 0;
        entry = readdir(dir);
    } while (entry && (strcmp(entry->d_name, ".") == 0
                       || strcmp(entry->d_name, "..") == 0));

    saved = entry ? ENOTEMPTY : errno;
    (void) closedir(dir);
    errno = saved;

    return saved ? -1 : 0;
}


static int
stockcert_whole_make(stockcert_whole_t *whole)
{
    int          i, copy;
    uint32_t     random;
    struct stat  st;

    for (i = 0; i < STOCKCERT_WHOLE_TRIES; i++) {

        if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
            return -1;
        }

        snprintf(whole->made, sizeof(whole->made), "%s.%06x", whole->name,
                 (unsigned) (random & 0xffffff));

        if (whole->names == NULL) {
            whole->fd = openat(whole->parent, whole->made,
                               O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

            if (whole->fd != -1 || errno != EEXIST) {
                return whole->fd == -1 ? -1 : 0;
            }

        } else if (mkdirat(whole->parent, whole->made, 0700) == 0) {
            break;

        } else if (errno != EEXIST) {
            return -1;
        }
    }

    if (i == STOCKCERT_WHOLE_TRIES) {
        return -1;
    }

    whole->fd = openat(whole->parent, whole->made,
                       O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (whole->fd == -1 || fstat(whole->fd, &st) == -1) {
        return -1;
    }

    /* it may be another one by now */

    copy = openat(whole->fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (copy == -1 || stockcert_whole_empty(copy) == -1) {
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
    int  rc, saved;

    rc = stockcert_whole_own(whole);

    if (rc == 0) {
        rc = fsync(whole->fd);
    }

    if (rc == 0) {
        rc = renameat(whole->parent, whole->made, whole->parent, whole->name);
    }

    if (rc == -1) {
        saved = errno;
        stockcert_whole_undo(whole);
        errno = saved;
        return -1;
    }

    stockcert_whole_made = NULL;

    /* the name */

    rc = fsync(whole->parent);

    saved = errno;
    stockcert_whole_close(whole);
    errno = saved;

    return rc;
}


/* files of a directory are flushed, and get the owner that it will replace */

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

    return whole->own ? fchown(whole->fd, whole->uid, whole->gid) : 0;
}


/* also from a signal: what it calls is safe there (POSIX, 2.4.3) */

void
stockcert_whole_undo(stockcert_whole_t *whole)
{
    const char *const  *p;

    stockcert_whole_made = NULL;

    for (p = whole->names; p && *p; p++) {
        (void) unlinkat(whole->fd, *p, 0);
    }

    (void) unlinkat(whole->parent, whole->made,
                    whole->names ? AT_REMOVEDIR : 0);

    stockcert_whole_close(whole);
}


void
stockcert_whole_forget(void)
{
    stockcert_whole_t  *whole;

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

    if (whole->parent != -1) {
        (void) close(whole->parent);
        whole->parent = -1;
    }
}


static void
stockcert_whole_signal(int signo)
{
    if (stockcert_whole_made) {
        stockcert_whole_undo(stockcert_whole_made);
    }

    /* and ends as if it had not been caught */

    (void) raise(signo);
}
