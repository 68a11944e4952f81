/* map.h - an ordered map of strings: configs, properties, labels.
 * Keys keep the order in which they first came. Look-up is a linear scan for small maps and this is
 * meant for configs (up to some hundred keys). Owner: one thread, or constant. */
#ifndef SLUICE_BASE_MAP_H
#define SLUICE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct sluice_map_entry {
    char *key, *value; /* value NULL: JSON null */
};

struct sluice_map {
    struct sluice_map_entry *items;
    size_t n, cap;
};

void sluice_map_fini(struct sluice_map *map); /* leaves an empty map */
void sluice_map_copy(struct sluice_map *to, const struct sluice_map *from); /* to: zeroed */
/* Adds or replaces; copies both; value may be NULL. */
void sluice_map_set(struct sluice_map *map, const char *key, const char *value);
bool sluice_map_del(struct sluice_map *map, const char *key); /* false: was not there */
/* NULL when absent or null; sluice_map_has() tells these apart. */
const char *sluice_map_get(const struct sluice_map *map, const char *key);
bool sluice_map_has(const struct sluice_map *map, const char *key);
bool sluice_map_equal(const struct sluice_map *a, const struct sluice_map *b); /* in any order */

#endif
