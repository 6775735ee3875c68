
/*
 * The options of "export --format ocf", and whether all are there.
 *
 * It touches no ledger.
 */


#include <stdio.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_ocf.h"


#define STOCKCERT_OCF_CLASS                                                   \
    "CODE:COMMON|PREFERRED:VOTES:SENIORITY:PRICE:CURRENCY, such as "          \
    "CS:COMMON:1:1:0.0001:USD"


static int stockcert_ocf_option_class(stockcert_ocf_t *ocf, const char *value);
static int stockcert_ocf_numeric(const stockcert_str_t *str);
static int stockcert_ocf_capitals(const char *text, size_t len,
    size_t expected);
static int stockcert_ocf_known(const stockcert_ocf_t *ocf,
    const stockcert_class_t *classes, size_t n);
static int stockcert_ocf_is(const stockcert_str_t *str, const char *text);


int
stockcert_ocf_option(stockcert_ocf_t *ocf, int option, const char *value)
{
    switch (option) {

    case 'd':
        if (stockcert_date_fault(value, strlen(value))) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--formed takes "
                                        "a date such as 2026-11-23, not "
                                        "\"%s\"", value);
        }

        ocf->formed = value;
        return STOCKCERT_EXIT_OK;

    case 'c':
        if (!stockcert_ocf_is_country(value, strlen(value))) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--country takes "
                                        "a code such as US, not \"%s\"", value);
        }

        ocf->country = value;
        return STOCKCERT_EXIT_OK;

    case 'h':
        if (strcmp(value, "INDIVIDUAL") != 0
            && strcmp(value, "INSTITUTION") != 0)
        {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--holders takes "
                                        "INDIVIDUAL or INSTITUTION, not \"%s\"",
                                        value);
        }

        ocf->holders = value;
        return STOCKCERT_EXIT_OK;

    case 'H':
        return stockcert_ocf_persons_read(&ocf->persons, value);

    default:
        return stockcert_ocf_option_class(ocf, value);
    }
}


static int
stockcert_ocf_option_class(stockcert_ocf_t *ocf, const char *value)
{
    size_t                  i;
    stockcert_str_t        *fields;
    stockcert_ocf_class_t  *class;

    if (ocf->nclasses == STOCKCERT_CLASSES_MAX) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "there are at most %d"
                                    " classes", STOCKCERT_CLASSES_MAX);
    }

    class = &ocf->classes[ocf->nclasses];

    /* six strings, side by side */

    fields = &class->code;

    for (i = 0; i < 6; i++) {
        fields[i].data = value;
        fields[i].len = strcspn(value, ":");
        value += fields[i].len;

        if (i < 5 && *value) {
            value++;
        }
    }

    if (*value
        || (!stockcert_ocf_is(&class->type, "COMMON")
            && !stockcert_ocf_is(&class->type, "PREFERRED"))
        || !stockcert_ocf_numeric(&class->votes)
        || !stockcert_ocf_numeric(&class->seniority)
        || !stockcert_ocf_numeric(&class->price)
        || !stockcert_ocf_capitals(class->currency.data, class->currency.len,
                                   3))
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--class takes "
                                    STOCKCERT_OCF_CLASS ", not \"%s\"",
                                    class->code.data);
    }

    if (stockcert_ocf_class(ocf, &class->code)) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--class %.*s:... is "
                                    "given twice", (int) class->code.len,
                                    class->code.data);
    }

    ocf->nclasses++;

    return STOCKCERT_EXIT_OK;
}


/* OCF's type Numeric: digits, and at most ten after a point */

static int
stockcert_ocf_numeric(const stockcert_str_t *str)
{
    size_t       whole, after;
    const char  *digits;

    digits = "0123456789";
    whole = strspn(str->data, digits);

    if (whole == 0 || whole >= str->len) {
        return whole && whole == str->len;
    }

    after = strspn(str->data + whole + 1, digits);

    return str->data[whole] == '.' && after >= 1 && after <= 10
           && whole + 1 + after == str->len;
}


static int
stockcert_ocf_capitals(const char *text, size_t len, size_t expected)
{
    return len == expected
           && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == expected;
}


static int
stockcert_ocf_is(const stockcert_str_t *str, const char *text)
{
    return stockcert_same(str->data, str->len, text, strlen(text));
}


const stockcert_ocf_class_t *
stockcert_ocf_class(const stockcert_ocf_t *ocf, const stockcert_str_t *code)
{
    size_t  i;

    for (i = 0; i < ocf->nclasses; i++) {
        if (stockcert_str_same(&ocf->classes[i].code, code)) {
            return &ocf->classes[i];
        }
    }

    return NULL;
}


/* names all that is missing, at once */

int
stockcert_ocf_complete(const stockcert_ocf_t *ocf,
    const stockcert_class_t *classes, size_t n)
{
    char                    missing[STOCKCERT_CLASSES_MAX * 32];
    size_t                  i, len;
    const stockcert_str_t  *code;

    len = (size_t) snprintf(missing, sizeof(missing), "%s%s%s",
                            ocf->formed ? "" : " --formed DATE",
                            ocf->country ? "" : " --country CODE",
                            ocf->holders ? ""
                                         : " --holders INDIVIDUAL|INSTITUTION");

    for (i = 0; i < n; i++) {
        code = &classes[i].code;

        if (stockcert_ocf_class(ocf, code) == NULL) {
            len += (size_t) snprintf(missing + len, sizeof(missing) - len,
                                     " --class %.*s:...", (int) code->len,
                                     code->data);
        }
    }

    if (len == 0) {
        return stockcert_ocf_known(ocf, classes, n);
    }

    return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "OCF requires what the "
                                "ledger does not know, give%s (--class takes "
                                STOCKCERT_OCF_CLASS ")", missing);
}


/* and no class that the ledger does not have */

static int
stockcert_ocf_known(const stockcert_ocf_t *ocf,
    const stockcert_class_t *classes, size_t n)
{
    size_t                  i;
    const stockcert_str_t  *code;

    for (i = 0; i < ocf->nclasses; i++) {
        code = &ocf->classes[i].code;

        if (stockcert_class_of(classes, n, code) == NULL) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "the ledger has no"
                                        " class %.*s, which --class names",
                                        (int) code->len, code->data);
        }
    }

    return STOCKCERT_EXIT_OK;
}
