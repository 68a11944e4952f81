/* json_plan.c - see json_plan.h. */
#include "data/converters/json_plan.h"

#include <assert.h>

#include "base/err.h"
#include "data/decimal.h"
#include "data/json_text.h"
#include "data/schema.h"

static const struct sluice_value a_null; /* type SLUICE_NULL */

static uint32_t name_hash(const char *name, uint32_t len)
{
    uint32_t h = len * 0x9E3779B1u;
    for (uint32_t i = 0; i < len; i++) h = (h ^ (unsigned char)name[i]) * 16777619u;
    return h ^ h >> 15;
}

int json_plan_child(const struct json_plan *plan, const char *name, uint32_t len)
{
    if (!plan->slots) return -1;
    uint32_t at = name_hash(name, len) & plan->slots_mask;
    for (; plan->slots[at]; at = (at + 1) & plan->slots_mask) {
        const struct json_child *child = &plan->children[plan->slots[at] - 1];
        if (child->name_len == len && memcmp(child->name, name, len) == 0) {
            return (int)plan->slots[at] - 1;
        }
    }
    return -1;
}

/* False: two children have one name (err). */
static bool hash_names(struct sluice_arena *arena, struct json_plan *plan, struct sluice_err *err)
{
    uint32_t n = 4;
    while (n < plan->children_n * 2) n *= 2;
    uint32_t *slots = sluice_arena_alloc(arena, n * sizeof *slots);
    memset(slots, 0, n * sizeof *slots);
    plan->slots = slots;
    plan->slots_mask = n - 1;
    for (uint32_t i = 0; i < plan->children_n; i++) {
        const struct json_child *child = &plan->children[i];
        uint32_t at = name_hash(child->name, child->name_len) & plan->slots_mask;
        if (json_plan_child(plan, child->name, child->name_len) >= 0) {
            return sluice_err_set(err, "Cannot create field because of field name duplication %s",
                                  child->name);
        }
        while (slots[at]) at = (at + 1) & plan->slots_mask;
        slots[at] = i + 1;
    }
    return true;
}

/* Buffer's content in the arena with pad readable bytes behind it. */
static const char *keep(struct sluice_arena *arena, const struct sluice_buf *buf, uint32_t *len)
{
    char *copy = sluice_arena_alloc(arena, buf->len + JSON_PREFIX_PAD);
    memcpy(copy, buf->data, buf->len);
    memset(copy + buf->len, 0, JSON_PREFIX_PAD);
    *len = (uint32_t)buf->len;
    return copy;
}

static bool plan_children(struct sluice_arena *arena, const struct json_config *config,
                          struct json_plan *plan, struct sluice_err *err)
{
    const struct sluice_schema *schema = plan->schema;
    struct json_child *children = sluice_arena_alloc(arena, schema->fields_len * sizeof *children);
    struct sluice_buf text;
    bool ok = false;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        struct json_child *child = &children[i];
        child->name = schema->fields[i].name;
        child->name_len = (uint32_t)strlen(child->name);
        sluice_buf_clear(&text);
        if (!sluice_json_raw(&text, i ? "," : "{", 1, err) ||
            !sluice_json_string(&text, child->name, child->name_len, err) ||
            !sluice_json_raw(&text, ":", 1, err)) {
            goto out;
        }
        child->prefix = keep(arena, &text, &child->prefix_len);
        child->plan = NULL;
        for (uint32_t k = 0; k < i && !child->plan; k++) { /* before and after are one schema */
            if (schema->fields[k].schema == schema->fields[i].schema) {
                child->plan = children[k].plan;
            }
        }
        if (!child->plan) {
            child->plan = json_plan_new(arena, config, schema->fields[i].schema, err);
        }
        if (!child->plan) goto out;
    }
    plan->children = children;
    plan->children_n = schema->fields_len;
    ok = hash_names(arena, plan, err);
out:
    sluice_buf_fini(&text);
    return ok;
}

