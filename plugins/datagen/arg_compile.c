/* arg_compile.c - an Avro type with its arg.properties to a plan node; all that can be wrong with
 * the properties is found here, so that generating cannot fail. */
#include "arg.h"

#include <float.h>
#include <stdio.h>

#define DEFAULT_MIN 8
#define DEFAULT_MAX 16

struct compiler {
    struct datagen_arena *arena;
    int64_t generation;
    struct sluice_err *err;
};

static struct arg_node *compile(struct compiler *c, struct avro_type *type);

static bool exclude(struct compiler *c, const json_t *props, const char *given)
{
    static const char *const others[] = {"length", "regex", "options", "iteration", "range"};
    for (size_t i = 0; i < DATAGEN_COUNT(others); i++) {
        if (strcmp(others[i], given) == 0 || !json_object_get(props, others[i])) continue;
        return datagen_fail(c->err, "Cannot specify %s prop when %s prop is given", others[i],
                            given);
    }
    return true;
}

static bool compile_options(struct compiler *c, const struct avro_type *type, const json_t *props,
                            struct arg_node *node)
{
    const json_t *list = json_object_get(props, "options");
    if (!exclude(c, props, "options")) return false;
    if (json_is_object(list)) {
        return datagen_fail(c->err, "options from a file are not supported; list them in the "
                                    "schema");
    }
    if (!json_is_array(list)) {
        return datagen_fail(c->err, "options prop must be an array or an object");
    }
    size_t n = json_array_size(list);
    if (!n) return datagen_fail(c->err, "options property cannot be empty");
    struct sluice_value *values = datagen_alloc(c->arena, n * sizeof(*values));
    for (size_t i = 0; i < n; i++) {
        if (!arg_value(c->arena, type, json_array_get(list, i), &values[i], c->err)) return false;
    }
    node->op = ARG_OPTIONS;
    node->u.options.values = values;
    node->u.options.len = (int32_t)n;
    return true;
}

/* The length property as min (inclusive) and max (exclusive). */
static bool read_length(struct compiler *c, const json_t *props, int64_t *min, int64_t *max)
{
    const json_t *length = json_object_get(props, "length");
    bool has_min, has_max;
    *min = DEFAULT_MIN;
    *max = DEFAULT_MAX;
    if (!length) return true;
    if (json_is_integer(length)) {
        *min = json_integer_value(length);
        *max = *min + 1;
        return (*min >= 0 && *min < INT32_MAX) ||
               datagen_fail(c->err, "when given as integral number, length property cannot be "
                                    "negative");
    }
    if (!json_is_object(length)) {
        return datagen_fail(c->err, "length property must either be an integral number or an "
                                    "object");
    }
    *min = 0;
    *max = INT32_MAX;
    if (!arg_whole(length, "min", "length", true, &has_min, min, c->err) ||
        !arg_whole(length, "max", "length", true, &has_max, max, c->err)) {
        return false;
    }
    if (!has_min && !has_max) {
        return datagen_fail(c->err, "length property must contain at least one of 'min' or 'max' "
                                    "fields when given as object");
    }
    if (*min < 0) return datagen_fail(c->err, "min field of length property cannot be negative");
    if (*max <= *min) {
        return datagen_fail(c->err, "max field must be strictly greater than min field for length "
                                    "property");
    }
    return true;
}

static bool compile_length(struct compiler *c, const json_t *props, int64_t cap,
                           struct arg_node *node)
{
    int64_t min, max;
    if (!read_length(c, props, &min, &max)) return false;
    if (max - 1 > cap) {
        return datagen_fail(c->err, "length property: at most %lld is supported here, not %lld",
                            (long long)cap, (long long)max - 1);
    }
    node->u.many.min = (int32_t)min;
    node->u.many.width = (int32_t)(max - min);
    return true;
}

static bool read_affix(struct compiler *c, const json_t *props, const char *which,
                       const char **text, uint32_t *len)
{
    const json_t *json = json_object_get(props, which);
    if (json && !json_is_string(json)) {
        return datagen_fail(c->err, "%s property must be a string", which);
    }
    *text = json ? json_string_value(json) : "";
    *len = (uint32_t)json_string_length(json);
    return true;
}

static bool compile_text(struct compiler *c, const json_t *props, struct arg_node *node)
{
    struct arg_text *text = &node->text;
    if (!read_affix(c, props, "prefix", &text->prefix, &text->prefix_len) ||
        !read_affix(c, props, "suffix", &text->suffix, &text->suffix_len)) {
        return false;
    }
    const json_t *pattern = json_object_get(props, "regex");
    if (node->op == ARG_COUNT_TEXT) return true;
    node->op = ARG_STRING;
    if (!pattern) return compile_length(c, props, ARG_MAX_TEXT, node);
    if (!json_is_string(pattern)) return datagen_fail(c->err, "regex property must be a string");
    int64_t min, max;
    struct regex *regex = datagen_alloc(c->arena, sizeof(*regex));
    node->op = ARG_REGEX;
    node->u.regex = regex;
    return read_length(c, props, &min, &max) &&
           regex_compile(c->arena, json_string_value(pattern), (int)min, (int)(max - 1), regex,
                         c->err);
}

