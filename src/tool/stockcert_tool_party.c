
/*
 * Holders in a tree, which costs the same whatever names there are.
 *
 * It touches no ledger.
 */


#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool_party.h"


static int stockcert_party_compare(const void *one, const void *two);


stockcert_party_t *
stockcert_party_who(void **parties, const stockcert_str_t *id,
    const stockcert_str_t *name)
{
    void                   *found;
    stockcert_party_t      *party, *is;
    const stockcert_str_t  *who;

    who = id->len ? id : name;

    party = calloc(1, sizeof(stockcert_party_t) + 1 + who->len);
    if (party == NULL) {
        return NULL;
    }

    party->key_len = (uint16_t) (1 + who->len);
    party->key[0] = id->len ? 'i' : 'n';
    memcpy(party->key + 1, who->data, who->len);

    found = tsearch(party, parties, stockcert_party_compare);
    is = found ? *(stockcert_party_t **) found : NULL;

    if (is != party) {
        free(party);
    }

    return is;
}


void
stockcert_party_is(void **parties, stockcert_party_t *party,
    stockcert_party_t *same)
{
    (void) tdelete(party, parties, stockcert_party_compare);

    party->same = same;
    same->refs++;
    same->outstanding += party->outstanding;

    if (party->addressed > same->addressed) {
        same->addressed = party->addressed;
    }

    if (same->first == NULL || party->started < same->started) {
        same->first = party->first;
        same->started = party->started;
    }
}


/*
 * Where all certificates are kept, one name may follow another any number of
 * times, so each look makes the way shorter. Elsewhere it has one step, as an
 * id stays.
 */

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


void
stockcert_party_drop(void **parties, stockcert_party_t *party)
{
    stockcert_party_t  *same;

    while (party && --party->refs == 0) {
        same = party->same;

        if (same == NULL) {
            (void) tdelete(party, parties, stockcert_party_compare);
        }

        free(party);
        party = same;
    }
}


static int
stockcert_party_compare(const void *one, const void *two)
{
    int                       order;
    const stockcert_party_t  *a, *b;

    a = one;
    b = two;

    order = memcmp(a->key, b->key,
                   a->key_len < b->key_len ? a->key_len : b->key_len);

    return order ? order : a->key_len - b->key_len;
}
