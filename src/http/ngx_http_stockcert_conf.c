
/*
 * Configuration: reads and checks the "stockcert_ledger" blocks.
 *
 * It runs in the master, and opens no ledger.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_text.h>


#define NGX_HTTP_STOCKCERT_SIZE  ((size_t) 64 * 1024 * 1024 * 1024)


typedef char *(*ngx_http_stockcert_setter_pt)(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);


typedef struct {
    ngx_str_t                      name;
    ngx_uint_t                     nargs;      /* with its name; 0: 2 or more */
    ngx_http_stockcert_setter_pt   set;
} ngx_http_stockcert_directive_t;


static ngx_http_stockcert_ledger_t *ngx_http_stockcert_create_ledger(
    ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_stockcert_init_ledger(ngx_conf_t *cf,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_ledger_t *ledger);
static char *ngx_http_stockcert_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_stockcert_include(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
static char *ngx_http_stockcert_company(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);
static char *ngx_http_stockcert_class(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger);


static ngx_http_stockcert_directive_t  ngx_http_stockcert_directives[] = {

    { ngx_string("include"), 2, ngx_http_stockcert_include },
    { ngx_string("path"), 2, ngx_http_stockcert_path },
    { ngx_string("size"), 2, ngx_http_stockcert_size },
    { ngx_string("create"), 2, ngx_http_stockcert_create },
    { ngx_string("company"), 2, ngx_http_stockcert_company },
    { ngx_string("class"), 4, ngx_http_stockcert_class },
    { ngx_string("etcd"), 0, ngx_http_stockcert_etcd },
    { ngx_string("etcd_prefix"), 2, ngx_http_stockcert_etcd_prefix },
    { ngx_string("etcd_timeout"), 2, ngx_http_stockcert_etcd_timeout },
    { ngx_string("etcd_keep"), 2, ngx_http_stockcert_etcd_keep },
    { ngx_string("etcd_user"), 3, ngx_http_stockcert_etcd_user },
    { ngx_string("etcd_trusted_certificate"), 2,
      ngx_http_stockcert_etcd_trusted },
    { ngx_string("etcd_certificate"), 2, ngx_http_stockcert_etcd_certificate },
    { ngx_string("etcd_certificate_key"), 2, ngx_http_stockcert_etcd_key },
    { ngx_string("incorporated"), 2, ngx_http_stockcert_incorporated },
    { ngx_string("officer"), 3, ngx_http_stockcert_officer },
    { ngx_string("par"), 3, ngx_http_stockcert_par },
    { ngx_string("legend"), 2, ngx_http_stockcert_legend },

    { ngx_null_string, 0, NULL }
};


char *
ngx_http_stockcert_ledger(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_stockcert_main_conf_t *smcf = conf;

    char                          *rv;
    ngx_str_t                     *value;
    ngx_conf_t                     save;
    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t   *ledger, **ledgers;

    value = cf->args->elts;
    ledgers = smcf->ledgers.elts;

    if (value[1].len == 0) {
        return ngx_http_stockcert_invalid(cf, "ledger name", &value[1],
                                          "must not be empty");
    }

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        if (stockcert_same(ledgers[i]->name.data, ledgers[i]->name.len,
                           value[1].data, value[1].len))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate stockcert ledger \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    ledger = ngx_http_stockcert_create_ledger(cf, &value[1]);
    if (ledger == NULL) {
        return NGX_CONF_ERROR;
    }

    save = *cf;
    cf->handler = ngx_http_stockcert_directive;
    cf->handler_conf = (char *) ledger;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_stockcert_init_ledger(cf, smcf, ledger);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ledgers = ngx_array_push(&smcf->ledgers);
    if (ledgers == NULL) {
        return NGX_CONF_ERROR;
    }

    *ledgers = ledger;

    return NGX_CONF_OK;
}


static ngx_http_stockcert_ledger_t *
ngx_http_stockcert_create_ledger(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_stockcert_ledger_t  *ledger;

    ledger = ngx_pcalloc(cf->pool, sizeof(ngx_http_stockcert_ledger_t));
    if (ledger == NULL) {
        return NULL;
    }

    ledger->name = *name;
    ledger->create = NGX_CONF_UNSET;

    if (ngx_array_init(&ledger->classes, cf->pool, 4,
                       sizeof(stockcert_class_t))
        != NGX_OK
        || ngx_array_init(&ledger->pars, cf->pool, 4,
                          sizeof(ngx_http_stockcert_par_t))
           != NGX_OK)
    {
        return NULL;
    }

    ledger->thread_pool = ngx_thread_pool_add(cf, NULL);

    return ledger->thread_pool ? ledger : NULL;
}


/* the block has been read: what it must have, and what it may leave out */

static char *
ngx_http_stockcert_init_ledger(ngx_conf_t *cf,
    ngx_http_stockcert_main_conf_t *smcf, ngx_http_stockcert_ledger_t *ledger)
{
    char  *rv;

    if (ledger->path.len == 0 || ledger->company.len == 0
        || ledger->classes.nelts == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"%s\" is defined in stockcert ledger \"%V\"",
                           ledger->path.len == 0 ? "path"
                           : ledger->company.len == 0 ? "company" : "class",
                           &ledger->name);
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_stockcert_check_pars(cf, ledger);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ledger->size == 0) {
        ledger->size = NGX_HTTP_STOCKCERT_SIZE;
    }

    ngx_conf_init_value(ledger->create, 1);

    rv = ngx_http_stockcert_init_etcd(cf, ledger);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_stockcert_check_path(cf, &smcf->ledgers, ledger);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_stockcert_share_counts(cf, ledger);
}


static char *
ngx_http_stockcert_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_stockcert_ledger_t *ledger = conf;

    ngx_str_t                       *value;
    ngx_http_stockcert_directive_t  *d;

    value = cf->args->elts;

    for (d = ngx_http_stockcert_directives; d->name.len; d++) {

        if (value[0].len != d->name.len
            || ngx_strcmp(value[0].data, d->name.data) != 0)
        {
            continue;
        }

        if (d->nargs ? cf->args->nelts != d->nargs : cf->args->nelts < 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number of arguments in \"%V\" "
                               "directive", &value[0]);
            return NGX_CONF_ERROR;
        }

        return d->set(cf, ledger);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%V\"",
                       &value[0]);

    return NGX_CONF_ERROR;
}


