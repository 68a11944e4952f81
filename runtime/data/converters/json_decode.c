/* json_decode.c - JSON bound to a schema: values land in the schema's fields as they are read.
 *
 * Members are expected in the schema's order, as Connect writes them: then one comparison of bytes
 * takes the name. Any other order, spacing or spelling goes through the name table. What does not
 * fit is converted as Jackson's nodes do it (intValue() of a text is 0, textValue() of a number is
 * null), but for "NaN" and the infinities, which are read as what they were written for. */
#include <assert.h>

#include "base/err.h"
#include "data/base64.h"
#include "data/converters/json_plan.h"
#include "data/decimal.h"
#include "data/schema.h"

#define ABSENT 0xFFu /* type of a struct's value that was not seen yet */

static const char *node_type(int c)
{
    switch (c) {
    case '{': return "OBJECT";
    case '[': return "ARRAY";
    case '"': return "STRING";
    case 't':
    case 'f': return "BOOLEAN";
    case 'n': return "NULL";
    default: return "NUMBER";
    }
}

static bool is_number(int c) { return c == '-' || (c >= '0' && c <= '9'); }

static bool take_null(struct sluice_json_reader *r, const struct json_plan *plan,
                      struct sluice_value *v)
{
    if (!plan->null_value) {
        return sluice_err_set(r->err, "Invalid null value for required %s field",
                              sluice_type_name(plan->type));
    }
    *v = *plan->null_value;
    return true;
}

/* ---- scalars ---- */

static bool read_int(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                     struct sluice_value *v)
{
    struct sluice_json_number number = {.integral = false};
    int64_t i = 0;
    if (is_number(c)) {
        if (!sluice_json_read_number(r, &number)) return false;
        i = sluice_json_long(&number);
        if (number.integral && plan->kind != JSON_PLAIN) { /* is it one without wrapping? */
            uint64_t limit = UINT64_C(0x80000000) - !number.negative;
            if (plan->type == SLUICE_INT32 && (!number.exact || number.digits > limit)) {
                number.integral = false;
            }
        }
    } else if (!sluice_json_skip(r)) {
        return false;
    }
    if (plan->kind != JSON_PLAIN && !number.integral) {
        static const char *const names[] = {
            [JSON_DATE] = "Date", [JSON_TIME] = "Time", [JSON_TIMESTAMP] = "Timestamp"};
        return sluice_err_set(r->err,
                              "Invalid type for %s, underlying representation should be %s but "
                              "was %s",
                              names[plan->kind],
                              plan->kind == JSON_TIMESTAMP ? "integral" : "integer", node_type(c));
    }
    if (plan->type == SLUICE_INT8) i = (int8_t)i;
    else if (plan->type == SLUICE_INT16) i = (int16_t)i;
    else if (plan->type == SLUICE_INT32) i = (int32_t)i;
    *v = sluice_int(plan->type, i);
    return true;
}

static bool read_real(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                      struct sluice_value *v)
{
    double d = 0;
    if (is_number(c)) {
        struct sluice_json_number number;
        if (!sluice_json_read_number(r, &number)) return false;
        d = plan->type == SLUICE_FLOAT32 ? (double)sluice_json_to_float(&number)
                                         : sluice_json_to_double(&number);
    } else if (c == '"') {
        const char *s;
        uint32_t len;
        if (!sluice_json_read_string(r, &s, &len)) return false;
        if (len == 3 && memcmp(s, "NaN", 3) == 0) d = __builtin_nan("");
        else if (len == 8 && memcmp(s, "Infinity", 8) == 0) d = __builtin_inf();
        else if (len == 9 && memcmp(s, "-Infinity", 9) == 0) d = -__builtin_inf();
    } else if (!sluice_json_skip(r)) {
        return false;
    }
    *v = sluice_float64(d);
    v->type = plan->type;
    return true;
}

static bool read_base64(struct sluice_json_reader *r, const char *what, struct sluice_value *v)
{
    const char *s;
    uint32_t len;
    size_t n;
    if (!sluice_json_read_string(r, &s, &len)) return false;
    char *octets = sluice_arena_alloc(&r->batch->arena, len / 4 * 3 + 3);
    if (!sluice_base64_read(octets, s, len, &n)) {
        return sluice_err_set(r->err, "%s: the text is not base64", what);
    }
    *v = sluice_bytes(octets, n);
    return true;
}

static bool read_decimal(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                         struct sluice_value *v)
{
    struct sluice_json_number number;
    if (c == '"') return read_base64(r, "Invalid bytes for Decimal field", v);
    if (!is_number(c)) {
        return sluice_err_set(r->err,
                              "Invalid type for Decimal, underlying representation should be "
                              "numeric or bytes but was %s",
                              node_type(c));
    }
    if (!sluice_json_read_number(r, &number)) return false;
    return sluice_decimal_parse(&r->batch->arena, number.text, number.len, plan->scale, v, r->err);
}

