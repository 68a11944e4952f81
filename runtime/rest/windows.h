/* windows.h - what tasks did lately: counters as they were half a minute to a minute ago, so that
 * /metrics can tell rates and averages as Connect's sampled statistics do (2 samples of 30 s).
 *
 * Samples are taken when somebody asks. Before the first one stands the task's start, when all
 * counters were 0; a task that started again begins anew.
 * Thread: any; one leaf mutex. */
#ifndef SLUICE_REST_WINDOWS_H
#define SLUICE_REST_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/task.h"

#define SLUICE_WINDOW_MS 30000

struct sluice_windows;

struct sluice_task_rates {            /* over the window */
    double polled, written, commits;  /* per second */
    double batch_avg_ms, batch_avg_n; /* of the batches in it; 0: there were none */
    double active_avg;                /* records under way, at the end of each of them */
    double skips;                     /* commits left out, per second */
    double commit_avg_ms, commit_success, commit_failure; /* of its commits; parts of 1 */
};

struct sluice_windows *sluice_windows_new(void);
void sluice_windows_free(struct sluice_windows *windows); /* takes NULL */

/* now_ms: sluice_now_ms(). */
void sluice_windows_rates(struct sluice_windows *windows, const char *connector, int task,
                          const struct sluice_task_counters *now, int64_t now_ms,
                          struct sluice_task_rates *out);
/* Forgets tasks that nobody asked about for a while. */
void sluice_windows_trim(struct sluice_windows *windows, int64_t now_ms);

#endif
