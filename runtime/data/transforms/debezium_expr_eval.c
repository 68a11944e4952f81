/* debezium_expr_eval.c - what an expression is worth for a record; see debezium_expr.h. Where
 * Groovy throws, evaluation fails with the place and what was found there. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/json_text.h"
#include "data/number_text.h"
#include "data/schema.h"
#include "data/transforms/debezium_expr.h"
#include "data/values.h"

#define TEXT_MAX ((size_t)16 << 20) /* bytes of a text that an expression makes */

const char *expr_kind_name(enum expr_kind kind)
{
    static const char *const names[] = {
        [EXPR_NULL] = "null",       [EXPR_BOOL] = "a boolean",      [EXPR_INT] = "a number",
        [EXPR_LONG] = "a number",   [EXPR_DOUBLE] = "a number",     [EXPR_DECIMAL] = "a number",
        [EXPR_STRING] = "a text",   [EXPR_BYTES] = "octets",        [EXPR_LIST] = "a list",
        [EXPR_MAP] = "a map",       [EXPR_STRUCT] = "a struct",     [EXPR_ITEMS] = "a list",
        [EXPR_SCHEMA] = "a schema", [EXPR_HEADERS] = "the headers", [EXPR_HEADER] = "a header",
    };
    assert(kind <= EXPR_HEADER);
    return names[kind];
}

struct expr_value expr_of(struct expr_run *run, const struct sluice_schema *schema,
                          const struct sluice_value *v)
{
    struct expr_value out = {.kind = EXPR_NULL, .v = *v, .schema = schema};
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL: break;
    case SLUICE_BOOLEAN: out.kind = EXPR_BOOL; break;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32: out.kind = EXPR_INT; break;
    case SLUICE_INT64: out.kind = EXPR_LONG; break;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: out.kind = EXPR_DOUBLE; break;
    case SLUICE_STRING: out.kind = EXPR_STRING; break;
    case SLUICE_ARRAY: out.kind = EXPR_LIST; break;
    case SLUICE_MAP: out.kind = EXPR_MAP; break;
    case SLUICE_STRUCT: out.kind = EXPR_STRUCT; break;
    case SLUICE_BYTES: {
        int32_t scale;
        struct sluice_buf text;
        out.kind = EXPR_BYTES;
        if (sluice_logical_of(schema) != SLUICE_LOGICAL_DECIMAL) break;
        /* a text is at most 2.5 digits per octet, or E notation: from the batch, so no buffer */
        size_t room = (size_t)v->len * 3 + 32;
        sluice_buf_init(&text, room);
        text.data = sluice_batch_alloc(run->batch, room);
        text.cap = room;
        if (sluice_decimal_scale(schema, &scale, NULL) &&
            sluice_decimal_text(&text, v->u.s, v->len, scale, NULL)) {
            out.kind = EXPR_DECIMAL;
            out.v = sluice_string(text.data, text.len);
        }
        break;
    }
    }
    return out;
}

static bool fail_node(struct expr_run *run, const struct expr_node *node, const char *what,
                      enum expr_kind kind)
{
    return sluice_err_set(run->err, "at character %u: %s %s", node->at, what, expr_kind_name(kind));
}

/* ---- truth, text ---- */

static double number(const struct expr_value *value)
{
    if (value->kind == EXPR_DOUBLE) return value->v.u.d;
    if (value->kind != EXPR_DECIMAL) return (double)value->v.u.i;
    char text[512];
    size_t n = value->v.len < sizeof text ? value->v.len : sizeof text - 1;
    memcpy(text, value->v.u.s, n);
    text[n] = '\0';
    return strtod(text, NULL);
}

static bool is_number(enum expr_kind kind) { return kind >= EXPR_INT && kind <= EXPR_DECIMAL; }

