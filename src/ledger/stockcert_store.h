
/*
 * The store: what the files of src/ledger share.  No other folder includes it.
 * Each file uses those below it:
 *
 *     stockcert_ledger.c                       opens and closes a ledger
 *     stockcert_schema.c                       what must be in it
 *     stockcert_read.c                         the reader's side
 *     stockcert_write.c                        a transaction of its own
 *     stockcert_reach.c                        what other machines append
 *     stockcert_transact.c, stockcert_issue.c  the writer's: orders, grants,
 *     stockcert_enter.c                        single entries
 *     stockcert_decide.c, stockcert_apply.c    what comes next; what it does
 *     stockcert_group.c                        what comes next in a group
 *     stockcert_holder.c                       who has a certificate now
 *     stockcert_transaction.c                  lock, beginning, end
 *     stockcert_append.c                       the batch that others will apply
 *     stockcert_mark.c                         that there are others (its
 *                                              stockcert_ledger_set_mark() is a
 *                                              transaction of its own)
 *     stockcert_post.c                         from the journal to the rest
 *     stockcert_keys.c                         idempotency keys
 *     stockcert_part.c                         those of which the hash begins
 *                                              with the same bits
 *     stockcert_run.c                          keys in order, and filters
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
#include "stockcert_order.h"
#include "stockcert_lock.h"


/*
 * The reader table gets its size when the first process opens the ledger, and
 * cannot grow later.  This is room for more processes than there will be, at
 * 64 bytes each.
 */

#define STOCKCERT_READERS  1024

#define STOCKCERT_DATABASES  7       /* named ones, besides those of classes */

#define STOCKCERT_KEYS_ITEM  16      /* bytes, of an item of "request" */

_Static_assert(STOCKCERT_KEYS_ITEM == 2 * sizeof(uint64_t),
               "of a hash, and a position");

/* a run of so many items is split into parts, by the first bits of the hash */

#ifndef STOCKCERT_RUN_MAX
#define STOCKCERT_RUN_MAX  65536
#endif

#define STOCKCERT_PART_BITS  10
#define STOCKCERT_PARTS      (1 << STOCKCERT_PART_BITS)


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


/* what posting needs of an entry; class is NULL if it issues no certificate */

typedef struct {
    stockcert_ledger_class_t  *class;
    uint64_t                   number;
    size_t                     key_len;
    char                       key[STOCKCERT_TEXT_MAX];
} stockcert_unposted_t;


/* who has a certificate, with all bytes of its own; len 0: there is none */

typedef struct {
    uint8_t                    name_len;
    uint8_t                    id_len;
    uint8_t                    address_len;
    uint8_t                    capacity_len;
    char                       name[STOCKCERT_TEXT_MAX];
    char                       id[STOCKCERT_HOLDER_MAX];
    char                       address[STOCKCERT_TEXT_MAX];
    char                       capacity[STOCKCERT_TEXT_MAX];
} stockcert_holder_t;


/* a group that is open, as of the last entry; first is 0 if there is none */

