/* source_txn.c - see source_txn.h. What is sent in one transaction is decided in source_task.c;
 * here is when it ends, and how. */
#include "worker/source_txn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/transactions.h"

#define SLICE_MS 250 /* of a wait for the brokers, between looks at what else there is */
#define INIT_MS 1000
#define FULL_WAIT_MS 50
#define TIMEOUT_MS 60000 /* transaction.timeout.ms, librdkafka's default as Java's */

enum boundary { AT_POLL, AT_INTERVAL, AT_MARK };

struct moved {
    bool moved;
    struct sluice_source_at at;
};

struct sluice_source_txn {
    struct sluice_transactions *producer;
    char *id;
    enum boundary boundary;
    int64_t interval_ms, limit_ms, timeout_ms;
    bool fenced;      /* predecessors were, by the hook */
    uint64_t records; /* handed to the producer in this transaction */
    bool open;        /* to be committed or aborted */
    bool unknown;     /* a commit was under way when the task had to go: nothing more can be done */
    int64_t began_ms;
    int64_t until_ms; /* of a task that stops; 0: it does not */
    struct moved *last;
    size_t last_n, last_cap, moved_n;
};

/* ---- life ---- */

static void delivered(void *opaque, int error, int32_t partition, int64_t offset)
{
    (void)partition, (void)offset; /* idempotent: they come in order, or fail */
    sluice_slot_finish(opaque, error, true);
}

static void read_boundary(struct sluice_source_txn *txn, const struct sluice_task *task,
                          const struct sluice_map *props)
{
    const char *boundary = sluice_conf_str(task->framework, "transaction.boundary");
    const char *interval = sluice_conf_str(task->framework, "transaction.boundary.interval.ms");
    const char *timeout = sluice_map_get(props, "transaction.timeout.ms");
    txn->boundary = strcasecmp(boundary, "interval") == 0    ? AT_INTERVAL
                    : strcasecmp(boundary, "connector") == 0 ? AT_MARK
                                                             : AT_POLL;
    txn->timeout_ms = timeout ? strtoll(timeout, NULL, 10) : TIMEOUT_MS;
    txn->limit_ms = txn->timeout_ms / 2;
    txn->interval_ms = interval && *interval
                           ? strtoll(interval, NULL, 10)
                           : sluice_worker_num(task->worker, "offset.flush.interval.ms");
    if (txn->interval_ms > txn->limit_ms) txn->interval_ms = txn->limit_ms;
}

struct sluice_source_txn *sluice_source_txn_new(struct sluice_source_run *run,
                                                const struct sluice_map *props,
                                                struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_source_txn *txn = sluice_xcalloc(1, sizeof *txn);
    const char *group = sluice_worker_prop(task->worker, "group.id");
    read_boundary(txn, task, props);
    txn->id = sluice_xasprintf("%s-%s-%d", group ? group : "", task->connector, task->id);
    txn->producer = sluice_transactions_new(props, txn->id, task->connector, delivered, err);
    if (txn->producer) {
        run->producer = sluice_transactions_producer(txn->producer);
        return txn;
    }
    sluice_source_txn_free(txn);
    return NULL;
}

void sluice_source_txn_free(struct sluice_source_txn *txn)
{
    if (!txn) return;
    sluice_transactions_free(txn->producer);
    free(txn->last);
    free(txn->id);
    free(txn);
}

/* What FAIL means, in words: err says what the producer said. */
static enum sluice_verdict broken(const struct sluice_source_run *run, struct sluice_err *err)
{
    const struct sluice_source_txn *txn = run->txn;
    if (!sluice_transactions_fenced(txn->producer)) return SLUICE_FAIL;
    int64_t age_ms = txn->open ? sluice_now_ms() - txn->began_ms : 0;
    if (age_ms < txn->timeout_ms)
        sluice_err_wrap(err,
                        "this task was fenced, its open transaction is void: a newer one of the "
                        "same connector and number runs, or another cluster of workers has the "
                        "same group.id");
    else
        sluice_err_wrap(err,
                        "the transaction was not finished within transaction.timeout.ms (%lld), so "
                        "that Kafka ended it: raise producer.override.transaction.timeout.ms, or "
                        "make transactions shorter (transaction.boundary=poll, or a smaller "
                        "transaction.boundary.interval.ms)",
                        (long long)txn->timeout_ms);
    return SLUICE_FAIL;
}

