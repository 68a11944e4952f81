/* debezium_expr_call.c - the methods that expressions may call, one row each; see debezium_expr.h.
 * Positions and lengths of texts count UTF-16 units, as Java's do. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "data/transforms/debezium_expr.h"

#define ON(kind) (1u << EXPR_##kind)
#define ON_TEXT ON(STRING)
#define ON_LISTS (ON(LIST) | ON(ITEMS))
#define ON_NAMED (ON(STRUCT) | ON(MAP) | ON(HEADERS))
#define ON_VALUES                                                                                  \
    (ON(BOOL) | ON(INT) | ON(LONG) | ON(DOUBLE) | ON(DECIMAL) | ON(STRING) | ON(STRUCT) |          \
     ON(LIST) | ON(ITEMS) | ON(MAP))

#define METHOD(name)                                                                               \
    static bool name(struct expr_run *run, struct expr_node *node, const struct expr_value *self,  \
                     const struct expr_value *args, size_t n, struct expr_value *out)

#define UNUSED(x) ((void)(x))

/* ---- arguments ---- */

static bool wrong(struct expr_run *run, const struct expr_node *node, const char *what,
                  const struct expr_value *arg)
{
    return sluice_err_set(run->err, "at character %u: %s() takes %s, found %s", node->at,
                          node->text, what, expr_kind_name(arg->kind));
}

static bool text_arg(struct expr_run *run, const struct expr_node *node,
                     const struct expr_value *arg)
{
    return arg->kind == EXPR_STRING || wrong(run, node, "a text", arg);
}

static size_t find(const struct sluice_value *in, const struct sluice_value *what)
{
    if (what->len == 0) return 0;
    const char *at = memmem(in->u.s, in->len, what->u.s, what->len);
    return at ? (size_t)(at - in->u.s) : SIZE_MAX;
}

/* UTF-16 units of the first n bytes. */
static size_t units(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        count += (c & 0xc0) != 0x80;
        count += c >= 0xf0;
    }
    return count;
}

/* Byte where this unit starts; SIZE_MAX: behind the end or within a pair. */
static size_t byte_of(const struct sluice_value *text, int64_t unit)
{
    size_t i = 0;
    int64_t count = 0;
    while (i < text->len && count < unit) {
        size_t len = sluice_utf8_char(text->u.s + i, text->len - i);
        if (len == 0) len = 1;
        count += len == 4 ? 2 : 1;
        i += len;
    }
    return count == unit ? i : SIZE_MAX;
}

/* ---- texts ---- */

METHOD(starts_with)
{
    UNUSED(n);
    if (!text_arg(run, node, args)) return false;
    const struct sluice_value *a = &self->v, *b = &args->v;
    *out = expr_bool(a->len >= b->len && (b->len == 0 || memcmp(a->u.s, b->u.s, b->len) == 0));
    return true;
}

METHOD(ends_with)
{
    UNUSED(n);
    if (!text_arg(run, node, args)) return false;
    const struct sluice_value *a = &self->v, *b = &args->v;
    *out = expr_bool(a->len >= b->len &&
                     (b->len == 0 || memcmp(a->u.s + a->len - b->len, b->u.s, b->len) == 0));
    return true;
}

METHOD(contains)
{
    UNUSED(n);
    if (self->kind == EXPR_STRING) {
        if (!text_arg(run, node, args)) return false;
        *out = expr_bool(find(&self->v, &args->v) != SIZE_MAX);
        return true;
    }
    bool found = false;
    for (size_t i = 0; i < self->v.len && !found; i++) {
        struct expr_value item;
        if (self->kind == EXPR_ITEMS) item = self->u.items[i];
        else item = expr_of(run, self->schema ? self->schema->elem : NULL, &self->v.u.v[i]);
        found = expr_equal(&item, args);
    }
    *out = expr_bool(found);
    return true;
}

METHOD(equals)
{
    UNUSED(n), UNUSED(run), UNUSED(node);
    *out = expr_bool(expr_equal(self, args));
    return true;
}

