/* distributed_requests.c - what changes connectors. All of it is the leader's to write: any other
 * worker answers with the leader's URL. A config is validated without any lock, on the leader only;
 * an answer is given when this worker has read back what it wrote, so that a GET sees it.
 * Thread: requests'. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/distributed_impl.h"
#include "herder/leader.h"
#include "herder/offsets.h"

#define PATCH_TRIES 5
#define OWNER_WAIT_MS 5000 /* for a task that moves just now */
#define START_LOOK_MS 50   /* nobody tells when it begins */

/* ---- configs ---- */

static bool check(struct distributed *herder, const struct sluice_map *config,
                  struct sluice_answer *answer)
{
    const struct sluice_plugin *plugin;
    if (sluice_config_check(herder->worker, config, &plugin, answer)) return true;
    sluice_lock(&herder->lock);
    herder->connector_starts++;
    herder->connector_failures++;
    sluice_unlock(&herder->lock);
    return false;
}

/* What the log holds of the connector by now. Entered, so that nobody else changes it. */
static void answer_info(struct distributed *herder, const char *name, bool created,
                        struct sluice_answer *answer)
{
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    if (conn) sluice_answer_json(answer, created ? 201 : 200, distributed_info_json(herder, conn));
    else sluice_answer_error(answer, 409, "Connector %s was written and is gone again", name);
    sluice_config_log_unlock(herder->configs);
    if (answer->status == 201) answer->created = sluice_xstrdup(name);
    sluice_log(SLUICE_INFO, name, -1, "connector %s", created ? "created" : "configured");
}

/* A config that is in force already, with its tasks, changes nothing for them. */
static bool in_force(const struct sluice_cluster_connector *conn, const struct sluice_map *config)
{
    return conn && !conn->inconsistent && sluice_map_equal(&conn->config, config) &&
           (conn->target != SLUICE_TARGET_STARTED || conn->tasks_offset > conn->config_offset);
}

static void put_checked(struct distributed *herder, const char *name,
                        const struct sluice_map *config, bool replace, enum sluice_target initial,
                        struct sluice_answer *answer)
{
    if (!leader_is_here(herder->leader, answer) || !check(herder, config, answer)) return;
    if (leader_enter(herder->leader, name, answer) != LEADER_ENTERED) return;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    bool created = !conn, same = in_force(conn, config);
    sluice_config_log_unlock(herder->configs);
    struct leader_change change = {.name = name,
                                   .config = config,
                                   .set_target = created && initial != SLUICE_TARGET_STARTED,
                                   .target = initial};
    if (!created && !replace) sluice_answer_error(answer, 409, "Connector %s already exists", name);
    else if (same || leader_apply(herder->leader, &change, answer))
        answer_info(herder, name, created, answer);
    leader_leave(herder->leader);
}

void distributed_create(struct sluice_herder *base, const char *name,
                        const struct sluice_map *config, enum sluice_target initial,
                        struct sluice_answer *answer)
{
    struct sluice_map full = {0};
    sluice_map_copy(&full, config);
    if (sluice_config_name(&full, name, answer))
        put_checked(distributed_of(base), name, &full, false, initial, answer);
    sluice_map_fini(&full);
}

void distributed_put_config(struct sluice_herder *base, const char *name,
                            const struct sluice_map *config, struct sluice_answer *answer)
{
    struct sluice_map full = {0};
    sluice_map_copy(&full, config);
    if (sluice_config_name(&full, name, answer))
        put_checked(distributed_of(base), name, &full, true, SLUICE_TARGET_STARTED, answer);
    sluice_map_fini(&full);
}

