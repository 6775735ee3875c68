
/*
 * One thing at a time is wrong in a ledger, also with all seals made anew so
 * that they fit.  "stockcert verify" names it.
 */


#include "verified.h"


typedef struct {
    unsigned   reseal;
    edit_t     edits[3];       /* the first has the name and the words */
} case_t;


static void test_right(void);
static void test_wrong(void);


#define SEAL  "0123456789abcdef0123456789abcdef"


static const case_t  cases[] = {

    /* the journal */

    { 0, { { "a byte of an entry", "entry 3: expected the seal",
             FLIP, "journal", AT("\3"), .offset = 8, .byte = 1 } } },
    { 0, { { "a byte of the last seal", "entry 8: expected the seal",
             FLIP, "journal", AT("\10"), .offset = 39, .byte = 1 } } },
    { 0, { { "a company of another name", "entry 1: expected the seal",
             BYTE, "meta", KEY("ledger"), .offset = 22, .byte = 'X' } } },
    { 0, { { "an entry missing", "journal: expected entry 4, found none",
             DELETE, "journal", AT("\4") } } },
    { 0, { { "the last entries missing", "class PS: expected 750000 authorized",
             DELETE, "journal", AT("\10") },
           { NULL, NULL, DELETE, "journal", AT("\7") } } },
    { 0, { { "an entry of no number", "journal: expected entry 9, found none",
             PUT, "journal", KEY("zzz"), VALUE("x") } } },
    { 1, { { "an entry that is short", "entry 8: expected the fields",
             BYTE, "journal", AT("\10"), .offset = 0, .byte = 2,
             .grow = -1 } } },
    { 1, { { "a time before", "entry 4: expected a time from",
             BYTE, "journal", AT("\4"), .offset = 2, .byte = 0 } } },
    { 1, { { "an unknown kind", "entry 7: expected the fields", KIND("\7", 6) } } },
    { 1, { { "another kind", "entry 7: the title must be there",
             KIND("\7", 1) } } },
    { 1, { { "an unknown field", "entry 7: expected the fields",
             BYTE, "journal", AT("\7"), .offset = 9, .byte = 23 } } },
    { 1, { { "another number", "entry 4: expected the number 2, found 7",
             COUNT("\4", NUMBER, 7) } } },
    { 1, { { "a number of a class", "entry 7: the number must not be there",
             COUNT("\7", NUMBER, 7) } } },
    { 1, { { "no shares", "entry 4: the shares must be there",
             COUNT("\4", SHARES, 0) } } },
    { 1, { { "other shares than were issued", "entry 6: expected the 10 shares "
             "of its certificate, found 9", COUNT("\6", SHARES, 9) } } },
    { 1, { { "too many shares", "entry 8: expected at most 2600000 shares out, "
             "found 2600001", COUNT("\10", SHARES, 2599996) } } },
    { 1, { { "amended below what is out", "entry 7: expected at most 5 shares "
             "out, found 7", COUNT("\7", SHARES, 5) } } },
    { 1, { { "a class that was not opened", "entry 4: expected a class",
             TEXT("\4", CLASS, "XS") } } },
    { 1, { { "a class opened twice", "entry 2: expected a class with a database"
             " that is not opened yet", TEXT("\1", CLASS, "PS") } } },
    { 1, { { "a bad code", "entry 4: the class must be",
             TEXT("\4", CLASS, "cS") } } },
    { 1, { { "a bad name", "entry 4: the name must be valid UTF-8",
             TEXT("\4", NAME, "Jane \xff") } } },
    { 1, { { "a bad key", "entry 4: the key must", TEXT("\4", KEY, "\x7f") } } },
    { 1, { { "a date that has not come", "entry 4: the effective must not be "
             "later", TEXT("\4", EFFECTIVE, "9999-01-01") } } },
    { 1, { { "a surrender of what was not issued", "entry 6: expected a "
             "number that was issued, found 3", COUNT("\6", NUMBER, 3) } } },
    { 1, { { "a surrender of another", "certificate:CS, number 2: expected "
             "to be surrendered by entry 6, found 0",
             COUNT("\6", NUMBER, 2) } } },

    { 1, { { "a key twice", "entry 8: expected a key of its own, found that of "
             "entry 3", TEXT("\10", KEY, "a") } } },

    /* what follows from it, up to entry 7: the last one is not posted */

    { 0, { { "a certificate of another entry", "certificate:CS, number 2: "
             "expected entry 4, found 3",
             PUT, "certificate:CS", AT("\2"), VALUE(POS("\3")) } } },
    { 0, { { "a certificate missing", "certificate:CS, number 2: expected",
             DELETE, "certificate:CS", AT("\2") } } },
    { 0, { { "a certificate more", "certificate:CS: expected 2 certificates, "
             "found 3",
             PUT, "certificate:CS", AT("\3"), VALUE(POS("\10")) } } },
    { 0, { { "a certificate that is short", "certificate:CS, number 2: "
             "expected positions",
             PUT, "certificate:CS", AT("\2"), VALUE("\4") } } },
    { 0, { { "surrendered by another entry", "certificate:CS, number 1: "
             "expected to be surrendered by entry 6, found 7", PUT,
             "certificate:CS",
             AT("\1"), VALUE(POS("\3") POS("\7")) } } },
    { 0, { { "surrendered by no entry", "certificate:CS: expected 2 certificates,"
             " found 2, 1 of them", PUT, "certificate:CS",
             AT("\2"), VALUE(POS("\4") POS("\6")) } } },
    { 0, { { "authorized", "class CS: expected 2600000 authorized",
             BYTE, "class", KEY("CS"), .offset = 7, .byte = 1 } } },
    { 0, { { "issued", "class CS: expected 2600000 authorized, 5 issued",
             BYTE, "class", KEY("CS"), .offset = 15, .byte = 6 } } },
    { 0, { { "last number", "class CS: expected 2600000 authorized, 5 issued, "
             "number 2", BYTE, "class", KEY("CS"), .offset = 23, .byte = 3 } } },
    { 0, { { "a title", "class CS: expected it with its title",
             BYTE, "class", KEY("CS"), .offset = 24, .byte = 'X' } } },
    { 0, { { "a class missing", "class: expected 2 entries, found 1",
             DELETE, "class", KEY("PS") } } },
    { 0, { { "a class more", "class: expected 2 entries, found 3",
             PUT, "class", KEY("ZZ"), VALUE(POS("\1") POS("") POS("")) } } },
    { 0, { { "no key of a certificate", "request: expected the hash of the key "
             "of entry 3, found none", DELETE, "request", AT("\3") } } },
    { 0, { { "a key of no certificate", "request: expected 2 items, found 3",
             PUT, "request", AT("\5"), VALUE("hashhash" POS("\5")) } } },
    { 0, { { "another hash", "request: expected the hash of the key of entry",
             BYTE, "request", AT("\3"), .offset = 7, .byte = 'x' } } },
    { 0, { { "half an item", "request: expected a run of items",
             BYTE, "request", AT("\3"), .offset = 0, .byte = 0,
             .grow = -8 } } },

    /* the databases themselves */

    { 0, { { "a header of another version", "meta: expected format version 2, "
             "found 1", BYTE, "meta", KEY("ledger"), .offset = 12,
             .byte = 1 } } },
    { 0, { { "no header", "meta: expected \"ledger\" alone",
             DELETE, "meta", KEY("ledger") } } },
    { 0, { { "a header and more", "meta: expected \"ledger\" alone",
             PUT, "meta", KEY("more"), VALUE("") } } },
    { 0, { { "a replica without a seal", "meta: expected the name of a replica",
             PUT, "meta", KEY("replica"), VALUE("/stockcert/acme/") } } },
    { 0, { { "a replica of no name", "meta: expected the name of a replica",
             PUT, "meta", KEY("replica"), VALUE("\n" SEAL) } } },
    { 0, { { "a replica of another seal", "meta: expected the seal of the replica"
             " /acme/, found another",
             PUT, "meta", KEY("replica"), VALUE("/acme/" SEAL) } } },
    { 0, { { "another database", "databases: expected a ledger's, found "
             "\"users\"", PUT, "users", MDB_CREATE, KEY("x"), VALUE("") } } },
    { 0, { { "a value of no database", "databases: expected a ledger's, found "
             "\"x\"", PUT, NULL, KEY("x"), VALUE("") } } },
    { 0, { { "a database of an odd name", "databases: expected a ledger's, found "
             "\"??[2J?\"", PUT, "\n\x1b[2J\xff", MDB_CREATE, KEY("x"),
             VALUE("") } } },
    { 0, { { "a class without entries", "certificate:ZZ: expected 0",
             PUT, "certificate:ZZ", MDB_CREATE, KEY("x"), VALUE("") },
           { NULL, NULL, PUT, "class", KEY("ZZ"), VALUE("") } } },
    { 0, { { "no request", "databases: expected meta, journal, class, request, "
             "holder, transaction and amendment", DROP, .db = "request" } } },
    { 0, { { "no holder", "databases: expected meta, journal, class, request, "
             "holder, transaction and amendment", DROP, .db = "holder" } } },
    { 0, { { "no transaction", "databases: expected meta, journal, class, "
             "request, holder, transaction and amendment",
             DROP, .db = "transaction" } } },
    { 0, { { "no amendment", "databases: expected meta, journal, class, "
             "request, holder, transaction and amendment",
             DROP, .db = "amendment" } } },
    { 0, { { "no certificates", "entry 1: expected a class with a database",
             DROP, .db = "certificate:CS" } } }
};


