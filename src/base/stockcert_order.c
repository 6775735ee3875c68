
/*
 * Reads an order from JSON, and says what is wrong with it.
 *
 * It touches memory, jansson and libcrypto only, and knows no ledger.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "stockcert_body.h"
#include "stockcert_format.h"
#include "stockcert_order.h"
#include "stockcert_syntax.h"
#include "stockcert_text.h"


/* what orders of a type must and may have, beside what all have */

#define STOCKCERT_HAS_TO        1
#define STOCKCERT_HAS_REASON    2
#define STOCKCERT_HAS_PRICE     4
#define STOCKCERT_HAS_AMOUNT    8
#define STOCKCERT_HAS_CORRECTS  16


typedef struct {
    unsigned  must;
    unsigned  may;
    unsigned  to_min;     /* items of "to", if it is there */
} stockcert_shape_t;


static const stockcert_shape_t  stockcert_shapes[] = {
    [STOCKCERT_TRANSFER]   = { STOCKCERT_HAS_TO, 0, 1 },
    [STOCKCERT_REISSUE]    = { 0, STOCKCERT_HAS_TO|STOCKCERT_HAS_REASON, 1 },
    [STOCKCERT_REPURCHASE] = { STOCKCERT_HAS_PRICE, STOCKCERT_HAS_AMOUNT, 0 },
    [STOCKCERT_CANCEL]     = { 0, STOCKCERT_HAS_AMOUNT, 0 },
    [STOCKCERT_CORRECT]    = { STOCKCERT_HAS_TO|STOCKCERT_HAS_CORRECTS, 0, 0 }
};

_Static_assert(sizeof(stockcert_shapes) / sizeof(stockcert_shapes[0])
               == STOCKCERT_TRANSACTION_END, "a shape for each type");


static const struct {
    const char  *name;
    unsigned     has;
} stockcert_order_own[] = {
    { "to",       STOCKCERT_HAS_TO },
    { "reason",   STOCKCERT_HAS_REASON },
    { "price",    STOCKCERT_HAS_PRICE },
    { "amount",   STOCKCERT_HAS_AMOUNT },
    { "corrects", STOCKCERT_HAS_CORRECTS }
};


static const char *const  stockcert_order_members[] = {
    "type", "from", "to", "reason", "price", "amount", "corrects", "effective",
    "reference", NULL
};

static const char *const  stockcert_to_members[] = {
    "name", "amount", "holder_id", "address", "capacity", NULL
};


static int stockcert_order_read(const stockcert_body_t *body,
    stockcert_order_t *order);
static int stockcert_order_shape(const stockcert_body_t *body,
    const stockcert_shape_t *shape);
static int stockcert_order_from(const stockcert_body_t *body,
    stockcert_order_t *order);
static const char *stockcert_order_from_fault(const stockcert_order_t *order,
    const json_t *value, stockcert_id_t *id);
static int stockcert_order_to(const stockcert_body_t *body,
    stockcert_order_t *order, unsigned min);
static int stockcert_order_to_item(const stockcert_body_t *body,
    json_t *value, size_t i, stockcert_entry_t *to);
static int stockcert_order_hash(const stockcert_body_t *body,
    stockcert_order_t *order);
static const char *stockcert_type_fault(const char *text, size_t len);
static const char *stockcert_reason_fault(const char *text, size_t len);


int
stockcert_order_parse(const char *json, size_t len, stockcert_order_t **order,
    stockcert_fault_t *fault)
{
    int                rc;
    char              *room;
    stockcert_body_t   body;

    *order = NULL;

    body.path[0] = '\0';
    body.kind = STOCKCERT_NOT_AN_ORDER;
    body.fault = fault;

    if (len > STOCKCERT_ORDER_MAX) {
        return stockcert_body_fault(&body, NULL,
                                    "the body must have at most 131072 bytes");
    }

    *order = calloc(1, sizeof(stockcert_order_t));
    room = malloc(STOCKCERT_SYNTAX_ROOM(len));

    if (*order == NULL || room == NULL) {
        rc = stockcert_body_no_memory(&body);

    } else {
        rc = stockcert_body_open(&body, json, len, room,
                                 stockcert_order_members,
                                 "is unknown; an order has \"type\", \"from\" "
                                 "and \"reference\", and what its type asks "
                                 "for");
    }

    free(room);

    if (rc == 0) {
        (*order)->json = body.object;
        rc = stockcert_order_read(&body, *order);
    }

    if (rc != 0) {
        stockcert_order_free(*order);
        *order = NULL;
    }

    return rc;
}


