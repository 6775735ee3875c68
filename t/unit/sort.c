
/*
 * Records in the order of their bytes, in memory and by a temporary file, which
 * may have no room.  The source is compiled here, with less memory.
 */


#define _GNU_SOURCE

#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define STOCKCERT_SORT_MEMORY  16384
#define STOCKCERT_SORT_READ    16384

#include "stockcert_tool_sort.c"


#define RECORDS  5000


typedef struct {
    size_t   len;
    uint8_t  bytes[STOCKCERT_SORT_RECORD];
} record_t;


static void test_sizes(void);
static void test_readers(void);
static void test_directory(void);
static void test_full(void);
static int fill(size_t max, size_t *n);
static stockcert_sort_t *filled(size_t n, size_t max);
static void is_sorted(size_t n, size_t max);
static size_t wrong(stockcert_sort_reader_t *reader, size_t n);
static int compare(const void *one, const void *two);
static void err_begin(void);
static const char *err_end(void);


static record_t  records[RECORDS];
static char      err_text[1000];
static int       err_saved, err_pipe[2];


int
main(void)
{
    test_sizes();
    test_readers();
    test_directory();
    test_full();

    return tap_done();
}


/* none, one, what fits into memory, just not, one run, many */

static void
test_sizes(void)
{
    is_sorted(0, 20);
    is_sorted(1, 20);
    is_sorted(200, 20);
    is_sorted(RECORDS, 20);
    is_sorted(RECORDS, STOCKCERT_SORT_RECORD);

    for (size_t n = 7; n < 12; n++) {
        is_sorted(n, STOCKCERT_SORT_RECORD);
    }
}


/* each is at a place of its own */

static void
test_readers(void)
{
    size_t                    len, i;
    const uint8_t            *record;
    stockcert_sort_t         *sort;
    stockcert_sort_reader_t  *one, *two;

    sort = filled(RECORDS, 100);
    one = stockcert_sort_reader(sort);
    two = stockcert_sort_reader(sort);

    for (i = 0; i < RECORDS / 2; i++) {
        (void) stockcert_sort_next(one, &record, &len);
    }

    is_int(wrong(two, RECORDS), 0, "readers: one begins where it is made");

    for (i = RECORDS / 2; i < RECORDS; i++) {
        (void) stockcert_sort_next(one, &record, &len);
    }

    is_mem(record, len, records[RECORDS - 1].bytes, records[RECORDS - 1].len,
           "readers: the other goes on");

    stockcert_sort_reader_free(one);
    stockcert_sort_reader_free(two);
    stockcert_sort_free(sort);
}


/* it is needed for what does not fit into memory, and then said */

static void
test_directory(void)
{
    int                status;
    size_t             i, n;
    char               path[] = "/tmp/stockcert-sort-XXXXXX", inside[64];

    static const char *const  dirs[] = { "/nonexistent", "/proc", NULL };

    setenv("TMPDIR", "/nonexistent", 1);
    is_sorted(100, 20);

    for (i = 0; dirs[i]; i++) {
        setenv("TMPDIR", dirs[i], 1);
        err_begin();
        status = fill(RECORDS, &n);

        ok(strstr(err_end(), "cannot make a temporary file in ")
           && strstr(err_text, dirs[i]) && strstr(err_text, "set TMPDIR to "),
           "%s: says so", dirs[i]);
        is_int(status, STOCKCERT_EXIT_FAILED, "%s: fails", dirs[i]);
    }

    /* nor in the directory of a ledger */

    if (mkdtemp(path) == NULL) {
        tap_bail_out("cannot make %s", path);
    }

    snprintf(inside, sizeof(inside), "%s/data.mdb", path);
    (void) close(open(inside, O_WRONLY|O_CREAT, 0600));

    setenv("TMPDIR", path, 1);
    err_begin();
    status = fill(RECORDS, &n);
    ok(strstr(err_end(), "it is in a ledger's directory"), "a ledger: says so");
    is_int(status, STOCKCERT_EXIT_FAILED, "a ledger: fails");

    (void) unlink(inside);
    (void) rmdir(path);
    unsetenv("TMPDIR");
}


