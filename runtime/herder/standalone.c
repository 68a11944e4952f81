/* standalone.c - the herder of one worker: connectors in memory, offsets in a file.
 *
 * The operations come from REST threads. A writer validates first, without the lock, then changes
 * the table in one go; the runner does what follows for the tasks. Connect's status codes and
 * messages: REST.md. */
#include "herder/standalone.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "herder/topics.h"

struct connector *standalone_find(struct standalone *herder, const char *name)
{
    for (struct connector *conn = herder->connectors; conn; conn = conn->next) {
        if (strcmp(conn->name, name) == 0) return conn;
    }
    return NULL;
}

static void connector_free(struct connector *conn)
{
    sluice_map_fini(&conn->config);
    free(conn->name);
    free(conn);
}

/* ---- tasks; the lock is held ---- */

/* Wants the tasks that the config in force asks for. */
static void slots_make(struct standalone *herder, struct connector *conn)
{
    assert(conn->slots_n == 0);
    struct sluice_wanted wanted = {.connector = conn->name,
                                   .plugin = conn->plugin,
                                   .config = &conn->config,
                                   .paused = conn->target == SLUICE_TARGET_PAUSED,
                                   .set = ++herder->sets};
    conn->slots_n = sluice_worker_task_count(herder->worker, conn->plugin, &conn->config);
    assert(conn->slots_n >= 0);
    for (; wanted.task < conn->slots_n; wanted.task++) sluice_runner_want(herder->runner, &wanted);
}

/* All tasks end; no slots are left. */
static void slots_drop(struct standalone *herder, struct connector *conn)
{
    sluice_runner_drop(herder->runner, conn->name, -1);
    conn->slots_n = 0;
}

static bool unstarted(struct standalone *herder, const struct connector *conn)
{
    char trace[8];
    return sluice_runner_unstarted(herder->runner, conn->name, trace, sizeof trace);
}

bool standalone_settle(struct standalone *herder, const char *name)
{
    size_t draining, zombies;
    for (;;) { /* others may have some more end while this one is without the lock */
        sluice_runner_ending(herder->runner, name, -1, &draining, &zombies);
        if (draining == 0) return zombies == 0;
        sluice_unlock(&herder->lock);
        sluice_runner_settle(herder->runner, name);
        sluice_lock(&herder->lock);
    }
}

/* ---- a config's way into force ---- */

static struct connector *insert(struct standalone *herder, const char *name,
                                enum sluice_target target)
{
    struct connector *conn = sluice_xcalloc(1, sizeof *conn);
    conn->name = sluice_xstrdup(name);
    conn->target = target;
    struct connector **link = &herder->connectors;
    while (*link && strcmp((*link)->name, name) < 0) link = &(*link)->next;
    conn->next = *link;
    *link = conn;
    return conn;
}

/* The lock is held; the config was checked. */
static void put_in_force(struct standalone *herder, struct connector *conn,
                         const struct sluice_map *values, const struct sluice_plugin *plugin)
{
    herder->connector_starts++;
    bool same = plugin == conn->plugin && sluice_map_equal(&conn->config, values);
    if (same && !unstarted(herder, conn))
        return; /* nothing would change for the tasks: they go on */
    bool had_tasks = conn->slots_n > 0;
    slots_drop(herder, conn);
    sluice_map_fini(&conn->config);
    sluice_map_copy(&conn->config, values);
    conn->plugin = plugin;
    /* a connector that is paused or stopped gets tasks when it is resumed, unless it has some */
    if (conn->target == SLUICE_TARGET_STARTED ||
        (conn->target == SLUICE_TARGET_PAUSED && had_tasks))
        slots_make(herder, conn);
}

static bool check(struct standalone *herder, const struct sluice_map *values,
                  const struct sluice_plugin **plugin, struct sluice_answer *answer)
{
    if (sluice_config_check(herder->worker, values, plugin, answer)) return true;
    sluice_lock(&herder->lock);
    herder->connector_starts++;
    herder->connector_failures++;
    sluice_unlock(&herder->lock);
    return false;
}

