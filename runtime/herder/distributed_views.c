/* distributed_views.c - what the logs hold, as Connect's JSON and as metrics see it. Every worker
 * answers these from its own copy of them.
 * Thread: any; the config log's and the status log's locks are held for as long as is copied. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "herder/distributed_impl.h"

#define TICK_LATE_MS 10000 /* the herder's thread never waits as long */

/* ---- health, and requests that come too early ---- */

void distributed_health(struct sluice_herder *base, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    char stage[800];
    distributed_stage_text(base, stage, sizeof stage);
    sluice_lock(&herder->lock);
    bool started = herder->started && herder->joined;
    sluice_unlock(&herder->lock);
    const char *status = "healthy";
    char *text = NULL;
    int code = 200;
    if (!started) {
        code = 503;
        status = "starting";
        text = sluice_xasprintf("Worker is still starting up. %s", stage);
    } else if (sluice_now_ms() - atomic_load(&herder->ticked_ms) > TICK_LATE_MS ||
               !sluice_worker_holds_lease(herder->worker)) {
        struct sluice_group_state group;
        sluice_group_state(herder->group, &group);
        code = 500;
        status = "unhealthy";
        text = sluice_xasprintf("Worker was unable to handle this request and may be unable to "
                                "handle other requests. It is no member of group %s now%s%s",
                                herder->group_id, group.trouble[0] ? ": " : ".", group.trouble);
    } else {
        text = sluice_xstrdup("Worker has completed startup and is ready to handle requests.");
    }
    json_t *body = json_object();
    json_object_set_new(body, "status", json_string(status));
    json_object_set_new(body, "message", sluice_json_safe(text));
    sluice_answer_json(answer, code, body);
    free(text);
}

bool distributed_is_started(struct distributed *herder, struct sluice_answer *answer)
{
    char stage[800];
    sluice_lock(&herder->lock);
    bool started = herder->started;
    sluice_unlock(&herder->lock);
    if (started) return true;
    distributed_stage_text(&herder->base, stage, sizeof stage);
    sluice_answer_error(answer, 503, "Worker is still starting up. %s", stage);
    return false;
}

/* ---- connectors ---- */

static const char *type_of(struct distributed *herder, const struct sluice_map *config)
{
    struct sluice_err err = {{0}};
    return sluice_connector_type(distributed_plugin(herder, config, &err));
}

static json_t *task_id_json(const char *name, int id)
{
    json_t *task = json_object();
    json_object_set_new(task, "connector", sluice_json_safe(name));
    json_object_set_new(task, "task", json_integer(id));
    return task;
}

json_t *distributed_info_json(struct distributed *herder,
                              const struct sluice_cluster_connector *conn)
{
    json_t *info = json_object(), *tasks = json_array();
    json_object_set_new(info, "name", sluice_json_safe(conn->name));
    json_object_set_new(info, "config", sluice_json_from_map(&conn->config));
    for (int i = 0; i < conn->tasks_n; i++)
        json_array_append_new(tasks, task_id_json(conn->name, i));
    json_object_set_new(info, "tasks", tasks);
    json_object_set_new(info, "type", json_string(type_of(herder, &conn->config)));
    return info;
}

static void state_json(struct sluice_status *status, json_t *into)
{
    json_object_set_new(into, "state", json_string(status->state));
    json_object_set_new(into, "worker_id", sluice_json_safe(status->worker_id));
    if (status->version[0]) json_object_set_new(into, "version", sluice_json_safe(status->version));
    if (status->trace && status->trace[0])
        json_object_set_new(into, "trace", sluice_json_safe(status->trace));
    free(status->trace);
}

/* NULL: no status of that task. */
static json_t *task_json(struct distributed *herder, const char *name, int id)
{
    struct sluice_status status;
    if (!sluice_status_get(herder->statuses, name, id, &status)) return NULL;
    json_t *task = json_object();
    json_object_set_new(task, "id", json_integer(id));
    state_json(&status, task);
    return task;
}

/* The config log's lock is held. NULL: no status of the connector. */
static json_t *status_json(struct distributed *herder, const struct sluice_cluster_connector *conn)
{
    struct sluice_status own;
    if (!sluice_status_get(herder->statuses, conn->name, SLUICE_STATUS_CONNECTOR, &own))
        return NULL;
    json_t *status = json_object(), *connector = json_object(), *tasks = json_array();
    state_json(&own, connector);
    for (int i = 0; i < conn->tasks_n; i++) {
        json_t *task = task_json(herder, conn->name, i);
        if (task) json_array_append_new(tasks, task);
    }
    json_object_set_new(status, "name", sluice_json_safe(conn->name));
    json_object_set_new(status, "connector", connector);
    json_object_set_new(status, "tasks", tasks);
    json_object_set_new(status, "type", json_string(type_of(herder, &conn->config)));
    return status;
}

json_t *distributed_status_json(struct distributed *herder, const char *name)
{
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    json_t *status = conn ? status_json(herder, conn) : NULL;
    sluice_config_log_unlock(herder->configs);
    return status;
}

