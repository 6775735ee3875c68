
/*
 * Reads a JSON object that a client sent, and says what is wrong with it.
 *
 * It touches memory and jansson only.
 */


#include <stdio.h>
#include <string.h>

#include "stockcert_body.h"
#include "stockcert_syntax.h"
#include "stockcert_text.h"
#include "stockcert_value.h"


static json_t *stockcert_body_load(const stockcert_body_t *body,
    const char *json, size_t len, int *twice);
static int stockcert_body_set(const stockcert_body_t *body,
    stockcert_fault_e kind, const char *member, const char *detail);
static int stockcert_body_not_json(const stockcert_body_t *body,
    const char *json, const char *at);
static int stockcert_body_json_fault(const stockcert_body_t *body,
    const json_error_t *error);


int
stockcert_body_open(stockcert_body_t *body, const char *json, size_t len,
    char *room, const char *const *members, const char *unknown)
{
    int          rc, twice;
    const char  *at;

    /*
     * jansson stops at the first thing that it does not accept, such as a
     * large number. So JSON is checked first, as a whole.
     */

    at = stockcert_syntax(json, len, room);
    if (at) {
        return stockcert_body_not_json(body, json, at);
    }

    body->object = stockcert_body_load(body, room, len, &twice);

    if (body->object == NULL) {
        return -1;
    }

    if (json_is_object(body->object)) {
        rc = stockcert_body_known(body, members, unknown);

    } else {
        rc = twice ? 0 : stockcert_body_fault(body, NULL,
                                              "the body must be a JSON object");
    }

    if (rc == 0 && twice) {
        rc = stockcert_body_set(body, STOCKCERT_MEMBER_TWICE, NULL,
                                "the body has a member twice");
    }

    if (rc != 0) {
        json_decref(body->object);
    }

    return rc;
}


/*
 * any JSON value is read, so that the fault is of a kind of its own, not "not
 * JSON"
 */

static json_t *
stockcert_body_load(const stockcert_body_t *body, const char *json, size_t len,
    int *twice)
{
    size_t        flags;
    json_t       *value;
    json_error_t  error;

    *twice = 0;
    flags = JSON_DECODE_ANY|JSON_ALLOW_NUL;

    value = json_loadb(json, len, flags|JSON_REJECT_DUPLICATES, &error);

    if (value == NULL && json_error_code(&error) == json_error_duplicate_key) {
        value = json_loadb(json, len, flags, &error);
        *twice = 1;
    }

    if (value == NULL) {
        (void) stockcert_body_json_fault(body, &error);
    }

    return value;
}


int
stockcert_body_known(const stockcert_body_t *body, const char *const *members,
    const char *unknown)
{
    json_t             *value;
    const char         *key;
    const char *const  *member;

    json_object_foreach(body->object, key, value) {

        for (member = members; *member && strcmp(key, *member) != 0; member++) {
            /* void */
        }

        if (*member == NULL) {
            return stockcert_body_fault(body, key, unknown);
        }
    }

    return 0;
}


int
stockcert_body_string(const stockcert_body_t *body, const char *member,
    int must, stockcert_check_pt check, stockcert_str_t *str)
{
    json_t      *value;
    const char  *what;

    value = json_object_get(body->object, member);

    if (value == NULL && !must) {
        str->len = 0;
        str->data = NULL;
        return 0;
    }

    if (!json_is_string(value)) {
        return stockcert_body_fault(body, member,
                                    must ? "must be there, as a string"
                                         : "must be a string");
    }

    str->len = json_string_length(value);
    str->data = json_string_value(value);

    what = check(str->data, str->len);

    return what ? stockcert_body_fault(body, member, what) : 0;
}


int
stockcert_body_count(const stockcert_body_t *body, const char *member,
    int must, uint64_t *n)
{
    json_t  *value;

    value = json_object_get(body->object, member);

    if (value == NULL && !must) {
        *n = 0;
        return 0;
    }

    if (!json_is_integer(value) || json_integer_value(value) < 1
        || json_integer_value(value) > STOCKCERT_SHARES_MAX)
    {
        return stockcert_body_fault(body, member,
                                    "must be an integer from 1 to "
                                    "9007199254740991");
    }

    *n = (uint64_t) json_integer_value(value);

    return 0;
}


int
stockcert_body_holder(const stockcert_body_t *body, stockcert_entry_t *holder)
{
    if (stockcert_body_string(body, "holder_id", 0, stockcert_id_fault,
                              &holder->holder_id)
        != 0
        || stockcert_body_string(body, "address", 0, stockcert_new_text_fault,
                                 &holder->address)
           != 0
        || stockcert_body_string(body, "capacity", 0, stockcert_new_text_fault,
                                 &holder->capacity)
           != 0)
    {
        return -1;
    }

    return 0;
}


int
stockcert_body_fault(const stockcert_body_t *body, const char *member,
    const char *detail)
{
    return stockcert_body_set(body, body->kind, member, detail);
}


int
stockcert_body_no_memory(const stockcert_body_t *body)
{
    return stockcert_body_set(body, STOCKCERT_NO_MEMORY, NULL,
                              "there is no memory for the body");
}


static int
stockcert_body_set(const stockcert_body_t *body, stockcert_fault_e kind,
    const char *member, const char *detail)
{
    char               *p;
    size_t              len, room;
    stockcert_fault_t  *fault;

    fault = body->fault;
    fault->has_member = (member != NULL);

    p = fault->member;

    if (member) {
        len = strlen(body->path);
        memcpy(p, body->path, len);
        p += len;

        /*
         * a client's own member may have any length: it is cut between
         * characters
         */

        room = sizeof(fault->member) - 1 - len;
        len = strlen(member);

        if (len > room) {
            len = room;

            while ((member[len] & 0xc0) == 0x80) {
                len--;
            }
        }

        memcpy(p, member, len);
        p += len;
    }

    *p = '\0';

    snprintf(fault->detail, sizeof(fault->detail), "%s", detail);
    fault->kind = kind;

    return -1;
}


/* the place is that of the first character that is wrong */

static int
stockcert_body_not_json(const stockcert_body_t *body, const char *json,
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

    return stockcert_body_set(body, STOCKCERT_NOT_JSON, NULL, detail);
}


/* it is JSON, but too large for jansson, and so for a request */

static int
stockcert_body_json_fault(const stockcert_body_t *body,
    const json_error_t *error)
{
    switch (json_error_code(error)) {

    case json_error_stack_overflow:
        return stockcert_body_fault(body, NULL, "the body is nested too deep");

    case json_error_null_byte_in_key:
        return stockcert_body_fault(body, NULL,
                                    "the body has a member with a NUL "
                                    "character in its name");

    default:
        return stockcert_body_no_memory(body);
    }
}
