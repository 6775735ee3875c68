
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_verify_int.h"


#define STOCKCERT_VERIFY_ITEM  16      /* bytes: of a hash 8, a position */


static int stockcert_verify_run(stockcert_verify_t *v,
    stockcert_verify_run_t *run, uint64_t *after, uint64_t *items);
static int stockcert_verify_item(stockcert_verify_t *v, const uint8_t *item);
static int stockcert_verify_merge(stockcert_verify_t *v);
static int stockcert_verify_same(stockcert_verify_t *v, const uint8_t *one,
    const uint8_t *two);


int
stockcert_verify_visit_request(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree)
{
    stockcert_verify_t      *v;
    stockcert_verify_run_t  *runs;

    v = data;

    if (subtree || key->len != 8 || value->len == 0
        || value->len % STOCKCERT_VERIFY_ITEM)
    {
        return stockcert_verify_fault(v, "request: expected a run of items of "
                                      "16 bytes, found %zu bytes", value->len);
    }

    if ((v->nruns & (v->nruns + 1)) == 0) {

        /* 1, 3, 7, ...: room for as many again, and one */

        runs = realloc(v->runs, (2 * v->nruns + 1)
                                * sizeof(stockcert_verify_run_t));
        if (runs == NULL) {
            return stockcert_verify_fault(v, "realloc() failed");
        }

        v->runs = runs;
    }

    runs = &v->runs[v->nruns++];

    runs->oldest = stockcert_verify_64(key->data);
    runs->item = value->data;
    runs->end = value->data + value->len;

    return 0;
}


/*
 * "request" has one item for each certificate with a key, in runs that are in
 * order and each of a later part of the journal (stockcert_request.c).  As the
 * items are all different, are right and as many, none is missing.
 */

int
stockcert_verify_requests(stockcert_verify_t *v)
{
    size_t    i;
    uint64_t  after, items;

    after = 0;
    items = 0;

    for (i = 0; i < v->nruns; i++) {
        if (stockcert_verify_run(v, &v->runs[i], &after, &items) != 0) {
            return -1;
        }
    }

    if (items != v->keys) {
        return stockcert_verify_fault(v, "request: expected %" PRIu64 " items, "
                                      "found %" PRIu64, v->keys, items);
    }

    return stockcert_verify_merge(v);
}


static int
stockcert_verify_run(stockcert_verify_t *v, stockcert_verify_run_t *run,
    uint64_t *after, uint64_t *items)
{
    uint64_t        least, most, position;
    const uint8_t  *item;

    least = UINT64_MAX;
    most = 0;

    for (item = run->item; item < run->end; item += STOCKCERT_VERIFY_ITEM) {
        position = stockcert_verify_64(item + 8);

        if (item > run->item
            && memcmp(item - STOCKCERT_VERIFY_ITEM, item, STOCKCERT_VERIFY_ITEM)
               >= 0)
        {
            return stockcert_verify_fault(v, "request, run %" PRIu64 ": "
                                          "expected items in order, found entry"
                                          " %" PRIu64 " after a greater one",
                                          run->oldest, position);
        }

        if (stockcert_verify_item(v, item) != 0) {
            return -1;
        }

        least = position < least ? position : least;
        most = position > most ? position : most;
        ++*items;
    }

    if (least != run->oldest || least <= *after) {
        return stockcert_verify_fault(v, "request, run %" PRIu64 ": expected "
                                      "entries after %" PRIu64 " and that one "
                                      "first, found %" PRIu64, run->oldest,
                                      *after, least);
    }

    *after = most;

    return 0;
}


static int
stockcert_verify_item(stockcert_verify_t *v, const uint8_t *item)
{
    uint8_t                   hash[STOCKCERT_SEAL_LEN];
    uint64_t                  position;
    stockcert_verify_entry_t  entry;

    position = stockcert_verify_64(item + 8);

    if (stockcert_verify_entry(v, position, &entry) != 0
        || stockcert_verify_hash(v, &entry.key, NULL, hash) != 0)
    {
        return -1;
    }

    if (entry.key.len == 0 || memcmp(item, hash, 8) != 0) {
        return stockcert_verify_fault(v, "request: expected the hash of the key"
                                      " of entry %" PRIu64 ", found another",
                                      position);
    }

    return 0;
}


/* all items in the order of their hashes: only equal ones can have one key */

static int
stockcert_verify_merge(stockcert_verify_t *v)
{
    size_t                   i;
    const uint8_t           *before;
    stockcert_verify_run_t  *run, *next;

    before = NULL;

    for ( ;; ) {
        next = NULL;

        for (i = 0; i < v->nruns; i++) {
            run = &v->runs[i];

            if (run->item < run->end
                && (next == NULL || memcmp(run->item, next->item,
                                           STOCKCERT_VERIFY_ITEM)
                                    < 0))
            {
                next = run;
            }
        }

        if (next == NULL) {
            return 0;
        }

        if (before && memcmp(before, next->item, 8) == 0
            && stockcert_verify_same(v, before, next->item) != 0)
        {
            return -1;
        }

        before = next->item;
        next->item += STOCKCERT_VERIFY_ITEM;
    }
}


static int
stockcert_verify_same(stockcert_verify_t *v, const uint8_t *one,
    const uint8_t *two)
{
    uint64_t                  a, b;
    stockcert_verify_entry_t  first, second;

    a = stockcert_verify_64(one + 8);
    b = stockcert_verify_64(two + 8);

    if (stockcert_verify_entry(v, a, &first) != 0
        || stockcert_verify_entry(v, b, &second) != 0)
    {
        return -1;
    }

    if (first.key.len == second.key.len
        && memcmp(first.key.data, second.key.data, first.key.len) == 0)
    {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a key of "
                                      "its own, found that of entry %" PRIu64,
                                      b, a);
    }

    return 0;
}
