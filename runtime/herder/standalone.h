/* standalone.h - what the files of the standalone herder share; nobody else includes it.
 *
 * One mutex guards everything below. Under it only quick things happen: memory, and what is asked
 * of the runner (runner.h), which has the tasks. Validation and waits happen without it, or give it
 * up. A connector's slots are those that its config asks for; every config has a set of its own. */
#ifndef SLUICE_HERDER_STANDALONE_H
#define SLUICE_HERDER_STANDALONE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "herder/herder.h"
#include "herder/runner.h"

struct sluice_offset_store;
struct sluice_topic_set;

struct connector {
    char *name;
    struct sluice_map config; /* as given: nothing trimmed, no variable resolved */
    const struct sluice_plugin *plugin;
    enum sluice_target target;
    int slots_n;            /* 0 .. slots_n - 1 are wanted of the runner */
    bool altering;          /* its offsets are being changed, without the lock */
    struct connector *next; /* by name */
};

struct standalone {
    struct sluice_herder base; /* first */
    struct sluice_worker *worker;
    struct sluice_offset_store *offsets;
    struct sluice_runner *runner;
    struct sluice_topic_set *topics;

    pthread_mutex_t lock;
    pthread_cond_t altered; /* a connector's altering has ended */
    struct connector *connectors;
    uint64_t sets; /* raised with every config, over all connectors */
    bool is_ready, closing;
    uint64_t connector_starts, connector_failures;
};

static inline struct standalone *standalone_of(struct sluice_herder *herder)
{
    return (struct standalone *)herder;
}

/* ---- standalone.c; the lock is held ---- */

struct connector *standalone_find(struct standalone *herder, const char *name);
/* Waits (giving up the lock) until no ending task of the connector is left, or but zombies; true:
 * none at all. */
bool standalone_settle(struct standalone *herder, const char *name);

/* ---- views.c: the operations that only look (herder.h), and two pieces of theirs ---- */

json_t *standalone_info_json(const struct connector *conn);
json_t *standalone_status_json(const struct standalone *herder, const struct connector *conn);
void standalone_health(struct sluice_herder *, struct sluice_answer *);
void standalone_list(struct sluice_herder *, bool status, bool info, struct sluice_answer *);
void standalone_info(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_config(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_status(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_tasks(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_task_status(struct sluice_herder *, const char *name, int id,
                            struct sluice_answer *);
void standalone_task_progress(struct sluice_herder *, const char *name, int id,
                              struct sluice_answer *);
void standalone_view(struct sluice_herder *, struct sluice_herder_view *out);

/* ---- standalone_offsets.c: likewise ---- */

/* standalone_find() for whoever resumes or removes: waits (giving up the lock) while its
 * offsets are being changed. */
struct connector *standalone_find_quiet(struct standalone *herder, const char *name);

void standalone_topics(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_reset_topics(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_offsets(struct sluice_herder *, const char *name, struct sluice_answer *);
void standalone_alter_offsets(struct sluice_herder *, const char *name, const json_t *changes,
                              struct sluice_answer *);

#endif
