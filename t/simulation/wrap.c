
/*
 * What the linker puts before LMDB, the clock, locks and random bytes (ld,
 * --wrap), so that they fail and wait as the seed says.
 *
 * All workers of a machine have one LMDB environment, as a process may not open
 * one twice.  All else is each worker's own.
 */


#include <errno.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>

#include "world.h"


int  without_fence, without_guard, same_bytes;


int __real_mdb_env_create(MDB_env **env);
int __real_mdb_env_open(MDB_env *env, const char *path, unsigned flags,
    mdb_mode_t mode);
void __real_mdb_env_close(MDB_env *env);
int __real_mdb_env_set_mapsize(MDB_env *env, size_t size);
int __real_mdb_env_set_maxreaders(MDB_env *env, unsigned n);
int __real_mdb_env_set_maxdbs(MDB_env *env, MDB_dbi n);
int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
    MDB_txn **txn);
int __real_mdb_txn_commit(MDB_txn *txn);
int __real_flock(int fd, int op);

int __wrap_mdb_env_create(MDB_env **env);
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags,
    mdb_mode_t mode);
void __wrap_mdb_env_close(MDB_env *env);
int __wrap_mdb_env_set_mapsize(MDB_env *env, size_t size);
int __wrap_mdb_env_set_maxreaders(MDB_env *env, unsigned n);
int __wrap_mdb_env_set_maxdbs(MDB_env *env, MDB_dbi n);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
    MDB_txn **txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_flock(int fd, int op);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __wrap_getrandom(void *p, size_t len, unsigned flags);
int __wrap_nanosleep(const struct timespec *ts, struct timespec *left);
long __wrap_syscall(long n, ...);


static machine_t *
wrap_shared(const MDB_env *env)
{
    size_t  i;

    for (i = 0; i < MACHINES; i++) {
        if (world.machines[i].opens && world.machines[i].env == env) {
            return &world.machines[i];
        }
    }

    return NULL;
}


int
__wrap_mdb_env_create(MDB_env **env)
{
    if (world.opening && world.opening->opens) {
        *env = world.opening->env;
        world.opening->opens++;
        return 0;
    }

    return __real_mdb_env_create(env);
}


/* of a path that ends with ".new", it is only made */

int
__wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags,
    mdb_mode_t mode)
{
    int  rc;

    if (wrap_shared(env)) {
        return 0;
    }

    rc = __real_mdb_env_open(env, path, flags, mode);

    if (rc == 0 && world.opening && !(flags & MDB_NOSUBDIR)) {
        world.opening->env = env;
        world.opening->opens = 1;
    }

    return rc;
}


void
__wrap_mdb_env_close(MDB_env *env)
{
    machine_t  *machine;

    machine = wrap_shared(env);

    if (machine == NULL || --machine->opens == 0) {
        __real_mdb_env_close(env);
    }
}


int
__wrap_mdb_env_set_mapsize(MDB_env *env, size_t size)
{
    return wrap_shared(env) ? 0 : __real_mdb_env_set_mapsize(env, size);
}


int
__wrap_mdb_env_set_maxreaders(MDB_env *env, unsigned n)
{
    return wrap_shared(env) ? 0 : __real_mdb_env_set_maxreaders(env, n);
}


int
__wrap_mdb_env_set_maxdbs(MDB_env *env, MDB_dbi n)
{
    return wrap_shared(env) ? 0 : __real_mdb_env_set_maxdbs(env, n);
}


int
__wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
    MDB_txn **txn)
{
    if (world.task && world.task->worker->panics) {
        return MDB_PANIC;
    }

    if (world.task && !(flags & MDB_RDONLY)) {
        world.task->worker->appends = 0;
    }

    if (world.task && !(flags & MDB_RDONLY) && happens(world.profile.begins)) {
        seen(SEEN_BEGINS);
        trace("mdb_txn_begin: fails");
        return ENOMEM;
    }

    return __real_mdb_txn_begin(env, parent, flags, txn);
}


/* what is committed must be in the journal that all have */

