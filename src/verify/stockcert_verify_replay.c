
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


static int stockcert_verify_fields(stockcert_verify_t *v,
    const stockcert_verify_entry_t *entry);
static int stockcert_verify_replay(stockcert_verify_t *v,
    const stockcert_verify_entry_t *entry);
static int stockcert_verify_issued(stockcert_verify_t *v,
    stockcert_verify_class_t *class, const stockcert_verify_entry_t *entry);
static int stockcert_verify_cancelled(stockcert_verify_t *v,
    stockcert_verify_class_t *class, const stockcert_verify_entry_t *entry);
static int stockcert_verify_certificate(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, uint64_t number,
    stockcert_bytes_t *value);
static int stockcert_verify_class(stockcert_verify_t *v,
    const stockcert_verify_class_t *class);
static stockcert_verify_class_t *stockcert_verify_find(stockcert_verify_t *v,
    const void *code, size_t len);


/*
 * All databases but the journal are as of the last entry of a full lot, or of
 * any kind but "issued".
 */

int
stockcert_verify_posted(stockcert_verify_t *v)
{
    stockcert_verify_entry_t  entry;

    for (v->posted = v->journal.entries;
         v->posted % STOCKCERT_VERIFY_LOT != 0;
         v->posted--)
    {
        if (stockcert_verify_entry(v, v->posted, &entry) != 0) {
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
    char                      seals[2][STOCKCERT_HEX_LEN + 1];
    stockcert_bytes_t         seal;
    stockcert_verify_entry_t  entry;

    if (stockcert_verify_entry(v, v->position + 1, &entry) != 0) {
        return -1;
    }

    v->position++;

    stockcert_mdb_read(v->mdb, entry.sealed.len + STOCKCERT_SEAL_LEN);

    seal.data = v->seal;
    seal.len = STOCKCERT_SEAL_LEN;

    if (stockcert_verify_hash(v, &seal, &entry.sealed, v->seal) != 0) {
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
stockcert_verify_fields(stockcert_verify_t *v,
    const stockcert_verify_entry_t *entry)
{
    size_t                   i;
    const char              *fault;
    const stockcert_kind_t  *kind;

    kind = stockcert_kind(entry->kind);

    if (kind == NULL) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a kind "
                                      "from 1 to %d, found %u", v->position,
                                      STOCKCERT_KIND_END - 1, entry->kind);
    }

    if (entry->time < v->time || entry->time > STOCKCERT_TIME_MAX) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a time "
                                      "from %" PRIu64 " on, before the year "
                                      "10000, found %" PRIu64, v->position,
                                      v->time, entry->time);
    }

    v->time = entry->time;

    fault = stockcert_code_fault((const char *) entry->code.data,
                                 entry->code.len);
    if (fault) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": its class %s",
                                      v->position, fault);
    }

    fault = stockcert_text_fault((const char *) entry->text.data,
                                 entry->text.len);
    if (fault) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": its text %s",
                                      v->position, fault);
    }

    for (i = 0; i < entry->key.len; i++) {
        if (entry->key.data[i] < 0x20 || entry->key.data[i] > 0x7e) {
            break;
        }
    }

    if (i < entry->key.len
        || (entry->key.len && !kind->key))
    {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a "
                                      "printable idempotency key or none, "
                                      "found another", v->position);
    }

    if (kind->shares
        ? entry->shares == 0 || entry->shares > STOCKCERT_SHARES_MAX
        : entry->shares != 0)
    {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected shares of"
                                      " its kind, found %" PRIu64, v->position,
                                      entry->shares);
    }

    if (!kind->number && entry->number) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected no number"
                                      ", found %" PRIu64, v->position,
                                      entry->number);
    }

    return 0;
}


static int
stockcert_verify_replay(stockcert_verify_t *v,
    const stockcert_verify_entry_t *entry)
{
    stockcert_verify_class_t  *class;

    class = stockcert_verify_find(v, entry->code.data, entry->code.len);

    if (class == NULL
        || class->opened == (entry->kind == STOCKCERT_CLASS_OPENED))
    {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a class "
                                      "with a database that is %s, found %.*s",
                                      v->position,
                                      entry->kind == STOCKCERT_CLASS_OPENED
                                      ? "not opened yet" : "opened",
                                      (int) entry->code.len,
                                      (const char *) entry->code.data);
    }

    switch ((stockcert_kind_e) entry->kind) {

    case STOCKCERT_CLASS_OPENED:
        class->opened = 1;
        class->authorized = entry->shares;
        class->title_len = entry->text.len;
        memcpy(class->title, entry->text.data, entry->text.len);
        break;

    case STOCKCERT_CERTIFICATE_ISSUED:

        if (stockcert_verify_issued(v, class, entry) != 0) {
            return -1;
        }

        break;

    case STOCKCERT_CLASS_AMENDED:
        class->authorized = entry->shares;
        break;

    case STOCKCERT_CERTIFICATE_CANCELLED:

        if (stockcert_verify_cancelled(v, class, entry) != 0) {
            return -1;
        }

        break;

    case STOCKCERT_KIND_END:
        break;
    }

    if (class->issued > class->authorized) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected at most "
                                      "%" PRIu64 " shares out, found %" PRIu64,
                                      v->position, class->authorized,
                                      class->issued);
    }

    return 0;
}


