
/*
 * What becomes of grants: certificates and refusals, in batches, in several
 * calls, and in transactions that are aborted.
 */


#include "verified.h"


static void test_outcomes(void);
static void test_certificate(void);
static void test_exhaustion(void);
static void test_calls(void);
static void test_abort(void);


int
main(void)
{
    fixture_begin();

    test_outcomes();
    test_certificate();
    test_exhaustion();
    test_calls();
    test_abort();

    fixture_end();

    return tap_done();
}


/* those refused use no number, no shares and no entry */

static void
test_outcomes(void)
{
    size_t                i;
    uint64_t              time;
    fixture_t             f;
    stockcert_slot_t      slots[8];
    stockcert_ledger_t   *ledger;
    stockcert_outcome_t  *o;

    static const struct {
        const char           *code;
        uint64_t              amount;
        stockcert_status_e    status;
        uint64_t              number;
        uint64_t              position;
        uint64_t              remaining;
    } cases[] = {
        { "CS", 10,         STOCKCERT_ISSUED,       1, 3, 2599990 },
        { "PS", 5,          STOCKCERT_ISSUED,       1, 4, 749995 },
        { "CS", 2599991,    STOCKCERT_INSUFFICIENT, 0, 0, 2599990 },
        { "XX", 1,          STOCKCERT_NO_CLASS,     0, 0, 0 },
        { "CSX", 1,         STOCKCERT_NO_CLASS,     0, 0, 0 },
        { "CS", 1,          STOCKCERT_ISSUED,       2, 5, 2599989 },
        { "PS", UINT64_MAX, STOCKCERT_INSUFFICIENT, 0, 0, 749995 },
        { "PS", 749995,     STOCKCERT_ISSUED,       2, 6, 0 }
    };

    fixture_make_default(&f, "outcomes");
    ledger = fixture_open(&f);

    for (i = 0; i < 8; i++) {
        fixture_slot(&slots[i], cases[i].code, "Salt Bae", cases[i].amount);
    }

    is_int(fixture_issue(ledger, slots, 8), STOCKCERT_OK, "outcomes: commit");

    for (i = 0, time = 0; i < 8; i++) {
        o = &slots[i].outcome;

        is_int(o->status, cases[i].status, "outcome %zu: status", i);

        if (o->status == STOCKCERT_ISSUED) {
            is_int(o->number, cases[i].number, "outcome %zu: number", i);
            is_int(o->position, cases[i].position, "outcome %zu: position", i);
            ok(o->time >= time, "outcome %zu: time", i);
            time = o->time;

        } else if (o->status == STOCKCERT_INSUFFICIENT) {
            is_int(o->remaining, cases[i].remaining, "outcome %zu: remaining",
                   i);
        }
    }

    is_int(fixture_counters(ledger, "CS").issued, 11, "outcomes: CS issued");
    is_int(fixture_counters(ledger, "CS").last, 2, "outcomes: CS last number");
    is_int(fixture_counters(ledger, "PS").issued, 750000,
           "outcomes: PS issued");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 6, "outcomes: verify");
}


/* what was told is what is read, for the longest name and the most shares */

