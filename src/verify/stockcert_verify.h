
/*
 * The folder src/verify gives this: it checks a whole ledger.  It replays the
 * journal, and compares what follows from it with all else in the ledger.  It
 * uses neither LMDB nor the code that writes ledgers, because these would
 * repeat their own mistakes.  Only the fields of an entry are read by src/base;
 * seals are of its bytes as they lie.
 */


#ifndef STOCKCERT_VERIFY_H
#define STOCKCERT_VERIFY_H


#include "stockcert_entry.h"
#include "stockcert_mdb.h"


typedef struct {
    uint64_t    entries;
    uint64_t    certificates;
    uint64_t    outstanding;                   /* of these */
    uint64_t    transactions;
    uint8_t     seal[STOCKCERT_SEAL_LEN];      /* of the last entry */

    uint64_t    expected;      /* in: an entry whose seal is asked for, or 0 */
    uint8_t     found[STOCKCERT_SEAL_LEN];     /* its seal, if it is there */
} stockcert_verified_t;


/*
 * Checks the file that mdb has mapped (stockcert_mdb.h). progress is called
 * after each entry, with its number and that of the last.  Memory does not grow
 * with the journal, except by some bytes for each run of idempotency keys.
 *
 * Returns 0, or -1 with the first fault in mdb->fault, as "WHERE: expected
 * THIS, found THAT".
 */

int stockcert_verify(stockcert_mdb_t *mdb, stockcert_verified_t *verified,
    void (*progress)(uint64_t done, uint64_t all));


#endif /* STOCKCERT_VERIFY_H */
