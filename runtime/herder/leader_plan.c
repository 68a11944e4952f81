/* leader_plan.c - what the leader has to write so that the config topic says what should be: task
 * configs that follow from connector configs, and who runs what (assign.h).
 *
 * A plan is made from scratch each time, from the config log as it is and the change that is asked
 * for; what is as it should be is not written. So a new leader, a request and a member that left
 * are all the same to it, and a write that failed is made again.
 * Owner: whoever holds leader.writer. The config log's lock is held while a plan is made. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/assign.h"
#include "herder/leader_impl.h"

#define SWEEP_MS 5000 /* between two looks for statuses of what is no more */

/* One connector as it is to be. */
struct draft {
    const char *name;
    const struct sluice_cluster_connector *conn; /* NULL: new */
    bool exists;
    const struct sluice_map *config; /* borrowed */
    enum sluice_target target;
    bool write_config, write_target, write_tasks, remove;
    struct sluice_map *tasks; /* to be written, owned */
    int tasks_n;              /* as it is to be */
};

struct drafts {
    struct distributed *herder;
    struct draft *items;
    size_t n;
};

/* ---- task configs ---- */

static void draft_tasks(struct distributed *herder, struct draft *draft)
{
    struct sluice_err err = {{0}};
    const struct sluice_plugin *plugin = distributed_plugin(herder, draft->config, &err);
    if (!plugin) return; /* stays as it is; the owner's status says what is missing */
    int n = sluice_worker_task_count(herder->worker, plugin, draft->config);
    assert(n >= 1);
    char *task_class = sluice_task_class(plugin);
    draft->tasks = sluice_xcalloc((size_t)n, sizeof *draft->tasks);
    for (int i = 0; i < n; i++) {
        sluice_map_copy(&draft->tasks[i], draft->config);
        sluice_map_set(&draft->tasks[i], "task.class", task_class);
    }
    free(task_class);
    draft->tasks_n = n;
    draft->write_tasks = true;
}

static void draft_drop_tasks(struct draft *draft)
{
    for (int i = 0; draft->tasks && i < draft->tasks_n; i++) sluice_map_fini(&draft->tasks[i]);
    free(draft->tasks);
    draft->tasks = NULL;
}

/* Whether the committed ones are these already. */
static bool same_tasks(const struct draft *draft)
{
    const struct sluice_cluster_connector *conn = draft->conn;
    if (!conn || conn->inconsistent || conn->tasks_offset < conn->config_offset ||
        conn->tasks_n != draft->tasks_n)
        return false;
    for (int i = 0; i < conn->tasks_n; i++) {
        if (!sluice_map_equal(&conn->tasks[i], &draft->tasks[i])) return false;
    }
    return true;
}

static void decide_tasks(struct distributed *herder, struct draft *draft,
                         const struct leader_change *change)
{
    const struct sluice_cluster_connector *conn = draft->conn;
    int now = conn ? conn->tasks_n : 0;
    bool inconsistent = conn && conn->inconsistent;
    draft->tasks_n = draft->exists ? now : 0;
    if (!draft->exists) return;
    if (draft->target == SLUICE_TARGET_STOPPED) {
        draft->tasks_n = 0;
        draft->write_tasks = now > 0;
        return;
    }
    if (change && change->tasks) {
        draft->tasks = sluice_xcalloc((size_t)change->tasks_n + 1, sizeof *draft->tasks);
        for (int i = 0; i < change->tasks_n; i++)
            sluice_map_copy(&draft->tasks[i], &change->tasks[i]);
        draft->tasks_n = change->tasks_n;
        draft->write_tasks = true;
        return;
    }
    /* one that was made PAUSED gets tasks when it is resumed */
    if (draft->target == SLUICE_TARGET_PAUSED && now == 0 && !inconsistent) return;
    /* what Java wrote is compared once, before its first assignment */
    if (!draft->write_config && conn && !inconsistent && now > 0 &&
        conn->tasks_offset > conn->config_offset && conn->assignment_offset >= 0)
        return;
    draft_tasks(herder, draft);
    if (draft->write_tasks && !draft->write_config && same_tasks(draft)) {
        draft_drop_tasks(draft);
        draft->write_tasks = false;
    }
}

/* ---- drafts ---- */

