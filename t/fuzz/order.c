
/*
 * Any bytes as an order: whether they are JSON is told by a second reader.  An
 * order makes entries without fault, and is the same, and has the same hash, when
 * it is written anew from what was read.
 */


#include <jansson.h>

#include "stockcert_order.h"
#include "json.h"


#define TEXT_MAX  (16 * INPUT_MAX)


static void check_fault(const stockcert_fault_t *fault, int kind);
static void check_entries(const stockcert_order_t *order);
static void check_again(const stockcert_order_t *order);
static char *put_to(char *p, const stockcert_order_t *order);
static char *put_string(char *p, const char *member,
    const stockcert_str_t *str);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int                 rc, kind;
    value_t             body;
    stockcert_fault_t   fault;
    stockcert_order_t  *order;

    static reader_t     r;

    if (len > INPUT_MAX) {
        return 0;
    }

    (void) json_object_seed(1);

    memset(&fault, 0xaa, sizeof(fault));
    order = (void *) &fault;

    rc = stockcert_order_parse((const char *) data, len, &order, &fault);
    kind = read_json(&r, data, len, &body);

    must(rc == 0 || rc == -1);
    must((rc == 0) == (order != NULL));

    if (rc == -1) {
        check_fault(&fault, kind);
        return 0;
    }

    must(kind == 0 && body.type == '{');

    check_entries(order);
    check_again(order);

    stockcert_order_free(order);

    return 0;
}


/* a member that is unknown goes before one that is there twice */

static void
check_fault(const stockcert_fault_t *fault, int kind)
{
    must((fault->kind == STOCKCERT_NOT_JSON) == (kind == STOCKCERT_NOT_JSON));
    must(fault->kind != STOCKCERT_MEMBER_TWICE
         || kind == STOCKCERT_MEMBER_TWICE);
    must(fault->kind == STOCKCERT_NOT_JSON
         || fault->kind == STOCKCERT_MEMBER_TWICE
         || fault->kind == STOCKCERT_NOT_AN_ORDER);

    must(memchr(fault->member, '\0', sizeof(fault->member)) != NULL);
    must(memchr(fault->detail, '\0', sizeof(fault->detail)) != NULL);
    must(fault->detail[0] != '\0');
    must(fault->has_member || fault->member[0] == '\0');
}


/* as a ledger makes them, at the end of time */

static void
check_entries(const stockcert_order_t *order)
{
    size_t             i;
    const char        *field;
    stockcert_str_t    code;
    stockcert_entry_t  entry;

    must(order->nfrom >= 1 && order->nfrom <= STOCKCERT_FROM_MAX);
    must(order->nto <= STOCKCERT_TO_MAX);
    must(order->nto == 0 || order->has_to);

    code.len = order->from[0].code_len;
    code.data = order->from[0].code;

    for (i = 0; i < order->nfrom + order->nto; i++) {

        if (i < order->nfrom) {
            memset(&entry, 0, sizeof(entry));
            entry = i ? entry : order->first;
            entry.kind = STOCKCERT_CERTIFICATE_SURRENDERED;
            entry.surrenders = i ? 0 : order->nfrom;
            entry.number = order->from[i].number;
            entry.shares = 1;

        } else {
            entry = order->to[i - order->nfrom];
            entry.kind = STOCKCERT_CERTIFICATE_ISSUED;
            entry.number = 1;
        }

        entry.code = code;
        entry.time = STOCKCERT_TIME_MAX;
        entry.member = i + 1;

        must(stockcert_entry_fault(&entry, &field) == NULL);
    }
}


static void
check_again(const stockcert_order_t *order)
{
    char               *p;
    size_t              i;
    stockcert_str_t     word;
    stockcert_fault_t   fault;
    stockcert_order_t  *again;

    static char  json[TEXT_MAX];

    p = json + sprintf(json, "{");

    p = put_string(p, "reference", &order->first.reference);
    p = put_string(p, "effective", &order->first.effective);
    p = put_string(p, "price", &order->first.price);

    if (order->first.reason) {
        word.data = stockcert_reason(order->first.reason);
        word.len = strlen(word.data);
        p = put_string(p, "reason", &word);
    }

    p = order->has_to ? put_to(p, order) : p;

    word.data = stockcert_transaction(order->first.type)->name;
    word.len = strlen(word.data);
    p = put_string(p, "type", &word);

    p += sprintf(p, ",\"from\":[");

    for (i = 0; i < order->nfrom; i++) {
        p += sprintf(p, "%s\"%.*s-%llu\"", i ? "," : "",
                     order->from[i].code_len, order->from[i].code,
                     (unsigned long long) order->from[i].number);
    }

    *p++ = ']';

    if (order->amount) {
        p += sprintf(p, ",\"amount\":%llu",
                     (unsigned long long) order->amount);
    }

    if (order->first.corrects) {
        p += sprintf(p, ",\"corrects\":%llu",
                     (unsigned long long) order->first.corrects);
    }

    *p++ = '}';

    must(stockcert_order_parse(json, (size_t) (p - json), &again, &fault) == 0);
    must(memcmp(again->hash, order->hash, STOCKCERT_HASH_LEN) == 0);

    stockcert_order_free(again);
}


static char *
put_to(char *p, const stockcert_order_t *order)
{
    size_t  i;

    p += sprintf(p, ",\"to\":[");

    for (i = 0; i < order->nto; i++) {
        p += sprintf(p, "%s{\"amount\":%llu", i ? "," : "",
                     (unsigned long long) order->to[i].shares);

        p = put_string(p, "capacity", &order->to[i].capacity);
        p = put_string(p, "address", &order->to[i].address);
        p = put_string(p, "name", &order->to[i].name);
        p = put_string(p, "holder_id", &order->to[i].holder_id);

        *p++ = '}';
    }

    *p++ = ']';

    return p;
}


/* behind a comma, unless it is the first; none if it is empty */

static char *
put_string(char *p, const char *member, const stockcert_str_t *str)
{
    size_t  i;

    if (str->len == 0) {
        return p;
    }

    p += sprintf(p, "%s\"%s\":\"", p[-1] == '{' ? "" : ",", member);

    for (i = 0; i < str->len; i++) {

        if (str->data[i] == '"' || str->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = str->data[i];
    }

    *p++ = '"';

    return p;
}
