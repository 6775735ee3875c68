
/*
 * Any bytes as a grant.  A second reader of JSON, written from RFC 8259 and the
 * contract, must come to the same result: the same grant, or the same fault of
 * the same member.  "Not JSON" comes before any other fault.  The second reader
 * also leads the fuzzer through JSON, because jansson is not built for
 * coverage.
 */


#include <jansson.h>

#include "json.h"
#include "stockcert_text.h"


/* what the second reader found */

typedef struct {
    int             kind;      /* of its fault, or 0 */
    value_t         member;    /* the one at fault */
    value_t         name;
    value_t         amount;
    value_t         class;
    value_t         more[6];   /* as in "besides" */
} verdict_t;


static int is_name(const value_t *v);
static int is_holder(const value_t *v);
static int is_price(const value_t *v);
static int is_date(const value_t *v);


/* what a grant may say besides, in the order of its tags */

static const struct {
    const char     *name;
    uint8_t         tag;
    int           (*is)(const value_t *v);
} besides[] = {
    { "holder_id", 16, is_holder },
    { "address",   17, is_name },
    { "capacity",  18, is_name },
    { "price",     19, is_price },
    { "effective", 20, is_date },
    { "reference", 21, is_name }
};


static void judge(const uint8_t *data, size_t len, verdict_t *v);
static void fault_of(verdict_t *v, const char *member);
static value_t *member_of(verdict_t *v, const value_t *key);
static void check_more(const stockcert_grant_t *grant, const verdict_t *v);
static size_t skip_decimals(const value_t *v, size_t at);
static int decimal(const value_t *v, size_t at, size_t n);
static int is_code(const value_t *v);
static int is(const value_t *v, const char *text);
static void check_again(const stockcert_grant_t *grant);
static void check_fault(const value_t *member, const stockcert_fault_t *fault);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int                rc;
    verdict_t          v;
    stockcert_grant_t  grant;
    stockcert_fault_t  fault;

    if (len > INPUT_MAX) {
        return 0;
    }

    (void) json_object_seed(1);

    memset(&grant, 0xaa, sizeof(grant));
    memset(&fault, 0xaa, sizeof(fault));

    rc = stockcert_grant_parse((const char *) data, len, &grant, &fault);

    judge(data, len, &v);

    must(rc == (v.kind ? -1 : 0));

    if (rc == -1) {
        must((int) fault.kind == v.kind);
        check_fault(&v.member, &fault);
        return 0;
    }

    must(grant.amount == (uint64_t) v.amount.number);
    must(grant.name_len == v.name.len);
    must(memcmp(grant.name, v.name.text, v.name.len) == 0);
    must(grant.code_len == v.class.len);
    must(memcmp(grant.code, v.class.text, v.class.len) == 0);

    check_more(&grant, &v);
    check_again(&grant);

    return 0;
}


static void
judge(const uint8_t *data, size_t len, verdict_t *v)
{
    size_t           n;
    value_t          body, *value;
    const member_t  *m;

    static reader_t  r;

    memset(v, 0, sizeof(verdict_t));

    v->kind = read_json(&r, data, len, &body);

    if (v->kind && v->kind != STOCKCERT_MEMBER_TWICE) {
        return;
    }

    if (body.type != '{') {
        v->kind = v->kind ? v->kind : STOCKCERT_NOT_A_GRANT;
        return;
    }

    for (n = 0; n < r.members; n++) {
        m = &r.member[n];

        value = member_of(v, &m->key);

        if (value == NULL) {
            v->kind = STOCKCERT_NOT_A_GRANT;
            v->member = m->key;
            return;
        }

        *value = m->value;
    }

    if (v->kind) {
        return;
    }

    if (!is_name(&v->name)) {
        fault_of(v, "name");

    } else if (v->amount.type != '1' || v->amount.number < 1
               || v->amount.number > 9007199254740991)
    {
        fault_of(v, "amount");

    } else if (!is_code(&v->class)) {
        fault_of(v, "class");
    }

    for (n = 0; v->kind == 0 && n < 6; n++) {
        if (v->more[n].type && !besides[n].is(&v->more[n])) {
            fault_of(v, besides[n].name);
        }
    }
}


static value_t *
member_of(verdict_t *v, const value_t *key)
{
    size_t  n;

    for (n = 0; n < 6; n++) {
        if (is(key, besides[n].name)) {
            return &v->more[n];
        }
    }

    return is(key, "name") ? &v->name
           : is(key, "amount") ? &v->amount
           : is(key, "class") ? &v->class : NULL;
}


/* the fields of an entry */

static void
check_more(const stockcert_grant_t *grant, const verdict_t *v)
{
    size_t  n, at;

    at = 0;

    for (n = 0; n < 6; n++) {

        if (v->more[n].type) {
            must(grant->more[at] == besides[n].tag);
            must(grant->more[at + 1] == v->more[n].len);
            must(memcmp(grant->more + at + 2, v->more[n].text, v->more[n].len)
                 == 0);

            at += 2 + v->more[n].len;
        }
    }

    must(grant->asked_len == at);
    must(grant->more_len == at);
}


static void
fault_of(verdict_t *v, const char *member)
{
    v->kind = STOCKCERT_NOT_A_GRANT;
    v->member.type = '"';
    v->member.text = (const uint8_t *) member;
    v->member.len = strlen(member);
}


