
/*
 * The engine that keeps the journal for all machines, as etcd does: batches, a
 * head, transactions that it guards.  It trims, and can be restored to an older
 * state.
 */


#include "world.h"


#define BATCHES    4096
#define SNAPSHOTS  8
#define HEADS      16


typedef struct {
    uint64_t               first;
    uint64_t               last;
    size_t                 len;
    uint8_t               *data;
} stored_t;


typedef struct {
    uint64_t               revision;
    stockcert_head_t       head;
    size_t                 nbatches;
} snapshot_t;


static uint64_t            revision;
static stockcert_head_t    current;
static stockcert_head_t    heads[HEADS];       /* older ones, by turns */
static uint64_t            nheads;
static stored_t            batches[BATCHES];
static size_t              nbatches;
static size_t              ntrimmed;
static snapshot_t          snapshots[SNAPSHOTS];
static size_t              nsnapshots;
static stockcert_header_t  header;


void
engine_begin(void)
{
    size_t               len;
    uint8_t              bytes[STOCKCERT_HEADER_MAX];
    stockcert_sealer_t  *sealer;

    header.format = STOCKCERT_FORMAT;
    header.created = 1700000000000000;
    header.company.data = "Impossible Cuts Inc.";
    header.company.len = strlen(header.company.data);

    revision = 1 + chance(5);
    nbatches = 0;
    ntrimmed = 0;
    nsnapshots = 0;

    memset(&current, 0, sizeof(stockcert_head_t));
    nheads = 0;
    current.revision = revision;

    len = stockcert_header_encode(&header, bytes);
    sealer = stockcert_sealer_create();

    if (stockcert_seal(sealer, NULL, bytes, len, current.tail.seal) != 0) {
        fail("no seal");
    }

    stockcert_sealer_destroy(sealer);
}


void
engine_end(void)
{
    size_t  i;

    for (i = 0; i < nbatches; i++) {
        free(batches[i].data);
    }
}


const stockcert_header_t *
engine_header(void)
{
    return &header;
}


const stockcert_head_t *
engine_head(void)
{
    return &current;
}


/* the oldest one that is kept, of this revision at least */

const stockcert_head_t *
engine_before(uint64_t least)
{
    uint64_t  n;

    for (n = nheads > HEADS ? nheads - HEADS : 0; n < nheads; n++) {
        if (heads[n % HEADS].revision >= least) {
            return &heads[n % HEADS];
        }
    }

    return &current;
}


/* a copy of the batch that has an entry, for free(); 0 if there is none */

int
engine_find(uint64_t position, stockcert_batch_t *batch)
{
    size_t     i;
    uint8_t   *data;
    stored_t  *stored;

    for (i = ntrimmed; i < nbatches; i++) {
        stored = &batches[i];

        if (stored->first <= position && position <= stored->last) {
            data = malloc(stored->len);
            memcpy(data, stored->data, stored->len);

            batch->first = stored->first;
            batch->len = stored->len;
            batch->data = data;

            return 1;
        }
    }

    return 0;
}


/* keeps a batch; what is known of it is in the log */

static void
engine_store(const stockcert_batch_t *batch, uint64_t last)
{
    stored_t  *stored;

    if (nbatches == BATCHES) {
        fail("too many batches");
    }

    stored = &batches[nbatches++];
    stored->first = batch->first;
    stored->last = last;
    stored->len = batch->len;
    stored->data = malloc(batch->len);
    memcpy(stored->data, batch->data, batch->len);
}


static int
engine_guards(const stockcert_head_t *guard)
{
    if (without_guard) {
        return 1;
    }

    /* then a fence keeps nobody out */

    return without_fence ? stockcert_tail_same(&guard->tail, &current.tail)
                         : stockcert_head_same(guard, &current);
}


/* both or nothing; sets next->revision */

stockcert_rc_e
engine_apply(const stockcert_head_t *guard, const stockcert_batch_t *batch,
    stockcert_head_t *next)
{
    if (!engine_guards(guard)) {
        trace("engine: guard %" PRIu64 ", head %" PRIu64 ": refused",
              guard->revision, current.revision);
        return STOCKCERT_CHANGED;
    }

    if (batch == NULL) {
        seen(SEEN_FENCES);

    } else {
        seen(SEEN_BATCHES);

        if (world.restored) {
            fail("something is issued after the engine was restored");
        }

        log_add(batch);
        engine_store(batch, next->tail.position);
    }

    next->revision = ++revision;
    heads[nheads++ % HEADS] = current;
    current = *next;

    trace("engine: %s %" PRIu64 ", entry %" PRIu64, batch ? "head" : "fence",
          current.revision, current.tail.position);

    return STOCKCERT_OK;
}


/* batches that lie wholly below a position; returns the last entry that went */

uint64_t
engine_trim(uint64_t position)
{
    size_t  n;

    n = ntrimmed;

    while (ntrimmed < nbatches && batches[ntrimmed].last < position) {
        ntrimmed++;
    }

    if (ntrimmed == n) {
        return 0;
    }

    revision++;
    seen(SEEN_TRIMMED);
    trace("engine: trimmed up to entry %" PRIu64, batches[ntrimmed - 1].last);

    return batches[ntrimmed - 1].last;
}


void
engine_snapshot(void)
{
    snapshot_t  *s;

    s = &snapshots[nsnapshots++ % SNAPSHOTS];

    s->revision = revision;
    s->head = current;
    s->nbatches = nbatches;
}


/* 0 if there is no older state; what is in flight is of the old engine */

int
engine_restore(void)
{
    size_t       i;
    snapshot_t  *s;

    i = chance(nsnapshots < SNAPSHOTS ? nsnapshots + 1 : SNAPSHOTS);
    s = &snapshots[i];

    if (i >= nsnapshots || s->nbatches == nbatches) {
        return 0;
    }

    seen(SEEN_RESTORED);
    world.restored = 1;

    while (nbatches > s->nbatches) {
        free(batches[--nbatches].data);
    }

    ntrimmed = ntrimmed < nbatches ? ntrimmed : nbatches;
    current = s->head;
    nheads = 0;
    revision = s->revision;

    trace("engine: restored to revision %" PRIu64 ", entry %" PRIu64,
          revision, current.tail.position);

    return 1;
}


/* as "stockcert replicate" does from the machine with the longest journal */

void
engine_heal(void)
{
    size_t              len;
    uint64_t            n;
    uint8_t            *p;
    stockcert_batch_t   batch;

    len = 0;

    for (n = current.tail.position; n < world.len; n++) {
        len += 2 + world.log[n].len;
    }

    batch.first = current.tail.position + 1;
    batch.len = len;
    batch.data = p = malloc(len);

    for (n = current.tail.position; n < world.len; n++) {
        p = stockcert_batch_put(p, world.log[n].bytes, world.log[n].len);
    }

    engine_store(&batch, world.len);
    free((void *) batch.data);

    world.restored = 0;

    revision += 1000;
    current.revision = revision;
    current.epoch += 1000;
    current.tail.position = world.len;
    memcpy(current.tail.seal, world.log[world.len - 1].seal,
           STOCKCERT_SEAL_LEN);

    nheads = 0;
}
