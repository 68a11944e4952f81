/* log.h - logfmt lines on stderr: ts=... level=... [connector=... task=...] msg="...".
 * Any thread; one write(2) a line. ERROR: an operator must act; WARN: recovering; INFO: a state
 * changed; nothing per record above DEBUG. */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#include "sluice/plugin.h"

/* The part of the program that logs, for loggers.h; the build names each layer's. */
#ifndef SLUICE_AREA
#define SLUICE_AREA "sluice"
#endif

void sluice_log_level(enum sluice_level level); /* of everything; default INFO */
/* Whether some logger takes lines of this level: one atomic load. */
bool sluice_log_enabled(enum sluice_level level);
/* connector NULL: the line names none; task < 0: likewise. */
#define sluice_log(...) sluice_log_at(SLUICE_AREA, __VA_ARGS__)
void sluice_log_at(const char *area, enum sluice_level level, const char *connector, int task,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* A plugin's line, of area sluice.plugin. */
void sluice_vlog(enum sluice_level level, const char *connector, int task, const char *fmt,
                 va_list ap);
/* The class whose plugin this thread works for, for loggers.h; borrowed; NULL: none. */
void sluice_log_plugin(const char *class_name);

#endif
