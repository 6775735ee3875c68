
/*
 * The version of this program.  CHANGES begins with the same one.
 */


#ifndef STOCKCERT_VERSION_H
#define STOCKCERT_VERSION_H


#define STOCKCERT_VERSION  "0.1.0"


#endif /* STOCKCERT_VERSION_H */
