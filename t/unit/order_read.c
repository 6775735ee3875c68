
/*
 * What an order says that was read from JSON, and which orders are the same.
 */


#include <openssl/evp.h>

#include "order.h"


#define is_field(got, expected, ...)                                          \
    is_mem((got).data, (got).len, expected, sizeof(expected) - 1, __VA_ARGS__)


static void test_all_members(void);
static void test_least(void);
static void test_hash(void);
static void test_same(void);
static void test_others(void);
static void test_key_and_actor(void);
static void hash_of(const char *json, uint8_t *hash);


int
main(void)
{
    test_all_members();
    test_least();
    test_hash();
    test_same();
    test_others();
    test_key_and_actor();

    return tap_done();
}


static void
test_all_members(void)
{
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    static const char  json[] =
        "{\"type\":\"correct\",\"from\":[\"CS-17\",\"CS-9007199254740991\"],"
        "\"to\":[{\"name\":\"Zo\\u00eb\",\"amount\":7,\"holder_id\":\"H 1\","
        "\"address\":\"1 Main St, Dover\",\"capacity\":\"custodian for A\"},"
        "{\"amount\":8,\"name\":\"Bob\"}],\"corrects\":9,"
        "\"effective\":\"2026-11-20\",\"reference\":\"Deed 7\"}";

    order = parse(json, sizeof(json) - 1, &fault);
    if (order == NULL) {
        tap_bail_out("all members: \"%s\" %s", fault.member, fault.detail);
    }

    is_int(order->first.type, STOCKCERT_CORRECT, "all: type");
    is_int(order->first.corrects, 9, "all: corrects");
    is_field(order->first.effective, "2026-11-20", "all: effective");
    is_field(order->first.reference, "Deed 7", "all: reference");
    is_int(order->nfrom, 2, "all: from");
    is_mem(order->from[0].code, order->from[0].code_len, "CS", 2, "all: class");
    is_int(order->from[0].number, 17, "all: the first number");
    is_int(order->from[1].number, STOCKCERT_SHARES_MAX, "all: the second");
    is_int(order->has_to, 1, "all: there is a to");
    is_int(order->nto, 2, "all: of two");
    is_field(order->to[0].name, "Zo\xc3\xab", "all: name");
    is_int(order->to[0].shares, 7, "all: shares");
    is_field(order->to[0].holder_id, "H 1", "all: holder_id");
    is_field(order->to[0].address, "1 Main St, Dover", "all: address");
    is_field(order->to[0].capacity, "custodian for A", "all: capacity");
    is_field(order->to[1].name, "Bob", "all: the second name");
    is_int(order->to[1].shares, 8, "all: the second one's shares");
    is_int(order->to[1].holder_id.len + order->to[1].address.len
           + order->to[1].capacity.len, 0, "all: and nothing else of it");

    stockcert_order_free(order);
    stockcert_order_free(NULL);
}


/* what is not said is not there */

static void
test_least(void)
{
    stockcert_entry_t   none;
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    memset(&none, 0, sizeof(stockcert_entry_t));

    order = parse(CANCEL(""), sizeof(CANCEL("")) - 1, &fault);
    if (order == NULL) {
        tap_bail_out("least: \"%s\" %s", fault.member, fault.detail);
    }

    is_int(order->amount, 0, "least: no amount");
    is_int(order->has_to, 0, "least: no to");
    is_int(order->nto, 0, "least: nobody in it");
    is_int(order->first.type, STOCKCERT_CANCEL, "least: type");
    is_field(order->first.reference, "Deed 7", "least: reference");
    is_mem(order->first.request.data, order->first.request.len, order->hash,
           STOCKCERT_HASH_LEN, "least: request");

    none.type = order->first.type;
    none.reference = order->first.reference;
    none.request = order->first.request;
    is_mem(&order->first, sizeof(none), &none, sizeof(none),
           "least: and no other field");

    stockcert_order_free(order);

    order = parse(REPURCHASE(",\"amount\":5"),
                  sizeof(REPURCHASE(",\"amount\":5")) - 1, &fault);
    is_int(order->amount, 5, "repurchase: amount");
    is_field(order->first.price, "0.01 USD", "repurchase: price");
    stockcert_order_free(order);

    order = parse(REISSUE(",\"reason\":\"joining\""),
                  sizeof(REISSUE(",\"reason\":\"joining\"")) - 1, &fault);
    is_int(order->first.reason, STOCKCERT_REASON_JOINING, "reissue: reason");
    is_int(order->has_to, 0, "reissue: no to");
    stockcert_order_free(order);

    order = parse("{\"type\":\"correct\"," FROM "," WHY "," OLD ",\"to\":[]}",
                  strlen("{\"type\":\"correct\"," FROM "," WHY "," OLD
                         ",\"to\":[]}"), &fault);
    is_int(order->has_to, 1, "correct: an empty to is one");
    is_int(order->nto, 0, "correct: with nobody in it");
    stockcert_order_free(order);
}


/* in the form of RFC 8785, section 3.2, written out here */

