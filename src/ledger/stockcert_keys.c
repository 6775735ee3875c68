
/*
 * The database "request": finds the certificate of an idempotency key.  It is
 * a log-structured merge tree in a few records (docs/ARCHITECTURE.md,
 * "Idempotency keys"):
 *
 *     run      position of its oldest entry -> its items, in ascending order
 *     item     first 8 bytes of the key's SHA-256, position of the entry
 *
 * Older items are in parts (stockcert_part.c).
 *
 * It reads and writes in the writer's transaction.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_store.h"


typedef struct {
    stockcert_ledger_t  *ledger;
    stockcert_str_t      key;
    uint8_t              hash[STOCKCERT_SEAL_LEN];
    stockcert_entry_t   *entry;        /* what was found */
    stockcert_rc_e       rc;
    stockcert_error_t   *error;
} stockcert_search_t;


static stockcert_rc_e stockcert_keys_hash(stockcert_ledger_t *ledger,
    const stockcert_str_t *key, uint8_t *hash, stockcert_error_t *error);
static int stockcert_keys_search(MDB_cursor *cursor,
    stockcert_search_t *search);
static int stockcert_keys_compare(void *data, const uint8_t *items, size_t n);
static int stockcert_keys_same(stockcert_search_t *search, const uint8_t *items,
    size_t n, int part);
static stockcert_rc_e stockcert_keys_entry(stockcert_search_t *search,
    const uint8_t *item);
static stockcert_rc_e stockcert_keys_items(stockcert_ledger_t *ledger,
    uint8_t *items, size_t *n, stockcert_error_t *error);
static int stockcert_keys_append(MDB_cursor *cursor, uint8_t **items,
    size_t n);
static int stockcert_keys_replace(MDB_cursor *cursor, size_t merged,
    uint8_t *first, const uint8_t *items, size_t n);
static int stockcert_keys_split(MDB_cursor *cursor);
static int stockcert_keys_readable(const MDB_val *key, const MDB_val *run);
static stockcert_rc_e stockcert_keys_error(stockcert_error_t *error, int rc);


