
/*
 * The objects that the files of the Open Cap Format have, one for an entry.
 *
 * It reads the ledger's snapshot.
 */


#include <inttypes.h>
#include <stdio.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"
#include "stockcert_tool_ocf.h"


static void stockcert_ocf_issuance(FILE *file, const stockcert_ocf_t *ocf,
    const stockcert_entry_t *entry);


/*
 * The ledger knows names, not persons. So each certificate has a stakeholder
 * of its own.
 */

stockcert_rc_e
stockcert_ocf_stakeholder(FILE *file, const stockcert_ocf_t *ocf,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    (void) ledger;
    (void) error;

    fprintf(file, "{\"object_type\":\"STAKEHOLDER\",\"id\":\"holder-"
            STOCKCERT_ID "\",\"name\":{\"legal_name\":",
            STOCKCERT_ID_OF(entry->code, entry->number));
    stockcert_json_string(file, &entry->text);
    fprintf(file, "},\"stakeholder_type\":\"%s\"}", ocf->holders);

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_ocf_stock_class(FILE *file, const stockcert_ocf_t *ocf,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    const stockcert_ocf_class_t  *class;

    (void) ledger;
    (void) error;

    class = stockcert_ocf_class(ocf, &entry->code);

    fprintf(file, "{\"object_type\":\"STOCK_CLASS\",\"id\":\"class-%.*s\","
            "\"name\":", (int) entry->code.len, entry->code.data);
    stockcert_json_string(file, &entry->text);
    fprintf(file, ",\"class_type\":\"%.*s\",\"default_id_prefix\":"
            "\"%.*s-\",\"initial_shares_authorized\":\"%" PRIu64 "\","
            "\"votes_per_share\":\"%.*s\",\"seniority\":\"%.*s\"}",
            (int) class->type.len, class->type.data, (int) entry->code.len,
            entry->code.data, entry->shares, (int) class->votes.len,
            class->votes.data, (int) class->seniority.len,
            class->seniority.data);

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_ocf_transaction(FILE *file, const stockcert_ocf_t *ocf,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int                           len;
    char                          time[STOCKCERT_TIME_LEN + 1];
    char                          seal[STOCKCERT_HEX_LEN + 1];
    stockcert_rc_e                rc;
    stockcert_entry_t             issued;

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, seal);

    time[STOCKCERT_OCF_DATE_LEN] = '\0';
    len = (int) entry->code.len;

    fprintf(file, "{\"id\":\"entry-%" PRIu64 "\",\"date\":\"%s\",\"comments\":["
            "\"seal %s\"", entry->position, time, seal);

    switch (entry->kind) {

    case STOCKCERT_CERTIFICATE_ISSUED:
        stockcert_ocf_issuance(file, ocf, entry);
        break;

    case STOCKCERT_CLASS_AMENDED:
        putc(',', file);
        stockcert_json_string(file, &entry->text);
        fprintf(file, "],\"object_type\":"
                "\"TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT\","
                "\"stock_class_id\":\"class-%.*s\",\"new_shares_authorized\":"
                "\"%" PRIu64 "\"}", len, entry->code.data, entry->shares);
        break;

    case STOCKCERT_CERTIFICATE_CANCELLED:
        rc = stockcert_ledger_certificate(ledger, entry->code.data,
                                          entry->code.len, entry->number,
                                          &issued, NULL, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        fprintf(file, "],\"object_type\":\"TX_STOCK_CANCELLATION\","
                "\"security_id\":\"" STOCKCERT_ID "\",\"quantity\":\"%"
                PRIu64 "\",\"reason_text\":",
                STOCKCERT_ID_OF(entry->code, entry->number), issued.shares);
        stockcert_json_string(file, &entry->text);
        putc('}', file);
        break;

    case STOCKCERT_CLASS_OPENED:
    case STOCKCERT_KIND_END:

        snprintf(error->text, sizeof(error->text), "entry %"
                 PRIu64 " is no transaction", entry->position);
        return STOCKCERT_FAILED;
    }

    return STOCKCERT_OK;
}


/* the end of an object that stockcert_ocf_transaction() began */

static void
stockcert_ocf_issuance(FILE *file, const stockcert_ocf_t *ocf,
    const stockcert_entry_t *entry)
{
    const stockcert_ocf_class_t  *class;

    class = stockcert_ocf_class(ocf, &entry->code);

    fprintf(file, "],\"object_type\":\"TX_STOCK_ISSUANCE\",\"security_id\":"
            "\"" STOCKCERT_ID "\",\"custom_id\":\"" STOCKCERT_ID "\","
            "\"stakeholder_id\":\"holder-" STOCKCERT_ID "\","
            "\"stock_class_id\":\"class-%.*s\",\"quantity\":\"%" PRIu64
            "\",\"share_price\":{\"amount\":\"%.*s\",\"currency\":\"%.*s\"}"
            ",\"stock_legend_ids\":[],\"security_law_exemptions\":[]}",
            STOCKCERT_ID_OF(entry->code, entry->number),
            STOCKCERT_ID_OF(entry->code, entry->number),
            STOCKCERT_ID_OF(entry->code, entry->number), (int) entry->code.len,
            entry->code.data, entry->shares, (int) class->price.len,
            class->price.data, (int) class->currency.len,
            class->currency.data);
}
