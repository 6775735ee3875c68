
/*
 * The bytes of a ledger's file, for tests that change them: a file of all sorts
 * of pages, with 4096 bytes each.
 */


#ifndef IMAGE_H
#define IMAGE_H


#include "verified.h"


#define IMAGE_PAGE  4096


typedef struct {
    size_t     size;
    uint8_t   *bytes;
    int64_t    entries;
    uint8_t    seal[STOCKCERT_SEAL_LEN];
} image_t;


/* branches, leaves, overflow pages, free ones; of 12 lots, so many have keys */

static inline void
image_ledger(const fixture_t *f, size_t keyed)
{
    size_t               i, n;
    stockcert_slot_t     slots[40];
    stockcert_entry_t    entry;
    stockcert_error_t    error;
    stockcert_ledger_t  *ledger;

    ledger = fixture_open(f);

    for (n = 0; n < 12; n++) {

        for (i = 0; i < 40; i++) {
            fixture_slot(&slots[i], i % 3 ? "CS" : "PS", "Salt Bae", 1 + i);

            if (n < keyed) {
                slots[i].grant.key_len = 2;
                slots[i].grant.key[0] = (char) (' ' + i);
                slots[i].grant.key[1] = (char) (' ' + n);
            }
        }

        if (fixture_issue(ledger, slots, n == 11 ? 1 : 40) != STOCKCERT_OK) {
            tap_bail_out("cannot issue");
        }

        memset(&entry, 0, sizeof(stockcert_entry_t));

        entry.kind = n % 2 ? STOCKCERT_CLASS_AMENDED
                           : STOCKCERT_CERTIFICATE_CANCELLED;
        entry.code = fixture_str("CS");
        entry.number = n % 2 ? 0 : n + 1;
        entry.shares = n % 2 ? 2600000 + n : 0;
        entry.text = fixture_str("a reason");

        if (fixture_enter(ledger, &entry, &error) != STOCKCERT_OK) {
            tap_bail_out("cannot enter: %s", error.text);
        }
    }

    stockcert_ledger_close(ledger);
}


static inline void
image_load(const char *path, image_t *image)
{
    FILE         *file;
    struct stat   st;

    file = fopen(path, "r");

    if (file == NULL || fstat(fileno(file), &st) == -1) {
        tap_bail_out("cannot open %s", path);
    }

    image->size = (size_t) st.st_size;
    image->bytes = malloc(image->size);

    if (image->bytes == NULL
        || fread(image->bytes, 1, image->size, file) != image->size)
    {
        tap_bail_out("cannot read %s", path);
    }

    fclose(file);
}


static inline void
image_put(const char *path, const void *bytes, size_t len, off_t at)
{
    int  fd;

    fd = open(path, O_WRONLY);

    if (fd == -1 || pwrite(fd, bytes, len, at) != (ssize_t) len
        || close(fd) == -1)
    {
        tap_bail_out("cannot write %s", path);
    }
}


#endif /* IMAGE_H */
