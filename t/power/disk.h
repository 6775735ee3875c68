
/*
 * The disk below a recording: what is on it for sure after an event, and what
 * a power cut may leave of the rest.  A disk writes whole sectors of 512 bytes,
 * in any order or never, unless it is told to flush.  A sector that was written
 * twice may have either content.  The file may be as long as it was flushed, as
 * it was written, or anything in between.  It has zeroes where nothing was
 * written.  A name may be there or not until its directory is flushed.
 */


#ifndef DISK_H
#define DISK_H


#include <fcntl.h>
#include <sys/mman.h>

#include "fixture.h"
#include "recording.h"


#define SECTOR   512
#define PENDING  65536
#define THREADS  4096     /* of some 20 workers, 32 each in turn, with room */


typedef struct {
    head_t          head;
    const uint8_t  *bytes;
} event_t;


typedef struct {
    event_t        *events;
    size_t          n;
    size_t          end;          /* of all that is written to the file */
} recording_t;


/* what a thread has under way: 0, or the number of an event and 1 */

typedef struct {
    uint32_t        thread;
    size_t          written;
    size_t          flush;
    size_t          names_flush;
    char            name[16];     /* as of names_flush */
} thread_t;


typedef struct {
    size_t          event;
    unsigned        flushed:1;    /* WRITE_FLUSHED */
} pending_t;


typedef struct {
    const recording_t  *recording;

    uint8_t            *bytes;    /* on disk, recording->end of them */
    size_t              flushed;  /* the file's size on disk */
    size_t              written;  /* and as programs see it */

    pending_t           pending[PENDING];
    size_t              npending;

    char                name[16];         /* of the file; "" for none */
    char                name_on_disk[16];

    thread_t            threads[THREADS];
    size_t              nthreads;
} disk_t;


/* how much of what is pending gets onto the disk */

typedef enum {
    NONE, ALL, WRITES, ONE_WRITE, BUT_ONE_WRITE, SECTORS, FEW_SECTORS,
    MOST_SECTORS, CHOICES
} choice_e;


typedef struct {
    uint8_t            *bytes;
    size_t              size;
    const char         *name;
    choice_e            choice;
    unsigned            torn:1;   /* a write is there in parts */
    unsigned            less:1;   /* than was written */
} image_t;


/* splitmix64 */

static inline uint64_t
disk_random(uint64_t *state, uint64_t below)
{
    uint64_t  z;

    z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;

    return (z ^ (z >> 31)) % below;
}


static inline void
disk_read(recording_t *recording, const char *path)
{
    int            fd;
    size_t         i, size;
    event_t       *event;
    struct stat    st;
    const uint8_t *p;

    fd = open(path, O_RDONLY);

    if (fd == -1 || fstat(fd, &st) == -1 || st.st_size == 0) {
        tap_bail_out("nothing recorded in %s", path);
    }

    size = (size_t) st.st_size;
    p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);

    recording->n = 0;
    recording->end = 0;
    recording->events = calloc(size / sizeof(head_t), sizeof(event_t));

    if (p == MAP_FAILED || recording->events == NULL) {
        tap_bail_out("no memory");
    }

    for (i = 0; i < size; i += sizeof(head_t) + event->head.len) {
        event = &recording->events[recording->n++];

        memcpy(&event->head, p + i, sizeof(head_t));
        event->bytes = p + i + sizeof(head_t);

        if (event->head.kind == WRITTEN
            && event->head.offset + event->head.len > recording->end)
        {
            recording->end = event->head.offset + event->head.len;
        }
    }
}


static inline void
disk_begin(disk_t *disk, const recording_t *recording)
{
    memset(disk, 0, sizeof(disk_t));

    disk->recording = recording;
    disk->bytes = calloc(1, recording->end);

    if (disk->bytes == NULL) {
        tap_bail_out("no memory");
    }
}


static inline thread_t *
disk_thread(disk_t *disk, uint32_t thread)
{
    size_t  i;

    for (i = 0; i < disk->nthreads; i++) {
        if (disk->threads[i].thread == thread) {
            return &disk->threads[i];
        }
    }

    if (i == THREADS) {
        tap_bail_out("too many threads");
    }

    disk->threads[disk->nthreads++].thread = thread;

    return &disk->threads[i];
}


static inline void
disk_put(uint8_t *bytes, const event_t *event)
{
    memcpy(bytes + event->head.offset, event->bytes, event->head.len);
}


/* all that is pending from before an event is on the disk */

