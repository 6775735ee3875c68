
/*
 * "stockcert import": makes a new ledger of an exported journal, and verifies
 * it.
 *
 * It writes only to the new ledger.
 */


#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stockcert_json.h"
#include "stockcert_text.h"
#include "stockcert_tool.h"


#define STOCKCERT_BATCH  10000                         /* entries of a commit */


typedef struct {
    const char             *name;          /* of the file */
    FILE                   *file;
    size_t                  size;          /* of the ledger, at most */
    uint64_t                number;        /* of the line */
    stockcert_json_line_t   line;

    uint64_t                entries;       /* as the header says */
    uint64_t                left;          /* of the group that is open */
    uint8_t                 seal[STOCKCERT_SEAL_LEN];
} stockcert_import_t;


static int stockcert_tool_import(int argc, char **argv);
static int stockcert_tool_import_options(int argc, char **argv,
    stockcert_import_t *import);
static int stockcert_tool_import_into(stockcert_import_t *import,
    const char *path);
static int stockcert_tool_import_header(stockcert_import_t *import,
    stockcert_ledger_t **ledger);
static int stockcert_tool_import_entries(stockcert_import_t *import,
    stockcert_ledger_t *ledger);
static int stockcert_tool_import_batch(stockcert_import_t *import,
    stockcert_ledger_t *ledger, uint64_t *position);
static void stockcert_tool_import_group(stockcert_import_t *import);
static int stockcert_tool_import_line(stockcert_import_t *import,
    const char *(*parse)(const char *json, size_t len,
    stockcert_json_line_t *line));
static int stockcert_tool_import_fault(stockcert_import_t *import,
    const char *fault);
static int stockcert_tool_import_failed(stockcert_rc_e rc,
    const stockcert_error_t *error);


const stockcert_command_t  stockcert_command_import = {
    "import", stockcert_tool_import, "LEDGER FILE.jsonl [--size SIZE]",
    "Makes a new ledger of what \"stockcert export --format jsonl\" wrote: the\n"
    "same numbers, times and seals, or nothing. FILE.jsonl may be -.\n"
    "\n"
    "  --size SIZE   the most that it may grow to, such as 500m; 64g by default.\n"
    "                It takes address space, not disk.\n"
};


static int
stockcert_tool_import(int argc, char **argv)
{
    int                        status;
    stockcert_whole_t          whole;
    static stockcert_import_t  import;

    static const char *const   names[] = { "data.mdb", "data.mdb.new",
                                           "lock.mdb", NULL };

    status = stockcert_tool_import_options(argc, argv, &import);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    argv += optind - 1;

    if (stockcert_whole_directory(&whole, argv[1], names) == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot make a new "
                                    "ledger in %s, name a directory that is "
                                    "not there or empty: %s", argv[1],
                                    whole.fault);
    }

    /* nobody else can enter it, whatever its name leads to */

    if (fchdir(whole.fd) == -1) {
        status = stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                      "fchdir() failed: %s", strerror(errno));

    } else {
        status = stockcert_tool_import_into(&import, argv[1]);
    }

    stockcert_tool_progress_end();

    status = stockcert_tool_finish(&whole, status);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    return stockcert_tool_done("imported %" PRIu64 " entries into %s",
                               import.entries, argv[1]);
}


