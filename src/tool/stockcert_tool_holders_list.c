
/*
 * The list of stockholders, group by group.
 *
 * It touches no ledger.
 */


#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_holders.h"


static void stockcert_holders_group(stockcert_holders_t *holders);
static int stockcert_holders_same(const stockcert_held_one_t *one,
    const stockcert_held_one_t *two);
static void stockcert_holders_copy(stockcert_str_t *to, char *text,
    const stockcert_str_t *from);


int
stockcert_holders_begin(stockcert_holders_t *holders)
{
    holders->ahead = stockcert_sort_reader(holders->list);
    holders->numbers = stockcert_sort_reader(holders->list);
    holders->capacities = stockcert_sort_reader(holders->list);

    if (!holders->ahead || !holders->numbers || !holders->capacities) {
        return STOCKCERT_EXIT_FAILED;
    }

    holders->there = stockcert_holders_one(holders, holders->ahead,
                                           &holders->next);

    return holders->status;
}


int
stockcert_holders_one(stockcert_holders_t *holders,
    stockcert_sort_reader_t *reader, stockcert_held_one_t *one)
{
    int             status;
    size_t          len;
    const uint8_t  *record;

    status = stockcert_sort_next(reader, &record, &len);

    if (status != STOCKCERT_EXIT_OK) {
        holders->status = status;
        return 0;
    }

    if (record == NULL) {
        return 0;
    }

    stockcert_held_one_get(one, record, len);

    return 1;
}


int
stockcert_holders_next(stockcert_holders_t *holders, int by_capacity)
{
    stockcert_held_group_t  *group;

    if (!holders->there || holders->status != STOCKCERT_EXIT_OK) {
        return 0;
    }

    stockcert_holders_group(holders);

    group = &holders->group;
    group->shares = 0;

    for (group->n = 0; holders->there; group->n++) {

        if (!stockcert_holders_same(&holders->next, &group->first)
            || !stockcert_str_same(&holders->next.code, &group->first.code)
            || (by_capacity
                && !stockcert_str_same(&holders->next.capacity,
                                       &group->first.capacity)))
        {
            break;
        }

        group->shares += holders->next.shares;

        holders->there = stockcert_holders_one(holders, holders->ahead,
                                               &holders->next);
    }

    return holders->status == STOCKCERT_EXIT_OK;
}


/* begins with what comes next */

static void
stockcert_holders_group(stockcert_holders_t *holders)
{
    int                            same_class;
    size_t                         i;
    stockcert_held_group_t        *group;
    const stockcert_held_one_t    *next;

    group = &holders->group;
    next = &holders->next;

    group->holder = !stockcert_holders_same(next, &group->first);
    same_class = stockcert_str_same(&next->code, &group->first.code);

    stockcert_holders_copy(&group->first.name, group->texts[0], &next->name);
    stockcert_holders_copy(&group->first.id, group->texts[1], &next->id);
    stockcert_holders_copy(&group->first.address, group->texts[2],
                           &next->address);
    stockcert_holders_copy(&group->first.code, group->texts[3], &next->code);
    stockcert_holders_copy(&group->first.capacity, group->texts[4],
                           &next->capacity);

    for (i = 0; (group->holder || !same_class) && i < holders->nclasses; i++) {
        if (stockcert_str_same(&holders->classes[i]->code, &next->code)) {
            holders->classes[i]->holders++;
        }
    }
}


static int
stockcert_holders_same(const stockcert_held_one_t *one,
    const stockcert_held_one_t *two)
{
    return stockcert_str_same(&one->name, &two->name)
           && stockcert_str_same(&one->id, &two->id);
}


static void
stockcert_holders_copy(stockcert_str_t *to, char *text,
    const stockcert_str_t *from)
{
    to->len = from->len < STOCKCERT_TEXT_MAX ? from->len : STOCKCERT_TEXT_MAX;
    memcpy(text, from->data, to->len);
    to->data = text;
}


void
stockcert_holders_end(stockcert_holders_t *holders)
{
    stockcert_sort_reader_free(holders->ahead);
    stockcert_sort_reader_free(holders->numbers);
    stockcert_sort_reader_free(holders->capacities);
    stockcert_sort_free(holders->list);
}
