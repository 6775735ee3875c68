
/*
 * Journal entries: their bytes and their seals.
 *
 * An entry is the one record of something that happened in a ledger; whatever
 * else a ledger stores can be rebuilt from its entries.  All have the same
 * layout (format version 2):
 *
 *     size  part
 *        1  kind (stockcert_kinds.h)
 *        8  time, microseconds since 1970-01-01T00:00:00Z, big-endian
 *           fields, in ascending order of their tags, each at most once:
 *        1      tag (stockcert_kinds.h)
 *        1      n, length of the value, not 0
 *        n      value
 *       32  seal
 *
 * The value of a field is a string, or an unsigned integer, not 0, big-endian,
 * in as few bytes as it has.  So there is one encoding of what an entry says.
 *
 * The seal is SHA-256 (FIPS 180-4) over the seal of the entry before and the
 * bytes of this entry up to its seal.  So each seal vouches for all entries up
 * to it.  Entry 1 follows the seal of the ledger's header:
 *
 *     offset       size  field
 *     0               9  "stockcert"
 *     9               4  format version
 *     13              8  time of creation, microseconds as above
 *     21              1  n, length of the company's name
 *     22              n  company's name, UTF-8
 *
 * The header's seal is SHA-256 over these bytes.
 *
 * A nonce, random bytes in the first entry of what is decided together, makes a
 * seal tell whose it is: two writers who would make the same entry at the same
 * position and time get two seals.
 *
 * Nothing here keeps state but stockcert_sealer_t; all the functions may be
 * called from any thread.
 */


#ifndef STOCKCERT_ENTRY_H
#define STOCKCERT_ENTRY_H


#include <stddef.h>
#include <stdint.h>

#include "stockcert_kinds.h"
#include "stockcert_str.h"


#define STOCKCERT_FORMAT           2

#define STOCKCERT_SEAL_LEN         32
#define STOCKCERT_NONCE_LEN        8
#define STOCKCERT_HASH_LEN         32
#define STOCKCERT_CODE_MAX         8       /* bytes, of a class code */
#define STOCKCERT_FROM_MAX         100     /* certificates in a transaction, */
#define STOCKCERT_TO_MAX           100     /* and new ones without a balance */
#define STOCKCERT_TEXT_MAX         255     /* bytes, of any name or text */
#define STOCKCERT_SHARES_MAX       9007199254740991    /* 2^53 - 1 */
#define STOCKCERT_TIME_MAX         253402300799999999  /* the year 9999's last */

/* bytes; entries stay below what LMDB keeps in a page with others */

#define STOCKCERT_ENTRY_MAX        2000
#define STOCKCERT_HEADER_MAX       (22 + STOCKCERT_TEXT_MAX)


/* a field that is 0 or empty is not there */

typedef struct {
    uint64_t           position;   /* in the journal, from 1; its key there */
    stockcert_kind_e   kind;
    uint64_t           time;
    const uint8_t     *seal;       /* STOCKCERT_SEAL_LEN bytes */

    /* fields, in the order of their tags */

    stockcert_str_t    code;       /* of the share class */
    uint64_t           number;     /* of the certificate */
    uint64_t           shares;
    stockcert_str_t    name;       /* of the holder */
    stockcert_str_t    title;
    stockcert_str_t    key;
    stockcert_str_t    nonce;
    uint64_t           type;
    uint64_t           reason;
    uint64_t           member;     /* its number in its group, from 1 */
    uint64_t           surrenders; /* so many certificates are surrendered, */
    uint64_t           issues;     /* and so many issued in their place */
    uint64_t           balance;    /* 1: what the old holder keeps */
    uint64_t           corrects;   /* the position of an entry that was wrong */
    stockcert_str_t    request;    /* SHA-256 of what was asked for */
    stockcert_str_t    holder_id;
    stockcert_str_t    address;
    stockcert_str_t    capacity;
    stockcert_str_t    price;
    stockcert_str_t    effective;
    stockcert_str_t    reference;
    stockcert_str_t    actor;
} stockcert_entry_t;


/* the position of the first entry of its group; its own, if it has none */

static inline uint64_t
stockcert_entry_first(const stockcert_entry_t *entry)
{
    return entry->member ? entry->position - (entry->member - 1)
                         : entry->position;
}


