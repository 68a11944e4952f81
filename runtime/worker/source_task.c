/* source_task.c - a source's loop: poll -> transforms -> convert -> produce -> report -> prefix ->
 * offsets -> acked.
 *
 * The window (inflight.h) is what everything hangs off: its room bounds a poll, its prefix is what
 * may be committed (source_commit.c), and only a committed position is handed back to the plugin.
 * Exactly-once, transactions decide that (source_txn.h). Records that a
 * transform drops, and those without a topic, pass through the window as finished at once, so that
 * the position moves over them in order. Owner: the task's thread. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/values.h"
#include "kafka/client.h"
#include "worker/source_txn.h"
#include "worker/tolerance.h"
#include "worker/topic_use.h"

#define POLL_MAX_RECORDS 512
#define POLL_MAX_BYTES ((size_t)4 << 20)
#define POLL_WAIT_MS 1000
#define SERVICE_MS 1000 /* a full or paused task is still polled this often, with room for none */
#define FULL_WAIT_MS 50
#define REST_MS 2000
#define CREATE_MS 2000 /* the brokers' time to answer; then the task looks around and asks again */
#define NEVER_SENT INT_MIN /* a slot's error: nothing tolerates it, nothing after it is committed */

/* ---- host->partition, host->resume ---- */

uint32_t sluice_source_partition(struct sluice_task *task, const struct sluice_value *map)
{
    struct sluice_source_run *run = task->source;
    struct sluice_err err;
    assert(run && map->type == SLUICE_MAP);
    for (size_t i = 0; i < run->n; i++)
        if (sluice_value_equal(&run->partitions[i].map, map)) return (uint32_t)i;
    run->partitions = sluice_xgrow(run->partitions, run->n, &run->cap, sizeof *run->partitions);
    struct source_partition *p = &run->partitions[run->n];
    memset(p, 0, sizeof *p);
    p->map = sluice_value_copy(&run->known.arena, map);
    if (!sluice_connector_offsets_get(run->offsets, &p->map, &run->known, &p->offset,
                                      &p->has_offset, &err))
        sluice_log(SLUICE_ERROR, task->connector, task->id, "%s", err.msg);
    return (uint32_t)run->n++;
}

const struct sluice_value *sluice_source_resume(struct sluice_task *task, uint32_t partition)
{
    struct sluice_source_run *run = task->source;
    assert(run && partition < run->n);
    return run->partitions[partition].has_offset ? &run->partitions[partition].offset : NULL;
}

bool sluice_source_marks(struct sluice_task *task)
{
    return task->source && task->source->txn && sluice_source_txn_marks(task->source->txn);
}

/* ---- records that come back ---- */

/* Kafka knows the topic no more, or not yet: a broker that just came back says so for a while. It
 * is not the record's fault. DROP. */
static enum sluice_verdict topic_away(int code, const char *topic, struct sluice_err *err)
{
    sluice_err_set(err,
                   "topic %s took no record: %s. If it does not come back by itself, create it, or "
                   "set topic.creation.default.* or the brokers' auto.create.topics.enable",
                   topic, sluice_kafka_error(code));
    return SLUICE_DROP;
}

/* A record that was sent later went first. DROP. */
static enum sluice_verdict overtaken(const char *topic, struct sluice_err *err)
{
    sluice_err_set(
        err,
        "records came into topic %s in another order than they were sent, as the brokers "
        "refused some for a while",
        topic);
    return SLUICE_DROP;
}

/* Asked by the window. */
static bool follows(void *order, uint32_t source_partition, const void *topic, int32_t partition,
                    int64_t offset)
{
    return sluice_order_rises(order, source_partition, topic, partition, offset);
}

void sluice_source_ask_order(struct sluice_source_run *run, bool ask)
{
    if (!run->order) return;
    sluice_order_forget(run->order);
    sluice_window_asks(run->task->window, ask ? follows : NULL, run->order);
}

