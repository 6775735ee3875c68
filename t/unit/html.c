
/*
 * Numbers, dates, texts and sheets as the HTML pages have them.
 */


#include "fixture.h"

#include "stockcert_html.h"
#include "stockcert_paper_int.h"


static void test_numbers(void);
static void test_dates(void);
static void test_texts(void);
static void test_sheets(void);
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
    test_sheets();
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

    str = fixture_str("a B");
    is_int(stockcert_html_width(&str), 66 + 35 + 82, "width: of letters");

    str = fixture_str("\xe6\xa0\xaa\xc3\xbc");
    is_int(stockcert_html_width(&str), 105 + 80, "width: by characters");
}


/* each legend once, in order, on two sheets at most */

static int
all_legends(const stockcert_paper_t *paper, const stockcert_paper_page_t *page)
{
    size_t             n, i, next;
    stockcert_sheet_t  sheets[STOCKCERT_SHEETS_MAX];

    n = stockcert_paper_plan(paper, page, sheets);
    next = 0;

    for (i = 0; i < n; i++) {
        if (sheets[i].legend != next || sheets[i].scale > 2) {
            return 0;
        }

        next += sheets[i].nlegends;
    }

    return next == paper->nlegends && n <= 2;
}


/* each legend is on one sheet, and never smaller than the others allow */

static void
test_sheets(void)
{
    char                     legend[1000];
    size_t                   len, n, i;
    stockcert_paper_t        paper;
    stockcert_sheet_t        sheets[STOCKCERT_SHEETS_MAX];
    stockcert_certificate_t  certificate;
    stockcert_paper_page_t   page;

    static const size_t  few[] = { 0, 1, 300 };

    memset(&paper, 0, sizeof(paper));
    memset(&page, 0, sizeof(page));
    memset(&certificate, 0, sizeof(certificate));

    page.company = fixture_str("Impossible Cuts Inc.");
    page.class.title = fixture_str("Common Stock");
    page.certificate = &certificate;
    certificate.issued.name = fixture_str("Salt Bae");

    memset(legend, 'n', sizeof(legend));
    paper.nlegends = STOCKCERT_LEGENDS_MAX;

    for (len = 0; len <= sizeof(legend); len += 10) {

        for (i = 0; i < paper.nlegends; i++) {
            paper.legends[i].data = legend;
            paper.legends[i].len = len;
        }

        if (!all_legends(&paper, &page)) {
            break;
        }
    }

    is_int(len, sizeof(legend) + 10, "sheets: two at most, with all legends");

    for (i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
        for (n = 0; n < paper.nlegends; n++) {
            paper.legends[n].len = few[i];
        }

        is_int(stockcert_paper_plan(&paper, &page, sheets), 1,
               "sheets: one for few legends");
    }

    memset(legend, 'W', sizeof(legend));

    for (i = 0; i < paper.nlegends; i++) {
        paper.legends[i].len = sizeof(legend);
    }

    page.company.data = page.class.title.data = legend;
    page.company.len = page.class.title.len = 255;

    n = stockcert_paper_plan(&paper, &page, sheets);

    is_int(n, 3, "sheets: as many as it takes");
    is_int(sheets[0].nlegends, 0, "sheets: none on the face then");
    is_int(sheets[1].nlegends + sheets[2].nlegends, 4, "sheets: all of them");
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