/* ---- containers ---- */

static bool read_array(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                       struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    struct sluice_value item;
    if (c == '[' || c == '{') {
        r->at++;
        if (!sluice_json_enter(r)) return false;
        for (;; len++) { /* an object's values count as items, as in Java */
            bool more = true;
            const char *s = "";
            uint32_t n;
            if (c == '[' && !sluice_json_item(r, len == 0, &more)) return false;
            if (c == '{' && !sluice_json_member(r, len == 0, &s, &n)) return false;
            if (!more || !s) break;
            if (!json_decode(r, plan->elem, &item)) return false;
            sluice_json_push(r, item);
        }
    } else if (!sluice_json_skip(r)) {
        return false;
    }
    *v = sluice_json_pop(r, SLUICE_ARRAY, mark, len);
    return true;
}

static bool read_object(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                        struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    struct sluice_value value;
    if (c != '{') {
        return sluice_err_set(r->err,
                              "Maps with string fields should be encoded as JSON objects, but "
                              "found %s",
                              node_type(c));
    }
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        const char *s;
        uint32_t n;
        if (!sluice_json_member(r, len == 0, &s, &n)) return false;
        if (!s) break;
        sluice_json_push(r, sluice_string(s, n));
        if (!json_decode(r, plan->elem, &value)) return false;
        sluice_json_push(r, value);
    }
    len = sluice_json_unique(r, mark, len);
    *v = sluice_json_pop(r, SLUICE_MAP, mark, len);
    return true;
}

/* [{"key":k,"value":v}, ...], members in any order. */
static bool read_entries(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                         struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    if (c != '[') {
        return sluice_err_set(r->err, "a map of these keys is a list of entries, found %s",
                              node_type(c));
    }
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        bool more;
        struct sluice_value entry[2] = {sluice_null(), sluice_null()};
        unsigned n = 0;
        if (!sluice_json_item(r, len == 0, &more)) return false;
        if (!more) break;
        if (!sluice_json_take(r, '{')) {
            return sluice_err_set(r->err, "a map's entry is an object of key and value, found %s",
                                  node_type(sluice_json_peek(r)));
        }
        if (!sluice_json_enter(r)) return false;
        for (;; n++) {
            const char *s;
            uint32_t name_len;
            if (!sluice_json_member(r, n == 0, &s, &name_len)) return false;
            if (!s) break;
            bool key = name_len == 3 && memcmp(s, "key", 3) == 0;
            bool value = name_len == 5 && memcmp(s, "value", 5) == 0;
            if (!(key     ? json_decode(r, plan->key, &entry[0])
                  : value ? json_decode(r, plan->elem, &entry[1])
                          : sluice_json_skip(r))) {
                return false;
            }
        }
        if (n != 2) {
            return sluice_err_set(r->err, "a map's entry has key and value, found %u members", n);
        }
        sluice_json_push(r, entry[0]);
        sluice_json_push(r, entry[1]);
    }
    *v = sluice_json_pop(r, SLUICE_MAP, mark, len);
    return true;
}

static bool read_pairs(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                       struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    if (c != '[') {
        return sluice_err_set(r->err,
                              "Maps with non-string fields should be encoded as JSON array of "
                              "tuples, but found %s",
                              node_type(c));
    }
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        bool more;
        if (!sluice_json_item(r, len == 0, &more)) return false;
        if (!more) break;
        int pair = sluice_json_peek(r);
        if (pair != '[') {
            return sluice_err_set(r->err, "Found invalid map entry instead of array tuple: %s",
                                  node_type(pair));
        }
        r->at++;
        if (!sluice_json_enter(r)) return false;
        unsigned n = 0;
        for (;; n++) {
            struct sluice_value value;
            if (!sluice_json_item(r, n == 0, &more)) return false;
            if (!more) break;
            if (n >= 2) {
                if (!sluice_json_skip(r)) return false;
                continue;
            }
            if (!json_decode(r, n ? plan->elem : plan->key, &value)) return false;
            sluice_json_push(r, value);
        }
        if (n != 2) {
            return sluice_err_set(r->err,
                                  "Found invalid map entry, expected length 2 but found :%u", n);
        }
    }
    *v = sluice_json_pop(r, SLUICE_MAP, mark, len);
    return true;
}

/* ---- structs ---- */

/* The child whose value comes next, -1 when it is none of the schema's; false in more: the object
 * ended. */
