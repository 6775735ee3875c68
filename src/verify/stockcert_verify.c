
/*
 * Checks a whole ledger: all its pages, its databases, its header, and then
 * entry by entry.
 *
 * It touches the map only, and runs none of the code in src/ledger.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stockcert_text.h"
#include "stockcert_verify_int.h"


static int stockcert_verify_structure(stockcert_verify_t *v);
static int stockcert_verify_visit_main(void *data,
    const stockcert_bytes_t *key, const stockcert_bytes_t *value, int subtree);
static int stockcert_verify_header(stockcert_verify_t *v);
static int stockcert_verify_mark(stockcert_verify_t *v,
    const stockcert_bytes_t *mark);


int
stockcert_verify(stockcert_mdb_t *mdb, stockcert_verified_t *verified,
    void (*progress)(uint64_t done, uint64_t all))
{
    int                 rc;
    stockcert_verify_t  v;

    memset(&v, 0, sizeof(stockcert_verify_t));

    v.mdb = mdb;
    v.verified = verified;
    v.md = EVP_MD_fetch(NULL, "SHA256", NULL);
    v.ctx = EVP_MD_CTX_new();

    verified->certificates = 0;
    verified->outstanding = 0;
    verified->transactions = 0;

    rc = 0;

    if (v.md == NULL || v.ctx == NULL) {
        mdb->failed = 1;
        rc = stockcert_verify_fault(&v, "libcrypto has no SHA-256");
    }

    if (rc == 0) {
        rc = stockcert_verify_structure(&v);
    }

    if (rc == 0) {
        rc = stockcert_verify_header(&v);
    }

    if (rc == 0) {
        rc = stockcert_verify_runs(&v);
    }

    if (rc == 0) {
        rc = stockcert_verify_posted(&v);
    }

    while (rc == 0) {

        if (v.position == v.posted) {
            rc = stockcert_verify_classes(&v);
        }

        if (rc != 0 || v.position == v.journal.entries) {
            break;
        }

        rc = stockcert_verify_next(&v);
        progress(v.position, v.journal.entries);
    }

    if (rc == 0) {
        rc = stockcert_verify_group_whole(&v);
    }

    if (rc == 0) {
        rc = stockcert_verify_requests(&v);
    }

    free(v.runs);
    EVP_MD_CTX_free(v.ctx);
    EVP_MD_free(v.md);

    verified->entries = v.position;
    memcpy(verified->seal, v.seal, STOCKCERT_SEAL_LEN);

    return rc;
}


/* checks every page of the file, before it looks for anything in it */

static int
stockcert_verify_structure(stockcert_verify_t *v)
{
    char              name[sizeof(STOCKCERT_VERIFY_PREFIX)
                           + STOCKCERT_CODE_MAX];
    size_t            i;
    stockcert_mdb_t  *mdb;

    mdb = v->mdb;

    if (stockcert_mdb_walk(mdb, "databases", &mdb->meta.main,
                           stockcert_verify_visit_main, v)
        != 0)
    {
        return -1;
    }

    if (v->meta.root == 0 || v->journal.root == 0 || v->class.root == 0
        || v->request.root == 0 || v->holder.root == 0
        || v->transaction.root == 0 || v->amendment.root == 0)
    {
        return stockcert_verify_fault(v, "databases: expected meta, journal, "
                                      "class, request, holder, transaction and "
                                      "amendment, found not all");
    }

    if (stockcert_mdb_walk(mdb, "meta", &v->meta, NULL, NULL) != 0
        || stockcert_mdb_walk(mdb, "journal", &v->journal, NULL, NULL) != 0
        || stockcert_mdb_walk(mdb, "class", &v->class, NULL, NULL) != 0
        || stockcert_mdb_walk(mdb, "request", &v->request,
                              stockcert_verify_visit_request, v)
           != 0
        || stockcert_mdb_walk(mdb, "holder", &v->holder, NULL, NULL) != 0
        || stockcert_mdb_walk(mdb, "transaction", &v->transaction, NULL, NULL)
           != 0
        || stockcert_mdb_walk(mdb, "amendment", &v->amendment, NULL, NULL) != 0)
    {
        return -1;
    }

    for (i = 0; i < v->nclasses; i++) {
        snprintf(name, sizeof(name), STOCKCERT_VERIFY_PREFIX "%.*s",
                 (int) v->classes[i].code_len, v->classes[i].code);

        if (stockcert_mdb_walk(mdb, name, &v->classes[i].certificates, NULL,
                               NULL)
            != 0)
        {
            return -1;
        }
    }

    return stockcert_mdb_free_pages(mdb);
}


