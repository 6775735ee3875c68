
/*
 * "stockcert status": the inventory, sizes, readers, who keeps the lock, and
 * whether other machines have it, too.
 *
 * It reads the ledger, and what etcd has of it.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stockcert_filesystem.h"
#include "stockcert_json.h"
#include "stockcert_tool_etcd.h"
#include "stockcert_tool_shared.h"


#define STOCKCERT_LOOK     10000000    /* nanoseconds between two looks */
#define STOCKCERT_LOOKS    105         /* looks at who has the lock */
#define STOCKCERT_AHEAD    10000000    /* microseconds that clocks may differ */


/* the strings of classes are those of the snapshot, until etcd is asked */

typedef struct {
    stockcert_ledger_t      *ledger;
    uint64_t                 entries;
    char                     created[STOCKCERT_TIME_LEN + 1];
    char                     last[STOCKCERT_TIME_LEN + 1];
    char                     seal[STOCKCERT_HEX_LEN + 1];
    size_t                   nclasses;
    stockcert_class_t        classes[STOCKCERT_CLASSES_MAX];
    stockcert_usage_t        usage;
    const char              *filesystem;
    stockcert_filesystem_e   kind;
    pid_t                    holder;       /* of the lock, for long; or 0 */
    char                     command[64];  /* its, or "" */
    unsigned                 some:1;       /* of the readers is written */
    uint64_t                 ahead;        /* the last entry is, of the clock:
                                              seconds, or 0 */
    stockcert_tail_t         end;
    stockcert_shared_state_t shared;
    int                      status;       /* of asking etcd, an exit code */
} stockcert_state_t;


static int stockcert_tool_status(int argc, char **argv);
static int stockcert_tool_status_options(int argc, char **argv, int *json);
static stockcert_rc_e stockcert_tool_status_read(stockcert_state_t *state,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_status_text(stockcert_state_t *state,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_status_json(stockcert_state_t *state,
    stockcert_error_t *error);
static void stockcert_tool_status_ask(stockcert_state_t *state);
static int stockcert_tool_status_reader(const char *line, void *data);
static int stockcert_tool_status_json_reader(const char *line, void *data);
static void stockcert_tool_status_command(stockcert_state_t *state);
static pid_t stockcert_tool_stuck(stockcert_ledger_t *ledger,
    stockcert_rc_e *rc, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_end(stockcert_ledger_t *ledger,
    uint64_t *position, stockcert_error_t *error);


const stockcert_command_t  stockcert_command_status = {
    "status", stockcert_tool_status, "LEDGER [--json]" STOCKCERT_ETCD_SYNOPSIS,
    "Shows the inventory, the journal's end, the format, sizes, the disk's file\n"
    "system, who reads, who keeps the ledger locked, and whether other machines\n"
    "have it, too.\n"
    "\n"
    "  --json             as a line of JSON\n"
    STOCKCERT_ETCD_HELP
};


static int
stockcert_tool_status(int argc, char **argv)
{
    int                       json, status;
    stockcert_rc_e            rc;
    stockcert_error_t         error;
    static stockcert_state_t  state;

    status = stockcert_tool_status_options(argc, argv, &json);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_open(argv[optind], STOCKCERT_READ,
                                     &state.ledger);
    }

    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    rc = stockcert_tool_status_read(&state, &error);

    if (rc == STOCKCERT_OK) {
        rc = json ? stockcert_tool_status_json(&state, &error)
                  : stockcert_tool_status_text(&state, &error);
    }

    stockcert_ledger_close(state.ledger);

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    return stockcert_tool_flush() == STOCKCERT_EXIT_OK
           ? state.status : STOCKCERT_EXIT_FAILED;
}


static int
stockcert_tool_status_options(int argc, char **argv, int *json)
{
    int                         c;

    static const struct option  options[] = {
        { "json", no_argument, NULL, 'j' },
        STOCKCERT_ETCD_TABLE,
        { NULL, 0, NULL, 0 }
    };

    *json = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == 'j') {
            *json = 1;

        } else if (!stockcert_tool_etcd_option(c, optarg)) {
            return stockcert_tool_usage(&stockcert_command_status);
        }
    }

    return argc - optind == 1 ? stockcert_tool_etcd_read()
                              : stockcert_tool_usage(&stockcert_command_status);
}


