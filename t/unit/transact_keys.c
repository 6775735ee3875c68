
/*
 * Idempotency keys of grants and of orders, and what a grant's replay says of a
 * certificate that is no longer outstanding.
 */


#include "ordered.h"


static void test_keys(void);
static void test_replayed_grants(void);
static void test_grants_asked(void);


int
main(void)
{
    fixture_begin();

    test_keys();
    test_replayed_grants();
    test_grants_asked();

    fixture_end();

    return tap_done();
}


/* one space for grants and orders, and looked up before all else */

static void
test_keys(void)
{
    size_t                   i;
    fixture_t                f;
    stockcert_ledger_t      *ledger;
    stockcert_outcome_t      outcome;
    stockcert_transacted_t   done;

    static const char  cancel[] = ORDER("cancel", "\"CS-1\"", "");
    static const char  moved[] = "{ \"reference\": \"Deed\\u0020\\u0037\", "
                                 "\"from\": [\"CS-1\"], \"type\": \"cancel\" }";
    static const char  more[] = ORDER("cancel", "\"CS-1\"", ",\"amount\":10");

    ledger = ordered_make(&f, "keys");

    done = transact(ledger, cancel, "key");
    is_int(done.transaction, 8, "keys: entered");

    for (i = 0; i < 2; i++) {
        done = transact(ledger, i ? moved : cancel, "key");
        is_int(done.status, STOCKCERT_ISSUED, "keys: %zu: replayed", i);
        is_int(done.replayed, 1, "keys: %zu: and it says so", i);
        is_int(done.transaction, 8, "keys: %zu: its number", i);

        /* then by another who opens the ledger */

        stockcert_ledger_close(ledger);
        ledger = fixture_open(&f);
    }

    is_int(transact(ledger, cancel, NULL).status, STOCKCERT_NOT_OUTSTANDING,
           "keys: without one, it is another order");
    is_int(transact(ledger, cancel, "other").status, STOCKCERT_NOT_OUTSTANDING,
           "keys: with another one, too");
    is_int(transact(ledger, more, "key").status, STOCKCERT_KEY_REUSED,
           "keys: for an order that says the same in other words");
    is_int(transact(ledger, ORDER("cancel", "\"XX-9\"", ""), "key").status,
           STOCKCERT_KEY_REUSED, "keys: before what the ledger has");
    is_int(transact(ledger, ORDER("cancel", "\"CS-2\"", ""), "cs2").status,
           STOCKCERT_KEY_REUSED, "keys: a grant's");

    outcome = grant(ledger, GRANT("CS", "Ann", "10", ""), "key");
    is_int(outcome.status, STOCKCERT_KEY_REUSED,
           "keys: an order's, by a grant");
    outcome = grant(ledger, GRANT("CS", "Ann", "999", ""), "key");
    is_int(outcome.status, STOCKCERT_KEY_REUSED,
           "keys: and by one that is too much");

    /* one that was refused left its key free */

    outcome = grant(ledger, GRANT("CS", "Ann", "1", ""), "other");
    is_int(outcome.status, STOCKCERT_ISSUED, "keys: that of a refused order");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 9, "keys: verify");
}


/* the same outcome as ever, and what has become of the certificate */

