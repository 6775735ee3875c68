
/*
 * The folder src/page gives the HTML pages: a stock certificate to be printed,
 * the stock book, and the page of an error.  It knows neither LMDB nor nginx.
 */


#ifndef STOCKCERT_PAPER_H
#define STOCKCERT_PAPER_H


#include <stdio.h>

#include "stockcert_record.h"


#define STOCKCERT_OFFICERS     2
#define STOCKCERT_LEGENDS_MAX  4


/*
 * What the law requires on a certificate, but a ledger does not know (Delaware
 * General Corporation Law, sections 151(f), 158 and 202).  The company gives
 * it.  What is not given is left out.  A certificate without all officers is a
 * draft.
 */

typedef struct {
    stockcert_str_t     state;         /* of incorporation, or empty */
    size_t              nofficers;
    stockcert_str_t     officers[STOCKCERT_OFFICERS];
    stockcert_str_t     offices[STOCKCERT_OFFICERS];
    size_t              nlegends;
    stockcert_str_t     legends[STOCKCERT_LEGENDS_MAX];
} stockcert_paper_t;


typedef struct {
    stockcert_str_t     company;
    stockcert_class_t   class;
    stockcert_str_t     par;           /* value of a share, or empty */
    stockcert_str_t     url;           /* of the certificate, whole; or empty */
    stockcert_str_t     book;          /* URL of the stock book */

    const stockcert_certificate_t  *certificate;
} stockcert_paper_page_t;


/* a page of a class's certificates, or of all classes and the latest ones */

typedef struct {
    stockcert_str_t                 company;
    stockcert_str_t                 book;      /* its URL, with a slash; empty:
                                                  no links */
    const stockcert_entry_t        *last;      /* of the journal */
    size_t                          nclasses;
    const stockcert_class_t        *classes;
    size_t                          n;
    const stockcert_certificate_t  *certificates;

    unsigned                        list:1;    /* of one class */
    uint64_t                        next;      /* later ones are after it; or 0 */
    uint64_t                        after;     /* as requested */
    uint64_t                        limit;
    const char                     *status;    /* of those that are shown, or NULL */
} stockcert_book_page_t;


/* what was not done, and why */

typedef struct {
    stockcert_str_t     company;
    stockcert_str_t     book;          /* of the stock book, the path */
    unsigned            status;        /* of HTTP */
    unsigned            read;          /* it was to be read, not done */
    stockcert_str_t     title;
    stockcert_str_t     detail;
} stockcert_problem_page_t;


/*
 * Write a page to file; ferror() tells if that failed.  What the arguments
 * point to needs to stay for the call only.  A stock book can be written in
 * parts: stockcert_book_begin(), then stockcert_book_rows() any number of
 * times, then stockcert_book_end().  stockcert_book_rows() needs only
 * page->book. page->n is the number of all rows.
 */

void stockcert_paper_write(FILE *file, const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page);
void stockcert_book_write(FILE *file, const stockcert_book_page_t *page);
void stockcert_book_begin(FILE *file, const stockcert_book_page_t *page);
void stockcert_book_rows(FILE *file, const stockcert_book_page_t *page,
    const stockcert_certificate_t *certificates, size_t n);
void stockcert_book_end(FILE *file, const stockcert_book_page_t *page);
void stockcert_problem_write(FILE *file,
    const stockcert_problem_page_t *page);


#endif /* STOCKCERT_PAPER_H */
