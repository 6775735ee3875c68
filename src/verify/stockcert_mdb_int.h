
/*
 * What the files of stockcert_mdb.h share: stockcert_mdb.c has the file and
 * its meta pages, stockcert_mdb_free.c the free pages, stockcert_mdb_tree.c
 * walks the trees, stockcert_mdb_find.c searches them.
 */


#ifndef STOCKCERT_MDB_INT_H
#define STOCKCERT_MDB_INT_H


#include <string.h>

#include "stockcert_mdb.h"


#define STOCKCERT_PAGE_BRANCH    0x01
#define STOCKCERT_PAGE_LEAF      0x02
#define STOCKCERT_PAGE_OVERFLOW  0x04
#define STOCKCERT_PAGE_META      0x08

#define STOCKCERT_TREE_INTEGER   0x08      /* keys are integers */

#define STOCKCERT_PAGE_HEADER    16
#define STOCKCERT_PSIZE_MIN      4096
#define STOCKCERT_PSIZE_MAX      32768
#define STOCKCERT_SEEN_METAS     3         /* pages 0 and 1 */
#define STOCKCERT_NO_PAGE        UINT64_MAX

#define STOCKCERT_NODE_OVERFLOW  0x01
#define STOCKCERT_NODE_TREE      0x02
#define STOCKCERT_NODE_HEADER    8


typedef struct {
    unsigned            flags;
    size_t              len;               /* of the whole node */
    uint64_t            low;               /* length of data, or a page */
    stockcert_bytes_t   key;
    const uint8_t      *data;
} stockcert_node_t;


static inline uint64_t
stockcert_native64(const uint8_t *p)
{
    uint64_t  n;

    memcpy(&n, p, sizeof(n));

    return n;
}


static inline uint32_t
stockcert_native32(const uint8_t *p)
{
    uint32_t  n;

    memcpy(&n, p, sizeof(n));

    return n;
}


static inline unsigned
stockcert_native16(const uint8_t *p)
{
    uint16_t  n;

    memcpy(&n, p, sizeof(n));

    return n;
}


static inline unsigned
stockcert_page_flags(const uint8_t *page)
{
    return stockcert_native16(page + 10);
}


static inline unsigned
stockcert_page_nodes(const uint8_t *page)
{
    return (stockcert_native16(page + 12) - STOCKCERT_PAGE_HEADER) / 2;
}


/*
 * Reads a node of a page, but nothing of what the node points to: the page may
 * not be checked yet.  stockcert_mdb_compare() compares keys as LMDB does.
 */

void stockcert_mdb_node(const uint8_t *page, unsigned number,
    stockcert_node_t *node);
int stockcert_mdb_compare(const stockcert_bytes_t *one,
    const stockcert_bytes_t *two, unsigned integer);

/* marks n pages as used; they must be in the file, and not be marked yet */

int stockcert_mdb_use(stockcert_mdb_t *mdb, const char *name,
    uint64_t page, uint64_t n);

/*
 * Both set mdb->fault and return -1. stockcert_mdb_failed() is for an error
 * that is not a fault of the file.
 */

int stockcert_mdb_failed(stockcert_mdb_t *mdb, const char *call, int err);
int stockcert_mdb_fault(stockcert_mdb_t *mdb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* STOCKCERT_MDB_INT_H */
