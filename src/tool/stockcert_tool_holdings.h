
/*
 * Whose each certificate is, or was: the journal, replayed in memory entry by
 * entry.
 *
 * A holder is all certificates with the same holder_id, or, of those without
 * one, with the same name, byte for byte.  Entries of the kind "holder" give an
 * id or an address to all that a holder has.  A holder who has nothing any more,
 * and whose last certificate was reissued to another name or id, goes on as that
 * one.
 *
 * It needs 24 bytes for each certificate, and some 250 for each holder.
 */


#ifndef STOCKCERT_TOOL_HOLDINGS_H
#define STOCKCERT_TOOL_HOLDINGS_H


#include "stockcert_ledger.h"
#include "stockcert_tool_party.h"


typedef struct stockcert_holdings_s  stockcert_holdings_t;


/* a certificate */

typedef struct {
    stockcert_party_t    *party;
    uint64_t              position:63;     /* of the entry that issued it */
    uint64_t              outstanding:1;
    uint64_t              price;           /* position of an entry with what was
                                              paid for a share of it, or 0 */
} stockcert_holding_t;


/*
 * Starts at the beginning of a journal.  NULL: no memory.  A process has one,
 * which is never freed.
 */

stockcert_holdings_t *stockcert_holdings_create(void);

/* The next entry.  An error is one of memory, or of what no ledger has. */

stockcert_rc_e stockcert_holdings_apply(stockcert_holdings_t *holdings,
    const stockcert_entry_t *entry, stockcert_error_t *error);

/*
 * A certificate that is or was there, until the next entry, and its holder as of
 * now; or NULL.
 */

stockcert_holding_t *stockcert_holdings_find(stockcert_holdings_t *holdings,
    const stockcert_str_t *code, uint64_t number);
stockcert_party_t *stockcert_holdings_party(stockcert_holding_t *holding);

/* Whether there is a holder with this id or, without one, this name. */

int stockcert_holdings_has(const stockcert_holdings_t *holdings,
    const stockcert_party_key_t *key);

/*
 * After the last entry: gives all holders their texts, from the ledger's
 * snapshot.
 */

stockcert_rc_e stockcert_holdings_texts(stockcert_holdings_t *holdings,
    stockcert_ledger_t *ledger, stockcert_error_t *error);


#endif /* STOCKCERT_TOOL_HOLDINGS_H */
