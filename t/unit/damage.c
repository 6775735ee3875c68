
/*
 * Files that are no ledger, or a damaged or foreign one.  They are refused, and
 * not a byte of them is changed.
 */


#include "edit.h"


static void test_refused(const edit_t *cases, size_t n);
static void test_truncated(void);
static void test_unposted(void);
static void test_certificate(void);
static void test_no_directory(void);
static void test_company(void);
static void check_refused(const fixture_t *f, const char *name,
    const char *words);
static void put_file(const fixture_t *f, const char *text, size_t len);


#define LAST_ENTRY   KEY("\0\0\0\0\0\0\1\0")
#define LAST_NUMBER  KEY("\0\0\0\0\0\0\0\xfe")

/* 2^16 authorized, none issued, number 0 */

#define COUNTERS     "\0\0\0\0\0\1\0\0" "\0\0\0\0\0\0\0\0"                  \
                     "\0\0\0\0\0\0\0\0"

#define NAME_AT      21      /* in an entry of CS */


/* damage to a whole ledger */

static const edit_t  damaged[] = {

    { "another format version", "version 1",
      BYTE, "meta", KEY("ledger"), .offset = 12, .byte = 1 },
    { "a header without magic", "header",
      BYTE, "meta", KEY("ledger"), .offset = 0, .byte = 'S' },
    { "a header with a byte more", "header",
      BYTE, "meta", KEY("ledger"), .offset = 0, .byte = 's', .grow = 1 },
    { "a header with a byte less", "header",
      BYTE, "meta", KEY("ledger"), .offset = 0, .byte = 's', .grow = -1 },
    { "a company with a line feed", "header",
      BYTE, "meta", KEY("ledger"), .offset = 22, .byte = '\n' },
    { "a company that is not UTF-8", "header",
      BYTE, "meta", KEY("ledger"), .offset = 22, .byte = 0xff },
    { "a ledger made after all time", "header",
      BYTE, "meta", KEY("ledger"), .offset = 13, .byte = 4 },
    { "no header", "header",
      DELETE, "meta", KEY("ledger") },

    { "a last entry of no kind", "entry",
      BYTE, "journal", LAST_ENTRY, .offset = 0, .byte = 9 },
    { "a last entry with a byte more", "entry",
      BYTE, "journal", LAST_ENTRY, .offset = 0, .byte = 2, .grow = 1 },
    { "a last entry with a byte less", "entry",
      BYTE, "journal", LAST_ENTRY, .offset = 0, .byte = 2, .grow = -1 },
    { "a last entry of no position", "entry",
      PUT, "journal", KEY("zzz"), VALUE("") },
    { "a last entry of more shares than there are", "entry 256: the shares must",
      SET, "journal", LAST_ENTRY, .field = STOCKCERT_FIELD_SHARES,
      .number = STOCKCERT_SHARES_MAX + 1 },
    { "a last entry of a name with ESC", "entry 256: the name must not contain",
      BYTE, "journal", LAST_ENTRY, .offset = NAME_AT, .byte = 0x1b },

    { "a class with too many shares", "class",
      BYTE, "class", KEY("CS"), .offset = 8, .byte = 1 },
    { "a class with a quote in its code", "class",
      PUT, "class", KEY("\"S"), VALUE(COUNTERS "Common Stock") },
    { "a class with a line feed in its title", "class",
      BYTE, "class", KEY("CS"), .offset = 24, .byte = '\n' },
    { "a class of a title that is not UTF-8", "class",
      BYTE, "class", KEY("CS"), .offset = 24, .byte = 0xff },
    { "a class of no title", "class",
      PUT, "class", KEY("CS"), VALUE(COUNTERS) },
    { "a class of more shares than there are", "class",
      BYTE, "class", KEY("CS"), .offset = 0, .byte = 0x7f },
    { "a class of no shares", "class", PUT, "class", KEY("CS"),
      VALUE("\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0"
            "\0\0\0\0\0\0\0\0" "Common Stock") },
    { "a class of more certificates than there can be", "class",
      BYTE, "class", KEY("CS"), .offset = 16, .byte = 0xff },
    { "a class that is short", "class",
      PUT, "class", KEY("CS"), VALUE("Common Stock") },
    { "a class of a long code", "class",
      PUT, "class", KEY("ABCDEFGHI"), VALUE("012345678901234567890123title") },

    /* the journal and what follows from it do not agree */

    { "a class missing", "", DELETE, "class", KEY("CS") },
    { "the classes missing", "", DROP, .db = "class" },
    { "the journal missing", "", DROP, .db = "journal" },
    { "the certificates missing", "", DROP, .db = "certificate:CS" },
    { "the requests missing", "", DROP, .db = "request" },
    { "the holders missing", "", DROP, .db = "holder" },
    { "the transactions missing", "", DROP, .db = "transaction" },
    { "the amendments missing", "", DROP, .db = "amendment" },
    { "the last entry missing", "", DELETE, "journal", LAST_ENTRY },
    { "the last certificate missing", "",
      DELETE, "certificate:CS", LAST_NUMBER }
};


