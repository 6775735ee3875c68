
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
    const stockcert_holders_t *holders, size_t i, size_t end, uint64_t shares);
static void stockcert_holders_csv_text(FILE *file, const char *text,
    size_t len);
static void stockcert_holders_jsonl_class(FILE *file,
    const stockcert_holders_t *holders, size_t i, size_t end, uint64_t shares);
static void stockcert_holders_jsonl_foot(FILE *file,
    const stockcert_holders_t *holders);
static int stockcert_holders_same(const stockcert_holding_t *one,
    const stockcert_holding_t *two);


size_t
stockcert_holders_class_end(const stockcert_holders_t *holders, size_t i,
    uint64_t *shares)
{
    size_t                n;
    stockcert_holding_t  *first;

    first = holders->list[i];
    *shares = 0;

    for (n = i; n < holders->n; n++) {

        if (!stockcert_holders_same(holders->list[n], first)) {
            break;
        }

        *shares += holders->list[n]->shares;
    }

    return n;
}


size_t
stockcert_holders_row(const stockcert_holders_t *holders, size_t i,
    uint64_t *shares)
{
    size_t                n;
    stockcert_holding_t  *first, *next;

    first = holders->list[i];
    *shares = 0;

    for (n = i; n < holders->n; n++) {
        next = holders->list[n];

        if (!stockcert_holders_same(next, first)
            || !stockcert_same(next->capacity, next->capacity_len,
                               first->capacity, first->capacity_len))
        {
            break;
        }

        *shares += next->shares;
    }

    return n;
}


static int
stockcert_holders_same(const stockcert_holding_t *one,
    const stockcert_holding_t *two)
{
    return one->class == two->class
           && stockcert_party_root(one->party)
              == stockcert_party_root(two->party);
}


uint64_t
stockcert_holders_count(const stockcert_holders_t *holders,
    const stockcert_held_t *class)
{
    size_t    i;
    uint64_t  n, shares;

    n = 0;

    for (i = 0; i < holders->n;
         i = stockcert_holders_class_end(holders, i, &shares))
    {
        n += (holders->list[i]->class == class);
    }

    return n;
}


/* columns that people can read; texts come last */

void
stockcert_holders_table(FILE *file, const stockcert_holders_t *holders)
{
    char                     time[STOCKCERT_TIME_LEN + 1];
    char                     seal[STOCKCERT_HEX_LEN + 1];
    size_t                   i, end;
    uint64_t                 shares;
    stockcert_party_t       *party, *before;
    const stockcert_held_t  *class;

    stockcert_tool_line(file, "%.*s: stockholders of record",
                        (int) holders->company.len, holders->company.data);

    before = NULL;

    for (i = 0; i < holders->n; i = end) {
        party = stockcert_holdings_party(holders->list[i]);

        if (party != before) {
            stockcert_tool_line(file, "%.*s%s%.*s", (int) party->name.len,
                                party->name.data, party->id.len ? ", id " : "",
                                (int) party->id.len, party->id.data);

            if (party->address.len) {
                stockcert_tool_line(file, "  %.*s", (int) party->address.len,
                                    party->address.data);
            }

            before = party;
        }

        end = stockcert_holders_row(holders, i, &shares);
        stockcert_holders_table_row(file, holders, i, end, shares);
    }

    stockcert_tool_line(file, "all together");

    for (i = 0; i < holders->nclasses; i++) {
        class = holders->classes[i];

        stockcert_tool_line(file, "  %-8.*s %16" PRIu64 "  shares; certificates: "
                            "%" PRIu64 "; holders: %" PRIu64 "; %.*s",
                            (int) class->code.len, class->code.data,
                            class->shares, class->certificates,
                            stockcert_holders_count(holders, class),
                            (int) class->title.len, class->title.data);
    }

    stockcert_format_time(holders->last.time, time);
    stockcert_format_seal(holders->seal, seal);

    fprintf(file, "as of entry %" PRIu64 ", %s, with the seal\n%s\n",
            holders->last.position, time, seal);
}


static void
stockcert_holders_table_row(FILE *file, const stockcert_holders_t *holders,
    size_t i, size_t end, uint64_t shares)
{
    size_t                      n;
    const stockcert_holding_t  *holding;

    holding = holders->list[i];

    fprintf(file, "  %-8.*s %16" PRIu64 " ", (int) holding->class->code.len,
            holding->class->code.data, shares);

    for (n = i; n < end; n++) {

        if (n > i && (n - i) % STOCKCERT_HOLDERS_LINE == 0) {
            fprintf(file, "\n%28s", "");
        }

        fprintf(file, " " STOCKCERT_ID,
                STOCKCERT_ID_OF(holding->class->code,
                                holders->list[n]->number));
    }

    putc('\n', file);

    if (holding->capacity_len) {
        stockcert_tool_line(file, "%29s%.*s", "", (int) holding->capacity_len,
                            holding->capacity);
    }
}


