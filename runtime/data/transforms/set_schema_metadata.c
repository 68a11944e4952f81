/* set_schema_metadata.c - org.apache.kafka.connect.transforms.SetSchemaMetadata: another name or
 * version for the schema. Owner: the transform's task. */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

#define NOTHING_SET "Neither schema name nor version configured"

struct metadata {
    struct smt smt;
    char *name; /* NULL: stays */
    bool has_version;
    int32_t version;
};

static const struct smt_plan *plan_of(struct metadata *self, const struct sluice_schema *in)
{
    struct smt_plan *plan = smt_plan_find(&self->smt, in);
    if (plan) return plan;
    struct sluice_schema out = *in;
    if (self->name) out.name = self->name;
    if (self->has_version) {
        out.has_version = true;
        out.version = self->version;
    }
    plan = sluice_xcalloc(1, sizeof *plan);
    smt_plan_put(&self->smt, plan, in, sluice_schema_intern(&out));
    return plan;
}

static enum sluice_verdict apply(void *self_, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct metadata *self = self_;
    struct smt_side side = smt_side(&self->smt, rec);
    struct sluice_value v = *side.value;
    if (!*side.schema) {
        if (v.type == SLUICE_NULL) return SLUICE_OK;
        return sluice_fail(err, "Schema required for [updating schema metadata]");
    }
    if ((*side.schema)->type != SLUICE_STRUCT) { /* so Kafka 4.1, for all that it need not */
        return sluice_fail(err, "Cannot list fields on non-struct type");
    }
    const struct smt_plan *plan = plan_of(self, *side.schema);
    if (v.type == SLUICE_STRUCT) {
        if (!smt_require_struct(*side.schema, &v, "updating schema metadata", err)) {
            return SLUICE_FAIL;
        }
        struct sluice_value *values = sluice_batch_alloc(batch, v.len * sizeof *values);
        if (!smt_put_all(values, v.u.v, plan->out->fields, v.len, self->smt.replace_null, err)) {
            return SLUICE_FAIL;
        }
        v = sluice_nested(SLUICE_STRUCT, values, v.len);
    }
    smt_set(batch, side, plan->out, v);
    return SLUICE_OK;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self_,
                                struct sluice_err *err)
{
    struct metadata *self = sluice_xcalloc(1, sizeof *self);
    *self_ = self;
    smt_init(&self->smt, form, NULL);
    self->smt.replace_null = host->flag(conf, "replace.null.with.default");
    self->name = sluice_xstrdup(host->str(conf, "schema.name"));
    self->has_version = host->str(conf, "schema.version") != NULL;
    if (self->has_version) self->version = (int32_t)host->num(conf, "schema.version");
    return self->name || self->has_version ? SLUICE_OK : sluice_fail(err, NOTHING_SET);
}

static void close(void *self_)
{
    struct metadata *self = self_;
    if (!self) return;
    smt_fini(&self->smt);
    free(self->name);
    free(self);
}

static const struct sluice_option options[] = {
    {"schema.name", SLUICE_OPT_STRING, SLUICE_HIGH, 0, NULL, NULL, NULL,
     "The schema's new name; without it the name stays."},
    {"schema.version", SLUICE_OPT_INT, SLUICE_HIGH, 0, NULL, NULL, NULL,
     "The schema's new version; without it the version stays."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(set_schema_metadata, "set-schema-metadata", "SetSchemaMetadata", NULL);
