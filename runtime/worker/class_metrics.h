/* class_metrics.h - metrics of which classes a task is made of: its own, its converters',
 * transforms' and predicates', with versions. Texts stand in labels, the value is 1.
 * Thread: the task's. */
#ifndef SLUICE_WORKER_CLASS_METRICS_H
#define SLUICE_WORKER_CLASS_METRICS_H

#include "worker/task_impl.h"

/* Of a task whose pipeline is open; they show until they are dropped. */
void sluice_class_metrics_set(struct sluice_task *task);
void sluice_class_metrics_drop(struct sluice_task *task); /* also of one that never set them */

#endif
