/* offsets_admin.h - what changing a connector's offsets by hand needs of the worker: its config
 * with variables replaced, its plugin's opinion, and the consumer group of a sink.
 * Thread: any. Waits for brokers and plugins. */
#ifndef SLUICE_WORKER_OFFSETS_ADMIN_H
#define SLUICE_WORKER_OFFSETS_ADMIN_H

#include "base/map.h"
#include "kafka/group_offsets.h"
#include "worker/worker.h"

/* The connector's config with its variables replaced; out: zeroed, the caller's. False: a provider
 * failed, err. */
bool sluice_worker_resolve(struct sluice_worker *worker, const struct sluice_map *config,
                           struct sluice_map *out, struct sluice_err *err);
/* Asks the plugin about the changes (plugin.h). False: refused, err. *whole: nothing but these
 * offsets keeps the connector's position. config: variables replaced. */
bool sluice_worker_offsets_make_sense(const struct sluice_plugin *plugin,
                                      const struct sluice_map *config,
                                      const struct sluice_offset_change *changes, size_t n,
                                      bool *whole, struct sluice_err *err);

/* ---- the consumer group of a sink connector (kafka/group_offsets.h) ---- */

struct sluice_sink_group;

/* config: variables replaced; the group is connect-<connector> or what consumer.group.id and
 * consumer.override.group.id say, the client is made of the worker's admin settings and
 * admin.override.*. Does not connect. NULL: err. */
struct sluice_sink_group *sluice_sink_group_new(struct sluice_worker *worker, const char *connector,
                                                const struct sluice_map *config,
                                                struct sluice_err *err);
void sluice_sink_group_free(struct sluice_sink_group *group); /* takes NULL */
enum sluice_verdict sluice_sink_group_list(struct sluice_sink_group *group, int64_t ms,
                                           struct sluice_group_offset **list, size_t *n,
                                           struct sluice_err *err);
enum sluice_verdict sluice_sink_group_alter(struct sluice_sink_group *group,
                                            const struct sluice_group_offset *changes, size_t n,
                                            int64_t ms, bool *busy, struct sluice_err *err);
enum sluice_verdict sluice_sink_group_delete(struct sluice_sink_group *group, int64_t ms,
                                             bool *busy, struct sluice_err *err);

#endif
