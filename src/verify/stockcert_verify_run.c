
/*
 * Checks the runs of the database "request" by themselves: items in order, of
 * their part, and the filter that follows from them.  Gathers items to sets,
 * which can be compared.
 *
 * It touches the map, and some memory for each run.
 */


#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "stockcert_verify_int.h"


#define STOCKCERT_VERIFY_BLOCK  64   /* bytes of a filter, for 48 items */
#define STOCKCERT_VERIFY_SHARE  48

/* products are counted modulo this prime */

#define STOCKCERT_VERIFY_PRIME  ((UINT64_C(1) << 61) - 1)


static int stockcert_verify_draw(stockcert_verify_t *v);
static int stockcert_verify_run(stockcert_verify_t *v,
    const stockcert_verify_run_t *run, uint64_t after, uint64_t *last);
static int stockcert_verify_filter(stockcert_verify_t *v,
    const stockcert_verify_run_t *run);
static uint64_t stockcert_verify_blocks(uint64_t n);
static uint64_t stockcert_verify_times(uint64_t one, uint64_t two);


int
stockcert_verify_visit_request(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree)
{
    size_t                   len;
    uint64_t                 blocks;
    stockcert_verify_t      *v;
    stockcert_verify_run_t   run;

    v = data;
    memset(&run, 0, sizeof(stockcert_verify_run_t));

    run.item = value->data;
    run.end = value->data + value->len;

    if (!subtree && key->len == 8) {
        run.oldest = stockcert_get64(key->data);

    } else if (!subtree && key->len == 10 && (key->data[0] & 0xfc) == 0x80) {
        run.part = 1 + ((key->data[0] & 3) << 8 | key->data[1]);
        run.oldest = stockcert_get64(key->data + 2);

        /* of n items, and a block for each 48 of them */

        len = STOCKCERT_VERIFY_BLOCK
              + STOCKCERT_VERIFY_SHARE * STOCKCERT_VERIFY_ITEM;
        blocks = (value->len + len - 1) / len;
        len = blocks * STOCKCERT_VERIFY_BLOCK;

        run.filter = value->data;
        run.item += len < value->len ? len : value->len;

    } else {
        return stockcert_verify_fault(v, "request: expected a run, found a "
                                      "record of another kind");
    }

    len = (size_t) (run.end - run.item);

    if (len == 0 || len % STOCKCERT_VERIFY_ITEM
        || (run.filter
            && stockcert_verify_blocks(len / STOCKCERT_VERIFY_ITEM)
               != (uint64_t) (run.item - run.filter) / STOCKCERT_VERIFY_BLOCK))
    {
        return stockcert_verify_fault(v, "request: expected a run of items of "
                                      "16 bytes, found %zu bytes", value->len);
    }

    v->nwhole += (run.part == 0);

    return stockcert_verify_add_run(v, &run);
}


int
stockcert_verify_add_run(stockcert_verify_t *v,
    const stockcert_verify_run_t *run)
{
    stockcert_verify_run_t  *runs;

    if ((v->nruns & (v->nruns + 1)) == 0) {

        /* 1, 3, 7, ...: each time room for as many again, and one */

        runs = realloc(v->runs, (2 * v->nruns + 1)
                                * sizeof(stockcert_verify_run_t));
        if (runs == NULL) {
            v->mdb->failed = 1;
            return stockcert_verify_fault(v, "realloc() failed");
        }

        v->runs = runs;
    }

    v->runs[v->nruns++] = *run;

    return 0;
}


/* the runs of a part are in order, and so are those of none */

int
stockcert_verify_runs(stockcert_verify_t *v)
{
    size_t                         i;
    uint64_t                       last;
    const stockcert_verify_run_t  *run;

    if (stockcert_verify_draw(v) != 0) {
        return -1;
    }

    last = 0;

    for (i = 0; i < v->nruns; i++) {
        run = &v->runs[i];

        if (i && run->part != v->runs[i - 1].part) {
            last = 0;
        }

        if (stockcert_verify_run(v, run, last, &last) != 0
            || (run->filter && stockcert_verify_filter(v, run) != 0))
        {
            return -1;
        }
    }

    return 0;
}


static int
stockcert_verify_draw(stockcert_verify_t *v)
{
    size_t   i;
    uint8_t  bytes[8];

    v->items.product = 1;
    v->keys.product = 1;

    for (i = 0; i < 5; i++) {
        if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
            v->mdb->failed = 1;
            return stockcert_verify_fault(v, "libcrypto has no random bytes");
        }

        v->drawn[i] = stockcert_get64(bytes) % STOCKCERT_VERIFY_PRIME;
    }

    return 0;
}