METHOD(equals_ignore_case)
{
    UNUSED(n);
    if (args->kind == EXPR_NULL) {
        *out = expr_bool(false);
        return true;
    }
    if (!text_arg(run, node, args)) return false;
    const struct sluice_value *a = &self->v, *b = &args->v;
    *out = expr_bool(a->len == b->len && (a->len == 0 || strncasecmp(a->u.s, b->u.s, a->len) == 0));
    return true;
}

METHOD(length)
{
    UNUSED(n), UNUSED(run), UNUSED(node), UNUSED(args);
    if (self->kind == EXPR_STRING) *out = expr_int((int64_t)units(self->v.u.s, self->v.len));
    else if (self->kind == EXPR_HEADERS) *out = expr_int(self->u.rec->headers_len);
    else *out = expr_int(self->v.len);
    return true;
}

METHOD(is_empty)
{
    UNUSED(n), UNUSED(run), UNUSED(node), UNUSED(args);
    size_t len = self->kind == EXPR_HEADERS ? self->u.rec->headers_len : self->v.len;
    *out = expr_bool(len == 0);
    return true;
}

/* ASCII letters; Java changes all letters. */
static bool change_case(struct expr_run *run, const struct expr_value *self, int (*change)(int),
                        struct expr_value *out)
{
    char *text = sluice_batch_alloc(run->batch, self->v.len);
    for (uint32_t i = 0; i < self->v.len; i++) {
        unsigned char c = (unsigned char)self->v.u.s[i];
        text[i] = (char)(c < 0x80 ? change(c) : c);
    }
    *out = expr_string(text, self->v.len);
    return true;
}

METHOD(lower)
{
    UNUSED(n), UNUSED(node), UNUSED(args);
    return change_case(run, self, tolower, out);
}

METHOD(upper)
{
    UNUSED(n), UNUSED(node), UNUSED(args);
    return change_case(run, self, toupper, out);
}

METHOD(trim)
{
    UNUSED(n), UNUSED(run), UNUSED(node), UNUSED(args);
    const char *s = self->v.u.s;
    size_t from = 0, to = self->v.len;
    while (from < to && (unsigned char)s[from] <= ' ') from++;
    while (to > from && (unsigned char)s[to - 1] <= ' ') to--;
    *out = expr_string(s + from, to - from);
    return true;
}

METHOD(substring)
{
    size_t from, to = self->v.len;
    for (size_t i = 0; i < n; i++) {
        if (args[i].kind != EXPR_INT) return wrong(run, node, "numbers", &args[i]);
    }
    from = args[0].v.u.i < 0 ? SIZE_MAX : byte_of(&self->v, args[0].v.u.i);
    if (n > 1) to = args[1].v.u.i < 0 ? SIZE_MAX : byte_of(&self->v, args[1].v.u.i);
    if (from == SIZE_MAX || to == SIZE_MAX || from > to) {
        return sluice_err_set(run->err,
                              "at character %u: the text of %zu characters has no such "
                              "part",
                              node->at, units(self->v.u.s, self->v.len));
    }
    *out = expr_string(self->v.u.s + from, to - from);
    return true;
}

METHOD(get_at)
{
    UNUSED(n);
    assert(args->kind == EXPR_INT);
    int64_t i = args->v.u.i, len = (int64_t)units(self->v.u.s, self->v.len);
    if (i < 0) i += len;
    struct expr_value range[2] = {expr_int(i), expr_int(i + 1)};
    if (i >= 0 && i < len) return substring(run, node, self, range, 2, out);
    return sluice_err_set(run->err, "at character %u: the text of %zu characters has no such part",
                          node->at, (size_t)len);
}

METHOD(index_of)
{
    UNUSED(n);
    if (!text_arg(run, node, args)) return false;
    size_t at = find(&self->v, &args->v);
    *out = expr_int(at == SIZE_MAX ? -1 : (int64_t)units(self->v.u.s, at));
    return true;
}

METHOD(matches)
{
    UNUSED(n), UNUSED(args);
    assert(node->regex);
    enum sluice_match match =
        sluice_java_regex_matches(node->regex, self->v.u.s, self->v.len, run->err);
    *out = expr_bool(match == SLUICE_MATCH_YES);
    return match != SLUICE_MATCH_FAILED;
}

