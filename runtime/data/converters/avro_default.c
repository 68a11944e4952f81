/* avro_default.c - default values: Connect's to JSON, JSON to Connect's and to Avro's binary.
 *
 * Octets stand in JSON as a string whose code points 0 to 255 are the octets. Depth is that of the
 * schemas, which were built before. Owner: the converter's thread. */
#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/utf8.h"
#include "data/base64.h"
#include "data/converters/avro_schema.h"
#include "data/json_io.h"
#include "data/schema.h"
#include "data/values.h"

/* ---- Connect to JSON ---- */

static bool misfit(const struct sluice_schema *schema, struct sluice_err *err)
{
    return sluice_err_set(err, "Invalid type used for default value of %s field",
                          sluice_type_name((enum sluice_type)schema->type));
}

static struct sluice_value octets_json(struct sluice_batch *batch, const struct sluice_value *v)
{
    char *out = sluice_batch_alloc(batch, 2 * (size_t)v->len + 1), *to = out;
    for (uint32_t i = 0; i < v->len; i++) to += sluice_utf8_put((unsigned char)v->u.s[i], to);
    return sluice_string(out, (size_t)(to - out));
}

static bool list_json(struct sluice_batch *batch, const struct avro_config *config,
                      const struct sluice_schema *elem, const struct sluice_value *v,
                      struct sluice_value *json, struct sluice_err *err)
{
    struct sluice_value *items = sluice_batch_alloc(batch, v->len * sizeof *items);
    for (uint32_t i = 0; i < v->len; i++) {
        if (!avro_default_write(batch, config, elem, &v->u.v[i], &items[i], err)) return false;
    }
    *json = sluice_nested(SLUICE_ARRAY, items, v->len);
    return true;
}

static bool map_json(struct sluice_batch *batch, const struct avro_config *config,
                     const struct sluice_schema *schema, const struct sluice_value *v,
                     struct sluice_value *json, struct sluice_err *err)
{
    bool object = avro_string_keys(config, schema);
    struct sluice_value *pairs = sluice_batch_alloc(batch, 2 * (size_t)v->len * sizeof *pairs);
    struct sluice_value *lists = sluice_batch_alloc(batch, v->len * sizeof *lists);
    for (size_t i = 0; i < v->len; i++) {
        if (!avro_default_write(batch, config, schema->key, &v->u.v[2 * i], &pairs[2 * i], err) ||
            !avro_default_write(batch, config, schema->elem, &v->u.v[2 * i + 1], &pairs[2 * i + 1],
                                err))
            return false;
        lists[i] = sluice_nested(SLUICE_ARRAY, &pairs[2 * i], 2);
    }
    *json = object ? sluice_nested(SLUICE_MAP, pairs, v->len)
                   : sluice_nested(SLUICE_ARRAY, lists, v->len);
    return true;
}

static bool struct_json(struct sluice_batch *batch, const struct avro_config *config,
                        const struct sluice_schema *schema, const struct sluice_value *v,
                        struct sluice_value *json, struct sluice_err *err)
{
    if (v->len != schema->fields_len) return misfit(schema, err);
    struct sluice_value *pairs = sluice_batch_alloc(batch, 2 * (size_t)v->len * sizeof *pairs);
    for (size_t i = 0; i < v->len; i++) {
        const struct sluice_field *field = &schema->fields[i];
        const struct sluice_value *value = &v->u.v[i];
        if (value->type == SLUICE_NULL && field->schema->has_dflt) value = &field->schema->dflt;
        const char *name = avro_scrub(batch, config, field->name);
        pairs[2 * i] = sluice_string(name, strlen(name));
        if (!avro_default_write(batch, config, field->schema, value, &pairs[2 * i + 1], err))
            return false;
        if (avro_is_union(schema) && i == 0) { /* the first member's, whatever it is: as in Java */
            *json = pairs[1];
            return true;
        }
    }
    *json = sluice_nested(SLUICE_MAP, pairs, v->len);
    return true;
}

bool avro_default_write(struct sluice_batch *batch, const struct avro_config *config,
                        const struct sluice_schema *schema, const struct sluice_value *v,
                        struct sluice_value *json, struct sluice_err *err)
{
    *json = *v;
    if (v->type == SLUICE_NULL) return true;
    if (v->type != schema->type) return misfit(schema, err);
    switch ((enum sluice_type)schema->type) {
    case SLUICE_BYTES: *json = octets_json(batch, v); return true;
    case SLUICE_ARRAY: return list_json(batch, config, schema->elem, v, json, err);
    case SLUICE_MAP: return map_json(batch, config, schema, v, json, err);
    case SLUICE_STRUCT: return struct_json(batch, config, schema, v, json, err);
    default: return true;
    }
}

