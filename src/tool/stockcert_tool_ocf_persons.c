
/*
 * The file of "export --format ocf --holders-file": whether a holder is a
 * person or an institution, and in which country.
 *
 * It reads that file, and no ledger.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "stockcert_tool.h"
#include "stockcert_tool_ocf.h"


/* the first one, by id or name, who is no holder, or NULL */

typedef struct {
    const stockcert_holdings_t    *holdings;
    const stockcert_ocf_person_t  *person;
} stockcert_ocf_unknown_t;


static int stockcert_ocf_person_read(stockcert_ocf_persons_t *persons,
    const char *line, size_t len, const char **fault);
static const char *stockcert_ocf_person_fault(json_t *json);
static stockcert_ocf_person_t *stockcert_ocf_person_new(json_t *json);
static void stockcert_ocf_person_visit(const void *node, VISIT visit,
    void *data);


int
stockcert_ocf_persons_read(stockcert_ocf_persons_t *persons, const char *path)
{
    int          rc, failed;
    char        *line;
    FILE        *file;
    size_t       size;
    ssize_t      len;
    uint64_t     n;
    const char  *fault;

    if (persons->path) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE,
                                    "--holders-file is given twice");
    }

    file = fopen(path, "re");

    if (file == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot open %s: %s",
                                    path, strerror(errno));
    }

    persons->path = path;
    line = NULL;
    size = 0;
    rc = 0;
    fault = NULL;

    for (n = 1; rc == 0; n++) {
        len = getline(&line, &size, file);
        if (len == -1) {
            break;
        }

        rc = stockcert_ocf_person_read(persons, line, (size_t) len, &fault);

        if (rc != 0) {
            (void) stockcert_tool_error(STOCKCERT_EXIT_NO, "line %" PRIu64
                                        " of %s: %s", n, path, fault);
        }
    }

    failed = ferror(file);
    free(line);
    (void) fclose(file);

    if (failed) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot read %s",
                                    path);
    }

    return rc == 0 ? STOCKCERT_EXIT_OK : STOCKCERT_EXIT_NO;
}


/*
 * a line; the last one of "stockcert holders", which has totals, is no holder
 */

static int
stockcert_ocf_person_read(stockcert_ocf_persons_t *persons, const char *line,
    size_t len, const char **fault)
{
    void                    *found;
    json_t                  *json;
    const char              *type, *country;
    stockcert_ocf_person_t  *person;

    json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

    if (json_object_get(json, "totals")) {
        json_decref(json);
        return 0;
    }

    *fault = stockcert_ocf_person_fault(json);
    if (*fault) {
        json_decref(json);
        return -1;
    }

    person = stockcert_ocf_person_new(json);

    found = person ? tsearch(person, &persons->tree, stockcert_party_compare)
                   : NULL;

    if (found && *(stockcert_ocf_person_t **) found != person) {
        *fault = "is about the holder of a line before it";
        free(person);

    } else if (found == NULL) {
        *fault = "there is no memory for it";

    } else {
        type = json_string_value(json_object_get(json, "type"));
        country = json_string_value(json_object_get(json, "country"));

        person->type = type == NULL ? NULL : strcmp(type, "INDIVIDUAL") == 0
                                             ? "INDIVIDUAL" : "INSTITUTION";

        if (country) {
            memcpy(person->country, country, sizeof(person->country));
        }
    }

    json_decref(json);

    return *fault ? -1 : 0;
}


static const char *
stockcert_ocf_person_fault(json_t *json)
{
    json_t      *value;
    const char  *name, *text;

    /* what "stockcert holders" writes may be left in, and is not looked at */

    if (!json_is_object(json)) {
        return "is not a JSON object";
    }

    json_object_foreach(json, name, value) {
        text = json_string_value(value);

        if (strcmp(name, "classes") == 0) {
            continue;
        }

        if (text == NULL
            || (strcmp(name, "name") != 0 && strcmp(name, "holder_id") != 0
                && strcmp(name, "address") != 0 && strcmp(name, "type") != 0
                && strcmp(name, "country") != 0))
        {
            return "has a member that is not known, or is no string";
        }

        if (strcmp(name, "type") == 0 && strcmp(text, "INDIVIDUAL") != 0
            && strcmp(text, "INSTITUTION") != 0)
        {
            return "\"type\" must be INDIVIDUAL or INSTITUTION";
        }

        if (strcmp(name, "country") == 0
            && !stockcert_ocf_is_country(text, json_string_length(value)))
        {
            return "\"country\" must be a code such as US";
        }
    }

    return json_object_get(json, "name") || json_object_get(json, "holder_id")
           ? NULL : "has neither \"holder_id\" nor \"name\"";
}


int
stockcert_ocf_is_country(const char *text, size_t len)
{
    return len == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}


static stockcert_ocf_person_t *
stockcert_ocf_person_new(json_t *json)
{
    json_t                  *id, *is;
    size_t                   len;
    stockcert_ocf_person_t  *person;

    id = json_object_get(json, "holder_id");
    is = id ? id : json_object_get(json, "name");
    len = json_string_length(is);

    if (len > STOCKCERT_TEXT_MAX) {
        len = STOCKCERT_TEXT_MAX + 1;      /* which no holder has */
    }

    person = calloc(1, sizeof(stockcert_ocf_person_t) + len);

    if (person) {
        memcpy(person->text, json_string_value(is), len);

        person->key.by_id = id != NULL;
        person->key.text.data = person->text;
        person->key.text.len = len;
    }

    return person;
}


int
stockcert_ocf_persons_known(const stockcert_ocf_persons_t *persons,
    const stockcert_holdings_t *holdings)
{
    stockcert_ocf_unknown_t  look;

    look.holdings = holdings;
    look.person = NULL;

    twalk_r(persons->tree, stockcert_ocf_person_visit, &look);

    if (look.person) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "the ledger has no "
                                    "holder with the %s \"%.*s\", which %s "
                                    "names",
                                    look.person->key.by_id ? "holder_id"
                                                           : "name",
                                    (int) look.person->key.text.len,
                                    look.person->text, persons->path);
    }

    return STOCKCERT_EXIT_OK;
}


static void
stockcert_ocf_person_visit(const void *node, VISIT visit, void *data)
{
    stockcert_ocf_person_t   *person;
    stockcert_ocf_unknown_t  *look;

    look = data;
    person = *(stockcert_ocf_person_t *const *) node;

    if ((visit == postorder || visit == leaf) && look->person == NULL
        && !stockcert_holdings_has(look->holdings, &person->key))
    {
        look->person = person;
    }
}


const stockcert_ocf_person_t *
stockcert_ocf_person(const stockcert_ocf_persons_t *persons,
    const stockcert_party_t *party)
{
    void  *found;

    found = tfind(&party->key, &persons->tree, stockcert_party_compare);

    return found ? *(stockcert_ocf_person_t **) found : NULL;
}
