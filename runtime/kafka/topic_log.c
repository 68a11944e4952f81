/* topic_log.c - the reader of compacted topics; see topic_log.h. The writer is log_writer.c.
 *
 * The client consumes by partition, without a group ("simple consumer"): a worker's memory needs no
 * group's rights and no coordinator. Offsets of the beginnings are asked for once, by one request
 * for each broker, and every partition starts at its number: so a start costs round trips, not
 * fetch waits, and a partition that is empty is known to be read.
 *
 * Whoever catches up asks for the ends, and waits until the reader's positions are there. Ends are
 * high watermarks, not last stable offsets: what was committed a moment ago has no marker in its
 * partition yet, and a transaction that is open in front of it hides it from a read_committed
 * consumer; both pass. librdkafka asks by the client's own isolation level, so that a second client
 * asks.
 *
 * A position moves with each record, and over control records, aborted and compacted ones at the
 * end of a log by the end-of-partition event, which comes with the fetch answer after that: as late
 * as a broker with nothing new may wait. Every commit ends with control records; so the second
 * client, whose fetches do not wait, looks whether what lies between position and end holds any
 * record at all. When it does, the first one has to come there. At other times it fetches nothing.
 *
 * Threads: reader (positions, callbacks), those who catch up (ends, and positions that
 * the second client found), under one mutex. */
#include "kafka/topic_log.h"

#include <assert.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kafka/client.h"
#include "kafka/down.h"

#define POLL_MS 200
#define PROBE_MS 1000       /* how often lost brokers are asked for */
#define PROBE_ANSWER_MS 200 /* how long they have to answer then */
#define METADATA_MS 2000    /* the brokers' time for one answer */
#define RETRY_FIRST_MS 10
#define RETRY_LAST_MS 500
#define STILL_MS 5 /* without a record: perhaps there is none */
#define GAP_MS 250 /* for one look at the ends */
#define TOPICS_MAX 16
#define PARTITIONS_MAX 100000

struct log_topic {
    struct sluice_log_topic to; /* name is a copy */
    rd_kafka_topic_t *rkt;
    rd_kafka_topic_t *asked; /* the same, of the second client */
    int64_t *positions;      /* by partition: the next offset; n of them, NULL: not found yet */
    int n;
    rd_kafka_resp_err_t trouble; /* why it is not found, or cannot be read */
};

struct sluice_log_reader {
    rd_kafka_t *rk;
    rd_kafka_t *asker;      /* read_uncommitted: for high watermarks and empty ends */
    pthread_mutex_t asking; /* taken before mutex: one at a time looks at ends */
    rd_kafka_queue_t *queue;
    char *who, *brokers;
    pthread_t thread;
    _Atomic bool stopping;
    pthread_mutex_t mutex; /* positions, n, trouble, ready, down, text */
    pthread_cond_t moved;  /* monotonic; any of these changed */
    struct log_topic topics[TOPICS_MAX];
    size_t topics_n;
    bool ready; /* every topic is found and being read */
    bool down;
    char text[512];
    int64_t next_probe_ms; /* reader's thread */
};

/* ---- trouble ---- */

static void set_back(struct sluice_log_reader *reader)
{
    sluice_lock(&reader->mutex);
    bool was = reader->down;
    reader->down = false;
    sluice_unlock(&reader->mutex);
    if (was)
        sluice_log(SLUICE_INFO, NULL, -1, "%s: kafka brokers at %s are back", reader->who,
                   reader->brokers);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct sluice_log_reader *reader = opaque;
    (void)rk;
    sluice_lock(&reader->mutex);
    bool was = reader->down;
    bool news =
        sluice_brokers_down(code, reason, reader->brokers, was, reader->text, sizeof reader->text);
    reader->down = was || news;
    sluice_unlock(&reader->mutex);
    /* The text is only written here, by one thread at a time. */
    if (news && !was) sluice_log(SLUICE_WARN, NULL, -1, "%s: %s", reader->who, reader->text);
}

