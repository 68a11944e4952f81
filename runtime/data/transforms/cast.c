/* cast.c - org.apache.kafka.connect.transforms.Cast: fields, or the whole key or value, to another
 * primitive type. Owner: the transform's task. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_text.h"
#include "data/transforms/cast_value.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "cast types"

struct field_cast {
    char *name;
    enum sluice_type type;
};

struct cast {
    struct smt smt;
    enum sluice_type whole; /* NULL: fields are cast */
    struct field_cast *fields;
    size_t n, cap;
    struct sluice_buf text; /* scratch */
};

struct plan {
    struct smt_plan head;
    uint8_t types[]; /* of each field, NULL: stays as it is */
};

/* ---- spec ---- */

static bool read_type(const char *word, enum sluice_type *type, struct sluice_err *err)
{
    for (*type = SLUICE_INT8; *type <= SLUICE_STRUCT; (*type)++) {
        if (strcasecmp(word, sluice_type_name(*type)) != 0) continue;
        if (*type <= SLUICE_STRING) return true;
        return sluice_err_set(err,
                              "Cast transformation does not support casting to %s; supported types "
                              "are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]",
                              sluice_type_name(*type));
    }
    return sluice_err_set(err,
                          "Invalid type found in casting spec: %s: write int8, int16, int32, "
                          "int64, float32, float64, boolean or string",
                          word);
}

static void add_field(struct cast *cast, const char *name, enum sluice_type type)
{
    for (size_t i = 0; i < cast->n; i++) { /* named twice: the last one counts */
        if (strcmp(cast->fields[i].name, name) != 0) continue;
        cast->fields[i].type = type;
        return;
    }
    cast->fields = sluice_xgrow(cast->fields, cast->n, &cast->cap, sizeof *cast->fields);
    cast->fields[cast->n++] = (struct field_cast){sluice_xstrdup(name), type};
}

static char *trim(char *s)
{
    while (isspace((unsigned char)*s)) s++;
    for (size_t n = strlen(s); n && isspace((unsigned char)s[n - 1]);) s[--n] = '\0';
    return s;
}

/* "field:type", or "type" for the whole value. */
static bool add_mapping(struct cast *cast, char *mapping, struct sluice_err *err)
{
    enum sluice_type type;
    char *colon = strchr(mapping, ':');
    size_t n = strlen(mapping);
    while (n && mapping[n - 1] == ':') mapping[--n] = '\0'; /* as Java's split() */
    if (!colon || !*colon) {
        if (!read_type(trim(mapping), &type, err)) return false;
        cast->whole = type;
        return true;
    }
    if (strchr(colon + 1, ':')) {
        return sluice_err_set(err, "Invalid cast in spec: %s: write field:type", mapping);
    }
    *colon = '\0';
    if (!read_type(trim(colon + 1), &type, err)) return false;
    add_field(cast, trim(mapping), type);
    return true;
}

static bool read_spec(struct cast *cast, const char *const *list, struct sluice_err *err)
{
    size_t n = 0;
    for (; list[n]; n++) {
        char *mapping = sluice_xstrdup(list[n]);
        bool ok = add_mapping(cast, mapping, err);
        free(mapping);
        if (!ok) return false;
    }
    if (n == 0) return sluice_err_set(err, "Must specify at least one field to cast.");
    assert(cast->whole != SLUICE_NULL || cast->n > 0);
    if (cast->whole == SLUICE_NULL || n == 1) return true;
    return sluice_err_set(err, "Cast transformations that specify a type to cast the entire value "
                               "to may only specify a single cast in their spec");
}

/* ---- plans ---- */

static enum sluice_type type_of(const struct cast *cast, const char *field)
{
    for (size_t i = 0; i < cast->n; i++) {
        if (strcmp(cast->fields[i].name, field) == 0) return cast->fields[i].type;
    }
    return SLUICE_NULL;
}

/* to's default is that of the schema, cast. */
static bool cast_default(struct cast *cast, struct sluice_batch *scratch,
                         const struct sluice_schema *schema, struct sluice_schema *to,
                         struct sluice_err *err)
{
    to->optional = schema->optional;
    to->has_dflt = schema->has_dflt;
    if (!schema->has_dflt) return true;
    return cast_value(scratch, &cast->text, schema, &schema->dflt, to->type, &to->dflt, err);
}

/* The schema keeps its name, and with it what Java takes its values for. */
static bool whole_schema(struct cast *cast, struct sluice_batch *scratch,
                         const struct sluice_schema *in, const struct sluice_schema **out,
                         struct sluice_err *err)
{
    struct smt_builder builder;
    smt_build(&builder, in);
    builder.schema.type = (uint8_t)cast->whole;
    if (!cast_default(cast, scratch, in, &builder.schema, err)) return false;
    if (in->has_dflt && sluice_logical_of(in) != SLUICE_LOGICAL_NONE) {
        return sluice_err_set(err, "Invalid default value");
    }
    *out = smt_build_done(&builder);
    return true;
}

static bool struct_schema(struct cast *cast, struct sluice_batch *scratch,
                          const struct sluice_schema *in, struct plan *plan,
                          const struct sluice_schema **out, struct sluice_err *err)
{
    struct smt_builder builder;
    bool ok = true;
    if (in->type != SLUICE_STRUCT)
        return sluice_err_set(err, "Cannot list fields on non-struct type");
    struct sluice_schema *made = sluice_batch_alloc(scratch, (in->fields_len + 1) * sizeof *made);
    smt_build(&builder, in);
    for (uint32_t i = 0; ok && i < in->fields_len; i++) {
        const struct sluice_field *field = &in->fields[i];
        const struct sluice_schema *schema = field->schema;
        plan->types[i] = (uint8_t)type_of(cast, field->name);
        if (plan->types[i]) {
            made[i] = (struct sluice_schema){.type = plan->types[i]};
            ok = cast_default(cast, scratch, field->schema, &made[i], err);
            schema = &made[i];
        }
        ok = ok && smt_build_field(&builder, field->name, schema, err);
    }
    builder.schema.optional = in->optional;
    struct sluice_value unused; /* fails: a struct is no number */
    if (ok && in->has_dflt)
        ok = cast_value(scratch, &cast->text, in, &in->dflt, SLUICE_STRUCT, &unused, err);
    if (ok) *out = smt_build_done(&builder);
    smt_build_fini(&builder);
    return ok;
}

