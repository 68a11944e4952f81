/* distributed_follow.c - what one worker does about the config topic: it runs what the assignments
 * name its incarnation for, lets go of what they take away, and says what becomes of both.
 *
 * A look (distributed_follow) compares everything that the config log holds with what runs here,
 * and acts on the difference; it is quick, and safe to repeat. Letting go is said by a status
 * UNASSIGNED of the assignment's generation, only when the task has ended or was given up; the
 * leader waits for it.
 * Owner: the herder's thread. The list of works is read by others under the herder's lock. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loggers.h"
#include "base/mem.h"
#include "herder/distributed_impl.h"

#define TICK_MS 1000 /* the longest between two looks */
#define CATCH_UP_MS 2000
#define FORMER_MOST 8 /* incarnations; work that names older ones waits for the leader's grace */
#define NEW_WORK (-2) /* no offset: no restart was looked at yet */

/* ---- the list of works; the herder's lock is held ---- */

/* Index of the work, or where it would stand. */
static size_t work_index(const struct distributed *herder, const char *name, bool *found)
{
    size_t low = 0, high = herder->works_n;
    *found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(herder->works[middle]->name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static struct work *work_of(struct distributed *herder, const char *name, bool make)
{
    bool found;
    size_t at = work_index(herder, name, &found);
    if (found) return herder->works[at];
    if (!make) return NULL;
    struct work *work = sluice_xcalloc(1, sizeof *work);
    work->name = sluice_xstrdup(name);
    work->config_offset = -1;
    work->restart_offset = NEW_WORK;
    herder->works =
        sluice_xgrow(herder->works, herder->works_n, &herder->works_cap, sizeof *herder->works);
    memmove(herder->works + at + 1, herder->works + at,
            (herder->works_n - at) * sizeof *herder->works);
    herder->works[at] = work;
    herder->works_n++;
    assert(at == 0 || strcmp(herder->works[at - 1]->name, name) < 0);
    return work;
}

static void work_free(struct work *work)
{
    free(work->name);
    free(work->why);
    free(work->tasks);
    free(work);
}

void distributed_works_free(struct distributed *herder)
{
    for (size_t i = 0; i < herder->works_n; i++) work_free(herder->works[i]);
    free(herder->works);
    herder->works = NULL;
    herder->works_n = herder->works_cap = 0;
}

static void tasks_grow(struct work *work, int n)
{
    if (n <= work->tasks_n) return;
    work->tasks = sluice_xrealloc(work->tasks, (size_t)n * sizeof *work->tasks);
    memset(work->tasks + work->tasks_n, 0, (size_t)(n - work->tasks_n) * sizeof *work->tasks);
    work->tasks_n = n;
}

/* ---- what is said in the status topic ---- */

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

static void say(struct distributed *herder, const struct work *work, int task,
                enum sluice_state state, const char *trace, int32_t generation)
{
    struct sluice_status status = {.generation = generation,
                                   .trace = trace[0] ? (char *)trace : NULL};
    snprintf(status.state, sizeof status.state, "%s", sluice_state_name(state));
    snprintf(status.worker_id, sizeof status.worker_id, "%s", sluice_worker_id(herder->worker));
    if (work->plugin) snprintf(status.version, sizeof status.version, "%s", work->plugin->version);
    if (state == SLUICE_UNASSIGNED || state == SLUICE_FAILED)
        sluice_status_put_safe(herder->statuses, work->name, task, &status);
    else sluice_status_put(herder->statuses, work->name, task, &status);
}

static void say_task(struct distributed *herder, struct work *work, int id, enum sluice_state state,
                     const char *trace)
{
    assert(id >= 0 && id < work->tasks_n);
    struct work_task *task = &work->tasks[id];
    uint64_t hash = hash_of(trace);
    if (task->said && task->state == state && task->trace_hash == hash) return;
    task->said = true;
    task->state = state;
    task->trace_hash = hash;
    task->released = 0;
    say(herder, work, id, state, trace, task->generation);
}

static void say_connector(struct distributed *herder, struct work *work, enum sluice_state state,
                          const char *trace)
{
    if (work->said && work->state == state) return;
    work->said = true;
    work->state = state;
    work->released = 0;
    say(herder, work, SLUICE_STATUS_CONNECTOR, state, trace, work->generation);
}

/* States of the tasks that run here, as far as they changed. */
static void say_states(struct distributed *herder, struct work *work)
{
    for (int i = 0; i < work->tasks_n; i++) {
        struct work_task *task = &work->tasks[i];
        struct sluice_task_status status;
        if (task->failed) {
            assert(work->why && !task->running);
            char *trace = sluice_xasprintf("the task cannot run on this worker: %s", work->why);
            say_task(herder, work, i, SLUICE_FAILED, trace);
            free(trace);
        } else if (task->running &&
                   sluice_runner_look(herder->runner, work->name, i, &status, NULL)) {
            if (status.state == SLUICE_UNASSIGNED) continue; /* not begun: that is no news */
            say_task(herder, work, i, status.state, status.trace);
        }
    }
}

/* What must go and has ended by now: tell the leader. */
static void say_released(struct distributed *herder, struct work *work)
{
    for (int i = 0; i < work->tasks_n; i++) {
        struct work_task *task = &work->tasks[i];
        if (!task->to_release || task->running || task->released >= task->to_release) continue;
        size_t draining, zombies;
        sluice_runner_ending(herder->runner, work->name, i, &draining, &zombies);
        if (draining) continue;
        task->released = task->to_release; /* kept as long as we are named, to say it once */
        task->said = false;
        say(herder, work, i, SLUICE_UNASSIGNED, "", task->released);
    }
}

/* ---- one connector ---- */

/* What is done about a task, decided under the config log's lock and done without it. */
struct todo {
    struct work *work;
    int task;
    bool want;
    struct sluice_map config;
    bool paused;
    int64_t set, config_offset;
    int tasks_n; /* of the connector */
};

struct todos {
    struct todo *items;
    size_t n, cap;
};

static void todo_add(struct todos *todos, const struct todo *todo)
{
    todos->items = sluice_xgrow(todos->items, todos->n, &todos->cap, sizeof *todos->items);
    todos->items[todos->n++] = *todo;
}

static bool is_self(const struct distributed *herder, const struct sluice_owner *owner)
{
    return owner->member && herder->self[0] && strcmp(owner->member, herder->self) == 0;
}

/* The connector's keys, and the task's over them, as Connect's tasks see both. */
static void task_config(const struct sluice_cluster_connector *conn, int id, struct sluice_map *out)
{
    assert(id >= 0 && id < conn->tasks_n);
    sluice_map_copy(out, &conn->config);
    const struct sluice_map *own = &conn->tasks[id];
    for (size_t i = 0; i < own->n; i++) sluice_map_set(out, own->items[i].key, own->items[i].value);
    sluice_map_del(out, "task.class"); /* for readers of the topic only */
}

static void find_plugin(struct distributed *herder, struct work *work,
                        const struct sluice_cluster_connector *conn)
{
    if (!conn->exists || work->config_offset == conn->config_offset) return;
    struct sluice_err err = {{0}};
    work->config_offset = conn->config_offset;
    work->plugin = distributed_plugin(herder, &conn->config, &err);
    free(work->why);
    work->why = NULL;
    work->said = false; /* another config: RUNNING or FAILED is news */
    herder->connector_starts++;
    if (work->plugin) return;
    herder->connector_failures++;
    work->why = sluice_xasprintf("%s; add its plugin to plugin.path of this worker, or remove the "
                                 "worker from the cluster",
                                 err.msg);
    sluice_log(SLUICE_ERROR, conn->name, -1, "the connector cannot run here: %s", work->why);
}

static void follow_task(struct distributed *herder, struct work *work,
                        const struct sluice_cluster_connector *conn, int id, struct todos *todos)
{
    assert(id < work->tasks_n);
    assert(!conn->exists || work->config_offset == conn->config_offset);
    struct work_task *task = &work->tasks[id];
    bool named = id < conn->owners_n && is_self(herder, &conn->task_owners[id]);
    bool mine = named && !conn->task_owners[id].leaving;
    bool current = conn->exists && !conn->inconsistent && conn->tasks_offset > conn->config_offset;
    bool paused = conn->target == SLUICE_TARGET_PAUSED;
    struct todo todo = {
        work, id, true, {0}, paused, conn->tasks_offset, conn->config_offset, conn->tasks_n};
    if (named) task->generation = conn->generation;
    if (mine && conn->exists && !current && !conn->inconsistent && task->running)
        return; /* a new config whose tasks are not there yet: go on until they are */
    if (mine && current && id < conn->tasks_n && conn->target != SLUICE_TARGET_STOPPED) {
        task->to_release = 0;
        task->failed = !work->plugin;
        if (task->failed) { /* nor does the former config's task go on */
            todo.want = false;
            if (task->running) todo_add(todos, &todo);
            return;
        }
        bool same = task->running && task->set == conn->tasks_offset &&
                    task->config_offset == conn->config_offset;
        if (same && work->paused == paused) return;
        task_config(conn, id, &todo.config);
        todo_add(todos, &todo);
        return;
    }
    task->failed = false;
    if (task->running) {
        todo.want = false;
        todo_add(todos, &todo);
    }
    task->to_release = named && !mine ? conn->generation : 0;
}

static void follow_connector(struct distributed *herder, struct work *work,
                             const struct sluice_cluster_connector *conn, struct todos *todos)
{
    find_plugin(herder, work, conn);
    int n = conn->owners_n > conn->tasks_n ? conn->owners_n : conn->tasks_n;
    tasks_grow(work, n);
    for (int i = 0; i < work->tasks_n; i++) follow_task(herder, work, conn, i, todos);
    work->paused = conn->target == SLUICE_TARGET_PAUSED;

    bool named = is_self(herder, &conn->owner);
    if (named) work->generation = conn->generation;
    work->leaving = named && conn->owner.leaving;
    work->owned = named && !conn->owner.leaving && conn->exists;
    if (work->owned) {
        static const enum sluice_state states[] = {SLUICE_RUNNING, SLUICE_PAUSED, SLUICE_STOPPED};
        char trace[1200];
        if (work->why) say_connector(herder, work, SLUICE_FAILED, work->why);
        else if (sluice_runner_unstarted(herder->runner, work->name, trace, sizeof trace))
            say_connector(herder, work, SLUICE_FAILED, trace);
        else say_connector(herder, work, states[conn->target], "");
    } else if (work->leaving && work->released < conn->generation) {
        work->released = conn->generation;
        work->said = false;
        say(herder, work, SLUICE_STATUS_CONNECTOR, SLUICE_UNASSIGNED, "", work->released);
    } else if (!named) {
        work->said = false;
    }
}

/* Nothing of ours in it any more. */
static bool work_idle(struct distributed *herder, const struct work *work)
{
    if (work->owned || work->leaving) return false;
    for (int i = 0; i < work->tasks_n; i++) {
        if (work->tasks[i].running || work->tasks[i].failed || work->tasks[i].to_release)
            return false;
    }
    size_t draining, zombies;
    sluice_runner_ending(herder->runner, work->name, -1, &draining, &zombies);
    return draining == 0;
}

/* ---- restarts that were asked for ---- */

static void restart_work(struct distributed *herder, struct work *work,
                         const struct sluice_cluster_connector *conn)
{
    bool first = work->restart_offset == NEW_WORK;
    if (conn->restart_offset <= work->restart_offset && !first) return;
    work->restart_offset = conn->restart_offset;
    /* one that came before we had any part in the connector is not for us */
    if (conn->restart_offset < 0 || (first && conn->restart_offset < conn->assignment_offset))
        return;
    bool tasks = conn->restart_tasks, only_failed = conn->restart_only_failed;
    if (work->owned && (!only_failed || work->state == SLUICE_FAILED)) {
        work->config_offset = -1; /* the plugin may be there by now */
        say(herder, work, SLUICE_STATUS_CONNECTOR, SLUICE_RESTARTING, "", work->generation);
        sluice_runner_restart_unstarted(herder->runner, work->name);
        find_plugin(herder, work, conn);
        work->said = false;
    }
    for (int i = 0; tasks && i < work->tasks_n; i++) {
        struct sluice_task_status status;
        if (!work->tasks[i].running) continue;
        if (only_failed && (!sluice_runner_look(herder->runner, work->name, i, &status, NULL) ||
                            status.state != SLUICE_FAILED))
            continue;
        work->tasks[i].said = false;
        sluice_runner_restart(herder->runner, work->name, i);
    }
    sluice_log(SLUICE_INFO, work->name, -1, "restarting%s%s, as asked for",
               tasks ? " with tasks" : "", only_failed ? ", only what failed" : "");
}

/* ---- a look ---- */

static bool involved(const struct distributed *herder, const struct sluice_cluster_connector *conn)
{
    if (is_self(herder, &conn->owner)) return true;
    for (int i = 0; i < conn->owners_n; i++) {
        if (is_self(herder, &conn->task_owners[i])) return true;
    }
    return false;
}

/* A connector that is in no record any more: its tasks end, and nobody waits to hear of it. */
static void follow_gone(struct work *work, struct todos *todos)
{
    work->owned = work->leaving = work->said = false;
    for (int i = 0; i < work->tasks_n; i++) {
        work->tasks[i].to_release = 0;
        work->tasks[i].failed = false;
        if (!work->tasks[i].running) continue;
        struct todo todo = {.work = work, .task = i, .want = false};
        todo_add(todos, &todo);
    }
}

static const struct sluice_cluster_connector *cluster_entry(const struct sluice_cluster *cluster,
                                                            const char *name)
{
    size_t low = 0, high = cluster->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(cluster->connectors[middle]->name, name);
        if (order == 0) return cluster->connectors[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

static void look_at_configs(struct distributed *herder, struct todos *todos)
{
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    sluice_lock(&herder->lock);
    for (size_t i = 0; i < cluster->n; i++) {
        const struct sluice_cluster_connector *conn = cluster->connectors[i];
        bool ours = involved(herder, conn);
        struct work *work = work_of(herder, conn->name, ours);
        if (!work) continue;
        follow_connector(herder, work, conn, todos);
        restart_work(herder, work, conn);
    }
    for (size_t i = 0; i < herder->works_n; i++) {
        if (!cluster_entry(cluster, herder->works[i]->name)) follow_gone(herder->works[i], todos);
    }
    sluice_unlock(&herder->lock);
    sluice_config_log_unlock(herder->configs);
}

/* Task configs that somebody else wrote to the topic may be more than tasks.max; asked once for
 * each connector, as todos are in their order. why: to begin with, an empty sentence. */
static const char *refusal_of(struct distributed *herder, const struct todo *todo,
                              const struct work **asked, struct sluice_err *why)
{
    if (*asked != todo->work && sluice_worker_tasks_allowed(herder->worker, todo->work->name,
                                                            &todo->config, todo->tasks_n, why))
        *why->msg = '\0'; /* a warning, which was logged */
    *asked = todo->work;
    return *why->msg ? why->msg : NULL;
}

static void do_todos(struct distributed *herder, struct todos *todos)
{
    const struct work *asked = NULL;
    struct sluice_err why = {{0}};
    for (size_t i = 0; i < todos->n; i++) {
        struct todo *todo = &todos->items[i];
        assert(todo->task >= 0 && todo->task < todo->work->tasks_n);
        struct work_task *task = &todo->work->tasks[todo->task];
        if (!todo->want) {
            sluice_runner_drop(herder->runner, todo->work->name, todo->task);
            task->running = false;
        } else {
            assert(todo->work->plugin && todo->set > todo->config_offset);
            struct sluice_wanted wanted = {.connector = todo->work->name,
                                           .task = todo->task,
                                           .plugin = todo->work->plugin,
                                           .config = &todo->config,
                                           .paused = todo->paused,
                                           .set = (uint64_t)todo->set,
                                           .refusal = refusal_of(herder, todo, &asked, &why)};
            if (!task->running) task->said = false;
            sluice_runner_want(herder->runner, &wanted);
            task->running = true;
            task->set = todo->set;
            task->config_offset = todo->config_offset;
        }
        sluice_map_fini(&todo->config);
    }
    free(todos->items);
}

/* See leader_next_generation(). */
static int32_t goodbye(int32_t generation) { return generation + 1 - generation % 2; }

/* What is named for a former incarnation of this process has ended here: who leads need not wait
 * until that one's lease is surely over. */
static void let_go_former(struct distributed *herder, const char *name, int32_t generation,
                          int task)
{
    char text[16];
    size_t draining = 0, zombies;
    if (task >= 0) sluice_runner_ending(herder->runner, name, task, &draining, &zombies);
    if (draining) return;
    char *key = sluice_xasprintf("%d:%s", task, name);
    const char *said = sluice_map_get(&herder->said_former, key);
    snprintf(text, sizeof text, "%d", (int)generation);
    if (!said || strcmp(said, text) != 0) {
        const struct work work = {.name = (char *)(uintptr_t)name};
        sluice_map_set(&herder->said_former, key, text);
        say(herder, &work, task < 0 ? SLUICE_STATUS_CONNECTOR : task, SLUICE_UNASSIGNED, "",
            goodbye(generation));
    }
    free(key);
}

static bool is_former(const struct distributed *herder, const struct sluice_owner *owner)
{
    return owner->member && sluice_map_get(&herder->former, owner->member);
}

/* True: there is something to let go; it is, when say. */
static bool look_through_former(struct distributed *herder, bool say)
{
    bool found = false;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    for (size_t i = 0; i < cluster->n && (say || !found); i++) {
        const struct sluice_cluster_connector *conn = cluster->connectors[i];
        for (int k = -1; k < conn->owners_n && (say || !found); k++) {
            if (!is_former(herder, k < 0 ? &conn->owner : &conn->task_owners[k])) continue;
            found = true;
            if (say) let_go_former(herder, conn->name, conn->generation, k);
        }
    }
    sluice_config_log_unlock(herder->configs);
    return found;
}

/* Only with logs that were read to their ends after joining again: what this process stood still
 * for may have been another's for long, who must not be spoken for. */
static void look_at_former(struct distributed *herder)
{
    struct sluice_err err;
    if (herder->former.n == 0 || !look_through_former(herder, false)) return;
    if (!herder->caught_up) {
        enum sluice_verdict verdict =
            sluice_log_reader_catch_up(herder->reader, NULL, CATCH_UP_MS, &err);
        if (verdict != SLUICE_OK || !sluice_worker_holds_lease(herder->worker)) return;
        herder->caught_up = true;
    }
    look_through_former(herder, true);
}

static void follow_levels(struct distributed *herder)
{
    struct sluice_map levels = {0};
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    bool news = cluster->logger_offset > herder->logger_offset && cluster->logger_levels.n > 0;
    if (news) sluice_map_copy(&levels, &cluster->logger_levels);
    herder->logger_offset = cluster->logger_offset;
    sluice_config_log_unlock(herder->configs);
    for (size_t i = 0; i < levels.n; i++) {
        const char *level = sluice_logger_level(levels.items[i].value);
        if (!level || !sluice_logger_set(levels.items[i].key, level, NULL, NULL)) continue;
        sluice_log(SLUICE_INFO, NULL, -1, "level of logger %s and those below it: %s",
                   levels.items[i].key, level);
    }
    sluice_map_fini(&levels);
}

/* The incarnation that we are now; what runs under another one is not ours any more. */
static void look_at_group(struct distributed *herder)
{
    struct sluice_group_state state;
    sluice_group_state(herder->group, &state);
    bool lease = sluice_worker_holds_lease(herder->worker);
    if (state.fatal) {
        struct sluice_err err = {{0}};
        sluice_err_set(&err, "this worker cannot be a member of group %s: %s", herder->group_id,
                       state.trouble);
        distributed_fail(herder, &err);
    }
    if (herder->self[0] && (!lease || strcmp(herder->self, state.self) != 0)) {
        distributed_abandon(herder, !lease ? "the lease of the group ended"
                                           : "the group took this worker for gone");
    }
    if (!lease || strcmp(herder->self, state.self) == 0) return;
    snprintf(herder->self, sizeof herder->self, "%s", state.self);
    if (!herder->self[0]) return;
    sluice_lock(&herder->lock);
    herder->joined = true;
    pthread_cond_broadcast(&herder->changed);
    sluice_unlock(&herder->lock);
}

void distributed_abandon(struct distributed *herder, const char *why)
{
    size_t n = herder->works_n;
    assert(herder->self[0]); /* without an incarnation nothing runs */
    if (herder->former.n >= FORMER_MOST) sluice_map_fini(&herder->former);
    sluice_map_set(&herder->former, herder->self, "");
    sluice_map_fini(&herder->said_former);
    herder->caught_up = false;
    herder->self[0] = '\0';
    sluice_runner_abandon(herder->runner);
    sluice_lock(&herder->lock);
    distributed_works_free(herder);
    sluice_unlock(&herder->lock);
    sluice_log(SLUICE_WARN, NULL, -1,
               "%s: work on %zu connectors was abandoned, nothing of it was committed; others take "
               "it, or this worker when it has joined again",
               why, n);
}

static void forget_idle(struct distributed *herder)
{
    for (size_t i = 0; i < herder->works_n;) {
        if (!work_idle(herder, herder->works[i])) {
            i++;
            continue;
        }
        work_free(herder->works[i]);
        herder->works_n--;
        memmove(herder->works + i, herder->works + i + 1,
                (herder->works_n - i) * sizeof *herder->works);
    }
}

int64_t distributed_follow(struct distributed *herder)
{
    struct todos todos = {0};
    look_at_group(herder);
    if (herder->self[0]) {
        look_at_configs(herder, &todos);
        sluice_lock(&herder->lock);
        do_todos(herder, &todos);
        for (size_t i = 0; i < herder->works_n; i++) {
            say_released(herder, herder->works[i]);
            say_states(herder, herder->works[i]);
        }
        forget_idle(herder);
        sluice_unlock(&herder->lock);
    }
    if (herder->self[0]) look_at_former(herder);
    follow_levels(herder);
    distributed_follow_topics(herder);
    int64_t left = atomic_load(sluice_group_lease(herder->group)) - sluice_now_ms();
    return left > 0 && left < TICK_MS ? left : TICK_MS;
}

static void release(struct distributed *herder, const struct sluice_cluster_connector *conn)
{
    struct work bare = {.name = conn->name};
    struct work *known = work_of(herder, conn->name, false);
    const struct work *work = known ? known : &bare;
    int32_t generation = goodbye(conn->generation);
    if (is_self(herder, &conn->owner))
        say(herder, work, SLUICE_STATUS_CONNECTOR, SLUICE_UNASSIGNED, "", generation);
    for (int i = 0; i < conn->owners_n; i++) {
        size_t draining, zombies;
        if (!is_self(herder, &conn->task_owners[i])) continue;
        sluice_runner_ending(herder->runner, conn->name, i, &draining, &zombies);
        if (draining + zombies == 0) say(herder, work, i, SLUICE_UNASSIGNED, "", generation);
    }
}

/* What was given to us and never began counts too. */
void distributed_release_all(struct distributed *herder)
{
    if (!herder->self[0] || !sluice_worker_holds_lease(herder->worker)) return;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    sluice_lock(&herder->lock);
    for (size_t i = 0; i < cluster->n; i++) release(herder, cluster->connectors[i]);
    sluice_unlock(&herder->lock);
    sluice_config_log_unlock(herder->configs);
}

bool distributed_runs(struct distributed *herder, const char *connector, int task,
                      int64_t tasks_offset)
{
    sluice_lock(&herder->lock);
    const struct work *work = work_of(herder, connector, false);
    bool runs = work && task < work->tasks_n && work->tasks[task].running &&
                work->tasks[task].set == tasks_offset;
    sluice_unlock(&herder->lock);
    return runs;
}

/* On the runner's or a task's thread. */
void distributed_task_changed(void *arg, const char *connector, int task)
{
    (void)connector;
    (void)task;
    struct distributed *herder = arg;
    sluice_wake_up(&herder->wake);
}
