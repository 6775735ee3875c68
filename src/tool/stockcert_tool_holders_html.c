
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
    stockcert_holders_t *holders);
static void stockcert_holders_html_holder(FILE *file,
    const stockcert_held_one_t *one);
static void stockcert_holders_html_totals(FILE *file,
    const stockcert_holders_t *holders);


void
stockcert_holders_html(FILE *file, stockcert_holders_t *holders)
{
    char             time[STOCKCERT_TIME_LEN + 1];
    char             seal[STOCKCERT_HEX_LEN + 1];
    stockcert_str_t  title;

    title.data = "Stockholders of record";
    title.len = sizeof("Stockholders of record") - 1;

    stockcert_html_head(file, "book", &title, &holders->company);

    fputs("<main>\n<h1>", file);
    stockcert_html_bdi(file, &holders->company);
    fputs("</h1>\n<h2>Stockholders of record</h2>\n", file);

    if (holders->there) {
        fputs("<table>\n<thead><tr><th scope=\"col\">Holder</th><th "
              "scope=\"col\">Certificates</th><th scope=\"col\">Class</th><th "
              "scope=\"col\" class=\"n\">Shares</th></tr></thead>\n<tbody>\n",
              file);

        while (stockcert_holders_next(holders, 1)) {
            stockcert_holders_html_row(file, holders);
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
stockcert_holders_html_row(FILE *file, stockcert_holders_t *holders)
{
    uint64_t                       n;
    stockcert_held_one_t           one;
    const stockcert_held_group_t  *group;

    group = &holders->group;

    fputs("<tr><td class=\"who\">", file);
    stockcert_holders_html_holder(file, &group->first);

    if (group->first.capacity.len) {
        fputs("<br>", file);
        stockcert_html_bdi(file, &group->first.capacity);
    }

    fputs("</td><td class=\"who\">", file);

    for (n = 0; n < group->n; n++) {

        if (!stockcert_holders_one(holders, holders->numbers, &one)) {
            return;
        }

        fputs(n ? ", " : "", file);
        stockcert_html_id(file, &one.code, one.number);
    }

    fputs("</td><td>", file);
    stockcert_html_text(file, &group->first.code);
    fputs("</td><td class=\"n\">", file);
    stockcert_html_number(file, group->shares);
    fputs("</td></tr>\n", file);
}


static void
stockcert_holders_html_holder(FILE *file, const stockcert_held_one_t *one)
{
    stockcert_html_bdi(file, &one->name);

    if (one->id.len) {
        fputs(" (", file);
        stockcert_html_bdi(file, &one->id);
        putc(')', file);
    }

    if (one->address.len) {
        fputs("<br>", file);
        stockcert_html_bdi(file, &one->address);
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
        stockcert_html_number(file, class->holders);
        fputs("</p>\n", file);
    }
}
