
/*
 * Writes and reads the lines of "export --format jsonl".
 *
 * It touches a FILE and memory, and no ledger.
 */


#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "stockcert_format.h"
#include "stockcert_json.h"


typedef enum {
    STOCKCERT_JSON_READ = 0,
    STOCKCERT_JSON_UNKNOWN,
    STOCKCERT_JSON_INVALID
} stockcert_json_read_e;


static const char *stockcert_json_number(const stockcert_field_t *field,
    uint64_t n, char *room);
static const char *stockcert_json_load(const char *json, size_t len,
    json_t **object);
static const char *stockcert_json_read_entry(json_t *object,
    stockcert_json_line_t *line);
static stockcert_json_read_e stockcert_json_read_member(const char *name,
    json_t *value, stockcert_json_line_t *line);
static int stockcert_json_read_field(json_t *value, unsigned tag,
    stockcert_json_line_t *line);
static int stockcert_json_read_integer(json_t *value,
    const stockcert_field_t *field, uint64_t *n);
static int stockcert_json_get_number(json_t *value, uint64_t *number);
static int stockcert_json_get_text(json_t *value, char *text,
    stockcert_str_t *str);
static int stockcert_json_get_hex(json_t *value, char *bytes,
    stockcert_str_t *str);
static int stockcert_json_get_time(json_t *value, uint64_t *time);
static int stockcert_json_get_seal(json_t *value, uint8_t *seal);


void
stockcert_json_header(FILE *file, const stockcert_header_t *header,
    uint64_t entries, const uint8_t *seal)
{
    char  time[STOCKCERT_TIME_LEN + 1], hex[STOCKCERT_HEX_LEN + 1];

    stockcert_format_time(header->created, time);
    stockcert_format_seal(seal, hex);

    fprintf(file, "{\"stockcert\":%" PRIu32 ",\"company\":", header->format);
    stockcert_json_string(file, &header->company);
    fprintf(file, ",\"created\":\"%s\",\"entries\":%" PRIu64
            ",\"seal\":\"%s\"}\n", time, entries, hex);
}


void
stockcert_json_entry(FILE *file, const stockcert_entry_t *entry)
{
    char                      time[STOCKCERT_TIME_LEN + 1];
    char                      hex[STOCKCERT_HEX_LEN + 1];
    char                      room[STOCKCERT_HEX_LEN + 1];
    unsigned                  tag;
    stockcert_str_t           text;
    const stockcert_field_t  *field;

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, hex);

    fprintf(file, "{\"entry\":%" PRIu64 ",\"kind\":\"%s\",\"time\":\"%s\"",
            entry->position, stockcert_kind(entry->kind)->name, time);

    for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
        field = stockcert_field(tag);
        text = stockcert_json_text(entry, field, room);

        if (text.len == 0) {
            continue;
        }

        fprintf(file, ",\"%s\":", field->name);

        if (field->type <= STOCKCERT_FLAG) {
            fprintf(file, "%.*s", (int) text.len, text.data);

        } else {
            stockcert_json_string(file, &text);
        }
    }

    fprintf(file, ",\"seal\":\"%s\"}\n", hex);
}


stockcert_str_t
stockcert_json_text(const stockcert_entry_t *entry,
    const stockcert_field_t *field, char *room)
{
    size_t              i;
    uint64_t            n;
    stockcert_str_t     text;
    stockcert_entry_t  *fields;

    fields = (stockcert_entry_t *) entry;

    if (stockcert_field_is_integer(field)) {
        n = *stockcert_entry_integer(fields, field);
        text.data = n ? stockcert_json_number(field, n, room) : "";
        text.len = strlen(text.data);
        return text;
    }

    text = *stockcert_entry_string(fields, field);

    if ((field->type == STOCKCERT_NONCE || field->type == STOCKCERT_HASH)
        && text.len <= STOCKCERT_HASH_LEN)
    {
        for (i = 0; i < text.len; i++) {
            snprintf(room + 2 * i, 3, "%02x", (uint8_t) text.data[i]);
        }

        text.len *= 2;
        text.data = room;
    }

    return text;
}


/* a name that is unknown, which no entry has, is a number */

