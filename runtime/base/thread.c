/* thread.c - wake fds, mutexes that abort on misuse, threads with names. */
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

static _Noreturn void die(const char *what, int error)
{
    char line[160];
    int n = snprintf(line, sizeof(line), "level=error msg=\"%s: %s; stopping\"\n", what,
                     strerror(error));
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0) abort();
    abort();
}

void sluice_wake_init(struct sluice_wake *wake)
{
    wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake->fd < 0) die("cannot make an eventfd (raise the limit of open files)", errno);
}

void sluice_wake_fini(struct sluice_wake *wake)
{
    if (wake->fd >= 0) close(wake->fd);
    wake->fd = -1;
}

void sluice_wake_up(struct sluice_wake *wake)
{
    int saved = errno; /* a signal handler may call */
    uint64_t one = 1;
    ssize_t n;
    do {
        n = write(wake->fd, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);
    /* EAGAIN: the counter is at its end, hence readable. */
    assert(n == (ssize_t)sizeof(one) || errno == EAGAIN);
    errno = saved;
}

void sluice_wake_clear(struct sluice_wake *wake)
{
    uint64_t count;
    ssize_t n;
    do {
        n = read(wake->fd, &count, sizeof(count));
    } while (n < 0 && errno == EINTR);
    assert(n == (ssize_t)sizeof(count) || errno == EAGAIN);
}

bool sluice_wake_wait(const struct sluice_wake *wake, int64_t ms)
{
    int64_t deadline = ms < 0 ? INT64_MAX : sluice_now_ms() + ms;
    for (;;) {
        struct pollfd pfd = {.fd = wake->fd, .events = POLLIN};
        int64_t left = ms < 0 ? -1 : deadline - sluice_now_ms();
        if (ms >= 0 && left < 0) left = 0;
        int n = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (n > 0) return true;
        if (n < 0 && errno != EINTR) die("cannot wait on an eventfd", errno);
        if (ms >= 0 && sluice_now_ms() >= deadline) return false;
    }
}

void sluice_lock(pthread_mutex_t *mutex)
{
    int rc = pthread_mutex_lock(mutex);
    if (rc != 0) die("cannot lock a mutex", rc);
}

void sluice_unlock(pthread_mutex_t *mutex)
{
    int rc = pthread_mutex_unlock(mutex);
    if (rc != 0) die("cannot unlock a mutex", rc);
}

bool sluice_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg,
                         struct sluice_err *err)
{
    int rc = pthread_create(thread, NULL, run, arg);
    if (rc != 0) {
        return sluice_err_set(err,
                              "cannot start the thread %s: %s; raise the limit of processes "
                              "or lower tasks.max",
                              name, strerror(rc));
    }
    char shown[16];
    snprintf(shown, sizeof(shown), "%s", name);
    pthread_setname_np(*thread, shown);
    return true;
}
