/* The served description of the API and the route tables say the same. */
#include "rest_test.h"

#include "rest/rest.h"

static const struct sluice_route *const tables[] = {sluice_root_routes,    sluice_connector_routes,
                                                    sluice_plugin_routes,  sluice_admin_routes,
                                                    sluice_metrics_routes, sluice_openapi_routes};
#define TABLES (sizeof tables / sizeof *tables)

/* "/a/{name}/b" as a route has it: "/a/{}/b". Owned. */
static char *pattern_of(const char *path)
{
    char *text = sluice_xstrdup(path), *to = text;
    for (const char *c = path; *c; c++) {
        *to++ = *c;
        if (*c == '{') c += strcspn(c, "}") - 1;
    }
    *to = '\0';
    return text;
}

static const struct sluice_route *route_of(const char *method, const char *pattern)
{
    for (size_t t = 0; t < TABLES; t++) {
        for (const struct sluice_route *route = tables[t]; route->method; route++) {
            if (strcasecmp(route->method, method) == 0 && strcmp(route->path, pattern) == 0)
                return route;
        }
    }
    return NULL;
}

static json_t *description(void)
{
    struct sluice_answer answer = {0};
    struct sluice_request req = {0};
    sluice_openapi_routes[0].handle(NULL, &req, &answer);
    CHECK_INT(answer.status, 200);
    CHECK_STR(answer.type, "application/json");
    json_error_t error;
    json_t *json = json_loads(answer.text, JSON_REJECT_DUPLICATES, &error);
    if (!json) FAIL("line %d: %s", error.line, error.text);
    sluice_answer_fini(&answer);
    return json;
}

TEST(every_route_is_described_and_nothing_else)
{
    json_t *json = description(), *item, *operation;
    const char *path, *method;
    size_t described = 0, routes = 0;
    json_object_foreach(json_object_get(json, "paths"), path, item)
    {
        char *pattern = pattern_of(path);
        json_object_foreach(item, method, operation)
        {
            if (!route_of(method, pattern)) FAIL("%s %s has no route", method, path);
            described++;
        }
        free(pattern);
    }
    for (size_t t = 0; t < TABLES; t++) {
        for (const struct sluice_route *route = tables[t]; route->method; route++) routes++;
    }
    CHECK_INT((int)described, (int)routes); /* each once: paths are members of an object */
    json_decref(json);
}

/* Every $ref leads somewhere. */
static void check_refs(const json_t *root, const json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach((json_t *)json, key, value)
    {
        if (strcmp(key, "$ref") != 0) {
            check_refs(root, value);
            continue;
        }
        const json_t *at = root;
        char *copy = sluice_xstrdup(json_string_value(value)), *state = NULL;
        for (char *part = strtok_r(copy, "#/", &state); part; part = strtok_r(NULL, "#/", &state))
            at = json_object_get(at, part);
        if (!at) FAIL("%s leads nowhere", json_string_value(value));
        free(copy);
    }
    json_array_foreach((json_t *)json, i, value) check_refs(root, value);
}

TEST(references_lead_somewhere)
{
    json_t *json = description();
    check_refs(json, json);
    json_decref(json);
}

/* Who forwards waits for another worker: the description's parameter forward and the flag agree. */
TEST(forwarded_operations_wait)
{
    json_t *json = description(), *item, *operation, *parameter;
    const char *path, *method;
    size_t i;
    int forwarded = 0;
    json_object_foreach(json_object_get(json, "paths"), path, item)
    {
        char *pattern = pattern_of(path);
        json_object_foreach(item, method, operation)
        {
            json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
            {
                const char *name = json_string_value(json_object_get(parameter, "name"));
                if (!name || strcmp(name, "forward") != 0) continue;
                forwarded++;
                if (!(route_of(method, pattern)->flags & SLUICE_ROUTE_WAITS))
                    FAIL("%s %s forwards and does not wait", method, path);
            }
        }
        free(pattern);
    }
    CHECK(forwarded >= 11);
    json_decref(json);
}
