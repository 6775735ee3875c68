
/*
 * Configuration: where a ledger is, and how much it can take.
 *
 * It runs in the master, and opens no ledger.
 */


#include <ngx_http_stockcert.h>


#define NGX_HTTP_STOCKCERT_SIZE_MIN  (1024 * 1024)


static char *ngx_http_stockcert_real_path(ngx_conf_t *cf, ngx_str_t *path);
static ngx_uint_t ngx_http_stockcert_is_within(ngx_str_t *path, ngx_str_t *dir);
static u_char *ngx_http_stockcert_resolve(ngx_str_t *path, char *real);


char *
ngx_http_stockcert_path(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    char             *rv;
    ngx_str_t        *value;
    ngx_file_info_t   fi;

    value = cf->args->elts;

    if (ledger->path.len) {
        return "\"path\" directive is duplicate";
    }

    if (value[1].len == 0) {
        return ngx_http_stockcert_invalid(cf, "path", &value[1],
                                          "must not be empty");
    }

    if (ngx_http_script_variables_count(&value[1])) {
        return ngx_http_stockcert_invalid(cf, "path", &value[1],
                                          "must not have \"$\", as variables "
                                          "have no values here");
    }

    ledger->path = value[1];

    if (ngx_conf_full_name(cf->cycle, &ledger->path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ledger->configured = ledger->path.data;

    rv = ngx_http_stockcert_real_path(cf, &ledger->path);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_file_info(ledger->path.data, &fi) != NGX_FILE_ERROR
        && !ngx_is_dir(&fi))
    {
        return ngx_http_stockcert_invalid(cf, "path", &ledger->path,
                                          "must be a directory");
    }

    return NGX_CONF_OK;
}


/*
 * Each directory has one name only. realpath() resolves the part of the path
 * that is there, and the rest, which is made, has no links.
 */

static char *
ngx_http_stockcert_real_path(ngx_conf_t *cf, ngx_str_t *path)
{
    char     real[PATH_MAX];
    u_char  *p, *last, *next, *end, *there;

    end = path->data + path->len;

    there = ngx_http_stockcert_resolve(path, real);

    if (there == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "realpath() \"/\" failed");
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, ngx_strlen(real) + (end - there) + 2);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    path->data = p;

    last = ngx_cpymem(p, real, ngx_strlen(real));

    if (last == p + 1) {
        last--;
    }

    for (next = there; next < end; next = there) {

        /* a component, with the slash before it */

        for (there = next + 1; there < end && *there != '/'; there++) {
            /* void */
        }

        if (there - next == 1 || (there - next == 2 && next[1] == '.')) {
            continue;
        }

        if (there - next == 3 && next[1] == '.' && next[2] == '.') {

            while (last > p && *--last != '/') {
                /* void */
            }

            continue;
        }

        last = ngx_cpymem(last, next, there - next);
    }

    if (last == p) {
        *last++ = '/';
    }

    *last = '\0';
    path->len = last - p;

    return NGX_CONF_OK;
}


/* each ledger has a directory of its own: see stockcert_within.h */

char *
ngx_http_stockcert_check_path(ngx_conf_t *cf, ngx_array_t *ledgers,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t  **other, *in, *of;

    other = ledgers->elts;

    for (i = 0; i < ledgers->nelts; i++) {

        if (ngx_strcmp(other[i]->path.data, ledger->path.data) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "stockcert ledgers \"%V\" and \"%V\" have the "
                               "same path \"%V\"", &other[i]->name,
                               &ledger->name, &ledger->path);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_stockcert_is_within(&ledger->path, &other[i]->path)) {
            in = ledger;
            of = other[i];

        } else if (ngx_http_stockcert_is_within(&other[i]->path,
                                                &ledger->path))
        {
            in = other[i];
            of = ledger;

        } else {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the path \"%V\" of stockcert ledger \"%V\" is in "
                           "the directory of \"%V\", \"%V\": give it one of "
                           "its own",
                           &in->path, &in->name, &of->name, &of->path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_stockcert_is_within(ngx_str_t *path, ngx_str_t *dir)
{
    size_t  len;

    /* "/" has its slash already */

    len = dir->len == 1 ? 0 : dir->len;

    return path->len > len
           && ngx_strncmp(path->data, dir->data, len) == 0
           && path->data[len] == '/';
}


/* what is there of a path, into real; returns what is behind it, or NULL */

static u_char *
ngx_http_stockcert_resolve(ngx_str_t *path, char *real)
{
    char    *p;
    u_char  *there, ch;

    there = path->data + path->len;

    for ( ;; ) {
        ch = *there;
        *there = '\0';

        p = realpath(there == path->data ? "/" : (char *) path->data, real);

        *there = ch;

        if (p || there == path->data) {
            return p ? there : NULL;
        }

        do {
            there--;
        } while (*there != '/');
    }
}


char *
ngx_http_stockcert_size(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    off_t       size;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ledger->size) {
        return "\"size\" directive is duplicate";
    }

    size = ngx_parse_offset(&value[1]);

    if (size < NGX_HTTP_STOCKCERT_SIZE_MIN) {
        return ngx_http_stockcert_invalid(cf, "size", &value[1],
                                          "must be a number of bytes, at least "
                                          "1m, such as 64g");
    }

    /* LMDB needs whole pages */

    ledger->size = (size_t) (size - size % (off_t) ngx_pagesize);

    return NGX_CONF_OK;
}


char *
ngx_http_stockcert_create(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ledger->create != NGX_CONF_UNSET) {
        return "\"create\" directive is duplicate";
    }

    if (ngx_strcasecmp(value[1].data, (u_char *) "on") == 0) {
        ledger->create = 1;

    } else if (ngx_strcasecmp(value[1].data, (u_char *) "off") == 0) {
        ledger->create = 0;

    } else {
        return ngx_http_stockcert_invalid(cf, "value", &value[1],
                                          "must be \"on\" or \"off\"");
    }

    return NGX_CONF_OK;
}


/*
 * LMDB maps the whole size of each ledger, in every worker.  Check now that
 * there is room for it: otherwise workers would answer 503 for ever.
 */

char *
ngx_http_stockcert_reserve(ngx_conf_t *cf, ngx_array_t *ledgers)
{
    char                          *rv;
    void                         **maps;
    ngx_uint_t                     i;
    ngx_http_stockcert_ledger_t  **ledger;

    maps = ngx_palloc(cf->temp_pool, ledgers->nelts * sizeof(void *));
    if (maps == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = NGX_CONF_OK;
    ledger = ledgers->elts;

    for (i = 0; i < ledgers->nelts; i++) {

        maps[i] = mmap(NULL, ledger[i]->size, PROT_NONE,
                       MAP_PRIVATE|MAP_ANON|MAP_NORESERVE, -1, 0);

        if (maps[i] == MAP_FAILED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               "stockcert ledger \"%V\" needs %uz bytes of "
                               "address space, which cannot be had: make its "
                               "\"size\" smaller, or the limit larger "
                               "(ulimit -v, LimitAS= of systemd): mmap() "
                               "failed",
                               &ledger[i]->name, ledger[i]->size);
            rv = NGX_CONF_ERROR;
            break;
        }
    }

    while (i-- > 0) {
        (void) munmap(maps[i], ledger[i]->size);
    }

    return rv;
}
