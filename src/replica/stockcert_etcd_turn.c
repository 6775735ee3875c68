
/*
 * Turns: no machine starves because its way to etcd is longer, and none appends
 * in vain, where all have grants.
 *
 * A machine whose guard failed puts a key of its own below "turn/", with the
 * very transaction that failed.  An append that succeeds reads who has one,
 * and then its machine gives way until each of those has had a turn.  A machine
 * that has seen others puts its own key anew with each append that succeeds: it
 * will come again after them.  So they take turns, and no guard fails.  Who has
 * no grants any more takes its key out.
 *
 * All of this is a hint, and nothing depends on it.  Whoever has given way in
 * vain takes out the keys that it has waited for.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_etcd_int.h"


#define STOCKCERT_ETCD_TURN    "turn/"
#define STOCKCERT_ETCD_LOSSES  8       /* until the key is put once more, as it
                                          may be gone */
#define STOCKCERT_ETCD_ALONE   256     /* appends until it is put no more */
#define STOCKCERT_ETCD_HINT    500     /* milliseconds that a hint may take */


static void stockcert_etcd_turn_begin(stockcert_etcd_t *etcd);
static int stockcert_etcd_turn_name(const json_t *kv, const char *prefix,
    char *name);
static int stockcert_etcd_turn_is_waiting(stockcert_etcd_t *etcd,
    const json_t *kv, const char *name);


/* what an append does if it succeeds: returns how many things */

size_t
stockcert_etcd_turn_end(stockcert_etcd_t *etcd)
{
    size_t                 i, n;
    char                   own[STOCKCERT_ETCD_TURN_LEN + 1];
    stockcert_etcd_buf_t  *buf;

    buf = &etcd->request;
    n = etcd->nvain;

    for (i = 0; i < n; i++) {
        stockcert_etcd_text(buf, ",");
        stockcert_etcd_delete(buf, etcd->prefix, etcd->turns[i]);
    }

    stockcert_etcd_turn_own(etcd, own);

    if (etcd->crowded) {
        stockcert_etcd_text(buf, ",");
        stockcert_etcd_put(buf, etcd->prefix, own, "", 0);
        n++;

    } else if (etcd->asked) {
        stockcert_etcd_text(buf, ",");
        stockcert_etcd_delete(buf, etcd->prefix, own);
        n++;
    }

    stockcert_etcd_text(buf, ",{\"request_range\":");
    stockcert_etcd_turn_range(etcd, "");
    stockcert_etcd_text(buf, "}");

    etcd->nvain = 0;

    return n + 1;
}


/* what it does if its guard fails: returns how many things */

size_t
stockcert_etcd_turn_ask(stockcert_etcd_t *etcd)
{
    char  own[STOCKCERT_ETCD_TURN_LEN + 1];

    if (etcd->losses % STOCKCERT_ETCD_LOSSES != 0) {
        return 0;
    }

    stockcert_etcd_turn_own(etcd, own);

    stockcert_etcd_text(&etcd->request, ",");
    stockcert_etcd_put(&etcd->request, etcd->prefix, own, "", 0);

    etcd->asked = 1;

    return 1;
}


void
stockcert_etcd_turn_range(stockcert_etcd_t *etcd, const char *more)
{
    char  text[128];

    /* those that wait longest, if there are more */

    snprintf(text, sizeof(text), ",\"keys_only\":true,\"limit\":\"%d\","
             "\"sort_order\":\"ASCEND\",\"sort_target\":\"MOD\"%s",
             STOCKCERT_ETCD_TURNS, more);

    /* "0" comes after "/" */

    stockcert_etcd_range(&etcd->request, etcd->prefix, STOCKCERT_ETCD_TURN,
                         "turn0", text);
}


/* the answer to that range: how many wait */

unsigned
stockcert_etcd_turn_read(stockcert_etcd_t *etcd, const json_t *range)
{
    char     own[STOCKCERT_ETCD_TURN_LEN + 1];
    size_t   i;
    json_t  *kvs;

    stockcert_etcd_turn_own(etcd, own);

    kvs = json_object_get(range, "kvs");
    etcd->nturns = 0;
    etcd->nvain = 0;
    etcd->losses = 0;

    /* its own key was just put, and may be behind those */

    etcd->asked = etcd->crowded != 0;

    for (i = 0; i < json_array_size(kvs) && i < STOCKCERT_ETCD_TURNS; i++) {

        if (stockcert_etcd_turn_name(json_array_get(kvs, i), etcd->prefix,
                                     etcd->turns[etcd->nturns])
            != 0)
        {
            continue;
        }

        /* or a process of this machine has asked, and died */

        if (strcmp(etcd->turns[etcd->nturns], own) == 0) {
            etcd->asked = 1;

        } else {
            etcd->nturns++;
        }
    }

    if (etcd->nturns) {
        etcd->crowded = STOCKCERT_ETCD_ALONE;

    } else if (etcd->crowded) {
        etcd->crowded--;
    }

    etcd->since = etcd->revision;

    return (unsigned) etcd->nturns;
}


