/* arg_value.c - JSON of a schema (numbers of properties, options) as checked values. */
#include "arg.h"

#include <float.h>

bool arg_whole(const json_t *object, const char *field, const char *prop, bool narrow, bool *given,
               int64_t *out, struct sluice_err *err)
{
    const json_t *json = json_object_get(object, field);
    *given = json && !json_is_null(json);
    if (!*given) return true;
    if (!json_is_integer(json)) {
        return datagen_fail(err, "'%s' field of %s property must be an integral number", field,
                            prop);
    }
    *out = json_integer_value(json);
    if (narrow && (*out < INT32_MIN || *out > INT32_MAX)) {
        return datagen_fail(err, "'%s' field of %s property must be a valid int for int schemas",
                            field, prop);
    }
    return true;
}

bool arg_real(const json_t *object, const char *field, const char *prop, bool narrow, bool *given,
              double *out, struct sluice_err *err)
{
    const json_t *json = json_object_get(object, field);
    *given = json && !json_is_null(json);
    if (!*given) return true;
    if (!json_is_number(json)) {
        return datagen_fail(err, "'%s' field of %s property must be a number", field, prop);
    }
    *out = json_number_value(json);
    if (narrow && (*out > FLT_MAX || *out < -FLT_MAX)) {
        return datagen_fail(err,
                            "'%s' field of %s property must be a valid float for float "
                            "schemas",
                            field, prop);
    }
    if (narrow) *out = (double)(float)*out;
    return true;
}

static bool bad(const struct avro_type *type, const json_t *json, struct sluice_err *err)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    datagen_fail(err, "Invalid option for %s schema: value '%.200s'", avro_kind_name(type->kind),
                 text ? text : "?");
    free(text);
    return false;
}

static bool value_union(struct datagen_arena *arena, const struct avro_type *type,
                        const json_t *json, struct sluice_value *out, struct sluice_err *err)
{
    bool plain = avro_nullable(type) || type->len == 1;
    uint32_t fields = 0, slot = 0;
    for (size_t i = 0; i < type->len; i++) fields += type->branches[i]->kind != AVRO_NULL;
    for (size_t i = 0; i < type->len; i++) {
        bool null = type->branches[i]->kind == AVRO_NULL;
        if (arg_value(arena, type->branches[i], json, out, err)) {
            if (plain || null) return true;
            struct sluice_value *values = datagen_alloc(arena, fields * sizeof(*values));
            values[slot] = *out;
            *out = sluice_nested(SLUICE_STRUCT, values, fields);
            return true;
        }
        slot += !null;
    }
    return bad(type, json, err);
}

static bool value_record(struct datagen_arena *arena, const struct avro_type *type,
                         const json_t *json, struct sluice_value *out, struct sluice_err *err)
{
    if (!json_is_object(json)) return bad(type, json, err);
    struct sluice_value *values = datagen_alloc(arena, (type->len + 1) * sizeof(*values));
    for (size_t i = 0; i < type->len; i++) {
        const struct avro_field *field = &type->fields[i];
        const json_t *item = json_object_get(json, field->name);
        if (!item) item = field->dflt;
        if (!item) {
            return datagen_fail(err,
                                "Invalid option for record %.200s: Field %.200s not set and "
                                "has no default value",
                                type->fullname, field->name);
        }
        if (!arg_value(arena, field->type, item, &values[i], err)) return false;
    }
    *out = sluice_nested(SLUICE_STRUCT, values, type->len);
    return true;
}

static bool value_many(struct datagen_arena *arena, const struct avro_type *type,
                       const json_t *json, struct sluice_value *out, struct sluice_err *err)
{
    bool map = type->kind == AVRO_MAP;
    if (map ? !json_is_object(json) : !json_is_array(json)) return bad(type, json, err);
    size_t n = map ? json_object_size(json) : json_array_size(json), at = 0;
    struct sluice_value *values = datagen_alloc(arena, (2 * n + 1) * sizeof(*values));
    const char *key;
    json_t *item;
    if (map) {
        json_object_foreach((json_t *)json, key, item)
        {
            values[at++] = sluice_string(key, strlen(key));
            if (!arg_value(arena, type->elem, item, &values[at++], err)) return false;
        }
    } else {
        for (; at < n; at++) {
            item = json_array_get(json, at);
            if (!arg_value(arena, type->elem, item, &values[at], err)) return false;
        }
    }
    *out = sluice_nested(map ? SLUICE_MAP : SLUICE_ARRAY, values, n);
    return true;
}

static bool value_enum(const struct avro_type *type, const json_t *json, struct sluice_value *out,
                       struct sluice_err *err)
{
    const char *s = json_string_value(json);
    for (size_t i = 0; s && i < type->len; i++) {
        if (strcmp(type->symbols[i], s) != 0) continue;
        *out = sluice_string(s, strlen(s));
        return true;
    }
    return bad(type, json, err);
}

static bool value_number(const struct avro_type *type, const json_t *json, struct sluice_value *out,
                         struct sluice_err *err)
{
    if (type->kind == AVRO_FLOAT || type->kind == AVRO_DOUBLE) {
        if (!json_is_number(json)) return bad(type, json, err);
        double v = json_number_value(json);
        *out = sluice_float64(type->kind == AVRO_FLOAT ? (double)(float)v : v);
        if (type->kind == AVRO_FLOAT) out->type = SLUICE_FLOAT32;
        return true;
    }
    int64_t v = json_integer_value(json);
    bool fits = type->kind == AVRO_LONG || (v >= INT32_MIN && v <= INT32_MAX);
    if (!json_is_integer(json) || !fits) return bad(type, json, err);
    *out = type->kind == AVRO_INT ? sluice_int32(v) : sluice_int64(v);
    return true;
}

bool arg_value(struct datagen_arena *arena, const struct avro_type *type, const json_t *json,
               struct sluice_value *out, struct sluice_err *err)
{
    const char *s = json_string_value(json);
    size_t len = json_string_length(json);
    switch (type->kind) {
    case AVRO_NULL: *out = sluice_null(); return json_is_null(json) || bad(type, json, err);
    case AVRO_BOOLEAN:
        *out = sluice_bool(json_is_true(json));
        return json_is_boolean(json) || bad(type, json, err);
    case AVRO_STRING:
    case AVRO_BYTES:
        *out = type->kind == AVRO_STRING ? sluice_string(s, len) : sluice_bytes(s, len);
        return s || bad(type, json, err);
    case AVRO_FIXED:
        *out = sluice_bytes(s, len);
        return (s && len == type->len) || bad(type, json, err);
    case AVRO_ENUM: return value_enum(type, json, out, err);
    case AVRO_RECORD: return value_record(arena, type, json, out, err);
    case AVRO_ARRAY:
    case AVRO_MAP: return value_many(arena, type, json, out, err);
    case AVRO_UNION: return value_union(arena, type, json, out, err);
    default: return value_number(type, json, out, err);
    }
}
