/* hoist_field.c - org.apache.kafka.connect.transforms.HoistField: the key or value becomes the one
 * field of a struct or map. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

struct hoist {
    struct smt smt;
    char *field;
};

static const struct smt_plan *plan_of(struct hoist *hoist, const struct sluice_schema *in,
                                      struct sluice_err *err)
{
    struct smt_plan *plan = smt_plan_find(&hoist->smt, in);
    struct smt_builder builder;
    if (plan) return plan;
    smt_build(&builder, NULL);
    if (!smt_build_field(&builder, hoist->field, in, err)) return NULL;
    plan = sluice_xcalloc(1, sizeof *plan);
    smt_plan_put(&hoist->smt, plan, in, smt_build_done(&builder));
    return plan;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct hoist *hoist = self;
    struct smt_side side = smt_side(&hoist->smt, rec);
    if (!*side.schema) {
        struct smt_map map = smt_map_copy(batch, NULL, 1);
        size_t len = strlen(hoist->field);
        smt_map_put(&map, smt_text(batch, hoist->field, len), len, *side.value);
        *side.value = smt_map_value(&map);
        return SLUICE_OK;
    }
    const struct smt_plan *plan = plan_of(hoist, *side.schema, err);
    if (!plan) return SLUICE_FAIL;
    assert(plan->out->fields_len == 1);
    struct sluice_value *to = sluice_batch_alloc(batch, sizeof *to);
    if (!smt_put(to, side.value, plan->in, plan->out->fields, false, err)) return SLUICE_FAIL;
    smt_set(batch, side, plan->out, sluice_nested(SLUICE_STRUCT, to, 1));
    return SLUICE_OK;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)err;
    struct hoist *hoist = sluice_xcalloc(1, sizeof *hoist);
    *self = hoist;
    smt_init(&hoist->smt, form, NULL);
    hoist->field = sluice_xstrdup(host->str(conf, "field"));
    return SLUICE_OK;
}

static void close(void *self)
{
    struct hoist *hoist = self;
    if (!hoist) return;
    smt_fini(&hoist->smt);
    free(hoist->field);
    free(hoist);
}

static const struct sluice_option options[] = {
    {"field", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "Name of the one field that the new struct or map has."},
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(hoist_field, "hoist-field", "HoistField", NULL);
