/* offsets.h - GET, PATCH and DELETE of a connector's offsets (KIP-875), shared by both herders.
 *
 * A source's offsets are in the worker's store or a topic of its own (worker/connector_offsets.h).
 * A sink's are those of its consumer group in Kafka, which admin requests read and change
 * (kafka/group_offsets.h).
 *
 * Thread: any. Everything here waits: for brokers up to a minute, for a plugin's own check. So it
 * is called without the herder's lock, on copies, and the herder sees to it that nobody resumes or
 * reconfigures the connector meanwhile. */
#ifndef SLUICE_HERDER_OFFSETS_H
#define SLUICE_HERDER_OFFSETS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "herder/answer.h"
#include "store/target.h"
#include "worker/worker.h"

/* The connector that is asked about; all borrowed during the call. */
struct sluice_offsets_of {
    struct sluice_worker *worker;
    const char *connector;
    const struct sluice_map *config; /* as given: variables are resolved here */
    const struct sluice_plugin *plugin;
    size_t zombies; /* its tasks that were told to stop in this process and have not ended */
};

/* Whether offsets may be changed: the connector is STOPPED and has no tasks (tasks_n: committed
 * task configs, or slots). False: answer is Connect's 400. */
bool sluice_offsets_alterable(const char *connector, enum sluice_target target, int tasks_n,
                              struct sluice_answer *answer);
/* {"offsets":[{"partition":{},"offset":{}}]} */
void sluice_offsets_list(const struct sluice_offsets_of *of, struct sluice_answer *answer);
/* changes: the array of {"partition","offset"}, offset null forgets a partition; NULL: all of them
 * are forgotten. The connector is alterable, and stays so until this returns. */
void sluice_offsets_alter(const struct sluice_offsets_of *of, const json_t *changes,
                          struct sluice_answer *answer);

#endif
