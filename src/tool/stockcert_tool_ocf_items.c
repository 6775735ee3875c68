
/*
 * What the entries of a journal are in the Open Cap Format: stakeholders, stock
 * classes, transactions.
 *
 * A certificate is a security.  OCF has no object that joins securities: what
 * surrenders several certificates is an object for each.
 *
 * It reads the ledger.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"
#include "stockcert_tool_ocf.h"


static const char *stockcert_ocf_object(const stockcert_entry_t *first);
static void stockcert_ocf_address(FILE *file, const stockcert_party_t *party,
    const stockcert_ocf_person_t *person);
static void stockcert_ocf_begin(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry, const stockcert_entry_t *says);
static void stockcert_ocf_comment(FILE *file, const char *what,
    const stockcert_str_t *str);
static void stockcert_ocf_text(FILE *file, const char *what,
    const stockcert_str_t *str);
static stockcert_rc_e stockcert_ocf_issued(FILE *file,
    stockcert_ocf_source_t *source, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_ocf_share_price(FILE *file,
    stockcert_ocf_source_t *source, const stockcert_entry_t *issued,
    uint64_t position, stockcert_error_t *error);
static void stockcert_ocf_monetary(FILE *file, const char *amount,
    size_t amount_len, const char *currency, size_t currency_len);
static void stockcert_ocf_amended(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry);
static stockcert_rc_e stockcert_ocf_surrendered(FILE *file,
    stockcert_ocf_source_t *source, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_ocf_group(stockcert_ocf_source_t *source,
    const stockcert_entry_t *first, stockcert_error_t *error);
static void stockcert_ocf_results(FILE *file,
    const stockcert_ocf_group_t *group);
static stockcert_rc_e stockcert_ocf_lost(const stockcert_entry_t *entry,
    stockcert_error_t *error);


/* at the first certificate of each */

stockcert_rc_e
stockcert_ocf_stakeholder(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_party_t             *party;
    stockcert_holding_t           *holding;
    const stockcert_ocf_person_t  *person;

    if (entry->kind != STOCKCERT_CERTIFICATE_ISSUED) {
        return STOCKCERT_OK;
    }

    holding = stockcert_holdings_find(source->holdings, &entry->code,
                                      entry->number);
    if (holding == NULL) {
        return stockcert_ocf_lost(entry, error);
    }

    party = stockcert_holdings_party(holding);

    if (party->started != holding->position) {
        return STOCKCERT_OK;
    }

    person = stockcert_ocf_person(&source->ocf->persons, party);

    fprintf(file, "%s{\"object_type\":\"STAKEHOLDER\",\"id\":\"holder-"
            STOCKCERT_ID "\",\"name\":{\"legal_name\":", source->separator,
            STOCKCERT_ID_OF(entry->code, entry->number));
    stockcert_json_string(file, &party->name);
    fprintf(file, "},\"stakeholder_type\":\"%s\"",
            person && person->type ? person->type : source->ocf->holders);

    if (party->id.len) {
        fprintf(file, ",\"issuer_assigned_id\":");
        stockcert_json_string(file, &party->id);
    }

    if (party->address.len) {
        stockcert_ocf_address(file, party, person);
    }

    putc('}', file);
    source->separator = ",\n";

    return STOCKCERT_OK;
}


/* OCF has none without a country, which only --holders-file knows */

static void
stockcert_ocf_address(FILE *file, const stockcert_party_t *party,
    const stockcert_ocf_person_t *person)
{
    if (person && person->country[0]) {
        fprintf(file, ",\"addresses\":[{\"address_type\":\"CONTACT\","
                "\"street_suite\":");
        stockcert_json_string(file, &party->address);
        fprintf(file, ",\"country\":\"%s\"}]", person->country);
        return;
    }

    fprintf(file, ",\"comments\":[");
    stockcert_ocf_text(file, "address", &party->address);
    putc(']', file);
}


