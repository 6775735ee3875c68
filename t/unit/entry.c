
/*
 * The bytes of entries and headers, and their seals, against vectors that
 * other software made from the description in stockcert_entry.h.  The format
 * is on people's disks: a vector here never changes.
 */


#include "stockcert_entry.h"
#include "tap.h"


#define TIME  1763923558123456
#define STR(s)  { sizeof(s) - 1, s }

#define HASH                                                                  \
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"        \
    "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"


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
static void test_lengths(void);
static void test_longest(void);
static void test_truncated(void);
static void test_refused(void);
static void test_order(void);
static void test_fields(void);
static void check_entry(const stockcert_entry_t *got,
    const stockcert_entry_t *expected, const char *name);
static int decode(const char *fields, size_t len, stockcert_entry_t *entry);
static size_t unhex(const char *hex, uint8_t *p);


static const char  header_bytes[] =
    "73746f636b6365727400000002000644477517c7c014496d706f737369626c65"
    "204375747320496e632e";

static const char  header_seal[] =
    "2d2522877742a82a3a3c7804c4991ec9ce43574959adb2d2bd8d9004d9a4e4a0";


/* one journal after the header above: each seal follows from the one before */

static const vector_t  vectors[] = {

    { "class opened",
      { .kind = STOCKCERT_CLASS_OPENED, .time = TIME + 1, .code = STR("CS"),
        .shares = 2600000, .title = STR("Common Stock"),
        .nonce = STR("\x00\x01\x02\x03\x04\x05\x06\x07"),
        .actor = STR("uid:0") },
      "01000644477517c7c101024353030327ac40050c436f6d6d6f6e2053746f636b"
      "0708000102030405060716057569643a30",
      "d24753e0583d203218a4dae1c8cec80adc7a40e938e7ad078d01586d4e375be6" },

    { "certificate issued",
      { .kind = STOCKCERT_CERTIFICATE_ISSUED, .time = TIME + 2,
        .code = STR("CS"), .number = 1, .shares = 10, .name = STR("Salt Bae") },
      "02000644477517c7c20102435302010103010a040853616c7420426165",
      "8829a40c9b84aabe18a1e228644bf94ae25bbd0a3bff4645b1a26ba72747389b" },

    { "certificate issued, all that it may say",
      { .kind = STOCKCERT_CERTIFICATE_ISSUED, .time = TIME + 3,
        .code = STR("ABCDEFG8"), .number = STOCKCERT_SHARES_MAX,
        .shares = STOCKCERT_SHARES_MAX,
        .name = STR("Zo\xc3\xab \xe6\xa0\xaa \xf0\x9f\x90\x9f"),
        .key = STR("k-1"), .nonce = STR("\xff\xff\xff\xff\xff\xff\xff\xff"),
        .holder_id = STR("H-1"), .address = STR("1 Main St, Dover"),
        .capacity = STR("custodian for A"), .price = STR("0.0001 USD"),
        .effective = STR("2025-11-24"), .reference = STR("Resolution 7"),
        .actor = STR("CN=a") },
      "02000644477517c7c30108414243444546473802071fffffffffffff03071fff"
      "ffffffffff040d5a6fc3ab20e6a0aa20f09f909f06036b2d310708ffffffffff"
      "ffffff1003482d31111031204d61696e2053742c20446f766572120f63757374"
      "6f6469616e20666f722041130a302e3030303120555344140a323032352d3131"
      "2d3234150c5265736f6c7574696f6e20371604434e3d61",
      "414902437b6c1a098ae3ec3e2d266fd7d262508ca2bdc1e366040074365fc40a" },

    { "class amended",
      { .kind = STOCKCERT_CLASS_AMENDED, .time = TIME + 4, .code = STR("CS"),
        .shares = 3000000, .reference = STR("Resolution 8") },
      "03000644477517c7c40102435303032dc6c0150c5265736f6c7574696f6e2038",
      "eb3d776945f94fe23327e924a5a1bbc27425426680b9329bc6b95b5e3efb9b28" },

    { "first of a transaction",
      { .kind = STOCKCERT_CERTIFICATE_SURRENDERED, .time = TIME + 5,
        .code = STR("CS"), .number = 1, .shares = 10, .key = STR("k-2"),
        .nonce = STR("NONCE678"), .type = 2, .reason = 6, .member = 1,
        .surrenders = 2, .issues = 101, .request = STR(HASH),
        .effective = STR("2025-11-23"), .reference = STR("Deed 7"),
        .actor = STR("CN=b") },
      "04000644477517c7c50102435302010103010a06036b2d3207084e4f4e434536"
      "37380801020901060a01010b01020c01650f20000102030405060708090a0b0c"
      "0d0e0f101112131415161718191a1b1c1d1e1f140a323032352d31312d323315"
      "064465656420371604434e3d62",
      "5a4622f17693085d53981a6df777e8a14a943610f2279eafe00e7b79eb4807f4" },

    { "second of it",
      { .kind = STOCKCERT_CERTIFICATE_SURRENDERED, .time = TIME + 5,
        .code = STR("CS"), .number = 256, .shares = 255, .member = 2 },
      "04000644477517c7c501024353020201000301ff0a0102",
      "05d067890e47fd4d64ab235f5244b98d189a3c2a93de5f040223319d0b989fe8" },

    { "last of it",
      { .kind = STOCKCERT_CERTIFICATE_ISSUED, .time = TIME + 5,
        .code = STR("CS"), .number = 257, .shares = 265,
        .name = STR("Salt Bae"), .member = 3, .balance = 1,
        .holder_id = STR("H") },
      "02000644477517c7c5010243530202010103020109040853616c74204261650a"
      "01030d0101100148",
      "135bfd71687aa2b8b729e2d6f48604fd1dc5e39acb9c4ab813ecc258c87455fe" },

    { "first of a correction",
      { .kind = STOCKCERT_CERTIFICATE_SURRENDERED, .time = TIME + 6,
        .code = STR("CS"), .number = 257, .shares = 265, .type = 5,
        .member = 1, .surrenders = 1, .corrects = 65536,
        .reference = STR("Wrong holder") },
      "04000644477517c7c60102435302020101030201090801050a01010b01010e03"
      "010000150c57726f6e6720686f6c646572",
      "79a576550d8cf569b1f3a1a5a81145f57195943b3d074753c3c91fa4b8d9cff4" },

    { "holder changed, at the end of time",
      { .kind = STOCKCERT_HOLDER_CHANGED, .time = STOCKCERT_TIME_MAX,
        .code = STR("CS"), .number = 257, .holder_id = STR("H-2"),
        .address = STR("2 Main St"), .reference = STR("Letter") },
      "050384440ccc735fff01024353020201011003482d32110932204d61696e2053"
      "7415064c6574746572",
      "33a95d4fd7fd25c14e357d3de707e28ee2ee983a3c110ab91f6acbca1f97065d" }
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
    test_lengths();
    test_longest();
    test_truncated();
    test_refused();
    test_order();
    test_fields();

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
    is_int(decoded.format, 2, "header: format");
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
    const char          *field;
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

        ok(stockcert_entry_fault(&entry, &field) == NULL, "%s: is without "
           "fault", v->name);
    }

    stockcert_sealer_destroy(sealer);
}


