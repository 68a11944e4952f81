/* topics.c - see topics.h. */
#include "herder/topics.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"

static bool enabled(const struct sluice_worker *worker, const char *option)
{
    return sluice_worker_num(worker, option) != 0;
}

bool sluice_topics_tracked(const struct sluice_worker *worker)
{
    return enabled(worker, "topic.tracking.enable");
}

bool sluice_topics_allowed(const struct sluice_worker *worker, bool reset,
                           struct sluice_answer *answer)
{
    const char *no = NULL;
    if (!sluice_topics_tracked(worker)) no = "Topic tracking is disabled.";
    else if (reset && !enabled(worker, "topic.tracking.allow.reset"))
        no = "Topic tracking reset is disabled.";
    if (no) sluice_answer_error(answer, 403, "%s", no);
    return !no;
}

void sluice_topics_answer(const char *connector, char *const *topics, size_t n,
                          struct sluice_answer *answer)
{
    json_t *list = json_array(), *one = json_object(), *body = json_object();
    for (size_t i = 0; i < n; i++) json_array_append_new(list, sluice_json_safe(topics[i]));
    json_object_set_new(one, "topics", list);
    json_object_set_new(body, connector, one);
    sluice_answer_json(answer, 200, body);
}

/* ---- in memory: a table of connectors, each with its sorted topics ---- */

struct connector_topics {
    char *connector, **topics;
    size_t n, cap;
};

struct sluice_topic_set {
    pthread_mutex_t mutex; /* leaf */
    struct connector_topics *items;
    size_t n, cap;
};

struct sluice_topic_set *sluice_topic_set_new(void)
{
    struct sluice_topic_set *set = sluice_xcalloc(1, sizeof *set);
    pthread_mutex_init(&set->mutex, NULL);
    return set;
}

static void item_fini(struct connector_topics *item)
{
    for (size_t i = 0; i < item->n; i++) free(item->topics[i]);
    free(item->topics);
    free(item->connector);
}

void sluice_topic_set_free(struct sluice_topic_set *set)
{
    if (!set) return;
    for (size_t i = 0; i < set->n; i++) item_fini(&set->items[i]);
    free(set->items);
    pthread_mutex_destroy(&set->mutex);
    free(set);
}

/* The mutex is held. NULL: nothing of it is known. */
static struct connector_topics *find(struct sluice_topic_set *set, const char *connector)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->items[i].connector, connector) == 0) return &set->items[i];
    return NULL;
}

void sluice_topic_set_used(void *arg, const char *connector, int task, const char *topic)
{
    struct sluice_topic_set *set = arg;
    (void)task;
    sluice_lock(&set->mutex);
    struct connector_topics *item = find(set, connector);
    if (!item) {
        set->items = sluice_xgrow(set->items, set->n, &set->cap, sizeof *set->items);
        item = &set->items[set->n++];
        *item = (struct connector_topics){.connector = sluice_xstrdup(connector)};
    }
    size_t at = 0;
    while (at < item->n && strcmp(item->topics[at], topic) < 0) at++;
    if (at == item->n || strcmp(item->topics[at], topic) != 0) {
        item->topics = sluice_xgrow(item->topics, item->n, &item->cap, sizeof *item->topics);
        memmove(item->topics + at + 1, item->topics + at, (item->n - at) * sizeof *item->topics);
        item->topics[at] = sluice_xstrdup(topic);
        item->n++;
    }
    sluice_unlock(&set->mutex);
}

void sluice_topic_set_answer(struct sluice_topic_set *set, const char *connector,
                             struct sluice_answer *answer)
{
    sluice_lock(&set->mutex);
    const struct connector_topics *item = find(set, connector);
    sluice_topics_answer(connector, item ? item->topics : NULL, item ? item->n : 0, answer);
    sluice_unlock(&set->mutex);
}

void sluice_topic_set_forget(struct sluice_topic_set *set, const char *connector)
{
    sluice_lock(&set->mutex);
    struct connector_topics *item = find(set, connector);
    if (item) {
        item_fini(item);
        *item = set->items[--set->n];
    }
    sluice_unlock(&set->mutex);
}
