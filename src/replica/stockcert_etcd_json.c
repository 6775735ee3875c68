
/*
 * What etcd is asked, as JSON, and what is in its answers.
 *
 * In etcd's JSON, bytes are in base64, 64-bit numbers are strings, and what is
 * 0, false or empty is left out.
 *
 * It touches nothing but what it is given.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "stockcert_etcd_int.h"
#include "stockcert_format.h"
#include "stockcert_text.h"


/* no ledger comes near; the next epoch must be a number, too */

#define STOCKCERT_ETCD_EPOCH_MAX  ((json_int_t) 1 << 53)


static char *stockcert_etcd_room(stockcert_etcd_buf_t *buf, size_t len);
static int stockcert_etcd_digits(const char *text, uint64_t *number);


static char *
stockcert_etcd_room(stockcert_etcd_buf_t *buf, size_t len)
{
    char    *data;
    size_t   size;

    if (buf->failed) {
        return NULL;
    }

    if (len > buf->size - buf->len || buf->data == NULL) {

        size = buf->size ? buf->size : 4096;

        while (size - buf->len < len) {
            size *= 2;
        }

        data = realloc(buf->data, size);
        if (data == NULL) {
            buf->failed = 1;
            return NULL;
        }

        buf->data = data;
        buf->size = size;
    }

    return buf->data + buf->len;
}


void
stockcert_etcd_add(stockcert_etcd_buf_t *buf, const void *data, size_t len)
{
    char  *p;

    p = stockcert_etcd_room(buf, len);

    if (p != NULL && len) {
        memcpy(p, data, len);
        buf->len += len;
    }
}


void
stockcert_etcd_text(stockcert_etcd_buf_t *buf, const char *text)
{
    stockcert_etcd_add(buf, text, strlen(text));
}


void
stockcert_etcd_base64(stockcert_etcd_buf_t *buf, const void *data, size_t len)
{
    char  *p;

    /* it writes a NUL, too */

    p = stockcert_etcd_room(buf, (len + 2) / 3 * 4 + 1);

    if (p != NULL) {
        buf->len += (size_t) EVP_EncodeBlock((unsigned char *) p, data,
                                             (int) len);
    }
}


void
stockcert_etcd_key(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name)
{
    int   len;
    char  key[STOCKCERT_ETCD_PREFIX_MAX + STOCKCERT_ETCD_NAME_MAX];

    len = snprintf(key, sizeof(key), "%s%s", prefix, name);

    stockcert_etcd_base64(buf, key, (size_t) len);
}


void
stockcert_etcd_name(uint64_t position, char *name)
{
    snprintf(name, STOCKCERT_ETCD_NAME_MAX, "batch/%016" PRIx64, position);
}


void
stockcert_etcd_range(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *from, const char *to, const char *more)
{
    stockcert_etcd_text(buf, "{\"key\":\"");
    stockcert_etcd_key(buf, prefix, from);

    if (to != NULL) {
        stockcert_etcd_text(buf, "\",\"range_end\":\"");
        stockcert_etcd_key(buf, prefix, to);
    }

    stockcert_etcd_text(buf, "\"");
    stockcert_etcd_text(buf, more);
    stockcert_etcd_text(buf, "}");
}


void
stockcert_etcd_range_batches(stockcert_etcd_buf_t *buf, const char *prefix,
    uint64_t from, uint64_t to, const char *more)
{
    char  first[STOCKCERT_ETCD_NAME_MAX], end[STOCKCERT_ETCD_NAME_MAX];

    stockcert_etcd_name(from, first);
    stockcert_etcd_name(to, end);
    stockcert_etcd_range(buf, prefix, first, end, more);
}


void
stockcert_etcd_range_both(stockcert_etcd_buf_t *buf, const char *prefix,
    uint64_t position, size_t limit, int serializable)
{
    char         more[64];
    const char  *how;

    how = serializable ? ",\"serializable\":true" : "";
    snprintf(more, sizeof(more), "%s,\"limit\":\"%zu\"", how, limit);

    stockcert_etcd_text(buf, "{\"request_range\":");
    stockcert_etcd_range(buf, prefix, "head", NULL, how);
    stockcert_etcd_text(buf, "},{\"request_range\":");
    stockcert_etcd_range_batches(buf, prefix, position + 1,
                                 position + STOCKCERT_ETCD_WINDOW, more);
    stockcert_etcd_text(buf, "}");
}


