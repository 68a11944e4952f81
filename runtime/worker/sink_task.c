/* sink_task.c - a sink's loop: consume -> convert -> transforms -> put -> done -> prefix -> commit.
 *
 * Every consumed record holds a place in the window from before put() until it is durable; the
 * prefix of each topic partition is all that is ever committed, and committing waits for nothing.
 * With a dead-letter topic the messages are kept as consumed until then. A put() that says RETRY
 * comes again with the same records; meanwhile the consumer is still polled, paused, so that the
 * group does not think us dead. Owner: the task's thread; the rebalance callbacks run on it, inside
 * sluice_consumer_next(). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client.h"
#include "worker/dead_letter.h"
#include "worker/sink_run.h"
#include "worker/tolerance.h"
#include "worker/topic_use.h"

#define WORK_WAIT_MS 500
#define ALIVE_MS 3000 /* a task that takes no records polls its consumer this often, paused */
#define LAG_MS 1000
#define DRAIN_SLICE_MS 50

/* ---- what the plugin reports ---- */

void sluice_sink_done(struct sluice_task *task, const uint64_t *seqs, size_t n)
{
    size_t finished = 0;
    for (size_t i = 0; i < n; i++) {
        struct sluice_slot *slot = sluice_window_find(task->window, seqs[i]);
        if (!slot) continue;
        sluice_slot_finish(slot, 0, false);
        finished++;
    }
    sluice_count(&task->count.written, finished);
}

/* flush() said that all that put() took is durable. */
static void finish_taken(struct sluice_sink_run *run)
{
    sluice_count(&run->task->count.written,
                 sluice_window_finish_before(run->task->window, run->taken));
}

/* One record that cannot be delivered: letter, log, and errors.tolerance's word. */
static enum sluice_verdict tolerate(struct sluice_sink_run *run, struct sluice_slot *slot,
                                    const struct sluice_consumed *message,
                                    const struct sluice_failure *failure, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    char where[512];
    snprintf(where, sizeof where,
             ", where consumed record is {topic='%s', partition=%d, offset=%lld, timestamp=%lld, "
             "timestampType=%s}",
             message->topic, message->partition, (long long)message->offset,
             (long long)message->timestamp_ms,
             message->append_time ? "LogAppendTime" : "CreateTime");
    sluice_tolerance_record(task, failure, where);
    if (run->letter) {
        /* A record that ends the task is written too, and yet is the first to come again. */
        if (!sluice_dead_letter_send(run->letter, message, failure,
                                     task->errors.tolerate ? slot : NULL, err))
            return SLUICE_FAIL;
    } else if (task->errors.tolerate) {
        sluice_slot_finish(slot, 0, false);
    }
    if (task->errors.tolerate) {
        sluice_count(&task->count.skipped, 1);
        return SLUICE_OK;
    }
    sluice_err_set(err,
                   "record %s-%d@%lld failed in stage %s (%s): %s. With errors.tolerance=all such "
                   "records are skipped, and kept in errors.deadletterqueue.topic.name",
                   message->topic, message->partition, (long long)message->offset, failure->stage,
                   failure->class, failure->err.msg);
    return SLUICE_FAIL;
}

enum sluice_verdict sluice_sink_reject(struct sluice_task *task, uint64_t seq, const char *why,
                                       struct sluice_err *err)
{
    struct sluice_sink_run *run = task->sink;
    struct sluice_slot *slot = sluice_window_find(task->window, seq);
    if (!slot) return SLUICE_OK; /* its partition was lost meanwhile */
    assert(sluice_slot_partition(slot) < run->n);
    const struct sink_partition *p = &run->partitions[sluice_slot_partition(slot)];
    struct sluice_consumed message = {.topic = p->topic,
                                      .partition = p->partition,
                                      .offset = sluice_slot_offset(slot),
                                      .timestamp_ms = SLUICE_NO_TIMESTAMP};
    if (sluice_slot_item(slot)) sluice_consumed_read(sluice_slot_item(slot), &message);
    struct sluice_failure failure = {.stage = "TASK_PUT",
                                     .class = "org.apache.kafka.connect.sink.SinkTask",
                                     .exception =
                                         "org.apache.kafka.connect.errors.ConnectException"};
    snprintf(failure.err.msg, sizeof failure.err.msg, "%s", why);
    return tolerate(run, slot, &message, &failure, err);
}

