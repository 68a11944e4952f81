/* fake_kafka.h - Kafka for source tasks, in memory: producers, transactions, and the store of
 * offsets, whose answers a test may hold back or make fail. Everything that was sent is kept in
 * order, with the transaction that it was part of and what became of it.
 *
 * Include it once, before the test's plugin; it takes the place of kafka/producer.c, transactions.c,
 * admin.c and worker/connector_offsets.c. Offsets are numbers: {"n": 12} of partition {"p": "x"}. */
#ifndef SLUICE_TESTS_FAKE_KAFKA_H
#define SLUICE_TESTS_FAKE_KAFKA_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"
#include "data/values.h"
#include "kafka/admin.h"
#include "kafka/producer.h"
#include "kafka/transactions.h"
#include "worker/connector_offsets.h"

#define FAKE_OFFSETS_TOPIC "connect-offsets"
#define FAKE_REFUSED 10  /* code of a record that is refused for good */
#define FAKE_LOST (-192) /* one that says nothing of the record */
#define FAKE_NONE (-1)   /* no offset */

enum fake_fate { FAKE_PENDING, FAKE_COMMITTED, FAKE_ABORTED, FAKE_PLAIN };

struct fake_sent {
    char topic[64];
    long long number; /* of the record's value, or of the offset */
    int txn;          /* 0: outside */
    enum fake_fate fate;
};

struct fake_kafka {
    pthread_mutex_t lock;
    struct fake_sent sent[20000];
    size_t n;
    char calls[4000]; /* "new init refresh ..." */
    int txns;         /* begun so far */
    int commits, aborts;
    bool exactly_once;
    /* what tests ask for */
    int commit_retries;        /* commit() says RETRY so often; -1: always */
    int commit_drops;          /* then DROP so often */
    bool commit_fails, fenced; /* then FAIL */
    int init_retries, refresh_retries;
    long long lose, refuse; /* the record of this number comes back with an error, once */
    bool spoiled;           /* and so its transaction cannot be committed */
    bool hold;              /* put_start() keeps its answers until fake_answer() */
    bool put_fails;         /* put_start() says no */
    /* the store */
    long long stored; /* FAKE_NONE: nothing */
    int puts;
    sluice_offset_done *done; /* held back */
    void *done_arg;
    long long done_number;
    void (*delivered)(void *opaque, int error);
};

static struct fake_kafka fake_kafka = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fake_kafka_reset(bool exactly_once)
{
    memset(&fake_kafka.sent, 0, sizeof fake_kafka - offsetof(struct fake_kafka, sent));
    fake_kafka.exactly_once = exactly_once;
    fake_kafka.stored = FAKE_NONE;
    fake_kafka.lose = fake_kafka.refuse = FAKE_NONE;
}

static void fake_call(const char *what)
{
    sluice_lock(&fake_kafka.lock);
    size_t len = strlen(fake_kafka.calls);
    snprintf(fake_kafka.calls + len, sizeof fake_kafka.calls - len, "%s ", what);
    sluice_unlock(&fake_kafka.lock);
}

/* What a read_committed consumer of a topic sees, as numbers: "1 2 3 ". */
static inline const char *fake_visible(const char *topic)
{
    static char text[200000];
    size_t len = 0;
    text[0] = '\0';
    sluice_lock(&fake_kafka.lock);
    for (size_t i = 0; i < fake_kafka.n; i++) {
        const struct fake_sent *s = &fake_kafka.sent[i];
        if (strcmp(s->topic, topic) != 0) continue;
        if (s->fate == FAKE_COMMITTED || s->fate == FAKE_PLAIN)
            len += (size_t)snprintf(text + len, sizeof text - len, "%lld ", s->number);
    }
    sluice_unlock(&fake_kafka.lock);
    return text;
}

/* Every transaction: "1 2 @2 | 3 @3 / " records, the offset, and how it ended: | committed, / aborted,
 * ? neither. */
static inline const char *fake_history(void)
{
    static char text[200000];
    size_t len = 0;
    text[0] = '\0';
    sluice_lock(&fake_kafka.lock);
    for (size_t i = 0; i < fake_kafka.n; i++) {
        const struct fake_sent *s = &fake_kafka.sent[i];
        bool offset = strcmp(s->topic, FAKE_OFFSETS_TOPIC) == 0;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%lld ", offset ? "@" : "",
                                s->number);
        bool last = i + 1 == fake_kafka.n || fake_kafka.sent[i + 1].txn != s->txn;
        if (last && s->txn)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s ",
                                    s->fate == FAKE_COMMITTED ? "|"
                                    : s->fate == FAKE_ABORTED ? "/"
                                                              : "?");
    }
    sluice_unlock(&fake_kafka.lock);
    return text;
}

