
/*
 * "stockcert verify" on a ledger that nobody writes to.
 */


#ifndef VERIFIED_H
#define VERIFIED_H


#include "edit.h"

#include "stockcert_verify.h"


#define AT(n)    KEY("\0\0\0\0\0\0\0" n)
#define POS(n)   "\0\0\0\0\0\0\0" n

/* for edits of entries: a field that is a number, or a string */

#define COUNT(n, id, to)                                                      \
    SET, "journal", AT(n), .field = STOCKCERT_FIELD_##id, .number = to

#define TEXT(n, id, to)                                                       \
    SET, "journal", AT(n), .field = STOCKCERT_FIELD_##id, VALUE(to)

#define KIND(n, to)                                                           \
    BYTE, "journal", AT(n), .offset = 0, .byte = to


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


/* a ledger of 8 entries, the last of which is not posted */

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

    fixture_cancel(&entries[0], "CS", 1, 10);

    entries[1].kind = STOCKCERT_CLASS_AMENDED;
    entries[1].code = fixture_str("PS");
    entries[1].shares = 800000;
    entries[1].reference = fixture_str("Resolution 1");

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


/* a transaction on one or two certificates of CS, which must succeed */

static inline void
verified_transact(stockcert_ledger_t *ledger, const stockcert_order_t *order)
{
    stockcert_rc_e          rc;
    stockcert_error_t       error;
    stockcert_transacted_t  done;

    rc = stockcert_ledger_begin(ledger, &error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_transact(ledger, order, &done, &error);
    }

    if (rc == STOCKCERT_OK && done.status != STOCKCERT_ISSUED) {
        tap_bail_out("no transaction: %s", done.detail);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_commit(ledger, &error);
    }

    if (rc != STOCKCERT_OK) {
        tap_bail_out("no transaction: %s", error.text);
    }
}


static inline void
verified_order(stockcert_ledger_t *ledger, stockcert_entry_t first,
    uint64_t from, uint64_t and, uint64_t amount, const char *to,
    uint64_t shares)
{
    stockcert_entry_t  item;
    stockcert_order_t  order;

    memset(&order, 0, sizeof(stockcert_order_t));
    memset(&item, 0, sizeof(stockcert_entry_t));

    order.first = first;
    order.first.reference = fixture_str("Agreement");
    order.amount = amount;
    order.nfrom = and ? 2 : 1;
    order.from[0].number = from;
    order.from[1].number = and;
    order.from[0].code_len = order.from[1].code_len = 2;
    memcpy(order.from[0].code, "CS", 2);
    memcpy(order.from[1].code, "CS", 2);

    if (to) {
        item.name = fixture_str(to);
        item.shares = shares;
        order.nto = 1;
        order.has_to = 1;
        order.to = &item;
    }

    verified_transact(ledger, &order);
}


static inline void
verified_enter(stockcert_ledger_t *ledger, stockcert_entry_t entry)
{
    stockcert_error_t  error;

    if (fixture_enter(ledger, &entry, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot enter: %s", error.text);
    }
}


#define STR(s)  { sizeof(s) - 1, s }

#define ISSUED(...)                                                           \
    verified_enter(ledger, (stockcert_entry_t) {                               \
        .kind = STOCKCERT_CERTIFICATE_ISSUED, __VA_ARGS__ })

#define HOLDER(...)                                                           \
    verified_enter(ledger, (stockcert_entry_t) {                               \
        .kind = STOCKCERT_HOLDER_CHANGED, .reference = STR("Letter"),          \
        __VA_ARGS__ })

#define FIRST(...)  ((stockcert_entry_t) { __VA_ARGS__ })


/*
 * Entries of all kinds, and transactions of all types: a ledger of 24, the last two
 * of which are not posted.
 */

static inline void
verified_make_life(fixture_t *f, const char *name)
{
    stockcert_ledger_t  *ledger;

    fixture_make_default(f, name);
    ledger = fixture_open(f);

    /* 3 to 7 */

    ISSUED(.code = STR("CS"), .number = 1, .shares = 10,
           .name = STR("Salt Bae"), .key = STR("a"));
    ISSUED(.code = STR("CS"), .number = 2, .shares = 20,
           .name = STR("Salt Bae"), .effective = STR("2020-01-02"));
    ISSUED(.code = STR("PS"), .number = 1, .shares = 7,
           .name = STR("Joe Blow"), .price = STR("0.01 USD"));
    ISSUED(.code = STR("CS"), .number = 3, .shares = 40,
           .name = STR("Jane Doe"), .holder_id = STR("j"),
           .capacity = STR("custodian"));
    HOLDER(.code = STR("CS"), .number = 1, .address = STR("1 Main St"));

    /* 8 to 11: CS-4 is Bob's, CS-5 the balance */

    verified_order(ledger, FIRST(.type = STOCKCERT_TRANSFER), 1, 2, 0, "Bob",
                   25);

    HOLDER(.code = STR("CS"), .number = 5, .holder_id = STR("s"));

    /* 13: CS-6; 15: CS-7, the balance; 17; 18: CS-8 */

    verified_order(ledger, FIRST(.type = STOCKCERT_REISSUE,
                                 .reason = STOCKCERT_REASON_LOST),
                   5, 0, 0, NULL, 0);
    verified_order(ledger, FIRST(.type = STOCKCERT_REPURCHASE,
                                 .price = STR("0.01 USD")),
                   3, 0, 10, NULL, 0);
    verified_order(ledger, FIRST(.type = STOCKCERT_CANCEL), 4, 0, 0, NULL, 0);
    verified_order(ledger, FIRST(.type = STOCKCERT_CORRECT, .corrects = 14),
                   6, 0, 0, "Ann", 4);

    /* all are out */

    verified_enter(ledger, (stockcert_entry_t) {
        .kind = STOCKCERT_CLASS_AMENDED, .code = STR("CS"), .shares = 34,
        .reference = STR("Resolution 1") });

    HOLDER(.code = STR("PS"), .number = 1, .address = STR("2 Main St"));

    /* 22 to 24: CS-9, and CS-10, the balance */

    verified_order(ledger, FIRST(.type = STOCKCERT_TRANSFER, .key = STR("t")),
                   8, 0, 0, "Bob", 3);

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
