
/*
 * What the rooms of the ledger share: stockcert_ledger.c opens and closes,
 * stockcert_files.c has its files, stockcert_schema.c makes and checks what is
 * in it, stockcert_write.c writes, stockcert_enter.c makes entries, stockcert_issue.c issues certificates,
 * stockcert_post.c posts them to the other databases, stockcert_request.c has
 * their keys, stockcert_read.c reads, stockcert_decode.c checks what is read.
 * Nobody else includes it.
 */


#ifndef STOCKCERT_LEDGER_INT_H
#define STOCKCERT_LEDGER_INT_H


#include <limits.h>

#include <lmdb.h>

#include "stockcert_ledger.h"
#include "stockcert_lock.h"


/*
 * The reader table is sized when nobody else has the ledger open and cannot
 * grow later: room for more processes than will ever be, 64 bytes each.
 */

#define STOCKCERT_READERS  1024

#define STOCKCERT_REQUEST  16      /* bytes, of an item of "request" */


/* a class as the writer has it: the counters are those of the journal's end */

typedef struct {
    stockcert_class_t      record;
    MDB_dbi                certificates;
    unsigned               loaded:1;
    unsigned               changed:1;

    char                   code[STOCKCERT_CODE_MAX];
    char                   title[STOCKCERT_TEXT_MAX];
} stockcert_ledger_class_t;


/* what posting needs of an entry, which issues a certificate */

typedef struct {
    stockcert_ledger_class_t  *class;
    uint64_t                   number;
    size_t                     key_len;
    char                       key[STOCKCERT_TEXT_MAX];
} stockcert_unposted_t;


/* a file that is open, and its name */

typedef struct {
    dev_t                      dev;
    ino_t                      ino;
    char                       name[PATH_MAX];
} stockcert_file_t;


struct stockcert_ledger_s {
    MDB_env                   *env;
    int                        fd;           /* the environment's data.mdb */
    stockcert_lock_t           lock;         /* the writers': our data.mdb */
    int                        lock_fd;      /* our lock.mdb; -1: there is none */
    stockcert_file_t           data_file;
    stockcert_file_t           lock_file;

    MDB_dbi                    meta;
    MDB_dbi                    journal;
    MDB_dbi                    class;
    MDB_dbi                    request;

    stockcert_access_e         access;
    unsigned                   made:1;
    void                     (*interrupted)(pid_t holder);
    uint64_t                   created;
    size_t                     company_len;
    char                       company[STOCKCERT_TEXT_MAX];
    uint8_t                    header_seal[STOCKCERT_SEAL_LEN];

    /* those it had when it was opened; behind them, what the writer met since */

    size_t                     nclasses;
    size_t                     nmet;         /* all of them; the writer's */
    stockcert_ledger_class_t   classes[STOCKCERT_CLASSES_MAX];

    MDB_txn                   *reader;       /* reset between snapshots */

    /* the writer's: the journal's end as of its transaction */

    MDB_txn                   *writer;
    stockcert_sealer_t        *sealer;
    uint64_t                   position;
    uint64_t                   time;
    uint64_t                   behind;       /* the clock was, microseconds */
    uint8_t                    seal[STOCKCERT_SEAL_LEN];
    unsigned                   locked:1;     /* by _lock() */
    unsigned                   flushed:1;    /* what was there before it */
    time_t                     checked;      /* for readers that are dead */
    unsigned                   known:1;      /* what follows, and the classes */

    /* (posted, position]; that of a position is unposted[position % LOT] */

    uint64_t                   posted;
    stockcert_unposted_t       unposted[STOCKCERT_LOT];
};


/* Among the first n of ledger->classes; NULL if it is not there. */

stockcert_ledger_class_t *stockcert_ledger_find_class(
    const stockcert_ledger_t *ledger, size_t n, const char *code, size_t len);

/*
 * Posting, in the writer's transaction (stockcert_post.c): _check() compares, as
 * a ledger is opened, what is posted with the journal; _catch_up() reads, once
 * in a transaction and after _read_tail(), what is not posted, unless it is
 * known;
 * _load() reads the counters of a class; _post() posts all that is not, and puts
 * what changed of classes.
 */

