/* auto_restart.h - auto.restart.* of a connector: whether and when a FAILED task starts again by
 * itself. Opt-in; sluice's own keys. */
#ifndef SLUICE_WORKER_AUTO_RESTART_H
#define SLUICE_WORKER_AUTO_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct sluice_variables;

/* Defaults, as the option table shows them. */
#define SLUICE_AUTO_RESTART_MAX_ATTEMPTS "7"
#define SLUICE_AUTO_RESTART_INITIAL_DELAY_MS "10000"
#define SLUICE_AUTO_RESTART_MAX_DELAY_MS "600000"
#define SLUICE_AUTO_RESTART_RESET_AFTER_MS "600000"

struct sluice_auto_restart {
    int64_t max_attempts; /* in a row; -1: without end */
    int64_t initial_delay_ms, max_delay_ms;
    int64_t reset_after_ms; /* a task that ran for so long has not failed in a row */
};

/* False: not enabled, out is untouched. What is no number within its limits (nothing that came by
 * REST; a config that somebody wrote into the config topic may be) counts as not given. May read
 * what variables stand for; variables may be NULL. */
bool sluice_auto_restart_read(struct sluice_variables *variables, const struct sluice_map *config,
                              struct sluice_auto_restart *out);

#endif
