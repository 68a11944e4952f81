/* main.c - the command line, and what the whole process needs once.
 *
 * Exit codes: 0 a clean end, 1 usage or an end that was not clean, 2 the worker could not start or
 * go on, 3 a connector of the command line could not. Threads: main's own, which waits; one for
 * signals, which is also the watchdog of the shutdown (commands/). */
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "commands/app.h"
#include "commands/given.h"
#include "ctl/ctl.h"
#include "kafka/client.h"
#include "plugin/docs.h"

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

static const char usage[] =
    "usage: sluice standalone worker.properties [connector.properties|connector.json ...]\n"
    "       sluice distributed worker.properties\n"
    "       sluice ctl COMMAND ...    (sluice ctl --help)\n"
    "       sluice config-docs\n"
    "       sluice --version | --help\n"
    "\n"
    "Runs Kafka Connect connectors: in one process, or distributed over workers that share their\n"
    "configs, states and offsets in Kafka. worker.properties holds the names that Kafka Connect's\n"
    "workers know; a connector file is a .properties file with a name, a flat\n"
    "JSON object with a name, or a create request {\"name\", \"config\", \"initial_state\"}.\n"
    "Connectors come and go over the REST API too, http://localhost:8083 unless listeners says\n"
    "otherwise. SIGTERM drains and ends; a second one ends at once. config-docs prints every\n"
    "property of worker, connectors and installed plugins as Markdown.\n"
    "\n"
    "exit codes: 0 ended by a signal, cleanly; 1 wrong usage, or ended before all was drained;\n"
    "2 the worker could not start; 3 a connector of the command line could not.\n";

/* paths: the worker's properties, then connectors (standalone only). */
static int work(bool distributed, int n, char **paths)
{
    struct sluice_app app = {.distributed = distributed};
    struct sluice_signals signals = {0};
    struct sluice_err err = {{0}};
    int code = EXIT_START;
    if (!sluice_signals_start(&signals, &err) || !sluice_app_start(&app, paths[0], &signals, &err))
        goto out;
    code = EXIT_CONNECTOR;
    for (int i = 1; i < n; i++) {
        if (sluice_wake_wait(&signals.asked, 0)) break;
        if (!sluice_given_create(app.herder, paths[i], &err)) goto out;
    }
    app.herder->ops->ready(app.herder);
    sluice_log(SLUICE_INFO, NULL, -1,
               "sluice started version=" SLUICE_VERSION
               " librdkafka=%s url=%s connectors=%d ms_since_exec=%ld",
               sluice_client_library(), sluice_frontend_local_url(app.frontend), n - 1,
               sluice_since_exec_ms());
    sluice_wake_wait(&signals.asked, -1);
    code = sluice_app_failed(&app, &err) ? EXIT_START : EXIT_SUCCESS;
out:
    if (code) sluice_log(SLUICE_ERROR, NULL, -1, "%s", err.msg);
    if (!sluice_app_stop(&app))
        _exit(code ? code : EXIT_UNCLEAN); /* what still runs must not see exit() */
    sluice_signals_end(&signals);
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
    struct sluice_registry *registry = sluice_app_registry(NULL);
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
        printf("sluice %s (librdkafka %s)\n", SLUICE_VERSION, sluice_client_library());
        return EXIT_SUCCESS;
    }
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(command, "ctl") == 0) return sluice_ctl(argc - 2, argv + 2);
    if (strcmp(command, "config-docs") == 0 || strcmp(command, "--config-docs") == 0)
        return config_docs();
    bool standalone = strcmp(command, "standalone") == 0;
    bool distributed = strcmp(command, "distributed") == 0;
    if ((standalone && argc > 2) || (distributed && argc == 3))
        return work(distributed, argc - 2, argv + 2);
    if (standalone) {
        fputs("sluice: standalone needs a file of worker properties\n\n", stderr);
    } else if (distributed) {
        fputs(
            "sluice: distributed needs one file of worker properties; connectors are created over "
            "the REST API\n\n",
            stderr);
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
