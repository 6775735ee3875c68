
/*
 * Files that somebody made who knows LMDB. All in them fits together, but LMDB
 * would never write it.  LMDB crashes or goes wrong when it writes on.
 */


#include "image.h"


#define HEADER     16
#define META_FREE  40     /* of a meta page: the tree of free pages, the others */
#define META_MAIN  88
#define META_LAST  136
#define META_TXN   144
#define TREE_OVER  24     /* of a tree: its overflow pages, and its root */
#define TREE_ROOT  40

#define KEYED      4      /* 160 keys: a run of 2560 bytes */
#define LATE       ((uint64_t) -4)


typedef struct {
    const char  *name;
    const char  *words;
    void       (*make)(image_t *image);
} made_t;


static void test_made(const made_t *made);
static void key_0(image_t *image);
static void key_0_before(image_t *image);
static void key_later(image_t *image);
static void page_1_before(image_t *image);
static void page_behind(image_t *image);
static void count_more(image_t *image);
static void transactions_end(image_t *image);
static void long_key(image_t *image);
static void long_node(image_t *image);
static uint8_t *meta_of(image_t *image, int before);
static uint8_t *root_of(image_t *image, const uint8_t *tree);
static uint8_t *free_key(image_t *image, int before, int last);
static uint8_t *tree_named(image_t *image, const char *name);
static uint8_t *node_of(uint8_t *page, unsigned number);
static size_t node_len(uint8_t *page, unsigned number);
static void replace(uint8_t *page, unsigned number, const uint8_t *node,
    size_t len);
static uint16_t get16(const uint8_t *p);
static uint64_t get64(const uint8_t *p);
static void put16(uint8_t *p, size_t n);
static void put64(uint8_t *p, uint64_t n);


static const made_t  cases[] = {
    { "pages freed by transaction 0",
      "free pages: expected those of transactions from 1 to", key_0 },
    { "pages freed by transaction 0, before",
      "free pages: expected those of transactions from 1 to", key_0_before },
    { "pages freed by the next transaction",
      "free pages: expected those of transactions from 1 to", key_later },
    { "a meta page that is free, before",
      "free pages: expected each page once, found page 1 again",
      page_1_before },
    { "a page behind the last that is free",
      "free pages: expected pages up to", page_behind },
    { "more free pages than there are numbers",
      "free pages: transaction ", count_more },
    { "transactions that end soon", "page 0: expected sizes", transactions_end },
    { "a key that is too long", "journal: page ", long_key },
    { "a node that is too long", "request: page ", long_node }
};


int
main(void)
{
    size_t  i;

    fixture_begin();

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_made(&cases[i]);
    }

    fixture_end();

    return tap_done();
}


static void
test_made(const made_t *made)
{
    char                   path[320];
    image_t                image;
    fixture_t              f;
    const char            *fault;
    stockcert_verified_t   verified;

    memset(&verified, 0, sizeof(stockcert_verified_t));

    fixture_make_default(&f, made->name);
    image_ledger(&f, KEYED);
    fixture_file(&f, "data.mdb", path, sizeof(path));
    image_load(path, &image);

    ok(verified_file(path, &verified) == NULL, "%s: a ledger", made->name);

    made->make(&image);
    image_put(path, image.bytes, image.size, 0);

    fault = verified_file(path, &verified);

    ok(fault && strncmp(fault, made->words, strlen(made->words)) == 0,
       "%s: %s", made->name, fault ? fault : "nothing is found");

    free(image.bytes);
}


static void
key_0(image_t *image)
{
    put64(free_key(image, 0, 0), 0);
}


static void
key_0_before(image_t *image)
{
    put64(free_key(image, 1, 0), 0);
}


/* its own is put in the next one's name */

static void
key_later(image_t *image)
{
    uint8_t  *key;

    key = free_key(image, 0, 1);

    put64(key, get64(key) + 1);
}


/* the last of a record's pages is its least */

static void
page_1_before(image_t *image)
{
    uint8_t  *value;

    value = free_key(image, 1, 0) + 8;

    put64(value + 8 * get64(value), 1);
}


static void
page_behind(image_t *image)
{
    put64(free_key(image, 0, 0) + 16,
          get64(meta_of(image, 0) + META_LAST) + 1);
}


static void
count_more(image_t *image)
{
    uint8_t  *value;

    value = free_key(image, 0, 1) + 8;

    put64(value, get64(value) + 1);
}


/* both meta pages and the records of their own pages say so */

static void
transactions_end(image_t *image)
{
    int       before;
    uint8_t  *txn;

    for (before = 0; before < 2; before++) {
        txn = meta_of(image, before) + META_TXN;

        put64(free_key(image, before, 1), (get64(txn) & 1) + LATE);
    }

    for (before = 0; before < 2; before++) {
        txn = image->bytes + before * IMAGE_PAGE + META_TXN;

        put64(txn, (get64(txn) & 1) + LATE);
    }
}


/* between two pages of the journal, in order */

