
/*
 * Any bytes as a journal entry and as a ledger's header.  Only the layouts in
 * stockcert_entry.h decide which are accepted.  Accepted bytes encode to the
 * same bytes again.  Then an entry with fields from those bytes is encoded and
 * decoded.
 * What an entry without fault holds is checked, too.
 */


#include "stockcert_entry.h"
#include "stockcert_value.h"
#include "fuzz.h"


#define TAGS  22


/* tags of integers; a nonce, a hash and the rest are strings */

static const char  integers[] = "\2\3\10\11\12\13\14\15\16";


static void check_entry(const uint8_t *data, size_t len);
static int is_entry(const uint8_t *data, size_t len);
static void check_fields(const uint8_t *data, size_t len,
    stockcert_entry_t *entry);
static void check_fault(const stockcert_entry_t *entry);
static void check_header(const uint8_t *data, size_t len);
static void check_back(const uint8_t *data, size_t len);
static int is_integer(unsigned tag);
static size_t end_of(const uint8_t *data, size_t len, size_t at);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    check_entry(data, len);
    check_header(data, len);
    check_back(data, len);

    return 0;
}


static void
check_entry(const uint8_t *data, size_t len)
{
    int                rc;
    size_t             n;
    uint8_t            bytes[STOCKCERT_ENTRY_MAX + TAGS * 257];
    stockcert_entry_t  entry;

    memset(&entry, 0xaa, sizeof(entry));
    entry.position = 7;

    rc = stockcert_entry_decode(data, len, &entry);

    must(entry.position == 7);
    must((rc == 0) == is_entry(data, len));

    if (rc != 0) {
        must(rc == -1);
        return;
    }

    must(entry.kind == (stockcert_kind_e) data[0]);
    must(entry.time == stockcert_get64(data + 1));
    must(entry.seal == data + len - 32);

    check_fields(data, len, &entry);

    memset(bytes, 0xaa, sizeof(bytes));
    n = stockcert_entry_encode(&entry, bytes);

    must(n == len - STOCKCERT_SEAL_LEN);
    must(memcmp(bytes, data, n) == 0);

    check_fault(&entry);
}


static int
is_entry(const uint8_t *data, size_t len)
{
    size_t    at, n;
    unsigned  last;

    if (len < 9 + 32 || data[0] < 1 || data[0] > 5) {
        return 0;
    }

    len -= 32;
    last = 0;

    for (at = 9; at < len; at += 2 + n) {

        if (len - at < 2) {
            return 0;
        }

        n = data[at + 1];

        if (data[at] <= last || data[at] > TAGS || n == 0 || n > len - at - 2) {
            return 0;
        }

        last = data[at];

        if (is_integer(last) && (n > 8 || data[at + 2] == 0)) {
            return 0;
        }
    }

    return 1;
}


/* each field is as it is there, or empty */

static void
check_fields(const uint8_t *data, size_t len, stockcert_entry_t *entry)
{
    size_t                    at, i;
    uint64_t                  n;
    unsigned                  tag;
    stockcert_str_t          *str;
    const stockcert_field_t  *field;

    at = 9;

    for (tag = 1; tag <= TAGS; tag++) {
        field = stockcert_field(tag);

        if (at == len - 32 || data[at] != tag) {
            must(is_integer(tag) ? *stockcert_entry_integer(entry, field) == 0
                                 : stockcert_entry_string(entry, field)->len
                                   == 0);
            continue;
        }

        if (is_integer(tag)) {

            for (i = 0, n = 0; i < data[at + 1]; i++) {
                n = n << 8 | data[at + 2 + i];
            }

            must(*stockcert_entry_integer(entry, field) == n);

        } else {
            str = stockcert_entry_string(entry, field);
            must(str->data == (const char *) data + at + 2);
            must(str->len == data[at + 1]);
        }

        at += 2 + data[at + 1];
    }

    must(at == len - 32);
}


