
/*
 * The module's map: its directives, and what happens when.
 *
 *     configuration   reads and checks "stockcert_ledger" blocks
 *                     (ngx_http_stockcert_conf.c, ngx_http_stockcert_place.c,
 *                     ngx_http_stockcert_paper.c).  "stockcert" makes a
 *                     location issue (ngx_http_stockcert_request.c),
 *                     "stockcert_status" and "stockcert_health" answer who
 *                     watches (ngx_http_stockcert_monitor.c).
 *                     "stockcert_url" says what its URLs begin with
 *                     (ngx_http_stockcert_url.c).
 *     master, start   makes the directories of the ledgers for the workers'
 *     and reload      user (ngx_http_stockcert_directory.c), and the memory
 *                     that workers share (ngx_http_stockcert_share.c).  It
 *                     never opens a ledger: so a fork inherits nothing of
 *                     LMDB, and "nginx -t" leaves no trace.
 *     worker, start   opens the ledgers (ngx_http_stockcert_share.c)
 *     worker, exit    closes them
 */


#include <ngx_http_stockcert_monitor.h>

#include <jansson.h>
#include <malloc.h>


#define NGX_HTTP_STOCKCERT_TRIM      (16 * 1024 * 1024)


static void *ngx_http_stockcert_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_stockcert_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_stockcert_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_stockcert_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_stockcert(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_stockcert_set_prefix(ngx_conf_t *cf,
    ngx_http_stockcert_loc_conf_t *slcf, ngx_str_t *location);
static ngx_int_t ngx_http_stockcert_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_stockcert_init_process(ngx_cycle_t *cycle);
static void ngx_http_stockcert_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_stockcert_commands[] = {

    { ngx_string("stockcert_ledger"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_stockcert_ledger,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("stockcert"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_stockcert,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("stockcert_url"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_stockcert_set_url,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("stockcert_transactions"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_stockcert_loc_conf_t, transactions),
      NULL },

    { ngx_string("stockcert_actor"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_stockcert_loc_conf_t, actor),
      NULL },

    { ngx_string("stockcert_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_stockcert_set_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("stockcert_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_stockcert_set_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_stockcert_module_ctx = {
    ngx_http_stockcert_add_variables,      /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_stockcert_create_main_conf,   /* create main configuration */
    ngx_http_stockcert_init_main_conf,     /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_stockcert_create_loc_conf,    /* create location configuration */
    ngx_http_stockcert_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_stockcert_module = {
    NGX_MODULE_V1,
    &ngx_http_stockcert_module_ctx,        /* module context */
    ngx_http_stockcert_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_stockcert_init_module,        /* init module */
    ngx_http_stockcert_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_stockcert_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_stockcert_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_stockcert_main_conf_t  *smcf;

    smcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_stockcert_main_conf_t));
    if (smcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&smcf->ledgers, cf->pool, 1,
                       sizeof(ngx_http_stockcert_ledger_t *))
        != NGX_OK
        || ngx_array_init(&smcf->locations, cf->pool, 1,
                          sizeof(ngx_http_stockcert_loc_conf_t *))
           != NGX_OK)
    {
        return NULL;
    }

    smcf->wake = -1;
    smcf->most = NGX_MAX_INT_T_VALUE;
    ngx_queue_init(&smcf->queue);

    return smcf;
}


/* a location may come before the ledger that it names */

static char *
ngx_http_stockcert_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_stockcert_main_conf_t *smcf = conf;

    ngx_uint_t                       i, j;
    ngx_http_stockcert_ledger_t    **ledgers;
    ngx_http_stockcert_loc_conf_t  **slcf;

    slcf = smcf->locations.elts;
    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->locations.nelts; i++) {

        if (slcf[i]->name.len == 0) {

            if (smcf->ledgers.nelts == 1) {
                slcf[i]->ledger = ledgers[0];
                continue;
            }

            if (smcf->ledgers.nelts == 0) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "\"stockcert\" has no ledger: declare one with "
                              "\"stockcert_ledger\" in the http block, in "
                              "%s:%ui", slcf[i]->file, slcf[i]->line);
                return NGX_CONF_ERROR;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"stockcert\" must name its ledger, as there are "
                          "%ui, in %s:%ui", smcf->ledgers.nelts,
                          slcf[i]->file, slcf[i]->line);
            return NGX_CONF_ERROR;
        }

        for (j = 0; j < smcf->ledgers.nelts; j++) {
            if (stockcert_same(ledgers[j]->name.data, ledgers[j]->name.len,
                               slcf[i]->name.data, slcf[i]->name.len))
            {
                slcf[i]->ledger = ledgers[j];
                break;
            }
        }

        if (slcf[i]->ledger == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown stockcert ledger \"%V\" in %s:%ui",
                          &slcf[i]->name, slcf[i]->file, slcf[i]->line);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_stockcert_reserve(cf, &smcf->ledgers);
}


static void *
ngx_http_stockcert_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_stockcert_loc_conf_t));
    if (slcf == NULL) {
        return NULL;
    }

    slcf->url = NGX_CONF_UNSET_PTR;
    slcf->transactions = NGX_CONF_UNSET;

    return slcf;
}


