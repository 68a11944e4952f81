/* avro_connect.c - the Connect schema of an Avro type, as Confluent's AvroData maps it: logical
 * types become Connect's own, an enum is a string with its symbols as parameters, ["null", T] an
 * optional T, every other union a struct of optional branches. */
#include "avro.h"

#include <assert.h>
#include <stdio.h>

#define CONNECT "org.apache.kafka.connect.data."
#define AVRO_ENUM_PARAM "io.confluent.connect.avro.Enum"

struct mapper {
    const struct sluice_host *host;
    struct datagen_arena arena; /* of descriptions, until the outermost one is interned */
};

static const struct sluice_schema *describe(struct mapper *m, const struct avro_type *type,
                                            const struct avro_field *field, bool optional);

static const uint8_t base_types[] = {
    [AVRO_BOOLEAN] = SLUICE_BOOLEAN, [AVRO_INT] = SLUICE_INT32,      [AVRO_LONG] = SLUICE_INT64,
    [AVRO_FLOAT] = SLUICE_FLOAT32,   [AVRO_DOUBLE] = SLUICE_FLOAT64, [AVRO_BYTES] = SLUICE_BYTES,
    [AVRO_STRING] = SLUICE_STRING,   [AVRO_RECORD] = SLUICE_STRUCT,  [AVRO_ENUM] = SLUICE_STRING,
    [AVRO_FIXED] = SLUICE_BYTES,     [AVRO_ARRAY] = SLUICE_ARRAY,    [AVRO_MAP] = SLUICE_MAP,
    [AVRO_UNION] = SLUICE_STRUCT,    [AVRO_NULL] = SLUICE_STRING};

static void set_params(struct mapper *m, struct sluice_schema *s, size_t n, const char *key,
                       const char *value)
{
    struct sluice_param *params = datagen_alloc(&m->arena, (n + 1) * sizeof(*params));
    if (s->params_len) memcpy(params, s->params, s->params_len * sizeof(*params));
    params[s->params_len] = (struct sluice_param){key, value};
    s->params = params;
    s->params_len++;
}

static const char *number_text(struct mapper *m, int64_t v)
{
    char *text = datagen_alloc(&m->arena, 24);
    text[datagen_digits(text, v)] = '\0';
    return text;
}

static void describe_logical(struct mapper *m, const struct avro_type *type,
                             struct sluice_schema *s)
{
    const char *logical = type->logical, *name = NULL;
    if (!logical) return;
    if (type->kind == AVRO_INT && strcmp(logical, "date") == 0) name = CONNECT "Date";
    if (type->kind == AVRO_INT && strcmp(logical, "time-millis") == 0) name = CONNECT "Time";
    if (type->kind == AVRO_LONG && strcmp(logical, "timestamp-millis") == 0) {
        name = CONNECT "Timestamp";
    }
    if (strcmp(logical, "decimal") == 0) {
        name = CONNECT "Decimal";
        set_params(m, s, 2, "scale", number_text(m, type->scale));
        set_params(m, s, 2, "connect.decimal.precision", number_text(m, type->precision));
    }
    if (!name) return;
    s->name = name;
    s->has_version = true;
    s->version = 1;
}

static void describe_enum(struct mapper *m, const struct avro_type *type, struct sluice_schema *s)
{
    struct sluice_param *params = datagen_alloc(&m->arena, (type->len + 1) * sizeof(*params));
    params[0] = (struct sluice_param){AVRO_ENUM_PARAM, type->fullname};
    for (size_t i = 0; i < type->len; i++) {
        size_t size = sizeof(AVRO_ENUM_PARAM) + 1 + strlen(type->symbols[i]);
        char *key = datagen_alloc(&m->arena, size);
        (void)snprintf(key, size, "%s.%s", AVRO_ENUM_PARAM, type->symbols[i]);
        params[i + 1] = (struct sluice_param){key, type->symbols[i]};
    }
    s->params = params;
    s->params_len = (uint32_t)type->len + 1;
}

