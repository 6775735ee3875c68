
/*
 * Transactions on certificates: every type, and what is refused and why.
 */


#include "ordered.h"


static void test_types(void);
static void test_refused(void);
static void test_missing_first(void);
static void test_effective(void);
static void test_full_class(void);
static void test_open_group(void);
static void test_members(void);
static void test_transactions(void);


int
main(void)
{
    fixture_begin();

    test_types();
    test_refused();
    test_missing_first();
    test_effective();
    test_full_class();
    test_open_group();
    test_members();
    test_transactions();

    fixture_end();

    return tap_done();
}


static const struct {
    const char  *what;
    const char  *json;
    uint64_t     transaction;
    uint64_t     issued;           /* of CS, after it */
    const char  *lines[7];         /* of "from", then of what it issued */
} types[] = {
    { "transfer, of two, with a balance",
      ORDER("transfer", "\"CS-2\",\"CS-1\"", ",\"to\":["
            ITEM("Bob", "4",
                 ",\"holder_id\":\"b\",\"address\":\"2 Elm St\"") ","
            ITEM("Eve", "6", ",\"capacity\":\"pledgee\"") "]"),
      8, 100, { "2 Ann/// 20, surrendered by 8",
                "1 Ann/// 10, surrendered by 8",
                "5 Bob/b/2 Elm St/ 4, outstanding",
                "6 Eve///pledgee 6, outstanding",
                "7 Ann/// 20 balance, outstanding" } },
    { "transfer, without a balance",
      ORDER("transfer", "\"CS-5\"", ",\"to\":[" ITEM("Ann", "4", "") "]"),
      13, 100, { "5 Bob/b/2 Elm St/ 4, surrendered by 13",
                 "8 Ann/// 4, outstanding" } },
    { "reissue, joining two",
      ORDER("reissue", "\"CS-7\",\"CS-8\"", ",\"reason\":\"joining\""),
      15, 100, { "7 Ann/// 20 balance, surrendered by 15",
                 "8 Ann/// 4, surrendered by 15",
                 "9 Ann/// 24, outstanding" } },
    { "reissue, a division",
      ORDER("reissue", "\"CS-9\"", ",\"to\":["
            ITEM("Ann", "20", "") "," ITEM("Ann", "4", "") "]"),
      18, 100, { "9 Ann/// 24, surrendered by 18",
                 "10 Ann/// 20, outstanding",
                 "11 Ann/// 4, outstanding" } },
    { "reissue, with an id for who had none",
      ORDER("reissue", "\"CS-11\"", ",\"to\":["
            ITEM("Ann", "4", ",\"holder_id\":\"ann\"") "]"),
      21, 100, { "11 Ann/// 4, surrendered by 21",
                 "12 Ann/ann// 4, outstanding" } },
    { "reissue, a new name, by its reason",
      ORDER("reissue", "\"CS-10\"", ",\"reason\":\"name\",\"to\":["
            ITEM("Ann Roe", "20", "") "]"),
      23, 100, { "10 Ann/// 20, surrendered by 23",
                 "13 Ann Roe/// 20, outstanding" } },
    { "reissue, of one with all fields",
      ORDER("reissue", "\"CS-3\"", ""),
      25, 100, { "3 Bob/b/1 Main St/trustee 30, surrendered by 25",
                 "14 Bob/b/1 Main St/trustee 30, outstanding" } },
    { "repurchase, of some",
      ORDER("repurchase", "\"CS-14\"", ",\"amount\":10,"
            "\"price\":\"0.01 USD\""),
      27, 90, { "14 Bob/b/1 Main St/trustee 30, surrendered by 27",
                "15 Bob/b/1 Main St/trustee 20 balance, outstanding" } },
    { "repurchase, of all",
      ORDER("repurchase", "\"CS-12\"", ",\"price\":\"0 USD\""),
      29, 86, { "12 Ann/ann// 4, cancelled by 29" } },
    { "cancel, of some",
      ORDER("cancel", "\"CS-4\"", ",\"amount\":1"),
      30, 85, { "4 Ann/a// 40, surrendered by 30",
                "16 Ann/a// 39 balance, outstanding" } },
    { "cancel, of all, which is said",
      ORDER("cancel", "\"CS-6\"", ",\"amount\":6"),
      32, 79, { "6 Eve///pledgee 6, cancelled by 32" } },
    { "correct, to others, and less",
      ORDER("correct", "\"CS-16\"", ",\"corrects\":6,\"to\":["
            ITEM("Eve", "30", "") "," ITEM("Bob", "2", "") "]"),
      33, 72, { "16 Ann/a// 39 balance, surrendered by 33",
                "17 Eve/// 30, outstanding", "18 Bob/// 2, outstanding" } },
    { "correct, to nobody",
      ORDER("correct", "\"CS-18\"", ",\"corrects\":33,\"to\":[]"),
      36, 70, { "18 Bob/// 2, cancelled by 36" } },
    { "transfer, in another class",
      ORDER("transfer", "\"PS-1\"", ",\"to\":[" ITEM("Bob", "1", "") "]"),
      37, 70, { NULL } },
    { "reissue, a new name, by its id, in two",
      ORDER("reissue", "\"CS-15\"", ",\"to\":["
            ITEM("Bob Lee", "19", ",\"holder_id\":\"b\"") ","
            ITEM("Bob Lee", "1", ",\"holder_id\":\"b\"") "]"),
      40, 70, { "15 Bob/b/1 Main St/trustee 20 balance, surrendered by 40",
                "19 Bob Lee/b// 19, outstanding",
                "20 Bob Lee/b// 1, outstanding" } }
};


