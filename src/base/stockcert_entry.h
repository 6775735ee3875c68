
/*
 * Journal entries: their bytes and their seals.
 *
 * An entry records one thing that happened in a ledger.  All else in a ledger
 * can be rebuilt from its entries.  All kinds share one layout (format version
 * 1; integers are unsigned and big-endian):
 *
 *     offset       size  field
 *     0               1  kind (stockcert_kinds.h)
 *     1               8  time, microseconds since 1970-01-01T00:00:00Z
 *     9               8  number of the certificate; 0 for an entry of a class
 *     17              8  shares
 *     25              1  c, length of the class code
 *     26              c  class code
 *     26+c            1  t, length of the text
 *     27+c            t  text, UTF-8
 *     27+c+t          1  k, length of the idempotency key
 *     28+c+t          k  idempotency key, of a certificate; otherwise k is 0
 *     28+c+t+k       32  seal
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
 * Only stockcert_sealer_t has state.  Any thread may call all functions.
 */


#ifndef STOCKCERT_ENTRY_H
#define STOCKCERT_ENTRY_H


#include <stddef.h>
#include <stdint.h>

#include "stockcert_kinds.h"
#include "stockcert_str.h"


#define STOCKCERT_FORMAT           1

#define STOCKCERT_SEAL_LEN         32
#define STOCKCERT_CODE_MAX         8       /* bytes, of a class code */
#define STOCKCERT_TEXT_MAX         255     /* bytes, of any name or text */
#define STOCKCERT_SHARES_MAX       9007199254740991    /* 2^53 - 1 */
#define STOCKCERT_TIME_MAX         253402300799999999  /* the year 9999's last */

#define STOCKCERT_ENTRY_MAX                                                   \
    (28 + STOCKCERT_CODE_MAX + 2 * STOCKCERT_TEXT_MAX + STOCKCERT_SEAL_LEN)
#define STOCKCERT_HEADER_MAX       (22 + STOCKCERT_TEXT_MAX)


typedef struct {
    uint64_t           position;   /* in the journal, from 1; its key there */
    stockcert_kind_e   kind;
    uint64_t           time;
    uint64_t           number;
    uint64_t           shares;
    stockcert_str_t    code;
    stockcert_str_t    text;
    stockcert_str_t    key;
    const uint8_t     *seal;       /* STOCKCERT_SEAL_LEN bytes */
} stockcert_entry_t;


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
 * which has room for STOCKCERT_ENTRY_MAX bytes.  The fields must be within
 * the limits above.  Returns the number of bytes written.
 */

size_t stockcert_entry_encode(const stockcert_entry_t *entry, uint8_t *p);

/*
 * Checks the fields of an entry of a known kind, by themselves: what each may
 * be, and which fields its kind has.  It does not look at the position and the
 * seal.  Returns NULL, or what a field must be, as in stockcert_text.h, with
 * the field's name in *field.
 */

const char *stockcert_entry_fault(const stockcert_entry_t *entry,
    const char **field);

/*
 * Reads an entry with its seal from len bytes at p; entry->position stays as
 * it is.  The strings and the seal of *entry point into p.  Returns 0, or -1 if
 * these are not the bytes of an entry: an unknown kind, a length that does not
 * fit, bytes left over.  It does not check the fields: stockcert_entry_fault()
 * does.
 */

int stockcert_entry_decode(const uint8_t *p, size_t len,
    stockcert_entry_t *entry);

/*
 * The same for a ledger's header. stockcert_header_encode() needs
 * STOCKCERT_HEADER_MAX bytes at p. stockcert_header_decode() returns -1 if
 * these are not the bytes of a header.  Of a header with another format version
 * it reads only the version.
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