/* a limit of the file's size is as a disk that is full */

static void
test_full(void)
{
    int            status;
    size_t         n;
    struct rlimit  limit, small;

    (void) signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);

    small = limit;
    small.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &small);

    err_begin();
    status = fill(100 * RECORDS, &n);
    setrlimit(RLIMIT_FSIZE, &limit);

    ok(strstr(err_end(), "cannot write a temporary file in ")
       && strstr(err_text, "set TMPDIR to a directory with more room: "),
       "a full disk: says so");
    is_int(status, STOCKCERT_EXIT_FAILED, "a full disk: fails");
    ok(n > 5000, "a full disk: after some runs");
}


/* adds records until that fails, at most so many: the status, and how many */

static int
fill(size_t max, size_t *n)
{
    int                status;
    stockcert_sort_t  *sort;

    sort = stockcert_sort_create();
    status = STOCKCERT_EXIT_OK;

    for (*n = 0; status == STOCKCERT_EXIT_OK && *n < max; (*n)++) {
        status = stockcert_sort_add(sort, "0123456789", 10);
    }

    stockcert_sort_free(sort);

    return status;
}


/* n records that differ, of at most max bytes */

static stockcert_sort_t *
filled(size_t n, size_t max)
{
    size_t             i, k;
    stockcert_sort_t  *sort;

    sort = stockcert_sort_create();
    if (sort == NULL) {
        tap_bail_out("no memory");
    }

    for (i = 0; i < n; i++) {
        records[i].len = 2 + (size_t) random() % (max - 1);

        for (k = 0; k < records[i].len; k++) {
            records[i].bytes[k] = (uint8_t) (random() % 2 ? random() : 0);
        }

        /* they differ, and often one begins as another one */

        records[i].bytes[0] = (uint8_t) (i % 251);
        records[i].bytes[1] = (uint8_t) (i / 251);

        if (stockcert_sort_add(sort, records[i].bytes, records[i].len)
            != STOCKCERT_EXIT_OK)
        {
            tap_bail_out("cannot add");
        }
    }

    if (stockcert_sort_end(sort) != STOCKCERT_EXIT_OK) {
        tap_bail_out("cannot sort");
    }

    qsort(records, n, sizeof(record_t), compare);

    return sort;
}


static void
is_sorted(size_t n, size_t max)
{
    stockcert_sort_t         *sort;
    stockcert_sort_reader_t  *reader;

    sort = filled(n, max);
    reader = stockcert_sort_reader(sort);

    is_int(wrong(reader, n), 0, "%zu records of %zu bytes, %zu runs", n, max,
           sort->nruns);

    stockcert_sort_reader_free(reader);
    stockcert_sort_free(sort);
}


/* how many records are not what they must be, with the end */

static size_t
wrong(stockcert_sort_reader_t *reader, size_t n)
{
    size_t          i, len, bad;
    const uint8_t  *record;

    bad = 0;

    for (i = 0; i <= n; i++) {

        if (stockcert_sort_next(reader, &record, &len) != STOCKCERT_EXIT_OK) {
            return bad + 1;
        }

        bad += i == n ? record != NULL
                      : record == NULL
                        || !stockcert_same(record, len, records[i].bytes,
                                           records[i].len);
    }

    return bad;
}


static int
compare(const void *one, const void *two)
{
    const record_t  *a, *b;

    a = one;
    b = two;

    return stockcert_compare(a->bytes, a->len, b->bytes, b->len);
}


/* what is written to standard error between them */

static void
err_begin(void)
{
    if (pipe(err_pipe) == -1) {
        tap_bail_out("cannot make a pipe");
    }

    err_saved = dup(STDERR_FILENO);
    (void) dup2(err_pipe[1], STDERR_FILENO);
    (void) close(err_pipe[1]);
}


static const char *
err_end(void)
{
    ssize_t  n;

    (void) dup2(err_saved, STDERR_FILENO);
    (void) close(err_saved);

    n = read(err_pipe[0], err_text, sizeof(err_text) - 1);
    err_text[n > 0 ? n : 0] = '\0';
    (void) close(err_pipe[0]);

    return err_text;
}
