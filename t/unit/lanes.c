
/*
 * Lanes: rings that turn, a ring that is full, what a leader leaves that dies
 * in each step, a map that is full, and processes that are killed at random.
 */


#include "verified.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>

#include "ring.h"


#define KILLS  200


static size_t  woken[LANES];
static int     dies;                    /* who commits */


static void test_turns(void);
static void test_full_ring(void);
static void test_committed(void);
static void test_not_committed(void);
static void test_not_committed_keys(void);
static void test_same_entry(void);
static void test_full_map(void);
static void test_lead(void);
static void test_pace(void);
static void test_kills(void);


int
main(void)
{
    fixture_begin();

    test_turns();
    test_full_ring();
    test_committed();
    test_not_committed();
    test_not_committed_keys();
    test_same_entry();
    test_full_map();
    test_lead();
    test_pace();
    test_kills();

    fixture_end();

    return tap_done();
}


/* LMDB's, in whose place it is */

int
mdb_txn_commit(MDB_txn *txn)
{
    int  (*genuine)(MDB_txn *txn);

    if (dies) {
        raise(SIGKILL);
    }

    *(void **) &genuine = dlsym(RTLD_NEXT, "mdb_txn_commit");

    return genuine(txn);
}


static void
wake(void *data, size_t lane)
{
    (void) data;

    woken[lane]++;
}


static void
begin(void)
{
    make_lanes(wake);
    memset(woken, 0, sizeof(woken));
}


static int
fill(size_t lane, uint64_t answered, const char *code, uint64_t amount)
{
    stockcert_slot_t  slot;

    fixture_slot(&slot, code, "Salt Bae", amount);

    return stockcert_lane_fill(lanes, &lanes->lanes[lane], answered,
                               &slot.grant);
}


/* by a leader whose last commit returned this */

static stockcert_rc_e
commit_after(stockcert_ledger_t *ledger, stockcert_rc_e rc)
{
    leader.rc = rc;

    return commit(ledger);
}


/* n batches that took so many microseconds, and how many gathered */

static unsigned
batches(stockcert_pace_t *pace, unsigned n, uint64_t whole, uint64_t halves)
{
    int             gathers;
    unsigned        i, gathered;
    static uint64_t now = 1;

    gathers = 1;
    gathered = 0;

    for (i = 0; i < n; i++) {
        pace->grants = gathers ? 20 : 10;
        pace->total = pace->grants;
        pace->duration = 300000;
        now += 1000 * (gathers ? whole : halves);

        gathers = stockcert_pace_gathers(pace, now);
        gathered += (unsigned) gathers;
    }

    return gathered;
}


/* what is tried, and what is done for the rest of 32 trials of 64 */

static void
test_pace(void)
{
    unsigned          n;
    stockcert_pace_t  pace;

    memset(&pace, 0, sizeof(stockcert_pace_t));

    n = batches(&pace, 2048, 2700, 2300);
    ok(n > 2048 - 80, "pace: a slow disk: %u of 2048 gather", n);

    n = batches(&pace, 2048, 700, 300);
    ok(n > 0 && n < 80, "pace: a fast one: %u of 2048 gather", n);

    n = batches(&pace, 2048, 2700, 2300);
    ok(n > 2048 - 80, "pace: a slow one again: %u of 2048 gather", n);

    /* nobody asks for a second at a time: only the grants count */

    n = batches(&pace, 2048, 2000000, 1000000);
    ok(n > 2048 - 80, "pace: idle: %u of 2048 gather", n);
}


/* three times around, in batches that do not divide the ring */

static void
test_turns(void)
{
    int                  wrong;
    uint64_t             position, number;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "turns");
    ledger = fixture_open(&f);
    begin();

    wrong = 0;
    number = 0;
    position = 0;

    while (position < 3 * STOCKCERT_LANE_SLOTS) {

        while (stockcert_lane_filled(&lanes->lanes[1]) < position + 97) {
            wrong += fill(1, position, "CS", 1) != 0;
        }

        wrong += fill(3, position / 97, "PS", 1) != 0;

        wrong += commit_after(ledger, STOCKCERT_OK) != STOCKCERT_OK;

        for ( ; position < stockcert_lane_settled(&lanes->lanes[1]);
             position++)
        {
            wrong += outcome(1, position)->status != STOCKCERT_ISSUED;
            wrong += outcome(1, position)->number != ++number;
        }
    }

    is_int(wrong, 0, "turns: all are issued, in their order");
    ok(woken[0] == 0 && woken[2] == 0, "turns: idle workers are not woken");
    is_int(woken[1], position / 97, "turns: a worker is woken for each batch");
    is_int(woken[3], position / 97, "turns: and the other one, too");
    ok(!stockcert_lanes_waiting(lanes), "turns: nothing waits");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + position + position / 97, "turns: the ledger");
}


