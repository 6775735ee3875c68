
/*
 * main() of the tool, the table of its commands, and how a ledger is opened
 * and read.
 *
 * It opens ledgers read-only unless a command asks for more.
 */


#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"


#define STOCKCERT_PIECE  256           /* entries */


typedef struct {
    const char   *name;
    int         (*run)(int argc, char **argv);
    const char   *synopsis;
    const char   *help;
} stockcert_command_t;


static const stockcert_command_t *stockcert_tool_command(const char *name);
static void stockcert_tool_help(FILE *file);
static int stockcert_tool_version(void);
static int stockcert_tool_is(const char *arg, const char *option,
    const char *letter);
static int stockcert_tool_piece(stockcert_ledger_t *ledger,
    uint64_t *position, uint64_t last, stockcert_write_pt write, FILE *file);


static const stockcert_command_t  stockcert_commands[] = {

    { "status", stockcert_tool_status, "LEDGER [--json]",
      "Shows the inventory, the journal's end, the format, sizes, the disk's file\n"
      "system, who reads, and who keeps the ledger locked.\n"
    },

    { "verify", stockcert_tool_verify, "LEDGER [--expect N:SEAL]",
      "Checks the whole ledger by replaying its journal, and with --expect that\n"
      "entry N still has the seal SEAL. Exits with 1 and names the first thing\n"
      "that is wrong.\n"
    },

    { "log", stockcert_tool_log, "LEDGER [-f] [--since N] [--json]",
      "Shows the journal, a line an entry.\n"
      "\n"
      "  -f, --follow   go on as it grows\n"
      "  --since N      only what comes after entry N\n"
      "  --json         the lines of \"stockcert export --format jsonl\"\n"
    },

    { "show", stockcert_tool_show, "LEDGER CERTIFICATE [--json]",
      "Shows a certificate, such as CS-17; with --json as the API has it. Exits with 1 if it was never issued.\n"
    },

    { "export", stockcert_tool_export,
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
      "  --class CODE:COMMON|PREFERRED:VOTES:SENIORITY:PRICE:CURRENCY\n"
      "                   of each class, such as CS:COMMON:1:1:0.0001:USD; PRICE is\n"
      "                   that of a share as it was issued\n"
    },

    { "import", stockcert_tool_import, "LEDGER FILE.jsonl [--size SIZE]",
      "Makes a new ledger of what \"stockcert export --format jsonl\" wrote: the\n"
      "same numbers, times and seals, or nothing. FILE.jsonl may be -.\n"
      "\n"
      "  --size SIZE   the most that it may grow to, such as 500m; 64g by default.\n"
      "                It takes address space, not disk.\n"
    },

    { "backup", stockcert_tool_backup, "LEDGER DEST",
      "Makes a copy of the ledger as it is now, also while nginx issues, and\n"
      "verifies it.\n"
    },

    { "authorize", stockcert_tool_authorize,
      "LEDGER CLASS SHARES --reference TEXT",
      "Sets the authorized shares of a class; TEXT is what allows it, such as\n"
      "\"Board resolution 2026-11-20\". Also while nginx issues. The number that\n"
      "is there already changes nothing, and makes no entry.\n"
    },

    { "cancel", stockcert_tool_cancel, "LEDGER CERTIFICATE --reason TEXT",
      "Cancels a certificate, such as CS-17. Its number stays used, its shares\n"
      "can be issued again. Also while nginx issues.\n"
    },

    { NULL, NULL, NULL, NULL }
};


int
main(int argc, char **argv)
{
    char                        name[64];
    const stockcert_command_t  *command;

    if (stockcert_tool_standard() != STOCKCERT_EXIT_OK) {
        return STOCKCERT_EXIT_FAILED;
    }

    /* files made from a ledger are for its owner only, as the ledger is */

    (void) umask(077);

    if (argc < 2) {
        stockcert_tool_help(stderr);
        return STOCKCERT_EXIT_USAGE;
    }

    if (stockcert_tool_is(argv[1], "--help", "-h")
        || strcmp(argv[1], "help") == 0)
    {
        stockcert_tool_help(stdout);
        return stockcert_tool_flush();
    }

    if (stockcert_tool_is(argv[1], "--version", "-V")) {
        return stockcert_tool_version();
    }

    command = stockcert_tool_command(argv[1]);

    if (command == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "there is no command "
                                    "\"%s\": see \"stockcert --help\"",
                                    argv[1]);
    }

    if (argc > 2 && stockcert_tool_is(argv[2], "--help", "-h")) {
        printf("stockcert %s %s\n\n%s", command->name, command->synopsis,
               command->help);
        return stockcert_tool_flush();
    }

    snprintf(name, sizeof(name), "stockcert %s", command->name);
    argv[1] = name;

    return command->run(argc - 1, argv + 1);
}


