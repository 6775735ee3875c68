
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_whole.h"


static int stockcert_whole_begin(stockcert_whole_t *whole, const char *path);
static int stockcert_whole_empty(const char *path);
static int stockcert_whole_own(stockcert_whole_t *whole);
static int stockcert_whole_flush(const char *path);
static void stockcert_whole_signal(int signo);


/* what a signal has to remove */

static stockcert_whole_t *volatile  stockcert_whole_made;


int
stockcert_whole_file(stockcert_whole_t *whole, const char *path)
{
    int  fd;

    whole->names = NULL;

    if (stockcert_whole_begin(whole, path) == -1) {
        return -1;
    }

    fd = mkstemp(whole->made);

    if (fd != -1) {
        stockcert_whole_made = whole;
    }

    return fd;
}


int
stockcert_whole_directory(stockcert_whole_t *whole, const char *path,
    const char *const *names)
{
    whole->names = names;

    if (stockcert_whole_empty(path) == -1 && errno != ENOENT) {
        return -1;
    }

    if (stockcert_whole_begin(whole, path) == -1
        || mkdtemp(whole->made) == NULL)
    {
        return -1;
    }

    stockcert_whole_made = whole;

    return 0;
}


static int
stockcert_whole_begin(stockcert_whole_t *whole, const char *path)
{
    int                len;
    size_t             i;
    struct sigaction   sa;
    static const int   signals[] = { SIGINT, SIGTERM, SIGHUP };

    /* "dir/" is "dir" */

    for (len = (int) strlen(path); len > 1 && path[len - 1] == '/'; len--) {
        /* void */
    }

    whole->path = path;

    if (snprintf(whole->made, PATH_MAX, "%.*s.XXXXXX", len, path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }

    memset(&sa, 0, sizeof(struct sigaction));

    sa.sa_handler = stockcert_whole_signal;
    sa.sa_flags = (int) SA_RESETHAND;

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], &sa, NULL) == -1) {
            return -1;
        }
    }

    return 0;
}


/* 0 if it is an empty directory; otherwise -1, ENOENT if nothing is there */

static int
stockcert_whole_empty(const char *path)
{
    int             saved;
    DIR            *dir;
    struct dirent  *entry;

    dir = opendir(path);
    if (dir == NULL) {
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


int
stockcert_whole_finish(stockcert_whole_t *whole)
{
    int    rc, saved;
    char   parent[PATH_MAX], *slash;

    rc = stockcert_whole_own(whole);

    if (rc == 0) {
        rc = stockcert_whole_flush(whole->made);
    }

    if (rc == 0) {
        rc = rename(whole->made, whole->path);
    }

    if (rc == -1) {
        saved = errno;
        stockcert_whole_undo(whole);
        errno = saved;
        return -1;
    }

    stockcert_whole_made = NULL;

    /* the name; made has the same parent */

    slash = strrchr(whole->made, '/');

    if (slash == NULL) {
        return stockcert_whole_flush(".");
    }

    snprintf(parent, sizeof(parent), "%.*s", (int) (slash - whole->made + 1),
             whole->made);

    return stockcert_whole_flush(parent);
}


/* files of a directory are flushed, and get the owner that it will replace */

static int
stockcert_whole_own(stockcert_whole_t *whole)
{
    int                 own;
    char                name[PATH_MAX + NAME_MAX];
    struct stat         st;
    const char *const  *p;

    if (whole->names == NULL) {
        return 0;
    }

    own = (stat(whole->path, &st) == 0
           && (st.st_uid != geteuid() || st.st_gid != getegid()));

    for (p = whole->names; *p; p++) {
        snprintf(name, sizeof(name), "%s/%s", whole->made, *p);

        if (access(name, F_OK) == -1) {
            continue;
        }

        if ((own && chown(name, st.st_uid, st.st_gid) == -1)
            || stockcert_whole_flush(name) == -1)
        {
            return -1;
        }
    }

    return own ? chown(whole->made, st.st_uid, st.st_gid) : 0;
}


static int
stockcert_whole_flush(const char *path)
{
    int  fd, rc, saved;

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);

    saved = errno;
    (void) close(fd);
    errno = saved;

    return rc;
}


/* also from a signal: what it calls is safe there (POSIX, 2.4.3) */

void
stockcert_whole_undo(stockcert_whole_t *whole)
{
    int                 fd;
    const char *const  *p;

    stockcert_whole_made = NULL;

    if (whole->names == NULL) {
        (void) unlink(whole->made);
        return;
    }

    fd = open(whole->made, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    for (p = whole->names; *p; p++) {
        (void) unlinkat(fd, *p, 0);
    }

    (void) close(fd);
    (void) rmdir(whole->made);
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
