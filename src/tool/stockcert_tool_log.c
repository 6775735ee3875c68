
/*
 * "stockcert log", which can follow the journal as it grows.
 *
 * It reads the ledger, and writes to standard output.
 */


#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"


#define STOCKCERT_FOLLOW  200          /* milliseconds between two looks */

/* bytes; an entry's, names of fields, and what parts them */

#define STOCKCERT_LOG_TEXT  (STOCKCERT_ENTRY_MAX + 1024)


typedef struct {
    const char          *path;         /* of the ledger, as it was given, */
    char                *real;         /* and without links; or NULL */
    unsigned             follow:1;
    stockcert_write_pt   write;
    uint64_t             position;     /* of the last entry that was shown, */
    stockcert_tail_t     tail;         /* or of one before it */
    stockcert_ledger_t  *ledger;
} stockcert_log_t;


static int stockcert_tool_log(int argc, char **argv);
static int stockcert_tool_log_options(int argc, char **argv,
    stockcert_log_t *log);
static int stockcert_tool_log_go_on(stockcert_log_t *log);
static int stockcert_tool_log_is_here(const stockcert_log_t *log);
static int stockcert_tool_log_note(stockcert_log_t *log);
static int stockcert_tool_log_replaced(const stockcert_log_t *log);
static int stockcert_tool_log_wait(void);
static stockcert_rc_e stockcert_tool_write_entry(FILE *file,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static void stockcert_tool_log_text(const stockcert_entry_t *entry,
    const stockcert_str_t *reference, char *text);


const stockcert_command_t  stockcert_command_log = {
    "log", stockcert_tool_log, "LEDGER [-f] [--since N] [--json]",
    "Shows the journal, a line an entry.\n"
    "\n"
    "  -f, --follow   go on as it grows\n"
    "  --since N      only what comes after entry N\n"
    "  --json         the lines of \"stockcert export --format jsonl\"\n"
};


static int
stockcert_tool_log(int argc, char **argv)
{
    int                     status;
    static stockcert_log_t  log;

    status = stockcert_tool_log_options(argc, argv, &log);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    log.path = argv[optind];
    log.real = realpath(log.path, NULL);

    status = stockcert_tool_open(log.path, STOCKCERT_READ, &log.ledger);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    stockcert_ledger_release(log.ledger);

    do {
        status = stockcert_tool_entries(log.ledger, &log.position, UINT64_MAX,
                                        log.write, stdout, NULL);

        if (status == STOCKCERT_EXIT_OK) {
            status = stockcert_tool_flush();
        }

        if (status == STOCKCERT_EXIT_OK && log.follow) {
            status = stockcert_tool_log_go_on(&log);
        }

    } while (status == STOCKCERT_EXIT_OK && log.follow);

    if (log.ledger) {
        stockcert_ledger_close(log.ledger);
    }

    free(log.real);

    return status;
}


static int
stockcert_tool_log_options(int argc, char **argv, stockcert_log_t *log)
{
    int                         c, status;

    static const struct option  options[] = {
        { "follow", no_argument, NULL, 'f' },
        { "since", required_argument, NULL, 's' },
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 }
    };

    log->write = stockcert_tool_write_entry;

    while ((c = getopt_long(argc, argv, "f", options, NULL)) != -1) {

        switch (c) {

        case 'f':
            log->follow = 1;
            break;

        case 's':
            status = stockcert_tool_since(optarg, &log->position);
            if (status != STOCKCERT_EXIT_OK) {
                return status;
            }

            break;

        case 'j':
            log->write = stockcert_tool_write_json;
            break;

        default:
            return stockcert_tool_usage(&stockcert_command_log);
        }
    }

    return argc - optind == 1 ? STOCKCERT_EXIT_OK
                              : stockcert_tool_usage(&stockcert_command_log);
}


/*
 * Waits, and makes sure that the next entries are of the same journal.  If
 * lock.mdb was removed, a writer makes a new one, and the ledger is opened
 * again.
 */

static int
stockcert_tool_log_go_on(stockcert_log_t *log)
{
    int  status;

    status = stockcert_tool_log_note(log);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_log_wait();
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    if (!stockcert_tool_log_is_here(log)) {
        return stockcert_tool_log_replaced(log);
    }

    if (!stockcert_ledger_is_current(log->ledger)) {

        if (stockcert_ledger_is_replaced(log->ledger)) {
            return stockcert_tool_log_replaced(log);
        }

        stockcert_ledger_close(log->ledger);
        log->ledger = NULL;

        status = stockcert_tool_open_here(log->path, STOCKCERT_READ,
                                          &log->ledger);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }

        stockcert_ledger_release(log->ledger);
    }

    return stockcert_tool_log_note(log);
}


/*
 * Another directory may be in the place of this one.  The ledger's owner may
 * not be allowed to see that; then it is not noticed.
 */

static int
stockcert_tool_log_is_here(const stockcert_log_t *log)
{
    struct stat  here, there;

    if (log->real == NULL || stat(".", &here) == -1) {
        return 1;
    }

    if (stat(log->real, &there) == -1) {
        return errno != ENOENT && errno != ENOTDIR;
    }

    return here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}


/* whether the journal still has what was shown, by the last seal */

