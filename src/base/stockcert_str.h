
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


/* the order of their bytes: below, above or 0 */

static inline int
stockcert_compare(const void *one, size_t one_len, const void *two,
    size_t two_len)
{
    int     order;
    size_t  len;

    len = one_len < two_len ? one_len : two_len;
    order = len ? memcmp(one, two, len) : 0;

    return order ? order : (one_len > two_len) - (one_len < two_len);
}


static inline int
stockcert_str_compare(const stockcert_str_t *one, const stockcert_str_t *two)
{
    return stockcert_compare(one->data, one->len, two->data, two->len);
}


#endif /* STOCKCERT_STR_H */
