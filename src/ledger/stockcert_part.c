
/*
 * Parts of the database "request": the idempotency keys of which the hash
 * begins with the same bits (docs/ARCHITECTURE.md, "Idempotency keys").
 *
 *     run      0x8000 + part (2 bytes), position of its oldest entry
 *              -> filter, items in ascending order
 *
 * It reads and writes in the writer's transaction.
 */


#include <stdlib.h>
#include <string.h>

#include "stockcert_store.h"


#define STOCKCERT_PART_KEY  10
#define STOCKCERT_PART_SET  16       /* runs that are looked at together */

/* a run is not merged any more when it has 2 to the power of so many items */

#ifndef STOCKCERT_PART_MAX_BITS
#define STOCKCERT_PART_MAX_BITS  17
#endif

/* each part has its turn once while a run of the whole gets its length */

#define STOCKCERT_PART_TURNS  (STOCKCERT_RUN_MAX / STOCKCERT_LOT)

_Static_assert(STOCKCERT_PARTS % STOCKCERT_PART_TURNS == 0,
               "as many parts at each turn");


static int stockcert_part_tidy(MDB_cursor *cursor, size_t part);
static int stockcert_part_count(MDB_cursor *cursor, size_t part,
    uint64_t *all, uint64_t *newest);
static int stockcert_part_merge(MDB_cursor *cursor, size_t part,
    uint64_t newest, uint64_t max);
static int stockcert_part_put(MDB_cursor *cursor, size_t part,
    const uint8_t *items, size_t n);
static int stockcert_part_next(MDB_cursor *cursor, size_t part,
    const uint8_t **value, size_t *n, MDB_cursor_op op);
static size_t stockcert_part_of(const uint8_t *hash);
static void stockcert_part_name(size_t part, uint8_t *name);


int
stockcert_part_before(MDB_cursor *cursor, size_t part, MDB_val *key,
    MDB_val *run)
{
    int      rc;
    uint8_t  first[2];

    stockcert_part_name(part, first);

    key->mv_size = sizeof(first);
    key->mv_data = first;

    rc = mdb_cursor_get(cursor, key, run, MDB_SET_RANGE);

    if (rc == MDB_NOTFOUND) {
        return mdb_cursor_get(cursor, key, run, MDB_LAST);
    }

    return rc == 0 ? mdb_cursor_get(cursor, key, run, MDB_PREV) : rc;
}


/*
 * The place in each run's filter is asked for before any is looked at: memory
 * brings them at the same time.
 */

int
stockcert_part_search(MDB_cursor *cursor, const uint8_t *hash,
    stockcert_part_found_pt found, void *data)
{
    int             rc;
    size_t          i, k, n[STOCKCERT_PART_SET], part, filter;
    MDB_cursor_op   op;
    const uint8_t  *value[STOCKCERT_PART_SET], *block[STOCKCERT_PART_SET];

    part = stockcert_part_of(hash);
    op = MDB_SET_RANGE;

    do {
        rc = 0;

        for (k = 0; k < STOCKCERT_PART_SET; k++) {
            rc = stockcert_part_next(cursor, part, &value[k], &n[k], op);
            if (rc != 0) {
                break;
            }

            op = MDB_PREV;
        }

        if (rc != 0 && rc != MDB_NOTFOUND) {
            return rc;
        }

        for (i = 0; i < k; i++) {
            block[i] = stockcert_filter_find(value[i], n[i], hash);
            __builtin_prefetch(block[i]);
        }

        for (i = 0; i < k; i++) {

            if (stockcert_filter_has(block[i], hash)) {
                filter = stockcert_filter_len(n[i]);

                if (found(data, value[i] + filter, n[i])) {
                    return 0;
                }
            }
        }

    } while (rc == 0);

    return MDB_NOTFOUND;
}


int
stockcert_part_split(MDB_cursor *cursor, const uint8_t *items, size_t n)
{
    int     rc;
    size_t  i, part;

    rc = 0;

    while (n && rc == 0) {
        part = stockcert_part_of(items);

        for (i = 1; i < n; i++) {
            if (stockcert_part_of(items + i * STOCKCERT_KEYS_ITEM) != part) {
                break;
            }
        }

        rc = stockcert_part_put(cursor, part, items, i);

        items += i * STOCKCERT_KEYS_ITEM;
        n -= i;
    }

    return rc;
}


int
stockcert_part_turn(MDB_cursor *cursor, uint64_t position)
{
    int     rc;
    size_t  part, n;

    n = STOCKCERT_PARTS / STOCKCERT_PART_TURNS;
    part = position / STOCKCERT_LOT % STOCKCERT_PART_TURNS * n;
    rc = 0;

    while (n-- && rc == 0) {
        rc = stockcert_part_tidy(cursor, part++);
    }

    return rc;
}


/*
 * A part's items are counted from a number of its own on.  Runs are as the
 * digits of the count: those that are in what the newest run has carried over
 * are merged with it.  The first numbers differ, so that few parts have much to
 * merge in the same lots.
 */