/* A record that came back from Kafka undelivered. The broker refuses whole batches: of one that is
 * too large nobody can say which record was, so that tolerating it would lose good ones. */
static enum sluice_verdict undelivered(struct sluice_source_run *run, int code, uint64_t seq,
                                       struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    const struct sluice_topic *topic = sluice_window_item(task->window, seq);
    assert(topic);
    if (code == NEVER_SENT) return SLUICE_FAIL; /* said by send() */
    if (!sluice_kafka_too_large(code))
        return sluice_source_refused(run, code, topic->name, NULL, 0, err);
    sluice_count(&task->count.failed, 1);
    sluice_count(&task->count.errors, 1);
    return sluice_fail(err,
                       "topic %s refuses a batch as too large (its max.message.bytes): raise that, "
                       "or set producer.override.max.request.size to it, so that batches fit and "
                       "a record that does not is found before it is sent",
                       topic->name);
}

/* ---- one record ---- */

static enum sluice_sent try_send(struct sluice_source_run *run,
                                 const struct sluice_message *message, int *code,
                                 struct sluice_err *why)
{
    if (!sluice_task_may_work(run->task)) return SLUICE_SEND_FULL;
    return sluice_producer_send(run->producer, message, code, why);
}

/* Enters the window and hands the message to the producer, waiting while its queue is full. */
static enum sluice_verdict send(struct sluice_source_run *run, const struct sluice_record *rec,
                                struct sluice_topic *topic, struct sluice_message *message,
                                struct sluice_lent_headers *lent, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_err why; /* large: not cleared for each record */
    int code = 0;
    why.msg[0] = '\0';
    size_t bytes = message->key_len + message->value_len;
    enum sluice_verdict v = run->txn ? sluice_source_txn_begin(run, rec->topic, err) : SLUICE_OK;
    if (v != SLUICE_OK) {
        sluice_source_headers_unsent(run->headers, message, lent);
        run->hand.served = v; /* DROP: from there it goes back to the last commit */
        return SLUICE_FAIL;
    }
    struct sluice_slot *slot = sluice_window_enter(task->window, rec->source_partition, bytes,
                                                   rec->position, rec->position_len, -1, topic);
    message->topic = topic->handle;
    message->opaque = slot;
    sluice_slot_share(slot);
    enum sluice_sent sent;
    while ((sent = try_send(run, message, &code, &why)) == SLUICE_SEND_FULL &&
           !sluice_task_stopping(task)) {
        sluice_window_wait(task->window, FULL_WAIT_MS);
        run->now_ms = sluice_wall_ms();
    }
    if (sent == SLUICE_SENT) {
        if (lent) sluice_slot_lend(slot, lent);
        sluice_count(&task->count.bytes, bytes);
        if (run->txn) sluice_source_txn_moved(run, rec, true);
        sluice_topic_use(task, &topic->told, topic->name);
        return SLUICE_OK;
    }
    sluice_source_headers_unsent(run->headers, message, lent);
    v = SLUICE_RETRY; /* stopped meanwhile: this record comes again */
    if (sent == SLUICE_SEND_FAILED && sluice_kafka_topic_away(code, rec->partition)) {
        run->hand.served = topic_away(code, rec->topic, err);
        v = SLUICE_FAIL;
    } else if (sent == SLUICE_SEND_FAILED) {
        v = sluice_source_refused(run, code, rec->topic, rec, bytes, err);
    }
    /* Tolerated: the position moves over it. Else the task ends here, and so does what it commits.
     * */
    sluice_slot_finish(slot, v == SLUICE_DROP ? 0 : NEVER_SENT, true);
    return v;
}

static void pass_over(struct sluice_source_run *run, const struct sluice_record *rec)
{
    struct sluice_task *task = run->task;
    if (run->txn) {
        sluice_source_txn_moved(run, rec, false);
        return;
    }
    struct sluice_slot *slot = sluice_window_enter(task->window, rec->source_partition, 0,
                                                   rec->position, rec->position_len, -1, NULL);
    sluice_slot_finish(slot, 0, false);
}

