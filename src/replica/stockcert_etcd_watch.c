
/*
 * A stream of etcd's that tells when the head changes.
 *
 * It stays open between calls.  What it tells only saves time: where it ends,
 * or tells nothing for a while, the head is read.
 *
 * A stream is one JSON object a line, {"result":{"header":..,"events":[..]}}.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "stockcert_etcd_int.h"


/* milliseconds between looks at stop() */

#define STOCKCERT_ETCD_LOOK  100


static int stockcert_etcd_watch_begin(stockcert_etcd_t *etcd,
    uint64_t revision);
static int stockcert_etcd_watch_request(stockcert_etcd_t *etcd,
    uint64_t revision);
static void stockcert_etcd_watch_wait(stockcert_etcd_t *etcd,
    uint64_t revision, uint64_t end);
static void stockcert_etcd_watch_step(stockcert_etcd_t *etcd, uint64_t left);
static void stockcert_etcd_watch_lines(stockcert_etcd_t *etcd);
static int stockcert_etcd_watch_line(stockcert_etcd_t *etcd, const char *line,
    size_t len);
static int stockcert_etcd_watch_event(stockcert_etcd_t *etcd,
    const json_t *event);
static int stockcert_etcd_watch_stream(stockcert_etcd_t *etcd,
    uint64_t revision, uint64_t end);
static stockcert_rc_e stockcert_etcd_watch_head(stockcert_etcd_t *etcd,
    stockcert_rc_e rc, const stockcert_head_t *there, stockcert_head_t *head,
    uint64_t end);


void
stockcert_etcd_watch_end(stockcert_etcd_t *etcd)
{
    stockcert_etcd_stream_t  *stream;

    stream = &etcd->stream;

    if (stream->curl != NULL) {
        curl_multi_remove_handle(stream->multi, stream->curl);
        curl_easy_cleanup(stream->curl);
        stream->curl = NULL;
    }

    curl_slist_free_all(stream->headers);
    stream->headers = NULL;
}


static int
stockcert_etcd_watch_request(stockcert_etcd_t *etcd, uint64_t revision)
{
    char                   more[64];
    stockcert_etcd_buf_t  *buf;

    buf = &etcd->stream.request;
    buf->len = 0;
    buf->failed = 0;

    snprintf(more, sizeof(more), ",\"start_revision\":\"%" PRIu64 "\"",
             revision + 1);

    stockcert_etcd_text(buf, "{\"create_request\":");
    stockcert_etcd_range(buf, etcd->prefix, "head", NULL, more);
    stockcert_etcd_text(buf, "}");

    return buf->failed ? -1 : 0;
}


/* 0; -1 if there is no memory */

static int
stockcert_etcd_watch_begin(stockcert_etcd_t *etcd, uint64_t revision)
{
    int                       bad;
    char                      url[STOCKCERT_ETCD_ENDPOINT_MAX + 64];
    CURL                     *curl;
    stockcert_etcd_stream_t  *stream;

    stream = &etcd->stream;

    if (stream->multi == NULL) {
        stream->multi = curl_multi_init();
    }

    if (stream->multi == NULL
        || stockcert_etcd_watch_request(etcd, revision) != 0)
    {
        return -1;
    }

    stream->lines.len = 0;
    stream->lines.failed = 0;
    memset(&stream->seen, 0, sizeof(stockcert_head_t));
    stream->ended = 0;

    curl = stockcert_etcd_handle(etcd);
    if (curl == NULL) {
        return -1;
    }

    stream->headers = stockcert_etcd_headers(etcd);
    snprintf(url, sizeof(url), "%s/v3/watch", etcd->endpoints[etcd->endpoint]);

    bad = stream->headers == NULL
          || curl_easy_setopt(curl, CURLOPT_URL, url)
          || curl_easy_setopt(curl, CURLOPT_HTTPHEADER, stream->headers)
          || curl_easy_setopt(curl, CURLOPT_POSTFIELDS, stream->request.data)
          || curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                              (curl_off_t) stream->request.len)
          || curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 1000L)
          || curl_easy_setopt(curl, CURLOPT_WRITEDATA, &stream->lines)
          || curl_multi_add_handle(stream->multi, curl);

    if (bad) {
        curl_easy_cleanup(curl);
        curl_slist_free_all(stream->headers);
        stream->headers = NULL;
        return -1;
    }

    stream->curl = curl;

    return 0;
}


/* until the time is over, or the stream ends or tells of a later revision */

static void
stockcert_etcd_watch_wait(stockcert_etcd_t *etcd, uint64_t revision,
    uint64_t end)
{
    uint64_t                  now;
    struct timespec           ts;
    stockcert_etcd_stream_t  *stream;

    stream = &etcd->stream;

    for ( ;; ) {

        if (stream->curl != NULL) {
            stockcert_etcd_watch_step(etcd, 0);

            if (stream->ended || stream->seen.revision > revision) {
                return;
            }
        }

        now = stockcert_etcd_clock();

        if (now >= end || stockcert_etcd_stopped(etcd)) {
            return;
        }

        now = end - now;

        if (now > STOCKCERT_ETCD_LOOK) {
            now = STOCKCERT_ETCD_LOOK;
        }

        if (stream->curl != NULL) {
            stockcert_etcd_watch_step(etcd, now);

        } else {
            ts.tv_sec = 0;
            ts.tv_nsec = (long) now * 1000000;
            nanosleep(&ts, NULL);
        }
    }
}