bool expr_truth(const struct expr_value *value)
{
    switch (value->kind) {
    case EXPR_NULL: return false;
    case EXPR_BOOL:
    case EXPR_INT:
    case EXPR_LONG: return value->v.u.i != 0;
    case EXPR_DOUBLE:
    case EXPR_DECIMAL: return number(value) != 0;
    case EXPR_STRING:
    case EXPR_BYTES:
    case EXPR_LIST:
    case EXPR_MAP:
    case EXPR_ITEMS: return value->v.len != 0;
    case EXPR_HEADERS: return value->u.rec->headers_len != 0;
    default: return true;
    }
}

bool expr_text(struct expr_run *run, const struct expr_value *value, struct sluice_value *out)
{
    char text[33];
    size_t n;
    switch (value->kind) {
    case EXPR_NULL: *out = sluice_string("null", 4); return true;
    case EXPR_BOOL:
        *out = value->v.u.i ? sluice_string("true", 4) : sluice_string("false", 5);
        return true;
    case EXPR_STRING:
    case EXPR_DECIMAL: *out = sluice_string(value->v.u.s, value->v.len); return true;
    case EXPR_INT:
    case EXPR_LONG: n = (size_t)(sluice_int_text(text, value->v.u.i) - text); break;
    case EXPR_DOUBLE:
        n = value->v.type == SLUICE_FLOAT32 ? sluice_float_text((float)value->v.u.d, text)
                                            : sluice_double_text(value->v.u.d, text);
        break;
    default: return sluice_err_set(run->err, "%s has no text", expr_kind_name(value->kind));
    }
    char *copy = sluice_batch_alloc(run->batch, n);
    memcpy(copy, text, n);
    *out = sluice_string(copy, n);
    return true;
}

/* ---- comparing ---- */

/* A decimal text as sign, digits without leading zeros, and where the point stands in them. */
struct digits {
    bool negative;
    const char *text;
    size_t len;    /* of text, up to the exponent */
    int64_t point; /* digits before the point, counted from the first that is not 0 */
    size_t first;  /* index of that one; len: zero */
};

static struct digits digits_of(const struct expr_value *value, char text[24])
{
    struct digits d = {0};
    size_t n = value->v.len;
    d.text = value->v.u.s;
    if (value->kind != EXPR_DECIMAL) {
        n = (size_t)(sluice_int_text(text, value->v.u.i) - text);
        d.text = text;
    }
    if (n && (d.text[0] == '-' || d.text[0] == '+')) {
        d.negative = d.text[0] == '-';
        d.text++;
        n--;
    }
    int64_t exponent = 0;
    bool point = false;
    size_t at = 0;
    d.first = SIZE_MAX;
    for (; at < n && d.text[at] != 'e' && d.text[at] != 'E'; at++) {
        if (d.text[at] == '.') {
            point = true;
            continue;
        }
        if (d.first == SIZE_MAX && d.text[at] != '0') d.first = at;
        if (!point && d.first != SIZE_MAX) d.point++;
        if (point && d.first == SIZE_MAX) d.point--;
    }
    d.len = at;
    if (d.first == SIZE_MAX) d.first = at;
    if (at < n) {
        bool minus = ++at < n && d.text[at] == '-';
        for (; at < n; at++) {
            if (d.text[at] >= '0' && d.text[at] <= '9' && exponent < INT32_MAX) {
                exponent = exponent * 10 + (d.text[at] - '0');
            }
        }
        d.point += minus ? -exponent : exponent;
    }
    return d;
}

static int next_digit(const struct digits *d, size_t *at)
{
    if (*at < d->len && d->text[*at] == '.') ++*at;
    return *at < d->len ? d->text[(*at)++] - '0' : -1;
}

static int compare_exact(const struct expr_value *a, const struct expr_value *b)
{
    assert(is_number(a->kind) && is_number(b->kind));
    char text_a[24], text_b[24];
    struct digits x = digits_of(a, text_a), y = digits_of(b, text_b);
    bool x_zero = x.first == x.len, y_zero = y.first == y.len;
    if (x_zero || y_zero) {
        if (x_zero && y_zero) return 0;
        return x_zero ? (y.negative ? 1 : -1) : (x.negative ? -1 : 1);
    }
    if (x.negative != y.negative) return x.negative ? -1 : 1;
    int sign = x.negative ? -1 : 1;
    if (x.point != y.point) return x.point < y.point ? -sign : sign;
    size_t i = x.first, j = y.first;
    for (;;) {
        int p = next_digit(&x, &i), q = next_digit(&y, &j);
        if (p < 0 && q < 0) return 0;
        if (p < 0) p = 0;
        if (q < 0) q = 0;
        if (p != q) return p < q ? -sign : sign;
    }
}

