/* connectors.c - /connectors: from HTTP to the herder and back. Only the shape of requests is
 * checked here; what a connector's config means is the herder's business. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/progress.h"
#include "rest/rest.h"

static struct sluice_herder *herder_of(void *arg) { return ((struct sluice_rest *)arg)->herder; }

/* ---- the list ---- */

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',') {
        if (strncasecmp(at, word, len) == 0 && (at[len] == ',' || !at[len])) return true;
    }
    return false;
}

static void get_connectors(void *arg, const struct sluice_request *req,
                           struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    bool status = has_word(req->expand, "status"), info = has_word(req->expand, "info");
    herder->ops->list(herder, status, info, answer);
    if (!req->expand || status || info || !json_is_array(answer->body)) return;
    json_t *expanded = json_object(); /* by something unknown: the expanded form, with nothing */
    size_t i;
    json_t *name;
    json_array_foreach(answer->body, i, name)
        json_object_set_new(expanded, json_string_value(name), json_object());
    json_decref(answer->body);
    answer->body = expanded;
}

static bool initial_target(const json_t *json, enum sluice_target *target,
                           struct sluice_answer *answer)
{
    *target = SLUICE_TARGET_STARTED;
    if (!json || json_is_null(json)) return true;
    const char *word = json_string_value(json);
    if (word && strcasecmp(word, "RUNNING") == 0) return true;
    if (word && strcasecmp(word, "PAUSED") == 0) *target = SLUICE_TARGET_PAUSED;
    else if (word && strcasecmp(word, "STOPPED") == 0) *target = SLUICE_TARGET_STOPPED;
    else {
        sluice_answer_error(answer, 500,
                            "Cannot construct instance of `InitialState`, problem: no enum "
                            "constant %s; initial_state is RUNNING, PAUSED or STOPPED",
                            word ? word : "of another type");
        return false;
    }
    return true;
}

/* The members of a create request; false: answer is the 500. */
static bool create_request(const json_t *json, char **name, struct sluice_map *config,
                           enum sluice_target *initial, struct sluice_answer *answer)
{
    if (!json_is_object(json)) {
        sluice_answer_error(answer, 500,
                            "Cannot deserialize value of type `CreateConnectorRequest`"
                            ": the body is not a JSON object");
        return false;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        if (strcmp(key, "name") && strcmp(key, "config") && strcmp(key, "initial_state")) {
            sluice_answer_error(answer, 500,
                                "Unrecognized field \"%s\" (class CreateConnectorRequest), not "
                                "marked as ignorable (3 known properties: \"name\", \"config\", "
                                "\"initial_state\")",
                                key);
            return false;
        }
    }
    if (!initial_target(json_object_get(json, "initial_state"), initial, answer)) return false;
    if (!sluice_config_json(json_object_get(json, "config"), config, answer)) return false;
    const char *given = json_string_value(json_object_get(json, "name"));
    if (!given) given = sluice_map_get(config, "name"); /* as Connect does */
    *name = sluice_xstrdup(given ? given : "");
    return true;
}

static void post_connectors(void *arg, const struct sluice_request *req,
                            struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    struct sluice_map config = {0};
    enum sluice_target initial;
    char *name = NULL;
    json_t *json = sluice_body_json(req, answer);
    if (json && create_request(json, &name, &config, &initial, answer))
        herder->ops->create(herder, sluice_connector_name_trim(name), &config, initial, answer);
    free(name);
    sluice_map_fini(&config);
    json_decref(json);
}

/* ---- one connector ---- */

static void get_connector(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->info(herder, req->params[0], answer);
}

static void delete_connector(void *arg, const struct sluice_request *req,
                             struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->remove(herder, req->params[0], answer);
}

static void get_config(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->config(herder, req->params[0], answer);
}

static void put_config(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    struct sluice_map config = {0};
    json_t *json = sluice_body_json(req, answer);
    if (json && sluice_config_json(json, &config, answer))
        herder->ops->put_config(herder, req->params[0], &config, answer);
    sluice_map_fini(&config);
    json_decref(json);
}

static void patch_config(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    struct sluice_map patch = {0};
    json_t *json = sluice_body_json(req, answer);
    if (json && sluice_config_json(json, &patch, answer))
        herder->ops->patch_config(herder, req->params[0], &patch, answer);
    sluice_map_fini(&patch);
    json_decref(json);
}

/* Connect's states have no place for it, and clients may refuse members that they do not know:
 * only who asks for it (?expand=progress) gets it, of tasks that run in this process. */
