/* replace_field.c - org.apache.kafka.connect.transforms.ReplaceField: leaves fields out, or only
 * some in, and renames them. Owner: the transform's task.
 *
 * As in Java the value of an output field is looked up by renaming backwards, so that with
 * renames=a:b and exclude=a an existing b takes the value of a. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "field replacement"

struct rename {
    char *from, *to;
};

struct replace {
    struct smt smt;
    char **exclude, **include; /* NULL-ended */
    struct rename *renames;
    size_t renames_n;
};

struct plan {
    struct smt_plan head;
    int *at; /* where the value of each output field stands */
};

static bool listed(char *const *list, const char *name, size_t len)
{
    for (; *list; list++) {
        if (strlen(*list) == len && memcmp(*list, name, len) == 0) return true;
    }
    return false;
}

static bool kept(const struct replace *replace, const char *name, size_t len)
{
    if (listed(replace->exclude, name, len)) return false;
    return !replace->include[0] || listed(replace->include, name, len);
}

/* The new name, or the old one back. The last of several renames counts, as in a map. */
static const char *renamed(const struct replace *replace, const char *name, size_t len, bool back)
{
    for (size_t i = replace->renames_n; i > 0; i--) {
        const struct rename *rename = &replace->renames[i - 1];
        const char *key = back ? rename->to : rename->from;
        if (strlen(key) == len && memcmp(key, name, len) == 0) {
            return back ? rename->from : rename->to;
        }
    }
    return NULL;
}

/* ---- with a schema ---- */

static bool find_source(const struct replace *replace, const struct sluice_schema *in,
                        const struct sluice_field *out, int *at, struct sluice_err *err)
{
    const char *from = renamed(replace, out->name, strlen(out->name), true);
    if (!from) from = out->name;
    *at = sluice_schema_field(in, from, strlen(from));
    if (*at < 0) return sluice_err_set(err, "%s is not a valid field name", from);
    const struct sluice_schema *have = in->fields[*at].schema;
    if (have->type == out->schema->type) return true;
    return sluice_err_set(err,
                          "Invalid Java object for schema with type %s: the value of field %s is "
                          "of type %s for field: \"%s\"",
                          sluice_type_name(out->schema->type), from, sluice_type_name(have->type),
                          out->name);
}

static struct plan *plan_of(struct replace *replace, const struct sluice_schema *in,
                            struct sluice_err *err)
{
    struct plan *plan = (struct plan *)smt_plan_find(&replace->smt, in);
    struct smt_builder builder;
    if (plan) return plan;
    plan = sluice_xcalloc(1, sizeof *plan);
    plan->at = sluice_xcalloc(in->fields_len + 1u, sizeof *plan->at);
    smt_build(&builder, in);
    for (uint32_t i = 0; i < in->fields_len; i++) {
        const struct sluice_field *field = &in->fields[i];
        size_t len = strlen(field->name);
        if (!kept(replace, field->name, len)) continue;
        const char *name = renamed(replace, field->name, len, false);
        if (!smt_build_field(&builder, name ? name : field->name, field->schema, err)) goto fail;
    }
    for (size_t i = 0; i < builder.n; i++) {
        if (!find_source(replace, in, &builder.fields[i], &plan->at[i], err)) goto fail;
    }
    smt_plan_put(&replace->smt, &plan->head, in, smt_build_done(&builder));
    return plan;
fail:
    smt_build_fini(&builder);
    free(plan->at);
    free(plan);
    return NULL;
}

static void plan_drop(struct sluice_lru_node *node)
{
    struct plan *plan = (struct plan *)node;
    smt_plan_fini(&plan->head);
    free(plan->at);
    free(plan);
}

static bool apply_struct(struct replace *replace, struct sluice_batch *batch, struct smt_side side,
                         struct sluice_err *err)
{
    const struct sluice_schema *in = *side.schema;
    if (!smt_require_struct(in, side.value, PURPOSE, err)) return false;
    const struct plan *plan = plan_of(replace, in, err);
    if (!plan) return false;
    const struct sluice_schema *out = plan->head.out;
    struct sluice_value *values = sluice_batch_alloc(batch, out->fields_len * sizeof *values);
    for (uint32_t i = 0; i < out->fields_len; i++) {
        int at = plan->at[i];
        assert(at >= 0 && (uint32_t)at < in->fields_len);
        if (!smt_put(&values[i], &side.value->u.v[at], in->fields[at].schema, &out->fields[i],
                     replace->smt.replace_null, err)) {
            return false;
        }
    }
    sluice_batch_hold(batch, in); /* a default may lie in a field that is left out */
    smt_set(batch, side, out, sluice_nested(SLUICE_STRUCT, values, out->fields_len));
    return true;
}

