
/*
 * What the fuzzers share: a property that must hold, told with its place if it
 * does not.
 */


#ifndef STOCKCERT_FUZZ_H
#define STOCKCERT_FUZZ_H


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define must(property)                                                        \
    if (!(property)) {                                                        \
        fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,     \
                #property);                                                   \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);


/* by the table in section 4 of RFC 3629 */

static inline int
read_utf8(const uint8_t **p, const uint8_t *end, uint32_t *c)
{
    size_t  i, n;

    static const struct {
        uint8_t  first[2], second[2];
        size_t   len;
    } table[] = {
        { { 0x00, 0x7f }, { 0x00, 0x00 }, 1 },
        { { 0xc2, 0xdf }, { 0x80, 0xbf }, 2 },
        { { 0xe0, 0xe0 }, { 0xa0, 0xbf }, 3 },
        { { 0xe1, 0xec }, { 0x80, 0xbf }, 3 },
        { { 0xed, 0xed }, { 0x80, 0x9f }, 3 },
        { { 0xee, 0xef }, { 0x80, 0xbf }, 3 },
        { { 0xf0, 0xf0 }, { 0x90, 0xbf }, 4 },
        { { 0xf1, 0xf3 }, { 0x80, 0xbf }, 4 },
        { { 0xf4, 0xf4 }, { 0x80, 0x8f }, 4 }
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (**p >= table[i].first[0] && **p <= table[i].first[1]) {
            break;
        }
    }

    if (i == sizeof(table) / sizeof(table[0])
        || (size_t) (end - *p) < table[i].len)
    {
        return -1;
    }

    *c = **p & (table[i].len == 1 ? 0x7f : 0x7f >> table[i].len);

    for (n = 1; n < table[i].len; n++) {
        if ((*p)[n] < (n == 1 ? table[i].second[0] : 0x80)
            || (*p)[n] > (n == 1 ? table[i].second[1] : 0xbf))
        {
            return -1;
        }

        *c = *c << 6 | ((*p)[n] & 0x3f);
    }

    *p += table[i].len;

    return 0;
}


#endif /* STOCKCERT_FUZZ_H */