enum sluice_verdict sluice_source_txn_fence(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_source_txn *txn = run->txn;
    struct sluice_task *task = run->task;
    const struct sluice_worker_hooks *hooks = sluice_worker_hooks(task->worker);
    if (!txn->fenced && hooks->fence) {
        enum sluice_verdict v = hooks->fence(hooks->arg, task->connector, err);
        if (v != SLUICE_OK) return v;
    }
    txn->fenced = true;
    /* A task that is to go must not take the id from the one that comes. */
    if (sluice_task_stopping(task) || !sluice_task_may_work(task)) return SLUICE_RETRY;
    enum sluice_verdict v = sluice_transactions_init(txn->producer, INIT_MS, err);
    if (v == SLUICE_FAIL) return broken(run, err);
    return v == SLUICE_OK ? v : SLUICE_RETRY;
}

enum sluice_verdict sluice_source_txn_current(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    const struct sluice_worker_hooks *hooks = sluice_worker_hooks(task->worker);
    return hooks->current ? hooks->current(hooks->arg, task->connector, task->id, err) : SLUICE_OK;
}

/* ---- what is in it ---- */

bool sluice_source_txn_marks(const struct sluice_source_txn *txn)
{
    return txn->boundary == AT_MARK;
}

static enum sluice_verdict begin(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_source_txn *txn = run->txn;
    if (txn->open) return SLUICE_OK;
    enum sluice_verdict v = sluice_transactions_begin(txn->producer, err);
    if (v == SLUICE_FAIL) return broken(run, err);
    txn->open = v != SLUICE_RETRY; /* DROP: only an abort is left */
    txn->began_ms = sluice_now_ms();
    return v == SLUICE_OK ? v : SLUICE_DROP;
}

enum sluice_verdict sluice_source_txn_begin(struct sluice_source_run *run, const char *topic,
                                            struct sluice_err *err)
{
    const char *own = sluice_connector_offsets_topic(run->offsets);
    /* It would be read to its end while this transaction keeps that end from being seen. */
    if (own && strcmp(own, topic) == 0)
        return sluice_fail(err, "Source tasks may not produce to their own offsets topics when "
                                "exactly-once support is enabled");
    return begin(run, err);
}

void sluice_source_txn_moved(struct sluice_source_run *run, const struct sluice_record *rec,
                             bool sent)
{
    struct sluice_source_txn *txn = run->txn;
    uint32_t i = rec->source_partition;
    assert(i < run->n && rec->position_len <= SLUICE_POSITION_MAX);
    while (txn->last_n <= i) {
        txn->last = sluice_xgrow(txn->last, txn->last_n, &txn->last_cap, sizeof *txn->last);
        memset(&txn->last[txn->last_n++], 0, sizeof *txn->last);
    }
    struct moved *m = &txn->last[i];
    txn->moved_n += !m->moved;
    txn->records += sent;
    m->moved = true;
    m->at.partition = i;
    m->at.len = rec->position_len;
    if (rec->position_len > 0) memcpy(m->at.position, rec->position, rec->position_len);
}

static void clear(struct sluice_source_txn *txn)
{
    txn->open = false;
    txn->moved_n = 0;
    txn->records = 0;
    for (size_t i = 0; i < txn->last_n; i++) txn->last[i].moved = false;
}

enum sluice_verdict sluice_source_txn_failed(struct sluice_source_run *run, int code, uint64_t seq,
                                             struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    const struct sluice_topic *topic = sluice_window_item(task->window, seq);
    if (!sluice_kafka_refused(code) || sluice_kafka_topic_away(code, -1)) {
        sluice_err_set(err, "a record of the transaction was not delivered: %s",
                       sluice_kafka_error(code));
        return SLUICE_DROP;
    }
    sluice_count(&task->count.failed, 1);
    sluice_count(&task->count.errors, 1);
    return sluice_fail(err,
                       "topic %s refused a record (%s), so that the transaction cannot be "
                       "committed, whatever errors.tolerance says: correct the topic's settings or "
                       "what may be written to it, and restart the task",
                       topic ? topic->name : "?", sluice_kafka_error(code));
}

/* ---- when it ends ---- */