static inline void
disk_flushed(disk_t *disk, size_t before)
{
    size_t          n;
    const event_t  *event;

    for (n = 0; n < disk->npending; n++) {
        event = &disk->recording->events[disk->pending[n].event];

        if (disk->pending[n].event >= before) {
            break;
        }

        disk_put(disk->bytes, event);

        if (disk->flushed < event->head.offset + event->head.len) {
            disk->flushed = event->head.offset + event->head.len;
        }
    }

    disk->npending -= n;
    memmove(disk->pending, disk->pending + n,
            disk->npending * sizeof(pending_t));
}


static inline void
disk_write_flushed(disk_t *disk, size_t written)
{
    size_t          i;
    const event_t  *event;

    for (i = 0; i < disk->npending; i++) {
        if (disk->pending[i].event + 1 != written) {
            continue;
        }

        event = &disk->recording->events[written - 1];
        disk->pending[i].flushed = 1;

        if (disk->flushed < event->head.offset + event->head.len) {
            disk->flushed = event->head.offset + event->head.len;
        }
    }
}


static inline void
disk_apply(disk_t *disk, size_t i)
{
    thread_t       *thread;
    const event_t  *event;

    event = &disk->recording->events[i];
    thread = disk_thread(disk, event->head.thread);

    switch (event->head.kind) {

    case MADE:
    case RENAMED:
        snprintf(disk->name, sizeof(disk->name), "%.*s", (int) event->head.len,
                 (const char *) event->bytes);
        break;

    case WRITTEN:
        if (disk->npending == PENDING) {
            tap_bail_out("too much is never flushed");
        }

        disk->pending[disk->npending++] = (pending_t) { .event = i };
        thread->written = i + 1;

        if (disk->written < event->head.offset + event->head.len) {
            disk->written = event->head.offset + event->head.len;
        }

        break;

    case WRITE_FLUSHED:
        disk_write_flushed(disk, thread->written);
        break;

    case FLUSH:
        thread->flush = i;
        break;

    case FLUSHED:
        disk_flushed(disk, thread->flush);
        break;

    case NAMES_FLUSH:
        memcpy(thread->name, disk->name, sizeof(disk->name));
        break;

    case NAMES_FLUSHED:
        memcpy(disk->name_on_disk, thread->name, sizeof(disk->name));
        break;

    default:
        break;
    }
}


/* each of the event's sectors with a chance of "of" in 16 */

static inline void
disk_tear(image_t *image, const event_t *event, uint64_t *random, unsigned of)
{
    size_t    i, n, len, put;
    uint64_t  offset;

    offset = event->head.offset;
    put = 0;

    for (i = 0; i < event->head.len; i += n) {
        len = SECTOR - (offset + i) % SECTOR;
        n = len < event->head.len - i ? len : event->head.len - i;

        if (disk_random(random, 16) < of) {
            memcpy(image->bytes + offset + i, event->bytes + i, n);
            put += n;
        }
    }

    image->torn |= put != 0 && put != event->head.len;
    image->less |= put != event->head.len;
}


static inline void
disk_size(const disk_t *disk, image_t *image, uint64_t *random)
{
    size_t  more;

    image->size = disk->flushed;
    more = disk->written - disk->flushed;

    switch (disk_random(random, 3)) {

    case 0:
        image->size = disk->written;
        break;

    case 1:
        image->size += disk_random(random, more / SECTOR + 1) * SECTOR;
        break;
    }

    image->less |= image->size < disk->written;
}


/* what a cut now may leave; image->bytes has room for recording->end */

static inline void
disk_cut(const disk_t *disk, image_t *image, choice_e choice, uint64_t *random)
{
    size_t          i, one;
    unsigned        of;
    const event_t  *event;

    memcpy(image->bytes, disk->bytes, disk->recording->end);
    image->choice = choice;
    image->torn = 0;
    image->less = 0;

    one = disk->npending ? disk_random(random, disk->npending) : 0;

    for (i = 0; i < disk->npending; i++) {
        event = &disk->recording->events[disk->pending[i].event];

        switch (choice) {
        case NONE:           of = 0;                              break;
        case WRITES:         of = disk_random(random, 2) * 16;    break;
        case ONE_WRITE:      of = i == one ? 16 : 0;              break;
        case BUT_ONE_WRITE:  of = i == one ? 0 : 16;              break;
        case SECTORS:        of = 8;                              break;
        case FEW_SECTORS:    of = 1;                              break;
        case MOST_SECTORS:   of = 15;                             break;
        default:             of = 16;                             break;
        }

        disk_tear(image, event, random, disk->pending[i].flushed ? 16 : of);
    }

    disk_size(disk, image, random);

    image->name = choice == ALL || disk_random(random, 2) ? disk->name
                                                          : disk->name_on_disk;

    if (choice == ALL) {
        image->size = disk->written;
        image->less = 0;
    }
}


#endif /* DISK_H */