static void
test_full_ring(void)
{
    uint64_t             n;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "ring");
    ledger = fixture_open(&f);
    begin();

    for (n = 0; fill(0, 0, "CS", 1) == 0; n++) {
        /* void */
    }

    is_int(n, STOCKCERT_LANE_SLOTS, "a ring has room for so many");
    is_int(fill(1, 0, "CS", 1), 0, "another one is not full");
    is_int(commit_after(ledger, STOCKCERT_OK), STOCKCERT_OK, "it is committed");
    is_int(fill(0, 0, "CS", 1), -1, "no room until it is answered");
    is_int(fill(0, 1, "CS", 1), 0, "room for as many as are answered");
    is_int(fill(0, 1, "CS", 1), -1, "but not for more");

    stockcert_ledger_close(ledger);
}


/* a leader committed, and died before it settled: its outcomes stand */

static void
test_committed(void)
{
    uint8_t              seal[STOCKCERT_SEAL_LEN];
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "committed");
    ledger = fixture_open(&f);
    begin();

    fill(0, 0, "CS", 2600001);
    fill(0, 0, "CS", 1);
    fill(2, 0, "PS", 1);
    commit_after(ledger, STOCKCERT_OK);
    memcpy(seal, outcome(0, 1)->seal, STOCKCERT_SEAL_LEN);

    atomic_store(&lanes->lanes[0].settled, 0);
    atomic_store(&lanes->lanes[2].settled, 0);
    fill(0, 0, "CS", 5);

    is_int(commit_after(ledger, STOCKCERT_UNKNOWN), STOCKCERT_OK,
           "committed: the next leader");
    is_int(outcome(0, 0)->status, STOCKCERT_INSUFFICIENT,
           "committed: a refusal stands");
    is_int(outcome(0, 1)->number, 1, "committed: and a certificate");
    is_mem(outcome(0, 1)->seal, STOCKCERT_SEAL_LEN, seal, STOCKCERT_SEAL_LEN,
           "committed: with its seal");
    is_int(outcome(0, 2)->number, 2, "committed: what came later is next");
    is_int(stockcert_lane_settled(&lanes->lanes[0]), 3, "committed: settled");
    is_int(stockcert_lane_settled(&lanes->lanes[2]), 1,
           "committed: in the other lane, too");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 3, "committed: nothing twice");
}


/*
 * A leader noted grants, and died before it committed.  Somebody else committed
 * something under the same transaction id.  The grants wait again, or are
 * refused if the leader lives and knows that its commit failed.
 */

static void
test_not_committed(void)
{
    uint64_t             refuse;
    fixture_t            f;
    stockcert_slot_t     slot;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "not");
    ledger = fixture_open(&f);

    for (refuse = 0; refuse < 2; refuse++) {
        begin();

        fill(0, 0, "CS", 1);
        fill(0, 0, "CS", 1);

        outcome(0, 0)->status = STOCKCERT_ISSUED;
        outcome(0, 0)->number = 1 + 3 * refuse;
        outcome(0, 0)->position = 3 + 3 * refuse;
        memset(outcome(0, 0)->seal, 0x5c, STOCKCERT_SEAL_LEN);
        atomic_store(&lanes->lanes[0].noted, 1);

        fixture_slot(&slot, "CS", "Somebody Else", 1);
        fixture_issue(ledger, &slot, 1);

        is_int(commit_after(ledger, refuse ? STOCKCERT_FAILED : STOCKCERT_OK),
               STOCKCERT_OK, "not committed: the next leader");
        is_int(stockcert_lane_settled(&lanes->lanes[0]), 2,
               "not committed: all is settled");

        if (refuse) {
            is_int(outcome(0, 0)->status, STOCKCERT_UNAVAILABLE,
                   "not committed: refused");
            is_int(outcome(0, 1)->number, 5, "not committed: the next goes on");

        } else {
            is_int(outcome(0, 0)->number, 2, "not committed: issued anew");
            is_int(outcome(0, 1)->number, 3, "not committed: and so the next");
        }
    }

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 5, "not committed: the ledger");
}