static void put_checked(struct standalone *herder, const char *name,
                        const struct sluice_map *values, bool replace, enum sluice_target initial,
                        struct sluice_answer *answer)
{
    const struct sluice_plugin *plugin;
    if (!check(herder, values, &plugin, answer)) return;
    sluice_lock(&herder->lock);
    struct connector *conn = standalone_find(herder, name);
    bool created = !conn;
    if (herder->closing) {
        sluice_answer_error(answer, 503, "The worker is shutting down.");
    } else if (conn && !replace) {
        sluice_answer_error(answer, 409, "Connector %s already exists", name);
    } else {
        if (!conn) conn = insert(herder, name, initial);
        put_in_force(herder, conn, values, plugin);
        sluice_answer_json(answer, created ? 201 : 200, standalone_info_json(conn));
        if (created) answer->created = sluice_xstrdup(name);
    }
    bool done = answer->status < 300;
    sluice_unlock(&herder->lock);
    if (done) {
        sluice_log(SLUICE_INFO, name, -1, "connector %s: %s %s", created ? "created" : "configured",
                   plugin->name, plugin->version);
    }
}

static void create(struct sluice_herder *base, const char *name, const struct sluice_map *values,
                   enum sluice_target initial, struct sluice_answer *answer)
{
    struct sluice_map full = {0};
    sluice_map_copy(&full, values);
    if (sluice_config_name(&full, name, answer))
        put_checked(standalone_of(base), name, &full, false, initial, answer);
    sluice_map_fini(&full);
}

static void put_config(struct sluice_herder *base, const char *name,
                       const struct sluice_map *values, struct sluice_answer *answer)
{
    struct sluice_map full = {0};
    sluice_map_copy(&full, values);
    if (sluice_config_name(&full, name, answer))
        put_checked(standalone_of(base), name, &full, true, SLUICE_TARGET_STARTED, answer);
    sluice_map_fini(&full);
}

/* One try: false when the config was changed by somebody else while this one was validated. */
static bool patch_once(struct standalone *herder, const char *name, const struct sluice_map *patch,
                       struct sluice_answer *answer)
{
    struct sluice_map before = {0}, after = {0};
    bool settled = true;
    sluice_lock(&herder->lock);
    struct connector *conn = standalone_find(herder, name);
    if (conn) {
        sluice_map_copy(&before, &conn->config);
        sluice_map_copy(&after, &conn->config);
    }
    sluice_unlock(&herder->lock);
    const struct sluice_plugin *plugin;
    if (!conn) {
        sluice_answer_error(answer, 404, "Connector %s not found", name);
        goto out;
    }
    for (size_t i = 0; i < patch->n; i++) {
        if (patch->items[i].value)
            sluice_map_set(&after, patch->items[i].key, patch->items[i].value);
        else sluice_map_del(&after, patch->items[i].key);
    }
    if (!sluice_config_name(&after, name, answer) || !check(herder, &after, &plugin, answer))
        goto out;
    sluice_lock(&herder->lock);
    conn = standalone_find(herder, name);
    if (!conn) {
        sluice_answer_error(answer, 404, "Connector %s not found", name);
    } else if (!sluice_map_equal(&conn->config, &before)) {
        settled = false;
    } else {
        put_in_force(herder, conn, &after, plugin);
        sluice_answer_json(answer, 200, standalone_info_json(conn));
    }
    sluice_unlock(&herder->lock);
out:
    sluice_map_fini(&before);
    sluice_map_fini(&after);
    return settled;
}

static void patch_config(struct sluice_herder *base, const char *name,
                         const struct sluice_map *patch, struct sluice_answer *answer)
{
    for (int tries = 0; tries < 3; tries++) {
        if (patch_once(standalone_of(base), name, patch, answer)) return;
    }
    sluice_answer_error(answer, 409,
                        "Cannot complete request momentarily due to stale configuration (typically "
                        "caused by a concurrent config change)");
}