static void set_trouble(struct sluice_log_reader *reader, struct log_topic *topic,
                        rd_kafka_resp_err_t code)
{
    sluice_lock(&reader->mutex);
    bool news = topic->trouble != code;
    topic->trouble = code;
    pthread_cond_broadcast(&reader->moved);
    sluice_unlock(&reader->mutex);
    if (news && code != RD_KAFKA_RESP_ERR_NO_ERROR)
        sluice_log(SLUICE_WARN, NULL, -1, "%s: topic %s: %s; retrying", reader->who, topic->to.name,
                   rd_kafka_err2str(code));
}

/* What no waiting mends. */
static bool refused(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
}

/* ---- start: partitions, beginnings ---- */

static bool take_partitions(struct log_topic *topic, const rd_kafka_metadata_topic_t *found,
                            rd_kafka_resp_err_t *why)
{
    *why = found->err;
    if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    *why = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    if (found->partition_cnt < 1 || found->partition_cnt > PARTITIONS_MAX) return false;
    for (int i = 0; i < found->partition_cnt; i++)
        if (found->partitions[i].leader < 0) return false;
    topic->n = found->partition_cnt;
    return true;
}

/* Asks once for all topics. True: all have all their leaders. */
static bool find_topics(struct sluice_log_reader *reader)
{
    const rd_kafka_metadata_t *metadata;
    size_t found = 0;
    if (rd_kafka_metadata(reader->rk, 0, NULL, &metadata, METADATA_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    for (int i = 0; i < metadata->topic_cnt; i++)
        for (size_t k = 0; k < reader->topics_n; k++) {
            rd_kafka_resp_err_t why;
            struct log_topic *topic = &reader->topics[k];
            if (strcmp(topic->to.name, metadata->topics[i].topic) != 0) continue;
            if (take_partitions(topic, &metadata->topics[i], &why)) found++;
            /* A topic that was made just now has no leader, or is not known, for a moment. */
            else if (why != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) set_trouble(reader, topic, why);
        }
    rd_kafka_metadata_destroy(metadata);
    set_back(reader);
    return found == reader->topics_n;
}

static rd_kafka_topic_partition_list_t *partition_list(const struct sluice_log_reader *reader,
                                                       const char *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(32);
    for (size_t k = 0; k < reader->topics_n; k++) {
        const struct log_topic *t = &reader->topics[k];
        if (topic && strcmp(topic, t->to.name) != 0) continue;
        for (int p = 0; p < t->n; p++)
            rd_kafka_topic_partition_list_add(list, t->to.name, p)->offset = offset;
    }
    return list;
}

/* Makes offsets of what the list holds: RD_KAFKA_OFFSET_BEGINNING, or END, which for read_committed
 * is the last stable offset. One request for each broker. The first error of all. */
static rd_kafka_resp_err_t ask_offsets(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                       int ms)
{
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, ms);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[i].offset < 0)
            code = RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
    }
    return code;
}

static struct log_topic *topic_named(struct sluice_log_reader *reader, const char *name)
{
    for (size_t k = 0; k < reader->topics_n; k++)
        if (strcmp(reader->topics[k].to.name, name) == 0) return &reader->topics[k];
    return NULL;
}

