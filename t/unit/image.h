
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


/*
 * Branches, leaves, overflow pages, free ones; of 12 lots, so many have keys.  There
 * are entries of all kinds, and transactions of all types.
 */

static inline void
image_ledger(const fixture_t *f, size_t keyed)
{
    size_t               i, n;
    stockcert_slot_t     slots[40];
    stockcert_entry_t    first;
    stockcert_ledger_t  *ledger;

    static const struct {
        uint64_t     type;
        uint64_t     amount;
        const char  *to;
    } orders[] = {
        { STOCKCERT_TRANSFER, 0, "Jane Doe" }, { STOCKCERT_REISSUE, 0, NULL },
        { STOCKCERT_REPURCHASE, 1, NULL }, { STOCKCERT_CANCEL, 0, NULL },
        { STOCKCERT_CORRECT, 0, "Jane Doe" }, { STOCKCERT_TRANSFER, 0, "Bob" }
    };

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

        if (n % 2 == 0) {
            first = FIRST(.type = orders[n / 2].type);
            first.corrects = first.type == STOCKCERT_CORRECT;

            if (first.type == STOCKCERT_REPURCHASE) {
                first.price = fixture_str("0.01 USD");
            }

            verified_order(ledger, first, n + 1, n + 2, orders[n / 2].amount,
                           orders[n / 2].to, 2);
            continue;
        }

        HOLDER(.code = STR("PS"), .number = n, .address = STR("1 Main St"));

        verified_enter(ledger, (stockcert_entry_t) {
            .kind = STOCKCERT_CLASS_AMENDED, .code = STR("CS"),
            .shares = 2600000 + n, .reference = STR("Resolution 1") });
    }

    /* what it issues is not posted */

    verified_order(ledger, FIRST(.type = STOCKCERT_TRANSFER), 20, 0, 0, "Bob",
                   1);

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
