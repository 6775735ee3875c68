
/*
 * Reads a ledger in a process of its own.  What root makes of a ledger belongs
 * to root, but the ledger's owner reads it.  So the owner is another process,
 * and its only way to the output is a pipe.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stockcert_tool.h"


#define STOCKCERT_POUR  65536      /* bytes at a time */


static void stockcert_tool_child(stockcert_apart_t *apart, pid_t parent,
    int pipes[][2]);
static int stockcert_tool_pour(stockcert_apart_t *apart, int from, int to);
static int stockcert_tool_reap(stockcert_apart_t *apart, pid_t pid);


int
stockcert_tool_apart(stockcert_apart_t *apart)
{
    int     status, pipes[STOCKCERT_APART_MAX][2];
    pid_t   pid, parent;
    size_t  i;

    apart->error = 0;
    apart->poured = mmap(NULL, sizeof(stockcert_poured_t),
                         PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (apart->poured == MAP_FAILED) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "mmap() failed: %s",
                                    strerror(errno));
    }

    for (i = 0; i < apart->n; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) == -1) {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                        "pipe2() failed: %s", strerror(errno));
        }
    }

    parent = getpid();
    pid = fork();

    if (pid == -1) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "fork() failed: %s",
                                    strerror(errno));
    }

    if (pid == 0) {
        stockcert_tool_child(apart, parent, pipes);
    }

    for (i = 0; i < apart->n; i++) {
        (void) close(pipes[i][1]);
    }

    for (i = 0; i < apart->n; i++) {

        if (apart->error == 0
            && stockcert_tool_pour(apart, pipes[i][0], apart->fds[i]) == -1)
        {
            apart->error = errno;
            (void) kill(pid, SIGKILL);
        }

        (void) close(pipes[i][0]);
    }

    status = stockcert_tool_reap(apart, pid);

    stockcert_tool_progress_end();
    (void) munmap(apart->poured, sizeof(stockcert_poured_t));

    return status;
}


static void
stockcert_tool_child(stockcert_apart_t *apart, pid_t parent, int pipes[][2])
{
    int     status;
    size_t  i;

    /* the owner's process gets neither the output nor the terminal */

    stockcert_whole_forget();
    (void) setsid();

    for (i = 0; i < apart->n; i++) {
        (void) close(pipes[i][0]);
        (void) close(apart->fds[i]);
        apart->fds[i] = pipes[i][1];
    }

    status = stockcert_tool_enter(apart->path);

    /* a change of the user resets this, so it comes after */

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent) {
        _exit(STOCKCERT_EXIT_FAILED);
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = apart->run(apart, apart->data);
    }

    stockcert_tool_progress_end();

    exit(status);
}


static int
stockcert_tool_pour(stockcert_apart_t *apart, int from, int to)
{
    char      bytes[STOCKCERT_POUR], *p;
    ssize_t   n, written;

    for ( ;; ) {
        n = read(from, bytes, sizeof(bytes));

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return (int) n;
        }

        apart->poured->bytes += (uint64_t) n;

        for (p = bytes; n > 0; n -= written, p += written) {
            written = write(to, p, (size_t) n);

            if (written == -1) {
                if (errno != EINTR) {
                    return -1;
                }

                written = 0;
            }
        }

        if (apart->progress) {
            stockcert_tool_progress(apart->progress, "bytes",
                                    apart->poured->bytes, apart->poured->size);
        }
    }
}


static int
stockcert_tool_reap(stockcert_apart_t *apart, pid_t pid)
{
    int  status;

    while (waitpid(pid, &status, 0) == -1) {
        if (errno != EINTR) {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED,
                                        "waitpid() failed: %s",
                                        strerror(errno));
        }
    }

    if (apart->error) {
        return STOCKCERT_EXIT_FAILED;
    }

    if (WIFSIGNALED(status)) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "the process that "
                                    "read the ledger in %s ended by signal %d: "
                                    "see \"stockcert verify\"", apart->path,
                                    WTERMSIG(status));
    }

    return WEXITSTATUS(status);
}
