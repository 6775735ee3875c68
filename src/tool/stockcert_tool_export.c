
/*
 * "stockcert export" to jsonl and csv; ocf is in stockcert_tool_ocf.c.
 *
 * It reads the ledger, and writes only the output.
 */


#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"
#include "stockcert_tool_ocf.h"


typedef struct {
    const char          *format;
    const char          *output;
    unsigned             since_set:1;
    uint64_t             since;
    stockcert_ocf_t      ocf;
} stockcert_export_t;


static int stockcert_tool_export(int argc, char **argv);
static int stockcert_tool_export_options(int argc, char **argv,
    stockcert_export_t *export);
static int stockcert_tool_export_stdout(const char *path,
    stockcert_export_t *export);
static int stockcert_tool_export_file(const char *path,
    stockcert_export_t *export);
static int stockcert_tool_export_read(stockcert_apart_t *apart, void *data);
static int stockcert_tool_export_to(stockcert_ledger_t *ledger,
    stockcert_export_t *export, FILE *file);
static void stockcert_tool_csv_header(FILE *file);
static stockcert_rc_e stockcert_tool_write_csv(FILE *file,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static void stockcert_tool_write_field(FILE *file, const stockcert_str_t *str);


const stockcert_command_t  stockcert_command_export = {
    "export", stockcert_tool_export,
    "LEDGER --format jsonl|csv|ocf [--since N] [-o FILE]",
    "Writes the journal for other programs.\n"
    "\n"
    "  --format jsonl   all of it, a line an entry: for \"stockcert import\"\n"
    "  --format csv     all of it, for spreadsheets\n"
    "  --format ocf     Open Cap Format 1.2.0: -o names a new directory\n"
    "  --since N        only what comes after entry N: jsonl without header, csv\n"
    "  -o, --output FILE\n"
    "\n"
    "What OCF requires and the ledger does not know:\n"
    "\n"
    "  --formed DATE    of the company\n"
    "  --country CODE   where that was, such as US\n"
    "  --holders INDIVIDUAL|INSTITUTION\n"
    "                   what a holder is\n"
    "  --holders-file FILE\n"
    "                   lines of \"stockcert holders --format jsonl\", with \"type\" and\n"
    "                   \"country\" besides, for those that differ\n"
    "  --class CODE:COMMON|PREFERRED:VOTES:SENIORITY:PRICE:CURRENCY\n"
    "                   of each class, such as CS:COMMON:1:1:0.0001:USD; PRICE is\n"
    "                   that of a share where its entry has none\n"
};


static int
stockcert_tool_export(int argc, char **argv)
{
    int                        status;
    static stockcert_export_t  export;

    status = stockcert_tool_export_options(argc, argv, &export);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    if (strcmp(export.format, "ocf") == 0) {
        return stockcert_ocf_export(argv[optind], &export.ocf, export.output);
    }

    return export.output ? stockcert_tool_export_file(argv[optind], &export)
                         : stockcert_tool_export_stdout(argv[optind], &export);
}


static int
stockcert_tool_export_options(int argc, char **argv, stockcert_export_t *export)
{
    int                         c, status;

    static const struct option  options[] = {
        { "format", required_argument, NULL, 'f' },
        { "since", required_argument, NULL, 's' },
        { "output", required_argument, NULL, 'o' },
        STOCKCERT_OCF_OPTIONS,
        { NULL, 0, NULL, 0 }
    };

    while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {

        switch (c) {

        case 'f':
            export->format = optarg;
            break;

        case 's':
            status = stockcert_tool_since(optarg, &export->since);
            if (status != STOCKCERT_EXIT_OK) {
                return status;
            }

            export->since_set = 1;
            break;

        case 'o':
            export->output = optarg;
            break;

        case '?':
            return stockcert_tool_usage(&stockcert_command_export);

        default:
            status = stockcert_ocf_option(&export->ocf, c, optarg);
            if (status != STOCKCERT_EXIT_OK) {
                return status;
            }
        }
    }

    if (argc - optind != 1 || export->format == NULL) {
        return stockcert_tool_usage(&stockcert_command_export);
    }

    if (strcmp(export->format, "jsonl") != 0
        && strcmp(export->format, "csv") != 0
        && strcmp(export->format, "ocf") != 0)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--format takes "
                                    "jsonl, csv or ocf, not \"%s\"",
                                    export->format);
    }

    if (strcmp(export->format, "ocf") == 0
        && (export->since_set || export->output == NULL))
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "ocf is a directory "
                                    "of files with the whole ledger: name a "
                                    "new one with -o, and give no --since");
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_export_stdout(const char *path, stockcert_export_t *export)
{
    int                  status;
    stockcert_ledger_t  *ledger;

    status = stockcert_tool_open(path, STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_export_to(ledger, export, stdout);

    stockcert_tool_progress_end();
    stockcert_ledger_close(ledger);

    return status == STOCKCERT_EXIT_OK ? stockcert_tool_flush() : status;
}


static int
stockcert_tool_export_file(const char *path, stockcert_export_t *export)
{
    int                status;
    stockcert_apart_t  apart;
    stockcert_whole_t  whole;

    if (stockcert_whole_file(&whole, export->output) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot make %s: %s", export->output,
                                    whole.fault);
    }

    memset(&apart, 0, sizeof(stockcert_apart_t));

    apart.path = path;
    apart.fds = &whole.fd;
    apart.n = 1;
    apart.run = stockcert_tool_export_read;
    apart.data = export;

    status = stockcert_tool_apart(&apart);

    if (status != STOCKCERT_EXIT_OK) {
        stockcert_whole_undo(&whole);

    } else {
        status = stockcert_tool_finish(&whole, status);
    }

    if (apart.error) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot write %s%s: "
                                    "%s", export->output,
                                    whole.plain ? "" : ", nothing is exported",
                                    strerror(apart.error));
    }

    return status;
}