/* ---- kafka/producer.h ---- */

struct sluice_producers {
    int dummy;
};
struct sluice_producer {
    int dummy;
};
struct rd_kafka_topic_s {
    char name[64];
};

static struct sluice_producer fake_producer;

struct sluice_producers *sluice_producers_new(void (*delivered)(void *opaque, int error))
{
    fake_kafka.delivered = delivered;
    return sluice_xcalloc(1, sizeof(struct sluice_producers));
}
void sluice_producers_free(struct sluice_producers *pool) { free(pool); }
struct sluice_producer *sluice_producer_get(struct sluice_producers *pool,
                                            const struct sluice_map *props, const char *who,
                                            struct sluice_err *err)
{
    (void)pool;
    (void)props;
    (void)who;
    (void)err;
    return &fake_producer;
}
void sluice_producer_put(struct sluice_producer *producer) { (void)producer; }
struct rd_kafka_topic_s *sluice_producer_topic(struct sluice_producer *producer, const char *name)
{
    struct rd_kafka_topic_s *topic = sluice_xcalloc(1, sizeof *topic);
    (void)producer;
    snprintf(topic->name, sizeof topic->name, "%s", name);
    return topic;
}
void sluice_producer_topic_free(struct rd_kafka_topic_s *topic) { free(topic); }
struct rd_kafka_headers_s *sluice_headers_new(size_t n)
{
    (void)n;
    return NULL;
}
void sluice_headers_add(struct rd_kafka_headers_s *headers, const char *key, const void *data,
                        size_t len)
{
    (void)headers;
    (void)key;
    (void)data;
    (void)len;
}
void sluice_headers_free(struct rd_kafka_headers_s *headers) { (void)headers; }
const char *sluice_kafka_error(int code) { return code == FAKE_REFUSED ? "refused" : "lost"; }
bool sluice_kafka_too_large(int code)
{
    (void)code;
    return false;
}
bool sluice_kafka_refused(int code) { return code == FAKE_REFUSED; }
bool sluice_producer_down(struct sluice_producer *producer, char text[512])
{
    (void)producer;
    (void)text;
    return false;
}
bool sluice_producer_fatal(struct sluice_producer *producer, char text[512])
{
    (void)producer;
    (void)text;
    return false;
}
bool sluice_producer_cluster_id(struct sluice_producer *producer, int ms, char out[64],
                                struct sluice_err *err)
{
    (void)producer;
    (void)ms;
    (void)out;
    return sluice_err_set(err, "no cluster");
}

enum sluice_sent sluice_producer_send(struct sluice_producer *producer,
                                      const struct sluice_message *message, int *code,
                                      struct sluice_err *err)
{
    char text[64];
    int error = 0;
    (void)producer;
    (void)code;
    (void)err;
    snprintf(text, sizeof text, "%.*s", (int)message->value_len, (const char *)message->value);
    sluice_lock(&fake_kafka.lock);
    struct fake_sent *sent = &fake_kafka.sent[fake_kafka.n++];
    if (fake_kafka.n == sizeof fake_kafka.sent / sizeof *fake_kafka.sent) abort();
    snprintf(sent->topic, sizeof sent->topic, "%s", message->topic->name);
    sent->number = strtoll(text, NULL, 10);
    sent->txn = fake_kafka.exactly_once ? fake_kafka.txns : 0;
    sent->fate = fake_kafka.exactly_once ? FAKE_PENDING : FAKE_PLAIN;
    if (message->opaque && sent->number == fake_kafka.lose) error = FAKE_LOST;
    if (message->opaque && sent->number == fake_kafka.refuse) error = FAKE_REFUSED;
    if (error) fake_kafka.lose = fake_kafka.refuse = FAKE_NONE;
    fake_kafka.spoiled |= error != 0;
    sluice_unlock(&fake_kafka.lock);
    if (message->opaque) fake_kafka.delivered(message->opaque, error);
    return SLUICE_SENT;
}

/* ---- kafka/admin.h, group_offsets.h need it ---- */

enum sluice_verdict sluice_admin_ensure_topic(struct sluice_producer *producer,
                                              const struct sluice_new_topic *topic, int ms,
                                              bool *made, struct sluice_err *err)
{
    (void)producer;
    (void)topic;
    (void)ms;
    (void)err;
    *made = false;
    return SLUICE_OK;
}
bool sluice_admin_passes(int code)
{
    (void)code;
    return false;
}

