/* tolerance.c - see tolerance.h. Numbers and words: Connect's RetryWithToleranceOperator and
 * LogReporter. */
#include "worker/tolerance.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"

#define DELAY_MIN_MS 300
#define SLICE_MS 100 /* so often there is an ear for a stop */

int64_t sluice_retry_delay(int64_t timeout_ms, int64_t max_ms, unsigned tries, int64_t passed_ms,
                           uint64_t *random)
{
    assert(tries > 0 && max_ms > 0 && passed_ms >= 0);
    if (timeout_ms >= 0 && passed_ms >= timeout_ms) return -1;
    unsigned doubled = tries - 1 < 40 ? tries - 1 : 40;
    int64_t delay = (int64_t)DELAY_MIN_MS << doubled;
    if (delay > max_ms) {
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        delay = (int64_t)((*random >> 11) % (uint64_t)max_ms);
    }
    if (timeout_ms >= 0 && delay > timeout_ms - passed_ms) delay = timeout_ms - passed_ms;
    return delay;
}

bool sluice_tolerance_wait(struct sluice_task *task, const struct sluice_failure *failure,
                           unsigned tries, int64_t began_ms, sluice_tolerance_serve *serve,
                           void *arg)
{
    int64_t now = sluice_now_ms();
    int64_t delay =
        sluice_retry_delay(task->errors.retry_timeout_ms, task->errors.retry_delay_max_ms, tries,
                           now - began_ms, &task->errors.random);
    sluice_count(&task->count.failed, 1);
    if (delay < 0 || sluice_task_stopping(task)) return false;
    char text[sizeof failure->err.msg + 256];
    snprintf(text, sizeof text, "stage %s (%s): %s; trying again", failure->stage, failure->class,
             failure->err.msg);
    sluice_task_retrying(task, text);
    for (int64_t until = now + delay; now < until; now = sluice_now_ms()) {
        if (!serve(arg, (int)(until - now < SLICE_MS ? until - now : SLICE_MS))) return false;
        if (sluice_task_stopping(task)) return false;
    }
    sluice_count(&task->count.retries, 1);
    return true;
}

void sluice_tolerance_settle(struct sluice_task *task)
{
    if (task->retry_trouble.text[0]) sluice_task_retrying(task, NULL);
}

bool sluice_tolerance_cut(const struct sluice_task *task, const struct sluice_failure *failure)
{
    return failure->retriable && sluice_task_stopping(task);
}

void sluice_tolerance_record(struct sluice_task *task, const struct sluice_failure *failure,
                             const char *where)
{
    if (!failure->retriable) sluice_count(&task->count.failed, 1); /* else wait() counted it */
    sluice_count(&task->count.errors, 1);
    atomic_store_explicit(&task->count.last_error_ms, (uint64_t)sluice_wall_ms(),
                          memory_order_relaxed);
    if (!task->errors.log) return;
    sluice_count(&task->count.logged, 1);
    sluice_log(SLUICE_ERROR, task->connector, task->id,
               "Error encountered in task %s-%d. Executing stage '%s' with class '%s'%s. %s: %s",
               task->connector, task->id, failure->stage, failure->class,
               task->errors.log_messages ? where : "", failure->exception, failure->err.msg);
}
