
/*
 * Numbers, dates and texts as the HTML pages have them.
 */


#include "fixture.h"

#include "stockcert_html.h"


static void test_numbers(void);
static void test_dates(void);
static void test_texts(void);
static void test_qr(void);
static FILE *open_text(void);
static void is_text(FILE *file, const char *expected, const char *name);


static char    *text;
static size_t   len;


int
main(void)
{
    test_numbers();
    test_dates();
    test_texts();
    test_qr();

    return tap_done();
}


static void
test_numbers(void)
{
    size_t  i;
    FILE   *file;

    static const struct {
        uint64_t     n;
        const char  *figures;
        const char  *words;
    } cases[] = {
        { 1, "1", "one" },
        { 13, "13", "thirteen" },
        { 20, "20", "twenty" },
        { 99, "99", "ninety-nine" },
        { 100, "100", "one hundred" },
        { 101, "101", "one hundred one" },
        { 999, "999", "nine hundred ninety-nine" },
        { 1000, "1,000", "one thousand" },
        { 10001, "10,001", "ten thousand one" },
        { 1000000, "1,000,000", "one million" },
        { 2599990, "2,599,990", "two million five hundred ninety-nine thousand "
          "nine hundred ninety" },
        { 1000000000000019, "1,000,000,000,000,019",
          "one quadrillion nineteen" },
        { UINT64_MAX, "18,446,744,073,709,551,615",
          "18,446,744,073,709,551,615" },
        { STOCKCERT_SHARES_MAX, "9,007,199,254,740,991", "nine quadrillion "
          "seven trillion one hundred ninety-nine billion two hundred "
          "fifty-four million seven hundred forty thousand nine hundred "
          "ninety-one" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        file = open_text();
        stockcert_html_number(file, cases[i].n);
        is_text(file, cases[i].figures, "figures");

        file = open_text();
        stockcert_html_words(file, cases[i].n);
        is_text(file, cases[i].words, "words");
    }
}


static void
test_dates(void)
{
    FILE  *file;

    file = open_text();
    stockcert_html_date(file, 0);
    is_text(file, "1 January 1970", "the first date");

    file = open_text();
    stockcert_html_date(file, 1709251199999999);
    is_text(file, "29 February 2024", "the end of a leap day");
}


static void
test_texts(void)
{
    FILE             *file;
    stockcert_str_t   str;

    str = fixture_str("<a href=\"x\">&'</a>");
    file = open_text();
    stockcert_html_text(file, &str);
    is_text(file, "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;",
            "all that means something is escaped");

    str = fixture_str("a\nb\x1b" "c\x7f");
    file = open_text();
    stockcert_html_text(file, &str);
    is_text(file, "a?b?c?", "no control character is left");

    str = fixture_str("abcd");
    is_int(stockcert_html_width(&str, 4, 6), 1, "width: up to the first");
    is_int(stockcert_html_width(&str, 3, 4), 2, "width: up to the second");
    is_int(stockcert_html_width(&str, 2, 3), 3, "width: above");

    str = fixture_str("\xe6\xa0\xaa\xc3\xbc");
    is_int(stockcert_html_width(&str, 3, 6), 1, "width: by characters");
    is_int(stockcert_html_width(&str, 2, 6), 2, "width: wide ones count twice");
}


static void
test_qr(void)
{
    char              longest[4000];
    FILE             *file;
    stockcert_str_t   str;

    str = fixture_str("http://localhost/CS-1");
    file = open_text();
    is_int(stockcert_html_qr(file, &str), 0, "qr: a URL");
    fclose(file);
    ok(strncmp(text, "<svg class=\"qr\" viewBox=\"0 0 33 33\"", 35) == 0
       && strstr(text, "M4 4.5h7") != NULL,
       "qr: version 2 with its margin, and its corner");
    free(text);

    memset(longest, 'x', sizeof(longest));
    str.data = longest;
    str.len = sizeof(longest);
    file = open_text();
    is_int(stockcert_html_qr(file, &str), -1, "qr: too long");
    is_text(file, "", "qr: nothing is written");

    str.len = STOCKCERT_QR_MAX + 1;
    file = open_text();
    is_int(stockcert_html_qr(file, &str), -1, "qr: a byte too long");
    is_text(file, "", "qr: nothing is written of that");

    str.len = STOCKCERT_QR_MAX;
    file = open_text();
    is_int(stockcert_html_qr(file, &str), 0, "qr: the longest");
    fclose(file);
    free(text);
}


static FILE *
open_text(void)
{
    FILE  *file;

    file = open_memstream(&text, &len);
    if (file == NULL) {
        tap_bail_out("open_memstream() failed");
    }

    return file;
}


static void
is_text(FILE *file, const char *expected, const char *name)
{
    fclose(file);
    is_mem(text, len, expected, strlen(expected), "%s: %s", name, expected);
    free(text);
}
