/* thread.h - the two things threads share: a wake fd and a mutex that aborts on misuse. */
#ifndef SLUICE_BASE_THREAD_H
#define SLUICE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* An eventfd. Any thread wakes; the owner waits and clears. */
struct sluice_wake {
    int fd;
};

void sluice_wake_init(struct sluice_wake *wake);
void sluice_wake_fini(struct sluice_wake *wake);
void sluice_wake_up(struct sluice_wake *wake);    /* any thread, async-signal-safe */
void sluice_wake_clear(struct sluice_wake *wake); /* not readable any more */
/* True when readable within ms (-1: no limit); does not clear. */
bool sluice_wake_wait(const struct sluice_wake *wake, int64_t ms);

/* Errors of these calls are bugs or exhaustion: they abort. */
void sluice_lock(pthread_mutex_t *mutex);
void sluice_unlock(pthread_mutex_t *mutex);
/* Joinable thread with a short name (15 bytes are shown). False: err says why. */
struct sluice_err;
bool sluice_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg,
                         struct sluice_err *err);

#endif
