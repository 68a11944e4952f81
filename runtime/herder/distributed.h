/* distributed.h - the herder of one worker among several: configs, states and offsets in three
 * compacted topics of Kafka, work shared by members of a group (spec: Kafka Connect's distributed
 * mode, KIP-415, KIP-507, KIP-618, KIP-745, KIP-875; docs/ARCHITECTURE.md section 5).
 *
 * Every worker follows the config topic and runs what the assignments in it name its incarnation
 * for (distributed_follow.c). The member that owns the group's partition leads (leader.h): it alone
 * writes that topic. */
#ifndef SLUICE_HERDER_DISTRIBUTED_H
#define SLUICE_HERDER_DISTRIBUTED_H

#include "herder/herder.h"
#include "kafka/topic_log.h"
#include "store/offset_store.h"

struct sluice_distributed_config {
    struct sluice_worker *worker;        /* all borrowed until free */
    const struct sluice_map *props;      /* the worker's, variables replaced */
    struct sluice_log_writer *writer;    /* of statuses and offsets */
    struct sluice_offset_store *offsets; /* over that writer */
    struct sluice_http_client *http;     /* asks other workers */
    /* The worker cannot go on: see sluice_distributed_failed(). Once, on a thread of the herder. */
    void (*failed)(void *arg);
    void *arg;
};

/* What a distributed worker's properties lack; findings with Connect's words. */
void sluice_distributed_check(const struct sluice_map *props, struct sluice_report *report);
/* The writer of statuses and offsets, made before the worker, whose tasks use it. NULL: err. */
struct sluice_log_writer *sluice_distributed_writer(const struct sluice_map *props,
                                                    struct sluice_err *err);

/* Connects to nothing yet; answers requests at once, most of them by 503 or waiting. */
struct sluice_herder *sluice_distributed_new(const struct sluice_distributed_config *config,
                                             struct sluice_err *err);
/* REST listens, and others reach it by url. Goes on in the background: topics, logs, group. */
bool sluice_distributed_start(struct sluice_herder *herder, const char *url,
                              struct sluice_err *err);
/* True: failed() was called; err says why. */
bool sluice_distributed_failed(struct sluice_herder *herder, struct sluice_err *err);

#endif
