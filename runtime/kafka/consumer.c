/* consumer.c - see consumer.h. */
#include "kafka/consumer.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/java_regex.h"
#include "kafka/client.h"
#include "kafka/down.h"

#define METADATA_MS 500 /* the task waits meanwhile */
#define METADATA_RETRY_MS 2000
#define PROBE_MS 1000
#define COMMITS_TIMED 16

struct sluice_consumer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct sluice_rebalance rebalance;
    char *who, *brokers;
    struct sluice_java_regex *regex; /* NULL: fixed topics */
    rd_kafka_topic_partition_list_t *subscribed;
    int64_t next_refresh_ms, refresh_ms, next_probe_ms;
    bool paused;
    bool down;
    bool commit_failed;
    struct sluice_commits commits;
    int64_t sent_us
        [COMMITS_TIMED]; /* of commits without an answer, a ring; they are answered in order */
    uint64_t sent;       /* commits */
    char trouble[512];
};

/* ---- rebalance ---- */

static struct sluice_topic_partition *to_array(const rd_kafka_topic_partition_list_t *list)
{
    assert(list->cnt >= 0);
    struct sluice_topic_partition *out = sluice_xcalloc((size_t)list->cnt + 1, sizeof *out);
    for (int i = 0; i < list->cnt; i++)
        out[i] = (struct sluice_topic_partition){list->elems[i].topic, list->elems[i].partition,
                                                 list->elems[i].offset};
    return out;
}

static void check(struct sluice_consumer *c, const char *what, rd_kafka_error_t *error)
{
    if (!error) return;
    sluice_log(SLUICE_ERROR, NULL, -1, "%s: %s failed: %s", c->who, what,
               rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct sluice_consumer *c = opaque;
    bool cooperative = strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0;
    struct sluice_topic_partition *partitions = to_array(list);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        c->rebalance.assigned(c->rebalance.arg, partitions, (size_t)list->cnt);
        if (cooperative) {
            check(c, "taking partitions", rd_kafka_incremental_assign(rk, list));
        } else if (rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            sluice_log(SLUICE_ERROR, NULL, -1, "%s: taking partitions failed", c->who);
        }
        if (c->paused) rd_kafka_pause_partitions(rk, list);
    } else {
        c->rebalance.revoked(c->rebalance.arg, partitions, (size_t)list->cnt,
                             rd_kafka_assignment_lost(rk));
        if (cooperative)
            check(c, "giving partitions back", rd_kafka_incremental_unassign(rk, list));
        else rd_kafka_assign(rk, NULL);
    }
    free(partitions);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct sluice_consumer *c = opaque;
    (void)rk;
    if (sluice_brokers_down(code, reason, c->brokers, c->down, c->trouble, sizeof c->trouble))
        c->down = true;
}

