/* arg_iter.c - the "iteration" property: sequences that start somewhere, step, and start over.
 * After n records the position is (initial + n * step) modulo (restart - start), which is how a
 * restarted task goes on. */
#include "arg.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_SCALE 18

struct bounds {
    bool has_start, has_restart, has_step, has_initial;
};

static arg_wide wide_abs(arg_wide v) { return v < 0 ? -v : v; }

/* The rules on start, restart and step that hold for all numbers; sign_* is -1, 0 or 1. */
static bool check_rules(const struct bounds *b, int restart_side, int step_sign,
                        struct sluice_err *err)
{
    if (!b->has_start) return datagen_fail(err, "iteration property must contain start field");
    if (b->has_step && step_sign == 0) {
        return datagen_fail(err, "step field of iteration property cannot be zero");
    }
    if (b->has_restart && restart_side == 0) {
        return datagen_fail(err, "start and restart fields of iteration property cannot be equal");
    }
    if (b->has_restart && b->has_step && restart_side > 0 && step_sign < 0) {
        return datagen_fail(err, "step field of iteration property must be positive when restart "
                                 "field is greater than start field");
    }
    if (b->has_restart && b->has_step && restart_side < 0 && step_sign > 0) {
        return datagen_fail(err, "step field of iteration property must be negative when restart "
                                 "field is less than start field");
    }
    return true;
}

static bool init_whole(struct arg_iterator *iter, const json_t *prop, bool narrow,
                       int64_t generation, struct sluice_err *err)
{
    struct bounds b;
    int64_t start = 0, restart = 0, step = 0, initial = 0;
    if (!arg_whole(prop, "start", "iteration", narrow, &b.has_start, &start, err) ||
        !arg_whole(prop, "restart", "iteration", narrow, &b.has_restart, &restart, err) ||
        !arg_whole(prop, "step", "iteration", narrow, &b.has_step, &step, err) ||
        !arg_whole(prop, "initial", "iteration", narrow, &b.has_initial, &initial, err)) {
        return false;
    }
    int side = (restart > start) - (restart < start), sign = (step > 0) - (step < 0);
    if (!check_rules(&b, side, sign, err)) return false;
    if (!b.has_step) step = b.has_restart ? side : 1;
    arg_wide high = narrow ? INT32_MAX : INT64_MAX, low = narrow ? INT32_MIN : INT64_MIN;
    arg_wide end = b.has_restart ? (arg_wide)restart : step > 0 ? high : low;
    iter->start = start;
    iter->step = step;
    iter->modulo = wide_abs(end - start);
    if (!iter->modulo) iter->modulo = 1;
    iter->current = b.has_initial ? (arg_wide)initial - start : 0;
    iter->narrow = narrow;
    if (generation > 0) {
        arg_wide at = wide_abs((arg_wide)generation * step + iter->current) % iter->modulo;
        iter->current = step < 0 ? -at : at;
    }
    return true;
}

int64_t arg_iterator_next(struct arg_iterator *iter)
{
    arg_wide result = iter->current + iter->start, next = wide_abs(iter->current + iter->step);
    if (next >= iter->modulo) next %= iter->modulo;
    iter->current = iter->step < 0 ? -next : next;
    return iter->narrow ? (int64_t)(int32_t)(uint32_t)(uint64_t)result : (int64_t)(uint64_t)result;
}

/* The shortest decimal text that reads back as v, as units of 10^-*scale; false when it needs more
 * digits than MAX_SCALE after the point or is too large to step exactly. */
static bool to_units(double v, int64_t *units, int *scale)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*e", digits - 1, v);
        if (strtod(text, NULL) == v) break;
    }
    char *e = strchr(text, 'e');
    if (!e) return false;
    int exponent = (int)strtol(e + 1, NULL, 10), point = 0;
    char digits[40];
    size_t n = 0;
    for (const char *p = text; p < e; p++) {
        if (*p == '.') point = 1;
        else {
            digits[n++] = *p;
            if (point && *p != '-') exponent--;
        }
    }
    digits[n] = '\0';
    *units = strtoll(digits, NULL, 10);
    for (; exponent > 0; exponent--) {
        if (*units > INT64_MAX / 10 || *units < INT64_MIN / 10) return false;
        *units *= 10;
    }
    *scale = -exponent;
    return *scale <= MAX_SCALE;
}

static arg_wide rescale(int64_t units, int from, int to)
{
    arg_wide v = units;
    for (; from < to; from++) v *= 10;
    return v;
}

