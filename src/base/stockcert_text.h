
/*
 * The rules for names, titles and class codes, and how other texts are shown
 * safely.
 */


#ifndef STOCKCERT_TEXT_H
#define STOCKCERT_TEXT_H


#include <stddef.h>
#include <stdint.h>


#define STOCKCERT_LEGEND_MAX  1000    /* bytes */

#define STOCKCERT_NO_CHAR     UINT32_MAX


/*
 * stockcert_text_fault(): a text that people read (the name of a holder, a
 * company, a class; a reason).  It has 1 to STOCKCERT_TEXT_MAX bytes of valid
 * UTF-8 (RFC 3629), no control character (Unicode's Cc), and not only
 * White_Space.
 *
 * stockcert_new_text_fault(): such a text that is new.  It must also have a
 * character that can be seen (stockcert_is_unseen() is 0), and none that turns
 * the line around (bidirectional embeddings, overrides and isolates).  Joiners
 * and marks of direction are allowed.  Old ledgers have texts without this
 * rule, so it does not apply to texts that are read or imported.
 *
 * stockcert_legend_fault(): a legend of certificates.  It is a new text with
 * at most STOCKCERT_LEGEND_MAX bytes.
 *
 * stockcert_code_fault(): a class code.  It has 1 to STOCKCERT_CODE_MAX of A-Z
 * and 0-9, a letter first.
 *
 * All return NULL if the text is valid, otherwise what it must be, as the end
 * of a sentence: "must not be empty".  Any thread may call them.
 */

const char *stockcert_text_fault(const char *text, size_t len);
const char *stockcert_new_text_fault(const char *text, size_t len);
const char *stockcert_legend_fault(const char *text, size_t len);
const char *stockcert_code_fault(const char *code, size_t len);

/*
 * Makes a text of any bytes safe for a log or a terminal.  Control characters
 * (Unicode's Cc), characters that turn the line around, and bytes that are not
 * valid UTF-8 become \xNN.  All else stays.  Writes at most size bytes to
 * shown, which is at least 4, with a NUL at the end.  If it does not fit, "..."
 * stands for the rest.  Returns the length.  Any thread.
 */

size_t stockcert_text_escape(const char *text, size_t len, char *shown,
    size_t size);

/*
 * Makes a text of any bytes: a control character becomes "?", as does each byte
 * that is not valid UTF-8; what has more than STOCKCERT_TEXT_MAX bytes then is
 * cut between characters, and ends with an ellipsis (U+2026).  clean has room
 * for STOCKCERT_TEXT_MAX bytes.  Returns the length, or 0 if that is no text,
 * as it is empty or only white space.  Any thread.
 */

size_t stockcert_text_clean(const char *text, size_t len, char *clean);

/*
 * Returns the character at *p, which is before end, and sets *p behind it; or
 * STOCKCERT_NO_CHAR where there is no valid UTF-8, and *p means nothing.  Any
 * thread.
 */

uint32_t stockcert_utf8(const uint8_t **p, const uint8_t *end);

/*
 * Whether a character shows nothing where it stands alone: a combining mark, a
 * blank or ignorable character, a private use character, a noncharacter.  It
 * does not know white space and control characters.  Any thread.
 */

int stockcert_is_unseen(uint32_t c);

/*
 * Writes a text as one word for a shell: in single quotes, unless it has no
 * character that is special there.  Writes a NUL at the end.  size is at least
 * 4 * len + 3 bytes; with less, it writes "...".  Returns the length.  Any
 * thread.
 */

size_t stockcert_text_quote(const char *text, size_t len, char *word,
    size_t size);


#endif /* STOCKCERT_TEXT_H */