/* ---- JSON against Avro ---- */

static bool is_integer(const struct sluice_value *json)
{
    return json->type >= SLUICE_INT8 && json->type <= SLUICE_INT64;
}

static bool is_number(const struct sluice_value *json)
{
    return is_integer(json) || json->type == SLUICE_FLOAT32 || json->type == SLUICE_FLOAT64;
}

static double number_of(const struct sluice_value *json)
{
    return is_integer(json) ? (double)json->u.i : json->u.d;
}

static const struct sluice_value *member(const struct avro_field *field,
                                         const struct sluice_value *json)
{
    const struct sluice_value *v = sluice_value_get(json, field->name);
    return v ? v : field->has_dflt ? &field->dflt : NULL;
}

static bool valid_record(const struct avro_schema *schema, const struct sluice_value *json)
{
    bool ok =
        json->type == SLUICE_MAP && !schema->open; /* a default that holds itself has no end */
    struct avro_schema *mark = (struct avro_schema *)schema;
    if (!ok) return false;
    mark->open = true;
    for (uint32_t i = 0; i < schema->n && ok; i++) {
        const struct sluice_value *v = member(&schema->fields[i], json);
        ok = v && avro_default_valid(schema->fields[i].schema, v);
    }
    mark->open = false;
    return ok;
}

bool avro_default_valid(const struct avro_schema *schema, const struct sluice_value *json)
{
    switch ((enum avro_type)schema->type) {
    case AVRO_NULL: return json->type == SLUICE_NULL;
    case AVRO_BOOLEAN: return json->type == SLUICE_BOOLEAN;
    case AVRO_INT: return is_integer(json) && json->u.i >= INT32_MIN && json->u.i <= INT32_MAX;
    case AVRO_LONG: return is_integer(json);
    case AVRO_FLOAT:
    case AVRO_DOUBLE: return is_number(json);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_ENUM:
    case AVRO_FIXED: return json->type == SLUICE_STRING;
    case AVRO_ARRAY:
        if (json->type != SLUICE_ARRAY) return false;
        for (uint32_t i = 0; i < json->len; i++) {
            if (!avro_default_valid(schema->elem, &json->u.v[i])) return false;
        }
        return true;
    case AVRO_MAP:
        if (json->type != SLUICE_MAP) return false;
        for (size_t i = 0; i < json->len; i++) {
            if (!avro_default_valid(schema->elem, &json->u.v[2 * i + 1])) return false;
        }
        return true;
    case AVRO_RECORD: return valid_record(schema, json);
    case AVRO_UNION:
        for (uint32_t i = 0; i < schema->n; i++) {
            if (avro_default_valid(schema->types[i], json)) return true;
        }
        return false;
    }
    return false;
}

/* ---- JSON to Connect ---- */

/* The octets that a string stands for. False: a character is none. */
static bool octets_read(char *out, const struct sluice_value *json, size_t *n)
{
    *n = 0;
    for (uint32_t i = 0; i < json->len; i++) {
        unsigned char c = (unsigned char)json->u.s[i];
        if (c >= 0x80) {
            if ((c & 0xFC) != 0xC0 || i + 1 >= json->len) return false;
            c = (unsigned char)((c & 3) << 6 | ((unsigned char)json->u.s[++i] & 0x3F));
        }
        out[(*n)++] = (char)c;
    }
    return true;
}

static bool read_list(struct sluice_batch *batch, const struct avro_schema *avro,
                      const struct sluice_schema *schema, const struct sluice_value *json,
                      struct sluice_value *v)
{
    bool entries = schema->type == SLUICE_MAP;
    if (json->type != SLUICE_ARRAY || entries) return false; /* entries: not in Java either */
    struct sluice_value *items = sluice_batch_alloc(batch, json->len * sizeof *items);
    for (uint32_t i = 0; i < json->len; i++) {
        if (!avro_default_read(batch, avro->elem, schema->elem, &json->u.v[i], &items[i]))
            return false;
    }
    *v = sluice_nested(SLUICE_ARRAY, items, json->len);
    return true;
}

static bool read_map(struct sluice_batch *batch, const struct avro_schema *avro,
                     const struct sluice_schema *schema, const struct sluice_value *json,
                     struct sluice_value *v)
{
    if (json->type != SLUICE_MAP || schema->type != SLUICE_MAP) return false;
    struct sluice_value *pairs = sluice_batch_alloc(batch, 2 * (size_t)json->len * sizeof *pairs);
    for (size_t i = 0; i < json->len; i++) {
        pairs[2 * i] = json->u.v[2 * i];
        if (!avro_default_read(batch, avro->elem, schema->elem, &json->u.v[2 * i + 1],
                               &pairs[2 * i + 1]))
            return false;
    }
    *v = sluice_nested(SLUICE_MAP, pairs, json->len);
    return true;
}

