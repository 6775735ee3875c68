
/*
 * Locks of files (flock(2)), by a descriptor that nobody else has: a child that
 * is forked while a lock is held does not hold it, too.  The kernel drops the
 * lock of a process that dies; one that is stopped keeps it.
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
 * Opens what name is in the directory of the descriptor dir (or AT_FDCWD), for
 * reading, with flags such as O_DIRECTORY besides.  A link is not followed and
 * a FIFO not waited for.  Returns 0; or -1 with errno, and then lock->fd is -1
 * and there is nothing to close.  The lock stays where it is in memory until it
 * is closed.
 *
 * _close() also drops the lock, and may be called for what is not open.
 */

int stockcert_lock_open(stockcert_lock_t *lock, int dir, const char *name,
    int flags);
void stockcert_lock_close(stockcert_lock_t *lock);

/*
 * Waits until nobody else has the lock: for ever if wait is 0, otherwise for
 * about so many milliseconds, and then fails with EWOULDBLOCK.  If a signal
 * comes while it waits for ever, interrupted() is called, unless it is NULL.
 * Returns 0, or -1 with errno.  One thread at a time.
 */

int stockcert_lock_take(stockcert_lock_t *lock, unsigned wait,
    void (*interrupted)(pid_t holder));
void stockcert_lock_drop(stockcert_lock_t *lock);

/*
 * The process that has the lock, as /proc/locks shows it to this one; 0 if
 * there is none, or it cannot be told.  Any thread.
 */

pid_t stockcert_lock_holder(const stockcert_lock_t *lock);


#endif /* STOCKCERT_LOCK_H */
