
/*
 * The command "stockcert": what its files share.  stockcert_tool.c has main()
 * and the table of commands.  stockcert_tool_output.c,
 * stockcert_tool_argument.c and stockcert_tool_owner.c have what all of them
 * need, stockcert_tool_apart.c, stockcert_tool_entries.c and
 * stockcert_tool_write.c what some do; every other stockcert_tool_*.c has a
 * command or some, with how it is used.
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
#define STOCKCERT_EXIT_UNKNOWN 4       /* it is done, or it is not */


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
extern const stockcert_command_t  stockcert_command_holders;
extern const stockcert_command_t  stockcert_command_export;
extern const stockcert_command_t  stockcert_command_import;
extern const stockcert_command_t  stockcert_command_backup;
extern const stockcert_command_t  stockcert_command_authorize;
extern const stockcert_command_t  stockcert_command_transfer;
extern const stockcert_command_t  stockcert_command_reissue;
extern const stockcert_command_t  stockcert_command_repurchase;
extern const stockcert_command_t  stockcert_command_cancel;
extern const stockcert_command_t  stockcert_command_correct;
extern const stockcert_command_t  stockcert_command_holder;
extern const stockcert_command_t  stockcert_command_replicate;


/*
 * Writes "stockcert: ..." and a newline to standard error; fmt is a sentence
 * without a full stop that says what to do.  Returns status.
 */

