
/*
 * Who has a certificate: entries that give a holder an address or an id reach
 * all certificates of that holder, and those of nobody else.
 */


#include "ordered.h"

#include "stockcert_store.h"


static void test_chain(void);
static void test_prefixes(void);
static void test_ids(void);
static void test_refused(void);
static void test_same(void);
static void change(stockcert_ledger_t *ledger, uint64_t number,
    const char *address, const char *id);
static const char *who(stockcert_ledger_t *ledger, uint64_t number);


int
main(void)
{
    fixture_begin();

    test_chain();
    test_prefixes();
    test_ids();
    test_refused();
    test_same();

    fixture_end();

    return tap_done();
}


/* from a name to an id to an address, for all that were there before */

static void
test_chain(void)
{
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "chain");
    ledger = fixture_open(&f);

    grant(ledger, GRANT("CS", "Ann", "1", ""), NULL);
    grant(ledger, GRANT("CS", "Ann", "1", ",\"address\":\"0 Old Rd\""), NULL);

    change(ledger, 1, "1 Main St", "");
    is_str(who(ledger, 1), "Ann//1 Main St", "chain: an address");
    is_str(who(ledger, 2), "Ann//1 Main St", "chain: in place of another");

    grant(ledger, GRANT("CS", "Ann", "1", ",\"address\":\"2 New Rd\""), NULL);
    is_str(who(ledger, 3), "Ann//2 New Rd", "chain: a later certificate's own");
    is_str(who(ledger, 1), "Ann//1 Main St", "chain: is that one's only");

    change(ledger, 2, "", "a");
    is_str(who(ledger, 1), "Ann/a/1 Main St", "chain: an id");
    is_str(who(ledger, 3), "Ann/a/2 New Rd", "chain: for the later one, too");

    grant(ledger, GRANT("CS", "Ann", "1", ""), NULL);
    is_str(who(ledger, 4), "Ann//", "chain: another Ann, from then on");

    change(ledger, 4, "4 Elm St", "");
    is_str(who(ledger, 4), "Ann//4 Elm St", "chain: her address");
    is_str(who(ledger, 1), "Ann/a/1 Main St", "chain: is not the first one's");

    grant(ledger, GRANT("CS", "Ann Lee", "1", ",\"holder_id\":\"a\""), NULL);
    change(ledger, 5, "5 Oak St", "");
    is_str(who(ledger, 1), "Ann/a/5 Oak St", "chain: name, id, address");
    is_str(who(ledger, 3), "Ann/a/5 Oak St", "chain: all of them");
    is_str(who(ledger, 5), "Ann Lee/a/5 Oak St", "chain: with each its name");
    is_str(who(ledger, 4), "Ann//4 Elm St", "chain: and nobody else");

    change(ledger, 1, "6 Oak St", "");
    is_str(who(ledger, 5), "Ann Lee/a/6 Oak St", "chain: the latest");

    /* the other one gets the same id: she is the same from then on */

    change(ledger, 4, "", "a");
    is_str(who(ledger, 4), "Ann/a/4 Elm St", "chain: an id that is there");
    change(ledger, 4, "7 Oak St", "");
    is_str(who(ledger, 1), "Ann/a/7 Oak St", "chain: one holder");
    is_str(who(ledger, 4), "Ann/a/7 Oak St", "chain: both of them");

    /* a balance says it all */

    transact(ledger, ORDER("cancel", "\"CS-3\",\"CS-1\",\"CS-4\"",
                           ",\"amount\":1"), NULL);
    is_str(certificate_line(ledger, "CS", 6),
           "Ann/a/7 Oak St/ 2 balance, outstanding", "chain: a balance");

    stockcert_ledger_close(ledger);
    ok(verified_ledger(&f) > 0, "chain: verify");
}


/* names and ids that begin in the same way, or are equal */

