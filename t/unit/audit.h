
/*
 * A second opinion for the tests of "stockcert verify" itself: reads a ledger
 * by LMDB, without the code of src/ledger and src/verify.  It replays the
 * journal and checks the invariants.  Nobody may have the ledger open in this
 * process.  All other tests use verified_ledger().
 */


#ifndef AUDIT_H
#define AUDIT_H


#include "fixture.h"

#include <inttypes.h>
#include <lmdb.h>


typedef struct {
    char           code[STOCKCERT_CODE_MAX + 1];
    uint64_t       authorized;
    uint64_t       issued;
    uint64_t       last;
    MDB_dbi        certificates;
} audit_class_t;


/* the journal up to an entry, and what follows from it */

typedef struct {
    MDB_txn       *txn;
    MDB_dbi        meta;
    MDB_dbi        journal;
    MDB_dbi        class;
    MDB_dbi        request;

    uint64_t       position;
    uint64_t       posted;         /* the entry that all else is as of */
    uint64_t       time;
    uint64_t       cancelled;      /* certificates that are, and no entry yet */
    uint8_t        seal[STOCKCERT_SEAL_LEN];

    size_t         nrequests;
    uint8_t      (*requests)[16];
    size_t         nclasses;
    audit_class_t  classes[STOCKCERT_CLASSES_MAX];
} audit_t;


static inline int
audit_fault(const audit_t *audit, const char *what)
{
    printf("# audit: entry %" PRIu64 ": %s\n", audit->position, what);

    return -1;
}


static inline uint64_t
audit_get64(const uint8_t *p)
{
    int       i;
    uint64_t  n;

    for (i = 0, n = 0; i < 8; i++) {
        n = n * 256 + p[i];
    }

    return n;
}


static inline audit_class_t *
audit_find_class(audit_t *audit, const uint8_t *code, size_t len)
{
    size_t          i;
    audit_class_t  *class;

    for (i = 0; i < audit->nclasses; i++) {
        class = &audit->classes[i];

        if (strlen(class->code) == len && memcmp(class->code, code, len) == 0) {
            return class;
        }
    }

    return NULL;
}


static inline int
audit_open_class(audit_t *audit, const uint8_t *code, size_t len,
    uint64_t authorized)
{
    char            name[40];
    audit_class_t  *class;

    if (audit->nclasses == STOCKCERT_CLASSES_MAX
        || audit_find_class(audit, code, len) != NULL)
    {
        return audit_fault(audit, "a class too many");
    }

    class = &audit->classes[audit->nclasses++];
    class->authorized = authorized;
    memcpy(class->code, code, len);

    snprintf(name, sizeof(name), "certificate:%s", class->code);

    if (mdb_dbi_open(audit->txn, name, 0, &class->certificates) != 0) {
        return audit_fault(audit, "no database for the class");
    }

    return 0;
}


/* as an item of "request": 8 bytes of the key's hash, and the position */

static inline int
audit_note_key(audit_t *audit, const uint8_t *key, size_t len)
{
    int       i;
    uint8_t   hash[STOCKCERT_SEAL_LEN], *item;

    if (audit->nrequests % 1024 == 0) {
        audit->requests = realloc(audit->requests,
                                  (audit->nrequests + 1024) * 16);
    }

    EVP_Digest(key, len, hash, NULL, EVP_sha256(), NULL);

    item = audit->requests[audit->nrequests++];
    memcpy(item, hash, 8);

    for (i = 0; i < 8; i++) {
        item[8 + i] = (uint8_t) (audit->position >> (56 - 8 * i));
    }

    return 0;
}


static inline int
audit_compare_items(const void *one, const void *two)
{
    return memcmp(one, two, 16);
}


/*
 * The items of all runs are those of what is posted, and each run is in order
 * and is of its own part.  No key is there twice: a hash of 64 bits tells here.
 */

static inline int
audit_requests(audit_t *audit)
{
    int          rc;
    size_t       i, n;
    MDB_val      key, run;
    uint8_t    (*items)[16], *p;
    uint64_t     after, last;
    MDB_cursor  *cursor;

    n = 0;
    last = 0;
    items = malloc(audit->nrequests * 16 + 1);

    if (mdb_cursor_open(audit->txn, audit->request, &cursor) != 0) {
        return audit_fault(audit, "no cursor");
    }

    while ((rc = mdb_cursor_get(cursor, &key, &run, MDB_NEXT)) == 0) {

        if (key.mv_size != 8 || run.mv_size % 16 || run.mv_size == 0
            || n + run.mv_size / 16 > audit->nrequests
            || audit_get64(key.mv_data) <= last)
        {
            break;
        }

        after = last;

        for (i = 0; i < run.mv_size / 16; i++) {
            p = (uint8_t *) run.mv_data + 16 * i;

            if (audit_get64(p + 8) < audit_get64(key.mv_data)
                || audit_get64(p + 8) <= after
                || (i && memcmp(p, p - 16, 16) <= 0))
            {
                break;
            }

            if (audit_get64(p + 8) > last) {
                last = audit_get64(p + 8);
            }

            memcpy(items[n++], p, 16);
        }
    }

    mdb_cursor_close(cursor);

    qsort(items, n, 16, audit_compare_items);
    qsort(audit->requests, audit->nrequests, 16, audit_compare_items);

    if (rc != MDB_NOTFOUND || n != audit->nrequests
        || memcmp(items, audit->requests, 16 * n) != 0)
    {
        return audit_fault(audit, "requests");
    }

    free(items);

    return 0;
}


