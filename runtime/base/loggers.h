/* loggers.h - names that log lines belong to, and the level of each: what /admin/loggers shows.
 *
 * A line belongs to up to three loggers, and the first of them that has a level (itself or by a
 * name above it, cut at a dot) decides whether it is written; without one, root does:
 *   connector.<name>         the connector that it names
 *   the plugin's class       of the task whose thread it comes from
 *   sluice.<part>            the part of the program: sluice.herder, sluice.worker, ...; each part
 *                            also goes by the package that does this work in Java's worker
 * Thread: any. While only root was ever set a line costs one atomic load; else those that are
 * detailed enough for some logger take a lock. Nothing survives the process. */
#ifndef SLUICE_BASE_LOGGERS_H
#define SLUICE_BASE_LOGGERS_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/plugin.h"

#define SLUICE_LOGGERS_MAX 512 /* names come from outside */

struct sluice_logger {
    const char *name;
    const char *level;   /* in force, its own or inherited: "INFO", "OFF", ... */
    int64_t modified_ms; /* wall clock; -1: never */
};

/* Java's levels in any case: OFF FATAL ERROR WARN INFO DEBUG TRACE ALL. NULL: no such level. */
const char *sluice_logger_level(const char *word);
typedef void sluice_logger_each(void *arg, const struct sluice_logger *logger);
/* Sets the logger and all that are below it ("root": all). each (may be NULL) hears of those whose
 * level is another now, by name. False: too many names, or no such level. */
bool sluice_logger_set(const char *name, const char *level, sluice_logger_each *each, void *arg);
/* The same, as a cluster's setting comes in; what is wrong is logged. */
void sluice_logger_apply(const char *name, const char *level);
/* One that is known or was set; false: neither. each is called under the lock. */
bool sluice_logger_get(const char *name, sluice_logger_each *each, void *arg);
/* All of them by name. */
void sluice_loggers_list(sluice_logger_each *each, void *arg);
/* A name that shall be listed, though nobody set it: a plugin's class. Copied. */
void sluice_logger_know(const char *name);

/* ---- for log.c ---- */

/* Whether a line is written; connector and plugin may be NULL. */
bool sluice_loggers_allow(enum sluice_level level, const char *area, const char *connector,
                          const char *plugin);

#endif
