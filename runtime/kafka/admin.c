/* admin.c - see admin.h. */
#include "kafka/admin.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/err.h"

bool sluice_admin_passes(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS: return true;
    default: return false;
    }
}

static enum sluice_verdict verdict_of(rd_kafka_resp_err_t code)
{
    return sluice_admin_passes(code) ? SLUICE_RETRY : SLUICE_FAIL;
}

/* Asks for all topics: asking for one would make the broker create it. OK: it was answered. */
static enum sluice_verdict look(rd_kafka_t *rk, const char *name, int ms, bool *there,
                                struct sluice_err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, NULL, &metadata, ms);
    *there = false;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        sluice_err_set(err, "looking for topic %s failed: %s", name, rd_kafka_err2str(code));
        return verdict_of(code);
    }
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strcmp(metadata->topics[i].topic, name) == 0) *there = true;
    rd_kafka_metadata_destroy(metadata);
    return SLUICE_OK;
}

static enum sluice_verdict read_result(rd_kafka_event_t *event, const char *name, bool *made,
                                       struct sluice_err *err)
{
    size_t n = 0;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        sluice_err_set(err, "creating topic %s failed: %s", name,
                       rd_kafka_event_error_string(event));
        return verdict_of(code);
    }
    const rd_kafka_topic_result_t **topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    if (n != 1) return sluice_fail(err, "creating topic %s gave no result", name);
    code = rd_kafka_topic_result_error(topics[0]);
    *made = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (*made || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return SLUICE_OK;
    const char *why = rd_kafka_topic_result_error_string(topics[0]);
    sluice_err_set(err, "creating topic %s failed: %s (%s)", name,
                   why ? why : rd_kafka_err2str(code), rd_kafka_err2name(code));
    return verdict_of(code);
}

static enum sluice_verdict request(rd_kafka_t *rk, rd_kafka_NewTopic_t *topic, const char *name,
                                   int ms, bool *made, struct sluice_err *err)
{
    char text[256];
    enum sluice_verdict v = SLUICE_RETRY;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, ms, text, sizeof text);
    rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ms);
    if (event) v = read_result(event, name, made, err);
    else sluice_err_set(err, "creating topic %s failed: no answer within %d ms", name, ms);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return v;
}

enum sluice_verdict sluice_admin_ensure_topic(struct sluice_producer *producer,
                                              const struct sluice_new_topic *topic, int ms,
                                              bool *made, struct sluice_err *err)
{
    char text[256];
    bool there;
    rd_kafka_t *rk = sluice_producer_client(producer);
    assert(topic->name && ms > 0);
    *made = false;
    enum sluice_verdict v = look(rk, topic->name, ms, &there, err);
    if (v != SLUICE_OK || there) return v;
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(
        topic->name, topic->partitions, topic->replication_factor, text, sizeof text);
    if (!wanted) return sluice_fail(err, "creating topic %s failed: %s", topic->name, text);
    for (size_t i = 0; topic->config && i < topic->config->n; i++)
        if (topic->config->items[i].value)
            rd_kafka_NewTopic_set_config(wanted, topic->config->items[i].key,
                                         topic->config->items[i].value);
    v = request(rk, wanted, topic->name, ms, made, err);
    rd_kafka_NewTopic_destroy(wanted);
    return v;
}