/*
 * Locations do not inherit "stockcert".  But "if" and "limit_except" blocks do,
 * because they serve the location that they are in.  All directives were read
 * by now.  So it is known which locations have another handler in the place of
 * ours, and which have none.
 */

static char *
ngx_http_stockcert_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_stockcert_loc_conf_t *prev = parent;
    ngx_http_stockcert_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_ptr_value(conf->url, prev->url, NULL);
    ngx_conf_merge_value(conf->transactions, prev->transactions, 0);

    if (conf->actor == NULL) {
        conf->actor = prev->actor;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && prev->handler) {
        *conf = *prev;

        if (clcf->lmt_excpt && clcf->handler == NULL) {
            clcf->handler = prev->handler;
        }

        return NGX_CONF_OK;
    }

    if (conf->handler && clcf->handler != conf->handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" " NGX_HTTP_STOCKCERT_CONFLICT " in %s:%ui",
                      &conf->directive, conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (prev->ledger && clcf->handler == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "location \"%V\" is inside the one with \"stockcert\" in "
                      "%s:%ui, and does not inherit it", &clcf->name,
                      prev->file, prev->line);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_stockcert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_stockcert_loc_conf_t *slcf = conf;

    char                             *rv;
    ngx_str_t                        *value;
    ngx_http_core_loc_conf_t         *clcf;
    ngx_http_stockcert_loc_conf_t   **location;
    ngx_http_stockcert_main_conf_t   *smcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    rv = ngx_http_stockcert_set_handler(cf, slcf, ngx_http_stockcert_handler);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    /* URIs are relative to the location's prefix */

    if (clcf->named
#if (NGX_PCRE)
        || clcf->regex
#endif
        )
    {
        return "cannot be used in a location given by regular expression, "
               "or inside named location";
    }

    /* nothing is below an exact location */

    if (!clcf->exact_match
        && ngx_http_stockcert_set_prefix(cf, slcf, &clcf->name) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (value[1].len == 0) {
            return "must name a ledger";
        }

        slcf->name = value[1];
    }

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_stockcert_module);

    location = ngx_array_push(&smcf->locations);
    if (location == NULL) {
        return NGX_CONF_ERROR;
    }

    *location = slcf;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_stockcert_set_prefix(ngx_conf_t *cf,
    ngx_http_stockcert_loc_conf_t *slcf, ngx_str_t *location)
{
    u_char     *p;
    uintptr_t   escape;

    escape = 2 * ngx_escape_uri(NULL, location->data, location->len,
                                NGX_ESCAPE_URI);

    p = ngx_pnalloc(cf->pool, location->len + escape + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    slcf->prefix.data = p;

    p = (u_char *) ngx_escape_uri(p, location->data, location->len,
                                  NGX_ESCAPE_URI);

    if (p == slcf->prefix.data || p[-1] != '/') {
        *p++ = '/';
    }

    slcf->prefix.len = p - slcf->prefix.data;

    return NGX_OK;
}


/*
 * An error here would end the master, even on a reload, and leave the workers
 * without one.  So it is only logged.  A worker that finds no ledger answers
 * 503 and tries again.
 */

static ngx_int_t
ngx_http_stockcert_init_module(ngx_cycle_t *cycle)
{
    char                             version[80];
    ngx_uint_t                       i;
    ngx_http_stockcert_ledger_t    **ledgers;
    ngx_http_stockcert_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_stockcert_module);

    if (ngx_test_config || smcf == NULL) {
        return NGX_OK;
    }

    stockcert_ledger_version(version, sizeof(version));

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "%s", version);

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        if (ledgers[i]->create) {
            ngx_http_stockcert_make_directory(cycle, ledgers[i]);
        }

        ngx_http_stockcert_tell_filesystem(cycle, ledgers[i]);
    }

    ngx_http_stockcert_share(cycle, smcf);

    return NGX_OK;
}


static ngx_int_t
ngx_http_stockcert_init_process(ngx_cycle_t *cycle)
{
    ngx_http_stockcert_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_stockcert_module);

    /* the cache manager and loader come here, too */

    if (smcf == NULL || smcf->ledgers.nelts == 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    /* otherwise jansson would seed itself at the first request */

    json_object_seed(0);

#ifdef M_TRIM_THRESHOLD

    /*
     * The requests of a batch are freed together, and as many come again at
     * once.  So their memory is kept, instead of given back to the system and
     * asked for again.
     */

    (void) mallopt(M_TRIM_THRESHOLD, NGX_HTTP_STOCKCERT_TRIM);

#endif

    /* an error here would end the worker for good; it tries again instead */

    (void) ngx_http_stockcert_join(cycle, smcf);

    return NGX_OK;
}


static void
ngx_http_stockcert_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_stockcert_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_stockcert_module);

    if (smcf) {
        ngx_http_stockcert_leave(smcf);
    }
}
