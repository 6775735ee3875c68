
/*
 * Histories by chance: certificates are issued, transactions of all types made,
 * holders changed, classes amended, the ledger closed and opened again.  What the
 * ledger made of it, "stockcert verify" finds in order, and so does the audit.
 * STOCKCERT_SEED=number repeats one.
 */


#include "audit.h"
#include "verified.h"


#define RESULTS  3    /* certificates that an order asks for, at most */
#define HISTORIES  12
#define STEPS      400


typedef struct {
    stockcert_ledger_t  *ledger;
    uint64_t             last;         /* certificate of CS */
    size_t               issued;
    size_t               transactions;
    size_t               refused;
} history_t;


static void history(unsigned seed);
static void step(history_t *h);
static void issue(history_t *h);
static void transact(history_t *h);
static void change(history_t *h);
static void amend(history_t *h);
static uint64_t some(const history_t *h);
static void enter(history_t *h, stockcert_entry_t *entry);
static stockcert_str_t pick(const char *const *words, size_t n);


#define PICK(words)  pick(words, sizeof(words) / sizeof(words[0]))


static const char *const  names[] = { "Ann", "Bob", "Salt Bae" };
static const char *const  ids[] = { "", "", "a", "b" };
static const char *const  addresses[] = { "", "1 Main St", "2 Main St" };
static const char *const  dates[] = { "", "", "", "", "", "", "", "2020-01-02",
                                      "2025-01-01", "9999-01-01" };


int
main(void)
{
    size_t       i;
    unsigned     seed;
    const char  *given;

    fixture_begin();

    given = getenv("STOCKCERT_SEED");
    seed = given ? (unsigned) strtoul(given, NULL, 10) : (unsigned) time(NULL);

    for (i = 0; i < (given ? 1 : HISTORIES); i++) {
        history(seed + (unsigned) i);
    }

    fixture_end();

    return tap_done();
}


static void
history(unsigned seed)
{
    char                   path[320], name[24];
    size_t                 i;
    fixture_t              f;
    history_t              h;
    const char            *fault;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));
    memset(&h, 0, sizeof(history_t));

    srandom(seed);
    snprintf(name, sizeof(name), "%u", seed);

    fixture_make(&f, name);
    fixture_class(&f, "CS", "Common Stock", 1000);
    fixture_file(&f, "data.mdb", path, sizeof(path));

    h.ledger = fixture_open(&f);

    for (i = 1; i <= STEPS; i++) {
        step(&h);

        if (random() % 30 != 0 && i < STEPS) {
            continue;
        }

        stockcert_ledger_close(h.ledger);

        fault = verified_file(path, &verified);

        if (fault || audit_ledger(&f) != (int64_t) verified.entries
            || verified.certificates != h.last
            || verified.transactions != h.transactions)
        {
            ok(0, "%u, step %zu: %s", seed, i, fault ? fault : "another ledger");
            return;
        }

        h.ledger = fixture_open(&f);
    }

    stockcert_ledger_close(h.ledger);

    ok(h.issued && h.transactions && h.refused, "%u: %zu issues, %zu "
       "transactions, %zu orders refused", seed, h.issued, h.transactions,
       h.refused);
}


static void
step(history_t *h)
{
    switch (random() % 8) {

    case 0:
    case 1:
        issue(h);
        break;

    case 2:
        change(h);
        break;

    case 3:
        amend(h);
        break;

    default:
        transact(h);
    }
}


static void
issue(history_t *h)
{
    size_t             i;
    stockcert_slot_t   slots[40];
    stockcert_entry_t  entry;

    if (random() % 2) {
        memset(&entry, 0, sizeof(stockcert_entry_t));

        entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
        entry.code = fixture_str("CS");
        entry.number = h->last + 1;
        entry.shares = 1 + (uint64_t) random() % 40;
        entry.name = PICK(names);
        entry.holder_id = PICK(ids);
        entry.address = PICK(addresses);
        entry.effective = PICK(dates);

        enter(h, &entry);
        h->last = fixture_counters(h->ledger, "CS").last;
        return;
    }

    for (i = 0; i < 40; i++) {
        fixture_slot(&slots[i], "CS", names[random() % 3],
                     1 + (uint64_t) random() % 3);
    }

    if (fixture_issue(h->ledger, slots, 1 + (size_t) random() % 40)
        != STOCKCERT_OK)
    {
        tap_bail_out("cannot issue");
    }

    h->issued++;
    h->last = fixture_counters(h->ledger, "CS").last;
}


