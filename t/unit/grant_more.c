
/*
 * What a grant may say besides: holder_id, address, capacity, price, effective
 * and reference, and who asked for it.
 */


#include "stockcert_grant.h"
#include "tap.h"


#define GRANT(more)                                                           \
    "{\"name\":\"Salt Bae\",\"amount\":10,\"class\":\"CS\"" more "}"

/* a string literal may hold NUL bytes */

#define CASE(more, member)  { GRANT("," more), sizeof(GRANT("," more)) - 1, member }


static void test_none(void);
static void test_each(void);
static void test_all(void);
static void test_order(void);
static void test_faults(void);
static void test_lengths(void);
static void test_most(void);
static void test_actor(void);
static void parse(const char *json, size_t len, stockcert_grant_t *grant);


int
main(void)
{
    test_none();
    test_each();
    test_all();
    test_order();
    test_faults();
    test_lengths();
    test_most();
    test_actor();

    return tap_done();
}


/* what was there before is not there any more */

static void
test_none(void)
{
    stockcert_grant_t  grant;

    memset(&grant, 0xaa, sizeof(grant));
    parse(GRANT(""), sizeof(GRANT("")) - 1, &grant);

    is_int(grant.asked_len, 0, "a plain grant asks for nothing besides");
    is_int(grant.more_len, 0, "and nothing is kept of it");
}


/* the fields as the journal has them: tag, length, value */

static void
test_each(void)
{
    size_t             i;
    stockcert_grant_t  grant;

    static const struct {
        const char  *json;
        const char  *more;
    } cases[] = {
        { GRANT(",\"holder_id\":\"H-1\""), "\x10\x03H-1" },
        { GRANT(",\"address\":\"1 Main St, Dover\""),
          "\x11\x10" "1 Main St, Dover" },
        { GRANT(",\"capacity\":\"custodian for Zo\\u00eb\""),
          "\x12\x12" "custodian for Zo\xc3\xab" },
        { GRANT(",\"price\":\"0.0001 USD\""), "\x13\x0a" "0.0001 USD" },
        { GRANT(",\"effective\":\"2026-11-20\""), "\x14\x0a" "2026-11-20" },
        { GRANT(",\"reference\":\"Board, 20 Nov\""), "\x15\x0d" "Board, 20 Nov" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&grant, 0xaa, sizeof(grant));
        parse(cases[i].json, strlen(cases[i].json), &grant);

        is_mem(grant.more, grant.asked_len, cases[i].more,
               strlen(cases[i].more), "each: %s", cases[i].json);
        is_int(grant.more_len, grant.asked_len, "each: and no more");
    }
}


static void
test_all(void)
{
    stockcert_entry_t  entry;
    stockcert_grant_t  grant;

    static const char  json[] = GRANT(",\"holder_id\":\"H\",\"address\":\"a\","
                                      "\"capacity\":\"c\",\"price\":\"1 EUR\","
                                      "\"effective\":\"2026-11-20\","
                                      "\"reference\":\"r\"");

    parse(json, sizeof(json) - 1, &grant);

    memset(&entry, 0, sizeof(entry));
    is_int(stockcert_entry_read_fields(grant.more, grant.more_len,
                                       STOCKCERT_FIELD_REQUEST, &entry),
           0, "all: the fields are fields");

    is_mem(entry.holder_id.data, entry.holder_id.len, "H", 1, "all: holder_id");
    is_mem(entry.address.data, entry.address.len, "a", 1, "all: address");
    is_mem(entry.capacity.data, entry.capacity.len, "c", 1, "all: capacity");
    is_mem(entry.price.data, entry.price.len, "1 EUR", 5, "all: price");
    is_mem(entry.effective.data, entry.effective.len, "2026-11-20", 10,
           "all: effective");
    is_mem(entry.reference.data, entry.reference.len, "r", 1, "all: reference");
    is_int(entry.actor.len, 0, "all: nobody asked");
}


/* a grant is the same whatever comes first */

static void
test_order(void)
{
    stockcert_grant_t  one, two;

    parse(GRANT(",\"price\":\"1 EUR\",\"holder_id\":\"H\""),
          strlen(GRANT(",\"price\":\"1 EUR\",\"holder_id\":\"H\"")), &one);
    parse("{\"holder_id\":\"H\",\"class\":\"CS\",\"price\":\"1 EUR\","
          "\"amount\":10,\"name\":\"Salt Bae\"}",
          strlen("{\"holder_id\":\"H\",\"class\":\"CS\",\"price\":\"1 EUR\","
                 "\"amount\":10,\"name\":\"Salt Bae\"}"), &two);

    is_mem(one.more, one.asked_len, two.more, two.asked_len,
           "the order of members does not matter");
}


