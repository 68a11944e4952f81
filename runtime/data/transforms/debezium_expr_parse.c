/* debezium_expr_parse.c - text to tree, by precedence climbing; see debezium_expr.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "data/schema.h"
#include "data/transforms/debezium_expr.h"

#define DIGITS_MAX 100
#define NODES_MAX 1000 /* evaluation descends a chain of operators */

struct parser {
    struct expr *expr;
    const char *text, *at;
    unsigned depth, nodes;
    struct sluice_err *err;
};

static const struct {
    const char *name;
    enum expr_root root;
} roots[] = {
    {"key", ROOT_KEY},
    {"value", ROOT_VALUE},
    {"keySchema", ROOT_KEY_SCHEMA},
    {"valueSchema", ROOT_VALUE_SCHEMA},
    {"topic", ROOT_TOPIC},
    {"header", ROOT_HEADER},
    {"headers", ROOT_HEADER},
};

#define ROOTS_N (sizeof roots / sizeof *roots)

static const struct {
    const char *text;
    int level; /* binds tighter when higher */
    enum expr_type type;
} operators[] = {
    /* longer ones first */
    {"<=>", 3, NODE_COMPARE}, {"==~", 3, NODE_MATCH},     {"||", 1, NODE_OR},
    {"&&", 2, NODE_AND},      {"==", 3, NODE_EQUAL},      {"!=", 3, NODE_UNEQUAL},
    {"=~", 3, NODE_FIND},     {"<=", 4, NODE_LESS_EQUAL}, {">=", 4, NODE_MORE_EQUAL},
    {"!in", 4, NODE_NOT_IN},  {"in", 4, NODE_IN},         {"<", 4, NODE_LESS},
    {">", 4, NODE_MORE},      {"+", 5, NODE_ADD},         {"-", 5, NODE_SUBTRACT},
    {"*", 6, NODE_MULTIPLY},  {"/", 6, NODE_DIVIDE},      {"%", 6, NODE_MODULO},
};

#define OPERATORS_N (sizeof operators / sizeof *operators)

/* What Groovy knows and we do not, where an operator is expected. */
static const char *const foreign[] = {"===", "!==", "<<", ">>", "**", "++", "--", "+=", "-=", "*=",
                                      "/=",  "%=",  "..", "->", "*.", "?[", ".&", "::", "&.", "??"};

/* ---- errors ---- */

static bool fail_at(struct parser *p, const char *at, const char *expected)
{
    struct sluice_buf known;
    unsigned place = (unsigned)(at - p->text) + 1;
    size_t len = strlen(at), shown = sluice_utf8_cut(at, len, 20);
    sluice_buf_init(&known, 1024);
    expr_method_names(&known);
    sluice_err_set(p->err,
                   "at character %u, %s%.*s%s: expected %s; known are key, value, keySchema, "
                   "valueSchema, topic, header, texts, numbers, true, false, null, [lists], "
                   ". ?. [] ! - + * / %% == != < <= > >= <=> in !in =~ ==~ && || ?: and the "
                   "methods %s",
                   place, len ? "near \"" : "the end", (int)shown, at, len ? "\"" : "", expected,
                   sluice_buf_str(&known));
    sluice_buf_fini(&known);
    return false;
}

static struct expr_node *fail(struct parser *p, const char *at, const char *expected)
{
    fail_at(p, at, expected);
    return NULL;
}