static int
stockcert_verify_issued(stockcert_verify_t *v, stockcert_verify_class_t *class,
    const stockcert_verify_entry_t *entry)
{
    uint64_t           position;
    stockcert_bytes_t  value;

    class->last++;

    if (entry->number != class->last) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the "
                                      "number %" PRIu64 ", found %" PRIu64,
                                      v->position, class->last, entry->number);
    }

    class->issued += entry->shares;
    v->verified->certificates++;

    if (entry->key.len && stockcert_verify_request(v, &entry->key) != 0) {
        return -1;
    }

    if (v->position > v->posted) {
        return 0;
    }

    if (stockcert_verify_certificate(v, class, entry->number, &value) != 0) {
        return -1;
    }

    position = stockcert_get64(value.data);

    if (position != v->position) {
        return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s, number "
                                      "%" PRIu64 ": expected entry %" PRIu64
                                      ", found %" PRIu64,
                                      (int) class->code_len, class->code,
                                      entry->number, v->position, position);
    }

    class->cancelled += (value.len == 16);

    return 0;
}


static int
stockcert_verify_cancelled(stockcert_verify_t *v,
    stockcert_verify_class_t *class, const stockcert_verify_entry_t *entry)
{
    uint64_t                  position;
    stockcert_bytes_t         value;
    stockcert_verify_entry_t  issued;

    if (entry->number == 0 || entry->number > class->last) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a number "
                                      "that was issued, found %" PRIu64,
                                      v->position, entry->number);
    }

    if (stockcert_verify_certificate(v, class, entry->number, &value) != 0) {
        return -1;
    }

    /* a certificate has only one second entry */

    position = value.len == 16 ? stockcert_get64(value.data + 8) : 0;

    if (position != v->position) {
        return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s, number "
                                      "%" PRIu64 ": expected to be cancelled by"
                                      " entry %" PRIu64 ", found %" PRIu64,
                                      (int) class->code_len, class->code,
                                      entry->number, v->position, position);
    }

    /* this entry was checked as it was replayed, and issued this number */

    position = stockcert_get64(value.data);

    if (stockcert_verify_entry(v, position, &issued) != 0) {
        return -1;
    }

    class->issued -= issued.shares;
    class->cancelled--;

    v->verified->cancelled++;

    return 0;
}


static int
stockcert_verify_certificate(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, uint64_t number,
    stockcert_bytes_t *value)
{
    uint8_t  key[8];

    stockcert_put64(key, number);

    stockcert_mdb_find(v->mdb, &class->certificates, key, sizeof(key),
                       value);

    if (value->data == NULL || (value->len != 8 && value->len != 16)) {
        return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s, number "
                                      "%" PRIu64 ": expected positions, found "
                                      "none", (int) class->code_len,
                                      class->code, number);
    }

    return 0;
}


/* all that is there must follow from what is posted */

int
stockcert_verify_classes(stockcert_verify_t *v)
{
    size_t                     i;
    stockcert_verify_class_t  *class;

    if (v->items != v->keys) {
        return stockcert_verify_fault(v, "request: expected %" PRIu64 " items, "
                                      "found %" PRIu64, v->keys, v->items);
    }

    if (v->class.entries != v->nclasses) {
        return stockcert_verify_fault(v, "class: expected %zu entries, found "
                                      "%" PRIu64, v->nclasses,
                                      v->class.entries);
    }

    for (i = 0; i < v->nclasses; i++) {
        class = &v->classes[i];

        if (!class->opened || class->certificates.entries != class->last
            || class->cancelled)
        {
            return stockcert_verify_fault(v, STOCKCERT_VERIFY_PREFIX "%.*s: "
                                          "expected %" PRIu64 " certificates, "
                                          "found %" PRIu64 ", %" PRIu64 " of "
                                          "them cancelled by no entry",
                                          (int) class->code_len, class->code,
                                          class->last,
                                          class->certificates.entries,
                                          class->cancelled);
        }

        if (stockcert_verify_class(v, class) != 0) {
            return -1;
        }
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
stockcert_verify_find(stockcert_verify_t *v, const void *code, size_t len)
{
    size_t  i;

    for (i = 0; i < v->nclasses; i++) {
        if (stockcert_same(v->classes[i].code, v->classes[i].code_len, code,
                           len))
        {
            return &v->classes[i];
        }
    }

    return NULL;
}
