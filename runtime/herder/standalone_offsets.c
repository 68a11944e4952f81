/* standalone_offsets.c - offsets and topics of the standalone herder: what it lends to offsets.h
 * and topics.h. While a connector's offsets are being changed, which is done without the lock,
 * whoever wants to resume or delete it waits (standalone_find_quiet). */
#include <assert.h>
#include <string.h>

#include "herder/offsets.h"
#include "herder/standalone.h"
#include "herder/topics.h"

struct connector *standalone_find_quiet(struct standalone *herder, const char *name)
{
    struct connector *conn;
    while ((conn = standalone_find(herder, name)) && conn->altering)
        pthread_cond_wait(&herder->altered, &herder->lock);
    return conn;
}

/* The lock is held. The copy of the config is the caller's. */
static struct sluice_offsets_of offsets_of(const struct standalone *herder,
                                           const struct connector *conn, const char *name,
                                           struct sluice_map *config)
{
    sluice_map_copy(config, &conn->config);
    return (struct sluice_offsets_of){
        .worker = herder->worker, .connector = name, .config = config, .plugin = conn->plugin};
}

void standalone_offsets(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    struct sluice_map config = {0};
    struct sluice_offsets_of of;
    sluice_lock(&herder->lock);
    const struct connector *conn = standalone_find(herder, name);
    if (conn) of = offsets_of(herder, conn, name, &config);
    sluice_unlock(&herder->lock);
    if (conn) sluice_offsets_list(&of, answer);
    else sluice_answer_error(answer, 404, "Connector %s not found", name);
    sluice_map_fini(&config);
}

/* The connector, when its offsets may be changed now; NULL: answer. The lock is held. */
static struct connector *alterable(struct standalone *herder, const char *name,
                                   struct sluice_answer *answer)
{
    struct connector *conn = standalone_find_quiet(herder, name);
    if (!conn) sluice_answer_error(answer, 404, "Connector %s not found", name);
    else if (!sluice_offsets_alterable(name, conn->target, conn->slots_n, answer)) conn = NULL;
    return conn;
}

void standalone_alter_offsets(struct sluice_herder *base, const char *name, const json_t *changes,
                              struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    struct sluice_map config = {0};
    sluice_lock(&herder->lock);
    if (alterable(herder, name, answer)) {
        /* tasks that still drain would write their offsets over these */
        size_t zombies = standalone_settle(herder, name) ? 0 : 1;
        struct connector *conn =
            alterable(herder, name, answer); /* it may have changed meanwhile */
        if (conn) {
            struct sluice_offsets_of of = offsets_of(herder, conn, name, &config);
            of.zombies = zombies;
            conn->altering = true;
            sluice_unlock(&herder->lock);
            sluice_offsets_alter(&of, changes, answer);
            sluice_lock(&herder->lock);
            conn = standalone_find(herder, name); /* gone when the worker stops */
            if (conn) conn->altering = false;
            pthread_cond_broadcast(&herder->altered);
        }
    }
    sluice_unlock(&herder->lock);
    sluice_map_fini(&config);
}

void standalone_topics(struct sluice_herder *base, const char *name, struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    if (sluice_topics_allowed(herder->worker, false, answer))
        sluice_topic_set_answer(herder->topics, name, answer);
}

void standalone_reset_topics(struct sluice_herder *base, const char *name,
                             struct sluice_answer *answer)
{
    struct standalone *herder = standalone_of(base);
    if (!sluice_topics_allowed(herder->worker, true, answer)) return;
    sluice_topic_set_forget(herder->topics, name);
    sluice_worker_forget_topics(herder->worker);
    sluice_answer_json(answer, 202, NULL);
}
