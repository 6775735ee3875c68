
/*
 * A batch, and what must never happen in it: outcomes that are told after the
 * lock was dropped, grants that kill their leaders for ever, a lock that a
 * forked child holds, a full ledger that forgets what it has, files of another
 * ledger.
 */


#include "verified.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "ring.h"
#include "stockcert_hold.h"
#include "stockcert_store.h"


static int                   another = -1;      /* data.mdb, opened here */
static int                   locked;            /* wakes with the lock held */
static int                   unlocked;


static void test_settled_under_lock(void);
static void test_deaths(void);
static void test_deaths_before_noting(void);
static void test_death_and_life(void);
static void test_full(void);
static void test_dead_reader(void);
static void test_dead_readers(void);
static void test_forked(void);
static void test_known(void);
static void test_old_file(int in_place);
static void test_lock_file(void);
static void test_other_lock_file(void);
static void test_claims(void);


int
main(void)
{
    fixture_begin();

    test_settled_under_lock();
    test_deaths();
    test_deaths_before_noting();
    test_death_and_life();
    test_full();
    test_dead_reader();
    test_dead_readers();
    test_forked();
    test_known();
    test_old_file(0);
    test_old_file(1);
    test_lock_file();
    test_other_lock_file();
    test_claims();

    fixture_end();

    return tap_done();
}


static void
wake(void *data, size_t lane)
{
    (void) data;
    (void) lane;

    if (another == -1) {
        return;
    }

    if (flock(another, LOCK_EX|LOCK_NB) == 0) {
        unlocked++;
        flock(another, LOCK_UN);

    } else {
        locked++;
    }
}


static void
fill(size_t lane, const char *key, uint64_t amount)
{
    fill_class(lane, "CS", key, amount);
}


/* refusals and replays, too, are settled before anybody else gets the lock */

static void
test_settled_under_lock(void)
{
    char                 path[320];
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "settled");
    ledger = fixture_open(&f);
    make_lanes(wake);

    fixture_file(&f, "data.mdb", path, sizeof(path));
    another = open(path, O_RDONLY);

    fill(0, "", 2600001);
    fill(1, "k", 1);
    commit(ledger);
    fill(1, "k", 1);
    commit(ledger);

    is_int(locked, 3, "settled: under the lock, each of 3 times");
    is_int(unlocked, 0, "settled: never without");
    is_int(flock(another, LOCK_EX|LOCK_NB), 0, "settled: then it is let go");

    close(another);
    another = -1;

    stockcert_ledger_close(ledger);
}


/* what leaders leave that die in a batch with these grants */

static void
test_deaths(void)
{
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "dead");
    ledger = fixture_open(&f);
    make_lanes(wake);

    fill(0, "", 1);
    fill(1, "", 1);
    atomic_store(&lanes->lanes[0].noted, 1);
    atomic_store(&lanes->busy, 1);
    lanes->deaths = STOCKCERT_DEATHS - 1;
    fill(0, "", 1);

    is_int(commit(ledger), STOCKCERT_OK, "deaths: the next leader");
    is_int(leader.given_up, 1, "deaths: it gives up what was noted");
    is_int(outcome(0, 0)->status, STOCKCERT_GIVEN_UP, "deaths: and says so");
    is_int(outcome(0, 1)->status, STOCKCERT_ISSUED, "deaths: others go on");
    is_int(outcome(1, 0)->status, STOCKCERT_ISSUED,
           "deaths: in the other lane, too");
    is_int(lanes->busy, 0, "deaths: nothing is under way");
    is_int(lanes->deaths, 0, "deaths: they are forgotten");

    stockcert_ledger_close(ledger);
}


/* they died while they read the ledger: any waiting grant may be the reason */

static void
test_deaths_before_noting(void)
{
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "dead, too");
    ledger = fixture_open(&f);
    make_lanes(wake);

    fill(0, "", 1);
    fill(1, "", 1);
    atomic_store(&lanes->busy, 1);
    lanes->deaths = STOCKCERT_DEATHS - 1;

    is_int(commit(ledger), STOCKCERT_OK, "nothing noted: the next leader");
    is_int(lanes->given_up, 2, "nothing noted: all that waits is given up");

    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), 2, "nothing noted: and not issued");
}


/* one death is no reason, and a batch that ends well begins a new count */

