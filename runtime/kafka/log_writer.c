/* log_writer.c - the writer of compacted topics; see topic_log.h.
 *
 * One producer, with no end to retries but the client's own. Over retries one record may overtake
 * another (worker/order.h): whoever writes a key waits for the answer before writing it again, as
 * the status log and tasks' commits do. Its thread serves the reports. */
#include <assert.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
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
#include "kafka/topic_log.h"

#define POLL_MS 100
#define PURGE_ROUNDS 100

#define TOPICS_MET 8

struct sluice_log_writer {
    rd_kafka_t *rk;
    char *who, *brokers;
    pthread_t thread;
    _Atomic bool stopping;
    pthread_mutex_t mutex;
    pthread_cond_t answered; /* monotonic */
    size_t pending;          /* records without an answer */
    _Atomic bool down;
    rd_kafka_topic_t *met[TOPICS_MET]; /* mutex */
    size_t met_n;
};

struct ticket {
    sluice_log_written *written;
    void *arg;
};

static void answer(struct sluice_log_writer *writer, struct ticket *ticket, const char *error)
{
    if (ticket->written) ticket->written(ticket->arg, error);
    free(ticket);
    sluice_lock(&writer->mutex);
    assert(writer->pending > 0);
    if (--writer->pending == 0) pthread_cond_broadcast(&writer->answered);
    sluice_unlock(&writer->mutex);
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct sluice_log_writer *writer = opaque;
    if (!message->err && atomic_exchange(&writer->down, false))
        sluice_log(SLUICE_INFO, NULL, -1, "%s: kafka brokers are back", writer->who);
    answer(writer, message->_private, message->err ? rd_kafka_err2str(message->err) : NULL);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct sluice_log_writer *writer = opaque;
    (void)rk;
    char text[512];
    if (!sluice_brokers_down(code, reason, writer->brokers, false, text, sizeof text)) return;
    if (!atomic_exchange(&writer->down, true))
        sluice_log(SLUICE_WARN, NULL, -1, "%s: %s", writer->who, text);
}

static void *run(void *arg)
{
    struct sluice_log_writer *writer = arg;
    while (!atomic_load(&writer->stopping)) rd_kafka_poll(writer->rk, POLL_MS);
    rd_kafka_purge(writer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; rd_kafka_outq_len(writer->rk) > 0 && i < PURGE_ROUNDS; i++)
        rd_kafka_poll(writer->rk, POLL_MS);
    return NULL;
}

static rd_kafka_t *client_new(struct sluice_log_writer *writer, const struct sluice_map *props,
                              struct sluice_err *err)
{
    char text[512];
    struct sluice_map own = {0};
    sluice_map_copy(&own, props);
    sluice_map_set(&own, "acks", "all");
    sluice_map_set(&own, "enable.idempotence", "false");
    sluice_map_set(&own, "max.in.flight.requests.per.connection", "1");
    sluice_map_set(&own, "delivery.timeout.ms", "2147483647");
    sluice_map_set(&own, "retries", "2147483647");
    sluice_map_set(&own, "linger.ms", "0");
    sluice_map_del(&own, "transactional.id");
    rd_kafka_conf_t *conf = sluice_client_conf(SLUICE_CLIENT_PRODUCER, &own, writer->who, err);
    sluice_map_fini(&own);
    if (!conf) return NULL;
    rd_kafka_conf_set_opaque(conf, writer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (rk) return rk;
    rd_kafka_conf_destroy(conf);
    sluice_err_set(err, "%s: making the producer failed: %s", writer->who, text);
    return NULL;
}

struct sluice_log_writer *sluice_log_writer_new(const struct sluice_map *props, const char *who,
                                                struct sluice_err *err)
{
    pthread_condattr_t attr;
    struct sluice_log_writer *writer = sluice_xcalloc(1, sizeof *writer);
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->answered, &attr);
    pthread_condattr_destroy(&attr);
    const char *brokers = sluice_map_get(props, "bootstrap.servers");
    writer->who = sluice_xstrdup(who);
    writer->brokers = sluice_xstrdup(brokers ? brokers : "");
    writer->rk = client_new(writer, props, err);
    if (writer->rk && sluice_thread_start(&writer->thread, "log-writer", run, writer, err))
        return writer;
    atomic_store(&writer->stopping, true);
    sluice_log_writer_free(writer);
    return NULL;
}

void sluice_log_writer_meet(struct sluice_log_writer *writer, const char *topic, int ms)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(writer->rk, topic, NULL);
    if (!handle) return;
    if (rd_kafka_metadata(writer->rk, 0, handle, &metadata, ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    sluice_lock(&writer->mutex);
    bool kept = writer->met_n < TOPICS_MET; /* what it learnt goes with the last handle */
    if (kept) writer->met[writer->met_n++] = handle;
    sluice_unlock(&writer->mutex);
    if (!kept) rd_kafka_topic_destroy(handle);
}

void sluice_log_write(struct sluice_log_writer *writer, const char *topic, const char *key,
                      size_t key_len, const char *value, size_t value_len,
                      sluice_log_written *written, void *arg)
{
    struct ticket *ticket = sluice_xmalloc(sizeof *ticket);
    *ticket = (struct ticket){written, arg};
    sluice_lock(&writer->mutex);
    writer->pending++;
    sluice_unlock(&writer->mutex);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        writer->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)(uintptr_t)key, key_len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value_len), RD_KAFKA_V_OPAQUE(ticket),
        RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) answer(writer, ticket, rd_kafka_err2str(code));
}

bool sluice_log_writer_flush(struct sluice_log_writer *writer, int64_t timeout_ms)
{
    int64_t deadline = sluice_now_ms() + timeout_ms;
    struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    int rc = 0;
    sluice_lock(&writer->mutex);
    while (writer->pending > 0 && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&writer->answered, &writer->mutex, &at);
    bool done = writer->pending == 0;
    sluice_unlock(&writer->mutex);
    return done;
}

void sluice_log_writer_free(struct sluice_log_writer *writer)
{
    if (!writer) return;
    if (!atomic_exchange(&writer->stopping, true)) pthread_join(writer->thread, NULL);
    for (size_t i = 0; i < writer->met_n; i++) rd_kafka_topic_destroy(writer->met[i]);
    if (writer->rk) rd_kafka_destroy(writer->rk);
    pthread_cond_destroy(&writer->answered);
    pthread_mutex_destroy(&writer->mutex);
    free(writer->who);
    free(writer->brokers);
    free(writer);
}
