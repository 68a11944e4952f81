/* views.c - what the standalone herder knows, as Connect's JSON and as metrics see it.
 * Thread: any; each takes the lock for as long as it copies. */
#include <assert.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/progress.h"
#include "herder/standalone.h"

json_t *standalone_info_json(const struct connector *conn)
{
    json_t *info = json_object(), *tasks = json_array();
    json_object_set_new(info, "name", sluice_json_safe(conn->name));
    json_object_set_new(info, "config", sluice_json_from_map(&conn->config));
    for (int i = 0; i < conn->slots_n; i++) {
        json_t *task = json_object();
        json_object_set_new(task, "connector", sluice_json_safe(conn->name));
        json_object_set_new(task, "task", json_integer(i));
        json_array_append_new(tasks, task);
    }
    json_object_set_new(info, "tasks", tasks);
    json_object_set_new(info, "type", json_string(sluice_connector_type(conn->plugin)));
    return info;
}

static void state_json(const struct standalone *herder, const struct connector *conn,
                       enum sluice_state state, const char *trace, json_t *into)
{
    json_object_set_new(into, "state", json_string(sluice_state_name(state)));
    json_object_set_new(into, "worker_id", sluice_json_safe(sluice_worker_id(herder->worker)));
    json_object_set_new(into, "version", sluice_json_safe(conn->plugin->version));
    if (trace[0]) json_object_set_new(into, "trace", sluice_json_safe(trace));
}

/* trace: set when it is FAILED. */
static enum sluice_state connector_state(const struct standalone *herder,
                                         const struct connector *conn, char *trace, size_t size)
{
    trace[0] = '\0';
    if (sluice_runner_unstarted(herder->runner, conn->name, trace, size)) return SLUICE_FAILED;
    switch (conn->target) {
    case SLUICE_TARGET_STARTED: return SLUICE_RUNNING;
    case SLUICE_TARGET_PAUSED: return SLUICE_PAUSED;
    case SLUICE_TARGET_STOPPED: return SLUICE_STOPPED;
    }
    assert(!"a target that is none");
    return SLUICE_FAILED;
}

static json_t *task_json(const struct standalone *herder, const struct connector *conn, int id)
{
    struct sluice_task_status status;
    bool there = sluice_runner_look(herder->runner, conn->name, id, &status, NULL);
    assert(there);
    (void)there;
    json_t *task = json_object();
    json_object_set_new(task, "id", json_integer(id));
    state_json(herder, conn, status.state, status.trace, task);
    return task;
}

json_t *standalone_status_json(const struct standalone *herder, const struct connector *conn)
{
    json_t *status = json_object(), *own = json_object(), *tasks = json_array();
    char trace[1100];
    enum sluice_state state = connector_state(herder, conn, trace, sizeof trace);
    state_json(herder, conn, state, trace, own);
    for (int i = 0; i < conn->slots_n; i++)
        json_array_append_new(tasks, task_json(herder, conn, i));
    json_object_set_new(status, "name", sluice_json_safe(conn->name));
    json_object_set_new(status, "connector", own);
    json_object_set_new(status, "tasks", tasks);
    json_object_set_new(status, "type", json_string(sluice_connector_type(conn->plugin)));
    return status;
}

void standalone_health(struct sluice_herder *base, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    bool ready = herder->is_ready;
    sluice_unlock(&herder->lock);
    json_t *body = json_object();
    json_object_set_new(body, "status", json_string(ready ? "healthy" : "starting"));
    json_object_set_new(body, "message",
                        json_string(ready ? "Worker has completed startup and is ready to handle "
                                            "requests."
                                          : "Worker is still starting up. The connectors of the "
                                            "command line are being created."));
    sluice_answer_json(answer, ready ? 200 : 503, body);
}

void standalone_list(struct sluice_herder *base, bool status, bool info,
                     struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    json_t *body = status || info ? json_object() : json_array();
    sluice_lock(&herder->lock);
    for (const struct connector *conn = herder->connectors; conn; conn = conn->next) {
        if (!status && !info) {
            json_array_append_new(body, sluice_json_safe(conn->name));
            continue;
        }
        json_t *one = json_object();
        if (status) json_object_set_new(one, "status", standalone_status_json(herder, conn));
        if (info) json_object_set_new(one, "info", standalone_info_json(conn));
        json_object_set_new(body, conn->name, one);
    }
    sluice_unlock(&herder->lock);
    sluice_answer_json(answer, 200, body);
}

void standalone_info(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    const struct connector *conn = standalone_find(herder, name);
    if (conn) sluice_answer_json(answer, 200, standalone_info_json(conn));
    else sluice_answer_error(answer, 404, "Connector %s not found", name);
    sluice_unlock(&herder->lock);
}

void standalone_config(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    const struct connector *conn = standalone_find(herder, name);
    if (conn) sluice_answer_json(answer, 200, sluice_json_from_map(&conn->config));
    else sluice_answer_error(answer, 404, "Connector %s not found", name);
    sluice_unlock(&herder->lock);
}

