
/*
 * Orders: a worker has at most one that waits.
 */


#include "world.h"


void
order_put(worker_t *worker, ask_t *ask)
{
    order_t  *order;

    order = calloc(1, sizeof(order_t));

    order->attempt.ask = ask;
    order->attempt.since = world.len;
    order->turn.order = &order->order;

    memset(order->request, (int) ask->id, STOCKCERT_HASH_LEN);

    order->order.first.type = ask->amount ? STOCKCERT_TRANSFER
                                          : STOCKCERT_CANCEL;
    order->order.first.reference.data = ask->name;
    order->order.first.reference.len = strlen(ask->name);

    if (ask->keyed) {
        order->order.first.request.data = (char *) order->request;
        order->order.first.request.len = STOCKCERT_HASH_LEN;
        stockcert_order_set_key(&order->order, ask->key, strlen(ask->key));
    }

    order->order.nfrom = 1;
    order->order.from[0].code_len = 2;
    memcpy(order->order.from[0].code, class_codes[ask->class], 2);
    order->order.from[0].number = ask->number;

    if (ask->amount) {
        order->to.name.data = "Bob";
        order->to.name.len = 3;
        order->to.shares = ask->amount;
        order->order.to = &order->to;
        order->order.nto = 1;
        order->order.has_to = 1;
    }

    worker->order = order;

    trace("%u.%u has order %s on %s-%" PRIu64, worker->machine->n, worker->n,
          ask->name, class_codes[ask->class], ask->number);
}


/* if its outcome is known, or nobody waits for that any more */

void
order_tell(worker_t *worker, int gives_up)
{
    ask_t                   *ask;
    order_t                 *order;
    uint64_t                 since;
    stockcert_transacted_t  *done;

    order = worker->order;
    ask = order->attempt.ask;
    done = &order->turn.done;

    if (done->status == STOCKCERT_WAITING && !gives_up) {
        return;
    }

    since = order->attempt.since < worker->machine->locked
            ? order->attempt.since : worker->machine->locked;

    trace("%u.%u tells order %s: %d%s, entry %" PRIu64, worker->machine->n,
          worker->n, ask->name, done->status, done->replayed ? " replayed" : "",
          done->transaction);

    ask->waiting--;

    switch (done->status) {

    case STOCKCERT_WAITING:

        if (order->turn.write.noted.position) {
            ask->unknown++;

        } else {
            ask->refused++;
        }

        break;

    case STOCKCERT_ISSUED:
        seen(SEEN_ORDERS);
        client_issued(ask, done->transaction, 0, NULL, done->replayed);
        break;

    case STOCKCERT_NEVER_ISSUED:

        if (!log_lacked(since, ask->class, ask->number)) {
            fail("order %s is told that its certificate was never issued",
                 ask->name);
        }

        ask->refused++;
        break;

    case STOCKCERT_NOT_OUTSTANDING:

        if (done->transaction == 0 || done->transaction > world.len
            || world.log[done->transaction - 1].surrendered != ask->number)
        {
            fail("order %s is told of another surrender", ask->name);
        }

        /* fall through */

    case STOCKCERT_INVALID:
    case STOCKCERT_UNAVAILABLE:
    case STOCKCERT_NO_ROOM:
        seen(SEEN_ORDERS_REFUSED);
        ask->refused++;
        break;

    default:
        fail("order %s is told %d", ask->name, done->status);
    }

    free(order);
    worker->order = NULL;
}
