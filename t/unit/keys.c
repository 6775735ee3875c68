
/*
 * Idempotency keys: how they are read, and that each has one certificate.
 */


#include "verified.h"

#include "stockcert_key.h"
#include "stockcert_lanes.h"


static void test_read(void);
static void test_refused(void);
static void test_lengths(void);
static void test_replay(void);
static void test_batch(void);
static void test_runs(void);
static void test_parts(void);
static void test_lane(void);


int
main(void)
{
    fixture_begin();

    test_read();
    test_refused();
    test_lengths();
    test_replay();
    test_batch();
    test_runs();
    test_parts();
    test_lane();

    fixture_end();

    return tap_done();
}


static void
test_read(void)
{
    char     key[STOCKCERT_KEY_MAX];
    size_t   i;
    uint8_t  len;

    static const struct {
        const char  *text;
        const char  *key;
    } cases[] = {
        { "a", "a" },
        { "\"a\"", "a" },
        { "two words", "two words" },
        { "\"two words\"", "two words" },
        { "a, b", "a, b" },
        { "a\"b\\c", "a\"b\\c" },
        { "\"a\\\"b\\\\c\"", "a\"b\\c" },
        { "\"\\\"\"", "\"" },
        { "\"\\\\\"", "\\" },
        { "\" \"", " " },
        { " !#[]~", " !#[]~" },
        { "8e03978e-40d5-43dd-bc93-6894a57f9324",
          "8e03978e-40d5-43dd-bc93-6894a57f9324" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(stockcert_key_parse(cases[i].text, strlen(cases[i].text), key, &len)
           == NULL, "read: %s", cases[i].text);
        is_mem(key, len, cases[i].key, strlen(cases[i].key), "read: the key");
    }
}


static void
test_refused(void)
{
    int          c;
    char         key[STOCKCERT_KEY_MAX], text[3];
    size_t       i, wrong;
    uint8_t      len;

    static const char *cases[] = {
        "", "\"\"", "\"", "\"a", "\"a\"b", "\"a\"b\"", "\"a\\\"", "\"\\a\"",
        "\"a\";b=1", "\"a\", \"b\"", "\"\\\"", "\"a\"b\\\"", "\t", "a\tb",
        "a\x7f", "\xc3\xa9", "\"\xc3\xa9\""
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(stockcert_key_parse(cases[i], strlen(cases[i]), key, &len) != NULL,
           "refused: %s", cases[i]);
    }

    wrong = 0;

    for (c = 0; c < 256; c++) {
        text[0] = 'a';
        text[1] = (char) c;
        text[2] = 'b';

        wrong += (stockcert_key_parse(text, 3, key, &len) == NULL)
                 != (c >= 0x20 && c <= 0x7e);
    }

    is_int(wrong, 0, "refused: every other byte, but no other");
}


static void
test_lengths(void)
{
    char     key[STOCKCERT_KEY_MAX + 1], text[2 * STOCKCERT_KEY_MAX + 4];
    uint8_t  len;

    memset(text, 'k', sizeof(text));
    key[STOCKCERT_KEY_MAX] = 'x';

    ok(stockcert_key_parse(text, 255, key, &len) == NULL && len == 255,
       "lengths: 255");
    ok(stockcert_key_parse(text, 256, key, &len) != NULL, "lengths: 256");

    text[0] = '"';
    text[256] = '"';
    ok(stockcert_key_parse(text, 257, key, &len) == NULL && len == 255,
       "lengths: 255 in quotes");

    memset(text + 1, '\\', 510);
    text[511] = '"';
    ok(stockcert_key_parse(text, 512, key, &len) == NULL && len == 255,
       "lengths: 255, each with a backslash");

    memset(text + 1, '\\', 512);
    text[513] = '"';
    ok(stockcert_key_parse(text, 514, key, &len) != NULL,
       "lengths: 256, each with a backslash");

    is_int(key[STOCKCERT_KEY_MAX], 'x', "lengths: nothing is written behind");
}


static void
slot_key(stockcert_slot_t *slot, const char *code, const char *name,
    uint64_t amount, const char *key)
{
    fixture_slot(slot, code, name, amount);

    slot->grant.key_len = (uint8_t) strlen(key);
    memcpy(slot->grant.key, key, slot->grant.key_len);
}


static void
is_same(const stockcert_slot_t *got, const stockcert_slot_t *expected,
    const char *name)
{
    is_int(got->outcome.status, STOCKCERT_ISSUED, "%s: status", name);
    is_int(got->outcome.replayed, 1, "%s: replayed", name);
    is_int(got->outcome.number, expected->outcome.number, "%s: number", name);
    is_int(got->outcome.position, expected->outcome.position, "%s: position",
           name);
    is_int(got->outcome.time, expected->outcome.time, "%s: time", name);
    is_mem(got->outcome.seal, STOCKCERT_SEAL_LEN, expected->outcome.seal,
           STOCKCERT_SEAL_LEN, "%s: seal", name);
}


/* over transactions, and over closing the ledger */

static void
test_replay(void)
{
    size_t               i;
    uint8_t              before[STOCKCERT_SEAL_LEN], after[STOCKCERT_SEAL_LEN];
    fixture_t            f;
    stockcert_slot_t     first, again, other;
    stockcert_ledger_t  *ledger;

    static const struct {
        const char  *code;
        const char  *name;
        uint64_t     amount;
    } others[] = {
        { "PS", "Salt Bae", 10 }, { "CS", "Salt Ba", 10 },
        { "CS", "Salt Bae", 11 }, { "CS", "Salt Bae", 2600001 },
        { "CS", "salt bae", 10 }, { "XX", "Salt Bae", 10 }
    };

    fixture_make_default(&f, "replay");
    ledger = fixture_open(&f);

    slot_key(&first, "CS", "Salt Bae", 10, "k");
    is_int(fixture_issue(ledger, &first, 1), STOCKCERT_OK, "replay: commit");
    is_int(first.outcome.replayed, 0, "replay: the first is none");

    fixture_digest(&f, before);

    slot_key(&again, "CS", "Salt Bae", 10, "k");
    fixture_issue(ledger, &again, 1);
    is_same(&again, &first, "replay");

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        slot_key(&other, others[i].code, others[i].name, others[i].amount, "k");
        fixture_issue(ledger, &other, 1);
        is_int(other.outcome.status, STOCKCERT_KEY_REUSED,
               "replay: another grant %zu", i);
    }

    fixture_digest(&f, after);
    is_mem(after, STOCKCERT_SEAL_LEN, before, STOCKCERT_SEAL_LEN,
           "replay: nothing is written");

    /* a refusal is not remembered, and a replay needs no shares */

    slot_key(&other, "PS", "Salt Bae", 750001, "more");
    fixture_issue(ledger, &other, 1);
    is_int(other.outcome.status, STOCKCERT_INSUFFICIENT, "replay: refused");

    slot_key(&other, "PS", "Salt Bae", 750000, "more");
    fixture_issue(ledger, &other, 1);
    is_int(other.outcome.status, STOCKCERT_ISSUED,
           "replay: a refused one's key is free");

    slot_key(&again, "PS", "Salt Bae", 750000, "more");
    fixture_issue(ledger, &again, 1);
    is_same(&again, &other, "replay: no shares left");

    stockcert_ledger_close(ledger);
    ledger = fixture_open(&f);

    slot_key(&again, "CS", "Salt Bae", 10, "k");
    fixture_issue(ledger, &again, 1);
    is_same(&again, &first, "replay: opened again");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 2, "replay: verify");
}