static void describe_fields(struct mapper *m, const struct avro_type *type, struct sluice_schema *s)
{
    struct sluice_field *fields = datagen_alloc(&m->arena, (type->len + 1) * sizeof(*fields));
    size_t n = 0;
    for (size_t i = 0; i < type->len; i++) {
        if (type->kind == AVRO_RECORD) {
            const struct avro_field *field = &type->fields[i];
            fields[n].name = field->name;
            fields[n++].schema = describe(m, field->type, field, false);
        } else if (type->branches[i]->kind == AVRO_NULL) {
            s->optional = true;
        } else {
            const struct avro_type *branch = type->branches[i];
            fields[n].name = branch->name ? branch->name : avro_kind_name(branch->kind);
            fields[n++].schema = describe(m, branch, NULL, true);
        }
    }
    s->fields = fields;
    s->fields_len = (uint32_t)n;
}

/* A field's default as the schema's, for the types that have one value. */
static void describe_default(const json_t *json, struct sluice_schema *s)
{
    struct sluice_value v = sluice_null();
    if (s->type == SLUICE_BOOLEAN && json_is_boolean(json)) {
        v = sluice_bool(json_is_true(json));
    } else if ((s->type == SLUICE_INT32 || s->type == SLUICE_INT64) && json_is_integer(json)) {
        v = sluice_int((enum sluice_type)s->type, json_integer_value(json));
    } else if (s->type == SLUICE_FLOAT64 && json_is_number(json)) {
        v = sluice_float64(json_number_value(json));
    } else if (s->type == SLUICE_FLOAT32 && json_is_number(json)) {
        v = sluice_float64((double)(float)json_number_value(json));
        v.type = SLUICE_FLOAT32;
    } else if (s->type == SLUICE_STRING && json_is_string(json)) {
        v = sluice_string(json_string_value(json), json_string_length(json));
    }
    s->has_dflt = v.type != SLUICE_NULL;
    s->dflt = v;
}

static const struct sluice_schema *describe(struct mapper *m, const struct avro_type *type,
                                            const struct avro_field *field, bool optional)
{
    struct avro_type *inner = avro_nullable(type);
    if (inner) return describe(m, inner, field, true);
    if (type->kind == AVRO_UNION && type->len == 1) {
        return describe(m, type->branches[0], field, optional);
    }
    struct sluice_schema *s = datagen_alloc(&m->arena, sizeof(*s));
    s->type = base_types[type->kind];
    s->optional = optional || type->kind == AVRO_NULL;
    s->doc = field && field->doc ? field->doc : type->doc;
    describe_logical(m, type, s);
    if (!s->name) s->name = type->fullname;
    if (type->kind == AVRO_UNION) s->name = "io.confluent.connect.avro.Union";
    if (type->kind == AVRO_RECORD || type->kind == AVRO_UNION) describe_fields(m, type, s);
    if (type->kind == AVRO_ENUM) describe_enum(m, type, s);
    if (type->kind == AVRO_FIXED) {
        set_params(m, s, 3, "connect.fixed.size", number_text(m, (int64_t)type->len));
    }
    if (type->kind == AVRO_ARRAY || type->kind == AVRO_MAP) {
        s->elem = describe(m, type->elem, NULL, false);
    }
    if (type->kind == AVRO_MAP) {
        struct sluice_schema *key = datagen_alloc(&m->arena, sizeof(*key));
        key->type = SLUICE_STRING;
        s->key = key;
    }
    if (field && field->dflt) describe_default(field->dflt, s);
    return s;
}

const struct sluice_schema *avro_connect_schema(const struct sluice_host *host,
                                                const struct avro_type *type)
{
    struct mapper m = {.host = host};
    const struct sluice_schema *schema = host->schema(describe(&m, type, NULL, false));
    assert(schema);
    datagen_arena_free(&m.arena);
    return schema;
}