/* The topic of a first record is made as topic.creation.* says, before its handle is: that alone
 * may have the broker create it its own way. RETRY: the task stops. */
static enum sluice_verdict create_topic(struct sluice_source_run *run, const char *name,
                                        struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_new_topic topic;
    struct sluice_backoff backoff;
    struct sluice_err why = {{0}};
    bool made;
    const char *group = sluice_topic_creation_find(run->creation, name, &topic);
    sluice_backoff_init(&backoff, 500, 5000);
    enum sluice_verdict v = SLUICE_RETRY;
    while (v == SLUICE_RETRY && !sluice_task_stopping(task)) {
        v = sluice_admin_ensure_topic(run->producer, &topic, CREATE_MS, &made, &why);
        sluice_task_kafka(task, v == SLUICE_RETRY, why.msg);
        if (v == SLUICE_RETRY) sluice_task_pause_ms(task, sluice_backoff_next(&backoff));
    }
    if (v == SLUICE_OK && made)
        sluice_log(SLUICE_INFO, task->connector, task->id,
                   "created topic %s as topic creation group %s says", name, group);
    if (v == SLUICE_FAIL)
        sluice_err_set(err,
                       "Task failed to create new topic (name=%s, group=%s, numPartitions=%d, "
                       "replicationFactor=%d): %s. Ensure that the task is authorized to create "
                       "topics or that the topic exists, and restart the task",
                       name, group, topic.partitions, topic.replication_factor, why.msg);
    return v;
}

/* OK: sent or passed over; RETRY: the task stops; DROP: back to the last commit; FAIL. */
static enum sluice_verdict handle(struct sluice_source_run *run, struct sluice_record *rec,
                                  struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_pipeline *pipe = &task->pipe;
    struct sluice_failure failure; /* large: not cleared for each record */
    struct sluice_message message;
    struct sluice_lent_headers *lent;
    bool key_null, value_null, ok, fresh;
    failure.stage = failure.class = failure.exception = NULL;
    failure.retriable = false;
    failure.err.msg[0] = '\0';
    assert(rec->source_partition < run->n);
    run->hand.record = rec;
    run->hand.served = SLUICE_OK;
    run->hand.err = err;
    enum sluice_verdict v =
        rec->topic ? sluice_pipeline_transform(pipe, &run->batch, rec, &failure) : SLUICE_DROP;
    if (v == SLUICE_DROP) {
        if (rec->topic) sluice_count(&task->count.filtered, 1);
        pass_over(run, rec);
        return SLUICE_OK;
    }
    if (v == SLUICE_OK) {
        ok = sluice_pipeline_encode(pipe, rec, &key_null, &value_null, &failure);
        ok = ok && sluice_source_headers_make(run->headers, rec, &message, &lent, &failure);
        if (ok && run->creation && !sluice_topics_has(&run->topics, rec->topic) &&
            (v = create_topic(run, rec->topic, err)) != SLUICE_OK) {
            sluice_source_headers_unsent(run->headers, &message, lent);
            return v;
        }
        if (ok) {
            bool stamped = rec->timestamp_ms != SLUICE_NO_TIMESTAMP;
            message.partition = rec->partition;
            message.timestamp_ms = stamped ? rec->timestamp_ms : run->now_ms;
            message.key = key_null ? NULL : pipe->key_bytes.data;
            message.key_len = key_null ? 0 : pipe->key_bytes.len;
            message.value = value_null ? NULL : pipe->value_bytes.data;
            message.value_len = value_null ? 0 : pipe->value_bytes.len;
            struct sluice_topic *topic = sluice_topics_find(&run->topics, rec->topic, &fresh);
            sluice_topic_use(task, &topic->told, topic->name);
            v = send(run, rec, topic, &message, lent, err);
            if (run->hand.served != SLUICE_OK) return run->hand.served;
            return v == SLUICE_DROP ? SLUICE_OK : v;
        }
    }
    if (run->hand.served != SLUICE_OK) return run->hand.served;
    if (sluice_tolerance_cut(task, &failure)) return SLUICE_RETRY;
    if (sluice_source_tolerate(run, &failure, rec->topic, rec, err) == SLUICE_FAIL)
        return SLUICE_FAIL;
    pass_over(run, rec);
    return SLUICE_OK;
}

