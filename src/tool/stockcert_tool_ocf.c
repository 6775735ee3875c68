
/*
 * Writes the files of the Open Cap Format.
 *
 * It reads the ledger, and writes only into the new directory.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"
#include "stockcert_tool_ocf.h"


#define STOCKCERT_OCF_VERSION  "1.2.0"
#define STOCKCERT_OCF_FILES    3      /* files with items; the manifest comes
                                         on top */


typedef struct {
    stockcert_ocf_source_t    source;
    uint64_t                  last;            /* entry */
    int                      *fds;             /* of the files, to be written */
    EVP_MD_CTX               *md5;             /* of the one that is */
    char                      digests[STOCKCERT_OCF_FILES + 1][33];
    stockcert_error_t         error;
} stockcert_ocf_export_t;


/* a file of items: write() writes those of an entry, if it has any here */

typedef struct {
    const char        *type;
    const char        *field;          /* of the manifest */
    const char        *items;
    stockcert_rc_e   (*write)(FILE *file, stockcert_ocf_source_t *source,
                              const stockcert_entry_t *entry,
                              stockcert_error_t *error);
} stockcert_ocf_file_t;


static int stockcert_ocf_make(stockcert_whole_t *whole, int *fds);
static int stockcert_ocf_read(stockcert_apart_t *apart, void *data);
static int stockcert_ocf_replay(stockcert_ocf_export_t *export);
static int stockcert_ocf_write(stockcert_ocf_export_t *export);
static int stockcert_ocf_file(stockcert_ocf_export_t *export, size_t i);
static stockcert_rc_e stockcert_ocf_items(stockcert_ocf_export_t *export,
    FILE *file, const stockcert_ocf_file_t *of);
static stockcert_rc_e stockcert_ocf_manifest(stockcert_ocf_export_t *export,
    FILE *file);
static ssize_t stockcert_ocf_digest(void *data, const char *bytes, size_t len);


/* the manifest comes last, as it has the digests of the others */

static const char *const  stockcert_ocf_names[] = {
    "Stakeholders.ocf.json",
    "StockClasses.ocf.json",
    "Transactions.ocf.json",
    "Manifest.ocf.json",
    NULL
};


static const stockcert_ocf_file_t  stockcert_ocf_files[] = {
    { "OCF_STAKEHOLDERS_FILE", "stakeholders_files", "stakeholders",
      stockcert_ocf_stakeholder },
    { "OCF_STOCK_CLASSES_FILE", "stock_classes_files", "stock classes",
      stockcert_ocf_stock_class },
    { "OCF_TRANSACTIONS_FILE", "transactions_files", "transactions",
      stockcert_ocf_transaction }
};


int
stockcert_ocf_export(const char *ledger, const stockcert_ocf_t *ocf,
    const char *path)
{
    int                            status, made, i;
    int                            fds[STOCKCERT_OCF_FILES + 1];
    stockcert_apart_t              apart;
    stockcert_whole_t              whole;
    static stockcert_ocf_export_t  export;

    status = stockcert_whole_directory(&whole, path, stockcert_ocf_names);
    if (status == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot export to "
                                    "%s, name a directory that is not there or "
                                    "empty: %s", path, whole.fault);
    }

    memset(&apart, 0, sizeof(stockcert_apart_t));
    apart.path = ledger;
    apart.fds = fds;
    apart.n = STOCKCERT_OCF_FILES + 1;
    apart.run = stockcert_ocf_read;
    apart.data = &export;

    export.source.ocf = ocf;
    export.fds = fds;

    made = stockcert_ocf_make(&whole, fds);

    if (made == STOCKCERT_OCF_FILES + 1) {
        status = stockcert_tool_apart(&apart);

    } else {
        apart.error = errno;
        status = STOCKCERT_EXIT_FAILED;
    }

    for (i = 0; i < made; i++) {
        (void) close(fds[i]);          /* an error shows in fsync() */
    }

    if (apart.error) {
        (void) stockcert_tool_error(status, "cannot write %s, nothing is "
                                    "exported: %s", path,
                                    strerror(apart.error));
    }

    return stockcert_tool_finish(&whole, status);
}


/* returns the number of items */

static int
stockcert_ocf_make(stockcert_whole_t *whole, int *fds)
{
    int  i;

    for (i = 0; stockcert_ocf_names[i]; i++) {
        fds[i] = openat(whole->fd, stockcert_ocf_names[i],
                        O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

        if (fds[i] == -1) {
            break;
        }
    }

    return i;
}


/* runs as the ledger's owner */

static int
stockcert_ocf_read(stockcert_apart_t *apart, void *data)
{
    int                      status;
    size_t                   n;
    stockcert_rc_e           rc;
    stockcert_entry_t        last;
    stockcert_ocf_export_t  *export;
    stockcert_class_t        classes[STOCKCERT_CLASSES_MAX];

    export = data;

    status = stockcert_tool_open_here(apart->path, STOCKCERT_READ,
                                      &export->source.ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    rc = stockcert_ledger_classes(export->source.ledger, classes, &n, &export->error);
    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_last(export->source.ledger, &last, &export->error);
    }

    if (rc == STOCKCERT_OK) {
        export->last = last.position;
        status = stockcert_ocf_complete(export->source.ocf, classes, n);

    } else {

        if (rc == STOCKCERT_NOT_FOUND) {
            snprintf(export->error.text, sizeof(export->error.text),
                     "it has no entry");
        }

        status = stockcert_tool_not_read(&export->error);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_ocf_replay(export);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_ocf_write(export);
    }

    stockcert_tool_progress_end();
    stockcert_ledger_close(export->source.ledger);

    return status;
}


/* whose each certificate is, or was, and what was paid for it */

static int
stockcert_ocf_replay(stockcert_ocf_export_t *export)
{
    uint64_t           i;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    export->source.holdings = stockcert_holdings_create();

    if (export->source.holdings == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "there is no memory");
    }

    rc = STOCKCERT_OK;

    for (i = 1; rc == STOCKCERT_OK && i <= export->last; i++) {
        rc = stockcert_ledger_entry(export->source.ledger, i, &entry,
                                    &export->error);

        if (rc == STOCKCERT_OK) {
            rc = stockcert_holdings_apply(export->source.holdings, &entry,
                                          &export->error);
        }

        stockcert_tool_progress("export", "entries", i, export->last);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_holdings_texts(export->source.holdings,
                                      export->source.ledger, &export->error);
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&export->error);
    }

    return stockcert_ocf_persons_known(&export->source.ocf->persons,
                                       export->source.holdings);
}


