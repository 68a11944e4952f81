/* progress.h - how far the tasks of this process are with long pieces of work (host->progress),
 * until they are asked: one list per task, replaced as a whole.
 *
 * Thread: sluice_progress_set() and _drop() on the owner's thread, _json() on any. */
#ifndef SLUICE_BASE_PROGRESS_H
#define SLUICE_BASE_PROGRESS_H

#include <jansson.h>

#include "sluice/plugin.h"

/* In place of what this owner told before; copies. owner: any address that is its own. What is past
 * SLUICE_PROGRESS_MAX is left out. */
#define SLUICE_PROGRESS_MAX 16
void sluice_progress_set(const void *owner, const char *connector, int task,
                         const struct sluice_progress *list, size_t n);
void sluice_progress_drop(const void *owner); /* one that told nothing is fine */
/* The task's list as REST shows it (docs/REST.md), a new reference; empty: nothing is under way, or
 * not in this process. What nobody knows is null. */
json_t *sluice_progress_json(const char *connector, int task);

#endif
