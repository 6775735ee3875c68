
/*
 * Entries of every kind: amendments and cancellations, what the ledger's rules
 * refuse, and a journal that is entered into another ledger.
 */


#include "verified.h"


static void test_amend(void);
static void test_cancel(void);
static void test_one_transaction(void);
static void test_replay(void);
static void test_copy(void);
static void test_old_texts(void);
static void test_refused(void);
static void test_access(void);


int
main(void)
{
    fixture_begin();

    test_amend();
    test_cancel();
    test_one_transaction();
    test_replay();
    test_copy();
    test_old_texts();
    test_refused();
    test_access();

    fixture_end();

    return tap_done();
}


static stockcert_entry_t
entry_of(stockcert_kind_e kind, const char *code, uint64_t number,
    uint64_t shares, const char *text)
{
    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = kind;
    entry.code = fixture_str(code);
    entry.number = number;
    entry.shares = shares;

    switch (kind) {

    case STOCKCERT_CLASS_OPENED:
        entry.title = fixture_str(text);
        break;

    case STOCKCERT_CERTIFICATE_ISSUED:
        entry.name = fixture_str(text);
        break;

    case STOCKCERT_CERTIFICATE_SURRENDERED:
        fixture_cancel(&entry, code, number, shares);
        entry.reference = fixture_str(text);
        break;

    default:
        entry.reference = fixture_str(text);
    }

    return entry;
}


static stockcert_rc_e
amend(stockcert_ledger_t *ledger, const char *code, uint64_t shares)
{
    stockcert_error_t  error;
    stockcert_entry_t  entry;

    entry = entry_of(STOCKCERT_CLASS_AMENDED, code, 0, shares,
                     "Board resolution 2026-11-20");

    return fixture_enter(ledger, &entry, &error);
}


static stockcert_rc_e
cancel(stockcert_ledger_t *ledger, const char *code, uint64_t number,
    uint64_t shares)
{
    stockcert_error_t  error;
    stockcert_entry_t  entry;

    entry = entry_of(STOCKCERT_CERTIFICATE_SURRENDERED, code, number,
                     shares, "issued in error");

    return fixture_enter(ledger, &entry, &error);
}


static stockcert_outcome_t
issue(stockcert_ledger_t *ledger, const char *code, uint64_t amount,
    const char *key)
{
    stockcert_slot_t  slot;

    fixture_slot(&slot, code, "Salt Bae", amount);
    slot.grant.key_len = (uint8_t) strlen(key);
    memcpy(slot.grant.key, key, slot.grant.key_len);

    if (fixture_issue(ledger, &slot, 1) != STOCKCERT_OK) {
        tap_bail_out("cannot issue");
    }

    return slot.outcome;
}


static void
test_amend(void)
{
    fixture_t            f;
    stockcert_class_t    class;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "amend");
    ledger = fixture_open(&f);

    issue(ledger, "CS", 1000, "");

    is_int(amend(ledger, "CS", 999), STOCKCERT_REFUSED,
           "amend: not below what is issued");
    is_int(amend(ledger, "CS", 0), STOCKCERT_REFUSED, "amend: not 0");
    is_int(amend(ledger, "CS", STOCKCERT_SHARES_MAX + 1), STOCKCERT_REFUSED,
           "amend: not above 2^53 - 1");
    is_int(amend(ledger, "XX", 5), STOCKCERT_REFUSED, "amend: no such class");
    is_int(fixture_counters(ledger, "CS").authorized, 2600000,
           "amend: refusals change nothing");

    is_int(amend(ledger, "CS", 1000), STOCKCERT_OK, "amend: what is issued");
    is_int(issue(ledger, "CS", 1, "").status, STOCKCERT_INSUFFICIENT,
           "amend: nothing is left");

    is_int(amend(ledger, "CS", STOCKCERT_SHARES_MAX), STOCKCERT_OK,
           "amend: all there can be");
    is_int(issue(ledger, "CS", STOCKCERT_SHARES_MAX - 1000, "").number, 2,
           "amend: all of it is issued");

    class = fixture_counters(ledger, "CS");
    is_int(class.authorized, STOCKCERT_SHARES_MAX, "amend: authorized");
    is_int(class.issued, STOCKCERT_SHARES_MAX, "amend: issued");
    is_mem(class.title.data, class.title.len, "Common Stock", 12,
           "amend: the title stays");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 6, "amend: verify");
}


