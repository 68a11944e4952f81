/* value_to_key.c - org.apache.kafka.connect.transforms.ValueToKey: fields of the value become the
 * key. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "copying fields from value to key"

struct to_key {
    struct smt smt;
    char **fields;
    size_t n;
};

struct plan {
    struct smt_plan head;
    int at[]; /* index of each field in the value */
};

static struct plan *plan_of(struct to_key *to_key, const struct sluice_schema *in,
                            struct sluice_err *err)
{
    struct plan *plan = (struct plan *)smt_plan_find(&to_key->smt, in);
    struct smt_builder builder;
    if (plan) return plan;
    plan = sluice_xcalloc(1, sizeof *plan + to_key->n * sizeof *plan->at);
    smt_build(&builder, NULL);
    for (size_t i = 0; i < to_key->n; i++) {
        const char *name = to_key->fields[i];
        plan->at[i] = sluice_schema_field(in, name, strlen(name));
        bool ok = plan->at[i] >= 0 || sluice_err_set(err, "Field does not exist: %s", name);
        if (ok && smt_build_field(&builder, name, in->fields[plan->at[i]].schema, err)) continue;
        smt_build_fini(&builder);
        free(plan);
        return NULL;
    }
    smt_plan_put(&to_key->smt, &plan->head, in, smt_build_done(&builder));
    return plan;
}

static bool apply_struct(struct to_key *to_key, struct sluice_batch *batch,
                         struct sluice_record *rec, struct sluice_err *err)
{
    if (!smt_require_struct(rec->value_schema, &rec->value, PURPOSE, err)) return false;
    const struct plan *plan = plan_of(to_key, rec->value_schema, err);
    if (!plan) return false;
    const struct sluice_field *fields = plan->head.out->fields;
    assert(plan->head.out->fields_len == to_key->n);
    struct sluice_value *values = sluice_batch_alloc(batch, to_key->n * sizeof *values);
    for (size_t i = 0; i < to_key->n; i++) {
        if (!smt_put(&values[i], &rec->value.u.v[plan->at[i]], fields[i].schema, &fields[i],
                     to_key->smt.replace_null, err)) {
            return false;
        }
    }
    smt_set(batch, (struct smt_side){&rec->key_schema, &rec->key}, plan->head.out,
            sluice_nested(SLUICE_STRUCT, values, to_key->n));
    return true;
}

static bool apply_map(const struct to_key *to_key, struct sluice_batch *batch,
                      struct sluice_record *rec, struct sluice_err *err)
{
    if (!smt_require_map(NULL, &rec->value, PURPOSE, err)) return false;
    struct smt_map key = smt_map_copy(batch, NULL, to_key->n);
    for (size_t i = 0; i < to_key->n; i++) {
        const char *name = to_key->fields[i];
        const struct sluice_value *v = smt_map_get(&rec->value, name, strlen(name));
        smt_map_put(&key, name, strlen(name), v ? *v : sluice_null());
    }
    rec->key_schema = NULL;
    rec->key = smt_map_value(&key);
    return true;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    bool ok =
        rec->value_schema ? apply_struct(self, batch, rec, err) : apply_map(self, batch, rec, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct to_key *to_key = sluice_xcalloc(1, sizeof *to_key);
    const char *const *fields = host->list(conf, "fields");
    size_t n = 0;
    (void)err;
    *self = to_key;
    smt_init(&to_key->smt, form, NULL);
    to_key->smt.replace_null = host->flag(conf, "replace.null.with.default");
    while (fields[n]) n++;
    to_key->fields = sluice_xcalloc(n + 1, sizeof *to_key->fields);
    for (; to_key->n < n; to_key->n++)
        to_key->fields[to_key->n] = sluice_xstrdup(fields[to_key->n]);
    return SLUICE_OK;
}

static void close(void *self)
{
    struct to_key *to_key = self;
    if (!to_key) return;
    smt_fini(&to_key->smt);
    for (size_t i = 0; i < to_key->n; i++) free(to_key->fields[i]);
    free(to_key->fields);
    free(to_key);
}

static const struct sluice_option options[] = {
    {"fields", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "The fields of the value that make up the key."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN(value_to_key, "value-to-key", "ValueToKey", NULL);