static int
stockcert_verify_visit_main(void *data, const stockcert_bytes_t *key,
    const stockcert_bytes_t *value, int subtree)
{
    size_t                     i, prefix;
    const char                *code;
    stockcert_tree_t          *tree;
    stockcert_verify_t        *v;
    stockcert_verify_class_t  *class;

    v = data;
    tree = NULL;
    prefix = sizeof(STOCKCERT_VERIFY_PREFIX) - 1;

    struct {
        const char        *name;
        stockcert_tree_t  *tree;
    } trees[] = {
        { "meta", &v->meta }, { "journal", &v->journal },
        { "class", &v->class }, { "request", &v->request },
        { "holder", &v->holder }, { "transaction", &v->transaction },
        { "amendment", &v->amendment }
    };

    for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        if (stockcert_same(trees[i].name, strlen(trees[i].name), key->data,
                           key->len))
        {
            tree = trees[i].tree;
        }
    }

    code = (const char *) key->data + prefix;

    if (tree == NULL && key->len > prefix
        && memcmp(key->data, STOCKCERT_VERIFY_PREFIX, prefix) == 0
        && stockcert_code_fault(code, key->len - prefix) == NULL
        && v->nclasses < STOCKCERT_VERIFY_CLASSES)
    {
        class = &v->classes[v->nclasses++];

        class->code_len = key->len - prefix;
        memcpy(class->code, code, class->code_len);
        tree = &class->certificates;
    }

    if (tree == NULL || !subtree) {
        return stockcert_verify_fault(v, "databases: expected a ledger's, found"
                                      " \"%.*s\"", (int) key->len,
                                      (const char *) key->data);
    }

    stockcert_mdb_tree(value->data, tree);

    return 0;
}


static int
stockcert_verify_header(stockcert_verify_t *v)
{
    size_t              n;
    const uint8_t      *p;
    stockcert_bytes_t   value, mark;

    stockcert_mdb_find(v->mdb, &v->meta, "ledger", 6, &value);
    stockcert_mdb_find(v->mdb, &v->meta, "replica", 7, &mark);

    if (value.data == NULL || v->meta.entries != 1 + (mark.data != NULL)) {
        return stockcert_verify_fault(v, "meta: expected \"ledger\" alone, or "
                                      "with \"replica\", found %" PRIu64
                                      " entries", v->meta.entries);
    }

    p = value.data;

    if (value.len < 22 || memcmp(p, "stockcert", 9) != 0) {
        return stockcert_verify_fault(v, "meta: expected a ledger's header, "
                                      "found another");
    }

    if (stockcert_get32(p + 9) != 2) {
        return stockcert_verify_fault(v, "meta: expected format version 2, "
                                      "found %" PRIu32, stockcert_get32(p + 9));
    }

    n = p[21];

    if (value.len != 22 + n
        || stockcert_text_fault((const char *) p + 22, n) != NULL)
    {
        return stockcert_verify_fault(v, "meta: expected the name of a company,"
                                      " found another text");
    }

    if (stockcert_get64(p + 13) > STOCKCERT_TIME_MAX) {
        return stockcert_verify_fault(v, "meta: expected a time before the year"
                                      " 10000, found %" PRIu64,
                                      stockcert_get64(p + 13));
    }

    if (stockcert_verify_hash(v, &value, NULL, v->seal) != 0) {
        return -1;
    }

    return mark.data ? stockcert_verify_mark(v, &mark) : 0;
}


/* what the journal is known by that other machines share, and its seal */

static int
stockcert_verify_mark(stockcert_verify_t *v, const stockcert_bytes_t *mark)
{
    uint8_t            seal[STOCKCERT_SEAL_LEN];
    stockcert_bytes_t  header, name;

    name.data = mark->data;
    name.len = mark->len - STOCKCERT_SEAL_LEN;

    if (mark->len <= STOCKCERT_SEAL_LEN
        || stockcert_text_fault((const char *) name.data, name.len) != NULL)
    {
        return stockcert_verify_fault(v, "meta: expected the name of a replica "
                                      "and a seal, found other bytes");
    }

    header.data = v->seal;
    header.len = STOCKCERT_SEAL_LEN;

    if (stockcert_verify_hash(v, &header, &name, seal) != 0) {
        return -1;
    }

    if (memcmp(seal, name.data + name.len, STOCKCERT_SEAL_LEN) != 0) {
        return stockcert_verify_fault(v, "meta: expected the seal of the replica "
                                      "%.*s, found another", (int) name.len,
                                      (const char *) name.data);
    }

    return 0;
}