static void
test_hash(void)
{
    uint8_t  hash[STOCKCERT_HASH_LEN], expected[STOCKCERT_HASH_LEN];

    static const char  sent[] =
        " {\"type\": \"transfer\",\n\"reference\": \"\\u0022a\\/b\\\\\\\"\","
        "\"to\":[{\"name\":\"Zo\\u00eb \\ud83d\\udc1f\",\"amount\":10,"
        "\"address\":\"x\"}], \"from\":[\"CS-2\",\"CS-1\"]}\r\n";

    static const char  canonical[] =
        "{\"from\":[\"CS-2\",\"CS-1\"],\"reference\":\"\\\"a/b\\\\\\\"\","
        "\"to\":[{\"address\":\"x\",\"amount\":10,"
        "\"name\":\"Zo\xc3\xab \xf0\x9f\x90\x9f\"}],\"type\":\"transfer\"}";

    hash_of(sent, hash);

    if (EVP_Digest(canonical, sizeof(canonical) - 1, expected, NULL,
                   EVP_sha256(), NULL)
        != 1)
    {
        tap_bail_out("no SHA-256");
    }

    is_mem(hash, sizeof(hash), expected, sizeof(expected),
           "the hash of an order is that of its canonical form");
}


static void
test_same(void)
{
    size_t   i;
    uint8_t  hash[STOCKCERT_HASH_LEN], other[STOCKCERT_HASH_LEN];

    static const char *const  same[] = {
        TRANSFER(""),
        "{" WHY "," TO "," FROM ",\"type\":\"transfer\"}",
        " { " FROM " , \"type\" : \"transfer\" , " WHY " ,\n" TO " } ",
        "{\"type\":\"transfer\"," FROM "," WHY ",\"to\":[{\"amount\":10,"
        "\"name\":\"Bob\"}]}",
        "{\"typ\\u0065\":\"transf\\u0065r\"," FROM "," TO "," WHY "}"
    };

    hash_of(same[0], hash);

    for (i = 1; i < sizeof(same) / sizeof(same[0]); i++) {
        hash_of(same[i], other);
        is_mem(other, sizeof(other), hash, sizeof(hash), "the same: %zu", i);
    }
}


/* each with each */

static void
test_others(void)
{
    size_t   i, j;
    uint8_t  hash[32][STOCKCERT_HASH_LEN];

    static const char *const  others[] = {
        CANCEL(""),
        CANCEL(",\"amount\":1"),
        CANCEL(",\"amount\":10"),
        CANCEL(",\"amount\":9007199254740991"),
        CANCEL(",\"amount\":9007199254740990"),
        CANCEL(",\"effective\":\"2026-11-20\""),
        CANCEL(",\"effective\":\"2026-11-21\""),
        REISSUE(""),
        REISSUE(",\"reason\":\"lost\""),
        REISSUE("," TO),
        REPURCHASE(""),
        TRANSFER(""),
        TRANSFER(",\"effective\":\"2026-11-20\""),
        CORRECT(""),
        "{\"type\":\"correct\"," FROM "," WHY "," OLD ",\"to\":[]}",
        WITH_FROM("[\"CS-2\"]"),
        WITH_FROM("[\"CS-1\",\"CS-2\"]"),
        WITH_FROM("[\"CS-2\",\"CS-1\"]"),
        WITH_WHY("\"Deed 7 \""),
        WITH_WHY("\"Deed 7\\\"\""),
        WITH_WHY("\"Zo\\u00eb\""),
        WITH_WHY("\"Zoe\\u0308\""),
        WITH_ITEM("{\"name\":\"B\",\"amount\":1}"),
        WITH_ITEM("{\"name\":\"B\",\"amount\":11}"),
        WITH_MORE("\"address\":\"x\""),
        WITH_MORE("\"capacity\":\"x\""),
        WITH_MORE("\"holder_id\":\"x\"")
    };

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        hash_of(others[i], hash[i]);

        for (j = 0; j < i && memcmp(hash[i], hash[j], sizeof(hash[i])); j++) {
            /* void */
        }

        is_int(j, i, "no other order has this one's hash: %s", others[i]);
    }
}


static void
test_key_and_actor(void)
{
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    static const char  key[] = "k-1";

    order = parse(CANCEL(""), sizeof(CANCEL("")) - 1, &fault);

    stockcert_order_set_key(order, key, sizeof(key) - 1);
    ok(order->first.key.data == key, "a key stays where it is");
    is_int(order->first.key.len, 3, "and has its length");

    stockcert_order_set_actor(order, "CN=\xeb\n", 5);
    is_field(order->first.actor, "CN=??", "an actor becomes a text");

    stockcert_order_set_actor(order, "", 0);
    is_int(order->first.actor.len, 0, "or nothing");

    stockcert_order_free(order);
}


static void
hash_of(const char *json, uint8_t *hash)
{
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    order = parse(json, strlen(json), &fault);
    if (order == NULL) {
        tap_bail_out("\"%s\" %s: %s", fault.member, fault.detail, json);
    }

    memcpy(hash, order->hash, STOCKCERT_HASH_LEN);
    stockcert_order_free(order);
}