size_t sluice_source_txn_boundary(const struct sluice_source_run *run)
{
    const struct sluice_batch *batch = &run->batch;
    if (run->txn->boundary == AT_POLL) return batch->n;
    if (run->txn->boundary == AT_INTERVAL) return 0; /* the clock tells: due() */
    size_t n = batch->n;
    while (n > 0 && !(batch->records[n - 1].flags & SLUICE_RECORD_COMMIT)) n--;
    return n;
}

int64_t sluice_source_txn_due_ms(const struct sluice_source_run *run)
{
    const struct sluice_source_txn *txn = run->txn;
    if (txn->open && txn->boundary == AT_INTERVAL) return txn->began_ms + txn->interval_ms;
    return !txn->open && txn->moved_n > 0 ? run->commit_due_ms : INT64_MAX;
}

enum sluice_verdict sluice_source_txn_due(struct sluice_source_run *run, bool between,
                                          struct sluice_err *err)
{
    struct sluice_source_txn *txn = run->txn;
    int64_t now = sluice_now_ms();
    if (!txn->open)
        return txn->moved_n > 0 && now >= run->commit_due_ms ? sluice_source_txn_commit(run, err)
                                                             : SLUICE_OK;
    bool paused = between && sluice_task_pausing(run->task);
    int64_t age_ms = now - txn->began_ms;
    if (txn->boundary == AT_MARK) {
        if (!paused && (between || age_ms < txn->limit_ms)) return SLUICE_OK;
        sluice_err_set(err, "%s", paused ? "" : "a record waits for too long to be tried again");
        return SLUICE_DROP;
    }
    int64_t limit_ms = between && txn->boundary == AT_INTERVAL ? txn->interval_ms : txn->limit_ms;
    return paused || age_ms >= limit_ms ? sluice_source_txn_commit(run, err) : SLUICE_OK;
}

/* ---- committing ---- */

/* Between two tries of a call that waits for the brokers. False: the task must go now. */
static bool may_wait(struct sluice_source_run *run)
{
    struct sluice_source_txn *txn = run->txn;
    struct sluice_task *task = run->task;
    char text[512];
    bool down = sluice_producer_down(run->producer, text);
    sluice_task_kafka(task, down, text);
    if (!sluice_task_stopping(task)) return true;
    int64_t now = sluice_now_ms();
    if (!txn->until_ms) txn->until_ms = now + sluice_task_stop_ms(task) * 4 / 5;
    return now < txn->until_ms && sluice_task_may_work(task);
}

static enum sluice_verdict send_offset(struct sluice_source_run *run, struct sluice_topic *topic,
                                       const struct sluice_offset_record *record,
                                       struct sluice_err *err)
{
    struct sluice_message message = {.topic = topic->handle,
                                     .partition = SLUICE_ANY_PARTITION,
                                     .timestamp_ms = SLUICE_NO_TIMESTAMP,
                                     .key = record->key,
                                     .key_len = record->key_len,
                                     .value = record->value,
                                     .value_len = record->value_len};
    int code = 0;
    enum sluice_sent sent;
    while ((sent = sluice_producer_send(run->producer, &message, &code, err)) == SLUICE_SEND_FULL) {
        if (!may_wait(run)) return SLUICE_RETRY;
        sluice_window_wait(run->task->window, FULL_WAIT_MS);
    }
    if (sent == SLUICE_SENT) return SLUICE_OK;
    sluice_err_wrap(err, "writing offsets to topic %s failed", topic->name);
    return SLUICE_FAIL;
}

static enum sluice_verdict send_offsets(struct sluice_source_run *run,
                                        const struct sluice_offset_entry *entries, size_t n,
                                        struct sluice_err *err)
{
    bool fresh;
    enum sluice_verdict v = SLUICE_OK;
    struct sluice_offset_records records = {0};
    struct sluice_topic *topic =
        sluice_topics_find(&run->topics, sluice_connector_offsets_topic(run->offsets), &fresh);
    for (size_t i = 0; i < n && v == SLUICE_OK; i++)
        if (!sluice_connector_offsets_encode(run->offsets, &entries[i], &records, err))
            v = SLUICE_FAIL;
    for (size_t i = 0; i < records.n && v == SLUICE_OK; i++)
        v = send_offset(run, topic, &records.items[i], err);
    sluice_offset_records_fini(&records);
    return v;
}

