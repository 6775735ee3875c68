
/*
 * Times and seals as text, and back.
 *
 * It touches the clock and memory only.
 */


#define _GNU_SOURCE    /* strptime(), timegm() */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "stockcert_format.h"


void
stockcert_format_time(uint64_t time, char *text)
{
    time_t     seconds;
    size_t     len;
    struct tm  tm;

    seconds = (time_t) (time / 1000000);

    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 9999 - 1900) {
        snprintf(text, STOCKCERT_TIME_LEN + 1, "?");
        return;
    }

    len = strftime(text, STOCKCERT_TIME_LEN + 1, "%Y-%m-%dT%H:%M:%S", &tm);

    snprintf(text + len, STOCKCERT_TIME_LEN + 1 - len, ".%06uZ",
             (unsigned) (time % 1000000));
}


int
stockcert_parse_time(const char *text, uint64_t *time)
{
    char        again[STOCKCERT_TIME_LEN + 1];
    char       *end;
    time_t      seconds;
    struct tm   tm;

    memset(&tm, 0, sizeof(struct tm));

    end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (end == NULL || *end != '.') {
        return -1;
    }

    seconds = timegm(&tm);

    if (seconds < 0) {
        return -1;
    }

    *time = (uint64_t) seconds * 1000000 + strtoul(end + 1, NULL, 10) % 1000000;

    /*
     * strptime() also accepts other forms: writing the time again shows them
     */

    stockcert_format_time(*time, again);

    return strcmp(again, text) == 0 ? 0 : -1;
}


void
stockcert_format_seal(const uint8_t *seal, char *text)
{
    int                i;
    static const char  digits[] = "0123456789abcdef";

    for (i = 0; i < STOCKCERT_SEAL_LEN; i++) {
        *text++ = digits[seal[i] >> 4];
        *text++ = digits[seal[i] & 15];
    }

    *text = '\0';
}


int
stockcert_parse_seal(const char *text, uint8_t *seal)
{
    size_t  len;

    return strlen(text) == STOCKCERT_HEX_LEN
           && OPENSSL_hexstr2buf_ex(seal, STOCKCERT_SEAL_LEN, &len, text, '\0')
              == 1
           && len == STOCKCERT_SEAL_LEN
           ? 0 : -1;
}


int
stockcert_parse_number(const char *text, size_t len, uint64_t *number)
{
    size_t  i;

    *number = 0;

    for (i = 0; i < len; i++) {

        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }

        *number = *number * 10 + (uint64_t) (text[i] - '0');

        if (*number > STOCKCERT_SHARES_MAX) {
            return -1;
        }
    }

    return len ? 0 : -1;
}


int
stockcert_parse_id(const char *text, size_t len, stockcert_str_t *code,
    uint64_t *number)
{
    const char  *dash;

    dash = memchr(text, '-', len);
    if (dash == NULL) {
        return -1;
    }

    code->len = (size_t) (dash - text);
    code->data = text;

    len -= code->len + 1;

    return len && dash[1] != '0'
           && stockcert_parse_number(dash + 1, len, number) == 0
           ? 0 : -1;
}


uint64_t
stockcert_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


uint64_t
stockcert_monotonic(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}
