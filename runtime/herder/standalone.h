/* standalone.h - what the files of the standalone herder share; nobody else includes it.
 *
 * One mutex guards everything below. Under it only quick things happen: memory, atomics of tasks,
 * the start of a thread. Validation, joins and waits happen without it, or give it up.
 *
 * A connector has slots, one for each task that its config asks for. A slot's task that must go is
 * told to stop and moves to the list of ending tasks; the slot is due, and the herder's thread
 * starts the successor once no ending task stands in its way, or once that one has used up
 * task.shutdown.graceful.timeout.ms: then it is a zombie, left alone until it ends by itself.
 * So a plugin that blocks costs its own connector that time, and nobody else anything. */
#ifndef SLUICE_HERDER_STANDALONE_H
#define SLUICE_HERDER_STANDALONE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "herder/herder.h"

struct sluice_offset_store;

/* One task that a connector should have. */
struct slot {
    struct sluice_task *task;             /* NULL: not started yet, or ended */
    bool due;                             /* to be started by the herder's thread */
    bool restarting;                      /* due because of a restart: RESTARTING, not UNASSIGNED */
    struct sluice_task_status last;       /* of the task that ended by itself: why it FAILED */
    struct sluice_task_counters counters; /* of that task */
};

struct connector {
    char *name;
    struct sluice_map config; /* as given: nothing trimmed, no variable resolved */
    const struct sluice_plugin *plugin;
    enum sluice_target target;
    uint64_t generation; /* raised with every config, over all connectors: tells old tasks apart */
    struct slot *slots;
    int slots_n;
    bool failed;            /* its tasks could not be started at all */
    char trace[1100];       /* why, when failed */
    struct connector *next; /* by name */
};

/* A task that was told to stop. */
struct ending {
    struct sluice_task *task;
    char *connector;
    int id;
    uint64_t generation;
    int64_t deadline_ms; /* then it is a zombie */
    bool zombie;
    struct ending *next;
};

struct standalone {
    struct sluice_herder base; /* first */
    struct sluice_worker *worker;
    struct sluice_offset_store *offsets;
    int64_t graceful_ms;

    pthread_mutex_t lock;
    pthread_cond_t settled; /* an ending task ended or became a zombie */
    struct connector *connectors;
    struct ending *endings;
    uint64_t generations;
    bool is_ready, closing;
    uint64_t connector_starts, connector_failures, task_starts, task_failures;

    struct sluice_wake wake;
    pthread_t thread;
};

static inline struct standalone *standalone_of(struct sluice_herder *herder)
{
    return (struct standalone *)herder;
}

/* ---- slots.c; the lock is held ---- */

struct connector *standalone_find(struct standalone *herder, const char *name);
/* Slots for the config in force; the tasks start on the herder's thread. */
void standalone_slots_make(struct standalone *herder, struct connector *conn);
/* All tasks end; no slots are left. */
void standalone_slots_drop(struct standalone *herder, struct connector *conn);
void standalone_slot_restart(struct standalone *herder, struct connector *conn, int id);
void standalone_slot_status(const struct connector *conn, int id, struct sluice_task_status *out);
enum sluice_state standalone_state(const struct connector *conn);
/* Waits (giving up the lock) until no ending task of the connector is left, or but zombies; true:
 * none at all. */
bool standalone_settle(struct standalone *herder, const char *name);
void standalone_connector_free(struct connector *conn);

/* The herder's thread. */
void *standalone_run(void *herder);

/* ---- views.c: the operations that only look (herder.h), and two pieces of theirs ---- */

json_t *standalone_info_json(const struct connector *conn);
json_t *standalone_status_json(const struct standalone *herder, const struct connector *conn);
void standalone_health(struct sluice_herder *, struct sluice_answer *);
void standalone_list(struct sluice_herder *, bool status, bool info, struct sluice_answer *);
void standalone_info(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_config(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_status(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_tasks(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_task_status(struct sluice_herder *, const char *name, int id,
                            struct sluice_answer *);
void standalone_view(struct sluice_herder *, struct sluice_herder_view *out);

/* ---- offsets.c: likewise ---- */

void standalone_topics(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_reset_topics(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_offsets(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_alter_offsets(struct sluice_herder *, const char *name, const json_t *changes,
                              struct sluice_answer *);

#endif
