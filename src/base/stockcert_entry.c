
/*
 * The bytes and seals of journal entries and ledger headers.
 *
 * It touches memory and libcrypto only.
 */


#define _DEFAULT_SOURCE    /* htobe32(), htobe64() */

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "stockcert_entry.h"
#include "stockcert_key.h"
#include "stockcert_text.h"
#include "stockcert_value.h"


/* what messages say of the limits, and what the layout has room for */

_Static_assert(STOCKCERT_CODE_MAX <= UINT8_MAX
               && STOCKCERT_TEXT_MAX <= UINT8_MAX
               && STOCKCERT_KEY_MAX <= UINT8_MAX, "a length is one byte");
_Static_assert(STOCKCERT_KEY_MAX <= STOCKCERT_TEXT_MAX,
               "STOCKCERT_ENTRY_MAX counts a key as a text");
_Static_assert(STOCKCERT_SEAL_LEN == SHA256_DIGEST_LENGTH,
               "a seal is a SHA-256");
_Static_assert(STOCKCERT_SHARES_MAX == 9007199254740991
               && STOCKCERT_TEXT_MAX == 255, "as messages have them");


#define STOCKCERT_MAGIC      "stockcert"

#define STOCKCERT_DAY_AHEAD  ((uint64_t) 14 * 3600 * 1000000)  /* microseconds */


struct stockcert_sealer_s {
    EVP_MD      *md;
    EVP_MD_CTX  *ctx;
};


/* what is left to read; a failed read leaves p NULL and all later ones fail */

typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
} stockcert_reader_t;


static uint32_t stockcert_entry_bits(const stockcert_entry_t *entry);
static const char *stockcert_entry_member_fault(const stockcert_entry_t *entry,
    uint32_t bits, const char **field);
static const char *stockcert_entry_bits_fault(uint32_t missing, uint32_t more,
    const char **field);
static const char *stockcert_field_fault(stockcert_entry_t *entry,
    const stockcert_field_t *field);
static const char *stockcert_count_fault(const stockcert_field_t *field,
    uint64_t n);
static uint8_t *stockcert_put_str(uint8_t *p, const stockcert_str_t *str);
static const uint8_t *stockcert_read(stockcert_reader_t *r, size_t len);
static uint64_t stockcert_read64(stockcert_reader_t *r);
static void stockcert_read_str(stockcert_reader_t *r, stockcert_str_t *str);


void
stockcert_put32(uint8_t *p, uint32_t n)
{
    n = htobe32(n);
    memcpy(p, &n, sizeof(n));
}


uint32_t
stockcert_get32(const uint8_t *p)
{
    uint32_t  n;

    memcpy(&n, p, sizeof(n));

    return be32toh(n);
}


void
stockcert_put64(uint8_t *p, uint64_t n)
{
    n = htobe64(n);
    memcpy(p, &n, sizeof(n));
}


uint64_t
stockcert_get64(const uint8_t *p)
{
    uint64_t  n;

    memcpy(&n, p, sizeof(n));

    return be64toh(n);
}


static uint8_t *
stockcert_put_str(uint8_t *p, const stockcert_str_t *str)
{
    *p++ = (uint8_t) str->len;

    if (str->len) {
        memcpy(p, str->data, str->len);
    }

    return p + str->len;
}


static const uint8_t *
stockcert_read(stockcert_reader_t *r, size_t len)
{
    const uint8_t  *p;

    if (r->p == NULL || (size_t) (r->end - r->p) < len) {
        r->p = NULL;
        return NULL;
    }

    p = r->p;
    r->p += len;

    return p;
}


static uint64_t
stockcert_read64(stockcert_reader_t *r)
{
    const uint8_t  *p;

    p = stockcert_read(r, 8);

    return p ? stockcert_get64(p) : 0;
}