/* twice in one batch, beside keys that differ little, and the longest */

static void
test_batch(void)
{
    int                  i;
    char                 key[STOCKCERT_KEY_MAX + 1];
    fixture_t            f;
    stockcert_slot_t     slots[260];
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "batch");
    ledger = fixture_open(&f);

    memset(key, 'k', sizeof(key));

    for (i = 0; i < 255; i++) {
        key[STOCKCERT_KEY_MAX - i] = '\0';
        slot_key(&slots[i], "CS", "Salt Bae", 1, key);
        key[STOCKCERT_KEY_MAX - i] = 'k';
    }

    slots[255] = slots[0];
    slots[256] = slots[254];
    slots[257] = slots[3];
    slots[257].grant.amount = 2;
    fixture_slot(&slots[258], "CS", "Salt Bae", 1);
    fixture_slot(&slots[259], "CS", "Salt Bae", 1);

    is_int(fixture_issue(ledger, slots, 260), STOCKCERT_OK, "batch: commit");
    is_same(&slots[255], &slots[0], "batch: the longest");
    is_same(&slots[256], &slots[254], "batch: the shortest");
    is_int(slots[257].outcome.status, STOCKCERT_KEY_REUSED,
           "batch: another grant");
    is_int(slots[258].outcome.number, 256, "batch: without a key");
    is_int(slots[259].outcome.number, 257, "batch: without a key, again");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 257, "batch: verify");
}


/* enough keys, in batches of many sizes, for runs to be merged at all levels */

