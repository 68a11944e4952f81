/* config_infos.h - a validated connector config as Connect's ConfigInfos. */
#ifndef SLUICE_REST_CONFIG_INFOS_H
#define SLUICE_REST_CONFIG_INFOS_H

#include "worker/worker.h"

/* New reference. Secrets show as [hidden]; findings about keys that no table has are listed too. */
json_t *sluice_config_infos(const struct sluice_registry *registry,
                            const struct sluice_plugin *plugin, const struct sluice_map *config,
                            const struct sluice_report *report);
/* The plugin's own options, then for a connector those of the framework, as definitions. */
json_t *sluice_plugin_definitions(const struct sluice_plugin *plugin);

#endif
