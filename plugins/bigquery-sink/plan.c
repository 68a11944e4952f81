/* plan.c - see plan.h. */
#include "plan.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "names.h"

#define DEPTH_MAX 15 /* BigQuery's limit of nested records */

struct compiler {
    const struct bq_config *config;
    struct bq_shape *shape;
    struct sluice_err err;
    const char *path[DEPTH_MAX + 2];
    unsigned depth;
};

static bool compile(struct compiler *c, struct bq_node *node, const struct sluice_schema *schema);

static bool fail(struct compiler *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "field a.b: ..." */
static bool fail(struct compiler *c, const char *fmt, ...)
{
    char why[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    size_t len = 0;
    c->err.msg[0] = '\0';
    for (unsigned i = 0; i < c->depth && len < 400; i++)
        len +=
            (size_t)snprintf(c->err.msg + len, 440 - len, "%s%s", i ? "." : "field ", c->path[i]);
    if (len > 439) len = 439;
    snprintf(c->err.msg + len, sizeof c->err.msg - len, "%s%s", len ? ": " : "", why);
    return false;
}

/* ---- logical types ---- */

struct logical {
    const char *name;
    uint8_t base;
    const char *type;
    bq_encode *encode;
};

static const struct logical logicals[] = {
    {"org.apache.kafka.connect.data.Date", SLUICE_INT32, "DATE", bq_encode_date},
    {"org.apache.kafka.connect.data.Time", SLUICE_INT32, "TIME", bq_encode_time_ms},
    {"org.apache.kafka.connect.data.Timestamp", SLUICE_INT64, "TIMESTAMP", bq_encode_timestamp_ms},
    {"io.debezium.time.Date", SLUICE_INT32, "DATE", bq_encode_date},
    {"io.debezium.time.Time", SLUICE_INT32, "TIME", bq_encode_time_ms},
    {"io.debezium.time.MicroTime", SLUICE_INT64, "TIME", bq_encode_time_us},
    {"io.debezium.time.Timestamp", SLUICE_INT64, "TIMESTAMP", bq_encode_timestamp_ms},
    {"io.debezium.time.MicroTimestamp", SLUICE_INT64, "TIMESTAMP", bq_encode_timestamp_us},
    {"io.debezium.time.ZonedTimestamp", SLUICE_STRING, "TIMESTAMP", bq_encode_zoned},
};

static const char *type_name(unsigned type)
{
    static const char *const names[] = {"NULL",    "INT8",    "INT16",   "INT32",  "INT64",
                                        "FLOAT32", "FLOAT64", "BOOLEAN", "STRING", "BYTES",
                                        "ARRAY",   "MAP",     "STRUCT"};
    return type < sizeof names / sizeof *names ? names[type] : "UNKNOWN";
}

static bool check_base(struct compiler *c, const struct sluice_schema *schema, unsigned base)
{
    if (schema->type == base) return true;
    return fail(c, "Logical Type %s must be encoded as %s; instead, found %s", schema->name,
                type_name(base), type_name(schema->type));
}

static int32_t number_param(const struct sluice_schema *schema, const char *key, int32_t fallback)
{
    for (uint32_t i = 0; i < schema->params_len; i++)
        if (strcmp(schema->params[i].key, key) == 0)
            return (int32_t)strtol(schema->params[i].value, NULL, 10);
    return fallback;
}

/* The children of a RECORD column that stands for something else; names given, in order. */
static void add_children(struct bq_node *node, size_t n)
{
    node->children = calloc(n, sizeof *node->children);
    if (!node->children) abort();
    node->children_len = n;
}

static void set_name(struct bq_node *node, const char *name, size_t len)
{
    struct sluice_out key = {0};
    node->name = bq_strdup(name, len);
    sluice_out_char(&key, ',');
    sluice_out_string(&key, name, len);
    sluice_out_char(&key, ':');
    node->key = key.data;
    node->key_len = key.len;
}

static void set_plain(struct bq_node *node, const char *name, const char *type, bool optional)
{
    if (name) set_name(node, name, strlen(name));
    node->type = type;
    node->optional = optional;
}

static bool decimal_type(struct compiler *c, struct bq_node *node, enum bq_decimal mode)
{
    switch (mode) {
    case BQ_DECIMAL_FLOAT:
        node->type = "FLOAT";
        c->shape->lossy = true;
        return true;
    case BQ_DECIMAL_RECORD:
        node->type = "RECORD";
        add_children(node, 2);
        set_plain(&node->children[0], "scale", "INTEGER", false);
        set_plain(&node->children[1], "value", "BYTES", false);
        return true;
    case BQ_DECIMAL_NUMERIC:
        if (node->precision > 38 || node->scale > 9)
            return fail(c,
                        "a decimal of precision %d and scale %d does not fit NUMERIC (38, 9): "
                        "set decimalHandlingMode to BIGNUMERIC",
                        node->precision, node->scale);
        node->type = "NUMERIC";
        return true;
    case BQ_DECIMAL_BIGNUMERIC:
        if (node->precision > 76 || node->scale > 38)
            return fail(c,
                        "a decimal of precision %d and scale %d does not fit BIGNUMERIC "
                        "(76, 38): set decimalHandlingMode to RECORD",
                        node->precision, node->scale);
        node->type = "BIGNUMERIC";
        return true;
    }
    return fail(c, "unknown decimal mode %d", (int)mode);
}

static bool compile_decimal(struct compiler *c, struct bq_node *node)
{
    const struct sluice_schema *schema = node->schema;
    if (!check_base(c, schema, SLUICE_BYTES)) return false;
    node->scale = number_param(schema, "scale", 0);
    node->precision = number_param(schema, "connect.decimal.precision", 0);
    node->encode =
        c->config->decimal == BQ_DECIMAL_RECORD ? bq_encode_decimal_record : bq_encode_decimal;
    return decimal_type(c, node, c->config->decimal);
}

static bool compile_variable_decimal(struct compiler *c, struct bq_node *node)
{
    const struct sluice_schema *schema = node->schema;
    if (!check_base(c, schema, SLUICE_STRUCT)) return false;
    if (schema->fields_len != 2 || strcmp(schema->fields[0].name, "scale") != 0 ||
        schema->fields[0].schema->type != SLUICE_INT32 ||
        strcmp(schema->fields[1].name, "value") != 0 ||
        schema->fields[1].schema->type != SLUICE_BYTES)
        return fail(c, "%s must hold scale (INT32) and value (BYTES)", schema->name);
    node->encode = bq_encode_variable_decimal;
    return decimal_type(c, node, c->config->variable_decimal);
}

/* True when the schema's name gives the type; then *ok says whether that worked. */
static bool compile_logical(struct compiler *c, struct bq_node *node, bool *ok)
{
    const char *name = node->schema->name;
    *ok = true;
    if (!name) return false;
    if (strcmp(name, "org.apache.kafka.connect.data.Decimal") == 0) {
        *ok = compile_decimal(c, node);
        return true;
    }
    if (strcmp(name, "io.debezium.data.VariableScaleDecimal") == 0 &&
        c->config->variable_decimal != BQ_DECIMAL_RECORD) {
        *ok = compile_variable_decimal(c, node);
        return true;
    }
    if (c->config->debezium_timestamp_integer && strcmp(name, "io.debezium.time.Timestamp") == 0)
        return false; /* its base type, INT64 */
    for (size_t i = 0; i < sizeof logicals / sizeof *logicals; i++) {
        if (strcmp(name, logicals[i].name) != 0) continue;
        node->type = logicals[i].type;
        node->encode = logicals[i].encode;
        *ok = check_base(c, node->schema, logicals[i].base);
        return true;
    }
    return false;
}

/* ---- structure ---- */

static bool has_name(const struct bq_node *nodes, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(nodes[i].name, name) == 0) return true;
    return false;
}

/* Whether the schema gives a column at all: structs without any field do not, as BigQuery has no
 * empty records. */
static bool gives_column(const struct sluice_schema *schema)
{
    if (schema->type == SLUICE_ARRAY) return gives_column(schema->elem);
    if (schema->type != SLUICE_STRUCT) return true;
    for (uint32_t i = 0; i < schema->fields_len; i++)
        if (gives_column(schema->fields[i].schema)) return true;
    return false;
}

static bool compile_field(struct compiler *c, struct bq_node *node, size_t at, uint32_t index,
                          const struct sluice_field *field)
{
    struct bq_node *child = &node->children[at];
    struct sluice_out name = {0};
    if (c->config->sanitize_fields) bq_sanitize(&name, field->name, strlen(field->name));
    else sluice_out_text(&name, field->name);
    sluice_out_terminate(&name);
    set_name(child, name.data, name.len);
    sluice_out_fini(&name);
    child->index = index;
    node->children_len = at + 1;
    if (c->depth > DEPTH_MAX)
        return fail(c, "records are nested more than %d deep, which BigQuery does not take",
                    DEPTH_MAX);
    c->path[c->depth++] = field->name;
    if (has_name(node->children, at, child->name))
        return fail(c, "two fields give the column %s: rename one of them", child->name);
    if (!compile(c, child, field->schema)) return false;
    c->depth--;
    return true;
}

static bool compile_struct(struct compiler *c, struct bq_node *node)
{
    const struct sluice_schema *schema = node->schema;
    node->type = "RECORD";
    node->encode = bq_encode_struct;
    node->span = schema->fields_len;
    if (schema->fields_len == 0) return true;
    add_children(node, schema->fields_len);
    node->children_len = 0;
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        if (!gives_column(schema->fields[i].schema)) continue;
        if (!compile_field(c, node, node->children_len, i, &schema->fields[i])) return false;
    }
    return true;
}

