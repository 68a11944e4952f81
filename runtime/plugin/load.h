/* load.h - shared objects into the registry; the only user of dlopen. */
#ifndef SLUICE_PLUGIN_LOAD_H
#define SLUICE_PLUGIN_LOAD_H

#include "plugin/registry.h"

/* RTLD_NOW | RTLD_LOCAL, never closed again. */
bool sluice_load_file(struct sluice_registry *registry, const char *path, struct sluice_err *err);
/* Every .so of plugin.path (comma-separated files and directories, one level deep); path NULL, or
 * one that holds no plugin (a Java worker's holds jars): the directory plugins/ beside the
 * executable and the installed one. A file that does not load is logged with its reason and
 * skipped. */
void sluice_load_path(struct sluice_registry *registry, const char *plugin_path);

#endif
