
/*
 * The database "request": finds the certificate of an idempotency key.  It is
 * a log-structured merge tree in a few records (docs/ARCHITECTURE.md,
 * "Idempotency keys"):
 *
 *     run      position of its oldest entry -> its items, in ascending order
 *     item     first 8 bytes of the key's SHA-256, position of the entry
 *
 * It reads and writes in the writer's transaction.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_store.h"


#define STOCKCERT_RUN_MAX  (1024 * 1024)


typedef struct {
    stockcert_str_t     key;
    uint8_t             hash[STOCKCERT_SEAL_LEN];
    stockcert_entry_t  *entry;         /* what was found */
} stockcert_search_t;


static stockcert_rc_e stockcert_keys_hash(stockcert_ledger_t *ledger,
    const stockcert_str_t *key, uint8_t *hash, stockcert_error_t *error);
static stockcert_rc_e stockcert_keys_search(stockcert_ledger_t *ledger,
    MDB_cursor *cursor, const stockcert_search_t *search,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_keys_compare(stockcert_ledger_t *ledger,
    const uint8_t *items, size_t n, const stockcert_search_t *search,
    stockcert_error_t *error);
static size_t stockcert_keys_first(const uint8_t *items, size_t n,
    const uint8_t *hash);
static stockcert_rc_e stockcert_keys_items(stockcert_ledger_t *ledger,
    uint8_t *items, size_t *n, stockcert_error_t *error);
static int stockcert_keys_append(MDB_cursor *cursor, uint8_t *items,
    size_t n);
static int stockcert_keys_merge(uint8_t **items, size_t *n,
    const MDB_val *run);
static int stockcert_keys_readable(const MDB_val *key, const MDB_val *run);
static int stockcert_keys_cmp(const void *one, const void *two);


stockcert_rc_e
stockcert_keys_find(stockcert_ledger_t *ledger, const char *key,
    size_t len, stockcert_entry_t *entry, stockcert_error_t *error)
{
    int                      rc;
    uint64_t                 position;
    MDB_cursor              *cursor;
    stockcert_rc_e           found;
    stockcert_search_t       search;
    stockcert_unposted_t    *unposted;

    for (position = ledger->posted + 1;
         position <= ledger->position;
         position++)
    {
        unposted = &ledger->unposted[position % STOCKCERT_LOT];

        if (stockcert_same(unposted->key, unposted->key_len, key, len)) {
            return stockcert_journal_get(ledger, ledger->writer, position,
                                         entry, error);
        }
    }

    search.key.len = len;
    search.key.data = key;
    search.entry = entry;

    found = stockcert_keys_hash(ledger, &search.key, search.hash, error);
    if (found != STOCKCERT_OK) {
        return found;
    }

    rc = mdb_cursor_open(ledger->writer, ledger->keys, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    found = stockcert_keys_search(ledger, cursor, &search, error);

    mdb_cursor_close(cursor);

    return found;
}


stockcert_rc_e
stockcert_keys_put(stockcert_ledger_t *ledger,
    stockcert_error_t *error)
{
    int              rc;
    size_t           n;
    uint8_t         *items;
    MDB_cursor      *cursor;
    stockcert_rc_e   put;

    if (ledger->posted == ledger->position) {
        return STOCKCERT_OK;
    }

    items = malloc(STOCKCERT_LOT * STOCKCERT_KEYS_ITEM);
    if (items == NULL) {
        return stockcert_ledger_error(error, "malloc()", errno);
    }

    put = stockcert_keys_items(ledger, items, &n, error);

    if (put != STOCKCERT_OK || n == 0) {
        free(items);
        return put;
    }

    rc = mdb_cursor_open(ledger->writer, ledger->keys, &cursor);
    if (rc != 0) {
        free(items);
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    rc = stockcert_keys_append(cursor, items, n);

    mdb_cursor_close(cursor);

    if (rc == MDB_CORRUPTED) {
        return stockcert_ledger_damaged(error, "its requests are not readable");
    }

    return stockcert_ledger_error(error, "mdb_cursor_put()", rc);
}


/* searches the unposted entries, in the order of the journal */

static stockcert_rc_e
stockcert_keys_items(stockcert_ledger_t *ledger, uint8_t *items, size_t *n,
    stockcert_error_t *error)
{
    uint8_t                hash[STOCKCERT_SEAL_LEN];
    uint64_t               position;
    stockcert_rc_e         rc;
    stockcert_str_t        key;
    stockcert_unposted_t  *unposted;

    *n = 0;

    for (position = ledger->posted + 1;
         position <= ledger->position;
         position++)
    {
        unposted = &ledger->unposted[position % STOCKCERT_LOT];

        if (unposted->key_len == 0) {
            continue;
        }

        key.len = unposted->key_len;
        key.data = unposted->key;

        rc = stockcert_keys_hash(ledger, &key, hash, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        memcpy(items, hash, 8);
        stockcert_put64(items + 8, position);

        items += STOCKCERT_KEYS_ITEM;
        (*n)++;
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_keys_hash(stockcert_ledger_t *ledger, const stockcert_str_t *key,
    uint8_t *hash, stockcert_error_t *error)
{
    if (stockcert_seal(ledger->sealer, NULL, (const uint8_t *) key->data,
                       key->len, hash)
        != 0)
    {
        return stockcert_ledger_error(error, "EVP_DigestFinal_ex()", ENOMEM);
    }

    return STOCKCERT_OK;
}


/* newest runs first: most repeats come soon after the first request */

static stockcert_rc_e
stockcert_keys_search(stockcert_ledger_t *ledger, MDB_cursor *cursor,
    const stockcert_search_t *search, stockcert_error_t *error)
{
    int             rc;
    size_t          n, first;
    MDB_val         key, run;
    stockcert_rc_e  found;

    for (rc = mdb_cursor_get(cursor, &key, &run, MDB_LAST);
         rc == 0;
         rc = mdb_cursor_get(cursor, &key, &run, MDB_PREV))
    {
        if (!stockcert_keys_readable(&key, &run)) {
            return stockcert_ledger_damaged(error,
                                            "its requests are not readable");
        }

        n = run.mv_size / STOCKCERT_KEYS_ITEM;
        first = stockcert_keys_first(run.mv_data, n, search->hash);

        found = stockcert_keys_compare(ledger,
                                       (uint8_t *) run.mv_data
                                          + first * STOCKCERT_KEYS_ITEM,
                                       n - first, search, error);
        if (found != STOCKCERT_NOT_FOUND) {
            return found;
        }
    }

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_NOT_FOUND;
    }

    return stockcert_ledger_error(error, "mdb_cursor_get()", rc);
}


/* the items with this hash, from the first of n */

static stockcert_rc_e
stockcert_keys_compare(stockcert_ledger_t *ledger, const uint8_t *items,
    size_t n, const stockcert_search_t *search, stockcert_error_t *error)
{
    stockcert_rc_e      rc;
    stockcert_entry_t  *entry;

    entry = search->entry;

    for ( /* void */ ; n && memcmp(items, search->hash, 8) == 0; n--) {

        rc = stockcert_journal_get(ledger, ledger->writer,
                                   stockcert_get64(items + 8), entry,
                                   error);
        if (rc == STOCKCERT_NOT_FOUND
            || (rc == STOCKCERT_OK && entry->key.len == 0))
        {
            return stockcert_ledger_damaged(error,
                                            "a request is not in the journal");
        }

        if (rc != STOCKCERT_OK) {
            return rc;
        }

        if (stockcert_str_same(&entry->key, &search->key)) {
            return STOCKCERT_OK;
        }

        items += STOCKCERT_KEYS_ITEM;
    }

    return STOCKCERT_NOT_FOUND;
}


/*
 * Finds the first item that is not below the hash.  Hashes are spread evenly,
 * so it is close to where an exactly even spread would put it.
 */

static size_t
stockcert_keys_first(const uint8_t *items, size_t n, const uint8_t *hash)
{
    size_t  low, high, i, step;

    low = 0;
    high = n;
    i = ((stockcert_get64(hash) >> 32) * n) >> 32;
    step = 1;

    /* all items before "low" are below the hash, and none from "high" on is */

    while (low < high) {

        if (memcmp(items + i * STOCKCERT_KEYS_ITEM, hash, 8) < 0) {
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


/*
 * Writes n items, given in the order of the journal, as a run; frees them.
 * Returns 0, or an error.
 */

static int
stockcert_keys_append(MDB_cursor *cursor, uint8_t *items, size_t n)
{
    int       rc;
    size_t    length, merged;
    uint8_t   first[8];
    MDB_val   key, run;

    merged = 0;

    memcpy(first, items + 8, sizeof(first));
    qsort(items, n, STOCKCERT_KEYS_ITEM, stockcert_keys_cmp);

    for (rc = mdb_cursor_get(cursor, &key, &run, MDB_LAST);
         rc == 0;
         rc = mdb_cursor_get(cursor, &key, &run, MDB_PREV))
    {
        if (!stockcert_keys_readable(&key, &run)) {
            rc = MDB_CORRUPTED;
            break;
        }

        length = run.mv_size / STOCKCERT_KEYS_ITEM;

        if (length >= 2 * n || length >= STOCKCERT_RUN_MAX) {
            break;
        }

        rc = stockcert_keys_merge(&items, &n, &run);
        if (rc != 0) {
            break;
        }

        memcpy(first, key.mv_data, sizeof(first));
        merged++;
    }

    if (rc == MDB_NOTFOUND) {
        rc = 0;
    }

    while (rc == 0 && merged--) {
        rc = mdb_cursor_get(cursor, &key, &run, MDB_LAST);
        if (rc == 0) {
            rc = mdb_cursor_del(cursor, 0);
        }
    }

    if (rc == 0) {
        key.mv_size = sizeof(first);
        key.mv_data = first;
        run.mv_size = n * STOCKCERT_KEYS_ITEM;
        run.mv_data = items;

        rc = mdb_cursor_put(cursor, &key, &run, MDB_APPEND);
    }

    free(items);

    return rc;
}


/* returns 0, or ENOMEM */

static int
stockcert_keys_merge(uint8_t **items, size_t *n, const MDB_val *run)
{
    uint8_t        *new, *to, *end;
    const uint8_t  *from;

    new = realloc(*items, *n * STOCKCERT_KEYS_ITEM + run->mv_size);
    if (new == NULL) {
        return ENOMEM;
    }

    /* from the end, where there is room */

    end = new + *n * STOCKCERT_KEYS_ITEM;
    from = (const uint8_t *) run->mv_data + run->mv_size;

    for (to = end + run->mv_size; to != end; /* void */ ) {
        to -= STOCKCERT_KEYS_ITEM;

        if (end != new
            && stockcert_keys_cmp(end - STOCKCERT_KEYS_ITEM,
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
    *n += run->mv_size / STOCKCERT_KEYS_ITEM;

    return 0;
}


static int
stockcert_keys_readable(const MDB_val *key, const MDB_val *run)
{
    return key->mv_size == 8 && run->mv_size != 0
           && run->mv_size % STOCKCERT_KEYS_ITEM == 0;
}


static int
stockcert_keys_cmp(const void *one, const void *two)
{
    return memcmp(one, two, STOCKCERT_KEYS_ITEM);
}
