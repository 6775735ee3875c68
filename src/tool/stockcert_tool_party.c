
/*
 * Holders in a tree, which costs the same whatever names there are.
 *
 * It touches no ledger.
 */


#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool_party.h"


stockcert_party_t *
stockcert_party_who(void **parties, const stockcert_str_t *id,
    const stockcert_str_t *name)
{
    void                   *found;
    stockcert_party_t      *party;
    stockcert_party_key_t   key;

    key.by_id = id->len != 0;
    key.text = key.by_id ? *id : *name;

    found = tfind(&key, parties, stockcert_party_compare);
    if (found) {
        return *(stockcert_party_t **) found;
    }

    party = calloc(1, sizeof(stockcert_party_t) + key.text.len);
    if (party == NULL) {
        return NULL;
    }

    memcpy(party->text, key.text.data, key.text.len);

    party->key = key;
    party->key.text.data = party->text;

    if (tsearch(party, parties, stockcert_party_compare) == NULL) {
        free(party);
        return NULL;
    }

    return party;
}


void
stockcert_party_is(void **parties, stockcert_party_t *party,
    stockcert_party_t *same)
{
    (void) tdelete(party, parties, stockcert_party_compare);

    party->same = same;
    same->outstanding += party->outstanding;

    if (party->addressed > same->addressed) {
        same->addressed = party->addressed;
    }

    if (same->started == 0 || party->started < same->started) {
        same->code = party->code;
        same->number = party->number;
        same->started = party->started;
    }
}


/* one name may follow another any number of times: each look cuts the way short */

stockcert_party_t *
stockcert_party_root(stockcert_party_t *party)
{
    while (party->same) {

        if (party->same->same) {
            party->same = party->same->same;
        }

        party = party->same;
    }

    return party;
}


int
stockcert_party_compare(const void *one, const void *two)
{
    const stockcert_party_key_t  *a, *b;

    a = one;
    b = two;

    if (a->by_id != b->by_id) {
        return a->by_id ? -1 : 1;
    }

    return stockcert_str_compare(&a->text, &b->text);
}
