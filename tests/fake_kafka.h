/* fake_kafka.h - Kafka for source tasks, in memory: producers, transactions, and the store of
 * offsets, whose answers a test may hold back or make fail. Everything that was sent is kept in
 * order, with the transaction that it was part of and what became of it.
 *
 * Include it once, before the test's plugin; it takes the place of kafka/producer.c,
 * transactions.c, admin.c and worker/connector_offsets.c. Offsets are numbers: {"n": 12} of
 * partition {"p": "x"}. */
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

#include "fake_codes.h"

#define FAKE_OFFSETS_TOPIC "connect-offsets"
#define FAKE_NONE (-1) /* no offset */

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
    /* what tests ask for; atomics at any time, the others before the task starts */
    int commit_retries;                /* commit() says RETRY so often; -1: always */
    _Atomic int commit_drops;          /* then DROP so often */
    _Atomic bool commit_fails, fenced; /* then FAIL */
    int init_retries, refresh_retries;
    long long lose, refuse; /* the record of this number comes back with an error, once */
    long long away;         /* likewise, as the topic is not known */
    long long mute;         /* the record of this number is not reported, but kept */
    void *muted;
    int away_sends;         /* so many records are not even taken for that */
    long long overtaken;    /* this number comes into Kafka behind the next one, once */
    void *late;             /* its report is to come */
    bool spoiled;           /* and so its transaction cannot be committed */
    _Atomic bool hold;      /* put_start() keeps its answers until fake_answer() */
    _Atomic bool put_fails; /* put_start() says no */
    _Atomic int put_failures;
    /* the store */
    long long stored; /* FAKE_NONE: nothing */
    int puts;
    sluice_offset_done *done; /* held back */
    void *done_arg;
    long long done_number;
    sluice_delivered *delivered;
};

static struct fake_kafka fake_kafka = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fake_kafka_reset(bool exactly_once)
{
    memset(&fake_kafka.sent, 0, sizeof fake_kafka - offsetof(struct fake_kafka, sent));
    fake_kafka.exactly_once = exactly_once;
    fake_kafka.stored = fake_kafka.overtaken = FAKE_NONE;
    fake_kafka.lose = fake_kafka.refuse = fake_kafka.away = fake_kafka.mute = FAKE_NONE;
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

/* Every transaction: "1 2 @2 | 3 @3 / " records, the offset, and how it ended: | committed, /
 * aborted, ? neither. */
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

struct sluice_producers *sluice_producers_new(sluice_delivered *delivered)
{
    fake_kafka.delivered = delivered;
    return sluice_xcalloc(1, sizeof(struct sluice_producers));
}
void sluice_producers_free(struct sluice_producers *pool) { free(pool); }
struct sluice_producer *sluice_producer_get(struct sluice_producers *pool,
                                            const struct sluice_map *props, const char *who,
                                            struct sluice_err *err)
{
    (void)pool, (void)props, (void)who, (void)err;
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
    (void)headers, (void)key, (void)data, (void)len;
}
void sluice_headers_free(struct rd_kafka_headers_s *headers) { (void)headers; }
bool sluice_producer_down(struct sluice_producer *producer, char text[512])
{
    (void)producer, (void)text;
    return false;
}
bool sluice_producer_fatal(struct sluice_producer *producer, char text[512])
{
    (void)producer, (void)text;
    return false;
}
bool sluice_producer_cluster_id(struct sluice_producer *producer, int ms, char out[64],
                                struct sluice_err *err)
{
    (void)producer, (void)ms, (void)out;
    return sluice_err_set(err, "no cluster");
}

enum sluice_sent sluice_producer_send(struct sluice_producer *producer,
                                      const struct sluice_message *message, int *code,
                                      struct sluice_err *err)
{
    char text[64];
    int error = 0;
    (void)producer, (void)err;
    snprintf(text, sizeof text, "%.*s", (int)message->value_len, (const char *)message->value);
    sluice_lock(&fake_kafka.lock);
    if (fake_kafka.away_sends > 0) {
        fake_kafka.away_sends--;
        sluice_unlock(&fake_kafka.lock);
        *code = FAKE_AWAY;
        return SLUICE_SEND_FAILED;
    }
    struct fake_sent *sent = &fake_kafka.sent[fake_kafka.n++];
    if (fake_kafka.n == sizeof fake_kafka.sent / sizeof *fake_kafka.sent) abort();
    snprintf(sent->topic, sizeof sent->topic, "%s", message->topic->name);
    sent->number = strtoll(text, NULL, 10);
    sent->txn = fake_kafka.exactly_once ? fake_kafka.txns : 0;
    sent->fate = fake_kafka.exactly_once ? FAKE_PENDING : FAKE_PLAIN;
    if (message->opaque && sent->number == fake_kafka.lose) error = FAKE_LOST;
    if (message->opaque && sent->number == fake_kafka.refuse) error = FAKE_REFUSED;
    if (message->opaque && sent->number == fake_kafka.away) error = FAKE_AWAY;
    if (error) fake_kafka.lose = fake_kafka.refuse = fake_kafka.away = FAKE_NONE;
    if (error && !fake_kafka.exactly_once) sent->fate = FAKE_ABORTED;
    fake_kafka.spoiled |= error != 0;
    bool mute = message->opaque && sent->number == fake_kafka.mute;
    if (mute) fake_kafka.muted = message->opaque;
    int64_t offset = (int64_t)fake_kafka.n - 1;
    void *late = fake_kafka.late;
    fake_kafka.late = NULL;
    if (late) { /* the one before goes behind this one */
        struct fake_sent this = *sent;
        sent[0] = sent[-1];
        sent[-1] = this;
        offset--;
    } else if (message->opaque && sent->number == fake_kafka.overtaken) {
        fake_kafka.overtaken = FAKE_NONE;
        fake_kafka.late = message->opaque;
    }
    mute |= fake_kafka.late != NULL;
    sluice_unlock(&fake_kafka.lock);
    if (message->opaque && !mute) fake_kafka.delivered(message->opaque, error, 0, offset);
    if (late) fake_kafka.delivered(late, 0, 0, offset + 1);
    return SLUICE_SENT;
}

#include "fake_transactions.h"

#include "fake_connector_offsets.h"

#endif
