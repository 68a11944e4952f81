/* providers.h - the config providers that come with Kafka: file, directory, environment. They
 * register through the same descriptions as shared objects do. */
#ifndef SLUICE_PROVIDERS_PROVIDERS_H
#define SLUICE_PROVIDERS_PROVIDERS_H

#include "plugin/registry.h"

extern const struct sluice_plugin sluice_file_provider;      /* file.c */
extern const struct sluice_plugin sluice_directory_provider; /* directory.c */
extern const struct sluice_plugin sluice_env_provider;       /* env.c */

/* All of them into the registry, where they have to fit. */
void sluice_providers_register(struct sluice_registry *registry);

#endif