/* an order that may be right or not */

static void
draw_order(history_t *h, stockcert_order_t *order, stockcert_entry_t *to)
{
    size_t  i;

    memset(order, 0, sizeof(stockcert_order_t));
    memset(to, 0, RESULTS * sizeof(stockcert_entry_t));

    order->first.type = 1 + (uint64_t) random() % 5;
    order->first.reference = fixture_str("Agreement");
    order->first.effective = PICK(dates);
    order->nfrom = random() % 3 ? 1 : 1 + (size_t) random() % 3;
    order->to = to;

    for (i = 0; i < order->nfrom; i++) {
        order->from[i].number = some(h);
        order->from[i].code_len = 2;
        memcpy(order->from[i].code, "CS", 2);
    }

    switch (order->first.type) {

    case STOCKCERT_REISSUE:
        order->first.reason = (uint64_t) random() % STOCKCERT_REASON_END;
        break;

    case STOCKCERT_REPURCHASE:
        order->first.price = fixture_str("0.01 USD");
        /* fall through */

    case STOCKCERT_CANCEL:
        order->amount = (uint64_t) random() % 3;
        break;

    case STOCKCERT_CORRECT:
        order->first.corrects = 1 + (uint64_t) random() % 200;
        break;
    }

    if (order->amount == 0 && order->first.type != STOCKCERT_CANCEL
        && order->first.type != STOCKCERT_REPURCHASE)
    {
        order->nto = (size_t) random() % (RESULTS + 1);
    }

    for (i = 0; i < order->nto; i++) {
        to[i].shares = 1 + (uint64_t) random() % 2;
        to[i].name = PICK(names);
        to[i].holder_id = PICK(ids);
        to[i].address = PICK(addresses);
    }
}


static void
transact(history_t *h)
{
    stockcert_rc_e          rc;
    stockcert_entry_t       to[RESULTS];
    stockcert_error_t       error;
    stockcert_order_t       order;
    stockcert_transacted_t  done;

    draw_order(h, &order, to);

    rc = stockcert_ledger_begin(h->ledger, &error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_transact(h->ledger, &order, &done, &error);
    }

    if (rc != STOCKCERT_OK) {
        tap_bail_out("cannot transact: %s", error.text);
    }

    if (done.status != STOCKCERT_ISSUED) {
        stockcert_ledger_abort(h->ledger);
        h->refused++;
        return;
    }

    if (stockcert_ledger_commit(h->ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot commit: %s", error.text);
    }

    h->transactions++;
    h->last = fixture_counters(h->ledger, "CS").last;
}


static void
change(history_t *h)
{
    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_HOLDER_CHANGED;
    entry.code = fixture_str("CS");
    entry.number = some(h);
    entry.holder_id = PICK(ids);
    entry.address = PICK(addresses);
    entry.reference = fixture_str("Letter");

    enter(h, &entry);
}


static void
amend(history_t *h)
{
    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CLASS_AMENDED;
    entry.code = fixture_str("CS");
    entry.shares = fixture_counters(h->ledger, "CS").issued
                   + (uint64_t) random() % 100;
    entry.reference = fixture_str("Resolution");

    enter(h, &entry);
}


/* the number of a certificate, of a late one more often; or of the next */

static uint64_t
some(const history_t *h)
{
    uint64_t  back;

    back = (uint64_t) random() % (random() % 2 ? 20 : h->last + 1);

    return back <= h->last ? h->last + 1 - back : 1;
}


/* one that may be refused */

static void
enter(history_t *h, stockcert_entry_t *entry)
{
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    rc = fixture_enter(h->ledger, entry, &error);

    if (rc == STOCKCERT_REFUSED) {
        h->refused++;

    } else if (rc != STOCKCERT_OK) {
        tap_bail_out("cannot enter: %s", error.text);
    }
}


static stockcert_str_t
pick(const char *const *words, size_t n)
{
    return fixture_str(words[(size_t) random() % n]);
}
