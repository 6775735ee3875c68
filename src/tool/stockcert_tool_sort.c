
/*
 * Sorts records: in memory, or by runs in a temporary file.
 *
 * It writes that file only.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stockcert_tool.h"
#include "stockcert_tool_sort.h"
#include "stockcert_within.h"


/*
 * Bytes: of a run, and of a reader for all runs, but at least a buffer for each.
 * A test has others.
 */

#ifndef STOCKCERT_SORT_MEMORY
#define STOCKCERT_SORT_MEMORY  (16 * 1024 * 1024)
#define STOCKCERT_SORT_READ    (4 * 1024 * 1024)
#endif

#define STOCKCERT_SORT_BUFFER  4096
#define STOCKCERT_SORT_WRITE   65536

_Static_assert(STOCKCERT_SORT_BUFFER >= STOCKCERT_SORT_RECORD + 2,
               "a buffer has room for a record");


/* part of the file, or all that is in memory */

typedef struct {
    off_t                     begin;
    off_t                     end;
} stockcert_sort_run_t;


/*
 * Records are in "bytes", each after its length.  Where they begin is told at
 * the end of the same memory, backwards: the first one's offset comes last.
 */

struct stockcert_sort_s {
    uint8_t                  *bytes;
    size_t                    used;
    size_t                    n;
    int                       fd;          /* -1: there is no file */
    off_t                     size;        /* of the file */
    stockcert_sort_run_t     *runs;
    size_t                    nruns;
    const char               *directory;
};


/* where a reader is in a run */

typedef struct {
    uint8_t                  *bytes;
    size_t                    pos;         /* of the record, after its length */
    size_t                    len;
    size_t                    have;        /* bytes */
    off_t                     offset;      /* of what comes after them */
    off_t                     end;
} stockcert_sort_cursor_t;


/* heap has those that are not at the end, the least record first */

struct stockcert_sort_reader_s {
    stockcert_sort_t         *sort;
    size_t                    next;        /* in memory */
    size_t                    room;        /* bytes of a buffer */
    uint8_t                  *buffers;
    stockcert_sort_cursor_t  *cursors;
    stockcert_sort_cursor_t **heap;
    size_t                    n;
    unsigned                  begun:1;
};


static uint32_t *stockcert_sort_offsets(const stockcert_sort_t *sort);
static int stockcert_sort_compare(const void *one, const void *two,
    void *bytes);
static int stockcert_sort_spill(stockcert_sort_t *sort);
static int stockcert_sort_file(stockcert_sort_t *sort);
static int stockcert_sort_write(stockcert_sort_t *sort, const uint8_t *bytes,
    size_t len);
static int stockcert_sort_load(stockcert_sort_reader_t *reader,
    stockcert_sort_cursor_t *cursor, int *there);
static int stockcert_sort_fill(stockcert_sort_reader_t *reader,
    stockcert_sort_cursor_t *cursor);
static void stockcert_sort_sink(stockcert_sort_reader_t *reader, size_t i);
static int stockcert_sort_order(const stockcert_sort_cursor_t *one,
    const stockcert_sort_cursor_t *two);
static int stockcert_sort_begin(stockcert_sort_reader_t *reader);
static void stockcert_sort_no_memory(void);


stockcert_sort_t *
stockcert_sort_create(void)
{
    stockcert_sort_t  *sort;

    sort = calloc(1, sizeof(stockcert_sort_t));

    if (sort) {
        sort->fd = -1;
        sort->bytes = malloc(STOCKCERT_SORT_MEMORY);
    }

    if (sort == NULL || sort->bytes == NULL) {
        free(sort);
        stockcert_sort_no_memory();
        return NULL;
    }

    sort->directory = getenv("TMPDIR");

    if (sort->directory == NULL || sort->directory[0] == '\0') {
        sort->directory = "/var/tmp";
    }

    return sort;
}