/* ---- the loop ---- */

/* Reports that came in; what they failed with. */
static enum sluice_verdict collect(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    char text[512];
    uint64_t seq;
    int code;
    sluice_count(&task->count.written, sluice_window_advance(task->window, NULL, NULL));
    while ((code = sluice_window_failed(task->window, &seq)) != 0) {
        /* Looked at first: what a broken client sends back is not for errors.tolerance to skip. */
        if (run->txn) return sluice_source_txn_failed(run, code, seq, err);
        if (sluice_producer_fatal(run->producer, text)) break;
        const struct sluice_topic *topic = sluice_window_item(task->window, seq);
        if (code == SLUICE_OVERTAKEN) return overtaken(topic->name, err);
        if (sluice_kafka_topic_away(code, -1)) return topic_away(code, topic->name, err);
        if (undelivered(run, code, seq, err) == SLUICE_FAIL) return SLUICE_FAIL;
        sluice_window_forgive(task->window, seq);
    }
    atomic_store_explicit(&task->count.in_flight, sluice_window_count(task->window),
                          memory_order_relaxed);
    if (!run->txn && sluice_producer_fatal(run->producer, text))
        return sluice_fail(err, "the kafka producer is broken: %s; restart the task", text);
    bool down = sluice_producer_down(run->producer, text);
    sluice_task_kafka(task, down, text);
    return SLUICE_OK;
}

static int wait_ms(const struct sluice_source_run *run, int64_t now)
{
    int64_t left = run->commit_due_ms - now;
    if (run->txn) left = sluice_source_txn_due_ms(run) - now;
    else if (run->commit || sluice_window_count(run->task->window) == 0) left = POLL_WAIT_MS;
    return left < 0 ? 0 : left > POLL_WAIT_MS ? POLL_WAIT_MS : (int)left;
}

/* Each record of the batch; the transaction ends where it may. Verdicts as of handle(). */
static enum sluice_verdict handle_all(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_batch *batch = &run->batch;
    size_t boundary = run->txn ? sluice_source_txn_boundary(run) : 0;
    enum sluice_verdict v = SLUICE_OK;
    run->hand.owned = false;
    for (size_t i = 0; i < batch->n && v == SLUICE_OK; i++) {
        v = handle(run, &batch->records[i], err);
        run->hand.record = NULL;
        sluice_tolerance_settle(run->task);
        if (v != SLUICE_OK || i + 1 != boundary) continue;
        if (boundary < batch->n) run->hand.record = &batch->records[boundary];
        v = sluice_source_txn_at_boundary(run, err);
        run->hand.record = NULL;
    }
    return v;
}

/* Polls with the room there is; records 0: only so that the plugin serves its connection. */
static enum sluice_verdict poll_once(struct sluice_source_run *run, size_t records, int wait,
                                     struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    size_t bytes = sluice_window_room_bytes(task->window);
    struct sluice_room room = {.size = sizeof room,
                               .wait_ms = wait,
                               .records = records < POLL_MAX_RECORDS ? records : POLL_MAX_RECORDS,
                               .bytes = bytes < POLL_MAX_BYTES ? bytes : POLL_MAX_BYTES};
    sluice_batch_reset(&run->batch);
    int64_t begun_us = sluice_now_us();
    enum sluice_verdict v = task->plugin->source->poll(task->self, &run->batch, &room, err);
    sluice_task_batch(task, begun_us, run->batch.n);
    run->service_due_ms = sluice_now_ms() + SERVICE_MS;
    run->now_ms = sluice_wall_ms();
    if (v == SLUICE_FAIL) return v;
    assert(run->batch.n <= room.records);
    sluice_count(&task->count.polled, run->batch.n);
    enum sluice_verdict h = handle_all(run, err);
    if (h != SLUICE_OK) return h == SLUICE_RETRY ? SLUICE_OK : h;
    if (v == SLUICE_OK) {
        sluice_backoff_reset(&run->backoff);
    } else {
        sluice_count(&task->count.retries, 1);
        sluice_window_wait(task->window, (int)sluice_backoff_next(&run->backoff));
    }
    return SLUICE_OK;
}

