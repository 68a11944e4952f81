/* debezium_header_to_value.c - io.debezium.transforms.HeaderToValue: headers become fields of the
 * value, at the top or, by a path with dots, in structs within it.
 *
 * What the value's schema becomes depends on it and on the schemas of the headers that a record
 * has; both are worked out once for each combination. Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/debezium.h"

#define ENTRIES_MAX 64 /* headers of one record that become fields */
#define STEPS_MAX 32
#define PLANS_MAX 1000

struct pair {
    char *header, *field;
    char *steps[STEPS_MAX]; /* of the field's path */
    size_t n;
};

struct mover {
    struct pair *pairs;
    size_t n;
    bool move;
    struct sluice_lru plans;
};

struct entry { /* a header that a record has */
    const struct pair *pair;
    const struct sluice_header *header;
};

struct key { /* of a plan: the value's schema, then each entry */
    const struct sluice_schema *value;
    struct {
        const struct pair *pair;
        const struct sluice_schema *schema;
    } entries[ENTRIES_MAX];
};

struct plan {
    struct sluice_lru_node node;
    struct key key; /* its schemas are held */
    const struct sluice_schema *out;
};

/* What is under way at one struct: the entries of the mask go into it, or further below. */
struct site {
    const struct entry *entries;
    size_t n, level;
    uint64_t mask;
};

/* ---- which entry goes where ---- */

static bool in_mask(const struct site *site, size_t i) { return site->mask >> i & 1; }

static const char *step(const struct site *site, size_t i)
{
    return site->entries[i].pair->steps[site->level];
}

static bool ends_here(const struct site *site, size_t i)
{
    return in_mask(site, i) && site->entries[i].pair->n == site->level + 1;
}

/* The entries that go below the field of this name. */
static struct site below(const struct site *site, const char *name)
{
    struct site inner = {site->entries, site->n, site->level + 1, 0};
    for (size_t i = 0; i < site->n; i++) {
        if (in_mask(site, i) && !ends_here(site, i) && strcmp(step(site, i), name) == 0) {
            inner.mask |= UINT64_C(1) << i;
        }
    }
    return inner;
}

static int field_of(const struct sluice_schema *schema, const char *name)
{
    return schema ? dbz_field(schema, name) : -1;
}

/* ---- schemas ---- */

static const struct sluice_schema *make_schema(const struct site *site,
                                               const struct sluice_schema *in,
                                               struct sluice_err *err);

static bool has_field(const struct smt_builder *builder, const char *name)
{
    for (size_t i = 0; i < builder->n; i++) {
        if (strcmp(builder->fields[i].name, name) == 0) return true;
    }
    return false;
}

/* A field whose schema is made here; the builder only borrows it, so that it goes to held. */
static bool add_made(struct smt_builder *builder, const struct site *site, const char *name,
                     const struct sluice_schema *in, const struct sluice_schema **held,
                     size_t *held_n, struct sluice_err *err)
{
    const struct sluice_schema *schema = make_schema(site, in, err);
    if (!schema) return false;
    assert(*held_n < ENTRIES_MAX);
    held[(*held_n)++] = schema;
    return smt_build_field(builder, name, schema, err);
}

static bool add_old_fields(struct smt_builder *builder, const struct site *site,
                           const struct sluice_schema *in, const struct sluice_schema **held,
                           size_t *held_n, struct sluice_err *err)
{
    for (uint32_t i = 0; i < in->fields_len; i++) {
        const struct sluice_field *field = &in->fields[i];
        struct site inner = below(site, field->name);
        if (!inner.mask) {
            if (!smt_build_field(builder, field->name, field->schema, err)) return false;
        } else if (field->schema->type != SLUICE_STRUCT) {
            return sluice_err_set(err,
                                  "Field '%s' is a primitive type, not a struct. Cannot add nested "
                                  "field '%s'.",
                                  field->name,
                                  site->entries[__builtin_ctzll(inner.mask)].pair->field);
        } else if (!add_made(builder, &inner, field->name, field->schema, held, held_n, err)) {
            return false;
        }
    }
    return true;
}

static bool add_new_fields(struct smt_builder *builder, const struct site *site,
                           const struct sluice_schema *in, const struct sluice_schema **held,
                           size_t *held_n, struct sluice_err *err)
{
    for (size_t i = 0; i < site->n; i++) {
        if (!ends_here(site, i) || has_field(builder, step(site, i))) continue;
        const struct sluice_schema *schema = site->entries[i].header->schema;
        if (!schema) {
            return sluice_err_set(err,
                                  "fieldSchema for field %s cannot be null.: the header %s has no "
                                  "schema",
                                  step(site, i), site->entries[i].pair->header);
        }
        if (!smt_build_field(builder, step(site, i), schema, err)) return false;
    }
    for (size_t i = 0; i < site->n; i++) {
        if (!in_mask(site, i) || ends_here(site, i)) continue;
        struct site inner = below(site, step(site, i));
        bool made = inner.mask & ((UINT64_C(1) << i) - 1); /* with an entry before this one */
        if (made || field_of(in, step(site, i)) >= 0) continue;
        if (!add_made(builder, &inner, step(site, i), NULL, held, held_n, err)) return false;
    }
    return true;
}

