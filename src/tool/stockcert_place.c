
/*
 * Finds the place where a file or directory is to be made, by descriptors.
 *
 * It opens directories, and changes nothing.
 */


#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "stockcert_place.h"
#include "stockcert_within.h"


#define STOCKCERT_PLACE_LINKS  40      /* the kernel follows as many */


static int stockcert_place_split(stockcert_place_t *place, const char *path);
static int stockcert_place_look(stockcert_place_t *place, char *target);
static int stockcert_place_follow(stockcert_place_t *place, int fd,
    char *target);
static int stockcert_place_refuse(stockcert_place_t *place, int error,
    const char *fault);


int
stockcert_place_find(stockcert_place_t *place, const char *path)
{
    int   i, rc, saved;
    char  target[PATH_MAX];

    memset(place, 0, sizeof(stockcert_place_t));

    place->parent = -1;
    rc = 1;

    for (i = 0; i <= STOCKCERT_PLACE_LINKS && rc == 1; i++) {
        rc = stockcert_place_split(place, path);

        if (rc == 0) {
            rc = stockcert_place_look(place, target);
        }

        path = target;
    }

    if (rc == 0) {
        return 0;
    }

    saved = rc == 1 ? ELOOP : errno;
    stockcert_place_close(place);
    errno = saved;

    return -1;
}


void
stockcert_place_close(stockcert_place_t *place)
{
    if (place->parent != -1) {
        (void) close(place->parent);
        place->parent = -1;
    }
}


/* "dir/" is "dir"; a path without "/" at its start begins at the parent */

static int
stockcert_place_split(stockcert_place_t *place, const char *path)
{
    int     parent;
    char    dir[PATH_MAX];
    size_t  len, name;

    for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--) {
        /* void */
    }

    for (name = len; name > 0 && path[name - 1] != '/'; name--) {
        /* void */
    }

    if (len == 0) {
        errno = ENOENT;
        return -1;
    }

    if (name >= sizeof(dir) || len - name >= sizeof(place->name)) {
        errno = ENAMETOOLONG;
        return -1;
    }

    snprintf(dir, sizeof(dir), "%.*s", (int) name, path);
    snprintf(place->name, sizeof(place->name), "%.*s", (int) (len - name),
             path + name);

    if (len == name || strcmp(place->name, "..") == 0) {
        snprintf(dir, sizeof(dir), "%.*s", (int) len, path);
        strcpy(place->name, ".");
    }

    parent = openat(place->parent == -1 ? AT_FDCWD : place->parent,
                    dir[0] ? dir : ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (parent == -1) {
        return -1;
    }

    stockcert_place_close(place);
    place->parent = parent;

    return 0;
}


/* returns 1 for a link that leads to target, otherwise 0, or -1 with errno */

static int
stockcert_place_look(stockcert_place_t *place, char *target)
{
    int           fd, rc, saved;
    struct statx  stx;

    fd = openat(place->parent, place->name, O_PATH|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        return errno == ENOENT ? 0 : -1;
    }

    place->there = 1;

    rc = fstat(fd, &place->st);

    if (rc == 0) {
        rc = statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx);
    }

    place->mounted = rc == 0 && (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);

    if (rc == 0 && S_ISLNK(place->st.st_mode)) {
        rc = stockcert_place_follow(place, fd, target);
    }

    saved = errno;
    (void) close(fd);
    errno = saved;

    return rc;
}


static int
stockcert_place_follow(stockcert_place_t *place, int fd, char *target)
{
    ssize_t        n;
    struct stat    st;
    struct statfs  fs;

    if (geteuid() == 0 && place->st.st_uid != 0) {
        return stockcert_place_refuse(place, EPERM, "a link of another user "
                                      "leads there, name the place itself");
    }

    if (fstatfs(fd, &fs) == -1) {
        return -1;
    }

    /* /dev/stdout can be a pipe, for example: that has no path */

    if (fs.f_type == PROC_SUPER_MAGIC
        && fstatat(place->parent, place->name, &st, 0) == 0
        && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
    {
        place->own = 1;
        place->st = st;
        return 0;
    }

    n = readlinkat(fd, "", target, PATH_MAX);

    if (n == -1) {
        return -1;
    }

    if (n == PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }

    target[n] = '\0';
    place->there = 0;

    return 1;
}


int
stockcert_place_is_free(stockcert_place_t *place)
{
    int  fd;

    fd = openat(place->parent, place->name,
                O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }

    if (fstat(fd, &place->st) == -1) {
        (void) close(fd);
        return -1;
    }

    if (stockcert_place_is_empty(fd) == -1) {
        return -1;
    }

    if (place->mounted) {
        return stockcert_place_refuse(place, EBUSY, "a disk is mounted there, "
                                      "name a directory on it");
    }

    if (strcmp(place->name, ".") == 0) {
        return stockcert_place_refuse(place, EINVAL, "a new one takes its place,"
                                      " so give its name");
    }

    return 0;
}


int
stockcert_place_is_apart(stockcert_place_t *place)
{
    return stockcert_is_within(place->parent)
           ? stockcert_place_refuse(place, EPERM, "that is in a ledger's own "
                                    "directory, with its data.mdb")
           : 0;
}


int
stockcert_place_is_empty(int fd)
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
stockcert_place_refuse(stockcert_place_t *place, int error, const char *fault)
{
    place->fault = fault;
    errno = error;

    return -1;
}
