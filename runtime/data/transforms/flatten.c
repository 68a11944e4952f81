/* flatten.c - org.apache.kafka.connect.transforms.Flatten: fields of nested structs or maps come to
 * the top, under names joined by a delimiter. Owner: the transform's task.
 *
 * A nested struct that is null leaves its fields null, whatever its schema's default says; a field
 * becomes optional when something above it is. Both as Java does it. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "flattening"
#define DEPTH_MAX 1000                        /* nested maps, as the JSON reader allows */
#define NAMES_MAX_BYTES ((size_t)64 << 20)    /* all joined names of one record */
#define SCHEMA_FIELDS_MAX ((size_t)64 * 1024) /* joined fields of one schema */

struct flatten {
    struct smt smt;
    char *delimiter;
    size_t delimiter_len;
};

/* ---- schemas ---- */

struct building {
    const struct flatten *flatten;
    struct smt_builder builder;
    struct sluice_batch names; /* and schemas on their way */
    struct sluice_err *err;
};

static const char *join(struct building *b, const char *prefix, const char *name)
{
    if (!*prefix) return name;
    size_t p = strlen(prefix), d = b->flatten->delimiter_len, n = strlen(name);
    char *to = sluice_batch_alloc(&b->names, p + d + n + 1);
    memcpy(to, prefix, p);
    memcpy(to + p, b->flatten->delimiter, d);
    memcpy(to + p + d, name, n + 1);
    return to;
}

/* optional: something above is. dflt: of the struct that has this schema; NULL: none. */
static bool build(struct building *b, const struct sluice_schema *schema, const char *prefix,
                  bool optional, const struct sluice_value *dflt)
{
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const struct sluice_field *field = &schema->fields[i];
        const char *name = join(b, prefix, field->name);
        const struct sluice_value *above = dflt ? &dflt->u.v[i] : NULL;
        if (field->schema->has_dflt) above = &field->schema->dflt;
        if (above && above->type == SLUICE_NULL) above = NULL;
        bool may_miss = optional || field->schema->optional;
        if (field->schema->type == SLUICE_STRUCT) {
            if (!build(b, field->schema, name, may_miss, above)) return false;
            continue;
        }
        if (field->schema->type == SLUICE_MAP) {
            return sluice_err_set(b->err,
                                  "Flatten transformation does not support MAP for record with "
                                  "schemas (for field %s).",
                                  name);
        }
        if (b->builder.n >= SCHEMA_FIELDS_MAX) {
            return sluice_err_set(b->err, "the flattened schema has more than %zu fields",
                                  SCHEMA_FIELDS_MAX);
        }
        struct sluice_schema *made = sluice_batch_alloc(&b->names, sizeof *made);
        *made = *field->schema;
        made->optional = may_miss;
        made->has_dflt = above != NULL;
        if (above) made->dflt = *above;
        if (!smt_build_field(&b->builder, name, made, b->err)) return false;
    }
    return true;
}

static const struct smt_plan *plan_of(struct flatten *flatten, const struct sluice_schema *in,
                                      struct sluice_err *err)
{
    struct smt_plan *plan = smt_plan_find(&flatten->smt, in);
    if (plan) return plan;
    struct building b = {.flatten = flatten, .err = err};
    sluice_batch_init(&b.names);
    smt_build(&b.builder, in);
    if (build(&b, in, "", in->optional, in->has_dflt ? &in->dflt : NULL)) {
        plan = sluice_xcalloc(1, sizeof *plan);
        smt_plan_put(&flatten->smt, plan, in, smt_build_done(&b.builder));
    }
    smt_build_fini(&b.builder);
    sluice_batch_fini(&b.names);
    return plan;
}

/* ---- structs ---- */

struct filling {
    struct sluice_value *to;
    const struct sluice_field *fields; /* flattened, one for each of to */
    size_t n;
    struct sluice_err *err;
};

static void fill_null(struct filling *f, const struct sluice_schema *schema)
{
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const struct sluice_schema *below = schema->fields[i].schema;
        if (below->type == SLUICE_STRUCT) fill_null(f, below);
        else f->to[f->n++] = sluice_null();
    }
}

static bool fill(struct filling *f, const struct sluice_schema *schema,
                 const struct sluice_value *v)
{
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const struct sluice_schema *below = schema->fields[i].schema;
        const struct sluice_value *from = &v->u.v[i];
        if (below->type != SLUICE_STRUCT) {
            if (!smt_put(&f->to[f->n], from, below, &f->fields[f->n], true, f->err)) return false;
            f->n++;
        } else if (from->type == SLUICE_NULL) {
            fill_null(f, below);
        } else if (!smt_require_struct(below, from, PURPOSE, f->err) || !fill(f, below, from)) {
            return false;
        }
    }
    return true;
}

static bool apply_struct(struct flatten *flatten, struct sluice_batch *batch, struct smt_side side,
                         struct sluice_err *err)
{
    if (!smt_require_struct(*side.schema, side.value, PURPOSE, err)) return false;
    const struct smt_plan *plan = plan_of(flatten, *side.schema, err);
    if (!plan) return false;
    size_t n = plan->out->fields_len;
    assert(plan->in == *side.schema);
    struct filling f = {.fields = plan->out->fields, .err = err};
    f.to = sluice_batch_alloc(batch, n * sizeof *f.to);
    if (!fill(&f, plan->in, side.value)) return false;
    assert(f.n == n);
    sluice_batch_hold(batch, plan->in); /* defaults may lie in it */
    smt_set(batch, side, plan->out, sluice_nested(SLUICE_STRUCT, f.to, n));
    return true;
}

