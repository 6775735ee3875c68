
/*
 * A ledger's directory has its own files and no others.  What else is in there,
 * at any depth, goes where the ledger goes: moved away, or removed with it.
 */


#ifndef STOCKCERT_WITHIN_H
#define STOCKCERT_WITHIN_H


/*
 * Whether the directory of the descriptor dir is a ledger's, or within one: it
 * or one above it has a data.mdb.  What cannot be looked at has none.  Any
 * thread.
 */

int stockcert_is_within(int dir);


#endif /* STOCKCERT_WITHIN_H */
