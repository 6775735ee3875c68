
/*
 * What the files of stockcert_etcd share.
 *
 * Each calls those above it only:
 *
 *     _json     requests are written, what is in answers is read
 *     _error    what to say of a failure
 *     _http     one request to one endpoint; the token
 *     _read     the ledger, the head, batches
 *     _watch    the stream of events
 *     _turn     who waits to append
 *     _write    transactions
 *     stockcert_etcd.c    the replica as a whole
 */


#ifndef STOCKCERT_ETCD_INT_H
#define STOCKCERT_ETCD_INT_H


#include <curl/curl.h>
#include <jansson.h>

#include "stockcert_etcd.h"


/* bytes of an answer: some batches in base64 */

#define STOCKCERT_ETCD_ANSWER_MAX  (8 * 1024 * 1024)

/*
 * Batches in an answer, as etcd's are at most 4 MiB: few, or as many as the last
 * ones let fit into so many bytes; and those that are kept.
 */

#define STOCKCERT_ETCD_BATCHES     4
#define STOCKCERT_ETCD_BATCHES_MAX 64
#define STOCKCERT_ETCD_FIT         (1024 * 1024)
#define STOCKCERT_ETCD_KEPT        72

/*
 * Positions that a look for batches covers.  etcd walks through all keys of a
 * range, however few it is asked for.
 */

#define STOCKCERT_ETCD_WINDOW      1024

/* bytes, with the NUL */

#define STOCKCERT_ETCD_NAME_MAX    sizeof("batch/0123456789abcdef")
#define STOCKCERT_ETCD_VALUE_MAX   160     /* of "head" */


/* bytes that grow; failed: there was no memory */

typedef struct {
    char               *data;
    size_t              len;
    size_t              size;
    int                 failed;
} stockcert_etcd_buf_t;


typedef struct {
    uint64_t              first;
    uint64_t              entries;
    stockcert_etcd_buf_t  bytes;
} stockcert_etcd_batch_t;


#define STOCKCERT_ETCD_TURNS     16
#define STOCKCERT_ETCD_TURN_LEN  (sizeof("turn/") - 1 + 16)


/* what "ledger" says */

typedef struct {
    uint32_t            format;
    uint64_t            created;
    uint64_t            cluster;
    size_t              len;
    char                company[STOCKCERT_TEXT_MAX];
} stockcert_etcd_ledger_t;


typedef struct {
    CURLM                *multi;
    CURL                 *curl;      /* NULL: no stream */
    struct curl_slist    *headers;
    stockcert_etcd_buf_t  request;
    stockcert_etcd_buf_t  lines;     /* what came, and was not looked at yet */
    stockcert_head_t      seen;      /* the last one that it told of: revision,
                                        and where the journal ends, if that
                                        could be read */
    int                   ended;
} stockcert_etcd_stream_t;


typedef struct {
    stockcert_replica_t      replica;    /* first */

    size_t                   nendpoints;
    size_t                   endpoint;   /* the one to ask */
    char                    *endpoints[STOCKCERT_ETCD_ENDPOINTS_MAX];
    char                    *prefix;
    unsigned                 timeout;
    uint64_t                 keep;
    int                      more;       /* can be removed than was */
    char                    *login;      /* JSON; NULL: no user */
    size_t                   login_len;
    char                    *trusted;
    char                    *certificate;
    char                    *certificate_key;
    int                    (*stop)(void);

    /* milliseconds of the monotonic clock */

    uint64_t                 deadline;   /* of the caller */
    uint64_t                 pause;      /* the next one */
    uint64_t                 end;        /* of this try */

    CURL                    *curl;
    struct curl_slist       *headers;
    char                    *token;      /* a header; "": not needed */
    char                     reason[CURL_ERROR_SIZE];
    stockcert_etcd_buf_t     request;
    stockcert_etcd_buf_t     answer;
    json_t                  *doc;        /* the last answer */
    uint64_t                 cluster;    /* that gave it */
    uint64_t                 revision;   /* of its header */

    uint64_t                 claim;      /* what "replicating" says while this
                                            one puts a journal; 0: not so */
    uint64_t                 machine;
    int                      asked;      /* for a turn: its key is there */
    unsigned                 crowded;    /* others had keys: so many appends that
                                            put the own one are left */
    unsigned                 losses;     /* guards that failed since */
    uint64_t                 since;      /* revision of the last append */
    size_t                   nvain;      /* turns that were waited for in vain */
    size_t                   nturns;     /* keys of those that waited then; those
                                            in vain come first */
    char                     turns[STOCKCERT_ETCD_TURNS]
                                  [STOCKCERT_ETCD_TURN_LEN + 1];

    int                      known;      /* ledger is */
    stockcert_etcd_ledger_t  ledger;

    size_t                   limit;      /* of batches in an answer */
    size_t                   nbatches;
    stockcert_etcd_batch_t   batches[STOCKCERT_ETCD_KEPT];

    stockcert_etcd_stream_t  stream;
} stockcert_etcd_t;


