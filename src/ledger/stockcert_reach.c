
/*
 * Reaches the head of the journal that machines share: applies what others
 * appended (docs/ARCHITECTURE.md, "Several machines").
 *
 * It runs in the writer's transaction, and calls the replica.
 */


#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_store.h"


#define STOCKCERT_FENCES     3         /* that are put for one guard */
#define STOCKCERT_REACH_MAX  20000     /* entries that are applied in one
                                          transaction, or some more */


static stockcert_rc_e stockcert_reach_head(stockcert_ledger_t *ledger,
    stockcert_head_t *head, uint64_t guard, stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_told(stockcert_ledger_t *ledger,
    stockcert_head_t *head, uint64_t guard, stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_read(stockcert_ledger_t *ledger,
    stockcert_head_t *head, uint64_t least, stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_fence(stockcert_ledger_t *ledger,
    stockcert_head_t *head, uint64_t guard, stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_apply(stockcert_ledger_t *ledger,
    const stockcert_head_t *head, stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_batch(stockcert_ledger_t *ledger,
    const stockcert_head_t *head, const stockcert_batch_t *batch,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_entry(stockcert_ledger_t *ledger,
    const stockcert_head_t *head, stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_parted(const stockcert_ledger_t *ledger,
    const stockcert_head_t *head, const char *how, stockcert_error_t *error);
static stockcert_rc_e stockcert_reach_diverged(stockcert_error_t *error,
    const stockcert_replica_t *replica, const char *what);


stockcert_rc_e
stockcert_reach(stockcert_ledger_t *ledger, uint64_t guard,
    stockcert_error_t *error)
{
    int               lost;
    stockcert_rc_e    rc;
    stockcert_head_t  head;

    if (ledger->replica == NULL) {
        return STOCKCERT_OK;
    }

    /* or the head would be an old one behind a commit in between */

    assert(ledger->locked);

    lost = ledger->target.revision != 0;

    rc = stockcert_reach_head(ledger, &head, guard, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_reach_fence(ledger, &head, guard, error);
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_reach_apply(ledger, &head, error);
    }

    /* who has lost may lose again, and does not reach all of that again */

    if (rc == STOCKCERT_OK && lost && ledger->position != ledger->begun) {
        rc = stockcert_ledger_keep(ledger, error);

        if (rc == STOCKCERT_OK) {
            rc = stockcert_ledger_begin(ledger, error);
        }
    }

    /* the ledger says that other machines have it */

    if (rc == STOCKCERT_OK
        && !stockcert_same(ledger->mark, ledger->mark_len,
                           ledger->replica->name, strlen(ledger->replica->name)))
    {
        rc = stockcert_reach_mark(ledger, ledger->replica->name, error);

        if (rc == STOCKCERT_OK) {
            rc = stockcert_ledger_begin(ledger, error);
        }
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_append_know(ledger, &head);

    /* what comes now is a batch of its own, and so has a nonce of its own */

    ledger->begun = ledger->position;
    ledger->entered = 0;
    ledger->drawn = 0;

    return STOCKCERT_OK;
}


/* that belongs to the journal's end, if no newer one is known of */

static stockcert_rc_e
stockcert_reach_head(stockcert_ledger_t *ledger, stockcert_head_t *head,
    uint64_t guard, stockcert_error_t *error)
{
    if (stockcert_append_known(ledger)
        && atomic_load(&ledger->shared->seen)
           <= atomic_load(&ledger->shared->reached))
    {
        *head = ledger->shared->head;
        return STOCKCERT_OK;
    }

    if (ledger->target.revision) {
        *head = ledger->target;
        ledger->target.revision = 0;
        ledger->confirmed = 1;
        return STOCKCERT_OK;
    }

    return stockcert_reach_told(ledger, head, guard, error);
}


/*
 * A newer head than the last one was told of, and than the guards of what was
 * sent, by whomever, so nothing that was sent can still come.  The one that is
 * read may be old by now: then the next guard fails.
 */

static stockcert_rc_e
stockcert_reach_told(stockcert_ledger_t *ledger, stockcert_head_t *head,
    uint64_t guard, stockcert_error_t *error)
{
    uint64_t        seen;
    stockcert_rc_e  rc;

    seen = atomic_load(&ledger->shared->seen);

    /* whatever was sent from here was guarded by a head that was known then */

    if (seen > ledger->shared->head.revision && seen > guard
        && seen > atomic_load(&ledger->shared->guard))
    {
        rc = stockcert_reach_read(ledger, head, seen, error);

        if (rc != STOCKCERT_OK || head->tail.position >= ledger->position) {
            return rc;
        }
    }

    return stockcert_reach_read(ledger, head, 0, error);
}


/* least as in stockcert_replica.h */

static stockcert_rc_e
stockcert_reach_read(stockcert_ledger_t *ledger, stockcert_head_t *head,
    uint64_t least, stockcert_error_t *error)
{
    uint64_t              seen;
    stockcert_rc_e        rc;
    stockcert_header_t    header;
    stockcert_replica_t  *replica;

    replica = ledger->replica;

    if (!ledger->checked_origin) {
        header.created = ledger->created;
        header.company.len = ledger->company_len;
        header.company.data = ledger->company;

        rc = stockcert_reach_origin(replica, &header, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        if (header.created != ledger->created) {
            return stockcert_reach_diverged(error, replica, "is of another "
                                            "ledger, made at another time");
        }

        ledger->checked_origin = 1;
    }

    seen = least ? least : atomic_load(&ledger->shared->seen);

    rc = replica->ops->head(replica, ledger->position, least, head, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        rc = stockcert_reach_diverged(error, replica, "has no head");
    }

    if (rc != STOCKCERT_OK) {

        /* it may have become another one */

        ledger->checked_origin = 0;
        return rc;
    }

    ledger->confirmed = (least == 0);

    /* what is newer than this was told by an etcd that is there no more */

    if (seen > head->revision) {
        (void) atomic_compare_exchange_strong(&ledger->shared->seen, &seen,
                                              head->revision);
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_reach_origin(stockcert_replica_t *replica, stockcert_header_t *header,
    stockcert_error_t *error)
{
    stockcert_rc_e      rc;
    stockcert_header_t  origin;

    rc = replica->ops->origin(replica, &origin, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        snprintf(error->text, sizeof(error->text), "etcd has no ledger below "
                 "%s: \"stockcert replicate\" puts one there", replica->name);
        return STOCKCERT_DIVERGED;
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (origin.format != STOCKCERT_FORMAT) {
        return stockcert_reach_diverged(error, replica, "has another format "
                                        "version, upgrade this machine");
    }

    if (header->company.len
        && !stockcert_str_same(&header->company, &origin.company))
    {
        return stockcert_reach_diverged(error, replica,
                                        "is of another company");
    }

    *header = origin;

    return STOCKCERT_OK;
}


/*
 * Whatever was sent by this guard can still come, unless there is another head.
 */

static stockcert_rc_e
stockcert_reach_fence(stockcert_ledger_t *ledger, stockcert_head_t *head,
    uint64_t guard, stockcert_error_t *error)
{
    unsigned              i;
    stockcert_rc_e        rc;
    stockcert_head_t      next;
    stockcert_replica_t  *replica;

    replica = ledger->replica;

    for (i = 0; guard && head->revision == guard; i++) {

        if (i == STOCKCERT_FENCES) {
            snprintf(error->text, sizeof(error->text), "etcd says that the "
                     "head below %s has changed, and gives the same one again",
                     replica->name);
            return STOCKCERT_UNREACHED;
        }

        next = *head;
        next.epoch++;

        rc = replica->ops->append(replica, head, NULL, &next, error);

        if (rc == STOCKCERT_OK) {
            *head = next;

        } else if (rc == STOCKCERT_CHANGED) {
            rc = stockcert_reach_read(ledger, head, 0, error);
        }

        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_reach_apply(stockcert_ledger_t *ledger, const stockcert_head_t *head,
    stockcert_error_t *error)
{
    stockcert_rc_e        rc;
    stockcert_tail_t      tail;
    stockcert_batch_t     batch;
    stockcert_replica_t  *replica;

    replica = ledger->replica;

    while (ledger->position < head->tail.position) {

        if (ledger->position - ledger->begun >= STOCKCERT_REACH_MAX) {

            /* who has the lock looks after those that wait, and comes again */

            rc = stockcert_ledger_keep(ledger, error);
            atomic_store(&ledger->shared->reached, 0);

            return rc == STOCKCERT_OK ? STOCKCERT_CHANGED : rc;
        }

        rc = replica->ops->read(replica, ledger->position + 1, &batch, error);

        if (rc == STOCKCERT_NOT_FOUND) {
            snprintf(error->text, sizeof(error->text),
                     "this machine was away too long: entry %" PRIu64 " is not "
                     "in etcd any more below %s, which keeps the last ones "
                     "only; take a \"stockcert backup\" of another machine",
                     ledger->position + 1, replica->name);
            return STOCKCERT_DIVERGED;
        }

        if (rc == STOCKCERT_OK) {
            rc = stockcert_reach_batch(ledger, head, &batch, error);
        }

        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    stockcert_ledger_tail(ledger, &tail);

    if (stockcert_tail_same(&tail, &head->tail)) {
        return STOCKCERT_OK;
    }

    return stockcert_reach_parted(ledger, head,
                                  ledger->position > head->tail.position
                                  ? "is shorter than this ledger's, nothing is "
                                    "changed"
                                  : "parts from this ledger's, nothing is "
                                    "changed", error);
}


/* a batch may begin before what is missing: what is there must be the same */

static stockcert_rc_e
stockcert_reach_batch(stockcert_ledger_t *ledger, const stockcert_head_t *head,
    const stockcert_batch_t *batch, stockcert_error_t *error)
{
    int                more;
    size_t             offset, len;
    uint64_t           position;
    const uint8_t     *p;
    stockcert_rc_e     rc;
    stockcert_entry_t  entry;

    offset = 0;
    position = batch->first;

    while ((more = stockcert_batch_next(batch, &offset, &p, &len)) == 1) {

        if (stockcert_entry_decode(p, len, &entry) != 0) {
            return stockcert_reach_diverged(error, ledger->replica,
                                            "has an entry that is not readable "
                                            "here, or of a newer version: "
                                            "upgrade this machine first");
        }

        entry.position = position++;

        rc = stockcert_reach_entry(ledger, head, &entry, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    if (more != 0 || stockcert_group_is_open(ledger)) {
        return stockcert_reach_diverged(error, ledger->replica,
                                        "has a batch that is not whole");
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_reach_entry(stockcert_ledger_t *ledger, const stockcert_head_t *head,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    char               how[256];
    uint64_t           position;
    stockcert_rc_e     rc;
    stockcert_error_t  why;

    position = entry->position;

    if (position <= ledger->position) {
        rc = stockcert_ledger_has(ledger, position, entry->seal, error);

        if (rc != STOCKCERT_NOT_FOUND) {
            return rc;
        }

        snprintf(why.text, sizeof(why.text), "this ledger has another one");

    } else {
        rc = stockcert_ledger_enter(ledger, entry, &why);

        if (rc != STOCKCERT_REFUSED) {
            *error = why;
            return rc;
        }
    }

    snprintf(how, sizeof(how), "parts from this ledger at entry %" PRIu64 ", "
             "nothing is changed (%.100s)", position, why.text);

    return stockcert_reach_parted(ledger, head, how, error);
}


/* the transaction is gone then, unless the mark could not be put */

stockcert_rc_e
stockcert_reach_mark(stockcert_ledger_t *ledger, const char *name,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_mark_put(ledger, name, error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_ledger_keep(ledger, error);
    }

    if (rc == STOCKCERT_OK) {
        ledger->mark_len = strlen(name);
        memcpy(ledger->mark, name, ledger->mark_len);
    }

    return rc;
}


stockcert_rc_e
stockcert_ledger_confirm(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    stockcert_rc_e    rc;
    stockcert_head_t  head;

    if (ledger->replica == NULL || ledger->confirmed) {
        return STOCKCERT_OK;
    }

    rc = stockcert_reach_read(ledger, &head, 0, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (stockcert_head_same(&head, &ledger->shared->head)) {
        return STOCKCERT_OK;
    }

    atomic_store(&ledger->shared->reached, 0);
    ledger->target = head;

    snprintf(error->text, sizeof(error->text),
             "other machines appended meanwhile");

    return STOCKCERT_CHANGED;
}


/* it ends as the head does, or it is another one */

static stockcert_rc_e
stockcert_reach_parted(const stockcert_ledger_t *ledger,
    const stockcert_head_t *head, const char *how, stockcert_error_t *error)
{
    char  ours[2 * STOCKCERT_SEAL_LEN + 1], theirs[2 * STOCKCERT_SEAL_LEN + 1];

    stockcert_format_seal(ledger->seal, ours);
    stockcert_format_seal(head->tail.seal, theirs);

    snprintf(error->text, sizeof(error->text), "the journal in etcd below %s "
             "%s: it ends with entry %" PRIu64 " (%s), this ledger with entry %"
             PRIu64 " (%s)", ledger->replica->name, how, head->tail.position,
             theirs, ledger->position, ours);

    return STOCKCERT_DIVERGED;
}


static stockcert_rc_e
stockcert_reach_diverged(stockcert_error_t *error,
    const stockcert_replica_t *replica, const char *what)
{
    snprintf(error->text, sizeof(error->text),
             "the journal in etcd below %s %s", replica->name, what);

    return STOCKCERT_DIVERGED;
}
