/* meta_schema.c - schema.infer: Connect schemas from what the expressions are known to give. All
 * fields are optional: a record may lack any. Children have their parent's type. */
#include "meta.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

struct inferrer {
    const struct meta_plan *plan;
    struct datagen_arena *arena;
    int depth;
    struct sluice_err *err;
};

static const struct sluice_schema *of_slot(struct inferrer *in, uint32_t topic, uint32_t slot);

static struct sluice_schema *schema_new(struct inferrer *in, enum sluice_type type)
{
    struct sluice_schema *s = datagen_alloc(in->arena, sizeof(*s));
    s->type = (uint8_t)type;
    s->optional = true;
    return s;
}

static const struct sluice_schema *of_kind(struct inferrer *in, uint8_t kind)
{
    switch (kind) {
    case KIND_INT: return schema_new(in, SLUICE_INT64);
    case KIND_FLOAT: return schema_new(in, SLUICE_FLOAT64);
    case KIND_STRING:
    case KIND_DATE: return schema_new(in, SLUICE_STRING);
    case KIND_BOOL: return schema_new(in, SLUICE_BOOLEAN);
    default: return NULL;
    }
}

static const struct sluice_schema *of_expr(struct inferrer *in, const struct expr *e)
{
    if (e->kind == KIND_ARRAY) {
        struct sluice_schema *s = schema_new(in, SLUICE_ARRAY);
        s->elem = of_kind(in, e->elem);
        return s->elem ? s : NULL;
    }
    if (e->kind != KIND_OBJECT || !e->keys) return of_kind(in, e->kind);
    struct sluice_schema *s = schema_new(in, SLUICE_STRUCT);
    struct sluice_field *fields = datagen_alloc(in->arena, (e->n + 1) * sizeof(*fields));
    for (uint32_t i = 0; i < e->n; i++) {
        fields[i].name = e->keys[i];
        fields[i].schema = of_expr(in, e->args[i]);
        if (!fields[i].schema) return NULL;
    }
    s->fields = fields;
    s->fields_len = e->n;
    return s;
}

static const struct sluice_schema *of_field(struct inferrer *in, const struct meta_field *field)
{
    if (field->expr) return of_expr(in, field->expr);
    struct sluice_schema *s = schema_new(in, SLUICE_STRUCT);
    struct sluice_field *fields =
        datagen_alloc(in->arena, (field->nested->len + 1) * sizeof(*fields));
    for (uint32_t i = 0; i < field->nested->len; i++) {
        fields[i].name = field->nested->fields[i].name;
        fields[i].schema = of_field(in, &field->nested->fields[i]);
        if (!fields[i].schema) return NULL;
    }
    s->fields = fields;
    s->fields_len = field->nested->len;
    return s;
}

/* What a relationship puts into its child field: the parent's value, or its items. */
static const struct sluice_schema *of_parent(struct inferrer *in, const struct meta_dataset *from,
                                             const struct meta_relation *relation)
{
    if (relation->parent_slot == UINT32_MAX) return NULL;
    const struct sluice_schema *s = of_slot(in, from->topic, relation->parent_slot);
    return s && s->type == SLUICE_ARRAY ? s->elem : s;
}

static const struct sluice_schema *of_slot(struct inferrer *in, uint32_t topic, uint32_t slot)
{
    const struct meta_plan *plan = in->plan;
    if (++in->depth > 64) return NULL; /* a circle of children */
    const struct sluice_schema *found = NULL;
    for (uint32_t d = 0; d < plan->datasets_len && !found; d++) {
        const struct meta_dataset *dataset = &plan->datasets[d];
        for (uint32_t i = 0; i < dataset->relations_len && !found; i++) {
            const struct meta_relation *relation = &dataset->relations[i];
            if (relation->topic != topic || relation->child_slot != slot) continue;
            found = of_parent(in, dataset, relation);
        }
    }
    for (uint32_t d = 0; d < plan->datasets_len && !found; d++) {
        const struct meta_dataset *dataset = &plan->datasets[d];
        for (uint32_t i = 0; dataset->topic == topic && i < dataset->object.len; i++) {
            if (dataset->object.fields[i].slot == slot) {
                found = of_field(in, &dataset->object.fields[i]);
            }
        }
    }
    in->depth--;
    return found;
}

