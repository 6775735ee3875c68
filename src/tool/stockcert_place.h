
/*
 * Where something is to be made: a directory, by its descriptor, and a name in
 * it, which is no link.
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
 * Finds the place that path names.  Links are followed, but as root none of
 * another user: it could lead anywhere.  Returns 0, or -1 with errno
 * and nothing to close.
 */

int stockcert_place_find(stockcert_place_t *place, const char *path);
void stockcert_place_close(stockcert_place_t *place);

/*
 * Whether a directory can be put in the place of what is there, which must be
 * something; whether the place is not in a ledger's directory, at any depth; and
 * whether fd, which is closed, is an empty directory.  Return 0, or -1 with errno.
 */

int stockcert_place_is_free(stockcert_place_t *place);
int stockcert_place_is_apart(stockcert_place_t *place);
int stockcert_place_is_empty(int fd);


#endif /* STOCKCERT_PLACE_H */
