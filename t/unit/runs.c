
/*
 * "stockcert verify" on the runs of idempotency keys (stockcert_keys.c), as
 * somebody may have made them.  The source that compares them is compiled here,
 * and its comparisons are counted.
 */


#include "verified.h"


static uint64_t  compared;


static inline int
compare(const void *one, const void *two, size_t len)
{
    compared++;

    return memcmp(one, two, len);
}


#define memcmp  compare
#include "stockcert_verify_request.c"
#undef memcmp


#define RUNS      300      /* certificates with a key each, a run for each of
                              them */
#define RUNS_MAX  4000


static char    keys[RUNS_MAX][STOCKCERT_KEY_MAX + 1];


static void test_runs(void);
static void test_many_runs(void);
static void test_work(void);
static void make_runs(const fixture_t *f, size_t n, uint64_t twice);
static void put_runs(MDB_txn *txn, size_t n, uint64_t twice);


int
main(void)
{
    fixture_begin();

    test_runs();
    test_many_runs();
    test_work();

    fixture_end();

    return tap_done();
}


/* runs of "request" that have what they should, but not as they should */

static void
test_runs(void)
{
    char                   path[320], items[2][16], run[32];
    size_t                 i;
    uint8_t                hash[STOCKCERT_SEAL_LEN];
    fixture_t              f;
    const char            *fault;
    stockcert_verified_t   verified;

    static const edit_t    same_key =
        { "key twice", NULL, TEXT("\4", KEY, "a") };
    static const edit_t    no_run =
        { "no run", NULL, DELETE, "request", AT("\3") };

    const struct {
        const char  *name;
        const char  *words;
        char         keys[2];
        size_t       order[2];
        edit_t       edit;
    } runs[] = {
        { "key twice", "entry 4: expected a key of its own, found that of "
          "entry 3", "aa", { 0, 1 }, { "", NULL, PUT, "request", AT("\3"),
                                       .value = run, .len = 32 } },
        { "run of another", "request, run 2: expected entries after 0", "ab",
          { 1, 0 }, { "", NULL, PUT, "request", AT("\2"), .value = run,
                      .len = 32 } },
        { "items in disorder", "request, run 3: expected items in order", "ab",
          { 0, 1 }, { "", NULL, PUT, "request", AT("\3"), .value = run,
                      .len = 32 } },
        { "item twice", "request, run 3: expected items in order", "ab",
          { 0, 0 }, { "", NULL, PUT, "request", AT("\3"), .value = run,
                      .len = 32 } },
        { "in order", NULL, "ab", { 1, 0 },
          { "", NULL, PUT, "request", AT("\3"), .value = run, .len = 32 } }
    };

    memset(&verified, 0, sizeof(stockcert_verified_t));

    for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        verified_make(&f, runs[i].name);
        fixture_file(&f, "data.mdb", path, sizeof(path));

        EVP_Digest(&runs[i].keys[0], 1, hash, NULL, EVP_sha256(), NULL);
        memcpy(items[0], hash, 8);
        memcpy(items[0] + 8, POS("\3"), 8);

        EVP_Digest(&runs[i].keys[1], 1, hash, NULL, EVP_sha256(), NULL);
        memcpy(items[1], hash, 8);
        memcpy(items[1] + 8, POS("\4"), 8);

        memcpy(run, items[runs[i].order[0]], 16);
        memcpy(run + 16, items[runs[i].order[1]], 16);

        edit_ledger(&f, &no_run);
        edit_ledger(&f, &runs[i].edit);

        if (runs[i].keys[1] == 'a') {
            edit_ledger(&f, &same_key);
            verified_reseal(&f);
        }

        fault = verified_file(path, &verified);

        ok(runs[i].words ? fault && strncmp(fault, runs[i].words,
                                            strlen(runs[i].words)) == 0
                         : fault == NULL,
           "%s: %s", runs[i].name, fault ? fault : "nothing is found");
    }
}


/* a key that is there twice is found, however many runs are between */

static void
test_many_runs(void)
{
    char                   path[320];
    size_t                 i;
    fixture_t              f;
    const char            *fault;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    for (i = 0; i < RUNS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "%04zu", i);
    }

    fixture_make_default(&f, "many runs");
    fixture_file(&f, "data.mdb", path, sizeof(path));

    make_runs(&f, RUNS, 0);
    fault = verified_file(path, &verified);
    ok(fault == NULL, "many runs: %s", fault ? fault : "");

    fixture_make_default(&f, "many runs, a key twice");
    fixture_file(&f, "data.mdb", path, sizeof(path));

    make_runs(&f, RUNS, 3 + RUNS / 2);
    fault = verified_file(path, &verified);
    ok(fault && strcmp(fault, "entry 153: expected a key of its own, found that"
                              " of entry 3") == 0,
       "many runs, a key twice: %s", fault ? fault : "nothing is found");
}


