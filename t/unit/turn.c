
/*
 * Turns: an order between two batches, entered once whatever becomes of its
 * commit, and leaders who wait for whoever wants a turn.
 */


#include "ordered.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "stockcert_turn.h"

#include "ring.h"


/* what becomes of commits */

typedef enum {
    COMMITS = 0,
    FAILS,                 /* nothing of it is there */
    LOST,                  /* it is there, and an error is told */
    UNKNOWN_LOST           /* the same, and LMDB refuses whatever comes */
} fate_t;


static fate_t  commits;
static int       panic;


static void test_take(void);
static void test_failed(void);
static void test_found(fate_t how);
static void test_same_entry(void);
static void test_full(void);
static void test_dead_reader(void);
static void test_replaced(void);
static void test_give(void);
static void test_give_late(void);
static void test_give_more(void);
static stockcert_ledger_t *make(fixture_t *f, const char *name);
static stockcert_rc_e take(stockcert_turn_t *turn, stockcert_ledger_t *ledger,
    const char *json, const char *key);
static stockcert_ledger_t *reopen(const fixture_t *f,
    stockcert_ledger_t *ledger);


static const char  reissue[] = ORDER("reissue", "\"CS-1\"", "");


int
main(void)
{
    fixture_begin();

    test_take();
    test_failed();
    test_found(LOST);
    test_found(UNKNOWN_LOST);
    test_same_entry();
    test_full();
    test_dead_reader();
    test_replaced();
    test_give();
    test_give_late();
    test_give_more();

    fixture_end();

    return tap_done();
}


/* LMDB's, in whose place they are */

int
mdb_txn_commit(MDB_txn *txn)
{
    int  rc, (*genuine)(MDB_txn *txn);

    if (commits == FAILS) {
        mdb_txn_abort(txn);
        return MDB_CORRUPTED;
    }

    *(void **) &genuine = dlsym(RTLD_NEXT, "mdb_txn_commit");

    rc = genuine(txn);

    if (commits == COMMITS) {
        return rc;
    }

    panic = (commits == UNKNOWN_LOST);

    return MDB_CORRUPTED;
}


int
mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
    int  (*genuine)(MDB_env *env, MDB_txn *parent, unsigned int flags,
                    MDB_txn **txn);

    if (panic) {
        return MDB_PANIC;
    }

    *(void **) &genuine = dlsym(RTLD_NEXT, "mdb_txn_begin");

    return genuine(env, parent, flags, txn);
}


/* CS-1 of 10 shares, by entry 3, and lanes */

static stockcert_ledger_t *
make(fixture_t *f, const char *name)
{
    stockcert_ledger_t  *ledger;

    fixture_make_default(f, name);
    ledger = fixture_open(f);
    grant(ledger, GRANT("CS", "Ann", "10", ""), "grant");
    make_lanes(wakes_nobody);

    return ledger;
}


static stockcert_rc_e
take(stockcert_turn_t *turn, stockcert_ledger_t *ledger, const char *json,
    const char *key)
{
    stockcert_rc_e      rc;
    stockcert_order_t  *order;

    order = ordered(json, key);

    memset(turn, 0, sizeof(stockcert_turn_t));
    turn->order = order;

    rc = stockcert_turn_take(turn, lanes, ledger, &error);

    turn->order = NULL;
    stockcert_order_free(order);

    return rc;
}


static stockcert_ledger_t *
reopen(const fixture_t *f, stockcert_ledger_t *ledger)
{
    stockcert_ledger_close(ledger);

    return fixture_open(f);
}


static void
test_take(void)
{
    fixture_t            f;
    stockcert_turn_t     turn;
    stockcert_tail_t     known;
    stockcert_ledger_t  *ledger;

    ledger = make(&f, "take");

    is_int(take(&turn, ledger, reissue, "key"), STOCKCERT_OK, "take");
    is_int(turn.done.status, STOCKCERT_ISSUED, "take: entered");
    is_int(turn.done.transaction, 4, "take: its number");
    is_int(turn.done.replayed, 0, "take: for the first time");
    is_int(turn.write.noted.position, 0, "take: nothing is left to find");

    stockcert_lanes_known(lanes, &known);
    is_int(known.position, 5, "take: leaders know of it");

    is_int(take(&turn, ledger, reissue, "key"), STOCKCERT_OK, "take: again");
    is_int(turn.done.status, STOCKCERT_ISSUED, "again: its status");
    is_int(turn.done.transaction, 4, "again: its number");
    is_int(turn.done.replayed, 1, "again: and it says so");

    is_int(take(&turn, ledger, reissue, NULL), STOCKCERT_OK, "take: no more");
    is_int(turn.done.status, STOCKCERT_NOT_OUTSTANDING, "no more: its status");
    is_int(turn.done.transaction, 4, "no more: by which transaction");

    is_int(lanes->turns_wanted, 3, "take: each wanted a turn");
    is_int(lanes->turns_taken, 3, "take: and took it");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 5, "take: verify");
}


