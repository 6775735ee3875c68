
/*
 * Plans on which sheets a certificate is printed, and in which sizes of type.
 * Nothing may be cut off, and no type may be below 7 points.  The reader's
 * fonts are not known here, so the room that is needed is guessed, rather too
 * much than too little.
 *
 * It computes only, and writes nothing.
 */


#include "stockcert_html.h"
#include "stockcert_paper_int.h"


/* millimetres, as in the style sheet */

#define STOCKCERT_PLAN_WIDTH     231   /* in the frame */
#define STOCKCERT_PLAN_HEIGHT    166
#define STOCKCERT_PLAN_SIGN      30    /* the QR code, at least */
#define STOCKCERT_PLAN_OFFICER   77    /* half of the space beside it */
#define STOCKCERT_PLAN_LEAST     2.5   /* 7 points */
#define STOCKCERT_PLAN_GAP       1.5   /* at least, between two texts */
#define STOCKCERT_PLAN_LEGEND    1

/* hundredths of the type's size, as stockcert_html_width() */

#define STOCKCERT_PLAN_SENTENCE  9000  /* around names and numbers */
#define STOCKCERT_PLAN_WORDS     11000 /* of a number, the longest */


static double stockcert_plan_face(const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page, int scale);
static double stockcert_plan_legends(const stockcert_paper_t *paper,
    size_t first, size_t last, int scale);
static double stockcert_plan_text(const stockcert_type_t *type, size_t width,
    double room, int scale);


const stockcert_type_t  stockcert_type_company =
    { { 1900, 4800 }, { 12, 7.5, 3.8 }, 1.15 };

const stockcert_type_t  stockcert_type_class =
    { { 3000, 7500 }, { 7, 5, 3.4 }, 1.15 };

const stockcert_type_t  stockcert_type_holder =
    { { 2200, 6000 }, { 10, 6.5, 3.8 }, 1.2 };

const stockcert_type_t  stockcert_type_officer =
    { { 2000, 4000 }, { 3.4, 2.6, 2.5 }, 1.15 };

const stockcert_type_t  stockcert_type_again =
    { { 15000, 30000 }, { 4.6, 3.4, 2.5 }, 1.3 };

static const stockcert_type_t  stockcert_type_sentence =
    { { SIZE_MAX, SIZE_MAX }, { 4.6, 0, 0 }, 1.3 };

static const stockcert_type_t  stockcert_type_legend =
    { { SIZE_MAX, SIZE_MAX }, { 2.9, 0, 0 }, 1.2 };


size_t
stockcert_paper_plan(const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page,
    stockcert_sheet_t sheets[STOCKCERT_SHEETS_MAX])
{
    int     scale;
    size_t  n, first, last;
    double  room;

    for (scale = 1; scale < 3; scale++) {
        if (stockcert_plan_face(paper, page, scale) <= STOCKCERT_PLAN_HEIGHT) {
            break;
        }
    }

    sheets[0].scale = scale;
    sheets[0].legend = 0;
    sheets[0].nlegends = paper->nlegends;

    do {
        if (stockcert_plan_face(paper, page, scale)
            + stockcert_plan_legends(paper, 0, paper->nlegends, scale)
            <= STOCKCERT_PLAN_HEIGHT
            || paper->nlegends == 0)
        {
            sheets[0].scale = scale;
            return 1;
        }

    } while (++scale < 3);

    sheets[0].nlegends = 0;

    room = STOCKCERT_PLAN_HEIGHT
           - stockcert_plan_text(&stockcert_type_again,
                                 stockcert_paper_again_width(page),
                                 STOCKCERT_PLAN_WIDTH, 1)
           - 3 * stockcert_plan_text(&stockcert_type_sentence, 0,
                                     STOCKCERT_PLAN_WIDTH, 1);
    n = 1;

    for (first = 0; first < paper->nlegends; first = last) {

        scale = stockcert_plan_legends(paper, first, paper->nlegends, 1) <= room
                ? 1 : 2;
        last = first + 1;

        while (last < paper->nlegends
               && stockcert_plan_legends(paper, first, last + 1, scale) <= room)
        {
            last++;
        }

        sheets[n].scale = scale;
        sheets[n].legend = first;
        sheets[n].nlegends = last - first;
        n++;
    }

    return n;
}


