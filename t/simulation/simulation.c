
/*
 * simulation DIRECTORY FIRST COUNT SECONDS [nofence|noguard|samebytes]: runs
 * COUNT seeds from FIRST on, but for so many seconds at most, unless that is 0.
 * It ends with 1 at the first seed that fails, and says how it came to that.
 * With SIMULATION_TRACE in the environment, it says what happens as it does.
 */


#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "world.h"


#define SECONDS  60    /* what takes longer hangs */


world_t  world;


int __real_clock_gettime(clockid_t id, struct timespec *ts);


/* some seeds have much of one thing, others none of it */

static unsigned
some(unsigned most)
{
    switch (chance(4)) {

    case 0:
        return 0;

    case 1:
        return most;

    default:
        return (unsigned) chance(most + 1);
    }
}


static void
world_begin(uint64_t seed)
{
    unsigned    i;
    uint64_t    r;
    profile_t  *p;

    chance_begin(seed);

    world.seed = seed;
    world.step = 0;
    world.calm = 0;
    world.restored = 0;
    world.away = NULL;
    world.clock = 1000000000;
    world.nasks = 0;

    p = &world.profile;

    p->steps = 100 + (unsigned) chance(500);
    p->asks = 20 + some(300);
    p->orders = some(300);
    p->tools = some(30);
    p->lost = some(500);
    p->deaf = some(100);
    p->repeated = some(300);
    p->gives_up = some(700);
    p->kills = some(60);
    p->crashes = some(10);
    p->stalls = some(30);
    p->disk = some(100);
    p->begins = some(30);
    p->late = some(30);
    p->foreign = chance(3) ? 0 : (unsigned) chance(50);
    p->cuts = some(10);
    p->tells = 20 + some(300);
    p->twins = some(400);
    p->bursts = chance(30) ? 0 : 10;
    p->focus = some(1000);
    p->small = some(200);
    p->patience = (int) chance(2);

    /* one machine asks, and is not sure of much: many fences */

    if (chance(8) == 0) {
        p->steps = 1000;
        p->asks = 300;
        p->orders = 300;
        p->lost = 500;
        p->gives_up = 700;
        p->focus = 1000;
        p->tells = 300;
    }

    r = chance(8);
    world.scenario = r == 0 ? RESTORED : r <= 2 ? AWAY : PLAIN;

    log_begin();
    engine_begin();

    for (i = 0; i < MACHINES; i++) {
        machine_begin(&world.machines[i], i);
    }
}


static void
world_end(void)
{
    unsigned  i;

    for (i = 0; i < MACHINES; i++) {
        machine_end(&world.machines[i]);
    }

    network_end();
    engine_end();
    log_end();
}


static worker_t *
any_worker(void)
{
    return &machine_any()->workers[chance(WORKERS)];
}


static void
misfortune(void)
{
    task_t    *task;
    worker_t  *worker;

    worker = &machine_any()->workers[chance(PROCESSES)];

    if (happens(world.profile.kills)) {
        seen(SEEN_KILLS);

        if (worker->ledger && worker->ledger->writer) {
            seen(SEEN_KILLS_INSIDE);
        }

        worker_kill(worker);
    }

    if (happens(world.profile.crashes)) {
        scenario_crash(machine_any());
    }

    if (happens(world.profile.late)) {
        client_late(any_worker());
    }

    if (happens(world.profile.cuts)) {
        machine_any()->cut = world.step + (unsigned) chance(80);
    }

    task = &any_worker()->task;

    if (task->runs && happens(world.profile.stalls)) {
        seen(SEEN_STALLS);
        task->until = world.step + 10 + (unsigned) chance(150);
    }
}


static void
step(void)
{
    unsigned    i;
    machine_t  *machine;

    seen(SEEN_STEPS);

    world.clock += chance(20000000);

    if (chance(200) == 0) {
        world.clock += chance(20000000000);
    }

    if (chance(1000) < world.profile.asks) {
        client_ask(happens(world.profile.focus)
                   ? &world.machines[0].workers[chance(WORKERS)]
                   : any_worker());
    }

    if (happens(world.profile.bursts)) {
        machine = machine_any();

        for (i = 0; i < 600; i++) {
            client_ask(&machine->workers[chance(WORKERS)]);
        }
    }

    if (happens(world.profile.tools)) {
        tool_begin(machine_any());
    }

    misfortune();

    if (chance(30) == 0) {
        engine_snapshot();
    }

    if (chance(60) == 0) {
        (void) scenario_trim(world.away);
    }

    machine = machine_any();

    if (chance(100) == 0) {
        scenario_keep_copy(machine);
    }

    if (happens(world.profile.tells) && world.step >= machine->cut) {
        machine_watch(machine);
    }

    network_deliver();

    if (chance(3) == 0 || !task_go_on()) {
        worker_begin(any_worker(), chance(20) == 0);
    }
}


static void
run(void)
{
    profile_t  *p;

    p = &world.profile;

    for (world.step = 1; world.step < p->steps; world.step++) {

        if (world.step == p->steps / 2) {
            scenario_turn_of_events();
        }

        if (world.step == p->steps * 3 / 4 && world.scenario == AWAY) {
            scenario_come_back();
        }

        step();
    }
}


static void
run_seed(uint64_t seed)
{
    unsigned  i;

    seen(SEEN_SEEDS);

    alarm(SECONDS);

    world_begin(seed);

    run();

    scenario_make_room();

    if (world.restored) {
        engine_heal();
    }

    if (world.away) {
        scenario_take_back(world.away);
    }

    scenario_settle();

    for (i = 0; i < MACHINES; i++) {
        check_machine(&world.machines[i], &world.machines[i] != world.away);
    }

    check_asks();

    world_end();
}


/* the clock that is not simulated, in seconds */

static double
clock_now(void)
{
    struct timespec  ts;

    (void) __real_clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    double     end, seconds;
    unsigned   i;
    uint64_t   seed, first, count;

    if (argc < 5) {
        fprintf(stderr, "see the head of simulation.c\n");
        return 2;
    }

    first = strtoull(argv[2], NULL, 10);
    count = strtoull(argv[3], NULL, 10);

    without_fence = argc > 5 && strcmp(argv[5], "nofence") == 0;
    without_guard = argc > 5 && strcmp(argv[5], "noguard") == 0;
    same_bytes = argc > 5 && strcmp(argv[5], "samebytes") == 0;

    for (i = 0; i < MACHINES; i++) {
        snprintf(world.machines[i].path, sizeof(world.machines[i].path),
                 "%s/%u", argv[1], i);
        (void) mkdir(world.machines[i].path, 0700);
    }

    fail_by_signals();

    seconds = strtod(argv[4], NULL);
    end = clock_now() + seconds;

    for (seed = first; seed < first + count; seed++) {

        if (seconds > 0 && clock_now() > end) {
            break;
        }

        run_seed(seed);
    }

    seen_print();

    return 0;
}