static bool begin(struct sluice_log_reader *reader)
{
    rd_kafka_topic_partition_list_t *list = partition_list(reader, NULL, RD_KAFKA_OFFSET_BEGINNING);
    bool ok = ask_offsets(reader->rk, list, METADATA_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    sluice_lock(&reader->mutex);
    for (int i = 0; ok && i < list->cnt; i++) {
        struct log_topic *topic = topic_named(reader, list->elems[i].topic);
        if (!topic->positions)
            topic->positions = sluice_xcalloc((size_t)topic->n, sizeof *topic->positions);
        topic->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
        topic->positions[list->elems[i].partition] = list->elems[i].offset;
    }
    sluice_unlock(&reader->mutex);
    for (int i = 0; ok && i < list->cnt; i++) {
        struct log_topic *topic = topic_named(reader, list->elems[i].topic);
        int rc = rd_kafka_consume_start_queue(topic->rkt, list->elems[i].partition,
                                              list->elems[i].offset, reader->queue);
        assert(rc == 0); /* it fails on misuse only */
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (!ok) return false;
    sluice_lock(&reader->mutex);
    reader->ready = true;
    pthread_cond_broadcast(&reader->moved);
    sluice_unlock(&reader->mutex);
    return true;
}

/* ---- reading ---- */

static void move_to(struct sluice_log_reader *reader, struct log_topic *topic, int32_t partition,
                    int64_t position)
{
    assert(partition >= 0 && partition < topic->n);
    sluice_lock(&reader->mutex);
    topic->positions[partition] = position;
    pthread_cond_broadcast(&reader->moved);
    sluice_unlock(&reader->mutex);
}

static void on_message(struct sluice_log_reader *reader, const rd_kafka_message_t *m)
{
    struct log_topic *topic = m->rkt ? rd_kafka_topic_opaque(m->rkt) : NULL;
    if (!topic) return;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        move_to(reader, topic, m->partition, m->offset);
        return;
    }
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (refused(m->err)) set_trouble(reader, topic, m->err);
        else
            sluice_log(SLUICE_DEBUG, NULL, -1, "%s: topic %s: %s", reader->who, topic->to.name,
                       rd_kafka_message_errstr(m));
        return;
    }
    struct sluice_log_record record = {.topic = topic->to.name,
                                       .partition = m->partition,
                                       .offset = m->offset,
                                       .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                                       .key = m->key,
                                       .value = m->payload,
                                       .key_len = m->key_len,
                                       .value_len = m->len};
    topic->to.on_record(topic->to.arg, &record);
    move_to(reader, topic, m->partition, m->offset + 1);
}