/* ---- windows, commits ---- */

static void release(void *arg, void *item)
{
    struct sluice_sink_run *run = arg;
    if (item == run->hand.handle) run->hand.released = true; /* take() frees it */
    else sluice_consumed_free(item);
}

static enum sluice_verdict collect(struct sluice_sink_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    char text[512];
    uint64_t seq;
    int code;
    sluice_window_advance(task->window, release, run);
    if ((code = sluice_window_failed(task->window, &seq)) != 0) {
        sluice_count(&task->count.dead_letter_failures, 1);
        sluice_err_set(err, "writing to dead-letter topic %s failed: %s",
                       task->errors.dead_letter_topic, sluice_kafka_error(code));
        return SLUICE_FAIL;
    }
    atomic_store_explicit(&task->count.in_flight, sluice_window_count(task->window),
                          memory_order_relaxed);
    struct sluice_commits commits;
    sluice_consumer_commits(run->consumer, &commits);
    atomic_store(&task->count.commits, commits.answered - commits.failed);
    atomic_store(&task->count.commit_failures, commits.failed);
    atomic_store(&task->count.commit_us, commits.us);
    atomic_store(&task->count.commit_max_us, commits.max_us);
    bool down = sluice_consumer_down(run->consumer, text);
    sluice_task_kafka(task, down, text);
    return SLUICE_OK;
}

/* Commits the prefixes that moved. */
static void commit(struct sluice_sink_run *run, bool wait)
{
    struct sluice_task *task = run->task;
    struct sluice_err err;
    struct sluice_prefix prefix;
    size_t n = 0;
    if (!sluice_task_may_work(task)) {
        sluice_count(&task->count.commit_skips, 1);
        return;
    }
    struct sluice_topic_partition *offsets = sluice_xcalloc(run->n + 1, sizeof *offsets);
    bool again = sluice_consumer_commit_failed(run->consumer);
    run->commit_due_ms = sluice_now_ms() + run->commit_every_ms;
    for (uint32_t i = 0; i < run->n; i++) {
        if (!run->partitions[i].assigned) continue;
        if (again) sluice_window_uncommitted(task->window, i);
        sluice_window_prefix(task->window, i, &prefix);
        if (!prefix.moved) continue;
        assert(n < run->n && prefix.offset >= 0);
        offsets[n++] = (struct sluice_topic_partition){
            run->partitions[i].topic, run->partitions[i].partition, prefix.offset + 1};
        sluice_window_committed(task->window, i);
    }
    if (n > 0 && !sluice_consumer_commit(run->consumer, offsets, n, wait, &err))
        sluice_log(SLUICE_WARN, task->connector, task->id, "%s", err.msg);
    free(offsets);
}

static void measure_lag(struct sluice_sink_run *run, int64_t now)
{
    if (now < run->lag_due_ms) return;
    run->lag_due_ms = now + LAG_MS;
    struct sluice_topic_partition *next = sluice_xcalloc(run->n + 1, sizeof *next);
    size_t n = 0;
    for (size_t i = 0; i < run->n; i++)
        if (run->partitions[i].assigned && run->partitions[i].next_offset >= 0)
            next[n++] = (struct sluice_topic_partition){run->partitions[i].topic,
                                                        run->partitions[i].partition,
                                                        run->partitions[i].next_offset};
    uint64_t lag =
        sluice_consumer_lag(run->consumer, next, n) + sluice_window_count(run->task->window);
    atomic_store(&run->task->count.lag, lag);
    free(next);
}

