
/*
 * Changes to a ledger behind its back, with LMDB itself.
 */


#ifndef EDIT_H
#define EDIT_H


#include "fixture.h"

#include <lmdb.h>


#define EDIT_POSTED  254     /* certificates of CS: entries 3 to 256, which make
                                a lot full */

#define KEY(s)    .key = s, .key_len = sizeof(s) - 1
#define VALUE(s)  .value = s, .len = sizeof(s) - 1


typedef enum {
    PUT,         /* a value in a database, the unnamed one if db is NULL */
    BYTE,        /* one byte of a value, which gets "grow" bytes longer */
    FLIP,        /* bits of it, for one that may be anything */
    SET,         /* a field of an entry, whose seal stays */
    DELETE,
    DROP,        /* the database */
    FILE_OF      /* data.mdb has just the value: for the caller */
} edit_e;


typedef struct {
    const char  *name;
    const char  *words;      /* in what is said about it */

    edit_e       edit;
    const char  *db;
    unsigned     flags;
    size_t       key_len;
    const char  *key;
    size_t       len;
    const char  *value;
    size_t       offset;
    int          byte;
    int          grow;

    unsigned     field;
    uint64_t     number;     /* that it is, if it is no string */
} edit_t;


static inline int
edit_byte(MDB_txn *txn, MDB_dbi dbi, const edit_t *c)
{
    int      rc;
    char     bytes[1024];
    MDB_val  key, value;

    key.mv_size = c->key_len;
    key.mv_data = (void *) c->key;

    rc = mdb_get(txn, dbi, &key, &value);
    if (rc != 0) {
        return rc;
    }

    if (value.mv_size >= sizeof(bytes)) {
        return MDB_BAD_VALSIZE;
    }

    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, value.mv_data, value.mv_size);
    bytes[c->offset] = (char) (c->edit == FLIP ? bytes[c->offset] ^ c->byte
                                               : c->byte);

    value.mv_size = (size_t) ((ssize_t) value.mv_size + c->grow);
    value.mv_data = bytes;

    return mdb_put(txn, dbi, &key, &value, 0);
}


static inline int
edit_field(MDB_txn *txn, MDB_dbi dbi, const edit_t *c)
{
    int                       rc;
    size_t                    len;
    uint8_t                   old[STOCKCERT_ENTRY_MAX];
    uint8_t                   bytes[STOCKCERT_ENTRY_MAX + STOCKCERT_SEAL_LEN];
    MDB_val                   key, value;
    stockcert_entry_t         entry;
    const stockcert_field_t  *field;

    key.mv_size = c->key_len;
    key.mv_data = (void *) c->key;

    rc = mdb_get(txn, dbi, &key, &value);
    if (rc != 0) {
        return rc;
    }

    if (value.mv_size > sizeof(old)) {
        return MDB_BAD_VALSIZE;
    }

    memcpy(old, value.mv_data, value.mv_size);

    if (stockcert_entry_decode(old, value.mv_size, &entry) != 0) {
        return MDB_CORRUPTED;
    }

    field = stockcert_field(c->field);

    if (stockcert_field_is_integer(field)) {
        *stockcert_entry_integer(&entry, field) = c->number;

    } else {
        stockcert_entry_string(&entry, field)->len = c->len;
        stockcert_entry_string(&entry, field)->data = c->value;
    }

    len = stockcert_entry_encode(&entry, bytes);
    memcpy(bytes + len, entry.seal, STOCKCERT_SEAL_LEN);

    value.mv_size = len + STOCKCERT_SEAL_LEN;
    value.mv_data = bytes;

    return mdb_put(txn, dbi, &key, &value, 0);
}


static inline int
edit_database(MDB_txn *txn, const edit_t *c)
{
    int      rc;
    MDB_dbi  dbi;
    MDB_val  key, value;

    rc = mdb_dbi_open(txn, c->db, c->flags, &dbi);
    if (rc != 0) {
        return rc;
    }

    key.mv_size = c->key_len;
    key.mv_data = (void *) c->key;
    value.mv_size = c->len;
    value.mv_data = (void *) c->value;

    switch (c->edit) {

    case PUT:
        return mdb_put(txn, dbi, &key, &value, 0);

    case BYTE:
    case FLIP:
        return edit_byte(txn, dbi, c);

    case SET:
        return edit_field(txn, dbi, c);

    case DELETE:
        rc = mdb_del(txn, dbi, &key, NULL);
        return rc == MDB_NOTFOUND ? 0 : rc;

    default:
        return mdb_drop(txn, dbi, 1);
    }
}


static inline void
edit_ledger(const fixture_t *f, const edit_t *c)
{
    int       rc;
    MDB_env  *env;
    MDB_txn  *txn;

    if (mdb_env_create(&env) != 0
        || mdb_env_set_maxdbs(env, 1) != 0
        || mdb_env_open(env, f->path, 0, 0600) != 0
        || mdb_txn_begin(env, NULL, 0, &txn) != 0)
    {
        tap_bail_out("cannot open %s", f->path);
    }

    rc = edit_database(txn, c);

    if (rc != 0 || mdb_txn_commit(txn) != 0) {
        tap_bail_out("%s: cannot edit: %s", c->name, mdb_strerror(rc));
    }

    mdb_env_close(env);
}


/* a ledger to be edited, with so many certificates */

static inline void
edit_make(const fixture_t *f, size_t certificates)
{
    size_t               i;
    stockcert_slot_t     slots[EDIT_POSTED];
    stockcert_ledger_t  *ledger;

    ledger = fixture_open(f);

    for (i = 0; i < certificates; i++) {
        fixture_slot(&slots[i], "CS", "Salt Bae", 10);
    }

    if (fixture_issue(ledger, slots, certificates) != STOCKCERT_OK) {
        tap_bail_out("cannot issue");
    }

    stockcert_ledger_close(ledger);
}


#endif /* EDIT_H */