static void
test_faults(void)
{
    size_t             i;
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    static const struct {
        const char  *json;
        size_t       len;
        const char  *member;
    } cases[] = {
        CASE("\"holder_id\":\"\"", "holder_id"),
        CASE("\"holder_id\":null", "holder_id"),
        CASE("\"holder_id\":7", "holder_id"),
        CASE("\"holder_id\":\"a\\u0000\"", "holder_id"),
        CASE("\"holder_id\":\"a\\n\"", "holder_id"),
        CASE("\"holder_id\":\"\\u007f\"", "holder_id"),
        CASE("\"holder_id\":\"Zo\xc3\xab\"", "holder_id"),
        CASE("\"address\":\"\"", "address"),
        CASE("\"address\":\" \"", "address"),
        CASE("\"address\":\"a\\nb\"", "address"),
        CASE("\"address\":\"a\\u0000\"", "address"),
        CASE("\"address\":\"a\\u202e\"", "address"),
        CASE("\"address\":[\"a\",\"b\"]", "address"),
        CASE("\"capacity\":\"\"", "capacity"),
        CASE("\"capacity\":\"\\u200b\"", "capacity"),
        CASE("\"capacity\":true", "capacity"),
        CASE("\"price\":0.01", "price"),
        CASE("\"price\":\"0.01\"", "price"),
        CASE("\"price\":\"1 USD\\u0000\"", "price"),
        CASE("\"effective\":\"2026-02-29\"", "effective"),
        CASE("\"effective\":\"2026-11-20T00:00:00Z\"", "effective"),
        CASE("\"effective\":20261120", "effective"),
        CASE("\"reference\":\"\"", "reference"),
        CASE("\"reference\":{}", "reference"),
        CASE("\"reference\":\"a\\u0085\"", "reference"),
        CASE("\"actor\":\"me\"", "actor"),
        CASE("\"key\":\"k\"", "key"),
        CASE("\"title\":\"x\"", "title"),
        CASE("\"reference\":1,\"holder_id\":1", "holder_id"),
        CASE("\"holder_id\":1,\"x\":1", "x")
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(stockcert_grant_parse(cases[i].json, cases[i].len, &grant,
                                     &fault),
               -1, "faults: %s", cases[i].json);
        is_int(fault.kind, STOCKCERT_NOT_A_GRANT, "faults: kind");
        is_str(fault.member, cases[i].member, "faults: member");
    }

    is_int(stockcert_grant_parse("{\"price\":\"1 USD\",\"amount\":10,"
                                 "\"class\":\"CS\"}",
                                 sizeof("{\"price\":\"1 USD\",\"amount\":10,"
                                        "\"class\":\"CS\"}") - 1,
                                 &grant, &fault),
           -1, "faults: three members, but no name");
    is_str(fault.member, "name", "faults: which is told");
}


static void
test_lengths(void)
{
    int                len;
    char               text[257], json[1000];
    size_t             i;
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    static const struct {
        const char  *member;
        int          most;
    } cases[] = {
        { "holder_id", 64 }, { "address", 255 }, { "capacity", 255 },
        { "reference", 255 }
    };

    memset(text, 'x', sizeof(text));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = snprintf(json, sizeof(json), GRANT(",\"%s\":\"%.*s\""),
                       cases[i].member, cases[i].most, text);
        is_int(stockcert_grant_parse(json, (size_t) len, &grant, &fault), 0,
               "%s: %d bytes", cases[i].member, cases[i].most);
        is_int(grant.asked_len, 2 + cases[i].most, "%s: all of them",
               cases[i].member);

        len = snprintf(json, sizeof(json), GRANT(",\"%s\":\"%.*s\""),
                       cases[i].member, cases[i].most + 1, text);
        is_int(stockcert_grant_parse(json, (size_t) len, &grant, &fault), -1,
               "%s: %d bytes", cases[i].member, cases[i].most + 1);
        is_str(fault.member, cases[i].member, "%s: is told", cases[i].member);
    }
}


/* all that it can say fills what it has for that */

static void
test_most(void)
{
    int                len;
    char               text[STOCKCERT_TEXT_MAX + 1], json[2000];
    stockcert_grant_t  grant;

    memset(text, 'x', sizeof(text));

    len = snprintf(json, sizeof(json), GRANT(",\"holder_id\":\"%.64s\","
                   "\"address\":\"%.255s\",\"capacity\":\"%.255s\","
                   "\"price\":\"%s\",\"effective\":\"2026-11-20\","
                   "\"reference\":\"%.255s\""),
                   text, text, text, "123456789012345.1234567890 USD", text);

    parse(json, (size_t) len, &grant);
    is_int(grant.asked_len, STOCKCERT_MORE_MAX - 257, "most: but for an actor");

    stockcert_grant_set_actor(&grant, text, sizeof(text));
    is_int(grant.more_len, STOCKCERT_MORE_MAX, "most: and with one");
    is_int(grant.asked_len, STOCKCERT_MORE_MAX - 257,
           "most: which was not asked for");
}


static void
test_actor(void)
{
    stockcert_grant_t  grant;

    parse(GRANT(",\"holder_id\":\"H\""),
          strlen(GRANT(",\"holder_id\":\"H\"")), &grant);

    stockcert_grant_set_actor(&grant, "CN=a\n", 5);
    is_mem(grant.more, grant.more_len, "\x10\x01H\x16\x05" "CN=a?", 10,
           "actor: behind what was asked for");
    is_int(grant.asked_len, 3, "actor: which stays");

    parse(GRANT(""), strlen(GRANT("")), &grant);

    stockcert_grant_set_actor(&grant, "", 0);
    is_int(grant.more_len, 0, "actor: empty is nothing");

    stockcert_grant_set_actor(&grant, " \xe3\x80\x80", 4);
    is_int(grant.more_len, 0, "actor: blank is nothing");

    stockcert_grant_set_actor(&grant, "x", 1);
    is_mem(grant.more, grant.more_len, "\x16\x01x", 3, "actor: a letter");
    is_int(grant.asked_len, 0, "actor: the grant is plain");
}


static void
parse(const char *json, size_t len, stockcert_grant_t *grant)
{
    stockcert_fault_t  fault;

    if (stockcert_grant_parse(json, len, grant, &fault) != 0) {
        tap_bail_out("\"%s\" %s: %s", fault.member, fault.detail, json);
    }
}
