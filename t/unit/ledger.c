
/*
 * A ledger's life in one process: what is made, what is there when it is
 * opened again, and what a snapshot sees meanwhile.
 */


#include "verified.h"


#define FAR_FUTURE  4102444800000000    /* 2100-01-01 */


static void test_creation(void);
static void test_no_classes(void);
static void test_reopen(void);
static void test_conf(void);
static void test_snapshot(void);
static void test_clock(void);
static void check_mode(const fixture_t *f, const char *name);
static void append_far_future(const fixture_t *f);


int
main(void)
{
    fixture_begin();

    test_creation();
    test_no_classes();
    test_reopen();
    test_conf();
    test_snapshot();
    test_clock();

    fixture_end();

    return tap_done();
}


static void
test_creation(void)
{
    size_t                   n;
    mode_t                   mask;
    fixture_t                f;
    stockcert_str_t          company;
    stockcert_class_t        classes[STOCKCERT_CLASSES_MAX];
    stockcert_error_t        error;
    stockcert_entry_t        entry;
    stockcert_ledger_t      *ledger;
    stockcert_certificate_t  certificate;

    fixture_make_default(&f, "creation");

    mask = umask(0);
    ledger = fixture_open(&f);
    umask(mask);

    check_mode(&f, "data.mdb");
    check_mode(&f, "lock.mdb");

    company = stockcert_ledger_company(ledger);
    is_mem(company.data, company.len, FIXTURE_COMPANY, 20, "company");

    ok(stockcert_ledger_has_class(ledger, "CS", 2), "it has CS");
    ok(stockcert_ledger_has_class(ledger, "PS", 2), "it has PS");
    ok(!stockcert_ledger_has_class(ledger, "C", 1), "it has no C");
    ok(!stockcert_ledger_has_class(ledger, "CSX", 3), "it has no CSX");
    ok(!stockcert_ledger_has_class(ledger, "", 0), "it has no empty class");

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_OK, "snapshot");

    is_int(stockcert_ledger_classes(ledger, classes, &n, &error), STOCKCERT_OK,
           "classes");
    is_int(n, 2, "two of them");
    is_mem(classes[0].code.data, classes[0].code.len, "CS", 2, "CS: code");
    is_mem(classes[0].title.data, classes[0].title.len, "Common Stock", 12,
           "CS: title");
    is_int(classes[0].authorized, 2600000, "CS: authorized");
    is_int(classes[0].issued, 0, "CS: issued");
    is_int(classes[0].last, 0, "CS: last number");
    is_mem(classes[1].code.data, classes[1].code.len, "PS", 2, "PS: code");
    is_int(classes[1].authorized, 750000, "PS: authorized");

    is_int(stockcert_ledger_class(ledger, "XX", 2, classes, &error),
           STOCKCERT_NOT_FOUND, "no class XX");
    is_int(stockcert_ledger_certificate(ledger, "CS", 2, 1, &certificate,
                                        &error),
           STOCKCERT_NOT_FOUND, "no certificate CS-1");

    is_int(stockcert_ledger_last(ledger, &entry, &error), STOCKCERT_OK, "last");
    is_int(entry.position, 2, "last: entry 2");
    is_int(entry.kind, STOCKCERT_CLASS_OPENED, "last: a class opened");
    is_int(entry.shares, 750000, "last: authorized");
    is_mem(entry.code.data, entry.code.len, "PS", 2, "last: PS");
    is_mem(entry.title.data, entry.title.len, "Preferred Stock", 15,
           "last: its title");
    is_int(entry.number, 0, "last: no certificate");
    is_int(entry.key.len, 0, "last: no key");

    stockcert_ledger_release(ledger);
    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2, "creation: the journal has two entries");
}


static void
test_no_classes(void)
{
    size_t               n;
    fixture_t            f;
    stockcert_slot_t     slot;
    stockcert_error_t    error;
    stockcert_class_t    classes[STOCKCERT_CLASSES_MAX];
    stockcert_entry_t    entry;
    stockcert_ledger_t  *ledger;

    fixture_make(&f, "no-classes");
    ledger = fixture_open(&f);

    fixture_slot(&slot, "CS", "Salt Bae", 1);
    is_int(fixture_issue(ledger, &slot, 1), STOCKCERT_OK, "no classes: commit");
    is_int(slot.outcome.status, STOCKCERT_NO_CLASS, "no classes: NO_CLASS");

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_OK,
           "no classes: snapshot");
    is_int(stockcert_ledger_last(ledger, &entry, &error), STOCKCERT_NOT_FOUND,
           "no classes: no entry");
    is_int(stockcert_ledger_classes(ledger, classes, &n, &error), STOCKCERT_OK,
           "no classes: read");
    is_int(n, 0, "no classes");

    stockcert_ledger_release(ledger);
    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 0, "no classes: no entries");
}


/* many certificates, in batches of many sizes, over several lives */

