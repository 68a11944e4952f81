/* status_log.h - the status topic: what became of connectors and tasks, and which topics they use
 * (spec: Kafka Connect's KafkaStatusBackingStore, KIP-558).
 *
 * Every worker writes for its own work and reads everybody's. A put is queued and tried until it is
 * in Kafka; of several for one key only the newest is still sent. "Safe" puts (UNASSIGNED, FAILED)
 * are left out when another worker with a higher generation wrote last.
 * Thread: any; record() runs on the reader's. */
#ifndef SLUICE_STORE_STATUS_LOG_H
#define SLUICE_STORE_STATUS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kafka/topic_log.h"

#define SLUICE_STATUS_CONNECTOR -1 /* in place of a task's number */
#define SLUICE_STATUS_WORKER_MAX 280

struct sluice_status {
    char state[16]; /* "RUNNING" ... */
    char *trace;    /* NULL: none */
    char worker_id[SLUICE_STATUS_WORKER_MAX];
    int32_t generation;
    char version[64]; /* empty: null, or absent (before 4.1) */
};

struct sluice_status_log;

/* writer is borrowed until free. changed: a status came in (of task, or SLUICE_STATUS_CONNECTOR);
 * on the reader's thread, without the lock; quick. */
struct sluice_status_log *sluice_status_log_new(struct sluice_log_writer *writer, const char *topic,
                                                void (*changed)(void *arg, const char *connector,
                                                                int task),
                                                void *arg);
void sluice_status_log_free(struct sluice_status_log *log);
void sluice_status_log_record(void *log, const struct sluice_log_record *record);

/* Copies. */
void sluice_status_put(struct sluice_status_log *log, const char *connector, int task,
                       const struct sluice_status *status);
/* The same, safely. */
void sluice_status_put_safe(struct sluice_status_log *log, const char *connector, int task,
                            const struct sluice_status *status);
void sluice_status_delete(struct sluice_status_log *log, const char *connector, int task);
/* Copy of the last one read; the caller frees trace. An UNASSIGNED that is older than a RUNNING, or
 * than what another worker says, does not count. False: none. */
bool sluice_status_get(struct sluice_status_log *log, const char *connector, int task,
                       struct sluice_status *out);
/* Numbers of the tasks with a status, ascending; the caller frees. Every connector with any status:
 * names sorted, one block. Highest generation in the topic. */
int *sluice_status_tasks(struct sluice_status_log *log, const char *connector, size_t *n);
char **sluice_status_connectors(struct sluice_status_log *log, size_t *n);
int32_t sluice_status_generation(struct sluice_status_log *log);

/* status-topic-T:connector-N. */
void sluice_status_put_topic(struct sluice_status_log *log, const char *connector, int task,
                             const char *topic);
void sluice_status_delete_topic(struct sluice_status_log *log, const char *connector,
                                const char *topic);
char **sluice_status_topics(struct sluice_status_log *log, const char *connector, size_t *n);

#endif