/* One try: false when the config was changed by somebody else while this one was validated. */
static bool patch_once(struct distributed *herder, const char *name, const struct sluice_map *patch,
                       struct sluice_answer *answer)
{
    struct sluice_map after = {0};
    int64_t offset = -1, now = -1;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    if (conn) {
        sluice_map_copy(&after, &conn->config);
        offset = conn->config_offset;
    }
    sluice_config_log_unlock(herder->configs);
    if (offset < 0) {
        sluice_answer_error(answer, 404, "Connector %s not found", name);
        return true;
    }
    for (size_t i = 0; i < patch->n; i++) {
        const struct sluice_map_entry *entry = &patch->items[i];
        if (entry->value) sluice_map_set(&after, entry->key, entry->value);
        else sluice_map_del(&after, entry->key);
    }
    bool settled = true;
    if (!sluice_config_name(&after, name, answer) || !check(herder, &after, answer) ||
        leader_enter(herder->leader, name, answer) != LEADER_ENTERED)
        goto out;
    cluster = sluice_config_log_lock(herder->configs);
    conn = sluice_cluster_find(cluster, name);
    if (conn) now = conn->config_offset;
    bool same = in_force(conn, &after);
    sluice_config_log_unlock(herder->configs);
    struct leader_change change = {.name = name, .config = &after};
    settled = now == offset;
    if (settled && (same || leader_apply(herder->leader, &change, answer)))
        answer_info(herder, name, false, answer);
    leader_leave(herder->leader);
out:
    sluice_map_fini(&after);
    return settled;
}

void distributed_patch_config(struct sluice_herder *base, const char *name,
                              const struct sluice_map *patch, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!leader_is_here(herder->leader, answer)) return;
    for (int tries = 0; tries < PATCH_TRIES; tries++) {
        if (patch_once(herder, name, patch, answer)) return;
    }
    sluice_answer_error(answer, 409,
                        "Cannot complete request momentarily due to stale configuration (typically "
                        "caused by a concurrent config change)");
}

/* ---- deletion and target states ---- */

/* Of a connector that is there; false: it is not. */
static bool look_up(struct distributed *herder, const char *name, enum sluice_target *target,
                    int *tasks_n)
{
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    if (conn && target) *target = conn->target;
    if (conn && tasks_n) *tasks_n = conn->tasks_n;
    sluice_config_log_unlock(herder->configs);
    return conn != NULL;
}

void distributed_remove(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (leader_enter(herder->leader, name, answer) != LEADER_ENTERED) return;
    bool done = false;
    struct leader_change change = {.name = name, .remove = true};
    if (look_up(herder, name, NULL, NULL)) done = leader_apply(herder->leader, &change, answer);
    else sluice_answer_error(answer, 404, "Connector %s not found", name);
    leader_leave(herder->leader);
    if (!done) return;
    leader_settle(herder->leader, name);
    sluice_log(SLUICE_INFO, name, -1, "connector deleted");
    sluice_answer_json(answer, 204, NULL);
}

void distributed_set_target(struct sluice_herder *base, const char *name, enum sluice_target target,
                            struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (leader_enter(herder->leader, name, answer) != LEADER_ENTERED) return;
    enum sluice_target before = SLUICE_TARGET_STARTED;
    int tasks_n = 0;
    bool found = look_up(herder, name, &before, &tasks_n), done = found;
    struct leader_change change = {.name = name, .set_target = true, .target = target};
    if (!found) sluice_answer_error(answer, 404, "Unknown connector %s", name);
    else if (before != target || (target == SLUICE_TARGET_STOPPED && tasks_n))
        done = leader_apply(herder->leader, &change, answer);
    leader_leave(herder->leader);
    if (!done) return;
    if (target == SLUICE_TARGET_STOPPED) leader_settle(herder->leader, name);
    static const char *const words[] = {"resumed", "paused", "stopped"};
    if (before != target) sluice_log(SLUICE_INFO, name, -1, "connector %s", words[target]);
    sluice_answer_json(answer, target == SLUICE_TARGET_STOPPED ? 204 : 202, NULL);
}

/* ---- restarts ---- */

