
/*
 * Files and directories that are there as a whole or not at all.  They are made
 * under another name beside their own, flushed, and renamed.  One at a time: if
 * a signal ends the process, what was made so far is removed.  After kill -9 it
 * stays, under the other name.
 *
 * All is done by descriptors: docs/ARCHITECTURE.md, "Directories that others
 * can write".
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
 * stockcert_whole_file() makes an empty file.  At the end it replaces a file
 * at path, and gets its mode.  If something else is there (a device, a FIFO),
 * that is opened and written to: this may wait, and cannot be undone.
 * stockcert_whole_directory() makes an empty directory.  At path is nothing,
 * or an empty directory, whose owner and mode it gets, but nobody else may
 * write it; names must stay valid.  whole->fd is the file, for writing, or the
 * directory.  Nobody else can open that directory until it is finished, and
 * all in it is made through whole->fd.
 *
 * stockcert_whole_finish() flushes, renames and closes; all other descriptors
 * must be closed before.  stockcert_whole_undo() removes all.
 *
 * Links in path are followed, but as root none of another user.  A path in a
 * ledger's directory is refused, and so is a mount point.
 *
 * All return 0, or -1 with errno, and then nothing is left to undo.
 * stockcert_whole_file() and stockcert_whole_directory() also set whole->fault
 * then, the end of a sentence. stockcert_whole_finish() returns 1 with errno
 * if it has its name, but may lose it in a power cut.
 */

int stockcert_whole_file(stockcert_whole_t *whole, const char *path);
int stockcert_whole_directory(stockcert_whole_t *whole, const char *path,
    const char *const *names);
int stockcert_whole_finish(stockcert_whole_t *whole);
void stockcert_whole_undo(stockcert_whole_t *whole);

/*
 * Called before the process ends, also by a signal handler: removes what is
 * being made, if anything is.
 */

void stockcert_whole_abandon(void);

/*
 * Called in a child: the parent removes what it makes, and the child gives up
 * its descriptor of it.  Signals end the child as usual.
 */

void stockcert_whole_forget(void);


#endif /* STOCKCERT_WHOLE_H */
