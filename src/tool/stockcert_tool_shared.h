
/*
 * What "stockcert status" tells of a ledger that other machines have, too.
 */


#ifndef STOCKCERT_TOOL_SHARED_H
#define STOCKCERT_TOOL_SHARED_H


#include "stockcert_tool.h"


typedef struct {
    stockcert_str_t    mark;           /* of the ledger; empty: it is alone */
    unsigned           asked:1;        /* etcd was, and this is what it has: */
    unsigned           parted:1;       /* another journal */
    stockcert_tail_t   tail;           /* where that ends */
    uint64_t           behind;         /* entries that this ledger has not yet */
    uint64_t           size;           /* bytes of its database; 0: not known */
} stockcert_shared_state_t;


/*
 * Reads that, of a ledger with a snapshot that ends so, and of the etcd that is
 * named, if one is.  Returns an exit code; if it is not OK, it has said what etcd
 * did not tell, and all else is set.
 */

int stockcert_tool_shared_read(stockcert_shared_state_t *shared,
    stockcert_ledger_t *ledger, const stockcert_tail_t *end);

/* Write it, as lines, and as members of an object, each with a "," before it. */

void stockcert_tool_shared_text(const stockcert_shared_state_t *shared);
void stockcert_tool_shared_json(const stockcert_shared_state_t *shared);


#endif /* STOCKCERT_TOOL_SHARED_H */
