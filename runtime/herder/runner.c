/* runner.c - what is asked of the runner; its thread is runner_loop.c. See runner.h and, for how it
 * is built, runner_impl.h. */
#include "herder/runner.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/runner_impl.h"

#define CLOSE_MS 1500 /* a task that drains up to its last millisecond still has to close */

/* ---- slots and jobs, under the lock ---- */

void sluice_slot_trace(struct slot *slot, const char *trace)
{
    free(slot->trace);
    slot->trace = trace && *trace ? sluice_xstrdup(trace) : NULL;
}

/* From now on the runner's thread starts it as soon as nothing stands in its way. */
void sluice_slot_due(struct slot *slot, bool restarting)
{
    assert(!slot->job);
    slot->due = true;
    slot->restarting = restarting;
    if (slot->unstarted) slot->crew->unstarted--;
    slot->unstarted = false;
    sluice_slot_trace(slot, NULL);
    if (slot->again) sluice_timers_cancel(&slot->crew->runner->timers, &slot->again->timer);
    sluice_crew_queue(slot->crew);
}

void sluice_job_end(struct job *job)
{
    struct crew *crew = job->crew;
    assert(job->slot && job->slot->job == job && !job->zombie && !job->ended);
    job->slot->job = NULL;
    job->slot = NULL;
    job->next_ending = crew->endings;
    job->ending_link = &crew->endings;
    if (job->next_ending) job->next_ending->ending_link = &job->next_ending;
    crew->endings = job;
    crew->draining++;
    crew->runner->draining++;
}

/* Tells the slot's task, if it has one, to stop. */
static void slot_stop(struct slot *slot, bool abandon)
{
    struct job *job = slot->job;
    if (!job) return;
    struct sluice_runner *runner = slot->crew->runner;
    sluice_job_end(job);
    sluice_timers_set(&runner->timers, &job->deadline,
                      runner->now_ms() + runner->graceful_ms + CLOSE_MS);
    if (abandon) sluice_task_abandon(job->task);
    else sluice_task_stop(job->task);
}

static void slot_drop(struct slot *slot, bool abandon)
{
    slot_stop(slot, abandon);
    sluice_crew_remove(slot->crew, slot);
}

static void crew_drop(struct crew *crew, bool abandon)
{
    while (crew->n > 0) slot_drop(crew->slots[crew->n - 1], abandon);
    sluice_crew_release(crew);
}

static void crews_drop(struct sluice_runner *runner, bool abandon)
{
    for (size_t i = 0; i < runner->buckets_n; i++) {
        for (struct crew *crew = runner->buckets[i], *next; crew; crew = next) {
            next = crew->next;
            for (struct job *job = crew->endings; abandon && job; job = job->next_ending)
                if (!job->ended) sluice_task_abandon(job->task);
            crew_drop(crew, abandon);
        }
    }
    sluice_wake_up(&runner->wake);
}

static void retry_fired(void *owner)
{
    struct slot *slot = owner;
    assert(slot->again && !slot->due);
    slot->crew->runner->totals.auto_restarts++;
    sluice_slot_due(slot, true);
}

/* ---- asking ---- */

static void slot_make(struct slot *slot, const struct sluice_wanted *wanted,
                      const struct sluice_auto_restart *policy)
{
    slot_stop(slot, false);
    slot->set = wanted->set;
    slot->plugin = wanted->plugin;
    sluice_slot_set_config(slot, wanted->config);
    sluice_slot_due(slot, false);
    slot->ended_as = SLUICE_UNASSIGNED;
    slot->counters = (struct sluice_task_counters){0};
    free(slot->refusal);
    slot->refusal = sluice_xstrdup(wanted->refusal);
    free(slot->again); /* its timer was cancelled */
    slot->again = NULL;
    if (!policy) return;
    slot->again = sluice_xcalloc(1, sizeof *slot->again);
    slot->again->policy = *policy;
    slot->again->timer.fired = retry_fired;
    slot->again->timer.owner = slot;
    sluice_backoff_init(&slot->again->backoff, policy->initial_delay_ms, policy->max_delay_ms);
}

static bool goes_on(const struct slot *slot, const struct sluice_wanted *wanted)
{
    bool refused = slot->refusal != NULL;
    return slot->config && slot->set == wanted->set && slot->plugin == wanted->plugin &&
           refused == (wanted->refusal != NULL) &&
           (!refused || strcmp(slot->refusal, wanted->refusal) == 0) &&
           sluice_slot_has_config(slot, wanted->config);
}

void sluice_runner_want(struct sluice_runner *runner, const struct sluice_wanted *wanted)
{
    assert(wanted->task >= 0 && wanted->plugin && wanted->config);
    struct sluice_auto_restart policy;
    bool again =
        sluice_auto_restart_read(sluice_worker_variables(runner->worker), wanted->config, &policy);
    sluice_lock(&runner->lock);
    if (!runner->closing) {
        struct crew *crew = sluice_crew(runner, wanted->connector, true);
        struct slot *slot = sluice_crew_slot(crew, wanted->task);
        if (!slot) slot = sluice_crew_add(crew, wanted->task);
        if (!goes_on(slot, wanted)) slot_make(slot, wanted, again ? &policy : NULL);
        if (slot->job && slot->paused != wanted->paused)
            sluice_task_pause(slot->job->task, wanted->paused);
        slot->paused = wanted->paused;
    }
    sluice_unlock(&runner->lock);
}

