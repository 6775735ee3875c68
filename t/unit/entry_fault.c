
/*
 * What an entry must and may have by its kind and its place in a group, and what
 * each of its fields may be.
 */


#include "stockcert_entry.h"
#include "tap.h"


/* 2025-11-23T00:00:00Z, and an hour; microseconds */

#define MIDNIGHT  1763856000000000
#define HOUR      3600000000ull

#define STR(s)    { sizeof(s) - 1, s }


typedef struct {
    const char         *name;
    stockcert_kind_e    kind;
    uint64_t            member;
    uint64_t            type;      /* of the first of a group */
    const char         *must;      /* names, with a space around each */
    const char         *may;
} place_t;


static void test_must(const place_t *place);
static void test_may(const place_t *place);
static void test_missing_first(void);
static void test_integers(void);
static void test_strings(void);
static void test_effective(void);
static void test_time(void);
static void make(const place_t *place, stockcert_entry_t *entry);
static int is_in(const char *names, const char *name);
static void set(stockcert_entry_t *entry, unsigned tag,
    const stockcert_entry_t *from);
static void check(const stockcert_entry_t *entry, const char *field,
    const char *fault, const char *name);


#define FIRST_MUST                                                            \
    " class number shares member type surrenders reference "

#define FIRST_MAY  " key nonce issues request effective actor "


static const place_t  places[] = {

    { "opened", STOCKCERT_CLASS_OPENED, 0, 0, " class shares title ",
      " nonce actor " },
    { "issued", STOCKCERT_CERTIFICATE_ISSUED, 0, 0, " class number shares name ",
      " key nonce holder_id address capacity price effective reference "
      "actor " },
    { "issued, of a group", STOCKCERT_CERTIFICATE_ISSUED, 2, 0,
      " class number shares name member ",
      " balance holder_id address capacity " },
    { "amended", STOCKCERT_CLASS_AMENDED, 0, 0, " class shares reference ",
      " nonce actor " },
    { "surrendered, the first of a transfer", STOCKCERT_CERTIFICATE_SURRENDERED,
      1, STOCKCERT_TRANSFER, FIRST_MUST, FIRST_MAY },
    { "surrendered, the first of a reissue", STOCKCERT_CERTIFICATE_SURRENDERED,
      1, STOCKCERT_REISSUE, FIRST_MUST, FIRST_MAY "reason " },
    { "surrendered, the first of a repurchase",
      STOCKCERT_CERTIFICATE_SURRENDERED, 1, STOCKCERT_REPURCHASE,
      FIRST_MUST "price ", FIRST_MAY },
    { "surrendered, the first of a cancellation",
      STOCKCERT_CERTIFICATE_SURRENDERED, 1, STOCKCERT_CANCEL, FIRST_MUST,
      FIRST_MAY },
    { "surrendered, the first of a correction",
      STOCKCERT_CERTIFICATE_SURRENDERED, 1, STOCKCERT_CORRECT,
      FIRST_MUST "corrects ", FIRST_MAY },
    { "surrendered, another of a group", STOCKCERT_CERTIFICATE_SURRENDERED, 2, 0,
      " class number shares member ", "" },
    { "holder", STOCKCERT_HOLDER_CHANGED, 0, 0, " class number reference ",
      " nonce holder_id address actor " }
};


/* each as it may be */

static const stockcert_entry_t  values = {
    .code = STR("CS"), .number = 1, .shares = 10, .name = STR("Salt Bae"),
    .title = STR("Common Stock"), .key = STR("k"), .nonce = STR("\0\1\2\3\4\5\6\7"),
    .type = 1, .reason = 1, .member = 2, .surrenders = 1, .issues = 1,
    .balance = 1, .corrects = 1,
    .request = STR("0123456789abcdef0123456789abcdef"), .holder_id = STR("H"),
    .address = STR("a"), .capacity = STR("c"), .price = STR("1 USD"),
    .effective = STR("2025-11-23"), .reference = STR("r"), .actor = STR("uid:0")
};


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        test_must(&places[i]);
        test_may(&places[i]);
    }

    test_missing_first();
    test_integers();
    test_strings();
    test_effective();
    test_time();

    return tap_done();
}


