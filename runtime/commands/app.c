/* app.c - see app.h. */
#include "commands/app.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/props.h"
#include "plugin/load.h"
#include "providers/providers.h"

#define REST_DRAIN_MS 2000

struct sluice_registry *sluice_app_registry(const char *plugin_path)
{
    struct sluice_registry *registry = sluice_registry_new();
    sluice_providers_register(registry);
    sluice_load_path(registry, plugin_path);
    return registry;
}

/* Everything that is wrong, not only the first thing. Unknown keys are the worker's to tell of. */
static bool check_props(const struct sluice_map *props, const char *path, struct sluice_err *err)
{
    struct sluice_report report = {0};
    sluice_options_check(sluice_worker_options(), sizeof(struct sluice_option), props, &report);
    const char *file = sluice_map_get(props, "offset.storage.file.filename");
    if (!file || !*file) {
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
    return ok && check_props(&app->props, path, err);
}

static bool serve(struct sluice_app *app, struct sluice_err *err)
{
    const char *listeners = sluice_worker_prop(app->worker, "listeners");
    const char *admin = sluice_map_get(&app->props, "admin.listeners");
    app->rest = (struct sluice_rest){app->herder, app->worker, sluice_wall_ms()};
    struct sluice_route_table tables[] = {{sluice_root_routes, &app->rest},
                                          {sluice_connector_routes, &app->rest},
                                          {sluice_plugin_routes, &app->rest},
                                          {sluice_metrics_routes, &app->rest},
                                          {sluice_admin_routes, &app->rest}};
    size_t n = sizeof tables / sizeof *tables;
    if (!listeners || !*listeners) listeners = "http://:8083";
    app->server = sluice_server_new(listeners, tables, admin ? n - 1 : n, err);
    if (!app->server) return false;
    if (admin && *admin) { /* loggers have a listener of their own; an empty one: nowhere */
        app->admin = sluice_server_new(admin, tables + n - 1, 1, err);
        if (!app->admin) return false;
    }
    const char *host = sluice_map_get(&app->props, "rest.advertised.host.name");
    const char *port = sluice_map_get(&app->props, "rest.advertised.port");
    const char *address = sluice_server_address(app->server), *colon = strrchr(address, ':');
    assert(colon);
    char *id = sluice_xasprintf("%.*s:%s", (int)(host ? strlen(host) : (size_t)(colon - address)),
                                host ? host : address, port ? port : colon + 1);
    sluice_worker_set_id(app->worker, id);
    free(id);
    return true;
}

bool sluice_app_start(struct sluice_app *app, const char *path, struct sluice_signals *signals,
                      struct sluice_err *err)
{
    if (!load_props(app, path, err)) return false;
    app->offsets =
        sluice_offset_file_new(sluice_map_get(&app->props, "offset.storage.file.filename"), err);
    if (!app->offsets) return false;
    app->worker = sluice_worker_new(&app->props, app->registry, app->variables, app->offsets, err);
    if (!app->worker) return false;
    atomic_store(&signals->graceful_ms,
                 sluice_worker_num(app->worker, "task.shutdown.graceful.timeout.ms"));
    app->herder = sluice_standalone_new(app->worker, app->offsets, err);
    return app->herder && serve(app, err);
}

bool sluice_app_stop(struct sluice_app *app)
{
    if (app->server) sluice_server_quiesce(app->server);
    if (app->admin) sluice_server_quiesce(app->admin);
    bool clean = true;
    if (app->herder) {
        clean = app->herder->ops->stop(
            app->herder, sluice_worker_num(app->worker, "task.shutdown.graceful.timeout.ms"));
    }
    if (app->admin) clean &= sluice_server_stop(app->admin, REST_DRAIN_MS);
    if (app->server) clean &= sluice_server_stop(app->server, REST_DRAIN_MS);
    if (!clean) return false;
    sluice_server_free(app->admin);
    sluice_server_free(app->server);
    if (app->herder) app->herder->ops->free(app->herder);
    sluice_worker_free(app->worker);
    sluice_offset_store_free(app->offsets);
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
