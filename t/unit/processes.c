
/*
 * Several processes with one ledger.  Each opens it after the fork, and the
 * parent has it open only while it forks none.
 */


#include "verified.h"

#include <signal.h>
#include <sys/wait.h>


#define CHILDREN  4
#define ROUNDS    60
#define MOST      (ROUNDS * 7)
#define SHARES    300      /* of class A: not enough for all */


/* what a child tells of a certificate that was committed */

typedef struct {
    char                 code;
    stockcert_outcome_t  outcome;
} told_t;


typedef struct {
    pid_t                pid;
    int                  in;      /* from the child */
    int                  out;     /* to the child */
} child_t;


typedef void (*child_pt)(const fixture_t *f, int in, int out);


static void test_concurrent(void);
static void test_killed_writer(child_pt run, const char *name);
static void test_killed_reader(void);
static void test_killed_at_any_time(void);
static void test_larger_map(void);
static void check_told(stockcert_ledger_t *ledger, const told_t *told,
    size_t n);
static size_t read_told(const child_t *child, told_t *told, size_t max);
static void child_works(const fixture_t *f, int in, int out);
static void child_begins(const fixture_t *f, int in, int out);
static void child_issues(const fixture_t *f, int in, int out);
static void child_reads(const fixture_t *f, int in, int out);
static void child_holds(const fixture_t *f, int in, int out);
static void child_grows(const fixture_t *f, int in, int out);
static void spawn(child_t *child, child_pt run, const fixture_t *f);
static int reap(child_t *child);
static void put_byte(int fd);
static void get_byte(int fd);


int
main(void)
{
    signal(SIGPIPE, SIG_IGN);

    fixture_begin();

    test_concurrent();
    test_killed_writer(child_begins, "begun");
    test_killed_writer(child_issues, "issued");
    test_killed_reader();
    test_killed_at_any_time();
    test_larger_map();

    fixture_end();

    return tap_done();
}


/* all make it together, and issue from two classes until A is exhausted */

static void
test_concurrent(void)
{
    size_t               i, n, last;
    child_t              children[CHILDREN];
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    static told_t        told[CHILDREN * MOST];

    fixture_make(&f, "concurrent");
    fixture_class(&f, "A", "Scarce", SHARES);
    fixture_class(&f, "B", "Plenty", STOCKCERT_SHARES_MAX);

    for (i = 0; i < CHILDREN; i++) {
        spawn(&children[i], child_works, &f);
    }

    for (i = 0; i < CHILDREN; i++) {
        put_byte(children[i].out);
    }

    for (i = 0, n = 0; i < CHILDREN; i++) {
        n += read_told(&children[i], told + n, MOST);
        is_int(reap(&children[i]), 0, "concurrent: a child at its end");
    }

    ledger = fixture_open(&f);
    last = fixture_counters(ledger, "A").last;
    is_int(fixture_counters(ledger, "A").issued, SHARES,
           "concurrent: A to the last share");
    is_int(last, SHARES, "concurrent: of one share each");
    last += fixture_counters(ledger, "B").last;
    is_int(last, n, "concurrent: as many as were told");
    check_told(ledger, told, n);
    stockcert_ledger_close(ledger);

    is_int(verified_ledger(&f), n + 2, "concurrent: verify");
}


/* it leaves nothing, and others do not wait for it */

static void
test_killed_writer(child_pt run, const char *name)
{
    child_t              child;
    fixture_t            f;
    stockcert_slot_t     slot;
    stockcert_ledger_t  *ledger;

    fixture_make(&f, name);
    fixture_class(&f, "A", "Ten", 10);

    spawn(&child, run, &f);

    /* open over the child's death: nobody else is there to make a new lock */

    ledger = fixture_open(&f);
    put_byte(child.out);
    is_int(reap(&child), -SIGKILL, "killed when %s", name);

    is_int(fixture_counters(ledger, "A").last, 0, "%s: nothing issued", name);

    fixture_slot(&slot, "A", "Salt Bae", 10);
    is_int(fixture_issue(ledger, &slot, 1), STOCKCERT_OK,
           "%s: another goes on", name);
    is_int(slot.outcome.status, STOCKCERT_ISSUED, "%s: all shares there", name);
    is_int(slot.outcome.number, 1, "%s: number 1", name);

    stockcert_ledger_close(ledger);
    is_int(verified_ledger(&f), 2, "%s: verify", name);
}


/* its snapshot keeps pages from being used again until one opens the ledger */

