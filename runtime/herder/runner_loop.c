/* runner_loop.c - the runner's thread: starts what is due, joins what has ended, gives up what does
 * not end in time, and has FAILED tasks start again where their connector asks for it. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/runner_impl.h"

/* ---- signs of tasks ---- */

/* On the task's thread: its state or trace changed, or it ended. */
static void task_changed(void *arg, struct sluice_task *task)
{
    (void)task;
    struct job *job = arg;
    struct sluice_runner *runner = job->crew->runner;
    sluice_lock(&runner->signs_lock);
    bool first = !job->signalled;
    if (first) {
        job->signalled = true;
        job->next_sign = runner->signs;
        job->sign_link = &runner->signs;
        if (job->next_sign) job->next_sign->sign_link = &job->next_sign;
        runner->signs = job;
    }
    sluice_unlock(&runner->signs_lock);
    if (first) sluice_wake_up(&runner->wake);
}

static void take_sign(struct job *job)
{
    assert(job->signalled && *job->sign_link == job);
    *job->sign_link = job->next_sign;
    if (job->next_sign) job->next_sign->sign_link = job->sign_link;
    job->signalled = false;
}

static struct job *next_sign(struct sluice_runner *runner)
{
    sluice_lock(&runner->signs_lock);
    struct job *job = runner->signs;
    if (job) take_sign(job);
    sluice_unlock(&runner->signs_lock);
    return job;
}

static void note(struct sluice_runner *runner, const char *connector, int task)
{
    if (!runner->changed) return;
    runner->notes =
        sluice_xgrow(runner->notes, runner->notes_n, &runner->notes_cap, sizeof *runner->notes);
    runner->notes[runner->notes_n++] = (struct note){sluice_xstrdup(connector), task};
}

/* ---- starting again by itself ---- */

static void plan_again(struct slot *slot)
{
    struct sluice_runner *runner = slot->crew->runner;
    struct again *again = slot->again;
    if (!again) return;
    const struct sluice_auto_restart *policy = &again->policy;
    int64_t now = runner->now_ms();
    if (!slot->unstarted && now - slot->started_ms >= policy->reset_after_ms)
        sluice_backoff_reset(&again->backoff);
    if (policy->max_attempts >= 0 && again->backoff.tries >= policy->max_attempts) {
        sluice_log(SLUICE_ERROR, slot->crew->name, slot->id,
                   "the task is not restarted any more: it failed after %u automatic restarts "
                   "(auto.restart.max.attempts)",
                   again->backoff.tries);
        return;
    }
    int64_t delay = sluice_backoff_next(&again->backoff);
    again->next_wall_ms = sluice_wall_ms() + delay;
    sluice_timers_set(&runner->timers, &again->timer, now + delay);
    sluice_log(SLUICE_INFO, slot->crew->name, slot->id, "automatic restart %u in %lld ms",
               again->backoff.tries, (long long)delay);
}

/* ---- starting ---- */

static void give_up(void *owner)
{
    struct job *job = owner;
    struct crew *crew = job->crew;
    struct sluice_runner *runner = crew->runner;
    assert(crew->draining > 0);
    if (job->ended || sluice_task_ended(job->task)) return; /* its sign is about to be seen */
    assert(!job->slot && !job->zombie);
    job->zombie = true;
    crew->draining--;
    crew->zombies++;
    runner->draining--;
    sluice_log(SLUICE_WARN, crew->name, job->id,
               "the task did not stop within %lld ms (task.shutdown.graceful.timeout.ms); it is "
               "given up and holds its resources until its plugin returns",
               (long long)runner->graceful_ms);
    pthread_cond_broadcast(&runner->settled);
    note(runner, crew->name, job->id);
    sluice_crew_queue(crew);
}

static void not_started(struct slot *slot, const char *why)
{
    struct sluice_runner *runner = slot->crew->runner;
    runner->totals.failures++;
    slot->ended_as = SLUICE_FAILED;
    slot->counters = (struct sluice_task_counters){0};
    sluice_slot_trace(slot, why);
    slot->unstarted = true;
    slot->crew->unstarted++;
    sluice_log(SLUICE_ERROR, slot->crew->name, slot->id, "starting the task failed: %s", why);
    if (!slot->refusal) plan_again(slot); /* that would not change by itself */
    note(runner, slot->crew->name, slot->id);
}

static void start(struct slot *slot)
{
    struct crew *crew = slot->crew;
    struct sluice_runner *runner = crew->runner;
    struct sluice_err err = {{0}};
    assert(!slot->job && slot->due);
    slot->due = slot->restarting = false;
    slot->started_ms = runner->now_ms();
    runner->totals.starts++;
    if (slot->refusal) {
        not_started(slot, slot->refusal);
        return;
    }
    struct job *job = sluice_xcalloc(1, sizeof *job);
    job->crew = crew;
    job->id = slot->id;
    job->set = slot->set;
    job->deadline.fired = give_up;
    job->deadline.owner = job;
    job->task = sluice_task_start(runner->worker, slot->plugin, crew->name, slot->id,
                                  &slot->config->map, slot->paused, task_changed, job, &err);
    if (!job->task) {
        free(job);
        not_started(slot, err.msg);
        return;
    }
    job->slot = slot;
    slot->job = job;
    runner->jobs++;
}