static bool range_error(struct compiler *c)
{
    return datagen_fail(c->err, "'min' field must be strictly less than 'max' field in range "
                                "property");
}

static bool compile_number(struct compiler *c, const struct avro_type *type, const json_t *props,
                           struct arg_node *node)
{
    const json_t *range = json_object_get(props, "range");
    bool narrow = type->kind == AVRO_INT || type->kind == AVRO_FLOAT, has_min, has_max;
    bool real = type->kind == AVRO_FLOAT || type->kind == AVRO_DOUBLE;
    node->op = type->kind == AVRO_INT     ? ARG_INT
               : type->kind == AVRO_LONG  ? ARG_LONG
               : type->kind == AVRO_FLOAT ? ARG_FLOAT
                                          : ARG_DOUBLE;
    if (!range) return true;
    if (!json_is_object(range)) return datagen_fail(c->err, "range property must be an object");
    if (real) {
        double top = narrow ? (double)FLT_MAX : DBL_MAX;
        node->u.real.min = -top;
        node->u.real.max = top;
        node->u.real.ranged = true;
        if (!arg_real(range, "min", "range", narrow, &has_min, &node->u.real.min, c->err) ||
            !arg_real(range, "max", "range", narrow, &has_max, &node->u.real.max, c->err)) {
            return false;
        }
        return node->u.real.min < node->u.real.max || range_error(c);
    }
    int64_t min = narrow ? INT32_MIN : INT64_MIN, max = narrow ? INT32_MAX : INT64_MAX;
    if (!arg_whole(range, "min", "range", narrow, &has_min, &min, c->err) ||
        !arg_whole(range, "max", "range", narrow, &has_max, &max, c->err)) {
        return false;
    }
    node->op = ARG_WHOLE;
    node->u.whole.min = min;
    node->u.whole.width = (double)((uint64_t)max - (uint64_t)min);
    return min < max || range_error(c);
}

static bool compile_bool(struct compiler *c, const json_t *props, struct arg_node *node)
{
    bool given;
    node->op = ARG_BOOL;
    if (!arg_real(props, "odds", "arg.properties", false, &given, &node->u.odds, c->err)) {
        return false;
    }
    if (!given) return true;
    node->op = ARG_ODDS;
    return (node->u.odds >= 0 && node->u.odds <= 1) ||
           datagen_fail(c->err, "odds property must be in the range [0.0, 1.0]");
}

static bool compile_bytes(struct compiler *c, const struct avro_type *type, const json_t *props,
                          struct arg_node *node)
{
    if (type->logical && strcmp(type->logical, "decimal") == 0) {
        node->op = ARG_DECIMAL;
        node->u.precision = type->precision;
        return type->precision <= 300 ||
               datagen_fail(c->err, "decimals of more than 300 digits are not supported");
    }
    node->op = ARG_BYTES;
    node->u.many.min = (int32_t)type->len;
    return type->kind == AVRO_FIXED || compile_length(c, props, ARG_MAX_TEXT, node);
}

static bool compile_many(struct compiler *c, const struct avro_type *type, const json_t *props,
                         struct arg_node *node)
{
    bool map = type->kind == AVRO_MAP;
    const json_t *keys = json_object_get(props, "keys");
    node->op = map ? ARG_MAP : ARG_ARRAY;
    if (!compile_length(c, props, map ? 1024 : ARG_MAX_ITEMS, node)) return false;
    node->u.many.elem = compile(c, type->elem);
    if (!node->u.many.elem) return false;
    if (!map) return true;
    struct arg_node *key = datagen_alloc(c->arena, sizeof(*key));
    const struct avro_type text = {.kind = AVRO_STRING};
    node->u.many.key = key;
    key->op = ARG_STRING;
    key->type = SLUICE_STRING;
    key->text = (struct arg_text){.prefix = "", .suffix = ""};
    if (!keys) {
        key->u.many.min = 1; /* without a draw for the length, as upstream */
        return true;
    }
    if (!json_is_object(keys)) return datagen_fail(c->err, "keys prop must be an object");
    if (json_object_get(keys, "options")) return compile_options(c, &text, keys, key);
    return compile_text(c, keys, key);
}

