/* timestamp_converter.c - org.apache.kafka.connect.transforms.TimestampConverter: a time as text,
 * as Unix time or as one of Connect's logical types, into another of these.
 *
 * Without a schema there is no logical type in sluice: Date, Time and Timestamp then become the
 * INT64 milliseconds of what is a java.util.Date in Java. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_date.h"
#include "data/java_text.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "converting timestamp formats"
#define DAY_MS INT64_C(86400000)
#define NO_FORMAT                                                                                  \
    "TimestampConverter requires format option to be specified when using string timestamps"
#define BAD_FORMAT                                                                                 \
    "TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: "

enum kind { KIND_STRING, KIND_UNIX, KIND_DATE, KIND_TIME, KIND_TIMESTAMP, KIND_NONE };

static const char *const kind_words[] = {"string", "unix", "Date", "Time", "Timestamp", NULL};

struct converter {
    struct smt smt;
    char *field; /* "": all of it */
    enum kind target;
    char *pattern;
    struct sluice_java_date *format; /* NULL: none */
    int64_t per_s;                   /* of a Unix time */
    struct sluice_buf text;
    const struct sluice_schema *types[2]; /* target's schema: required, optional */
};

struct plan {
    struct smt_plan head;
    int at; /* of the field, -1: not there */
    enum kind kind;
};

/* ---- to milliseconds ---- */

static int64_t saturated(int64_t n, int64_t factor)
{
    int64_t product;
    if (!__builtin_mul_overflow(n, factor, &product)) return product;
    return n < 0 ? INT64_MIN : INT64_MAX;
}

static bool parse_text(const struct converter *self, const struct sluice_value *v, int64_t *ms,
                       struct sluice_err *err)
{
    if (!self->format) {
        return sluice_err_set(err,
                              "Could not parse timestamp: value (%.*s) is a text and the format "
                              "option is not set",
                              v->len > 200 ? 200 : (int)v->len, v->u.s);
    }
    if (sluice_java_date_parse(self->format, v->u.s, v->len, ms)) return true;
    return sluice_err_set(err,
                          "Could not parse timestamp: value (%.*s) does not match pattern (%s)",
                          v->len > 200 ? 200 : (int)v->len, v->u.s, self->pattern);
}

static bool to_ms(const struct converter *self, enum kind kind, const struct sluice_schema *schema,
                  const struct sluice_value *v, int64_t *ms, struct sluice_err *err)
{
    static const char *const expected[] = {
        "string timestamp to be a String", "Unix timestamp to be a Long",
        "Date to be a java.util.Date", "Time to be a java.util.Date",
        "Timestamp to be a java.util.Date"};
    enum sluice_type wanted = kind == KIND_STRING                      ? SLUICE_STRING
                              : kind == KIND_DATE || kind == KIND_TIME ? SLUICE_INT32
                                                                       : SLUICE_INT64;
    if (v->type != wanted) {
        return sluice_err_set(err, "Expected %s, but found class %s", expected[kind],
                              smt_class(schema, v));
    }
    if (kind == KIND_STRING) return parse_text(self, v, ms, err);
    *ms = v->u.i;
    if (kind == KIND_DATE) *ms *= DAY_MS;
    if (kind != KIND_UNIX) return true;
    if (self->per_s == 1) *ms = saturated(v->u.i, 1000);
    else *ms = v->u.i / (self->per_s / 1000);
    return true;
}

/* ---- and from them ---- */

