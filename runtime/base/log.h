/* log.h - logfmt lines on stderr: ts=... level=... [connector=... task=...] msg="...".
 * Any thread; one write(2) a line. ERROR: an operator must act; WARN: recovering; INFO: a state
 * changed; nothing per record above DEBUG. */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#include "sluice/plugin.h"

void sluice_log_level(enum sluice_level level); /* default INFO */
bool sluice_log_enabled(enum sluice_level level);
/* connector NULL: the line names none; task < 0: likewise. */
void sluice_log(enum sluice_level level, const char *connector, int task, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void sluice_vlog(enum sluice_level level, const char *connector, int task, const char *fmt,
                 va_list ap);

#endif