static void
test_prefixes(void)
{
    char                 json[200];
    size_t               i;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    static const struct {
        const char  *grant;
        const char  *address;
        const char  *who;
    } cases[] = {
        { GRANT("CS", "A", "2", ""), "1 St", "A//1 St" },
        { GRANT("CS", "An", "2", ""), "2 St", "An//2 St" },
        { GRANT("CS", "Ann", "2", ""), "3 St", "Ann//3 St" },
        { GRANT("CS", "Ann ", "2", ""), "4 St", "Ann //4 St" },
        { GRANT("CS", "Anne", "2", ""), "5 St", "Anne//5 St" },
        { GRANT("CS", "Ann", "2", ",\"holder_id\":\"A\""), "6 St",
          "Ann/A/6 St" },
        { GRANT("CS", "Ann", "2", ",\"holder_id\":\"An\""), "7 St",
          "Ann/An/7 St" },
        { GRANT("CS", "A", "2", ",\"holder_id\":\"Ann\""), "8 St",
          "A/Ann/8 St" },
        { GRANT("CS", "nA", "2", ""), "9 St", "nA//9 St" },
        { GRANT("CS", "iA", "2", ""), "10 St", "iA//10 St" },
        { GRANT("CS", "\\u00e9", "2", ""), "11 St", "\xc3\xa9//11 St" },
        { GRANT("CS", "Zed", "2", ""), "", "Zed//" }
    };

    fixture_make_default(&f, "prefixes");
    ledger = fixture_open(&f);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        grant(ledger, cases[i].grant, NULL);
    }

    /* the last of them first, so that others are behind each */

    while (i--) {
        if (cases[i].address[0]) {
            change(ledger, i + 1, cases[i].address, "");
        }
    }

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_str(who(ledger, i + 1), cases[i].who, "prefixes: %s", cases[i].who);
    }

    /* "verify" looks who has a balance, in a way of its own */

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(json, sizeof(json), ORDER("cancel", "\"CS-%zu\"",
                                           ",\"amount\":1"), i + 1);
        is_int(transact(ledger, json, NULL).status, STOCKCERT_ISSUED,
               "prefixes: a balance of %s", cases[i].who);
    }

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 2 + 12 + 11 + 24, "prefixes: verify");
}


/* two of one name and different ids are two, whatever they were before */

static void
test_ids(void)
{
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "ids");
    ledger = fixture_open(&f);

    grant(ledger, GRANT("CS", "Ann", "1", ",\"holder_id\":\"x\""), NULL);
    grant(ledger, GRANT("CS", "Ann", "1", ",\"holder_id\":\"y\""), NULL);
    grant(ledger, GRANT("CS", "Ann", "1", ""), NULL);

    change(ledger, 1, "1 St", "");
    is_str(who(ledger, 1), "Ann/x/1 St", "ids: one");
    is_str(who(ledger, 2), "Ann/y/", "ids: the other");
    is_str(who(ledger, 3), "Ann//", "ids: and the third, without");

    change(ledger, 2, "2 St", "");
    change(ledger, 3, "3 St", "z");
    is_str(who(ledger, 1), "Ann/x/1 St", "ids: the first stays");
    is_str(who(ledger, 2), "Ann/y/2 St", "ids: the second");
    is_str(who(ledger, 3), "Ann/z/3 St", "ids: id and address at once");

    is_int(transact(ledger, ORDER("cancel", "\"CS-1\",\"CS-2\"", ""),
                    NULL).status, STOCKCERT_INVALID, "ids: two holders");
    is_int(transact(ledger, ORDER("cancel", "\"CS-1\",\"CS-3\"", ""),
                    NULL).status, STOCKCERT_INVALID, "ids: or of an id given");

    grant(ledger, GRANT("CS", "Joe", "1", ",\"holder_id\":\"z\""), NULL);
    is_int(transact(ledger, ORDER("reissue", "\"CS-4\",\"CS-3\"", ""),
                    NULL).status, STOCKCERT_ISSUED, "ids: one, of two names");
    is_str(certificate_line(ledger, "CS", 5), "Ann/z/3 St/ 2, outstanding",
           "ids: as the last certificate has it");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 12, "ids: verify");
}


