/* fake_offsets.h - where a herder's connectors have their offsets, without Kafka: the test's store
 * for sources; the consumer groups of sinks cannot be asked. */
#ifndef SLUICE_TESTS_FAKE_OFFSETS_H
#define SLUICE_TESTS_FAKE_OFFSETS_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "worker/connector_offsets.h"
#include "worker/offsets_admin.h"

static struct sluice_offset_store *fake_offsets; /* of all connectors */

/* ---- connector_offsets.h: the test's store, without topics ---- */

struct sluice_connector_offsets {
    char *connector;
};

enum sluice_verdict sluice_connector_offsets_open(struct sluice_worker *worker,
                                                  const char *connector,
                                                  const struct sluice_map *config, int64_t ms,
                                                  struct sluice_connector_offsets **out,
                                                  struct sluice_err *err)
{
    (void)worker;
    (void)config;
    (void)ms;
    (void)err;
    *out = sluice_xcalloc(1, sizeof **out);
    (*out)->connector = sluice_xstrdup(connector);
    return SLUICE_OK;
}

void sluice_connector_offsets_close(struct sluice_connector_offsets *offsets)
{
    if (!offsets) return;
    free(offsets->connector);
    free(offsets);
}

enum sluice_verdict sluice_connector_offsets_refresh(struct sluice_connector_offsets *offsets,
                                                     int64_t timeout_ms, struct sluice_err *err)
{
    (void)offsets;
    return sluice_offset_refresh(fake_offsets, timeout_ms, err);
}

bool sluice_connector_offsets_list(struct sluice_connector_offsets *offsets,
                                   struct sluice_batch *batch, struct sluice_offset_entry **entries,
                                   size_t *n, struct sluice_err *err)
{
    return sluice_offset_list(fake_offsets, offsets->connector, batch, entries, n, err);
}

bool sluice_connector_offsets_put(struct sluice_connector_offsets *offsets,
                                  const struct sluice_offset_entry *entries, size_t n,
                                  struct sluice_err *err)
{
    return sluice_offset_put(fake_offsets, offsets->connector, entries, n, err);
}

/* ---- offsets_admin.h: there is no Kafka, so that a sink's group cannot be asked ---- */

bool sluice_worker_resolve(struct sluice_worker *worker, const struct sluice_map *config,
                           struct sluice_map *out, struct sluice_err *err)
{
    (void)worker;
    (void)err;
    sluice_map_copy(out, config);
    return true;
}

/* fake.offsets=refuse: it does; whole: nothing else keeps the position. */
bool sluice_worker_offsets_make_sense(const struct sluice_plugin *plugin,
                                      const struct sluice_map *config,
                                      const struct sluice_offset_change *changes, size_t n,
                                      bool *whole, struct sluice_err *err)
{
    const char *says = sluice_map_get(config, "fake.offsets");
    (void)plugin;
    (void)changes;
    *whole = says && strcmp(says, "whole") == 0;
    if (says && strcmp(says, "refuse") == 0)
        return sluice_err_set(err, "%zu offsets that make no sense", n);
    return true;
}

struct sluice_sink_group *sluice_sink_group_new(struct sluice_worker *worker, const char *connector,
                                                const struct sluice_map *config,
                                                struct sluice_err *err)
{
    (void)worker;
    (void)config;
    sluice_err_set(err, "there are no brokers for %s", connector);
    return NULL;
}

void sluice_sink_group_free(struct sluice_sink_group *group) { assert(!group); }

enum sluice_verdict sluice_sink_group_list(struct sluice_sink_group *group, int64_t ms,
                                           struct sluice_group_offset **list, size_t *n,
                                           struct sluice_err *err)
{
    (void)group;
    (void)ms;
    (void)list;
    (void)n;
    (void)err;
    abort();
}

enum sluice_verdict sluice_sink_group_alter(struct sluice_sink_group *group,
                                            const struct sluice_group_offset *changes, size_t n,
                                            int64_t ms, bool *busy, struct sluice_err *err)
{
    (void)group;
    (void)changes;
    (void)n;
    (void)ms;
    (void)busy;
    (void)err;
    abort();
}

enum sluice_verdict sluice_sink_group_delete(struct sluice_sink_group *group, int64_t ms,
                                             bool *busy, struct sluice_err *err)
{
    (void)group;
    (void)ms;
    (void)busy;
    (void)err;
    abort();
}

#endif
