
/*
 * Files of the Open Cap Format 1.2.0 (Open Cap Table Coalition).  They have
 * what the ledger knows, and what OCF requires besides, from the command line.
 */


#ifndef STOCKCERT_TOOL_OCF_H
#define STOCKCERT_TOOL_OCF_H


#include <stdio.h>

#include "stockcert_ledger.h"


#define STOCKCERT_OCF_DATE_LEN  (sizeof("2026-11-23") - 1)


/* for getopt_long(): what it returns is for stockcert_ocf_option() */

#define STOCKCERT_OCF_OPTIONS                                                 \
    { "formed", required_argument, NULL, 'd' },                               \
    { "country", required_argument, NULL, 'c' },                              \
    { "holders", required_argument, NULL, 'h' },                              \
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


/* zero before the first option */

typedef struct {
    const char             *formed;    /* date */
    const char             *country;
    const char             *holders;   /* INDIVIDUAL, INSTITUTION */
    size_t                  nclasses;
    stockcert_ocf_class_t   classes[STOCKCERT_CLASSES_MAX];
} stockcert_ocf_t;


/*
 * All three return an exit code.  stockcert_ocf_complete() checks that all is
 * there which OCF requires with these n classes.  stockcert_ocf_export() makes
 * the files of the ledger in the directory ledger, in a new directory path.
 */

int stockcert_ocf_option(stockcert_ocf_t *ocf, int option, const char *value);

/*
 * Whether all is there which OCF requires with these n classes.  Returns an
 * exit code.
 */

int stockcert_ocf_complete(const stockcert_ocf_t *ocf,
    const stockcert_class_t *classes, size_t n);

/*
 * Makes the files of the ledger in the directory ledger, in a new directory
 * path. Returns an exit code.
 */

int stockcert_ocf_export(const char *ledger, const stockcert_ocf_t *ocf,
    const char *path);

/* What was given for a class, or NULL. */

const stockcert_ocf_class_t *stockcert_ocf_class(const stockcert_ocf_t *ocf,
    const stockcert_str_t *code);

/*
 * Writes the object of an entry, for which what OCF requires is complete, in
 * the ledger's snapshot.  That it could be written is for ferror() to tell;
 * what is returned is an error of reading.
 */

typedef stockcert_rc_e (*stockcert_ocf_write_pt)(FILE *file,
    const stockcert_ocf_t *ocf, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);

/* of an issued certificate; of an opened class; of all the others */

stockcert_rc_e stockcert_ocf_stakeholder(FILE *file,
    const stockcert_ocf_t *ocf, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_ocf_stock_class(FILE *file,
    const stockcert_ocf_t *ocf, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_ocf_transaction(FILE *file,
    const stockcert_ocf_t *ocf, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);


#endif /* STOCKCERT_TOOL_OCF_H */