/* an integer of each length, at both ends: as many bytes as it has */

static void
test_lengths(void)
{
    size_t             n, len;
    uint8_t            p[STOCKCERT_ENTRY_MAX];
    unsigned           end;
    uint64_t           value;
    stockcert_entry_t  entry, decoded;

    memset(&entry, 0, sizeof(stockcert_entry_t));
    entry.kind = STOCKCERT_CLASS_AMENDED;

    for (n = 1; n <= 8; n++) {
        for (end = 0; end < 2; end++) {
            value = (uint64_t) 1 << 8 * (n - 1);

            if (end) {
                value = n == 8 ? UINT64_MAX : (value << 8) - 1;
            }

            entry.shares = value;

            len = stockcert_entry_encode(&entry, p);
            is_int(len, 9 + 2 + n, "lengths: %zu bytes of %llx", n,
                   (unsigned long long) value);
            is_int(p[9], 3, "lengths: behind the tag");
            is_int(p[10], n, "lengths: and the length");
            is_int(p[11], end ? 0xff : 1, "lengths: the highest first");

            memset(p + len, 0x5a, STOCKCERT_SEAL_LEN);
            is_int(stockcert_entry_decode(p, len + STOCKCERT_SEAL_LEN,
                                          &decoded),
                   0, "lengths: decoded");
            ok(decoded.shares == value, "lengths: the same");
        }
    }
}


