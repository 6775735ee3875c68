
/*
 * Strings with a length.
 */


#ifndef STOCKCERT_STR_H
#define STOCKCERT_STR_H


#include <stddef.h>
#include <string.h>


/* bytes that somebody else owns, not terminated */

typedef struct {
    size_t             len;
    const char        *data;
} stockcert_str_t;


static inline int
stockcert_same(const void *one, size_t one_len, const void *two,
    size_t two_len)
{
    return one_len == two_len
           && (one_len == 0 || memcmp(one, two, one_len) == 0);
}


static inline int
stockcert_str_same(const stockcert_str_t *one, const stockcert_str_t *two)
{
    return stockcert_same(one->data, one->len, two->data, two->len);
}


#endif /* STOCKCERT_STR_H */
