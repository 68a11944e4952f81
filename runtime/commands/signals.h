/* signals.h - SIGTERM and SIGINT as something to wait for, and the watchdog of the shutdown.
 *
 * The first signal asks the process to stop; a second one, or a shutdown that takes longer than the
 * tasks are given and 5 s more, ends it at once with code 1. */
#ifndef SLUICE_COMMANDS_SIGNALS_H
#define SLUICE_COMMANDS_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"

struct sluice_signals {
    pthread_t thread;
    struct sluice_wake asked;    /* readable: time to stop; others may wake it too */
    _Atomic int64_t graceful_ms; /* what tasks are given to stop */
    bool started;
};

/* Before any other thread is there: they inherit the mask. False: err. */
bool sluice_signals_start(struct sluice_signals *signals, struct sluice_err *err);
void sluice_signals_end(struct sluice_signals *signals); /* all is done: the watchdog too */

#endif
