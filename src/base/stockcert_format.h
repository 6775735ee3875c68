
/*
 * Times, seals, numbers and the IDs of certificates as text, for people and
 * programs.
 */


#ifndef STOCKCERT_FORMAT_H
#define STOCKCERT_FORMAT_H


#include <inttypes.h>

#include "stockcert_entry.h"


/* bytes, without the zero at the end */

#define STOCKCERT_TIME_LEN  (sizeof("2026-11-23T18:45:58.123456Z") - 1)
#define STOCKCERT_HEX_LEN   (2 * STOCKCERT_SEAL_LEN)


/*
 * A time, in microseconds since 1970-01-01T00:00:00Z, as in RFC 3339: in UTC,
 * with six digits after the point.  A year after 9999 is written as "?".
 *
 * stockcert_format_time() writes STOCKCERT_TIME_LEN + 1 bytes to text.
 * stockcert_parse_time() returns 0, or -1 for a text that
 * stockcert_format_time() would not write.
 */

void stockcert_format_time(uint64_t time, char *text);
int stockcert_parse_time(const char *text, uint64_t *time);

/* the clock's time, in the same unit */

uint64_t stockcert_now(void);

/* the monotonic clock's, in nanoseconds; any thread */

uint64_t stockcert_monotonic(void);

/*
 * A seal (STOCKCERT_SEAL_LEN bytes) in hexadecimal digits.
 * stockcert_format_seal() writes STOCKCERT_HEX_LEN + 1 bytes, in lower case.
 * stockcert_parse_seal() returns 0, or -1 if the text is no seal.
 */

void stockcert_format_seal(const uint8_t *seal, char *text);
int stockcert_parse_seal(const char *text, uint8_t *seal);

/*
 * Decimal digits, up to STOCKCERT_SHARES_MAX.  Returns 0, or -1 for what is
 * none, and *number means nothing.
 */

int stockcert_parse_number(const char *text, size_t len, uint64_t *number);

/*
 * The ID of a certificate, such as CS-17, for printf() and its kind:
 *
 *     printf(STOCKCERT_ID " is cancelled", STOCKCERT_ID_OF(code, number))
 *
 * takes a stockcert_str_t and an uint64_t.
 */

#define STOCKCERT_ID                   "%.*s-%" PRIu64
#define STOCKCERT_ID_OF(code, number)  (int) (code).len, (code).data, (number)
#define STOCKCERT_ID_MAX               (STOCKCERT_CODE_MAX + 1 + 20) /* bytes */

/*
 * Reads one: code points into text, and may be no class code; number is not 0.
 * Returns 0, or -1 for what is none.
 */

int stockcert_parse_id(const char *text, size_t len, stockcert_str_t *code,
    uint64_t *number);


#endif /* STOCKCERT_FORMAT_H */
