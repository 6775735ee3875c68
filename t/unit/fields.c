
/*
 * Ledgers that somebody made by hand.  All fits together as far as opening
 * checks it, but what is read later is invalid.
 */


#include "verified.h"

#include <sys/wait.h>


/* the first entry that issues something; of "Salt Bae", and it has no key */

#define FIRST_KEY  KEY("\0\0\0\0\0\0\0\3")

#define ALSO       }, { NULL, NULL,

/* of the key "k" */

#define HASH_K    "\x82\x54\xc3\x29\xa9\x28\x50\xf6"


static void test_fields(void);
static void test_position(void);
static void test_requests(void);
static void check_request(const fixture_t *f, const edit_t *edit,
    stockcert_slot_t *slot, stockcert_entry_t *entry);
static void test_counters(void);
static void edit_elsewhere(const fixture_t *f, const edit_t *edit);


int
main(void)
{
    fixture_begin();

    test_fields();
    test_position();
    test_requests();
    test_counters();

    fixture_end();

    return tap_done();
}


/*
 * of an entry that is read by its position only, in a ledger that can be opened
 */

static void
test_fields(void)
{
    size_t                i, n;
    fixture_t             f;
    const edit_t         *edit;
    stockcert_error_t     error;
    stockcert_entry_t     entry;
    stockcert_ledger_t   *ledger;

    static const edit_t   cases[][6] = {
        { { "no shares", "entry 3: the shares must be there",
            COUNT("\3", SHARES, 0) } },
        { { "2^53 shares", "entry 3: the shares must be from",
            COUNT("\3", SHARES, STOCKCERT_SHARES_MAX + 1) } },
        { { "a name with a line feed", "entry 3: the name must not contain",
            TEXT("\3", NAME, "Salt\nBae") } },
        { { "a name that is not UTF-8", "entry 3: the name must be valid",
            TEXT("\3", NAME, "\xc0") } },
        { { "a code that is none", "entry 3: the class must be 1 to 8",
            TEXT("\3", CLASS, "C\"") } },
        { { "number 0", "entry 3: the number must be there",
            COUNT("\3", NUMBER, 0) } },
        { { "a time after the year 9999", "entry 3: the time must be before",
            BYTE, "journal", AT("\3"), .offset = 1, .byte = 4 } },
        { { "a nonce that is too short", "entry 3: the nonce must have 8",
            TEXT("\3", NONCE, "1234567") } },
        { { "a date that is to come", "entry 3: the effective must not be",
            TEXT("\3", EFFECTIVE, "9999-12-31") } },
        { { "a member with none before it", "entry 3: the member must have",
            COUNT("\3", MEMBER, 4) ALSO TEXT("\3", NONCE, "") } },
        { { "an unknown kind", "an entry is not readable",
            KIND("\3", STOCKCERT_KIND_END) } },
        { { "a number of a class", "entry 3: the number must not be there",
            KIND("\3", STOCKCERT_CLASS_AMENDED)
            ALSO TEXT("\3", NAME, "") ALSO TEXT("\3", REFERENCE, "x") } },
        { { "a key with DEL", "entry 3: the key must be printable",
            TEXT("\3", KEY, "k\x7f") } },
        { { "a key above ASCII", "entry 3: the key must be printable",
            TEXT("\3", KEY, "\xe9") } },
        { { "a key of a class", "entry 3: the key must not be there",
            KIND("\3", STOCKCERT_CLASS_AMENDED)
            ALSO TEXT("\3", NAME, "") ALSO COUNT("\3", NUMBER, 0)
            ALSO TEXT("\3", REFERENCE, "x") ALSO TEXT("\3", KEY, "k") } },

        { { "what is right", NULL, TEXT("\3", NAME, "Malt Bae") } }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        edit = cases[i];

        fixture_make_default(&f, edit[0].name);
        edit_make(&f, EDIT_POSTED);

        for (n = 0; n < 6 && edit[n].key; n++) {
            edit_ledger(&f, &edit[n]);
        }

        ledger = fixture_open(&f);
        error.text[0] = '\0';

        stockcert_ledger_snapshot(ledger, &error);
        is_int(stockcert_ledger_entry(ledger, 3, &entry, &error),
               edit[0].words ? STOCKCERT_FAILED : STOCKCERT_OK, "%s: read",
               edit[0].name);
        ok(edit[0].words == NULL || strstr(error.text, edit[0].words),
           "%s: \"%s\"", edit[0].name, error.text);
        stockcert_ledger_release(ledger);

        stockcert_ledger_close(ledger);
    }
}


static void
test_position(void)
{
    fixture_t             f;
    stockcert_error_t     error;
    stockcert_entry_t     entry;
    stockcert_ledger_t   *ledger;

    static const edit_t   edits[] = {
        { "entry 3", NULL, DELETE, "journal", FIRST_KEY },
        { "entry 0", NULL, PUT, "journal", KEY("\0\0\0\0\0\0\0\0"),
          VALUE("\1" "\0\0\0\0\0\0\0\1" "\1\2CS" "\3\1\1" "\5\1X"
                "SEALSEALSEALSEALSEALSEALSEALSEAL") }
    };

    fixture_make_default(&f, "position");
    edit_make(&f, EDIT_POSTED);
    edit_ledger(&f, &edits[0]);
    edit_ledger(&f, &edits[1]);

    ledger = fixture_open(&f);

    stockcert_ledger_snapshot(ledger, &error);
    is_int(stockcert_ledger_entry(ledger, 0, &entry, &error), STOCKCERT_FAILED,
           "an entry of position 0");
    ok(strstr(error.text, "the position must not be 0") != NULL,
       "an entry of position 0: \"%s\"", error.text);
    stockcert_ledger_release(ledger);

    stockcert_ledger_close(ledger);
}