static void
test_certificate(void)
{
    char                 name[STOCKCERT_TEXT_MAX + 1];
    uint64_t             begun;
    fixture_t            f;
    struct timespec      ts;
    stockcert_slot_t     slot;
    stockcert_entry_t    entry, last;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;
    stockcert_certificate_t  certificate;

    memset(&certificate, 0, sizeof(stockcert_certificate_t));
    memset(name, 'x', STOCKCERT_TEXT_MAX);
    name[STOCKCERT_TEXT_MAX] = '\0';

    fixture_make(&f, "certificate");
    fixture_class(&f, "ABCDEFG8", "Common Stock", STOCKCERT_SHARES_MAX);
    ledger = fixture_open(&f);

    clock_gettime(CLOCK_REALTIME, &ts);
    begun = (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;

    fixture_slot(&slot, "ABCDEFG8", name, STOCKCERT_SHARES_MAX);
    is_int(fixture_issue(ledger, &slot, 1), STOCKCERT_OK,
           "certificate: commit");
    is_int(slot.outcome.status, STOCKCERT_ISSUED, "certificate: issued");
    ok(slot.outcome.time >= begun && slot.outcome.time < begun + 60000000,
       "certificate: time is now");

    stockcert_ledger_snapshot(ledger, &error);
    is_int(stockcert_ledger_certificate(ledger, "ABCDEFG8", 8, 1,
                                        &certificate, &error),
           STOCKCERT_OK, "certificate: read");

    entry = certificate.issued;

    is_int(entry.kind, STOCKCERT_CERTIFICATE_ISSUED, "certificate: kind");
    is_int(entry.position, slot.outcome.position, "certificate: position");
    is_int(entry.time, slot.outcome.time, "certificate: time");
    is_int(entry.number, 1, "certificate: number");
    is_int(entry.shares, STOCKCERT_SHARES_MAX, "certificate: shares");
    is_mem(entry.code.data, entry.code.len, "ABCDEFG8", 8, "certificate: code");
    is_mem(entry.name.data, entry.name.len, name, 255, "certificate: holder");
    is_int(entry.key.len, 0, "certificate: no key");
    is_int(entry.nonce.len, STOCKCERT_NONCE_LEN, "certificate: its nonce");
    is_mem(entry.seal, STOCKCERT_SEAL_LEN, slot.outcome.seal,
           STOCKCERT_SEAL_LEN, "certificate: seal");
    is_int(certificate.surrender.position, 0, "certificate: is outstanding");

    is_int(stockcert_ledger_last(ledger, &last, &error), STOCKCERT_OK,
           "certificate: last entry");
    is_int(last.position, entry.position, "certificate: is the last entry");

    is_int(stockcert_ledger_certificate(ledger, "ABCDEFG8", 8, 0,
                                        &certificate, &error),
           STOCKCERT_NOT_FOUND, "no certificate 0");
    is_int(stockcert_ledger_certificate(ledger, "ABCDEFG8", 8, 2,
                                        &certificate, &error),
           STOCKCERT_NOT_FOUND, "no certificate 2");
    is_int(stockcert_ledger_certificate(ledger, "ABCDEFG8", 8, UINT64_MAX,
                                        &certificate, &error),
           STOCKCERT_NOT_FOUND, "no greatest certificate");
    is_int(stockcert_ledger_certificate(ledger, "XX", 2, 1, &certificate,
                                        &error),
           STOCKCERT_NOT_FOUND, "no certificate of no class");

    stockcert_ledger_release(ledger);
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 2, "certificate: verify");
}


static void
test_exhaustion(void)
{
    size_t               i;
    fixture_t            f;
    stockcert_slot_t     slots[6];
    stockcert_ledger_t  *ledger;

    static const struct {
        uint64_t             amount;
        stockcert_status_e   status;
        uint64_t             remaining;
    } cases[] = {
        { 7,          STOCKCERT_ISSUED,       3 },
        { 4,          STOCKCERT_INSUFFICIENT, 3 },
        { UINT64_MAX, STOCKCERT_INSUFFICIENT, 3 },
        { 2,          STOCKCERT_ISSUED,       1 },
        { 1,          STOCKCERT_ISSUED,       0 },
        { 1,          STOCKCERT_INSUFFICIENT, 0 }
    };

    fixture_make(&f, "exhaustion");
    fixture_class(&f, "A", "Ten", 10);
    fixture_class(&f, "B", "Ten, too", 10);
    ledger = fixture_open(&f);

    /* the same in one transaction and in six */

    for (i = 0; i < 6; i++) {
        fixture_slot(&slots[i], "A", "Salt Bae", cases[i].amount);
    }

    is_int(fixture_issue(ledger, slots, 6), STOCKCERT_OK, "A: commit");

    for (i = 0; i < 6; i++) {
        is_int(slots[i].outcome.status, cases[i].status, "A %zu: status", i);

        if (slots[i].outcome.status == STOCKCERT_INSUFFICIENT) {
            is_int(slots[i].outcome.remaining, cases[i].remaining,
                   "A %zu: remaining", i);
        }

        fixture_slot(&slots[i], "B", "Salt Bae", cases[i].amount);
        is_int(fixture_issue(ledger, &slots[i], 1), STOCKCERT_OK,
               "B %zu: commit", i);
        is_int(slots[i].outcome.status, cases[i].status, "B %zu: status", i);

        if (slots[i].outcome.status == STOCKCERT_INSUFFICIENT) {
            is_int(slots[i].outcome.remaining, cases[i].remaining,
                   "B %zu: remaining", i);
        }
    }

    is_int(fixture_counters(ledger, "A").issued, 10, "A: to the last share");
    is_int(fixture_counters(ledger, "A").last, 3, "A: three certificates");
    is_int(fixture_counters(ledger, "B").issued, 10, "B: to the last share");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 8, "exhaustion: verify");
}


