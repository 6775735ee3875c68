
/*
 * What the HTML pages share: stockcert_paper.c has the certificate to be
 * printed, stockcert_book.c the stock book.
 *
 * Everything that comes from a ledger or a request is hostile: it goes through
 * stockcert_html_text().  The pages have no script, and one style sheet, whose
 * digest is in the policy that browsers are told (W3C, Content Security Policy
 * Level 3).
 *
 * The functions write to file; ferror() tells if that failed.  Times are in
 * microseconds since 1970-01-01T00:00:00Z.
 */


#ifndef STOCKCERT_HTML_H
#define STOCKCERT_HTML_H


#include <stdio.h>

#include "stockcert_entry.h"


/*
 * The value of the header Content-Security-Policy, which stays for ever.  Returns
 * NULL if libcrypto failed.  One thread at a time.
 */

const char *stockcert_html_policy(void);

/* From the beginning to <body>, and the end; title is two texts. */

void stockcert_html_head(FILE *file, const char *class,
    const stockcert_str_t *title, const stockcert_str_t *company);
void stockcert_html_foot(FILE *file);

/*
 * Text, escaped; in quotes for attributes as well.  A control character, which no
 * text has, is a question mark.
 */

void stockcert_html_text(FILE *file, const stockcert_str_t *str);

/* The ID of a certificate, such as CS-17, escaped as well. */

void stockcert_html_id(FILE *file, const stockcert_str_t *code,
    uint64_t number);

/* Text in an element, whose direction is its own. */

void stockcert_html_bdi(FILE *file, const stockcert_str_t *str);

/*
 * How wide a text is, in hundredths of its type's size, in a bold serif: rather too
 * much than too little, as nobody here knows the reader's fonts.
 */

size_t stockcert_html_width(const stockcert_str_t *str);

/* "2,599,990"; "ten thousand one", digits above 2^53 - 1; "24 November 2026" */

void stockcert_html_number(FILE *file, uint64_t n);
void stockcert_html_words(FILE *file, uint64_t n);
void stockcert_html_date(FILE *file, uint64_t time);

/*
 * the longest name of a host, and a path; larger ones cost milliseconds, and no
 * camera reads them
 */

#define STOCKCERT_QR_MAX  300    /* bytes */

/*
 * A QR code (ISO/IEC 18004) of a text of at most STOCKCERT_QR_MAX bytes, as SVG.
 * Returns -1, with nothing written, if it is longer, or for want of memory.
 */

int stockcert_html_qr(FILE *file, const stockcert_str_t *text);


#endif /* STOCKCERT_HTML_H */