int
stockcert_sort_add(stockcert_sort_t *sort, const void *record, size_t len)
{
    int        status;
    uint16_t   n;
    uint32_t  *offsets;

    if (sort->used + sizeof(n) + len + (sort->n + 1) * sizeof(uint32_t)
        > STOCKCERT_SORT_MEMORY)
    {
        status = stockcert_sort_spill(sort);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }

    sort->n++;
    offsets = stockcert_sort_offsets(sort);
    offsets[0] = (uint32_t) sort->used;

    n = (uint16_t) len;
    memcpy(sort->bytes + sort->used, &n, sizeof(n));
    memcpy(sort->bytes + sort->used + sizeof(n), record, len);
    sort->used += sizeof(n) + len;

    return STOCKCERT_EXIT_OK;
}


static uint32_t *
stockcert_sort_offsets(const stockcert_sort_t *sort)
{
    return (uint32_t *) (void *) (sort->bytes + STOCKCERT_SORT_MEMORY) - sort->n;
}


static int
stockcert_sort_compare(const void *one, const void *two, void *bytes)
{
    uint16_t        a_len, b_len;
    const uint8_t  *a, *b;

    a = (uint8_t *) bytes + *(const uint32_t *) one;
    b = (uint8_t *) bytes + *(const uint32_t *) two;

    memcpy(&a_len, a, sizeof(a_len));
    memcpy(&b_len, b, sizeof(b_len));

    return stockcert_compare(a + sizeof(a_len), a_len, b + sizeof(b_len),
                             b_len);
}


/* puts what is in memory in order; if there is a file, or must be, as a run */

int
stockcert_sort_end(stockcert_sort_t *sort)
{
    int  status;

    if (sort->nruns == 0) {
        qsort_r(stockcert_sort_offsets(sort), sort->n, sizeof(uint32_t),
                stockcert_sort_compare, sort->bytes);
        return STOCKCERT_EXIT_OK;
    }

    status = stockcert_sort_spill(sort);

    free(sort->bytes);
    sort->bytes = NULL;

    return status;
}


static int
stockcert_sort_spill(stockcert_sort_t *sort)
{
    int                    status;
    size_t                 i, used;
    uint8_t                bytes[STOCKCERT_SORT_WRITE];
    uint16_t               len;
    uint32_t              *offsets;
    stockcert_sort_run_t  *runs;

    runs = realloc(sort->runs,
                   (sort->nruns + 1) * sizeof(stockcert_sort_run_t));
    if (runs == NULL) {
        stockcert_sort_no_memory();
        return STOCKCERT_EXIT_FAILED;
    }

    sort->runs = runs;
    runs += sort->nruns++;

    status = sort->fd == -1 ? stockcert_sort_file(sort) : STOCKCERT_EXIT_OK;

    offsets = stockcert_sort_offsets(sort);
    qsort_r(offsets, sort->n, sizeof(uint32_t), stockcert_sort_compare,
            sort->bytes);

    runs->begin = sort->size;

    for (i = 0, used = 0; status == STOCKCERT_EXIT_OK && i < sort->n; i++) {
        memcpy(&len, sort->bytes + offsets[i], sizeof(len));

        if (used + sizeof(len) + len > sizeof(bytes)) {
            status = stockcert_sort_write(sort, bytes, used);
            used = 0;
        }

        memcpy(bytes + used, sort->bytes + offsets[i], sizeof(len) + len);
        used += sizeof(len) + len;
    }

    if (status == STOCKCERT_EXIT_OK) {
        status = stockcert_sort_write(sort, bytes, used);
    }

    runs->end = sort->size;

    sort->used = 0;
    sort->n = 0;

    return status;
}


/* one that has no name, or has it for a moment only */