/* several calls in a transaction go on from each other */

static void
test_calls(void)
{
    int                  i;
    fixture_t            f;
    stockcert_slot_t     slot;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make(&f, "calls");
    fixture_class(&f, "A", "Ten", 10);
    ledger = fixture_open(&f);

    is_int(stockcert_ledger_begin(ledger, &error), STOCKCERT_OK,
           "calls: begin");
    is_int(stockcert_ledger_issue(ledger, NULL, 0, &error), STOCKCERT_OK,
           "calls: of no grants");

    for (i = 1; i <= 4; i++) {
        fixture_slot(&slot, "A", "Salt Bae", 3);
        is_int(stockcert_ledger_issue(ledger, &slot, 1, &error), STOCKCERT_OK,
               "calls %d: issue", i);

        if (i == 4) {
            is_int(slot.outcome.status, STOCKCERT_INSUFFICIENT,
                   "calls: too many shares");
            is_int(slot.outcome.remaining, 1, "calls: remaining");
            break;
        }

        is_int(slot.outcome.number, i, "calls %d: number", i);
        is_int(slot.outcome.position, i + 1, "calls %d: position", i);
    }

    is_int(stockcert_ledger_commit(ledger, &error), STOCKCERT_OK,
           "calls: commit");
    is_int(fixture_counters(ledger, "A").last, 3, "calls: last number");

    is_int(stockcert_ledger_begin(ledger, &error), STOCKCERT_OK,
           "calls: begin for nothing");
    is_int(stockcert_ledger_commit(ledger, &error), STOCKCERT_OK,
           "calls: commit of nothing");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 4, "calls: verify");
}


static void
test_abort(void)
{
    uint8_t              before[STOCKCERT_SEAL_LEN], after[STOCKCERT_SEAL_LEN];
    fixture_t            f;
    stockcert_slot_t     slots[2];
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make(&f, "abort");
    fixture_class(&f, "A", "Ten", 10);
    ledger = fixture_open(&f);
    fixture_digest(&f, before);

    fixture_slot(&slots[0], "A", "Salt Bae", 6);
    fixture_slot(&slots[1], "A", "Salt Bae", 4);

    is_int(stockcert_ledger_begin(ledger, &error), STOCKCERT_OK,
           "abort: begin");
    is_int(stockcert_ledger_issue(ledger, slots, 2, &error), STOCKCERT_OK,
           "abort: issue");
    is_int(slots[1].outcome.number, 2, "abort: all ten shares");
    stockcert_ledger_abort(ledger);

    fixture_digest(&f, after);
    is_mem(after, sizeof(after), before, sizeof(before), "abort: no trace");
    is_int(fixture_counters(ledger, "A").issued, 0, "abort: no shares");
    is_int(fixture_counters(ledger, "A").last, 0, "abort: no number");

    is_int(fixture_issue(ledger, slots, 2), STOCKCERT_OK, "abort: once more");
    is_int(slots[0].outcome.status, STOCKCERT_ISSUED, "abort: 6 shares issued");
    is_int(slots[0].outcome.number, 1, "abort: as number 1");
    is_int(slots[0].outcome.position, 2, "abort: as entry 2");
    is_int(slots[1].outcome.status, STOCKCERT_ISSUED, "abort: 4 shares issued");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 3, "abort: verify");
}
