
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


#define STOCKCERT_MAGIC  "stockcert"


struct stockcert_sealer_s {
    EVP_MD      *md;
    EVP_MD_CTX  *ctx;
};


/* what is left to read; a failed read leaves p NULL and all later ones fail */

typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
} stockcert_reader_t;


static const char *stockcert_entry_count_fault(uint64_t count,
    unsigned wanted);
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
    uint8_t  *start;

    start = p;

    *p++ = (uint8_t) entry->kind;
    stockcert_put64(p, entry->time);
    stockcert_put64(p + 8, entry->number);
    stockcert_put64(p + 16, entry->shares);
    p += 24;

    p = stockcert_put_str(p, &entry->code);
    p = stockcert_put_str(p, &entry->text);
    p = stockcert_put_str(p, &entry->key);

    return (size_t) (p - start);
}


const char *
stockcert_entry_fault(const stockcert_entry_t *entry, const char **field)
{
    const char              *fault;
    const stockcert_kind_t  *kind;

    kind = stockcert_kind(entry->kind);

    *field = "class";
    fault = stockcert_code_fault(entry->code.data, entry->code.len);
    if (fault) {
        return fault;
    }

    *field = kind->text;
    fault = stockcert_text_fault(entry->text.data, entry->text.len);
    if (fault) {
        return fault;
    }

    *field = "idempotency key";
    if (entry->key.len) {
        fault = kind->key ? stockcert_key_fault(entry->key.data, entry->key.len)
                          : "must not be there";
        if (fault) {
            return fault;
        }
    }

    *field = "time";
    if (entry->time > STOCKCERT_TIME_MAX) {
        return "must be before the year 10000";
    }

    *field = "number";
    fault = stockcert_entry_count_fault(entry->number, kind->number);
    if (fault) {
        return fault;
    }

    *field = "number of shares";
    return stockcert_entry_count_fault(entry->shares, kind->shares);
}


static const char *
stockcert_entry_count_fault(uint64_t count, unsigned wanted)
{
    if (!wanted) {
        return count ? "must not be there" : NULL;
    }

    return count == 0 || count > STOCKCERT_SHARES_MAX
           ? "must be from 1 to 9007199254740991" : NULL;
}


int
stockcert_entry_decode(const uint8_t *p, size_t len, stockcert_entry_t *entry)
{
    const uint8_t       *kind;
    stockcert_reader_t   r;

    r.p = p;
    r.end = p + len;

    kind = stockcert_read(&r, 1);

    entry->time = stockcert_read64(&r);
    entry->number = stockcert_read64(&r);
    entry->shares = stockcert_read64(&r);

    stockcert_read_str(&r, &entry->code);
    stockcert_read_str(&r, &entry->text);
    stockcert_read_str(&r, &entry->key);

    entry->seal = stockcert_read(&r, STOCKCERT_SEAL_LEN);

    if (entry->seal == NULL || r.p != r.end
        || entry->code.len > STOCKCERT_CODE_MAX
        || stockcert_kind(*kind) == NULL)
    {
        return -1;
    }

    entry->kind = (stockcert_kind_e) *kind;

    return 0;
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