int
main(void)
{
    fixture_begin();

    test_right();
    test_wrong();

    fixture_end();

    return tap_done();
}


static void
test_right(void)
{
    char                   path[320];
    uint8_t                zero[STOCKCERT_SEAL_LEN] = { 0 };
    fixture_t              f;
    const char            *fault;
    stockcert_verified_t   verified;

    verified_make(&f, "right");
    fixture_file(&f, "data.mdb", path, sizeof(path));

    memset(&verified, 0, sizeof(stockcert_verified_t));
    verified.expected = 8;

    fault = verified_file(path, &verified);

    ok(fault == NULL, "right: %s", fault ? fault : "");
    is_int(verified.entries, 8, "right: entries");
    is_int(verified.certificates, 4, "right: certificates");
    is_int(verified.outstanding, 3, "right: outstanding");
    is_int(verified.transactions, 1, "right: transactions");
    is_mem(verified.found, STOCKCERT_SEAL_LEN, verified.seal,
           STOCKCERT_SEAL_LEN, "right: the seal of an entry");

    verified.expected = 9;
    memset(verified.found, 0, STOCKCERT_SEAL_LEN);
    verified_file(path, &verified);
    is_mem(verified.found, STOCKCERT_SEAL_LEN, zero, STOCKCERT_SEAL_LEN,
           "right: no seal of an entry that is not there");

    verified_reseal(&f);
    ok(verified_file(path, &verified) == NULL, "right: sealed anew");
}


static void
test_wrong(void)
{
    char                   path[320];
    size_t                 i, j;
    fixture_t              f;
    const char            *fault;
    const edit_t          *edit;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        edit = cases[i].edits;

        verified_make(&f, edit[0].name);
        fixture_file(&f, "data.mdb", path, sizeof(path));

        for (j = 0; j < 3 && (j == 0 || edit[j].key); j++) {
            edit_ledger(&f, &edit[j]);
        }

        if (cases[i].reseal) {
            verified_reseal(&f);
        }

        fault = verified_file(path, &verified);

        ok(fault && strncmp(fault, edit[0].words, strlen(edit[0].words)) == 0,
           "%s: %s", edit[0].name, fault ? fault : "nothing is found");
    }
}