/* without each; where it is in a group tells what is asked, so that stays */

static void
test_must(const place_t *place)
{
    unsigned           tag;
    const char        *name;
    stockcert_entry_t  entry, none;

    memset(&none, 0, sizeof(none));

    make(place, &entry);
    check(&entry, NULL, NULL, place->name);

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        name = stockcert_field(tag)->name;

        if (is_in(place->must, name) && strcmp(name, "member") != 0) {
            make(place, &entry);
            set(&entry, tag, &none);
            check(&entry, name, "must be there", place->name);
        }
    }
}


/* with each besides, and then with all */

static void
test_may(const place_t *place)
{
    unsigned           tag;
    const char        *name;
    stockcert_entry_t  entry, all;

    make(place, &all);

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        name = stockcert_field(tag)->name;

        if (is_in(place->must, name)
            || (strcmp(name, "member") == 0
                && place->kind == STOCKCERT_CERTIFICATE_ISSUED))
        {
            continue;
        }

        make(place, &entry);
        set(&entry, tag, &values);

        if (is_in(place->may, name)) {
            check(&entry, NULL, NULL, place->name);
            set(&all, tag, &values);

        } else {
            check(&entry, name, "must not be there", place->name);
        }
    }

    check(&all, NULL, NULL, place->name);
}


static void
test_missing_first(void)
{
    stockcert_entry_t  entry;

    make(&places[4], &entry);
    entry.member = 0;
    check(&entry, "member", "must be there", "surrendered without a group");

    make(&places[1], &entry);
    entry.name.len = 0;
    entry.number = 0;
    entry.title = values.title;
    check(&entry, "number", "must be there", "what is missing goes first");

    make(&places[1], &entry);
    entry.title = values.title;
    entry.shares = UINT64_MAX;
    check(&entry, "title", "must not be there", "then what must not be there");

    entry.title.len = 0;
    check(&entry, "shares", "must be from", "then what it may be");

    make(&places[2], &entry);
    entry.key = values.key;
    entry.price = values.price;
    check(&entry, "key", "must not be there", "the lowest tag goes first");
}


