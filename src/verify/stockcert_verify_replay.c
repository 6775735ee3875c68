
/*
 * Replays the journal: checks each entry, and compares what follows from it
 * with the other databases.
 *
 * It touches the map only.
 */


#include <inttypes.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_text.h"
#include "stockcert_verify_int.h"


static int stockcert_verify_amended(stockcert_verify_t *v,
    const stockcert_verify_class_t *class);
static int stockcert_verify_fields(stockcert_verify_t *v,
    const stockcert_entry_t *entry);
static int stockcert_verify_replay(stockcert_verify_t *v,
    const stockcert_entry_t *entry);
static int stockcert_verify_effect(stockcert_verify_t *v,
    stockcert_verify_class_t *class, const stockcert_entry_t *entry);
static int stockcert_verify_issued(stockcert_verify_t *v,
    stockcert_verify_class_t *class, const stockcert_entry_t *entry);
static int stockcert_verify_surrendered(stockcert_verify_t *v,
    stockcert_verify_class_t *class, const stockcert_entry_t *entry);
static int stockcert_verify_changed(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry);
static int stockcert_verify_certificate(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, uint64_t number, uint64_t *issued,
    uint64_t *surrendered);
static int stockcert_verify_outstanding(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry,
    stockcert_entry_t *issued, uint64_t *surrendered);
static int stockcert_verify_class(stockcert_verify_t *v,
    const stockcert_verify_class_t *class);
static stockcert_verify_class_t *stockcert_verify_find(stockcert_verify_t *v,
    const stockcert_str_t *code);


/*
 * All databases but the journal are as of the last entry of a full lot, or of
 * any kind but "issued".
 */

int
stockcert_verify_posted(stockcert_verify_t *v)
{
    stockcert_entry_t  entry;

    for (v->posted = v->journal.entries;
         v->posted % STOCKCERT_VERIFY_LOT != 0;
         v->posted--)
    {
        if (stockcert_verify_entry(v, v->posted, &entry, NULL) != 0) {
            return -1;
        }

        if (entry.kind != STOCKCERT_CERTIFICATE_ISSUED) {
            break;
        }
    }

    return 0;
}


int
stockcert_verify_next(stockcert_verify_t *v)
{
    char               seals[2][STOCKCERT_HEX_LEN + 1];
    stockcert_bytes_t  seal, sealed;
    stockcert_entry_t  entry;

    if (stockcert_verify_entry(v, v->position + 1, &entry, &sealed) != 0) {
        return -1;
    }

    v->position++;

    stockcert_mdb_read(v->mdb, sealed.len + STOCKCERT_SEAL_LEN);

    seal.data = v->seal;
    seal.len = STOCKCERT_SEAL_LEN;

    if (stockcert_verify_hash(v, &seal, &sealed, v->seal) != 0) {
        return -1;
    }

    if (memcmp(entry.seal, v->seal, STOCKCERT_SEAL_LEN) != 0) {

        stockcert_format_seal(v->seal, seals[0]);
        stockcert_format_seal(entry.seal, seals[1]);

        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the seal "
                                      "%s, found %s", v->position, seals[0],
                                      seals[1]);
    }

    if (v->position == v->verified->expected) {
        memcpy(v->verified->found, v->seal, STOCKCERT_SEAL_LEN);
    }

    if (stockcert_verify_fields(v, &entry) != 0) {
        return -1;
    }

    return stockcert_verify_replay(v, &entry);
}


/* the rules for an entry by itself */

static int
stockcert_verify_fields(stockcert_verify_t *v, const stockcert_entry_t *entry)
{
    const char  *fault, *field;

    if (entry->time < v->time) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a time "
                                      "from %" PRIu64 " on, found %" PRIu64,
                                      v->position, v->time, entry->time);
    }

    v->time = entry->time;

    fault = stockcert_entry_fault(entry, &field);

    return fault ? stockcert_verify_fault(v, "entry %" PRIu64 ": the %s %s",
                                          v->position, field, fault)
                 : 0;
}


static int
stockcert_verify_replay(stockcert_verify_t *v, const stockcert_entry_t *entry)
{
    stockcert_verify_class_t  *class;

    class = stockcert_verify_find(v, &entry->code);

    if (class == NULL
        || class->opened == (entry->kind == STOCKCERT_CLASS_OPENED))
    {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a class "
                                      "with a database that is %s, found %.*s",
                                      v->position,
                                      entry->kind == STOCKCERT_CLASS_OPENED
                                      ? "not opened yet" : "opened",
                                      (int) entry->code.len, entry->code.data);
    }

    if (stockcert_verify_group_member(v, class, entry) != 0
        || stockcert_verify_effect(v, class, entry) != 0
        || stockcert_verify_group_end(v) != 0)
    {
        return -1;
    }

    if (entry->key.len && stockcert_verify_request(v, &entry->key) != 0) {
        return -1;
    }

    if (v->group.first.position == 0 && class->issued > class->authorized) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected at most "
                                      "%" PRIu64 " shares out, found %" PRIu64,
                                      v->position, class->authorized,
                                      class->issued);
    }

    return 0;
}


