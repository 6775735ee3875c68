
/*
 * The bytes of entries and headers, and their seals, against vectors that
 * other software made from the description in stockcert_entry.h.  The format
 * is on people's disks: a vector here never changes.
 */


#include "stockcert_entry.h"
#include "tap.h"


#define TIME  1763923558123456
#define STR(s)  { sizeof(s) - 1, s }


typedef struct {
    const char         *name;
    stockcert_entry_t   entry;
    const char         *bytes;
    const char         *seal;
} vector_t;


static void test_integers(void);
static void test_seal(void);
static void test_header(void);
static void test_header_refused(void);
static void test_vectors(void);
static void test_limits(void);
static void test_truncated(void);
static void test_refused(void);
static void check_entry(const stockcert_entry_t *got,
    const stockcert_entry_t *expected, const char *name);
static size_t unhex(const char *hex, uint8_t *p);


static const char  header_bytes[] =
    "73746f636b6365727400000001000644477517c7c014496d706f737369626c65"
    "204375747320496e632e";

static const char  header_seal[] =
    "917ab26d5fa28d78460da8a0520de5eb6d7086d21afb3e642f813470addb2885";


/* one journal after the header above: each seal follows from the one before */

static const vector_t  vectors[] = {

    { "class opened",
      { 1, STOCKCERT_CLASS_OPENED, TIME + 1, 0, 2600000, STR("CS"),
        STR("Common Stock"), STR(""), NULL },
      "01000644477517c7c10000000000000000000000000027ac400243530c436f6d"
      "6d6f6e2053746f636b00",
      "81e842ca24cfc3669c06848c1a5cfab155cce20abee8f016e24142f49ca7e4a9" },

    { "certificate issued",
      { 2, STOCKCERT_CERTIFICATE_ISSUED, TIME + 2, 1, 10, STR("CS"),
        STR("Salt Bae"), STR(""), NULL },
      "02000644477517c7c20000000000000001000000000000000a0243530853616c"
      "742042616500",
      "1adcdee26386d43fab1e3e18dc9b38197bf351364a5b53602c89f796e7c0bfd5" },

    { "certificate issued with a key",
      { 3, STOCKCERT_CERTIFICATE_ISSUED, TIME + 3, 0xfedcba9876543210,
        STOCKCERT_SHARES_MAX, STR("ABCDEFG8"),
        STR("Zo\xc3\xab \xe6\xa0\xaa \xf0\x9f\x90\x9f"), STR("k-1"), NULL },
      "02000644477517c7c3fedcba9876543210001fffffffffffff08414243444546"
      "47380d5a6fc3ab20e6a0aa20f09f909f036b2d31",
      "a7dfcde2c219f0182f1b12b4114b67e283671fd98f5cbd6ae5cd1a64f556ce25" },

    { "class amended",
      { 4, STOCKCERT_CLASS_AMENDED, TIME + 4, 0, 3000000, STR("CS"),
        STR("Resolution 7"), STR(""), NULL },
      "03000644477517c7c4000000000000000000000000002dc6c00243530c526573"
      "6f6c7574696f6e203700",
      "f476275d0bf61de2a8ec398cb9564c08b28edfc6f56f089d55f0f9d170521dfc" },

    { "certificate cancelled, at the end of time",
      { 5, STOCKCERT_CERTIFICATE_CANCELLED, UINT64_MAX, 1, 0, STR("CS"),
        STR("in error"), STR(""), NULL },
      "04ffffffffffffffff0000000000000001000000000000000002435308696e20"
      "6572726f7200",
      "d762aef0bd2a4395d6a51b2134c9bf77d67168af736a14256f3584df91e90cea" }
};

#define NVECTORS  (sizeof(vectors) / sizeof(vectors[0]))


int
main(void)
{
    test_integers();
    test_seal();
    test_header();
    test_header_refused();
    test_vectors();
    test_limits();
    test_truncated();
    test_refused();

    return tap_done();
}


