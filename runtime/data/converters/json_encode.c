/* json_encode.c - a value with its plan to JSON: one pass, names and defaults are copied as they
 * were escaped when the plan was made. */
#include <assert.h>

#include "base/err.h"
#include "data/converters/json_plan.h"
#include "data/decimal.h"
#include "data/json_text.h"
#include "data/number_text.h"
#include "data/schema.h"

static bool wrong_type(const struct json_plan *plan, const struct sluice_value *v,
                       struct sluice_err *err)
{
    return sluice_err_set(err, "Conversion error: Invalid type for %s: the value is %s",
                          plan->schema->name ? plan->schema->name
                                             : sluice_type_name(plan->schema->type),
                          v->type <= SLUICE_STRUCT ? sluice_type_name(v->type) : "broken");
}

static bool write_null(struct sluice_buf *buf, const struct json_plan *plan, struct sluice_err *err)
{
    if (plan->null_text) return sluice_json_raw(buf, plan->null_text, plan->null_len, err);
    if (plan->loose) return sluice_json_raw(buf, "null", 4, err);
    return sluice_err_set(err, "Conversion error: null value for field that is required and has no "
                               "default value");
}

/* Names the field in front of what went wrong below it. */
static bool in_field(const struct json_child *child, struct sluice_err *err)
{
    return sluice_err_wrap(err, "field %s", child->name);
}

/* A short text whose storage is padded, into room that is there: by 16 bytes, without a call. */
static inline char *copy_padded(char *to, const char *from, uint32_t len)
{
    uint32_t at = 0;
    do {
        memcpy(to + at, from + at, JSON_PREFIX_PAD);
        at += JSON_PREFIX_PAD;
    } while (at < len);
    return to + len;
}

static bool write_struct(struct sluice_buf *buf, const struct json_plan *plan,
                         const struct sluice_value *v, struct sluice_err *err)
{
    if (v->len != plan->children_n) {
        return sluice_err_set(err,
                              "Conversion error: Mismatching schema: the struct has %u values, its "
                              "schema %s has %u fields",
                              v->len, plan->schema->name ? plan->schema->name : "without name",
                              plan->children_n);
    }
    if (v->len == 0) return sluice_json_raw(buf, "{}", 2, err);
    const struct sluice_value *value = v->u.v;
    size_t start = buf->len;
    for (uint32_t i = 0; i < plan->children_n; i++, value++) {
        const struct json_child *child = &plan->children[i];
        const struct json_plan *below = child->plan;
        if (!sluice_json_room(buf, child->prefix_len + 2 * JSON_PREFIX_PAD + SLUICE_INT_TEXT,
                              err)) {
            return false;
        }
        if (value->type == SLUICE_NULL && plan->loose && !below->null_text) continue;
        char *to = copy_padded(buf->data + buf->len, child->prefix, child->prefix_len);
        if (buf->len == start) buf->data[start] = '{'; /* members before it were left out */
        if (value->type == SLUICE_NULL && below->null_len == 4) {
            memcpy(to, below->null_text, 4);
            to += 4;
        } else if (value->type >= SLUICE_INT8 && value->type <= SLUICE_INT64 &&
                   value->type == below->type) {
            to = sluice_int_text(to, value->u.i);
        } else {
            buf->len = (size_t)(to - buf->data);
            if (!json_encode(buf, below, value, err)) return in_field(child, err);
            continue;
        }
        buf->len = (size_t)(to - buf->data);
    }
    if (buf->len == start) return sluice_json_raw(buf, "{}", 2, err);
    return sluice_json_raw(buf, "}", 1, err);
}

static bool write_union(struct sluice_buf *buf, const struct json_plan *plan,
                        const struct sluice_value *v, struct sluice_err *err)
{
    for (uint32_t i = 0; i < v->len && i < plan->children_n; i++) {
        if (v->u.v[i].type == SLUICE_NULL) continue;
        if (json_encode(buf, plan->children[i].plan, &v->u.v[i], err)) return true;
        return in_field(&plan->children[i], err);
    }
    return write_null(buf, plan, err);
}

