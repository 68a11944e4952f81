/* jobs.c - the threads of requests that wait. A thread that finds nothing to do for IDLE_S ends. */
#include "rest/jobs.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define IDLE_S 10
#define QUEUE_MAX 256

struct job {
    void (*run)(void *);
    void *arg;
    struct job *next;
};

struct sluice_jobs {
    pthread_mutex_t lock;
    pthread_cond_t work, quiet; /* something to do, or closing; a thread left or went idle */
    struct job *first, **last;
    int queued, threads, idle, max_threads;
    bool closing;
};

struct sluice_jobs *sluice_jobs_new(int max_threads)
{
    assert(max_threads > 0);
    struct sluice_jobs *jobs = sluice_xcalloc(1, sizeof *jobs);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->work, &attr);
    pthread_cond_init(&jobs->quiet, &attr);
    pthread_condattr_destroy(&attr);
    jobs->last = &jobs->first;
    jobs->max_threads = max_threads;
    return jobs;
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* The lock is held. False: nothing came within the time. */
static bool wait_for_work(struct sluice_jobs *jobs)
{
    struct timespec until = after_ms(IDLE_S * 1000);
    int failed = 0;
    jobs->idle++;
    pthread_cond_signal(&jobs->quiet);
    while (!jobs->first && !jobs->closing && failed != ETIMEDOUT)
        failed = pthread_cond_timedwait(&jobs->work, &jobs->lock, &until);
    jobs->idle--;
    return jobs->first != NULL;
}

static void *run_jobs(void *arg)
{
    struct sluice_jobs *jobs = arg;
    sluice_lock(&jobs->lock);
    while (jobs->first || wait_for_work(jobs)) {
        struct job *job = jobs->first;
        jobs->first = job->next;
        if (!jobs->first) jobs->last = &jobs->first;
        jobs->queued--;
        sluice_unlock(&jobs->lock);
        job->run(job->arg);
        free(job);
        sluice_lock(&jobs->lock);
    }
    jobs->threads--;
    pthread_cond_signal(&jobs->quiet);
    sluice_unlock(&jobs->lock);
    return NULL;
}

/* The lock is held. */
static bool add_thread(struct sluice_jobs *jobs)
{
    struct sluice_err err = {{0}};
    pthread_t thread;
    if (!sluice_thread_start(&thread, "rest-job", run_jobs, jobs, &err)) {
        sluice_log(SLUICE_WARN, NULL, -1, "starting a thread for a request failed: %s", err.msg);
        return false;
    }
    pthread_detach(thread);
    jobs->threads++;
    return true;
}

bool sluice_jobs_add(struct sluice_jobs *jobs, void (*run)(void *), void *arg)
{
    sluice_lock(&jobs->lock);
    bool ok = !jobs->closing && jobs->queued < QUEUE_MAX;
    if (ok && jobs->queued >= jobs->idle && jobs->threads < jobs->max_threads)
        ok = add_thread(jobs) || jobs->threads > 0;
    if (ok) {
        struct job *job = sluice_xcalloc(1, sizeof *job);
        job->run = run;
        job->arg = arg;
        *jobs->last = job;
        jobs->last = &job->next;
        jobs->queued++;
        pthread_cond_signal(&jobs->work);
    }
    sluice_unlock(&jobs->lock);
    return ok;
}

bool sluice_jobs_drain(struct sluice_jobs *jobs, int64_t timeout_ms)
{
    struct timespec until = after_ms(timeout_ms);
    int failed = 0;
    sluice_lock(&jobs->lock);
    jobs->closing = true;
    pthread_cond_broadcast(&jobs->work);
    while (jobs->threads && failed != ETIMEDOUT)
        failed = pthread_cond_timedwait(&jobs->quiet, &jobs->lock, &until);
    bool drained = !jobs->threads;
    sluice_unlock(&jobs->lock);
    return drained;
}

void sluice_jobs_free(struct sluice_jobs *jobs)
{
    if (!jobs) return;
    assert(!jobs->threads && !jobs->first);
    pthread_cond_destroy(&jobs->quiet);
    pthread_cond_destroy(&jobs->work);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}
