
/*
 * A place among the readers of a ledger that may be damaged.  It protects the
 * pages of the transaction that was the last when it was taken, of the one
 * before it, and of all later ones.  As long as it is held, LMDB does not use
 * these pages again: it uses pages that a transaction freed only when all
 * readers are past that transaction.
 */


#ifndef STOCKCERT_HOLD_H
#define STOCKCERT_HOLD_H


#include <stddef.h>

#include "stockcert_error.h"


typedef struct stockcert_hold_s  stockcert_hold_t;


/*
 * Takes the place in the ledger in the directory path.  Its meta pages must be
 * sound; nothing else of the file is read.  size is the map's size in the meta
 * pages, in bytes.  Returns STOCKCERT_OK, or STOCKCERT_FAILED with nothing to
 * close.  A process must not have the same ledger open twice.
 */

stockcert_rc_e stockcert_hold_open(const char *path, size_t size,
    stockcert_hold_t **hold, stockcert_error_t *error);
void stockcert_hold_close(stockcert_hold_t *hold);


#endif /* STOCKCERT_HOLD_H */