static void add_progress(const char *name, json_t *task)
{
    json_t *list = sluice_progress_json(name, (int)json_integer_value(json_object_get(task, "id")));
    if (json_array_size(list)) json_object_set(task, "progress", list);
    json_decref(list);
}

static void get_status(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    size_t i;
    json_t *task;
    herder->ops->status(herder, req->params[0], answer);
    if (!has_word(req->expand, "progress") || answer->status != 200) return;
    json_array_foreach(json_object_get(answer->body, "tasks"), i, task)
        add_progress(req->params[0], task);
}

static void put_pause(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->set_target(herder, req->params[0], SLUICE_TARGET_PAUSED, answer);
}

static void put_resume(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->set_target(herder, req->params[0], SLUICE_TARGET_STARTED, answer);
}

static void put_stop(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->set_target(herder, req->params[0], SLUICE_TARGET_STOPPED, answer);
}

static void post_restart(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->restart(herder, req->params[0], sluice_query_flag(req, "includeTasks"),
                         sluice_query_flag(req, "onlyFailed"), answer);
}

/* ---- tasks ---- */

static void get_tasks(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->tasks(herder, req->params[0], answer);
}

/* A path whose task is no int matches no resource. */
static bool task_number(const char *text, int *out, struct sluice_answer *answer)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (*text && !*end && !errno && number >= INT_MIN && number <= INT_MAX &&
        strspn(text, "+-0123456789") == strlen(text)) {
        *out = (int)number;
        return true;
    }
    sluice_answer_error(answer, 404, "HTTP 404 Not Found");
    return false;
}

static void get_task_status(void *arg, const struct sluice_request *req,
                            struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    int task;
    if (!task_number(req->params[1], &task, answer)) return;
    herder->ops->task_status(herder, req->params[0], task, answer);
    if (has_word(req->expand, "progress") && answer->status == 200)
        add_progress(req->params[0], answer->body);
}

static void get_task_progress(void *arg, const struct sluice_request *req,
                              struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    int task;
    if (task_number(req->params[1], &task, answer))
        herder->ops->task_progress(herder, req->params[0], task, answer);
}

static void post_task_restart(void *arg, const struct sluice_request *req,
                              struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    int task;
    if (task_number(req->params[1], &task, answer))
        herder->ops->restart_task(herder, req->params[0], task, answer);
}

/* ---- between workers ---- */

static struct sluice_signed signed_of(const struct sluice_request *req)
{
    return (struct sluice_signed){.signature = req->signature,
                                  .algorithm = req->signature_method,
                                  .body = req->body ? req->body : "",
                                  .body_len = req->body_len};
}

static void post_tasks(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    struct sluice_signed sign = signed_of(req);
    json_t *json = sluice_body_json(req, answer);
    bool ok = json != NULL;
    if (ok && !json_is_array(json)) {
        sluice_answer_error(answer, 500,
                            "Cannot deserialize value of type `java.util.ArrayList`: task configs "
                            "are an array of flat objects");
        ok = false;
    }
    for (size_t i = 0; ok && i < json_array_size(json); i++) {
        struct sluice_map config = {0};
        ok = sluice_config_json(json_array_get(json, i), &config, answer);
        sluice_map_fini(&config);
    }
    if (ok && herder->ops->put_tasks) {
        herder->ops->put_tasks(herder, req->params[0], json, &sign, answer);
    } else if (ok) {
        sluice_answer_error(answer, 500,
                            "Kafka Connect in standalone mode does not support "
                            "externally setting task configurations.");
    }
    json_decref(json);
}

static void put_fence(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    struct sluice_signed sign = signed_of(req);
    if (herder->ops->fence) herder->ops->fence(herder, req->params[0], &sign, answer);
    else
        sluice_answer_error(answer, 500,
                            "Kafka Connect in standalone mode does not support "
                            "exactly-once source connectors.");
}

/* ---- topics and offsets ---- */

static void get_topics(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->topics(herder, req->params[0], answer);
}

static void put_topics_reset(void *arg, const struct sluice_request *req,
                             struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->reset_topics(herder, req->params[0], answer);
}

static void get_offsets(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->offsets(herder, req->params[0], answer);
}

