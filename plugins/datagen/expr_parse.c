/* expr_parse.c - recursive descent over the subset of JavaScript that expr.h lists. Names are bound
 * while parsing, so that the message for an unknown one can point at it. */
#include "expr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH 64
#define MAX_ARGS 1024

struct parser {
    struct datagen_arena *arena;
    const char *text, *p;
    int depth;
    struct sluice_err *err;
};

static struct expr *parse_ternary(struct parser *in);

static struct expr *fail(struct parser *in, const char *what)
{
    datagen_fail(in->err, "%s at character %zu (\"%.30s\")", what, (size_t)(in->p - in->text) + 1,
                 in->p);
    return NULL;
}

/* Spaces and comments. */
static void skip(struct parser *in)
{
    for (;;) {
        while (isspace((unsigned char)*in->p)) in->p++;
        if (in->p[0] == '/' && in->p[1] == '*') {
            const char *end = strstr(in->p + 2, "*/");
            in->p = end ? end + 2 : in->p + strlen(in->p);
        } else if (in->p[0] == '/' && in->p[1] == '/') {
            in->p += strcspn(in->p, "\n");
        } else {
            return;
        }
    }
}

static bool take(struct parser *in, const char *mark)
{
    size_t n = strlen(mark);
    skip(in);
    if (strncmp(in->p, mark, n) != 0) return false;
    in->p += n;
    return true;
}

static bool peek(struct parser *in, const char *mark)
{
    skip(in);
    return strncmp(in->p, mark, strlen(mark)) == 0;
}

static struct expr *node(struct parser *in, enum expr_op op, uint8_t kind, uint32_t n)
{
    struct expr *e = datagen_alloc(in->arena, sizeof(*e));
    e->op = op;
    e->kind = kind;
    e->n = n;
    if (n) e->args = datagen_alloc(in->arena, n * sizeof(struct expr *));
    return e;
}

static struct expr *constant(struct parser *in, struct sluice_value v, uint8_t kind)
{
    struct expr *e = node(in, EXPR_CONST, kind, 0);
    e->value = v;
    return e;
}

static struct expr *settle(struct parser *in, struct expr *e)
{
    expr_settle(in->arena, e);
    return e;
}

/* ---- lists ---- */

struct list {
    struct expr *items[MAX_ARGS];
    const char *keys[MAX_ARGS];
    uint32_t n;
};

static struct expr *from_list(struct parser *in, const struct list *list, enum expr_op op,
                              uint8_t kind)
{
    struct expr *e = node(in, op, kind, list->n);
    if (!list->n) return e;
    memcpy(e->args, list->items, list->n * sizeof(struct expr *));
    if (op == EXPR_OBJECT) {
        e->keys = datagen_alloc(in->arena, list->n * sizeof(*e->keys));
        memcpy(e->keys, list->keys, list->n * sizeof(*e->keys));
    }
    return e;
}

static const char *name_at(struct parser *in, size_t *len)
{
    skip(in);
    const char *start = in->p;
    if (!isalpha((unsigned char)*start) && *start != '_' && *start != '$') return NULL;
    while (isalnum((unsigned char)*in->p) || *in->p == '_' || *in->p == '$') in->p++;
    *len = (size_t)(in->p - start);
    return start;
}

static size_t put_point(char *to, unsigned long point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xC0 | point >> 6);
        to[1] = (char)(0x80 | (point & 63));
        return 2;
    }
    to[0] = (char)(0xE0 | (point >> 12 & 15));
    to[1] = (char)(0x80 | (point >> 6 & 63));
    to[2] = (char)(0x80 | (point & 63));
    return 3;
}

/* The text up to the closing mark (or "${"), escapes resolved; NULL at the end of the input. */
static char *quoted_text(struct parser *in, char mark, size_t *len)
{
    char *out = datagen_alloc(in->arena, strlen(in->p) + 1);
    size_t n = 0;
    while (*in->p && *in->p != mark && !(mark == '`' && in->p[0] == '$' && in->p[1] == '{')) {
        char c = *in->p++;
        if (c != '\\' || !*in->p) {
            out[n++] = c;
            continue;
        }
        c = *in->p++;
        const char *plain = "nrtbf0", *hit = strchr(plain, c);
        if ((c == 'u' && strspn(in->p, "0123456789abcdefABCDEF") >= 4) ||
            (c == 'x' && strspn(in->p, "0123456789abcdefABCDEF") >= 2)) {
            char hex[5] = "";
            memcpy(hex, in->p, c == 'u' ? 4 : 2);
            in->p += c == 'u' ? 4 : 2;
            n += put_point(out + n, strtoul(hex, NULL, 16));
        } else {
            out[n++] = hit ? "\n\r\t\b\f\0"[hit - plain] : c;
        }
    }
    if (!*in->p) return NULL;
    *len = n;
    return out;
}