static bool plan_logical(const struct json_config *config, struct json_plan *plan,
                         struct sluice_err *err)
{
    const struct sluice_schema *schema = plan->schema;
    if (schema->type == SLUICE_BYTES && sluice_schema_named(schema, SLUICE_DECIMAL_NAME)) {
        plan->kind = JSON_DECIMAL;
        plan->numeric = config->numeric_decimals;
        return sluice_decimal_scale(schema, &plan->scale, err);
    }
    if (schema->type == SLUICE_INT32) {
        if (sluice_schema_named(schema, "org.apache.kafka.connect.data.Date")) {
            plan->kind = JSON_DATE;
        } else if (sluice_schema_named(schema, "org.apache.kafka.connect.data.Time")) {
            plan->kind = JSON_TIME;
        }
    } else if (schema->type == SLUICE_INT64 &&
               sluice_schema_named(schema, "org.apache.kafka.connect.data.Timestamp")) {
        plan->kind = JSON_TIMESTAMP;
    }
    return true;
}

/* What JsonSchemaConverter writes in another form than JsonConverter. */
static uint8_t loose_kind(const struct sluice_schema *schema)
{
    if (schema->type == SLUICE_MAP) {
        bool object = schema->key->type == SLUICE_STRING && !schema->key->optional;
        return object ? JSON_PLAIN : JSON_ENTRIES;
    }
    if (schema->type == SLUICE_STRING && sluice_schema_named(schema, JSON_ANY_NAME)) {
        return JSON_ANY;
    }
    bool one_of = schema->type == SLUICE_STRUCT && sluice_schema_named(schema, JSON_ONE_OF_NAME);
    for (uint32_t i = 0; schema->type == SLUICE_STRUCT && i < schema->params_len; i++) {
        one_of =
            one_of || strcmp(schema->params[i].key, "org.apache.kafka.connect.data.Union") == 0;
    }
    return one_of ? JSON_UNION : JSON_PLAIN;
}

static bool plan_null(struct sluice_arena *arena, const struct json_config *config,
                      struct json_plan *plan, struct sluice_err *err)
{
    const struct sluice_schema *schema = plan->schema;
    if (schema->optional) {
        plan->null_text = "null\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        plan->null_len = 4;
        plan->null_value = &a_null;
    }
    if (!schema->has_dflt || schema->dflt.type == SLUICE_NULL) return true;
    bool used = config->schemas || config->replace_null || config->loose;
    if (!used) return true; /* then one that cannot be written does no harm, as in Java */
    struct sluice_buf text;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    bool ok = json_encode(&text, plan, &schema->dflt, err);
    if (ok) {
        plan->dflt_text = keep(arena, &text, &plan->dflt_len);
        if (config->replace_null) {
            plan->null_text = plan->dflt_text;
            plan->null_len = plan->dflt_len;
            plan->null_value = &schema->dflt;
        }
    } else {
        sluice_err_wrap(err, "default value of schema %s",
                        schema->name ? schema->name : sluice_type_json(schema->type));
    }
    sluice_buf_fini(&text);
    return ok;
}

const struct json_plan *json_plan_new(struct sluice_arena *arena, const struct json_config *config,
                                      const struct sluice_schema *schema, struct sluice_err *err)
{
    struct json_plan *plan = sluice_arena_alloc(arena, sizeof *plan);
    memset(plan, 0, sizeof *plan);
    plan->schema = schema;
    plan->type = schema->type;
    plan->loose = config->loose;
    if (config->loose) plan->kind = loose_kind(schema);
    if (!plan_logical(config, plan, err)) return NULL;
    if (schema->type == SLUICE_STRUCT && !plan_children(arena, config, plan, err)) return NULL;
    if (schema->key && !(plan->key = json_plan_new(arena, config, schema->key, err))) return NULL;
    if (schema->elem && !(plan->elem = json_plan_new(arena, config, schema->elem, err))) {
        return NULL;
    }
    if (!plan_null(arena, config, plan, err)) return NULL;
    assert(plan->null_text || !plan->null_value);
    return plan;
}