static void
test_cancel(void)
{
    fixture_t                f;
    stockcert_error_t        error;
    stockcert_ledger_t      *ledger;
    stockcert_certificate_t  certificate;

    fixture_make_default(&f, "cancel");
    ledger = fixture_open(&f);

    issue(ledger, "CS", 2600000, "");

    is_int(cancel(ledger, "CS", 2, 1), STOCKCERT_REFUSED,
           "cancel: one that was never issued");
    is_int(cancel(ledger, "CS", 0, 1), STOCKCERT_REFUSED, "cancel: number 0");
    is_int(cancel(ledger, "XX", 1, 1), STOCKCERT_REFUSED, "cancel: no class");
    is_int(cancel(ledger, "CS", 1, 2599999), STOCKCERT_REFUSED,
           "cancel: not of all its shares");
    is_int(cancel(ledger, "CS", 1, 2600000), STOCKCERT_OK, "cancel");
    is_int(cancel(ledger, "CS", 1, 2600000), STOCKCERT_REFUSED,
           "cancel: twice");

    is_int(fixture_counters(ledger, "CS").issued, 0, "cancel: no share is out");
    is_int(fixture_counters(ledger, "CS").last, 1,
           "cancel: the number stays used");
    is_int(issue(ledger, "CS", 2600000, "").number, 2,
           "cancel: its shares are issued again, with the next number");

    stockcert_ledger_close(ledger);
    ledger = fixture_open(&f);

    stockcert_ledger_snapshot(ledger, &error);

    is_int(stockcert_ledger_certificate(ledger, "CS", 2, 1, &certificate,
                                        &error),
           STOCKCERT_OK, "cancelled: read");
    is_int(certificate.issued.position, 3,
           "cancelled: the entry that issued it");
    is_int(certificate.surrender.position, 4,
           "cancelled: the entry that cancelled it");
    is_str(stockcert_status(&certificate.surrender), "cancelled",
           "cancelled: its status");
    is_mem(certificate.surrender.reference.data,
           certificate.surrender.reference.len, "issued in error", 15,
           "cancelled: the reason");

    is_int(stockcert_ledger_certificate(ledger, "CS", 2, 2, &certificate,
                                        &error),
           STOCKCERT_OK, "not cancelled: read");
    is_int(certificate.surrender.position, 0, "not cancelled: no entry");

    stockcert_ledger_release(ledger);
    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 5, "cancel: verify");
}


/* entries and grants see each other before anything is committed */

static void
test_one_transaction(void)
{
    fixture_t            f;
    stockcert_slot_t     slots[2];
    stockcert_entry_t    entry;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "one");
    ledger = fixture_open(&f);

    fixture_slot(&slots[0], "CS", "Salt Bae", 2600000);
    fixture_slot(&slots[1], "CS", "Salt Bae", 2600001);

    stockcert_ledger_begin(ledger, &error);
    stockcert_ledger_issue(ledger, &slots[0], 1, &error);

    entry = entry_of(STOCKCERT_CERTIFICATE_SURRENDERED, "CS", 1, 2600000,
                     "misprint");
    is_int(stockcert_ledger_enter(ledger, &entry, &error), STOCKCERT_OK,
           "one transaction: cancelled");
    is_int(entry.position, 4, "one transaction: its position");

    entry = entry_of(STOCKCERT_CLASS_AMENDED, "CS", 0, 2600001, "by 1");
    is_int(stockcert_ledger_enter(ledger, &entry, &error), STOCKCERT_OK,
           "one transaction: amended");

    entry = entry_of(STOCKCERT_CLASS_OPENED, "AA", 0, 5, "New Stock");
    is_int(stockcert_ledger_enter(ledger, &entry, &error), STOCKCERT_OK,
           "one transaction: opened");

    stockcert_ledger_issue(ledger, &slots[1], 1, &error);
    is_int(stockcert_ledger_commit(ledger, &error), STOCKCERT_OK,
           "one transaction: commit");

    is_int(slots[1].outcome.status, STOCKCERT_ISSUED, "one transaction: issued");
    is_int(slots[1].outcome.number, 2, "one transaction: the next number");
    is_int(issue(ledger, "AA", 5, "").number, 1, "the class that was opened");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 8, "one transaction: verify");
}


/* a key gets its first certificate again, even after a cancellation */

static void
test_replay(void)
{
    fixture_t             f;
    stockcert_outcome_t   first, again;
    stockcert_ledger_t   *ledger;

    fixture_make_default(&f, "replay");
    ledger = fixture_open(&f);

    first = issue(ledger, "CS", 10, "key");
    cancel(ledger, "CS", 1, 10);
    again = issue(ledger, "CS", 10, "key");

    is_int(again.replayed, 1, "replay: of a cancelled certificate");
    is_int(again.number, 1, "replay: its number");
    is_int(again.transaction, 4, "replay: by what it was cancelled");
    is_int(again.cancelled, 1, "replay: nothing came of it");
    is_mem(again.seal, STOCKCERT_SEAL_LEN, first.seal, STOCKCERT_SEAL_LEN,
           "replay: its seal");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 4, "replay: verify");
}


