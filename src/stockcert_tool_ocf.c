
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"
#include "stockcert_tool_ocf.h"
#include "stockcert_whole.h"


#define STOCKCERT_OCF_VERSION   "1.2.0"
#define STOCKCERT_OCF_DATE_LEN  (sizeof("2026-11-23") - 1)

#define STOCKCERT_OCF_CLASS                                                   \
    "CODE:COMMON|PREFERRED:VOTES:SENIORITY:PRICE:CURRENCY, such as "          \
    "CS:COMMON:1:1:0.0001:USD"


typedef struct {
    stockcert_ledger_t       *ledger;
    const stockcert_ocf_t    *ocf;
    const char               *directory;

    uint64_t                  last;            /* entry */
    size_t                    nclasses;
    stockcert_class_t         classes[STOCKCERT_CLASSES_MAX];
    stockcert_error_t         error;
} stockcert_ocf_export_t;


typedef stockcert_rc_e (*stockcert_ocf_write_pt)(
    stockcert_ocf_export_t *export, FILE *file);


static int stockcert_ocf_numeric(const stockcert_str_t *str);
static int stockcert_ocf_capitals(const char *text, size_t len, size_t expected);
static int stockcert_ocf_is(const stockcert_str_t *str, const char *text);
static const stockcert_ocf_class_t *stockcert_ocf_class(
    const stockcert_ocf_t *ocf, const stockcert_str_t *code);
static int stockcert_ocf_complete(stockcert_ocf_export_t *export);
static int stockcert_ocf_write(stockcert_ocf_export_t *export);
static int stockcert_ocf_file(stockcert_ocf_export_t *export, const char *name,
    stockcert_ocf_write_pt write);
static stockcert_rc_e stockcert_ocf_stakeholders(
    stockcert_ocf_export_t *export, FILE *file);
static stockcert_rc_e stockcert_ocf_classes(stockcert_ocf_export_t *export,
    FILE *file);
static stockcert_rc_e stockcert_ocf_transactions(
    stockcert_ocf_export_t *export, FILE *file);
static stockcert_rc_e stockcert_ocf_transaction(
    stockcert_ocf_export_t *export, FILE *file,
    const stockcert_entry_t *entry);
static stockcert_rc_e stockcert_ocf_manifest(stockcert_ocf_export_t *export,
    FILE *file);
static int stockcert_ocf_md5(stockcert_ocf_export_t *export, const char *name,
    char *text);


static const char *const  stockcert_ocf_names[] = {
    "Stakeholders.ocf.json",
    "StockClasses.ocf.json",
    "Transactions.ocf.json",
    "Manifest.ocf.json",
    NULL
};


int
stockcert_ocf_option(stockcert_ocf_t *ocf, int option, const char *value)
{
    size_t                  i;
    struct tm               tm;
    stockcert_str_t        *fields;
    stockcert_ocf_class_t  *class;

    switch (option) {

    case 'd':
        memset(&tm, 0, sizeof(struct tm));

        if (strlen(value) != STOCKCERT_OCF_DATE_LEN
            || sscanf(value, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon,
                      &tm.tm_mday)
               != 3
            || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1
            || tm.tm_mday > 31)
        {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--formed takes "
                                        "a date such as 2026-11-23, not "
                                        "\"%s\"", value);
        }

        ocf->formed = value;
        return STOCKCERT_EXIT_OK;

    case 'c':
        if (!stockcert_ocf_capitals(value, strlen(value), 2)) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--country takes "
                                        "a code such as US, not \"%s\"", value);
        }

        ocf->country = value;
        return STOCKCERT_EXIT_OK;

    case 'h':
        if (strcmp(value, "INDIVIDUAL") != 0
            && strcmp(value, "INSTITUTION") != 0)
        {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--holders takes "
                                        "INDIVIDUAL or INSTITUTION, not \"%s\"",
                                        value);
        }

        ocf->holders = value;
        return STOCKCERT_EXIT_OK;
    }

    if (ocf->nclasses == STOCKCERT_CLASSES_MAX) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "there are at most %d"
                                    " classes", STOCKCERT_CLASSES_MAX);
    }

    class = &ocf->classes[ocf->nclasses++];

    /* six strings, side by side */

    fields = &class->code;

    for (i = 0; i < 6; i++) {
        fields[i].data = value;
        fields[i].len = strcspn(value, ":");
        value += fields[i].len;

        if (i < 5 && *value) {
            value++;
        }
    }

    if (*value
        || (!stockcert_ocf_is(&class->type, "COMMON")
            && !stockcert_ocf_is(&class->type, "PREFERRED"))
        || !stockcert_ocf_numeric(&class->votes)
        || !stockcert_ocf_numeric(&class->seniority)
        || !stockcert_ocf_numeric(&class->price)
        || !stockcert_ocf_capitals(class->currency.data, class->currency.len,
                                   3))
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--class takes "
                                    STOCKCERT_OCF_CLASS ", not \"%s\"",
                                    class->code.data);
    }

    return STOCKCERT_EXIT_OK;
}


