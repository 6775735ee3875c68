
/*
 * An order between two batches: who wants a turn, and what comes of it.
 *
 * A lock of the kernel's is not given in the order of asking: a leader that
 * lets it go and asks again at once has it again before anybody else is awake.
 * So "wanted" and "taken" count turns, and a leader waits while they differ.
 * They are hints, as a process may die in between.
 */


#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "stockcert_turn.h"


#define STOCKCERT_TURN_MAX  10         /* milliseconds */


static stockcert_rc_e stockcert_turn_write(stockcert_turn_t *turn,
    stockcert_lanes_t *lanes, stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static void stockcert_turn_count(const stockcert_turn_t *turn,
    stockcert_ledger_t *ledger, stockcert_rc_e rc);
static stockcert_rc_e stockcert_turn_enter(stockcert_ledger_t *ledger,
    void *data, stockcert_error_t *error);


stockcert_rc_e
stockcert_turn_take(stockcert_turn_t *turn, stockcert_lanes_t *lanes,
    stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    atomic_fetch_add(&lanes->turns_wanted, 1);

    rc = stockcert_ledger_lock(ledger, error);

    atomic_fetch_add(&lanes->turns_taken, 1);
    (void) syscall(SYS_futex, &lanes->turns_taken, FUTEX_WAKE, INT_MAX, NULL,
                   NULL, 0);

    turn->write.entered = 0;

    if (rc == STOCKCERT_OK) {
        stockcert_count_begin(turn->counts);

        rc = stockcert_turn_write(turn, lanes, ledger, error);

        stockcert_turn_count(turn, ledger, rc);
        stockcert_ledger_unlock(ledger);

    } else {
        stockcert_count_failed(turn->counts, rc);
    }

    if (turn->write.entered) {
        turn->done.status = STOCKCERT_ISSUED;

    } else if (turn->write.noted.position) {
        turn->done.status = STOCKCERT_WAITING;

    } else if (rc == STOCKCERT_REFUSED) {
        rc = STOCKCERT_OK;

    } else if (rc != STOCKCERT_OK) {

        /* nothing of it can be in the journal */

        turn->done.status = rc == STOCKCERT_FULL ? STOCKCERT_NO_ROOM
                                                 : STOCKCERT_UNAVAILABLE;
    }

    return rc == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : rc;
}


static stockcert_rc_e
stockcert_turn_write(stockcert_turn_t *turn, stockcert_lanes_t *lanes,
    stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e    rc;
    stockcert_tail_t  known, tail;

    stockcert_lanes_known(lanes, &known);

    turn->write.enter = stockcert_turn_enter;
    turn->write.data = turn;
    turn->write.known = &known;

    rc = stockcert_ledger_write(ledger, &turn->write, error);

    if (rc == STOCKCERT_OK) {
        stockcert_ledger_tail(ledger, &tail);
        stockcert_lanes_know(lanes, &tail);
    }

    return rc;
}


static void
stockcert_turn_count(const stockcert_turn_t *turn, stockcert_ledger_t *ledger,
    stockcert_rc_e rc)
{
    if (turn->write.entered) {
        stockcert_count_transaction(turn->counts, turn->type, turn->from.code,
                                    turn->from.code_len, turn->issues);
    }

    stockcert_count_end(turn->counts, ledger, rc, 0);
}


static stockcert_rc_e
stockcert_turn_enter(stockcert_ledger_t *ledger, void *data,
    stockcert_error_t *error)
{
    stockcert_turn_t *turn = data;

    stockcert_rc_e    rc;
    stockcert_tail_t  tail;

    rc = stockcert_ledger_transact(ledger, turn->order, &turn->done, error);

    /* those that it issues come after those that it surrenders */

    stockcert_ledger_tail(ledger, &tail);
    turn->type = turn->order->first.type;
    turn->from = turn->order->from[0];
    turn->issues = tail.position + 1 - turn->done.transaction
                   - turn->order->nfrom;

    return rc == STOCKCERT_OK && (turn->done.status != STOCKCERT_ISSUED
                                  || turn->done.replayed)
           ? STOCKCERT_REFUSED : rc;
}


int
stockcert_turn_is_wanted(const stockcert_lanes_t *lanes)
{
    return atomic_load(&lanes->turns_taken)
           != atomic_load(&lanes->turns_wanted);
}


void
stockcert_turn_give(stockcert_lanes_t *lanes)
{
    uint32_t         wanted, taken;
    uint64_t         now, end;
    struct timespec  ts;

    /* in this sequence, as each turn is wanted before it is taken */

    taken = atomic_load(&lanes->turns_taken);
    wanted = atomic_load(&lanes->turns_wanted);

    if (wanted == taken) {
        return;
    }

    now = stockcert_monotonic();
    end = now + STOCKCERT_TURN_MAX * 1000000;

    while (now < end && (int32_t) (wanted - taken) > 0) {

        ts.tv_sec = 0;
        ts.tv_nsec = (long) (end - now);

        (void) syscall(SYS_futex, &lanes->turns_taken, FUTEX_WAIT, taken, &ts,
                       NULL, 0);

        now = stockcert_monotonic();
        taken = atomic_load(&lanes->turns_taken);
    }

    /* others may have wanted and taken theirs meanwhile */

    if ((int32_t) (wanted - taken) < 0) {
        wanted = atomic_load(&lanes->turns_wanted);

        if ((int32_t) (wanted - taken) > 0) {
            return;
        }
    }

    /* nobody is there any more who wanted it, or somebody was not waited for */

    if (wanted != taken) {
        (void) atomic_compare_exchange_strong(&lanes->turns_taken, &taken,
                                              wanted);
    }
}