static void draft_one(struct drafts *drafts, const char *name,
                      const struct sluice_cluster_connector *conn,
                      const struct leader_change *change)
{
    struct draft *draft = &drafts->items[drafts->n++];
    *draft = (struct draft){.name = name, .conn = conn};
    draft->exists = conn && conn->exists;
    draft->config = draft->exists ? &conn->config : NULL;
    draft->target = conn ? conn->target : SLUICE_TARGET_STARTED;
    if (change && change->config) {
        draft->exists = draft->write_config = true;
        draft->config = change->config;
    }
    if (change && change->set_target) {
        draft->write_target = draft->target != change->target || !draft->conn;
        draft->target = change->target;
    }
    if (change && change->remove && draft->exists) {
        draft->remove = true;
        draft->exists = false;
    }
    decide_tasks(drafts->herder, draft, change);
}

static void draft_all(struct drafts *drafts, const struct sluice_cluster *cluster,
                      const struct leader_change *change)
{
    bool placed = change == NULL;
    drafts->items = sluice_xcalloc(cluster->n + 1, sizeof *drafts->items);
    for (size_t i = 0; i < cluster->n; i++) {
        const struct sluice_cluster_connector *conn = cluster->connectors[i];
        int order = placed ? -1 : strcmp(conn->name, change->name);
        if (order > 0) draft_one(drafts, change->name, NULL, change);
        draft_one(drafts, conn->name, conn, order == 0 ? change : NULL);
        placed |= order >= 0;
    }
    if (!placed) draft_one(drafts, change->name, NULL, change);
}

static void drafts_fini(struct drafts *drafts)
{
    for (size_t i = 0; i < drafts->n; i++) draft_drop_tasks(&drafts->items[i]);
    free(drafts->items);
}

static int by_name(const void *name, const void *draft)
{
    return strcmp(name, ((const struct draft *)draft)->name);
}

/* For assign.h: the status topic says that the owner does not run it, since it is named as it is.
 * Not since the newest assignment: each that moves another task of the connector would undo what
 * was said, and tasks would move one by one. */
static bool let_go(void *arg, const char *connector, int task)
{
    const struct drafts *drafts = arg;
    const struct draft *draft =
        bsearch(connector, drafts->items, drafts->n, sizeof *drafts->items, by_name);
    struct sluice_status status;
    assert(draft && draft->conn);
    const struct sluice_cluster_connector *conn = draft->conn;
    assert(task < conn->owners_n);
    const struct sluice_owner *owner = task < 0 ? &conn->owner : &conn->task_owners[task];
    if (!sluice_status_get(drafts->herder->statuses, connector,
                           task < 0 ? SLUICE_STATUS_CONNECTOR : task, &status))
        return false;
    free(status.trace);
    return strcmp(status.state, sluice_state_name(SLUICE_UNASSIGNED)) == 0 &&
           status.generation >= owner->since;
}

/* ---- records ---- */

static void write_draft(const struct draft *draft, struct sluice_writes *writes)
{
    if (draft->remove) {
        sluice_write_connector(writes, draft->name, NULL);
        sluice_write_no_target(writes, draft->name);
        return;
    }
    if (draft->write_target) sluice_write_target(writes, draft->name, draft->target);
    if (draft->write_config) sluice_write_connector(writes, draft->name, draft->config);
    if (draft->write_tasks) sluice_write_tasks(writes, draft->name, draft->tasks, draft->tasks_n);
}

static void write_assignments(struct leader *leader, struct drafts *drafts,
                              struct sluice_writes *writes)
{
    struct distributed *herder = leader->herder;
    struct sluice_assign_connector *items = sluice_xcalloc(drafts->n + 1, sizeof *items);
    for (size_t i = 0; i < drafts->n; i++) {
        const struct draft *draft = &drafts->items[i];
        items[i] = (struct sluice_assign_connector){
            .name = draft->name, .exists = draft->exists, .tasks = draft->tasks_n};
        if (!draft->conn) continue;
        items[i].owner = draft->conn->owner;
        items[i].task_owners = draft->conn->task_owners;
        items[i].owners_n = draft->conn->owners_n;
    }
    struct sluice_assign_input input = {
        .members = leader->members,
        .members_n = leader->members_n,
        .connectors = items,
        .connectors_n = drafts->n,
        .now_ms = sluice_now_ms(),
        .grace_ms = sluice_group_grace_ms(herder->group),
        .delay_ms = sluice_worker_num(herder->worker, "scheduled.rebalance.max.delay.ms"),
        .absences = leader->absences,
        .let_go = let_go,
        .arg = drafts};
    struct sluice_assignment out = {0};
    sluice_assign(&input, &out);
    leader->again_ms = out.again_ms;
    int32_t generation = out.changed_n ? leader_next_generation(leader) : 0;
    for (size_t i = 0; i < drafts->n; i++) {
        const struct sluice_assigned *item = &out.items[i];
        if (!item->changed) continue;
        bool gone = item->n == 0 && !item->owner.member && !drafts->items[i].exists;
        sluice_write_assignment(writes, drafts->items[i].name, generation,
                                gone ? NULL : &item->owner, gone ? NULL : item->tasks,
                                gone ? 0 : item->n);
    }
    sluice_assignment_fini(&out);
    free(items);
}

