
/*
 * Calls a replica of etcd's, for t/etcd.t:
 *
 *     etcd PREFIX ENDPOINT,.. [timeout=MS] [keep=N] [user=NAME] [password=..]
 *          [trusted=FILE] [certificate=FILE] [key=FILE]
 *
 * reads calls from stdin, a line each, and writes what each returned, a line
 * each.  It keeps the last head that it saw, which guards what is next.
 */


#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stockcert_etcd.h"
#include "stockcert_format.h"


static stockcert_rc_e call(char *line);
static stockcert_rc_e append(unsigned entries, unsigned len, int guess);
static stockcert_rc_e put(uint64_t first, unsigned entries, unsigned len);
static stockcert_rc_e create(const char *company);
static stockcert_rc_e repeat(unsigned times, unsigned len);
static void batch_of(stockcert_batch_t *batch, uint64_t first,
    unsigned entries, unsigned len);
static void tail_of(stockcert_tail_t *tail, uint64_t position);
static void show_head(const stockcert_head_t *head);
static void option(stockcert_etcd_conf_t *conf, const char *text);
static stockcert_str_t slurp(const char *path);
static int is_stopped(void);
static void stopping(int signo);


static stockcert_replica_t            *replica;
static const stockcert_replica_ops_t  *ops;
static stockcert_error_t               error;
static stockcert_head_t                head;
static stockcert_head_t                watched;
static uint8_t                         bytes[STOCKCERT_BATCH_MAX];
static char                            shown[1024];
static volatile sig_atomic_t           stopped;


int
main(int argc, char **argv)
{
    int                     i;
    char                    line[1024];
    char                   *p;
    const char             *endpoints[STOCKCERT_ETCD_ENDPOINTS_MAX];
    stockcert_rc_e          rc;
    stockcert_etcd_conf_t   conf;
    static const char      *names[] = { "OK", "NOT_FOUND", "REFUSED", "FULL",
                                        "BUSY", "REPLACED", "CHANGED",
                                        "UNREACHED", "DIVERGED", "FAILED",
                                        "UNKNOWN" };

    memset(&conf, 0, sizeof(conf));
    conf.prefix = argv[1];
    conf.endpoints = endpoints;
    conf.timeout = 60000;
    conf.stop = is_stopped;

    for (p = strtok(argv[2], ","); p; p = strtok(NULL, ",")) {
        endpoints[conf.nendpoints++] = p;
    }

    for (i = 3; i < argc; i++) {
        option(&conf, argv[i]);
    }

    signal(SIGUSR1, stopping);

    if (stockcert_etcd_create(&conf, &replica, &error) != STOCKCERT_OK) {
        printf("FAILED %s\n", error.text);
        return 1;
    }

    ops = replica->ops;
    setvbuf(stdout, NULL, _IOLBF, 0);

    while (fgets(line, sizeof(line), stdin) != NULL) {
        error.text[0] = '\0';
        shown[0] = '\0';

        rc = call(line);

        printf("%s %s\n", names[rc],
               rc > STOCKCERT_NOT_FOUND && !shown[0] ? error.text
               : rc > STOCKCERT_NOT_FOUND
               ? strncat(strcat(shown, " "), error.text, 512) : shown);
    }

    ops->destroy(replica);

    return 0;
}


static stockcert_rc_e
call(char *line)
{
    char                name[16], text[256];
    unsigned            n, m;
    uint64_t            a;
    stockcert_rc_e      rc;
    stockcert_batch_t   batch;
    stockcert_header_t  header;

    n = m = 0;
    a = 0;
    name[0] = text[0] = '\0';
    sscanf(line, "%15s %" SCNu64 " %u %u", name, &a, &n, &m);

    if (strcmp(name, "origin") == 0) {
        rc = ops->origin(replica, &header, &error);
        sprintf(shown, "%u %" PRIu64 " %.*s", header.format, header.created,
                (int) header.company.len, header.company.data);

    } else if (strcmp(name, "head") == 0) {
        rc = ops->head(replica, STOCKCERT_AFTER_ALL, a, &head, &error);
        show_head(&head);

    } else if (strcmp(name, "append") == 0) {
        rc = append((unsigned) a, n, 0);

    } else if (strcmp(name, "wrong") == 0) {    /* a guard of another value */
        rc = append((unsigned) a, n, 1);

    } else if (strcmp(name, "read") == 0) {
        rc = ops->read(replica, a, &batch, &error);

        if (rc == STOCKCERT_OK) {
            sprintf(shown, "%" PRIu64 " %zu %02x", batch.first, batch.len,
                    batch.data[2]);
        }

    } else if (strcmp(name, "watch") == 0) {
        rc = ops->watch(replica, &watched, (unsigned) a, &error);
        sprintf(shown, "%" PRIu64, watched.revision);

    } else if (strcmp(name, "watched") == 0) {
        watched.revision = a;
        rc = STOCKCERT_OK;

    } else if (strcmp(name, "put") == 0) {
        rc = put(a, n, m);

    } else if (strcmp(name, "clear") == 0) {
        rc = ops->clear(replica, &head, a, &error);

    } else if (strcmp(name, "create") == 0) {
        sscanf(line, "%*s %255[^\n]", text);
        rc = create(text);

    } else if (strcmp(name, "size") == 0) {
        rc = stockcert_etcd_size(replica, &a, &error);
        sprintf(shown, "%" PRIu64, a);

    } else if (strcmp(name, "waits") == 0) {
        rc = ops->waits(replica, a != 0, &n, &error);
        sprintf(shown, "%u", n);

    } else if (strcmp(name, "leave") == 0) {
        ops->leave(replica);
        rc = STOCKCERT_OK;

    } else if (strcmp(name, "forget") == 0) {
        memset(&head, 0, sizeof(head));
        rc = STOCKCERT_OK;

    } else if (strcmp(name, "again") == 0) {

        /* until it is done, or the time is over */

        ops->start(replica);

        do {
            rc = append((unsigned) a, n, 0);
        } while (rc == STOCKCERT_UNREACHED && ops->again(replica));

    } else if (strcmp(name, "repeat") == 0) {
        rc = repeat((unsigned) a, n);

    } else {
        rc = STOCKCERT_REFUSED;
    }

    return rc;
}


