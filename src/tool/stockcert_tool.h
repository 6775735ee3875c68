
/*
 * The command "stockcert": what its rooms share.  stockcert_tool.c has main()
 * and the table of commands.  stockcert_tool_output.c,
 * stockcert_tool_argument.c and stockcert_tool_owner.c have what all of them
 * need, stockcert_tool_apart.c and stockcert_tool_entries.c what some do; every
 * other stockcert_tool_*.c has a command or two, with how it is used.
 */


#ifndef STOCKCERT_TOOL_H
#define STOCKCERT_TOOL_H


#include <stdio.h>

#include "stockcert_format.h"
#include "stockcert_ledger.h"
#include "stockcert_verify.h"
#include "stockcert_whole.h"


/* exit codes */

#define STOCKCERT_EXIT_OK      0
#define STOCKCERT_EXIT_NO      1       /* what was asked is not so */
#define STOCKCERT_EXIT_USAGE   2
#define STOCKCERT_EXIT_FAILED  3       /* could not be done */


/*
 * A command.  argv[0] of run() is "stockcert NAME", for getopt's messages, and
 * the arguments follow.  It returns an exit code, and has written to standard
 * error what went wrong.
 */

typedef struct {
    const char   *name;
    int         (*run)(int argc, char **argv);
    const char   *synopsis;            /* its arguments, in one line */
    const char   *help;                /* lines */
} stockcert_command_t;

extern const stockcert_command_t  stockcert_command_status;
extern const stockcert_command_t  stockcert_command_verify;
extern const stockcert_command_t  stockcert_command_log;
extern const stockcert_command_t  stockcert_command_show;
extern const stockcert_command_t  stockcert_command_export;
extern const stockcert_command_t  stockcert_command_import;
extern const stockcert_command_t  stockcert_command_backup;
extern const stockcert_command_t  stockcert_command_authorize;
extern const stockcert_command_t  stockcert_command_cancel;


/*
 * Writes "stockcert: ..." and a newline to standard error; fmt is a sentence
 * without a full stop that says what to do.  Returns status.
 */

