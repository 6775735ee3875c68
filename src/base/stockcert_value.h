
/*
 * What the values of an entry's fields may be that are no texts: identifiers,
 * prices, dates.
 */


#ifndef STOCKCERT_VALUE_H
#define STOCKCERT_VALUE_H


#include <stddef.h>
#include <stdint.h>


#define STOCKCERT_HOLDER_MAX     64       /* bytes */
#define STOCKCERT_PRICE_MAX  30
#define STOCKCERT_DATE_LEN   (sizeof("2026-11-23") - 1)


/*
 * An identifier of a holder: 1 to STOCKCERT_HOLDER_MAX printable ASCII
 * characters (0x20 to 0x7e).
 *
 * A price of a share: decimal digits, up to 15 without a needless 0 before
 * them, and up to 10 behind a point; a space; three letters A-Z, such as ISO
 * 4217 has for currencies.  "0.0001 USD".
 *
 * A date: YYYY-MM-DD, one that there is in the Gregorian calendar, from
 * 0001-01-01 on (RFC 3339, full-date).
 *
 * All return NULL if it is one, otherwise what it must be, as the end of a
 * sentence.  Any thread.
 */

const char *stockcert_id_fault(const char *id, size_t len);
const char *stockcert_price_fault(const char *price, size_t len);
const char *stockcert_date_fault(const char *date, size_t len);

/*
 * The date in UTC of a time, in microseconds since 1970-01-01T00:00:00Z, and at
 * most 9999-12-31: writes STOCKCERT_DATE_LEN bytes and a NUL.  Dates compare as
 * their bytes do.  Any thread.
 */

void stockcert_date(uint64_t time, char *date);


#endif /* STOCKCERT_VALUE_H */
