
/* Identifiers, prices and dates, as they are in journals and requests. */


#include <string.h>
#include <time.h>

#include "stockcert_format.h"
#include "stockcert_value.h"


static size_t stockcert_digits(const char *text, size_t len);
static unsigned stockcert_decimal(const char *text, size_t len);


const char *
stockcert_id_fault(const char *id, size_t len)
{
    size_t  i;

    static const char  *fault = "must be 1 to 64 printable ASCII characters";

    if (len == 0 || len > STOCKCERT_HOLDER_MAX) {
        return fault;
    }

    for (i = 0; i < len; i++) {
        if (id[i] < 0x20 || id[i] > 0x7e) {
            return fault;
        }
    }

    return NULL;
}


const char *
stockcert_price_fault(const char *price, size_t len)
{
    size_t  whole, part, i;

    static const char  *fault = "must be such as \"0.01 USD\": up to 15 digits, "
                                "up to 10 after a point, and a currency";

    whole = stockcert_digits(price, len);

    if (whole == 0 || whole > 15 || (whole > 1 && price[0] == '0')) {
        return fault;
    }

    i = whole;

    if (i < len && price[i] == '.') {
        i++;
        part = stockcert_digits(price + i, len - i);

        if (part == 0 || part > 10) {
            return fault;
        }

        i += part;
    }

    if (len - i != sizeof(" USD") - 1 || price[i++] != ' ') {
        return fault;
    }

    for ( /* void */ ; i < len; i++) {
        if (price[i] < 'A' || price[i] > 'Z') {
            return fault;
        }
    }

    return NULL;
}


const char *
stockcert_date_fault(const char *date, size_t len)
{
    unsigned  year, month, day, last;

    static const char      *fault = "must be a date such as \"2026-11-20\"";
    static const unsigned   days[] = { 31, 28, 31, 30, 31, 30,
                                       31, 31, 30, 31, 30, 31 };

    if (len != STOCKCERT_DATE_LEN || stockcert_digits(date, 4) != 4
        || date[4] != '-' || stockcert_digits(date + 5, 2) != 2
        || date[7] != '-' || stockcert_digits(date + 8, 2) != 2)
    {
        return fault;
    }

    year = stockcert_decimal(date, 4);
    month = stockcert_decimal(date + 5, 2);
    day = stockcert_decimal(date + 8, 2);

    if (year == 0 || month == 0 || month > 12) {
        return fault;
    }

    last = days[month - 1];

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
        last++;
    }

    return day == 0 || day > last ? fault : NULL;
}


/* how many digits the text begins with */

static size_t
stockcert_digits(const char *text, size_t len)
{
    size_t  n;

    for (n = 0; n < len && text[n] >= '0' && text[n] <= '9'; n++) {
        /* void */
    }

    return n;
}


static unsigned
stockcert_decimal(const char *text, size_t len)
{
    size_t    i;
    unsigned  n;

    n = 0;

    for (i = 0; i < len; i++) {
        n = n * 10 + (unsigned) (text[i] - '0');
    }

    return n;
}


void
stockcert_date(uint64_t time, char *date)
{
    char  text[STOCKCERT_TIME_LEN + 1];

    stockcert_format_time(time < STOCKCERT_TIME_MAX ? time : STOCKCERT_TIME_MAX,
                          text);

    memcpy(date, text, STOCKCERT_DATE_LEN);
    date[STOCKCERT_DATE_LEN] = '\0';
}