/* librdkafka tells of lost brokers but not of found ones. */
static void look_again(struct sluice_log_reader *reader)
{
    const rd_kafka_metadata_t *metadata;
    if (!reader->down || sluice_now_ms() < reader->next_probe_ms) return;
    if (rd_kafka_metadata(reader->rk, 0, NULL, &metadata, PROBE_ANSWER_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        set_back(reader);
    }
    reader->next_probe_ms = sluice_now_ms() + PROBE_MS;
}

static void *run(void *arg)
{
    struct sluice_log_reader *reader = arg;
    int64_t pause = RETRY_FIRST_MS;
    while (!atomic_load(&reader->stopping) && !(find_topics(reader) && begin(reader))) {
        for (int64_t until = sluice_now_ms() + pause; sluice_now_ms() < until;)
            rd_kafka_poll(reader->rk, (int)pause);
        if (pause < RETRY_LAST_MS) pause *= 2;
    }
    while (!atomic_load(&reader->stopping)) {
        rd_kafka_message_t *m = rd_kafka_consume_queue(reader->queue, POLL_MS);
        rd_kafka_poll(reader->rk, 0); /* errors of the clients */
        rd_kafka_poll(reader->asker, 0);
        if (m) {
            on_message(reader, m);
            rd_kafka_message_destroy(m);
        }
        look_again(reader);
    }
    return NULL;
}

/* ---- catching up ---- */

static int64_t left_ms(int64_t deadline)
{
    int64_t left = deadline - sluice_now_ms();
    return left > 0 ? left : 0;
}

/* With the mutex held. False: the deadline has passed. */
static bool wait_moved(struct sluice_log_reader *reader, int64_t deadline)
{
    struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    return pthread_cond_timedwait(&reader->moved, &reader->mutex, &at) != ETIMEDOUT;
}

static enum sluice_verdict fail_topic(struct sluice_log_reader *reader, const char *topic,
                                      rd_kafka_resp_err_t code, struct sluice_err *err)
{
    return sluice_fail(err,
                       "%s: topic %s cannot be read: %s; look whether it is there and whether this "
                       "worker may read it",
                       reader->who, topic, rd_kafka_err2str(code));
}

static enum sluice_verdict late(struct sluice_log_reader *reader, const char *topic, int64_t ms,
                                struct sluice_err *err)
{
    char text[512] = "";
    sluice_log_reader_down(reader, text);
    sluice_err_set(err, "%s: the end of %s was not read within %lld ms%s%s", reader->who,
                   topic ? topic : "the topics", (long long)ms, *text ? ": " : "", text);
    return SLUICE_RETRY;
}

/* Until every topic is found. */
static enum sluice_verdict await_ready(struct sluice_log_reader *reader, int64_t deadline,
                                       int64_t ms, struct sluice_err *err)
{
    enum sluice_verdict v = SLUICE_OK;
    sluice_lock(&reader->mutex);
    while (!reader->ready && wait_moved(reader, deadline)) {
    }
    bool ready = reader->ready;
    const struct log_topic *bad = NULL;
    for (size_t k = 0; k < reader->topics_n; k++)
        if (refused(reader->topics[k].trouble)) bad = &reader->topics[k];
    if (!ready && bad) v = fail_topic(reader, bad->to.name, bad->trouble, err);
    sluice_unlock(&reader->mutex);
    return ready || v != SLUICE_OK ? v : late(reader, NULL, ms, err);
}

/* With the mutex held. */
static bool reached(struct sluice_log_reader *reader, const rd_kafka_topic_partition_list_t *ends)
{
    for (int i = 0; i < ends->cnt; i++) {
        const rd_kafka_topic_partition_t *end = &ends->elems[i];
        const struct log_topic *topic = topic_named(reader, end->topic);
        assert(topic && end->partition >= 0 && end->partition < topic->n); /* asked for by us */
        if (topic->positions[end->partition] < end->offset) return false;
    }
    return true;
}

/* ---- ends that hold no record ---- */

/* A partition whose position stands before its end. */
struct gap {
    struct log_topic *topic;
    int32_t partition;
    int64_t from;
    bool answered;
};

static size_t find_gaps(struct sluice_log_reader *reader,
                        const rd_kafka_topic_partition_list_t *ends, struct gap *gaps)
{
    size_t n = 0;
    sluice_lock(&reader->mutex);
    for (int i = 0; i < ends->cnt; i++) {
        struct log_topic *topic = topic_named(reader, ends->elems[i].topic);
        int32_t partition = ends->elems[i].partition;
        assert(topic && partition >= 0 && partition < topic->n);
        int64_t from = topic->positions[partition];
        if (from < ends->elems[i].offset) gaps[n++] = (struct gap){topic, partition, from, false};
    }
    sluice_unlock(&reader->mutex);
    return n;
}

/* The second client came upon the end, or a record, or trouble. True: it is a gap's answer. */
static bool on_gap_message(struct sluice_log_reader *reader, struct gap *gaps, size_t n,
                           const rd_kafka_message_t *m)
{
    const struct log_topic *topic = m->rkt ? rd_kafka_topic_opaque(m->rkt) : NULL;
    for (size_t i = 0; topic && i < n; i++) {
        struct gap *gap = &gaps[i];
        if (gap->topic != topic || gap->partition != m->partition || gap->answered) continue;
        gap->answered = true;
        if (m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) return true;
        sluice_lock(&reader->mutex);
        int64_t *position = &gap->topic->positions[gap->partition];
        if (*position == gap->from && m->offset > gap->from) {
            *position = m->offset;
            pthread_cond_broadcast(&reader->moved);
        }
        sluice_unlock(&reader->mutex);
        return true;
    }
    return false;
}

/* Moves positions over what holds no record for anybody. Not while somebody else does: that moves
 * them for all, and tasks that start together would queue for looks of their own until it is too
 * late for them. False: so it is. */
static bool close_gaps(struct sluice_log_reader *reader,
                       const rd_kafka_topic_partition_list_t *ends)
{
    if (pthread_mutex_trylock(&reader->asking) != 0) return false;
    struct gap *gaps = sluice_xcalloc((size_t)ends->cnt + 1, sizeof *gaps);
    size_t n = find_gaps(reader, ends, gaps), open = n;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(reader->asker);
    for (size_t i = 0; i < n; i++)
        rd_kafka_consume_start_queue(gaps[i].topic->asked, gaps[i].partition, gaps[i].from, queue);
    int64_t until = sluice_now_ms() + GAP_MS;
    while (open > 0 && sluice_now_ms() < until) {
        rd_kafka_message_t *m = rd_kafka_consume_queue(queue, GAP_MS);
        if (!m) break;
        if (on_gap_message(reader, gaps, n, m)) open--;
        rd_kafka_message_destroy(m);
    }
    for (size_t i = 0; i < n; i++) rd_kafka_consume_stop(gaps[i].topic->asked, gaps[i].partition);
    rd_kafka_queue_destroy(queue);
    sluice_unlock(&reader->asking);
    free(gaps);
    return true;
}

/* With the mutex held, which is given up meanwhile. False: the deadline has passed. */
static bool await_ends(struct sluice_log_reader *reader,
                       const rd_kafka_topic_partition_list_t *ends, int64_t deadline)
{
    int64_t next_look = 0, pause = STILL_MS;
    while (!reached(reader, ends)) {
        int64_t now = sluice_now_ms();
        if (now >= deadline) return false;
        if (wait_moved(reader, now + STILL_MS < deadline ? now + STILL_MS : deadline)) continue;
        if (sluice_now_ms() < next_look) continue;
        /* Records come without a break while there are some: the rest may be empty. */
        sluice_unlock(&reader->mutex);
        bool looked = close_gaps(reader, ends);
        sluice_lock(&reader->mutex);
        next_look = sluice_now_ms() + (looked ? pause : STILL_MS);
        if (looked && pause < RETRY_LAST_MS) pause *= 2;
    }
    return true;
}

enum sluice_verdict sluice_log_reader_catch_up(struct sluice_log_reader *reader, const char *topic,
                                               int64_t timeout_ms, struct sluice_err *err)
{
    int64_t deadline = sluice_now_ms() + timeout_ms, pause = RETRY_FIRST_MS;
    assert(!topic || topic_named(reader, topic));
    enum sluice_verdict v = await_ready(reader, deadline, timeout_ms, err);
    if (v != SLUICE_OK) return v;
    for (;;) {
        rd_kafka_topic_partition_list_t *ends = partition_list(reader, topic, RD_KAFKA_OFFSET_END);
        rd_kafka_resp_err_t code = ask_offsets(reader->asker, ends, (int)left_ms(deadline) + 1);
        bool there = false;
        sluice_lock(&reader->mutex);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            there = await_ends(reader, ends, deadline);
        } else if (!refused(code)) {
            int64_t until = sluice_now_ms() + pause;
            while (wait_moved(reader, until < deadline ? until : deadline)) {
            }
            if (pause < RETRY_LAST_MS) pause *= 2;
        }
        sluice_unlock(&reader->mutex);
        rd_kafka_topic_partition_list_destroy(ends);
        if (there) return SLUICE_OK;
        if (refused(code)) return fail_topic(reader, topic ? topic : "of the worker", code, err);
        if (left_ms(deadline) == 0) return late(reader, topic, timeout_ms, err);
    }
}

