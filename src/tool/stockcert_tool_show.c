
/*
 * "stockcert show": one certificate, with its life, as text or as
 * JSON.
 *
 * It reads the ledger.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"


static int stockcert_tool_show(int argc, char **argv);
static int stockcert_tool_show_certificate(stockcert_ledger_t *ledger,
    int json, const stockcert_str_t *code, uint64_t number,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_show_text(stockcert_ledger_t *ledger,
    const stockcert_class_t *class,
    const stockcert_certificate_t *certificate, stockcert_error_t *error);
static void stockcert_tool_show_more(const stockcert_entry_t *entry);
static stockcert_rc_e stockcert_tool_show_surrender(stockcert_ledger_t *ledger,
    const stockcert_surrender_t *surrender, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_show_origin(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_show_json(stockcert_ledger_t *ledger,
    const stockcert_certificate_t *certificate, stockcert_error_t *error);
static void stockcert_tool_show_json_status(
    const stockcert_surrender_t *surrender);
static stockcert_rc_e stockcert_tool_show_json_life(stockcert_ledger_t *ledger,
    const stockcert_certificate_t *certificate, stockcert_error_t *error);


const stockcert_command_t  stockcert_command_show = {
    "show", stockcert_tool_show, "LEDGER CERTIFICATE [--json]",
    "Shows a certificate, such as CS-17, what it came from, and what came of it;\n"
    "with --json as the API has it. Exits with 1 if it was never issued.\n"
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
    stockcert_rc_e           rc;
    stockcert_class_t        class;
    stockcert_certificate_t  certificate;

    rc = stockcert_ledger_class(ledger, code->data, code->len, &class, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "the ledger has no "
                                    "class %.*s", (int) code->len, code->data);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_certificate(ledger, code->data, code->len, number,
                                          &certificate, error);
    }

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO,
                                    STOCKCERT_ID " was never issued",
                                    STOCKCERT_ID_OF(*code, number));
    }

    if (rc == STOCKCERT_OK) {
        rc = json ? stockcert_tool_show_json(ledger, &certificate, error)
                  : stockcert_tool_show_text(ledger, &class, &certificate,
                                             error);
    }

    return rc == STOCKCERT_OK ? STOCKCERT_EXIT_OK
                              : stockcert_tool_not_read(error);
}


static stockcert_rc_e
stockcert_tool_show_text(stockcert_ledger_t *ledger,
    const stockcert_class_t *class,
    const stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    char                      time[STOCKCERT_TIME_LEN + 1];
    char                      seal[STOCKCERT_HEX_LEN + 1];
    stockcert_rc_e            rc;
    stockcert_str_t           company;
    const stockcert_str_t    *code;
    const stockcert_entry_t  *entry;

    entry = &certificate->issued;
    code = &entry->code;
    company = stockcert_ledger_company(ledger);

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, seal);

    printf("certificate  " STOCKCERT_ID "\n",
           STOCKCERT_ID_OF(*code, entry->number));
    stockcert_tool_line(stdout, "company      %.*s", (int) company.len,
                        company.data);
    stockcert_tool_line(stdout, "holder       %.*s", (int) entry->name.len,
                        entry->name.data);
    stockcert_tool_line(stdout, "shares       %" PRIu64 " of class %.*s, %.*s",
                        entry->shares, (int) code->len, code->data,
                        (int) class->title.len, class->title.data);
    printf("issued       %s\n", time);
    printf("entry        %" PRIu64 "\n", entry->position);
    printf("seal         %s\n", seal);

    stockcert_tool_show_more(entry);

    rc = stockcert_tool_show_surrender(ledger, &certificate->surrender, error);

    return rc == STOCKCERT_OK && entry->member
           ? stockcert_tool_show_origin(ledger, entry, error) : rc;
}


/* what an issuance says besides, as in the API, and who asked for it */

static void
stockcert_tool_show_more(const stockcert_entry_t *entry)
{
    unsigned                  tag;
    const stockcert_str_t    *value;
    const stockcert_field_t  *field;

    for (tag = STOCKCERT_FIELD_HOLDER_ID; tag <= STOCKCERT_FIELD_ACTOR; tag++) {
        field = stockcert_field(tag);
        value = stockcert_entry_string((stockcert_entry_t *) entry, field);

        if (value->len) {
            stockcert_tool_line(stdout, "%-12s %.*s", field->name,
                                (int) value->len, value->data);
        }
    }
}


