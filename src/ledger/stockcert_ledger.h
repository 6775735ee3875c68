
/*
 * The ledger: one company's share classes, certificates and journal, in an LMDB
 * environment.  The folder src/ledger gives this: opening, reading and writing
 * a ledger, with all its rules.  docs/ARCHITECTURE.md, "The ledger", says how
 * it works and why it is safe.
 *
 * Format version 2.  Named databases; all integers are 8 bytes, big-endian:
 *
 *     meta               "ledger" -> header (stockcert_entry.h); "replica" ->
 *                        what the journal is known by that other machines
 *                        share, if any do, and its seal, as if it came next
 *     journal            position of the entry -> entry
 *     class              code -> authorized, issued, last number, title
 *     certificate:CODE   number -> position of the entry that issued it, and of
 *                        the one that surrendered it, if any
 *     request            idempotency keys: see stockcert_keys.c
 *     holder             who a holder was, position of an entry that changed that
 *                        -> nothing: see stockcert_holder.c
 *     transaction        position of a group's first entry -> nothing
 *     amendment          class code, position of an entry that amended it -> the
 *                        shares that were authorized until then
 *
 * All but the journal may be behind it by less than STOCKCERT_LOT entries.  The
 * functions below see all that is in the journal.
 *
 * "issued" counts the shares that are out: those of all certificates that are
 * outstanding.
 *
 * A ledger belongs to the process that opened it, and must not be used after
 * fork().  A process must not have the same one open twice (LMDB's lmdb.h,
 * Caveats: closing one would drop the file locks of the other).  Any number of
 * processes may have it open.
 *
 * Within a process there are two parties, each on one thread at a time.  The
 * writer works between stockcert_ledger_begin() and stockcert_ledger_commit()
 * or stockcert_ledger_abort(), all on one thread.  The reader works between
 * stockcert_ledger_snapshot() and stockcert_ledger_release().  They do not wait
 * for each other.
 *
 * Nothing is ever written without LMDB's full durability: when
 * stockcert_ledger_commit() returns STOCKCERT_OK, all is flushed to disk.
 */


#ifndef STOCKCERT_LEDGER_H
#define STOCKCERT_LEDGER_H


#include <stdatomic.h>

#include <sys/types.h>

#include "stockcert_error.h"
#include "stockcert_order.h"
#include "stockcert_record.h"
#include "stockcert_replica.h"


#define STOCKCERT_CLASSES_MAX  64      /* classes of a ledger */
#define STOCKCERT_LOT          256     /* entries that are posted at once */


typedef enum {
    STOCKCERT_MAKE = 0,                /* what is missing is made */
    STOCKCERT_OPEN,                    /* classes that are missing are */
    STOCKCERT_WRITE,
    STOCKCERT_READ                     /* there is no writer */
} stockcert_access_e;


/*
 * Of a ledger that other machines have, too: what its processes share on this
 * one.  Zeroed at first.  "seen" belongs to whoever watches; the holder of the
 * ledger's lock lowers it where etcd has become another one.  The rest belongs to
 * the holder of the lock, and any may read what is atomic; whoever watches
 * zeroes "reached" and "kept" where etcd has become another one, so that the head
 * is read.
 */

typedef struct {
    _Atomic uint64_t     seen;         /* revision of a head that was told of */
    _Atomic uint32_t     tells;        /* how often; a futex */
    _Atomic uint64_t     reached;      /* revision of "head", or 0: not known */
    _Atomic uint64_t     kept;         /* of the one that LMDB has, too */
    _Atomic uint64_t     told;         /* of one whose batch clients were told */
    _Atomic uint64_t     guard;        /* what lanes have noted was sent, if it
                                          was, guarded by this revision */
    stockcert_head_t     head;
} stockcert_shared_t;


typedef struct {
    const char          *path;         /* a directory that exists */
    stockcert_access_e   access;
    size_t               size;         /* bytes, the most it may grow to; 0: as
                                          it was last */
    unsigned             wait;         /* milliseconds to wait for other
                                          processes at most; 0: for ever */
    const stockcert_tail_t
                        *known;        /* NULL, or an entry that was committed
                                          and must be there */
    void               (*interrupted)(pid_t holder);   /* NULL, or called if a
                                          signal comes while the writer waits
                                          for the process that has the lock */
    stockcert_replica_t *replica;      /* NULL, or what other machines share */
    stockcert_shared_t  *shared;       /* and what processes share of that */
    stockcert_str_t      company;      /* empty: whatever it is */
    uint64_t             created;      /* of one that is made; 0: now */
    size_t               nclasses;
    stockcert_class_t   *classes;      /* code, title, authorized */
} stockcert_ledger_conf_t;


