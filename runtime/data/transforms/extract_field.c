/* extract_field.c - org.apache.kafka.connect.transforms.ExtractField: a field takes the place of
 * the key or value that held it. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/field_path.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "field extraction"
#define NESTED "nested field access"

struct extract {
    struct smt smt;
    struct field_path path;
};

struct plan {
    struct smt_plan head;
    int at[]; /* index of each step */
};

static struct plan *plan_of(struct extract *extract, const struct sluice_schema *in,
                            struct sluice_err *err)
{
    struct plan *plan = (struct plan *)smt_plan_find(&extract->smt, in);
    if (plan) return plan;
    plan = sluice_xcalloc(1, sizeof *plan + extract->path.n * sizeof *plan->at);
    const struct sluice_schema *out = field_path_find(&extract->path, in, plan->at, err);
    if (!out) {
        free(plan);
        return NULL;
    }
    smt_plan_put(&extract->smt, &plan->head, in, sluice_schema_hold(out));
    return plan;
}

static bool apply_struct(struct extract *extract, struct sluice_batch *batch, struct smt_side side,
                         struct sluice_err *err)
{
    const struct sluice_schema *schema = *side.schema;
    struct sluice_value v = *side.value;
    if (v.type != SLUICE_NULL && !smt_require_struct(schema, &v, PURPOSE, err)) return false;
    const struct plan *plan = plan_of(extract, schema, err);
    if (!plan) return false;
    assert(extract->path.n > 0 && plan->head.in == schema);
    for (size_t i = 0; i < extract->path.n && v.type != SLUICE_NULL; i++) {
        bool last = i + 1 == extract->path.n;
        if (!smt_require_struct(schema, &v, NESTED, err)) return false;
        schema = schema->fields[plan->at[i]].schema;
        v = v.u.v[plan->at[i]];
        if (v.type == SLUICE_NULL && schema->has_dflt && (!last || extract->smt.replace_null)) {
            v = schema->dflt;
        }
    }
    smt_set(batch, side, plan->head.out, v);
    sluice_batch_hold(batch, plan->head.in); /* a default on the way may lie in it */
    return true;
}

static bool apply_map(const struct extract *extract, struct smt_side side, struct sluice_err *err)
{
    struct sluice_value v = *side.value;
    for (size_t i = 0; i < extract->path.n && v.type != SLUICE_NULL; i++) {
        const char *step = extract->path.steps[i];
        if (!smt_require_map(NULL, &v, i ? NESTED : PURPOSE, err)) return false;
        const struct sluice_value *have = smt_map_get(&v, step, strlen(step));
        v = have ? *have : sluice_null();
    }
    *side.value = v;
    return true;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct extract *extract = self;
    struct smt_side side = smt_side(&extract->smt, rec);
    bool ok =
        *side.schema ? apply_struct(extract, batch, side, err) : apply_map(extract, side, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct extract *extract = sluice_xcalloc(1, sizeof *extract);
    *self = extract;
    smt_init(&extract->smt, form, NULL);
    extract->smt.replace_null = host->flag(conf, "replace.null.with.default");
    bool v2 = field_path_is_v2(host, conf);
    if (!field_path_parse(&extract->path, host->str(conf, "field"), v2, err)) return SLUICE_FAIL;
    if (extract->path.n) return SLUICE_OK;
    return sluice_fail(err, "field is empty: name the field to extract");
}

static void close(void *self)
{
    struct extract *extract = self;
    if (!extract) return;
    smt_fini(&extract->smt);
    field_path_fini(&extract->path);
    free(extract);
}

static const struct sluice_option options[] = {
    {"field", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "The field to extract. With a schema it has to be there; without one its absence gives null."},
    FIELD_PATH_OPTION,
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(extract_field, "extract-field", "ExtractField", NULL);
