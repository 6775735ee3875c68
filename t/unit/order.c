
/*
 * Orders from JSON: what is one, and what is wrong with what is none.
 */


#include "order.h"


#define GOOD  0
#define BAD   STOCKCERT_NOT_AN_ORDER

/* a string literal may hold NUL bytes */

#define CASE(name, json, kind, member)                                        \
    { name, json, sizeof(json) - 1, kind, member }


typedef struct {
    const char  *name;
    const char  *json;
    size_t       len;
    int          kind;
    const char  *member;
} case_t;


static void test_cases(const case_t *cases, size_t n);
static void test_faults_first(void);
static void test_details(void);
static void test_many_from(void);
static void test_many_to(void);
static void test_lengths(void);
static void test_body_max(void);
static void test_nesting(void);
static void test_truncated(void);
static size_t many(char *json, const char *before, const char *item,
    unsigned n, const char *behind);
static void check(const char *json, size_t len, int kind, const char *member,
    const char *name);


static const case_t  bodies[] = {

    CASE("nothing", "", STOCKCERT_NOT_JSON, ""),
    CASE("a word", "order", STOCKCERT_NOT_JSON, ""),
    CASE("a comma last", "{\"type\":\"cancel\",}", STOCKCERT_NOT_JSON, ""),
    CASE("a second one behind", CANCEL("") "{}", STOCKCERT_NOT_JSON, ""),
    CASE("a NUL byte behind", CANCEL("") "\0", STOCKCERT_NOT_JSON, ""),
    CASE("Latin-1", WITH_WHY("\"Zo\xeb\""), STOCKCERT_NOT_JSON, ""),
    CASE("half a surrogate", WITH_WHY("\"\\ud83d\""), STOCKCERT_NOT_JSON, ""),
    CASE("null", "null", BAD, ""),
    CASE("a string", "\"transfer\"", BAD, ""),
    CASE("an order in an array", "[" CANCEL("") "]", BAD, ""),
    CASE("an empty object", "{}", BAD, "type"),
    CASE("a NUL in a member's name", CANCEL(",\"amount\\u0000\":1"), BAD, ""),

    CASE("a member twice", CANCEL("," WHY), STOCKCERT_MEMBER_TWICE, ""),
    CASE("twice, once in escapes", CANCEL(",\"r\\u0065ference\":\"x\""),
         STOCKCERT_MEMBER_TWICE, ""),
    CASE("twice in an item", WITH_MORE("\"name\":\"B\""),
         STOCKCERT_MEMBER_TWICE, ""),
    CASE("twice, and unknown", CANCEL(",\"x\":1,\"x\":1"), BAD, "x"),
    CASE("twice, and no JSON behind", "{\"x\":1,\"x\":1", STOCKCERT_NOT_JSON,
         ""),

    CASE("an unknown member", CANCEL(",\"class\":\"CS\""), BAD, "class"),
    CASE("a grant's member", TRANSFER(",\"holder_id\":\"H1\""), BAD,
         "holder_id"),
    CASE("an actor", CANCEL(",\"actor\":\"me\""), BAD, "actor"),
    CASE("a key", CANCEL(",\"key\":\"k\""), BAD, "key"),
    CASE("a request", CANCEL(",\"request\":\"x\""), BAD, "request"),

    CASE("no type", "{" FROM "," WHY "}", BAD, "type"),
    CASE("type: null", "{\"type\":null," FROM "," WHY "}", BAD, "type"),
    CASE("type: a number", "{\"type\":4," FROM "," WHY "}", BAD, "type"),
    CASE("type: empty", "{\"type\":\"\"," FROM "," WHY "}", BAD, "type"),
    CASE("type: unknown", "{\"type\":\"split\"," FROM "," WHY "}", BAD, "type"),
    CASE("type: upper case", "{\"type\":\"Cancel\"," FROM "," WHY "}", BAD,
         "type"),
    CASE("type: a NUL behind", "{\"type\":\"cancel\\u0000\"," FROM "," WHY "}",
         BAD, "type"),
    CASE("type: in escapes", "{\"type\":\"\\u0063ancel\"," FROM "," WHY "}",
         GOOD, ""),

    CASE("no reference", "{\"type\":\"cancel\"," FROM "}", BAD, "reference"),
    CASE("reference: null", WITH_WHY("null"), BAD, "reference"),
    CASE("reference: a number", WITH_WHY("7"), BAD, "reference"),
    CASE("reference: empty", WITH_WHY("\"\""), BAD, "reference"),
    CASE("reference: blank", WITH_WHY("\" \\u3000\""), BAD, "reference"),
    CASE("reference: a line feed", WITH_WHY("\"a\\nb\""), BAD, "reference"),
    CASE("reference: a NUL", WITH_WHY("\"a\\u0000\""), BAD, "reference"),
    CASE("reference: turned around", WITH_WHY("\"a\\u202eb\""), BAD,
         "reference"),
    CASE("reference: cannot be seen", WITH_WHY("\"\\u200b\""), BAD,
         "reference"),

    CASE("effective", CANCEL(",\"effective\":\"2024-02-29\""), GOOD, ""),
    CASE("effective: to come", CANCEL(",\"effective\":\"9999-12-31\""), GOOD,
         ""),
    CASE("effective: no such day", CANCEL(",\"effective\":\"2026-02-29\""),
         BAD, "effective"),
    CASE("effective: a NUL behind",
         CANCEL(",\"effective\":\"2026-02-28\\u0000\""), BAD, "effective"),
    CASE("effective: null", CANCEL(",\"effective\":null"), BAD, "effective"),
    CASE("effective: empty", CANCEL(",\"effective\":\"\""), BAD, "effective")
};


