/* internal_topics.c - see internal_topics.h. Three round trips at most: which are there,
 * make those that are not, what their settings are. */
#include "kafka/internal_topics.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client.h"
#include "kafka/down.h"

#define TOPICS_MAX 16
#define AGAIN_MS 50 /* before brokers are asked again for a topic that was just made */
#define AGAIN_LIMIT_MS 2000

struct topic_check {
    const struct sluice_internal_topic *topic;
    bool there, made; /* made: by this call */
    int partitions;   /* when there */
};

struct checking {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    const char *who, *brokers;
    struct topic_check checks[TOPICS_MAX];
    size_t n;
    bool foreign; /* one that was not there was made by another meanwhile */
    int64_t deadline;
    char down[512]; /* why brokers cannot be reached; empty: nothing was said of it */
    struct sluice_err *err;
};

void sluice_internal_topic_settings(const struct sluice_map *worker, const char *kind,
                                    struct sluice_map *out)
{
    char prefix[64];
    int n = snprintf(prefix, sizeof prefix, "%s.storage.", kind);
    assert(n > 0 && (size_t)n < sizeof prefix);
    for (size_t i = 0; i < worker->n; i++) {
        const char *key = worker->items[i].key, *name = key + n;
        if (strncmp(key, prefix, (size_t)n) != 0 || !*name) continue;
        if (strcmp(name, "topic") == 0 || strcmp(name, "partitions") == 0 ||
            strcmp(name, "replication.factor") == 0)
            continue;
        if (strcmp(name, "cleanup.policy") == 0) {
            const char *value = worker->items[i].value;
            if (!value || strcmp(value, "compact") != 0)
                sluice_log(SLUICE_WARN, NULL, -1,
                           "%s=%s is ignored: the %s topic must be compacted, and only that", key,
                           value ? value : "", kind);
            continue;
        }
        sluice_map_set(out, name, worker->items[i].value);
    }
}

/* ---- answers ---- */

static int left_ms(const struct checking *c)
{
    int64_t left = c->deadline - sluice_now_ms();
    return left > 1 ? (int)left : 1;
}

/* Codes that say nothing of the topics, only that the cluster cannot answer now. */
static bool passes(rd_kafka_resp_err_t code)
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
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED: return true;
    default: return false;
    }
}

