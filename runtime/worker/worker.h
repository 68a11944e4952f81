/* worker.h - what tasks share in one process: worker config, registry, offset store, producers.
 *
 * Made once by main, freed last. The herder starts and stops tasks (task.h) on it. Thread: all
 * functions may be called from any thread. */
#ifndef SLUICE_WORKER_WORKER_H
#define SLUICE_WORKER_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "plugin/options.h"
#include "plugin/registry.h"
#include "sluice/plugin.h"

struct sluice_worker;
struct sluice_offset_store;
struct sluice_variables;

/* props: the worker's properties with their variables replaced; registry, variables (NULL: configs
 * are taken as they are) and offsets are borrowed until free. False err: an option is wrong. Does
 * not connect. */
struct sluice_worker *sluice_worker_new(const struct sluice_map *props,
                                        const struct sluice_registry *registry,
                                        struct sluice_variables *variables,
                                        struct sluice_offset_store *offsets,
                                        struct sluice_err *err);
/* All tasks must be freed before. */
void sluice_worker_free(struct sluice_worker *worker);

/* What tasks ask of whoever herds them; all may be NULL. Called on tasks' threads. */
struct sluice_worker_hooks {
    void *arg;
    /* Exactly-once: fences every predecessor of the connector's tasks before one of them starts
     * (KIP-618). Waits. RETRY: ask again; FAIL: err. */
    enum sluice_verdict (*fence)(void *arg, const char *connector, struct sluice_err *err);
    /* The task of this config is still wanted here; asked after fencing. Waits. */
    enum sluice_verdict (*current)(void *arg, const char *connector, int task,
                                   struct sluice_err *err);
    /* A record of this topic went out or came in (KIP-558); quick. */
    void (*topic_used)(void *arg, const char *connector, int task, const char *topic);
};
/* Before the first task; copied. */
void sluice_worker_set_hooks(struct sluice_worker *worker, const struct sluice_worker_hooks *hooks);
const struct sluice_worker_hooks *sluice_worker_hooks(const struct sluice_worker *worker);
/* Until when (sluice_now_ms) tasks may work, or NULL: without end. Borrowed until free. */
void sluice_worker_set_lease(struct sluice_worker *worker, const _Atomic int64_t *until_ms);
/* Asked before every poll, send, put and commit: a plain look at the clock. */
bool sluice_worker_holds_lease(const struct sluice_worker *worker);
/* Raised when topics are to be told of again (a reset); any thread. */
void sluice_worker_forget_topics(struct sluice_worker *worker);
unsigned sluice_worker_topics_epoch(const struct sluice_worker *worker);

/* The worker's own option table (both modes), for checks, docs and nearest names. NULL-key ended.
 * */
const struct sluice_option *sluice_worker_options(void);
/* Option tables of every connector config: common, source and sink keys; for validate and REST. */
const struct sluice_option *sluice_connector_options(enum sluice_kind kind);
/* Whether a connector config key belongs to the framework: common keys, transforms.*, predicates.*,
 * *.converter.*, *.override.*, errors.*, topic.creation.*. */
bool sluice_connector_key(const char *key);

/* Checks a connector's whole config as Connect's validate does: framework keys, converters,
 * transforms, the plugin's own table and its validate(), all on the values that variables stand
 * for; none of these stands in a finding. May take seconds; holds no lock.
 * plugin: set to the connector found, NULL when connector.class is missing or unknown (err). */
bool sluice_worker_validate(struct sluice_worker *worker, const struct sluice_map *config,
                            const struct sluice_plugin **plugin, struct sluice_report *report,
                            struct sluice_err *err);
/* Number of tasks that this connector config asks for: tasks.max, bounded by the plugin. */
int sluice_worker_task_count(struct sluice_worker *worker, const struct sluice_plugin *plugin,
                             const struct sluice_map *config);
/* Whether the connector may run n tasks: task configs that somebody else wrote may be more than
 * tasks.max. False, unless tasks.max.enforce is false: err, with which connector and tasks FAIL. */
bool sluice_worker_tasks_allowed(struct sluice_worker *worker, const char *connector,
                                 const struct sluice_map *config, int n, struct sluice_err *err);
/* kafka_cluster_id for GET /; asks the broker for at most wait_ms. False: err. */
bool sluice_worker_cluster_id(struct sluice_worker *worker, int wait_ms, char out[64],
                              struct sluice_err *err);
/* "host:port" that stands in statuses; set by main once the REST listener is known. */
void sluice_worker_set_id(struct sluice_worker *worker, const char *worker_id);
const char *sluice_worker_id(const struct sluice_worker *worker);
const char *sluice_worker_prop(const struct sluice_worker *worker, const char *key);
int64_t sluice_worker_num(const struct sluice_worker *worker, const char *key);
const struct sluice_registry *sluice_worker_registry(const struct sluice_worker *worker);
struct sluice_variables *sluice_worker_variables(struct sluice_worker *worker); /* NULL: none */

#endif
