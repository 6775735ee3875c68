
/*
 * The lanes themselves: who claims one, how a worker fills it, who leads.
 *
 * It touches memory that the workers share, and no ledger.
 */


#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "stockcert_lanes.h"


/* stockcert_lane_copy() copies all that is before the name */

_Static_assert(offsetof(stockcert_grant_t, amount)
               < offsetof(stockcert_grant_t, name)
               && offsetof(stockcert_grant_t, key_len)
                  < offsetof(stockcert_grant_t, name)
               && offsetof(stockcert_grant_t, code)
                  < offsetof(stockcert_grant_t, name), "they are there");


static int stockcert_is_gone(int64_t pid);
static void stockcert_lane_copy(stockcert_grant_t *to,
    const stockcert_grant_t *from);


size_t
stockcert_lanes_size(size_t n)
{
    return sizeof(stockcert_lanes_t) + n * sizeof(stockcert_lane_t);
}


void
stockcert_lanes_init(stockcert_lanes_t *lanes, size_t n)
{
    lanes->nlanes = n;
}


/* writes the end first, then "known": the process may die in between */

void
stockcert_lanes_know(stockcert_lanes_t *lanes, const stockcert_tail_t *known)
{
    uint64_t  next;

    next = atomic_load(&lanes->known) + 1;

    lanes->ends[next % 2] = *known;

    atomic_store(&lanes->known, next);
}


void
stockcert_lanes_known(const stockcert_lanes_t *lanes, stockcert_tail_t *known)
{
    size_t    i;
    uint64_t  n;

    /* it only repeats after another commit */

    do {
        n = atomic_load(&lanes->known);
        *known = lanes->ends[n % 2];
        atomic_thread_fence(memory_order_acquire);
    } while (atomic_load(&lanes->known) != n);

    for (i = 0; known->position == 0 && i < lanes->nlanes; i++) {
        if (atomic_load(&lanes->lanes[i].opened)) {
            *known = lanes->lanes[i].end;
        }
    }
}


/* writes the end first, and once: others may read it */

void
stockcert_lane_opened(stockcert_lane_t *lane, const stockcert_tail_t *end)
{
    if (end->position != 0 && !atomic_load(&lane->opened)) {
        lane->end = *end;
        atomic_store(&lane->opened, 1);
    }
}


size_t
stockcert_claims_size(size_t n)
{
    return sizeof(stockcert_claims_t) + n * sizeof(int64_t);
}


void
stockcert_claims_init(stockcert_claims_t *claims, size_t n)
{
    claims->n = n;
}


/*
 * The process id of a dead owner may belong to another process now.  Then its
 * lane is left alone.  If it is the id of this process, the lane is nobody's.
 */

size_t
stockcert_claim(stockcert_claims_t *claims)
{
    size_t   i;
    int64_t  me, owner;

    me = getpid();

    for (i = 0; i < claims->n; i++) {
        owner = atomic_load(&claims->owners[i]);

        if (owner != 0 && owner != me && !stockcert_is_gone(owner)) {
            continue;
        }

        if (atomic_compare_exchange_strong(&claims->owners[i], &owner, me)) {
            break;
        }
    }

    return i;
}


void
stockcert_unclaim(stockcert_claims_t *claims, size_t lane)
{
    int64_t  me;

    me = getpid();

    (void) atomic_compare_exchange_strong(&claims->owners[lane], &me, 0);
}


static int
stockcert_is_gone(int64_t pid)
{
    return kill((pid_t) pid, 0) == -1 && errno == ESRCH;
}


int
stockcert_lane_fill(stockcert_lanes_t *lanes, stockcert_lane_t *lane,
    uint64_t answered, const stockcert_grant_t *grant)
{
    uint32_t           came;
    uint64_t           filled, used;
    stockcert_slot_t  *slot;

    filled = atomic_load_explicit(&lane->filled, memory_order_relaxed);
    used = atomic_load_explicit(&lane->settled, memory_order_acquire);

    if (answered < used) {
        used = answered;
    }

    assert(filled - used <= STOCKCERT_LANE_SLOTS);

    if (filled - used == STOCKCERT_LANE_SLOTS) {
        return -1;
    }

    slot = stockcert_lane_slot(lane, filled);

    stockcert_lane_copy(&slot->grant, grant);

    /*
     * "noted" moves before outcomes are written: no old outcome may be there
     */

    slot->outcome.status = STOCKCERT_WAITING;
    slot->time = stockcert_monotonic();

    /* before it looks for a leader (docs/ARCHITECTURE.md, "Who leads") */

    atomic_store(&lane->filled, filled + 1);

    came = atomic_fetch_add(&lanes->came, 1) + 1;

    if (came == atomic_load(&lanes->wanted)) {
        (void) syscall(SYS_futex, &lanes->came, FUTEX_WAKE, 1, NULL, NULL, 0);
    }

    return 0;
}


/*
 * bytes after a name or a key are not copied, to spare the processors' caches
 */

static void
stockcert_lane_copy(stockcert_grant_t *to, const stockcert_grant_t *from)
{
    assert(from->code_len <= STOCKCERT_CODE_MAX);

    memcpy(to, from, offsetof(stockcert_grant_t, name) + from->name_len);
    memcpy(to->key, from->key, from->key_len);
    memcpy(to->more, from->more, from->more_len);
}


void
stockcert_lane_give_up(stockcert_lane_t *lane, uint64_t position)
{
    assert(position <= atomic_load(&lane->filled));

    atomic_store(&lane->given_up, position);
}


