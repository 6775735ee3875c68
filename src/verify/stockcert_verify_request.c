
/*
 * Checks that the database "request" has one item for each posted entry with a
 * key, and no other, and that no key is there twice.
 *
 * It touches the map, and some memory for each run of keys.
 */


#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_verify_int.h"


static int stockcert_verify_item(stockcert_verify_t *v,
    const stockcert_str_t *key, uint64_t position, uint8_t *item);
static int stockcert_verify_has(const stockcert_verify_t *v,
    const uint8_t *item);
static int stockcert_verify_in_run(const stockcert_verify_run_t *run,
    const uint8_t *item);
static int stockcert_verify_add_late(stockcert_verify_t *v);
static int stockcert_verify_merge(stockcert_verify_t *v,
    stockcert_verify_run_t **heap);
static int stockcert_verify_merge_part(stockcert_verify_t *v,
    stockcert_verify_run_t **heap, size_t n, size_t part);
static void stockcert_verify_sift(stockcert_verify_run_t **heap, size_t n,
    size_t i);
static int stockcert_verify_cmp(const void *one, const void *two);
static int stockcert_verify_same(stockcert_verify_t *v, const uint8_t *one,
    const uint8_t *two);


int
stockcert_verify_request(stockcert_verify_t *v, const stockcert_str_t *key)
{
    uint8_t  item[STOCKCERT_SEAL_LEN];

    if (stockcert_verify_item(v, key, v->position, item) != 0) {
        return -1;
    }

    if (v->position > v->posted) {
        memcpy(v->late[v->nlate++], item, STOCKCERT_VERIFY_ITEM);

    } else {
        stockcert_verify_gather(v, &v->keys, item);
    }

    return 0;
}


static int
stockcert_verify_item(stockcert_verify_t *v, const stockcert_str_t *key,
    uint64_t position, uint8_t *item)
{
    stockcert_bytes_t  bytes;

    bytes.len = key->len;
    bytes.data = (const uint8_t *) key->data;

    if (stockcert_verify_hash(v, &bytes, NULL, item) != 0) {
        return -1;
    }

    /* the position replaces the end of the hash */

    stockcert_put64(item + 8, position);

    return 0;
}


/* if the sets differ, the first entry whose item is not there is looked for */

int
stockcert_verify_posted_keys(stockcert_verify_t *v)
{
    uint8_t            item[STOCKCERT_SEAL_LEN];
    uint64_t           position;
    stockcert_entry_t  entry;

    if (v->items.n == v->keys.n && v->items.product == v->keys.product) {
        return 0;
    }

    for (position = 1; position <= v->posted; position++) {

        if (stockcert_verify_entry(v, position, &entry, NULL) != 0) {
            return -1;
        }

        if (entry.key.len == 0) {
            continue;
        }

        if (stockcert_verify_item(v, &entry.key, position, item) != 0) {
            return -1;
        }

        if (!stockcert_verify_has(v, item)) {
            return stockcert_verify_fault(v, "request: expected the hash of the"
                                          " key of entry %" PRIu64 ", found "
                                          "none", position);
        }
    }

    return stockcert_verify_fault(v, "request: expected %" PRIu64 " items, "
                                  "found %" PRIu64, v->keys.n, v->items.n);
}


static int
stockcert_verify_has(const stockcert_verify_t *v, const uint8_t *item)
{
    size_t  i, part;

    part = stockcert_verify_part(item);

    for (i = 0; i < v->nruns && v->runs[i].part <= part + 1; i++) {

        if ((v->runs[i].part == 0 || v->runs[i].part == part + 1)
            && stockcert_verify_in_run(&v->runs[i], item))
        {
            return 1;
        }
    }

    return 0;
}


