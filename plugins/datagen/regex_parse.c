/* regex_parse.c - a pattern to its tree; recursive descent with a bounded depth. */
#include "regex.h"

#include <stdlib.h>

#define MAX_DEPTH 100
#define MAX_REPEAT 10000

struct parser {
    struct datagen_arena *arena;
    const char *p;
    int depth;
    struct sluice_err *err;
};

static struct regex_node *parse_alt(struct parser *in);

void regex_set_add(struct datagen_arena *arena, struct regex_set *set, uint32_t lo, uint32_t hi)
{
    if (set->len == set->cap) {
        uint32_t cap = set->cap ? 2 * set->cap : 4;
        struct regex_span *grown = datagen_alloc(arena, cap * sizeof(*grown));
        if (set->len) memcpy(grown, set->spans, set->len * sizeof(*grown));
        set->spans = grown;
        set->cap = cap;
    }
    set->spans[set->len++] = lo < hi ? (struct regex_span){lo, hi} : (struct regex_span){hi, lo};
}

static int by_low(const void *a, const void *b)
{
    const struct regex_span *x = a, *y = b;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Sorts the spans and joins those that touch. */
static void set_normalise(struct regex_set *set)
{
    if (!set->len) return;
    qsort(set->spans, set->len, sizeof(*set->spans), by_low);
    uint32_t n = 0;
    for (uint32_t i = 1; i < set->len; i++) {
        if (set->spans[i].lo <= set->spans[n].hi + 1) {
            if (set->spans[i].hi > set->spans[n].hi) set->spans[n].hi = set->spans[i].hi;
        } else {
            set->spans[++n] = set->spans[i];
        }
    }
    set->len = n + 1;
}

static void set_invert(struct datagen_arena *arena, struct regex_set *set)
{
    struct regex_set out = {0};
    uint32_t next = 0;
    set_normalise(set);
    for (uint32_t i = 0; i < set->len; i++) {
        if (set->spans[i].lo > next) regex_set_add(arena, &out, next, set->spans[i].lo - 1);
        next = set->spans[i].hi + 1;
    }
    if (next < REGEX_UNITS) regex_set_add(arena, &out, next, REGEX_UNITS - 1);
    *set = out;
}

static struct regex_node *node_new(struct parser *in, enum regex_kind kind, struct regex_node *a,
                                   struct regex_node *b)
{
    struct regex_node *node = datagen_alloc(in->arena, sizeof(*node));
    *node = (struct regex_node){.kind = kind, .a = a, .b = b};
    return node;
}

static struct regex_node *unit_node(struct parser *in, uint32_t unit)
{
    struct regex_node *node = node_new(in, REGEX_SET, NULL, NULL);
    regex_set_add(in->arena, &node->set, unit, unit);
    return node;
}

static struct regex_node *fail(struct parser *in, const char *what)
{
    datagen_fail(in->err, "regex: %s, before \"%.40s\"", what, in->p);
    return NULL;
}

/* The next code point of the pattern, decoded; false at malformed UTF-8 or at the end. */
static bool next_point(struct parser *in, uint32_t *point)
{
    const unsigned char *s = (const unsigned char *)in->p;
    int more = s[0] < 0x80         ? 0
               : (s[0] >> 5) == 6  ? 1
               : (s[0] >> 4) == 14 ? 2
               : (s[0] >> 3) == 30 ? 3
                                   : -1;
    if (!s[0] || more < 0) return fail(in, "unexpected end or malformed UTF-8") != NULL;
    *point = more ? s[0] & (0x3Fu >> more) : s[0];
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xC0) != 0x80) return fail(in, "malformed UTF-8") != NULL;
        *point = *point << 6 | (s[i] & 0x3F);
    }
    in->p += more + 1;
    return true;
}