static int
stockcert_verify_run(stockcert_verify_t *v, const stockcert_verify_run_t *run,
    uint64_t after, uint64_t *last)
{
    uint64_t        least, most, position;
    const uint8_t  *item;

    least = UINT64_MAX;
    most = 0;

    for (item = run->item; item < run->end; item += STOCKCERT_VERIFY_ITEM) {
        position = stockcert_get64(item + 8);

        if (item > run->item
            && memcmp(item - STOCKCERT_VERIFY_ITEM, item, STOCKCERT_VERIFY_ITEM)
               >= 0)
        {
            return stockcert_verify_fault(v, "request, run %" PRIu64 ": "
                                          "expected items in order, found entry"
                                          " %" PRIu64 " after a greater one",
                                          run->oldest, position);
        }

        if (run->part && stockcert_verify_part(item) + 1 != run->part) {
            return stockcert_verify_fault(v, "request, run %" PRIu64 ": "
                                          "expected items of part %zu, found "
                                          "entry %" PRIu64, run->oldest,
                                          run->part - 1, position);
        }

        stockcert_mdb_read(v->mdb, STOCKCERT_VERIFY_ITEM);

        least = position < least ? position : least;
        most = position > most ? position : most;
        stockcert_verify_gather(v, &v->items, item);
    }

    if (least != run->oldest || least <= after) {
        return stockcert_verify_fault(v, "request, run %" PRIu64 ": expected "
                                      "entries after %" PRIu64 " and that one "
                                      "first, found %" PRIu64, run->oldest,
                                      after, least);
    }

    *last = most;

    return 0;
}


/*
 * Items of a block are side by side.  The bits of the hash behind those of the
 * part say which block it is, and its last 45 which 5 bits are set there.
 */

static int
stockcert_verify_filter(stockcert_verify_t *v,
    const stockcert_verify_run_t *run)
{
    int             i;
    uint8_t         bits[STOCKCERT_VERIFY_BLOCK];
    uint64_t        hash, block, blocks;
    const uint8_t  *item;

    item = run->item;
    blocks = (uint64_t) (run->item - run->filter) / STOCKCERT_VERIFY_BLOCK;

    for (block = 0; block < blocks; block++) {
        memset(bits, 0, sizeof(bits));

        for ( /* void */ ; item < run->end; item += STOCKCERT_VERIFY_ITEM) {
            hash = stockcert_get64(item);

            if (((hash >> 22 & 0xffffffff) * blocks) >> 32 != block) {
                break;
            }

            for (i = 0; i < 5; i++) {
                bits[(hash >> 9 * i & 0x1ff) >> 3]
                    |= (uint8_t) (1 << (hash >> 9 * i & 7));
            }
        }

        stockcert_mdb_read(v->mdb, sizeof(bits));

        if (memcmp(bits, run->filter + block * sizeof(bits), sizeof(bits))
            != 0)
        {
            return stockcert_verify_fault(v, "request, run %" PRIu64 " of part "
                                          "%zu: expected the filter of its "
                                          "items, found another", run->oldest,
                                          run->part - 1);
        }
    }

    return 0;
}


size_t
stockcert_verify_part(const uint8_t *hash)
{
    return (size_t) (stockcert_get64(hash) >> 54);
}


static uint64_t
stockcert_verify_blocks(uint64_t n)
{
    return (n + STOCKCERT_VERIFY_SHARE - 1) / STOCKCERT_VERIFY_SHARE;
}


/*
 * The hashes of keys come in no order.  To look for each entry's item as it is
 * replayed would read all over the database.  So items are compared as two
 * sets: of what is replayed, and of what is there.  An item is a sum of its
 * four words, each times a variable, and of one more variable.  A set is the
 * product of its items.  Equal sets give equal products.  If other sets did,
 * too, two polynomials would have the same value where they are not told of:
 * at a point that is drawn at random.  For sets of n items, this happens once
 * in 2^61 / n times.
 */

void
stockcert_verify_gather(const stockcert_verify_t *v,
    stockcert_verify_set_t *set, const uint8_t *item)
{
    size_t    i;
    uint64_t  sum;

    sum = v->drawn[4];

    for (i = 0; i < 4; i++) {
        sum += stockcert_verify_times(stockcert_get32(item + 4 * i),
                                      v->drawn[i]);
    }

    set->product = stockcert_verify_times(set->product,
                                          sum % STOCKCERT_VERIFY_PRIME);
    set->n++;
}


/* 2^61 is 1 */

static uint64_t
stockcert_verify_times(uint64_t one, uint64_t two)
{
    uint64_t           sum;
    unsigned __int128  product;

    product = (unsigned __int128) one * two;
    sum = (uint64_t) (product & STOCKCERT_VERIFY_PRIME)
          + (uint64_t) (product >> 61);

    return sum < STOCKCERT_VERIFY_PRIME ? sum : sum - STOCKCERT_VERIFY_PRIME;
}