/* what each type must and may have */

static const case_t  types[] = {

    CASE("transfer", TRANSFER(""), GOOD, ""),
    CASE("transfer without to", "{\"type\":\"transfer\"," FROM "," WHY "}",
         BAD, "to"),
    CASE("transfer to nobody", WITH_TO("[]"), BAD, "to"),
    CASE("transfer with reason", TRANSFER(",\"reason\":\"lost\""), BAD,
         "reason"),
    CASE("transfer with price", TRANSFER("," PRICE), BAD, "price"),
    CASE("transfer with amount", TRANSFER(",\"amount\":1"), BAD, "amount"),
    CASE("transfer with corrects", TRANSFER("," OLD), BAD, "corrects"),

    CASE("reissue", REISSUE(""), GOOD, ""),
    CASE("reissue with to", REISSUE("," TO), GOOD, ""),
    CASE("reissue with to, which is empty", REISSUE(",\"to\":[]"), BAD, "to"),
    CASE("reissue: lost", REISSUE(",\"reason\":\"lost\""), GOOD, ""),
    CASE("reissue: stolen", REISSUE(",\"reason\":\"stolen\""), GOOD, ""),
    CASE("reissue: destroyed", REISSUE(",\"reason\":\"destroyed\""), GOOD, ""),
    CASE("reissue: name", REISSUE(",\"reason\":\"name\"," TO), GOOD, ""),
    CASE("reissue: division", REISSUE(",\"reason\":\"division\""), GOOD, ""),
    CASE("reissue: joining", REISSUE(",\"reason\":\"joining\""), GOOD, ""),
    CASE("reissue: eaten", REISSUE(",\"reason\":\"eaten\""), BAD, "reason"),
    CASE("reissue: empty", REISSUE(",\"reason\":\"\""), BAD, "reason"),
    CASE("reissue: null", REISSUE(",\"reason\":null"), BAD, "reason"),
    CASE("reissue: a number", REISSUE(",\"reason\":1"), BAD, "reason"),
    CASE("reissue: a NUL behind", REISSUE(",\"reason\":\"lost\\u0000\""), BAD,
         "reason"),
    CASE("reissue with price", REISSUE("," PRICE), BAD, "price"),
    CASE("reissue with amount", REISSUE(",\"amount\":1"), BAD, "amount"),
    CASE("reissue with corrects", REISSUE("," OLD), BAD, "corrects"),

    CASE("repurchase", REPURCHASE(""), GOOD, ""),
    CASE("repurchase of some", REPURCHASE(",\"amount\":1"), GOOD, ""),
    CASE("repurchase of none", REPURCHASE(",\"amount\":0"), BAD, "amount"),
    CASE("repurchase without price",
         "{\"type\":\"repurchase\"," FROM "," WHY "}", BAD, "price"),
    CASE("repurchase for nothing", "{\"type\":\"repurchase\"," FROM "," WHY
         ",\"price\":\"0 USD\"}", GOOD, ""),
    CASE("repurchase for a number", "{\"type\":\"repurchase\"," FROM "," WHY
         ",\"price\":1}", BAD, "price"),
    CASE("repurchase for dollars", "{\"type\":\"repurchase\"," FROM "," WHY
         ",\"price\":\"$1\"}", BAD, "price"),
    CASE("repurchase for a NUL", "{\"type\":\"repurchase\"," FROM "," WHY
         ",\"price\":\"1 USD\\u0000\"}", BAD, "price"),
    CASE("repurchase with to", REPURCHASE("," TO), BAD, "to"),
    CASE("repurchase with reason", REPURCHASE(",\"reason\":\"lost\""), BAD,
         "reason"),
    CASE("repurchase with corrects", REPURCHASE("," OLD), BAD, "corrects"),

    CASE("cancel", CANCEL(""), GOOD, ""),
    CASE("cancel some", CANCEL(",\"amount\":9007199254740991"), GOOD, ""),
    CASE("cancel 2^53", CANCEL(",\"amount\":9007199254740992"), BAD, "amount"),
    CASE("cancel 2^64 + 1", CANCEL(",\"amount\":18446744073709551617"), BAD,
         "amount"),
    CASE("cancel 1.5", CANCEL(",\"amount\":1.5"), BAD, "amount"),
    CASE("cancel 1e1", CANCEL(",\"amount\":1e1"), BAD, "amount"),
    CASE("cancel -1", CANCEL(",\"amount\":-1"), BAD, "amount"),
    CASE("cancel \"1\"", CANCEL(",\"amount\":\"1\""), BAD, "amount"),
    CASE("cancel null", CANCEL(",\"amount\":null"), BAD, "amount"),
    CASE("cancel with to", CANCEL("," TO), BAD, "to"),
    CASE("cancel with to, which is null", CANCEL(",\"to\":null"), BAD, "to"),
    CASE("cancel with reason", CANCEL(",\"reason\":\"lost\""), BAD, "reason"),
    CASE("cancel with price", CANCEL("," PRICE), BAD, "price"),
    CASE("cancel with corrects", CANCEL("," OLD), BAD, "corrects"),

    CASE("correct", CORRECT(""), GOOD, ""),
    CASE("correct to nobody", "{\"type\":\"correct\"," FROM "," WHY "," OLD
         ",\"to\":[]}", GOOD, ""),
    CASE("correct without to", "{\"type\":\"correct\"," FROM "," WHY "," OLD
         "}", BAD, "to"),
    CASE("correct without corrects", "{\"type\":\"correct\"," FROM "," WHY ","
         TO "}", BAD, "corrects"),
    CASE("correct entry 0", "{\"type\":\"correct\"," FROM "," WHY "," TO
         ",\"corrects\":0}", BAD, "corrects"),
    CASE("correct entry \"1\"", "{\"type\":\"correct\"," FROM "," WHY "," TO
         ",\"corrects\":\"1\"}", BAD, "corrects"),
    CASE("correct entry null", "{\"type\":\"correct\"," FROM "," WHY "," TO
         ",\"corrects\":null}", BAD, "corrects"),
    CASE("correct with amount", CORRECT(",\"amount\":1"), BAD, "amount"),
    CASE("correct with price", CORRECT("," PRICE), BAD, "price"),
    CASE("correct with reason", CORRECT(",\"reason\":\"lost\""), BAD,
         "reason")
};