enum sluice_verdict sluice_source_serve(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_room room = {.size = sizeof room};
    if (sluice_now_ms() < run->service_due_ms || !sluice_task_may_work(task)) return SLUICE_OK;
    sluice_batch_reset(&run->idle);
    enum sluice_verdict v = task->plugin->source->poll(task->self, &run->idle, &room, err);
    assert(v == SLUICE_FAIL || run->idle.n == 0);
    run->service_due_ms = sluice_now_ms() + SERVICE_MS;
    return v == SLUICE_FAIL ? v : SLUICE_OK;
}

/* What is through is collected, and committed when that is due. */
static enum sluice_verdict advance(struct sluice_source_run *run, bool between,
                                   struct sluice_err *err)
{
    enum sluice_verdict v = collect(run, err);
    if (v == SLUICE_OK && run->txn) return sluice_source_txn_due(run, between, err);
    if (v == SLUICE_OK) v = sluice_source_settle(run, err);
    if (v == SLUICE_OK && sluice_now_ms() >= run->commit_due_ms) v = sluice_source_commit(run, err);
    return v;
}

/* While an operation on the record in hand waits to be tried again: what else there is to do, and
 * the plugin serves its connection. */
static bool serve(void *arg, int ms)
{
    struct sluice_source_run *run = arg;
    struct sluice_task *task = run->task;
    sluice_wake_clear(task->wake);
    sluice_source_own(run);
    enum sluice_verdict v = advance(run, false, run->hand.err);
    if (v == SLUICE_OK) v = sluice_source_serve(run, run->hand.err);
    if (v == SLUICE_OK && !sluice_task_stopping(task)) sluice_window_wait(task->window, ms);
    run->hand.served = v == SLUICE_RETRY ? SLUICE_OK : v;
    return v == SLUICE_OK;
}

static bool wait_again(void *arg, const struct sluice_failure *failure, unsigned tries,
                       int64_t began_ms)
{
    struct sluice_source_run *run = arg;
    return sluice_tolerance_wait(run->task, failure, tries, began_ms, serve, run);
}

/* A task without records gives back what it worked with, once: there may be thousands of them. */
static void rest(struct sluice_source_run *run, int64_t now)
{
    if (run->batch.n > 0 || sluice_window_count(run->task->window) > 0) {
        run->active_ms = now;
        if (run->rested) sluice_mem_rest(false);
        run->rested = false;
    } else if (!run->rested && now - run->active_ms >= REST_MS) {
        sluice_source_headers_rest(run->headers);
        struct sluice_batch *batches[] = {&run->batch, &run->idle};
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
            sluice_batch_fini(batches[i]);
            sluice_batch_init(batches[i]);
        }
        sluice_mem_rest(true);
        run->rested = true;
    }
}

static enum sluice_verdict step(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    bool pausing = sluice_task_pausing(task);
    sluice_task_state(task, pausing ? SLUICE_PAUSED : SLUICE_RUNNING);
    enum sluice_verdict v = advance(run, true, err);
    if (v != SLUICE_OK) return v;
    int64_t now = sluice_now_ms();
    rest(run, now);
    size_t room = pausing ? 0 : sluice_window_room(task->window);
    if (!sluice_task_may_work(task)) {
        sluice_window_wait(task->window, FULL_WAIT_MS);
        return SLUICE_OK;
    }
    if (room > 0) return poll_once(run, room, wait_ms(run, now), err);
    if (now >= run->service_due_ms) return poll_once(run, 0, 0, err);
    sluice_window_wait(task->window, FULL_WAIT_MS);
    return SLUICE_OK;
}

