
/*
 * Grants from JSON: which texts are grants, and what is wrong with the others.
 */


#include "stockcert_grant.h"
#include "tap.h"


#define GOOD  0

#define NAME    "\"name\":\"Salt Bae\""
#define AMOUNT  "\"amount\":10"
#define CLASS   "\"class\":\"CS\""

#define WITH_NAME(name)      "{\"name\":" name "," AMOUNT "," CLASS "}"
#define WITH_AMOUNT(amount)  "{" NAME ",\"amount\":" amount "," CLASS "}"
#define WITH_CLASS(class)    "{" NAME "," AMOUNT ",\"class\":" class "}"
#define WITH_MORE(more)      "{" NAME "," AMOUNT "," CLASS "," more "}"

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


static void test_good(void);
static void test_faults(const case_t *cases, size_t n);
static void test_names(void);
static void test_amounts(void);
static void test_long_names(void);
static void test_long_members(void);
static void test_nesting(void);
static void test_mixed_nesting(void);
static void test_places(void);
static void test_truncated(void);
static int parse(const char *json, size_t len, stockcert_grant_t *grant,
    stockcert_fault_t *fault);
static void check_fault(const char *json, size_t len, int kind,
    const char *member, const char *name);


static const case_t  bodies[] = {

    CASE("nothing", "", STOCKCERT_NOT_JSON, ""),
    CASE("white space", " \t\r\n", STOCKCERT_NOT_JSON, ""),
    CASE("a word", "grant", STOCKCERT_NOT_JSON, ""),
    CASE("a form", "name=Salt+Bae&amount=10&class=CS", STOCKCERT_NOT_JSON, ""),
    CASE("a NUL byte", "\0", STOCKCERT_NOT_JSON, ""),
    CASE("single quotes", "{'name':'Salt Bae'}", STOCKCERT_NOT_JSON, ""),
    CASE("a comment", "/**/{" NAME "," AMOUNT "," CLASS "}",
         STOCKCERT_NOT_JSON, ""),
    CASE("a comma last", "{" NAME "," AMOUNT "," CLASS ",}",
         STOCKCERT_NOT_JSON, ""),
    CASE("a word behind", "{" NAME "," AMOUNT "," CLASS "} x",
         STOCKCERT_NOT_JSON, ""),
    CASE("a second grant behind", "{" NAME "," AMOUNT "," CLASS "}{}",
         STOCKCERT_NOT_JSON, ""),
    CASE("a NUL byte behind", "{" NAME "," AMOUNT "," CLASS "}\0",
         STOCKCERT_NOT_JSON, ""),
    CASE("a byte order mark", "\xef\xbb\xbf{" NAME "," AMOUNT "," CLASS "}",
         STOCKCERT_NOT_JSON, ""),
    CASE("UTF-16", "{\0\"\0n\0\"\0:\0001\0}\0", STOCKCERT_NOT_JSON, ""),

    CASE("null", "null", STOCKCERT_NOT_A_GRANT, ""),
    CASE("true", "true", STOCKCERT_NOT_A_GRANT, ""),
    CASE("a number", "10", STOCKCERT_NOT_A_GRANT, ""),
    CASE("a string", "\"CS\"", STOCKCERT_NOT_A_GRANT, ""),
    CASE("an empty string", "\"\"", STOCKCERT_NOT_A_GRANT, ""),
    CASE("an array", "[]", STOCKCERT_NOT_A_GRANT, ""),
    CASE("a grant in an array", "[{" NAME "," AMOUNT "," CLASS "}]",
         STOCKCERT_NOT_A_GRANT, ""),
    CASE("an enormous integer alone", "9223372036854775808",
         STOCKCERT_NOT_A_GRANT, ""),
    CASE("an enormous number in an array", "[1e999]",
         STOCKCERT_NOT_A_GRANT, ""),
    CASE("an enormous number, and a letter", "1e999x", STOCKCERT_NOT_JSON, ""),
    CASE("an enormous number, and no end", "[1e999", STOCKCERT_NOT_JSON, ""),
    CASE("an enormous number for a member", "{9999E9999:1}",
         STOCKCERT_NOT_JSON, ""),
    CASE("an enormous amount, and no end",
         "{\"amount\":99999999999999999999,", STOCKCERT_NOT_JSON, ""),
    CASE("a NUL in a member's name, and no end", "{\"\\u0000\":1",
         STOCKCERT_NOT_JSON, ""),

    CASE("an empty object", "{}", STOCKCERT_NOT_A_GRANT, "name"),
    CASE("no name", "{" AMOUNT "," CLASS "}", STOCKCERT_NOT_A_GRANT, "name"),
    CASE("no amount", "{" NAME "," CLASS "}", STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("no class", "{" NAME "," AMOUNT "}", STOCKCERT_NOT_A_GRANT, "class"),
    CASE("Name", "{\"Name\":\"Salt Bae\"," AMOUNT "," CLASS "}",
         STOCKCERT_NOT_A_GRANT, "Name"),

    CASE("an unknown member", WITH_MORE("\"color\":1"),
         STOCKCERT_NOT_A_GRANT, "color"),
    CASE("an unknown member first", "{\"color\":1," NAME "," AMOUNT "," CLASS
         "}", STOCKCERT_NOT_A_GRANT, "color"),
    CASE("two unknown members", WITH_MORE("\"z\":1,\"a\":2"),
         STOCKCERT_NOT_A_GRANT, "z"),
    CASE("an unknown member that is null", WITH_MORE("\"color\":null"),
         STOCKCERT_NOT_A_GRANT, "color"),
    CASE("a member that begins like one", WITH_MORE("\"nam\":1"),
         STOCKCERT_NOT_A_GRANT, "nam"),
    CASE("a member with more behind", WITH_MORE("\"names\":1"),
         STOCKCERT_NOT_A_GRANT, "names"),
    CASE("an unknown member in UTF-8", WITH_MORE("\"\xe6\xa0\xaa\":1"),
         STOCKCERT_NOT_A_GRANT, "\xe6\xa0\xaa"),
    CASE("an unknown member in escapes",
         WITH_MORE("\"\\u682a\\ud83d\\udc1f\":1"),
         STOCKCERT_NOT_A_GRANT, "\xe6\xa0\xaa\xf0\x9f\x90\x9f"),
    CASE("an escaped NUL in a member's name", WITH_MORE("\"name\\u0000\":1"),
         STOCKCERT_NOT_A_GRANT, ""),
    CASE("a NUL byte in a member's name", WITH_MORE("\"na\0me\":1"),
         STOCKCERT_NOT_JSON, ""),

    CASE("name twice", WITH_MORE(NAME), STOCKCERT_MEMBER_TWICE, ""),
    CASE("amount twice", WITH_MORE("\"amount\":11"),
         STOCKCERT_MEMBER_TWICE, ""),
    CASE("class twice, once null", WITH_MORE("\"class\":null"),
         STOCKCERT_MEMBER_TWICE, ""),
    CASE("name twice, once in escapes", WITH_MORE("\"n\\u0061me\":\"x\""),
         STOCKCERT_MEMBER_TWICE, ""),
    CASE("an unknown member twice", WITH_MORE("\"x\":1,\"x\":1"),
         STOCKCERT_NOT_A_GRANT, "x"),
    CASE("a member twice, and no JSON behind", "{\"x\":1,\"x\":1",
         STOCKCERT_NOT_JSON, ""),
    CASE("an unknown member that is enormous", WITH_MORE("\"color\":1e999"),
         STOCKCERT_NOT_A_GRANT, "color")
};


static const case_t  names[] = {

    CASE("name: null", WITH_NAME("null"), STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: a number", WITH_NAME("10"), STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: an enormous number", WITH_NAME("1e999"),
         STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: an enormous number, deep", WITH_NAME("[{\"x\":-1e999}]"),
         STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: true", WITH_NAME("true"), STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: an array", WITH_NAME("[\"x\"]"), STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: an object", WITH_NAME("{}"), STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: empty", WITH_NAME("\"\""), STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: blank", WITH_NAME("\" \\u3000\""),
         STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: a line feed", WITH_NAME("\"a\\nb\""),
         STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: an escaped NUL", WITH_NAME("\"Salt\\u0000Bae\""),
         STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: an escaped NUL last", WITH_NAME("\"Salt\\u0000\""),
         STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: escaped DEL", WITH_NAME("\"a\\u007f\""),
         STOCKCERT_NOT_A_GRANT, "name"),
    CASE("name: a NUL byte", WITH_NAME("\"Salt\0Bae\""),
         STOCKCERT_NOT_JSON, ""),
    CASE("name: a bare line feed", WITH_NAME("\"a\nb\""),
         STOCKCERT_NOT_JSON, ""),
    CASE("name: a surrogate without its second", WITH_NAME("\"\\ud83d\""),
         STOCKCERT_NOT_JSON, ""),
    CASE("name: a second surrogate alone", WITH_NAME("\"\\udc1f\""),
         STOCKCERT_NOT_JSON, ""),
    CASE("name: surrogates the wrong way round",
         WITH_NAME("\"\\udc1f\\ud83d\""), STOCKCERT_NOT_JSON, ""),
    CASE("name: Latin-1", WITH_NAME("\"Zo\xeb\""), STOCKCERT_NOT_JSON, ""),
    CASE("name: overlong", WITH_NAME("\"\xc0\xaf\""), STOCKCERT_NOT_JSON, ""),
    CASE("name: a surrogate in UTF-8", WITH_NAME("\"\xed\xa0\x80\""),
         STOCKCERT_NOT_JSON, ""),

    CASE("class: null", WITH_CLASS("null"), STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: a number", WITH_CLASS("1"), STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: an enormous number", WITH_CLASS("99999999999999999999"),
         STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: an array", WITH_CLASS("[]"), STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: empty", WITH_CLASS("\"\""), STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: lower case", WITH_CLASS("\"cs\""),
         STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: 9 letters", WITH_CLASS("\"ABCDEFGHI\""),
         STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: an escaped NUL behind", WITH_CLASS("\"CS\\u0000\""),
         STOCKCERT_NOT_A_GRANT, "class"),
    CASE("class: 8 of A-Z and 0-9", WITH_CLASS("\"ABCDEF12\""), GOOD, "")
};


