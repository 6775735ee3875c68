
/*
 * What the readers of requests share: a body that is a JSON object, its
 * members, and what is wrong with them.
 */


#ifndef STOCKCERT_BODY_H
#define STOCKCERT_BODY_H


#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "stockcert_entry.h"
#include "stockcert_fault.h"
#include "stockcert_str.h"


/* an object that is read, and how its faults are told */

typedef struct {
    json_t             *object;
    char                path[16];   /* before its members' names: "to[2]." */
    stockcert_fault_e   kind;       /* of a fault that is not JSON's */
    stockcert_fault_t  *fault;
} stockcert_body_t;


/* one of the texts that a fault's detail is made of; NULL if it is fine */

typedef const char *(*stockcert_check_pt)(const char *text, size_t len);


/*
 * Reads an object from the len bytes of JSON at json.  room has
 * STOCKCERT_SYNTAX_ROOM(len) bytes (stockcert_syntax.h).  body->kind and
 * body->fault are set before, and path is "".  The object's members must be in
 * members, names with NULL behind the last; unknown is the detail of a fault of
 * another.
 *
 * Returns 0 with body->object for json_decref(), or -1 with the fault: that it
 * is not JSON goes first, then a member that is unknown, then one that is there
 * twice, in whatever object.
 */

int stockcert_body_open(stockcert_body_t *body, const char *json, size_t len,
    char *room, const char *const *members, const char *unknown);

/*
 * Whether an object has members of these names only, as above: 0, or -1 with
 * the fault.
 */

int stockcert_body_known(const stockcert_body_t *body,
    const char *const *members, const char *unknown);

/*
 * A string of which check returns NULL, or a number from 1 to
 * STOCKCERT_SHARES_MAX.  One that is not there is a fault if must is not 0, and
 * empty or 0 otherwise.  The string is of body->object, with a NUL behind it.
 *
 * Return 0, or -1 with the fault.
 */

int stockcert_body_string(const stockcert_body_t *body, const char *member,
    int must, stockcert_check_pt check, stockcert_str_t *str);
int stockcert_body_count(const stockcert_body_t *body, const char *member,
    int must, uint64_t *n);

/*
 * What there may be of a holder besides the name: sets holder_id, address and
 * capacity of *holder.  Returns 0, or -1 with the fault.
 */

int stockcert_body_holder(const stockcert_body_t *body,
    stockcert_entry_t *holder);

/* A fault of a member, or of the body as a whole (NULL): returns -1. */

int stockcert_body_fault(const stockcert_body_t *body, const char *member,
    const char *detail);

/* That there is no memory: returns -1. */

int stockcert_body_no_memory(const stockcert_body_t *body);


#endif /* STOCKCERT_BODY_H */