/* an issued certificate may say the most: all of it, as long as it may be */

static void
test_longest(void)
{
    char               text[STOCKCERT_TEXT_MAX];
    size_t             len;
    uint8_t            p[STOCKCERT_ENTRY_MAX];
    unsigned           tag;
    stockcert_str_t   *str;
    stockcert_entry_t  entry, decoded;

    const stockcert_kind_t  *kind;

    memset(text, 'x', sizeof(text));
    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
    entry.time = UINT64_MAX;

    kind = stockcert_kind(STOCKCERT_CERTIFICATE_ISSUED);

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {

        if (((kind->must|kind->may) >> tag & 1) == 0) {
            continue;
        }

        if (stockcert_field_is_integer(stockcert_field(tag))) {
            *stockcert_entry_integer(&entry, stockcert_field(tag))
                = STOCKCERT_SHARES_MAX;
            continue;
        }

        str = stockcert_entry_string(&entry, stockcert_field(tag));
        str->data = text;
        str->len = STOCKCERT_TEXT_MAX;
    }

    entry.code.len = STOCKCERT_CODE_MAX;
    entry.nonce.len = STOCKCERT_NONCE_LEN;
    entry.holder_id.len = 64;
    entry.price.len = 30;
    entry.effective.len = 10;

    len = stockcert_entry_encode(&entry, p);
    is_int(len, 9 + 4 * (2 + 7) + 6 * (2 + 255) + (2 + 8) + (2 + 8) + (2 + 64)
                + (2 + 30) + (2 + 10), "longest: length");
    ok(len + STOCKCERT_SEAL_LEN <= STOCKCERT_ENTRY_MAX, "longest: there is room"
       " for it and its seal");

    memset(p + len, 0x5a, STOCKCERT_SEAL_LEN);
    is_int(stockcert_entry_decode(p, len + STOCKCERT_SEAL_LEN, &decoded), 0,
           "longest: decoded");
    check_entry(&decoded, &entry, "longest");
}


/* what ends between two fields is an entry still, of fewer; of all else none */

static void
test_truncated(void)
{
    size_t              i, n, end, len, wrong;
    uint8_t             p[STOCKCERT_ENTRY_MAX + 1], *copy;
    stockcert_entry_t   entry;

    for (i = 0; i < NVECTORS; i++) {
        memset(p, 0, sizeof(p));
        len = unhex(vectors[i].bytes, p);

        for (n = 0, end = 9, wrong = 0; n < len; n++) {

            if (n > end) {
                end += 2 + p[end + 1];
            }

            /* memory of just this length, for tools that watch its end */

            copy = malloc(n + STOCKCERT_SEAL_LEN);
            memcpy(copy, p, n);
            memset(copy + n, 0x5a, STOCKCERT_SEAL_LEN);

            wrong += (stockcert_entry_decode(copy, n + STOCKCERT_SEAL_LEN,
                                             &entry)
                      == 0) != (n == end);
            free(copy);
        }

        is_int(wrong, 0, "%s: each of %zu truncations", vectors[i].name, len);
    }

    for (n = 0, wrong = 0; n < 9 + STOCKCERT_SEAL_LEN; n++) {
        copy = malloc(n ? n : 1);
        memset(copy, 1, n);
        wrong += stockcert_entry_decode(copy, n, &entry) != -1;
        free(copy);
    }

    is_int(wrong, 0, "nothing without kind, time and seal is an entry");
}


