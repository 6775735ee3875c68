
/*
 * Transactions: all of what one does is done, or nothing, and only if the head
 * is the one that the caller saw.
 *
 * Two answers decide: that it succeeded, and that the guard failed.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "stockcert_etcd_int.h"


/* batches that are removed in one transaction */

#define STOCKCERT_ETCD_REMOVE  1000

/*
 * Who puts a whole journal names itself in this key, and all that it does then
 * needs that name there.  Of two at once, the first one fails.
 */

#define STOCKCERT_ETCD_CLAIM   "replicating"

/* that an append reads if its guard fails */

#define STOCKCERT_ETCD_RANGES  2

/*
 * Entries between two looks for what can be removed.  No more batches come in
 * between than one look removes, and so etcd does not grow.
 */

#define STOCKCERT_ETCD_TRIM    1000


static void stockcert_etcd_transaction(stockcert_etcd_t *etcd,
    const stockcert_head_t *guard, const char *absent, uint64_t claim);
static void stockcert_etcd_remove(stockcert_etcd_t *etcd, uint64_t from,
    uint64_t to);
static stockcert_rc_e stockcert_etcd_commit(stockcert_etcd_t *etcd,
    size_t puts, size_t ranges, stockcert_error_t *error);
static void stockcert_etcd_append_request(stockcert_etcd_t *etcd,
    const stockcert_head_t *guard, const stockcert_batch_t *batch,
    const stockcert_head_t *next, uint64_t trim, size_t *turns, size_t *asks);
static stockcert_rc_e stockcert_etcd_lost(stockcert_etcd_t *etcd,
    stockcert_head_t *next, stockcert_error_t *error);
static uint64_t stockcert_etcd_trim(stockcert_etcd_t *etcd,
    const stockcert_head_t *guard, const stockcert_head_t *next);
static stockcert_rc_e stockcert_etcd_last(stockcert_etcd_t *etcd, uint64_t from,
    uint64_t to, uint64_t *last, int *more, stockcert_error_t *error);


/*
 * Begins one: what is done if the guard holds comes next.  A key must not be
 * there, too, if absent is not NULL, and a claim must be, if it is not 0.
 */

static void
stockcert_etcd_transaction(stockcert_etcd_t *etcd,
    const stockcert_head_t *guard, const char *absent, uint64_t claim)
{
    stockcert_etcd_buf_t  *buf;

    buf = &etcd->request;
    buf->len = 0;
    buf->failed = 0;

    stockcert_etcd_text(buf, "{\"compare\":[");
    stockcert_etcd_guard(buf, etcd->prefix, guard);

    if (absent != NULL) {
        stockcert_etcd_text(buf, ",");
        stockcert_etcd_absent(buf, etcd->prefix, absent);
    }

    if (claim) {
        stockcert_etcd_text(buf, ",");
        stockcert_etcd_equals(buf, etcd->prefix, STOCKCERT_ETCD_CLAIM, &claim,
                              sizeof(uint64_t));
    }

    stockcert_etcd_text(buf, "],\"success\":[");
}


static void
stockcert_etcd_remove(stockcert_etcd_t *etcd, uint64_t from, uint64_t to)
{
    stockcert_etcd_text(&etcd->request, "{\"request_delete_range\":");
    stockcert_etcd_range_batches(&etcd->request, etcd->prefix, from, to, "");
    stockcert_etcd_text(&etcd->request, "}");
}


/*
 * Sends it.  It does so many things if it succeeds, and else reads so many
 * ranges: an answer without as many results decides nothing.
 */