static stockcert_rc_e
stockcert_tool_show_surrender(stockcert_ledger_t *ledger,
    const stockcert_surrender_t *surrender, stockcert_error_t *error)
{
    char                            time[STOCKCERT_TIME_LEN + 1], *ids;
    stockcert_rc_e                  rc;
    const stockcert_transaction_t  *type;

    if (surrender->position == 0) {
        printf("status       %s\n", stockcert_status(surrender));
        return STOCKCERT_OK;
    }

    stockcert_format_time(surrender->time, time);
    type = stockcert_transaction(surrender->type);

    stockcert_tool_line(stdout, "status       %s %s, by transaction %" PRIu64
                        ", %s: %.*s", stockcert_status(surrender), time,
                        surrender->transaction, type ? type->name : "?",
                        (int) surrender->reference.len,
                        surrender->reference.data);

    if (surrender->issues == 0) {
        return STOCKCERT_OK;
    }

    rc = stockcert_tool_ids(ledger, surrender->transaction
                                    + surrender->surrenders,
                            surrender->issues, 0, &ids, error);
    if (rc == STOCKCERT_OK) {
        stockcert_tool_line(stdout, "became       %s", ids);
        free(ids);
    }

    return rc;
}


static stockcert_rc_e
stockcert_tool_show_origin(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    char                           *ids;
    stockcert_rc_e                  rc;
    stockcert_entry_t               first;
    const stockcert_transaction_t  *type;

    rc = stockcert_tool_first(ledger, entry, &first, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_tool_ids(ledger, first.position, first.surrenders, 0,
                                &ids, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    type = stockcert_transaction(first.type);

    stockcert_tool_line(stdout, "came from    %s, by transaction %" PRIu64
                        ", %s: %.*s", ids, first.position,
                        type ? type->name : "?", (int) first.reference.len,
                        first.reference.data);
    free(ids);

    return STOCKCERT_OK;
}


/* the same members as in the API */

static stockcert_rc_e
stockcert_tool_show_json(stockcert_ledger_t *ledger,
    const stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    char                      time[STOCKCERT_TIME_LEN + 1];
    char                      seal[STOCKCERT_HEX_LEN + 1];
    unsigned                  tag;
    stockcert_rc_e            rc;
    stockcert_str_t           text;
    const stockcert_entry_t  *entry;
    const stockcert_field_t  *field;

    entry = &certificate->issued;

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, seal);

    printf("{\"cert_id\":\"" STOCKCERT_ID "\",\"stakeholder\":",
           STOCKCERT_ID_OF(entry->code, entry->number));
    stockcert_json_string(stdout, &entry->name);
    printf(",\"company\":");
    text = stockcert_ledger_company(ledger);
    stockcert_json_string(stdout, &text);
    printf(",\"amount\":%" PRIu64 ",\"class\":\"%.*s\",\"number\":%" PRIu64
           ",\"issued_at\":\"%s\",\"entry\":%" PRIu64 ",\"seal\":\"%s\"",
           entry->shares, (int) entry->code.len, entry->code.data,
           entry->number, time, entry->position, seal);

    for (tag = STOCKCERT_FIELD_HOLDER_ID; tag <= STOCKCERT_FIELD_REFERENCE;
         tag++)
    {
        field = stockcert_field(tag);
        text = *stockcert_entry_string((stockcert_entry_t *) entry, field);

        if (text.len) {
            printf(",\"%s\":", field->name);
            stockcert_json_string(stdout, &text);
        }
    }

    stockcert_tool_show_json_status(&certificate->surrender);

    rc = stockcert_tool_show_json_life(ledger, certificate, error);

    printf("}\n");

    return rc;
}


static void
stockcert_tool_show_json_status(const stockcert_surrender_t *surrender)
{
    char  time[STOCKCERT_TIME_LEN + 1];

    printf(",\"status\":\"%s\"", stockcert_status(surrender));

    if (surrender->position == 0) {
        return;
    }

    stockcert_format_time(surrender->time, time);

    printf(",\"surrendered_at\":\"%s\",\"transaction\":%" PRIu64, time,
           surrender->transaction);

    if (surrender->type == STOCKCERT_CANCEL) {
        printf(",\"cancelled_at\":\"%s\",\"reason\":", time);
        stockcert_json_string(stdout, &surrender->reference);
    }
}


static stockcert_rc_e
stockcert_tool_show_json_life(stockcert_ledger_t *ledger,
    const stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    char                         *ids;
    stockcert_rc_e                rc;
    stockcert_entry_t             first;
    const stockcert_surrender_t  *surrender;

    surrender = &certificate->surrender;

    if (surrender->issues) {

        rc = stockcert_tool_ids(ledger, surrender->transaction
                                        + surrender->surrenders,
                                surrender->issues, 1, &ids, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        printf(",\"became\":[%s]", ids);
        free(ids);
    }

    if (certificate->issued.member == 0) {
        return STOCKCERT_OK;
    }

    rc = stockcert_tool_first(ledger, &certificate->issued, &first, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_tool_ids(ledger, first.position, first.surrenders, 1,
                                &ids, error);
    }

    if (rc == STOCKCERT_OK) {
        printf(",\"came_from\":{\"transaction\":%" PRIu64
               ",\"certificates\":[%s]}", first.position, ids);
        free(ids);
    }

    return rc;
}
