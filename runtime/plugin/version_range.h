/* version_range.h - KIP-891's version ranges, in Maven's form: "1.2" and "[1.2]" are just that,
 * "[1.0,2.0)" and "(,1.5],[2.0,)" what they say.
 * Thread: any. */
#ifndef SLUICE_PLUGIN_VERSION_RANGE_H
#define SLUICE_PLUGIN_VERSION_RANGE_H

#include "sluice/plugin.h"

/* 1: version is in the range; 0: it is not, and *shown (owned by the caller) is the range in the
 * form that Connect's messages have; -1: err, the range is none. */
int sluice_version_in_range(const char *range, const char *version, char **shown,
                            struct sluice_err *err);
/* Whether the plugin, of which there is one version here, is one that range (a config's
 * plugin.version; NULL, empty or "latest": any) asks for. False: err is Connect's sentence. */
bool sluice_version_fits(const struct sluice_plugin *plugin, const char *range,
                         struct sluice_err *err);

#endif
