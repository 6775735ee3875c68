
/*
 * Reads idempotency keys from the value of a header.
 *
 * It touches memory only.
 */


#include "stockcert_key.h"


static const char  stockcert_key_printable[] =
    "must be printable ASCII characters";
static const char  stockcert_key_long[] = "must have at most 255 characters";
static const char  stockcert_key_string[] =
    "must be a whole string where it begins with a quote: \"...\", "
    "with \\\" and \\\\ for the characters \" and \\ in it";


const char *
stockcert_key_fault(const char *key, size_t len)
{
    size_t  i;

    if (len == 0) {
        return "must not be empty";
    }

    for (i = 0; i < len; i++) {
        if (key[i] < 0x20 || key[i] > 0x7e) {
            return stockcert_key_printable;
        }
    }

    return len > STOCKCERT_KEY_MAX ? stockcert_key_long : NULL;
}


const char *
stockcert_key_parse(const char *text, size_t len, char *key, uint8_t *key_len)
{
    char         c;
    size_t       n;
    unsigned     quoted;
    const char  *p, *end;

    p = text;
    end = text + len;
    quoted = (len && *p == '"');

    if (quoted) {

        /* the quote at the end; the code below refuses an escaped one */

        if (len == 1 || end[-1] != '"') {
            return stockcert_key_string;
        }

        p++;
        end--;
    }

    for (n = 0; p < end; n++) {
        c = *p++;

        if (c < 0x20 || c > 0x7e) {
            return stockcert_key_printable;
        }

        if (quoted && c == '"') {
            return stockcert_key_string;
        }

        if (quoted && c == '\\') {

            if (p == end || (*p != '"' && *p != '\\')) {
                return stockcert_key_string;
            }

            c = *p++;
        }

        if (n == STOCKCERT_KEY_MAX) {
            return stockcert_key_long;
        }

        key[n] = c;
    }

    if (n == 0) {
        return "must not be empty";
    }

    *key_len = (uint8_t) n;

    return NULL;
}