static stockcert_rc_e
stockcert_etcd_commit(stockcert_etcd_t *etcd, size_t puts, size_t ranges,
    stockcert_error_t *error)
{
    size_t          n;
    json_t         *succeeded;
    stockcert_rc_e  rc;

    rc = stockcert_etcd_ask(etcd, "/v3/kv/txn", error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    succeeded = json_object_get(etcd->doc, "succeeded");
    n = json_array_size(json_object_get(etcd->doc, "responses"));

    if (json_is_true(succeeded) && n == puts && etcd->revision) {
        return STOCKCERT_OK;
    }

    /* the turn may come after the ranges */

    if ((succeeded != NULL && !json_is_false(succeeded)) || n != ranges
        || (n && !stockcert_etcd_is_both(etcd)))
    {
        return stockcert_etcd_odd(etcd, error);
    }

    stockcert_etcd_unreached(etcd, error, "key \"%shead\" was changed",
                             etcd->prefix);

    return STOCKCERT_CHANGED;
}


/* what is written and, if the guard fails, read; removes what is before trim */

static void
stockcert_etcd_append_request(stockcert_etcd_t *etcd,
    const stockcert_head_t *guard, const stockcert_batch_t *batch,
    const stockcert_head_t *next, uint64_t trim, size_t *turns, size_t *asks)
{
    char                   name[STOCKCERT_ETCD_NAME_MAX];
    char                   value[STOCKCERT_ETCD_VALUE_MAX];
    size_t                 len;
    stockcert_etcd_buf_t  *buf;

    buf = &etcd->request;

    stockcert_etcd_transaction(etcd, guard, NULL, 0);

    if (trim) {
        stockcert_etcd_remove(etcd, 0, trim);
        stockcert_etcd_text(buf, ",");
    }

    if (batch != NULL) {
        stockcert_etcd_name(batch->first, name);
        stockcert_etcd_put(buf, etcd->prefix, name, batch->data, batch->len);
        stockcert_etcd_text(buf, ",");
    }

    len = stockcert_etcd_head_value(next, value);

    stockcert_etcd_put(buf, etcd->prefix, "head", value, len);

    *turns = batch != NULL ? stockcert_etcd_turn_end(etcd) : 0;

    stockcert_etcd_text(buf, "],\"failure\":[");
    stockcert_etcd_range_both(buf, etcd->prefix, guard->tail.position,
                              etcd->limit, 0);

    *asks = batch != NULL ? stockcert_etcd_turn_ask(etcd) : 0;

    stockcert_etcd_text(buf, "]}");
}


stockcert_rc_e
stockcert_etcd_append(stockcert_replica_t *replica,
    const stockcert_head_t *guard, const stockcert_batch_t *batch,
    stockcert_head_t *next, stockcert_error_t *error)
{
    json_t            *range;
    size_t             turns, asks, puts;
    uint64_t           trim;
    stockcert_rc_e     rc;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    next->revision = 0;
    stockcert_etcd_begin(etcd);

    /* where nothing is guarded, nothing is appended */

    if (guard->revision == 0) {
        stockcert_etcd_unreached(etcd, error, "the head is not known");
        return STOCKCERT_CHANGED;
    }

    rc = stockcert_etcd_need(etcd, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_etcd_same(etcd, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    trim = batch != NULL ? stockcert_etcd_trim(etcd, guard, next) : 0;

    stockcert_etcd_append_request(etcd, guard, batch, next, trim, &turns,
                                  &asks);

    puts = (trim != 0) + (batch != NULL) + 1 + turns;

    rc = stockcert_etcd_commit(etcd, puts, STOCKCERT_ETCD_RANGES + asks, error);

    if (rc == STOCKCERT_CHANGED) {
        etcd->losses += batch != NULL;
        return stockcert_etcd_lost(etcd, next, error);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_etcd_same(etcd, error);
    }

    if (rc == STOCKCERT_OK) {
        etcd->nbatches = 0;
        next->revision = etcd->revision;

        range = json_array_get(json_object_get(etcd->doc, "responses"),
                               puts - 1);

        next->wanted = turns
                       ? stockcert_etcd_turn_read(etcd,
                                                  json_object_get(range,
                                                          "response_range"))
                       : 0;
    }

    return rc;
}


/* the guard failed: what is there instead, and the batches that come next */

static stockcert_rc_e
stockcert_etcd_lost(stockcert_etcd_t *etcd, stockcert_head_t *next,
    stockcert_error_t *error)
{
    (void) stockcert_etcd_both(etcd, next);

    /* what another etcd has is nothing to go on with */

    if (stockcert_etcd_same(etcd, error) != STOCKCERT_OK) {
        next->revision = 0;
        etcd->nbatches = 0;
        return STOCKCERT_DIVERGED;
    }

    return STOCKCERT_CHANGED;
}


/*
 * Where the journal may begin after this append, if that is later than now; 0
 * if not, or if nobody looked.
 */

static uint64_t
stockcert_etcd_trim(stockcert_etcd_t *etcd, const stockcert_head_t *guard,
    const stockcert_head_t *next)
{
    int                more;
    uint64_t           end, last, now;
    stockcert_rc_e     rc;
    stockcert_error_t  ignored;

    if (etcd->keep == 0 || next->tail.position <= etcd->keep
        || (!etcd->more
            && next->tail.position / STOCKCERT_ETCD_TRIM
               == guard->tail.position / STOCKCERT_ETCD_TRIM))
    {
        return 0;
    }

    /* the append needs most of the time */

    now = stockcert_etcd_clock();
    end = etcd->end;

    if (now < end) {
        etcd->end = now + (end - now) / 4;
    }

    rc = stockcert_etcd_last(etcd, 0, next->tail.position - etcd->keep + 1,
                             &last, &more, &ignored);
    etcd->end = end;
    etcd->more = rc == STOCKCERT_OK && more;

    return rc == STOCKCERT_OK ? last : 0;
}


/*
 * The last batch that begins between two positions, among the first so many:
 * all before it lie wholly before its position.  0: there is none.
 */

static stockcert_rc_e
stockcert_etcd_last(stockcert_etcd_t *etcd, uint64_t from, uint64_t to,
    uint64_t *last, int *more, stockcert_error_t *error)
{
    char             limit[64];
    json_t          *kvs;
    size_t           n;
    stockcert_rc_e   rc;

    snprintf(limit, sizeof(limit), ",\"keys_only\":true,\"limit\":\"%d\"",
             STOCKCERT_ETCD_REMOVE + 1);

    etcd->request.len = 0;
    etcd->request.failed = 0;
    stockcert_etcd_range_batches(&etcd->request, etcd->prefix, from, to, limit);

    rc = stockcert_etcd_ask(etcd, "/v3/kv/range", error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    *last = 0;
    kvs = json_object_get(etcd->doc, "kvs");
    n = json_array_size(kvs);
    *more = n > STOCKCERT_ETCD_REMOVE;

    if (n == 0) {
        return STOCKCERT_OK;
    }

    if (stockcert_etcd_bytes(json_array_get(kvs, n - 1), "key", &etcd->answer)
        != 0
        || stockcert_etcd_position(etcd->answer.data, etcd->answer.len,
                                   etcd->prefix, last)
           != 0)
    {
        return stockcert_etcd_diverged(etcd, error,
                                       "there is a key below %sbatch/ that is "
                                       "not a batch's", etcd->prefix);
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_etcd_put_batch(stockcert_replica_t *replica,
    const stockcert_head_t *guard, const stockcert_batch_t *batch,
    stockcert_error_t *error)
{
    char               name[STOCKCERT_ETCD_NAME_MAX];
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    etcd->nbatches = 0;
    stockcert_etcd_begin(etcd);

    stockcert_etcd_name(batch->first, name);
    stockcert_etcd_transaction(etcd, guard, NULL, etcd->claim);
    stockcert_etcd_put(&etcd->request, etcd->prefix, name, batch->data,
                       batch->len);
    stockcert_etcd_text(&etcd->request, "]}");

    return stockcert_etcd_commit(etcd, 1, 0, error);
}


stockcert_rc_e
stockcert_etcd_clear(stockcert_replica_t *replica,
    const stockcert_head_t *guard, uint64_t position, stockcert_error_t *error)
{
    int                more;
    uint64_t           last, claim;
    stockcert_rc_e     rc;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;
    etcd->nbatches = 0;
    etcd->claim = 0;

    if (RAND_bytes((unsigned char *) &claim, sizeof(uint64_t)) != 1) {
        return stockcert_etcd_unreached(etcd, error, "no random numbers");
    }

    /* a part each, which is a try of its own */

    do {
        stockcert_etcd_begin(etcd);

        rc = stockcert_etcd_last(etcd, position, UINT64_MAX, &last, &more,
                                 error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        stockcert_etcd_transaction(etcd, guard, NULL, 0);
        stockcert_etcd_put(&etcd->request, etcd->prefix, STOCKCERT_ETCD_CLAIM,
                           &claim, sizeof(uint64_t));
        stockcert_etcd_text(&etcd->request, ",");
        stockcert_etcd_remove(etcd, position, more ? last : UINT64_MAX);
        stockcert_etcd_text(&etcd->request, "]}");

        rc = stockcert_etcd_commit(etcd, 2, 0, error);

    } while (rc == STOCKCERT_OK && more);

    etcd->claim = claim;

    return rc;
}


stockcert_rc_e
stockcert_etcd_create_ledger(stockcert_replica_t *replica,
    const stockcert_head_t *guard, const stockcert_header_t *header,
    stockcert_head_t *head, stockcert_error_t *error)
{
    char                   value[STOCKCERT_ETCD_VALUE_MAX];
    char                  *ledger;
    json_t                *doc;
    uint64_t               cluster;
    stockcert_rc_e         rc;
    stockcert_etcd_t      *etcd;
    stockcert_etcd_buf_t  *buf;

    etcd = (stockcert_etcd_t *) replica;
    buf = &etcd->request;

    etcd->nbatches = 0;
    etcd->known = 0;
    head->revision = 0;
    stockcert_etcd_begin(etcd);

    /* any answer tells which etcd this is */

    rc = stockcert_etcd_know(etcd, error);

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND
        && rc != STOCKCERT_DIVERGED)
    {
        return rc;
    }

    etcd->known = 0;
    cluster = etcd->cluster;

    doc = stockcert_etcd_ledger_value(header, cluster);
    ledger = doc != NULL ? json_dumps(doc, JSON_COMPACT) : NULL;
    json_decref(doc);

    if (ledger == NULL) {
        return stockcert_etcd_unreached(etcd, error, "no memory");
    }

    stockcert_etcd_transaction(etcd, guard,
                               guard->revision ? NULL : "ledger", etcd->claim);
    stockcert_etcd_put(buf, etcd->prefix, "ledger", ledger, strlen(ledger));
    stockcert_etcd_text(buf, ",");
    stockcert_etcd_put(buf, etcd->prefix, "head", value,
                       stockcert_etcd_head_value(head, value));
    stockcert_etcd_text(buf, ",");
    stockcert_etcd_delete(buf, etcd->prefix, STOCKCERT_ETCD_CLAIM);
    stockcert_etcd_text(buf, "]}");
    free(ledger);

    rc = stockcert_etcd_commit(etcd, 3, 0, error);

    if (rc == STOCKCERT_OK) {
        etcd->claim = 0;
    }

    if (rc == STOCKCERT_OK && etcd->cluster != cluster) {
        return stockcert_etcd_diverged(etcd, error, "not all endpoints are of "
                                       "one etcd: cluster_id %" PRIu64
                                       " and %" PRIu64, cluster, etcd->cluster);
    }

    if (rc == STOCKCERT_OK) {
        head->revision = etcd->revision;
    }

    return rc;
}
