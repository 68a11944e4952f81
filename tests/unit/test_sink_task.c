/* Sink tasks against a consumer group in memory that rebalances, loses partitions, delivers after a
 * pause and fails commits, and a sink that says RETRY, rejects, and finishes records in any order:
 * whatever happens, an offset is committed only when everything before it is durable, each
 * assignment begins at what was committed, leaves nothing out, and all gets through in the end. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "harness.h"
#include "kafka/consumer.h"
#include "plugin/registry.h"
#include "sluice/plugin.h"
#include "worker/task.h"
#include "worker/worker.h"

#define PARTITIONS 3
#define RECORDS 150 /* of each partition */

struct rd_kafka_message_s {
    int32_t partition;
    int64_t offset;
};

struct pending {
    uint64_t seq;
    int32_t partition;
    int64_t offset;
};

/* All but the atomics is the task's thread's while a task runs, and the test's otherwise. */
static struct {
    uint32_t seed, random;
    _Atomic int64_t committed[PARTITIONS];
    bool assigned[PARTITIONS], durable[PARTITIONS][RECORDS];
    int64_t position[PARTITIONS]; /* what the consumer gives next */
    int64_t expected[PARTITIONS]; /* what put() has to get next */
    struct pending pending[PARTITIONS * RECORDS];
    size_t pending_n;
    int rebalances; /* so many more */
    bool paused, commit_failed;
    int late;     /* so many more messages come in spite of the pause */
    int messages; /* given and not freed */
    struct sluice_rebalance rebalance;
    struct sluice_commits commits;
    struct sluice_task *task;
    const struct sluice_host *host;
    _Atomic bool put_fails;
    _Atomic int polls; /* of the consumer */
} side;

/* One of n. */
static uint32_t any(uint32_t n)
{
    side.random ^= side.random << 13;
    side.random ^= side.random >> 17;
    side.random ^= side.random << 5;
    return side.random % n;
}

#define MUST(condition, partition, offset)                                                         \
    ((condition) ? (void)0                                                                         \
                 : FAIL("seed %u, partition %d, offset %lld: %s", side.seed, (int)(partition),     \
                        (long long)(offset), #condition))

/* ---- kafka/consumer.h ---- */

struct sluice_consumer {
    int dummy;
};
static struct sluice_consumer consumer;

struct sluice_consumer *sluice_consumer_new(const struct sluice_map *props, const char *who,
                                            const char *topics, const char *regex,
                                            const struct sluice_rebalance *rebalance, int wake_fd,
                                            struct sluice_err *err)
{
    (void)props, (void)who, (void)regex, (void)wake_fd, (void)err;
    CHECK_STR(topics, "t");
    side.rebalance = *rebalance;
    side.paused = side.commit_failed = false;
    memset(side.assigned, 0, sizeof side.assigned);
    return &consumer;
}

static void take_away(int32_t p, bool lost)
{
    const struct sluice_topic_partition one = {"t", p, -1};
    if (lost) side.assigned[p] = false;
    side.rebalance.revoked(side.rebalance.arg, &one, 1, lost);
    side.assigned[p] = false;
}

static void hand_over(int32_t p)
{
    const struct sluice_topic_partition one = {"t", p, -1};
    side.assigned[p] = true;
    side.position[p] = side.expected[p] = side.committed[p];
    side.rebalance.assigned(side.rebalance.arg, &one, 1);
}

void sluice_consumer_close(struct sluice_consumer *c)
{
    if (!c) return;
    for (int32_t p = 0; p < PARTITIONS; p++)
        if (side.assigned[p]) take_away(p, false);
}

static void rebalance(void)
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        if (side.assigned[p] && side.rebalances > 0 && any(side.paused ? 8 : 30) == 0) {
            side.rebalances--;
            take_away(p, any(2));
            if (any(2)) hand_over(p);
        } else if (!side.assigned[p] && any(4) == 0) {
            hand_over(p);
        }
    }
}

