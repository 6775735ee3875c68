
/*
 * The kinds of journal entries, one row each.  CONTRIBUTING.md says what
 * else a new kind needs.
 *
 *     id       STOCKCERT_ and this is its name in the code
 *     value    its number in the journal, from 1 without a gap; never given to
 *              another kind
 *     name     what it is called in the log and in JSON
 *     text     the name of its text in JSON and in messages
 *     number, shares, key   1 if its entries have one; else it is 0 or empty
 *
 * Shares are: of an opened class the authorized shares, of an issued
 * certificate its amount, of an amended class the newly authorized shares.
 */


#ifndef STOCKCERT_KINDS_H
#define STOCKCERT_KINDS_H


#define STOCKCERT_KINDS(kind)                                                 \
    /*   id                     value  name         text         n  s  k */   \
    kind(CLASS_OPENED,          1,     "opened",    "title",     0, 1, 0)      \
    kind(CERTIFICATE_ISSUED,    2,     "issued",    "name",      1, 1, 1)      \
    kind(CLASS_AMENDED,         3,     "amended",   "reference", 0, 1, 0)      \
    kind(CERTIFICATE_CANCELLED, 4,     "cancelled", "reason",    1, 0, 0)

#define STOCKCERT_KIND_ENUM(id, value, name, text, number, shares, key)       \
    STOCKCERT_##id = value,


typedef enum {
    STOCKCERT_KINDS(STOCKCERT_KIND_ENUM)
    STOCKCERT_KIND_END                     /* one above the last */
} stockcert_kind_e;


typedef struct {
    const char  *name;
    const char  *text;
    unsigned     number:1;
    unsigned     shares:1;
    unsigned     key:1;
} stockcert_kind_t;


/*
 * The row of a kind; NULL if there is none.  stockcert_kind_find() returns the
 * kind of this name, 0 if there is none.  Any thread.
 */

const stockcert_kind_t *stockcert_kind(unsigned kind);
stockcert_kind_e stockcert_kind_find(const char *name);


#endif /* STOCKCERT_KINDS_H */