/* the height of all but the legends */

static double
stockcert_plan_face(const stockcert_paper_t *paper,
    const stockcert_paper_page_t *page, int scale)
{
    size_t                          i;
    double                          height, sign, officer;
    const stockcert_certificate_t  *certificate;

    certificate = page->certificate;

    /* number and shares, "certifies", the date, the record of two lines */

    height = 4 * stockcert_plan_text(&stockcert_type_sentence, 0,
                                     STOCKCERT_PLAN_WIDTH, scale)
             + 10 * STOCKCERT_PLAN_GAP;

    height += stockcert_plan_text(&stockcert_type_company,
                                  stockcert_html_width(&page->company),
                                  STOCKCERT_PLAN_WIDTH, scale);

    height += stockcert_plan_text(&stockcert_type_class,
                                  stockcert_html_width(&page->class.title),
                                  STOCKCERT_PLAN_WIDTH, scale);

    height += stockcert_plan_text(&stockcert_type_holder,
                                  stockcert_html_width(
                                                    &certificate->issued.name),
                                  STOCKCERT_PLAN_WIDTH - 8, scale);

    height += stockcert_plan_text(&stockcert_type_sentence,
                                  STOCKCERT_PLAN_SENTENCE
                                  + STOCKCERT_PLAN_WORDS / 4
                                  + stockcert_html_width(&page->par),
                                  STOCKCERT_PLAN_WIDTH - 24, scale);

    if (paper->state.len) {
        height += stockcert_plan_text(&stockcert_type_sentence,
                                      stockcert_html_width(&paper->state),
                                      STOCKCERT_PLAN_WIDTH, scale);
    }

    if (certificate->surrender.position) {
        height += stockcert_plan_text(&stockcert_type_sentence,
                                      stockcert_html_width(
                                                 &certificate->surrender.reference),
                                      STOCKCERT_PLAN_WIDTH, scale);
    }

    sign = STOCKCERT_PLAN_SIGN;

    for (i = 0; i < paper->nofficers; i++) {
        officer = stockcert_plan_text(&stockcert_type_officer,
                                      stockcert_html_width(&paper->officers[i]),
                                      STOCKCERT_PLAN_OFFICER, scale)
                  + stockcert_plan_text(&stockcert_type_officer,
                                        stockcert_html_width(
                                                          &paper->offices[i]),
                                        STOCKCERT_PLAN_OFFICER, scale);

        sign = officer > sign ? officer : sign;
    }

    return height + sign;
}


static double
stockcert_plan_legends(const stockcert_paper_t *paper, size_t first,
    size_t last, int scale)
{
    size_t  i;
    double  height;

    height = 0;

    for (i = first; i < last; i++) {
        height += stockcert_plan_text(&stockcert_type_legend,
                                      stockcert_html_width(&paper->legends[i]),
                                      STOCKCERT_PLAN_WIDTH, scale)
                  + STOCKCERT_PLAN_LEGEND;
    }

    return height;
}


/* on average, a line stays empty by half a word */

static double
stockcert_plan_text(const stockcert_type_t *type, size_t width, double room,
    int scale)
{
    double               size;
    static const double  scales[] = { 1, .8, .58 };

    size = type->size[stockcert_type_of(type, width) - 1] * scales[scale - 1];

    if (size < STOCKCERT_PLAN_LEAST) {
        size = STOCKCERT_PLAN_LEAST;
    }

    return (1 + (size_t) ((double) width * size / 100 / (room - 2 * size)))
           * size * type->line;
}


int
stockcert_type_of(const stockcert_type_t *type, size_t width)
{
    return width <= type->upto[0] ? 1 : width <= type->upto[1] ? 2 : 3;
}


size_t
stockcert_paper_again_width(const stockcert_paper_page_t *page)
{
    return STOCKCERT_PLAN_SENTENCE
           + stockcert_html_width(&page->company)
           + stockcert_html_width(&page->class.title)
           + stockcert_html_width(&page->certificate->issued.name);
}