static void
test_death_and_life(void)
{
    int                  i, status;
    pid_t                pid;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "dead once");
    make_lanes(wake);

    for (i = 0; i < 5; i++) {
        pid = fork();

        if (pid == 0) {
            ledger = fixture_open(&f);
            fill(0, "", 1);
            stockcert_ledger_lock(ledger, &error);
            atomic_store(&lanes->busy, 1);
            atomic_store(&lanes->lanes[0].noted,
                         atomic_load(&lanes->lanes[0].filled));
            raise(SIGKILL);
        }

        waitpid(pid, &status, 0);
        ledger = fixture_open(&f);
        is_int(commit(ledger), STOCKCERT_OK, "death %d: the next leader", i);
        is_int(leader.given_up, 0, "death %d: nothing is given up", i);
        is_int(outcome(0, (uint64_t) i)->number, (uint64_t) i + 1,
               "death %d: it is issued", i);
        stockcert_ledger_close(ledger);
    }
}


/*
 * a grant with a key of an old certificate gets that, whatever the others get
 */

static void
test_full(void)
{
    uint64_t             first, i;
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "full");
    f.conf.size = 128 * 1024;
    ledger = fixture_open(&f);
    make_lanes(wake);

    fill(0, "durable", 1);
    commit(ledger);

    do {
        first = lanes->lanes[0].filled;

        for (i = 0; i < 100; i++) {
            fill(0, i == 50 ? "durable" : i == 51 ? "new" : "", 1);
        }

        fill(1, "durable", 1);
        fill(1, "durable", 2);

        rc = commit(ledger);
    } while (rc == STOCKCERT_OK);

    is_int(rc, STOCKCERT_FULL, "full: after %d grants", (int) first);
    is_int(outcome(0, first + 49)->status, STOCKCERT_NO_ROOM,
           "full: a grant is refused");
    is_int(outcome(0, first + 50)->status, STOCKCERT_ISSUED,
           "full: a key of what is there is told");
    is_int(outcome(0, first + 50)->number, 1, "full: with its number");
    is_int(outcome(0, first + 50)->replayed, 1, "full: as a replay");
    is_int(outcome(0, first + 51)->status,
           first == 1 ? STOCKCERT_NO_ROOM : STOCKCERT_ISSUED,
           "full: a key that is new is refused");

    /* the other lane may not have been taken yet */

    commit(ledger);
    i = lanes->lanes[1].settled;
    is_int(outcome(1, i - 2)->number, 1, "full: in the other lane, too");
    is_int(outcome(1, i - 1)->status, STOCKCERT_KEY_REUSED,
           "full: and a key that is reused");
    ok(!stockcert_lanes_waiting(lanes), "full: nobody waits");

    stockcert_ledger_close(ledger);
}


/* the pages that a dead reader has are room */

static void
test_dead_reader(void)
{
    int                  status, n;
    pid_t                pid;
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "reader");
    f.conf.size = 192 * 1024;
    make_lanes(wake);
    stockcert_ledger_close(fixture_open(&f));

    pid = fork();

    if (pid == 0) {
        ledger = fixture_open(&f);
        stockcert_ledger_snapshot(ledger, &error);
        pause();
    }

    ledger = fixture_open(&f);
    rc = STOCKCERT_OK;

    for (n = 0; n < 300 && rc == STOCKCERT_OK; n++) {
        fill(0, "", 1);
        rc = commit(ledger);
    }

    is_int(rc, STOCKCERT_FULL, "reader: it keeps pages, full after %d", n);

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fill(0, "", 1);

    is_int(commit(ledger), STOCKCERT_OK, "reader: dead, and there is room");

    stockcert_ledger_close(ledger);
}


/* all places among the readers belong to the dead */

static void
test_dead_readers(void)
{
    int                  status, n;
    pid_t                pid;
    MDB_env             *env;
    MDB_txn             *txn;
    fixture_t            f;
    stockcert_hold_t    *hold;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "readers");
    ledger = fixture_open(&f);

    pid = fork();

    if (pid == 0) {

        if (mdb_env_create(&env) != 0
            || mdb_env_set_maxreaders(env, STOCKCERT_READERS) != 0
            || mdb_env_open(env, f.path, MDB_RDONLY|MDB_NOTLS, 0600) != 0)
        {
            _exit(1);
        }

        for (n = 0; mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0; n++) {
            /* void */
        }

        _exit(n < STOCKCERT_READERS - 10);
    }

    waitpid(pid, &status, 0);
    is_int(status, 0, "readers: a process had all places that were free");

    pid = fork();

    if (pid == 0) {
        _exit(stockcert_hold_open(f.path, 0, &hold, &error));
    }

    waitpid(pid, &status, 0);
    is_int(status, 0, "readers: it is dead, and another one has a place");

    stockcert_ledger_close(ledger);
}