static int
stockcert_order_read(const stockcert_body_t *body, stockcert_order_t *order)
{
    stockcert_str_t           type, reason;
    stockcert_entry_t        *first;
    const stockcert_shape_t  *shape;

    first = &order->first;

    if (stockcert_body_string(body, "type", 1, stockcert_type_fault, &type)
        != 0)
    {
        return -1;
    }

    first->type = stockcert_transaction_find(type.data);
    shape = &stockcert_shapes[first->type];

    if (stockcert_order_shape(body, shape) != 0
        || stockcert_order_from(body, order) != 0
        || stockcert_order_to(body, order, shape->to_min) != 0
        || stockcert_body_string(body, "reason", 0, stockcert_reason_fault,
                                 &reason)
           != 0
        || stockcert_body_string(body, "price", 0, stockcert_price_fault,
                                 &first->price)
           != 0
        || stockcert_body_count(body, "amount", 0, &order->amount) != 0
        || stockcert_body_count(body, "corrects", 0, &first->corrects) != 0
        || stockcert_body_string(body, "effective", 0, stockcert_date_fault,
                                 &first->effective)
           != 0
        || stockcert_body_string(body, "reference", 1, stockcert_new_text_fault,
                                 &first->reference)
           != 0)
    {
        return -1;
    }

    if (reason.len) {
        first->reason = stockcert_reason_find(reason.data);
    }

    return stockcert_order_hash(body, order);
}


/* that a type has what it must, and nothing of another type */

static int
stockcert_order_shape(const stockcert_body_t *body,
    const stockcert_shape_t *shape)
{
    size_t    i;
    json_t   *value;
    unsigned  has;

    for (i = 0;
         i < sizeof(stockcert_order_own) / sizeof(stockcert_order_own[0]);
         i++)
    {
        has = stockcert_order_own[i].has;
        value = json_object_get(body->object, stockcert_order_own[i].name);

        if (value == NULL && (shape->must & has)) {
            return stockcert_body_fault(body, stockcert_order_own[i].name,
                                        "must be there for this type");
        }

        if (value != NULL && !((shape->must|shape->may) & has)) {
            return stockcert_body_fault(body, stockcert_order_own[i].name,
                                        "must not be there for this type");
        }
    }

    return 0;
}


static int
stockcert_order_from(const stockcert_body_t *body, stockcert_order_t *order)
{
    char         member[32];
    size_t       i, n;
    json_t      *from;
    const char  *what;

    from = json_object_get(body->object, "from");
    n = json_array_size(from);

    if (n == 0 || n > STOCKCERT_FROM_MAX) {
        return stockcert_body_fault(body, "from", "must be an array of 1 to 100 "
                                    "certificates, such as \"CS-1\"");
    }

    for (i = 0; i < n; i++) {
        what = stockcert_order_from_fault(order, json_array_get(from, i),
                                          &order->from[i]);

        if (what != NULL) {
            snprintf(member, sizeof(member), "from[%zu]", i);
            return stockcert_body_fault(body, member, what);
        }

        order->nfrom++;
    }

    return 0;
}


/* the next of "from", with those before it */

static const char *
stockcert_order_from_fault(const stockcert_order_t *order, const json_t *value,
    stockcert_id_t *id)
{
    size_t                 i;
    stockcert_str_t        code;
    const stockcert_id_t  *first;

    if (!json_is_string(value)
        || stockcert_parse_id(json_string_value(value),
                              json_string_length(value), &code, &id->number)
           != 0
        || stockcert_code_fault(code.data, code.len) != NULL)
    {
        return "must be a certificate, such as \"CS-1\"";
    }

    id->code_len = (uint8_t) code.len;
    memcpy(id->code, code.data, code.len);

    first = &order->from[0];

    if (id->code_len != first->code_len
        || memcmp(id->code, first->code, id->code_len) != 0)
    {
        return "must be of the same class as the certificates before it";
    }

    for (i = 0; i < order->nfrom; i++) {
        if (id->number == order->from[i].number) {
            return "must not be there twice";
        }
    }

    return NULL;
}