static void
test_integers(void)
{
    size_t             i;
    stockcert_entry_t  entry;

    static const struct {
        unsigned     place;
        unsigned     tag;
        uint64_t     value;
        const char  *fault;
    } cases[] = {
        { 4, STOCKCERT_FIELD_NUMBER, STOCKCERT_SHARES_MAX, NULL },
        { 4, STOCKCERT_FIELD_NUMBER, STOCKCERT_SHARES_MAX + 1, "must be from" },
        { 4, STOCKCERT_FIELD_SHARES, STOCKCERT_SHARES_MAX, NULL },
        { 4, STOCKCERT_FIELD_SHARES, STOCKCERT_SHARES_MAX + 1, "must be from" },
        { 4, STOCKCERT_FIELD_SHARES, UINT64_MAX, "must be from" },
        { 4, STOCKCERT_FIELD_SURRENDERS, 100, NULL },
        { 4, STOCKCERT_FIELD_SURRENDERS, 101, "must be at most 100" },
        { 4, STOCKCERT_FIELD_SURRENDERS, UINT64_MAX, "must be at most 100" },
        { 4, STOCKCERT_FIELD_ISSUES, 101, NULL },
        { 4, STOCKCERT_FIELD_ISSUES, 102, "must be at most 101" },
        { 4, STOCKCERT_FIELD_ISSUES, UINT64_MAX, "must be at most 101" },
        { 8, STOCKCERT_FIELD_CORRECTS, STOCKCERT_SHARES_MAX + 1, "must be from" },
        { 4, STOCKCERT_FIELD_TYPE, STOCKCERT_CANCEL, NULL },
        { 4, STOCKCERT_FIELD_TYPE, 6, "must be one that" },
        { 4, STOCKCERT_FIELD_TYPE, (uint64_t) 1 << 32 | 1, "must be one that" },
        { 5, STOCKCERT_FIELD_REASON, 6, NULL },
        { 5, STOCKCERT_FIELD_REASON, 7, "must be one that" },
        { 5, STOCKCERT_FIELD_REASON, (uint64_t) 1 << 32 | 1, "must be one that" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(&places[cases[i].place], &entry);
        *stockcert_entry_integer(&entry, stockcert_field(cases[i].tag))
            = cases[i].value;

        check(&entry, stockcert_field(cases[i].tag)->name, cases[i].fault,
              "integers");
    }

    make(&places[2], &entry);
    entry.balance = 2;
    check(&entry, "balance", "must be 1", "integers");

    make(&places[2], &entry);
    entry.member = STOCKCERT_SHARES_MAX + 1;
    check(&entry, "member", "must be from", "integers");
}


/* of an entry that may be old: what new texts are asked is not asked */

static void
test_strings(void)
{
    size_t             i;
    stockcert_entry_t  entry;

    static const struct {
        unsigned          tag;
        stockcert_str_t   value;
        const char       *fault;
    } cases[] = {
        { STOCKCERT_FIELD_CLASS, STR("ABCDEFG8"), NULL },
        { STOCKCERT_FIELD_CLASS, STR("cs"), "must be 1 to 8" },
        { STOCKCERT_FIELD_CLASS, STR("ABCDEFGHI"), "must be 1 to 8" },
        { STOCKCERT_FIELD_NAME, STR("a\xe2\x80\xae"), NULL },
        { STOCKCERT_FIELD_NAME, STR("\xe2\x80\x8b"), NULL },
        { STOCKCERT_FIELD_NAME, STR("a\nb"), "must not contain control" },
        { STOCKCERT_FIELD_NAME, STR("a\0"), "must not contain control" },
        { STOCKCERT_FIELD_NAME, STR("Zo\xeb"), "must be valid UTF-8" },
        { STOCKCERT_FIELD_NAME, STR(" "), "must not be only white space" },
        { STOCKCERT_FIELD_KEY, STR("a b~"), NULL },
        { STOCKCERT_FIELD_KEY, STR("\x7f"), "must be printable" },
        { STOCKCERT_FIELD_NONCE, STR("1234567"), "must have 8 bytes" },
        { STOCKCERT_FIELD_NONCE, STR("123456789"), "must have 8 bytes" },
        { STOCKCERT_FIELD_HOLDER_ID, STR("H 1~"), NULL },
        { STOCKCERT_FIELD_HOLDER_ID, STR("\xc3\xab"), "must be 1 to 64" },
        { STOCKCERT_FIELD_ADDRESS, STR("a\t"), "must not contain control" },
        { STOCKCERT_FIELD_CAPACITY, STR("a\t"), "must not contain control" },
        { STOCKCERT_FIELD_PRICE, STR("1 usd"), "must be such as" },
        { STOCKCERT_FIELD_EFFECTIVE, STR("2025-02-29"), "must be a date" },
        { STOCKCERT_FIELD_REFERENCE, STR("\x1b"), "must not contain control" },
        { STOCKCERT_FIELD_ACTOR, STR("\xff"), "must be valid UTF-8" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(&places[1], &entry);
        *stockcert_entry_string(&entry, stockcert_field(cases[i].tag))
            = cases[i].value;

        check(&entry, stockcert_field(cases[i].tag)->name, cases[i].fault,
              "strings");
    }

    make(&places[0], &entry);
    entry.title.data = "a\n";
    entry.title.len = 2;
    check(&entry, "title", "must not contain control", "strings");

    make(&places[4], &entry);
    entry.request = values.request;
    entry.request.len--;
    check(&entry, "request", "must have 32 bytes", "strings");
}


/* the day has begun somewhere: 14 hours before it does in UTC */

static void
test_effective(void)
{
    size_t             i;
    stockcert_entry_t  entry;

    static const struct {
        uint64_t          time;
        stockcert_str_t   date;
        const char       *fault;
    } cases[] = {
        { MIDNIGHT, STR("2025-11-23"), NULL },
        { MIDNIGHT, STR("2025-11-24"), "must not be later" },
        { MIDNIGHT + 10 * HOUR - 1, STR("2025-11-24"), "must not be later" },
        { MIDNIGHT + 10 * HOUR, STR("2025-11-24"), NULL },
        { MIDNIGHT + 10 * HOUR, STR("2025-11-25"), "must not be later" },
        { MIDNIGHT + 24 * HOUR - 1, STR("2025-11-24"), NULL },
        { MIDNIGHT + 24 * HOUR - 1, STR("2025-12-01"), "must not be later" },
        { MIDNIGHT, STR("2026-01-01"), "must not be later" },
        { MIDNIGHT, STR("0001-01-01"), NULL },
        { 0, STR("1970-01-01"), NULL },
        { 0, STR("1970-01-02"), "must not be later" },
        { STOCKCERT_TIME_MAX, STR("9999-12-31"), NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(&places[1], &entry);
        entry.time = cases[i].time;
        entry.effective = cases[i].date;
        check(&entry, "effective", cases[i].fault, cases[i].date.data);

        make(&places[4], &entry);
        entry.time = cases[i].time;
        entry.effective = cases[i].date;
        check(&entry, "effective", cases[i].fault, cases[i].date.data);
    }
}


static void
test_time(void)
{
    stockcert_entry_t  entry;

    make(&places[0], &entry);

    entry.time = STOCKCERT_TIME_MAX;
    check(&entry, NULL, NULL, "the end of 9999");

    entry.time = STOCKCERT_TIME_MAX + 1;
    check(&entry, "time", "must be before", "the year 10000");

    entry.time = 0;
    check(&entry, NULL, NULL, "1970");
}


static void
make(const place_t *place, stockcert_entry_t *entry)
{
    unsigned  tag;

    memset(entry, 0, sizeof(stockcert_entry_t));

    entry->kind = place->kind;
    entry->time = MIDNIGHT;

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        if (is_in(place->must, stockcert_field(tag)->name)) {
            set(entry, tag, &values);
        }
    }

    entry->member = place->member;
    entry->type = place->type;
}


static int
is_in(const char *names, const char *name)
{
    char  word[32];

    snprintf(word, sizeof(word), " %s ", name);

    return strstr(names, word) != NULL;
}


static void
set(stockcert_entry_t *entry, unsigned tag, const stockcert_entry_t *from)
{
    const stockcert_field_t  *field;

    field = stockcert_field(tag);

    if (stockcert_field_is_integer(field)) {
        *stockcert_entry_integer(entry, field)
            = *stockcert_entry_integer((stockcert_entry_t *) from, field);

    } else {
        *stockcert_entry_string(entry, field)
            = *stockcert_entry_string((stockcert_entry_t *) from, field);
    }
}


/* that there is none if fault is NULL, otherwise which, and of what field */

static void
check(const stockcert_entry_t *entry, const char *field, const char *fault,
    const char *name)
{
    const char  *got, *at;

    got = stockcert_entry_fault(entry, &at);

    if (fault == NULL || got == NULL) {
        ok((got == NULL) == (fault == NULL), "%s: %s %s", name,
           got ? at : "is one,", got ? got : "and that is right");
        return;
    }

    is_str(at, field, "%s: %s", name, field);
    ok(strncmp(got, fault, strlen(fault)) == 0, "%s: %s %s", name, at, got);
}
