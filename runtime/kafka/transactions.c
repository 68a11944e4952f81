/* transactions.c - see transactions.h. librdkafka does the protocol; this keeps its rules: what may
 * be called when, and what each kind of its errors means for the caller. */
#include "kafka/transactions.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client.h"

#define DEFAULT_TIMEOUT_MS 60000 /* of a transaction, in librdkafka as in Java */
#define MAX_IN_FLIGHT 5          /* beyond that the broker cannot keep a producer's order */
#define SEND_PAUSE_MS 10
/* A commit is answered before its markers are written. What comes sooner than that is refused, and
 * librdkafka then tries again only after 20 ms. */
#define SETTLE_MS 5

enum state {
    NEW,        /* init has not succeeded */
    READY,      /* no transaction */
    OPEN,       /* begun */
    COMMITTING, /* a commit is on its way, its fate unknown */
    DOOMED,     /* to be aborted, and nothing else */
    BROKEN      /* fenced, or given up by librdkafka */
};

struct sluice_transactions {
    struct sluice_producer *producer;
    rd_kafka_t *rk; /* the producer's */
    char *id, *who;
    enum state state;
    bool fenced;
    int64_t committed_ms;    /* when the last transaction ended */
    rd_kafka_topic_t *topic; /* the last that was written to by write(); NULL: none yet */
};

/* ---- life ---- */

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, const char *who,
                struct sluice_err *err)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK) return true;
    return sluice_err_set(err, "%s: %s=%s was refused: %s", who, name, value, text);
}

/* What a transactional producer cannot be without goes over what the properties say, and what
 * librdkafka would refuse beside it is taken out: Connect's own defaults are among that. */
static void adapt(struct sluice_map *props, const char *who)
{
    static const char *const overridden[] = {"transactional.id", "enable.idempotence", "acks",
                                             "request.required.acks"};
    static const char *const in_flight[] = {"max.in.flight.requests.per.connection",
                                            "max.in.flight"};
    static const char *const bounds[] = {"delivery.timeout.ms", "message.timeout.ms"};
    const char *text = sluice_map_get(props, "transaction.timeout.ms");
    long long timeout = text ? strtoll(text, NULL, 10) : DEFAULT_TIMEOUT_MS;
    for (size_t i = 0; i < sizeof overridden / sizeof *overridden; i++)
        sluice_map_del(props, overridden[i]);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        const char *value = sluice_map_get(props, bounds[i]);
        /* A record that outlives its transaction is of no use: then it is the transaction's. */
        if (value && (strtoll(value, NULL, 10) > timeout || strcmp(value, "0") == 0))
            sluice_map_del(props, bounds[i]);
    }
    for (size_t i = 0; i < sizeof in_flight / sizeof *in_flight; i++) {
        const char *value = sluice_map_get(props, in_flight[i]);
        if (!value || strtoll(value, NULL, 10) <= MAX_IN_FLIGHT) continue;
        sluice_log(SLUICE_WARN, NULL, -1, "%s: %s=%s is taken as %d: more break exactly-once", who,
                   in_flight[i], value, MAX_IN_FLIGHT);
        sluice_map_set(props, in_flight[i], "5");
    }
}

struct sluice_transactions *sluice_transactions_new(const struct sluice_map *props,
                                                    const char *transactional_id, const char *who,
                                                    sluice_delivered *delivered,
                                                    struct sluice_err *err)
{
    struct sluice_map own = {0};
    struct sluice_producer *producer = NULL;
    assert(*transactional_id);
    sluice_map_copy(&own, props);
    adapt(&own, who);
    rd_kafka_conf_t *conf = sluice_client_conf(SLUICE_CLIENT_PRODUCER, &own, who, err);
    sluice_map_fini(&own);
    if (conf && set(conf, "transactional.id", transactional_id, who, err) &&
        set(conf, "enable.idempotence", "true", who, err) && set(conf, "acks", "all", who, err))
        producer = sluice_producer_make(conf, who, delivered, err);
    else if (conf) rd_kafka_conf_destroy(conf);
    if (!producer) return NULL;
    struct sluice_transactions *txn = sluice_xcalloc(1, sizeof *txn);
    txn->producer = producer;
    txn->rk = sluice_producer_client(producer);
    txn->id = sluice_xstrdup(transactional_id);
    txn->who = sluice_xstrdup(who);
    txn->state = NEW;
    return txn;
}

