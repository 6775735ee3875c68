
/*
 * The stock book, the listing of a class, and the page of an error, as HTML.
 *
 * It writes to a FILE, and knows neither nginx nor LMDB.
 */


#include <inttypes.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_html.h"
#include "stockcert_paper.h"


static void stockcert_book_class(FILE *file,
    const stockcert_book_page_t *page, const stockcert_class_t *class);
static void stockcert_book_row(FILE *file, const stockcert_book_page_t *page,
    const stockcert_certificate_t *certificate);
static void stockcert_book_pages(FILE *file,
    const stockcert_book_page_t *page);
static void stockcert_book_link(FILE *file, const stockcert_book_page_t *page,
    const char *rel, uint64_t after, const char *name);


void
stockcert_book_write(FILE *file, const stockcert_book_page_t *page)
{
    stockcert_book_begin(file, page);
    stockcert_book_rows(file, page, page->certificates, page->n);
    stockcert_book_end(file, page);
}


void
stockcert_book_begin(FILE *file, const stockcert_book_page_t *page)
{
    size_t           i;
    stockcert_str_t  title;

    title.data = "Stock book";
    title.len = sizeof("Stock book") - 1;

    stockcert_html_head(file, "book",
                        page->list ? &page->classes[0].title : &title,
                        &page->company);

    fputs("<main>\n<h1>", file);
    stockcert_html_bdi(file, &page->company);
    fputs("</h1>\n", file);

    if (page->list) {
        fputs("<nav aria-label=\"Stock book\"><a href=\"", file);
        stockcert_html_text(file, &page->book);
        fputs("\">Stock book</a><a href=\"", file);
        stockcert_html_text(file, &page->book);
        stockcert_html_text(file, &page->classes[0].code);
        fputs(".html\">All certificates, to be printed</a></nav>\n", file);
    }

    for (i = 0; i < page->nclasses; i++) {
        stockcert_book_class(file, page, &page->classes[i]);
    }

    fprintf(file, "<h2>%s</h2>\n", page->list ? "Certificates"
                                              : "Latest certificates");
    if (page->n == 0) {
        fputs("<p class=\"dim\">None.</p>\n", file);
        return;
    }

    fputs("<table>\n<thead><tr><th scope=\"col\">Number</th><th scope=\"col\">"
          "Holder</th><th scope=\"col\" class=\"n\">Shares</th><th "
          "scope=\"col\">Issued</th><th scope=\"col\">Outstanding until</th></tr>"
          "</thead>\n<tbody>\n", file);
}


void
stockcert_book_rows(FILE *file, const stockcert_book_page_t *page,
    const stockcert_certificate_t *certificates, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        stockcert_book_row(file, page, &certificates[i]);
    }
}


void
stockcert_book_end(FILE *file, const stockcert_book_page_t *page)
{
    char  seal[STOCKCERT_HEX_LEN + 1];

    if (page->n) {
        fputs("</tbody>\n</table>\n", file);
    }

    if (page->after || page->next) {
        stockcert_book_pages(file, page);
    }

    stockcert_format_seal(page->last->seal, seal);

    fprintf(file, "<footer><p>%" PRIu64 " entries, the last seal is %s</p>"
            "</footer>\n</main>\n", page->last->position, seal);

    stockcert_html_foot(file);
}


