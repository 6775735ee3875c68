
/*
 * A stock certificate as HTML, to be printed.
 *
 * It writes to a FILE, and knows neither nginx nor LMDB.
 */


#include <inttypes.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_html.h"
#include "stockcert_paper_int.h"


static void stockcert_paper_sheet(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page, const stockcert_sheet_t *sheet,
    size_t i, size_t n);
static void stockcert_paper_frame(FILE *file, int first);
static void stockcert_paper_top(FILE *file,
    const stockcert_paper_page_t *page, size_t i, size_t n);
static void stockcert_paper_body(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page);
static void stockcert_paper_again(FILE *file,
    const stockcert_paper_page_t *page);
static void stockcert_paper_legends(FILE *file,
    const stockcert_paper_t *paper, const stockcert_sheet_t *sheet);
static void stockcert_paper_sign(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page);
static void stockcert_paper_line(FILE *file, const stockcert_str_t *officer,
    const stockcert_str_t *office);
static void stockcert_paper_record(FILE *file,
    const stockcert_paper_page_t *page);
static void stockcert_paper_over(FILE *file, const char *word,
    const char *colour);


void
stockcert_paper_write(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page)
{
    char               id[STOCKCERT_ID_MAX + 1];
    size_t             i, n;
    stockcert_str_t    title;
    stockcert_sheet_t  sheets[STOCKCERT_SHEETS_MAX];

    title.data = id;
    title.len = (size_t) snprintf(id, sizeof(id), STOCKCERT_ID,
                                  STOCKCERT_ID_OF(page->class.code,
                                             page->certificate->issued.number));

    stockcert_html_head(file, "certificate", &title, &page->company);

    fputs("<main>\n", file);

    n = stockcert_paper_plan(paper, page, sheets);

    for (i = 0; i < n; i++) {
        stockcert_paper_sheet(file, paper, page, &sheets[i], i + 1, n);
    }

    fputs("</main>\n<nav class=\"back\"><a href=\"", file);
    stockcert_html_text(file, &page->book);
    fputs("\">Stock book</a></nav>\n", file);

    stockcert_html_foot(file);
}


/* the i-th sheet of n, from 1 */

static void
stockcert_paper_sheet(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page, const stockcert_sheet_t *sheet,
    size_t i, size_t n)
{
    fprintf(file, "<div class=\"paper s%d\">\n", sheet->scale);

    stockcert_paper_frame(file, i == 1);
    stockcert_paper_top(file, page, i, n);

    if (i == 1) {
        stockcert_paper_body(file, paper, page);

        if (n == 2) {
            fputs("<p class=\"see\">The legends on page 2 are part of this "
                  "certificate.</p>\n", file);

        } else if (n > 2) {
            fprintf(file, "<p class=\"see\">The legends on pages 2 to %zu are "
                    "part of this certificate.</p>\n", n);
        }

    } else {
        stockcert_paper_again(file, page);
    }

    stockcert_paper_legends(file, paper, sheet);

    if (i == 1) {
        stockcert_paper_sign(file, paper, page);
    }

    stockcert_paper_record(file, page);

    if (page->certificate->surrender.position) {
        stockcert_paper_over(file,
                             page->certificate->surrender.issues
                             ? "SURRENDERED" : "CANCELLED", "#b00000");

    } else if (paper->nofficers < STOCKCERT_OFFICERS) {
        stockcert_paper_over(file, "DRAFT", "#555");
    }

    fputs("</div>\n", file);
}


/* a border of waves, as on bank notes */

static void
stockcert_paper_frame(FILE *file, int first)
{
    fputs("<svg class=\"frame\" viewBox=\"0 0 265 192\" aria-hidden=\"true\" "
          "preserveAspectRatio=\"none\" fill=\"none\" stroke=\"#8a7a4a\">",
          file);

    if (first) {
        fputs("<defs><pattern id=\"w\" width=\"6\" height=\"6\" "
              "patternUnits=\"userSpaceOnUse\"><g stroke-width=\".25\"><circle "
              "cx=\"3\" cy=\"3\" r=\"2.9\"/><circle cx=\"3\" cy=\"3\" r=\"2\"/>"
              "<circle cx=\"0\" cy=\"0\" r=\"2.9\"/><circle cx=\"6\" cy=\"0\" "
              "r=\"2.9\"/><circle cx=\"0\" cy=\"6\" r=\"2.9\"/><circle cx=\"6\" "
              "cy=\"6\" r=\"2.9\"/></g></pattern></defs>", file);
    }

    fputs("<path fill=\"url(#w)\" fill-rule=\"evenodd\" stroke=\"none\" "
          "d=\"M2 2h261v188H2zM10 10v172h245V10z\"/>"
          "<rect x=\"2\" y=\"2\" width=\"261\" height=\"188\" rx=\"1\" "
          "stroke-width=\"1\"/><rect x=\"10\" y=\"10\" width=\"245\" "
          "height=\"172\" stroke-width=\".9\"/><rect x=\"11.5\" y=\"11.5\" "
          "width=\"242\" height=\"169\" stroke-width=\".3\"/></svg>\n", file);
}


