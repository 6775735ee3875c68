
/*
 * The list of many stockholders in little memory: "stockcert holders" of more
 * certificates than fit into it, and what it says if it has no temporary file.
 */


#define _GNU_SOURCE

#include "fixture.h"

#include "stockcert_tool.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>


#define HOLDERS  150000                /* with two certificates each */
#define STEP     7919                  /* is prime: names are in another order */
#define BATCH    2500
#define MEMORY   (48 * 1024 * 1024)    /* bytes, some 160 a certificate */

#define NAME     "Holder %06zu of this town, who has a name that is rather long"


typedef struct {
    const char  *tmp;                  /* TMPDIR */
    rlim_t       memory;               /* 0: no limit */
    rlim_t       file;
} limits_t;


static void make(const char *name, fixture_t *f, size_t holders);
static void test_memory(const fixture_t *f);
static void test_files(const fixture_t *f, const fixture_t *few);
static int run(const fixture_t *f, const limits_t *limits, FILE **out,
    char *err, size_t size);


int
main(void)
{
    fixture_t  many, few;

    if (getenv("STOCKCERT") == NULL) {
        tap_bail_out("STOCKCERT is not set: use scripts/test");
    }

    fixture_begin();

    make("many", &many, HOLDERS);
    make("few", &few, 100);

    test_memory(&many);
    test_files(&many, &few);

    fixture_end();

    return tap_done();
}


/* first one certificate for each, then another */

static void
make(const char *name, fixture_t *f, size_t holders)
{
    char                 text[100];
    size_t               i, n;
    stockcert_slot_t    *slots;
    stockcert_ledger_t  *ledger;

    fixture_make(f, name);
    fixture_class(f, "CS", "Common Stock", 1000000000);
    f->conf.size = 1024 * 1024 * 1024;

    ledger = fixture_open(f);
    slots = calloc(BATCH, sizeof(stockcert_slot_t));

    for (i = 0, n = 0; i < 2 * holders; i++) {
        snprintf(text, sizeof(text), NAME, i * STEP % holders);
        fixture_slot(&slots[n], "CS", text, 1 + i % 3);

        if (++n == BATCH || i + 1 == 2 * holders) {
            if (fixture_issue(ledger, slots, n) != STOCKCERT_OK) {
                tap_bail_out("cannot issue");
            }

            n = 0;
        }
    }

    free(slots);
    stockcert_ledger_close(ledger);
}


/* all lines are what they must be, in order */

static void
test_memory(const fixture_t *f)
{
    int       status;
    char      err[500], line[500], expected[500];
    FILE     *out;
    size_t    i, k, wrong;
    size_t   *first;
    limits_t  limits = { fixture_root, MEMORY, RLIM_INFINITY };

#ifdef __SANITIZE_ADDRESS__            /* needs more by itself */
    limits.memory = 0;
#endif

    first = calloc(HOLDERS, sizeof(size_t));

    for (i = 0; i < HOLDERS; i++) {
        first[i * STEP % HOLDERS] = i;
    }

    status = run(f, &limits, &out, err, sizeof(err));

    is_int(status, 0, "memory: %d MB are enough", MEMORY / 1024 / 1024);
    is_str(err, "", "memory: and nothing is wrong");

    wrong = fgets(line, sizeof(line), out) == NULL;

    for (k = 0; k < HOLDERS; k++) {
        i = first[k];

        snprintf(expected, sizeof(expected), "\"" NAME "\",,,CS,,%zu,CS-%zu "
                 "CS-%zu,,\r\n", k,
                 1 + i % 3 + 1 + (i + HOLDERS) % 3, i + 1, i + 1 + HOLDERS);

        wrong += fgets(line, sizeof(line), out) == NULL
                 || strcmp(line, expected) != 0;
    }

    is_int(wrong, 0, "memory: all holders, by name");
    ok(fgets(line, sizeof(line), out) && strncmp(line, ",,,,,,,", 7) == 0,
       "memory: then the entry and the seal");
    ok(fgets(line, sizeof(line), out) == NULL, "memory: and no more");

    fclose(out);
    free(first);
}


static void
test_files(const fixture_t *f, const fixture_t *few)
{
    char      err[500], line[500];
    FILE     *out;
    limits_t  none = { "/nonexistent", 0, RLIM_INFINITY };
    limits_t  full = { fixture_root, 0, 4 * 1024 * 1024 };

    is_int(run(few, &none, &out, err, sizeof(err)), 0,
           "few holders need no temporary file");
    fclose(out);

    is_int(run(f, &none, &out, err, sizeof(err)), STOCKCERT_EXIT_FAILED,
           "no directory: it fails");
    is_str(err, "stockcert: cannot make a temporary file in /nonexistent, set "
           "TMPDIR to a directory where the ledger's owner can make one: No such "
           "file or directory\n", "no directory: it says what to do");
    ok(fgets(line, sizeof(line), out) == NULL, "no directory: there is no list");
    fclose(out);

    is_int(run(f, &full, &out, err, sizeof(err)), STOCKCERT_EXIT_FAILED,
           "no room: it fails");
    snprintf(line, sizeof(line), "stockcert: cannot write a temporary file in %s, "
             "set TMPDIR to a directory with more room: File too large\n",
             fixture_root);
    is_str(err, line, "no room: it says what to do");
    ok(fgets(line, sizeof(line), out) == NULL, "no room: there is no list");
    fclose(out);
}


/* returns the exit code, or -1; out has what it wrote */

static int
run(const fixture_t *f, const limits_t *limits, FILE **out, char *err,
    size_t size)
{
    int            status;
    FILE          *errors;
    pid_t          pid;
    size_t         n;
    struct rlimit  limit;

    *out = tmpfile();
    errors = tmpfile();
    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        setenv("TMPDIR", limits->tmp, 1);
        (void) dup2(fileno(*out), STDOUT_FILENO);
        (void) dup2(fileno(errors), STDERR_FILENO);

        limit.rlim_cur = limits->memory;
        limit.rlim_max = limits->memory;

        if (limits->memory && setrlimit(RLIMIT_DATA, &limit) == -1) {
            _exit(99);
        }

        limit.rlim_cur = limits->file;
        limit.rlim_max = limits->file;

        if (setrlimit(RLIMIT_FSIZE, &limit) == -1) {
            _exit(99);
        }

        execl(getenv("STOCKCERT"), "stockcert", "holders", f->path, "--format",
              "csv", NULL);
        _exit(99);
    }

    if (waitpid(pid, &status, 0) != pid) {
        return -1;
    }

    rewind(*out);
    rewind(errors);
    n = fread(err, 1, size - 1, errors);
    err[n] = '\0';
    fclose(errors);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