static struct expr *parse_string(struct parser *in)
{
    char mark = *in->p++;
    struct expr *all = NULL;
    for (;;) {
        size_t len = 0;
        char *text = quoted_text(in, mark, &len);
        if (!text) return fail(in, "a string has no end");
        struct expr *piece = constant(in, sluice_string(text, len), KIND_STRING);
        for (int i = 0; i < 2; i++) {
            if (all && piece) {
                struct expr *sum = node(in, EXPR_ADD, KIND_STRING, 2);
                sum->args[0] = all;
                sum->args[1] = piece;
                all = settle(in, sum);
            } else if (!all) {
                all = piece;
            }
            piece = NULL;
            if (i || *in->p == mark) break;
            in->p += 2; /* ${ */
            piece = parse_ternary(in);
            if (!piece) return NULL;
            if (!take(in, "}")) return fail(in, "expected '}'");
        }
        if (*in->p == mark) break;
    }
    in->p++;
    return all;
}

static struct expr *parse_array(struct parser *in)
{
    struct list *list = datagen_alloc(in->arena, sizeof(*list));
    while (!take(in, "]")) {
        if (list->n == MAX_ARGS) return fail(in, "an array of too many items");
        if (!(list->items[list->n++] = parse_ternary(in))) return NULL;
        if (!take(in, ",") && !peek(in, "]")) return fail(in, "expected ',' or ']'");
    }
    return settle(in, from_list(in, list, EXPR_ARRAY, KIND_ARRAY));
}

static struct expr *parse_object(struct parser *in)
{
    struct list *list = datagen_alloc(in->arena, sizeof(*list));
    while (!take(in, "}")) {
        size_t len = 0;
        if (list->n == MAX_ARGS) return fail(in, "an object of too many fields");
        const char *name = name_at(in, &len);
        if (!name && (*in->p == '"' || *in->p == '\'')) {
            char mark = *in->p++;
            name = quoted_text(in, mark, &len);
            if (name) in->p++;
        }
        if (!name) return fail(in, "expected a field's name");
        list->keys[list->n] = datagen_strndup(in->arena, name, len);
        if (!take(in, ":")) return fail(in, "expected ':'");
        if (!(list->items[list->n++] = parse_ternary(in))) return NULL;
        if (!take(in, ",") && !peek(in, "}")) return fail(in, "expected ',' or '}'");
    }
    return settle(in, from_list(in, list, EXPR_OBJECT, KIND_OBJECT));
}

/* ---- functions ---- */

static struct expr *parse_arrow_body(struct parser *in)
{
    struct expr *e = node(in, EXPR_FUNCTION, KIND_FUNCTION, 1);
    bool block = take(in, "{");
    if (block && !take(in, "return")) return fail(in, "a function's block must be {return ...;}");
    e->args[0] = parse_ternary(in);
    if (!e->args[0]) return NULL;
    if (block) {
        (void)take(in, ";");
        if (!take(in, "}")) return fail(in, "expected '}'");
    }
    return e;
}

/* "() =>" ahead: the only functions are those without parameters. */
static bool take_arrow(struct parser *in)
{
    const char *start = in->p;
    if (take(in, "(") && take(in, ")") && take(in, "=>")) return true;
    in->p = start;
    return false;
}

static struct expr *parse_call(struct parser *in, const struct js_function *function,
                               struct expr *self)
{
    struct list *list = datagen_alloc(in->arena, sizeof(*list));
    if (self) list->items[list->n++] = self;
    while (!take(in, ")")) {
        if (list->n > function->max_args || list->n == MAX_ARGS) {
            return fail(in, "too many arguments");
        }
        if (!(list->items[list->n++] = parse_ternary(in))) return NULL;
        if (!take(in, ",") && !peek(in, ")")) return fail(in, "expected ',' or ')'");
    }
    if (list->n > function->max_args) {
        datagen_fail(in->err, "%s() is known with at most %d argument%s", function->name,
                     function->max_args, function->max_args == 1 ? "" : "s");
        return NULL;
    }
    struct expr *e = from_list(in, list, function->list ? EXPR_PICK : EXPR_CALL, function->kind);
    e->function = function;
    e->elem = function->elem;
    if (function->list) {
        struct faker_list *opened = datagen_alloc(in->arena, sizeof(*opened));
        if (!faker_list_open(in->arena, function->list, opened)) return fail(in, "no such list");
        e->list = opened;
    }
    return settle(in, e);
}

