
/*
 * A reader of JSON for the fuzzers, from RFC 8259 alone.  It stops where the
 * text ceases to be JSON; of what is JSON, but no grant can have, it notes a
 * member with a NUL in its name, or else a member twice.
 */


#ifndef STOCKCERT_FUZZ_JSON_H
#define STOCKCERT_FUZZ_JSON_H


#include <errno.h>

#include "stockcert_grant.h"
#include "fuzz.h"


#define INPUT_MAX  2048    /* too short to be nested too deep for jansson */


typedef struct {
    int             type;      /* { [ " 1 . t: object to literal; 0: none */
    long long       number;
    size_t          len;
    const uint8_t  *text;
} value_t;


typedef struct {
    value_t         key;
    value_t         value;
} member_t;


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
    size_t          open;               /* members of the objects that are */
    size_t          members;            /* of the object that was read last */
    int             fault;              /* what is JSON, but no grant's */

    size_t          text_len;
    uint8_t         text[INPUT_MAX];    /* all strings, read */
    member_t        member[INPUT_MAX];
} reader_t;


static int read_value(reader_t *r, value_t *v);
static int read_members(reader_t *r, int end);
static int read_key(reader_t *r, size_t first);
static int read_literal(reader_t *r, value_t *v);
static int read_number(reader_t *r, value_t *v);
static void number_value(reader_t *r, const uint8_t *start, value_t *v);
static int read_string(reader_t *r, value_t *v);
static int read_escape(reader_t *r, uint32_t *c);
static int read_hex(reader_t *r, uint32_t *c);
static void put_utf8(reader_t *r, uint32_t c);
static void skip_space(reader_t *r);
static int skip(reader_t *r, int c);
static int skip_digits(reader_t *r);


/*
 * Reads a whole text.  Returns 0 or a stockcert_fault_e; *v is the value, of an
 * object the members are r->member[0] and so on, r->members of them.
 */

static int
read_json(reader_t *r, const uint8_t *data, size_t len, value_t *v)
{
    int  rc;

    memset(r, 0, offsetof(reader_t, text));
    r->p = data;
    r->end = data + len;

    skip_space(r);

    rc = read_value(r, v);
    if (rc) {
        return rc;
    }

    skip_space(r);

    return r->p == r->end ? r->fault : STOCKCERT_NOT_JSON;
}


static int
read_value(reader_t *r, value_t *v)
{
    memset(v, 0, sizeof(value_t));

    if (r->p == r->end) {
        return STOCKCERT_NOT_JSON;
    }

    switch (*r->p) {

    case '{': case '[':
        v->type = *r->p;
        return read_members(r, v->type == '{' ? '}' : ']');

    case '"':
        return read_string(r, v);

    case 't': case 'f': case 'n':
        return read_literal(r, v);

    default:
        return read_number(r, v);
    }
}


/* an object, or an array, up to its end */

static int
read_members(reader_t *r, int end)
{
    int       rc;
    size_t    first, n;
    value_t   value;

    r->p++;
    first = r->open;

    skip_space(r);

    if (skip(r, end)) {
        r->members = 0;
        return 0;
    }

    do {
        skip_space(r);

        n = r->open;

        rc = end == '}' ? read_key(r, first) : 0;
        rc = rc ? rc : read_value(r, &value);

        if (rc) {
            return rc;
        }

        if (end == '}') {
            r->member[n].value = value;
        }

        skip_space(r);

    } while (skip(r, ','));

    r->members = r->open - first;
    r->open = first;

    return skip(r, end) ? 0 : STOCKCERT_NOT_JSON;
}


/* with the colon and the white space behind it */

static int
read_key(reader_t *r, size_t first)
{
    int       rc;
    size_t    n;
    value_t  *key;

    if (r->p == r->end || *r->p != '"') {
        return STOCKCERT_NOT_JSON;
    }

    key = &r->member[r->open].key;

    rc = read_string(r, key);
    if (rc) {
        return rc;
    }

    if (memchr(key->text, '\0', key->len)) {
        r->fault = STOCKCERT_NOT_A_GRANT;
    }

    for (n = first; n < r->open; n++) {
        if (r->fault == 0 && r->member[n].key.len == key->len
            && memcmp(r->member[n].key.text, key->text, key->len) == 0)
        {
            r->fault = STOCKCERT_MEMBER_TWICE;
        }
    }

    r->open++;

    skip_space(r);

    if (!skip(r, ':')) {
        return STOCKCERT_NOT_JSON;
    }

    skip_space(r);

    return 0;
}


