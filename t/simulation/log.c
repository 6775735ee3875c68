
/*
 * What is in the journal for good: all entries that the engine ever took, and
 * whether each of them may be there.
 */


#include "world.h"


#define ENTRIES  20000


static char     keys[ASKS];                    /* are in the log */
static uint64_t shares[ENTRIES];               /* of an entry that issues */
static uint64_t authorized[CLASSES];
static uint64_t issued_at[CLASSES][ENTRIES];   /* position, by number */


void
log_begin(void)
{
    if (world.log == NULL) {
        world.log = calloc(ENTRIES, sizeof(record_t));
        world.claims = calloc(ENTRIES, sizeof(uint64_t));
    }

    world.len = 0;
    memset(keys, 0, sizeof(keys));
}


void
log_end(void)
{
    uint64_t  i;

    for (i = 0; i < world.len; i++) {
        free(world.log[i].bytes);
        world.claims[i] = 0;
    }

    world.len = 0;
}


static unsigned
log_ask(const stockcert_str_t *name, char first)
{
    size_t    i;
    unsigned  n;

    if (name->len < 2 || name->data[0] != first) {
        return 0;
    }

    for (n = 0, i = 1; i < name->len; i++) {
        n = 10 * n + (unsigned) (name->data[i] - '0');
    }

    return n + 1;
}


static int
log_class(const stockcert_str_t *code)
{
    int  i;

    for (i = 0; i < CLASSES; i++) {
        if (code->len == 2 && memcmp(code->data, class_codes[i], 2) == 0) {
            return i;
        }
    }

    fail("class %.*s", (int) code->len, code->data);
}


/* the class's counters after it */

static void
log_count(record_t *record, const stockcert_entry_t *entry, uint64_t position)
{
    int  c;

    c = record->class;

    switch (entry->kind) {

    case STOCKCERT_CLASS_OPENED:

        if (record->left[c] != -1) {
            fail("entry %" PRIu64 " opens %s again", position, class_codes[c]);
        }

        authorized[c] = entry->shares;
        record->left[c] = (int64_t) entry->shares;
        break;

    case STOCKCERT_CLASS_AMENDED:
        record->left[c] += (int64_t) (entry->shares - authorized[c]);
        authorized[c] = entry->shares;

        if (record->left[c] < 0) {
            fail("entry %" PRIu64 " authorizes less than is out", position);
        }

        break;

    case STOCKCERT_CERTIFICATE_ISSUED:

        if (entry->number != record->last[c] + 1) {
            fail("entry %" PRIu64 " is %s-%" PRIu64 " after %s-%" PRIu64,
                 position, class_codes[c], entry->number, class_codes[c],
                 record->last[c]);
        }

        record->last[c]++;
        record->left[c] -= (int64_t) entry->shares;
        shares[position] = entry->shares;
        issued_at[c][entry->number] = position;

        if (record->left[c] < 0) {
            fail("entry %" PRIu64 " issues more than is authorized", position);
        }

        break;

    case STOCKCERT_CERTIFICATE_SURRENDERED:

        if (entry->number == 0 || entry->number > record->last[c]
            || issued_at[c][entry->number] == 0)
        {
            fail("entry %" PRIu64 " surrenders what is not there", position);
        }

        record->surrendered = entry->number;
        record->left[c] += (int64_t) shares[issued_at[c][entry->number]];
        world.log[issued_at[c][entry->number] - 1].gone = position;
        issued_at[c][entry->number] = 0;
        break;

    default:
        fail("entry %" PRIu64 " is of kind %d", position, entry->kind);
    }
}


static void
log_put(const uint8_t *p, size_t len)
{
    int                 c;
    unsigned            key;
    record_t           *record, *last;
    stockcert_entry_t   entry;

    if (world.len == ENTRIES - 1) {
        fail("too many entries");
    }

    last = world.len ? &world.log[world.len - 1] : NULL;
    record = &world.log[world.len++];

    memset(record, 0, sizeof(record_t));

    record->len = len;
    record->bytes = malloc(len);
    record->seal = record->bytes + len - STOCKCERT_SEAL_LEN;
    memcpy(record->bytes, p, len);

    if (stockcert_entry_decode(record->bytes, len, &entry) != 0) {
        fail("entry %" PRIu64 " is not readable", world.len);
    }

    for (c = 0; c < CLASSES; c++) {
        record->left[c] = last ? last->left[c] : -1;
        record->last[c] = last ? last->last[c] : 0;
    }

    record->kind = entry.kind;
    record->class = log_class(&entry.code);
    record->number = entry.number;

    /* a balance is its old holder's, who did not ask for it */

    if (entry.member <= 1) {
        record->ask = log_ask(entry.reference.len ? &entry.reference
                                                  : &entry.name, 'A');
    }

    log_count(record, &entry, world.len);

    key = log_ask(&entry.key, 'K');

    if (key && keys[key - 1]) {
        fail("entry %" PRIu64 " has key K%u, as another one", world.len,
             key - 1);
    }

    if (key) {
        keys[key - 1] = 1;
    }
}


void
log_add(const stockcert_batch_t *batch)
{
    int             more;
    size_t          offset, len;
    const uint8_t  *p;

    if (batch->first != world.len + 1) {
        fail("a batch begins with entry %" PRIu64 " after entry %" PRIu64,
             batch->first, world.len);
    }

    if (batch->len > STOCKCERT_BATCH_MAX) {
        fail("a batch of %zu bytes", batch->len);
    }

    offset = 0;

    while ((more = stockcert_batch_next(batch, &offset, &p, &len)) == 1) {
        seen(SEEN_ENTRIES);
        log_put(p, len);
    }

    if (more != 0) {
        fail("a batch is not readable");
    }
}


/*
 * Whether a class had at most so many shares left at a time since the journal
 * had a length; -1: it was not there.
 */

int
log_was(uint64_t since, int class, int64_t most)
{
    uint64_t  n;

    for (n = since; n <= world.len; n++) {
        if ((n ? world.log[n - 1].left[class] : -1) <= most) {
            return 1;
        }
    }

    return 0;
}


/* whether it had no such certificate at a time since then */

int
log_lacked(uint64_t since, int class, uint64_t number)
{
    return (since ? world.log[since - 1].last[class] : 0) < number;
}
