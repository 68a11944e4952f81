/* app.c - see app.h. */
#include "commands/app.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/props.h"
#include "herder/distributed.h"
#include "plugin/load.h"
#include "providers/providers.h"
#include "rest/tls.h"

#define REST_DRAIN_MS 2000

struct sluice_registry *sluice_app_registry(const char *plugin_path)
{
    struct sluice_registry *registry = sluice_registry_new();
    sluice_providers_register(registry);
    sluice_load_path(registry, plugin_path);
    return registry;
}

/* Everything that is wrong, not only the first thing. Unknown keys are the worker's to tell of. */
static bool check_props(const struct sluice_map *props, bool distributed, const char *path,
                        struct sluice_err *err)
{
    struct sluice_report report = {0};
    sluice_options_check(sluice_worker_options(), sizeof(struct sluice_option), props, &report);
    const char *file = sluice_map_get(props, "offset.storage.file.filename");
    if (distributed) {
        sluice_distributed_check(props, &report);
    } else if (!file || !*file) {
        sluice_report_add(&report, "offset.storage.file.filename",
                          "Missing required configuration \"offset.storage.file.filename\" which "
                          "has no default value.");
    }
    bool ok = report.n == 0;
    for (size_t i = 0; i < report.n; i++)
        sluice_log(SLUICE_ERROR, NULL, -1, "%s: %s", path, report.items[i].message);
    if (!ok) sluice_err_set(err, "the worker properties in %s are not usable", path);
    sluice_report_fini(&report);
    return ok;
}

/* The worker's properties, with what their variables stand for. A provider may be a plugin, so that
 * plugin.path and config.providers are taken as they are. */
static bool load_props(struct sluice_app *app, const char *path, struct sluice_err *err)
{
    struct sluice_map raw = {0};
    struct sluice_report report = {0};
    bool ok = sluice_props_load(&raw, path, err);
    if (ok) {
        app->registry = sluice_app_registry(sluice_map_get(&raw, "plugin.path"));
        app->variables = sluice_variables_new(&raw, app->registry, err);
        ok = app->variables != NULL;
    }
    if (ok && !sluice_variables_resolve(app->variables, &raw, &app->props, NULL, &report))
        ok = sluice_err_set(err, "%s: %s", path, report.items[0].message);
    sluice_report_fini(&report);
    sluice_map_fini(&raw);
    return ok && check_props(&app->props, app->distributed, path, err);
}

/* Offsets, and the client for requests to other workers. */
static bool open_stores(struct sluice_app *app, struct sluice_err *err)
{
    const struct sluice_map *props = &app->props;
    if (!app->distributed) {
        app->offsets =
            sluice_offset_file_new(sluice_map_get(props, "offset.storage.file.filename"), err);
        return app->offsets != NULL;
    }
    app->writer = sluice_distributed_writer(props, err);
    if (!app->writer) return false;
    app->offsets =
        sluice_offset_topic_new(app->writer, sluice_map_get(props, "offset.storage.topic"));
    app->tls = sluice_tls_new(props, "listeners.https.", err);
    if (!app->tls) return false;
    struct sluice_http_options options = {.ca_file = sluice_tls_ca_path(app->tls),
                                          .cert_file = sluice_tls_key_path(app->tls),
                                          .key_file = sluice_tls_key_path(app->tls),
                                          .any_host = !sluice_tls_checks_host(app->tls)};
    app->http = sluice_http_client_new(&options);
    return true;
}

/* On a thread of the herder: main asks why. */
static void on_failure(void *signals)
{
    sluice_wake_up(&((struct sluice_signals *)signals)->asked);
}

static bool make_herder(struct sluice_app *app, struct sluice_signals *signals,
                        struct sluice_err *err)
{
    struct sluice_distributed_config config = {.worker = app->worker,
                                               .props = &app->props,
                                               .writer = app->writer,
                                               .offsets = app->offsets,
                                               .http = app->http,
                                               .failed = on_failure,
                                               .arg = signals};
    app->herder = app->distributed ? sluice_distributed_new(&config, err)
                                   : sluice_standalone_new(app->worker, app->offsets, err);
    return app->herder != NULL;
}

bool sluice_app_start(struct sluice_app *app, const char *path, struct sluice_signals *signals,
                      struct sluice_err *err)
{
    if (!load_props(app, path, err)) return false;
    app->frontend = sluice_frontend_new(&app->props, err);
    if (!app->frontend || !open_stores(app, err)) return false;
    app->worker = sluice_worker_new(&app->props, app->registry, app->variables, app->offsets, err);
    if (!app->worker) return false;
    sluice_worker_set_id(app->worker, sluice_frontend_id(app->frontend));
    atomic_store(&signals->graceful_ms,
                 sluice_worker_num(app->worker, "task.shutdown.graceful.timeout.ms"));
    return make_herder(app, signals, err) &&
           sluice_frontend_serve(app->frontend, app->herder, app->worker, sluice_wall_ms(), err) &&
           (!app->distributed ||
            sluice_distributed_start(app->herder, sluice_frontend_url(app->frontend), err));
}

bool sluice_app_failed(struct sluice_app *app, struct sluice_err *err)
{
    return app->distributed && sluice_distributed_failed(app->herder, err);
}

bool sluice_app_stop(struct sluice_app *app)
{
    bool clean = true;
    if (app->frontend) sluice_frontend_quiesce(app->frontend);
    if (app->herder) {
        clean = app->herder->ops->stop(
            app->herder, sluice_worker_num(app->worker, "task.shutdown.graceful.timeout.ms"));
    }
    if (app->frontend) clean &= sluice_frontend_stop(app->frontend, REST_DRAIN_MS);
    if (!clean) return false;
    sluice_frontend_free(app->frontend);
    if (app->herder) app->herder->ops->free(app->herder);
    sluice_worker_free(app->worker);
    sluice_offset_store_free(app->offsets);
    sluice_log_writer_free(app->writer);
    sluice_http_client_free(app->http);
    sluice_tls_free(app->tls);
    sluice_variables_free(app->variables);
    sluice_registry_free(app->registry);
    sluice_map_fini(&app->props);
    return true;
}

long sluice_since_exec_ms(void)
{
    size_t len;
    char *text = sluice_file_read("/proc/self/stat", 4096, &len, NULL);
    const char *at = text ? strrchr(text, ')') : NULL;
    unsigned long long ticks = 0;
    int field = 2;
    for (; at && *at && field < 22; at++) { /* starttime is field 22, ')' ends field 2 */
        if (*at == ' ' && ++field == 22) ticks = strtoull(at + 1, NULL, 10);
    }
    free(text);
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    long long started_ms = (long long)ticks * 1000 / sysconf(_SC_CLK_TCK);
    return ticks ? (long)(now.tv_sec * 1000LL + now.tv_nsec / 1000000 - started_ms) : -1;
}
