/* mask_field.c - org.apache.kafka.connect.transforms.MaskField: fields get a valid empty value of
 * their type, or a replacement. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/transforms/smt_plugin.h"

#define PURPOSE "mask fields"

struct mask {
    struct smt smt;
    char **fields; /* NULL-ended */
    size_t n;
    char *replacement; /* NULL: none */
    bool is_number;    /* a text that BigDecimal reads; then: */
    int64_t integer;   /* its longValue(): the low bits without what stands behind the point */
    double real;
};

struct plan {
    struct smt_plan head;
    bool masked[]; /* each field */
};

/* ---- the replacement as a number ---- */

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* What BigDecimal's constructor takes: [+-]digits[.digits][e[+-]digits]. */
static bool read_number(const char *text, int64_t *integer)
{
    const char *at = text + (*text == '+' || *text == '-'), *digits = at;
    long exponent = 0, shift = 0;
    size_t n = 0, point = 0;
    for (; digit(*at); at++) n++;
    point = n;
    if (*at == '.') {
        for (at++; digit(*at); at++) n++;
    }
    if (n == 0) return false;
    if (*at == 'e' || *at == 'E') {
        char *end;
        if (!digit(at[1]) && !((at[1] == '+' || at[1] == '-') && digit(at[2]))) return false;
        exponent = strtol(at + 1, &end, 10);
        if (end - at > 12 || exponent > 2147483647L || exponent < -2147483647L) return false;
        at = end;
    }
    if (*at) return false;
    uint64_t whole = 0;
    shift = (long)point + exponent; /* digits before the point */
    long taken = 0;
    for (at = digits; taken < shift && (digit(*at) || *at == '.'); at++) {
        if (*at == '.') continue;
        whole = whole * 10 + (uint64_t)(*at - '0');
        taken++;
    }
    for (long more = shift - taken; more > 0 && whole; more--) whole *= 10; /* ends in zero bits */
    *integer = (int64_t)(*text == '-' ? 0 - whole : whole);
    return true;
}

/* ---- masking ---- */

static bool no_mask(const struct mask *mask, const char *class, struct sluice_err *err)
{
    if (!mask->replacement) {
        return sluice_err_set(err, "Cannot mask value of type: class %s", class);
    }
    return sluice_err_set(err, "Cannot mask value of type class %s with custom replacement.",
                          class);
}

static bool no_number(const struct mask *mask, const char *what, struct sluice_err *err)
{
    return sluice_err_set(err, "Unable to convert %s (class java.lang.String) to %s",
                          mask->replacement, what);
}

static bool mask_decimal(const struct mask *mask, struct sluice_batch *batch,
                         const struct sluice_schema *schema, struct sluice_value *v,
                         struct sluice_err *err)
{
    int32_t scale;
    *v = sluice_bytes("", 1); /* zero is one octet of zero, whatever the scale */
    if (!mask->replacement) return true;
    if (!mask->is_number) return no_number(mask, "number", err);
    return sluice_decimal_scale(schema, &scale, err) &&
           sluice_decimal_parse(&batch->arena, mask->replacement, strlen(mask->replacement), scale,
                                v, err);
}

/* v is not null; schema NULL: there is none. */
static bool mask_value(const struct mask *mask, struct sluice_batch *batch,
                       const struct sluice_schema *schema, struct sluice_value *v,
                       struct sluice_err *err)
{
    enum sluice_type type = (enum sluice_type)v->type;
    enum sluice_logical logical = sluice_logical_of(schema);
    int64_t integer = mask->replacement ? mask->integer : 0;
    double real = mask->replacement ? mask->real : 0;
    assert(type != SLUICE_NULL);
    if (logical == SLUICE_LOGICAL_DECIMAL) return mask_decimal(mask, batch, schema, v, err);
    if (mask->replacement &&
        (logical != SLUICE_LOGICAL_NONE || type == SLUICE_BOOLEAN || type >= SLUICE_BYTES)) {
        return no_mask(mask, smt_class(schema, v), err);
    }
    if (mask->replacement && type != SLUICE_STRING && !mask->is_number) {
        return no_number(mask, "a number", err);
    }
    switch (type) {
    case SLUICE_INT8: v->u.i = (int8_t)integer; return true;
    case SLUICE_INT16: v->u.i = (int16_t)integer; return true;
    case SLUICE_INT32: v->u.i = (int32_t)integer; return true;
    case SLUICE_INT64: v->u.i = integer; return true;
    case SLUICE_BOOLEAN: v->u.i = 0; return true;
    case SLUICE_FLOAT32: v->u.d = (double)(float)real; return true;
    case SLUICE_FLOAT64: v->u.d = real; return true;
    case SLUICE_STRING:
        *v = mask->replacement ? sluice_string(mask->replacement, strlen(mask->replacement))
                               : sluice_string("", 0);
        return true;
    case SLUICE_ARRAY:
    case SLUICE_MAP: v->len = 0; return true;
    case SLUICE_NULL:
    case SLUICE_BYTES:
    case SLUICE_STRUCT: break;
    }
    return no_mask(mask, smt_class(schema, v), err);
}

