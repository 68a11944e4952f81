/* slots.c - the standalone herder's tasks: started, told to stop, reaped, given up.
 * Owner: the herder's thread starts and frees tasks; others, under the lock, only ask. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/standalone.h"

#define RECHECK_MS 20
#define CLOSE_MS 500 /* a task that drains up to its last millisecond still has to close */

struct connector *standalone_find(struct standalone *herder, const char *name)
{
    for (struct connector *conn = herder->connectors; conn; conn = conn->next) {
        if (strcmp(conn->name, name) == 0) return conn;
    }
    return NULL;
}

void standalone_connector_free(struct connector *conn)
{
    if (!conn) return;
    assert(conn->slots_n == 0);
    sluice_map_fini(&conn->config);
    free(conn->name);
    free(conn);
}

/* On the task's thread: its state changed, which may mean that it ended. */
static void task_changed(void *arg, struct sluice_task *task)
{
    (void)task;
    struct standalone *herder = arg;
    sluice_wake_up(&herder->wake);
}

/* ---- asking, under the lock ---- */

static void slot_stop(struct standalone *herder, struct connector *conn, int id)
{
    struct slot *slot = &conn->slots[id];
    if (!slot->task) return;
    sluice_task_stop(slot->task);
    struct ending *end = sluice_xcalloc(1, sizeof *end);
    end->task = slot->task;
    end->connector = sluice_xstrdup(conn->name);
    end->id = id;
    end->generation = conn->generation;
    end->deadline_ms = sluice_now_ms() + herder->graceful_ms + CLOSE_MS;
    end->next = herder->endings;
    herder->endings = end;
    slot->task = NULL;
}

void standalone_slots_make(struct standalone *herder, struct connector *conn)
{
    assert(conn->slots_n == 0);
    int n = sluice_worker_task_count(herder->worker, conn->plugin, &conn->config);
    assert(n >= 0);
    conn->slots = n ? sluice_xcalloc((size_t)n, sizeof *conn->slots) : NULL;
    conn->slots_n = n;
    conn->generation = ++herder->generations;
    conn->failed = false;
    conn->trace[0] = '\0';
    for (int i = 0; i < n; i++) conn->slots[i].due = true;
    sluice_wake_up(&herder->wake);
}

void standalone_slots_drop(struct standalone *herder, struct connector *conn)
{
    for (int i = 0; i < conn->slots_n; i++) slot_stop(herder, conn, i);
    free(conn->slots);
    conn->slots = NULL;
    conn->slots_n = 0;
    conn->failed = false;
    sluice_wake_up(&herder->wake);
}

void standalone_slot_restart(struct standalone *herder, struct connector *conn, int id)
{
    assert(id >= 0 && id < conn->slots_n);
    slot_stop(herder, conn, id);
    struct slot *slot = &conn->slots[id];
    slot->due = true;
    slot->restarting = true;
    slot->last.trace[0] = '\0';
    sluice_wake_up(&herder->wake);
}

void standalone_slot_status(const struct connector *conn, int id, struct sluice_task_status *out)
{
    assert(id >= 0 && id < conn->slots_n);
    const struct slot *slot = &conn->slots[id];
    if (slot->task) {
        sluice_task_status(slot->task, out);
    } else if (slot->due) {
        out->state = slot->restarting ? SLUICE_RESTARTING : SLUICE_UNASSIGNED;
        out->trace[0] = '\0';
    } else {
        *out = slot->last;
    }
}

enum sluice_state standalone_state(const struct connector *conn)
{
    if (conn->failed) return SLUICE_FAILED;
    switch (conn->target) {
    case SLUICE_TARGET_STARTED: return SLUICE_RUNNING;
    case SLUICE_TARGET_PAUSED: return SLUICE_PAUSED;
    case SLUICE_TARGET_STOPPED: return SLUICE_STOPPED;
    }
    assert(!"a target that is none");
    return SLUICE_FAILED;
}

bool standalone_settle(struct standalone *herder, const char *name)
{
    for (;;) {
        bool draining = false, zombies = false;
        for (struct ending *end = herder->endings; end; end = end->next) {
            if (strcmp(end->connector, name) != 0) continue;
            if (end->zombie) zombies = true;
            else draining = true;
        }
        if (!draining) return !zombies;
        pthread_cond_wait(&herder->settled,
                          &herder->lock); /* the herder's thread gives up in time */
    }
}

/* ---- the herder's thread ---- */

/* A predecessor that must end first: the same task, or any task of a former config, because
 * another config may divide the work among tasks differently. */
