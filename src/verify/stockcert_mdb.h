
/*
 * Reads an LMDB file without LMDB, for a caller that must not trust it.
 *
 * LMDB trusts its file, and has no checksums.  A changed byte gives it other
 * data, or makes it crash.  Here each page is checked before it is used.
 *
 * The file is of LMDB 0.9 (mdb.c, MDB_DATA_VERSION 1) on a machine of 64 bits,
 * integers in its own byte order.  It has pages; 0 and 1 are the meta pages of
 * the last two transactions:
 *
 *     page     number (8 bytes), pad (2), flags (2), lower (2), upper (2)
 *     meta     page, magic (4), version (4), address (8), map size (8), tree of
 *              free pages, tree of databases, last page (8), transaction (8)
 *     tree     pad (4), flags (2), depth (2), branch pages (8), leaf pages (8),
 *              overflow pages (8), entries (8), root page (8)
 *
 * Offsets of nodes (2 bytes each) grow from a page's header up to "lower", and
 * nodes from "upper" to its end:
 *
 *     node     low (2), high (2), flags (2), length of the key (2), key, data
 *
 * In a branch page, low, high and flags are the number of the page below, and
 * the first node stands for all that is less than the second key.  In a leaf
 * page, low and high are the length of the data, which is in overflow pages if
 * the flags say so (the node has the number of the first one, and instead of
 * lower and upper that has how many they are), or is a tree, of a database.
 */


#ifndef STOCKCERT_MDB_H
#define STOCKCERT_MDB_H


#include <stddef.h>
#include <stdint.h>


typedef struct {
    size_t          len;
    const uint8_t  *data;
} stockcert_bytes_t;


typedef struct {
    uint32_t        pad;
    uint16_t        flags;
    uint16_t        depth;
    uint64_t        branches;
    uint64_t        leaves;
    uint64_t        overflows;
    uint64_t        entries;
    uint64_t        root;
} stockcert_tree_t;


_Static_assert(sizeof(stockcert_tree_t) == 48,
               "nothing is between the members: trees are compared as bytes");
_Static_assert(sizeof(size_t) == 8, "a machine of 64 bits");


typedef struct {
    uint64_t          size;            /* of the map */
    uint64_t          last;            /* page */
    uint64_t          txn;
    stockcert_tree_t  free;
    stockcert_tree_t  main;
} stockcert_meta_t;


typedef struct {
    const uint8_t    *map;
    size_t            size;            /* bytes, of the map */
    size_t            psize;           /* bytes, of a page */
    stockcert_meta_t  meta;            /* of the last transaction */
    stockcert_meta_t  previous;
    uint8_t          *seen;            /* a bit for each page */
    size_t            read;            /* bytes, since it was made small */
    int               failed;          /* the file could not be read, or
                                          there is no memory: not its fault */
    char              fault[512];
} stockcert_mdb_t;


/*
 * Called for each entry of a tree, in the order of the keys.  The walk ends if
 * it does not return 0.
 */

typedef int (*stockcert_visit_pt)(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree);


/*
 * Functions that return an int return 0, or -1 with a sentence about the fault
 * in mdb->fault.  While they read, nobody may write to the pages of the last
 * transaction and of the one before: stockcert_hold.h.
 */

/* Reads both meta pages of the open file fd, and finds which is newer. */

int stockcert_mdb_metas(stockcert_mdb_t *mdb, int fd);

/*
 * stockcert_mdb_map() maps the file after that.  stockcert_mdb_unmap() ends it,
 * also after an error.
 */

int stockcert_mdb_map(stockcert_mdb_t *mdb, int fd);
void stockcert_mdb_unmap(stockcert_mdb_t *mdb);

/*
 * Checks all of a tree: each page is there, is used once, and is a valid page
 * of its kind; keys are in order, and the counts are right. visit may be NULL.
 * name is for faults.
 */

int stockcert_mdb_walk(stockcert_mdb_t *mdb, const char *name,
    const stockcert_tree_t *tree, stockcert_visit_pt visit, void *data);

/*
 * After all trees were walked: checks that each page without a tree is free,
 * and no other page is.
 */

int stockcert_mdb_free_pages(stockcert_mdb_t *mdb);

/*
 * stockcert_mdb_find() looks for a key in a tree that was walked.  If the key
 * is not there, value->data is NULL.  stockcert_mdb_seek() finds the first key
 * that is not less, too, and sets *found to it.
 */

void stockcert_mdb_find(const stockcert_mdb_t *mdb,
    const stockcert_tree_t *tree, const void *key, size_t len,
    stockcert_bytes_t *value);
void stockcert_mdb_seek(const stockcert_mdb_t *mdb,
    const stockcert_tree_t *tree, const void *key, size_t len,
    stockcert_bytes_t *found, stockcert_bytes_t *value);

/*
 * Must be told how many bytes were read.  Mapped pages that were read count as
 * the process's memory, which must not grow to the size of the file.
 */

void stockcert_mdb_read(stockcert_mdb_t *mdb, size_t n);

/* Reads the tree of a database from its value in the tree of databases. */

void stockcert_mdb_tree(const uint8_t *p, stockcert_tree_t *tree);


#endif /* STOCKCERT_MDB_H */