static bool unauthorised(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

static enum sluice_verdict trouble(struct checking *c, rd_kafka_resp_err_t code, const char *what,
                                   const char *why)
{
    rd_kafka_poll(c->rk, 0); /* calls on_error() */
    sluice_err_set(c->err, "%s: %s at %s failed: %s%s%s", c->who, what, c->brokers,
                   why ? why : rd_kafka_err2str(code), *c->down ? ": " : "", c->down);
    return passes(code) ? SLUICE_RETRY : SLUICE_FAIL;
}

static rd_kafka_AdminOptions_t *options_new(struct checking *c, rd_kafka_admin_op_t op)
{
    char text[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(c->rk, op);
    rd_kafka_AdminOptions_set_request_timeout(options, left_ms(c), text, sizeof text);
    return options;
}

/* ---- which are there ---- */

static enum sluice_verdict look(struct checking *c)
{
    const rd_kafka_metadata_t *metadata;
    /* All topics: asking for one by name could make the broker create it. */
    rd_kafka_resp_err_t code = rd_kafka_metadata(c->rk, 1, NULL, &metadata, left_ms(c));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return trouble(c, code, "asking for the topics of the brokers", NULL);
    for (int i = 0; i < metadata->topic_cnt; i++)
        for (size_t k = 0; k < c->n; k++) {
            if (strcmp(metadata->topics[i].topic, c->checks[k].topic->name) != 0) continue;
            if (metadata->topics[i].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
            c->checks[k].there = true;
            c->checks[k].partitions = metadata->topics[i].partition_cnt;
        }
    rd_kafka_metadata_destroy(metadata);
    return SLUICE_OK;
}

/* ---- making those that are not ---- */

static rd_kafka_NewTopic_t *new_topic(struct checking *c, const struct sluice_internal_topic *topic)
{
    char text[256];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic->name, topic->partitions,
                                                      topic->replication_factor, text, sizeof text);
    if (!made) {
        sluice_err_set(c->err,
                       "%s: topic %s cannot be made: %s; look at %s.storage.topic, "
                       "%s.storage.partitions and %s.storage.replication.factor",
                       c->who, topic->name, text, topic->kind, topic->kind, topic->kind);
        return NULL;
    }
    rd_kafka_NewTopic_set_config(made, "cleanup.policy", "compact");
    for (size_t i = 0; topic->config && i < topic->config->n; i++)
        if (topic->config->items[i].value)
            rd_kafka_NewTopic_set_config(made, topic->config->items[i].key,
                                         topic->config->items[i].value);
    return made;
}

static struct topic_check *check_named(struct checking *c, const char *name)
{
    for (size_t k = 0; k < c->n; k++)
        if (strcmp(c->checks[k].topic->name, name) == 0) return &c->checks[k];
    return NULL;
}

static enum sluice_verdict read_made(struct checking *c, const rd_kafka_topic_result_t *result)
{
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    const char *why = rd_kafka_topic_result_error_string(result);
    struct topic_check *check = check_named(c, rd_kafka_topic_result_name(result));
    if (!check) return SLUICE_OK;
    const struct sluice_internal_topic *topic = check->topic;
    if (!why) why = rd_kafka_err2str(code);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) { /* another worker's, just now */
        c->foreign = true;
        return SLUICE_OK;
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        check->made = true;
        sluice_log(SLUICE_INFO, NULL, -1, "%s: made the %s topic %s", c->who, topic->kind,
                   topic->name);
        return SLUICE_OK;
    }
    if (code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR)
        return sluice_fail(c->err,
                           "%s: the %s topic %s cannot be made with replication factor %d: %s; set "
                           "%s.storage.replication.factor to at most the number of brokers, or to "
                           "-1 for their default",
                           c->who, topic->kind, topic->name, topic->replication_factor, why,
                           topic->kind);
    if (unauthorised(code))
        return sluice_fail(c->err,
                           "%s: the %s topic %s is not there, and this worker may not make it: %s; "
                           "make it with kafka-topics.sh --bootstrap-server %s --create --topic %s "
                           "--partitions %d --config cleanup.policy=compact",
                           c->who, topic->kind, topic->name, why, c->brokers, topic->name,
                           topic->partitions > 0 ? topic->partitions : 1);
    sluice_err_set(c->err, "%s: making the %s topic %s failed: %s", c->who, topic->kind,
                   topic->name, why);
    return passes(code) ? SLUICE_RETRY : SLUICE_FAIL;
}

static enum sluice_verdict request_topics(struct checking *c, rd_kafka_NewTopic_t **wanted,
                                          size_t n)
{
    enum sluice_verdict v = SLUICE_OK;
    size_t results_n = 0;
    rd_kafka_AdminOptions_t *options = options_new(c, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(c->rk, wanted, n, options, c->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = rd_kafka_queue_poll(c->queue, left_ms(c));
    if (!event) return trouble(c, RD_KAFKA_RESP_ERR__TIMED_OUT, "making topics", NULL);
    if (rd_kafka_event_error(event)) {
        v = trouble(c, rd_kafka_event_error(event), "making topics",
                    rd_kafka_event_error_string(event));
    } else {
        const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(event), &results_n);
        for (size_t i = 0; v == SLUICE_OK && i < results_n; i++) v = read_made(c, results[i]);
    }
    rd_kafka_event_destroy(event);
    return v;
}

static enum sluice_verdict make_missing(struct checking *c)
{
    rd_kafka_NewTopic_t *wanted[TOPICS_MAX];
    enum sluice_verdict v = SLUICE_OK;
    size_t n = 0;
    for (size_t k = 0; v == SLUICE_OK && k < c->n; k++) {
        if (c->checks[k].there) continue;
        wanted[n] = new_topic(c, c->checks[k].topic);
        if (wanted[n]) n++;
        else v = SLUICE_FAIL;
    }
    if (v == SLUICE_OK && n > 0) v = request_topics(c, wanted, n);
    rd_kafka_NewTopic_destroy_array(wanted, n);
    return v;
}

/* ---- checks ---- */

static enum sluice_verdict check_partitions(struct checking *c, const struct topic_check *check)
{
    const struct sluice_internal_topic *topic = check->topic;
    if (!topic->single || !check->there || check->partitions == 1) return SLUICE_OK;
    return sluice_fail(
        c->err,
        "%s: the %s topic %s has %d partitions but must have one, as its records need an order. "
        "Set "
        "%s.storage.topic to another name, or, when nothing in it is needed: kafka-topics.sh "
        "--bootstrap-server %s --delete --topic %s (the worker makes it anew)",
        c->who, topic->kind, topic->name, check->partitions, topic->kind, c->brokers, topic->name);
}

static enum sluice_verdict check_policy(struct checking *c,
                                        const struct sluice_internal_topic *topic,
                                        const char *policy)
{
    if (policy && strcmp(policy, "compact") == 0) return SLUICE_OK;
    return sluice_fail(
        c->err,
        "%s: the %s topic %s has cleanup.policy=%s but must have compact and nothing else, or it "
        "loses what the cluster needs. Repair it with: kafka-configs.sh --bootstrap-server %s "
        "--alter --entity-type topics --entity-name %s --add-config cleanup.policy=compact",
        c->who, topic->kind, topic->name, policy ? policy : "(none)", c->brokers, topic->name);
}

static enum sluice_verdict check_config(struct checking *c, const rd_kafka_ConfigResource_t *result,
                                        bool *again)
{
    size_t n = 0;
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(result);
    const char *name = rd_kafka_ConfigResource_name(result);
    const struct topic_check *check = check_named(c, name);
    if (!check) return SLUICE_OK;
    const struct sluice_internal_topic *topic = check->topic;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) { /* not known everywhere yet */
        *again = true;
        return SLUICE_OK;
    }
    if (unauthorised(code)) {
        sluice_log(SLUICE_WARN, NULL, -1,
                   "%s: this worker may not look at the settings of the %s topic %s, so that its "
                   "cleanup.policy is not checked: it must be compact (or allow DescribeConfigs)",
                   c->who, topic->kind, name);
        return SLUICE_OK;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return trouble(c, code, "asking for a topic's settings",
                       rd_kafka_ConfigResource_error_string(result));
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(result, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0)
            return check_policy(c, topic, rd_kafka_ConfigEntry_value(entries[i]));
    return check_policy(c, topic, NULL);
}

static enum sluice_verdict describe(struct checking *c, bool *again)
{
    rd_kafka_ConfigResource_t *resources[TOPICS_MAX];
    enum sluice_verdict v = SLUICE_OK;
    size_t n = 0;
    *again = false;
    for (size_t k = 0; k < c->n; k++)
        resources[k] =
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, c->checks[k].topic->name);
    rd_kafka_AdminOptions_t *options = options_new(c, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(c->rk, resources, c->n, options, c->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(resources, c->n);
    rd_kafka_event_t *event = rd_kafka_queue_poll(c->queue, left_ms(c));
    if (!event)
        return trouble(c, RD_KAFKA_RESP_ERR__TIMED_OUT, "asking for topics' settings", NULL);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code && !unauthorised(code)) {
        v = trouble(c, code, "asking for topics' settings", rd_kafka_event_error_string(event));
    } else if (!code) {
        const rd_kafka_ConfigResource_t **results = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &n);
        for (size_t i = 0; v == SLUICE_OK && i < n; i++) v = check_config(c, results[i], again);
    }
    rd_kafka_event_destroy(event);
    return v;
}

/* ---- all of it ---- */

/* Not all brokers know at once of what was made. True: it was not for long yet; waits a little. */
static bool again_later(struct checking *c, int64_t give_up)
{
    if (sluice_now_ms() > give_up || sluice_now_ms() > c->deadline)
        return sluice_err_set(c->err, "%s: the brokers at %s do not all know the topics yet",
                              c->who, c->brokers);
    rd_kafka_poll(c->rk, AGAIN_MS);
    return true;
}

static enum sluice_verdict find_foreign(struct checking *c, int64_t give_up)
{
    while (c->foreign) {
        c->foreign = false;
        enum sluice_verdict v = look(c);
        if (v != SLUICE_OK) return v;
        for (size_t k = 0; k < c->n; k++)
            if (!c->checks[k].there && !c->checks[k].made) c->foreign = true;
        if (c->foreign && !again_later(c, give_up)) return SLUICE_RETRY;
    }
    return SLUICE_OK;
}

static enum sluice_verdict ensure(struct checking *c)
{
    int64_t give_up = sluice_now_ms() + AGAIN_LIMIT_MS;
    enum sluice_verdict v = look(c);
    if (v == SLUICE_OK) v = make_missing(c);
    if (v == SLUICE_OK) v = find_foreign(c, give_up);
    for (size_t k = 0; v == SLUICE_OK && k < c->n; k++) v = check_partitions(c, &c->checks[k]);
    for (bool again = true; v == SLUICE_OK && again;) {
        v = describe(c, &again);
        if (v == SLUICE_OK && again && !again_later(c, give_up)) v = SLUICE_RETRY;
    }
    return v;
}

/* Requests to brokers that are away only say that there was no answer. */
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct checking *c = opaque;
    (void)rk;
    sluice_brokers_down(code, reason, c->brokers, *c->down != '\0', c->down, sizeof c->down);
}