/* ---- start and end ---- */

/* Waits for what is under way, and commits it. */
static void drain(struct sluice_source_run *run)
{
    struct sluice_task *task = run->task;
    struct sluice_err err = {{0}};
    int64_t until = sluice_now_ms() + sluice_task_stop_ms(task) * 4 / 5;
    while (sluice_task_may_work(task) && collect(run, &err) == SLUICE_OK &&
           sluice_window_count(task->window) > 0 && sluice_now_ms() < until) {
        sluice_wake_clear(task->wake); /* readable since the stop */
        sluice_window_wait(task->window, FULL_WAIT_MS);
    }
    if (sluice_window_count(task->window) > 0)
        sluice_log(SLUICE_WARN, task->connector, task->id,
                   "%zu records are not yet acknowledged by Kafka; they are sent again after the "
                   "next start",
                   sluice_window_count(task->window));
    enum sluice_verdict v = SLUICE_OK;
    for (bool last = false; v == SLUICE_OK;) { /* last: the commit of all that is through */
        v = sluice_source_settle(run, &err);
        if (v == SLUICE_OK && !run->commit && !last) {
            v = sluice_source_commit(run, &err);
            last = true;
        }
        if (!run->commit || sluice_now_ms() >= until || !sluice_task_may_work(task)) break;
        if (sluice_wake_wait(task->wake, FULL_WAIT_MS)) sluice_wake_clear(task->wake);
    }
    if (v == SLUICE_FAIL) sluice_log(SLUICE_WARN, task->connector, task->id, "%s", err.msg);
    if (run->commit)
        sluice_log(SLUICE_WARN, task->connector, task->id,
                   "it is not known whether the last offsets were written; if not, records are "
                   "sent again after the next start");
}

static bool connect_kafka(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_map props = {0};
    bool exactly_once = sluice_worker_exactly_once(task->worker);
    sluice_client_layers(SLUICE_CLIENT_PRODUCER, sluice_worker_props(task->worker), &task->config,
                         &props);
    if (!sluice_map_has(&props, "client.id")) {
        char id[300];
        snprintf(id, sizeof id, "connector-producer-%s-%d", task->connector, task->id);
        sluice_map_set(&props, "client.id", exactly_once ? id : "sluice-producer");
    }
    if (exactly_once) run->txn = sluice_source_txn_new(run, &props, err);
    else
        run->producer = sluice_producer_get(sluice_worker_producers(task->worker), &props,
                                            task->connector, err);
    sluice_map_fini(&props);
    if (run->producer) sluice_topics_init(&run->topics, run->producer);
    if (!exactly_once) run->order = sluice_order_new();
    sluice_source_ask_order(run, true);
    return run->producer != NULL;
}

static bool read_creation(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    const char *enabled = sluice_worker_prop(task->worker, "topic.creation.enable");
    if (!sluice_topic_creation_used(&task->config)) return true;
    if (enabled && strcasecmp(enabled, "false") == 0) {
        sluice_log(SLUICE_WARN, task->connector, task->id,
                   "topic.creation.* keys have no effect: the worker sets topic.creation.enable "
                   "to false");
        return true;
    }
    run->creation = sluice_topic_creation_new(&task->config, err);
    return run->creation != NULL;
}