/* ---- rebalance ---- */

static uint32_t partition_at(struct sluice_sink_run *run, const char *topic, int32_t partition)
{
    struct sink_partition *p;
    if (run->last < run->n) {
        p = &run->partitions[run->last];
        if (p->partition == partition && strcmp(p->topic, topic) == 0) return run->last;
    }
    for (run->last = 0; run->last < run->n; run->last++) {
        p = &run->partitions[run->last];
        if (p->partition == partition && strcmp(p->topic, topic) == 0) return run->last;
    }
    run->partitions = sluice_xgrow(run->partitions, run->n, &run->cap, sizeof *run->partitions);
    run->partitions[run->n] = (struct sink_partition){
        .topic = sluice_xstrdup(topic), .partition = partition, .next_offset = -1};
    return (uint32_t)run->n++;
}

static void on_assigned(void *arg, const struct sluice_topic_partition *list, size_t n)
{
    struct sluice_sink_run *run = arg;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = partition_at(run, list[i].topic, list[i].partition); /* may move them */
        if (!run->partitions[at].assigned) sluice_count(&run->task->count.partitions, 1);
        run->partitions[at].assigned = true;
        run->partitions[at].next_offset = -1;
    }
    sluice_log(SLUICE_INFO, run->task->connector, run->task->id, "took %zu partitions", n);
}

/* Whether everything that was put is finished. What is consumed but not put yet does not count. */
static bool drained(const struct sluice_sink_run *run)
{
    return sluice_window_count(run->task->window) <= run->batch.n;
}

/* Lets the sink finish what it has taken, at most until the deadline. */
static enum sluice_verdict drain(struct sluice_sink_run *run, int64_t until, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    const struct sluice_sink *sink = task->plugin->sink;
    enum sluice_verdict v;
    do {
        if (!sluice_task_may_work(task)) return SLUICE_RETRY;
        v = sink->flush(task->self, err);
        if (v == SLUICE_OK) finish_taken(run);
        if (v == SLUICE_RETRY && sink->work &&
            sink->work(task->self, DRAIN_SLICE_MS, err) == SLUICE_FAIL)
            v = SLUICE_FAIL;
        sluice_wake_clear(task->wake);
        if (v != SLUICE_FAIL) {
            v = collect(run, err);
            if (v == SLUICE_OK && !drained(run)) v = SLUICE_RETRY; /* letters under way */
        }
        if (v == SLUICE_RETRY && !sink->work) sluice_window_wait(task->window, DRAIN_SLICE_MS);
    } while (v == SLUICE_RETRY && sluice_now_ms() < until);
    return v;
}

/* What came of it in spite of a pause: whoever has the partition next begins at what was committed,
 * and that may be this task again. */
static void forget_held(struct sluice_sink_run *run, const struct sluice_topic_partition *gone)
{
    size_t n = 0;
    for (size_t i = 0; i < run->held_n; i++) {
        const struct sluice_consumed *held = &run->held[i];
        if (held->partition == gone->partition && strcmp(held->topic, gone->topic) == 0)
            sluice_consumed_free(held->handle);
        else run->held[n++] = *held;
    }
    run->held_n = n;
}

static void on_revoked(void *arg, const struct sluice_topic_partition *list, size_t n, bool lost)
{
    struct sluice_sink_run *run = arg;
    struct sluice_task *task = run->task;
    struct sluice_err err = {{0}};
    if (!lost && !run->closing) {
        if (drain(run, sluice_now_ms() + run->drain_ms, &err) == SLUICE_FAIL)
            sluice_log(SLUICE_WARN, task->connector, task->id,
                       "finishing records before giving partitions back failed: %s", err.msg);
        commit(run, true);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t at = partition_at(run, list[i].topic, list[i].partition);
        if (task->plugin->sink->drop)
            task->plugin->sink->drop(task->self, list[i].topic, list[i].partition);
        sluice_window_drop(task->window, at);
        forget_held(run, &list[i]);
        if (run->partitions[at].assigned) {
            uint64_t before = atomic_fetch_sub(&task->count.partitions, 1);
            assert(before > 0);
        }
        run->partitions[at].assigned = false;
    }
    run->revoked = true;
    sluice_log(SLUICE_INFO, task->connector, task->id, "%s %zu partitions",
               lost ? "lost" : "gave back", n);
}