/* runs as the ledger's owner */

static int
stockcert_tool_export_read(stockcert_apart_t *apart, void *data)
{
    int                  status, failed;
    FILE                *file;
    stockcert_ledger_t  *ledger;

    status = stockcert_tool_open_here(apart->path, STOCKCERT_READ, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    file = fdopen(apart->fds[0], "w");
    failed = (file == NULL);

    if (file) {
        status = stockcert_tool_export_to(ledger, data, file);

        failed = (fflush(file) == EOF || ferror(file));
        failed |= (fclose(file) == EOF);
    }

    stockcert_tool_progress_end();
    stockcert_ledger_close(ledger);

    if (status == STOCKCERT_EXIT_OK && failed) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is "
                                    "exported: %s", strerror(errno));
    }

    return status;
}


/*
 * As of the snapshot that the ledger was opened with.  The journal only grows,
 * so later reads give the same.
 */

static int
stockcert_tool_export_to(stockcert_ledger_t *ledger, stockcert_export_t *export,
    FILE *file)
{
    uint64_t             position, last;
    stockcert_rc_e       rc;
    stockcert_entry_t    entry;
    stockcert_error_t    error;
    stockcert_header_t   header;
    stockcert_write_pt   write;
    static const uint8_t none[STOCKCERT_SEAL_LEN];

    rc = stockcert_ledger_last(ledger, &entry, &error);

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return stockcert_tool_not_read(&error);
    }

    last = rc == STOCKCERT_OK ? entry.position : 0;

    if (strcmp(export->format, "csv") == 0) {
        write = stockcert_tool_write_csv;
        stockcert_tool_csv_header(file);

    } else {
        write = stockcert_tool_write_json;

        header.format = STOCKCERT_FORMAT;
        header.created = stockcert_ledger_created(ledger);
        header.company = stockcert_ledger_company(ledger);

        /* a part has no header, so it cannot be imported */

        if (export->since == 0) {
            stockcert_json_header(file, &header, last,
                                  last ? entry.seal : none);
        }
    }

    stockcert_ledger_release(ledger);

    position = export->since;

    return stockcert_tool_entries(ledger, &position, last, write, file,
                                  "export");
}


/*
 * RFC 4180.  All of a group have its number and type, so that rows can be
 * chosen by them.
 */

static void
stockcert_tool_csv_header(FILE *file)
{
    unsigned  tag;

    fprintf(file, "entry,kind,time,transaction");

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        fprintf(file, ",%s", tag == STOCKCERT_FIELD_NAME
                             ? "holder" : stockcert_field(tag)->name);
    }

    fprintf(file, ",seal\r\n");
}


static stockcert_rc_e
stockcert_tool_write_csv(FILE *file, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    char                      time[STOCKCERT_TIME_LEN + 1];
    char                      seal[STOCKCERT_HEX_LEN + 1];
    char                      room[STOCKCERT_HEX_LEN + 1];
    unsigned                  tag;
    stockcert_rc_e            rc;
    stockcert_str_t           text;
    stockcert_entry_t         first;
    const stockcert_field_t  *field;

    rc = stockcert_tool_first(ledger, entry, &first, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, seal);

    fprintf(file, "%" PRIu64 ",%s,%s,", entry->position,
            stockcert_kind(entry->kind)->name, time);

    if (entry->member) {
        fprintf(file, "%" PRIu64, first.position);
    }

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        field = stockcert_field(tag);
        text = stockcert_json_text(tag == STOCKCERT_FIELD_TYPE ? &first : entry,
                                   field, room);

        putc(',', file);

        if (field->type > STOCKCERT_CODE) {
            stockcert_tool_write_field(file, &text);

        } else {
            fprintf(file, "%.*s", (int) text.len, text.data);
        }
    }

    fprintf(file, ",%s\r\n", seal);

    return STOCKCERT_OK;
}


static void
stockcert_tool_write_field(FILE *file, const stockcert_str_t *str)
{
    size_t  i;

    if (str->len == 0) {
        return;
    }

    putc('"', file);

    for (i = 0; i < str->len; i++) {

        if (str->data[i] == '"') {
            putc('"', file);
        }

        putc(str->data[i], file);
    }

    putc('"', file);
}
