
#define _GNU_SOURCE    /* O_PATH */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_within.h"


/* up to the root, which is its own parent */

int
stockcert_is_within(int dir)
{
    int          fd, up, found, top;
    struct stat  st, above;

    found = 0;
    top = 0;
    fd = openat(dir, ".", O_PATH|O_DIRECTORY|O_CLOEXEC);

    while (fd != -1) {
        found = fstatat(fd, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) == 0;

        up = found || top ? -1 : openat(fd, "..", O_PATH|O_DIRECTORY|O_CLOEXEC);

        top = up != -1 && fstat(fd, &st) == 0 && fstat(up, &above) == 0
              && above.st_ino == st.st_ino && above.st_dev == st.st_dev;

        (void) close(fd);
        fd = up;
    }

    return found;
}
