
/*
 * Clients: what they ask for, and whether what they are told is true.
 */


#include "world.h"


static void client_fill(worker_t *worker, ask_t *ask);
static void client_told(worker_t *worker, attempt_t *attempt,
    const stockcert_outcome_t *outcome);


ask_t *
client_new(int order)
{
    ask_t  *ask;

    ask = &world.asks[world.nasks];

    memset(ask, 0, sizeof(ask_t));

    ask->id = world.nasks++;
    ask->order = order;
    ask->keyed = chance(3) == 0;
    ask->class = (int) chance(CLASSES);
    ask->amount = 1 + chance(9);
    ask->begins = world.len;

    snprintf(ask->name, sizeof(ask->name), "A%u", ask->id);
    snprintf(ask->key, sizeof(ask->key), "K%u", ask->id);

    if (ask->id < TWINS) {
        ask->order = 0;
        ask->keyed = 0;
        ask->twin = 1;
        ask->class = 0;
        ask->amount = 1;

    } else if (order) {
        ask->class = 0;
        ask->amount = chance(2) ? 0 : ask->amount;
        ask->number = 1 + chance(1 + (world.len
                                      ? world.log[world.len - 1].last[0] : 0));
    }

    return ask;
}


/* a new ask, or an earlier one again, on any machine */

static ask_t *
client_choose(void)
{
    int     order;
    ask_t  *ask;

    while (world.nasks < TWINS) {
        (void) client_new(0);
    }

    if (happens(world.profile.twins)) {
        return &world.asks[chance(TWINS)];
    }

    if (chance(4) == 0 || world.nasks == ASKS) {
        ask = &world.asks[chance(world.nasks)];

        return ask->keyed ? ask : NULL;
    }

    order = happens(world.profile.orders);

    return client_new(order);
}


void
client_ask(worker_t *worker)
{
    ask_t  *ask;

    if (worker->ledger == NULL) {
        return;
    }

    ask = client_choose();

    if (ask == NULL || (ask->order && worker->order)) {
        return;
    }

    ask->waiting++;

    if (ask->order) {
        order_put(worker, ask);

    } else {
        client_fill(worker, ask);
    }
}


static void
client_fill(worker_t *worker, ask_t *ask)
{
    uint64_t            filled;
    attempt_t          *attempt;
    stockcert_lane_t   *lane;
    stockcert_grant_t   grant;

    memset(&grant, 0, sizeof(stockcert_grant_t));

    grant.amount = ask->amount;
    grant.code_len = 2;
    memcpy(grant.code, class_codes[ask->class], 2);
    grant.name_len = (uint8_t) strlen(ask->name);
    memcpy(grant.name, ask->name, grant.name_len);

    if (ask->keyed) {
        grant.key_len = (uint8_t) strlen(ask->key);
        memcpy(grant.key, ask->key, grant.key_len);
    }

    lane = &worker->machine->lanes->lanes[worker->n];
    filled = stockcert_lane_filled(lane);

    if (stockcert_lane_fill(worker->machine->lanes, lane, worker->answered,
                            &grant) != 0)
    {
        trace("%u.%u has no room", worker->machine->n, worker->n);
        ask->waiting--;
        return;
    }

    attempt = &worker->attempts[filled % STOCKCERT_LANE_SLOTS];
    attempt->ask = ask;
    attempt->since = world.len;

    trace("%u.%u is asked for %s of %s%s, at %" PRIu64, worker->machine->n,
          worker->n, ask->name, class_codes[ask->class],
          ask->keyed ? ", by key" : "", filled);
}


/* some, or all, of its clients have a 500 */

void
client_late(worker_t *worker)
{
    uint64_t           position, filled;
    attempt_t         *attempt;
    stockcert_lane_t  *lane;

    if (worker->order && !worker->task.runs && chance(2)) {
        order_tell(worker, 1);
        return;
    }

    lane = &worker->machine->lanes->lanes[worker->n];
    filled = stockcert_lane_filled(lane);

    if (worker->answered == filled) {
        return;
    }

    filled = worker->answered + 1 + chance(filled - worker->answered);

    seen(SEEN_LATE);
    trace("%u.%u: clients below %" PRIu64 " are told 500", worker->machine->n,
          worker->n, filled);

    for (position = worker->answered; position < filled; position++) {
        attempt = &worker->attempts[position % STOCKCERT_LANE_SLOTS];

        if (attempt->ask) {
            attempt->ask->waiting--;
            attempt->ask->unknown++;
            attempt->ask = NULL;
        }
    }

    stockcert_lane_give_up(lane, filled);
}


/* the process dies */