typedef struct stockcert_ledger_s  stockcert_ledger_t;


/*
 * The versions of this program, of the ledger's format and of the LMDB that it
 * runs with, as a line of text.  Writes at most size bytes, 80 are enough.
 * Any thread.
 */

void stockcert_ledger_version(char *text, size_t size);

/*
 * Opens the ledger in conf->path.  With STOCKCERT_MAKE, makes it if the
 * directory has none and conf->known is NULL.  With STOCKCERT_MAKE and
 * STOCKCERT_OPEN, opens (in the journal) those of conf->classes that it does
 * not have yet.  All else in an existing ledger stays as it is.  Files are
 * made with mode 0600, for the owner of data.mdb.  If there is something to
 * make, it may wait for another writer, and it flushes.  The texts in conf
 * must be valid by stockcert_text.h.
 *
 * With STOCKCERT_READ, readers see what writers see, before it is flushed.  A
 * ledger on a read-only file system can be opened, too.
 *
 * Returns STOCKCERT_OK with a ledger for stockcert_ledger_close(), or
 * STOCKCERT_FULL, STOCKCERT_REPLACED if it does not have conf->known,
 * STOCKCERT_FAILED, or STOCKCERT_BUSY if others had it locked for longer than
 * conf->wait.  It refuses, and does not change, what is not a ledger, is
 * damaged, or is of another format version or company.  It refuses files that
 * are links or have a second name, as another lock.mdb may lie beside that
 * name.
 */

stockcert_rc_e stockcert_ledger_open(const stockcert_ledger_conf_t *conf,
    stockcert_ledger_t **ledger, stockcert_error_t *error);

/* Neither the writer nor the reader may be at work. */

void stockcert_ledger_close(stockcert_ledger_t *ledger);

/* The company's name; it stays as long as the ledger is open.  Any thread. */

stockcert_str_t stockcert_ledger_company(const stockcert_ledger_t *ledger);

/* When it was made: microseconds since 1970-01-01T00:00:00Z.  Any thread. */

uint64_t stockcert_ledger_created(const stockcert_ledger_t *ledger);

/*
 * Whether readers have a class of this code: it was there when the ledger was
 * opened, or at stockcert_ledger_adopt().  Not while that is called.
 */

int stockcert_ledger_has_class(const stockcert_ledger_t *ledger,
    const char *code, size_t len);

/* The conf->replica that it was opened with.  Any thread. */

stockcert_replica_t *stockcert_ledger_replica(const stockcert_ledger_t *ledger);

/*
 * What the journal is known by that other machines share, or an empty string.
 * Any thread.
 */

stockcert_str_t stockcert_ledger_mark(const stockcert_ledger_t *ledger);

/*
 * Readers have the classes that there were when the ledger was opened.  This
 * gives them those that the writer has found since, by transactions that are
 * committed.  The reader's; not in a snapshot.
 */

void stockcert_ledger_adopt(stockcert_ledger_t *ledger);

/*
 * Whether this call of stockcert_ledger_open() made the ledger.  Any thread.
 */

int stockcert_ledger_is_made(const stockcert_ledger_t *ledger);

/*
 * Whether the files that are open are still those in the directory.  Readers
 * ask from time to time: if not, the ledger must be closed and opened again.
 * (stockcert_ledger_begin() tells writers.)  Any thread, at any time.
 */

int stockcert_ledger_is_current(const stockcert_ledger_t *ledger);

/*
 * Whether data.mdb is not the one in the directory any more: then another open
 * would give another ledger.  Any thread, at any time.
 */

int stockcert_ledger_is_replaced(const stockcert_ledger_t *ledger);

/*
 * How far the clock was behind the journal's time, in microseconds, when the
 * last transaction appended its last entry; 0 if it was not.  The writer's.
 */

uint64_t stockcert_ledger_behind(const stockcert_ledger_t *ledger);

/*
 * The process that has the writers' lock; 0 if there is none, or it cannot be
 * told.  Any thread, at any time.
 */

pid_t stockcert_ledger_holder(const stockcert_ledger_t *ledger);