enum sluice_next sluice_consumer_next(struct sluice_consumer *c, int wait_ms,
                                      struct sluice_consumed *out, struct sluice_err *err)
{
    (void)c, (void)wait_ms, (void)err;
    side.polls++;
    rebalance();
    int32_t p = (int32_t)any(PARTITIONS);
    if (!side.assigned[p] || side.position[p] == RECORDS) return SLUICE_NEXT_NONE;
    if (side.paused && (side.late == 0 || any(2))) return SLUICE_NEXT_NONE;
    if (side.paused) side.late--;
    struct rd_kafka_message_s *message = sluice_xmalloc(sizeof *message);
    *message = (struct rd_kafka_message_s){p, side.position[p]++};
    side.messages++;
    sluice_consumed_read(message, out);
    return SLUICE_NEXT_MESSAGE;
}

void sluice_consumed_read(struct rd_kafka_message_s *handle, struct sluice_consumed *out)
{
    *out = (struct sluice_consumed){.topic = "t",
                                    .partition = handle->partition,
                                    .offset = handle->offset,
                                    .timestamp_ms = 1,
                                    .value = "v",
                                    .value_len = 1,
                                    .handle = handle};
}

bool sluice_consumed_header(struct rd_kafka_message_s *handle, size_t i, const char **key,
                            const void **data, size_t *len)
{
    (void)handle, (void)i, (void)key, (void)data, (void)len;
    return false;
}

void sluice_consumed_free(struct rd_kafka_message_s *handle)
{
    side.messages--;
    free(handle);
}

bool sluice_consumer_commit(struct sluice_consumer *c, const struct sluice_topic_partition *offsets,
                            size_t n, bool wait, struct sluice_err *err)
{
    (void)c;
    bool fails = any(8) == 0;
    for (size_t i = 0; i < n; i++) {
        int32_t p = offsets[i].partition;
        int64_t offset = offsets[i].offset;
        MUST(side.assigned[p], p, offset);
        MUST(offset >= side.committed[p] && offset <= RECORDS, p, offset);
        for (int64_t o = 0; o < offset; o++) MUST(side.durable[p][o], p, o);
        if (!fails) side.committed[p] = offset;
    }
    side.commits.answered++;
    side.commits.failed += fails;
    if (!fails) return true;
    if (!wait) side.commit_failed = true;
    return !wait || sluice_err_set(err, "the coordinator is away");
}

void sluice_consumer_commits(const struct sluice_consumer *c, struct sluice_commits *out)
{
    (void)c;
    *out = side.commits;
}

bool sluice_consumer_commit_failed(struct sluice_consumer *c)
{
    (void)c;
    bool failed = side.commit_failed;
    side.commit_failed = false;
    return failed;
}

void sluice_consumer_pause(struct sluice_consumer *c, bool pause)
{
    (void)c;
    if (pause && !side.paused) side.late = (int)any(3);
    side.paused = pause;
}

uint64_t sluice_consumer_lag(struct sluice_consumer *c, const struct sluice_topic_partition *next,
                             size_t n)
{
    (void)c, (void)next, (void)n;
    return 0;
}

bool sluice_consumer_down(struct sluice_consumer *c, char text[512])
{
    (void)c, (void)text;
    return false;
}

/* ---- the sink ---- */

static enum sluice_verdict sink_open(struct sluice_task *task, const struct sluice_host *host,
                                     const struct sluice_conf *conf, void **self,
                                     struct sluice_err *err)
{
    (void)conf, (void)err;
    side.task = task;
    side.host = host;
    side.pending_n = 0;
    *self = &side;
    return SLUICE_OK;
}

static void sink_close(void *self) { (void)self; }

static enum sluice_verdict sink_put(void *self, const struct sluice_record *records, size_t n,
                                    struct sluice_err *err)
{
    (void)self;
    if (side.put_fails) {
        snprintf(err->msg, sizeof err->msg, "the disk is gone");
        return SLUICE_FAIL;
    }
    bool retry = any(5) == 0;
    int64_t next[PARTITIONS];
    memcpy(next, side.expected, sizeof next);
    for (size_t i = 0; i < n; i++) {
        int32_t p = records[i].origin_partition;
        MUST(side.assigned[p], p, records[i].offset);
        MUST(records[i].offset == next[p], p, records[i].offset);
        next[p]++;
        if (retry) continue;
        side.pending[side.pending_n++] = (struct pending){records[i].seq, p, records[i].offset};
    }
    if (retry) return SLUICE_RETRY;
    memcpy(side.expected, next, sizeof next);
    return SLUICE_OK;
}