typedef struct {
    uint64_t                   first;        /* position */
    uint64_t                   member;       /* of the last entry */
    uint64_t                   surrenders;
    uint64_t                   issues;
    uint64_t                   type;
    uint64_t                   reason;
    uint64_t                   surrendered;  /* shares, so far, */
    uint64_t                   issued;
    unsigned                   balance:1;    /* is there */
    const char                *blamed;       /* member of an order that is why
                                                it was refused, or NULL */
    char                       effective[STOCKCERT_DATE_LEN + 1];   /* or "" */
    stockcert_ledger_class_t  *class;
    stockcert_holder_t         holder;       /* of the last surrendered one, then
                                                of what "reissue" issues */
} stockcert_group_t;


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
    int                        lock_fd;      /* our lock.mdb, or -1 */
    stockcert_file_t           data_file;
    stockcert_file_t           lock_file;

    MDB_dbi                    meta;
    MDB_dbi                    journal;
    MDB_dbi                    class;
    MDB_dbi                    keys;         /* "request" */
    MDB_dbi                    holders;      /* "holder" */
    MDB_dbi                    transactions; /* "transaction" */
    MDB_dbi                    amendments;   /* "amendment" */

    stockcert_access_e         access;
    unsigned                   made:1;

    stockcert_replica_t       *replica;      /* NULL, or with these: */
    stockcert_shared_t        *shared;
    stockcert_shared_t         own;          /* if nobody else has it */
    uint8_t                   *batch;        /* STOCKCERT_BATCH_MAX bytes */
    stockcert_head_t           target;       /* told by a guard that failed; this
                                                and "confirmed" end with the lock */
    stockcert_appends_t        appends;
    unsigned                   confirmed:1;  /* the head was read */
    unsigned                   appended:1;   /* the last batch was */
    unsigned                   wanted;       /* so many machines wait for that */
    unsigned                   checked_origin:1;
    size_t                     mark_len;
    char                       mark[STOCKCERT_TEXT_MAX];

    void                     (*interrupted)(pid_t holder);
    uint64_t                   created;
    size_t                     company_len;
    char                       company[STOCKCERT_TEXT_MAX];
    uint8_t                    header_seal[STOCKCERT_SEAL_LEN];

    /*
     * those that readers have, then those that the writer has found since; the
     * databases of the first "nkept" are open for good
     */

    size_t                     nclasses;
    _Atomic size_t             nkept;        /* the writer's */
    size_t                     nmet;         /* all of them; the writer's */
    stockcert_ledger_class_t   classes[STOCKCERT_CLASSES_MAX];

    MDB_txn                   *reader;       /* reset between snapshots */

    /* the writer's: the journal's end as of its transaction */

    MDB_txn                   *writer;
    stockcert_sealer_t        *sealer;
    uint64_t                   position;
    uint64_t                   begun;        /* what others entered ends there */
    size_t                     entered;      /* bytes of a batch since */
    uint64_t                   time;
    uint64_t                   behind;       /* the clock was, microseconds */
    uint8_t                    seal[STOCKCERT_SEAL_LEN];
    unsigned                   locked:1;     /* by stockcert_ledger_lock() */
    unsigned                   flushed:1;    /* what was there before it */
    unsigned                   drawn:1;      /* a nonce is in it */
    uint8_t                    nonce[STOCKCERT_NONCE_LEN];
    stockcert_group_t          group;
    time_t                     checked;      /* for readers that are dead */
    unsigned                   known:1;      /* what follows, and the classes */

    /* of (posted, position]; that of a position is unposted[position % LOT] */

    uint64_t                   posted;
    stockcert_unposted_t       unposted[STOCKCERT_LOT];
};


/*
 * The journal, in any transaction; strings and seals point into the map.
 *
 * stockcert_journal_get() reads the entry at a position, and
 * stockcert_journal_last() the last one, or they return STOCKCERT_NOT_FOUND;
 * the former's error says which is not there, as that may mean damage.
 * stockcert_journal_first() reads the first entry of the group that an entry
 * is a member of; without it, the ledger is damaged.
 * stockcert_journal_unposted() reads the unposted entries one by one, from the
 * journal's end back, and returns STOCKCERT_NOT_FOUND after the oldest.  Its
 * cursor is of "journal", new at first.  stockcert_journal_posts() tells
 * whether this entry posts all before it.
 *
 * In the writer's transaction: stockcert_journal_read_tail() reads the
 * journal's end, and whether it is the one that is known; it needs the
 * databases and header_seal.  stockcert_journal_check_known() returns
 * STOCKCERT_REPLACED if the journal does not have an entry that was committed
 * once.  stockcert_journal_put() appends the next entry, and sets the new end.
 */

stockcert_rc_e stockcert_journal_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, uint64_t position, stockcert_entry_t *entry,
    stockcert_error_t *error);