/* a child of a leader that is killed in its commit */

static void
test_forked(void)
{
    int                  fds[2], status;
    pid_t                pid, child;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "forked");
    make_lanes(wake);

    if (pipe(fds) == -1) {
        tap_bail_out("no pipe");
    }

    pid = fork();

    if (pid == 0) {
        ledger = fixture_open(&f);
        stockcert_ledger_lock(ledger, &error);

        child = fork();

        if (child == 0) {
            pause();
        }

        if (write(fds[1], &child, sizeof(pid_t)) != sizeof(pid_t)) {
            _exit(1);
        }

        pause();
    }

    if (read(fds[0], &child, sizeof(pid_t)) != sizeof(pid_t)) {
        tap_bail_out("no child");
    }

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);

    pid = fork();

    if (pid == 0) {
        ledger = fixture_open(&f);
        fill(0, "", 1);
        alarm(FIXTURE_SECONDS);
        _exit(commit(ledger) != STOCKCERT_OK);
    }

    waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "forked: the lock went with the process that took it");

    kill(child, SIGKILL);
    close(fds[0]);
    close(fds[1]);
}


static void
test_known(void)
{
    stockcert_tail_t  tail;

    make_lanes(wake);

    stockcert_lanes_known(lanes, &tail);
    is_int(tail.position, 0, "known: nothing at first");

    tail.position = 7;
    memset(tail.seal, 7, sizeof(tail.seal));
    stockcert_lanes_know(lanes, &tail);
    memset(&tail, 0, sizeof(tail));
    stockcert_lanes_known(lanes, &tail);
    is_int(tail.position, 7, "known: an entry");
    is_int(tail.seal[31], 7, "known: with its seal");
}


static void
copy(const fixture_t *f, const char *from, const char *to, int in_place)
{
    int      in, out;
    char     name[320], bytes[4096];
    ssize_t  n;

    fixture_file(f, from, name, sizeof(name));
    in = open(name, O_RDONLY);
    fixture_file(f, to, name, sizeof(name));

    if (!in_place) {
        unlink(name);
    }

    out = open(name, O_WRONLY|O_CREAT|O_TRUNC, 0600);

    while ((n = read(in, bytes, sizeof(bytes))) > 0) {
        if (write(out, bytes, (size_t) n) != n) {
            tap_bail_out("cannot write %s", name);
        }
    }

    close(in);
    close(out);
}


/* an older file, put there while it is in use: under another number, or not */

static void
test_old_file(int in_place)
{
    uint8_t                  before[STOCKCERT_SEAL_LEN];
    uint8_t                  after[STOCKCERT_SEAL_LEN];
    fixture_t                f;
    stockcert_rc_e           rc;
    stockcert_tail_t         known;
    stockcert_ledger_t      *ledger;

    fixture_make_default(&f, in_place ? "in place" : "old");
    ledger = fixture_open(&f);
    make_lanes(wake);

    fill(0, "", 1);
    commit(ledger);
    copy(&f, "data.mdb", "older", 0);
    fill(0, "", 2);
    commit(ledger);
    copy(&f, "older", "data.mdb", in_place);
    fixture_digest(&f, before);

    fill(0, "", 3);
    rc = commit(ledger);
    stockcert_ledger_close(ledger);

    if (in_place) {

        /* a new lock.mdb first, as it was of the newer data */

        is_int(rc, STOCKCERT_FAILED, "old file in place: %s", error.text);
        ledger = fixture_open(&f);
        rc = commit(ledger);
        stockcert_ledger_close(ledger);
    }

    is_int(rc, STOCKCERT_REPLACED, "old file: %s", error.text);
    is_int(outcome(0, 2)->status, STOCKCERT_UNAVAILABLE, "old file: refused");
    ok(!stockcert_lanes_waiting(lanes), "old file: nobody waits");

    stockcert_lanes_known(lanes, &known);
    f.conf.known = &known;
    is_int(stockcert_ledger_open(&f.conf, &ledger, &error), STOCKCERT_REPLACED,
           "old file: it is not opened, either: %s", error.text);

    fixture_digest(&f, after);
    is_mem(after, sizeof(after), before, sizeof(before),
           "old file: it is as it was");
}


