
/*
 * Grants: what a client asks for, read from JSON.
 */


#ifndef STOCKCERT_GRANT_H
#define STOCKCERT_GRANT_H


#include <stddef.h>
#include <stdint.h>

#include "stockcert_entry.h"
#include "stockcert_fault.h"
#include "stockcert_key.h"
#include "stockcert_value.h"


#define STOCKCERT_GRANT_MAX  (16 * 1024)    /* bytes of the JSON */

/* bytes of what a grant may say besides, each with its tag and length */

#define STOCKCERT_MORE_MAX                                                    \
    (7 * 2 + 4 * STOCKCERT_TEXT_MAX + STOCKCERT_HOLDER_MAX + STOCKCERT_PRICE_MAX   \
     + STOCKCERT_DATE_LEN)


/*
 * A grant holds all of itself, so that it can wait anywhere.  What it says
 * besides are fields of an entry (stockcert_entry.h), from
 * STOCKCERT_FIELD_HOLDER_ID on: asked_len bytes of what the client asked for,
 * and behind them who that is.
 */

typedef struct {
    uint64_t   amount;                    /* shares */
    uint8_t    code_len;
    uint8_t    name_len;
    uint8_t    key_len;                   /* 0: it has no idempotency key */
    uint16_t   asked_len;
    uint16_t   more_len;
    char       code[STOCKCERT_CODE_MAX];
    char       name[STOCKCERT_TEXT_MAX];
    char       key[STOCKCERT_KEY_MAX];
    uint8_t    more[STOCKCERT_MORE_MAX];
} stockcert_grant_t;


/*
 * Reads a grant, without key and actor, from the len bytes of JSON (RFC 8259)
 * at json, which is not NULL.  Returns 0, or -1 with *fault telling what is
 * wrong: that it is not JSON goes first, then a member that no grant has, then
 * that it has one twice, then what a grant must be, of the body as a whole or
 * of the member named.  More than STOCKCERT_GRANT_MAX bytes are no grant.
 * Whether a ledger has the class, and whether "effective" is too late, is for
 * the ledger to say.  Any thread may call it; jansson's hash seed is best set
 * first (json_object_seed()).
 */

int stockcert_grant_parse(const char *json, size_t len,
    stockcert_grant_t *grant, stockcert_fault_t *fault);

/*
 * Says who asked for it, once, behind stockcert_grant_parse().  The len bytes
 * at actor may be any: stockcert_text_clean() makes a text of them, or nothing.
 */

void stockcert_grant_set_actor(stockcert_grant_t *grant, const char *actor,
    size_t len);


#endif /* STOCKCERT_GRANT_H */
