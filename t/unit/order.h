
/*
 * Orders for the tests: the least of each type, and what they are made of.
 */


#ifndef ORDER_H
#define ORDER_H


#include "stockcert_order.h"
#include "tap.h"


#define FROM  "\"from\":[\"CS-1\"]"
#define TO    "\"to\":[{\"name\":\"Bob\",\"amount\":10}]"
#define WHY   "\"reference\":\"Deed 7\""
#define OLD   "\"corrects\":812"
#define PRICE "\"price\":\"0.01 USD\""

#define TRANSFER(more)    "{\"type\":\"transfer\"," FROM "," TO "," WHY more "}"
#define REISSUE(more)     "{\"type\":\"reissue\"," FROM "," WHY more "}"
#define REPURCHASE(more)  "{\"type\":\"repurchase\"," FROM "," WHY "," PRICE    \
                          more "}"
#define CANCEL(more)      "{\"type\":\"cancel\"," FROM "," WHY more "}"
#define CORRECT(more)     "{\"type\":\"correct\"," FROM "," TO "," WHY "," OLD  \
                          more "}"

#define WITH_FROM(from)   "{\"type\":\"cancel\",\"from\":" from "," WHY "}"
#define WITH_TO(to)       "{\"type\":\"transfer\"," FROM "," WHY ",\"to\":" to "}"
#define WITH_ITEM(item)   WITH_TO("[{\"name\":\"A\",\"amount\":1}," item "]")
#define WITH_MORE(more)   WITH_ITEM("{\"name\":\"B\",\"amount\":2," more "}")
#define WITH_WHY(why)     "{\"type\":\"cancel\"," FROM ",\"reference\":" why "}"


/* NULL, with the fault, if it is none */

static inline stockcert_order_t *
parse(const char *json, size_t len, stockcert_fault_t *fault)
{
    int                 rc;
    stockcert_order_t  *order;

    memset(fault, 0xaa, sizeof(stockcert_fault_t));
    order = (void *) fault;

    rc = stockcert_order_parse(json, len, &order, fault);

    if ((rc == 0) != (order != NULL)) {
        tap_bail_out("%d, and %s", rc, order ? "an order" : "no order");
    }

    return order;
}


#endif /* ORDER_H */
