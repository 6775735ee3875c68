
/* Records: what follows from what they hold. */


#include "stockcert_record.h"


const char *
stockcert_status(const stockcert_surrender_t *surrender)
{
    if (surrender->position == 0) {
        return "outstanding";
    }

    return surrender->issues ? "surrendered" : "cancelled";
}
