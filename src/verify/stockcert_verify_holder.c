
/*
 * Tells who has a certificate: the entry that issued it says who had it first,
 * and entries of the kind "holder" change that.  The database "holder" finds
 * those of one holder.
 *
 * It touches the map only.
 */


#include <inttypes.h>
#include <string.h>

#include "stockcert_verify_int.h"


/* a key of "holder": who, and the position of an entry */

typedef struct {
    size_t   len;                              /* of who */
    uint8_t  bytes[1 + STOCKCERT_TEXT_MAX + 8];
} stockcert_verify_who_t;


static int stockcert_verify_holder_next(stockcert_verify_t *v,
    const stockcert_verify_holder_t *holder, uint64_t after,
    stockcert_entry_t *entry);
static void stockcert_verify_holder_who(
    const stockcert_verify_holder_t *holder, uint64_t position,
    stockcert_verify_who_t *who);


/*
 * "holder" may have more than it should: then it has more entries than were
 * replayed, which is found later (stockcert_verify_classes()).
 */

int
stockcert_verify_holder(stockcert_verify_t *v, const stockcert_entry_t *issued,
    stockcert_verify_holder_t *holder)
{
    int                rc;
    uint64_t           after;
    stockcert_entry_t  entry;

    holder->name = issued->name;
    holder->id = issued->holder_id;
    holder->address = issued->address;
    holder->capacity = issued->capacity;

    after = issued->position;

    for ( ;; ) {
        rc = stockcert_verify_holder_next(v, holder, after, &entry);

        if (rc <= 0) {
            return rc;
        }

        if (entry.address.len) {
            holder->address = entry.address;
        }

        /* who has an id is found by it from then on */

        if (entry.holder_id.len) {
            holder->id = entry.holder_id;
        }

        after = entry.position;
    }
}


/*
 * the next entry that changed a holder, after one, and before that which is
 * replayed: 1, or 0 if there is none, or -1
 */

static int
stockcert_verify_holder_next(stockcert_verify_t *v,
    const stockcert_verify_holder_t *holder, uint64_t after,
    stockcert_entry_t *entry)
{
    uint64_t                position;
    stockcert_bytes_t       key, value;
    stockcert_verify_who_t  who;

    stockcert_verify_holder_who(holder, after + 1, &who);

    stockcert_mdb_seek(v->mdb, &v->holder, who.bytes, who.len + 8, &key,
                       &value);

    if (value.data == NULL || key.len != who.len + 8
        || memcmp(key.data, who.bytes, who.len) != 0)
    {
        return 0;
    }

    position = stockcert_get64(key.data + who.len);

    if (position >= v->position) {
        return 0;
    }

    if (stockcert_verify_entry(v, position, entry, NULL) != 0) {
        return -1;
    }

    if (entry->kind != STOCKCERT_HOLDER_CHANGED) {
        return stockcert_verify_fault(v, "holder: expected entries that change "
                                      "one, found entry %" PRIu64, position);
    }

    return 1;
}


int
stockcert_verify_holder_changed(stockcert_verify_t *v,
    const stockcert_entry_t *entry, const stockcert_entry_t *issued)
{
    stockcert_bytes_t          value;
    stockcert_verify_who_t     who;
    stockcert_verify_holder_t  holder;

    if (stockcert_verify_holder(v, issued, &holder) != 0) {
        return -1;
    }

    if (entry->holder_id.len == 0 && entry->address.len == 0) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected an id or "
                                      "an address, found none", v->position);
    }

    if (entry->holder_id.len && holder.id.len) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the "
                                      "holder's id \"%.*s\" to stay, found "
                                      "\"%.*s\"", v->position,
                                      (int) holder.id.len, holder.id.data,
                                      (int) entry->holder_id.len,
                                      entry->holder_id.data);
    }

    stockcert_verify_holder_who(&holder, v->position, &who);

    stockcert_mdb_find(v->mdb, &v->holder, who.bytes, who.len + 8, &value);

    if (value.data == NULL || value.len != 0) {
        return stockcert_verify_fault(v, "holder: expected entry %" PRIu64 " of "
                                      "\"%.*s\" without a value, found %s",
                                      v->position, (int) who.len - 1,
                                      (const char *) who.bytes + 1,
                                      value.data ? "one" : "no entry");
    }

    v->holders++;

    return 0;
}


int
stockcert_verify_holder_same(const stockcert_verify_holder_t *one,
    const stockcert_verify_holder_t *two)
{
    return stockcert_str_same(&one->id, &two->id)
           && (one->id.len || stockcert_str_same(&one->name, &two->name));
}


static void
stockcert_verify_holder_who(const stockcert_verify_holder_t *holder,
    uint64_t position, stockcert_verify_who_t *who)
{
    const stockcert_str_t  *str;

    str = holder->id.len ? &holder->id : &holder->name;

    who->bytes[0] = holder->id.len ? 'i' : 'n';
    who->len = 1 + str->len;

    memcpy(who->bytes + 1, str->data, str->len);
    stockcert_put64(who->bytes + who->len, position);
}
