/* producer.c - see producer.h. */
#include "kafka/producer.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kafka/client.h"
#include "kafka/down.h"

#define POLL_MS 100
#define LEADER_TRIES 30
#define LEADER_PAUSE_MS 10
#define LEADER_WAIT_MS 500
#define PARK_MS 20    /* a wait for the thread's standing still; it may be probing */
#define PROBE_MS 1000 /* how often a lost cluster is asked for, and how long it has to answer */

struct sluice_producer {
    struct sluice_producers *pool; /* NULL: it is its maker's alone */
    struct sluice_producer *next;  /* in the pool */
    char *identity, *brokers;
    sluice_delivered *delivered;
    int users; /* under the pool's mutex */
    rd_kafka_t *rk;
    pthread_t thread;
    _Atomic bool stopping;
    _Atomic bool down, fatal;
    pthread_mutex_t mutex; /* leaf: what follows */
    pthread_cond_t turned; /* one of the next two changed */
    bool park, parked;     /* its thread is to wait; it does */
    char trouble[512];
};

struct sluice_producers {
    pthread_mutex_t mutex; /* the list and users */
    struct sluice_producer *first;
    sluice_delivered *delivered;
};

struct sluice_producers *sluice_producers_new(sluice_delivered *delivered)
{
    struct sluice_producers *pool = sluice_xcalloc(1, sizeof *pool);
    pthread_mutex_init(&pool->mutex, NULL);
    pool->delivered = delivered;
    return pool;
}

void sluice_producers_free(struct sluice_producers *pool)
{
    if (!pool) return;
    assert(!pool->first);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

/* Set in a message's opaque: its headers are lent. */
#define LENT ((uintptr_t)1)

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct sluice_producer *p = opaque;
    (void)rk;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
        atomic_load_explicit(&p->down, memory_order_relaxed))
        atomic_store(&p->down, false);
    uintptr_t opaque_bits = (uintptr_t)message->_private;
    if (opaque_bits & LENT) { /* librdkafka says const, of what it made for this call */
        rd_kafka_headers_t *headers;
        rd_kafka_message_detach_headers((rd_kafka_message_t *)(uintptr_t)message, &headers);
    }
    void *receiver = (void *)(opaque_bits & ~LENT);
    if (receiver) p->delivered(receiver, message->err, message->partition, message->offset);
}

static void set_trouble(struct sluice_producer *p, const char *text)
{
    sluice_lock(&p->mutex);
    snprintf(p->trouble, sizeof p->trouble, "%s", text);
    sluice_unlock(&p->mutex);
}

static bool read_trouble(struct sluice_producer *p, bool yes, char text[512])
{
    if (!yes) return false;
    sluice_lock(&p->mutex);
    memcpy(text, p->trouble, sizeof p->trouble);
    sluice_unlock(&p->mutex);
    return true;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct sluice_producer *p = opaque;
    char text[512];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_resp_err_t original = rd_kafka_fatal_error(rk, text, sizeof text);
        set_trouble(p, text);
        atomic_store(&p->fatal, true);
        sluice_log(SLUICE_ERROR, NULL, -1, "kafka producer %s: fatal: %s: %s", rd_kafka_name(rk),
                   rd_kafka_err2name(original), text);
        return;
    }
    read_trouble(p, true, text);
    if (!sluice_brokers_down(code, reason, p->brokers, atomic_load(&p->down), text, sizeof text))
        return;
    set_trouble(p, text);
    if (!atomic_exchange(&p->down, true)) sluice_log(SLUICE_WARN, NULL, -1, "%s", text);
}

