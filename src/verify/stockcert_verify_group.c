
/*
 * Checks groups: the entries of a transaction, which surrender certificates and
 * issue others in their place, and the database "transaction".
 *
 * It touches the map only.
 */


#include <inttypes.h>
#include <string.h>

#include "stockcert_value.h"
#include "stockcert_verify_int.h"


static int stockcert_verify_group_open(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry);
static int stockcert_verify_group_next(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry);
static int stockcert_verify_group_holder(stockcert_verify_t *v,
    const stockcert_entry_t *entry);
static int stockcert_verify_group_dates(stockcert_verify_t *v,
    const stockcert_entry_t *issued);


int
stockcert_verify_group_member(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry)
{
    if (v->group.first.position) {
        return stockcert_verify_group_next(v, class, entry);
    }

    if (entry->kind == STOCKCERT_CERTIFICATE_SURRENDERED) {
        return stockcert_verify_group_open(v, class, entry);
    }

    if (entry->member) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected none of a "
                                      "transaction, found member %" PRIu64,
                                      v->position, entry->member);
    }

    return 0;
}


static int
stockcert_verify_group_open(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry)
{
    uint8_t            key[8];
    stockcert_bytes_t  value;

    if (entry->member != 1) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected member 1 "
                                      "of a transaction, found member %" PRIu64,
                                      v->position, entry->member);
    }

    if (entry->corrects >= v->position) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected to correct"
                                      " an entry before it, found %" PRIu64,
                                      v->position, entry->corrects);
    }

    stockcert_put64(key, v->position);

    stockcert_mdb_find(v->mdb, &v->transaction, key, sizeof(key), &value);

    if (value.data == NULL || value.len != 0) {
        return stockcert_verify_fault(v, "transaction: expected number %" PRIu64
                                      " without a value, found %s", v->position,
                                      value.data ? "one" : "no number");
    }

    memset(&v->group, 0, sizeof(stockcert_verify_group_t));

    v->group.first = *entry;
    v->group.member = 1;
    v->group.class = class;

    v->verified->transactions++;

    return 0;
}


static int
stockcert_verify_group_next(stockcert_verify_t *v,
    const stockcert_verify_class_t *class, const stockcert_entry_t *entry)
{
    stockcert_kind_e                 kind;
    const stockcert_entry_t         *first;
    const stockcert_verify_class_t  *expected;

    first = &v->group.first;
    expected = v->group.class;

    if (entry->member == 0) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected member %"
                                      PRIu64 " of transaction %" PRIu64
                                      ", found an entry of none", v->position,
                                      v->group.member + 1, first->position);
    }

    if (entry->member != v->group.member + 1) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected member %"
                                      PRIu64 " of transaction %" PRIu64
                                      ", found member %" PRIu64, v->position,
                                      v->group.member + 1, first->position,
                                      entry->member);
    }

    v->group.member++;

    kind = entry->member <= first->surrenders
           ? STOCKCERT_CERTIFICATE_SURRENDERED : STOCKCERT_CERTIFICATE_ISSUED;

    if (entry->kind != kind) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected \"%s\" in "
                                      "a transaction that surrenders %" PRIu64
                                      ", found \"%s\"", v->position,
                                      stockcert_kind(kind)->name,
                                      first->surrenders,
                                      stockcert_kind(entry->kind)->name);
    }

    if (entry->time != first->time) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the time "
                                      "of transaction %" PRIu64 ", %" PRIu64
                                      ", found %" PRIu64, v->position,
                                      first->position, first->time,
                                      entry->time);
    }

    if (class != expected) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the class "
                                      "of transaction %" PRIu64 ", %.*s, found "
                                      "%.*s", v->position, first->position,
                                      (int) expected->code_len, expected->code,
                                      (int) class->code_len, class->code);
    }

    return 0;
}


int
stockcert_verify_group_surrendered(stockcert_verify_t *v,
    const stockcert_entry_t *entry, const stockcert_entry_t *issued)
{
    stockcert_verify_group_t   *group;
    stockcert_verify_holder_t   holder;

    group = &v->group;

    if (entry->shares != issued->shares) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the %"
                                      PRIu64 " shares of its certificate, found "
                                      "%" PRIu64, v->position, issued->shares,
                                      entry->shares);
    }

    if (stockcert_verify_holder(v, issued, &holder) != 0) {
        return -1;
    }

    if (entry->member > 1
        && !stockcert_verify_holder_same(&holder, &group->holder))
    {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected a "
                                      "certificate of \"%.*s\", as the one "
                                      "before it, found one of \"%.*s\"",
                                      v->position, (int) group->holder.name.len,
                                      group->holder.name.data,
                                      (int) holder.name.len, holder.name.data);
    }

    group->holder = holder;
    group->surrendered += entry->shares;

    return stockcert_verify_group_dates(v, issued);
}


/* the legal date of a certificate: its own, or its transaction's, or when */

