/* producer.h - librdkafka producers, shared by the tasks whose effective configs are equal.
 *
 * A producer has one thread of its own that serves delivery reports and events. Thread: get, put
 * and send from any; delivered() runs on the producer's thread and must only note the result. */
#ifndef SLUICE_KAFKA_PRODUCER_H
#define SLUICE_KAFKA_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "sluice/plugin.h"

struct sluice_producers; /* the pool */
struct sluice_producer;
struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_headers_s;

/* error 0 or an rd_kafka_resp_err_t; opaque as given to send; where the record is now, offset below
 * 0: not known. */
typedef void sluice_delivered(void *opaque, int error, int32_t partition, int64_t offset);
struct sluice_producers *sluice_producers_new(sluice_delivered *delivered);
void sluice_producers_free(struct sluice_producers *pool); /* all producers were put back */

/* A producer for these Java properties (kafka/client.h), shared when one is there. NULL: err. */
struct sluice_producer *sluice_producer_get(struct sluice_producers *pool,
                                            const struct sluice_map *props, const char *who,
                                            struct sluice_err *err);
/* The last user's put purges what is undelivered (reported as such) and ends the client. */
void sluice_producer_put(struct sluice_producer *producer);

/* A topic's handle; the caller frees it with sluice_producer_topic_free() before its put. Waits
 * some milliseconds while the broker makes the topic. */
struct rd_kafka_topic_s *sluice_producer_topic(struct sluice_producer *producer, const char *name);
void sluice_producer_topic_free(struct rd_kafka_topic_s *topic);

struct rd_kafka_headers_s *sluice_headers_new(size_t n);
/* data NULL: null value. Copies. */
void sluice_headers_add(struct rd_kafka_headers_s *headers, const char *key, const void *data,
                        size_t len);
void sluice_headers_free(struct rd_kafka_headers_s *headers);

struct sluice_message {
    struct rd_kafka_topic_s *topic;
    int32_t partition;       /* -1: partitioner */
    int64_t timestamp_ms;    /* SLUICE_NO_TIMESTAMP: now */
    const void *key, *value; /* NULL: null; copied */
    size_t key_len, value_len;
    struct rd_kafka_headers_s *headers; /* NULL: none; taken over when sent, */
    bool headers_lent; /* but these only until delivered() is called: then the caller's again */
    void *opaque;      /* with a reader of delivered(): even, as pointers to structs are */
};

enum sluice_sent { SLUICE_SENT, SLUICE_SEND_FULL /* try again later */, SLUICE_SEND_FAILED };
/* FAILED: this message can never be sent (too large, unknown partition); err and *code say why. */
enum sluice_sent sluice_producer_send(struct sluice_producer *producer,
                                      const struct sluice_message *message, int *code,
                                      struct sluice_err *err);
/* "invalid message", "message size too large" ... */
const char *sluice_kafka_error(int code);
bool sluice_kafka_too_large(int code); /* the message, or the batch that it was in */
bool sluice_kafka_refused(int code);   /* the same record would be refused again */
/* Brokers or client do not know the topic, for now. partition: which the record asked for; -1: none
 * or not known. */
bool sluice_kafka_topic_away(int code, int32_t partition);
/* Whether the brokers cannot be reached now; text: what librdkafka says. */
bool sluice_producer_down(struct sluice_producer *producer, char text[512]);
/* A fatal error (fenced, broken idempotence): the client must be given up. */
bool sluice_producer_fatal(struct sluice_producer *producer, char text[512]);
/* Cluster id; waits at most ms. False: err. */
bool sluice_producer_cluster_id(struct sluice_producer *producer, int ms, char out[64],
                                struct sluice_err *err);

/* ---- for runtime/kafka only ---- */

struct rd_kafka_conf_s;
/* A producer in no pool; takes conf. NULL: err. Ended by sluice_producer_end(), never put. */
struct sluice_producer *sluice_producer_make(struct rd_kafka_conf_s *conf, const char *who,
                                             sluice_delivered *delivered, struct sluice_err *err);
void sluice_producer_end(struct sluice_producer *producer); /* as the last put */
/* Its thread stands still from park (which waits for that, briefly) to unpark; the caller serves
 * meanwhile: of two that poll one client, the one that waits for an event often sleeps through. */
void sluice_producer_park(struct sluice_producer *producer, bool park);
struct rd_kafka_s *sluice_producer_client(struct sluice_producer *producer);

#endif