static bool next_child(struct sluice_json_reader *r, const struct json_plan *plan, bool first,
                       uint32_t expected, int *index, bool *more)
{
    const char *s;
    uint32_t len;
    if (expected < plan->children_n) {
        const struct json_child *child = &plan->children[expected];
        uint32_t skip = first; /* the "{" is taken already */
        if (first == (expected == 0) && (size_t)(r->end - r->at) >= child->prefix_len - skip &&
            memcmp(r->at, child->prefix + skip, child->prefix_len - skip) == 0) {
            r->at += child->prefix_len - skip;
            *index = (int)expected;
            *more = true;
            return true;
        }
    }
    if (!sluice_json_member(r, first, &s, &len)) return false;
    *more = s != NULL;
    *index = s ? json_plan_child(plan, s, len) : -1;
    return true;
}

static bool wrong_field(struct sluice_json_reader *r, const struct json_child *child)
{
    return sluice_err_wrap(r->err, "field %s", child->name);
}

static bool read_struct(struct sluice_json_reader *r, const struct json_plan *plan, int c,
                        struct sluice_value *v)
{
    if (c != '{') {
        return sluice_err_set(r->err, "Structs should be encoded as JSON objects, but found %s",
                              node_type(c));
    }
    r->at++;
    if (!sluice_json_enter(r)) return false;
    struct sluice_value *values =
        sluice_arena_alloc(&r->batch->arena, plan->children_n * sizeof *values);
    for (uint32_t i = 0; i < plan->children_n; i++) values[i].type = ABSENT;
    uint32_t expected = 0, seen = 0;
    bool strict = r->strict;
    r->strict = !plan->loose;
    for (bool first = true;; first = false) {
        int index;
        bool more;
        if (!next_child(r, plan, first, expected, &index, &more)) return false;
        if (!more) break;
        if (index < 0) {
            if (!sluice_json_skip(r)) return false;
            continue;
        }
        const struct json_child *child = &plan->children[index];
        if (values[index].type == ABSENT) seen++;
        if (!json_decode(r, child->plan, &values[index])) return wrong_field(r, child);
        expected = (uint32_t)index + 1;
    }
    for (uint32_t i = 0; seen < plan->children_n && i < plan->children_n; i++) {
        if (values[i].type != ABSENT) continue;
        seen++;
        if (plan->loose && !plan->children[i].plan->null_value) {
            values[i] = sluice_null();
            continue;
        }
        if (!take_null(r, plan->children[i].plan, &values[i])) {
            return wrong_field(r, &plan->children[i]);
        }
    }
    r->strict = strict;
    *v = sluice_nested(SLUICE_STRUCT, values, plan->children_n);
    return true;
}

/* No text where one belongs: null, which a struct takes in optional fields only. */
static bool read_misfit(struct sluice_json_reader *r, const struct json_plan *plan,
                        struct sluice_value *v)
{
    if (r->strict && !plan->schema->optional) {
        return sluice_err_set(r->err,
                              "Invalid value: null used for required field, schema type: %s",
                              sluice_type_name(plan->type));
    }
    *v = sluice_null();
    return sluice_json_skip(r);
}

bool json_decode(struct sluice_json_reader *r, const struct json_plan *plan, struct sluice_value *v)
{
    const char *s;
    uint32_t len;
    int c = sluice_json_peek(r);
    if (c == 'n') return sluice_json_read_word(r, "null") && take_null(r, plan, v);
    switch ((enum sluice_type)plan->type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64: return read_int(r, plan, c, v);
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: return read_real(r, plan, c, v);
    case SLUICE_BOOLEAN:
        *v = sluice_bool(c == 't');
        return c == 't' ? sluice_json_read_word(r, "true") : sluice_json_skip(r);
    case SLUICE_STRING:
    case SLUICE_BYTES:
        if (plan->kind == JSON_ANY) {
            s = r->at;
            if (!sluice_json_skip(r)) return false;
            *v = sluice_string(s, (size_t)(r->at - s));
            return true;
        }
        if (plan->kind == JSON_DECIMAL) return read_decimal(r, plan, c, v);
        if (c == '"') {
            if (plan->type == SLUICE_BYTES) return read_base64(r, "Invalid bytes field", v);
            if (!sluice_json_read_string(r, &s, &len)) return false;
            *v = sluice_string(s, len);
            return true;
        }
        return read_misfit(r, plan, v);
    case SLUICE_ARRAY: return read_array(r, plan, c, v);
    case SLUICE_MAP:
        if (plan->kind == JSON_ENTRIES) return read_entries(r, plan, c, v);
        return plan->key->type == SLUICE_STRING ? read_object(r, plan, c, v)
                                                : read_pairs(r, plan, c, v);
    case SLUICE_STRUCT:
        if (plan->kind == JSON_UNION) return json_decode_union(r, plan, v);
        return read_struct(r, plan, c, v);
    case SLUICE_NULL: break;
    }
    assert(!"a schema has no such type");
    return false;
}