static int
stockcert_verify_in_run(const stockcert_verify_run_t *run, const uint8_t *item)
{
    int     rc;
    size_t  low, high, i;

    low = 0;
    high = (size_t) (run->end - run->item) / STOCKCERT_VERIFY_ITEM;

    while (low < high) {
        i = (low + high) / 2;
        rc = memcmp(run->item + i * STOCKCERT_VERIFY_ITEM, item,
                    STOCKCERT_VERIFY_ITEM);

        if (rc == 0) {
            return 1;
        }

        if (rc < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return 0;
}


/*
 * Goes through all items in the order of their hashes, part by part: only items
 * with equal hashes can have the same key.  The keys of unposted entries make
 * one more run.
 */

int
stockcert_verify_requests(stockcert_verify_t *v)
{
    int                       rc;
    stockcert_verify_run_t  **heap;

    if (stockcert_verify_add_late(v) != 0) {
        return -1;
    }

    heap = malloc((v->nruns + 1) * sizeof(stockcert_verify_run_t *));
    if (heap == NULL) {
        v->mdb->failed = 1;
        return stockcert_verify_fault(v, "malloc() failed");
    }

    rc = stockcert_verify_merge(v, heap);

    free(heap);

    return rc;
}


/* before the runs of parts */

static int
stockcert_verify_add_late(stockcert_verify_t *v)
{
    stockcert_verify_run_t  run, *runs;

    if (v->nlate == 0) {
        return 0;
    }

    qsort(v->late, v->nlate, STOCKCERT_VERIFY_ITEM, stockcert_verify_cmp);

    memset(&run, 0, sizeof(stockcert_verify_run_t));

    run.oldest = v->posted + 1;
    run.item = v->late[0];
    run.end = run.item + v->nlate * STOCKCERT_VERIFY_ITEM;

    if (stockcert_verify_add_run(v, &run) != 0) {
        return -1;
    }

    runs = v->runs + v->nwhole;

    memmove(runs + 1, runs, (v->nruns - 1 - v->nwhole++)
                            * sizeof(stockcert_verify_run_t));
    *runs = run;

    return 0;
}


static int
stockcert_verify_cmp(const void *one, const void *two)
{
    return memcmp(one, two, STOCKCERT_VERIFY_ITEM);
}


static int
stockcert_verify_merge(stockcert_verify_t *v, stockcert_verify_run_t **heap)
{
    size_t                   i, n, next, part;
    stockcert_verify_run_t  *run;

    next = v->nwhole;

    for (part = 0; part < STOCKCERT_VERIFY_PARTS; part++) {
        n = 0;

        for (i = 0; i < v->nwhole; i++) {
            run = &v->runs[i];

            if (run->item < run->end
                && stockcert_verify_part(run->item) == part)
            {
                heap[n++] = run;
            }
        }

        while (next < v->nruns && v->runs[next].part == part + 1) {
            heap[n++] = &v->runs[next++];
        }

        if (stockcert_verify_merge_part(v, heap, n, part) != 0) {
            return -1;
        }
    }

    return 0;
}


/* n runs are a heap, whose first run has the least item of all */

static int
stockcert_verify_merge_part(stockcert_verify_t *v,
    stockcert_verify_run_t **heap, size_t n, size_t part)
{
    size_t                   i;
    const uint8_t           *before;
    stockcert_verify_run_t  *first;

    for (i = n / 2; i > 0; i--) {
        stockcert_verify_sift(heap, n, i - 1);
    }

    before = NULL;

    while (n) {
        first = heap[0];

        if (before && memcmp(before, first->item, 8) == 0
            && stockcert_verify_same(v, before, first->item) != 0)
        {
            return -1;
        }

        before = first->item;
        stockcert_mdb_read(v->mdb, STOCKCERT_VERIFY_ITEM);
        first->item += STOCKCERT_VERIFY_ITEM;

        if (first->item == first->end
            || stockcert_verify_part(first->item) != part)
        {
            heap[0] = heap[--n];
        }

        stockcert_verify_sift(heap, n, 0);
    }

    return 0;
}


/*
 * moves a run down until the runs below, 2i + 1 and 2i + 2, have no lesser
 * item
 */

static void
stockcert_verify_sift(stockcert_verify_run_t **heap, size_t n, size_t i)
{
    size_t                   next;
    stockcert_verify_run_t  *run;

    for (next = 2 * i + 1; next < n; next = 2 * i + 1) {

        if (next + 1 < n
            && memcmp(heap[next + 1]->item, heap[next]->item,
                      STOCKCERT_VERIFY_ITEM)
               < 0)
        {
            next++;
        }

        if (memcmp(heap[i]->item, heap[next]->item, STOCKCERT_VERIFY_ITEM) <= 0)
        {
            return;
        }

        run = heap[i];
        heap[i] = heap[next];
        heap[next] = run;
        i = next;
    }
}


static int
stockcert_verify_same(stockcert_verify_t *v, const uint8_t *one,
    const uint8_t *two)
{
    uint64_t           a, b;
    stockcert_entry_t  first, second;

    a = stockcert_get64(one + 8);
    b = stockcert_get64(two + 8);

    if (stockcert_verify_entry(v, a, &first, NULL) != 0
        || stockcert_verify_entry(v, b, &second, NULL) != 0)
    {
        return -1;
    }

    if (stockcert_str_same(&first.key, &second.key)) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a key of "
                                      "its own, found that of entry %" PRIu64,
                                      b, a);
    }

    return 0;
}