/* where a journal ends, or ended once; position 0: this is not known */

typedef struct {
    uint64_t           position;
    uint8_t            seal[STOCKCERT_SEAL_LEN];
} stockcert_tail_t;


typedef struct {
    uint32_t           format;
    uint64_t           created;
    stockcert_str_t    company;
} stockcert_header_t;


/* computes seals; for one thread at a time */

typedef struct stockcert_sealer_s  stockcert_sealer_t;


/* integers as the format has them: 4 or 8 bytes, big-endian */

void stockcert_put32(uint8_t *p, uint32_t n);
uint32_t stockcert_get32(const uint8_t *p);
void stockcert_put64(uint8_t *p, uint64_t n);
uint64_t stockcert_get64(const uint8_t *p);

/*
 * Writes all of an entry but its seal (entry->seal is not looked at) to p,
 * which has room for STOCKCERT_ENTRY_MAX bytes.  The fields must be such as
 * stockcert_entry_fault() wants them.  Returns the number of bytes written.
 */

size_t stockcert_entry_encode(const stockcert_entry_t *entry, uint8_t *p);

/*
 * Looks at an entry of a known kind, but for position and seal, by itself: what
 * each field may be, and which of them entries of its kind have.  Returns NULL,
 * or what one must be, as stockcert_text.h has it, with its name in *field.
 */

const char *stockcert_entry_fault(const stockcert_entry_t *entry,
    const char **field);

/*
 * Reads an entry with its seal from len bytes at p; entry->position stays as
 * it is.  The strings and the seal of *entry point into p.  Returns 0, or -1 if
 * these are not the bytes of an entry: an unknown kind or field, fields out of
 * order, a length that does not fit, an integer that is longer than it must be,
 * bytes left over.  What stockcert_entry_fault() looks at may be anything.
 */

int stockcert_entry_decode(const uint8_t *p, size_t len,
    stockcert_entry_t *entry);

/*
 * Fields alone, without kind, time and seal, as above.
 * stockcert_entry_put_fields() writes those of an entry from one tag on, as
 * many bytes as it returns.  stockcert_entry_read_fields() sets those of an
 * entry that len bytes have, which must have tags above after, and leaves the
 * others as they are; it returns 0 or -1.
 */

size_t stockcert_entry_put_fields(const stockcert_entry_t *entry,
    stockcert_field_e from, uint8_t *p);
int stockcert_entry_read_fields(const uint8_t *p, size_t len,
    stockcert_field_e after, stockcert_entry_t *entry);

/*
 * A field of an entry: one that is an integer, or one that is a string.
 */

static inline uint64_t *
stockcert_entry_integer(stockcert_entry_t *entry, const stockcert_field_t *field)
{
    return (uint64_t *) (void *) ((char *) entry + field->offset);
}


static inline stockcert_str_t *
stockcert_entry_string(stockcert_entry_t *entry, const stockcert_field_t *field)
{
    return (stockcert_str_t *) (void *) ((char *) entry + field->offset);
}


static inline int
stockcert_field_is_integer(const stockcert_field_t *field)
{
    return field->type <= STOCKCERT_REASON;
}

/*
 * The same for a ledger's header.  stockcert_header_encode() needs
 * STOCKCERT_HEADER_MAX bytes at p.  stockcert_header_decode() returns -1 for
 * what is not a header; of another format version it reads the version only.
 */

size_t stockcert_header_encode(const stockcert_header_t *header, uint8_t *p);
int stockcert_header_decode(const uint8_t *p, size_t len,
    stockcert_header_t *header);

/* Returns NULL if libcrypto has no SHA-256 or there is no memory. */

stockcert_sealer_t *stockcert_sealer_create(void);
void stockcert_sealer_destroy(stockcert_sealer_t *sealer);

/*
 * Computes the seal of the len bytes at p.  They come after the entry that prev
 * is the seal of; prev is NULL for a header. prev and seal may be the same
 * memory.  Returns 0, or -1 if libcrypto failed.
 */

int stockcert_seal(stockcert_sealer_t *sealer, const uint8_t *prev,
    const uint8_t *p, size_t len, uint8_t *seal);


#endif /* STOCKCERT_ENTRY_H */
