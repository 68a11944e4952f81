/* avro_encode.c - values to Avro's binary, by a plan. Owner: the converter's thread. */
#include <assert.h>

#include "base/err.h"
#include "data/converters/avro_plan.h"
#include "data/json_io.h"
#include "data/schema.h"

#define STEP_ROOM 16 /* a union member's number and 10 bytes */

static bool wrong_type(const struct avro_enc *enc, const struct sluice_value *v,
                       struct sluice_err *err)
{
    return sluice_err_set(
        err, "Invalid type for %s: %s",
        enc->schema->name ? enc->schema->name : sluice_type_name((enum sluice_type)enc->type),
        v->type <= SLUICE_STRUCT ? sluice_type_name((enum sluice_type)v->type) : "broken");
}

/* Zigzag and seven bits a byte; 10 bytes of room. */
static inline char *put_long(char *to, int64_t i)
{
    uint64_t u = ((uint64_t)i << 1) ^ (uint64_t)(i >> 63);
    while (u >= 0x80) {
        *to++ = (char)(u | 0x80);
        u >>= 7;
    }
    *to++ = (char)u;
    return to;
}

static inline char *put_branch(char *to, const char branch[8], uint8_t len)
{
    memcpy(to, branch, 8); /* room: STEP_ROOM */
    return to + len;
}

/* A value of a fixed form; STEP_ROOM less a union's number of room. */
static inline char *put_scalar(char *to, const struct avro_enc *enc, const struct sluice_value *v)
{
    float f = (float)v->u.d;
    double d = v->u.d;
    switch ((enum avro_enc_op)enc->op) {
    case AVRO_PUT_BOOLEAN: *to = v->u.i != 0; return to + 1;
    case AVRO_PUT_LONG: return put_long(to, v->u.i);
    case AVRO_PUT_INT_FLOAT: f = (float)v->u.i; /* fall through */
    case AVRO_PUT_FLOAT: memcpy(to, &f, 4); return to + 4;
    case AVRO_PUT_INT_DOUBLE: d = (double)v->u.i; /* fall through */
    case AVRO_PUT_DOUBLE: memcpy(to, &d, 8); return to + 8;
    default: assert(!"no scalar"); return to;
    }
}

static bool put_sized(struct sluice_buf *buf, const struct sluice_value *v, struct sluice_err *err)
{
    if (!sluice_json_room(buf, (size_t)v->len + STEP_ROOM, err)) return false;
    char *to = put_long(buf->data + buf->len, v->len);
    if (v->len) memcpy(to, v->u.s, v->len);
    buf->len = (size_t)(to - buf->data) + v->len;
    return true;
}

static bool put_enum(struct sluice_buf *buf, const struct avro_enc *enc,
                     const struct sluice_value *v, struct sluice_err *err)
{
    const struct avro_schema *avro = enc->avro;
    for (uint32_t i = 0; i < avro->n; i++) {
        if (strncmp(avro->symbols[i], v->u.s, v->len) != 0 || avro->symbols[i][v->len]) continue;
        if (!sluice_json_room(buf, STEP_ROOM, err)) return false;
        buf->len = (size_t)(put_long(buf->data + buf->len, i) - buf->data);
        return true;
    }
    return sluice_err_set(err, "\"%.*s\" is no symbol of the enum %s",
                          (int)(v->len < 100 ? v->len : 100), v->u.s, avro->full);
}

static bool put_list(struct sluice_buf *buf, const struct avro_enc *enc,
                     const struct sluice_value *v, struct sluice_err *err)
{
    if (!sluice_json_room(buf, STEP_ROOM, err)) return false;
    if (v->len) buf->len = (size_t)(put_long(buf->data + buf->len, v->len) - buf->data);
    for (size_t i = 0; i < v->len; i++) {
        const struct sluice_value *item = &v->u.v[v->type == SLUICE_MAP ? 2 * i : i];
        if (enc->op == AVRO_PUT_MAP) {
            if (item->type != SLUICE_STRING) return sluice_err_set(err, "a map's key is no string");
            if (!put_sized(buf, item++, err)) return false;
        } else if (enc->op == AVRO_PUT_ENTRIES) {
            if (!avro_encode(buf, enc->key, item++, err)) return false;
        }
        if (!avro_encode(buf, enc->elem, item, err)) return false;
    }
    return sluice_json_raw(buf, "", 1, err); /* an empty block: the end */
}

static bool put_record(struct sluice_buf *buf, const struct avro_enc *enc,
                       const struct sluice_value *v, struct sluice_err *err)
{
    if (v->len != enc->schema->fields_len) return sluice_err_set(err, "Mismatching struct schema");
    const struct avro_enc_step *step = enc->steps, *end = step + enc->n;
    for (; step < end; step++) {
        const struct avro_enc *below = step->enc;
        if (!below) {
            if (!sluice_json_raw(buf, step->constant, step->constant_len, err)) return false;
            continue;
        }
        const struct sluice_value *value = &v->u.v[step->field];
        if (value->type == SLUICE_NULL && step->dflt) value = step->dflt;
        if (below->op >= AVRO_PUT_BOOLEAN && below->op <= AVRO_PUT_BYTES &&
            value->type == below->type) {
            size_t more = below->op == AVRO_PUT_BYTES ? value->len : 0;
            if (!sluice_json_room(buf, more + STEP_ROOM, err)) return false;
            char *to = put_branch(buf->data + buf->len, below->branch, below->branch_len);
            if (below->op != AVRO_PUT_BYTES) {
                to = put_scalar(to, below, value);
            } else {
                to = put_long(to, value->len);
                if (more) memcpy(to, value->u.s, more);
                to += more;
            }
            buf->len = (size_t)(to - buf->data);
        } else if (!avro_encode(buf, below, value, err)) {
            return sluice_err_wrap(err, "field %s", enc->schema->fields[step->field].name);
        }
    }
    return true;
}

