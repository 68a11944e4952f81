/* encode.c - values to JSON as BigQuery's insertAll reads it, in one pass. Numbers beyond what a
 * double holds go as strings (the API takes rows as protobuf's Struct, which has doubles only);
 * null columns are left out. Thread: the task's. */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "plan.h"
#include "text.h"

#define ANY_DEPTH_MAX 15
#define EXACT_MAX (INT64_C(1) << 53) /* integers up to here are exact doubles */

static bool fail(struct bq_encoder *enc, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

static bool fail(struct bq_encoder *enc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(enc->err->msg, sizeof enc->err->msg, fmt, ap);
    va_end(ap);
    return false;
}

/* Puts the field's name before the error, so that "field a.b: why" grows on the way out. */
__attribute__((cold)) static bool fail_in(struct bq_encoder *enc, const char *name, size_t len)
{
    static const char mark[] = "field ";
    struct sluice_err inner = *enc->err;
    bool nested = strncmp(inner.msg, mark, sizeof mark - 1) == 0;
    return fail(enc, "%s%.*s%s%.900s", mark, (int)(len > 300 ? 300 : len), name,
                nested ? "." : ": ", nested ? inner.msg + sizeof mark - 1 : inner.msg);
}

static bool mismatch(struct bq_encoder *enc, const struct bq_node *node,
                     const struct sluice_value *v)
{
    return fail(enc, "the value is of type %u, but its schema of type %u", v->type,
                node->schema ? node->schema->type : 0u);
}

static bool is_int(const struct sluice_value *v)
{
    return v->type >= SLUICE_INT8 && v->type <= SLUICE_INT64;
}

/* ---- scalars ---- */

bool bq_encode_int(struct bq_encoder *enc, const struct bq_node *node, const struct sluice_value *v)
{
    if (!is_int(v)) return mismatch(enc, node, v);
    sluice_out_int(enc->out, v->u.i);
    return true;
}

static void put_quoted_int(struct sluice_out *out, int64_t i)
{
    sluice_out_char(out, '"');
    sluice_out_int(out, i);
    sluice_out_char(out, '"');
}

bool bq_encode_int64(struct bq_encoder *enc, const struct bq_node *node,
                     const struct sluice_value *v)
{
    if (!is_int(v)) return mismatch(enc, node, v);
    put_quoted_int(enc->out, v->u.i);
    return true;
}

bool bq_encode_bool(struct bq_encoder *enc, const struct bq_node *node,
                    const struct sluice_value *v)
{
    if (v->type != SLUICE_BOOLEAN) return mismatch(enc, node, v);
    if (v->u.i) sluice_out_lit(enc->out, "true");
    else sluice_out_lit(enc->out, "false");
    return true;
}

static void put_double(struct bq_encoder *enc, double d, bool single)
{
    if (isfinite(d)) {
        if (single) sluice_out_float(enc->out, (float)d);
        else sluice_out_double(enc->out, d);
    } else if (enc->config->convert_double_special) {
        if (d > 0) sluice_out_lit(enc->out, "1.7976931348623157e308");
        else sluice_out_lit(enc->out, "4.9e-324");
    } else if (isnan(d)) {
        sluice_out_lit(enc->out, "\"NaN\"");
    } else if (d > 0) {
        sluice_out_lit(enc->out, "\"Infinity\"");
    } else {
        sluice_out_lit(enc->out, "\"-Infinity\"");
    }
}

bool bq_encode_float32(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v)
{
    if (v->type != SLUICE_FLOAT32) return mismatch(enc, node, v);
    put_double(enc, v->u.d, true);
    return true;
}

bool bq_encode_float64(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v)
{
    if (v->type != SLUICE_FLOAT64 && v->type != SLUICE_FLOAT32) return mismatch(enc, node, v);
    put_double(enc, v->u.d, false);
    return true;
}

bool bq_encode_string(struct bq_encoder *enc, const struct bq_node *node,
                      const struct sluice_value *v)
{
    if (v->type != SLUICE_STRING) return mismatch(enc, node, v);
    sluice_out_string(enc->out, v->u.s, v->len);
    return true;
}

static void put_bytes(struct sluice_out *out, const void *data, size_t len)
{
    sluice_out_char(out, '"');
    sluice_out_base64(out, data, len, false);
    sluice_out_char(out, '"');
}

bool bq_encode_bytes(struct bq_encoder *enc, const struct bq_node *node,
                     const struct sluice_value *v)
{
    if (v->type != SLUICE_BYTES) return mismatch(enc, node, v);
    put_bytes(enc->out, v->u.s, v->len);
    return true;
}

/* ---- dates and times ---- */

static bool out_of_years(struct bq_encoder *enc, int64_t i)
{
    return fail(enc, "%lld is outside the years 1 to 9999, which is all that BigQuery has",
                (long long)i);
}

bool bq_encode_date(struct bq_encoder *enc, const struct bq_node *node,
                    const struct sluice_value *v)
{
    if (!is_int(v)) return mismatch(enc, node, v);
    sluice_out_char(enc->out, '"');
    if (!bq_text_date(enc->out, v->u.i)) return out_of_years(enc, v->u.i);
    sluice_out_char(enc->out, '"');
    return true;
}

bool bq_encode_time_ms(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v)
{
    if (!is_int(v)) return mismatch(enc, node, v);
    sluice_out_char(enc->out, '"');
    bq_text_time_ms(enc->out, v->u.i);
    sluice_out_char(enc->out, '"');
    return true;
}

bool bq_encode_time_us(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v)
{
    if (!is_int(v)) return mismatch(enc, node, v);
    sluice_out_char(enc->out, '"');
    bq_text_time_us(enc->out, v->u.i);
    sluice_out_char(enc->out, '"');
    return true;
}

bool bq_encode_timestamp_ms(struct bq_encoder *enc, const struct bq_node *node,
                            const struct sluice_value *v)
{
    if (!is_int(v)) return mismatch(enc, node, v);
    sluice_out_char(enc->out, '"');
    if (!bq_text_timestamp_ms(enc->out, v->u.i)) return out_of_years(enc, v->u.i);
    sluice_out_char(enc->out, '"');
    return true;
}

bool bq_encode_timestamp_us(struct bq_encoder *enc, const struct bq_node *node,
                            const struct sluice_value *v)
{
    if (!is_int(v)) return mismatch(enc, node, v);
    sluice_out_char(enc->out, '"');
    if (!bq_text_timestamp_us(enc->out, v->u.i)) return out_of_years(enc, v->u.i);
    sluice_out_char(enc->out, '"');
    return true;
}

/* "2017-03-01T14:20:38.808123456-08:00": a blank for the T, and no digit beyond microseconds. */
bool bq_encode_zoned(struct bq_encoder *enc, const struct bq_node *node,
                     const struct sluice_value *v)
{
    if (v->type != SLUICE_STRING) return mismatch(enc, node, v);
    const char *s = v->u.s;
    if (v->len < 16 || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != ' '))
        return fail(enc, "\"%.*s\" is no ISO 8601 timestamp within the years 1 to 9999",
                    (int)(v->len > 60 ? 60 : v->len), s);
    size_t digits = 0;
    bool fraction = false;
    char *start = sluice_out_room(enc->out, (size_t)v->len * 6 + 2), *p = start;
    *p++ = '"';
    for (size_t i = 0; i < v->len; i++) {
        char c = s[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && !strchr("T :+-.Z", c))
            return fail(enc, "\"%.*s\" is no ISO 8601 timestamp", (int)(v->len > 60 ? 60 : v->len),
                        s);
        if (!digit) fraction = c == '.';
        else if (fraction && ++digits > 6) continue;
        *p++ = i == 10 ? ' ' : c;
    }
    *p++ = '"';
    enc->out->len += (size_t)(p - start);
    return true;
}