/*
 * A leader knows that its commit failed.  Of the grants in it, a key that had a
 * certificate before is told that one; a new key is refused.
 */

static void
test_not_committed_keys(void)
{
    uint8_t              seal[STOCKCERT_SEAL_LEN];
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "keys");
    ledger = fixture_open(&f);
    begin();

    fill_class(0, "CS", "old", 1);
    commit_after(ledger, STOCKCERT_OK);
    is_int(outcome(0, 0)->number, 1, "keys: one has a certificate");
    memcpy(seal, outcome(0, 0)->seal, STOCKCERT_SEAL_LEN);

    fill_class(0, "CS", "new", 1);
    fill_class(0, "CS", "old", 1);

    outcome(0, 1)->status = STOCKCERT_ISSUED;
    outcome(0, 1)->number = 2;
    outcome(0, 1)->position = 4;
    memset(outcome(0, 1)->seal, 0x5c, STOCKCERT_SEAL_LEN);
    atomic_store(&lanes->lanes[0].noted, 3);

    is_int(commit_after(ledger, STOCKCERT_FAILED), STOCKCERT_OK,
           "keys: the commit failed, and the leader goes on");
    is_int(stockcert_lane_settled(&lanes->lanes[0]), 3, "keys: all is settled");
    is_int(outcome(0, 1)->status, STOCKCERT_UNAVAILABLE,
           "keys: a new one is refused");
    is_int(outcome(0, 2)->status, STOCKCERT_ISSUED,
           "keys: the other one is not");
    is_int(outcome(0, 2)->replayed, 1, "keys: it is told again");
    is_int(outcome(0, 2)->number, 1, "keys: with its number");
    is_mem(outcome(0, 2)->seal, STOCKCERT_SEAL_LEN, seal, STOCKCERT_SEAL_LEN,
           "keys: and its seal");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2 + 1, "keys: the ledger");
}


/*
 * A leader decided a grant, and died before it committed.  One of other lanes
 * made the same entry at the same position, while the clock stood still.  The
 * grant is not taken for that one's.
 */

static void
test_same_entry(void)
{
    int                  status;
    pid_t                pid;
    fixture_t            f;
    stockcert_lanes_t   *ours;
    stockcert_outcome_t  other;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "same");
    begin();

    ledger = fixture_open(&f);
    fixture_stop_clock(ledger);
    stockcert_ledger_close(ledger);

    fflush(stdout);
    pid = fork();

    if (pid == 0) {
        ledger = fixture_open(&f);
        fill(0, 0, "CS", 1);
        dies = 1;
        commit_after(ledger, STOCKCERT_OK);
        _exit(0);
    }

    if (pid == -1 || waitpid(pid, &status, 0) == -1) {
        tap_bail_out("no child");
    }

    ok(WIFSIGNALED(status), "same entry: a leader died");
    is_int(outcome(0, 0)->status, STOCKCERT_ISSUED,
           "same entry: it had decided");
    is_int(lanes->lanes[0].noted, 1, "same entry: and noted that");

    ours = lanes;
    lanes = NULL;
    ledger = fixture_open(&f);

    begin();
    fill(0, 0, "CS", 1);
    commit_after(ledger, STOCKCERT_OK);
    other = *outcome(0, 0);

    munmap(lanes, stockcert_lanes_size(LANES));
    lanes = leader.lanes = ours;

    is_int(other.position, outcome(0, 0)->position,
           "same entry: another's is at its position");
    is_int(other.number, outcome(0, 0)->number, "same entry: with its number");
    is_int(other.time, outcome(0, 0)->time, "same entry: and its time");

    is_int(commit_after(ledger, STOCKCERT_OK), STOCKCERT_OK,
           "same entry: the next leader");
    is_int(outcome(0, 0)->number, 2, "same entry: it has one of its own");
    is_int(fixture_counters(ledger, "CS").last, 2, "same entry: there are two");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 5, "same entry: the ledger");
}


