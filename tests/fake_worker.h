/* fake_worker.h - worker.h without Kafka, and a source plugin, for tests of the herder and of REST.
 * What a connector's config says to validation:
 *   fake.finding=text      it finds fault with this key
 *   fake.validate.ms=n     it takes so long */
#ifndef SLUICE_TESTS_FAKE_WORKER_H
#define SLUICE_TESTS_FAKE_WORKER_H

#include <assert.h>

#include "fake_task.h"
#include "worker/connector_offsets.h"
#include "worker/offsets_admin.h"

struct sluice_worker {
    const struct sluice_registry *registry;
    int64_t graceful_ms;
};

/* What one test at a time sets and looks at. */
static bool fake_tracks_topics; /* topic.tracking.* */
static struct sluice_worker_hooks fake_hooks;
static unsigned fake_topics_epoch;
static struct sluice_offset_store *fake_offsets; /* of all connectors */

static const struct sluice_option fake_options[] = {
    {"name", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     "Common", "Name of the connector."},
    {"tasks.max", SLUICE_OPT_INT, SLUICE_HIGH, 0, "1", "1..", "Common", "Most tasks there may be."},
    {0},
};

static const struct sluice_option fake_plugin_options[] = {
    {"file", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, "File", "A file."},
    {"secret", SLUICE_OPT_PASSWORD, SLUICE_HIGH, 0, NULL, NULL, "File", "A password."},
    {"words", SLUICE_OPT_LIST, SLUICE_LOW, 0, "", NULL, NULL, "Some words."},
    {0},
};

static enum sluice_verdict fake_open(struct sluice_task *task, const struct sluice_host *host,
                                     const struct sluice_conf *conf, void **self,
                                     struct sluice_err *err)
{
    (void)task;
    (void)host;
    (void)conf;
    (void)self;
    (void)err;
    return SLUICE_OK;
}

static void fake_close(void *self) { (void)self; }

static enum sluice_verdict fake_poll(void *self, struct sluice_batch *batch,
                                     const struct sluice_room *room, struct sluice_err *err)
{
    (void)self;
    (void)batch;
    (void)room;
    (void)err;
    return SLUICE_OK;
}

static enum sluice_verdict fake_offset(void *self, const void *position, size_t len,
                                       struct sluice_batch *scratch, struct sluice_value *out,
                                       struct sluice_err *err)
{
    (void)self;
    (void)position;
    (void)len;
    (void)scratch;
    (void)out;
    (void)err;
    return SLUICE_OK;
}

static const char *const fake_aliases[] = {"org.example.FakeSourceConnector", NULL};
static const struct sluice_source fake_source = {
    .size = sizeof fake_source, .poll = fake_poll, .offset = fake_offset};
static const struct sluice_plugin fake_plugin = {
    SLUICE_PLUGIN_HEAD, .kind = SLUICE_KIND_SOURCE, .name = "fake-source",
    .version = "1.2.3", .aliases = fake_aliases,    .options = fake_plugin_options,
    .open = fake_open,  .close = fake_close,        .source = &fake_source};
static const struct sluice_plugin *const fake_plugins[] = {&fake_plugin, NULL};

bool sluice_worker_validate(struct sluice_worker *worker, const struct sluice_map *config,
                            const struct sluice_plugin **plugin, struct sluice_report *report,
                            struct sluice_err *err)
{
    (void)err;
    *plugin = sluice_registry_find(worker->registry, 1u << SLUICE_KIND_SOURCE,
                                   sluice_map_get(config, "connector.class"), err);
    if (!*plugin) return false;
    const char *ms = sluice_map_get(config, "fake.validate.ms");
    if (ms) usleep((useconds_t)strtol(ms, NULL, 10) * 1000);
    sluice_options_check(fake_options, sizeof *fake_options, config, report);
    sluice_options_check(fake_plugin_options, sizeof *fake_plugin_options, config, report);
    const char *finding = sluice_map_get(config, "fake.finding");
    if (finding) sluice_report_add(report, "fake.finding", "%s", finding);
    return report->n == 0;
}

int sluice_worker_task_count(struct sluice_worker *worker, const struct sluice_plugin *plugin,
                             const struct sluice_map *config)
{
    (void)worker;
    (void)plugin;
    const char *n = sluice_map_get(config, "tasks.max");
    return n ? (int)strtol(n, NULL, 10) : 1;
}

bool sluice_worker_cluster_id(struct sluice_worker *worker, int wait_ms, char out[64],
                              struct sluice_err *err)
{
    (void)worker;
    (void)wait_ms;
    (void)err;
    snprintf(out, 64, "cluster-1");
    return true;
}

int64_t sluice_worker_num(const struct sluice_worker *worker, const char *key)
{
    if (strncmp(key, "topic.tracking.", 15) == 0) return fake_tracks_topics;
    return strcmp(key, "task.shutdown.graceful.timeout.ms") == 0 ? worker->graceful_ms : 0;
}

const char *sluice_worker_id(const struct sluice_worker *worker)
{
    (void)worker;
    return "127.0.0.1:8083";
}

struct sluice_variables *sluice_worker_variables(struct sluice_worker *worker)
{
    (void)worker;
    return NULL;
}

const struct sluice_registry *sluice_worker_registry(const struct sluice_worker *worker)
{
    return worker->registry;
}

const struct sluice_option *sluice_connector_options(enum sluice_kind kind)
{
    (void)kind;
    return fake_options;
}

void sluice_worker_set_hooks(struct sluice_worker *worker, const struct sluice_worker_hooks *hooks)
{
    (void)worker;
    fake_hooks = *hooks;
}

void sluice_worker_forget_topics(struct sluice_worker *worker)
{
    (void)worker;
    fake_topics_epoch++;
}

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
