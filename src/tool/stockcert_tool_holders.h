
/*
 * The list of stockholders: how "stockcert holders" finds it, and how it is
 * written.
 *
 *     journal -> events, in the order of holders     ..._holders_events.c
 *     events -> certificates, in the list's order    ..._holders_fold.c
 *     certificates -> the groups that are written    ..._holders_list.c
 *
 * Both orders are made by stockcert_tool_sort.h, so memory does not grow with
 * the ledger.
 *
 * A holder is all certificates with the same holder_id, or, of those without
 * one, with the same name, byte for byte.  Entries of the kind "holder" give an
 * id or an address to all that a holder has.
 */


#ifndef STOCKCERT_TOOL_HOLDERS_H
#define STOCKCERT_TOOL_HOLDERS_H


#include <stdio.h>

#include "stockcert_ledger.h"
#include "stockcert_tool_sort.h"


typedef struct {
    stockcert_str_t           code;
    stockcert_str_t           title;
    uint64_t                  shares;      /* that are out, */
    uint64_t                  certificates;    /* on so many */
    uint64_t                  holders;     /* that were read so far */
    uint64_t                  last;        /* number */
    char                      texts[STOCKCERT_CODE_MAX + STOCKCERT_TEXT_MAX];
} stockcert_held_t;


/* as they are in the list; texts stay until the next one is read */

typedef struct {
    stockcert_str_t           name;        /* of the holder's latest one */
    stockcert_str_t           id;          /* or empty */
    stockcert_str_t           address;     /* the holder's latest, or empty */
    stockcert_str_t           code;
    stockcert_str_t           capacity;    /* or empty */
    uint64_t                  number;
    uint64_t                  shares;
} stockcert_held_one_t;


/*
 * Certificates of one holder and class, and of one capacity if that is asked
 * for; "first" has its own texts.
 */

typedef struct {
    stockcert_held_one_t      first;
    uint64_t                  shares;
    uint64_t                  n;           /* certificates */
    unsigned                  holder:1;    /* is another than that before */
    char                      texts[5][STOCKCERT_TEXT_MAX];
} stockcert_held_group_t;


typedef struct {
    stockcert_str_t           company;
    stockcert_entry_t         last;        /* entry, with its seal, */
    uint8_t                   seal[STOCKCERT_SEAL_LEN];    /* which is here */

    stockcert_held_t         *opened[STOCKCERT_CLASSES_MAX];
    size_t                    nopened;
    stockcert_held_t        **classes;     /* of those, the ones that are listed */
    size_t                    nclasses;

    /*
     * list is in the order of holders (by name, then by id), classes (by code),
     * capacities (none first) and numbers
     */

    stockcert_sort_t         *list;
    stockcert_sort_reader_t  *ahead;       /* is behind the group, at "next" */
    stockcert_sort_reader_t  *numbers;     /* is in it, */
    stockcert_sort_reader_t  *capacities;  /* and so is this */
    stockcert_held_one_t      next;
    unsigned                  there:1;     /* is that */
    stockcert_held_group_t    group;
    int                       status;      /* exit code of reading */
} stockcert_holders_t;


/*
 * An event of a holder, as events are sorted: by who the holder is at the list's
 * entry, by period and position.  It is of the period that ended when a holder
 * without an id got one, at that entry; or of the last one.
 */

#define STOCKCERT_HELD_LAST  UINT64_MAX

typedef enum {
    STOCKCERT_HELD_ISSUED = 1,         /* and outstanding */
    STOCKCERT_HELD_ENDED,              /* issued, but surrendered later */
    STOCKCERT_HELD_SURRENDERED,
    STOCKCERT_HELD_CHANGED
} stockcert_held_event_e;

typedef struct {
    stockcert_str_t           who;         /* "i" and the id, or "n" and the name */
    uint64_t                  period;
    uint64_t                  position;
    stockcert_held_event_e    event;
    stockcert_str_t           address;     /* or empty */
    stockcert_held_one_t      one;         /* if outstanding: all but id, address,
                                              and a name that "who" has */
} stockcert_held_event_t;


/* Both as bytes: in the order of what is said above. */

typedef struct {
    size_t                    len;
    uint8_t                   bytes[STOCKCERT_SORT_RECORD];
} stockcert_held_bytes_t;

void stockcert_held_event_put(stockcert_held_bytes_t *bytes,
    const stockcert_held_event_t *event);
void stockcert_held_event_get(stockcert_held_event_t *event,
    const uint8_t *p, size_t len);
void stockcert_held_one_put(stockcert_held_bytes_t *bytes,
    const stockcert_held_one_t *one);
void stockcert_held_one_get(stockcert_held_one_t *one, const uint8_t *p,
    size_t len);


/*
 * What follows returns an exit code, and has said what went wrong.
 *
 * stockcert_holders_enter() adds what this entry of the snapshot is, the next one
 * of the journal, to the events of a list that is as of the entry until, and to
 * the classes.
 */

int stockcert_holders_enter(stockcert_holders_t *holders,
    stockcert_sort_t *events, stockcert_ledger_t *ledger,
    const stockcert_entry_t *entry, uint64_t until);

/* Makes the list, of these classes only, of n events, which are all there. */

int stockcert_holders_fold(stockcert_holders_t *holders,
    stockcert_sort_t *events, uint64_t n);

/*
 * The list begins.  Then stockcert_holders_next() reads the next group into
 * holders->group; it returns 0 after the last one, and after an error.
 * stockcert_holders_one() reads the certificates of the group one by one, by
 * holders->numbers or holders->capacities; whichever of these is used must read
 * all of each group.  It returns 0 after the last one of the list, and after an
 * error.  holders->status tells of an error.
 */

int stockcert_holders_begin(stockcert_holders_t *holders);
int stockcert_holders_next(stockcert_holders_t *holders, int by_capacity);
int stockcert_holders_one(stockcert_holders_t *holders,
    stockcert_sort_reader_t *reader, stockcert_held_one_t *one);

/* Ends what there is of a list. */

void stockcert_holders_end(stockcert_holders_t *holders);


/* The formats.  ferror() tells if it could not be written. */

void stockcert_holders_table(FILE *file, stockcert_holders_t *holders);
void stockcert_holders_csv(FILE *file, stockcert_holders_t *holders);
void stockcert_holders_jsonl(FILE *file, stockcert_holders_t *holders);
void stockcert_holders_html(FILE *file, stockcert_holders_t *holders);


#endif /* STOCKCERT_TOOL_HOLDERS_H */
