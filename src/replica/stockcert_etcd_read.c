
/*
 * The ledger's header, the head, and batches, as they are in etcd.
 *
 * Reads are linearizable: they show what was there when they were asked for,
 * or what came later.  But for a head that somebody was told of, the member
 * that is asked need not ask the others.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_etcd_int.h"


/*
 * Entries that a batch has at most: 2 bytes, a kind, a time and a seal are the
 * least that one has there.
 */

#define STOCKCERT_ETCD_ENTRIES                                                \
    (STOCKCERT_BATCH_MAX / (2 + 1 + 8 + STOCKCERT_SEAL_LEN))


static stockcert_rc_e stockcert_etcd_get(stockcert_etcd_t *etcd,
    const char *name, stockcert_error_t *error);
static stockcert_rc_e stockcert_etcd_ledger(stockcert_etcd_t *etcd,
    stockcert_error_t *error);
static int stockcert_etcd_head_of(stockcert_etcd_t *etcd, const json_t *range,
    stockcert_head_t *head);
static int stockcert_etcd_keep(stockcert_etcd_t *etcd, const json_t *range);
static int stockcert_etcd_kept(const stockcert_etcd_t *etcd, uint64_t position,
    stockcert_batch_t *batch);
static stockcert_rc_e stockcert_etcd_look(stockcert_etcd_t *etcd, uint64_t from,
    uint64_t to, const char *more, stockcert_error_t *error);


/* one key: etcd->doc is the answer, which need not have it */

static stockcert_rc_e
stockcert_etcd_get(stockcert_etcd_t *etcd, const char *name,
    stockcert_error_t *error)
{
    etcd->request.len = 0;
    etcd->request.failed = 0;
    stockcert_etcd_range(&etcd->request, etcd->prefix, name, NULL, "");

    return stockcert_etcd_ask(etcd, "/v3/kv/range", error);
}


