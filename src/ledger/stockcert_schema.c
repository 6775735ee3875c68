
/*
 * What must be in a ledger's environment: opens it, makes it, checks it.
 *
 * It runs while a ledger is opened, in one transaction.
 */


#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stockcert_format.h"
#include "stockcert_store.h"
#include "stockcert_text.h"


#define STOCKCERT_META_KEY  "ledger"


static stockcert_rc_e stockcert_ledger_open_rest(stockcert_ledger_t *ledger,
    unsigned int create, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_add_class(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, int make, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_open_header(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, unsigned int *create,
    stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_put_header(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error);
static stockcert_rc_e stockcert_ledger_use_header(stockcert_ledger_t *ledger,
    const MDB_val *value, const stockcert_str_t *company,
    stockcert_error_t *error);


/*
 * All databases are opened in this one transaction.  LMDB allows that once in a
 * process, and not in two transactions at a time.  (Only the writer opens those
 * of classes that it finds later.)  They are made together with their ledger or
 * class.  If one is missing later, something was lost, and the ledger is
 * refused.
 */

stockcert_rc_e
stockcert_ledger_open_databases(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, stockcert_error_t *error)
{
    size_t          i;
    unsigned int    create;
    stockcert_rc_e  rc;

    /* an earlier try may have had some */

    ledger->nmet = 0;
    ledger->nkept = 0;

    rc = stockcert_ledger_open_header(ledger, conf, make, &create, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_ledger_open_rest(ledger, create, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_journal_read_tail(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_class_meet(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    ledger->nkept = ledger->nmet;

    rc = stockcert_post_check(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_post_catch_up(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    /* others may have opened them: stockcert_ledger_open_classes() knows */

    for (i = 0; conf->replica == NULL && i < conf->nclasses; i++) {
        rc = stockcert_ledger_add_class(ledger, &conf->classes[i], make, error);
        if (rc != STOCKCERT_OK) {
            return rc;
        }
    }

    ledger->nclasses = ledger->nmet;

    return STOCKCERT_OK;
}


/* all databases but "meta" and those of classes */

static stockcert_rc_e
stockcert_ledger_open_rest(stockcert_ledger_t *ledger, unsigned int create,
    stockcert_error_t *error)
{
    size_t          i;
    stockcert_rc_e  rc;

    struct {
        const char  *name;
        MDB_dbi     *dbi;
    } databases[] = {
        { "journal", &ledger->journal },
        { "class", &ledger->class },
        { "request", &ledger->keys },
        { "holder", &ledger->holders },
        { "transaction", &ledger->transactions },
        { "amendment", &ledger->amendments }
    };

    _Static_assert(sizeof(databases) / sizeof(databases[0]) + 1
                   == STOCKCERT_DATABASES, "and \"meta\"");

    rc = STOCKCERT_OK;

    for (i = 0; i < STOCKCERT_DATABASES - 1 && rc == STOCKCERT_OK; i++) {
        rc = stockcert_files_open_dbi(ledger, databases[i].name, create,
                                      databases[i].dbi, error);
    }

    return rc;
}


/* opens a class of the configuration, if the ledger does not have it */

static stockcert_rc_e
stockcert_ledger_add_class(stockcert_ledger_t *ledger,
    const stockcert_class_t *class, int make, stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    if (!make) {
        return stockcert_class_find(ledger, ledger->nmet, class->code.data,
                                    class->code.len)
               ? STOCKCERT_OK : STOCKCERT_NOT_FOUND;
    }

    rc = stockcert_enter_class(ledger, class, error);

    return rc == STOCKCERT_REFUSED ? STOCKCERT_FAILED : rc;
}


static stockcert_rc_e
stockcert_ledger_open_header(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, int make, unsigned int *create,
    stockcert_error_t *error)
{
    int       rc;
    MDB_dbi   main;
    MDB_val   key, value;
    MDB_stat  stat;

    *create = 0;

    rc = mdb_dbi_open(ledger->writer, "meta", 0, &ledger->meta);

    if (rc == MDB_NOTFOUND) {

        /* a new ledger, or an environment of some other program */

        rc = mdb_dbi_open(ledger->writer, NULL, 0, &main);
        if (rc == 0) {
            rc = mdb_stat(ledger->writer, main, &stat);
        }

        if (rc != 0) {
            return stockcert_ledger_error(error, "mdb_stat()", rc);
        }

        if (stat.ms_entries != 0) {
            return stockcert_ledger_damaged(error,
                                     "it has other data, which is no ledger");
        }

        if (!make) {
            return STOCKCERT_NOT_FOUND;
        }

        if (conf->access != STOCKCERT_MAKE
            || (conf->known && conf->known->position))
        {
            return stockcert_ledger_damaged(error, "it is empty");
        }

        *create = MDB_CREATE;
        ledger->made = 1;

        return stockcert_ledger_put_header(ledger, conf, error);
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_dbi_open()", rc);
    }

    key.mv_size = sizeof(STOCKCERT_META_KEY) - 1;
    key.mv_data = (void *) STOCKCERT_META_KEY;

    rc = mdb_get(ledger->writer, ledger->meta, &key, &value);

    if (rc == MDB_NOTFOUND) {
        return stockcert_ledger_damaged(error, "it has no header");
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_get()", rc);
    }

    rc = stockcert_ledger_use_header(ledger, &value, &conf->company, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    return stockcert_mark_read(ledger, error);
}


/*
 * LMDB flushes its file, but not the directory entry that it made.  So the
 * directory is flushed before the header is written: a ledger with a header is
 * always found in its directory.
 */

static stockcert_rc_e
stockcert_ledger_put_header(stockcert_ledger_t *ledger,
    const stockcert_ledger_conf_t *conf, stockcert_error_t *error)
{
    int                 fd, rc;
    uint8_t             bytes[STOCKCERT_HEADER_MAX];
    MDB_val             key, value;
    const char         *fault;
    stockcert_rc_e      failed;
    stockcert_header_t  header;

    header.format = STOCKCERT_FORMAT;
    header.created = conf->created ? conf->created : stockcert_now();
    header.company = conf->company;

    if (conf->replica) {
        failed = stockcert_reach_origin(conf->replica, &header, error);
        if (failed != STOCKCERT_OK) {
            return failed;
        }
    }

    fault = conf->created || conf->replica
            ? NULL : stockcert_new_text_fault(conf->company.data,
                                              conf->company.len);
    if (fault) {
        snprintf(error->text, sizeof(error->text), "the company's name %s",
                 fault);
        return STOCKCERT_FAILED;
    }

    fd = open(conf->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return stockcert_ledger_error(error, "open()", errno);
    }

    rc = fsync(fd) == -1 ? errno : 0;

    if (close(fd) == -1 && rc == 0) {
        rc = errno;
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "fsync()", rc);
    }

    key.mv_size = sizeof(STOCKCERT_META_KEY) - 1;
    key.mv_data = (void *) STOCKCERT_META_KEY;

    value.mv_size = stockcert_header_encode(&header, bytes);
    value.mv_data = bytes;

    rc = mdb_dbi_open(ledger->writer, "meta", MDB_CREATE, &ledger->meta);
    if (rc == 0) {
        rc = mdb_put(ledger->writer, ledger->meta, &key, &value,
                     MDB_NOOVERWRITE);
    }

    if (rc != 0) {
        return stockcert_ledger_error(error, "mdb_put()", rc);
    }

    value.mv_data = bytes;

    return stockcert_ledger_use_header(ledger, &value, &conf->company, error);
}


static stockcert_rc_e
stockcert_ledger_use_header(stockcert_ledger_t *ledger, const MDB_val *value,
    const stockcert_str_t *company, stockcert_error_t *error)
{
    stockcert_header_t  header;

    if (stockcert_header_decode(value->mv_data, value->mv_size, &header) != 0) {
        return stockcert_ledger_damaged(error, "its header is not a ledger's");
    }

    if (header.format != STOCKCERT_FORMAT) {
        snprintf(error->text, sizeof(error->text),
                 "the ledger has format version %u, this program reads %d only",
                 header.format, STOCKCERT_FORMAT);
        return STOCKCERT_FAILED;
    }

    if (header.created > STOCKCERT_TIME_MAX
        || stockcert_text_fault(header.company.data, header.company.len)
           != NULL)
    {
        return stockcert_ledger_damaged(error,
                                 "its header has a company or time of none");
    }

    if (company->len && !stockcert_str_same(&header.company, company)) {
        snprintf(error->text, sizeof(error->text),
                 "the ledger belongs to \"%.*s\", the configuration says "
                 "\"%.*s\"", (int) header.company.len, header.company.data,
                 (int) company->len, company->data);
        return STOCKCERT_FAILED;
    }

    if (stockcert_seal(ledger->sealer, NULL, value->mv_data, value->mv_size,
                       ledger->header_seal)
        != 0)
    {
        return stockcert_ledger_error(error, "EVP_DigestFinal_ex()", ENOMEM);
    }

    ledger->created = header.created;
    ledger->company_len = header.company.len;
    memcpy(ledger->company, header.company.data, header.company.len);

    return STOCKCERT_OK;
}
