/* topics.h - which topics a connector has used since it was made or was reset (KIP-558): what both
 * herders answer with, and the set in memory of the standalone one. A distributed worker keeps the
 * set in the status topic (store/status_log.h).
 *
 * Tasks tell of a topic by the worker's hook topic_used, once for each topic and topics epoch.
 * Thread: any. */
#ifndef SLUICE_HERDER_TOPICS_H
#define SLUICE_HERDER_TOPICS_H

#include <stdbool.h>
#include <stddef.h>

#include "herder/answer.h"
#include "worker/worker.h"

/* topic.tracking.enable: only then is the hook set. */
bool sluice_topics_tracked(const struct sluice_worker *worker);
/* Whether the request may be done; reset: PUT .../topics/reset. False: answer is Connect's 403. */
bool sluice_topics_allowed(const struct sluice_worker *worker, bool reset,
                           struct sluice_answer *answer);
/* 200 {"<connector>":{"topics":[...]}}, sorted as given. */
void sluice_topics_answer(const char *connector, char *const *topics, size_t n,
                          struct sluice_answer *answer);

/* ---- in memory ---- */

struct sluice_topic_set;

struct sluice_topic_set *sluice_topic_set_new(void);
void sluice_topic_set_free(struct sluice_topic_set *set); /* takes NULL */
/* For the hook: arg is the set. */
void sluice_topic_set_used(void *set, const char *connector, int task, const char *topic);
/* 200, the connector's topics sorted; none for one that is unknown. */
void sluice_topic_set_answer(struct sluice_topic_set *set, const char *connector,
                             struct sluice_answer *answer);
/* On a reset (follow it with sluice_worker_forget_topics) and when the connector is deleted. */
void sluice_topic_set_forget(struct sluice_topic_set *set, const char *connector);

#endif
