/* smt.c - see smt.h. */
#include "data/transforms/smt.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/java_text.h"

#define PLANS_MAX 1000

/* ---- plans ---- */

static void plain_drop(struct sluice_lru_node *node)
{
    smt_plan_fini((struct smt_plan *)node);
    free(node);
}

void smt_init(struct smt *smt, enum smt_form form, void (*drop)(struct sluice_lru_node *))
{
    smt->form = form;
    smt->replace_null = false;
    sluice_lru_init(&smt->plans, PLANS_MAX, SIZE_MAX, drop ? drop : plain_drop);
}

void smt_fini(struct smt *smt) { sluice_lru_fini(&smt->plans); }

void smt_plan_fini(struct smt_plan *plan)
{
    sluice_schema_free(plan->in);
    sluice_schema_free(plan->out);
}

void smt_plan_put(struct smt *smt, struct smt_plan *plan, const struct sluice_schema *in,
                  const struct sluice_schema *out)
{
    assert(in && !plan->in);
    assert(!smt_plan_find(smt, in));
    plan->in = sluice_schema_hold(in);
    plan->out = out;
    plan->node.key = in;
    plan->node.bytes = sizeof *plan;
    sluice_lru_put(&smt->plans, &plan->node);
}

/* ---- values ---- */

const char *smt_class(const struct sluice_schema *schema, const struct sluice_value *v)
{
    static const char *const names[] = {
        [SLUICE_NULL] = "null",
        [SLUICE_INT8] = "java.lang.Byte",
        [SLUICE_INT16] = "java.lang.Short",
        [SLUICE_INT32] = "java.lang.Integer",
        [SLUICE_INT64] = "java.lang.Long",
        [SLUICE_FLOAT32] = "java.lang.Float",
        [SLUICE_FLOAT64] = "java.lang.Double",
        [SLUICE_BOOLEAN] = "java.lang.Boolean",
        [SLUICE_STRING] = "java.lang.String",
        [SLUICE_BYTES] = "[B",
        [SLUICE_ARRAY] = "java.util.ArrayList",
        [SLUICE_MAP] = "java.util.HashMap",
        [SLUICE_STRUCT] = "org.apache.kafka.connect.data.Struct",
    };
    assert(v->type <= SLUICE_STRUCT);
    if (v->type == SLUICE_NULL) return names[SLUICE_NULL];
    switch (sluice_logical_of(schema)) {
    case SLUICE_LOGICAL_DECIMAL: return "java.math.BigDecimal";
    case SLUICE_LOGICAL_DATE:
    case SLUICE_LOGICAL_TIME:
    case SLUICE_LOGICAL_TIMESTAMP: return "java.util.Date";
    case SLUICE_LOGICAL_NONE: break;
    }
    return names[v->type];
}

bool smt_require_struct(const struct sluice_schema *schema, const struct sluice_value *v,
                        const char *purpose, struct sluice_err *err)
{
    if (v->type != SLUICE_STRUCT) {
        return sluice_err_set(err, "Only Struct objects supported for [%s], found: %s", purpose,
                              smt_class(schema, v));
    }
    if (schema && schema->type == SLUICE_STRUCT && schema->fields_len == v->len) return true;
    return sluice_err_set(err,
                          "the struct given for [%s] does not fit its schema: it has %u values, "
                          "the schema %s has %u fields",
                          purpose, v->len, schema && schema->name ? schema->name : "without name",
                          schema ? schema->fields_len : 0);
}

bool smt_require_map(const struct sluice_schema *schema, const struct sluice_value *v,
                     const char *purpose, struct sluice_err *err)
{
    if (v->type == SLUICE_MAP) return true;
    return sluice_err_set(err,
                          "Only Map objects supported in absence of schema for [%s], found: %s",
                          purpose, smt_class(schema, v));
}