static void
test_replayed_grants(void)
{
    fixture_t             f;
    stockcert_error_t     error;
    stockcert_ledger_t   *ledger;
    stockcert_outcome_t   first, again;
    stockcert_entry_t     entry;

    static const char  json[] = GRANT("CS", "Ann", "10", "");

    ledger = ordered_make(&f, "replayed");

    first = grant(ledger, json, "cs1");
    is_int(first.replayed, 1, "replayed grant: outstanding");
    is_int(first.transaction, 0, "replayed grant: no transaction");

    transact(ledger, ORDER("reissue", "\"CS-2\",\"CS-1\"", ""), NULL);

    again = grant(ledger, json, "cs1");
    is_int(again.status, STOCKCERT_ISSUED, "surrendered: its status");
    is_int(again.replayed, 1, "surrendered: replayed");
    is_int(again.number, 1, "surrendered: its number");
    is_int(again.position, 3, "surrendered: its entry");
    is_int(again.time, first.time, "surrendered: its time");
    is_mem(again.seal, STOCKCERT_SEAL_LEN, first.seal, STOCKCERT_SEAL_LEN,
           "surrendered: its seal");
    is_int(again.transaction, 8, "surrendered: by which transaction");
    is_int(again.cancelled, 0, "surrendered: something came of it");

    stockcert_ledger_snapshot(ledger, &error);
    stockcert_ledger_entry(ledger, 9, &entry, &error);
    is_int(again.surrendered, entry.time, "surrendered: when");
    stockcert_ledger_release(ledger);

    transact(ledger, ORDER("cancel", "\"CS-3\"", ",\"amount\":1"), NULL);
    again = grant(ledger, GRANT("CS", "Bob", "30", ",\"holder_id\":\"b\","
                        "\"address\":\"1 Main St\",\"capacity\":\"trustee\""),
                  "cs3");
    is_int(again.transaction, 11, "cancelled in part: by which transaction");
    is_int(again.cancelled, 0, "cancelled in part: a balance came of it");

    transact(ledger, ORDER("cancel", "\"PS-1\"", ""), NULL);
    again = grant(ledger, GRANT("PS", "Ann", "5", ""), "ps1");
    is_int(again.transaction, 13, "cancelled: by which transaction");
    is_int(again.cancelled, 1, "cancelled: nothing came of it");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 13, "replayed grants: verify");
}


/* a replay is of all that was asked for, whoever asked */

static void
test_grants_asked(void)
{
    size_t                i;
    fixture_t             f;
    stockcert_ledger_t   *ledger;
    stockcert_outcome_t   outcome;

    static const struct {
        const char  *with;
        const char  *other;
    } cases[] = {
        { GRANT("PS", "Eve", "1", ",\"holder_id\":\"e\""),
          GRANT("PS", "Eve", "1", ",\"holder_id\":\"f\"") },
        { GRANT("PS", "Eve", "1", ",\"address\":\"1 Main St\""),
          GRANT("PS", "Eve", "1", ",\"address\":\"1 Main S\"") },
        { GRANT("PS", "Eve", "1", ",\"capacity\":\"trustee\""),
          GRANT("PS", "Eve", "1", ",\"address\":\"trustee\"") },
        { GRANT("PS", "Eve", "1", ",\"price\":\"0 USD\""),
          GRANT("PS", "Eve", "1", ",\"price\":\"0 EUR\"") },
        { GRANT("PS", "Eve", "1", ",\"effective\":\"2020-01-01\""),
          GRANT("PS", "Eve", "1", ",\"effective\":\"2020-01-02\"") },
        { GRANT("PS", "Eve", "1", ",\"reference\":\"A\""),
          GRANT("PS", "Eve", "1", ",\"reference\":\"B\"") }
    };

    static const char  plain[] = GRANT("PS", "Eve", "1", "");

    ledger = ordered_make(&f, "asked");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char  key[4] = { 'k', (char) ('0' + i), '\0' };

        outcome = grant_as(ledger, cases[i].with, key, "somebody");
        is_int(outcome.replayed, 0, "asked %zu: issued", i);

        outcome = grant_as(ledger, cases[i].with, key, "another");
        is_int(outcome.replayed, 1, "asked %zu: by another", i);
        outcome = grant(ledger, cases[i].with, key);
        is_int(outcome.replayed, 1, "asked %zu: by nobody", i);
        is_int(outcome.number, 2 + i, "asked %zu: the same", i);

        is_int(grant(ledger, cases[i].other, key).status, STOCKCERT_KEY_REUSED,
               "asked %zu: another", i);
        is_int(grant(ledger, plain, key).status, STOCKCERT_KEY_REUSED,
               "asked %zu: without", i);
    }

    grant_as(ledger, plain, "plain", "somebody");
    is_int(grant(ledger, plain, "plain").replayed, 1, "asked: a plain one");
    is_int(grant(ledger, cases[0].with, "plain").status, STOCKCERT_KEY_REUSED,
           "asked: with more");
    is_int(grant(ledger, GRANT("PS", "Eve", "1",
                               ",\"effective\":\"9999-12-31\""), NULL).status,
           STOCKCERT_NOT_YET, "asked: a date to come");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 14, "asked: verify");
}
