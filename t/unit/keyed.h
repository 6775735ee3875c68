
/*
 * Idempotency keys beside a model that has them in an array.  Runs are split
 * into parts and merged as they are in large ledgers, but after fewer keys: the
 * sources are compiled here, with other sizes.
 */


#ifndef KEYED_H
#define KEYED_H


#include "verified.h"

#define STOCKCERT_RUN_MAX        1024
#define STOCKCERT_PART_MAX_BITS  5

#include "stockcert_keys.c"
#include "stockcert_part.c"


#define KEYED_MAX  20000


typedef void (*keyed_change_pt)(MDB_txn *txn, MDB_dbi dbi, MDB_cursor *cursor);


typedef struct {
    fixture_t            f;
    stockcert_ledger_t  *ledger;
    unsigned             few:1;             /* parts: the first 8 only */
    size_t               n;                 /* keys */
    char                 key[KEYED_MAX][24];
    uint64_t             position[KEYED_MAX];    /* of their certificates */
} model_t;


static inline void
model_make(model_t *m, const char *name)
{
    memset(m, 0, sizeof(model_t));

    fixture_make_default(&m->f, name);
    m->f.conf.size = 256 * 1024 * 1024;
    m->ledger = fixture_open(&m->f);
}


/* the i-th key, the same in all models of a kind */

static inline const char *
model_key(model_t *m, size_t i)
{
    int      n;
    char    *key;
    uint8_t  hash[STOCKCERT_SEAL_LEN];

    key = m->key[i];

    if (key[0]) {
        return key;
    }

    n = 0;

    do {
        snprintf(key, sizeof(m->key[i]), "%d-%d", (int) i, n++);
        EVP_Digest(key, strlen(key), hash, NULL, EVP_sha256(), NULL);
    } while (m->few && hash[0] > 1);

    return key;
}


static inline void
model_slot(model_t *m, stockcert_slot_t *slot, size_t i)
{
    const char  *key;

    key = model_key(m, i);

    fixture_slot(slot, "CS", "Salt Bae", 1);

    slot->grant.key_len = (uint8_t) strlen(key);
    memcpy(slot->grant.key, key, slot->grant.key_len);
}


/* one transaction; "keyless" puts a certificate without a key after each */

static inline void
model_issue(model_t *m, size_t n, int keyless)
{
    size_t             i, count;
    stockcert_slot_t  *slots;

    count = keyless ? 2 * n : n;
    slots = calloc(count, sizeof(stockcert_slot_t));

    for (i = 0; i < n; i++) {
        model_slot(m, &slots[keyless ? 2 * i : i], m->n + i);

        if (keyless) {
            fixture_slot(&slots[2 * i + 1], "CS", "Jane Doe", 1);
        }
    }

    if (fixture_issue(m->ledger, slots, count) != STOCKCERT_OK) {
        tap_bail_out("cannot issue");
    }

    for (i = 0; i < n; i++) {
        if (slots[keyless ? 2 * i : i].outcome.replayed) {
            tap_bail_out("a key is there that was not");
        }

        m->position[m->n++] = slots[keyless ? 2 * i : i].outcome.position;
    }

    free(slots);
}


/* a transaction that does not come to its end */

static inline void
model_lose(model_t *m, size_t n)
{
    size_t              i;
    stockcert_slot_t   *slots;
    stockcert_error_t   error;

    slots = calloc(n, sizeof(stockcert_slot_t));

    for (i = 0; i < n; i++) {
        model_slot(m, &slots[i], m->n + i);
    }

    if (stockcert_ledger_begin(m->ledger, &error) != STOCKCERT_OK
        || stockcert_ledger_issue(m->ledger, slots, n, &error) != STOCKCERT_OK)
    {
        tap_bail_out("cannot issue: %s", error.text);
    }

    stockcert_ledger_abort(m->ledger);
    free(slots);
}


/* an entry that posts all before it */

static inline void
model_enter(model_t *m)
{
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CLASS_AMENDED;
    entry.code = fixture_str("PS");
    entry.shares = 750000;
    entry.reference = fixture_str("Resolution");

    if (fixture_enter(m->ledger, &entry, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot enter: %s", error.text);
    }
}


/* how many of the keys are not found as the model has them */

static inline size_t
model_wrong(model_t *m, size_t first, size_t n)
{
    char               key[32];
    size_t             i, wrong, len;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    if (stockcert_ledger_begin(m->ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot begin: %s", error.text);
    }

    wrong = 0;

    for (i = first; i < first + n && i < m->n; i++) {
        len = (size_t) snprintf(key, sizeof(key), "%s", model_key(m, i));
        rc = stockcert_keys_find(m->ledger, key, len, &entry, &error);
        wrong += rc != STOCKCERT_OK || entry.position != m->position[i];

        key[len++] = 'x';
        rc = stockcert_keys_find(m->ledger, key, len, &entry, &error);
        wrong += rc != STOCKCERT_NOT_FOUND;
    }

    stockcert_ledger_abort(m->ledger);

    return wrong;
}


static inline void
model_write(const fixture_t *f, keyed_change_pt change)
{
    MDB_env     *env;
    MDB_txn     *txn;
    MDB_dbi      dbi;
    MDB_cursor  *cursor;

    if (mdb_env_create(&env) != 0
        || mdb_env_set_maxdbs(env, 1) != 0
        || mdb_env_set_mapsize(env, f->conf.size) != 0
        || mdb_env_open(env, f->path, MDB_NOSYNC, 0600) != 0
        || mdb_txn_begin(env, NULL, 0, &txn) != 0
        || mdb_dbi_open(txn, "request", 0, &dbi) != 0
        || mdb_cursor_open(txn, dbi, &cursor) != 0)
    {
        tap_bail_out("cannot open %s", f->path);
    }

    change(txn, dbi, cursor);
    mdb_cursor_close(cursor);

    if (mdb_txn_commit(txn) != 0) {
        tap_bail_out("cannot change %s", f->path);
    }

    mdb_env_close(env);
}


static inline void
model_put(MDB_txn *txn, MDB_dbi dbi, const MDB_val *key, const uint8_t *bytes,
    size_t len)
{
    MDB_val  run;

    run.mv_size = len;
    run.mv_data = (void *) bytes;

    if (mdb_put(txn, dbi, (MDB_val *) key, &run, 0) != 0) {
        tap_bail_out("cannot put a run");
    }
}


#endif /* KEYED_H */
