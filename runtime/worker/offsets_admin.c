/* offsets_admin.c - see offsets_admin.h. */
#include "worker/offsets_admin.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "kafka/client.h"
#include "plugin/host.h"
#include "worker/task_impl.h"

bool sluice_worker_resolve(struct sluice_worker *worker, const struct sluice_map *config,
                           struct sluice_map *out, struct sluice_err *err)
{
    struct sluice_report report = {0};
    bool ok = sluice_variables_resolve(sluice_worker_variables(worker), config, out, NULL, &report);
    if (!ok) {
        assert(report.n > 0);
        sluice_err_set(err, "%s", report.items[0].message);
    }
    sluice_report_fini(&report);
    return ok;
}

bool sluice_worker_offsets_make_sense(const struct sluice_plugin *plugin,
                                      const struct sluice_map *config,
                                      const struct sluice_offset_change *changes, size_t n,
                                      bool *whole, struct sluice_err *err)
{
    /* Appended to the ABI: the description of an older plugin ends before it. */
    *whole = plugin->size >= offsetof(struct sluice_plugin, alter_offsets) + sizeof(void *) &&
             plugin->alter_offsets;
    if (!*whole) return true;
    struct sluice_conf *conf = sluice_conf_new(plugin, config, "", err);
    if (!conf) return false;
    struct sluice_host host = sluice_host_base();
    bool ok = plugin->alter_offsets(&host, conf, changes, n, err) == SLUICE_OK;
    sluice_conf_free(conf);
    return ok;
}

/* ---- the consumer group of a sink ---- */

struct sluice_sink_group {
    struct sluice_producer *client;
    char *id;
};

struct sluice_sink_group *sluice_sink_group_new(struct sluice_worker *worker, const char *connector,
                                                const struct sluice_map *config,
                                                struct sluice_err *err)
{
    struct sluice_map consumer = {0}, admin = {0};
    const struct sluice_map *props = sluice_worker_props(worker);
    struct sluice_sink_group *group = sluice_xcalloc(1, sizeof *group);
    char *id = sluice_xasprintf("connect-%s", connector);
    char *client = sluice_xasprintf("connector-worker-adminclient-%s", connector);
    sluice_map_set(&consumer, "group.id", id);
    sluice_client_layers(SLUICE_CLIENT_CONSUMER, props, config, &consumer);
    group->id = sluice_xstrdup(sluice_map_get(&consumer, "group.id"));
    sluice_map_set(&admin, "client.id", client);
    sluice_client_layers(SLUICE_CLIENT_ADMIN, props, config, &admin);
    group->client = sluice_producer_get(sluice_worker_producers(worker), &admin, connector, err);
    free(client);
    free(id);
    sluice_map_fini(&admin);
    sluice_map_fini(&consumer);
    if (group->client && group->id && *group->id) return group;
    if (group->client) sluice_err_set(err, "consumer.override.group.id is empty; name a group");
    sluice_sink_group_free(group);
    return NULL;
}

void sluice_sink_group_free(struct sluice_sink_group *group)
{
    if (!group) return;
    sluice_producer_put(group->client);
    free(group->id);
    free(group);
}

enum sluice_verdict sluice_sink_group_list(struct sluice_sink_group *group, int64_t ms,
                                           struct sluice_group_offset **list, size_t *n,
                                           struct sluice_err *err)
{
    return sluice_group_offsets_list(group->client, group->id, ms, list, n, err);
}

enum sluice_verdict sluice_sink_group_alter(struct sluice_sink_group *group,
                                            const struct sluice_group_offset *changes, size_t n,
                                            int64_t ms, bool *busy, struct sluice_err *err)
{
    return sluice_group_offsets_alter(group->client, group->id, changes, n, ms, busy, err);
}

enum sluice_verdict sluice_sink_group_delete(struct sluice_sink_group *group, int64_t ms,
                                             bool *busy, struct sluice_err *err)
{
    return sluice_group_offsets_delete(group->client, group->id, ms, busy, err);
}