/* Finishes one of those that are pending, or rejects it. */
static void finish_any(void)
{
    struct sluice_err err;
    size_t i = any((uint32_t)side.pending_n);
    struct pending one = side.pending[i];
    side.pending[i] = side.pending[--side.pending_n];
    side.durable[one.partition][one.offset] = true;
    if (any(30)) side.host->done(side.task, &one.seq, 1);
    else CHECK_INT(side.host->reject(side.task, one.seq, "bad row", &err), SLUICE_OK);
}

static enum sluice_verdict sink_work(void *self, int wait_ms, struct sluice_err *err)
{
    (void)self, (void)wait_ms, (void)err;
    if (side.pending_n == 0) usleep(50);
    for (size_t n = any((uint32_t)side.pending_n + 1); n > 0; n--) finish_any();
    return SLUICE_OK;
}

static enum sluice_verdict sink_flush(void *self, struct sluice_err *err)
{
    (void)self, (void)err;
    return side.pending_n > 0 ? SLUICE_RETRY : SLUICE_OK;
}

/* Of a sink without work(): all of it is durable, or it is tried again. */
static enum sluice_verdict simple_flush(void *self, struct sluice_err *err)
{
    (void)self, (void)err;
    if (any(3) == 0) return SLUICE_RETRY;
    while (side.pending_n > 0) {
        struct pending *one = &side.pending[--side.pending_n];
        side.durable[one->partition][one->offset] = true;
    }
    return SLUICE_OK;
}

static void sink_drop(void *self, const char *topic, int32_t partition)
{
    (void)self;
    CHECK_STR(topic, "t");
    size_t n = 0;
    for (size_t i = 0; i < side.pending_n; i++)
        if (side.pending[i].partition != partition) side.pending[n++] = side.pending[i];
    side.pending_n = n;
}

static const struct sluice_option no_options[] = {{0}};
static const struct sluice_sink busy = {.size = sizeof busy,
                                        .put = sink_put,
                                        .work = sink_work,
                                        .flush = sink_flush,
                                        .drop = sink_drop};
static const struct sluice_sink simple = {
    .size = sizeof simple, .put = sink_put, .flush = simple_flush, .drop = sink_drop};
static const struct sluice_plugin busy_plugin = {
    SLUICE_PLUGIN_HEAD,    .kind = SLUICE_KIND_SINK, .name = "busy",      .version = "1",
    .options = no_options, .open = sink_open,        .close = sink_close, .sink = &busy};
static const struct sluice_plugin simple_plugin = {
    SLUICE_PLUGIN_HEAD,    .kind = SLUICE_KIND_SINK, .name = "simple",    .version = "1",
    .options = no_options, .open = sink_open,        .close = sink_close, .sink = &simple};

/* ---- tests ---- */

struct bench {
    struct sluice_registry *registry;
    struct sluice_worker *worker;
    struct sluice_map config;
    struct sluice_task *task;
};

static void set_up(struct bench *b, uint32_t seed, const char *window)
{
    struct sluice_map props = {0};
    struct sluice_err err = {{0}};
    memset(b, 0, sizeof *b);
    memset(&side, 0, sizeof side);
    side.seed = seed;
    side.random = seed * 2654435761u + 1;
    side.rebalances = 40;
    b->registry = sluice_registry_new();
    sluice_map_set(&props, "bootstrap.servers", "none:1");
    sluice_map_set(&props, "key.converter", "org.apache.kafka.connect.storage.StringConverter");
    sluice_map_set(&props, "value.converter", "org.apache.kafka.connect.storage.StringConverter");
    sluice_map_set(&props, "offset.storage.file.filename", "/dev/null");
    sluice_map_set(&props, "offset.flush.interval.ms", "2");
    sluice_map_set(&props, "inflight.max.records", window);
    b->worker = sluice_worker_new(&props, b->registry, NULL, NULL, &err);
    sluice_map_fini(&props);
    CHECK_STR(err.msg, "");
    sluice_map_set(&b->config, "name", "c");
    sluice_map_set(&b->config, "connector.class", "busy");
    sluice_map_set(&b->config, "topics", "t");
    sluice_map_set(&b->config, "errors.tolerance", "all");
}