/* ---- words ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c & 0x80;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void skip_space(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r') p->at++;
}

static size_t word_len(const char *s)
{
    size_t n = 0;
    if (!is_letter(*s)) return 0;
    while (is_letter(s[n]) || is_digit(s[n])) n++;
    return n;
}

static bool take(struct parser *p, const char *token)
{
    skip_space(p);
    size_t n = strlen(token);
    if (strncmp(p->at, token, n) != 0) return false;
    p->at += n;
    return true;
}

static bool word_is(const char *s, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(s, word, len) == 0;
}

static struct expr_node *node_new(struct parser *p, enum expr_type type, const char *at)
{
    assert(at >= p->text);
    struct expr_node *node = sluice_arena_alloc(&p->expr->arena, sizeof *node);
    memset(node, 0, sizeof *node);
    node->type = type;
    node->at = (unsigned)(at - p->text) + 1;
    p->nodes++;
    return node;
}

/* The node may hold a schema or has a regex: to be let go at the end. */
static void own(struct parser *p, struct expr_node *node)
{
    struct expr *expr = p->expr;
    expr->owners = sluice_xgrow(expr->owners, expr->owners_n, &expr->owners_cap, sizeof node);
    expr->owners[expr->owners_n++] = node;
}

/* ---- literals ---- */

static bool hex4(const char *s, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return false;
        *code = *code << 4 | (uint32_t)digit;
    }
    return true;
}