static int
stockcert_sort_file(stockcert_sort_t *sort)
{
    int          dir;
    char         name[PATH_MAX];
    const char  *fault;

    fault = NULL;
    dir = open(sort->directory, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (dir != -1 && stockcert_is_within(dir)) {
        fault = "it is in a ledger's directory";

    } else if (dir != -1) {
        sort->fd = open(sort->directory, O_TMPFILE|O_RDWR|O_EXCL|O_CLOEXEC,
                        0600);

        if (sort->fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR)
            && snprintf(name, sizeof(name), "%s/stockcert.XXXXXX",
                        sort->directory)
               < (int) sizeof(name))
        {
            sort->fd = mkostemp(name, O_CLOEXEC);

            if (sort->fd != -1) {
                (void) unlink(name);
            }
        }
    }

    if (sort->fd == -1 && fault == NULL) {
        fault = strerror(errno);
    }

    if (dir != -1) {
        (void) close(dir);
    }

    return sort->fd != -1
           ? STOCKCERT_EXIT_OK
           : stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot make a temporary "
                                  "file in %s, set TMPDIR to a directory where "
                                  "the ledger's owner can make one: %s",
                                  sort->directory, fault);
}


static int
stockcert_sort_write(stockcert_sort_t *sort, const uint8_t *bytes, size_t len)
{
    ssize_t  n;

    while (len) {
        n = pwrite(sort->fd, bytes, len, sort->size);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot write a "
                                        "temporary file in %s, set TMPDIR to a "
                                        "directory with more room: %s",
                                        sort->directory, strerror(errno));
        }

        bytes += n;
        len -= (size_t) n;
        sort->size += n;
    }

    return STOCKCERT_EXIT_OK;
}


void
stockcert_sort_free(stockcert_sort_t *sort)
{
    if (sort == NULL) {
        return;
    }

    if (sort->fd != -1) {
        (void) close(sort->fd);
    }

    free(sort->bytes);
    free(sort->runs);
    free(sort);
}


stockcert_sort_reader_t *
stockcert_sort_reader(stockcert_sort_t *sort)
{
    size_t                    n;
    stockcert_sort_reader_t  *reader;

    n = sort->nruns;

    reader = calloc(1, sizeof(stockcert_sort_reader_t));
    if (reader == NULL) {
        stockcert_sort_no_memory();
        return NULL;
    }

    reader->sort = sort;

    if (n == 0) {
        return reader;
    }

    reader->room = STOCKCERT_SORT_READ / n;

    if (reader->room < STOCKCERT_SORT_BUFFER) {
        reader->room = STOCKCERT_SORT_BUFFER;
    }

    reader->buffers = malloc(n * reader->room);
    reader->cursors = calloc(n, sizeof(stockcert_sort_cursor_t));
    reader->heap = calloc(n, sizeof(stockcert_sort_cursor_t *));

    if (reader->buffers && reader->cursors && reader->heap) {
        return reader;
    }

    stockcert_sort_reader_free(reader);
    stockcert_sort_no_memory();

    return NULL;
}


void
stockcert_sort_reader_free(stockcert_sort_reader_t *reader)
{
    if (reader) {
        free(reader->buffers);
        free(reader->cursors);
        free(reader->heap);
        free(reader);
    }
}


int
stockcert_sort_next(stockcert_sort_reader_t *reader, const uint8_t **record,
    size_t *len)
{
    int                       status, there;
    uint16_t                  n;
    stockcert_sort_t         *sort;
    stockcert_sort_cursor_t  *least;

    sort = reader->sort;
    *record = NULL;

    if (sort->nruns == 0) {

        if (reader->next < sort->n) {
            *record = sort->bytes
                      + stockcert_sort_offsets(sort)[reader->next++];
            memcpy(&n, *record, sizeof(n));
            *record += sizeof(n);
            *len = n;
        }

        return STOCKCERT_EXIT_OK;
    }

    if (!reader->begun) {
        reader->begun = 1;
        status = stockcert_sort_begin(reader);

    } else if (reader->n) {
        least = reader->heap[0];
        status = stockcert_sort_load(reader, least, &there);

        if (!there) {
            reader->heap[0] = reader->heap[--reader->n];
        }

        stockcert_sort_sink(reader, 0);

    } else {
        status = STOCKCERT_EXIT_OK;
    }

    if (status == STOCKCERT_EXIT_OK && reader->n) {
        least = reader->heap[0];
        *record = least->bytes + least->pos;
        *len = least->len;
    }

    return status;
}


