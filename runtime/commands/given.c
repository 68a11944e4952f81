/* given.c - see given.h. Owner: main's thread. */
#include "commands/given.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/props.h"

#define CONNECTOR_FILE_MAX ((size_t)1 << 20)

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

bool sluice_given_create(struct sluice_herder *herder, const char *path, struct sluice_err *err)
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