stockcert_rc_e
stockcert_keys_find(stockcert_ledger_t *ledger, const char *key,
    size_t len, stockcert_entry_t *entry, stockcert_error_t *error)
{
    int                      rc;
    uint64_t                 position;
    MDB_cursor              *cursor;
    stockcert_rc_e           failed;
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

    search.ledger = ledger;
    search.key.len = len;
    search.key.data = key;
    search.entry = entry;
    search.rc = STOCKCERT_NOT_FOUND;
    search.error = error;

    failed = stockcert_keys_hash(ledger, &search.key, search.hash, error);
    if (failed != STOCKCERT_OK) {
        return failed;
    }

    rc = mdb_cursor_open(ledger->writer, ledger->keys, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    rc = stockcert_keys_search(cursor, &search);

    mdb_cursor_close(cursor);

    return rc == 0 || rc == MDB_NOTFOUND ? search.rc
                                         : stockcert_keys_error(error, rc);
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

    if (put != STOCKCERT_OK) {
        free(items);
        return put;
    }

    rc = mdb_cursor_open(ledger->writer, ledger->keys, &cursor);
    if (rc != 0) {
        free(items);
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    if (n) {
        rc = stockcert_keys_append(cursor, &items, n);
    }

    if (rc == 0 && ledger->position % STOCKCERT_LOT == 0) {
        rc = stockcert_part_turn(cursor, ledger->position);
    }

    mdb_cursor_close(cursor);
    free(items);

    return stockcert_keys_error(error, rc);
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


/*
 * The newest first: most repeats come soon after the first request.  Returns 0
 * if search->rc is the answer.
 */

static int
stockcert_keys_search(MDB_cursor *cursor, stockcert_search_t *search)
{
    int      rc;
    MDB_val  key, run;

    for (rc = stockcert_part_before(cursor, 0, &key, &run);
         rc == 0;
         rc = mdb_cursor_get(cursor, &key, &run, MDB_PREV))
    {
        if (!stockcert_keys_readable(&key, &run)) {
            return MDB_CORRUPTED;
        }

        if (stockcert_keys_same(search, run.mv_data,
                                run.mv_size / STOCKCERT_KEYS_ITEM, 0))
        {
            return 0;
        }
    }

    return rc == MDB_NOTFOUND
           ? stockcert_part_search(cursor, search->hash,
                                   stockcert_keys_compare, search)
           : rc;
}


static int
stockcert_keys_compare(void *data, const uint8_t *items, size_t n)
{
    return stockcert_keys_same(data, items, n, 1);
}


/* looks at the items with this hash; returns 1 if search->rc is the answer */

static int
stockcert_keys_same(stockcert_search_t *search, const uint8_t *items, size_t n,
    int part)
{
    size_t  i;

    for (i = stockcert_run_first(items, n, search->hash, part);
         i < n && memcmp(items + i * STOCKCERT_KEYS_ITEM, search->hash, 8) == 0;
         i++)
    {
        search->rc = stockcert_keys_entry(search,
                                          items + i * STOCKCERT_KEYS_ITEM);

        if (search->rc != STOCKCERT_NOT_FOUND) {
            return 1;
        }
    }

    search->rc = STOCKCERT_NOT_FOUND;

    return 0;
}


/*
 * Reads the entry of an item; STOCKCERT_NOT_FOUND if it has another key, but
 * the same hash.  With another hash, the item's own entry is not found any
 * more, and its key would get a second certificate.
 */

static stockcert_rc_e
stockcert_keys_entry(stockcert_search_t *search, const uint8_t *item)
{
    uint8_t             hash[STOCKCERT_SEAL_LEN];
    stockcert_rc_e      rc;
    stockcert_entry_t  *entry;

    entry = search->entry;

    rc = stockcert_journal_get(search->ledger, search->ledger->writer,
                               stockcert_get64(item + 8), entry,
                               search->error);

    if (rc == STOCKCERT_NOT_FOUND
        || (rc == STOCKCERT_OK && entry->key.len == 0))
    {
        return stockcert_ledger_damaged(search->error,
                                        "a request is not in the journal");
    }

    if (rc != STOCKCERT_OK || stockcert_str_same(&entry->key, &search->key)) {
        return rc;
    }

    rc = stockcert_keys_hash(search->ledger, &entry->key, hash, search->error);

    if (rc == STOCKCERT_OK && memcmp(hash, item, 8) != 0) {
        return stockcert_ledger_damaged(search->error,
                                        "a request is not that of its entry");
    }

    return rc == STOCKCERT_OK ? STOCKCERT_NOT_FOUND : rc;
}


/*
 * Writes n items, given in the order of the journal, with those of the runs
 * before that are less than twice as long.  Returns 0, or an error.
 */

static int
stockcert_keys_append(MDB_cursor *cursor, uint8_t **items, size_t n)
{
    int       rc, old;
    size_t    length, merged;
    uint8_t   first[8];
    MDB_val   key, run;

    old = 0;
    merged = 0;

    memcpy(first, *items + 8, sizeof(first));
    stockcert_run_sort(*items, n);

    for (rc = stockcert_part_before(cursor, 0, &key, &run);
         rc == 0;
         rc = mdb_cursor_get(cursor, &key, &run, MDB_PREV))
    {
        if (!stockcert_keys_readable(&key, &run)) {
            return MDB_CORRUPTED;
        }

        length = run.mv_size / STOCKCERT_KEYS_ITEM;
        old = (length >= STOCKCERT_RUN_MAX);

        if (length >= 2 * n || old) {
            break;
        }

        rc = stockcert_run_merge(items, &n, run.mv_data, length);
        if (rc != 0) {
            return rc;
        }

        memcpy(first, key.mv_data, sizeof(first));
        merged++;
    }

    if (rc != 0 && rc != MDB_NOTFOUND) {
        return rc;
    }

    /* a run that is as long is of a version that had no parts */

    rc = old ? stockcert_keys_split(cursor) : 0;

    return rc == 0 ? stockcert_keys_replace(cursor, merged, first, *items, n)
                   : rc;
}


/* puts n items in the place of so many of the newest runs */

static int
stockcert_keys_replace(MDB_cursor *cursor, size_t merged, uint8_t *first,
    const uint8_t *items, size_t n)
{
    int      rc;
    MDB_val  key, run;

    while (merged--) {
        rc = stockcert_part_before(cursor, 0, &key, &run);
        if (rc == 0) {
            rc = mdb_cursor_del(cursor, 0);
        }

        if (rc != 0) {
            return rc;
        }
    }

    if (n >= STOCKCERT_RUN_MAX) {
        return stockcert_part_split(cursor, items, n);
    }

    key.mv_size = 8;
    key.mv_data = first;
    run.mv_size = n * STOCKCERT_KEYS_ITEM;
    run.mv_data = (void *) items;

    return mdb_cursor_put(cursor, &key, &run, MDB_NOOVERWRITE);
}


/* puts the items of the run at the cursor into their parts */

static int
stockcert_keys_split(MDB_cursor *cursor)
{
    int       rc;
    size_t    n;
    uint8_t  *items;
    MDB_val   key, run;

    rc = mdb_cursor_get(cursor, &key, &run, MDB_GET_CURRENT);
    if (rc != 0) {
        return rc;
    }

    items = NULL;
    n = 0;

    rc = stockcert_run_merge(&items, &n, run.mv_data,
                             run.mv_size / STOCKCERT_KEYS_ITEM);
    if (rc == 0) {
        rc = mdb_cursor_del(cursor, 0);
    }

    if (rc == 0) {
        rc = stockcert_part_split(cursor, items, n);
    }

    free(items);

    return rc;
}


static int
stockcert_keys_readable(const MDB_val *key, const MDB_val *run)
{
    return key->mv_size == 8 && run->mv_size != 0
           && run->mv_size % STOCKCERT_KEYS_ITEM == 0;
}


static stockcert_rc_e
stockcert_keys_error(stockcert_error_t *error, int rc)
{
    return rc == MDB_CORRUPTED
           ? stockcert_ledger_damaged(error, "its requests are not readable")
           : stockcert_ledger_error(error, "mdb_cursor_get()", rc);
}
