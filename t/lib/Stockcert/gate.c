/*
 * Preloaded into nginx (Gate.pm): makes the disk slow or broken, memory and
 * descriptors fail, and sets the clock, as files in $STOCKCERT_GATE say.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char  dir[1024];

static void note(const char *what, const char *call)
{
    char             path[2048], line[256];
    int              fd, len;
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    snprintf(path, sizeof(path), "%s/log", dir);
    len = snprintf(line, sizeof(line), "%s %s %d %ld%09ld\n", what, call,
                   (int) getpid(), (long) ts.tv_sec, ts.tv_nsec);
    fd = open(path, O_WRONLY|O_APPEND|O_CLOEXEC);
    if (fd == -1 || write(fd, line, len) != len) {
        abort();
    }
    close(fd);
}

/*
 * the number in the file WHAT-CALL, if that is for the path of this descriptor;
 * -1: for the master, or a worker
 */

static int set(const char *what, const char *call, int file)
{
    char     path[2048], text[1100], which[1024] = "", link[64], name[1024];
    int      fd, number = 0;
    ssize_t  n;

    snprintf(path, sizeof(path), "%s/%s-%s", dir, what, call);
    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    sscanf(text, "%d %1023[^\n]", &number, which);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    n = readlink(link, name, sizeof(name) - 1);
    name[n > 0 ? n : 0] = '\0';
    if (file == -1) {
        strcpy(name, getpid() == getpgrp() ? "master" : "worker");
    }
    return strstr(name, which) ? number : 0;
}

/* 0, or -1 and errno if the call has to fail */

static int gate(const char *call, int file)
{
    int   i;
    char  pass[2048];

    snprintf(pass, sizeof(pass), "%s/pass", dir);
    note("at", call);
    for (i = 0; i < 1800000 && set("hold", call, file) && unlink(pass) == -1; i++) {
        usleep(1000);
    }
    usleep(1000 * set("delay", call, file));
    if (set("crash", call, file)) {
        note("crashed", call);
        abort();
    }
    i = set("fail", call, file);
    if (i == 0) {
        return 0;
    }
    note("failed", call);
    errno = i;
    return -1;
}

__attribute__((constructor)) static void load(void)
{
    if (getenv("STOCKCERT_GATE") && dir[0] == '\0') {
        snprintf(dir, sizeof(dir), "%s", getenv("STOCKCERT_GATE"));
        note("loaded", "-");
    }
}

int fdatasync(int fd)
{
    int  rc, (*next)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");

    if (gate("fdatasync", fd) == -1) {
        return -1;
    }
    rc = next(fd);
    note("done", "fdatasync");
    return rc;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
    ssize_t  n, (*next)(int, const void *, size_t, off_t) =
        (ssize_t (*)(int, const void *, size_t, off_t)) dlsym(RTLD_NEXT, "pwrite");

    if ((fcntl(fd, F_GETFL) & O_DSYNC) == 0) {
        if (len < 512 && set("fail", "restore", fd) && gate("restore", fd) == -1) {
            return -1;
        }
        return next(fd, buf, len, off);
    }
    if (gate("pwrite", fd) == -1) {
        return -1;
    }
    n = next(fd, buf, len, off);
    note("done", "pwrite");
    return gate("written", fd) == -1 ? -1 : n;
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    return pwrite(fd, buf, len, off);
}

/* what has no descriptor yet: returns whether it has to fail, and why in errno */

static int fails(const char *call)
{
    int  number;

    number = dir[0] ? set("fail", call, -1) : 0;
    if (number) {
        note("failed", call);
        errno = number;
    }
    return number;
}

int eventfd(unsigned count, int flags)
{
    int  (*next)(unsigned, int) = (int (*)(unsigned, int)) dlsym(RTLD_NEXT, "eventfd");

    return fails("eventfd") ? -1 : next(count, flags);
}

/* memory that processes share; nginx has some, too, which is small */

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
    void  *(*next)(void *, size_t, int, int, int, off_t) =
        (void *(*)(void *, size_t, int, int, int, off_t)) dlsym(RTLD_NEXT, "mmap");

    if ((flags & (MAP_SHARED|MAP_ANONYMOUS)) == (MAP_SHARED|MAP_ANONYMOUS)
        && len > 65536 && fails("share"))
    {
        return MAP_FAILED;
    }
    return next(addr, len, prot, flags, fd, off);
}

void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
    return mmap(addr, len, prot, flags, fd, off);
}

/*
 * the memory that nginx's event loop asks for: fail-memory has which time fails,
 * from when it was made, or -1 for all
 */

static int no_memory(void *caller)
{
    int         number;
    Dl_info     info;
    static int  n;

    if (dir[0] == '\0' || getpid() != syscall(SYS_gettid)) {
        return 0;
    }
    number = set("fail", "memory", -1);
    if (number == 0) {
        n = 0;
        return 0;
    }
    if (dladdr(caller, &info) == 0 || info.dli_sname == NULL
        || (strcmp(info.dli_sname, "ngx_alloc") && strcmp(info.dli_sname, "ngx_memalign")))
    {
        return 0;
    }
    if (number != -1 && ++n != number) {
        return 0;
    }
    note("failed", "memory");
    return 1;
}

void *malloc(size_t size)
{
    int           saved = errno;
    static void  *(*next)(size_t);

    if (next == NULL) {
        next = (void *(*)(size_t)) dlsym(RTLD_NEXT, "malloc");
    }
    if (no_memory(__builtin_return_address(0))) {
        errno = ENOMEM;
        return NULL;
    }
    errno = saved;
    return next(size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    static int  (*next)(void **, size_t, size_t);

    if (next == NULL) {
        next = (int (*)(void **, size_t, size_t)) dlsym(RTLD_NEXT, "posix_memalign");
    }
    return no_memory(__builtin_return_address(0)) ? ENOMEM : next(p, alignment, size);
}

/* seconds that the clock is set by */

static long shift(void)
{
    char  path[2048], text[32] = "";
    int   fd, saved = errno;

    snprintf(path, sizeof(path), "%s/clock", dir);
    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd != -1) {
        if (read(fd, text, sizeof(text) - 1) == -1) {
            abort();
        }
        close(fd);
    }
    errno = saved;
    return atol(text);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int  rc = (int) syscall(SYS_clock_gettime, id, ts);

    if (rc == 0 && id == CLOCK_REALTIME) {
        ts->tv_sec += shift();
    }
    return rc;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    struct timespec  ts;

    (void) tz;
    clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}
