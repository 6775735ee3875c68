
/*
 * What a name, a title or a class code may look like, and what may be shown of
 * a text that is none of them.
 */


#ifndef STOCKCERT_TEXT_H
#define STOCKCERT_TEXT_H


#include <stddef.h>
#include <stdint.h>


#define STOCKCERT_LEGEND_MAX  1000    /* bytes */

#define STOCKCERT_NO_CHAR     UINT32_MAX


/*
 * A text that people read (the name of a holder, a company, a class; a
 * reason), as a ledger may have it: 1 to STOCKCERT_TEXT_MAX bytes of valid UTF-8
 * (RFC 3629), none of them a control character (Unicode's Cc), not only
 * White_Space.
 *
 * Such a text that is new: besides, it has a character that can be seen, as
 * stockcert_is_unseen() has it, and none that turns the line around, which are bidirectional embeddings,
 * overrides and isolates.  Joiners and marks of direction may be in it.  Ledgers
 * have texts from before this was asked: what is read from one, or imported, is
 * not asked it.
 *
 * A legend, as it is printed on certificates: as a new text, with at most
 * STOCKCERT_LEGEND_MAX bytes.
 *
 * A class code: 1 to STOCKCERT_CODE_MAX of A-Z and 0-9, a letter first.
 *
 * All return NULL if it is one, otherwise what it must be, as the end of a
 * sentence: "must not be empty".  Any thread may call them.
 */

const char *stockcert_text_fault(const char *text, size_t len);
const char *stockcert_new_text_fault(const char *text, size_t len);
const char *stockcert_legend_fault(const char *text, size_t len);
const char *stockcert_code_fault(const char *code, size_t len);

/*
 * A text of any bytes, for a log or a terminal: control characters (Unicode's
 * Cc), characters that turn the line around and bytes that are not valid UTF-8
 * become \xNN, all else stays.  Writes at most size bytes to shown, at least 4,
 * with a NUL at the end; what does not fit is left out, and "..." stands for it.
 * Returns the length.  Any thread.
 */

size_t stockcert_text_escape(const char *text, size_t len, char *shown,
    size_t size);

/*
 * Returns the character at *p, which is before end, and sets *p behind it; or
 * STOCKCERT_NO_CHAR where there is no valid UTF-8, and *p means nothing.  Any
 * thread.
 */

uint32_t stockcert_utf8(const uint8_t **p, const uint8_t *end);

/*
 * Whether a character shows nothing where it stands alone: a combining mark,
 * what is blank or ignorable, a private use character, a noncharacter.  White
 * space and control characters are asked for elsewhere.  Any thread.
 */

int stockcert_is_unseen(uint32_t c);

/*
 * A text as one word for a shell: in single quotes, unless all that it has means
 * nothing there.  Writes a NUL at the end; size is at least 4 * len + 3 bytes, or
 * it writes "...".  Returns the length.  Any thread.
 */

size_t stockcert_text_quote(const char *text, size_t len, char *word,
    size_t size);


#endif /* STOCKCERT_TEXT_H */