static int
stockcert_verify_effect(stockcert_verify_t *v, stockcert_verify_class_t *class,
    const stockcert_entry_t *entry)
{
    switch (entry->kind) {

    case STOCKCERT_CLASS_OPENED:
        class->opened = 1;
        class->authorized = entry->shares;
        class->title_len = entry->title.len;
        memcpy(class->title, entry->title.data, entry->title.len);
        break;

    case STOCKCERT_CERTIFICATE_ISSUED:
        return stockcert_verify_issued(v, class, entry);

    case STOCKCERT_CLASS_AMENDED:

        if (stockcert_verify_amended(v, class) != 0) {
            return -1;
        }

        class->authorized = entry->shares;
        break;

    case STOCKCERT_CERTIFICATE_SURRENDERED:
        return stockcert_verify_surrendered(v, class, entry);

    case STOCKCERT_HOLDER_CHANGED:
        return stockcert_verify_changed(v, class, entry);

    case STOCKCERT_KIND_END:
        break;
    }

    return 0;
}


static int
stockcert_verify_issued(stockcert_verify_t *v, stockcert_verify_class_t *class,
    const stockcert_entry_t *entry)
{
    uint64_t  issued, surrendered;

    class->last++;

    if (entry->number != class->last) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the "
                                      "number %" PRIu64 ", found %" PRIu64,
                                      v->position, class->last, entry->number);
    }

    class->issued += entry->shares;
    v->verified->certificates++;
    v->verified->outstanding++;

    if (entry->member && stockcert_verify_group_issued(v, entry) != 0) {
        return -1;
    }

    if (v->position > v->posted) {
        return 0;
    }

    if (stockcert_verify_certificate(v, class, entry->number, &issued,
                                     &surrendered)
        != 0)
    {
        return -1;
    }

    if (issued != v->position) {
        return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s, number "
                                      "%" PRIu64 ": expected entry %" PRIu64
                                      ", found %" PRIu64,
                                      (int) class->code_len, class->code,
                                      entry->number, v->position, issued);
    }

    class->surrendered += (surrendered != 0);

    return 0;
}


static int
stockcert_verify_surrendered(stockcert_verify_t *v,
    stockcert_verify_class_t *class, const stockcert_entry_t *entry)
{
    uint64_t           surrendered;
    stockcert_entry_t  issued;

    if (stockcert_verify_outstanding(v, class, entry, &issued, &surrendered)
        != 0)
    {
        return -1;
    }

    if (surrendered != v->position) {
        return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s, number "
                                      "%" PRIu64 ": expected to be surrendered "
                                      "by entry %" PRIu64 ", found %" PRIu64,
                                      (int) class->code_len, class->code,
                                      entry->number, v->position, surrendered);
    }

    if (stockcert_verify_group_surrendered(v, entry, &issued) != 0) {
        return -1;
    }

    class->issued -= issued.shares;
    class->surrendered--;

    v->verified->outstanding--;

    return 0;
}


static int
stockcert_verify_changed(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry)
{
    uint64_t           surrendered;
    stockcert_entry_t  issued;

    if (stockcert_verify_outstanding(v, class, entry, &issued, &surrendered)
        != 0)
    {
        return -1;
    }

    return stockcert_verify_holder_changed(v, entry, &issued);
}


/*
 * The certificate of an entry, which was issued, and which no entry before
 * surrendered: the entry that issued it, and the position of the one that is to
 * surrender it, or 0.
 */

static int
stockcert_verify_outstanding(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry,
    stockcert_entry_t *issued, uint64_t *surrendered)
{
    uint64_t  position;

    if (entry->number > class->last) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a number "
                                      "that was issued, found %" PRIu64,
                                      v->position, entry->number);
    }

    if (stockcert_verify_certificate(v, class, entry->number, &position,
                                     surrendered)
        != 0)
    {
        return -1;
    }

    if (*surrendered && *surrendered < v->position) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a "
                                      "certificate that is outstanding, found "
                                      "number %" PRIu64 ", surrendered by entry "
                                      "%" PRIu64, v->position, entry->number,
                                      *surrendered);
    }

    /* this entry was checked as it was replayed, and issued this number */

    return stockcert_verify_entry(v, position, issued, NULL);
}


/* what "certificate:CODE" has of a number */

