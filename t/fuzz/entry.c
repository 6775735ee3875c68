
/*
 * Any bytes as a journal entry and as a ledger's header.  Only the layouts in
 * stockcert_entry.h decide which are accepted.  Accepted bytes encode to the
 * same bytes again.  Then an entry with fields from those bytes is encoded and
 * decoded.
 */


#include "stockcert_entry.h"
#include "fuzz.h"


static void check_entry(const uint8_t *data, size_t len);
static void check_header(const uint8_t *data, size_t len);
static void check_back(const uint8_t *data, size_t len);
static size_t end_of(const uint8_t *data, size_t len, size_t at);
static void take(stockcert_str_t *str, size_t most, const uint8_t **p,
    const uint8_t *end);
static int same(const stockcert_str_t *a, const stockcert_str_t *b);


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
    size_t             code, text, key, n;
    uint8_t            bytes[STOCKCERT_ENTRY_MAX];
    stockcert_entry_t  entry;

    memset(&entry, 0xaa, sizeof(entry));
    entry.position = 7;

    rc = stockcert_entry_decode(data, len, &entry);

    code = end_of(data, len, 25);
    text = end_of(data, len, code);
    key = end_of(data, len, text);

    must((rc == 0) == (key <= len && key + 32 == len && data[25] <= 8
                       && data[0] >= 1 && data[0] <= 4));
    must(entry.position == 7);

    if (rc != 0) {
        must(rc == -1);
        return;
    }

    must(len <= STOCKCERT_ENTRY_MAX);
    must(entry.kind == (stockcert_kind_e) data[0]);
    must(entry.time == stockcert_get64(data + 1));
    must(entry.number == stockcert_get64(data + 9));
    must(entry.shares == stockcert_get64(data + 17));
    must(entry.code.data == (const char *) data + 26);
    must(entry.text.data == (const char *) data + code + 1);
    must(entry.key.data == (const char *) data + text + 1);
    must(entry.seal == data + len - 32);

    memset(bytes, 0xaa, sizeof(bytes));
    n = stockcert_entry_encode(&entry, bytes);

    must(n == len - STOCKCERT_SEAL_LEN);
    must(memcmp(bytes, data, n) == 0);
}


static void
check_header(const uint8_t *data, size_t len)
{
    int                 rc, ours, format;
    uint8_t             bytes[STOCKCERT_HEADER_MAX];
    stockcert_header_t  header;

    rc = stockcert_header_decode(data, len, &header);

    ours = len >= 13 && memcmp(data, "stockcert", 9) == 0;
    format = ours && memcmp(data + 9, "\0\0\0\1", 4) == 0;

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


static void
check_back(const uint8_t *data, size_t len)
{
    size_t              n;
    uint8_t             bytes[STOCKCERT_ENTRY_MAX];
    const uint8_t      *p, *end;
    stockcert_entry_t   entry, back;

    if (len < 25) {
        return;
    }

    p = data + 25;
    end = data + len;

    entry.kind = (stockcert_kind_e) (1 + data[0] % 4);
    entry.time = stockcert_get64(data + 1);
    entry.number = stockcert_get64(data + 9);
    entry.shares = stockcert_get64(data + 17);

    take(&entry.code, STOCKCERT_CODE_MAX, &p, end);
    take(&entry.text, STOCKCERT_TEXT_MAX, &p, end);
    take(&entry.key, STOCKCERT_TEXT_MAX, &p, end);

    n = stockcert_entry_encode(&entry, bytes);
    memset(bytes + n, 0x5e, STOCKCERT_SEAL_LEN);

    must(stockcert_entry_decode(bytes, n + STOCKCERT_SEAL_LEN, &back) == 0);
    must(back.kind == entry.kind && back.time == entry.time);
    must(back.number == entry.number && back.shares == entry.shares);
    must(same(&back.code, &entry.code));
    must(same(&back.text, &entry.text));
    must(same(&back.key, &entry.key));
    must(back.seal == bytes + n);

    must(stockcert_entry_decode(bytes, n + STOCKCERT_SEAL_LEN - 1, &back)
         == -1);
}


/* where a string ends whose length is at "at"; beyond len if it does not fit */

static size_t
end_of(const uint8_t *data, size_t len, size_t at)
{
    return at < len ? at + 1 + data[at] : len + 1;
}


static void
take(stockcert_str_t *str, size_t most, const uint8_t **p, const uint8_t *end)
{
    str->len = *p < end ? *(*p)++ % (most + 1) : 0;

    if (str->len > (size_t) (end - *p)) {
        str->len = (size_t) (end - *p);
    }

    str->data = (const char *) *p;
    *p += str->len;
}


static int
same(const stockcert_str_t *a, const stockcert_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}