static bool init_real(struct arg_iterator *iter, const json_t *prop, bool narrow,
                      int64_t generation, struct sluice_err *err)
{
    struct bounds b;
    double v[4] = {0}; /* start, restart, step, initial */
    if (!arg_real(prop, "start", "iteration", narrow, &b.has_start, &v[0], err) ||
        !arg_real(prop, "restart", "iteration", narrow, &b.has_restart, &v[1], err) ||
        !arg_real(prop, "step", "iteration", narrow, &b.has_step, &v[2], err) ||
        !arg_real(prop, "initial", "iteration", narrow, &b.has_initial, &v[3], err)) {
        return false;
    }
    int side = (v[1] > v[0]) - (v[1] < v[0]), sign = (v[2] > 0) - (v[2] < 0);
    if (!check_rules(&b, side, sign, err)) return false;
    if (!b.has_step) v[2] = b.has_restart ? side : 1;
    if (!b.has_initial) v[3] = v[0];
    if (!b.has_restart) v[1] = v[0];
    int64_t units[4];
    int scale[4], top = 0;
    for (int i = 0; i < 4; i++) {
        if (!to_units(v[i], &units[i], &scale[i])) {
            return datagen_fail(err, "iteration property: %g cannot be stepped exactly", v[i]);
        }
        if (scale[i] > top) top = scale[i];
    }
    iter->scale = top;
    iter->narrow = narrow;
    iter->start = rescale(units[0], scale[0], top);
    iter->step = rescale(units[2], scale[2], top);
    iter->modulo = wide_abs(rescale(units[1], scale[1], top) - iter->start); /* 0: no restart */
    iter->current = rescale(units[3], scale[3], top) - iter->start;
    if (generation > 0) {
        if (wide_abs(iter->step) > INT64_MAX) {
            return datagen_fail(err, "iteration property: steps of %g are too long to resume",
                                v[2]);
        }
        iter->current += (arg_wide)generation * iter->step;
        if (iter->modulo) iter->current %= iter->modulo;
    }
    return true;
}

/* Through text, which rounds once from any number of digits. */
static double read_units(arg_wide units, int scale, bool narrow)
{
    char text[64];
    int64_t high = (int64_t)(units / 1000000000000000000LL);
    int64_t low = (int64_t)(wide_abs(units) % 1000000000000000000LL);
    (void)snprintf(text, sizeof(text), "%s%lld%018llde-%d", units < 0 && !high ? "-" : "",
                   (long long)high, (long long)low, scale);
    return narrow ? (double)strtof(text, NULL) : strtod(text, NULL);
}

double arg_iterator_next_real(struct arg_iterator *iter)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    arg_wide result = iter->current + iter->start;
    iter->current += iter->step;
    if (iter->modulo && wide_abs(iter->current) >= iter->modulo) iter->current %= iter->modulo;
    assert(iter->scale <= MAX_SCALE);
    bool exact = wide_abs(result) <= (1LL << 53) && !iter->narrow;
    return exact ? (double)result / tens[iter->scale]
                 : read_units(result, iter->scale, iter->narrow);
}

bool arg_iterator_init(struct arg_iterator *iter, const json_t *prop, enum avro_kind kind,
                       int64_t generation, struct sluice_err *err)
{
    bool real = kind == AVRO_FLOAT || kind == AVRO_DOUBLE;
    if (real) return init_real(iter, prop, kind == AVRO_FLOAT, generation, err);
    return init_whole(iter, prop, kind != AVRO_LONG, generation, err);
}

static bool init_flip(struct arg_node *node, const json_t *prop, int64_t generation,
                      struct sluice_err *err)
{
    const json_t *start = json_object_get(prop, "start");
    if (!start) return datagen_fail(err, "iteration property must contain start field");
    if (!json_is_boolean(start)) {
        return datagen_fail(err, "start field of iteration property for a boolean schema must be "
                                 "a boolean");
    }
    const char *extra = json_object_get(prop, "restart") ? "restart"
                        : json_object_get(prop, "step")  ? "step"
                                                         : NULL;
    if (extra) {
        return datagen_fail(err, "iteration property cannot contain %s field for a boolean schema",
                            extra);
    }
    node->op = ARG_FLIP;
    node->u.flip = json_is_true(start) != (generation % 2 == 1);
    return true;
}

bool arg_iteration(struct arg_node *node, const struct avro_type *type, const json_t *props,
                   int64_t generation, struct sluice_err *err)
{
    const json_t *prop = json_object_get(props, "iteration");
    if (!json_is_object(prop)) return datagen_fail(err, "iteration prop must be an object");
    switch (type->kind) {
    case AVRO_BOOLEAN: return init_flip(node, prop, generation, err);
    case AVRO_INT:
    case AVRO_LONG: node->op = ARG_COUNT; break;
    case AVRO_STRING: node->op = ARG_COUNT_TEXT; break;
    case AVRO_FLOAT:
    case AVRO_DOUBLE: node->op = ARG_STEP; break;
    default:
        return datagen_fail(err,
                            "iteration property can only be specified on numeric, boolean or "
                            "string schemas, not %s schema",
                            avro_kind_name(type->kind));
    }
    return arg_iterator_init(&node->u.iter, prop, type->kind, generation, err);
}
