
/*
 * Checks that a text is JSON, without recursion and without jansson.
 *
 * It touches memory only.
 */


#include <stdint.h>
#include <string.h>

#include "stockcert_syntax.h"
#include "stockcert_text.h"


#define STOCKCERT_DIGITS_MAX  16    /* 2^53 - 1 has as many */


typedef struct {
    const char  *p;
    const char  *end;
    const char  *start;
    char        *copy;
    size_t       depth;      /* each level takes a byte of the text */
    uint8_t     *objects;    /* a bit for each level; 0: an array */
} stockcert_syntax_t;


static int stockcert_syntax_value(stockcert_syntax_t *s);
static int stockcert_syntax_behind(stockcert_syntax_t *s);
static int stockcert_syntax_key(stockcert_syntax_t *s);
static void stockcert_syntax_open(stockcert_syntax_t *s, int object);
static int stockcert_syntax_in_object(const stockcert_syntax_t *s);
static int stockcert_syntax_literal(stockcert_syntax_t *s, const char *word);
static int stockcert_syntax_number(stockcert_syntax_t *s);
static int stockcert_syntax_digits(stockcert_syntax_t *s);
static int stockcert_syntax_string(stockcert_syntax_t *s);
static int stockcert_syntax_escape(stockcert_syntax_t *s);
static int stockcert_syntax_hex(stockcert_syntax_t *s, unsigned *unit);
static int stockcert_syntax_skip(stockcert_syntax_t *s, char c);
static void stockcert_syntax_space(stockcert_syntax_t *s);


/* s.p stays at the fault */

const char *
stockcert_syntax(const char *json, size_t len, char *copy)
{
    stockcert_syntax_t  s;

    memcpy(copy, json, len);

    s.p = json;
    s.end = json + len;
    s.start = json;
    s.copy = copy;
    s.depth = 0;
    s.objects = (uint8_t *) copy + len;

    do {
        if (stockcert_syntax_value(&s) != 0
            || stockcert_syntax_behind(&s) != 0)
        {
            return s.p;
        }

    } while (s.depth);

    return s.p == s.end ? NULL : s.p;
}


/*
 * a value; of an array or object its beginning, and of the first value in it,
 * and so on
 */

static int
stockcert_syntax_value(stockcert_syntax_t *s)
{
    for ( ;; ) {
        stockcert_syntax_space(s);

        if (stockcert_syntax_skip(s, '[')) {
            stockcert_syntax_space(s);

            if (stockcert_syntax_skip(s, ']')) {
                return 0;
            }

            stockcert_syntax_open(s, 0);
            continue;
        }

        if (stockcert_syntax_skip(s, '{')) {
            stockcert_syntax_space(s);

            if (stockcert_syntax_skip(s, '}')) {
                return 0;
            }

            stockcert_syntax_open(s, 1);

            if (stockcert_syntax_key(s) != 0) {
                return -1;
            }

            continue;
        }

        break;
    }

    if (s->p == s->end) {
        return -1;
    }

    switch (*s->p) {
    case '"':
        return stockcert_syntax_string(s);
    case 't':
        return stockcert_syntax_literal(s, "true");
    case 'f':
        return stockcert_syntax_literal(s, "false");
    case 'n':
        return stockcert_syntax_literal(s, "null");
    default:
        return stockcert_syntax_number(s);
    }
}


/* what follows a value, up to the next value or the end of the text */

static int
stockcert_syntax_behind(stockcert_syntax_t *s)
{
    int  object;

    stockcert_syntax_space(s);

    while (s->depth) {
        object = stockcert_syntax_in_object(s);

        if (stockcert_syntax_skip(s, ',')) {
            return object ? stockcert_syntax_key(s) : 0;
        }

        if (!stockcert_syntax_skip(s, object ? '}' : ']')) {
            return -1;
        }

        s->depth--;
        stockcert_syntax_space(s);
    }

    return 0;
}


static int
stockcert_syntax_key(stockcert_syntax_t *s)
{
    stockcert_syntax_space(s);

    if (stockcert_syntax_string(s) != 0) {
        return -1;
    }

    stockcert_syntax_space(s);

    return stockcert_syntax_skip(s, ':') ? 0 : -1;
}


static void
stockcert_syntax_open(stockcert_syntax_t *s, int object)
{
    uint8_t  bit;

    bit = (uint8_t) (1 << s->depth % 8);

    if (object) {
        s->objects[s->depth / 8] |= bit;

    } else {
        s->objects[s->depth / 8] &= (uint8_t) ~bit;
    }

    s->depth++;
}


