
/*
 * Numbers and IDs of certificates, as they are written and read.
 */


#include <string.h>

#include "stockcert_format.h"
#include "tap.h"


typedef struct {
    const char  *text;
    uint64_t     number;               /* UINT64_MAX: it is none */
} case_t;


static const case_t  numbers[] = {

    { "0", 0 },
    { "17", 17 },
    { "0017", 17 },
    { "9007199254740991", STOCKCERT_SHARES_MAX },

    { "9007199254740992", UINT64_MAX },
    { "18446744073709551616", UINT64_MAX },
    { "18446744073709551633", UINT64_MAX },
    { "", UINT64_MAX },
    { "-1", UINT64_MAX },
    { "+1", UINT64_MAX },
    { " 1", UINT64_MAX },
    { "1 ", UINT64_MAX },
    { "1x", UINT64_MAX }
};


static const case_t  ids[] = {

    { "CS-1", 1 },
    { "CS-9007199254740991", STOCKCERT_SHARES_MAX },

    { "CS", UINT64_MAX },
    { "CS-", UINT64_MAX },
    { "CS-0", UINT64_MAX },
    { "CS-01", UINT64_MAX },
    { "CS--1", UINT64_MAX },
    { "CS-1-1", UINT64_MAX },
    { "CS-9007199254740992", UINT64_MAX }
};


int
main(void)
{
    char             text[STOCKCERT_ID_MAX + 1];
    size_t           i;
    uint64_t         n;
    const case_t    *c;
    stockcert_str_t  code;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        c = &numbers[i];

        if (stockcert_parse_number(c->text, strlen(c->text), &n) != 0) {
            n = UINT64_MAX;
        }

        ok(n == c->number, "number \"%s\"", c->text);
    }

    ok(stockcert_parse_number("123", 2, &n) == 0 && n == 12,
       "number: what is behind its length is not read");

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        c = &ids[i];

        if (stockcert_parse_id(c->text, strlen(c->text), &code, &n) != 0) {
            ok(c->number == UINT64_MAX, "ID \"%s\" is none", c->text);
            continue;
        }

        ok(n == c->number, "ID \"%s\": its number", c->text);
        is_mem(code.data, code.len, "CS", 2, "ID \"%s\": its code", c->text);

        snprintf(text, sizeof(text), STOCKCERT_ID, STOCKCERT_ID_OF(code, n));
        is_str(text, c->text, "ID \"%s\": as it is written", c->text);
    }

    code.data = "ABCDEFGH";
    code.len = STOCKCERT_CODE_MAX;

    is_int(snprintf(text, sizeof(text), STOCKCERT_ID,
                    STOCKCERT_ID_OF(code, UINT64_MAX)),
           STOCKCERT_ID_MAX, "ID: the longest");

    return tap_done();
}
