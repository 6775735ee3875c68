
/*
 * Turns what went wrong into a return code and a sentence.
 *
 * It touches nothing but the error, and reads who holds a lock.
 */


#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "stockcert_store.h"


/* LMDB maps the whole size of a ledger */

#define STOCKCERT_LEDGER_NO_MEMORY                                            \
    "; a ledger takes as much address space as its size: raise what \"ulimit " \
    "-v\" shows, or make it smaller"


stockcert_rc_e
stockcert_ledger_error(stockcert_error_t *error, const char *call, int rc)
{
    if (rc == 0) {
        return STOCKCERT_OK;
    }

    snprintf(error->text, sizeof(error->text), "%s failed (%d: %s)%s", call, rc,
             mdb_strerror(rc), rc == ENOMEM ? STOCKCERT_LEDGER_NO_MEMORY : "");

    switch (rc) {

    case EAGAIN:

        /*
         * LMDB locks a reader's place by the process number, and both have the
         * same
         */

        snprintf(error->text, sizeof(error->text), "a process of another PID "
                 "namespace, such as a container's, has it open: run all that "
                 "use the ledger in the same one");
        return STOCKCERT_FAILED;

    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return STOCKCERT_FULL;

    default:
        return STOCKCERT_FAILED;
    }
}


stockcert_rc_e
stockcert_ledger_damaged(stockcert_error_t *error, const char *what)
{
    snprintf(error->text, sizeof(error->text),
             "not a ledger, or a damaged one: %s", what);

    return STOCKCERT_FAILED;
}


stockcert_rc_e
stockcert_ledger_refused(stockcert_error_t *error, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(error->text, sizeof(error->text), fmt, args);
    va_end(args);

    return STOCKCERT_REFUSED;
}


stockcert_rc_e
stockcert_ledger_busy(stockcert_error_t *error, const stockcert_lock_t *lock)
{
    char  name[STOCKCERT_LOCK_NAME];

    if (errno != EWOULDBLOCK) {
        return stockcert_ledger_error(error, "flock()", errno);
    }

    snprintf(error->text, sizeof(error->text), "%s has it locked",
             stockcert_lock_name(stockcert_lock_holder(lock), name));

    return STOCKCERT_BUSY;
}
