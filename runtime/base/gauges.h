/* gauges.h - the metrics that tasks' plugins tell of themselves (host->metrics), until they are
 * asked for: one set per task, replaced as a whole.
 *
 * Thread: sluice_gauges_set() and _drop() on the owner's thread, _write() on any. */
#ifndef SLUICE_BASE_GAUGES_H
#define SLUICE_BASE_GAUGES_H

#include "sluice/plugin.h"

/* In place of what this owner told before; copies. owner: any address that is its own. Samples with
 * a name that Prometheus does not take, or past SLUICE_GAUGES_MAX, are left out. */
#define SLUICE_GAUGES_MAX 2000
void sluice_gauges_set(const void *owner, const char *connector, int task,
                       const struct sluice_metric *list, size_t n);
void sluice_gauges_drop(const void *owner); /* one that told nothing is fine */
/* All of them in Prometheus' text form, samples of one name together. */
void sluice_gauges_write(struct sluice_buf *buf);

#endif
