
/*
 * The rules for texts, legends and class codes; texts escaped for logs and
 * shells.
 *
 * It touches memory only.
 */


#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_entry.h"
#include "stockcert_text.h"


#define STOCKCERT_TEXT_LONG  "must have at most 255 bytes in UTF-8"


static const char *stockcert_text_characters(const char *text, size_t len,
    int new);
static int stockcert_is_control(uint32_t c);
static int stockcert_is_turn(uint32_t c);
static int stockcert_is_space(uint32_t c);


const char *
stockcert_text_fault(const char *text, size_t len)
{
    return len > STOCKCERT_TEXT_MAX ? STOCKCERT_TEXT_LONG
                                    : stockcert_text_characters(text, len, 0);
}


const char *
stockcert_new_text_fault(const char *text, size_t len)
{
    return len > STOCKCERT_TEXT_MAX ? STOCKCERT_TEXT_LONG
                                    : stockcert_text_characters(text, len, 1);
}


const char *
stockcert_legend_fault(const char *text, size_t len)
{
    return len > STOCKCERT_LEGEND_MAX ? "must have at most 1000 bytes in UTF-8"
                                      : stockcert_text_characters(text, len, 1);
}


static const char *
stockcert_text_characters(const char *text, size_t len, int new)
{
    int             blank, unseen, turn;
    uint32_t        c;
    const uint8_t  *p, *end;

    if (len == 0) {
        return "must not be empty";
    }

    p = (const uint8_t *) text;
    end = p + len;
    blank = 1;
    unseen = 1;
    turn = 0;

    while (p < end) {

        /* most names are ASCII */

        if (*p > 0x20 && *p < 0x7f) {
            blank = 0;
            unseen = 0;
            p++;
            continue;
        }

        c = stockcert_utf8(&p, end);

        if (c == STOCKCERT_NO_CHAR) {
            return "must be valid UTF-8";
        }

        if (stockcert_is_control(c)) {
            return "must not contain control characters";
        }

        if (!stockcert_is_space(c)) {
            blank = 0;
            unseen = unseen && stockcert_is_unseen(c);
        }

        turn |= stockcert_is_turn(c);
    }

    if (blank) {
        return "must not be only white space";
    }

    if (new && turn) {
        return "must not contain characters that turn the line around "
               "(U+202A to U+202E, U+2066 to U+2069)";
    }

    return new && unseen ? "must have a character that can be seen" : NULL;
}


const char *
stockcert_code_fault(const char *code, size_t len)
{
    size_t  i;

    if (len == 0 || len > STOCKCERT_CODE_MAX || code[0] < 'A' || code[0] > 'Z')
    {
        goto fault;
    }

    for (i = 1; i < len; i++) {
        if ((code[i] < 'A' || code[i] > 'Z')
            && (code[i] < '0' || code[i] > '9'))
        {
            goto fault;
        }
    }

    return NULL;

fault:

    return "must be 1 to 8 of A-Z and 0-9, a letter first";
}


size_t
stockcert_text_escape(const char *text, size_t len, char *shown, size_t size)
{
    char           *out, *last, *dots;
    char            piece[3 * sizeof("\\x00")];    /* of three bytes */
    size_t          n;
    uint32_t        c;
    const uint8_t  *p, *from, *end;

    p = (const uint8_t *) text;
    end = p + len;

    out = shown;
    dots = shown;                  /* the last place where "..." has room */
    last = shown + size - 1;

    while (p < end) {
        from = p;
        c = stockcert_utf8(&p, end);

        if (c == STOCKCERT_NO_CHAR) {

            /* what follows this byte may be a character */

            p = from + 1;
        }

        if (c == STOCKCERT_NO_CHAR || stockcert_is_control(c)
            || stockcert_is_turn(c))
        {

            for (n = 0; from < p; from++) {
                n += (size_t) sprintf(piece + n, "\\x%02x", *from);
            }

        } else {
            n = (size_t) (p - from);
            memcpy(piece, from, n);
        }

        if ((size_t) (last - out) < n) {
            memcpy(dots, "...", 3);
            out = dots + 3;
            break;
        }

        memcpy(out, piece, n);
        out += n;

        if (last - out >= 3) {
            dots = out;
        }
    }

    *out = '\0';

    return (size_t) (out - shown);
}