static int
read_literal(reader_t *r, value_t *v)
{
    size_t  i, len;

    static const char *const  words[] = { "true", "false", "null" };

    v->type = 't';

    for (i = 0; i < 3; i++) {
        len = strlen(words[i]);

        if ((size_t) (r->end - r->p) >= len
            && memcmp(r->p, words[i], len) == 0)
        {
            r->p += len;
            return 0;
        }
    }

    return STOCKCERT_NOT_JSON;
}


static int
read_number(reader_t *r, value_t *v)
{
    const uint8_t  *start;

    start = r->p;
    v->type = '1';

    (void) skip(r, '-');

    if (skip(r, '0')) {
        if (skip_digits(r)) {
            return STOCKCERT_NOT_JSON;
        }

    } else if (!skip_digits(r)) {
        return STOCKCERT_NOT_JSON;
    }

    if (skip(r, '.')) {
        v->type = '.';

        if (!skip_digits(r)) {
            return STOCKCERT_NOT_JSON;
        }
    }

    if (skip(r, 'e') || skip(r, 'E')) {
        v->type = '.';

        if (!skip(r, '+')) {
            (void) skip(r, '-');
        }

        if (!skip_digits(r)) {
            return STOCKCERT_NOT_JSON;
        }
    }

    number_value(r, start, v);

    return 0;
}


/* JSON has numbers of any size; what 64 bits cannot hold is no integer here */

static void
number_value(reader_t *r, const uint8_t *start, value_t *v)
{
    char    text[INPUT_MAX + 1];
    size_t  len;

    if (v->type == '.') {
        return;
    }

    len = (size_t) (r->p - start);
    memcpy(text, start, len);
    text[len] = '\0';

    errno = 0;
    v->number = strtoll(text, NULL, 10);

    if (errno == ERANGE) {
        v->type = '.';
    }
}


static int
read_string(reader_t *r, value_t *v)
{
    uint32_t  c;

    r->p++;

    v->type = '"';
    v->text = r->text + r->text_len;

    while (!skip(r, '"')) {

        if (r->p == r->end || read_utf8(&r->p, r->end, &c) != 0 || c < 0x20) {
            return STOCKCERT_NOT_JSON;
        }

        if (c == '\\' && read_escape(r, &c) != 0) {
            return STOCKCERT_NOT_JSON;
        }

        put_utf8(r, c);
    }

    v->len = (size_t) (r->text + r->text_len - v->text);

    return 0;
}


static int
read_escape(reader_t *r, uint32_t *c)
{
    uint32_t     low;
    const char  *at;

    static const char  escapes[] = "\"\\/bfnrt";
    static const char  meant[] = "\"\\/\b\f\n\r\t";

    if (r->p == r->end) {
        return -1;
    }

    if (!skip(r, 'u')) {
        at = memchr(escapes, *r->p++, 8);
        *c = at ? (uint32_t) meant[at - escapes] : 0;
        return at ? 0 : -1;
    }

    if (read_hex(r, c) != 0) {
        return -1;
    }

    if (*c < 0xd800 || *c > 0xdfff) {
        return 0;
    }

    /* a surrogate is half a character */

    if (*c > 0xdbff || !skip(r, '\\') || !skip(r, 'u')
        || read_hex(r, &low) != 0 || low < 0xdc00 || low > 0xdfff)
    {
        return -1;
    }

    *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);

    return 0;
}


static int
read_hex(reader_t *r, uint32_t *c)
{
    int          n;
    const char  *at;

    static const char  digits[] = "0123456789abcdefABCDEF";

    *c = 0;

    for (n = 0; n < 4; n++) {
        at = r->p < r->end ? memchr(digits, *r->p, 22) : NULL;

        if (at == NULL) {
            return -1;
        }

        *c = *c << 4
             | (uint32_t) (at - digits < 16 ? at - digits : at - digits - 6);
        r->p++;
    }

    return 0;
}


static void
put_utf8(reader_t *r, uint32_t c)
{
    int  shift;

    if (c < 0x80) {
        r->text[r->text_len++] = (uint8_t) c;
        return;
    }

    shift = c < 0x800 ? 6 : c < 0x10000 ? 12 : 18;
    r->text[r->text_len++] = (uint8_t) (0xff00 >> (shift / 6 + 1)
                                        | c >> shift);

    while (shift) {
        shift -= 6;
        r->text[r->text_len++] = (uint8_t) (0x80 | (c >> shift & 0x3f));
    }
}


static void
skip_space(reader_t *r)
{
    while (r->p < r->end && memchr(" \t\r\n", *r->p, 4)) {
        r->p++;
    }
}


static int
skip(reader_t *r, int c)
{
    if (r->p == r->end || *r->p != c) {
        return 0;
    }

    r->p++;

    return 1;
}


static int
skip_digits(reader_t *r)
{
    const uint8_t  *start;

    start = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        r->p++;
    }

    return r->p > start;
}


#endif /* STOCKCERT_FUZZ_JSON_H */