void
stockcert_etcd_put(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name, const void *value, size_t len)
{
    stockcert_etcd_text(buf, "{\"request_put\":{\"key\":\"");
    stockcert_etcd_key(buf, prefix, name);
    stockcert_etcd_text(buf, "\",\"value\":\"");
    stockcert_etcd_base64(buf, value, len);
    stockcert_etcd_text(buf, "\"}}");
}


void
stockcert_etcd_delete(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name)
{
    stockcert_etcd_text(buf, "{\"request_delete_range\":");
    stockcert_etcd_range(buf, prefix, name, NULL, "");
    stockcert_etcd_text(buf, "}");
}


void
stockcert_etcd_equals(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name, const void *value, size_t len)
{
    stockcert_etcd_text(buf, "{\"target\":\"VALUE\",\"value\":\"");
    stockcert_etcd_base64(buf, value, len);
    stockcert_etcd_text(buf, "\",\"key\":\"");
    stockcert_etcd_key(buf, prefix, name);
    stockcert_etcd_text(buf, "\"}");
}


void
stockcert_etcd_absent(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name)
{
    stockcert_etcd_text(buf, "{\"target\":\"VERSION\",\"version\":\"0\","
                             "\"key\":\"");
    stockcert_etcd_key(buf, prefix, name);
    stockcert_etcd_text(buf, "\"}");
}


void
stockcert_etcd_guard(stockcert_etcd_buf_t *buf, const char *prefix,
    const stockcert_head_t *guard)
{
    size_t  len;
    char    number[32], value[STOCKCERT_ETCD_VALUE_MAX];

    if (guard->revision == 0) {
        stockcert_etcd_absent(buf, prefix, "head");
        return;
    }

    snprintf(number, sizeof(number), "%" PRIu64, guard->revision);
    len = stockcert_etcd_head_value(guard, value);

    stockcert_etcd_text(buf, "{\"target\":\"MOD\",\"mod_revision\":\"");
    stockcert_etcd_text(buf, number);
    stockcert_etcd_text(buf, "\",\"key\":\"");
    stockcert_etcd_key(buf, prefix, "head");
    stockcert_etcd_text(buf, "\"},");
    stockcert_etcd_equals(buf, prefix, "head", value, len);
}


size_t
stockcert_etcd_head_value(const stockcert_head_t *head, char *value)
{
    char  seal[STOCKCERT_HEX_LEN + 1];

    stockcert_format_seal(head->tail.seal, seal);

    return (size_t) snprintf(value, STOCKCERT_ETCD_VALUE_MAX,
                             "{\"position\":%" PRIu64 ",\"seal\":\"%s\","
                             "\"epoch\":%" PRIu64 "}",
                             head->tail.position, seal, head->epoch);
}


int
stockcert_etcd_head_read(const char *value, size_t len, stockcert_head_t *head)
{
    char         again[STOCKCERT_ETCD_VALUE_MAX];
    json_t      *doc;
    json_int_t   position, epoch;
    const char  *seal;

    doc = json_loadb(value, len, 0, NULL);

    if (doc == NULL
        || json_unpack(doc, "{s:I,s:s,s:I}", "position", &position,
                       "seal", &seal, "epoch", &epoch)
           != 0
        || position < 0 || epoch < 0 || epoch > STOCKCERT_ETCD_EPOCH_MAX
        || stockcert_parse_seal(seal, head->tail.seal) != 0)
    {
        json_decref(doc);
        return -1;
    }

    head->tail.position = (uint64_t) position;
    head->epoch = (uint64_t) epoch;

    json_decref(doc);

    return stockcert_same(value, len, again,
                          stockcert_etcd_head_value(head, again))
           ? 0 : -1;
}


/* NULL: no memory, or the company's name is not UTF-8 */

json_t *
stockcert_etcd_ledger_value(const stockcert_header_t *header, uint64_t cluster)
{
    char  number[32];

    snprintf(number, sizeof(number), "%" PRIu64, cluster);

    return json_pack("{s:s%,s:I,s:I,s:s}", "company", header->company.data,
                     header->company.len, "created",
                     (json_int_t) header->created, "format",
                     (json_int_t) header->format, "cluster_id", number);
}


