
/*
 * What etcd has of a journal that is to be put there: nothing, a part of it, all
 * of it; or another one, which stays as it is.
 *
 * It reads the ledger, and calls the replica.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_tool_replicate.h"


static int stockcert_tool_replicate_is_other(stockcert_replicate_t *r);
static int stockcert_tool_replicate_compare(stockcert_replicate_t *r);


int
stockcert_tool_replicate_look(stockcert_replicate_t *r)
{
    int                status;
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    rc = stockcert_tool_replicate_try(r, stockcert_tool_replicate_origin,
                                      &error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return STOCKCERT_EXIT_OK;
    }

    /* of another etcd, or of one that was restored: that can be mended */

    if (rc == STOCKCERT_OK
        || (rc == STOCKCERT_DIVERGED && r->origin.company.len))
    {
        status = stockcert_tool_replicate_is_other(r);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }

        rc = stockcert_tool_replicate_try(r, stockcert_tool_replicate_guard,
                                          &error);

        if (r->guard.revision) {
            return stockcert_tool_replicate_compare(r);
        }
    }

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the ledger in "
                                    "etcd below %s has no head: remove all of "
                                    "its keys, or give another --etcd-prefix",
                                    r->replica->name);
    }

    return stockcert_tool_replicate_failed(rc, &error);
}


static int
stockcert_tool_replicate_is_other(stockcert_replicate_t *r)
{
    char  created[STOCKCERT_TIME_LEN + 1];

    if (r->origin.format != STOCKCERT_FORMAT) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: etcd has a "
                                    "ledger of format version %" PRIu32 " below "
                                    "%s, this program has %d",
                                    r->origin.format, r->replica->name,
                                    STOCKCERT_FORMAT);
    }

    if (r->origin.created == r->header.created
        && stockcert_str_same(&r->origin.company, &r->header.company))
    {
        return STOCKCERT_EXIT_OK;
    }

    stockcert_format_time(r->origin.created, created);

    return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: etcd has another "
                                "ledger below %s, of %.*s, made at %s; nothing "
                                "is changed", r->replica->name,
                                (int) r->origin.company.len,
                                r->origin.company.data, created);
}


static int
stockcert_tool_replicate_compare(stockcert_replicate_t *r)
{
    char                     ours[STOCKCERT_HEX_LEN + 1];
    char                     theirs[STOCKCERT_HEX_LEN + 1];
    stockcert_rc_e           rc;
    stockcert_entry_t        entry;
    stockcert_error_t        error;
    const stockcert_tail_t  *there;

    there = &r->guard.tail;

    stockcert_format_seal(r->tail.seal, ours);
    stockcert_format_seal(there->seal, theirs);

    if (there->position > r->tail.position) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused, nothing is "
                                    "changed: the journal in etcd below %s is "
                                    "longer, it ends with entry %" PRIu64 " (%s), "
                                    "this ledger with entry %" PRIu64 " (%s)",
                                    r->replica->name, there->position, theirs,
                                    r->tail.position, ours);
    }

    /* of an empty one, the header says all */

    if (there->position == 0) {
        return STOCKCERT_EXIT_OK;
    }

    rc = stockcert_ledger_entry(r->ledger, there->position, &entry, &error);
    if (rc != STOCKCERT_OK) {
        return stockcert_tool_not_read(&error);
    }

    if (memcmp(entry.seal, there->seal, STOCKCERT_SEAL_LEN) == 0) {
        return STOCKCERT_EXIT_OK;
    }

    stockcert_format_seal(entry.seal, ours);

    return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused, nothing is changed: "
                                "the journal in etcd below %s parts from this "
                                "ledger's, it ends with entry %" PRIu64 " (%s), "
                                "which is %s in this ledger, whose last entry is "
                                "%" PRIu64, r->replica->name, there->position,
                                theirs, ours, r->tail.position);
}


stockcert_rc_e
stockcert_tool_replicate_origin(stockcert_replicate_t *r,
    stockcert_error_t *error)
{
    return r->replica->ops->origin(r->replica, &r->origin, error);
}


stockcert_rc_e
stockcert_tool_replicate_guard(stockcert_replicate_t *r,
    stockcert_error_t *error)
{
    return r->replica->ops->head(r->replica, STOCKCERT_AFTER_ALL, 0, &r->guard,
                                 error);
}


/* for so long as "--etcd-timeout" says */

stockcert_rc_e
stockcert_tool_replicate_try(stockcert_replicate_t *r,
    stockcert_replicate_step_pt step, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    r->replica->ops->start(r->replica);

    do {
        rc = step(r, error);

    } while (rc == STOCKCERT_UNREACHED && r->replica->ops->again(r->replica));

    return rc;
}


int
stockcert_tool_replicate_failed(stockcert_rc_e rc,
    const stockcert_error_t *error)
{
    switch (rc) {

    case STOCKCERT_CHANGED:
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: somebody else "
                                    "changes what etcd has, see who, and run it "
                                    "again: %s", error->text);
    case STOCKCERT_DIVERGED:
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: %s",
                                    error->text);
    default:
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "the ledger is not "
                                    "replicated, run it again: %s",
                                    error->text);
    }
}
