
/*
 * What the arguments of commands mean.
 *
 * It touches no ledger.
 */


#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_tool.h"


#define STOCKCERT_SIZE_MIN  ((uint64_t) 1 << 20)
#define STOCKCERT_SIZE_MAX  ((uint64_t) 1 << 46)


int
stockcert_tool_arguments(int argc, char **argv, int n)
{
    static const struct option  none[] = { { NULL, 0, NULL, 0 } };

    return getopt_long(argc, argv, "", none, NULL) == -1 && argc - 1 == n
           && optind == 1;
}


int
stockcert_tool_json(int argc, char **argv, int n)
{
    int                         c, json;

    static const struct option  options[] = {
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 }
    };

    json = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c != 'j') {
            return -1;
        }

        json = 1;
    }

    if (argc - optind != n) {
        return -1;
    }

    memmove(argv + 1, argv + optind, (size_t) n * sizeof(char *));

    return json;
}


int
stockcert_tool_size(const char *text, size_t *size)
{
    size_t       len;
    uint64_t     n, unit;
    const char  *units, *letter;

    units = "kKmMgG";
    len = strcspn(text, units);
    letter = text[len] ? strchr(units, text[len]) : NULL;
    unit = letter ? (uint64_t) 1024 << 10 * ((letter - units) / 2) : 1;

    if ((letter && text[len + 1])
        || stockcert_parse_number(text, len, &n) != 0
        || n > STOCKCERT_SIZE_MAX / unit || n * unit < STOCKCERT_SIZE_MIN)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--size takes bytes, "
                                    "such as 500m or 64g, at least 1m and at "
                                    "most 65536g, not \"%s\"", text);
    }

    *size = (size_t) (n * unit);

    return STOCKCERT_EXIT_OK;
}


int
stockcert_tool_certificate(const char *text, stockcert_str_t *code,
    uint64_t *number)
{
    if (stockcert_parse_id(text, strlen(text), code, number) != 0) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "CERTIFICATE must be "
                                    "one such as CS-17, not \"%s\"; numbers are 1 "
                                    "to %" PRIu64, text,
                                    (uint64_t) STOCKCERT_SHARES_MAX);
    }

    return STOCKCERT_EXIT_OK;
}


int
stockcert_tool_since(const char *text, uint64_t *position)
{
    if (stockcert_parse_number(text, strlen(text), position) != 0) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--since takes the "
                                    "number of an entry, 0 to %" PRIu64
                                    ", not \"%s\"",
                                    (uint64_t) STOCKCERT_SHARES_MAX, text);
    }

    return STOCKCERT_EXIT_OK;
}