static struct expr *unknown(struct parser *in, const char *name, size_t len)
{
    char known[600] = "";
    js_function_known(name, len, known, sizeof(known));
    datagen_fail(in->err, "\"%.*s\" is not known; known are: %s", (int)(len > 80 ? 80 : len), name,
                 known);
    return NULL;
}

/* A name with its dots, as far as it can be a function's. */
static struct expr *parse_name(struct parser *in, const char *name, size_t len)
{
    int dots =
        len == 5 && memcmp(name, "faker", 5) == 0 ? 2
        : (len == 9 && !memcmp(name, "iteration", 9)) || (len == 4 && !memcmp(name, "Math", 4)) ||
                (len == 4 && !memcmp(name, "Date", 4)) || (len == 6 && !memcmp(name, "Number", 6))
            ? 1
            : 0;
    char full[128];
    int n = snprintf(full, sizeof(full), "%.*s", (int)len, name);
    while (dots-- > 0 && n > 0 && (size_t)n < sizeof(full) && take(in, ".")) {
        size_t part_len = 0;
        const char *part = name_at(in, &part_len);
        if (!part) return fail(in, "expected a name after '.'");
        n += snprintf(full + n, sizeof(full) - (size_t)n, ".%.*s", (int)part_len, part);
    }
    if (n < 0 || (size_t)n >= sizeof(full)) return fail(in, "a name too long");
    if (strcmp(full, "iteration.index") == 0) return node(in, EXPR_ITERATION, KIND_INT, 0);
    if (strcmp(full, "Math.PI") == 0) {
        return constant(in, sluice_float64(3.141592653589793), KIND_FLOAT);
    }
    const struct js_function *function = js_function_find(full, (size_t)n);
    if (!function) return unknown(in, full, (size_t)n);
    if (take(in, "(")) return parse_call(in, function, NULL);
    struct expr *e = node(in, EXPR_FUNCTION, KIND_FUNCTION, 1); /* the function itself */
    struct parser inner = {.arena = in->arena, .text = ")", .p = ")", .err = in->err};
    e->args[0] = parse_call(&inner, function, NULL);
    return e->args[0] ? e : NULL;
}

static struct expr *parse_word(struct parser *in)
{
    size_t len = 0;
    const char *name = name_at(in, &len);
    if (!name) return fail(in, *in->p ? "unexpected character" : "unexpected end");
    if (len == 3 && memcmp(name, "new", 3) == 0) {
        const char *of = name_at(in, &len);
        if (!of || len != 4 || memcmp(of, "Date", 4) != 0) return fail(in, "new is for Date only");
        const struct js_function *date = js_function_find("new Date", 8);
        return take(in, "(") ? parse_call(in, date, NULL) : fail(in, "expected '('");
    }
    if (len == 4 && memcmp(name, "true", 4) == 0) return constant(in, sluice_bool(true), KIND_BOOL);
    if (len == 5 && memcmp(name, "false", 5) == 0) {
        return constant(in, sluice_bool(false), KIND_BOOL);
    }
    if (len == 4 && memcmp(name, "null", 4) == 0) return constant(in, sluice_null(), KIND_NULL);
    if (len == 9 && memcmp(name, "undefined", 9) == 0) {
        return constant(in, js_undefined(), KIND_UNDEFINED);
    }
    return parse_name(in, name, len);
}

static struct expr *parse_number(struct parser *in)
{
    char *end;
    double v = strtod(in->p, &end);
    in->p = end;
    bool whole = fabs(v) <= JS_MAX_SAFE && v == floor(v);
    return constant(in, sluice_float64(v), whole ? KIND_INT : KIND_FLOAT);
}

static struct expr *parse_primary(struct parser *in)
{
    skip(in);
    char c = *in->p;
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)in->p[1]))) {
        return parse_number(in);
    }
    if (c == '"' || c == '\'' || c == '`') return parse_string(in);
    if (take(in, "[")) return parse_array(in);
    if (take(in, "{")) return parse_object(in);
    if (take_arrow(in)) return parse_arrow_body(in);
    if (!take(in, "(")) return parse_word(in);
    struct expr *e = parse_ternary(in);
    if (!e) return NULL;
    return take(in, ")") ? e : fail(in, "expected ')'");
}

static struct expr *parse_method(struct parser *in, struct expr *self)
{
    char full[64];
    size_t len = 0;
    const char *name = name_at(in, &len);
    if (!name || len > 60) return fail(in, "expected a name after '.'");
    (void)snprintf(full, sizeof(full), ".%.*s", (int)len, name);
    const struct js_function *method = js_function_find(full, len + 1);
    if (!method) return unknown(in, full, len + 1);
    if (strcmp(full, ".length") != 0 && !take(in, "(")) return fail(in, "expected '('");
    if (strcmp(full, ".length") != 0) return parse_call(in, method, self);
    struct parser inner = {.arena = in->arena, .text = ")", .p = ")", .err = in->err};
    return parse_call(&inner, method, self);
}

