
/*
 * Bytes of a ledger's file are changed, one at a time.  Either "stockcert
 * verify" finds the change, or it has no effect: LMDB reads the same ledger,
 * and goes on writing it.  The latter is tried each time, in a process of its
 * own, which may crash.  STOCKCERT_SOAK=minutes goes on for so long.
 * STOCKCERT_SEED=number makes the same choices again.
 */


#include "audit.h"
#include "image.h"

#include <sys/wait.h>


#define META    160     /* bytes of a meta page that are used, and some */
#define HEADER  16
#define FLIPS   5000
#define COMMITS 4


typedef struct {
    size_t     found;
    size_t     nothing;
    size_t     wrong;          /* of those */
} count_t;


static void flip_all(const fixture_t *f, const image_t *image);
static void flip_free(const fixture_t *f, const image_t *image, size_t meta,
    count_t *count);
static void flip(const fixture_t *f, const image_t *image, size_t at,
    uint8_t byte, count_t *count);
static const char *try(const fixture_t *f, const image_t *image);
static const char *means_nothing(const fixture_t *f, const image_t *image);


int
main(void)
{
    char                   path[320];
    image_t                image;
    fixture_t              f;
    const char            *fault;
    stockcert_verified_t   verified;

    fixture_begin();
    alarm(7200);

    memset(&verified, 0, sizeof(stockcert_verified_t));

    fixture_make_default(&f, "ledger");
    image_ledger(&f, 9);
    fixture_file(&f, "data.mdb", path, sizeof(path));
    image_load(path, &image);

    fault = verified_file(path, &verified);
    ok(fault == NULL, "the ledger: %s", fault ? fault : "");

    image.entries = audit_ledger(&f);
    is_int(verified.entries, image.entries, "its entries");
    memcpy(image.seal, verified.seal, STOCKCERT_SEAL_LEN);

    flip_all(&f, &image);

    free(image.bytes);
    fixture_end();

    return tap_done();
}


/*
 * Changes all of the meta pages, the headers of all others, the records of
 * free pages, and then bytes anywhere.
 */

static void
flip_all(const fixture_t *f, const image_t *image)
{
    size_t       at, n;
    time_t       end;
    count_t      count;
    unsigned     seed;
    const char  *soak, *given;

    memset(&count, 0, sizeof(count_t));

    given = getenv("STOCKCERT_SEED");
    seed = given ? (unsigned) strtoul(given, NULL, 10) : (unsigned) time(NULL);
    srandom(seed);

    /* at once, as what comes may crash */

    fprintf(stderr, "# STOCKCERT_SEED=%u\n", seed);

    for (at = 0; at < image->size; at++) {

        if (at % IMAGE_PAGE < (at < 2 * IMAGE_PAGE ? META : HEADER)) {
            flip(f, image, at, image->bytes[at] ^ (1 + random() % 255), &count);
        }
    }

    flip_free(f, image, 0, &count);
    flip_free(f, image, IMAGE_PAGE, &count);

    soak = getenv("STOCKCERT_SOAK");
    end = time(NULL) + (soak ? 60 * atoi(soak) : 0);

    for (n = 0; n < FLIPS || time(NULL) < end; n++) {
        at = (size_t) random() % image->size;
        flip(f, image, at, image->bytes[at] ^ (1 + random() % 255), &count);
    }

    is_int(count.wrong, 0, "what is not found means nothing");

    fprintf(stderr, "# %zu bytes changed in a file of %zu: %zu found, %zu mean "
            "nothing\n", count.found + count.nothing, image->size, count.found,
            count.nothing);
    ok(count.found > 0 && count.nothing > 0,
       "some are found, some mean nothing");
}


/* the records of free pages, which are in one page: less, more and anything */

static void
flip_free(const fixture_t *f, const image_t *image, size_t meta,
    count_t *count)
{
    size_t    at, page;
    uint64_t  root;
    uint16_t  upper;

    memcpy(&root, image->bytes + meta + 80, sizeof(root));

    page = (size_t) root * IMAGE_PAGE;

    memcpy(&upper, image->bytes + page + 14, sizeof(upper));

    for (at = page + upper; at < page + IMAGE_PAGE; at++) {

        if (image->bytes[at]) {
            flip(f, image, at, 0, count);
        }

        flip(f, image, at, image->bytes[at] - 1, count);
        flip(f, image, at, image->bytes[at] + 1, count);
        flip(f, image, at, image->bytes[at] ^ (1 + random() % 255), count);
    }
}


