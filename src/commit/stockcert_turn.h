
/*
 * Turns: an order is entered in a transaction of its own, by the process that
 * has it, between two batches of grants.
 */


#ifndef STOCKCERT_TURN_H
#define STOCKCERT_TURN_H


#include "stockcert_lanes.h"


/*
 * An order that waits.  done.status is STOCKCERT_WAITING until its outcome is
 * known.  Zeroed at first, but for order and counts, which may be NULL.
 */

typedef struct {
    const stockcert_order_t  *order;
    stockcert_counts_t       *counts;
    stockcert_transacted_t    done;
    stockcert_write_t         write;

    /* what was entered, to be counted */

    uint64_t                  type;
    uint64_t                  issues;          /* certificates, of this class */
    stockcert_id_t            from;
} stockcert_turn_t;


/*
 * Waits for the ledger's lock, enters the order, and commits.  Leaders let it
 * go before their next batch.  From any thread that may use the ledger as a
 * writer.
 *
 * Returns what the ledger's functions return.  After STOCKCERT_OK and
 * STOCKCERT_FULL the outcome is known.  If it is not known then, the function is
 * called again, and looks for the order in the journal: it is not entered a
 * second time.
 */

stockcert_rc_e stockcert_turn_take(stockcert_turn_t *turn,
    stockcert_lanes_t *lanes, stockcert_ledger_t *ledger,
    stockcert_error_t *error);

/*
 * For a leader, before it asks for the lock: waits for those who want a turn,
 * each for some milliseconds at most, as one that died never takes it.
 */

void stockcert_turn_give(stockcert_lanes_t *lanes);

/* For a leader, at any time: whether somebody wants one. */

int stockcert_turn_is_wanted(const stockcert_lanes_t *lanes);


#endif /* STOCKCERT_TURN_H */
