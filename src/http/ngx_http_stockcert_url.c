
/*
 * URLs: what a request's URL names, and the URLs in answers.  The latter begin
 * with the location's prefix, or with "stockcert_url".  They are put into
 * headers, JSON, HTML and on paper, so they have no character that has a
 * meaning there, even where variables made them.
 *
 * It runs on the event loop, and for the directive in the master.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_format.h>
#include <stockcert_text.h>


#define NGX_HTTP_STOCKCERT_URL_MAX     255    /* bytes of stockcert_url */

#define NGX_HTTP_STOCKCERT_URL_SCHEME  "must begin with http:// or https://"
#define NGX_HTTP_STOCKCERT_URL_END     "must end with \"/\""
#define NGX_HTTP_STOCKCERT_URL_CHARS                                          \
    "must not have quotes, spaces, control characters or others that a URL "  \
    "has to escape, nor \"?\" or \"#\""


static ngx_int_t ngx_http_stockcert_target_transactions(ngx_http_request_t *r,
    const ngx_str_t *rest, ngx_http_stockcert_target_t *target);
static ngx_int_t ngx_http_stockcert_below(ngx_http_request_t *r,
    ngx_str_t *rest);
static const char *ngx_http_stockcert_variable_url_fault(ngx_str_t *value);
static const char *ngx_http_stockcert_url_fault(ngx_str_t *url);
static ngx_uint_t ngx_http_stockcert_is_plain(ngx_str_t *url,
    ngx_uint_t variables);
static ngx_int_t ngx_http_stockcert_origin(ngx_http_request_t *r,
    ngx_str_t *origin);