static void
test_killed_reader(void)
{
    int                  i;
    child_t              holder, reader;
    fixture_t            f;
    stockcert_slot_t     slot;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "killed-reader");
    f.conf.size = 256 * 1024;

    /* were nobody else there, LMDB would forget all readers */

    spawn(&holder, child_holds, &f);
    spawn(&reader, child_reads, &f);

    put_byte(holder.out);
    get_byte(holder.in);
    put_byte(reader.out);
    is_int(reap(&reader), -SIGKILL, "killed when reading");

    ledger = fixture_open(&f);

    for (i = 0; i < 200; i++) {
        fixture_slot(&slot, "CS", "Salt Bae", 1);

        if (fixture_issue(ledger, &slot, 1) != STOCKCERT_OK) {
            break;
        }
    }

    is_int(i, 200, "a dead reader takes no room");
    stockcert_ledger_close(ledger);

    put_byte(holder.out);
    is_int(reap(&holder), 0, "a dead reader: the other at its end");
    is_int(verified_ledger(&f), 202, "a dead reader: verify");
}


/* what one was told is there, whenever the process that told it dies */

static void
test_killed_at_any_time(void)
{
    size_t               life, n;
    told_t               told[MOST];
    int64_t              entries;
    child_t              child;
    fixture_t            f;
    stockcert_ledger_t  *ledger;

    fixture_make(&f, "killed");
    fixture_class(&f, "A", "Plenty", STOCKCERT_SHARES_MAX);
    fixture_class(&f, "B", "Plenty, too", STOCKCERT_SHARES_MAX);

    entries = 2;

    for (life = 0; life < 20; life++) {
        spawn(&child, child_works, &f);
        put_byte(child.out);

        n = read_told(&child, told, life * 3);
        kill(child.pid, SIGKILL);
        n += read_told(&child, told + n, MOST - n);
        reap(&child);

        ledger = fixture_open(&f);
        check_told(ledger, told, n);
        stockcert_ledger_close(ledger);

        ok(verified_ledger(&f) >= entries + (int64_t) n,
           "killed %zu: verify, %zu told", life, n);
        entries = verified_ledger(&f);
    }
}


/* another has made it larger than this one can see: opened again, it can */

static void
test_larger_map(void)
{
    child_t              child;
    fixture_t            f;
    stockcert_rc_e       rc;
    stockcert_slot_t     slot;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make_default(&f, "larger");
    f.conf.size = 16 * 1024 * 1024;
    spawn(&child, child_grows, &f);

    f.conf.size = 128 * 1024;
    ledger = fixture_open(&f);
    put_byte(child.out);
    is_int(reap(&child), 0, "larger: the other has a larger map");

    is_int(stockcert_ledger_snapshot(ledger, &error), STOCKCERT_FAILED,
           "larger: no snapshot: %s", error.text);
    fixture_slot(&slot, "CS", "Salt Bae", 1);
    is_int(stockcert_ledger_begin(ledger, &error), STOCKCERT_FAILED,
           "larger: no transaction: %s", error.text);
    stockcert_ledger_close(ledger);

    ledger = fixture_open(&f);
    is_int(fixture_counters(ledger, "CS").last, 1000,
           "larger: opened again, all is there");
    rc = fixture_issue(ledger, &slot, 1);
    ok(rc == STOCKCERT_OK || rc == STOCKCERT_FULL, "larger: issue: %d", rc);
    stockcert_ledger_close(ledger);

    f.conf.size = 16 * 1024 * 1024;
    ledger = fixture_open(&f);
    is_int(fixture_issue(ledger, &slot, 1), STOCKCERT_OK,
           "larger: with the larger size too, it goes on");
    stockcert_ledger_close(ledger);
    ok(verified_ledger(&f) >= 1003, "larger: verify");
}


/* batches of both classes, telling of each after its commit */

static void
child_works(const fixture_t *f, int in, int out)
{
    size_t               i, n, round;
    told_t               told;
    stockcert_slot_t     slots[7];
    stockcert_ledger_t  *ledger;

    get_byte(in);
    ledger = fixture_open(f);

    for (round = 0; round < ROUNDS; round++) {
        n = 1 + (round + (size_t) getpid()) % 7;

        for (i = 0; i < n; i++) {
            fixture_slot(&slots[i], i % 3 ? "B" : "A", "Salt Bae", 1);
        }

        if (fixture_issue(ledger, slots, n) != STOCKCERT_OK) {
            _exit(1);
        }

        for (i = 0; i < n; i++) {
            if (slots[i].outcome.status == STOCKCERT_ISSUED) {
                memset(&told, 0, sizeof(told_t));
                told.code = slots[i].grant.code[0];
                told.outcome = slots[i].outcome;

                if (write(out, &told, sizeof(told_t)) != sizeof(told_t)) {
                    _exit(2);
                }
            }
        }
    }

    stockcert_ledger_close(ledger);
}