static inline int
audit_keys(audit_t *audit)
{
    size_t  i;

    if (audit->nrequests == 0) {
        return 0;
    }

    qsort(audit->requests, audit->nrequests, 16, audit_compare_items);

    for (i = 1; i < audit->nrequests; i++) {
        if (memcmp(audit->requests[i - 1], audit->requests[i], 8) == 0) {
            return audit_fault(audit, "a key of two certificates");
        }
    }

    free(audit->requests);

    return 0;
}


/* in "certificate:CODE"; of a cancelled one with a second position */

static inline int
audit_find(audit_t *audit, audit_class_t *class, const uint8_t *number,
    const uint8_t *position)
{
    MDB_val  key, value;

    key.mv_size = 8;
    key.mv_data = (void *) number;

    if (mdb_get(audit->txn, class->certificates, &key, &value) != 0
        || (value.mv_size != 8 && value.mv_size != 16)
        || memcmp(value.mv_data, position, 8) != 0)
    {
        return audit_fault(audit, "not found by its number");
    }

    audit->cancelled += (value.mv_size == 16);

    return 0;
}


static inline int
audit_cancel(audit_t *audit, audit_class_t *class, const uint8_t *p,
    const MDB_val *position)
{
    MDB_val         key, value, entry;
    const uint8_t  *issued;

    key.mv_size = 8;
    key.mv_data = (void *) (p + 9);

    if (mdb_get(audit->txn, class->certificates, &key, &value) != 0
        || value.mv_size != 16
        || memcmp((uint8_t *) value.mv_data + 8, position->mv_data, 8) != 0)
    {
        return audit_fault(audit, "cancelled, and not found by its number");
    }

    key.mv_data = value.mv_data;

    if (mdb_get(audit->txn, audit->journal, &key, &entry) != 0) {
        return audit_fault(audit, "cancelled, and never issued");
    }

    issued = entry.mv_data;

    if (issued[0] != 2 || memcmp(issued + 9, p + 9, 8) != 0
        || audit_get64(key.mv_data) >= audit->position)
    {
        return audit_fault(audit, "cancels another entry");
    }

    class->issued -= audit_get64(issued + 17);
    audit->cancelled--;

    return 0;
}


static inline int
audit_issue(audit_t *audit, audit_class_t *class, const uint8_t *p,
    const MDB_val *position)
{
    uint64_t  shares;

    if (audit_get64(p + 9) != ++class->last) {
        return audit_fault(audit, "certificate number");
    }

    shares = audit_get64(p + 17);
    class->issued += shares;

    if (shares == 0 || class->issued > class->authorized) {
        return audit_fault(audit, "shares");
    }

    if (audit->position <= audit->posted
        && audit_find(audit, class, p + 9, position->mv_data) != 0)
    {
        return -1;
    }

    /* behind the class code and the text */

    p += 26 + p[25];
    p += 1 + p[0];

    return p[0] ? audit_note_key(audit, p + 1, p[0]) : 0;
}


/* the layout is that of stockcert_entry.h */

static inline int
audit_entry(audit_t *audit, const MDB_val *key, const MDB_val *value)
{
    size_t          c, t, len;
    uint8_t         sealed[STOCKCERT_SEAL_LEN + STOCKCERT_ENTRY_MAX];
    const uint8_t  *p;
    audit_class_t  *class;

    if (key->mv_size != 8 || audit_get64(key->mv_data) != ++audit->position) {
        return audit_fault(audit, "position");
    }

    p = value->mv_data;
    c = p[25];
    t = p[26 + c];
    len = 28 + c + t + p[27 + c + t];

    if (value->mv_size != len + STOCKCERT_SEAL_LEN) {
        return audit_fault(audit, "length");
    }

    if (audit_get64(p + 1) < audit->time) {
        return audit_fault(audit, "time");
    }

    audit->time = audit_get64(p + 1);

    memcpy(sealed, audit->seal, STOCKCERT_SEAL_LEN);
    memcpy(sealed + STOCKCERT_SEAL_LEN, p, len);
    EVP_Digest(sealed, STOCKCERT_SEAL_LEN + len, audit->seal, NULL,
               EVP_sha256(), NULL);

    if (memcmp(p + len, audit->seal, STOCKCERT_SEAL_LEN) != 0) {
        return audit_fault(audit, "seal");
    }

    if (p[0] == 1) {
        return audit_open_class(audit, p + 26, c, audit_get64(p + 17));
    }

    class = audit_find_class(audit, p + 26, c);
    if (class == NULL) {
        return audit_fault(audit, "a class that was not opened");
    }

    switch (p[0]) {

    case 2:
        return audit_issue(audit, class, p, key);

    case 3:
        class->authorized = audit_get64(p + 17);

        return class->issued > class->authorized
               ? audit_fault(audit, "amended below what is issued") : 0;

    case 4:
        return audit_cancel(audit, class, p, key);

    default:
        return audit_fault(audit, "kind");
    }
}