/* One escape behind its backslash; returns where it ends, NULL: there is none such. */
static const char *escape(const char *at, char **to)
{
    static const char names[] = "nrtbfs'\"\\$", octets[] = "\n\r\t\b\f '\"\\$";
    uint32_t code;
    const char *found = *at ? strchr(names, *at) : NULL;
    if (found) {
        *(*to)++ = octets[found - names];
        return at + 1;
    }
    if (*at != 'u' || !hex4(at + 1, &code)) return NULL;
    at += 5;
    if (code >= 0xd800 && code < 0xdc00) {
        uint32_t low;
        if (at[0] != '\\' || at[1] != 'u' || !hex4(at + 2, &low) || low < 0xdc00 || low > 0xdfff) {
            return NULL;
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
    } else if (code >= 0xdc00 && code < 0xe000) {
        return NULL;
    }
    *to += sluice_utf8_put(code, *to);
    return at;
}

/* 'text', "text" without $, or a text between slashes, in which only \/ is an escape. */
static struct expr_node *parse_text(struct parser *p)
{
    const char *start = p->at, quote = *start, *at = start + 1;
    char *text = sluice_arena_alloc(&p->expr->arena, strlen(start) + 4), *to = text;
    if (strncmp(start, "'''", 3) == 0 || strncmp(start, "\"\"\"", 3) == 0) {
        return fail(p, start, "a text in one pair of quotes");
    }
    for (; *at != quote; at++) {
        if (!*at || (quote != '/' && *at == '\n')) {
            return fail(p, start, "a text that ends with the quote that it began with");
        }
        if (*at == '$' && quote != '\'' && (at[1] == '{' || is_letter(at[1]))) {
            return fail(p, at, "a text without $ (join texts with +)");
        }
        if (*at != '\\') {
            *to++ = *at;
        } else if (quote == '/') {
            if (at[1] == '/') at++;
            *to++ = *at;
        } else {
            const char *end = escape(at + 1, &to);
            if (!end)
                return fail(p, at,
                            "one of the escapes \\n \\r \\t \\b \\f \\s \\' \\\" \\\\ \\$ \\uXXXX");
            at = end - 1;
        }
    }
    p->at = at + 1;
    struct expr_node *node = node_new(p, NODE_CONST, start);
    *to = '\0';
    node->value = expr_string(text, (size_t)(to - text));
    return node;
}

/* 12, 12L, 0x1f, 1_000; 1.5, 1e3 as BigDecimal; 1.5d, 1.5f as doubles. */
static struct expr_node *parse_number(struct parser *p)
{
    const char *start = p->at, *at = start;
    char digits[DIGITS_MAX + 1];
    size_t n = 0;
    bool whole = true, hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
    if (hex) at += 2;
    for (;; at++) {
        char c = *at, low = (char)(c | 0x20);
        bool sign = (c == '-' || c == '+') && n && (digits[n - 1] | 0x20) == 'e' && !hex;
        if (c == '_' && n && (is_digit(at[1]) || at[1] == '_')) continue;
        if (!(is_digit(c) || sign || (hex && low >= 'a' && low <= 'f') ||
              (!hex && c == '.' && is_digit(at[1])) ||
              (!hex && low == 'e' && (is_digit(at[1]) || at[1] == '-' || at[1] == '+')))) {
            break;
        }
        if (!is_digit(c) && !hex) whole = false;
        if (n == DIGITS_MAX) return fail(p, start, "a number of at most 100 digits");
        digits[n++] = c;
    }
    digits[n] = '\0';
    char *end, suffix = *at ? (char)(*at | 0x20) : '\0';
    bool is_long = suffix == 'l', is_double = suffix == 'd' || suffix == 'f';
    if (is_long || is_double || suffix == 'i' || suffix == 'g') at++;
    bool octal = whole && !hex && n > 1 && digits[0] == '0';
    if (n == 0 || is_letter(*at) || octal || (!whole && (is_long || suffix == 'i'))) {
        return fail(p, start, "a number (12, 12L, 0x1f, 1.5, 1.5d)");
    }
    p->at = at;
    struct expr_node *node = node_new(p, NODE_CONST, start);
    struct expr_value *value = &node->value;
    if (is_double) {
        *value =
            (struct expr_value){.kind = EXPR_DOUBLE, .v = sluice_float64(strtod(digits, &end))};
        if (suffix == 'f') value->v.u.d = (double)strtof(digits, &end);
        return node;
    }
    if (!whole || suffix == 'g') {
        *value = expr_string(sluice_arena_strndup(&p->expr->arena, digits, n), n);
        value->kind = EXPR_DECIMAL;
        return node;
    }
    if (n > 19 || strtoull(digits, &end, hex ? 16 : 10) > INT64_MAX) {
        return fail(p, start, "a number of at most 64 bits");
    }
    int64_t i = (int64_t)strtoull(digits, &end, hex ? 16 : 10);
    if (i <= INT32_MAX && !is_long) *value = expr_int(i);
    else *value = (struct expr_value){.kind = EXPR_LONG, .v = sluice_int64(i)};
    return node;
}

/* ---- primaries ---- */

static struct expr_node *parse_choice(struct parser *p);

/* Items up to the closing token, which is taken. */
static bool parse_items(struct parser *p, const char *close, struct expr_node *node)
{
    size_t cap = 0;
    struct expr_node **items = NULL;
    bool ok = true;
    if (!take(p, close)) {
        do {
            struct expr_node *item = parse_choice(p);
            if (!item) ok = false;
            if (!ok) break;
            items = sluice_xgrow(items, node->n, &cap, sizeof item);
            items[node->n++] = item;
        } while (take(p, ","));
        if (ok && !take(p, close)) {
            ok = fail_at(p, p->at, *close == ')' ? "\",\" or \")\"" : "\",\" or \"]\"");
        }
    }
    if (ok && items) {
        assert(node->n > 0);
        node->items = sluice_arena_alloc(&p->expr->arena, node->n * sizeof *items);
        memcpy(node->items, items, node->n * sizeof *items);
    }
    free(items);
    return ok;
}

static struct expr_node *parse_word(struct parser *p)
{
    const char *start = p->at;
    size_t len = word_len(start);
    struct expr_node *node = node_new(p, NODE_CONST, start);
    p->at += len;
    if (word_is(start, len, "null")) return node;
    if (word_is(start, len, "true") || word_is(start, len, "false")) {
        node->value = expr_bool(*start == 't');
        return node;
    }
    for (size_t i = 0; i < ROOTS_N; i++) {
        if (!word_is(start, len, roots[i].name)) continue;
        node->type = NODE_ROOT;
        node->root = roots[i].root;
        return node;
    }
    return fail(p, start, "a value");
}

static struct expr_node *parse_primary(struct parser *p)
{
    skip_space(p);
    const char *start = p->at;
    if (*start == '\'' || *start == '"' || *start == '/') return parse_text(p);
    if (is_digit(*start)) return parse_number(p);
    if (is_letter(*start)) return parse_word(p);
    if (*start == '(') {
        p->at++;
        struct expr_node *node = parse_choice(p);
        if (node && !take(p, ")")) return fail(p, p->at, "\")\"");
        return node;
    }
    if (*start == '[') {
        struct expr_node *node = node_new(p, NODE_LIST, start);
        p->at++;
        return parse_items(p, "]", node) ? node : NULL;
    }
    return fail(p, start, "a value");
}

/* The regex of a method or operator must be written out, so that it is compiled once. */
static bool set_regex(struct parser *p, struct expr_node *node, const struct expr_node *pattern)
{
    struct sluice_err why;
    const char *at = p->text + pattern->at - 1;
    if (pattern->type != NODE_CONST || pattern->value.kind != EXPR_STRING) {
        return fail_at(p, at, "a regular expression as a text");
    }
    if (strlen(pattern->value.v.u.s) != pattern->value.v.len) {
        return fail_at(p, at, "a regular expression without a zero octet");
    }
    node->regex = sluice_java_regex_new(pattern->value.v.u.s, 0, &why);
    if (!node->regex) {
        return sluice_err_set(p->err, "at character %u, %s", pattern->at, why.msg);
    }
    own(p, node);
    return true;
}

static struct expr_node *parse_call(struct parser *p, struct expr_node *node)
{
    const char *at = p->text + node->at - 1;
    assert(node->type == NODE_MEMBER && node->text);
    node->type = NODE_CALL;
    node->method = expr_method_find(node->text, node->text_len);
    if (!node->method || !node->method->on) {
        return fail(p, at, "the name of a known method");
    }
    if (!parse_items(p, ")", node)) return NULL;
    if (node->n < node->method->args_min || node->n > node->method->args_max) {
        return fail(p, at, "another number of arguments");
    }
    if (node->method->pattern && !set_regex(p, node, node->items[0])) return NULL;
    return node;
}

/* What follows a value: .name ?.name .name(...) [...] */
static struct expr_node *parse_postfix(struct parser *p)
{
    struct expr_node *node = parse_primary(p);
    while (node) {
        if (p->nodes > NODES_MAX) return fail(p, p->at, "at most 1000 values and operators");
        skip_space(p);
        const char *start = p->at;
        bool safe = start[0] == '?' && start[1] == '.';
        struct expr_node *outer;
        if (*start == '[') {
            outer = node_new(p, NODE_INDEX, start);
            p->at++;
            outer->b = parse_choice(p);
            if (!outer->b) return NULL;
            if (!take(p, "]")) return fail(p, p->at, "\"]\"");
            own(p, outer);
        } else if (safe || (*start == '.' && start[1] != '.')) {
            p->at += safe ? 2 : 1;
            skip_space(p);
            outer = node_new(p, NODE_MEMBER, p->at);
            outer->safe = safe;
            if (*p->at == '\'' || *p->at == '"') { /* value.'a name' */
                struct expr_node *name = parse_text(p);
                if (!name) return NULL;
                outer->text = name->value.v.u.s;
                outer->text_len = name->value.v.len;
            } else {
                outer->text = p->at;
                outer->text_len = word_len(p->at);
                if (outer->text_len == 0) return fail(p, p->at, "a name");
                outer->text = sluice_arena_strndup(&p->expr->arena, p->at, outer->text_len);
                p->at += outer->text_len;
            }
            own(p, outer);
            if (*p->at == '(') {
                p->at++;
                outer = parse_call(p, outer);
                if (!outer) return NULL;
            }
        } else {
            break;
        }
        outer->a = node;
        node = outer;
    }
    return node;
}

/* ---- operators ---- */

static bool deeper(struct parser *p)
{
    if (p->nodes > NODES_MAX) return fail_at(p, p->at, "at most 1000 values and operators");
    if (++p->depth <= EXPR_DEPTH_MAX) return true;
    return fail_at(p, p->at, "at most 100 operators and parentheses within each other");
}

static struct expr_node *parse_unary(struct parser *p)
{
    skip_space(p);
    const char *start = p->at;
    if ((*start != '!' && *start != '-') || (*start == '-' && start[1] == '-')) {
        return parse_postfix(p);
    }
    struct expr_node *node = node_new(p, *start == '!' ? NODE_NOT : NODE_NEGATE, start);
    p->at++;
    if (!deeper(p)) return NULL;
    node->a = parse_unary(p);
    p->depth--;
    return node->a ? node : NULL;
}

static int find_operator(struct parser *p)
{
    skip_space(p);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (strncmp(p->at, foreign[i], strlen(foreign[i])) == 0) return -1;
    }
    for (size_t i = 0; i < OPERATORS_N; i++) {
        const char *text = operators[i].text;
        size_t n = strlen(text);
        if (strncmp(p->at, text, n) != 0) continue;
        if (text[n - 1] == 'n' && (is_letter(p->at[n]) || is_digit(p->at[n]))) continue;
        return (int)i;
    }
    return -1;
}