static bool compile_array(struct compiler *c, struct bq_node *node)
{
    add_children(node, 1);
    struct bq_node *item = &node->children[0];
    if (!compile(c, item, node->schema->elem)) return false;
    if (item->repeated)
        return fail(c, "BigQuery has no %s of %s: turn the inner one into a record", "arrays",
                    "arrays or maps");
    node->type = item->type;
    node->repeated = true;
    node->encode = bq_encode_array;
    return true;
}

static bool compile_map(struct compiler *c, struct bq_node *node)
{
    static const char *const names[] = {"key", "value"};
    const struct sluice_schema *const schemas[] = {node->schema->key, node->schema->elem};
    add_children(node, 2);
    for (size_t i = 0; i < 2; i++) {
        set_name(&node->children[i], names[i], strlen(names[i]));
        if (!compile(c, &node->children[i], schemas[i])) return false;
    }
    node->type = "RECORD";
    node->repeated = true;
    node->encode = bq_encode_map;
    return true;
}

static bool compile(struct compiler *c, struct bq_node *node, const struct sluice_schema *schema)
{
    static const struct {
        const char *type;
        bq_encode *encode;
    } scalars[] = {
        [SLUICE_INT8] = {"INTEGER", bq_encode_int},
        [SLUICE_INT16] = {"INTEGER", bq_encode_int},
        [SLUICE_INT32] = {"INTEGER", bq_encode_int},
        [SLUICE_INT64] = {"INTEGER", bq_encode_int64},
        [SLUICE_FLOAT32] = {"FLOAT", bq_encode_float32},
        [SLUICE_FLOAT64] = {"FLOAT", bq_encode_float64},
        [SLUICE_BOOLEAN] = {"BOOLEAN", bq_encode_bool},
        [SLUICE_STRING] = {"STRING", bq_encode_string},
        [SLUICE_BYTES] = {"BYTES", bq_encode_bytes},
    };
    bool ok;
    node->schema = schema;
    node->optional = schema->optional;
    if (compile_logical(c, node, &ok)) return ok;
    switch (schema->type) {
    case SLUICE_STRUCT: return compile_struct(c, node);
    case SLUICE_ARRAY: return compile_array(c, node);
    case SLUICE_MAP: return compile_map(c, node);
    default: break;
    }
    if (schema->type == SLUICE_NULL || schema->type > SLUICE_BYTES)
        return fail(c, "type %s has no counterpart in BigQuery", type_name(schema->type));
    node->type = scalars[schema->type].type;
    node->encode = scalars[schema->type].encode;
    return true;
}

