
/*
 * Events and certificates as bytes, whose order is that of what they say: a
 * text ends with a 0, which no text has, and a number has its highest byte
 * first.
 *
 * It touches no ledger.
 */


#define _GNU_SOURCE    /* strnlen() */

#include <string.h>

#include "stockcert_tool_holders.h"


/* below a position, which has 53 bits at most, as one number with it */

#define STOCKCERT_HELD_BITS  3

_Static_assert(STOCKCERT_HELD_CHANGED < 1 << STOCKCERT_HELD_BITS,
               "an event has room there");


/* bytes that are left */

typedef struct {
    const uint8_t  *data;
    size_t          len;
} stockcert_held_left_t;


static void stockcert_held_put_text(stockcert_held_bytes_t *bytes,
    const stockcert_str_t *text);
static void stockcert_held_put_number(stockcert_held_bytes_t *bytes,
    uint64_t number);
static void stockcert_held_get_text(stockcert_str_t *text,
    stockcert_held_left_t *left);
static uint64_t stockcert_held_get_number(stockcert_held_left_t *left);


_Static_assert(6 * (STOCKCERT_TEXT_MAX + 2) + 5 * 8 <= STOCKCERT_SORT_RECORD,
               "there is room for all texts and numbers");


void
stockcert_held_event_put(stockcert_held_bytes_t *bytes,
    const stockcert_held_event_t *event)
{
    bytes->len = 0;

    stockcert_held_put_text(bytes, &event->who);
    stockcert_held_put_number(bytes, event->period);
    stockcert_held_put_number(bytes, event->position << STOCKCERT_HELD_BITS
                                     | (uint64_t) event->event);
    stockcert_held_put_text(bytes, &event->address);

    if (event->event == STOCKCERT_HELD_ISSUED) {
        stockcert_held_put_text(bytes, &event->one.name);
        stockcert_held_put_text(bytes, &event->one.code);
        stockcert_held_put_text(bytes, &event->one.capacity);
        stockcert_held_put_number(bytes, event->one.number);
        stockcert_held_put_number(bytes, event->one.shares);
    }
}


void
stockcert_held_event_get(stockcert_held_event_t *event, const uint8_t *p,
    size_t len)
{
    uint64_t               number;
    stockcert_held_left_t  left;

    left.data = p;
    left.len = len;

    memset(event, 0, sizeof(stockcert_held_event_t));

    stockcert_held_get_text(&event->who, &left);
    event->period = stockcert_held_get_number(&left);
    number = stockcert_held_get_number(&left);
    event->position = number >> STOCKCERT_HELD_BITS;
    event->event = (stockcert_held_event_e)
                   (number & ((1 << STOCKCERT_HELD_BITS) - 1));
    stockcert_held_get_text(&event->address, &left);

    if (event->event == STOCKCERT_HELD_ISSUED) {
        stockcert_held_get_text(&event->one.name, &left);
        stockcert_held_get_text(&event->one.code, &left);
        stockcert_held_get_text(&event->one.capacity, &left);
        event->one.number = stockcert_held_get_number(&left);
        event->one.shares = stockcert_held_get_number(&left);
    }
}


void
stockcert_held_one_put(stockcert_held_bytes_t *bytes,
    const stockcert_held_one_t *one)
{
    bytes->len = 0;

    stockcert_held_put_text(bytes, &one->name);
    stockcert_held_put_text(bytes, &one->id);
    stockcert_held_put_text(bytes, &one->code);
    stockcert_held_put_text(bytes, &one->capacity);
    stockcert_held_put_number(bytes, one->number);
    stockcert_held_put_number(bytes, one->shares);
    stockcert_held_put_text(bytes, &one->address);
}


void
stockcert_held_one_get(stockcert_held_one_t *one, const uint8_t *p, size_t len)
{
    stockcert_held_left_t  left;

    left.data = p;
    left.len = len;

    stockcert_held_get_text(&one->name, &left);
    stockcert_held_get_text(&one->id, &left);
    stockcert_held_get_text(&one->code, &left);
    stockcert_held_get_text(&one->capacity, &left);
    one->number = stockcert_held_get_number(&left);
    one->shares = stockcert_held_get_number(&left);
    stockcert_held_get_text(&one->address, &left);
}


static void
stockcert_held_put_text(stockcert_held_bytes_t *bytes,
    const stockcert_str_t *text)
{
    if (text->len) {
        memcpy(bytes->bytes + bytes->len, text->data, text->len);
        bytes->len += text->len;
    }

    bytes->bytes[bytes->len++] = '\0';
}


static void
stockcert_held_put_number(stockcert_held_bytes_t *bytes, uint64_t number)
{
    stockcert_put64(bytes->bytes + bytes->len, number);
    bytes->len += sizeof(number);
}


static void
stockcert_held_get_text(stockcert_str_t *text, stockcert_held_left_t *left)
{
    size_t  skip;

    text->data = (const char *) left->data;
    text->len = strnlen(text->data, left->len);

    skip = text->len < left->len ? text->len + 1 : text->len;
    left->data += skip;
    left->len -= skip;
}


static uint64_t
stockcert_held_get_number(stockcert_held_left_t *left)
{
    uint64_t  number;

    if (left->len < sizeof(number)) {
        left->len = 0;
        return 0;
    }

    number = stockcert_get64(left->data);
    left->data += sizeof(number);
    left->len -= sizeof(number);

    return number;
}
