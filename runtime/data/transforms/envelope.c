/* envelope.c - see envelope.h. */
#include "data/transforms/envelope.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/schema.h"

#define PLANS_MAX 1000
#define DROPS_BYTES ((size_t)16 << 20)
#define DROP_KEY_BYTES ((size_t)1 << 20)

/* ---- names ---- */

/* Where a name without a dot is looked for. */
static const char *usual_parent(const char *field)
{
    static const char *const top[] = {"op", "ts_ms", "ts_us", "ts_ns"};
    static const char *const transaction[] = {"id", "data_collection_order", "total_order"};
    for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
        if (strcmp(field, top[i]) == 0) return NULL;
    }
    for (size_t i = 0; i < sizeof transaction / sizeof *transaction; i++) {
        if (strcmp(field, transaction[i]) == 0) return "transaction";
    }
    return "source";
}

bool envelope_names(const char *const *list, const char *prefix, const char *key,
                    struct envelope_name **names, size_t *n, struct sluice_err *err)
{
    size_t cap = 0;
    for (; *list; list++) {
        const char *text = *list, *colon = strchr(text, ':');
        size_t len = colon ? (size_t)(colon - text) : strlen(text);
        const char *dot = memchr(text, '.', len);
        if (len == 0 || dot == text || (colon && (!colon[1] || strchr(colon + 1, ':')))) {
            return sluice_err_set(err,
                                  "Unexpected field name: %s (%s): write field, struct.field "
                                  "or either with :name behind it",
                                  text, key);
        }
        *names = sluice_xgrow(*names, *n, &cap, sizeof **names);
        struct envelope_name *name = &(*names)[(*n)++];
        if (dot) {
            size_t rest = len - (size_t)(dot + 1 - text);
            const char *second = memchr(dot + 1, '.', rest);
            name->parent = sluice_xstrndup(text, (size_t)(dot - text));
            name->field = sluice_xstrndup(dot + 1, second ? (size_t)(second - dot - 1) : rest);
        } else {
            name->field = sluice_xstrndup(text, len);
            name->parent = sluice_xstrdup(usual_parent(name->field));
        }
        if (!prefix) prefix = "";
        if (colon) name->added = sluice_xasprintf("%s%s", prefix, colon + 1);
        else if (dot) name->added = sluice_xasprintf("%s%s_%s", prefix, name->parent, name->field);
        else name->added = sluice_xasprintf("%s%s", prefix, name->field);
    }
    return true;
}

static void names_free(struct envelope_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(names[i].parent);
        free(names[i].field);
        free(names[i].added);
    }
    free(names);
}

/* ---- plans ---- */

bool envelope_named(const struct sluice_schema *schema)
{
    static const char suffix[] = ".Envelope";
    if (schema->type != SLUICE_STRUCT || !schema->name) return false;
    size_t len = strlen(schema->name), n = sizeof suffix - 1;
    return len >= n && memcmp(schema->name + len - n, suffix, n) == 0;
}

static int field_index(const struct sluice_schema *schema, const char *name)
{
    return schema->type == SLUICE_STRUCT ? sluice_schema_field(schema, name, strlen(name)) : -1;
}

/* Looks in the parent, then in the envelope itself, where another transform may have put it. */
static struct envelope_ref find_ref(const struct sluice_schema *envelope,
                                    const struct envelope_name *name)
{
    struct envelope_ref ref = {-1, -1, NULL};
    const struct sluice_schema *in = envelope;
    if (name->parent) {
        ref.parent = field_index(envelope, name->parent);
        if (ref.parent >= 0) in = envelope->fields[ref.parent].schema;
    }
    ref.field = field_index(in, name->field);
    if (ref.field < 0) {
        ref.parent = -1;
        in = envelope;
        ref.field = field_index(in, name->field);
    }
    if (ref.field < 0) return ref;
    struct sluice_schema added = *in->fields[ref.field].schema; /* optional and without default */
    added.optional = true;
    added.has_dflt = false;
    ref.schema = sluice_schema_intern(&added);
    return ref;
}

static struct envelope_ref *find_refs(const struct sluice_schema *envelope,
                                      const struct envelope_name *names, size_t n)
{
    struct envelope_ref *refs = sluice_xcalloc(n + 1, sizeof *refs);
    for (size_t i = 0; i < n; i++) refs[i] = find_ref(envelope, &names[i]);
    return refs;
}

