
/*
 * Replays the entries of a journal from their raw bytes, for audit.h.
 */


#ifndef AUDIT_ENTRY_H
#define AUDIT_ENTRY_H


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


/* an entry as it lies in the journal, with its fields by tag */

typedef struct {
    uint8_t        kind;
    uint64_t       time;
    struct {
        size_t          len;
        const uint8_t  *p;
    }              fields[STOCKCERT_FIELD_END];
} audit_entry_t;


/* a group that is open; first is 0 if there is none */

typedef struct {
    uint64_t       first;
    uint64_t       time;
    uint64_t       type;
    uint64_t       member;         /* of the last entry */
    uint64_t       members;
    uint64_t       surrenders;
    uint64_t       shares;         /* surrendered, and not issued yet */
    audit_class_t *class;
} audit_group_t;


/* the journal up to an entry, and what follows from it */

typedef struct {
    MDB_txn       *txn;
    MDB_dbi        meta;
    MDB_dbi        journal;
    MDB_dbi        class;
    MDB_dbi        request;
    MDB_dbi        holder;
    MDB_dbi        transaction;

    uint64_t       position;
    uint64_t       posted;         /* the entry that all else is as of */
    uint64_t       time;
    uint64_t       surrendered;    /* certificates that are, and no entry yet */
    uint64_t       holders;        /* entries that changed one */
    uint64_t       transactions;
    audit_group_t  group;
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


/* a field that is a number: 0 if it is not there */

static inline uint64_t
audit_number(const audit_entry_t *entry, unsigned tag)
{
    size_t    i;
    uint64_t  n;

    for (i = 0, n = 0; i < entry->fields[tag].len; i++) {
        n = n * 256 + entry->fields[tag].p[i];
    }

    return n;
}


static inline audit_class_t *
audit_find_class(audit_t *audit, const audit_entry_t *entry)
{
    size_t          i, len;
    audit_class_t  *class;
    const uint8_t  *code;

    code = entry->fields[STOCKCERT_FIELD_CLASS].p;
    len = entry->fields[STOCKCERT_FIELD_CLASS].len;

    for (i = 0; i < audit->nclasses; i++) {
        class = &audit->classes[i];

        if (strlen(class->code) == len && memcmp(class->code, code, len) == 0) {
            return class;
        }
    }

    return NULL;
}


static inline int
audit_open_class(audit_t *audit, const audit_entry_t *entry)
{
    char            name[40];
    audit_class_t  *class;

    if (audit->nclasses == STOCKCERT_CLASSES_MAX
        || audit_find_class(audit, entry) != NULL)
    {
        return audit_fault(audit, "a class too many");
    }

    class = &audit->classes[audit->nclasses++];
    class->authorized = audit_number(entry, STOCKCERT_FIELD_SHARES);
    memcpy(class->code, entry->fields[STOCKCERT_FIELD_CLASS].p,
           entry->fields[STOCKCERT_FIELD_CLASS].len);

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


/* the layout is that of stockcert_entry.h */

static inline int
audit_decode(const MDB_val *value, audit_entry_t *entry)
{
    unsigned        last;
    const uint8_t  *p, *end;

    memset(entry, 0, sizeof(audit_entry_t));

    if (value->mv_size < 9 + STOCKCERT_SEAL_LEN) {
        return -1;
    }

    p = value->mv_data;
    end = p + value->mv_size - STOCKCERT_SEAL_LEN;

    entry->kind = p[0];
    entry->time = audit_get64(p + 1);

    last = 0;

    for (p += 9; p < end; p += 2 + p[1]) {

        if (end - p < 2 || end - p < 2 + p[1] || p[1] == 0 || p[0] <= last
            || p[0] >= STOCKCERT_FIELD_END)
        {
            return -1;
        }

        last = p[0];
        entry->fields[last].len = p[1];
        entry->fields[last].p = p + 2;
    }

    return 0;
}


/* the shares of the entry at a position, which must issue this number */

static inline int
audit_issued_shares(audit_t *audit, const uint8_t *position, uint64_t number,
    uint64_t *shares)
{
    MDB_val        key, value;
    audit_entry_t  entry;

    key.mv_size = 8;
    key.mv_data = (void *) position;

    if (mdb_get(audit->txn, audit->journal, &key, &value) != 0
        || audit_decode(&value, &entry) != 0
        || entry.kind != STOCKCERT_CERTIFICATE_ISSUED
        || audit_number(&entry, STOCKCERT_FIELD_NUMBER) != number)
    {
        return audit_fault(audit, "a certificate of another entry");
    }

    *shares = audit_number(&entry, STOCKCERT_FIELD_SHARES);

    return 0;
}


/* what "certificate:CODE" has of the number of an entry */

static inline int
audit_find(audit_t *audit, audit_class_t *class, const audit_entry_t *entry,
    MDB_val *value)
{
    uint8_t  number[8];
    MDB_val  key;

    stockcert_put64(number, audit_number(entry, STOCKCERT_FIELD_NUMBER));

    key.mv_size = 8;
    key.mv_data = number;

    if (mdb_get(audit->txn, class->certificates, &key, value) != 0
        || (value->mv_size != 8 && value->mv_size != 16))
    {
        return audit_fault(audit, "not found by its number");
    }

    return 0;
}


static inline int
audit_surrender(audit_t *audit, audit_class_t *class,
    const audit_entry_t *entry)
{
    uint8_t   first[8];
    MDB_val   key, value;
    uint64_t  shares;

    if (audit_find(audit, class, entry, &value) != 0) {
        return -1;
    }

    if (value.mv_size != 16
        || audit_get64((uint8_t *) value.mv_data + 8) != audit->position
        || audit_get64(value.mv_data) >= audit->position)
    {
        return audit_fault(audit, "surrendered, and not found by its number");
    }

    if (audit_issued_shares(audit, value.mv_data,
                            audit_number(entry, STOCKCERT_FIELD_NUMBER),
                            &shares)
        != 0)
    {
        return -1;
    }

    if (shares != audit_number(entry, STOCKCERT_FIELD_SHARES)) {
        return audit_fault(audit, "surrenders other shares");
    }

    class->issued -= shares;
    audit->group.shares += shares;
    audit->surrendered--;

    if (audit->group.member > 1) {
        return 0;
    }

    audit->transactions++;

    stockcert_put64(first, audit->position);

    key.mv_size = 8;
    key.mv_data = first;

    return mdb_get(audit->txn, audit->transaction, &key, &value) == 0
           && value.mv_size == 0
           ? 0 : audit_fault(audit, "a transaction is not found");
}


static inline int
audit_issue(audit_t *audit, audit_class_t *class, const audit_entry_t *entry)
{
    MDB_val   value;
    uint64_t  shares;

    if (audit_number(entry, STOCKCERT_FIELD_NUMBER) != ++class->last) {
        return audit_fault(audit, "certificate number");
    }

    shares = audit_number(entry, STOCKCERT_FIELD_SHARES);
    class->issued += shares;

    if (shares == 0) {
        return audit_fault(audit, "shares");
    }

    if (audit->group.first) {
        if (shares > audit->group.shares) {
            return audit_fault(audit, "issues more than it surrenders");
        }

        audit->group.shares -= shares;
    }

    if (audit->position > audit->posted) {
        return 0;
    }

    if (audit_find(audit, class, entry, &value) != 0) {
        return -1;
    }

    audit->surrendered += (value.mv_size == 16);

    return audit_get64(value.mv_data) == audit->position
           ? 0 : audit_fault(audit, "another entry is found by its number");
}


/* its place in a group, or in none */

static inline int
audit_member(audit_t *audit, audit_class_t *class, const audit_entry_t *entry)
{
    uint64_t        member;
    audit_group_t  *group;

    group = &audit->group;
    member = audit_number(entry, STOCKCERT_FIELD_MEMBER);

    if (group->first == 0) {

        if (entry->kind != STOCKCERT_CERTIFICATE_SURRENDERED) {
            return member ? audit_fault(audit, "a member of no group") : 0;
        }

        memset(group, 0, sizeof(audit_group_t));

        group->first = audit->position;
        group->time = entry->time;
        group->class = class;
        group->type = audit_number(entry, STOCKCERT_FIELD_TYPE);
        group->surrenders = audit_number(entry, STOCKCERT_FIELD_SURRENDERS);
        group->members = group->surrenders
                         + audit_number(entry, STOCKCERT_FIELD_ISSUES);
    }

    if (member != ++group->member || class != group->class
        || entry->time != group->time
        || entry->kind != (member <= group->surrenders
                           ? STOCKCERT_CERTIFICATE_SURRENDERED
                           : STOCKCERT_CERTIFICATE_ISSUED))
    {
        return audit_fault(audit, "another member of a group is next");
    }

    return 0;
}


/* what must hold at the end of every group */

static inline int
audit_group_end(audit_t *audit, const audit_class_t *class)
{
    audit_group_t  *group;

    group = &audit->group;

    if (group->first) {
        if (group->member < group->members) {
            return 0;
        }

        if (group->shares && (group->type == STOCKCERT_TRANSFER
                              || group->type == STOCKCERT_REISSUE))
        {
            return audit_fault(audit, "shares are lost");
        }

        group->first = 0;
    }

    return class->issued > class->authorized
           ? audit_fault(audit, "more is out than authorized") : 0;
}


static inline int
audit_seal(audit_t *audit, const MDB_val *value)
{
    size_t    len;
    uint8_t   sealed[STOCKCERT_SEAL_LEN + STOCKCERT_ENTRY_MAX], *p;

    p = value->mv_data;
    len = value->mv_size - STOCKCERT_SEAL_LEN;

    memcpy(sealed, audit->seal, STOCKCERT_SEAL_LEN);
    memcpy(sealed + STOCKCERT_SEAL_LEN, p, len);
    EVP_Digest(sealed, STOCKCERT_SEAL_LEN + len, audit->seal, NULL,
               EVP_sha256(), NULL);

    return memcmp(p + len, audit->seal, STOCKCERT_SEAL_LEN) == 0
           ? 0 : audit_fault(audit, "seal");
}


static inline int
audit_effect(audit_t *audit, audit_class_t *class, const audit_entry_t *entry)
{
    switch (entry->kind) {

    case STOCKCERT_CLASS_OPENED:
        return 0;

    case STOCKCERT_CERTIFICATE_ISSUED:
        return audit_issue(audit, class, entry);

    case STOCKCERT_CLASS_AMENDED:
        class->authorized = audit_number(entry, STOCKCERT_FIELD_SHARES);
        return 0;

    case STOCKCERT_CERTIFICATE_SURRENDERED:
        return audit_surrender(audit, class, entry);

    case STOCKCERT_HOLDER_CHANGED:
        audit->holders++;
        return 0;

    default:
        return audit_fault(audit, "kind");
    }
}


static inline int
audit_entry(audit_t *audit, const MDB_val *key, const MDB_val *value)
{
    audit_class_t  *class;
    audit_entry_t   entry;

    if (key->mv_size != 8 || audit_get64(key->mv_data) != ++audit->position) {
        return audit_fault(audit, "position");
    }

    if (audit_decode(value, &entry) != 0) {
        return audit_fault(audit, "fields");
    }

    if (entry.time < audit->time) {
        return audit_fault(audit, "time");
    }

    audit->time = entry.time;

    if (audit_seal(audit, value) != 0) {
        return -1;
    }

    if (entry.kind == STOCKCERT_CLASS_OPENED
        && audit_open_class(audit, &entry) != 0)
    {
        return -1;
    }

    class = audit_find_class(audit, &entry);
    if (class == NULL) {
        return audit_fault(audit, "a class that was not opened");
    }

    if (entry.fields[STOCKCERT_FIELD_KEY].len) {
        audit_note_key(audit, entry.fields[STOCKCERT_FIELD_KEY].p,
                       entry.fields[STOCKCERT_FIELD_KEY].len);
    }

    return audit_member(audit, class, &entry) == 0
           && audit_effect(audit, class, &entry) == 0
           ? audit_group_end(audit, class) : -1;
}


#endif /* AUDIT_ENTRY_H */
