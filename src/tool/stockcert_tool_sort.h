
/*
 * Puts any number of records in the order of their bytes, in little memory.
 *
 * What does not fit goes to a temporary file that has no name, as runs that are
 * in order (Knuth, volume 3, 5.4).  Readers merge them.
 */


#ifndef STOCKCERT_TOOL_SORT_H
#define STOCKCERT_TOOL_SORT_H


#include <stddef.h>
#include <stdint.h>


#define STOCKCERT_SORT_RECORD  2000    /* bytes of a record, at most */


typedef struct stockcert_sort_s  stockcert_sort_t;
typedef struct stockcert_sort_reader_s  stockcert_sort_reader_t;


/*
 * Records are added, in any order, and after stockcert_sort_end() they are read.
 * No two are equal.  Until then they need 16 MB of memory at most, whatever their
 * number, and each reader needs 4 MB, or 4 KB for each 16 MB of records.
 *
 * The file is in the directory that TMPDIR names, or in /var/tmp; it is not made
 * if all records fit into memory.
 *
 * All return an exit code, or NULL instead of what they make, and have said
 * what went wrong.
 */

stockcert_sort_t *stockcert_sort_create(void);
int stockcert_sort_add(stockcert_sort_t *sort, const void *record, size_t len);
int stockcert_sort_end(stockcert_sort_t *sort);

/* After all of its readers. */

void stockcert_sort_free(stockcert_sort_t *sort);

/*
 * A reader begins with the first record.  stockcert_sort_next() sets *record to
 * the next one, which stays until the next call, or to NULL after the last.
 */

stockcert_sort_reader_t *stockcert_sort_reader(stockcert_sort_t *sort);
int stockcert_sort_next(stockcert_sort_reader_t *reader,
    const uint8_t **record, size_t *len);
void stockcert_sort_reader_free(stockcert_sort_reader_t *reader);


#endif /* STOCKCERT_TOOL_SORT_H */