static int compare_numbers(const struct expr_value *a, const struct expr_value *b)
{
    if (a->kind == EXPR_DOUBLE || b->kind == EXPR_DOUBLE) {
        double x = number(a), y = number(b);
        if (x != x || y != y) return x == x ? -1 : y == y; /* NaN comes last, as in Java */
        return x < y ? -1 : x > y;
    }
    if (a->kind != EXPR_DECIMAL && b->kind != EXPR_DECIMAL) {
        return a->v.u.i < b->v.u.i ? -1 : a->v.u.i > b->v.u.i;
    }
    return compare_exact(a, b);
}

/* By UTF-16 units, as String.compareTo() does: surrogates sort before U+E000. */
static int compare_texts(const struct sluice_value *a, const struct sluice_value *b)
{
    size_t n = a->len < b->len ? a->len : b->len, i = 0;
    while (i < n && a->u.s[i] == b->u.s[i]) i++;
    if (i == n) return a->len < b->len ? -1 : a->len > b->len;
    unsigned char x = (unsigned char)a->u.s[i], y = (unsigned char)b->u.s[i];
    if ((x >= 0xf0) != (y >= 0xf0) && x >= 0xee && y >= 0xee) return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : 1;
}

/* Groovy takes a text of one character for that character where a number stands beside it. */
static bool as_character(const struct expr_value *value, struct expr_value *out)
{
    if (value->kind != EXPR_STRING || value->v.len != 1) return false;
    *out = expr_int((unsigned char)value->v.u.s[0]);
    return true;
}

/* False: not comparable. */
static bool order_of(const struct expr_value *a, const struct expr_value *b, int *order)
{
    struct expr_value character;
    if (a->kind == EXPR_NULL || b->kind == EXPR_NULL) {
        *order = (a->kind != EXPR_NULL) - (b->kind != EXPR_NULL);
    } else if (is_number(a->kind) && is_number(b->kind)) {
        *order = compare_numbers(a, b);
    } else if (is_number(a->kind) && as_character(b, &character)) {
        *order = compare_numbers(a, &character);
    } else if (is_number(b->kind) && as_character(a, &character)) {
        *order = compare_numbers(&character, b);
    } else if (a->kind == EXPR_STRING && b->kind == EXPR_STRING) {
        *order = compare_texts(&a->v, &b->v);
    } else if (a->kind == EXPR_BOOL && b->kind == EXPR_BOOL) {
        *order = (int)(a->v.u.i - b->v.u.i);
    } else {
        return false;
    }
    return true;
}

bool expr_compare(struct expr_run *run, const struct expr_value *a, const struct expr_value *b,
                  int *order)
{
    if (order_of(a, b, order)) return true;
    return sluice_err_set(run->err, "%s cannot be compared with %s", expr_kind_name(a->kind),
                          expr_kind_name(b->kind));
}

static bool is_list(const struct expr_value *value)
{
    return value->kind == EXPR_LIST || value->kind == EXPR_ITEMS;
}

static struct expr_value item_of(const struct expr_value *list, size_t i)
{
    assert(is_list(list) && i < list->v.len);
    if (list->kind == EXPR_ITEMS) return list->u.items[i];
    struct expr_run none = {0};
    const struct sluice_schema *schema = list->schema ? list->schema->elem : NULL;
    if (sluice_logical_of(schema) == SLUICE_LOGICAL_DECIMAL) schema = NULL; /* octets, then */
    return expr_of(&none, schema, &list->v.u.v[i]);
}

