
/*
 * Writes metrics, in Prometheus' text format or as JSON.  JSON has a member for
 * each metric, by the same name: an array of objects with its labels and its
 * value.
 *
 * It runs on the event loop, and reads what is counted.
 */


#include <ngx_http_stockcert_monitor.h>


typedef struct {
    FILE                          *file;
    ngx_uint_t                     json;
    ngx_uint_t                     next;       /* not the first of its metric */
    const struct ngx_http_stockcert_metric_s
                                  *metric;
} ngx_http_stockcert_out_t;


/* names and values in turn, or NULL behind the last */

typedef struct {
    const char                    *name[2];
    const char                    *value[2];
} ngx_http_stockcert_labels_t;


typedef struct ngx_http_stockcert_metric_s {
    const char                    *name;
    const char                    *type;
    const char                    *help;
    void                         (*put)(ngx_http_stockcert_out_t *out,
                                       const ngx_http_stockcert_view_t *view);
    size_t                         offset;     /* in stockcert_counts_t, if it is
                                                  a count there */
} ngx_http_stockcert_metric_t;


static void ngx_http_stockcert_put_sample(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view, const char *suffix,
    const ngx_http_stockcert_labels_t *labels, const char *value);
static void ngx_http_stockcert_put_number(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view, const char *name, const char *label,
    uint64_t n);
static void ngx_http_stockcert_put_histogram(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view,
    const stockcert_histogram_t *histogram, const stockcert_bounds_t *bounds,
    ngx_uint_t seconds);
static void ngx_http_stockcert_put_bucket(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view, const char *bound, ngx_uint_t i,
    uint64_t n);


static void
ngx_http_stockcert_up(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    ngx_http_stockcert_put_number(out, view, NULL, NULL, view->why[0] == '\0');
}


static void
ngx_http_stockcert_issued(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    size_t  i;

    for (i = 0; i < view->nclasses; i++) {
        ngx_http_stockcert_put_number(out, view, "class", view->classes[i].code,
                                      view->classes[i].issued);
    }
}


static void
ngx_http_stockcert_refused(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_STOCKCERT_PROBLEMS; i++) {
        ngx_http_stockcert_put_number(out, view, "error",
                          (char *) ngx_http_stockcert_error(i)->data,
                          stockcert_counted_refused(view->ledger->counts, i));
    }
}


static void
ngx_http_stockcert_replays(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    ngx_http_stockcert_put_number(out, view, NULL, NULL,
                          stockcert_counted_replays(view->ledger->counts));
}


static void
ngx_http_stockcert_transactions(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    ngx_uint_t  i;

    for (i = 1; i < STOCKCERT_TRANSACTION_END; i++) {
        ngx_http_stockcert_put_number(out, view, "type",
                                      stockcert_transaction(i)->name,
                                      view->tally.transactions[i]);
    }
}


/* of the counts, by their offset */

static void
ngx_http_stockcert_count_of(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    const u_char  *counts;

    counts = (const u_char *) view->ledger->counts;

    ngx_http_stockcert_put_number(out, view, NULL, NULL,
               atomic_load((const _Atomic uint64_t *)
                           (counts + out->metric->offset)));
}


static void
ngx_http_stockcert_seconds_of(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    const u_char  *counts;

    counts = (const u_char *) view->ledger->counts;

    ngx_http_stockcert_put_histogram(out, view,
               (const stockcert_histogram_t *) (counts + out->metric->offset),
               &stockcert_bounds_time, 1);
}


static void
ngx_http_stockcert_batch_grants(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    ngx_http_stockcert_put_histogram(out, view, &view->ledger->counts->batch,
                                     &stockcert_bounds_grants, 0);
}


static void
ngx_http_stockcert_waiting(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    ngx_http_stockcert_put_number(out, view, NULL, NULL, view->waiting);
}


static void
ngx_http_stockcert_shares(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    char                                    value[NGX_INT64_LEN + 1];
    size_t                                  i;
    ngx_uint_t                              k;
    uint64_t                                shares[3];
    ngx_http_stockcert_labels_t             labels;
    const ngx_http_stockcert_view_class_t  *class;

    static const char  *states[] = { "authorized", "issued", "remaining" };

    for (i = 0; view->open && i < view->nclasses; i++) {
        class = &view->classes[i];

        shares[0] = class->authorized;
        shares[1] = class->out;
        shares[2] = class->authorized - class->out;

        labels.name[0] = "class";
        labels.value[0] = class->code;
        labels.name[1] = "state";

        for (k = 0; k < 3; k++) {
            labels.value[1] = states[k];
            (void) snprintf(value, sizeof(value), "%" PRIu64, shares[k]);
            ngx_http_stockcert_put_sample(out, view, "", &labels, value);
        }
    }
}