static const stockcert_command_t *
stockcert_tool_command(const char *name)
{
    const stockcert_command_t  *command;

    for (command = stockcert_commands; command->name; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }

    return NULL;
}


static void
stockcert_tool_help(FILE *file)
{
    const stockcert_command_t  *command;

    fprintf(file, "stockcert: the stock ledger as a record\n\n");

    for (command = stockcert_commands; command->name; command++) {
        fprintf(file, "  stockcert %-9s %s\n", command->name,
                command->synopsis);
    }

    fprintf(file, "\nLEDGER is the ledger's directory. For more: stockcert "
            "COMMAND --help, stockcert --version, man stockcert.\n"
            "Exit codes: 0; 1, what was asked is not so; 2, usage; 3, it could "
            "not be done.\n");
}


static int
stockcert_tool_version(void)
{
    char  text[80];

    stockcert_ledger_version(text, sizeof(text));
    printf("%s\n", text);

    return stockcert_tool_flush();
}


static int
stockcert_tool_is(const char *arg, const char *option, const char *letter)
{
    return strcmp(arg, option) == 0 || strcmp(arg, letter) == 0;
}


int
stockcert_tool_usage(char **argv)
{
    const char                 *name;
    const stockcert_command_t  *command;

    name = strchr(argv[0], ' ') + 1;
    command = stockcert_tool_command(name);

    return stockcert_tool_error(STOCKCERT_EXIT_USAGE,
                                "usage: stockcert %s %s", name,
                                command->synopsis);
}


int
stockcert_tool_not_read(const stockcert_error_t *error)
{
    return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                "cannot read the ledger: %s", error->text);
}


int
stockcert_tool_entries(stockcert_ledger_t *ledger, uint64_t *position,
    uint64_t last, stockcert_write_pt write, FILE *file, const char *progress)
{
    int        status;
    char      *text;
    FILE      *piece;
    size_t     len;
    uint64_t   after;

    do {
        after = *position;

        piece = open_memstream(&text, &len);
        if (piece == NULL) {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                        "open_memstream() failed: %s",
                                        strerror(errno));
        }

        status = stockcert_tool_piece(ledger, position, last, write, piece);

        if (fclose(piece) == EOF && status == STOCKCERT_EXIT_OK) {
            status = stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                          "cannot write to memory: %s",
                                          strerror(errno));
        }

        if (status == STOCKCERT_EXIT_OK && fwrite(text, 1, len, file) != len) {
            status = stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                          "cannot write the output: %s",
                                          strerror(errno));
        }

        free(text);

        if (progress) {
            stockcert_tool_progress(progress, "entries", *position, last);
        }

    } while (status == STOCKCERT_EXIT_OK && *position != after);

    return status;
}


static int
stockcert_tool_piece(stockcert_ledger_t *ledger, uint64_t *position,
    uint64_t last, stockcert_write_pt write, FILE *file)
{
    int                n;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    rc = stockcert_ledger_snapshot(ledger, &error);

    if (rc == STOCKCERT_OK) {

        for (n = 0; n < STOCKCERT_PIECE && *position < last; n++) {

            rc = stockcert_ledger_entry(ledger, *position + 1, &entry, &error);
            if (rc != STOCKCERT_OK) {
                break;
            }

            rc = write(file, ledger, &entry, &error);
            if (rc != STOCKCERT_OK) {
                break;
            }

            ++*position;
        }

        stockcert_ledger_release(ledger);
    }

    if (rc == STOCKCERT_OK || rc == STOCKCERT_NOT_FOUND) {
        return STOCKCERT_EXIT_OK;
    }

    return stockcert_tool_not_read(&error);
}


stockcert_rc_e
stockcert_tool_write_json(FILE *file, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    (void) ledger;
    (void) error;

    stockcert_json_entry(file, entry);

    return STOCKCERT_OK;
}


int
stockcert_tool_finish(stockcert_whole_t *whole, int status)
{
    if (status != STOCKCERT_EXIT_OK) {
        stockcert_whole_undo(whole);
        return status;
    }

    switch (stockcert_whole_finish(whole)) {

    case 0:
        return STOCKCERT_EXIT_OK;

    case 1:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "%s is made, but a "
                                    "power cut may take it away: %s",
                                    whole->path, strerror(errno));
    default:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot make %s: %s",
                                    whole->path, strerror(errno));
    }
}
