
/*
 * An order that the tool is given: as arguments, or as a file.
 */


#ifndef STOCKCERT_TOOL_ORDER_H
#define STOCKCERT_TOOL_ORDER_H


#include <jansson.h>

#include "stockcert_order.h"


typedef struct {
    stockcert_transaction_e   type;        /* of the command */
    json_t                   *body;        /* of the arguments, which counts */
    const char               *file;        /* if this is NULL; "-" */
    const char               *key;         /* or NULL */
} stockcert_tool_order_t;


/*
 * Reads the order, with its key, without who asked for it.  Returns an exit
 * code; if it is OK, *order is for stockcert_order_free(), and of what o points
 * to.
 */

int stockcert_tool_order_read(const stockcert_tool_order_t *o,
    stockcert_order_t **order);


#endif /* STOCKCERT_TOOL_ORDER_H */
