/* expr_eval.c - evaluation, kinds and folding of expressions. */
#include "expr.h"

#include <assert.h>
#include <math.h>

static struct sluice_value eval_call(struct js *js, const struct expr *e)
{
    struct sluice_value args[10];
    if (e->fixed || !e->n) return e->function->native(js, e->fixed, e->n);
    assert(e->n <= DATAGEN_COUNT(args));
    for (uint32_t i = 0; i < e->n; i++) args[i] = expr_eval(js, e->args[i]);
    if (js->failed) return js_undefined();
    return e->function->native(js, args, e->n);
}

static struct sluice_value eval_many(struct js *js, const struct expr *e)
{
    bool map = e->op == EXPR_OBJECT;
    struct sluice_value *items = datagen_mem_take(js->mem, (map ? 2 : 1) * e->n * sizeof(*items));
    for (uint32_t i = 0; i < e->n; i++) {
        if (map) items[2 * i] = sluice_string(e->keys[i], strlen(e->keys[i]));
        items[map ? 2 * i + 1 : i] = expr_eval(js, e->args[i]);
    }
    return sluice_nested(map ? SLUICE_MAP : SLUICE_ARRAY, items, e->n);
}

static bool equal(const struct sluice_value *a, const struct sluice_value *b)
{
    if (a->type != b->type) return false;
    switch (a->type) {
    case SLUICE_STRING: return a->len == b->len && memcmp(a->u.s, b->u.s, a->len) == 0;
    case SLUICE_FLOAT64: return a->u.d == b->u.d;
    case SLUICE_BOOLEAN: return a->u.i == b->u.i;
    case SLUICE_NULL: return true;
    default: return a->u.v == b->u.v;
    }
}

/* Strings by their bytes, all else as numbers. */
static bool less(const struct sluice_value *a, const struct sluice_value *b, bool or_equal)
{
    if (a->type == SLUICE_STRING && b->type == SLUICE_STRING) {
        size_t n = a->len < b->len ? a->len : b->len;
        int c = n ? memcmp(a->u.s, b->u.s, n) : 0;
        return c < 0 || (c == 0 && (or_equal ? a->len <= b->len : a->len < b->len));
    }
    double x = js_number(a), y = js_number(b);
    return or_equal ? x <= y : x < y;
}

static struct sluice_value add(struct js *js, struct sluice_value a, struct sluice_value b)
{
    bool text = a.type == SLUICE_STRING || b.type == SLUICE_STRING || a.type >= SLUICE_ARRAY ||
                b.type >= SLUICE_ARRAY || a.flags == JS_DATE || b.flags == JS_DATE;
    if (!text) return sluice_float64(js_number(&a) + js_number(&b));
    struct sluice_value parts[2];
    parts[0] = js_string(js, a);
    parts[1] = js_string(js, b);
    return js_concat(js, parts, 2);
}

static struct sluice_value eval_index(struct js *js, struct sluice_value of, struct sluice_value at)
{
    if (of.type == SLUICE_MAP) {
        struct sluice_value key = js_string(js, at);
        for (uint32_t i = 0; i < of.len; i++) {
            if (equal(&of.u.v[2 * i], &key)) return of.u.v[2 * i + 1];
        }
        return js_undefined();
    }
    double i = js_number(&at);
    if (!(i >= 0) || i != floor(i) || i >= of.len) return js_undefined();
    if (of.type == SLUICE_ARRAY) return of.u.v[(size_t)i];
    if (of.type == SLUICE_STRING) return sluice_string(of.u.s + (size_t)i, 1);
    return js_undefined();
}

