
/*
 * Makes the directory of a ledger for the workers' user, safely as root
 * (docs/ARCHITECTURE.md, "Directories that others can write").
 *
 * It runs in the master.  It does not change what is there.  If that is not
 * the workers' user's, they refuse it as they open it (stockcert_owner.h).
 */


#include <ngx_http_stockcert.h>
#include <stockcert_filesystem.h>


#define NGX_HTTP_STOCKCERT_LINKS  8        /* links that lead to links */


static ngx_fd_t ngx_http_stockcert_walk(ngx_cycle_t *cycle, ngx_fd_t fd,
    const char *path, ngx_uint_t links);
static ngx_fd_t ngx_http_stockcert_follow(ngx_cycle_t *cycle, ngx_fd_t dir,
    ngx_fd_t link, const char *name, ngx_uint_t links);
static ngx_fd_t ngx_http_stockcert_make(ngx_cycle_t *cycle, ngx_fd_t dir,
    const char *name, ngx_uint_t last);
static ngx_int_t ngx_http_stockcert_give(ngx_cycle_t *cycle, ngx_fd_t fd,
    const char *name);
static ngx_int_t ngx_http_stockcert_flush(ngx_cycle_t *cycle, ngx_fd_t dir,
    const char *name);


void
ngx_http_stockcert_make_directory(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger)
{
    ngx_fd_t  fd;

    fd = open("/", O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (fd != -1) {
        fd = ngx_http_stockcert_walk(cycle, fd, (char *) ledger->configured, 0);
    }

    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "the directory of stockcert ledger \"%V\" cannot be made; "
                      "make it yourself, for the workers' user: "
                      ngx_create_dir_n " \"%s\" failed",
                      &ledger->name, ledger->configured);
        return;
    }

    (void) close(fd);
}


void
ngx_http_stockcert_tell_filesystem(ngx_cycle_t *cycle,
    ngx_http_stockcert_ledger_t *ledger)
{
    const char              *name;
    stockcert_filesystem_e   kind;

    name = stockcert_filesystem_name((char *) ledger->path.data, &kind);

    /* if it is not there, the workers say so */

    if (name == NULL || kind == STOCKCERT_FILESYSTEM_LOCAL) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "stockcert ledger \"%V\" in \"%V\" is on %s: %s",
                  &ledger->name, &ledger->path, name,
                  kind == STOCKCERT_FILESYSTEM_MEMORY
                  ? "it is lost when the machine stops; put it on a disk"
                  : "if two machines ever open it, it is damaged; put it on a "
                    "disk of this machine");
}


/*
 * Goes on from fd, which it closes.  Returns a descriptor, or -1 after it has
 * logged why.
 */

static ngx_fd_t
ngx_http_stockcert_walk(ngx_cycle_t *cycle, ngx_fd_t fd, const char *path,
    ngx_uint_t links)
{
    char         name[NAME_MAX + 1];
    size_t       len;
    ngx_fd_t     next, target;
    struct stat  st;

    while (fd != -1) {

        path += strspn(path, "/");
        len = strcspn(path, "/");

        if (len == 0) {
            break;
        }

        if (len > NAME_MAX) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, NGX_ENAMETOOLONG,
                          "\"%s\" is too long", path);
            (void) close(fd);
            return -1;
        }

        ngx_cpystrn((u_char *) name, (u_char *) path, len + 1);
        path += len;

        next = openat(fd, name, O_PATH|O_NOFOLLOW|O_CLOEXEC);

        if (next == -1 && ngx_errno == NGX_ENOENT && links == 0) {

            next = ngx_http_stockcert_make(cycle, fd, name,
                                           path[strspn(path, "/")] == '\0');

        } else if (next == -1 || fstat(next, &st) == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          ngx_open_file_n " \"%s\" failed", name);

        } else if (S_ISLNK(st.st_mode)) {
            target = ngx_http_stockcert_follow(cycle, fd, next, name, links);

            (void) close(next);
            next = target;
        }

        (void) close(fd);
        fd = next;
    }

    return fd;
}


static ngx_fd_t
ngx_http_stockcert_follow(ngx_cycle_t *cycle, ngx_fd_t dir, ngx_fd_t link,
    const char *name, ngx_uint_t links)
{
    char         target[PATH_MAX];
    ssize_t      n;
    ngx_fd_t     fd;
    struct stat  st;

    n = readlinkat(link, "", target, sizeof(target) - 1);

    if (n == -1 || fstat(link, &st) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "readlinkat() \"%s\" failed", name);
        return -1;
    }

    if (geteuid() == 0 && st.st_uid != 0) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"%s\" is a link of user %d, which root does not follow",
                      name, (int) st.st_uid);
        return -1;
    }

    if (links == NGX_HTTP_STOCKCERT_LINKS) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, NGX_ELOOP,
                      "\"%s\" is a link within too many others", name);
        return -1;
    }

    target[n] = '\0';

    fd = openat(dir, target[0] == '/' ? "/" : ".",
                O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " of the directory of \"%s\" failed",
                      name);
        return -1;
    }

    return ngx_http_stockcert_walk(cycle, fd, target, links + 1);
}


/* Flushed to disk, as is its name in its directory. */

static ngx_fd_t
ngx_http_stockcert_make(ngx_cycle_t *cycle, ngx_fd_t dir, const char *name,
    ngx_uint_t last)
{
    ngx_fd_t  fd;

    if (mkdirat(dir, name, last ? 0700 : 0755) == -1) {

        if (ngx_errno == NGX_EEXIST) {

            /* another master has just made it, and will give it */

            fd = openat(dir, name, O_PATH|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
            if (fd != -1) {
                return fd;
            }
        }

        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_create_dir_n " \"%s\" failed", name);
        return -1;
    }

    fd = openat(dir, name, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", name);
        return -1;
    }

    if ((last && ngx_http_stockcert_give(cycle, fd, name) != NGX_OK)
        || ngx_http_stockcert_flush(cycle, fd, name) != NGX_OK
        || ngx_http_stockcert_flush(cycle, dir, name) != NGX_OK)
    {
        (void) close(fd);
        return -1;
    }

    return fd;
}


static ngx_int_t
ngx_http_stockcert_give(ngx_cycle_t *cycle, ngx_fd_t fd, const char *name)
{
    DIR              *dir;
    ngx_fd_t          copy;
    ngx_uint_t        n;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (geteuid() != 0 || !ccf->master
        || ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT)
    {
        return NGX_OK;
    }

    copy = dup(fd);
    dir = (copy == -1) ? NULL : fdopendir(copy);

    if (dir == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_dir_n " \"%s\" failed", name);

        if (copy != -1) {
            (void) close(copy);
        }

        return NGX_ERROR;
    }

    /* the directory itself and its parent */

    for (n = 0; n < 3 && readdir(dir); n++) { /* void */ }

    (void) closedir(dir);

    if (n == 3) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"%s\" was replaced as it was made", name);
        return NGX_ERROR;
    }

    if (fchown(fd, ccf->user, (gid_t) -1) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "fchown() \"%s\" failed", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* fsync() refuses a descriptor that was opened with O_PATH */

static ngx_int_t
ngx_http_stockcert_flush(ngx_cycle_t *cycle, ngx_fd_t dir, const char *name)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    rc = NGX_OK;
    fd = openat(dir, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1 || fsync(fd) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "fsync() of \"%s\" or its parent failed", name);
        rc = NGX_ERROR;
    }

    if (fd != -1) {
        (void) close(fd);
    }

    return rc;
}