static int
stockcert_sort_begin(stockcert_sort_reader_t *reader)
{
    int                       status, there;
    size_t                    i;
    stockcert_sort_cursor_t  *cursor;

    for (i = 0; i < reader->sort->nruns; i++) {
        cursor = &reader->cursors[i];

        cursor->bytes = reader->buffers + i * reader->room;
        cursor->offset = reader->sort->runs[i].begin;
        cursor->end = reader->sort->runs[i].end;

        status = stockcert_sort_load(reader, cursor, &there);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }

        if (there) {
            reader->heap[reader->n++] = cursor;
        }
    }

    for (i = reader->n / 2; i > 0; i--) {
        stockcert_sort_sink(reader, i - 1);
    }

    return STOCKCERT_EXIT_OK;
}


/* the next record of a run */

static int
stockcert_sort_load(stockcert_sort_reader_t *reader,
    stockcert_sort_cursor_t *cursor, int *there)
{
    int       status;
    uint16_t  len;

    cursor->pos += cursor->len;
    cursor->len = 0;
    *there = 0;

    for ( ;; ) {

        if (cursor->have - cursor->pos >= sizeof(len)) {
            memcpy(&len, cursor->bytes + cursor->pos, sizeof(len));

            if (cursor->have - cursor->pos - sizeof(len) >= len) {
                cursor->pos += sizeof(len);
                cursor->len = len;
                *there = 1;
                return STOCKCERT_EXIT_OK;
            }
        }

        if (cursor->offset == cursor->end) {
            return STOCKCERT_EXIT_OK;
        }

        status = stockcert_sort_fill(reader, cursor);
        if (status != STOCKCERT_EXIT_OK) {
            return status;
        }
    }
}


static int
stockcert_sort_fill(stockcert_sort_reader_t *reader,
    stockcert_sort_cursor_t *cursor)
{
    off_t    left;
    size_t   room;
    ssize_t  n;

    cursor->have -= cursor->pos;
    memmove(cursor->bytes, cursor->bytes + cursor->pos, cursor->have);
    cursor->pos = 0;

    left = cursor->end - cursor->offset;
    room = reader->room - cursor->have;

    do {
        n = pread(reader->sort->fd, cursor->bytes + cursor->have,
                  left < (off_t) room ? (size_t) left : room, cursor->offset);

    } while (n == -1 && errno == EINTR);

    if (n <= 0) {
        return stockcert_tool_error(STOCKCERT_EXIT_FAILED, "cannot read a "
                                    "temporary file in %s: %s",
                                    reader->sort->directory,
                                    n ? strerror(errno) : "it is too short");
    }

    cursor->have += (size_t) n;
    cursor->offset += n;

    return STOCKCERT_EXIT_OK;
}


static void
stockcert_sort_sink(stockcert_sort_reader_t *reader, size_t i)
{
    size_t                    child;
    stockcert_sort_cursor_t  *cursor, **heap;

    heap = reader->heap;

    for (child = 2 * i + 1; child < reader->n; child = 2 * i + 1) {

        if (child + 1 < reader->n
            && stockcert_sort_order(heap[child + 1], heap[child]) < 0)
        {
            child++;
        }

        if (stockcert_sort_order(heap[i], heap[child]) <= 0) {
            return;
        }

        cursor = heap[i];
        heap[i] = heap[child];
        heap[child] = cursor;
        i = child;
    }
}


static int
stockcert_sort_order(const stockcert_sort_cursor_t *one,
    const stockcert_sort_cursor_t *two)
{
    return stockcert_compare(one->bytes + one->pos, one->len,
                             two->bytes + two->pos, two->len);
}


static void
stockcert_sort_no_memory(void)
{
    (void) stockcert_tool_error(STOCKCERT_EXIT_FAILED, "there is no memory");
}
