/* describe.h - whether a plugin's description can be used; inside runtime/plugin only. */
#ifndef SLUICE_PLUGIN_DESCRIBE_H
#define SLUICE_PLUGIN_DESCRIBE_H

#include <stdbool.h>

#include "sluice/plugin.h"

/* False: another ABI major or a broken description; err names path (NULL: built in), both versions
 * and what to do. Reads nothing behind a field that failed. */
bool sluice_describe_check(const struct sluice_plugin *plugin, const char *path,
                           struct sluice_err *err);
/* "source", "sink", "transformation" ...: the words of GET /connector-plugins. */
const char *sluice_kind_name(enum sluice_kind kind);

#endif