bool expr_equal(const struct expr_value *a, const struct expr_value *b)
{
    int order;
    if (order_of(a, b, &order)) return order == 0;
    if (is_list(a) && is_list(b)) {
        if (a->v.len != b->v.len) return false;
        for (size_t i = 0; i < a->v.len; i++) {
            struct expr_value x = item_of(a, i), y = item_of(b, i);
            if (!expr_equal(&x, &y)) return false;
        }
        return true;
    }
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case EXPR_STRUCT: return a->schema == b->schema && sluice_value_equal(&a->v, &b->v);
    case EXPR_BYTES:
    case EXPR_MAP: return sluice_value_equal(&a->v, &b->v);
    case EXPR_SCHEMA: return a->schema == b->schema;
    case EXPR_HEADERS: return true;
    case EXPR_HEADER: return a->v.u.v == b->v.u.v && a->v.type == b->v.type;
    default: return false;
    }
}

/* ---- members ---- */

/* Where the name stands in the schema; the node remembers the schema that it saw last. */
static int field_index(struct expr_node *node, const struct sluice_schema *schema, const char *name,
                       size_t len)
{
    bool fixed = name == node->text;
    if (fixed && node->seen == schema) return node->index;
    int index = sluice_schema_field(schema, name, len);
    if (fixed) {
        sluice_schema_free(node->seen);
        node->seen = sluice_schema_hold(schema);
        node->index = index;
    }
    return index;
}

static bool is(const char *name, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(name, word, len) == 0;
}

static bool schema_member(const struct sluice_schema *schema, const char *name, size_t len,
                          struct expr_value *out)
{
    *out = (struct expr_value){.kind = EXPR_NULL};
    const char *text = NULL;
    if (is(name, len, "name")) text = schema->name;
    else if (is(name, len, "doc")) text = schema->doc;
    else if (is(name, len, "type")) text = sluice_type_name((enum sluice_type)schema->type);
    else if (is(name, len, "optional")) *out = expr_bool(schema->optional);
    else if (!is(name, len, "version")) return false;
    else if (schema->has_version) *out = expr_int(schema->version);
    if (text) *out = expr_string(text, strlen(text));
    return true;
}

static bool struct_member(struct expr_run *run, struct expr_node *node, const struct expr_value *of,
                          const char *name, size_t len, struct expr_value *out)
{
    int index = of->schema && of->schema->type == SLUICE_STRUCT
                    ? field_index(node, of->schema, name, len)
                    : -1;
    if (index < 0 && of->schema && is(name, len, "schema")) {
        *out = (struct expr_value){.kind = EXPR_SCHEMA, .schema = of->schema};
        return true;
    }
    if (index < 0 || (uint32_t)index >= of->v.len) {
        return sluice_err_set(run->err, "at character %u: %.*s is not a valid field name", node->at,
                              (int)len, name);
    }
    const struct sluice_schema *schema = of->schema->fields[index].schema;
    const struct sluice_value *v = &of->v.u.v[index];
    if (v->type == SLUICE_NULL && schema->has_dflt) v = &schema->dflt;
    *out = expr_of(run, schema, v);
    return true;
}

bool expr_member(struct expr_run *run, struct expr_node *node, const struct expr_value *of,
                 const char *name, size_t len, struct expr_value *out)
{
    *out = (struct expr_value){.kind = EXPR_NULL};
    switch (of->kind) {
    case EXPR_STRUCT: return struct_member(run, node, of, name, len, out);
    case EXPR_MAP:
        for (uint32_t i = 0; i < of->v.len; i++) {
            const struct sluice_value *key = &of->v.u.v[2 * (size_t)i];
            if (key->type != SLUICE_STRING || key->len != len) continue;
            if (len && memcmp(key->u.s, name, len) != 0) continue;
            *out = expr_of(run, of->schema ? of->schema->elem : NULL, key + 1);
            break;
        }
        return true;
    case EXPR_HEADERS:
        for (uint32_t i = of->u.rec->headers_len; i > 0; i--) { /* the last one of a name counts */
            const struct sluice_header *header = &of->u.rec->headers[i - 1];
            if (!is(name, len, header->key)) continue;
            *out = (struct expr_value){
                .kind = EXPR_HEADER, .v = header->value, .schema = header->schema};
            break;
        }
        return true;
    case EXPR_HEADER:
        if (is(name, len, "value")) {
            *out = expr_of(run, of->schema, &of->v);
            return true;
        }
        if (is(name, len, "schema")) {
            if (of->schema) *out = (struct expr_value){.kind = EXPR_SCHEMA, .schema = of->schema};
            return true;
        }
        break;
    case EXPR_SCHEMA:
        if (schema_member(of->schema, name, len, out)) return true;
        break;
    default: break;
    }
    return sluice_err_set(run->err, "at character %u: cannot get '%.*s' of %s", node->at, (int)len,
                          name, expr_kind_name(of->kind));
}