METHOD(to_string)
{
    UNUSED(n), UNUSED(args);
    struct sluice_value text;
    if (!expr_text(run, self, &text)) {
        return sluice_err_wrap(run->err, "at character %u", node->at);
    }
    *out = expr_string(text.u.s, text.len);
    return true;
}

static bool to_number(struct expr_run *run, const struct expr_node *node,
                      const struct expr_value *self, int64_t least, int64_t most, int64_t *i)
{
    char text[24], *end = text;
    size_t n = self->v.len < sizeof text - 1 ? self->v.len : sizeof text - 1;
    memcpy(text, self->v.u.s, n);
    text[n] = '\0';
    const char *digits = text + (*text == '-' || *text == '+');
    errno = 0;
    *i = strtoll(text, &end, 10);
    bool whole = n == self->v.len && n == strlen(text) && *digits >= '0' && *digits <= '9';
    if (whole && !*end && !errno && *i >= least && *i <= most) return true;
    return sluice_err_set(run->err, "at character %u: the text is no number for %s()", node->at,
                          node->text);
}

METHOD(to_integer)
{
    UNUSED(n), UNUSED(args);
    int64_t i;
    struct expr_value text = {.kind = EXPR_NULL};
    if (!trim(run, node, self, NULL, 0, &text)) return false;
    if (!to_number(run, node, &text, INT32_MIN, INT32_MAX, &i)) return false;
    *out = expr_int(i);
    return true;
}

METHOD(to_long)
{
    UNUSED(n), UNUSED(args);
    int64_t i;
    struct expr_value text = {.kind = EXPR_NULL};
    if (!trim(run, node, self, NULL, 0, &text)) return false;
    if (!to_number(run, node, &text, INT64_MIN, INT64_MAX, &i)) return false;
    *out = (struct expr_value){.kind = EXPR_LONG, .v = sluice_int64(i)};
    return true;
}

/* ---- structs, maps, headers, schemas ---- */

METHOD(get)
{
    UNUSED(n);
    if (self->kind == EXPR_LIST || self->kind == EXPR_ITEMS) {
        int64_t i = args->v.u.i;
        if (args->kind != EXPR_INT) return wrong(run, node, "a number", args);
        if (i < 0 || i >= self->v.len) {
            return sluice_err_set(run->err, "at character %u: the list of %u has no item %lld",
                                  node->at, self->v.len, (long long)i);
        }
        if (self->kind == EXPR_ITEMS) *out = self->u.items[i];
        else *out = expr_of(run, self->schema ? self->schema->elem : NULL, &self->v.u.v[i]);
        return true;
    }
    if (!text_arg(run, node, args)) return false;
    return expr_member(run, node, self, args->v.u.s, args->v.len, out);
}

METHOD(contains_key)
{
    UNUSED(n);
    if (!text_arg(run, node, args)) return false;
    bool found = false;
    if (self->kind == EXPR_HEADERS) {
        struct expr_value header;
        if (!expr_member(run, node, self, args->v.u.s, args->v.len, &header)) return false;
        found = header.kind != EXPR_NULL;
    }
    for (uint32_t i = 0; self->kind == EXPR_MAP && i < self->v.len && !found; i++) {
        const struct sluice_value *key = &self->v.u.v[2 * (size_t)i];
        found = key->type == SLUICE_STRING && key->len == args->v.len &&
                (key->len == 0 || memcmp(key->u.s, args->v.u.s, key->len) == 0);
    }
    *out = expr_bool(found);
    return true;
}

METHOD(schema_of)
{
    UNUSED(n), UNUSED(run), UNUSED(node), UNUSED(args);
    *out =
        (struct expr_value){.kind = self->schema ? EXPR_SCHEMA : EXPR_NULL, .schema = self->schema};
    return true;
}

METHOD(schema_name)
{
    UNUSED(n), UNUSED(args);
    return expr_member(run, node, self, "name", 4, out);
}

METHOD(schema_version)
{
    UNUSED(n), UNUSED(args);
    return expr_member(run, node, self, "version", 7, out);
}