/* ---- states ---- */

static void remove_connector(struct sluice_herder *base, const char *name,
                             struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    standalone_find_quiet(herder, name);
    struct connector **link = &herder->connectors;
    while (*link && strcmp((*link)->name, name) != 0) link = &(*link)->next;
    struct connector *conn = *link;
    if (!conn) {
        sluice_unlock(&herder->lock);
        sluice_answer_error(answer, 404, "Connector %s not found", name);
        return;
    }
    *link = conn->next;
    slots_drop(herder, conn);
    standalone_settle(herder, name);
    sluice_topic_set_forget(herder->topics, name);
    sluice_unlock(&herder->lock);
    connector_free(conn);
    sluice_log(SLUICE_INFO, name, -1, "connector deleted");
    sluice_answer_json(answer, 204, NULL);
}

static void set_target(struct sluice_herder *base, const char *name, enum sluice_target target,
                       struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    struct connector *conn = standalone_find_quiet(herder, name);
    if (!conn) {
        sluice_unlock(&herder->lock);
        sluice_answer_error(answer, 404, "Unknown connector %s", name);
        return;
    }
    bool changed = conn->target != target;
    conn->target = target;
    if (target == SLUICE_TARGET_STOPPED) {
        slots_drop(herder, conn);
        standalone_settle(herder, name); /* conn may be gone after this */
    } else if (target == SLUICE_TARGET_STARTED && conn->slots_n == 0) {
        slots_make(herder, conn);
    } else {
        sluice_runner_pause(herder->runner, name, target == SLUICE_TARGET_PAUSED);
    }
    sluice_unlock(&herder->lock);
    static const char *const words[] = {"resumed", "paused", "stopped"};
    if (changed) sluice_log(SLUICE_INFO, name, -1, "connector %s", words[target]);
    sluice_answer_json(answer, target == SLUICE_TARGET_STOPPED ? 204 : 202, NULL);
}

/* In the answer, what is going to be restarted shows as RESTARTING. */
static void mark_restarting(json_t *state)
{
    json_object_set_new(state, "state", json_string(sluice_state_name(SLUICE_RESTARTING)));
    json_object_del(state, "trace");
}

static void restart(struct sluice_herder *base, const char *name, bool include_tasks,
                    bool only_failed, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    struct connector *conn = standalone_find(herder, name);
    if (!conn) {
        sluice_unlock(&herder->lock);
        sluice_answer_error(answer, 404, "Unknown connector: %s", name);
        return;
    }
    json_t *plan = standalone_status_json(herder, conn);
    bool whole = !only_failed || unstarted(herder, conn);
    if (whole) mark_restarting(json_object_get(plan, "connector"));
    for (int i = 0; include_tasks && i < conn->slots_n; i++) {
        struct sluice_task_status status;
        bool there = sluice_runner_look(herder->runner, name, i, &status, NULL);
        if (!there || (only_failed && status.state != SLUICE_FAILED)) continue;
        mark_restarting(json_array_get(json_object_get(plan, "tasks"), (size_t)i));
        sluice_runner_restart(herder->runner, name, i);
    }
    /* The connector has failed when its tasks could not be started: they are its restart. */
    sluice_runner_restart_unstarted(herder->runner, name);
    sluice_unlock(&herder->lock);
    sluice_log(SLUICE_INFO, name, -1, "restart asked for%s%s", include_tasks ? ", with tasks" : "",
               only_failed ? ", only what failed" : "");
    if (include_tasks || only_failed) {
        sluice_answer_json(answer, 202, plan);
    } else {
        json_decref(plan);
        sluice_answer_json(answer, 204, NULL);
    }
}

