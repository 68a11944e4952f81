/* smt.h - what the transforms of keys and values share.
 *
 * A transform's state begins with a struct smt: its form (key or value) and its plans. A plan is
 * what was worked out for one input schema, found again under the schema's address; it begins with
 * a struct smt_plan, which holds the schema and the one that comes out. All that allocates happens
 * while a plan is made; a record then only takes memory of its batch.
 *
 *     struct smt_side side = smt_side(&self->smt, rec);
 *     if (!*side.schema) return apply_map(...);
 *     if (!smt_require_struct(*side.schema, side.value, PURPOSE, err)) return SLUICE_FAIL;
 *     struct plan *plan = (struct plan *)smt_plan_find(&self->smt, *side.schema);
 *     if (!plan) plan = make_plan(...);   -- ends with smt_plan_put()
 *     ... fill values of plan->head.out, each through smt_put() ...
 *     smt_set(batch, side, plan->head.out, sluice_nested(SLUICE_STRUCT, values, n));
 *
 * Errors are worded as Connect's Requirements, Struct and SchemaBuilder word them. field_path.h
 * finds fields by V1 and V2 paths; smt_plugin.h describes both forms of a transform at once.
 * Owner: the transform's task. */
#ifndef SLUICE_DATA_TRANSFORMS_SMT_H
#define SLUICE_DATA_TRANSFORMS_SMT_H

#include <stdbool.h>
#include <string.h>

#include "data/batch.h"
#include "data/lru.h"
#include "data/schema.h"

/* ---- form and plans ---- */

enum smt_form { SMT_KEY, SMT_VALUE };

struct smt {
    enum smt_form form;
    bool replace_null; /* replace.null.with.default, where the transform has it */
    struct sluice_lru plans;
};

struct smt_plan {
    struct sluice_lru_node node;
    const struct sluice_schema *in, *out; /* held; out may be NULL */
};

struct smt_side { /* the key or the value of a record */
    const struct sluice_schema **schema;
    struct sluice_value *value;
};

/* drop frees a plan (smt_plan_fini() first); NULL: free() after smt_plan_fini() is enough. */
void smt_init(struct smt *smt, enum smt_form form, void (*drop)(struct sluice_lru_node *));
void smt_fini(struct smt *smt); /* takes a zeroed one */
/* Gives back what smt_plan_put() took; the plan's own memory stays. */
void smt_plan_fini(struct smt_plan *plan);
/* Keeps a heap-allocated, zeroed plan; holds in, takes over the hold of out. */
void smt_plan_put(struct smt *smt, struct smt_plan *plan, const struct sluice_schema *in,
                  const struct sluice_schema *out);

/* NULL: none yet. Valid until the next smt_plan_put(). */
static inline struct smt_plan *smt_plan_find(struct smt *smt, const struct sluice_schema *schema)
{
    struct sluice_lru_node *node = smt->plans.newest;
    if (!node || node->key != schema) node = sluice_lru_get(&smt->plans, schema, 0);
    return (struct smt_plan *)node;
}

static inline struct smt_side smt_side(const struct smt *smt, struct sluice_record *rec)
{
    if (smt->form == SMT_KEY) return (struct smt_side){&rec->key_schema, &rec->key};
    return (struct smt_side){&rec->value_schema, &rec->value};
}

/* The batch keeps the schema alive, and with it the defaults in it. */
static inline void smt_set(struct sluice_batch *batch, struct smt_side side,
                           const struct sluice_schema *schema, struct sluice_value value)
{
    sluice_batch_hold(batch, schema);
    *side.schema = schema;
    *side.value = value;
}

/* ---- values ---- */

/* Class.getName() of the value's Java object: "java.lang.String", "null". */
const char *smt_class(const struct sluice_schema *schema, const struct sluice_value *v);
/* True for a struct that fits its schema; else Connect's sentence (purpose: "field extraction"). */
bool smt_require_struct(const struct sluice_schema *schema, const struct sluice_value *v,
                        const char *purpose, struct sluice_err *err);
bool smt_require_map(const struct sluice_schema *schema, const struct sluice_value *v,
                     const char *purpose, struct sluice_err *err);

/* The rest of smt_put(): a default of in, when replace says so, or a null that out must allow. */
bool smt_put_null(struct sluice_value *to, const struct sluice_schema *in,
                  const struct sluice_field *out, bool replace, struct sluice_err *err);

/* Struct.get() or getWithoutDefault() of a field with schema in, then Struct.put() as field out. */
static inline bool smt_put(struct sluice_value *to, const struct sluice_value *from,
                           const struct sluice_schema *in, const struct sluice_field *out,
                           bool replace, struct sluice_err *err)
{
    *to = *from;
    return from->type != SLUICE_NULL || smt_put_null(to, in, out, replace, err);
}

/* smt_put() of n fields whose schemas stay as they are. */
bool smt_put_all(struct sluice_value *to, const struct sluice_value *from,
                 const struct sluice_field *fields, size_t n, bool replace, struct sluice_err *err);

/* A copy of len bytes in the batch: a record must not point into the transform, which may be closed
 * first. */
static inline const char *smt_text(struct sluice_batch *batch, const char *s, size_t len)
{
    return memcpy(sluice_batch_alloc(batch, len + 1), s, len + 1);
}

/* ---- maps without schema, as HashMap does ---- */

struct smt_map {
    struct sluice_value *items; /* 2 * n, from the batch */
    size_t n, cap;
};

/* A copy with room for more entries; from may be NULL. */
struct smt_map smt_map_copy(struct sluice_batch *batch, const struct sluice_value *from,
                            size_t more);
/* Whether an entry's key is this one. */
static inline bool smt_is_key(const struct sluice_value *have, const char *key, size_t len)
{
    return have->type == SLUICE_STRING && have->len == len &&
           (len == 0 || memcmp(have->u.s, key, len) == 0);
}

/* NULL: there is no such key. */
const struct sluice_value *smt_map_get(const struct sluice_value *map, const char *key, size_t len);
/* Replaces the value of the key or appends; there must be room. The key is borrowed. */
void smt_map_put(struct smt_map *map, const char *key, size_t len, struct sluice_value v);
struct sluice_value smt_map_value(const struct smt_map *map);

/* ---- building a struct schema ---- */

struct smt_builder {
    struct sluice_schema schema; /* name, version, doc, parameters; more may be set */
    struct sluice_field *fields; /* names and schemas are borrowed until done */
    size_t n, cap;
};

/* Starts with name, version, doc and parameters of basics (SchemaUtil.copySchemaBasics); NULL:
 * with nothing. */
void smt_build(struct smt_builder *builder, const struct sluice_schema *basics);
/* False: the name is empty or there is such a field already (err). */
bool smt_build_field(struct smt_builder *builder, const char *name,
                     const struct sluice_schema *schema, struct sluice_err *err);
/* All fields of a struct schema. */
bool smt_build_fields(struct smt_builder *builder, const struct sluice_schema *schema,
                      struct sluice_err *err);
/* The interned schema, held; the builder is empty then. */
const struct sluice_schema *smt_build_done(struct smt_builder *builder);
void smt_build_fini(struct smt_builder *builder); /* gives up; after done it does nothing */

#endif