static const case_t  amounts[] = {

    CASE("1", WITH_AMOUNT("1"), GOOD, ""),
    CASE("2^53 - 1", WITH_AMOUNT("9007199254740991"), GOOD, ""),
    CASE("2^53", WITH_AMOUNT("9007199254740992"),
         STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("2^63 - 1", WITH_AMOUNT("9223372036854775807"),
         STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("2^63", WITH_AMOUNT("9223372036854775808"),
         STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("2^64 + 1", WITH_AMOUNT("18446744073709551617"),
         STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("below -2^63", WITH_AMOUNT("-9223372036854775809"),
         STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("0", WITH_AMOUNT("0"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("-0", WITH_AMOUNT("-0"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("-1", WITH_AMOUNT("-1"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("10.0", WITH_AMOUNT("10.0"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("10.5", WITH_AMOUNT("10.5"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("1e1", WITH_AMOUNT("1e1"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("1E+1", WITH_AMOUNT("1E+1"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("1e-999", WITH_AMOUNT("1e-999"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("1e999", WITH_AMOUNT("1e999"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("a string", WITH_AMOUNT("\"10\""), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("true", WITH_AMOUNT("true"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("null", WITH_AMOUNT("null"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("an array", WITH_AMOUNT("[10]"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("an object", WITH_AMOUNT("{}"), STOCKCERT_NOT_A_GRANT, "amount"),
    CASE("a duplicate inside", WITH_AMOUNT("{\"a\":1,\"a\":1}"),
         STOCKCERT_MEMBER_TWICE, ""),
    CASE("010", WITH_AMOUNT("010"), STOCKCERT_NOT_JSON, ""),
    CASE("+10", WITH_AMOUNT("+10"), STOCKCERT_NOT_JSON, ""),
    CASE("10.", WITH_AMOUNT("10."), STOCKCERT_NOT_JSON, ""),
    CASE(".5", WITH_AMOUNT(".5"), STOCKCERT_NOT_JSON, ""),
    CASE("0x10", WITH_AMOUNT("0x10"), STOCKCERT_NOT_JSON, ""),
    CASE("1 0", WITH_AMOUNT("1 0"), STOCKCERT_NOT_JSON, ""),
    CASE("10 and a NUL byte", WITH_AMOUNT("10\0"), STOCKCERT_NOT_JSON, ""),
    CASE("1, a NUL byte, 0", WITH_AMOUNT("1\0" "0"), STOCKCERT_NOT_JSON, ""),
    CASE("true and a NUL byte", WITH_AMOUNT("true\0"), STOCKCERT_NOT_JSON, ""),
    CASE("NaN", WITH_AMOUNT("NaN"), STOCKCERT_NOT_JSON, ""),
    CASE("Infinity", WITH_AMOUNT("Infinity"), STOCKCERT_NOT_JSON, "")
};


int
main(void)
{
    test_good();
    test_faults(bodies, sizeof(bodies) / sizeof(bodies[0]));
    test_faults(names, sizeof(names) / sizeof(names[0]));
    test_faults(amounts, sizeof(amounts) / sizeof(amounts[0]));
    test_names();
    test_amounts();
    test_long_names();
    test_long_members();
    test_nesting();
    test_mixed_nesting();
    test_places();
    test_truncated();

    return tap_done();
}


static void
test_good(void)
{
    size_t             i;
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    static const char *const  same[] = {
        "{" NAME "," AMOUNT "," CLASS "}",
        "{" CLASS "," AMOUNT "," NAME "}",
        " \r\n{ \"name\" : \"Salt Bae\" ,\t" AMOUNT " , " CLASS " } \n",
        "{\"\\u006eame\":\"\\u0053alt Bae\"," AMOUNT ",\"class\":\"\\u0043S\"}"
    };

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        memset(&grant, 0xaa, sizeof(stockcert_grant_t));

        is_int(parse(same[i], strlen(same[i]), &grant, &fault), 0,
               "a grant: %zu", i);
        is_mem(grant.name, grant.name_len, "Salt Bae", 8, "a grant: name");
        is_int(grant.amount, 10, "a grant: amount");
        is_mem(grant.code, grant.code_len, "CS", 2, "a grant: class");
        is_int(grant.key_len, 0, "a grant: no key");
        is_int(grant.asked_len, 0, "a grant: nothing besides");
        is_int(grant.more_len, 0, "a grant: nor who asked");
    }
}


static void
test_faults(const case_t *cases, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        check_fault(cases[i].json, cases[i].len, cases[i].kind,
                    cases[i].member, cases[i].name);
    }
}


static void
test_names(void)
{
    size_t             i;
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    static const struct {
        const char    *json;
        const char    *name;
    } cases[] = {
        { WITH_NAME("\"\\\"\\\\\\/\""), "\"\\/" },
        { WITH_NAME("\"<b>O'Neil & S\\u00f6hne</b>\""),
          "<b>O'Neil & S\xc3\xb6hne</b>" },
        { WITH_NAME("\"\xe6\xa0\xaa\""), "\xe6\xa0\xaa" },
        { WITH_NAME("\"\\uD83D\\uDC1F\""), "\xf0\x9f\x90\x9f" },
        { WITH_NAME("\"a\\udbff\\udfff\""), "a\xf4\x8f\xbf\xbf" },
        { WITH_NAME("\" a \""), " a " }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        grant.name_len = 0;

        is_int(parse(cases[i].json, strlen(cases[i].json), &grant, &fault), 0,
               "name: %s", cases[i].name);
        is_mem(grant.name, grant.name_len, cases[i].name,
               strlen(cases[i].name), "name: as it came");
    }
}


static void
test_amounts(void)
{
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    static const char  least[] = WITH_AMOUNT("1");
    static const char  most[] = WITH_AMOUNT("9007199254740991");

    is_int(parse(least, sizeof(least) - 1, &grant, &fault), 0, "amount: least");
    is_int(grant.amount, 1, "amount: 1");

    is_int(parse(most, sizeof(most) - 1, &grant, &fault), 0, "amount: most");
    is_int(grant.amount, STOCKCERT_SHARES_MAX, "amount: 9007199254740991");
}


static void
test_long_names(void)
{
    int                len;
    char               name[257], json[512];
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    memset(name, 'x', sizeof(name));
    memcpy(name + 252, "\xe6\xa0\xaa", 3);

    len = snprintf(json, sizeof(json), WITH_NAME("\"%.255s\""), name);
    is_int(parse(json, (size_t) len, &grant, &fault), 0,
           "name: exactly 255 bytes");
    is_mem(grant.name, grant.name_len, name, 255, "name: all of them");

    len = snprintf(json, sizeof(json), WITH_NAME("\"%.256s\""), name);
    check_fault(json, (size_t) len, STOCKCERT_NOT_A_GRANT, "name",
                "name: 256 bytes");

    /* a length that fits once it is taken modulo 256 */

    len = snprintf(json, sizeof(json), WITH_NAME("\"%.256sxx\""), name);
    check_fault(json, (size_t) len, STOCKCERT_NOT_A_GRANT, "name",
                "name: 258 bytes");
}


/* the member is cut to what a fault holds, between characters */

static void
test_long_members(void)
{
    int     len;
    char    key[1001], json[1200], member[STOCKCERT_TEXT_MAX];
    size_t  i, n;

    static const char *const  filler[] = {
        "x", "\xc3\xab", "\xe6\xa0\xaa", "\xf0\x9f\x90\x9f"
    };

    for (i = 0; i < sizeof(filler) / sizeof(filler[0]); i++) {
        key[0] = '\0';

        for (n = 0; n + strlen(filler[i]) <= 1000; n += strlen(filler[i])) {
            strcpy(key + n, filler[i]);
        }

        len = snprintf(json, sizeof(json), WITH_MORE("\"%s\":1"), key);

        n = sizeof(member) - 1;
        n -= n % strlen(filler[i]);
        memcpy(member, key, n);
        member[n] = '\0';

        check_fault(json, (size_t) len, STOCKCERT_NOT_A_GRANT, member,
                    "a member of 1000 bytes");
    }

    /* at the edge: 254 bytes go in, 255 do not */

    for (n = 253; n <= 255; n++) {
        memset(key, 'x', n);
        key[n] = '\0';

        len = snprintf(json, sizeof(json), WITH_MORE("\"%s\":1"), key);

        snprintf(member, sizeof(member), "%.254s", key);
        check_fault(json, (size_t) len, STOCKCERT_NOT_A_GRANT, member,
                    "a member of 253 to 255 bytes");
    }
}


/* as deep as a body of 16 KiB can be; JSON, whatever a parser's limit is */

static void
test_nesting(void)
{
    char    json[16385];
    size_t  i, depth;

    static const size_t  depths[] = { 2, 1000, 2048, 2049, 8192 };

    for (i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        depth = depths[i];

        memset(json, '[', depth);
        memset(json + depth, ']', depth);

        check_fault(json, 2 * depth, STOCKCERT_NOT_A_GRANT, "",
                    "arrays in arrays");
    }

    memset(json, '[', sizeof(json));

    for (i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        check_fault(json, depths[i], STOCKCERT_NOT_JSON, "",
                    "arrays never closed");
    }

    check_fault(json, sizeof(json) - 1, STOCKCERT_NOT_JSON, "",
                "a whole body of arrays never closed");
    check_fault(json, sizeof(json), STOCKCERT_NOT_A_GRANT, "",
                "more than a body");
}


/* each level has a closing character of its own */

static void
test_mixed_nesting(void)
{
    char   *p, json[16384], close[2000];
    size_t  i, len, wrong;

    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    p = json;

    for (i = 0; i < sizeof(close); i++) {
        p += sprintf(p, i % 3 ? "[" : "{\"\":");
        close[sizeof(close) - 1 - i] = i % 3 ? ']' : '}';
    }

    *p++ = '0';
    memcpy(p, close, sizeof(close));
    len = (size_t) (p - json) + sizeof(close);

    check_fault(json, len, STOCKCERT_NOT_A_GRANT, "", "mixed");

    for (i = 0, wrong = 0; i < sizeof(close); i++) {
        p[i] ^= ']' ^ '}';

        wrong += parse(json, len, &grant, &fault) != -1
                 || fault.kind != STOCKCERT_NOT_JSON;

        p[i] ^= ']' ^ '}';
    }

    is_int(wrong, 0, "mixed: with one closed by the other's is no JSON");
}


/* where a body ceases to be JSON */

static void
test_places(void)
{
    size_t             i;
    char               detail[64];
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    static const struct {
        const char    *json;
        int            line, column;
    } cases[] = {
        { "", 1, 1 },
        { "x", 1, 1 },
        { "{", 1, 2 },
        { "{}x", 1, 3 },
        { "{\n \"a\": x}", 2, 7 },
        { "\n\r\n", 3, 1 },
        { "[\"\xe6\xa0\xaa\" 1]", 1, 6 },
        { "[1e999,]", 1, 8 },
        { "[tru]", 1, 5 },
        { "[\"\\ud83dx\"]", 1, 9 },
        { "[\"a\xff\"]", 1, 4 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(detail, sizeof(detail), "the body is not JSON: line %d, "
                 "column %d", cases[i].line, cases[i].column);

        is_int(parse(cases[i].json, strlen(cases[i].json), &grant, &fault), -1,
               "place: %zu is no JSON", i);
        is_str(fault.detail, detail, "place: %zu", i);
    }
}


/* in memory that ends with the body */

static void
test_truncated(void)
{
    char               *copy;
    size_t              n, wrong;
    stockcert_grant_t   grant;
    stockcert_fault_t   fault;

    static const char   json[] = "{" NAME "," AMOUNT "," CLASS "}";

    for (n = 0, wrong = 0; n < sizeof(json) - 1; n++) {
        copy = malloc(n ? n : 1);
        memcpy(copy, json, n);

        wrong += parse(copy, n, &grant, &fault) != -1
                 || fault.kind != STOCKCERT_NOT_JSON;

        free(copy);
    }

    is_int(wrong, 0, "each of %zu truncations of a grant is no JSON", n);
}


static int
parse(const char *json, size_t len, stockcert_grant_t *grant,
    stockcert_fault_t *fault)
{
    memset(fault, 0xaa, sizeof(stockcert_fault_t));

    return stockcert_grant_parse(json, len, grant, fault);
}


static void
check_fault(const char *json, size_t len, int kind, const char *member,
    const char *name)
{
    int                rc;
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    rc = parse(json, len, &grant, &fault);

    if (kind == GOOD) {
        is_int(rc, 0, "%s: is a grant", name);
        return;
    }

    is_int(rc, -1, "%s: is no grant", name);

    if (rc == -1) {
        is_int(fault.kind, kind, "%s: kind of fault", name);
        is_str(fault.member, member, "%s: member", name);
        ok(memchr(fault.detail, '\0', sizeof(fault.detail)) > (void *)
           fault.detail, "%s: detail", name);
    }
}
