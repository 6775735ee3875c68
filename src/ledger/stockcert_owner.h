
/*
 * Whose a ledger is.  Who has a ledger open maps lock.mdb, and is at the mercy of
 * whoever can write it: so all of it must belong to the user that opens it.
 */


#ifndef STOCKCERT_OWNER_H
#define STOCKCERT_OWNER_H


#include <sys/types.h>

#include "stockcert_error.h"


/*
 * Whether the directory path, and data.mdb and lock.mdb where they are there,
 * belong to this user; and if that is root, whether nobody else may write them.
 * Returns STOCKCERT_OK, also for what cannot be looked at or is a link, as opening
 * it will tell; or STOCKCERT_FAILED.  Any thread.
 */

stockcert_rc_e stockcert_owner_check(const char *path, uid_t uid,
    stockcert_error_t *error);

/*
 * Opens a file of a ledger for reading, without waiting: a regular one, not by a
 * link, that has no other name.  Returns STOCKCERT_OK with a descriptor, or with
 * -1 and errno if there is none that can be opened; or STOCKCERT_FAILED.
 */

stockcert_rc_e stockcert_owner_open(const char *path, int *fd,
    stockcert_error_t *error);


#endif /* STOCKCERT_OWNER_H */