static bool read_struct(struct sluice_batch *batch, const struct avro_schema *avro,
                        const struct sluice_schema *schema, const struct sluice_value *json,
                        struct sluice_value *v)
{
    if (json->type != SLUICE_MAP || schema->type != SLUICE_STRUCT || schema->fields_len != avro->n)
        return false;
    struct sluice_value *fields = sluice_batch_alloc(batch, avro->n * sizeof *fields);
    for (uint32_t i = 0; i < avro->n; i++) {
        const struct sluice_value *value = sluice_value_get(json, avro->fields[i].name);
        const struct sluice_schema *field = schema->fields[i].schema;
        if (!value) {
            fields[i] = field->has_dflt ? field->dflt : sluice_null();
            if (fields[i].type == SLUICE_NULL && !field->optional) return false;
        } else if (!avro_default_read(batch, avro->fields[i].schema, field, value, &fields[i])) {
            return false;
        }
    }
    *v = sluice_nested(SLUICE_STRUCT, fields, avro->n);
    return true;
}

static bool read_union(struct sluice_batch *batch, const struct avro_schema *avro,
                       const struct sluice_schema *schema, const struct sluice_value *json,
                       struct sluice_value *v)
{
    uint32_t field = 0;
    for (uint32_t i = 0; i < avro->n; i++) {
        const struct avro_schema *member = avro->types[i];
        if (member->type == AVRO_NULL) {
            *v = sluice_null();
            if (json->type == SLUICE_NULL) return true;
            continue;
        }
        if (!avro_is_union(schema)) return avro_default_read(batch, member, schema, json, v);
        if (avro_default_valid(member, json) && field < schema->fields_len) {
            struct sluice_value *fields =
                sluice_batch_alloc(batch, schema->fields_len * sizeof *fields);
            for (uint32_t k = 0; k < schema->fields_len; k++) fields[k] = sluice_null();
            *v = sluice_nested(SLUICE_STRUCT, fields, schema->fields_len);
            return avro_default_read(batch, member, schema->fields[field].schema, json,
                                     &fields[field]);
        }
        field++;
    }
    return false;
}

static bool read_number(const struct sluice_schema *schema, const struct sluice_value *json,
                        struct sluice_value *v)
{
    double d = is_number(json) ? number_of(json) : 0;
    if (!is_number(json)) return false;
    memset(v, 0, sizeof *v);
    v->type = schema->type;
    switch ((enum sluice_type)schema->type) {
    case SLUICE_INT8: v->u.i = (int8_t)(is_integer(json) ? json->u.i : 0); break;
    case SLUICE_INT16: v->u.i = (int16_t)(is_integer(json) ? json->u.i : 0); break;
    case SLUICE_INT32: v->u.i = (int32_t)(is_integer(json) ? json->u.i : 0); break;
    case SLUICE_INT64: v->u.i = is_integer(json) ? json->u.i : 0; break;
    case SLUICE_FLOAT32: v->u.d = (double)(float)d; return true;
    case SLUICE_FLOAT64: v->u.d = d; return true;
    default: return false;
    }
    return is_integer(json) && (v->u.i == json->u.i || schema->type != SLUICE_INT32);
}

bool avro_default_read(struct sluice_batch *batch, const struct avro_schema *avro,
                       const struct sluice_schema *schema, const struct sluice_value *json,
                       struct sluice_value *v)
{
    size_t n;
    char *out;
    *v = sluice_null();
    if (avro->type == AVRO_UNION) return read_union(batch, avro, schema, json, v);
    if (json->type == SLUICE_NULL) return schema->optional;
    switch ((enum avro_type)avro->type) {
    case AVRO_INT:
    case AVRO_LONG:
    case AVRO_FLOAT:
    case AVRO_DOUBLE: return read_number(schema, json, v);
    case AVRO_BOOLEAN:
        *v = *json;
        return json->type == SLUICE_BOOLEAN && schema->type == SLUICE_BOOLEAN;
    case AVRO_STRING:
    case AVRO_ENUM: *v = *json; return json->type == SLUICE_STRING && schema->type == SLUICE_STRING;
    case AVRO_BYTES:
    case AVRO_FIXED:
        if (json->type != SLUICE_STRING || schema->type != SLUICE_BYTES) return false;
        out = sluice_batch_alloc(batch, json->len + 1);
        if (!octets_read(out, json, &n)) return false;
        *v = sluice_bytes(out, n);
        return true;
    case AVRO_ARRAY: return read_list(batch, avro, schema, json, v);
    case AVRO_MAP: return read_map(batch, avro, schema, json, v);
    case AVRO_RECORD: return read_struct(batch, avro, schema, json, v);
    default: return false;
    }
}

