
/*
 * The table of the kinds of entries, made of stockcert_kinds.h.
 *
 * It touches nothing else.
 */


#include <stddef.h>
#include <string.h>

#include "stockcert_kinds.h"


#define STOCKCERT_KIND_ROW(id, value, name, text, number, shares, key)        \
    [value] = { name, text, number, shares, key },


static const stockcert_kind_t  stockcert_kinds[] = {
    STOCKCERT_KINDS(STOCKCERT_KIND_ROW)
};


_Static_assert(sizeof(stockcert_kinds) / sizeof(stockcert_kinds[0])
               == STOCKCERT_KIND_END, "kinds have numbers without a gap");


const stockcert_kind_t *
stockcert_kind(unsigned kind)
{
    return kind > 0 && kind < STOCKCERT_KIND_END ? &stockcert_kinds[kind]
                                                 : NULL;
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