/* each finds what those before it left */

static void
test_types(void)
{
    char                    *line;
    size_t                   i, n;
    uint64_t                 number;
    fixture_t                f;
    stockcert_ledger_t      *ledger;
    stockcert_transacted_t   done;

    ledger = ordered_make(&f, "types");

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        done = transact(ledger, types[i].json, NULL);

        is_int(done.status, STOCKCERT_ISSUED, "%s: %s", types[i].what,
               done.status == STOCKCERT_INVALID ? done.detail : "entered");
        is_int(done.transaction, types[i].transaction, "%s: its number",
               types[i].what);
        is_int(done.replayed, 0, "%s: for the first time", types[i].what);
        is_int(fixture_counters(ledger, "CS").issued, types[i].issued,
               "%s: shares out", types[i].what);

        for (n = 0; types[i].lines[n]; n++) {
            number = strtoul(types[i].lines[n], &line, 10);

            is_str(certificate_line(ledger, "CS", number), line + 1,
                   "%s: CS-%d", types[i].what, (int) number);
        }
    }

    is_str(certificate_line(ledger, "PS", 3), "Ann/// 4 balance, outstanding",
           "another class: the balance");
    is_str(certificate_line(ledger, "CS", 21), "none", "and nothing besides");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 42, "types: verify");
}


