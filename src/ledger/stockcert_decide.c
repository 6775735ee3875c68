
/*
 * Deciding: whether the ledger's rules let an entry come next, and what it
 * then is, to the last byte.  Any process with the same ledger can apply a
 * fixed entry, with the same effect (stockcert_apply.c).  Grants have their
 * rules in stockcert_issue.c, because their refusals are outcomes; they are
 * fixed here, too.
 *
 * It reads in the writer's transaction, and writes nothing.
 */


#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "stockcert_format.h"
#include "stockcert_store.h"


typedef stockcert_rc_e (*stockcert_rule_pt)(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);


static void stockcert_set_time(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry);
static stockcert_rc_e stockcert_decide_next(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_opened(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_issued(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_amended(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_surrendered(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_holder(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_outstanding(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_certificate_t *certificate, stockcert_error_t *error);
static stockcert_rc_e stockcert_decide_key(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error);
static stockcert_rc_e stockcert_draw(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error);


/* what may come next, by kind; the class is NULL if the ledger has none */

static const stockcert_rule_pt  stockcert_rules[] = {
    [STOCKCERT_CLASS_OPENED] = stockcert_decide_opened,
    [STOCKCERT_CERTIFICATE_ISSUED] = stockcert_decide_issued,
    [STOCKCERT_CLASS_AMENDED] = stockcert_decide_amended,
    [STOCKCERT_CERTIFICATE_SURRENDERED] = stockcert_decide_surrendered,
    [STOCKCERT_HOLDER_CHANGED] = stockcert_decide_holder
};


_Static_assert(sizeof(stockcert_rules) / sizeof(stockcert_rules[0])
               == STOCKCERT_KIND_END, "each kind has a rule");


stockcert_rc_e
stockcert_decide(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_fixed_t *fixed, stockcert_error_t *error)
{
    stockcert_rc_e             rc;
    const uint8_t             *seal;
    stockcert_ledger_class_t  *class;

    ledger->group.blamed = NULL;

    rc = stockcert_decide_next(ledger, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    class = stockcert_class_find(ledger, ledger->nmet,
                                 entry->code.data, entry->code.len);

    if (class == NULL && entry->kind != STOCKCERT_CLASS_OPENED) {
        return stockcert_ledger_refused(error, "the ledger has no class %.*s",
                                        (int) entry->code.len,
                                        entry->code.data);
    }

    if (class) {
        rc = stockcert_class_load(ledger, class, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    rc = stockcert_rules[entry->kind](ledger, class, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    seal = entry->seal;

    rc = stockcert_fix(ledger, entry, fixed, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (seal && memcmp(seal, entry->seal, STOCKCERT_SEAL_LEN) != 0) {
        return stockcert_ledger_refused(error, "entry %" PRIu64
                                        " has another seal", entry->position);
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_fix(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_fixed_t *fixed, stockcert_error_t *error)
{
    uint8_t         *seal;
    stockcert_rc_e   rc;

    rc = stockcert_draw(ledger, entry, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_set_time(ledger, entry);

    entry->position = ledger->position + 1;

    fixed->len = stockcert_entry_encode(entry, fixed->bytes);

    seal = fixed->bytes + fixed->len;

    if (stockcert_seal(ledger->sealer, ledger->seal, fixed->bytes, fixed->len,
                       seal)
        != 0)
    {
        return stockcert_ledger_error(error, "EVP_DigestFinal_ex()", ENOMEM);
    }

    entry->seal = seal;
    fixed->len += STOCKCERT_SEAL_LEN;

    return STOCKCERT_OK;
}


/* unless it has one */

static void
stockcert_set_time(stockcert_ledger_t *ledger, stockcert_entry_t *entry)
{
    uint64_t  now;

    if (entry->time) {
        return;
    }

    /* the entries of a group have one time */

    now = entry->member > 1 ? ledger->time : stockcert_now();

    /* the journal's time must not go back, even if the clock was set back */

    ledger->behind = now < ledger->time ? ledger->time - now : 0;
    entry->time = now + ledger->behind;
}


/* what is asked of entries of all kinds */

static stockcert_rc_e
stockcert_decide_next(stockcert_ledger_t *ledger,
    stockcert_entry_t *entry, stockcert_error_t *error)
{
    const char  *fault, *field;

    if (entry->position && entry->position != ledger->position + 1) {
        return stockcert_ledger_refused(error, "entry %" PRIu64
                                        " cannot come after entry %" PRIu64,
                                        entry->position, ledger->position);
    }

    if (ledger->group.first && entry->member == 0) {
        return stockcert_ledger_refused(error, "entry %" PRIu64 " began a "
                                        "transaction, which has %" PRIu64
                                        " entries more", ledger->group.first,
                                        ledger->group.surrenders
                                        + ledger->group.issues
                                        - ledger->group.member);
    }

    if (entry->time && entry->time < ledger->time) {
        return stockcert_ledger_refused(error,
                                  "the time is before that of the last entry");
    }

    stockcert_set_time(ledger, entry);

    fault = stockcert_entry_fault(entry, &field);

    if (fault) {
        ledger->group.blamed = field;
        return stockcert_ledger_refused(error, "the %s %s", field, fault);
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_decide_opened(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    if (class) {
        return stockcert_ledger_refused(error, "the ledger has class %.*s "
                                        "already", (int) entry->code.len,
                                        entry->code.data);
    }

    if (ledger->nmet == STOCKCERT_CLASSES_MAX) {
        return stockcert_ledger_refused(error,
                                        "a ledger has at most %d classes",
                                        STOCKCERT_CLASSES_MAX);
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_decide_issued(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    if (entry->number != class->record.last + 1) {
        return stockcert_ledger_refused(error, "the next certificate is "
                                        STOCKCERT_ID,
                                        STOCKCERT_ID_OF(entry->code,
                                                   class->record.last + 1));
    }

    if (entry->shares > class->record.authorized - class->record.issued) {
        return stockcert_ledger_refused(error, "class %.*s has %" PRIu64
                                        " shares left", (int) entry->code.len,
                                        entry->code.data,
                                        class->record.authorized
                                        - class->record.issued);
    }

    if (entry->member) {
        return stockcert_group_issued(ledger, class, entry, error);
    }

    return stockcert_decide_key(ledger, entry, error);
}


/* a key is given to one entry, ever */

static stockcert_rc_e
stockcert_decide_key(stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, stockcert_error_t *error)
{
    stockcert_rc_e     rc;
    stockcert_entry_t  other;

    if (entry->key.len == 0) {
        return STOCKCERT_OK;
    }

    rc = stockcert_keys_find(ledger, entry->key.data, entry->key.len, &other,
                             error);

    if (rc == STOCKCERT_OK) {
        return stockcert_ledger_refused(error, "entry %" PRIu64
                                        " has the same idempotency key",
                                        other.position);
    }

    return rc == STOCKCERT_NOT_FOUND ? STOCKCERT_OK : rc;
}


static stockcert_rc_e
stockcert_decide_amended(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    (void) ledger;

    if (entry->shares < class->record.issued) {
        return stockcert_ledger_refused(error, "class %.*s has %" PRIu64
                                        " shares out: no fewer can be "
                                        "authorized", (int) entry->code.len,
                                        entry->code.data,
                                        class->record.issued);
    }

    return STOCKCERT_OK;
}


static stockcert_rc_e
stockcert_decide_surrendered(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e           rc;
    stockcert_certificate_t  certificate;

    rc = stockcert_decide_outstanding(ledger, class, entry, &certificate,
                                      error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_decide_key(ledger, entry, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    ledger->group.blamed = "corrects";

    if (entry->corrects > ledger->position) {
        return stockcert_ledger_refused(error, "there is no entry %" PRIu64
                                        " to correct", entry->corrects);
    }

    return stockcert_group_surrendered(ledger, class, entry, &certificate,
                                       error);
}


static stockcert_rc_e
stockcert_decide_holder(stockcert_ledger_t *ledger,
    stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e           rc;
    stockcert_holder_t       holder;
    stockcert_certificate_t  certificate;

    rc = stockcert_decide_outstanding(ledger, class, entry, &certificate,
                                      error);

    if (rc == STOCKCERT_OK) {
        rc = stockcert_holder_get(ledger, ledger->writer, &certificate.issued,
                                  &holder, error);
    }

    if (rc != STOCKCERT_OK) {
        return rc;
    }

    if (entry->holder_id.len == 0 && entry->address.len == 0) {
        return stockcert_ledger_refused(error, "it says neither an id nor an "
                                        "address");
    }

    if (entry->holder_id.len && holder.id_len) {
        return stockcert_ledger_refused(error, "the holder of " STOCKCERT_ID
                                        " has an id, \"%.*s\", which stays",
                                        STOCKCERT_ID_OF(entry->code,
                                                        entry->number),
                                        (int) holder.id_len,
                                        holder.id);
    }

    return STOCKCERT_OK;
}


/* the certificate of an entry, which is there, and is nobody's past */

static stockcert_rc_e
stockcert_decide_outstanding(stockcert_ledger_t *ledger,
    const stockcert_ledger_class_t *class, const stockcert_entry_t *entry,
    stockcert_certificate_t *certificate, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_certificate_get(ledger, ledger->writer, class, entry->number,
                                   certificate, error);

    if (rc == STOCKCERT_NOT_FOUND) {
        return stockcert_ledger_refused(error, STOCKCERT_ID
                                        " was never issued",
                                        STOCKCERT_ID_OF(entry->code,
                                                        entry->number));
    }

    if (rc == STOCKCERT_OK && certificate->surrender.position) {
        return stockcert_ledger_refused(error, STOCKCERT_ID " is %s already,"
                                        " by transaction %" PRIu64,
                                        STOCKCERT_ID_OF(entry->code,
                                                        entry->number),
                                        stockcert_status(
                                            &certificate->surrender),
                                        certificate->surrender.transaction);
    }

    return rc;
}


/*
 * Without it, two writers could make the same entry at the same position, and
 * have the same seal.  An entry that was decided elsewhere has its seal
 * already.
 */

static stockcert_rc_e
stockcert_draw(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    if (ledger->drawn || entry->seal || entry->nonce.len) {
        return STOCKCERT_OK;
    }

    if (getrandom(ledger->nonce, sizeof(ledger->nonce), 0)
        != (ssize_t) sizeof(ledger->nonce))
    {
        return stockcert_ledger_error(error, "getrandom()", errno);
    }

    entry->nonce.len = sizeof(ledger->nonce);
    entry->nonce.data = (const char *) ledger->nonce;

    return STOCKCERT_OK;
}
