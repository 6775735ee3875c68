
/*
 * Reads a grant from JSON, and says what is wrong with it.
 *
 * It touches memory and jansson only, and knows no ledger.
 */


#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "stockcert_grant.h"
#include "stockcert_syntax.h"
#include "stockcert_text.h"


static int stockcert_grant_read(json_t *object, stockcert_grant_t *grant,
    stockcert_fault_t *fault);
static int stockcert_grant_known(json_t *object, stockcert_fault_t *fault);
static int stockcert_grant_twice(json_t *value, stockcert_fault_t *fault);
static int stockcert_grant_string(json_t *value, const char *member,
    const char *(*check)(const char *text, size_t len), char *dst,
    uint8_t *dst_len, stockcert_fault_t *fault);
static int stockcert_grant_fault(stockcert_fault_t *fault,
    stockcert_fault_e kind, const char *member, const char *detail);
static int stockcert_grant_not_json(stockcert_fault_t *fault,
    const char *json, const char *at);
static int stockcert_grant_json_fault(stockcert_fault_t *fault,
    const json_error_t *error);


int
stockcert_grant_parse(const char *json, size_t len, stockcert_grant_t *grant,
    stockcert_fault_t *fault)
{
    int           rc, twice;
    char          copy[STOCKCERT_SYNTAX_MAX];
    size_t        flags;
    json_t       *value;
    const char   *at;
    json_error_t  error;

    if (len > STOCKCERT_SYNTAX_MAX) {
        return stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, NULL,
                                     "the body must have at most 16384 bytes");
    }

    /*
     * jansson stops at the first thing that it does not accept, such as a
     * large number.  So JSON is checked first, as a whole.
     */

    at = stockcert_syntax(json, len, copy);
    if (at) {
        return stockcert_grant_not_json(fault, json, at);
    }

    /*
     * any JSON value is read, so that the fault is "not a grant", not "not
     * JSON"
     */

    twice = 0;
    flags = JSON_DECODE_ANY|JSON_ALLOW_NUL;

    value = json_loadb(copy, len, flags|JSON_REJECT_DUPLICATES, &error);

    if (value == NULL && json_error_code(&error) == json_error_duplicate_key) {
        value = json_loadb(copy, len, flags, &error);
        twice = 1;
    }

    if (value == NULL) {
        return stockcert_grant_json_fault(fault, &error);
    }

    if (twice) {
        rc = stockcert_grant_twice(value, fault);

    } else if (json_is_object(value)) {
        rc = stockcert_grant_read(value, grant, fault);

    } else {
        rc = stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, NULL,
                                   "the body must be a JSON object");
    }

    json_decref(value);

    return rc;
}


static int
stockcert_grant_read(json_t *object, stockcert_grant_t *grant,
    stockcert_fault_t *fault)
{
    json_t  *name, *amount, *class;

    if (stockcert_grant_known(object, fault) != 0) {
        return -1;
    }

    name = json_object_get(object, "name");
    amount = json_object_get(object, "amount");
    class = json_object_get(object, "class");

    if (stockcert_grant_string(name, "name", stockcert_new_text_fault,
                               grant->name, &grant->name_len, fault)
        != 0)
    {
        return -1;
    }

    if (!json_is_integer(amount) || json_integer_value(amount) < 1
        || json_integer_value(amount) > STOCKCERT_SHARES_MAX)
    {
        return stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, "amount",
                                     "must be an integer from 1 to "
                                     "9007199254740991");
    }

    grant->amount = (uint64_t) json_integer_value(amount);
    grant->key_len = 0;

    return stockcert_grant_string(class, "class", stockcert_code_fault,
                                  grant->code, &grant->code_len, fault);
}


static int
stockcert_grant_known(json_t *object, stockcert_fault_t *fault)
{
    json_t      *value;
    const char  *key;

    json_object_foreach(object, key, value) {

        if (strcmp(key, "name") != 0 && strcmp(key, "amount") != 0
            && strcmp(key, "class") != 0)
        {
            return stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, key,
                                         "is unknown; a grant has \"name\", "
                                         "\"amount\" and \"class\"");
        }
    }

    return 0;
}


/* a value in which some object has a member twice */

static int
stockcert_grant_twice(json_t *value, stockcert_fault_t *fault)
{
    if (stockcert_grant_known(value, fault) != 0) {
        return -1;
    }

    return stockcert_grant_fault(fault, STOCKCERT_MEMBER_TWICE, NULL,
                                 "the body has a member twice");
}


static int
stockcert_grant_string(json_t *value, const char *member,
    const char *(*check)(const char *text, size_t len), char *dst,
    uint8_t *dst_len, stockcert_fault_t *fault)
{
    size_t       len;
    const char  *what;

    if (!json_is_string(value)) {
        return stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, member,
                                     "must be there, as a string");
    }

    len = json_string_length(value);

    what = check(json_string_value(value), len);

    if (what != NULL) {
        return stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, member,
                                     what);
    }

    memcpy(dst, json_string_value(value), len);
    *dst_len = (uint8_t) len;

    return 0;
}


static int
stockcert_grant_fault(stockcert_fault_t *fault, stockcert_fault_e kind,
    const char *member, const char *detail)
{
    size_t  len;

    fault->has_member = (member != NULL);

    /*
     * a client's own member may have any length: it is cut between characters
     */

    len = member ? strlen(member) : 0;

    if (len >= sizeof(fault->member)) {
        len = sizeof(fault->member) - 1;

        while ((member[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    if (len) {
        memcpy(fault->member, member, len);
    }

    fault->member[len] = '\0';

    snprintf(fault->detail, sizeof(fault->detail), "%s", detail);
    fault->kind = kind;

    return -1;
}


/* the place is that of the first character that is wrong */

static int
stockcert_grant_not_json(stockcert_fault_t *fault, const char *json,
    const char *at)
{
    char      detail[256];
    unsigned  line, column;

    line = 1;
    column = 1;

    for ( /* void */ ; json < at; json++) {

        if (*json == '\n') {
            line++;
            column = 1;

        } else if ((*json & 0xc0) != 0x80) {
            column++;
        }
    }

    snprintf(detail, sizeof(detail),
             "the body is not JSON: line %u, column %u", line, column);

    return stockcert_grant_fault(fault, STOCKCERT_NOT_JSON, NULL, detail);
}


/* it is JSON, but too large for jansson, and so for a grant */

static int
stockcert_grant_json_fault(stockcert_fault_t *fault, const json_error_t *error)
{
    switch (json_error_code(error)) {

    case json_error_stack_overflow:
        return stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, NULL,
                                     "the body is nested too deep");

    case json_error_null_byte_in_key:
        return stockcert_grant_fault(fault, STOCKCERT_NOT_A_GRANT, NULL,
                                     "the body has a member with a NUL "
                                     "character in its name");

    default:
        return stockcert_grant_fault(fault, STOCKCERT_NO_MEMORY, NULL,
                                     "there is no memory for the body");
    }
}
