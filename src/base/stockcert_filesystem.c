
/*
 * Names the file system that a path is on, by statfs(2).
 *
 * It reads no file.
 */


#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/vfs.h>

#include "stockcert_filesystem.h"


typedef struct {
    uint32_t                 type;
    const char              *name;
    stockcert_filesystem_e   kind;
} stockcert_filesystem_t;


/*
 * from statfs(2), linux/magic.h, and the sources of file systems that are in
 * neither
 */

static const stockcert_filesystem_t  stockcert_filesystems[] = {

    { 0x0000ef53, "ext4", STOCKCERT_FILESYSTEM_LOCAL },   /* and ext2, ext3 */
    { 0x58465342, "xfs", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x9123683e, "btrfs", STOCKCERT_FILESYSTEM_LOCAL },
    { 0xf2f52010, "f2fs", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x2fc12fc1, "zfs", STOCKCERT_FILESYSTEM_LOCAL },
    { 0xca451a4e, "bcachefs", STOCKCERT_FILESYSTEM_LOCAL },
    { 0x794c7630, "overlay", STOCKCERT_FILESYSTEM_LOCAL },

    { 0x00006969, "nfs", STOCKCERT_FILESYSTEM_SHARED },
    { 0x0000517b, "smb", STOCKCERT_FILESYSTEM_SHARED },
    { 0xff534d42, "cifs", STOCKCERT_FILESYSTEM_SHARED },
    { 0xfe534d42, "smb3", STOCKCERT_FILESYSTEM_SHARED },
    { 0x01021997, "9p", STOCKCERT_FILESYSTEM_SHARED },
    { 0x00c36400, "ceph", STOCKCERT_FILESYSTEM_SHARED },
    { 0x65735546, "fuse", STOCKCERT_FILESYSTEM_SHARED },  /* and virtiofs */
    { 0x5346414f, "afs", STOCKCERT_FILESYSTEM_SHARED },
    { 0x6b414653, "afs", STOCKCERT_FILESYSTEM_SHARED },
    { 0x73757245, "coda", STOCKCERT_FILESYSTEM_SHARED },
    { 0x0bd00bd0, "lustre", STOCKCERT_FILESYSTEM_SHARED },
    { 0x47504653, "gpfs", STOCKCERT_FILESYSTEM_SHARED },
    { 0x19830326, "beegfs", STOCKCERT_FILESYSTEM_SHARED },
    { 0x01161970, "gfs2", STOCKCERT_FILESYSTEM_SHARED },
    { 0x7461636f, "ocfs2", STOCKCERT_FILESYSTEM_SHARED },
    { 0x786f4256, "vboxsf", STOCKCERT_FILESYSTEM_SHARED },
    { 0xbacbacbc, "vmhgfs", STOCKCERT_FILESYSTEM_SHARED },

    { 0x01021994, "tmpfs", STOCKCERT_FILESYSTEM_MEMORY },
    { 0x858458f6, "ramfs", STOCKCERT_FILESYSTEM_MEMORY },

    { 0, "unknown", STOCKCERT_FILESYSTEM_LOCAL }
};


const char *
stockcert_filesystem_name(const char *path, stockcert_filesystem_e *kind)
{
    int                            rc;
    struct statfs                  fs;
    const stockcert_filesystem_t  *known;

    do {
        rc = statfs(path, &fs);
    } while (rc == -1 && errno == EINTR);

    if (rc == -1) {
        return NULL;
    }

    for (known = stockcert_filesystems; known->type; known++) {
        if (known->type == (uint32_t) fs.f_type) {
            break;
        }
    }

    if (kind) {
        *kind = known->kind;
    }

    return known->name;
}