/* Starts what is due, unless a predecessor must end first: the same task, or any task of another
 * set, because another set may divide the work among tasks differently. */
static void start_due(struct crew *crew)
{
    bool any = false, several = false;
    uint64_t set = 0;
    for (const struct job *job = crew->endings; job; job = job->next_ending) {
        if (job->zombie) continue;
        several |= any && set != job->set;
        any = true;
        set = job->set;
        struct slot *same = sluice_crew_slot(crew, job->id);
        if (same) same->blocked = true;
    }
    for (size_t i = 0; i < crew->n; i++) {
        struct slot *slot = crew->slots[i];
        bool blocked = slot->blocked || several || (any && set != slot->set);
        slot->blocked = false;
        if (slot->due && !blocked) start(slot);
    }
}

/* ---- ending ---- */

/* The task has ended; its job is unlinked when its thread is joined. */
static void bury(struct job *job, struct job **ended)
{
    struct sluice_runner *runner = job->crew->runner;
    struct slot *slot = job->slot;
    if (job->ended) return;
    if (slot) { /* by itself, which means FAILED: its trace stays, its resources go */
        struct sluice_task_status status;
        sluice_task_status(job->task, &status);
        sluice_task_counters(job->task, &slot->counters);
        slot->ended_as = status.state;
        sluice_slot_trace(slot, status.trace);
        sluice_job_end(job);
        if (status.state == SLUICE_FAILED) {
            runner->totals.failures++;
            plan_again(slot);
        }
    }
    if (job->zombie)
        sluice_log(SLUICE_INFO, job->crew->name, job->id, "the task that was given up ended");
    sluice_timers_cancel(&runner->timers, &job->deadline);
    job->ended = true;
    job->next_ended = *ended;
    *ended = job;
}

/* Its thread was joined: nobody gives signs any more. */
static void forget(struct job *job)
{
    struct crew *crew = job->crew;
    struct sluice_runner *runner = crew->runner;
    assert(job->ended && !job->slot && *job->ending_link == job && runner->jobs > 0);
    sluice_lock(&runner->signs_lock);
    if (job->signalled) take_sign(job);
    sluice_unlock(&runner->signs_lock);
    *job->ending_link = job->next_ending;
    if (job->next_ending) job->next_ending->ending_link = job->ending_link;
    if (job->zombie) {
        crew->zombies--;
    } else {
        assert(crew->draining > 0 && runner->draining >= crew->draining);
        crew->draining--;
        runner->draining--;
    }
    runner->jobs--;
    note(runner, crew->name, job->id);
    sluice_crew_queue(crew); /* a successor may wait for it */
    sluice_crew_release(crew);
    free(job);
}

static void tell(struct sluice_runner *runner)
{
    struct note *notes = runner->notes;
    size_t n = runner->notes_n;
    runner->notes = NULL;
    runner->notes_n = runner->notes_cap = 0;
    sluice_unlock(&runner->lock);
    for (size_t i = 0; i < n; i++) {
        runner->changed(runner->arg, notes[i].connector, notes[i].task);
        free(notes[i].connector);
    }
    free(notes);
    sluice_lock(&runner->lock);
}

/* One round, under the lock, which it gives up for joining and telling. True: there may be more to
 * do at once. */
static bool round_once(struct sluice_runner *runner)
{
    struct job *job, *ended = NULL;
    struct crew *crew;
    struct sluice_timer *timer;
    while ((job = next_sign(runner))) {
        if (sluice_task_ended(job->task)) bury(job, &ended);
        else note(runner, job->crew->name, job->id);
    }
    int64_t now = runner->now_ms();
    while ((timer = sluice_timers_first(&runner->timers)) && timer->due_ms <= now) {
        sluice_timers_cancel(&runner->timers, timer);
        timer->fired(timer->owner);
    }
    while ((crew = sluice_crew_unqueue(runner))) start_due(crew);
    bool more = ended || runner->notes_n > 0;
    if (ended) {
        sluice_unlock(&runner->lock);
        for (job = ended; job; job = job->next_ended) sluice_task_free(job->task);
        sluice_lock(&runner->lock);
        while ((job = ended)) {
            ended = job->next_ended;
            forget(job);
        }
        pthread_cond_broadcast(&runner->settled);
    }
    if (runner->notes_n > 0) tell(runner);
    return more;
}

void *sluice_runner_run(void *arg)
{
    struct sluice_runner *runner = arg;
    sluice_lock(&runner->lock);
    for (;;) {
        sluice_wake_clear(&runner->wake);
        if (round_once(runner)) continue;
        if (runner->closing && runner->jobs == 0) break;
        const struct sluice_timer *timer = sluice_timers_first(&runner->timers);
        int64_t wait_ms = timer ? timer->due_ms - runner->now_ms() : -1;
        sluice_unlock(&runner->lock);
        if (!timer || wait_ms > 0) sluice_wake_wait(&runner->wake, wait_ms);
        sluice_lock(&runner->lock);
    }
    sluice_unlock(&runner->lock);
    return NULL;
}

void sluice_runner_clock(struct sluice_runner *runner, int64_t (*now_ms)(void))
{
    sluice_lock(&runner->lock);
    runner->now_ms = now_ms;
    sluice_wake_up(&runner->wake);
    sluice_unlock(&runner->lock);
}