static void
test_reopen(void)
{
    size_t               life, batch, i, n;
    uint64_t             expected, wrong;
    fixture_t            f;
    stockcert_slot_t     slots[17];
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "reopen");

    expected = 0;
    wrong = 0;

    for (life = 0; life < 5; life++) {
        ledger = fixture_open(&f);

        for (batch = 0; batch < 40; batch++) {
            n = (batch * 7 + life) % 17;

            for (i = 0; i < n; i++) {
                fixture_slot(&slots[i], "CS", "Salt Bae", i + 1);
            }

            wrong += fixture_issue(ledger, slots, n) != STOCKCERT_OK;

            for (i = 0; i < n; i++) {
                wrong += slots[i].outcome.number != ++expected;
                wrong += slots[i].outcome.position != expected + 2;
            }
        }

        stockcert_ledger_close(ledger);
        is_int(verified_ledger(&f), expected + 2, "reopen %zu: verify", life);
    }

    is_int(wrong, 0, "reopen: %d certificates as expected", (int) expected);
}


/* a class that is new is opened; what the ledger has stays as it is */

static void
test_conf(void)
{
    size_t               n;
    fixture_t            f;
    stockcert_slot_t     slot;
    stockcert_class_t    classes[STOCKCERT_CLASSES_MAX];
    stockcert_error_t    error;
    stockcert_entry_t    entry;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "conf");
    ledger = fixture_open(&f);
    fixture_slot(&slot, "PS", "Salt Bae", 5);
    fixture_issue(ledger, &slot, 1);
    stockcert_ledger_close(ledger);

    /* CS is gone, PS has another total and title, A1 and PSB are new */

    f.conf.nclasses = 0;
    fixture_class(&f, "PSB", "Series B", 7);
    fixture_class(&f, "PS", "Other", 1);
    fixture_class(&f, "A1", "Series A", 6);

    ledger = fixture_open(&f);
    ok(stockcert_ledger_has_class(ledger, "CS", 2), "conf: CS is still there");
    ok(stockcert_ledger_has_class(ledger, "A1", 2), "conf: A1 is there");

    stockcert_ledger_snapshot(ledger, &error);
    stockcert_ledger_classes(ledger, classes, &n, &error);
    is_int(n, 4, "conf: four classes");
    is_mem(classes[0].code.data, classes[0].code.len, "A1", 2, "conf: A1");
    is_mem(classes[1].code.data, classes[1].code.len, "CS", 2, "conf: then CS");
    is_mem(classes[2].code.data, classes[2].code.len, "PS", 2, "conf: then PS");
    is_mem(classes[3].code.data, classes[3].code.len, "PSB", 3,
           "conf: PSB last");
    is_int(classes[0].authorized, 6, "conf: A1's total");
    is_int(classes[2].authorized, 750000, "conf: the total of PS stays");
    is_int(classes[2].issued, 5, "conf: the shares of PS stay");
    is_mem(classes[2].title.data, classes[2].title.len, "Preferred Stock", 15,
           "conf: the title of PS stays");

    stockcert_ledger_last(ledger, &entry, &error);
    is_int(entry.position, 5, "conf: two new entries");
    is_mem(entry.code.data, entry.code.len, "A1", 2,
           "conf: in the order of the configuration");
    stockcert_ledger_release(ledger);

    fixture_slot(&slot, "PSB", "Salt Bae", 7);
    fixture_issue(ledger, &slot, 1);
    is_int(slot.outcome.number, 1, "conf: PSB issues");
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 6, "conf: verify");

    /* and with nothing new, nothing is written */

    f.conf.nclasses = 0;
    ledger = fixture_open(&f);
    ok(stockcert_ledger_has_class(ledger, "PSB", 3), "conf: PSB without conf");
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 6, "conf: no entry for nothing");
}


/* it is of one state, through more commits than it takes to use pages again */

static void
test_snapshot(void)
{
    int                      i;
    fixture_t                f;
    stockcert_slot_t         slot;
    stockcert_class_t        class;
    stockcert_entry_t        last;
    stockcert_error_t        error;
    stockcert_ledger_t      *ledger;
    stockcert_certificate_t  certificate, other;

    memset(&certificate, 0, sizeof(stockcert_certificate_t));
    memset(&class, 0, sizeof(stockcert_class_t));

    fixture_make_default(&f, "snapshot");
    ledger = fixture_open(&f);

    fixture_slot(&slot, "CS", "Salt Bae", 10);
    fixture_issue(ledger, &slot, 1);

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_OK, "snapshot");
    stockcert_ledger_certificate(ledger, "CS", 2, 1, &certificate, &error);
    stockcert_ledger_class(ledger, "CS", 2, &class, &error);

    for (i = 0; i < 100; i++) {
        fixture_slot(&slot, "CS", "Somebody else", 1);

        if (fixture_issue(ledger, &slot, 1) != STOCKCERT_OK) {
            break;
        }
    }

    is_int(i, 100, "snapshot: issuing goes on");

    is_mem(certificate.issued.name.data, certificate.issued.name.len,
           "Salt Bae", 8, "snapshot: a holder read before stays");
    is_mem(class.title.data, class.title.len, "Common Stock", 12,
           "snapshot: a title read before stays");

    stockcert_ledger_last(ledger, &last, &error);
    is_int(last.position, 3, "snapshot: the last entry of then");
    stockcert_ledger_class(ledger, "CS", 2, &class, &error);
    is_int(class.issued, 10, "snapshot: the shares of then");
    is_int(stockcert_ledger_certificate(ledger, "CS", 2, 2, &other, &error),
           STOCKCERT_NOT_FOUND, "snapshot: no later certificate");
    stockcert_ledger_release(ledger);

    /* nor does one see what is not committed yet */

    stockcert_ledger_begin(ledger, &error);
    stockcert_ledger_issue(ledger, &slot, 1, &error);
    is_int(fixture_counters(ledger, "CS").last, 101,
           "a snapshot within a transaction is of before");
    stockcert_ledger_commit(ledger, &error);
    is_int(fixture_counters(ledger, "CS").last, 102, "a later one of after");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 104, "snapshot: verify");
}


