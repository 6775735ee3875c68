
/*
 * Identifiers, prices, dates and certificates' IDs: what is one.
 */


#include "stockcert_format.h"
#include "stockcert_value.h"
#include "tap.h"


#define DAY  86400000000ull    /* microseconds */

/* a string literal may hold NUL bytes */

#define GOOD(text)  { text, sizeof(text) - 1, 1 }
#define BAD(text)   { text, sizeof(text) - 1, 0 }


typedef struct {
    const char  *text;
    size_t       len;
    int          good;
} case_t;


static void test_cases(const case_t *cases, size_t n, const char *what,
    const char *(*check)(const char *text, size_t len));
static void test_ids(void);
static void test_lengths(void);
static void test_every_day(void);
static void test_date(void);
static void test_certificates(void);


static const case_t  prices[] = {

    GOOD("0 USD"), GOOD("1 EUR"), GOOD("10 USD"), GOOD("0.0 USD"),
    GOOD("0.01 USD"), GOOD("0.0001 USD"), GOOD("0.0000000000 USD"),
    GOOD("1.0000000001 XXX"), GOOD("999999999999999 AZZ"),
    GOOD("999999999999999.9999999999 USD"), GOOD("1.10 USD"),

    BAD(""), BAD(" "), BAD("0"), BAD("0 "), BAD("USD"), BAD(" USD"),
    BAD("1USD"), BAD("1  USD"), BAD(" 1 USD"), BAD("1 USD "), BAD("1\tUSD"),
    BAD("1 US"), BAD("1 USDX"), BAD("1 usd"), BAD("1 USd"), BAD("1 U1D"),
    BAD("1 U\xc3\x9c"), BAD("1 @SD"), BAD("1 US["), BAD("$1"), BAD("USD 1"),
    BAD("00 USD"), BAD("01 USD"), BAD("00.1 USD"), BAD(".1 USD"),
    BAD("1. USD"), BAD("1.. USD"), BAD("1.1.1 USD"), BAD("1,1 USD"),
    BAD("1,000 USD"), BAD("-1 USD"), BAD("+1 USD"), BAD("1e3 USD"),
    BAD("1/2 USD"), BAD("1:2 USD"), BAD("0x1 USD"), BAD("inf USD"),
    BAD("1000000000000000 USD"), BAD("0.00000000001 USD"),
    BAD("0.00000000000 USD"), BAD("1 USD\0"), BAD("1\0USD"), BAD("\0"),
    BAD("\xd9\xa1 USD")
};


static const case_t  dates[] = {

    GOOD("2026-11-20"), GOOD("0001-01-01"), GOOD("9999-12-31"),
    GOOD("2024-02-29"), GOOD("2000-02-29"), GOOD("2400-02-29"),
    GOOD("0004-02-29"), GOOD("2026-02-28"), GOOD("1582-10-10"),

    BAD("2026-02-29"), BAD("1900-02-29"), BAD("2100-02-29"), BAD("2024-02-30"),
    BAD("0000-01-01"), BAD("0000-02-29"), BAD("2026-00-01"), BAD("2026-13-01"),
    BAD("2026-01-00"), BAD("2026-01-32"), BAD("2026-04-31"), BAD("2026-06-31"),
    BAD("2026-09-31"), BAD("2026-11-31"), BAD("2026-99-99"),
    BAD(""), BAD("2026"), BAD("2026-11"), BAD("2026-11-2"), BAD("2026-1-20"),
    BAD("26-11-20"), BAD("20261120"), BAD("2026-324"), BAD("2026-W47-5"),
    BAD("2026/11/20"), BAD("2026-11/20"), BAD("2026/11-20"), BAD("20.11.2026"),
    BAD("11-20-2026"), BAD("2026-11-20 "), BAD(" 2026-11-20"),
    BAD("2026-11-200"), BAD("12026-11-20"), BAD("-026-11-20"),
    BAD("+026-11-20"), BAD("2026--1-20"), BAD("2026-11--1"), BAD("2026-1a-20"),
    BAD("2026-11-2:"), BAD("2026-11-/0"), BAD("2026-11-20Z"),
    BAD("2026-11-20T00:00:00Z"), BAD("2026-11-20\0"), BAD("2026-11-2\0"),
    BAD("today")
};


int
main(void)
{
    test_cases(prices, sizeof(prices) / sizeof(prices[0]), "price",
               stockcert_price_fault);
    test_cases(dates, sizeof(dates) / sizeof(dates[0]), "date",
               stockcert_date_fault);
    test_ids();
    test_lengths();
    test_every_day();
    test_date();
    test_certificates();

    return tap_done();
}


/* in memory that ends with the text */

static void
test_cases(const case_t *cases, size_t n, const char *what,
    const char *(*check)(const char *text, size_t len))
{
    char    *copy;
    size_t   i;

    for (i = 0; i < n; i++) {
        copy = malloc(cases[i].len ? cases[i].len : 1);
        memcpy(copy, cases[i].text, cases[i].len);

        is_int(check(copy, cases[i].len) == NULL, cases[i].good,
               "%s: \"%s\" %s", what, cases[i].text,
               cases[i].good ? "is one" : "is none");

        free(copy);
    }
}