static struct sluice_value eval_operator(struct js *js, const struct expr *e)
{
    struct sluice_value a = expr_eval(js, e->args[0]), b;
    switch (e->op) {
    case EXPR_NOT: return sluice_bool(!js_truthy(&a));
    case EXPR_NEG: return sluice_float64(-js_number(&a));
    case EXPR_AND: return js_truthy(&a) ? expr_eval(js, e->args[1]) : a;
    case EXPR_OR: return js_truthy(&a) ? a : expr_eval(js, e->args[1]);
    case EXPR_COND: return expr_eval(js, e->args[js_truthy(&a) ? 1 : 2]);
    default: b = expr_eval(js, e->args[1]);
    }
    switch (e->op) {
    case EXPR_ADD: return add(js, a, b);
    case EXPR_SUB: return sluice_float64(js_number(&a) - js_number(&b));
    case EXPR_MUL: return sluice_float64(js_number(&a) * js_number(&b));
    case EXPR_DIV: return sluice_float64(js_number(&a) / js_number(&b));
    case EXPR_MOD: return sluice_float64(fmod(js_number(&a), js_number(&b)));
    case EXPR_POW: return sluice_float64(pow(js_number(&a), js_number(&b)));
    case EXPR_LT: return sluice_bool(less(&a, &b, false));
    case EXPR_GT: return sluice_bool(less(&b, &a, false));
    case EXPR_LE: return sluice_bool(less(&a, &b, true));
    case EXPR_GE: return sluice_bool(less(&b, &a, true));
    case EXPR_EQ: return sluice_bool(equal(&a, &b));
    case EXPR_NE: return sluice_bool(!equal(&a, &b));
    case EXPR_INDEX: return eval_index(js, a, b);
    default: assert(!"unknown operator"); return js_undefined();
    }
}

struct sluice_value expr_eval(struct js *js, const struct expr *e)
{
    struct sluice_value v;
    switch (e->op) {
    case EXPR_CONST: return e->value;
    case EXPR_PICK: return js_pick(js, e->list->items, e->list->len);
    case EXPR_CALL: return eval_call(js, e);
    case EXPR_ARRAY:
    case EXPR_OBJECT: return eval_many(js, e);
    case EXPR_ITERATION: return sluice_float64(js->iteration);
    case EXPR_FUNCTION:
        v = sluice_null();
        v.flags = JS_FUNCTION;
        v.u.s = (const char *)e;
        return v;
    default: return eval_operator(js, e);
    }
}

struct sluice_value js_call(struct js *js, struct sluice_value function)
{
    const struct expr *e = (const struct expr *)(const void *)function.u.s;
    assert(js_is_function(&function) && e->op == EXPR_FUNCTION);
    return expr_eval(js, e->args[0]);
}

/* ---- what is known before ---- */

static uint8_t merge(uint8_t a, uint8_t b)
{
    bool numbers = (a == KIND_INT || a == KIND_FLOAT) && (b == KIND_INT || b == KIND_FLOAT);
    if (a == b) return a;
    if (a == KIND_NULL || a == KIND_UNDEFINED) return b;
    if (b == KIND_NULL || b == KIND_UNDEFINED) return a;
    return numbers ? KIND_FLOAT : KIND_ANY;
}

static uint8_t elem_kind(const struct expr *e)
{
    if (e->kind == KIND_FUNCTION) return e->args[0]->kind;
    return e->kind == KIND_ARRAY ? e->elem : KIND_ANY;
}

static void call_kind(struct expr *e)
{
    const char *name = e->function->name;
    bool items = strncmp(name, "faker.helpers.", 14) == 0 && e->n;
    if (items && e->kind == KIND_ARRAY) e->elem = elem_kind(e->args[0]);
    if (items && (strcmp(name + 14, "arrayElement") == 0 || strcmp(name + 14, "maybe") == 0)) {
        e->kind = elem_kind(e->args[0]);
        if (e->args[0]->kind == KIND_STRING) e->kind = KIND_STRING;
    }
    if (strcmp(name, "faker.datatype.number") == 0 && e->n) {
        const struct expr *o = e->args[0]; /* a precision of parts makes parts */
        for (uint32_t i = 0; o->keys && i < o->n; i++) {
            const struct sluice_value *v = &o->args[i]->value;
            bool part = o->args[i]->op != EXPR_CONST || v->u.d != floor(v->u.d);
            if (strcmp(o->keys[i], "precision") == 0 && part) e->kind = KIND_FLOAT;
        }
    }
    if (strcmp(name, "Math.abs") == 0 && e->n) e->kind = e->args[0]->kind;
    if ((strcmp(name, "Math.min") == 0 || strcmp(name, "Math.max") == 0) && e->n) {
        e->kind = e->args[0]->kind;
        for (uint32_t i = 1; i < e->n; i++) e->kind = merge(e->kind, e->args[i]->kind);
    }
    if (strcmp(name, ".slice") == 0 && e->args[0]->kind == KIND_ARRAY) {
        e->kind = KIND_ARRAY;
        e->elem = e->args[0]->elem;
    }
}