static bool is_failed(const json_t *state)
{
    const char *word = json_string_value(json_object_get(state, "state"));
    return word && strcmp(word, sluice_state_name(SLUICE_FAILED)) == 0;
}

/* In the answer, what is going to be restarted shows as RESTARTING. */
static void mark_restarting(json_t *state)
{
    json_object_set_new(state, "state", json_string(sluice_state_name(SLUICE_RESTARTING)));
    json_object_del(state, "trace");
}

static void mark_plan(json_t *plan, bool include_tasks, bool only_failed)
{
    json_t *connector = json_object_get(plan, "connector"), *task;
    if (!only_failed || is_failed(connector)) mark_restarting(connector);
    size_t i;
    json_array_foreach(json_object_get(plan, "tasks"), i, task)
    {
        if (include_tasks && (!only_failed || is_failed(task))) mark_restarting(task);
    }
}

void distributed_restart(struct sluice_herder *base, const char *name, bool include_tasks,
                         bool only_failed, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    struct sluice_writes writes = {0};
    if (leader_enter(herder->leader, name, answer) != LEADER_ENTERED) return;
    json_t *plan = distributed_status_json(herder, name);
    bool done = false;
    if (!look_up(herder, name, NULL, NULL)) {
        sluice_answer_error(answer, 404, "Unknown connector: %s", name);
    } else if (!plan) {
        sluice_answer_error(answer, 404, "Status for connector %s not found", name);
    } else {
        mark_plan(plan, include_tasks, only_failed);
        sluice_write_restart(&writes, name, include_tasks, only_failed);
        done = leader_write(herder->leader, &writes, answer);
    }
    leader_leave(herder->leader);
    sluice_writes_fini(&writes);
    if (done && (include_tasks || only_failed)) sluice_answer_json(answer, 202, json_incref(plan));
    else if (done) sluice_answer_json(answer, 204, NULL);
    json_decref(plan);
}

/* Who runs the task; answer when that is settled: 404, or nobody. False: look again. */
static bool find_owner(struct distributed *herder, const char *name, int id, char **member,
                       struct sluice_answer *answer)
{
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    bool settled = true;
    if (!conn) {
        sluice_answer_error(answer, 404, "Unknown connector: %s", name);
    } else if (id < 0 || id >= conn->tasks_n) {
        sluice_answer_error(answer, 404, "Unknown task: %s-%d", name, id);
    } else if (id >= conn->owners_n || !conn->task_owners[id].member ||
               conn->task_owners[id].leaving) {
        settled = false;
    } else {
        *member = sluice_xstrdup(conn->task_owners[id].member);
    }
    sluice_config_log_unlock(herder->configs);
    return settled;
}

/* Whether the task's owner is this worker; false: answer says who, or why there is none. */
static bool owned_here(struct distributed *herder, const char *name, int id,
                       struct sluice_answer *answer)
{
    int64_t deadline_ms = sluice_now_ms() + OWNER_WAIT_MS;
    struct sluice_group_state state = {0};
    char *member = NULL;
    bool in_time = true;
    if (!distributed_is_started(herder, answer)) return false;
    while (!find_owner(herder, name, id, &member, answer) && in_time) {
        sluice_lock(&herder->lock);
        in_time = !herder->closing && distributed_wait(herder, deadline_ms);
        sluice_unlock(&herder->lock);
    }
    sluice_group_state(herder->group, &state);
    bool here = member && strcmp(member, state.self) == 0;
    if (member && !here) answer->forward = sluice_xstrndup(member, strcspn(member, "#"));
    else if (!member && !answer->status)
        sluice_answer_error(answer, 409,
                            "Cannot complete request because of a conflicting operation (e.g. "
                            "worker rebalance)");
    free(member);
    return here;
}

