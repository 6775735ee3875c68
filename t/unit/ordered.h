
/*
 * Orders and grants from JSON, entered into a ledger, and what a certificate
 * then says, in a line.
 */


#ifndef ORDERED_H
#define ORDERED_H


#include "verified.h"

#include "order.h"


#define ORDER(type, from, more)                                               \
    "{\"type\":\"" type "\",\"from\":[" from "],"                              \
    "\"reference\":\"Deed 7\"" more "}"

#define ITEM(name, amount, more)                                              \
    "{\"name\":\"" name "\",\"amount\":" amount more "}"

#define GRANT(class, name, amount, more)                                      \
    "{\"class\":\"" class "\",\"name\":\"" name "\",\"amount\":" amount more "}"

#define ORDERED_LINE  400


/* with a key, or NULL, which have to stay as long as the order */

static inline stockcert_order_t *
ordered(const char *json, const char *key)
{
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    order = parse(json, strlen(json), &fault);

    if (order == NULL) {
        tap_bail_out("no order: %s", json);
    }

    if (key) {
        stockcert_order_set_key(order, key, strlen(key));
    }

    return order;
}


/* in a transaction of its own, which is committed if anything was entered */

static inline stockcert_transacted_t
transact(stockcert_ledger_t *ledger, const char *json, const char *key)
{
    stockcert_error_t        error;
    stockcert_order_t       *order;
    stockcert_transacted_t   done;

    order = ordered(json, key);

    if (stockcert_ledger_begin(ledger, &error) != STOCKCERT_OK
        || stockcert_ledger_transact(ledger, order, &done, &error)
           != STOCKCERT_OK)
    {
        tap_bail_out("cannot transact: %s", error.text);
    }

    if (done.status != STOCKCERT_ISSUED || done.replayed) {
        stockcert_ledger_abort(ledger);

    } else if (stockcert_ledger_commit(ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot commit: %s", error.text);
    }

    stockcert_order_free(order);

    return done;
}


/* one grant, asked for by somebody, or NULL */

static inline stockcert_outcome_t
grant_as(stockcert_ledger_t *ledger, const char *json, const char *key,
    const char *actor)
{
    stockcert_slot_t   slot;
    stockcert_fault_t  fault;

    memset(&slot, 0, sizeof(stockcert_slot_t));

    if (stockcert_grant_parse(json, strlen(json), &slot.grant, &fault) != 0) {
        tap_bail_out("no grant: %s", json);
    }

    if (key) {
        slot.grant.key_len = (uint8_t) strlen(key);
        memcpy(slot.grant.key, key, slot.grant.key_len);
    }

    if (actor) {
        stockcert_grant_set_actor(&slot.grant, actor, strlen(actor));
    }

    if (fixture_issue(ledger, &slot, 1) != STOCKCERT_OK) {
        tap_bail_out("cannot issue");
    }

    return slot.outcome;
}


static inline stockcert_outcome_t
grant(stockcert_ledger_t *ledger, const char *json, const char *key)
{
    return grant_as(ledger, json, key, NULL);
}


/* "name/id/address/capacity shares", "balance", and what it has become */

static inline const char *
certificate_line(stockcert_ledger_t *ledger, const char *code, uint64_t number)
{
    int                       n;
    static char               line[ORDERED_LINE];
    stockcert_error_t         error;
    stockcert_surrender_t    *surrender;
    const stockcert_entry_t  *issued;
    stockcert_certificate_t   certificate;

    issued = &certificate.issued;
    surrender = &certificate.surrender;

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("no snapshot: %s", error.text);
    }

    if (stockcert_ledger_certificate(ledger, code, strlen(code), number,
                                     &certificate, &error)
        != STOCKCERT_OK)
    {
        stockcert_ledger_release(ledger);
        return "none";
    }

    n = snprintf(line, sizeof(line), "%.*s/%.*s/%.*s/%.*s %d%s, %s",
                 (int) issued->name.len, issued->name.data,
                 (int) issued->holder_id.len, issued->holder_id.data,
                 (int) issued->address.len, issued->address.data,
                 (int) issued->capacity.len, issued->capacity.data,
                 (int) issued->shares, issued->balance ? " balance" : "",
                 stockcert_status(surrender));

    if (surrender->position) {
        snprintf(line + n, sizeof(line) - (size_t) n, " by %d",
                 (int) surrender->transaction);
    }

    stockcert_ledger_release(ledger);

    return line;
}


/*
 * CS-1 and CS-2 are of an Ann without an id, CS-3 is Bob's, CS-4 of an Ann with
 * one: all shares of CS.  PS-1 is Ann's.  Entries 3 to 7.
 */

static inline stockcert_ledger_t *
ordered_make(fixture_t *f, const char *name)
{
    stockcert_ledger_t  *ledger;

    fixture_make(f, name);
    fixture_class(f, "CS", "Common Stock", 100);
    fixture_class(f, "PS", "Preferred Stock", 50);

    ledger = fixture_open(f);

    grant(ledger, GRANT("CS", "Ann", "10", ""), "cs1");
    grant(ledger, GRANT("CS", "Ann", "20", ""), "cs2");
    grant(ledger, GRANT("CS", "Bob", "30", ",\"holder_id\":\"b\","
                        "\"address\":\"1 Main St\",\"capacity\":\"trustee\""),
          "cs3");
    grant(ledger, GRANT("CS", "Ann", "40", ",\"holder_id\":\"a\""), NULL);
    grant(ledger, GRANT("PS", "Ann", "5", ""), "ps1");

    return ledger;
}


#endif /* ORDERED_H */