size_t
stockcert_text_clean(const char *text, size_t len, char *clean)
{
    size_t          n, size, cut;
    uint32_t        c;
    const char     *piece;
    const uint8_t  *p, *from, *end;

    static const char  dots[] = "\xe2\x80\xa6";

    p = (const uint8_t *) text;
    end = p + len;
    size = 0;
    cut = 0;                       /* the last place where the dots have room */

    while (p < end) {
        from = p;
        c = stockcert_utf8(&p, end);

        if (c == STOCKCERT_NO_CHAR) {

            /* what follows this byte may be a character */

            p = from + 1;
        }

        if (c == STOCKCERT_NO_CHAR || stockcert_is_control(c)) {
            piece = "?";
            n = 1;

        } else {
            piece = (const char *) from;
            n = (size_t) (p - from);
        }

        if (size + n > STOCKCERT_TEXT_MAX) {
            memcpy(clean + cut, dots, sizeof(dots) - 1);
            size = cut + sizeof(dots) - 1;
            break;
        }

        memcpy(clean + size, piece, n);
        size += n;

        if (size + sizeof(dots) - 1 <= STOCKCERT_TEXT_MAX) {
            cut = size;
        }
    }

    return stockcert_text_fault(clean, size) ? 0 : size;
}


size_t
stockcert_text_quote(const char *text, size_t len, char *word, size_t size)
{
    int     plain;
    char   *out;
    size_t  i;

    plain = len > 0;

    for (i = 0; i < len; i++) {
        plain &= (text[i] >= 'a' && text[i] <= 'z')
                 || (text[i] >= 'A' && text[i] <= 'Z')
                 || (text[i] >= '0' && text[i] <= '9')
                 || (text[i] && strchr("/._-+,:@%", text[i]));
    }

    /* a quote takes four bytes, and there are two and a NUL around all */

    if (size < 4 * len + 3) {
        return (size_t) snprintf(word, size, "...");
    }

    out = word;

    if (!plain) {
        *out++ = '\'';
    }

    for (i = 0; i < len; i++) {

        if (text[i] == '\'') {
            memcpy(out, "'\\''", 4);
            out += 4;
            continue;
        }

        *out++ = text[i];
    }

    if (!plain) {
        *out++ = '\'';
    }

    *out = '\0';

    return (size_t) (out - word);
}


/* RFC 3629, section 4: no overlong forms, no surrogates */

uint32_t
stockcert_utf8(const uint8_t **p, const uint8_t *end)
{
    int       n;
    uint32_t  c, least;

    c = *(*p)++;

    if (c < 0x80) {
        return c;
    }

    if (c >= 0xf0 && c < 0xf8) {
        n = 3;
        least = 0x10000;
        c &= 0x07;

    } else if (c >= 0xe0 && c < 0xf0) {
        n = 2;
        least = 0x800;
        c &= 0x0f;

    } else if (c >= 0xc0 && c < 0xe0) {
        n = 1;
        least = 0x80;
        c &= 0x1f;

    } else {
        return STOCKCERT_NO_CHAR;
    }

    while (n--) {
        if (*p == end || (**p & 0xc0) != 0x80) {
            return STOCKCERT_NO_CHAR;
        }

        c = c << 6 | (*(*p)++ & 0x3f);
    }

    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return STOCKCERT_NO_CHAR;
    }

    return c;
}


static int
stockcert_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}


/* bidirectional embeddings, overrides and isolates, and their ends */

static int
stockcert_is_turn(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}


/* Unicode's White_Space that is not a control character */

static int
stockcert_is_space(uint32_t c)
{
    return c == 0x20 || c == 0xa0 || c == 0x1680
           || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
           || c == 0x202f || c == 0x205f || c == 0x3000;
}
