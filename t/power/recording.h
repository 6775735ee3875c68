
/*
 * A recording of what reached a ledger's file, and of the answers that were
 * sent, in the order in which it happened.  t/power/record.c makes it within
 * nginx, t/power/images.c reads it.
 *
 * A recording is a row of events, each this head and len bytes.  An event of
 * something that may reach the disk comes before the call is made, one of
 * something that has reached it after the call.
 */


#ifndef RECORDING_H
#define RECORDING_H


#include <stdint.h>


typedef enum {
    MADE = 1,        /* the file; bytes: its name */
    RENAMED,         /* the file; bytes: its name from now on */
    WRITTEN,         /* bytes, to offset */
    WRITE_FLUSHED,   /* the thread's last write, and no others: O_DSYNC */
    FLUSH,           /* of the file begins */
    FLUSHED,         /* what was written before the thread's FLUSH */
    NAMES_FLUSH,     /* of the directory begins */
    NAMES_FLUSHED,   /* names from before the thread's NAMES_FLUSH */
    ANSWERED         /* bytes: an answer with status 200 or 201 */
} kind_e;


typedef struct {
    uint32_t  kind;
    uint32_t  thread;
    uint64_t  offset;
    uint64_t  len;
} head_t;


#endif /* RECORDING_H */
