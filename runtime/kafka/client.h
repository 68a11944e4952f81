/* client.h - Java client properties made into librdkafka's: mapped, accepted with one warning, or
 * refused with a reason. The table is client.c; docs/CONFIG.md is printed from it. */
#ifndef SLUICE_KAFKA_CLIENT_H
#define SLUICE_KAFKA_CLIENT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/map.h"
#include "sluice/plugin.h"

struct rd_kafka_conf_s;

enum sluice_client { SLUICE_CLIENT_PRODUCER, SLUICE_CLIENT_CONSUMER, SLUICE_CLIENT_ADMIN };

/* Kafka Connect's layers, later ones winning: framework defaults, the worker's prefixed keys
 * ("producer.", "consumer."; for admin all plain client keys and then "admin."), the connector's
 * "<kind>.override." keys. out: zeroed; Java property names. */
void sluice_client_layers(enum sluice_client client, const struct sluice_map *worker,
                          const struct sluice_map *connector, struct sluice_map *out);
/* A librdkafka conf from Java properties (its own property names work too). who names the client
 * in warnings and errors. NULL: refused; err names property, value and reason. Logs of the client
 * go to sluice's log. Owner: the caller, until a client takes it. */
struct rd_kafka_conf_s *sluice_client_conf(enum sluice_client client,
                                           const struct sluice_map *props, const char *who,
                                           struct sluice_err *err);
/* One text for equal effective configs but for client.id: tasks with the same one share a client.
 * Owned by the caller. */
char *sluice_client_identity(const struct sluice_map *props);
void sluice_client_docs(FILE *out);
/* The version of the librdkafka that is running, "2.0.2"; a constant. */
const char *sluice_client_library(void);

#endif