static bool eval_member(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value of;
    if (!expr_eval(run, node->a, &of)) return false;
    if (of.kind == EXPR_NULL && node->safe) {
        *out = of;
        return true;
    }
    return expr_member(run, node, &of, node->text, node->text_len, out);
}

static bool eval_index(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value of, at;
    if (!expr_eval(run, node->a, &of) || !expr_eval(run, node->b, &at)) return false;
    if (at.kind == EXPR_STRING && of.kind != EXPR_STRING && !is_list(&of)) {
        return expr_member(run, node, &of, at.v.u.s, at.v.len, out);
    }
    if (at.kind != EXPR_INT || !(is_list(&of) || of.kind == EXPR_STRING)) {
        return fail_node(run, node, "cannot use [] on", of.kind);
    }
    int64_t i = at.v.u.i;
    if (of.kind == EXPR_STRING) {
        const struct expr_method *method = expr_method_find("getAt", 5);
        return method->call(run, node, &of, &at, 1, out);
    }
    if (i < 0) i += of.v.len;
    *out = (struct expr_value){.kind = EXPR_NULL};
    if (i >= 0 && i < of.v.len) *out = item_of(&of, (size_t)i);
    return true;
}

/* ---- operators ---- */

static bool eval_in(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value a, b;
    bool found = false;
    if (!expr_eval(run, node->a, &a) || !expr_eval(run, node->b, &b)) return false;
    if (is_list(&b)) {
        for (size_t i = 0; i < b.v.len && !found; i++) {
            struct expr_value item = item_of(&b, i);
            found = expr_equal(&a, &item);
        }
    } else if (b.kind == EXPR_MAP || b.kind == EXPR_HEADERS) {
        struct expr_value entry = {.kind = EXPR_NULL};
        if (a.kind == EXPR_STRING && !expr_member(run, node, &b, a.v.u.s, a.v.len, &entry)) {
            return false;
        }
        found = expr_truth(&entry); /* Map.isCase() is the truth of the entry */
    } else {
        found = expr_equal(&a, &b);
    }
    *out = expr_bool(found == (node->type == NODE_IN));
    return true;
}

static bool eval_regex(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value a;
    struct sluice_value text;
    assert(node->regex);
    if (!expr_eval(run, node->a, &a)) return false;
    if (!expr_text(run, &a, &text)) return fail_node(run, node, "cannot match", a.kind);
    enum sluice_match match =
        node->type == NODE_FIND
            ? sluice_java_regex_find(node->regex, text.u.s, text.len, 0, run->err)
            : sluice_java_regex_matches(node->regex, text.u.s, text.len, run->err);
    *out = expr_bool(match == SLUICE_MATCH_YES);
    return match != SLUICE_MATCH_FAILED;
}

static bool join(struct expr_run *run, const struct expr_node *node, const struct expr_value *a,
                 const struct expr_value *b, struct expr_value *out)
{
    struct sluice_value x, y;
    if (!expr_text(run, a, &x) || !expr_text(run, b, &y)) {
        return fail_node(run, node, "cannot join to a text",
                         a->kind == EXPR_STRING ? b->kind : a->kind);
    }
    size_t len = (size_t)x.len + y.len;
    if (len > TEXT_MAX)
        return sluice_err_set(run->err, "at character %u: the text is longer than 16 MiB",
                              node->at);
    char *text = sluice_batch_alloc(run->batch, len);
    if (x.len) memcpy(text, x.u.s, x.len);
    if (y.len) memcpy(text + x.len, y.u.s, y.len);
    *out = expr_string(text, len);
    return true;
}

