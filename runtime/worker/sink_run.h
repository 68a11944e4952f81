/* sink_run.h - the state of one sink loop. Private to runtime/worker. */
#ifndef SLUICE_WORKER_SINK_RUN_H
#define SLUICE_WORKER_SINK_RUN_H

#include "data/batch.h"
#include "kafka/consumer.h"
#include "worker/task_impl.h"

#define SINK_BATCH_RECORDS 2000 /* max.poll.records when the user names none */
#define SINK_HELD_MAX 64        /* records that came although the partitions were paused */

struct sink_partition {
    char *topic;
    int32_t partition;
    bool assigned;
    unsigned told;       /* of the topic; see topic_use.h */
    int64_t next_offset; /* -1: nothing consumed yet */
};

struct sluice_dead_letter;

struct sluice_sink_run {
    struct sluice_task *task;
    struct sluice_consumer *consumer;
    struct sluice_dead_letter *letter;   /* NULL: none is configured */
    struct sluice_batch batch;           /* consumed, not taken by put() yet */
    struct rd_kafka_message_s **handles; /* what batch points into, unless the window keeps it */
    size_t handles_n;
    struct sluice_consumed held[SINK_HELD_MAX];
    size_t held_n, held_max;           /* so many always have room in the window */
    struct sink_partition *partitions; /* by the window's partition number; never shrinks */
    size_t n, cap;
    uint32_t last;  /* partition of the last record: they come in runs */
    uint64_t taken; /* records with a smaller seq were taken by put() */
    size_t max_records;
    bool retrying;                         /* put() said RETRY: the batch comes again */
    bool revoked;                          /* partitions went during this fill */
    bool closing;                          /* nothing is drained any more */
    struct {                               /* the message that take() works on */
        struct rd_kafka_message_s *handle; /* NULL: none; not to be freed meanwhile */
        uint64_t seq;
        bool released; /* the window has let go of it */
        enum sluice_verdict served;
        struct sluice_err *err; /* of what went wrong while waiting to try again */
    } hand;
    int64_t commit_due_ms, commit_every_ms, lag_due_ms, polled_ms, drain_ms;
};

#endif