static stockcert_rc_e
append(unsigned entries, unsigned len, int wrong)
{
    stockcert_rc_e     rc;
    stockcert_head_t   next, guard;
    stockcert_batch_t  batch;

    guard = head;
    next = head;
    guard.epoch += (uint64_t) wrong;

    if (entries) {
        batch_of(&batch, head.tail.position + 1, entries, len);
        tail_of(&next.tail, head.tail.position + entries);

    } else {
        next.epoch++;
    }

    rc = ops->append(replica, &guard, entries ? &batch : NULL, &next, &error);

    if (rc == STOCKCERT_OK || (rc == STOCKCERT_CHANGED && next.revision)) {
        head = next;
    }

    show_head(rc == STOCKCERT_OK || rc == STOCKCERT_CHANGED ? &next : &head);

    return rc;
}


static stockcert_rc_e
put(uint64_t first, unsigned entries, unsigned len)
{
    stockcert_batch_t  batch;

    batch_of(&batch, first, entries, len);

    return ops->put(replica, &head, &batch, &error);
}


/* a head that ends where the batches do that were put */

static stockcert_rc_e
create(const char *text)
{
    uint64_t            position;
    stockcert_rc_e      rc;
    stockcert_head_t    next;
    stockcert_header_t  header;

    position = strtoull(text, (char **) &text, 10);

    header.format = STOCKCERT_FORMAT;
    header.created = 1764000000000000;
    header.company.data = text + (*text == ' ');
    header.company.len = strlen(header.company.data);

    next.epoch = head.epoch;
    tail_of(&next.tail, position);

    rc = ops->create(replica, &head, &header, &next, &error);

    if (rc == STOCKCERT_OK) {
        head = next;
        show_head(&head);
    }

    return rc;
}


/* microseconds of processor and of time that an append takes */

static stockcert_rc_e
repeat(unsigned times, unsigned len)
{
    double           cpu, wall;
    unsigned         i;
    stockcert_rc_e   rc;
    struct timespec  from, to;

    rc = STOCKCERT_OK;
    cpu = (double) clock();
    clock_gettime(CLOCK_MONOTONIC, &from);

    for (i = 0; i < times && rc == STOCKCERT_OK; i++) {
        rc = append(20, len, 0);
    }

    clock_gettime(CLOCK_MONOTONIC, &to);
    cpu = ((double) clock() - cpu) * 1e6 / CLOCKS_PER_SEC;
    wall = (double) (to.tv_sec - from.tv_sec) * 1e6
           + (double) (to.tv_nsec - from.tv_nsec) / 1e3;

    sprintf(shown, "cpu %.0f us, wall %.0f us", cpu / times, wall / times);

    return rc;
}


static void
batch_of(stockcert_batch_t *batch, uint64_t first, unsigned entries,
    unsigned len)
{
    uint8_t   entry[STOCKCERT_ENTRY_MAX];
    uint8_t  *p;
    unsigned  i;

    p = bytes;

    for (i = 0; i < entries; i++) {
        memset(entry, (int) ((first + i) & 0xff), len);
        p = stockcert_batch_put(p, entry, len);
    }

    batch->first = first;
    batch->len = (size_t) (p - bytes);
    batch->data = bytes;
}


static void
tail_of(stockcert_tail_t *tail, uint64_t position)
{
    int  i;

    tail->position = position;

    for (i = 0; i < STOCKCERT_SEAL_LEN; i++) {
        tail->seal[i] = (uint8_t) (position * 31 + (unsigned) i);
    }
}


static void
show_head(const stockcert_head_t *of)
{
    sprintf(shown, "%" PRIu64 " %" PRIu64 " %" PRIu64, of->revision,
            of->tail.position, of->epoch);
}


static void
option(stockcert_etcd_conf_t *conf, const char *text)
{
    size_t            n;
    const char       *value;
    stockcert_str_t   str;

    value = strchr(text, '=') + 1;
    n = (size_t) (value - text) - 1;
    str.data = value;
    str.len = strlen(value);

#define IS(name)  (n == strlen(name) && strncmp(text, name, n) == 0)

    if (IS("timeout")) {
        conf->timeout = (unsigned) atoi(value);

    } else if (IS("keep")) {
        conf->keep = strtoull(value, NULL, 10);

    } else if (IS("machine")) {
        conf->machine = strtoull(value, NULL, 10);

    } else if (IS("user")) {
        conf->user = str;

    } else if (IS("password")) {
        conf->password = str;

    } else if (IS("trusted")) {
        conf->trusted = slurp(value);

    } else if (IS("certificate")) {
        conf->certificate = slurp(value);

    } else if (IS("key")) {
        conf->certificate_key = slurp(value);
    }
}


static stockcert_str_t
slurp(const char *path)
{
    FILE             *file;
    static char       data[3][65536];
    static size_t     n;
    stockcert_str_t   str;

    file = fopen(path, "r");

    if (file == NULL) {
        perror(path);
        exit(2);
    }

    str.data = data[n];
    str.len = fread(data[n++], 1, sizeof(data[0]), file);
    fclose(file);

    return str;
}


static int
is_stopped(void)
{
    return stopped;
}


static void
stopping(int signo)
{
    (void) signo;
    stopped = 1;
}
