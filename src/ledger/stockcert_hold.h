
/*
 * A place among the readers of a ledger that is not believed to be sound.  As
 * long as it is held, no page is used again that is one of the transaction that
 * was the last then, of the one before it, or of a later one: LMDB uses the pages
 * that a transaction freed only when all readers are past it.
 */


#ifndef STOCKCERT_HOLD_H
#define STOCKCERT_HOLD_H


#include <stddef.h>

#include "stockcert_error.h"


typedef struct stockcert_hold_s  stockcert_hold_t;


/*
 * Takes the place in the ledger in the directory path, whose meta pages must be
 * sound; size is what they say of the map, in bytes.  Nothing else of the file
 * is read.  Returns STOCKCERT_OK or STOCKCERT_FAILED; after that there is nothing
 * to close.  As for a ledger, a process must not have the same one open twice.
 */

stockcert_rc_e stockcert_hold_open(const char *path, size_t size,
    stockcert_hold_t **hold, stockcert_error_t *error);
void stockcert_hold_close(stockcert_hold_t *hold);


#endif /* STOCKCERT_HOLD_H */
