
/*
 * Files and directories that are there as a whole or not at all: they are made
 * under another name beside their own, flushed, and renamed.  One at a time: if
 * the process is asked to end (SIGINT, SIGTERM, SIGHUP), what was made so far is
 * removed; after kill -9 it stays, under the other name.
 */


#ifndef STOCKCERT_WHOLE_H
#define STOCKCERT_WHOLE_H


#include <limits.h>


typedef struct {
    const char         *path;              /* its own name */
    char                made[PATH_MAX];    /* the other one */
    const char *const  *names;             /* of a directory: all files that it
                                              may get, up to a NULL */
} stockcert_whole_t;


/*
 * _file() makes an empty file, replacing one at path at the end; it returns its
 * descriptor.  _directory() makes an empty directory, for where nothing is or an
 * empty directory, whose owner it gets; it returns 0.  names must stay.
 *
 * _finish() flushes and renames: all descriptors of it are closed before.
 * _undo() removes all.
 *
 * All return -1 with errno, and then there is nothing left to undo: _finish() has
 * done so.
 */

int stockcert_whole_file(stockcert_whole_t *whole, const char *path);
int stockcert_whole_directory(stockcert_whole_t *whole, const char *path,
    const char *const *names);
int stockcert_whole_finish(stockcert_whole_t *whole);
void stockcert_whole_undo(stockcert_whole_t *whole);


#endif /* STOCKCERT_WHOLE_H */