/*
 * The writer.
 *
 * stockcert_ledger_begin() waits until no other process or thread writes, and
 * makes sure that the files are the ledger's (stockcert_files.c).  It holds
 * the lock until the transaction ends.  A caller that needs the lock for
 * longer takes it first with stockcert_ledger_lock(), and holds it until
 * stockcert_ledger_unlock().
 *
 * stockcert_ledger_issue() issues the certificates for n grants, in their
 * order, and fills in the outcome of each; it may be called any number of
 * times in a transaction.  An outcome counts only after
 * stockcert_ledger_commit() has returned STOCKCERT_OK, or
 * stockcert_ledger_is_appended() is so.  If a key already has a
 * certificate, from this transaction or an earlier one, the outcome is that
 * certificate's.  Then the ledger is flushed, because another process may have
 * committed the certificate and died before its flush.
 *
 * stockcert_ledger_replay() issues nothing.  For each of n grants whose key
 * has a certificate, it fills in that outcome, as stockcert_ledger_issue()
 * does. All others get the status.
 *
 * stockcert_ledger_enter() makes an entry of any kind, if the ledger's rules
 * allow it to come next, and does what it says.  entry has the fields of its
 * kind (stockcert_entry.h); the others are 0 or empty.  Its time, position and
 * seal are set.  If one is given (not 0, not NULL), it must equal what is set.
 * STOCKCERT_REFUSED has the reason in *error, as a sentence.
 *
 * An entry that is a member of a group comes next to the others of it, and a
 * transaction that ends with a group that is open is refused.
 *
 * stockcert_ledger_transact() enters what an order asks for, as a group, and
 * fills in *done.  It is called once in a transaction, after nothing else.
 * Where done->status is not STOCKCERT_ISSUED, or done->replayed is set,
 * nothing was entered, or nothing of it may stay: then comes
 * stockcert_ledger_abort().  done counts once stockcert_ledger_commit() has
 * returned STOCKCERT_OK, or if it is of an stockcert_ledger_abort().
 *
 * After an error of stockcert_ledger_begin() there is no transaction.  After
 * an error of stockcert_ledger_issue(), stockcert_ledger_replay(),
 * stockcert_ledger_transact() or stockcert_ledger_enter(), the caller must
 * call stockcert_ledger_abort().  stockcert_ledger_commit() ends the
 * transaction always.
 */