bool sluice_log_reader_down(struct sluice_log_reader *reader, char text[512])
{
    sluice_lock(&reader->mutex);
    bool down = reader->down;
    if (down) memcpy(text, reader->text, sizeof reader->text);
    sluice_unlock(&reader->mutex);
    return down;
}

/* ---- life ---- */

static rd_kafka_t *client_new(struct sluice_log_reader *reader, const struct sluice_map *props,
                              bool asker, struct sluice_err *err)
{
    char text[512];
    struct sluice_map own = {0};
    sluice_map_copy(&own, props);
    sluice_map_del(&own, "group.id");
    sluice_map_set(&own, "isolation.level", asker ? "read_uncommitted" : "read_committed");
    sluice_map_set(&own, "auto.offset.reset", "earliest");
    sluice_map_set(&own, "enable.auto.commit", "false");
    sluice_map_set(&own, "enable.partition.eof", "true");
    sluice_map_set(&own, "fetch.min.bytes", "1");
    sluice_map_set(&own, "fetch.max.wait.ms", asker ? "1" : "100");
    if (asker) sluice_map_set(&own, "max.partition.fetch.bytes", "1024");
    sluice_map_set(&own, "fetch.error.backoff.ms", "50");
    sluice_map_set(&own, "topic.metadata.refresh.fast.interval.ms", "50");
    rd_kafka_conf_t *conf = sluice_client_conf(SLUICE_CLIENT_CONSUMER, &own, reader->who, err);
    sluice_map_fini(&own);
    if (!conf) return NULL;
    rd_kafka_conf_set_opaque(conf, reader);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (rk) return rk;
    rd_kafka_conf_destroy(conf);
    sluice_err_set(err, "%s: making the consumer failed: %s", reader->who, text);
    return NULL;
}

