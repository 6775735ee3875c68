
/*
 * Appends what a transaction has entered to the journal that machines share
 * (docs/ARCHITECTURE.md, "Several machines").
 *
 * It reads in the writer's transaction, and calls the replica.
 */


#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "stockcert_format.h"
#include "stockcert_store.h"


/* nanoseconds: in all, and between two looks at who waits */

#define STOCKCERT_YIELD_MAX  UINT64_C(500000000)
#define STOCKCERT_YIELD_ASK  UINT64_C(50000000)


static stockcert_rc_e stockcert_append_collect(stockcert_ledger_t *ledger,
    stockcert_batch_t *batch, stockcert_error_t *error);


stockcert_rc_e
stockcert_append(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e        rc;
    stockcert_head_t      next;
    stockcert_batch_t     batch;
    stockcert_shared_t   *shared;
    stockcert_replica_t  *replica;

    shared = ledger->shared;
    replica = ledger->replica;

    rc = stockcert_append_collect(ledger, &batch, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    /* always the same batch by the same guard: one of them gets in, or none */

    replica->ops->start(replica);

    do {
        next.epoch = shared->head.epoch;
        next.wanted = 0;
        stockcert_ledger_tail(ledger, &next.tail);

        rc = replica->ops->append(replica, &shared->head, &batch, &next, error);

    } while (rc == STOCKCERT_UNREACHED && replica->ops->again(replica));

    if (rc == STOCKCERT_OK) {
        ledger->appends.done++;
        stockcert_append_know(ledger, &next);
        ledger->wanted = next.wanted;

    } else if (rc == STOCKCERT_UNREACHED) {
        ledger->appends.unanswered++;

    } else if (rc == STOCKCERT_CHANGED) {
        ledger->appends.lost++;
        atomic_store(&shared->reached, 0);

        ledger->confirmed = 0;
        ledger->target = next;
    }

    return rc;
}


static stockcert_rc_e
stockcert_append_collect(stockcert_ledger_t *ledger, stockcert_batch_t *batch,
    stockcert_error_t *error)
{
    int          rc;
    uint8_t     *p, bytes[8];
    MDB_val      key, value;
    uint64_t     position;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(ledger->writer, ledger->journal, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    batch->first = ledger->begun + 1;
    batch->data = ledger->batch;

    stockcert_put64(bytes, batch->first);

    key.mv_size = sizeof(bytes);
    key.mv_data = bytes;
    p = ledger->batch;

    for (position = batch->first; position <= ledger->position; position++) {

        rc = mdb_cursor_get(cursor, &key, &value,
                            position == batch->first ? MDB_SET_KEY : MDB_NEXT);
        if (rc != 0) {
            break;
        }

        if (value.mv_size + 2 > (size_t) (ledger->batch + STOCKCERT_BATCH_MAX
                                          - p))
        {
            rc = MDB_BAD_VALSIZE;
            break;
        }

        p = stockcert_batch_put(p, value.mv_data, value.mv_size);
    }

    batch->len = (size_t) (p - ledger->batch);

    mdb_cursor_close(cursor);

    return stockcert_ledger_error(error, "mdb_cursor_get()", rc);
}


int
stockcert_append_known(const stockcert_ledger_t *ledger)
{
    stockcert_tail_t  tail;

    stockcert_ledger_tail(ledger, &tail);

    return atomic_load(&ledger->shared->reached) != 0
           && stockcert_tail_same(&ledger->shared->head.tail, &tail);
}


/* the process may die in between */

void
stockcert_append_know(stockcert_ledger_t *ledger, const stockcert_head_t *head)
{
    atomic_store(&ledger->shared->reached, 0);

    ledger->shared->head = *head;

    atomic_store(&ledger->shared->reached, head->revision);
}


uint64_t
stockcert_ledger_guard(const stockcert_ledger_t *ledger)
{
    return ledger->replica ? ledger->shared->head.revision : 0;
}


size_t
stockcert_ledger_room(const stockcert_ledger_t *ledger)
{
    return ledger->replica ? (STOCKCERT_BATCH_MAX - ledger->entered)
                             / STOCKCERT_BATCH_ENTRY_MAX
                           : SIZE_MAX;
}


int
stockcert_ledger_is_appended(const stockcert_ledger_t *ledger)
{
    return ledger->appended;
}


/* what was found for the batch before is not known to be so still */

void
stockcert_ledger_next(stockcert_ledger_t *ledger)
{
    assert(ledger->appended);

    ledger->begun = ledger->position;
    ledger->entered = 0;
    ledger->drawn = 0;
    ledger->appended = 0;
    ledger->confirmed = 0;
}


int
stockcert_ledger_is_wanted(const stockcert_ledger_t *ledger)
{
    return ledger->wanted != 0;
}


int
stockcert_ledger_has_entered(const stockcert_ledger_t *ledger)
{
    return ledger->position != ledger->begun;
}


void
stockcert_ledger_take_appends(stockcert_ledger_t *ledger,
    stockcert_appends_t *appends)
{
    *appends = ledger->appends;

    memset(&ledger->appends, 0, sizeof(stockcert_appends_t));
}


/*
 * An append is one revision.  As many of them as machines that wait: each has
 * had its turn, most likely.  They are seen by themselves; where more came at
 * once, or none for a while, it asks.
 */

void
stockcert_ledger_yield(stockcert_ledger_t *ledger)
{
    unsigned              left;
    uint32_t              tells;
    uint64_t              seen, newer, now, asked, end;
    struct timespec       ts;
    stockcert_error_t     error;
    stockcert_shared_t   *shared;
    stockcert_replica_t  *replica;

    left = ledger->wanted;
    ledger->wanted = 0;

    if (left == 0) {
        return;
    }

    shared = ledger->shared;
    replica = ledger->replica;
    seen = atomic_load(&shared->reached);
    asked = stockcert_monotonic();
    end = asked + STOCKCERT_YIELD_MAX;

    ts.tv_sec = 0;
    ts.tv_nsec = STOCKCERT_YIELD_ASK;

    do {
        tells = atomic_load(&shared->tells);

        /* until the watch tells of another head */

        if (atomic_load(&shared->seen) <= seen) {
            (void) syscall(SYS_futex, &shared->tells, FUTEX_WAIT, tells, &ts,
                           NULL, 0);
        }

        now = stockcert_monotonic();
        newer = atomic_load(&shared->seen);

        if (newer == seen + 1) {
            left--;

        } else if (newer > seen || now - asked >= STOCKCERT_YIELD_ASK) {
            asked = now;

            if (replica->ops->waits(replica, now >= end, &left, &error)
                != STOCKCERT_OK)
            {
                return;
            }
        }

        seen = newer > seen ? newer : seen;

    } while (left && now < end);
}


void
stockcert_ledger_leave(stockcert_ledger_t *ledger)
{
    if (ledger->replica) {
        ledger->wanted = 0;
        ledger->replica->ops->leave(ledger->replica);
    }
}