/*
 * RFC 4180. Columns add up: the last line has only what the list was made from.
 */

void
stockcert_holders_csv(FILE *file, const stockcert_holders_t *holders)
{
    char                        seal[STOCKCERT_HEX_LEN + 1];
    size_t                      i, n, end;
    uint64_t                    shares;
    stockcert_party_t          *party;
    const stockcert_holding_t  *holding;

    fprintf(file, "name,holder_id,address,class,capacity,shares,certificates,"
            "entry,seal\r\n");

    for (i = 0; i < holders->n; i = end) {
        holding = holders->list[i];
        party = stockcert_party_root(holding->party);
        end = stockcert_holders_row(holders, i, &shares);

        stockcert_holders_csv_text(file, party->name.data, party->name.len);
        stockcert_holders_csv_text(file, party->id.data, party->id.len);
        stockcert_holders_csv_text(file, party->address.data,
                                   party->address.len);
        fprintf(file, "%.*s,", (int) holding->class->code.len,
                holding->class->code.data);
        stockcert_holders_csv_text(file, holding->capacity,
                                   holding->capacity_len);
        fprintf(file, "%" PRIu64 ",", shares);

        for (n = i; n < end; n++) {
            fprintf(file, "%s" STOCKCERT_ID, n > i ? " " : "",
                    STOCKCERT_ID_OF(holding->class->code,
                                    holders->list[n]->number));
        }

        fprintf(file, ",,\r\n");
    }

    stockcert_format_seal(holders->seal, seal);

    fprintf(file, ",,,,,,,%" PRIu64 ",%s\r\n", holders->last.position, seal);
}


static void
stockcert_holders_csv_text(FILE *file, const char *text, size_t len)
{
    size_t  i;

    if (len) {
        putc('"', file);

        for (i = 0; i < len; i++) {

            if (text[i] == '"') {
                putc('"', file);
            }

            putc(text[i], file);
        }

        putc('"', file);
    }

    putc(',', file);
}


void
stockcert_holders_jsonl(FILE *file, const stockcert_holders_t *holders)
{
    size_t              i, end;
    uint64_t            shares;
    stockcert_party_t  *party;

    for (i = 0; i < holders->n; /* void */ ) {
        party = stockcert_holdings_party(holders->list[i]);

        fprintf(file, "{\"name\":");
        stockcert_json_string(file, &party->name);

        if (party->id.len) {
            fprintf(file, ",\"holder_id\":");
            stockcert_json_string(file, &party->id);
        }

        if (party->address.len) {
            fprintf(file, ",\"address\":");
            stockcert_json_string(file, &party->address);
        }

        fprintf(file, ",\"classes\":[");

        do {
            end = stockcert_holders_class_end(holders, i, &shares);
            stockcert_holders_jsonl_class(file, holders, i, end, shares);
            i = end;

        } while (i < holders->n
                 && stockcert_holdings_party(holders->list[i]) == party
                 && putc(',', file) != EOF);

        fprintf(file, "]}\n");
    }

    stockcert_holders_jsonl_foot(file, holders);
}


static void
stockcert_holders_jsonl_class(FILE *file, const stockcert_holders_t *holders,
    size_t i, size_t end, uint64_t shares)
{
    size_t                  n;
    const char             *comma;
    stockcert_str_t         capacity;
    stockcert_holding_t    *holding;
    const stockcert_str_t  *code;

    code = &holders->list[i]->class->code;

    fprintf(file, "{\"class\":\"%.*s\",\"shares\":%" PRIu64
            ",\"certificates\":[", (int) code->len, code->data, shares);

    for (n = i; n < end; n++) {
        fprintf(file, "%s\"" STOCKCERT_ID "\"", n > i ? "," : "",
                STOCKCERT_ID_OF(*code, holders->list[n]->number));
    }

    putc(']', file);
    comma = ",\"capacities\":{";

    for (n = i; n < end; n++) {
        holding = holders->list[n];

        if (holding->capacity_len) {
            capacity.data = holding->capacity;
            capacity.len = holding->capacity_len;

            fprintf(file, "%s\"" STOCKCERT_ID "\":", comma,
                    STOCKCERT_ID_OF(*code, holding->number));
            stockcert_json_string(file, &capacity);
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
                class->certificates, stockcert_holders_count(holders, class));
    }

    stockcert_format_time(holders->last.time, time);
    stockcert_format_seal(holders->seal, seal);

    fprintf(file, "],\"entry\":%" PRIu64 ",\"time\":\"%s\",\"seal\":\"%s\"}\n",
            holders->last.position, time, seal);
}
