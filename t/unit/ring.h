
/*
 * Lanes for tests, and a leader of them.  Each test has its own wake(), or
 * wakes_nobody().
 */


#ifndef RING_H
#define RING_H


#include <sys/mman.h>

#include "fixture.h"
#include "stockcert_lanes.h"
#include "tap.h"


#define LANES  4


static stockcert_lanes_t    *lanes;
static stockcert_leader_t    leader;
static stockcert_error_t     error;


static inline void
wakes_nobody(void *data, size_t lane)
{
    (void) data;
    (void) lane;
}


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


/* a grant of a class, with a key or "" */

static inline void
fill_class(size_t lane, const char *code, const char *key, uint64_t amount)
{
    stockcert_slot_t  slot;

    fixture_slot(&slot, code, "Salt Bae", amount);

    slot.grant.key_len = (uint8_t) strlen(key);
    memcpy(slot.grant.key, key, slot.grant.key_len);

    if (stockcert_lane_fill(lanes, &lanes->lanes[lane],
                            stockcert_lane_settled(&lanes->lanes[lane]),
                            &slot.grant)
        != 0)
    {
        tap_bail_out("no room in lane %zu", lane);
    }
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
