/* err.h - filling struct sluice_err: one sentence for people, no secrets, cut at its size. */
#ifndef SLUICE_BASE_ERR_H
#define SLUICE_BASE_ERR_H

#include <stdbool.h>

#include "sluice/plugin.h"

/* Always false, so that "return sluice_err_set(...)" reads well. err may be NULL. */
bool sluice_err_set(struct sluice_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Puts "<text>: " before what stands there already. Always false. */
bool sluice_err_wrap(struct sluice_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same as verdicts: always SLUICE_FAIL. */
enum sluice_verdict sluice_fail(struct sluice_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
