/* herder.h - who keeps the connectors: one interface, so that REST does not care how many workers
 * there are.
 *
 * standalone.c keeps everything in this process. A distributed herder keeps configs and states in
 * Kafka: it sets answer->forward where another worker must be asked, answers 409 while the group
 * settles, and needs nothing of REST but what stands here.
 *
 * Thread: every function may be called from any thread, several at a time. None of them holds a
 * lock while a plugin works. Those marked "waits" may take seconds (a plugin's validate(), tasks
 * that drain); the others answer at once.
 * Memory: what is passed in is copied; answers belong to the caller. */
#ifndef SLUICE_HERDER_HERDER_H
#define SLUICE_HERDER_HERDER_H

#include <stdbool.h>
#include <stdint.h>

#include "herder/answer.h"
#include "store/target.h"
#include "worker/task.h"
#include "worker/worker.h"

/* A connector as metrics see it: a copy, taken at one moment. */
struct sluice_task_view {
    int id;
    enum sluice_state state;
    struct sluice_task_counters counters;
};

struct sluice_connector_view {
    char *name, *class_name, *version;
    enum sluice_kind kind;
    enum sluice_state state;
    struct sluice_task_view *tasks;
    size_t tasks_n;
};

/* The group of workers as this one sees it. */
struct sluice_group_view {
    bool there;   /* it is a distributed worker */
    char *leader; /* URL; NULL: nobody leads yet */
    int64_t epoch;
    bool rebalancing; /* this worker is no member now */
    uint64_t rebalances;
    int64_t since_ms; /* the last one; -1: there was none */
    double join_avg_ms, join_max_ms;
};

struct sluice_herder_view {
    struct sluice_connector_view *connectors;
    size_t n;
    uint64_t connector_starts, connector_failures; /* configs that were put into force, or not */
    uint64_t task_starts, task_failures;           /* since the worker began */
    uint64_t task_auto_restarts;                   /* of task_starts (auto.restart.*) */
    struct sluice_group_view group;
};

void sluice_herder_view_fini(struct sluice_herder_view *view);

/* An internal request as it came: headers X-Connect-Authorization and
 * X-Connect-Request-Signature-Algorithm (NULL: absent), and the body's bytes that they sign. */
struct sluice_signed {
    const char *signature, *algorithm;
    const void *body;
    size_t body_len;
};

struct sluice_herder {
    const struct sluice_herder_ops *ops;
};