/* what the replay gave must be what is stored, and nothing else */

static inline int
audit_classes(audit_t *audit)
{
    size_t          i;
    MDB_val         key, value;
    MDB_stat        stat;
    audit_class_t  *class;
    const uint8_t  *p;

    if (mdb_stat(audit->txn, audit->class, &stat) != 0
        || stat.ms_entries != audit->nclasses)
    {
        return audit_fault(audit, "number of classes");
    }

    for (i = 0; i < audit->nclasses; i++) {
        class = &audit->classes[i];

        key.mv_size = strlen(class->code);
        key.mv_data = class->code;

        if (mdb_get(audit->txn, audit->class, &key, &value) != 0) {
            return audit_fault(audit, "a class is missing");
        }

        p = value.mv_data;

        if (audit_get64(p) != class->authorized
            || audit_get64(p + 8) != class->issued
            || audit_get64(p + 16) != class->last)
        {
            return audit_fault(audit, "a class's counters");
        }

        if (mdb_stat(audit->txn, class->certificates, &stat) != 0
            || stat.ms_entries != class->last)
        {
            return audit_fault(audit, "a class's certificates");
        }
    }

    return 0;
}


static inline int
audit_posted(audit_t *audit)
{
    if (audit_classes(audit) != 0) {
        return -1;
    }

    if (audit->cancelled) {
        return audit_fault(audit, "cancelled by no entry");
    }

    return audit->nrequests ? audit_requests(audit) : 0;
}


static inline int
audit_replay(audit_t *audit)
{
    int          rc;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    if (mdb_dbi_open(audit->txn, "meta", 0, &audit->meta) != 0
        || mdb_dbi_open(audit->txn, "journal", 0, &audit->journal) != 0
        || mdb_dbi_open(audit->txn, "class", 0, &audit->class) != 0
        || mdb_dbi_open(audit->txn, "request", 0, &audit->request) != 0)
    {
        return audit_fault(audit, "a database is missing");
    }

    key.mv_size = 6;
    key.mv_data = (void *) "ledger";

    if (mdb_get(audit->txn, audit->meta, &key, &value) != 0) {
        return audit_fault(audit, "no header");
    }

    EVP_Digest(value.mv_data, value.mv_size, audit->seal, NULL, EVP_sha256(),
               NULL);

    if (mdb_cursor_open(audit->txn, audit->journal, &cursor) != 0) {
        return audit_fault(audit, "no cursor");
    }

    /* a lot of 256 entries is full, or something else than an issue */

    rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);

    while (rc == 0) {
        audit->posted = audit_get64(key.mv_data);

        if (audit->posted % 256 == 0 || ((uint8_t *) value.mv_data)[0] != 2) {
            break;
        }

        rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
    }

    if (audit->posted == 0 && audit_posted(audit) != 0) {
        mdb_cursor_close(cursor);
        return -1;
    }

    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);

    while (rc == 0 && audit_entry(audit, &key, &value) == 0) {

        if (audit->position == audit->posted && audit_posted(audit) != 0) {
            break;
        }

        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }

    mdb_cursor_close(cursor);

    return rc == MDB_NOTFOUND ? audit_keys(audit) : -1;
}


/* the number of entries, or -1 if anything is not as it must be */

static inline int64_t
audit_ledger(const fixture_t *f)
{
    int       rc;
    MDB_env  *env;
    audit_t   audit;

    memset(&audit, 0, sizeof(audit_t));

    if (mdb_env_create(&env) != 0) {
        return -1;
    }

    rc = mdb_env_set_maxdbs(env, 4 + STOCKCERT_CLASSES_MAX);

    if (rc == 0) {
        rc = mdb_env_open(env, f->path, MDB_RDONLY, 0600);
    }

    if (rc == 0) {
        rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &audit.txn);
    }

    if (rc == 0) {
        rc = audit_replay(&audit);
        mdb_txn_abort(audit.txn);

    } else {
        audit_fault(&audit, mdb_strerror(rc));
    }

    mdb_env_close(env);

    return rc == 0 ? (int64_t) audit.position : -1;
}


#endif /* AUDIT_H */
