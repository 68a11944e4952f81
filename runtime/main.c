/* main.c - the command line, what the whole process needs once, and the order of start and stop.
 *
 * Start: signals blocked, libraries initialised, then registry, offset store, worker, herder, REST,
 * connectors. Stop: the other way round, REST first. Exit codes: 0 a clean end, 1 usage or an end
 * that was not clean, 2 the worker could not start, 3 a connector of the command line could not.
 * Threads: main's own, which waits; one for signals, which is also the watchdog of the shutdown. */
#include <assert.h>
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/props.h"
#include "base/thread.h"
#include "herder/herder.h"
#include "kafka/client.h"
#include "plugin/docs.h"
#include "plugin/load.h"
#include "providers/providers.h"
#include "providers/variables.h"
#include "rest/rest.h"
#include "rest/server.h"
#include "store/offset_store.h"
#include "worker/worker.h"

#ifdef SLUICE_JEMALLOC
/* Read by jemalloc at start. One arena: what one thread frees is what another wants next; the
 * threads' own caches keep them apart. Unused pages go back after a second. */
extern const char *malloc_conf __attribute__((visibility("default")));
const char *malloc_conf = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0";
#endif

#define EXIT_USAGE 1
#define EXIT_UNCLEAN 1
#define EXIT_START 2
#define EXIT_CONNECTOR 3

#define CONNECTOR_FILE_MAX ((size_t)1 << 20)
#define SHUTDOWN_MARGIN_MS 5000 /* on top of what tasks are given */
#define REST_DRAIN_MS 2000

static const char usage[] =
    "usage: sluice standalone worker.properties [connector.properties|connector.json ...]\n"
    "       sluice config-docs\n"
    "       sluice --version | --help\n"
    "\n"
    "Runs Kafka Connect connectors in one process. worker.properties holds the names that Kafka\n"
    "Connect's standalone worker knows; a connector file is a .properties file with a name, a "
    "flat\n"
    "JSON object with a name, or a create request {\"name\", \"config\", \"initial_state\"}.\n"
    "Connectors come and go over the REST API too, http://localhost:8083 unless listeners says\n"
    "otherwise. SIGTERM drains and ends; a second one ends at once. config-docs prints every\n"
    "property of worker, connectors and installed plugins as Markdown.\n"
    "\n"
    "exit codes: 0 ended by a signal, cleanly; 1 wrong usage, or ended before all was drained;\n"
    "2 the worker could not start; 3 a connector of the command line could not.\n";

/* ---- signals ---- */

struct signals {
    pthread_t thread;
    struct sluice_wake asked; /* readable: time to stop */
    _Atomic int64_t graceful_ms;
    bool started;
};

static void signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGUSR2); /* main to the thread: all is done */
}

/* The first signal asks main to stop; the second, or a shutdown that takes too long, ends it. */
static void *run_signals(void *arg)
{
    struct signals *signals = arg;
    sigset_t set;
    signal_set(&set);
    int got = 0;
    while (sigwait(&set, &got) != 0) {
    }
    if (got == SIGUSR2) return NULL;
    sluice_log(SLUICE_INFO, NULL, -1, "SIG%s: stopping; a second signal ends at once",
               sigabbrev_np(got));
    sluice_wake_up(&signals->asked);
    int64_t limit_ms = atomic_load(&signals->graceful_ms) + SHUTDOWN_MARGIN_MS;
    struct timespec limit = {limit_ms / 1000, limit_ms % 1000 * 1000000};
    got = sigtimedwait(&set, NULL, &limit);
    if (got == SIGUSR2) return NULL;
    sluice_log(SLUICE_ERROR, NULL, -1,
               got > 0 ? "a second signal: ending at once"
                       : "the shutdown took too long: ending at once");
    _exit(EXIT_UNCLEAN);
}

static bool signals_start(struct signals *signals, struct sluice_err *err)
{
    sigset_t set;
    signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* every thread inherits this */
    signal(SIGPIPE, SIG_IGN);
    sluice_wake_init(&signals->asked);
    atomic_store(&signals->graceful_ms, 5000);
    signals->started = sluice_thread_start(&signals->thread, "signals", run_signals, signals, err);
    return signals->started;
}