static void
ngx_http_stockcert_entries(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    if (view->open) {
        ngx_http_stockcert_put_number(out, view, NULL, NULL, view->entries);
    }
}


static void
ngx_http_stockcert_file_bytes(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    if (view->open) {
        ngx_http_stockcert_put_number(out, view, "kind", "used",
                                      view->usage.used);
        ngx_http_stockcert_put_number(out, view, "kind", "limit",
                                      view->usage.size);
    }
}


static void
ngx_http_stockcert_readers(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    if (view->open) {
        ngx_http_stockcert_put_number(out, view, NULL, NULL, view->readers);
    }
}


static ngx_uint_t
ngx_http_stockcert_is_shared(const ngx_http_stockcert_view_t *view)
{
    return view->ledger->etcd.endpoints.nelts != 0;
}


static void
ngx_http_stockcert_lag(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    if (view->open && ngx_http_stockcert_is_shared(view)) {
        ngx_http_stockcert_put_number(out, view, NULL, NULL, view->behind);
    }
}


static void
ngx_http_stockcert_shared_count_of(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view)
{
    if (ngx_http_stockcert_is_shared(view)) {
        ngx_http_stockcert_count_of(out, view);
    }
}


static const ngx_http_stockcert_metric_t  ngx_http_stockcert_metrics[] = {

    { "stockcert_up", "gauge",
      "Whether the ledger is open and takes grants.",
      ngx_http_stockcert_up, 0 },

    { "stockcert_certificates_issued_total", "counter",
      "Certificates that this nginx issued, for grants and transactions.",
      ngx_http_stockcert_issued, 0 },

    { "stockcert_requests_refused_total", "counter",
      "Requests that were answered with this error.",
      ngx_http_stockcert_refused, 0 },

    { "stockcert_replays_total", "counter",
      "Answers for an Idempotency-Key that had a certificate or transaction.",
      ngx_http_stockcert_replays, 0 },

    { "stockcert_transactions_total", "counter",
      "Transactions on certificates that this nginx entered.",
      ngx_http_stockcert_transactions, 0 },

    { "stockcert_commits_total", "counter",
      "Commits of this nginx, each of a batch of grants or a transaction.",
      ngx_http_stockcert_count_of,
      offsetof(stockcert_counts_t, commits) },

    { "stockcert_commit_failures_total", "counter",
      "Commits that failed, and were maybe tried again.",
      ngx_http_stockcert_count_of,
      offsetof(stockcert_counts_t, failures) },

    { "stockcert_commit_seconds", "histogram",
      "Time of a commit, from the lock of the ledger to its answers.",
      ngx_http_stockcert_seconds_of,
      offsetof(stockcert_counts_t, commit) },

    { "stockcert_wait_seconds", "histogram",
      "Time from a grant being queued to its outcome being settled.",
      ngx_http_stockcert_seconds_of,
      offsetof(stockcert_counts_t, wait) },

    { "stockcert_batch_grants", "histogram",
      "Grants that a commit settled.",
      ngx_http_stockcert_batch_grants, 0 },

    { "stockcert_waiting_grants", "gauge",
      "Grants that wait for their commit.",
      ngx_http_stockcert_waiting, 0 },

    { "stockcert_shares", "gauge",
      "Shares of a class in the ledger.",
      ngx_http_stockcert_shares, 0 },

    { "stockcert_entries", "gauge",
      "Entries of the journal.",
      ngx_http_stockcert_entries, 0 },

    { "stockcert_file_bytes", "gauge",
      "Size of the ledger's file, and the most that it may grow to.",
      ngx_http_stockcert_file_bytes, 0 },

    { "stockcert_readers", "gauge",
      "Places that readers have in the ledger.",
      ngx_http_stockcert_readers, 0 },

    { "stockcert_replica_lag_entries", "gauge",
      "Entries of other machines that this one has heard of but does not have.",
      ngx_http_stockcert_lag, 0 },

    { "stockcert_appends_total", "counter",
      "Batches and transactions that this machine appended in etcd.",
      ngx_http_stockcert_shared_count_of,
      offsetof(stockcert_counts_t, appends) },

    { "stockcert_append_conflicts_total", "counter",
      "Appends that lost to another machine's, and were tried again.",
      ngx_http_stockcert_shared_count_of,
      offsetof(stockcert_counts_t, conflicts) },

    { "stockcert_append_timeouts_total", "counter",
      "Appends that got no answer in time.",
      ngx_http_stockcert_shared_count_of,
      offsetof(stockcert_counts_t, timeouts) },
};