/* The first field that is set says which member it is. */
static bool put_union(struct sluice_buf *buf, const struct avro_enc *enc,
                      const struct sluice_value *v, struct sluice_err *err)
{
    if (v->len != enc->n) return sluice_err_set(err, "Mismatching struct schema");
    for (uint32_t i = 0; i < enc->n; i++) {
        const struct sluice_value *value = &v->u.v[i];
        if (value->type == SLUICE_NULL && enc->steps[i].dflt) value = enc->steps[i].dflt;
        if (value->type != SLUICE_NULL) return avro_encode(buf, enc->steps[i].enc, value, err);
    }
    static const struct sluice_value null;
    return avro_encode(buf, enc, &null, err);
}

bool avro_encode(struct sluice_buf *buf, const struct avro_enc *enc, const struct sluice_value *v,
                 struct sluice_err *err)
{
    if (!sluice_json_room(buf, STEP_ROOM, err)) return false;
    char *to = buf->data + buf->len;
    if (v->type == SLUICE_NULL) {
        if (!enc->nullable) return sluice_err_set(err, "Found null value for non-optional schema");
        buf->len = (size_t)(put_branch(to, enc->null_branch, enc->null_len) - buf->data);
        return true;
    }
    if (v->type != enc->type) return wrong_type(enc, v, err);
    if (enc->op == AVRO_PUT_UNION) return put_union(buf, enc, v, err);
    to = put_branch(to, enc->branch, enc->branch_len);
    buf->len = (size_t)(to - buf->data);
    switch ((enum avro_enc_op)enc->op) {
    case AVRO_PUT_BYTES: return put_sized(buf, v, err);
    case AVRO_PUT_FIXED:
        if (v->len != enc->avro->size)
            return sluice_err_set(err, "%u bytes are not the %u of %s", v->len, enc->avro->size,
                                  enc->avro->full);
        return sluice_json_raw(buf, v->u.s, v->len, err);
    case AVRO_PUT_ENUM: return put_enum(buf, enc, v, err);
    case AVRO_PUT_ARRAY:
    case AVRO_PUT_MAP:
    case AVRO_PUT_ENTRIES: return put_list(buf, enc, v, err);
    case AVRO_PUT_RECORD: return put_record(buf, enc, v, err);
    case AVRO_PUT_NULL:
    case AVRO_PUT_UNION: return wrong_type(enc, v, err);
    default: break;
    }
    buf->len = (size_t)(put_scalar(to, enc, v) - buf->data);
    return true;
}

/* ---- schemaless values ---- */

/* Fields of the record Anything, in order. */
enum {
    ANY_BOOLEAN,
    ANY_BYTES,
    ANY_DOUBLE,
    ANY_FLOAT,
    ANY_INT,
    ANY_LONG,
    ANY_STRING,
    ANY_ARRAY,
    ANY_MAP,
    ANY_FIELDS
};

static int anything_field(const struct sluice_value *v)
{
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL: return ANY_FIELDS;
    case SLUICE_BOOLEAN: return ANY_BOOLEAN;
    case SLUICE_BYTES: return ANY_BYTES;
    case SLUICE_FLOAT64: return ANY_DOUBLE;
    case SLUICE_FLOAT32: return ANY_FLOAT;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32: return ANY_INT;
    case SLUICE_INT64: return ANY_LONG;
    case SLUICE_STRING: return ANY_STRING;
    case SLUICE_ARRAY: return ANY_ARRAY;
    case SLUICE_MAP: return ANY_MAP;
    case SLUICE_STRUCT: break;
    }
    return -1;
}

static bool put_anything(struct sluice_buf *buf, const struct sluice_value *v,
                         struct sluice_err *err)
{
    static const uint8_t ops[] = {
        AVRO_PUT_BOOLEAN, 0, AVRO_PUT_DOUBLE, AVRO_PUT_FLOAT, AVRO_PUT_LONG, AVRO_PUT_LONG};
    int field = anything_field(v);
    if (field == ANY_BYTES || field == ANY_STRING) return put_sized(buf, v, err);
    if (!sluice_json_room(buf, STEP_ROOM, err)) return false;
    char *to = buf->data + buf->len;
    if (field < ANY_STRING) {
        struct avro_enc enc = {.op = ops[field]};
        buf->len = (size_t)(put_scalar(to, &enc, v) - buf->data);
        return true;
    }
    if (v->len) buf->len = (size_t)(put_long(to, v->len) - buf->data);
    for (size_t i = 0; i < (size_t)v->len * (field == ANY_MAP ? 2 : 1); i++) {
        if (!avro_encode_anything(buf, &v->u.v[i], err)) return false;
    }
    return sluice_json_raw(buf, "", 1, err);
}

bool avro_encode_anything(struct sluice_buf *buf, const struct sluice_value *v,
                          struct sluice_err *err)
{
    int field = anything_field(v);
    if (field < 0) return sluice_err_set(err, "Unknown Java type for schemaless data: a struct");
    for (int i = 0; i < ANY_FIELDS; i++) {
        if (!sluice_json_raw(buf, i == field ? "\2" : "", 1, err)) return false;
        if (i == field && !put_anything(buf, v, err)) return false;
    }
    return true;
}
