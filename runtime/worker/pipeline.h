/* pipeline.h - what stands between a plugin and Kafka in one task: converters and transforms.
 * Owner: the task's thread. */
#ifndef SLUICE_WORKER_PIPELINE_H
#define SLUICE_WORKER_PIPELINE_H

#include <stdbool.h>

#include "base/map.h"
#include "data/batch.h"
#include "kafka/consumer.h"
#include "plugin/options.h"
#include "plugin/registry.h"

struct sluice_part {                    /* one opened converter, transform or predicate */
    const struct sluice_plugin *plugin; /* NULL: none */
    struct sluice_conf *conf;
    void *self;
};

struct sluice_stage {
    struct sluice_part transform, predicate;
    bool negate;
};

struct sluice_failure;

/* Called when an operation on a record said RETRY (the registry is away): waits, and says whether
 * to try it again. tries: how often it was tried; began_ms: when first. */
struct sluice_again {
    bool (*wait)(void *arg, const struct sluice_failure *failure, unsigned tries, int64_t began_ms);
    void *arg;
};

struct sluice_pipeline {
    struct sluice_part key, value, header;
    struct sluice_again again; /* wait NULL: RETRY is a failure at once */
    struct sluice_stage *stages;
    size_t n;
    struct sluice_buf key_bytes, value_bytes, header_bytes; /* of the record in hand */
};

/* Where a record failed; the words of __connect.errors.stage. */
struct sluice_failure {
    const char *stage;     /* "VALUE_CONVERTER", "TRANSFORMATION" ... */
    const char *class;     /* Java class of the part */
    const char *exception; /* Java class that Connect users know the failure by */
    bool retriable;        /* it said RETRY, and there was no time left */
    struct sluice_err err;
};

/* Opens all that the connector's config asks for; the worker's converters where it names none.
 * False: err. close() takes a zeroed one and one that failed to open. */
bool sluice_pipeline_open(struct sluice_pipeline *pipe, const struct sluice_registry *registry,
                          const struct sluice_host *host, struct sluice_task *task,
                          const struct sluice_map *worker, const struct sluice_map *connector,
                          struct sluice_err *err);
void sluice_pipeline_close(struct sluice_pipeline *pipe);

/* OK, DROP (a transform left the record out) or FAIL. */
enum sluice_verdict sluice_pipeline_transform(struct sluice_pipeline *pipe,
                                              struct sluice_batch *batch, struct sluice_record *rec,
                                              struct sluice_failure *failure);
/* Key and value to bytes, in pipe->key_bytes and value_bytes; null: data NULL in Kafka's sense. */
bool sluice_pipeline_encode(struct sluice_pipeline *pipe, const struct sluice_record *rec,
                            bool *key_null, bool *value_null, struct sluice_failure *failure);
/* One header to pipe->header_bytes. */
bool sluice_pipeline_encode_header(struct sluice_pipeline *pipe, const char *topic,
                                   const struct sluice_header *header, bool *null,
                                   struct sluice_failure *failure);
/* A consumed message into a record of the batch, headers included. */
bool sluice_pipeline_decode(struct sluice_pipeline *pipe, struct sluice_batch *batch,
                            const struct sluice_consumed *message, struct sluice_record *rec,
                            struct sluice_failure *failure);

/* The effective converter config: which plugin name and under which prefix its keys stand. which:
 * "key.converter" ... NULL: named nowhere. */
const char *sluice_converter_name(const struct sluice_map *worker,
                                  const struct sluice_map *connector, const char *which,
                                  const struct sluice_map **from);

#endif