static const char *
stockcert_json_number(const stockcert_field_t *field, uint64_t n, char *room)
{
    const char  *name;

    name = NULL;

    if (field->type == STOCKCERT_FLAG) {
        name = "true";

    } else if (field->type == STOCKCERT_REASON) {
        name = stockcert_reason(n);

    } else if (field->type == STOCKCERT_TYPE && stockcert_transaction(n)) {
        name = stockcert_transaction(n)->name;
    }

    if (name) {
        return name;
    }

    snprintf(room, STOCKCERT_HEX_LEN + 1, "%" PRIu64, n);

    return room;
}


/* a control character, which no text has, becomes a question mark */

void
stockcert_json_string(FILE *file, const stockcert_str_t *str)
{
    size_t  i;

    putc('"', file);

    for (i = 0; i < str->len; i++) {

        if (str->data[i] == '"' || str->data[i] == '\\') {
            putc('\\', file);
        }

        putc((uint8_t) str->data[i] < 0x20 ? '?' : str->data[i], file);
    }

    putc('"', file);
}


const char *
stockcert_json_parse_header(const char *json, size_t len,
    stockcert_json_line_t *line)
{
    json_t      *object;
    uint64_t     format;
    const char  *fault;

    fault = stockcert_json_load(json, len, &object);
    if (fault) {
        return fault;
    }

    if (stockcert_json_get_number(json_object_get(object, "stockcert"), &format)
        != 0)
    {
        fault = "is not the header of an export";

    } else if (format != STOCKCERT_FORMAT) {
        fault = "is the header of another version's export";

    } else if (stockcert_json_get_text(json_object_get(object, "company"),
                                       line->company, &line->header.company)
               != 0
               || stockcert_json_get_time(json_object_get(object, "created"),
                                          &line->header.created)
                  != 0
               || stockcert_json_get_number(json_object_get(object, "entries"),
                                            &line->entries)
                  != 0
               || stockcert_json_get_seal(json_object_get(object, "seal"),
                                          line->seal)
                  != 0
               || json_object_size(object) != 5)
    {
        fault = "is not a whole header: company, created, entries and seal";
    }

    json_decref(object);

    line->header.format = STOCKCERT_FORMAT;

    return fault;
}


const char *
stockcert_json_parse_entry(const char *json, size_t len,
    stockcert_json_line_t *line)
{
    json_t      *object;
    const char  *fault;

    fault = stockcert_json_load(json, len, &object);
    if (fault) {
        return fault;
    }

    fault = stockcert_json_read_entry(object, line);

    json_decref(object);

    return fault;
}


static const char *
stockcert_json_load(const char *json, size_t len, json_t **object)
{
    json_error_t  error;

    *object = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);

    if (*object == NULL) {
        return "is not JSON";
    }

    if (!json_is_object(*object)) {
        json_decref(*object);
        return "is not a JSON object";
    }

    return NULL;
}


static const char *
stockcert_json_read_entry(json_t *object, stockcert_json_line_t *line)
{
    size_t        i;
    json_t       *value;
    const char   *name;

    static const char *const  must[] = { "entry", "kind", "time", "seal" };

    memset(&line->entry, 0, sizeof(stockcert_entry_t));

    for (i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
        if (json_object_get(object, must[i]) == NULL) {
            snprintf(line->fault, sizeof(line->fault), "has no \"%s\"", must[i]);
            return line->fault;
        }
    }

    json_object_foreach(object, name, value) {

        switch (stockcert_json_read_member(name, value, line)) {

        case STOCKCERT_JSON_UNKNOWN:
            return "has a member that is not known";

        case STOCKCERT_JSON_INVALID:
            snprintf(line->fault, sizeof(line->fault), "has no valid \"%s\"",
                     name);
            return line->fault;

        default: /* STOCKCERT_JSON_READ */
            break;
        }
    }

    return NULL;
}


