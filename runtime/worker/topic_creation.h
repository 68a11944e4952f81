/* topic_creation.h - which topics a source makes, and how: topic.creation.* (KIP-158).
 * Owner: the task's thread; constant after it was made (but for the patterns' matches). */
#ifndef SLUICE_WORKER_TOPIC_CREATION_H
#define SLUICE_WORKER_TOPIC_CREATION_H

#include "base/map.h"
#include "kafka/admin.h"
#include "plugin/options.h"

struct sluice_topic_creation;

/* Whether the config asks for it at all: some key starts with topic.creation. */
bool sluice_topic_creation_used(const struct sluice_map *config);
/* Groups and patterns of a connector's config, which lives longer. NULL: err. */
struct sluice_topic_creation *sluice_topic_creation_new(const struct sluice_map *config,
                                                        struct sluice_err *err);
void sluice_topic_creation_free(struct sluice_topic_creation *creation); /* takes NULL */
/* What is wrong with the keys, for validate. */
void sluice_topic_creation_check(const struct sluice_map *config, struct sluice_report *report);
/* What the topic is to be like: the first group that fits, else default; its name. Borrowed. */
const char *sluice_topic_creation_find(const struct sluice_topic_creation *creation,
                                       const char *topic, struct sluice_new_topic *out);

#endif
