
/*
 * A worker's thread, as a coroutine.  It goes on until it calls the engine or
 * LMDB, or waits for a lock.  There it can be left for a while, or for good:
 * that is what a kill does.
 */


#include "world.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif


#define STACK  (512 * 1024)


static ucontext_t  scheduler;


static void
task_main(void)
{
    worker_work(world.task->worker);

    world.task->runs = 0;
}


void
task_start(worker_t *worker)
{
    task_t  *task;

    task = &worker->task;

    if (task->stack == NULL) {
        task->stack = malloc(STACK);
    }

#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION(task->stack, STACK);
#endif

    task->worker = worker;
    task->runs = 1;
    task->blocked = 0;
    task->committed = 0;
    task->until = 0;
    task->point = "start";

    getcontext(&task->context);

    task->context.uc_stack.ss_sp = task->stack;
    task->context.uc_stack.ss_size = STACK;
    task->context.uc_link = &scheduler;

    makecontext(&task->context, task_main, 0);
}


void
task_run(task_t *task)
{
    world.task = task;

    swapcontext(&scheduler, &task->context);

    world.task = NULL;

    if (!task->runs) {
        worker_ended(task->worker);
    }
}


void
task_pause(const char *point)
{
    task_t  *task;

    task = world.task;

    if (task == NULL) {
        return;
    }

    task->point = point;

    swapcontext(&task->context, &scheduler);
}


void
task_abandon(task_t *task)
{
    task->runs = 0;
}


int
task_ready(const task_t *task)
{
    return task->runs && (task->until <= world.step || world.calm);
}


/* a thread that runs goes on, if any can */

int
task_go_on(void)
{
    unsigned  i, n;
    task_t   *task;

    n = (unsigned) chance(MACHINES * PROCESSES);

    for (i = 0; i < MACHINES * PROCESSES; i++, n++) {
        task = &world.machines[n / PROCESSES % MACHINES]
                .workers[n % PROCESSES].task;

        if (task_ready(task)) {
            task_run(task);
            return 1;
        }
    }

    return 0;
}