static const struct {
    const char  *json;
    const char  *member;
    const char  *words;
} refused[] = {
    { ORDER("transfer", "\"CS-1\"", ",\"to\":[" ITEM("Bob", "11", "") "]"),
      "to", "adds up to 11 shares, the certificates have 10" },
    { ORDER("correct", "\"CS-1\"", ",\"corrects\":3,\"to\":["
            ITEM("Bob", "6", "") "," ITEM("Bob", "5", "") "]"),
      "to", "adds up to 11 shares" },
    { ORDER("transfer", "\"CS-1\"", ",\"to\":["
            ITEM("Bob", "9007199254740991", "") ","
            ITEM("Bob", "9007199254740991", "") "]"),
      "to", "adds up to 18014398509481982 shares" },
    { ORDER("reissue", "\"CS-1\"", ",\"to\":[" ITEM("Ann", "9", "") "]"),
      "to", "adds up to 9 shares, and must be all 10 of them" },
    { ORDER("reissue", "\"CS-1\"", ",\"to\":[" ITEM("Bob", "10", "") "]"),
      "to", "is for the same holder" },
    { ORDER("reissue", "\"CS-1\"", ",\"reason\":\"lost\",\"to\":["
            ITEM("Ann", "5", "") "," ITEM("Ann Lee", "5", "") "]"),
      "to", "is for the same holder" },
    { ORDER("reissue", "\"CS-1\"", ",\"reason\":\"name\",\"to\":["
            ITEM("Ann Lee", "5", "") "," ITEM("Ann Roe", "5", "") "]"),
      "to", "is for the same holder" },
    { ORDER("reissue", "\"CS-1\"", ",\"to\":[" ITEM("Ann", "5", "") ","
            ITEM("Ann", "5", ",\"holder_id\":\"ann\"") "]"),
      "to", "is for the same holder" },
    { ORDER("reissue", "\"CS-1\"", ",\"to\":["
            ITEM("Ann", "5", ",\"holder_id\":\"ann\"") ","
            ITEM("Ann", "5", "") "]"),
      "to", "is for the same holder" },
    { ORDER("reissue", "\"CS-3\"", ",\"reason\":\"name\",\"to\":["
            ITEM("Robert", "30", "") "]"),
      "to", "is for the same holder" },
    { ORDER("reissue", "\"CS-3\"", ",\"to\":["
            ITEM("Bob", "30", ",\"holder_id\":\"c\"") "]"),
      "to", "is for the same holder" },
    { ORDER("repurchase", "\"CS-1\"", ",\"price\":\"1 USD\",\"amount\":11"),
      "amount", "must be at most 10" },
    { ORDER("cancel", "\"CS-1\",\"CS-2\"", ",\"amount\":31"),
      "amount", "must be at most 30" },
    { ORDER("cancel", "\"CS-1\",\"CS-3\"", ""),
      "from", "CS-3 has another holder than the certificate before it" },
    { ORDER("cancel", "\"CS-1\",\"CS-4\"", ""),
      "from", "CS-4 has another holder" },
    { ORDER("correct", "\"CS-1\"", ",\"corrects\":8,\"to\":[]"),
      "corrects", "there is no entry 8 to correct" },
    { ORDER("cancel", "\"CS-1\"", ",\"effective\":\"9999-12-31\""),
      "effective", "must not be later than that of the entry" },
    { ORDER("cancel", "\"CS-1\"", ",\"effective\":\"2020-01-01\""),
      "effective", "is before that of CS-1" }
};


/* nothing is entered, and who asked is told of which member and why */

static void
test_refused(void)
{
    size_t                   i;
    uint8_t                  before[STOCKCERT_SEAL_LEN];
    uint8_t                  after[STOCKCERT_SEAL_LEN];
    fixture_t                f;
    stockcert_ledger_t      *ledger;
    stockcert_transacted_t   done;

    ledger = ordered_make(&f, "refused");
    fixture_digest(&f, before);

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        done = transact(ledger, refused[i].json, NULL);

        is_int(done.status, STOCKCERT_INVALID, "%s", refused[i].json);
        is_str(done.member ? done.member : "none", refused[i].member,
               "refused %zu: its member", i);
        ok(strstr(done.detail, refused[i].words) != NULL, "refused %zu: %s", i,
           done.detail);
    }

    fixture_digest(&f, after);
    is_mem(after, sizeof(after), before, sizeof(before), "refused: no trace");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 7, "refused: verify");
}


/* one that was never issued, then one that is gone: the first of them */