static void operator_kind(struct expr *e)
{
    uint8_t a = e->args[0]->kind, b = e->n > 1 ? e->args[1]->kind : a;
    bool ints = a == KIND_INT && b == KIND_INT;
    switch (e->op) {
    case EXPR_ADD:
        e->kind = a == KIND_STRING || b == KIND_STRING ? KIND_STRING
                  : ints                               ? KIND_INT
                  : merge(a, b) == KIND_FLOAT          ? KIND_FLOAT
                                                       : KIND_ANY;
        break;
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_MOD:
    case EXPR_NEG: e->kind = ints ? KIND_INT : KIND_FLOAT; break;
    case EXPR_DIV:
    case EXPR_POW: e->kind = KIND_FLOAT; break;
    case EXPR_AND:
    case EXPR_OR: e->kind = merge(a, b); break;
    case EXPR_COND: e->kind = merge(b, e->args[2]->kind); break;
    case EXPR_INDEX:
        e->kind = a == KIND_ARRAY ? e->args[0]->elem : a == KIND_STRING ? a : KIND_ANY;
        break;
    default: e->kind = KIND_BOOL;
    }
    if (e->kind == KIND_ARRAY) {
        const struct expr *x = e->args[e->n - 2], *y = e->args[e->n - 1];
        e->elem = merge(x->elem, y->elem);
    }
}

static bool all_const(const struct expr *e)
{
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->args[i]->op != EXPR_CONST) return false;
    }
    return true;
}

/* Evaluates with memory of the arena: neither random numbers nor a record are needed. */
static void fold(struct datagen_arena *arena, struct expr *e)
{
    struct datagen_pool pool = {0};
    struct datagen_mem mem;
    datagen_mem_begin_pool(&mem, &pool);
    struct js js = {.arena = arena, .mem = &mem};
    struct sluice_value v = expr_eval(&js, e);
    if (!js.failed && v.type <= SLUICE_STRING) {
        if (v.type == SLUICE_STRING) v.u.s = datagen_strndup(arena, v.u.s, v.len);
        e->op = EXPR_CONST;
        e->value = v;
    }
    datagen_pool_free(&pool);
}

void expr_settle(struct datagen_arena *arena, struct expr *e)
{
    switch (e->op) {
    case EXPR_CALL:
        call_kind(e);
        if (e->n && all_const(e)) {
            struct sluice_value *fixed = datagen_alloc(arena, e->n * sizeof(*fixed));
            for (uint32_t i = 0; i < e->n; i++) fixed[i] = e->args[i]->value;
            e->fixed = fixed;
        }
        break;
    case EXPR_PICK: break;
    case EXPR_ARRAY:
        e->elem = e->n ? e->args[0]->kind : KIND_ANY;
        for (uint32_t i = 1; i < e->n; i++) e->elem = merge(e->elem, e->args[i]->kind);
        /* fall through */
    case EXPR_OBJECT:
        if (all_const(e)) { /* keeps its items: kinds are asked of them later */
            bool map = e->op == EXPR_OBJECT;
            struct sluice_value *v = datagen_alloc(arena, (map ? 2 : 1) * (e->n + 1) * sizeof(*v));
            for (uint32_t i = 0; i < e->n; i++) {
                if (map) v[2 * i] = sluice_string(e->keys[i], strlen(e->keys[i]));
                v[map ? 2 * i + 1 : i] = e->args[i]->value;
            }
            e->op = EXPR_CONST;
            e->value = sluice_nested(map ? SLUICE_MAP : SLUICE_ARRAY, v, e->n);
        }
        break;
    default:
        operator_kind(e);
        if (all_const(e)) fold(arena, e);
    }
}
