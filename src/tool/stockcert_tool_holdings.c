
/*
 * Who holds what, by replaying the journal.
 *
 * Certificates and holders are in trees, which cost the same whatever names
 * there are.  It reads no ledger but in stockcert_holdings_list().
 */


#define _GNU_SOURCE

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_tool_holdings.h"


struct stockcert_holdings_s {
    unsigned            all:1;
    void               *certificates;      /* trees */
    void               *parties;
    size_t              ncertificates;
    stockcert_held_t   *classes[STOCKCERT_CLASSES_MAX];
    size_t              nclasses;

    /* the transaction that is being entered */

    uint64_t            type;
    uint64_t            price;             /* of the first in "from", as above */
    stockcert_party_t  *old;               /* who surrenders; with all only */
};


typedef struct {
    stockcert_holding_t  **list;
    size_t                 n;
} stockcert_holdings_walk_t;


static stockcert_rc_e stockcert_holdings_open(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_issue(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_surrender(
    stockcert_holdings_t *holdings, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_change(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_held_t *stockcert_holdings_class(
    const stockcert_holdings_t *holdings, const stockcert_str_t *code);
static stockcert_rc_e stockcert_holdings_texts(stockcert_ledger_t *ledger,
    stockcert_holding_t *holding, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_copy(stockcert_str_t *to,
    const stockcert_str_t *from, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_no_memory(stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_wrong(const stockcert_entry_t *entry,
    stockcert_error_t *error);
static int stockcert_holdings_compare(const void *one, const void *two);
static void stockcert_holdings_visit(const void *node, VISIT visit,
    void *data);


stockcert_holdings_t *
stockcert_holdings_create(int all)
{
    stockcert_holdings_t  *holdings;

    holdings = calloc(1, sizeof(stockcert_holdings_t));

    if (holdings) {
        holdings->all = (all != 0);
    }

    return holdings;
}


stockcert_rc_e
stockcert_holdings_apply(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    switch (entry->kind) {

    case STOCKCERT_CLASS_OPENED:
        return stockcert_holdings_open(holdings, entry, error);

    case STOCKCERT_CERTIFICATE_ISSUED:
        return stockcert_holdings_issue(holdings, entry, error);

    case STOCKCERT_CERTIFICATE_SURRENDERED:
        return stockcert_holdings_surrender(holdings, entry, error);

    case STOCKCERT_HOLDER_CHANGED:
        return stockcert_holdings_change(holdings, entry, error);

    case STOCKCERT_CLASS_AMENDED:
    case STOCKCERT_KIND_END:
        break;
    }

    return STOCKCERT_OK;
}


/* in the order of the codes */

static stockcert_rc_e
stockcert_holdings_open(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    size_t             i;
    stockcert_held_t  *class;

    if (holdings->nclasses == STOCKCERT_CLASSES_MAX
        || entry->code.len > STOCKCERT_CODE_MAX
        || entry->title.len > STOCKCERT_TEXT_MAX)
    {
        return stockcert_holdings_wrong(entry, error);
    }

    class = calloc(1, sizeof(stockcert_held_t));
    if (class == NULL) {
        return stockcert_holdings_no_memory(error);
    }

    class->code.data = class->texts;
    class->code.len = entry->code.len;
    class->title.data = class->texts + STOCKCERT_CODE_MAX;
    class->title.len = entry->title.len;

    memcpy(class->texts, entry->code.data, entry->code.len);
    memcpy(class->texts + STOCKCERT_CODE_MAX, entry->title.data,
           entry->title.len);

    for (i = holdings->nclasses++; i > 0; i--) {

        if (strncmp(holdings->classes[i - 1]->texts, class->texts,
                    STOCKCERT_CODE_MAX)
            < 0)
        {
            break;
        }

        holdings->classes[i] = holdings->classes[i - 1];
    }

    holdings->classes[i] = class;

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_holdings_issue(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    void                 *found;
    stockcert_held_t     *class;
    stockcert_party_t    *party;
    stockcert_holding_t  *holding;

    class = stockcert_holdings_class(holdings, &entry->code);
    if (class == NULL || entry->name.len > STOCKCERT_TEXT_MAX) {
        return stockcert_holdings_wrong(entry, error);
    }

    holding = calloc(1, sizeof(stockcert_holding_t));
    party = stockcert_party_who(&holdings->parties, &entry->holder_id, &entry->name);

    if (holding == NULL || party == NULL) {
        free(holding);
        return stockcert_holdings_no_memory(error);
    }

    holding->class = class;
    holding->number = entry->number;
    holding->shares = entry->shares;
    holding->position = entry->position;
    holding->price = entry->price.len ? entry->position
                     : entry->member ? holdings->price : 0;
    holding->party = party;
    holding->outstanding = 1;
    holding->capacity_len = (uint8_t) entry->capacity.len;

    found = tsearch(holding, &holdings->certificates,
                    stockcert_holdings_compare);

    if (found == NULL || *(stockcert_holding_t **) found != holding) {
        free(holding);
        return found ? stockcert_holdings_wrong(entry, error)
                     : stockcert_holdings_no_memory(error);
    }

    holdings->ncertificates++;
    class->shares += entry->shares;
    class->certificates++;
    party->refs++;
    party->outstanding++;

    if (holdings->all && party->first == NULL) {
        party->first = holding;
        party->started = holding->position;
    }

    if (entry->address.len) {
        party->addressed = entry->position;
    }

    /* who surrendered the last one, and has another name or id now */

    if (entry->member && holdings->type == STOCKCERT_REISSUE && holdings->old
        && holdings->old != party && holdings->old->outstanding == 0)
    {
        stockcert_party_is(&holdings->parties, holdings->old, party);
        holdings->old = NULL;
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_holdings_surrender(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_party_t    *party;
    stockcert_holding_t  *holding;

    holding = stockcert_holdings_find(holdings, &entry->code, entry->number);
    if (holding == NULL || !holding->outstanding) {
        return stockcert_holdings_wrong(entry, error);
    }

    party = stockcert_holdings_party(holding);

    if (entry->member == 1) {
        holdings->type = entry->type;
        holdings->price = holding->price;
        holdings->old = holdings->all ? party : NULL;
    }

    holding->class->shares -= holding->shares;
    holding->class->certificates--;
    holding->outstanding = 0;
    party->outstanding--;

    if (!holdings->all) {
        (void) tdelete(holding, &holdings->certificates,
                       stockcert_holdings_compare);
        stockcert_party_drop(&holdings->parties, holding->party);
        free(holding);
        holdings->ncertificates--;
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_holdings_change(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_party_t    *party, *same;
    stockcert_holding_t  *holding;

    holding = stockcert_holdings_find(holdings, &entry->code, entry->number);
    if (holding == NULL || !holding->outstanding) {
        return stockcert_holdings_wrong(entry, error);
    }

    party = stockcert_holdings_party(holding);

    if (entry->holder_id.len && party->key.by_id) {
        return stockcert_holdings_wrong(entry, error);
    }

    if (entry->holder_id.len) {
        same = stockcert_party_who(&holdings->parties, &entry->holder_id, NULL);
        if (same == NULL) {
            return stockcert_holdings_no_memory(error);
        }

        stockcert_party_is(&holdings->parties, party, same);
        party = same;
    }

    if (entry->address.len) {
        party->addressed = entry->position;
    }

    return STOCKCERT_OK;
}


static stockcert_held_t *
stockcert_holdings_class(const stockcert_holdings_t *holdings,
    const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < holdings->nclasses; i++) {
        if (stockcert_str_same(&holdings->classes[i]->code, code)) {
            return holdings->classes[i];
        }
    }

    return NULL;
}


stockcert_held_t **
stockcert_holdings_classes(stockcert_holdings_t *holdings, size_t *n)
{
    *n = holdings->nclasses;

    return holdings->classes;
}


stockcert_holding_t *
stockcert_holdings_find(stockcert_holdings_t *holdings,
    const stockcert_str_t *code, uint64_t number)
{
    void                *found;
    stockcert_holding_t  key;

    key.class = stockcert_holdings_class(holdings, code);
    key.number = number;

    found = tfind(&key, &holdings->certificates, stockcert_holdings_compare);

    return found ? *(stockcert_holding_t **) found : NULL;
}


stockcert_party_t *
stockcert_holdings_party(stockcert_holding_t *holding)
{
    return stockcert_party_root(holding->party);
}


stockcert_rc_e
stockcert_holdings_list(stockcert_holdings_t *holdings,
    stockcert_ledger_t *ledger, stockcert_holding_t ***list, size_t *n,
    stockcert_error_t *error)
{
    size_t                     i;
    stockcert_rc_e             rc;
    stockcert_party_t         *party;
    stockcert_holding_t       *latest, *holding;
    stockcert_holdings_walk_t  walk;

    walk.n = 0;
    walk.list = malloc((holdings->ncertificates + 1)
                       * sizeof(stockcert_holding_t *));

    if (walk.list == NULL) {
        return stockcert_holdings_no_memory(error);
    }

    twalk_r(holdings->certificates, stockcert_holdings_visit, &walk);

    /* one that is outstanding is later than one that is not */

    for (i = 0; i < walk.n; i++) {
        holding = walk.list[i];
        party = stockcert_holdings_party(holding);
        latest = party->latest;

        if (latest == NULL || holding->outstanding > latest->outstanding
            || (holding->outstanding == latest->outstanding
                && holding->position > latest->position))
        {
            party->latest = holding;
        }
    }

    rc = STOCKCERT_OK;

    for (i = 0; rc == STOCKCERT_OK && i < walk.n; i++) {
        rc = stockcert_holdings_texts(ledger, walk.list[i], error);
    }

    if (rc != STOCKCERT_OK) {
        free(walk.list);
        return rc;
    }

    *list = walk.list;
    *n = walk.n;

    return STOCKCERT_OK;
}


/* of a certificate, and of its holder if it is the latest one */

static stockcert_rc_e
stockcert_holdings_texts(stockcert_ledger_t *ledger,
    stockcert_holding_t *holding, stockcert_error_t *error)
{
    stockcert_rc_e      rc;
    stockcert_str_t     capacity;
    stockcert_entry_t   entry;
    stockcert_party_t  *party;

    party = stockcert_holdings_party(holding);

    if (holding->capacity_len == 0 && holding != party->latest) {
        return STOCKCERT_OK;
    }

    rc = stockcert_ledger_entry(ledger, holding->position, &entry, error);

    if (rc == STOCKCERT_OK && holding->capacity_len) {
        rc = stockcert_holdings_copy(&capacity, &entry.capacity, error);
        holding->capacity = (char *) capacity.data;
    }

    if (rc != STOCKCERT_OK || holding != party->latest) {
        return rc;
    }

    rc = stockcert_holdings_copy(&party->name, &entry.name, error);

    if (party->key.by_id) {
        party->id = party->key.text;
    }

    if (rc == STOCKCERT_OK && party->addressed) {
        rc = stockcert_ledger_entry(ledger, party->addressed, &entry, error);

        if (rc == STOCKCERT_OK) {
            rc = stockcert_holdings_copy(&party->address, &entry.address,
                                         error);
        }
    }

    return rc;
}


static stockcert_rc_e
stockcert_holdings_copy(stockcert_str_t *to, const stockcert_str_t *from,
    stockcert_error_t *error)
{
    to->data = strndup(from->data, from->len);
    to->len = from->len;

    return to->data ? STOCKCERT_OK : stockcert_holdings_no_memory(error);
}


static stockcert_rc_e
stockcert_holdings_no_memory(stockcert_error_t *error)
{
    snprintf(error->text, sizeof(error->text), "there is no memory for all its "
             "holders");

    return STOCKCERT_FAILED;
}


static stockcert_rc_e
stockcert_holdings_wrong(const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    snprintf(error->text, sizeof(error->text), "entry %" PRIu64 " is not one "
             "that can follow those before it", entry->position);

    return STOCKCERT_FAILED;
}


static int
stockcert_holdings_compare(const void *one, const void *two)
{
    int                         order;
    const stockcert_holding_t  *a, *b;

    a = one;
    b = two;

    if (a->class != b->class) {

        if (a->class == NULL || b->class == NULL) {
            return a->class ? 1 : -1;
        }

        order = strncmp(a->class->texts, b->class->texts, STOCKCERT_CODE_MAX);
        if (order) {
            return order;
        }
    }

    return (a->number > b->number) - (a->number < b->number);
}


static void
stockcert_holdings_visit(const void *node, VISIT visit, void *data)
{
    stockcert_holdings_walk_t  *walk;

    walk = data;

    if (visit == postorder || visit == leaf) {
        walk->list[walk->n++] = *(stockcert_holding_t *const *) node;
    }
}
