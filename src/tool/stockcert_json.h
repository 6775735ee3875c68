
/*
 * The journal as lines of JSON (RFC 8259): "stockcert export --format jsonl"
 * writes them, "stockcert import" reads them.  The first line is the header:
 *
 *     {"stockcert":1,"company":"Impossible Cuts Inc.","created":"2026-…Z",
 *      "entries":4,"seal":"…"}
 *
 * with the number of entries that follow and the seal of the last one (that of
 * the header, if there is none).  Each other line is an entry:
 *
 *     {"entry":1,"kind":"opened","time":"…","class":"CS","shares":2600000,
 *      "title":"Common Stock","seal":"…"}
 *     {"entry":2,"kind":"issued","time":"…","class":"CS","number":1,"shares":10,
 *      "name":"Salt Bae","key":"…","seal":"…"}
 *     {"entry":3,"kind":"amended","time":"…","class":"CS","shares":3000000,
 *      "reference":"…","seal":"…"}
 *     {"entry":4,"kind":"cancelled","time":"…","class":"CS","number":1,
 *      "reason":"…","seal":"…"}
 *
 * "key" is there if the certificate has one.
 */


#ifndef STOCKCERT_JSON_H
#define STOCKCERT_JSON_H


#include <stdio.h>

#include "stockcert_entry.h"


#define STOCKCERT_JSON_MAX  4096       /* bytes of a line; more is never needed */


/* what a line holds, with all that it points to */

typedef struct {
    stockcert_header_t  header;
    uint64_t            entries;       /* these with a header */
    stockcert_entry_t   entry;

    uint8_t             seal[STOCKCERT_SEAL_LEN];
    char                code[STOCKCERT_CODE_MAX];
    char                text[STOCKCERT_TEXT_MAX];      /* or the company */
    char                key[STOCKCERT_TEXT_MAX];
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
 * Read a line of len bytes.  Every member must be there once, and no other.
 * Return NULL, or what is wrong, as the end of a sentence.  Only the ledger
 * knows whether an entry may come next.
 */

const char *stockcert_json_parse_header(const char *json, size_t len,
    stockcert_json_line_t *line);
const char *stockcert_json_parse_entry(const char *json, size_t len,
    stockcert_json_line_t *line);


#endif /* STOCKCERT_JSON_H */