void standalone_status(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    const struct connector *conn = standalone_find(herder, name);
    if (conn) sluice_answer_json(answer, 200, standalone_status_json(herder, conn));
    else sluice_answer_error(answer, 404, "No status found for connector %s", name);
    sluice_unlock(&herder->lock);
}

void standalone_tasks(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    const struct connector *conn = standalone_find(herder, name);
    if (!conn) {
        sluice_answer_error(answer, 404, "Connector %s not found", name);
        sluice_unlock(&herder->lock);
        return;
    }
    json_t *body = json_array();
    char *task_class = sluice_task_class(conn->plugin);
    for (int i = 0; i < conn->slots_n; i++) {
        json_t *task = json_object(), *id = json_object();
        json_object_set_new(id, "connector", sluice_json_safe(conn->name));
        json_object_set_new(id, "task", json_integer(i));
        json_object_set_new(task, "id", id);
        json_t *values = sluice_json_from_map(&conn->config);
        json_object_set_new(values, "task.class", sluice_json_safe(task_class));
        json_object_set_new(task, "config", values);
        json_array_append_new(body, task);
    }
    sluice_unlock(&herder->lock);
    free(task_class);
    sluice_answer_json(answer, 200, body);
}

void standalone_task_status(struct sluice_herder *base, const char *name, int id,
                            struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    const struct connector *conn = standalone_find(herder, name);
    if (conn && id >= 0 && id < conn->slots_n)
        sluice_answer_json(answer, 200, task_json(herder, conn, id));
    else sluice_answer_error(answer, 404, "No status found for task %s-%d", name, id);
    sluice_unlock(&herder->lock);
}

void sluice_herder_progress(const char *name, int task, struct sluice_answer *answer)
{
    json_t *body = json_object(), *id = json_object();
    json_object_set_new(id, "connector", sluice_json_safe(name));
    json_object_set_new(id, "task", json_integer(task));
    json_object_set_new(body, "id", id);
    json_object_set_new(body, "progress", sluice_progress_json(name, task));
    sluice_answer_json(answer, 200, body);
}

void standalone_task_progress(struct sluice_herder *base, const char *name, int id,
                              struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    sluice_lock(&herder->lock);
    const struct connector *conn = standalone_find(herder, name);
    bool there = conn && id >= 0 && id < conn->slots_n;
    sluice_unlock(&herder->lock);
    if (there) sluice_herder_progress(name, id, answer);
    else sluice_answer_error(answer, 404, "Task %s-%d not found", name, id);
}

/* ---- metrics ---- */

static void view_one(const struct standalone *herder, const struct connector *conn,
                     struct sluice_connector_view *view)
{
    char trace[1100];
    assert(conn && view);
    view->name = sluice_xstrdup(conn->name);
    view->class_name = sluice_xstrdup(sluice_plugin_class(conn->plugin));
    view->version = sluice_xstrdup(conn->plugin->version);
    view->kind = conn->plugin->kind;
    view->state = connector_state(herder, conn, trace, sizeof trace);
    view->tasks_n = (size_t)conn->slots_n;
    view->tasks = view->tasks_n ? sluice_xcalloc(view->tasks_n, sizeof *view->tasks) : NULL;
    for (int i = 0; i < conn->slots_n; i++) {
        struct sluice_task_status status;
        bool there =
            sluice_runner_look(herder->runner, conn->name, i, &status, &view->tasks[i].counters);
        assert(there);
        (void)there;
        view->tasks[i].id = i;
        view->tasks[i].state = status.state;
    }
}

void standalone_view(struct sluice_herder *base, struct sluice_herder_view *out)
{
    struct standalone *herder = standalone_of(base);
    *out = (struct sluice_herder_view){0};
    sluice_lock(&herder->lock);
    for (const struct connector *conn = herder->connectors; conn; conn = conn->next) out->n++;
    out->connectors = out->n ? sluice_xcalloc(out->n, sizeof *out->connectors) : NULL;
    size_t i = 0;
    for (const struct connector *conn = herder->connectors; conn; conn = conn->next)
        view_one(herder, conn, &out->connectors[i++]);
    assert(i == out->n);
    out->connector_starts = herder->connector_starts;
    out->connector_failures = herder->connector_failures;
    sluice_unlock(&herder->lock);
    struct sluice_runner_totals totals;
    sluice_runner_totals(herder->runner, &totals);
    out->task_starts = totals.starts;
    out->task_failures = totals.failures;
    out->task_auto_restarts = totals.auto_restarts;
}

void sluice_herder_view_fini(struct sluice_herder_view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        free(view->connectors[i].name);
        free(view->connectors[i].class_name);
        free(view->connectors[i].version);
        free(view->connectors[i].tasks);
    }
    free(view->connectors);
    free(view->group.leader);
    *view = (struct sluice_herder_view){0};
}
