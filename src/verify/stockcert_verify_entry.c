
/*
 * Reads entries as they lie in the map, computes hashes, and words faults, for
 * the other files of this folder.
 *
 * It touches the map and libcrypto only.
 */


#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "stockcert_verify_int.h"


int
stockcert_verify_entry(stockcert_verify_t *v, uint64_t position,
    stockcert_entry_t *entry, stockcert_bytes_t *sealed)
{
    uint8_t            key[8];
    stockcert_bytes_t  value;

    stockcert_put64(key, position);

    stockcert_mdb_find(v->mdb, &v->journal, key, sizeof(key), &value);

    if (value.data == NULL) {
        return stockcert_verify_fault(v, "journal: expected entry %" PRIu64
                                      ", found none", position);
    }

    entry->position = position;

    if (stockcert_entry_decode(value.data, value.len, entry) != 0) {
        return stockcert_verify_fault(v, "entry %" PRIu64 ": expected the "
                                      "fields of an entry, found %zu bytes "
                                      "that are none", position, value.len);
    }

    if (sealed) {
        sealed->data = value.data;
        sealed->len = value.len - STOCKCERT_SEAL_LEN;
    }

    return 0;
}


int
stockcert_verify_hash(stockcert_verify_t *v, const stockcert_bytes_t *one,
    const stockcert_bytes_t *two, uint8_t *hash)
{
    if (EVP_DigestInit_ex2(v->ctx, v->md, NULL) != 1
        || EVP_DigestUpdate(v->ctx, one->data, one->len) != 1
        || (two && EVP_DigestUpdate(v->ctx, two->data, two->len) != 1)
        || EVP_DigestFinal_ex(v->ctx, hash, NULL) != 1)
    {
        v->mdb->failed = 1;
        return stockcert_verify_fault(v, "libcrypto cannot do SHA-256");
    }

    return 0;
}


int
stockcert_verify_fault(stockcert_verify_t *v, const char *fmt, ...)
{
    char     *p;
    va_list   args;

    va_start(args, fmt);
    vsnprintf(v->mdb->fault, sizeof(v->mdb->fault), fmt, args);
    va_end(args);

    /* names in a fault are quoted as they are in the file */

    for (p = v->mdb->fault; *p; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            *p = '?';
        }
    }

    return -1;
}
