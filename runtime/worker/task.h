/* task.h - one task: a thread that runs a source's or a sink's loop.
 *
 * Life: start -> (RUNNING <-> PAUSED)* -> ended, FAILED when it ended with an error. The thread
 * owns plugin, converters, transforms, window and consumer; everybody else asks (pause, stop,
 * abandon) by an atomic and the wake fd, and sees a snapshot (status, counters). Nothing here
 * blocks the caller but sluice_task_free(), which joins: call it only when ended. */
#ifndef SLUICE_WORKER_TASK_H
#define SLUICE_WORKER_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "worker/worker.h"

enum sluice_state {
    SLUICE_UNASSIGNED,
    SLUICE_RUNNING,
    SLUICE_PAUSED,
    SLUICE_STOPPED, /* connectors only */
    SLUICE_FAILED,
    SLUICE_RESTARTING
};

const char *sluice_state_name(enum sluice_state state); /* "RUNNING" ... */

struct sluice_task_status {
    enum sluice_state state;
    char trace[1024]; /* FAILED: why; RUNNING: what is being retried (host->trouble); else empty */
};

/* Counters since start; names as Connect's metrics (source-record-poll-total ...). */
struct sluice_task_counters {
    uint64_t polled;          /* source: from the plugin; sink: from Kafka */
    uint64_t written;         /* source: delivered to Kafka; sink: done */
    uint64_t bytes;           /* source: value and key bytes produced; sink: consumed */
    uint64_t filtered;        /* dropped by a transform */
    uint64_t skipped;         /* tolerated errors */
    uint64_t failed;          /* operations on records that failed, each try counted */
    uint64_t errors;          /* records that failed for good */
    uint64_t logged;          /* of these, logged */
    uint64_t retries;         /* RETRY verdicts */
    uint64_t in_flight;       /* now */
    uint64_t lag;             /* sink: records behind the end of its partitions, 0 when unknown */
    uint64_t commits;         /* offset commits that succeeded */
    uint64_t commit_failures; /* that failed, and are tried again with the next */
    uint64_t commit_skips;    /* left out, as the lease was over */
    uint64_t commit_us, commit_max_us; /* time that all answered ones took together; the longest */
    uint64_t partitions;               /* sink: that it has */
    uint64_t in_flight_sum, in_flight_max; /* in_flight at the end of each batch */
    uint64_t txns, txn_records;            /* source: committed transactions, records in them */
    uint64_t txn_min_records, txn_max_records;
    uint64_t dead_lettered;
    uint64_t dead_letter_failures;
    uint64_t last_error_ms; /* wall clock; 0: there was none */
    uint64_t batches;       /* poll()s of a source that gave records, put()s of a sink */
    uint64_t batch_us;      /* time that they took together; the longest */
    uint64_t batch_max_us;
    uint64_t batch_max_records;
    uint64_t age_ms, running_ms, paused_ms; /* since the task was made, and how it spent that */
};

/* Called on the task's thread when its state or trace changed; must be quick; no task function may
 * be called from it but status(). */
typedef void sluice_task_changed(void *arg, struct sluice_task *task);

/* Starts the thread at once; opening the plugin and connecting happen on it. config: the task's
 * whole config (the connector's keys included), copied. NULL only when no thread could be made. */
struct sluice_task *sluice_task_start(struct sluice_worker *worker,
                                      const struct sluice_plugin *plugin, const char *connector,
                                      int id, const struct sluice_map *config, bool paused,
                                      sluice_task_changed *changed, void *arg,
                                      struct sluice_err *err);
void sluice_task_pause(struct sluice_task *task, bool paused);
/* Asks for the drain and end. */
void sluice_task_stop(struct sluice_task *task);
/* Asks for the end without waiting for what is under way, and without committing: the work may be
 * another worker's by now. Also for one that was asked to stop. */
void sluice_task_abandon(struct sluice_task *task);
/* The thread is done (stopped or FAILED): free() will not block. */
bool sluice_task_ended(const struct sluice_task *task);
void sluice_task_free(struct sluice_task *task); /* joins; takes NULL */
void sluice_task_status(struct sluice_task *task, struct sluice_task_status *out);
void sluice_task_counters(struct sluice_task *task, struct sluice_task_counters *out);
const char *sluice_task_connector(const struct sluice_task *task);
int sluice_task_id(const struct sluice_task *task);

#endif
