
/*
 * Orders: transactions on certificates that a client asks for, read from JSON.
 */


#ifndef STOCKCERT_ORDER_H
#define STOCKCERT_ORDER_H


#include "stockcert_entry.h"
#include "stockcert_fault.h"
#include "stockcert_key.h"
#include "stockcert_value.h"


#define STOCKCERT_ORDER_MAX   (128 * 1024)     /* bytes of the JSON */


/* a certificate by its ID, such as CS-17 */

typedef struct {
    char               code[STOCKCERT_CODE_MAX];
    uint8_t            code_len;
    uint64_t           number;
} stockcert_id_t;


/*
 * What the first entry of the group will say is in "first": type, reason,
 * corrects, price, effective, reference, request, key, actor.  An item of "to"
 * has name, shares, holder_id, address and capacity.  Others are empty.  All
 * that they point to is of the order, but for the key, which is of who set it.
 */

typedef struct {
    stockcert_entry_t   first;
    uint64_t            amount;        /* shares; 0: all */
    int                 has_to;        /* "to" is there; of a correction, it
                                          may be empty */
    size_t              nfrom;
    size_t              nto;
    stockcert_id_t      from[STOCKCERT_FROM_MAX];
    stockcert_entry_t  *to;            /* nto of them */

    uint8_t             hash[STOCKCERT_HASH_LEN];
    char                actor[STOCKCERT_TEXT_MAX];
    void               *json;          /* what it was read from */
} stockcert_order_t;


/*
 * Reads an order, without key and actor, from the len bytes of JSON at json,
 * such as docs and README describe for POST /transactions.  Looks at its shape:
 * which members its type must and may have, what each may be, how many there
 * are, that no certificate is there twice, and that all are of one class.
 * Texts are new ones (stockcert_text.h), the other strings as stockcert_value.h
 * has them.  What the ledger has to say of it is not asked, and nothing is
 * added up.
 *
 * "request" is set: SHA-256 of the JSON with its members sorted, without white
 * space, each string as short as it goes, which is RFC 8785's form of it.  So
 * an order that is sent again has the same, and no other order has.
 *
 * Returns 0 with an order for stockcert_order_free(), or -1 with *fault, as
 * stockcert_grant_parse() does, and *order NULL.  A fault of an item has the
 * item in its member: "from[0]", "to[2]", "to[2].amount".  More than
 * STOCKCERT_ORDER_MAX bytes are no order.  Any thread.
 */

int stockcert_order_parse(const char *json, size_t len,
    stockcert_order_t **order, stockcert_fault_t *fault);

/* order may be NULL */

void stockcert_order_free(stockcert_order_t *order);

/*
 * The key, of 1 to STOCKCERT_KEY_MAX bytes, which have to stay; and who asked
 * for it, of any len bytes, of which stockcert_text_clean() makes a text, or
 * nothing.
 */

void stockcert_order_set_key(stockcert_order_t *order, const char *key,
    size_t len);
void stockcert_order_set_actor(stockcert_order_t *order, const char *actor,
    size_t len);


#endif /* STOCKCERT_ORDER_H */