enum sluice_verdict sluice_internal_topics_ensure(const struct sluice_map *props, const char *who,
                                                  const struct sluice_internal_topic *topics,
                                                  size_t n, int ms, struct sluice_err *err)
{
    char text[512];
    const char *brokers = sluice_map_get(props, "bootstrap.servers");
    struct checking c = {.who = who, .brokers = brokers ? brokers : "", .n = n, .err = err};
    assert(n > 0 && n <= TOPICS_MAX && ms > 0);
    for (size_t k = 0; k < n; k++) c.checks[k].topic = &topics[k];
    rd_kafka_conf_t *conf = sluice_client_conf(SLUICE_CLIENT_ADMIN, props, who, err);
    if (!conf) return SLUICE_FAIL;
    rd_kafka_conf_set_opaque(conf, &c);
    rd_kafka_conf_set_error_cb(conf, on_error);
    c.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!c.rk) {
        rd_kafka_conf_destroy(conf);
        return sluice_fail(err, "%s: making the admin client failed: %s", who, text);
    }
    c.deadline = sluice_now_ms() + ms;
    c.queue = rd_kafka_queue_new(c.rk);
    enum sluice_verdict v = ensure(&c);
    rd_kafka_queue_destroy(c.queue);
    rd_kafka_destroy(c.rk);
    return v;
}