static void
test_integers(void)
{
    uint8_t  p[10];

    memset(p, 0xaa, sizeof(p));

    stockcert_put64(p + 1, 0x0123456789abcdef);
    is_mem(p, 10, "\xaa\x01\x23\x45\x67\x89\xab\xcd\xef\xaa", 10,
           "put64 writes eight bytes, the highest first");

    is_int(stockcert_get64(p + 1), 0x0123456789abcdef, "get64 reads them");

    stockcert_put64(p, UINT64_MAX);
    ok(stockcert_get64(p) == UINT64_MAX, "the greatest integer");
}


static void
test_seal(void)
{
    uint8_t              seal[STOCKCERT_SEAL_LEN], expected[STOCKCERT_SEAL_LEN];
    stockcert_sealer_t  *sealer;

    sealer = stockcert_sealer_create();

    if (sealer == NULL) {
        tap_bail_out("no SHA-256");
    }

    /* FIPS 180-4's own examples: without a seal before it is plain SHA-256 */

    unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          expected);
    is_int(stockcert_seal(sealer, NULL, (const uint8_t *) "abc", 3, seal), 0,
           "a seal of three bytes");
    is_mem(seal, sizeof(seal), expected, sizeof(expected), "which is SHA-256");

    unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          expected);
    is_int(stockcert_seal(sealer, NULL, (const uint8_t *) "", 0, seal), 0,
           "a seal of no bytes, with the same sealer");
    is_mem(seal, sizeof(seal), expected, sizeof(expected), "which is SHA-256");

    stockcert_sealer_destroy(sealer);
    stockcert_sealer_destroy(NULL);
}


static void
test_header(void)
{
    char                 name[STOCKCERT_TEXT_MAX];
    size_t               len;
    uint8_t              p[STOCKCERT_HEADER_MAX], bytes[STOCKCERT_HEADER_MAX];
    stockcert_header_t   header, decoded;

    header.format = STOCKCERT_FORMAT;
    header.created = TIME;
    header.company.data = "Impossible Cuts Inc.";
    header.company.len = 20;

    len = stockcert_header_encode(&header, p);
    is_mem(p, len, bytes, unhex(header_bytes, bytes), "header: encoded");

    memset(&decoded, 0, sizeof(stockcert_header_t));
    is_int(stockcert_header_decode(p, len, &decoded), 0, "header: decoded");
    is_int(decoded.format, 1, "header: format");
    is_int(decoded.created, TIME, "header: created");
    is_mem(decoded.company.data, decoded.company.len, "Impossible Cuts Inc.",
           20, "header: company");

    memset(name, 'x', sizeof(name));
    header.company.data = name;
    header.company.len = sizeof(name);

    len = stockcert_header_encode(&header, p);
    is_int(len, STOCKCERT_HEADER_MAX, "header: 255 bytes of name fill it");
    is_int(stockcert_header_decode(p, len, &decoded), 0,
           "header: 255 bytes of name, decoded");
    is_mem(decoded.company.data, decoded.company.len, name, sizeof(name),
           "header: 255 bytes of name, the same");
}


static void
test_header_refused(void)
{
    size_t               len, i, taken;
    uint8_t              p[STOCKCERT_HEADER_MAX + 1];
    stockcert_header_t   header;

    memset(p, 0, sizeof(p));
    len = unhex(header_bytes, p);

    for (i = 0, taken = 0; i < len; i++) {
        taken += stockcert_header_decode(p, i, &header) == 0;
    }

    is_int(taken, 0, "header: each of %zu truncations is refused", len);

    is_int(stockcert_header_decode(p, len + 1, &header), -1,
           "header: a byte left over");

    p[0] = 'S';
    is_int(stockcert_header_decode(p, len, &header), -1, "header: no magic");
    p[0] = 's';

    p[9] = 0x01;
    p[12] = 0x04;
    is_int(stockcert_header_decode(p, len, &header), 0,
           "header: another version is one");
    is_int(header.format, 0x01000004, "header: and its version is read");
    is_int(stockcert_header_decode(p, 13, &header), 0,
           "header: whatever follows");
}


