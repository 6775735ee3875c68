
/*
 * The module's map: its directives, and what happens when.
 *
 *     configuration   "stockcert_ledger" blocks are read and checked, whole
 *                     (ngx_http_stockcert_conf.c); "stockcert" makes a location
 *                     issue (ngx_http_stockcert_request.c)
 *     master, start   makes the directories of the ledgers for the workers'
 *     and reload      user, and the memory that they share; it never opens a
 *                     ledger, so nothing of LMDB is ever inherited over a fork,
 *                     and "nginx -t" leaves no trace
 *     worker, start   opens the ledgers (ngx_http_stockcert_commit.c)
 *     worker, exit    closes them
 */


#include <ngx_http_stockcert.h>

#include <jansson.h>
#include <malloc.h>


#define NGX_HTTP_STOCKCERT_TRIM  (16 * 1024 * 1024)


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
static ngx_int_t ngx_http_stockcert_make_directory(ngx_cycle_t *cycle,
    ngx_str_t *path);
static ngx_int_t ngx_http_stockcert_sync_parent(ngx_cycle_t *cycle,
    u_char *path);
static void ngx_http_stockcert_give_directory(ngx_cycle_t *cycle,
    ngx_str_t *path);
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

      ngx_null_command
};


static ngx_http_module_t  ngx_http_stockcert_module_ctx = {
    NULL,                                  /* preconfiguration */
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

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"stockcert\" must name its ledger, as there are "
                          "%ui, in %s:%ui", smcf->ledgers.nelts,
                          slcf[i]->file, slcf[i]->line);
            return NGX_CONF_ERROR;
        }

        for (j = 0; j < smcf->ledgers.nelts; j++) {
            if (ledgers[j]->name.len == slcf[i]->name.len
                && ngx_strncmp(ledgers[j]->name.data, slcf[i]->name.data,
                               slcf[i]->name.len)
                   == 0)
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

    return NGX_CONF_OK;
}


static void *
ngx_http_stockcert_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_stockcert_loc_conf_t));
}


/*
 * Locations do not inherit, but "if" and "limit_except" blocks do, as they
 * serve the location that they are in.
 */

static char *
ngx_http_stockcert_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_stockcert_loc_conf_t *prev = parent;
    ngx_http_stockcert_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && prev->ledger) {
        *conf = *prev;

        if (clcf->lmt_excpt && clcf->handler == NULL) {
            clcf->handler = ngx_http_stockcert_handler;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_stockcert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_stockcert_loc_conf_t *slcf = conf;

    ngx_str_t                        *value;
    ngx_http_core_loc_conf_t         *clcf;
    ngx_http_stockcert_loc_conf_t   **location;
    ngx_http_stockcert_main_conf_t   *smcf;

    if (slcf->file) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

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

    if (ngx_http_stockcert_set_prefix(cf, slcf, &clcf->name) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (value[1].len == 0) {
            return "must name a ledger";
        }

        slcf->name = value[1];
    }

    slcf->file = cf->conf_file->file.name.data;
    slcf->line = cf->conf_file->line;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_stockcert_module);

    location = ngx_array_push(&smcf->locations);
    if (location == NULL) {
        return NGX_CONF_ERROR;
    }

    *location = slcf;

    clcf->handler = ngx_http_stockcert_handler;

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
 * without one.  So it is logged only: a worker that finds no ledger answers 503
 * and tries again.
 */

static ngx_int_t
ngx_http_stockcert_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_http_stockcert_ledger_t    **ledgers;
    ngx_http_stockcert_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_stockcert_module);

    if (ngx_test_config || smcf == NULL) {
        return NGX_OK;
    }

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        if (ngx_http_stockcert_make_directory(cycle, &ledgers[i]->path)
            == NGX_OK)
        {
            ngx_http_stockcert_give_directory(cycle, &ledgers[i]->path);
        }
    }

    ngx_http_stockcert_share(cycle, smcf);

    return NGX_OK;
}


/* with its parents, each flushed to disk in the directory that has it */

static ngx_int_t
ngx_http_stockcert_make_directory(ngx_cycle_t *cycle, ngx_str_t *path)
{
    u_char  *p, ch;

    for (p = path->data + 1; p <= path->data + path->len; p++) {

        if (*p != '/' && *p != '\0') {
            continue;
        }

        ch = *p;
        *p = '\0';

        if (ngx_create_dir(path->data, ch ? 0755 : 0700) == NGX_FILE_ERROR) {

            if (ngx_errno != NGX_EEXIST) {
                ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                              ngx_create_dir_n " \"%s\" failed", path->data);
                *p = ch;
                return NGX_ERROR;
            }

        } else if (ngx_http_stockcert_sync_parent(cycle, path->data)
                   != NGX_OK)
        {
            *p = ch;
            return NGX_ERROR;
        }

        *p = ch;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_stockcert_sync_parent(ngx_cycle_t *cycle, u_char *path)
{
    u_char    *slash;
    ngx_fd_t   fd;
    ngx_int_t  rc;

    slash = (u_char *) strrchr((char *) path, '/');

    if (slash == path) {
        fd = ngx_open_file((u_char *) "/", NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    } else {
        *slash = '\0';
        fd = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
        *slash = '/';
    }

    rc = NGX_OK;

    if (fd == NGX_INVALID_FILE || fsync(fd) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "fsync() of the parent of \"%s\" failed", path);
        rc = NGX_ERROR;
    }

    if (fd != NGX_INVALID_FILE && ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      ngx_close_file_n " \"%s\" failed", path);
    }

    return rc;
}


/*
 * A master that is root gives the ledger to the user that its workers become.
 * Links are not followed: the workers' user could have laid them.
 */

static void
ngx_http_stockcert_give_directory(ngx_cycle_t *cycle, ngx_str_t *path)
{
    int               fd;
    ngx_uint_t        i;
    const char       *name;
    struct stat       st;
    ngx_core_conf_t  *ccf;

    static const char  *names[] = { ".", "data.mdb", "lock.mdb" };

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (geteuid() != 0 || !ccf->master
        || ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT)
    {
        return;
    }

    fd = open((char *) path->data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", path);
        return;
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        name = names[i];

        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {

            if (ngx_errno != NGX_ENOENT) {
                ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                              "fstatat() \"%V/%s\" failed", path, name);
            }

            continue;
        }

        if (st.st_uid != ccf->user
            && fchownat(fd, name, ccf->user, (gid_t) -1, AT_SYMLINK_NOFOLLOW)
               == -1)
        {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          "fchownat() \"%V/%s\" failed", path, name);
        }
    }

    (void) close(fd);
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

    /* jansson would seed itself at the first request */

    json_object_seed(0);

#ifdef M_TRIM_THRESHOLD

    /*
     * the requests of a batch are freed together, and as many come again at
     * once: do not give back to the system what they had, to ask for it again
     */

    (void) mallopt(M_TRIM_THRESHOLD, NGX_HTTP_STOCKCERT_TRIM);

#endif

    /* an error here would end the worker for good; it is tried again */

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
