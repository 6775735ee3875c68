
/*
 * "stockcert verify" on a ledger that nobody writes to.
 */


#ifndef VERIFIED_H
#define VERIFIED_H


#include "edit.h"

#include "stockcert_verify.h"


/* for edits of entries; a name of 8 bytes, and then the key, are behind "CS" */

#define AT(n)    KEY("\0\0\0\0\0\0\0" n)
#define POS(n)   "\0\0\0\0\0\0\0" n

#define JOURNAL(n, at, to)                                                    \
    BYTE, "journal", AT(n), .offset = at, .byte = to

#define NAME_AT  29
#define KEY_AT   38


static inline void
verified_progress(uint64_t done, uint64_t all)
{
    if (done > all) {
        tap_bail_out("more entries than there are");
    }
}


/* returns what is wrong, or NULL */

static inline const char *
verified_file(const char *path, stockcert_verified_t *verified)
{
    int                       fd, rc;
    static stockcert_mdb_t  mdb;

    memset(&mdb, 0, sizeof(stockcert_mdb_t));

    fd = open(path, O_RDONLY);
    if (fd == -1) {
        tap_bail_out("cannot open %s", path);
    }

    rc = stockcert_mdb_metas(&mdb, fd);

    if (rc == 0) {
        rc = stockcert_mdb_map(&mdb, fd);
    }

    if (rc == 0) {
        rc = stockcert_verify(&mdb, verified, verified_progress);
    }

    stockcert_mdb_unmap(&mdb);
    close(fd);

    if (rc == 0) {
        return NULL;
    }

    return mdb.fault[0] ? mdb.fault : "nothing is said";
}


/* the number of a ledger's entries, or -1 if anything is not as it must be */

static inline int64_t
verified_ledger(const fixture_t *f)
{
    char                   path[320];
    const char            *fault;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    fixture_file(f, "data.mdb", path, sizeof(path));

    fault = verified_file(path, &verified);

    if (fault) {
        printf("# verify: %s\n", fault);
        return -1;
    }

    return (int64_t) verified.entries;
}


/* entries of all kinds: a ledger of 8 */

static inline void
verified_make(fixture_t *f, const char *name)
{
    size_t               i;
    stockcert_rc_e       rc;
    stockcert_slot_t     slots[3], last;
    stockcert_entry_t    entries[2];
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make_default(f, name);
    ledger = fixture_open(f);

    fixture_slot(&slots[0], "CS", "Salt Bae", 10);
    fixture_slot(&slots[1], "CS", "Jane Doe", 5);
    fixture_slot(&slots[2], "PS", "Joe Blow", 7);
    fixture_slot(&last, "CS", "Salt Bae", 1);

    for (i = 0; i < 2; i++) {
        slots[i].grant.key_len = 1;
        slots[i].grant.key[0] = (char) ('a' + i);
    }

    last.grant.key_len = 1;
    last.grant.key[0] = 'c';

    memset(entries, 0, sizeof(entries));

    entries[0].kind = STOCKCERT_CERTIFICATE_CANCELLED;
    entries[0].code = fixture_str("CS");
    entries[0].number = 1;
    entries[0].text = fixture_str("surrendered");

    entries[1].kind = STOCKCERT_CLASS_AMENDED;
    entries[1].code = fixture_str("PS");
    entries[1].shares = 800000;
    entries[1].text = fixture_str("Resolution 1");

    rc = fixture_issue(ledger, slots, 3);

    for (i = 0; i < 2 && rc == STOCKCERT_OK; i++) {
        rc = fixture_enter(ledger, &entries[i], &error);
    }

    if (rc == STOCKCERT_OK) {
        rc = fixture_issue(ledger, &last, 1);
    }

    if (rc != STOCKCERT_OK) {
        tap_bail_out("cannot make a ledger");
    }

    stockcert_ledger_close(ledger);
}


static inline int
verified_reseal_entries(MDB_txn *txn)
{
    size_t       len;
    uint8_t      bytes[32 + STOCKCERT_ENTRY_MAX], seal[STOCKCERT_SEAL_LEN];
    MDB_dbi      meta, journal;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    key.mv_size = 6;
    key.mv_data = (void *) "ledger";

    if (mdb_dbi_open(txn, "meta", 0, &meta) != 0
        || mdb_dbi_open(txn, "journal", 0, &journal) != 0
        || mdb_get(txn, meta, &key, &value) != 0
        || mdb_cursor_open(txn, journal, &cursor) != 0)
    {
        return -1;
    }

    EVP_Digest(value.mv_data, value.mv_size, seal, NULL, EVP_sha256(), NULL);

    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        len = value.mv_size - STOCKCERT_SEAL_LEN;

        memcpy(bytes, seal, STOCKCERT_SEAL_LEN);
        memcpy(bytes + STOCKCERT_SEAL_LEN, value.mv_data, len);

        EVP_Digest(bytes, STOCKCERT_SEAL_LEN + len, seal, NULL, EVP_sha256(),
                   NULL);
        memcpy(bytes + STOCKCERT_SEAL_LEN + len, seal, STOCKCERT_SEAL_LEN);

        value.mv_data = bytes + STOCKCERT_SEAL_LEN;

        if (mdb_cursor_put(cursor, &key, &value, MDB_CURRENT) != 0) {
            return -1;
        }
    }

    mdb_cursor_close(cursor);

    return 0;
}


/*
 * seals all entries anew, as somebody would who changes the journal knowingly
 */

static inline void
verified_reseal(const fixture_t *f)
{
    MDB_env  *env;
    MDB_txn  *txn;

    if (mdb_env_create(&env) != 0
        || mdb_env_set_maxdbs(env, 2) != 0
        || mdb_env_open(env, f->path, 0, 0600) != 0
        || mdb_txn_begin(env, NULL, 0, &txn) != 0
        || verified_reseal_entries(txn) != 0
        || mdb_txn_commit(txn) != 0)
    {
        tap_bail_out("cannot seal anew");
    }

    mdb_env_close(env);
}


#endif /* VERIFIED_H */
