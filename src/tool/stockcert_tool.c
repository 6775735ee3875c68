
/*
 * main() of the tool, and the table of its commands.  Nothing calls what is
 * here.
 */


#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stockcert_tool.h"


static const stockcert_command_t *stockcert_tool_command(const char *name);
static void stockcert_tool_help(FILE *file);
static int stockcert_tool_version(void);
static int stockcert_tool_is(const char *arg, const char *option,
    const char *letter);


static const stockcert_command_t *const  stockcert_commands[] = {
    &stockcert_command_status,
    &stockcert_command_verify,
    &stockcert_command_log,
    &stockcert_command_show,
    &stockcert_command_holders,
    &stockcert_command_export,
    &stockcert_command_import,
    &stockcert_command_backup,
    &stockcert_command_authorize,
    &stockcert_command_transfer,
    &stockcert_command_reissue,
    &stockcert_command_repurchase,
    &stockcert_command_cancel,
    &stockcert_command_correct,
    &stockcert_command_holder,
    &stockcert_command_replicate,
    NULL
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
    size_t  i;

    for (i = 0; stockcert_commands[i]; i++) {
        if (strcmp(stockcert_commands[i]->name, name) == 0) {
            return stockcert_commands[i];
        }
    }

    return NULL;
}


static void
stockcert_tool_help(FILE *file)
{
    size_t  i;

    fprintf(file, "stockcert: the stock ledger as a record\n\n");

    for (i = 0; stockcert_commands[i]; i++) {
        fprintf(file, "  stockcert %-10s %s\n", stockcert_commands[i]->name,
                stockcert_commands[i]->synopsis);
    }

    fprintf(file, "\nLEDGER is the ledger's directory. For more: stockcert "
            "COMMAND --help, stockcert --version, man stockcert.\n"
            "Exit codes: 0; 1, what was asked is not so; 2, usage; 3, it could "
            "not be done;\n4, it is not known whether it is done.\n");
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
