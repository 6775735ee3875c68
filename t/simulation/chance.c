
/*
 * The choices of a seed, and what happened, which is told if it fails.
 */


#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "world.h"


#define LINES  4000
#define LINE   160


static uint64_t     state;
static char         lines[LINES][LINE];
static uint64_t     nlines;


static const char  *const names[SEEN_END] = {
    [SEEN_SEEDS] = "seeds",
    [SEEN_STEPS] = "steps",
    [SEEN_ENTRIES] = "entries",
    [SEEN_BATCHES] = "batches",
    [SEEN_FENCES] = "fences",
    [SEEN_LOST_RACES] = "races lost",
    [SEEN_LOST] = "answers lost",
    [SEEN_FOREIGN] = "answers of another engine",
    [SEEN_LATE_APPLIED] = "applied late",
    [SEEN_LATE_REFUSED] = "too late to be applied",
    [SEEN_REPEATED] = "repeated unseen",
    [SEEN_KILLS] = "workers killed",
    [SEEN_KILLS_INSIDE] = "killed in a transaction",
    [SEEN_CRASHES] = "machines crashed",
    [SEEN_OLDER] = "machines with an older copy",
    [SEEN_STALLS] = "stalled",
    [SEEN_GIVEN_UP] = "appends given up",
    [SEEN_DISK_BEFORE] = "LMDB failed, not committed",
    [SEEN_DISK_AFTER] = "LMDB failed, committed",
    [SEEN_BEGINS] = "LMDB did not begin",
    [SEEN_LATE] = "clients timed out",
    [SEEN_ISSUED] = "told issued",
    [SEEN_REPLAYED] = "told replayed",
    [SEEN_INSUFFICIENT] = "told insufficient",
    [SEEN_NO_CLASS] = "told no class",
    [SEEN_UNAVAILABLE] = "told unavailable",
    [SEEN_NO_ROOM] = "told no room",
    [SEEN_TOLD_GIVEN_UP] = "told given up",
    [SEEN_ORDERS] = "orders entered",
    [SEEN_ORDERS_REFUSED] = "orders refused",
    [SEEN_AUTHORIZED] = "authorized",
    [SEEN_NOT_AUTHORIZED] = "not authorized",
    [SEEN_TRIMMED] = "trimmed",
    [SEEN_DIVERGED] = "told of a divergence",
    [SEEN_RESTORED] = "engines restored",
    [SEEN_AWAY] = "machines away too long",
    [SEEN_BLOCKED] = "waited for a lock",
    [SEEN_MORE] = "appended more in one transaction",
    [SEEN_BEFORE] = "told of the head before"
};


void
chance_begin(uint64_t seed)
{
    state = seed * 0x9e3779b97f4a7c15 + 1;
    nlines = 0;
}


/* SplitMix64 */

uint64_t
chance(uint64_t n)
{
    uint64_t  z;

    state += 0x9e3779b97f4a7c15;

    z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;

    return z % n;
}


int
happens(unsigned thousandths)
{
    return chance(1000) < thousandths && !world.calm;
}


void
trace(const char *fmt, ...)
{
    int      n;
    char    *line;
    va_list  args;

    line = lines[nlines++ % LINES];

    n = snprintf(line, LINE, "%5u ", world.step);

    if (world.task) {
        n += snprintf(line + n, (size_t) (LINE - n), "%u.%u: ",
                      world.task->worker->machine->n, world.task->worker->n);
    }

    va_start(args, fmt);
    (void) vsnprintf(line + n, (size_t) (LINE - n), fmt, args);
    va_end(args);

    if (getenv("SIMULATION_TRACE")) {
        fprintf(stderr, "%s\n", line);
    }
}


static void
trace_print(void)
{
    uint64_t  i;

    i = nlines > LINES ? nlines - LINES : 0;

    for ( /* void */ ; i < nlines; i++) {
        printf("# %s\n", lines[i % LINES]);
    }
}


/* no cleaning up: the ledgers are looked at, or go with the directory */

void
fail(const char *fmt, ...)
{
    va_list  args;

    trace_print();

    printf("seed %" PRIu64 " fails: ", world.seed);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");
    fflush(stdout);

    _exit(1);
}


static void
fail_by_signal(int n)
{
    fail("signal %d (%s)", n, strsignal(n));
}


void
fail_by_signals(void)
{
    static char       stack[64 * 1024];
    stack_t           other;
    struct sigaction  action;

    memset(&other, 0, sizeof(stack_t));
    other.ss_sp = stack;
    other.ss_size = sizeof(stack);
    sigaltstack(&other, NULL);

    memset(&action, 0, sizeof(struct sigaction));
    action.sa_handler = fail_by_signal;
    action.sa_flags = SA_ONSTACK;

    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
#ifndef __SANITIZE_ADDRESS__
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
#endif
}


void
seen(seen_e what)
{
    world.seen[what]++;
}


void
seen_print(void)
{
    size_t  i;

    for (i = 0; i < SEEN_END; i++) {
        printf("%s: %" PRIu64 "\n", names[i], world.seen[i]);
    }
}
