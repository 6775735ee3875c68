
/*
 * Posting: a ledger shows the same, wherever the journal's last full lot ends.
 */


#include "verified.h"

#include <sys/wait.h>


#define CODES  2


/* what a class must be */

typedef struct {
    const char  *code;
    uint64_t     authorized;
    uint64_t     issued;
    uint64_t     last;
    uint64_t     positions[1100];      /* of each number's entry */
} expected_t;


static void test_each_position(void);
static void test_other_kinds(void);
static void test_across_lots(void);
static void test_abort(void);
static void test_met(void);
static void expect(expected_t *classes);
static int step(stockcert_ledger_t *ledger, expected_t *class, const char *key);
static int check(stockcert_ledger_t *ledger, const expected_t *classes);
static int check_list(stockcert_ledger_t *ledger, const expected_t *class);
static int check_verify(const fixture_t *f);


int
main(void)
{
    fixture_begin();

    test_each_position();
    test_other_kinds();
    test_across_lots();
    test_abort();
    test_met();

    fixture_end();

    return tap_done();
}


/* one entry at a time, over two lots; each key is asked for again */

static void
test_each_position(void)
{
    int                  i, wrong, replayed;
    char                 key[32];
    fixture_t            f;
    expected_t           classes[CODES];
    stockcert_slot_t     slot;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "each position");
    ledger = fixture_open(&f);

    expect(classes);

    wrong = 0;

    for (i = 3; i <= 2 * STOCKCERT_LOT + 3; i++) {
        snprintf(key, sizeof(key), "%d", i);

        wrong += step(ledger, &classes[i % 3 == 0], i % 2 ? key : "");
        wrong += check(ledger, classes);

        if (i % 16 == 0 || i % STOCKCERT_LOT < 3) {
            stockcert_ledger_close(ledger);
            wrong += verified_ledger(&f) != i;
            wrong += check_verify(&f);
            ledger = fixture_open(&f);
            wrong += check(ledger, classes);
        }
    }

    is_int(wrong, 0, "each position");

    replayed = 0;

    for (i = 3; i <= 2 * STOCKCERT_LOT + 3; i += 2) {
        snprintf(key, sizeof(key), "%d", i);

        fixture_slot(&slot, i % 3 ? "CS" : "PS", "Salt Bae", 1);
        slot.grant.key_len = (uint8_t) strlen(key);
        memcpy(slot.grant.key, key, slot.grant.key_len);

        replayed += fixture_issue(ledger, &slot, 1) == STOCKCERT_OK
                    && slot.outcome.replayed
                    && slot.outcome.position == (uint64_t) i;
    }

    is_int(replayed, STOCKCERT_LOT + 1, "each position: every key is known");

    stockcert_ledger_close(ledger);
}


/* amendments and cancellations, of what is posted and what is not */

static void
test_other_kinds(void)
{
    int                      i, wrong;
    fixture_t                f;
    expected_t               classes[CODES];
    uint64_t                 number;
    stockcert_error_t        error;
    stockcert_entry_t        entry;
    stockcert_ledger_t      *ledger;
    stockcert_certificate_t  certificate;

    fixture_make_default(&f, "other kinds");
    ledger = fixture_open(&f);

    expect(classes);

    wrong = 0;

    for (i = 0; i < 600; i++) {
        memset(&entry, 0, sizeof(stockcert_entry_t));

        switch (i % 7) {

        case 3:

            /* the last one, and one of a lot before */

            number = i % 2 ? classes[0].last : classes[0].last / 2;
            fixture_cancel(&entry, "CS", number, 1);

            if (fixture_enter(ledger, &entry, &error) == STOCKCERT_OK) {
                classes[0].issued--;
            }

            wrong += stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK;
            wrong += stockcert_ledger_certificate(ledger, "CS", 2, number,
                                                  &certificate, &error)
                     != STOCKCERT_OK;
            wrong += certificate.surrender.position == 0;
            stockcert_ledger_release(ledger);
            break;

        case 6:
            entry.kind = STOCKCERT_CLASS_AMENDED;
            entry.code = fixture_str("PS");
            entry.reference = fixture_str("Resolution");
            entry.shares = ++classes[1].authorized;

            wrong += fixture_enter(ledger, &entry, &error) != STOCKCERT_OK;
            break;

        default:
            wrong += step(ledger, &classes[i % 2], "");
        }

        wrong += check(ledger, classes);
    }

    stockcert_ledger_close(ledger);

    is_int(wrong, 0, "other kinds");
    ok(verified_ledger(&f) > 500, "other kinds: verify");
    is_int(check_verify(&f), 0, "other kinds: verify");
}