static int
stockcert_order_to(const stockcert_body_t *body, stockcert_order_t *order,
    unsigned min)
{
    size_t   i, n;
    json_t  *to;

    to = json_object_get(body->object, "to");

    if (to == NULL) {
        return 0;
    }

    n = json_array_size(to);

    if (!json_is_array(to) || n < min || n > STOCKCERT_TO_MAX) {
        return stockcert_body_fault(body, "to", min
                                    ? "must be an array of 1 to 100 objects"
                                    : "must be an array of up to 100 objects");
    }

    order->has_to = 1;

    if (n == 0) {
        return 0;
    }

    order->to = calloc(n, sizeof(stockcert_entry_t));
    if (order->to == NULL) {
        return stockcert_body_no_memory(body);
    }

    order->nto = n;

    for (i = 0; i < n; i++) {
        if (stockcert_order_to_item(body, json_array_get(to, i), i,
                                    &order->to[i])
            != 0)
        {
            return -1;
        }
    }

    return 0;
}


static int
stockcert_order_to_item(const stockcert_body_t *body, json_t *value, size_t i,
    stockcert_entry_t *to)
{
    stockcert_body_t  item;

    item = *body;
    item.object = value;

    snprintf(item.path, sizeof(item.path), "to[%zu]", i);

    if (!json_is_object(value)) {
        return stockcert_body_fault(&item, "", "must be an object");
    }

    strcat(item.path, ".");

    if (stockcert_body_known(&item, stockcert_to_members,
                             "is unknown; an item of \"to\" has \"name\" and "
                             "\"amount\", and may have \"holder_id\", "
                             "\"address\" and \"capacity\"")
        != 0
        || stockcert_body_string(&item, "name", 1, stockcert_new_text_fault,
                                 &to->name)
           != 0
        || stockcert_body_count(&item, "amount", 1, &to->shares) != 0
        || stockcert_body_holder(&item, to) != 0)
    {
        return -1;
    }

    return 0;
}


/*
 * Of an order without fault, so two orders never have one text: the numbers
 * that stockcert_syntax() made 0 were faults, and texts have no control
 * characters, which jansson could write in more than one way.
 */

static int
stockcert_order_hash(const stockcert_body_t *body, stockcert_order_t *order)
{
    int    rc;
    char  *text;

    text = json_dumps(body->object, JSON_SORT_KEYS|JSON_COMPACT);
    if (text == NULL) {
        return stockcert_body_no_memory(body);
    }

    rc = EVP_Digest(text, strlen(text), order->hash, NULL, EVP_sha256(), NULL);

    free(text);

    if (rc != 1) {
        return stockcert_body_no_memory(body);
    }

    order->first.request.len = STOCKCERT_HASH_LEN;
    order->first.request.data = (const char *) order->hash;

    return 0;
}


void
stockcert_order_free(stockcert_order_t *order)
{
    if (order == NULL) {
        return;
    }

    json_decref(order->json);
    free(order->to);
    free(order);
}


void
stockcert_order_set_key(stockcert_order_t *order, const char *key, size_t len)
{
    order->first.key.len = len;
    order->first.key.data = key;
}


void
stockcert_order_set_actor(stockcert_order_t *order, const char *actor,
    size_t len)
{
    order->first.actor.len = stockcert_text_clean(actor, len, order->actor);
    order->first.actor.data = order->actor;
}


/* a NUL would end the text for those who look it up */

static const char *
stockcert_type_fault(const char *text, size_t len)
{
    return strlen(text) == len && stockcert_transaction_find(text)
           ? NULL
           : "must be \"transfer\", \"reissue\", \"repurchase\", \"cancel\" or "
             "\"correct\"";
}


static const char *
stockcert_reason_fault(const char *text, size_t len)
{
    return strlen(text) == len && stockcert_reason_find(text)
           ? NULL
           : "must be \"lost\", \"stolen\", \"destroyed\", \"name\", "
             "\"division\" or \"joining\"";
}
