
#include "stockcert_store.h"


/* Entries of any kind, one at a time. */


stockcert_rc_e
stockcert_ledger_enter(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_fixed_t  fixed;

    rc = stockcert_decide(ledger, entry, &fixed, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_apply(ledger, entry, &fixed, error);
    }

    if (rc == STOCKCERT_OK) {
        entry->seal = ledger->seal;
    }

    return rc;
}