static void
test_copy(void)
{
    char                 key[8];
    size_t               i;
    uint64_t             n, shares;
    fixture_t            f, g;
    stockcert_rc_e       rc;
    stockcert_entry_t    entry;
    stockcert_error_t    error;
    stockcert_ledger_t  *from, *to;

    fixture_make_default(&f, "from");
    from = fixture_open(&f);

    for (i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "key%zu", i);
        issue(from, i % 3 ? "CS" : "PS", 1 + i, i % 2 ? key : "");
    }

    cancel(from, "PS", 7, 19);
    cancel(from, "CS", 300, 450);
    amend(from, "PS", 800000);
    issue(from, "CS", 1, "after");

    fixture_make(&g, "to");
    g.conf.created = stockcert_ledger_created(from);
    to = fixture_open(&g);

    stockcert_ledger_snapshot(from, &error);
    stockcert_ledger_begin(to, &error);

    for (n = 1, rc = STOCKCERT_OK; rc == STOCKCERT_OK; n++) {

        if (stockcert_ledger_entry(from, n, &entry, &error) != STOCKCERT_OK) {
            break;
        }

        rc = stockcert_ledger_enter(to, &entry, &error);
    }

    is_int(rc, STOCKCERT_OK, "copy: every entry, with its seal");
    is_int(n, 507, "copy: all entries");
    is_int(stockcert_ledger_commit(to, &error), STOCKCERT_OK, "copy: commit");
    stockcert_ledger_release(from);

    is_int(issue(to, "CS", 1, "after").replayed, 1, "copy: a key is known");

    shares = fixture_counters(from, "CS").issued;
    is_int(fixture_counters(to, "CS").issued, (long long) shares,
           "copy: as many shares are out");

    stockcert_ledger_close(from);
    stockcert_ledger_close(to);

    is_int(verified_ledger(&g), 506, "copy: verify");
}


/* rules for a new text do not apply to a text that is there already */

static void
test_old_texts(void)
{
    fixture_t            f;
    stockcert_entry_t    entry;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    static const char    company[] = "Acme \xe2\x81\xa6Inc.\xe2\x81\xa9";
    static const char    name[] = "abc \xe2\x80\xaetxt.exe";
    static const char    unseen[] = "\xe2\x80\x8b";

    fixture_make_default(&f, "old");
    f.conf.company = fixture_str(company);

    is_int(stockcert_ledger_open(&f.conf, &ledger, &error), STOCKCERT_FAILED,
           "old texts: no new ledger of such a company");
    ok(strstr(error.text, "the company's name must not contain") != NULL,
       "old texts: \"%s\"", error.text);

    f.conf.created = 1;
    ledger = fixture_open(&f);

    entry = entry_of(STOCKCERT_CERTIFICATE_ISSUED, "CS", 1, 10, name);
    is_int(fixture_enter(ledger, &entry, &error), STOCKCERT_OK,
           "old texts: a name is entered");

    entry = entry_of(STOCKCERT_CERTIFICATE_SURRENDERED, "CS", 1, 10, unseen);
    is_int(fixture_enter(ledger, &entry, &error), STOCKCERT_OK,
           "old texts: a reason is entered");

    stockcert_ledger_close(ledger);

    f.conf.created = 0;
    ledger = fixture_open(&f);

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_OK,
           "old texts: the ledger is read");
    is_int(stockcert_ledger_entry(ledger, 3, &entry, &error), STOCKCERT_OK,
           "old texts: so is the name");
    is_mem(entry.name.data, entry.name.len, name, strlen(name),
           "old texts: as it was");
    is_int(stockcert_ledger_entry(ledger, 4, &entry, &error), STOCKCERT_OK,
           "old texts: and the reason");
    stockcert_ledger_release(ledger);

    stockcert_ledger_close(ledger);
}


static uint8_t  another[STOCKCERT_SEAL_LEN];

static const struct {
    const char          *what;
    stockcert_kind_e     kind;
    const char          *code;
    uint64_t             number;
    uint64_t             shares;
    const char          *text;
    const char          *key;
    uint64_t             position;
    uint64_t             time;
    const uint8_t       *seal;
    stockcert_rc_e       expected;
} refused[] = {
    { "a class twice", 1, "CS", 0, 5, "Common", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "a bad code", 1, "cs", 0, 5, "Common", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "no title", 1, "AA", 0, 5, "", "", 0, 0, NULL, STOCKCERT_REFUSED },
    { "a class of no share", 1, "AA", 0, 0, "A", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "a number left out", 2, "CS", 3, 5, "Joe", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "a number again", 2, "CS", 1, 5, "Joe", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "no shares", 2, "CS", 2, 0, "Joe", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "too many shares", 2, "CS", 2, 2599991, "Joe", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "a bad name", 2, "CS", 2, 1, "\xff", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "a key twice", 2, "CS", 2, 1, "Joe", "key", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "no reference", 3, "CS", 0, 50, "", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "a blank reason", 4, "CS", 1, 10, " ", "", 0, 0, NULL,
      STOCKCERT_REFUSED },
    { "a position left out", 2, "CS", 2, 1, "Joe", "", 5, 0, NULL,
      STOCKCERT_REFUSED },
    { "a time before the last", 2, "CS", 2, 1, "Joe", "", 0, 1, NULL,
      STOCKCERT_REFUSED },
    { "another seal", 2, "CS", 2, 1, "Joe", "", 0, 0, another,
      STOCKCERT_REFUSED },
    { "a right one", 2, "CS", 2, 2599990, "Joe", "key2", 4, 0, NULL,
      STOCKCERT_OK }
};