/* ---- kafka/transactions.h ---- */

struct sluice_transactions {
    bool open, doomed;
};

static void fake_settle(enum fake_fate fate)
{
    for (size_t i = 0; i < fake_kafka.n; i++)
        if (fake_kafka.sent[i].fate == FAKE_PENDING) {
            fake_kafka.sent[i].fate = fate;
            if (fate == FAKE_COMMITTED && strcmp(fake_kafka.sent[i].topic, FAKE_OFFSETS_TOPIC) == 0)
                fake_kafka.stored = fake_kafka.sent[i].number;
        }
}

struct sluice_transactions *sluice_transactions_new(const struct sluice_map *props, const char *id,
                                                    const char *who,
                                                    void (*delivered)(void *opaque, int error),
                                                    struct sluice_err *err)
{
    (void)props;
    (void)who;
    (void)err;
    fake_kafka.delivered = delivered;
    fake_call(id);
    return sluice_xcalloc(1, sizeof(struct sluice_transactions));
}
enum sluice_verdict sluice_transactions_init(struct sluice_transactions *txn, int64_t ms,
                                             struct sluice_err *err)
{
    (void)txn;
    (void)ms;
    fake_call("init");
    if (fake_kafka.init_retries-- > 0) {
        sluice_err_set(err, "no answer");
        return SLUICE_RETRY;
    }
    return SLUICE_OK;
}
struct sluice_producer *sluice_transactions_producer(struct sluice_transactions *txn)
{
    (void)txn;
    return &fake_producer;
}
enum sluice_verdict sluice_transactions_begin(struct sluice_transactions *txn,
                                              struct sluice_err *err)
{
    (void)err;
    if (txn->open) abort();
    txn->open = true;
    sluice_lock(&fake_kafka.lock);
    fake_kafka.txns++;
    sluice_unlock(&fake_kafka.lock);
    return SLUICE_OK;
}
enum sluice_verdict sluice_transactions_commit(struct sluice_transactions *txn, int64_t ms,
                                               struct sluice_err *err)
{
    enum sluice_verdict v = SLUICE_OK;
    (void)ms;
    if (!txn->open || txn->doomed) abort();
    sluice_lock(&fake_kafka.lock);
    if (fake_kafka.commit_retries != 0) {
        fake_kafka.commit_retries -= fake_kafka.commit_retries > 0;
        v = SLUICE_RETRY;
    } else if (fake_kafka.commit_fails) {
        sluice_err_set(err, "broken");
        v = SLUICE_FAIL;
    } else if (fake_kafka.commit_drops > 0 || fake_kafka.spoiled) {
        fake_kafka.commit_drops -= !fake_kafka.spoiled;
        fake_kafka.spoiled = false;
        sluice_err_set(err, "to be aborted");
        txn->doomed = true;
        v = SLUICE_DROP;
    } else {
        fake_settle(FAKE_COMMITTED);
        fake_kafka.commits++;
        txn->open = false;
    }
    sluice_unlock(&fake_kafka.lock);
    if (v == SLUICE_RETRY) usleep(1000);
    return v;
}
enum sluice_verdict sluice_transactions_abort(struct sluice_transactions *txn, int64_t ms,
                                              struct sluice_err *err)
{
    (void)ms;
    (void)err;
    if (!txn->open) abort();
    sluice_lock(&fake_kafka.lock);
    fake_settle(FAKE_ABORTED);
    fake_kafka.aborts++;
    fake_kafka.spoiled = false;
    txn->open = txn->doomed = false;
    sluice_unlock(&fake_kafka.lock);
    return SLUICE_OK;
}
bool sluice_transactions_fenced(const struct sluice_transactions *txn)
{
    (void)txn;
    return fake_kafka.fenced;
}
void sluice_transactions_free(struct sluice_transactions *txn) { free(txn); }

/* ---- worker/connector_offsets.h ---- */

struct sluice_connector_offsets {
    int dummy;
};

