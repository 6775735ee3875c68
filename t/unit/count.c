
/*
 * What is counted: each certificate once, wherever its leader dies; refusals,
 * replays and failures; what a class is that is new; times and sizes.
 */


#include "verified.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "ring.h"
#include "ordered.h"

#include "stockcert_store.h"
#include "stockcert_turn.h"


/* where who commits is killed */

typedef enum {
    NOWHERE,
    BEFORE_COMMIT,
    AFTER_COMMIT,
    AFTER_COUNT,                        /* and before a lane is settled */
    AFTER_LANE                          /* the first one is settled */
} place_t;


static stockcert_counts_t  *counts;
static place_t              place;
static uint64_t             tally;      /* before it was killed */


static void test_outcomes(void);
static void test_deaths(void);
static void test_transaction(void);
static void test_failed(void);
static void test_classes(void);


int
main(void)
{
    fixture_begin();

    test_outcomes();
    test_deaths();
    test_transaction();
    test_failed();
    test_classes();

    fixture_end();

    return tap_done();
}


/* LMDB's and the system's, in whose place they are */

int
mdb_txn_commit(MDB_txn *txn)
{
    int  rc;
    int  (*genuine)(MDB_txn *txn);

    if (place == BEFORE_COMMIT) {
        raise(SIGKILL);
    }

    *(void **) &genuine = dlsym(RTLD_NEXT, "mdb_txn_commit");

    rc = genuine(txn);

    if (place == AFTER_COMMIT) {
        raise(SIGKILL);
    }

    return rc;
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int  (*genuine)(clockid_t id, struct timespec *ts);

    if (place == AFTER_COUNT && atomic_load(&counts->tally) != tally) {
        raise(SIGKILL);
    }

    *(void **) &genuine = dlsym(RTLD_NEXT, "clock_gettime");

    return genuine(id, ts);
}


static void
wake(void *data, size_t lane)
{
    (void) data;
    (void) lane;

    if (place == AFTER_LANE) {
        raise(SIGKILL);
    }
}


static void
begin(void)
{
    if (counts) {
        munmap(counts, sizeof(stockcert_counts_t));
    }

    counts = mmap(NULL, sizeof(stockcert_counts_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (counts == MAP_FAILED) {
        tap_bail_out("no memory for counts");
    }

    make_lanes(wake);
    leader.counts = counts;
}


static uint64_t
issued(const char *code)
{
    stockcert_tally_t  now;

    stockcert_counted_tally(counts, &now);

    return stockcert_counted_issued(counts, &now, code, strlen(code));
}


static uint64_t
all(const stockcert_histogram_t *histogram)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i <= STOCKCERT_BUCKETS; i++) {
        n += atomic_load(&histogram->n[i]);
    }

    return n;
}


static void
test_outcomes(void)
{
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "outcomes");
    ledger = fixture_open(&f);
    begin();

    is_int(issued("CS"), 0, "nothing: none is issued");

    fill_class(0, "CS", "", 1);
    fill_class(0, "PS", "key", 1);
    fill_class(1, "PS", "key", 1);
    fill_class(1, "CS", "", 9000000);
    fill_class(1, "PS", "", 1);
    fill_class(2, "CS", "", 1);
    commit(ledger);

    is_int(issued("CS"), 2, "a batch: certificates of a class");
    is_int(issued("PS"), 2, "a batch: and of another, without a replay");
    is_int(counts->commits, 1, "a batch: one commit");
    is_int(all(&counts->commit), 1, "a batch: its time");
    is_int(all(&counts->wait), 6, "a batch: how long each has waited");
    is_int(counts->batch.n[3], 1, "a batch: it has up to 8 grants");
    is_int(counts->batch.sum, 6, "a batch: it has 6");
    is_int(counts->began, 0, "a batch: it is over");

    commit(ledger);
    is_int(counts->commits, 1, "no grants: no commit is counted");

    fill_class(0, "CS", "", 9000000);
    commit(ledger);
    is_int(issued("CS"), 2, "a refusal: nothing is issued");
    is_int(counts->batch.n[0], 1, "a refusal: a batch of one");

    leader.counts = NULL;
    fill_class(0, "CS", "", 1);
    commit(ledger);
    is_int(issued("CS"), 2, "without counts: nothing is counted");

    stockcert_ledger_close(ledger);
}


