
/*
 * Locks of files by flock(2), and who holds one.
 *
 * It touches descriptors and /proc/locks, and no LMDB.
 */


#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "stockcert_lock.h"


/*
 * A lock belongs to the open file, and a forked child has that, too.  The child
 * would hold the lock for as long as it lives, even after the process that
 * took it died.  So the child closes all of them.
 */


#define STOCKCERT_LOCK_PAUSE  1000000      /* nanoseconds */
#define STOCKCERT_LOCK_READS  3            /* of /proc/locks: a line is missed
                                              where others go meanwhile */


static void stockcert_lock_init(void);
static void stockcert_lock_prepare(void);
static void stockcert_lock_parent(void);
static void stockcert_lock_child(void);
static pid_t stockcert_lock_read(const struct stat *st);


static stockcert_lock_t  *stockcert_locks;
static pthread_mutex_t    stockcert_locks_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t     stockcert_locks_once = PTHREAD_ONCE_INIT;
static int                stockcert_locks_error;


static void
stockcert_lock_init(void)
{
    stockcert_locks_error = pthread_atfork(stockcert_lock_prepare,
                                           stockcert_lock_parent,
                                           stockcert_lock_child);
}


static void
stockcert_lock_prepare(void)
{
    (void) pthread_mutex_lock(&stockcert_locks_mutex);
}


static void
stockcert_lock_parent(void)
{
    (void) pthread_mutex_unlock(&stockcert_locks_mutex);
}


static void
stockcert_lock_child(void)
{
    stockcert_lock_t  *lock;

    for (lock = stockcert_locks; lock; lock = lock->next) {
        (void) close(lock->fd);
        lock->fd = -1;
    }

    stockcert_locks = NULL;

    (void) pthread_mutex_unlock(&stockcert_locks_mutex);
}


int
stockcert_lock_open(stockcert_lock_t *lock, int dir, const char *name,
    int flags)
{
    int  saved;

    lock->fd = -1;

    (void) pthread_once(&stockcert_locks_once, stockcert_lock_init);

    if (stockcert_locks_error) {
        errno = stockcert_locks_error;
        return -1;
    }

    (void) pthread_mutex_lock(&stockcert_locks_mutex);

    lock->fd = openat(dir, name,
                      O_RDONLY|O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK|flags);
    saved = errno;

    if (lock->fd != -1) {
        lock->next = stockcert_locks;
        stockcert_locks = lock;
    }

    (void) pthread_mutex_unlock(&stockcert_locks_mutex);

    errno = saved;

    return lock->fd == -1 ? -1 : 0;
}


void
stockcert_lock_close(stockcert_lock_t *lock)
{
    stockcert_lock_t  **p;

    if (lock->fd == -1) {
        return;
    }

    (void) pthread_mutex_lock(&stockcert_locks_mutex);

    for (p = &stockcert_locks; *p; p = &(*p)->next) {
        if (*p == lock) {
            *p = lock->next;
            break;
        }
    }

    (void) close(lock->fd);
    lock->fd = -1;

    (void) pthread_mutex_unlock(&stockcert_locks_mutex);
}


int
stockcert_lock_take(stockcert_lock_t *lock, unsigned wait,
    void (*interrupted)(pid_t holder))
{
    static const struct timespec  pause = { 0, STOCKCERT_LOCK_PAUSE };

    while (flock(lock->fd, wait ? LOCK_EX|LOCK_NB : LOCK_EX) == -1) {

        if (errno == EINTR) {

            if (interrupted) {
                interrupted(stockcert_lock_holder(lock));
            }

            continue;
        }

        if (errno != EWOULDBLOCK || wait == 1) {
            return -1;
        }

        wait--;
        nanosleep(&pause, NULL);
    }

    return 0;
}


void
stockcert_lock_drop(stockcert_lock_t *lock)
{
    /* it can only fail if there is no such descriptor */

    (void) flock(lock->fd, LOCK_UN);
}


pid_t
stockcert_lock_holder(const stockcert_lock_t *lock)
{
    pid_t        holder;
    unsigned     n;
    struct stat  st;

    if (fstat(lock->fd, &st) == -1) {
        return 0;
    }

    holder = 0;

    for (n = 0; holder == 0 && n < STOCKCERT_LOCK_READS; n++) {
        holder = stockcert_lock_read(&st);
    }

    return holder;
}


const char *
stockcert_lock_name(pid_t holder, char *text)
{
    if (holder == 0) {
        return strcpy(text, "a process that cannot be seen from here");
    }

    snprintf(text, STOCKCERT_LOCK_NAME, "process %d", (int) holder);

    return text;
}


/* a line is "1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF" (proc(5)) */

static pid_t
stockcert_lock_read(const struct stat *st)
{
    int            pid, holder;
    char           line[256];
    FILE          *file;
    unsigned       major, minor;
    unsigned long  inode;

    file = fopen("/proc/locks", "re");
    if (file == NULL) {
        return 0;
    }

    holder = 0;

    while (holder == 0 && fgets(line, sizeof(line), file)) {

        /* a waiter's line has "->" there, and does not match */

        if (sscanf(line, "%*d: FLOCK ADVISORY %*s %d %x:%x:%lu", &pid, &major,
                   &minor, &inode)
            == 4
            && inode == st->st_ino && major == major(st->st_dev)
            && minor == minor(st->st_dev))
        {
            holder = pid;
        }
    }

    (void) fclose(file);

    return holder;
}
