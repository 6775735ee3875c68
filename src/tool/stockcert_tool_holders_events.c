
/*
 * What each entry of the journal is for a holder: it gets a certificate, has one
 * no more, or gets an id or an address.
 *
 * It reads the ledger: what became of a certificate later, and who has it then.
 */


#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_holders.h"
#include "stockcert_value.h"


/* who has a certificate at the list's entry; see stockcert_held_event_t */

typedef struct {
    uint64_t                  period;
    stockcert_str_t           who;
    char                      text[1 + STOCKCERT_TEXT_MAX];
} stockcert_held_who_t;


static int stockcert_holders_open(stockcert_holders_t *holders,
    const stockcert_entry_t *entry);
static int stockcert_holders_issue(stockcert_holders_t *holders,
    stockcert_sort_t *events, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, uint64_t until);
static int stockcert_holders_later(stockcert_holders_t *holders,
    stockcert_sort_t *events, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, uint64_t until);
static stockcert_rc_e stockcert_holders_who(stockcert_ledger_t *ledger,
    const stockcert_entry_t *issued, uint64_t until,
    stockcert_held_who_t *who, stockcert_error_t *error);
static int stockcert_holders_add(stockcert_sort_t *events,
    const stockcert_held_who_t *who, stockcert_held_event_t *event);
static stockcert_held_t *stockcert_holders_class(
    const stockcert_holders_t *holders, const stockcert_str_t *code);
static int stockcert_holders_has_end(const stockcert_str_t *text);
static int stockcert_holders_wrong(const stockcert_entry_t *entry);


int
stockcert_holders_enter(stockcert_holders_t *holders, stockcert_sort_t *events,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry, uint64_t until)
{
    if (stockcert_holders_has_end(&entry->code)
        || stockcert_holders_has_end(&entry->name)
        || stockcert_holders_has_end(&entry->holder_id)
        || stockcert_holders_has_end(&entry->address)
        || stockcert_holders_has_end(&entry->capacity))
    {
        return stockcert_holders_wrong(entry);
    }

    switch (entry->kind) {

    case STOCKCERT_CLASS_OPENED:
        return stockcert_holders_open(holders, entry);

    case STOCKCERT_CERTIFICATE_ISSUED:
        return stockcert_holders_issue(holders, events, ledger, entry, until);

    case STOCKCERT_CERTIFICATE_SURRENDERED:
    case STOCKCERT_HOLDER_CHANGED:
        return stockcert_holders_later(holders, events, ledger, entry, until);

    case STOCKCERT_CLASS_AMENDED:
    case STOCKCERT_KIND_END:
        break;
    }

    return STOCKCERT_EXIT_OK;
}


/* in the order of the codes */

static int
stockcert_holders_open(stockcert_holders_t *holders,
    const stockcert_entry_t *entry)
{
    size_t             i;
    stockcert_held_t  *class;

    if (holders->nopened == STOCKCERT_CLASSES_MAX
        || entry->code.len > STOCKCERT_CODE_MAX
        || entry->title.len > STOCKCERT_TEXT_MAX)
    {
        return stockcert_holders_wrong(entry);
    }

    class = calloc(1, sizeof(stockcert_held_t));
    if (class == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "there is no memory");
    }

    class->code.data = class->texts;
    class->code.len = entry->code.len;
    class->title.data = class->texts + STOCKCERT_CODE_MAX;
    class->title.len = entry->title.len;

    memcpy(class->texts, entry->code.data, entry->code.len);
    memcpy(class->texts + STOCKCERT_CODE_MAX, entry->title.data,
           entry->title.len);

    for (i = holders->nopened++; i > 0; i--) {

        if (stockcert_str_compare(&holders->opened[i - 1]->code, &class->code)
            < 0)
        {
            break;
        }

        holders->opened[i] = holders->opened[i - 1];
    }

    holders->opened[i] = class;

    return STOCKCERT_EXIT_OK;
}


static int
stockcert_holders_issue(stockcert_holders_t *holders, stockcert_sort_t *events,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry, uint64_t until)
{
    uint64_t                 surrendered;
    stockcert_rc_e           rc;
    stockcert_held_t        *class;
    stockcert_error_t        error;
    stockcert_held_who_t     who;
    stockcert_held_event_t   event;

    class = stockcert_holders_class(holders, &entry->code);

    if (class == NULL || entry->number != class->last + 1) {
        return stockcert_holders_wrong(entry);
    }

    rc = stockcert_ledger_surrendered(ledger, &entry->code, entry->number,
                                      &surrendered, &error);
    if (rc == STOCKCERT_OK) {
        rc = stockcert_holders_who(ledger, entry, until, &who, &error);
    }

    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    class->last++;
    class->shares += entry->shares;
    class->certificates++;

    event.position = entry->position;
    event.event = surrendered && surrendered <= until ? STOCKCERT_HELD_ENDED
                                                      : STOCKCERT_HELD_ISSUED;
    event.address = entry->address;
    event.one.name = entry->name;

    if (who.text[0] == 'n') {
        event.one.name.len = 0;
    }

    event.one.code = entry->code;
    event.one.capacity = entry->capacity;
    event.one.number = entry->number;
    event.one.shares = entry->shares;

    return stockcert_holders_add(events, &who, &event);
}


