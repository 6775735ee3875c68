
/*
 * Ends what threads do on the network when a worker ends.
 *
 * Any thread asks; the event loop says so.
 */


#include <ngx_http_stockcert_lane.h>


/* nobody waits for this worker any more */

static _Atomic int  ngx_http_stockcert_leaving;


void
ngx_http_stockcert_end_threads(void)
{
    ngx_http_stockcert_leaving = 1;
}


int
ngx_http_stockcert_stop(void)
{
    return ngx_http_stockcert_leaving || ngx_terminate;
}


void
ngx_http_stockcert_exiting(ngx_http_stockcert_main_conf_t *smcf)
{
    ngx_uint_t                     i;
    ngx_http_stockcert_lane_t     *lane;
    ngx_http_stockcert_ledger_t  **ledgers;

    ledgers = smcf->ledgers.elts;

    for (i = 0; i < smcf->ledgers.nelts; i++) {
        lane = ledgers[i]->lane;

        if (lane && (lane->answered != stockcert_lane_filled(lane->lane)
                     || ngx_http_stockcert_orders_wait(lane)
                     || lane->behind.n))
        {
            return;
        }
    }

    ngx_http_stockcert_end_threads();
}
