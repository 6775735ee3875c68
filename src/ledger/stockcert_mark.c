
/*
 * What a ledger says of the journal that other machines share: in the database
 * "meta", by the key "replica", what that journal is known by.
 *
 * It reads in any transaction, and writes in the writer's.
 */


#include <stdio.h>
#include <string.h>

#include "stockcert_store.h"
#include "stockcert_text.h"


#define STOCKCERT_MARK_KEY  "replica"


/* who writes to one machine's copy alone parts it from the others */

stockcert_rc_e
stockcert_mark_read(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error)
{
    int      rc;
    MDB_val  key, value;

    key.mv_size = sizeof(STOCKCERT_MARK_KEY) - 1;
    key.mv_data = (void *) STOCKCERT_MARK_KEY;

    rc = mdb_get(ledger->writer, ledger->meta, &key, &value);

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_OK;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    if (value.mv_size == 0 || value.mv_size > STOCKCERT_TEXT_MAX
        || stockcert_text_fault(value.mv_data, value.mv_size) != NULL)
    {
        return stockcert_ledger_damaged(error,
                                        "its replica has a name of none");
    }

    ledger->mark_len = value.mv_size;
    memcpy(ledger->mark, value.mv_data, value.mv_size);

    if (conf->replica == NULL && conf->access != STOCKCERT_READ) {
        snprintf(error->text, sizeof(error->text),
                 "other machines have this ledger, too, by etcd, below %.*s: "
                 "whoever writes to it must name that etcd (nginx: \"etcd\"; "
                 "the tool: --etcd)", (int) ledger->mark_len, ledger->mark);
        return STOCKCERT_FAILED;
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_mark_put(stockcert_ledger_t *ledger, const char *name,
    stockcert_error_t *error)
{
    int      rc;
    MDB_val  key, value;

    key.mv_size = sizeof(STOCKCERT_MARK_KEY) - 1;
    key.mv_data = (void *) STOCKCERT_MARK_KEY;
    value.mv_size = strlen(name);
    value.mv_data = (void *) name;

    rc = mdb_put(ledger->writer, ledger->meta, &key, &value, 0);

    return stockcert_ledger_error(error, "mdb_put()", rc);
}