stockcert_rc_e
stockcert_ocf_stock_class(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    const stockcert_ocf_class_t  *class;

    (void) error;

    if (entry->kind != STOCKCERT_CLASS_OPENED) {
        return STOCKCERT_OK;
    }

    class = stockcert_ocf_class(source->ocf, &entry->code);

    fprintf(file, "%s{\"object_type\":\"STOCK_CLASS\",\"id\":\"class-%.*s\","
            "\"name\":", source->separator, (int) entry->code.len,
            entry->code.data);
    stockcert_json_string(file, &entry->title);
    fprintf(file, ",\"class_type\":\"%.*s\",\"default_id_prefix\":"
            "\"%.*s-\",\"initial_shares_authorized\":\"%" PRIu64 "\","
            "\"votes_per_share\":\"%.*s\",\"seniority\":\"%.*s\"}",
            (int) class->type.len, class->type.data, (int) entry->code.len,
            entry->code.data, entry->shares, (int) class->votes.len,
            class->votes.data, (int) class->seniority.len,
            class->seniority.data);

    source->separator = ",\n";

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_ocf_transaction(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    switch (entry->kind) {

    case STOCKCERT_CERTIFICATE_ISSUED:
        return stockcert_ocf_issued(file, source, entry, error);

    case STOCKCERT_CLASS_AMENDED:
        stockcert_ocf_amended(file, source, entry);
        break;

    case STOCKCERT_CERTIFICATE_SURRENDERED:
        return stockcert_ocf_surrendered(file, source, entry, error);

    /* a stakeholder has its last address and id */

    case STOCKCERT_HOLDER_CHANGED:
    case STOCKCERT_CLASS_OPENED:
    case STOCKCERT_KIND_END:
        break;
    }

    return STOCKCERT_OK;
}


/*
 * id, date and comments. What is said once for a transaction is in its first
 * entry, says.
 */

static void
stockcert_ocf_begin(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry, const stockcert_entry_t *says)
{
    char  date[STOCKCERT_DATE_LEN + 1], seal[STOCKCERT_HEX_LEN + 1];

    stockcert_date(entry->time, date);
    stockcert_format_seal(entry->seal, seal);

    if (says->effective.len) {
        memcpy(date, says->effective.data, STOCKCERT_DATE_LEN);
    }

    fprintf(file, "%s{\"id\":\"entry-%" PRIu64 "\",\"date\":\"%s\",\"comments\":["
            "\"seal %s\"", source->separator, entry->position, date, seal);

    stockcert_ocf_comment(file, NULL, &says->reference);
    stockcert_ocf_comment(file, "capacity", &entry->capacity);
    stockcert_ocf_comment(file, "entered by", &says->actor);

    if (says->corrects) {
        fprintf(file, ",\"corrects entry-%" PRIu64 "\"", says->corrects);
    }

    putc(']', file);
    source->separator = ",\n";
}


static void
stockcert_ocf_comment(FILE *file, const char *what, const stockcert_str_t *str)
{
    if (str->len) {
        putc(',', file);
        stockcert_ocf_text(file, what, str);
    }
}


/* "lost: Affidavit of 2026-11-23"; what may be NULL */

static void
stockcert_ocf_text(FILE *file, const char *what, const stockcert_str_t *str)
{
    int              len;
    char             text[STOCKCERT_TEXT_MAX + 32];
    stockcert_str_t  both;

    if (what == NULL) {
        stockcert_json_string(file, str);
        return;
    }

    len = snprintf(text, sizeof(text), "%s: %.*s", what, (int) str->len,
                   str->data);

    both.data = text;
    both.len = (size_t) len;
    stockcert_json_string(file, &both);
}


static stockcert_rc_e
stockcert_ocf_issued(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_rc_e        rc;
    stockcert_party_t    *party;
    stockcert_holding_t  *holding;

    holding = stockcert_holdings_find(source->holdings, &entry->code,
                                      entry->number);
    if (holding == NULL) {
        return stockcert_ocf_lost(entry, error);
    }

    party = stockcert_holdings_party(holding);

    stockcert_ocf_begin(file, source, entry,
                        entry->member ? &source->group.first : entry);

    fprintf(file, ",\"object_type\":\"TX_STOCK_ISSUANCE\",\"security_id\":\""
            STOCKCERT_ID "\",\"custom_id\":\"" STOCKCERT_ID "\","
            "\"stakeholder_id\":\"holder-" STOCKCERT_ID "\","
            "\"stock_class_id\":\"class-%.*s\",\"quantity\":\"%" PRIu64
            "\",\"share_price\":",
            STOCKCERT_ID_OF(entry->code, entry->number),
            STOCKCERT_ID_OF(entry->code, entry->number),
            STOCKCERT_ID_OF(*party->code, party->number),
            (int) entry->code.len, entry->code.data, entry->shares);

    rc = stockcert_ocf_share_price(file, source, entry, holding->price, error);

    fprintf(file, ",\"stock_legend_ids\":[],\"security_law_exemptions\":[]}");

    return rc;
}


/* of the entry that says it, or else what was given for the class */

static stockcert_rc_e
stockcert_ocf_share_price(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *issued, uint64_t position,
    stockcert_error_t *error)
{
    size_t                        amount;
    stockcert_rc_e                rc;
    stockcert_entry_t             entry;
    const stockcert_ocf_class_t  *class;

    if (position == 0) {
        class = stockcert_ocf_class(source->ocf, &issued->code);
        stockcert_ocf_monetary(file, class->price.data, class->price.len,
                               class->currency.data, class->currency.len);
        return STOCKCERT_OK;
    }

    rc = stockcert_ledger_entry(source->ledger, position, &entry, error);

    if (rc == STOCKCERT_OK) {
        amount = entry.price.len - sizeof(" USD") + 1;
        stockcert_ocf_monetary(file, entry.price.data, amount,
                               entry.price.data + amount + 1,
                               sizeof("USD") - 1);
    }

    return rc;
}


static void
stockcert_ocf_monetary(FILE *file, const char *amount, size_t amount_len,
    const char *currency, size_t currency_len)
{
    fprintf(file, "{\"amount\":\"%.*s\",\"currency\":\"%.*s\"}",
            (int) amount_len, amount, (int) currency_len, currency);
}


static void
stockcert_ocf_amended(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry)
{
    stockcert_ocf_begin(file, source, entry, entry);

    fprintf(file, ",\"object_type\":"
            "\"TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT\","
            "\"stock_class_id\":\"class-%.*s\",\"new_shares_authorized\":"
            "\"%" PRIu64 "\"}", (int) entry->code.len, entry->code.data,
            entry->shares);
}


/* what a transaction is called there, of its first entry */

static const char *
stockcert_ocf_object(const stockcert_entry_t *first)
{
    static const char *const  objects[] = {
        [STOCKCERT_TRANSFER] = "TX_STOCK_TRANSFER",
        [STOCKCERT_REISSUE] = "TX_STOCK_REISSUANCE",
        [STOCKCERT_REPURCHASE] = "TX_STOCK_REPURCHASE",
        [STOCKCERT_CANCEL] = "TX_STOCK_CANCELLATION",
        [STOCKCERT_CORRECT] = "TX_STOCK_REISSUANCE"
    };

    _Static_assert(sizeof(objects) / sizeof(objects[0])
                   == STOCKCERT_TRANSACTION_END, "each type has an object");

    if (first->type == STOCKCERT_CORRECT && first->issues == 0) {
        return "TX_STOCK_RETRACTION";
    }

    return objects[first->type];
}


/*
 * The shares of a balance are taken from the last certificates, so that the
 * quantities add up to what was transferred, bought back or cancelled.
 */

static stockcert_rc_e
stockcert_ocf_surrendered(FILE *file, stockcert_ocf_source_t *source,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    uint64_t                  quantity;
    stockcert_rc_e            rc;
    stockcert_entry_t        *first;
    stockcert_ocf_group_t    *group;

    if (entry->member == 1) {
        rc = stockcert_ocf_group(source, entry, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    group = &source->group;
    first = &group->first;
    quantity = entry->shares < group->left ? entry->shares : group->left;
    group->left -= quantity;

    stockcert_ocf_begin(file, source, entry, first);

    fprintf(file, ",\"object_type\":\"%s\",\"security_id\":\"" STOCKCERT_ID "\"",
            stockcert_ocf_object(first),
            STOCKCERT_ID_OF(entry->code, entry->number));

    if (first->type == STOCKCERT_TRANSFER || first->type == STOCKCERT_REPURCHASE
        || first->type == STOCKCERT_CANCEL)
    {
        fprintf(file, ",\"quantity\":\"%" PRIu64 "\"", quantity);
    }

    if (first->type == STOCKCERT_REPURCHASE) {
        fprintf(file, ",\"price\":");
        rc = stockcert_ocf_share_price(file, source, entry, first->position,
                                       error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    if (group->to > group->from) {
        stockcert_ocf_results(file, group);
    }

    if (group->balance && entry->member == first->surrenders) {
        fprintf(file, ",\"balance_security_id\":\"" STOCKCERT_ID "\"",
                STOCKCERT_ID_OF(entry->code, group->balance));
    }

    if (first->type != STOCKCERT_TRANSFER
        && first->type != STOCKCERT_REPURCHASE)
    {
        fprintf(file, ",\"reason_text\":");
        stockcert_ocf_text(file, stockcert_reason(first->reason),
                           &first->reference);
    }

    putc('}', file);

    return STOCKCERT_OK;
}


/*
 * reads the transaction that begins; its new certificates have numbers in a row
 */

static stockcert_rc_e
stockcert_ocf_group(stockcert_ocf_source_t *source,
    const stockcert_entry_t *first, stockcert_error_t *error)
{
    uint64_t                n, members;
    stockcert_rc_e          rc;
    stockcert_entry_t       entry;
    stockcert_ocf_group_t  *group;

    group = &source->group;

    memset(group, 0, sizeof(stockcert_ocf_group_t));
    group->first = *first;

    members = first->surrenders + first->issues;

    for (n = 0; n < members; n++) {
        rc = stockcert_ledger_entry(source->ledger, first->position + n, &entry,
                                    error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        if (n < first->surrenders) {
            group->left += entry.shares;

        } else if (entry.balance) {
            group->balance = entry.number;
            group->left -= entry.shares;

        } else {
            group->from = group->from ? group->from : entry.number;
            group->to = entry.number + 1;
        }
    }

    return STOCKCERT_OK;
}


static void
stockcert_ocf_results(FILE *file, const stockcert_ocf_group_t *group)
{
    uint64_t  n;

    fprintf(file, ",\"resulting_security_ids\":[");

    for (n = group->from; n < group->to; n++) {
        fprintf(file, "%s\"" STOCKCERT_ID "\"", n > group->from ? "," : "",
                STOCKCERT_ID_OF(group->first.code, n));
    }

    putc(']', file);
}


static stockcert_rc_e
stockcert_ocf_lost(const stockcert_entry_t *entry, stockcert_error_t *error)
{
    snprintf(error->text, sizeof(error->text), "the certificate of entry %"
             PRIu64 " is lost", entry->position);

    return STOCKCERT_FAILED;
}