static const case_t  items[] = {

    CASE("no from", "{\"type\":\"cancel\"," WHY "}", BAD, "from"),
    CASE("from: null", WITH_FROM("null"), BAD, "from"),
    CASE("from: a string", WITH_FROM("\"CS-1\""), BAD, "from"),
    CASE("from: an object", WITH_FROM("{\"CS-1\":1}"), BAD, "from"),
    CASE("from: empty", WITH_FROM("[]"), BAD, "from"),
    CASE("from: three", WITH_FROM("[\"CS-3\",\"CS-1\",\"CS-2\"]"), GOOD, ""),
    CASE("from: a number", WITH_FROM("[\"CS-3\",1]"), BAD, "from[1]"),
    CASE("from: no ID", WITH_FROM("[\"CS-3\",\"CS\"]"), BAD, "from[1]"),
    CASE("from: no class code", WITH_FROM("[\"cs-3\"]"), BAD, "from[0]"),
    CASE("from: a class of 9 letters", WITH_FROM("[\"ABCDEFGH9-3\"]"), BAD,
         "from[0]"),
    CASE("from: no class", WITH_FROM("[\"-3\"]"), BAD, "from[0]"),
    CASE("from: an array", WITH_FROM("[[\"CS-3\"]]"), BAD, "from[0]"),
    CASE("from: a NUL behind", WITH_FROM("[\"CS-3\\u0000\"]"), BAD, "from[0]"),
    CASE("from: twice", WITH_FROM("[\"CS-3\",\"CS-1\",\"CS-3\"]"), BAD,
         "from[2]"),
    CASE("from: two classes", WITH_FROM("[\"CS-3\",\"PS-1\"]"), BAD,
         "from[1]"),
    CASE("from: a class that begins so", WITH_FROM("[\"CS-3\",\"CSA-1\"]"),
         BAD, "from[1]"),
    CASE("from: the beginning of the class", WITH_FROM("[\"CS-3\",\"C-4\"]"),
         BAD, "from[1]"),
    CASE("from: the same number, two classes", WITH_FROM("[\"CS-3\",\"C-3\"]"),
         BAD, "from[1]"),

    CASE("to: null", WITH_TO("null"), BAD, "to"),
    CASE("to: an object", WITH_TO("{\"name\":\"Bob\",\"amount\":1}"), BAD,
         "to"),
    CASE("to: a number in it", WITH_ITEM("1"), BAD, "to[1]"),
    CASE("to: null in it", WITH_ITEM("null"), BAD, "to[1]"),
    CASE("to: an array in it", WITH_ITEM("[]"), BAD, "to[1]"),
    CASE("to: an empty object", WITH_ITEM("{}"), BAD, "to[1].name"),
    CASE("to: no name", WITH_ITEM("{\"amount\":1}"), BAD, "to[1].name"),
    CASE("to: no amount", WITH_ITEM("{\"name\":\"B\"}"), BAD, "to[1].amount"),
    CASE("to: amount 0", WITH_ITEM("{\"name\":\"B\",\"amount\":0}"), BAD,
         "to[1].amount"),
    CASE("to: amount 1e999", WITH_ITEM("{\"name\":\"B\",\"amount\":1e999}"),
         BAD, "to[1].amount"),
    CASE("to: the same twice", WITH_ITEM("{\"name\":\"A\",\"amount\":1}"),
         GOOD, ""),
    CASE("to: more than there can be", WITH_ITEM("{\"name\":\"B\",\"amount\":"
         "9007199254740991}"), GOOD, ""),
    CASE("to: a name with a NUL",
         WITH_ITEM("{\"name\":\"B\\u0000\",\"amount\":1}"), BAD, "to[1].name"),
    CASE("to: all of it", WITH_MORE("\"holder_id\":\"H-2\",\"address\":\"a\","
         "\"capacity\":\"c\""), GOOD, ""),
    CASE("to: a class", WITH_MORE("\"class\":\"CS\""), BAD, "to[1].class"),
    CASE("to: a price", WITH_MORE(PRICE), BAD, "to[1].price"),
    CASE("to: a reference", WITH_MORE(WHY), BAD, "to[1].reference"),
    CASE("to: effective", WITH_MORE("\"effective\":\"2026-01-01\""), BAD,
         "to[1].effective"),
    CASE("to: holder_id empty", WITH_MORE("\"holder_id\":\"\""), BAD,
         "to[1].holder_id"),
    CASE("to: holder_id not ASCII", WITH_MORE("\"holder_id\":\"\xc3\xab\""),
         BAD, "to[1].holder_id"),
    CASE("to: holder_id with a NUL", WITH_MORE("\"holder_id\":\"a\\u0000\""),
         BAD, "to[1].holder_id"),
    CASE("to: holder_id a number", WITH_MORE("\"holder_id\":7"), BAD,
         "to[1].holder_id"),
    CASE("to: address empty", WITH_MORE("\"address\":\"\""), BAD,
         "to[1].address"),
    CASE("to: address null", WITH_MORE("\"address\":null"), BAD,
         "to[1].address"),
    CASE("to: address of two lines", WITH_MORE("\"address\":\"a\\nb\""), BAD,
         "to[1].address"),
    CASE("to: capacity turned around", WITH_MORE("\"capacity\":\"\\u2066x\""),
         BAD, "to[1].capacity")
};