/* OCF's type Numeric: digits, and at most ten after a point */

static int
stockcert_ocf_numeric(const stockcert_str_t *str)
{
    size_t       whole, after;
    const char  *digits;

    digits = "0123456789";
    whole = strspn(str->data, digits);

    if (whole == 0 || whole >= str->len) {
        return whole && whole == str->len;
    }

    after = strspn(str->data + whole + 1, digits);

    return str->data[whole] == '.' && after >= 1 && after <= 10
           && whole + 1 + after == str->len;
}


static int
stockcert_ocf_capitals(const char *text, size_t len, size_t expected)
{
    return len == expected
           && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == expected;
}


static int
stockcert_ocf_is(const stockcert_str_t *str, const char *text)
{
    return str->len == strlen(text) && memcmp(str->data, text, str->len) == 0;
}


static const stockcert_ocf_class_t *
stockcert_ocf_class(const stockcert_ocf_t *ocf, const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < ocf->nclasses; i++) {
        if (ocf->classes[i].code.len == code->len
            && memcmp(ocf->classes[i].code.data, code->data, code->len) == 0)
        {
            return &ocf->classes[i];
        }
    }

    return NULL;
}


int
stockcert_ocf_export(stockcert_ledger_t *ledger, const stockcert_ocf_t *ocf,
    const char *path)
{
    int                            status;
    stockcert_rc_e                 rc;
    stockcert_whole_t              whole;
    stockcert_entry_t              last;
    static stockcert_ocf_export_t  export;

    export.ledger = ledger;
    export.ocf = ocf;

    rc = stockcert_ledger_classes(ledger, export.classes, &export.nclasses,
                                  &export.error);
    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_last(ledger, &last, &export.error);
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot read the ledger: %s",
                                    rc == STOCKCERT_NOT_FOUND
                                    ? "it has no entry" : export.error.text);
    }

    export.last = last.position;

    status = stockcert_ocf_complete(&export);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    if (stockcert_whole_directory(&whole, path, stockcert_ocf_names) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot export to "
                                    "%s, name a directory that is not there or "
                                    "empty: %s", path, strerror(errno));
    }

    export.directory = whole.made;
    status = stockcert_ocf_write(&export);

    if (status != STOCKCERT_EXIT_OK) {
        stockcert_whole_undo(&whole);
        return status;
    }

    if (stockcert_whole_finish(&whole) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot make %s: %s", path,
                                    strerror(errno));
    }

    return STOCKCERT_EXIT_OK;
}


/* all that is missing, at once */