/* _json: no state but the buffer's, nor any network */

void stockcert_etcd_add(stockcert_etcd_buf_t *buf, const void *data,
    size_t len);
void stockcert_etcd_text(stockcert_etcd_buf_t *buf, const char *text);
void stockcert_etcd_base64(stockcert_etcd_buf_t *buf, const void *data,
    size_t len);

/* a key below the prefix, in base64; stockcert_etcd_name() is a batch's */

void stockcert_etcd_key(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name);
void stockcert_etcd_name(uint64_t position, char *name);

/*
 * Members of requests.  A range is one key if to is NULL; a range of batches
 * begins at a position, and ends before another.
 */

void stockcert_etcd_range(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *from, const char *to, const char *more);
void stockcert_etcd_range_batches(stockcert_etcd_buf_t *buf,
    const char *prefix, uint64_t from, uint64_t to, const char *more);

/*
 * Two operations: the head, and so many batches that begin after a position; with
 * serializable, as the member has them that is asked.
 */

void stockcert_etcd_range_both(stockcert_etcd_buf_t *buf, const char *prefix,
    uint64_t position, size_t limit, int serializable);
void stockcert_etcd_put(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name, const void *value, size_t len);
void stockcert_etcd_delete(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name);
void stockcert_etcd_equals(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name, const void *value, size_t len);
void stockcert_etcd_absent(stockcert_etcd_buf_t *buf, const char *prefix,
    const char *name);
void stockcert_etcd_guard(stockcert_etcd_buf_t *buf, const char *prefix,
    const stockcert_head_t *guard);

/* writes STOCKCERT_ETCD_VALUE_MAX bytes at most; returns the length */

size_t stockcert_etcd_head_value(const stockcert_head_t *head, char *value);

/*
 * What follows reads.  All return 0, or -1 for what is not such a thing.  The
 * head's text must be the one that stockcert_etcd_head_value() writes, as it is
 * compared with it.  A ledger of another format has no more than that.
 */

int stockcert_etcd_head_read(const char *value, size_t len,
    stockcert_head_t *head);
json_t *stockcert_etcd_ledger_value(const stockcert_header_t *header,
    uint64_t cluster);
int stockcert_etcd_ledger_read(const char *value, size_t len,
    stockcert_etcd_ledger_t *ledger);
int stockcert_etcd_bytes(const json_t *object, const char *member,
    stockcert_etcd_buf_t *buf);
int stockcert_etcd_number(const json_t *object, const char *member,
    uint64_t *number);
int stockcert_etcd_position(const char *key, size_t len, const char *prefix,
    uint64_t *position);

/* a batch of etcd's, whose bytes are read; -1 if it is not readable */

int stockcert_etcd_count(stockcert_etcd_batch_t *batch);


/* _error: set *error, with the endpoint's name */