int
main(void)
{
    test_cases(bodies, sizeof(bodies) / sizeof(bodies[0]));
    test_cases(types, sizeof(types) / sizeof(types[0]));
    test_cases(items, sizeof(items) / sizeof(items[0]));
    test_faults_first();
    test_details();
    test_many_from();
    test_many_to();
    test_lengths();
    test_body_max();
    test_nesting();
    test_truncated();

    return tap_done();
}


static void
test_cases(const case_t *cases, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        check(cases[i].json, cases[i].len, cases[i].kind, cases[i].member,
              cases[i].name);
    }
}


/* of two faults */

static void
test_faults_first(void)
{
    static const case_t  cases[] = {
        CASE("unknown, then type", "{\"x\":1}", BAD, "x"),
        CASE("twice, then type", "{\"from\":1,\"from\":2}",
             STOCKCERT_MEMBER_TWICE, ""),
        CASE("type, then from", "{\"from\":[],\"reference\":1}", BAD, "type"),
        CASE("another type's, then from",
             "{\"type\":\"cancel\",\"from\":[]," TO "}", BAD, "to"),
        CASE("missing for the type, then from",
             "{\"type\":\"transfer\",\"from\":[]}", BAD, "to"),
        CASE("from, then to", "{\"type\":\"transfer\",\"from\":[],\"to\":[]}",
             BAD, "from"),
        CASE("to, then reference", "{\"type\":\"transfer\"," FROM ",\"to\":[]}",
             BAD, "to")
    };

    test_cases(cases, sizeof(cases) / sizeof(cases[0]));
}


