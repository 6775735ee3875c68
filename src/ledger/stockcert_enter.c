
/*
 * Makes one entry of any kind: decides it, then applies it.
 *
 * It runs in the writer's transaction.
 */


#include "stockcert_store.h"


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