/* who has no key now, or has put it since, has had a turn */

stockcert_rc_e
stockcert_etcd_waits(stockcert_replica_t *replica, int last, unsigned *waits,
    stockcert_error_t *error)
{
    char               name[STOCKCERT_ETCD_TURN_LEN + 1];
    json_t            *kvs, *kv;
    size_t             i;
    stockcert_rc_e     rc;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    stockcert_etcd_turn_begin(etcd);

    etcd->nvain = 0;

    /* any member may say: it is a hint */

    stockcert_etcd_turn_range(etcd, ",\"serializable\":true");

    rc = stockcert_etcd_ask(etcd, "/v3/kv/range", error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    kvs = json_object_get(etcd->doc, "kvs");

    for (i = 0; i < json_array_size(kvs) && i < STOCKCERT_ETCD_TURNS; i++) {
        kv = json_array_get(kvs, i);

        if (stockcert_etcd_turn_name(kv, etcd->prefix, name) == 0
            && stockcert_etcd_turn_is_waiting(etcd, kv, name))
        {
            etcd->nvain++;
        }
    }

    *waits = (unsigned) etcd->nvain;

    if (!last) {
        etcd->nvain = 0;
    }

    return STOCKCERT_OK;
}


/* moves it to those that were waited for in vain, if there is no other end */

static int
stockcert_etcd_turn_is_waiting(stockcert_etcd_t *etcd, const json_t *kv,
    const char *name)
{
    size_t    i;
    uint64_t  revision;

    if (stockcert_etcd_number(kv, "mod_revision", &revision) != 0
        || revision > etcd->since)
    {
        return 0;
    }

    for (i = etcd->nvain; i < etcd->nturns; i++) {

        if (strcmp(etcd->turns[i], name) == 0) {
            memmove(etcd->turns[i], etcd->turns[etcd->nvain],
                    sizeof(etcd->turns[i]));
            memcpy(etcd->turns[etcd->nvain], name, strlen(name) + 1);
            return 1;
        }
    }

    return 0;
}


/* what is left of it only makes others wait a little */

void
stockcert_etcd_leave(stockcert_replica_t *replica)
{
    char                own[STOCKCERT_ETCD_TURN_LEN + 1];
    stockcert_error_t   ignored;
    stockcert_etcd_t   *etcd;

    etcd = (stockcert_etcd_t *) replica;

    if (!etcd->asked) {
        return;
    }

    stockcert_etcd_turn_begin(etcd);

    etcd->asked = 0;

    stockcert_etcd_turn_own(etcd, own);
    stockcert_etcd_text(&etcd->request, "{\"compare\":[],\"success\":[");
    stockcert_etcd_delete(&etcd->request, etcd->prefix, own);
    stockcert_etcd_text(&etcd->request, "]}");

    (void) stockcert_etcd_ask(etcd, "/v3/kv/txn", &ignored);
}


/* a request that nobody waits for much longer than it usually takes */

static void
stockcert_etcd_turn_begin(stockcert_etcd_t *etcd)
{
    etcd->end = stockcert_etcd_clock() + STOCKCERT_ETCD_HINT;
    etcd->request.len = 0;
    etcd->request.failed = 0;
}


static int
stockcert_etcd_turn_name(const json_t *kv, const char *prefix, char *name)
{
    int                   rc;
    size_t                len;
    stockcert_etcd_buf_t  key;

    memset(&key, 0, sizeof(stockcert_etcd_buf_t));

    len = strlen(prefix);
    rc = stockcert_etcd_bytes(kv, "key", &key);

    if (rc == 0 && (key.len != len + STOCKCERT_ETCD_TURN_LEN
                    || memchr(key.data, '\0', key.len)))
    {
        rc = -1;
    }

    if (rc == 0) {
        memcpy(name, key.data + len, STOCKCERT_ETCD_TURN_LEN);
        name[STOCKCERT_ETCD_TURN_LEN] = '\0';
    }

    free(key.data);

    return rc;
}


void
stockcert_etcd_turn_own(const stockcert_etcd_t *etcd, char *name)
{
    snprintf(name, STOCKCERT_ETCD_TURN_LEN + 1,
             STOCKCERT_ETCD_TURN "%016" PRIx64, etcd->machine);
}
