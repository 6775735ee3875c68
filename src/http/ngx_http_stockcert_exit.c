
/*
 * Ends what threads do on the network when a worker ends: nginx waits for the
 * threads of its pools before it tells modules.
 *
 * Any thread asks; the event loop counts.
 */


#include <ngx_http_stockcert_lane.h>


/* requests that wait for this worker's tasks */

static _Atomic ngx_uint_t  ngx_http_stockcert_waiting;

static _Atomic ngx_uint_t  ngx_http_stockcert_ended;


void
ngx_http_stockcert_count(ngx_int_t n)
{
    ngx_http_stockcert_waiting += (ngx_uint_t) n;
}


void
ngx_http_stockcert_end_threads(void)
{
    ngx_http_stockcert_ended = 1;
}


int
ngx_http_stockcert_stop(void)
{
    return ngx_http_stockcert_ended || ngx_terminate
           || (ngx_exiting && ngx_http_stockcert_waiting == 0);
}