static void
test_missing_first(void)
{
    size_t                   i;
    fixture_t                f;
    stockcert_ledger_t      *ledger;
    stockcert_transacted_t   done;

    static const struct {
        const char          *json;
        stockcert_status_e   status;
        size_t               at;
        uint64_t             transaction;
    } cases[] = {
        { ORDER("cancel", "\"CS-9\"", ""), STOCKCERT_NEVER_ISSUED, 0, 0 },
        { ORDER("cancel", "\"XX-1\"", ""), STOCKCERT_NEVER_ISSUED, 0, 0 },
        { ORDER("cancel", "\"PS-2\"", ""), STOCKCERT_NEVER_ISSUED, 0, 0 },
        { ORDER("cancel", "\"CS-2\",\"CS-8\",\"CS-9\"", ""),
          STOCKCERT_NEVER_ISSUED, 1, 0 },
        { ORDER("cancel", "\"CS-1\",\"CS-3\",\"CS-9\"", ""),
          STOCKCERT_NEVER_ISSUED, 2, 0 },
        { ORDER("cancel", "\"CS-1\"", ""), STOCKCERT_NOT_OUTSTANDING, 0, 8 },
        { ORDER("cancel", "\"CS-2\",\"CS-3\",\"CS-1\"", ""),
          STOCKCERT_NOT_OUTSTANDING, 1, 9 },

        /* what the ledger has of it goes before sums */

        { ORDER("cancel", "\"CS-3\"", ",\"amount\":31"),
          STOCKCERT_NOT_OUTSTANDING, 0, 9 },
        { ORDER("transfer", "\"CS-3\"", ",\"to\":[" ITEM("Eve", "31", "") "]"),
          STOCKCERT_NOT_OUTSTANDING, 0, 9 }
    };

    ledger = ordered_make(&f, "missing");

    transact(ledger, ORDER("cancel", "\"CS-1\"", ""), NULL);
    transact(ledger, ORDER("reissue", "\"CS-3\"", ""), NULL);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        done = transact(ledger, cases[i].json, NULL);

        is_int(done.status, cases[i].status, "%s", cases[i].json);
        is_int(done.at, cases[i].at, "missing %zu: which", i);

        if (done.status == STOCKCERT_NOT_OUTSTANDING) {
            is_int(done.transaction, cases[i].transaction,
                   "missing %zu: by which transaction", i);
        }
    }

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 10, "missing: verify");
}


/* as early as the latest of "from", whose date may be of its transaction */

static void
test_effective(void)
{
    fixture_t                f;
    stockcert_ledger_t      *ledger;
    stockcert_transacted_t   done;

    fixture_make_default(&f, "effective");
    ledger = fixture_open(&f);

    grant(ledger, GRANT("CS", "Ann", "10", ",\"effective\":\"2020-01-02\""),
          NULL);
    grant(ledger, GRANT("CS", "Ann", "10", ",\"effective\":\"2020-03-04\""),
          NULL);

    done = transact(ledger, ORDER("reissue", "\"CS-2\",\"CS-1\"",
                                  ",\"effective\":\"2020-03-03\""), NULL);
    is_int(done.status, STOCKCERT_INVALID, "effective: a day too early");
    ok(strstr(done.detail, "before that of CS-2, 2020-03-04") != NULL,
       "effective: %s", done.detail);

    done = transact(ledger, ORDER("reissue", "\"CS-1\"",
                                  ",\"effective\":\"2020-01-02\""), NULL);
    is_int(done.status, STOCKCERT_ISSUED, "effective: the same day");

    done = transact(ledger, ORDER("reissue", "\"CS-3\"",
                                  ",\"effective\":\"2020-01-01\""), NULL);
    is_int(done.status, STOCKCERT_INVALID,
           "effective: before the transaction's");
    is_str(done.member ? done.member : "none", "effective",
           "effective: its member");

    done = transact(ledger, ORDER("reissue", "\"CS-3\",\"CS-2\"",
                                  ",\"effective\":\"2020-03-04\""), NULL);
    is_int(done.status, STOCKCERT_ISSUED, "effective: the later day");

    /* none is that of the entry */

    done = transact(ledger, ORDER("reissue", "\"CS-4\"", ""), NULL);
    is_int(done.status, STOCKCERT_ISSUED, "effective: none");
    done = transact(ledger, ORDER("reissue", "\"CS-5\"",
                                  ",\"effective\":\"2020-03-04\""), NULL);
    is_int(done.status, STOCKCERT_INVALID, "effective: before it was recorded");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 11, "effective: verify");
}


/* no share is free between what is surrendered and what is issued for it */

