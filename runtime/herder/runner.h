/* runner.h - the tasks that run in this process: started, told to stop, reaped, given up, started
 * again. Both herders say what should run; the runner sees to it.
 *
 * A slot is a task that is wanted. Its former task must have ended before a new one starts, and so
 * must every task of another set of the same connector, because another set may divide the work
 * differently; or they have used up task.shutdown.graceful.timeout.ms: then they are zombies, left
 * alone until they end. So a plugin that blocks costs its own connector that time, and nobody else
 * anything. A slot may start a FAILED task again by itself (auto.restart.* of the connector).
 *
 * Thread: any; one mutex, held for memory, atomics and thread starts only; one thread of its own.
 * Cost: what is asked of one task depends neither on how many connectors there are nor, but for a
 * binary search, on how many tasks it has; idle, the runner's thread sleeps. */
#ifndef SLUICE_HERDER_RUNNER_H
#define SLUICE_HERDER_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/task.h"
#include "worker/worker.h"

struct sluice_runner;

/* A task's state or trace changed, or one that was dropped has ended (then there is no slot): look.
 * Several changes may be told of at once. On the runner's thread, without locks; quick. Dropping a
 * slot whose task has ended already (FAILED) tells nothing: sluice_runner_ending() says 0. */
typedef void sluice_runner_changed(void *arg, const char *connector, int task);

/* changed may be NULL. worker is borrowed until free. NULL: err, no thread could be made. */
struct sluice_runner *sluice_runner_new(struct sluice_worker *worker,
                                        sluice_runner_changed *changed, void *arg,
                                        struct sluice_err *err);

struct sluice_wanted {
    const char *connector;
    int task;
    const struct sluice_plugin *plugin;
    const struct sluice_map *config; /* copied */
    bool paused;
    uint64_t set; /* the connector's set of tasks: another number, other divisions of the work */
    const char *refusal; /* NULL; else the task is not started but FAILED, with this as its trace */
};
/* Makes the slot; when one of the same set, plugin, config and refusal is there it goes on (FAILED,
 * when it is), but for paused. Resolves the variables of auto.restart.*, if there are any. */
void sluice_runner_want(struct sluice_runner *runner, const struct sluice_wanted *wanted);
/* Ends the task and forgets the slot. task < 0: all of the connector. */
void sluice_runner_drop(struct sluice_runner *runner, const char *connector, int task);
void sluice_runner_pause(struct sluice_runner *runner, const char *connector, bool paused);
/* False: no such slot. Automatic restarts begin anew. */
bool sluice_runner_restart(struct sluice_runner *runner, const char *connector, int task);
/* Ends everything at once and forgets all slots: what is under way is not waited for and not
 * committed, because it is another's now. What is wanted later waits for these as usual. */
void sluice_runner_abandon(struct sluice_runner *runner);

/* False: no such slot. Before its task started: UNASSIGNED, or RESTARTING. The trace of a FAILED
 * one says, too, when it is started again by itself. counters may be NULL; of a task that ended by
 * itself: its last ones. */
bool sluice_runner_look(struct sluice_runner *runner, const char *connector, int task,
                        struct sluice_task_status *status, struct sluice_task_counters *counters);
/* Whether a task of the connector has FAILED because it could not even be started; then trace says
 * which and why: the connector has failed. */
bool sluice_runner_unstarted(struct sluice_runner *runner, const char *connector, char *trace,
                             size_t size);
/* Restarts those tasks. */
void sluice_runner_restart_unstarted(struct sluice_runner *runner, const char *connector);
/* Tasks of the connector that were told to stop and have not ended; zombies apart. task < 0: of
 * all numbers. */
void sluice_runner_ending(struct sluice_runner *runner, const char *connector, int task,
                          size_t *draining, size_t *zombies);
/* Waits until none of the connector's is draining; true: there are no zombies either. */
bool sluice_runner_settle(struct sluice_runner *runner, const char *connector);

struct sluice_runner_totals { /* since it began */
    uint64_t starts, failures;
    uint64_t auto_restarts; /* of starts */
};
void sluice_runner_totals(struct sluice_runner *runner, struct sluice_runner_totals *out);

/* Ends all and waits; false: some did not end within timeout_ms (they are logged), and nothing that
 * they use may be freed. Starts nothing more. */
bool sluice_runner_stop(struct sluice_runner *runner, int64_t timeout_ms);
/* After a stop that was true, or when nothing was ever wanted; takes NULL. */
void sluice_runner_free(struct sluice_runner *runner);

#endif
