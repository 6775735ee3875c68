
/*
 * Turns: no machine starves because its way to etcd is longer.
 *
 * A machine whose guard failed puts a key of its own below "turn/", with the
 * very transaction that failed.  Its next append that succeeds takes that out,
 * and each reads who else has one: those wait, and the machine that was faster gives
 * them some time.  All of this is a hint, and nothing depends on it.  Whoever
 * has given way in vain takes out the keys that it has waited for.
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_etcd_int.h"


#define STOCKCERT_ETCD_TURN  "turn/"


static int stockcert_etcd_turn_name(const json_t *kv, const char *prefix,
    char *name);


/* what an append does if it succeeds: returns how many things */

size_t
stockcert_etcd_turn_end(stockcert_etcd_t *etcd)
{
    size_t                 i, n;
    char                   own[STOCKCERT_ETCD_TURN_LEN + 1];
    stockcert_etcd_buf_t  *buf;

    buf = &etcd->request;
    n = etcd->nturns;

    stockcert_etcd_turn_own(etcd, own);

    for (i = 0; i < n + (etcd->asked != 0); i++) {
        stockcert_etcd_text(buf, ",");
        stockcert_etcd_delete(buf, etcd->prefix, i < n ? etcd->turns[i] : own);
    }

    stockcert_etcd_text(buf, ",{\"request_range\":");
    stockcert_etcd_turn_range(etcd, "");
    stockcert_etcd_text(buf, "}");

    etcd->nturns = 0;

    return i + 1;
}


/* what it does if its guard fails */

void
stockcert_etcd_turn_ask(stockcert_etcd_t *etcd)
{
    char  own[STOCKCERT_ETCD_TURN_LEN + 1];

    stockcert_etcd_turn_own(etcd, own);

    stockcert_etcd_text(&etcd->request, ",");
    stockcert_etcd_put(&etcd->request, etcd->prefix, own, "", 0);

    etcd->asked = 1;
}


void
stockcert_etcd_turn_range(stockcert_etcd_t *etcd, const char *more)
{
    char  text[128];

    snprintf(text, sizeof(text), ",\"keys_only\":true,\"limit\":\"%d\"%s",
             STOCKCERT_ETCD_TURNS, more);

    /* "0" comes after "/" */

    stockcert_etcd_range(&etcd->request, etcd->prefix, STOCKCERT_ETCD_TURN,
                         "turn0", text);
}


/* the answer to that range: who waits */

unsigned
stockcert_etcd_turn_read(stockcert_etcd_t *etcd, const json_t *range)
{
    char     own[STOCKCERT_ETCD_TURN_LEN + 1];
    size_t   i;
    json_t  *kvs;

    stockcert_etcd_turn_own(etcd, own);

    kvs = json_object_get(range, "kvs");
    etcd->nturns = 0;
    etcd->asked = 0;

    for (i = 0; i < json_array_size(kvs) && i < STOCKCERT_ETCD_TURNS; i++) {

        if (stockcert_etcd_turn_name(json_array_get(kvs, i), etcd->prefix,
                                     etcd->turns[etcd->nturns])
            != 0)
        {
            continue;
        }

        /* a process of this machine has asked, and died */

        if (strcmp(etcd->turns[etcd->nturns], own) == 0) {
            etcd->asked = 1;

        } else {
            etcd->nturns++;
        }
    }

    return etcd->nturns != 0;
}


/*
 * Those that waited may have appended since, and lost again: who has no key now,
 * or another one, has had a turn.
 */

stockcert_rc_e
stockcert_etcd_waits(stockcert_replica_t *replica, unsigned *waits,
    stockcert_error_t *error)
{
    char               own[STOCKCERT_ETCD_TURN_LEN + 1];
    char               name[STOCKCERT_ETCD_TURN_LEN + 1];
    json_t            *kvs;
    size_t             i, j, left;
    stockcert_rc_e     rc;
    stockcert_etcd_t  *etcd;

    etcd = (stockcert_etcd_t *) replica;

    stockcert_etcd_begin(etcd);

    etcd->request.len = 0;
    etcd->request.failed = 0;

    /* any member may say: it is a hint */

    stockcert_etcd_turn_range(etcd, ",\"serializable\":true");

    rc = stockcert_etcd_ask(etcd, "/v3/kv/range", error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    stockcert_etcd_turn_own(etcd, own);

    kvs = json_object_get(etcd->doc, "kvs");
    left = 0;

    for (i = 0; i < etcd->nturns; i++) {
        for (j = 0; j < json_array_size(kvs); j++) {

            if (stockcert_etcd_turn_name(json_array_get(kvs, j), etcd->prefix,
                                         name)
                == 0
                && strcmp(name, etcd->turns[i]) == 0)
            {
                memmove(etcd->turns[left++], name, sizeof(name));
                break;
            }
        }
    }

    etcd->nturns = left;
    *waits = left != 0;

    return STOCKCERT_OK;
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