stockcert_rc_e stockcert_journal_last(const stockcert_ledger_t *ledger,
    MDB_txn *txn, stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_journal_first(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_entry_t *entry, stockcert_entry_t *first,
    stockcert_error_t *error);
stockcert_rc_e stockcert_journal_unposted(MDB_cursor *cursor,
    stockcert_entry_t *entry, stockcert_error_t *error);
int stockcert_journal_posts(const stockcert_entry_t *entry);
stockcert_rc_e stockcert_journal_read_tail(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_journal_check_known(stockcert_ledger_t *ledger,
    const stockcert_tail_t *known, stockcert_error_t *error);
stockcert_rc_e stockcert_journal_put(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, const stockcert_fixed_t *fixed,
    stockcert_error_t *error);

/*
 * Classes.  stockcert_class_find() looks among the first n of ledger->classes,
 * and returns NULL if it is not there.  stockcert_class_get() reads the record
 * of a class, as of the last posted entry, in any transaction; strings point
 * into the map.  stockcert_class_list() reads all, in the order of their codes,
 * at most STOCKCERT_CLASSES_MAX.
 *
 * In the writer's transaction: stockcert_class_put() writes a record.
 * stockcert_class_load() reads the counters of a class, unless they are known.
 * stockcert_class_need() does stockcert_class_find() among those that the
 * writer has, and stockcert_class_load(); NULL is an error.
 * stockcert_class_meet() adds those of the database "class" that the writer
 * does not have yet to ledger->classes.  stockcert_class_open() makes the
 * database and record of a class whose entry is in the journal, and adds it;
 * all must be posted.
 */

stockcert_ledger_class_t *stockcert_class_find(
    const stockcert_ledger_t *ledger, size_t n, const char *code, size_t len);
stockcert_rc_e stockcert_class_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const char *code, size_t len, stockcert_class_t *class,
    stockcert_error_t *error);
stockcert_rc_e stockcert_class_list(const stockcert_ledger_t *ledger,
    MDB_txn *txn, stockcert_class_t *classes, size_t *n,
    stockcert_error_t *error);
stockcert_rc_e stockcert_class_put(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error);
stockcert_rc_e stockcert_class_load(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, stockcert_error_t *error);
stockcert_ledger_class_t *stockcert_class_need(stockcert_ledger_t *ledger,
    const stockcert_str_t *code, stockcert_error_t *error);
stockcert_rc_e stockcert_class_meet(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_class_open(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * Amendments of classes, by their positions: stockcert_class_amend(), in the
 * writer's transaction, makes one found, and sets the number of authorized
 * shares.  It keeps the number that there was before.
 */

stockcert_rc_e stockcert_class_amend(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);

/*
 * Certificates.  stockcert_certificate_get() reads the entry that issued one,
 * and its surrender, in any transaction.  stockcert_certificate_list() reads n
 * of them, from a number on; STOCKCERT_NOT_FOUND if one is not there.
 * stockcert_certificate_surrendered() reads the position of the entry that
 * surrendered one, or 0.  stockcert_certificate_put() writes the positions of
 * both entries for a number, in the writer's transaction; surrendered is 0 if
 * there is none.
 */

stockcert_rc_e stockcert_certificate_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_ledger_class_t *class, uint64_t number,
    stockcert_certificate_t *certificate, stockcert_error_t *error);
stockcert_rc_e stockcert_certificate_list(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_ledger_class_t *class, uint64_t number,
    size_t n, stockcert_certificate_t *certificates, stockcert_error_t *error);
stockcert_rc_e stockcert_certificate_surrendered(MDB_txn *txn,
    const stockcert_ledger_class_t *class, uint64_t number, uint64_t *position,
    stockcert_error_t *error);
stockcert_rc_e stockcert_certificate_put(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, uint64_t number, uint64_t issued,
    uint64_t surrendered, stockcert_error_t *error);

/*
 * Holders.  stockcert_holder_of() tells to whom an entry issues a certificate.
 * stockcert_holder_get() tells who has the certificate of an entry
 * that issued it, after all entries that changed that since, in any
 * transaction.  stockcert_holder_put() makes such an entry found, in the
 * writer's transaction: was is who had the certificate before it.
 *
 * Two are the same holder who have the same id, or none and the same name.
 */

void stockcert_holder_of(const stockcert_entry_t *issued,
    stockcert_holder_t *holder);
stockcert_rc_e stockcert_holder_get(const stockcert_ledger_t *ledger,
    MDB_txn *txn, const stockcert_entry_t *issued, stockcert_holder_t *holder,
    stockcert_error_t *error);
stockcert_rc_e stockcert_holder_put(stockcert_ledger_t *ledger,
    const stockcert_holder_t *was, uint64_t position, stockcert_error_t *error);
int stockcert_holder_same(const stockcert_holder_t *one,
    const stockcert_holder_t *two);

/*
 * Groups.  stockcert_group_surrendered() and stockcert_group_issued() tell
 * whether an entry may come next that is a member of a group, or return
 * STOCKCERT_REFUSED; then it counts as there, and with the last member the group
 * ends.  class is that of the entry.  stockcert_group_is_open() tells whether a
 * group has begun and not ended.
 */

stockcert_rc_e stockcert_group_surrendered(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    const stockcert_certificate_t *certificate, stockcert_error_t *error);
stockcert_rc_e stockcert_group_issued(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
int stockcert_group_is_open(const stockcert_ledger_t *ledger);

/*
 * Idempotency keys, in the writer's transaction: stockcert_keys_find() finds
 * the entry of a key's certificate, or returns STOCKCERT_NOT_FOUND;
 * stockcert_keys_put() puts those of the unposted entries into the database.
 */

stockcert_rc_e stockcert_keys_find(stockcert_ledger_t *ledger, const char *key,
    size_t len, stockcert_entry_t *entry, stockcert_error_t *error);
stockcert_rc_e stockcert_keys_put(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * Parts of "request", for stockcert_keys.c; the cursor is of that database.
 * Functions that return an int return 0, or an error of LMDB or errno.
 *
 * stockcert_part_before() finds the last record before those of a part; what is
 * before those of part 0 is in no part.  stockcert_part_search() calls found()
 * with the runs that may have the hash, newest first, until it returns 1; if it
 * never does, MDB_NOTFOUND is returned.  stockcert_part_split() puts items, in
 * ascending order, into their parts, as the newest run of each.
 * stockcert_part_turn() merges runs of the few parts whose turn it is as the
 * entry of this position is posted, a multiple of STOCKCERT_LOT.
 */

typedef int (*stockcert_part_found_pt)(void *data, const uint8_t *items,
    size_t n);

int stockcert_part_before(MDB_cursor *cursor, size_t part, MDB_val *key,
    MDB_val *run);
int stockcert_part_search(MDB_cursor *cursor, const uint8_t *hash,
    stockcert_part_found_pt found, void *data);
int stockcert_part_split(MDB_cursor *cursor, const uint8_t *items, size_t n);
int stockcert_part_turn(MDB_cursor *cursor, uint64_t position);

/*
 * Runs: n items in ascending order.  stockcert_run_sort() puts them in order.
 * stockcert_run_first() finds the first one that is not below the hash, of
 * items of one part, or of all.  stockcert_run_merge() adds the nother items of
 * another run, and returns 0, or ENOMEM; *items is from malloc(), or NULL.
 */

void stockcert_run_sort(uint8_t *items, size_t n);
size_t stockcert_run_first(const uint8_t *items, size_t n, const uint8_t *hash,
    int part);
int stockcert_run_merge(uint8_t **items, size_t *n, const uint8_t *other,
    size_t nother);

/*
 * Filters of runs of a part: blocked Bloom filters.  stockcert_filter_len() is
 * the bytes of one for n items, and stockcert_filter_items() the items that,
 * with their filter, have so many bytes, or 0.  stockcert_filter_make() fills
 * one.  stockcert_filter_find() finds the block of a hash, without reading it,
 * and stockcert_filter_has() is 0 if no item has the hash.
 */

size_t stockcert_filter_len(size_t n);
size_t stockcert_filter_items(size_t len);
void stockcert_filter_make(uint8_t *filter, const uint8_t *items, size_t n);
const uint8_t *stockcert_filter_find(const uint8_t *filter, size_t n,
    const uint8_t *hash);
int stockcert_filter_has(const uint8_t *block, const uint8_t *hash);

/*
 * Posting, in the writer's transaction.  stockcert_post() posts all unposted
 * entries, and writes the classes that changed.  stockcert_post_check()
 * compares what is posted with the journal, as a ledger is opened.
 * stockcert_post_catch_up() reads the unposted entries, unless they are known,
 * once in a transaction and after stockcert_journal_read_tail().
 * stockcert_post_note() adds the entry that was put last; class is NULL if it
 * issues no certificate.
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
 * STOCKCERT_REFUSED.  If it may, it is fixed as by stockcert_fix().
 *
 * stockcert_fix() sets the entry's position, its time and its seal, which
 * points into *fixed.  If one of them is given, it must equal what is set.  It
 * is enough for a caller that knows that the entry may come next.  If no seal
 * is given, the first entry of a transaction gets a nonce.
 *
 * stockcert_apply() applies a fixed entry that comes next.  Its class must be
 * loaded.
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
 * Enters the opening of a class, unless the ledger has it, in the writer's
 * transaction.
 */

stockcert_rc_e stockcert_enter_class(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, stockcert_error_t *error);

/*
 * Makes sure, once in a transaction, that what it has found is on disk: who
 * committed that may have died before it was flushed.
 */

stockcert_rc_e stockcert_flush_found(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * Files.  stockcert_files_open() opens or makes what conf says, and the
 * environment. stockcert_files_close() closes what is not LMDB's, after the
 * environment.
 *
 * stockcert_files_check() is for the writer, in its transaction: it fails if
 * the files are not the ledger's, or not those of this transaction.
 * stockcert_files_differ() is 1 if data.mdb and lock.mdb seem to be of
 * different transactions; this can also mean that somebody is writing just
 * now. stockcert_files_open_dbi() opens a database in the writer's
 * transaction; it must be there, unless create is MDB_CREATE.
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
 * Opens the databases and checks the header, in ledger->writer.  With make, it
 * makes what is missing of a new ledger or of the classes of conf.  Without
 * make, it returns STOCKCERT_NOT_FOUND then, and the transaction may be
 * read-only.
 */

stockcert_rc_e stockcert_ledger_open_databases(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, stockcert_error_t *error);

/*
 * What machines share.  stockcert_mark_put() says in the ledger that they do, or,
 * with an empty name, that they do not.  stockcert_mark_read() reads that, in
 * ledger->writer, and refuses a writer who does not know it.
 * stockcert_reach_origin() sets what a new ledger's header says;
 * header->company may be the one that is expected, or empty.  stockcert_reach()
 * applies what others appended, as stockcert_ledger_begin_at_head() has it; it
 * may end the transaction, and begin another, or fail without one.
 * stockcert_reach_mark() puts a mark, commits it on this machine, and begins no
 * other transaction.
 * stockcert_append() appends what was entered in the writer's transaction, and
 * stockcert_append_known() tells whether the head that belongs to the journal's
 * end is known; stockcert_append_know() says so.  stockcert_ledger_keep() commits
 * on this machine, and appends nothing.
 */

stockcert_rc_e stockcert_mark_read(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
stockcert_rc_e stockcert_mark_put(stockcert_ledger_t *ledger,
    const char *name, stockcert_error_t *error);
stockcert_rc_e stockcert_reach_origin(stockcert_replica_t *replica,
    stockcert_header_t *header, stockcert_error_t *error);
stockcert_rc_e stockcert_reach_mark(stockcert_ledger_t *ledger,
    const char *name, stockcert_error_t *error);
stockcert_rc_e stockcert_reach(stockcert_ledger_t *ledger, uint64_t guard,
    stockcert_error_t *error);
stockcert_rc_e stockcert_append(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
int stockcert_append_known(const stockcert_ledger_t *ledger);
void stockcert_append_know(stockcert_ledger_t *ledger,
    const stockcert_head_t *head);
stockcert_rc_e stockcert_ledger_keep(stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * Begins ledger->writer, and checks its files.  stockcert_ledger_commit() and
 * stockcert_ledger_abort() end it.
 * If this process does not hold the lock yet, waits for it: for so many
 * milliseconds, or for ever if wait is 0.
 */

stockcert_rc_e stockcert_ledger_begin_write(stockcert_ledger_t *ledger,
    unsigned wait, stockcert_error_t *error);

/*
 * All set *error.  stockcert_ledger_error() turns what an LMDB or system call
 * returned into our code.  stockcert_ledger_damaged() is for what must not be
 * in a ledger, stockcert_ledger_refused() for what the rules do not allow,
 * stockcert_ledger_busy() for a lock that another process has.
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
