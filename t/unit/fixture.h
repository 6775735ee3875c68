
/*
 * Ledgers for tests: each in a directory of its own, all of them below one
 * that fixture_end() removes.
 */


#ifndef FIXTURE_H
#define FIXTURE_H


/* nftw(); to be included before any other */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "stockcert_ledger.h"
#include "tap.h"


#define FIXTURE_COMPANY  "Impossible Cuts Inc."
#define FIXTURE_SECONDS  300         /* what hangs is killed */

#define FIXTURE_FAR_FUTURE  4102444800000000    /* 2100-01-01 */


typedef struct {
    char                     path[300];
    stockcert_class_t        classes[STOCKCERT_CLASSES_MAX + 1];
    stockcert_ledger_conf_t  conf;
} fixture_t;


static char  fixture_root[256];


static inline void
fixture_begin(void)
{
    const char  *tmp;

    tmp = getenv("TMPDIR");

    snprintf(fixture_root, sizeof(fixture_root), "%s/stockcert-XXXXXX",
             tmp ? tmp : "/tmp");

    if (mkdtemp(fixture_root) == NULL) {
        tap_bail_out("cannot make %s", fixture_root);
    }

    alarm(FIXTURE_SECONDS);
}


static inline int
fixture_remove(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
    (void) st;
    (void) type;
    (void) ftw;

    return remove(path);
}


static inline void
fixture_end(void)
{
    if (nftw(fixture_root, fixture_remove, 16, FTW_DEPTH|FTW_PHYS) != 0) {
        tap_bail_out("cannot remove %s", fixture_root);
    }
}


static inline stockcert_str_t
fixture_str(const char *s)
{
    stockcert_str_t  str;

    str.data = s;
    str.len = strlen(s);

    return str;
}


static inline void
fixture_class(fixture_t *f, const char *code, const char *title,
    uint64_t authorized)
{
    stockcert_class_t  *class;

    class = &f->classes[f->conf.nclasses++];

    memset(class, 0, sizeof(stockcert_class_t));

    class->code = fixture_str(code);
    class->title = fixture_str(title);
    class->authorized = authorized;
}


/* an empty directory, and a ledger without classes to be made in it */

static inline void
fixture_make(fixture_t *f, const char *name)
{
    memset(f, 0, sizeof(fixture_t));

    snprintf(f->path, sizeof(f->path), "%s/%s", fixture_root, name);

    if (mkdir(f->path, 0700) == -1) {
        tap_bail_out("cannot make %s", f->path);
    }

    f->conf.path = f->path;
    f->conf.size = 16 * 1024 * 1024;
    f->conf.company = fixture_str(FIXTURE_COMPANY);
    f->conf.classes = f->classes;
}


static inline void
fixture_make_default(fixture_t *f, const char *name)
{
    fixture_make(f, name);
    fixture_class(f, "CS", "Common Stock", 2600000);
    fixture_class(f, "PS", "Preferred Stock", 750000);
}


static inline stockcert_ledger_t *
fixture_open(const fixture_t *f)
{
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    if (stockcert_ledger_open(&f->conf, &ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot open %s: %s", f->path, error.text);
    }

    return ledger;
}


static inline void
fixture_slot(stockcert_slot_t *slot, const char *code, const char *name,
    uint64_t amount)
{
    memset(slot, 0, sizeof(stockcert_slot_t));

    slot->grant.amount = amount;
    slot->grant.code_len = (uint8_t) strlen(code);
    slot->grant.name_len = (uint8_t) strlen(name);
    memcpy(slot->grant.code, code, slot->grant.code_len);
    memcpy(slot->grant.name, name, slot->grant.name_len);
}


/* all slots in one transaction */

static inline stockcert_rc_e
fixture_issue(stockcert_ledger_t *ledger, stockcert_slot_t *slots, size_t n)
{
    stockcert_rc_e     rc;
    stockcert_error_t  error;

    rc = stockcert_ledger_begin(ledger, &error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_ledger_issue(ledger, slots, n, &error);
    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    return stockcert_ledger_commit(ledger, &error);
}


/* a transaction of one entry, which cancels a certificate of so many shares */

static inline void
fixture_cancel(stockcert_entry_t *entry, const char *code, uint64_t number,
    uint64_t shares)
{
    memset(entry, 0, sizeof(stockcert_entry_t));

    entry->kind = STOCKCERT_CERTIFICATE_SURRENDERED;
    entry->code = fixture_str(code);
    entry->number = number;
    entry->shares = shares;
    entry->type = STOCKCERT_CANCEL;
    entry->member = 1;
    entry->surrenders = 1;
    entry->reference = fixture_str("a reason");
}


/* one entry in a transaction of its own */

static inline stockcert_rc_e
fixture_enter(stockcert_ledger_t *ledger, stockcert_entry_t *entry,
    stockcert_error_t *error)
{
    stockcert_rc_e  rc;

    rc = stockcert_ledger_begin(ledger, error);
    if (rc != STOCKCERT_OK) {
        return rc;
    }

    rc = stockcert_ledger_enter(ledger, entry, error);
    if (rc != STOCKCERT_OK) {
        stockcert_ledger_abort(ledger);
        return rc;
    }

    return stockcert_ledger_commit(ledger, error);
}


/*
 * The journal's time is far ahead of the clock: all entries that come have the
 * time of this one, which amends nothing.
 */

static inline void
fixture_stop_clock(stockcert_ledger_t *ledger)
{
    stockcert_entry_t  entry;
    stockcert_error_t  error;

    memset(&entry, 0, sizeof(stockcert_entry_t));

    entry.kind = STOCKCERT_CLASS_AMENDED;
    entry.time = FIXTURE_FAR_FUTURE;
    entry.code = fixture_str("CS");
    entry.shares = 2600000;
    entry.reference = fixture_str("a clock");

    if (fixture_enter(ledger, &entry, &error) != STOCKCERT_OK) {
        tap_bail_out("cannot stop the clock: %s", error.text);
    }
}


/* the class's counters in a snapshot of its own */

static inline stockcert_class_t
fixture_counters(stockcert_ledger_t *ledger, const char *code)
{
    stockcert_class_t  class;
    stockcert_error_t  error;

    stockcert_ledger_adopt(ledger);

    if (stockcert_ledger_snapshot(ledger, &error) != STOCKCERT_OK) {
        tap_bail_out("no snapshot: %s", error.text);
    }

    if (stockcert_ledger_class(ledger, code, strlen(code), &class, &error)
        != STOCKCERT_OK)
    {
        tap_bail_out("no class %s", code);
    }

    stockcert_ledger_release(ledger);

    return class;
}


static inline void
fixture_file(const fixture_t *f, const char *name, char *path, size_t size)
{
    if (snprintf(path, size, "%s/%s", f->path, name) >= (int) size) {
        tap_bail_out("%s/%s is too long", f->path, name);
    }
}


/* SHA-256 over all of data.mdb; zeroes if there is none */

static inline void
fixture_digest(const fixture_t *f, uint8_t *digest)
{
    char         path[320], bytes[4096];
    FILE        *file;
    size_t       n;
    EVP_MD_CTX  *ctx;

    memset(digest, 0, STOCKCERT_SEAL_LEN);

    fixture_file(f, "data.mdb", path, sizeof(path));

    file = fopen(path, "r");
    if (file == NULL) {
        return;
    }

    ctx = EVP_MD_CTX_new();
    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

    do {
        n = fread(bytes, 1, sizeof(bytes), file);
        EVP_DigestUpdate(ctx, bytes, n);
    } while (n > 0);

    EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx);
    fclose(file);
}


#endif /* FIXTURE_H */