int stockcert_tool_error(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Writes a line for people, without a newline.  It escapes its texts, as these
 * may have any bytes (stockcert_text.h).
 */

void stockcert_tool_line(FILE *file, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Called first: makes sure that the descriptors 0 to 2 are open, and that a
 * file that grows too large is an error.  Returns an exit code.
 */

int stockcert_tool_standard(void);

/* Whether a command without options has n arguments, which argv + 1 has. */

int stockcert_tool_arguments(int argc, char **argv, int n);

/*
 * The same for a command with the option --json: returns whether that is
 * given, or -1 for wrong usage.
 */

int stockcert_tool_json(int argc, char **argv, int n);

/* Writes how the command is used to standard error; returns USAGE. */

int stockcert_tool_usage(const stockcert_command_t *command);

/*
 * Makes the directory of a ledger the current one.  After that the ledger is
 * named by ".", whoever can reach it by its path.  A process of root becomes
 * the ledger's owner, for good, and cannot open outputs any more.  Must be
 * called before anything of the ledger is opened.  Returns an exit code.
 */

int stockcert_tool_enter(const char *path);

/*
 * Enters the directory, opens its ledger, and takes a snapshot.  Returns an
 * exit code.  If it is OK, the caller must call stockcert_ledger_close().
 */

int stockcert_tool_open(const char *path, stockcert_access_e mode,
    stockcert_ledger_t **ledger);

/* The same after stockcert_tool_enter(), which had this path. */

int stockcert_tool_open_here(const char *path, stockcert_access_e mode,
    stockcert_ledger_t **ledger);

/*
 * The replica of the etcd that is named, below the prefix that is given, or that
 * the ledger here knows, which has this path and is not open.  Returns an exit
 * code.  Whoever opens a ledger to write has it by itself.
 */

int stockcert_tool_replica(const char *path, stockcert_replica_t **replica);

#define STOCKCERT_PATIENCE  10         /* seconds */

/*
 * While it is on, the process waits only for a time for a lock of the ledger.
 * Then it says so, and ends with FAILED.  It must be off while something could
 * be half done. stockcert_tool_interrupted() is for stockcert_ledger_conf_t.
 */

void stockcert_tool_patience(int on);
void stockcert_tool_interrupted(pid_t holder);


/*
 * A ledger is read by a process of its own, which enters it.  Its fds[] are
 * pipes, and what it writes there is poured into the fds[] of this process.  It
 * must write to one after the other, and close each before the next.  The fds[]
 * of this process stay open.
 *
 * stockcert_tool_apart() returns what run() returned, an exit code.  If error
 * is then not 0, an output could not be written, this is its errno, and
 * nothing was said about it yet.
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

/* In run(): patience is on until the first bytes came. */

void stockcert_tool_patience_until(const stockcert_poured_t *poured);

/*
 * The first is for a file of the ledger that could not be opened (errno), the
 * second for a ledger that could not be read.  Both return FAILED.
 */

int stockcert_tool_no_ledger(const char *path);
int stockcert_tool_not_read(const stockcert_error_t *error);

/*
 * Writes an entry of the ledger's snapshot. ferror() tells if the write
 * failed.  The returned error is one of reading.
 */

typedef stockcert_rc_e (*stockcert_write_pt)(FILE *file,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry,
    stockcert_error_t *error);

/*
 * The first entry of the group that an entry of the snapshot is a member of; of
 * one that is no member, itself.  (So it is for one whose first entry is not
 * there, which "stockcert verify" tells.)
 */

stockcert_rc_e stockcert_tool_first(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_entry_t *first,
    stockcert_error_t *error);

/*
 * The IDs of the certificates that n entries of the snapshot are about, from a
 * position on: "CS-1, CS-2", or members of a JSON array.  *ids is for free(),
 * if it returns STOCKCERT_OK.
 */

stockcert_rc_e stockcert_tool_ids(stockcert_ledger_t *ledger,
    uint64_t position, uint64_t n, int json, char **ids,
    stockcert_error_t *error);

/* The lines of "export --format jsonl". */

stockcert_rc_e stockcert_tool_write_json(FILE *file, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * Writes the entries after *position, up to last or the journal's end, and
 * advances *position.  The caller must have no snapshot.  Each piece is read in
 * a snapshot of its own, and written after that: so a slow reader of the
 * output does not keep pages of the ledger from being used again.  If progress
 * is not NULL, it shows the progress under this name.  Returns an exit code.
 * The caller must flush the file.
 */

int stockcert_tool_entries(stockcert_ledger_t *ledger, uint64_t *position,
    uint64_t last, stockcert_write_pt write, FILE *file, const char *progress);

/*
 * Flushes standard output, before an exit code of OK.  An error of writing must
 * not be lost.  Returns an exit code.
 */

int stockcert_tool_flush(void);

/*
 * Says that something was done that cannot be undone, as stockcert_tool_line()
 * does.  It writes to standard output, and if that fails, to standard error.
 * Returns OK.
 */

int stockcert_tool_done(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * Shows progress on standard error, if that is a terminal: "verify: 120000 of
 * 1000000 entries", at most some times a second. stockcert_tool_progress_end()
 * removes it.  It may be called for each entry, on one thread at a time.
 */

void stockcert_tool_progress(const char *what, const char *of, uint64_t done,
    uint64_t all);
void stockcert_tool_progress_end(void);

/*
 * Read an argument such as CS-17 (code points into it), and the values of
 * --since and --size (bytes of a ledger).  They return an exit code.
 */

int stockcert_tool_certificate(const char *text, stockcert_str_t *code,
    uint64_t *number);
int stockcert_tool_since(const char *text, uint64_t *position);
int stockcert_tool_size(const char *text, size_t *size);

/* bytes that a ledger may have, as nginx's "size" is by default */

#define STOCKCERT_SIZE  ((size_t) 64 << 30)

/*
 * Who runs this, "uid:N": before the process becomes the ledger's owner.  It
 * stays.
 */

void stockcert_tool_actor(stockcert_str_t *actor);

/*
 * Takes the writers' lock, with patience; then it is for
 * stockcert_ledger_unlock().
 */

stockcert_rc_e stockcert_tool_lock(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * Make an entry, whose actor is set, and a transaction, in the ledger of this
 * path, which they enter.  stockcert_tool_write() sets the entry's position,
 * to 0 if there was nothing to change; of what was done, the caller says so.
 * stockcert_tool_transact() says it. Return an exit code.
 */

int stockcert_tool_write(const char *path, stockcert_entry_t *entry);
int stockcert_tool_transact(const char *path, const stockcert_order_t *order);

/*
 * Ends what was made: keeps it if status is OK, and removes it otherwise.
 * Returns an exit code.
 */

int stockcert_tool_finish(stockcert_whole_t *whole, int status);

/*
 * Checks all of the ledger in the current directory, as "stockcert verify"
 * does.  This process must not have it open. path is its name in messages.
 * Returns an exit code.
 */

int stockcert_tool_check(const char *path, stockcert_verified_t *verified);

/* The same for a ledger that nobody else knows yet: it leaves no lock file. */

int stockcert_tool_check_made(const char *path,
    stockcert_verified_t *verified);


#endif /* STOCKCERT_TOOL_H */
