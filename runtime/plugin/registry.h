/* registry.h - all plugins that this process knows, built-in and loaded; one door.
 * Filled once at start (main thread), then constant: any thread may look up. */
#ifndef SLUICE_PLUGIN_REGISTRY_H
#define SLUICE_PLUGIN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/plugin.h"

struct sluice_registry;

struct sluice_registry *sluice_registry_new(void);           /* with the built-ins */
void sluice_registry_free(struct sluice_registry *registry); /* shared objects stay mapped */
/* Adds the plugins of a list; path NULL for built-ins. False: another ABI major, a broken
 * description, or a name that is taken; err names path, both versions, and what to do. */
bool sluice_registry_add(struct sluice_registry *registry, const char *path,
                         const struct sluice_plugin *const *list, struct sluice_err *err);
/* By short name, Java class (full or simple, with or without the suffixes Connector, Converter,
 * Transform..) or Confluent Cloud name. NULL: err says which of the kind are known, and the nearest
 * name. kind_mask: 1 << enum sluice_kind. */
const struct sluice_plugin *sluice_registry_find(const struct sluice_registry *registry,
                                                 unsigned kind_mask, const char *name,
                                                 struct sluice_err *err);
/* i-th plugin in order of kind (sink, source, transform, predicate, converter, header converter)
 * and name; NULL past the end. */
const struct sluice_plugin *sluice_registry_at(const struct sluice_registry *registry, size_t i);
/* The class that REST shows: first alias, else name. */
const char *sluice_plugin_class(const struct sluice_plugin *plugin);
/* A connector's task class for task.class: what users of the Java connector see. Owned. */
char *sluice_task_class(const struct sluice_plugin *plugin);

#endif