static int
stockcert_verify_certificate(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, uint64_t number, uint64_t *issued,
    uint64_t *surrendered)
{
    uint8_t            key[8];
    stockcert_bytes_t  value;

    stockcert_put64(key, number);

    stockcert_mdb_find(v->mdb, &class->certificates, key, sizeof(key),
                       &value);

    *surrendered = 0;

    if (value.data != NULL && value.len == 16) {
        *surrendered = stockcert_get64(value.data + 8);
    }

    if (value.data == NULL
        || (value.len != 8 && (value.len != 16 || *surrendered == 0)))
    {
        return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s, number "
                                      "%" PRIu64 ": expected positions, found "
                                      "none", (int) class->code_len,
                                      class->code, number);
    }

    *issued = stockcert_get64(value.data);

    return 0;
}


/* the entry that is replayed; it is posted, as it issues nothing */

static int
stockcert_verify_amended(stockcert_verify_t *v,
    const stockcert_verify_class_t *class)
{
    uint8_t            key[STOCKCERT_CODE_MAX + 8];
    stockcert_bytes_t  value;

    memcpy(key, class->code, class->code_len);
    stockcert_put64(key + class->code_len, v->position);

    stockcert_mdb_find(v->mdb, &v->amendment, key, class->code_len + 8, &value);

    if (value.data == NULL || value.len != 8
        || stockcert_get64(value.data) != class->authorized)
    {
        return stockcert_verify_fault(v, "amendment: expected number %" PRIu64
                                      " of class %.*s, with %" PRIu64 " shares "
                                      "until then, found %s", v->position,
                                      (int) class->code_len, class->code,
                                      class->authorized,
                                      value.data ? "another" : "none");
    }

    v->amendments++;

    return 0;
}


/* all that is there must follow from what is posted */

int
stockcert_verify_classes(stockcert_verify_t *v)
{
    size_t                     i;
    stockcert_verify_class_t  *class;

    if (stockcert_verify_posted_keys(v) != 0) {
        return -1;
    }

    if (v->holder.entries != v->holders) {
        return stockcert_verify_fault(v, "holder: expected %" PRIu64 " entries, "
                                      "found %" PRIu64, v->holders,
                                      v->holder.entries);
    }

    if (v->transaction.entries != v->verified->transactions) {
        return stockcert_verify_fault(v, "transaction: expected %" PRIu64
                                      " entries, found %" PRIu64,
                                      v->verified->transactions,
                                      v->transaction.entries);
    }

    if (v->class.entries != v->nclasses) {
        return stockcert_verify_fault(v, "class: expected %zu entries, found "
                                      "%" PRIu64, v->nclasses,
                                      v->class.entries);
    }

    for (i = 0; i < v->nclasses; i++) {
        class = &v->classes[i];

        if (!class->opened || class->certificates.entries != class->last
            || class->surrendered)
        {
            return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s: "
                                          "expected %" PRIu64 " certificates, "
                                          "found %" PRIu64 ", %" PRIu64 " of "
                                          "them surrendered by no entry",
                                          (int) class->code_len, class->code,
                                          class->last,
                                          class->certificates.entries,
                                          class->surrendered);
        }

        if (stockcert_verify_class(v, class) != 0) {
            return -1;
        }
    }

    if (v->amendment.entries != v->amendments) {
        return stockcert_verify_fault(v, "amendment: expected %" PRIu64
                                      " entries, found %" PRIu64,
                                      v->amendments, v->amendment.entries);
    }

    return 0;
}


static int
stockcert_verify_class(stockcert_verify_t *v,
    const stockcert_verify_class_t *class)
{
    uint64_t           authorized, issued, last;
    stockcert_bytes_t  value;

    stockcert_mdb_find(v->mdb, &v->class, class->code, class->code_len,
                       &value);

    if (value.data == NULL || value.len != 24 + class->title_len
        || memcmp(value.data + 24, class->title, class->title_len) != 0)
    {
        return stockcert_verify_fault(v, "class %.*s: expected it with its "
                                      "title, found another or none",
                                      (int) class->code_len, class->code);
    }

    authorized = stockcert_get64(value.data);
    issued = stockcert_get64(value.data + 8);
    last = stockcert_get64(value.data + 16);

    if (authorized != class->authorized || issued != class->issued
        || last != class->last)
    {
        return stockcert_verify_fault(v, "class %.*s: expected %" PRIu64
                                      " authorized, %" PRIu64 " issued, number "
                                      "%" PRIu64 ", found %" PRIu64 ", %" PRIu64
                                      ", %" PRIu64, (int) class->code_len,
                                      class->code, class->authorized,
                                      class->issued, class->last, authorized,
                                      issued, last);
    }

    return 0;
}


static stockcert_verify_class_t *
stockcert_verify_find(stockcert_verify_t *v, const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < v->nclasses; i++) {
        if (stockcert_same(v->classes[i].code, v->classes[i].code_len,
                           code->data, code->len))
        {
            return &v->classes[i];
        }
    }

    return NULL;
}