static int
stockcert_verify_group_dates(stockcert_verify_t *v,
    const stockcert_entry_t *issued)
{
    char                    date[STOCKCERT_DATE_LEN + 1];
    stockcert_entry_t       first;
    const stockcert_str_t  *effective;

    effective = &v->group.first.effective;

    if (effective->len == 0) {
        return 0;
    }

    first = *issued;

    if (issued->member > 1
        && stockcert_verify_entry(v, stockcert_entry_first(issued), &first,
                                  NULL)
           != 0)
    {
        return -1;
    }

    stockcert_date(issued->time, date);

    if (first.effective.len) {
        memcpy(date, first.effective.data, STOCKCERT_DATE_LEN);
    }

    if (memcmp(effective->data, date, STOCKCERT_DATE_LEN) < 0) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the "
                                      "effective date of transaction %" PRIu64
                                      " from that of its certificate on, %s, "
                                      "found %.*s", v->position,
                                      v->group.first.position, date,
                                      (int) effective->len, effective->data);
    }

    return 0;
}


int
stockcert_verify_group_issued(stockcert_verify_t *v,
    const stockcert_entry_t *entry)
{
    const stockcert_entry_t         *first;
    stockcert_verify_group_t        *group;
    const stockcert_transaction_t   *type;

    group = &v->group;
    first = &group->first;
    type = stockcert_transaction(first->type);

    group->issued += entry->shares;
    group->balance = entry->balance;

    if (group->issued > group->surrendered) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected at most %"
                                      PRIu64 " shares, which transaction %"
                                      PRIu64 " surrenders, found %" PRIu64,
                                      v->position, group->surrendered,
                                      first->position, group->issued);
    }

    if (entry->balance
        && (!type->balance
            || entry->member != first->surrenders + first->issues))
    {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected no balance"
                                      " as member %" PRIu64 " of \"%s\", found "
                                      "one", v->position, entry->member,
                                      type->name);
    }

    return stockcert_verify_group_holder(v, entry);
}


/* whose a new certificate may be */

static int
stockcert_verify_group_holder(stockcert_verify_t *v,
    const stockcert_entry_t *entry)
{
    int                               same;
    const stockcert_entry_t          *first;
    const stockcert_verify_holder_t  *old;

    first = &v->group.first;
    old = &v->group.holder;

    if (entry->balance) {
        same = stockcert_str_same(&old->name, &entry->name)
               && stockcert_str_same(&old->id, &entry->holder_id)
               && stockcert_str_same(&old->address, &entry->address)
               && stockcert_str_same(&old->capacity, &entry->capacity);

    } else if (stockcert_transaction(first->type)->any) {
        same = 1;

    } else if (old->id.len) {
        same = stockcert_str_same(&old->id, &entry->holder_id);

    } else if (entry->member > first->surrenders + 1) {

        /* the first one said whose they all are */

        same = entry->holder_id.len == 0
               && stockcert_str_same(&old->name, &entry->name);

    } else {
        same = first->reason == STOCKCERT_REASON_NAME
               || stockcert_str_same(&old->name, &entry->name);
    }

    if (!same) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected %s \"%.*s"
                                      "\"%s, found one of \"%.*s\"",
                                      v->position,
                                      entry->balance ? "the balance of"
                                                     : "a certificate of",
                                      (int) old->name.len, old->name.data,
                                      entry->balance ? " as the last certificate"
                                                       " has it" : "",
                                      (int) entry->name.len, entry->name.data);
    }

    if (!entry->balance && !stockcert_transaction(first->type)->any) {
        v->group.holder.name = entry->name;
        v->group.holder.id = entry->holder_id;
    }

    return 0;
}


int
stockcert_verify_group_end(stockcert_verify_t *v)
{
    uint64_t                        left, others, position;
    stockcert_verify_group_t       *group;
    const stockcert_transaction_t  *type;

    group = &v->group;
    position = group->first.position;

    if (position == 0
        || group->member < group->first.surrenders + group->first.issues)
    {
        return 0;
    }

    type = stockcert_transaction(group->first.type);
    left = group->surrendered - group->issued;
    others = group->first.issues - group->balance;

    group->first.position = 0;

    if (!type->left && left) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected \"%s\" %"
                                      PRIu64 " to issue %" PRIu64 " shares, "
                                      "found %" PRIu64, v->position, type->name,
                                      position, group->surrendered,
                                      group->issued);
    }

    if (!type->left && others == 0) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected \"%s\" %"
                                      PRIu64 " to issue more than a balance, "
                                      "found nothing", v->position, type->name,
                                      position);
    }

    if (type->left && type->balance && (left == 0 || others)) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected \"%s\" %"
                                      PRIu64 " to issue at most a balance, and "
                                      "less than it surrenders, found %" PRIu64
                                      " of %" PRIu64 " shares, and %" PRIu64
                                      " certificates more", v->position,
                                      type->name, position, group->issued,
                                      group->surrendered, others);
    }

    return 0;
}


int
stockcert_verify_group_whole(stockcert_verify_t *v)
{
    const stockcert_entry_t  *first;

    first = &v->group.first;

    if (first->position == 0) {
        return 0;
    }

    return stockcert_verify_fault(v, "journal: expected %" PRIu64 " members of "
                                  "transaction %" PRIu64 ", found %" PRIu64
                                  " and the end",
                                  first->surrenders + first->issues,
                                  first->position, v->group.member);
}