static int64_t floor_mod(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

static bool from_ms(struct converter *self, struct sluice_batch *batch, bool schemaless, int64_t ms,
                    struct sluice_value *v, struct sluice_err *err)
{
    int64_t of_day = floor_mod(ms, DAY_MS);
    assert(of_day >= 0 && self->target < KIND_NONE);
    switch (self->target) {
    case KIND_STRING:
        sluice_buf_clear(&self->text);
        if (!sluice_java_date_format(self->format, ms, &self->text, err)) return false;
        char *text = sluice_batch_alloc(batch, self->text.len);
        if (self->text.len) memcpy(text, self->text.data, self->text.len);
        *v = sluice_string(text, self->text.len);
        return true;
    case KIND_UNIX:
        *v = sluice_int64(self->per_s == 1 ? ms / 1000 : saturated(ms, self->per_s / 1000));
        return true;
    case KIND_DATE:
        if (schemaless) *v = sluice_int64((int64_t)((uint64_t)ms - (uint64_t)of_day));
        else *v = sluice_int32((int32_t)(ms / DAY_MS - (ms % DAY_MS < 0)));
        return true;
    case KIND_TIME:
        *v = schemaless ? sluice_int64(of_day) : sluice_int32((int32_t)of_day);
        return true;
    default: *v = sluice_int64(ms); return true;
    }
}

static bool convert(struct converter *self, struct sluice_batch *batch, enum kind kind,
                    const struct sluice_schema *schema, struct sluice_value *v,
                    struct sluice_err *err)
{
    int64_t ms;
    assert(kind < KIND_NONE && v->type != SLUICE_NULL);
    return to_ms(self, kind, schema, v, &ms, err) && from_ms(self, batch, !schema, ms, v, err);
}

/* ---- with a schema ---- */

static enum kind kind_of(const struct sluice_schema *schema)
{
    switch (sluice_logical_of(schema)) {
    case SLUICE_LOGICAL_TIMESTAMP: return KIND_TIMESTAMP;
    case SLUICE_LOGICAL_DATE: return KIND_DATE;
    case SLUICE_LOGICAL_TIME: return KIND_TIME;
    default: break;
    }
    if (schema->type == SLUICE_STRING) return KIND_STRING;
    return schema->type == SLUICE_INT64 ? KIND_UNIX : KIND_NONE;
}

static bool no_kind(const struct sluice_schema *schema, struct sluice_err *err)
{
    return sluice_err_set(err,
                          "Schema Schema{%s%s%s} does not correspond to a known timestamp type "
                          "format",
                          schema->name ? schema->name : "", schema->name ? ":" : "",
                          sluice_type_name(schema->type));
}

static bool convert_all(struct converter *self, struct sluice_batch *batch, struct smt_side side,
                        struct sluice_err *err)
{
    const struct sluice_schema *in = *side.schema;
    struct sluice_value v = *side.value;
    enum kind kind = kind_of(in);
    if (kind == KIND_NONE) return no_kind(in, err);
    if (v.type != SLUICE_NULL && !convert(self, batch, kind, in, &v, err)) return false;
    smt_set(batch, side, self->types[in->optional], v);
    return true;
}

/* The struct's values with the field converted, in room for as many. */
static bool convert_field(struct converter *self, struct sluice_batch *batch,
                          const struct plan *plan, const struct sluice_schema *in,
                          const struct sluice_field *out, const struct sluice_value *from,
                          struct sluice_value *to, struct sluice_err *err)
{
    for (uint32_t i = 0; i < in->fields_len; i++) {
        const struct sluice_schema *schema = in->fields[i].schema;
        bool here = plan->at == (int)i;
        if (here && plan->kind == KIND_NONE) return no_kind(schema, err);
        if (!smt_put(&to[i], &from[i], schema, &out[i], self->smt.replace_null, err)) return false;
        if (here && to[i].type != SLUICE_NULL &&
            !convert(self, batch, plan->kind, schema, &to[i], err)) {
            return false;
        }
    }
    return true;
}

static bool fill_plan(struct converter *self, struct sluice_batch *batch, struct plan *plan,
                      const struct sluice_schema *in, struct smt_builder *builder,
                      struct sluice_err *err)
{
    if (in->type != SLUICE_STRUCT) {
        return sluice_err_set(err, "Cannot list fields on non-struct type");
    }
    plan->at = sluice_schema_field(in, self->field, strlen(self->field));
    if (plan->at >= 0) plan->kind = kind_of(in->fields[plan->at].schema);
    for (uint32_t i = 0; i < in->fields_len; i++) {
        const struct sluice_field *field = &in->fields[i];
        const struct sluice_schema *schema =
            plan->at == (int)i ? self->types[field->schema->optional] : field->schema;
        if (!smt_build_field(builder, field->name, schema, err)) return false;
    }
    builder->schema.optional = in->optional;
    if (!in->has_dflt || in->dflt.type != SLUICE_STRUCT) return true;
    struct sluice_value *values = sluice_batch_alloc(batch, in->fields_len * sizeof *values);
    builder->schema.has_dflt = true;
    builder->schema.dflt = sluice_nested(SLUICE_STRUCT, values, in->fields_len);
    return convert_field(self, batch, plan, in, builder->fields, in->dflt.u.v, values, err);
}

static const struct plan *plan_of(struct converter *self, struct sluice_batch *batch,
                                  const struct sluice_schema *in, struct sluice_err *err)
{
    struct plan *plan = (struct plan *)smt_plan_find(&self->smt, in);
    struct smt_builder builder;
    if (plan) return plan;
    plan = sluice_xcalloc(1, sizeof *plan);
    smt_build(&builder, in);
    if (!fill_plan(self, batch, plan, in, &builder, err)) {
        smt_build_fini(&builder);
        free(plan);
        return NULL;
    }
    smt_plan_put(&self->smt, &plan->head, in, smt_build_done(&builder));
    return plan;
}

static bool apply_struct(struct converter *self, struct sluice_batch *batch, struct smt_side side,
                         struct sluice_err *err)
{
    const struct sluice_schema *in = *side.schema;
    struct sluice_value v = *side.value;
    if (v.type != SLUICE_NULL && !smt_require_struct(in, &v, PURPOSE, err)) return false;
    const struct plan *plan = plan_of(self, batch, in, err);
    if (!plan) return false;
    if (v.type != SLUICE_NULL) {
        struct sluice_value *values = sluice_batch_alloc(batch, v.len * sizeof *values);
        if (!convert_field(self, batch, plan, in, plan->head.out->fields, v.u.v, values, err)) {
            return false;
        }
        v = sluice_nested(SLUICE_STRUCT, values, v.len);
    }
    smt_set(batch, side, plan->head.out, v);
    return true;
}

/* ---- without ---- */

static bool convert_guessed(struct converter *self, struct sluice_batch *batch,
                            struct sluice_value *v, struct sluice_err *err)
{
    if (v->type == SLUICE_NULL) return true;
    if (v->type == SLUICE_INT64) return convert(self, batch, KIND_UNIX, NULL, v, err);
    if (v->type == SLUICE_STRING) return convert(self, batch, KIND_STRING, NULL, v, err);
    return sluice_err_set(err, "TimestampConverter does not support class %s objects as timestamps",
                          smt_class(NULL, v));
}

static bool apply_bare(struct converter *self, struct sluice_batch *batch, struct smt_side side,
                       struct sluice_err *err)
{
    if (side.value->type == SLUICE_NULL || !*self->field) {
        return convert_guessed(self, batch, side.value, err);
    }
    if (!smt_require_map(NULL, side.value, PURPOSE, err)) return false;
    size_t len = strlen(self->field);
    const struct sluice_value *have = smt_map_get(side.value, self->field, len);
    struct sluice_value v = have ? *have : sluice_null();
    if (!convert_guessed(self, batch, &v, err)) return false;
    struct smt_map map = smt_map_copy(batch, side.value, 1);
    smt_map_put(&map, self->field, len, v); /* null when it was not there, as in Java */
    *side.value = smt_map_value(&map);
    return true;
}

static enum sluice_verdict apply(void *self_, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct converter *self = self_;
    struct smt_side side = smt_side(&self->smt, rec);
    bool ok = !*side.schema   ? apply_bare(self, batch, side, err)
              : !*self->field ? convert_all(self, batch, side, err)
                              : apply_struct(self, batch, side, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- the config ---- */

static void make_types(struct converter *self)
{
    static const struct sluice_schema types[] = {
        [KIND_STRING] = {.type = SLUICE_STRING},
        [KIND_UNIX] = {.type = SLUICE_INT64},
        [KIND_DATE] = {.type = SLUICE_INT32,
                       .has_version = true,
                       .version = 1,
                       .name = "org.apache.kafka.connect.data.Date"},
        [KIND_TIME] = {.type = SLUICE_INT32,
                       .has_version = true,
                       .version = 1,
                       .name = "org.apache.kafka.connect.data.Time"},
        [KIND_TIMESTAMP] = {.type = SLUICE_INT64,
                            .has_version = true,
                            .version = 1,
                            .name = "org.apache.kafka.connect.data.Timestamp"},
    };
    struct sluice_schema type = types[self->target];
    self->types[0] = sluice_schema_intern(&type);
    type.optional = true;
    self->types[1] = sluice_schema_intern(&type);
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self_,
                                struct sluice_err *err)
{
    struct converter *self = sluice_xcalloc(1, sizeof *self);
    const char *target = host->str(conf, "target.type");
    const char *precision = host->str(conf, "unix.precision");
    *self_ = self;
    smt_init(&self->smt, form, NULL);
    sluice_buf_init(&self->text, SLUICE_BUF_MAX);
    self->smt.replace_null = host->flag(conf, "replace.null.with.default");
    self->field = sluice_xstrdup(host->str(conf, "field"));
    self->pattern = sluice_xstrdup(host->str(conf, "format"));
    while (strcmp(kind_words[self->target], target) != 0) {
        self->target++;
        assert(self->target < KIND_NONE); /* the option table allows no other word */
    }
    self->per_s = strcmp(precision, "seconds") == 0        ? 1
                  : strcmp(precision, "microseconds") == 0 ? 1000000
                  : strcmp(precision, "nanoseconds") == 0  ? 1000000000
                                                           : 1000;
    make_types(self);
    bool blank = strspn(self->pattern, " \t\r\n\f\v") == strlen(self->pattern);
    if (blank && self->target == KIND_STRING) return sluice_fail(err, NO_FORMAT);
    if (blank) return SLUICE_OK;
    self->format = sluice_java_date_new(self->pattern, sluice_wall_ms(), err);
    if (self->format) return SLUICE_OK;
    sluice_err_wrap(err, BAD_FORMAT "%s", self->pattern);
    return SLUICE_FAIL;
}

static void close(void *self_)
{
    struct converter *self = self_;
    if (!self) return;
    smt_fini(&self->smt);
    sluice_java_date_free(self->format);
    sluice_buf_fini(&self->text);
    sluice_schema_free(self->types[0]);
    sluice_schema_free(self->types[1]);
    free(self->field);
    free(self->pattern);
    free(self);
}

static const struct sluice_option options[] = {
    {"field", SLUICE_OPT_STRING, SLUICE_HIGH, 0, "", NULL, NULL,
     "The field that holds the time; empty: the whole key or value is one."},
    {"target.type", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL,
     "string|unix|Date|Time|Timestamp", NULL, "What the time becomes."},
    {"format", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, "", NULL, NULL,
     "How times are written and read as text, in UTC: a pattern as java.text.SimpleDateFormat has "
     "them."},
    {"unix.precision", SLUICE_OPT_STRING, SLUICE_LOW, 0, "milliseconds",
     "nanoseconds|microseconds|milliseconds|seconds", NULL,
     "What a Unix time counts; what is finer than milliseconds gets lost."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(timestamp_converter, "timestamp-converter", "TimestampConverter", NULL);
