/* distributed.c - see distributed.h: making, starting and stopping, and what all parts share.
 *
 * Threads: the herder's (begin, then follow), the leader's (leader.c), the reader's and the
 * group's, which only wake these two, and the runner's. */
#include "herder/distributed_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/leader.h"
#include "herder/session_key.h"
#include "herder/topics.h"
#include "kafka/client.h"
#include "providers/variables.h"

#define FLUSH_MS 2000 /* of the last statuses */
#define CONNECTOR_KINDS ((1u << SLUICE_KIND_SOURCE) | (1u << SLUICE_KIND_SINK))

/* ---- waiting, stages, errors ---- */

void distributed_changed(struct distributed *herder)
{
    sluice_lock(&herder->lock);
    pthread_cond_broadcast(&herder->changed);
    sluice_unlock(&herder->lock);
    sluice_wake_up(&herder->wake);
}

bool distributed_wait(struct distributed *herder, int64_t deadline_ms)
{
    if (sluice_now_ms() >= deadline_ms) return false;
    struct timespec until = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};
    pthread_cond_timedwait(&herder->changed, &herder->lock, &until);
    return true;
}

void distributed_stage(struct distributed *herder, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sluice_lock(&herder->lock);
    vsnprintf(herder->stage, sizeof herder->stage, fmt, ap);
    herder->stage_ms = sluice_wall_ms();
    sluice_unlock(&herder->lock);
    va_end(ap);
}

void distributed_busy(struct distributed *herder, const char *what)
{
    sluice_lock(&herder->lock);
    if (herder->busy && !what) {
        herder->was_busy = herder->busy;
        herder->was_busy_ms = herder->busy_ms;
        herder->was_done_ms = sluice_wall_ms();
    }
    herder->busy = what;
    herder->busy_ms = sluice_wall_ms();
    sluice_unlock(&herder->lock);
}

/* In Connect's words. */
bool distributed_stage_text(struct sluice_herder *base, char *text, size_t size)
{
    struct distributed *herder = distributed_of(base);
    char since[25], until[25];
    sluice_lock(&herder->lock);
    bool starting = !herder->started || !herder->joined;
    bool known = starting || herder->busy || herder->was_busy;
    if (starting || herder->busy) {
        sluice_wall_text(starting ? herder->stage_ms : herder->busy_ms, since);
        snprintf(text, size, "The worker is currently %s, which began at %s.",
                 starting ? herder->stage : herder->busy, since);
    } else if (known) {
        sluice_wall_text(herder->was_busy_ms, since);
        sluice_wall_text(herder->was_done_ms, until);
        snprintf(text, size,
                 "The last operation the worker completed was %s, which began at %s and completed "
                 "at %s.",
                 herder->was_busy, since, until);
    }
    sluice_unlock(&herder->lock);
    return known;
}

void distributed_fail(struct distributed *herder, const struct sluice_err *err)
{
    sluice_lock(&herder->lock);
    bool first = !herder->failed;
    if (first) herder->fatal = *err;
    herder->failed = true;
    sluice_unlock(&herder->lock);
    if (first && herder->given.failed) herder->given.failed(herder->given.arg);
}

bool sluice_distributed_failed(struct sluice_herder *base, struct sluice_err *err)
{
    struct distributed *herder = distributed_of(base);
    sluice_lock(&herder->lock);
    bool failed = herder->failed;
    if (failed) *err = herder->fatal;
    sluice_unlock(&herder->lock);
    return failed;
}

bool distributed_closing(struct distributed *herder)
{
    sluice_lock(&herder->lock);
    bool closing = herder->closing;
    sluice_unlock(&herder->lock);
    return closing;
}

void distributed_timed_out(const char *what, int64_t since_wall_ms, struct sluice_answer *answer)
{
    char since[25];
    sluice_wall_text(since_wall_ms, since);
    sluice_answer_error(answer, 500,
                        "Request timed out. The worker is currently %s, which began at %s", what,
                        since);
}

const struct sluice_plugin *distributed_plugin(struct distributed *herder,
                                               const struct sluice_map *config,
                                               struct sluice_err *err)
{
    const char *name = sluice_map_get(config, "connector.class");
    if (!name) {
        sluice_err_set(err, "its config has no connector.class");
        return NULL;
    }
    struct sluice_map one = {0}, resolved = {0};
    struct sluice_report report = {0};
    sluice_map_set(&one, "connector.class", name);
    if (sluice_variables_in(name)) {
        sluice_variables_resolve(sluice_worker_variables(herder->worker), &one, &resolved, NULL,
                                 &report);
        name = sluice_map_get(&resolved, "connector.class");
    }
    const struct sluice_plugin *plugin = sluice_registry_find(
        sluice_worker_registry(herder->worker), CONNECTOR_KINDS, name ? name : "", err);
    sluice_report_fini(&report);
    sluice_map_fini(&one);
    sluice_map_fini(&resolved);
    return plugin;
}

