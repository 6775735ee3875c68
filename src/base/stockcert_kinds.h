
/*
 * What a journal may say: kinds of entries and their fields, a row each.
 *
 * A new field is a row here, and a member of stockcert_entry_t.  A new kind is
 * a row here, and what the ledger does with it (stockcert_decide.c,
 * stockcert_apply.c), what "verify" makes of it, and how it looks in an export.
 */


#ifndef STOCKCERT_KINDS_H
#define STOCKCERT_KINDS_H


#include <stddef.h>
#include <stdint.h>


/*
 * Fields:
 *
 *     id       STOCKCERT_FIELD_ and this is its tag in the code
 *     tag      its number in the journal, from 1 without a gap; never given to
 *              another field
 *     member   of stockcert_entry_t
 *     name     what it is called in JSON and in messages
 *     type     what it may be (stockcert_type_e)
 */

#define STOCKCERT_FIELDS(field)                                               \
    /*    id         tag  member       name            type    */             \
    field(CLASS,      1,  code,        "class",        CODE)                   \
    field(NUMBER,     2,  number,      "number",       COUNT)                  \
    field(SHARES,     3,  shares,      "shares",       COUNT)                  \
    field(NAME,       4,  name,        "name",         TEXT)                   \
    field(TITLE,      5,  title,       "title",        TEXT)                   \
    field(KEY,        6,  key,         "key",          KEY)                    \
    field(NONCE,      7,  nonce,       "nonce",        NONCE)                  \
    field(TYPE,       8,  type,        "type",         TYPE)                   \
    field(REASON,     9,  reason,      "reason",       REASON)                 \
    field(MEMBER,    10,  member,      "member",       COUNT)                  \
    field(SURRENDERS, 11, surrenders,  "surrenders",   COUNT)                  \
    field(ISSUES,    12,  issues,      "issues",       COUNT)                  \
    field(BALANCE,   13,  balance,     "balance",      FLAG)                   \
    field(CORRECTS,  14,  corrects,    "corrects",     COUNT)                  \
    field(REQUEST,   15,  request,     "request",      HASH)                   \
    field(HOLDER_ID, 16,  holder_id,   "holder_id",    HOLDER)                   \
    field(ADDRESS,   17,  address,     "address",      TEXT)                   \
    field(CAPACITY,  18,  capacity,    "capacity",     TEXT)                   \
    field(PRICE,     19,  price,       "price",        PRICE)                  \
    field(EFFECTIVE, 20,  effective,   "effective",    DATE)                   \
    field(REFERENCE, 21,  reference,   "reference",    TEXT)                   \
    field(ACTOR,     22,  actor,       "actor",        TEXT)

#define STOCKCERT_FIELD_ENUM(id, tag, member, name, type)                     \
    STOCKCERT_FIELD_##id = tag,


typedef enum {
    STOCKCERT_FIELDS(STOCKCERT_FIELD_ENUM)
    STOCKCERT_FIELD_END                    /* one above the last */
} stockcert_field_e;


/* numbers first; all others are strings of 1 to 255 bytes */

typedef enum {
    STOCKCERT_COUNT = 0,                   /* 1 to 2^53 - 1 */
    STOCKCERT_FLAG,                        /* 1 */
    STOCKCERT_TYPE,                        /* a type of a transaction, */
    STOCKCERT_REASON,                      /* or a reason of one, by number */

    STOCKCERT_CODE,                        /* the rest as in stockcert_text.h, */
    STOCKCERT_TEXT,
    STOCKCERT_HOLDER,
    STOCKCERT_PRICE,
    STOCKCERT_DATE,
    STOCKCERT_KEY,                         /* stockcert_key.h, */
    STOCKCERT_NONCE,                       /* any 8 bytes, */
    STOCKCERT_HASH                         /* and any 32 */
} stockcert_type_e;


typedef struct {
    const char        *name;
    size_t             offset;             /* in stockcert_entry_t */
    stockcert_type_e   type;
} stockcert_field_t;


/*
 * Kinds:
 *
 *     id       STOCKCERT_ and this is its name in the code
 *     value    its number in the journal, from 1 without a gap; never given to
 *              another kind
 *     name     what it is called in the log and in JSON
 *     must     the fields that all its entries have,
 *     may      and those that they can have besides
 *
 * The shares of an opened class are those authorized, of an issued certificate
 * its amount, of an amended class those authorized from then on, of a
 * surrendered certificate its amount.
 *
 * Any entry may have a nonce, which is that of the batch that it was decided
 * in, and say who asked for it.  The first of a group, whose "member" is 1, has
 * the fields of STOCKCERT_FIRST_MUST besides, and may have those of _MAY; no
 * other has them from its group.
 */

#define STOCKCERT_BIT(id)  ((uint32_t) 1 << STOCKCERT_FIELD_##id)

#define STOCKCERT_ANY_MAY  (STOCKCERT_BIT(NONCE)|STOCKCERT_BIT(ACTOR))

#define STOCKCERT_FIRST_MUST                                                  \
    (STOCKCERT_BIT(TYPE)|STOCKCERT_BIT(SURRENDERS)|STOCKCERT_BIT(REFERENCE))

#define STOCKCERT_FIRST_MAY                                                   \
    (STOCKCERT_BIT(REASON)|STOCKCERT_BIT(ISSUES)|STOCKCERT_BIT(CORRECTS)       \
     |STOCKCERT_BIT(KEY)|STOCKCERT_BIT(REQUEST)|STOCKCERT_BIT(PRICE)           \
     |STOCKCERT_BIT(EFFECTIVE)|STOCKCERT_ANY_MAY)

