/* windows.c - see windows.h. */
#include "rest/windows.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"

#define FORGET_MS (10 * SLUICE_WINDOW_MS)

struct sample {
    int64_t at_ms;
    uint64_t polled, written, commits, batches, batch_us, active, failures, skips, commit_us;
};

struct window {
    char *connector;
    int task;
    uint64_t age_ms; /* of the task when it was asked about last */
    int64_t asked_ms;
    struct sample old, recent; /* the window begins at old */
};

struct sluice_windows {
    pthread_mutex_t lock;
    struct window *all;
    size_t n, cap;
    size_t next; /* where the next question is likely to be about */
};

struct sluice_windows *sluice_windows_new(void)
{
    struct sluice_windows *windows = sluice_xcalloc(1, sizeof *windows);
    pthread_mutex_init(&windows->lock, NULL);
    return windows;
}

void sluice_windows_free(struct sluice_windows *windows)
{
    if (!windows) return;
    for (size_t i = 0; i < windows->n; i++) free(windows->all[i].connector);
    free(windows->all);
    pthread_mutex_destroy(&windows->lock);
    free(windows);
}

static bool is_of(const struct window *window, const char *connector, int task)
{
    return window->task == task && strcmp(window->connector, connector) == 0;
}

/* Tasks are asked about in the same order each time, so that the search mostly is one step. */
static struct window *find(struct sluice_windows *windows, const char *connector, int task)
{
    for (size_t i = 0; i < windows->n; i++) {
        size_t at = (windows->next + i) % windows->n;
        if (!is_of(&windows->all[at], connector, task)) continue;
        windows->next = at + 1;
        return &windows->all[at];
    }
    if (windows->n == windows->cap) {
        windows->cap = windows->cap ? 2 * windows->cap : 16;
        windows->all = sluice_xrealloc(windows->all, windows->cap * sizeof *windows->all);
    }
    struct window *window = &windows->all[windows->n++];
    *window = (struct window){.connector = sluice_xstrdup(connector), .task = task};
    windows->next = windows->n;
    return window;
}

static struct sample sample_of(const struct sluice_task_counters *now, int64_t now_ms)
{
    return (struct sample){
        now_ms,        now->polled,        now->written,         now->commits,      now->batches,
        now->batch_us, now->in_flight_sum, now->commit_failures, now->commit_skips, now->commit_us};
}

/* The window is that of this task, and as old as it should be. */
static void move_on(struct window *window, const struct sluice_task_counters *now, int64_t now_ms)
{
    if (window->asked_ms == 0 || now->age_ms < window->age_ms) { /* it started just now */
        window->old = (struct sample){.at_ms = now_ms - (int64_t)now->age_ms};
        window->recent = sample_of(now, now_ms);
    } else if (now_ms - window->recent.at_ms >= SLUICE_WINDOW_MS) {
        window->old = window->recent;
        window->recent = sample_of(now, now_ms);
    }
    window->age_ms = now->age_ms;
    window->asked_ms = now_ms;
}

void sluice_windows_rates(struct sluice_windows *windows, const char *connector, int task,
                          const struct sluice_task_counters *now, int64_t now_ms,
                          struct sluice_task_rates *out)
{
    sluice_lock(&windows->lock);
    struct window *window = find(windows, connector, task);
    move_on(window, now, now_ms);
    struct sample old = window->old;
    sluice_unlock(&windows->lock);
    double seconds = (double)(now_ms - old.at_ms) / 1000;
    uint64_t batches = now->batches - old.batches;
    assert(now->polled >= old.polled && now->batches >= old.batches);
    *out = (struct sluice_task_rates){0};
    if (seconds > 0) {
        out->polled = (double)(now->polled - old.polled) / seconds;
        out->written = (double)(now->written - old.written) / seconds;
        out->commits = (double)(now->commits - old.commits) / seconds;
        out->skips = (double)(now->commit_skips - old.skips) / seconds;
    }
    if (batches) {
        out->batch_avg_ms = (double)(now->batch_us - old.batch_us) / 1000 / (double)batches;
        out->batch_avg_n = (double)(now->polled - old.polled) / (double)batches;
        out->active_avg = (double)(now->in_flight_sum - old.active) / (double)batches;
    }
    uint64_t failures = now->commit_failures - old.failures;
    uint64_t answered = now->commits - old.commits + failures;
    if (answered) {
        out->commit_avg_ms = (double)(now->commit_us - old.commit_us) / 1000 / (double)answered;
        out->commit_failure = (double)failures / (double)answered;
        out->commit_success = 1 - out->commit_failure;
    }
}

void sluice_windows_trim(struct sluice_windows *windows, int64_t now_ms)
{
    sluice_lock(&windows->lock);
    size_t kept = 0;
    for (size_t i = 0; i < windows->n; i++) {
        if (now_ms - windows->all[i].asked_ms < FORGET_MS) windows->all[kept++] = windows->all[i];
        else free(windows->all[i].connector);
    }
    windows->n = kept;
    windows->next = 0;
    sluice_unlock(&windows->lock);
}
