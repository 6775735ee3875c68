
/*
 * Walks a tree of an LMDB file.  Each page is checked before it is believed.
 *
 * It touches the map only.
 */


#include <inttypes.h>

#include "stockcert_mdb_int.h"


#define STOCKCERT_KEY_BYTES      511       /* LMDB has no longer keys */

#define STOCKCERT_DEPTH_MAX      32        /* the limit of LMDB's cursors */


/* what is known of a tree as it is walked */

typedef struct {
    stockcert_mdb_t       *mdb;
    const char            *name;
    stockcert_visit_pt     visit;
    void                  *data;
    unsigned               integer:1;
    stockcert_tree_t       tree;           /* as it should be */
    stockcert_tree_t       found;
    stockcert_bytes_t      after;          /* the key before this one */
} stockcert_walk_t;


static int stockcert_mdb_walk_page(stockcert_walk_t *walk, uint64_t page,
    unsigned depth, const stockcert_bytes_t *least,
    const stockcert_bytes_t *below);
static int stockcert_mdb_check_nodes(stockcert_walk_t *walk,
    const uint8_t *page);
static int stockcert_mdb_walk_branch(stockcert_walk_t *walk,
    const uint8_t *page, unsigned depth, const stockcert_bytes_t *least,
    const stockcert_bytes_t *below);
static int stockcert_mdb_walk_leaf(stockcert_walk_t *walk,
    const uint8_t *page, const stockcert_bytes_t *least,
    const stockcert_bytes_t *below);
static int stockcert_mdb_value(stockcert_walk_t *walk,
    const stockcert_node_t *node, stockcert_bytes_t *value);


int
stockcert_mdb_walk(stockcert_mdb_t *mdb, const char *name,
    const stockcert_tree_t *tree, stockcert_visit_pt visit, void *data)
{
    int                rc;
    stockcert_walk_t   walk;
    stockcert_tree_t  *found;

    memset(&walk, 0, sizeof(stockcert_walk_t));

    walk.mdb = mdb;
    walk.name = name;
    walk.visit = visit;
    walk.data = data;
    walk.tree = *tree;
    walk.integer = (tree == &mdb->meta.free);

    found = &walk.found;

    found->flags = walk.integer ? STOCKCERT_TREE_INTEGER : 0;
    found->root = tree->root;

    if (tree->root != STOCKCERT_NO_PAGE) {
        found->depth = tree->depth;

        rc = stockcert_mdb_walk_page(&walk, tree->root, 1, NULL, NULL);
        if (rc != 0) {
            return rc;
        }
    }

    if (memcmp(tree, found, sizeof(stockcert_tree_t)) != 0) {
        return stockcert_mdb_fault(mdb, "%s: expected flags %#x, depth %u, "
                                   "%" PRIu64 " branch, %" PRIu64 " leaf and "
                                   "%" PRIu64 " overflow pages and %" PRIu64
                                   " entries, found %#x, %u, %" PRIu64 ", %"
                                   PRIu64 ", %" PRIu64 " and %" PRIu64, name,
                                   tree->flags, tree->depth, tree->branches,
                                   tree->leaves, tree->overflows,
                                   tree->entries, found->flags, found->depth,
                                   found->branches, found->leaves,
                                   found->overflows, found->entries);
    }

    return 0;
}


/*
 * Keys are not less than "least", and less than "below", if these are given.
 */

static int
stockcert_mdb_walk_page(stockcert_walk_t *walk, uint64_t number,
    unsigned depth, const stockcert_bytes_t *least,
    const stockcert_bytes_t *below)
{
    unsigned          flags;
    const uint8_t    *page;
    stockcert_mdb_t  *mdb;

    mdb = walk->mdb;

    if (depth > walk->tree.depth || depth > STOCKCERT_DEPTH_MAX) {
        return stockcert_mdb_fault(mdb, "%s: expected depth %u, found page "
                                   "%" PRIu64 " below", walk->name,
                                   walk->tree.depth, number);
    }

    if (stockcert_mdb_use(mdb, walk->name, number, 1) != 0) {
        return -1;
    }

    page = mdb->map + number * mdb->psize;
    flags = depth == walk->tree.depth ? STOCKCERT_PAGE_LEAF
                                      : STOCKCERT_PAGE_BRANCH;

    if (stockcert_native64(page) != number
        || stockcert_page_flags(page) != flags)
    {
        return stockcert_mdb_fault(mdb, "%s: page %" PRIu64 ": expected its"
                                   " number and flags %#x, found %" PRIu64
                                   " and %#x", walk->name, number, flags,
                                   stockcert_native64(page),
                                   stockcert_page_flags(page));
    }

    if (stockcert_mdb_check_nodes(walk, page) != 0) {
        return -1;
    }

    stockcert_mdb_read(mdb, mdb->psize);

    if (flags == STOCKCERT_PAGE_LEAF) {
        walk->found.leaves++;
        return stockcert_mdb_walk_leaf(walk, page, least, below);
    }

    walk->found.branches++;

    return stockcert_mdb_walk_branch(walk, page, depth, least, below);
}


/*
 * Nodes fill their part of the page: each byte belongs to one of them.  They
 * have keys, but the first one of a branch page may have none.  A page has room
 * for any two of its nodes: LMDB relies on this when it moves them.
 */