static struct expr *parse_postfix(struct parser *in)
{
    struct expr *e = parse_primary(in);
    while (e) {
        skip(in);
        if (*in->p == '.') {
            in->p++;
            e = parse_method(in, e);
        } else if (*in->p == '[') {
            in->p++;
            struct expr *at = node(in, EXPR_INDEX, KIND_ANY, 2);
            at->args[0] = e;
            at->args[1] = parse_ternary(in);
            if (!at->args[1]) return NULL;
            if (!take(in, "]")) return fail(in, "expected ']'");
            e = settle(in, at);
        } else if (*in->p == '(' && e->op == EXPR_FUNCTION) { /* (() => ...)() */
            in->p++;
            if (!take(in, ")")) return fail(in, "functions take no arguments here");
            e = e->args[0];
        } else {
            return e;
        }
    }
    return NULL;
}

static struct expr *parse_unary(struct parser *in)
{
    skip(in);
    char c = *in->p;
    if (c != '-' && c != '!' && c != '+') return parse_postfix(in);
    if (++in->depth > MAX_DEPTH) return fail(in, "nested too deep");
    in->p++;
    struct expr *inner = parse_unary(in);
    in->depth--;
    if (!inner) return NULL;
    struct expr *e = node(in, c == '!' ? EXPR_NOT : EXPR_NEG, KIND_FLOAT, 1);
    e->args[0] = inner;
    if (c != '+') return settle(in, e);
    struct expr *twice = node(in, EXPR_NEG, KIND_FLOAT, 1);
    twice->args[0] = settle(in, e);
    return settle(in, twice);
}

static const struct {
    const char *mark;
    enum expr_op op;
    int level;
} operators[] = {{"||", EXPR_OR, 1},  {"??", EXPR_OR, 1},  {"&&", EXPR_AND, 2}, {"===", EXPR_EQ, 3},
                 {"!==", EXPR_NE, 3}, {"==", EXPR_EQ, 3},  {"!=", EXPR_NE, 3},  {"<=", EXPR_LE, 4},
                 {">=", EXPR_GE, 4},  {"<", EXPR_LT, 4},   {">", EXPR_GT, 4},   {"+", EXPR_ADD, 5},
                 {"-", EXPR_SUB, 5},  {"**", EXPR_POW, 7}, {"*", EXPR_MUL, 6},  {"/", EXPR_DIV, 6},
                 {"%", EXPR_MOD, 6}};

static struct expr *parse_binary(struct parser *in, int level)
{
    struct expr *left = parse_unary(in);
    while (left) {
        size_t i = 0;
        skip(in);
        while (i < DATAGEN_COUNT(operators) &&
               strncmp(in->p, operators[i].mark, strlen(operators[i].mark)) != 0) {
            i++;
        }
        if (i == DATAGEN_COUNT(operators) || operators[i].level < level) return left;
        if (strcmp(operators[i].mark, "??") == 0) return fail(in, "?? is not supported");
        in->p += strlen(operators[i].mark);
        struct expr *e = node(in, operators[i].op, KIND_ANY, 2);
        e->args[0] = left;
        e->args[1] = parse_binary(in, operators[i].level + (operators[i].op != EXPR_POW));
        if (!e->args[1]) return NULL;
        left = settle(in, e);
    }
    return NULL;
}

static struct expr *parse_ternary(struct parser *in)
{
    if (++in->depth > MAX_DEPTH) return fail(in, "nested too deep");
    struct expr *e = parse_binary(in, 1);
    if (e && peek(in, "?")) {
        in->p++;
        struct expr *cond = node(in, EXPR_COND, KIND_ANY, 3);
        cond->args[0] = e;
        cond->args[1] = parse_ternary(in);
        if (!cond->args[1]) return NULL;
        if (!take(in, ":")) return fail(in, "expected ':'");
        cond->args[2] = parse_ternary(in);
        if (!cond->args[2]) return NULL;
        e = settle(in, cond);
    }
    in->depth--;
    return e;
}

struct expr *expr_compile(struct datagen_arena *arena, const char *text, struct sluice_err *err)
{
    struct parser in = {.arena = arena, .text = text, .p = text, .err = err};
    struct expr *e = parse_ternary(&in);
    if (!e) return NULL;
    (void)take(&in, ";");
    skip(&in);
    return *in.p ? fail(&in, "the expression goes on") : e;
}