static void start(struct bench *b, const struct sluice_plugin *plugin)
{
    struct sluice_err err = {{0}};
    b->task = sluice_task_start(b->worker, plugin, "c", 0, &b->config, false, NULL, NULL, &err);
    CHECK(b->task);
}

static bool ended(void *task) { return sluice_task_ended(task); }

static void stop(struct bench *b)
{
    sluice_task_stop(b->task);
    CHECK(harness_until(ended, b->task));
    sluice_task_free(b->task);
    CHECK_INT(side.messages, 0); /* all of them were given back */
}

static void tear_down(struct bench *b)
{
    sluice_worker_free(b->worker);
    sluice_registry_free(b->registry);
    sluice_map_fini(&b->config);
}

/* So much is committed, of a task that did not fail. */
static bool is_committed(void *arg)
{
    struct bench *b = ((void **)arg)[0];
    int64_t sum = 0;
    for (int p = 0; p < PARTITIONS; p++) sum += side.committed[p];
    if (sum >= *(int64_t *)((void **)arg)[1]) return true;
    if (!sluice_task_ended(b->task)) return false;
    struct sluice_task_status status;
    sluice_task_status(b->task, &status);
    FAIL("the task failed: %s", status.trace);
}

static void await(struct bench *b, int64_t records)
{
    void *arg[] = {b, &records};
    if (!harness_until(is_committed, arg)) FAIL("%lld records did not come", (long long)records);
}

static bool is_polled(void *polls) { return side.polls >= *(int *)polls; }

/* Pauses the task, while the group goes on rebalancing. */
static void rest(struct bench *b)
{
    sluice_task_pause(b->task, true);
    int polls = side.polls + 20;
    CHECK(harness_until(is_polled, &polls));
    sluice_task_pause(b->task, false);
}

static void run(const struct sluice_plugin *plugin, uint32_t seed, const char *window)
{
    struct bench b;
    set_up(&b, seed, window);
    start(&b, plugin);
    await(&b, PARTITIONS * RECORDS / 4);
    for (int i = 0; i < 3; i++) rest(&b);
    await(&b, PARTITIONS * RECORDS / 2);
    stop(&b); /* amid it all */
    start(&b, plugin);
    await(&b, PARTITIONS * RECORDS);
    stop(&b);
    for (int p = 0; p < PARTITIONS; p++)
        for (int o = 0; o < RECORDS; o++) CHECK(side.durable[p][o]);
    tear_down(&b);
}

TEST(sink_commits_what_is_durable_and_leaves_nothing_out)
{
    for (uint32_t seed = 1; seed <= 30; seed++) run(&busy_plugin, seed, "128");
}

TEST(sink_without_work_commits_what_flush_made_durable)
{
    for (uint32_t seed = 1; seed <= 10; seed++) run(&simple_plugin, seed, "128");
}

TEST(sink_works_with_the_smallest_window_that_may_be_set)
{
    for (uint32_t seed = 1; seed <= 3; seed++) run(&busy_plugin, seed, "16");
    run(&simple_plugin, 4, "16");
}

TEST(sink_that_fails_ends_the_task_and_commits_nothing_of_it)
{
    struct bench b;
    struct sluice_task_status status;
    set_up(&b, 1, "16384");
    side.put_fails = true;
    start(&b, &busy_plugin);
    CHECK(harness_until(ended, b.task));
    sluice_task_status(b.task, &status);
    CHECK_INT(status.state, SLUICE_FAILED);
    CHECK_HAS(status.trace, "stage TASK_PUT");
    CHECK_HAS(status.trace, "the disk is gone");
    sluice_task_free(b.task);
    CHECK_INT(side.messages, 0);
    for (int p = 0; p < PARTITIONS; p++) CHECK_INT(side.committed[p], 0);
    tear_down(&b);
}