static void
wrap_committed(worker_t *worker)
{
    uint64_t             position;
    stockcert_ledger_t  *ledger;

    ledger = worker->ledger;
    position = ledger->position;

    if (position > world.len
        || (position && memcmp(ledger->seal, world.log[position - 1].seal,
                               STOCKCERT_SEAL_LEN) != 0))
    {
        fail("machine %u commits entry %" PRIu64 ", which is not in the "
             "journal of all", worker->machine->n, position);
    }

    if (position < worker->machine->position) {
        fail("machine %u goes back to entry %" PRIu64, worker->machine->n,
             position);
    }

    worker->machine->position = position;
}


/* the disk has it, and LMDB knows nothing of that: it refuses all that comes */

int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
    int      rc;
    task_t  *task;

    task = world.task;

    if (task == NULL) {
        return __real_mdb_txn_commit(txn);
    }

    task_pause("commit");

    if (happens(world.profile.disk)) {
        static const int  reasons[] = { ENOSPC, EIO, MDB_MAP_FULL, ENOMEM };

        rc = reasons[chance(4)];
        task->worker->panics = rc == EIO && chance(2);

        if (!task->worker->panics || chance(2)) {
            seen(SEEN_DISK_BEFORE);
            trace("mdb_txn_commit: fails (%d)", rc);
            mdb_txn_abort(txn);

        } else {
            seen(SEEN_DISK_AFTER);
            trace("mdb_txn_commit: fails (%d), and is committed", rc);
            wrap_committed(task->worker);
            (void) __real_mdb_txn_commit(txn);
        }

    } else {
        rc = __real_mdb_txn_commit(txn);

        trace("mdb_txn_commit: entry %" PRIu64 ", %d",
              task->worker->ledger->position, rc);

        if (rc == 0) {
            wrap_committed(task->worker);
        }
    }

    task->committed = 1;
    task_pause("committed");
    task->committed = 0;

    return rc;
}


int
__wrap_flock(int fd, int op)
{
    task_t     *task;
    machine_t  *machine;

    task = world.task;

    if (task == NULL || (op & LOCK_UN)) {
        return __real_flock(fd, op);
    }

    machine = task->worker->machine;

    task_pause("lock");

    while (__real_flock(fd, op | LOCK_NB) == -1) {
        seen(SEEN_BLOCKED);
        task->blocked = 1;
        task_pause("lock, another has it");
    }

    task->blocked = 0;

    if (task->worker->ledger && fd == task->worker->ledger->lock.fd) {
        machine_look(machine);
        machine->locked = world.len;
    }

    return 0;
}


int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    int64_t  ns;

    world.clock += 1000;

    ns = (int64_t) world.clock;

    if (id == CLOCK_REALTIME) {
        ns += 1700000000000000000;
        ns += world.task ? 1000 * world.task->worker->machine->skew : 0;
    }

    ts->tv_sec = ns / 1000000000;
    ts->tv_nsec = ns % 1000000000;

    return 0;
}


ssize_t
__wrap_getrandom(void *p, size_t len, unsigned flags)
{
    size_t  i;

    (void) flags;

    if (chance(4) == 0) {
        task_pause("random");
    }

    for (i = 0; i < len; i++) {
        ((uint8_t *) p)[i] = same_bytes ? 1 : (uint8_t) chance(256);
    }

    return (ssize_t) len;
}


static void
wrap_sleep(const struct timespec *ts)
{
    world.clock += (uint64_t) ts->tv_sec * 1000000000 + (uint64_t) ts->tv_nsec;
}


int
__wrap_nanosleep(const struct timespec *ts, struct timespec *left)
{
    (void) left;

    task_pause("sleep");
    wrap_sleep(ts);

    return 0;
}


/* futexes: whoever sleeps has slept for long enough when it goes on */

long
__wrap_syscall(long n, ...)
{
    int               op;
    va_list           args;
    struct timespec  *ts;

    if (n != SYS_futex) {
        fail("system call %ld", n);
    }

    va_start(args, n);
    (void) va_arg(args, void *);
    op = va_arg(args, int);
    (void) va_arg(args, int);
    ts = va_arg(args, struct timespec *);
    va_end(args);

    if (op == FUTEX_WAIT) {
        task_pause("futex");
        wrap_sleep(ts);
    }

    return 0;
}