/* ---- decimals ---- */

static bool put_decimal(struct bq_encoder *enc, const struct sluice_value *v, int32_t scale)
{
    sluice_out_char(enc->out, '"');
    if (!bq_text_decimal(enc->out, v->u.s, v->len, scale))
        return fail(enc, "a decimal of %u bytes and scale %d is beyond all that BigQuery has",
                    v->len, scale);
    sluice_out_char(enc->out, '"');
    return true;
}

bool bq_encode_decimal(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v)
{
    if (v->type != SLUICE_BYTES) return mismatch(enc, node, v);
    return put_decimal(enc, v, node->scale);
}

bool bq_encode_decimal_record(struct bq_encoder *enc, const struct bq_node *node,
                              const struct sluice_value *v)
{
    if (v->type != SLUICE_BYTES) return mismatch(enc, node, v);
    sluice_out_lit(enc->out, "{\"scale\":");
    sluice_out_int(enc->out, node->scale);
    sluice_out_lit(enc->out, ",\"value\":");
    put_bytes(enc->out, v->u.s, v->len);
    sluice_out_char(enc->out, '}');
    return true;
}

bool bq_encode_variable_decimal(struct bq_encoder *enc, const struct bq_node *node,
                                const struct sluice_value *v)
{
    if (v->type != SLUICE_STRUCT || v->len != 2 || !is_int(&v->u.v[0]) ||
        v->u.v[1].type != SLUICE_BYTES)
        return mismatch(enc, node, v);
    int64_t scale = v->u.v[0].u.i;
    if (scale > BQ_SCALE_MAX || scale < -BQ_SCALE_MAX) scale = BQ_SCALE_MAX + 1; /* is refused */
    return put_decimal(enc, &v->u.v[1], (int32_t)scale);
}

