
/*
 * The list of stockholders as a table, as CSV and as lines of JSON.
 *
 * It touches no ledger.
 */


#include <inttypes.h>
#include <string.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"
#include "stockcert_tool_holders.h"


#define STOCKCERT_HOLDERS_LINE  8      /* certificates */


static void stockcert_holders_table_row(FILE *file,
    stockcert_holders_t *holders);
static void stockcert_holders_csv_text(FILE *file,
    const stockcert_str_t *str);
static void stockcert_holders_jsonl_holder(FILE *file,
    const stockcert_held_one_t *one);
static void stockcert_holders_jsonl_class(FILE *file,
    stockcert_holders_t *holders);
static void stockcert_holders_jsonl_foot(FILE *file,
    const stockcert_holders_t *holders);


/* columns that people can read; texts come last */

void
stockcert_holders_table(FILE *file, stockcert_holders_t *holders)
{
    char                         time[STOCKCERT_TIME_LEN + 1];
    char                         seal[STOCKCERT_HEX_LEN + 1];
    size_t                       i;
    const stockcert_held_t      *class;
    const stockcert_held_one_t  *one;

    stockcert_tool_line(file, "%.*s: stockholders of record",
                        (int) holders->company.len, holders->company.data);

    one = &holders->group.first;

    while (stockcert_holders_next(holders, 1)) {

        if (holders->group.holder) {
            stockcert_tool_line(file, "%.*s%s%.*s", (int) one->name.len,
                                one->name.data, one->id.len ? ", id " : "",
                                (int) one->id.len, one->id.data);

            if (one->address.len) {
                stockcert_tool_line(file, "  %.*s", (int) one->address.len,
                                    one->address.data);
            }
        }

        stockcert_holders_table_row(file, holders);
    }

    stockcert_tool_line(file, "all together");

    for (i = 0; i < holders->nclasses; i++) {
        class = holders->classes[i];

        stockcert_tool_line(file, "  %-8.*s %16" PRIu64 "  shares; certificates: "
                            "%" PRIu64 "; holders: %" PRIu64 "; %.*s",
                            (int) class->code.len, class->code.data,
                            class->shares, class->certificates, class->holders,
                            (int) class->title.len, class->title.data);
    }

    stockcert_format_time(holders->last.time, time);
    stockcert_format_seal(holders->seal, seal);

    fprintf(file, "as of entry %" PRIu64 ", %s, with the seal\n%s\n",
            holders->last.position, time, seal);
}


static void
stockcert_holders_table_row(FILE *file, stockcert_holders_t *holders)
{
    uint64_t                       n;
    stockcert_held_one_t           one;
    const stockcert_held_group_t  *group;

    group = &holders->group;

    fprintf(file, "  %-8.*s %16" PRIu64 " ", (int) group->first.code.len,
            group->first.code.data, group->shares);

    for (n = 0; n < group->n; n++) {

        if (!stockcert_holders_one(holders, holders->numbers, &one)) {
            return;
        }

        if (n && n % STOCKCERT_HOLDERS_LINE == 0) {
            fprintf(file, "\n%28s", "");
        }

        fprintf(file, " " STOCKCERT_ID, STOCKCERT_ID_OF(one.code, one.number));
    }

    putc('\n', file);

    if (group->first.capacity.len) {
        stockcert_tool_line(file, "%29s%.*s", "",
                            (int) group->first.capacity.len,
                            group->first.capacity.data);
    }
}


/*
 * RFC 4180. Columns add up: the last line has only what the list was made from.
 */

void
stockcert_holders_csv(FILE *file, stockcert_holders_t *holders)
{
    char                           seal[STOCKCERT_HEX_LEN + 1];
    uint64_t                       n;
    stockcert_held_one_t           one;
    const stockcert_held_group_t  *group;

    fprintf(file, "name,holder_id,address,class,capacity,shares,certificates,"
            "entry,seal\r\n");

    group = &holders->group;

    while (stockcert_holders_next(holders, 1)) {
        stockcert_holders_csv_text(file, &group->first.name);
        stockcert_holders_csv_text(file, &group->first.id);
        stockcert_holders_csv_text(file, &group->first.address);
        fprintf(file, "%.*s,", (int) group->first.code.len,
                group->first.code.data);
        stockcert_holders_csv_text(file, &group->first.capacity);
        fprintf(file, "%" PRIu64 ",", group->shares);

        for (n = 0; n < group->n; n++) {

            if (!stockcert_holders_one(holders, holders->numbers, &one)) {
                return;
            }

            fprintf(file, "%s" STOCKCERT_ID, n ? " " : "",
                    STOCKCERT_ID_OF(one.code, one.number));
        }

        fprintf(file, ",,\r\n");
    }

    stockcert_format_seal(holders->seal, seal);

    fprintf(file, ",,,,,,,%" PRIu64 ",%s\r\n", holders->last.position, seal);
}


