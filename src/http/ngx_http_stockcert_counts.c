
/*
 * The memory that a ledger's counts are in (stockcert_count.h): a zone of
 * nginx's, which a reload keeps.
 *
 * It runs in the master.
 */


#include <ngx_http_stockcert.h>


#define NGX_HTTP_STOCKCERT_ZONE  "stockcert:"
#define NGX_HTTP_STOCKCERT_SLAB  8         /* pages that nginx needs besides */


static ngx_int_t ngx_http_stockcert_init_counts(ngx_shm_zone_t *zone,
    void *data);


/* a ledger is what is in its directory, whatever its name is */

char *
ngx_http_stockcert_share_counts(ngx_conf_t *cf,
    ngx_http_stockcert_ledger_t *ledger)
{
    size_t           size;
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    name.len = sizeof(NGX_HTTP_STOCKCERT_ZONE) - 1 + ledger->path.len;
    name.data = ngx_pnalloc(cf->pool, name.len + 1);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_sprintf(name.data, NGX_HTTP_STOCKCERT_ZONE "%V%Z", &ledger->path);

    size = ngx_align(sizeof(stockcert_counts_t), ngx_pagesize)
           + NGX_HTTP_STOCKCERT_SLAB * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_stockcert_module);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->init = ngx_http_stockcert_init_counts;
    zone->data = ledger;

    return NGX_CONF_OK;
}


/* data is what the cycle before had, or NULL */

static ngx_int_t
ngx_http_stockcert_init_counts(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t              *pool;
    ngx_http_stockcert_ledger_t  *ledger;

    ledger = zone->data;

    if (data == NULL) {
        pool = (ngx_slab_pool_t *) zone->shm.addr;

        data = ngx_slab_calloc(pool, sizeof(stockcert_counts_t));
        if (data == NULL) {
            return NGX_ERROR;
        }
    }

    ledger->counts = data;
    zone->data = data;

    return NGX_OK;
}
