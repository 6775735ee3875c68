
/*
 * How far a ledger is behind the journal that machines share.
 *
 * It calls the replica, and changes nothing.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_json.h"
#include "stockcert_tool_etcd.h"
#include "stockcert_tool_shared.h"


static stockcert_rc_e stockcert_tool_shared_ask(
    stockcert_shared_state_t *shared, stockcert_replica_t *replica,
    const stockcert_tail_t *end, stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_shared_compare(
    stockcert_shared_state_t *shared, stockcert_replica_t *replica,
    const stockcert_tail_t *end, stockcert_error_t *error);
static int stockcert_tool_shared_has(const stockcert_batch_t *batch,
    const stockcert_tail_t *end);


int
stockcert_tool_shared_read(stockcert_shared_state_t *shared,
    stockcert_ledger_t *ledger, const stockcert_tail_t *end)
{
    int                   status;
    stockcert_rc_e        rc;
    stockcert_error_t     error;
    stockcert_replica_t  *replica;

    memset(shared, 0, sizeof(stockcert_shared_state_t));

    shared->mark = stockcert_ledger_mark(ledger);

    if (!stockcert_tool_etcd_is_given()
        || (shared->mark.len == 0 && !stockcert_tool_etcd_has_prefix()))
    {
        return STOCKCERT_EXIT_OK;
    }

    status = stockcert_tool_etcd_replica(&shared->mark, &replica);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    replica->ops->start(replica);

    do {
        rc = stockcert_tool_shared_ask(shared, replica, end, &error);

    } while (rc == STOCKCERT_UNREACHED && replica->ops->again(replica));

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "etcd has no ledger "
                                    "below %s: \"stockcert replicate\" puts one "
                                    "there", replica->name);
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "it is not known how "
                                    "far this ledger is behind: %s",
                                    error.text);
    }

    shared->asked = 1;

    if (stockcert_etcd_size(replica, &shared->size, &error) != STOCKCERT_OK) {
        shared->size = 0;
    }

    return STOCKCERT_EXIT_OK;
}


/* entries that came after the snapshot are there, too */

static stockcert_rc_e
stockcert_tool_shared_ask(stockcert_shared_state_t *shared,
    stockcert_replica_t *replica, const stockcert_tail_t *end,
    stockcert_error_t *error)
{
    stockcert_rc_e    rc;
    stockcert_head_t  head;

    rc = replica->ops->head(replica, STOCKCERT_AFTER_ALL, 0, &head, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    shared->tail = head.tail;

    if (head.tail.position <= end->position) {
        shared->parted = !stockcert_tail_same(&head.tail, end);
        return STOCKCERT_OK;
    }

    shared->behind = head.tail.position - end->position;

    return stockcert_tool_shared_compare(shared, replica, end, error);
}


/* an entry that was trimmed is not compared */

static stockcert_rc_e
stockcert_tool_shared_compare(stockcert_shared_state_t *shared,
    stockcert_replica_t *replica, const stockcert_tail_t *end,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_batch_t  batch;

    if (end->position == 0) {
        return STOCKCERT_OK;
    }

    rc = replica->ops->read(replica, end->position, &batch, error);

    if (rc == STOCKCERT_OK) {
        shared->parted = !stockcert_tool_shared_has(&batch, end);
    }

    return rc == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : rc;
}


static int
stockcert_tool_shared_has(const stockcert_batch_t *batch,
    const stockcert_tail_t *end)
{
    size_t          offset, len;
    uint64_t        position;
    const uint8_t  *p;

    offset = 0;

    for (position = batch->first; position <= end->position; position++) {
        if (stockcert_batch_next(batch, &offset, &p, &len) != 1) {
            return 0;
        }
    }

    return len > STOCKCERT_SEAL_LEN
           && memcmp(p + len - STOCKCERT_SEAL_LEN, end->seal,
                     STOCKCERT_SEAL_LEN)
              == 0;
}


void
stockcert_tool_shared_text(const stockcert_shared_state_t *shared)
{
    char  seal[STOCKCERT_HEX_LEN + 1];

    if (shared->mark.len) {
        stockcert_tool_line(stdout, "replica    %.*s, by etcd",
                            (int) shared->mark.len, shared->mark.data);

    } else {
        printf("replica    none\n");
    }

    if (!shared->asked) {
        return;
    }

    stockcert_format_seal(shared->tail.seal, seal);

    if (shared->parted) {
        printf("etcd       has another journal: it ends with entry %" PRIu64
               " (%s)\n", shared->tail.position, seal);

    } else {
        printf("etcd       entry %" PRIu64 ", this ledger is %" PRIu64
               " entries behind\n", shared->tail.position, shared->behind);
    }

    if (shared->size) {
        printf("etcd size  %" PRIu64 " bytes\n", shared->size);
    }
}


void
stockcert_tool_shared_json(const stockcert_shared_state_t *shared)
{
    char  seal[STOCKCERT_HEX_LEN + 1];

    if (shared->mark.len) {
        printf(",\"replica\":");
        stockcert_json_string(stdout, &shared->mark);
    }

    if (!shared->asked) {
        return;
    }

    stockcert_format_seal(shared->tail.seal, seal);

    printf(",\"etcd\":{\"entries\":%" PRIu64 ",\"seal\":\"%s\",\"behind\":%"
           PRIu64 ",\"parted\":%s", shared->tail.position, seal, shared->behind,
           shared->parted ? "true" : "false");

    if (shared->size) {
        printf(",\"size\":%" PRIu64, shared->size);
    }

    printf("}");
}
