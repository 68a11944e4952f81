/* json_schema_output.c - a Connect schema as JSON Schema: types by connect.type, the places of
 * fields by connect.index, names as titles, optional as oneOf with null. */
#include <assert.h>

#include "base/err.h"
#include "data/converters/json_schema_text.h"
#include "data/decimal.h"
#include "data/json_text.h"
#include "data/schema.h"

#define ENUM_PARAM "io.confluent.connect.json.Enum"
#define OWN_PARAMS "io.confluent.connect.json"
#define SUM_ENUM_PARAM "org.apache.kafka.connect.data.Enum"
#define SUM_UNION_PARAM "org.apache.kafka.connect.data.Union"
#define NULL_MARKER "<NULL>"

struct writer {
    struct sluice_buf *buf;
    const struct json_schema_config *config;
    struct sluice_err *err;
    bool ok;
};

static void put(struct writer *w, const char *text)
{
    w->ok = w->ok && sluice_json_raw(w->buf, text, strlen(text), w->err);
}

static void put_text(struct writer *w, const char *text)
{
    w->ok = w->ok && sluice_json_string(w->buf, text, strlen(text), w->err);
}

static void put_int(struct writer *w, int64_t i)
{
    w->ok = w->ok && sluice_json_int(w->buf, i, w->err);
}

/* "name": with a comma in front unless an object was just opened. */
static void put_name(struct writer *w, const char *name)
{
    assert(!w->ok || w->buf->len > 0);
    if (w->ok && w->buf->data[w->buf->len - 1] != '{') put(w, ",");
    put_text(w, name);
    put(w, ":");
}

static void put_member(struct writer *w, const char *name, const char *text)
{
    put_name(w, name);
    put_text(w, text);
}

static bool has_param(const struct sluice_schema *schema, const char *key)
{
    for (uint32_t i = 0; i < schema->params_len; i++) {
        if (strcmp(schema->params[i].key, key) == 0) return true;
    }
    return false;
}

static bool is_union(const struct sluice_schema *schema)
{
    return schema->type == SLUICE_STRUCT &&
           (sluice_schema_named(schema, JSON_ONE_OF_NAME) || has_param(schema, SUM_UNION_PARAM));
}

static bool is_enum(const struct sluice_schema *schema)
{
    return schema->type == SLUICE_STRING &&
           (has_param(schema, ENUM_PARAM) || has_param(schema, SUM_ENUM_PARAM));
}

static bool is_entries(const struct sluice_schema *schema)
{
    return schema->type == SLUICE_MAP &&
           (schema->key->type != SLUICE_STRING || schema->key->optional);
}

/* connect.type's word; NULL: it goes without. */
static const char *connect_type(const struct sluice_schema *schema)
{
    switch ((enum sluice_type)schema->type) {
    case SLUICE_INT8: return "int8";
    case SLUICE_INT16: return "int16";
    case SLUICE_INT32: return "int32";
    case SLUICE_INT64: return "int64";
    case SLUICE_FLOAT32: return "float32";
    case SLUICE_FLOAT64: return "float64";
    case SLUICE_BYTES: return "bytes";
    case SLUICE_MAP: return "map";
    default: return NULL;
    }
}

static const char *json_type(const struct writer *w, const struct sluice_schema *schema)
{
    switch ((enum sluice_type)schema->type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64: return "integer";
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: return "number";
    case SLUICE_BOOLEAN: return "boolean";
    case SLUICE_STRING: return "string";
    case SLUICE_BYTES:
        return w->config->write.numeric_decimals && sluice_schema_named(schema, SLUICE_DECIMAL_NAME)
                   ? "number"
                   : "string";
    case SLUICE_ARRAY: return "array";
    case SLUICE_MAP: return is_entries(schema) ? "array" : "object";
    default: return "object";
    }
}

static void put_schema(struct writer *w, const struct sluice_schema *schema, int64_t index,
                       bool ignore_optional);

static void put_enum(struct writer *w, const struct sluice_schema *schema)
{
    const char *prefix =
        w->config->sum_types && has_param(schema, SUM_ENUM_PARAM) ? SUM_ENUM_PARAM : ENUM_PARAM;
    if (!has_param(schema, prefix)) prefix = SUM_ENUM_PARAM;
    size_t n = strlen(prefix);
    bool first = true;
    assert(schema->params_len > 0);
    put_name(w, "enum");
    put(w, "[");
    for (uint32_t i = 0; i < schema->params_len; i++) {
        const char *key = schema->params[i].key;
        if (strncmp(key, prefix, n) != 0 || key[n] != '.') continue;
        if (!first) put(w, ",");
        first = false;
        if (strcmp(key + n + 1, NULL_MARKER) == 0) put(w, "null");
        else put_text(w, key + n + 1);
    }
    put(w, "]");
}