static bool whole_math(struct expr_run *run, const struct expr_node *node,
                       const struct expr_value *a, const struct expr_value *b,
                       struct expr_value *out)
{
    uint64_t x = (uint64_t)a->v.u.i, y = (uint64_t)b->v.u.i, z = 0;
    switch (node->type) {
    case NODE_ADD: z = x + y; break;
    case NODE_SUBTRACT: z = x - y; break;
    case NODE_MULTIPLY: z = x * y; break;
    default:
        assert(node->type == NODE_MODULO);
        if (y == 0) return sluice_err_set(run->err, "at character %u: division by zero", node->at);
        if (b->v.u.i != -1) z = (uint64_t)(a->v.u.i % b->v.u.i);
    }
    if (a->kind == EXPR_INT && b->kind == EXPR_INT) *out = expr_int((int32_t)(uint32_t)z);
    else *out = (struct expr_value){.kind = EXPR_LONG, .v = sluice_int64((int64_t)z)};
    return true;
}

static bool eval_math(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value a, b;
    if (!expr_eval(run, node->a, &a) || !expr_eval(run, node->b, &b)) return false;
    if (node->type == NODE_ADD && (a.kind == EXPR_STRING || b.kind == EXPR_STRING)) {
        return join(run, node, &a, &b, out);
    }
    if (!is_number(a.kind)) return fail_node(run, node, "cannot calculate with", a.kind);
    if (!is_number(b.kind)) return fail_node(run, node, "cannot calculate with", b.kind);
    bool whole = a.kind <= EXPR_LONG && b.kind <= EXPR_LONG;
    if (whole && node->type != NODE_DIVIDE) return whole_math(run, node, &a, &b, out);
    double x = number(&a), y = number(&b), z;
    switch (node->type) {
    case NODE_ADD: z = x + y; break;
    case NODE_SUBTRACT: z = x - y; break;
    case NODE_MULTIPLY: z = x * y; break;
    case NODE_DIVIDE:
        if (y == 0 && a.kind != EXPR_DOUBLE && b.kind != EXPR_DOUBLE) {
            return sluice_err_set(run->err, "at character %u: division by zero", node->at);
        }
        z = x / y;
        break;
    default: z = fmod(x, y);
    }
    *out = (struct expr_value){.kind = EXPR_DOUBLE, .v = sluice_float64(z)};
    return true;
}

static bool eval_negate(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    if (!expr_eval(run, node->a, out)) return false;
    switch (out->kind) {
    case EXPR_INT: *out = expr_int((int32_t)(0u - (uint32_t)out->v.u.i)); return true;
    case EXPR_LONG: out->v.u.i = (int64_t)(0u - (uint64_t)out->v.u.i); return true;
    case EXPR_DOUBLE: out->v.u.d = -out->v.u.d; return true;
    case EXPR_DECIMAL: {
        bool minus = out->v.len && *out->v.u.s == '-';
        char *text = sluice_batch_alloc(run->batch, (size_t)out->v.len + 1);
        *text = '-';
        memcpy(text + 1, out->v.u.s, out->v.len);
        out->v = minus ? sluice_string(text + 2, out->v.len - 1)
                       : sluice_string(text, (size_t)out->v.len + 1);
        return true;
    }
    default: return fail_node(run, node, "cannot negate", out->kind);
    }
}

static bool eval_order(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value a, b;
    int order;
    if (!expr_eval(run, node->a, &a) || !expr_eval(run, node->b, &b)) return false;
    if (node->type == NODE_EQUAL || node->type == NODE_UNEQUAL) {
        *out = expr_bool(expr_equal(&a, &b) == (node->type == NODE_EQUAL));
        return true;
    }
    if (!expr_compare(run, &a, &b, &order)) {
        return sluice_err_wrap(run->err, "at character %u", node->at);
    }
    switch (node->type) {
    case NODE_LESS: *out = expr_bool(order < 0); break;
    case NODE_LESS_EQUAL: *out = expr_bool(order <= 0); break;
    case NODE_MORE: *out = expr_bool(order > 0); break;
    case NODE_MORE_EQUAL: *out = expr_bool(order >= 0); break;
    default: *out = expr_int(order);
    }
    return true;
}