static void
stockcert_read_str(stockcert_reader_t *r, stockcert_str_t *str)
{
    const uint8_t  *p;

    p = stockcert_read(r, 1);

    str->len = p ? *p : 0;
    str->data = (const char *) stockcert_read(r, str->len);
}


size_t
stockcert_entry_encode(const stockcert_entry_t *entry, uint8_t *p)
{
    p[0] = (uint8_t) entry->kind;
    stockcert_put64(p + 1, entry->time);

    return 9 + stockcert_entry_put_fields(entry, STOCKCERT_FIELD_CLASS, p + 9);
}


size_t
stockcert_entry_put_fields(const stockcert_entry_t *entry,
    stockcert_field_e from, uint8_t *p)
{
    size_t                    len;
    uint8_t                   bytes[8], *start;
    uint64_t                  n;
    unsigned                  tag;
    stockcert_str_t           value;
    stockcert_entry_t        *fields;
    const stockcert_field_t  *field;

    start = p;
    fields = (stockcert_entry_t *) entry;

    for (tag = from; tag < STOCKCERT_FIELD_END; tag++) {
        field = stockcert_field(tag);

        if (stockcert_field_is_integer(field)) {
            n = *stockcert_entry_integer(fields, field);

            if (n == 0) {
                continue;
            }

            len = (size_t) (71 - __builtin_clzll(n)) / 8;

            stockcert_put64(bytes, n);

            value.len = len;
            value.data = (const char *) bytes + sizeof(bytes) - len;

        } else {
            value = *stockcert_entry_string(fields, field);

            if (value.len == 0) {
                continue;
            }
        }

        *p++ = (uint8_t) tag;
        p = stockcert_put_str(p, &value);
    }

    return (size_t) (p - start);
}


int
stockcert_entry_decode(const uint8_t *p, size_t len, stockcert_entry_t *entry)
{
    uint64_t  position;

    if (len < 9 + STOCKCERT_SEAL_LEN || stockcert_kind(*p) == NULL) {
        return -1;
    }

    position = entry->position;

    memset(entry, 0, sizeof(stockcert_entry_t));

    entry->position = position;
    entry->kind = (stockcert_kind_e) *p;
    entry->time = stockcert_get64(p + 1);
    entry->seal = p + len - STOCKCERT_SEAL_LEN;

    return stockcert_entry_read_fields(p + 9, len - 9 - STOCKCERT_SEAL_LEN,
                                       (stockcert_field_e) 0, entry);
}


int
stockcert_entry_read_fields(const uint8_t *p, size_t len,
    stockcert_field_e after, stockcert_entry_t *entry)
{
    size_t                    i;
    uint64_t                  n;
    unsigned                  last;
    const uint8_t            *tag;
    stockcert_str_t           value;
    stockcert_reader_t        r;
    const stockcert_field_t  *field;

    r.p = p;
    r.end = p + len;
    last = after;

    while (r.p != r.end) {

        tag = stockcert_read(&r, 1);
        field = stockcert_field(*tag);
        stockcert_read_str(&r, &value);

        if (r.p == NULL || field == NULL || *tag <= last || value.len == 0) {
            return -1;
        }

        last = *tag;

        if (!stockcert_field_is_integer(field)) {
            *stockcert_entry_string(entry, field) = value;
            continue;
        }

        if (value.len > 8 || value.data[0] == 0) {
            return -1;
        }

        n = 0;

        for (i = 0; i < value.len; i++) {
            n = n << 8 | (uint8_t) value.data[i];
        }

        *stockcert_entry_integer(entry, field) = n;
    }

    return 0;
}