/* ---- taking records ---- */

static enum sluice_verdict tried(struct sluice_sink_run *run, struct sluice_consumed *message,
                                 struct sluice_record *rec, struct sluice_failure *failure)
{
    struct sluice_pipeline *pipe = &run->task->pipe;
    if (!sluice_pipeline_decode(pipe, &run->batch, message, rec, failure)) return SLUICE_FAIL;
    return sluice_pipeline_transform(pipe, &run->batch, rec, failure);
}

/* A message into the batch; a failure of its own is dealt with here. FAIL ends the task; RETRY: it
 * is stopped, and the record comes again. */
static enum sluice_verdict take(struct sluice_sink_run *run, struct sluice_consumed *message,
                                struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_failure failure = {0};
    uint32_t at = partition_at(run, message->topic, message->partition);
    size_t bytes = message->key_len + message->value_len;
    bool keep = run->letter != NULL;
    assert(!run->hand.handle && !run->hand.released); /* one at a time */
    assert(keep || run->handles_n < run->max_records + SINK_HELD_MAX);
    struct sluice_slot *slot = sluice_window_enter(task->window, at, bytes, NULL, 0,
                                                   message->offset, keep ? message->handle : NULL);
    run->partitions[at].next_offset = message->offset + 1;
    if (!keep) run->handles[run->handles_n++] = message->handle; /* until the batch is put */
    sluice_topic_use(task, &run->partitions[at].told, message->topic);
    sluice_count(&task->count.polled, 1);
    sluice_count(&task->count.bytes, bytes);
    struct sluice_record *rec = sluice_batch_append(&run->batch);
    rec->seq = sluice_slot_seq(slot);
    run->hand.handle = message->handle;
    run->hand.seq = rec->seq;
    run->hand.served = SLUICE_OK;
    run->hand.err = err;
    enum sluice_verdict v = tried(run, message, rec, &failure);
    slot = sluice_window_find(task->window, run->hand.seq); /* may be gone after a wait */
    sluice_tolerance_settle(task);
    if (v == SLUICE_FAIL && sluice_tolerance_cut(task, &failure)) {
        v = SLUICE_RETRY;
    } else if (!slot || v != SLUICE_OK) {
        run->batch.n--;
        if (run->hand.served == SLUICE_FAIL) v = SLUICE_FAIL;
        else if (!slot) v = SLUICE_OK;
        else if (v == SLUICE_FAIL) v = tolerate(run, slot, message, &failure, err);
        else {
            sluice_count(&task->count.filtered, 1);
            sluice_slot_finish(slot, 0, false);
            v = SLUICE_OK;
        }
    }
    assert(v != SLUICE_DROP);
    if (run->hand.released) sluice_consumed_free(message->handle);
    run->hand.handle = NULL;
    run->hand.released = false;
    return v;
}

/* Takes out records whose partitions went while the batch was being filled. */
static void forget_revoked(struct sluice_sink_run *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->batch.n; i++)
        if (sluice_window_find(run->task->window, run->batch.records[i].seq))
            run->batch.records[n++] = run->batch.records[i];
    assert(n <= run->batch.n);
    run->batch.n = n;
    run->revoked = false;
}

static void batch_clear(struct sluice_sink_run *run)
{
    while (run->handles_n > 0) sluice_consumed_free(run->handles[--run->handles_n]);
    sluice_batch_reset(&run->batch);
}

