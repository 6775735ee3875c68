
/*
 * Who holds what: the journal, replayed in memory entry by entry.
 *
 * A holder is all certificates with the same holder_id, or, of those without
 * one, with the same name, byte for byte.  Entries of the kind "holder" give an
 * id or an address to all that a holder has.
 */


#ifndef STOCKCERT_TOOL_HOLDINGS_H
#define STOCKCERT_TOOL_HOLDINGS_H


#include "stockcert_ledger.h"
#include "stockcert_tool_party.h"


typedef struct stockcert_holdings_s  stockcert_holdings_t;


typedef struct {
    stockcert_str_t       code;
    stockcert_str_t       title;
    uint64_t              shares;          /* that are out, */
    uint64_t              certificates;    /* on so many */
    char                  texts[STOCKCERT_CODE_MAX + STOCKCERT_TEXT_MAX];
} stockcert_held_t;


/* a certificate */

struct stockcert_holding_s {
    stockcert_held_t     *class;
    uint64_t              number;
    uint64_t              shares;
    uint64_t              position;        /* of the entry that issued it */
    uint64_t              price;           /* position of an entry with what was
                                              paid for a share of it, or 0 */
    stockcert_party_t    *party;
    unsigned              outstanding:1;
    uint8_t               capacity_len;
    char                 *capacity;        /* set by stockcert_holdings_list() */
};


/*
 * Starts at the beginning of a journal.  With all, it keeps certificates that
 * are no longer outstanding, and who had them; a holder who has nothing any
 * more, and whose last certificate was reissued to another name or id, goes on
 * as that one.  Otherwise, memory is bounded by what is outstanding.  NULL: no
 * memory.  A process has one, which is never freed.
 */

stockcert_holdings_t *stockcert_holdings_create(int all);

/* The next entry.  An error is one of memory, or of what no ledger has. */

stockcert_rc_e stockcert_holdings_apply(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * The classes that were opened, in the order of their codes.  They stay where
 * they are until the next entry.
 */

stockcert_held_t **stockcert_holdings_classes(stockcert_holdings_t *holdings,
    size_t *n);

/* A certificate that is there, and its holder as of now; or NULL. */

stockcert_holding_t *stockcert_holdings_find(stockcert_holdings_t *holdings,
    const stockcert_str_t *code, uint64_t number);
stockcert_party_t *stockcert_holdings_party(stockcert_holding_t *holding);

/*
 * All certificates that are there, in the order of class and number, after the
 * last entry, with their texts from the ledger's snapshot; the snapshot may be
 * released then.  The array is for free(), what it points to is not.
 */

stockcert_rc_e stockcert_holdings_list(stockcert_holdings_t *holdings,
    stockcert_ledger_t *ledger, stockcert_holding_t ***list, size_t *n,
    stockcert_error_t *error);


#endif /* STOCKCERT_TOOL_HOLDINGS_H */