/* ---- without ---- */

static bool apply_map(const struct replace *replace, struct sluice_batch *batch,
                      struct smt_side side, struct sluice_err *err)
{
    if (!smt_require_map(NULL, side.value, PURPOSE, err)) return false;
    struct smt_map map = smt_map_copy(batch, NULL, side.value->len);
    for (uint32_t i = 0; i < side.value->len; i++) {
        const struct sluice_value *key = &side.value->u.v[2 * i];
        if (key->type != SLUICE_STRING) {
            return sluice_err_set(err,
                                  "class %s cannot be cast to class java.lang.String: a map whose "
                                  "keys are no texts has no fields for [" PURPOSE "]",
                                  smt_class(NULL, key));
        }
        if (!kept(replace, key->u.s, key->len)) continue;
        const char *name = renamed(replace, key->u.s, key->len, false);
        smt_map_put(&map, name ? name : key->u.s, name ? strlen(name) : key->len, key[1]);
    }
    *side.value = smt_map_value(&map);
    return true;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct replace *replace = self;
    struct smt_side side = smt_side(&replace->smt, rec);
    if (side.value->type == SLUICE_NULL) return SLUICE_OK;
    bool ok = *side.schema ? apply_struct(replace, batch, side, err)
                           : apply_map(replace, batch, side, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- the config ---- */

/* "a:b"; as Java's split(":") empty pieces at the end do not count. */
static bool read_rename(const char *mapping, struct rename *rename)
{
    const char *colon = strchr(mapping, ':');
    size_t len = strlen(mapping);
    while (len && mapping[len - 1] == ':') len--;
    if (!colon || (size_t)(colon - mapping) >= len) return false;
    size_t to = len - (size_t)(colon + 1 - mapping);
    if (memchr(colon + 1, ':', to)) return false;
    rename->from = sluice_xstrndup(mapping, (size_t)(colon - mapping));
    rename->to = sluice_xstrndup(colon + 1, to);
    return true;
}

static char **list_copy(const char *const *list)
{
    size_t n = 0;
    while (list[n]) n++;
    char **copy = sluice_xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++) copy[i] = sluice_xstrdup(list[i]);
    return copy;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct replace *replace = sluice_xcalloc(1, sizeof *replace);
    const char *const *mappings = host->list(conf, "renames");
    size_t cap = 0;
    *self = replace;
    smt_init(&replace->smt, form, plan_drop);
    replace->smt.replace_null = host->flag(conf, "replace.null.with.default");
    replace->exclude = list_copy(host->list(conf, "exclude"));
    replace->include = list_copy(host->list(conf, "include"));
    for (; *mappings; mappings++) {
        replace->renames =
            sluice_xgrow(replace->renames, replace->renames_n, &cap, sizeof *replace->renames);
        if (!read_rename(*mappings, &replace->renames[replace->renames_n])) {
            return sluice_fail(err, "Invalid rename mapping: %s", *mappings);
        }
        replace->renames_n++;
    }
    return SLUICE_OK;
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    for (const char *const *mapping = host->list(conf, "renames"); *mapping; mapping++) {
        struct rename rename = {NULL, NULL};
        if (!read_rename(*mapping, &rename)) {
            host->finding(report, "renames",
                          "Invalid value %s for configuration renames: Invalid rename mapping: %s",
                          *mapping, *mapping);
        }
        free(rename.from);
        free(rename.to);
    }
}

static void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++) free(list[i]);
    free(list);
}

static void close(void *self)
{
    struct replace *replace = self;
    if (!replace) return;
    smt_fini(&replace->smt);
    list_free(replace->exclude);
    list_free(replace->include);
    for (size_t i = 0; i < replace->renames_n; i++) {
        free(replace->renames[i].from);
        free(replace->renames[i].to);
    }
    free(replace->renames);
    free(replace);
}

static const struct sluice_option options[] = {
    {"exclude", SLUICE_OPT_LIST, SLUICE_MEDIUM, 0, "", NULL, NULL,
     "Fields to leave out, whatever include says."},
    {"include", SLUICE_OPT_LIST, SLUICE_MEDIUM, 0, "", NULL, NULL,
     "Fields to keep; when given, all others are left out."},
    {"renames", SLUICE_OPT_LIST, SLUICE_MEDIUM, 0, "", NULL, NULL, "New names, as old:new pairs."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(replace_field, "replace-field", "ReplaceField", validate);