static struct plan *plan_of(struct cast *cast, const struct sluice_schema *in,
                            struct sluice_err *err)
{
    struct plan *plan = (struct plan *)smt_plan_find(&cast->smt, in);
    if (plan) return plan;
    struct sluice_batch scratch;
    const struct sluice_schema *out = NULL;
    plan = sluice_xcalloc(1, sizeof *plan + in->fields_len);
    sluice_batch_init(&scratch);
    bool ok = cast->whole ? whole_schema(cast, &scratch, in, &out, err)
                          : struct_schema(cast, &scratch, in, plan, &out, err);
    sluice_batch_fini(&scratch);
    if (ok) {
        smt_plan_put(&cast->smt, &plan->head, in, out);
        return plan;
    }
    free(plan);
    return NULL;
}

/* ---- records ---- */

static bool apply_struct(struct cast *cast, struct sluice_batch *batch, const struct plan *plan,
                         struct smt_side side, struct sluice_err *err)
{
    const struct sluice_schema *in = plan->head.in, *out = plan->head.out;
    if (!smt_require_struct(in, side.value, PURPOSE, err)) return false;
    assert(out->fields_len == in->fields_len);
    const struct sluice_value *from = side.value->u.v;
    struct sluice_value *to = sluice_batch_alloc(batch, in->fields_len * sizeof *to);
    for (uint32_t i = 0; i < in->fields_len; i++) {
        const struct sluice_field *field = &out->fields[i];
        enum sluice_type type = plan->types[i];
        if (type == SLUICE_NULL ||
            from[i].type == SLUICE_NULL) { /* out's default is cast already */
            if (!smt_put(&to[i], &from[i], field->schema, field, cast->smt.replace_null, err)) {
                return false;
            }
        } else if (!cast_value(batch, &cast->text, in->fields[i].schema, &from[i], type, &to[i],
                               err)) {
            return false;
        }
    }
    smt_set(batch, side, out, sluice_nested(SLUICE_STRUCT, to, in->fields_len));
    return true;
}

static bool apply_map(struct cast *cast, struct sluice_batch *batch, struct smt_side side,
                      struct sluice_err *err)
{
    if (!smt_require_map(NULL, side.value, PURPOSE, err)) return false;
    struct smt_map map = smt_map_copy(batch, side.value, cast->n);
    for (size_t i = 0; i < cast->n; i++) {
        const struct field_cast *field = &cast->fields[i];
        struct sluice_value v = sluice_null(); /* a field that is not there is null afterwards */
        size_t len = strlen(field->name);
        const struct sluice_value *have = smt_map_get(side.value, field->name, len);
        if (have && !cast_value(batch, &cast->text, NULL, have, field->type, &v, err)) return false;
        smt_map_put(&map, smt_text(batch, field->name, len), len, v);
    }
    smt_set(batch, side, NULL, smt_map_value(&map));
    return true;
}

static bool apply_whole(struct cast *cast, struct sluice_batch *batch, const struct plan *plan,
                        struct smt_side side, struct sluice_err *err)
{
    struct sluice_value v;
    assert(cast->whole != SLUICE_NULL && cast->n == 0);
    if (!cast_value(batch, &cast->text, *side.schema, side.value, cast->whole, &v, err)) {
        return false;
    }
    smt_set(batch, side, plan ? plan->head.out : NULL, v);
    return true;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct cast *cast = self;
    struct smt_side side = smt_side(&cast->smt, rec);
    const struct plan *plan = NULL;
    if (side.value->type == SLUICE_NULL) return SLUICE_OK;
    if (*side.schema && !(plan = plan_of(cast, *side.schema, err))) return SLUICE_FAIL;
    bool ok = cast->whole ? apply_whole(cast, batch, plan, side, err)
              : plan      ? apply_struct(cast, batch, plan, side, err)
                          : apply_map(cast, batch, side, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- the plugin ---- */

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct cast *cast = sluice_xcalloc(1, sizeof *cast);
    *self = cast;
    smt_init(&cast->smt, form, NULL);
    sluice_buf_init(&cast->text, SLUICE_BUF_MAX);
    cast->smt.replace_null = host->flag(conf, "replace.null.with.default");
    return read_spec(cast, host->list(conf, "spec"), err) ? SLUICE_OK : SLUICE_FAIL;
}

static void close(void *self)
{
    struct cast *cast = self;
    if (!cast) return;
    smt_fini(&cast->smt);
    sluice_buf_fini(&cast->text);
    for (size_t i = 0; i < cast->n; i++) free(cast->fields[i].name);
    free(cast->fields);
    free(cast);
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    void *cast;
    struct sluice_err err;
    if (open(SMT_VALUE, host, conf, &cast, &err) != SLUICE_OK) {
        host->finding(report, "spec", "%s", err.msg);
    }
    close(cast);
}

static const struct sluice_option options[] = {
    {"spec", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "What is cast to what: field:type, separated by commas, or one type for the whole key or "
     "value. Types are int8, int16, int32, int64, float32, float64, boolean and string; octets can "
     "only become a string, in base64."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(cast, "cast", "Cast", validate);
