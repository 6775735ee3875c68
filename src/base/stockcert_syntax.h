
/*
 * Whether a text is JSON, which is asked before anything else of it.
 */


#ifndef STOCKCERT_SYNTAX_H
#define STOCKCERT_SYNTAX_H


#include <stddef.h>


#define STOCKCERT_SYNTAX_MAX  (16 * 1024)    /* bytes of a text */


/*
 * Checks that the len bytes at json, at most STOCKCERT_SYNTAX_MAX, are JSON
 * (RFC 8259) in UTF-8, whose escaped surrogates come in pairs.  Objects and
 * arrays may be nested as deep as they come.
 *
 * Returns NULL, with the text at copy, which has room for as much: there, a
 * number that is not an integer of at most 16 digits is a 0 and white space, so
 * that every number fits into 64 bits.  Otherwise returns where it ceases to be
 * JSON, json + len if more must follow, and what is at copy means nothing.  Any
 * thread may call it.
 */

const char *stockcert_syntax(const char *json, size_t len, char *copy);


#endif /* STOCKCERT_SYNTAX_H */