/* Fills the batch with what is there. *more: there may be more at once. */
static enum sluice_verdict fill(struct sluice_sink_run *run, bool *more, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_consumed message;
    enum sluice_verdict v = SLUICE_OK;
    size_t taken = 0;
    *more = false;
    while (v == SLUICE_OK && taken < run->max_records && sluice_window_room(task->window) > 0) {
        enum sluice_next next = sluice_consumer_next(run->consumer, 0, &message, err);
        run->polled_ms = sluice_now_ms();
        if (next == SLUICE_NEXT_FAILED) return SLUICE_FAIL;
        if (next == SLUICE_NEXT_NONE) {
            if (run->revoked) forget_revoked(run);
            return v;
        }
        v = take(run, &message, err);
        taken++;
    }
    if (run->revoked) forget_revoked(run);
    *more = true;
    return v;
}

/* No records can be taken now: only keep the membership alive. */
static enum sluice_verdict keep_alive(struct sluice_sink_run *run, bool pause,
                                      struct sluice_err *err)
{
    struct sluice_consumed message;
    int64_t now = sluice_now_ms();
    if (!pause && now - run->polled_ms < ALIVE_MS) return SLUICE_OK;
    sluice_consumer_pause(run->consumer, true);
    run->polled_ms = now;
    switch (sluice_consumer_next(run->consumer, 0, &message, err)) {
    case SLUICE_NEXT_FAILED: return SLUICE_FAIL;
    case SLUICE_NEXT_NONE: break;
    case SLUICE_NEXT_MESSAGE: /* fetched before the pause; a place is kept for a few of those */
        if (run->held_n < run->held_max) run->held[run->held_n++] = message;
        else return sluice_fail(err, "librdkafka delivers records of paused partitions");
    }
    if (run->revoked && !run->hand.handle) forget_revoked(run);
    return SLUICE_OK;
}

static enum sluice_verdict take_held(struct sluice_sink_run *run, struct sluice_err *err)
{
    enum sluice_verdict v = SLUICE_OK;
    assert(run->held_n <= run->held_max);
    /* One by one: while a record waits to be tried again, others come, and go with partitions. */
    while (run->held_n > 0) {
        struct sluice_consumed message = run->held[0];
        memmove(run->held, run->held + 1, --run->held_n * sizeof *run->held);
        uint32_t at = partition_at(run, message.topic, message.partition);
        if (v == SLUICE_OK && run->partitions[at].assigned) v = take(run, &message, err);
        else sluice_consumed_free(message.handle);
    }
    return v;
}

/* ---- the loop ---- */

static enum sluice_verdict put(struct sluice_sink_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    if (run->batch.n == 0) {
        run->retrying = false;
        batch_clear(run);
        return SLUICE_OK;
    }
    if (!sluice_task_may_work(task)) { /* the lease ended while the batch was filled */
        run->retrying = true;
        return SLUICE_OK;
    }
    int64_t begun_us = sluice_now_us();
    enum sluice_verdict v =
        task->plugin->sink->put(task->self, run->batch.records, run->batch.n, err);
    sluice_task_batch(task, begun_us, run->batch.n);
    if (v == SLUICE_OK) {
        run->taken = run->batch.records[run->batch.n - 1].seq + 1;
        batch_clear(run);
        run->retrying = false;
    } else if (v == SLUICE_RETRY) {
        sluice_count(&task->count.retries, 1);
        run->retrying = true;
        v = SLUICE_OK;
    } else if (!strstr(err->msg, " failed in stage ")) { /* else it names the record itself */
        const struct sluice_record *first = run->batch.records;
        sluice_err_wrap(err, "stage TASK_PUT (%s), %zu records from %s-%d@%lld on",
                        sluice_plugin_class(task->plugin), run->batch.n, first->origin_topic,
                        first->origin_partition, (long long)first->offset);
    }
    return v;
}

static enum sluice_verdict work(struct sluice_sink_run *run, int wait, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    if (!task->plugin->sink->work) {
        if (wait > 0) sluice_window_wait(task->window, wait);
        return SLUICE_OK;
    }
    enum sluice_verdict v = task->plugin->sink->work(task->self, wait, err);
    return v == SLUICE_RETRY ? SLUICE_OK : v;
}