static void
test_refused(void)
{
    size_t              i;
    uint8_t             p[9 + STOCKCERT_SEAL_LEN];
    unsigned            kind, taken;
    stockcert_entry_t   entry;

#define FIELDS(name, bytes, rc)  { name, bytes, sizeof(bytes) - 1, rc }

    static const struct {
        const char     *name;
        const char     *bytes;
        size_t          len;
        int             rc;
    } cases[] = {
        FIELDS("no field",                   "", 0),
        FIELDS("a string",                   "\x01\x02" "CS", 0),
        FIELDS("an integer",                 "\x03\x01\x0a", 0),
        FIELDS("the last tag",               "\x16\x01" "a", 0),
        FIELDS("tag 0",                      "\x00\x01" "a", -1),
        FIELDS("tag 23",                     "\x17\x01" "a", -1),
        FIELDS("tag 32",                     "\x20\x01" "a", -1),
        FIELDS("tag 33, of which a bit is tag 1", "\x21\x02" "CS", -1),
        FIELDS("tag 255",                    "\xff\x01" "a", -1),
        FIELDS("a tag alone",                "\x01", -1),
        FIELDS("a tag twice",                "\x01\x02" "CS" "\x01\x02" "CS",
                                             -1),
        FIELDS("a tag twice, other values",  "\x03\x01\x0a\x03\x01\x0b", -1),
        FIELDS("tags that descend",          "\x03\x01\x0a\x01\x02" "CS", -1),
        FIELDS("an empty string",            "\x01\x00", -1),
        FIELDS("an empty string first",      "\x01\x00\x03\x01\x0a", -1),
        FIELDS("an empty integer",           "\x03\x00", -1),
        FIELDS("an integer 0",               "\x03\x01\x00", -1),
        FIELDS("a zero before an integer",   "\x03\x02\x00\x0a", -1),
        FIELDS("an integer of 8 bytes",      "\x03\x08\x01\0\0\0\0\0\0\0", 0),
        FIELDS("a zero before 7 bytes",      "\x03\x08\0\x01\0\0\0\0\0\0", -1),
        FIELDS("an integer of 9 bytes",      "\x03\x09\x01\0\0\0\0\0\0\0\0",
                                             -1),
        FIELDS("a zero before 8 bytes",      "\x03\x09\0\x01\0\0\0\0\0\0\0",
                                             -1),
        FIELDS("a length one too great",     "\x01\x03" "CS", -1),
        FIELDS("a length one too small",     "\x01\x01" "CS", -1),
        FIELDS("a length up to the seal's end", "\x01\x22" "CS", -1),
        FIELDS("a length of 255",            "\x01\xff" "CS", -1),
        FIELDS("a byte left over",           "\x01\x02" "CS" "\x02", -1),
        FIELDS("a NUL in a string, which a fault is for", "\x01\x02" "C\0", 0)
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(decode(cases[i].bytes, cases[i].len, &entry), cases[i].rc,
               "fields: %s", cases[i].name);
    }

    memset(p, 0, sizeof(p));

    for (kind = 0, taken = 0; kind <= 0xff; kind++) {
        p[0] = (uint8_t) kind;

        if (stockcert_entry_decode(p, sizeof(p), &entry) == 0) {
            taken++;
            ok(kind >= 1 && kind <= 5, "kind %u is one", kind);
        }
    }

    is_int(taken, 5, "no other is");
}


/* each two tags, one behind the other */

static void
test_order(void)
{
    char               fields[6];
    size_t             wrong;
    unsigned           one, two;
    stockcert_entry_t  entry;

    wrong = 0;

    for (one = 1; one <= 22; one++) {
        for (two = 1; two <= 22; two++) {
            fields[0] = (char) one;
            fields[1] = 1;
            fields[2] = 1;
            fields[3] = (char) two;
            fields[4] = 1;
            fields[5] = 1;

            wrong += (decode(fields, 6, &entry) == 0) != (one < two);
        }
    }

    is_int(wrong, 0, "fields are in order");
}