static void put_default(struct writer *w, const struct sluice_schema *schema)
{
    struct sluice_arena arena;
    sluice_arena_init(&arena, 4096);
    const struct json_plan *plan = json_plan_new(&arena, &w->config->write, schema, w->err);
    put_name(w, "default");
    w->ok = w->ok && plan && json_encode(w->buf, plan, &schema->dflt, w->err);
    sluice_arena_fini(&arena);
}

static void put_params(struct writer *w, const struct sluice_schema *schema)
{
    bool open = false;
    for (uint32_t i = 0; i < schema->params_len; i++) {
        if (strncmp(schema->params[i].key, OWN_PARAMS, sizeof OWN_PARAMS - 1) == 0) continue;
        if (!open) {
            put_name(w, "connect.parameters");
            put(w, "{");
        }
        open = true;
        put_member(w, schema->params[i].key, schema->params[i].value);
    }
    if (open) put(w, "}");
}

/* What every schema can have, in the order of Confluent's texts. */
static void put_common(struct writer *w, const struct sluice_schema *schema, int64_t index)
{
    const char *type = connect_type(schema);
    if (schema->name) put_member(w, "title", schema->name);
    if (schema->doc) put_member(w, "description", schema->doc);
    if (schema->has_dflt && schema->dflt.type != SLUICE_NULL) put_default(w, schema);
    if (index >= 0) {
        put_name(w, "connect.index");
        put_int(w, index);
    }
    if (schema->has_version) {
        put_name(w, "connect.version");
        put_int(w, schema->version);
    }
    if (type) put_member(w, "connect.type", type);
    put_params(w, schema);
}

static void put_fields(struct writer *w, const struct sluice_schema *schema)
{
    if (schema->fields_len == 0) return;
    put_name(w, "properties");
    put(w, "{");
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        put_name(w, schema->fields[i].name);
        put_schema(w, schema->fields[i].schema, i, false);
    }
    put(w, "}");
}

/* Not optional, no union. */
static void put_plain(struct writer *w, const struct sluice_schema *schema, int64_t index)
{
    bool typed_last = schema->type == SLUICE_BOOLEAN;
    put(w, "{");
    if (schema->type == SLUICE_STRING && sluice_schema_named(schema, JSON_ANY_NAME)) {
        if (index >= 0) {
            put_name(w, "connect.index");
            put_int(w, index);
        }
        put(w, "}");
        return;
    }
    if (is_enum(schema)) put_enum(w, schema);
    else if (!typed_last) put_member(w, "type", json_type(w, schema));
    if (schema->type == SLUICE_STRUCT && w->config->closed) {
        put_name(w, "additionalProperties");
        put(w, "false");
    }
    put_common(w, schema, index);
    if (typed_last) put_member(w, "type", "boolean");
    if (schema->type == SLUICE_STRUCT) put_fields(w, schema);
    if (schema->type == SLUICE_ARRAY) {
        put_name(w, "items");
        put_schema(w, schema->elem, -1, false);
    } else if (is_entries(schema)) {
        put_name(w, "items");
        put(w, "{\"type\":\"object\",\"properties\":{\"key\":");
        put_schema(w, schema->key, 0, false);
        put(w, ",\"value\":");
        put_schema(w, schema->elem, 1, false);
        put(w, "}}");
    } else if (schema->type == SLUICE_MAP) {
        put_name(w, "additionalProperties");
        put_schema(w, schema->elem, -1, false);
    }
    put(w, "}");
}

static void put_one_of(struct writer *w, const struct sluice_schema *schema, int64_t index)
{
    put(w, "{");
    if (index >= 0) {
        put_name(w, "connect.index");
        put_int(w, index);
    }
    put_name(w, "oneOf");
    put(w, "[");
    if (schema->optional) put(w, "{\"type\":\"null\"}");
    if (!is_union(schema)) {
        put(w, ",");
        put_plain(w, schema, -1);
    }
    for (uint32_t i = 0; is_union(schema) && i < schema->fields_len; i++) {
        if (i || schema->optional) put(w, ",");
        put_schema(w, schema->fields[i].schema, i, true);
    }
    put(w, "]}");
}

static void put_schema(struct writer *w, const struct sluice_schema *schema, int64_t index,
                       bool ignore_optional)
{
    if (is_union(schema) || (schema->optional && !ignore_optional)) put_one_of(w, schema, index);
    else put_plain(w, schema, index);
}

bool json_schema_text_write(struct sluice_buf *buf, const struct json_schema_config *config,
                            const struct sluice_schema *schema, struct sluice_err *err)
{
    struct writer w = {buf, config, err, true};
    assert(schema);
    put_schema(&w, schema, -1, false);
    return w.ok;
}