static bool offset_entry(const json_t *entry, struct sluice_answer *answer)
{
    if (!json_is_object(entry)) {
        sluice_answer_error(answer, 500,
                            "Cannot construct instance of `ConnectorOffset`: every "
                            "item of \"offsets\" is an object with \"partition\" and "
                            "\"offset\"");
        return false;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)entry, key, value)
    {
        bool known = strcmp(key, "partition") == 0 || strcmp(key, "offset") == 0;
        if (!known) {
            sluice_answer_error(answer, 500,
                                "Unrecognized field \"%s\" (class ConnectorOffset), not marked as "
                                "ignorable (2 known properties: \"partition\", \"offset\")",
                                key);
            return false;
        }
        if (!json_is_object(value) && !json_is_null(value)) {
            sluice_answer_error(answer, 500,
                                "Cannot deserialize value of type `java.util.LinkedHashMap`: "
                                "\"%s\" of an offset is an object or null",
                                key);
            return false;
        }
    }
    return true;
}

/* {"offsets":[...]}: the array, borrowed; NULL: answer says why not. */
static const json_t *offset_changes(const json_t *json, struct sluice_answer *answer)
{
    if (!json_is_object(json)) {
        sluice_answer_error(answer, 500,
                            "Cannot deserialize value of type `ConnectorOffsets`: "
                            "the body is not a JSON object");
        return NULL;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        if (strcmp(key, "offsets") == 0) continue;
        sluice_answer_error(answer, 500,
                            "Unrecognized field \"%s\" (class ConnectorOffsets), not marked as "
                            "ignorable (one known property: \"offsets\")",
                            key);
        return NULL;
    }
    const json_t *changes = json_object_get(json, "offsets");
    if (changes && !json_is_null(changes) && !json_is_array(changes)) {
        sluice_answer_error(answer, 500,
                            "Cannot deserialize value of type `java.util.ArrayList`: "
                            "\"offsets\" is an array");
        return NULL;
    }
    if (json_array_size(changes) == 0) {
        sluice_answer_error(answer, 400,
                            "Partitions / offsets need to be provided for an alter "
                            "offsets request");
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(changes); i++) {
        if (!offset_entry(json_array_get(changes, i), answer)) return NULL;
    }
    return changes;
}

static void patch_offsets(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    json_t *json = sluice_body_json(req, answer);
    const json_t *changes = json ? offset_changes(json, answer) : NULL;
    if (changes) herder->ops->alter_offsets(herder, req->params[0], changes, answer);
    json_decref(json);
}

static void delete_offsets(void *arg, const struct sluice_request *req,
                           struct sluice_answer *answer)
{
    struct sluice_herder *herder = herder_of(arg);
    herder->ops->alter_offsets(herder, req->params[0], NULL, answer);
}

#define WAITS SLUICE_ROUTE_WAITS
#define BARE SLUICE_ROUTE_BARE

const struct sluice_route sluice_connector_routes[] = {
    {"GET", "/connectors", 0, get_connectors},
    {"POST", "/connectors", WAITS, post_connectors},
    {"GET", "/connectors/{}", 0, get_connector},
    {"DELETE", "/connectors/{}", WAITS | BARE, delete_connector},
    {"GET", "/connectors/{}/config", 0, get_config},
    {"PUT", "/connectors/{}/config", WAITS, put_config},
    {"PATCH", "/connectors/{}/config", WAITS, patch_config},
    {"GET", "/connectors/{}/status", 0, get_status},
    {"PUT", "/connectors/{}/pause", WAITS | BARE, put_pause},
    {"PUT", "/connectors/{}/resume", WAITS | BARE, put_resume},
    {"PUT", "/connectors/{}/stop", WAITS | BARE, put_stop},
    {"POST", "/connectors/{}/restart", WAITS | BARE, post_restart},
    {"GET", "/connectors/{}/tasks", 0, get_tasks},
    {"POST", "/connectors/{}/tasks", WAITS, post_tasks},
    {"PUT", "/connectors/{}/fence", WAITS | BARE, put_fence},
    {"GET", "/connectors/{}/tasks/{}/status", 0, get_task_status},
    {"GET", "/connectors/{}/tasks/{}/progress", WAITS, get_task_progress},
    {"POST", "/connectors/{}/tasks/{}/restart", WAITS | BARE, post_task_restart},
    {"GET", "/connectors/{}/topics", 0, get_topics},
    {"PUT", "/connectors/{}/topics/reset", WAITS | BARE, put_topics_reset},
    {"GET", "/connectors/{}/offsets", WAITS, get_offsets},
    {"PATCH", "/connectors/{}/offsets", WAITS, patch_offsets},
    {"DELETE", "/connectors/{}/offsets", WAITS | BARE, delete_offsets},
    {0},
};
