
/*
 * Machines: the files of a ledger, the lanes that their workers share.
 */


#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"


const char  *const class_codes[CLASSES] = { "CS", "PS", "XS" };


static void
machine_lanes(machine_t *machine)
{
    machine->lanes = mmap(NULL, stockcert_lanes_size(WORKERS),
                          PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1,
                          0);

    if (machine->lanes == MAP_FAILED) {
        fail("no memory for lanes");
    }

    stockcert_lanes_init(machine->lanes, WORKERS);
}


static void
machine_file(const machine_t *machine, const char *name, char *path)
{
    snprintf(path, 100, "%s/%s", machine->path, name);
}


static void
machine_remove_files(const machine_t *machine)
{
    char  path[100];

    machine_file(machine, "data.mdb", path);
    (void) unlink(path);
    machine_file(machine, "lock.mdb", path);
    (void) unlink(path);
}


machine_t *
machine_any(void)
{
    return &world.machines[chance(MACHINES)];
}


/* each has some classes in its configuration, not always the same */

static void
machine_configure(machine_t *machine)
{
    static char         title[] = "Common Stock 0";
    size_t              i;
    stockcert_class_t  *class;

    machine->nclasses = 0;

    for (i = 0; i < CLASSES; i++) {

        if (i && chance(2)) {
            continue;
        }

        class = &machine->classes[machine->nclasses++];

        memset(class, 0, sizeof(stockcert_class_t));
        class->code.data = class_codes[i];
        class->code.len = 2;
        class->title.data = title;
        class->title.len = sizeof(title) - 1;
        class->authorized = chance(8) ? 20 + chance(200) : 10000;
    }
}


void
machine_begin(machine_t *machine, unsigned n)
{
    unsigned   i;
    worker_t  *worker;

    machine->n = n;
    machine->opens = 0;
    machine->skew = (int64_t) chance(4000000) - 2000000;
    machine->down = 0;
    machine->cut = 0;
    machine->watched = 0;
    machine->position = 0;
    machine->copy = NULL;
    machine->size = 16 * 1024 * 1024;

    if (happens(world.profile.small)) {
        machine->size = 4096 * (30 + chance(60));
    }

    machine_remove_files(machine);
    machine_configure(machine);
    machine_lanes(machine);

    for (i = 0; i < PROCESSES; i++) {
        worker = &machine->workers[i];

        worker->machine = machine;
        worker->n = i;
        worker->ledger = NULL;
        worker->failed = 0;
        worker->panics = 0;
        worker->opened = 0;
        worker->answered = 0;
        worker->order = NULL;
        worker->authorizes = NULL;
        worker->bytes = NULL;
        worker->task.runs = 0;

        memset(&worker->leader, 0, sizeof(stockcert_leader_t));
        memset(worker->attempts, 0, sizeof(worker->attempts));

        worker->leader.lanes = machine->lanes;
        worker->leader.wake = worker_wake;
        worker->leader.data = worker;
        worker->leader.patience = world.profile.patience ? 10000000000 : 0;

        network_serve(worker);
    }
}


void
machine_end(machine_t *machine)
{
    unsigned  i;

    for (i = 0; i < PROCESSES; i++) {
        worker_kill(&machine->workers[i]);
        free(machine->workers[i].bytes);
    }

    munmap(machine->lanes, stockcert_lanes_size(WORKERS));
    free(machine->copy);
    machine->copy = NULL;
}


/* all its processes die at once, and what they shared is gone */

void
machine_crash(machine_t *machine)
{
    unsigned  i;

    trace("machine %u crashes", machine->n);

    for (i = 0; i < PROCESSES; i++) {
        worker_kill(&machine->workers[i]);
    }

    munmap(machine->lanes, stockcert_lanes_size(WORKERS));
    machine_lanes(machine);

    for (i = 0; i < PROCESSES; i++) {
        machine->workers[i].leader.lanes = machine->lanes;
        machine->workers[i].answered = 0;
        machine->workers[i].opened = 0;
    }
}


/* its file, while nobody writes to it */

uint8_t *
machine_copy(const machine_t *machine, size_t *len)
{
    int          fd;
    char         path[100];
    uint8_t     *bytes;
    struct stat  st;

    machine_file(machine, "data.mdb", path);

    fd = open(path, O_RDONLY);
    if (fd == -1 || fstat(fd, &st) == -1) {
        fail("no %s", path);
    }

    *len = (size_t) st.st_size;
    bytes = malloc(*len + 1);

    if (pread(fd, bytes, *len, 0) != (ssize_t) *len) {
        fail("cannot read %s", path);
    }

    close(fd);

    return bytes;
}


/* another file, of this machine or another; it is down */

void
machine_take(machine_t *machine, const uint8_t *bytes, size_t len)
{
    int   fd;
    char  path[100];

    machine_remove_files(machine);
    machine_file(machine, "data.mdb", path);

    fd = open(path, O_WRONLY|O_CREAT|O_EXCL, 0600);

    if (fd == -1 || write(fd, bytes, len) != (ssize_t) len) {
        fail("cannot write %s", path);
    }

    close(fd);
}


/* workers look by themselves, as who leads may die before it wakes them */

void
machine_look(machine_t *machine)
{
    unsigned  i;

    for (i = 0; i < WORKERS; i++) {
        client_tell(&machine->workers[i]);
    }
}


/* who watches may be late with what it was told of */

void
machine_watch(machine_t *machine)
{
    if (machine->watched) {
        (void) stockcert_lanes_tell(machine->lanes, machine->watched);
        machine->watched = 0;

    } else {
        machine->watched = engine_head()->revision;
    }
}


int
machine_writes(const machine_t *machine)
{
    unsigned         i;
    const worker_t  *worker;

    for (i = 0; i < PROCESSES; i++) {
        worker = &machine->workers[i];

        if (worker->ledger && worker->ledger->writer) {
            return 1;
        }
    }

    return 0;
}
