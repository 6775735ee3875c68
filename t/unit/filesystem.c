
/*
 * What the file systems are called, and which of them say something about a
 * ledger.  statfs() is ours here, as most cannot be had in a test.
 */


#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/vfs.h>

#include "stockcert_filesystem.h"
#include "tap.h"


typedef struct {
    uint32_t                type;
    const char             *name;
    stockcert_filesystem_e  kind;
} case_t;


static const case_t  cases[] = {

    { 0x0000ef53, "ext4", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x58465342, "xfs", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x9123683e, "btrfs", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x794c7630, "overlay", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x00000001, "unknown", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x00000000, "unknown", STOCKCERT_FILESYSTEM_LOCAL },

    { 0x00006969, "nfs", STOCKCERT_FILESYSTEM_SHARED },
    { 0x0000517b, "smb", STOCKCERT_FILESYSTEM_SHARED },
    { 0xff534d42, "cifs", STOCKCERT_FILESYSTEM_SHARED },
    { 0xfe534d42, "smb3", STOCKCERT_FILESYSTEM_SHARED },
    { 0x01021997, "9p", STOCKCERT_FILESYSTEM_SHARED },
    { 0x00c36400, "ceph", STOCKCERT_FILESYSTEM_SHARED },
    { 0x65735546, "fuse", STOCKCERT_FILESYSTEM_SHARED },

    { 0x01021994, "tmpfs", STOCKCERT_FILESYSTEM_MEMORY },
    { 0x858458f6, "ramfs", STOCKCERT_FILESYSTEM_MEMORY }
};


static uint32_t  type;
static int       interrupted;


/* a type of 32 bits may come with its sign */

int
statfs(const char *path, struct statfs *fs)
{
    if (interrupted) {
        interrupted--;
        errno = EINTR;
        return -1;
    }

    if (strcmp(path, "/none") == 0) {
        errno = ENOENT;
        return -1;
    }

    memset(fs, 0, sizeof(struct statfs));
    fs->f_type = (int32_t) type;

    return 0;
}


int
main(void)
{
    size_t                  i;
    const char             *name;
    stockcert_filesystem_e  kind;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        type = cases[i].type;
        interrupted = (int) (i % 3);

        name = stockcert_filesystem_name("/", &kind);

        ok(name && strcmp(name, cases[i].name) == 0 && kind == cases[i].kind,
           "type %08x is %s", (unsigned) type, cases[i].name);
    }

    name = stockcert_filesystem_name("/none", &kind);

    ok(name == NULL && errno == ENOENT, "there must be something to look at");
    ok(stockcert_filesystem_name("/", NULL) != NULL, "the kind is not needed");

    return tap_done();
}