static void
test_full_map(void)
{
    uint64_t             settled, issued, i, n;
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "map");
    f.conf.size = 256 * 1024;
    ledger = fixture_open(&f);
    begin();

    issued = 0;
    rc = STOCKCERT_OK;

    for (n = 0; n < 100 && rc == STOCKCERT_OK; n++) {
        settled = stockcert_lane_settled(&lanes->lanes[0]);

        for (i = 0; i < 100; i++) {
            fill(0, settled, "CS", 1);
        }

        rc = commit_after(ledger, rc);
    }

    is_int(rc, STOCKCERT_FULL, "map: full after %d batches", (int) n);
    is_int(commit_after(ledger, rc), STOCKCERT_OK, "map: the next call");
    ok(!stockcert_lanes_waiting(lanes), "map: nobody waits");

    settled = stockcert_lane_settled(&lanes->lanes[0]);
    is_int(outcome(0, settled - 1)->status, STOCKCERT_NO_ROOM,
           "map: what was in the batch is refused");

    stockcert_ledger_close(ledger);

    issued = (uint64_t) verified_ledger(&f);
    is_int(issued, 2 + (n - 1) * 100, "map: nothing half issued");

    f.conf.size = 1024 * 1024;
    ledger = fixture_open(&f);
    fill(0, settled, "CS", 1);

    is_int(commit_after(ledger, STOCKCERT_OK), STOCKCERT_OK, "map: with more room");
    is_int(outcome(0, settled)->number, issued - 2 + 1, "map: it goes on");

    stockcert_ledger_close(ledger);
}


static void
test_lead(void)
{
    pid_t  pid;

    begin();

    pid = fork();
    if (pid == 0) {
        _exit(!stockcert_lanes_lead(lanes));
    }

    waitpid(pid, NULL, 0);

    is_int(lanes->leader, pid, "somebody leads");
    ok(!stockcert_lanes_lead(lanes), "nobody else does");
    ok(stockcert_lanes_take_over(lanes, 0), "but is gone");
    ok(!stockcert_lanes_lead(lanes), "now this process leads");
    stockcert_lanes_resign(lanes);
    ok(stockcert_lanes_lead(lanes), "until it resigns");

    atomic_store(&lanes->leader, getppid());

    ok(!stockcert_lanes_take_over(lanes, 0), "one that lives leads");
    stockcert_lanes_resign(lanes);
    is_int(lanes->leader, getppid(), "nobody resigns for another");
    ok(stockcert_lanes_take_over(lanes, 1), "unless by force");
}


/* a worker that fills its lane, and leads whenever it can */

static void
work(const fixture_t *f, size_t lane)
{
    uint64_t             answered;
    stockcert_ledger_t  *ledger;

    ledger = fixture_open(f);
    answered = stockcert_lane_filled(&lanes->lanes[lane]);

    for ( ;; ) {
        (void) fill(lane, answered, lane % 2 ? "CS" : "PS", 1);

        if (commit_after(ledger, STOCKCERT_OK) != STOCKCERT_OK) {
            _exit(1);
        }

        answered = stockcert_lane_settled(&lanes->lanes[lane]);
    }
}


static void
test_kills(void)
{
    int                  status, kills, wrong;
    pid_t                pids[LANES];
    size_t               i;
    uint64_t             filled, issued;
    fixture_t            f;
    struct timespec      pause;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "kills");
    begin();

    srand(1);
    wrong = 0;
    filled = 0;

    for (i = 0; i < LANES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            work(&f, i);
        }
    }

    for (kills = 0; kills < KILLS; kills++) {
        pause.tv_sec = 0;
        pause.tv_nsec = rand() % 8000000;
        nanosleep(&pause, NULL);

        i = (size_t) rand() % LANES;
        kill(pids[i], SIGKILL);
        waitpid(pids[i], &status, 0);
        wrong += !WIFSIGNALED(status);

        pids[i] = fork();
        if (pids[i] == 0) {
            work(&f, i);
        }
    }

    for (i = 0; i < LANES; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], &status, 0);
        wrong += !WIFSIGNALED(status);
    }

    is_int(wrong, 0, "kills: nobody ended but by %d kills", KILLS + LANES);

    ledger = fixture_open(&f);
    is_int(commit_after(ledger, STOCKCERT_OK), STOCKCERT_OK, "kills: the last leader");

    for (i = 0; i < LANES; i++) {
        filled += stockcert_lane_filled(&lanes->lanes[i]);
    }

    ok(!stockcert_lanes_waiting(lanes), "kills: nobody waits");

    stockcert_ledger_close(ledger);

    /* two kills in one batch: those may be issued, or not */

    issued = (uint64_t) verified_ledger(&f);
    ok(issued <= 2 + filled && issued + lanes->given_up >= 2 + filled,
       "kills: each of %d grants is issued once, but of %d given up",
       (int) filled, (int) lanes->given_up);
}