void leader_plan(struct leader *leader, const struct leader_change *change,
                 struct sluice_writes *writes)
{
    struct drafts drafts = {.herder = leader->herder};
    const struct sluice_cluster *cluster = sluice_config_log_lock(leader->herder->configs);
    draft_all(&drafts, cluster, change);
    for (size_t i = 0; i < drafts.n; i++) write_draft(&drafts.items[i], writes);
    if (leader->members_known) write_assignments(leader, &drafts, writes);
    sluice_config_log_unlock(leader->herder->configs);
    drafts_fini(&drafts);
    if (writes->n) leader->sweep_ms = 0;
}

/* ---- statuses of what is no more ---- */

/* Tasks that the connector has, or that somebody still has to let go; -1: it is gone. */
static int tasks_left(struct distributed *herder, const char *name)
{
    int n = -1;
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    for (size_t i = 0; i < cluster->n; i++) {
        const struct sluice_cluster_connector *conn = cluster->connectors[i];
        if (strcmp(conn->name, name) != 0) continue;
        if (conn->exists || conn->assignment_offset >= 0)
            n = conn->owners_n > conn->tasks_n ? conn->owners_n : conn->tasks_n;
    }
    sluice_config_log_unlock(herder->configs);
    return n;
}

static void sweep_one(struct distributed *herder, const char *name)
{
    size_t tasks_n, topics_n;
    int left = tasks_left(herder, name);
    if (left < 0) {
        char **topics = sluice_status_topics(herder->statuses, name, &topics_n);
        for (size_t i = 0; i < topics_n; i++)
            sluice_status_delete_topic(herder->statuses, name, topics[i]);
        free(topics);
        sluice_status_delete(herder->statuses, name, SLUICE_STATUS_CONNECTOR);
    }
    int *tasks = sluice_status_tasks(herder->statuses, name, &tasks_n);
    for (size_t i = 0; i < tasks_n; i++) {
        if (tasks[i] >= left) sluice_status_delete(herder->statuses, name, tasks[i]);
    }
    free(tasks);
}

void leader_plan_done(struct leader *leader)
{
    int64_t now = sluice_now_ms();
    size_t n;
    if (now < leader->sweep_ms) return;
    leader->sweep_ms = now + SWEEP_MS;
    char **names = sluice_status_connectors(leader->herder->statuses, &n);
    for (size_t i = 0; i < n; i++) sweep_one(leader->herder, names[i]);
    free(names);
}

/* ---- members, generations ---- */

bool leader_ask_members(struct leader *leader, int64_t ms, struct sluice_err *err)
{
    char **members;
    size_t n;
    if (sluice_group_members(leader->herder->group, ms, &members, &n, err) != SLUICE_OK)
        return false;
    free(leader->members);
    leader->members = members;
    leader->members_n = n;
    leader->members_known = true;
    sluice_absences_see(leader->absences, members, n);
    return true;
}

/* Assignments have even generations. The odd one behind is for the goodbyes of a worker that stops:
 * an UNASSIGNED of the generation that was RUNNING does not count with Connect's readers. */
int32_t leader_next_generation(struct leader *leader)
{
    leader->generation += leader->generation % 2 ? 1 : 2;
    return leader->generation;
}

void leader_plan_begin(struct leader *leader)
{
    leader_plan_reset(leader);
    const struct sluice_cluster *cluster = sluice_config_log_lock(leader->herder->configs);
    int32_t generation = cluster->generation;
    sluice_config_log_unlock(leader->herder->configs);
    int32_t said = sluice_status_generation(leader->herder->statuses);
    leader->generation = generation > said ? generation : said;
    leader->absences = sluice_absences_new();
    leader->sweep_ms = 0;
    leader->again_ms = INT64_MAX;
}

void leader_plan_reset(struct leader *leader)
{
    free(leader->members);
    leader->members = NULL;
    leader->members_n = 0;
    leader->members_known = false;
    leader->members_due_ms = 0;
    sluice_absences_free(leader->absences);
    leader->absences = NULL;
}

int64_t leader_plan_due(struct leader *leader)
{
    if (leader->again_ms == INT64_MAX) return -1;
    int64_t ms = leader->again_ms - sluice_now_ms();
    return ms > 0 ? ms : 0;
}