void
client_leave(worker_t *worker)
{
    size_t      i;
    attempt_t  *attempt;

    for (i = 0; i < STOCKCERT_LANE_SLOTS; i++) {
        attempt = &worker->attempts[i];

        if (attempt->ask) {
            attempt->ask->waiting--;
            attempt->ask->unknown++;
            attempt->ask = NULL;
        }
    }

    if (worker->order) {
        worker->order->attempt.ask->waiting--;
        worker->order->attempt.ask->unknown++;
        free(worker->order);
        worker->order = NULL;
    }
}


void
client_tell(worker_t *worker)
{
    uint64_t           settled;
    attempt_t         *attempt;
    stockcert_slot_t  *slot;
    stockcert_lane_t  *lane;

    lane = &worker->machine->lanes->lanes[worker->n];
    settled = stockcert_lane_settled(lane);

    /* it is not, where an earlier worker died */

    for ( /* void */ ; worker->answered < settled; worker->answered++) {
        slot = stockcert_lane_slot(lane, worker->answered);
        attempt = &worker->attempts[worker->answered % STOCKCERT_LANE_SLOTS];

        if (attempt->ask) {
            client_told(worker, attempt, &slot->outcome);
            attempt->ask = NULL;
        }
    }
}


/* a certificate is his who was told first, without "replayed" */

void
client_issued(ask_t *ask, uint64_t position, uint64_t number,
    const uint8_t *seal, int replayed)
{
    record_t  *record;

    if (position == 0 || position > world.len) {
        fail("%s is told entry %" PRIu64 ", which is not in the journal",
             ask->name, position);
    }

    record = &world.log[position - 1];

    if (record->ask != ask->id + 1
        || (seal && (memcmp(record->seal, seal, STOCKCERT_SEAL_LEN) != 0
                     || record->number != number)))
    {
        fail("%s is told entry %" PRIu64 ", which is another one", ask->name,
             position);
    }

    if (ask->keyed && ask->position && ask->position != position) {
        fail("%s has two entries", ask->name);
    }

    ask->position = position;

    if (replayed) {
        seen(SEEN_REPLAYED);
        ask->replayed++;
        return;
    }

    if (world.claims[position - 1]) {
        fail("entry %" PRIu64 " is told to two clients", position);
    }

    world.claims[position - 1] = ask->id + 1;

    ask->issued++;
}


/* what has become of a certificate that was issued before */

static void
client_became(const ask_t *ask, const stockcert_outcome_t *outcome,
    uint64_t since)
{
    uint64_t  gone;

    gone = world.log[outcome->position - 1].gone;

    if (outcome->transaction ? outcome->transaction != gone
                             : gone && gone <= since)
    {
        fail("%s is told of transaction %" PRIu64 ", and it was %" PRIu64,
             ask->name, outcome->transaction, gone);
    }
}


static void
client_told(worker_t *worker, attempt_t *attempt,
    const stockcert_outcome_t *outcome)
{
    ask_t     *ask;
    uint64_t   since;

    ask = attempt->ask;
    ask->waiting--;

    trace("%u.%u tells %s: %d%s, entry %" PRIu64, worker->machine->n,
          worker->n, ask->name, outcome->status,
          outcome->replayed ? " replayed" : "", outcome->position);

    since = attempt->since < worker->machine->locked
            ? attempt->since : worker->machine->locked;

    switch (outcome->status) {

    case STOCKCERT_ISSUED:
        seen(SEEN_ISSUED);
        client_issued(ask, outcome->position, outcome->number, outcome->seal,
                      outcome->replayed);

        if (outcome->replayed) {
            client_became(ask, outcome, since);
        }

        return;

    case STOCKCERT_GIVEN_UP:
        seen(SEEN_TOLD_GIVEN_UP);
        ask->unknown++;
        return;

    case STOCKCERT_INSUFFICIENT:
        seen(SEEN_INSUFFICIENT);

        if (!log_was(since, ask->class, (int64_t) ask->amount - 1)) {
            fail("%s is told that %s has no shares left, and it had",
                 ask->name, class_codes[ask->class]);
        }

        break;

    case STOCKCERT_NO_CLASS:
        seen(SEEN_NO_CLASS);

        if (!log_was(since, ask->class, -1)) {
            fail("%s is told that there is no class %s, and there was",
                 ask->name, class_codes[ask->class]);
        }

        break;

    case STOCKCERT_UNAVAILABLE:
        seen(SEEN_UNAVAILABLE);
        break;

    case STOCKCERT_NO_ROOM:
        seen(SEEN_NO_ROOM);
        break;

    default:
        fail("%s is told %d", ask->name, outcome->status);
    }

    ask->refused++;
}