#define STOCKCERT_KINDS(kind)                                                 \
    kind(CLASS_OPENED, 1, "opened",                                            \
         STOCKCERT_BIT(CLASS)|STOCKCERT_BIT(SHARES)|STOCKCERT_BIT(TITLE),       \
         STOCKCERT_ANY_MAY)                                                    \
    kind(CERTIFICATE_ISSUED, 2, "issued",                                      \
         STOCKCERT_BIT(CLASS)|STOCKCERT_BIT(NUMBER)|STOCKCERT_BIT(SHARES)       \
         |STOCKCERT_BIT(NAME),                                                 \
         STOCKCERT_BIT(KEY)|STOCKCERT_BIT(MEMBER)|STOCKCERT_BIT(BALANCE)        \
         |STOCKCERT_BIT(HOLDER_ID)|STOCKCERT_BIT(ADDRESS)                      \
         |STOCKCERT_BIT(CAPACITY)|STOCKCERT_BIT(PRICE)                         \
         |STOCKCERT_BIT(EFFECTIVE)|STOCKCERT_BIT(REFERENCE)|STOCKCERT_ANY_MAY)  \
    kind(CLASS_AMENDED, 3, "amended",                                          \
         STOCKCERT_BIT(CLASS)|STOCKCERT_BIT(SHARES)|STOCKCERT_BIT(REFERENCE),   \
         STOCKCERT_ANY_MAY)                                                    \
    kind(CERTIFICATE_SURRENDERED, 4, "surrendered",                            \
         STOCKCERT_BIT(CLASS)|STOCKCERT_BIT(NUMBER)|STOCKCERT_BIT(SHARES)       \
         |STOCKCERT_BIT(MEMBER),                                               \
         STOCKCERT_FIRST_MUST|STOCKCERT_FIRST_MAY)                             \
    kind(HOLDER_CHANGED, 5, "holder",                                          \
         STOCKCERT_BIT(CLASS)|STOCKCERT_BIT(NUMBER)|STOCKCERT_BIT(REFERENCE),   \
         STOCKCERT_BIT(HOLDER_ID)|STOCKCERT_BIT(ADDRESS)|STOCKCERT_ANY_MAY)

#define STOCKCERT_KIND_ENUM(id, value, name, must, may)                       \
    STOCKCERT_##id = value,


typedef enum {
    STOCKCERT_KINDS(STOCKCERT_KIND_ENUM)
    STOCKCERT_KIND_END                     /* one above the last */
} stockcert_kind_e;


typedef struct {
    const char  *name;
    uint32_t     must;                     /* STOCKCERT_BIT() of fields */
    uint32_t     may;
} stockcert_kind_t;


/*
 * Types of transactions:
 *
 *     any       the new certificates may be anybody's
 *     left      shares may be left over, and are no longer out
 *     balance   one of the new certificates may be a balance
 *     must      the fields of STOCKCERT_TYPE_MAY that its first entry has,
 *     may       and those that it can have; it has no others of them
 */

#define STOCKCERT_TYPE_MAY                                                    \
    (STOCKCERT_BIT(REASON)|STOCKCERT_BIT(CORRECTS)|STOCKCERT_BIT(PRICE))

#define STOCKCERT_TRANSACTIONS(type)                                          \
    /*   id          value  name          any  left  balance  must, may */    \
    type(TRANSFER,   1,     "transfer",   1,   0,    1,       0, 0)            \
    type(REISSUE,    2,     "reissue",    0,   0,    0,                        \
         0, STOCKCERT_BIT(REASON))                                            \
    type(REPURCHASE, 3,     "repurchase", 0,   1,    1,                        \
         STOCKCERT_BIT(PRICE), 0)                                             \
    type(CANCEL,     4,     "cancel",     0,   1,    1,       0, 0)            \
    type(CORRECT,    5,     "correct",    1,   1,    0,                        \
         STOCKCERT_BIT(CORRECTS), 0)

/* why a certificate is issued again */

#define STOCKCERT_REASONS(reason)                                             \
    reason(LOST,      1, "lost")                                               \
    reason(STOLEN,    2, "stolen")                                             \
    reason(DESTROYED, 3, "destroyed")                                          \
    reason(NAME,      4, "name")                                               \
    reason(DIVISION,  5, "division")                                           \
    reason(JOINING,   6, "joining")

#define STOCKCERT_TRANSACTION_ENUM(id, value, name, any, left, balance, must, \
                                   may)                                       \
    STOCKCERT_##id = value,
#define STOCKCERT_REASON_ENUM(id, value, name)                                \
    STOCKCERT_REASON_##id = value,


typedef enum {
    STOCKCERT_TRANSACTIONS(STOCKCERT_TRANSACTION_ENUM)
    STOCKCERT_TRANSACTION_END
} stockcert_transaction_e;


typedef enum {
    STOCKCERT_REASONS(STOCKCERT_REASON_ENUM)
    STOCKCERT_REASON_END
} stockcert_reason_e;


typedef struct {
    const char  *name;
    unsigned     any:1;
    unsigned     left:1;
    unsigned     balance:1;
    uint32_t     must;                     /* STOCKCERT_BIT() of fields */
    uint32_t     may;
} stockcert_transaction_t;


/*
 * The row of a kind, of a field by its tag, of a type; NULL if there is none.
 * The name of a reason, or NULL.  stockcert_kind_find() returns what has this
 * name, 0 if there is none.  Any thread.
 */

const stockcert_kind_t *stockcert_kind(uint64_t kind);
const stockcert_field_t *stockcert_field(uint64_t tag);
const stockcert_transaction_t *stockcert_transaction(uint64_t type);
const char *stockcert_reason(uint64_t reason);

stockcert_kind_e stockcert_kind_find(const char *name);
stockcert_transaction_e stockcert_transaction_find(const char *name);
stockcert_reason_e stockcert_reason_find(const char *name);


#endif /* STOCKCERT_KINDS_H */
