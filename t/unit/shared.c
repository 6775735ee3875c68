
/*
 * Lanes of a ledger that other machines have, too: what a watch tells, how long
 * a leader gathers, and who has waited too long.  No other machine is asked.
 */


#define _GNU_SOURCE    /* nftw() */

#include <unistd.h>

#include "ring.h"
#include "stockcert_settle.h"


static void test_tell(void);
static void test_gather(void);
static void test_late(void);


int
main(void)
{
    fixture_begin();

    test_tell();
    test_gather();
    test_late();

    fixture_end();

    return tap_done();
}


/* an etcd that was made anew counts from 1 again */

static void
test_tell(void)
{
    make_lanes(wakes_nobody);

    is_int(stockcert_lanes_tell(lanes, 1000), 1, "tell: somebody must lead");

    atomic_store(&lanes->shared.reached, 1000);
    atomic_store(&lanes->shared.kept, 1000);

    is_int(stockcert_lanes_tell(lanes, 1000), 0, "tell: it is there");
    ok(!stockcert_lanes_waiting(lanes), "tell: nothing waits");

    is_int(stockcert_lanes_tell(lanes, 11), 1,
           "tell: another etcd: somebody must lead");
    is_int(atomic_load(&lanes->shared.seen), 11, "tell: its revision");
    is_int(atomic_load(&lanes->shared.reached), 0,
           "tell: its head must be read");
    ok(stockcert_lanes_waiting(lanes), "tell: that waits");
}


/* a commit that took an hour, as another process had the lock */

static void
test_gather(void)
{
    make_lanes(wakes_nobody);

    leader.patience = UINT64_C(10000000000);
    leader.pace.duration = UINT64_C(3600000000000);
    leader.pace.grants = 200;
    leader.batches = 1;
    leader.wanted = 1;

    fill_class(0, "CS", "", 1);
    (void) alarm(60);
    stockcert_lanes_gather(&leader);
    (void) alarm(0);

    ok(1, "gather: for a moment, whatever the last commit took");
}


/* a slot that is filled as the leader looks is newer than that look */

static void
test_late(void)
{
    uint64_t           now;
    stockcert_lane_t  *lane;

    make_lanes(wakes_nobody);

    leader.patience = 1000000;
    now = stockcert_monotonic();
    lane = &lanes->lanes[0];

    fill_class(0, "CS", "", 1);
    fill_class(0, "CS", "", 1);
    fill_class(0, "CS", "", 1);

    lane->noted = 1;
    stockcert_lane_slot(lane, 1)->time = now - 2 * leader.patience;
    stockcert_lane_slot(lane, 2)->time = now + UINT64_C(60000000000);

    stockcert_lanes_refuse_late(&leader);

    ok(stockcert_lane_is_refused(lane, 1), "late: it is refused");
    ok(!stockcert_lane_is_refused(lane, 2), "late: one that has just come is not");
}
