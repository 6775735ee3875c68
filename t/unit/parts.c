
/*
 * Idempotency keys in parts (stockcert_part.c): what is found, and what is in
 * the database.
 */


#include "keyed.h"


#define RUNS  12      /* of a part that has few items more than 2^5 */


typedef struct {
    size_t               whole;             /* runs of no part */
    size_t               longest;           /* items, of one of these */
    size_t               parts;             /* that have a run */
    size_t               most;              /* runs, of a part */
    size_t               largest;           /* items, of a part's run */
    size_t               items;
    uint8_t              digest[STOCKCERT_SEAL_LEN];
} shape_t;


static void test_model(void);
static void test_few(void);
static void test_same(void);
static void test_old(void);
static void test_damaged(void);
static void fill(const char *name, size_t batch, shape_t *shape);
static void shape_read(const fixture_t *f, shape_t *shape);
static void join(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor);
static void turn(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor);


int
main(void)
{
    fixture_begin();

    test_model();
    test_few();
    test_same();
    test_old();
    test_damaged();

    fixture_end();

    return tap_done();
}


/* transactions of many lengths, some of which are lost, others between */

static void
test_model(void)
{
    size_t          n, wrong, steps;
    shape_t         shape;
    static model_t  m;

    model_make(&m, "model");
    srandom(1);

    wrong = 0;

    for (steps = 0; m.n + 1500 < KEYED_MAX; steps++) {
        n = 1 + (size_t) random() % (steps % 8 ? 300 : 1200);

        if (random() % 6 == 0) {
            model_lose(&m, n);
        }

        if (random() % 6 == 0) {
            model_enter(&m);
        }

        if (random() % 6 == 0) {
            stockcert_ledger_close(m.ledger);
            m.ledger = fixture_open(&m.f);
        }

        model_issue(&m, n, random() % 3 == 0);

        wrong += model_wrong(&m, m.n - n, n);
        wrong += model_wrong(&m, (size_t) random() % m.n, 100);
    }

    wrong += model_wrong(&m, 0, m.n);
    is_int(wrong, 0, "model: each of %d keys is found, and no other",
           (int) m.n);

    stockcert_ledger_close(m.ledger);
    ok(verified_ledger(&m.f) > (int64_t) m.n, "model: verify");

    shape_read(&m.f, &shape);
    ok(shape.items <= m.n && m.n - shape.items < STOCKCERT_LOT,
       "model: an item for each posted key");
    ok(shape.longest < STOCKCERT_RUN_MAX, "model: a run of no part has %zu",
       shape.longest);
    is_int(shape.parts, STOCKCERT_PARTS, "model: all parts have some");
    ok(shape.largest > 1 << (STOCKCERT_PART_MAX_BITS - 1)
       && shape.largest < 2 << STOCKCERT_PART_MAX_BITS,
       "model: a run of a part has %zu at most", shape.largest);
    ok(shape.most <= RUNS, "model: a part has %zu runs at most", shape.most);
}


/* somebody chooses keys whose hashes begin with the same bits */

static void
test_few(void)
{
    shape_t         shape;
    static model_t  m;

    model_make(&m, "few");
    m.few = 1;

    while (m.n < 10000) {
        model_issue(&m, 500, 0);
    }

    is_int(model_wrong(&m, 0, m.n), 0, "few: each key is found");

    stockcert_ledger_close(m.ledger);
    ok(verified_ledger(&m.f) > (int64_t) m.n, "few: verify");

    shape_read(&m.f, &shape);
    is_int(shape.parts, 8, "few: parts");
    ok(shape.largest < 500, "few: a run of a part has %zu at most",
       shape.largest);
}


/* what the database has follows from the journal, not from transactions */

static void
test_same(void)
{
    size_t    i;
    shape_t   first, other;

    static const size_t  batches[] = { 1, 100, 256, 777, 5000 };

    fill("same, 255", 255, &first);
    ok(first.items > 5000 - STOCKCERT_LOT, "same: items");

    for (i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        fill("same", batches[i], &other);
        is_mem(other.digest, STOCKCERT_SEAL_LEN, first.digest,
               STOCKCERT_SEAL_LEN, "same: %zu at a time", batches[i]);
    }
}


static void
fill(const char *name, size_t batch, shape_t *shape)
{
    char     each[32];
    size_t   n;
    static model_t  m;

    snprintf(each, sizeof(each), "%s at %zu", name, batch);
    model_make(&m, each);

    while (m.n < 5000) {
        n = batch < 5000 - m.n ? batch : 5000 - m.n;
        model_issue(&m, n, 0);
    }

    stockcert_ledger_close(m.ledger);
    shape_read(&m.f, shape);
}


/* long runs of no part, as they were before there were parts */

static void
test_old(void)
{
    shape_t   shape;
    static model_t  m;

    model_make(&m, "old");
    model_issue(&m, 3000, 0);
    stockcert_ledger_close(m.ledger);

    model_write(&m.f, join);

    shape_read(&m.f, &shape);
    ok(shape.whole == 1 && shape.longest > STOCKCERT_RUN_MAX
       && shape.parts == 0, "old: a run of %zu items", shape.longest);
    ok(verified_ledger(&m.f) > 3000, "old: verify");

    m.ledger = fixture_open(&m.f);
    is_int(model_wrong(&m, 0, m.n), 0, "old: each key is found");

    model_issue(&m, 700, 0);
    is_int(model_wrong(&m, 0, m.n), 0, "old: with others, too");

    stockcert_ledger_close(m.ledger);

    shape_read(&m.f, &shape);
    ok(shape.longest < STOCKCERT_RUN_MAX && shape.parts > 900,
       "old: its items are in their parts");
    ok(shape.items <= m.n && m.n - shape.items < STOCKCERT_LOT,
       "old: all of them, once");
    ok(verified_ledger(&m.f) > (int64_t) m.n, "old: verify again");
}