static void
stockcert_etcd_watch_step(stockcert_etcd_t *etcd, uint64_t left)
{
    int                       running;
    stockcert_etcd_stream_t  *stream;

    stream = &etcd->stream;

    if ((left && curl_multi_poll(stream->multi, NULL, 0, (int) left, NULL)
                 != CURLM_OK)
        || curl_multi_perform(stream->multi, &running) != CURLM_OK
        || running == 0)
    {
        stream->ended = 1;
    }

    stockcert_etcd_watch_lines(etcd);
}


static void
stockcert_etcd_watch_lines(stockcert_etcd_t *etcd)
{
    char                  *p, *last, *end;
    stockcert_etcd_buf_t  *lines;

    lines = &etcd->stream.lines;
    p = lines->data;
    last = p + lines->len;

    while (lines->len && (end = memchr(p, '\n', (size_t) (last - p))) != NULL) {

        if (stockcert_etcd_watch_line(etcd, p, (size_t) (end - p)) != 0) {
            etcd->stream.ended = 1;
        }

        p = end + 1;
    }

    if (p != lines->data) {
        lines->len = (size_t) (last - p);
        memmove(lines->data, p, lines->len);
    }
}


/* -1: the stream is of no use any more */

static int
stockcert_etcd_watch_line(stockcert_etcd_t *etcd, const char *line, size_t len)
{
    int       rc;
    json_t   *doc, *result, *events;
    size_t    i;
    uint64_t  cluster;

    doc = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    result = json_object_get(doc, "result");
    events = json_object_get(result, "events");
    rc = 0;

    if (result == NULL
        || json_is_true(json_object_get(result, "canceled"))
        || stockcert_etcd_number(json_object_get(result, "header"),
                                 "cluster_id", &cluster)
           != 0
        || (etcd->known && cluster != etcd->ledger.cluster))
    {
        rc = -1;
    }

    for (i = 0; rc == 0 && i < json_array_size(events); i++) {
        rc = stockcert_etcd_watch_event(etcd, json_array_get(events, i));
    }

    json_decref(doc);

    return rc;
}


/* whoever leads says what is wrong with a value that is not a head's */

static int
stockcert_etcd_watch_event(stockcert_etcd_t *etcd, const json_t *event)
{
    json_t                *kv;
    stockcert_head_t       head;
    stockcert_etcd_buf_t  *value;

    memset(&head, 0, sizeof(stockcert_head_t));

    kv = json_object_get(event, "kv");
    value = &etcd->answer;

    if (stockcert_etcd_bytes(kv, "value", value) != 0
        || stockcert_etcd_head_read(value->data, value->len, &head) != 0)
    {
        head.tail.position = etcd->stream.seen.tail.position;
    }

    if (stockcert_etcd_number(kv, "mod_revision", &head.revision) != 0) {
        return -1;
    }

    if (head.revision > etcd->stream.seen.revision) {
        etcd->stream.seen = head;
    }

    return 0;
}


/* 1: it told of a later revision; 0: the time is over; -1: there is none */

static int
stockcert_etcd_watch_stream(stockcert_etcd_t *etcd, uint64_t revision,
    uint64_t end)
{
    stockcert_etcd_stream_t  *stream;

    stream = &etcd->stream;

    if (stream->curl == NULL
        && stockcert_etcd_watch_begin(etcd, revision) != 0)
    {
        return -1;
    }

    stockcert_etcd_watch_wait(etcd, revision, end);

    if (stream->seen.revision > revision) {
        return 1;
    }

    if (stream->ended) {
        stockcert_etcd_watch_end(etcd);
        return -1;
    }

    return 0;
}


/* what the head says, which was read with a result */

static stockcert_rc_e
stockcert_etcd_watch_head(stockcert_etcd_t *etcd, stockcert_rc_e rc,
    const stockcert_head_t *there, stockcert_head_t *head, uint64_t end)
{
    uint64_t  now;

    if (rc == STOCKCERT_OK && there->revision == head->revision) {
        return STOCKCERT_NOT_FOUND;
    }

    /* the stream should have told of that, or is where nobody answers */

    stockcert_etcd_watch_end(etcd);

    if (rc == STOCKCERT_OK) {
        *head = *there;
        return STOCKCERT_OK;
    }

    /* who calls at once again does not do so all the time */

    now = stockcert_etcd_clock();

    if (rc == STOCKCERT_UNREACHED && end > now + STOCKCERT_ETCD_LOOK) {
        end = now + STOCKCERT_ETCD_LOOK;
    }

    stockcert_etcd_watch_wait(etcd, head->revision, end);

    return rc;
}


stockcert_rc_e
stockcert_etcd_watch(stockcert_replica_t *replica, stockcert_head_t *head,
    unsigned wait, stockcert_error_t *error)
{
    int                told, began;
    uint64_t           end;
    stockcert_rc_e     rc;
    stockcert_head_t   there;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;
    end = stockcert_etcd_clock() + wait;
    told = 0;

    for (began = 0; head->revision && began < 2; began++) {

        told = stockcert_etcd_watch_stream(etcd, head->revision, end);

        if (told == 1) {
            *head = etcd->stream.seen;
            return STOCKCERT_OK;
        }

        if (told == 0) {
            break;
        }

        /* it begins anew, if nothing was missed, maybe elsewhere */

        rc = stockcert_etcd_head(replica, STOCKCERT_AFTER_ALL, 0, &there,
                                 error);

        if (rc != STOCKCERT_OK || there.revision != head->revision) {
            return stockcert_etcd_watch_head(etcd, rc, &there, head, end);
        }
    }

    if (told == -1) {
        stockcert_etcd_watch_wait(etcd, head->revision, end);
    }

    rc = stockcert_etcd_head(replica, STOCKCERT_AFTER_ALL, 0, &there, error);

    return stockcert_etcd_watch_head(etcd, rc, &there, head, end);
}