/* ---- the walk ---- */

static struct expr_value root_value(struct expr_run *run, enum expr_root root)
{
    const struct sluice_record *rec = run->rec;
    struct expr_value out = {.kind = EXPR_NULL};
    switch (root) {
    case ROOT_KEY: return expr_of(run, rec->key_schema, &rec->key);
    case ROOT_VALUE: return expr_of(run, rec->value_schema, &rec->value);
    case ROOT_KEY_SCHEMA: out.schema = rec->key_schema; break;
    case ROOT_VALUE_SCHEMA: out.schema = rec->value_schema; break;
    case ROOT_TOPIC: return rec->topic ? expr_string(rec->topic, strlen(rec->topic)) : out;
    case ROOT_HEADER: return (struct expr_value){.kind = EXPR_HEADERS, .u.rec = rec};
    }
    if (out.schema) out.kind = EXPR_SCHEMA;
    return out;
}

static bool eval_call(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value self, args[EXPR_ARGS_MAX];
    if (!expr_eval(run, node->a, &self)) return false;
    if (self.kind == EXPR_NULL && node->safe) {
        *out = self;
        return true;
    }
    assert(node->method && node->n <= EXPR_ARGS_MAX);
    for (size_t i = 0; i < node->n; i++) {
        if (!expr_eval(run, node->items[i], &args[i])) return false;
    }
    if (!(node->method->on & 1u << self.kind)) {
        return sluice_err_set(run->err, "at character %u: cannot call %s() on %s", node->at,
                              node->method->name, expr_kind_name(self.kind));
    }
    return node->method->call(run, node, &self, args, node->n, out);
}

static bool eval_list(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    struct expr_value *items = sluice_batch_alloc(run->batch, node->n * sizeof *items);
    for (size_t i = 0; i < node->n; i++) {
        if (!expr_eval(run, node->items[i], &items[i])) return false;
    }
    *out = (struct expr_value){.kind = EXPR_ITEMS, .u.items = items};
    out->v.len = (uint32_t)node->n;
    return true;
}

bool expr_eval(struct expr_run *run, struct expr_node *node, struct expr_value *out)
{
    assert(node && out);
    switch (node->type) {
    case NODE_CONST: *out = node->value; return true;
    case NODE_ROOT: *out = root_value(run, node->root); return true;
    case NODE_MEMBER: return eval_member(run, node, out);
    case NODE_INDEX: return eval_index(run, node, out);
    case NODE_CALL: return eval_call(run, node, out);
    case NODE_LIST: return eval_list(run, node, out);
    case NODE_NEGATE: return eval_negate(run, node, out);
    case NODE_NOT:
        if (!expr_eval(run, node->a, out)) return false;
        *out = expr_bool(!expr_truth(out));
        return true;
    case NODE_AND:
    case NODE_OR:
        if (!expr_eval(run, node->a, out)) return false;
        if (expr_truth(out) == (node->type == NODE_AND) && !expr_eval(run, node->b, out)) {
            return false;
        }
        *out = expr_bool(expr_truth(out));
        return true;
    case NODE_CHOOSE:
        if (!expr_eval(run, node->a, out)) return false;
        return expr_eval(run, expr_truth(out) ? node->b : node->c, out);
    case NODE_ELVIS:
        if (!expr_eval(run, node->a, out)) return false;
        return expr_truth(out) || expr_eval(run, node->b, out);
    case NODE_IN:
    case NODE_NOT_IN: return eval_in(run, node, out);
    case NODE_FIND:
    case NODE_MATCH: return eval_regex(run, node, out);
    case NODE_EQUAL:
    case NODE_UNEQUAL:
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_MORE:
    case NODE_MORE_EQUAL:
    case NODE_COMPARE: return eval_order(run, node, out);
    default: return eval_math(run, node, out);
    }
}
