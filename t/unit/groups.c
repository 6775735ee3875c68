
/*
 * One thing at a time that is wrong in transactions and with holders, in a journal
 * whose seals are right, as somebody could make it who knows how it is made:
 * "stockcert verify" names it.
 */


#include "verified.h"


#define MANY  400


typedef struct {
    edit_t     edits[8];       /* the first has the name and the words */
} case_t;


static void test_right(void);
static void test_cases(void);
static void test_many(void);
static void change_many(stockcert_ledger_t *ledger);
static void change(stockcert_ledger_t *ledger, const char *code,
    uint64_t number, const char *address, const char *id);
static const char *check(const edit_t *edits, size_t n,
    stockcert_verified_t *verified);


#define MEMBERS(n)                                                            \
    COUNT(n, TYPE, 0) }, { NULL, NULL, COUNT(n, SURRENDERS, 0) },              \
    { NULL, NULL, COUNT(n, ISSUES, 0) }, { NULL, NULL, COUNT(n, REASON, 0) },  \
    { NULL, NULL, TEXT(n, REFERENCE, "") }, { NULL, NULL, TEXT(n, NONCE, "")


/* the entries are those of verified_make_life(); words are NULL if it is right */

static const case_t  cases[] = {

    { { { "nothing", NULL, COUNT("\12", SHARES, 25) } } },

    /* open, short, interleaved */

    { { { "open", "journal: expected 3 members of transaction 22, found 2 and "
          "the end", DELETE, "journal", AT("\30") } } },
    { { { "open behind a surrender", "journal: expected 3 members of transaction "
          "22, found 1 and the end", DELETE, "journal", AT("\30") },
        { NULL, NULL, DELETE, "journal", AT("\27") } } },
    { { { "short", "entry 20: expected member 3 of transaction 18, found an entry "
          "of none", COUNT("\22", ISSUES, 2) } } },
    { { { "short at the end", "journal: expected 4 members of transaction 22, "
          "found 3 and the end", COUNT("\26", ISSUES, 3) },
        { NULL, NULL, COUNT("\30", BALANCE, 0) } } },
    { { { "long", "entry 16: expected none of a transaction, found member 2",
          COUNT("\17", ISSUES, 0) } } },
    { { { "an issue between", "entry 23: expected member 2 of transaction 22, "
          "found an entry of none", COUNT("\27", MEMBER, 0) } } },
    { { { "a change of a holder between", "entry 10: expected member 3 of "
          "transaction 8, found an entry of none", KIND("\12", 5) },
        { NULL, NULL, COUNT("\12", MEMBER, 0) },
        { NULL, NULL, COUNT("\12", SHARES, 0) },
        { NULL, NULL, TEXT("\12", NAME, "") },
        { NULL, NULL, TEXT("\12", REFERENCE, "x") } } },
    { { { "another transaction between", "entry 9: expected member 2 of "
          "transaction 8, found member 1", COUNT("\11", MEMBER, 1) },
        { NULL, NULL, COUNT("\11", TYPE, STOCKCERT_CANCEL) },
        { NULL, NULL, COUNT("\11", SURRENDERS, 1) },
        { NULL, NULL, TEXT("\11", REFERENCE, "x") } } },
    { { { "a member out of sequence", "entry 10: expected member 3 of "
          "transaction 8, found member 4", COUNT("\12", MEMBER, 4) } } },
    { { { "without its first", "entry 13: expected member 1 of a transaction, "
          "found member 2", MEMBERS("\15") },
        { NULL, NULL, COUNT("\15", MEMBER, 2) } } },
    { { { "an issue without its first", "entry 6: expected none of a transaction,"
          " found member 2", COUNT("\6", MEMBER, 2) },
        { NULL, NULL, TEXT("\6", NONCE, "") } } },
    { { { "an issue too early", "entry 10: expected \"surrendered\" in a "
          "transaction that surrenders 3, found \"issued\"",
          COUNT("\10", SURRENDERS, 3) } } },
    { { { "a surrender too late", "entry 9: expected \"issued\" in a transaction "
          "that surrenders 1, found \"surrendered\"",
          COUNT("\10", SURRENDERS, 1) } } },
    { { { "too many surrendered", "entry 8: the surrenders must be at most 100",
          COUNT("\10", SURRENDERS, 101) } } },
    { { { "too many issued", "entry 8: the issues must be at most 101",
          COUNT("\10", ISSUES, 102) } } },
    { { { "an unknown type", "entry 8: the type must be",
          COUNT("\10", TYPE, 6) } } },
    { { { "no type", "entry 8: the type must be there",
          COUNT("\10", TYPE, 0) } } },
    { { { "a price of a transfer", "entry 8: the price must not be there",
          TEXT("\10", PRICE, "1 USD") } } },
    { { { "a repurchase without a price", "entry 15: the price must be there",
          TEXT("\17", PRICE, "") } } },
    { { { "a reason of a transfer", "entry 8: the reason must not be there",
          COUNT("\10", REASON, STOCKCERT_REASON_LOST) } } },
    { { { "a correction of nothing", "entry 18: the corrects must be there",
          COUNT("\22", CORRECTS, 0) } } },
    { { { "two times", "entry 24: expected the time of transaction 22",
          BYTE, "journal", AT("\30"), .offset = 2, .byte = 7 } } },
    { { { "two classes", "entry 24: expected the class of transaction 22, CS, "
          "found PS", TEXT("\30", CLASS, "PS") },
        { NULL, NULL, COUNT("\30", NUMBER, 2) } } },

    /* unbalanced */

    { { { "a transfer of less", "entry 11: expected \"transfer\" 8 to issue 30 "
          "shares, found 29", COUNT("\12", SHARES, 24) } } },
    { { { "a transfer of more", "entry 11: expected at most 30 shares, which "
          "transaction 8 surrenders, found 31", COUNT("\12", SHARES, 26) } } },
    { { { "a transfer of a balance", "entry 23: expected \"transfer\" 22 to issue "
          "more than a balance, found nothing", COUNT("\26", ISSUES, 1) },
        { NULL, NULL, COUNT("\27", SHARES, 4) },
        { NULL, NULL, COUNT("\27", BALANCE, 1) },
        { NULL, NULL, TEXT("\27", NAME, "Ann") },
        { NULL, NULL, DELETE, "journal", AT("\30") } } },
    { { { "a transfer to nobody", "entry 17: expected \"transfer\" 17 to issue 25 "
          "shares, found 0", COUNT("\21", TYPE, STOCKCERT_TRANSFER) } } },
    { { { "a reissue of less", "entry 14: expected \"reissue\" 13 to issue 5 "
          "shares, found 4", COUNT("\16", SHARES, 4) } } },
    { { { "a repurchase of nothing", "entry 16: expected \"repurchase\" 15 to "
          "issue at most a balance, and less than it surrenders, found 40 of 40",
          COUNT("\20", SHARES, 40) } } },
    { { { "a repurchase and an issue", "entry 16: expected \"repurchase\" 15 to "
          "issue at most a balance, and less than it surrenders, found 30 of 40 "
          "shares, and 1 certificates more", COUNT("\20", BALANCE, 0) } } },
    { { { "shares of another", "entry 9: expected the 20 shares of its "
          "certificate, found 21", COUNT("\11", SHARES, 21) } } },
    { { { "amended below what is out", "entry 20: expected at most 33 shares out,"
          " found 34", COUNT("\24", SHARES, 33) } } },

    /* certificates */

    { { { "surrendered twice", "entry 18: expected a certificate that is "
          "outstanding, found number 5, surrendered by entry 13",
          COUNT("\22", NUMBER, 5) } } },
    { { { "twice in one", "entry 9: expected a certificate that is outstanding, "
          "found number 1, surrendered by entry 8", COUNT("\11", NUMBER, 1) } } },
    { { { "never issued", "entry 18: expected a number that was issued, found 8",
          COUNT("\22", NUMBER, 8) } } },
    { { { "surrendered by another", "certificate:CS, number 7: expected to be "
          "surrendered by entry 17, found 0", COUNT("\21", NUMBER, 7) } } },
    { { { "of another holder", "entry 9: expected a certificate of \"Salt Bae\", "
          "as the one before it, found one of \"Eve\"",
          TEXT("\4", NAME, "Eve") } } },
    { { { "of a holder of an id", "entry 9: expected a certificate of \"Salt "
          "Bae\", as the one before it", TEXT("\4", HOLDER_ID, "s") } } },
    { { { "corrects itself", "entry 18: expected to correct an entry before it, "
          "found 18", COUNT("\22", CORRECTS, 18) } } },

    /* whose the new ones are */

    { { { "a reissue to another", "entry 14: expected a certificate of \"Salt "
          "Bae\", found one of \"Eve\"", TEXT("\16", NAME, "Eve") },
        { NULL, NULL, TEXT("\16", HOLDER_ID, "e") } } },
    { { { "a reissue in a new name, of who has an id", NULL,
          TEXT("\16", NAME, "Salt B. Bae") } } },
    { { { "a reissue in a new name, of who has none", "entry 14: expected a "
          "certificate of \"Salt Bae\", found one of \"Salt B. Bae\"",
          TEXT("\16", NAME, "Salt B. Bae") },
        { NULL, NULL, TEXT("\14", HOLDER_ID, "") },
        { NULL, NULL, TEXT("\14", ADDRESS, "2 Elm St") } } },
    { { { "a reissue of a new name", NULL, TEXT("\16", NAME, "Salt B. Bae") },
        { NULL, NULL, TEXT("\14", HOLDER_ID, "") },
        { NULL, NULL, TEXT("\14", ADDRESS, "2 Elm St") },
        { NULL, NULL, COUNT("\15", REASON, STOCKCERT_REASON_NAME) } } },
    { { { "a reissue to two", "entry 11: expected a certificate of \"Bob\", "
          "found one of \"Salt Bae\"",
          COUNT("\10", TYPE, STOCKCERT_REISSUE) },
        { NULL, NULL, COUNT("\10", REASON, STOCKCERT_REASON_NAME) },
        { NULL, NULL, COUNT("\13", BALANCE, 0) } } },
    { { { "a reissue with a balance", "entry 14: expected no balance as member 2 "
          "of \"reissue\", found one", COUNT("\16", BALANCE, 1) } } },
    { { { "a correction with a balance", "entry 19: expected no balance as member"
          " 2 of \"correct\", found one", COUNT("\23", BALANCE, 1) } } },
    { { { "a balance first", "entry 10: expected no balance as member 3 of "
          "\"transfer\", found one", COUNT("\12", BALANCE, 1) } } },
    { { { "a balance of another name", "entry 11: expected the balance of \"Salt "
          "Bae\" as the last certificate has it", TEXT("\13", NAME, "Eve") } } },
    { { { "a balance of an old address", "entry 11: expected the balance of "
          "\"Salt Bae\"", TEXT("\13", ADDRESS, "") } } },
    { { { "a balance of another id", "entry 16: expected the balance of \"Jane "
          "Doe\"", TEXT("\20", HOLDER_ID, "k") } } },
    { { { "a balance of another capacity", "entry 16: expected the balance of "
          "\"Jane Doe\"", TEXT("\20", CAPACITY, "trustee") } } },
    { { { "a balance of none", "entry 6: the balance must not be there",
          COUNT("\6", BALANCE, 1) } } },

    /* effective dates */

    { { { "as early as a certificate's", NULL,
          TEXT("\10", EFFECTIVE, "2020-01-02") },
        { NULL, NULL, TEXT("\3", EFFECTIVE, "2020-01-02") } } },
    { { { "before a certificate's", "entry 9: expected the effective date of "
          "transaction 8 from that of its certificate on, 2020-01-02, found "
          "2020-01-01", TEXT("\10", EFFECTIVE, "2020-01-01") },
        { NULL, NULL, TEXT("\3", EFFECTIVE, "2020-01-01") } } },
    { { { "before a transaction's", "entry 13: expected the effective date of "
          "transaction 13 from that of its certificate on, 2020-01-02, found "
          "2020-01-01", TEXT("\10", EFFECTIVE, "2020-01-02") },
        { NULL, NULL, TEXT("\3", EFFECTIVE, "2020-01-01") },
        { NULL, NULL, TEXT("\15", EFFECTIVE, "2020-01-01") } } },
    { { { "before it was issued", "entry 8: expected the effective date of "
          "transaction 8 from that of its certificate on, ",
          TEXT("\10", EFFECTIVE, "2020-01-02") } } },
    { { { "of a member", "entry 10: the effective must not be there",
          TEXT("\12", EFFECTIVE, "2020-01-02") } } },

    /* holders */

    { { { "a holder of no certificate", "entry 7: expected a number that was "
          "issued, found 9", COUNT("\7", NUMBER, 9) } } },
    { { { "a holder of an old one", "entry 12: expected a certificate that is "
          "outstanding, found number 1, surrendered by entry 8",
          COUNT("\14", NUMBER, 1) } } },
    { { { "an id in place of another", "entry 12: expected the holder's id \"j\" "
          "to stay, found \"s\"", COUNT("\14", NUMBER, 3) } } },
    { { { "no change of a holder", "entry 7: expected an id or an address, found "
          "none", TEXT("\7", ADDRESS, "") } } },
    { { { "a holder missing", "holder: expected entry 7 of \"Salt Bae\" without "
          "a value, found no entry", DELETE, "holder",
          KEY("nSalt Bae" POS("\7")) } } },
    { { { "a holder of another name", "holder: expected entry 7 of \"Salt Bae\"",
          TEXT("\3", NAME, "Salt Bae") },
        { NULL, NULL, DELETE, "holder", KEY("nSalt Bae" POS("\7")) },
        { NULL, NULL, PUT, "holder", KEY("nSalt Bad" POS("\7")), VALUE("") } } },
    { { { "a holder with a value", "holder: expected entry 7 of \"Salt Bae\" "
          "without a value, found one", PUT, "holder",
          KEY("nSalt Bae" POS("\7")), VALUE("x") } } },
    { { { "a holder more", "holder: expected 3 entries, found 4", PUT, "holder",
          KEY("nEve" POS("\7")), VALUE("") } } },
    { { { "a holder more, who is asked for", "holder: expected 3 entries, found "
          "4", PUT, "holder", KEY("nBob" POS("\14")), VALUE("") } } },
    { { { "a holder of a later entry", "holder: expected 3 entries, found 4",
          PUT, "holder", KEY("nBob" POS("\25")), VALUE("") } } },
    { { { "a holder of no such entry", "holder: expected entries that change one, "
          "found entry 16", PUT, "holder", KEY("nBob" POS("\20")), VALUE("") }
      } },

    /* transactions */

    { { { "a transaction missing", "transaction: expected number 13 without a "
          "value, found no number", DELETE, "transaction", AT("\15") } } },
    { { { "a transaction more", "transaction: expected 6 entries, found 7",
          PUT, "transaction", AT("\11"), VALUE("") } } },
    { { { "a transaction with a value", "transaction: expected number 13 without "
          "a value, found one", PUT, "transaction", AT("\15"), VALUE("x") } } },
    { { { "the key of a transaction", "request: expected the hash of the key of "
          "entry 22, found none", TEXT("\26", KEY, "u") } } },
    { { { "no key of a transaction", "request: expected 1 items, found 2",
          TEXT("\26", KEY, "") } } },
    { { { "a key of a member", "entry 24: the key must not be there",
          TEXT("\30", KEY, "u") } } }
};


int
main(void)
{
    fixture_begin();

    test_right();
    test_cases();
    test_many();

    fixture_end();

    return tap_done();
}


static void
test_right(void)
{
    char                   path[320];
    fixture_t              f;
    const char            *fault;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    verified_make_life(&f, "right");
    fixture_file(&f, "data.mdb", path, sizeof(path));

    fault = verified_file(path, &verified);

    ok(fault == NULL, "right: %s", fault ? fault : "");
    is_int(verified.entries, 24, "right: entries");
    is_int(verified.certificates, 11, "right: certificates");
    is_int(verified.outstanding, 4, "right: outstanding");
    is_int(verified.transactions, 6, "right: transactions");
}


static void
test_cases(void)
{
    size_t                 i, n;
    const char            *fault;
    const edit_t          *edits;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        edits = cases[i].edits;

        for (n = 1; n < 8 && edits[n].key; n++) { /* void */ }

        fault = check(edits, n, &verified);

        ok(edits[0].words ? fault && strncmp(fault, edits[0].words,
                                             strlen(edits[0].words)) == 0
                          : fault == NULL,
           "%s: %s", edits[0].name, fault ? fault : "nothing is found");
    }
}


