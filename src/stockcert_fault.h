
/*
 * Fault points, for tests only: a release build has none.  Built with
 * -DSTOCKCERT_FAULTS, the environment variable STOCKCERT_FAULT="committed:3"
 * has a process killed as it passes the point "committed" for the third time.
 */


#ifndef STOCKCERT_FAULT_H
#define STOCKCERT_FAULT_H


#ifdef STOCKCERT_FAULTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static inline void
stockcert_fault(const char *point)
{
    size_t       len;
    const char  *fault;

    static long  passes;

    fault = getenv("STOCKCERT_FAULT");
    len = strlen(point);

    if (fault == NULL || strncmp(fault, point, len) != 0 || fault[len] != ':') {
        return;
    }

    if (++passes == atol(fault + len + 1)) {
        kill(getpid(), SIGKILL);
    }
}

#else

#define stockcert_fault(point)

#endif


#endif /* STOCKCERT_FAULT_H */