static void
test_details(void)
{
    size_t             i;
    stockcert_fault_t  fault;

    static const struct {
        const char    *json;
        const char    *detail;
    } cases[] = {
        { "[]", "the body must be a JSON object" },
        { "{\n x", "the body is not JSON: line 2, column 2" },
        { WITH_FROM("[\"cs-1\"]"), "must be a certificate, such as \"CS-1\"" },
        { WITH_FROM("[\"CS-1\",\"CS-1\"]"), "must not be there twice" },
        { WITH_FROM("[\"CS-1\",\"PS-1\"]"),
          "must be of the same class as the certificates before it" },
        { CANCEL("," OLD), "must not be there for this type" },
        { TRANSFER(",\"effective\":\"2026-1-1\""),
          "must be a date such as \"2026-11-20\"" },
        { CANCEL(",\"effective\":1"), "must be a string" },
        { "{\"type\":\"cancel\"," FROM "}", "must be there, as a string" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(parse(cases[i].json, strlen(cases[i].json), &fault) == NULL,
           "detail %zu: a fault", i);
        is_str(fault.detail, cases[i].detail, "detail %zu", i);
    }
}


/* item n times, with 1 and so on in place of "#" */

static size_t
many(char *json, const char *before, const char *item, unsigned n,
    const char *behind)
{
    char      *p, number[8];
    size_t     len;
    unsigned   i;

    len = strchr(item, '#') - item;
    p = json + sprintf(json, "%s", before);

    for (i = 1; i <= n; i++) {
        snprintf(number, sizeof(number), "%u", i);
        p += sprintf(p, "%s%.*s%s%s", i > 1 ? "," : "", (int) len, item,
                     number, item + len + 1);
    }

    return (size_t) (p - json) + (size_t) sprintf(p, "%s", behind);
}


static void
test_many_from(void)
{
    char                json[4096];
    size_t              len;
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    static const char  before[] = "{\"type\":\"cancel\"," WHY ",\"from\":[";

    len = many(json, before, "\"CS-#\"", 100, "]}");
    order = parse(json, len, &fault);
    ok(order != NULL, "100 certificates");
    is_int(order->nfrom, 100, "all of them");
    is_int(order->from[99].number, 100, "the last one");
    stockcert_order_free(order);

    len = many(json, before, "\"CS-#\"", 101, "]}");
    check(json, len, BAD, "from", "101 certificates");

    len = many(json, before, "\"CS-#\"", 99, ",\"CS-42\"]}");
    check(json, len, BAD, "from[99]", "100 with one twice");
}


static void
test_many_to(void)
{
    char                json[8192];
    size_t              len;
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    static const char  before[] = "{\"type\":\"transfer\"," FROM "," WHY
                                  ",\"to\":[";
    static const char  item[] = "{\"name\":\"A\",\"amount\":#}";

    len = many(json, before, item, 100, "]}");
    order = parse(json, len, &fault);
    ok(order != NULL, "to 100");
    is_int(order->nto, 100, "all of them");
    is_int(order->to[99].shares, 100, "the last one");
    stockcert_order_free(order);

    len = many(json, before, item, 101, "]}");
    check(json, len, BAD, "to", "to 101");

    len = many(json, before, item, 99, ",{\"amount\":1}]}");
    check(json, len, BAD, "to[99].name", "to 100, the last without a name");
}


static void
test_lengths(void)
{
    int     len;
    char    text[401], json[1000], member[STOCKCERT_TEXT_MAX];
    size_t  i;

    static const struct {
        const char  *before;
        const char  *behind;
        const char  *member;
        size_t       most;
    } cases[] = {
        { "{\"type\":\"cancel\"," FROM ",\"reference\":\"", "\"}",
          "reference", 255 },
        { "{\"type\":\"transfer\"," FROM "," WHY ",\"to\":[{\"amount\":1,"
          "\"name\":\"", "\"}]}", "to[0].name", 255 },
        { "{\"type\":\"transfer\"," FROM "," WHY ",\"to\":[{\"amount\":1,"
          "\"name\":\"A\",\"address\":\"", "\"}]}", "to[0].address", 255 },
        { "{\"type\":\"transfer\"," FROM "," WHY ",\"to\":[{\"amount\":1,"
          "\"name\":\"A\",\"capacity\":\"", "\"}]}", "to[0].capacity", 255 },
        { "{\"type\":\"transfer\"," FROM "," WHY ",\"to\":[{\"amount\":1,"
          "\"name\":\"A\",\"holder_id\":\"", "\"}]}", "to[0].holder_id", 64 }
    };

    memset(text, 'x', sizeof(text));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = snprintf(json, sizeof(json), "%s%.*s%s", cases[i].before,
                       (int) cases[i].most, text, cases[i].behind);
        check(json, (size_t) len, GOOD, "", cases[i].member);

        len = snprintf(json, sizeof(json), "%s%.*s%s", cases[i].before,
                       (int) cases[i].most + 1, text, cases[i].behind);
        check(json, (size_t) len, BAD, cases[i].member, cases[i].member);
    }

    /* a client's own member in an item is cut, behind the item */

    len = snprintf(json, sizeof(json), WITH_ITEM("{\"%.400s\":1}"), text);
    snprintf(member, sizeof(member), "to[1].%.248s", text);
    check(json, (size_t) len, BAD, member, "a member of 400 bytes");

    strcpy(text + 247, "\xe6\xa0\xaa");
    len = snprintf(json, sizeof(json), WITH_ITEM("{\"%s\":1}"), text);
    snprintf(member, sizeof(member), "to[1].%.247s", text);
    check(json, (size_t) len, BAD, member, "between characters");
}