static int
is_name(const value_t *v)
{
    int             blank;
    uint32_t        c;
    const uint8_t  *p;

    if (v->type != '"' || v->len < 1 || v->len > 255) {
        return 0;
    }

    blank = 1;

    for (p = v->text; p < v->text + v->len; /* void */ ) {
        must(read_utf8(&p, v->text + v->len, &c) == 0);

        if (c <= 0x1f || (c >= 0x7f && c <= 0x9f)) {
            return 0;
        }

        switch (c) {

        case 0x202a: case 0x202b: case 0x202c: case 0x202d: case 0x202e:
        case 0x2066: case 0x2067: case 0x2068: case 0x2069:
            return 0;

        case 0x20: case 0xa0: case 0x1680: case 0x2028: case 0x2029:
        case 0x202f: case 0x205f: case 0x3000:
            break;

        default:
            blank = blank && ((c >= 0x2000 && c <= 0x200a)
                              || stockcert_is_unseen(c));
        }
    }

    return !blank;
}


static int
is_code(const value_t *v)
{
    size_t  n;

    static const char  letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    if (v->type != '"' || v->len < 1 || v->len > 8) {
        return 0;
    }

    for (n = 0; n < v->len; n++) {
        if (memchr(letters, v->text[n], n ? 36 : 26) == NULL) {
            return 0;
        }
    }

    return 1;
}


static int
is_holder(const value_t *v)
{
    size_t  n;

    for (n = 0; v->type == '"' && n < v->len; n++) {
        if (v->text[n] < ' ' || v->text[n] > '~') {
            return 0;
        }
    }

    return v->type == '"' && v->len >= 1 && v->len <= 64;
}


static int
is_price(const value_t *v)
{
    size_t  whole, at, end;

    if (v->type != '"' || v->len < 5) {
        return 0;
    }

    whole = skip_decimals(v, 0);

    if (whole == 0 || whole > 15 || (v->text[0] == '0' && whole != 1)) {
        return 0;
    }

    at = whole;

    if (v->text[at] == '.') {
        end = skip_decimals(v, at + 1);

        if (end == at + 1 || end > at + 11) {
            return 0;
        }

        at = end;
    }

    if (at + 4 != v->len || v->text[at] != ' ') {
        return 0;
    }

    for (at++; at < v->len; at++) {
        if (v->text[at] < 'A' || v->text[at] > 'Z') {
            return 0;
        }
    }

    return 1;
}


/* where those from "at" on end, or the text */

static size_t
skip_decimals(const value_t *v, size_t at)
{
    while (at < v->len && memchr("0123456789", v->text[at], 10)) {
        at++;
    }

    return at;
}


static int
is_date(const value_t *v)
{
    int  year, month, day, leap;

    static const int  last[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
                                 31 };

    if (v->type != '"' || v->len != 10 || v->text[4] != '-'
        || v->text[7] != '-')
    {
        return 0;
    }

    year = decimal(v, 0, 4);
    month = decimal(v, 5, 2);
    day = decimal(v, 8, 2);
    leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);

    return year >= 1 && month >= 1 && month <= 12 && day >= 1
           && day <= last[month - 1] + (month == 2 && leap);
}


/* -1 if it is none */

static int
decimal(const value_t *v, size_t at, size_t n)
{
    int  number;

    for (number = 0; n; n--, at++) {
        if (v->text[at] < '0' || v->text[at] > '9') {
            return -1;
        }

        number = number * 10 + v->text[at] - '0';
    }

    return number;
}


static int
is(const value_t *v, const char *text)
{
    return v->len == strlen(text) && memcmp(v->text, text, v->len) == 0;
}


/* what was read is written as JSON and read again */

static void
check_again(const stockcert_grant_t *grant)
{
    char               json[2 * STOCKCERT_TEXT_MAX + 128], *p;
    size_t             i;
    stockcert_grant_t  again;
    stockcert_fault_t  fault;

    p = json + sprintf(json, "{\"class\":\"%.*s\",\"amount\":%llu,\"name\":\"",
                       grant->code_len, grant->code,
                       (unsigned long long) grant->amount);

    for (i = 0; i < grant->name_len; i++) {
        if (grant->name[i] == '"' || grant->name[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = grant->name[i];
    }

    *p++ = '"';
    *p++ = '}';

    must(stockcert_grant_parse(json, (size_t) (p - json), &again, &fault) == 0);
    must(again.amount == grant->amount);
    must(again.code_len == grant->code_len);
    must(memcmp(again.code, grant->code, grant->code_len) == 0);
    must(again.name_len == grant->name_len);
    must(memcmp(again.name, grant->name, grant->name_len) == 0);
}


/*
 * a member that is too long is cut, between characters, but no more than that
 */

static void
check_fault(const value_t *member, const stockcert_fault_t *fault)
{
    size_t          len;
    uint32_t        c;
    const uint8_t  *p, *end;

    must(fault->has_member == (member->type != 0));
    must(memchr(fault->detail, '\0', sizeof(fault->detail)) != NULL);
    must(fault->detail[0] != '\0');
    must(memchr(fault->member, '\0', sizeof(fault->member)) != NULL);

    len = strlen(fault->member);

    must(len == member->len
         || (len < member->len && len + 4 >= sizeof(fault->member)));
    must(len == 0 || memcmp(fault->member, member->text, len) == 0);

    end = (const uint8_t *) fault->member + len;

    for (p = (const uint8_t *) fault->member; p < end; /* void */ ) {
        must(read_utf8(&p, end, &c) == 0);
    }
}