/* in NULL: a struct that was not there; it is optional, as Debezium makes it. */
static const struct sluice_schema *make_schema(const struct site *site,
                                               const struct sluice_schema *in,
                                               struct sluice_err *err)
{
    const struct sluice_schema *held[ENTRIES_MAX], *out = NULL;
    size_t held_n = 0;
    struct smt_builder builder;
    smt_build(&builder, in);
    builder.schema.optional = !in;
    if ((!in || add_old_fields(&builder, site, in, held, &held_n, err)) &&
        add_new_fields(&builder, site, in, held, &held_n, err)) {
        out = smt_build_done(&builder);
    }
    smt_build_fini(&builder);
    while (held_n) sluice_schema_free(held[--held_n]);
    return out;
}

static void plan_drop(struct sluice_lru_node *node)
{
    struct plan *plan = (struct plan *)node;
    sluice_schema_free(plan->key.value);
    for (size_t i = 0; i < ENTRIES_MAX; i++) sluice_schema_free(plan->key.entries[i].schema);
    sluice_schema_free(plan->out);
    free(plan);
}

static const struct plan *plan_of(struct mover *self, const struct site *site,
                                  const struct sluice_schema *in, struct sluice_err *err)
{
    struct key key;
    assert(site->n > 0 && site->n <= ENTRIES_MAX);
    size_t len = offsetof(struct key, entries) + site->n * sizeof key.entries[0];
    memset(&key, 0, sizeof key);
    key.value = in;
    for (size_t i = 0; i < site->n; i++) {
        key.entries[i].pair = site->entries[i].pair;
        key.entries[i].schema = site->entries[i].header->schema;
    }
    struct sluice_lru_node *node = sluice_lru_get(&self->plans, &key, len);
    if (node) return (struct plan *)node;
    const struct sluice_schema *out = make_schema(site, in, err);
    if (!out) return NULL;
    struct plan *plan = sluice_xcalloc(1, sizeof *plan);
    plan->key = key;
    plan->out = out;
    sluice_schema_hold(in);
    for (size_t i = 0; i < site->n; i++) sluice_schema_hold(key.entries[i].schema);
    plan->node.key = &plan->key;
    plan->node.key_len = len;
    plan->node.bytes = sizeof *plan;
    sluice_lru_put(&self->plans, &plan->node);
    return plan;
}

/* ---- values ---- */

