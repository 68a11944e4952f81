/* admin.c - /admin/loggers: the names and levels of base/loggers.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/loggers.h"
#include "rest/rest.h"

static json_t *logger_json(const struct sluice_logger *logger)
{
    json_t *json = json_object();
    json_object_set_new(json, "level", json_string(logger->level));
    json_object_set_new(json, "last_modified",
                        logger->modified_ms < 0 ? json_null() : json_integer(logger->modified_ms));
    return json;
}

/* ---- what loggers.h calls back ---- */

static void into_object(void *arg, const struct sluice_logger *logger)
{
    json_object_set_new(arg, logger->name, logger_json(logger));
}

static void into_answer(void *arg, const struct sluice_logger *logger)
{
    sluice_answer_json(arg, 200, logger_json(logger));
}

static void into_array(void *arg, const struct sluice_logger *logger)
{
    json_array_append_new(arg, sluice_json_safe(logger->name));
}

/* ---- handlers ---- */

/* Plugins' classes are loggers that nobody has to set first. */
static void know_plugins(const struct sluice_rest *rest)
{
    const struct sluice_registry *registry = sluice_worker_registry(rest->worker);
    const struct sluice_plugin *plugin;
    for (size_t i = 0; (plugin = sluice_registry_at(registry, i)); i++) {
        if (plugin->kind == SLUICE_KIND_SOURCE || plugin->kind == SLUICE_KIND_SINK)
            sluice_logger_know(sluice_plugin_class(plugin));
    }
}

static void get_loggers(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)req;
    know_plugins(arg);
    json_t *body = json_object();
    sluice_loggers_list(into_object, body);
    sluice_answer_json(answer, 200, body);
}

static void get_logger(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    know_plugins(arg);
    if (!sluice_logger_get(req->params[0], into_answer, answer))
        sluice_answer_error(answer, 404, "Logger %s not found.", req->params[0]);
}

/* A cluster's setting is a record that every worker reads, this one too; where there is only one
 * worker the herder has nothing to say. */
static bool set_for_cluster(const struct sluice_rest *rest, const char *name, const char *level,
                            struct sluice_answer *answer)
{
    rest->herder->ops->log_level(rest->herder, name, level, answer);
    return answer->status != 0 || answer->forward;
}

/* word: the level as it was given, which is what a cluster's record holds. */
static void set_logger(const struct sluice_rest *rest, const struct sluice_request *req,
                       const char *word, const char *level, struct sluice_answer *answer)
{
    const char *name = req->params[0], *scope = sluice_map_get(&req->query, "scope");
    bool cluster = scope && strcasecmp(scope, "cluster") == 0;
    if (cluster && set_for_cluster(rest, name, word, answer)) return;
    know_plugins(rest);
    json_t *affected = json_array();
    if (!sluice_logger_set(name, level, into_array, affected)) {
        json_decref(affected);
        sluice_answer_error(answer, 400,
                            "Logger %.40s cannot be kept: there are %d already, or its name is too "
                            "long",
                            name, SLUICE_LOGGERS_MAX);
        return;
    }
    sluice_log(SLUICE_INFO, NULL, -1, "level of logger %s and those below it: %s", name, level);
    if (!cluster) {
        sluice_answer_json(answer, 200, affected);
    } else {
        json_decref(affected);
        sluice_answer_json(answer, 204, NULL);
    }
}

static void put_logger(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    json_t *json = sluice_body_json(req, answer);
    if (!json) return;
    const char *word = json_string_value(json_object_get(json, "level"));
    const char *level = word ? sluice_logger_level(word) : NULL;
    if (!word) {
        sluice_answer_error(answer, 400, "Desired 'level' parameter was not specified in request.");
    } else if (!level) {
        sluice_answer_error(answer, 404, "invalid log level '%s'.", word);
    } else {
        set_logger(arg, req, word, level, answer);
    }
    json_decref(json);
}

const struct sluice_route sluice_admin_routes[] = {
    {"GET", "/admin/loggers", 0, get_loggers},
    {"GET", "/admin/loggers/{}", 0, get_logger},
    {"PUT", "/admin/loggers/{}", SLUICE_ROUTE_WAITS, put_logger},
    {0},
};