static bool write_array(struct sluice_buf *buf, const struct json_plan *plan,
                        const struct sluice_value *v, struct sluice_err *err)
{
    if (!sluice_json_raw(buf, "[", 1, err)) return false;
    for (uint32_t i = 0; i < v->len; i++) {
        if (i && !sluice_json_raw(buf, ",", 1, err)) return false;
        if (!json_encode(buf, plan->elem, &v->u.v[i], err)) return false;
    }
    return sluice_json_raw(buf, "]", 1, err);
}

/* A list of objects. */
static bool write_entries(struct sluice_buf *buf, const struct json_plan *plan,
                          const struct sluice_value *v, struct sluice_err *err)
{
    if (!sluice_json_raw(buf, "[", 1, err)) return false;
    for (size_t i = 0; i < v->len; i++) {
        const struct sluice_value *key = &v->u.v[2 * i];
        if (i && !sluice_json_raw(buf, ",", 1, err)) return false;
        if (!sluice_json_raw(buf, "{\"key\":", 7, err)) return false;
        if (!json_encode(buf, plan->key, key, err)) return false;
        if (!sluice_json_raw(buf, ",\"value\":", 9, err)) return false;
        if (!json_encode(buf, plan->elem, key + 1, err)) return false;
        if (!sluice_json_raw(buf, "}", 1, err)) return false;
    }
    return sluice_json_raw(buf, "]", 1, err);
}

/* A key as a member's name: an optional one that is null is the text null, as Java writes it. */
static bool write_name(struct sluice_buf *buf, const struct json_plan *plan,
                       const struct sluice_value *key, struct sluice_err *err)
{
    if (key->type != SLUICE_NULL) return json_encode(buf, plan, key, err);
    if (!plan->null_text) return wrong_type(plan, key, err);
    bool text = plan->null_text[0] == '"'; /* the schema's default */
    return text ? json_encode(buf, plan, key, err) : sluice_json_raw(buf, "\"null\"", 6, err);
}

/* An object when the schema's keys are strings, else a list of pairs. */
static bool write_map(struct sluice_buf *buf, const struct json_plan *plan,
                      const struct sluice_value *v, struct sluice_err *err)
{
    bool object = plan->key->type == SLUICE_STRING;
    if (plan->kind == JSON_ENTRIES) return write_entries(buf, plan, v, err);
    if (!sluice_json_raw(buf, object ? "{" : "[", 1, err)) return false;
    for (size_t i = 0; i < v->len; i++) {
        const struct sluice_value *key = &v->u.v[2 * i];
        if (i && !sluice_json_raw(buf, ",", 1, err)) return false;
        if (!object && !sluice_json_raw(buf, "[", 1, err)) return false;
        if (object ? !write_name(buf, plan->key, key, err)
                   : !json_encode(buf, plan->key, key, err)) {
            return false;
        }
        if (!sluice_json_raw(buf, object ? ":" : ",", 1, err)) return false;
        if (!json_encode(buf, plan->elem, key + 1, err)) return false;
        if (!object && !sluice_json_raw(buf, "]", 1, err)) return false;
    }
    return sluice_json_raw(buf, object ? "}" : "]", 1, err);
}

bool json_encode(struct sluice_buf *buf, const struct json_plan *plan, const struct sluice_value *v,
                 struct sluice_err *err)
{
    if (v->type == SLUICE_NULL) return write_null(buf, plan, err);
    if (v->type != plan->type) return wrong_type(plan, v, err);
    switch ((enum sluice_type)plan->type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64: return sluice_json_int(buf, v->u.i, err);
    case SLUICE_FLOAT32: return sluice_json_float(buf, (float)v->u.d, err);
    case SLUICE_FLOAT64: return sluice_json_double(buf, v->u.d, err);
    case SLUICE_BOOLEAN: return sluice_json_bool(buf, v->u.i != 0, err);
    case SLUICE_STRING: return sluice_json_string(buf, v->u.s, v->len, err);
    case SLUICE_BYTES:
        if (plan->numeric) return sluice_decimal_text(buf, v->u.s, v->len, plan->scale, err);
        return sluice_json_base64(buf, v->u.s, v->len, err);
    case SLUICE_ARRAY: return write_array(buf, plan, v, err);
    case SLUICE_MAP: return write_map(buf, plan, v, err);
    case SLUICE_STRUCT:
        if (plan->kind == JSON_UNION) return write_union(buf, plan, v, err);
        return write_struct(buf, plan, v, err);
    case SLUICE_NULL: break;
    }
    assert(!"a schema has no such type");
    return false;
}