static void
test_ids(void)
{
    int   c, wrong;
    char  id[3] = "a?b", text[STOCKCERT_HOLDER_MAX + 1];

    for (c = 0, wrong = 0; c <= 0xff; c++) {
        id[1] = (char) c;
        wrong += (stockcert_id_fault(id, 3) == NULL) != (c >= 32 && c <= 126);
    }

    is_int(wrong, 0, "identifier: each byte");

    memset(text, 'x', sizeof(text));

    ok(stockcert_id_fault(text, 0) != NULL, "identifier: empty");
    ok(stockcert_id_fault(text, 1) == NULL, "identifier: a byte");
    ok(stockcert_id_fault(text, 64) == NULL, "identifier: 64 bytes");
    ok(stockcert_id_fault(text, 65) != NULL, "identifier: 65 bytes");
}


static void
test_lengths(void)
{
    is_int(STOCKCERT_PRICE_MAX, strlen("123456789012345.1234567890 USD"),
           "the longest price has as many bytes as one may have");
    is_int(STOCKCERT_DATE_LEN, 10, "a date has 10 bytes");
}


/* as the C library counts them, from 1970 to 9999 */

static void
test_every_day(void)
{
    char       date[STOCKCERT_DATE_LEN + 1], last[STOCKCERT_DATE_LEN + 1];
    uint64_t   time, days, wrong;

    days = 0;
    wrong = 0;
    strcpy(last, "1969-12-31");

    for (time = 0; time <= STOCKCERT_TIME_MAX; time += DAY) {
        stockcert_date(time, date);

        wrong += stockcert_date_fault(date, STOCKCERT_DATE_LEN) != NULL
                 || strcmp(last, date) >= 0;
        strcpy(last, date);
        days++;
    }

    is_int(wrong, 0, "each day's date is one, and after the last");
    is_int(days, 2932897, "of all days");
    is_str(last, "9999-12-31", "up to the last");
}


static void
test_date(void)
{
    size_t  i;
    char    date[STOCKCERT_DATE_LEN + 2];

    static const struct {
        uint64_t     time;
        const char  *date;
    } cases[] = {
        { 0, "1970-01-01" },
        { DAY - 1, "1970-01-01" },
        { DAY, "1970-01-02" },
        { 951782400000000, "2000-02-29" },
        { 951868799999999, "2000-02-29" },
        { 951868800000000, "2000-03-01" },
        { 1763923558123456, "2025-11-23" },
        { STOCKCERT_TIME_MAX, "9999-12-31" },
        { STOCKCERT_TIME_MAX + 1, "9999-12-31" },
        { UINT64_MAX, "9999-12-31" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(date, 'x', sizeof(date));
        stockcert_date(cases[i].time, date);
        is_str(date, cases[i].date, "the date of a time: %s", cases[i].date);
        is_int(date[STOCKCERT_DATE_LEN + 1], 'x', "and no byte behind it");
    }
}


/* an ID of a certificate; whether it has a class code is asked elsewhere */

static void
test_certificates(void)
{
    size_t           i;
    uint64_t         number;
    stockcert_str_t  code;

    static const struct {
        const char  *id;
        size_t       len;
        const char  *code;        /* NULL: it is none */
        uint64_t     number;
    } ids[] = {
#define ID(id, code, number)  { id, sizeof(id) - 1, code, number }
        ID("CS-1", "CS", 1),
        ID("A-10", "A", 10),
        ID("ABCDEFG8-9007199254740991", "ABCDEFG8", 9007199254740991),
        ID("cs-1", "cs", 1),
        ID("-1", "", 1),
        ID("CS-9007199254740992", NULL, 0),
        ID("CS-9999999999999999", NULL, 0),
        ID("CS-18446744073709551617", NULL, 0),
        ID("CS-100000000000000000000000000000000000001", NULL, 0),
        ID("", NULL, 0),
        ID("-", NULL, 0),
        ID("CS", NULL, 0),
        ID("CS-", NULL, 0),
        ID("CS-0", NULL, 0),
        ID("CS-01", NULL, 0),
        ID("CS--1", NULL, 0),
        ID("CS-+1", NULL, 0),
        ID("CS-1-1", NULL, 0),
        ID("CS-1a", NULL, 0),
        ID("CS-1.0", NULL, 0),
        ID("CS- 1", NULL, 0),
        ID("CS-1 ", NULL, 0),
        ID("CS-1\0", NULL, 0),
        ID("CS/1", NULL, 0),
        ID("CS:1", NULL, 0),
        ID("CS-\xd9\xa1", NULL, 0)
    };

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        is_int(stockcert_parse_id(ids[i].id, ids[i].len, &code, &number),
               ids[i].code ? 0 : -1, "ID \"%s\"", ids[i].id);

        if (ids[i].code) {
            is_mem(code.data, code.len, ids[i].code, strlen(ids[i].code),
                   "ID \"%s\": class", ids[i].id);
            is_int(number, ids[i].number, "ID \"%s\": number", ids[i].id);
        }
    }
}
