/* admin.h - topics made by way of a producer's client, so that a task needs no client of its own.
 * Thread: any; the calls wait for the brokers, at most as long as they are told. */
#ifndef SLUICE_KAFKA_ADMIN_H
#define SLUICE_KAFKA_ADMIN_H

#include "base/map.h"
#include "kafka/producer.h"

struct sluice_new_topic {
    const char *name;
    int partitions, replication_factor; /* -1: the broker's default */
    const struct sluice_map *config;    /* NULL: none */
};

/* Creates the topic when it is not there; it is looked for first, so that whoever may not create
 * topics can use existing ones. Waits at most twice ms. RETRY: the brokers could not be asked now;
 * err. *made: whether it was this call. */
enum sluice_verdict sluice_admin_ensure_topic(struct sluice_producer *producer,
                                              const struct sluice_new_topic *topic, int ms,
                                              bool *made, struct sluice_err *err);
/* Whether an error's code (rd_kafka_resp_err_t) says nothing of what was asked for, only that the
 * cluster cannot answer now. */
bool sluice_admin_passes(int code);

#endif