const char *
stockcert_entry_fault(const stockcert_entry_t *entry, const char **field)
{
    uint32_t                  bits;
    unsigned                  tag;
    const char               *fault;
    const stockcert_kind_t   *kind;
    const stockcert_field_t  *f;

    kind = stockcert_kind(entry->kind);
    bits = stockcert_entry_bits(entry);

    *field = "time";
    if (entry->time > STOCKCERT_TIME_MAX) {
        return "must be before the year 10000";
    }

    fault = stockcert_entry_bits_fault(kind->must & ~bits,
                                       bits & ~(kind->must|kind->may), field);

    if (fault == NULL) {
        fault = stockcert_entry_member_fault(entry, bits, field);
    }

    for (tag = 1; fault == NULL && bits >> tag; tag++) {

        if (bits >> tag & 1) {
            f = stockcert_field(tag);
            *field = f->name;
            fault = stockcert_field_fault((stockcert_entry_t *) entry, f);
        }
    }

    return fault;
}


/* those that are there */

static uint32_t
stockcert_entry_bits(const stockcert_entry_t *entry)
{
    uint32_t                  bits;
    unsigned                  tag;
    stockcert_entry_t        *fields;
    const stockcert_field_t  *field;

    bits = 0;
    fields = (stockcert_entry_t *) entry;

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        field = stockcert_field(tag);

        if (stockcert_field_is_integer(field)
            ? *stockcert_entry_integer(fields, field) != 0
            : stockcert_entry_string(fields, field)->len != 0)
        {
            bits |= (uint32_t) 1 << tag;
        }
    }

    return bits;
}


/* what the place in a group, or none, makes of what a kind may have */

static const char *
stockcert_entry_member_fault(const stockcert_entry_t *entry, uint32_t bits,
    const char **field)
{
    uint32_t                        must, not;
    const stockcert_transaction_t  *type;

    *field = "surrenders";
    if (entry->surrenders > STOCKCERT_FROM_MAX) {
        return "must be at most 100";
    }

    *field = "issues";
    if (entry->issues > STOCKCERT_TO_MAX + 1) {
        return "must be at most 101";
    }

    must = 0;

    if (entry->member == 0) {
        not = STOCKCERT_BIT(BALANCE);

    } else if (entry->kind == STOCKCERT_CERTIFICATE_SURRENDERED
               && entry->member == 1)
    {
        must = STOCKCERT_FIRST_MUST;
        not = 0;

        type = stockcert_transaction(entry->type);

        if (type) {
            must |= type->must;
            not = STOCKCERT_TYPE_MAY & ~(type->must|type->may);
        }

    } else {
        not = STOCKCERT_FIRST_MUST|STOCKCERT_FIRST_MAY;
    }

    return stockcert_entry_bits_fault(must & ~bits, bits & not, field);
}


static const char *
stockcert_entry_bits_fault(uint32_t missing, uint32_t more, const char **field)
{
    if ((missing|more) == 0) {
        return NULL;
    }

    *field = stockcert_field((unsigned) __builtin_ctz(missing ? missing
                                                              : more))->name;

    return missing ? "must be there" : "must not be there";
}


/* of one that is there */

static const char *
stockcert_field_fault(stockcert_entry_t *entry, const stockcert_field_t *field)
{
    char                    date[STOCKCERT_DATE_LEN + 1];
    const char             *fault;
    const stockcert_str_t  *value;

    if (stockcert_field_is_integer(field)) {
        return stockcert_count_fault(field,
                                     *stockcert_entry_integer(entry, field));
    }

    value = stockcert_entry_string(entry, field);

    switch (field->type) {

    case STOCKCERT_CODE:
        return stockcert_code_fault(value->data, value->len);

    case STOCKCERT_TEXT:
        return stockcert_text_fault(value->data, value->len);

    case STOCKCERT_HOLDER:
        return stockcert_id_fault(value->data, value->len);

    case STOCKCERT_PRICE:
        return stockcert_price_fault(value->data, value->len);

    case STOCKCERT_KEY:
        return stockcert_key_fault(value->data, value->len);

    case STOCKCERT_NONCE:
        return value->len == STOCKCERT_NONCE_LEN ? NULL : "must have 8 bytes";

    case STOCKCERT_HASH:
        return value->len == STOCKCERT_HASH_LEN ? NULL : "must have 32 bytes";

    default: /* STOCKCERT_DATE */
        break;
    }

    fault = stockcert_date_fault(value->data, value->len);
    if (fault) {
        return fault;
    }

    /* wherever it was asked for, that day had begun */

    stockcert_date(entry->time + STOCKCERT_DAY_AHEAD, date);

    return memcmp(value->data, date, STOCKCERT_DATE_LEN) > 0
           ? "must not be later than that of the entry" : NULL;
}


