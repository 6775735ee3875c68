
/*
 * What kind of file system a ledger is on.  LMDB's locks work only within one
 * machine, and a file system in memory is lost with the machine.
 */


#ifndef STOCKCERT_FILESYSTEM_H
#define STOCKCERT_FILESYSTEM_H


typedef enum {
    STOCKCERT_FILESYSTEM_LOCAL = 0,  /* or nothing is known against it */
    STOCKCERT_FILESYSTEM_SHARED,     /* other machines may have it, too */
    STOCKCERT_FILESYSTEM_MEMORY      /* gone when the machine is */
} stockcert_filesystem_e;


/*
 * The name of the file system that path is on, as in /etc/fstab if that can be
 * told: "ext4", "nfs", "tmpfs"; or "unknown".  Returns NULL with errno if path
 * cannot be looked at; it must exist.  kind may be NULL.  The name is static.
 * It may wait for a file server.  Any thread.
 */

const char *stockcert_filesystem_name(const char *path,
    stockcert_filesystem_e *kind);


#endif /* STOCKCERT_FILESYSTEM_H */