/* The row's schema with what is added: name, version, doc and parameters stay, optional goes. */
static const struct sluice_schema *row_schema(const struct envelope_config *config,
                                              const struct envelope_plan *plan,
                                              const struct sluice_schema *row)
{
    struct sluice_schema out = *row;
    struct sluice_field *fields =
        sluice_xcalloc(row->fields_len + 1 + config->fields_n, sizeof *fields);
    uint32_t n = row->fields_len;
    if (n) memcpy(fields, row->fields, n * sizeof *fields);
    if (config->rewrite) fields[n++] = (struct sluice_field){"__deleted", config->optional_text};
    for (size_t i = 0; i < config->fields_n; i++) {
        if (!plan->fields[i].schema) continue;
        fields[n++] = (struct sluice_field){config->fields[i].added, plan->fields[i].schema};
    }
    assert(n <= row->fields_len + 1 + config->fields_n);
    out.fields = fields;
    out.fields_len = n;
    out.optional = out.has_dflt = false;
    const struct sluice_schema *schema = sluice_schema_intern(&out);
    free(fields);
    return schema;
}

static void refs_free(struct envelope_ref *refs, size_t n)
{
    for (size_t i = 0; i < n; i++) sluice_schema_free(refs[i].schema);
    free(refs);
}

static void plan_drop(struct sluice_lru_node *node)
{
    struct envelope_plan *plan = (struct envelope_plan *)node;
    refs_free(plan->fields, plan->fields_n);
    refs_free(plan->headers, plan->headers_n);
    sluice_schema_free(plan->old.out);
    sluice_schema_free(plan->new.out);
    sluice_schema_free(plan->schema);
    free(plan);
}

static bool plan_rows(const struct sluice_schema *schema, struct envelope_plan *plan,
                      struct sluice_err *err)
{
    plan->before = field_index(schema, "before");
    plan->after = field_index(schema, "after");
    if (plan->before < 0 || plan->after < 0) {
        return sluice_err_set(err,
                              "Unknown field: %s: the schema %s is named like a change event "
                              "but has no such field",
                              plan->after < 0 ? "after" : "before", schema->name);
    }
    plan->old.in = schema->fields[plan->before].schema;
    plan->new.in = schema->fields[plan->after].schema;
    if (plan->old.in->type != SLUICE_STRUCT || plan->new.in->type != SLUICE_STRUCT) {
        return sluice_err_set(err,
                              "Only Struct objects supported for [source field insertion]: "
                              "the rows of schema %s are of another type",
                              schema->name);
    }
    return true;
}

const struct envelope_plan *envelope_plan_of(struct envelope_config *config,
                                             const struct sluice_schema *schema,
                                             struct sluice_err *err)
{
    struct sluice_lru_node *node = config->plans.newest;
    if (node && node->key == schema) return (struct envelope_plan *)node;
    node = sluice_lru_get(&config->plans, schema, 0);
    if (node) return (struct envelope_plan *)node;
    struct envelope_plan *plan = sluice_xcalloc(1, sizeof *plan);
    if (!plan_rows(schema, plan, err)) {
        free(plan);
        return NULL;
    }
    plan->schema = sluice_schema_hold(schema);
    plan->fields = find_refs(schema, config->fields, config->fields_n);
    plan->fields_n = config->fields_n;
    plan->headers = find_refs(schema, config->headers, config->headers_n);
    plan->headers_n = config->headers_n;
    plan->old.out = row_schema(config, plan, plan->old.in);
    plan->new.out = row_schema(config, plan, plan->new.in);
    plan->node.key = schema;
    plan->node.bytes = sizeof *plan;
    sluice_lru_put(&config->plans, &plan->node);
    return plan;
}

/* ---- dropping fields that a header lists ---- */