void sluice_runner_drop(struct sluice_runner *runner, const char *connector, int task)
{
    sluice_lock(&runner->lock);
    struct crew *crew = sluice_crew(runner, connector, false);
    if (crew && task < 0) {
        crew_drop(crew, false);
    } else if (crew) {
        struct slot *slot = sluice_crew_slot(crew, task);
        if (slot) slot_drop(slot, false);
        sluice_crew_release(crew);
    }
    sluice_wake_up(&runner->wake); /* there may be a new deadline */
    sluice_unlock(&runner->lock);
}

void sluice_runner_pause(struct sluice_runner *runner, const char *connector, bool paused)
{
    sluice_lock(&runner->lock);
    struct crew *crew = sluice_crew(runner, connector, false);
    for (size_t i = 0; crew && i < crew->n; i++) {
        crew->slots[i]->paused = paused;
        if (crew->slots[i]->job) sluice_task_pause(crew->slots[i]->job->task, paused);
    }
    sluice_unlock(&runner->lock);
}

static void restart(struct slot *slot)
{
    slot_stop(slot, false);
    sluice_slot_due(slot, true);
    if (slot->again) sluice_backoff_reset(&slot->again->backoff);
}

bool sluice_runner_restart(struct sluice_runner *runner, const char *connector, int task)
{
    sluice_lock(&runner->lock);
    struct crew *crew = sluice_crew(runner, connector, false);
    struct slot *slot = crew ? sluice_crew_slot(crew, task) : NULL;
    if (slot) restart(slot);
    sluice_unlock(&runner->lock);
    return slot != NULL;
}

void sluice_runner_restart_unstarted(struct sluice_runner *runner, const char *connector)
{
    sluice_lock(&runner->lock);
    struct crew *crew = sluice_crew(runner, connector, false);
    for (size_t i = 0; crew && crew->unstarted > 0 && i < crew->n; i++)
        if (crew->slots[i]->unstarted) restart(crew->slots[i]);
    sluice_unlock(&runner->lock);
}

void sluice_runner_abandon(struct sluice_runner *runner)
{
    sluice_lock(&runner->lock);
    crews_drop(runner, true);
    sluice_unlock(&runner->lock);
}

/* ---- looking ---- */

/* What stands behind the reason of a failure. */
static void again_text(const struct again *again, char *text, size_t size)
{
    char max[32] = "", when[25];
    const struct sluice_auto_restart *policy = &again->policy;
    text[0] = '\0';
    if (policy->max_attempts >= 0)
        snprintf(max, sizeof max, " of %lld", (long long)policy->max_attempts);
    if (again->timer.at) {
        sluice_wall_text(again->next_wall_ms, when);
        snprintf(text, size, "automatic restart %u%s at %s", again->backoff.tries, max, when);
    } else if (policy->max_attempts >= 0 && again->backoff.tries >= policy->max_attempts) {
        snprintf(text, size,
                 "not restarted any more after %u automatic restarts "
                 "(auto.restart.max.attempts)",
                 again->backoff.tries);
    }
}

static void ended_status(const struct slot *slot, struct sluice_task_status *out)
{
    char text[160] = "";
    out->state = slot->ended_as;
    if (slot->again && slot->ended_as == SLUICE_FAILED) again_text(slot->again, text, sizeof text);
    size_t room = sizeof out->trace - (text[0] ? strlen(text) + 1 : 0); /* that one stays whole */
    int n = snprintf(out->trace, room, "%s", slot->trace ? slot->trace : "");
    size_t len = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    if (text[0]) snprintf(out->trace + len, sizeof out->trace - len, "%s%s", len ? "\n" : "", text);
}

bool sluice_runner_look(struct sluice_runner *runner, const char *connector, int task,
                        struct sluice_task_status *status, struct sluice_task_counters *counters)
{
    sluice_lock(&runner->lock);
    struct crew *crew = sluice_crew(runner, connector, false);
    struct slot *slot = crew ? sluice_crew_slot(crew, task) : NULL;
    if (slot && slot->job) {
        sluice_task_status(slot->job->task, status);
    } else if (slot && slot->due) {
        status->state = slot->restarting ? SLUICE_RESTARTING : SLUICE_UNASSIGNED;
        status->trace[0] = '\0';
    } else if (slot) {
        ended_status(slot, status);
    }
    if (slot && counters) {
        if (slot->job) sluice_task_counters(slot->job->task, counters);
        else *counters = slot->counters;
    }
    sluice_unlock(&runner->lock);
    return slot != NULL;
}

