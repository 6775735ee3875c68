
/*
 * "stockcert verify" on idempotency keys in parts, as somebody may have changed
 * them.
 */


#include "keyed.h"
#include "image.h"


static void test_changes(void);
static void test_bits(void);


/* the first run of a part that has some items */

static size_t   damage_bit;
static uint8_t  damage_bytes[4096];
static uint8_t  damage_name[STOCKCERT_PART_KEY];
static MDB_val  damage_key, damage_run;


static void
damage_load(MDB_cursor *cursor)
{
    do {
        if (mdb_cursor_get(cursor, &damage_key, &damage_run, MDB_NEXT) != 0) {
            tap_bail_out("no such run");
        }

    } while (damage_key.mv_size != STOCKCERT_PART_KEY
             || stockcert_filter_items(damage_run.mv_size) < 8);

    memcpy(damage_name, damage_key.mv_data, damage_key.mv_size);
    memcpy(damage_bytes, damage_run.mv_data, damage_run.mv_size);
    damage_key.mv_data = damage_name;
}


static void
flip_bit(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    damage_load(cursor);
    damage_bytes[damage_bit / 8] ^= (uint8_t) (1 << (damage_bit % 8));
    model_put(txn, dbi, &damage_key, damage_bytes, damage_run.mv_size);
}


static void
move_run(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    damage_load(cursor);

    if (mdb_cursor_del(cursor, 0) != 0) {
        tap_bail_out("cannot delete a run");
    }

    damage_name[1] ^= 1;
    model_put(txn, dbi, &damage_key, damage_bytes, damage_run.mv_size);
}


static void
copy_run(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    damage_load(cursor);
    damage_name[9] ^= 1;
    model_put(txn, dbi, &damage_key, damage_bytes, damage_run.mv_size);
}


static void
drop_run(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    (void) txn;
    (void) dbi;

    damage_load(cursor);

    if (mdb_cursor_del(cursor, 0) != 0) {
        tap_bail_out("cannot delete a run");
    }
}


/* with the filter that follows: only the entry tells */

static void
forge_item(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    size_t    n, filter;

    damage_load(cursor);

    n = stockcert_filter_items(damage_run.mv_size);
    filter = stockcert_filter_len(n);

    damage_bytes[filter + 7] ^= 1;
    stockcert_filter_make(damage_bytes, damage_bytes + filter, n);
    model_put(txn, dbi, &damage_key, damage_bytes, damage_run.mv_size);
}


static void
swap_positions(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    uint8_t  *one, position[8];

    damage_load(cursor);

    one = damage_bytes
          + stockcert_filter_len(stockcert_filter_items(damage_run.mv_size));

    memcpy(position, one + 8, 8);
    memcpy(one + 8, one + 24, 8);
    memcpy(one + 24, position, 8);
    model_put(txn, dbi, &damage_key, damage_bytes, damage_run.mv_size);
}


static void
cut_run(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    damage_load(cursor);
    model_put(txn, dbi, &damage_key, damage_bytes, damage_run.mv_size - 16);
}


static void
strange_part(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor)
{
    damage_load(cursor);
    damage_name[0] = 0x84;
    model_put(txn, dbi, &damage_key, damage_bytes, damage_run.mv_size);
}


int
main(void)
{
    fixture_begin();

    test_changes();
    test_bits();

    fixture_end();

    return tap_done();
}


static void
test_changes(void)
{
    char                   path[320];
    size_t                 i;
    image_t                image;
    const char            *fault;
    stockcert_verified_t   verified;

    static model_t  m;

    static const struct {
        const char      *name;
        const char      *words;
        keyed_change_pt  change;
    } cases[] = {
        { "a run in another part", "request, run ", move_run },
        { "a run twice", "request, run ", copy_run },
        { "no run", "request: expected the hash of the key of entry ",
          drop_run },
        { "another hash", "request: expected the hash of the key of entry ",
          forge_item },
        { "another's entry", "request: expected the hash of the key of entry ",
          swap_positions },
        { "an item less", "request", cut_run },
        { "a part that is none", "request: expected a run", strange_part }
    };

    model_make(&m, "changes");
    m.few = 1;
    model_issue(&m, 1500, 0);
    stockcert_ledger_close(m.ledger);

    fixture_file(&m.f, "data.mdb", path, sizeof(path));
    image_load(path, &image);
    memset(&verified, 0, sizeof(stockcert_verified_t));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        image_put(path, image.bytes, image.size, 0);
        fixture_file(&m.f, "lock.mdb", path, sizeof(path));
        (void) unlink(path);
        fixture_file(&m.f, "data.mdb", path, sizeof(path));

        model_write(&m.f, cases[i].change);
        fault = verified_file(path, &verified);

        ok(fault && strncmp(fault, cases[i].words, strlen(cases[i].words)) == 0,
           "changes, %s: %s", cases[i].name, fault ? fault : "nothing");
    }

    free(image.bytes);
}


/* all of the filter, and the first items */

static void
test_bits(void)
{
    char                   path[320];
    size_t                 missed;
    const char            *fault;
    stockcert_verified_t   verified;

    static model_t  m;

    model_make(&m, "bits");
    m.few = 1;
    model_issue(&m, 1300, 0);
    stockcert_ledger_close(m.ledger);

    fixture_file(&m.f, "data.mdb", path, sizeof(path));
    memset(&verified, 0, sizeof(stockcert_verified_t));

    missed = 0;

    for (damage_bit = 0; damage_bit < 8 * 240; damage_bit++) {
        model_write(&m.f, flip_bit);

        fault = verified_file(path, &verified);
        missed += fault == NULL || strncmp(fault, "request", 7) != 0;

        model_write(&m.f, flip_bit);
    }

    is_int(missed, 0, "bits: each is found");
    is_int(verified_ledger(&m.f), 2 + 1300, "bits: nothing else is");
}
