/* standalone.c - the herder of one worker: connectors in memory, offsets in a file.
 *
 * The operations come from REST threads. A writer validates first, without the lock, then changes
 * the table in one go; the herder's thread (slots.c) does what follows for the tasks. Connect's
 * status codes and messages: REST.md. */
#include "herder/standalone.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

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
    if (same && !conn->failed) return; /* nothing would change for the tasks: they go on */
    bool had_tasks = conn->slots_n > 0;
    standalone_slots_drop(herder, conn);
    sluice_map_fini(&conn->config);
    sluice_map_copy(&conn->config, values);
    conn->plugin = plugin;
    /* a connector that is paused or stopped gets tasks when it is resumed, unless it has some */
    if (conn->target == SLUICE_TARGET_STARTED ||
        (conn->target == SLUICE_TARGET_PAUSED && had_tasks))
        standalone_slots_make(herder, conn);
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
    struct connector **link = &herder->connectors;
    while (*link && strcmp((*link)->name, name) != 0) link = &(*link)->next;
    struct connector *conn = *link;
    if (!conn) {
        sluice_unlock(&herder->lock);
        sluice_answer_error(answer, 404, "Connector %s not found", name);
        return;
    }
    *link = conn->next;
    standalone_slots_drop(herder, conn);
    standalone_settle(herder, name);
    sluice_unlock(&herder->lock);
    standalone_connector_free(conn);
    sluice_log(SLUICE_INFO, name, -1, "connector deleted");
    sluice_answer_json(answer, 204, NULL);
}

static void set_target(struct sluice_herder *base, const char *name, enum sluice_target target,
                       struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    struct connector *conn = standalone_find(herder, name);
    if (!conn) {
        sluice_unlock(&herder->lock);
        sluice_answer_error(answer, 404, "Unknown connector %s", name);
        return;
    }
    bool changed = conn->target != target;
    conn->target = target;
    if (target == SLUICE_TARGET_STOPPED) {
        standalone_slots_drop(herder, conn);
        standalone_settle(herder, name); /* conn may be gone after this */
    } else if (target == SLUICE_TARGET_STARTED && conn->slots_n == 0) {
        standalone_slots_make(herder, conn);
    }
    for (int i = 0; target != SLUICE_TARGET_STOPPED && i < conn->slots_n; i++) {
        if (conn->slots[i].task)
            sluice_task_pause(conn->slots[i].task, target == SLUICE_TARGET_PAUSED);
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
    bool whole = !only_failed || conn->failed;
    if (whole) mark_restarting(json_object_get(plan, "connector"));
    if (conn->failed) { /* that is: its tasks could not be started; try again */
        conn->failed = false;
        conn->trace[0] = '\0';
        sluice_wake_up(&herder->wake);
    }
    for (int i = 0; include_tasks && i < conn->slots_n; i++) {
        struct sluice_task_status status;
        standalone_slot_status(conn, i, &status);
        if (only_failed && status.state != SLUICE_FAILED) continue;
        mark_restarting(json_array_get(json_object_get(plan, "tasks"), (size_t)i));
        standalone_slot_restart(herder, conn, i);
    }
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
    if (found) standalone_slot_restart(herder, conn, id);
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
    herder->graceful_ms = timeout_ms;
    while (herder->connectors) {
        struct connector *conn = herder->connectors;
        herder->connectors = conn->next;
        standalone_slots_drop(herder, conn);
        standalone_connector_free(conn);
    }
    for (;;) { /* every ending task ends, or is given up in time by the herder's thread */
        bool draining = false;
        for (struct ending *end = herder->endings; end; end = end->next)
            draining |= !end->zombie || sluice_task_ended(end->task); /* only to be reaped */
        if (!draining) break;
        pthread_cond_wait(&herder->settled, &herder->lock);
    }
    bool clean = !herder->endings;
    for (struct ending *end = herder->endings; end; end = end->next) {
        sluice_log(SLUICE_ERROR, end->connector, end->id,
                   "the task is still running at the end of the shutdown; what it had not "
                   "committed will be done again after the next start");
    }
    sluice_unlock(&herder->lock);
    return clean;
}

static void free_standalone(struct sluice_herder *base)
{
    if (!base) return;
    struct standalone *herder = standalone_of(base);
    sluice_wake_up(&herder->wake);
    pthread_join(herder->thread, NULL);
    assert(!herder->endings && !herder->connectors);
    sluice_wake_fini(&herder->wake);
    pthread_cond_destroy(&herder->settled);
    pthread_mutex_destroy(&herder->lock);
    free(herder);
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
    .set_target = set_target,
    .restart = restart,
    .restart_task = restart_task,
    .topics = standalone_topics,
    .reset_topics = standalone_reset_topics,
    .offsets = standalone_offsets,
    .alter_offsets = standalone_alter_offsets,
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
    herder->graceful_ms = sluice_worker_num(worker, "task.shutdown.graceful.timeout.ms");
    pthread_mutex_init(&herder->lock, NULL);
    pthread_cond_init(&herder->settled, NULL);
    sluice_wake_init(&herder->wake);
    if (sluice_thread_start(&herder->thread, "herder", standalone_run, herder, err))
        return &herder->base;
    sluice_wake_fini(&herder->wake);
    pthread_cond_destroy(&herder->settled);
    pthread_mutex_destroy(&herder->lock);
    free(herder);
    return NULL;
}
