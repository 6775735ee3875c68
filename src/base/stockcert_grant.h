
/*
 * Grants: what a client asks for, read from JSON.
 */


#ifndef STOCKCERT_GRANT_H
#define STOCKCERT_GRANT_H


#include <stddef.h>
#include <stdint.h>

#include "stockcert_entry.h"
#include "stockcert_key.h"


/* a grant points to nothing else, so it can be copied */

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
    char               detail[256];                   /* a sentence */
} stockcert_fault_t;


/*
 * Reads a grant, without a key, from the len bytes of JSON (RFC 8259) at json,
 * which is not NULL.  Returns 0, or -1 with the fault in *fault.  It first
 * looks whether it is JSON, then for a member that is there twice, then for
 * what a grant must be.  A fault is about a member, or about the body as a
 * whole.  More than STOCKCERT_SYNTAX_MAX bytes are no grant.  It does not check
 * whether a ledger has the class.  Any thread may call it.  The caller should
 * set jansson's hash seed first (json_object_seed()).
 */

int stockcert_grant_parse(const char *json, size_t len,
    stockcert_grant_t *grant, stockcert_fault_t *fault);


#endif /* STOCKCERT_GRANT_H */
