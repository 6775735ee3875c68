
/* Checks that a text is JSON, before anything else reads it. */


#ifndef STOCKCERT_SYNTAX_H
#define STOCKCERT_SYNTAX_H


#include <stddef.h>


/* bytes that a text of len bytes needs: a copy, and a bit for each level */

#define STOCKCERT_SYNTAX_ROOM(len)  ((len) + (len) / 8 + 1)


/*
 * Checks that the len bytes at json are JSON (RFC 8259) in UTF-8, whose escaped
 * surrogates come in pairs.  Objects and arrays may be nested as deep as they
 * come.  copy has room for STOCKCERT_SYNTAX_ROOM(len) bytes.
 *
 * Returns NULL, with the text in the first len bytes at copy: there, a number
 * that is not an integer of at most 16 digits is a 0 and white space, so that
 * every number fits into 64 bits.  Otherwise returns where it ceases to be
 * JSON, json + len if more must follow, and what is at copy means nothing.  Any
 * thread may call it.
 */

const char *stockcert_syntax(const char *json, size_t len, char *copy);


#endif /* STOCKCERT_SYNTAX_H */
