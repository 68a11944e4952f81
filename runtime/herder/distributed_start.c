/* distributed_start.c - from a worker that listens to one that works: internal topics, the logs to
 * their ends, and meanwhile the group.
 *
 * Brokers that do not answer are waited for, as Connect's admin client waits: as long as
 * default.api.timeout.ms says, 60 s without it; /health tells what is tried. Then the worker ends,
 * so that whoever started it sees why.
 * Owner: the herder's thread. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/distributed_impl.h"
#include "herder/leader.h"
#include "kafka/internal_topics.h"

#define ASK_MS 2000 /* one try of what waits for brokers */
#define GIVE_UP_MS 60000

/* One more try? Logs the first failure and the changed ones. */
static bool try_again(struct distributed *herder, const char *what, int64_t deadline_ms,
                      const struct sluice_err *err, char last[512])
{
    if (distributed_closing(herder)) return false;
    if (sluice_now_ms() >= deadline_ms) {
        struct sluice_err fatal = *err;
        sluice_err_wrap(&fatal, "%s took too long (default.api.timeout.ms)", what);
        distributed_fail(herder, &fatal);
        return false;
    }
    if (strncmp(last, err->msg, 511) != 0) {
        snprintf(last, 512, "%.511s", err->msg);
        sluice_log(SLUICE_WARN, NULL, -1, "%s: %s; trying again", what, err->msg);
    }
    distributed_stage(herder, "%s: %s", what, err->msg);
    sluice_wake_clear(&herder->wake);
    sluice_wake_wait(&herder->wake, 100);
    return !distributed_closing(herder);
}

static bool make_topics(struct distributed *herder, int64_t deadline_ms)
{
    const struct sluice_map *props = herder->given.props;
    static const char *const kinds[] = {"config", "offset", "status"};
    const char *names[] = {herder->config_topic, herder->offset_topic, herder->status_topic};
    struct sluice_internal_topic topics[3];
    struct sluice_map settings[3] = {{0}};
    for (int i = 0; i < 3; i++) {
        char key[64];
        sluice_internal_topic_settings(props, kinds[i], &settings[i]);
        snprintf(key, sizeof key, "%s.storage.replication.factor", kinds[i]);
        int factor = (int)sluice_worker_num(herder->worker, key);
        snprintf(key, sizeof key, "%s.storage.partitions", kinds[i]);
        int partitions = i == 0 ? 1 : (int)sluice_worker_num(herder->worker, key);
        topics[i] = (struct sluice_internal_topic){names[i], kinds[i], partitions,
                                                   factor,   i == 0,   &settings[i]};
    }
    static const char what[] = "looking at the internal topics";
    distributed_stage(herder, "%s", what);
    enum sluice_verdict verdict;
    char last[512] = "";
    for (;;) {
        struct sluice_err err = {{0}};
        verdict = sluice_internal_topics_ensure(&herder->client, "internal topics", topics, 3,
                                                ASK_MS, &err);
        if (verdict == SLUICE_FAIL) distributed_fail(herder, &err);
        if (verdict != SLUICE_RETRY || !try_again(herder, what, deadline_ms, &err, last)) break;
    }
    for (int i = 0; i < 3; i++) sluice_map_fini(&settings[i]);
    return verdict == SLUICE_OK;
}

static void group_changed(void *arg)
{
    struct distributed *herder = arg;
    distributed_changed(herder);
    leader_wake(herder->leader, true);
}

static bool join(struct distributed *herder, struct sluice_err *err)
{
    struct sluice_worker *worker = herder->worker;
    const char *instance = sluice_map_get(herder->given.props, "group.instance.id");
    struct sluice_group_config config = {
        .props = &herder->client,
        .group_id = herder->group_id,
        .topic = herder->config_topic,
        .url = herder->url,
        .instance_id = instance && *instance ? instance : NULL,
        .session_timeout_ms = sluice_worker_num(worker, "session.timeout.ms"),
        .heartbeat_interval_ms = sluice_worker_num(worker, "heartbeat.interval.ms"),
        .rebalance_timeout_ms = sluice_worker_num(worker, "rebalance.timeout.ms"),
        .changed = group_changed,
        .arg = herder};
    herder->group = sluice_group_new(&config, err);
    if (herder->group) sluice_worker_set_lease(worker, sluice_group_lease(herder->group));
    return herder->group != NULL;
}

static bool open_logs(struct distributed *herder, struct sluice_err *err)
{
    const struct sluice_log_topic topics[] = {
        {herder->config_topic, sluice_config_log_record, herder->configs},
        {herder->offset_topic, sluice_offset_topic_record, herder->given.offsets},
        {herder->status_topic, sluice_status_log_record, herder->statuses}};
    herder->reader = sluice_log_reader_new(&herder->client, "internal topics", topics, 3, err);
    if (herder->reader) sluice_offset_topic_reader(herder->given.offsets, herder->reader);
    return herder->reader != NULL;
}

/* Not the offsets: the transaction that a killed task left open would hide their end until the
 * task that comes after it has fenced it, which needs a worker that has started. Every task reads
 * them to their end before it begins, and so does every request for them. */
static bool read_logs(struct distributed *herder, int64_t deadline_ms)
{
    const char *const topics[] = {herder->config_topic, herder->status_topic};
    size_t done = 0;
    static const char what[] = "reading the internal topics to their ends";
    distributed_stage(herder, "%s", what);
    char last[512] = "";
    for (;;) {
        struct sluice_err err = {{0}};
        enum sluice_verdict verdict =
            sluice_log_reader_catch_up(herder->reader, topics[done], ASK_MS, &err);
        if (verdict == SLUICE_OK && ++done == sizeof topics / sizeof *topics) return true;
        if (verdict == SLUICE_OK) continue;
        if (verdict == SLUICE_FAIL) distributed_fail(herder, &err);
        if (verdict == SLUICE_FAIL || !try_again(herder, what, deadline_ms, &err, last))
            return false;
    }
}

bool distributed_begin(struct distributed *herder)
{
    struct sluice_err err = {{0}};
    const char *given = sluice_map_get(herder->given.props, "default.api.timeout.ms");
    long long ms = given ? strtoll(given, NULL, 10) : 0;
    int64_t deadline_ms = sluice_now_ms() + (ms > 0 ? ms : GIVE_UP_MS);
    if (!make_topics(herder, deadline_ms)) return false;
    if (!open_logs(herder, &err) || !join(herder, &err)) {
        distributed_fail(herder, &err);
        return false;
    }
    sluice_log_writer_meet(herder->given.writer, herder->status_topic, ASK_MS);
    sluice_log_writer_meet(herder->given.writer, herder->offset_topic, ASK_MS);
    if (!read_logs(herder, deadline_ms)) return false;
    if (!leader_start(herder->leader, &err)) {
        distributed_fail(herder, &err);
        return false;
    }
    sluice_lock(&herder->lock);
    herder->started = true;
    pthread_cond_broadcast(&herder->changed);
    sluice_unlock(&herder->lock);
    distributed_stage(herder, "joining group %s", herder->group_id);
    sluice_log(SLUICE_INFO, NULL, -1, "internal topics read group=%s url=%s", herder->group_id,
               herder->url);
    return true;
}