void sluice_transactions_free(struct sluice_transactions *txn)
{
    if (!txn) return;
    sluice_producer_topic_free(txn->topic);
    sluice_producer_end(txn->producer);
    free(txn->id);
    free(txn->who);
    free(txn);
}

struct sluice_producer *sluice_transactions_producer(struct sluice_transactions *txn)
{
    return txn->producer;
}

bool sluice_transactions_fenced(const struct sluice_transactions *txn) { return txn->fenced; }

/* ---- errors ---- */

static bool is_fenced(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* Ends error. RETRY: the same call again; DROP: abort; FAIL: over. *code: why. */
static enum sluice_verdict judge(struct sluice_transactions *txn, const char *what,
                                 rd_kafka_error_t *error, rd_kafka_resp_err_t *code,
                                 struct sluice_err *err)
{
    char text[400];
    enum sluice_verdict v = SLUICE_FAIL;
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(txn->rk, text, sizeof text);
    *code = rd_kafka_error_code(error);
    if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR && !rd_kafka_error_is_fatal(error)) {
        snprintf(text, sizeof text, "%s", rd_kafka_error_string(error));
        if (rd_kafka_error_txn_requires_abort(error)) v = SLUICE_DROP;
        else if (rd_kafka_error_is_retriable(error)) v = SLUICE_RETRY;
    }
    rd_kafka_error_destroy(error);
    if (v == SLUICE_FAIL) {
        txn->state = BROKEN;
        txn->fenced = txn->fenced || is_fenced(fatal) || is_fenced(*code);
    } else if (v == SLUICE_DROP) {
        txn->state = DOOMED;
    }
    if (txn->fenced)
        sluice_err_set(err, "%s: %s failed: another producer has taken over transactional.id %s",
                       txn->who, what, txn->id);
    else
        sluice_err_set(err, "%s: %s (transactional.id %s) failed: %s", txn->who, what, txn->id,
                       text);
    return v;
}

static enum sluice_verdict broken(const struct sluice_transactions *txn, struct sluice_err *err)
{
    return sluice_fail(err, "%s: the producer of transactional.id %s was given up: %s", txn->who,
                       txn->id, txn->fenced ? "another one has taken over" : "it failed before");
}

/* ---- one call each ---- */

enum sluice_verdict sluice_transactions_init(struct sluice_transactions *txn, int64_t ms,
                                             struct sluice_err *err)
{
    rd_kafka_resp_err_t code;
    if (txn->state == BROKEN) return broken(txn, err);
    assert(txn->state == NEW && ms > 0);
    rd_kafka_error_t *error = rd_kafka_init_transactions(txn->rk, (int)ms);
    if (!error) {
        txn->state = READY;
        return SLUICE_OK;
    }
    return judge(txn, "taking the producer id", error, &code, err);
}

enum sluice_verdict sluice_transactions_begin(struct sluice_transactions *txn,
                                              struct sluice_err *err)
{
    rd_kafka_resp_err_t code;
    if (txn->state == BROKEN) return broken(txn, err);
    assert(txn->state == READY);
    rd_kafka_error_t *error = rd_kafka_begin_transaction(txn->rk);
    if (!error) {
        txn->state = OPEN;
        return SLUICE_OK;
    }
    return judge(txn, "beginning a transaction", error, &code, err);
}

static enum sluice_verdict commit(struct sluice_transactions *txn, int64_t ms,
                                  rd_kafka_resp_err_t *code, struct sluice_err *err)
{
    *code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (txn->state == BROKEN) return broken(txn, err);
    assert((txn->state == OPEN || txn->state == COMMITTING) && ms > 0);
    txn->state = COMMITTING;
    sluice_producer_park(txn->producer, true);
    rd_kafka_error_t *error = rd_kafka_commit_transaction(txn->rk, (int)ms);
    sluice_producer_park(txn->producer, false);
    if (!error) {
        txn->state = READY;
        txn->committed_ms = sluice_now_ms();
        return SLUICE_OK;
    }
    return judge(txn, "committing a transaction", error, code, err);
}

enum sluice_verdict sluice_transactions_commit(struct sluice_transactions *txn, int64_t ms,
                                               struct sluice_err *err)
{
    rd_kafka_resp_err_t code;
    return commit(txn, ms, &code, err);
}