/* While the cluster is lost and nothing is sent, only asking tells that it is back. */
static void probe(struct sluice_producer *p)
{
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(p->rk, 0, NULL, &metadata, PROBE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_metadata_destroy(metadata);
    if (atomic_exchange(&p->down, false))
        sluice_log(SLUICE_INFO, NULL, -1, "kafka brokers at %s are back", p->brokers);
}

static void wait_while_parked(struct sluice_producer *p)
{
    sluice_lock(&p->mutex);
    while (p->park) {
        p->parked = true;
        pthread_cond_broadcast(&p->turned);
        pthread_cond_wait(&p->turned, &p->mutex);
    }
    p->parked = false;
    sluice_unlock(&p->mutex);
}

/* rd_kafka_poll() in its thread returns now. */
static void interrupt(struct sluice_producer *p)
{
    rd_kafka_queue_t *main_queue = rd_kafka_queue_get_main(p->rk);
    rd_kafka_queue_yield(main_queue);
    rd_kafka_queue_destroy(main_queue);
}

void sluice_producer_park(struct sluice_producer *p, bool park)
{
    struct timespec until;
    int timeout = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PARK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    sluice_lock(&p->mutex);
    assert(p->park != park);
    p->park = park;
    pthread_cond_broadcast(&p->turned);
    if (park) interrupt(p);
    while (park && !p->parked && timeout == 0)
        timeout = pthread_cond_timedwait(&p->turned, &p->mutex, &until);
    sluice_unlock(&p->mutex);
}

static void *serve(void *arg)
{
    struct sluice_producer *p = arg;
    int64_t next_probe = 0;
    while (!atomic_load(&p->stopping)) {
        rd_kafka_poll(p->rk, POLL_MS);
        wait_while_parked(p);
        if (!atomic_load(&p->down) || sluice_now_ms() < next_probe) continue;
        probe(p);
        next_probe = sluice_now_ms() + PROBE_MS;
    }
    /* Nobody sends any more: report the rest as undelivered, then go. */
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; rd_kafka_outq_len(p->rk) > 0 && i < 100; i++) rd_kafka_poll(p->rk, POLL_MS);
    return NULL;
}

struct sluice_producer *sluice_producer_make(rd_kafka_conf_t *conf, const char *who,
                                             sluice_delivered *delivered, struct sluice_err *err)
{
    char text[512];
    size_t size = sizeof text;
    struct sluice_producer *p = sluice_xcalloc(1, sizeof *p);
    bool given = rd_kafka_conf_get(conf, "bootstrap.servers", text, &size) == RD_KAFKA_CONF_OK;
    p->delivered = delivered;
    p->brokers = sluice_xstrdup(given ? text : "");
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->turned, NULL);
    rd_kafka_conf_set_opaque(conf, p);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    rd_kafka_conf_set_error_cb(conf, on_error);
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (p->rk && sluice_thread_start(&p->thread, "producer", serve, p, err)) return p;
    if (p->rk) {
        rd_kafka_destroy(p->rk);
    } else {
        rd_kafka_conf_destroy(conf);
        sluice_err_set(err, "%s: making the producer failed: %s", who, text);
    }
    pthread_cond_destroy(&p->turned);
    pthread_mutex_destroy(&p->mutex);
    free(p->brokers);
    free(p);
    return NULL;
}

void sluice_producer_end(struct sluice_producer *p)
{
    assert(!p->pool || p->users == 0);
    atomic_store(&p->stopping, true);
    interrupt(p);
    pthread_join(p->thread, NULL);
    rd_kafka_destroy(p->rk);
    pthread_cond_destroy(&p->turned);
    pthread_mutex_destroy(&p->mutex);
    free(p->brokers);
    free(p->identity);
    free(p);
}

struct sluice_producer *sluice_producer_get(struct sluice_producers *pool,
                                            const struct sluice_map *props, const char *who,
                                            struct sluice_err *err)
{
    char *identity = sluice_client_identity(props);
    struct sluice_producer *p;
    sluice_lock(&pool->mutex);
    for (p = pool->first; p; p = p->next)
        if (strcmp(p->identity, identity) == 0 && !atomic_load(&p->fatal)) break;
    if (p) {
        free(identity);
    } else {
        rd_kafka_conf_t *conf = sluice_client_conf(SLUICE_CLIENT_PRODUCER, props, who, err);
        p = conf ? sluice_producer_make(conf, who, pool->delivered, err) : NULL;
        if (p) {
            p->pool = pool;
            p->identity = identity;
            p->next = pool->first;
            pool->first = p;
        } else {
            free(identity);
        }
    }
    if (p) p->users++;
    sluice_unlock(&pool->mutex);
    return p;
}

void sluice_producer_put(struct sluice_producer *p)
{
    if (!p) return;
    struct sluice_producers *pool = p->pool;
    sluice_lock(&pool->mutex);
    bool last = --p->users == 0;
    if (last) {
        struct sluice_producer **at = &pool->first;
        while (*at != p) at = &(*at)->next;
        *at = p->next;
    }
    sluice_unlock(&pool->mutex);
    if (last) sluice_producer_end(p);
}

/* A topic that the broker makes on first use has no leader for some milliseconds, and librdkafka
 * looks again only after a second: ask until it is there, so that the first records need not wait.
 * Gives up early when the brokers do not answer; sending finds its way then, later. */
