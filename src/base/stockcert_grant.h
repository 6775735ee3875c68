
/*
 * Grants: what a client asks for, read from JSON.
 */


#ifndef STOCKCERT_GRANT_H
#define STOCKCERT_GRANT_H


#include <stddef.h>
#include <stdint.h>

#include "stockcert_entry.h"
#include "stockcert_key.h"


/* a grant holds all of itself, so that it can wait anywhere */

typedef struct {
    uint64_t   amount;                    /* shares */
    uint8_t    code_len;
    uint8_t    name_len;
    uint8_t    key_len;                   /* 0: it has no idempotency key */
    char       code[STOCKCERT_CODE_MAX];
    char       name[STOCKCERT_TEXT_MAX];
    char       key[STOCKCERT_KEY_MAX];
} stockcert_grant_t;


typedef enum {
    STOCKCERT_NOT_JSON = 1,
    STOCKCERT_MEMBER_TWICE,
    STOCKCERT_NOT_A_GRANT,
    STOCKCERT_NO_MEMORY
} stockcert_fault_e;


typedef struct {
    stockcert_fault_e  kind;
    int                has_member;     /* 0: of the body as a whole */
    char               member[STOCKCERT_TEXT_MAX];    /* UTF-8 */
    char               detail[256];                   /* a sentence's words */
} stockcert_fault_t;


/*
 * Reads a grant, without a key, from the len bytes of JSON (RFC 8259) at json,
 * which is not NULL.  Returns 0, or -1 with *fault telling what is wrong: that
 * it is not JSON goes first, then that it has a member twice, then what a grant
 * must be, of the body as a whole or of the member named.  More than
 * STOCKCERT_SYNTAX_MAX bytes are no grant.  Whether a ledger has the class is
 * for the ledger to say.  Any thread may call it; jansson's hash seed is best
 * set first (json_object_seed()).
 */

int stockcert_grant_parse(const char *json, size_t len,
    stockcert_grant_t *grant, stockcert_fault_t *fault);


#endif /* STOCKCERT_GRANT_H */
