/* source_rewind.c - a source task goes back to its last commit; see source_run.h. */
#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "worker/source_txn.h"

#define PURGE_MS 10000 /* reports of what was aborted come at once */
#define WAIT_MS 50
#define REWINDS_MAX 10

void sluice_source_through(struct sluice_source_run *run)
{
    run->rewinds = 0;
    sluice_backoff_reset(&run->rewind_backoff);
}

/* The write of offsets that is under way ends; what it wrote is where the plugin begins again. */
static enum sluice_verdict settle(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    while (run->commit) {
        enum sluice_verdict v = sluice_source_settle(run, err);
        if (v == SLUICE_OK) v = sluice_source_serve(run, err);
        if (v != SLUICE_OK) return v;
        if (sluice_task_stopping(task) || !sluice_task_may_work(task)) return SLUICE_RETRY;
        if (run->commit) sluice_window_wait(task->window, WAIT_MS);
    }
    return SLUICE_OK;
}

/* All that was sent was reported; nothing of it counts any more. Of a transaction that was aborted
 * reports come at once; else as long as brokers are away, and the plugin serves its connection. */
static enum sluice_verdict forget_window(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_window *window = task->window;
    int64_t until = sluice_now_ms() + PURGE_MS;
    uint64_t seq;
    for (;;) {
        while (sluice_window_failed(window, &seq) != 0) sluice_window_forgive(window, seq);
        sluice_window_advance(window, NULL, NULL);
        if (sluice_window_count(window) == 0) break;
        if (run->txn && sluice_now_ms() >= until)
            return sluice_fail(err,
                               "the producer did not report %zu records of a transaction "
                               "that was aborted; restart the task",
                               sluice_window_count(window));
        if (!run->txn && (sluice_task_stopping(task) || !sluice_task_may_work(task)))
            return SLUICE_RETRY;
        if (!run->txn && sluice_source_serve(run, err) == SLUICE_FAIL) return SLUICE_FAIL;
        sluice_window_wait(window, WAIT_MS);
    }
    for (uint32_t i = 0; i < run->n; i++) {
        struct sluice_prefix prefix;
        sluice_window_prefix(window, i, &prefix);
        if (prefix.moved) sluice_window_committed(window, i);
    }
    return SLUICE_OK;
}

/* The plugin goes, and with it what it was told of partitions and offsets. */
static void close_plugin(struct sluice_source_run *run)
{
    struct sluice_task *task = run->task;
    task->plugin->close(task->self);
    task->self = NULL;
    run->hand.record = NULL;
    run->n = 0;
    sluice_batch_reset(&run->batch);
    sluice_batch_reset(&run->known);
}

/* Handles of topics are made anew: the client asks for them then, and does not go on believing
 * that one is not there. */
static void forget_topics(struct sluice_source_run *run)
{
    assert(sluice_window_count(run->task->window) == 0); /* its items are topics */
    sluice_topics_fini(&run->topics);
    sluice_topics_init(&run->topics, run->producer);
}

static void tell(struct sluice_source_run *run, const struct sluice_err *why)
{
    struct sluice_task *task = run->task;
    char text[sizeof why->msg + 128];
    snprintf(text, sizeof text, "%s%s; beginning again where the last %s ended",
             run->txn ? "a transaction was aborted: " : "", why->msg,
             run->txn ? "one" : "commit of offsets");
    sluice_count(&task->count.retries, 1);
    sluice_task_trouble(task, text);
    sluice_task_pause_ms(task, sluice_backoff_next(&run->rewind_backoff));
}

enum sluice_verdict sluice_source_rewind(struct sluice_source_run *run, struct sluice_err *err)
{
    struct sluice_task *task = run->task;
    struct sluice_err why = *err;
    bool asked = why.msg[0] == '\0'; /* by a pause: nothing went wrong */
    assert(run->txn || !asked);
    if (!asked && ++run->rewinds > REWINDS_MAX) {
        sluice_err_wrap(err,
                        run->txn ? "%d transactions in a row could not be committed"
                                 : "%d times in a row records could not be delivered",
                        REWINDS_MAX);
        return SLUICE_FAIL;
    }
    enum sluice_verdict v = run->txn ? sluice_source_txn_abort(run, err) : settle(run, err);
    if (v != SLUICE_OK) return v;
    sluice_source_ask_order(run, false);
    v = forget_window(run, err);
    if (v != SLUICE_OK) {
        run->n = 0; /* what was forgiven is lost: the end of the task commits no partition */
        return v;
    }
    close_plugin(run);
    if (!asked) {
        forget_topics(run);
        tell(run, &why);
    }
    sluice_source_ask_order(run, true);
    v = sluice_source_insist(run, sluice_source_refresh, err);
    if (v == SLUICE_OK) v = sluice_task_open(task, err);
    if (v == SLUICE_OK) sluice_task_trouble(task, NULL);
    return v;
}
