
/*
 * Idempotency keys.  A client gives a request such a name.  It can then send
 * the request again, without being served twice (IETF
 * draft-ietf-httpapi-idempotency-key-header).
 */


#ifndef STOCKCERT_KEY_H
#define STOCKCERT_KEY_H


#include <stddef.h>
#include <stdint.h>


#define STOCKCERT_KEY_MAX  255     /* bytes */


/*
 * Reads a key from the len bytes of a header's value at text, without white
 * space around it.  The value is a String of RFC 8941, section 3.3.3, in
 * quotes, or the key as it is.  Both are the same key.  A key is 1 to
 * STOCKCERT_KEY_MAX printable ASCII characters (0x20 to 0x7e).
 *
 * Returns NULL, with the key at key, which has room for STOCKCERT_KEY_MAX
 * bytes, and its length in *key_len.  Otherwise it returns what the value must
 * be, as the end of a sentence.
 *
 * stockcert_key_fault() checks the len bytes of a key as it is.  Any thread may
 * call both.
 */

const char *stockcert_key_fault(const char *key, size_t len);
const char *stockcert_key_parse(const char *text, size_t len, char *key,
    uint8_t *key_len);


#endif /* STOCKCERT_KEY_H */
