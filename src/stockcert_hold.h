
/*
 * A place among the readers of a ledger that is not believed to be sound: the
 * pages of the transaction that it is in, and of the one before, are not used
 * again as long as it is held.
 */


#ifndef STOCKCERT_HOLD_H
#define STOCKCERT_HOLD_H


#include <stddef.h>

#include "stockcert_ledger.h"


typedef struct stockcert_hold_s  stockcert_hold_t;


/*
 * _open() takes the place in the ledger in the directory path, whose meta pages
 * must be sound; size is what they say of the map, in bytes.  _renew() goes to
 * the last transaction and has its number.  Nothing else of the file is read.
 *
 * _open() and _renew() return STOCKCERT_OK or STOCKCERT_FAILED.  After an error
 * of _open() there is nothing to close.  As for a ledger, a process must not have
 * the same one open twice.
 */

stockcert_rc_e stockcert_hold_open(const char *path, size_t size,
    stockcert_hold_t **hold, stockcert_error_t *error);
stockcert_rc_e stockcert_hold_renew(stockcert_hold_t *hold, uint64_t *txn,
    stockcert_error_t *error);
void stockcert_hold_close(stockcert_hold_t *hold);


#endif /* STOCKCERT_HOLD_H */