int stockcert_tool_error(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A line for people, without its newline: what it has of texts is escaped, as
 * they are whatever is in the file (stockcert_text.h).
 */

void stockcert_tool_line(FILE *file, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * First of all: makes sure that the descriptors 0 to 2 are open, and that a
 * file that grows too large is an error.  Returns an exit code.
 */

int stockcert_tool_standard(void);

/* Whether a command without options has n arguments, which argv + 1 has. */

int stockcert_tool_arguments(int argc, char **argv, int n);

/*
 * The same for a command whose option is --json: returns whether that is given,
 * or -1.
 */

int stockcert_tool_json(int argc, char **argv, int n);

/* How the command is used, to standard error; returns USAGE. */

int stockcert_tool_usage(const stockcert_command_t *command);

/*
 * Makes the directory of a ledger the current one: all that follows names the
 * ledger by ".", whoever can reach it by its path.  A process that is root
 * becomes the ledger's owner, for good, and has no outputs to open any more.
 * Before anything of the ledger is opened.  Returns an exit code.
 */

int stockcert_tool_enter(const char *path);

/*
 * Enters, opens the ledger that is there, and takes a snapshot.  Returns an
 * exit code; if it is OK, *ledger is for stockcert_ledger_close().
 */

int stockcert_tool_open(const char *path, stockcert_access_e mode,
    stockcert_ledger_t **ledger);

/* The same after stockcert_tool_enter(), which got this path. */

int stockcert_tool_open_here(const char *path, stockcert_access_e mode,
    stockcert_ledger_t **ledger);

#define STOCKCERT_PATIENCE  10         /* seconds */

/*
 * While it is on: if a lock of the ledger is not let go, the process says so
 * after some time, and ends with FAILED.  Not while something could be half
 * done.  stockcert_tool_interrupted() is for stockcert_ledger_conf_t.
 */

void stockcert_tool_patience(int on);
void stockcert_tool_interrupted(pid_t holder);


/*
 * A ledger is read by a process of its own, which enters it, and what that
 * writes to fds[] is poured into what fds[] are here, one after the other: the
 * process closes each before it writes to the next.  fds[] stay open here.
 *
 * stockcert_tool_apart() returns what run() did, an exit code.  If error is not
 * 0 then, an output could not be written, and nobody has said so yet; this is
 * its errno.
 */

#define STOCKCERT_APART_MAX  4

typedef struct stockcert_apart_s  stockcert_apart_t;

typedef struct {
    volatile uint64_t   bytes;             /* that came, for both processes */
    volatile uint64_t   size;              /* run() may say how many will */
} stockcert_poured_t;

struct stockcert_apart_s {
    const char          *path;             /* of the ledger */
    int                 *fds;
    size_t               n;                /* at most STOCKCERT_APART_MAX */
    int                (*run)(stockcert_apart_t *apart, void *data);
    void                *data;
    const char          *progress;         /* what is shown of it, or NULL */

    stockcert_poured_t  *poured;
    int                  error;
};

int stockcert_tool_apart(stockcert_apart_t *apart);

/* In run(): patience until the first bytes came. */

void stockcert_tool_patience_until(const stockcert_poured_t *poured);

/*
 * After a file of the ledger could not be opened (errno), and after the ledger
 * could not be read.  Both return FAILED.
 */

int stockcert_tool_no_ledger(const char *path);
int stockcert_tool_not_read(const stockcert_error_t *error);

/*
 * Writes an entry of the ledger's snapshot; that it could is for ferror() to
 * tell. An error is one of reading.
 */

typedef stockcert_rc_e (*stockcert_write_pt)(FILE *file,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_error_t *error);

/* The lines of "export --format jsonl". */

stockcert_rc_e stockcert_tool_write_json(FILE *file, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * Writes the entries that come after *position, up to last or the journal's
 * end, and advances *position.  No snapshot may be taken: each piece is read
 * from one of its own and then written, so that who reads the output slowly
 * keeps no pages of the ledger from being used again.  With a name in progress,
 * shows that.  Returns an exit code; what file still has in its buffer is for
 * the caller to flush.
 */

int stockcert_tool_entries(stockcert_ledger_t *ledger, uint64_t *position,
    uint64_t last, stockcert_write_pt write, FILE *file, const char *progress);

/*
 * Standard output, before an exit code of OK: what could not be written is an
 * error that must not be lost.  Returns an exit code.
 */

int stockcert_tool_flush(void);

/*
 * Says, as stockcert_tool_line() does, that something was done that cannot be
 * undone: on standard output, and if that cannot be written, on standard error.
 * Returns OK.
 */

int stockcert_tool_done(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * Progress on standard error, if that is a terminal: "verify: 120000 of 1000000
 * entries"; at most some times a second.  stockcert_tool_progress_end() removes
 * it.  It may be called for each entry, on one thread at a time.
 */

void stockcert_tool_progress(const char *what, const char *of, uint64_t done,
    uint64_t all);
void stockcert_tool_progress_end(void);

/*
 * An argument such as CS-17, code points into it; and what --since and --size
 * (of a ledger, in bytes) are followed by.  They return an exit code.
 */

int stockcert_tool_certificate(const char *text, stockcert_str_t *code,
    uint64_t *number);
int stockcert_tool_since(const char *text, uint64_t *position);
int stockcert_tool_size(const char *text, size_t *size);

/*
 * Ends what was made: keeps it if status is OK, and removes it otherwise.
 * Returns an exit code.
 */

int stockcert_tool_finish(stockcert_whole_t *whole, int status);

/*
 * Checks all of the ledger in the current directory, which this process must
 * not have open, as "stockcert verify" does; path is what messages call it.
 * Returns an exit code.
 */

int stockcert_tool_check(const char *path, stockcert_verified_t *verified);

/* The same for one that nobody else knows yet: leaves no lock file. */

int stockcert_tool_check_made(const char *path,
    stockcert_verified_t *verified);


#endif /* STOCKCERT_TOOL_H */
