
/*
 * What befalls whole machines and the engine, and how all of it ends.
 */


#include "world.h"


#define ROUNDS  200    /* until all must be settled */


/* an older copy of a machine's ledger, or another machine's */

void
scenario_crash(machine_t *machine)
{
    seen(SEEN_CRASHES);

    machine_crash(machine);
    machine->down = world.step + (unsigned) chance(100);

    if (machine->copy && world.scenario == PLAIN && chance(2)) {
        seen(SEEN_OLDER);
        trace("machine %u has an older copy", machine->n);

        machine_take(machine, machine->copy, machine->copy_len);
        machine->position = machine->copy_position;
    }
}


void
scenario_keep_copy(machine_t *machine)
{
    if (!machine_writes(machine) && machine->position) {
        free(machine->copy);
        machine->copy = machine_copy(machine, &machine->copy_len);
        machine->copy_position = machine->position;
    }
}


/* what every machine has, and every copy, but for one that is away */

uint64_t
scenario_trim(const machine_t *without)
{
    unsigned          i;
    uint64_t          least;
    const machine_t  *machine;

    least = world.len;

    for (i = 0; i < MACHINES; i++) {
        machine = &world.machines[i];

        if (machine == without) {
            continue;
        }

        least = machine->position < least ? machine->position : least;

        if (machine->copy && machine->copy_position < least) {
            least = machine->copy_position;
        }
    }

    return engine_trim(least);
}


/* nothing fails any more: until nothing waits on any machine but "away" */

static int
settle_machine(machine_t *machine)
{
    unsigned   i;
    worker_t  *worker;

    for (i = 0; i < WORKERS; i++) {
        worker = &machine->workers[i];

        if (worker->ledger == NULL || worker->order || !worker->opened
            || stockcert_lanes_waiting(machine->lanes)
            || machine->position != world.len)
        {
            worker_begin(worker, 1);

            while (task_go_on()) { /* void */ }
        }
    }

    for (i = 0; i < WORKERS; i++) {
        worker = &machine->workers[i];

        if (worker->ledger == NULL || worker->order || !worker->opened) {
            return 0;
        }
    }

    machine_look(machine);

    return !stockcert_lanes_waiting(machine->lanes)
           && machine->position == world.len;
}


void
scenario_settle(void)
{
    int       done;
    uint64_t  len;
    unsigned  i, round;

    world.calm = 1;

    while (task_go_on()) { /* void */ }

    network_settle();

    for (i = 0; i < MACHINES; i++) {
        machine_look(&world.machines[i]);
    }

    for (round = 0; round < ROUNDS; round++) {
        done = 1;
        len = world.len;

        for (i = 0; i < MACHINES; i++) {
            if (&world.machines[i] != world.away
                && !settle_machine(&world.machines[i]))
            {
                done = 0;
            }
        }

        if (done && len == world.len) {
            return;
        }
    }

    fail("it is not settled");
}


/* a machine with little room gets more */

void
scenario_make_room(void)
{
    unsigned    i, j;
    machine_t  *machine;

    world.calm = 1;

    while (task_go_on()) { /* void */ }

    for (i = 0; i < MACHINES; i++) {
        machine = &world.machines[i];

        if (machine->size < 16 * 1024 * 1024) {
            machine->size = 16 * 1024 * 1024;

            for (j = 0; j < PROCESSES; j++) {
                worker_close(&machine->workers[j]);
            }
        }
    }
}


/* one that has sent what it does not know the end of, if there is one */

static machine_t *
unsure_machine(void)
{
    unsigned    i, j;
    machine_t  *machine;

    machine = machine_any();

    for (i = 0; i < MACHINES; i++) {
        for (j = 0; j < WORKERS; j++) {
            if (atomic_load(&machine->lanes->lanes[j].noted)
                != atomic_load(&machine->lanes->lanes[j].settled))
            {
                return machine;
            }
        }

        machine = &world.machines[(machine->n + 1) % MACHINES];
    }

    return machine;
}


/* in the middle of a seed */

void
scenario_turn_of_events(void)
{
    machine_t  *machine;

    if (world.scenario == RESTORED) {
        scenario_make_room();
        scenario_settle();
        (void) engine_restore();
        world.calm = 0;
        return;
    }

    if (world.scenario == AWAY) {
        machine = unsure_machine();

        if (chance(4) == 0) {
            scenario_crash(machine);
            machine->down = world.profile.steps * 3 / 4;
        }

        machine->cut = world.profile.steps * 3 / 4;
    }
}


/* the others went on, and the engine does not have all of that any more */

void
scenario_come_back(void)
{
    unsigned    i;
    machine_t  *machine;

    for (i = 0; i < MACHINES; i++) {
        machine = &world.machines[i];

        if (machine->cut == world.profile.steps * 3 / 4
            && !machine_writes(machine)
            && scenario_trim(machine) > machine->position)
        {
            seen(SEEN_AWAY);
            trace("machine %u was away for too long", i);

            world.away = machine;
            world.away_position = machine->position;
        }
    }
}


/* it has another machine's ledger now, or none of its clients is told */

void
scenario_take_back(machine_t *machine)
{
    size_t     len;
    uint8_t   *bytes;
    unsigned   i;

    if (machine->position != world.away_position) {
        fail("machine %u has changed its ledger", machine->n);
    }

    if (chance(2)) {
        for (i = 0; i < WORKERS; i++) {
            client_leave(&machine->workers[i]);

            if (machine->workers[i].ledger == NULL) {
                worker_open(&machine->workers[i]);
            }
        }

        return;
    }

    machine_crash(machine);

    bytes = machine_copy(&world.machines[(machine->n + 1) % MACHINES], &len);
    machine_take(machine, bytes, len);
    free(bytes);

    machine->position = world.machines[(machine->n + 1) % MACHINES].position;
    world.away = NULL;
}