static stockcert_rc_e
stockcert_etcd_ledger(stockcert_etcd_t *etcd, stockcert_error_t *error)
{
    json_t                *kv;
    stockcert_rc_e         rc;
    stockcert_etcd_buf_t  *value;

    etcd->known = 0;

    rc = stockcert_etcd_get(etcd, "ledger", error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    kv = json_array_get(json_object_get(etcd->doc, "kvs"), 0);
    if (kv == NULL) {
        return STOCKCERT_NOT_FOUND;
    }

    value = &etcd->answer;

    if (stockcert_etcd_bytes(kv, "value", value) != 0
        || stockcert_etcd_ledger_read(value->data, value->len, &etcd->ledger)
           != 0)
    {
        return stockcert_etcd_diverged(etcd, error,
                                       "key \"%sledger\" has a value that is "
                                       "not a ledger's", etcd->prefix);
    }

    etcd->known = 1;

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_etcd_know(stockcert_etcd_t *etcd, stockcert_error_t *error)
{
    return etcd->known ? STOCKCERT_OK : stockcert_etcd_ledger(etcd, error);
}


stockcert_rc_e
stockcert_etcd_need(stockcert_etcd_t *etcd, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_etcd_know(etcd, error);

    return rc == STOCKCERT_NOT_FOUND
           ? stockcert_etcd_diverged(etcd, error, "it has no ledger below %s;"
                                     " run \"stockcert replicate\"",
                                     etcd->prefix)
           : rc;
}


stockcert_rc_e
stockcert_etcd_same(stockcert_etcd_t *etcd, stockcert_error_t *error)
{
    if (etcd->cluster == etcd->ledger.cluster) {
        return STOCKCERT_OK;
    }

    return stockcert_etcd_diverged(etcd, error,
                                   "this etcd is another one, or was restored: "
                                   "its cluster_id is %" PRIu64 ", and the "
                                   "ledger below %s is of %" PRIu64 "; run "
                                   "\"stockcert replicate\"",
                                   etcd->cluster, etcd->prefix,
                                   etcd->ledger.cluster);
}


stockcert_rc_e
stockcert_etcd_origin(stockcert_replica_t *replica, stockcert_header_t *header,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    memset(header, 0, sizeof(stockcert_header_t));
    stockcert_etcd_begin(etcd);

    rc = stockcert_etcd_ledger(etcd, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    header->format = etcd->ledger.format;
    header->created = etcd->ledger.created;
    header->company.data = etcd->ledger.company;
    header->company.len = etcd->ledger.len;

    return stockcert_etcd_same(etcd, error);
}


int
stockcert_etcd_is_both(const stockcert_etcd_t *etcd)
{
    size_t   i;
    json_t  *responses;

    responses = json_object_get(etcd->doc, "responses");

    for (i = 0; i < 2; i++) {
        if (!json_is_object(json_object_get(json_array_get(responses, i),
                                            "response_range")))
        {
            return 0;
        }
    }

    return 1;
}


int
stockcert_etcd_both(stockcert_etcd_t *etcd, stockcert_head_t *head)
{
    int      rc;
    json_t  *responses;

    responses = json_object_get(etcd->doc, "responses");

    rc = stockcert_etcd_head_of(etcd,
                                json_object_get(json_array_get(responses, 0),
                                                "response_range"),
                                head);

    if (rc == 0) {
        (void) stockcert_etcd_keep(etcd,
                                   json_object_get(json_array_get(responses, 1),
                                                   "response_range"));
    }

    return rc;
}


/* of the first key of an answer to a range */

static int
stockcert_etcd_head_of(stockcert_etcd_t *etcd, const json_t *range,
    stockcert_head_t *head)
{
    json_t                *kv;
    stockcert_etcd_buf_t  *value;

    memset(head, 0, sizeof(stockcert_head_t));

    kv = json_array_get(json_object_get(range, "kvs"), 0);
    if (kv == NULL) {
        return 1;
    }

    value = &etcd->answer;

    if (stockcert_etcd_bytes(kv, "value", value) != 0
        || stockcert_etcd_head_read(value->data, value->len, head) != 0
        || stockcert_etcd_number(kv, "mod_revision", &head->revision) != 0
        || head->revision == 0)
    {
        memset(head, 0, sizeof(stockcert_head_t));
        return -1;
    }

    return 0;
}


stockcert_rc_e
stockcert_etcd_head(stockcert_replica_t *replica, uint64_t position,
    uint64_t least, stockcert_head_t *head, stockcert_error_t *error)
{
    int                rc;
    uint64_t           cluster;
    stockcert_rc_e     known;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    memset(head, 0, sizeof(stockcert_head_t));
    etcd->nbatches = 0;
    stockcert_etcd_begin(etcd);

    etcd->request.len = 0;
    etcd->request.failed = 0;

    stockcert_etcd_text(&etcd->request, "{\"success\":[");
    stockcert_etcd_range_both(&etcd->request, etcd->prefix, position,
                              etcd->limit, least != 0);
    stockcert_etcd_text(&etcd->request, "]}");

    known = stockcert_etcd_ask(etcd, "/v3/kv/txn", error);
    if (known != STOCKCERT_OK) {
        return known;
    }

    if (!stockcert_etcd_is_both(etcd)) {
        return stockcert_etcd_odd(etcd, error);
    }

    cluster = etcd->cluster;
    rc = stockcert_etcd_both(etcd, head);

    if (least && (rc != 0 || head->revision < least)) {
        return stockcert_etcd_head(replica, position, 0, head, error);
    }

    if (rc == 1) {
        return STOCKCERT_NOT_FOUND;
    }

    if (rc == -1) {
        return stockcert_etcd_diverged(etcd, error,
                                       "key \"%shead\" has a value that is not "
                                       "a head's", etcd->prefix);
    }

    known = stockcert_etcd_know(etcd, error);

    if (known == STOCKCERT_OK) {
        etcd->cluster = cluster;
        return stockcert_etcd_same(etcd, error);
    }

    if (known != STOCKCERT_DIVERGED) {
        head->revision = 0;
    }

    return known;
}


/*
 * Batches, as far as they are readable.  Who loses again and again needs those
 * from before, too: what it has applied was not committed.
 */

static int
stockcert_etcd_keep(stockcert_etcd_t *etcd, const json_t *range)
{
    size_t                   i, n, longest;
    json_t                  *kv, *kvs;
    stockcert_etcd_batch_t  *batch;

    kvs = json_object_get(range, "kvs");
    n = json_array_size(kvs);
    longest = 1;

    if (n > STOCKCERT_ETCD_BATCHES_MAX) {
        n = STOCKCERT_ETCD_BATCHES_MAX;
    }

    if (etcd->nbatches > STOCKCERT_ETCD_KEPT - n) {
        etcd->nbatches = 0;
    }

    for (i = 0; i < n; i++) {

        batch = &etcd->batches[etcd->nbatches];
        kv = json_array_get(kvs, i);

        if (stockcert_etcd_bytes(kv, "key", &batch->bytes) != 0
            || stockcert_etcd_position(batch->bytes.data, batch->bytes.len,
                                       etcd->prefix, &batch->first)
               != 0
            || stockcert_etcd_bytes(kv, "value", &batch->bytes) != 0
            || stockcert_etcd_count(batch) != 0)
        {
            return -1;
        }

        etcd->nbatches++;

        if (batch->bytes.len > longest) {
            longest = batch->bytes.len;
        }
    }

    if (n) {
        etcd->limit = STOCKCERT_ETCD_FIT / longest;

        if (etcd->limit < STOCKCERT_ETCD_BATCHES) {
            etcd->limit = STOCKCERT_ETCD_BATCHES;

        } else if (etcd->limit > STOCKCERT_ETCD_BATCHES_MAX) {
            etcd->limit = STOCKCERT_ETCD_BATCHES_MAX;
        }
    }

    return 0;
}


static int
stockcert_etcd_kept(const stockcert_etcd_t *etcd, uint64_t position,
    stockcert_batch_t *batch)
{
    size_t                         i;
    const stockcert_etcd_batch_t  *kept;

    for (i = 0; i < etcd->nbatches; i++) {

        kept = &etcd->batches[i];

        if (position >= kept->first && position - kept->first < kept->entries) {
            batch->first = kept->first;
            batch->len = kept->bytes.len;
            batch->data = (const uint8_t *) kept->bytes.data;
            return 1;
        }
    }

    return 0;
}


/* what is not readable matters to who comes to it */

static stockcert_rc_e
stockcert_etcd_look(stockcert_etcd_t *etcd, uint64_t from, uint64_t to,
    const char *more, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    etcd->nbatches = 0;
    etcd->request.len = 0;
    etcd->request.failed = 0;
    stockcert_etcd_range_batches(&etcd->request, etcd->prefix, from, to, more);

    rc = stockcert_etcd_ask(etcd, "/v3/kv/range", error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_etcd_same(etcd, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (stockcert_etcd_keep(etcd, etcd->doc) != 0 && etcd->nbatches == 0) {
        return stockcert_etcd_diverged(etcd, error,
                                       "a batch below %s, from position %"
                                       PRIu64 " on, is not readable",
                                       etcd->prefix, from);
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_etcd_read(stockcert_replica_t *replica, uint64_t position,
    stockcert_batch_t *batch, stockcert_error_t *error)
{
    char               limit[32];
    uint64_t           from;
    stockcert_rc_e     rc;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    if (stockcert_etcd_kept(etcd, position, batch)) {
        return STOCKCERT_OK;
    }

    stockcert_etcd_begin(etcd);

    rc = stockcert_etcd_need(etcd, error);

    if (rc == STOCKCERT_OK) {
        snprintf(limit, sizeof(limit), ",\"limit\":\"%zu\"", etcd->limit);

        rc = stockcert_etcd_look(etcd, position,
                                 position + STOCKCERT_ETCD_WINDOW, limit,
                                 error);
    }

    if (rc != STOCKCERT_OK || stockcert_etcd_kept(etcd, position, batch)) {
        return rc;
    }

    /*
     * No batch begins there; one before may have it.  In this order etcd reads
     * all that is in the range, so it is no wider than it must be.
     */

    from = position > STOCKCERT_ETCD_ENTRIES
           ? position - STOCKCERT_ETCD_ENTRIES : 1;

    rc = stockcert_etcd_look(etcd, from, position,
                             ",\"limit\":\"1\",\"sort_order\":\"DESCEND\"",
                             error);

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    return stockcert_etcd_kept(etcd, position, batch) ? STOCKCERT_OK
                                                      : STOCKCERT_NOT_FOUND;
}
