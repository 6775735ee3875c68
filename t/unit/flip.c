
/*
 * Bytes of a ledger's file are changed, one at a time.  Either "stockcert verify"
 * finds it, or it means nothing: LMDB reads the same ledger, and goes on writing
 * it.  The latter is tried on some of them, and with STOCKCERT_SOAK=minutes, for
 * so long, on all.
 */


#include "audit.h"
#include "verified.h"


#define PAGE    4096
#define META    160     /* bytes of a meta page that are used, and some */
#define HEADER  16
#define FLIPS   20000
#define TRIED   100


typedef struct {
    size_t     size;
    uint8_t   *bytes;
    int64_t    entries;
    uint8_t    seal[STOCKCERT_SEAL_LEN];
} image_t;


typedef struct {
    size_t     found;
    size_t     nothing;
    size_t     tried;          /* of those */
    size_t     wrong;          /* of those */
} count_t;


static void make_ledger(const fixture_t *f);
static void load(const char *path, image_t *image);
static void flip_all(const fixture_t *f, const image_t *image);
static void flip(const fixture_t *f, const image_t *image, size_t at,
    int tried, count_t *count);
static const char *means_nothing(const fixture_t *f, const image_t *image);
static void put(const char *path, const void *bytes, size_t len, off_t at);


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
    make_ledger(&f);
    fixture_file(&f, "data.mdb", path, sizeof(path));
    load(path, &image);

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


/* pages of all sorts: branches, leaves, overflow pages, free ones */

static void
make_ledger(const fixture_t *f)
{
    size_t               i, n;
    stockcert_slot_t     slots[40];
    stockcert_entry_t    entry;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    ledger = fixture_open(f);

    for (n = 0; n < 12; n++) {

        for (i = 0; i < 40; i++) {
            fixture_slot(&slots[i], i % 3 ? "CS" : "PS", "Salt Bae", 1 + i);

            if (n < 9) {
                slots[i].grant.key_len = 2;
                slots[i].grant.key[0] = (char) (' ' + i);
                slots[i].grant.key[1] = (char) (' ' + n);
            }
        }

        if (fixture_issue(ledger, slots, n == 11 ? 1 : 40) != STOCKCERT_OK) {
            tap_bail_out("cannot issue");
        }

        memset(&entry, 0, sizeof(stockcert_entry_t));

        entry.kind = n % 2 ? STOCKCERT_CLASS_AMENDED
                           : STOCKCERT_CERTIFICATE_CANCELLED;
        entry.code = fixture_str("CS");
        entry.number = n % 2 ? 0 : n + 1;
        entry.shares = n % 2 ? 2600000 + n : 0;
        entry.text = fixture_str("a reason");

        if (fixture_enter(ledger, &entry, &error) != STOCKCERT_OK) {
            tap_bail_out("cannot enter: %s", error.text);
        }
    }

    stockcert_ledger_close(ledger);
}


static void
load(const char *path, image_t *image)
{
    FILE         *file;
    struct stat   st;

    file = fopen(path, "r");

    if (file == NULL || fstat(fileno(file), &st) == -1) {
        tap_bail_out("cannot open %s", path);
    }

    image->size = (size_t) st.st_size;
    image->bytes = malloc(image->size);

    if (image->bytes == NULL
        || fread(image->bytes, 1, image->size, file) != image->size)
    {
        tap_bail_out("cannot read %s", path);
    }

    fclose(file);
}


/* all of the meta pages, the headers of all others, and then anywhere */

static void
flip_all(const fixture_t *f, const image_t *image)
{
    size_t       at, n;
    time_t       end;
    count_t      count;
    const char  *soak;

    memset(&count, 0, sizeof(count_t));

    srandom((unsigned) time(NULL));

    for (at = 0; at < image->size; at++) {

        if (at % PAGE < META && at < 2 * PAGE) {
            flip(f, image, at, 1, &count);

        } else if (at % PAGE < HEADER) {
            flip(f, image, at, TRIED / 10, &count);
        }
    }

    soak = getenv("STOCKCERT_SOAK");
    end = time(NULL) + (soak ? 60 * atoi(soak) : 0);

    for (n = 0; n < FLIPS || time(NULL) < end; n++) {
        at = (size_t) random() % image->size;
        flip(f, image, at, soak ? 1 : TRIED, &count);
    }

    is_int(count.wrong, 0, "what is not found means nothing");

    fprintf(stderr, "# %zu bytes changed in a file of %zu: %zu found, %zu mean "
            "nothing (%zu of them tried)\n", count.found + count.nothing,
            image->size, count.found, count.nothing, count.tried);
    ok(count.found > 0 && count.tried > 0, "some are found, some mean nothing");
}


/* one of so many that are not found is tried */

static void
flip(const fixture_t *f, const image_t *image, size_t at, int tried,
    count_t *count)
{
    char                   path[320];
    uint8_t                bits, byte;
    const char            *why;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    bits = (uint8_t) (1 + random() % 255);
    byte = image->bytes[at] ^ bits;

    fixture_file(f, "data.mdb", path, sizeof(path));
    put(path, &byte, 1, (off_t) at);

    if (verified_file(path, &verified) != NULL) {
        put(path, &image->bytes[at], 1, (off_t) at);
        count->found++;
        return;
    }

    count->nothing++;

    if (random() % tried) {
        put(path, &image->bytes[at], 1, (off_t) at);
        return;
    }

    count->tried++;
    why = means_nothing(f, image);

    if (why != NULL) {
        count->wrong++;
        printf("# byte %zu of page %zu, bits %#x: %s\n", at % PAGE, at / PAGE,
               bits, why);
    }

    put(path, image->bytes, image->size, 0);

    if (truncate(path, (off_t) image->size) == -1) {
        tap_bail_out("cannot truncate %s", path);
    }
}


/* the same ledger is there, and can be written: NULL, or what is not so */

static const char *
means_nothing(const fixture_t *f, const image_t *image)
{
    char                   path[320];
    size_t                 i;
    const char            *fault;
    stockcert_slot_t       slots[40];
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

    for (i = 0; i < 40; i++) {
        fixture_slot(&slots[i], "PS", "Jane Doe", 1);
        slots[i].grant.key_len = 3;
        memcpy(slots[i].grant.key, "new", 2);
        slots[i].grant.key[2] = (char) (' ' + i);
    }

    for (i = 0; i < 40; i++) {
        if (fixture_issue(ledger, slots + i, 1) != STOCKCERT_OK
            || slots[i].outcome.status != STOCKCERT_ISSUED)
        {
            return "it cannot be written";
        }
    }

    stockcert_ledger_close(ledger);

    fault = verified_file(path, &verified);

    if (fault) {
        printf("# %s\n", fault);
        return "damaged by what was written";
    }

    return memcmp(verified.found, image->seal, STOCKCERT_SEAL_LEN) == 0
           && audit_ledger(f) == image->entries + 40
           ? NULL : "another ledger after writing";
}


static void
put(const char *path, const void *bytes, size_t len, off_t at)
{
    int  fd;

    fd = open(path, O_WRONLY);

    if (fd == -1 || pwrite(fd, bytes, len, at) != (ssize_t) len
        || close(fd) == -1)
    {
        tap_bail_out("cannot write %s", path);
    }
}