/*
 * Runs whose items are all of one part, which is where they are compared: to go
 * through n of them takes some comparisons for each, as many as n has binary
 * digits.
 */

static void
test_work(void)
{
    char                   path[320], name[16];
    size_t                 i, n, digits;
    uint8_t                hash[STOCKCERT_SEAL_LEN];
    unsigned               number;
    fixture_t              f;
    const char            *fault;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    for (i = 0, number = 0; i < RUNS_MAX; number++) {
        snprintf(keys[i], sizeof(keys[i]), "%u", number);
        EVP_Digest(keys[i], strlen(keys[i]), hash, NULL, EVP_sha256(), NULL);

        i += stockcert_verify_part(hash) == 0;
    }

    for (n = RUNS_MAX / 4, digits = 10; n <= RUNS_MAX; n *= 2, digits++) {
        snprintf(name, sizeof(name), "work %zu", n);
        fixture_make_default(&f, name);
        fixture_file(&f, "data.mdb", path, sizeof(path));

        make_runs(&f, n, 0);
        compared = 0;
        fault = verified_file(path, &verified);

        ok(fault == NULL, "%s runs: %s", name, fault ? fault : "");
        ok(compared >= n && compared <= n * (2 * digits + 2),
           "%s runs: %d comparisons", name, (int) compared);
    }
}


/* the entry "twice" gets the key of entry 3 */

static void
make_runs(const fixture_t *f, size_t n, uint64_t twice)
{
    size_t               i;
    edit_t               edit;
    uint8_t              position[8];
    MDB_env             *env;
    MDB_txn             *txn;
    stockcert_entry_t    entry;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    static stockcert_slot_t  slots[RUNS_MAX];

    for (i = 0; i < n; i++) {
        fixture_slot(&slots[i], "CS", "Salt Bae", 1);
        slots[i].grant.key_len = (uint8_t) strlen(keys[i]);
        memcpy(slots[i].grant.key, keys[i], strlen(keys[i]));
    }

    fixture_cancel(&entry, "CS", 1, 1);

    ledger = fixture_open(f);

    if (fixture_issue(ledger, slots, n) != STOCKCERT_OK
        || fixture_enter(ledger, &entry, &error) != STOCKCERT_OK)
    {
        tap_bail_out("cannot make a ledger");
    }

    stockcert_ledger_close(ledger);

    memset(&edit, 0, sizeof(edit_t));

    if (twice) {
        stockcert_put64(position, twice);

        edit.edit = SET;
        edit.db = "journal";
        edit.key_len = sizeof(position);
        edit.key = (char *) position;
        edit.field = STOCKCERT_FIELD_KEY;
        edit.value = keys[0];
        edit.len = strlen(keys[0]);

        edit_ledger(f, &edit);
    }

    if (mdb_env_create(&env) != 0
        || mdb_env_set_maxdbs(env, 1) != 0
        || mdb_env_open(env, f->path, 0, 0600) != 0
        || mdb_txn_begin(env, NULL, 0, &txn) != 0)
    {
        tap_bail_out("cannot open %s", f->path);
    }

    put_runs(txn, n, twice);

    if (mdb_txn_commit(txn) != 0) {
        tap_bail_out("cannot put runs");
    }

    mdb_env_close(env);

    verified_reseal(f);
}


static void
put_runs(MDB_txn *txn, size_t n, uint64_t twice)
{
    size_t    i;
    char     *key;
    uint8_t   hash[STOCKCERT_SEAL_LEN], position[8];
    MDB_dbi   dbi;
    MDB_val   name, run;

    if (mdb_dbi_open(txn, "request", 0, &dbi) != 0
        || mdb_drop(txn, dbi, 0) != 0)
    {
        tap_bail_out("no requests");
    }

    for (i = 0; i < n; i++) {
        key = keys[i + 3 == twice ? 0 : i];
        EVP_Digest(key, strlen(key), hash, NULL, EVP_sha256(), NULL);

        stockcert_put64(position, i + 3);
        memcpy(hash + 8, position, 8);

        name.mv_size = sizeof(position);
        name.mv_data = position;
        run.mv_size = 16;
        run.mv_data = hash;

        if (mdb_put(txn, dbi, &name, &run, 0) != 0) {
            tap_bail_out("cannot put a run");
        }
    }
}