/* each one may not come next, for one reason, and then a right one may */

static void
test_refused(void)
{
    size_t               i;
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_entry_t    entry, last;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "refused");
    ledger = fixture_open(&f);
    issue(ledger, "CS", 10, "key");

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        entry = entry_of(refused[i].kind, refused[i].code, refused[i].number,
                         refused[i].shares, refused[i].text);
        entry.key = fixture_str(refused[i].key);
        entry.position = refused[i].position;
        entry.time = refused[i].time;
        entry.seal = refused[i].seal;

        rc = fixture_enter(ledger, &entry, &error);
        is_int(rc, refused[i].expected, "refused: %s: %s", refused[i].what,
               rc == STOCKCERT_OK ? "" : error.text);

        stockcert_ledger_snapshot(ledger, &error);
        stockcert_ledger_last(ledger, &last, &error);
        is_int(last.position, rc == STOCKCERT_OK ? 4 : 3,
               "refused: %s: the journal's end", refused[i].what);
        stockcert_ledger_release(ledger);
    }

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 4, "refused: verify");
}


static stockcert_rc_e
open_as(const fixture_t *f, stockcert_access_e mode,
    stockcert_ledger_t **ledger)
{
    stockcert_error_t        error;
    stockcert_ledger_conf_t  conf;

    memset(&conf, 0, sizeof(stockcert_ledger_conf_t));

    conf.path = f->path;
    conf.access = mode;

    return stockcert_ledger_open(&conf, ledger, &error);
}


/* a ledger that is there is opened without a configuration, and none is made */

static void
test_access(void)
{
    char                 lock[320], data[320];
    uint8_t              before[STOCKCERT_SEAL_LEN], after[STOCKCERT_SEAL_LEN];
    fixture_t            f;
    struct stat          st;
    stockcert_str_t      company;
    stockcert_usage_t    usage;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "access");
    fixture_file(&f, "data.mdb", data, sizeof(data));
    fixture_file(&f, "lock.mdb", lock, sizeof(lock));

    is_int(open_as(&f, STOCKCERT_READ, &ledger), STOCKCERT_FAILED,
           "read: no ledger is there");
    is_int(open_as(&f, STOCKCERT_WRITE, &ledger), STOCKCERT_FAILED,
           "write: no ledger is there");
    is_int(stat(data, &st), -1, "nothing was made");

    stockcert_ledger_close(fixture_open(&f));
    fixture_digest(&f, before);

    is_int(open_as(&f, STOCKCERT_READ, &ledger), STOCKCERT_OK, "read: open");
    company = stockcert_ledger_company(ledger);
    is_mem(company.data, company.len, FIXTURE_COMPANY, strlen(FIXTURE_COMPANY),
           "read: the company");
    is_int(fixture_counters(ledger, "CS").authorized, 2600000, "read: a class");
    is_int(stockcert_ledger_usage(ledger, &usage, &error), STOCKCERT_OK,
           "read: usage");
    is_int(usage.size, (long long) f.conf.size, "read: the size stays");
    stockcert_ledger_close(ledger);

    fixture_digest(&f, after);
    is_mem(after, sizeof(after), before, sizeof(before), "read: no change");

    is_int(open_as(&f, STOCKCERT_WRITE, &ledger), STOCKCERT_OK, "write: open");
    is_int(amend(ledger, "CS", 5), STOCKCERT_OK, "write: amend");
    stockcert_ledger_close(ledger);

    /* root must not keep the owner out */

    if (geteuid() == 0) {
        is_int(unlink(lock), 0, "root: the lock file is removed");
        is_int(chown(data, 65534, 65534), 0, "root: data.mdb is another's");
        is_int(open_as(&f, STOCKCERT_READ, &ledger), STOCKCERT_OK,
               "root: open");
        stockcert_ledger_close(ledger);
        is_int(stat(lock, &st), 0, "root: a lock file is made");
        is_int(st.st_uid, 65534, "root: it is the owner's");
    }

    is_int(verified_ledger(&f), 3, "access: verify");
}