/* A sink without work() finishes in flush(): when a commit is due, and when the window is full. */
static enum sluice_verdict flush_simple(struct sluice_sink_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    if (task->plugin->sink->work) return SLUICE_OK;
    enum sluice_verdict v = task->plugin->sink->flush(task->self, err);
    if (v == SLUICE_FAIL) return v;
    if (v == SLUICE_OK) finish_taken(run);
    return collect(run, err);
}

static enum sluice_verdict commit_due(struct sluice_sink_run *run, struct sluice_err *err)
{
    enum sluice_verdict v = flush_simple(run, err);
    if (v == SLUICE_OK) commit(run, false);
    return v;
}

/* While an operation on the record in hand waits to be tried again: stays in the group, lets the
 * plugin go on with what it has, commits. */
static bool serve(void *arg, int ms)
{
    struct sluice_sink_run *run = arg;
    sluice_wake_clear(run->task->wake);
    if (!sluice_task_may_work(run->task)) {
        if (!sluice_task_stopping(run->task)) sluice_window_wait(run->task->window, ms);
        return true;
    }
    enum sluice_verdict v = keep_alive(run, false, run->hand.err);
    if (v == SLUICE_OK && !sluice_window_find(run->task->window, run->hand.seq)) return false;
    if (v == SLUICE_OK) v = collect(run, run->hand.err);
    if (v == SLUICE_OK && sluice_now_ms() >= run->commit_due_ms) v = commit_due(run, run->hand.err);
    if (v == SLUICE_OK && !sluice_task_stopping(run->task)) v = work(run, ms, run->hand.err);
    run->hand.served = v;
    return v == SLUICE_OK;
}

static bool wait_again(void *arg, const struct sluice_failure *failure, unsigned tries,
                       int64_t began_ms)
{
    struct sluice_sink_run *run = arg;
    return sluice_tolerance_wait(run->task, failure, tries, began_ms, serve, run);
}

static enum sluice_verdict step(struct sluice_sink_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    bool pausing = sluice_task_pausing(task), more = false;
    sluice_task_state(task, pausing ? SLUICE_PAUSED : SLUICE_RUNNING);
    enum sluice_verdict v = collect(run, err);
    int64_t now = sluice_now_ms();
    if (!sluice_task_may_work(task)) {
        sluice_window_wait(task->window, DRAIN_SLICE_MS);
        return v;
    }
    if (v == SLUICE_OK && now >= run->commit_due_ms) v = commit_due(run, err);
    if (v != SLUICE_OK) return v;
    measure_lag(run, now);
    bool full = sluice_window_room(task->window) <= run->held_max;
    if (full && (v = flush_simple(run, err)) != SLUICE_OK) return v;
    full = sluice_window_room(task->window) <= run->held_max;
    if (run->retrying || full || pausing) {
        v = keep_alive(run, pausing, err);
    } else {
        sluice_consumer_pause(run->consumer, false);
        v = take_held(run, err);
        if (v == SLUICE_OK) v = fill(run, &more, err);
    }
    if (v == SLUICE_OK && !pausing) v = put(run, err);
    if (v != SLUICE_OK) return v;
    int64_t due = run->commit_due_ms - sluice_now_ms();
    int wait = more && !run->retrying ? 0
               : due < WORK_WAIT_MS   ? (int)(due < 0 ? 0 : due)
                                      : WORK_WAIT_MS;
    if ((run->retrying || full) && wait > DRAIN_SLICE_MS) wait = DRAIN_SLICE_MS;
    return work(run, wait, err);
}