/* ---- JSON to binary ---- */

static bool put_long(struct sluice_buf *buf, int64_t i, struct sluice_err *err)
{
    char bytes[10];
    size_t n = 0;
    uint64_t u = ((uint64_t)i << 1) ^ (uint64_t)(i >> 63);
    for (; u >= 0x80; u >>= 7) bytes[n++] = (char)(u | 0x80);
    bytes[n++] = (char)u;
    return sluice_json_raw(buf, bytes, n, err);
}

static bool put_string(struct sluice_buf *buf, const struct avro_schema *avro,
                       const struct sluice_value *json, struct sluice_err *err)
{
    if (avro->type == AVRO_ENUM) {
        for (uint32_t i = 0; i < avro->n; i++) {
            if (strlen(avro->symbols[i]) == json->len &&
                memcmp(avro->symbols[i], json->u.s, json->len) == 0)
                return put_long(buf, i, err);
        }
        return sluice_err_set(err, "the default is no symbol of the enum %s", avro->full);
    }
    if (avro->type == AVRO_STRING)
        return put_long(buf, json->len, err) && sluice_json_raw(buf, json->u.s, json->len, err);
    struct sluice_buf octets;
    size_t n = 0;
    sluice_buf_init(&octets, SLUICE_BUF_MAX);
    bool ok = sluice_buf_reserve(&octets, json->len + 1, err) && octets_read(octets.data, json, &n);
    if (ok && avro->type == AVRO_FIXED) ok = n == avro->size;
    if (ok && avro->type == AVRO_BYTES) ok = put_long(buf, (int64_t)n, err);
    ok = ok && sluice_json_raw(buf, octets.data, n, err);
    sluice_buf_fini(&octets);
    return ok || sluice_err_set(err, "the default of %s is broken",
                                avro->full ? avro->full : "a bytes field");
}

static bool put_nested(struct sluice_buf *buf, const struct avro_schema *avro,
                       const struct sluice_value *json, struct sluice_err *err)
{
    if (avro->type == AVRO_RECORD) {
        for (uint32_t i = 0; i < avro->n; i++) {
            const struct sluice_value *v = member(&avro->fields[i], json);
            assert(v); /* it was found valid */
            if (!avro_default_encode(buf, avro->fields[i].schema, v, err)) return false;
        }
        return true;
    }
    bool map = avro->type == AVRO_MAP;
    if (json->len && !put_long(buf, json->len, err)) return false;
    for (size_t i = 0; i < json->len; i++) {
        const struct sluice_value *v = &json->u.v[map ? 2 * i + 1 : i];
        if (map &&
            (!put_long(buf, v[-1].len, err) || !sluice_json_raw(buf, v[-1].u.s, v[-1].len, err)))
            return false;
        if (!avro_default_encode(buf, avro->elem, v, err)) return false;
    }
    return put_long(buf, 0, err);
}

bool avro_default_encode(struct sluice_buf *buf, const struct avro_schema *avro,
                         const struct sluice_value *json, struct sluice_err *err)
{
    double d = is_number(json) ? number_of(json) : 0;
    float f = (float)d;
    char byte = (char)(json->type == SLUICE_BOOLEAN && json->u.i);
    if (!avro_default_valid(avro, json))
        return sluice_err_set(err, "a default of the registered schema does not fit its type %s",
                              avro_type_name((enum avro_type)avro->type));
    switch ((enum avro_type)avro->type) {
    case AVRO_NULL: return true;
    case AVRO_BOOLEAN: return sluice_json_raw(buf, &byte, 1, err);
    case AVRO_INT:
    case AVRO_LONG: return put_long(buf, json->u.i, err);
    case AVRO_FLOAT: return sluice_json_raw(buf, (const char *)&f, 4, err);
    case AVRO_DOUBLE: return sluice_json_raw(buf, (const char *)&d, 8, err);
    case AVRO_UNION:
        for (uint32_t i = 0; i < avro->n; i++) {
            if (!avro_default_valid(avro->types[i], json)) continue;
            return put_long(buf, i, err) && avro_default_encode(buf, avro->types[i], json, err);
        }
        return false;
    case AVRO_ARRAY:
    case AVRO_MAP:
    case AVRO_RECORD: return put_nested(buf, avro, json, err);
    default: return put_string(buf, avro, json, err);
    }
}
