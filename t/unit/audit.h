
/*
 * A second opinion for the tests of "stockcert verify" itself: reads a ledger
 * by LMDB, without the code of src/ledger and src/verify.  It replays the
 * journal and checks the invariants.  Nobody may have the ledger open in this
 * process.  All other tests use verified_ledger().
 */


#ifndef AUDIT_H
#define AUDIT_H


#include "audit_entry.h"


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


/* the shares out are those of the certificates that are outstanding */

static inline int
audit_outstanding(audit_t *audit, const audit_class_t *class)
{
    MDB_val      key, value;
    uint64_t     shares, sum;
    MDB_cursor  *cursor;

    sum = 0;

    if (mdb_cursor_open(audit->txn, class->certificates, &cursor) != 0) {
        return audit_fault(audit, "no cursor");
    }

    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {

        if (value.mv_size == 16) {
            continue;
        }

        if (audit_issued_shares(audit, value.mv_data,
                                audit_get64(key.mv_data), &shares)
            != 0)
        {
            mdb_cursor_close(cursor);
            return -1;
        }

        sum += shares;
    }

    mdb_cursor_close(cursor);

    return sum == class->issued ? 0 : audit_fault(audit, "shares out");
}


/* "holder" has as many entries, each of the journal's */

static inline int
audit_holders(audit_t *audit)
{
    int             rc;
    uint64_t        n;
    MDB_val         key, value, entry, position;
    MDB_cursor     *cursor;

    n = 0;

    if (mdb_cursor_open(audit->txn, audit->holder, &cursor) != 0) {
        return audit_fault(audit, "no cursor");
    }

    for ( ;; ) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (rc != 0) {
            break;
        }

        position.mv_size = 8;
        position.mv_data = (uint8_t *) key.mv_data + key.mv_size - 8;

        if (key.mv_size < 10 || value.mv_size != 0
            || mdb_get(audit->txn, audit->journal, &position, &entry) != 0
            || ((uint8_t *) entry.mv_data)[0] != STOCKCERT_HOLDER_CHANGED)
        {
            break;
        }

        n++;
    }

    mdb_cursor_close(cursor);

    return rc == MDB_NOTFOUND && n == audit->holders
           ? 0 : audit_fault(audit, "holders");
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

        if (audit_outstanding(audit, class) != 0) {
            return -1;
        }
    }

    return 0;
}


static inline int
audit_posted(audit_t *audit)
{
    MDB_stat  stat;

    if (audit_classes(audit) != 0 || audit_holders(audit) != 0) {
        return -1;
    }

    if (audit->surrendered) {
        return audit_fault(audit, "surrendered by no entry");
    }

    if (mdb_stat(audit->txn, audit->transaction, &stat) != 0
        || stat.ms_entries != audit->transactions)
    {
        return audit_fault(audit, "transactions");
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
        || mdb_dbi_open(audit->txn, "request", 0, &audit->request) != 0
        || mdb_dbi_open(audit->txn, "holder", 0, &audit->holder) != 0
        || mdb_dbi_open(audit->txn, "transaction", 0, &audit->transaction) != 0)
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

    if (rc == MDB_NOTFOUND && audit->group.first) {
        return audit_fault(audit, "a group is open");
    }

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

    rc = mdb_env_set_maxdbs(env, 6 + STOCKCERT_CLASSES_MAX);

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