/* batches that fill more than one lot */

static void
test_across_lots(void)
{
    int                       i, n;
    size_t                    entries;
    fixture_t                 f;
    stockcert_ledger_t       *ledger;
    static const int          batches[] = { 254, 1, 255, 256, 257, 700, 1000 };
    static stockcert_slot_t   slots[1000];

    for (i = 0; i < 1000; i++) {
        fixture_slot(&slots[i], i % 2 ? "CS" : "PS", "Salt Bae", 1);
        slots[i].grant.key_len = (uint8_t) snprintf((char *) slots[i].grant.key,
                                                    16, "%d", i);
    }

    for (i = 0; i < 7; i++) {
        fixture_make_default(&f, "across lots");
        ledger = fixture_open(&f);

        n = batches[i];
        entries = 2 + (size_t) n;

        is_int(fixture_issue(ledger, slots, (size_t) n), STOCKCERT_OK,
               "%d at once: commit", n);
        is_int(fixture_issue(ledger, slots, (size_t) n), STOCKCERT_OK,
               "%d at once: again", n);
        is_int(slots[n / 2].outcome.replayed, 1, "%d at once: replayed", n);

        stockcert_ledger_close(ledger);

        is_int(verified_ledger(&f), entries, "%d at once: verify", n);
        is_int(check_verify(&f), 0, "%d at once: verify", n);

        nftw(f.path, fixture_remove, 16, FTW_DEPTH|FTW_PHYS);
    }
}


/* a lot that was made full by what was never committed is not */

static void
test_abort(void)
{
    int                       i;
    fixture_t                 f;
    stockcert_error_t         error;
    stockcert_ledger_t       *ledger;
    static stockcert_slot_t   slots[400];

    fixture_make_default(&f, "abort");
    ledger = fixture_open(&f);

    for (i = 0; i < 400; i++) {
        fixture_slot(&slots[i], "CS", "Salt Bae", 1);
    }

    is_int(fixture_issue(ledger, slots, 10), STOCKCERT_OK, "abort: before");

    stockcert_ledger_begin(ledger, &error);
    stockcert_ledger_issue(ledger, slots, 400, &error);
    stockcert_ledger_abort(ledger);

    is_int(fixture_issue(ledger, slots, 1), STOCKCERT_OK, "abort: after");
    is_int(slots[0].outcome.number, 11, "abort: the next number");
    is_int(fixture_counters(ledger, "CS").last, 11, "abort: the last number");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 11, "abort: verify");
}


/* what a reader has of a class, and of its first certificate: the same */

static void
check_met(stockcert_ledger_t *ledger, stockcert_rc_e rc, const char *when)
{
    stockcert_class_t        class;
    stockcert_error_t        error;
    stockcert_certificate_t  certificate;

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_OK, "snapshot");
    is_int(stockcert_ledger_class(ledger, "ZZ", 2, &class, &error), rc,
           "met: the class, %s", when);
    is_int(stockcert_ledger_certificates(ledger, "ZZ", 2, 1, 1, &certificate,
                                         &error),
           rc, "met: its certificates, %s", when);
    stockcert_ledger_release(ledger);
}


/* a process posts a class that was opened after it had opened the ledger */

static void
test_met(void)
{
    int                       i, status;
    pid_t                     pid;
    fixture_t                 f, more;
    stockcert_ledger_t       *ledger;
    static stockcert_slot_t   slots[100];

    fixture_make_default(&f, "met");
    ledger = fixture_open(&f);

    more = f;
    more.conf.classes = more.classes;
    fixture_class(&more, "ZZ", "Another", 1000);

    fflush(stdout);
    pid = fork();

    if (pid == 0) {

        /* it does not touch what its parent has opened */

        ledger = fixture_open(&more);

        for (i = 0; i < 100; i++) {
            fixture_slot(&slots[i], "ZZ", "Salt Bae", 1);
        }

        status = fixture_issue(ledger, slots, 100) != STOCKCERT_OK;
        stockcert_ledger_close(ledger);
        _exit(status);
    }

    if (pid == -1 || waitpid(pid, &status, 0) == -1) {
        tap_bail_out("no child");
    }

    is_int(status, 0, "met: another process opens a class and issues");
    check_met(ledger, STOCKCERT_NOT_FOUND, "before it is met");

    fixture_slot(&slots[0], "ZZ", "Salt Bae", 1);
    is_int(fixture_issue(ledger, slots, 1), STOCKCERT_OK, "met: of that class");
    is_int(slots[0].outcome.status, STOCKCERT_ISSUED,
           "met: it is known here, too");
    is_int(slots[0].outcome.number, 101, "met: the next number");

    stockcert_ledger_adopt(ledger);
    check_met(ledger, STOCKCERT_OK, "then");

    for (i = 0; i < 100; i++) {
        fixture_slot(&slots[i], "CS", "Salt Bae", 1);
    }

    for (i = 0; i < 3; i++) {
        is_int(fixture_issue(ledger, slots, 100), STOCKCERT_OK,
               "met: 100 of another class");
    }

    is_int(fixture_counters(ledger, "CS").last, 300, "met: numbers");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 3 + 100 + 1 + 300, "met: verify");
    is_int(check_verify(&f), 0, "met: verify");
}


