
/*
 * Holders: who has a certificate now.
 *
 * The entry that issued it says who had it first.  Entries of the kind "holder"
 * change that, for all outstanding certificates of a holder at once.  They are
 * found in the database "holder":
 *
 *     who the holder was, position of the entry -> nothing
 *
 * where who is "i" and the holder's id, or "n" and the name of one who had
 * none.  No id and no name has a byte below 0x20, and a position begins with a
 * 0: so the entries of one holder are side by side, in the order of the
 * journal.
 *
 * It reads in any transaction, and writes in the writer's.
 */


#include <assert.h>
#include <string.h>

#include "stockcert_store.h"


#define STOCKCERT_WHO_MAX       (1 + STOCKCERT_TEXT_MAX)

/* above all positions, and below whoever else has a name that goes on */

#define STOCKCERT_POSITION_MAX  (UINT64_MAX >> 8)


/* a key of "holder": who, and a position */

typedef struct {
    size_t   len;                              /* of who */
    uint8_t  bytes[STOCKCERT_WHO_MAX + 8];
} stockcert_who_t;


static void stockcert_holder_who(const stockcert_holder_t *holder,
    stockcert_who_t *who);
static stockcert_rc_e stockcert_holder_find_id(
    const stockcert_ledger_t *ledger, MDB_cursor *cursor, uint64_t *position,
    stockcert_holder_t *holder, stockcert_error_t *error);
static stockcert_rc_e stockcert_holder_find_address(
    const stockcert_ledger_t *ledger, MDB_cursor *cursor, uint64_t position,
    stockcert_holder_t *holder, stockcert_error_t *error);
static stockcert_rc_e stockcert_holder_entry(const stockcert_ledger_t *ledger,
    MDB_cursor *cursor, const MDB_val *key, stockcert_entry_t *entry,
    stockcert_error_t *error);
static int stockcert_holder_is(const MDB_val *key, const stockcert_who_t *who);
static uint8_t stockcert_holder_copy(char *to, const stockcert_str_t *from);


_Static_assert(STOCKCERT_WHO_MAX + 8 <= 511, "a key that LMDB can have");
_Static_assert(STOCKCERT_SHARES_MAX >> 56 == 0, "a position begins with a 0");


void
stockcert_holder_of(const stockcert_entry_t *issued, stockcert_holder_t *holder)
{
    holder->name_len = stockcert_holder_copy(holder->name, &issued->name);
    holder->id_len = stockcert_holder_copy(holder->id, &issued->holder_id);
    holder->address_len = stockcert_holder_copy(holder->address,
                                                &issued->address);
    holder->capacity_len = stockcert_holder_copy(holder->capacity,
                                                 &issued->capacity);
}


stockcert_rc_e
stockcert_holder_get(const stockcert_ledger_t *ledger, MDB_txn *txn,
    const stockcert_entry_t *issued, stockcert_holder_t *holder,
    stockcert_error_t *error)
{
    int             rc;
    uint64_t        position;
    MDB_cursor     *cursor;
    stockcert_rc_e  found;

    stockcert_holder_of(issued, holder);

    position = issued->position;

    rc = mdb_cursor_open(txn, ledger->holders, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    found = STOCKCERT_OK;

    if (holder->id_len == 0) {
        found = stockcert_holder_find_id(ledger, cursor, &position, holder,
                                         error);
    }

    if (found == STOCKCERT_OK && holder->id_len) {
        found = stockcert_holder_find_address(ledger, cursor, position, holder,
                                              error);
    }

    mdb_cursor_close(cursor);

    return found;
}


stockcert_rc_e
stockcert_ledger_identified(stockcert_ledger_t *ledger,
    const stockcert_entry_t *issued, uint64_t until, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    int                 rc;
    uint64_t            position;
    MDB_cursor         *cursor;
    stockcert_rc_e      found;
    stockcert_holder_t  holder;

    stockcert_holder_of(issued, &holder);

    position = issued->position;

    rc = mdb_cursor_open(ledger->reader, ledger->holders, &cursor);
    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_cursor_open()", rc);
    }

    found = stockcert_holder_find_id(ledger, cursor, &position, &holder, error);

    mdb_cursor_close(cursor);

    if (found != STOCKCERT_OK) {
        return found;
    }

    if (holder.id_len == 0 || position > until) {
        return STOCKCERT_NOT_FOUND;
    }

    return stockcert_journal_get(ledger, ledger->reader, position, entry, error);
}


/*
 * One without an id: from an entry on, all that changed the holder, until one
 * gives an id, whose position it sets.
 */

static stockcert_rc_e
stockcert_holder_find_id(const stockcert_ledger_t *ledger, MDB_cursor *cursor,
    uint64_t *position, stockcert_holder_t *holder, stockcert_error_t *error)
{
    int                rc;
    MDB_val            key, value;
    stockcert_rc_e     failed;
    stockcert_who_t    who;
    stockcert_entry_t  entry;

    stockcert_holder_who(holder, &who);
    stockcert_put64(who.bytes + who.len, *position + 1);

    key.mv_size = who.len + 8;
    key.mv_data = who.bytes;

    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
         rc == 0 && stockcert_holder_is(&key, &who);
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
    {
        failed = stockcert_holder_entry(ledger, cursor, &key, &entry, error);
        if (failed != STOCKCERT_OK) {
            return failed;
        }

        if (entry.address.len) {
            holder->address_len = stockcert_holder_copy(holder->address,
                                                        &entry.address);
        }

        if (entry.holder_id.len) {
            holder->id_len = stockcert_holder_copy(holder->id,
                                                   &entry.holder_id);
            *position = entry.position;
            return STOCKCERT_OK;
        }
    }

    return rc == MDB_NOTFOUND
           ? STOCKCERT_OK : stockcert_ledger_error(error, "mdb_cursor_get()",
                                                   rc);
}


