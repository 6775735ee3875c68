
/*
 * Lines of the log that more than one source writes.
 *
 * Any thread may log with a log of its own.
 */


#include <ngx_http_stockcert_lane.h>
#include <stockcert_text.h>


char *
ngx_http_stockcert_invalid(ngx_conf_t *cf, const char *what, ngx_str_t *value,
    const char *fault)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %s \"%V\": %s", what,
                       value, fault);

    return NGX_CONF_ERROR;
}


void
ngx_http_stockcert_log(ngx_log_t *log, ngx_http_stockcert_ledger_t *ledger,
    const stockcert_error_t *error)
{
    char  text[NGX_MAX_ERROR_STR];

    (void) stockcert_text_escape(error->text, ngx_strlen(error->text), text,
                                 sizeof(text));

    ngx_log_error(NGX_LOG_CRIT, log, 0, "stockcert ledger \"%V\" in \"%V\": %s",
                  &ledger->name, &ledger->path, text);
}
