/* plugins.c - /connector-plugins: what is installed, its options, and whether a config is right. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugin/version_range.h"
#include "rest/config_infos.h"
#include "rest/rest.h"

#define CONNECTOR_KINDS ((1u << SLUICE_KIND_SOURCE) | (1u << SLUICE_KIND_SINK))

static const char *type_name(enum sluice_kind kind)
{
    switch (kind) {
    case SLUICE_KIND_SOURCE: return "source";
    case SLUICE_KIND_SINK: return "sink";
    case SLUICE_KIND_TRANSFORM: return "transformation";
    case SLUICE_KIND_PREDICATE: return "predicate";
    case SLUICE_KIND_CONVERTER: return "converter";
    case SLUICE_KIND_HEADER_CONVERTER: return "header_converter";
    case SLUICE_KIND_CONFIG_PROVIDER: break;
    }
    return NULL; /* not listed by Connect */
}

static void get_plugins(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    const struct sluice_rest *rest = arg;
    const char *only = sluice_map_get(&req->query, "connectorsOnly");
    bool all = only && !sluice_query_flag(req, "connectorsOnly");
    const struct sluice_registry *registry = sluice_worker_registry(rest->worker);
    const struct sluice_plugin *plugin;
    json_t *body = json_array();
    for (size_t i = 0; (plugin = sluice_registry_at(registry, i)); i++) {
        if (!type_name(plugin->kind)) continue;
        if (!all && !(CONNECTOR_KINDS & (1u << plugin->kind))) continue;
        json_t *one = json_object();
        json_object_set_new(one, "class", sluice_json_safe(sluice_plugin_class(plugin)));
        json_object_set_new(one, "type", json_string(type_name(plugin->kind)));
        json_object_set_new(one, "version", sluice_json_safe(plugin->version));
        json_array_append_new(body, one);
    }
    sluice_answer_json(answer, 200, body);
}

/* KIP-891: there is one version of each plugin here, and it may not be the one that is wanted. */
static bool right_version(const struct sluice_plugin *plugin, const char *range,
                          struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    if (sluice_version_fits(plugin, range, &err)) return true;
    sluice_answer_error(answer, 400, "%s", err.msg);
    return false;
}

static void get_plugin_config(void *arg, const struct sluice_request *req,
                              struct sluice_answer *answer)
{
    const struct sluice_rest *rest = arg;
    const char *name = req->params[0];
    const struct sluice_plugin *plugin =
        sluice_registry_find(sluice_worker_registry(rest->worker), ~0u, name, NULL);
    if (!plugin) {
        sluice_answer_error(answer, 404, "Unknown plugin %s.", name);
    } else if (!type_name(plugin->kind)) {
        sluice_answer_error(answer, 400,
                            "Invalid plugin class %s. Valid types are sink, source, converter, "
                            "header_converter, transformation, predicate.",
                            name);
    } else if (right_version(plugin, sluice_map_get(&req->query, "version"), answer)) {
        sluice_answer_json(answer, 200, sluice_plugin_definitions(plugin));
    }
}

/* Length of a class name without the suffix that aliases may leave out. */
static size_t bare_length(const char *name)
{
    static const char suffix[] = "Connector";
    size_t len = strlen(name), cut = sizeof suffix - 1;
    return len > cut && strcmp(name + len - cut, suffix) == 0 ? len - cut : len;
}

/* Whether the class of the body is the plugin of the path: the same plugin, or by Connect's rule
 * the same end of the name. */
static bool same_plugin(const struct sluice_registry *registry, const char *given, const char *path)
{
    const struct sluice_plugin *a = sluice_registry_find(registry, CONNECTOR_KINDS, given, NULL);
    const struct sluice_plugin *b = sluice_registry_find(registry, CONNECTOR_KINDS, path, NULL);
    if (a && a == b) return true;
    size_t given_len = bare_length(given), path_len = bare_length(path);
    return given_len >= path_len && strncmp(given + given_len - path_len, path, path_len) == 0;
}

static void validate(const struct sluice_rest *rest, const char *path,
                     const struct sluice_map *config, struct sluice_answer *answer)
{
    const struct sluice_registry *registry = sluice_worker_registry(rest->worker);
    const char *given = sluice_map_get(config, "connector.class");
    if (given && !same_plugin(registry, given, path)) {
        sluice_answer_error(
            answer, 400, "Included connector type %s does not match request type %s", given, path);
        return;
    }
    struct sluice_report report = {0};
    const struct sluice_plugin *plugin;
    char *text = NULL;
    if (sluice_config_findings(rest->worker, config, &plugin, &report, &text)) {
        sluice_answer_json(answer, 200, sluice_config_infos(registry, plugin, config, &report));
    } else {
        sluice_answer_error(answer, 500,
                            "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: %s",
                            text);
    }
    free(text);
    sluice_report_fini(&report);
}

static void put_validate(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_map config = {0};
    json_t *json = sluice_body_json(req, answer);
    if (json && sluice_config_json(json, &config, answer))
        validate(arg, req->params[0], &config, answer);
    sluice_map_fini(&config);
    json_decref(json);
}

const struct sluice_route sluice_plugin_routes[] = {
    {"GET", "/connector-plugins", 0, get_plugins},
    {"GET", "/connector-plugins/{}/config", 0, get_plugin_config},
    {"PUT", "/connector-plugins/{}/config/validate", SLUICE_ROUTE_WAITS, put_validate},
    {0},
};
