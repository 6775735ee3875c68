
/*
 * What the HTML pages share: stockcert_paper.c has the certificate to be
 * printed, stockcert_book.c the stock book.
 *
 * Everything from a ledger or a request may be hostile, so it goes through
 * stockcert_html_text().  The pages have no script and one style sheet.  The
 * policy for browsers has its digest (W3C, Content Security Policy Level 3).
 *
 * The functions write to file; ferror() tells if that failed.  Times are in
 * microseconds since 1970-01-01T00:00:00Z.
 */


#ifndef STOCKCERT_HTML_H
#define STOCKCERT_HTML_H


#include <stdio.h>

#include "stockcert_entry.h"


/*
 * The value of the header Content-Security-Policy.  It is never freed.  Returns
 * NULL if libcrypto failed.  One thread at a time.
 */

const char *stockcert_html_policy(void);

/* Write all up to <body>, and the end. title is two texts. */

void stockcert_html_head(FILE *file, const char *class,
    const stockcert_str_t *title, const stockcert_str_t *company);
void stockcert_html_foot(FILE *file);

/*
 * Writes a text, escaped for elements and for attributes in quotes.  A control
 * character, which no text has, becomes a question mark.
 */

void stockcert_html_text(FILE *file, const stockcert_str_t *str);

/* Writes the ID of a certificate, such as CS-17, escaped. */

void stockcert_html_id(FILE *file, const stockcert_str_t *code,
    uint64_t number);

/* Writes a text in an element with a text direction of its own. */

void stockcert_html_bdi(FILE *file, const stockcert_str_t *str);

/*
 * How wide a text is, in hundredths of its type's size, in a bold serif font.
 * The reader's fonts are not known here, so it is rather too much than too
 * little.
 */

size_t stockcert_html_width(const stockcert_str_t *str);

/*
 * "2,599,990"; "ten thousand one", digits above 2^53 - 1; "24 November 2026"
 */

void stockcert_html_number(FILE *file, uint64_t n);
void stockcert_html_words(FILE *file, uint64_t n);
void stockcert_html_date(FILE *file, uint64_t time);

/*
 * The longest name of a host, and a path.  Longer texts take milliseconds, and
 * no camera reads them.
 */

#define STOCKCERT_QR_MAX  300    /* bytes */

/*
 * A QR code (ISO/IEC 18004) of a text of at most STOCKCERT_QR_MAX bytes, as
 * SVG.  Returns -1, with nothing written, if it is longer, or for want of
 * memory.
 */

int stockcert_html_qr(FILE *file, const stockcert_str_t *text);


#endif /* STOCKCERT_HTML_H */