static void
flip(const fixture_t *f, const image_t *image, size_t at, uint8_t byte,
    count_t *count)
{
    char                   path[320];
    const char            *why;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    fixture_file(f, "data.mdb", path, sizeof(path));
    image_put(path, &byte, 1, (off_t) at);

    if (verified_file(path, &verified) != NULL) {
        image_put(path, &image->bytes[at], 1, (off_t) at);
        count->found++;
        return;
    }

    count->nothing++;
    why = try(f, image);

    if (why != NULL) {
        count->wrong++;
        printf("# byte %zu of page %zu, %#x for %#x: %s\n", at % IMAGE_PAGE,
               at / IMAGE_PAGE, byte, image->bytes[at], why);
    }

    image_put(path, image->bytes, image->size, 0);

    if (truncate(path, (off_t) image->size) == -1) {
        tap_bail_out("cannot truncate %s", path);
    }
}


/* runs in another process, which an assertion of LMDB may end */

static const char *
try(const fixture_t *f, const image_t *image)
{
    int          status;
    pid_t        pid;
    const char  *why;

    fflush(NULL);
    pid = fork();

    if (pid == 0) {
        alarm(60);
        why = means_nothing(f, image);

        if (why) {
            printf("# %s\n", why);
        }

        fflush(stdout);
        _exit(why != NULL);
    }

    if (pid == -1 || waitpid(pid, &status, 0) != pid) {
        tap_bail_out("cannot fork");
    }

    if (WIFSIGNALED(status)) {
        return "it crashes or hangs";
    }

    return WEXITSTATUS(status) ? "it means something" : NULL;
}


/* some commits, and what posts all of it: that writes to all databases */

static const char *
does_write(stockcert_ledger_t *ledger)
{
    size_t             i;
    stockcert_slot_t   slots[COMMITS];
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    for (i = 0; i < COMMITS; i++) {
        fixture_slot(&slots[i], "PS", "Jane Doe", 1);
        slots[i].grant.key_len = 3;
        memcpy(slots[i].grant.key, "new", 2);
        slots[i].grant.key[2] = (char) (' ' + i);
    }

    for (i = 0; i < COMMITS; i++) {
        if (fixture_issue(ledger, slots + i, 1) != STOCKCERT_OK
            || slots[i].outcome.status != STOCKCERT_ISSUED)
        {
            return "it cannot be written";
        }
    }

    fixture_cancel(&entry, "PS", 1, 1);

    if (fixture_enter(ledger, &entry, &error) != STOCKCERT_OK) {
        return "nothing can be entered";
    }

    return NULL;
}


/* the same ledger is there, and can be written: NULL, or what is not so */

static const char *
means_nothing(const fixture_t *f, const image_t *image)
{
    char                   path[320];
    const char            *fault;
    stockcert_ledger_t    *ledger;
    stockcert_entry_t      last;
    stockcert_error_t      error;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));
    verified.expected = (uint64_t) image->entries;

    fixture_file(f, "data.mdb", path, sizeof(path));

    if (audit_ledger(f) != image->entries) {
        return "LMDB reads another ledger";
    }

    ledger = fixture_open(f);

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK
        || stockcert_ledger_last(ledger, &last, &error) != STOCKCERT_OK
        || memcmp(last.seal, image->seal, STOCKCERT_SEAL_LEN) != 0)
    {
        return "another last seal";
    }

    stockcert_ledger_release(ledger);

    fault = does_write(ledger);
    if (fault) {
        return fault;
    }

    stockcert_ledger_close(ledger);

    fault = verified_file(path, &verified);

    if (fault) {
        printf("# %s\n", fault);
        return "damaged by what was written";
    }

    return memcmp(verified.found, image->seal, STOCKCERT_SEAL_LEN) == 0
           && audit_ledger(f) == image->entries + COMMITS + 1
           ? NULL : "another ledger after writing";
}