static void
test_body_max(void)
{
    char    *json;
    size_t   len;

    static const char  order[] = CANCEL("");

    /* in memory that ends with the body */

    len = STOCKCERT_ORDER_MAX + 1;
    json = malloc(len);

    if (json == NULL) {
        tap_bail_out("no memory");
    }

    memset(json, ' ', len);
    memcpy(json + len - sizeof(order) + 1, order, sizeof(order) - 1);

    is_int(len, 131073, "a body of 128 KiB, and a byte before");
    check(json + 1, len - 1, GOOD, "", "128 KiB");
    check(json, len, BAD, "", "128 KiB and a byte");

    memset(json, 'x', len);
    check(json, len, BAD, "", "128 KiB and a byte that is no JSON");

    free(json);
}


/* each level in its place, as many as there can be */

static void
test_nesting(void)
{
    char    *json;
    size_t   half;

    half = STOCKCERT_ORDER_MAX / 2;
    json = malloc(2 * half);

    if (json == NULL) {
        tap_bail_out("no memory");
    }

    memset(json, '[', half);
    memset(json + half, ']', half);
    check(json, 2 * half, BAD, "", "65536 arrays in arrays");

    json[half + 1] = '}';
    check(json, 2 * half, STOCKCERT_NOT_JSON, "", "one of them closed wrong");

    memset(json, '[', 2 * half);
    check(json, 2 * half, STOCKCERT_NOT_JSON, "", "131072 arrays, all open");

    free(json);
}


