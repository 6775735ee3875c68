
/*
 * What becomes of grants in lanes, for stockcert_batch.c, which decides it.  The
 * caller has the ledger's lock.
 */


#ifndef STOCKCERT_SETTLE_H
#define STOCKCERT_SETTLE_H


#include "stockcert_lanes.h"


/* Whether any are noted: in this batch, or in one whose end nobody saw. */

int stockcert_lanes_are_noted(const stockcert_lanes_t *lanes);

/* Notes all that a lane has. */

void stockcert_lane_note(stockcert_lane_t *lane);

/* What is noted waits again. */

void stockcert_lanes_unnote(stockcert_lanes_t *lanes);

/*
 * Notes the grants of a lane that are too late to be issued, with their
 * outcomes.  Returns the position of the first other one, or end.
 */

uint64_t stockcert_lane_note_late(const stockcert_leader_t *leader,
    stockcert_lane_t *lane, uint64_t end);

/*
 * In a transaction that has all of the journal: settles what is noted if it is
 * there; otherwise it waits again, or is refused if the leader's last commit
 * failed.
 */

stockcert_rc_e stockcert_lanes_recover(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_error_t *error);

/*
 * Outside a transaction.  stockcert_lanes_refuse() refuses what is noted, but
 * for replays; stockcert_lanes_refuse_new() all in those lanes where nothing is
 * noted; stockcert_lanes_refuse_late() what is too late in those.
 */

void stockcert_lanes_refuse(stockcert_leader_t *leader,
    stockcert_ledger_t *ledger, stockcert_rc_e rc);
void stockcert_lanes_refuse_new(stockcert_leader_t *leader, stockcert_rc_e rc);
void stockcert_lanes_refuse_late(stockcert_leader_t *leader);

/*
 * The number of slots from a position to another one that are side by side in
 * the ring, and the first of them.
 */

size_t stockcert_lane_run(const stockcert_lane_t *lane, uint64_t position,
    uint64_t end, stockcert_slot_t **slots);

/* Settles all that is noted; returns the number of grants. */

uint64_t stockcert_lanes_settle(stockcert_leader_t *leader);


#endif /* STOCKCERT_SETTLE_H */