ngx_int_t
ngx_http_stockcert_target(ngx_http_request_t *r,
    ngx_http_stockcert_target_t *target)
{
    ngx_int_t        rc;
    ngx_str_t        rest;
    stockcert_str_t  code;

    ngx_str_null(&target->code);
    target->number = 0;
    target->html = 0;
    target->print = 0;
    target->negotiated = 0;
    target->transactions = 0;

    if (ngx_http_stockcert_below(r, &rest) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (rest.len == 0) {
        return NGX_OK;
    }

    rc = ngx_http_stockcert_target_transactions(r, &rest, target);
    if (rc != NGX_DECLINED) {
        return rc == NGX_OK ? NGX_OK : NGX_DECLINED;
    }

    if (rest.len > sizeof(".html") - 1
        && ngx_strncmp(rest.data + rest.len - (sizeof(".html") - 1), ".html",
                       sizeof(".html") - 1)
           == 0)
    {
        rest.len -= sizeof(".html") - 1;
        target->html = 1;
    }

    target->code = rest;

    if (ngx_strlchr(rest.data, rest.data + rest.len, '-')) {

        if (stockcert_parse_id((char *) rest.data, rest.len, &code,
                               &target->number)
            != 0)
        {
            return NGX_DECLINED;
        }

        target->code.len = code.len;

    } else {
        target->print = target->html;
    }

    if (stockcert_code_fault((char *) target->code.data, target->code.len)) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* NGX_DECLINED for what is none of theirs, NGX_ERROR for what can be nothing */

static ngx_int_t
ngx_http_stockcert_target_transactions(ngx_http_request_t *r,
    const ngx_str_t *rest, ngx_http_stockcert_target_t *target)
{
    u_char                         *p;
    size_t                          len;
    ngx_http_stockcert_loc_conf_t  *slcf;

    static ngx_str_t  transactions = ngx_string("transactions");

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    if (!slcf->transactions || rest->len < transactions.len
        || ngx_memcmp(rest->data, transactions.data, transactions.len) != 0)
    {
        return NGX_DECLINED;
    }

    target->transactions = 1;

    if (rest->len == transactions.len) {
        return NGX_OK;
    }

    p = rest->data + transactions.len;
    len = rest->len - transactions.len - 1;

    return p[0] == '/' && len && p[1] != '0'
           && stockcert_parse_number((char *) p + 1, len, &target->number) == 0
           ? NGX_OK : NGX_ERROR;
}


/*
 * Finds what the URI has below the location's prefix.  "rewrite" may have
 * removed the prefix.
 */

static ngx_int_t
ngx_http_stockcert_below(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_str_t                 *name;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = &clcf->name;

    if (r->uri.len < name->len
        || ngx_memcmp(r->uri.data, name->data, name->len) != 0)
    {
        return NGX_DECLINED;
    }

    rest->data = r->uri.data + name->len;
    rest->len = r->uri.len - name->len;

    if (rest->len == 0) {
        return NGX_OK;
    }

    if (clcf->exact_match) {
        return NGX_DECLINED;
    }

    /* "location /acme" also gets /acme/CS, but /acmeCS is not below it */

    if (name->len == 0 || name->data[name->len - 1] != '/') {

        if (rest->data[0] != '/') {
            return NGX_DECLINED;
        }

        rest->data++;
        rest->len--;
    }

    return NGX_OK;
}


char *
ngx_http_stockcert_set_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_stockcert_loc_conf_t *slcf = conf;

    ngx_str_t                         *value;
    const char                        *fault;
    ngx_http_compile_complex_value_t   ccv;

    if (slcf->url != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    fault = ngx_http_script_variables_count(&value[1])
            ? ngx_http_stockcert_variable_url_fault(&value[1])
            : ngx_http_stockcert_url_fault(&value[1]);

    if (fault) {
        return ngx_http_stockcert_invalid(cf, "URL", &value[1], fault);
    }

    slcf->url = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (slcf->url == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = slcf->url;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * checks what is known: the parts before the first variable and after the last
 */

static const char *
ngx_http_stockcert_variable_url_fault(ngx_str_t *value)
{
    u_char  *p, *last;
    size_t   len;

    last = value->data + value->len;
    len = ngx_strlchr(value->data, last, '$') - value->data;

    if (ngx_strncasecmp(value->data, (u_char *) "http://", ngx_min(len, 7))
        != 0
        && ngx_strncasecmp(value->data, (u_char *) "https://",
                           ngx_min(len, 8))
           != 0)
    {
        return NGX_HTTP_STOCKCERT_URL_SCHEME;
    }

    if (!ngx_http_stockcert_is_plain(value, 1)) {
        return NGX_HTTP_STOCKCERT_URL_CHARS;
    }

    for (p = last - 1; *p != '$'; p--) {

        if (strchr("/.-~:[]!&()*+,;=@%", *p)) {
            return last[-1] == '/' ? NULL : NGX_HTTP_STOCKCERT_URL_END;
        }
    }

    /* a variable at the end may give the slash */

    return p[1] == '{' && last[-1] != '}' ? NGX_HTTP_STOCKCERT_URL_END : NULL;
}


/* returns NULL, or what it must be */

static const char *
ngx_http_stockcert_url_fault(ngx_str_t *url)
{
    u_char  *host, *last, *p;

    if (url->len > NGX_HTTP_STOCKCERT_URL_MAX) {
        return "must have at most 255 bytes";
    }

    if (!ngx_http_stockcert_is_plain(url, 0)) {
        return NGX_HTTP_STOCKCERT_URL_CHARS;
    }

    if (url->len >= 7
        && ngx_strncasecmp(url->data, (u_char *) "http://", 7) == 0)
    {
        host = url->data + 7;

    } else if (url->len >= 8
               && ngx_strncasecmp(url->data, (u_char *) "https://", 8) == 0)
    {
        host = url->data + 8;

    } else {
        return NGX_HTTP_STOCKCERT_URL_SCHEME;
    }

    last = url->data + url->len;

    for (p = host; p < last && *p != '/'; p++) {

        if (strchr("!$&()*+,;=@%~", *p) || (p == host && *p == ':')) {
            return "must name a host";
        }
    }

    if (p == host) {
        return "must name a host";
    }

    return last[-1] == '/' ? NULL : NGX_HTTP_STOCKCERT_URL_END;
}


/* RFC 3986, without what ends a path and without the single quote */

static ngx_uint_t
ngx_http_stockcert_is_plain(ngx_str_t *url, ngx_uint_t variables)
{
    size_t  i;

    for (i = 0; i < url->len; i++) {

        if (url->data[i] <= ' ' || url->data[i] >= 0x7f
            || strchr("\"'<>\\^`|?#", url->data[i])
            || (!variables && strchr("{}", url->data[i])))
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_stockcert_base(ngx_http_request_t *r, ngx_str_t *base)
{
    char                            text[4 * NGX_HTTP_STOCKCERT_URL_MAX];
    const char                     *fault;
    ngx_http_stockcert_loc_conf_t  *slcf;

    static time_t                   logged;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    if (slcf->url) {

        if (ngx_http_complex_value(r, slcf->url, base) != NGX_OK) {
            return NGX_ERROR;
        }

        fault = ngx_http_stockcert_url_fault(base);

        if (fault == NULL) {
            return NGX_OK;
        }

        /* a client may send many of these: one line a second is enough */

        if (logged != ngx_time()) {
            logged = ngx_time();

            (void) stockcert_text_escape((char *) base->data, base->len, text,
                                         sizeof(text));

            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "invalid stockcert_url \"%s\": %s; the location's "
                          "path is told instead", text, fault);
        }
    }

    *base = slcf->prefix;

    return NGX_OK;
}


ngx_int_t
ngx_http_stockcert_url(ngx_http_request_t *r, const stockcert_entry_t *issued,
    ngx_uint_t whole, ngx_str_t *url)
{
    ngx_str_t  base, origin;

    ngx_str_null(&origin);

    if (ngx_http_stockcert_base(r, &base) != NGX_OK) {
        return NGX_ERROR;
    }

    if (whole && base.len && base.data[0] == '/'
        && ngx_http_stockcert_origin(r, &origin) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (base.len == 0 || (whole && base.data[0] == '/' && origin.len == 0)) {
        ngx_str_null(url);
        return NGX_OK;
    }

    url->data = ngx_pnalloc(r->pool, origin.len + base.len + issued->code.len
                                     + sizeof("-") + NGX_INT64_LEN);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    url->len = ngx_sprintf(url->data, "%V%V%*s-%uL", &origin, &base,
                           issued->code.len, issued->code.data,
                           issued->number)
               - url->data;
    url->data[url->len] = '\0';

    return NGX_OK;
}


/*
 * The host as the client names it in Host.  Otherwise the server's name, if
 * that can be a host's name ("_" cannot), and the port.  Empty if neither is
 * known.
 */

static ngx_int_t
ngx_http_stockcert_origin(ngx_http_request_t *r, ngx_str_t *origin)
{
    size_t                     i;
    in_port_t                  port, usual;
    ngx_str_t                  host;
    const char                *scheme;
    ngx_http_core_srv_conf_t  *cscf;

    scheme = "http";
    usual = 80;

#if (NGX_HTTP_SSL)

    if (r->connection->ssl) {
        scheme = "https";
        usual = 443;
    }

#endif

    if (r->headers_in.host) {
        host = r->headers_in.host->value;
        port = 0;

    } else {
        cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
        host = r->headers_in.server.len ? r->headers_in.server
                                        : cscf->server_name;

        if (ngx_connection_local_sockaddr(r->connection, NULL, 0) != NGX_OK) {
            return NGX_ERROR;
        }

        port = ngx_inet_get_port(r->connection->local_sockaddr);
    }

    if (host.len == 0) {
        return NGX_OK;
    }

    /* a server's name with "_" matches any host; a Host may contain "_" */

    for (i = 0; i < host.len; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyz"
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", host.data[i])
            && (host.data[i] != '_' || r->headers_in.host == NULL))
        {
            return NGX_OK;
        }
    }

    origin->data = ngx_pnalloc(r->pool, sizeof("https://:65535") + host.len);
    if (origin->data == NULL) {
        return NGX_ERROR;
    }

    origin->len = ngx_sprintf(origin->data, "%s://%V", scheme, &host)
                  - origin->data;

    if (port && port != usual) {
        origin->len = ngx_sprintf(origin->data + origin->len, ":%d",
                                  (int) port)
                      - origin->data;
    }

    return NGX_OK;
}