static stockcert_json_read_e
stockcert_json_read_member(const char *name, json_t *value,
    stockcert_json_line_t *line)
{
    int                 rc;
    unsigned            tag;
    stockcert_entry_t  *entry;

    entry = &line->entry;

    if (strcmp(name, "entry") == 0) {
        rc = stockcert_json_get_number(value, &entry->position);

    } else if (strcmp(name, "kind") == 0) {
        entry->kind = json_is_string(value)
                      ? stockcert_kind_find(json_string_value(value)) : 0;
        rc = entry->kind ? 0 : -1;

    } else if (strcmp(name, "time") == 0) {
        rc = stockcert_json_get_time(value, &entry->time);

    } else if (strcmp(name, "seal") == 0) {
        entry->seal = line->seal;
        rc = stockcert_json_get_seal(value, line->seal);

    } else {
        for (tag = 1; tag < STOCKCERT_FIELD_END; tag++) {
            if (strcmp(stockcert_field(tag)->name, name) == 0) {
                break;
            }
        }

        if (tag == STOCKCERT_FIELD_END) {
            return STOCKCERT_JSON_UNKNOWN;
        }

        rc = stockcert_json_read_field(value, tag, line);
    }

    return rc == 0 ? STOCKCERT_JSON_READ : STOCKCERT_JSON_INVALID;
}


/* what is 0 or empty is not there, so it is no value */

static int
stockcert_json_read_field(json_t *value, unsigned tag,
    stockcert_json_line_t *line)
{
    stockcert_str_t          *str;
    const stockcert_field_t  *field;

    field = stockcert_field(tag);

    if (stockcert_field_is_integer(field)) {
        return stockcert_json_read_integer(value, field,
                                           stockcert_entry_integer(&line->entry,
                                                                   field));
    }

    str = stockcert_entry_string(&line->entry, field);

    return field->type == STOCKCERT_NONCE || field->type == STOCKCERT_HASH
           ? stockcert_json_get_hex(value, line->strings[tag], str)
           : stockcert_json_get_text(value, line->strings[tag], str);
}


static int
stockcert_json_read_integer(json_t *value, const stockcert_field_t *field,
    uint64_t *n)
{
    const char  *name;

    if (field->type == STOCKCERT_FLAG) {
        *n = json_is_true(value);

    } else if (field->type == STOCKCERT_COUNT) {

        if (stockcert_json_get_number(value, n) != 0) {
            return -1;
        }

    } else {
        name = json_string_value(value);

        if (name) {
            *n = field->type == STOCKCERT_TYPE
                 ? (uint64_t) stockcert_transaction_find(name)
                 : (uint64_t) stockcert_reason_find(name);
        }
    }

    return *n ? 0 : -1;
}


static int
stockcert_json_get_number(json_t *value, uint64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return -1;
    }

    *number = (uint64_t) json_integer_value(value);

    return 0;
}


/* 1 to STOCKCERT_TEXT_MAX bytes; the ledger checks the rest */

static int
stockcert_json_get_text(json_t *value, char *text, stockcert_str_t *str)
{
    str->len = json_string_length(value);

    if (str->len == 0 || str->len > STOCKCERT_TEXT_MAX) {
        return -1;
    }

    memcpy(text, json_string_value(value), str->len);
    str->data = text;

    return 0;
}


/* the same of bytes, two digits each */

static int
stockcert_json_get_hex(json_t *value, char *bytes, stockcert_str_t *str)
{
    size_t         i;
    const char    *hex, *high, *low;

    static const char  digits[] = "0123456789abcdef";

    hex = json_string_value(value);
    str->len = json_string_length(value) / 2;
    str->data = bytes;

    if (str->len == 0 || str->len > STOCKCERT_HASH_LEN || strlen(hex) % 2) {
        return -1;
    }

    for (i = 0; i < str->len; i++) {
        high = strchr(digits, hex[2 * i]);
        low = strchr(digits, hex[2 * i + 1]);

        if (high == NULL || low == NULL) {
            return -1;
        }

        bytes[i] = (char) ((high - digits) << 4 | (low - digits));
    }

    return 0;
}


static int
stockcert_json_get_time(json_t *value, uint64_t *time)
{
    const char  *text;

    text = json_string_value(value);

    return text ? stockcert_parse_time(text, time) : -1;
}


static int
stockcert_json_get_seal(json_t *value, uint8_t *seal)
{
    const char  *text;

    text = json_string_value(value);

    return text ? stockcert_parse_seal(text, seal) : -1;
}