static void
child_begins(const fixture_t *f, int in, int out)
{
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    (void) out;

    get_byte(in);
    ledger = fixture_open(f);

    if (stockcert_ledger_begin(ledger, &error) == STOCKCERT_OK) {
        kill(getpid(), SIGKILL);
    }
}


static void
child_issues(const fixture_t *f, int in, int out)
{
    stockcert_slot_t     slots[2];
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    (void) out;

    get_byte(in);
    ledger = fixture_open(f);

    fixture_slot(&slots[0], "A", "Salt Bae", 1);
    fixture_slot(&slots[1], "A", "Salt Bae", 2);

    if (stockcert_ledger_begin(ledger, &error) == STOCKCERT_OK
        && stockcert_ledger_issue(ledger, slots, 2, &error) == STOCKCERT_OK
        && slots[1].outcome.number == 2)
    {
        kill(getpid(), SIGKILL);
    }
}


static void
child_reads(const fixture_t *f, int in, int out)
{
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    (void) out;

    get_byte(in);
    ledger = fixture_open(f);

    if (stockcert_ledger_snapshot(ledger, &error) == STOCKCERT_OK) {
        kill(getpid(), SIGKILL);
    }
}


static void
child_holds(const fixture_t *f, int in, int out)
{
    stockcert_ledger_t  *ledger;

    get_byte(in);
    ledger = fixture_open(f);
    put_byte(out);

    get_byte(in);
    stockcert_ledger_close(ledger);
}


static void
child_grows(const fixture_t *f, int in, int out)
{
    size_t               i;
    stockcert_slot_t     slots[1000];
    stockcert_ledger_t  *ledger;

    (void) out;

    get_byte(in);
    ledger = fixture_open(f);

    for (i = 0; i < 1000; i++) {
        fixture_slot(&slots[i], "CS", "Salt Bae", 1);
    }

    if (fixture_issue(ledger, slots, 1000) != STOCKCERT_OK) {
        _exit(1);
    }

    stockcert_ledger_close(ledger);
}


static void
check_told(stockcert_ledger_t *ledger, const told_t *told, size_t n)
{
    size_t                      i;
    stockcert_error_t           error;
    stockcert_certificate_t     certificate;
    const stockcert_outcome_t  *o;

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("no snapshot: %s", error.text);
    }

    for (i = 0; i < n; i++) {
        o = &told[i].outcome;

        if (stockcert_ledger_certificate(ledger, &told[i].code, 1, o->number,
                                         &certificate, &error)
            != STOCKCERT_OK
            || certificate.issued.position != o->position
            || certificate.issued.time != o->time
            || memcmp(certificate.issued.seal, o->seal, STOCKCERT_SEAL_LEN)
               != 0)
        {
            break;
        }
    }

    stockcert_ledger_release(ledger);

    is_int(i, n, "what was told is what is read");
}


static size_t
read_told(const child_t *child, told_t *told, size_t max)
{
    size_t  n;

    for (n = 0; n < max; n++) {
        if (read(child->in, &told[n], sizeof(told_t)) != sizeof(told_t)) {
            break;
        }
    }

    return n;
}


static void
spawn(child_t *child, child_pt run, const fixture_t *f)
{
    int  in[2], out[2];

    if (pipe(in) == -1 || pipe(out) == -1) {
        tap_bail_out("no pipe");
    }

    fflush(stdout);
    child->pid = fork();

    switch (child->pid) {

    case -1:
        tap_bail_out("no fork");

    case 0:
        alarm(FIXTURE_SECONDS);
        close(in[0]);
        close(out[1]);
        run(f, out[0], in[1]);
        _exit(0);

    default:
        close(in[1]);
        close(out[0]);
        child->in = in[0];
        child->out = out[1];
    }
}


/* its exit code, or minus the signal that killed it */

static int
reap(child_t *child)
{
    int  status;

    close(child->in);
    close(child->out);

    if (waitpid(child->pid, &status, 0) == -1) {
        tap_bail_out("no child");
    }

    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}


/* each waits for one of the other */

static void
put_byte(int fd)
{
    if (write(fd, "", 1) != 1) {
        tap_bail_out("the other end is gone");
    }
}


static void
get_byte(int fd)
{
    char  byte;

    if (read(fd, &byte, 1) != 1) {
        tap_bail_out("the other end is gone");
    }
}