void distributed_list(struct sluice_herder *base, bool status, bool info,
                      struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!distributed_is_started(herder, answer)) return;
    json_t *body = status || info ? json_object() : json_array();
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    for (size_t i = 0; i < cluster->n; i++) {
        const struct sluice_cluster_connector *conn = cluster->connectors[i];
        if (!conn->exists) continue;
        if (!status && !info) {
            json_array_append_new(body, sluice_json_safe(conn->name));
            continue;
        }
        json_t *state = status_json(herder, conn);
        if (!state && status) continue; /* as Connect: it shows once there is one */
        json_t *one = json_object();
        if (status) json_object_set(one, "status", state);
        json_decref(state);
        if (info) json_object_set_new(one, "info", distributed_info_json(herder, conn));
        json_object_set_new(body, conn->name, one);
    }
    sluice_config_log_unlock(herder->configs);
    sluice_answer_json(answer, 200, body);
}

/* One connector's view, or Connect's 404. */
static void show(struct sluice_herder *base, const char *name,
                 json_t *(*view)(struct distributed *, const struct sluice_cluster_connector *),
                 struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!distributed_is_started(herder, answer)) return;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    if (conn) sluice_answer_json(answer, 200, view(herder, conn));
    else sluice_answer_error(answer, 404, "Connector %s not found", name);
    sluice_config_log_unlock(herder->configs);
}

void distributed_info(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    show(base, name, distributed_info_json, answer);
}

static json_t *config_json(struct distributed *herder, const struct sluice_cluster_connector *conn)
{
    (void)herder;
    return sluice_json_from_map(&conn->config);
}

void distributed_config(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    show(base, name, config_json, answer);
}

static json_t *tasks_json(struct distributed *herder, const struct sluice_cluster_connector *conn)
{
    (void)herder;
    json_t *body = json_array();
    for (int i = 0; i < conn->tasks_n; i++) {
        json_t *task = json_object();
        json_object_set_new(task, "id", task_id_json(conn->name, i));
        json_object_set_new(task, "config", sluice_json_from_map(&conn->tasks[i]));
        json_array_append_new(body, task);
    }
    return body;
}

void distributed_tasks(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    show(base, name, tasks_json, answer);
}

void distributed_status(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!distributed_is_started(herder, answer)) return;
    json_t *status = distributed_status_json(herder, name);
    if (status) sluice_answer_json(answer, 200, status);
    else sluice_answer_error(answer, 404, "No status found for connector %s", name);
}

void distributed_task_status(struct sluice_herder *base, const char *name, int id,
                             struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!distributed_is_started(herder, answer)) return;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    bool there = conn && id >= 0 && id < conn->tasks_n;
    sluice_config_log_unlock(herder->configs);
    json_t *task = there ? task_json(herder, name, id) : NULL;
    if (task) sluice_answer_json(answer, 200, task);
    else sluice_answer_error(answer, 404, "No status found for task %s-%d", name, id);
}

/* ---- metrics: what runs here ---- */

static void view_work(struct distributed *herder, const struct work *work,
                      struct sluice_connector_view *view)
{
    view->name = sluice_xstrdup(work->name);
    view->class_name = sluice_xstrdup(sluice_plugin_class(work->plugin));
    view->version = sluice_xstrdup(work->plugin->version);
    view->kind = work->plugin->kind;
    view->state = work->said ? work->state : work->paused ? SLUICE_PAUSED : SLUICE_RUNNING;
    view->tasks = sluice_xcalloc((size_t)work->tasks_n + 1, sizeof *view->tasks);
    for (int i = 0; i < work->tasks_n; i++) {
        struct sluice_task_view *task = &view->tasks[view->tasks_n];
        struct sluice_task_status status;
        if (!work->tasks[i].running ||
            !sluice_runner_look(herder->runner, work->name, i, &status, &task->counters))
            continue;
        task->id = i;
        task->state = status.state;
        view->tasks_n++;
    }
}

static void view_group(struct distributed *herder, struct sluice_group_view *view)
{
    struct sluice_group_state state;
    *view = (struct sluice_group_view){.there = true, .rebalancing = true, .since_ms = -1};
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    if (cluster->leader)
        view->leader = sluice_xstrndup(cluster->leader, strcspn(cluster->leader, "#"));
    view->epoch = cluster->generation;
    sluice_config_log_unlock(herder->configs);
    sluice_lock(&herder->lock);
    bool there = herder->joined && !herder->closing; /* only then is the group sure to be there */
    if (there) sluice_group_state(herder->group, &state);
    sluice_unlock(&herder->lock);
    if (!there) return;
    view->rebalancing = !*state.self;
    view->rebalances = state.rebalances;
    if (state.rebalanced_ms) view->since_ms = sluice_boot_ms() - state.rebalanced_ms;
    view->join_avg_ms = state.joins ? (double)state.join_ms / (double)state.joins : 0;
    view->join_max_ms = (double)state.join_max_ms;
}

void distributed_view(struct sluice_herder *base, struct sluice_herder_view *out)
{
    struct distributed *herder = distributed_of(base);
    *out = (struct sluice_herder_view){0};
    view_group(herder, &out->group);
    sluice_lock(&herder->lock);
    out->connectors = sluice_xcalloc(herder->works_n + 1, sizeof *out->connectors);
    for (size_t i = 0; i < herder->works_n; i++) {
        if (herder->works[i]->plugin)
            view_work(herder, herder->works[i], &out->connectors[out->n++]);
    }
    assert(out->n <= herder->works_n);
    out->connector_starts = herder->connector_starts;
    out->connector_failures = herder->connector_failures;
    struct sluice_runner_totals totals;
    sluice_runner_totals(herder->runner, &totals);
    out->task_starts = totals.starts;
    out->task_failures = totals.failures;
    out->task_auto_restarts = totals.auto_restarts;
    sluice_unlock(&herder->lock);
}