static int
stockcert_mdb_check_nodes(stockcert_walk_t *walk, const uint8_t *page)
{
    size_t             lower, upper, offset, psize, all, most;
    uint8_t            used[STOCKCERT_PSIZE_MAX / 16];
    unsigned           i, n, leaf;
    stockcert_node_t   node;

    psize = walk->mdb->psize;
    lower = stockcert_native16(page + 12);
    upper = stockcert_native16(page + 14);

    if (lower < STOCKCERT_PAGE_HEADER || lower % 2 || lower > upper
        || upper > psize)
    {
        goto fault;
    }

    memset(used, 0, psize / 16);

    n = stockcert_page_nodes(page);
    leaf = (stockcert_page_flags(page) == STOCKCERT_PAGE_LEAF);
    most = (psize - STOCKCERT_PAGE_HEADER) / 2 - 2;
    all = 0;

    for (i = 0; i < n; i++) {
        offset = stockcert_native16(page + STOCKCERT_PAGE_HEADER + 2 * i);

        if (offset < upper || offset % 2
            || offset + STOCKCERT_NODE_HEADER > psize)
        {
            goto fault;
        }

        stockcert_mdb_node(page, i, &node);

        if (node.len > psize - offset || node.len > most
            || node.key.len > STOCKCERT_KEY_BYTES
            || ((leaf || i)
                && (walk->integer ? node.key.len != 8 : node.key.len == 0)))
        {
            goto fault;
        }

        all += node.len;

        /* nodes begin at even offsets, and none is shorter than 8 bytes */

        for (node.len += offset; offset < node.len; offset += 2) {

            if (used[offset / 16] & (1 << offset / 2 % 8)) {
                goto fault;
            }

            used[offset / 16] |= (uint8_t) (1 << offset / 2 % 8);
        }
    }

    if (n > !leaf && all == psize - upper) {
        return 0;
    }

fault:

    return stockcert_mdb_fault(walk->mdb, "%s: page %" PRIu64 ": expected "
                               "whole nodes, found others", walk->name,
                               stockcert_native64(page));
}


static int
stockcert_mdb_walk_branch(stockcert_walk_t *walk, const uint8_t *page,
    unsigned depth, const stockcert_bytes_t *least,
    const stockcert_bytes_t *below)
{
    int                       rc;
    unsigned                  i, n;
    stockcert_node_t          node, next;
    const stockcert_bytes_t  *end;

    n = stockcert_page_nodes(page);

    for (i = 0; i < n; i++) {
        stockcert_mdb_node(page, i, &node);

        end = below;

        if (i + 1 < n) {
            stockcert_mdb_node(page, i + 1, &next);
            end = &next.key;
        }

        rc = stockcert_mdb_walk_page(walk, node.low, depth + 1,
                                     i ? &node.key : least, end);
        if (rc != 0) {
            return rc;
        }
    }

    return 0;
}


static int
stockcert_mdb_walk_leaf(stockcert_walk_t *walk, const uint8_t *page,
    const stockcert_bytes_t *least, const stockcert_bytes_t *below)
{
    int                 rc;
    unsigned            i, n;
    stockcert_node_t    node;
    stockcert_bytes_t   value;

    n = stockcert_page_nodes(page);

    for (i = 0; i < n; i++) {
        stockcert_mdb_node(page, i, &node);

        if ((walk->after.data
             && stockcert_mdb_compare(&walk->after, &node.key, walk->integer)
                >= 0)
            || (least && stockcert_mdb_compare(&node.key, least,
                                               walk->integer)
                         < 0)
            || (below && stockcert_mdb_compare(&node.key, below,
                                               walk->integer)
                         >= 0))
        {
            return stockcert_mdb_fault(walk->mdb, "%s: page %" PRIu64
                                       ": expected keys in order, found "
                                       "another as number %u", walk->name,
                                       stockcert_native64(page), i + 1);
        }

        walk->after = node.key;
        walk->found.entries++;

        if (stockcert_mdb_value(walk, &node, &value) != 0) {
            return -1;
        }

        if (walk->visit) {
            rc = walk->visit(walk->data, &node.key, &value,
                             node.flags & STOCKCERT_NODE_TREE);
            if (rc != 0) {
                return rc;
            }
        }
    }

    return 0;
}


static int
stockcert_mdb_value(stockcert_walk_t *walk, const stockcert_node_t *node,
    stockcert_bytes_t *value)
{
    uint64_t          number, n, least;
    const uint8_t    *page;
    stockcert_mdb_t  *mdb;

    mdb = walk->mdb;

    value->len = (size_t) node->low;
    value->data = node->data;

    switch (node->flags) {

    case 0:
        return 0;

    case STOCKCERT_NODE_TREE:
        if (value->len == 48 && walk->tree.root == mdb->meta.main.root) {
            return 0;
        }

        break;

    case STOCKCERT_NODE_OVERFLOW:
        number = stockcert_native64(node->data);

        if (number > mdb->meta.last) {
            break;
        }

        page = mdb->map + number * mdb->psize;
        n = stockcert_native32(page + 12);
        least = (STOCKCERT_PAGE_HEADER + node->low + mdb->psize - 1)
                / mdb->psize;

        if (stockcert_native64(page) != number
            || stockcert_page_flags(page) != STOCKCERT_PAGE_OVERFLOW
            || n < least)
        {
            break;
        }

        value->data = page + STOCKCERT_PAGE_HEADER;
        walk->found.overflows += n;
        stockcert_mdb_read(mdb, mdb->psize);

        return stockcert_mdb_use(mdb, walk->name, number, n);
    }

    return stockcert_mdb_fault(mdb, "%s: entry %" PRIu64 ": expected data, "
                               "found flags %#x that do not fit", walk->name,
                               walk->found.entries, node->flags);
}