/* ---- structure ---- */

/* The value that stands for a null field: false when null is not allowed, *v NULL to leave out. */
static bool replace_null(const struct bq_encoder *enc, const struct bq_node *node,
                         const struct sluice_value **v)
{
    *v = NULL;
    if (node->optional) return true;
    if (node->schema->has_dflt && node->schema->dflt.type != SLUICE_NULL) {
        *v = &node->schema->dflt;
        return true;
    }
    return enc->config->all_nullable;
}

static bool encode_field(struct bq_encoder *enc, const struct bq_node *node,
                         const struct sluice_value *v)
{
    if (v->type == SLUICE_NULL) {
        if (!replace_null(enc, node, &v)) {
            fail(enc, "null, but its schema does not allow null");
            return fail_in(enc, node->name, strlen(node->name));
        }
        if (!v) return true;
    }
    sluice_out_put(enc->out, node->key, node->key_len);
    return node->encode(enc, node, v) || fail_in(enc, node->name, strlen(node->name));
}

/* The first column's comma becomes the opening brace. */
void bq_close_record(struct sluice_out *out, size_t start)
{
    if (out->len == start) sluice_out_char(out, '{');
    else out->data[start] = '{';
    sluice_out_char(out, '}');
}

static bool encode_fields(struct bq_encoder *enc, const struct bq_node *node,
                          const struct sluice_value *v)
{
    if (v->type != SLUICE_STRUCT || v->len < node->span) return mismatch(enc, node, v);
    const struct bq_node *end = node->children + node->children_len;
    for (const struct bq_node *child = node->children; child < end; child++)
        if (!encode_field(enc, child, &v->u.v[child->index])) return false;
    return true;
}

bool bq_encode_struct(struct bq_encoder *enc, const struct bq_node *node,
                      const struct sluice_value *v)
{
    size_t start = enc->out->len;
    if (!encode_fields(enc, node, v)) return false;
    bq_close_record(enc->out, start);
    return true;
}

