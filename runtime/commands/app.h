/* app.h - what one worker process is made of, and the order in which its parts come and go.
 *
 * Start: properties, registry and plugins, offset store, worker, herder, REST. Stop: the other way
 * round. Owner: main's thread. */
#ifndef SLUICE_COMMANDS_APP_H
#define SLUICE_COMMANDS_APP_H

#include <stdbool.h>

#include "commands/signals.h"
#include "herder/herder.h"
#include "providers/variables.h"
#include "rest/rest.h"
#include "rest/server.h"
#include "store/offset_store.h"
#include "worker/worker.h"

struct sluice_app {
    bool distributed;
    struct sluice_map props; /* variables replaced */
    struct sluice_registry *registry;
    struct sluice_variables *variables;
    struct sluice_offset_store *offsets;
    struct sluice_worker *worker;
    struct sluice_herder *herder;
    struct sluice_rest rest;
    struct sluice_server *server, *admin;
};

struct sluice_registry *sluice_app_registry(const char *plugin_path);
/* distributed is set by the caller, the rest is zeroed; path: the worker's properties. False: err;
 * call stop all the same. */
bool sluice_app_start(struct sluice_app *app, const char *path, struct sluice_signals *signals,
                      struct sluice_err *err);
/* False: something still runs and uses what would be freed. */
bool sluice_app_stop(struct sluice_app *app);
/* Milliseconds since exec, as exact as the kernel keeps it (10 ms). */
long sluice_since_exec_ms(void);

#endif