enum sluice_verdict sluice_source_insist(struct sluice_source_run *run,
                                         enum sluice_verdict (*attempt)(struct sluice_source_run *,
                                                                        struct sluice_err *),
                                         struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_backoff backoff;
    sluice_backoff_init(&backoff, 100, 5000);
    while (!sluice_task_stopping(task)) {
        err->msg[0] = '\0';
        enum sluice_verdict v = attempt(run, err);
        if (v != SLUICE_RETRY) return v;
        char text[sizeof err->msg + 64];
        snprintf(text, sizeof text, "%s; trying again", err->msg);
        if (err->msg[0]) sluice_task_trouble(task, text);
        sluice_count(&task->count.retries, 1);
        sluice_task_pause_ms(task, sluice_backoff_next(&backoff));
    }
    return SLUICE_RETRY;
}

static enum sluice_verdict open_offsets(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    return sluice_connector_offsets_open(task->worker, task->connector, &task->config, CREATE_MS,
                                         &run->offsets, err);
}

enum sluice_verdict sluice_source_refresh(struct sluice_source_run *run, struct sluice_err *err)
{
    return sluice_connector_offsets_refresh(run->offsets, CREATE_MS, err);
}

/* All that comes before the first poll: predecessors are fenced, offsets are read, the plugin is
 * opened. RETRY: the task stops. */
static enum sluice_verdict begin(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    enum sluice_verdict v = SLUICE_OK;
    if (!read_creation(run, err) || !connect_kafka(run, err)) return SLUICE_FAIL;
    if (run->txn) v = sluice_source_insist(run, sluice_source_txn_fence, err);
    if (v == SLUICE_OK) v = sluice_source_insist(run, open_offsets, err);
    if (v == SLUICE_OK) v = sluice_source_insist(run, sluice_source_refresh, err);
    if (v == SLUICE_OK && run->txn) v = sluice_source_insist(run, sluice_source_txn_current, err);
    if (v == SLUICE_OK) v = sluice_task_open(task, err);
    if (v == SLUICE_OK) sluice_task_trouble(task, NULL);
    run->commit_due_ms = sluice_now_ms() + run->commit_every_ms;
    return v;
}

static void end(struct sluice_source_run *run)
{
    struct sluice_task *task = run->task;
    task->plugin->close(task->self);
    task->self = NULL;
    task->source = NULL;
    sluice_source_commit_free(run);
    sluice_source_headers_free(run->headers);
    sluice_source_ask_order(run, false);
    sluice_order_free(run->order);
    sluice_topics_fini(&run->topics);
    if (run->txn) sluice_source_txn_free(run->txn); /* with its producer */
    else sluice_producer_put(run->producer);
    sluice_connector_offsets_close(run->offsets);
    sluice_topic_creation_free(run->creation);
    sluice_batch_fini(&run->batch);
    sluice_batch_fini(&run->scratch);
    sluice_batch_fini(&run->known);
    sluice_batch_fini(&run->idle);
    free(run->partitions);
    free(run);
}

enum sluice_verdict sluice_source_run(struct sluice_task *task, struct sluice_err *err)
{
    struct sluice_source_run *run = sluice_xcalloc(1, sizeof *run);
    run->task = task;
    task->source = run;
    run->headers = sluice_source_headers_new(task);
    run->commit_every_ms = sluice_worker_num(task->worker, "offset.flush.interval.ms");
    sluice_batch_init(&run->batch);
    sluice_batch_init(&run->scratch);
    sluice_batch_init(&run->known);
    sluice_batch_init(&run->idle);
    task->pipe.again = (struct sluice_again){wait_again, run};
    sluice_backoff_init(&run->backoff, 100, 10000);
    sluice_backoff_init(&run->rewind_backoff, 100, 10000);
    enum sluice_verdict v = begin(run, err);
    bool begun = v == SLUICE_OK;
    while (v == SLUICE_OK && !sluice_task_stopping(task)) {
        sluice_wake_clear(task->wake);
        if (!sluice_task_stopping(task)) v = step(run, err);
        if (v == SLUICE_DROP) v = sluice_source_rewind(run, err);
    }
    if (begun && run->txn) sluice_source_txn_end(run, v == SLUICE_FAIL);
    else if (begun) drain(run);
    end(run);
    return v;
}