/* One character as it stands: one node, or two for a surrogate pair. */
static struct regex_node *parse_literal(struct parser *in)
{
    uint32_t point;
    if (!next_point(in, &point)) return NULL;
    if (point < REGEX_UNITS) return unit_node(in, point);
    point -= REGEX_UNITS;
    return node_new(in, REGEX_CONCAT, unit_node(in, 0xD800 + (point >> 10)),
                    unit_node(in, 0xDC00 + (point & 0x3FF)));
}

/* \d \w \s and their opposites, at the letter; false when it is none of them. */
static bool class_escape(struct parser *in, char letter, struct regex_set *set)
{
    struct regex_set own = {0};
    char low = (char)(letter | 0x20);
    if (low == 'd' || low == 'w') regex_set_add(in->arena, &own, '0', '9');
    if (low == 'w') {
        regex_set_add(in->arena, &own, 'a', 'z');
        regex_set_add(in->arena, &own, 'A', 'Z');
        regex_set_add(in->arena, &own, '_', '_');
    } else if (low == 's') {
        for (const char *c = " \t\n\f\r"; *c; c++) {
            regex_set_add(in->arena, &own, (uint32_t)*c, (uint32_t)*c);
        }
    }
    if (!own.len) return false;
    if (letter != low) set_invert(in->arena, &own);
    for (uint32_t i = 0; i < own.len; i++) {
        regex_set_add(in->arena, set, own.spans[i].lo, own.spans[i].hi);
    }
    return true;
}

/* A character of a class; *point is REGEX_UNITS when it was an escape for a whole class. */
static bool class_point(struct parser *in, struct regex_set *set, uint32_t *point)
{
    if (*in->p == '\\') {
        in->p++;
        if (strchr("dDwWsS", *in->p) && *in->p && class_escape(in, *in->p, set)) {
            in->p++;
            *point = REGEX_UNITS;
            return true;
        }
    }
    if (!next_point(in, point)) return false;
    return *point < REGEX_UNITS || fail(in, "a class holds no characters above U+FFFF");
}

static struct regex_node *parse_class(struct parser *in)
{
    struct regex_node *node = node_new(in, REGEX_SET, NULL, NULL);
    bool negate = *in->p == '^';
    if (negate) in->p++;
    do {
        uint32_t lo, hi;
        if (!*in->p) return fail(in, "expected ']'");
        if (!class_point(in, &node->set, &lo)) return NULL;
        if (lo == REGEX_UNITS) continue;
        hi = lo;
        if (*in->p == '-' && in->p[1] != ']') {
            in->p++;
            if (!class_point(in, &node->set, &hi)) return NULL;
            if (hi == REGEX_UNITS) return fail(in, "a range ends in a character");
        }
        regex_set_add(in->arena, &node->set, lo, hi);
    } while (*in->p != ']');
    in->p++;
    if (negate) set_invert(in->arena, &node->set);
    set_normalise(&node->set);
    return node;
}

static struct regex_node *any_node(struct parser *in)
{
    struct regex_node *node = node_new(in, REGEX_SET, NULL, NULL);
    regex_set_add(in->arena, &node->set, 0, REGEX_UNITS - 1);
    return node;
}

static struct regex_node *parse_quoted(struct parser *in, const char *end_mark, size_t mark_len)
{
    struct regex_node *all = node_new(in, REGEX_EMPTY, NULL, NULL);
    while (*in->p && strncmp(in->p, end_mark, mark_len) != 0) {
        struct regex_node *one = parse_literal(in);
        if (!one) return NULL;
        all = all->kind == REGEX_EMPTY ? one : node_new(in, REGEX_CONCAT, all, one);
    }
    if (!*in->p) return fail(in, "a quoted part has no end");
    in->p += mark_len;
    return all;
}

static struct regex_node *parse_escape(struct parser *in)
{
    if (*in->p == 'Q') {
        in->p++;
        return parse_quoted(in, "\\E", 2);
    }
    struct regex_node *node = node_new(in, REGEX_SET, NULL, NULL);
    if (*in->p && strchr("dDwWsS", *in->p) && class_escape(in, *in->p, &node->set)) {
        in->p++;
        set_normalise(&node->set);
        return node;
    }
    return parse_literal(in);
}