/* A topic's name as a schema's: letters, digits, underscores. */
static const char *schema_name(struct inferrer *in, const char *topic)
{
    char *name = datagen_strdup(in->arena, topic);
    for (char *p = name; *p; p++) {
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '.') *p = '_';
    }
    return name;
}

static const struct sluice_schema *of_topic(struct inferrer *in, uint32_t at, bool payload)
{
    const struct meta_topic *topic = &in->plan->topics[at];
    struct sluice_schema *s = schema_new(in, SLUICE_STRUCT);
    struct sluice_field *fields =
        datagen_alloc(in->arena, (topic->slots_len + 1) * sizeof(*fields));
    for (uint32_t i = 0; i < topic->slots_len; i++) {
        fields[i].name = topic->slots[i];
        fields[i].schema = of_slot(in, at, i);
        if (!fields[i].schema) {
            datagen_fail(in->err,
                         "schema.infer: the type of field %s of topic %s cannot be told "
                         "from its expression; wrap it in String(), Number() or "
                         "Math.floor()",
                         topic->slots[i], topic->name);
            return NULL;
        }
    }
    s->fields_len = topic->slots_len;
    if (payload)
        fields[s->fields_len++] =
            (struct sluice_field){"recordSizePayload", of_kind(in, KIND_STRING)};
    s->fields = fields;
    s->optional = false;
    s->name = schema_name(in, topic->name);
    return s;
}

bool meta_schemas(const struct meta_plan *plan, const struct sluice_host *host, bool payload,
                  const struct sluice_schema **schemas, struct sluice_err *err)
{
    struct datagen_arena arena = {0};
    struct inferrer in = {.plan = plan, .arena = &arena, .err = err};
    bool ok = true;
    for (uint32_t i = 0; i < plan->topics_len && ok; i++) {
        const struct sluice_schema *description = of_topic(&in, i, payload);
        ok = description != NULL;
        if (ok) schemas[i] = host->schema(description);
    }
    datagen_arena_free(&arena);
    return ok;
}

static struct sluice_value conform_struct(struct js *js, const struct sluice_schema *schema,
                                          struct sluice_value v)
{
    struct sluice_value *out = datagen_mem_take(js->mem, schema->fields_len * sizeof(*out));
    uint32_t guess = 0; /* fields mostly come in the schema's order */
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const char *name = schema->fields[i].name;
        size_t len = strlen(name);
        out[i] = sluice_null();
        for (uint32_t k = 0; k < v.len; k++) {
            uint32_t at = (guess + k) % v.len;
            const struct sluice_value *key = &v.u.v[2 * at];
            if (key->len != len || memcmp(key->u.s, name, len) != 0) continue;
            out[i] = meta_conform(js, schema->fields[i].schema, key[1]);
            guess = at + 1;
            break;
        }
    }
    return sluice_nested(SLUICE_STRUCT, out, schema->fields_len);
}

struct sluice_value meta_conform(struct js *js, const struct sluice_schema *schema,
                                 struct sluice_value v)
{
    bool number = v.type == SLUICE_INT64 || v.type == SLUICE_FLOAT64;
    switch (schema->type) {
    case SLUICE_INT64:
        if (v.type == SLUICE_FLOAT64 && fabs(v.u.d) < 9e18) return sluice_int64((int64_t)v.u.d);
        return v.type == SLUICE_INT64 ? v : sluice_null();
    case SLUICE_FLOAT64: return number ? sluice_float64(js_number(&v)) : sluice_null();
    case SLUICE_STRUCT: return v.type == SLUICE_MAP ? conform_struct(js, schema, v) : sluice_null();
    case SLUICE_STRING: return v.type == SLUICE_NULL ? sluice_null() : js_string(js, v);
    case SLUICE_ARRAY: {
        if (v.type != SLUICE_ARRAY) return sluice_null();
        struct sluice_value *out = datagen_mem_take(js->mem, v.len * sizeof(*out));
        for (uint32_t i = 0; i < v.len; i++) out[i] = meta_conform(js, schema->elem, v.u.v[i]);
        return sluice_nested(SLUICE_ARRAY, out, v.len);
    }
    default: return v.type == schema->type ? v : sluice_null();
    }
}