void
ngx_http_stockcert_put_metrics(FILE *file, ngx_uint_t json,
    const ngx_http_stockcert_view_t *views, ngx_uint_t n)
{
    ngx_uint_t                          i, k;
    ngx_http_stockcert_out_t            out;
    const ngx_http_stockcert_metric_t  *metric;

    out.file = file;
    out.json = json;

    for (i = 0;
         i < sizeof(ngx_http_stockcert_metrics)
             / sizeof(ngx_http_stockcert_metric_t);
         i++)
    {
        metric = &ngx_http_stockcert_metrics[i];

        out.metric = metric;
        out.next = 0;

        (void) fprintf(file, json ? "%s\"%s\":[" : "%s# HELP %s ",
                       json ? (i ? "],\n" : "{") : "", metric->name);

        if (!json) {
            (void) fprintf(file, "%s\n# TYPE %s %s\n", metric->help,
                           metric->name, metric->type);
        }

        for (k = 0; k < n; k++) {
            metric->put(&out, &views[k]);
        }
    }

    (void) fputs(json ? "]}\n" : "", file);
}


static void
ngx_http_stockcert_put_number(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view, const char *name, const char *label,
    uint64_t n)
{
    char                         value[NGX_INT64_LEN + 1];
    ngx_http_stockcert_labels_t  labels;

    labels.name[0] = name;
    labels.value[0] = label;
    labels.name[1] = NULL;

    (void) snprintf(value, sizeof(value), "%" PRIu64, n);

    ngx_http_stockcert_put_sample(out, view, "", &labels, value);
}


/* values of labels beside the ledger's name need no escaping */

static void
ngx_http_stockcert_put_sample(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view, const char *suffix,
    const ngx_http_stockcert_labels_t *labels, const char *value)
{
    ngx_uint_t  i;

    if (out->json) {
        (void) fprintf(out->file, "%s{\"ledger\":", out->next ? "," : "");

    } else {
        (void) fprintf(out->file, "%s%s{ledger=", out->metric->name, suffix);
    }

    out->next = 1;
    ngx_http_stockcert_put_name(out->file, &view->ledger->name);

    for (i = 0; i < 2 && labels->name[i]; i++) {
        (void) fprintf(out->file, out->json ? ",\"%s\":\"%s\"" : ",%s=\"%s\"",
                       labels->name[i], labels->value[i]);
    }

    (void) fprintf(out->file, out->json ? ",\"value\":%s}" : "} %s\n", value);
}


/*
 * In JSON it is one object.  The number of all is the sum of what was read, so
 * that it is that of the last bucket.
 */

static void
ngx_http_stockcert_put_histogram(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view,
    const stockcert_histogram_t *histogram, const stockcert_bounds_t *bounds,
    ngx_uint_t seconds)
{
    char                         bound[32], sum[32], value[32];
    size_t                       i;
    uint64_t                     n;
    ngx_http_stockcert_labels_t  none;

    none.name[0] = NULL;
    n = 0;

    if (out->json) {
        (void) fprintf(out->file, "%s{\"ledger\":", out->next ? "," : "");
        ngx_http_stockcert_put_name(out->file, &view->ledger->name);
        (void) fputs(",\"buckets\":{", out->file);
    }

    for (i = 0; i <= bounds->n; i++) {
        n += atomic_load(&histogram->n[i]);

        if (i == bounds->n) {
            (void) snprintf(bound, sizeof(bound), "+Inf");

        } else {
            (void) snprintf(bound, sizeof(bound), "%g",
                            (double) bounds->bounds[i] / (seconds ? 1e9 : 1));
        }

        ngx_http_stockcert_put_bucket(out, view, bound, i, n);
    }

    (void) snprintf(value, sizeof(value), "%" PRIu64, n);
    (void) snprintf(sum, sizeof(sum), seconds ? "%.9f" : "%.0f",
                    (double) atomic_load(&histogram->sum)
                    / (seconds ? 1e9 : 1));

    if (out->json) {
        (void) fprintf(out->file, "},\"sum\":%s,\"count\":%s}", sum, value);
        out->next = 1;
        return;
    }

    ngx_http_stockcert_put_sample(out, view, "_sum", &none, sum);
    ngx_http_stockcert_put_sample(out, view, "_count", &none, value);
}


static void
ngx_http_stockcert_put_bucket(ngx_http_stockcert_out_t *out,
    const ngx_http_stockcert_view_t *view, const char *bound, ngx_uint_t i,
    uint64_t n)
{
    char                         value[NGX_INT64_LEN + 1];
    ngx_http_stockcert_labels_t  labels;

    if (out->json) {
        (void) fprintf(out->file, "%s\"%s\":%" PRIu64, i ? "," : "", bound, n);
        return;
    }

    labels.name[0] = "le";
    labels.value[0] = bound;
    labels.name[1] = NULL;

    (void) snprintf(value, sizeof(value), "%" PRIu64, n);

    ngx_http_stockcert_put_sample(out, view, "_bucket", &labels, value);
}
