
/*
 * "stockcert verify" on a ledger that nobody writes to.
 */


#ifndef VERIFIED_H
#define VERIFIED_H


#include "edit.h"

#include "stockcert_verify.h"


static inline void
verified_progress(uint64_t done, uint64_t all)
{
    if (done > all) {
        tap_bail_out("more entries than there are");
    }
}


/* returns what is wrong, or NULL */

static inline const char *
verified_file(const char *path, stockcert_verified_t *verified)
{
    int                       fd, rc;
    static stockcert_pages_t  pages;

    memset(&pages, 0, sizeof(stockcert_pages_t));

    fd = open(path, O_RDONLY);
    if (fd == -1) {
        tap_bail_out("cannot open %s", path);
    }

    rc = stockcert_pages_metas(&pages, fd);

    if (rc == 0) {
        rc = stockcert_pages_map(&pages, fd);
    }

    if (rc == 0) {
        rc = stockcert_verify(&pages, verified, verified_progress);
    }

    stockcert_pages_unmap(&pages);
    close(fd);

    if (rc == 0) {
        return NULL;
    }

    return pages.fault[0] ? pages.fault : "nothing is said";
}


/* entries of all kinds: a ledger of 8 */

static inline void
verified_make(fixture_t *f, const char *name)
{
    size_t               i;
    stockcert_rc_e       rc;
    stockcert_slot_t     slots[3], last;
    stockcert_entry_t    entries[2];
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    fixture_make_default(f, name);
    ledger = fixture_open(f);

    fixture_slot(&slots[0], "CS", "Salt Bae", 10);
    fixture_slot(&slots[1], "CS", "Jane Doe", 5);
    fixture_slot(&slots[2], "PS", "Joe Blow", 7);
    fixture_slot(&last, "CS", "Salt Bae", 1);

    for (i = 0; i < 2; i++) {
        slots[i].grant.key_len = 1;
        slots[i].grant.key[0] = (char) ('a' + i);
    }

    last.grant.key_len = 1;
    last.grant.key[0] = 'c';

    memset(entries, 0, sizeof(entries));

    entries[0].kind = STOCKCERT_CERTIFICATE_CANCELLED;
    entries[0].code = fixture_str("CS");
    entries[0].number = 1;
    entries[0].text = fixture_str("surrendered");

    entries[1].kind = STOCKCERT_CLASS_AMENDED;
    entries[1].code = fixture_str("PS");
    entries[1].shares = 800000;
    entries[1].text = fixture_str("Resolution 1");

    rc = fixture_issue(ledger, slots, 3);

    for (i = 0; i < 2 && rc == STOCKCERT_OK; i++) {
        rc = fixture_enter(ledger, &entries[i], &error);
    }

    if (rc == STOCKCERT_OK) {
        rc = fixture_issue(ledger, &last, 1);
    }

    if (rc != STOCKCERT_OK) {
        tap_bail_out("cannot make a ledger");
    }

    stockcert_ledger_close(ledger);
}


#endif /* VERIFIED_H */