static int
stockcert_part_tidy(MDB_cursor *cursor, size_t part)
{
    int       rc, bit;
    uint64_t  first, before, all, newest;

    rc = stockcert_part_count(cursor, part, &all, &newest);

    if (rc != 0 || all == newest) {
        return rc;
    }

    /* multiples of the golden ratio are spread evenly */

    first = (uint32_t) (part * 0x9e3779b9) >> (32 - STOCKCERT_PART_MAX_BITS);
    before = first + all - newest;

    bit = 63 - __builtin_clzll(before ^ (first + all));

    if (bit > STOCKCERT_PART_MAX_BITS) {
        bit = STOCKCERT_PART_MAX_BITS;
    }

    /* of the items before the newest run, so many are merged with it */

    return stockcert_part_merge(cursor, part, newest,
                                before & (((uint64_t) 1 << bit) - 1));
}


static int
stockcert_part_count(MDB_cursor *cursor, size_t part, uint64_t *all,
    uint64_t *newest)
{
    int             rc;
    size_t          n;
    const uint8_t  *value;
    MDB_cursor_op   op;

    *all = 0;
    *newest = 0;
    op = MDB_SET_RANGE;

    while ((rc = stockcert_part_next(cursor, part, &value, &n, op)) == 0) {
        op = MDB_PREV;
        *all += n;

        if (*newest == 0) {
            *newest = n;
        }
    }

    return rc == MDB_NOTFOUND ? 0 : rc;
}


/* merges the newest run with those that are whole among "max" items before */

static int
stockcert_part_merge(MDB_cursor *cursor, size_t part, uint64_t newest,
    uint64_t max)
{
    int             rc;
    size_t          n, all, merged;
    uint8_t        *items;
    const uint8_t  *value;
    MDB_cursor_op   op;

    all = 0;
    merged = 0;
    op = MDB_SET_RANGE;

    while ((rc = stockcert_part_next(cursor, part, &value, &n, op)) == 0
           && all + n <= newest + max)
    {
        all += n;
        merged++;
        op = MDB_PREV;
    }

    if ((rc != 0 && rc != MDB_NOTFOUND) || merged < 2) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }

    items = NULL;
    all = 0;
    rc = 0;

    while (rc == 0 && merged--) {
        rc = stockcert_part_next(cursor, part, &value, &n, MDB_SET_RANGE);

        if (rc == 0) {
            rc = stockcert_run_merge(&items, &all,
                                     value + stockcert_filter_len(n), n);
        }

        if (rc == 0) {
            rc = mdb_cursor_del(cursor, 0);
        }
    }

    if (rc == 0) {
        rc = stockcert_part_put(cursor, part, items, all);
    }

    free(items);

    return rc;
}


static int
stockcert_part_put(MDB_cursor *cursor, size_t part, const uint8_t *items,
    size_t n)
{
    int       rc;
    size_t    i, filter;
    uint8_t   name[STOCKCERT_PART_KEY];
    uint64_t  position, oldest;
    MDB_val   key, run;

    oldest = UINT64_MAX;

    for (i = 0; i < n; i++) {
        position = stockcert_get64(items + i * STOCKCERT_KEYS_ITEM + 8);
        oldest = position < oldest ? position : oldest;
    }

    stockcert_part_name(part, name);
    stockcert_put64(name + 2, oldest);

    filter = stockcert_filter_len(n);

    key.mv_size = sizeof(name);
    key.mv_data = name;
    run.mv_size = filter + n * STOCKCERT_KEYS_ITEM;

    rc = mdb_cursor_put(cursor, &key, &run, MDB_NOOVERWRITE|MDB_RESERVE);

    if (rc == 0) {
        stockcert_filter_make(run.mv_data, items, n);
        memcpy((uint8_t *) run.mv_data + filter, items,
               n * STOCKCERT_KEYS_ITEM);
    }

    return rc;
}


/*
 * The newest run of a part with MDB_SET_RANGE, then with MDB_PREV the one
 * before, or MDB_NOTFOUND.
 */

static int
stockcert_part_next(MDB_cursor *cursor, size_t part, const uint8_t **value,
    size_t *n, MDB_cursor_op op)
{
    int             rc;
    MDB_val         key, run;
    const uint8_t  *name;

    rc = op == MDB_PREV ? mdb_cursor_get(cursor, &key, &run, MDB_PREV)
                        : stockcert_part_before(cursor, part + 1, &key, &run);
    if (rc != 0) {
        return rc;
    }

    name = key.mv_data;

    if (key.mv_size < 2
        || (size_t) (name[0] << 8 | name[1]) != 0x8000 + part)
    {
        return MDB_NOTFOUND;
    }

    *value = run.mv_data;
    *n = stockcert_filter_items(run.mv_size);

    return key.mv_size == STOCKCERT_PART_KEY && *n ? 0 : MDB_CORRUPTED;
}


static size_t
stockcert_part_of(const uint8_t *hash)
{
    return stockcert_get64(hash) >> (64 - STOCKCERT_PART_BITS);
}


/* the 2 bytes that keys of its runs begin with */

static void
stockcert_part_name(size_t part, uint8_t *name)
{
    name[0] = (uint8_t) ((0x8000 + part) >> 8);
    name[1] = (uint8_t) part;
}