static void
test_vectors(void)
{
    size_t               i, len;
    uint8_t              p[STOCKCERT_ENTRY_MAX], bytes[STOCKCERT_ENTRY_MAX];
    uint8_t              seal[STOCKCERT_SEAL_LEN], expected[STOCKCERT_SEAL_LEN];
    const vector_t      *v;
    stockcert_entry_t    entry;
    stockcert_sealer_t  *sealer;

    sealer = stockcert_sealer_create();

    len = unhex(header_bytes, bytes);
    unhex(header_seal, expected);

    is_int(stockcert_seal(sealer, NULL, bytes, len, seal), 0, "header: sealed");
    is_mem(seal, sizeof(seal), expected, sizeof(expected), "header: seal");

    for (i = 0; i < NVECTORS; i++) {
        v = &vectors[i];

        len = stockcert_entry_encode(&v->entry, p);
        is_mem(p, len, bytes, unhex(v->bytes, bytes), "%s: encoded", v->name);

        /* over the seal before, in the same memory */

        is_int(stockcert_seal(sealer, seal, p, len, seal), 0, "%s: sealed",
               v->name);
        unhex(v->seal, expected);
        is_mem(seal, sizeof(seal), expected, sizeof(expected), "%s: seal",
               v->name);

        memcpy(p + len, seal, STOCKCERT_SEAL_LEN);

        entry.position = 77;
        is_int(stockcert_entry_decode(p, len + STOCKCERT_SEAL_LEN, &entry), 0,
               "%s: decoded", v->name);
        is_int(entry.position, 77, "%s: position stays as it is", v->name);
        ok(entry.seal == p + len, "%s: seal found", v->name);
        check_entry(&entry, &v->entry, v->name);
    }

    stockcert_sealer_destroy(sealer);
}


/* every length of every string at both ends of its range, with each other */

