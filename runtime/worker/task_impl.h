/* task_impl.h - the inside of a task, for the files of runtime/worker only.
 * Owner: the task's thread, but for what says otherwise. */
#ifndef SLUICE_WORKER_TASK_IMPL_H
#define SLUICE_WORKER_TASK_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "kafka/producer.h"
#include "providers/variables.h"
#include "worker/inflight.h"
#include "worker/override_policy.h"
#include "worker/pipeline.h"
#include "worker/retry.h"
#include "worker/task.h"

struct sluice_source_run; /* source_task.c */
struct sluice_sink_run;   /* sink_task.c */

/* Written by the task's thread (written: by reports too), read by anybody. */
struct sluice_counters {
    _Atomic uint64_t polled, written, bytes, filtered, skipped, failed, errors, logged, retries,
        in_flight, lag, commits, dead_lettered, dead_letter_failures, last_error_ms, batches,
        batch_us, batch_max_us, batch_max_records, commit_failures, commit_skips, commit_us,
        commit_max_us, partitions, in_flight_sum, in_flight_max, txns, txn_records, txn_min_records,
        txn_max_records;
};

struct sluice_trouble { /* what is being retried; empty: nothing */
    char text[480];
    int64_t since_ms; /* wall clock */
};

struct sluice_errors { /* errors.* of the connector */
    bool tolerate, log, log_messages, context_headers;
    int64_t retry_timeout_ms, retry_delay_max_ms;
    uint64_t random;
    const char *dead_letter_topic; /* NULL: none */
    int dead_letter_replication;
};

struct sluice_task {
    struct sluice_worker *worker;
    const struct sluice_plugin *plugin;
    const struct sluice_host *host;
    char *connector;
    int id;
    struct sluice_map config;
    sluice_task_changed *changed;
    void *changed_arg;
    pthread_t thread;
    struct sluice_window *window;
    struct sluice_wake *wake;                         /* any thread wakes */
    _Atomic bool stopping, abandoned, pausing, ended; /* any thread */
    pthread_mutex_t mutex;                            /* leaf: status */
    struct sluice_task_status status;
    struct sluice_counters count;
    int64_t made_ms, state_since_ms, state_ms[SLUICE_RESTARTING + 1]; /* under mutex: time spent */
    /* from here on the task's thread alone */
    struct sluice_conf *framework, *conf; /* common keys; the plugin's */
    void *self;
    struct sluice_pipeline pipe;
    struct sluice_errors errors;
    struct sluice_source_run *source;
    struct sluice_sink_run *sink;
    struct sluice_trouble trouble, kafka_trouble, retry_trouble; /* the plugin's, the brokers', of
                                                                  * the record in hand */
};

/* Loops; they return when the task is to end: OK stopped, FAIL err. */
enum sluice_verdict sluice_source_run(struct sluice_task *task, struct sluice_err *err);
enum sluice_verdict sluice_sink_run(struct sluice_task *task, struct sluice_err *err);

/* task.c, for the loops */
enum sluice_verdict sluice_task_open(struct sluice_task *task, struct sluice_err *err);
void sluice_task_close(struct sluice_task *task);
bool sluice_task_stopping(const struct sluice_task *task);
bool sluice_task_pausing(const struct sluice_task *task);
/* The worker holds its lease (worker.h) and the task was not abandoned. Asked before every poll,
 * send, put and commit; when it is false, do nothing of these and wait. */
bool sluice_task_may_work(const struct sluice_task *task);
void sluice_task_state(struct sluice_task *task, enum sluice_state state);
void sluice_task_trouble(struct sluice_task *task, const char *what);
/* Trouble with the brokers, kept apart from the plugin's own: one may end while the other lasts.
 * down false: gone. */
void sluice_task_kafka(struct sluice_task *task, bool down, const char *what);
/* What is tried again for the record in hand; NULL: it went through. */
void sluice_task_retrying(struct sluice_task *task, const char *what);
/* A poll() or put() of n records that began at begun_us (sluice_now_us()) is over. */
void sluice_task_batch(struct sluice_task *task, int64_t begun_us, size_t n);
/* Offsets were committed, or not; begun_us: sluice_now_us() before. */
void sluice_task_commit(struct sluice_task *task, int64_t begun_us, bool ok);
/* A transaction of n records was committed. */
void sluice_task_transaction(struct sluice_task *task, uint64_t n);
/* Waits with an ear for stop and pause. */
void sluice_task_pause_ms(struct sluice_task *task, int64_t ms);
int64_t sluice_task_stop_ms(const struct sluice_task *task); /* how long draining may take */

/* host functions */
uint32_t sluice_source_partition(struct sluice_task *task, const struct sluice_value *map);
const struct sluice_value *sluice_source_resume(struct sluice_task *task, uint32_t partition);
bool sluice_source_marks(struct sluice_task *task);
void sluice_sink_done(struct sluice_task *task, const uint64_t *seqs, size_t n);
enum sluice_verdict sluice_sink_reject(struct sluice_task *task, uint64_t seq, const char *why,
                                       struct sluice_err *err);

/* worker.c */
struct sluice_producers *sluice_worker_producers(struct sluice_worker *worker);
struct sluice_offset_store *sluice_worker_offsets(struct sluice_worker *worker);
enum sluice_override_policy sluice_worker_policy(const struct sluice_worker *worker);
const struct sluice_map *sluice_worker_props(const struct sluice_worker *worker);

static inline void sluice_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

#endif
