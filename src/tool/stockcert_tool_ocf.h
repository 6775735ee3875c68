
/*
 * Files of the Open Cap Format 1.2.0 (Open Cap Table Coalition): what the
 * ledger knows, and what OCF requires besides and is given on the command line.
 */


#ifndef STOCKCERT_TOOL_OCF_H
#define STOCKCERT_TOOL_OCF_H


#include <stdio.h>

#include "stockcert_ledger.h"
#include "stockcert_tool_holdings.h"
#include "stockcert_value.h"


/* for getopt_long(): what it returns is for stockcert_ocf_option() */

#define STOCKCERT_OCF_OPTIONS                                                 \
    { "formed", required_argument, NULL, 'd' },                               \
    { "country", required_argument, NULL, 'c' },                              \
    { "holders", required_argument, NULL, 'h' },                              \
    { "holders-file", required_argument, NULL, 'H' },                         \
    { "class", required_argument, NULL, 'C' }


/* as it was given, the strings are not terminated */

typedef struct {
    stockcert_str_t     code;
    stockcert_str_t     type;          /* COMMON, PREFERRED */
    stockcert_str_t     votes;
    stockcert_str_t     seniority;
    stockcert_str_t     price;
    stockcert_str_t     currency;
} stockcert_ocf_class_t;


/* what is known of holders besides: a tree of stockcert_ocf_person_t */

typedef struct {
    const char             *path;      /* of the file that has it, or NULL */
    void                   *tree;
} stockcert_ocf_persons_t;


/* "key" is first, as their tree is ordered by it */

typedef struct {
    stockcert_party_key_t   key;       /* its text is the array below */
    const char             *type;      /* INDIVIDUAL, INSTITUTION, or NULL */
    char                    country[3];        /* or empty */
    char                    text[];
} stockcert_ocf_person_t;


/* zero before the first option */

typedef struct {
    const char             *formed;    /* date */
    const char             *country;
    const char             *holders;   /* INDIVIDUAL, INSTITUTION */
    stockcert_ocf_persons_t persons;
    size_t                  nclasses;
    stockcert_ocf_class_t   classes[STOCKCERT_CLASSES_MAX];
} stockcert_ocf_t;


/* a transaction whose entries are being written */

typedef struct {
    stockcert_entry_t       first;
    uint64_t                from;      /* number of the first result, */
    uint64_t                to;        /* and one above that of the last, without
                                          the balance */
    uint64_t                balance;   /* number, or 0 */
    uint64_t                left;      /* shares that no object has yet, of those
                                          that are not in the balance */
} stockcert_ocf_group_t;


/* what the items are made from */

typedef struct {
    stockcert_ledger_t     *ledger;
    const stockcert_ocf_t  *ocf;
    stockcert_holdings_t   *holdings;
    const char             *separator; /* before the next item */
    stockcert_ocf_group_t   group;
} stockcert_ocf_source_t;


/*
 * All three return an exit code.  stockcert_ocf_complete() makes sure that all
 * is there which OCF requires with these n classes.  stockcert_ocf_export()
 * makes the files of the ledger in the directory ledger, in a new directory
 * path.
 */

int stockcert_ocf_option(stockcert_ocf_t *ocf, int option, const char *value);
int stockcert_ocf_complete(const stockcert_ocf_t *ocf,
    const stockcert_class_t *classes, size_t n);
int stockcert_ocf_export(const char *ledger, const stockcert_ocf_t *ocf,
    const char *path);

/*
 * The items of an entry, in the order of the journal: none, or one.  An error
 * is one of reading.  stockcert_tool_ocf_items.c.
 */

stockcert_rc_e stockcert_ocf_stakeholder(FILE *file,
    stockcert_ocf_source_t *source, const stockcert_entry_t *entry,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ocf_stock_class(FILE *file,
    stockcert_ocf_source_t *source, const stockcert_entry_t *entry,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ocf_transaction(FILE *file,
    stockcert_ocf_source_t *source, const stockcert_entry_t *entry,
    stockcert_error_t *error);

/*
 * The file of --holders-file: lines of JSON as "stockcert holders --format
 * jsonl" has them, with "type" and "country" besides.
 * stockcert_ocf_persons_known() makes sure that all in it are holders here.  Both
 * return an exit code.  stockcert_ocf_person() returns
 * what the file says of a holder, or NULL.  stockcert_tool_ocf_persons.c.
 */

int stockcert_ocf_persons_read(stockcert_ocf_persons_t *persons,
    const char *path);
int stockcert_ocf_persons_known(const stockcert_ocf_persons_t *persons,
    const stockcert_holdings_t *holdings);
const stockcert_ocf_person_t *stockcert_ocf_person(
    const stockcert_ocf_persons_t *persons, const stockcert_party_t *party);

/* The letters of a country, two of them. */

int stockcert_ocf_is_country(const char *text, size_t len);

/* What was given of a class, or NULL. */

const stockcert_ocf_class_t *stockcert_ocf_class(const stockcert_ocf_t *ocf,
    const stockcert_str_t *code);


#endif /* STOCKCERT_TOOL_OCF_H */
