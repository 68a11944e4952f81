/* values.h - what can be asked of a value. */
#ifndef SLUICE_DATA_VALUES_H
#define SLUICE_DATA_VALUES_H

#include <stdbool.h>

#include "base/arena.h"
#include "sluice/plugin.h"

/* Deep; maps in any order; NaN equals NaN. */
bool sluice_value_equal(const struct sluice_value *a, const struct sluice_value *b);
/* Deep copy into the arena. */
struct sluice_value sluice_value_copy(struct sluice_arena *arena, const struct sluice_value *v);
/* Value of a schemaless map's STRING key, NULL when absent. */
const struct sluice_value *sluice_value_get(const struct sluice_value *map, const char *key);
/* Rough size in bytes of the value and all below it, for windows and limits. */
size_t sluice_value_bytes(const struct sluice_value *v);

#endif
