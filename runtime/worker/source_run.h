/* source_run.h - the state of one source loop. Private to runtime/worker. */
#ifndef SLUICE_WORKER_SOURCE_RUN_H
#define SLUICE_WORKER_SOURCE_RUN_H

#include "data/batch.h"
#include "kafka/topics.h"
#include "worker/task_impl.h"
#include "worker/topic_creation.h"

struct source_partition {
    struct sluice_value map, offset;
    bool has_offset;
};

struct sluice_source_run {
    struct sluice_task *task;
    struct sluice_batch batch, scratch;
    struct sluice_batch known; /* partitions and their offsets; lives as long as the run */
    struct source_partition *partitions;
    size_t n, cap;
    struct sluice_producer *producer;
    struct sluice_topics topics;
    struct sluice_topic_creation *creation; /* NULL: brokers make topics, or nobody */
    struct sluice_backoff backoff;
    struct sluice_batch idle;         /* for polls with room for none, while a record is in hand */
    struct {                          /* the record that handle() works on */
        struct sluice_record *record; /* of batch; NULL: none */
        bool owned;                   /* it and those behind it need the plugin's memory no more */
        enum sluice_verdict served;
        struct sluice_err *err; /* of what went wrong while waiting to try again */
    } hand;
    int64_t commit_due_ms, commit_every_ms, service_due_ms;
};

/* ---- source_failure.c ---- */

/* From now on the batch's records, from the one in hand on, point to memory of the batch alone, so
 * that the plugin can be called before they are through. */
void sluice_source_own(struct sluice_source_run *run);
/* One record that cannot be sent: counted, logged, and errors.tolerance's word: DROP or FAIL, err
 * with topic, source partition and offset. rec NULL: it came back from Kafka, only the topic is
 * known. */
enum sluice_verdict sluice_source_tolerate(struct sluice_source_run *run,
                                           const struct sluice_failure *failure, const char *topic,
                                           const struct sluice_record *rec, struct sluice_err *err);
/* What Kafka refused. bytes: of the record; 0: they are gone, its place is the window's. */
enum sluice_verdict sluice_source_refused(struct sluice_source_run *run, int code,
                                          const char *topic, const struct sluice_record *rec,
                                          size_t bytes, struct sluice_err *err);

#endif
