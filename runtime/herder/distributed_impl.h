/* distributed_impl.h - what the files of the distributed herder share; nobody else includes it.
 *
 * Locks, in the order in which they may be taken: altering, fencing, leader.writer (held over
 * writes to the config topic), the config log's, herder.lock, those of runner and status log.
 * Nothing waits under any but the first three. */
#ifndef SLUICE_HERDER_DISTRIBUTED_IMPL_H
#define SLUICE_HERDER_DISTRIBUTED_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "herder/distributed.h"
#include "herder/runner.h"
#include "http/client.h"
#include "kafka/group.h"
#include "store/config_log.h"
#include "store/status_log.h"

struct leader;

/* A task that runs here, or is ending here. */
struct work_task {
    bool running;          /* it is wanted of the runner */
    bool failed;           /* it cannot run here (trace): no plugin */
    int64_t set;           /* tasks_offset of its config */
    int64_t config_offset; /* of the connector config that it was started with */
    int32_t generation;    /* of the assignment that it runs under */
    int32_t released;      /* UNASSIGNED was said for this generation; 0: was not */
    int32_t to_release;    /* to be said once the task has ended; 0: nothing */
    bool said;             /* state and trace below are in the status topic */
    enum sluice_state state;
    uint64_t trace_hash;
};

/* A connector of which something runs here. */
struct work {
    char *name;
    const struct sluice_plugin *plugin; /* NULL: not known here */
    char *why;                          /* then: a sentence */
    bool owned, leaving, paused;        /* the connector itself is ours, or was */
    int32_t generation, released;       /* as of a task */
    bool said;
    enum sluice_state state;
    int64_t config_offset;  /* that plugin and why were found for */
    int64_t restart_offset; /* acted on */
    struct work_task *tasks;
    int tasks_n;
};

struct distributed {
    struct sluice_herder base; /* first */
    struct sluice_distributed_config given;
    struct sluice_worker *worker; /* given.worker */
    struct sluice_map client;     /* Java properties of the worker's own clients */
    const char *group_id, *config_topic, *offset_topic, *status_topic; /* in given.props */
    char *url;                                                         /* ends with '/' */

    struct sluice_config_log *configs;
    struct sluice_status_log *statuses;
    struct sluice_log_reader *reader; /* NULL until the topics are there */
    struct sluice_group *group;       /* likewise */
    struct sluice_runner *runner;
    struct leader *leader;

    struct sluice_wake wake; /* the herder's thread */
    pthread_t thread;
    bool thread_started;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* monotonic clock; of anything that requests wait for */
    char stage[600];        /* of the start; for /health */
    int64_t stage_ms;       /* wall clock */
    bool started, joined;   /* the logs were read; it was a member once */
    bool closing, failed;
    struct sluice_err fatal;
    const char *busy, *was_busy; /* what the leader does, or did last; constants; NULL: nothing */
    int64_t busy_ms, was_busy_ms, was_done_ms; /* wall clock */
    struct work **works;                       /* by name; the herder's thread changes the list */
    size_t works_n, works_cap;
    uint64_t connector_starts, connector_failures;

    pthread_mutex_t altering; /* one change of offsets at a time; the first lock to take */
    pthread_mutex_t fencing;  /* one fencing at a time; the next */

    _Atomic int64_t ticked_ms;     /* the herder's thread was here */
    char self[SLUICE_MEMBER_MAX];  /* the incarnation that works run under; the herder's thread */
    struct sluice_map former;      /* incarnations before, which run nothing any more: -> "" */
    struct sluice_map said_former; /* "task:connector" -> generation that was let go for them */
    bool caught_up;                /* the logs were read to their ends since it joined again */
    int64_t logger_offset;         /* levels up to here are in force; the herder's thread */
    int64_t topics_ms;             /* when told_topics was looked at; the herder's thread */
    struct sluice_map told_topics; /* "topic:connector" -> "1" once read back; lock */
};

static inline struct distributed *distributed_of(struct sluice_herder *herder)
{
    return (struct distributed *)herder;
}

/* ---- distributed.c ---- */

