
/*
 * "stockcert transfer", "reissue", "repurchase", "cancel" and "correct".
 *
 * They make the JSON that POST /transactions takes of their arguments, or take
 * it from a file, so that the rules are those of the API.
 */


#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_tool.h"
#include "stockcert_tool_etcd.h"
#include "stockcert_tool_order.h"


static int stockcert_tool_transaction(int argc, char **argv);
static int stockcert_tool_transaction_options(int argc, char **argv,
    stockcert_tool_order_t *o);
static int stockcert_tool_transaction_option(stockcert_tool_order_t *o, int row,
    const char *value);
static int stockcert_tool_transaction_to(stockcert_tool_order_t *o,
    const char *value);
static int stockcert_tool_transaction_from(stockcert_tool_order_t *o, int n,
    char **ids);
static int stockcert_tool_transaction_usable(const stockcert_tool_order_t *o,
    int nfrom);


#define STOCKCERT_ORDER_HELP                                                  \
    "  --key KEY          an idempotency key: the same again enters nothing\n" \
    "  --json FILE        the body of POST /transactions instead of all but\n" \
    "                     --key; - is standard input\n"                        \
    STOCKCERT_ETCD_HELP


const stockcert_command_t  stockcert_command_transfer = {
    "transfer", stockcert_tool_transaction,
    "LEDGER CERTIFICATE... --to NAME:SHARES... --reference TEXT [--key KEY]"
    STOCKCERT_ETCD_SYNOPSIS,
    "Surrenders certificates of one class and holder, such as CS-17, and issues\n"
    "others in their place, in one transaction. What the new holders do not get\n"
    "is issued to the old one. Also while nginx issues.\n"
    "\n"
    "  --to NAME:SHARES   a new holder; may be given again\n"
    "  --reference TEXT   such as \"Stock transfer agreement 2026-11-20\"\n"
    STOCKCERT_ORDER_HELP
};


const stockcert_command_t  stockcert_command_reissue = {
    "reissue", stockcert_tool_transaction,
    "LEDGER CERTIFICATE... --reference TEXT [--reason WORD] "
    "[--to NAME:SHARES...] [--key KEY]"
    STOCKCERT_ETCD_SYNOPSIS,
    "Surrenders certificates of one class and holder, such as CS-17, and issues\n"
    "others to the same, in one transaction. Also while nginx issues.\n"
    "\n"
    "  --reference TEXT   such as \"Affidavit of loss 2026-11-20\"\n"
    "  --reason WORD      lost, stolen, destroyed, name, division or joining\n"
    "  --to NAME:SHARES   a certificate; may be given again; together all of the\n"
    "                     shares. Without it: one of all of them\n"
    STOCKCERT_ORDER_HELP
};


const stockcert_command_t  stockcert_command_repurchase = {
    "repurchase", stockcert_tool_transaction,
    "LEDGER CERTIFICATE... --price PRICE --reference TEXT [--shares N] "
    "[--key KEY]"
    STOCKCERT_ETCD_SYNOPSIS,
    "Surrenders certificates of one class and holder, such as CS-17, that the\n"
    "company bought. Their shares can be issued again. Also while nginx issues.\n"
    "\n"
    "  --price PRICE      of a share, such as \"0.01 USD\"\n"
    "  --reference TEXT   such as \"Repurchase agreement 2026-11-20\"\n"
    "  --shares N         so many of them only; a certificate of the others is\n"
    "                     issued\n"
    STOCKCERT_ORDER_HELP
};


const stockcert_command_t  stockcert_command_cancel = {
    "cancel", stockcert_tool_transaction,
    "LEDGER CERTIFICATE... --reference TEXT [--shares N] [--key KEY]"
    STOCKCERT_ETCD_SYNOPSIS,
    "Cancels certificates of one class and holder, such as CS-17. Their numbers\n"
    "stay used, their shares can be issued again. Also while nginx issues.\n"
    "\n"
    "  --reference TEXT   why; --reason is the same\n"
    "  --shares N         so many of them only; a certificate of the others is\n"
    "                     issued\n"
    STOCKCERT_ORDER_HELP
};


const stockcert_command_t  stockcert_command_correct = {
    "correct", stockcert_tool_transaction,
    "LEDGER CERTIFICATE... --corrects ENTRY --reference TEXT "
    "[--to NAME:SHARES...] [--key KEY]"
    STOCKCERT_ETCD_SYNOPSIS,
    "Surrenders certificates of one class and holder, such as CS-17, as an entry\n"
    "was wrong, and issues what should have been, in one transaction. Shares that\n"
    "are left over can be issued again. Also while nginx issues.\n"
    "\n"
    "  --corrects ENTRY   the number of the entry that was wrong\n"
    "  --reference TEXT   such as \"The name was misspelt\"\n"
    "  --to NAME:SHARES   a certificate; may be given again\n"
    STOCKCERT_ORDER_HELP
};


/*
 * the options, what they are in JSON, and the types that must and may have them
 */