static void
stockcert_book_class(FILE *file, const stockcert_book_page_t *page,
    const stockcert_class_t *class)
{
    int       link;
    uint64_t  issued, authorized;

    link = !page->list && page->book.len;
    issued = class->issued;
    authorized = class->authorized;

    fputs("<h2>", file);

    if (link) {
        fputs("<a href=\"", file);
        stockcert_html_text(file, &page->book);
        stockcert_html_text(file, &class->code);
        fputs("\">", file);
    }

    stockcert_html_bdi(file, &class->title);
    fputs(" (", file);
    stockcert_html_text(file, &class->code);
    fprintf(file, ")%s</h2>\n", link ? "</a>" : "");

    /* in thousandths of the bar's width */

    fprintf(file, "<svg class=\"bar\" viewBox=\"0 0 1000 10\" "
            "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%.1f%% of "
            "the authorized shares are issued\"><path d=\"M0 0h1000v10H0z\"/>"
            "<rect width=\"%.1f\" height=\"10\"/></svg>\n<p class=\"dim\">",
            100.0 * (double) issued / (double) authorized,
            1000.0 * (double) issued / (double) authorized);

    stockcert_html_number(file, issued);
    fputs(" of ", file);
    stockcert_html_number(file, authorized);
    fputs(" authorized shares issued, ", file);
    stockcert_html_number(file, authorized - issued);
    fputs(" remaining, ", file);
    stockcert_html_number(file, class->last);
    fprintf(file, " certificate%s</p>\n", class->last == 1 ? "" : "s");
}


static void
stockcert_book_row(FILE *file, const stockcert_book_page_t *page,
    const stockcert_certificate_t *certificate)
{
    int                       over;
    const stockcert_entry_t  *issued;

    issued = &certificate->issued;
    over = (certificate->surrender.position != 0);

    fputs("<tr><td>", file);

    if (page->book.len) {
        fputs("<a href=\"", file);
        stockcert_html_text(file, &page->book);
        stockcert_html_id(file, &issued->code, issued->number);
        fputs(".html\">", file);
    }

    stockcert_html_id(file, &issued->code, issued->number);
    fprintf(file, "%s</td><td class=\"who\">", page->book.len ? "</a>" : "");
    stockcert_html_bdi(file, &issued->name);
    fputs(over ? "</td><td class=\"n\"><s>" : "</td><td class=\"n\">",
          file);
    stockcert_html_number(file, issued->shares);
    fputs(over ? "</s></td><td>" : "</td><td>", file);
    stockcert_html_date(file, issued->time);
    fputs("</td><td class=\"void\">", file);

    if (over) {
        stockcert_html_date(file, certificate->surrender.time);
    }

    fputs("</td></tr>\n", file);
}


/* as in the API */

static void
stockcert_book_pages(FILE *file, const stockcert_book_page_t *page)
{
    uint64_t  before;

    fputs("<nav aria-label=\"Pages\">\n", file);

    if (page->after) {
        before = page->after > page->limit ? page->after - page->limit : 0;

        stockcert_book_link(file, page, "prev", before, "Earlier");
    }

    if (page->next) {
        stockcert_book_link(file, page, "next", page->next, "Later");
    }

    fputs("</nav>\n", file);
}


static void
stockcert_book_link(FILE *file, const stockcert_book_page_t *page,
    const char *rel, uint64_t after, const char *name)
{
    fprintf(file, "<a rel=\"%s\" href=\"", rel);
    stockcert_html_text(file, &page->classes[0].code);
    fprintf(file, "?after=%" PRIu64 "&amp;limit=%" PRIu64, after, page->limit);

    if (page->status) {
        fprintf(file, "&amp;status=%s", page->status);
    }

    fprintf(file, "\">%s</a>\n", name);
}


void
stockcert_problem_write(FILE *file, const stockcert_problem_page_t *page)
{
    stockcert_html_head(file, "book", &page->title, &page->company);

    fputs("<main>\n<h1>", file);
    stockcert_html_text(file, &page->title);
    fputs("</h1>\n<p>", file);
    stockcert_html_text(file, &page->detail);
    fputs("</p>\n", file);

    /* from 500 on, the detail says so */

    if (page->status == 404) {
        fputs("<p>The stock book has all that there is.</p>\n", file);

    } else if (page->status < 500) {
        fprintf(file, "<p>%sCorrect that, and ask again.</p>\n",
                page->read ? "" : "Nothing was issued or changed. ");
    }

    fputs("<nav aria-label=\"Stock book\"><a href=\"", file);
    stockcert_html_text(file, &page->book);
    fprintf(file, "\">Stock book</a></nav>\n<footer><p>Status %u</p></footer>\n"
            "</main>\n", page->status);

    stockcert_html_foot(file);
}