/* it is not there: refused, and not entered by the second call */

static void
test_failed(void)
{
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_turn_t     turn;
    stockcert_ledger_t  *ledger;

    ledger = make(&f, "failed");

    commits = FAILS;
    rc = take(&turn, ledger, reissue, "key");
    commits = COMMITS;

    is_int(rc, STOCKCERT_FAILED, "failed: %s", error.text);
    is_int(turn.done.status, STOCKCERT_WAITING, "failed: it is not known yet");
    is_int(turn.write.noted.position, 5, "failed: where it would be");

    ledger = reopen(&f, ledger);

    is_int(stockcert_turn_take(&turn, lanes, ledger, &error), STOCKCERT_OK,
           "failed: looked for");
    is_int(turn.done.status, STOCKCERT_UNAVAILABLE, "failed: not entered");
    is_int(turn.write.noted.position, 0, "failed: nothing is left to find");

    is_int(take(&turn, ledger, reissue, "key"), STOCKCERT_OK, "failed: again");
    is_int(turn.done.status, STOCKCERT_ISSUED, "failed: entered then");
    is_int(turn.done.replayed, 0, "failed: for the first time");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 5, "failed: verify");
}


/* it is there, though its commit told of an error: once */

static void
test_found(fate_t how)
{
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_turn_t     turn;
    stockcert_ledger_t  *ledger;

    ledger = make(&f, how == LOST ? "lost" : "unknown");

    commits = how;
    rc = take(&turn, ledger, reissue, NULL);
    commits = COMMITS;
    panic = 0;

    is_int(rc, how == LOST ? STOCKCERT_FAILED : STOCKCERT_UNKNOWN, "lost: %s",
           error.text);
    is_int(turn.done.status, STOCKCERT_WAITING, "lost: it is not known yet");

    /* somebody else goes on meanwhile */

    ledger = reopen(&f, ledger);
    grant(ledger, GRANT("CS", "Bob", "1", ""), NULL);

    is_int(stockcert_turn_take(&turn, lanes, ledger, &error), STOCKCERT_OK,
           "lost: looked for");
    is_int(turn.done.status, STOCKCERT_ISSUED, "lost: it is there");
    is_int(turn.done.transaction, 4, "lost: its number");
    is_int(turn.done.replayed, 0, "lost: for the first time");
    is_int(turn.write.noted.position, 0, "lost: nothing is left to find");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 6, "lost: verify");
}


/*
 * Its commit failed, and another made the same entries at the same positions
 * while the clock stood still: it is not taken for that.
 */

static void
test_same_entry(void)
{
    fixture_t                f;
    stockcert_turn_t         turn;
    stockcert_ledger_t      *ledger;
    stockcert_transacted_t   done;

    ledger = make(&f, "same");
    fixture_stop_clock(ledger);

    commits = FAILS;
    take(&turn, ledger, reissue, NULL);
    commits = COMMITS;

    is_int(turn.write.noted.position, 6, "same entry: where it would be");

    ledger = reopen(&f, ledger);
    done = transact(ledger, reissue, NULL);
    is_int(done.transaction, turn.done.transaction, "same entry: another's");

    is_int(stockcert_turn_take(&turn, lanes, ledger, &error), STOCKCERT_OK,
           "same entry: looked for");
    is_int(turn.done.status, STOCKCERT_UNAVAILABLE, "same entry: not its own");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 6, "same entry: verify");
}


/* reissues of the last certificate, until one is not entered */

static stockcert_rc_e
take_all(stockcert_turn_t *turn, stockcert_ledger_t *ledger)
{
    char            json[100];
    uint64_t        n;
    stockcert_rc_e  rc;

    n = fixture_counters(ledger, "CS").last;

    do {
        snprintf(json, sizeof(json), ORDER("reissue", "\"CS-%d\"", ""),
                 (int) n++);
        rc = take(turn, ledger, json, NULL);
    } while (rc == STOCKCERT_OK && turn->done.status == STOCKCERT_ISSUED
             && n < 3000);

    return rc;
}


/* refused, but for a key that is there; the ledger is good */

static void
test_full(void)
{
    uint64_t             last;
    fixture_t            f;
    stockcert_turn_t     turn;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "full");
    f.conf.size = 128 * 1024;
    ledger = fixture_open(&f);
    grant(ledger, GRANT("CS", "Ann", "10", ""), NULL);
    make_lanes(wakes_nobody);

    take(&turn, ledger, reissue, "key");

    is_int(take_all(&turn, ledger), STOCKCERT_FULL, "full: %s", error.text);
    is_int(turn.done.status, STOCKCERT_NO_ROOM, "full: its status");
    is_int(turn.write.noted.position, 0, "full: nothing is left to find");
    last = fixture_counters(ledger, "CS").last;

    is_int(take(&turn, ledger, reissue, "key"), STOCKCERT_OK,
           "full: a key of what is there");
    is_int(turn.done.status, STOCKCERT_ISSUED, "full: is told");
    is_int(turn.done.replayed, 1, "full: as a replay");
    is_int(turn.done.transaction, 4, "full: with its number");

    is_int(take_all(&turn, ledger), STOCKCERT_FULL, "full: another one");
    is_int(fixture_counters(ledger, "CS").last, last,
           "full: nothing is issued");

    stockcert_ledger_close(ledger);

    f.conf.size = 1024 * 1024;
    ledger = fixture_open(&f);
    take_all(&turn, ledger);
    ok(fixture_counters(ledger, "CS").last > last, "full: until there is room");

    stockcert_ledger_close(ledger);
    ok(verified_ledger(&f) > 0, "full: verify");
}


