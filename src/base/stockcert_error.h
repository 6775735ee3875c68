
/*
 * What became of a call, and why.
 */


#ifndef STOCKCERT_ERROR_H
#define STOCKCERT_ERROR_H


/*
 * After STOCKCERT_REPLACED, STOCKCERT_FAILED and
 * STOCKCERT_UNKNOWN the ledger must be closed, and may be opened again.
 */

typedef enum {
    STOCKCERT_OK = 0,
    STOCKCERT_NOT_FOUND,
    STOCKCERT_REFUSED,       /* the ledger's rules do not allow it */
    STOCKCERT_FULL,          /* no room on disk or in the map: no change */
    STOCKCERT_BUSY,          /* somebody else has it locked: no change */
    STOCKCERT_REPLACED,      /* data.mdb is not, or no more, the ledger's: no
                                change */
    STOCKCERT_CHANGED,       /* other machines appended first: no change here,
                                and what was sent may be in the journal */
    STOCKCERT_UNREACHED,     /* the journal that machines share gave no answer:
                                no change here, but what was sent may be in it,
                                now or later */
    STOCKCERT_DIVERGED,      /* the ledger and that journal do not fit: no
                                change */
    STOCKCERT_FAILED,        /* no change */
    STOCKCERT_UNKNOWN        /* the last step of a commit failed: the
                                transaction is on disk or it is not */
} stockcert_rc_e;


/* set if a function returns anything but OK and NOT_FOUND: what failed */

typedef struct {
    char                text[512];
} stockcert_error_t;


#endif /* STOCKCERT_ERROR_H */