static void await_leader(rd_kafka_t *rk, rd_kafka_topic_t *topic)
{
    const struct rd_kafka_metadata *metadata;
    for (int i = 0; i < LEADER_TRIES; i++) {
        if (rd_kafka_metadata(rk, 0, topic, &metadata, LEADER_WAIT_MS) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
        const struct rd_kafka_metadata_topic *t = metadata->topics;
        bool there = metadata->topic_cnt == 1 && t->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                     t->partition_cnt > 0 && t->partitions[0].leader >= 0;
        rd_kafka_metadata_destroy(metadata);
        if (there) return;
        usleep(LEADER_PAUSE_MS * 1000);
    }
}

struct rd_kafka_topic_s *sluice_producer_topic(struct sluice_producer *producer, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer->rk, name, NULL);
    if (topic && !atomic_load(&producer->down)) await_leader(producer->rk, topic);
    return topic;
}

void sluice_producer_topic_free(struct rd_kafka_topic_s *topic)
{
    if (topic) rd_kafka_topic_destroy(topic);
}

struct rd_kafka_headers_s *sluice_headers_new(size_t n) { return rd_kafka_headers_new(n); }

void sluice_headers_add(struct rd_kafka_headers_s *headers, const char *key, const void *data,
                        size_t len)
{
    rd_kafka_header_add(headers, key, -1, data, data ? (ssize_t)len : 0);
}

void sluice_headers_free(struct rd_kafka_headers_s *headers)
{
    if (headers) rd_kafka_headers_destroy(headers);
}

enum sluice_sent sluice_producer_send(struct sluice_producer *producer,
                                      const struct sluice_message *message, int *code,
                                      struct sluice_err *err)
{
    rd_kafka_vu_t args[8];
    size_t n = 0;
    args[n].vtype = RD_KAFKA_VTYPE_RKT;
    args[n++].u.rkt = message->topic;
    args[n].vtype = RD_KAFKA_VTYPE_PARTITION;
    args[n++].u.i32 = message->partition;
    args[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    args[n++].u.i = RD_KAFKA_MSG_F_COPY;
    args[n].vtype = RD_KAFKA_VTYPE_VALUE;
    args[n].u.mem.ptr = (void *)(uintptr_t)message->value;
    args[n++].u.mem.size = message->value_len;
    args[n].vtype = RD_KAFKA_VTYPE_KEY;
    args[n].u.mem.ptr = (void *)(uintptr_t)message->key;
    args[n++].u.mem.size = message->key_len;
    args[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
    assert(!((uintptr_t)message->opaque & LENT));
    args[n++].u.ptr = (void *)((uintptr_t)message->opaque | (message->headers_lent ? LENT : 0));
    if (message->timestamp_ms != SLUICE_NO_TIMESTAMP) {
        args[n].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
        args[n++].u.i64 = message->timestamp_ms;
    }
    if (message->headers) {
        args[n].vtype = RD_KAFKA_VTYPE_HEADERS;
        args[n++].u.headers = message->headers;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(producer->rk, args, n);
    if (!error) return SLUICE_SENT;
    *code = rd_kafka_error_code(error);
    if (*code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        sluice_err_set(err, "%s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return *code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? SLUICE_SEND_FULL : SLUICE_SEND_FAILED;
}

const char *sluice_kafka_error(int code) { return rd_kafka_err2str(code); }

bool sluice_kafka_too_large(int code) { return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; }

bool sluice_kafka_topic_away(int code, int32_t partition)
{
    /* Of a topic that was deleted the client says that it has no partitions. */
    return (code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION && partition < 0) ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

bool sluice_kafka_refused(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return true;
    default: return false;
    }
}

bool sluice_producer_down(struct sluice_producer *producer, char text[512])
{
    return read_trouble(producer, atomic_load_explicit(&producer->down, memory_order_relaxed),
                        text);
}

bool sluice_producer_fatal(struct sluice_producer *producer, char text[512])
{
    return read_trouble(producer, atomic_load_explicit(&producer->fatal, memory_order_relaxed),
                        text);
}

bool sluice_producer_cluster_id(struct sluice_producer *producer, int ms, char out[64],
                                struct sluice_err *err)
{
    char *id = rd_kafka_clusterid(producer->rk, ms);
    if (!id)
        return sluice_err_set(err, "kafka brokers at %s did not answer within %d ms",
                              producer->brokers, ms);
    snprintf(out, 64, "%s", id);
    rd_kafka_mem_free(producer->rk, id);
    return true;
}

struct rd_kafka_s *sluice_producer_client(struct sluice_producer *producer) { return producer->rk; }
