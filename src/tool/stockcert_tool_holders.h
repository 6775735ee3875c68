
/*
 * The list of stockholders: what "stockcert holders" found, and how it is
 * written.
 */


#ifndef STOCKCERT_TOOL_HOLDERS_H
#define STOCKCERT_TOOL_HOLDERS_H


#include <stdio.h>

#include "stockcert_tool_holdings.h"


/*
 * list is in the order of holders (by name, then by id), classes (by code),
 * capacities (none first) and numbers.
 */

typedef struct {
    stockcert_str_t        company;
    stockcert_entry_t      last;       /* entry, with its seal, */
    uint8_t                seal[STOCKCERT_SEAL_LEN];       /* which is here */
    stockcert_held_t     **classes;    /* that are listed */
    size_t                 nclasses;
    stockcert_holding_t  **list;
    size_t                 n;
} stockcert_holders_t;


/* The formats.  ferror() tells if it could not be written. */

void stockcert_holders_table(FILE *file, const stockcert_holders_t *holders);
void stockcert_holders_csv(FILE *file, const stockcert_holders_t *holders);
void stockcert_holders_jsonl(FILE *file, const stockcert_holders_t *holders);
void stockcert_holders_html(FILE *file, const stockcert_holders_t *holders);

/*
 * The end of the row that begins at list[i]: certificates of one holder, class
 * and capacity; *shares are those of all of them.
 * stockcert_holders_class_end() does not part capacities.
 */

size_t stockcert_holders_row(const stockcert_holders_t *holders, size_t i,
    uint64_t *shares);
size_t stockcert_holders_class_end(const stockcert_holders_t *holders, size_t i,
    uint64_t *shares);

/* How many holders a class has. */

uint64_t stockcert_holders_count(const stockcert_holders_t *holders,
    const stockcert_held_t *class);


#endif /* STOCKCERT_TOOL_HOLDERS_H */