/* lane 1 is issued first, and settled last */

static void
test_deaths(void)
{
    int                  status;
    char                 name[16];
    pid_t                pid;
    place_t              at;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    for (at = BEFORE_COMMIT; at <= AFTER_LANE; at++) {
        snprintf(name, sizeof(name), "death%d", at);
        fixture_make_default(&f, name);
        stockcert_ledger_close(fixture_open(&f));
        begin();

        lanes->next = 1;
        fill_class(0, "CS", "", 1);
        fill_class(0, "CS", "", 9000000);
        fill_class(0, "CS", "", 1);
        fill_class(1, "CS", "", 1);
        fill_class(1, "PS", "", 1);

        pid = fork();

        if (pid == 0) {
            ledger = fixture_open(&f);
            tally = atomic_load(&counts->tally);
            place = at;
            commit(ledger);
            _exit(0);
        }

        waitpid(pid, &status, 0);
        ok(WIFSIGNALED(status), "%s: it died", name);
        is_int(issued("CS") + issued("PS"), at < AFTER_COUNT ? 0 : 4,
               "%s: what is counted by then", name);
        is_int(stockcert_lane_settled(&lanes->lanes[0]),
               at < AFTER_LANE ? 0 : 3, "%s: what is settled by then", name);

        ledger = fixture_open(&f);
        fill_class(1, "PS", "", 1);
        commit(ledger);

        ok(!stockcert_lanes_waiting(lanes), "%s: then all is settled", name);
        is_int(issued("CS"), 3, "%s: each is counted once", name);
        is_int(issued("PS"), 2, "%s: of another class, too", name);
        is_int(counts->began, 0, "%s: nothing is under way", name);

        stockcert_ledger_close(ledger);
    }
}


static void
test_transaction(void)
{
    fixture_t            f;
    stockcert_tally_t    now;
    stockcert_turn_t     turn;
    stockcert_order_t   *order;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "transaction");
    ledger = fixture_open(&f);
    begin();

    fill_class(0, "CS", "", 10);
    commit(ledger);

    order = ordered("{\"type\":\"transfer\",\"from\":[\"CS-1\"],\"to\":[{\"name\":"
                    "\"Bob\",\"amount\":3},{\"name\":\"Eve\",\"amount\":3}],"
                    "\"reference\":\"r\"}", NULL);

    memset(&turn, 0, sizeof(stockcert_turn_t));
    turn.order = order;
    turn.counts = counts;

    stockcert_turn_take(&turn, lanes, ledger, &error);
    stockcert_counted_tally(counts, &now);

    is_int(turn.done.status, STOCKCERT_ISSUED, "transaction: entered");
    is_int(now.transactions[STOCKCERT_TRANSFER], 1, "transaction: a transfer");
    is_int(issued("CS"), 4, "transaction: three certificates more");
    is_int(counts->commits, 2, "transaction: one more commit");
    is_int(all(&counts->batch), 1, "transaction: it is no batch");

    /* CS-1 is no longer outstanding */

    memset(&turn, 0, sizeof(stockcert_turn_t));
    turn.order = order;
    turn.counts = counts;

    stockcert_turn_take(&turn, lanes, ledger, &error);
    stockcert_counted_tally(counts, &now);

    is_int(turn.done.status, STOCKCERT_NOT_OUTSTANDING, "refused");
    is_int(now.transactions[STOCKCERT_TRANSFER], 1, "refused: none is counted");
    is_int(counts->commits, 2, "refused: no commit");
    is_int(counts->failures, 0, "refused: and no failure");

    stockcert_order_free(order);

    /* all of it, so that nothing is issued */

    order = ordered("{\"type\":\"cancel\",\"from\":[\"CS-2\"],"
                    "\"reference\":\"r\"}", NULL);

    memset(&turn, 0, sizeof(stockcert_turn_t));
    turn.order = order;
    turn.counts = counts;

    stockcert_turn_take(&turn, lanes, ledger, &error);
    stockcert_counted_tally(counts, &now);

    is_int(now.transactions[STOCKCERT_CANCEL], 1, "cancelled: counted");
    is_int(issued("CS"), 4, "cancelled: nothing is issued");

    stockcert_order_free(order);

    fill_class(0, "CS", "", 1);
    commit(ledger);
    is_int(issued("CS"), 5, "then a grant is counted, too");

    stockcert_ledger_close(ledger);
}


