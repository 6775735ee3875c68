
/*
 * An LMDB file: maps it, reads its meta pages, and keeps account of its pages.
 *
 * It touches the file, read-only, without LMDB.
 */


#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stockcert_mdb_int.h"


#define STOCKCERT_META_MAGIC    0xbeefc0de
#define STOCKCERT_META_VERSION  1
#define STOCKCERT_META_LEN      152
#define STOCKCERT_TREE_ENV      0x4000     /* how the file was opened once */
#define STOCKCERT_SIZE_MAX      ((uint64_t) 1 << 46)
#define STOCKCERT_TXN_MAX       ((uint64_t) 1 << 62)   /* a higher number may
                                                          wrap around */

#define STOCKCERT_READ_MAX      (8 * 1024 * 1024)


static int stockcert_mdb_meta(stockcert_mdb_t *mdb, int fd, int number,
    stockcert_meta_t *meta);


int
stockcert_mdb_metas(stockcert_mdb_t *mdb, int fd)
{
    int                last;
    stockcert_meta_t   metas[2], *meta, *previous;

    mdb->psize = 0;
    mdb->failed = 0;

    if (stockcert_mdb_meta(mdb, fd, 0, &metas[0]) != 0
        || stockcert_mdb_meta(mdb, fd, 1, &metas[1]) != 0)
    {
        return -1;
    }

    last = metas[1].txn > metas[0].txn;
    meta = &metas[last];
    previous = &metas[!last];

    /*
     * Transactions take turns at the two meta pages.  A number that is changed
     * is on the wrong page, or equals that of the other page, which
     * stockcert_mdb_free() finds.  A new file has had no transaction.
     */

    if (meta->txn && (meta->txn % 2 != (unsigned) last
                      || previous->txn != meta->txn - 1))
    {
        return stockcert_mdb_fault(mdb, "pages 0 and 1: expected the "
                                   "transactions of two turns, found %" PRIu64
                                   " and %" PRIu64, metas[0].txn,
                                   metas[1].txn);
    }

    if (previous->last > meta->last) {
        return stockcert_mdb_fault(mdb, "page %d: expected at least as "
                                   "many pages as before, %" PRIu64
                                   ", found %" PRIu64, last, previous->last,
                                   meta->last);
    }

    mdb->meta = *meta;
    mdb->previous = *previous;

    return 0;
}


static int
stockcert_mdb_meta(stockcert_mdb_t *mdb, int fd, int number,
    stockcert_meta_t *meta)
{
    size_t   psize;
    ssize_t  n;
    uint8_t  p[STOCKCERT_META_LEN], again[STOCKCERT_META_LEN];

    n = pread(fd, p, sizeof(p), (off_t) (number * mdb->psize));

    if (n == -1) {
        return stockcert_mdb_failed(mdb, "pread()", errno);
    }

    if (n != sizeof(p)) {
        return stockcert_mdb_fault(mdb, "page %d: expected %d bytes, found "
                                   "%d", number, STOCKCERT_META_LEN, (int) n);
    }

    if (stockcert_native64(p) != (uint64_t) number
        || stockcert_page_flags(p) != STOCKCERT_PAGE_META
        || stockcert_native32(p + 16) != STOCKCERT_META_MAGIC
        || stockcert_native32(p + 20) != STOCKCERT_META_VERSION)
    {
        return stockcert_mdb_fault(mdb, "page %d: expected a meta page of "
                                   "LMDB 0.9, found none", number);
    }

    /*
     * a read does not wait for a write: this may be half of two transactions
     */

    if (pread(fd, again, sizeof(p), (off_t) (number * mdb->psize)) != n
        || memcmp(p, again, sizeof(p)) != 0)
    {
        return stockcert_mdb_fault(mdb, "page %d: expected the same when "
                                   "read again, found another", number);
    }

    meta->size = stockcert_native64(p + 32);
    stockcert_mdb_tree(p + 40, &meta->free);
    stockcert_mdb_tree(p + 88, &meta->main);
    meta->last = stockcert_native64(p + 136);
    meta->txn = stockcert_native64(p + 144);

    /* here, "pad" has the size of the pages */

    psize = meta->free.pad;
    meta->free.pad = 0;

    if (psize < STOCKCERT_PSIZE_MIN || psize > STOCKCERT_PSIZE_MAX
        || (psize & (psize - 1)) || (mdb->psize && psize != mdb->psize)
        || (meta->free.flags & ~STOCKCERT_TREE_ENV) != STOCKCERT_TREE_INTEGER
        || meta->last < 1 || meta->last >= STOCKCERT_SIZE_MAX / psize
        || meta->size < (meta->last + 1) * psize
        || meta->size > STOCKCERT_SIZE_MAX || meta->txn > STOCKCERT_TXN_MAX)
    {
        return stockcert_mdb_fault(mdb, "page %d: expected sizes and flags "
                                   "that fit, found pages of %zu bytes, the "
                                   "last one %" PRIu64 ", at most %" PRIu64
                                   " bytes, flags %#x, transaction %" PRIu64,
                                   number, psize, meta->last, meta->size,
                                   meta->free.flags, meta->txn);
    }

    meta->free.flags = STOCKCERT_TREE_INTEGER;
    mdb->psize = psize;

    return 0;
}


