/* distributed_topics.c - which topics connectors use, kept in the status topic (KIP-558).
 * Thread: any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "herder/distributed_impl.h"
#include "herder/topics.h"

#define TOLD_MAX 10000 /* topics that are watched for a reset */
#define LOOK_MS 1000   /* between two looks at them */
#define READ_BACK_MS 3000

/* When a topic was told of, as the map's value; once it was read back: "". */
static const char *told_at(char text[24])
{
    snprintf(text, 24, "%lld", (long long)sluice_now_ms());
    return text;
}

/* A connector's name may hold a colon, a topic's may not. */
static char *told_key(const char *topic, const char *connector)
{
    return sluice_xasprintf("%s:%s", topic, connector);
}

void distributed_topic_used(void *arg, const char *connector, int task, const char *topic)
{
    struct distributed *herder = arg;
    char at[24], *key = told_key(topic, connector);
    sluice_status_put_topic(herder->statuses, connector, task, topic);
    sluice_lock(&herder->lock);
    if (herder->told_topics.n < TOLD_MAX) sluice_map_set(&herder->told_topics, key, told_at(at));
    sluice_unlock(&herder->lock);
    free(key);
}

static bool is_there(struct distributed *herder, const char *key)
{
    const char *connector = strchr(key, ':') + 1;
    size_t len = (size_t)(connector - 1 - key), n;
    char **topics = sluice_status_topics(herder->statuses, connector, &n);
    bool there = false;
    for (size_t i = 0; i < n && !there; i++)
        there = strlen(topics[i]) == len && memcmp(topics[i], key, len) == 0;
    free(topics);
    return there;
}

/* What was told and read back, and then is gone, was reset: by whichever worker was asked. So was
 * what is not there after a while: told again it does no harm. */
void distributed_follow_topics(struct distributed *herder)
{
    bool reset = false;
    int64_t now = sluice_now_ms();
    if (now - herder->topics_ms < LOOK_MS) return;
    herder->topics_ms = now;
    sluice_lock(&herder->lock);
    struct sluice_map *told = &herder->told_topics;
    for (size_t i = 0; i < told->n;) {
        const char *key = told->items[i].key, *at = told->items[i].value;
        if (is_there(herder, key)) {
            if (*at) sluice_map_set(told, key, "");
        } else if (!*at || now - strtoll(at, NULL, 10) > READ_BACK_MS) {
            reset = true;
            sluice_map_del(told, key);
            continue;
        }
        i++;
    }
    sluice_unlock(&herder->lock);
    if (reset) sluice_worker_forget_topics(herder->worker);
}

void distributed_topics(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!sluice_topics_allowed(herder->worker, false, answer)) return;
    size_t n;
    char **topics = sluice_status_topics(herder->statuses, name, &n);
    sluice_topics_answer(name, topics, n, answer);
    free(topics);
}

void distributed_reset_topics(struct sluice_herder *base, const char *name,
                              struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!sluice_topics_allowed(herder->worker, true, answer)) return;
    size_t n;
    char **topics = sluice_status_topics(herder->statuses, name, &n);
    for (size_t i = 0; i < n; i++) sluice_status_delete_topic(herder->statuses, name, topics[i]);
    free(topics);
    sluice_worker_forget_topics(herder->worker); /* others follow what they read */
    sluice_answer_json(answer, 202, NULL);
}