/* one with an id: the last of all that changed the holder, after an entry */

static stockcert_rc_e
stockcert_holder_find_address(const stockcert_ledger_t *ledger,
    MDB_cursor *cursor, uint64_t position, stockcert_holder_t *holder,
    stockcert_error_t *error)
{
    int                rc;
    MDB_val            key, value;
    stockcert_rc_e     failed;
    stockcert_who_t    who;
    stockcert_entry_t  entry;

    stockcert_holder_who(holder, &who);
    stockcert_put64(who.bytes + who.len, STOCKCERT_POSITION_MAX);

    key.mv_size = who.len + 8;
    key.mv_data = who.bytes;

    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

    rc = mdb_cursor_get(cursor, &key, &value,
                        rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);

    if (rc == 0 && stockcert_holder_is(&key, &who)
        && stockcert_get64((uint8_t *) key.mv_data + who.len) > position)
    {
        failed = stockcert_holder_entry(ledger, cursor, &key, &entry, error);

        if (failed == STOCKCERT_OK && entry.address.len) {
            holder->address_len = stockcert_holder_copy(holder->address,
                                                        &entry.address);
        }

        return failed;
    }

    return rc == 0 || rc == MDB_NOTFOUND
           ? STOCKCERT_OK : stockcert_ledger_error(error, "mdb_cursor_get()",
                                                   rc);
}


/* the entry at the position that ends a key */

static stockcert_rc_e
stockcert_holder_entry(const stockcert_ledger_t *ledger, MDB_cursor *cursor,
    const MDB_val *key, stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_journal_get(ledger, mdb_cursor_txn(cursor),
                               stockcert_get64((uint8_t *) key->mv_data
                                               + key->mv_size - 8),
                               entry, error);

    if (rc == STOCKCERT_NOT_FOUND
        || (rc == STOCKCERT_OK && entry->kind != STOCKCERT_HOLDER_CHANGED))
    {
        return stockcert_ledger_damaged(error, "a holder is not in the journal");
    }

    return rc;
}


stockcert_rc_e
stockcert_ledger_holder_has(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    stockcert_holder_t         holder;
    stockcert_certificate_t    certificate;
    stockcert_ledger_class_t  *class;

    class = stockcert_class_find(ledger, ledger->nmet, entry->code.data,
                                 entry->code.len);

    if (class == NULL) {
        return STOCKCERT_NOT_FOUND;
    }

    rc = stockcert_certificate_get(ledger, ledger->writer, class, entry->number,
                                   &certificate, error);

    if (rc == STOCKCERT_OK && certificate.surrender.position) {
        return STOCKCERT_NOT_FOUND;
    }

    if (rc == STOCKCERT_OK) {
        rc = stockcert_holder_get(ledger, ledger->writer, &certificate.issued,
                                  &holder, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    return (entry->holder_id.len == 0
            || stockcert_same(holder.id, holder.id_len, entry->holder_id.data,
                              entry->holder_id.len))
           && (entry->address.len == 0
               || stockcert_same(holder.address, holder.address_len,
                                 entry->address.data, entry->address.len))
           ? STOCKCERT_OK : STOCKCERT_NOT_FOUND;
}


stockcert_rc_e
stockcert_holder_put(stockcert_ledger_t *ledger, const stockcert_holder_t *was,
    uint64_t position, stockcert_error_t *error)
{
    int              rc;
    MDB_val          key, value;
    stockcert_who_t  who;

    stockcert_holder_who(was, &who);
    stockcert_put64(who.bytes + who.len, position);

    key.mv_size = who.len + 8;
    key.mv_data = who.bytes;
    value.mv_size = 0;
    value.mv_data = who.bytes;

    rc = mdb_put(ledger->writer, ledger->holders, &key, &value,
                 MDB_NOOVERWRITE);

    return stockcert_ledger_error(error, "mdb_put()", rc);
}


int
stockcert_holder_same(const stockcert_holder_t *one,
    const stockcert_holder_t *two)
{
    stockcert_who_t  a, b;

    stockcert_holder_who(one, &a);
    stockcert_holder_who(two, &b);

    return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}


static void
stockcert_holder_who(const stockcert_holder_t *holder, stockcert_who_t *who)
{
    if (holder->id_len) {
        who->bytes[0] = 'i';
        memcpy(who->bytes + 1, holder->id, holder->id_len);
        who->len = 1 + (size_t) holder->id_len;

    } else {
        who->bytes[0] = 'n';
        memcpy(who->bytes + 1, holder->name, holder->name_len);
        who->len = 1 + (size_t) holder->name_len;
    }
}


static int
stockcert_holder_is(const MDB_val *key, const stockcert_who_t *who)
{
    return key->mv_size == who->len + 8
           && memcmp(key->mv_data, who->bytes, who->len) == 0;
}


/* journal entries were checked: each fits */

static uint8_t
stockcert_holder_copy(char *to, const stockcert_str_t *from)
{
    if (from->len) {
        memcpy(to, from->data, from->len);
    }

    return (uint8_t) from->len;
}