static stockcert_rc_e
stockcert_tool_status_read(stockcert_state_t *state, stockcert_error_t *error)
{
    uint64_t           now;
    stockcert_rc_e     rc;
    stockcert_entry_t  last;

    /* that takes snapshots of its own */

    state->holder = stockcert_tool_stuck(state->ledger, &rc, error);

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (state->holder) {
        stockcert_tool_status_command(state);
    }

    stockcert_format_time(stockcert_ledger_created(state->ledger),
                          state->created);

    rc = stockcert_ledger_last(state->ledger, &last, error);

    if (rc == STOCKCERT_OK) {
        state->entries = last.position;
        stockcert_format_time(last.time, state->last);
        stockcert_format_seal(last.seal, state->seal);

        state->end.position = last.position;
        memcpy(state->end.seal, last.seal, STOCKCERT_SEAL_LEN);

        now = stockcert_now();

        if (last.time > now + STOCKCERT_AHEAD) {
            state->ahead = (last.time - now) / 1000000;
        }

        rc = stockcert_ledger_classes(state->ledger, state->classes,
                                      &state->nclasses, error);
    }

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return rc;
    }

    state->filesystem = stockcert_filesystem_name(".", &state->kind);

    if (state->filesystem == NULL) {
        state->filesystem = "unknown";
    }

    return stockcert_ledger_usage(state->ledger, &state->usage, error);
}


static stockcert_rc_e
stockcert_tool_status_text(stockcert_state_t *state, stockcert_error_t *error)
{
    size_t                    i;
    stockcert_rc_e            rc;
    stockcert_str_t           company;
    const stockcert_class_t  *class;

    static const char *const  means[] = {
        "", ": never open it on two machines",
        ": it does not outlive the machine"
    };

    company = stockcert_ledger_company(state->ledger);

    stockcert_tool_line(stdout, "company    %.*s", (int) company.len,
                        company.data);
    printf("created    %s\nformat     %d\n", state->created, STOCKCERT_FORMAT);

    if (state->entries) {
        printf("entries    %" PRIu64 ", the last of %s\nseal       %s\n"
               "\n%-8s %16s %16s %16s %16s  title\n", state->entries,
               state->last, state->seal, "class", "authorized", "issued",
               "remaining", "certificates");

    } else {
        printf("entries    0\n");
    }

    for (i = 0; i < state->nclasses; i++) {
        class = &state->classes[i];

        stockcert_tool_line(stdout, "%-8.*s %16" PRIu64 " %16" PRIu64 " %16"
                            PRIu64 " %16" PRIu64 "  %.*s",
                            (int) class->code.len, class->code.data,
                            class->authorized, class->issued,
                            class->authorized - class->issued, class->last,
                            (int) class->title.len, class->title.data);
    }

    printf("\nsize       %" PRIu64 " bytes, at most %" PRIu64 "\n"
           "disk       %s%s\n", state->usage.used, state->usage.size,
           state->filesystem, means[state->kind]);

    stockcert_tool_status_ask(state);
    stockcert_tool_shared_text(&state->shared);

    if (state->ahead) {
        printf("clock      the last entry is %" PRIu64 " seconds ahead of this "
               "machine's clock: run NTP\n", state->ahead);
    }

    printf("readers    of at most %u:\n", state->usage.readers_max);

    rc = stockcert_ledger_readers(state->ledger, stockcert_tool_status_reader,
                                  NULL, error);

    if (rc == STOCKCERT_OK && state->holder) {
        stockcert_tool_line(stdout, "locked     by process %d%s%s%s for more "
                            "than a second: nothing is issued until it lets go",
                            (int) state->holder, state->command[0] ? " (" : "",
                            state->command, state->command[0] ? ")" : "");
    }

    return rc;
}


/* the inventory as in the API, then what is known of the file */

