/* header_from.c - org.apache.kafka.connect.transforms.HeaderFrom: fields of a key or value are
 * copied or moved to headers. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

struct pair {
    char *field, *header;
};

struct header_from {
    struct smt smt;
    bool move;
    struct pair *pairs;
    size_t n;
};

struct plan {
    struct smt_plan head; /* out: without the moved fields; NULL when copying */
    uint32_t *fields;     /* index of each pair's field */
    uint32_t *kept;       /* index of each field of out */
};

static void plan_free(struct plan *plan)
{
    smt_plan_fini(&plan->head);
    free(plan->fields);
    free(plan->kept);
    free(plan);
}

static void plan_drop(struct sluice_lru_node *node) { plan_free((struct plan *)node); }

static bool is_listed(const struct header_from *from, const char *field)
{
    for (size_t i = 0; i < from->n; i++) {
        if (strcmp(from->pairs[i].field, field) == 0) return true;
    }
    return false;
}

static const struct sluice_schema *kept_schema(const struct header_from *from, struct plan *plan,
                                               const struct sluice_schema *in)
{
    struct smt_builder builder;
    plan->kept = sluice_xcalloc(in->fields_len + 1, sizeof *plan->kept);
    smt_build(&builder, in);
    for (uint32_t i = 0; i < in->fields_len; i++) {
        const struct sluice_field *field = &in->fields[i];
        if (is_listed(from, field->name)) continue;
        plan->kept[builder.n] = i;
        bool ok = smt_build_field(&builder, field->name, field->schema, NULL);
        assert(ok); /* names of a schema are unique */
    }
    return smt_build_done(&builder);
}

static const struct plan *plan_of(struct header_from *from, const struct sluice_schema *in,
                                  struct sluice_err *err)
{
    struct plan *plan = (struct plan *)smt_plan_find(&from->smt, in);
    if (plan) return plan;
    plan = sluice_xcalloc(1, sizeof *plan);
    plan->fields = sluice_xcalloc(from->n + 1, sizeof *plan->fields);
    for (size_t i = 0; i < from->n; i++) {
        const char *name = from->pairs[i].field;
        int at = sluice_schema_field(in, name, strlen(name));
        if (at < 0) {
            sluice_err_set(err,
                           "Unknown field: %s: it is to become header %s, but the schema %s "
                           "has no such field",
                           name, from->pairs[i].header, in->name ? in->name : "without name");
            plan_free(plan);
            return NULL;
        }
        plan->fields[i] = (uint32_t)at;
    }
    smt_plan_put(&from->smt, &plan->head, in, from->move ? kept_schema(from, plan, in) : NULL);
    return plan;
}

/* As ConnectHeaders checks it. */
static bool may_be_null(const struct sluice_schema *schema, struct sluice_err *err)
{
    if (schema->optional) return true;
    return sluice_err_set(err, "A null value requires an optional schema but was Schema{%s%s%s}",
                          schema->name ? schema->name : "", schema->name ? ":" : "",
                          sluice_type_name(schema->type));
}

static struct sluice_header *header_at(const struct header_from *from, struct sluice_batch *batch,
                                       struct sluice_header *headers, size_t old, size_t i)
{
    assert(i < from->n);
    const char *name = from->pairs[i].header;
    headers[old + i].key = smt_text(batch, name, strlen(name));
    return &headers[old + i];
}

/* The struct without the moved fields. */
static bool keep_others(const struct header_from *from, struct sluice_batch *batch,
                        const struct plan *plan, const struct sluice_value *have,
                        struct sluice_value *v, struct sluice_err *err)
{
    const struct sluice_schema *out = plan->head.out;
    assert(out->fields_len <= plan->head.in->fields_len);
    struct sluice_value *to = sluice_batch_alloc(batch, out->fields_len * sizeof *to);
    for (uint32_t i = 0; i < out->fields_len; i++) {
        const struct sluice_field *field = &out->fields[i];
        if (!smt_put(&to[i], &have[plan->kept[i]], field->schema, field, from->smt.replace_null,
                     err)) {
            return false;
        }
    }
    *v = sluice_nested(SLUICE_STRUCT, to, out->fields_len);
    return true;
}