/* ---- records ---- */

static bool listed(const struct mask *mask, const char *name)
{
    for (size_t i = 0; i < mask->n; i++) {
        if (strcmp(mask->fields[i], name) == 0) return true;
    }
    return false;
}

static const struct plan *plan_of(struct mask *mask, const struct sluice_schema *in)
{
    struct plan *plan = (struct plan *)smt_plan_find(&mask->smt, in);
    if (plan) return plan;
    plan = sluice_xcalloc(1, sizeof *plan + in->fields_len * sizeof *plan->masked);
    for (uint32_t i = 0; i < in->fields_len; i++) {
        plan->masked[i] = listed(mask, in->fields[i].name);
    }
    smt_plan_put(&mask->smt, &plan->head, in, sluice_schema_hold(in));
    return plan;
}

static bool apply_struct(struct mask *mask, struct sluice_batch *batch, struct smt_side side,
                         struct sluice_err *err)
{
    const struct sluice_schema *schema = *side.schema;
    if (!smt_require_struct(schema, side.value, PURPOSE, err)) return false;
    const struct plan *plan = plan_of(mask, schema);
    uint32_t n = schema->fields_len;
    struct sluice_value *values = sluice_batch_alloc(batch, n * sizeof *values);
    for (uint32_t i = 0; i < n; i++) {
        const struct sluice_field *field = &schema->fields[i];
        if (!smt_put(&values[i], &side.value->u.v[i], field->schema, field, mask->smt.replace_null,
                     err)) {
            return false;
        }
        if (plan->masked[i] && values[i].type != SLUICE_NULL &&
            !mask_value(mask, batch, field->schema, &values[i], err)) {
            return false;
        }
    }
    smt_set(batch, side, schema, sluice_nested(SLUICE_STRUCT, values, n));
    return true;
}

/* A field that is not there becomes null, as in Java. */
static bool apply_map(const struct mask *mask, struct sluice_batch *batch, struct smt_side side,
                      struct sluice_err *err)
{
    if (!smt_require_map(NULL, side.value, PURPOSE, err)) return false;
    struct smt_map map = smt_map_copy(batch, side.value, mask->n);
    for (size_t i = 0; i < mask->n; i++) {
        const char *name = mask->fields[i];
        const struct sluice_value *have = smt_map_get(side.value, name, strlen(name));
        struct sluice_value v = have ? *have : sluice_null();
        if (v.type != SLUICE_NULL && !mask_value(mask, batch, NULL, &v, err)) return false;
        smt_map_put(&map, name, strlen(name), v);
    }
    *side.value = smt_map_value(&map);
    return true;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct mask *mask = self;
    struct smt_side side = smt_side(&mask->smt, rec);
    bool ok =
        *side.schema ? apply_struct(mask, batch, side, err) : apply_map(mask, batch, side, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct mask *mask = sluice_xcalloc(1, sizeof *mask);
    const char *const *fields = host->list(conf, "fields");
    size_t n = 0;
    (void)err;
    *self = mask;
    smt_init(&mask->smt, form, NULL);
    mask->smt.replace_null = host->flag(conf, "replace.null.with.default");
    while (fields[n]) n++;
    mask->fields = sluice_xcalloc(n + 1, sizeof *mask->fields);
    for (; mask->n < n; mask->n++) mask->fields[mask->n] = sluice_xstrdup(fields[mask->n]);
    mask->replacement = sluice_xstrdup(host->str(conf, "replacement"));
    if (mask->replacement) {
        mask->is_number = read_number(mask->replacement, &mask->integer);
        if (mask->is_number) mask->real = strtod(mask->replacement, NULL);
    }
    return SLUICE_OK;
}

static void close(void *self)
{
    struct mask *mask = self;
    if (!mask) return;
    smt_fini(&mask->smt);
    for (size_t i = 0; i < mask->n; i++) free(mask->fields[i]);
    free(mask->fields);
    free(mask->replacement);
    free(mask);
}

static const struct sluice_option options[] = {
    {"fields", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "The fields to mask."},
    {"replacement", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_NONEMPTY, NULL, NULL, NULL,
     "What masked fields get in place of 0 or an empty text; only numbers and texts can be masked "
     "with it."},
    SMT_REPLACE_NULL,
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN_FORMS(mask_field, "mask-field", "MaskField", NULL);
