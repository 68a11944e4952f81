/* signals.c - see signals.h. Owner: a thread that does nothing but wait for signals. */
#include "commands/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define SHUTDOWN_MARGIN_MS 5000 /* on top of what tasks are given */
#define EXIT_UNCLEAN 1

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGUSR2); /* main to the thread: all is done */
}

/* The next signal, or -1 after the limit. EINTR comes to a process that was stopped and goes on
 * (SIGSTOP, a debugger, a frozen container): it did nothing meanwhile, so the limit begins anew. */
static int next_signal(const sigset_t *set, int64_t limit_ms)
{
    struct timespec limit = {limit_ms / 1000, limit_ms % 1000 * 1000000};
    int got;
    do got = sigtimedwait(set, NULL, &limit);
    while (got < 0 && errno == EINTR);
    return got;
}

/* The first signal asks main to stop; the second, or a shutdown that takes too long, ends it. */
static void *run_signals(void *arg)
{
    struct sluice_signals *signals = arg;
    sigset_t set;
    signal_set(&set);
    int got = 0;
    while (sigwait(&set, &got) != 0) {
    }
    if (got == SIGUSR2) return NULL;
    sluice_log(SLUICE_INFO, NULL, -1, "SIG%s: stopping; a second signal ends at once",
               sigabbrev_np(got));
    sluice_wake_up(&signals->asked);
    got = next_signal(&set, atomic_load(&signals->graceful_ms) + SHUTDOWN_MARGIN_MS);
    if (got == SIGUSR2) return NULL;
    sluice_log(SLUICE_ERROR, NULL, -1,
               got > 0 ? "a second signal: ending at once"
                       : "the shutdown took too long: ending at once");
    _exit(EXIT_UNCLEAN);
}

bool sluice_signals_start(struct sluice_signals *signals, struct sluice_err *err)
{
    sigset_t set;
    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* every thread inherits this */
    signal(SIGPIPE, SIG_IGN);
    sluice_wake_init(&signals->asked);
    atomic_store(&signals->graceful_ms, 5000);
    signals->started = sluice_thread_start(&signals->thread, "signals", run_signals, signals, err);
    return signals->started;
}

void sluice_signals_end(struct sluice_signals *signals)
{
    if (signals->started) {
        pthread_kill(signals->thread, SIGUSR2);
        pthread_join(signals->thread, NULL);
    }
    sluice_wake_fini(&signals->asked);
}
