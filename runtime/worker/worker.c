/* worker.c - see worker.h. */
#include "worker/worker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kafka/client.h"
#include "kafka/producer.h"
#include "worker/task_impl.h"

struct sluice_worker {
    struct sluice_map props;
    struct sluice_conf *conf;
    enum sluice_override_policy policy;
    const struct sluice_registry *registry;
    struct sluice_variables *variables;
    struct sluice_offset_store *offsets;
    struct sluice_producers *producers;
    pthread_mutex_t mutex;       /* client, cluster */
    struct sluice_producer *own; /* asks for the cluster id; made when first needed */
    char cluster[64];
    char id[280];
    struct sluice_worker_hooks hooks;
    const _Atomic int64_t *lease; /* NULL: none is needed */
    _Atomic unsigned topics_epoch;
};

static void delivered(void *opaque, int error, int32_t partition, int64_t offset)
{
    sluice_slot_landed(opaque, partition, error ? -1 : offset);
    sluice_slot_finish(opaque, error, true);
}

struct sluice_worker *sluice_worker_new(const struct sluice_map *props,
                                        const struct sluice_registry *registry,
                                        struct sluice_variables *variables,
                                        struct sluice_offset_store *offsets, struct sluice_err *err)
{
    const struct sluice_plugin self = {.size = sizeof self,
                                       .option_size = sizeof(struct sluice_option),
                                       .name = "worker",
                                       .options = sluice_worker_options()};
    struct sluice_conf *conf = sluice_conf_new(&self, props, "", err);
    if (!conf) return NULL;
    enum sluice_override_policy policy;
    if (!sluice_override_policy(sluice_conf_str(conf, "connector.client.config.override.policy"),
                                &policy, err)) {
        sluice_conf_free(conf);
        return NULL;
    }
    sluice_conf_warn(conf, NULL, NULL);
    struct sluice_worker *worker = sluice_xcalloc(1, sizeof *worker);
    worker->conf = conf;
    worker->policy = policy;
    sluice_map_copy(&worker->props, props);
    worker->registry = registry;
    worker->variables = variables;
    worker->offsets = offsets;
    worker->producers = sluice_producers_new(delivered);
    pthread_mutex_init(&worker->mutex, NULL);
    return worker;
}

void sluice_worker_free(struct sluice_worker *worker)
{
    if (!worker) return;
    sluice_producer_put(worker->own);
    sluice_producers_free(worker->producers);
    pthread_mutex_destroy(&worker->mutex);
    sluice_conf_free(worker->conf);
    sluice_map_fini(&worker->props);
    free(worker);
}

bool sluice_worker_cluster_id(struct sluice_worker *worker, int wait_ms, char out[64],
                              struct sluice_err *err)
{
    bool ok = true;
    sluice_lock(&worker->mutex);
    if (!worker->cluster[0]) {
        struct sluice_map props = {0};
        sluice_client_layers(SLUICE_CLIENT_ADMIN, &worker->props, NULL, &props);
        if (!worker->own)
            worker->own = sluice_producer_get(worker->producers, &props, "worker", err);
        sluice_map_fini(&props);
        ok = worker->own && sluice_producer_cluster_id(worker->own, wait_ms, worker->cluster, err);
    }
    memcpy(out, worker->cluster, sizeof worker->cluster);
    sluice_unlock(&worker->mutex);
    return ok;
}

void sluice_worker_set_id(struct sluice_worker *worker, const char *worker_id)
{
    snprintf(worker->id, sizeof worker->id, "%s", worker_id);
}

const char *sluice_worker_id(const struct sluice_worker *worker) { return worker->id; }

void sluice_worker_set_hooks(struct sluice_worker *worker, const struct sluice_worker_hooks *hooks)
{
    worker->hooks = *hooks;
}

const struct sluice_worker_hooks *sluice_worker_hooks(const struct sluice_worker *worker)
{
    return &worker->hooks;
}

void sluice_worker_set_lease(struct sluice_worker *worker, const _Atomic int64_t *until_ms)
{
    worker->lease = until_ms;
}

bool sluice_worker_holds_lease(const struct sluice_worker *worker)
{
    return !worker->lease ||
           sluice_boot_ms() < atomic_load_explicit(worker->lease, memory_order_acquire);
}

void sluice_worker_forget_topics(struct sluice_worker *worker)
{
    atomic_fetch_add(&worker->topics_epoch, 1);
}

unsigned sluice_worker_topics_epoch(const struct sluice_worker *worker)
{
    return atomic_load_explicit(&worker->topics_epoch, memory_order_relaxed);
}

const char *sluice_worker_prop(const struct sluice_worker *worker, const char *key)
{
    return sluice_conf_str(worker->conf, key);
}

int64_t sluice_worker_num(const struct sluice_worker *worker, const char *key)
{
    return sluice_conf_num(worker->conf, key);
}

const struct sluice_registry *sluice_worker_registry(const struct sluice_worker *worker)
{
    return worker->registry;
}

struct sluice_producers *sluice_worker_producers(struct sluice_worker *worker)
{
    return worker->producers;
}

struct sluice_offset_store *sluice_worker_offsets(struct sluice_worker *worker)
{
    assert(worker->offsets);
    return worker->offsets;
}

enum sluice_override_policy sluice_worker_policy(const struct sluice_worker *worker)
{
    return worker->policy;
}

struct sluice_variables *sluice_worker_variables(struct sluice_worker *worker)
{
    return worker->variables;
}

const struct sluice_map *sluice_worker_props(const struct sluice_worker *worker)
{
    return &worker->props;
}