static int
stockcert_ocf_write(stockcert_ocf_export_t *export)
{
    int     status;
    size_t  i;

    export->md5 = EVP_MD_CTX_new();

    if (export->md5 == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "EVP_MD_CTX_new() failed");
    }

    status = STOCKCERT_EXIT_OK;

    for (i = 0; stockcert_ocf_names[i] && status == STOCKCERT_EXIT_OK; i++) {
        status = stockcert_ocf_file(export, i);
    }

    EVP_MD_CTX_free(export->md5);

    return status;
}


static int
stockcert_ocf_file(stockcert_ocf_export_t *export, size_t i)
{
    int             failed;
    FILE           *file;
    size_t          n;
    uint8_t         digest[16];
    stockcert_rc_e  rc;

    static const cookie_io_functions_t  functions = {
        .write = stockcert_ocf_digest
    };

    if (EVP_DigestInit_ex(export->md5, EVP_md5(), NULL) != 1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "EVP_DigestInit_ex() failed");
    }

    file = fopencookie(export, "w", functions);

    if (file == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "fopencookie() failed: %s",
                                    strerror(errno));
    }

    rc = i < STOCKCERT_OCF_FILES
         ? stockcert_ocf_items(export, file, &stockcert_ocf_files[i])
         : stockcert_ocf_manifest(export, file);

    failed = (fflush(file) == EOF || ferror(file));
    failed |= (fclose(file) == EOF);

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "nothing is exported: %s",
                                    export->error.text);
    }

    if (failed || close(*export->fds++) == -1
        || EVP_DigestFinal_ex(export->md5, digest, NULL) != 1)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is "
                                    "exported: cannot write %s",
                                    stockcert_ocf_names[i]);
    }

    for (n = 0; n < sizeof(digest); n++) {
        snprintf(export->digests[i] + 2 * n, 3, "%02x", digest[n]);
    }

    return STOCKCERT_EXIT_OK;
}


/* reads the whole file, or returns 0 */

static ssize_t
stockcert_ocf_digest(void *data, const char *bytes, size_t len)
{
    size_t                   done;
    ssize_t                  n;
    stockcert_ocf_export_t  *export;

    export = data;

    if (EVP_DigestUpdate(export->md5, bytes, len) != 1) {
        return 0;
    }

    for (done = 0; done < len; done += (size_t) n) {
        n = write(*export->fds, bytes + done, len - done);

        if (n == -1) {
            return 0;
        }
    }

    return (ssize_t) len;
}


static stockcert_rc_e
stockcert_ocf_items(stockcert_ocf_export_t *export, FILE *file,
    const stockcert_ocf_file_t *of)
{
    uint64_t           n;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    export->source.separator = "\n";

    fprintf(file, "{\"file_type\":\"%s\",\"items\":[", of->type);

    for (n = 1; n <= export->last; n++) {
        rc = stockcert_ledger_entry(export->source.ledger, n, &entry,
                                    &export->error);

        if (rc == STOCKCERT_OK) {
            rc = of->write(file, &export->source, &entry, &export->error);
        }

        if (rc != STOCKCERT_OK) {
            return rc;
        }

        stockcert_tool_progress("export", of->items, n, export->last);
    }

    fprintf(file, "]}\n");

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_ocf_manifest(stockcert_ocf_export_t *export, FILE *file)
{
    size_t           i;
    char             now[STOCKCERT_TIME_LEN + 1];
    struct timespec  ts;
    stockcert_str_t  company;

    clock_gettime(CLOCK_REALTIME, &ts);
    stockcert_format_time((uint64_t) ts.tv_sec * 1000000, now);

    company = stockcert_ledger_company(export->source.ledger);

    fprintf(file, "{\"file_type\":\"OCF_MANIFEST_FILE\",\"ocf_version\":\""
            STOCKCERT_OCF_VERSION "\",\"as_of\":\"%.*s\",\"generated_at\":"
            "\"%s\",\n\"issuer\":{\"object_type\":\"ISSUER\",\"id\":\"issuer\","
            "\"legal_name\":", (int) STOCKCERT_DATE_LEN, now, now);
    stockcert_json_string(file, &company);
    fprintf(file, ",\"formation_date\":\"%s\",\"country_of_formation\":\"%s\"}",
            export->source.ocf->formed, export->source.ocf->country);

    for (i = 0; i < STOCKCERT_OCF_FILES; i++) {
        fprintf(file, ",\n\"%s\":[{\"filepath\":\"%s\",\"md5\":\"%s\"}]",
                stockcert_ocf_files[i].field, stockcert_ocf_names[i],
                export->digests[i]);
    }

    fprintf(file, ",\n\"stock_plans_files\":[],\"stock_legend_templates_files\""
            ":[],\"vesting_terms_files\":[],\"valuations_files\":[]}\n");

    return STOCKCERT_OK;
}
