
/*
 * The journal's entries, written for whoever reads them, however slowly.
 *
 * It reads the ledger in short snapshots.
 */


#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_json.h"
#include "stockcert_tool.h"


#define STOCKCERT_PIECE  256           /* entries */


static int stockcert_tool_piece(stockcert_ledger_t *ledger,
    uint64_t *position, uint64_t last, stockcert_write_pt write, FILE *file);


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
    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    /* below the journal's end, each entry must be there */

    rc = stockcert_ledger_last(ledger, &entry, &error);

    if (rc == STOCKCERT_NOT_FOUND) {
        last = 0;
        rc = STOCKCERT_OK;

    } else if (rc == STOCKCERT_OK && last > entry.position) {
        last = entry.position;
    }

    for (n = 0;
         rc == STOCKCERT_OK && n < STOCKCERT_PIECE && *position < last;
         n++)
    {
        rc = stockcert_ledger_entry(ledger, *position + 1, &entry, &error);

        if (rc == STOCKCERT_OK) {
            rc = write(file, ledger, &entry, &error);
        }

        if (rc == STOCKCERT_OK) {
            ++*position;
        }
    }

    stockcert_ledger_release(ledger);

    return rc == STOCKCERT_OK ? STOCKCERT_EXIT_OK
                              : stockcert_tool_not_read(&error);
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


stockcert_rc_e
stockcert_tool_first(stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_entry_t *first, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (entry->member <= 1) {
        *first = *entry;
        return STOCKCERT_OK;
    }

    rc = stockcert_ledger_entry(ledger, stockcert_entry_first(entry), first,
                                error);

    if (rc == STOCKCERT_NOT_FOUND) {
        *first = *entry;
        return STOCKCERT_OK;
    }

    return rc;
}


stockcert_rc_e
stockcert_tool_ids(stockcert_ledger_t *ledger, uint64_t position, uint64_t n,
    int json, char **ids, stockcert_error_t *error)
{
    size_t             len, size;
    uint64_t           i;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    if (n > STOCKCERT_TO_MAX + 1) {
        n = STOCKCERT_TO_MAX + 1;
    }

    size = (size_t) n * (STOCKCERT_ID_MAX + sizeof("\"\", ")) + 1;
    len = 0;

    *ids = calloc(1, size);
    if (*ids == NULL) {
        snprintf(error->text, sizeof(error->text), "there is no memory");
        return STOCKCERT_FAILED;
    }

    for (i = 0; i < n; i++) {

        rc = stockcert_ledger_entry(ledger, position + i, &entry, error);

        if (rc == STOCKCERT_NOT_FOUND) {
            snprintf(error->text, sizeof(error->text), "a transaction is not "
                     "whole: see \"stockcert verify\"");
            rc = STOCKCERT_FAILED;
        }

        if (rc != STOCKCERT_OK) {
            free(*ids);
            return rc;
        }

        len += (size_t) snprintf(*ids + len, size - len,
                                 json ? "%s\"" STOCKCERT_ID "\""
                                      : "%s" STOCKCERT_ID,
                                 i == 0 ? "" : json ? "," : ", ",
                                 STOCKCERT_ID_OF(entry.code, entry.number));
        if (len >= size) {
            len = size - 1;
        }
    }

    return STOCKCERT_OK;
}
