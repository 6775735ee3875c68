
/*
 * The bytes of a batch, and where a journal ends.
 *
 * It touches nothing but what it is given.
 */


#include <string.h>

#include "stockcert_replica.h"


int
stockcert_batch_next(const stockcert_batch_t *batch, size_t *offset,
    const uint8_t **p, size_t *len)
{
    size_t          left;
    const uint8_t  *data;

    data = batch->data + *offset;
    left = batch->len - *offset;

    if (left == 0) {
        return 0;
    }

    if (left < 2) {
        return -1;
    }

    *len = (size_t) data[0] << 8 | data[1];

    if (*len == 0 || *len > STOCKCERT_ENTRY_MAX || *len > left - 2) {
        return -1;
    }

    *p = data + 2;
    *offset += 2 + *len;

    return 1;
}


uint8_t *
stockcert_batch_put(uint8_t *p, const void *entry, size_t len)
{
    *p++ = (uint8_t) (len >> 8);
    *p++ = (uint8_t) len;

    memcpy(p, entry, len);

    return p + len;
}


int
stockcert_head_same(const stockcert_head_t *one, const stockcert_head_t *two)
{
    return one->revision == two->revision && one->epoch == two->epoch
           && stockcert_tail_same(&one->tail, &two->tail);
}


int
stockcert_tail_same(const stockcert_tail_t *one, const stockcert_tail_t *two)
{
    return one->position == two->position
           && memcmp(one->seal, two->seal, STOCKCERT_SEAL_LEN) == 0;
}