static bool apply_struct(struct header_from *from, struct sluice_batch *batch, struct smt_side side,
                         struct sluice_header *headers, size_t old, struct sluice_err *err)
{
    const char *purpose = from->move ? "header move" : "header copy";
    const struct sluice_schema *in = *side.schema;
    struct sluice_value kept = *side.value;
    if (!smt_require_struct(in, side.value, purpose, err)) return false;
    const struct plan *plan = plan_of(from, in, err);
    if (!plan) return false;
    const struct sluice_value *have = side.value->u.v;
    if (from->move && !keep_others(from, batch, plan, have, &kept, err)) return false;
    sluice_batch_hold(batch, in); /* headers have its fields' schemas */
    for (size_t i = 0; i < from->n; i++) {
        const struct sluice_schema *schema = in->fields[plan->fields[i]].schema;
        struct sluice_header *header = header_at(from, batch, headers, old, i);
        header->schema = schema;
        header->value = have[plan->fields[i]];
        if (header->value.type != SLUICE_NULL) continue;
        if (from->smt.replace_null && schema->has_dflt) header->value = schema->dflt;
        else if (!may_be_null(schema, err)) return false;
    }
    smt_set(batch, side, from->move ? plan->head.out : in, kept);
    return true;
}

static bool apply_map(const struct header_from *from, struct sluice_batch *batch,
                      struct smt_side side, struct sluice_header *headers, size_t old,
                      struct sluice_err *err)
{
    if (!smt_require_map(NULL, side.value, from->move ? "header move" : "header copy", err)) {
        return false;
    }
    const struct sluice_value *map = side.value;
    for (size_t i = 0; i < from->n; i++) {
        const char *field = from->pairs[i].field;
        const struct sluice_value *have = smt_map_get(map, field, strlen(field));
        struct sluice_header *header = header_at(from, batch, headers, old, i);
        header->schema = NULL;
        header->value = have ? *have : sluice_null();
    }
    if (!from->move) return true;
    struct smt_map kept = smt_map_copy(batch, map, 0);
    kept.n = 0;
    for (size_t i = 0; i < map->len; i++) {
        const struct sluice_value *key = &map->u.v[2 * i];
        bool listed = false;
        for (size_t k = 0; k < from->n && !listed; k++) {
            listed = smt_is_key(key, from->pairs[k].field, strlen(from->pairs[k].field));
        }
        if (listed) continue;
        memcpy(&kept.items[2 * kept.n++], key, 2 * sizeof *key);
    }
    *side.value = smt_map_value(&kept);
    return true;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct header_from *from = self;
    struct smt_side side = smt_side(&from->smt, rec);
    size_t old = rec->headers_len;
    struct sluice_header *headers = sluice_batch_alloc(batch, (old + from->n) * sizeof *headers);
    if (old) memcpy(headers, rec->headers, old * sizeof *headers);
    bool ok = *side.schema ? apply_struct(from, batch, side, headers, old, err)
                           : apply_map(from, batch, side, headers, old, err);
    if (!ok) return SLUICE_FAIL;
    rec->headers = headers;
    rec->headers_len = (uint32_t)(old + from->n);
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct header_from *from = sluice_xcalloc(1, sizeof *from);
    const char *const *fields = host->list(conf, "fields");
    const char *const *headers = host->list(conf, "headers");
    size_t fields_n = 0, headers_n = 0;
    *self = from;
    smt_init(&from->smt, form, plan_drop);
    from->smt.replace_null = host->flag(conf, "replace.null.with.default");
    from->move = strcmp(host->str(conf, "operation"), "move") == 0;
    while (fields[fields_n]) fields_n++;
    while (headers[headers_n]) headers_n++;
    if (fields_n != headers_n) {
        return sluice_fail(err,
                           "'fields' config must have the same number of elements as 'headers' "
                           "config.");
    }
    from->pairs = sluice_xcalloc(fields_n + 1, sizeof *from->pairs);
    for (; from->n < fields_n; from->n++) {
        from->pairs[from->n].field = sluice_xstrdup(fields[from->n]);
        from->pairs[from->n].header = sluice_xstrdup(headers[from->n]);
    }
    return SLUICE_OK;
}

static void close(void *self)
{
    struct header_from *from = self;
    if (!from) return;
    smt_fini(&from->smt);
    for (size_t i = 0; i < from->n; i++) {
        free(from->pairs[i].field);
        free(from->pairs[i].header);
    }
    free(from->pairs);
    free(from);
}

static const struct sluice_option options[] = {
    {"fields", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "The fields that become headers."},
    {"headers", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "The headers' names, in the order of the fields, and as many."},
    {"operation", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, "move|copy", NULL,
     "move takes the fields out of the key or value; copy leaves them there."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(header_from, "header-from", "HeaderFrom", NULL);
