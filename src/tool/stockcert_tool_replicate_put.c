
/*
 * Puts a journal into etcd.  What etcd has counts with its head, so that comes
 * last.
 *
 * It reads the ledger, calls the replica, and marks the ledger.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_tool_replicate.h"


static stockcert_rc_e stockcert_tool_replicate_collect(
    stockcert_replicate_t *r, stockcert_error_t *error);
static size_t stockcert_tool_replicate_encode(const stockcert_entry_t *entry,
    uint8_t *bytes);
static int stockcert_tool_replicate_lost(stockcert_replicate_t *r,
    stockcert_rc_e rc, const char *was, const stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_replicate_clear(stockcert_replicate_t *r,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_replicate_put(stockcert_replicate_t *r,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_tool_replicate_create(stockcert_replicate_t *r,
    stockcert_error_t *error);


static uint8_t  stockcert_replicate_data[STOCKCERT_BATCH_MAX];


int
stockcert_tool_replicate_batches(stockcert_replicate_t *r)
{
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    r->position = r->guard.tail.position;

    /* of one that died before its head was there */

    rc = stockcert_tool_replicate_try(r, stockcert_tool_replicate_clear,
                                      &error);

    while (rc == STOCKCERT_OK && r->position < r->tail.position) {

        rc = stockcert_tool_replicate_collect(r, &error);
        if (rc != STOCKCERT_OK) {
            return stockcert_tool_not_read(&error);
        }

        rc = stockcert_tool_replicate_try(r, stockcert_tool_replicate_put,
                                          &error);

        stockcert_tool_progress("replicate", "entries", r->position,
                                r->tail.position);
    }

    r->put = r->tail.position - r->guard.tail.position;

    return rc == STOCKCERT_OK ? STOCKCERT_EXIT_OK
                              : stockcert_tool_replicate_failed(rc, &error);
}


/* the entries after r->position, up to the end of a transaction */

static stockcert_rc_e
stockcert_tool_replicate_collect(stockcert_replicate_t *r,
    stockcert_error_t *error)
{
    size_t              len;
    uint8_t            *p, *end, bytes[STOCKCERT_ENTRY_MAX];
    uint64_t            position, left;
    stockcert_rc_e      rc;
    stockcert_entry_t   entry;

    p = stockcert_replicate_data;
    end = p + STOCKCERT_BATCH_MAX;

    r->batch.first = r->position + 1;
    r->batch.data = p;
    r->batch.len = 0;
    left = 0;

    for (position = r->batch.first; position <= r->tail.position; position++) {

        rc = stockcert_ledger_entry(r->ledger, position, &entry, error);
        if (rc != STOCKCERT_OK) {
            return rc == STOCKCERT_NOT_FOUND ? STOCKCERT_FAILED : rc;
        }

        len = stockcert_tool_replicate_encode(&entry, bytes);

        if (2 + len > (size_t) (end - p)) {
            break;
        }

        p = stockcert_batch_put(p, bytes, len);

        left = entry.member == 0 ? 0
               : entry.member == 1 ? entry.surrenders + entry.issues - 1
                                   : left - 1;

        if (left == 0) {
            r->batch.len = (size_t) (p - stockcert_replicate_data);
            r->position = position;
        }
    }

    /* a transaction is never as long as a batch may be */

    if (r->batch.len == 0) {
        snprintf(error->text, sizeof(error->text), "the transaction %" PRIu64
                 " is not whole: \"stockcert verify\" says more",
                 r->batch.first);
        return STOCKCERT_FAILED;
    }

    return STOCKCERT_OK;
}


/* the bytes that the journal has of it: there is one way to write an entry */

static size_t
stockcert_tool_replicate_encode(const stockcert_entry_t *entry, uint8_t *bytes)
{
    size_t  len;

    len = stockcert_entry_encode(entry, bytes);
    memcpy(bytes + len, entry->seal, STOCKCERT_SEAL_LEN);

    return len + STOCKCERT_SEAL_LEN;
}


/*
 * The ledger is marked first.  Who is stopped in between leaves one that cannot
 * be written to by itself, and does it again.
 */

int
stockcert_tool_replicate_head(stockcert_replicate_t *r)
{
    char               was[STOCKCERT_TEXT_MAX + 1];
    stockcert_rc_e     rc;
    stockcert_str_t    mark;
    stockcert_error_t  error;

    mark = stockcert_ledger_mark(r->ledger);
    snprintf(was, sizeof(was), "%.*s", (int) mark.len, mark.data);

    rc = stockcert_ledger_set_mark(r->ledger, r->replica->name, &error);
    if (rc != STOCKCERT_OK) {
        return stockcert_tool_replicate_failed(rc, &error);
    }

    r->head.epoch = r->guard.epoch + 1;
    r->head.tail = r->tail;

    rc = stockcert_tool_replicate_try(r, stockcert_tool_replicate_create,
                                      &error);

    return rc == STOCKCERT_OK ? STOCKCERT_EXIT_OK
                              : stockcert_tool_replicate_lost(r, rc, was,
                                                              &error);
}


/* a library may have sent it twice, and then the first did it */

static int
stockcert_tool_replicate_lost(stockcert_replicate_t *r, stockcert_rc_e rc,
    const char *was, const stockcert_error_t *error)
{
    stockcert_rc_e     looked;
    stockcert_error_t  why;

    if (rc != STOCKCERT_CHANGED) {
        return stockcert_tool_error(STOCKCERT_EXIT_UNKNOWN, "it is not known "
                                    "whether it is done, run it again: %s",
                                    error->text);
    }

    looked = stockcert_tool_replicate_try(r, stockcert_tool_replicate_guard,
                                          &why);

    if (looked == STOCKCERT_OK
        && stockcert_tail_same(&r->guard.tail, &r->tail))
    {
        return STOCKCERT_EXIT_OK;
    }

    if (looked != STOCKCERT_OK && looked != STOCKCERT_NOT_FOUND) {
        return stockcert_tool_replicate_lost(r, looked, was, &why);
    }

    (void) stockcert_ledger_set_mark(r->ledger, was, &why);

    return stockcert_tool_replicate_failed(rc, error);
}


static stockcert_rc_e
stockcert_tool_replicate_clear(stockcert_replicate_t *r,
    stockcert_error_t *error)
{
    return r->replica->ops->clear(r->replica, &r->guard, r->position + 1,
                                  error);
}


static stockcert_rc_e
stockcert_tool_replicate_put(stockcert_replicate_t *r, stockcert_error_t *error)
{
    return r->replica->ops->put(r->replica, &r->guard, &r->batch, error);
}


static stockcert_rc_e
stockcert_tool_replicate_create(stockcert_replicate_t *r,
    stockcert_error_t *error)
{
    return r->replica->ops->create(r->replica, &r->guard, &r->header, &r->head,
                                   error);
}
