
/*
 * The free pages of an LMDB file: each is free once, and no tree has it.
 *
 * It touches the map only.
 */


#include <inttypes.h>

#include "stockcert_mdb_int.h"


/* what is known of the free pages as their records are read */

typedef struct {
    stockcert_mdb_t  *mdb;
    uint64_t          txn;
} stockcert_freed_t;


static int stockcert_mdb_free_pages_of(stockcert_mdb_t *mdb);
static int stockcert_mdb_visit_free(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree);


/*
 * Each transaction frees the pages that it has replaced.  So the last record is
 * that of the last transaction, unless the file was empty before.  This checks
 * the numbers of both meta pages.
 */

int
stockcert_mdb_free_pages(stockcert_mdb_t *mdb)
{
    uint64_t  page;

    if (stockcert_mdb_free_pages_of(mdb) != 0) {
        return -1;
    }

    for (page = 0; page <= mdb->meta.last; page++) {

        if (!(mdb->seen[page / 8] & (1 << page % 8))) {
            return stockcert_mdb_fault(mdb, "free pages: expected page %"
                                       PRIu64 ", found it nowhere", page);
        }
    }

    /* no page of the transaction before has been used again yet */

    memset(mdb->seen, 0, (size_t) (mdb->meta.last / 8 + 1));
    mdb->seen[0] = STOCKCERT_SEEN_METAS;
    mdb->meta = mdb->previous;

    return stockcert_mdb_free_pages_of(mdb);
}


static int
stockcert_mdb_free_pages_of(stockcert_mdb_t *mdb)
{
    uint64_t           n;
    stockcert_freed_t  freed;

    freed.mdb = mdb;
    freed.txn = 0;

    if (stockcert_mdb_walk(mdb, "free pages", &mdb->meta.free,
                           stockcert_mdb_visit_free, &freed)
        != 0)
    {
        return -1;
    }

    n = mdb->meta.txn;

    if (n > 1 && freed.txn != n) {
        return stockcert_mdb_fault(mdb, "free pages: expected those of "
                                   "transaction %" PRIu64 " last, found %"
                                   PRIu64, n, freed.txn);
    }

    return 0;
}


/*
 * A record of a transaction, up to this meta page's own.  Number 0 is not
 * valid: LMDB takes it for "none read yet", and would use the same pages again
 * and again.  A record has the number of pages, and then their numbers, the
 * greatest first.
 */

static int
stockcert_mdb_visit_free(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree)
{
    uint64_t            i, n, page, after;
    stockcert_freed_t  *freed;

    freed = data;
    freed->txn = stockcert_native64(key->data);

    if (freed->txn == 0 || freed->txn > freed->mdb->meta.txn) {
        return stockcert_mdb_fault(freed->mdb, "free pages: expected those "
                                   "of transactions from 1 to %" PRIu64
                                   ", found %" PRIu64,
                                   freed->mdb->meta.txn, freed->txn);
    }

    if (subtree || value->len < 8 || value->len % 8) {
        goto fault;
    }

    n = stockcert_native64(value->data);
    after = STOCKCERT_NO_PAGE;

    if (n > value->len / 8 - 1) {
        goto fault;
    }

    for (i = 1; i <= n; i++) {
        page = stockcert_native64(value->data + 8 * i);

        if (page >= after) {
            goto fault;
        }

        after = page;

        if (stockcert_mdb_use(freed->mdb, "free pages", page, 1) != 0) {
            return -1;
        }
    }

    return 0;

fault:

    return stockcert_mdb_fault(freed->mdb, "free pages: transaction %"
                               PRIu64 ": expected pages in order, found "
                               "something else", freed->txn);
}