static bool compile_record(struct compiler *c, const struct avro_type *type, struct arg_node *node)
{
    node->op = ARG_RECORD;
    node->u.fields.len = (int32_t)type->len;
    node->u.fields.nodes = datagen_alloc(c->arena, (type->len + 1) * sizeof(struct arg_node *));
    for (size_t i = 0; i < type->len; i++) {
        struct sluice_err inner;
        struct sluice_err *outer = c->err;
        c->err = &inner;
        node->u.fields.nodes[i] = compile(c, type->fields[i].type);
        c->err = outer;
        if (!node->u.fields.nodes[i]) {
            return datagen_fail(outer, "field %.100s: %.800s", type->fields[i].name, inner.msg);
        }
    }
    return true;
}

static bool compile_union(struct compiler *c, const struct avro_type *type, struct arg_node *node)
{
    bool plain = avro_nullable(type) || type->len == 1;
    node->op = ARG_UNION;
    node->u.fields.len = (int32_t)type->len;
    node->u.fields.nodes = datagen_alloc(c->arena, type->len * sizeof(struct arg_node *));
    if (!plain) node->u.fields.slots = datagen_alloc(c->arena, type->len * sizeof(int32_t));
    for (size_t i = 0; i < type->len; i++) {
        bool null = type->branches[i]->kind == AVRO_NULL;
        node->u.fields.nodes[i] = compile(c, type->branches[i]);
        if (!node->u.fields.nodes[i]) return false;
        if (!plain) node->u.fields.slots[i] = null ? -1 : node->u.fields.slots_len;
        node->u.fields.slots_len += !null;
    }
    return true;
}

static bool compile_plain(struct compiler *c, struct avro_type *type, struct arg_node *node)
{
    const json_t *props = type->props;
    switch (type->kind) {
    case AVRO_NULL: node->op = ARG_NULL; return true;
    case AVRO_BOOLEAN: return compile_bool(c, props, node);
    case AVRO_INT:
    case AVRO_LONG:
    case AVRO_FLOAT:
    case AVRO_DOUBLE: return compile_number(c, type, props, node);
    case AVRO_STRING: return compile_text(c, props, node);
    case AVRO_BYTES:
    case AVRO_FIXED: return compile_bytes(c, type, props, node);
    case AVRO_ARRAY:
    case AVRO_MAP: return compile_many(c, type, props, node);
    case AVRO_RECORD: return compile_record(c, type, node);
    case AVRO_UNION: return compile_union(c, type, node);
    case AVRO_ENUM: break;
    }
    struct sluice_value *values = datagen_alloc(c->arena, type->len * sizeof(*values));
    for (size_t i = 0; i < type->len; i++) {
        values[i] = sluice_string(type->symbols[i], strlen(type->symbols[i]));
    }
    node->op = ARG_OPTIONS;
    node->u.options.values = values;
    node->u.options.len = (int32_t)type->len;
    return true;
}

static struct arg_node *compile(struct compiler *c, struct avro_type *type)
{
    static const uint8_t types[] = {[AVRO_NULL] = SLUICE_NULL,     [AVRO_BOOLEAN] = SLUICE_BOOLEAN,
                                    [AVRO_INT] = SLUICE_INT32,     [AVRO_LONG] = SLUICE_INT64,
                                    [AVRO_FLOAT] = SLUICE_FLOAT32, [AVRO_DOUBLE] = SLUICE_FLOAT64,
                                    [AVRO_BYTES] = SLUICE_BYTES,   [AVRO_STRING] = SLUICE_STRING,
                                    [AVRO_RECORD] = SLUICE_STRUCT, [AVRO_ENUM] = SLUICE_STRING,
                                    [AVRO_FIXED] = SLUICE_BYTES,   [AVRO_ARRAY] = SLUICE_ARRAY,
                                    [AVRO_MAP] = SLUICE_MAP,       [AVRO_UNION] = SLUICE_STRUCT};
    if (type->node) return type->node; /* one schema object, one node: iterations are shared */
    struct arg_node *node = datagen_alloc(c->arena, sizeof(*node));
    const json_t *props = type->props;
    bool ok;
    node->type = types[type->kind];
    if (json_object_get(props, "options")) {
        ok = compile_options(c, type, props, node);
    } else if (json_object_get(props, "iteration")) {
        ok = exclude(c, props, "iteration") &&
             arg_iteration(node, type, props, c->generation, c->err) &&
             (node->op != ARG_COUNT_TEXT || compile_text(c, props, node));
    } else {
        ok = compile_plain(c, type, node);
    }
    type->node = ok ? node : NULL;
    return type->node;
}

struct arg_node *arg_compile(struct datagen_arena *arena, struct avro_type *type,
                             int64_t generation, struct sluice_err *err)
{
    struct compiler c = {.arena = arena, .generation = generation, .err = err};
    return compile(&c, type);
}