static void
test_runs(void)
{
    int                  i, n, first, size, wrong;
    char                 key[32];
    fixture_t            f;
    stockcert_slot_t     slots[150];
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "runs");
    ledger = fixture_open(&f);

    n = 0;
    wrong = 0;

    for (size = 1; size <= 150; size += 1 + size / 40) {

        for (i = 0; i < size; i++) {
            snprintf(key, sizeof(key), "key %d", n + i);
            slot_key(&slots[i], "CS", "Salt Bae", 1, key);
        }

        wrong += fixture_issue(ledger, slots, size) != STOCKCERT_OK;

        for (i = 0; i < size; i++) {
            wrong += slots[i].outcome.replayed
                     || slots[i].outcome.number != (uint64_t) ++n;
        }
    }

    is_int(wrong, 0, "runs: %d keys", n);

    for (first = 0; first + 150 <= n; first += 150) {

        for (i = 0; i < 150; i++) {
            snprintf(key, sizeof(key), "key %d", first + i);
            slot_key(&slots[i], "CS", "Salt Bae", 1, key);
        }

        wrong += fixture_issue(ledger, slots, 150) != STOCKCERT_OK;

        for (i = 0; i < 150; i++) {
            wrong += !slots[i].outcome.replayed
                     || slots[i].outcome.number != (uint64_t) first + i + 1;
        }
    }

    is_int(wrong, 0, "runs: each is found again");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + n, "runs: verify");
}


/* enough keys for runs to be split into parts twice, and merged there */

static void
test_parts(void)
{
    int                  i, n, again, wrong;
    char                 key[32];
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    static stockcert_slot_t  slots[1000];

    fixture_make_default(&f, "parts");
    f.conf.size = 128 * 1024 * 1024;
    ledger = fixture_open(&f);

    wrong = 0;

    for (again = 0; again < 2; again++) {

        for (n = 0; n < 140000; n += 1000) {

            for (i = 0; i < 1000; i++) {
                snprintf(key, sizeof(key), "key %d", n + i);
                slot_key(&slots[i], "CS", "Salt Bae", 1, key);
            }

            wrong += fixture_issue(ledger, slots, 1000) != STOCKCERT_OK;

            for (i = 0; i < 1000; i++) {
                wrong += slots[i].outcome.replayed != again
                         || slots[i].outcome.number != (uint64_t) n + i + 1;
            }
        }
    }

    is_int(wrong, 0, "parts: each of 140000 keys is issued once");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 140000, "parts: verify");
}


static void
wake(void *data, size_t lane)
{
    (void) data;
    (void) lane;
}


/*
 * A leader noted an outcome that was a replay, and died before it committed.
 * The journal has the replayed entry, but this says nothing about the leader's
 * other grants.
 */

static void
test_lane(void)
{
    fixture_t            f;
    stockcert_slot_t     slot, *replayed, *lost;
    stockcert_leader_t   leader;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    static _Alignas(STOCKCERT_CACHE_LINE) uint8_t
        memory[sizeof(stockcert_lanes_t) + sizeof(stockcert_lane_t)];

    stockcert_lanes_t  *lanes = (stockcert_lanes_t *) memory;

    fixture_make_default(&f, "lane");
    ledger = fixture_open(&f);
    stockcert_lanes_init(lanes, 1);

    slot_key(&slot, "CS", "Salt Bae", 10, "k");
    fixture_issue(ledger, &slot, 1);

    stockcert_lane_fill(lanes, &lanes->lanes[0], 0, &slot.grant);
    stockcert_lane_fill(lanes, &lanes->lanes[0], 0, &slot.grant);

    replayed = stockcert_lane_slot(&lanes->lanes[0], 0);
    lost = stockcert_lane_slot(&lanes->lanes[0], 1);

    lost->grant.key_len = 0;
    replayed->outcome = slot.outcome;
    replayed->outcome.replayed = 1;
    lost->outcome = slot.outcome;
    lost->outcome.number = 2;
    lost->outcome.position++;
    atomic_store(&lanes->lanes[0].noted, 2);

    memset(&leader, 0, sizeof(stockcert_leader_t));
    leader.lanes = lanes;
    leader.wake = wake;

    is_int(stockcert_lanes_commit(&leader, ledger, &error), STOCKCERT_OK,
           "lane: the next leader");
    is_int(stockcert_lane_settled(&lanes->lanes[0]), 2, "lane: settled");
    is_same(replayed, &slot, "lane");
    is_int(lost->outcome.replayed, 0, "lane: the other is issued");
    ok(memcmp(lost->outcome.seal, slot.outcome.seal, STOCKCERT_SEAL_LEN) != 0,
       "lane: with a seal of its own");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 2, "lane: verify");
}