static int
stockcert_tool_import_options(int argc, char **argv, stockcert_import_t *import)
{
    int                         c, status;
    const char                 *name;

    static const struct option  options[] = {
        { "size", required_argument, NULL, 's' },
        { NULL, 0, NULL, 0 }
    };

    import->size = STOCKCERT_SIZE;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c != 's') {
            return stockcert_tool_usage(&stockcert_command_import);
        }

        status = stockcert_tool_size(optarg, &import->size);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    if (argc - optind != 2) {
        return stockcert_tool_usage(&stockcert_command_import);
    }

    name = argv[optind + 1];

    import->name = strcmp(name, "-") == 0 ? "standard input" : name;
    import->file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");

    if (import->file == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot open %s: %s",
                                    name, strerror(errno));
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_import_into(stockcert_import_t *import, const char *path)
{
    int                    status;
    stockcert_ledger_t    *ledger;
    stockcert_verified_t   verified;

    status = stockcert_tool_import_header(import, &ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    status = stockcert_tool_import_entries(import, ledger);

    stockcert_ledger_close(ledger);

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    memset(&verified, 0, sizeof(stockcert_verified_t));

    status = stockcert_tool_check_made(path, &verified);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    if (verified.entries != import->entries
        || memcmp(verified.seal, import->seal, STOCKCERT_SEAL_LEN) != 0)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "%s: the header has "
                                    "another last seal: export it again",
                                    import->name);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_import_header(stockcert_import_t *import,
    stockcert_ledger_t **ledger)
{
    int                      status;
    stockcert_rc_e           rc;
    stockcert_error_t        error;
    stockcert_ledger_conf_t  conf;

    status = stockcert_tool_import_line(import, stockcert_json_parse_header);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    import->entries = import->line.entries;
    memcpy(import->seal, import->line.seal, STOCKCERT_SEAL_LEN);

    memset(&conf, 0, sizeof(stockcert_ledger_conf_t));

    conf.path = ".";
    conf.size = import->size;
    conf.company = import->line.header.company;
    conf.created = import->line.header.created;

    if (stockcert_text_fault(conf.company.data, conf.company.len) != NULL) {
        return stockcert_tool_import_fault(import,
                                           "has a company of no valid name");
    }

    rc = stockcert_ledger_open(&conf, ledger, &error);

    return rc == STOCKCERT_OK ? STOCKCERT_EXIT_OK
                              : stockcert_tool_import_failed(rc, &error);
}


static int
stockcert_tool_import_entries(stockcert_import_t *import,
    stockcert_ledger_t *ledger)
{
    int                status;
    uint64_t           position;
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    position = 0;

    while (position < import->entries) {

        rc = stockcert_ledger_begin(ledger, &error);
        if (rc != STOCKCERT_OK) {
            return stockcert_tool_import_failed(rc, &error);
        }

        status = stockcert_tool_import_batch(import, ledger, &position);

        if (status != STOCKCERT_EXIT_OK) {
            stockcert_ledger_abort(ledger);
            return status;
        }

        rc = stockcert_ledger_commit(ledger, &error);
        if (rc != STOCKCERT_OK) {
            return stockcert_tool_import_failed(rc, &error);
        }
    }

    if (getc(import->file) != EOF) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "%s has more lines than "
                                    "its header says, %" PRIu64 " entries: "
                                    "export it again", import->name,
                                    import->entries);
    }

    return STOCKCERT_EXIT_OK;
}


/* nothing is committed within a group */

static int
stockcert_tool_import_batch(stockcert_import_t *import,
    stockcert_ledger_t *ledger, uint64_t *position)
{
    int                n, status;
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    for (n = 0;
         (n < STOCKCERT_BATCH || import->left) && *position < import->entries;
         n++)
    {

        status = stockcert_tool_import_line(import, stockcert_json_parse_entry);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }

        rc = import->line.entry.position == 0 ? STOCKCERT_REFUSED
             : stockcert_ledger_enter(ledger, &import->line.entry, &error);

        if (rc == STOCKCERT_REFUSED) {
            return stockcert_tool_import_fault(import,
                                               import->line.entry.position
                                               ? error.text
                                               : "has an entry 0");
        }

        if (rc != STOCKCERT_OK) {
            return stockcert_tool_import_failed(rc, &error);
        }

        ++*position;
        stockcert_tool_import_group(import);
        stockcert_tool_progress("import", "entries", *position,
                                import->entries);
    }

    if (import->left) {
        return stockcert_tool_import_fault(import, "is the last one, and its "
                                           "transaction has more entries: "
                                           "export it again");
    }

    return STOCKCERT_EXIT_OK;
}


/* after an entry that the ledger took, which counts the members, too */

static void
stockcert_tool_import_group(stockcert_import_t *import)
{
    const stockcert_entry_t  *entry;

    entry = &import->line.entry;

    if (entry->member == 1) {
        import->left = entry->surrenders + entry->issues - 1;

    } else if (entry->member) {
        import->left--;
    }
}


static int
stockcert_tool_import_line(stockcert_import_t *import,
    const char *(*parse)(const char *json, size_t len,
    stockcert_json_line_t *line))
{
    char         text[STOCKCERT_JSON_MAX];
    size_t       len;
    const char  *fault;

    import->number++;

    if (fgets(text, sizeof(text), import->file) == NULL) {

        if (ferror(import->file)) {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                        "cannot read %s: %s", import->name,
                                        strerror(errno));
        }

        if (import->number == 1) {
            return stockcert_tool_error(STOCKCERT_EXIT_NO, "nothing is imported,"
                                        " %s is empty: name what \"stockcert "
                                        "export --format jsonl\" wrote",
                                        import->name);
        }

        return stockcert_tool_import_fault(import, "is missing: the file ends "
                                           "before what its header says, "
                                           "export it again");
    }

    len = strlen(text);

    if (len == 0 || text[len - 1] != '\n') {
        return stockcert_tool_import_fault(import, "is too long, has a NUL byte"
                                           " or does not end");
    }

    fault = parse(text, len, &import->line);

    return fault ? stockcert_tool_import_fault(import, fault)
                 : STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_import_fault(stockcert_import_t *import, const char *fault)
{
    return stockcert_tool_error(STOCKCERT_EXIT_NO, "nothing is imported, line "
                                "%" PRIu64 " of %s: %s", import->number,
                                import->name, fault);
}


static int
stockcert_tool_import_failed(stockcert_rc_e rc, const stockcert_error_t *error)
{
    return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "nothing is imported%s: "
                                "%s", rc == STOCKCERT_FULL
                                ? ", make room on the disk, or give a larger "
                                  "--size" : "", error->text);
}
