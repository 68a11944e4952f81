/* source_commit.c - offsets of an at-least-once source: the prefixes of the window that moved are
 * written without waiting, and when they are durable the plugin hears of it.
 *
 * One write is under way at a time. Its answer may come on any thread, late, even after the task is
 * gone (a topic's store tries without end): what it touches is counted, and the window with its
 * wake fd is held by it. Owner: the task's thread, but for written(). */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "worker/source_run.h"

enum { UNDER_WAY, DURABLE, FAILED };

struct sluice_source_commit {
    _Atomic int users; /* the task, and the write */
    _Atomic int state;
    pthread_t task;
    int64_t begun_us;
    struct sluice_window *window; /* held */
    char error[512];              /* set before FAILED */
    size_t n;
    struct sluice_source_at at[];
};

bool sluice_source_entry(struct sluice_source_run *run, const struct sluice_source_at *at,
                         struct sluice_offset_entry *entry)
{
    struct sluice_task *task = run->task;
    struct sluice_err err = {{0}};
    struct sluice_value *offset = sluice_batch_alloc(&run->scratch, sizeof *offset);
    *offset = sluice_null();
    if (task->plugin->source->offset(task->self, at->position, at->len, &run->scratch, offset,
                                     &err) != SLUICE_OK) {
        sluice_log(SLUICE_ERROR, task->connector, task->id, "making the offset failed: %s",
                   err.msg);
        return false;
    }
    entry->partition = &run->partitions[at->partition].map;
    entry->offset = offset;
    return true;
}

enum sluice_verdict sluice_source_acked(struct sluice_source_run *run,
                                        const struct sluice_source_at *at, size_t n,
                                        struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    const struct sluice_source *source = task->plugin->source;
    enum sluice_verdict v = SLUICE_OK;
    for (size_t i = 0; source->acked && i < n && v != SLUICE_FAIL; i++)
        v = source->acked(task->self, at[i].partition, at[i].position, at[i].len, err);
    return v == SLUICE_FAIL ? SLUICE_FAIL : SLUICE_OK;
}

static void let_go(struct sluice_source_commit *commit)
{
    if (atomic_fetch_sub_explicit(&commit->users, 1, memory_order_acq_rel) != 1) return;
    sluice_window_detach(commit->window);
    free(commit);
}

/* The store's answer; any thread. */
static void written(void *arg, const char *error)
{
    struct sluice_source_commit *commit = arg;
    if (error) snprintf(commit->error, sizeof commit->error, "%s", error);
    atomic_store(&commit->state, error ? FAILED : DURABLE);
    if (!pthread_equal(pthread_self(), commit->task)) /* a file's answer comes at once */
        sluice_wake_up(sluice_window_wake(commit->window));
    let_go(commit);
}

void sluice_source_commit_free(struct sluice_source_run *run)
{
    if (run->commit) let_go(run->commit);
    run->commit = NULL;
}

static void failed(struct sluice_source_run *run, const char *why)
{
    const struct sluice_source_commit *commit = run->commit;
    sluice_task_commit(run->task, commit->begun_us, false);
    sluice_log(SLUICE_ERROR, run->task->connector, run->task->id,
               "offsets were not written, and are written with the next: %s", why);
    for (size_t i = 0; i < commit->n; i++) run->partitions[commit->at[i].partition].again = true;
    sluice_source_commit_free(run);
}

enum sluice_verdict sluice_source_settle(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_source_commit *commit = run->commit;
    int state = commit ? atomic_load(&commit->state) : UNDER_WAY;
    if (state == UNDER_WAY) return SLUICE_OK;
    if (state == FAILED) {
        failed(run, commit->error);
        return SLUICE_OK;
    }
    sluice_task_commit(run->task, commit->begun_us, true);
    enum sluice_verdict v = sluice_source_acked(run, commit->at, commit->n, err);
    sluice_source_commit_free(run);
    sluice_source_through(run);
    return v;
}

/* Which prefixes are to be written; entries as long as the scratch batch. */
static struct sluice_source_commit *gather(struct sluice_source_run *run,
                                           struct sluice_offset_entry *entries)
{
    struct sluice_window *window = run->task->window;
    struct sluice_source_commit *commit = NULL;
    for (uint32_t i = 0; i < run->n; i++) {
        struct sluice_prefix prefix;
        sluice_window_prefix(window, i, &prefix);
        if (!prefix.moved && !run->partitions[i].again) continue;
        if (!commit) {
            commit = sluice_xcalloc(1, sizeof *commit + (run->n - i) * sizeof *commit->at);
            commit->task = pthread_self();
            commit->begun_us = sluice_now_us();
            commit->window = window;
            sluice_window_hold(window);
            atomic_store(&commit->users, 1);
        }
        struct sluice_source_at *at = &commit->at[commit->n];
        at->partition = i;
        at->len = (uint32_t)prefix.position_len;
        memcpy(at->position, prefix.position, prefix.position_len);
        if (!sluice_source_entry(run, at, &entries[commit->n])) continue;
        sluice_window_committed(window, i);
        run->partitions[i].again = false;
        commit->n++;
    }
    return commit;
}

enum sluice_verdict sluice_source_commit(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_err why = {{0}};
    if (run->commit || !sluice_task_may_work(task)) return SLUICE_OK;
    sluice_batch_reset(&run->scratch);
    struct sluice_offset_entry *entries =
        sluice_batch_alloc(&run->scratch, (run->n + 1) * sizeof *entries);
    run->commit_due_ms = sluice_now_ms() + run->commit_every_ms;
    run->commit = gather(run, entries);
    if (!run->commit) return SLUICE_OK;
    if (run->commit->n == 0) {
        sluice_source_commit_free(run);
        return SLUICE_OK;
    }
    atomic_fetch_add(&run->commit->users, 1);
    if (!sluice_connector_offsets_put_start(run->offsets, entries, run->commit->n, written,
                                            run->commit, &why)) {
        int users = atomic_fetch_sub(&run->commit->users, 1);
        assert(users == 2);
        failed(run, why.msg);
        return SLUICE_OK;
    }
    return sluice_source_settle(run, err);
}