bool sluice_runner_unstarted(struct sluice_runner *runner, const char *connector, char *trace,
                             size_t size)
{
    bool found = false;
    sluice_lock(&runner->lock);
    struct crew *crew = sluice_crew(runner, connector, false);
    for (size_t i = 0; crew && crew->unstarted > 0 && i < crew->n && !found; i++) {
        const struct slot *slot = crew->slots[i];
        found = slot->unstarted;
        if (found)
            snprintf(trace, size, "task %d could not be started: %s", slot->id,
                     slot->trace ? slot->trace : "");
    }
    sluice_unlock(&runner->lock);
    return found;
}

void sluice_runner_ending(struct sluice_runner *runner, const char *connector, int task,
                          size_t *draining, size_t *zombies)
{
    *draining = *zombies = 0;
    sluice_lock(&runner->lock);
    struct crew *crew = sluice_crew(runner, connector, false);
    if (crew && task < 0) {
        *draining = crew->draining;
        *zombies = crew->zombies;
    } else if (crew) {
        for (const struct job *job = crew->endings; job; job = job->next_ending)
            if (job->id == task) ++*(job->zombie ? zombies : draining);
    }
    sluice_unlock(&runner->lock);
}

bool sluice_runner_settle(struct sluice_runner *runner, const char *connector)
{
    struct crew *crew;
    sluice_lock(&runner->lock);
    /* the runner's thread gives up in time */
    while ((crew = sluice_crew(runner, connector, false)) && crew->draining > 0)
        pthread_cond_wait(&runner->settled, &runner->lock);
    bool none = !crew || crew->zombies == 0;
    sluice_unlock(&runner->lock);
    return none;
}

void sluice_runner_totals(struct sluice_runner *runner, struct sluice_runner_totals *out)
{
    sluice_lock(&runner->lock);
    *out = runner->totals;
    sluice_unlock(&runner->lock);
}

/* ---- life ---- */

struct sluice_runner *sluice_runner_new(struct sluice_worker *worker,
                                        sluice_runner_changed *changed, void *arg,
                                        struct sluice_err *err)
{
    struct sluice_runner *runner = sluice_xcalloc(1, sizeof *runner);
    runner->worker = worker;
    runner->changed = changed;
    runner->arg = arg;
    runner->graceful_ms = sluice_worker_num(worker, "task.shutdown.graceful.timeout.ms");
    runner->now_ms = sluice_now_ms;
    runner->queue_end = &runner->queue;
    pthread_mutex_init(&runner->lock, NULL);
    pthread_mutex_init(&runner->signs_lock, NULL);
    pthread_cond_init(&runner->settled, NULL);
    sluice_wake_init(&runner->wake);
    if (sluice_thread_start(&runner->thread, "runner", sluice_runner_run, runner, err))
        return runner;
    sluice_wake_fini(&runner->wake);
    pthread_cond_destroy(&runner->settled);
    pthread_mutex_destroy(&runner->signs_lock);
    pthread_mutex_destroy(&runner->lock);
    free(runner);
    return NULL;
}

/* Calls for each job that is left; all of them are endings. True: there is one that has ended and
 * is only to be reaped. */
static bool left_over(struct sluice_runner *runner, bool log)
{
    bool ended = false;
    for (size_t i = 0; i < runner->buckets_n; i++) {
        for (struct crew *crew = runner->buckets[i]; crew; crew = crew->next) {
            for (struct job *job = crew->endings; job; job = job->next_ending) {
                ended |= job->ended || sluice_task_ended(job->task);
                if (log)
                    sluice_log(SLUICE_ERROR, crew->name, job->id,
                               "the task is still running at the end of the shutdown; what it had "
                               "not committed will be done again after the next start");
            }
        }
    }
    return ended;
}

bool sluice_runner_stop(struct sluice_runner *runner, int64_t timeout_ms)
{
    sluice_lock(&runner->lock);
    runner->closing = true;
    runner->graceful_ms = timeout_ms;
    crews_drop(runner, false);
    while (runner->draining > 0 || left_over(runner, false))
        pthread_cond_wait(&runner->settled, &runner->lock);
    bool clean = runner->jobs == 0;
    assert(runner->draining == 0);
    if (!clean) left_over(runner, true);
    sluice_unlock(&runner->lock);
    return clean;
}

void sluice_runner_free(struct sluice_runner *runner)
{
    if (!runner) return;
    sluice_lock(&runner->lock);
    runner->closing = true;
    crews_drop(runner, false);
    sluice_unlock(&runner->lock);
    pthread_join(runner->thread, NULL);
    assert(runner->jobs == 0 && runner->crews_n == 0 && !runner->signs);
    sluice_wake_fini(&runner->wake);
    sluice_timers_fini(&runner->timers);
    pthread_cond_destroy(&runner->settled);
    pthread_mutex_destroy(&runner->signs_lock);
    pthread_mutex_destroy(&runner->lock);
    free(runner->buckets);
    free(runner->notes);
    free(runner);
}
