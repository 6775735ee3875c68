
/*
 * To be preloaded into nginx: records (recording.h) to the file $POWER/log what
 * happens to the ledger in $POWER_LEDGER, and which answers are sent.
 *
 * A process kills itself at a file $POWER/die-POINT, which it removes; with
 * "all" in it, it kills its process group: "flush" is before a flush of the
 * file, "last" after the page cache has LMDB's last write and before the disk
 * has it, "flushed" after that.  A kill from outside could come between the
 * call and its event.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "recording.h"


#define PIECES  64

#define NEXT(name)  ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))


static char  dir[PATH_MAX];
static char  ledger[PATH_MAX];
static int   log_fd = -1;


__attribute__((constructor))
static void
power_load(void)
{
    char  path[PATH_MAX + 8];

    if (dir[0] || getenv("POWER") == NULL || getenv("POWER_LEDGER") == NULL) {
        return;
    }

    snprintf(dir, sizeof(dir), "%s", getenv("POWER"));
    snprintf(ledger, sizeof(ledger), "%s", getenv("POWER_LEDGER"));
    snprintf(path, sizeof(path), "%s/log", dir);

    log_fd = open(path, O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC, 0600);
}


/* one call, so that events of several processes do not mix */

static void
record(kind_e kind, uint64_t offset, const struct iovec *iov, int n)
{
    int           i;
    head_t        head;
    ssize_t       len;
    struct iovec  all[PIECES + 1];

    head.kind = kind;
    head.thread = (uint32_t) gettid();
    head.offset = offset;
    head.len = 0;

    all[0].iov_base = &head;
    all[0].iov_len = sizeof(head_t);

    if (n > PIECES) {
        abort();
    }

    for (i = 0; i < n; i++) {
        all[i + 1] = iov[i];
        head.len += iov[i].iov_len;
    }

    len = (ssize_t) (sizeof(head_t) + head.len);

    if (log_fd != -1 && syscall(SYS_writev, log_fd, all, n + 1) != len) {
        abort();
    }
}


static void
record_name(kind_e kind, const char *path)
{
    struct iovec  name;

    name.iov_base = (char *) (strrchr(path, '/') ? strrchr(path, '/') + 1
                                                 : path);
    name.iov_len = strlen(name.iov_base);

    record(kind, 0, &name, 1);
}


static int
is_data(const char *path)
{
    size_t  len;

    len = strlen(ledger);

    return len != 0 && strncmp(path, ledger, len) == 0
           && strncmp(path + len, "/data.mdb", 9) == 0
           && strstr(path + len, "lock") == NULL;
}


/* 'f' for the ledger's file, 'd' for its directory, 0 for all others */

static char
which(int fd)
{
    char     link[64], path[PATH_MAX];
    ssize_t  n;

    if (ledger[0] == '\0') {
        return 0;
    }

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';

    return is_data(path) ? 'f' : strcmp(path, ledger) == 0 ? 'd' : 0;
}


static void
die_at(const char *point)
{
    int      fd;
    char     path[PATH_MAX + 32], all[3];
    ssize_t  n;

    snprintf(path, sizeof(path), "%s/die-%s", dir, point);

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    n = read(fd, all, sizeof(all));
    close(fd);

    if (unlink(path) == 0) {
        kill(n == 3 && memcmp(all, "all", 3) == 0 ? 0 : getpid(), SIGKILL);
    }
}


/* a write to the ledger's file, as one or as the other of the calls below */

static ssize_t
write_file(int fd, const struct iovec *iov, int n, off_t offset)
{
    ssize_t  rc;

    record(WRITTEN, (uint64_t) offset, iov, n);

    rc = syscall(SYS_pwritev, fd, iov, n, offset, 0);

    /* what is not as recorded is no part of the test */

    if (rc == -1) {
        abort();
    }

    if (fcntl(fd, F_GETFL) & O_DSYNC) {
        die_at("last");
        record(WRITE_FLUSHED, 0, NULL, 0);
        die_at("flushed");
    }

    return rc;
}


/* at the file's own offset, which moves */

static ssize_t
write_here(int fd, const struct iovec *iov, int n)
{
    off_t    offset;
    ssize_t  rc;

    offset = lseek(fd, 0, SEEK_CUR);
    rc = write_file(fd, iov, n, offset);
    lseek(fd, offset + rc, SEEK_SET);

    return rc;
}


static void
answer(const struct iovec *iov, int n)
{
    if (n && iov[0].iov_len > 12
        && memcmp(iov[0].iov_base, "HTTP/1.1 20", 11) == 0)
    {
        record(ANSWERED, 0, iov, n);
    }
}


static int
flush(int fd, int (*next)(int))
{
    int   rc;
    char  what;

    what = which(fd);

    if (what == 'f') {
        die_at("flush");
        record(FLUSH, 0, NULL, 0);

    } else if (what == 'd') {
        record(NAMES_FLUSH, 0, NULL, 0);
    }

    /* time for who might answer too early */

    if (what == 'f') {
        usleep(1000);
    }

    rc = next(fd);

    if (rc == 0 && what) {
        record(what == 'f' ? FLUSHED : NAMES_FLUSHED, 0, NULL, 0);
    }

    return rc;
}


int
open(const char *path, int flags, ...)
{
    int      fd, made;
    mode_t   mode;
    va_list  args;

    va_start(args, flags);
    mode = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, mode_t) : 0;
    va_end(args);

    made = (flags & O_CREAT) && is_data(path) && access(path, F_OK) == -1;

    if (made) {
        record_name(MADE, path);
    }

    fd = NEXT(open)(path, flags, mode);

    if (made && fd == -1) {
        abort();
    }

    return fd;
}


int
rename(const char *from, const char *to)
{
    if (is_data(from)) {
        record_name(RENAMED, to);
    }

    return NEXT(rename)(from, to);
}


ssize_t
pwrite(int fd, const void *buf, size_t len, off_t offset)
{
    struct iovec  iov = { (void *) buf, len };

    return which(fd) == 'f' ? write_file(fd, &iov, 1, offset)
                            : NEXT(pwrite)(fd, buf, len, offset);
}


ssize_t
pwrite64(int fd, const void *buf, size_t len, off_t offset)
{
    return pwrite(fd, buf, len, offset);
}


ssize_t
write(int fd, const void *buf, size_t len)
{
    struct iovec  iov = { (void *) buf, len };

    if (which(fd) == 'f') {
        return write_here(fd, &iov, 1);
    }

    answer(&iov, 1);

    return NEXT(write)(fd, buf, len);
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    if (which(fd) == 'f') {
        return write_here(fd, iov, n);
    }

    answer(iov, n);

    return NEXT(writev)(fd, iov, n);
}


ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
    struct iovec  iov = { (void *) buf, len };

    answer(&iov, 1);

    return NEXT(send)(fd, buf, len, flags);
}


int
fdatasync(int fd)
{
    return flush(fd, NEXT(fdatasync));
}


int
fsync(int fd)
{
    return flush(fd, NEXT(fsync));
}


/* LMDB needs neither as we use it, and images.c knows neither */

int
ftruncate(int fd, off_t len)
{
    if (which(fd) == 'f') {
        abort();
    }

    return NEXT(ftruncate)(fd, len);
}


int
msync(void *addr, size_t len, int flags)
{
    (void) addr;
    (void) len;
    (void) flags;

    abort();
}