/* after a clock that was far ahead, time stands still until it is reached */

static void
test_clock(void)
{
    fixture_t            f;
    stockcert_slot_t     slots[2];
    stockcert_ledger_t  *ledger;

    fixture_make(&f, "clock");
    fixture_class(&f, "A", "Ten", 10);
    stockcert_ledger_close(fixture_open(&f));

    append_far_future(&f);
    is_int(verified_ledger(&f), 2, "clock: an entry of the year 2100");

    fixture_class(&f, "B", "Ten, too", 10);
    ledger = fixture_open(&f);

    fixture_slot(&slots[0], "A", "Salt Bae", 5);
    fixture_slot(&slots[1], "A", "Salt Bae", 5);
    is_int(fixture_issue(ledger, slots, 2), STOCKCERT_OK, "clock: commit");
    is_int(slots[0].outcome.time, FAR_FUTURE, "clock: the time of before");
    is_int(slots[1].outcome.time, FAR_FUTURE, "clock: and again");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 5, "clock: verify");
}


/* the total of A, amended to what it is, as entry 2 */

static void
append_far_future(const fixture_t *f)
{
    size_t               len;
    MDB_dbi              dbi, amendment;
    MDB_env             *env;
    MDB_txn             *txn;
    MDB_val              key, value;
    uint8_t              position[8], bytes[STOCKCERT_ENTRY_MAX];
    stockcert_entry_t    entry, last;
    stockcert_sealer_t  *sealer;

    memset(&entry, 0, sizeof(stockcert_entry_t));
    entry.kind = STOCKCERT_CLASS_AMENDED;
    entry.time = FAR_FUTURE;
    entry.shares = 10;
    entry.code = fixture_str("A");
    entry.reference = fixture_str("a clock");

    if (mdb_env_create(&env) != 0
        || mdb_env_set_maxdbs(env, 2) != 0
        || mdb_env_open(env, f->path, 0, 0600) != 0
        || mdb_txn_begin(env, NULL, 0, &txn) != 0
        || mdb_dbi_open(txn, "journal", 0, &dbi) != 0
        || mdb_dbi_open(txn, "amendment", 0, &amendment) != 0)
    {
        tap_bail_out("cannot open the journal");
    }

    stockcert_put64(position, 1);
    key.mv_size = sizeof(position);
    key.mv_data = position;
    mdb_get(txn, dbi, &key, &value);
    stockcert_entry_decode(value.mv_data, value.mv_size, &last);

    len = stockcert_entry_encode(&entry, bytes);
    sealer = stockcert_sealer_create();
    stockcert_seal(sealer, last.seal, bytes, len, bytes + len);
    stockcert_sealer_destroy(sealer);

    /* until then there were as many */

    stockcert_put64(position, 10);
    key.mv_size = sizeof("A\0\0\0\0\0\0\0\2") - 1;
    key.mv_data = (void *) "A\0\0\0\0\0\0\0\2";
    value.mv_size = sizeof(position);
    value.mv_data = position;

    if (mdb_put(txn, amendment, &key, &value, 0) != 0) {
        tap_bail_out("cannot put an amendment");
    }

    stockcert_put64(position, 2);
    key.mv_size = sizeof(position);
    key.mv_data = position;
    value.mv_size = len + STOCKCERT_SEAL_LEN;
    value.mv_data = bytes;

    if (mdb_put(txn, dbi, &key, &value, 0) != 0 || mdb_txn_commit(txn) != 0) {
        tap_bail_out("cannot append to the journal");
    }

    mdb_env_close(env);
}


static void
check_mode(const fixture_t *f, const char *name)
{
    char         path[320];
    struct stat  st;

    fixture_file(f, name, path, sizeof(path));

    is_int(stat(path, &st), 0, "%s is there", name);
    is_int(st.st_mode & 07777, 0600, "%s is its owner's only", name);
}
