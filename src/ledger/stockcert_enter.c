
/*
 * Makes one entry of any kind: decides it, then applies it.
 *
 * It runs in the writer's transaction.
 */


#include <string.h>

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


stockcert_rc_e
stockcert_enter_class(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error)
{
    stockcert_entry_t  entry;

    if (stockcert_class_find(ledger, ledger->nmet, class->code.data,
                             class->code.len))
    {
        return STOCKCERT_OK;
    }

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CLASS_OPENED;
    entry.shares = class->authorized;
    entry.code = class->code;
    entry.title = class->title;

    return stockcert_ledger_enter(ledger, &entry, error);
}