static bool listed(const struct sluice_value *names, const char *name)
{
    size_t len = strlen(name);
    for (uint32_t i = 0; i < names->len; i++) {
        const struct sluice_value *item = &names->u.v[i];
        if (item->type == SLUICE_STRING && item->len == len && memcmp(item->u.s, name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* What a schema without the listed fields is: worked out once for each schema and list. */
struct drop_plan {
    struct sluice_lru_node node;
    const struct sluice_schema *in, *out; /* held */
    char *key;
    uint32_t *kept; /* indices in in, as many as out has fields */
};

static void drop_plan_drop(struct sluice_lru_node *node)
{
    struct drop_plan *plan = (struct drop_plan *)node;
    sluice_schema_free(plan->in);
    sluice_schema_free(plan->out);
    free(plan->key);
    free(plan->kept);
    free(plan);
}

static struct drop_plan *drop_plan_new(const struct envelope_config *config,
                                       const struct sluice_value *names,
                                       const struct sluice_schema *in)
{
    struct drop_plan *plan = sluice_xcalloc(1, sizeof *plan);
    struct sluice_field *fields = sluice_xcalloc(in->fields_len + 1, sizeof *fields);
    plan->kept = sluice_xcalloc(in->fields_len + 1, sizeof *plan->kept);
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->fields_len; i++) {
        bool may = in->fields[i].schema->optional || !config->drop_optional_only;
        if (may && listed(names, in->fields[i].name)) continue;
        plan->kept[n] = i;
        fields[n++] = in->fields[i];
    }
    assert(n <= in->fields_len);
    plan->in = sluice_schema_hold(in);
    if (n == in->fields_len) {
        plan->out = sluice_schema_hold(in);
    } else {
        struct sluice_schema out = *in;
        out.fields = fields;
        out.fields_len = n;
        out.optional = out.has_dflt = false;
        plan->out = sluice_schema_intern(&out);
    }
    free(fields);
    return plan;
}

/* Valid until the next call; NULL: the list is too long (err). */
static const struct drop_plan *drop_plan_of(struct envelope_config *config,
                                            const struct sluice_value *names,
                                            const struct sluice_schema *in, struct sluice_err *err)
{
    struct sluice_buf *key = &config->drop_key;
    sluice_buf_clear(key);
    bool ok = sluice_buf_add(key, &in, sizeof in);
    for (uint32_t i = 0; ok && i < names->len; i++) {
        const struct sluice_value *name = &names->u.v[i];
        if (name->type != SLUICE_STRING) continue;
        ok = sluice_buf_add(key, &name->len, sizeof name->len) &&
             sluice_buf_add(key, name->u.s, name->len);
    }
    if (!ok) {
        sluice_err_set(err, "the header %s lists too many names", config->drop_header);
        return NULL;
    }
    struct sluice_lru_node *node = sluice_lru_get(&config->drops, key->data, key->len);
    if (node) return (struct drop_plan *)node;
    struct drop_plan *fresh = drop_plan_new(config, names, in);
    fresh->key = sluice_xmalloc(key->len);
    memcpy(fresh->key, key->data, key->len);
    fresh->node.key = fresh->key;
    fresh->node.key_len = key->len;
    fresh->node.bytes = sizeof *fresh + key->len;
    sluice_lru_put(&config->drops, &fresh->node);
    return fresh;
}

static bool drop_from(struct envelope_config *config, struct sluice_batch *batch,
                      const struct sluice_value *names, const struct sluice_schema **schema,
                      struct sluice_value *v, struct sluice_err *err)
{
    const struct sluice_schema *in = *schema;
    if (!in || in->type != SLUICE_STRUCT || v->type != SLUICE_STRUCT) return true;
    const struct drop_plan *plan = drop_plan_of(config, names, in, err);
    if (!plan) return false;
    if (plan->out == in) return true;
    uint32_t n = plan->out->fields_len;
    struct sluice_value *values = sluice_batch_alloc(batch, n * sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        const struct sluice_schema *field = plan->out->fields[i].schema;
        assert(plan->kept[i] < v->len); /* a struct has the fields of its schema */
        values[i] = v->u.v[plan->kept[i]];
        if (values[i].type == SLUICE_NULL && field->has_dflt) values[i] = field->dflt;
    }
    sluice_batch_hold(batch, plan->out); /* default values above are its */
    *schema = plan->out;
    *v = sluice_nested(SLUICE_STRUCT, values, n);
    return true;
}

bool envelope_drop_fields(struct envelope_config *config, struct sluice_batch *batch,
                          struct sluice_record *rec, struct sluice_err *err)
{
    if (!config->drop_header) return true;
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        const struct sluice_header *header = &rec->headers[i];
        if (strcmp(header->key, config->drop_header) != 0) continue;
        if (header->value.type == SLUICE_NULL) return true;
        if (header->value.type != SLUICE_ARRAY) {
            return sluice_err_set(err,
                                  "header %s of a record of topic %s is no list of field "
                                  "names (drop.fields.header.name)",
                                  config->drop_header, rec->topic ? rec->topic : "");
        }
        return (!config->drop_from_key ||
                drop_from(config, batch, &header->value, &rec->key_schema, &rec->key, err)) &&
               drop_from(config, batch, &header->value, &rec->value_schema, &rec->value, err);
    }
    return true;
}

/* ---- the config ---- */

void envelope_init(struct envelope_config *config)
{
    struct sluice_schema text = {.type = SLUICE_STRING};
    config->text = sluice_schema_intern(&text);
    text.optional = true;
    config->optional_text = sluice_schema_intern(&text);
    sluice_lru_init(&config->plans, PLANS_MAX, SIZE_MAX, plan_drop);
    sluice_lru_init(&config->drops, PLANS_MAX, DROPS_BYTES, drop_plan_drop);
    sluice_buf_init(&config->drop_key, DROP_KEY_BYTES);
}

void envelope_fini(struct envelope_config *config)
{
    sluice_lru_fini(&config->plans);
    sluice_lru_fini(&config->drops);
    sluice_buf_fini(&config->drop_key);
    names_free(config->fields, config->fields_n);
    names_free(config->headers, config->headers_n);
    sluice_schema_free(config->text);
    sluice_schema_free(config->optional_text);
    free(config->route);
    free(config->drop_header);
}
