
/*
 * Wakes a worker, by the eventfd of its lane.
 *
 * It runs on any thread.
 */


#include <ngx_http_stockcert_lane.h>


void
ngx_http_stockcert_wake(void *data, size_t number)
{
    ngx_http_stockcert_lane_t *lane = data;

    uint64_t  one;

    one = 1;

    if (write(lane->wakes[number], &one, sizeof(one)) == -1) {
        ngx_log_error(NGX_LOG_ALERT, lane->log, ngx_errno,
                      "write() to the eventfd of lane %uz failed", number);
    }
}