/* what was never a ledger */

static const edit_t  foreign[] = {

    { "a database of another's", "no ledger",
      PUT, "users", MDB_CREATE, KEY("root"), VALUE("0") },
    { "a value of another's", "no ledger",
      PUT, NULL, KEY("colour"), VALUE("green") },
    { "another's meta", "header",
      PUT, "meta", MDB_CREATE, KEY("version"), VALUE("3") },
    { "another's empty meta", "header",
      DELETE, "meta", MDB_CREATE, KEY("version") },
    { "a value named meta", "",
      PUT, NULL, KEY("meta"), VALUE("green") },
    { "a meta with flags", "",
      PUT, "meta", MDB_CREATE|MDB_DUPSORT|MDB_REVERSEKEY, KEY("ledger"),
      VALUE("x") },
    { "integers for keys", "",
      PUT, NULL, MDB_INTEGERKEY, KEY("\1\0\0\0\0\0\0\0"), VALUE("x") },

    { "a text for data.mdb", "",
      FILE_OF, VALUE("stockcert acme {\n    path /var/lib/stockcert;\n}\n") },
    { "a byte for data.mdb", "",
      FILE_OF, VALUE("\n") }
};


int
main(void)
{
    fixture_begin();

    test_refused(damaged, sizeof(damaged) / sizeof(damaged[0]));
    test_refused(foreign, sizeof(foreign) / sizeof(foreign[0]));
    test_truncated();
    test_unposted();
    test_certificate();
    test_no_directory();
    test_company();

    fixture_end();

    return tap_done();
}


static void
test_refused(const edit_t *cases, size_t n)
{
    size_t     i;
    fixture_t  f;

    for (i = 0; i < n; i++) {
        fixture_make_default(&f, cases[i].name);

        if (cases == damaged) {
            edit_make(&f, EDIT_POSTED);
        }

        if (cases[i].edit == FILE_OF) {
            put_file(&f, cases[i].value, cases[i].len);

        } else {
            edit_ledger(&f, &cases[i]);
        }

        check_refused(&f, cases[i].name, cases[i].words);
    }
}


/* to any whole number of pages but none, and within the last */

static void
test_truncated(void)
{
    char         path[320], name[64];
    off_t        size;
    fixture_t    f;
    struct stat  st;

    fixture_make_default(&f, "truncated");
    edit_make(&f, EDIT_POSTED);
    fixture_file(&f, "data.mdb", path, sizeof(path));

    if (stat(path, &st) == -1) {
        tap_bail_out("no %s", path);
    }

    for (size = st.st_size - 1; size > 0; size = (size - 1) / 4096 * 4096) {
        if (truncate(path, size) == -1) {
            tap_bail_out("cannot truncate %s", path);
        }

        snprintf(name, sizeof(name), "truncated to %jd", (intmax_t) size);
        check_refused(&f, name, "");
    }
}


/* in a ledger with 3 certificates, none of which is posted */