static void
check_fault(const stockcert_entry_t *entry)
{
    uint8_t      bytes[STOCKCERT_ENTRY_MAX];
    const char  *fault, *field;

    fault = stockcert_entry_fault(entry, &field);

    if (fault) {
        must(field[0] != '\0' && fault[0] != '\0');
        return;
    }

    /* it has room, and all that whoever reads it relies on */

    must(stockcert_entry_encode(entry, bytes) + 32 <= STOCKCERT_ENTRY_MAX);

    must(entry->time <= STOCKCERT_TIME_MAX);
    must(entry->code.len >= 1 && entry->code.len <= STOCKCERT_CODE_MAX);
    must(entry->shares <= STOCKCERT_SHARES_MAX);
    must(entry->number <= STOCKCERT_SHARES_MAX);
    must(entry->type == 0 || stockcert_transaction(entry->type));
    must(entry->surrenders <= STOCKCERT_FROM_MAX);
    must(entry->issues <= STOCKCERT_TO_MAX + 1);
    must(entry->balance <= 1);
    must(entry->request.len == 0 || entry->request.len == 32);
    must(entry->nonce.len == 0 || entry->nonce.len == 8);
    must(entry->holder_id.len <= STOCKCERT_HOLDER_MAX);
    must(entry->price.len <= STOCKCERT_PRICE_MAX);
    must(entry->effective.len == 0 || entry->effective.len == 10);
    must((entry->kind == STOCKCERT_CERTIFICATE_ISSUED) == (entry->name.len != 0));
    must((entry->type != 0) == (entry->member == 1
                                && entry->kind
                                   == STOCKCERT_CERTIFICATE_SURRENDERED));
}


static void
check_header(const uint8_t *data, size_t len)
{
    int                 rc, ours, format;
    uint8_t             bytes[STOCKCERT_HEADER_MAX];
    stockcert_header_t  header;

    rc = stockcert_header_decode(data, len, &header);

    ours = len >= 13 && memcmp(data, "stockcert", 9) == 0;
    format = ours && memcmp(data + 9, "\0\0\0\2", 4) == 0;

    must((rc == 0) == (ours && (!format || end_of(data, len, 21) == len)));

    if (rc != 0) {
        must(rc == -1);
        return;
    }

    must((header.format == STOCKCERT_FORMAT) == format);

    if (format) {
        must(stockcert_header_encode(&header, bytes) == len);
        must(memcmp(bytes, data, len) == 0);
    }
}


/* the bytes say for each field whether it is there, and what it is */

static void
check_back(const uint8_t *data, size_t len)
{
    size_t                    n;
    uint8_t                   bytes[STOCKCERT_ENTRY_MAX + TAGS * 257];
    uint64_t                 *integer;
    unsigned                  tag;
    const uint8_t            *p, *end;
    stockcert_str_t          *str;
    stockcert_entry_t         entry, back;

    if (len < 9) {
        return;
    }

    memset(&entry, 0, sizeof(entry));
    memset(&back, 0xaa, sizeof(back));

    p = data + 9;
    end = data + len;

    entry.kind = (stockcert_kind_e) (1 + data[0] % 5);
    entry.time = stockcert_get64(data + 1);
    back.position = 0;

    for (tag = 1; tag <= TAGS; tag++) {

        n = p < end ? *p++ : 0;
        n = n < (size_t) (end - p) ? n : (size_t) (end - p);

        if (is_integer(tag)) {
            integer = stockcert_entry_integer(&entry, stockcert_field(tag));

            for (n = n < 8 ? n : 8; n; n--) {
                *integer = *integer << 8 | *p++;
            }

        } else if (n) {
            str = stockcert_entry_string(&entry, stockcert_field(tag));
            str->len = n;
            str->data = (const char *) p;
            p += n;
        }
    }

    n = stockcert_entry_encode(&entry, bytes);
    memset(bytes + n, 0x5e, STOCKCERT_SEAL_LEN);

    must(stockcert_entry_decode(bytes, n + STOCKCERT_SEAL_LEN, &back) == 0);
    must(back.seal == bytes + n);
    must(back.kind == entry.kind && back.time == entry.time);

    for (tag = 1; tag <= TAGS; tag++) {

        if (is_integer(tag)) {
            must(*stockcert_entry_integer(&back, stockcert_field(tag))
                 == *stockcert_entry_integer(&entry, stockcert_field(tag)));

        } else {
            must(stockcert_str_same(
                     stockcert_entry_string(&back, stockcert_field(tag)),
                     stockcert_entry_string(&entry, stockcert_field(tag))));
        }
    }
}


static int
is_integer(unsigned tag)
{
    return memchr(integers, (int) tag, sizeof(integers) - 1) != NULL;
}


/* where a string ends whose length is at "at"; beyond len if it does not fit */

static size_t
end_of(const uint8_t *data, size_t len, size_t at)
{
    return at < len ? at + 1 + data[at] : len + 1;
}