static int
stockcert_tool_log_note(stockcert_log_t *log)
{
    int                same;
    stockcert_rc_e     rc;
    stockcert_tail_t  *tail;
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    rc = stockcert_ledger_snapshot(log->ledger, &error);
    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    same = 1;
    tail = &log->tail;

    if (tail->position) {
        rc = stockcert_ledger_entry(log->ledger, tail->position, &entry,
                                    &error);
        same = rc == STOCKCERT_OK
               && memcmp(entry.seal, tail->seal, STOCKCERT_SEAL_LEN) == 0;
    }

    if (same && log->position > tail->position) {
        rc = stockcert_ledger_entry(log->ledger, log->position, &entry, &error);

        if (rc == STOCKCERT_OK) {
            tail->position = log->position;
            memcpy(tail->seal, entry.seal, STOCKCERT_SEAL_LEN);
        }
    }

    stockcert_ledger_release(log->ledger);

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return stockcert_tool_not_read(&error);
    }

    return same ? STOCKCERT_EXIT_OK : stockcert_tool_log_replaced(log);
}


static int
stockcert_tool_log_replaced(const stockcert_log_t *log)
{
    return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "the ledger in %s was "
                                "removed or replaced, what was shown is of the "
                                "one before: follow the one that is there now "
                                "from its beginning", log->path);
}


/* and ends, as a write would, if nobody reads the output any more */

static int
stockcert_tool_log_wait(void)
{
    struct pollfd  output;

    output.fd = STDOUT_FILENO;
    output.events = 0;

    if (poll(&output, 1, STOCKCERT_FOLLOW) != 1
        || !(output.revents & (POLLERR|POLLHUP|POLLNVAL)))
    {
        return STOCKCERT_EXIT_OK;
    }

    (void) raise(SIGPIPE);

    return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                "cannot write the output: %s", strerror(EPIPE));
}


/*
 * Columns that people can read.  Texts come last, as they have any length.  A
 * surrendered certificate shows its shares.
 */

static stockcert_rc_e
stockcert_tool_write_entry(FILE *file, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    char                            id[STOCKCERT_ID_MAX + 1];
    char                            time[STOCKCERT_TIME_LEN + 1];
    char                            text[STOCKCERT_LOG_TEXT];
    const char                     *what;
    stockcert_rc_e                  rc;
    stockcert_entry_t               first;
    const stockcert_transaction_t  *type;

    first = *entry;
    what = stockcert_kind(entry->kind)->name;

    if (entry->kind == STOCKCERT_CERTIFICATE_SURRENDERED) {

        rc = stockcert_tool_first(ledger, entry, &first, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        type = stockcert_transaction(first.type);
        what = type ? type->name : what;
    }

    stockcert_format_time(entry->time, time);
    stockcert_tool_log_text(entry, &first.reference, text);

    if (entry->number) {
        snprintf(id, sizeof(id), STOCKCERT_ID,
                 STOCKCERT_ID_OF(entry->code, entry->number));

    } else {
        snprintf(id, sizeof(id), "%.*s", (int) entry->code.len,
                 entry->code.data);
    }

    if (entry->shares) {
        stockcert_tool_line(file, "%8" PRIu64 "  %s  %-10s  %-12s %16" PRIu64
                            "  %s", entry->position, time, what, id,
                            entry->shares, text);

    } else {
        stockcert_tool_line(file, "%8" PRIu64 "  %s  %-10s  %-12s %16s  %s",
                            entry->position, time, what, id, "-", text);
    }

    return STOCKCERT_OK;
}


/*
 * A name, a title or a reference as it is; then what else the entry says, by
 * its name.  Numbers of members, keys and digests are for the export.
 */

static void
stockcert_tool_log_text(const stockcert_entry_t *entry,
    const stockcert_str_t *reference, char *text)
{
    char                      room[STOCKCERT_HEX_LEN + 1];
    size_t                    len;
    unsigned                  tag;
    stockcert_str_t           value;
    const stockcert_str_t    *main;
    const stockcert_field_t  *field;

    static const uint32_t     shown = STOCKCERT_BIT(REASON)
                                      |STOCKCERT_BIT(BALANCE)
                                      |STOCKCERT_BIT(CORRECTS)
                                      |STOCKCERT_BIT(HOLDER_ID)
                                      |STOCKCERT_BIT(ADDRESS)
                                      |STOCKCERT_BIT(CAPACITY)
                                      |STOCKCERT_BIT(PRICE)
                                      |STOCKCERT_BIT(EFFECTIVE)
                                      |STOCKCERT_BIT(REFERENCE)
                                      |STOCKCERT_BIT(ACTOR);

    main = entry->name.len ? &entry->name
           : entry->title.len ? &entry->title : reference;

    len = (size_t) snprintf(text, STOCKCERT_LOG_TEXT, "%.*s", (int) main->len,
                            main->data);

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        field = stockcert_field(tag);
        value = stockcert_json_text(entry, field, room);

        if (value.len == 0 || !(shown >> tag & 1)
            || (tag == STOCKCERT_FIELD_REFERENCE && main == reference))
        {
            continue;
        }

        if (field->type == STOCKCERT_FLAG) {
            value.len = 0;
        }

        len += (size_t) snprintf(text + len, STOCKCERT_LOG_TEXT - len,
                                 "  %s%s%.*s", field->name,
                                 value.len ? " " : "", (int) value.len,
                                 value.data);
    }
}