static void
test_failed(void)
{
    int                  i, n;
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "failed");
    f.conf.size = 128 * 1024;
    ledger = fixture_open(&f);
    begin();

    n = 0;

    do {
        for (i = 0; i < 100; i++) {
            fill_class(0, "CS", "", 1);
        }

        rc = commit(ledger);
        n += 100;
    } while (rc == STOCKCERT_OK);

    is_int(rc, STOCKCERT_FULL, "full");
    is_int(counts->failures, 1, "full: a commit failed");
    is_int(counts->reason, STOCKCERT_FULL, "full: for this reason");
    ok(counts->failed != 0, "full: and when");
    is_int(issued("CS"), (uint64_t) n - 100, "full: what was issued before");
    is_int(all(&counts->wait), (uint64_t) n, "full: all were settled");

    fill_class(0, "CS", "", 9000000);
    commit(ledger);
    ok(counts->failed != 0, "full: what only refuses does not end it");

    /* as if there were an etcd, which has confirmed something */

    ledger->replica = (stockcert_replica_t *) ledger;
    ledger->own.head.revision = 1;
    stockcert_count_end(counts, ledger, STOCKCERT_OK, 0);
    ok(counts->failed != 0, "full: an answer of etcd does not end it");

    stockcert_count_failed(counts, STOCKCERT_UNREACHED);
    stockcert_count_end(counts, ledger, STOCKCERT_OK, 0);
    is_int(counts->failed, 0, "not reached: an answer of etcd ends it");
    is_int(counts->failures, 2, "not reached: it is a failure");
    ledger->replica = NULL;

    stockcert_ledger_close(ledger);

    f.conf.size = 1024 * 1024;
    ledger = fixture_open(&f);
    fill_class(0, "CS", "", 1);
    commit(ledger);

    is_int(counts->failed, 0, "with room: the last commit did not fail");
    is_int(counts->failures, 2, "with room: no more did");

    stockcert_ledger_close(ledger);
}


static void
test_classes(void)
{
    size_t             i, kind;
    char               code[8];
    stockcert_slot_t   slot;
    stockcert_count_t  count;

    begin();

    for (i = 0; i < STOCKCERT_CLASSES_MAX + 1; i++) {
        snprintf(code, sizeof(code), "C%zu", i);

        fixture_slot(&slot, code, "Salt Bae", 1);
        slot.outcome.status = STOCKCERT_ISSUED;
        slot.outcome.replayed = 0;
        slot.outcome.position = i + 1;

        stockcert_count_open(&count, counts);
        stockcert_count_slots(&count, &slot, 1);
        stockcert_count_close(&count);
    }

    is_int(counts->nclasses, STOCKCERT_CLASSES_MAX, "as many classes as are");
    is_int(issued("C0"), 1, "the first one");
    is_int(issued("C63"), 1, "the last one");
    is_int(issued("C64"), 0, "no more");
    is_int(issued("C"), 0, "a code that others begin with");

    for (i = 0; i < 2 * STOCKCERT_COUNT_ROWS; i++) {
        for (kind = 0; kind < STOCKCERT_COUNT_ERRORS; kind++) {
            stockcert_count_refused(counts, i, kind);
        }

        stockcert_count_replay(counts, i);
    }

    is_int(stockcert_counted_refused(counts, STOCKCERT_COUNT_ERRORS - 1),
           2 * STOCKCERT_COUNT_ROWS, "refusals of all processes");
    is_int(stockcert_counted_replays(counts), 2 * STOCKCERT_COUNT_ROWS,
           "and replays");
}