/* ---- properties ---- */

void sluice_distributed_check(const struct sluice_map *props, struct sluice_report *report)
{
    static const char *const needed[] = {"group.id", "config.storage.topic", "offset.storage.topic",
                                         "status.storage.topic"};
    static const char *const macs[] = {"inter.worker.key.generation.algorithm",
                                       "inter.worker.signature.algorithm"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        const char *value = sluice_map_get(props, needed[i]);
        if (value && *value) continue;
        sluice_report_add(report, needed[i],
                          "Missing required configuration \"%s\" which has no default value.",
                          needed[i]);
    }
    for (size_t i = 1; i < sizeof needed / sizeof *needed; i++) {
        const char *one = sluice_map_get(props, needed[i]);
        for (size_t j = i + 1; one && j < sizeof needed / sizeof *needed; j++) {
            const char *other = sluice_map_get(props, needed[j]);
            if (other && strcmp(one, other) == 0) {
                sluice_report_add(report, needed[j],
                                  "%s and %s are both %s; each needs a topic of its own", needed[i],
                                  needed[j], one);
            }
        }
    }
    for (size_t i = 0; i < sizeof macs / sizeof *macs; i++) {
        const char *value = sluice_map_get(props, macs[i]);
        if (value && !sluice_mac_known(value)) {
            sluice_report_add(report, macs[i],
                              "Invalid value %s for configuration %s: the MAC algorithms are "
                              "HmacSHA256, HmacSHA384, HmacSHA512, HmacSHA224, HmacSHA1, HmacMD5",
                              value, macs[i]);
        }
    }
}

/* The worker's own clients have its plain properties, as in Connect: no producer., consumer. or
 * admin. ones. */
static void client_props(const struct sluice_map *props, const char *suffix, struct sluice_map *out)
{
    struct sluice_map plain = {0};
    for (size_t i = 0; i < props->n; i++) {
        if (strncmp(props->items[i].key, "admin.", 6) == 0) continue;
        sluice_map_set(&plain, props->items[i].key, props->items[i].value);
    }
    sluice_client_layers(SLUICE_CLIENT_ADMIN, &plain, NULL, out);
    const char *given = sluice_map_get(props, "client.id");
    bool named = given && *given;
    char *id = sluice_xasprintf("%s%s%s-%s", sluice_map_get(props, "group.id"), named ? "-" : "",
                                named ? given : "", suffix);
    sluice_map_set(out, "client.id", id);
    free(id);
    sluice_map_fini(&plain);
}

struct sluice_log_writer *sluice_distributed_writer(const struct sluice_map *props,
                                                    struct sluice_err *err)
{
    struct sluice_map own = {0};
    client_props(props, "statuses", &own);
    struct sluice_log_writer *writer = sluice_log_writer_new(&own, "statuses and offsets", err);
    sluice_map_fini(&own);
    return writer;
}

/* ---- life ---- */

static void configs_changed(void *arg)
{
    struct distributed *herder = arg;
    distributed_changed(herder);
    leader_wake(herder->leader, false);
}

static void status_changed(void *arg, const char *connector, int task)
{
    (void)connector;
    (void)task;
    struct distributed *herder = arg;
    distributed_changed(herder);
    leader_wake(herder->leader, false); /* somebody may have let go */
}

static void *run(void *arg)
{
    struct distributed *herder = arg;
    if (!distributed_begin(herder)) return NULL;
    while (!distributed_closing(herder)) {
        sluice_wake_clear(&herder->wake);
        int64_t wait_ms = distributed_follow(herder);
        atomic_store(&herder->ticked_ms, sluice_now_ms());
        sluice_wake_wait(&herder->wake, wait_ms);
    }
    return NULL;
}

bool sluice_distributed_start(struct sluice_herder *base, const char *url, struct sluice_err *err)
{
    struct distributed *herder = distributed_of(base);
    assert(!herder->url && url[0]);
    herder->url = sluice_xasprintf("%s%s", url, url[strlen(url) - 1] == '/' ? "" : "/");
    herder->thread_started = sluice_thread_start(&herder->thread, "herder", run, herder, err);
    return herder->thread_started;
}

