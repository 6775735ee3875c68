
/*
 * Builds disk images as a power cut could have left them at any event of a
 * recording, and checks each: it opens as a ledger, or is none yet and nobody
 * was told of a certificate; it has what any answer told that was sent by then;
 * it keeps the invariants (audit.h), also when it goes on issuing.
 *
 *     images RECORDING LEDGER COUNT SEED
 *
 * LEDGER is the directory as the recording left it.  What fails is repeated by
 * the same recording, count and seed.
 */


#include "audit.h"
#include "stockcert_format.h"
#include "disk.h"

#include <jansson.h>
#include <sys/wait.h>


#define BATCH   100      /* images of a child: one may crash it */
#define FAULTS  10       /* that are printed */

#define BEGINNING  30    /* events, in which the ledger is made */
#define TOLD       4     /* certificates in an answer, at most */


/*
 * a certificate, as an answer has it; sorted by event.  One that a transaction
 * surrendered has its number, and nothing else is known of it here.
 */

typedef struct {
    size_t       event;
    uint64_t     transaction;
    char         code[STOCKCERT_CODE_MAX + 1];
    uint64_t     number;
    uint64_t     entry;
    uint64_t     amount;
    const char  *name;
    uint8_t      seal[STOCKCERT_SEAL_LEN];
} told_t;


/*
 * of an image: the last event before it, and whether nothing pending is there
 */

typedef struct {
    size_t       event;
    int          none;
} cut_t;


/* shared with the children */

typedef struct {
    size_t       begun;      /* images */
    size_t       faults;
    size_t       torn;
    size_t       less;
    size_t       young;      /* no ledger was there yet */
    size_t       telling;    /* some certificate had been told of by then */
    size_t       found;      /* certificates that were told of */
    char         what[200];  /* the image being checked */
} counts_t;


static recording_t  recording;
static disk_t       disk;
static image_t      image;
static fixture_t    f;
static counts_t    *counts;

static told_t      *told;
static size_t       ntold;
static size_t       ntransactions;

static size_t      *edges;      /* see check_recording() */
static size_t       nedges;
static cut_t       *cuts;


static void read_answers(void);
static void read_transaction(size_t event, json_t *json);
static void read_certificate(size_t event, json_t *json);
static void check_recording(const char *ledger);
static int is_last_pending(void);
static void choose_cuts(size_t n);
static int compare_cuts(const void *one, const void *two);
static void check_images(size_t n, uint64_t seed);
static size_t advance(size_t at, size_t cut);
static void check_image(size_t i, uint64_t seed);
static void put_image(uint64_t *random);
static void put_file(const char *name, const void *bytes, size_t len);
static void check_ledger(size_t cut, uint64_t *random);
static void check_told(stockcert_ledger_t *ledger, size_t cut);
static void go_on(stockcert_ledger_t *ledger, uint64_t *random);
__attribute__((format(printf, 1, 2)))
static void fault(const char *format, ...);


