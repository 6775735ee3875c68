
/* The tables of stockcert_kinds.h, and what is found in them. */


#include <string.h>

#include "stockcert_entry.h"


#define STOCKCERT_KIND_ROW(id, value, name, must, may)                        \
    [value] = { name, must, may },
#define STOCKCERT_FIELD_ROW(id, tag, member, name, type)                      \
    [tag] = { name, offsetof(stockcert_entry_t, member), STOCKCERT_##type },
#define STOCKCERT_TRANSACTION_ROW(id, value, name, any, left, balance, must,  \
                                  may)                                        \
    [value] = { name, any, left, balance, must, may },
#define STOCKCERT_REASON_ROW(id, value, name)                                 \
    [value] = name,


static const stockcert_kind_t  stockcert_kinds[] = {
    STOCKCERT_KINDS(STOCKCERT_KIND_ROW)
};

static const stockcert_field_t  stockcert_fields[] = {
    STOCKCERT_FIELDS(STOCKCERT_FIELD_ROW)
};

static const stockcert_transaction_t  stockcert_transactions[] = {
    STOCKCERT_TRANSACTIONS(STOCKCERT_TRANSACTION_ROW)
};

static const char *const  stockcert_reasons[] = {
    STOCKCERT_REASONS(STOCKCERT_REASON_ROW)
};


#define STOCKCERT_ROWS(rows)  (sizeof(rows) / sizeof(rows[0]))

_Static_assert(STOCKCERT_ROWS(stockcert_kinds) == STOCKCERT_KIND_END,
               "kinds have numbers without a gap");
_Static_assert(STOCKCERT_ROWS(stockcert_fields) == STOCKCERT_FIELD_END,
               "fields have tags without a gap");
_Static_assert(STOCKCERT_FIELD_END <= 32, "a bit each");
_Static_assert(STOCKCERT_ROWS(stockcert_transactions)
               == STOCKCERT_TRANSACTION_END, "types, too");
_Static_assert(STOCKCERT_ROWS(stockcert_reasons) == STOCKCERT_REASON_END,
               "and reasons");


const stockcert_kind_t *
stockcert_kind(uint64_t kind)
{
    return kind > 0 && kind < STOCKCERT_KIND_END ? &stockcert_kinds[kind]
                                                 : NULL;
}


const stockcert_field_t *
stockcert_field(uint64_t tag)
{
    return tag > 0 && tag < STOCKCERT_FIELD_END ? &stockcert_fields[tag]
                                                : NULL;
}


const stockcert_transaction_t *
stockcert_transaction(uint64_t type)
{
    return type > 0 && type < STOCKCERT_TRANSACTION_END
           ? &stockcert_transactions[type] : NULL;
}


const char *
stockcert_reason(uint64_t reason)
{
    return reason < STOCKCERT_REASON_END ? stockcert_reasons[reason] : NULL;
}


stockcert_kind_e
stockcert_kind_find(const char *name)
{
    unsigned  i;

    for (i = 1; i < STOCKCERT_KIND_END; i++) {
        if (strcmp(stockcert_kinds[i].name, name) == 0) {
            return (stockcert_kind_e) i;
        }
    }

    return (stockcert_kind_e) 0;
}


stockcert_transaction_e
stockcert_transaction_find(const char *name)
{
    unsigned  i;

    for (i = 1; i < STOCKCERT_TRANSACTION_END; i++) {
        if (strcmp(stockcert_transactions[i].name, name) == 0) {
            return (stockcert_transaction_e) i;
        }
    }

    return (stockcert_transaction_e) 0;
}


stockcert_reason_e
stockcert_reason_find(const char *name)
{
    unsigned  i;

    for (i = 1; i < STOCKCERT_REASON_END; i++) {
        if (strcmp(stockcert_reasons[i], name) == 0) {
            return (stockcert_reason_e) i;
        }
    }

    return (stockcert_reason_e) 0;
}
