
/*
 * Checks the database "request": each key is there once, and no other.
 *
 * It touches the map, and some memory for each run of keys.
 */


#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_verify_int.h"


static int stockcert_verify_add_run(stockcert_verify_t *v, uint64_t oldest,
    const uint8_t *items, size_t len);
static int stockcert_verify_run(stockcert_verify_t *v,
    stockcert_verify_run_t *run, uint64_t *after);
static int stockcert_verify_merge(stockcert_verify_t *v);
static void stockcert_verify_sift(stockcert_verify_t *v, size_t i);
static int stockcert_verify_cmp(const void *one, const void *two);
static int stockcert_verify_same(stockcert_verify_t *v, const uint8_t *one,
    const uint8_t *two);


int
stockcert_verify_visit_request(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree)
{
    stockcert_verify_t  *v;

    v = data;

    if (subtree || key->len != 8 || value->len == 0
        || value->len % STOCKCERT_VERIFY_ITEM)
    {
        return stockcert_verify_fault(v, "request: expected a run of items of "
                                      "16 bytes, found %zu bytes", value->len);
    }

    return stockcert_verify_add_run(v, stockcert_get64(key->data),
                                    value->data, value->len);
}


static int
stockcert_verify_add_run(stockcert_verify_t *v, uint64_t oldest,
    const uint8_t *items, size_t len)
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

    runs = &v->runs[v->nruns++];

    runs->oldest = oldest;
    runs->item = items;
    runs->end = items + len;

    return 0;
}


/* checks that the runs are in order, before it looks for anything in them */

int
stockcert_verify_runs(stockcert_verify_t *v)
{
    size_t    i;
    uint64_t  after;

    after = 0;

    for (i = 0; i < v->nruns; i++) {
        if (stockcert_verify_run(v, &v->runs[i], &after) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
stockcert_verify_run(stockcert_verify_t *v, stockcert_verify_run_t *run,
    uint64_t *after)
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

        stockcert_mdb_read(v->mdb, STOCKCERT_VERIFY_ITEM);

        least = position < least ? position : least;
        most = position > most ? position : most;
        v->items++;
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


/*
 * Finds the item of the replayed entry, in the run of its part of the
 * journal.  The other way round, from items to entries, would follow the order
 * of hashes, and read the journal all over the file.
 */

int
stockcert_verify_request(stockcert_verify_t *v, const stockcert_str_t *key)
{
    int                      rc;
    size_t                   low, high, i;
    uint8_t                  item[STOCKCERT_SEAL_LEN];
    const uint8_t           *items;
    stockcert_bytes_t        bytes;
    stockcert_verify_run_t  *run;

    bytes.len = key->len;
    bytes.data = (const uint8_t *) key->data;

    if (stockcert_verify_hash(v, &bytes, NULL, item) != 0) {
        return -1;
    }

    /* the position replaces the end of the hash */

    stockcert_put64(item + 8, v->position);

    if (v->position > v->posted) {
        memcpy(v->late[v->nlate++], item, STOCKCERT_VERIFY_ITEM);
        return 0;
    }

    v->keys++;

    while (v->run + 1 < v->nruns && v->runs[v->run + 1].oldest <= v->position) {
        v->run++;
    }

    low = 0;
    high = 0;
    items = NULL;

    if (v->nruns) {
        run = &v->runs[v->run];
        items = run->item;
        high = (size_t) (run->end - items) / STOCKCERT_VERIFY_ITEM;
    }

    while (low < high) {
        i = (low + high) / 2;
        rc = memcmp(items + i * STOCKCERT_VERIFY_ITEM, item,
                    STOCKCERT_VERIFY_ITEM);

        if (rc == 0) {
            return 0;
        }

        if (rc < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return stockcert_verify_fault(v, "request: expected the hash of the key of "
                                  "entry %" PRIu64 ", found none", v->position);
}


/*
 * "request" has one item for each posted entry with a key.  Its runs are
 * in order, each of a later part of the journal (stockcert_keys.c).  Each
 * entry has found its own item.  There are as many items, and all differ,
 * so there are no others.  The keys of unposted entries make one more run.
 */

int
stockcert_verify_requests(stockcert_verify_t *v)
{
    if (v->nlate) {
        qsort(v->late, v->nlate, STOCKCERT_VERIFY_ITEM, stockcert_verify_cmp);

        if (stockcert_verify_add_run(v, v->posted + 1, v->late[0],
                                     v->nlate * STOCKCERT_VERIFY_ITEM)
            != 0)
        {
            return -1;
        }
    }

    return stockcert_verify_merge(v);
}


static int
stockcert_verify_cmp(const void *one, const void *two)
{
    return memcmp(one, two, STOCKCERT_VERIFY_ITEM);
}


/*
 * Goes through all items in the order of their hashes: only items with equal
 * hashes can have the same key.  The runs are a heap, whose first run has the
 * least item of all.
 */

static int
stockcert_verify_merge(stockcert_verify_t *v)
{
    size_t                   i;
    const uint8_t           *before;
    stockcert_verify_run_t  *first;

    for (i = v->nruns / 2; i > 0; i--) {
        stockcert_verify_sift(v, i - 1);
    }

    before = NULL;
    first = v->runs;

    while (v->nruns) {

        if (before && memcmp(before, first->item, 8) == 0
            && stockcert_verify_same(v, before, first->item) != 0)
        {
            return -1;
        }

        before = first->item;
        stockcert_mdb_read(v->mdb, STOCKCERT_VERIFY_ITEM);
        first->item += STOCKCERT_VERIFY_ITEM;

        if (first->item == first->end) {
            *first = v->runs[--v->nruns];
        }

        stockcert_verify_sift(v, 0);
    }

    return 0;
}


/*
 * moves a run down until the runs below, 2i + 1 and 2i + 2, have no lesser
 * item
 */

static void
stockcert_verify_sift(stockcert_verify_t *v, size_t i)
{
    size_t                   next;
    stockcert_verify_run_t  *runs, run;

    runs = v->runs;

    for (next = 2 * i + 1; next < v->nruns; next = 2 * i + 1) {

        if (next + 1 < v->nruns
            && memcmp(runs[next + 1].item, runs[next].item,
                      STOCKCERT_VERIFY_ITEM)
               < 0)
        {
            next++;
        }

        if (memcmp(runs[i].item, runs[next].item, STOCKCERT_VERIFY_ITEM) <= 0) {
            return;
        }

        run = runs[i];
        runs[i] = runs[next];
        runs[next] = run;
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
