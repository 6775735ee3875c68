
/*
 * The etcd that other machines share a ledger by, as the options of a command
 * and the environment name it.  It is one for the process.
 */


#ifndef STOCKCERT_TOOL_ETCD_H
#define STOCKCERT_TOOL_ETCD_H


#include <getopt.h>

#include "stockcert_etcd.h"


/* what getopt_long() returns of them */

enum {
    STOCKCERT_ETCD_URLS = 1000,
    STOCKCERT_ETCD_PREFIX,
    STOCKCERT_ETCD_USER,
    STOCKCERT_ETCD_PASSWORD,
    STOCKCERT_ETCD_CACERT,
    STOCKCERT_ETCD_CERT,
    STOCKCERT_ETCD_KEY,
    STOCKCERT_ETCD_TIMEOUT,
    STOCKCERT_ETCD_END
};

#define STOCKCERT_ETCD_OPTIONS  (STOCKCERT_ETCD_END - STOCKCERT_ETCD_URLS)


/* members of a command's options */

#define STOCKCERT_ETCD_OPTION(name, id)                                       \
    { name, required_argument, NULL, STOCKCERT_ETCD_##id }

#define STOCKCERT_ETCD_TABLE                                                  \
    STOCKCERT_ETCD_OPTION("etcd", URLS),                                      \
    STOCKCERT_ETCD_OPTION("etcd-prefix", PREFIX),                             \
    STOCKCERT_ETCD_OPTION("etcd-user", USER),                                 \
    STOCKCERT_ETCD_OPTION("etcd-password-file", PASSWORD),                    \
    STOCKCERT_ETCD_OPTION("etcd-cacert", CACERT),                             \
    STOCKCERT_ETCD_OPTION("etcd-cert", CERT),                                 \
    STOCKCERT_ETCD_OPTION("etcd-key", KEY),                                   \
    STOCKCERT_ETCD_OPTION("etcd-timeout", TIMEOUT)


/* of a command's synopsis and help */

#define STOCKCERT_ETCD_SYNOPSIS  " [--etcd URL...]"

#define STOCKCERT_ETCD_HELP                                                   \
    "  --etcd URL[,URL...] and more: of a ledger that other machines have, too;\n"\
    "                     see \"stockcert replicate --help\"\n"


/* Takes an option, and returns 1, or 0 if it is none of these. */

int stockcert_tool_etcd_option(int option, const char *value);

/*
 * After the options, and before the ledger is entered: takes what the
 * environment says where no option does, and reads the files.  Returns an exit
 * code.
 */

int stockcert_tool_etcd_read(void);

/* Whether an etcd is named, and whether its prefix is. */

int stockcert_tool_etcd_is_given(void);
int stockcert_tool_etcd_has_prefix(void);

/*
 * Makes the replica, at the first call: below the prefix that is given, or
 * else below this one.  It stays.  Returns an exit code.
 */

int stockcert_tool_etcd_replica(const stockcert_str_t *prefix,
    stockcert_replica_t **replica);


#endif /* STOCKCERT_TOOL_ETCD_H */