static void
stockcert_paper_top(FILE *file, const stockcert_paper_page_t *page, size_t i,
    size_t n)
{
    fputs("<p class=\"top\"><span>Number <b>", file);
    stockcert_html_id(file, &page->class.code,
                      page->certificate->issued.number);
    fputs("</b></span>", file);

    if (n > 1) {
        fprintf(file, "<span>Page %zu of %zu</span>", i, n);
    }

    fputs("<span><b>", file);
    stockcert_html_number(file, page->certificate->issued.shares);
    fprintf(file, "</b> %s</span></p>\n",
            page->certificate->issued.shares == 1 ? "Share" : "Shares");
}


static void
stockcert_paper_body(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page)
{
    fprintf(file, "<h1 class=\"w%d\">",
            stockcert_type_of(&stockcert_type_company,
                              stockcert_html_width(&page->company)));
    stockcert_html_bdi(file, &page->company);
    fputs("</h1>\n", file);

    if (paper->state.len) {
        fputs("<p class=\"state\">Incorporated under the laws of ", file);
        stockcert_html_bdi(file, &paper->state);
        fputs("</p>\n", file);
    }

    fprintf(file, "<h2 class=\"w%d\">",
            stockcert_type_of(&stockcert_type_class,
                              stockcert_html_width(&page->class.title)));
    stockcert_html_bdi(file, &page->class.title);
    fputs("</h2>\n<p class=\"certifies\">This certifies that</p>\n", file);

    fprintf(file, "<p class=\"holder w%d\">",
            stockcert_type_of(&stockcert_type_holder,
                         stockcert_html_width(&page->certificate->issued.name)));
    stockcert_html_bdi(file, &page->certificate->issued.name);

    fputs("</p>\n<p class=\"amount\">is the holder of record of <b>", file);
    stockcert_html_words(file, page->certificate->issued.shares);
    fputs(" (", file);
    stockcert_html_number(file, page->certificate->issued.shares);
    fprintf(file, ")</b> %s of the above class of stock (",
            page->certificate->issued.shares == 1 ? "share" : "shares");
    stockcert_html_text(file, &page->class.code);
    putc(')', file);

    if (page->par.len) {
        fputs(", ", file);
        stockcert_html_bdi(file, &page->par);
        putc(',', file);
    }

    fputs(" of this corporation.</p>\n<p class=\"issued\">Issued on ", file);
    stockcert_html_date(file, page->certificate->issued.time);
    fputs(".</p>\n", file);

    if (page->certificate->surrender.position) {
        fprintf(file, "<p class=\"issued void\">%s on ",
                page->certificate->surrender.issues ? "Surrendered"
                                                    : "Cancelled");
        stockcert_html_date(file, page->certificate->surrender.time);
        fputs(": ", file);
        stockcert_html_bdi(file, &page->certificate->surrender.reference);
        fputs("</p>\n", file);
    }
}


/* the first sheet has its content here */

static void
stockcert_paper_again(FILE *file, const stockcert_paper_page_t *page)
{
    fprintf(file, "<p class=\"again w%d\">Certificate <b>",
            stockcert_type_of(&stockcert_type_again,
                              stockcert_paper_again_width(page)));
    stockcert_html_id(file, &page->class.code,
                      page->certificate->issued.number);
    fputs("</b> of <b>", file);
    stockcert_html_bdi(file, &page->company);
    fputs("</b>, ", file);
    stockcert_html_bdi(file, &page->class.title);
    fputs(", holder of record <b>", file);
    stockcert_html_bdi(file, &page->certificate->issued.name);
    fputs("</b></p>\n", file);
}