static void
test_limits(void)
{
    char               text[STOCKCERT_TEXT_MAX];
    size_t             i, len;
    uint8_t            p[STOCKCERT_ENTRY_MAX];
    stockcert_entry_t  entry, decoded;

    memset(text, 0xff, sizeof(text));
    memset(&entry, 0, sizeof(stockcert_entry_t));
    memset(&decoded, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
    entry.time = UINT64_MAX;
    entry.number = UINT64_MAX;
    entry.shares = UINT64_MAX;
    entry.code.data = text;
    entry.text.data = text;
    entry.key.data = text;

    for (i = 0; i < 8; i++) {
        entry.code.len = i & 1 ? STOCKCERT_CODE_MAX : 0;
        entry.text.len = i & 2 ? STOCKCERT_TEXT_MAX : 0;
        entry.key.len = i & 4 ? STOCKCERT_TEXT_MAX : 0;

        len = stockcert_entry_encode(&entry, p);
        is_int(len, 28 + entry.code.len + entry.text.len + entry.key.len,
               "limits %zu: length", i);

        memset(p + len, 0x5a, STOCKCERT_SEAL_LEN);
        len += STOCKCERT_SEAL_LEN;

        is_int(stockcert_entry_decode(p, len, &decoded), 0,
               "limits %zu: decoded", i);
        check_entry(&decoded, &entry, "limits");
    }

    is_int(len, STOCKCERT_ENTRY_MAX, "the longest entry has the most bytes");
}


static void
test_truncated(void)
{
    size_t              i, n, len, taken;
    uint8_t             p[STOCKCERT_ENTRY_MAX + 1], *copy;
    stockcert_entry_t   entry;

    for (i = 0; i < NVECTORS; i++) {
        memset(p, 0, sizeof(p));
        len = unhex(vectors[i].bytes, p) + STOCKCERT_SEAL_LEN;

        for (n = 0, taken = 0; n < len; n++) {

            /* memory of just this length, for tools that watch its end */

            copy = malloc(n ? n : 1);
            memcpy(copy, p, n);
            taken += stockcert_entry_decode(copy, n, &entry) == 0;
            free(copy);
        }

        is_int(taken, 0, "%s: each of %zu truncations is refused",
               vectors[i].name, len);
        is_int(stockcert_entry_decode(p, len, &entry), 0, "%s: all is not",
               vectors[i].name);
        is_int(stockcert_entry_decode(p, len + 1, &entry), -1,
               "%s: a byte left over", vectors[i].name);
    }
}


/* what is wrong in one byte of "certificate issued" */

static void
test_refused(void)
{
    size_t              i, len;
    uint8_t             p[STOCKCERT_ENTRY_MAX], byte;
    stockcert_entry_t   entry;

    static const struct {
        const char     *name;
        size_t          offset;
        uint8_t         byte;
    } cases[] = {
        { "kind 0",                      0, 0 },
        { "kind 5",                      0, 5 },
        { "kind 255",                    0, 255 },
        { "a code one byte shorter",    25, 1 },
        { "a code one byte longer",     25, 3 },
        { "a code of 9 bytes",          25, 9 },
        { "a code of 255 bytes",        25, 255 },
        { "a text one byte shorter",    28, 7 },
        { "a text one byte longer",     28, 9 },
        { "a text of 255 bytes",        28, 255 },
        { "a key that is not there",    37, 1 },
        { "a key of 33 bytes, all there is", 37, 33 },
        { "a key of 255 bytes",         37, 255 }
    };

    memset(p, 0, sizeof(p));
    len = unhex(vectors[1].bytes, p) + STOCKCERT_SEAL_LEN;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        byte = p[cases[i].offset];
        p[cases[i].offset] = cases[i].byte;

        is_int(stockcert_entry_decode(p, len, &entry), -1, "%s is refused",
               cases[i].name);

        p[cases[i].offset] = byte;
    }

    is_int(stockcert_entry_decode(p, len, &entry), 0, "what is right is not");

    /* code, text and key all fit, the code is just too long */

    memset(p, 0, sizeof(p));
    p[0] = STOCKCERT_CERTIFICATE_ISSUED;

    p[25] = 9;
    is_int(stockcert_entry_decode(p, 28 + 9 + STOCKCERT_SEAL_LEN, &entry), -1,
           "a code of 9 bytes that fits is refused");

    p[25] = 8;
    is_int(stockcert_entry_decode(p, 28 + 8 + STOCKCERT_SEAL_LEN, &entry), 0,
           "a code of 8 bytes is not");
}


static void
check_entry(const stockcert_entry_t *got, const stockcert_entry_t *expected,
    const char *name)
{
    is_int(got->kind, expected->kind, "%s: kind", name);
    is_int(got->time, expected->time, "%s: time", name);
    is_int(got->number, expected->number, "%s: number", name);
    is_int(got->shares, expected->shares, "%s: shares", name);
    is_mem(got->code.data, got->code.len, expected->code.data,
           expected->code.len, "%s: code", name);
    is_mem(got->text.data, got->text.len, expected->text.data,
           expected->text.len, "%s: text", name);
    is_mem(got->key.data, got->key.len, expected->key.data, expected->key.len,
           "%s: key", name);
}


static size_t
unhex(const char *hex, uint8_t *p)
{
    size_t    n;
    unsigned  byte;

    for (n = 0; hex[2 * n] != '\0'; n++) {
        if (sscanf(hex + 2 * n, "%2x", &byte) != 1) {
            tap_bail_out("\"%s\" is not hexadecimal", hex);
        }

        p[n] = (uint8_t) byte;
    }

    return n;
}