/* Wakes everybody who waits for a change. Any thread. */
void distributed_changed(struct distributed *herder);
/* Waits on changed until deadline_ms; the lock is held. False: it has passed. */
bool distributed_wait(struct distributed *herder, int64_t deadline_ms);
void distributed_stage(struct distributed *herder, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void distributed_fail(struct distributed *herder, const struct sluice_err *err);
bool distributed_stage_text(struct sluice_herder *, char *text, size_t size); /* herder.h: stage */
/* What the leader is at from now on, for requests that take too long; NULL: nothing. Any thread. */
void distributed_busy(struct distributed *herder, const char *what);
bool distributed_closing(struct distributed *herder);
/* Connect's 500 for what took too long; what: "writing to the config topic". */
void distributed_timed_out(const char *what, int64_t since_wall_ms, struct sluice_answer *answer);
/* The plugin of a connector's config, variables of its class replaced; NULL: err. */
const struct sluice_plugin *distributed_plugin(struct distributed *herder,
                                               const struct sluice_map *config,
                                               struct sluice_err *err);

/* ---- distributed_start.c ---- */

/* Topics, logs, group; false: closing, or failed for good. The herder's thread. */
bool distributed_begin(struct distributed *herder);

/* ---- distributed_follow.c; the herder's thread ---- */

/* One look at everything; how long until the next is due at the latest. */
int64_t distributed_follow(struct distributed *herder);
/* Whether that task is wanted here with the configs committed at this offset. Any thread. */
bool distributed_runs(struct distributed *herder, const char *connector, int task,
                      int64_t tasks_offset);
/* Everything that runs here is somebody else's now. */
void distributed_abandon(struct distributed *herder, const char *why);
/* At the end: all tasks have ended; says so for what was ours. */
void distributed_release_all(struct distributed *herder);
void distributed_works_free(struct distributed *herder);
/* The runner's callback. */
void distributed_task_changed(void *herder, const char *connector, int task);

/* ---- distributed_topics.c ---- */

/* A reset by any worker makes the tasks here tell of their topics again; the herder's thread. */
void distributed_follow_topics(struct distributed *herder);
/* The worker's hook. */
void distributed_topic_used(void *herder, const char *connector, int task, const char *topic);
void distributed_topics(struct sluice_herder *, const char *name, struct sluice_answer *);
void distributed_reset_topics(struct sluice_herder *, const char *name, struct sluice_answer *);

/* ---- distributed_views.c ---- */

/* Whether the logs have been read, and the group joined or being joined; false: answer. */
bool distributed_is_started(struct distributed *herder, struct sluice_answer *answer);
json_t *distributed_info_json(struct distributed *herder,
                              const struct sluice_cluster_connector *conn);
/* NULL: there is no status. */
json_t *distributed_status_json(struct distributed *herder, const char *name);
void distributed_health(struct sluice_herder *, struct sluice_answer *);
void distributed_list(struct sluice_herder *, bool status, bool info, struct sluice_answer *);
void distributed_info(struct sluice_herder *, const char *name, struct sluice_answer *);
void distributed_config(struct sluice_herder *, const char *name, struct sluice_answer *);
void distributed_status(struct sluice_herder *, const char *name, struct sluice_answer *);
void distributed_tasks(struct sluice_herder *, const char *name, struct sluice_answer *);
void distributed_task_status(struct sluice_herder *, const char *name, int task,
                             struct sluice_answer *);
void distributed_view(struct sluice_herder *, struct sluice_herder_view *out);

/* ---- distributed_requests.c: what only the leader does, or forwards to it ---- */

void distributed_create(struct sluice_herder *, const char *name, const struct sluice_map *config,
                        enum sluice_target initial, struct sluice_answer *);
void distributed_put_config(struct sluice_herder *, const char *name,
                            const struct sluice_map *config, struct sluice_answer *);
void distributed_patch_config(struct sluice_herder *, const char *name,
                              const struct sluice_map *patch, struct sluice_answer *);
void distributed_remove(struct sluice_herder *, const char *name, struct sluice_answer *);
void distributed_set_target(struct sluice_herder *, const char *name, enum sluice_target,
                            struct sluice_answer *);
void distributed_restart(struct sluice_herder *, const char *name, bool include_tasks,
                         bool only_failed, struct sluice_answer *);
void distributed_task_progress(struct sluice_herder *, const char *name, int task,
                               struct sluice_answer *);
void distributed_restart_task(struct sluice_herder *, const char *name, int task,
                              struct sluice_answer *);
void distributed_log_level(struct sluice_herder *, const char *logger, const char *level,
                           struct sluice_answer *);
void distributed_offsets(struct sluice_herder *, const char *name, struct sluice_answer *);
void distributed_alter_offsets(struct sluice_herder *, const char *name, const json_t *changes,
                               struct sluice_answer *);

/* ---- fencing.c ---- */

/* Entered (leader.h). Exactly-once: fences the tasks of the connector before its offsets are
 * changed; nothing to do for others. False: answer. */
bool distributed_fence_now(struct distributed *herder, const char *name,
                           const struct sluice_plugin *plugin, struct sluice_answer *answer);
void distributed_put_tasks(struct sluice_herder *, const char *name, const json_t *configs,
                           const struct sluice_signed *, struct sluice_answer *);
void distributed_fence(struct sluice_herder *, const char *name, const struct sluice_signed *,
                       struct sluice_answer *);
/* Hooks of the worker (worker.h). */
enum sluice_verdict distributed_hook_fence(void *herder, const char *connector,
                                           struct sluice_err *err);
enum sluice_verdict distributed_hook_current(void *herder, const char *connector, int task,
                                             struct sluice_err *err);

#endif