int
stockcert_etcd_ledger_read(const char *value, size_t len,
    stockcert_etcd_ledger_t *ledger)
{
    int          bad;
    json_t      *doc;
    size_t       n;
    json_int_t   created, format;
    const char  *company;

    memset(ledger, 0, sizeof(stockcert_etcd_ledger_t));

    doc = json_loadb(value, len, JSON_ALLOW_NUL, NULL);

    bad = doc == NULL
          || json_unpack(doc, "{s:I}", "format", &format) != 0
          || format < 1 || format > UINT32_MAX
          || stockcert_etcd_number(doc, "cluster_id", &ledger->cluster) != 0
          || ledger->cluster == 0;

    if (!bad) {
        ledger->format = (uint32_t) format;
    }

    if (!bad && format == STOCKCERT_FORMAT) {

        bad = json_unpack(doc, "{s:s%,s:I}", "company", &company, &n,
                          "created", &created)
              != 0
              || created < 0 || created > STOCKCERT_TIME_MAX
              || stockcert_text_fault(company, n) != NULL;

        if (!bad) {
            ledger->created = (uint64_t) created;
            ledger->len = n;
            memcpy(ledger->company, company, n);
        }
    }

    json_decref(doc);

    return bad ? -1 : 0;
}


/* the member is base64, or is left out, as it is empty */

int
stockcert_etcd_bytes(const json_t *object, const char *member,
    stockcert_etcd_buf_t *buf)
{
    char          *p;
    size_t         len, pad;
    json_t        *value;
    const char    *text;

    buf->len = 0;
    buf->failed = 0;

    value = json_object_get(object, member);
    if (value == NULL) {
        return 0;
    }

    text = json_string_value(value);
    len = json_string_length(value);

    if (text == NULL || len % 4 != 0) {
        return -1;
    }

    for (pad = 0; pad < 2 && pad < len && text[len - 1 - pad] == '='; pad++) {
        /* void */
    }

    p = stockcert_etcd_room(buf, len);

    if (p == NULL
        || (len && EVP_DecodeBlock((unsigned char *) p,
                                   (const unsigned char *) text, (int) len)
                   != (int) (len / 4 * 3))
        || memchr(text, '=', len - pad) != NULL)
    {
        return -1;
    }

    buf->len = len / 4 * 3 - pad;

    return 0;
}


int
stockcert_etcd_number(const json_t *object, const char *member,
    uint64_t *number)
{
    json_t      *value;
    const char  *text;

    *number = 0;

    value = json_object_get(object, member);
    if (value == NULL) {
        return 0;
    }

    text = json_string_value(value);

    return text != NULL && strlen(text) == json_string_length(value)
           ? stockcert_etcd_digits(text, number) : -1;
}


static int
stockcert_etcd_digits(const char *text, uint64_t *number)
{
    uint64_t  digit;

    if (*text == '\0') {
        return -1;
    }

    for (*number = 0; *text; text++) {

        digit = (uint64_t) (*text - '0');

        if (*text < '0' || *text > '9'
            || *number > (UINT64_MAX - digit) / 10)
        {
            return -1;
        }

        *number = *number * 10 + digit;
    }

    return 0;
}


int
stockcert_etcd_position(const char *key, size_t len, const char *prefix,
    uint64_t *position)
{
    char    name[STOCKCERT_ETCD_NAME_MAX], again[STOCKCERT_ETCD_NAME_MAX];
    size_t  n;

    n = strlen(prefix);

    if (len != n + sizeof(name) - 1 || memcmp(key, prefix, n) != 0) {
        return -1;
    }

    memcpy(name, key + n, sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';

    *position = strtoull(name + sizeof("batch/") - 1, NULL, 16);
    stockcert_etcd_name(*position, again);

    return *position && strcmp(name, again) == 0 ? 0 : -1;
}


int
stockcert_etcd_count(stockcert_etcd_batch_t *batch)
{
    int                rc;
    size_t             offset, len;
    const uint8_t     *p;
    stockcert_batch_t  bytes;

    if (batch->bytes.len > STOCKCERT_BATCH_MAX) {
        return -1;
    }

    bytes.first = batch->first;
    bytes.len = batch->bytes.len;
    bytes.data = (const uint8_t *) batch->bytes.data;

    offset = 0;
    batch->entries = 0;

    while ((rc = stockcert_batch_next(&bytes, &offset, &p, &len)) == 1) {
        batch->entries++;
    }

    return rc == 0 && batch->entries ? 0 : -1;
}