static const char *
check(const edit_t *edits, size_t n, stockcert_verified_t *verified)
{
    char       path[320];
    size_t     i;
    fixture_t  f;

    verified_make_life(&f, edits[0].name);
    fixture_file(&f, "data.mdb", path, sizeof(path));

    for (i = 0; i < n; i++) {
        edit_ledger(&f, &edits[i]);
    }

    verified_reseal(&f);

    return verified_file(path, verified);
}


/* so many holders, and changes of one, that they fill pages of a tree */

static void
test_many(void)
{
    char                   path[320];
    uint8_t                key[sizeof("nSalt Bae") - 1 + 8];
    edit_t                 edit;
    fixture_t              f;
    const char            *fault;
    stockcert_ledger_t    *ledger;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    fixture_make_default(&f, "many");
    fixture_file(&f, "data.mdb", path, sizeof(path));
    ledger = fixture_open(&f);

    ISSUED(.code = STR("CS"), .number = 1, .shares = 10,
           .name = STR("Salt Bae"));
    ISSUED(.code = STR("CS"), .number = 2, .shares = 10,
           .name = STR("Jane Doe"));

    change_many(ledger);

    verified_order(ledger, FIRST(.type = STOCKCERT_TRANSFER), 1, 0, 0, "Bob",
                   1);
    verified_order(ledger, FIRST(.type = STOCKCERT_TRANSFER), 2, 0, 0, "Bob",
                   1);

    stockcert_ledger_close(ledger);

    fault = verified_file(path, &verified);
    ok(fault == NULL, "many: %s", fault ? fault : "");

    /* the last change of the holder of CS-1 */

    memset(&edit, 0, sizeof(edit_t));

    memcpy(key, "nSalt Bae", sizeof(key) - 8);
    stockcert_put64(key + sizeof(key) - 8, 4 + 4 * MANY - 1);

    edit.edit = DELETE;
    edit.db = "holder";
    edit.key = (char *) key;
    edit.key_len = sizeof(key);

    edit_ledger(&f, &edit);

    fault = verified_file(path, &verified);
    ok(fault && strncmp(fault, "holder: expected entry 1603 of \"Salt Bae\"",
                        strlen("holder: expected entry 1603 of")) == 0,
       "many: %s", fault ? fault : "nothing is found");

    edit.edit = PUT;
    edit.value = "";
    edit_ledger(&f, &edit);

    fault = verified_file(path, &verified);
    ok(fault == NULL, "many: %s", fault ? fault : "");
}


