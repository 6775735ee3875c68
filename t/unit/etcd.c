
/* What etcd is asked, and what is read of its answers: without an etcd. */


#include "stockcert_etcd_int.h"
#include "tap.h"


typedef struct {
    const char  *text;
    int          good;
} case_t;


static void test_faults(void);
static void test_base64(void);
static void test_numbers(void);
static void test_positions(void);
static void test_head(void);
static void test_guard(void);
static void test_ranges(void);
static void test_counts(void);
static void test_create(void);
static void is_text(stockcert_etcd_buf_t *buf, const char *expected,
    const char *name);


static const case_t  endpoints[] = {
    { "http://a", 1 }, { "https://10.0.0.1:2379", 1 },
    { "https://[::1]:2379", 1 }, { "http://etcd-1.example.com:2379", 1 },
    { "", 0 }, { "a", 0 }, { "10.0.0.1:2379", 0 }, { "ftp://a", 0 },
    { "HTTP://a", 0 }, { "http:/a", 0 }, { "http://", 0 }, { "http://:1", 0 },
    { "http://a/", 0 }, { "http://a/v3", 0 }, { "http://a?b", 0 },
    { "http://a#b", 0 }, { "http://u:p@a", 0 }, { "http://a:99999", 0 },
    { "http://a:b", 0 }, { "http://a b", 0 }, { "http://a,http://b", 0 },
    { "http://[::1", 0 }, { "http://a\n", 0 }
};


static const case_t  prefixes[] = {
    { "/", 1 }, { "/stockcert/acme/", 1 }, { "/a-b_c.d:/", 1 },
    { "", 0 }, { "a/", 0 }, { "/a", 0 }, { "/a b/", 0 }, { "/\x7f/", 0 },
    { "/\xc3\xab/", 0 }, { "/\n/", 0 }
};


int
main(void)
{
    test_faults();
    test_base64();
    test_numbers();
    test_positions();
    test_head();
    test_guard();
    test_ranges();
    test_counts();
    test_create();

    return tap_done();
}


/* what was written, and then no more */

static void
is_text(stockcert_etcd_buf_t *buf, const char *expected, const char *name)
{
    is_mem(buf->data, buf->len, expected, strlen(expected), "%s", name);
    buf->len = 0;
}


static void
test_faults(void)
{
    char    text[600];
    size_t  i;

    for (i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        is_int(stockcert_etcd_endpoint_fault(endpoints[i].text,
                                             strlen(endpoints[i].text))
               == NULL, endpoints[i].good, "endpoint %zu", i);
    }

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        is_int(stockcert_etcd_prefix_fault(prefixes[i].text,
                                           strlen(prefixes[i].text))
               == NULL, prefixes[i].good, "prefix %zu", i);
    }

    memset(text, 'a', sizeof(text));
    memcpy(text, "http://", 7);
    ok(stockcert_etcd_endpoint_fault(text, STOCKCERT_ETCD_ENDPOINT_MAX)
       == NULL, "as long an endpoint as may be");
    ok(stockcert_etcd_endpoint_fault(text, STOCKCERT_ETCD_ENDPOINT_MAX + 1)
       != NULL, "a longer one");
    ok(stockcert_etcd_endpoint_fault("http://a\0b", 10) != NULL,
       "an endpoint with a NUL");

    text[0] = '/';
    text[STOCKCERT_ETCD_PREFIX_MAX - 1] = '/';
    text[STOCKCERT_ETCD_PREFIX_MAX] = '/';
    ok(stockcert_etcd_prefix_fault(text, STOCKCERT_ETCD_PREFIX_MAX) == NULL,
       "as long a prefix as may be");
    ok(stockcert_etcd_prefix_fault(text, STOCKCERT_ETCD_PREFIX_MAX + 1) != NULL,
       "a longer one");
}


static void
test_base64(void)
{
    size_t                 i, n;
    json_t                *doc;
    uint8_t                bytes[1000];
    stockcert_etcd_buf_t   buf, back;
    static const char     *bad[] = { "A", "AA", "AAA", "AA=A", "A===", "====",
                                     "AAAA====", "AA==AAAA", "A\nAA", " AAA",
                                     "AAA ", "AA-_", "AAAA\n", "AAA\xc3\xab" };

    memset(&buf, 0, sizeof(buf));
    memset(&back, 0, sizeof(back));

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t) (i * 131 + 7);
    }

    n = 0;

    for (i = 0; i <= sizeof(bytes); i++) {
        buf.len = 0;
        stockcert_etcd_base64(&buf, bytes, i);

        doc = json_pack("{s:s%}", "b", buf.data, buf.len);

        n += stockcert_etcd_bytes(doc, "b", &back) == 0
             && stockcert_same(back.data, back.len, bytes, i);

        json_decref(doc);
    }

    is_int(n, sizeof(bytes) + 1, "bytes of any length come back");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        doc = json_pack("{s:s}", "b", bad[i]);
        is_int(stockcert_etcd_bytes(doc, "b", &back), -1, "no base64: %zu", i);
        json_decref(doc);
    }

    doc = json_pack("{s:i}", "b", 1);
    is_int(stockcert_etcd_bytes(doc, "b", &back), -1, "nor is a number");
    is_int(stockcert_etcd_bytes(doc, "c", &back), 0, "nothing is empty");
    is_int(back.len, 0, "as it is");
    json_decref(doc);

    free(buf.data);
    free(back.data);
}


