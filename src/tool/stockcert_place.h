
/*
 * The place where something will be made: a directory, by its descriptor, and
 * a name in it that is no link.
 */


#ifndef STOCKCERT_PLACE_H
#define STOCKCERT_PLACE_H


#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>


typedef struct {
    int            parent;                 /* the directory; -1: none is open */
    char           name[NAME_MAX - 6];     /* "." where the path is no name */
    unsigned       there:1;                /* something has the name: */
    unsigned       own:1;                  /* by a link in /proc, to what this
                                              process has open itself */
    unsigned       mounted:1;              /* it is a mount point: nothing can
                                              take its place */
    struct stat    st;
    const char    *fault;                  /* why there is no place, or NULL for
                                              what errno says */
} stockcert_place_t;


/*
 * Finds the place that path names.  It follows links, but as root none of
 * another user, because that could lead anywhere.  Returns 0, or -1 with errno
 * and nothing to close.
 */

int stockcert_place_find(stockcert_place_t *place, const char *path);
void stockcert_place_close(stockcert_place_t *place);

/*
 * All return 0 for yes, or -1 with errno.  stockcert_place_is_free():
 * something is there, and a directory can replace it.
 * stockcert_place_is_apart(): the place is not in a ledger's directory, at any
 * depth.  stockcert_place_is_empty(): fd, which is closed, is an empty
 * directory.
 */

int stockcert_place_is_free(stockcert_place_t *place);
int stockcert_place_is_apart(stockcert_place_t *place);
int stockcert_place_is_empty(int fd);


#endif /* STOCKCERT_PLACE_H */
