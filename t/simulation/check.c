
/*
 * What must be so in the end, when all that waited is settled.
 */


#include <fcntl.h>
#include <unistd.h>

#include "world.h"

#include "stockcert_verify.h"


/* each ask is in the journal as often as its clients were told, or may be */

void
check_asks(void)
{
    ask_t     *ask;
    uint64_t   i;

    for (i = 0; i < world.nasks; i++) {
        world.asks[i].found = 0;
    }

    for (i = 0; i < world.len; i++) {
        if (world.log[i].ask) {
            world.asks[world.log[i].ask - 1].found++;
        }
    }

    for (i = 0; i < world.nasks; i++) {
        ask = &world.asks[i];

        if (ask->waiting) {
            fail("%s is not told", ask->name);
        }

        if (ask->found < ask->issued) {
            fail("%s is not in the journal", ask->name);
        }

        if (ask->found > ask->issued + ask->unknown) {
            fail("%s is %u times in the journal, told %u times, unknown %u "
                 "times, refused %u times", ask->name, ask->found, ask->issued,
                 ask->unknown, ask->refused);
        }

        if (!ask->twin && ask->found > 1) {
            fail("%s is in the journal twice", ask->name);
        }

        if (ask->replayed && ask->found != 1) {
            fail("%s was replayed, and is not in the journal", ask->name);
        }
    }
}


static void
check_progress(uint64_t done, uint64_t all)
{
    (void) done;
    (void) all;
}


static void
check_verify(const machine_t *machine)
{
    int                      fd, rc;
    char                     path[100];
    stockcert_verified_t     verified;
    static stockcert_mdb_t   mdb;

    memset(&mdb, 0, sizeof(stockcert_mdb_t));
    memset(&verified, 0, sizeof(stockcert_verified_t));

    snprintf(path, sizeof(path), "%s/data.mdb", machine->path);

    fd = open(path, O_RDONLY);
    if (fd == -1) {
        fail("no %s", path);
    }

    rc = stockcert_mdb_metas(&mdb, fd);

    if (rc == 0) {
        rc = stockcert_mdb_map(&mdb, fd);
    }

    if (rc == 0) {
        rc = stockcert_verify(&mdb, &verified, check_progress);
    }

    stockcert_mdb_unmap(&mdb);
    close(fd);

    if (rc != 0) {
        fail("machine %u: verify: %s", machine->n, mdb.fault);
    }
}


/* byte for byte what all have, or the beginning of that */

void
check_machine(machine_t *machine, int whole)
{
    int          rc;
    MDB_txn     *txn;
    MDB_val      key, value;
    uint64_t     n;
    record_t    *record;
    MDB_cursor  *cursor;

    if (machine->opens == 0
        || mdb_txn_begin(machine->env, NULL, MDB_RDONLY, &txn) != 0
        || mdb_cursor_open(txn, machine->workers[0].ledger->journal, &cursor)
           != 0)
    {
        fail("machine %u cannot be read", machine->n);
    }

    for (n = 0; ; n++) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (rc != 0) {
            break;
        }

        record = &world.log[n];

        if (n == world.len || key.mv_size != 8
            || stockcert_get64(key.mv_data) != n + 1
            || value.mv_size != record->len
            || memcmp(value.mv_data, record->bytes, record->len) != 0)
        {
            fail("machine %u has another entry %" PRIu64, machine->n, n + 1);
        }
    }

    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);

    if (rc != MDB_NOTFOUND || (whole && n != world.len)) {
        fail("machine %u has %" PRIu64 " of %" PRIu64 " entries", machine->n,
             n, world.len);
    }

    check_verify(machine);
}
