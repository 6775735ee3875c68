
/* Checks that a text is JSON, before anything else reads it. */


#ifndef STOCKCERT_SYNTAX_H
#define STOCKCERT_SYNTAX_H


#include <stddef.h>


#define STOCKCERT_SYNTAX_MAX  (16 * 1024)    /* bytes of a text */


/*
 * Checks that the len bytes at json, at most STOCKCERT_SYNTAX_MAX, are JSON
 * (RFC 8259) in UTF-8, and that escaped surrogates come in pairs.  Objects and
 * arrays may be nested to any depth.
 *
 * Returns NULL, with a copy of the text at copy, which has room for len bytes.
 * In the copy, a number that is not an integer of at most 16 digits is a 0 and
 * white space, so every number fits into 64 bits.  Otherwise it returns the
 * place where the text stops being JSON, or json + len if more must follow;
 * copy is then not valid.  Any thread may call it.
 */

const char *stockcert_syntax(const char *json, size_t len, char *copy);


#endif /* STOCKCERT_SYNTAX_H */