static int
stockcert_syntax_in_object(const stockcert_syntax_t *s)
{
    return s->objects[(s->depth - 1) / 8] >> (s->depth - 1) % 8 & 1;
}


static int
stockcert_syntax_literal(stockcert_syntax_t *s, const char *word)
{
    for ( /* void */ ; *word; word++) {
        if (!stockcert_syntax_skip(s, *word)) {
            return -1;
        }
    }

    return 0;
}


static int
stockcert_syntax_number(stockcert_syntax_t *s)
{
    char        *copy;
    size_t       len;
    const char  *start, *digits;

    start = s->p;

    (void) stockcert_syntax_skip(s, '-');

    digits = s->p;

    if (!stockcert_syntax_skip(s, '0') && stockcert_syntax_digits(s) != 0) {
        return -1;
    }

    len = (size_t) (s->p - digits);

    if (stockcert_syntax_skip(s, '.')) {
        len = SIZE_MAX;

        if (stockcert_syntax_digits(s) != 0) {
            return -1;
        }
    }

    if (stockcert_syntax_skip(s, 'e') || stockcert_syntax_skip(s, 'E')) {
        len = SIZE_MAX;

        if (!stockcert_syntax_skip(s, '+')) {
            (void) stockcert_syntax_skip(s, '-');
        }

        if (stockcert_syntax_digits(s) != 0) {
            return -1;
        }
    }

    if (len > STOCKCERT_DIGITS_MAX) {
        copy = s->copy + (start - s->start);
        memset(copy, ' ', (size_t) (s->p - start));
        *copy = '0';
    }

    return 0;
}


static int
stockcert_syntax_digits(stockcert_syntax_t *s)
{
    const char  *start;

    start = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }

    return s->p > start ? 0 : -1;
}


static int
stockcert_syntax_string(stockcert_syntax_t *s)
{
    uint32_t        c;
    const uint8_t  *p;

    if (!stockcert_syntax_skip(s, '"')) {
        return -1;
    }

    while (!stockcert_syntax_skip(s, '"')) {

        if (stockcert_syntax_skip(s, '\\')) {

            if (stockcert_syntax_escape(s) != 0) {
                return -1;
            }

            continue;
        }

        if (s->p == s->end) {
            return -1;
        }

        p = (const uint8_t *) s->p;
        c = stockcert_utf8(&p, (const uint8_t *) s->end);

        if (c == STOCKCERT_NO_CHAR || c < 0x20) {
            return -1;
        }

        s->p = (const char *) p;
    }

    return 0;
}


static int
stockcert_syntax_escape(stockcert_syntax_t *s)
{
    unsigned  unit, second;

    if (!stockcert_syntax_skip(s, 'u')) {

        if (s->p == s->end || memchr("\"\\/bfnrt", *s->p, 8) == NULL) {
            return -1;
        }

        s->p++;

        return 0;
    }

    if (stockcert_syntax_hex(s, &unit) != 0) {
        return -1;
    }

    if (unit < 0xd800 || unit > 0xdfff) {
        return 0;
    }

    return unit < 0xdc00
           && stockcert_syntax_skip(s, '\\') && stockcert_syntax_skip(s, 'u')
           && stockcert_syntax_hex(s, &second) == 0
           && second >= 0xdc00 && second <= 0xdfff
           ? 0 : -1;
}


static int
stockcert_syntax_hex(stockcert_syntax_t *s, unsigned *unit)
{
    int          n;
    const char  *at;

    static const char  digits[] = "0123456789abcdefABCDEF";

    *unit = 0;

    for (n = 0; n < 4; n++) {

        at = s->p < s->end ? memchr(digits, *s->p, sizeof(digits) - 1) : NULL;
        if (at == NULL) {
            return -1;
        }

        *unit = *unit * 16
                + (unsigned) (at - digits < 16 ? at - digits
                                               : at - digits - 6);
        s->p++;
    }

    return 0;
}


static int
stockcert_syntax_skip(stockcert_syntax_t *s, char c)
{
    if (s->p == s->end || *s->p != c) {
        return 0;
    }

    s->p++;

    return 1;
}


static void
stockcert_syntax_space(stockcert_syntax_t *s)
{
    while (s->p < s->end
           && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r'
               || *s->p == '\n'))
    {
        s->p++;
    }
}
