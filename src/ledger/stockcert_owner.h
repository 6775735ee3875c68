
/*
 * Whose files a ledger is made of.  All must belong to the user who opens it
 * (docs/ARCHITECTURE.md, "Files").
 */


#ifndef STOCKCERT_OWNER_H
#define STOCKCERT_OWNER_H


#include <sys/types.h>

#include "stockcert_error.h"


/*
 * Checks that the directory path, and data.mdb and lock.mdb if they are there,
 * belong to this user; for root, also that nobody else may write them.
 * Returns STOCKCERT_OK or STOCKCERT_FAILED.  For a link, or what cannot be
 * looked at, it returns STOCKCERT_OK: opening that fails later.  Any thread.
 */

stockcert_rc_e stockcert_owner_check(const char *path, uid_t uid,
    stockcert_error_t *error);

/*
 * Opens a file of a ledger for reading, without waiting.  It must be a regular
 * file, no link, and have no other name.  Returns STOCKCERT_OK with a
 * descriptor; STOCKCERT_OK with -1 and errno if no file can be opened; or
 * STOCKCERT_FAILED.
 */

stockcert_rc_e stockcert_owner_open(const char *path, int *fd,
    stockcert_error_t *error);


#endif /* STOCKCERT_OWNER_H */
