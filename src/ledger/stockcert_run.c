
/*
 * Runs of idempotency keys: items in ascending order, and the filter that a run
 * of a part has before them (docs/ARCHITECTURE.md, "Idempotency keys").
 *
 * It touches memory only.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_store.h"


#define STOCKCERT_FILTER_BLOCK  64   /* bytes: a cache line */
#define STOCKCERT_FILTER_ITEMS  48   /* that share one, on average */
#define STOCKCERT_FILTER_BITS   5    /* of an item, set in it */

_Static_assert(STOCKCERT_FILTER_BLOCK * 8 == 1 << 9,
               "9 bits of the hash are the number of a bit in a block");


static inline uint64_t stockcert_run_word(const uint8_t *p);
static uint64_t stockcert_run_spread(const uint8_t *hash, int part);
static size_t stockcert_filter_block(size_t n, const uint8_t *hash);
static int stockcert_run_cmp(const void *one, const void *two);


void
stockcert_run_sort(uint8_t *items, size_t n)
{
    qsort(items, n, STOCKCERT_KEYS_ITEM, stockcert_run_cmp);
}


/*
 * Hashes are spread evenly, so the item is close to where an exactly even
 * spread would put it.
 */

size_t
stockcert_run_first(const uint8_t *items, size_t n, const uint8_t *hash,
    int part)
{
    size_t    low, high, i, step;
    uint64_t  word;

    word = stockcert_run_word(hash);
    low = 0;
    high = n;
    i = ((stockcert_run_spread(hash, part) >> 32) * n) >> 32;
    step = 1;

    /* all items before "low" are below the hash, and none from "high" on is */

    while (low < high) {

        if (stockcert_run_word(items + i * STOCKCERT_KEYS_ITEM) < word) {
            low = i + 1;
            i = low + step;

        } else {
            high = i;
            i = high > step ? high - step : 0;
        }

        if (i < low || i >= high) {
            i = low + (high - low) / 2;

        } else {
            step *= 2;
        }
    }

    return low;
}


int
stockcert_run_merge(uint8_t **items, size_t *n, const uint8_t *other,
    size_t nother)
{
    uint8_t        *new, *to, *end;
    const uint8_t  *from;

    new = realloc(*items, (*n + nother) * STOCKCERT_KEYS_ITEM);
    if (new == NULL) {
        return ENOMEM;
    }

    /* from the end, where there is room */

    end = new + *n * STOCKCERT_KEYS_ITEM;
    from = other + nother * STOCKCERT_KEYS_ITEM;

    for (to = end + nother * STOCKCERT_KEYS_ITEM; to != end; /* void */ ) {
        to -= STOCKCERT_KEYS_ITEM;

        if (end != new
            && stockcert_run_cmp(end - STOCKCERT_KEYS_ITEM,
                                 from - STOCKCERT_KEYS_ITEM) > 0)
        {
            end -= STOCKCERT_KEYS_ITEM;
            memcpy(to, end, STOCKCERT_KEYS_ITEM);

        } else {
            from -= STOCKCERT_KEYS_ITEM;
            memcpy(to, from, STOCKCERT_KEYS_ITEM);
        }
    }

    *items = new;
    *n += nother;

    return 0;
}


size_t
stockcert_filter_len(size_t n)
{
    return (n + STOCKCERT_FILTER_ITEMS - 1) / STOCKCERT_FILTER_ITEMS
           * STOCKCERT_FILTER_BLOCK;
}


size_t
stockcert_filter_items(size_t len)
{
    size_t  n, blocks, whole;

    whole = STOCKCERT_FILTER_BLOCK
            + STOCKCERT_FILTER_ITEMS * STOCKCERT_KEYS_ITEM;
    blocks = (len + whole - 1) / whole;

    if (len < blocks * STOCKCERT_FILTER_BLOCK) {
        return 0;
    }

    n = (len - blocks * STOCKCERT_FILTER_BLOCK) / STOCKCERT_KEYS_ITEM;

    return stockcert_filter_len(n) + n * STOCKCERT_KEYS_ITEM == len ? n : 0;
}


/* items are in order, so each block is filled before the next one */

void
stockcert_filter_make(uint8_t *filter, const uint8_t *items, size_t n)
{
    size_t    i, k;
    uint8_t  *block;
    uint64_t  bits;

    memset(filter, 0, stockcert_filter_len(n));

    for (i = 0; i < n; i++, items += STOCKCERT_KEYS_ITEM) {
        block = filter + stockcert_filter_block(n, items);
        bits = stockcert_run_word(items);

        for (k = 0; k < STOCKCERT_FILTER_BITS; k++, bits >>= 9) {
            block[(bits & 511) / 8] |= (uint8_t) (1 << (bits & 7));
        }
    }
}


const uint8_t *
stockcert_filter_find(const uint8_t *filter, size_t n, const uint8_t *hash)
{
    return filter + stockcert_filter_block(n, hash);
}


/* no bit is looked at first: processors guess badly which one is not there */

int
stockcert_filter_has(const uint8_t *block, const uint8_t *hash)
{
    size_t    k;
    unsigned  has;
    uint64_t  bits;

    bits = stockcert_run_word(hash);
    has = 1;

    for (k = 0; k < STOCKCERT_FILTER_BITS; k++, bits >>= 9) {
        has &= (unsigned) block[(bits & 511) / 8] >> (bits & 7);
    }

    return has & 1;
}


/* the first bits of all hashes of a part are the same */

static uint64_t
stockcert_run_spread(const uint8_t *hash, int part)
{
    return stockcert_run_word(hash) << (part ? STOCKCERT_PART_BITS : 0);
}


static size_t
stockcert_filter_block(size_t n, const uint8_t *hash)
{
    size_t  blocks;

    blocks = stockcert_filter_len(n) / STOCKCERT_FILTER_BLOCK;

    return (((stockcert_run_spread(hash, 1) >> 32) * blocks) >> 32)
           * STOCKCERT_FILTER_BLOCK;
}


static int
stockcert_run_cmp(const void *one, const void *two)
{
    uint64_t  first, second;

    first = stockcert_run_word(one);
    second = stockcert_run_word(two);

    if (first == second) {
        return memcmp(one, two, STOCKCERT_KEYS_ITEM);
    }

    return first < second ? -1 : 1;
}


/* stockcert_get64() in place: hashes are compared often */

static inline uint64_t
stockcert_run_word(const uint8_t *p)
{
    return (uint64_t) p[0] << 56 | (uint64_t) p[1] << 48
           | (uint64_t) p[2] << 40 | (uint64_t) p[3] << 32
           | (uint64_t) p[4] << 24 | (uint64_t) p[5] << 16
           | (uint64_t) p[6] << 8 | (uint64_t) p[7];
}