static int
stockcert_ocf_complete(stockcert_ocf_export_t *export)
{
    char                    missing[STOCKCERT_CLASSES_MAX * 32];
    size_t                  i, len;
    const stockcert_str_t  *code;
    const stockcert_ocf_t  *ocf;

    ocf = export->ocf;

    len = (size_t) snprintf(missing, sizeof(missing), "%s%s%s",
                            ocf->formed ? "" : " --formed DATE",
                            ocf->country ? "" : " --country CODE",
                            ocf->holders ? ""
                                         : " --holders INDIVIDUAL|INSTITUTION");

    for (i = 0; i < export->nclasses; i++) {
        code = &export->classes[i].code;

        if (stockcert_ocf_class(ocf, code) == NULL) {
            len += (size_t) snprintf(missing + len, sizeof(missing) - len,
                                     " --class %.*s:...", (int) code->len,
                                     code->data);
        }
    }

    if (len == 0) {
        return STOCKCERT_EXIT_OK;
    }

    return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "OCF requires what the "
                                "ledger does not know, give%s (--class takes "
                                STOCKCERT_OCF_CLASS ")", missing);
}


/* the manifest last, as it has the digests of the others */

static int
stockcert_ocf_write(stockcert_ocf_export_t *export)
{
    size_t                               i;
    int                                  status;
    static const stockcert_ocf_write_pt  writes[] = {
        stockcert_ocf_stakeholders,
        stockcert_ocf_classes,
        stockcert_ocf_transactions,
        stockcert_ocf_manifest
    };

    for (i = 0; i < 4; i++) {
        status = stockcert_ocf_file(export, stockcert_ocf_names[i], writes[i]);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_ocf_file(stockcert_ocf_export_t *export, const char *name,
    stockcert_ocf_write_pt write)
{
    int             failed;
    char            path[PATH_MAX + NAME_MAX];
    FILE           *file;
    stockcert_rc_e  rc;

    snprintf(path, sizeof(path), "%s/%s", export->directory, name);

    file = fopen(path, "w");

    if (file == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot make %s: %s", path,
                                    strerror(errno));
    }

    rc = write(export, file);

    failed = (fflush(file) == EOF || ferror(file));
    failed |= (fclose(file) == EOF);

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "nothing is exported: %s",
                                    export->error.text);
    }

    if (failed) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot write %s, "
                                    "nothing is exported: %s", path,
                                    strerror(errno));
    }

    return STOCKCERT_EXIT_OK;
}


/*
 * The ledger knows names, not who has them: each certificate has a stakeholder
 * of its own.
 */