static void signals_end(struct signals *signals)
{
    if (signals->started) {
        pthread_kill(signals->thread, SIGUSR2);
        pthread_join(signals->thread, NULL);
    }
    sluice_wake_fini(&signals->asked);
}

/* ---- worker properties ---- */

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

/* ---- connectors of the command line ---- */

struct given {
    char *name;
    struct sluice_map config;
    enum sluice_target initial;
};

static bool given_target(const json_t *state, struct given *given, struct sluice_err *err)
{
    const char *word = json_string_value(state);
    if (!state) return true;
    if (word && strcasecmp(word, "RUNNING") == 0) given->initial = SLUICE_TARGET_STARTED;
    else if (word && strcasecmp(word, "PAUSED") == 0) given->initial = SLUICE_TARGET_PAUSED;
    else if (word && strcasecmp(word, "STOPPED") == 0) given->initial = SLUICE_TARGET_STOPPED;
    else return sluice_err_set(err, "initial_state must be RUNNING, PAUSED or STOPPED");
    return true;
}

static bool given_json(const char *text, size_t len, struct given *given, struct sluice_err *err)
{
    json_error_t error;
    json_t *json = json_loadb(text, len, 0, &error);
    if (!json) {
        return sluice_err_set(err, "line %d, column %d: %s", error.line, error.column, error.text);
    }
    const json_t *config = json, *inner = json_object_get(json, "config");
    bool ok = true;
    if (json_is_object(inner)) { /* a create request */
        config = inner;
        ok = given_target(json_object_get(json, "initial_state"), given, err);
        given->name = sluice_xstrdup(json_string_value(json_object_get(json, "name")));
    }
    if (ok && !json_is_object(config)) ok = sluice_err_set(err, "it holds no JSON object");
    ok = ok && sluice_json_to_map(config, &given->config, err);
    json_decref(json);
    return ok;
}

static bool given_load(const char *path, struct given *given, struct sluice_err *err)
{
    size_t len;
    char *text = sluice_file_read(path, CONNECTOR_FILE_MAX, &len, err);
    if (!text) return false; /* err names the path */
    bool is_json = text[strspn(text, " \t\r\n")] == '{';
    bool ok = is_json ? given_json(text, len, given, err)
                      : sluice_props_parse(&given->config, text, len, err);
    free(text);
    if (ok && !given->name) given->name = sluice_xstrdup(sluice_map_get(&given->config, "name"));
    if (ok && (!given->name || !*given->name)) ok = sluice_err_set(err, "it has no name");
    if (!ok) sluice_err_wrap(err, "reading connector file %s", path);
    return ok;
}

static bool create_one(struct sluice_herder *herder, const char *path, struct sluice_err *err)
{
    struct given given = {.initial = SLUICE_TARGET_STARTED};
    bool ok = given_load(path, &given, err);
    if (ok) {
        struct sluice_answer answer = {0};
        char *name = sluice_connector_name_trim(given.name);
        herder->ops->create(herder, name, &given.config, given.initial, &answer);
        ok = answer.status < 300;
        if (!ok) {
            const char *why = json_string_value(json_object_get(answer.body, "message"));
            sluice_err_set(err, "creating connector %s of %s failed: %s", name, path,
                           why ? why : "no reason given");
        }
        sluice_answer_fini(&answer);
    }
    free(given.name);
    sluice_map_fini(&given.config);
    return ok;
}

/* ---- the worker ---- */

struct sluice {
    struct sluice_map props;
    struct sluice_registry *registry;
    struct sluice_variables *variables;
    struct sluice_offset_store *offsets;
    struct sluice_worker *worker;
    struct sluice_herder *herder;
    struct sluice_rest rest;
    struct sluice_server *server, *admin;
};

static bool serve(struct sluice *app, struct sluice_err *err)
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

static struct sluice_registry *make_registry(const char *plugin_path)
{
    struct sluice_registry *registry = sluice_registry_new();
    sluice_providers_register(registry);
    sluice_load_path(registry, plugin_path);
    return registry;
}

/* The worker's properties, with what their variables stand for. A provider may be a plugin, so that
 * plugin.path and config.providers are taken as they are. */