static struct expr_node *parse_binary(struct parser *p, int level)
{
    struct expr_node *left = parse_unary(p);
    while (left) {
        int found = find_operator(p);
        if (found < 0 || operators[found].level < level) break;
        struct expr_node *node = node_new(p, operators[found].type, p->at);
        p->at += strlen(operators[found].text);
        if (!deeper(p)) return NULL;
        node->a = left;
        node->b = parse_binary(p, operators[found].level + 1);
        p->depth--;
        if (!node->b) return NULL;
        if ((node->type == NODE_FIND || node->type == NODE_MATCH) && !set_regex(p, node, node->b)) {
            return NULL;
        }
        left = node;
    }
    return left;
}

static struct expr_node *parse_choice(struct parser *p)
{
    if (!deeper(p)) return NULL;
    struct expr_node *condition = parse_binary(p, 1), *node = condition;
    skip_space(p);
    const char *start = p->at;
    if (condition && *start == '?' && start[1] != '.' && start[1] != '?' && start[1] != '[') {
        p->at++;
        node = node_new(p, *p->at == ':' ? NODE_ELVIS : NODE_CHOOSE, start);
        node->a = condition;
        if (node->type == NODE_ELVIS) p->at++;
        node->b = parse_choice(p);
        if (!node->b) return NULL;
        if (node->type == NODE_CHOOSE) {
            if (!take(p, ":")) return fail(p, p->at, "\":\"");
            node->c = parse_choice(p);
            if (!node->c) return NULL;
        }
    }
    p->depth--;
    return node;
}

