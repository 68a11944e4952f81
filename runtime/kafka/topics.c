/* topics.c - see topics.h. */
#include "kafka/topics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void sluice_topics_init(struct sluice_topics *topics, struct sluice_producer *producer)
{
    memset(topics, 0, sizeof *topics);
    topics->producer = producer;
}

void sluice_topics_fini(struct sluice_topics *topics)
{
    for (size_t i = 0; i < topics->cap; i++) {
        if (!topics->table[i]) continue;
        sluice_producer_topic_free(topics->table[i]->handle);
        free(topics->table[i]->name);
        free(topics->table[i]);
    }
    free(topics->table);
    memset(topics, 0, sizeof *topics);
}

static size_t place(const struct sluice_topics *topics, const char *name)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (const char *p = name; *p; p++) h = (h ^ (uint8_t)*p) * 1099511628211u;
    size_t at = (size_t)h & (topics->cap - 1);
    while (topics->table[at] && strcmp(topics->table[at]->name, name) != 0)
        at = (at + 1) & (topics->cap - 1);
    return at;
}

static void grow(struct sluice_topics *topics)
{
    struct sluice_topic **old = topics->table;
    size_t n = topics->cap;
    topics->cap = n ? 2 * n : 16;
    topics->table = sluice_xcalloc(topics->cap, sizeof *topics->table);
    for (size_t i = 0; i < n; i++)
        if (old[i]) topics->table[place(topics, old[i]->name)] = old[i];
    free(old);
}

bool sluice_topics_has(const struct sluice_topics *topics, const char *name)
{
    if (topics->last && strcmp(topics->last->name, name) == 0) return true;
    return topics->cap > 0 && topics->table[place(topics, name)] != NULL;
}

struct sluice_topic *sluice_topics_find(struct sluice_topics *topics, const char *name, bool *fresh)
{
    assert(topics->producer);
    *fresh = false;
    if (topics->last && strcmp(topics->last->name, name) == 0) return topics->last;
    if (topics->n * 2 >= topics->cap) grow(topics);
    size_t at = place(topics, name);
    if (!topics->table[at]) {
        struct sluice_topic *topic = sluice_xcalloc(1, sizeof *topic);
        topic->name = sluice_xstrdup(name);
        topic->handle = sluice_producer_topic(topics->producer, name);
        topics->table[at] = topic;
        topics->n++;
        *fresh = true;
    }
    topics->last = topics->table[at];
    return topics->last;
}