bool bq_encode_array(struct bq_encoder *enc, const struct bq_node *node,
                     const struct sluice_value *v)
{
    if (v->type != SLUICE_ARRAY) return mismatch(enc, node, v);
    const struct bq_node *item = &node->children[0];
    sluice_out_char(enc->out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i > 0) sluice_out_char(enc->out, ',');
        if (v->u.v[i].type == SLUICE_NULL)
            return fail(enc, "item %u is null, and a REPEATED column cannot hold null", i);
        if (!item->encode(enc, item, &v->u.v[i])) return false;
    }
    sluice_out_char(enc->out, ']');
    return true;
}

bool bq_encode_map(struct bq_encoder *enc, const struct bq_node *node, const struct sluice_value *v)
{
    if (v->type != SLUICE_MAP) return mismatch(enc, node, v);
    sluice_out_char(enc->out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i > 0) sluice_out_char(enc->out, ',');
        size_t start = enc->out->len;
        if (!encode_field(enc, &node->children[0], &v->u.v[2 * i]) ||
            !encode_field(enc, &node->children[1], &v->u.v[2 * i + 1]))
            return false;
        bq_close_record(enc->out, start);
    }
    sluice_out_char(enc->out, ']');
    return true;
}

/* ---- without schema ---- */

/* Entries of a map, each with a comma before it. Nulls are left out: for a column that is the same
 * as null, and an array column cannot be null. */
static bool encode_entries(struct bq_encoder *enc, const struct sluice_value *v, unsigned depth)
{
    struct sluice_out *out = enc->out;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct sluice_value *key = &v->u.v[2 * i], *value = key + 1;
        if (key->type != SLUICE_STRING) return fail(enc, "a map's key is no string");
        if (value->type == SLUICE_NULL) continue;
        sluice_out_lit(out, ",\"");
        if (enc->config->sanitize_fields) bq_sanitize(out, key->u.s, key->len);
        else sluice_out_escaped(out, key->u.s, key->len);
        sluice_out_lit(out, "\":");
        if (!bq_encode_any(enc, value, depth + 1)) return fail_in(enc, key->u.s, key->len);
    }
    return true;
}

static bool encode_items(struct bq_encoder *enc, const struct sluice_value *v, unsigned depth)
{
    sluice_out_char(enc->out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i > 0) sluice_out_char(enc->out, ',');
        if (!bq_encode_any(enc, &v->u.v[i], depth + 1)) return false;
    }
    sluice_out_char(enc->out, ']');
    return true;
}

bool bq_encode_any(struct bq_encoder *enc, const struct sluice_value *v, unsigned depth)
{
    size_t start = enc->out->len;
    if (depth > ANY_DEPTH_MAX)
        return fail(enc, "values are nested more than %d deep, which BigQuery does not take",
                    ANY_DEPTH_MAX);
    switch (v->type) {
    case SLUICE_NULL: sluice_out_lit(enc->out, "null"); return true;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
        if (v->u.i > EXACT_MAX || v->u.i < -EXACT_MAX) put_quoted_int(enc->out, v->u.i);
        else sluice_out_int(enc->out, v->u.i);
        return true;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: put_double(enc, v->u.d, v->type == SLUICE_FLOAT32); return true;
    case SLUICE_BOOLEAN: return bq_encode_bool(enc, NULL, v);
    case SLUICE_STRING: sluice_out_string(enc->out, v->u.s, v->len); return true;
    case SLUICE_BYTES: put_bytes(enc->out, v->u.s, v->len); return true;
    case SLUICE_ARRAY: return encode_items(enc, v, depth);
    case SLUICE_MAP:
        if (!encode_entries(enc, v, depth)) return false;
        bq_close_record(enc->out, start);
        return true;
    default: return fail(enc, "a struct without a schema");
    }
}

bool bq_encode_columns(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v)
{
    if (node) return encode_fields(enc, node, v);
    if (v->type != SLUICE_MAP)
        return fail(enc, "Only Map objects supported in absence of schema for record conversion to "
                         "BigQuery format");
    return encode_entries(enc, v, 0);
}