static stockcert_rc_e
stockcert_tool_status_json(stockcert_state_t *state, stockcert_error_t *error)
{
    size_t                    i;
    stockcert_rc_e            rc;
    stockcert_str_t           company;
    const stockcert_class_t  *class;

    company = stockcert_ledger_company(state->ledger);

    printf("{\"company\":");
    stockcert_json_string(stdout, &company);
    printf(",\"created\":\"%s\",\"format\":%d,\"entries\":%" PRIu64,
           state->created, STOCKCERT_FORMAT, state->entries);

    if (state->entries) {
        printf(",\"last_at\":\"%s\",\"seal\":\"%s\"", state->last, state->seal);
    }

    printf(",\"classes\":[");

    for (i = 0; i < state->nclasses; i++) {
        class = &state->classes[i];

        printf("%s{\"class\":\"%.*s\",\"title\":", i ? "," : "",
               (int) class->code.len, class->code.data);
        stockcert_json_string(stdout, &class->title);
        printf(",\"authorized\":%" PRIu64 ",\"issued\":%" PRIu64
               ",\"remaining\":%" PRIu64 ",\"certificates\":%" PRIu64 "}",
               class->authorized, class->issued,
               class->authorized - class->issued, class->last);
    }

    printf("],\"size\":%" PRIu64 ",\"size_max\":%" PRIu64 ",\"disk\":\"%s\","
           "\"readers_max\":%u,\"readers\":[", state->usage.used,
           state->usage.size, state->filesystem, state->usage.readers_max);

    rc = stockcert_ledger_readers(state->ledger,
                                  stockcert_tool_status_json_reader, state,
                                  error);
    printf("]");

    stockcert_tool_status_ask(state);
    stockcert_tool_shared_json(&state->shared);

    if (state->ahead) {
        printf(",\"clock_behind\":%" PRIu64, state->ahead);
    }

    if (state->holder) {
        printf(",\"locked_by\":%d", (int) state->holder);
    }

    printf("}\n");

    return rc;
}


/* etcd takes its time: a snapshot would keep pages from being used again */

static void
stockcert_tool_status_ask(stockcert_state_t *state)
{
    stockcert_ledger_release(state->ledger);

    state->status = stockcert_tool_shared_read(&state->shared, state->ledger,
                                               &state->end);
}


static int
stockcert_tool_status_reader(const char *line, void *data)
{
    (void) data;

    /* this process reads just now, too */

    if (strtol(line, NULL, 10) == (long) getpid()) {
        return 0;
    }

    return printf("%s", line);
}


/* a line is a heading, or begins with the number of a process */

static int
stockcert_tool_status_json_reader(const char *line, void *data)
{
    long                pid;
    stockcert_state_t  *state;

    state = data;
    pid = strtol(line, NULL, 10);

    if (pid <= 0 || pid == (long) getpid()) {
        return 0;
    }

    pid = printf("%s%ld", state->some ? "," : "", pid);
    state->some = 1;

    return (int) pid;
}


static void
stockcert_tool_status_command(stockcert_state_t *state)
{
    char   path[64];
    FILE  *file;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int) state->holder);

    file = fopen(path, "re");
    if (file == NULL) {
        return;
    }

    if (fgets(state->command, sizeof(state->command), file) == NULL) {
        state->command[0] = '\0';
    }

    (void) fclose(file);

    state->command[strcspn(state->command, "\n")] = '\0';
}


/*
 * Finds who keeps the writers' lock: the same process had it at each look, and
 * the journal's end did not move.  In a ledger that issues, somebody has the
 * lock most of the time.
 */

static pid_t
stockcert_tool_stuck(stockcert_ledger_t *ledger, stockcert_rc_e *rc,
    stockcert_error_t *error)
{
    int       n;
    pid_t     holder;
    uint64_t  end, now;

    static const struct timespec  pause = { 0, STOCKCERT_LOOK };

    *rc = STOCKCERT_OK;

    holder = stockcert_ledger_holder(ledger);

    if (holder == 0) {
        return 0;
    }

    *rc = stockcert_tool_end(ledger, &end, error);
    now = end;

    for (n = 0; n < STOCKCERT_LOOKS && *rc == STOCKCERT_OK; n++) {

        nanosleep(&pause, NULL);

        if (stockcert_ledger_holder(ledger) != holder || now != end) {
            return 0;
        }

        *rc = stockcert_tool_end(ledger, &now, error);
    }

    return now == end ? holder : 0;
}


static stockcert_rc_e
stockcert_tool_end(stockcert_ledger_t *ledger, uint64_t *position,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  last;

    stockcert_ledger_release(ledger);

    rc = stockcert_ledger_snapshot(ledger, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_last(ledger, &last, error);
        *position = rc == STOCKCERT_OK ? last.position : 0;
    }

    return rc == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : rc;
}