static void
test_refused(void)
{
    size_t               i;
    fixture_t            f;
    stockcert_error_t    error;
    stockcert_entry_t    entry;
    stockcert_ledger_t  *ledger;

    static const struct {
        uint64_t     number;
        const char  *address;
        const char  *id;
        const char  *words;
    } cases[] = {
        { 4, "1 St", "", "CS-4 was never issued" },
        { 2, "1 St", "", "CS-2 is cancelled already, by transaction 6" },
        { 1, "", "", "it says neither an id nor an address" },
        { 3, "", "y", "the holder of CS-3 has an id, \"x\", which stays" },
        { 3, "", "x", "the holder of CS-3 has an id" },
        { 1, " ", "", "the address must not be only white space" }
    };

    fixture_make_default(&f, "refused");
    ledger = fixture_open(&f);

    grant(ledger, GRANT("CS", "Ann", "1", ""), NULL);
    grant(ledger, GRANT("CS", "Ann", "1", ""), NULL);
    grant(ledger, GRANT("CS", "Bob", "1", ",\"holder_id\":\"x\""), NULL);
    transact(ledger, ORDER("cancel", "\"CS-2\"", ""), NULL);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&entry, 0, sizeof(stockcert_entry_t));

        entry.kind = STOCKCERT_HOLDER_CHANGED;
        entry.code = fixture_str("CS");
        entry.number = cases[i].number;
        entry.address = fixture_str(cases[i].address);
        entry.holder_id = fixture_str(cases[i].id);
        entry.reference = fixture_str("Letter");

        is_int(fixture_enter(ledger, &entry, &error), STOCKCERT_REFUSED,
               "refused %zu", i);
        ok(strstr(error.text, cases[i].words) != NULL, "refused %zu: %s", i,
           error.text);
    }

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 6, "refused: verify");
}


static void
test_same(void)
{
    size_t              i;
    stockcert_holder_t  one, two;

    static const struct {
        const char  *names[2];
        const char  *ids[2];
        int          same;
    } cases[] = {
        { { "Ann", "Ann" }, { "", "" }, 1 },
        { { "Ann", "Anne" }, { "", "" }, 0 },
        { { "Ann", "Bob" }, { "x", "x" }, 1 },
        { { "Ann", "Ann" }, { "x", "y" }, 0 },
        { { "Ann", "Ann" }, { "x", "xy" }, 0 },
        { { "Ann", "Ann" }, { "x", "" }, 0 },
        { { "x", "Ann" }, { "", "x" }, 0 }
    };

    memset(&one, 0, sizeof(stockcert_holder_t));
    memset(&two, 0, sizeof(stockcert_holder_t));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        one.name_len = (uint8_t) strlen(strcpy(one.name, cases[i].names[0]));
        two.name_len = (uint8_t) strlen(strcpy(two.name, cases[i].names[1]));
        one.id_len = (uint8_t) strlen(strcpy(one.id, cases[i].ids[0]));
        two.id_len = (uint8_t) strlen(strcpy(two.id, cases[i].ids[1]));

        is_int(stockcert_holder_same(&one, &two), cases[i].same,
               "same: %zu", i);
        is_int(stockcert_holder_same(&two, &one), cases[i].same,
               "same: %zu, the other way round", i);
    }
}


static void
change(stockcert_ledger_t *ledger, uint64_t number, const char *address,
    const char *id)
{
    stockcert_error_t  error;
    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_HOLDER_CHANGED;
    entry.code = fixture_str("CS");
    entry.number = number;
    entry.address = fixture_str(address);
    entry.holder_id = fixture_str(id);
    entry.reference = fixture_str("Letter");

    if (fixture_enter(ledger, &entry, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot change a holder: %s", error.text);
    }
}


/* "name/id/address" of who has a certificate of CS now */

static const char *
who(stockcert_ledger_t *ledger, uint64_t number)
{
    static char               line[ORDERED_LINE];
    stockcert_error_t         error;
    stockcert_holder_t        holder;
    stockcert_certificate_t   certificate;

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK
        || stockcert_ledger_certificate(ledger, "CS", 2, number, &certificate,
                                        &error)
           != STOCKCERT_OK
        || stockcert_holder_get(ledger, ledger->reader, &certificate.issued,
                                &holder, &error)
           != STOCKCERT_OK)
    {
        tap_bail_out("cannot read CS-%d", (int) number);
    }

    snprintf(line, sizeof(line), "%.*s/%.*s/%.*s",
             (int) holder.name_len, holder.name, (int) holder.id_len, holder.id,
             (int) holder.address_len, holder.address);

    stockcert_ledger_release(ledger);

    return line;
}
