
/*
 * How a journal is put into etcd: what the files of "stockcert replicate" share.
 */


#ifndef STOCKCERT_TOOL_REPLICATE_H
#define STOCKCERT_TOOL_REPLICATE_H


#include "stockcert_tool.h"


typedef struct {
    const char            *path;
    stockcert_ledger_t    *ledger;     /* its lock is held */
    stockcert_replica_t   *replica;
    stockcert_header_t     header;
    stockcert_tail_t       tail;       /* where this journal ends */
    stockcert_head_t       guard;      /* etcd's; revision 0: it has none */

    stockcert_header_t     origin;     /* of etcd's ledger */
    stockcert_batch_t      batch;
    uint64_t               position;   /* of the last entry in a batch */
    uint64_t               put;        /* entries */
    stockcert_head_t       head;       /* that etcd gets */
} stockcert_replicate_t;


/* one call of the replica */

typedef stockcert_rc_e (*stockcert_replicate_step_pt)(stockcert_replicate_t *r,
    stockcert_error_t *error);


/*
 * Sets r->guard, and makes sure that what etcd has is this journal, as far as it
 * goes.  Needs a snapshot of the ledger.  Returns an exit code, as all of these.
 */

int stockcert_tool_replicate_look(stockcert_replicate_t *r);

/*
 * Puts what etcd does not have: the batches, for which it needs a snapshot; then
 * the head, for which there must be none.
 */

int stockcert_tool_replicate_batches(stockcert_replicate_t *r);
int stockcert_tool_replicate_head(stockcert_replicate_t *r);

/* Steps: read the header into r->origin, the head into r->guard. */

stockcert_rc_e stockcert_tool_replicate_origin(stockcert_replicate_t *r,
    stockcert_error_t *error);
stockcert_rc_e stockcert_tool_replicate_guard(stockcert_replicate_t *r,
    stockcert_error_t *error);

/* Takes a step, again and again as long as "--etcd-timeout" says. */

stockcert_rc_e stockcert_tool_replicate_try(stockcert_replicate_t *r,
    stockcert_replicate_step_pt step, stockcert_error_t *error);

/* Says why a step was not taken. */

int stockcert_tool_replicate_failed(stockcert_rc_e rc,
    const stockcert_error_t *error);


#endif /* STOCKCERT_TOOL_REPLICATE_H */
