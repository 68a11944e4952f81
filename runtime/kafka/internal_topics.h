/* internal_topics.h - the topics that a cluster keeps configs, offsets and statuses in: made when
 * they are not there, and looked at before anything trusts them (spec: connect.md section 3).
 * A topic whose cleanup.policy is not exactly "compact" would forget what was never deleted, and a
 * config topic of several partitions would have no order: with these a worker must not start. */
#ifndef SLUICE_KAFKA_INTERNAL_TOPICS_H
#define SLUICE_KAFKA_INTERNAL_TOPICS_H

#include "base/map.h"
#include "sluice/plugin.h"

struct sluice_internal_topic {
    const char *name;
    const char *kind; /* "config", "offset" or "status": its keys begin with "<kind>.storage." */
    int partitions, replication_factor; /* -1: the broker's default */
    bool single;                        /* it must have one partition */
    const struct sluice_map *config;    /* further settings to make it with; NULL: none */
};

/* The topic settings among a worker's properties: "<kind>.storage.<setting>" but for topic,
 * partitions, replication.factor, and cleanup.policy, which is ignored with a warning. out: zeroed;
 * the caller ends it. */
void sluice_internal_topic_settings(const struct sluice_map *worker, const char *kind,
                                    struct sluice_map *out);
/* All of them, with a client of its own for the time of the call. props: Java names of an admin
 * client's properties. Waits at most about ms. OK: they are there and fit; RETRY: brokers cannot
 * be asked now, call again; FAIL: an operator must act, err says how. */
enum sluice_verdict sluice_internal_topics_ensure(const struct sluice_map *props, const char *who,
                                                  const struct sluice_internal_topic *topics,
                                                  size_t n, int ms, struct sluice_err *err);

#endif
