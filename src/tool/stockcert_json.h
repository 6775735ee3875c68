
/*
 * The journal as lines of JSON (RFC 8259): "stockcert export --format jsonl"
 * writes them, "stockcert import" reads them.  The first line is the header:
 *
 *     {"stockcert":2,"company":"Impossible Cuts Inc.","created":"2026-…Z",
 *      "entries":5,"seal":"…"}
 *
 * with the number of entries that follow and the seal of the last one (that of
 * the header, if there is none).  Each other line is an entry:
 *
 *     {"entry":1,"kind":"opened","time":"…","class":"CS","shares":2600000,
 *      "title":"Common Stock","nonce":"…","seal":"…"}
 *     {"entry":2,"kind":"issued","time":"…","class":"CS","number":1,"shares":10,
 *      "name":"Salt Bae","key":"…","nonce":"…","seal":"…"}
 *     {"entry":3,"kind":"amended","time":"…","class":"CS","shares":3000000,
 *      "nonce":"…","reference":"…","seal":"…"}
 *     {"entry":4,"kind":"surrendered","time":"…","class":"CS","number":1,
 *      "shares":10,"nonce":"…","type":"cancel","member":1,"surrenders":1,
 *      "issues":1,"reference":"…","actor":"uid:0","seal":"…"}
 *     {"entry":5,"kind":"issued","time":"…","class":"CS","number":2,"shares":4,
 *      "name":"Salt Bae","member":2,"balance":true,"seal":"…"}
 *
 * Between "time" and "seal" are the fields that the entry has, with their
 * names, in the order of stockcert_kinds.h.  A type and a reason are written by
 * their names, a flag as true, nonces and hashes in hexadecimal digits.
 */


#ifndef STOCKCERT_JSON_H
#define STOCKCERT_JSON_H


#include <stdio.h>

#include "stockcert_entry.h"


/*
 * Bytes of a line that is read.  Another program may have written each byte of
 * an entry as six, such as "\u0041"; names and numbers come on top.
 */

#define STOCKCERT_JSON_MAX  (6 * STOCKCERT_ENTRY_MAX + 2048)


/* what a line holds, with all that it points to */

typedef struct {
    stockcert_header_t  header;
    uint64_t            entries;       /* these with a header */
    stockcert_entry_t   entry;

    uint8_t             seal[STOCKCERT_SEAL_LEN];
    char                company[STOCKCERT_TEXT_MAX];
    char                strings[STOCKCERT_FIELD_END][STOCKCERT_TEXT_MAX];
    char                fault[64];
} stockcert_json_line_t;


/*
 * Write a line, and a string with its quotes.  Texts must be valid by
 * stockcert_text.h. ferror() tells if the write failed.
 */

void stockcert_json_header(FILE *file, const stockcert_header_t *header,
    uint64_t entries, const uint8_t *seal);
void stockcert_json_entry(FILE *file, const stockcert_entry_t *entry);
void stockcert_json_string(FILE *file, const stockcert_str_t *str);

/*
 * The value of a field as a text: digits, a name, "true", hexadecimal digits,
 * or the string as it is; of 0 bytes if the entry does not have it.  room has
 * STOCKCERT_HEX_LEN + 1 bytes, which the text may be in.
 */

stockcert_str_t stockcert_json_text(const stockcert_entry_t *entry,
    const stockcert_field_t *field, char *room);

/*
 * Read a line of len bytes, whose members are known, and there once.  A header
 * has all of them.  An entry has "entry", "kind", "time" and "seal"; which
 * fields it must have, and whether it may come next, is for the ledger to say.
 *
 * Return NULL, or what is wrong with it, as the end of a sentence, which may be
 * of the line.
 */

const char *stockcert_json_parse_header(const char *json, size_t len,
    stockcert_json_line_t *line);
const char *stockcert_json_parse_entry(const char *json, size_t len,
    stockcert_json_line_t *line);


#endif /* STOCKCERT_JSON_H */
