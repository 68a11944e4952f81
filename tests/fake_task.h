/* fake_task.h - task.h without threads, Kafka or plugins, for tests of the herder and of REST.
 * A task is a struct; with fake.blocks in its connector's config it does not end when it is told to
 * stop, fake_end() ends it then. The test looks at tasks with fake_task() and makes them fail with
 * fake_fail(). */
#ifndef SLUICE_TESTS_FAKE_TASK_H
#define SLUICE_TESTS_FAKE_TASK_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    bool stopped, abandoned, ended;
    sluice_task_changed *changed;
    void *arg;
    struct sluice_task *next;
};

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sluice_task *fake_tasks;
static int fake_starts;
static _Atomic bool fake_no_threads; /* sluice_task_start() fails */

/* ---- what tests ask ---- */

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
    for (struct sluice_task *task = fake_tasks; task; task = task->next) n++;
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
    task->changed(task->arg, task); /* it may be freed as soon as the lock is */
    sluice_unlock(&fake_lock);
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

void sluice_task_abandon(struct sluice_task *task)
{
    sluice_lock(&fake_lock);
    task->abandoned = true;
    sluice_unlock(&fake_lock);
    sluice_task_stop(task);
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
    while (*link != task) link = &(*link)->next;
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

#endif
