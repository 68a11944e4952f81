/* topic_log.h - compacted topics that are a worker's memory: one reader that hands every record of
 * some topics to callbacks and then follows them (Connect's KafkaBasedLog; KIP-26).
 *
 * The reader is one consumer without a group, read_committed, from the beginning of every
 * partition, with a thread of its own. Records of a partition come in order; partitions in any.
 * Written against librdkafka 2.0.2, which Debian 12 has.
 * Thread: functions may be called from any thread but the reader's; callbacks run on it and must
 * be quick. What a record points to lives until its callback returns. */
#ifndef SLUICE_KAFKA_TOPIC_LOG_H
#define SLUICE_KAFKA_TOPIC_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "sluice/plugin.h"

struct sluice_log_record {
    const char *topic;
    int32_t partition;
    int64_t offset, timestamp_ms;
    const char *key, *value; /* not terminated; NULL: null (a tombstone) */
    size_t key_len, value_len;
};

struct sluice_log_topic {
    const char *name;
    void (*on_record)(void *arg, const struct sluice_log_record *record);
    void *arg;
};

struct sluice_log_reader;

/* props: Java names of a consumer's properties (kafka/client.h). The topics exist. Starts to read
 * at once. NULL: err. */
struct sluice_log_reader *sluice_log_reader_new(const struct sluice_map *props, const char *who,
                                                const struct sluice_log_topic *topics, size_t n,
                                                struct sluice_err *err);
/* Everything that was committed to the topic (NULL: to all of them) when this was called has been
 * handed to its callback; transactions that were open then have ended. RETRY: not within
 * timeout_ms; FAIL: the topic is gone or refused; err. */
enum sluice_verdict sluice_log_reader_catch_up(struct sluice_log_reader *reader, const char *topic,
                                               int64_t timeout_ms, struct sluice_err *err);
/* Whether the brokers cannot be reached now; text: why. */
bool sluice_log_reader_down(struct sluice_log_reader *reader, char text[512]);
void sluice_log_reader_free(struct sluice_log_reader *reader); /* joins; takes NULL */

/* ---- writing, without transactions (status and offsets topics) ---- */

struct sluice_log_writer;
/* On the thread that serves reports; quick. error NULL: the record is in Kafka, acks=all. */
typedef void sluice_log_written(void *arg, const char *error);

/* One producer with Java's partitioner; keeps trying until its records' fate is known (Connect's
 * delivery.timeout.ms is without end). */
struct sluice_log_writer *sluice_log_writer_new(const struct sluice_map *props, const char *who,
                                                struct sluice_err *err);
/* Learns where the topic's partitions are, so that its first record does not wait for librdkafka's
 * next look, up to a second later. Waits at most ms; no harm when it fails. */
void sluice_log_writer_meet(struct sluice_log_writer *writer, const char *topic, int ms);
/* Copies. written may be NULL, and may be called before this returns. */
void sluice_log_write(struct sluice_log_writer *writer, const char *topic, const char *key,
                      size_t key_len, const char *value, size_t value_len,
                      sluice_log_written *written, void *arg);
/* True: all that was written so far has its answer. */
bool sluice_log_writer_flush(struct sluice_log_writer *writer, int64_t timeout_ms);
void sluice_log_writer_free(struct sluice_log_writer *writer); /* what is unsent is given up */

#endif