void distributed_restart_task(struct sluice_herder *base, const char *name, int id,
                              struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    int64_t deadline_ms = sluice_now_ms() + OWNER_WAIT_MS;
    bool in_time = true;
    while (owned_here(herder, name, id, answer)) {
        if (sluice_runner_restart(herder->runner, name, id)) {
            sluice_log(SLUICE_INFO, name, id, "restart asked for");
            sluice_answer_json(answer, 204, NULL);
            return;
        }
        if (!in_time) {
            sluice_answer_error(answer, 409,
                                "Cannot complete request momentarily: task %s-%d is about to start "
                                "here, or cannot (its status says why)",
                                name, id);
            return;
        }
        /* it was given to this worker just now, and the herder's thread has not looked yet */
        sluice_lock(&herder->lock);
        in_time = sluice_now_ms() < deadline_ms && !herder->closing &&
                  distributed_wait(herder, sluice_now_ms() + START_LOOK_MS);
        sluice_unlock(&herder->lock);
    }
}

void distributed_task_progress(struct sluice_herder *base, const char *name, int id,
                               struct sluice_answer *answer)
{
    if (owned_here(distributed_of(base), name, id, answer))
        sluice_herder_progress(name, id, answer);
}

/* ---- loggers, offsets ---- */

void distributed_log_level(struct sluice_herder *base, const char *logger, const char *level,
                           struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    struct sluice_writes writes = {0};
    if (leader_enter(herder->leader, NULL, answer) != LEADER_ENTERED) return;
    sluice_write_logger(&writes, logger, level);
    if (leader_write(herder->leader, &writes, answer)) sluice_answer_json(answer, 204, NULL);
    leader_leave(herder->leader);
    sluice_writes_fini(&writes);
}

/* What the offsets operations need, copied; false: answer. to_alter: it must be stopped. */
static bool offsets_of(struct distributed *herder, const char *name, bool to_alter,
                       struct sluice_map *config, struct sluice_offsets_of *of,
                       struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    enum sluice_target target = SLUICE_TARGET_STARTED;
    int tasks_n = 0;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    if (conn) {
        sluice_map_copy(config, &conn->config);
        target = conn->target;
        tasks_n = conn->tasks_n;
    }
    sluice_config_log_unlock(herder->configs);
    if (!conn) {
        sluice_answer_error(answer, 404, "Connector %s not found", name);
        return false;
    }
    if (to_alter && !sluice_offsets_alterable(name, target, tasks_n, answer)) return false;
    size_t draining, zombies;
    sluice_runner_ending(herder->runner, name, -1, &draining, &zombies);
    *of = (struct sluice_offsets_of){.worker = herder->worker,
                                     .connector = name,
                                     .config = config,
                                     .plugin = distributed_plugin(herder, config, &err),
                                     .zombies = zombies};
    if (!of->plugin) sluice_answer_error(answer, 500, "%s", err.msg);
    return of->plugin != NULL;
}

void distributed_offsets(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    struct sluice_map config = {0};
    struct sluice_offsets_of of;
    if (distributed_is_started(herder, answer) &&
        offsets_of(herder, name, false, &config, &of, answer))
        sluice_offsets_list(&of, answer);
    sluice_map_fini(&config);
}

void distributed_alter_offsets(struct sluice_herder *base, const char *name, const json_t *changes,
                               struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    struct sluice_map config = {0};
    struct sluice_offsets_of of;
    if (!leader_is_here(herder->leader, answer)) return;
    leader_settle(herder->leader, name); /* tasks that still drain would write over these */
    sluice_lock(&herder->altering);
    if (leader_enter(herder->leader, name, answer) != LEADER_ENTERED) goto out;
    bool may = offsets_of(herder, name, true, &config, &of, answer);
    if (may) leader_alters(herder->leader, name); /* nobody resumes it meanwhile */
    leader_leave(herder->leader);
    if (may && distributed_fence_now(herder, name, of.plugin, answer))
        sluice_offsets_alter(&of, changes, answer);
    if (may) leader_altered(herder->leader);
out:
    sluice_unlock(&herder->altering);
    sluice_map_fini(&config);
}