/* ---- maps ---- */

struct joining {
    const struct flatten *flatten;
    struct sluice_batch *batch;
    struct smt_map map;
    uint32_t *slots; /* entry + 1 by the hash of its name; 0: free */
    size_t slots_n, bytes;
    struct sluice_err *err;
};

/* Entries that are no maps, at all depths; false: too deep. nested: not all of them are plain. */
static bool count_leaves(const struct sluice_value *map, unsigned depth, size_t *n, bool *nested)
{
    for (uint32_t i = 0; i < map->len; i++) {
        const struct sluice_value *v = &map->u.v[2 * (size_t)i + 1];
        if (v->type >= SLUICE_MAP) *nested = true;
        if (v->type != SLUICE_MAP) {
            ++*n;
            continue;
        }
        if (depth == DEPTH_MAX || !count_leaves(v, depth + 1, n, nested)) return false;
    }
    return true;
}

/* The slot of this name: its entry's, or a free one. */
static uint32_t *find_slot(struct joining *j, const char *s, size_t len)
{
    uint64_t h = len;
    assert(j->map.n < j->slots_n); /* one is free */
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001B3);
    for (h ^= h >> 32;; h++) {
        uint32_t *slot = &j->slots[h & (j->slots_n - 1)];
        if (*slot == 0) return slot;
        const struct sluice_value *key = &j->map.items[2 * (size_t)(*slot - 1)];
        if (key->len == len && (len == 0 || memcmp(key->u.s, s, len) == 0)) return slot;
    }
}

/* The later of two entries whose joined names are the same counts. */
static void put(struct joining *j, const char *name, size_t len, const struct sluice_value *v)
{
    uint32_t *slot = find_slot(j, name, len);
    if (*slot == 0) {
        assert(j->map.n < j->map.cap);
        *slot = (uint32_t)++j->map.n;
        j->map.items[2 * (*slot - 1)] = sluice_string(name, len);
    }
    j->map.items[2 * (*slot - 1) + 1] = *v;
}

static bool join_map(struct joining *j, const struct sluice_value *map, const char *prefix,
                     size_t prefix_len)
{
    size_t d = j->flatten->delimiter_len;
    for (uint32_t i = 0; i < map->len; i++) {
        const struct sluice_value *key = &map->u.v[2 * (size_t)i], *v = key + 1;
        if (key->type != SLUICE_STRING) {
            return sluice_err_set(j->err, "cannot flatten a map whose keys are no strings");
        }
        const char *name = key->u.s;
        size_t len = key->len;
        if (prefix_len) {
            len += prefix_len + d;
            if ((j->bytes += len) > NAMES_MAX_BYTES) {
                return sluice_err_set(j->err,
                                      "the flattened names of this record take more than "
                                      "%zu bytes",
                                      NAMES_MAX_BYTES);
            }
            char *to = sluice_batch_alloc(j->batch, len);
            memcpy(to, prefix, prefix_len);
            memcpy(to + prefix_len, j->flatten->delimiter, d);
            if (key->len) memcpy(to + prefix_len + d, key->u.s, key->len);
            name = to;
        }
        if (v->type == SLUICE_STRUCT) {
            return sluice_err_set(j->err,
                                  "Flatten transformation does not support class %s for record "
                                  "without schemas (for field %.*s).",
                                  smt_class(NULL, v), (int)(len < 200 ? len : 200), name);
        }
        if (v->type != SLUICE_MAP) put(j, name, len, v);
        else if (!join_map(j, v, name, len)) return false;
    }
    return true;
}

static bool apply_map(const struct flatten *flatten, struct sluice_batch *batch,
                      struct smt_side side, struct sluice_err *err)
{
    size_t n = 0;
    bool nested = false;
    if (!smt_require_map(NULL, side.value, PURPOSE, err)) return false;
    if (!count_leaves(side.value, 1, &n, &nested)) {
        return sluice_err_set(err, "cannot flatten maps that are nested deeper than %d", DEPTH_MAX);
    }
    if (!nested) return true; /* flat already */
    struct joining j = {.flatten = flatten, .batch = batch, .err = err, .slots_n = 8};
    while (j.slots_n < 2 * n) j.slots_n *= 2;
    j.slots = sluice_batch_alloc(batch, j.slots_n * sizeof *j.slots);
    memset(j.slots, 0, j.slots_n * sizeof *j.slots);
    j.map = smt_map_copy(batch, NULL, n);
    if (!join_map(&j, side.value, "", 0)) return false;
    *side.value = smt_map_value(&j.map);
    return true;
}

/* ---- the plugin ---- */

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct flatten *flatten = self;
    struct smt_side side = smt_side(&flatten->smt, rec);
    if (side.value->type == SLUICE_NULL) return SLUICE_OK;
    bool ok = *side.schema ? apply_struct(flatten, batch, side, err)
                           : apply_map(flatten, batch, side, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)err;
    struct flatten *flatten = sluice_xcalloc(1, sizeof *flatten);
    *self = flatten;
    smt_init(&flatten->smt, form, NULL);
    flatten->delimiter = sluice_xstrdup(host->str(conf, "delimiter"));
    flatten->delimiter_len = strlen(flatten->delimiter);
    return SLUICE_OK;
}

static void close(void *self)
{
    struct flatten *flatten = self;
    if (!flatten) return;
    smt_fini(&flatten->smt);
    free(flatten->delimiter);
    free(flatten);
}

static const struct sluice_option options[] = {
    {"delimiter", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, ".", NULL, NULL,
     "What stands between the names of a field and of what held it."},
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(flatten, "flatten", "Flatten", NULL);