static bool connect_kafka(struct sluice_sink_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_map props = {0};
    const struct sluice_rebalance rebalance = {run, on_assigned, on_revoked};
    char *group = sluice_xasprintf("connect-%s", task->connector);
    char *client = sluice_xasprintf("connector-consumer-%s-%d", task->connector, task->id);
    sluice_map_set(&props, "group.id", group);
    sluice_map_set(&props, "client.id", client);
    sluice_client_layers(SLUICE_CLIENT_CONSUMER, sluice_worker_props(task->worker), &task->config,
                         &props);
    const char *records = sluice_map_get(&props, "max.poll.records");
    if (records && strtol(records, NULL, 10) > 0)
        run->max_records = (size_t)strtol(records, NULL, 10);
    const char *topics = sluice_conf_str(task->framework, "topics");
    const char *regex = sluice_conf_str(task->framework, "topics.regex");
    run->consumer =
        sluice_consumer_new(&props, task->connector, topics, regex && *regex ? regex : NULL,
                            &rebalance, task->wake->fd, err);
    sluice_map_fini(&props);
    free(group);
    free(client);
    return run->consumer != NULL;
}

static void sink_run_free(struct sluice_sink_run *run)
{
    struct sluice_task *task = run->task;
    assert(run->handles_n == 0 && run->held_n == 0 && !run->hand.handle);
    task->plugin->close(task->self); /* may still report; all of it is unknown by now */
    task->self = NULL;
    task->sink = NULL;
    for (size_t i = 0; i < run->n; i++) free(run->partitions[i].topic);
    free(run->partitions);
    free(run->handles);
    sluice_dead_letter_free(run->letter);
    sluice_batch_fini(&run->batch);
    free(run);
}

static void free_held(struct sluice_sink_run *run)
{
    while (run->held_n > 0) sluice_consumed_free(run->held[--run->held_n].handle);
}

enum sluice_verdict sluice_sink_run(struct sluice_task *task, struct sluice_err *err)
{
    struct sluice_sink_run *run = sluice_xcalloc(1, sizeof *run);
    enum sluice_verdict v = SLUICE_FAIL;
    struct sluice_err late = {{0}};
    run->task = task;
    task->sink = run;
    run->max_records = SINK_BATCH_RECORDS;
    size_t room = sluice_window_room(task->window);
    assert(room > 1 && sluice_window_count(task->window) == 0);
    run->held_max = room / 2 < SINK_HELD_MAX ? room / 2 : SINK_HELD_MAX;
    run->commit_every_ms = sluice_worker_num(task->worker, "offset.flush.interval.ms");
    run->drain_ms = sluice_task_stop_ms(task) * 4 / 5;
    sluice_batch_init(&run->batch);
    task->pipe.again = (struct sluice_again){wait_again, run};
    if (task->errors.dead_letter_topic &&
        (v = sluice_dead_letter_new(task, &run->letter, err)) != SLUICE_OK)
        goto out; /* RETRY: asked to stop before it was there; so below */
    v = sluice_task_open(task, err);
    if (v != SLUICE_OK) goto out;
    if (!connect_kafka(run, err)) v = SLUICE_FAIL;
    run->handles = sluice_xcalloc(run->max_records + SINK_HELD_MAX, sizeof *run->handles);
    if (v == SLUICE_OK) sluice_task_trouble(task, NULL);
    run->commit_due_ms = sluice_now_ms() + run->commit_every_ms;
    while (v == SLUICE_OK && !sluice_task_stopping(task)) {
        sluice_wake_clear(task->wake);
        if (!sluice_task_stopping(task)) v = step(run, err);
    }
    free_held(run);
    if (v == SLUICE_RETRY) v = SLUICE_OK; /* stopped amid a record */
    if (v == SLUICE_OK) drain(run, sluice_now_ms() + run->drain_ms, &late);
    batch_clear(run); /* not put: comes again */
    sluice_window_advance(task->window, release, run);
    if (run->consumer) commit(run, true);
    sluice_window_release(task->window, release, run);
    run->closing = true; /* which revokes: all that could be done is done */
    sluice_consumer_close(run->consumer);
out:
    sink_run_free(run);
    return v;
}