METHOD(schema_optional)
{
    UNUSED(n), UNUSED(args);
    return expr_member(run, node, self, "optional", 8, out);
}

/* The schema of a field, null when there is none: what conditions ask for is whether it exists. */
METHOD(schema_field)
{
    UNUSED(n);
    if (!text_arg(run, node, args)) return false;
    assert(self->kind == EXPR_SCHEMA && self->schema);
    *out = (struct expr_value){.kind = EXPR_NULL};
    for (uint32_t i = 0; i < self->schema->fields_len; i++) {
        const struct sluice_field *field = &self->schema->fields[i];
        if (strlen(field->name) != args->v.len) continue;
        if (memcmp(field->name, args->v.u.s, args->v.len) != 0) continue;
        *out = (struct expr_value){.kind = EXPR_SCHEMA, .schema = field->schema};
    }
    return true;
}

/* ---- the table ---- */

static const struct expr_method methods[] = {
    {"startsWith", 1, 1, ON_TEXT, 0, starts_with},
    {"endsWith", 1, 1, ON_TEXT, 0, ends_with},
    {"contains", 1, 1, ON_TEXT | ON_LISTS, 0, contains},
    {"equals", 1, 1, ON_VALUES, 0, equals},
    {"equalsIgnoreCase", 1, 1, ON_TEXT, 0, equals_ignore_case},
    {"matches", 1, 1, ON_TEXT, 1, matches},
    {"length", 0, 0, ON_TEXT, 0, length},
    {"size", 0, 0, ON_TEXT | ON_LISTS | ON(MAP) | ON(HEADERS), 0, length},
    {"isEmpty", 0, 0, ON_TEXT | ON_LISTS | ON(MAP) | ON(HEADERS), 0, is_empty},
    {"toLowerCase", 0, 0, ON_TEXT, 0, lower},
    {"toUpperCase", 0, 0, ON_TEXT, 0, upper},
    {"trim", 0, 0, ON_TEXT, 0, trim},
    {"substring", 1, 2, ON_TEXT, 0, substring},
    {"getAt", 1, 1, 0, 0, get_at}, /* what [] does to a text; not to be called by name */
    {"indexOf", 1, 1, ON_TEXT, 0, index_of},
    {"toString", 0, 0, ON_VALUES, 0, to_string},
    {"toInteger", 0, 0, ON_TEXT, 0, to_integer},
    {"toLong", 0, 0, ON_TEXT, 0, to_long},
    {"get", 1, 1, ON_NAMED | ON_LISTS, 0, get},
    {"getString", 1, 1, ON(STRUCT), 0, get},
    {"getInt32", 1, 1, ON(STRUCT), 0, get},
    {"getInt64", 1, 1, ON(STRUCT), 0, get},
    {"getBoolean", 1, 1, ON(STRUCT), 0, get},
    {"getStruct", 1, 1, ON(STRUCT), 0, get},
    {"containsKey", 1, 1, ON(MAP) | ON(HEADERS), 0, contains_key},
    {"schema", 0, 0, ON(STRUCT) | ON(HEADER), 0, schema_of},
    {"name", 0, 0, ON(SCHEMA), 0, schema_name},
    {"version", 0, 0, ON(SCHEMA), 0, schema_version},
    {"isOptional", 0, 0, ON(SCHEMA), 0, schema_optional},
    {"field", 1, 1, ON(SCHEMA), 0, schema_field},
};

#define METHODS_N (sizeof methods / sizeof *methods)

const struct expr_method *expr_method_find(const char *name, size_t len)
{
    assert(name);
    for (size_t i = 0; i < METHODS_N; i++) {
        if (strlen(methods[i].name) == len && memcmp(methods[i].name, name, len) == 0) {
            return &methods[i];
        }
    }
    return NULL;
}

void expr_method_names(struct sluice_buf *buf)
{
    const char *before = "";
    for (size_t i = 0; i < METHODS_N; i++) {
        if (!methods[i].on) continue;
        sluice_buf_addf(buf, "%s%s", before, methods[i].name);
        before = " ";
    }
}