int
main(int argc, char **argv)
{
    size_t    n;
    uint64_t  seed;

    if (argc != 5) {
        tap_bail_out("usage: images RECORDING LEDGER COUNT SEED");
    }

    n = strtoul(argv[3], NULL, 10);
    seed = strtoull(argv[4], NULL, 10);

    fixture_begin();
    alarm(0);
    fixture_make_default(&f, "image");

    counts = mmap(NULL, sizeof(counts_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    disk_read(&recording, argv[1]);
    image.bytes = malloc(recording.end);

    if (counts == MAP_FAILED || image.bytes == NULL) {
        tap_bail_out("no memory");
    }

    read_answers();
    check_recording(argv[2]);
    choose_cuts(n);
    check_images(n, seed);

    printf("# %zu images: %zu without all that was written, %zu of them torn; "
           "%zu without data.mdb; %zu with certificates that were told, %zu "
           "found in all\n", counts->begun, counts->less, counts->torn,
           counts->young, counts->telling, counts->found);

    is_int(counts->begun, n, "all images were checked");
    is_int(counts->faults, 0, "each of them is as it must be");

    fixture_end();

    return tap_done();
}


static void
read_answers(void)
{
    size_t          i, len;
    json_t         *json;
    const char     *text, *body;
    const event_t  *event;

    told = calloc(TOLD * recording.n, sizeof(told_t));

    for (i = 0; i < recording.n; i++) {
        event = &recording.events[i];
        text = (const char *) event->bytes;

        if (event->head.kind != ANSWERED) {
            continue;
        }

        body = memmem(text, event->head.len, "\r\n\r\n", 4);

        if (body == NULL) {
            tap_bail_out("an answer is not sent in one piece");
        }

        len = event->head.len - (size_t) (body + 4 - text);
        json = json_loadb(body + 4, len, 0, NULL);

        if (json_object_get(json, "cert_id") != NULL) {
            read_certificate(i, json);

        } else if (json_object_get(json, "surrendered") != NULL) {
            read_transaction(i, json);

        } else if (memcmp(text, "HTTP/1.1 201", 12) == 0) {
            tap_bail_out("no certificate: %.*s", (int) len, body + 4);
        }

        json_decref(json);
    }
}


static void
read_transaction(size_t event, json_t *json)
{
    size_t            i;
    json_t           *surrendered, *issued, *value;
    json_int_t        transaction;
    stockcert_str_t   code;
    told_t           *t;

    if (json_unpack(json, "{s:I, s:o, s:o}", "transaction", &transaction,
                    "surrendered", &surrendered, "issued", &issued)
        != 0
        || json_array_size(surrendered) + json_array_size(issued) > TOLD)
    {
        tap_bail_out("an answer is not a transaction");
    }

    json_array_foreach(surrendered, i, value) {
        t = &told[ntold++];

        if (stockcert_parse_id(json_string_value(value),
                               json_string_length(value), &code, &t->number)
            != 0)
        {
            tap_bail_out("an answer has no certificate");
        }

        t->event = event;
        t->transaction = (uint64_t) transaction;
        memcpy(t->code, code.data, code.len);
    }

    json_array_foreach(issued, i, value) {
        read_certificate(event, value);
    }

    ntransactions++;
}


static void
read_certificate(size_t event, json_t *json)
{
    size_t        i;
    told_t       *t;
    json_int_t    number, entry, amount;
    const char   *code, *name, *seal;
    unsigned int  byte;

    t = &told[ntold++];

    if (json_unpack(json, "{s:s, s:I, s:I, s:I, s:s, s:s}", "class", &code,
                    "number", &number, "entry", &entry, "amount", &amount,
                    "stakeholder", &name, "seal", &seal)
        != 0
        || strlen(code) > STOCKCERT_CODE_MAX
        || strlen(seal) != 2 * STOCKCERT_SEAL_LEN)
    {
        tap_bail_out("an answer is not a certificate");
    }

    t->event = event;
    t->number = (uint64_t) number;
    t->entry = (uint64_t) entry;
    t->amount = (uint64_t) amount;
    t->name = strdup(name);
    strcpy(t->code, code);

    for (i = 0; i < STOCKCERT_SEAL_LEN; i++) {
        sscanf(seal + 2 * i, "%2x", &byte);
        t->seal[i] = (uint8_t) byte;
    }
}


/*
 * That nothing is missing in it, and that it is worth the trouble.  Finds the
 * edges: the last events before a transaction is on disk.  What was told up to
 * there must be there without it.
 */

static void
check_recording(const char *ledger)
{
    char            path[1024];
    FILE           *file;
    size_t          i, n, writes, again, commits, flushes, straddle;
    uint64_t        random;
    uint8_t        *bytes;
    const head_t   *head;

    writes = again = commits = flushes = straddle = 0;
    disk_begin(&disk, &recording);
    edges = calloc(recording.n, sizeof(size_t));

    for (i = 0; i < recording.n; i++) {
        head = &recording.events[i].head;

        writes += head->kind == WRITTEN;
        again += head->kind == WRITTEN && head->offset < disk.written;
        flushes += head->kind == FLUSHED;

        if (head->kind == WRITE_FLUSHED
            || (head->kind == FLUSHED && is_last_pending()))
        {
            edges[nedges++] = i - 1;
        }

        disk_apply(&disk, i);

        if (head->kind == WRITE_FLUSHED) {
            commits++;
            head = &recording.events[disk_thread(&disk, head->thread)->written
                                     - 1].head;
            straddle += head->offset / SECTOR
                        != (head->offset + head->len - 1) / SECTOR;
        }
    }

    random = 0;
    disk_cut(&disk, &image, ALL, &random);

    snprintf(path, sizeof(path), "%s/%s", ledger, image.name);

    bytes = malloc(image.size + 1);
    file = fopen(path, "r");
    n = file && bytes ? fread(bytes, 1, image.size + 1, file) : 0;

    ok(n == image.size && memcmp(bytes, image.bytes, n) == 0,
       "the recording gives the file as it is, byte for byte");
    is_int(straddle, 0, "LMDB's last writes are within a sector each");
    ok(again > commits + 100, "and others use pages again");
    ok(recording.n > 100 * BEGINNING, "it is long enough");

    printf("# recorded: %zu commits, %zu flushes of all, %zu writes (%zu of "
           "them over others) to a file of %zu KB, %zu certificates told, %zu transactions\n",
           commits, flushes, writes, again, n / 1024, ntold,
           ntransactions);

    free(bytes);
    free(disk.bytes);

    if (file) {
        fclose(file);
    }
}


/* a process was killed, or LMDB does not flush: its last write is pending */

static int
is_last_pending(void)
{
    size_t         i;
    const head_t  *head;

    for (i = 0; i < disk.npending; i++) {
        head = &recording.events[disk.pending[i].event].head;

        if (head->len < SECTOR && !disk.pending[i].flushed) {
            return 1;
        }
    }

    return 0;
}


/* a tenth is where the ledger is made, up to a third at edges, the rest even */

static void
choose_cuts(size_t n)
{
    size_t  i, beginning, at_edges, rest;

    beginning = n / 10;
    at_edges = nedges < n / 3 ? nedges : n / 3;
    rest = n - beginning - at_edges;

    cuts = calloc(n, sizeof(cut_t));

    for (i = 0; i < n; i++) {
        if (i < beginning) {
            cuts[i].event = i * BEGINNING / beginning;

        } else if (i < beginning + at_edges) {
            cuts[i].event = edges[(i - beginning) * nedges / at_edges];
            cuts[i].none = 1;

        } else {
            cuts[i].event = (i - beginning - at_edges) * recording.n / rest;
        }
    }

    qsort(cuts, n, sizeof(cut_t), compare_cuts);
}


static int
compare_cuts(const void *one, const void *two)
{
    const cut_t  *a = one, *b = two;

    return a->event < b->event ? -1 : a->event > b->event;
}


/*
 * From the first cut to the last.  A child has the images of a stretch; if one
 * of them kills it, another has the rest.
 */

static void
check_images(size_t n, uint64_t seed)
{
    int     status;
    pid_t   pid;
    size_t  at, i;

    disk_begin(&disk, &recording);

    at = 0;

    while (counts->begun < n) {

        fflush(stdout);

        pid = fork();

        if (pid == 0) {
            alarm(FIXTURE_SECONDS);

            for (i = 0; i < BATCH && counts->begun < n; i++) {
                at = advance(at, cuts[counts->begun].event);
                check_image(counts->begun++, seed);
            }

            fflush(stdout);
            _exit(0);
        }

        if (pid == -1 || waitpid(pid, &status, 0) == -1) {
            tap_bail_out("no child");
        }

        if (status != 0) {
            fault("it ends the program, status %d", status);
        }

        at = advance(at, cuts[counts->begun - 1].event);
    }
}


static size_t
advance(size_t at, size_t cut)
{
    while (at <= cut) {
        disk_apply(&disk, at++);
    }

    return at;
}


static void
check_image(size_t i, uint64_t seed)
{
    size_t    before, cut;
    uint64_t  random;
    choice_e  choice;

    static const char  *choices[] = {
        "none", "all", "some writes", "one write", "all but one write",
        "half the sectors", "few sectors", "most sectors"
    };

    cut = cuts[i].event;
    random = seed * 1000003 + i;
    choice = (choice_e) disk_random(&random, CHOICES);

    disk_cut(&disk, &image, cuts[i].none ? NONE : choice, &random);
    put_image(&random);

    snprintf(counts->what, sizeof(counts->what), "image %zu, cut after event "
             "%zu of %zu, %s of %zu writes, %zu bytes of \"%s\"", i, cut + 1,
             recording.n, choices[image.choice], disk.npending, image.size,
             image.name);

    before = counts->faults;
    check_ledger(cut, &random);

    if (counts->faults == before) {
        counts->less += image.less;
        counts->torn += image.torn;
        counts->young += strcmp(image.name, "data.mdb") != 0;
    }
}


static void
put_image(uint64_t *random)
{
    char  path[320];

    fixture_file(&f, "data.mdb", path, sizeof(path));
    unlink(path);
    fixture_file(&f, "data.mdb.new", path, sizeof(path));
    unlink(path);

    if (image.name[0] != '\0') {
        put_file(image.name, image.bytes, image.size);
    }

    /* the locks: none, those of the image before, or anything */

    switch (disk_random(random, 4)) {

    case 0:
        fixture_file(&f, "lock.mdb", path, sizeof(path));
        unlink(path);
        break;

    case 1:
        put_file("lock.mdb", recording.events[recording.n / 2].bytes,
                 disk_random(random, 100000));
        break;
    }
}


static void
put_file(const char *name, const void *bytes, size_t len)
{
    int   fd;
    char  path[320];

    fixture_file(&f, name, path, sizeof(path));

    fd = open(path, O_WRONLY|O_CREAT|O_TRUNC, 0600);

    if (fd == -1 || write(fd, bytes, len) != (ssize_t) len || close(fd) == -1) {
        tap_bail_out("cannot write %s", path);
    }
}


static void
check_ledger(size_t cut, uint64_t *random)
{
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    if (stockcert_ledger_open(&f.conf, &ledger, &error) != STOCKCERT_OK) {
        fault("not opened: %s", error.text);
        return;
    }

    check_told(ledger, cut);

    counts->telling += ntold && told[0].event <= cut;

    if (disk_random(random, 4) == 0) {
        go_on(ledger, random);
        check_told(ledger, cut);
    }

    stockcert_ledger_close(ledger);

    if (audit_ledger(&f) == -1) {
        fault("the audit fails");
    }
}


static void
check_told(stockcert_ledger_t *ledger, size_t cut)
{
    size_t                    i;
    const told_t             *t;
    stockcert_error_t         error;
    stockcert_certificate_t   certificate;
    const stockcert_entry_t  *issued;

    issued = &certificate.issued;

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK) {
        fault("no snapshot: %s", error.text);
        return;
    }

    for (i = 0; i < ntold && told[i].event <= cut; i++) {
        t = &told[i];

        if (stockcert_ledger_certificate(ledger, t->code, strlen(t->code),
                                         t->number, &certificate, &error)
            != STOCKCERT_OK)
        {
            fault("%s-%" PRIu64 " was told, and is not there", t->code,
                  t->number);
            break;
        }

        if (t->transaction) {

            if (certificate.surrender.transaction != t->transaction) {
                fault("%s-%" PRIu64 " was told surrendered", t->code,
                      t->number);
                break;
            }

            continue;
        }

        if (issued->position != t->entry || issued->shares != t->amount
            || issued->name.len != strlen(t->name)
            || memcmp(issued->name.data, t->name, issued->name.len) != 0
            || memcmp(issued->seal, t->seal, STOCKCERT_SEAL_LEN) != 0)
        {
            fault("%s-%" PRIu64 " was told otherwise", t->code, t->number);
            break;
        }
    }

    stockcert_ledger_release(ledger);

    counts->found += i;
}


/* some commits, to use pages again that are free in the image */

static void
go_on(stockcert_ledger_t *ledger, uint64_t *random)
{
    int               i, j;
    char              name[STOCKCERT_TEXT_MAX + 1];
    stockcert_slot_t  slots[8];

    for (i = 0; i < 3; i++) {
        for (j = 0; j < 8; j++) {
            memset(name, 'a' + j, sizeof(name));
            name[1 + disk_random(random, STOCKCERT_TEXT_MAX)] = '\0';
            fixture_slot(&slots[j], j % 2 ? "CS" : "PS", name, 1);
        }

        if (fixture_issue(ledger, slots, 8) != STOCKCERT_OK) {
            fault("it does not go on");
        }
    }
}


static void
fault(const char *format, ...)
{
    va_list  args;

    if (counts->faults++ == FAULTS) {
        printf("# and so on\n");
    }

    if (counts->faults > FAULTS) {
        return;
    }

    printf("# %s: ", counts->what);

    va_start(args, format);
    vprintf(format, args);
    va_end(args);

    printf("\n");
}
