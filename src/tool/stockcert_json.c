
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


/*
 * each byte of a text may be \u and four digits; all else is shorter than that
 */

_Static_assert(2 * sizeof("\\u0000") * STOCKCERT_TEXT_MAX <= STOCKCERT_JSON_MAX,
               "room for a line");


static const char *stockcert_json_load(const char *json, size_t len,
    json_t **object);
static const char *stockcert_json_read_entry(json_t *object,
    stockcert_json_line_t *line);
static int stockcert_json_get_number(json_t *object, const char *name,
    uint64_t *number);
static int stockcert_json_get_text(json_t *object, const char *name,
    size_t max, char *text, stockcert_str_t *str);
static int stockcert_json_get_time(json_t *object, const char *name,
    uint64_t *time);
static int stockcert_json_get_seal(json_t *object, uint8_t *seal);


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
    char                     time[STOCKCERT_TIME_LEN + 1];
    char                     hex[STOCKCERT_HEX_LEN + 1];
    const stockcert_kind_t  *kind;

    kind = stockcert_kind(entry->kind);

    stockcert_format_time(entry->time, time);
    stockcert_format_seal(entry->seal, hex);

    fprintf(file, "{\"entry\":%" PRIu64 ",\"kind\":\"%s\",\"time\":\"%s\","
            "\"class\":\"%.*s\"", entry->position, kind->name, time,
            (int) entry->code.len, entry->code.data);

    if (kind->number) {
        fprintf(file, ",\"number\":%" PRIu64, entry->number);
    }

    if (kind->shares) {
        fprintf(file, ",\"shares\":%" PRIu64, entry->shares);
    }

    fprintf(file, ",\"%s\":", kind->text);
    stockcert_json_string(file, &entry->text);

    if (entry->key.len) {
        fprintf(file, ",\"key\":");
        stockcert_json_string(file, &entry->key);
    }

    fprintf(file, ",\"seal\":\"%s\"}\n", hex);
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

    if (stockcert_json_get_number(object, "stockcert", &format) != 0) {
        fault = "is not the header of an export";

    } else if (format != STOCKCERT_FORMAT) {
        fault = "is the header of another version's export";

    } else if (stockcert_json_get_text(object, "company", STOCKCERT_TEXT_MAX,
                                       line->text, &line->header.company)
               != 0
               || stockcert_json_get_time(object, "created",
                                          &line->header.created)
                  != 0
               || stockcert_json_get_number(object, "entries", &line->entries)
                  != 0
               || stockcert_json_get_seal(object, line->seal) != 0
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
    size_t                   n;
    const char              *name;
    stockcert_entry_t       *entry;
    const stockcert_kind_t  *kind;

    entry = &line->entry;
    memset(entry, 0, sizeof(stockcert_entry_t));

    name = json_string_value(json_object_get(object, "kind"));

    if (name) {
        entry->kind = stockcert_kind_find(name);
    }

    kind = stockcert_kind(entry->kind);

    if (kind == NULL) {
        return "has no \"kind\" that is known";
    }

    n = 6;

    if (stockcert_json_get_number(object, "entry", &entry->position) != 0
        || stockcert_json_get_time(object, "time", &entry->time) != 0
        || stockcert_json_get_text(object, "class", STOCKCERT_CODE_MAX,
                                   line->code, &entry->code)
           != 0
        || stockcert_json_get_text(object, kind->text, STOCKCERT_TEXT_MAX,
                                   line->text, &entry->text)
           != 0
        || stockcert_json_get_seal(object, line->seal) != 0)
    {
        return "lacks a member of its kind, or has one that is not valid";
    }

    entry->seal = line->seal;

    if (kind->number) {
        n++;

        if (stockcert_json_get_number(object, "number", &entry->number) != 0) {
            return "has no valid \"number\"";
        }
    }

    if (kind->shares) {
        n++;

        if (stockcert_json_get_number(object, "shares", &entry->shares) != 0) {
            return "has no valid \"shares\"";
        }
    }

    if (kind->key && json_object_get(object, "key")) {
        n++;

        if (stockcert_json_get_text(object, "key", STOCKCERT_TEXT_MAX,
                                    line->key, &entry->key)
            != 0)
        {
            return "has no valid \"key\"";
        }
    }

    return json_object_size(object) == n ? NULL
                                         : "has a member that is not known";
}


static int
stockcert_json_get_number(json_t *object, const char *name, uint64_t *number)
{
    json_t  *value;

    value = json_object_get(object, name);

    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return -1;
    }

    *number = (uint64_t) json_integer_value(value);

    return 0;
}


/* 1 to max bytes; the ledger checks the rest */

static int
stockcert_json_get_text(json_t *object, const char *name, size_t max,
    char *text, stockcert_str_t *str)
{
    json_t  *value;

    value = json_object_get(object, name);

    str->len = json_string_length(value);

    if (!json_is_string(value) || str->len == 0 || str->len > max) {
        return -1;
    }

    memcpy(text, json_string_value(value), str->len);
    str->data = text;

    return 0;
}


static int
stockcert_json_get_time(json_t *object, const char *name, uint64_t *time)
{
    const char  *text;

    text = json_string_value(json_object_get(object, name));

    return text ? stockcert_parse_time(text, time) : -1;
}


static int
stockcert_json_get_seal(json_t *object, uint8_t *seal)
{
    const char  *text;

    text = json_string_value(json_object_get(object, "seal"));

    return text ? stockcert_parse_seal(text, seal) : -1;
}
