
/*
 * From what befell each holder to the list of certificates.  It goes through
 * the events of a holder twice: first for the holder's name, id and address, then
 * for the certificates, which have these in the list.
 *
 * It touches no ledger.
 */


#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_holders.h"


/* a text of its own */

typedef struct {
    size_t                    len;
    char                      text[1 + STOCKCERT_TEXT_MAX];
} stockcert_held_text_t;


/*
 * What a holder has in a period.  Who has nothing any more is forgotten, and the
 * address, too.
 */

typedef struct {
    uint64_t                  period;
    uint64_t                  certificates;
    uint64_t                  addressed;   /* position of the address, or 0 */
    stockcert_held_text_t     address;
} stockcert_held_period_t;


/* a holder, as the events are read */

typedef struct {
    stockcert_held_text_t     who;
    stockcert_held_text_t     name;        /* of the latest certificate */
    uint64_t                  latest;      /* its position, or 0 */
    uint64_t                  outstanding; /* certificates */
    uint64_t                  n;           /* events */
    stockcert_held_period_t   now;
    stockcert_held_period_t  *before;      /* those that ended when a name got
                                              this id, one for each */
    size_t                    nbefore;
    size_t                    joined;      /* of these, so far */
    size_t                    room;
} stockcert_holder_t;


typedef struct {
    stockcert_holders_t      *holders;
    stockcert_sort_reader_t  *ahead;
    stockcert_sort_reader_t  *behind;
    stockcert_held_event_t    next;        /* of "ahead" */
    unsigned                  there:1;     /* is that */
    stockcert_holder_t        holder;
} stockcert_holders_fold_t;


static int stockcert_holders_fold_all(stockcert_holders_fold_t *fold,
    uint64_t n);
static int stockcert_holders_fold_event(stockcert_sort_reader_t *reader,
    stockcert_held_event_t *event, int *there);
static int stockcert_holders_fold_one(stockcert_holders_fold_t *fold);
static int stockcert_holder_event(stockcert_holder_t *holder,
    const stockcert_held_event_t *event);
static int stockcert_holder_turn(stockcert_holder_t *holder, uint64_t period);
static void stockcert_holder_join(stockcert_holder_t *holder,
    uint64_t position);
static int stockcert_holders_fold_list(stockcert_holders_fold_t *fold);
static int stockcert_holders_is_listed(const stockcert_holders_t *holders,
    const stockcert_str_t *code);
static void stockcert_held_keep(stockcert_held_text_t *to,
    const stockcert_str_t *from);
static stockcert_str_t stockcert_held_text(const stockcert_held_text_t *text);
static int stockcert_holders_fold_wrong(void);


int
stockcert_holders_fold(stockcert_holders_t *holders, stockcert_sort_t *events,
    uint64_t n)
{
    int                       status;
    stockcert_holders_fold_t  fold;

    memset(&fold, 0, sizeof(stockcert_holders_fold_t));

    fold.holders = holders;

    status = stockcert_sort_end(events);
    if (status != STOCKCERT_EXIT_OK) {
        return status;
    }

    holders->list = stockcert_sort_create();
    fold.ahead = stockcert_sort_reader(events);
    fold.behind = stockcert_sort_reader(events);

    status = holders->list && fold.ahead && fold.behind
             ? stockcert_holders_fold_all(&fold, n) : STOCKCERT_EXIT_FAILED;

    stockcert_sort_reader_free(fold.ahead);
    stockcert_sort_reader_free(fold.behind);
    free(fold.holder.before);

    return status == STOCKCERT_EXIT_OK ? stockcert_sort_end(holders->list)
                                       : status;
}


static int
stockcert_holders_fold_all(stockcert_holders_fold_t *fold, uint64_t n)
{
    int       status, there;
    uint64_t  done;

    status = stockcert_holders_fold_event(fold->ahead, &fold->next, &there);

    fold->there = (there != 0);

    for (done = 0; status == STOCKCERT_EXIT_OK && fold->there;
         done += fold->holder.n)
    {
        status = stockcert_holders_fold_one(fold);

        if (status == STOCKCERT_EXIT_OK) {
            status = stockcert_holders_fold_list(fold);
        }

        stockcert_tool_progress("holders", "events", done, n);
    }

    return status;
}


static int
stockcert_holders_fold_event(stockcert_sort_reader_t *reader,
    stockcert_held_event_t *event, int *there)
{
    int             status;
    size_t          len;
    const uint8_t  *record;

    status = stockcert_sort_next(reader, &record, &len);

    *there = (status == STOCKCERT_EXIT_OK && record);

    if (*there) {
        stockcert_held_event_get(event, record, len);
    }

    return status;
}


/* all events of the holder that comes next */

