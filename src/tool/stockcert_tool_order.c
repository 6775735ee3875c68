
/*
 * Reads an order for the tool, and says what is wrong with it, in the words of
 * its arguments, or of its file.
 *
 * It touches no ledger.
 */


#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_order.h"


static int stockcert_tool_order_file(const char *name, char *text, size_t *len);
static int stockcert_tool_order_parse(const stockcert_tool_order_t *o,
    const char *text, size_t len, stockcert_order_t **order);
static int stockcert_tool_order_fault(const stockcert_tool_order_t *o,
    const stockcert_fault_t *fault);


int
stockcert_tool_order_read(const stockcert_tool_order_t *o,
    stockcert_order_t **order)
{
    int      status;
    char    *text;
    size_t   len;

    len = 0;
    text = o->file ? malloc(STOCKCERT_ORDER_MAX + 1)
                   : json_dumps(o->body, JSON_COMPACT);

    if (text == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "there is no memory");
    }

    if (o->file) {
        status = stockcert_tool_order_file(o->file, text, &len);

    } else {
        status = STOCKCERT_EXIT_OK;
        len = strlen(text);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_order_parse(o, text, len, order);
    }

    free(text);

    return status;
}


/* one byte more than an order may have is enough */

static int
stockcert_tool_order_file(const char *name, char *text, size_t *len)
{
    int    failed;
    FILE  *file;

    file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");

    failed = (file == NULL);

    if (file) {
        *len = fread(text, 1, STOCKCERT_ORDER_MAX + 1, file);
        failed = ferror(file);
    }

    if (failed) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot read %s: %s",
                                    file == stdin ? "standard input" : name,
                                    strerror(errno));
    }

    if (file != stdin) {
        (void) fclose(file);
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_tool_order_parse(const stockcert_tool_order_t *o, const char *text,
    size_t len, stockcert_order_t **order)
{
    const char         *what;
    stockcert_fault_t   fault;

    if (stockcert_order_parse(text, len, order, &fault) != 0) {
        return stockcert_tool_order_fault(o, &fault);
    }

    if ((*order)->first.type != o->type) {
        what = stockcert_transaction((*order)->first.type)->name;

        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the type in %s "
                                    "is \"%s\", use \"stockcert %s\"", o->file,
                                    what, what);
    }

    if (o->key) {
        what = stockcert_key_fault(o->key, strlen(o->key));
        if (what) {
            return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the key %s",
                                        what);
        }

        stockcert_order_set_key(*order, o->key, strlen(o->key));
    }

    return STOCKCERT_EXIT_OK;
}


/* in the words of the arguments, if it is of them */

static int
stockcert_tool_order_fault(const stockcert_tool_order_t *o,
    const stockcert_fault_t *fault)
{
    char         name[32];
    size_t       i;
    const char  *member, *from;

    member = fault->member;

    if (fault->kind == STOCKCERT_NO_MEMORY) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "there is no memory");
    }

    if (!fault->has_member) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: %s",
                                    fault->detail);
    }

    if (o->file) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: \"%s\" in %s "
                                    "%s", member, o->file, fault->detail);
    }

    if (sscanf(member, "from[%zu]", &i) == 1) {
        from = json_string_value(json_array_get(json_object_get(o->body, "from"),
                                                i));

        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: %s %s", from,
                                    fault->detail);
    }

    if (sscanf(member, "to[%zu].%31s", &i, name) == 2) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the %s of --to "
                                    "number %zu %s", name, i + 1,
                                    fault->detail);
    }

    return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the %s %s", member,
                                fault->detail);
}