int
stockcert_lane_is_refused(const stockcert_lane_t *lane, uint64_t position)
{
    uint64_t  from, to;

    to = atomic_load(&lane->refused_to);
    from = atomic_load(&lane->refused_from);

    return (int64_t) (position - from) >= 0 && (int64_t) (to - position) > 0;
}


stockcert_slot_t *
stockcert_lane_slot(stockcert_lane_t *lane, uint64_t position)
{
    return &lane->slots[position % STOCKCERT_LANE_SLOTS];
}


uint64_t
stockcert_lane_filled(const stockcert_lane_t *lane)
{
    return atomic_load(&lane->filled);
}


uint64_t
stockcert_lane_settled(const stockcert_lane_t *lane)
{
    return atomic_load_explicit(&lane->settled, memory_order_acquire);
}


int
stockcert_lane_waiting(const stockcert_lane_t *lane)
{
    return atomic_load(&lane->settled) != atomic_load(&lane->filled);
}


uint64_t
stockcert_lanes_count_waiting(const stockcert_lanes_t *lanes)
{
    size_t                   i;
    uint64_t                 n, settled;
    const stockcert_lane_t  *lane;

    n = 0;

    for (i = 0; i < lanes->nlanes; i++) {
        lane = &lanes->lanes[i];

        /* in this sequence, as it is never above "filled" */

        settled = atomic_load(&lane->settled);
        n += atomic_load(&lane->filled) - settled;
    }

    return n;
}


uint64_t
stockcert_lanes_oldest(stockcert_lanes_t *lanes)
{
    size_t             i;
    uint64_t           now, settled, time, oldest;
    stockcert_lane_t  *lane;

    oldest = 0;
    now = stockcert_monotonic();

    for (i = 0; i < lanes->nlanes; i++) {
        lane = &lanes->lanes[i];
        settled = atomic_load(&lane->settled);

        if (settled == atomic_load(&lane->filled)) {
            continue;
        }

        /* the slot is filled again only after "settled" has moved */

        time = stockcert_lane_slot(lane, settled)->time;
        atomic_thread_fence(memory_order_acquire);

        if (atomic_load(&lane->settled) == settled && time < now
            && now - time > oldest)
        {
            oldest = now - time;
        }
    }

    return oldest;
}


int
stockcert_lanes_lead(stockcert_lanes_t *lanes)
{
    int64_t  nobody;

    nobody = 0;

    if (atomic_load(&lanes->leader) != nobody) {
        return 0;
    }

    return atomic_compare_exchange_strong(&lanes->leader, &nobody, getpid());
}


int
stockcert_lanes_take_over(stockcert_lanes_t *lanes, int force)
{
    int64_t  leader;

    leader = atomic_load(&lanes->leader);

    if (leader != 0 && !force && !stockcert_is_gone(leader)) {
        return 0;
    }

    return atomic_compare_exchange_strong(&lanes->leader, &leader, getpid());
}


void
stockcert_lanes_resign(stockcert_lanes_t *lanes)
{
    int64_t  me;

    /* another process may have taken over */

    me = getpid();

    (void) atomic_compare_exchange_strong(&lanes->leader, &me, 0);
}


int
stockcert_lanes_waiting(stockcert_lanes_t *lanes)
{
    size_t    i;
    uint64_t  kept;

    for (i = 0; i < lanes->nlanes; i++) {
        if (stockcert_lane_waiting(&lanes->lanes[i])) {
            return 1;
        }
    }

    kept = atomic_load(&lanes->shared.kept);

    return atomic_load(&lanes->shared.seen) > kept
           || atomic_load(&lanes->shared.reached) > kept;
}


/* it asks to be woken before it looks again */

int
stockcert_lane_reads(stockcert_lanes_t *lanes, stockcert_lane_t *lane,
    uint64_t revision)
{
    if (revision <= atomic_load(&lanes->shared.kept)) {
        return 0;
    }

    atomic_store(&lane->reads, 1);

    return revision > atomic_load(&lanes->shared.kept);
}


int
stockcert_lanes_watch(stockcert_lanes_t *lanes)
{
    int64_t  watcher;

    /* this process does not watch yet, whatever its id is */

    watcher = atomic_load(&lanes->watcher);

    return (watcher == 0 || watcher == getpid() || stockcert_is_gone(watcher))
           && atomic_compare_exchange_strong(&lanes->watcher, &watcher,
                                             getpid());
}


void
stockcert_lanes_unwatch(stockcert_lanes_t *lanes)
{
    int64_t  me;

    me = getpid();

    (void) atomic_compare_exchange_strong(&lanes->watcher, &me, 0);
}


/* a leader looks once more when it has resigned */

int
stockcert_lanes_tell(stockcert_lanes_t *lanes, uint64_t revision)
{
    uint64_t  seen;

    seen = atomic_load(&lanes->shared.seen);

    while (seen < revision
           && !atomic_compare_exchange_weak(&lanes->shared.seen, &seen,
                                            revision))
    {
        /* void */
    }

    /* etcd has become another one: what was known of the former says nothing */

    if (seen > revision) {
        atomic_store(&lanes->shared.reached, 0);
        atomic_store(&lanes->shared.told, 0);
        atomic_store(&lanes->shared.kept, 0);
        atomic_store(&lanes->shared.seen, revision);
    }

    /* who waits for a turn looks */

    atomic_fetch_add(&lanes->shared.tells, 1);
    (void) syscall(SYS_futex, &lanes->shared.tells, FUTEX_WAKE, INT_MAX, NULL,
                   NULL, 0);

    return revision > atomic_load(&lanes->shared.kept)
           && atomic_load(&lanes->leader) == 0;
}
