/* body.c - JSON bodies, refused in the words that Connect's clients and tests look for. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "rest/rest.h"

json_t *sluice_body_json(const struct sluice_request *req, struct sluice_answer *answer)
{
    if (!req->body) {
        sluice_answer_error(answer, 500,
                            "No content to map due to end-of-input: the request has "
                            "no body");
        return NULL;
    }
    json_error_t error;
    json_t *json = json_loadb(req->body, req->body_len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!json) {
        sluice_answer_error(answer, 500,
                            "Unexpected character or end of input in the JSON body: %s (line %d, "
                            "column %d)",
                            error.text, error.line, error.column);
    }
    return json;
}

static const char *token(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT: return "Object value (token `JsonToken.START_OBJECT`)";
    case JSON_ARRAY: return "Array value (token `JsonToken.START_ARRAY`)";
    case JSON_STRING: return "String value (token `JsonToken.VALUE_STRING`)";
    case JSON_TRUE:
    case JSON_FALSE: return "Boolean value";
    case JSON_NULL: return "null";
    default: return "Number value";
    }
}

bool sluice_config_json(const json_t *json, struct sluice_map *config, struct sluice_answer *answer)
{
    if (!json_is_object(json)) {
        sluice_answer_error(answer, 500,
                            "Cannot deserialize value of type `java.util.LinkedHashMap` from %s: a "
                            "connector config is a flat JSON object",
                            json ? token(json) : "nothing");
        return false;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        if (!json_is_object(value) && !json_is_array(value)) continue;
        sluice_answer_error(answer, 500,
                            "Cannot deserialize value of type `java.lang.String` from %s: the "
                            "value of \"%s\" must be a string, number, boolean or null",
                            token(value), key);
        return false;
    }
    struct sluice_err err = {{0}};
    if (sluice_json_to_map(json, config, &err)) return true;
    sluice_answer_error(answer, 500, "Cannot deserialize value of type `java.lang.String`: %s",
                        err.msg);
    return false;
}

bool sluice_query_flag(const struct sluice_request *req, const char *name)
{
    const char *value = sluice_map_get(&req->query, name);
    return value && strcasecmp(value, "true") == 0;
}