__attribute__((format(printf, 3, 4)))
stockcert_rc_e stockcert_etcd_unreached(const stockcert_etcd_t *etcd,
    stockcert_error_t *error, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
stockcert_rc_e stockcert_etcd_diverged(stockcert_etcd_t *etcd,
    stockcert_error_t *error, const char *fmt, ...);
stockcert_rc_e stockcert_etcd_no_answer(const stockcert_etcd_t *etcd,
    CURLcode code, stockcert_error_t *error);
stockcert_rc_e stockcert_etcd_odd(const stockcert_etcd_t *etcd,
    stockcert_error_t *error);

/* secret: the message may repeat a password, only the advice on it is said */

stockcert_rc_e stockcert_etcd_refused(const stockcert_etcd_t *etcd, long status,
    const char *message, int secret, stockcert_error_t *error);


/* _http */

uint64_t stockcert_etcd_clock(void);
int stockcert_etcd_stopped(const stockcert_etcd_t *etcd);

/* begins a try */

void stockcert_etcd_begin(stockcert_etcd_t *etcd);

/* an easy handle that is set up but for its request; NULL: no memory */

CURL *stockcert_etcd_handle(stockcert_etcd_t *etcd);
struct curl_slist *stockcert_etcd_headers(const stockcert_etcd_t *etcd);

/*
 * Sends etcd->request; the answer is etcd->doc then, until the next request.
 * Returns STOCKCERT_OK or STOCKCERT_UNREACHED.
 */

stockcert_rc_e stockcert_etcd_ask(stockcert_etcd_t *etcd, const char *path,
    stockcert_error_t *error);


/* _read */

stockcert_rc_e stockcert_etcd_origin(stockcert_replica_t *replica,
    stockcert_header_t *header, stockcert_error_t *error);
stockcert_rc_e stockcert_etcd_head(stockcert_replica_t *replica,
    uint64_t position, uint64_t least, stockcert_head_t *head,
    stockcert_error_t *error);
stockcert_rc_e stockcert_etcd_read(stockcert_replica_t *replica,
    uint64_t position, stockcert_batch_t *batch, stockcert_error_t *error);

/* etcd->ledger is known then */

stockcert_rc_e stockcert_etcd_know(stockcert_etcd_t *etcd,
    stockcert_error_t *error);

/* the same, but that there must be one: or STOCKCERT_DIVERGED */

stockcert_rc_e stockcert_etcd_need(stockcert_etcd_t *etcd,
    stockcert_error_t *error);

/* whether the last answer is of the etcd that "ledger" names */

stockcert_rc_e stockcert_etcd_same(stockcert_etcd_t *etcd,
    stockcert_error_t *error);

/* whether the last answer begins with one to stockcert_etcd_range_both() */

int stockcert_etcd_is_both(const stockcert_etcd_t *etcd);

/*
 * Of such an answer: the head, as above; it keeps the
 * batches, as far as they are readable.  0; 1 if there is no head; -1 if that is
 * none.
 */

int stockcert_etcd_both(stockcert_etcd_t *etcd, stockcert_head_t *head);


/* _watch */

stockcert_rc_e stockcert_etcd_watch(stockcert_replica_t *replica,
    stockcert_head_t *head, unsigned wait, stockcert_error_t *error);
void stockcert_etcd_watch_end(stockcert_etcd_t *etcd);


/*
 * _turn: what an append does besides, if it succeeds (the last of that is a
 * range), and if its guard fails; both return how many things.
 * stockcert_etcd_turn_read() reads the answer to that range, and tells how many
 * machines wait.
 */

size_t stockcert_etcd_turn_end(stockcert_etcd_t *etcd);
size_t stockcert_etcd_turn_ask(stockcert_etcd_t *etcd);
void stockcert_etcd_turn_range(stockcert_etcd_t *etcd, const char *more);
unsigned stockcert_etcd_turn_read(stockcert_etcd_t *etcd, const json_t *range);
void stockcert_etcd_turn_own(const stockcert_etcd_t *etcd, char *name);
stockcert_rc_e stockcert_etcd_waits(stockcert_replica_t *replica, int last,
    unsigned *waits, stockcert_error_t *error);
void stockcert_etcd_leave(stockcert_replica_t *replica);


/* _write */

stockcert_rc_e stockcert_etcd_append(stockcert_replica_t *replica,
    const stockcert_head_t *guard, const stockcert_batch_t *batch,
    stockcert_head_t *next, stockcert_error_t *error);
stockcert_rc_e stockcert_etcd_put_batch(stockcert_replica_t *replica,
    const stockcert_head_t *guard, const stockcert_batch_t *batch,
    stockcert_error_t *error);
stockcert_rc_e stockcert_etcd_clear(stockcert_replica_t *replica,
    const stockcert_head_t *guard, uint64_t position,
    stockcert_error_t *error);
stockcert_rc_e stockcert_etcd_create_ledger(stockcert_replica_t *replica,
    const stockcert_head_t *guard, const stockcert_header_t *header,
    stockcert_head_t *head, stockcert_error_t *error);


#endif /* STOCKCERT_ETCD_INT_H */