static void
test_full_class(void)
{
    fixture_t             f;
    stockcert_ledger_t   *ledger;
    stockcert_outcome_t   outcome;

    ledger = ordered_make(&f, "full");

    outcome = grant(ledger, GRANT("CS", "Eve", "1", ""), NULL);
    is_int(outcome.status, STOCKCERT_INSUFFICIENT, "full: no share is left");

    transact(ledger, ORDER("transfer", "\"CS-4\"", ",\"to\":["
                           ITEM("Bob", "1", "") "]"), NULL);

    outcome = grant(ledger, GRANT("CS", "Eve", "1", ""), NULL);
    is_int(outcome.status, STOCKCERT_INSUFFICIENT, "full: after a transfer");
    is_int(outcome.remaining, 0, "full: nothing at all");

    transact(ledger, ORDER("repurchase", "\"CS-6\"", ",\"amount\":2,"
                           "\"price\":\"1 USD\""), NULL);

    outcome = grant(ledger, GRANT("CS", "Eve", "3", ""), NULL);
    is_int(outcome.status, STOCKCERT_INSUFFICIENT,
           "full: more than was bought back");
    is_int(outcome.remaining, 2, "full: which is left");
    outcome = grant(ledger, GRANT("CS", "Eve", "2", ""), NULL);
    is_int(outcome.status, STOCKCERT_ISSUED, "full: and may be issued again");
    is_int(outcome.number, 8, "full: under the next number");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 13, "full: verify");
}


/* a transaction of the ledger does not end with one that is open */

static void
test_open_group(void)
{
    size_t                i;
    uint8_t               before[STOCKCERT_SEAL_LEN], after[STOCKCERT_SEAL_LEN];
    fixture_t             f;
    stockcert_error_t     error;
    stockcert_entry_t     entries[3];
    stockcert_ledger_t   *ledger;

    ledger = ordered_make(&f, "open");
    fixture_digest(&f, before);

    fixture_cancel(&entries[0], "CS", 1, 10);
    entries[0].surrenders = 2;

    fixture_cancel(&entries[1], "CS", 1, 10);
    entries[1].type = STOCKCERT_TRANSFER;
    entries[1].issues = 1;

    memset(&entries[2], 0, sizeof(stockcert_entry_t));
    entries[2].kind = STOCKCERT_CLASS_AMENDED;
    entries[2].code = fixture_str("PS");
    entries[2].shares = 51;
    entries[2].reference = fixture_str("between");

    for (i = 0; i < 2; i++) {
        stockcert_ledger_begin(ledger, &error);
        is_int(stockcert_ledger_enter(ledger, &entries[i], &error),
               STOCKCERT_OK, "open %zu: its first", i);
        is_int(stockcert_ledger_commit(ledger, &error), STOCKCERT_FAILED,
               "open %zu: is not committed", i);
        is_str(error.text, "a transaction is not whole", "open %zu: why", i);

        stockcert_ledger_begin(ledger, &error);
        entries[i].position = entries[i].time = 0;
        entries[i].seal = NULL;
        entries[i].nonce.len = 0;
        stockcert_ledger_enter(ledger, &entries[i], &error);
        is_int(stockcert_ledger_enter(ledger, &entries[2], &error),
               STOCKCERT_REFUSED, "open %zu: something between", i);
        stockcert_ledger_abort(ledger);
    }

    fixture_digest(&f, after);
    is_mem(after, sizeof(after), before, sizeof(before), "open: no trace");

    is_int(transact(ledger, ORDER("cancel", "\"CS-1\"", ""), NULL).transaction,
           8, "open: then one that is whole");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 8, "open: verify");
}


/* the entries of a group: what the first says, and what all have */

