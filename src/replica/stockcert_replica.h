
/*
 * A journal that several machines share.  The folder src/replica gives this: an
 * interface to such a journal, and the one that etcd keeps (stockcert_etcd.h).
 * The ledger and the lanes know the interface only.  docs/ARCHITECTURE.md,
 * "Several machines", says how a batch is committed through it.
 *
 * The journal is there in batches: the entries of one transaction, whole, with
 * their seals.  Its head says where it ends.  All that changes it is guarded by
 * the head that the writer saw: if the head is another one by then, nothing is
 * done.
 *
 * A replica belongs to the process that made it, and to one thread at a time.
 * Calls wait for the network.  Each makes one try, or head() two, which ends
 * within a part of the time that "etcd_timeout" allows.
 *
 * What calls return:
 *
 *     STOCKCERT_OK          done, or read
 *     STOCKCERT_NOT_FOUND   it is not there
 *     STOCKCERT_CHANGED     the guard failed: the head is another one.  (What
 *                           was sent may be the reason: a library may send a
 *                           request twice.)
 *     STOCKCERT_UNREACHED   no answer, or one that decides nothing: what was
 *                           sent may be done now, later or never
 *     STOCKCERT_DIVERGED    what is there is not this journal, or not readable.
 *                           Of what was sent it decides nothing, either.
 *
 * All but the first two set *error.
 */


#ifndef STOCKCERT_REPLICA_H
#define STOCKCERT_REPLICA_H


#include "stockcert_entry.h"
#include "stockcert_error.h"


/* bytes of a batch; etcd refuses requests above 1.5 MiB */

#define STOCKCERT_BATCH_MAX  (512 * 1024)

/* bytes of an entry in a batch, at most */

#define STOCKCERT_BATCH_ENTRY_MAX  (2 + STOCKCERT_ENTRY_MAX)


/* a position that no journal comes to: after it there are no batches */

#define STOCKCERT_AFTER_ALL  (UINT64_MAX / 2)


/* an order fits, whatever its size */

_Static_assert((STOCKCERT_FROM_MAX + STOCKCERT_TO_MAX + 1)
               * STOCKCERT_BATCH_ENTRY_MAX <= STOCKCERT_BATCH_MAX,
               "a group is one batch");


/* where the journal ends; of an empty one, position 0 and the header's seal */

typedef struct {
    uint64_t                     revision; /* of this very head, 0: not known */
    uint64_t                     epoch;    /* one more with each fence */
    stockcert_tail_t             tail;
    unsigned                     wanted;   /* after an append: so many machines
                                              wait to append; a hint */
} stockcert_head_t;


/*
 * Entries side by side, each with 2 bytes before it, big-endian: its length,
 * with its seal.
 */

typedef struct {
    uint64_t                     first;    /* position of its first entry */
    size_t                       len;      /* bytes */
    const uint8_t               *data;
} stockcert_batch_t;


typedef struct stockcert_replica_s  stockcert_replica_t;


typedef struct {

    /*
     * The header of the ledger that the journal is of.  Its text stays until
     * the next call.
     */

    stockcert_rc_e  (*origin)(stockcert_replica_t *replica,
        stockcert_header_t *header, stockcert_error_t *error);

    /*
     * The head: never an older one than any that was there when called, if least
     * is 0; otherwise one of this revision or a newer one, which takes less
     * time.  After STOCKCERT_DIVERGED, *head is the guard that create() needs to
     * put that right, or has revision 0 if not even that can be read.  Batches
     * that begin after a position, which a caller may read() next, come with it.
     */

    stockcert_rc_e  (*head)(stockcert_replica_t *replica, uint64_t position,
        uint64_t least, stockcert_head_t *head, stockcert_error_t *error);

    /*
     * Puts a batch and the next head, or, where batch is NULL, a head alone,
     * both or nothing.  Sets next->revision.  After STOCKCERT_CHANGED, *next is
     * the head that is there, or has revision 0 if that is not known.
     */

    stockcert_rc_e  (*append)(stockcert_replica_t *replica,
        const stockcert_head_t *guard, const stockcert_batch_t *batch,
        stockcert_head_t *next, stockcert_error_t *error);

    /*
     * The batch that has the entry of a position.  Its bytes stay until the
     * next call.  STOCKCERT_NOT_FOUND: it was trimmed, or is not there yet.
     */

    stockcert_rc_e  (*read)(stockcert_replica_t *replica, uint64_t position,
        stockcert_batch_t *batch, stockcert_error_t *error);

    /*
     * Waits until the head has another revision than *head, which is set then;
     * STOCKCERT_NOT_FOUND: it was the same for so many milliseconds, or there is
     * none.  With head->revision 0 it waits for nothing where there is one.
     */

    stockcert_rc_e  (*watch)(stockcert_replica_t *replica,
        stockcert_head_t *head, unsigned wait, stockcert_error_t *error);

    /*
     * For "stockcert replicate".  Each is guarded by the head, or by there being
     * none where guard->revision is 0.  clear() removes all batches that begin
     * at this position or above, and comes first: then put() and create() fail
     * with STOCKCERT_CHANGED if another replica has called it since.  put() puts
     * a batch, and no head.  create() puts the header, with the identity of the engine, and a head,
     * and sets head->revision.
     */

    stockcert_rc_e  (*put)(stockcert_replica_t *replica,
        const stockcert_head_t *guard, const stockcert_batch_t *batch,
        stockcert_error_t *error);
    stockcert_rc_e  (*clear)(stockcert_replica_t *replica,
        const stockcert_head_t *guard, uint64_t position,
        stockcert_error_t *error);
    stockcert_rc_e  (*create)(stockcert_replica_t *replica,
        const stockcert_head_t *guard, const stockcert_header_t *header,
        stockcert_head_t *head, stockcert_error_t *error);

    /*
     * After an append that said "wanted": how many of those machines have had no
     * turn since.  It may be asked again and again.  last: they are not waited
     * for any more, and the next append ends their waiting.
     */

    stockcert_rc_e  (*waits)(stockcert_replica_t *replica, int last,
        unsigned *waits, stockcert_error_t *error);

    /* There is nothing to append: nobody needs to wait for this machine. */

    void            (*leave)(stockcert_replica_t *replica);

    /*
     * start() begins the time that a caller has; again() tells whether to try
     * once more, after a pause: not if that time is over, or the process is to
     * end.
     */

    void            (*start)(stockcert_replica_t *replica);
    int             (*again)(stockcert_replica_t *replica);

    void            (*destroy)(stockcert_replica_t *replica);

} stockcert_replica_ops_t;


/* an implementation has more behind it */

struct stockcert_replica_s {
    const stockcert_replica_ops_t  *ops;
    const char                     *name;  /* what users know it by */
};


/*
 * The entries of a batch, one after the other: *offset is 0 at first.  Returns
 * 1, and the bytes of the next one, with its seal; 0 after the last; -1 if the
 * batch is not readable.  Any thread.
 */

int stockcert_batch_next(const stockcert_batch_t *batch, size_t *offset,
    const uint8_t **p, size_t *len);

/* Writes an entry of len bytes, with its seal, to p; returns where it ends. */

uint8_t *stockcert_batch_put(uint8_t *p, const void *entry, size_t len);

int stockcert_head_same(const stockcert_head_t *one,
    const stockcert_head_t *two);
int stockcert_tail_same(const stockcert_tail_t *one,
    const stockcert_tail_t *two);


#endif /* STOCKCERT_REPLICA_H */