/* fields alone, from one tag on */

static void
test_fields(void)
{
    size_t             len;
    uint8_t            p[STOCKCERT_ENTRY_MAX];
    stockcert_entry_t  entry;

    memset(&entry, 0, sizeof(stockcert_entry_t));
    entry.shares = 10;
    entry.holder_id.data = "H";
    entry.holder_id.len = 1;
    entry.actor.data = "me";
    entry.actor.len = 2;

    len = stockcert_entry_put_fields(&entry, STOCKCERT_FIELD_CLASS, p);
    is_mem(p, len, "\x03\x01\x0a\x10\x01H\x16\x02me", 10, "fields: all");

    len = stockcert_entry_put_fields(&entry, STOCKCERT_FIELD_HOLDER_ID, p);
    is_mem(p, len, "\x10\x01H\x16\x02me", 7, "fields: from one on");

    len = stockcert_entry_put_fields(&entry, STOCKCERT_FIELD_ADDRESS, p);
    is_mem(p, len, "\x16\x02me", 4, "fields: from the next");

    memset(&entry, 0, sizeof(stockcert_entry_t));
    entry.shares = 11;
    entry.holder_id.len = 9;

    is_int(stockcert_entry_read_fields((const uint8_t *) "\x16\x02me", 4,
                                       STOCKCERT_FIELD_REQUEST, &entry),
           0, "fields: read");
    is_mem(entry.actor.data, entry.actor.len, "me", 2, "fields: one is set");
    ok(entry.shares == 11 && entry.holder_id.len == 9,
       "fields: others stay as they are");

    is_int(stockcert_entry_read_fields((const uint8_t *) "\x10\x01H", 3,
                                       STOCKCERT_FIELD_REQUEST, &entry),
           0, "fields: the tag behind");
    is_int(stockcert_entry_read_fields((const uint8_t *) "\x0f\x01H", 3,
                                       STOCKCERT_FIELD_REQUEST, &entry),
           -1, "fields: the tag itself");
    is_int(stockcert_entry_read_fields((const uint8_t *) "\x03\x01\x0a", 3,
                                       STOCKCERT_FIELD_REQUEST, &entry),
           -1, "fields: one before");
    is_int(stockcert_entry_read_fields((const uint8_t *) "", 0,
                                       STOCKCERT_FIELD_REQUEST, &entry),
           0, "fields: none");
}


static void
check_entry(const stockcert_entry_t *got, const stockcert_entry_t *expected,
    const char *name)
{
#define INTEGER(field)                                                        \
    ok(got->field == expected->field, "%s: " #field, name)
#define STRING(field)                                                         \
    is_mem(got->field.data, got->field.len, expected->field.data,             \
           expected->field.len, "%s: " #field, name)

    INTEGER(kind);
    INTEGER(time);
    STRING(code);
    INTEGER(number);
    INTEGER(shares);
    STRING(name);
    STRING(title);
    STRING(key);
    STRING(nonce);
    INTEGER(type);
    INTEGER(reason);
    INTEGER(member);
    INTEGER(surrenders);
    INTEGER(issues);
    INTEGER(balance);
    INTEGER(corrects);
    STRING(request);
    STRING(holder_id);
    STRING(address);
    STRING(capacity);
    STRING(price);
    STRING(effective);
    STRING(reference);
    STRING(actor);
}


/* an entry of these fields, in memory that ends with it */

static int
decode(const char *fields, size_t len, stockcert_entry_t *entry)
{
    int       rc;
    uint8_t  *p;

    p = calloc(1, 9 + len + STOCKCERT_SEAL_LEN);
    p[0] = STOCKCERT_CLASS_OPENED;
    memcpy(p + 9, fields, len);

    rc = stockcert_entry_decode(p, 9 + len + STOCKCERT_SEAL_LEN, entry);

    free(p);

    return rc;
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
