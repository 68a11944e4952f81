/* fake_worker.h - worker.h without Kafka, and a source plugin, for tests of the herder and of REST.
 * What a connector's config says to validation:
 *   fake.finding=text      it finds fault with this key
 *   fake.waits=true        it waits at the gate: between fake_gate_shut() and fake_gate_open() */
#ifndef SLUICE_TESTS_FAKE_WORKER_H
#define SLUICE_TESTS_FAKE_WORKER_H

#include <assert.h>

#include "fake_offsets.h"
#include "fake_task.h"
#include "harness.h"

struct sluice_worker {
    const struct sluice_registry *registry;
    int64_t graceful_ms;
};

/* What one test at a time sets and looks at. */
static bool fake_tracks_topics; /* topic.tracking.* */
static struct sluice_worker_hooks fake_hooks;
static unsigned fake_topics_epoch;

/* ---- the gate: what waits there is known, so that no test has to guess by the clock ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool shut;
    int waiting;
} fake_gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

static inline void fake_gate_shut(void)
{
    sluice_lock(&fake_gate.lock);
    fake_gate.shut = true;
    sluice_unlock(&fake_gate.lock);
}

static inline void fake_gate_open(void)
{
    sluice_lock(&fake_gate.lock);
    fake_gate.shut = false;
    pthread_cond_broadcast(&fake_gate.opened);
    sluice_unlock(&fake_gate.lock);
}

static inline void fake_gate_pass(void)
{
    sluice_lock(&fake_gate.lock);
    fake_gate.waiting++;
    while (fake_gate.shut) pthread_cond_wait(&fake_gate.opened, &fake_gate.lock);
    fake_gate.waiting--;
    sluice_unlock(&fake_gate.lock);
}

static inline bool fake_gate_has(void *n)
{
    sluice_lock(&fake_gate.lock);
    bool yes = fake_gate.waiting == *(int *)n;
    sluice_unlock(&fake_gate.lock);
    return yes;
}

/* True when so many wait there. */
static inline bool fake_gate_await(int n) { return harness_until(fake_gate_has, &n); }

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
    if (sluice_map_has(config, "fake.waits")) fake_gate_pass();
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

#endif