/* the included file's directives come here, too: cf->handler stays */

static char *
ngx_http_stockcert_include(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    return ngx_conf_include(cf, NULL, NULL);
}


static char *
ngx_http_stockcert_company(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    size_t       len;
    ngx_str_t   *value;
    const char  *fault;

    value = cf->args->elts;

    if (ledger->company.len) {
        return "\"company\" directive is duplicate";
    }

    /* an old ledger may have such a name; a new ledger may not */

    fault = stockcert_text_fault((char *) value[1].data, value[1].len);
    if (fault) {
        return ngx_http_stockcert_invalid(cf, "company", &value[1], fault);
    }

    ledger->company = value[1];

    len = value[1].len + ngx_escape_json(NULL, value[1].data, value[1].len);

    ledger->company_json.len = len;
    ledger->company_json.data = ngx_pnalloc(cf->pool, len);
    if (ledger->company_json.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_escape_json(ledger->company_json.data, value[1].data, value[1].len);

    return NGX_CONF_OK;
}


static char *
ngx_http_stockcert_class(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    off_t               shares;
    ngx_str_t          *value;
    const char         *fault;
    stockcert_str_t     code;
    stockcert_class_t  *class;

    value = cf->args->elts;

    fault = stockcert_code_fault((char *) value[1].data, value[1].len);
    if (fault) {
        return ngx_http_stockcert_invalid(cf, "class code", &value[1], fault);
    }

    shares = ngx_atoof(value[2].data, value[2].len);

    if (shares < 1 || shares > STOCKCERT_SHARES_MAX) {
        return ngx_http_stockcert_invalid(cf, "number of shares", &value[2],
                                          "must be 1 to 9007199254740991");
    }

    fault = stockcert_new_text_fault((char *) value[3].data, value[3].len);
    if (fault) {
        return ngx_http_stockcert_invalid(cf, "class title", &value[3], fault);
    }

    code.len = value[1].len;
    code.data = (char *) value[1].data;

    if (stockcert_class_of(ledger->classes.elts, ledger->classes.nelts, &code))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate class \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ledger->classes.nelts == STOCKCERT_CLASSES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "stockcert ledger \"%V\" has more than %d classes",
                           &ledger->name, STOCKCERT_CLASSES_MAX);
        return NGX_CONF_ERROR;
    }

    class = ngx_array_push(&ledger->classes);
    if (class == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(class, sizeof(stockcert_class_t));

    class->code = code;
    class->title.len = value[3].len;
    class->title.data = (char *) value[3].data;
    class->authorized = (uint64_t) shares;

    return NGX_CONF_OK;
}