/* items with the entries of others: no key gets a second certificate */

static void
test_damaged(void)
{
    size_t             i, wrong;
    stockcert_rc_e     rc;
    stockcert_slot_t   slot;
    stockcert_entry_t  entry;
    stockcert_error_t  error;
    static model_t     m;

    model_make(&m, "damaged");
    m.few = 1;
    model_issue(&m, 2300, 0);
    stockcert_ledger_close(m.ledger);

    model_write(&m.f, turn);

    m.ledger = fixture_open(&m.f);

    if (stockcert_ledger_begin(m.ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot begin: %s", error.text);
    }

    wrong = 0;

    for (i = 0; i < m.n; i++) {
        rc = stockcert_keys_find(m.ledger, model_key(&m, i),
                                 strlen(model_key(&m, i)), &entry, &error);

        /* the last ones are not posted */

        wrong += rc != (m.position[i] <= m.ledger->posted ? STOCKCERT_FAILED
                                                          : STOCKCERT_OK);
    }

    stockcert_ledger_abort(m.ledger);
    is_int(wrong, 0, "damaged: each key is refused");

    model_slot(&m, &slot, 0);
    is_int(fixture_issue(m.ledger, &slot, 1), STOCKCERT_FAILED,
           "damaged: no certificate");

    stockcert_ledger_close(m.ledger);
}


/* reads the keys, one by one */

static shape_t     *shape_of;
static EVP_MD_CTX  *shape_md;


static void
look(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    size_t    n, runs, part, last;
    MDB_val   key, run;
    uint8_t  *name;

    (void) txn;
    (void) dbi;

    last = STOCKCERT_PARTS;
    runs = 0;

    while (mdb_cursor_get(cursor, &key, &run, MDB_NEXT) == 0) {

        EVP_DigestUpdate(shape_md, key.mv_data, key.mv_size);
        EVP_DigestUpdate(shape_md, run.mv_data, run.mv_size);

        if (key.mv_size == 8) {
            n = run.mv_size / STOCKCERT_KEYS_ITEM;
            shape_of->whole++;
            shape_of->longest = n > shape_of->longest ? n : shape_of->longest;

        } else {
            name = key.mv_data;
            part = (size_t) (name[0] << 8 | name[1]) - 0x8000;
            runs = part == last ? runs + 1 : 1;
            shape_of->parts += part != last;
            last = part;

            n = stockcert_filter_items(run.mv_size);
            shape_of->most = runs > shape_of->most ? runs : shape_of->most;
            shape_of->largest = n > shape_of->largest ? n : shape_of->largest;
        }

        shape_of->items += n;
    }
}


static void
shape_read(const fixture_t *f, shape_t *shape)
{
    memset(shape, 0, sizeof(shape_t));

    shape_of = shape;
    shape_md = EVP_MD_CTX_new();
    EVP_DigestInit_ex(shape_md, EVP_sha256(), NULL);

    model_write(f, look);

    EVP_DigestFinal_ex(shape_md, shape->digest, NULL);
    EVP_MD_CTX_free(shape_md);
}


/* all items in one run of no part */

static void
join(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    size_t    n, i, filter;
    uint8_t  *items, first[8];
    MDB_val   key, run;

    items = NULL;
    n = 0;

    while (mdb_cursor_get(cursor, &key, &run, MDB_NEXT) == 0) {
        i = key.mv_size == 8 ? run.mv_size / STOCKCERT_KEYS_ITEM
                             : stockcert_filter_items(run.mv_size);
        filter = key.mv_size == 8 ? 0 : stockcert_filter_len(i);

        if (stockcert_run_merge(&items, &n, (uint8_t *) run.mv_data + filter, i)
            != 0)
        {
            tap_bail_out("no memory");
        }
    }

    /* the classes are entries 1 and 2 */

    stockcert_put64(first, 3);

    key.mv_size = sizeof(first);
    key.mv_data = first;

    if (mdb_drop(txn, dbi, 0) != 0) {
        tap_bail_out("cannot drop");
    }

    model_put(txn, dbi, &key, items, n * STOCKCERT_KEYS_ITEM);
    free(items);
}


/* each item gets the position of the next one of its run */

static void
turn(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    size_t    n, i, filter;
    uint8_t  *bytes, *items, first[8], name[STOCKCERT_PART_KEY];
    MDB_val   key, run;

    (void) txn;
    (void) dbi;

    while (mdb_cursor_get(cursor, &key, &run, MDB_NEXT) == 0) {
        n = key.mv_size == 8 ? run.mv_size / STOCKCERT_KEYS_ITEM
                             : stockcert_filter_items(run.mv_size);
        filter = key.mv_size == 8 ? 0 : stockcert_filter_len(n);

        bytes = malloc(run.mv_size);
        memcpy(bytes, run.mv_data, run.mv_size);

        items = bytes + filter;
        memcpy(first, items + 8, 8);

        for (i = 0; i + 1 < n; i++) {
            memcpy(items + i * STOCKCERT_KEYS_ITEM + 8,
                   items + (i + 1) * STOCKCERT_KEYS_ITEM + 8, 8);
        }

        memcpy(items + i * STOCKCERT_KEYS_ITEM + 8, first, 8);

        memcpy(name, key.mv_data, key.mv_size);

        key.mv_data = name;
        run.mv_data = bytes;

        if (mdb_cursor_put(cursor, &key, &run, MDB_CURRENT) != 0) {
            tap_bail_out("cannot put a run");
        }

        free(bytes);
    }
}