static void
test_members(void)
{
    uint64_t              n, time;
    fixture_t             f;
    stockcert_error_t     error;
    stockcert_entry_t     entry;
    stockcert_order_t    *order;
    stockcert_ledger_t   *ledger;

    static const char  json[] = ORDER("transfer", "\"CS-1\",\"CS-2\"",
                                      ",\"to\":[" ITEM("Bob", "4", "") "]");

    ledger = ordered_make(&f, "members");
    transact(ledger, json, "key");
    order = ordered(json, "key");

    time = 0;
    stockcert_ledger_snapshot(ledger, &error);

    for (n = 8; n <= 11; n++) {
        is_int(stockcert_ledger_entry(ledger, n, &entry, &error), STOCKCERT_OK,
               "member %d", (int) n);
        is_int(entry.kind, n < 10 ? STOCKCERT_CERTIFICATE_SURRENDERED
                                  : STOCKCERT_CERTIFICATE_ISSUED,
               "member %d: kind", (int) n);
        is_int(entry.member, n - 7, "member %d: its number", (int) n);
        is_int(entry.type, n == 8 ? STOCKCERT_TRANSFER : 0,
               "member %d: type", (int) n);
        is_int(entry.surrenders, n == 8 ? 2 : 0, "member %d: surrenders",
               (int) n);
        is_int(entry.issues, n == 8 ? 2 : 0, "member %d: issues", (int) n);
        is_int(entry.nonce.len, n == 8 ? STOCKCERT_NONCE_LEN : 0,
               "member %d: nonce", (int) n);
        is_mem(entry.key.data, entry.key.len, "key", n == 8 ? 3 : 0,
               "member %d: key", (int) n);
        is_mem(entry.request.data, entry.request.len, order->hash,
               n == 8 ? STOCKCERT_HASH_LEN : 0, "member %d: request", (int) n);
        is_int(entry.reference.len, n == 8 ? 6 : 0, "member %d: reference",
               (int) n);

        time = time ? time : entry.time;
        is_int(entry.time, time, "member %d: time", (int) n);
    }

    stockcert_ledger_release(ledger);
    stockcert_order_free(order);
    stockcert_ledger_close(ledger);
}


static void
test_transactions(void)
{
    size_t               i, n;
    uint64_t             numbers[4];
    fixture_t            f;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    static const struct {
        uint64_t  after;
        size_t    limit;
        size_t    n;
        uint64_t  numbers[3];
    } cases[] = {
        { 0, 4, 3, { 8, 10, 11 } },
        { 0, 3, 3, { 8, 10, 11 } },
        { 0, 2, 2, { 8, 10 } },
        { 0, 0, 0, { 0 } },
        { 7, 4, 3, { 8, 10, 11 } },
        { 8, 4, 2, { 10, 11 } },
        { 9, 1, 1, { 10 } },
        { 10, 4, 1, { 11 } },
        { 11, 4, 0, { 0 } },
        { 255, 4, 0, { 0 } },
        { UINT64_MAX, 4, 0, { 0 } }
    };

    ledger = ordered_make(&f, "transactions");

    stockcert_ledger_snapshot(ledger, &error);
    n = 4;
    is_int(stockcert_ledger_transactions(ledger, 0, numbers, &n, &error),
           STOCKCERT_OK, "transactions: of a ledger without any");
    is_int(n, 0, "transactions: none");
    stockcert_ledger_release(ledger);

    transact(ledger, ORDER("reissue", "\"CS-1\"", ""), NULL);
    transact(ledger, ORDER("cancel", "\"CS-2\"", ""), NULL);
    transact(ledger, ORDER("transfer", "\"CS-3\"", ",\"to\":["
                           ITEM("Ann", "30", "") "]"), NULL);
    grant(ledger, GRANT("CS", "Ann", "1", ""), NULL);

    stockcert_ledger_snapshot(ledger, &error);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = cases[i].limit;

        is_int(stockcert_ledger_transactions(ledger, cases[i].after, numbers,
                                             &n, &error),
               STOCKCERT_OK, "transactions %zu", i);
        is_mem(numbers, n * sizeof(uint64_t), cases[i].numbers,
               cases[i].n * sizeof(uint64_t), "transactions %zu: numbers", i);
    }

    stockcert_ledger_release(ledger);
    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 13, "transactions: verify");
}
