/* json.h - config-sized JSON over jansson: between struct sluice_map and objects, and texts.
 * Only for configs, REST and small answers; records have their own reader and writer (data/). */
#ifndef SLUICE_BASE_JSON_H
#define SLUICE_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "base/map.h"
#include "sluice/plugin.h"

/* Flat object into map as Connect reads configs: strings as they are, numbers and booleans as
 * their JSON text, null as NULL; objects and arrays are refused, naming the key. */
bool sluice_json_to_map(const json_t *object, struct sluice_map *map, struct sluice_err *err);
json_t *sluice_json_from_map(const struct sluice_map *map); /* new reference */
/* Compact text, owned by the caller. */
char *sluice_json_text(const json_t *json);

#endif