static void
long_key(image_t *image)
{
    uint8_t  *page, *first, *below, node[8 + 512];

    page = root_of(image, tree_named(image, "journal"));
    first = node_of(page, 1);
    below = image->bytes + (size_t) (get64(first) & 0xffffffffffff) * IMAGE_PAGE;

    memset(node, 0, sizeof(node));
    memcpy(node, first, 8);
    put16(node + 6, 512);

    /* just behind the last key of the page before */

    memcpy(node + 8, node_of(below, 0) + 8, 8);
    stockcert_put64(node + 8, stockcert_get64(node + 8) - 1);

    replace(page, 1, node, sizeof(node));
}


/*
 * data that LMDB has in a page of its own, in its leaf page: that one is free
 */

static void
long_node(image_t *image)
{
    size_t    len;
    uint8_t   node[IMAGE_PAGE], *page, *tree, *old, *run, *record;
    uint64_t  pages, number;

    tree = tree_named(image, "request");
    page = root_of(image, tree);
    old = node_of(page, 0);

    number = get64(old + 16);
    run = image->bytes + (size_t) number * IMAGE_PAGE;
    len = get16(old);

    memcpy(node, old, 16);
    memset(node + 4, 0, 2);
    memcpy(node + 16, run + HEADER, len);
    replace(page, 0, node, 16 + len);

    put64(tree + TREE_OVER, get64(tree + TREE_OVER) - 1);

    /* into the first record of free pages, in order */

    page = root_of(image, meta_of(image, 0) + META_FREE);
    record = node_of(page, 0);
    len = node_len(page, 0);
    memcpy(node, record, len);

    for (pages = get64(node + 16); pages; pages--) {
        if (get64(node + 16 + 8 * pages) > number) {
            break;
        }

        memcpy(node + 24 + 8 * pages, node + 16 + 8 * pages, 8);
    }

    put64(node + 24 + 8 * pages, number);
    put64(node + 16, get64(node + 16) + 1);
    put16(node, len + 8 - 16);
    replace(page, 0, node, len + 8);
}


static uint8_t *
meta_of(image_t *image, int before)
{
    uint8_t  *one, *two;

    one = image->bytes;
    two = image->bytes + IMAGE_PAGE;

    return (get64(one + META_TXN) < get64(two + META_TXN)) != before ? two
                                                                     : one;
}


static uint8_t *
root_of(image_t *image, const uint8_t *tree)
{
    return image->bytes + (size_t) get64(tree + TREE_ROOT) * IMAGE_PAGE;
}


/*
 * that of the first or the last record, in a tree of one page; before its value
 */

static uint8_t *
free_key(image_t *image, int before, int last)
{
    uint8_t  *page;

    page = root_of(image, meta_of(image, before) + META_FREE);

    if (get16(page + 10) != 2) {
        tap_bail_out("free pages are not in one page");
    }

    return node_of(page, last ? (get16(page + 12) - HEADER) / 2 - 1U : 0) + 8;
}


static uint8_t *
tree_named(image_t *image, const char *name)
{
    uint8_t   *page, *node;
    unsigned   i, n;

    page = root_of(image, meta_of(image, 0) + META_MAIN);
    n = (get16(page + 12) - HEADER) / 2U;

    for (i = 0; i < n; i++) {
        node = node_of(page, i);

        if (get16(node + 6) == strlen(name)
            && memcmp(node + 8, name, strlen(name)) == 0)
        {
            return node + 8 + strlen(name);
        }
    }

    tap_bail_out("no database %s", name);
}


static uint8_t *
node_of(uint8_t *page, unsigned number)
{
    return page + get16(page + HEADER + 2 * number);
}


static size_t
node_len(uint8_t *page, unsigned number)
{
    size_t    len;
    uint8_t  *node;

    node = node_of(page, number);
    len = 8U + get16(node + 6);

    if (get16(page + 10) == 2) {
        len += get16(node + 4) & 1 ? 8 : get16(node);
    }

    return len;
}


/* all nodes anew, one of them another */

static void
replace(uint8_t *page, unsigned number, const uint8_t *node, size_t len)
{
    size_t    one, upper;
    uint8_t   old[IMAGE_PAGE];
    unsigned  i, n;

    memcpy(old, page, IMAGE_PAGE);

    n = (get16(page + 12) - HEADER) / 2U;
    upper = IMAGE_PAGE;

    for (i = 0; i < n; i++) {
        one = i == number ? len : node_len(old, i);
        upper -= one + one % 2;

        if (upper < HEADER + 2 * n) {
            tap_bail_out("no room in a page");
        }

        memcpy(page + upper, i == number ? node : node_of(old, i), one);
        put16(page + HEADER + 2 * i, upper);
    }

    put16(page + 14, upper);
}


static uint16_t
get16(const uint8_t *p)
{
    uint16_t  n;

    memcpy(&n, p, sizeof(n));

    return n;
}


static uint64_t
get64(const uint8_t *p)
{
    uint64_t  n;

    memcpy(&n, p, sizeof(n));

    return n;
}


static void
put16(uint8_t *p, size_t n)
{
    uint16_t  number;

    number = (uint16_t) n;
    memcpy(p, &number, sizeof(number));
}


static void
put64(uint8_t *p, uint64_t n)
{
    memcpy(p, &n, sizeof(n));
}