/* "request" is looked at as a key is looked for, and as a lot is posted */

static void
test_requests(void)
{
    size_t                i;
    fixture_t             f;
    stockcert_slot_t      slot;
    stockcert_entry_t     entry;
    stockcert_ledger_t   *ledger;

    static const edit_t   cases[] = {
        { "half an item", "requests are not readable",
          PUT, "request", FIRST_KEY, VALUE("hash") },
        { "an item and a half", "requests are not readable",
          PUT, "request", FIRST_KEY,
          VALUE("hashhash" "\0\0\0\0\0\0\0\3" "hash") },
        { "no item", "requests are not readable",
          PUT, "request", FIRST_KEY, VALUE("") },
        { "a run of no position", "requests are not readable",
          PUT, "request", KEY("3"),
          VALUE("hashhash" "\0\0\0\0\0\0\0\3") },
        { "an item of no entry", "request is not in the journal",
          PUT, "request", FIRST_KEY, VALUE(HASH_K "\0\0\0\0\0\0\3\3") },
        { "an item of an entry with no key", "request is not in the journal",
          PUT, "request", FIRST_KEY, VALUE(HASH_K "\0\0\0\0\0\0\0\3") }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_make_default(&f, cases[i].name);
        edit_make(&f, EDIT_POSTED);

        /* behind the lot that is posted */

        fixture_slot(&slot, "CS", "Salt Bae", 1);
        slot.grant.key_len = 1;
        slot.grant.key[0] = 'u';

        ledger = fixture_open(&f);
        is_int(fixture_issue(ledger, &slot, 1), STOCKCERT_OK, "%s: a key",
               cases[i].name);
        stockcert_ledger_close(ledger);

        edit_ledger(&f, &cases[i]);

        slot.grant.key[0] = 'k';
        check_request(&f, &cases[i], &slot, NULL);

        /* what is posted was looked for before */

        if (strstr(cases[i].words, "readable")) {
            memset(&entry, 0, sizeof(stockcert_entry_t));

            entry.kind = STOCKCERT_CLASS_AMENDED;
            entry.code = fixture_str("CS");
            entry.shares = 2600001;
            entry.reference = fixture_str("Resolution 1");

            check_request(&f, &cases[i], NULL, &entry);
        }
    }
}


static void
check_request(const fixture_t *f, const edit_t *edit, stockcert_slot_t *slot,
    stockcert_entry_t *entry)
{
    stockcert_rc_e       rc;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    ledger = fixture_open(f);

    if (stockcert_ledger_begin(ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot begin");
    }

    error.text[0] = '\0';

    rc = slot ? stockcert_ledger_issue(ledger, slot, 1, &error)
              : stockcert_ledger_enter(ledger, entry, &error);

    is_int(rc, STOCKCERT_FAILED, "%s: %s", edit->name, slot ? "looked for"
                                                            : "posted");
    ok(strstr(error.text, edit->words) != NULL, "%s: \"%s\"", edit->name,
       error.text);

    stockcert_ledger_abort(ledger);
    stockcert_ledger_close(ledger);
}


/*
 * in a ledger that was whole as it was opened: what is left is no more than is
 */

static void
test_counters(void)
{
    size_t               n;
    fixture_t            f;
    stockcert_error_t    error;
    stockcert_class_t    classes[STOCKCERT_CLASSES_MAX];
    stockcert_ledger_t  *ledger;

    static const edit_t  edit =
        { "counters", NULL, PUT, "class", KEY("CS"),
          VALUE("\0\0\0\0\0\0\0\x1d" "\0\0\0\0\0\0\0\0"
                "\0\0\0\0\0\0\0\0" "Common Stock") };

    fixture_make_default(&f, edit.name);
    edit_make(&f, 3);

    ledger = fixture_open(&f);
    edit_elsewhere(&f, &edit);

    stockcert_ledger_snapshot(ledger, &error);
    is_int(stockcert_ledger_classes(ledger, classes, &n, &error),
           STOCKCERT_FAILED, "more shares out than authorized");
    ok(strstr(error.text, "too many shares") != NULL, "which says \"%s\"",
       error.text);
    is_int(stockcert_ledger_class(ledger, "PS", 2, classes, &error),
           STOCKCERT_OK, "another class is as it was");
    stockcert_ledger_release(ledger);

    stockcert_ledger_close(ledger);
}


/* in another process: this one has the ledger open */

static void
edit_elsewhere(const fixture_t *f, const edit_t *edit)
{
    int    status;
    pid_t  pid;

    fflush(NULL);
    pid = fork();

    if (pid == 0) {
        edit_ledger(f, edit);
        _exit(0);
    }

    if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0) {
        tap_bail_out("cannot edit %s", f->path);
    }
}