/* in, old: what was there, or NULL. Fields of in come first in out, in the same order. */
static bool make_value(struct sluice_batch *batch, const struct site *site,
                       const struct sluice_schema *in, const struct sluice_value *old,
                       const struct sluice_schema *out, struct sluice_value *to,
                       struct sluice_err *err)
{
    uint32_t n = in ? in->fields_len : 0;
    assert(out->type == SLUICE_STRUCT && out->fields_len >= n && site->level < STEPS_MAX);
    struct sluice_value *values = sluice_batch_alloc(batch, out->fields_len * sizeof *values);
    for (uint32_t i = 0; i < out->fields_len; i++) {
        const struct sluice_field *field = &out->fields[i];
        const struct sluice_schema *inner_in = i < n ? in->fields[i].schema : NULL;
        const struct sluice_value *inner_old = i < n ? dbz_get(in, old, (int)i) : NULL;
        struct site inner = below(site, field->name);
        values[i] = inner_old ? *inner_old : sluice_null();
        if (!inner.mask || (inner_old && inner_old->type == SLUICE_NULL)) continue;
        if (inner_old && !smt_require_struct(inner_in, inner_old, "Nested field", err))
            return false;
        if (!make_value(batch, &inner, inner_in, inner_old, field->schema, &values[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < site->n; i++) {
        if (!ends_here(site, i)) continue;
        int at = dbz_field(out, step(site, i));
        assert(at >= 0);
        const struct sluice_header *header = site->entries[i].header;
        const struct sluice_schema *field = out->fields[at].schema;
        bool null = header->value.type == SLUICE_NULL;
        if (null ? !field->optional && !field->has_dflt : header->value.type != field->type) {
            return sluice_err_set(err,
                                  "Invalid value: the header %s does not fit the field \"%s\", "
                                  "schema type: %s",
                                  header->key, out->fields[at].name,
                                  sluice_type_name((enum sluice_type)field->type));
        }
        values[at] = header->value;
    }
    *to = sluice_nested(SLUICE_STRUCT, values, out->fields_len);
    return true;
}

/* ---- records ---- */

static const struct pair *pair_of(const struct mover *self, const char *header)
{
    for (size_t i = 0; i < self->n; i++) {
        if (strcmp(self->pairs[i].header, header) == 0) return &self->pairs[i];
    }
    return NULL;
}

static void remove_headers(const struct mover *self, struct sluice_batch *batch,
                           struct sluice_record *rec)
{
    struct sluice_header *left = sluice_batch_alloc(batch, rec->headers_len * sizeof *left);
    uint32_t n = 0;
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        if (!pair_of(self, rec->headers[i].key)) left[n++] = rec->headers[i];
    }
    rec->headers = left;
    rec->headers_len = n;
}

static enum sluice_verdict apply(void *state, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct mover *self = state;
    struct entry entries[ENTRIES_MAX];
    struct site site = {entries, 0, 0, 0};
    if (rec->value.type == SLUICE_NULL) return SLUICE_OK;
    if (!smt_require_struct(rec->value_schema, &rec->value, "Header field insertion", err)) {
        return SLUICE_FAIL;
    }
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        const struct pair *pair = pair_of(self, rec->headers[i].key);
        if (!pair) continue;
        if (site.n == ENTRIES_MAX) {
            return sluice_fail(err, "the record of topic %s has more than %d headers to move",
                               rec->topic ? rec->topic : "", ENTRIES_MAX);
        }
        site.mask |= UINT64_C(1) << site.n;
        entries[site.n++] = (struct entry){pair, &rec->headers[i]};
    }
    if (site.n == 0) return SLUICE_OK;
    const struct plan *plan = plan_of(self, &site, rec->value_schema, err);
    struct sluice_value value;
    if (!plan ||
        !make_value(batch, &site, rec->value_schema, &rec->value, plan->out, &value, err)) {
        return SLUICE_FAIL;
    }
    sluice_batch_hold(batch, rec->value_schema); /* defaults may be its */
    sluice_batch_hold(batch, plan->out);
    rec->value_schema = plan->out;
    rec->value = value;
    if (self->move) remove_headers(self, batch, rec);
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static bool pair_init(struct pair *pair, const char *header, const char *field,
                      struct sluice_err *err)
{
    pair->header = sluice_xstrdup(header);
    pair->field = sluice_xstrdup(field);
    for (const char *at = field;; at++) {
        size_t n = strcspn(at, ".");
        if (n == 0 || pair->n == STEPS_MAX) {
            return sluice_err_set(err, "fields: %s is no path of names with dots between them",
                                  field);
        }
        pair->steps[pair->n++] = sluice_xstrndup(at, n);
        at += n;
        if (!*at) return true;
    }
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **state,
                                struct sluice_err *err)
{
    (void)task;
    struct mover *self = sluice_xcalloc(1, sizeof *self);
    *state = self;
    sluice_lru_init(&self->plans, PLANS_MAX, SIZE_MAX, plan_drop);
    self->move = strcasecmp(host->str(conf, "operation"), "move") == 0;
    const char *const *headers = host->list(conf, "headers");
    const char *const *fields = host->list(conf, "fields");
    size_t n = 0, cap = 0;
    while (headers[n]) n++;
    while (n && fields[cap]) cap++;
    if (n != cap) {
        return sluice_fail(err, "'fields' config must have the same number of elements as "
                                "'headers' config.");
    }
    self->pairs = sluice_xcalloc(n + 1, sizeof *self->pairs);
    for (; self->n < n; self->n++) {
        if (pair_init(&self->pairs[self->n], headers[self->n], fields[self->n], err)) continue;
        self->n++;
        return SLUICE_FAIL;
    }
    return SLUICE_OK;
}

static void close(void *state)
{
    struct mover *self = state;
    if (!self) return;
    sluice_lru_fini(&self->plans);
    for (size_t i = 0; i < self->n; i++) {
        struct pair *pair = &self->pairs[i];
        for (size_t k = 0; k < pair->n; k++) free(pair->steps[k]);
        free(pair->header);
        free(pair->field);
    }
    free(self->pairs);
    free(self);
}

static const struct sluice_option options[] = {
    {"headers", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "The headers that become fields."},
    {"fields", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "The fields' names in the same order; dots lead into structs."},
    {"operation", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NOCASE, NULL,
     "move|copy", NULL, "Whether the headers are moved, or copied and stay."},
    {0},
};

DBZ_PLUGIN(debezium_header_to_value, "header-to-value", NULL,
           "io.debezium.transforms.HeaderToValue", "HeaderToValue");