static struct regex_node *parse_group(struct parser *in)
{
    if (*in->p == ')') {
        in->p++;
        return node_new(in, REGEX_EMPTY, NULL, NULL);
    }
    if (++in->depth > MAX_DEPTH) return fail(in, "groups are nested too deep");
    struct regex_node *node = parse_alt(in);
    in->depth--;
    if (!node) return NULL;
    if (*in->p != ')') return fail(in, "expected ')'");
    in->p++;
    return node;
}

static struct regex_node *parse_simple(struct parser *in)
{
    char c = *in->p;
    if (c == '~' || c == '&' || c == '<') {
        return fail(in, "complement ~, intersection & and <n-m> are not supported (escape the "
                        "character with \\ if you mean itself)");
    }
    if (c && strchr("[.@#\"(\\", c)) in->p++;
    switch (c) {
    case '[': return parse_class(in);
    case '.': return any_node(in);
    case '#': return node_new(in, REGEX_SET, NULL, NULL);
    case '"': return parse_quoted(in, "\"", 1);
    case '(': return parse_group(in);
    case '\\': return parse_escape(in);
    case '@': {
        struct regex_node *node = node_new(in, REGEX_REPEAT, any_node(in), NULL);
        node->max = -1;
        return node;
    }
    default: return parse_literal(in);
    }
}

static bool parse_count(struct parser *in, int *n)
{
    long v = 0;
    const char *start = in->p;
    for (; *in->p >= '0' && *in->p <= '9'; in->p++) {
        v = v * 10 + (*in->p - '0');
        if (v > MAX_REPEAT) return fail(in, "a repeat count above 10000") != NULL;
    }
    *n = (int)v;
    return in->p > start;
}

static bool parse_braces(struct parser *in, struct regex_node *node)
{
    if (!parse_count(in, &node->min)) {
        return in->err->msg[0] == '\0' && fail(in, "integer expected") != NULL;
    }
    node->max = node->min;
    if (*in->p == ',') {
        in->p++;
        if (!parse_count(in, &node->max)) node->max = -1;
    }
    if (*in->p != '}') return fail(in, "expected '}'") != NULL;
    if (node->max >= 0 && node->max < node->min) {
        return fail(in, "{n,m} with m below n") != NULL;
    }
    in->p++;
    return true;
}

static struct regex_node *parse_repeat(struct parser *in)
{
    struct regex_node *node = parse_simple(in);
    while (node && *in->p && strchr("?*+{", *in->p)) {
        char c = *in->p++;
        node = node_new(in, REGEX_REPEAT, node, NULL);
        node->min = c == '+';
        node->max = c == '?' ? 1 : -1;
        if (c == '{' && !parse_braces(in, node)) return NULL;
    }
    return node;
}

static struct regex_node *parse_alt(struct parser *in)
{
    struct regex_node *alt = NULL;
    for (;;) {
        struct regex_node *concat = NULL;
        do {
            struct regex_node *one = parse_repeat(in);
            if (!one) return NULL;
            concat = concat ? node_new(in, REGEX_CONCAT, concat, one) : one;
        } while (*in->p && !strchr(")|", *in->p));
        alt = alt ? node_new(in, REGEX_ALT, alt, concat) : concat;
        if (*in->p != '|') return alt;
        in->p++;
    }
}

struct regex_node *regex_parse(struct datagen_arena *arena, const char *pattern,
                               struct sluice_err *err)
{
    struct parser in = {.arena = arena, .p = pattern, .err = err};
    err->msg[0] = '\0';
    if (strlen(pattern) > REGEX_MAX_BYTES) {
        datagen_fail(err, "regex: longer than %d bytes", REGEX_MAX_BYTES);
        return NULL;
    }
    if (!*pattern) return node_new(&in, REGEX_EMPTY, NULL, NULL);
    struct regex_node *root = parse_alt(&in);
    if (root && *in.p) return fail(&in, "end expected");
    return root;
}
