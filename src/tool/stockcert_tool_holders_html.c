
/*
 * The list of stockholders as a page, to be printed and signed.
 *
 * It touches no ledger.
 */


#include <inttypes.h>

#include "stockcert_format.h"
#include "stockcert_html.h"
#include "stockcert_tool_holders.h"


static void stockcert_holders_html_row(FILE *file,
    const stockcert_holders_t *holders, size_t i, size_t end, uint64_t shares);
static void stockcert_holders_html_party(FILE *file,
    const stockcert_party_t *party);
static void stockcert_holders_html_totals(FILE *file,
    const stockcert_holders_t *holders);


void
stockcert_holders_html(FILE *file, const stockcert_holders_t *holders)
{
    char             time[STOCKCERT_TIME_LEN + 1];
    char             seal[STOCKCERT_HEX_LEN + 1];
    size_t           i, end;
    uint64_t         shares;
    stockcert_str_t  title;

    title.data = "Stockholders of record";
    title.len = sizeof("Stockholders of record") - 1;

    stockcert_html_head(file, "book", &title, &holders->company);

    fputs("<main>\n<h1>", file);
    stockcert_html_bdi(file, &holders->company);
    fputs("</h1>\n<h2>Stockholders of record</h2>\n", file);

    if (holders->n) {
        fputs("<table>\n<thead><tr><th scope=\"col\">Holder</th><th "
              "scope=\"col\">Certificates</th><th scope=\"col\">Class</th><th "
              "scope=\"col\" class=\"n\">Shares</th></tr></thead>\n<tbody>\n",
              file);

        for (i = 0; i < holders->n; i = end) {
            end = stockcert_holders_row(holders, i, &shares);
            stockcert_holders_html_row(file, holders, i, end, shares);
        }

        fputs("</tbody>\n</table>\n", file);

    } else {
        fputs("<p class=\"dim\">None.</p>\n", file);
    }

    stockcert_holders_html_totals(file, holders);

    stockcert_format_time(holders->last.time, time);
    stockcert_format_seal(holders->seal, seal);

    fprintf(file, "<footer><p>As of entry %" PRIu64 ", %s, with the seal %s</p>"
            "</footer>\n</main>\n", holders->last.position, time, seal);

    stockcert_html_foot(file);
}


static void
stockcert_holders_html_row(FILE *file, const stockcert_holders_t *holders,
    size_t i, size_t end, uint64_t shares)
{
    size_t                      n;
    stockcert_str_t             capacity;
    const stockcert_holding_t  *holding;

    holding = holders->list[i];

    fputs("<tr><td class=\"who\">", file);
    stockcert_holders_html_party(file, stockcert_party_root(holding->party));

    if (holding->capacity_len) {
        capacity.data = holding->capacity;
        capacity.len = holding->capacity_len;

        fputs("<br>", file);
        stockcert_html_bdi(file, &capacity);
    }

    fputs("</td><td class=\"who\">", file);

    for (n = i; n < end; n++) {
        fputs(n > i ? ", " : "", file);
        stockcert_html_id(file, &holding->class->code,
                          holders->list[n]->number);
    }

    fputs("</td><td>", file);
    stockcert_html_text(file, &holding->class->code);
    fputs("</td><td class=\"n\">", file);
    stockcert_html_number(file, shares);
    fputs("</td></tr>\n", file);
}


static void
stockcert_holders_html_party(FILE *file, const stockcert_party_t *party)
{
    stockcert_html_bdi(file, &party->name);

    if (party->id.len) {
        fputs(" (", file);
        stockcert_html_bdi(file, &party->id);
        putc(')', file);
    }

    if (party->address.len) {
        fputs("<br>", file);
        stockcert_html_bdi(file, &party->address);
    }
}


static void
stockcert_holders_html_totals(FILE *file, const stockcert_holders_t *holders)
{
    size_t                   i;
    const stockcert_held_t  *class;

    for (i = 0; i < holders->nclasses; i++) {
        class = holders->classes[i];

        fputs("<p>", file);
        stockcert_html_bdi(file, &class->title);
        fputs(" (", file);
        stockcert_html_text(file, &class->code);
        fputs("): ", file);
        stockcert_html_number(file, class->shares);
        fputs(" shares; certificates: ", file);
        stockcert_html_number(file, class->certificates);
        fputs("; holders: ", file);
        stockcert_html_number(file, stockcert_holders_count(holders, class));
        fputs("</p>\n", file);
    }
}
