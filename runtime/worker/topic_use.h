/* topic_use.h - how a task's loop tells its herder of the topics that it uses (KIP-558): once for
 * each topic and topics epoch, so that a record costs one comparison. Private to runtime/worker. */
#ifndef SLUICE_WORKER_TOPIC_USE_H
#define SLUICE_WORKER_TOPIC_USE_H

#include "worker/task_impl.h"

/* told: 0 for a topic that was never told of; behind the epoch, else. */
static inline void sluice_topic_use(struct sluice_task *task, unsigned *told, const char *topic)
{
    unsigned epoch = sluice_worker_topics_epoch(task->worker) + 1;
    if (*told == epoch) return;
    const struct sluice_worker_hooks *hooks = sluice_worker_hooks(task->worker);
    *told = epoch;
    if (hooks->topic_used) hooks->topic_used(hooks->arg, task->connector, task->id, topic);
}

#endif
