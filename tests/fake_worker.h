/* fake_worker.h - worker.h and task.h without threads, Kafka or plugins, for tests of the herder and
 * of REST. A task is a struct that does what its connector's config says:
 *   fake.blocks=true       it does not end when it is told to stop; fake_end() ends it
 *   fake.finding=text      validate() finds fault with this key
 *   fake.validate.ms=n     validate() takes so long
 * The test looks at tasks with fake_task() and makes them fail with fake_fail(). */
#ifndef SLUICE_TESTS_FAKE_WORKER_H
#define SLUICE_TESTS_FAKE_WORKER_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"
#include "worker/task.h"
#include "worker/worker.h"

struct sluice_task {
    char *connector;
    int id, starts; /* the how many-eth task of all */
    struct sluice_map config;
    struct sluice_task_status status;
    bool stopped, ended;
    sluice_task_changed *changed;
    void *arg;
    struct sluice_task *next;
};

struct sluice_worker {
    const struct sluice_registry *registry;
    int64_t graceful_ms;
};

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sluice_task *fake_tasks;
static int fake_starts;
static bool fake_no_threads; /* sluice_task_start() fails */

/* ---- what tests ask ---- */

static inline bool fake_truth(bool (*holds)(void *), void *arg)
{
    for (int i = 0; i < 2000; i++) {
        if (holds(arg)) return true;
        usleep(1000);
    }
    return false;
}

/* The live task that was not told to stop, or NULL. */
static inline struct sluice_task *fake_task(const char *connector, int id)
{
    sluice_lock(&fake_lock);
    struct sluice_task *task = fake_tasks;
    while (task && (strcmp(task->connector, connector) || task->id != id || task->stopped))
        task = task->next;
    sluice_unlock(&fake_lock);
    return task;
}

/* Number of tasks alive, those that do not want to end included. */
static inline int fake_alive(void)
{
    int n = 0;
    sluice_lock(&fake_lock);
    for (struct sluice_task *task = fake_tasks; task; task = task->next)
        n++;
    sluice_unlock(&fake_lock);
    return n;
}

static inline void fake_set(struct sluice_task *task, enum sluice_state state, const char *trace,
                            bool ended)
{
    sluice_lock(&fake_lock);
    task->status.state = state;
    snprintf(task->status.trace, sizeof task->status.trace, "%s", trace);
    task->ended = ended;
    sluice_unlock(&fake_lock);
    task->changed(task->arg, task);
}

static inline void fake_fail(struct sluice_task *task, const char *trace)
{
    fake_set(task, SLUICE_FAILED, trace, true);
}

/* Lets every task end that was told to stop and blocks. */
static inline void fake_end(void)
{
    sluice_lock(&fake_lock);
    for (struct sluice_task *task = fake_tasks; task; task = task->next) {
        if (!task->stopped) continue;
        task->ended = true;
        task->changed(task->arg, task);
    }
    sluice_unlock(&fake_lock);
}

/* ---- task.h ---- */

const char *sluice_state_name(enum sluice_state state)
{
    static const char *const names[] = {"UNASSIGNED", "RUNNING", "PAUSED",
                                        "STOPPED",    "FAILED",  "RESTARTING"};
    return names[state];
}

struct sluice_task *sluice_task_start(struct sluice_worker *worker,
                                      const struct sluice_plugin *plugin, const char *connector,
                                      int id, const struct sluice_map *config, bool paused,
                                      sluice_task_changed *changed, void *arg,
                                      struct sluice_err *err)
{
    (void)worker;
    (void)plugin;
    sluice_lock(&fake_lock);
    struct sluice_task *task = NULL;
    if (fake_no_threads) {
        sluice_err_set(err, "no more threads");
    } else {
        task = sluice_xcalloc(1, sizeof *task);
        task->connector = sluice_xstrdup(connector);
        task->id = id;
        task->starts = ++fake_starts;
        sluice_map_copy(&task->config, config);
        task->status.state = paused ? SLUICE_PAUSED : SLUICE_RUNNING;
        task->changed = changed;
        task->arg = arg;
        task->next = fake_tasks;
        fake_tasks = task;
    }
    sluice_unlock(&fake_lock);
    return task;
}

void sluice_task_pause(struct sluice_task *task, bool paused)
{
    sluice_lock(&fake_lock);
    if (task->status.state != SLUICE_FAILED)
        task->status.state = paused ? SLUICE_PAUSED : SLUICE_RUNNING;
    sluice_unlock(&fake_lock);
}

void sluice_task_stop(struct sluice_task *task)
{
    sluice_lock(&fake_lock);
    task->stopped = true;
    task->ended |= !sluice_map_has(&task->config, "fake.blocks");
    sluice_unlock(&fake_lock);
    task->changed(task->arg, task);
}

bool sluice_task_ended(const struct sluice_task *task)
{
    sluice_lock(&fake_lock);
    bool ended = task->ended;
    sluice_unlock(&fake_lock);
    return ended;
}

void sluice_task_free(struct sluice_task *task)
{
    if (!task) return;
    sluice_lock(&fake_lock);
    struct sluice_task **link = &fake_tasks;
    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
    sluice_unlock(&fake_lock);
    sluice_map_fini(&task->config);
    free(task->connector);
    free(task);
}

void sluice_task_status(struct sluice_task *task, struct sluice_task_status *out)
{
    sluice_lock(&fake_lock);
    *out = task->status;
    sluice_unlock(&fake_lock);
}

void sluice_task_counters(struct sluice_task *task, struct sluice_task_counters *out)
{
    *out = (struct sluice_task_counters){.polled = 10, .written = 7, .lag = (uint64_t)task->id};
}

/* ---- worker.h ---- */

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
static const struct sluice_source fake_source = {sizeof fake_source, fake_poll, fake_offset, NULL};
static const struct sluice_plugin fake_plugin = {SLUICE_PLUGIN_HEAD,
                                                 .kind = SLUICE_KIND_SOURCE,
                                                 .name = "fake-source",
                                                 .version = "1.2.3",
                                                 .aliases = fake_aliases,
                                                 .options = fake_plugin_options,
                                                 .open = fake_open,
                                                 .close = fake_close,
                                                 .source = &fake_source};
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

int sluice_worker_task_count(const struct sluice_plugin *plugin, const struct sluice_map *config)
{
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
    return strcmp(key, "task.shutdown.graceful.timeout.ms") == 0 ? worker->graceful_ms : 0;
}

const char *sluice_worker_id(const struct sluice_worker *worker)
{
    (void)worker;
    return "127.0.0.1:8083";
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

#endif
