
/*
 * The store: what the rooms of the ledger share, and nobody else includes.  The
 * rooms, each on those below it:
 *
 *     stockcert_ledger.c                       opens and closes a ledger
 *     stockcert_schema.c                       what must be in it
 *     stockcert_read.c                         the reader's side
 *     stockcert_enter.c, stockcert_issue.c     the writer's: entries, grants
 *     stockcert_decide.c, stockcert_apply.c    what comes next; what it does
 *     stockcert_transaction.c                  lock, beginning, end
 *     stockcert_post.c                         from the journal to the rest
 *     stockcert_keys.c                         idempotency keys
 *     stockcert_certificate.c                  certificates by number
 *     stockcert_class.c, stockcert_journal.c   classes; entries by position
 *     stockcert_files.c, stockcert_lock.c      the environment's files, a lock
 *     stockcert_ledger_error.c                 what went wrong
 */


#ifndef STOCKCERT_STORE_H
#define STOCKCERT_STORE_H


#include <limits.h>

#include <lmdb.h>

#include "stockcert_ledger.h"
#include "stockcert_lock.h"


/*
 * The reader table is sized when nobody else has the ledger open and cannot
 * grow later: room for more processes than will ever be, 64 bytes each.
 */

#define STOCKCERT_READERS  1024

#define STOCKCERT_KEYS_ITEM  16      /* bytes, of an item of "request" */


/* a class as the writer has it: the counters are those of the journal's end */

typedef struct {
    stockcert_class_t      record;
    MDB_dbi                certificates;
    unsigned               loaded:1;
    unsigned               changed:1;

    char                   code[STOCKCERT_CODE_MAX];
    char                   title[STOCKCERT_TEXT_MAX];
} stockcert_ledger_class_t;


/* the bytes that the journal has of an entry, seal and all */

typedef struct {
    size_t                     len;
    uint8_t                    bytes[STOCKCERT_ENTRY_MAX];
} stockcert_fixed_t;


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
    MDB_dbi                    keys;         /* "request" */

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


/*
 * The journal, in any transaction; strings and seals point into the map.
 *
 * _get() has the entry at a position and _last() the last one, or they return
 * STOCKCERT_NOT_FOUND.  _unposted() goes through those that are not posted, from
 * the journal's end back, and returns STOCKCERT_NOT_FOUND after the oldest: the
 * cursor is one of "journal", new at first.  _posts() tells whether all is
 * posted once this entry is in the journal.
 *
 * In the writer's: _read_tail() reads the journal's end, and whether it is the
 * one that is known; it needs the databases and header_seal.  _put() appends what
 * comes next, and is at the new end.
 */

stockcert_rc_e stockcert_journal_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, uint64_t position, stockcert_entry_t *entry,
    stockcert_error_t *error);
stockcert_rc_e stockcert_journal_last(const stockcert_ledger_t *ledger,
    MDB_txn *txn, stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_journal_unposted(MDB_cursor *cursor,
    stockcert_entry_t *entry, stockcert_error_t *error);
int stockcert_journal_posts(const stockcert_entry_t *entry);
stockcert_rc_e stockcert_journal_read_tail(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_journal_put(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, const stockcert_fixed_t *fixed,
    stockcert_error_t *error);

/*
 * Classes.  _find() looks among the first n of ledger->classes, and returns NULL
 * if it is not there.  _get() has the record of a class, which is as of the last
 * posted entry, in any transaction; strings point into the map.
 *
 * In the writer's: _put() writes a record; _load() reads the counters of a class,
 * unless they are known; _meet() is _find() among all, and _load(), and knows a
 * class from then on that was opened since the ledger was: NULL is an error;
 * _open() makes what belongs to a class whose entry is in the journal, all being
 * posted; _read_all() reads all there are into ledger->classes.
 */

stockcert_ledger_class_t *stockcert_class_find(
    const stockcert_ledger_t *ledger, size_t n, const char *code, size_t len);
stockcert_rc_e stockcert_class_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const char *code, size_t len, stockcert_class_t *class,
    stockcert_error_t *error);
stockcert_rc_e stockcert_class_put(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error);
stockcert_rc_e stockcert_class_load(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_error_t *error);
stockcert_ledger_class_t *stockcert_class_meet(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, stockcert_error_t *error);
stockcert_rc_e stockcert_class_open(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_class_read_all(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * Certificates.  _get() has the entry that issued one, in any transaction, and
 * the one that cancelled it, whose position is 0 if there is none; cancelled may
 * be NULL.  _put() makes one found by its number, in the writer's transaction;
 * cancelled is 0 for one that is not.
 */

stockcert_rc_e stockcert_certificate_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_entry_t *entry, stockcert_entry_t *cancelled,
    stockcert_error_t *error);
stockcert_rc_e stockcert_certificate_put(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, uint64_t number, uint64_t issued,
    uint64_t cancelled, stockcert_error_t *error);

/*
 * Idempotency keys, in the writer's transaction: _find() finds the entry of a
 * key's certificate, or returns STOCKCERT_NOT_FOUND; _put() puts those of the
 * unposted entries into the database.
 */

stockcert_rc_e stockcert_keys_find(stockcert_ledger_t *ledger, const char *key,
    size_t len, stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_keys_put(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * Posting, in the writer's transaction.  stockcert_post() posts all that is not,
 * and puts what changed of classes.  _check() compares, as a ledger is opened,
 * what is posted with the journal.  _catch_up() reads, once in a transaction and
 * after stockcert_journal_read_tail(), what is not posted, unless it is known.
 * _note() adds the entry that was put last, which issues a certificate.
 */

stockcert_rc_e stockcert_post(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_post_check(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_post_catch_up(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
void stockcert_post_note(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry);

/*
 * Deciding and applying, in the writer's transaction.
 *
 * stockcert_decide() tells whether an entry may come next, or returns
 * STOCKCERT_REFUSED; then it is fixed as by stockcert_fix(), which sets what it
 * does not have: its position, its time, its seal, which points into *fixed.  What
 * it has already must be what it becomes.  For a caller that knows that the entry
 * may come next, stockcert_fix() is enough.
 *
 * stockcert_apply() does what an entry does that is fixed and comes next: its
 * class is loaded.
 */

stockcert_rc_e stockcert_decide(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_fixed_t *fixed,
    stockcert_error_t *error);
stockcert_rc_e stockcert_fix(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_fixed_t *fixed,
    stockcert_error_t *error);
stockcert_rc_e stockcert_apply(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, const stockcert_fixed_t *fixed,
    stockcert_error_t *error);

/*
 * Files: _open() opens, or makes, all that conf says, and the environment;
 * _close() closes what is not LMDB's, after the environment.
 *
 * _check() is for the writer, in its transaction: fails if the files are not the
 * ledger's, or not those of this transaction.  _differ() is 1 if data.mdb and
 * lock.mdb seem to be of different transactions: they may just be written.
 * _open_dbi() opens a database, in the writer's transaction, which must be there
 * unless create is MDB_CREATE.
 */

stockcert_rc_e stockcert_files_open(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
void stockcert_files_close(stockcert_ledger_t *ledger);
stockcert_rc_e stockcert_files_check(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
int stockcert_files_are_current(const stockcert_ledger_t *ledger);
int stockcert_files_are_replaced(const stockcert_ledger_t *ledger);
int stockcert_files_differ(const stockcert_ledger_t *ledger);
stockcert_rc_e stockcert_files_open_dbi(stockcert_ledger_t *ledger,
    const char *name, unsigned int create, MDB_dbi *dbi,
    stockcert_error_t *error);

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


#endif /* STOCKCERT_STORE_H */