/* each holder of PS once, both of CS each time, in one transaction */

static void
change_many(stockcert_ledger_t *ledger)
{
    char               address[24], name[24];
    uint64_t           i;
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    if (stockcert_ledger_begin(ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot begin: %s", error.text);
    }

    for (i = 1; i <= MANY; i++) {
        snprintf(name, sizeof(name), "Holder %d", (int) i);
        snprintf(address, sizeof(address), "%d Main St", (int) i);

        memset(&entry, 0, sizeof(stockcert_entry_t));

        entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
        entry.code = fixture_str("PS");
        entry.number = i;
        entry.shares = 1;
        entry.name = fixture_str(name);

        if (stockcert_ledger_enter(ledger, &entry, &error) != STOCKCERT_OK) {
            tap_bail_out("cannot issue: %s", error.text);
        }

        change(ledger, "PS", i, address, "");
        change(ledger, "CS", 1, address, "");
        change(ledger, "CS", 2, address, i == MANY / 2 ? "j" : "");
    }

    if (stockcert_ledger_commit(ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot commit: %s", error.text);
    }
}


static void
change(stockcert_ledger_t *ledger, const char *code, uint64_t number,
    const char *address, const char *id)
{
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_HOLDER_CHANGED;
    entry.code = fixture_str(code);
    entry.number = number;
    entry.address = fixture_str(address);
    entry.holder_id = fixture_str(id);
    entry.reference = fixture_str("Letter");

    if (stockcert_ledger_enter(ledger, &entry, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot change a holder: %s", error.text);
    }
}
