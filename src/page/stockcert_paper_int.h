
/*
 * On which sheets a certificate is printed: what stockcert_paper.c has of
 * stockcert_paper_plan.c.
 */


#ifndef STOCKCERT_PAPER_INT_H
#define STOCKCERT_PAPER_INT_H


#include "stockcert_paper.h"


#define STOCKCERT_SHEETS_MAX  (1 + STOCKCERT_LEGENDS_MAX)


/*
 * The size of a text's type in millimetres, by how wide the text is, and of its
 * lines, in sizes; the style sheet has the same.
 */

typedef struct {
    size_t              upto[2];       /* as stockcert_html_width() */
    double              size[3];
    double              line;
} stockcert_type_t;


typedef struct {
    int                 scale;         /* of the type: 1 for large, to 3 */
    size_t              legend;        /* the first one that is on it */
    size_t              nlegends;
} stockcert_sheet_t;


extern const stockcert_type_t  stockcert_type_company;
extern const stockcert_type_t  stockcert_type_class;
extern const stockcert_type_t  stockcert_type_holder;
extern const stockcert_type_t  stockcert_type_officer;
extern const stockcert_type_t  stockcert_type_again;


/* Returns 1 to 3: which of the type's sizes a text of this width has. */

int stockcert_type_of(const stockcert_type_t *type, size_t width);

/* As stockcert_html_width(), of what is said again on the second sheet and on. */

size_t stockcert_paper_again_width(const stockcert_paper_page_t *page);

/*
 * Returns the number of sheets.  The legends are on the first, with smaller type
 * there if that makes room; or else all of them are on the others.
 */

size_t stockcert_paper_plan(const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page,
    stockcert_sheet_t sheets[STOCKCERT_SHEETS_MAX]);


#endif /* STOCKCERT_PAPER_INT_H */
