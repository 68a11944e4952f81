/* app.h - what one worker process is made of, and the order in which its parts come and go.
 *
 * Start: properties, ports, registry and plugins, offset store, worker, herder, REST. Stop: the
 * other way round. Owner: main's thread. */
#ifndef SLUICE_COMMANDS_APP_H
#define SLUICE_COMMANDS_APP_H

#include <stdbool.h>

#include "commands/signals.h"
#include "herder/herder.h"
#include "http/client.h"
#include "kafka/topic_log.h"
#include "providers/variables.h"
#include "rest/frontend.h"
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
    struct sluice_frontend *frontend;
    /* of a distributed worker */
    struct sluice_log_writer *writer;
    struct sluice_tls *tls; /* of requests to other workers */
    struct sluice_http_client *http;
};

struct sluice_registry *sluice_app_registry(const char *plugin_path);
/* distributed is set by the caller, the rest is zeroed; path: the worker's properties. False: err;
 * call stop all the same. */
bool sluice_app_start(struct sluice_app *app, const char *path, struct sluice_signals *signals,
                      struct sluice_err *err);
/* What a distributed worker could not go on for; false: nothing. */
bool sluice_app_failed(struct sluice_app *app, struct sluice_err *err);
/* False: something still runs and uses what would be freed. */
bool sluice_app_stop(struct sluice_app *app);
/* Milliseconds since exec, as exact as the kernel keeps it (10 ms). */
long sluice_since_exec_ms(void);

#endif