/* the pages that a dead reader has are room */

static void
test_dead_reader(void)
{
    int                  fds[2], status;
    char                 byte;
    pid_t                pid;
    uint64_t             last;
    fixture_t            f;
    stockcert_turn_t     turn;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "reader");
    f.conf.size = 256 * 1024;
    ledger = fixture_open(&f);
    grant(ledger, GRANT("CS", "Ann", "10", ""), NULL);
    stockcert_ledger_close(ledger);
    make_lanes(wakes_nobody);

    fflush(stdout);

    if (pipe(fds) == -1 || (pid = fork()) == -1) {
        tap_bail_out("no child");
    }

    if (pid == 0) {
        ledger = fixture_open(&f);
        stockcert_ledger_snapshot(ledger, &error);
        (void) !write(fds[1], "x", 1);
        pause();
    }

    if (read(fds[0], &byte, 1) != 1) {
        tap_bail_out("no reader");
    }

    ledger = fixture_open(&f);
    is_int(take_all(&turn, ledger), STOCKCERT_FULL, "reader: it keeps pages");
    last = fixture_counters(ledger, "CS").last;

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    take_all(&turn, ledger);

    ok(fixture_counters(ledger, "CS").last > last + 1,
       "reader: dead, and there is room");

    close(fds[0]);
    close(fds[1]);
    stockcert_ledger_close(ledger);
}


/* what was committed once is not there: another ledger */

static void
test_replaced(void)
{
    fixture_t            f;
    stockcert_turn_t     turn;
    stockcert_tail_t     known;
    stockcert_ledger_t  *ledger;

    ledger = make(&f, "replaced");

    known.position = 3;
    memset(known.seal, 7, sizeof(known.seal));
    stockcert_lanes_know(lanes, &known);

    is_int(take(&turn, ledger, reissue, NULL), STOCKCERT_REPLACED,
           "replaced: %s", error.text);
    is_int(turn.done.status, STOCKCERT_UNAVAILABLE, "replaced: refused");
    is_int(turn.write.noted.position, 0, "replaced: nothing is left to find");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 3, "replaced: nothing is entered");
}


/* one that died never takes its turn: it is waited for once, not for ever */

static void
test_give(void)
{
    make_lanes(wakes_nobody);

    stockcert_turn_give(lanes);
    is_int(lanes->turns_taken, 0, "give: nobody wants it");

    atomic_store(&lanes->turns_wanted, 2);
    stockcert_turn_give(lanes);
    is_int(lanes->turns_taken, 2, "give: those who died are forgotten");

    /* counters wrap */

    atomic_store(&lanes->turns_wanted, 1);
    atomic_store(&lanes->turns_taken, UINT32_MAX);
    stockcert_turn_give(lanes);
    is_int(lanes->turns_taken, 1, "give: also where they wrap");
}


/* who was not waited for takes it at last: the next one is not passed over */

static void
test_give_late(void)
{
    make_lanes(wakes_nobody);

    atomic_store(&lanes->turns_wanted, 1);
    stockcert_turn_give(lanes);
    atomic_fetch_add(&lanes->turns_taken, 1);
    is_int(lanes->turns_taken, 2, "late: it was taken after all");

    stockcert_turn_give(lanes);
    is_int(lanes->turns_taken, 1, "late: that is made good");
}


/* two who take their turns while a leader waits for the first */

static void *
take_two(void *data)
{
    (void) data;

    usleep(1000);

    atomic_store(&lanes->turns_wanted, 2);
    atomic_store(&lanes->turns_taken, 2);
    syscall(SYS_futex, &lanes->turns_taken, FUTEX_WAKE, 1, NULL, NULL, 0);

    return NULL;
}


static void
test_give_more(void)
{
    int        i, wrong;
    pthread_t  thread;

    for (i = 0, wrong = 0; i < 20; i++) {
        make_lanes(wakes_nobody);
        atomic_store(&lanes->turns_wanted, 1);

        if (pthread_create(&thread, NULL, take_two, NULL) != 0) {
            tap_bail_out("no thread");
        }

        stockcert_turn_give(lanes);
        pthread_join(thread, NULL);

        wrong += atomic_load(&lanes->turns_taken) != 2;
    }

    is_int(wrong, 0, "more: no turn is left that nobody wants");
}
