/* runner.h - the tasks that run in this process: started, told to stop, reaped, given up, started
 * again. Both herders say what should run; the runner sees to it.
 *
 * A slot is a task that is wanted. Its former task must have ended before a new one starts, and so
 * must every task of an older set of the same connector, because another set may divide the work
 * differently; or they have used up task.shutdown.graceful.timeout.ms: then they are zombies, left
 * alone until they end. So a plugin that blocks costs its own connector that time, and nobody else
 * anything. A slot may start a FAILED task again by itself (auto.restart.* of the connector).
 *
 * Thread: any; one mutex, held for memory, atomics and thread starts only; one thread of its own. */
#ifndef SLUICE_HERDER_RUNNER_H
#define SLUICE_HERDER_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/task.h"
#include "worker/worker.h"

struct sluice_runner;

/* A slot's state or trace changed, or its last task has ended (gone): look. On the runner's or a
 * task's thread, without locks; quick. */
typedef void sluice_runner_changed(void *arg, const char *connector, int task);

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
};
/* Makes the slot; when one of the same set and config is there it goes on, but for paused. */
void sluice_runner_want(struct sluice_runner *runner, const struct sluice_wanted *wanted);
/* Ends the task and forgets the slot. task < 0: all of the connector. */
void sluice_runner_drop(struct sluice_runner *runner, const char *connector, int task);
void sluice_runner_pause(struct sluice_runner *runner, const char *connector, bool paused);
/* False: no such slot. */
bool sluice_runner_restart(struct sluice_runner *runner, const char *connector, int task);
/* Ends everything at once: what is under way is not waited for and not committed, because it is
 * another's now. */
void sluice_runner_abandon(struct sluice_runner *runner);

/* False: no such slot. counters may be NULL; of a task that ended by itself: its last ones. */
bool sluice_runner_look(struct sluice_runner *runner, const char *connector, int task,
                        struct sluice_task_status *status, struct sluice_task_counters *counters);
/* Tasks of the connector that were told to stop and have not ended; zombies apart. task < 0: all. */
void sluice_runner_ending(struct sluice_runner *runner, const char *connector, int task,
                          size_t *draining, size_t *zombies);
/* Waits until none of the connector's is draining; true: there are no zombies either. */
bool sluice_runner_settle(struct sluice_runner *runner, const char *connector);
void sluice_runner_totals(struct sluice_runner *runner, uint64_t *starts, uint64_t *failures);

/* Ends all and waits; false: some did not end within timeout_ms (they are logged), and nothing that
 * they use may be freed. Starts nothing more. */
bool sluice_runner_stop(struct sluice_runner *runner, int64_t timeout_ms);
void sluice_runner_free(struct sluice_runner *runner); /* after a stop that was true; takes NULL */

#endif
