
/*
 * Requests for what the ledger of this machine does not have: they wait until
 * it has all of the journal that the machines share, or for a moment until it
 * has what this machine has told.
 *
 * It runs on the event loop.  One look at that journal serves all who had asked
 * before it began.
 */


#include <ngx_http_stockcert_lane.h>


#define NGX_HTTP_STOCKCERT_BEHIND_MAX  1024    /* requests that wait in a worker */


/* a request that waits, or has waited */

typedef struct {
    ngx_queue_t                    queue;
    ngx_http_request_t            *request;
    uint64_t                       asked;      /* of one that reads: a revision */
    ngx_msec_t                     start;
    ngx_uint_t                     missed;
    void                         (*resume)(ngx_http_request_t *r);
} ngx_http_stockcert_asked_t;


static ngx_http_stockcert_asked_t *ngx_http_stockcert_put(
    ngx_http_stockcert_lane_t *lane, ngx_queue_t *requests,
    ngx_http_request_t *r, void (*resume)(ngx_http_request_t *r));
static void ngx_http_stockcert_read_on(ngx_http_stockcert_lane_t *lane);
static void ngx_http_stockcert_go_on(ngx_http_stockcert_lane_t *lane,
    ngx_http_stockcert_asked_t *asked);


ngx_int_t
ngx_http_stockcert_ask(ngx_http_stockcert_lane_t *lane, ngx_http_request_t *r,
    void (*resume)(ngx_http_request_t *r))
{
    ngx_http_stockcert_ctx_t    *ctx;
    ngx_http_stockcert_asked_t  *asked;

    if (lane->replica == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_stockcert_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    asked = ctx->asked;

    if (asked) {
        return asked->missed ? NGX_ERROR : NGX_DECLINED;
    }

    if (lane->behind.n == NGX_HTTP_STOCKCERT_BEHIND_MAX) {
        return NGX_ERROR;
    }

    asked = ngx_http_stockcert_put(lane, &lane->behind.requests, r, resume);
    if (asked == NULL) {
        return NGX_ERROR;
    }

    ctx->asked = asked;
    asked->asked = atomic_fetch_add(&lane->behind.asked, 1) + 1;

    return NGX_DONE;
}


ngx_int_t
ngx_http_stockcert_read(ngx_http_stockcert_lane_t *lane, ngx_http_request_t *r,
    void (*resume)(ngx_http_request_t *r))
{
    uint64_t                     revision;
    ngx_http_stockcert_ctx_t    *ctx;
    ngx_http_stockcert_asked_t  *asked;

    if (lane->replica == NULL
        || lane->behind.n == NGX_HTTP_STOCKCERT_BEHIND_MAX)
    {
        return NGX_DECLINED;
    }

    revision = atomic_load(&lane->lanes->shared.told);

    if (!stockcert_lane_reads(lane->lanes, lane->lane, revision)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_stockcert_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ctx->read) {
        return NGX_DECLINED;
    }

    asked = ngx_http_stockcert_put(lane, &lane->behind.reads, r, resume);
    if (asked == NULL) {
        return NGX_ERROR;
    }

    ctx->read = 1;
    asked->asked = revision;

    return NGX_DONE;
}


static ngx_http_stockcert_asked_t *
ngx_http_stockcert_put(ngx_http_stockcert_lane_t *lane, ngx_queue_t *requests,
    ngx_http_request_t *r, void (*resume)(ngx_http_request_t *r))
{
    ngx_http_stockcert_asked_t  *asked;

    asked = ngx_pcalloc(r->pool, sizeof(ngx_http_stockcert_asked_t));
    if (asked == NULL) {
        return NULL;
    }

    asked->request = r;
    asked->resume = resume;
    asked->start = ngx_current_msec;

    ngx_queue_insert_tail(requests, &asked->queue);
    lane->behind.n++;

    return asked;
}


ngx_uint_t
ngx_http_stockcert_is_behind(const ngx_http_stockcert_lane_t *lane)
{
    uint64_t  asked;

    asked = atomic_load(&lane->behind.asked);

    return atomic_load(&lane->behind.reached) < asked
           && atomic_load(&lane->behind.missed) < asked;
}


void
ngx_http_stockcert_caught_up(ngx_http_stockcert_lane_t *lane)
{
    uint64_t                     reached, missed;
    ngx_queue_t                 *q;
    ngx_http_stockcert_asked_t  *asked;

    ngx_http_stockcert_read_on(lane);

    missed = atomic_load(&lane->behind.missed);
    reached = atomic_load(&lane->behind.reached);

    while (!ngx_queue_empty(&lane->behind.requests)) {

        q = ngx_queue_head(&lane->behind.requests);
        asked = ngx_queue_data(q, ngx_http_stockcert_asked_t, queue);

        if (asked->asked > reached && asked->asked > missed) {
            return;
        }

        asked->missed = asked->asked > reached;

        ngx_http_stockcert_go_on(lane, asked);
    }
}


/* what is there is read in any case, if the leader is late or has died */

static void
ngx_http_stockcert_read_on(ngx_http_stockcert_lane_t *lane)
{
    ngx_queue_t                 *q;
    ngx_http_stockcert_asked_t  *asked;

    while (!ngx_queue_empty(&lane->behind.reads)) {

        q = ngx_queue_head(&lane->behind.reads);
        asked = ngx_queue_data(q, ngx_http_stockcert_asked_t, queue);

        if (ngx_current_msec - asked->start < NGX_HTTP_STOCKCERT_LATE
            && stockcert_lane_reads(lane->lanes, lane->lane, asked->asked))
        {
            return;
        }

        ngx_http_stockcert_go_on(lane, asked);
    }
}


static void
ngx_http_stockcert_go_on(ngx_http_stockcert_lane_t *lane,
    ngx_http_stockcert_asked_t *asked)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    ngx_queue_remove(&asked->queue);
    lane->behind.n--;

    r = asked->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    rc = ngx_http_stockcert_waited(r);

    if (rc == NGX_OK) {
        asked->resume(r);

    } else {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


void
ngx_http_stockcert_miss(ngx_http_stockcert_lane_t *lane)
{
    atomic_store(&lane->behind.missed, atomic_load(&lane->behind.asked));

    ngx_http_stockcert_caught_up(lane);
}


void
ngx_http_stockcert_miss_late(ngx_http_stockcert_lane_t *lane,
    ngx_msec_t longest)
{
    ngx_queue_t                 *q;
    ngx_http_stockcert_asked_t  *asked;

    if (ngx_queue_empty(&lane->behind.requests)) {
        return;
    }

    q = ngx_queue_head(&lane->behind.requests);
    asked = ngx_queue_data(q, ngx_http_stockcert_asked_t, queue);

    if (ngx_current_msec - asked->start >= longest) {
        ngx_http_stockcert_miss(lane);
    }
}