stockcert_rc_e stockcert_ledger_check(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_catch_up(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_load(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_post(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/* Makes a certificate found by its number; cancelled is 0 for one that is not. */

stockcert_rc_e stockcert_ledger_put_certificate(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, uint64_t number, uint64_t issued,
    uint64_t cancelled, stockcert_error_t *error);

/*
 * Appends the entry that issues a certificate of a loaded class, and counts it;
 * it must be one that may come next.  A lot that it makes full is posted.
 */

stockcert_rc_e stockcert_ledger_put_issued(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_entry_t *entry,
    stockcert_error_t *error);

/*
 * Files: _open() opens, or makes, all that conf says, and the environment;
 * _close() closes what is not LMDB's, after the environment.
 *
 * _check() is for the writer, in its transaction: fails if the files are not the
 * ledger's, or not those of this transaction.  _differ() is 1 if data.mdb and
 * lock.mdb seem to be of different transactions: they may just be written.
 */

stockcert_rc_e stockcert_files_open(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
void stockcert_files_close(stockcert_ledger_t *ledger);
stockcert_rc_e stockcert_files_check(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
int stockcert_files_are_current(const stockcert_ledger_t *ledger);
int stockcert_files_are_replaced(const stockcert_ledger_t *ledger);
int stockcert_files_differ(const stockcert_ledger_t *ledger);

/*
 * In ledger->writer, which may be a read-only transaction if make is 0: opens
 * the databases and checks the header.  What is missing of a new ledger or of
 * the classes of conf is made, or without make, STOCKCERT_NOT_FOUND returned.
 */

stockcert_rc_e stockcert_ledger_open_databases(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, stockcert_error_t *error);

/*
 * Begins ledger->writer, whose files are the ledger's; _commit() and _abort()
 * end it.  Waits for the lock, unless that is held: for so many milliseconds, or
 * for ever if wait is 0.
 */

stockcert_rc_e stockcert_ledger_begin_write(stockcert_ledger_t *ledger,
    unsigned wait, stockcert_error_t *error);

/*
 * Reads the journal's end in the writer's transaction, and whether it is the
 * one that is known; needs the databases and header_seal.
 */

stockcert_rc_e stockcert_ledger_read_tail(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * Opens a class that the ledger does not have: appends the entry, and makes what
 * belongs to a class.  All must be posted.
 */

stockcert_rc_e stockcert_ledger_open_class(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);

/* The writer knows one more class, which "class" has: of this record. */

stockcert_rc_e stockcert_ledger_load_class(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error);

/*
 * Appends an entry to the journal in the writer's transaction: sets its
 * position, its time if it has none, and ledger->seal to its seal.
 */

stockcert_rc_e stockcert_ledger_append(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);

stockcert_rc_e stockcert_ledger_put_class(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error);

/*
 * Idempotency keys, in the writer's transaction: _find_request() finds the entry
 * of a key's certificate, or returns STOCKCERT_NOT_FOUND; _put_requests() puts
 * those of the unposted entries into the database.
 */

stockcert_rc_e stockcert_ledger_find_request(stockcert_ledger_t *ledger,
    const char *key, size_t len, stockcert_entry_t *entry,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_put_requests(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/* microseconds since 1970-01-01T00:00:00Z */

uint64_t stockcert_now(void);

/*
 * In any transaction; strings point into the map.  _get_class() has the record of
 * a class, which is as of the last posted entry; _get_unposted() goes through
 * those after that, from the journal's end back, and returns STOCKCERT_NOT_FOUND
 * after the oldest: the cursor is one of "journal", new at first.
 */

stockcert_rc_e stockcert_ledger_get_unposted(MDB_cursor *cursor,
    stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_get_class(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const char *code, size_t len, stockcert_class_t *class,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_get_entry(const stockcert_ledger_t *ledger,
    MDB_txn *txn, uint64_t position, stockcert_entry_t *entry,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_get_last(const stockcert_ledger_t *ledger,
    MDB_txn *txn, stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_get_certificate(
    const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_entry_t *cancelled,
    stockcert_error_t *error);

/* Whether all is posted once this entry is in the journal. */

int stockcert_ledger_posts(const stockcert_entry_t *entry);

/*
 * All that is read of "journal" and "class" goes through these two, which check
 * it: each field by itself, that is.  Strings point into the map.  The second
 * returns 0, or -1 if this is no record of a class.
 */

stockcert_rc_e stockcert_ledger_decode(const MDB_val *key,
    const MDB_val *value, stockcert_entry_t *entry, stockcert_error_t *error);
int stockcert_class_decode(const MDB_val *key, const MDB_val *value,
    stockcert_class_t *class);

/*
 * All set *error.  The first turns what an LMDB or system call returned into
 * ours, the second is for what must not be in a ledger, the third for what may
 * not be done, the fourth for a lock that another process has.
 */

stockcert_rc_e stockcert_ledger_error(stockcert_error_t *error,
    const char *call, int rc);
stockcert_rc_e stockcert_ledger_damaged(stockcert_error_t *error,
    const char *what);
stockcert_rc_e stockcert_ledger_refused(stockcert_error_t *error,
    const char *fmt, ...) __attribute__((format(printf, 2, 3)));
stockcert_rc_e stockcert_ledger_busy(stockcert_error_t *error,
    const stockcert_lock_t *lock);


#endif /* STOCKCERT_LEDGER_INT_H */
