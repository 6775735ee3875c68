
/*
 * What the tool says: on standard output, on standard error, on a terminal.
 * And what it makes: a whole file, or none.
 *
 * It touches no ledger.
 */


#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stockcert_format.h"
#include "stockcert_text.h"
#include "stockcert_tool.h"


#define STOCKCERT_LINE      (3 * PATH_MAX)
#define STOCKCERT_PROGRESS  200000     /* microseconds between two */


static void stockcert_tool_vline(FILE *file, const char *fmt, va_list args);


static unsigned  stockcert_progress_shown;


/*
 * If a descriptor is closed here, the next file that is opened gets it.  That
 * could be a file of the ledger, and messages would go into it.  So something
 * else is opened in its place that cannot be used: then output is an error, as
 * usual.
 */

int
stockcert_tool_standard(void)
{
    int  fd;

    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {

        if (fcntl(fd, F_GETFD) == -1
            && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY)
               != fd)
        {
            return STOCKCERT_EXIT_FAILED;
        }
    }

    /* a file that grows too large is an error of write() */

    (void) signal(SIGXFSZ, SIG_IGN);

    return STOCKCERT_EXIT_OK;
}


int
stockcert_tool_error(int status, const char *fmt, ...)
{
    va_list  args;

    stockcert_tool_progress_end();

    fprintf(stderr, "stockcert: ");

    va_start(args, fmt);
    stockcert_tool_vline(stderr, fmt, args);
    va_end(args);

    return status;
}


int
stockcert_tool_usage(const stockcert_command_t *command)
{
    return stockcert_tool_error(STOCKCERT_EXIT_USAGE,
                                "usage: stockcert %s %s", command->name,
                                command->synopsis);
}


void
stockcert_tool_line(FILE *file, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    stockcert_tool_vline(file, fmt, args);
    va_end(args);
}


static void
stockcert_tool_vline(FILE *file, const char *fmt, va_list args)
{
    char  line[STOCKCERT_LINE], shown[STOCKCERT_LINE];

    (void) vsnprintf(line, sizeof(line), fmt, args);
    (void) stockcert_text_escape(line, strlen(line), shown, sizeof(shown));

    fprintf(file, "%s\n", shown);
}


int
stockcert_tool_flush(void)
{
    if (fflush(stdout) == EOF || ferror(stdout)) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                    "cannot write the output: %s",
                                    strerror(errno));
    }

    return STOCKCERT_EXIT_OK;
}


int
stockcert_tool_done(const char *fmt, ...)
{
    int      failed;
    va_list  args;

    (void) signal(SIGPIPE, SIG_IGN);

    va_start(args, fmt);
    stockcert_tool_vline(stdout, fmt, args);
    va_end(args);

    if (fflush(stdout) == EOF || ferror(stdout)) {
        failed = errno;

        va_start(args, fmt);
        stockcert_tool_vline(stderr, fmt, args);
        va_end(args);

        (void) stockcert_tool_error(STOCKCERT_EXIT_OK, "that is done, but "
                                    "standard output cannot be written: %s",
                                    strerror(failed));
    }

    return STOCKCERT_EXIT_OK;
}


void
stockcert_tool_progress(const char *what, const char *of, uint64_t done,
    uint64_t all)
{
    uint64_t         now;
    static int       terminal = -1;
    static uint64_t  next;

    if (terminal == -1) {
        terminal = isatty(STDERR_FILENO);
    }

    if (!terminal) {
        return;
    }

    now = stockcert_monotonic() / 1000;

    if (now < next) {
        return;
    }

    next = now + STOCKCERT_PROGRESS;
    stockcert_progress_shown = 1;

    fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " %s\033[K", what, done,
            all, of);
}


void
stockcert_tool_progress_end(void)
{
    if (stockcert_progress_shown) {
        fprintf(stderr, "\r\033[K");
        stockcert_progress_shown = 0;
    }
}


int
stockcert_tool_finish(stockcert_whole_t *whole, int status)
{
    if (status != STOCKCERT_EXIT_OK) {
        stockcert_whole_undo(whole);
        return status;
    }

    switch (stockcert_whole_finish(whole)) {

    case 0:
        return STOCKCERT_EXIT_OK;

    case 1:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "%s is made, but a "
                                    "power cut may take it away: %s",
                                    whole->path, strerror(errno));
    default:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot make %s: %s",
                                    whole->path, strerror(errno));
    }
}
