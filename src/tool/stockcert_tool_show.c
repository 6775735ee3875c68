
/*
 * "stockcert show": one certificate, as text or as JSON.
 *
 * It reads the ledger.
 */


#include <inttypes.h>
#include <stdio.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"


static int stockcert_tool_show(int argc, char **argv);
static int stockcert_tool_show_certificate(stockcert_ledger_t *ledger,
    int json, const stockcert_str_t *code, uint64_t number,
    stockcert_error_t *error);
static void stockcert_tool_show_text(const stockcert_str_t *company,
    const stockcert_class_t *class, const stockcert_entry_t *entry,
    const stockcert_entry_t *cancelled);
static void stockcert_tool_show_json(const stockcert_str_t *company,
    const stockcert_entry_t *entry, const stockcert_entry_t *cancelled);


const stockcert_command_t  stockcert_command_show = {
    "show", stockcert_tool_show, "LEDGER CERTIFICATE [--json]",
    "Shows a certificate, such as CS-17; with --json as the API has it. Exits with "
    "1 if it was never issued.\n"
};


static int
stockcert_tool_show(int argc, char **argv)
{
    int                  json, status;
    uint64_t             number;
    stockcert_str_t      code;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    json = stockcert_tool_json(argc, argv, 2);
    if (json == -1) {
        return stockcert_tool_usage(&stockcert_command_show);
    }

    status = stockcert_tool_certificate(argv[2], &code, &number);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_open(argv[1], STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_show_certificate(ledger, json, &code, number,
                                             &error);

    stockcert_ledger_close(ledger);

    return status == STOCKCERT_EXIT_OK ? stockcert_tool_flush() : status;
}


static int
stockcert_tool_show_certificate(stockcert_ledger_t *ledger,
    int json, const stockcert_str_t *code, uint64_t number,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_str_t    company;
    stockcert_class_t  class;
    stockcert_entry_t  entry, cancelled;

    rc = stockcert_ledger_class(ledger, code->data, code->len, &class, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has no "
                                    "class %.*s", (int) code->len, code->data);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_certificate(ledger, code->data, code->len, number,
                                          &entry, &cancelled, error);
    }

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO,
                                    STOCKCERT_ID " was never issued",
                                    STOCKCERT_ID_OF(*code, number));
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(error);
    }

    company = stockcert_ledger_company(ledger);

    if (json) {
        stockcert_tool_show_json(&company, &entry, &cancelled);

    } else {
        stockcert_tool_show_text(&company, &class, &entry, &cancelled);
    }

    return STOCKCERT_EXIT_OK;
}


static void
stockcert_tool_show_text(const stockcert_str_t *company,
    const stockcert_class_t *class, const stockcert_entry_t *entry,
    const stockcert_entry_t *cancelled)
{
    char                    time[STOCKCERT_TIME_LEN + 1];
    char                    seal[STOCKCERT_HEX_LEN + 1];
    const stockcert_str_t  *code;

    code = &entry->code;

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, seal);

    printf("certificate  " STOCKCERT_ID "\n",
           STOCKCERT_ID_OF(*code, entry->number));
    stockcert_tool_line(stdout, "company      %.*s", (int) company->len,
                        company->data);
    stockcert_tool_line(stdout, "holder       %.*s", (int) entry->text.len,
                        entry->text.data);
    stockcert_tool_line(stdout, "shares       %" PRIu64 " of class %.*s, %.*s",
                        entry->shares, (int) code->len, code->data,
                        (int) class->title.len, class->title.data);
    printf("issued       %s\n", time);
    printf("entry        %" PRIu64 "\n", entry->position);
    printf("seal         %s\n", seal);

    if (cancelled->position) {
        stockcert_format_time(cancelled->time, time);

        stockcert_tool_line(stdout, "cancelled    %s, by entry %" PRIu64
                            ": %.*s", time, cancelled->position,
                            (int) cancelled->text.len, cancelled->text.data);
    }
}


/* the same members as in the API */

static void
stockcert_tool_show_json(const stockcert_str_t *company,
    const stockcert_entry_t *entry, const stockcert_entry_t *cancelled)
{
    char  time[STOCKCERT_TIME_LEN + 1], seal[STOCKCERT_HEX_LEN + 1];

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, seal);

    printf("{\"cert_id\":\"" STOCKCERT_ID "\",\"stakeholder\":",
           STOCKCERT_ID_OF(entry->code, entry->number));
    stockcert_json_string(stdout, &entry->text);
    printf(",\"company\":");
    stockcert_json_string(stdout, company);
    printf(",\"amount\":%" PRIu64 ",\"class\":\"%.*s\",\"number\":%" PRIu64
           ",\"issued_at\":\"%s\",\"entry\":%" PRIu64 ",\"seal\":\"%s\"",
           entry->shares, (int) entry->code.len, entry->code.data,
           entry->number, time, entry->position, seal);

    if (cancelled->position) {
        stockcert_format_time(cancelled->time, time);

        printf(",\"status\":\"cancelled\",\"cancelled_at\":\"%s\",\"reason\":",
               time);
        stockcert_json_string(stdout, &cancelled->text);
    }

    printf("}\n");
}
