
/*
 * Any bytes as a header's value.  Only RFC 8941, section 3.3.3, and the
 * contract decide what a key is.  An accepted key is the same key again in
 * quotes, and without quotes if it does not begin with one.
 */


#include "stockcert_key.h"
#include "fuzz.h"


static size_t expect(const char *text, size_t len, char *key);
static void check_same(const char *text, size_t len, const char *key,
    size_t key_len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char         key[STOCKCERT_KEY_MAX + 1], quoted[2 * STOCKCERT_KEY_MAX + 2];
    char        *expected, *p;
    size_t       n, i;
    uint8_t      key_len;
    const char  *fault;

    memset(key, 0x15, sizeof(key));

    fault = stockcert_key_parse((const char *) data, len, key, &key_len);

    must(key[STOCKCERT_KEY_MAX] == 0x15);

    expected = malloc(len + 1);
    n = expect((const char *) data, len, expected);

    must((fault == NULL) == (n >= 1 && n <= 255));

    if (fault) {
        must(strncmp(fault, "must ", 5) == 0);
        free(expected);
        return 0;
    }

    must(key_len == n && memcmp(key, expected, n) == 0);
    free(expected);

    p = quoted;
    *p++ = '"';

    for (i = 0; i < n; i++) {
        if (key[i] == '"' || key[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = key[i];
    }

    *p++ = '"';

    check_same(quoted, (size_t) (p - quoted), key, n);

    if (key[0] != '"') {
        check_same(key, n, key, n);
    }

    return 0;
}


/* how long the key is; 0 if there is none */

static size_t
expect(const char *text, size_t len, char *key)
{
    size_t  i, n, quoted;

    quoted = len > 0 && text[0] == '"';

    for (i = quoted, n = 0; i < len; i++) {

        if (quoted && text[i] == '"') {
            return i + 1 == len ? n : 0;
        }

        if (quoted && text[i] == '\\') {
            if (++i == len || (text[i] != '"' && text[i] != '\\')) {
                return 0;
            }
        }

        if (text[i] < ' ' || text[i] > '~') {
            return 0;
        }

        key[n++] = text[i];
    }

    return quoted ? 0 : n;
}


static void
check_same(const char *text, size_t len, const char *key, size_t key_len)
{
    char     again[STOCKCERT_KEY_MAX];
    uint8_t  again_len;

    must(stockcert_key_parse(text, len, again, &again_len) == NULL);
    must(again_len == key_len && memcmp(again, key, key_len) == 0);
}