static enum sluice_verdict await_commit(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_source_txn *txn = run->txn;
    enum sluice_verdict v;
    while ((v = sluice_transactions_commit(txn->producer, SLICE_MS, err)) == SLUICE_RETRY) {
        txn->unknown = true;
        if (!may_wait(run)) return SLUICE_RETRY;
        if (sluice_source_serve(run, err) == SLUICE_FAIL) return SLUICE_FAIL;
    }
    txn->unknown = false;
    if (v == SLUICE_FAIL) return broken(run, err);
    uint64_t seq;
    int code = v == SLUICE_DROP ? sluice_window_failed(run->task->window, &seq) : 0;
    if (code && sluice_kafka_refused(code)) return sluice_source_txn_failed(run, code, seq, err);
    return v;
}

/* What moved, as entries and positions with memory of the scratch batch. */
static bool gather(struct sluice_source_run *run, struct sluice_offset_entry *entries,
                   struct sluice_source_at *at, struct sluice_err *err)
{
    const struct sluice_source_txn *txn = run->txn;
    size_t n = 0;
    for (size_t i = 0; i < txn->last_n; i++) {
        if (!txn->last[i].moved) continue;
        at[n] = txn->last[i].at;
        if (!sluice_source_entry(run, &at[n], &entries[n]))
            return sluice_err_set(err, "the offset of what was sent could not be made, so that the "
                                       "transaction cannot be committed; the log says why");
        n++;
    }
    assert(n == txn->moved_n);
    return true;
}

enum sluice_verdict sluice_source_txn_commit(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_source_txn *txn = run->txn;
    size_t n = txn->moved_n;
    bool records = txn->open;
    int64_t begun_us = sluice_now_us();
    assert(!txn->unknown);
    if ((!records && n == 0) || !sluice_task_may_work(run->task)) return SLUICE_OK;
    run->commit_due_ms = sluice_now_ms() + run->commit_every_ms;
    sluice_source_own(run); /* the plugin is called, perhaps in the middle of a batch */
    sluice_batch_reset(&run->scratch);
    struct sluice_offset_entry *entries = sluice_batch_alloc(&run->scratch, n * sizeof *entries);
    struct sluice_source_at *at = sluice_batch_alloc(&run->scratch, n * sizeof *at);
    if (!gather(run, entries, at, err)) return SLUICE_FAIL;
    enum sluice_verdict v = begin(run, err);
    if (v == SLUICE_OK) v = send_offsets(run, entries, n, err);
    if (v == SLUICE_OK) v = await_commit(run, err);
    if (v != SLUICE_RETRY) sluice_task_commit(run->task, begun_us, v == SLUICE_OK);
    if (v != SLUICE_OK) return v;
    sluice_task_transaction(run->task, txn->records);
    clear(txn);
    if (records) sluice_source_through(run);
    sluice_connector_offsets_copy(run->offsets, entries, n);
    return sluice_source_acked(run, at, n, err);
}

enum sluice_verdict sluice_source_txn_at_boundary(struct sluice_source_run *run,
                                                  struct sluice_err *err)
{
    return run->txn->open ? sluice_source_txn_commit(run, err) : SLUICE_OK;
}

/* ---- aborting ---- */

enum sluice_verdict sluice_source_txn_abort(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_source_txn *txn = run->txn;
    enum sluice_verdict v = SLUICE_OK;
    if (txn->open)
        while ((v = sluice_transactions_abort(txn->producer, SLICE_MS, err)) == SLUICE_RETRY)
            if (!may_wait(run)) return SLUICE_RETRY;
    if (v == SLUICE_FAIL) return broken(run, err);
    clear(txn);
    return SLUICE_OK;
}

void sluice_source_txn_end(struct sluice_source_run *run, bool failed)
{
    struct sluice_source_txn *txn = run->txn;
    struct sluice_task *task = run->task;
    struct sluice_err err = {{0}};
    enum sluice_verdict v = SLUICE_OK;
    if (txn->unknown || !sluice_task_may_work(task)) return;
    bool cut = txn->open && txn->boundary == AT_MARK; /* in the midst of the source's own */
    if (!failed && !cut) v = sluice_source_txn_commit(run, &err);
    if (v != SLUICE_OK)
        sluice_log(SLUICE_WARN, task->connector, task->id,
                   "the last transaction was not committed, its records come again after the next "
                   "start: %s",
                   err.msg);
    if (txn->open && !txn->unknown) sluice_source_txn_abort(run, &err);
}
