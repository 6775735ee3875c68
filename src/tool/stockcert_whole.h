
/*
 * Files and directories that are there as a whole or not at all: they are made
 * under another name beside their own, flushed, and renamed.  One at a time: if
 * a signal ends the process, what was made so far is removed; after kill -9 it
 * stays, under the other name.
 *
 * The directory that both names are in may be one that somebody else can write,
 * and who could replace what is made, at any time.  So nothing is named twice:
 * all is done by descriptors.
 */


#ifndef STOCKCERT_WHOLE_H
#define STOCKCERT_WHOLE_H


#include <limits.h>
#include <sys/types.h>

#include "stockcert_place.h"


typedef struct {
    const char         *path;              /* its own name */
    int                 fd;                /* what is made, or -1 */
    stockcert_place_t   place;             /* where it gets its own name, */
    char                made[NAME_MAX + 1];    /* and the other one there */
    const char *const  *names;             /* of a directory: all files that it
                                              may get, up to a NULL */
    unsigned            plain:1;           /* not made, but written as it is */
    unsigned            own:1;             /* it gets this owner */
    uid_t               uid;
    gid_t               gid;
    mode_t              mode;              /* of the directory that was there */
    const char         *fault;             /* why there is none */
} stockcert_whole_t;


/*
 * stockcert_whole_file() makes an empty file, replacing one at path at the end,
 * whose mode it gets.  What is no file there (a device, a FIFO) is opened, and
 * written to as it is: that may wait, and cannot be undone.
 * stockcert_whole_directory() makes an empty directory, for where nothing is or
 * an empty directory, whose owner and mode it gets, though nobody else may write
 * it; names must stay.  whole->fd is the file, for writing, or the directory,
 * which nobody else can open until it is finished: what is made in there is made
 * through it.
 *
 * stockcert_whole_finish() flushes, renames and closes: all other descriptors
 * of it are closed before.  stockcert_whole_undo() removes all.
 *
 * Links in path are followed, but as root none of another user.  What would be in
 * a ledger's directory is refused, as is a mount point.
 *
 * All return 0, or -1 with errno, and then there is nothing left to undo:
 * stockcert_whole_finish() has done so.  stockcert_whole_file() and
 * stockcert_whole_directory() also set whole->fault then, the end of a
 * sentence.  stockcert_whole_finish() returns 1 with errno for what has its
 * name, but may lose it in a power cut.
 */

int stockcert_whole_file(stockcert_whole_t *whole, const char *path);
int stockcert_whole_directory(stockcert_whole_t *whole, const char *path,
    const char *const *names);
int stockcert_whole_finish(stockcert_whole_t *whole);
void stockcert_whole_undo(stockcert_whole_t *whole);

/*
 * For who is about to end the process, also in a signal handler: removes what
 * is being made, if anything is.
 */

void stockcert_whole_abandon(void);

/*
 * In a child: what the parent makes is the parent's to remove, and the child
 * has no descriptor of it any more.  Signals end it, as ever.
 */

void stockcert_whole_forget(void);


#endif /* STOCKCERT_WHOLE_H */
