/* map.c - an ordered map of strings; a linear scan, as configs are small. Owner: one thread. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct sluice_map_entry *find(const struct sluice_map *map, const char *key)
{
    assert(key);
    for (size_t i = 0; i < map->n; i++) {
        if (strcmp(map->items[i].key, key) == 0) return &map->items[i];
    }
    return NULL;
}

void sluice_map_fini(struct sluice_map *map)
{
    for (size_t i = 0; i < map->n; i++) {
        free(map->items[i].key);
        free(map->items[i].value);
    }
    free(map->items);
    memset(map, 0, sizeof(*map));
}

void sluice_map_copy(struct sluice_map *to, const struct sluice_map *from)
{
    assert(to != from && to->n == 0 && !to->items);
    if (!from->n) return;
    to->items = sluice_xcalloc(from->n, sizeof(*to->items));
    to->cap = from->n;
    for (size_t i = 0; i < from->n; i++) {
        to->items[i].key = sluice_xstrdup(from->items[i].key);
        to->items[i].value = sluice_xstrdup(from->items[i].value);
    }
    to->n = from->n;
}

void sluice_map_set(struct sluice_map *map, const char *key, const char *value)
{
    char *copy = sluice_xstrdup(value); /* first: value may be the one that is replaced */
    struct sluice_map_entry *entry = find(map, key);
    if (entry) {
        free(entry->value);
        entry->value = copy;
        return;
    }
    map->items = sluice_xgrow(map->items, map->n, &map->cap, sizeof(*map->items));
    map->items[map->n].key = sluice_xstrdup(key);
    map->items[map->n].value = copy;
    map->n++;
}

bool sluice_map_del(struct sluice_map *map, const char *key)
{
    struct sluice_map_entry *entry = find(map, key);
    if (!entry) return false;
    free(entry->key);
    free(entry->value);
    size_t behind = map->n - (size_t)(entry - map->items) - 1;
    memmove(entry, entry + 1, behind * sizeof(*entry));
    map->n--;
    return true;
}

const char *sluice_map_get(const struct sluice_map *map, const char *key)
{
    const struct sluice_map_entry *entry = find(map, key);
    return entry ? entry->value : NULL;
}

bool sluice_map_has(const struct sluice_map *map, const char *key)
{
    return find(map, key) != NULL;
}

bool sluice_map_equal(const struct sluice_map *a, const struct sluice_map *b)
{
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct sluice_map_entry *other = find(b, a->items[i].key);
        const char *value = a->items[i].value;
        if (!other || !value != !other->value) return false;
        if (value && strcmp(value, other->value) != 0) return false;
    }
    return true;
}
