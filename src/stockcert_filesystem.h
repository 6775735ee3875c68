
/*
 * What kind of file system a ledger is on.  LMDB's locks hold on one machine
 * alone, and what is in memory does not outlive it.
 */


#ifndef STOCKCERT_FILESYSTEM_H
#define STOCKCERT_FILESYSTEM_H


typedef enum {
    STOCKCERT_FILESYSTEM_LOCAL = 0,  /* or nothing is known against it */
    STOCKCERT_FILESYSTEM_SHARED,     /* other machines may have it, too */
    STOCKCERT_FILESYSTEM_MEMORY      /* gone when the machine is */
} stockcert_filesystem_e;


/*
 * The name of the file system that path is on, as it is called in /etc/fstab
 * where that can be told: "ext4", "nfs", "tmpfs"; "unknown" for one that is none
 * of those known here.  NULL with errno if path cannot be looked at; it must
 * exist.  kind may be NULL.  The name is static.  May wait for a file server.
 * Any thread.
 */

const char *stockcert_filesystem_name(const char *path,
    stockcert_filesystem_e *kind);


#endif /* STOCKCERT_FILESYSTEM_H */