/* what is done with a certificate that there is */

static int
stockcert_holders_later(stockcert_holders_t *holders, stockcert_sort_t *events,
    stockcert_ledger_t *ledger, const stockcert_entry_t *entry, uint64_t until)
{
    int                       gives;
    stockcert_rc_e            rc;
    stockcert_held_t         *class;
    stockcert_error_t         error;
    stockcert_held_who_t      who;
    stockcert_held_event_t    event;
    stockcert_certificate_t   certificate;

    class = stockcert_holders_class(holders, &entry->code);

    if (class == NULL || entry->number > class->last) {
        return stockcert_holders_wrong(entry);
    }

    rc = stockcert_ledger_certificate(ledger, entry->code.data, entry->code.len,
                                      entry->number, &certificate, &error);
    if (rc == STOCKCERT_OK) {
        rc = stockcert_holders_who(ledger, &certificate.issued, until, &who,
                                   &error);
    }

    if (rc != STOCKCERT_OK && rc != STOCKCERT_NOT_FOUND) {
        return stockcert_tool_not_read(&error);
    }

    event.position = entry->position;
    event.address = entry->address;

    if (entry->kind == STOCKCERT_CERTIFICATE_SURRENDERED) {
        event.event = STOCKCERT_HELD_SURRENDERED;

        if (rc == STOCKCERT_NOT_FOUND
            || certificate.surrender.position != entry->position)
        {
            return stockcert_holders_wrong(entry);
        }

        class->shares -= certificate.issued.shares;
        class->certificates--;

    } else {
        event.event = STOCKCERT_HELD_CHANGED;
        gives = rc == STOCKCERT_OK && who.period == entry->position;

        if (rc == STOCKCERT_NOT_FOUND
            || (certificate.surrender.position
                && certificate.surrender.position < entry->position)
            || gives != (entry->holder_id.len != 0))
        {
            return stockcert_holders_wrong(entry);
        }
    }

    return stockcert_holders_add(events, &who, &event);
}


static stockcert_rc_e
stockcert_holders_who(stockcert_ledger_t *ledger,
    const stockcert_entry_t *issued, uint64_t until,
    stockcert_held_who_t *who, stockcert_error_t *error)
{
    stockcert_rc_e          rc;
    stockcert_entry_t       gave;
    const stockcert_str_t  *text;

    who->period = STOCKCERT_HELD_LAST;
    who->text[0] = 'i';
    text = &issued->holder_id;

    if (text->len == 0) {
        rc = stockcert_ledger_identified(ledger, issued, until, &gave, error);

        if (rc == STOCKCERT_OK) {
            who->period = gave.position;
            text = &gave.holder_id;

        } else if (rc == STOCKCERT_NOT_FOUND) {
            who->text[0] = 'n';
            text = &issued->name;

        } else {
            return rc;
        }
    }

    memcpy(who->text + 1, text->data, text->len);
    who->who.data = who->text;
    who->who.len = 1 + text->len;

    return STOCKCERT_OK;
}


static int
stockcert_holders_add(stockcert_sort_t *events, const stockcert_held_who_t *who,
    stockcert_held_event_t *event)
{
    stockcert_held_bytes_t  bytes;

    event->who = who->who;
    event->period = event->position < who->period ? who->period
                                                  : STOCKCERT_HELD_LAST;

    stockcert_held_event_put(&bytes, event);

    return stockcert_sort_add(events, bytes.bytes, bytes.len);
}


static stockcert_held_t *
stockcert_holders_class(const stockcert_holders_t *holders,
    const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < holders->nopened; i++) {
        if (stockcert_str_same(&holders->opened[i]->code, code)) {
            return holders->opened[i];
        }
    }

    return NULL;
}


/* no text has a 0, unless it is damaged */

static int
stockcert_holders_has_end(const stockcert_str_t *text)
{
    return text->len && memchr(text->data, '\0', text->len);
}


static int
stockcert_holders_wrong(const stockcert_entry_t *entry)
{
    stockcert_error_t  error;

    snprintf(error.text, sizeof(error.text), "entry %" PRIu64 " is not one "
             "that can follow those before it", entry->position);

    return stockcert_tool_not_read(&error);
}