static const char *
stockcert_count_fault(const stockcert_field_t *field, uint64_t n)
{
    switch (field->type) {

    case STOCKCERT_FLAG:
        return n == 1 ? NULL : "must be 1";

    case STOCKCERT_TYPE:
        return stockcert_transaction(n) ? NULL : "must be one that is known";

    case STOCKCERT_REASON:
        return stockcert_reason(n) ? NULL : "must be one that is known";

    default: /* STOCKCERT_COUNT */
        return n > STOCKCERT_SHARES_MAX ? "must be from 1 to 9007199254740991"
                                        : NULL;
    }
}


size_t
stockcert_header_encode(const stockcert_header_t *header, uint8_t *p)
{
    uint8_t  *start;

    start = p;

    memcpy(p, STOCKCERT_MAGIC, sizeof(STOCKCERT_MAGIC) - 1);
    p += sizeof(STOCKCERT_MAGIC) - 1;

    stockcert_put32(p, header->format);
    stockcert_put64(p + 4, header->created);

    p = stockcert_put_str(p + 12, &header->company);

    return (size_t) (p - start);
}


int
stockcert_header_decode(const uint8_t *p, size_t len,
    stockcert_header_t *header)
{
    const uint8_t       *magic, *format;
    stockcert_reader_t   r;

    r.p = p;
    r.end = p + len;

    magic = stockcert_read(&r, sizeof(STOCKCERT_MAGIC) - 1);
    format = stockcert_read(&r, 4);

    if (format == NULL
        || memcmp(magic, STOCKCERT_MAGIC, sizeof(STOCKCERT_MAGIC) - 1) != 0)
    {
        return -1;
    }

    header->format = stockcert_get32(format);

    if (header->format != STOCKCERT_FORMAT) {
        return 0;
    }

    header->created = stockcert_read64(&r);
    stockcert_read_str(&r, &header->company);

    return r.p != NULL && r.p == r.end ? 0 : -1;
}


stockcert_sealer_t *
stockcert_sealer_create(void)
{
    stockcert_sealer_t  *sealer;

    sealer = calloc(1, sizeof(stockcert_sealer_t));
    if (sealer == NULL) {
        return NULL;
    }

    /* fetched once: EVP_sha256() would be looked up at every digest */

    sealer->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    sealer->ctx = EVP_MD_CTX_new();

    if (sealer->md == NULL || sealer->ctx == NULL) {
        stockcert_sealer_destroy(sealer);
        return NULL;
    }

    return sealer;
}


void
stockcert_sealer_destroy(stockcert_sealer_t *sealer)
{
    if (sealer == NULL) {
        return;
    }

    EVP_MD_CTX_free(sealer->ctx);
    EVP_MD_free(sealer->md);
    free(sealer);
}


int
stockcert_seal(stockcert_sealer_t *sealer, const uint8_t *prev,
    const uint8_t *p, size_t len, uint8_t *seal)
{
    if (EVP_DigestInit_ex2(sealer->ctx, sealer->md, NULL) != 1
        || (prev != NULL
            && EVP_DigestUpdate(sealer->ctx, prev, STOCKCERT_SEAL_LEN) != 1)
        || EVP_DigestUpdate(sealer->ctx, p, len) != 1
        || EVP_DigestFinal_ex(sealer->ctx, seal, NULL) != 1)
    {
        return -1;
    }

    return 0;
}