static void
test_truncated(void)
{
    char               *copy;
    size_t              n, wrong;
    stockcert_fault_t   fault;

    static const char   json[] = CORRECT(",\"effective\":\"2026-01-01\"");

    for (n = 0, wrong = 0; n < sizeof(json) - 1; n++) {
        copy = malloc(n ? n : 1);
        memcpy(copy, json, n);

        wrong += parse(copy, n, &fault) != NULL
                 || fault.kind != STOCKCERT_NOT_JSON;

        free(copy);
    }

    is_int(wrong, 0, "each of %zu truncations of an order is no JSON", n);
}


static void
check(const char *json, size_t len, int kind, const char *member,
    const char *name)
{
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    order = parse(json, len, &fault);

    if (kind == GOOD) {
        ok(order != NULL, "%s: is an order", name);

    } else {
        ok(order == NULL, "%s: is none", name);
    }

    if (order == NULL) {
        is_int(fault.kind, kind, "%s: kind of fault", name);
        is_str(fault.member, member, "%s: member", name);
        is_int(fault.has_member, member[0] != '\0', "%s: has it", name);
        ok(memchr(fault.detail, '\0', sizeof(fault.detail)) > (void *)
           fault.detail, "%s: detail", name);
    }

    stockcert_order_free(order);
}