/* its removal did no harm: the next try is with a new one */

static void
test_lock_file(void)
{
    char                 path[320];
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "lock");
    ledger = fixture_open(&f);
    make_lanes(wake);

    fill(0, "", 1);
    commit(ledger);
    fixture_file(&f, "lock.mdb", path, sizeof(path));
    unlink(path);
    ok(!stockcert_ledger_is_current(ledger), "lock: readers can tell");

    fill(0, "", 1);
    is_int(commit(ledger), STOCKCERT_FAILED, "lock: %s", error.text);
    ok(stockcert_lanes_waiting(lanes), "lock: the grant waits");

    stockcert_ledger_close(ledger);
    ledger = fixture_open(&f);
    is_int(commit(ledger), STOCKCERT_OK, "lock: it is opened again");
    is_int(outcome(0, 1)->number, 2, "lock: and goes on");

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 4, "lock: the ledger");
}


/*
 * A reader keeps lock.mdb in use while data.mdb is replaced by an older one,
 * and all others are gone
 */

static void
test_other_lock_file(void)
{
    int                  fds[2], status;
    char                 byte;
    pid_t                pid;
    uint64_t             i;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "other");
    ledger = fixture_open(&f);
    make_lanes(wake);

    for (i = 0; i < 9; i++) {
        fill(0, "", 1);
        commit(ledger);

        if (i == 3) {
            copy(&f, "data.mdb", "older", 0);
        }
    }

    stockcert_ledger_close(ledger);

    if (pipe(fds) == -1) {
        tap_bail_out("no pipe");
    }

    pid = fork();

    if (pid == 0) {
        f.conf.access = STOCKCERT_READ;
        ledger = fixture_open(&f);
        (void) !write(fds[1], "x", 1);
        pause();
    }

    if (read(fds[0], &byte, 1) != 1) {
        tap_bail_out("no reader");
    }

    copy(&f, "older", "data.mdb", 0);

    make_lanes(wake);
    ledger = fixture_open(&f);
    is_int(fixture_counters(ledger, "CS").last, 4, "other: opened");

    for (i = 0; i < 5; i++) {
        fill(0, "", 1);
        is_int(commit(ledger), STOCKCERT_OK, "other: commit %d", (int) i);
        is_int(outcome(0, i)->number, 5 + i, "other: number %d", (int) i);
    }

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    close(fds[0]);
    close(fds[1]);

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 2 + 9, "other: the ledger");
}


static void
test_claims(void)
{
    int                  status;
    pid_t                pid;
    stockcert_claims_t  *claims;

    claims = mmap(NULL, stockcert_claims_size(3), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (claims == MAP_FAILED) {
        tap_bail_out("no memory for claims");
    }

    stockcert_claims_init(claims, 3);

    pid = fork();

    if (pid == 0) {
        _exit((int) stockcert_claim(claims));
    }

    waitpid(pid, &status, 0);
    is_int(WEXITSTATUS(status), 0, "claims: the first");
    is_int(claims->owners[0], pid, "claims: it is the process's");

    pid = fork();

    if (pid == 0) {
        stockcert_claim(claims);
        pause();
    }

    while (claims->owners[0] != pid) {
        usleep(1000);
    }

    ok(1, "claims: that of a dead one is taken");

    atomic_store(&claims->owners[1], getppid());
    is_int(stockcert_claim(claims), 2, "claims: those of the living are not");
    stockcert_unclaim(claims, 1);
    is_int(claims->owners[1], getppid(), "claims: nobody gives another's back");

    atomic_store(&claims->owners[2], getppid());
    is_int(stockcert_claim(claims), 3, "claims: none is left");

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    is_int(stockcert_claim(claims), 0, "claims: until one dies");
    stockcert_unclaim(claims, 0);
    is_int(claims->owners[0], 0, "claims: and it is given back");
}