static void free_node(struct bq_node *node)
{
    for (size_t i = 0; i < node->children_len; i++) free_node(&node->children[i]);
    free(node->children);
    free(node->name);
    free(node->key);
}

static bool compile_top(struct compiler *c, struct bq_node *node,
                        const struct sluice_schema *schema)
{
    if (schema->type != SLUICE_STRUCT)
        return fail(c, "Top-level Kafka Connect schema must be of type 'struct'; found %s",
                    type_name(schema->type));
    return compile(c, node, schema);
}

static bool compile_shape(struct compiler *c)
{
    struct bq_shape *shape = c->shape;
    const char *key_field = c->config->key_field, *data_field = c->config->data_field;
    if (!compile_top(c, &shape->value, shape->value_schema)) return false;
    c->depth = 0;
    const struct bq_node *columns = shape->value.children;
    size_t n = shape->value.children_len;
    if (n == 0) return fail(c, "the schema has no fields, and a table needs a column");
    if ((key_field && has_name(columns, n, key_field)) ||
        (data_field && has_name(columns, n, data_field)))
        return fail(c, "a field has the name of kafkaKeyFieldName or kafkaDataFieldName: choose "
                       "another one there");
    if (!shape->key_schema) return true;
    set_name(&shape->key, key_field, strlen(key_field));
    if (compile_top(c, &shape->key, shape->key_schema)) return true;
    char why[400];
    snprintf(why, sizeof why, "%.380s", c->err.msg);
    c->depth = 0;
    return fail(c, "record key (kafkaKeyFieldName is set): %s", why);
}