/* ---- public ---- */

bool expr_parse(struct expr *expr, const char *text, struct sluice_err *err)
{
    struct parser p = {.expr = expr, .text = text, .at = text, .err = err};
    assert(!expr->top);
    sluice_arena_init(&expr->arena, 4096);
    size_t len = strlen(text);
    if (len > EXPR_TEXT_MAX) {
        return sluice_err_set(err, "the expression has %zu characters, at most %d are read", len,
                              EXPR_TEXT_MAX);
    }
    if (!sluice_utf8_valid(text, len)) return sluice_err_set(err, "the expression is no UTF-8");
    skip_space(&p);
    if (word_is(p.at, word_len(p.at), "return")) p.at += 6;
    expr->top = parse_choice(&p);
    if (!expr->top) return false;
    while (take(&p, ";")) {
    }
    skip_space(&p);
    if (*p.at) return fail_at(&p, p.at, "an operator or the end");
    return true;
}

void expr_fini(struct expr *expr)
{
    for (size_t i = 0; i < expr->owners_n; i++) {
        sluice_java_regex_free(expr->owners[i]->regex);
        expr->owners[i]->regex = NULL; /* one node may stand here twice */
        sluice_schema_free(expr->owners[i]->seen);
        expr->owners[i]->seen = NULL;
    }
    free(expr->owners);
    sluice_arena_fini(&expr->arena);
    memset(expr, 0, sizeof *expr);
}