static bool blocked(const struct standalone *herder, const struct connector *conn, int id)
{
    for (const struct ending *end = herder->endings; end; end = end->next) {
        if (end->zombie || strcmp(end->connector, conn->name) != 0) continue;
        if (end->id == id || end->generation != conn->generation) return true;
    }
    return false;
}

static void start_due(struct standalone *herder, struct connector *conn)
{
    for (int i = 0; i < conn->slots_n; i++) {
        struct slot *slot = &conn->slots[i];
        if (!slot->due || blocked(herder, conn, i)) continue;
        assert(!slot->task);
        struct sluice_err err = {{0}};
        slot->due = slot->restarting = false;
        herder->task_starts++;
        slot->task =
            sluice_task_start(herder->worker, conn->plugin, conn->name, i, &conn->config,
                              conn->target == SLUICE_TARGET_PAUSED, task_changed, herder, &err);
        if (slot->task) continue;
        herder->task_failures++;
        slot->last.state = SLUICE_FAILED;
        snprintf(slot->last.trace, sizeof slot->last.trace, "%s", err.msg);
        conn->failed = true;
        snprintf(conn->trace, sizeof conn->trace, "task %d could not be started: %s", i, err.msg);
        sluice_log(SLUICE_ERROR, conn->name, i, "starting the task failed: %s", err.msg);
    }
}

/* A task that ended by itself, which means FAILED: its trace stays, its resources go. */
static void keep_failed(struct standalone *herder, struct connector *conn,
                        struct sluice_task **dead)
{
    for (int i = 0; i < conn->slots_n; i++) {
        struct slot *slot = &conn->slots[i];
        if (!slot->task || !sluice_task_ended(slot->task)) continue;
        sluice_task_status(slot->task, &slot->last);
        sluice_task_counters(slot->task, &slot->counters);
        if (slot->last.state == SLUICE_FAILED) herder->task_failures++;
        *dead = slot->task;
        slot->task = NULL;
        return;
    }
}

/* One task to free, or NULL; moves overdue ones among the zombies. */
static struct sluice_task *reap(struct standalone *herder)
{
    struct sluice_task *dead = NULL;
    for (struct connector *conn = herder->connectors; conn && !dead; conn = conn->next)
        keep_failed(herder, conn, &dead);
    int64_t now = sluice_now_ms();
    for (struct ending **link = &herder->endings; *link && !dead;) {
        struct ending *end = *link;
        if (sluice_task_ended(end->task)) {
            if (end->zombie) {
                sluice_log(SLUICE_INFO, end->connector, end->id,
                           "the task that was given up ended");
            }
            dead = end->task;
            *link = end->next;
            free(end->connector);
            free(end);
            pthread_cond_broadcast(&herder->settled);
            continue;
        }
        if (!end->zombie && now >= end->deadline_ms) {
            end->zombie = true;
            sluice_log(SLUICE_WARN, end->connector, end->id,
                       "the task did not stop within %lld ms (task.shutdown.graceful.timeout.ms); "
                       "it is given up and holds its resources until its plugin returns",
                       (long long)herder->graceful_ms);
            pthread_cond_broadcast(&herder->settled);
        }
        link = &end->next;
    }
    return dead;
}

/* How long until the next ending task is overdue; -1: no end in sight. */
static int64_t next_deadline(const struct standalone *herder)
{
    int64_t wait_ms = -1, now = sluice_now_ms();
    for (const struct ending *end = herder->endings; end; end = end->next) {
        if (end->zombie) continue;
        int64_t left = end->deadline_ms > now ? end->deadline_ms - now : 0;
        if (wait_ms < 0 || left < wait_ms) wait_ms = left;
    }
    return wait_ms;
}

void *standalone_run(void *arg)
{
    struct standalone *herder = arg;
    bool woken = false;
    sluice_lock(&herder->lock);
    for (;;) {
        sluice_wake_clear(&herder->wake);
        struct sluice_task *dead = reap(herder);
        if (dead) { /* closing a plugin's leftovers may take a moment: not under the lock */
            sluice_unlock(&herder->lock);
            sluice_task_free(dead);
            sluice_lock(&herder->lock);
            continue;
        }
        for (struct connector *conn = herder->connectors; conn && !herder->closing;
             conn = conn->next)
            start_due(herder, conn);
        if (herder->closing && !herder->endings) break;
        int64_t wait_ms = next_deadline(herder);
        sluice_unlock(&herder->lock);
        /* a task's last sign comes just before its thread counts as ended: look twice */
        if (woken && (wait_ms < 0 || wait_ms > RECHECK_MS)) wait_ms = RECHECK_MS;
        woken = sluice_wake_wait(&herder->wake, wait_ms);
        sluice_lock(&herder->lock);
    }
    sluice_unlock(&herder->lock);
    return NULL;
}