int
stockcert_mdb_map(stockcert_mdb_t *mdb, int fd)
{
    struct stat  st;

    if (fstat(fd, &st) == -1) {
        return stockcert_mdb_failed(mdb, "fstat()", errno);
    }

    mdb->size = (mdb->meta.last + 1) * mdb->psize;

    if ((uint64_t) st.st_size < mdb->size) {
        return stockcert_mdb_fault(mdb, "file: expected at least %zu bytes,"
                                   " found %" PRIu64, mdb->size,
                                   (uint64_t) st.st_size);
    }

    mdb->map = mmap(NULL, mdb->size, PROT_READ, MAP_SHARED, fd, 0);

    if (mdb->map == MAP_FAILED) {
        mdb->map = NULL;
        return stockcert_mdb_failed(mdb, "mmap()", errno);
    }

    mdb->seen = calloc(1, (size_t) (mdb->meta.last / 8 + 1));
    if (mdb->seen == NULL) {
        return stockcert_mdb_failed(mdb, "calloc()", errno);
    }

    mdb->seen[0] = STOCKCERT_SEEN_METAS;

    return 0;
}


void
stockcert_mdb_unmap(stockcert_mdb_t *mdb)
{
    if (mdb->map) {
        (void) munmap((void *) mdb->map, mdb->size);
    }

    free(mdb->seen);

    mdb->map = NULL;
    mdb->seen = NULL;
}


void
stockcert_mdb_read(stockcert_mdb_t *mdb, size_t n)
{
    mdb->read += n;

    if (mdb->read >= STOCKCERT_READ_MAX) {
        mdb->read = 0;

        /* its pages stay in the page cache; a failure costs only memory */

        (void) madvise((void *) mdb->map, mdb->size, MADV_DONTNEED);
    }
}


void
stockcert_mdb_tree(const uint8_t *p, stockcert_tree_t *tree)
{
    tree->pad = stockcert_native32(p);
    tree->flags = (uint16_t) stockcert_native16(p + 4);
    tree->depth = (uint16_t) stockcert_native16(p + 6);
    tree->branches = stockcert_native64(p + 8);
    tree->leaves = stockcert_native64(p + 16);
    tree->overflows = stockcert_native64(p + 24);
    tree->entries = stockcert_native64(p + 32);
    tree->root = stockcert_native64(p + 40);
}


int
stockcert_mdb_use(stockcert_mdb_t *mdb, const char *name, uint64_t page,
    uint64_t n)
{
    uint64_t  last;

    last = mdb->meta.last;

    if (page > last || n > last + 1 - page) {
        return stockcert_mdb_fault(mdb, "%s: expected pages up to %" PRIu64
                                   ", found page %" PRIu64, name, last, page);
    }

    for ( /* void */ ; n; n--, page++) {

        if (mdb->seen[page / 8] & (1 << page % 8)) {
            return stockcert_mdb_fault(mdb, "%s: expected each page once, "
                                       "found page %" PRIu64 " again", name,
                                       page);
        }

        mdb->seen[page / 8] |= (uint8_t) (1 << page % 8);
    }

    return 0;
}


int
stockcert_mdb_failed(stockcert_mdb_t *mdb, const char *call, int err)
{
    mdb->failed = 1;

    return stockcert_mdb_fault(mdb, "%s failed (%d: %s)", call, err,
                               strerror(err));
}


int
stockcert_mdb_fault(stockcert_mdb_t *mdb, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(mdb->fault, sizeof(mdb->fault), fmt, args);
    va_end(args);

    return -1;
}
