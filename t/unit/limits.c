
/*
 * A ledger with as much as it may have, and one with no room left.
 */


#include "verified.h"


static void test_most_classes(void);
static void test_full(size_t batch);
static void test_full_creation(void);
static size_t fill(stockcert_ledger_t *ledger, size_t batch);
static void check_certificates(stockcert_ledger_t *ledger, size_t n);


static char  long_name[STOCKCERT_TEXT_MAX + 1];


int
main(void)
{
    memset(long_name, 'x', STOCKCERT_TEXT_MAX);

    fixture_begin();

    test_most_classes();
    test_full(1);
    test_full(3);
    test_full(100);
    test_full_creation();

    fixture_end();

    return tap_done();
}


/* as many as there may be, with the longest names; and not one more */

static void
test_most_classes(void)
{
    char                 codes[STOCKCERT_CLASSES_MAX + 1][9];
    size_t               i, n;
    uint8_t              before[STOCKCERT_SEAL_LEN], after[STOCKCERT_SEAL_LEN];
    fixture_t            f;
    stockcert_slot_t     slot;
    stockcert_class_t    classes[STOCKCERT_CLASSES_MAX];
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger, *none;

    fixture_make(&f, "most-classes");
    f.conf.company = fixture_str(long_name);

    for (i = 0; i <= STOCKCERT_CLASSES_MAX; i++) {
        snprintf(codes[i], sizeof(codes[i]), "CLASS%c%02zu",
                 (char) ('Z' - i % 26), i);
        fixture_class(&f, codes[i], long_name, STOCKCERT_SHARES_MAX);
    }

    f.conf.nclasses = STOCKCERT_CLASSES_MAX;
    ledger = fixture_open(&f);

    fixture_slot(&slot, codes[63], long_name, STOCKCERT_SHARES_MAX);
    is_int(fixture_issue(ledger, &slot, 1), STOCKCERT_OK, "64 classes: commit");
    is_int(slot.outcome.status, STOCKCERT_ISSUED, "64 classes: issued");

    stockcert_ledger_snapshot(ledger, &error);
    is_int(stockcert_ledger_classes(ledger, classes, &n, &error), STOCKCERT_OK,
           "64 classes: read");
    is_int(n, STOCKCERT_CLASSES_MAX, "64 classes: all of them");

    for (i = 1; i < n; i++) {
        if (memcmp(classes[i - 1].code.data, classes[i].code.data, 8) >= 0) {
            break;
        }
    }

    is_int(i, STOCKCERT_CLASSES_MAX, "64 classes: in the order of their codes");

    stockcert_ledger_release(ledger);
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), STOCKCERT_CLASSES_MAX + 1, "64 classes: verify");

    fixture_digest(&f, before);
    f.conf.nclasses++;
    is_int(stockcert_ledger_open(&f.conf, &none, &error), STOCKCERT_FAILED,
           "65 classes: refused");
    fixture_digest(&f, after);
    is_mem(after, sizeof(after), before, sizeof(before),
           "65 classes: not changed");
}


/* nothing is issued by halves, and what is there can be read and goes on */

static void
test_full(size_t batch)
{
    char                 name[16];
    size_t               n, more;
    fixture_t            f;
    stockcert_error_t    error;
    stockcert_entry_t    entry;
    stockcert_ledger_t  *ledger;

    snprintf(name, sizeof(name), "full-%zu", batch);

    fixture_make_default(&f, name);
    f.conf.size = 256 * 1024;
    ledger = fixture_open(&f);

    /* a snapshot over it all keeps pages from being used again */

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_OK,
           "full %zu: snapshot", batch);
    n = fill(ledger, batch);
    ok(n > 0, "full %zu: after %zu certificates", batch, n);
    is_int(stockcert_ledger_last(ledger, &entry, &error), STOCKCERT_OK,
           "full %zu: the snapshot can be read", batch);
    is_int(entry.position, 2, "full %zu: and is of before", batch);
    stockcert_ledger_release(ledger);

    check_certificates(ledger, n);

    more = fill(ledger, batch);
    check_certificates(ledger, n + more);
    is_int(fill(ledger, batch), 0, "full %zu: full", batch);
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), n + more + 2, "full %zu: verify", batch);

    ledger = fixture_open(&f);
    check_certificates(ledger, n + more);
    is_int(fill(ledger, batch), 0, "full %zu: opened again, full", batch);
    stockcert_ledger_close(ledger);

    f.conf.size = 512 * 1024;
    ledger = fixture_open(&f);
    n += more;
    more = fill(ledger, batch);
    ok(more > 0, "full %zu: a larger map takes %zu more", batch, more);
    check_certificates(ledger, n + more);
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), n + more + 2, "full %zu: a larger map, verify",
           batch);

    /* a size below what there is takes nothing away */

    f.conf.size = 64 * 1024;
    ledger = fixture_open(&f);
    check_certificates(ledger, n + more);
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), n + more + 2, "full %zu: a smaller size, verify",
           batch);
}


/* too small to begin with: refused, until there is room */

static void
test_full_creation(void)
{
    size_t               pages;
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "full-creation");
    rc = STOCKCERT_FULL;

    for (pages = 4; pages < 20; pages++) {
        f.conf.size = pages * 4096;
        rc = stockcert_ledger_open(&f.conf, &ledger, &error);

        if (rc != STOCKCERT_FULL) {
            break;
        }
    }

    ok(pages > 4, "creation: 4 pages are not enough");
    is_int(rc, STOCKCERT_OK, "creation: %zu pages are", pages);

    if (rc == STOCKCERT_OK) {
        check_certificates(ledger, 0);
        stockcert_ledger_close(ledger);
    }

    is_int(verified_ledger(&f), 2, "creation: verify");
}


/* batches until there is no room; returns how many certificates are issued */

static size_t
fill(stockcert_ledger_t *ledger, size_t batch)
{
    size_t             i, n;
    stockcert_rc_e     rc;
    stockcert_slot_t   slots[100];

    rc = STOCKCERT_OK;

    for (n = 0; n < 10000; n += batch) {
        for (i = 0; i < batch; i++) {
            fixture_slot(&slots[i], "CS", long_name, 1);
        }

        rc = fixture_issue(ledger, slots, batch);

        if (rc != STOCKCERT_OK) {
            break;
        }
    }

    is_int(rc, STOCKCERT_FULL, "full: FULL");

    return n;
}


/* there are n of one share each, the last is the journal's last */

static void
check_certificates(stockcert_ledger_t *ledger, size_t n)
{
    size_t                   i;
    stockcert_class_t        class;
    stockcert_entry_t        last;
    stockcert_error_t        error;
    stockcert_certificate_t  certificate;

    class = fixture_counters(ledger, "CS");
    is_int(class.last, n, "full: last number");
    is_int(class.issued, n, "full: shares");

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_OK,
           "full: snapshot");
    stockcert_ledger_last(ledger, &last, &error);
    is_int(last.position, n + 2, "full: last entry");

    for (i = 1; i <= n; i++) {
        if (stockcert_ledger_certificate(ledger, "CS", 2, i, &certificate,
                                         &error)
            != STOCKCERT_OK
            || certificate.issued.number != i
            || certificate.issued.name.len != STOCKCERT_TEXT_MAX)
        {
            break;
        }
    }

    is_int(i, n + 1, "full: all can be read");
    is_int(stockcert_ledger_certificate(ledger, "CS", 2, i, &certificate,
                                        &error),
           STOCKCERT_NOT_FOUND, "full: and no more");

    stockcert_ledger_release(ledger);
}