bool sluice_worker_distributed(struct sluice_worker *worker)
{
    (void)worker;
    return true;
}
bool sluice_worker_exactly_once(struct sluice_worker *worker)
{
    (void)worker;
    return fake_kafka.exactly_once;
}
enum sluice_verdict sluice_connector_offsets_open(struct sluice_worker *worker,
                                                  const char *connector,
                                                  const struct sluice_map *config, int64_t ms,
                                                  struct sluice_connector_offsets **out,
                                                  struct sluice_err *err)
{
    (void)worker;
    (void)connector;
    (void)config;
    (void)ms;
    (void)err;
    *out = sluice_xcalloc(1, sizeof **out);
    return SLUICE_OK;
}
void sluice_connector_offsets_close(struct sluice_connector_offsets *offsets) { free(offsets); }
const char *sluice_connector_offsets_topic(const struct sluice_connector_offsets *offsets)
{
    (void)offsets;
    return fake_kafka.exactly_once ? FAKE_OFFSETS_TOPIC : NULL;
}
enum sluice_verdict sluice_connector_offsets_refresh(struct sluice_connector_offsets *offsets,
                                                     int64_t timeout_ms, struct sluice_err *err)
{
    (void)offsets;
    (void)timeout_ms;
    fake_call("refresh");
    if (fake_kafka.refresh_retries-- > 0) {
        sluice_err_set(err, "no answer");
        return SLUICE_RETRY;
    }
    return SLUICE_OK;
}
bool sluice_connector_offsets_get(struct sluice_connector_offsets *offsets,
                                  const struct sluice_value *partition, struct sluice_batch *batch,
                                  struct sluice_value *offset, bool *found, struct sluice_err *err)
{
    (void)offsets;
    (void)partition;
    (void)err;
    sluice_lock(&fake_kafka.lock);
    long long stored = fake_kafka.stored;
    sluice_unlock(&fake_kafka.lock);
    struct sluice_value *pair = sluice_batch_alloc(batch, 2 * sizeof *pair);
    pair[0] = sluice_string("n", 1);
    pair[1] = sluice_int64(stored);
    *offset = sluice_nested(SLUICE_MAP, pair, 1);
    *found = stored != FAKE_NONE;
    return true;
}
static long long fake_number(const struct sluice_offset_entry *entry)
{
    return entry->offset->u.v[1].u.i;
}
bool sluice_connector_offsets_encode(struct sluice_connector_offsets *offsets,
                                     const struct sluice_offset_entry *entry,
                                     struct sluice_offset_records *records, struct sluice_err *err)
{
    (void)offsets;
    (void)err;
    char *value = sluice_xasprintf("%lld", fake_number(entry));
    records->items =
        sluice_xgrow(records->items, records->n, &records->cap, sizeof *records->items);
    records->items[records->n++] =
        (struct sluice_offset_record){sluice_xstrdup("key"), value, 3, strlen(value)};
    return true;
}
void sluice_offset_records_fini(struct sluice_offset_records *records)
{
    for (size_t i = 0; i < records->n; i++) {
        free(records->items[i].key);
        free(records->items[i].value);
    }
    free(records->items);
    *records = (struct sluice_offset_records){0};
}
bool sluice_connector_offsets_put_start(struct sluice_connector_offsets *offsets,
                                        const struct sluice_offset_entry *entries, size_t n,
                                        sluice_offset_done *done, void *arg, struct sluice_err *err)
{
    (void)offsets;
    if (n != 1) abort();
    sluice_lock(&fake_kafka.lock);
    bool fails = fake_kafka.put_fails, hold = fake_kafka.hold;
    fake_kafka.puts += !fails;
    if (!fails && fake_kafka.done) abort(); /* two at a time */
    if (!fails && hold) {
        fake_kafka.done = done;
        fake_kafka.done_arg = arg;
        fake_kafka.done_number = fake_number(entries);
    } else if (!fails) {
        fake_kafka.stored = fake_number(entries);
    }
    sluice_unlock(&fake_kafka.lock);
    if (fails) return sluice_err_set(err, "no disk");
    if (!hold) done(arg, NULL);
    return true;
}
/* The held answer comes now; error NULL: durable. False: none was held. */
static inline bool fake_answer(const char *error)
{
    sluice_lock(&fake_kafka.lock);
    sluice_offset_done *done = fake_kafka.done;
    void *arg = fake_kafka.done_arg;
    if (done && !error) fake_kafka.stored = fake_kafka.done_number;
    fake_kafka.done = NULL;
    sluice_unlock(&fake_kafka.lock);
    if (done) done(arg, error);
    return done != NULL;
}
void sluice_connector_offsets_copy(struct sluice_connector_offsets *offsets,
                                   const struct sluice_offset_entry *entries, size_t n)
{
    (void)offsets;
    (void)entries;
    (void)n;
}

#endif
