
/*
 * Strings with a length.
 */


#ifndef STOCKCERT_STR_H
#define STOCKCERT_STR_H


#include <stddef.h>
#include <string.h>


/* bytes of somebody else's, not terminated */

typedef struct {
    size_t             len;
    const char        *data;
} stockcert_str_t;


static inline int
stockcert_str_same(const stockcert_str_t *one, const stockcert_str_t *two)
{
    return one->len == two->len
           && (one->len == 0 || memcmp(one->data, two->data, one->len) == 0);
}


#endif /* STOCKCERT_STR_H */
