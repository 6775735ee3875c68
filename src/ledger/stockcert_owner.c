
/*
 * Checks whose files a ledger is made of.
 *
 * It touches files and descriptors, and no LMDB.
 */


#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_owner.h"


static stockcert_rc_e stockcert_owner_of(const char *name,
    const struct stat *st, uid_t uid, stockcert_error_t *error);


stockcert_rc_e
stockcert_owner_check(const char *path, uid_t uid, stockcert_error_t *error)
{
    char                      file[PATH_MAX];
    size_t                    i;
    struct stat               st;
    stockcert_rc_e            rc;

    static const char *const  names[] = { "data.mdb", "lock.mdb" };

    rc = STOCKCERT_OK;

    if (stat(path, &st) == 0) {
        rc = stockcert_owner_of("its directory", &st, uid, error);
    }

    for (i = 0; i < 2 && rc == STOCKCERT_OK; i++) {

        if (snprintf(file, sizeof(file), "%s/%s", path, names[i])
            < (int) sizeof(file)
            && lstat(file, &st) == 0 && !S_ISLNK(st.st_mode))
        {
            rc = stockcert_owner_of(names[i], &st, uid, error);
        }
    }

    return rc;
}


static stockcert_rc_e
stockcert_owner_of(const char *name, const struct stat *st, uid_t uid,
    stockcert_error_t *error)
{
    if (st->st_uid != uid) {
        snprintf(error->text, sizeof(error->text), "%s belongs to user %u, and "
                 "the ledger is opened as user %u: if it is the ledger's, chown "
                 "it to that one", name, (unsigned) st->st_uid, (unsigned) uid);
        return STOCKCERT_FAILED;
    }

    if (uid == 0 && (st->st_mode & (S_IWGRP|S_IWOTH))) {
        snprintf(error->text, sizeof(error->text), "others than root may write "
                 "%s: chmod go-w it", name);
        return STOCKCERT_FAILED;
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_owner_open(const char *path, int *fd, stockcert_error_t *error)
{
    const char   *name, *fault;
    struct stat   st;

    *fd = open(path, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY|O_CLOEXEC);

    if (*fd == -1 && errno != ELOOP && errno != ENXIO) {
        return STOCKCERT_OK;
    }

    fault = "is no regular file";

    if (*fd == -1) {
        fault = errno == ELOOP ? "is a symbolic link: the file itself must be "
                                 "there"
                               : fault;

    } else if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {

        if (st.st_nlink == 1) {
            return STOCKCERT_OK;
        }

        fault = "has another name (hard link), and must have none";
    }

    if (*fd != -1) {
        (void) close(*fd);
        *fd = -1;
    }

    name = strrchr(path, '/');

    snprintf(error->text, sizeof(error->text), "%s %s", name ? name + 1 : path,
             fault);

    return STOCKCERT_FAILED;
}
