
/*
 * On which sheets a certificate is printed: stockcert_paper_plan.c gives this
 * to stockcert_paper.c.
 */


#ifndef STOCKCERT_PAPER_INT_H
#define STOCKCERT_PAPER_INT_H


#include "stockcert_paper.h"


#define STOCKCERT_SHEETS_MAX  (1 + STOCKCERT_LEGENDS_MAX)


/*
 * The size of a text's type in millimetres, by the width of the text, and the
 * height of its lines, in sizes.  The style sheet has the same numbers.
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


/* Returns 1 to 3: the number of the size for a text of this width. */

int stockcert_type_of(const stockcert_type_t *type, size_t width);

/* The width, as in stockcert_html_width(), of what later sheets repeat. */

size_t stockcert_paper_again_width(const stockcert_paper_page_t *page);

/*
 * Returns the number of sheets.  The legends are on the first sheet, with
 * smaller type there if that makes room.  Otherwise all of them are on the
 * other sheets.
 */

size_t stockcert_paper_plan(const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page,
    stockcert_sheet_t sheets[STOCKCERT_SHEETS_MAX]);


#endif /* STOCKCERT_PAPER_INT_H */
