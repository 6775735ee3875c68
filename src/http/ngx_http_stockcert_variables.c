
/*
 * What is remembered of a request, for counts and variables.
 *
 * It runs on the event loop.  Variables are added in the master.
 */


#include <ngx_http_stockcert.h>


static ngx_int_t ngx_http_stockcert_cert_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_stockcert_entry(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_stockcert_error_code(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_stockcert_wait_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_stockcert_replayed(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_stockcert_ledger_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_stockcert_found_value(ngx_http_variable_value_t *v,
    const u_char *data, size_t len);
static ngx_int_t ngx_http_stockcert_no_value(ngx_http_variable_value_t *v);


/* what a request has of these changes while it is answered */

static ngx_http_variable_t  ngx_http_stockcert_vars[] = {

    { ngx_string("stockcert_cert_id"), NULL, ngx_http_stockcert_cert_id, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("stockcert_entry"), NULL, ngx_http_stockcert_entry, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("stockcert_error"), NULL, ngx_http_stockcert_error_code, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("stockcert_wait_time"), NULL, ngx_http_stockcert_wait_time, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("stockcert_replayed"), NULL, ngx_http_stockcert_replayed, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("stockcert_ledger"), NULL, ngx_http_stockcert_ledger_name, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_stockcert_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_stockcert_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
    }

    return NGX_OK;
}


ngx_http_stockcert_ctx_t *
ngx_http_stockcert_ctx(ngx_http_request_t *r)
{
    ngx_http_stockcert_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_stockcert_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_stockcert_ctx_t));

        if (ctx == NULL) {
            return NULL;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_stockcert_module);
    }

    return ctx;
}


void
ngx_http_stockcert_note_refused(ngx_http_request_t *r,
    ngx_http_stockcert_problem_e problem, const ngx_str_t *error)
{
    ngx_http_stockcert_ctx_t       *ctx;
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    stockcert_count_refused(slcf->ledger->counts, ngx_worker, problem);

    ctx = ngx_http_stockcert_ctx(r);

    if (ctx) {
        ctx->error = error;
    }
}


void
ngx_http_stockcert_note_waited(ngx_http_request_t *r, uint64_t waited)
{
    ngx_http_stockcert_ctx_t  *ctx;

    ctx = ngx_http_stockcert_ctx(r);

    if (ctx) {
        ctx->waited = waited;
        ctx->has_waited = 1;
    }
}


void
ngx_http_stockcert_note_issued(ngx_http_request_t *r,
    const stockcert_slot_t *slot)
{
    ngx_http_stockcert_ctx_t  *ctx;

    ngx_http_stockcert_note_entered(r, slot->outcome.position,
                                    slot->outcome.replayed);

    ctx = ngx_http_stockcert_ctx(r);

    if (ctx) {
        ctx->number = slot->outcome.number;
        ctx->code_len = slot->grant.code_len;
        ngx_memcpy(ctx->code, slot->grant.code, slot->grant.code_len);
    }
}


void
ngx_http_stockcert_note_entered(ngx_http_request_t *r, uint64_t number,
    ngx_uint_t replayed)
{
    ngx_http_stockcert_ctx_t       *ctx;
    ngx_http_stockcert_loc_conf_t  *slcf;

    if (replayed) {
        slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

        stockcert_count_replay(slcf->ledger->counts, ngx_worker);
    }

    ctx = ngx_http_stockcert_ctx(r);

    if (ctx) {
        ctx->entry = number;
        ctx->replayed = replayed;
    }
}


static ngx_int_t
ngx_http_stockcert_cert_id(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                    *p;
    ngx_http_stockcert_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_stockcert_module);

    if (ctx == NULL || ctx->number == 0) {
        return ngx_http_stockcert_no_value(v);
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_STOCKCERT_ID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_stockcert_found_value(v, p,
               ngx_sprintf(p, "%*s-%uL", ctx->code_len, ctx->code, ctx->number)
               - p);
}


static ngx_int_t
ngx_http_stockcert_entry(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                    *p;
    ngx_http_stockcert_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_stockcert_module);

    if (ctx == NULL || ctx->entry == 0) {
        return ngx_http_stockcert_no_value(v);
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_stockcert_found_value(v, p,
                                          ngx_sprintf(p, "%uL", ctx->entry)
                                          - p);
}


static ngx_int_t
ngx_http_stockcert_error_code(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_stockcert_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_stockcert_module);

    if (ctx == NULL || ctx->error == NULL) {
        return ngx_http_stockcert_no_value(v);
    }

    return ngx_http_stockcert_found_value(v, ctx->error->data,
                                          ctx->error->len);
}


static ngx_int_t
ngx_http_stockcert_wait_time(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                    *p;
    uint64_t                   ms;
    ngx_http_stockcert_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_stockcert_module);

    if (ctx == NULL || !ctx->has_waited) {
        return ngx_http_stockcert_no_value(v);
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN + sizeof(".000"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ms = ctx->waited / 1000000;

    return ngx_http_stockcert_found_value(v, p,
                                          ngx_sprintf(p, "%uL.%03uL", ms / 1000,
                                                      ms % 1000)
                                          - p);
}


static ngx_int_t
ngx_http_stockcert_replayed(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_http_stockcert_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_stockcert_module);

    if (ctx == NULL || !ctx->replayed) {
        return ngx_http_stockcert_no_value(v);
    }

    return ngx_http_stockcert_found_value(v, (u_char *) "true",
                                          sizeof("true") - 1);
}


static ngx_int_t
ngx_http_stockcert_ledger_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_stockcert_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_stockcert_module);

    if (slcf->ledger == NULL) {
        return ngx_http_stockcert_no_value(v);
    }

    return ngx_http_stockcert_found_value(v, slcf->ledger->name.data,
                                          slcf->ledger->name.len);
}


/* nginx would keep what is valid, for other requests, too */

static ngx_int_t
ngx_http_stockcert_found_value(ngx_http_variable_value_t *v,
    const u_char *data, size_t len)
{
    v->data = (u_char *) data;
    v->len = len;
    v->valid = 0;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* "-" in a log, and empty elsewhere */

static ngx_int_t
ngx_http_stockcert_no_value(ngx_http_variable_value_t *v)
{
    v->not_found = 1;

    return NGX_OK;
}
