
/*
 * Lanes for tests, and a leader of them.  Each test has its own wake().
 */


#ifndef RING_H
#define RING_H


#include <sys/mman.h>

#include "stockcert_lanes.h"
#include "tap.h"


#define LANES  4


static stockcert_lanes_t    *lanes;
static stockcert_leader_t    leader;
static stockcert_error_t     error;


/* empty ones, that forked processes share, in place of those before */

static inline void
make_lanes(stockcert_wake_pt wake)
{
    if (lanes) {
        munmap(lanes, stockcert_lanes_size(LANES));
    }

    lanes = mmap(NULL, stockcert_lanes_size(LANES), PROT_READ|PROT_WRITE,
                 MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (lanes == MAP_FAILED) {
        tap_bail_out("no memory for lanes");
    }

    stockcert_lanes_init(lanes, LANES);

    memset(&leader, 0, sizeof(stockcert_leader_t));
    leader.lanes = lanes;
    leader.wake = wake;
}


static inline stockcert_rc_e
commit(stockcert_ledger_t *ledger)
{
    return stockcert_lanes_commit(&leader, ledger, &error);
}


static inline stockcert_outcome_t *
outcome(size_t lane, uint64_t position)
{
    return &stockcert_lane_slot(&lanes->lanes[lane], position)->outcome;
}


#endif /* RING_H */
