
/*
 * What can be wrong with the body of a request.
 */


#ifndef STOCKCERT_FAULT_H
#define STOCKCERT_FAULT_H


#include "stockcert_entry.h"


typedef enum {
    STOCKCERT_NOT_JSON = 1,
    STOCKCERT_MEMBER_TWICE,
    STOCKCERT_NOT_A_GRANT,
    STOCKCERT_NOT_AN_ORDER,
    STOCKCERT_NO_MEMORY
} stockcert_fault_e;


typedef struct {
    stockcert_fault_e  kind;
    int                has_member;     /* 0: of the body as a whole */
    char               member[STOCKCERT_TEXT_MAX];    /* UTF-8; "to[2].name" */
    char               detail[256];                   /* a sentence's words */
} stockcert_fault_t;


#endif /* STOCKCERT_FAULT_H */
