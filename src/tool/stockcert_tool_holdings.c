
/*
 * Whose each certificate is, by replaying the journal.
 *
 * Certificates are in an array for each class, as their numbers have no gaps.
 * Holders are in a tree, which costs the same whatever names there are.  It reads
 * no ledger but in stockcert_holdings_texts().
 */


#define _GNU_SOURCE

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool_holdings.h"


typedef struct {
    stockcert_str_t         code;
    char                    text[STOCKCERT_CODE_MAX];
    stockcert_holding_t    *certificates;  /* the first one's number is 1 */
    size_t                  n;
    size_t                  room;
} stockcert_holdings_class_t;


struct stockcert_holdings_s {
    void                       *parties;   /* tree */
    stockcert_holdings_class_t  classes[STOCKCERT_CLASSES_MAX];
    size_t                      nclasses;

    /* the transaction that is being entered */

    uint64_t                    type;
    uint64_t                    price;     /* of the first in "from", as above */
    stockcert_party_t          *old;       /* who surrenders */
};


static stockcert_rc_e stockcert_holdings_open(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_issue(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_surrender(
    stockcert_holdings_t *holdings, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_change(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_holdings_class_t *stockcert_holdings_class(
    stockcert_holdings_t *holdings, const stockcert_str_t *code);
static stockcert_holding_t *stockcert_holdings_new(
    stockcert_holdings_class_t *class);
static void stockcert_holdings_latest(stockcert_holdings_class_t *class);
static stockcert_rc_e stockcert_holdings_text(stockcert_ledger_t *ledger,
    stockcert_party_t *party, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_copy(stockcert_str_t *to,
    const stockcert_str_t *from, stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_no_memory(stockcert_error_t *error);
static stockcert_rc_e stockcert_holdings_wrong(const stockcert_entry_t *entry,
    stockcert_error_t *error);


stockcert_holdings_t *
stockcert_holdings_create(void)
{
    return calloc(1, sizeof(stockcert_holdings_t));
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


static stockcert_rc_e
stockcert_holdings_open(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_holdings_class_t  *class;

    if (holdings->nclasses == STOCKCERT_CLASSES_MAX
        || entry->code.len > STOCKCERT_CODE_MAX)
    {
        return stockcert_holdings_wrong(entry, error);
    }

    class = &holdings->classes[holdings->nclasses++];
    class->code.data = class->text;
    class->code.len = entry->code.len;
    memcpy(class->text, entry->code.data, entry->code.len);

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_holdings_issue(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_party_t           *party;
    stockcert_holding_t         *holding;
    stockcert_holdings_class_t  *class;

    class = stockcert_holdings_class(holdings, &entry->code);

    if (class == NULL || entry->number != class->n + 1
        || entry->name.len > STOCKCERT_TEXT_MAX)
    {
        return stockcert_holdings_wrong(entry, error);
    }

    party = stockcert_party_who(&holdings->parties, &entry->holder_id,
                                &entry->name);
    holding = stockcert_holdings_new(class);

    if (holding == NULL || party == NULL) {
        return stockcert_holdings_no_memory(error);
    }

    holding->position = entry->position;
    holding->price = entry->price.len ? entry->position
                     : entry->member ? holdings->price : 0;
    holding->party = party;
    holding->outstanding = 1;

    party->outstanding++;

    if (party->started == 0) {
        party->code = &class->code;
        party->number = entry->number;
        party->started = entry->position;
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


static stockcert_holding_t *
stockcert_holdings_new(stockcert_holdings_class_t *class)
{
    size_t                room;
    stockcert_holding_t  *certificates;

    if (class->n == class->room) {
        room = class->room ? 2 * class->room : 1024;
        certificates = reallocarray(class->certificates, room,
                                    sizeof(stockcert_holding_t));

        if (certificates == NULL) {
            return NULL;
        }

        class->certificates = certificates;
        class->room = room;
    }

    return &class->certificates[class->n++];
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
        holdings->old = party;
    }

    holding->outstanding = 0;
    party->outstanding--;

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


static stockcert_holdings_class_t *
stockcert_holdings_class(stockcert_holdings_t *holdings,
    const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < holdings->nclasses; i++) {
        if (stockcert_str_same(&holdings->classes[i].code, code)) {
            return &holdings->classes[i];
        }
    }

    return NULL;
}


stockcert_holding_t *
stockcert_holdings_find(stockcert_holdings_t *holdings,
    const stockcert_str_t *code, uint64_t number)
{
    stockcert_holdings_class_t  *class;

    class = stockcert_holdings_class(holdings, code);

    return class && number && number <= class->n
           ? &class->certificates[number - 1] : NULL;
}


stockcert_party_t *
stockcert_holdings_party(stockcert_holding_t *holding)
{
    return stockcert_party_root(holding->party);
}


int
stockcert_holdings_has(const stockcert_holdings_t *holdings,
    const stockcert_party_key_t *key)
{
    return tfind(key, &holdings->parties, stockcert_party_compare) != NULL;
}


stockcert_rc_e
stockcert_holdings_texts(stockcert_holdings_t *holdings,
    stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    size_t                       i, n;
    stockcert_rc_e               rc;
    stockcert_party_t           *party;
    stockcert_holdings_class_t  *class;

    for (i = 0; i < holdings->nclasses; i++) {
        stockcert_holdings_latest(&holdings->classes[i]);
    }

    rc = STOCKCERT_OK;

    for (i = 0; i < holdings->nclasses; i++) {
        class = &holdings->classes[i];

        for (n = 0; rc == STOCKCERT_OK && n < class->n; n++) {
            party = stockcert_holdings_party(&class->certificates[n]);

            if (party->latest == class->certificates[n].position) {
                rc = stockcert_holdings_text(ledger, party, error);
            }
        }
    }

    return rc;
}


/* one that is outstanding is later than one that is not */

static void
stockcert_holdings_latest(stockcert_holdings_class_t *class)
{
    size_t                n;
    stockcert_party_t    *party;
    stockcert_holding_t  *holding;

    for (n = 0; n < class->n; n++) {
        holding = &class->certificates[n];
        party = stockcert_holdings_party(holding);

        if (holding->outstanding > party->out
            || (holding->outstanding == party->out
                && holding->position > party->latest))
        {
            party->latest = holding->position;
            party->out = holding->outstanding;
        }
    }
}


static stockcert_rc_e
stockcert_holdings_text(stockcert_ledger_t *ledger, stockcert_party_t *party,
    stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    rc = stockcert_ledger_entry(ledger, party->latest, &entry, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_holdings_copy(&party->name, &entry.name, error);
    }

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