bool smt_put_null(struct sluice_value *to, const struct sluice_schema *in,
                  const struct sluice_field *out, bool replace, struct sluice_err *err)
{
    assert(in && out->schema && in->type != SLUICE_NULL);
    *to = replace && in->has_dflt ? in->dflt : sluice_null();
    if (to->type != SLUICE_NULL || out->schema->optional) return true;
    return sluice_err_set(err,
                          "Invalid value: null used for required field: \"%s\", schema type: %s",
                          out->name, sluice_type_name(out->schema->type));
}

bool smt_put_all(struct sluice_value *to, const struct sluice_value *from,
                 const struct sluice_field *fields, size_t n, bool replace, struct sluice_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!smt_put(&to[i], &from[i], fields[i].schema, &fields[i], replace, err)) return false;
    }
    return true;
}

/* ---- maps ---- */

struct smt_map smt_map_copy(struct sluice_batch *batch, const struct sluice_value *from,
                            size_t more)
{
    struct smt_map map = {.n = from ? from->len : 0};
    map.cap = map.n + more;
    map.items = sluice_batch_alloc(batch, 2 * map.cap * sizeof *map.items);
    if (map.n) memcpy(map.items, from->u.v, 2 * map.n * sizeof *map.items);
    return map;
}

const struct sluice_value *smt_map_get(const struct sluice_value *map, const char *key, size_t len)
{
    assert(map->type == SLUICE_MAP);
    for (size_t i = 0; i < map->len; i++) {
        if (smt_is_key(&map->u.v[2 * i], key, len)) return &map->u.v[2 * i + 1];
    }
    return NULL;
}

void smt_map_put(struct smt_map *map, const char *key, size_t len, struct sluice_value v)
{
    for (size_t i = 0; i < map->n; i++) {
        if (!smt_is_key(&map->items[2 * i], key, len)) continue;
        map->items[2 * i + 1] = v;
        return;
    }
    assert(map->n < map->cap);
    map->items[2 * map->n] = sluice_string(key, len);
    map->items[2 * map->n + 1] = v;
    map->n++;
}

struct sluice_value smt_map_value(const struct smt_map *map)
{
    assert(map->n <= map->cap);
    return sluice_nested(SLUICE_MAP, map->items, map->n);
}

/* ---- schemas ---- */

void smt_build(struct smt_builder *builder, const struct sluice_schema *basics)
{
    memset(builder, 0, sizeof *builder);
    builder->schema.type = SLUICE_STRUCT;
    if (!basics) return;
    builder->schema.name = basics->name;
    builder->schema.doc = basics->doc;
    builder->schema.has_version = basics->has_version;
    builder->schema.version = basics->version;
    builder->schema.params = basics->params;
    builder->schema.params_len = basics->params_len;
}

bool smt_build_field(struct smt_builder *builder, const char *name,
                     const struct sluice_schema *schema, struct sluice_err *err)
{
    assert(schema && builder->schema.type == SLUICE_STRUCT);
    if (!*name) return sluice_err_set(err, "fieldName cannot be null.");
    for (size_t i = 0; i < builder->n; i++) {
        if (strcmp(builder->fields[i].name, name) != 0) continue;
        return sluice_err_set(err, "Cannot create field because of field name duplication %s",
                              name);
    }
    builder->fields =
        sluice_xgrow(builder->fields, builder->n, &builder->cap, sizeof *builder->fields);
    builder->fields[builder->n++] = (struct sluice_field){name, schema};
    return true;
}

bool smt_build_fields(struct smt_builder *builder, const struct sluice_schema *schema,
                      struct sluice_err *err)
{
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const struct sluice_field *field = &schema->fields[i];
        if (!smt_build_field(builder, field->name, field->schema, err)) return false;
    }
    return true;
}

const struct sluice_schema *smt_build_done(struct smt_builder *builder)
{
    assert(builder->schema.type == SLUICE_STRUCT || builder->n == 0);
    builder->schema.fields = builder->fields;
    builder->schema.fields_len = (uint32_t)builder->n;
    const struct sluice_schema *schema = sluice_schema_intern(&builder->schema);
    smt_build_fini(builder);
    return schema;
}

void smt_build_fini(struct smt_builder *builder)
{
    free(builder->fields);
    memset(builder, 0, sizeof *builder);
}
