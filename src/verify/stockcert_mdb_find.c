
/*
 * Reads nodes of an LMDB file's pages, and searches a tree that was walked.
 *
 * It touches the map only.
 */


#include "stockcert_mdb_int.h"
#include "stockcert_str.h"


static unsigned stockcert_mdb_least(const uint8_t *page,
    const stockcert_bytes_t *wanted, unsigned leaf);


void
stockcert_mdb_find(const stockcert_mdb_t *mdb,
    const stockcert_tree_t *tree, const void *key, size_t len,
    stockcert_bytes_t *value)
{
    stockcert_bytes_t  found;

    stockcert_mdb_seek(mdb, tree, key, len, &found, value);

    if (value->data != NULL
        && !stockcert_same(found.data, found.len, key, len))
    {
        value->data = NULL;
    }
}


void
stockcert_mdb_seek(const stockcert_mdb_t *mdb,
    const stockcert_tree_t *tree, const void *key, size_t len,
    stockcert_bytes_t *found, stockcert_bytes_t *value)
{
    unsigned            i, n, leaf;
    uint64_t            number, beside;
    const uint8_t      *page;
    stockcert_node_t    node;
    stockcert_bytes_t   wanted;

    wanted.data = key;
    wanted.len = len;

    value->data = NULL;
    number = tree->root;
    beside = STOCKCERT_NO_PAGE;

    while (number != STOCKCERT_NO_PAGE) {
        page = mdb->map + number * mdb->psize;
        leaf = (stockcert_page_flags(page) == STOCKCERT_PAGE_LEAF);
        n = stockcert_page_nodes(page);
        i = stockcert_mdb_least(page, &wanted, leaf);

        if (!leaf) {

            /* the page behind has greater keys only */

            if (i < n) {
                stockcert_mdb_node(page, i, &node);
                beside = node.low;
            }

            stockcert_mdb_node(page, i - 1, &node);
            number = node.low;
            continue;
        }

        if (i == n) {
            number = beside;
            beside = STOCKCERT_NO_PAGE;
            continue;
        }

        stockcert_mdb_node(page, i, &node);

        *found = node.key;
        value->len = (size_t) node.low;
        value->data = node.data;

        if (node.flags & STOCKCERT_NODE_OVERFLOW) {
            value->data = mdb->map
                          + stockcert_native64(node.data) * mdb->psize
                          + STOCKCERT_PAGE_HEADER;
        }

        return;
    }
}


/*
 * the first node of a leaf page whose key is not less, of a branch page whose
 * key is greater; a branch page has one before all
 */

static unsigned
stockcert_mdb_least(const uint8_t *page, const stockcert_bytes_t *wanted,
    unsigned leaf)
{
    int               rc;
    unsigned          low, high, i;
    stockcert_node_t  node;

    low = !leaf;
    high = stockcert_page_nodes(page);

    while (low < high) {
        i = (low + high) / 2;

        stockcert_mdb_node(page, i, &node);
        rc = stockcert_mdb_compare(&node.key, wanted, 0);

        if (rc < 0 || (rc == 0 && !leaf)) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return low;
}


void
stockcert_mdb_node(const uint8_t *page, unsigned number,
    stockcert_node_t *node)
{
    const uint8_t  *p;

    p = page + stockcert_native16(page + STOCKCERT_PAGE_HEADER + 2 * number);

    node->flags = stockcert_native16(p + 4);
    node->low = stockcert_native32(p);
    node->key.len = stockcert_native16(p + 6);
    node->key.data = p + STOCKCERT_NODE_HEADER;
    node->data = node->key.data + node->key.len;
    node->len = STOCKCERT_NODE_HEADER + node->key.len;

    if (stockcert_page_flags(page) == STOCKCERT_PAGE_BRANCH) {
        node->low |= (uint64_t) node->flags << 32;
        node->flags = 0;

    } else {
        node->len += node->flags & STOCKCERT_NODE_OVERFLOW ? 8 : node->low;
    }

    node->len += node->len % 2;
}


int
stockcert_mdb_compare(const stockcert_bytes_t *one,
    const stockcert_bytes_t *two, unsigned integer)
{
    int       rc;
    uint64_t  a, b;

    if (integer) {
        a = stockcert_native64(one->data);
        b = stockcert_native64(two->data);

        return (a > b) - (a < b);
    }

    rc = memcmp(one->data, two->data, one->len < two->len ? one->len
                                                          : two->len);
    if (rc != 0) {
        return rc;
    }

    return (one->len > two->len) - (one->len < two->len);
}
