/* topics.h - a task's topic handles by name: one hash look-up a record, none for a run of records
 * to the same topic. Owner: the task's thread. */
#ifndef SLUICE_KAFKA_TOPICS_H
#define SLUICE_KAFKA_TOPICS_H

#include "kafka/producer.h"

struct sluice_topic {
    char *name;
    struct rd_kafka_topic_s *handle;
    unsigned told; /* the user's: of this topic (worker/topic_use.h); 0 at first */
};

struct sluice_topics {
    struct sluice_producer *producer; /* borrowed */
    struct sluice_topic **table;      /* open addressing, cap a power of two */
    size_t n, cap;
    struct sluice_topic *last;
};

void sluice_topics_init(struct sluice_topics *topics, struct sluice_producer *producer);
void sluice_topics_fini(struct sluice_topics *topics); /* before the producer is put back */
/* Whether find() has made its handle; making one may make the broker create the topic. */
bool sluice_topics_has(const struct sluice_topics *topics, const char *name);
/* fresh: whether this is the first look-up of the name. */
struct sluice_topic *sluice_topics_find(struct sluice_topics *topics, const char *name,
                                        bool *fresh);

#endif
