/* jobs.h - threads for requests that may wait: as many as there is to do, up to a cap, and none
 * when there is nothing to do.
 * Thread: any. */
#ifndef SLUICE_REST_JOBS_H
#define SLUICE_REST_JOBS_H

#include <stdbool.h>
#include <stdint.h>

struct sluice_jobs;

struct sluice_jobs *sluice_jobs_new(int max_threads);
/* run(arg) on some thread, at once or when one is free. False: too much waits already, or no
 * thread can be made; run is not called. */
bool sluice_jobs_add(struct sluice_jobs *jobs, void (*run)(void *), void *arg);
/* Takes no more; true when all that was added has been done within timeout_ms. */
bool sluice_jobs_drain(struct sluice_jobs *jobs, int64_t timeout_ms);
/* Only after a drain that was true. Takes NULL. */
void sluice_jobs_free(struct sluice_jobs *jobs);

#endif