static bool load_props(struct sluice *app, const char *path, struct sluice_err *err)
{
    struct sluice_map raw = {0};
    struct sluice_report report = {0};
    bool ok = sluice_props_load(&raw, path, err);
    if (ok) {
        app->registry = make_registry(sluice_map_get(&raw, "plugin.path"));
        app->variables = sluice_variables_new(&raw, app->registry, err);
        ok = app->variables != NULL;
    }
    if (ok && !sluice_variables_resolve(app->variables, &raw, &app->props, NULL, &report))
        ok = sluice_err_set(err, "%s: %s", path, report.items[0].message);
    sluice_report_fini(&report);
    sluice_map_fini(&raw);
    return ok && check_props(&app->props, path, err);
}

static bool start(struct sluice *app, const char *path, struct sluice_err *err)
{
    if (!load_props(app, path, err)) return false;
    app->offsets =
        sluice_offset_file_new(sluice_map_get(&app->props, "offset.storage.file.filename"), err);
    if (!app->offsets) return false;
    app->worker = sluice_worker_new(&app->props, app->registry, app->variables, app->offsets, err);
    if (!app->worker) return false;
    app->herder = sluice_standalone_new(app->worker, app->offsets, err);
    return app->herder && serve(app, err);
}

/* False: something still runs and uses what would be freed. */
static bool stop(struct sluice *app)
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

/* Milliseconds since exec, as exact as the kernel keeps it (10 ms). */
static long since_exec_ms(void)
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

static int standalone(int n, char **paths)
{
    struct sluice app = {0};
    struct signals signals = {0};
    struct sluice_err err = {{0}};
    int code = EXIT_START;
    if (!signals_start(&signals, &err) || !start(&app, paths[0], &err)) goto out;
    atomic_store(&signals.graceful_ms,
                 sluice_worker_num(app.worker, "task.shutdown.graceful.timeout.ms"));
    code = EXIT_CONNECTOR;
    for (int i = 1; i < n; i++) {
        if (sluice_wake_wait(&signals.asked, 0)) break;
        if (!create_one(app.herder, paths[i], &err)) goto out;
    }
    app.herder->ops->ready(app.herder);
    sluice_log(SLUICE_INFO, NULL, -1,
               "sluice started version=" SLUICE_VERSION " url=%s connectors=%d ms_since_exec=%ld",
               sluice_server_url(app.server), n - 1, since_exec_ms());
    sluice_wake_wait(&signals.asked, -1);
    code = EXIT_SUCCESS;
out:
    if (code) sluice_log(SLUICE_ERROR, NULL, -1, "%s", err.msg);
    if (!stop(&app)) _exit(code ? code : EXIT_UNCLEAN); /* what still runs must not see exit() */
    signals_end(&signals);
    if (code == EXIT_SUCCESS) sluice_log(SLUICE_INFO, NULL, -1, "sluice stopped");
    return code;
}

static int config_docs(void)
{
    const struct sluice_docs_table tables[] = {
        {"Worker", "Properties of the worker's own file.", sluice_worker_options()},
        {"Every source connector", "Keys that every source connector knows besides its own.",
         sluice_connector_options(SLUICE_KIND_SOURCE)},
        {"Every sink connector", "Keys that every sink connector knows besides its own.",
         sluice_connector_options(SLUICE_KIND_SINK)},
    };
    struct sluice_registry *registry = make_registry(NULL);
    sluice_docs_print(registry, tables, sizeof tables / sizeof *tables, stdout);
    fputs("\n## Kafka client properties\n\nWhat becomes of the properties of Kafka's own clients "
          "under `producer.`, `consumer.` and\n`admin.` of the worker and under `*.override.` of a "
          "connector; librdkafka's names are accepted too.\n",
          stdout);
    sluice_client_docs(stdout);
    sluice_registry_free(registry);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "--version") == 0) {
        printf("sluice %s\n", SLUICE_VERSION);
        return EXIT_SUCCESS;
    }
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(command, "config-docs") == 0 || strcmp(command, "--config-docs") == 0)
        return config_docs();
    if (strcmp(command, "standalone") == 0 && argc > 2) return standalone(argc - 2, argv + 2);
    if (strcmp(command, "standalone") == 0) {
        fputs("sluice: standalone needs a file of worker properties\n\n", stderr);
    } else if (*command) {
        fprintf(stderr, "sluice: no such command: %s\n\n", command);
    }
    fputs(usage, stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    OPENSSL_init_ssl(0, NULL);
    json_object_seed(0);
    int code = run(argc, argv);
    curl_global_cleanup();
    return code;
}