static rd_kafka_topic_t *handle_new(rd_kafka_t *rk, struct log_topic *topic)
{
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(rk);
    rd_kafka_topic_conf_set_opaque(conf, topic);
    return rd_kafka_topic_new(rk, topic->to.name, conf);
}

struct sluice_log_reader *sluice_log_reader_new(const struct sluice_map *props, const char *who,
                                                const struct sluice_log_topic *topics, size_t n,
                                                struct sluice_err *err)
{
    pthread_condattr_t attr;
    const char *brokers = sluice_map_get(props, "bootstrap.servers");
    struct sluice_log_reader *reader = sluice_xcalloc(1, sizeof *reader);
    assert(n > 0 && n <= TOPICS_MAX);
    pthread_mutex_init(&reader->mutex, NULL);
    pthread_mutex_init(&reader->asking, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->moved, &attr);
    pthread_condattr_destroy(&attr);
    reader->who = sluice_xstrdup(who);
    reader->brokers = sluice_xstrdup(brokers ? brokers : "");
    reader->rk = client_new(reader, props, false, err);
    if (!reader->rk) goto fail;
    reader->asker = client_new(reader, props, true, err);
    if (!reader->asker) goto fail;
    reader->queue = rd_kafka_queue_new(reader->rk);
    for (size_t k = 0; k < n; k++) {
        struct log_topic *topic = &reader->topics[reader->topics_n++];
        topic->to = topics[k];
        topic->to.name = sluice_xstrdup(topics[k].name);
        topic->rkt = handle_new(reader->rk, topic);
        topic->asked = handle_new(reader->asker, topic);
        if (topic->rkt && topic->asked) continue;
        sluice_err_set(err, "%s: topic %s cannot be read: %s", who, topic->to.name,
                       rd_kafka_err2str(rd_kafka_last_error()));
        goto fail;
    }
    if (sluice_thread_start(&reader->thread, "topic-log", run, reader, err)) return reader;
fail:
    atomic_store(&reader->stopping, true);
    reader->thread = 0;
    sluice_log_reader_free(reader);
    return NULL;
}

void sluice_log_reader_free(struct sluice_log_reader *reader)
{
    if (!reader) return;
    if (!atomic_exchange(&reader->stopping, true)) {
        rd_kafka_queue_yield(reader->queue);
        pthread_join(reader->thread, NULL);
    }
    for (size_t k = 0; k < reader->topics_n; k++) {
        struct log_topic *topic = &reader->topics[k];
        for (int p = 0; topic->positions && p < topic->n; p++) rd_kafka_consume_stop(topic->rkt, p);
        if (topic->rkt) rd_kafka_topic_destroy(topic->rkt);
        if (topic->asked) rd_kafka_topic_destroy(topic->asked);
        free(topic->positions);
        free((char *)(uintptr_t)topic->to.name);
    }
    if (reader->queue) rd_kafka_queue_destroy(reader->queue);
    if (reader->asker) rd_kafka_destroy(reader->asker);
    if (reader->rk) rd_kafka_destroy(reader->rk);
    pthread_cond_destroy(&reader->moved);
    pthread_mutex_destroy(&reader->mutex);
    pthread_mutex_destroy(&reader->asking);
    free(reader->who);
    free(reader->brokers);
    free(reader);
}