static stockcert_rc_e
stockcert_ocf_stakeholders(stockcert_ocf_export_t *export, FILE *file)
{
    uint64_t            n;
    const char         *comma;
    stockcert_rc_e      rc;
    stockcert_entry_t   entry;

    comma = "";

    fprintf(file, "{\"file_type\":\"OCF_STAKEHOLDERS_FILE\",\"items\":[");

    for (n = 1; n <= export->last; n++) {
        rc = stockcert_ledger_entry(export->ledger, n, &entry, &export->error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        if (entry.kind != STOCKCERT_CERTIFICATE_ISSUED) {
            continue;
        }

        fprintf(file, "%s\n{\"object_type\":\"STAKEHOLDER\",\"id\":\"holder-"
                "%.*s-%" PRIu64 "\",\"name\":{\"legal_name\":", comma,
                (int) entry.code.len, entry.code.data, entry.number);
        stockcert_json_string(file, &entry.text);
        fprintf(file, "},\"stakeholder_type\":\"%s\"}", export->ocf->holders);

        comma = ",";

        stockcert_tool_progress("export", "stakeholders", n, export->last);
    }

    fprintf(file, "]}\n");

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ocf_classes(stockcert_ocf_export_t *export, FILE *file)
{
    uint64_t                      n;
    const char                   *comma;
    stockcert_rc_e                rc;
    stockcert_entry_t             entry;
    const stockcert_ocf_class_t  *class;

    comma = "";

    fprintf(file, "{\"file_type\":\"OCF_STOCK_CLASSES_FILE\",\"items\":[");

    for (n = 1; n <= export->last; n++) {
        rc = stockcert_ledger_entry(export->ledger, n, &entry, &export->error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        if (entry.kind != STOCKCERT_CLASS_OPENED) {
            continue;
        }

        class = stockcert_ocf_class(export->ocf, &entry.code);

        fprintf(file, "%s\n{\"object_type\":\"STOCK_CLASS\",\"id\":\"class-"
                "%.*s\",\"name\":", comma, (int) entry.code.len,
                entry.code.data);
        stockcert_json_string(file, &entry.text);
        fprintf(file, ",\"class_type\":\"%.*s\",\"default_id_prefix\":"
                "\"%.*s-\",\"initial_shares_authorized\":\"%" PRIu64 "\","
                "\"votes_per_share\":\"%.*s\",\"seniority\":\"%.*s\"}",
                (int) class->type.len, class->type.data, (int) entry.code.len,
                entry.code.data, entry.shares, (int) class->votes.len,
                class->votes.data, (int) class->seniority.len,
                class->seniority.data);

        comma = ",";
    }

    fprintf(file, "]}\n");

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ocf_transactions(stockcert_ocf_export_t *export, FILE *file)
{
    uint64_t            n;
    const char         *comma;
    stockcert_rc_e      rc;
    stockcert_entry_t   entry;

    comma = "";

    fprintf(file, "{\"file_type\":\"OCF_TRANSACTIONS_FILE\",\"items\":[");

    for (n = 1; n <= export->last; n++) {
        rc = stockcert_ledger_entry(export->ledger, n, &entry, &export->error);

        if (rc == STOCKCERT_OK && entry.kind != STOCKCERT_CLASS_OPENED) {
            fprintf(file, "%s\n", comma);
            rc = stockcert_ocf_transaction(export, file, &entry);
            comma = ",";
        }

        if (rc != STOCKCERT_OK) {
            return rc;
        }

        stockcert_tool_progress("export", "transactions", n, export->last);
    }

    fprintf(file, "]}\n");

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ocf_transaction(stockcert_ocf_export_t *export, FILE *file,
    const stockcert_entry_t *entry)
{
    int                           len;
    char                          time[STOCKCERT_TIME_LEN + 1];
    char                          seal[STOCKCERT_HEX_LEN + 1];
    stockcert_rc_e                rc;
    stockcert_entry_t             issued;
    const stockcert_ocf_class_t  *class;

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, seal);

    time[STOCKCERT_OCF_DATE_LEN] = '\0';
    len = (int) entry->code.len;

    fprintf(file, "{\"id\":\"entry-%" PRIu64 "\",\"date\":\"%s\",\"comments\":["
            "\"seal %s\"", entry->position, time, seal);

    switch (entry->kind) {

    case STOCKCERT_CERTIFICATE_ISSUED:
        class = stockcert_ocf_class(export->ocf, &entry->code);

        fprintf(file, "],\"object_type\":\"TX_STOCK_ISSUANCE\",\"security_id\":"
                "\"%.*s-%" PRIu64 "\",\"custom_id\":\"%.*s-%" PRIu64 "\","
                "\"stakeholder_id\":\"holder-%.*s-%" PRIu64 "\","
                "\"stock_class_id\":\"class-%.*s\",\"quantity\":\"%" PRIu64
                "\",\"share_price\":{\"amount\":\"%.*s\",\"currency\":\"%.*s\"}"
                ",\"stock_legend_ids\":[],\"security_law_exemptions\":[]}", len,
                entry->code.data, entry->number, len, entry->code.data,
                entry->number, len, entry->code.data, entry->number, len,
                entry->code.data, entry->shares, (int) class->price.len,
                class->price.data, (int) class->currency.len,
                class->currency.data);
        break;

    case STOCKCERT_CLASS_AMENDED:
        putc(',', file);
        stockcert_json_string(file, &entry->text);
        fprintf(file, "],\"object_type\":"
                "\"TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT\","
                "\"stock_class_id\":\"class-%.*s\",\"new_shares_authorized\":"
                "\"%" PRIu64 "\"}", len, entry->code.data, entry->shares);
        break;

    default: /* STOCKCERT_CERTIFICATE_CANCELLED */
        rc = stockcert_ledger_certificate(export->ledger, entry->code.data,
                                          entry->code.len, entry->number,
                                          &issued, NULL, &export->error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        fprintf(file, "],\"object_type\":\"TX_STOCK_CANCELLATION\","
                "\"security_id\":\"%.*s-%" PRIu64 "\",\"quantity\":\"%" PRIu64
                "\",\"reason_text\":", len, entry->code.data, entry->number,
                issued.shares);
        stockcert_json_string(file, &entry->text);
        putc('}', file);
        break;
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ocf_manifest(stockcert_ocf_export_t *export, FILE *file)
{
    size_t             i;
    char               now[STOCKCERT_TIME_LEN + 1], md5[33];
    struct timespec    ts;
    stockcert_str_t    company;
    static const char *fields[] = { "stakeholders_files",
                                    "stock_classes_files",
                                    "transactions_files" };

    clock_gettime(CLOCK_REALTIME, &ts);
    stockcert_format_time((uint64_t) ts.tv_sec * 1000000, now);

    company = stockcert_ledger_company(export->ledger);

    fprintf(file, "{\"file_type\":\"OCF_MANIFEST_FILE\",\"ocf_version\":\""
            STOCKCERT_OCF_VERSION "\",\"as_of\":\"%.*s\",\"generated_at\":"
            "\"%s\",\n\"issuer\":{\"object_type\":\"ISSUER\",\"id\":\"issuer\","
            "\"legal_name\":", (int) STOCKCERT_OCF_DATE_LEN, now, now);
    stockcert_json_string(file, &company);
    fprintf(file, ",\"formation_date\":\"%s\",\"country_of_formation\":\"%s\"}",
            export->ocf->formed, export->ocf->country);

    for (i = 0; i < 3; i++) {

        if (stockcert_ocf_md5(export, stockcert_ocf_names[i], md5) != 0) {
            snprintf(export->error.text, sizeof(export->error.text),
                     "cannot read %s again", stockcert_ocf_names[i]);
            return STOCKCERT_FAILED;
        }

        fprintf(file, ",\n\"%s\":[{\"filepath\":\"%s\",\"md5\":\"%s\"}]",
                fields[i], stockcert_ocf_names[i], md5);
    }

    fprintf(file, ",\n\"stock_plans_files\":[],\"stock_legend_templates_files\""
            ":[],\"vesting_terms_files\":[],\"valuations_files\":[]}\n");

    return STOCKCERT_OK;
}


static int
stockcert_ocf_md5(stockcert_ocf_export_t *export, const char *name, char *text)
{
    int          rc;
    char         path[PATH_MAX + NAME_MAX];
    FILE        *file;
    size_t       n, i;
    uint8_t      bytes[4096], digest[16];
    EVP_MD_CTX  *ctx;

    snprintf(path, sizeof(path), "%s/%s", export->directory, name);

    file = fopen(path, "r");
    if (file == NULL) {
        return -1;
    }

    ctx = EVP_MD_CTX_new();
    rc = ctx ? EVP_DigestInit_ex(ctx, EVP_md5(), NULL) : 0;

    do {
        n = fread(bytes, 1, sizeof(bytes), file);

        if (rc == 1) {
            rc = EVP_DigestUpdate(ctx, bytes, n);
        }

    } while (n > 0);

    if (ferror(file)) {
        rc = 0;
    }

    if (rc == 1) {
        rc = EVP_DigestFinal_ex(ctx, digest, NULL);
    }

    EVP_MD_CTX_free(ctx);
    (void) fclose(file);

    for (i = 0; i < sizeof(digest) && rc == 1; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }

    return rc == 1 ? 0 : -1;
}