static void restart_task(struct sluice_herder *base, const char *name, int id,
                         struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    struct connector *conn = standalone_find(herder, name);
    bool found = conn && id >= 0 && id < conn->slots_n;
    if (found) found = sluice_runner_restart(herder->runner, name, id);
    sluice_unlock(&herder->lock);
    if (!found) {
        sluice_answer_error(answer, 404, "Task %s-%d not found", name, id);
        return;
    }
    sluice_log(SLUICE_INFO, name, id, "restart asked for");
    sluice_answer_json(answer, 204, NULL);
}

/* ---- life ---- */

static void ready(struct sluice_herder *base)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    herder->is_ready = true;
    sluice_unlock(&herder->lock);
}

static bool stop(struct sluice_herder *base, int64_t timeout_ms)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    herder->closing = true;
    while (herder->connectors) {
        struct connector *conn = herder->connectors;
        herder->connectors = conn->next;
        connector_free(conn);
    }
    sluice_unlock(&herder->lock);
    return sluice_runner_stop(herder->runner, timeout_ms);
}

static void free_standalone(struct sluice_herder *base)
{
    if (!base) return;
    struct standalone *herder = standalone_of(base);
    assert(!herder->connectors);
    sluice_runner_free(herder->runner);
    sluice_topic_set_free(herder->topics);
    pthread_cond_destroy(&herder->altered);
    pthread_mutex_destroy(&herder->lock);
    free(herder);
}

/* ---- between workers, of which there is one ---- */

static void log_level(struct sluice_herder *base, const char *logger, const char *level,
                      struct sluice_answer *answer)
{
    (void)base;
    (void)logger;
    (void)level;
    assert(answer->status == 0); /* stays: all workers are this one */
}

static void put_tasks(struct sluice_herder *base, const char *name, const json_t *configs,
                      const struct sluice_signed *given, struct sluice_answer *answer)
{
    (void)base;
    (void)configs;
    (void)given;
    sluice_answer_error(answer, 500,
                        "Kafka Connect in standalone mode does not support externally setting task "
                        "configurations; those of connector %s follow from its config",
                        name);
}

static void fence(struct sluice_herder *base, const char *name, const struct sluice_signed *given,
                  struct sluice_answer *answer)
{
    (void)base;
    (void)given;
    sluice_answer_error(answer, 500,
                        "Kafka Connect in standalone mode does not support exactly-once source "
                        "connectors; there is nobody to fence for connector %s",
                        name);
}

static const struct sluice_herder_ops ops = {
    .health = standalone_health,
    .list = standalone_list,
    .create = create,
    .put_config = put_config,
    .patch_config = patch_config,
    .remove = remove_connector,
    .info = standalone_info,
    .config = standalone_config,
    .status = standalone_status,
    .tasks = standalone_tasks,
    .task_status = standalone_task_status,
    .task_progress = standalone_task_progress,
    .set_target = set_target,
    .restart = restart,
    .restart_task = restart_task,
    .topics = standalone_topics,
    .reset_topics = standalone_reset_topics,
    .offsets = standalone_offsets,
    .alter_offsets = standalone_alter_offsets,
    .log_level = log_level,
    .put_tasks = put_tasks,
    .fence = fence,
    .view = standalone_view,
    .ready = ready,
    .stop = stop,
    .free = free_standalone,
};

struct sluice_herder *sluice_standalone_new(struct sluice_worker *worker,
                                            struct sluice_offset_store *offsets,
                                            struct sluice_err *err)
{
    struct standalone *herder = sluice_xcalloc(1, sizeof *herder);
    herder->base.ops = &ops;
    herder->worker = worker;
    herder->offsets = offsets;
    herder->runner = sluice_runner_new(worker, NULL, NULL, err);
    if (!herder->runner) {
        free(herder);
        return NULL;
    }
    pthread_mutex_init(&herder->lock, NULL);
    pthread_cond_init(&herder->altered, NULL);
    herder->topics = sluice_topic_set_new();
    if (sluice_topics_tracked(worker)) {
        struct sluice_worker_hooks hooks = {.arg = herder->topics,
                                            .topic_used = sluice_topic_set_used};
        sluice_worker_set_hooks(worker, &hooks);
    }
    return &herder->base;
}
