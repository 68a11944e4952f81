/* crews.c - the runner's table of connectors, and the slots of each. The runner's lock is held. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "herder/runner_impl.h"

#define FIRST_BUCKETS 64

/* FNV-1a */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash;
}

static void grow(struct sluice_runner *runner)
{
    size_t n = runner->buckets_n ? runner->buckets_n * 2 : FIRST_BUCKETS;
    struct crew **buckets = sluice_xcalloc(n, sizeof *buckets);
    for (size_t i = 0; i < runner->buckets_n; i++) {
        for (struct crew *crew = runner->buckets[i], *next; crew; crew = next) {
            next = crew->next;
            crew->next = buckets[crew->hash % n];
            buckets[crew->hash % n] = crew;
        }
    }
    free(runner->buckets);
    runner->buckets = buckets;
    runner->buckets_n = n;
}

struct crew *sluice_crew(struct sluice_runner *runner, const char *name, bool make)
{
    uint64_t hash = hash_of(name);
    struct crew *crew = runner->buckets_n ? runner->buckets[hash % runner->buckets_n] : NULL;
    while (crew && (crew->hash != hash || strcmp(crew->name, name) != 0)) crew = crew->next;
    if (crew || !make) return crew;
    if (runner->crews_n >= runner->buckets_n) grow(runner);
    crew = sluice_xcalloc(1, sizeof *crew);
    crew->runner = runner;
    crew->name = sluice_xstrdup(name);
    crew->hash = hash;
    crew->next = runner->buckets[hash % runner->buckets_n];
    runner->buckets[hash % runner->buckets_n] = crew;
    runner->crews_n++;
    return crew;
}

/* ---- configs ---- */

static void config_put(struct shared_config *config)
{
    if (!config) return;
    assert(config->users > 0);
    if (--config->users > 0) return;
    sluice_map_fini(&config->map);
    free(config);
}

bool sluice_slot_has_config(const struct slot *slot, const struct sluice_map *config)
{
    return slot->config && sluice_map_equal(&slot->config->map, config);
}

void sluice_slot_set_config(struct slot *slot, const struct sluice_map *config)
{
    struct crew *crew = slot->crew;
    if (!crew->config || !sluice_map_equal(&crew->config->map, config)) {
        config_put(crew->config);
        crew->config = sluice_xcalloc(1, sizeof *crew->config);
        crew->config->users = 1; /* the crew itself */
        sluice_map_copy(&crew->config->map, config);
    }
    config_put(slot->config);
    slot->config = crew->config;
    slot->config->users++;
}

/* ---- the queue ---- */

void sluice_crew_queue(struct crew *crew)
{
    struct sluice_runner *runner = crew->runner;
    if (!crew->queued) {
        crew->queued = true;
        crew->next_queued = NULL;
        crew->queue_link = runner->queue_end;
        *runner->queue_end = crew;
        runner->queue_end = &crew->next_queued;
    }
    sluice_wake_up(&runner->wake);
}

static void unqueue(struct crew *crew)
{
    struct sluice_runner *runner = crew->runner;
    assert(crew->queued && *crew->queue_link == crew);
    *crew->queue_link = crew->next_queued;
    if (crew->next_queued) crew->next_queued->queue_link = crew->queue_link;
    else runner->queue_end = crew->queue_link;
    crew->queued = false;
}

struct crew *sluice_crew_unqueue(struct sluice_runner *runner)
{
    struct crew *crew = runner->queue;
    if (crew) unqueue(crew);
    return crew;
}

void sluice_crew_release(struct crew *crew)
{
    if (crew->n > 0 || crew->endings) return;
    struct sluice_runner *runner = crew->runner;
    struct crew **link = &runner->buckets[crew->hash % runner->buckets_n];
    while (*link != crew) link = &(*link)->next;
    *link = crew->next;
    runner->crews_n--;
    if (crew->queued) unqueue(crew);
    assert(crew->draining == 0 && crew->zombies == 0 && crew->unstarted == 0);
    config_put(crew->config);
    free(crew->slots);
    free(crew->name);
    free(crew);
}

/* ---- slots ---- */

/* Where the slot is or would be. */
static size_t place(const struct crew *crew, int id)
{
    size_t low = 0, high = crew->n;
    if (high > 0 && crew->slots[high - 1]->id < id) return high; /* as a rule they come in order */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (crew->slots[middle]->id < id) low = middle + 1;
        else high = middle;
    }
    return low;
}

struct slot *sluice_crew_slot(const struct crew *crew, int id)
{
    size_t at = place(crew, id);
    return at < crew->n && crew->slots[at]->id == id ? crew->slots[at] : NULL;
}

struct slot *sluice_crew_add(struct crew *crew, int id)
{
    size_t at = place(crew, id);
    assert(id >= 0 && (at == crew->n || crew->slots[at]->id != id));
    struct slot *slot = sluice_xcalloc(1, sizeof *slot);
    slot->crew = crew;
    slot->id = id;
    crew->slots = sluice_xgrow(crew->slots, crew->n, &crew->cap, sizeof *crew->slots);
    memmove(crew->slots + at + 1, crew->slots + at, (crew->n - at) * sizeof *crew->slots);
    crew->slots[at] = slot;
    crew->n++;
    return slot;
}

void sluice_crew_remove(struct crew *crew, struct slot *slot)
{
    size_t at = place(crew, slot->id);
    assert(!slot->job && at < crew->n && crew->slots[at] == slot);
    memmove(crew->slots + at, crew->slots + at + 1, (crew->n - at - 1) * sizeof *crew->slots);
    crew->n--;
    if (slot->unstarted) crew->unstarted--;
    if (slot->again) {
        sluice_timers_cancel(&crew->runner->timers, &slot->again->timer);
        free(slot->again);
    }
    config_put(slot->config);
    free(slot->refusal);
    free(slot->trace);
    free(slot);
}
