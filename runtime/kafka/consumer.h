/* consumer.h - a sink task's member of its consumer group.
 * Owner: the task's thread; the callbacks run inside sluice_consumer_next() and _close(). */
#ifndef SLUICE_KAFKA_CONSUMER_H
#define SLUICE_KAFKA_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "sluice/plugin.h"

struct sluice_consumer;
struct rd_kafka_message_s;

struct sluice_topic_partition {
    const char *topic;
    int32_t partition;
    int64_t offset; /* commit: of the next record wanted */
};

struct sluice_rebalance {
    void *arg;
    void (*assigned)(void *arg, const struct sluice_topic_partition *, size_t n);
    /* Before they go: drain and commit; lost: they are another's already, commit nothing. */
    void (*revoked)(void *arg, const struct sluice_topic_partition *, size_t n, bool lost);
};

/* props: Java names (kafka/client.h) with group.id. topics: comma separated; else regex, Java's,
 * full match, re-read with the metadata's age. wake_fd gets readable when there is something to
 * consume (-1: none). NULL: err. */
struct sluice_consumer *sluice_consumer_new(const struct sluice_map *props, const char *who,
                                            const char *topics, const char *regex,
                                            const struct sluice_rebalance *rebalance, int wake_fd,
                                            struct sluice_err *err);
/* Leaves the group (revoked() is called) and frees; takes NULL. */
void sluice_consumer_close(struct sluice_consumer *consumer);

struct sluice_consumed {
    const char *topic; /* lives as long as handle */
    int32_t partition;
    int64_t offset, timestamp_ms; /* SLUICE_NO_TIMESTAMP: none */
    bool append_time;             /* the timestamp is the broker's */
    const void *key, *value;      /* NULL: null */
    size_t key_len, value_len;
    struct rd_kafka_message_s *handle; /* the caller frees it */
};
enum sluice_next { SLUICE_NEXT_NONE, SLUICE_NEXT_MESSAGE, SLUICE_NEXT_FAILED };
/* One message, waiting at most wait_ms. FAILED: the group or topic refuses us for good; err. */
enum sluice_next sluice_consumer_next(struct sluice_consumer *consumer, int wait_ms,
                                      struct sluice_consumed *out, struct sluice_err *err);
/* A kept message, read again. */
void sluice_consumed_read(struct rd_kafka_message_s *handle, struct sluice_consumed *out);
/* i-th header; false past the end. */
bool sluice_consumed_header(struct rd_kafka_message_s *handle, size_t i, const char **key,
                            const void **data, size_t *len);
void sluice_consumed_free(struct rd_kafka_message_s *handle);

/* wait false: sent; its failure is logged and shows in commit_failed(). */
bool sluice_consumer_commit(struct sluice_consumer *consumer,
                            const struct sluice_topic_partition *offsets, size_t n, bool wait,
                            struct sluice_err *err);
/* Commits that were answered so far, those of them that failed, and how long they took. */
struct sluice_commits {
    uint64_t answered, failed;
    uint64_t us, max_us; /* together; the longest */
};
void sluice_consumer_commits(const struct sluice_consumer *consumer, struct sluice_commits *out);
/* Whether a commit that was not waited for failed since the last call. */
bool sluice_consumer_commit_failed(struct sluice_consumer *consumer);
/* All assigned partitions. */
void sluice_consumer_pause(struct sluice_consumer *consumer, bool pause);
/* Records between the next offset to consume and the end, as last seen; 0 when unknown. */
uint64_t sluice_consumer_lag(struct sluice_consumer *consumer,
                             const struct sluice_topic_partition *next, size_t n);
/* Whether the brokers cannot be reached now; text: why. */
bool sluice_consumer_down(struct sluice_consumer *consumer, char text[512]);

#endif