static int
stockcert_holders_fold_one(stockcert_holders_fold_t *fold)
{
    int                  status, there;
    stockcert_str_t      who, is;
    stockcert_holder_t  *holder;

    holder = &fold->holder;

    stockcert_held_keep(&holder->who, &fold->next.who);
    who = stockcert_held_text(&holder->who);

    /* who has no id is known by name, and has no other */

    is = who;
    is.data++;
    is.len--;
    stockcert_held_keep(&holder->name, &is);

    holder->latest = 0;
    holder->outstanding = 0;
    holder->n = 0;
    holder->nbefore = 0;
    holder->joined = 0;

    memset(&holder->now, 0, sizeof(stockcert_held_period_t));
    holder->now.period = fold->next.period;

    do {
        status = stockcert_holder_event(holder, &fold->next);

        if (status == STOCKCERT_EXIT_OK) {
            holder->n++;
            status = stockcert_holders_fold_event(fold->ahead, &fold->next,
                                                  &there);
            fold->there = (there != 0);
        }

    } while (status == STOCKCERT_EXIT_OK && fold->there
             && stockcert_str_same(&fold->next.who, &who));

    if (status == STOCKCERT_EXIT_OK
        && (holder->now.period != STOCKCERT_HELD_LAST
            || holder->now.certificates != holder->outstanding))
    {
        return stockcert_holders_fold_wrong();
    }

    return status;
}


static int
stockcert_holder_event(stockcert_holder_t *holder,
    const stockcert_held_event_t *event)
{
    int                       status;
    stockcert_held_period_t  *now;

    now = &holder->now;

    if (event->period != now->period) {
        status = stockcert_holder_turn(holder, event->period);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    stockcert_holder_join(holder, event->position);

    if (event->event == STOCKCERT_HELD_SURRENDERED) {

        if (now->certificates == 0) {
            return stockcert_holders_fold_wrong();
        }

        if (--now->certificates == 0) {
            now->addressed = 0;
            now->address.len = 0;
        }

        return STOCKCERT_EXIT_OK;
    }

    if (event->event != STOCKCERT_HELD_CHANGED) {
        now->certificates++;
    }

    if (event->address.len) {
        now->addressed = event->position;
        stockcert_held_keep(&now->address, &event->address);
    }

    if (event->event == STOCKCERT_HELD_ISSUED) {
        holder->outstanding++;

        if (event->position > holder->latest) {
            holder->latest = event->position;

            if (event->one.name.len) {
                stockcert_held_keep(&holder->name, &event->one.name);
            }
        }
    }

    return STOCKCERT_EXIT_OK;
}


/* a period begins, and what there was in the one before it is kept for later */

static int
stockcert_holder_turn(stockcert_holder_t *holder, uint64_t period)
{
    size_t                    room;
    stockcert_held_period_t  *before;

    if (holder->nbefore == holder->room) {
        room = holder->room ? 2 * holder->room : 8;
        before = realloc(holder->before,
                         room * sizeof(stockcert_held_period_t));

        if (before == NULL) {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                        "there is no memory");
        }

        holder->before = before;
        holder->room = room;
    }

    holder->before[holder->nbefore++] = holder->now;

    memset(&holder->now, 0, sizeof(stockcert_held_period_t));
    holder->now.period = period;

    return STOCKCERT_EXIT_OK;
}


/* in the last period, up to an event: those that ended before it */

static void
stockcert_holder_join(stockcert_holder_t *holder, uint64_t position)
{
    stockcert_held_period_t  *now, *before;

    now = &holder->now;

    if (now->period != STOCKCERT_HELD_LAST) {
        return;
    }

    for ( /* void */ ; holder->joined < holder->nbefore; holder->joined++) {
        before = &holder->before[holder->joined];

        if (before->period > position) {
            return;
        }

        now->certificates += before->certificates;

        if (before->addressed > now->addressed) {
            now->addressed = before->addressed;
            now->address = before->address;
        }
    }
}


/* the same events, once more */

static int
stockcert_holders_fold_list(stockcert_holders_fold_t *fold)
{
    int                      status, there;
    uint64_t                 i;
    stockcert_holder_t      *holder;
    stockcert_held_event_t   event;
    stockcert_held_bytes_t   bytes;

    holder = &fold->holder;

    for (i = 0; i < holder->n; i++) {
        status = stockcert_holders_fold_event(fold->behind, &event, &there);

        if (status == STOCKCERT_EXIT_OK && there
            && event.event == STOCKCERT_HELD_ISSUED
            && stockcert_holders_is_listed(fold->holders, &event.one.code))
        {
            event.one.name = stockcert_held_text(&holder->name);
            event.one.address = stockcert_held_text(&holder->now.address);

            if (holder->who.text[0] == 'i') {
                event.one.id.data = holder->who.text + 1;
                event.one.id.len = holder->who.len - 1;
            }

            stockcert_held_one_put(&bytes, &event.one);

            status = stockcert_sort_add(fold->holders->list, bytes.bytes,
                                        bytes.len);
        }

        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_holders_is_listed(const stockcert_holders_t *holders,
    const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < holders->nclasses; i++) {
        if (stockcert_str_same(&holders->classes[i]->code, code)) {
            return 1;
        }
    }

    return 0;
}


static void
stockcert_held_keep(stockcert_held_text_t *to, const stockcert_str_t *from)
{
    to->len = from->len < sizeof(to->text) ? from->len : sizeof(to->text);
    memcpy(to->text, from->data, to->len);
}


static stockcert_str_t
stockcert_held_text(const stockcert_held_text_t *text)
{
    stockcert_str_t  str;

    str.data = text->text;
    str.len = text->len;

    return str;
}


static int
stockcert_holders_fold_wrong(void)
{
    return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "what the ledger says of "
                                "its certificates is not what its journal says: "
                                "see \"stockcert verify\"");
}
