/* What the leader writes, by what it has read: assignments over several rounds. Worker and group
 * are stood in for here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "herder/assign.h"
#include "herder/distributed_impl.h"
#include "herder/leader_impl.h"

#include "../harness.h"

#define A "http://a/#1"
#define B "http://b/#2"
#define TASKS 4
#define TASK "{\"properties\":{\"v\":\"1\"}}"

int64_t sluice_worker_num(const struct sluice_worker *worker, const char *key)
{
    (void)worker, (void)key;
    return 0;
}
int sluice_worker_task_count(struct sluice_worker *worker, const struct sluice_plugin *plugin,
                             const struct sluice_map *config)
{
    (void)worker, (void)plugin, (void)config;
    return TASKS;
}
char *sluice_task_class(const struct sluice_plugin *plugin)
{
    (void)plugin;
    return sluice_xstrdup("");
}
const char *sluice_state_name(enum sluice_state state)
{
    return state == SLUICE_UNASSIGNED ? "UNASSIGNED" : "another";
}
const struct sluice_plugin *distributed_plugin(struct distributed *herder,
                                               const struct sluice_map *config,
                                               struct sluice_err *err)
{
    (void)herder, (void)config, (void)err;
    return NULL;
}
int64_t sluice_group_grace_ms(const struct sluice_group *group)
{
    (void)group;
    return 4000;
}
enum sluice_verdict sluice_group_members(struct sluice_group *group, int64_t ms, char ***names,
                                         size_t *n, struct sluice_err *err)
{
    (void)group, (void)ms, (void)err;
    *n = 2;
    *names = sluice_xmalloc(2 * sizeof **names);
    (*names)[0] = (char *)(uintptr_t)A;
    (*names)[1] = (char *)(uintptr_t)B;
    return SLUICE_OK;
}

static void changed(void *arg) { (void)arg; }
static void status_changed(void *arg, const char *connector, int task)
{
    (void)arg, (void)connector, (void)task;
}

struct bench {
    struct distributed herder;
    struct leader leader;
    int64_t offset;
};

static void feed(struct bench *b, const char *key, const char *value, size_t len)
{
    struct sluice_log_record record = {"configs", 0, b->offset++, 5, key, value, strlen(key), len};
    sluice_config_log_record(b->herder.configs, &record);
}

static void set_up(struct bench *b)
{
    struct sluice_err err;
    char key[32];
    static const char first[] = "{\"generation\":10,\"connector\":\"" A "\",\"tasks\":[\"" A
                                "\",\"" A "\",\"" A "\",\"" A "\"]}";
    memset(b, 0, sizeof *b);
    b->herder.configs = sluice_config_log_new(0, changed, NULL);
    b->herder.statuses = sluice_status_log_new(NULL, "status", status_changed, NULL);
    b->leader.herder = &b->herder;
    feed(b, "connector-c", TASK, strlen(TASK));
    for (int i = 0; i < TASKS; i++) {
        snprintf(key, sizeof key, "task-c-%d", i);
        feed(b, key, TASK, strlen(TASK));
    }
    feed(b, "commit-c", "{\"tasks\":4}", 11);
    feed(b, "sluice-assignment-c", first, strlen(first));
    leader_plan_begin(&b->leader);
    CHECK(leader_ask_members(&b->leader, 0, &err));
}

static void tear_down(struct bench *b)
{
    leader_plan_reset(&b->leader);
    sluice_status_log_free(b->herder.statuses);
    sluice_config_log_free(b->herder.configs);
}

/* Plans, and reads what was written; how many records. */
static size_t plan(struct bench *b)
{
    struct sluice_writes writes = {0};
    leader_plan(&b->leader, NULL, &writes);
    size_t n = writes.n;
    for (size_t i = 0; i < n; i++)
        feed(b, writes.items[i].key, writes.items[i].value, strlen(writes.items[i].value));
    sluice_writes_fini(&writes);
    return n;
}

/* The tasks that are to be let go, and those of a member; how many. */
static int look(struct bench *b, const char *member, bool leaving, int found[TASKS])
{
    int n = 0;
    const struct sluice_cluster *cluster = sluice_config_log_lock(b->herder.configs);
    const struct sluice_cluster_connector *c = sluice_cluster_find(cluster, "c");
    CHECK_INT(c->owners_n, TASKS);
    for (int i = 0; i < c->owners_n; i++)
        if (c->task_owners[i].member && strcmp(c->task_owners[i].member, member) == 0 &&
            c->task_owners[i].leaving == leaving)
            found[n++] = i;
    sluice_config_log_unlock(b->herder.configs);
    return n;
}

static void say_unassigned(struct bench *b, int task, int generation)
{
    char key[32], value[128];
    snprintf(key, sizeof key, "status-task-c-%d", task);
    snprintf(value, sizeof value,
             "{\"state\":\"UNASSIGNED\",\"trace\":null,\"worker_id\":\"a\",\"generation\":%d}",
             generation);
    struct sluice_log_record record = {"status", 0,     b->offset++, 5,
                                       key,      value, strlen(key), strlen(value)};
    sluice_status_log_record(b->herder.statuses, &record);
}

/* Each task moves with what its owner said of it, whatever was written since. */
TEST(leader_moves_what_was_let_go_before_another_of_its_tasks_moved)
{
    struct bench b;
    int leaving[TASKS], moved[TASKS];
    set_up(&b);
    CHECK_INT(plan(&b), 1);
    CHECK_INT(look(&b, A, true, leaving), 2);
    int generation = b.leader.generation;
    say_unassigned(&b, leaving[0], generation);
    CHECK_INT(plan(&b), 1);
    CHECK(b.leader.generation > generation);
    CHECK_INT(look(&b, B, false, moved), 1);
    CHECK_INT(moved[0], leaving[0]);
    CHECK_INT(plan(&b), 0);
    say_unassigned(&b, leaving[1], generation);
    CHECK_INT(plan(&b), 1);
    CHECK_INT(look(&b, B, false, moved), 2);
    CHECK_INT(look(&b, A, true, leaving), 0);
    tear_down(&b);
}

/* What its owner said before it was to let go says nothing. */
TEST(leader_waits_for_who_is_to_let_go)
{
    struct bench b;
    int leaving[TASKS], moved[TASKS];
    set_up(&b);
    for (int i = 0; i < TASKS; i++) say_unassigned(&b, i, 10);
    CHECK_INT(plan(&b), 1);
    CHECK_INT(look(&b, A, true, leaving), 2);
    CHECK_INT(plan(&b), 0);
    CHECK_INT(look(&b, B, false, moved), 0);
    tear_down(&b);
}
