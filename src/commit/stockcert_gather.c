
/*
 * Between two batches: whether a leader waits for more grants, and how long
 * (docs/ARCHITECTURE.md, "Gathering").
 *
 * It touches "came", "wanted" and what the leader knows of its own batches.
 */


#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "stockcert_lanes.h"


#define STOCKCERT_GATHER      1000000      /* nanoseconds */
#define STOCKCERT_GATHER_MAX  50000000     /* where other machines are needed */
#define STOCKCERT_TRIAL       64           /* batches */
#define STOCKCERT_TRIALS      32           /* trials, until both ways are tried
                                              again */


static uint64_t stockcert_leader_longest(const stockcert_leader_t *leader);


void
stockcert_lanes_gather(stockcert_leader_t *leader)
{
    /* while other machines have their turns, waiting costs nothing */

    if (stockcert_pace_gathers(&leader->pace, stockcert_monotonic())
        || leader->wanted)
    {
        (void) stockcert_lanes_gather_for(leader,
                                          stockcert_leader_longest(leader));
    }
}


int
stockcert_lanes_gather_for(stockcert_leader_t *leader, uint64_t longest)
{
    uint32_t            came, wanted;
    uint64_t            end, now;
    struct timespec     ts;
    stockcert_pace_t   *pace;
    stockcert_lanes_t  *lanes;

    pace = &leader->pace;
    lanes = leader->lanes;

    now = stockcert_monotonic();
    end = now + longest;

    wanted = pace->came + (uint32_t) pace->grants;
    atomic_store(&lanes->wanted, wanted);

    while (now < end) {
        came = atomic_load(&lanes->came);

        if ((int32_t) (came - wanted) >= 0) {
            return 1;
        }

        ts.tv_sec = 0;
        ts.tv_nsec = (long) (end - now);

        /* if more grants came meanwhile, it returns at once */

        (void) syscall(SYS_futex, &lanes->came, FUTEX_WAIT, came, &ts, NULL, 0);

        now = stockcert_monotonic();
    }

    return 0;
}


/* where other machines are needed, it may take half of what a batch takes */

static uint64_t
stockcert_leader_longest(const stockcert_leader_t *leader)
{
    uint64_t  duration;

    duration = leader->pace.duration;

    if (leader->batches > 1) {
        duration /= leader->batches;
    }

    if (leader->patience && duration / 2 > STOCKCERT_GATHER) {
        return duration / 2 < STOCKCERT_GATHER_MAX ? duration / 2
                                                   : STOCKCERT_GATHER_MAX;
    }

    return duration < STOCKCERT_GATHER ? duration : STOCKCERT_GATHER;
}


/*
 * Makes one trial with gathering and one without, and then does what was
 * better.
 */

int
stockcert_pace_gathers(stockcert_pace_t *pace, uint64_t now)
{
    uint64_t  time, most, rate;

    if (pace->grants == 0) {
        return 0;
    }

    /* time without requests does not count */

    time = now - pace->end;
    most = 2 * pace->duration + STOCKCERT_GATHER;

    pace->time += time < most ? time : most;
    pace->end = now;
    pace->sum += pace->total;
    pace->batches++;

    if (pace->batches % STOCKCERT_TRIAL == 0) {
        rate = pace->sum * 1000000000 / (pace->time + 1);

        switch (pace->batches / STOCKCERT_TRIAL) {

        case 1:
            pace->gathered = rate;
            break;

        case 2:
            pace->gathers = pace->gathered >= rate;
            break;

        case STOCKCERT_TRIALS:
            pace->batches = 0;
            break;
        }

        pace->sum = 0;
        pace->time = 0;
    }

    switch (pace->batches / STOCKCERT_TRIAL) {

    case 0:
        return 1;

    case 1:
        return 0;

    default:
        return pace->gathers;
    }
}
