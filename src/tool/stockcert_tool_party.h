
/*
 * Holders, as the journal is replayed: found by id or name, and sometimes found
 * to be another one.
 */


#ifndef STOCKCERT_TOOL_PARTY_H
#define STOCKCERT_TOOL_PARTY_H


#include <stdint.h>

#include "stockcert_str.h"


typedef struct stockcert_party_s  stockcert_party_t;


/* who a holder is: its id or, without one, its name */

typedef struct {
    unsigned              by_id:1;
    stockcert_str_t       text;
} stockcert_party_key_t;


/*
 * "name", "id", "address" and "latest" are set by stockcert_holdings_texts().
 * "key" is first, as trees of parties are ordered by it.
 */

struct stockcert_party_s {
    stockcert_party_key_t key;             /* its text is the array below */
    stockcert_str_t       name;            /* of the latest certificate */
    stockcert_str_t       id;              /* or empty */
    stockcert_str_t       address;         /* the latest, or empty */

    const stockcert_str_t *code;           /* of the first certificate, */
    uint64_t              number;
    uint64_t              started;         /* and the position of its entry */
    uint64_t              latest;          /* that of the latest one, of those */
    unsigned              out:1;           /* that are out, if any are */
    uint64_t              addressed;       /* that of the address, or 0 */
    uint64_t              outstanding;     /* certificates */
    stockcert_party_t    *same;            /* who it is now, or NULL */
    char                  text[];
};


/*
 * Orders what begins with a stockcert_party_key_t, in a tree of <search.h>: ids
 * come before names.
 */

int stockcert_party_compare(const void *one, const void *two);

/*
 * Parties are in a tree of <search.h>, *parties, which is NULL at first.  Finds
 * the one of an id or, if that is empty, of a name, or makes it.  Returns NULL
 * if there is no memory.
 */

stockcert_party_t *stockcert_party_who(void **parties,
    const stockcert_str_t *id, const stockcert_str_t *name);

/*
 * From now on, party is another one, same, which is none of those that are it;
 * its own name is nobody's, and may be a third one's later.
 */

void stockcert_party_is(void **parties, stockcert_party_t *party,
    stockcert_party_t *same);

/* Who a party is now. */

stockcert_party_t *stockcert_party_root(stockcert_party_t *party);


#endif /* STOCKCERT_TOOL_PARTY_H */