#define STOCKCERT_TYPE_BIT(id)  ((unsigned) 1 << STOCKCERT_##id)
#define STOCKCERT_ALL_TYPES     (~(unsigned) 0)

enum {
    STOCKCERT_OPTION_JSON = 0,
    STOCKCERT_OPTION_KEY,
    STOCKCERT_OPTION_TO,
    STOCKCERT_OPTION_SHARES,
    STOCKCERT_OPTION_CORRECTS          /* all others are texts */
};

static const struct {
    const char  *name;
    const char  *member;
    unsigned     must;
    unsigned     may;
} stockcert_order_options[] = {
    [STOCKCERT_OPTION_JSON] = { "json", NULL, 0, STOCKCERT_ALL_TYPES },
    [STOCKCERT_OPTION_KEY] = { "key", NULL, 0, STOCKCERT_ALL_TYPES },
    [STOCKCERT_OPTION_TO] = { "to", "to", STOCKCERT_TYPE_BIT(TRANSFER),
      STOCKCERT_TYPE_BIT(REISSUE)|STOCKCERT_TYPE_BIT(CORRECT) },
    [STOCKCERT_OPTION_SHARES] = { "shares", "amount", 0,
      STOCKCERT_TYPE_BIT(REPURCHASE)|STOCKCERT_TYPE_BIT(CANCEL) },
    [STOCKCERT_OPTION_CORRECTS] = { "corrects", "corrects",
      STOCKCERT_TYPE_BIT(CORRECT), 0 },
    { "price", "price", STOCKCERT_TYPE_BIT(REPURCHASE), 0 },
    { "reason", "reason", 0, STOCKCERT_TYPE_BIT(REISSUE) },
    { "reason", "reference", 0, STOCKCERT_TYPE_BIT(CANCEL) },
    { "reference", "reference", STOCKCERT_ALL_TYPES, 0 }
};

#define STOCKCERT_OPTIONS                                                     \
    (sizeof(stockcert_order_options) / sizeof(stockcert_order_options[0]))


static const stockcert_command_t *const  stockcert_transaction_commands[] = {
    [STOCKCERT_TRANSFER] = &stockcert_command_transfer,
    [STOCKCERT_REISSUE] = &stockcert_command_reissue,
    [STOCKCERT_REPURCHASE] = &stockcert_command_repurchase,
    [STOCKCERT_CANCEL] = &stockcert_command_cancel,
    [STOCKCERT_CORRECT] = &stockcert_command_correct
};

_Static_assert(sizeof(stockcert_transaction_commands)
               / sizeof(stockcert_transaction_commands[0])
               == STOCKCERT_TRANSACTION_END, "each type has a command");


/* the type is the command's name, which argv[0] has behind "stockcert " */

static int
stockcert_tool_transaction(int argc, char **argv)
{
    int                      status;
    const char              *name;
    stockcert_str_t          actor;
    stockcert_order_t       *order;
    stockcert_tool_order_t   o;

    memset(&o, 0, sizeof(stockcert_tool_order_t));

    name = strchr(argv[0], ' ') + 1;

    o.type = stockcert_transaction_find(name);
    o.body = json_pack("{s:s}", "type", name);

    order = NULL;

    status = stockcert_tool_transaction_options(argc, argv, &o);

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_order_read(&o, &order);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_tool_etcd_read();
    }

    if (status == STOCKCERT_EXIT_OK) {
        stockcert_tool_actor(&actor);
        stockcert_order_set_actor(order, actor.data, actor.len);

        status = stockcert_tool_transact(argv[optind], order);
    }

    stockcert_order_free(order);
    json_decref(o.body);

    return status;
}


/* what the command may have; argv + optind is then the ledger's path */

static int
stockcert_tool_transaction_options(int argc, char **argv, stockcert_tool_order_t *o)
{
    int            c, status;
    size_t         i, n;
    unsigned       bit;
    struct option  options[STOCKCERT_OPTIONS + STOCKCERT_ETCD_OPTIONS + 1];

    static const struct option  etcd[] = { STOCKCERT_ETCD_TABLE };

    memset(options, 0, sizeof(options));

    bit = (unsigned) 1 << o->type;
    n = 0;

    for (i = 0; i < STOCKCERT_OPTIONS; i++) {

        if ((stockcert_order_options[i].must|stockcert_order_options[i].may)
            & bit)
        {
            options[n].name = stockcert_order_options[i].name;
            options[n].has_arg = required_argument;
            options[n++].val = (int) i;
        }
    }

    memcpy(options + n, etcd, sizeof(etcd));

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == '?') {
            return stockcert_tool_usage(stockcert_transaction_commands[o->type]);
        }

        if (stockcert_tool_etcd_option(c, optarg)) {
            continue;
        }

        status = stockcert_tool_transaction_option(o, c, optarg);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    if (o->file && (argc - optind != 1 || json_object_size(o->body) != 1)) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--json FILE takes the "
                                    "place of certificates and of all options "
                                    "but --key and those of etcd: give the "
                                    "ledger and these");
    }

    if (o->file == NULL
        && !stockcert_tool_transaction_usable(o, argc - optind - 1))
    {
        return stockcert_tool_usage(stockcert_transaction_commands[o->type]);
    }

    return o->file ? STOCKCERT_EXIT_OK
                   : stockcert_tool_transaction_from(o, argc - optind - 1,
                                                     argv + optind + 1);
}


