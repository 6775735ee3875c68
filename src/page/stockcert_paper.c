
#include <inttypes.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_html.h"
#include "stockcert_paper.h"


static int stockcert_paper_size(const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page);
static void stockcert_paper_frame(FILE *file);
static void stockcert_paper_body(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page);
static void stockcert_paper_legends(FILE *file,
    const stockcert_paper_t *paper);
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
    char             id[STOCKCERT_CODE_MAX + 24];
    stockcert_str_t  title;

    title.data = id;
    title.len = (size_t) snprintf(id, sizeof(id), "%.*s-%" PRIu64,
                                  (int) page->class.code.len,
                                  page->class.code.data, page->certificate->issued.number);

    stockcert_html_head(file, "certificate", &title, &page->company);

    fprintf(file, "<main class=\"paper s%d\">\n",
            stockcert_paper_size(paper, page));

    stockcert_paper_frame(file);

    fputs("<p class=\"top\"><span>Number <b>", file);
    stockcert_html_text(file, &title);
    fputs("</b></span><span><b>", file);
    stockcert_html_number(file, page->certificate->issued.shares);
    fprintf(file, "</b> %s</span></p>\n",
            page->certificate->issued.shares == 1 ? "Share" : "Shares");

    stockcert_paper_body(file, paper, page);
    stockcert_paper_legends(file, paper);
    stockcert_paper_sign(file, paper, page);
    stockcert_paper_record(file, page);

    if (page->certificate->cancelled.position) {
        stockcert_paper_over(file, "CANCELLED", "#b00000");

    } else if (paper->nofficers < STOCKCERT_OFFICERS) {
        stockcert_paper_over(file, "DRAFT", "#555");
    }

    fputs("</main>\n<nav class=\"back\"><a href=\"", file);
    stockcert_html_text(file, &page->book);
    fputs("\">Stock book</a></nav>\n", file);

    stockcert_html_foot(file);
}


/* of the type: 1 for large */

static int
stockcert_paper_size(const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page)
{
    size_t  i, len;

    len = page->company.len + page->class.title.len + page->par.len
          + paper->state.len + page->certificate->issued.text.len;

    if (page->certificate->cancelled.position) {
        len += page->certificate->cancelled.text.len;
    }

    for (i = 0; i < paper->nofficers; i++) {
        len += paper->officers[i].len + paper->offices[i].len;
    }

    /* these have smaller type already */

    for (i = 0; i < paper->nlegends; i++) {
        len += paper->legends[i].len / 3;
    }

    return len <= 700 ? 1 : len <= 1400 ? 2 : 3;
}


/* waves between two lines, as money and shares have had them for long */

static void
stockcert_paper_frame(FILE *file)
{
    fputs("<svg class=\"frame\" viewBox=\"0 0 265 192\" aria-hidden=\"true\" "
          "fill=\"none\" stroke=\"#8a7a4a\"><defs><pattern id=\"w\" width=\"6\""
          " height=\"6\" patternUnits=\"userSpaceOnUse\"><g stroke-width=\".25\""
          "><circle cx=\"3\" cy=\"3\" r=\"2.9\"/><circle cx=\"3\" cy=\"3\" "
          "r=\"2\"/><circle cx=\"0\" cy=\"0\" r=\"2.9\"/><circle cx=\"6\" "
          "cy=\"0\" r=\"2.9\"/><circle cx=\"0\" cy=\"6\" r=\"2.9\"/><circle "
          "cx=\"6\" cy=\"6\" r=\"2.9\"/></g></pattern></defs>"
          "<path fill=\"url(#w)\" fill-rule=\"evenodd\" stroke=\"none\" "
          "d=\"M2 2h261v188H2zM10 10v172h245V10z\"/>"
          "<rect x=\"2\" y=\"2\" width=\"261\" height=\"188\" rx=\"1\" "
          "stroke-width=\"1\"/><rect x=\"10\" y=\"10\" width=\"245\" "
          "height=\"172\" stroke-width=\".9\"/><rect x=\"11.5\" y=\"11.5\" "
          "width=\"242\" height=\"169\" stroke-width=\".3\"/></svg>\n", file);
}


static void
stockcert_paper_body(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page)
{
    fprintf(file, "<h1 class=\"w%d\">",
            stockcert_html_width(&page->company, 28, 70));
    stockcert_html_bdi(file, &page->company);
    fputs("</h1>\n", file);

    if (paper->state.len) {
        fputs("<p class=\"state\">Incorporated under the laws of ", file);
        stockcert_html_bdi(file, &paper->state);
        fputs("</p>\n", file);
    }

    fprintf(file, "<h2 class=\"w%d\">",
            stockcert_html_width(&page->class.title, 45, 110));
    stockcert_html_bdi(file, &page->class.title);
    fputs("</h2>\n<p class=\"certifies\">This certifies that</p>\n", file);

    fprintf(file, "<p class=\"holder w%d\">",
            stockcert_html_width(&page->certificate->issued.text, 36, 90));
    stockcert_html_bdi(file, &page->certificate->issued.text);

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
    }

    fputs(", of this corporation.</p>\n<p class=\"issued\">Issued on ", file);
    stockcert_html_date(file, page->certificate->issued.time);
    fputs(".</p>\n", file);

    if (page->certificate->cancelled.position) {
        fputs("<p class=\"issued void\">Cancelled on ", file);
        stockcert_html_date(file, page->certificate->cancelled.time);
        fputs(": ", file);
        stockcert_html_bdi(file, &page->certificate->cancelled.text);
        fputs("</p>\n", file);
    }
}


static void
stockcert_paper_legends(FILE *file, const stockcert_paper_t *paper)
{
    size_t           i;
    stockcert_str_t  all;

    if (paper->nlegends == 0) {
        return;
    }

    /* as wide as the widest, as many times */

    all.len = 0;

    for (i = 0; i < paper->nlegends; i++) {
        all.len += paper->legends[i].len;
    }

    fprintf(file, "<div class=\"legends w%d\">\n", all.len <= 500 ? 1
                                                   : all.len <= 1200 ? 2 : 3);

    for (i = 0; i < paper->nlegends; i++) {
        fputs("<p>", file);
        stockcert_html_bdi(file, &paper->legends[i]);
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
    int  width, other;

    width = stockcert_html_width(officer, 30, 90);
    other = stockcert_html_width(office, 30, 90);

    fprintf(file, "<div class=\"line w%d\">", width > other ? width : other);

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


/* said in words as well, where that is the case */

static void
stockcert_paper_over(FILE *file, const char *word, const char *colour)
{
    fprintf(file, "<svg class=\"over\" viewBox=\"0 0 265 192\" role=\"img\" "
            "aria-label=\"%s\" preserveAspectRatio=\"xMidYMid meet\"><text "
            "x=\"132\" y=\"108\" text-anchor=\"middle\" transform=\"rotate(-27 "
            "132 96)\" font-family=\"Georgia,serif\" font-size=\"31\" "
            "font-weight=\"700\" letter-spacing=\"4\" fill=\"%s\" "
            "fill-opacity=\".22\" stroke=\"%s\" stroke-opacity=\".5\" "
            "stroke-width=\".6\">%s</text></svg>\n", word, colour, colour,
            word);
}
