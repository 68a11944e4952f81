/* variables.h - ${provider:[path:]key} in configs, replaced by what config providers say.
 *
 * Only ever in memory, for validation and the start of a task: what REST answers with and what is
 * stored keeps the variables. Every value is told to base/secret.h. Any thread; one look-up at a
 * time. */
#ifndef SLUICE_PROVIDERS_VARIABLES_H
#define SLUICE_PROVIDERS_VARIABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "plugin/options.h"
#include "plugin/registry.h"

struct sluice_variables;

/* Opens what config.providers, config.providers.<name>.class and .param.* of the worker's raw
 * properties ask for. NULL: err. */
struct sluice_variables *sluice_variables_new(const struct sluice_map *worker,
                                              const struct sluice_registry *registry,
                                              struct sluice_err *err);
void sluice_variables_free(struct sluice_variables *variables); /* takes NULL */

/* Whether the text holds something of a variable's form, whoever knows its provider. */
bool sluice_variables_in(const char *text);
/* A copy of config in out (zeroed) with the variables replaced, as Java's ConfigTransformer does:
 * one of an unknown provider or key stays as text, and values are not looked into again. A provider
 * that fails is a finding on the key, which keeps its text; false then. variables NULL: a copy.
 * *ttl_ms: the shortest time that one of them holds, -1: without end; may be NULL. */
bool sluice_variables_resolve(struct sluice_variables *variables, const struct sluice_map *config,
                              struct sluice_map *out, int64_t *ttl_ms,
                              struct sluice_report *report);

#endif
