
/*
 * Reads a grant from JSON, and says what is wrong with it.
 *
 * It touches memory and jansson only, and knows no ledger.
 */


#include <string.h>

#include "stockcert_body.h"
#include "stockcert_grant.h"
#include "stockcert_syntax.h"
#include "stockcert_text.h"


#define STOCKCERT_PLAIN  3    /* members that every grant has */


static int stockcert_grant_read(const stockcert_body_t *body,
    stockcert_grant_t *grant);
static int stockcert_grant_more(const stockcert_body_t *body,
    stockcert_grant_t *grant);


/* those that every grant has go first */

static const char *const  stockcert_grant_members[] = {
    "name", "amount", "class", "holder_id", "address", "capacity", "price",
    "effective", "reference", NULL
};


int
stockcert_grant_parse(const char *json, size_t len, stockcert_grant_t *grant,
    stockcert_fault_t *fault)
{
    int               rc;
    char              room[STOCKCERT_SYNTAX_ROOM(STOCKCERT_GRANT_MAX)];
    stockcert_body_t  body;

    body.path[0] = '\0';
    body.kind = STOCKCERT_NOT_A_GRANT;
    body.fault = fault;

    if (len > STOCKCERT_GRANT_MAX) {
        return stockcert_body_fault(&body, NULL,
                                    "the body must have at most 16384 bytes");
    }

    if (stockcert_body_open(&body, json, len, room, stockcert_grant_members,
                            "is unknown; a grant has \"name\", \"amount\" and "
                            "\"class\"")
        != 0)
    {
        return -1;
    }

    rc = stockcert_grant_read(&body, grant);

    json_decref(body.object);

    return rc;
}


static int
stockcert_grant_read(const stockcert_body_t *body, stockcert_grant_t *grant)
{
    stockcert_str_t  name, code;

    if (stockcert_body_string(body, "name", 1, stockcert_new_text_fault, &name)
        != 0
        || stockcert_body_count(body, "amount", 1, &grant->amount) != 0
        || stockcert_body_string(body, "class", 1, stockcert_code_fault, &code)
           != 0)
    {
        return -1;
    }

    memcpy(grant->name, name.data, name.len);
    grant->name_len = (uint8_t) name.len;

    memcpy(grant->code, code.data, code.len);
    grant->code_len = (uint8_t) code.len;

    grant->key_len = 0;
    grant->asked_len = 0;
    grant->more_len = 0;

    return json_object_size(body->object) == STOCKCERT_PLAIN
           ? 0 : stockcert_grant_more(body, grant);
}


static int
stockcert_grant_more(const stockcert_body_t *body, stockcert_grant_t *grant)
{
    stockcert_entry_t  asked;

    memset(&asked, 0, sizeof(stockcert_entry_t));

    if (stockcert_body_holder(body, &asked) != 0
        || stockcert_body_string(body, "price", 0, stockcert_price_fault,
                                 &asked.price)
           != 0
        || stockcert_body_string(body, "effective", 0, stockcert_date_fault,
                                 &asked.effective)
           != 0
        || stockcert_body_string(body, "reference", 0, stockcert_new_text_fault,
                                 &asked.reference)
           != 0)
    {
        return -1;
    }

    grant->asked_len = (uint16_t)
                       stockcert_entry_put_fields(&asked,
                                                  STOCKCERT_FIELD_HOLDER_ID,
                                                  grant->more);
    grant->more_len = grant->asked_len;

    return 0;
}


void
stockcert_grant_set_actor(stockcert_grant_t *grant, const char *actor,
    size_t len)
{
    char               text[STOCKCERT_TEXT_MAX];
    stockcert_entry_t  by;

    memset(&by, 0, sizeof(stockcert_entry_t));

    by.actor.len = stockcert_text_clean(actor, len, text);
    by.actor.data = text;

    grant->more_len += (uint16_t)
                       stockcert_entry_put_fields(&by, STOCKCERT_FIELD_ACTOR,
                                                  grant->more
                                                  + grant->more_len);
}