static void
stockcert_paper_legends(FILE *file, const stockcert_paper_t *paper,
    const stockcert_sheet_t *sheet)
{
    size_t  i;

    if (sheet->nlegends == 0) {
        return;
    }

    fputs("<div class=\"legends\">\n", file);

    for (i = 0; i < sheet->nlegends; i++) {
        fputs("<p>", file);
        stockcert_html_bdi(file, &paper->legends[sheet->legend + i]);
        fputs("</p>\n", file);
    }

    fputs("</div>\n", file);
}


static void
stockcert_paper_sign(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page)
{
    size_t                        i;
    static const stockcert_str_t  none = { 0, "" };

    fputs("<div class=\"sign\">\n", file);

    for (i = 0; i < STOCKCERT_OFFICERS; i++) {

        if (i < paper->nofficers) {
            stockcert_paper_line(file, &paper->officers[i], &paper->offices[i]);

        } else {
            stockcert_paper_line(file, &none, &none);
        }

        if (i == 0) {
            fprintf(file, "<svg class=\"emblem\" viewBox=\"-50 -50 100 100\" "
                    "aria-hidden=\"true\" fill=\"none\" stroke=\"#8a7a4a\">"
                    "<circle r=\"47\" stroke-width=\"5\" stroke-dasharray="
                    "\"2.9 2\"/><circle r=\"42\"/><circle r=\"30\"/><path "
                    "stroke-width=\".6\" d=\"M0-42V-30M0 30V42M-42 0H-30M30 0"
                    "H42M-30-30L-21-21M21 21L30 30M-30 30L-21 21M21-21L30-30\""
                    "/><text y=\"5\" text-anchor=\"middle\" font-size=\"%d\" "
                    "font-weight=\"700\" fill=\"#8a7a4a\" stroke=\"none\">",
                    page->class.code.len > 4 ? 10 : 17);
            stockcert_html_text(file, &page->class.code);
            fputs("</text></svg>\n", file);
        }
    }

    if (page->url.len && stockcert_html_qr(file, &page->url) == 0) {
        putc('\n', file);
    }

    fputs("</div>\n", file);
}


static void
stockcert_paper_line(FILE *file, const stockcert_str_t *officer,
    const stockcert_str_t *office)
{
    size_t  width, other;

    width = stockcert_html_width(officer);
    other = stockcert_html_width(office);

    fprintf(file, "<div class=\"line w%d\">",
            stockcert_type_of(&stockcert_type_officer,
                              width > other ? width : other));

    if (officer->len) {
        stockcert_html_bdi(file, officer);
        fputs("<span>", file);
        stockcert_html_bdi(file, office);
        fputs("</span>", file);

    } else {
        fputs("Signature<span>Authorized officer</span>", file);
    }

    fputs("</div>\n", file);
}


static void
stockcert_paper_record(FILE *file, const stockcert_paper_page_t *page)
{
    char  seal[STOCKCERT_HEX_LEN + 1];

    stockcert_format_seal(page->certificate->issued.seal, seal);

    fprintf(file, "<p class=\"record\">entry %" PRIu64 " &middot; seal %s",
            page->certificate->issued.position, seal);

    if (page->url.len) {
        fputs(" &middot; <a href=\"", file);
        stockcert_html_text(file, &page->url);
        fputs("\">", file);
        stockcert_html_text(file, &page->url);
        fputs("</a>", file);
    }

    fputs("</p>\n", file);
}


/* said in words as well, where it is so */

static void
stockcert_paper_over(FILE *file, const char *word, const char *colour)
{
    fprintf(file, "<svg class=\"over\" viewBox=\"0 0 265 192\" role=\"img\" "
            "aria-label=\"%s\" preserveAspectRatio=\"xMidYMid meet\"><text "
            "x=\"132\" y=\"108\" text-anchor=\"middle\" transform=\"rotate(-27 "
            "132 96)\" font-family=\"Georgia,serif\" font-size=\"%d\" "
            "font-weight=\"700\" letter-spacing=\"4\" fill=\"%s\" "
            "fill-opacity=\".22\" stroke=\"%s\" stroke-opacity=\".5\" "
            "stroke-width=\".6\">%s</text></svg>\n", word,
            strlen(word) > 9 ? 25 : 31, colour, colour, word);
}