stockcert_rc_e stockcert_ledger_lock(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
void stockcert_ledger_unlock(stockcert_ledger_t *ledger);
stockcert_rc_e stockcert_ledger_begin(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_issue(stockcert_ledger_t *ledger,
    stockcert_slot_t *slots, size_t n, stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_replay(stockcert_ledger_t *ledger,
    stockcert_slot_t *slots, size_t n, stockcert_status_e status,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_enter(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_transact(stockcert_ledger_t *ledger,
    const stockcert_order_t *order, stockcert_transacted_t *done,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_commit(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
void stockcert_ledger_abort(stockcert_ledger_t *ledger);

/*
 * For a ledger that other machines have, too.  For others all of these are done
 * at once, and return STOCKCERT_OK.
 *
 * stockcert_ledger_begin_at_head() begins a transaction, for who has called
 * stockcert_ledger_lock(), and applies what others appended, up to the journal's
 * head.  known is NULL, or an entry that was committed once: without it this is
 * STOCKCERT_REPLACED, as the file is an older or another one.  guard is 0, or
 * what stockcert_ledger_guard() told when something was sent whose outcome is
 * not known: then that is in the journal after this, or it never will be.  It
 * may commit what it has applied; STOCKCERT_CHANGED: it has, and more is there,
 * so it must be called again.  After an error there is no transaction.
 *
 * stockcert_ledger_room() tells how many entries more the transaction may have.
 *
 * stockcert_ledger_commit() first appends what was entered, unless
 * stockcert_ledger_append() has done so.  STOCKCERT_CHANGED,
 * STOCKCERT_UNREACHED: the transaction is gone; what was entered may be in the
 * journal, which stockcert_ledger_begin_at_head() finds out.
 * stockcert_ledger_is_appended() tells whether what was entered last was appended:
 * then that is in the journal for good, whatever became of the
 * transaction on this machine.  After that stockcert_ledger_next() begins another
 * batch in the same transaction; stockcert_ledger_is_wanted() tells whether
 * another machine waits to append one.
 *
 * stockcert_ledger_confirm() makes sure that nothing was appended since, so that
 * what the transaction has found is so, although it enters nothing;
 * STOCKCERT_CHANGED if something was.  It reads the head once for each lock that
 * is taken.
 *
 * After STOCKCERT_UNREACHED and STOCKCERT_DIVERGED the ledger is good for
 * another transaction.
 */

stockcert_rc_e stockcert_ledger_begin_at_head(stockcert_ledger_t *ledger,
    const stockcert_tail_t *known, uint64_t guard, stockcert_error_t *error);
uint64_t stockcert_ledger_guard(const stockcert_ledger_t *ledger);
size_t stockcert_ledger_room(const stockcert_ledger_t *ledger);
stockcert_rc_e stockcert_ledger_append(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
int stockcert_ledger_is_appended(const stockcert_ledger_t *ledger);
int stockcert_ledger_is_wanted(const stockcert_ledger_t *ledger);
void stockcert_ledger_next(stockcert_ledger_t *ledger);
stockcert_rc_e stockcert_ledger_confirm(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * What became of appends since this was asked last, or the ledger was opened.
 * The writer's.
 */

typedef struct {
    uint64_t             done;
    uint64_t             lost;         /* another machine was faster */
    uint64_t             unanswered;   /* in the time that there was */
} stockcert_appends_t;

void stockcert_ledger_take_appends(stockcert_ledger_t *ledger,
    stockcert_appends_t *appends);

/*
 * Without the lock.  stockcert_ledger_yield() gives machines that waited at the
 * last append time for one each, half a second at most.
 * stockcert_ledger_leave() says that none needs to wait for this one, as it has
 * nothing to append now.
 */

void stockcert_ledger_yield(stockcert_ledger_t *ledger);
void stockcert_ledger_leave(stockcert_ledger_t *ledger);

/* Whether anything was entered in the transaction. */

int stockcert_ledger_has_entered(const stockcert_ledger_t *ledger);


/*
 * A transaction of its own, for what no lane has.  enter() enters something in
 * it, or nothing, and returns STOCKCERT_OK; or STOCKCERT_REFUSED, and nothing may
 * stay.  It may be called again where another machine was faster.  What others
 * appended stays, unless it is refused.
 *
 * noted and guard are zeroed at first.  If it is not known whether what was
 * entered is in the journal, noted is where that ends, and another call finds
 * out: STOCKCERT_OK, or STOCKCERT_NOT_FOUND, and it never will be.  Otherwise
 * noted.position is 0.
 */

typedef struct {
    stockcert_rc_e         (*enter)(stockcert_ledger_t *ledger, void *data,
                               stockcert_error_t *error);
    void                    *data;
    const stockcert_tail_t  *known;    /* an entry that must be there, or NULL */

    stockcert_tail_t         noted;
    uint64_t                 guard;
    int                      entered;  /* what is in the journal now */
} stockcert_write_t;

/*
 * Returns what the functions of the writer return.  write->entered tells,
 * whatever it returns, whether the journal has what was entered.
 */

stockcert_rc_e stockcert_ledger_write(stockcert_ledger_t *ledger,
    stockcert_write_t *write, stockcert_error_t *error);

/*
 * Opens those classes that a ledger of several machines does not have yet, as
 * stockcert_ledger_open() does for others.
 */

stockcert_rc_e stockcert_ledger_open_classes(stockcert_ledger_t *ledger,
    const stockcert_class_t *classes, size_t n, stockcert_error_t *error);

/*
 * Says in the ledger what the journal is known by that other machines share, or,
 * with an empty name, that they share none, in a transaction of its own.  From
 * then on stockcert_ledger_begin() refuses all who have no conf->replica, with
 * STOCKCERT_DIVERGED.  Nobody may ask for the mark meanwhile.
 */

stockcert_rc_e stockcert_ledger_set_mark(stockcert_ledger_t *ledger,
    const char *name, stockcert_error_t *error);

/*
 * Within a transaction: how many shares of a class are authorized, as of what
 * was entered last; STOCKCERT_NOT_FOUND if there is no such class.
 */

stockcert_rc_e stockcert_ledger_authorized(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t *shares, stockcert_error_t *error);

/*
 * Within a transaction: whether a certificate is outstanding, and its holder
 * has the id and the address that this entry of the kind "holder" gives;
 * STOCKCERT_NOT_FOUND if not.
 */

stockcert_rc_e stockcert_ledger_holder_has(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * For a writer that finds outcomes of another's transaction, in a transaction
 * of its own.  stockcert_ledger_flush() makes sure that what the ledger shows
 * is on disk, or fails.  stockcert_ledger_has() tells whether the journal has
 * this seal at this position, or returns STOCKCERT_NOT_FOUND.
 */

stockcert_rc_e stockcert_ledger_flush(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_has(stockcert_ledger_t *ledger,
    uint64_t position, const uint8_t *seal, stockcert_error_t *error);

/*
 * Frees the places of readers that died; LMDB would never use their pages
 * again.  dead is NULL, or gets their number.  (stockcert_ledger_begin() does
 * this, too, about once a second.)
 */

stockcert_rc_e stockcert_ledger_check_readers(stockcert_ledger_t *ledger,
    int *dead, stockcert_error_t *error);

/*
 * Where the journal ended as the ledger was opened, or after the last
 * transaction that this writer committed; within one, where it ends now.
 */

void stockcert_ledger_tail(const stockcert_ledger_t *ledger,
    stockcert_tail_t *tail);


/*
 * The reader.  It never waits for a writer.  A page that is not in memory is
 * read from disk.  All that is read between stockcert_ledger_snapshot() and
 * stockcert_ledger_release() is of one state of the ledger.  Strings and seals
 * are valid until stockcert_ledger_release().
 *
 * After an error of stockcert_ledger_snapshot() there is none to release.  If
 * another process has raised the size, it goes on with STOCKCERT_READ;
 * otherwise that is an error.
 */

stockcert_rc_e stockcert_ledger_snapshot(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
void stockcert_ledger_release(stockcert_ledger_t *ledger);

/* The last entry of the journal; STOCKCERT_NOT_FOUND if it has none. */

stockcert_rc_e stockcert_ledger_last(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * The entry at a position; STOCKCERT_NOT_FOUND, with an error that says so, if
 * the journal has none there.
 */

stockcert_rc_e stockcert_ledger_entry(stockcert_ledger_t *ledger,
    uint64_t position, stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * Copies the ledger's file to a descriptor, for example of a pipe, in a
 * transaction of its own.  It waits until nobody writes.
 */

stockcert_rc_e stockcert_ledger_copy(stockcert_ledger_t *ledger, int fd,
    stockcert_error_t *error);

/* The class of this code, if readers have it: STOCKCERT_NOT_FOUND. */

stockcert_rc_e stockcert_ledger_class(stockcert_ledger_t *ledger,
    const char *code, size_t len, stockcert_class_t *class,
    stockcert_error_t *error);

/*
 * All classes in the order of their codes; n has their number, at most
 * STOCKCERT_CLASSES_MAX, for which classes has room.
 */

stockcert_rc_e stockcert_ledger_classes(stockcert_ledger_t *ledger,
    stockcert_class_t *classes, size_t *n, stockcert_error_t *error);

typedef struct {
    uint64_t            used;          /* bytes of the file that pages have */
    uint64_t            size;          /* bytes, the most it may grow to */
    unsigned            readers_max;   /* threads that may read at once */
} stockcert_usage_t;


/*
 * What the ledger takes, as of now.  stockcert_ledger_readers() calls write()
 * for each line of LMDB's list of readers, which has a heading (lmdb.h,
 * mdb_reader_list()); write() returns less than 0 to stop.
 */

stockcert_rc_e stockcert_ledger_usage(stockcert_ledger_t *ledger,
    stockcert_usage_t *usage, stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_readers(stockcert_ledger_t *ledger,
    int (*write)(const char *line, void *data), void *data,
    stockcert_error_t *error);

/*
 * The entry that issued a certificate, and what has become of it.
 * stockcert_ledger_certificates() reads n of them, from a number on, and
 * returns STOCKCERT_NOT_FOUND if one is not there.
 */

stockcert_rc_e stockcert_ledger_certificate(stockcert_ledger_t *ledger,
    const char *code, size_t len, uint64_t number,
    stockcert_certificate_t *certificate, stockcert_error_t *error);
stockcert_rc_e stockcert_ledger_certificates(stockcert_ledger_t *ledger,
    const char *code, size_t len, uint64_t number, size_t n,
    stockcert_certificate_t *certificates, stockcert_error_t *error);

/*
 * Of a certificate that the journal issues: the position of the entry that
 * surrendered it, or 0.
 */

stockcert_rc_e stockcert_ledger_surrendered(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t number, uint64_t *position,
    stockcert_error_t *error);

/*
 * Of a certificate that this entry issued to a holder without an id: the entry
 * that gave the holder one, which is neither after the position until, nor
 * before the certificate; STOCKCERT_NOT_FOUND if none did.
 */

stockcert_rc_e stockcert_ledger_identified(stockcert_ledger_t *ledger,
    const stockcert_entry_t *issued, uint64_t until, stockcert_entry_t *entry,
    stockcert_error_t *error);

/*
 * Whether this number of shares was authorized once, before an amendment;
 * STOCKCERT_NOT_FOUND if it was not.
 */

stockcert_rc_e stockcert_ledger_was_authorized(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, uint64_t shares, stockcert_error_t *error);

/*
 * The numbers of transactions, which are the positions of their first entries,
 * in ascending order: those above after, at most *n of them, whose number is
 * set.
 */

stockcert_rc_e stockcert_ledger_transactions(stockcert_ledger_t *ledger,
    uint64_t after, uint64_t *numbers, size_t *n, stockcert_error_t *error);


#endif /* STOCKCERT_LEDGER_H */