static void
test_unposted(void)
{
    size_t     i;
    fixture_t  f;

    static const edit_t  cases[][2] = {
        { { "a class ahead of the journal", "as of what is posted",
            PUT, "class", KEY("CS"),
            VALUE("\0\0\0\0\0\0\0\x63" "\0\0\0\0\0\0\0\x0a"
                  "\0\0\0\0\0\0\0\1" "Common Stock") },
          { NULL, NULL, PUT, "certificate:CS", KEY("\0\0\0\0\0\0\0\1"),
            VALUE("\0\0\0\0\0\0\0\3") } },
        { { "more shares than there are", "too many shares",
            PUT, "class", KEY("CS"),
            VALUE("\0\0\0\0\0\0\0\x1d" "\0\0\0\0\0\0\0\0"
                  "\0\0\0\0\0\0\0\0" "Common Stock") } },
        { { "a class that is not there", "a class is missing",
            BYTE, "journal", KEY("\0\0\0\0\0\0\0\4"), .offset = 11,
            .byte = 'X' } },
        { { "an entry missing", "lost entries",
            DELETE, "journal", KEY("\0\0\0\0\0\0\0\4") } },
        { { "an entry of another position", "an entry is missing",
            DELETE, "journal", KEY("\0\0\0\0\0\0\0\4") },
          { NULL, NULL, PUT, "journal", KEY("\0\0\0\0\0\0\0\0"),
            VALUE("") } },
        { { "a certificate of no kind", "not readable",
            BYTE, "journal", KEY("\0\0\0\0\0\0\0\4"), .byte = 9 } }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_make_default(&f, cases[i][0].name);
        edit_make(&f, 3);

        edit_ledger(&f, &cases[i][0]);

        if (cases[i][1].key) {
            edit_ledger(&f, &cases[i][1]);
        }

        check_refused(&f, cases[i][0].name, cases[i][0].words);
    }
}


/* found by its number only, in a ledger that can be opened */

static void
test_certificate(void)
{
    fixture_t                 f;
    stockcert_error_t         error;
    stockcert_ledger_t       *ledger;
    stockcert_certificate_t   certificate;

    static const edit_t       no_such_entry =
        { "", "", PUT, "certificate:CS", KEY("\0\0\0\0\0\0\0\1"),
          VALUE("\0\0\0\0\0\0\0\x63") };
    static const edit_t       no_entry =
        { "", "", PUT, "certificate:CS", KEY("\0\0\0\0\0\0\0\2"),
          VALUE("") };

    fixture_make_default(&f, "certificate");
    edit_make(&f, EDIT_POSTED);

    edit_ledger(&f, &no_such_entry);
    edit_ledger(&f, &no_entry);

    ledger = fixture_open(&f);
    stockcert_ledger_snapshot(ledger, &error);

    is_int(stockcert_ledger_certificate(ledger, "CS", 2, 1, &certificate, &error),
           STOCKCERT_FAILED, "a certificate of an entry that is not there");
    is_int(stockcert_ledger_certificate(ledger, "CS", 2, 2, &certificate, &error),
           STOCKCERT_FAILED, "a certificate of no entry");
    is_int(stockcert_ledger_certificate(ledger, "CS", 2, 3, &certificate, &error),
           STOCKCERT_OK, "a certificate that is not damaged");

    stockcert_ledger_release(ledger);
    stockcert_ledger_close(ledger);
}


static void
test_no_directory(void)
{
    fixture_t  f;

    fixture_make_default(&f, "no directory");

    if (rmdir(f.path) == -1) {
        tap_bail_out("cannot remove %s", f.path);
    }

    check_refused(&f, "no directory", "No such file");
    ok(access(f.path, F_OK) == -1, "no directory: and none is made");
}


static void
test_company(void)
{
    fixture_t  f;

    fixture_make_default(&f, "company");
    edit_make(&f, EDIT_POSTED);

    f.conf.company = fixture_str(FIXTURE_COMPANY " ");
    check_refused(&f, "another company", FIXTURE_COMPANY);

    f.conf.company = fixture_str("Impossible Cuts");
    check_refused(&f, "a company that begins like it", FIXTURE_COMPANY);
}


static void
check_refused(const fixture_t *f, const char *name, const char *words)
{
    uint8_t              before[STOCKCERT_SEAL_LEN], after[STOCKCERT_SEAL_LEN];
    stockcert_rc_e       rc;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    memset(&error, 0, sizeof(stockcert_error_t));

    fixture_digest(f, before);
    rc = stockcert_ledger_open(&f->conf, &ledger, &error);
    fixture_digest(f, after);

    is_int(rc, STOCKCERT_FAILED, "%s: refused", name);
    is_mem(after, sizeof(after), before, sizeof(before), "%s: not changed",
           name);

    if (rc == STOCKCERT_OK) {
        stockcert_ledger_close(ledger);
        return;
    }

    ok(error.text[0] != '\0' && strstr(error.text, words) != NULL, "%s: \"%s\"",
       name, error.text);
}


static void
put_file(const fixture_t *f, const char *text, size_t len)
{
    char   path[320];
    FILE  *file;

    fixture_file(f, "data.mdb", path, sizeof(path));

    file = fopen(path, "w");

    if (file == NULL || fwrite(text, 1, len, file) != len || fclose(file) != 0)
    {
        tap_bail_out("cannot write %s", path);
    }
}