enum sluice_verdict sluice_transactions_abort(struct sluice_transactions *txn, int64_t ms,
                                              struct sluice_err *err)
{
    rd_kafka_resp_err_t code;
    if (txn->state == BROKEN) return broken(txn, err);
    assert((txn->state == OPEN || txn->state == DOOMED) && ms > 0);
    txn->state = DOOMED;
    rd_kafka_error_t *error = rd_kafka_abort_transaction(txn->rk, (int)ms);
    if (!error) {
        txn->state = READY;
        return SLUICE_OK;
    }
    enum sluice_verdict v = judge(txn, "aborting a transaction", error, &code, err);
    return v == SLUICE_DROP ? SLUICE_RETRY : v;
}

/* ---- a whole transaction ---- */

static int64_t left(int64_t deadline)
{
    int64_t ms = deadline - sluice_now_ms();
    return ms > 1 ? ms : 1;
}

static bool take_topic(struct sluice_transactions *txn, const char *name, struct sluice_err *err)
{
    if (txn->topic && strcmp(rd_kafka_topic_name(txn->topic), name) == 0) return true;
    sluice_producer_topic_free(txn->topic);
    txn->topic = sluice_producer_topic(txn->producer, name);
    if (txn->topic) return true;
    return sluice_err_set(err, "%s: %s is no topic that can be written to", txn->who, name);
}

static enum sluice_verdict send_all(struct sluice_transactions *txn,
                                    const struct sluice_write *writes, size_t n, int64_t deadline,
                                    struct sluice_err *err)
{
    int code;
    for (size_t i = 0; i < n; i++) {
        const struct sluice_write *w = &writes[i];
        struct sluice_message message = {.topic = txn->topic,
                                         .partition = RD_KAFKA_PARTITION_UA,
                                         .timestamp_ms = SLUICE_NO_TIMESTAMP,
                                         .key = w->key,
                                         .key_len = w->key ? strlen(w->key) : 0,
                                         .value = w->value,
                                         .value_len = w->value ? strlen(w->value) : 0};
        enum sluice_sent sent;
        while ((sent = sluice_producer_send(txn->producer, &message, &code, err)) ==
               SLUICE_SEND_FULL) {
            if (sluice_now_ms() >= deadline) {
                sluice_err_set(err, "%s: the producer's queue is full", txn->who);
                return SLUICE_RETRY;
            }
            rd_kafka_poll(txn->rk, SEND_PAUSE_MS);
        }
        if (sent == SLUICE_SENT) continue;
        sluice_err_wrap(err, "%s: writing %s to topic %s failed", txn->who, w->key ? w->key : "?",
                        rd_kafka_topic_name(txn->topic));
        return sluice_kafka_refused(code) ? SLUICE_DROP : SLUICE_RETRY;
    }
    return SLUICE_OK;
}

enum sluice_verdict sluice_transactions_write(struct sluice_transactions *txn, const char *topic,
                                              const struct sluice_write *writes, size_t n,
                                              int64_t ms, struct sluice_err *err)
{
    rd_kafka_resp_err_t code;
    int64_t deadline = sluice_now_ms() + ms;
    struct sluice_err abort_err = {{0}};
    assert(n > 0 && ms > 0);
    if (txn->state == DOOMED) { /* an abort that earlier ran out of time */
        enum sluice_verdict done = sluice_transactions_abort(txn, ms, err);
        if (done != SLUICE_OK) return done;
    }
    if (txn->state != BROKEN && !take_topic(txn, topic, err)) return SLUICE_DROP;
    int64_t since = sluice_now_ms() - txn->committed_ms;
    if (since < SETTLE_MS) usleep((useconds_t)(SETTLE_MS - since) * 1000);
    enum sluice_verdict v = sluice_transactions_begin(txn, err);
    if (v != SLUICE_OK) return v;
    v = send_all(txn, writes, n, deadline, err);
    if (v == SLUICE_OK) {
        v = commit(txn, left(deadline), &code, err);
        if (v == SLUICE_OK || v == SLUICE_FAIL) return v;
        if (v ==
            SLUICE_RETRY) { /* it may be committed yet, or not: only a successor's init ends it */
            txn->state = BROKEN;
            return SLUICE_FAIL;
        }
        v = sluice_kafka_refused(code) ? SLUICE_DROP : SLUICE_RETRY;
    }
    /* What hinders the abort is said by whoever comes next; why it is needed is what matters. */
    if (sluice_transactions_abort(txn, left(deadline), &abort_err) == SLUICE_FAIL) {
        if (err) *err = abort_err;
        return SLUICE_FAIL;
    }
    return v;
}
