
/*
 * Groups: the entries of a transaction on certificates.  They are next to each
 * other: first those that surrender certificates, of one class and one holder,
 * then those that issue others in their place.
 *
 * It keeps what has come of a group that is open, and refuses what cannot come
 * next.  It reads the ledger, and writes nothing.
 */


#include <inttypes.h>
#include <string.h>

#include "stockcert_format.h"
#include "stockcert_store.h"


static stockcert_rc_e stockcert_group_open(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_group_next(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_group_holder(stockcert_group_t *group,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_group_legal(const stockcert_ledger_t *ledger,
    const stockcert_entry_t *issued, char *date, stockcert_error_t *error);
static stockcert_rc_e stockcert_group_end(stockcert_ledger_t *ledger,
    stockcert_error_t *error);
static const char *stockcert_group_name(const stockcert_group_t *group);


stockcert_rc_e
stockcert_group_surrendered(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    const stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    char                legal[STOCKCERT_DATE_LEN + 1];
    stockcert_rc_e      rc;
    stockcert_holder_t  holder;
    stockcert_group_t  *group;

    group = &ledger->group;

    rc = group->first ? stockcert_group_next(ledger, class, entry, error)
                      : stockcert_group_open(ledger, class, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (entry->member > group->surrenders) {
        return stockcert_ledger_refused(error, "the transaction surrenders %"
                                        PRIu64 " certificates only",
                                        group->surrenders);
    }

    if (entry->shares != certificate->issued.shares) {
        return stockcert_ledger_refused(error, STOCKCERT_ID " has %" PRIu64
                                        " shares", STOCKCERT_ID_OF(entry->code,
                                                        entry->number),
                                        certificate->issued.shares);
    }

    rc = stockcert_holder_get(ledger, ledger->writer, &certificate->issued,
                              &holder, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    group->blamed = "from";

    if (entry->member > 1 && !stockcert_holder_same(&holder, &group->holder)) {
        return stockcert_ledger_refused(error, STOCKCERT_ID " has another "
                                        "holder than the certificate before it",
                                        STOCKCERT_ID_OF(entry->code,
                                                        entry->number));
    }

    rc = stockcert_group_legal(ledger, &certificate->issued, legal, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    group->blamed = "effective";

    if (group->effective[0]
        && memcmp(group->effective, legal, STOCKCERT_DATE_LEN) < 0)
    {
        return stockcert_ledger_refused(error, "the effective date is before "
                                        "that of " STOCKCERT_ID ", %s",
                                        STOCKCERT_ID_OF(entry->code,
                                                        entry->number), legal);
    }

    group->member = entry->member;
    group->surrendered += entry->shares;
    group->holder = holder;

    return stockcert_group_end(ledger, error);
}


static stockcert_rc_e
stockcert_group_open(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_group_t  *group;

    if (entry->member != 1) {
        return stockcert_ledger_refused(error, "member %" PRIu64 " of a "
                                        "transaction comes without those before "
                                        "it", entry->member);
    }

    group = &ledger->group;

    memset(group, 0, offsetof(stockcert_group_t, holder));

    group->first = ledger->position + 1;
    group->surrenders = entry->surrenders;
    group->issues = entry->issues;
    group->type = entry->type;
    group->reason = entry->reason;
    group->class = class;

    if (entry->effective.len) {
        memcpy(group->effective, entry->effective.data, STOCKCERT_DATE_LEN);
    }

    return STOCKCERT_OK;
}


/* what is asked of each but the first */

static stockcert_rc_e
stockcert_group_next(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    const stockcert_group_t  *group;

    group = &ledger->group;

    if (entry->member != group->member + 1) {
        return stockcert_ledger_refused(error, "the next entry is member %"
                                        PRIu64 " of the transaction that entry "
                                        "%" PRIu64 " began", group->member + 1,
                                        group->first);
    }

    if (entry->time && entry->time != ledger->time) {
        return stockcert_ledger_refused(error, "all entries of a transaction "
                                        "have one time");
    }

    if (class != group->class) {
        return stockcert_ledger_refused(error, "all certificates of a "
                                        "transaction are of one class");
    }

    return STOCKCERT_OK;
}


/* the legal date of a certificate: its own, or its transaction's, or when */

static stockcert_rc_e
stockcert_group_legal(const stockcert_ledger_t *ledger,
    const stockcert_entry_t *issued, char *date, stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_str_t    effective;
    stockcert_entry_t  first;

    effective = issued->effective;

    if (issued->member) {
        rc = stockcert_journal_first(ledger, ledger->writer, issued, &first,
                                     error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }

        effective = first.effective;
    }

    stockcert_date(issued->time, date);

    if (effective.len) {
        memcpy(date, effective.data, STOCKCERT_DATE_LEN);
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_group_issued(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e                  rc;
    stockcert_group_t              *group;
    const stockcert_transaction_t  *type;

    group = &ledger->group;

    if (group->first == 0) {
        return stockcert_ledger_refused(error, "member %" PRIu64 " of a "
                                        "transaction comes without those before "
                                        "it", entry->member);
    }

    rc = stockcert_group_next(ledger, class, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    type = stockcert_transaction(group->type);
    group->blamed = "to";

    if (entry->member <= group->surrenders) {
        return stockcert_ledger_refused(error, "the transaction surrenders %"
                                        PRIu64 " certificates first",
                                        group->surrenders);
    }

    if (entry->shares > group->surrendered - group->issued) {
        return stockcert_ledger_refused(error, "the transaction surrenders %"
                                        PRIu64 " shares, and issues more",
                                        group->surrendered);
    }

    if (entry->balance
        && (!type->balance
            || entry->member != group->surrenders + group->issues))
    {
        return stockcert_ledger_refused(error, "\"%s\" cannot have a balance here",
                                        stockcert_group_name(group));
    }

    rc = stockcert_group_holder(group, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    group->member = entry->member;
    group->issued += entry->shares;
    group->balance = (entry->balance != 0);

    return stockcert_group_end(ledger, error);
}


/* whose the new certificate may be */

static stockcert_rc_e
stockcert_group_holder(stockcert_group_t *group,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    int                        name, id, same;
    stockcert_holder_t         new;
    const stockcert_holder_t  *old;

    old = &group->holder;
    stockcert_holder_of(entry, &new);

    name = stockcert_same(old->name, old->name_len, new.name, new.name_len);
    id = stockcert_same(old->id, old->id_len, new.id, new.id_len);

    if (entry->balance) {

        return name && id
               && stockcert_same(old->address, old->address_len, new.address,
                                 new.address_len)
               && stockcert_same(old->capacity, old->capacity_len, new.capacity,
                                 new.capacity_len)
               ? STOCKCERT_OK
               : stockcert_ledger_refused(error, "a balance is the old holder's,"
                                          " as the last certificate has it");
    }

    if (stockcert_transaction(group->type)->any) {
        return STOCKCERT_OK;
    }

    /*
     * Who has an id keeps it.  Who has none keeps the name, and may get an id;
     * but all new certificates are of one holder.
     */

    same = old->id_len ? id
           : group->issued ? id && name
           : name || group->reason == STOCKCERT_REASON_NAME;

    if (!same) {
        return stockcert_ledger_refused(error, "\"%s\" is for the same holder",
                                        stockcert_group_name(group));
    }

    group->holder = new;

    return STOCKCERT_OK;
}


/* if it is the last one: what is asked of all of them together */

static stockcert_rc_e
stockcert_group_end(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    uint64_t                        left, others;
    stockcert_group_t              *group;
    const stockcert_transaction_t  *type;

    group = &ledger->group;

    if (group->member < group->surrenders + group->issues) {
        return STOCKCERT_OK;
    }

    type = stockcert_transaction(group->type);
    group->blamed = type->left && type->balance ? "amount" : "to";
    left = group->surrendered - group->issued;
    others = group->issues - group->balance;

    group->first = 0;

    if (left && !type->left) {
        return stockcert_ledger_refused(error, "\"%s\" surrenders %" PRIu64
                                        " shares, and issues %" PRIu64,
                                        stockcert_group_name(group),
                                        group->surrendered, group->issued);
    }

    /* what nothing is left of would be a transfer, or a reissue */

    if (type->left && type->balance && (left == 0 || others)) {
        return stockcert_ledger_refused(error, "\"%s\" issues a balance only, "
                                        "of fewer shares",
                                        stockcert_group_name(group));
    }

    if (!type->left && others == 0) {
        return stockcert_ledger_refused(error, "\"%s\" issues at least one "
                                        "certificate that is no balance",
                                        stockcert_group_name(group));
    }

    return STOCKCERT_OK;
}


int
stockcert_group_is_open(const stockcert_ledger_t *ledger)
{
    return ledger->group.first != 0;
}


static const char *
stockcert_group_name(const stockcert_group_t *group)
{
    return stockcert_transaction(group->type)->name;
}
