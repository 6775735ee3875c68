
/*
 * What a ledger says of the journal that other machines share: in the database
 * "meta", by the key "replica", what that journal is known by, and behind it a
 * seal, as if it came after the header.
 *
 * It reads in any transaction, and writes in the writer's.
 */


#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stockcert_store.h"
#include "stockcert_text.h"


#define STOCKCERT_MARK_KEY  "replica"


static stockcert_rc_e stockcert_mark_seal(const stockcert_ledger_t *ledger,
    const void *name, size_t len, uint8_t *seal, stockcert_error_t *error);


/* who writes to one machine's copy alone parts it from the others */

stockcert_rc_e
stockcert_mark_read(stockcert_ledger_t *ledger, stockcert_error_t *error)
{
    int             rc;
    size_t          len;
    uint8_t         seal[STOCKCERT_SEAL_LEN];
    MDB_val         key, value;
    stockcert_rc_e  failed;

    key.mv_size = sizeof(STOCKCERT_MARK_KEY) - 1;
    key.mv_data = (void *) STOCKCERT_MARK_KEY;

    rc = mdb_get(ledger->writer, ledger->meta, &key, &value);

    if (rc == MDB_NOTFOUND) {
        return STOCKCERT_OK;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    len = value.mv_size - STOCKCERT_SEAL_LEN;

    if (value.mv_size <= STOCKCERT_SEAL_LEN || len > STOCKCERT_TEXT_MAX
        || stockcert_text_fault(value.mv_data, len) != NULL)
    {
        return stockcert_ledger_damaged(error,
                                        "its replica has a name of none");
    }

    failed = stockcert_mark_seal(ledger, value.mv_data, len, seal, error);
    if (failed != STOCKCERT_OK) {
        return failed;
    }

    if (memcmp(seal, (uint8_t *) value.mv_data + len, STOCKCERT_SEAL_LEN) != 0)
    {
        return stockcert_ledger_damaged(error,
                                        "its replica has another seal");
    }

    ledger->mark_len = len;
    memcpy(ledger->mark, value.mv_data, len);

    if (ledger->replica == NULL && ledger->access != STOCKCERT_READ) {
        snprintf(error->text, sizeof(error->text),
                 "other machines have this ledger, too, by etcd, below %.*s: "
                 "whoever writes to it must name that etcd (nginx: \"etcd\"; "
                 "the tool: --etcd)", (int) ledger->mark_len, ledger->mark);
        return STOCKCERT_DIVERGED;
    }

    return STOCKCERT_OK;
}


stockcert_rc_e
stockcert_mark_put(stockcert_ledger_t *ledger, const char *name,
    stockcert_error_t *error)
{
    int             rc;
    size_t          len;
    uint8_t         bytes[STOCKCERT_TEXT_MAX + STOCKCERT_SEAL_LEN];
    MDB_val         key, value;
    stockcert_rc_e  failed;

    len = strlen(name);

    key.mv_size = sizeof(STOCKCERT_MARK_KEY) - 1;
    key.mv_data = (void *) STOCKCERT_MARK_KEY;

    if (len == 0) {
        rc = mdb_del(ledger->writer, ledger->meta, &key, NULL);

        return stockcert_ledger_error(error, "mdb_del()",
                                      rc == MDB_NOTFOUND ? 0 : rc);
    }

    if (len > STOCKCERT_TEXT_MAX) {
        return stockcert_ledger_error(error, "mdb_put()", ENAMETOOLONG);
    }

    memcpy(bytes, name, len);

    failed = stockcert_mark_seal(ledger, name, len, bytes + len, error);
    if (failed != STOCKCERT_OK) {
        return failed;
    }

    value.mv_size = len + STOCKCERT_SEAL_LEN;
    value.mv_data = bytes;

    rc = mdb_put(ledger->writer, ledger->meta, &key, &value, 0);

    return stockcert_ledger_error(error, "mdb_put()", rc);
}


static stockcert_rc_e
stockcert_mark_seal(const stockcert_ledger_t *ledger, const void *name,
    size_t len, uint8_t *seal, stockcert_error_t *error)
{
    if (stockcert_seal(ledger->sealer, ledger->header_seal, name, len, seal)
        != 0)
    {
        return stockcert_ledger_error(error, "EVP_DigestFinal_ex()", ENOMEM);
    }

    return STOCKCERT_OK;
}
