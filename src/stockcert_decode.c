
#include <inttypes.h>
#include <stdio.h>

#include "stockcert_ledger_int.h"
#include "stockcert_text.h"


/*
 * A file can be made by somebody: whatever is read of it is what it must be, or
 * it goes no further than here.
 */

int
stockcert_class_decode(const MDB_val *key, const MDB_val *value,
    stockcert_class_t *class)
{
    const uint8_t  *p;

    if (value->mv_size < 24) {
        return -1;
    }

    p = value->mv_data;

    class->code.len = key->mv_size;
    class->code.data = key->mv_data;
    class->authorized = stockcert_get64(p);
    class->issued = stockcert_get64(p + 8);
    class->last = stockcert_get64(p + 16);
    class->title.len = value->mv_size - 24;
    class->title.data = (const char *) p + 24;

    return class->authorized && class->authorized <= STOCKCERT_SHARES_MAX
           && class->issued <= class->authorized
           && class->last <= STOCKCERT_SHARES_MAX
           && stockcert_code_fault(class->code.data, class->code.len) == NULL
           && stockcert_text_fault(class->title.data, class->title.len) == NULL
           ? 0 : -1;
}


stockcert_rc_e
stockcert_ledger_decode(const MDB_val *key, const MDB_val *value,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    char         what[128];
    const char  *field, *fault;

    if (key->mv_size != 8
        || stockcert_entry_decode(value->mv_data, value->mv_size, entry) != 0)
    {
        return stockcert_ledger_damaged(error, "an entry is not readable");
    }

    entry->position = stockcert_get64(key->mv_data);

    fault = stockcert_entry_fault(entry, &field);

    if (fault || entry->position == 0) {
        snprintf(what, sizeof(what), "entry %" PRIu64 ": the %s %s",
                 entry->position, fault ? field : "position",
                 fault ? fault : "must not be 0");

        return stockcert_ledger_damaged(error, what);
    }

    return STOCKCERT_OK;
}