static void count_answer(struct sluice_consumer *c, bool failed)
{
    if (c->commits.answered == c->sent) return; /* librdkafka's own, on leaving: none of ours */
    assert(c->commits.answered < c->sent);
    bool timed = c->sent - c->commits.answered <= COMMITS_TIMED;
    int64_t since = c->sent_us[c->commits.answered++ % COMMITS_TIMED];
    uint64_t us = timed ? (uint64_t)(sluice_now_us() - since) : 0;
    c->commits.failed += failed;
    c->commits.us += us;
    if (us > c->commits.max_us) c->commits.max_us = us;
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct sluice_consumer *c = opaque;
    (void)rk, (void)list;
    count_answer(c, code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
    sluice_log(SLUICE_WARN, NULL, -1, "%s: committing offsets failed: %s; trying again", c->who,
               rd_kafka_err2str(code));
    c->commit_failed = true;
}

/* ---- subscription ---- */

static bool subscribe(struct sluice_consumer *c, rd_kafka_topic_partition_list_t *topics,
                      struct sluice_err *err)
{
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->rk, topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return sluice_err_set(err, "%s: subscribing failed: %s", c->who, rd_kafka_err2str(code));
    if (c->subscribed) rd_kafka_topic_partition_list_destroy(c->subscribed);
    c->subscribed = rd_kafka_topic_partition_list_copy(topics);
    return true;
}

static bool subscribe_fixed(struct sluice_consumer *c, const char *topics, struct sluice_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (const char *p = topics; *p;) {
        size_t n = strcspn(p, ","), lead = strspn(p, " \t");
        size_t len = n;
        while (len > lead && (p[len - 1] == ' ' || p[len - 1] == '\t')) len--;
        if (len > lead) {
            char *name = sluice_xstrndup(p + lead, len - lead);
            rd_kafka_topic_partition_list_add(list, name, RD_KAFKA_PARTITION_UA);
            free(name);
        }
        p += n + (p[n] == ',');
    }
    bool ok = subscribe(c, list, err);
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

/* Java's consumer matches its pattern against all topics whenever the metadata is refreshed. */
static void refresh_regex(struct sluice_consumer *c)
{
    const struct rd_kafka_metadata *metadata;
    struct sluice_err err = {{0}};
    rd_kafka_resp_err_t code = rd_kafka_metadata(c->rk, 1, NULL, &metadata, METADATA_MS);
    c->next_refresh_ms = sluice_now_ms() + METADATA_RETRY_MS;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return; /* on_error has said so */
    c->next_refresh_ms = sluice_now_ms() + c->refresh_ms;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const char *topic = metadata->topics[i].topic;
        if (sluice_java_regex_matches(c->regex, topic, strlen(topic), &err) == SLUICE_MATCH_YES &&
            strcmp(topic, "__consumer_offsets") != 0)
            rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_metadata_destroy(metadata);
    bool same = c->subscribed && c->subscribed->cnt == list->cnt;
    for (int i = 0; same && i < list->cnt; i++)
        same = rd_kafka_topic_partition_list_find(c->subscribed, list->elems[i].topic,
                                                  RD_KAFKA_PARTITION_UA) != NULL;
    if (!same && list->cnt > 0 && !subscribe(c, list, &err))
        sluice_log(SLUICE_WARN, NULL, -1, "%s", err.msg);
    rd_kafka_topic_partition_list_destroy(list);
}

static bool compile_regex(struct sluice_consumer *c, const char *regex, struct sluice_err *err)
{
    c->regex = sluice_java_regex_new(regex, 0, err);
    if (c->regex) return true;
    return sluice_err_wrap(err, "%s: topics.regex %s is not a regular expression", c->who, regex);
}

/* ---- life ---- */

static bool make_client(struct sluice_consumer *c, const struct sluice_map *props, int wake_fd,
                        struct sluice_err *err)
{
    static const uint64_t one = 1;
    char text[512];
    rd_kafka_conf_t *conf = sluice_client_conf(SLUICE_CLIENT_CONSUMER, props, c->who, err);
    if (!conf) return false;
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    c->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!c->rk) {
        rd_kafka_conf_destroy(conf);
        return sluice_err_set(err, "%s: making the consumer failed: %s", c->who, text);
    }
    rd_kafka_poll_set_consumer(c->rk);
    c->queue = rd_kafka_queue_get_consumer(c->rk);
    if (wake_fd >= 0) rd_kafka_queue_io_event_enable(c->queue, wake_fd, &one, sizeof one);
    return true;
}

struct sluice_consumer *sluice_consumer_new(const struct sluice_map *props, const char *who,
                                            const char *topics, const char *regex,
                                            const struct sluice_rebalance *rebalance, int wake_fd,
                                            struct sluice_err *err)
{
    struct sluice_consumer *c = sluice_xcalloc(1, sizeof *c);
    const char *brokers = sluice_map_get(props, "bootstrap.servers");
    const char *age = sluice_map_get(props, "metadata.max.age.ms");
    c->who = sluice_xstrdup(who);
    c->brokers = sluice_xstrdup(brokers ? brokers : "");
    c->rebalance = *rebalance;
    c->refresh_ms = age ? strtoll(age, NULL, 10) : 300000;
    assert(topics || regex);
    bool ok = (!regex || compile_regex(c, regex, err)) && make_client(c, props, wake_fd, err) &&
              (regex || subscribe_fixed(c, topics, err));
    if (ok) return c;
    sluice_consumer_close(c);
    return NULL;
}

void sluice_consumer_close(struct sluice_consumer *c)
{
    if (!c) return;
    if (c->queue) {
        rd_kafka_queue_io_event_enable(c->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(c->queue);
    }
    if (c->rk) {
        rd_kafka_consumer_close(c->rk);
        rd_kafka_destroy(c->rk);
    }
    if (c->subscribed) rd_kafka_topic_partition_list_destroy(c->subscribed);
    sluice_java_regex_free(c->regex);
    free(c->who);
    free(c->brokers);
    free(c);
}

/* ---- consuming ---- */

static enum sluice_next on_message_error(struct sluice_consumer *c, rd_kafka_message_t *message,
                                         struct sluice_err *err)
{
    rd_kafka_resp_err_t code = message->err;
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "?";
    enum sluice_next next = SLUICE_NEXT_NONE;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR__FATAL) {
        sluice_err_set(err, "%s: reading topic %s: %s", c->who, topic,
                       rd_kafka_message_errstr(message));
        next = SLUICE_NEXT_FAILED;
    } else {
        sluice_log(SLUICE_WARN, NULL, -1, "%s: topic %s: %s", c->who, topic,
                   rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
    return next;
}

/* librdkafka tells of lost brokers but not of found ones. */
static void probe(struct sluice_consumer *c)
{
    const struct rd_kafka_metadata *metadata;
    if (sluice_now_ms() < c->next_probe_ms) return;
    if (rd_kafka_metadata(c->rk, 0, NULL, &metadata, 200) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        c->down = false;
    }
    c->next_probe_ms = sluice_now_ms() + PROBE_MS;
}

void sluice_consumed_read(struct rd_kafka_message_s *m, struct sluice_consumed *out)
{
    rd_kafka_timestamp_type_t type;
    assert(m->rkt && !m->err);
    out->topic = rd_kafka_topic_name(m->rkt);
    out->partition = m->partition;
    out->offset = m->offset;
    out->timestamp_ms = rd_kafka_message_timestamp(m, &type);
    out->append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) out->timestamp_ms = SLUICE_NO_TIMESTAMP;
    out->key = m->key;
    out->key_len = m->key_len;
    out->value = m->payload;
    out->value_len = m->len;
    out->handle = m;
}

enum sluice_next sluice_consumer_next(struct sluice_consumer *c, int wait_ms,
                                      struct sluice_consumed *out, struct sluice_err *err)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(c->rk, wait_ms);
    if (!m) {
        if (c->down) probe(c);
        if (c->regex && sluice_now_ms() >= c->next_refresh_ms) refresh_regex(c);
        return SLUICE_NEXT_NONE;
    }
    if (m->err) return on_message_error(c, m, err);
    c->down = false;
    sluice_consumed_read(m, out);
    return SLUICE_NEXT_MESSAGE;
}

bool sluice_consumed_header(struct rd_kafka_message_s *handle, size_t i, const char **key,
                            const void **data, size_t *len)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(handle, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    return rd_kafka_header_get_all(headers, i, key, data, len) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void sluice_consumed_free(struct rd_kafka_message_s *handle)
{
    if (handle) rd_kafka_message_destroy(handle);
}

bool sluice_consumer_commit(struct sluice_consumer *c, const struct sluice_topic_partition *offsets,
                            size_t n, bool wait, struct sluice_err *err)
{
    if (n == 0) return true;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset =
            offsets[i].offset;
    assert(c->commits.answered <= c->sent);
    c->sent_us[c->sent++ % COMMITS_TIMED] = sluice_now_us();
    rd_kafka_resp_err_t code = rd_kafka_commit(c->rk, list, !wait);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET) return true;
    count_answer(c, true);
    c->commit_failed = true;
    return sluice_err_set(err, "%s: committing offsets failed: %s", c->who, rd_kafka_err2str(code));
}

void sluice_consumer_commits(const struct sluice_consumer *c, struct sluice_commits *out)
{
    *out = c->commits;
}

bool sluice_consumer_commit_failed(struct sluice_consumer *c)
{
    bool failed = c->commit_failed;
    c->commit_failed = false;
    return failed;
}

void sluice_consumer_pause(struct sluice_consumer *c, bool pause)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (c->paused == pause) return;
    c->paused = pause;
    if (rd_kafka_assignment(c->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (pause) rd_kafka_pause_partitions(c->rk, list);
    else rd_kafka_resume_partitions(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

uint64_t sluice_consumer_lag(struct sluice_consumer *c, const struct sluice_topic_partition *next,
                             size_t n)
{
    uint64_t lag = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t low, high;
        if (next[i].offset < 0) continue;
        if (rd_kafka_get_watermark_offsets(c->rk, next[i].topic, next[i].partition, &low, &high) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        if (high > next[i].offset) lag += (uint64_t)(high - next[i].offset);
    }
    return lag;
}

bool sluice_consumer_down(struct sluice_consumer *c, char text[512])
{
    if (c->down) memcpy(text, c->trouble, sizeof c->trouble);
    return c->down;
}