struct bq_shape *bq_shape_new(const struct bq_config *config, const struct sluice_host *host,
                              const struct sluice_schema *value, const struct sluice_schema *key)
{
    struct bq_shape *shape = calloc(1, sizeof *shape);
    if (!shape) abort();
    assert(value);
    shape->value_schema = host->schema(value);
    assert(shape->value_schema == value); /* interned: the address is the identity */
    if (config->key_field && key) {
        shape->key_schema = host->schema(key);
        assert(shape->key_schema == key);
    }
    struct compiler c = {.config = config, .shape = shape};
    if (!compile_shape(&c)) shape->error = bq_strdup(c.err.msg, strlen(c.err.msg));
    return shape;
}

void bq_shape_free(struct bq_shape *shape, const struct sluice_host *host)
{
    if (!shape) return;
    free_node(&shape->value);
    free_node(&shape->key);
    host->schema_free(shape->value_schema);
    host->schema_free(shape->key_schema);
    free(shape->error);
    free(shape);
}

/* ---- columns in the API's form ---- */

static json_t *fields_of(const struct bq_node *node, const struct bq_config *config);

static void set_decimal(json_t *field, const struct bq_node *node)
{
    int32_t room = strcmp(node->type, "NUMERIC") == 0 ? 29 : 38;
    if (node->precision <= 0 || node->scale < 0 || node->precision < node->scale ||
        node->precision - node->scale > room || node->precision < 1)
        return; /* no such parameters: the type's own limits hold */
    json_object_set_new(field, "precision", json_sprintf("%d", node->precision));
    json_object_set_new(field, "scale", json_sprintf("%d", node->scale));
}

static json_t *field_of(const struct bq_node *node, const struct bq_config *config)
{
    const char *mode = node->repeated                           ? "REPEATED"
                       : node->optional || config->all_nullable ? "NULLABLE"
                                                                : "REQUIRED";
    json_t *field =
        json_pack("{s:s, s:s, s:s}", "name", node->name, "type", node->type, "mode", mode);
    if (!field) abort();
    if (node->schema && node->schema->doc)
        json_object_set_new(field, "description", json_string(node->schema->doc));
    const struct bq_node *record = node;
    if (node->encode == bq_encode_array) record = &node->children[0];
    if (strcmp(node->type, "NUMERIC") == 0 || strcmp(node->type, "BIGNUMERIC") == 0)
        set_decimal(field, record);
    if (strcmp(node->type, "RECORD") == 0)
        json_object_set_new(field, "fields", fields_of(record, config));
    return field;
}

static json_t *fields_of(const struct bq_node *node, const struct bq_config *config)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < node->children_len; i++)
        json_array_append_new(fields, field_of(&node->children[i], config));
    return fields;
}

json_t *bq_shape_fields(const struct bq_shape *shape, const struct bq_config *config)
{
    assert(!shape->error);
    json_t *fields = fields_of(&shape->value, config);
    if (config->data_field)
        json_array_append_new(
            fields,
            json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s}, "
                      "{s:s, s:s, s:s}]}",
                      "name", config->data_field, "type", "RECORD", "mode", "NULLABLE", "fields",
                      "name", "topic", "type", "STRING", "mode", "NULLABLE", "name", "partition",
                      "type", "INTEGER", "mode", "NULLABLE", "name", "offset", "type", "INTEGER",
                      "mode", "NULLABLE", "name", "insertTime", "type", "TIMESTAMP", "mode",
                      "NULLABLE"));
    if (shape->key_schema && shape->key.children_len > 0)
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s, s:o}", "name", config->key_field,
                                                "type", "RECORD", "mode", "NULLABLE", "fields",
                                                fields_of(&shape->key, config)));
    return fields;
}
