/* host.h - the struct sluice_host that this runtime lends: functions that need no task live here
 * or below (conf, schemas, batch, buf); the worker fills in those that do. */
#ifndef SLUICE_PLUGIN_HOST_H
#define SLUICE_PLUGIN_HOST_H

#include "sluice/plugin.h"

/* A table with everything that needs no task; task functions are set to ones that abort with their
 * name. The worker copies it once and overwrites those. */
struct sluice_host sluice_host_base(void);

#endif
