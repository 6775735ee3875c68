
/*
 * Configuration: "incorporated", "officer", "par" and "legend", which
 * certificates show.
 *
 * It runs in the master.
 */


#include <ngx_http_stockcert.h>
#include <stockcert_text.h>


#define NGX_HTTP_STOCKCERT_LEGEND_SHOWN  64    /* bytes */


static char *ngx_http_stockcert_text(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, stockcert_str_t *str);


char *
ngx_http_stockcert_incorporated(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ledger->paper.state.len) {
        return "\"incorporated\" directive is duplicate";
    }

    return ngx_http_stockcert_text(cf, "state", &value[1],
                                   &ledger->paper.state);
}


char *
ngx_http_stockcert_officer(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    char               *rv;
    ngx_str_t          *value;
    stockcert_paper_t  *paper;

    value = cf->args->elts;
    paper = &ledger->paper;

    if (paper->nofficers == STOCKCERT_OFFICERS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "stockcert ledger \"%V\" has more than %d officers",
                           &ledger->name, STOCKCERT_OFFICERS);
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_stockcert_text(cf, "officer", &value[1],
                                 &paper->officers[paper->nofficers]);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_http_stockcert_text(cf, "title of an officer", &value[2],
                                 &paper->offices[paper->nofficers]);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    paper->nofficers++;

    return NGX_CONF_OK;
}


/* the class may come later in the block, so it is checked at its end */

char *
ngx_http_stockcert_par(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    ngx_str_t                 *value;
    ngx_http_stockcert_par_t  *par;

    value = cf->args->elts;

    if (ngx_http_stockcert_find_par(ledger, (char *) value[1].data,
                                    value[1].len)
        != NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate par value of class \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    par = ngx_array_push(&ledger->pars);
    if (par == NULL) {
        return NGX_CONF_ERROR;
    }

    par->code = value[1];

    return ngx_http_stockcert_text(cf, "par value", &value[2], &par->value);
}


ngx_http_stockcert_par_t *
ngx_http_stockcert_find_par(ngx_http_stockcert_ledger_t *ledger,
    const char *code, size_t len)
{
    ngx_uint_t                 i;
    ngx_http_stockcert_par_t  *par;

    par = ledger->pars.elts;

    for (i = 0; i < ledger->pars.nelts; i++) {
        if (stockcert_same(par[i].code.data, par[i].code.len, code, len)) {
            return &par[i];
        }
    }

    return NULL;
}


char *
ngx_http_stockcert_check_pars(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_uint_t                 i;
    stockcert_str_t            code;
    ngx_http_stockcert_par_t  *par;

    par = ledger->pars.elts;

    for (i = 0; i < ledger->pars.nelts; i++) {
        code.len = par[i].code.len;
        code.data = (char *) par[i].code.data;

        if (stockcert_class_of(ledger->classes.elts, ledger->classes.nelts,
                               &code)
            == NULL)
        {
            return ngx_http_stockcert_invalid(cf, "class of a par value",
                                              &par[i].code,
                                              "must be one of the ledger's");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_stockcert_legend(ngx_conf_t *cf, ngx_http_stockcert_ledger_t *ledger)
{
    ngx_str_t          *value;
    const char         *fault;
    stockcert_str_t    *legend;
    stockcert_paper_t  *paper;

    value = cf->args->elts;
    paper = &ledger->paper;

    if (paper->nlegends == STOCKCERT_LEGENDS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "stockcert ledger \"%V\" has more than %d legends",
                           &ledger->name, STOCKCERT_LEGENDS_MAX);
        return NGX_CONF_ERROR;
    }

    fault = stockcert_legend_fault((char *) value[1].data, value[1].len);
    if (fault) {

        /* otherwise the log's line would end before the reason */

        value[1].len = ngx_min(value[1].len, NGX_HTTP_STOCKCERT_LEGEND_SHOWN);

        return ngx_http_stockcert_invalid(cf, "legend", &value[1], fault);
    }

    legend = &paper->legends[paper->nlegends++];
    legend->len = value[1].len;
    legend->data = (char *) value[1].data;

    return NGX_CONF_OK;
}


static char *
ngx_http_stockcert_text(ngx_conf_t *cf, const char *what, ngx_str_t *value,
    stockcert_str_t *str)
{
    const char  *fault;

    fault = stockcert_new_text_fault((char *) value->data, value->len);
    if (fault) {
        return ngx_http_stockcert_invalid(cf, what, value, fault);
    }

    str->len = value->len;
    str->data = (char *) value->data;

    return NGX_CONF_OK;
}
