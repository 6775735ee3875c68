
/*
 * Test Anything Protocol: one line for each check on stdout, what differs
 * behind "#", the plan at the end.  A test ends with "return tap_done();".
 */


#ifndef TAP_H
#define TAP_H


#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* the last arguments are the check's name, as for printf() */

#define ok(cond, ...)                                                         \
    do {                                                                      \
        if (!tap_ok(!!(cond), __VA_ARGS__)) {                                 \
            tap_at(__FILE__, __LINE__);                                       \
            printf("#   false: %s\n", #cond);                                 \
        }                                                                     \
    } while (0)

#define is_int(got, expected, ...)                                            \
    tap_int(__FILE__, __LINE__, (long long) (got), (long long) (expected),    \
            __VA_ARGS__)

#define is_str(got, expected, ...)                                            \
    tap_mem(__FILE__, __LINE__, got, strlen(got), expected, strlen(expected), \
            __VA_ARGS__)

#define is_mem(got, got_len, expected, expected_len, ...)                     \
    tap_mem(__FILE__, __LINE__, got, got_len, expected, expected_len,         \
            __VA_ARGS__)


static int  tap_run;
static int  tap_failed;


static inline int
tap_vok(int passed, const char *name, va_list args)
{
    printf("%sok %d - ", passed ? "" : "not ", ++tap_run);
    vprintf(name, args);
    printf("\n");

    tap_failed += !passed;

    return passed;
}


__attribute__((format(printf, 2, 3)))
static inline int
tap_ok(int passed, const char *name, ...)
{
    va_list  args;

    va_start(args, name);
    tap_vok(passed, name, args);
    va_end(args);

    return passed;
}


static inline void
tap_at(const char *file, int line)
{
    printf("#   at %s:%d\n", file, line);
}


__attribute__((format(printf, 5, 6)))
static inline void
tap_int(const char *file, int line, long long got, long long expected,
    const char *name, ...)
{
    int      passed;
    va_list  args;

    va_start(args, name);
    passed = tap_vok(got == expected, name, args);
    va_end(args);

    if (!passed) {
        tap_at(file, line);
        printf("#        got: %lld\n#   expected: %lld\n", got, expected);
    }
}


static inline void
tap_dump(const char *what, const void *data, size_t len)
{
    size_t          i;
    const uint8_t  *p;

    p = data;

    printf("#   %s: %zu bytes \"", what, len);

    for (i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '\\') {
            printf("\\x%02x", p[i]);

        } else {
            putchar(p[i]);
        }
    }

    printf("\"\n");
}


__attribute__((format(printf, 7, 8)))
static inline void
tap_mem(const char *file, int line, const void *got, size_t got_len,
    const void *expected, size_t expected_len, const char *name, ...)
{
    int      passed;
    va_list  args;

    got_len = got ? got_len : 0;
    passed = got_len == expected_len
             && (got_len == 0 || memcmp(got, expected, got_len) == 0);

    va_start(args, name);
    tap_vok(passed, name, args);
    va_end(args);

    if (!passed) {
        tap_at(file, line);
        tap_dump("     got", got, got_len);
        tap_dump("expected", expected, expected_len);
    }
}


/* for what leaves no sense in going on */

__attribute__((format(printf, 1, 2), noreturn))
static inline void
tap_bail_out(const char *why, ...)
{
    va_list  args;

    printf("Bail out! ");

    va_start(args, why);
    vprintf(why, args);
    va_end(args);

    printf("\n");

    exit(255);
}


static inline int
tap_done(void)
{
    printf("1..%d\n", tap_run);

    if (tap_failed) {
        printf("# failed %d of %d\n", tap_failed, tap_run);
    }

    return tap_failed != 0;
}


#endif /* TAP_H */
