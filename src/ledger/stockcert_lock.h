
/*
 * Locks of files (flock(2)), by a descriptor that no other process has.  A
 * forked child does not hold its parent's lock.  The kernel drops the lock of
 * a process that dies.  A stopped process keeps it.
 */


#ifndef STOCKCERT_LOCK_H
#define STOCKCERT_LOCK_H


#include <sys/types.h>


typedef struct stockcert_lock_s  stockcert_lock_t;

struct stockcert_lock_s {
    int                fd;         /* to read the file or to look at it, too */
    stockcert_lock_t  *next;       /* of those that are open */
};


/*
 * Opens the file name in the directory of the descriptor dir (or AT_FDCWD),
 * for reading, with additional flags such as O_DIRECTORY.  It follows no link
 * and does not wait for a FIFO.  Returns 0; or -1 with errno, and then
 * lock->fd is -1 and there is nothing to close.  *lock must not move in memory
 * until it is closed.
 *
 * stockcert_lock_close() also drops the lock.  It may be called for a lock that
 * is not open.
 */

int stockcert_lock_open(stockcert_lock_t *lock, int dir, const char *name,
    int flags);
void stockcert_lock_close(stockcert_lock_t *lock);

/*
 * Waits until nobody else has the lock.  If wait is 0, it waits for ever;
 * otherwise about so many milliseconds, and then it fails with EWOULDBLOCK.
 * If a signal comes while it waits for ever, interrupted() is called, unless
 * it is NULL.  Returns 0, or -1 with errno.  One thread at a time.
 */

int stockcert_lock_take(stockcert_lock_t *lock, unsigned wait,
    void (*interrupted)(pid_t holder));
void stockcert_lock_drop(stockcert_lock_t *lock);

/*
 * The process that has the lock, as /proc/locks shows it to this one; 0 if
 * there is none, or it cannot be told.  Any thread.
 */

pid_t stockcert_lock_holder(const stockcert_lock_t *lock);

/*
 * That process in words: "process 1234".  What has the lock in another
 * container is 0 here.  Returns text, of STOCKCERT_LOCK_NAME bytes.
 */

#define STOCKCERT_LOCK_NAME  64

const char *stockcert_lock_name(pid_t holder, char *text);


#endif /* STOCKCERT_LOCK_H */