static void
test_numbers(void)
{
    size_t              i;
    json_t             *doc;
    uint64_t            number;
    static const char  *bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1.0",
                                  "18446744073709551616", "99999999999999999999"
                                };

    doc = json_pack("{s:s,s:s,s:i}", "a", "18446744073709551615", "b", "0",
                    "c", 5);

    is_int(stockcert_etcd_number(doc, "a", &number), 0, "the largest number");
    ok(number == UINT64_MAX, "as it is");
    is_int(stockcert_etcd_number(doc, "b", &number), 0, "the smallest");
    is_int(number, 0, "as it is");
    is_int(stockcert_etcd_number(doc, "d", &number), 0, "none");
    is_int(number, 0, "is 0");
    is_int(stockcert_etcd_number(NULL, "d", &number), 0, "of nothing, too");
    is_int(stockcert_etcd_number(doc, "c", &number), -1, "one without quotes");
    json_decref(doc);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        doc = json_pack("{s:s}", "n", bad[i]);
        is_int(stockcert_etcd_number(doc, "n", &number), -1,
               "\"%s\" is no number", bad[i]);
        json_decref(doc);
    }

    doc = json_pack("{s:s#}", "n", "1\0" "2", 3);
    is_int(stockcert_etcd_number(doc, "n", &number), -1, "nor with a NUL");
    json_decref(doc);
}


static void
test_positions(void)
{
    char                name[STOCKCERT_ETCD_NAME_MAX];
    size_t              i;
    uint64_t            position;
    static const char  *bad[] = { "", "/p/", "/p/batch/", "/p/batch/1",
                                  "/p/batch/0000000000000000",
                                  "/p/batch/000000000000000A",
                                  "/p/batch/00000000000000001",
                                  "/p/batch/000000000000000g",
                                  "/p/batch/              1",
                                  "/p/batch/0x00000000000001",
                                  "/q/batch/0000000000000001",
                                  "/p/botch/0000000000000001" };

    stockcert_etcd_name(0x123456789abcdef0, name);
    is_str(name, "batch/123456789abcdef0", "the name of a batch");

    is_int(stockcert_etcd_position("/p/batch/00000000000000ff", 25, "/p/",
                                   &position), 0, "a batch's key");
    is_int(position, 255, "its position");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_int(stockcert_etcd_position(bad[i], strlen(bad[i]), "/p/",
                                       &position), -1, "\"%s\" is none",
               bad[i]);
    }
}


static void
test_head(void)
{
    char              value[STOCKCERT_ETCD_VALUE_MAX];
    size_t            i, len, n;
    stockcert_head_t  head, back;

    memset(&head, 0, sizeof(head));
    head.tail.position = INT64_MAX;
    head.epoch = INT64_MAX;
    memset(head.tail.seal, 0xab, STOCKCERT_SEAL_LEN);

    len = stockcert_etcd_head_value(&head, value);
    ok(len < sizeof(value), "the longest value of a head fits");

    memset(&back, 0, sizeof(back));
    is_int(stockcert_etcd_head_read(value, len, &back), -1,
           "an epoch without a next one is none");

    head.epoch = (uint64_t) 1 << 53;
    len = stockcert_etcd_head_value(&head, value);

    memset(&back, 0, sizeof(back));
    is_int(stockcert_etcd_head_read(value, len, &back), 0, "it is read");
    ok(stockcert_head_same(&head, &back), "as it was");

    n = 0;

    for (i = 0; i < len; i++) {
        n += stockcert_etcd_head_read(value, i, &back) == -1;
    }

    is_int(n, len, "cut anywhere, it is not");
}


static void
test_guard(void)
{
    stockcert_head_t      head;
    stockcert_etcd_buf_t  buf;

    memset(&buf, 0, sizeof(buf));
    memset(&head, 0, sizeof(head));

    stockcert_etcd_guard(&buf, "/", &head);
    is_text(&buf, "{\"target\":\"VERSION\",\"version\":\"0\","
           "\"key\":\"L2hlYWQ=\"}", "a guard: there is no head");

    head.revision = 7;
    stockcert_etcd_guard(&buf, "/", &head);
    is_text(&buf, "{\"target\":\"MOD\",\"mod_revision\":\"7\","
           "\"key\":\"L2hlYWQ=\"},{\"target\":\"VALUE\",\"value\":\""
           "eyJwb3NpdGlvbiI6MCwic2VhbCI6IjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD"
           "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAiLCJlcG9jaCI6MH0="
           "\",\"key\":\"L2hlYWQ=\"}", "a guard: revision and value");

    free(buf.data);
}