struct sluice_herder_ops {
    /* GET /health */
    void (*health)(struct sluice_herder *, struct sluice_answer *);
    /* GET /connectors; with status or info: the expanded form. */
    void (*list)(struct sluice_herder *, bool status, bool info, struct sluice_answer *);
    /* POST /connectors. Waits. */
    void (*create)(struct sluice_herder *, const char *name, const struct sluice_map *config,
                   enum sluice_target initial, struct sluice_answer *);
    /* PUT .../config: creates or replaces. Waits. */
    void (*put_config)(struct sluice_herder *, const char *name, const struct sluice_map *config,
                       struct sluice_answer *);
    /* PATCH .../config: null deletes a key. Waits. */
    void (*patch_config)(struct sluice_herder *, const char *name, const struct sluice_map *patch,
                         struct sluice_answer *);
    /* DELETE. Waits until the tasks ended or are given up. */
    void (*remove)(struct sluice_herder *, const char *name, struct sluice_answer *);
    void (*info)(struct sluice_herder *, const char *name, struct sluice_answer *);
    void (*config)(struct sluice_herder *, const char *name, struct sluice_answer *);
    void (*status)(struct sluice_herder *, const char *name, struct sluice_answer *);
    void (*tasks)(struct sluice_herder *, const char *name, struct sluice_answer *);
    void (*task_status)(struct sluice_herder *, const char *name, int task, struct sluice_answer *);
    /* GET .../tasks/{n}/progress: {"id", "progress"} (base/progress.h). Waits: for an owner. */
    void (*task_progress)(struct sluice_herder *, const char *name, int task,
                          struct sluice_answer *);
    /* PUT .../pause, /resume, /stop. Stop waits as remove does. */
    void (*set_target)(struct sluice_herder *, const char *name, enum sluice_target,
                       struct sluice_answer *);
    void (*restart)(struct sluice_herder *, const char *name, bool include_tasks, bool only_failed,
                    struct sluice_answer *);
    void (*restart_task)(struct sluice_herder *, const char *name, int task,
                         struct sluice_answer *);
    /* GET .../topics and PUT .../topics/reset */
    void (*topics)(struct sluice_herder *, const char *name, struct sluice_answer *);
    void (*reset_topics)(struct sluice_herder *, const char *name, struct sluice_answer *);
    /* GET .../offsets. Waits. */
    void (*offsets)(struct sluice_herder *, const char *name, struct sluice_answer *);
    /* PATCH .../offsets (changes: the array of {"partition","offset"}), DELETE (changes NULL).
     * Waits. */
    void (*alter_offsets)(struct sluice_herder *, const char *name, const json_t *changes,
                          struct sluice_answer *);
    /* PUT /admin/loggers/{l}?scope=cluster, of a level that there is. answer->status stays 0: this
     * worker is the only one, do as for scope=worker. */
    void (*log_level)(struct sluice_herder *, const char *logger, const char *level,
                      struct sluice_answer *);
    /* Internal, between workers: POST .../tasks (configs: an array of flat objects) and PUT
     * .../fence, both signed. They wait. */
    void (*put_tasks)(struct sluice_herder *, const char *name, const json_t *configs,
                      const struct sluice_signed *, struct sluice_answer *);
    void (*fence)(struct sluice_herder *, const char *name, const struct sluice_signed *,
                  struct sluice_answer *);
    void (*view)(struct sluice_herder *, struct sluice_herder_view *out);
    /* What the herder is busy with, for requests that take too long: "The worker is currently
     * <stage>, which began at <ISO time>." or "The last operation the worker completed was ...".
     * False: nothing to tell. Quick; may be NULL. */
    bool (*stage)(struct sluice_herder *, char *text, size_t size);

    /* All connectors of the command line are in place: /health says healthy. */
    void (*ready)(struct sluice_herder *);
    /* Asks every task to drain and waits; false: some did not end within timeout_ms, they are
     * logged by name, and nothing that they use may be freed. Calls that come meanwhile and later
     * find no connector and make none. */
    bool (*stop)(struct sluice_herder *, int64_t timeout_ms);
    /* After a stop() that was true, and when no other call is under way; takes NULL. */
    void (*free)(struct sluice_herder *);
};

/* Everything in memory; worker and offsets are borrowed until free. Starts the herder's thread. */
struct sluice_herder *sluice_standalone_new(struct sluice_worker *worker,
                                            struct sluice_offset_store *offsets,
                                            struct sluice_err *err);

/* ---- shared by herders: a config's way in (config.c) ---- */

/* Trims the name as Connect does, in place. */
char *sluice_connector_name_trim(char *name);
/* config.name must be absent (then it is added) or equal; false: answer is the 400. */
bool sluice_config_name(struct sluice_map *config, const char *name, struct sluice_answer *answer);
/* Validates; false: answer is Connect's 400. Holds no lock; may take seconds. */
bool sluice_config_check(struct sluice_worker *worker, const struct sluice_map *config,
                         const struct sluice_plugin **plugin, struct sluice_answer *answer);
/* The findings of a config, those of null values included, as sluice_worker_validate() has them.
 * False: no such connector class, text (owned by the caller) says so in Connect's words. */
bool sluice_config_findings(struct sluice_worker *worker, const struct sluice_map *config,
                            const struct sluice_plugin **plugin, struct sluice_report *report,
                            char **text);
/* The answer of GET .../tasks/{n}/progress, of a task that this process would run. */
void sluice_herder_progress(const char *name, int task, struct sluice_answer *answer);
/* "source", "sink" or "unknown". */
const char *sluice_connector_type(const struct sluice_plugin *plugin);

#endif