static void
stockcert_holders_csv_text(FILE *file, const stockcert_str_t *str)
{
    size_t  i;

    if (str->len) {
        putc('"', file);

        for (i = 0; i < str->len; i++) {

            if (str->data[i] == '"') {
                putc('"', file);
            }

            putc(str->data[i], file);
        }

        putc('"', file);
    }

    putc(',', file);
}


void
stockcert_holders_jsonl(FILE *file, stockcert_holders_t *holders)
{
    const char  *end;

    end = "";

    while (stockcert_holders_next(holders, 0)) {

        if (holders->group.holder) {
            fputs(end, file);
            stockcert_holders_jsonl_holder(file, &holders->group.first);

        } else {
            putc(',', file);
        }

        stockcert_holders_jsonl_class(file, holders);
        end = "]}\n";
    }

    fputs(end, file);
    stockcert_holders_jsonl_foot(file, holders);
}


static void
stockcert_holders_jsonl_holder(FILE *file, const stockcert_held_one_t *one)
{
    fprintf(file, "{\"name\":");
    stockcert_json_string(file, &one->name);

    if (one->id.len) {
        fprintf(file, ",\"holder_id\":");
        stockcert_json_string(file, &one->id);
    }

    if (one->address.len) {
        fprintf(file, ",\"address\":");
        stockcert_json_string(file, &one->address);
    }

    fprintf(file, ",\"classes\":[");
}


static void
stockcert_holders_jsonl_class(FILE *file, stockcert_holders_t *holders)
{
    uint64_t                       n;
    const char                    *comma;
    stockcert_held_one_t           one;
    const stockcert_held_group_t  *group;

    group = &holders->group;

    fprintf(file, "{\"class\":\"%.*s\",\"shares\":%" PRIu64
            ",\"certificates\":[", (int) group->first.code.len,
            group->first.code.data, group->shares);

    for (n = 0; n < group->n; n++) {

        if (!stockcert_holders_one(holders, holders->numbers, &one)) {
            return;
        }

        fprintf(file, "%s\"" STOCKCERT_ID "\"", n ? "," : "",
                STOCKCERT_ID_OF(one.code, one.number));
    }

    putc(']', file);
    comma = ",\"capacities\":{";

    for (n = 0; n < group->n; n++) {

        if (!stockcert_holders_one(holders, holders->capacities, &one)) {
            return;
        }

        if (one.capacity.len) {
            fprintf(file, "%s\"" STOCKCERT_ID "\":", comma,
                    STOCKCERT_ID_OF(one.code, one.number));
            stockcert_json_string(file, &one.capacity);
            comma = ",";
        }
    }

    fprintf(file, "%s}", comma[1] ? "" : "}");
}


static void
stockcert_holders_jsonl_foot(FILE *file, const stockcert_holders_t *holders)
{
    char                     time[STOCKCERT_TIME_LEN + 1];
    char                     seal[STOCKCERT_HEX_LEN + 1];
    size_t                   i;
    const stockcert_held_t  *class;

    fprintf(file, "{\"totals\":[");

    for (i = 0; i < holders->nclasses; i++) {
        class = holders->classes[i];

        fprintf(file, "%s{\"class\":\"%.*s\",\"title\":", i ? "," : "",
                (int) class->code.len, class->code.data);
        stockcert_json_string(file, &class->title);
        fprintf(file, ",\"shares\":%" PRIu64 ",\"certificates\":%" PRIu64
                ",\"holders\":%" PRIu64 "}", class->shares,
                class->certificates, class->holders);
    }

    stockcert_format_time(holders->last.time, time);
    stockcert_format_seal(holders->seal, seal);

    fprintf(file, "],\"entry\":%" PRIu64 ",\"time\":\"%s\",\"seal\":\"%s\"}\n",
            holders->last.position, time, seal);
}