static void
test_ranges(void)
{
    stockcert_etcd_buf_t  buf;

    memset(&buf, 0, sizeof(buf));

    stockcert_etcd_range(&buf, "/", "head", NULL, ",\"limit\":\"1\"");
    is_text(&buf, "{\"key\":\"L2hlYWQ=\",\"limit\":\"1\"}", "one key");

    stockcert_etcd_range_batches(&buf, "/", 1, 255, "");
    is_text(&buf, "{\"key\":\"L2JhdGNoLzAwMDAwMDAwMDAwMDAwMDE=\","
           "\"range_end\":\"L2JhdGNoLzAwMDAwMDAwMDAwMDAwZmY=\"}", "batches");

    stockcert_etcd_put(&buf, "/", "head", "x", 1);
    is_text(&buf, "{\"request_put\":{\"key\":\"L2hlYWQ=\","
           "\"value\":\"eA==\"}}", "a value");

    free(buf.data);
}


static void
test_counts(void)
{
    uint8_t                *p;
    uint8_t                 entry[STOCKCERT_ENTRY_MAX];
    stockcert_etcd_batch_t  batch;

    memset(&batch, 0, sizeof(batch));
    memset(entry, 1, sizeof(entry));
    batch.bytes.data = malloc(STOCKCERT_BATCH_MAX + 1);

    is_int(stockcert_etcd_count(&batch), -1, "no bytes are no batch");

    p = (uint8_t *) batch.bytes.data;
    p = stockcert_batch_put(p, entry, 1);
    p = stockcert_batch_put(p, entry, sizeof(entry));
    batch.bytes.len = (size_t) (p - (uint8_t *) batch.bytes.data);

    is_int(stockcert_etcd_count(&batch), 0, "two entries are");
    is_int(batch.entries, 2, "so many");

    batch.bytes.len--;
    is_int(stockcert_etcd_count(&batch), -1, "a byte less are none");

    memset(batch.bytes.data, 0, STOCKCERT_BATCH_MAX + 1);
    batch.bytes.len = 3;
    is_int(stockcert_etcd_count(&batch), -1, "nor is an empty entry");

    p = (uint8_t *) batch.bytes.data;

    while (p + sizeof(entry) + 2 - (uint8_t *) batch.bytes.data
           <= STOCKCERT_BATCH_MAX)
    {
        p = stockcert_batch_put(p, entry, sizeof(entry));
    }

    p = stockcert_batch_put(p, entry, (size_t) (STOCKCERT_BATCH_MAX - 2
                            - (p - (uint8_t *) batch.bytes.data)));
    batch.bytes.len = STOCKCERT_BATCH_MAX;
    is_int(stockcert_etcd_count(&batch), 0, "as many bytes as may be");

    batch.bytes.len++;
    is_int(stockcert_etcd_count(&batch), -1, "a byte more");

    free(batch.bytes.data);
}


static void
test_create(void)
{
    const char             *endpoint;
    stockcert_error_t       error;
    stockcert_replica_t    *replica;
    stockcert_etcd_conf_t   conf;

    endpoint = "http://127.0.0.1:1";

    memset(&conf, 0, sizeof(conf));
    conf.endpoints = &endpoint;
    conf.nendpoints = 1;
    conf.prefix = "/p/";
    conf.user.data = "\xff";
    conf.user.len = 1;

    is_int(stockcert_etcd_create(&conf, &replica, &error), STOCKCERT_FAILED,
           "a user that is not UTF-8");
    is_str(error.text, "etcd cannot be used: its user is not UTF-8",
           "it says so");

    conf.password = conf.user;
    conf.user.data = "a";

    is_int(stockcert_etcd_create(&conf, &replica, &error), STOCKCERT_FAILED,
           "a password that is not");
    is_str(error.text, "etcd cannot be used: its password is not UTF-8",
           "it says so");

    conf.password.data = "\0";
    conf.password.len = 1;

    is_int(stockcert_etcd_create(&conf, &replica, &error), STOCKCERT_OK,
           "a password of any characters");
    ok(replica->name != NULL, "it has a name");
    is_int(replica->ops->again(replica), 0, "no time was begun");

    replica->ops->start(replica);
    is_int(replica->ops->again(replica), 0, "it is over, if there is none");

    replica->ops->destroy(replica);
}