static int
stockcert_tool_transaction_option(stockcert_tool_order_t *o, int row,
    const char *value)
{
    json_t      *json;
    uint64_t     n;
    const char  *name;

    name = stockcert_order_options[row].name;

    switch (row) {

    case STOCKCERT_OPTION_JSON:
        o->file = value;
        return STOCKCERT_EXIT_OK;

    case STOCKCERT_OPTION_KEY:
        o->key = value;
        return STOCKCERT_EXIT_OK;

    case STOCKCERT_OPTION_TO:
        return stockcert_tool_transaction_to(o, value);

    case STOCKCERT_OPTION_SHARES:
    case STOCKCERT_OPTION_CORRECTS:

        if (stockcert_parse_number(value, strlen(value), &n) != 0 || n == 0) {
            return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--%s takes a "
                                        "number from 1 to %" PRIu64 ", not "
                                        "\"%s\"", name,
                                        (uint64_t) STOCKCERT_SHARES_MAX, value);
        }

        json = json_integer((json_int_t) n);
        break;

    default:
        json = json_string(value);

        if (json == NULL) {
            return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the %s "
                                        "must be valid UTF-8", name);
        }
    }

    return json_object_set_new(o->body, stockcert_order_options[row].member,
                               json) == 0
           ? STOCKCERT_EXIT_OK
           : stockcert_tool_error(STOCKCERT_EXIT_FAILED, "there is no memory");
}


/* a name may have a ":", too */

static int
stockcert_tool_transaction_to(stockcert_tool_order_t *o, const char *value)
{
    json_t      *item, *name, *to;
    uint64_t     shares;
    const char  *colon;

    colon = strrchr(value, ':');

    if (colon == NULL
        || stockcert_parse_number(colon + 1, strlen(colon + 1), &shares) != 0
        || shares == 0)
    {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "--to takes a name, a "
                                    "colon and a number of shares from 1 to %"
                                    PRIu64 ", such as \"Bob:200000\", not \"%s\"",
                                    (uint64_t) STOCKCERT_SHARES_MAX, value);
    }

    name = json_stringn(value, (size_t) (colon - value));

    if (name == NULL) {
        return stockcert_tool_error(STOCKCERT_EXIT_NO, "refused: the name of "
                                    "--to must be valid UTF-8");
    }

    to = json_object_get(o->body, "to");

    if (json_array_size(to) == STOCKCERT_TO_MAX) {
        json_decref(name);
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "a transaction issues "
                                    "at most %d certificates and a balance: give "
                                    "--to as many times", STOCKCERT_TO_MAX);
    }

    if (to == NULL) {
        to = json_array();
        (void) json_object_set_new(o->body, "to", to);
    }

    item = json_pack("{s:o,s:I}", "name", name, "amount", (json_int_t) shares);

    return json_array_append_new(to, item) == 0
           ? STOCKCERT_EXIT_OK
           : stockcert_tool_error(STOCKCERT_EXIT_FAILED, "there is no memory");
}


/* whether all is there that is needed */

static int
stockcert_tool_transaction_usable(const stockcert_tool_order_t *o, int nfrom)
{
    size_t  i;

    for (i = 0; i < STOCKCERT_OPTIONS; i++) {

        if (stockcert_order_options[i].member
            && stockcert_order_options[i].must >> o->type & 1
            && !json_object_get(o->body, stockcert_order_options[i].member))
        {
            return 0;
        }
    }

    return nfrom > 0;
}


static int
stockcert_tool_transaction_from(stockcert_tool_order_t *o, int n, char **ids)
{
    int               i, status;
    json_t           *from;
    uint64_t          number;
    stockcert_str_t   code;

    if (n > STOCKCERT_FROM_MAX) {
        return stockcert_tool_error(STOCKCERT_EXIT_USAGE, "a transaction "
                                    "surrenders at most %d certificates, not %d",
                                    STOCKCERT_FROM_MAX, n);
    }

    from = json_array();

    for (i = 0; i < n; i++) {

        status = stockcert_tool_certificate(ids[i], &code, &number);
        if (status != STOCKCERT_EXIT_OK) {
            json_decref(from);
            return status;
        }

        (void) json_array_append_new(from, json_string(ids[i]));
    }

    (void) json_object_set_new(o->body, "from", from);

    /* what nothing came of is corrected by nothing */

    if (o->type == STOCKCERT_CORRECT && !json_object_get(o->body, "to")) {
        (void) json_object_set_new(o->body, "to", json_array());
    }

    return STOCKCERT_EXIT_OK;
}