/* those of fixture_make_default() */

static void
expect(expected_t *classes)
{
    memset(classes, 0, CODES * sizeof(expected_t));

    classes[0].code = "CS";
    classes[0].authorized = 2600000;
    classes[1].code = "PS";
    classes[1].authorized = 750000;
}


/* one share of a class, in a transaction of its own; returns what went wrong */

static int
step(stockcert_ledger_t *ledger, expected_t *class, const char *key)
{
    stockcert_slot_t  slot;

    fixture_slot(&slot, class->code, "Salt Bae", 1);

    slot.grant.key_len = (uint8_t) strlen(key);
    memcpy(slot.grant.key, key, slot.grant.key_len);

    if (fixture_issue(ledger, &slot, 1) != STOCKCERT_OK
        || slot.outcome.status != STOCKCERT_ISSUED
        || slot.outcome.number != class->last + 1)
    {
        return 1;
    }

    class->issued++;
    class->last++;
    class->positions[class->last] = slot.outcome.position;

    return 0;
}


/* counters and certificates, in one snapshot; returns how many are wrong */

static int
check(stockcert_ledger_t *ledger, const expected_t *classes)
{
    int                      wrong;
    size_t                   i, n;
    uint64_t                 number;
    const expected_t        *e;
    stockcert_class_t        got[STOCKCERT_CLASSES_MAX];
    stockcert_error_t        error;
    stockcert_certificate_t  certificate;

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK
        || stockcert_ledger_classes(ledger, got, &n, &error) != STOCKCERT_OK
        || n != CODES)
    {
        return 1;
    }

    wrong = 0;

    for (i = 0; i < CODES; i++) {
        e = &classes[i];

        wrong += got[i].authorized != e->authorized
                 || got[i].issued != e->issued || got[i].last != e->last;

        /* the last ones, and one that is not there */

        for (number = e->last > 5 ? e->last - 5 : 1;
             number <= e->last;
             number++)
        {
            wrong += stockcert_ledger_certificate(ledger, e->code, 2, number,
                                                  &certificate, &error)
                     != STOCKCERT_OK
                     || certificate.issued.position != e->positions[number];
        }

        wrong += stockcert_ledger_certificate(ledger, e->code, 2, number,
                                              &certificate, &error)
                 != STOCKCERT_NOT_FOUND;

        wrong += check_list(ledger, e);
    }

    stockcert_ledger_release(ledger);

    return wrong;
}


/* all at once, all but the last and first ones, and one that is not there */

static int
check_list(stockcert_ledger_t *ledger, const expected_t *class)
{
    int                             wrong;
    size_t                          i, n;
    uint64_t                        first;
    stockcert_error_t               error;
    static stockcert_certificate_t  list[1100];

    wrong = stockcert_ledger_certificates(ledger, class->code, 2, 1,
                                          (size_t) class->last + 1, list,
                                          &error)
            != STOCKCERT_NOT_FOUND;

    for (first = 1; first <= 4 && 2 * first <= class->last + 1; first += 3) {
        n = (size_t) (class->last + 2 - 2 * first);

        wrong += stockcert_ledger_certificates(ledger, class->code, 2, first, n,
                                               list, &error)
                 != STOCKCERT_OK;

        for (i = 0; i < n; i++) {
            wrong += list[i].issued.number != first + i
                     || list[i].issued.position != class->positions[first + i];
        }
    }

    return wrong;
}


static int
check_verify(const fixture_t *f)
{
    char                   path[320];
    const char            *fault;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));
    fixture_file(f, "data.mdb", path, sizeof(path));

    fault = verified_file(path, &verified);

    if (fault) {
        printf("# verify: %s\n", fault);
    }

    return fault != NULL;
}