/* Requests end first (REST is quiesced), then tasks, then what they wrote with. */
static bool stop(struct sluice_herder *base, int64_t timeout_ms)
{
    struct distributed *herder = distributed_of(base);
    sluice_lock(&herder->lock);
    herder->closing = true;
    pthread_cond_broadcast(&herder->changed);
    sluice_unlock(&herder->lock);
    sluice_wake_up(&herder->wake);
    if (herder->thread_started) pthread_join(herder->thread, NULL);
    herder->thread_started = false;
    leader_stop(herder->leader); /* nothing new for us */
    bool clean = sluice_runner_stop(herder->runner, timeout_ms);
    if (herder->group) { /* the lease still holds: we may say what became of our work */
        distributed_release_all(herder);
        sluice_log_writer_flush(herder->given.writer, FLUSH_MS);
    }
    if (!clean) return false; /* zombies still look at the lease: it is left to end */
    sluice_worker_set_lease(herder->worker, NULL);
    sluice_group_free(herder->group);
    herder->group = NULL;
    return true;
}

static void free_distributed(struct sluice_herder *base)
{
    if (!base) return;
    struct distributed *herder = distributed_of(base);
    assert(!herder->thread_started && !herder->group);
    sluice_log_reader_free(herder->reader); /* first: it wakes all others */
    leader_free(herder->leader);
    sluice_runner_free(herder->runner);
    sluice_status_log_free(herder->statuses);
    sluice_config_log_free(herder->configs);
    distributed_works_free(herder);
    sluice_map_fini(&herder->client);
    sluice_map_fini(&herder->told_topics);
    sluice_map_fini(&herder->former);
    sluice_map_fini(&herder->said_former);
    sluice_wake_fini(&herder->wake);
    pthread_cond_destroy(&herder->changed);
    pthread_mutex_destroy(&herder->lock);
    pthread_mutex_destroy(&herder->fencing);
    pthread_mutex_destroy(&herder->altering);
    free(herder->url);
    free(herder);
}

/* Nothing to do: there are no connectors of the command line, and /health knows better. */
static void ready(struct sluice_herder *base) { (void)base; }

static const struct sluice_herder_ops ops = {
    .health = distributed_health,
    .list = distributed_list,
    .create = distributed_create,
    .put_config = distributed_put_config,
    .patch_config = distributed_patch_config,
    .remove = distributed_remove,
    .info = distributed_info,
    .config = distributed_config,
    .status = distributed_status,
    .tasks = distributed_tasks,
    .task_status = distributed_task_status,
    .task_progress = distributed_task_progress,
    .set_target = distributed_set_target,
    .restart = distributed_restart,
    .restart_task = distributed_restart_task,
    .topics = distributed_topics,
    .reset_topics = distributed_reset_topics,
    .offsets = distributed_offsets,
    .alter_offsets = distributed_alter_offsets,
    .log_level = distributed_log_level,
    .put_tasks = distributed_put_tasks,
    .fence = distributed_fence,
    .view = distributed_view,
    .stage = distributed_stage_text,
    .ready = ready,
    .stop = stop,
    .free = free_distributed,
};

struct sluice_herder *sluice_distributed_new(const struct sluice_distributed_config *config,
                                             struct sluice_err *err)
{
    struct distributed *herder = sluice_xcalloc(1, sizeof *herder);
    herder->base.ops = &ops;
    herder->given = *config;
    herder->worker = config->worker;
    herder->group_id = sluice_map_get(config->props, "group.id");
    herder->config_topic = sluice_map_get(config->props, "config.storage.topic");
    herder->offset_topic = sluice_map_get(config->props, "offset.storage.topic");
    herder->status_topic = sluice_map_get(config->props, "status.storage.topic");
    assert(herder->group_id && herder->config_topic && herder->offset_topic &&
           herder->status_topic);
    client_props(config->props, "herder", &herder->client);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&herder->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&herder->lock, NULL);
    pthread_mutex_init(&herder->fencing, NULL);
    pthread_mutex_init(&herder->altering, NULL);
    sluice_wake_init(&herder->wake);
    distributed_stage(herder, "starting");
    herder->configs = sluice_config_log_new(sluice_wall_ms(), configs_changed, herder);
    herder->statuses =
        sluice_status_log_new(config->writer, herder->status_topic, status_changed, herder);
    herder->runner = sluice_runner_new(herder->worker, distributed_task_changed, herder, err);
    herder->leader = herder->runner ? leader_new(herder, err) : NULL;
    if (!herder->leader) {
        if (herder->runner) sluice_runner_stop(herder->runner, 0);
        free_distributed(&herder->base);
        return NULL;
    }
    bool tracked = sluice_topics_tracked(herder->worker);
    struct sluice_worker_hooks hooks = {.arg = herder,
                                        .fence = distributed_hook_fence,
                                        .current = distributed_hook_current,
                                        .topic_used = tracked ? distributed_topic_used : NULL};
    sluice_worker_set_hooks(herder->worker, &hooks);
    return &herder->base;
}
